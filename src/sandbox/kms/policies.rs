//! `GetKeyPolicy`, `PutKeyPolicy`, `ListKeyPolicies`, and the default key policies.

use serde_json::{Value, json};

use super::authorise::{Ask, Env, Naming, keeps_control};
use super::input::Members;
use super::model::{self, Key};
use super::page::Page;
use super::{Kms, errors};
use crate::policy::{NamedPolicy, PolicyDocument};
use crate::sandbox::engine::Host;
use crate::sandbox::error::Fault;
use crate::sandbox::store::StoreError;

/// The only name a key policy can have.
const POLICY_NAME: &str = "default";

/// In bytes.
const MAX_POLICY: usize = 32 * 1024;

/// The policy of a key created without one: the account's IAM policies may decide. It gives nobody access by itself.
pub fn default_policy(account: &str) -> String {
    pretty(&json!({
        "Version": "2012-10-17",
        "Id": "key-default-1",
        "Statement": [{
            "Sid": "Enable IAM User Permissions",
            "Effect": "Allow",
            "Principal": { "AWS": format!("arn:aws:iam::{account}:root") },
            "Action": "kms:*",
            "Resource": "*",
        }],
    }))
}

/// The policy of `alias/aws/<service>`: everybody of the account, but only through the service (DynamoDB guide).
pub fn aws_managed_policy(account: &str, region: &str, service: &str) -> String {
    pretty(&json!({
        "Version": "2012-10-17",
        "Id": format!("auto-{service}-1"),
        "Statement": [
            {
                "Sid": format!(
                    "Allow access through {service} for all principals in the account that are authorized to use {service}"
                ),
                "Effect": "Allow",
                "Principal": { "AWS": "*" },
                "Action": [
                    "kms:Encrypt", "kms:Decrypt", "kms:ReEncrypt*", "kms:GenerateDataKey*", "kms:CreateGrant",
                    "kms:DescribeKey",
                ],
                "Resource": "*",
                "Condition": { "StringEquals": {
                    "kms:CallerAccount": account,
                    "kms:ViaService": format!("{service}.{region}.amazonaws.com"),
                } },
            },
            {
                "Sid": "Allow direct access to key metadata to the account",
                "Effect": "Allow",
                "Principal": { "AWS": format!("arn:aws:iam::{account}:root") },
                "Action": ["kms:Describe*", "kms:Get*", "kms:List*", "kms:RevokeGrant"],
                "Resource": "*",
            },
            {
                "Sid": format!("Allow {service} to describe the key directly"),
                "Effect": "Allow",
                "Principal": { "Service": format!("{service}.amazonaws.com") },
                "Action": ["kms:Describe*", "kms:Get*", "kms:List*"],
                "Resource": "*",
            },
        ],
    }))
}

/// The two-space form in which the console and `GetKeyPolicy` show a policy.
fn pretty(policy: &Value) -> String {
    format!("{policy:#}")
}

/// Reads a new key policy and checks that everybody it names exists (KMS guide).
///
/// # Errors
/// `MalformedPolicyDocumentException`, `LimitExceededException`.
pub fn accept(env: &Env, key_arn: &str, text: &str) -> Result<NamedPolicy, Fault> {
    if text.len() > MAX_POLICY {
        return Err(errors::limit_exceeded(format!("The key policy is longer than {MAX_POLICY} bytes.")));
    }
    let policy = model::named_policy(key_arn, text).map_err(|error| errors::malformed_policy(error.to_string()))?;
    let exists = |principal: &&str| {
        *principal == "*" || *principal == env.host.account || env.iam.find_principal(principal).is_some()
    };
    if policy.document.principals().iter().all(exists) {
        Ok(policy)
    } else {
        Err(errors::malformed_policy("Policy contains a statement with one or more invalid principals."))
    }
}

/// The lockout safety check has failed.
pub fn lockout() -> Fault {
    errors::malformed_policy("The new key policy will not allow you to update the key policy in the future.")
}

fn check_name(name: Option<&str>) -> Result<(), Fault> {
    match name {
        None | Some(POLICY_NAME) => Ok(()),
        Some(_) => Err(errors::not_found("No such policy exists")),
    }
}

pub fn get_key_policy(kms: &mut Kms, env: &mut Env, input: &Value) -> Result<Value, Fault> {
    let mut members = Members::of(input)?;
    let key = members.key_id()?;
    let name = members.text("PolicyName", 1..=128)?;
    members.finish()?;
    let id = kms.permitted(env, key, Naming::KeyOnly, &Ask::to("kms:GetKeyPolicy"))?;
    check_name(name)?;
    Ok(json!({ "Policy": kms.key(&id)?.record.policy, "PolicyName": POLICY_NAME }))
}

pub fn put_key_policy(kms: &mut Kms, env: &mut Env, input: &Value) -> Result<Value, Fault> {
    let mut members = Members::of(input)?;
    let key = members.key_id()?;
    let name = members.text("PolicyName", 1..=128)?;
    let text = members.needed_text("Policy", 1..=131_072)?;
    let bypass = members.flag("BypassPolicyLockoutSafetyCheck")?;
    members.finish()?;
    let ask = Ask::to("kms:PutKeyPolicy").fact("kms:BypassPolicyLockoutSafetyCheck", bypass.to_string());
    let id = kms.permitted(env, key, Naming::KeyOnly, &ask)?;
    check_name(name)?;
    let record = &kms.key(&id)?.record;
    let policy = accept(env, &record.arn, text)?;
    if !bypass && !keeps_control(env, &record.arn, &record.account, &policy) {
        return Err(lockout());
    }
    kms.set_policy(env.host, &id, text.to_owned(), policy)?;
    Ok(json!({}))
}

pub fn list_key_policies(kms: &mut Kms, env: &mut Env, input: &Value) -> Result<Value, Fault> {
    let mut members = Members::of(input)?;
    let key = members.key_id()?;
    let page = Page::read(&mut members, 1..=1000, 100)?;
    members.finish()?;
    kms.permitted(env, key, Naming::KeyOnly, &Ask::to("kms:ListKeyPolicies"))?;
    Ok(page.answer("PolicyNames", [(POLICY_NAME.to_owned(), json!(POLICY_NAME))]))
}

impl Kms {
    fn set_policy(&mut self, host: &mut Host, id: &str, text: String, policy: NamedPolicy) -> Result<(), StoreError> {
        self.change_key(host, id, |record| record.policy = text)?;
        if let Some(key) = self.keys.get_mut(id) {
            key.policy = policy;
        }
        Ok(())
    }

    /// A user was deleted. Key policies and grants that named it show its unique id from now on, so that a new user of
    /// the same name inherits nothing (KMS guide).
    ///
    /// # Errors
    /// When the store can't be written.
    pub fn principal_deleted(&mut self, host: &mut Host, arn: &str, unique_id: &str) -> Result<(), StoreError> {
        let named = |key: &&Key| key.policy.document.principals().contains(&arn);
        let ids: Vec<String> = self.keys.values().filter(named).map(Key::id).collect();
        for id in ids {
            let Some(key) = self.keys.get(&id) else { continue };
            let text = PolicyDocument::rename_principal(&key.record.policy, arn, unique_id);
            // A text that would no longer parse would lock the key for good.
            if let Ok(policy) = model::named_policy(&key.record.arn, &text) {
                self.set_policy(host, &id, text, policy)?;
            }
        }
        self.rename_in_grants(host, arn, unique_id)
    }
}
