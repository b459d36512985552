//! A user with everything that hangs on it: one document of the store.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::policy::{NamedPolicy, PolicyDocument, PolicyError, PolicyKind, PolicySource, Principal};

/// One IAM user.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct User {
    pub name: String,
    /// Begins and ends with `/`.
    pub path: String,
    /// `AIDA…`
    pub id: String,
    /// `2026-01-01T00:00:00Z`
    pub created: String,
    /// In the order given.
    pub tags: Vec<(String, String)>,
    /// In the order they were made; two at most.
    pub keys: Vec<AccessKey>,
    /// ARNs, in the order they were attached.
    pub attached: Vec<String>,
    /// By name.
    pub inline: BTreeMap<String, InlinePolicy>,
}

/// An access key of a user.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct AccessKey {
    /// `AKIA…`
    pub id: String,
    pub secret: Secret,
    pub active: bool,
    pub created: String,
}

impl AccessKey {
    /// `Active` or `Inactive`.
    pub fn status(&self) -> &'static str {
        if self.active { "Active" } else { "Inactive" }
    }
}

/// A secret access key. Wiped when dropped; never printed.
#[derive(Clone, Serialize, Deserialize)]
#[serde(from = "String", into = "String")]
pub struct Secret(Zeroizing<String>);

impl Secret {
    pub fn expose(&self) -> &Zeroizing<String> {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("[redacted]")
    }
}

impl From<String> for Secret {
    fn from(secret: String) -> Self {
        Self(Zeroizing::new(secret))
    }
}

impl From<Secret> for String {
    fn from(secret: Secret) -> Self {
        (*secret.0).clone()
    }
}

/// A policy embedded in a user: its text as given, and parsed.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct InlinePolicy {
    pub text: String,
    pub document: Arc<PolicyDocument>,
}

impl InlinePolicy {
    /// Reads a policy that a client sends, and refuses all that IAM refuses.
    ///
    /// # Errors
    /// What IAM refuses as `MalformedPolicyDocument`.
    pub fn new(text: String) -> Result<Self, PolicyError> {
        let document = Arc::new(PolicyDocument::parse_new_identity(&text)?);
        Ok(Self { text, document })
    }
}

impl TryFrom<String> for InlinePolicy {
    type Error = PolicyError;

    /// Reads a policy from the store. A document that can't be read is an error: a deny must not get lost. One that an
    /// earlier version of the sandbox took and this one would refuse still counts.
    fn try_from(text: String) -> Result<Self, PolicyError> {
        let document = Arc::new(PolicyDocument::parse(PolicyKind::Identity, &text)?);
        Ok(Self { text, document })
    }
}

impl From<InlinePolicy> for String {
    fn from(policy: InlinePolicy) -> Self {
        policy.text
    }
}

impl User {
    pub fn principal(&self, account: &str) -> Principal {
        Principal { tags: self.tags.clone(), ..Principal::user_at(account, &self.path, &self.name, &self.id) }
    }

    /// The user's policies, ready for evaluation: the managed ones as attached, then the inline ones by name.
    pub fn policies(&self, managed: impl Fn(&str) -> Option<NamedPolicy>) -> Vec<NamedPolicy> {
        named_policies(managed, &self.name, &self.attached, &self.inline)
    }
}

/// The policies of a user or role, ready for evaluation. `managed` finds the attached ones. A trace calls the owner of an inline policy `owner`.
pub fn named_policies(
    managed: impl Fn(&str) -> Option<NamedPolicy>,
    owner: &str,
    attached: &[String],
    inline: &BTreeMap<String, InlinePolicy>,
) -> Vec<NamedPolicy> {
    let managed = attached.iter().filter_map(|arn| managed(arn));
    let inline = inline.iter().map(|(name, policy)| NamedPolicy {
        source: PolicySource::Inline { user: owner.to_owned(), name: name.clone() },
        document: Arc::clone(&policy.document),
    });
    managed.chain(inline).collect()
}

/// The characters of inline policies, which together are limited; white space doesn't count (IAM guide).
pub fn inline_size(inline: &BTreeMap<String, InlinePolicy>) -> usize {
    inline.values().map(|policy| size(&policy.text)).sum()
}

/// The characters of a document that count.
pub fn size(text: &str) -> usize {
    text.chars().filter(|character| !character.is_whitespace()).count()
}
