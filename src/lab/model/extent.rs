//! What a change opens: two decisions of one call, before and after it, compared.

use serde_json::{Map, Value};

use super::mechanism::Mechanism;
use crate::policy::{Decision, Effect, MatchResult, Outcome, PolicySource, StatementTrace};

/// What allows a call that nothing allowed before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Extent {
    /// Where it stands.
    pub mechanism: Mechanism,
    /// What else it allows: actions as a policy writes them, or operations of a grant.
    pub also: Vec<String>,
    /// The conditions and constraints: a key of the request, and the values that it may have.
    pub only: Vec<(String, Vec<String>)>,
    /// The key policy's statement that lets IAM decide, where that is needed, too. Empty where it has no name.
    pub delegated_by: Option<String>,
}

/// What `now` allows and `before` didn't; `None` where nothing new allows the call, as when a Deny is gone.
pub fn between(before: &Decision, now: &Decision) -> Option<Extent> {
    let Outcome::Allowed { via_account, .. } = &now.outcome else { return None };
    let is_known = |statement: &&StatementTrace| {
        let same = |old: &&StatementTrace| kind(old) == kind(statement) && old.json == statement.json;
        before.trace.iter().filter(|old| allows(old)).any(|old| same(&old))
    };
    let new = now.trace.iter().filter(|statement| allows(statement)).find(|statement| !is_known(statement))?;
    let mechanism = kind(new);
    let delegates = |statement: &&StatementTrace| statement.result == MatchResult::DelegatesToAccount;
    let delegating = now.trace.iter().find(delegates);
    let is_delegated = *via_account && mechanism == Mechanism::IamPolicy;
    Some(Extent {
        mechanism,
        also: also(&new.json),
        only: only(&new.json),
        delegated_by: is_delegated.then(|| delegating.and_then(|it| it.sid.clone()).unwrap_or_default()),
    })
}

fn allows(statement: &StatementTrace) -> bool {
    statement.effect == Effect::Allow && statement.result == MatchResult::Matched
}

const fn kind(statement: &StatementTrace) -> Mechanism {
    match statement.source {
        PolicySource::KeyPolicy { .. } | PolicySource::Trust { .. } => Mechanism::KeyPolicy,
        PolicySource::Managed { .. }
        | PolicySource::Inline { .. }
        | PolicySource::Boundary { .. }
        | PolicySource::Session { .. } => Mechanism::IamPolicy,
        PolicySource::Grant { .. } => Mechanism::Grant,
    }
}

/// What a statement allows besides Decrypt.
fn also(statement: &Value) -> Vec<String> {
    let all = texts(statement.get("Action").or_else(|| statement.get("Operations")));
    let is_decrypt = |name: &String| name.rsplit(':').next().is_some_and(|name| name.eq_ignore_ascii_case("Decrypt"));
    all.into_iter().filter(|name| !is_decrypt(name)).collect()
}

/// The keys and values of a statement's conditions, or of a grant's constraints.
fn only(statement: &Value) -> Vec<(String, Vec<String>)> {
    let blocks = statement.get("Condition").or_else(|| statement.get("Constraints")).and_then(Value::as_object);
    let pairs = blocks.into_iter().flat_map(Map::values).filter_map(Value::as_object).flatten();
    pairs.map(|(key, values)| (key.clone(), texts(Some(values)))).collect()
}

fn texts(value: Option<&Value>) -> Vec<String> {
    match value {
        Some(Value::Array(all)) => all.iter().filter_map(|one| one.as_str().map(str::to_owned)).collect(),
        Some(Value::String(one)) => vec![one.clone()],
        Some(Value::Bool(one)) => vec![one.to_string()],
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use rstest::rstest;
    use serde_json::json;

    use super::*;
    use crate::policy::Missing;

    fn key_policy() -> PolicySource {
        PolicySource::KeyPolicy { key_arn: "k".to_owned() }
    }

    fn inline() -> PolicySource {
        PolicySource::Inline { user: "u".to_owned(), name: "n".to_owned() }
    }

    fn statement(source: PolicySource, result: MatchResult, json: Value) -> StatementTrace {
        let sid = json["Sid"].as_str().map(str::to_owned);
        StatementTrace { source, statement: 0, sid, effect: Effect::Allow, result, json: Arc::new(json) }
    }

    fn root() -> StatementTrace {
        statement(key_policy(), MatchResult::DelegatesToAccount, json!({"Sid": "root"}))
    }

    fn denied() -> Decision {
        Decision { outcome: Outcome::ImplicitDeny { missing: Missing::IdentityPolicy }, trace: vec![root()] }
    }

    fn allowed(new: StatementTrace) -> Decision {
        let via_account = matches!(new.source, PolicySource::Inline { .. });
        let outcome = Outcome::Allowed { by: new.source.clone(), sid: new.sid.clone(), via_account };
        Decision { outcome, trace: vec![root(), new] }
    }

    #[rstest]
    #[case::key_policy(
        key_policy(),
        json!({"Action": "kms:Decrypt", "Condition": {"StringEquals": {"kms:ViaService": ["a", "b"]}}}),
        Extent {
            mechanism: Mechanism::KeyPolicy,
            also: Vec::new(),
            only: vec![("kms:ViaService".to_owned(), vec!["a".to_owned(), "b".to_owned()])],
            delegated_by: None,
        }
    )]
    #[case::iam_policy(
        inline(),
        json!({"Action": ["kms:Decrypt", "kms:Encrypt"]}),
        Extent {
            mechanism: Mechanism::IamPolicy,
            also: vec!["kms:Encrypt".to_owned()],
            only: Vec::new(),
            delegated_by: Some("root".to_owned()),
        }
    )]
    #[case::grant(
        PolicySource::Grant { grant_id: "g".to_owned() },
        json!({"Operations": ["Decrypt"], "Constraints": {"EncryptionContextSubset": {"c": "d"}}}),
        Extent {
            mechanism: Mechanism::Grant,
            also: Vec::new(),
            only: vec![("c".to_owned(), vec!["d".to_owned()])],
            delegated_by: None,
        }
    )]
    fn what_is_new_is_what_opens(#[case] source: PolicySource, #[case] json: Value, #[case] expected: Extent) {
        let now = allowed(statement(source, MatchResult::Matched, json));
        assert_eq!(between(&denied(), &now), Some(expected));
        assert_eq!(between(&now, &now), None, "nothing is new");
        assert_eq!(between(&now, &denied()), None, "nothing is allowed");
    }
}
