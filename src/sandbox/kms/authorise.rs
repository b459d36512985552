//! May this principal do this to this key? Everything that goes into the question, and the record of the answer.

use serde_json::Value;

use super::ciphertext::EncryptionContext;
use super::input::Members;
use super::model::{ENCRYPT_DECRYPT, Key, SYMMETRIC_DEFAULT};
use super::reference::{Home, Reference};
use super::{Kms, errors, grants};
use crate::policy::{
    self, AccessRequest, ConditionContext, Decision, Grant, Missing, NamedPolicy, Outcome, PolicySource, Principal,
};
use crate::sandbox::engine::{Host, RequestContext};
use crate::sandbox::error::Fault;
use crate::sandbox::iam::Iam;
use crate::sandbox::trail::DecisionRecord;

/// What an operation works with besides KMS's own state.
pub struct Env<'a> {
    pub host: &'a mut Host,
    pub iam: &'a Iam,
    pub caller: Caller<'a>,
}

impl Env<'_> {
    pub fn home(&self) -> Home<'_> {
        Home { account: &self.host.account, region: &self.host.region }
    }
}

/// Who calls, and through which service if not directly.
#[derive(Clone, Copy)]
pub struct Caller<'a> {
    pub ctx: &'a RequestContext,
    pub principal: &'a Principal,
    pub via: Option<Via<'a>>,
}

/// The service that calls for somebody.
#[derive(Clone, Copy)]
pub struct Via<'a> {
    /// `kms:ViaService`, `dynamodb.us-east-1.amazonaws.com`.
    pub service: &'a str,
    /// `aws:CalledVia`, `dynamodb.amazonaws.com`.
    pub invoked_by: &'a str,
}

/// What is asked: the action, and the facts of the request that a policy's conditions can look at.
pub struct Ask<'a> {
    action: &'static str,
    context: Option<&'a EncryptionContext>,
    facts: Vec<(String, Vec<String>)>,
    of_ciphertext: bool,
}

impl<'a> Ask<'a> {
    pub fn to(action: &'static str) -> Self {
        Self { action, context: None, facts: Vec::new(), of_ciphertext: false }
    }

    /// The encryption context: `kms:EncryptionContext:…`, and what grants' constraints are compared with.
    pub fn context(mut self, context: &'a EncryptionContext) -> Self {
        self.context = Some(context);
        self
    }

    /// A condition key of this request.
    pub fn fact(mut self, key: &str, value: impl Into<String>) -> Self {
        self.facts.push((key.to_owned(), vec![value.into()]));
        self
    }

    /// A condition key with several values; none when there are no values.
    pub fn facts(mut self, key: &str, values: impl IntoIterator<Item = String>) -> Self {
        self.facts.push((key.to_owned(), values.into_iter().collect()));
        self
    }

    /// The key was named by a ciphertext and not by the caller, which changes the wording of a refusal.
    fn of_ciphertext(mut self) -> Self {
        self.of_ciphertext = true;
        self
    }
}

/// Which ways of naming a key an operation takes.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Naming {
    /// Key id, key ARN, alias name, alias ARN.
    Any,
    /// Key id or key ARN.
    KeyOnly,
}

/// What was permitted.
pub struct Permission {
    /// The key's id.
    pub id: String,
    /// The id of the grant that it rests on, when no policy allows it.
    pub grant: Option<String>,
}

/// What a `KeyId` turned out to name.
struct Found {
    /// The key's ARN, whether there is such a key or not.
    arn: String,
    /// `None`: no such key here.
    id: Option<String>,
    /// `kms:RequestAlias`
    alias: Option<String>,
    foreign: bool,
}

impl Kms {
    /// Finds the key a caller named and asks whether the caller may do `ask` to it. Gives the key's id.
    ///
    /// The order is AWS's: an alias that isn't there is `NotFoundException` for everybody; a key that isn't there is
    /// `NotFoundException` only for those whose identity policies would let them ask, else the caller is refused
    /// without learning whether it exists.
    pub(super) fn permitted(&self, env: &mut Env, key: &str, naming: Naming, ask: &Ask) -> Result<String, Fault> {
        self.permission(env, key, naming, ask).map(|permission| permission.id)
    }

    /// The same, and which policy or grant it was that allowed it.
    pub(super) fn permission(&self, env: &mut Env, key: &str, naming: Naming, ask: &Ask) -> Result<Permission, Fault> {
        let found = self.find(env, key, naming)?;
        self.decide(env, &found, ask)
    }

    /// The same for a key that a ciphertext named.
    pub(super) fn permitted_for_ciphertext(&self, env: &mut Env, key_id: &str, ask: Ask) -> Result<String, Fault> {
        let found = self.found(env, key_id.to_owned(), None);
        self.decide(env, &found, &ask.of_ciphertext()).map(|permission| permission.id)
    }

    /// The id of the key a caller named, without asking anybody.
    ///
    /// # Errors
    /// `NotFoundException`.
    pub(super) fn existing(&self, env: &Env, key: &str) -> Result<String, Fault> {
        let found = self.find(env, key, Naming::Any)?;
        found.id.ok_or_else(|| errors::no_such_key(&found.arn))
    }

    /// `kms:RetireGrant` is the grant's own to give: to its retiring principal, and to its grantee when the operation is
    /// among those granted. Policies can give it too, and an explicit deny takes it from everybody.
    pub(super) fn permitted_to_retire(&self, env: &mut Env, key_id: &str, grant: &Grant) -> Result<(), Fault> {
        let found = self.found(env, key_id.to_owned(), None);
        let key = self.key(key_id)?;
        let none = EncryptionContext::new();
        let conditions = self.conditions(env, &found, &Ask::to("kms:RetireGrant"));
        let identity = env.iam.policies_of(env.caller.principal);
        let call = AccessRequest {
            principal: env.caller.principal,
            action: "kms:RetireGrant",
            resource: &found.arn,
            context: &conditions,
        };
        let of_this = std::slice::from_ref(grant);
        let mut decision = policy::decide_for_key(&call, &key.policy, &key.record.account, &identity, of_this, &none);
        let retires = grant.retiring_principal.as_ref().is_some_and(|name| grants::names(name, call.principal));
        if retires && matches!(decision.outcome, Outcome::ImplicitDeny { .. }) {
            let by = PolicySource::Grant { grant_id: grant.grant_id.clone() };
            decision.outcome = Outcome::Allowed { by, sid: None, via_account: false };
        }
        record(env, &call, decision)
    }

    fn find(&self, env: &Env, key: &str, naming: Naming) -> Result<Found, Fault> {
        let home = env.home();
        match home.parse(key).map_err(errors::not_found)? {
            Reference::Key(id) => Ok(self.found(env, id, None)),
            Reference::Alias(_) if naming == Naming::KeyOnly => {
                Err(errors::not_found(format!("Invalid keyId '{key}'")))
            }
            Reference::Alias(name) => match self.aliases.get(&name) {
                Some(alias) => Ok(self.found(env, alias.key_id.clone(), Some(name))),
                None => Err(errors::no_such_alias(&home.alias_arn(&name))),
            },
            Reference::Foreign(arn) => Ok(Found { arn, id: None, alias: None, foreign: true }),
        }
    }

    fn found(&self, env: &Env, id: String, alias: Option<String>) -> Found {
        let arn = env.home().key_arn(&id);
        Found { arn, id: self.keys.contains_key(&id).then_some(id), alias, foreign: false }
    }

    fn decide(&self, env: &mut Env, found: &Found, ask: &Ask) -> Result<Permission, Fault> {
        let conditions = self.conditions(env, found, ask);
        let identity = env.iam.policies_of(env.caller.principal);
        let call = AccessRequest {
            principal: env.caller.principal,
            action: ask.action,
            resource: &found.arn,
            context: &conditions,
        };
        if let Some(key) = found.id.as_ref().and_then(|id| self.keys.get(id)) {
            let decision = judge(&call, key, &identity, ask);
            let by = match &decision.outcome {
                Outcome::Allowed { by: PolicySource::Grant { grant_id }, .. } => Some(grant_id.clone()),
                _ => None,
            };
            return record(env, &call, decision).map(|()| Permission { id: key.id(), grant: by });
        }
        let mut decision = policy::decide(&call, &identity);
        if found.foreign && decision.is_allowed() {
            decision.outcome = Outcome::ImplicitDeny { missing: Missing::ResourcePolicy };
        }
        match record(env, &call, decision) {
            Ok(()) if !ask.of_ciphertext => Err(errors::no_such_key(&found.arn)),
            // A ciphertext's key that is gone is not told apart from one the caller may not use (issue threads).
            _ => Err(errors::access_denied(format!(
                "User: {} is not authorized to perform: {} on {} because the resource does not exist in this Region, no \
                 resource-based policies allow access, or a resource-based policy explicitly denies access",
                call.principal.arn,
                call.action,
                if ask.of_ciphertext { "the resource associated with this ciphertext" } else { "this resource" },
            ))),
        }
    }

    /// Whether a call would be permitted. Nothing is recorded.
    pub(super) fn would_permit(&self, env: &Env, key: &str, ask: &Ask) -> bool {
        let Ok(found) = self.find(env, key, Naming::Any) else { return false };
        let Some(key) = found.id.as_ref().and_then(|id| self.keys.get(id)) else { return false };
        let conditions = self.conditions(env, &found, ask);
        let identity = env.iam.policies_of(env.caller.principal);
        let call = AccessRequest {
            principal: env.caller.principal,
            action: ask.action,
            resource: &found.arn,
            context: &conditions,
        };
        judge(&call, key, &identity, ask).is_allowed()
    }

    fn conditions(&self, env: &Env, found: &Found, ask: &Ask) -> ConditionContext {
        let mut conditions = env.caller.conditions(env.host, &found.arn);
        if let Some(key) = found.id.as_ref().and_then(|id| self.keys.get(id)) {
            self.describe(key, &mut conditions);
        }
        if let Some(alias) = &found.alias {
            conditions.set("kms:RequestAlias", alias.as_str());
        }
        for (key, value) in ask.context.into_iter().flatten() {
            conditions.set(&format!("kms:EncryptionContext:{key}"), value.as_str());
            conditions.add("kms:EncryptionContextKeys", key.as_str());
        }
        add_facts(&mut conditions, ask);
        conditions
    }

    /// The condition keys that describe the key itself.
    fn describe(&self, key: &Key, conditions: &mut ConditionContext) {
        conditions.set("kms:KeySpec", SYMMETRIC_DEFAULT);
        conditions.set("kms:CustomerMasterKeySpec", SYMMETRIC_DEFAULT);
        conditions.set("kms:KeyUsage", ENCRYPT_DECRYPT);
        conditions.set("kms:CustomerMasterKeyUsage", ENCRYPT_DECRYPT);
        conditions.set("kms:KeyOrigin", "AWS_KMS");
        conditions.set("kms:MultiRegion", "false");
        let id = key.id();
        for alias in self.aliases.values().filter(|alias| alias.key_id == id) {
            conditions.add("kms:ResourceAliases", alias.name.as_str());
        }
        for tag in &key.record.tags {
            conditions.set(&format!("aws:ResourceTag/{}", tag.key), tag.value.as_str());
        }
    }
}

/// Puts the key's policy and grants and the caller's policies together.
fn judge(call: &AccessRequest, key: &Key, identity: &[NamedPolicy], ask: &Ask) -> Decision {
    let none = EncryptionContext::new();
    let context = ask.context.unwrap_or(&none);
    policy::decide_for_key(call, &key.policy, &key.record.account, identity, &key.grants, context)
}

/// Asks for an action that only identity policies decide: `kms:CreateKey`, the lists, and everything on an alias.
///
/// # Errors
/// `AccessDeniedException`.
pub fn permitted_by_identity(env: &mut Env, resource: &str, ask: &Ask) -> Result<(), Fault> {
    let mut conditions = env.caller.conditions(env.host, resource);
    add_facts(&mut conditions, ask);
    let identity = env.iam.policies_of(env.caller.principal);
    let call = AccessRequest { principal: env.caller.principal, action: ask.action, resource, context: &conditions };
    let decision = policy::decide(&call, &identity);
    record(env, &call, decision)
}

/// Whether the caller could still change the key policy if it were this one: the lockout safety check (KMS guide).
pub fn keeps_control(env: &Env, key_arn: &str, account: &str, policy: &NamedPolicy) -> bool {
    let conditions = env.caller.conditions(env.host, key_arn);
    let identity = env.iam.policies_of(env.caller.principal);
    let call = AccessRequest {
        principal: env.caller.principal,
        action: "kms:PutKeyPolicy",
        resource: key_arn,
        context: &conditions,
    };
    policy::decide_for_key(&call, policy, account, &identity, &[], &EncryptionContext::new()).is_allowed()
}

/// Writes the decision down, and turns a refusal into its error.
pub fn record(env: &mut Env, call: &AccessRequest, decision: Decision) -> Result<(), Fault> {
    let refusal = decision.message(call);
    env.host.decisions.push(DecisionRecord {
        request_id: env.caller.ctx.answer_id.clone(),
        principal: call.principal.arn.clone(),
        action: call.action.to_owned(),
        resource: call.resource.to_owned(),
        decision,
    });
    match refusal {
        None => Ok(()),
        Some(message) => Err(errors::access_denied(message)),
    }
}

fn add_facts(conditions: &mut ConditionContext, ask: &Ask) {
    for (key, values) in &ask.facts {
        for value in values {
            conditions.add(key, value.as_str());
        }
    }
}

impl Caller<'_> {
    /// The condition keys of every call to KMS.
    pub fn conditions(&self, host: &Host, resource: &str) -> ConditionContext {
        let via = self.via.map(|via| via.invoked_by);
        let mut conditions = self.ctx.conditions_as(host, self.principal, resource, via);
        let account = Some(&self.principal.account).filter(|account| !account.is_empty()).unwrap_or(&host.account);
        conditions.set("kms:CallerAccount", account.as_str());
        if let Some(via) = self.via {
            conditions.set("kms:ViaService", via.service);
        }
        conditions
    }
}

/// The members that authorisation itself reads from a request.
pub struct Options<'a> {
    /// `GrantTokens`, unchecked.
    pub grant_tokens: Vec<&'a str>,
    /// `DryRun`
    pub dry_run: bool,
}

impl<'a> Options<'a> {
    /// Reads `GrantTokens` and `DryRun`.
    pub fn read(members: &mut Members<'a>) -> Result<Self, Fault> {
        let grant_tokens = members.texts("GrantTokens")?;
        if grant_tokens.len() > 10 {
            let constraint = "Member must have length less than or equal to 10";
            members.violation(&Value::from(grant_tokens.clone()).to_string(), "GrantTokens", constraint);
        }
        Ok(Self { grant_tokens, dry_run: members.flag("DryRun")? })
    }

    /// The last step before the operation is done: a dry run ends here.
    pub fn proceed(&self) -> Result<(), Fault> {
        if self.dry_run { Err(errors::dry_run()) } else { Ok(()) }
    }
}

impl Kms {
    /// Grants are usable at once here, so tokens add nothing; one that was never handed out is refused all the same.
    ///
    /// # Errors
    /// `InvalidGrantTokenException`.
    pub(super) fn check_grant_tokens(&self, options: &Options) -> Result<(), Fault> {
        let known = |token: &&str| self.keys.values().flat_map(|key| &key.grants).any(|g| g.grant_token == **token);
        match options.grant_tokens.iter().find(|token| !known(token)) {
            None => Ok(()),
            Some(_) => Err(Fault::service(400, "InvalidGrantTokenException", "The grant token is not valid.")),
        }
    }
}
