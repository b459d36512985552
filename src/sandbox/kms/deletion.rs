//! `ScheduleKeyDeletion`, `CancelKeyDeletion`. The deletion itself happens when the date has come: see `persist`.

use serde_json::{Value, json};

use super::authorise::{Ask, Env, Naming};
use super::input::Members;
use super::model::KeyState;
use super::persist::DAY;
use super::{Kms, errors};
use crate::sandbox::error::Fault;

/// Days, when the request doesn't say.
const DEFAULT_WINDOW: i64 = 30;

pub fn schedule_key_deletion(kms: &mut Kms, env: &mut Env, input: &Value) -> Result<Value, Fault> {
    let mut members = Members::of(input)?;
    let key = members.key_id()?;
    let window = members.integer("PendingWindowInDays", 7..=30)?.unwrap_or(DEFAULT_WINDOW);
    members.finish()?;
    let ask = Ask::to("kms:ScheduleKeyDeletion").fact("kms:ScheduleKeyDeletionPendingWindowInDays", window.to_string());
    let id = kms.permitted(env, key, Naming::KeyOnly, &ask)?;
    let key = kms.key(&id)?;
    key.check_changeable()?;
    let arn = key.record.arn.clone();
    // The window is at most 30 days, which a float holds exactly.
    let date = env.host.clock.epoch_seconds() + window as f64 * DAY;
    kms.change_key(env.host, &id, |record| {
        record.state = KeyState::PendingDeletion;
        record.deletion_date = Some(date);
    })?;
    Ok(json!({
        "KeyId": arn,
        "DeletionDate": date,
        "KeyState": KeyState::PendingDeletion.to_string(),
        "PendingWindowInDays": window,
    }))
}

pub fn cancel_key_deletion(kms: &mut Kms, env: &mut Env, input: &Value) -> Result<Value, Fault> {
    let mut members = Members::of(input)?;
    let key = members.key_id()?;
    members.finish()?;
    let id = kms.permitted(env, key, Naming::KeyOnly, &Ask::to("kms:CancelKeyDeletion"))?;
    let record = &kms.key(&id)?.record;
    let arn = record.arn.clone();
    if record.state != KeyState::PendingDeletion {
        return Err(errors::not_pending_deletion(&arn));
    }
    kms.change_key(env.host, &id, |record| {
        // Not Enabled: somebody wanted it gone, so somebody must want it back (KMS guide).
        record.state = KeyState::Disabled;
        record.deletion_date = None;
    })?;
    Ok(json!({ "KeyId": arn }))
}
