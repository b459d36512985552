//! What a page asks the world, and what the world finds out: decisions, documents, the trail, a table at rest.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

use super::exchange::CallId;
use super::experiment::Experiment;
use super::stage::Stage;
use crate::policy::{Decision, Grant, PolicySource};

/// Where in the lab a call was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// In a stage.
    Stage(Stage),
    /// In an experiment.
    Experiment(Experiment),
}

impl fmt::Display for Place {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Place::Stage(stage) => write!(out, "stage {}", stage.number()),
            Place::Experiment(which) => write!(out, "experiment {}", which.index() + 1),
        }
    }
}

/// What a page needs from outside.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Inquiry {
    /// The decisions of a call, or the documents to make them again.
    Why {
        /// The call.
        call: CallId,
        /// Who made it, where that is known.
        caller: Option<String>,
        /// The lab's key, by ARN.
        key: Option<String>,
    },
    /// The documents that decide.
    Documents {
        /// Whose policies, by ARN.
        caller: Option<String>,
        /// The lab's key, by ARN.
        key: Option<String>,
    },
    /// What KMS was asked.
    Trail,
    /// How this table lies in the database.
    AtRest {
        /// Its name.
        table: String,
    },
}

/// What KMS was asked because of a request to DynamoDB.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Traced {
    /// To decrypt the table key, and it did.
    Allowed,
    /// The same, and it refused.
    Denied,
    /// The same, and it failed for another reason.
    Failed,
    /// Nothing.
    Nothing,
    /// The lab is reading the trail.
    Looking,
    /// There is no trail to read.
    #[default]
    NotTold,
}

/// What the world has found out.
#[derive(Debug, Clone, PartialEq)]
pub enum Finding {
    /// Decisions as they were made.
    Decisions(Vec<Decided>),
    /// Documents to decide by.
    Documents(Documents),
    /// The trail, oldest first.
    Trail(Vec<Event>),
    /// A table in the database.
    AtRest(Box<AtRest>),
    /// The backend is no sandbox of kmslab: it tells nothing of this.
    NotTold,
    /// It could not be found out, for this reason.
    Failed(String),
    /// What another session has shown of its finding.
    Shown(Box<Known>),
}

/// What a page shows of a finding.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Known {
    /// Decisions. Where they were made again from documents, with what could not be read of those.
    Decisions {
        /// In the order in which they were made.
        all: Vec<Decided>,
        /// `None`: the very decisions of the sandbox.
        unread: Option<Vec<String>>,
    },
    /// The documents that decide.
    Documents(Documents),
    /// The trail, oldest first.
    Trail(Vec<Event>),
    /// A table in the database.
    AtRest(Box<AtRest>),
    /// The backend tells nothing of this.
    NotTold,
    /// It could not be found out, for this reason.
    Failed(String),
}

/// A decision, and what was asked.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Decided {
    /// The id of the request that needed it, as its caller saw it.
    pub request_id: String,
    /// Whose permissions were looked at: an ARN, or a service's name.
    pub principal: String,
    /// `kms:Decrypt`
    pub action: String,
    /// The ARN.
    pub resource: String,
    /// The verdict, and every statement that was looked at.
    pub decision: Decision,
}

/// What could be read, and what could not.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Documents {
    /// The key's own policy.
    pub key_policy: Option<String>,
    /// The key's grants.
    pub grants: Vec<Grant>,
    /// The caller's policies, each with its text.
    pub identity: Vec<(PolicySource, String)>,
    /// The caller's unique id (`AIDA…`), where it was told.
    pub unique_id: Option<String>,
    /// What could not be read, in sentences: without it the ladder is incomplete.
    pub unread: Vec<String>,
}

/// A record of the sandbox's trail, in CloudTrail's shape; of it what the page shows.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Event {
    /// `2026-01-01T00:00:00Z`
    pub event_time: String,
    /// `Decrypt`
    pub event_name: String,
    /// Who asked.
    pub user_identity: Who,
    /// What was asked.
    #[serde(default)]
    pub request_parameters: Parameters,
    /// The request's id, as its sender saw it.
    #[serde(rename = "requestID")]
    pub request_id: String,
    /// The id of the request that made a service ask.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub caused_by: Option<String>,
    /// `allowed`, `denied` or `failed`
    pub verdict: String,
    /// Whether `kmslab why` asked, or the lab itself.
    #[serde(default, rename = "explains", skip_serializing_if = "std::ops::Not::not")]
    pub is_own: bool,
}

/// CloudTrail's `userIdentity`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Who {
    /// The principal's ARN; none for a service that asks for itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub arn: Option<String>,
    /// The service that asked on the principal's behalf.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub invoked_by: Option<String>,
}

/// CloudTrail's `requestParameters`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Parameters {
    /// The encryption context.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub encryption_context: BTreeMap<String, String>,
}

/// What the sandbox tells of a table.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AtRest {
    /// The database file.
    pub database: String,
    /// The table.
    pub table: String,
    /// The KMS key above the table key; none for the key that DynamoDB owns.
    pub key_arn: Option<String>,
    /// The encryption context of the table key.
    pub encryption_context: Option<BTreeMap<String, String>>,
    /// The table key, as KMS encrypted it.
    pub table_key: Length,
    /// The data key, sealed under the table key: without nonce and tag.
    pub data_key: Length,
    /// How many items there are.
    pub items: u64,
    /// The first of them, in the order in which Scan gives them.
    pub records: Vec<Stored>,
}

/// An encrypted key. Only its length is shown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Length {
    /// In bytes.
    pub bytes: usize,
}

/// An item's row. All bytes are hexadecimal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stored {
    /// 12 bytes.
    pub nonce: String,
    /// The first bytes of the ciphertext.
    pub ciphertext: String,
    /// The length of the whole ciphertext.
    pub bytes: usize,
    /// 16 bytes.
    pub tag: String,
}
