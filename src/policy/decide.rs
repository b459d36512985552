//! How AWS combines policies and grants (IAM guide, KMS guide).

use std::collections::BTreeMap;

use super::document::Effect;
use super::evaluate::{NamedPolicy, evaluate_grant, evaluate_policies};
use super::grant::Grant;
use super::request::AccessRequest;
use super::trace::{Decision, MatchResult, Missing, Outcome, PolicySource, StatementTrace};

/// Decides a call for which only identity policies count: DynamoDB, IAM, and the KMS actions that concern no key (`CreateKey`,
/// `ListKeys`, `ListAliases`). An explicit deny wins, then an allow, else nobody allows it.
pub fn decide(request: &AccessRequest<'_>, identity: &[NamedPolicy]) -> Decision {
    let trace = evaluate_policies(request, identity);
    let outcome = if let Some((by, sid)) = matching(&trace, denies) {
        Outcome::ExplicitDeny { by, sid }
    } else if let Some((by, sid)) = matching(&trace, allows) {
        Outcome::Allowed { by, sid, via_account: false }
    } else {
        Outcome::ImplicitDeny { missing: Missing::IdentityPolicy }
    };
    Decision { outcome, trace }
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
    let mut trace = evaluate_policies(request, std::slice::from_ref(key_policy));
    let of_key_policy = trace.len();
    trace.extend(evaluate_policies(request, identity));
    let of_policies = trace.len();
    let grants = grants.iter().enumerate();
    trace.extend(grants.map(|(index, grant)| evaluate_grant(request, grant, index, encryption_context)));
    let (key_trace, identity_trace, grant_trace) =
        (&trace[..of_key_policy], &trace[of_key_policy..of_policies], &trace[of_policies..]);

    let outcome = if let Some((by, sid)) = matching(key_trace, denies).or_else(|| matching(identity_trace, denies)) {
        Outcome::ExplicitDeny { by, sid }
    } else {
        let direct = matching(key_trace, allows).or_else(|| matching(grant_trace, allows));
        let delegated = key_trace.iter().chain(grant_trace).any(delegates);
        let own = matching(identity_trace, allows);
        let foreign = !request.principal.is_service() && request.principal.account != key_account;
        match (direct, own) {
            (Some((by, sid)), _) if !foreign => Outcome::Allowed { by, sid, via_account: false },
            (Some((by, sid)), Some(_)) => Outcome::Allowed { by, sid, via_account: false },
            (None, Some((by, sid))) if delegated => Outcome::Allowed { by, sid, via_account: true },
            (Some(_), None) => Outcome::ImplicitDeny { missing: Missing::IdentityPolicy },
            (None, None) if delegated => Outcome::ImplicitDeny { missing: Missing::IdentityPolicy },
            (None, _) => Outcome::ImplicitDeny { missing: Missing::ResourcePolicy },
        }
    };
    Decision { outcome, trace }
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
