//! How AWS puts policies together (IAM guide, KMS guide).

use std::collections::BTreeMap;
use std::sync::Arc;

use super::context::ConditionContext;
use super::document::{Effect, PolicyDocument, Selector, Statement};
use super::explain::{Decision, Examination, Examined, Mismatch, Missing, Outcome, PolicySource};
use super::grant::Grant;
use super::pattern::Pattern;
use super::principal::{Fit, Principal, PrincipalName};

/// A policy and where it came from. Cheap to clone: the document is shared.
#[derive(Debug, Clone, PartialEq)]
pub struct NamedPolicy {
    /// Where it came from.
    pub source: PolicySource,
    /// The parsed document.
    pub document: Arc<PolicyDocument>,
}

/// The question: may this principal do this to that?
#[derive(Debug, Clone, Copy)]
pub struct Call<'a> {
    /// Who asks.
    pub principal: &'a Principal,
    /// For example `kms:Decrypt`.
    pub action: &'a str,
    /// An ARN; `*` for an action that has no resource of its own (`kms:CreateKey`).
    pub resource: &'a str,
    /// What the conditions can see.
    pub context: &'a ConditionContext,
}

/// Decides where only identity policies count: DynamoDB, IAM, and the KMS actions that concern no key (`CreateKey`,
/// `ListKeys`, `ListAliases`). An explicit deny wins, then an allow, else nobody allows it.
pub fn decide(call: &Call<'_>, identity: &[NamedPolicy]) -> Decision {
    let trace = examine_policies(call, identity);
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
    call: &Call<'_>,
    key_policy: &NamedPolicy,
    key_account: &str,
    identity: &[NamedPolicy],
    grants: &[Grant],
    encryption_context: &BTreeMap<String, String>,
) -> Decision {
    let mut trace = examine_policies(call, std::slice::from_ref(key_policy));
    let of_key_policy = trace.len();
    trace.extend(examine_policies(call, identity));
    let of_policies = trace.len();
    trace.extend(grants.iter().enumerate().map(|(index, grant)| Examined {
        source: PolicySource::Grant { grant_id: grant.grant_id.clone() },
        statement: index,
        sid: grant.name.clone(),
        effect: Effect::Allow,
        result: grant.examine(call, encryption_context),
        json: Arc::new(grant.described()),
    }));
    let (key_trace, identity_trace, grant_trace) =
        (&trace[..of_key_policy], &trace[of_key_policy..of_policies], &trace[of_policies..]);

    let outcome = if let Some((by, sid)) = matching(key_trace, denies).or_else(|| matching(identity_trace, denies)) {
        Outcome::ExplicitDeny { by, sid }
    } else {
        let direct = matching(key_trace, allows).or_else(|| matching(grant_trace, allows));
        let delegated = key_trace.iter().chain(grant_trace).any(delegates);
        let own = matching(identity_trace, allows);
        let foreign = !call.principal.is_service() && call.principal.account != key_account;
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

fn denies(examined: &Examined) -> bool {
    examined.effect == Effect::Deny && examined.result == Examination::Matched
}

fn allows(examined: &Examined) -> bool {
    examined.effect == Effect::Allow && examined.result == Examination::Matched
}

fn delegates(examined: &Examined) -> bool {
    examined.result == Examination::DelegatesToAccount
}

/// Of several that fit the smallest, not the earliest: the order of statements and policies changes nothing, not even
/// which one is named.
fn matching(trace: &[Examined], fits: impl Fn(&Examined) -> bool) -> Option<(PolicySource, Option<String>)> {
    let named = trace.iter().filter(|examined| fits(examined)).map(|examined| (&examined.source, &examined.sid));
    named.min().map(|(source, sid)| (source.clone(), sid.clone()))
}

/// Looks at every statement, even after a deny was found: the trace is complete.
fn examine_policies(call: &Call<'_>, policies: &[NamedPolicy]) -> Vec<Examined> {
    let mut trace = Vec::with_capacity(policies.iter().map(|policy| policy.document.statements.len()).sum());
    for policy in policies {
        trace.extend(policy.document.statements.iter().enumerate().map(|(index, statement)| Examined {
            source: policy.source.clone(),
            statement: index,
            sid: statement.sid.clone(),
            effect: statement.effect,
            result: examine(call, statement),
            json: Arc::clone(&statement.json),
        }));
    }
    trace
}

fn examine(call: &Call<'_>, statement: &Statement) -> Examination {
    let mut mismatches = Vec::new();
    let fit = statement.principal.as_ref().map_or(Fit::Direct, |names| fit_of(names, statement.effect, call.principal));
    if fit == Fit::None
        && let Some(selector) = &statement.principal
    {
        mismatches.push(Mismatch::Principal {
            wanted: selector.entries().iter().map(|name| name.text().to_owned()).collect(),
            negated: selector.is_negated(),
            caller: call.principal.arn.clone(),
        });
    }
    if !statement.actions.selects(|pattern| pattern.matches(call.action, call.context)) {
        mismatches.push(Mismatch::Action {
            wanted: texts(&statement.actions),
            negated: statement.actions.is_negated(),
            asked: call.action.to_owned(),
        });
    }
    if !statement.resources.selects(|pattern| pattern.matches(call.resource, call.context)) {
        mismatches.push(Mismatch::Resource {
            wanted: texts(&statement.resources),
            negated: statement.resources.is_negated(),
            asked: call.resource.to_owned(),
        });
    }
    for condition in statement.conditions.iter().filter(|condition| !condition.holds(call.context)) {
        mismatches.push(Mismatch::Condition {
            operator: condition.operator().to_owned(),
            key: condition.key().to_owned(),
            wanted: condition.values().to_vec(),
            found: condition.found(call.context).to_vec(),
        });
    }
    if !mismatches.is_empty() {
        Examination::NotMatched(mismatches)
    } else if fit == Fit::Account && statement.effect == Effect::Allow {
        Examination::DelegatesToAccount
    } else {
        // A deny that names the account denies everybody in it.
        Examination::Matched
    }
}

fn texts(selector: &Selector<Pattern>) -> Vec<String> {
    selector.entries().iter().map(|pattern| pattern.text().to_owned()).collect()
}

/// How a statement's `Principal` or `NotPrincipal` matches the caller.
///
/// In a `NotPrincipal` an account means its root user, not everyone in the account: a Deny exempts only the principals
/// it lists one by one (IAM guide). An Allow with `NotPrincipal`, which AWS advises against, leaves out anyone it names
/// in any way, so that both effects err on the side of denying.
fn fit_of(selector: &Selector<PrincipalName>, effect: Effect, caller: &Principal) -> Fit {
    let fits = |names: &[PrincipalName]| names.iter().map(|name| name.fit(caller)).max().unwrap_or(Fit::None);
    match (selector, effect) {
        (Selector::Only(names), _) => fits(names),
        (Selector::AllBut(names), Effect::Deny) if fits(names) < Fit::Direct => Fit::Direct,
        (Selector::AllBut(names), Effect::Allow) if fits(names) == Fit::None => Fit::Direct,
        (Selector::AllBut(_), _) => Fit::None,
    }
}
