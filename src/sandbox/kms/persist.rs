//! How KMS's state is kept in the [`Store`], and what the passing of time does to it.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::Kms;
use super::ciphertext::{Blob, EncryptionContext};
use super::model::{Alias, Key, KeyRecord, KeyState, Material, MaterialOrigin, Rotation, hex};
use crate::policy::Grant;
use crate::sandbox::crypto::Key256;
use crate::sandbox::engine::Host;
use crate::sandbox::store::{Store, StoreError};

const KEY: &str = "kms key";
const MATERIAL: &str = "kms material";
const ALIAS: &str = "kms alias";
const GRANT: &str = "kms grant";

/// Seconds of a day.
pub const DAY: f64 = 86_400.0;

/// A key material as it is stored: sealed once more on its own, so that no JSON text ever holds it in the clear.
#[derive(Serialize, Deserialize)]
struct StoredMaterial {
    key_id: String,
    id: String,
    created: f64,
    origin: MaterialOrigin,
    sealed: String,
}

impl StoredMaterial {
    fn label(key_id: &str, id: &str) -> Vec<u8> {
        format!("kms material {key_id} {id}").into_bytes()
    }

    fn seal(store: &Store, key_id: &str, material: &Material) -> Result<Self, StoreError> {
        let id = hex(&material.id);
        let sealed = store.seal_root(&Self::label(key_id, &id), material.key.expose())?;
        Ok(Self {
            key_id: key_id.to_owned(),
            id,
            created: material.created,
            origin: material.origin,
            sealed: STANDARD.encode(sealed),
        })
    }

    fn open(&self, store: &Store) -> Option<Material> {
        let sealed = STANDARD.decode(&self.sealed).ok()?;
        let key: Zeroizing<Vec<u8>> = store.open_root(&Self::label(&self.key_id, &self.id), &sealed)?;
        let mut id = [0; 32];
        if self.id.len() != 64 || !self.id.is_ascii() {
            return None;
        }
        for (byte, digits) in id.iter_mut().zip(self.id.as_bytes().chunks(2)) {
            *byte = u8::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()?;
        }
        Some(Material { id, key: Key256::from_bytes(&key)?, created: self.created, origin: self.origin })
    }
}

impl Kms {
    /// Loads all keys, materials, grants and aliases.
    ///
    /// # Errors
    /// When the store can't be read, or holds a key without its material or with a policy that doesn't parse.
    pub fn open(host: &mut Host) -> Result<Self, StoreError> {
        let tampered = |kind: &str| StoreError::Tampered(kind.to_owned());
        let store = &host.store;
        let stored: Vec<StoredMaterial> = store.load(MATERIAL)?;
        let grants: Vec<Grant> = store.load(GRANT)?;
        let mut kms = Self::default();
        for record in store.load::<KeyRecord>(KEY)? {
            let id = record.id.to_string();
            let of_key = stored.iter().filter(|material| material.key_id == id);
            let materials: Option<Vec<Material>> = of_key.map(|material| material.open(store)).collect();
            // The store gives them in the order they were made, so the last one is the current one.
            let materials = materials.filter(|m| !m.is_empty()).ok_or_else(|| tampered(MATERIAL))?;
            let grants = grants.iter().filter(|grant| grant.key_id == record.arn).cloned().collect();
            let key = Key::new(record, materials, grants).map_err(|_| tampered(KEY))?;
            kms.keys.insert(id, key);
        }
        for alias in store.load::<Alias>(ALIAS)? {
            kms.aliases.insert(alias.name.clone(), alias);
        }
        Ok(kms)
    }

    /// Opens an encrypted 256-bit key for the check at the start, without asking who may: nobody gets it.
    pub fn open_unasked(&self, ciphertext: &[u8], context: &EncryptionContext) -> Option<Key256> {
        let blob = Blob::parse(ciphertext)?;
        let key = self.keys.get(&blob.key_id())?;
        let material = key.materials.iter().find(|material| material.id == blob.material())?;
        Key256::from_bytes(&blob.open(&material.key, context)?)
    }

    /// Takes up a new key.
    pub(super) fn add_key(&mut self, host: &mut Host, key: Key) -> Result<(), StoreError> {
        let id = key.id();
        for material in &key.materials {
            put_material(host, &id, material)?;
        }
        host.store.put(KEY, &id, &key.record)?;
        self.keys.insert(id, key);
        Ok(())
    }

    /// Changes a key's record. The policy text must already have been parsed if it is what changes.
    pub(super) fn change_key(
        &mut self,
        host: &mut Host,
        id: &str,
        change: impl FnOnce(&mut KeyRecord),
    ) -> Result<(), StoreError> {
        let Some(key) = self.keys.get_mut(id) else { return Ok(()) };
        let mut record = key.record.clone();
        change(&mut record);
        host.store.put(KEY, id, &record)?;
        key.record = record;
        Ok(())
    }

    /// Gives a key a new material that encrypts from now on; the earlier ones still decrypt.
    pub(super) fn add_material(&mut self, host: &mut Host, id: &str, material: Material) -> Result<(), StoreError> {
        let Some(key) = self.keys.get_mut(id) else { return Ok(()) };
        put_material(host, id, &material)?;
        key.materials.push(material);
        Ok(())
    }

    pub(super) fn put_grant(&mut self, host: &mut Host, id: &str, grant: Grant) -> Result<(), StoreError> {
        let Some(key) = self.keys.get_mut(id) else { return Ok(()) };
        host.store.put(GRANT, &grant.grant_id, &grant)?;
        match key.grants.iter_mut().find(|known| known.grant_id == grant.grant_id) {
            Some(known) => *known = grant,
            None => key.grants.push(grant),
        }
        Ok(())
    }

    pub(super) fn remove_grant(&mut self, host: &mut Host, id: &str, grant_id: &str) -> Result<(), StoreError> {
        let Some(key) = self.keys.get_mut(id) else { return Ok(()) };
        host.store.delete(GRANT, grant_id)?;
        key.grants.retain(|grant| grant.grant_id != grant_id);
        Ok(())
    }

    pub(super) fn put_alias(&mut self, host: &mut Host, alias: Alias) -> Result<(), StoreError> {
        host.store.put(ALIAS, &alias.name, &alias)?;
        self.aliases.insert(alias.name.clone(), alias);
        Ok(())
    }

    pub(super) fn remove_alias(&mut self, host: &mut Host, name: &str) -> Result<(), StoreError> {
        host.store.delete(ALIAS, name)?;
        self.aliases.remove(name);
        Ok(())
    }

    /// What has fallen due on the sandbox's clock: keys past their deletion date go, for good and with everything that
    /// hangs on them; keys with automatic rotation get their next material.
    pub(super) fn catch_up(&mut self, host: &mut Host) -> Result<(), StoreError> {
        let now = host.clock.epoch_seconds();
        let due = |key: &&Key| {
            let record = &key.record;
            record.deletion_date.is_some_and(|date| date <= now)
                || record.state == KeyState::Enabled && record.rotation.is_some_and(|plan| plan.next <= now)
        };
        let ids: Vec<String> = self.keys.values().filter(due).map(Key::id).collect();
        for id in ids {
            let deletion = self.keys.get(&id).and_then(|key| key.record.deletion_date);
            if deletion.is_some_and(|date| date <= now) {
                self.delete_key(host, &id)?;
            } else if let Some(plan) = self.keys.get(&id).and_then(|key| key.record.rotation) {
                self.rotate_automatically(host, &id, plan, now)?;
            }
        }
        Ok(())
    }

    fn delete_key(&mut self, host: &mut Host, id: &str) -> Result<(), StoreError> {
        let names: Vec<String> =
            self.aliases.values().filter(|alias| alias.key_id == id).map(|alias| alias.name.clone()).collect();
        for name in names {
            self.remove_alias(host, &name)?;
        }
        let Some(key) = self.keys.get(id) else { return Ok(()) };
        for grant in &key.grants {
            host.store.delete(GRANT, &grant.grant_id)?;
        }
        for material in &key.materials {
            host.store.delete(MATERIAL, &material_id(id, material))?;
        }
        host.store.delete(KEY, id)?;
        self.keys.remove(id);
        Ok(())
    }

    /// One new material, however many periods the clock has jumped over: they would never have been used.
    fn rotate_automatically(&mut self, host: &mut Host, id: &str, plan: Rotation, now: f64) -> Result<(), StoreError> {
        let period = f64::from(plan.period_days) * DAY;
        let missed = ((now - plan.next) / period).floor();
        let last_due = plan.next + missed * period;
        let material = new_material(host, last_due, MaterialOrigin::Automatic);
        self.add_material(host, id, material)?;
        self.change_key(host, id, |record| {
            record.rotation = Some(Rotation { next: last_due + period, ..plan });
        })
    }
}

/// A new key material; `created` in epoch seconds.
pub fn new_material(host: &mut Host, created: f64, origin: MaterialOrigin) -> Material {
    Material { id: host.entropy.bytes(), key: Key256::generate(&mut host.entropy), created, origin }
}

fn material_id(key_id: &str, material: &Material) -> String {
    format!("{key_id}/{}", hex(&material.id))
}

fn put_material(host: &mut Host, key_id: &str, material: &Material) -> Result<(), StoreError> {
    let stored = StoredMaterial::seal(&host.store, key_id, material)?;
    host.store.put(MATERIAL, &material_id(key_id, material), &stored)
}
