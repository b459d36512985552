//! One statement or grant against a request.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::document::{Effect, PolicyDocument, Selector, Statement};
use super::grant::Grant;
use super::pattern::Pattern;
use super::principal::{Principal, PrincipalMatch, PrincipalName};
use super::request::AccessRequest;
use super::trace::{MatchResult, Mismatch, PolicySource, StatementTrace};

/// A policy and where it came from. Cheap to clone: the document is shared.
#[derive(Debug, Clone, PartialEq)]
pub struct NamedPolicy {
    /// Where it came from.
    pub source: PolicySource,
    /// The parsed document.
    pub document: Arc<PolicyDocument>,
}

/// Evaluates every statement, even after a deny: the trace is complete.
pub(super) fn evaluate_policies(request: &AccessRequest<'_>, policies: &[NamedPolicy]) -> Vec<StatementTrace> {
    let mut trace = Vec::with_capacity(policies.iter().map(|policy| policy.document.statements.len()).sum());
    for policy in policies {
        trace.extend(policy.document.statements.iter().enumerate().map(|(index, statement)| StatementTrace {
            source: policy.source.clone(),
            statement: index,
            sid: statement.sid.clone(),
            effect: statement.effect,
            result: evaluate(request, statement),
            json: Arc::clone(&statement.json),
        }));
    }
    trace
}

fn evaluate(request: &AccessRequest<'_>, statement: &Statement) -> MatchResult {
    let mut mismatches = Vec::new();
    let mut principal = PrincipalMatch::Direct;
    if let Some(selector) = &statement.principal {
        principal = principal_match(selector, statement.effect, request.principal);
        if principal == PrincipalMatch::None {
            mismatches.push(Mismatch::Principal {
                wanted: selector.entries().iter().map(|name| name.text().to_owned()).collect(),
                negated: selector.is_negated(),
                caller: request.principal.arn.clone(),
            });
        }
    }
    if !statement.actions.selects(|pattern| pattern.matches(request.action, request.context)) {
        mismatches.push(Mismatch::Action {
            wanted: texts(&statement.actions),
            negated: statement.actions.is_negated(),
            asked: request.action.to_owned(),
        });
    }
    if !statement.resources.selects(|pattern| pattern.matches(request.resource, request.context)) {
        mismatches.push(Mismatch::Resource {
            wanted: texts(&statement.resources),
            negated: statement.resources.is_negated(),
            asked: request.resource.to_owned(),
        });
    }
    for condition in statement.conditions.iter().filter(|condition| !condition.holds(request.context)) {
        mismatches.push(Mismatch::Condition {
            operator: condition.operator().to_owned(),
            key: condition.key().to_owned(),
            wanted: condition.values().to_vec(),
            found: condition.found(request.context).to_vec(),
        });
    }
    if !mismatches.is_empty() {
        MatchResult::NotMatched(mismatches)
    } else if principal == PrincipalMatch::Account && statement.effect == Effect::Allow {
        MatchResult::DelegatesToAccount
    } else {
        // A deny that names the account denies everyone in it.
        MatchResult::Matched
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
fn principal_match(selector: &Selector<PrincipalName>, effect: Effect, caller: &Principal) -> PrincipalMatch {
    let best =
        |names: &[PrincipalName]| names.iter().map(|name| name.matches(caller)).max().unwrap_or(PrincipalMatch::None);
    match (selector, effect) {
        (Selector::Only(names), _) => best(names),
        (Selector::AllBut(names), Effect::Deny) if best(names) < PrincipalMatch::Direct => PrincipalMatch::Direct,
        (Selector::AllBut(names), Effect::Allow) if best(names) == PrincipalMatch::None => PrincipalMatch::Direct,
        (Selector::AllBut(_), _) => PrincipalMatch::None,
    }
}

/// Evaluates a grant. Constraints apply to the operations that take an encryption context; the others (`DescribeKey`,
/// `RetireGrant`, …) match without (KMS guide).
pub(super) fn evaluate_grant(
    request: &AccessRequest<'_>,
    grant: &Grant,
    index: usize,
    encryption_context: &BTreeMap<String, String>,
) -> StatementTrace {
    let mut mismatches = Vec::new();
    let key_id = request.resource.rsplit_once('/').map_or(request.resource, |(_, id)| id);
    if grant.key_id != request.resource && grant.key_id != key_id {
        mismatches.push(Mismatch::Resource {
            wanted: vec![grant.key_id.clone()],
            negated: false,
            asked: request.resource.to_owned(),
        });
    }
    let delegates = grant.is_for_account_of(request.principal);
    if !delegates && !grant.is_grantee(request.principal) {
        let wanted = grant.grantee_principal.clone();
        mismatches.push(Mismatch::Grantee { wanted, caller: request.principal.arn.clone() });
    }
    let operation = request.action.strip_prefix("kms:").unwrap_or(request.action);
    if !grant.operations.iter().any(|granted| granted == operation) {
        mismatches.push(Mismatch::GrantOperation { granted: grant.operations.clone(), asked: operation.to_owned() });
    }
    if let Some(constraints) = &grant.constraints
        && takes_encryption_context(operation)
        && !constraints.admits(encryption_context)
    {
        mismatches.push(Mismatch::GrantContext {
            constraint: constraints.name().to_owned(),
            wanted: constraints.pairs().clone(),
            found: encryption_context.clone(),
        });
    }
    StatementTrace {
        source: PolicySource::Grant { grant_id: grant.grant_id.clone() },
        statement: index,
        sid: grant.name.clone(),
        effect: Effect::Allow,
        result: match mismatches.is_empty() {
            false => MatchResult::NotMatched(mismatches),
            true if delegates => MatchResult::DelegatesToAccount,
            true => MatchResult::Matched,
        },
        json: Arc::new(grant.described()),
    }
}

fn takes_encryption_context(operation: &str) -> bool {
    ["Encrypt", "Decrypt", "ReEncrypt", "GenerateDataKey", "CreateGrant"].iter().any(|name| operation.starts_with(name))
}
