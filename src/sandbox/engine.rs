//! From request to response, synchronously and without a network.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use time::OffsetDateTime;

use super::account::{Account, State};
use super::calls::{CallRecord, Calls};
use super::catalog;
use super::clock::Clock;
use super::config::Config;
use super::context::{Caller, ConnectionId, Context, Origin};
use super::dynamodb::expiry;
use super::dynamodb::state::DynamoDb;
use super::dynamodb::table_keys::TableKeyCache;
use super::entropy::{Entropy, EntropySource};
use super::error::{Fault, Unauthenticated};
use super::form::Form;
use super::iam::session::Session;
use super::iam::state::Iam;
use super::kms::state::Kms;
use super::kms::trail;
use super::log::{Decisions, Trail};
use super::operation::{Kind, Operation, Output};
use super::pages;
use super::request::{Request, Route, route};
use super::respond::{self, Response};
use super::service::Service;
use super::sigv4::Authorization;
use super::start_error::StartError;
use super::store::{Store, StoreError};
use super::transaction::{self, Transaction};
use super::validate::Params;
use crate::policy::Principal;

/// The account everything lives in: the one AWS's own documentation uses for examples.
const ACCOUNT: &str = "111122223333";

const WELCOME: &str = "This is the AWS sandbox of kmslab: KMS, DynamoDB, IAM and STS.
Use it as the endpoint URL of any AWS client. Its own pages:
  GET  /_kmslab/health
  GET  /_kmslab/trail
  GET  /_kmslab/decisions
  GET  /_kmslab/calls?after=N
  GET  /_kmslab/at-rest?table=NAME
  POST /_kmslab/advance?seconds=N
";

/// The engine, shared by the server and the sandbox's handle. A std mutex: it is never held across an await, and the one
/// server thread takes it for as long as a request takes anyway.
pub(super) type Shared = Arc<Mutex<Engine>>;

/// Locks the engine. A request that panics drops its transaction, so a poisoned lock says nothing.
pub(super) fn lock(engine: &Shared) -> MutexGuard<'_, Engine> {
    engine.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The sandbox without its network.
#[derive(Debug)]
pub struct Engine {
    /// The only account.
    pub account: Account,
    sources: EntropySource,
}

/// An authenticated call.
struct Call<'a> {
    service: Service,
    operation: &'a str,
    form: Form,
    body: &'a [u8],
}

impl Engine {
    /// Opens the database that `config` names and the services on it.
    ///
    /// # Errors
    /// When the database can't be used; see [`StartError`].
    pub fn open(config: &Config) -> Result<Self, StartError> {
        let mut store = match &config.data {
            Some(folder) => Store::persistent(folder)?,
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
        let mut entropy = sources.stream("start");
        let iam = Iam::open(&mut store, ACCOUNT, &clock, &mut entropy).map_err(damaged)?;
        let kms = Kms::open(&store).map_err(damaged)?;
        let dynamodb = DynamoDb::open(&mut store, &mut entropy).map_err(damaged)?;
        store.commit().map_err(damaged)?;
        if store.is_persistent() {
            dynamodb.check_items(&store, ACCOUNT, &kms).map_err(damaged)?;
        }
        let account = Account {
            id: ACCOUNT.to_owned(),
            region: config.region.clone(),
            state: State { clock, iam: Arc::new(iam), kms: Arc::new(kms), dynamodb: Arc::new(dynamodb) },
            store,
            table_keys: TableKeyCache::default(),
            expiry_checked: 0.0,
            trail: Trail::default(),
            calls: Calls::default(),
            decisions: Decisions::default(),
        };
        Ok(Self { account, sources })
    }

    /// Responds to a request. Never panics on bad input; touches nothing outside the process but the database.
    pub fn handle(&mut self, request: &Request) -> Response {
        match route(request) {
            Route::Control(page) => pages::respond(&mut self.account, request, &page),
            Route::Welcome => respond::page(200, "text/plain; charset=utf-8", WELCOME),
            Route::NoSuchPage => respond::page(404, "text/plain; charset=utf-8", "there is nothing here\n"),
            Route::Refused { service, error } => self.refuse(service, &error),
            Route::Call { service, operation, form } => match self.authenticate(request, service) {
                Err(reason) => self.refuse(service, &Fault::Unauthenticated(reason)),
                Ok((principal, access_key_id)) => {
                    let mut entropy = self.sources.stream(&access_key_id);
                    let request_id = respond::public_request_id(service, entropy.uuid());
                    let caller = self.caller(principal, access_key_id, request, request_id.clone());
                    let call = Call { service, operation: &operation, form, body: request.bytes() };
                    match self.call(caller, entropy, call) {
                        Ok(output) => respond::success(service, &operation, &request_id, output),
                        Err(fault) => respond::failure(service, &request_id, &fault),
                    }
                }
            },
        }
    }

    /// Moves the clock forward, and stores it with the data.
    ///
    /// # Errors
    /// When the database can't be written. Then the clock stays.
    pub fn advance(&mut self, by: Duration) -> Result<(), StoreError> {
        transaction::advance(&mut self.account, by)
    }

    /// Drops what was cached for a connection that is closed.
    pub(super) fn disconnected(&mut self, connection: ConnectionId) {
        self.account.table_keys.disconnected(connection);
    }

    /// The response to a request whose sender is not known.
    fn refuse(&mut self, service: Service, fault: &Fault) -> Response {
        let request_id = self.sources.stream("").uuid();
        respond::failure(service, &respond::public_request_id(service, request_id), fault)
    }

    /// The principal that signed the request, and its access key id.
    fn authenticate(&self, request: &Request, service: Service) -> Result<(Principal, String), Unauthenticated> {
        let authorization = Authorization::of(request)?;
        // The wall clock, not the sandbox's: clients sign with theirs.
        let signed_at = authorization.check_scope(request, service, &self.account.region, OffsetDateTime::now_utc())?;
        let id = authorization.access_key_id;
        let (iam, now) = (&self.account.state.iam, self.account.state.clock.now().unix_timestamp());
        let token = request.headers.get("x-amz-security-token").map(http::HeaderValue::as_bytes);
        let (principal, secret) = match token {
            None => iam.secret_of(id).ok_or(Unauthenticated::UnknownKey)?,
            Some(token) => iam.secret_of_session(id, token, now)?,
        };
        authorization.verify(request, &secret, signed_at)?;
        if service == Service::Iam && principal.token_issued.is_some() && principal.role.is_none() {
            // A user's temporary credentials work for IAM with a second factor only (IAM guide). The text is not proven.
            return Err(Unauthenticated::UnknownKey);
        }
        Ok((principal, id.to_owned()))
    }

    fn caller(&self, principal: Principal, access_key_id: String, request: &Request, request_id: String) -> Caller {
        let iam = &self.account.state.iam;
        Caller {
            permissions: Arc::new(iam.policies_of(&principal)),
            limits: Arc::new(iam.session(&access_key_id).map(Session::limits).unwrap_or_default()),
            access_key_id,
            principal: Arc::new(principal),
            via: None,
            origin: Arc::new(Origin {
                request_id,
                source_ip: request.peer.to_string(),
                user_agent: user_agent(request).to_owned(),
                explains: explains(request),
                connection: request.connection,
            }),
        }
    }

    fn call(&mut self, caller: Caller, entropy: Entropy, call: Call<'_>) -> Result<Output, Fault> {
        let params = Params::read(call.service, call.body, call.form)?;
        let operation = catalog::find(call.service, call.operation)?;
        self.run(caller, entropy, operation, &params)
    }

    /// Runs an operation, and adds it to the feed of calls.
    ///
    /// # Errors
    /// The operation's own.
    pub(super) fn run(
        &mut self,
        caller: Caller,
        entropy: Entropy,
        operation: &Operation,
        params: &Params,
    ) -> Result<Output, Fault> {
        let result = self.transact(caller.clone(), entropy, operation, params);
        let calls = &self.account.calls;
        let number = (calls.total() + 1, self.account.state.clock.now().unix_timestamp());
        let record = CallRecord::new(number, &caller, operation, params, result.as_ref());
        self.account.calls.push(record);
        result
    }

    /// Runs an operation in one transaction: all it does is kept, or on an error nothing.
    fn transact(
        &mut self,
        caller: Caller,
        mut entropy: Entropy,
        operation: &Operation,
        params: &Params,
    ) -> Result<Output, Fault> {
        // Before the transaction: a failed request doesn't take back what DynamoDB has noticed and deleted.
        self.account.notice_keys()?;
        if operation.service == Service::DynamoDb && expiry::is_due(&self.account) {
            let mut tx = Transaction::begin(&mut self.account)?;
            let mut cx = Context { account: &mut tx, caller: caller.clone(), entropy, params };
            expiry::delete_expired(&mut cx)?;
            entropy = cx.entropy;
            tx.commit()?;
        }
        let mut tx = Transaction::begin(&mut self.account)?;
        let output = respond_to(&mut tx, caller, entropy, operation, params)?;
        if operation.kind == Kind::Write {
            tx.notice_keys()?;
            tx.state.clock.tick();
            tx.store_clock()?;
        }
        tx.commit()?;
        Ok(output)
    }

    /// The randomness of the next request of `identity`.
    #[cfg(test)]
    pub(super) fn next_entropy(&mut self, identity: &str) -> Entropy {
        self.sources.stream(identity)
    }
}

/// Runs an operation within a transaction.
fn respond_to(
    account: &mut Account,
    caller: Caller,
    entropy: Entropy,
    operation: &Operation,
    params: &Params,
) -> Result<Output, Fault> {
    let decided = account.decisions.total();
    let cx = &mut Context { account, caller, entropy, params };
    let result = match operation.service {
        Service::Kms => {
            cx.catch_up()?;
            trail::recorded(cx, operation)
        }
        Service::DynamoDb => {
            cx.account.table_keys.expire(cx.account.state.clock.now());
            operation.run(cx)
        }
        Service::CloudTrail | Service::Iam | Service::Sts => operation.run(cx),
    };
    debug_assert!(
        cx.account.decisions.since(decided).all(|record| operation.may_ask(&record.action)),
        "{} asks for an action that its row in the catalog lacks",
        operation.name
    );
    result
}

/// The caller's `User-Agent`, as much of it as CloudTrail keeps: 1 KB. Policies can look at it and traces quote it, so a
/// header of half a megabyte would cost its length many times over.
fn user_agent(request: &Request) -> &str {
    let whole = request.header("user-agent").unwrap_or_default();
    whole.get(..1024).unwrap_or(whole)
}

/// Whether `kmslab why` asks: the SDKs put a program's name into a header of their own.
fn explains(request: &Request) -> bool {
    let agent = request.header("x-amz-user-agent").unwrap_or_default();
    agent.split_ascii_whitespace().any(|part| part == "app/kmslab-why")
}

#[cfg(test)]
mod tests {
    use rstest::rstest;
    use serde_json::{Value, json};

    use super::*;
    use crate::policy::ConditionContext;
    use crate::sandbox::authorize::Resource;
    use crate::sandbox::tests;

    fn engine() -> (Engine, Caller) {
        tests::open(&Config { seed: Some(1), ..Config::default() })
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
            tests::iam(engine, &admin, action, parameters).unwrap()
        };
        ask(&mut engine, "CreateUser", &[("UserName", "alice")]);
        let document = json!({ "Version": "2012-10-17", "Statement": [{
            "Effect": "Allow", "Action": "kms:ListKeys", "Resource": "*",
            "Condition": { "StringEquals": { "aws:PrincipalTag/team": "red" } },
        }] });
        let policy = [("UserName", "alice"), ("PolicyName", "p"), ("PolicyDocument", &document.to_string())];
        ask(&mut engine, "PutUserPolicy", &policy);
        let lists = |engine: &mut Engine| {
            let principal =
                engine.account.state.iam.find_principal(&format!("arn:aws:iam::{ACCOUNT}:user/alice")).unwrap();
            let alice = Caller { principal: Arc::new(principal), ..admin.clone() };
            tests::kms(engine, &alice, "ListKeys", &json!({})).is_ok()
        };
        assert!(!lists(&mut engine));
        let tag = [("UserName", "alice"), ("Tags.member.1.Key", "team"), ("Tags.member.1.Value", "red")];
        ask(&mut engine, "TagUser", &tag);
        assert!(lists(&mut engine));
    }

    /// `alice` may do everything but what `policy` denies.
    fn alice_but(engine: &mut Engine, admin: &Caller, policy: &str) -> Caller {
        let mut ask = |action, parameters: &[(&str, &str)]| tests::iam(engine, admin, action, parameters).unwrap();
        ask("CreateUser", &[("UserName", "alice")]);
        let all = "arn:aws:iam::aws:policy/AdministratorAccess";
        ask("AttachUserPolicy", &[("UserName", "alice"), ("PolicyArn", all)]);
        ask("PutUserPolicy", &[("UserName", "alice"), ("PolicyName", "deny"), ("PolicyDocument", policy)]);
        let principal = engine.account.state.iam.find_principal(&format!("arn:aws:iam::{ACCOUNT}:user/alice")).unwrap();
        Caller { principal: Arc::new(principal), ..admin.clone() }
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
        denied(tests::kms(&mut engine, &alice, "ListKeys", &json!({})));
        denied(tests::dynamodb(&mut engine, &alice, "ListTables", &json!({})));
        let at_home = Caller {
            origin: Arc::new(Origin { source_ip: "192.0.2.7".to_owned(), ..(*alice.origin).clone() }),
            ..alice
        };
        assert!(tests::kms(&mut engine, &at_home, "ListKeys", &json!({})).is_ok());
    }

    fn conditions(engine: &mut Engine, who: &Caller, resource: &str) -> ConditionContext {
        let resource = Resource::Arn(resource);
        tests::context(engine, who).conditions("dynamodb:ListTables", &resource, &ConditionContext::default())
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
    #[case("aws:UserAgent", "test")]
    #[case("aws:ViaAWSService", "false")]
    #[case("aws:username", "kmslab-admin")]
    fn keys_of_every_request(#[case] key: &str, #[case] value: &str) {
        let (mut engine, admin) = engine();
        let context = conditions(&mut engine, &admin, "*");
        assert_eq!(context.get(key).unwrap(), [value]);
        assert!(context.get("aws:userid").is_some());
        // And these only in an organization, with temporary credentials or through a service.
        for absent in ["aws:PrincipalOrgID", "aws:TokenIssueTime", "aws:CalledVia", "aws:PrincipalServiceName"] {
            assert!(context.get(absent).is_none(), "{absent}");
        }
    }

    #[test]
    fn the_account_of_a_resource_is_its_own() {
        let (mut engine, admin) = engine();
        let context = conditions(&mut engine, &admin, "arn:aws:kms:us-east-1:444455556666:key/1");
        assert_eq!(context.get("aws:ResourceAccount").unwrap(), ["444455556666"]);
    }

    #[test]
    fn only_changes_move_a_seeded_clock() {
        let (mut engine, context) = engine();
        let mut run = |operation, input: Value| {
            let before = engine.account.state.clock.now();
            let body = input.to_string();
            let call = Call { service: Service::Kms, operation, form: Form::default(), body: body.as_bytes() };
            let caller = tests::context(&mut engine, &context).caller;
            let entropy = engine.next_entropy("test");
            let worked = engine.call(caller, entropy, call).is_ok();
            (worked, (engine.account.state.clock.now() - before).whole_seconds())
        };
        assert_eq!(run("CreateKey", json!({})), (true, 1));
        assert_eq!(run("ListKeys", json!({})), (true, 0));
        assert_eq!(run("DisableKey", json!({ "KeyId": "alias/none" })), (false, 0));
    }
}
