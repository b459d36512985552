//! Point-in-time recovery, as a setting: the sandbox makes no backups, so there is nothing to restore.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// How far the newest restorable time is behind, in seconds. AWS says "typically five minutes" (API reference).
const BEHIND: f64 = 300.0;

/// A table's point-in-time recovery, while it is enabled.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Recovery {
    /// Since when it has been enabled (epoch seconds).
    pub since: f64,
    /// How far back it reaches, in days.
    pub days: u32,
}

/// `ContinuousBackupsDescription`
pub fn describe(recovery: Option<Recovery>, now: f64) -> Value {
    let Some(Recovery { since, days }) = recovery else {
        return json!({
            "ContinuousBackupsStatus": "DISABLED",
            "PointInTimeRecoveryDescription": { "PointInTimeRecoveryStatus": "DISABLED" },
        });
    };
    let earliest = since.max(now - f64::from(days) * 86_400.0);
    json!({
        "ContinuousBackupsStatus": "ENABLED",
        "PointInTimeRecoveryDescription": {
            "PointInTimeRecoveryStatus": "ENABLED",
            "RecoveryPeriodInDays": days,
            "EarliestRestorableDateTime": earliest,
            "LatestRestorableDateTime": earliest.max(now - BEHIND),
        },
    })
}
