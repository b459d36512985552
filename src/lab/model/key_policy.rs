//! The one change the lesson makes: a key user is added to a key policy.

use serde_json::Value;

use super::statement::Statement;
pub use super::statement::statements;

/// The two statements that the KMS console adds for a key user (KMS guide). `${principal}` is replaced.
const KEY_USER_STATEMENTS: &str = include_str!("../../../assets/policies/key-user-statements.json");

/// Why a key user can't be added to a key policy.
#[derive(Debug, thiserror::Error)]
pub enum KeyPolicyError {
    /// It isn't JSON.
    #[error("the key policy is not JSON: {0}")]
    NotJson(serde_json::Error),
    /// It has no statements.
    #[error("the key policy has no statements")]
    NoStatements,
    /// It isn't a JSON object.
    #[error("the key policy is not an object")]
    NotAnObject,
    /// The new document can't be written.
    #[error(transparent)]
    NotWritten(serde_json::Error),
}

/// The statements that make `principal` (an ARN) a user of the key.
pub fn key_user_statements(principal: &str) -> Vec<Value> {
    fn fill(value: &mut Value, principal: &str) {
        match value {
            Value::String(text) if text == "${principal}" => *text = principal.to_owned(),
            Value::Array(elements) => elements.iter_mut().for_each(|element| fill(element, principal)),
            Value::Object(members) => members.values_mut().for_each(|member| fill(member, principal)),
            _ => {}
        }
    }
    let mut statements: Vec<Value> = serde_json::from_str(KEY_USER_STATEMENTS).unwrap_or_default();
    statements.iter_mut().for_each(|statement| fill(statement, principal));
    statements
}

/// `policy` with its statements edited.
///
/// # Errors
/// `policy` is not a policy document, or the edit failed.
pub fn edited(
    policy: &str,
    edit: impl FnOnce(&mut Vec<Value>) -> Result<(), KeyPolicyError>,
) -> Result<String, KeyPolicyError> {
    let mut document: Value = serde_json::from_str(policy).map_err(KeyPolicyError::NotJson)?;
    let mut all: Vec<Value> = statements(&document).into_iter().cloned().collect();
    edit(&mut all)?;
    let members = document.as_object_mut().ok_or(KeyPolicyError::NotAnObject)?;
    members.insert("Statement".to_owned(), Value::Array(all));
    serde_json::to_string_pretty(&document).map_err(KeyPolicyError::NotWritten)
}

/// `policy` with `principal` added as a key user. Everything else stays, and statements that are there already are not
/// added again.
///
/// # Errors
/// `policy` is not a policy document.
pub fn with_key_user(policy: &str, principal: &str) -> Result<String, KeyPolicyError> {
    edited(policy, |all| {
        if all.is_empty() {
            return Err(KeyPolicyError::NoStatements);
        }
        for statement in key_user_statements(principal) {
            if !all.iter().any(|there| Statement::read(there) == Statement::read(&statement)) {
                all.push(statement);
            }
        }
        Ok(())
    })
}

/// Whether `policy` has the statements of any key user.
pub fn has_key_user(policy: &str) -> bool {
    let document: Value = serde_json::from_str(policy).unwrap_or(Value::Null);
    let sids: Vec<_> = statements(&document).into_iter().map(|statement| statement.get("Sid").cloned()).collect();
    key_user_statements("").iter().all(|statement| sids.contains(&statement.get("Sid").cloned()))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::policy_diff::PolicyDiff;
    use super::*;

    const USER: &str = "arn:aws:iam::111122223333:user/test";

    fn default_policy() -> String {
        json!({"Version": "2012-10-17", "Id": "key-default-1", "Statement": [{
            "Sid": "Enable IAM User Permissions", "Effect": "Allow",
            "Principal": {"AWS": "arn:aws:iam::111122223333:root"}, "Action": "kms:*", "Resource": "*"}]})
        .to_string()
    }

    #[test]
    fn a_key_user_is_two_statements_more_and_nothing_less() {
        let after = with_key_user(&default_policy(), USER).unwrap();
        let diff = PolicyDiff::between(&default_policy(), &after);
        assert_eq!(diff.counts(), "2 statements added, none removed");
        let sids: Vec<_> = diff.added.iter().map(Statement::name).collect();
        assert_eq!(sids, ["Allow use of the key", "Allow attachment of persistent resources"]);
        let principals = diff.added.iter().flat_map(Statement::members).filter(|(name, _)| *name == "Principal");
        assert_eq!(principals.map(|(_, entries)| entries).collect::<Vec<_>>(), [[USER], [USER]]);
    }

    #[test]
    fn adding_twice_is_adding_once() {
        let once = with_key_user(&default_policy(), USER).unwrap();
        assert_eq!(with_key_user(&once, USER).unwrap(), once);
    }

    #[test]
    fn what_is_no_policy_is_refused_with_a_reason() {
        assert!(with_key_user("{", USER).unwrap_err().to_string().contains("not JSON"));
        assert!(with_key_user("{}", USER).unwrap_err().to_string().contains("no statements"));
        assert!(with_key_user("[]", USER).is_err());
    }
}
