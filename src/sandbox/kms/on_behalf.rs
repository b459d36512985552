//! KMS as another service of AWS sees it: DynamoDB calling on its caller's behalf, or for itself.
//!
//! The principal's permissions decide, with `kms:ViaService` and `kms:CallerAccount` set. Every
//! call, a principal's own ones too, is written to the trail in CloudTrail's shape, whether it succeeded or not.

use serde_json::{Map, Value, json};

use super::authorise::{Ask, Caller, Env, Naming, Options, Via};
use super::ciphertext::{Blob, EncryptionContext};
use super::grants::NewGrant;
use super::model::{Alias, Key, KeyManager, KeyRecord, KeyState, MaterialOrigin, Rotation, SYMMETRIC_DEFAULT};
use super::persist::{self, DAY};
use super::reference::Home;
use super::{Kms, errors, policies};
use crate::policy::{GrantConstraints, Principal};
use crate::sandbox::crypto::Key256;
use crate::sandbox::engine::{Host, RequestContext};
use crate::sandbox::error::Fault;
use crate::sandbox::iam::Iam;
use crate::sandbox::service::Service;
use crate::sandbox::trail::{Resource, TrailEvent, UserIdentity, Verdict, parameters};

/// A service calling KMS on a principal's behalf.
#[derive(Debug, Clone, Copy)]
pub struct OnBehalf<'a> {
    /// The request that makes the service call.
    pub ctx: &'a RequestContext,
    /// The caller, or the service itself.
    pub principal: &'a Principal,
    /// `dynamodb.us-east-1.amazonaws.com`
    pub via_service: &'a str,
    /// `dynamodb.amazonaws.com`
    pub invoked_by: &'a str,
}

/// A data key, plain and encrypted.
#[derive(Debug)]
pub struct DataKey {
    /// The KMS key.
    pub key_arn: String,
    /// The key itself: 256 bits.
    pub plaintext: Key256,
    /// The key encrypted under the KMS key.
    pub ciphertext: Vec<u8>,
}

/// What `DescribeKey` tells a service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyFacts {
    /// The full ARN.
    pub arn: String,
    /// A uuid.
    pub key_id: String,
    /// What the key can do at the moment.
    pub state: KeyState,
    /// `CUSTOMER` or `AWS`.
    pub manager: String,
    /// `SYMMETRIC_DEFAULT`
    pub spec: String,
}

/// A service's call to KMS that failed.
#[derive(Debug, Clone, PartialEq)]
pub struct FailedCall {
    /// KMS's answer.
    pub error: Fault,
    /// The request id of the call, as in the trail: services quote it in their own error.
    pub request_id: String,
}

/// The trail keeps no longer names and messages: what was sent may be no name at all.
const LONGEST_NAME: usize = 2048;
/// Nor longer encryption contexts, in bytes of JSON.
const LONGEST_CONTEXT: usize = 8192;

impl OnBehalf<'_> {
    fn caller(&self) -> Caller<'_> {
        let via = Via { service: self.via_service, invoked_by: self.invoked_by };
        Caller { ctx: self.ctx, principal: self.principal, via: Some(via) }
    }

    fn identity(&self) -> UserIdentity {
        let invoked_by = Some(self.invoked_by.to_owned());
        let principal = self.principal;
        if principal.is_service() {
            let kind = "AWSService".to_owned();
            return UserIdentity { kind, principal_id: None, arn: None, account_id: None, user_name: None, invoked_by };
        }
        UserIdentity { invoked_by, ..identity_of(principal) }
    }
}

/// What the trail will say of a call.
struct Observed<'a> {
    name: &'static str,
    parameters: Map<String, Value>,
    /// The `KeyId` of the call, for the trail's `resources`.
    key: &'a str,
}

impl<'a> Observed<'a> {
    fn new(name: &'static str, key: &'a str, context: Option<&EncryptionContext>) -> Self {
        Self { name, parameters: context.map(parameters).unwrap_or_default(), key }
    }

    fn with(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.parameters.insert(name.to_owned(), value.into());
        self
    }
}

impl Kms {
    /// `GenerateDataKey`, 256 bits.
    ///
    /// # Errors
    /// As the operation's.
    pub fn generate_data_key(
        &mut self,
        host: &mut Host,
        iam: &Iam,
        on: &OnBehalf,
        key: &str,
        context: &EncryptionContext,
    ) -> Result<DataKey, FailedCall> {
        let observed =
            Observed::new("GenerateDataKey", key, Some(context)).with("keyId", key).with("keySpec", "AES_256");
        self.observe(host, iam, on, observed, |kms, env| {
            let ask =
                Ask::to("kms:GenerateDataKey").context(context).fact("kms:EncryptionAlgorithm", SYMMETRIC_DEFAULT);
            let key = kms.usable(env, key, &ask)?;
            let plaintext = Key256::generate(&mut env.host.entropy);
            let ciphertext = key.encrypt(env.host, context, plaintext.expose());
            Ok(DataKey { key_arn: key.record.arn.clone(), plaintext, ciphertext })
        })
    }

    /// `Decrypt` of a 256-bit data key; the blob names the KMS key.
    ///
    /// # Errors
    /// As the operation's; `InvalidCiphertextException` also when what was encrypted is not a
    /// 256-bit key.
    pub fn decrypt(
        &mut self,
        host: &mut Host,
        iam: &Iam,
        on: &OnBehalf,
        ciphertext: &[u8],
        context: &EncryptionContext,
    ) -> Result<Key256, FailedCall> {
        let key = Blob::parse(ciphertext).map(|blob| blob.key_id()).unwrap_or_default();
        let observed = Observed::new("Decrypt", &key, Some(context)).with("encryptionAlgorithm", SYMMETRIC_DEFAULT);
        self.observe(host, iam, on, observed, |kms, env| {
            let facts = [("kms:EncryptionAlgorithm", SYMMETRIC_DEFAULT.to_owned())];
            let (_, opened) = kms.open_blob(env, ciphertext, None, "kms:Decrypt", context, &facts)?;
            Key256::from_bytes(&opened.plaintext).ok_or_else(errors::invalid_ciphertext)
        })
    }

    /// `DescribeKey`.
    ///
    /// # Errors
    /// As the operation's.
    pub fn describe_key(
        &mut self,
        host: &mut Host,
        iam: &Iam,
        on: &OnBehalf,
        key: &str,
    ) -> Result<KeyFacts, FailedCall> {
        let observed = Observed::new("DescribeKey", key, None).with("keyId", key);
        self.observe(host, iam, on, observed, |kms, env| {
            let id = kms.permitted(env, key, Naming::Any, &Ask::to("kms:DescribeKey"))?;
            let record = &kms.key(&id)?.record;
            Ok(KeyFacts {
                arn: record.arn.clone(),
                key_id: id,
                state: record.state,
                manager: record.manager.to_string(),
                spec: SYMMETRIC_DEFAULT.to_owned(),
            })
        })
    }

    /// `CreateGrant` to a service, which may also retire it, for calls whose encryption context has at least these
    /// pairs; the grant's id.
    ///
    /// # Errors
    /// As the operation's.
    #[expect(
        clippy::too_many_arguments,
        reason = "what every call of a service brings, and the grant's own three parts"
    )]
    pub fn create_grant(
        &mut self,
        host: &mut Host,
        iam: &Iam,
        on: &OnBehalf,
        key: &str,
        grantee: &str,
        operations: &[&str],
        context: &EncryptionContext,
    ) -> Result<String, FailedCall> {
        let observed = Observed::new("CreateGrant", key, None)
            .with("keyId", key)
            .with("granteePrincipal", grantee)
            .with("retiringPrincipal", grantee)
            .with("operations", operations.to_vec())
            .with("constraints", json!({ "encryptionContextSubset": context }));
        self.observe(host, iam, on, observed, |kms, env| {
            let new = NewGrant {
                grantee: grantee.to_owned(),
                retiring: Some(grantee.to_owned()),
                operations: operations.iter().map(|&operation| operation.to_owned()).collect(),
                constraints: Some(GrantConstraints::EncryptionContextSubset(context.clone())),
                name: None,
            };
            let options = Options { grant_tokens: Vec::new(), dry_run: false };
            Ok(kms.grant(env, key, Naming::Any, new, &options)?.grant_id)
        })
    }

    /// Whether the creator of a table may use its key. CreateTable fails for one who may neither encrypt nor decrypt with
    /// it (aws-cdk issue 18616).
    ///
    /// Not proven: how AWS finds out, and which action its message names. Both are decided here and nowhere else. While
    /// the creator may, nothing shows in the trail, since AWS's documents list no such call.
    ///
    /// # Errors
    /// `AccessDeniedException`.
    pub fn check_creator(
        &mut self,
        host: &mut Host,
        iam: &Iam,
        on: &OnBehalf,
        key_arn: &str,
        context: &EncryptionContext,
    ) -> Result<(), FailedCall> {
        const NAMED: (&str, &str) = ("Decrypt", "kms:Decrypt");
        let ask = |action| Ask::to(action).context(context).fact("kms:EncryptionAlgorithm", SYMMETRIC_DEFAULT);
        let env = Env { host: &mut *host, iam, caller: on.caller() };
        if ["kms:Encrypt", "kms:Decrypt"].iter().any(|action| self.would_permit(&env, key_arn, &ask(action))) {
            return Ok(());
        }
        let observed = Observed::new(NAMED.0, key_arn, Some(context)).with("keyId", key_arn);
        self.observe(host, iam, on, observed, |kms, env| {
            kms.permitted(env, key_arn, Naming::Any, &ask(NAMED.1)).map(drop)
        })
    }

    /// `RetireGrant`.
    ///
    /// # Errors
    /// As the operation's.
    pub fn retire_grant(
        &mut self,
        host: &mut Host,
        iam: &Iam,
        on: &OnBehalf,
        key_arn: &str,
        grant_id: &str,
    ) -> Result<(), FailedCall> {
        let observed = Observed::new("RetireGrant", key_arn, None).with("keyId", key_arn).with("grantId", grant_id);
        self.observe(host, iam, on, observed, |kms, env| {
            let id = kms.existing(env, key_arn)?;
            kms.retire(env, &id, grant_id, &Options { grant_tokens: Vec::new(), dry_run: false })
        })
    }

    /// A key's state, without asking for permission; `None` when there is no such key. It is the state as of the last
    /// call to KMS: a key whose deletion date has passed since still shows as pending.
    pub fn key_state(&self, arn: &str) -> Option<KeyState> {
        let id = arn.rsplit_once(":key/").map_or(arn, |(_, id)| id);
        self.keys.get(id).map(|key| key.record.state)
    }

    /// The ARN of the key behind `alias/aws/<service>`, which is made the first time it is needed.
    ///
    /// # Errors
    /// When the store can't be written.
    pub fn aws_managed_key(&mut self, host: &mut Host, service: &str) -> Result<String, Fault> {
        let alias = format!("alias/aws/{service}");
        if let Some(key) = self.aliases.get(&alias).and_then(|alias| self.keys.get(&alias.key_id)) {
            return Ok(key.record.arn.clone());
        }
        let id = host.entropy.uuid();
        let arn = Home { account: &host.account, region: &host.region }.key_arn(&id.to_string());
        let now = host.clock.epoch_seconds();
        let record = KeyRecord {
            id,
            arn: arn.clone(),
            account: host.account.clone(),
            description: format!("Default key that protects my {service} data when no other key is defined"),
            created: now,
            state: KeyState::Enabled,
            deletion_date: None,
            manager: KeyManager::Aws,
            policy: policies::aws_managed_policy(&host.account, &host.region, service),
            tags: Vec::new(),
            rotation: Some(Rotation { period_days: 365, next: now + 365.0 * DAY }),
        };
        let material = persist::new_material(host, now, MaterialOrigin::First);
        let key = Key::new(record, vec![material], Vec::new())
            .map_err(|error| errors::malformed_policy(error.to_string()))?;
        let key_id = key.id();
        self.add_key(host, key)?;
        self.put_alias(host, Alias { name: alias, key_id, created: now, updated: now })?;
        Ok(arn)
    }

    fn observe<T>(
        &mut self,
        host: &mut Host,
        iam: &Iam,
        on: &OnBehalf,
        observed: Observed,
        run: impl FnOnce(&mut Self, &mut Env) -> Result<T, Fault>,
    ) -> Result<T, FailedCall> {
        if let Err(error) = self.catch_up(host) {
            return Err(FailedCall { error: error.into(), request_id: host.entropy.uuid().to_string() });
        }
        let mut env = Env { host, iam, caller: on.caller() };
        // Before the call: a retired grant or a rejected key must still be findable for the record.
        let resource = self.existing(&env, observed.key).ok().map(|id| env.home().key_arn(&id));
        let result = run(self, &mut env);
        let request_id = env.host.entropy.uuid().to_string();
        let sender = Sender {
            identity: on.identity(),
            source: on.invoked_by,
            agent: on.invoked_by,
            request_id: &request_id,
            caused_by: Some(&on.ctx.answer_id),
        };
        let event = event(env.host, sender, observed, resource, result.as_ref().err());
        env.host.trail.push(event);
        result.map_err(|error| FailedCall { error, request_id })
    }

    /// The caller's own call, for the trail: what it was about, and never what it carried or brought back.
    pub(super) fn observe_direct(
        &mut self,
        env: &mut Env,
        operation: &'static str,
        input: &Value,
        run: impl FnOnce(&mut Self, &mut Env) -> Result<Value, Fault>,
    ) -> Result<Value, Fault> {
        let key = ["KeyId", "TargetKeyId"].iter().find_map(|member| input.get(member)?.as_str());
        let mut observed = Observed::new(operation, key.unwrap_or_default(), None);
        for (member, name) in [("KeyId", "keyId"), ("TargetKeyId", "targetKeyId"), ("AliasName", "aliasName")] {
            if let Some(text) = input.get(member).and_then(Value::as_str).filter(|text| text.len() <= LONGEST_NAME) {
                observed = observed.with(name, text);
            }
        }
        if let Some(context) = input.get("EncryptionContext").filter(|it| it.to_string().len() <= LONGEST_CONTEXT) {
            observed = observed.with("encryptionContext", context.clone());
        }
        let before = self.existing(env, observed.key).ok();
        let result = run(self, env);
        // A new key is known only now.
        let made = result.as_ref().ok().and_then(|output| output.pointer("/KeyMetadata/KeyId")?.as_str());
        let resource = before.or_else(|| made.map(str::to_owned)).map(|id| env.home().key_arn(&id));
        let ctx = env.caller.ctx;
        let sender = Sender {
            identity: identity_of(&ctx.principal),
            source: &ctx.source_ip,
            agent: &ctx.user_agent,
            request_id: &ctx.answer_id,
            caused_by: None,
        };
        let event = event(env.host, sender, observed, resource, result.as_ref().err());
        env.host.trail.push(event);
        result
    }
}

/// Who made a call, from where, and in which request.
struct Sender<'a> {
    identity: UserIdentity,
    source: &'a str,
    agent: &'a str,
    request_id: &'a str,
    caused_by: Option<&'a str>,
}

/// CloudTrail's `userIdentity` of somebody who is no service.
fn identity_of(principal: &Principal) -> UserIdentity {
    UserIdentity {
        kind: if principal.is_root() { "Root" } else { "IAMUser" }.to_owned(),
        principal_id: Some(principal.unique_id.clone()),
        arn: Some(principal.arn.clone()),
        account_id: Some(principal.account.clone()),
        user_name: principal.user_name.clone(),
        invoked_by: None,
    }
}

fn event(
    host: &mut Host,
    sender: Sender,
    observed: Observed,
    resource: Option<String>,
    error: Option<&Fault>,
) -> TrailEvent {
    let verdict = match error {
        None => Verdict::Allowed,
        Some(Fault::Denied(_)) => Verdict::Denied,
        Some(_) => Verdict::Failed,
    };
    let as_resource = |arn| Resource { arn, kind: "AWS::KMS::Key".to_owned(), account_id: host.account.clone() };
    let resources = resource.into_iter().map(as_resource).collect();
    TrailEvent {
        event_time: host.timestamp(),
        event_source: "kms.amazonaws.com".to_owned(),
        event_name: observed.name.to_owned(),
        user_identity: sender.identity,
        aws_region: host.region.clone(),
        source_ip_address: sender.source.to_owned(),
        user_agent: sender.agent.to_owned(),
        request_parameters: observed.parameters,
        resources,
        error_code: error.map(|error| error.code(Service::Kms).to_owned()),
        // Some quote what was sent.
        error_message: error.and_then(|error| Some(error.message(Service::Kms)?.chars().take(LONGEST_NAME).collect())),
        event_id: host.entropy.uuid().to_string(),
        request_id: sender.request_id.to_owned(),
        caused_by: sender.caused_by.map(str::to_owned),
        verdict,
    }
}
