//! May this caller do this to that? The only callers of the policy evaluator.

use super::context::Context;
use super::error::Denial;
use super::kms::ciphertext::EncryptionContext;
use super::kms::model::Key;
use super::log::DecisionRecord;
use crate::policy::{
    self, AccessRequest, ConditionContext, Decision, Grant, Missing, NamedPolicy, Outcome, PolicySource, Principal,
    ResourceSide, account_of,
};

/// What an action is about.
#[derive(Clone, Copy)]
pub enum Resource<'r> {
    /// Something without a policy of its own, by its ARN; `*` for an action that has no resource.
    Arn(&'r str),
    /// A table, by its ARN. A table of another account needs that account's consent, which it can't give here.
    Table(&'r str),
    /// A KMS key.
    Key {
        /// The key.
        key: &'r Key,
        /// The alias by which the request names it.
        alias: Option<&'r str>,
        /// The request's encryption context.
        encryption_context: Option<&'r EncryptionContext>,
    },
    /// A KMS key that doesn't exist, or belongs to another account.
    AbsentKey {
        /// The ARN that was named.
        arn: &'r str,
        /// Whether it belongs to another account.
        foreign: bool,
        /// The request's encryption context.
        encryption_context: Option<&'r EncryptionContext>,
    },
    /// A grant that is to be retired. Its retiring principal may do that without any policy, and so may its grantee if
    /// `RetireGrant` is among the operations granted. An explicit deny forbids it to both (KMS guide).
    Grant {
        /// The key of the grant.
        key: &'r Key,
        /// The grant.
        grant: &'r Grant,
    },
    /// A role that is to be assumed.
    Role {
        /// The role's ARN.
        arn: &'r str,
        /// Its trust policy; `None` for a role that doesn't exist, or belongs to another account.
        trust: Option<&'r NamedPolicy>,
    },
    /// A KMS key as it would be with another key policy.
    KeyWith {
        /// The key's ARN.
        arn: &'r str,
        /// The key policy to evaluate.
        policy: &'r NamedPolicy,
    },
}

/// What allowed a call.
#[derive(Debug)]
pub struct Allowed {
    /// The id of the grant, when no policy allows it.
    pub grant: Option<String>,
}

impl Resource<'_> {
    fn arn(&self) -> &str {
        match self {
            Self::Arn(arn)
            | Self::Table(arn)
            | Self::AbsentKey { arn, .. }
            | Self::Role { arn, .. }
            | Self::KeyWith { arn, .. } => arn,
            Self::Key { key, .. } | Self::Grant { key, .. } => &key.record.arn,
        }
    }
}

impl Context<'_> {
    /// Evaluates the caller's permission for `action` on `resource`, and records the decision. `facts` are the condition
    /// keys of the request beside the global ones.
    ///
    /// # Errors
    /// AWS's sentence, if the caller is not allowed.
    pub fn authorize(
        &mut self,
        action: &str,
        resource: Resource<'_>,
        facts: &ConditionContext,
    ) -> Result<Allowed, Denial> {
        let conditions = self.conditions(action, &resource, facts);
        let principal = &*self.caller.principal;
        let call = AccessRequest { principal, action, resource: resource.arn(), context: &conditions };
        let decision = self.decide(&call, &resource);
        let grant = match &decision.outcome {
            Outcome::Allowed { by: PolicySource::Grant { grant_id }, .. } => Some(grant_id.clone()),
            _ => None,
        };
        let denial = decision.message(&call).or_else(|| self.foreign_table(&call, &resource));
        self.account.decisions.push(DecisionRecord {
            request_id: self.caller.origin.request_id.clone(),
            principal: principal.arn.clone(),
            action: action.to_owned(),
            resource: resource.arn().to_owned(),
            decision,
        });
        denial.map_or(Ok(Allowed { grant }), |message| Err(Denial(message)))
    }

    /// Whether the caller would be allowed. Nothing is recorded.
    pub fn would_allow(&self, action: &str, resource: Resource<'_>, facts: &ConditionContext) -> bool {
        let context = self.conditions(action, &resource, facts);
        let call =
            AccessRequest { principal: &self.caller.principal, action, resource: resource.arn(), context: &context };
        self.decide(&call, &resource).is_allowed()
    }

    fn decide(&self, call: &AccessRequest<'_>, resource: &Resource<'_>) -> Decision {
        let none = EncryptionContext::new();
        match resource {
            Resource::Arn(_) | Resource::Table(_) => self.decide_alone(call),
            Resource::AbsentKey { foreign, .. } => {
                let mut decision = self.decide_alone(call);
                if *foreign && decision.is_allowed() {
                    decision.outcome = Outcome::ImplicitDeny { missing: Missing::ResourcePolicy };
                }
                decision
            }
            Resource::Key { key, encryption_context, .. } => {
                let encryption_context = encryption_context.unwrap_or(&none);
                let (policy, account, grants) = (&key.policy, &*key.record.account, &*key.grants);
                self.decide_with(call, &ResourceSide { policy, account, grants, encryption_context })
            }
            Resource::Grant { key, grant } => {
                let (policy, account, grants) = (&key.policy, &*key.record.account, std::slice::from_ref(*grant));
                let side = ResourceSide { policy, account, grants, encryption_context: &none };
                let mut decision = self.decide_with(call, &side);
                let retires = grant.retiring_principal.as_ref().is_some_and(|name| names(name, call.principal));
                if retires && matches!(decision.outcome, Outcome::ImplicitDeny { .. }) {
                    let by = PolicySource::Grant { grant_id: grant.grant_id.clone() };
                    decision.outcome = Outcome::Allowed { by, sid: None, via_account: false };
                }
                decision
            }
            Resource::KeyWith { policy, .. } => {
                let account = &self.account.id;
                self.decide_with(call, &ResourceSide { policy, account, grants: &[], encryption_context: &none })
            }
            Resource::Role { trust: Some(policy), .. } => {
                let account = &self.account.id;
                let side = ResourceSide { policy, account, grants: &[], encryption_context: &none };
                of_trust(self.decide_with(call, &side))
            }
            Resource::Role { trust: None, .. } => {
                let mut decision = self.decide_alone(call);
                if !matches!(decision.outcome, Outcome::ExplicitDeny { .. }) {
                    decision.outcome = Outcome::ImplicitDeny { missing: Missing::TrustPolicy };
                }
                decision
            }
        }
    }

    /// Decides by what the caller has.
    fn decide_alone(&self, call: &AccessRequest<'_>) -> Decision {
        policy::decide_within(call, &self.caller.permissions, &self.caller.limits)
    }

    /// Decides by what the caller has and what the resource's owner allows.
    fn decide_with(&self, call: &AccessRequest<'_>, resource: &ResourceSide<'_>) -> Decision {
        policy::decide_for_resource(call, resource, &self.caller.permissions, &self.caller.limits)
    }

    /// The denial for a table of another account, whose resource-based policy would have to allow the call.
    fn foreign_table(&self, call: &AccessRequest<'_>, resource: &Resource<'_>) -> Option<String> {
        let Resource::Table(arn) = resource else { return None };
        let foreign = arn.split(':').nth(4).is_some_and(|account| account != self.account.id);
        foreign.then(|| {
            format!(
                "User: {} is not authorized to perform: {} on resource: {arn} because no resource-based policy allows \
                 the {} action",
                call.principal.arn, call.action, call.action
            )
        })
    }

    /// The condition keys of a call: the global ones, KMS's own, and `facts`.
    pub(super) fn conditions(
        &self,
        action: &str,
        resource: &Resource<'_>,
        facts: &ConditionContext,
    ) -> ConditionContext {
        let (account, caller) = (&*self.account, &self.caller);
        let owner = account_of(resource.arn()).unwrap_or(&account.id);
        let mut conditions = ConditionContext::of_request(&caller.principal, owner, caller.via);
        match caller.via {
            // The call comes from the service's machines. Its callee doesn't see the caller's address.
            Some(service) => conditions.set("aws:UserAgent", service),
            None => {
                conditions.set("aws:UserAgent", &caller.origin.user_agent).set("aws:SourceIp", &caller.origin.source_ip)
            }
        };
        conditions.set("aws:RequestedRegion", &account.region);
        conditions.set("aws:CurrentTime", account.state.clock.timestamp());
        conditions.set("aws:EpochTime", account.state.clock.now().unix_timestamp().to_string());
        if action.starts_with("kms:") {
            self.add_kms_conditions(resource, &mut conditions);
        }
        conditions.merge(facts);
        conditions
    }

    fn add_kms_conditions(&self, resource: &Resource<'_>, conditions: &mut ConditionContext) {
        let caller_account = Some(&self.caller.principal.account).filter(|account| !account.is_empty());
        conditions.set("kms:CallerAccount", caller_account.unwrap_or(&self.account.id));
        if let Some(via) = self.caller.via {
            conditions.set("kms:ViaService", regional_name(via, &self.account.region));
        }
        let (key, context) = match resource {
            Resource::Key { key, encryption_context, .. } => (Some(*key), *encryption_context),
            Resource::Grant { key, .. } => (Some(*key), None),
            Resource::AbsentKey { encryption_context, .. } => (None, *encryption_context),
            _ => (None, None),
        };
        if let Some(key) = key {
            self.describe_key(key, conditions);
        }
        if let Resource::Key { alias: Some(alias), .. } = resource {
            conditions.set("kms:RequestAlias", *alias);
        }
        for (key, value) in context.into_iter().flatten() {
            conditions.set(&format!("kms:EncryptionContext:{key}"), value);
            conditions.add("kms:EncryptionContextKeys", key);
        }
    }

    /// The condition keys that describe the key itself.
    fn describe_key(&self, key: &Key, conditions: &mut ConditionContext) {
        let (spec, usage) = (key.record.spec.name(), key.record.usage.name());
        conditions.set("kms:KeySpec", spec).set("kms:CustomerMasterKeySpec", spec);
        conditions.set("kms:KeyUsage", usage).set("kms:CustomerMasterKeyUsage", usage);
        conditions.set("kms:KeyOrigin", "AWS_KMS").set("kms:MultiRegion", "false");
        let id = key.id();
        for alias in self.account.state.kms.aliases().filter(|alias| alias.key_id == id) {
            conditions.add("kms:ResourceAliases", &alias.name);
        }
        for tag in &key.record.tags {
            conditions.set(&format!("aws:ResourceTag/{}", tag.key), &tag.value);
        }
    }
}

/// A role's trust policy is its resource-based policy, and AWS has a name of its own for it.
fn of_trust(mut decision: Decision) -> Decision {
    if let Outcome::ImplicitDeny { missing } = &mut decision.outcome
        && *missing == Missing::ResourcePolicy
    {
        *missing = Missing::TrustPolicy;
    }
    decision
}

/// The decision about a call that nobody makes.
pub fn simulate(call: &AccessRequest<'_>, policies: &[NamedPolicy]) -> Decision {
    policy::decide(call, policies)
}

/// A service's regional name, `dynamodb.us-east-1.amazonaws.com`.
pub fn regional_name(service: &str, region: &str) -> String {
    service.replacen(".amazonaws.com", &format!(".{region}.amazonaws.com"), 1)
}

/// Whether `name` is a service principal, `dynamodb.us-east-1.amazonaws.com`.
pub fn is_service(name: &str) -> bool {
    name.ends_with(".amazonaws.com") && !name.contains(['/', ':', '*'])
}

/// Whether a grant's principal is this one. A service is the same in its global and its regional spelling.
fn names(granted: &str, principal: &Principal) -> bool {
    if principal.is_named(granted) {
        return true;
    }
    let service = |name: &str| name.split('.').next().unwrap_or_default().to_owned();
    principal.is_service() && is_service(granted) && service(granted) == service(&principal.arn)
}

/// Condition keys with one value each.
pub fn facts<const N: usize>(pairs: [(&str, &str); N]) -> ConditionContext {
    let mut facts = ConditionContext::default();
    for (key, value) in pairs {
        facts.set(key, value);
    }
    facts
}
