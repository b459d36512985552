//! A customer managed policy with its versions: one document of the store.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::managed::Managed;
use super::user::InlinePolicy;
use crate::policy::{NamedPolicy, PolicySource};

/// One customer managed policy.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Policy {
    pub name: String,
    /// Begins and ends with `/`.
    pub path: String,
    /// `ANPA…`
    pub id: String,
    pub arn: String,
    /// `2026-01-01T00:00:00Z`
    pub created: String,
    /// When a version was made or became the default last.
    pub updated: String,
    pub description: Option<String>,
    pub tags: Vec<(String, String)>,
    /// From the oldest to the newest.
    pub versions: Vec<Version>,
    /// The number of the default version.
    pub default: u32,
    /// The number of the next version. Numbers are not used again (IAM guide).
    pub next: u32,
}

/// One version of a policy.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Version {
    /// `1` is `v1`.
    pub number: u32,
    pub created: String,
    pub policy: InlinePolicy,
}

impl Version {
    /// `v1`
    pub fn id(&self) -> String {
        format!("v{}", self.number)
    }
}

impl Policy {
    /// Ready for evaluation: the default version.
    pub fn named(&self) -> Option<NamedPolicy> {
        let version = self.versions.iter().find(|version| version.number == self.default)?;
        let source = PolicySource::Managed { name: self.name.clone(), arn: self.arn.clone() };
        Some(NamedPolicy { source, document: Arc::clone(&version.policy.document) })
    }

    /// The version of this id.
    pub fn version(&self, id: &str) -> Option<&Version> {
        self.versions.iter().find(|version| version.id() == id)
    }
}

/// A managed policy, AWS's or a customer's.
#[derive(Clone)]
pub enum Known {
    Aws(&'static Managed),
    Customer(Arc<Policy>),
}

impl Known {
    pub fn name(&self) -> &str {
        match self {
            Self::Aws(policy) => policy.name,
            Self::Customer(policy) => &policy.name,
        }
    }

    pub fn arn(&self) -> &str {
        match self {
            Self::Aws(policy) => policy.arn,
            Self::Customer(policy) => &policy.arn,
        }
    }

    /// AWS's policies of the sandbox all have `/`.
    pub fn path(&self) -> &str {
        match self {
            Self::Aws(_) => "/",
            Self::Customer(policy) => &policy.path,
        }
    }

    /// Ready for evaluation.
    pub fn named(&self) -> Option<NamedPolicy> {
        match self {
            Self::Aws(policy) => Some(policy.named()),
            Self::Customer(policy) => policy.named(),
        }
    }

    /// The text of the default version.
    pub fn text(&self) -> &str {
        match self {
            Self::Aws(policy) => policy.text,
            Self::Customer(policy) => {
                let default = policy.versions.iter().find(|version| version.number == policy.default);
                default.map_or("", |version| &version.policy.text)
            }
        }
    }
}
