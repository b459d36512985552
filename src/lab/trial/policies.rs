//! The policies that experiments put in place of the lab's.

use serde_json::{Value, json};

use crate::lab::model::key_policy::{KeyPolicyError, edited};

/// What a key user may do with the key itself (KMS guide, "Allows key users to use the KMS key").
pub(in crate::lab) const USE: [&str; 5] =
    ["kms:Encrypt", "kms:Decrypt", "kms:ReEncrypt*", "kms:GenerateDataKey*", "kms:DescribeKey"];

/// What the console lets key administrators do (KMS guide, "Allows key administrators to administer the KMS key").
const ADMINISTER: [&str; 15] = [
    "kms:Create*",
    "kms:Describe*",
    "kms:Enable*",
    "kms:List*",
    "kms:Put*",
    "kms:Update*",
    "kms:Revoke*",
    "kms:Disable*",
    "kms:Get*",
    "kms:Delete*",
    "kms:TagResource",
    "kms:UntagResource",
    "kms:ScheduleKeyDeletion",
    "kms:CancelKeyDeletion",
    "kms:RotateKeyOnDemand",
];

/// `policy` with its statements changed.
fn changed(policy: &str, change: impl FnOnce(&mut Vec<Value>)) -> Result<String, KeyPolicyError> {
    edited(policy, |all| {
        change(all);
        Ok(())
    })
}

/// Whether a statement is for `principal` alone.
fn is_for(statement: &Value, principal: &str) -> bool {
    match statement.pointer("/Principal/AWS") {
        Some(Value::String(one)) => one == principal,
        Some(Value::Array(list)) => list.iter().all(|one| one == principal),
        _ => false,
    }
}

fn statement(sid: &str, effect: &str, principal: &str, actions: &[&str]) -> Value {
    json!({"Sid": sid, "Effect": effect, "Principal": {"AWS": principal}, "Action": actions, "Resource": "*"})
}

/// `policy` without the statements for `user`.
///
/// # Errors
/// `policy` is not a policy document.
pub fn without(policy: &str, user: &str) -> Result<String, KeyPolicyError> {
    changed(policy, |all| all.retain(|statement| !is_for(statement, user)))
}

/// `policy` with a statement that denies `user` to decrypt.
///
/// # Errors
/// As [`without`].
pub fn denying(policy: &str, user: &str) -> Result<String, KeyPolicyError> {
    changed(policy, |all| all.push(statement("Deny test-user", "Deny", user, &["kms:Decrypt"])))
}

/// `policy` with `user` as a key administrator instead of a key user.
///
/// # Errors
/// As [`without`].
pub fn administered(policy: &str, user: &str) -> Result<String, KeyPolicyError> {
    changed(policy, |all| {
        all.retain(|statement| !is_for(statement, user));
        all.push(statement("Allow access for Key Administrators", "Allow", user, &ADMINISTER));
    })
}

/// `policy` in which `user` may decrypt when DynamoDB asks, and do nothing else.
///
/// # Errors
/// As [`without`].
pub fn through_dynamodb(policy: &str, user: &str, region: &str) -> Result<String, KeyPolicyError> {
    let condition = json!({"StringEquals": {"kms:ViaService": format!("dynamodb.{region}.amazonaws.com")}});
    let sid = "Allow decryption through DynamoDB";
    with_only(policy, user, only(sid, user, &["kms:Decrypt"], Some(condition)))
}

/// `policy` in which one statement allows `user` these actions, on this condition.
///
/// # Errors
/// As [`without`].
pub fn only_for(
    policy: &str,
    user: &str,
    actions: &[&str],
    condition: Option<Value>,
) -> Result<String, KeyPolicyError> {
    with_only(policy, user, only("Allow test-user", user, actions, condition))
}

fn only(sid: &str, user: &str, actions: &[&str], condition: Option<Value>) -> Value {
    let mut only = statement(sid, "Allow", user, actions);
    if let Some(condition) = condition {
        only["Condition"] = condition;
    }
    only
}

/// `policy` with `statement` in place of all others for `user`.
fn with_only(policy: &str, user: &str, statement: Value) -> Result<String, KeyPolicyError> {
    changed(policy, |all| {
        all.retain(|statement| !is_for(statement, user));
        all.push(statement);
    })
}

/// `policy` with a statement that denies everybody but `others` to decrypt.
///
/// # Errors
/// As [`without`].
pub fn denying_others(policy: &str, others: &[String]) -> Result<String, KeyPolicyError> {
    changed(policy, |all| {
        all.push(json!({"Sid": "Only these", "Effect": "Deny", "NotPrincipal": {"AWS": others},
            "Action": "kms:Decrypt", "Resource": "*"}));
    })
}

/// `policy` with a statement that denies `user` to decrypt unless `service` asks.
///
/// # Errors
/// As [`without`].
pub fn denying_but_through(policy: &str, user: &str, service: &str) -> Result<String, KeyPolicyError> {
    changed(policy, |all| {
        let mut deny = statement("Deny test-user", "Deny", user, &["kms:Decrypt"]);
        deny["Condition"] = json!({"StringNotEquals": {"kms:ViaService": service}});
        all.push(deny);
    })
}

/// `policy` that names `admin`, and lets IAM decide who administers the key, but not who uses it. Without the latter
/// a lab that died here would leave a key that only one principal can remove, and a role's session is none for long.
///
/// # Errors
/// As [`without`].
pub fn not_left_to_iam(policy: &str, user: &str, admin: &str) -> Result<String, KeyPolicyError> {
    let (account, root) = (admin.split(':').nth(4).unwrap_or_default(), root_of(admin));
    changed(policy, |all| {
        all.retain(|statement| !is_for(statement, user) && !is_for(statement, &root) && !is_for(statement, account));
        all.push(statement("Allow admin everything", "Allow", admin, &["kms:*"]));
        all.push(statement("Leave administration to IAM", "Allow", &root, &ADMINISTER));
    })
}

/// The ARN of the account of `principal`.
pub fn root_of(principal: &str) -> String {
    let account = principal.split(':').nth(4).unwrap_or_default();
    // The partition differs in China and GovCloud.
    let partition = principal.split(':').nth(1).unwrap_or("aws");
    format!("arn:{partition}:iam::{account}:root")
}

/// An identity policy that allows the use of `key`, an ARN.
pub fn of_user(key: &str) -> String {
    json!({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": USE, "Resource": key}]}).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lab::facts::Caller;
    use crate::lab::model::key_policy::{statements, with_key_user};
    use crate::lab::model::lockout::lock_out;

    const USER: &str = "arn:aws:iam::111122223333:user/test";
    const ADMIN: &str = "arn:aws:iam::111122223333:user/admin";

    fn policy() -> String {
        let default = json!({"Version": "2012-10-17", "Statement": [{
            "Sid": "Enable IAM User Permissions", "Effect": "Allow",
            "Principal": {"AWS": "arn:aws:iam::111122223333:root"}, "Action": "kms:*", "Resource": "*"}]});
        with_key_user(&default.to_string(), USER).unwrap()
    }

    fn sids(policy: &str) -> Vec<String> {
        let policy: Value = serde_json::from_str(policy).unwrap();
        statements(&policy).iter().map(|statement| statement["Sid"].as_str().unwrap().to_owned()).collect()
    }

    #[test]
    fn each_change_is_what_it_says_and_locks_nobody_out() {
        let before = policy();
        let account = "Enable IAM User Permissions";
        let user = ["Allow use of the key", "Allow attachment of persistent resources"];
        assert_eq!(sids(&before), [account, user[0], user[1]]);
        let cases = [
            (without(&before, USER), vec![account]),
            (denying(&before, USER), vec![account, user[0], user[1], "Deny test-user"]),
            (administered(&before, USER), vec![account, "Allow access for Key Administrators"]),
            (through_dynamodb(&before, USER, "us-east-1"), vec![account, "Allow decryption through DynamoDB"]),
            (not_left_to_iam(&before, USER, ADMIN), vec!["Allow admin everything", "Leave administration to IAM"]),
        ];
        // Not even the next session of the admin's role.
        let others = ["user/other", "assumed-role/Admin/next"].map(|name| Caller {
            arn: format!("arn:aws:iam::111122223333:{name}"),
            account: "111122223333".to_owned(),
        });
        for (after, left) in cases {
            let after = after.unwrap();
            assert_eq!(sids(&after), left);
            for admin in &others {
                assert_eq!(lock_out(&after, admin, "arn:aws:kms:us-east-1:111122223333:key/1"), None, "{after}");
            }
        }
    }

    #[test]
    fn administering_is_not_using() {
        let used = ["kms:Encrypt", "kms:Decrypt", "kms:ReEncryptFrom", "kms:GenerateDataKey"];
        let fits = |pattern: &str, action: &str| match pattern.strip_suffix('*') {
            Some(prefix) => action.starts_with(prefix),
            None => action == pattern,
        };
        assert!(!used.iter().any(|action| ADMINISTER.iter().any(|pattern| fits(pattern, action))));
        assert!(used.iter().all(|action| USE.iter().any(|pattern| fits(pattern, action))));
    }

    #[test]
    fn what_is_no_policy_is_refused() {
        assert!(without("{", USER).unwrap_err().to_string().contains("not JSON"));
        assert!(denying("[]", USER).is_err());
    }
}
