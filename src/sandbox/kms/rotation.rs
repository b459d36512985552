//! `EnableKeyRotation`, `DisableKeyRotation`, `GetKeyRotationStatus`, `RotateKeyOnDemand`, `ListKeyRotations`.
//!
//! A rotation adds a key material: the newest one encrypts, all of them decrypt, and the key's id stays.

use serde_json::{Value, json};

use super::authorise::{Ask, Env, Naming};
use super::input::Members;
use super::model::{MaterialOrigin, Rotation, hex};
use super::page::Page;
use super::persist::{self, DAY};
use super::{Kms, errors};
use crate::sandbox::error::Fault;

/// Days, when the request doesn't say.
const DEFAULT_PERIOD: i64 = 365;

/// On-demand rotations in a key's life.
const MAX_ON_DEMAND: usize = 25;

pub fn enable_key_rotation(kms: &mut Kms, env: &mut Env, input: &Value) -> Result<Value, Fault> {
    let mut members = Members::of(input)?;
    let key = members.key_id()?;
    let period = members.integer("RotationPeriodInDays", 90..=2560)?.unwrap_or(DEFAULT_PERIOD);
    members.finish()?;
    let period_days = u32::try_from(period).unwrap_or(u32::MAX); // 90..=2560 by now
    let ask = Ask::to("kms:EnableKeyRotation").fact("kms:RotationPeriodInDays", period.to_string());
    let id = kms.permitted(env, key, Naming::KeyOnly, &ask)?;
    let key = kms.key(&id)?;
    key.check_usable()?;
    if key.record.rotation.is_some_and(|plan| plan.period_days == period_days) {
        return Ok(json!({}));
    }
    let next = env.host.clock.epoch_seconds() + f64::from(period_days) * DAY;
    kms.change_key(env.host, &id, |record| record.rotation = Some(Rotation { period_days, next }))?;
    Ok(json!({}))
}

pub fn disable_key_rotation(kms: &mut Kms, env: &mut Env, input: &Value) -> Result<Value, Fault> {
    let mut members = Members::of(input)?;
    let key = members.key_id()?;
    members.finish()?;
    let id = kms.permitted(env, key, Naming::KeyOnly, &Ask::to("kms:DisableKeyRotation"))?;
    kms.key(&id)?.check_usable()?;
    kms.change_key(env.host, &id, |record| record.rotation = None)?;
    Ok(json!({}))
}

pub fn get_key_rotation_status(kms: &mut Kms, env: &mut Env, input: &Value) -> Result<Value, Fault> {
    let mut members = Members::of(input)?;
    let key = members.key_id()?;
    members.finish()?;
    let id = kms.permitted(env, key, Naming::KeyOnly, &Ask::to("kms:GetKeyRotationStatus"))?;
    let record = &kms.key(&id)?.record;
    let mut status = json!({ "KeyRotationEnabled": record.rotation.is_some(), "KeyId": record.arn });
    if let Some(plan) = record.rotation {
        status["RotationPeriodInDays"] = json!(plan.period_days);
        status["NextRotationDate"] = json!(plan.next);
    }
    Ok(status)
}

pub fn rotate_key_on_demand(kms: &mut Kms, env: &mut Env, input: &Value) -> Result<Value, Fault> {
    let mut members = Members::of(input)?;
    let key = members.key_id()?;
    members.finish()?;
    let id = kms.permitted(env, key, Naming::KeyOnly, &Ask::to("kms:RotateKeyOnDemand"))?;
    let key = kms.key(&id)?;
    key.check_usable()?;
    if key.materials.iter().filter(|material| material.origin == MaterialOrigin::OnDemand).count() >= MAX_ON_DEMAND {
        // Recorded on AWS by LocalStack's tests.
        return Err(errors::limit_exceeded(format!(
            "The on-demand rotations limit has been reached for the given keyId. No more on-demand rotations can be \
             performed for this key: {}",
            key.record.arn
        )));
    }
    let arn = key.record.arn.clone();
    let now = env.host.clock.epoch_seconds();
    let material = persist::new_material(env.host, now, MaterialOrigin::OnDemand);
    kms.add_material(env.host, &id, material)?;
    Ok(json!({ "KeyId": arn }))
}

pub fn list_key_rotations(kms: &mut Kms, env: &mut Env, input: &Value) -> Result<Value, Fault> {
    let mut members = Members::of(input)?;
    let key = members.key_id()?;
    let include = members.choice("IncludeKeyMaterial", &["ALL_KEY_MATERIAL", "ROTATIONS_ONLY"])?;
    let page = Page::read(&mut members, 1..=1000, 100)?;
    members.finish()?;
    let id = kms.permitted(env, key, Naming::KeyOnly, &Ask::to("kms:ListKeyRotations"))?;
    let key = kms.key(&id)?;
    let rotations = key.materials.iter().enumerate().filter_map(|(number, material)| {
        let kind = match material.origin {
            MaterialOrigin::First if include != Some("ALL_KEY_MATERIAL") => return None,
            MaterialOrigin::First => None,
            MaterialOrigin::Automatic => Some("AUTOMATIC"),
            MaterialOrigin::OnDemand => Some("ON_DEMAND"),
        };
        let current = material.id == key.current().id;
        let mut rotation = json!({
            "KeyId": key.record.arn,
            "KeyMaterialId": hex(&material.id),
            "KeyMaterialState": if current { "CURRENT" } else { "NON_CURRENT" },
        });
        if let Some(kind) = kind {
            rotation["RotationDate"] = json!(material.created);
            rotation["RotationType"] = json!(kind);
        }
        Some((format!("{number:06}"), rotation))
    });
    Ok(page.answer("Rotations", rotations))
}
