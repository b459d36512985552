//! A role with everything that hangs on it: one document of the store.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::user::{InlinePolicy, named_policies};
use crate::policy::{NamedPolicy, PolicyDocument, PolicyError, PolicyKind, PolicySource, Principal, RoleName};
use crate::sandbox::entropy::Entropy;

/// One IAM role.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Role {
    pub name: String,
    /// Begins and ends with `/`.
    pub path: String,
    /// `AROA…`
    pub id: String,
    /// `2026-01-01T00:00:00Z`
    pub created: String,
    pub description: Option<String>,
    /// The longest session, in seconds.
    pub max_session: i64,
    /// Who may assume it.
    pub trust: TrustPolicy,
    /// In the order given.
    pub tags: Vec<(String, String)>,
    /// ARNs, in the order they were attached.
    pub attached: Vec<String>,
    /// By name.
    pub inline: BTreeMap<String, InlinePolicy>,
}

/// A trust policy: its text as given, and parsed.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct TrustPolicy {
    pub text: String,
    pub document: Arc<PolicyDocument>,
}

impl TrustPolicy {
    /// Reads a policy that a client sends, and refuses all that IAM refuses.
    ///
    /// # Errors
    /// What IAM refuses as `MalformedPolicyDocument`.
    pub fn new(text: String) -> Result<Self, PolicyError> {
        let document = Arc::new(PolicyDocument::parse_new_trust(&text)?);
        Ok(Self { text, document })
    }
}

impl TryFrom<String> for TrustPolicy {
    type Error = PolicyError;

    /// Reads a policy from the store.
    fn try_from(text: String) -> Result<Self, PolicyError> {
        let document = Arc::new(PolicyDocument::parse(PolicyKind::Trust, &text)?);
        Ok(Self { text, document })
    }
}

impl From<TrustPolicy> for String {
    fn from(policy: TrustPolicy) -> Self {
        policy.text
    }
}

/// The ARN of a role; `path` begins and ends with `/`.
pub fn role_arn(account: &str, path: &str, name: &str) -> String {
    format!("arn:aws:iam::{account}:role{path}{name}")
}

/// A new id.
pub fn role_id(entropy: &mut Entropy) -> String {
    format!("AROA{}", entropy.alphanumeric_upper(17))
}

impl Role {
    pub fn arn(&self, account: &str) -> String {
        role_arn(account, &self.path, &self.name)
    }

    /// How policies name the role.
    pub fn named(&self, account: &str) -> RoleName {
        RoleName { arn: self.arn(account), unique_id: self.id.clone() }
    }

    /// The role as policies name it. Nobody calls as a role: its sessions do.
    pub fn principal(&self, account: &str) -> Principal {
        Principal {
            arn: self.arn(account),
            account: account.to_owned(),
            unique_id: self.id.clone(),
            user_name: None,
            tags: self.tags.clone(),
            role: Some(self.named(account)),
            token_issued: None,
        }
    }

    /// A session of the role. The session's own tags replace the role's.
    pub fn session(&self, account: &str, name: &str, own: &[(String, String)]) -> Principal {
        let is_replaced = |key: &String| own.iter().any(|(known, _)| known.eq_ignore_ascii_case(key));
        let tags = self.tags.iter().filter(|(key, _)| !is_replaced(key)).chain(own).cloned().collect();
        Principal { tags, ..Principal::role_session(account, self.named(account), name) }
    }

    /// The role's policies, ready for evaluation.
    pub fn policies(&self, managed: impl Fn(&str) -> Option<NamedPolicy>) -> Vec<NamedPolicy> {
        named_policies(managed, &format!("role {}", self.name), &self.attached, &self.inline)
    }

    /// The trust policy, ready for evaluation.
    pub fn named_trust(&self, account: &str) -> NamedPolicy {
        let source = PolicySource::Trust { role_arn: self.arn(account) };
        NamedPolicy { source, document: Arc::clone(&self.trust.document) }
    }
}
