//! The lines of a journal.

use serde::{Deserialize, Serialize};

/// The first line: which run this is, and where its calls go.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Head {
    /// The run's id.
    pub run: String,
    /// When it began, RFC 3339 in UTC.
    pub started: String,
    /// The kind of backend, as JSONL names it.
    pub backend: String,
    /// The endpoint; `None` is AWS itself.
    pub endpoint: Option<String>,
    /// The region.
    pub region: String,
    /// The admin's profile; `None` is the SDK's default chain.
    pub admin_profile: Option<String>,
    /// The admin's account: tomorrow the same profile may lead to another.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account: Option<String>,
}

/// A line after the first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub(super) enum Line {
    /// What another client has made, by the operation that made it. A key is named by its ARN.
    Adopted {
        adopted: String,
        name: String,
    },
    Intent {
        intent: String,
        name: String,
    },
    Result {
        result: String,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        id: Option<String>,
        /// `None` where that is not known: the answer was lost, or the service failed in the middle.
        ok: Option<bool>,
    },
}
