//! `GetKeyPolicy`, `PutKeyPolicy`, `ListKeyPolicies`, and the default key policies.

use serde_json::{Value, json};

use super::error::KmsError;
use super::key_id::KeyId;
use super::model;
use super::page::Page;
use crate::policy::{ConditionContext, NamedPolicy};
use crate::sandbox::authorize::{Resource, facts};
use crate::sandbox::operation::{Context, Fault, Members, Output, Request};

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

/// Reads a new key policy and checks that every principal in it exists (KMS guide).
///
/// # Errors
/// `MalformedPolicyDocumentException`, `LimitExceededException`.
pub fn accept(cx: &Context<'_>, key_arn: &str, text: &str) -> Result<NamedPolicy, KmsError> {
    if text.len() > MAX_POLICY {
        return Err(KmsError::LimitExceeded(format!("The key policy is longer than {MAX_POLICY} bytes.")));
    }
    let policy = model::named_policy(key_arn, text).map_err(|error| KmsError::MalformedPolicy(error.to_string()))?;
    let account = &*cx.account;
    let exists = |principal: &&str| {
        *principal == "*" || *principal == account.id || account.state.iam.find_principal(principal).is_some()
    };
    if policy.document.principals().iter().all(exists) {
        Ok(policy)
    } else {
        let message = "Policy contains a statement with one or more invalid principals.";
        Err(KmsError::MalformedPolicy(message.to_owned()))
    }
}

/// Checks that the caller could still change the key policy if it were `policy`: the lockout safety check (KMS guide).
///
/// # Errors
/// `MalformedPolicyDocumentException`
pub fn check_lockout(cx: &Context<'_>, key_arn: &str, policy: &NamedPolicy) -> Result<(), KmsError> {
    let resource = Resource::KeyWith { arn: key_arn, policy };
    if cx.would_allow("kms:PutKeyPolicy", resource, &ConditionContext::default()) {
        return Ok(());
    }
    let message = "The new key policy will not allow you to update the key policy in the future.";
    Err(KmsError::MalformedPolicy(message.to_owned()))
}

fn check_name(name: Option<&str>) -> Result<(), KmsError> {
    match name {
        None | Some(POLICY_NAME) => Ok(()),
        Some(_) => Err(KmsError::NotFound("No such policy exists".to_owned())),
    }
}

/// `GetKeyPolicy`
pub struct GetKeyPolicy {
    key: KeyId,
    name: Option<String>,
}

impl Request for GetKeyPolicy {
    fn parse(members: &Members<'_>) -> Result<Self, Fault> {
        let key = KeyId::parse_key_only(members, "KeyId")?;
        Ok(Self { key, name: members.optional_str("PolicyName", 1..=128)?.map(str::to_owned) })
    }

    fn run(self, cx: &mut Context<'_>) -> Result<Output, Fault> {
        let key = cx.key(&self.key, "kms:GetKeyPolicy")?;
        check_name(self.name.as_deref())?;
        Ok(json!({ "Policy": key.record.policy, "PolicyName": POLICY_NAME }).into())
    }
}

/// `PutKeyPolicy`
pub struct PutKeyPolicy {
    key: KeyId,
    name: Option<String>,
    policy: String,
    bypass_lockout_check: bool,
}

impl Request for PutKeyPolicy {
    fn parse(members: &Members<'_>) -> Result<Self, Fault> {
        Ok(Self {
            key: KeyId::parse_key_only(members, "KeyId")?,
            name: members.optional_str("PolicyName", 1..=128)?.map(str::to_owned),
            policy: members.str("Policy", 1..=131_072)?.to_owned(),
            bypass_lockout_check: members.flag("BypassPolicyLockoutSafetyCheck")?.unwrap_or(false),
        })
    }

    fn run(self, cx: &mut Context<'_>) -> Result<Output, Fault> {
        let asked = facts([("kms:BypassPolicyLockoutSafetyCheck", &self.bypass_lockout_check.to_string())]);
        let key = cx.key_with(&self.key, "kms:PutKeyPolicy", &asked)?;
        check_name(self.name.as_deref())?;
        let policy = accept(cx, &key.record.arn, &self.policy)?;
        if !self.bypass_lockout_check {
            check_lockout(cx, &key.record.arn, &policy)?;
        }
        let (kms, store) = cx.account.kms_mut();
        kms.set_policy(store, &key.id(), self.policy, policy)?;
        Ok(json!({}).into())
    }
}

/// `ListKeyPolicies`
pub struct ListKeyPolicies {
    key: KeyId,
    page: Page,
}

impl Request for ListKeyPolicies {
    fn parse(members: &Members<'_>) -> Result<Self, Fault> {
        Ok(Self { key: KeyId::parse_key_only(members, "KeyId")?, page: Page::parse(members, 1..=1000, 100)? })
    }

    fn run(self, cx: &mut Context<'_>) -> Result<Output, Fault> {
        cx.key(&self.key, "kms:ListKeyPolicies")?;
        Ok(self.page.output("PolicyNames", [(POLICY_NAME.to_owned(), json!(POLICY_NAME))]).into())
    }
}
