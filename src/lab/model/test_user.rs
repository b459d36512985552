//! test-user: the policy that lets it use DynamoDB, and whether it can be created.

use serde_json::{Value, json};

use super::exchange::{Denied, Exchange, Verdict};
use super::operation::{Identity, Operation};

/// The managed policy that test-user gets on the sandbox: all of DynamoDB and, of KMS, not Decrypt (managed policy
/// reference).
pub const MANAGED: &str = "AmazonDynamoDBFullAccess";

/// Its text (AWS managed policy reference).
pub const MANAGED_POLICY: &str = include_str!("../../../assets/policies/AmazonDynamoDBFullAccess.json");

/// The name of the inline policy that it gets elsewhere.
pub const POLICY: &str = "kmslab-dynamodb";

/// What creating test-user takes, and what a company's policies deny first.
pub const CREATING: [&str; 4] = ["iam:CreateUser", "iam:TagUser", "iam:PutUserPolicy", "iam:CreateAccessKey"];

/// What to do where test-user can't be created.
const INSTEAD: &str = "use a user or role that exists instead: --user-profile NAME";

/// The policy that lets test-user use DynamoDB.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum UserPolicy {
    /// AWS's own, by ARN.
    Managed(String),
    /// One for the lab's table alone.
    Inline(String),
}

impl UserPolicy {
    /// The call that gives it to `user`.
    pub fn put(self, user: String) -> Operation {
        match self {
            UserPolicy::Managed(policy_arn) => Operation::AttachUserPolicy { user, policy_arn },
            UserPolicy::Inline(policy) => Operation::PutUserPolicy { user, name: POLICY.to_owned(), policy },
        }
    }

    /// The call that takes it from `user`.
    pub fn remove(self, user: String) -> Operation {
        match self {
            UserPolicy::Managed(policy_arn) => Operation::DetachUserPolicy { user, policy_arn },
            UserPolicy::Inline(_) => Operation::DeleteUserPolicy { user, name: POLICY.to_owned() },
        }
    }
}

/// A policy that allows everything in DynamoDB on one table, by ARN, and nothing else.
pub fn table_policy(table_arn: &str) -> String {
    let statement = json!({"Effect": "Allow", "Action": "dynamodb:*", "Resource": table_arn});
    json!({"Version": "2012-10-17", "Statement": [statement]}).to_string()
}

/// Why admin can't create test-user, from the answer to a simulation; `None` where it can, or nobody can tell.
pub fn why_not_created(simulated: &Exchange) -> Option<String> {
    let results = simulated.body().filter(|_| simulated.is_allowed())?.get("EvaluationResults")?.as_array()?;
    let is_false = |result: &Value, path: &str| {
        result.pointer(path).is_some_and(|value| *value == Value::Bool(false) || value.as_str() == Some("false"))
    };
    // A condition on something that only the real request has, such as MFA, decides there and not here.
    let is_certain = |result: &&Value| {
        let missing = result.get("MissingContextValues").and_then(Value::as_array);
        result.get("EvalDecision").and_then(Value::as_str) != Some("allowed") && missing.is_none_or(Vec::is_empty)
    };
    let refused: Vec<&Value> = results.iter().filter(is_certain).collect();
    let first = refused.first()?;
    let actions: Vec<&str> = refused.iter().filter_map(|result| result.get("EvalActionName")?.as_str()).collect();
    let actions = actions.join(", ");
    let why = if is_false(first, "/OrganizationsDecisionDetail/AllowedByOrganizations") {
        format!("a service control policy (SCP) of your organization doesn't allow admin {actions}")
    } else if is_false(first, "/PermissionsBoundaryDecisionDetail/AllowedByPermissionsBoundary") {
        format!("admin's permissions boundary doesn't allow {actions}")
    } else if first.get("EvalDecision").and_then(Value::as_str) == Some("explicitDeny") {
        format!("a policy denies admin {actions}")
    } else {
        format!("no policy allows admin {actions}")
    };
    Some(format!("admin can't create test-user: {why}; {INSTEAD}"))
}

/// What to add to a refusal to create test-user.
pub fn instead(refused: &Exchange) -> Option<String> {
    let Verdict::Denied(Denied { reason, .. }) = &refused.verdict else { return None };
    if !CREATING.contains(&refused.operation.action().as_str()) || refused.identity != Identity::Admin {
        return None;
    }
    let reason = reason.as_deref().unwrap_or_default();
    let by = match reason {
        _ if reason.contains("service control policy") => " by a service control policy (SCP) of your organization",
        _ if reason.contains("permissions boundary") => " by admin's permissions boundary",
        _ => "",
    };
    Some(format!("{by}; {INSTEAD}"))
}
