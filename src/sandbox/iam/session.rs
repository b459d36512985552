//! Temporary credentials: one document of the store each. Role and user are looked up with every call, so that changed
//! policies count at once.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::user::{InlinePolicy, Secret};
use crate::policy::{Limits, NamedPolicy, PolicySource};

/// For how long expired credentials are known as expired, in seconds. After that they are like any unknown ones.
const REMEMBERED: i64 = 24 * 3600;

/// Temporary credentials and whose they are.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Session {
    /// `ASIA…`
    pub id: String,
    pub secret: Secret,
    /// The session token. Like the secret it is shown once.
    pub token: Secret,
    /// `2026-01-01T00:00:00Z`
    pub issued: String,
    /// Unix time, in seconds.
    pub expires: i64,
    pub bearer: Bearer,
}

/// Whose temporary credentials they are.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub enum Bearer {
    /// A user's, from `GetSessionToken`.
    User {
        name: String,
        /// `AIDA…`
        id: String,
    },
    /// A role session's, from `AssumeRole`.
    Role {
        /// The role's name.
        name: String,
        /// `AROA…`
        id: String,
        /// The session's name.
        session: String,
        /// The session policy.
        policy: Option<InlinePolicy>,
        /// The session's tags.
        tags: Vec<(String, String)>,
        /// The keys of the tags that the next role of a chain inherits.
        transitive: Vec<String>,
    },
}

impl Session {
    /// Whether it is expired at `now`, in Unix seconds.
    pub fn is_expired(&self, now: i64) -> bool {
        self.expires <= now
    }

    /// Whether it is expired for so long that it can be forgotten.
    pub fn is_forgotten(&self, now: i64) -> bool {
        self.expires.saturating_add(REMEMBERED) <= now
    }

    /// What the session itself limits.
    pub fn limits(&self) -> Limits {
        let Bearer::Role { policy: Some(policy), .. } = &self.bearer else { return Limits::default() };
        let source = PolicySource::Session { index: 0 };
        Limits { session: vec![NamedPolicy { source, document: Arc::clone(&policy.document) }], ..Limits::default() }
    }
}
