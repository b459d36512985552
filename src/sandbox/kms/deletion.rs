//! `ScheduleKeyDeletion`, `CancelKeyDeletion`. The deletion itself happens on its date: see `state`.

use serde_json::json;

use super::error::KmsError;
use super::key_id::KeyId;
use super::model::KeyState;
use super::state::DAY;
use crate::sandbox::authorize::facts;
use crate::sandbox::operation::{Context, Fault, Members, Output, Request};

/// Days, when the request doesn't say.
const DEFAULT_WINDOW: i64 = 30;

/// `ScheduleKeyDeletion`
pub struct ScheduleKeyDeletion {
    key: KeyId,
    /// 7–30.
    days: i64,
}

impl Request for ScheduleKeyDeletion {
    fn parse(members: &Members<'_>) -> Result<Self, Fault> {
        Ok(Self {
            key: KeyId::parse_key_only(members, "KeyId")?,
            days: members.integer("PendingWindowInDays", 7..=30)?.unwrap_or(DEFAULT_WINDOW),
        })
    }

    fn run(self, cx: &mut Context<'_>) -> Result<Output, Fault> {
        let asked = facts([("kms:ScheduleKeyDeletionPendingWindowInDays", &self.days.to_string())]);
        let key = cx.key_with(&self.key, "kms:ScheduleKeyDeletion", &asked)?;
        key.check_changeable()?;
        // At most 30 days, which a float holds exactly.
        let date = cx.account.state.clock.epoch_seconds() + self.days as f64 * DAY;
        let (kms, store) = cx.account.kms_mut();
        kms.change_key(store, &key.id(), |record| {
            record.state = KeyState::PendingDeletion;
            record.deletion_date = Some(date);
        })?;
        Ok(json!({
            "KeyId": key.record.arn,
            "DeletionDate": date,
            "KeyState": KeyState::PendingDeletion.to_string(),
            "PendingWindowInDays": self.days,
        })
        .into())
    }
}

/// `CancelKeyDeletion`
pub struct CancelKeyDeletion(KeyId);

impl Request for CancelKeyDeletion {
    fn parse(members: &Members<'_>) -> Result<Self, Fault> {
        KeyId::parse_key_only(members, "KeyId").map(Self)
    }

    fn run(self, cx: &mut Context<'_>) -> Result<Output, Fault> {
        let key = cx.key(&self.0, "kms:CancelKeyDeletion")?;
        let arn = &key.record.arn;
        if key.record.state != KeyState::PendingDeletion {
            return Err(KmsError::NotPendingDeletion(arn.clone()).into());
        }
        let (kms, store) = cx.account.kms_mut();
        kms.change_key(store, &key.id(), |record| {
            // Not Enabled: somebody scheduled the deletion, so somebody has to enable the key (KMS guide).
            record.state = KeyState::Disabled;
            record.deletion_date = None;
        })?;
        Ok(json!({ "KeyId": arn }).into())
    }
}
