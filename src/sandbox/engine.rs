//! The services and what they share, behind one synchronous function from request to response.

use std::time::Duration;

use serde_json::{Map, Value};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use uuid::Uuid;

use super::Config;
use super::clock::Clock;
use super::control;
use super::dynamodb::{self, DynamoDb};
use super::entropy::{Entropy, EntropySource};
use super::error::{Fault, Unauthenticated};
use super::form::Form;
use super::iam::{self, Iam};
use super::kms::{self, Kms};
use super::request::{ConnectionId, Request, Route, route};
use super::respond::{self, Output, Response};
use super::service::Service;
use super::sigv4::Authorization;
use super::start_error::StartError;
use super::store::{Store, StoreError};
use super::sts;
use super::trail::{Decisions, Trail};
use crate::policy::{ConditionContext, Principal, account_of};

/// The account everything lives in: the one AWS's own documentation uses for examples.
const ACCOUNT: &str = "111122223333";

const WELCOME: &str = "This is the AWS sandbox of kmslab: KMS, DynamoDB, IAM and STS.
Use it as the endpoint URL of any AWS client. Its own pages:
  GET  /_kmslab/health
  GET  /_kmslab/trail
  GET  /_kmslab/decisions
  GET  /_kmslab/at-rest?table=NAME
  POST /_kmslab/advance?seconds=N
";

/// The sandbox without its network.
#[derive(Debug)]
pub struct Engine {
    /// What the services share.
    pub host: Host,
    /// Users, access keys and policies.
    pub iam: Iam,
    /// Keys, aliases and grants.
    pub kms: Kms,
    /// Tables.
    pub dynamodb: DynamoDb,
    sources: EntropySource,
}

/// What the services share.
#[derive(Debug)]
pub struct Host {
    /// The time.
    pub clock: Clock,
    /// The randomness of the request at hand.
    pub entropy: Entropy,
    /// The database.
    pub store: Store,
    /// The API calls of late.
    pub trail: Trail,
    /// The policy decisions of late.
    pub decisions: Decisions,
    /// Twelve digits.
    pub account: String,
    /// `us-east-1`
    pub region: String,
}

impl Host {
    /// The current time as CloudTrail and policies write it, `2026-01-01T00:00:00Z`.
    pub fn timestamp(&self) -> String {
        let now = self.clock.now();
        now.replace_nanosecond(0).unwrap_or(now).format(&Rfc3339).unwrap_or_default()
    }
}

impl Engine {
    /// Opens the database that `config` names and the services on it.
    ///
    /// # Errors
    /// When the database can't be used; see [`StartError`].
    pub fn open(config: &Config) -> Result<Self, StartError> {
        let store = match &config.data {
            Some(folder) => Store::kept(folder)?,
            None => Store::temporary()?,
        };
        let path = store.path().to_owned();
        let damaged = |source| StartError::of_store(&path, source);
        // One transaction for everything a new database needs.
        store.begin().map_err(damaged)?;
        let start = store.number("starts").map_err(damaged)?;
        store.set_number("starts", start + 1).map_err(damaged)?;
        let mut clock = if config.seed.is_some() { Clock::seeded() } else { Clock::wall() };
        clock.advance(Duration::from_secs(u64::try_from(store.number(clock.name()).map_err(damaged)?).unwrap_or(0)));
        let mut sources = EntropySource::new(config.seed, start.unsigned_abs())?;
        let mut host = Host {
            clock,
            entropy: sources.stream("start"),
            store,
            trail: Trail::default(),
            decisions: Decisions::default(),
            account: ACCOUNT.to_owned(),
            region: config.region.clone(),
        };
        let iam = Iam::open(&mut host).map_err(damaged)?;
        let kms = Kms::open(&mut host).map_err(damaged)?;
        let dynamodb = DynamoDb::open(&mut host).map_err(damaged)?;
        host.store.commit().map_err(damaged)?;
        if host.store.is_kept() {
            dynamodb.check_items(&host, &kms).map_err(damaged)?;
        }
        Ok(Self { host, iam, kms, dynamodb, sources })
    }

    /// From request to response. Never panics on bad input; touches nothing outside the process but the database.
    pub fn handle(&mut self, request: &Request) -> Response {
        match route(request) {
            Route::Control(page) => control::answer(self, request, &page),
            Route::Welcome => respond::page(200, "text/plain; charset=utf-8", WELCOME),
            Route::NoSuchPage => respond::page(404, "text/plain; charset=utf-8", "there is nothing here\n"),
            Route::Refused { service, error } => self.refuse(service, &error),
            Route::Call { service, operation, form } => match self.authenticate(request, service) {
                Err(fault) => self.refuse(service, &Fault::Unauthenticated(fault)),
                Ok((principal, access_key_id)) => {
                    self.host.entropy = self.sources.stream(&access_key_id);
                    let request_id = self.host.entropy.uuid();
                    let context = RequestContext {
                        principal,
                        access_key_id,
                        request_id,
                        answer_id: respond::public_request_id(service, request_id),
                        source_ip: request.peer.to_string(),
                        user_agent: user_agent(request).to_owned(),
                        connection: request.connection,
                    };
                    let call = Call { service, operation: &operation, form: &form, body: request.bytes() };
                    match self.transact(&context, &call) {
                        Ok(output) => respond::success(service, &operation, &context.answer_id, output),
                        Err(error) => respond::failure(service, &context.answer_id, &error),
                    }
                }
            },
        }
    }

    /// Moves the clock forward, and remembers it when the data is kept.
    ///
    /// # Errors
    /// When the database can't be written.
    pub fn advance(&mut self, by: Duration) -> Result<(), StoreError> {
        self.notice_keys()?;
        self.host.clock.advance(by);
        self.keep_clock()
    }

    /// Lets DynamoDB notice which tables have lost their KMS key or got it back.
    fn notice_keys(&mut self) -> Result<(), StoreError> {
        self.dynamodb.notice_keys(&mut self.host, &self.kms)
    }

    /// Forgets what was cached for a connection that is closed.
    pub(super) fn disconnected(&mut self, connection: ConnectionId) {
        self.dynamodb.disconnected(connection);
    }

    fn keep_clock(&self) -> Result<(), StoreError> {
        if self.host.store.is_kept() {
            self.host.store.set_number(self.host.clock.name(), self.host.clock.offset_seconds())?;
        }
        Ok(())
    }

    /// Answers a request whose maker is not known.
    fn refuse(&mut self, service: Service, error: &Fault) -> Response {
        let request_id = self.sources.stream("").uuid();
        respond::failure(service, &respond::public_request_id(service, request_id), error)
    }

    /// Who made the request.
    fn authenticate(&self, request: &Request, service: Service) -> Result<(Principal, String), Unauthenticated> {
        let authorization = Authorization::of(request)?;
        // The wall clock, not the sandbox's: clients sign with theirs.
        let signed_at = authorization.check_scope(request, service, &self.host.region, OffsetDateTime::now_utc())?;
        if request.headers.contains_key("x-amz-security-token") {
            // The sandbox issues no temporary credentials.
            return Err(Unauthenticated::UnknownKey);
        }
        let (principal, secret) = self.iam.secret_of(authorization.access_key_id).ok_or(Unauthenticated::UnknownKey)?;
        authorization.verify(request, &secret, signed_at)?;
        Ok((principal, authorization.access_key_id.to_owned()))
    }

    /// Runs a call in one transaction: all of it is kept, or on a refusal nothing. What went on stays on the trail and in
    /// the decisions either way.
    fn transact(&mut self, context: &RequestContext, call: &Call) -> Result<Output, Fault> {
        // In no transaction of the call's: a refused call doesn't undo it.
        self.notice_keys()?;
        self.host.store.begin()?;
        let written = self.host.store.written();
        let result = self.dispatch(context, call).and_then(|output| {
            if is_change(call.operation) {
                self.notice_keys()?;
                self.host.clock.tick();
                self.keep_clock()?;
            }
            self.host.store.commit()?;
            Ok(output)
        });
        if let Err(error) = result {
            if self.host.store.written() == written {
                self.host.store.rollback();
            } else {
                self.undo()?;
            }
            return Err(error);
        }
        result
    }

    /// Undoes the request at hand where something was written already: CreateTable makes a grant in KMS before it fails,
    /// say. The services keep their state in memory too, so they read it again.
    ///
    /// # Errors
    /// When the database can't be read.
    pub(super) fn undo(&mut self) -> Result<(), StoreError> {
        self.host.store.rollback();
        self.iam.reload(&self.host)?;
        self.kms = Kms::open(&mut self.host)?;
        self.dynamodb.reload(&mut self.host)
    }

    fn dispatch(&mut self, context: &RequestContext, call: &Call) -> Result<Output, Fault> {
        let operation = call.operation;
        match call.service {
            Service::Kms => kms::call(self, context, operation, &json_object(call.body)?).map(Output::Json),
            Service::DynamoDb => dynamodb::call(self, context, operation, &json_object(call.body)?).map(Output::Json),
            Service::Iam => iam::call(self, context, operation, call.form).map(Output::Xml),
            Service::Sts => sts::call(self, context, operation, call.form).map(Output::Xml),
        }
    }
}

/// An authenticated call.
struct Call<'a> {
    service: Service,
    operation: &'a str,
    form: &'a Form,
    body: &'a [u8],
}

/// The caller's `User-Agent`, as much of it as CloudTrail keeps: 1 KB. Policies can look at it and traces quote it, so a
/// header of half a megabyte would cost its length many times over.
fn user_agent(request: &Request) -> &str {
    let whole = request.header("user-agent").unwrap_or_default();
    whole.get(..1024).unwrap_or(whole)
}

/// The input of a JSON protocol. No body at all means no members.
fn json_object(body: &[u8]) -> Result<Value, Fault> {
    if body.is_empty() {
        return Ok(Value::Object(Map::new()));
    }
    // serde_json stops at 128 levels, so deep nesting can't exhaust the stack.
    match serde_json::from_slice(body) {
        Ok(Value::Object(members)) => Ok(Value::Object(members)),
        Ok(_) => Err(Fault::Serialization(Some("Start of structure or map found where not expected.".to_owned()))),
        Err(_) => Err(Fault::Serialization(None)),
    }
}

/// Whether an operation changes something, which is what moves a seeded clock.
fn is_change(operation: &str) -> bool {
    const READS: [&str; 14] = [
        "Get",
        "List",
        "Describe",
        "Scan",
        "Query",
        "BatchGet",
        "TransactGet",
        "Simulate",
        "Encrypt",
        "Decrypt",
        "ReEncrypt",
        "Generate",
        "Verify",
        "Sign",
    ];
    !READS.iter().any(|read| operation.starts_with(read))
}

/// What a service sees of a request that has been authenticated.
#[derive(Debug, Clone)]
pub struct RequestContext {
    /// Who calls.
    pub principal: Principal,
    /// With which access key.
    pub access_key_id: String,
    /// The request's own uuid.
    pub request_id: Uuid,
    /// The request's id as the caller sees it in `x-amzn-RequestId`: the uuid for most services, 52 characters for
    /// DynamoDB. Use this one in trail and decisions, so that they can be matched with answers.
    pub answer_id: String,
    /// The caller's address.
    pub source_ip: String,
    /// The caller's `User-Agent`, cut off at 1 KB; empty when not given.
    pub user_agent: String,
    /// The connection the request came over. DynamoDB caches table keys for each connection.
    pub connection: ConnectionId,
}

impl RequestContext {
    /// The global condition keys of this request for a decision about `resource`.
    pub fn conditions(&self, host: &Host, resource: &str) -> ConditionContext {
        self.conditions_as(host, &self.principal, resource, None)
    }

    /// The same for a call that a service makes because of this request: as `principal`, the caller or the service
    /// itself, and on the caller's behalf through the service `via`.
    pub fn conditions_as(
        &self,
        host: &Host,
        principal: &Principal,
        resource: &str,
        via: Option<&str>,
    ) -> ConditionContext {
        let account = account_of(resource).unwrap_or(&host.account);
        let mut context = ConditionContext::of_request(principal, account, via);
        match via {
            // The call comes from the service's machines. Its callee doesn't see where the caller sits.
            Some(service) => context.set("aws:UserAgent", service),
            None => context.set("aws:UserAgent", &self.user_agent).set("aws:SourceIp", &self.source_ip),
        };
        context.set("aws:RequestedRegion", &host.region);
        context.set("aws:CurrentTime", host.timestamp());
        context.set("aws:EpochTime", host.clock.now().unix_timestamp().to_string());
        context
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;
    use serde_json::json;

    use super::*;

    fn engine() -> (Engine, RequestContext) {
        let engine = Engine::open(&Config { seed: Some(1), ..Config::default() }).unwrap();
        let (access_key_id, _) = engine.iam.admin();
        let (principal, _) = engine.iam.secret_of(&access_key_id).unwrap();
        let context = RequestContext {
            principal,
            access_key_id,
            request_id: Uuid::nil(),
            answer_id: String::new(),
            source_ip: "127.0.0.1".to_owned(),
            user_agent: String::new(),
            connection: 0,
        };
        (engine, context)
    }

    fn keys(engine: &mut Engine, context: &RequestContext) -> usize {
        kms::call(engine, context, "ListKeys", &json!({})).unwrap()["Keys"].as_array().unwrap().len()
    }

    #[test]
    fn undoing_takes_back_what_is_on_disk_and_in_memory() {
        let (mut engine, context) = engine();
        kms::call(&mut engine, &context, "CreateKey", &json!({})).unwrap();
        engine.host.store.begin().unwrap();
        kms::call(&mut engine, &context, "CreateKey", &json!({})).unwrap();
        iam::call(&mut engine, &context, "CreateUser", &Form::from_iter([("UserName", "alice")])).unwrap();
        engine.undo().unwrap();
        assert_eq!(keys(&mut engine, &context), 1);
        assert!(engine.iam.find_principal(&format!("arn:aws:iam::{ACCOUNT}:user/alice")).is_none());
        assert!(engine.iam.secret_of(&context.access_key_id).is_some());
    }

    #[rstest]
    #[case(5, 5)]
    #[case(1024, 1024)]
    #[case(100_000, 1024)]
    fn user_agents_are_cut_off(#[case] sent: usize, #[case] kept: usize) {
        let value = http::HeaderValue::try_from("x".repeat(sent)).unwrap();
        let request = Request {
            method: http::Method::POST,
            uri: http::Uri::from_static("/"),
            headers: http::HeaderMap::from_iter([(http::header::USER_AGENT, value)]),
            body: crate::sandbox::request::Body::TooLarge,
            peer: [127, 0, 0, 1].into(),
            connection: 0,
        };
        assert_eq!(user_agent(&request).len(), kept);
    }

    #[test]
    fn policies_on_keys_see_the_tags_of_the_caller() {
        let (mut engine, admin) = engine();
        let ask = |engine: &mut Engine, action, parameters: &[(&str, &str)]| {
            iam::call(engine, &admin, action, &parameters.iter().copied().collect()).unwrap()
        };
        ask(&mut engine, "CreateUser", &[("UserName", "alice")]);
        let document = json!({ "Version": "2012-10-17", "Statement": [{
            "Effect": "Allow", "Action": "kms:ListKeys", "Resource": "*",
            "Condition": { "StringEquals": { "aws:PrincipalTag/team": "red" } },
        }] });
        let policy = [("UserName", "alice"), ("PolicyName", "p"), ("PolicyDocument", &document.to_string())];
        ask(&mut engine, "PutUserPolicy", &policy);
        let lists = |engine: &mut Engine| {
            let principal = engine.iam.find_principal(&format!("arn:aws:iam::{ACCOUNT}:user/alice")).unwrap();
            let alice = RequestContext { principal, ..admin.clone() };
            kms::call(engine, &alice, "ListKeys", &json!({})).is_ok()
        };
        assert!(!lists(&mut engine));
        let tag = [("UserName", "alice"), ("Tags.member.1.Key", "team"), ("Tags.member.1.Value", "red")];
        ask(&mut engine, "TagUser", &tag);
        assert!(lists(&mut engine));
    }

    /// `alice` may do everything but what `policy` denies.
    fn alice_but(engine: &mut Engine, admin: &RequestContext, policy: &str) -> RequestContext {
        let mut ask = |action, parameters: &[(&str, &str)]| {
            iam::call(engine, admin, action, &parameters.iter().copied().collect()).unwrap()
        };
        ask("CreateUser", &[("UserName", "alice")]);
        let all = "arn:aws:iam::aws:policy/AdministratorAccess";
        ask("AttachUserPolicy", &[("UserName", "alice"), ("PolicyArn", all)]);
        ask("PutUserPolicy", &[("UserName", "alice"), ("PolicyName", "deny"), ("PolicyDocument", policy)]);
        let principal = engine.iam.find_principal(&format!("arn:aws:iam::{ACCOUNT}:user/alice")).unwrap();
        RequestContext { principal, ..admin.clone() }
    }

    #[test]
    fn the_guides_deny_by_address_denies() {
        let (mut engine, admin) = engine();
        let alice = alice_but(&mut engine, &admin, include_str!("testdata/deny-by-ip-guide.json"));
        let denied = |answer: Result<Value, Fault>| {
            let error = answer.unwrap_err();
            let message = error.message(Service::Kms).unwrap_or_default();
            assert!(message.ends_with("with an explicit deny in an identity-based policy"), "{message}");
        };
        denied(kms::call(&mut engine, &alice, "ListKeys", &json!({})));
        denied(dynamodb::call(&mut engine, &alice, "ListTables", &json!({})));
        let at_home = RequestContext { source_ip: "192.0.2.7".to_owned(), ..alice };
        assert!(kms::call(&mut engine, &at_home, "ListKeys", &json!({})).is_ok());
    }

    /// What AWS always sends can't be missing: `Null` tells.
    #[rstest]
    #[case("aws:CurrentTime", "2026-01-01T00:00:00Z")]
    #[case("aws:EpochTime", "1767225600")]
    #[case("aws:PrincipalAccount", ACCOUNT)]
    #[case("aws:PrincipalArn", "arn:aws:iam::111122223333:user/kmslab-admin")]
    #[case("aws:PrincipalIsAWSService", "false")]
    #[case("aws:PrincipalType", "User")]
    #[case("aws:RequestedRegion", "us-east-1")]
    #[case("aws:ResourceAccount", ACCOUNT)]
    #[case("aws:SecureTransport", "true")]
    #[case("aws:SourceIp", "127.0.0.1")]
    #[case("aws:UserAgent", "")]
    #[case("aws:ViaAWSService", "false")]
    #[case("aws:username", "kmslab-admin")]
    fn keys_of_every_request(#[case] key: &str, #[case] value: &str) {
        let (engine, admin) = engine();
        let context = admin.conditions(&engine.host, "*");
        assert_eq!(context.get(key).unwrap(), [value]);
        assert!(context.get("aws:userid").is_some());
        // And these only in an organization, with temporary credentials or through a service.
        for absent in ["aws:PrincipalOrgID", "aws:TokenIssueTime", "aws:CalledVia", "aws:PrincipalServiceName"] {
            assert!(context.get(absent).is_none(), "{absent}");
        }
    }

    #[test]
    fn the_account_of_a_resource_is_its_own() {
        let (engine, admin) = engine();
        let context = admin.conditions(&engine.host, "arn:aws:kms:us-east-1:444455556666:key/1");
        assert_eq!(context.get("aws:ResourceAccount").unwrap(), ["444455556666"]);
    }

    #[test]
    fn only_changes_move_a_seeded_clock() {
        let (mut engine, context) = engine();
        let mut run = |operation, input: Value| {
            let before = engine.host.clock.now();
            let (form, body) = (Form::default(), input.to_string());
            let call = Call { service: Service::Kms, operation, form: &form, body: body.as_bytes() };
            let worked = engine.transact(&context, &call).is_ok();
            (worked, (engine.host.clock.now() - before).whole_seconds())
        };
        assert_eq!(run("CreateKey", json!({})), (true, 1));
        assert_eq!(run("ListKeys", json!({})), (true, 0));
        assert_eq!(run("DisableKey", json!({ "KeyId": "alias/none" })), (false, 0));
    }

    #[rstest]
    #[case("Scan", false)]
    #[case("GetKeyPolicy", false)]
    #[case("Decrypt", false)]
    #[case("ReEncrypt", false)]
    #[case("RetireGrant", true)]
    #[case("PutItem", true)]
    #[case("EnableKey", true)]
    fn reads_and_changes_are_told_apart(#[case] operation: &str, #[case] changes: bool) {
        assert_eq!(is_change(operation), changes);
    }
}
