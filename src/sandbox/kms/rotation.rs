//! `EnableKeyRotation`, `DisableKeyRotation`, `GetKeyRotationStatus`, `RotateKeyOnDemand`, `ListKeyRotations`.
//!
//! A rotation adds a key material: the newest one encrypts, all of them decrypt, and the key's id stays.

use serde_json::{Value, json};

use super::error::KmsError;
use super::key_id::KeyId;
use super::model::{Key, Material, MaterialOrigin, Rotation, hex};
use super::page::Page;
use super::state::{DAY, new_material};
use crate::sandbox::authorize::facts;
use crate::sandbox::operation::{Context, Fault, Members, Output, Request};

/// Days, when the request doesn't say.
const DEFAULT_PERIOD: i64 = 365;

/// On-demand rotations in a key's life.
const MAX_ON_DEMAND: usize = 25;

/// `EnableKeyRotation`
pub struct EnableKeyRotation {
    key: KeyId,
    /// 90–2560.
    period: i64,
}

impl Request for EnableKeyRotation {
    fn parse(members: &Members<'_>) -> Result<Self, Fault> {
        Ok(Self {
            key: KeyId::parse_key_only(members, "KeyId")?,
            period: members.integer("RotationPeriodInDays", 90..=2560)?.unwrap_or(DEFAULT_PERIOD),
        })
    }

    fn run(self, cx: &mut Context<'_>) -> Result<Output, Fault> {
        let asked = facts([("kms:RotationPeriodInDays", &self.period.to_string())]);
        let key = cx.key_with(&self.key, "kms:EnableKeyRotation", &asked)?;
        key.check_usable()?;
        key.check_rotates()?;
        let period_days = u32::try_from(self.period).unwrap_or(u32::MAX);
        if key.record.rotation.is_none_or(|plan| plan.period_days != period_days) {
            let next = cx.account.state.clock.epoch_seconds() + f64::from(period_days) * DAY;
            let plan = Some(Rotation { period_days, next });
            let (kms, store) = cx.account.kms_mut();
            kms.change_key(store, &key.id(), |record| record.rotation = plan)?;
        }
        Ok(json!({}).into())
    }
}

/// `DisableKeyRotation`
pub struct DisableKeyRotation(KeyId);

impl Request for DisableKeyRotation {
    fn parse(members: &Members<'_>) -> Result<Self, Fault> {
        KeyId::parse_key_only(members, "KeyId").map(Self)
    }

    fn run(self, cx: &mut Context<'_>) -> Result<Output, Fault> {
        let key = cx.key(&self.0, "kms:DisableKeyRotation")?;
        key.check_usable()?;
        key.check_rotates()?;
        Ok(cx.change_key(&key, |record| record.rotation = None)?)
    }
}

/// `GetKeyRotationStatus`
pub struct GetKeyRotationStatus(KeyId);

impl Request for GetKeyRotationStatus {
    fn parse(members: &Members<'_>) -> Result<Self, Fault> {
        KeyId::parse_key_only(members, "KeyId").map(Self)
    }

    fn run(self, cx: &mut Context<'_>) -> Result<Output, Fault> {
        let key = cx.key(&self.0, "kms:GetKeyRotationStatus")?;
        key.check_rotates()?;
        let rotation = key.record.rotation;
        let mut status = json!({ "KeyRotationEnabled": rotation.is_some(), "KeyId": key.record.arn });
        if let Some(plan) = rotation {
            status["RotationPeriodInDays"] = json!(plan.period_days);
            status["NextRotationDate"] = json!(plan.next);
        }
        Ok(status.into())
    }
}

/// `RotateKeyOnDemand`
pub struct RotateKeyOnDemand(KeyId);

impl Request for RotateKeyOnDemand {
    fn parse(members: &Members<'_>) -> Result<Self, Fault> {
        KeyId::parse_key_only(members, "KeyId").map(Self)
    }

    fn run(self, cx: &mut Context<'_>) -> Result<Output, Fault> {
        let key = cx.key(&self.0, "kms:RotateKeyOnDemand")?;
        key.check_usable()?;
        key.check_rotates()?;
        let on_demand = key.materials.iter().filter(|material| material.origin == MaterialOrigin::OnDemand);
        if on_demand.count() >= MAX_ON_DEMAND {
            // Recorded on AWS by LocalStack's tests.
            return Err(KmsError::LimitExceeded(format!(
                "The on-demand rotations limit has been reached for the given keyId. No more on-demand rotations can be \
                 performed for this key: {}",
                key.record.arn
            ))
            .into());
        }
        let now = cx.account.state.clock.epoch_seconds();
        let material = new_material(&mut cx.entropy, 32, now, MaterialOrigin::OnDemand);
        let (kms, store) = cx.account.kms_mut();
        kms.add_material(store, &key.id(), material)?;
        Ok(json!({ "KeyId": key.record.arn }).into())
    }
}

/// `ListKeyRotations`
pub struct ListKeyRotations {
    key: KeyId,
    /// Whether to list the material that the key was created with, too.
    all_materials: bool,
    page: Page,
}

impl Request for ListKeyRotations {
    fn parse(members: &Members<'_>) -> Result<Self, Fault> {
        let key = KeyId::parse_key_only(members, "KeyId")?;
        let include = members.choice("IncludeKeyMaterial", &["ALL_KEY_MATERIAL", "ROTATIONS_ONLY"])?;
        let page = Page::parse(members, 1..=1000, 100)?;
        Ok(Self { key, all_materials: include == Some("ALL_KEY_MATERIAL"), page })
    }

    fn run(self, cx: &mut Context<'_>) -> Result<Output, Fault> {
        let key = cx.key(&self.key, "kms:ListKeyRotations")?;
        key.check_rotates()?;
        let numbered = key.materials.iter().enumerate();
        let listed = numbered.filter(|(_, material)| self.all_materials || material.origin != MaterialOrigin::First);
        let entry = |(number, material)| (format!("{number:06}"), describe(&key, material));
        Ok(self.page.output("Rotations", listed.map(entry)).into())
    }
}

/// An item of `ListKeyRotations`.
fn describe(key: &Key, material: &Material) -> Value {
    let current = material.id == key.current().id;
    let mut rotation = json!({
        "KeyId": key.record.arn,
        "KeyMaterialId": hex(&material.id),
        "KeyMaterialState": if current { "CURRENT" } else { "NON_CURRENT" },
    });
    let kind = match material.origin {
        MaterialOrigin::First => return rotation,
        MaterialOrigin::Automatic => "AUTOMATIC",
        MaterialOrigin::OnDemand => "ON_DEMAND",
    };
    rotation["RotationDate"] = json!(material.created);
    rotation["RotationType"] = json!(kind);
    rotation
}
