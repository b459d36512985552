//! The way that a learner took in stage 7, as she took it: in the lab's editor or with another client.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::mechanism::Mechanism;
use super::noticed::NoticedCall;
use super::operation::Operation;
use crate::policy::GrantConstraints;

/// What lets test-user use the key, where the learner has written it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct OwnWay {
    /// By what.
    pub mechanism: Mechanism,
    /// The call that put it in place, with real names; `None` if it isn't known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub call: Option<Operation>,
}

impl OwnWay {
    /// The way that another client's call takes; `None` for a call that takes none, or that was refused.
    pub fn of_noticed(call: &NoticedCall, user: &str) -> Option<OwnWay> {
        let text = |name: &str| call.parameter(name).map(str::to_owned);
        if !call.is_allowed() {
            return None;
        }
        let (mechanism, operation) = match call.operation.as_str() {
            "PutKeyPolicy" => {
                let known = text("KeyId").zip(text("Policy"));
                (Mechanism::KeyPolicy, known.map(|(key, policy)| Operation::PutKeyPolicy { key, policy }))
            }
            "PutUserPolicy" if call.parameter("UserName") == Some(user) => {
                let user = user.to_owned();
                let known = text("PolicyName").zip(text("PolicyDocument"));
                let put = |(name, policy)| Operation::PutUserPolicy { user, name, policy };
                (Mechanism::IamPolicy, known.map(put))
            }
            "AttachUserPolicy" if call.parameter("UserName") == Some(user) => {
                let user = user.to_owned();
                let attach = |policy_arn| Operation::AttachUserPolicy { user, policy_arn };
                (Mechanism::IamPolicy, text("PolicyArn").map(attach))
            }
            "CreateGrant" => (Mechanism::Grant, grant(call)),
            _ => return None,
        };
        Some(OwnWay { mechanism, call: operation })
    }

    /// What was sent: the policy, or the grant's parameters. Both as JSON where they are.
    pub fn document(&self) -> Option<String> {
        let pretty = |value: &Value| serde_json::to_string_pretty(value).ok();
        match self.call.as_ref()? {
            Operation::PutKeyPolicy { policy, .. } | Operation::PutUserPolicy { policy, .. } => {
                serde_json::from_str(policy).ok().as_ref().and_then(pretty).or_else(|| Some(policy.clone()))
            }
            Operation::AttachUserPolicy { policy_arn, .. } => Some(policy_arn.clone()),
            Operation::CreateGrant { grantee, operations, constraints, .. } => {
                let mut members = serde_json::json!({"GranteePrincipal": grantee, "Operations": operations});
                if let Some(constraints) = constraints {
                    members["Constraints"] = serde_json::json!({ constraints.name(): constraints.pairs() });
                }
                pretty(&members)
            }
            _ => None,
        }
    }
}

/// The call that makes the same grant again; `None` where it has more than the lab can send.
pub(super) fn grant(call: &NoticedCall) -> Option<Operation> {
    if call.parameters.get("RetiringPrincipal").is_some_and(|principal| !principal.is_null()) {
        return None;
    }
    let text = |name: &str| call.parameter(name).map(str::to_owned);
    let operations = call.parameters.get("Operations")?.as_array()?;
    let operations = operations.iter().map(|name| name.as_str().map(str::to_owned)).collect::<Option<Vec<_>>>()?;
    let constraints = match call.parameters.get("Constraints") {
        None | Some(Value::Null) => None,
        Some(given) => Some(constraints(given.as_object()?)?),
    };
    Some(Operation::CreateGrant {
        key: text("KeyId")?,
        grantee: text("GranteePrincipal")?,
        operations,
        constraints,
        name: text("Name").unwrap_or_default(),
    })
}

/// The constraints that a JSON object names; `None` if KMS knows no such ones.
pub(super) fn constraints(given: &Map<String, Value>) -> Option<GrantConstraints> {
    let (name, pairs) = given.iter().next().filter(|_| given.len() == 1)?;
    let pairs = pairs.as_object()?.iter().map(|(name, value)| Some((name.clone(), value.as_str()?.to_owned())));
    let pairs = pairs.collect::<Option<_>>()?;
    match name.as_str() {
        "EncryptionContextEquals" => Some(GrantConstraints::EncryptionContextEquals(pairs)),
        "EncryptionContextSubset" => Some(GrantConstraints::EncryptionContextSubset(pairs)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;
    use serde_json::json;

    use super::*;

    fn noticed(operation: &str, parameters: Value) -> NoticedCall {
        let Value::Object(parameters) = parameters else { panic!("an object") };
        NoticedCall { operation: operation.to_owned(), parameters, ..NoticedCall::default() }
    }

    #[rstest]
    #[case("PutKeyPolicy", json!({"KeyId": "k", "Policy": "{\"a\":1}"}), Some((Mechanism::KeyPolicy, "\"a\": 1")))]
    #[case(
        "PutUserPolicy",
        json!({"UserName": "kmslab-user-r", "PolicyName": "p", "PolicyDocument": "{\"b\":1}"}),
        Some((Mechanism::IamPolicy, "\"b\": 1"))
    )]
    #[case("PutUserPolicy", json!({"UserName": "other", "PolicyName": "p", "PolicyDocument": "{}"}), None)]
    #[case(
        "AttachUserPolicy",
        json!({"UserName": "kmslab-user-r", "PolicyArn": "arn:aws:iam::1:policy/p"}),
        Some((Mechanism::IamPolicy, "policy/p"))
    )]
    #[case(
        "CreateGrant",
        json!({"KeyId": "k", "GranteePrincipal": "me", "Operations": ["Decrypt"],
            "Constraints": {"EncryptionContextSubset": {"c": "d"}}}),
        Some((Mechanism::Grant, "\"c\": \"d\""))
    )]
    #[case("DeleteUserPolicy", json!({"UserName": "kmslab-user-r", "PolicyName": "p"}), None)]
    fn a_noticed_call_is_a_way(
        #[case] operation: &str,
        #[case] parameters: Value,
        #[case] expected: Option<(Mechanism, &str)>,
    ) {
        let way = OwnWay::of_noticed(&noticed(operation, parameters), "kmslab-user-r");
        assert_eq!(way.as_ref().map(|way| way.mechanism), expected.map(|(mechanism, _)| mechanism));
        if let Some((way, (_, part))) = way.zip(expected) {
            assert!(way.document().is_some_and(|text| text.contains(part)), "{way:?}");
        }
    }

    #[test]
    fn a_refused_call_is_no_way() {
        let put = noticed("PutKeyPolicy", json!({"KeyId": "k", "Policy": "{}"}));
        let refused = NoticedCall { error_code: Some("AccessDenied".to_owned()), ..put };
        assert_eq!(OwnWay::of_noticed(&refused, "kmslab-user-r"), None);
    }
}
