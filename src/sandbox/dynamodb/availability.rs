//! Tables whose KMS key can't be used: DynamoDB notices, and archives a table that has been without its key for seven days
//! (DynamoDB guide).

use serde_json::{Value, json};

use super::table::Table;
use crate::sandbox::kms::model::KeyState;
use crate::sandbox::kms::state::Kms;

/// How long a table may be without its key, in seconds.
const GRACE: f64 = 7.0 * 86_400.0;
/// How long archiving takes, in seconds. AWS's time is not known.
const ARCHIVING: f64 = 600.0;

impl Table {
    /// The table as it is at `now`, if that has changed.
    pub fn noticed(&self, kms: &Kms, now: f64) -> Option<Table> {
        if self.archived_at.is_some() {
            // No key brings it back.
            return None;
        }
        let key = self.encryption.key_arn()?;
        if let Some(since) = self.inaccessible_since.filter(|since| now - since >= GRACE) {
            return Some(Table { archived_at: Some(since + GRACE), ..self.clone() });
        }
        match (kms.key_state(key) == Some(KeyState::Enabled), self.inaccessible_since) {
            (true, Some(_)) => Some(Table { inaccessible_since: None, ..self.clone() }),
            (false, None) => Some(Table { inaccessible_since: Some(now), ..self.clone() }),
            (true, None) | (false, Some(_)) => None,
        }
    }

    /// `ARCHIVING` or `ARCHIVED`.
    pub fn archival(&self, now: f64) -> Option<&'static str> {
        self.archived_at.map(|at| if now < at + ARCHIVING { "ARCHIVING" } else { "ARCHIVED" })
    }

    /// `ArchivalSummary`. The backup has an ARN as AWS makes it, but the sandbox can't restore it.
    pub fn archival_summary(&self, status: &str, at: f64) -> Value {
        let mut summary = json!({ "ArchivalDateTime": at, "ArchivalReason": "INACCESSIBLE_ENCRYPTION_CREDENTIALS" });
        if status == "ARCHIVED" {
            let id = self.id.split('-').next().unwrap_or_default();
            summary["ArchivalBackupArn"] = json!(format!("{}/backup/{:014.0}-{id}", self.arn, at * 1000.0));
        }
        summary
    }
}
