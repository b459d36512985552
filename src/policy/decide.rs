//! How AWS combines policies and grants (IAM guide, KMS guide).

use std::collections::BTreeMap;

use super::document::{Effect, Selector};
use super::evaluate::{NamedPolicy, evaluate_grant, evaluate_policies};
use super::grant::Grant;
use super::principal::PrincipalName;
use super::request::AccessRequest;
use super::trace::{Decision, MatchResult, Missing, Outcome, PolicySource, StatementTrace};

/// Decides a call for which only identity policies count: DynamoDB, IAM, and the KMS actions that concern no key (`CreateKey`,
/// `ListKeys`, `ListAliases`). An explicit deny wins, then an allow, else nobody allows it.
pub fn decide(request: &AccessRequest<'_>, identity: &[NamedPolicy]) -> Decision {
    decide_within(request, identity, &Limits::default())
}

/// Decides the same for a caller with `limits`: they have to allow the call, too.
pub fn decide_within(request: &AccessRequest<'_>, identity: &[NamedPolicy], limits: &Limits) -> Decision {
    let own = evaluate_policies(request, identity);
    let limited = limits.evaluate(request);
    let denied = matching(&own, denies).or_else(|| limited.denial());
    let outcome = match (denied, matching(&own, allows), limited.missing()) {
        (Some((by, sid)), ..) => Outcome::ExplicitDeny { by, sid },
        (None, None, _) => Outcome::ImplicitDeny { missing: Missing::IdentityPolicy },
        (None, Some(_), Some(missing)) => Outcome::ImplicitDeny { missing },
        (None, Some((by, sid)), None) => Outcome::Allowed { by, sid, via_account: false },
    };
    Decision { outcome, trace: limited.after(own) }
}

/// Decides a KMS action on a key.
///
/// An explicit deny anywhere wins. Else it is allowed if (a) the key policy allows this principal directly, or (b) the
/// key policy allows the principal's account and an identity policy allows the action, or (c) a grant covers it. An
/// identity policy alone is never enough (KMS guide). A principal of another account needs its own identity policy's allow
/// beside (a) or (c).
pub fn decide_for_key(
    request: &AccessRequest<'_>,
    key_policy: &NamedPolicy,
    key_account: &str,
    identity: &[NamedPolicy],
    grants: &[Grant],
    encryption_context: &BTreeMap<String, String>,
) -> Decision {
    let resource = ResourceSide { policy: key_policy, account: key_account, grants, encryption_context };
    decide_for_resource(request, &resource, identity, &Limits::default())
}

/// What the owner of a resource allows: a KMS key's policy and grants, or a role's trust policy.
#[derive(Debug, Clone, Copy)]
pub struct ResourceSide<'a> {
    /// The resource's own policy.
    pub policy: &'a NamedPolicy,
    /// The account that owns it.
    pub account: &'a str,
    /// The key's grants.
    pub grants: &'a [Grant],
    /// The request's encryption context.
    pub encryption_context: &'a BTreeMap<String, String>,
}

/// Decides as [`decide_for_key`] for a caller with `limits`. They don't limit what the resource gives to a user, or to a
/// role session that it names by the session's own ARN. What it gives to a role, they limit (IAM guide, "Policy
/// evaluation logic").
pub fn decide_for_resource(
    request: &AccessRequest<'_>,
    resource: &ResourceSide<'_>,
    identity: &[NamedPolicy],
    limits: &Limits,
) -> Decision {
    let of_policy = evaluate_policies(request, std::slice::from_ref(resource.policy));
    let own = evaluate_policies(request, identity);
    let grants = resource.grants.iter().enumerate();
    let of_grants: Vec<StatementTrace> =
        grants.map(|(index, grant)| evaluate_grant(request, grant, index, resource.encryption_context)).collect();
    let limited = limits.evaluate(request);
    let denied = matching(&of_policy, denies).or_else(|| matching(&own, denies)).or_else(|| limited.denial());
    let outcome = match denied {
        Some((by, sid)) => Outcome::ExplicitDeny { by, sid },
        None => {
            let is_unlimited = |examined: &StatementTrace| {
                allows(examined) && (request.principal.role.is_none() || names_session(request, resource, examined))
            };
            let unlimited = matching(&of_policy, is_unlimited).or_else(|| matching(&of_grants, is_unlimited));
            let missing = limited.missing().filter(|_| unlimited.is_none());
            let direct = unlimited.or_else(|| matching(&of_policy, allows)).or_else(|| matching(&of_grants, allows));
            let delegated = of_policy.iter().chain(&of_grants).any(delegates);
            let foreign = !request.principal.is_service() && request.principal.account != resource.account;
            let outcome = match (direct, matching(&own, allows)) {
                (Some((by, sid)), _) if !foreign => Outcome::Allowed { by, sid, via_account: false },
                (Some((by, sid)), Some(_)) => Outcome::Allowed { by, sid, via_account: false },
                (None, Some((by, sid))) if delegated => Outcome::Allowed { by, sid, via_account: true },
                (Some(_), None) => Outcome::ImplicitDeny { missing: Missing::IdentityPolicy },
                (None, None) if delegated => Outcome::ImplicitDeny { missing: Missing::IdentityPolicy },
                (None, _) => Outcome::ImplicitDeny { missing: Missing::ResourcePolicy },
            };
            match (outcome, missing) {
                (Outcome::Allowed { .. }, Some(missing)) => Outcome::ImplicitDeny { missing },
                (outcome, _) => outcome,
            }
        }
    };
    let trace = of_policy.into_iter().chain(own).chain(of_grants).collect();
    Decision { outcome, trace: limited.after(trace) }
}

/// Whether a statement or grant that allows the call names the caller's session, and not only its role or everybody.
fn names_session(request: &AccessRequest<'_>, resource: &ResourceSide<'_>, examined: &StatementTrace) -> bool {
    let session = &request.principal.arn;
    if matches!(examined.source, PolicySource::Grant { .. }) {
        return resource.grants.get(examined.statement).is_some_and(|grant| grant.grantee_principal == *session);
    }
    let statement = resource.policy.document.statements.get(examined.statement);
    match statement.and_then(|statement| statement.principal.as_ref()) {
        Some(Selector::Only(names)) => {
            names.iter().any(|name| matches!(name, PrincipalName::Aws(arn) if arn == session))
        }
        _ => false,
    }
}

/// What limits a caller beside its identity policies.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Limits {
    /// The permissions boundary.
    pub boundary: Option<NamedPolicy>,
    /// The session's policies. None at all is no limit.
    pub session: Vec<NamedPolicy>,
}

/// The limits' statements against a request; `None` for a limit that the caller doesn't have.
struct Limited {
    boundary: Option<Vec<StatementTrace>>,
    session: Option<Vec<StatementTrace>>,
}

impl Limits {
    fn evaluate(&self, request: &AccessRequest<'_>) -> Limited {
        let boundary = self.boundary.as_ref();
        let session = Some(&self.session).filter(|session| !session.is_empty());
        Limited {
            boundary: boundary.map(|boundary| evaluate_policies(request, std::slice::from_ref(boundary))),
            session: session.map(|session| evaluate_policies(request, session)),
        }
    }
}

impl Limited {
    fn denial(&self) -> Option<(PolicySource, Option<String>)> {
        [&self.boundary, &self.session].into_iter().flatten().find_map(|trace| matching(trace, denies))
    }

    /// The first limit that doesn't allow the call.
    fn missing(&self) -> Option<Missing> {
        let lacks = |trace: &Option<Vec<StatementTrace>>| trace.as_ref().is_some_and(|trace| !trace.iter().any(allows));
        if lacks(&self.boundary) {
            Some(Missing::PermissionsBoundary)
        } else {
            lacks(&self.session).then_some(Missing::SessionPolicy)
        }
    }

    /// Adds its statements to the end of a trace.
    fn after(self, mut trace: Vec<StatementTrace>) -> Vec<StatementTrace> {
        trace.extend([self.boundary, self.session].into_iter().flatten().flatten());
        trace
    }
}

fn denies(statement: &StatementTrace) -> bool {
    statement.effect == Effect::Deny && statement.result == MatchResult::Matched
}

fn allows(statement: &StatementTrace) -> bool {
    statement.effect == Effect::Allow && statement.result == MatchResult::Matched
}

fn delegates(statement: &StatementTrace) -> bool {
    statement.result == MatchResult::DelegatesToAccount
}

/// Returns the smallest of the statements that `is_wanted` accepts, not the first: the order of statements and policies
/// must not change which one is named.
fn matching(
    trace: &[StatementTrace],
    is_wanted: impl Fn(&StatementTrace) -> bool,
) -> Option<(PolicySource, Option<String>)> {
    let named =
        trace.iter().filter(|statement| is_wanted(statement)).map(|statement| (&statement.source, &statement.sid));
    named.min().map(|(source, sid)| (source.clone(), sid.clone()))
}
