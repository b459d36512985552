//! The state of KMS, in memory and in the [`Store`], and what falls due in it by the clock.
//!
//! Nothing in memory changes before the store has taken the change.

use std::collections::BTreeMap;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use data_encoding::HEXLOWER_PERMISSIVE;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::ciphertext::{Blob, EncryptionContext};
use super::model::{Alias, Key, KeyRecord, KeyState, Material, MaterialOrigin, Rotation, hex, named_policy};
use crate::policy::{Grant, NamedPolicy, PolicyDocument};
use crate::sandbox::crypto::{Key256, Secret};
use crate::sandbox::entropy::Entropy;
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
        let id = HEXLOWER_PERMISSIVE.decode(self.id.as_bytes()).ok()?.try_into().ok()?;
        Some(Material { id, key: Secret::new(key), created: self.created, origin: self.origin })
    }
}

/// Keys, aliases and grants.
#[derive(Debug, Clone, Default)]
pub struct Kms {
    /// By key id.
    keys: BTreeMap<String, Arc<Key>>,
    /// By name, with the `alias/` prefix.
    aliases: BTreeMap<String, Arc<Alias>>,
}

impl Kms {
    /// Loads all keys, materials, grants and aliases.
    ///
    /// # Errors
    /// When the store can't be read, or holds a key without its material or with a policy that doesn't parse.
    pub fn open(store: &Store) -> Result<Self, StoreError> {
        let tampered = |kind: &str| StoreError::Tampered(kind.to_owned());
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
            kms.keys.insert(id, Arc::new(key));
        }
        for alias in store.load::<Alias>(ALIAS)? {
            kms.aliases.insert(alias.name.clone(), Arc::new(alias));
        }
        Ok(kms)
    }

    /// The key with this id.
    pub fn key(&self, id: &str) -> Option<Arc<Key>> {
        self.keys.get(id).cloned()
    }

    /// All keys, by id.
    pub fn keys(&self) -> impl Iterator<Item = &Arc<Key>> {
        self.keys.values()
    }

    /// The alias with this name.
    pub fn alias(&self, name: &str) -> Option<&Alias> {
        self.aliases.get(name).map(|alias| &**alias)
    }

    /// All aliases, by name.
    pub fn aliases(&self) -> impl Iterator<Item = &Alias> {
        self.aliases.values().map(|alias| &**alias)
    }

    /// The state of a key, without checking permission; `None` when there is no such key. It is the state as of the last
    /// call to KMS: a key whose deletion date has passed since still shows as pending.
    pub fn key_state(&self, arn: &str) -> Option<KeyState> {
        let id = arn.rsplit_once(":key/").map_or(arn, |(_, id)| id);
        self.keys.get(id).map(|key| key.record.state)
    }

    /// Decrypts a 256-bit key for the check at the start. No permission is checked: nobody gets the key.
    pub fn open_unasked(&self, ciphertext: &[u8], context: &EncryptionContext) -> Option<Key256> {
        let blob = Blob::parse(ciphertext)?;
        let key = self.keys.get(&blob.key_id())?;
        let material = key.materials.iter().find(|material| material.id == blob.material())?;
        Key256::from_bytes(&blob.open(&material.symmetric()?, context)?)
    }

    /// Adds a new key.
    ///
    /// # Errors
    /// When the store can't be written.
    pub fn add_key(&mut self, store: &mut Store, key: Key) -> Result<(), StoreError> {
        let id = key.id();
        for material in &key.materials {
            put_material(store, &id, material)?;
        }
        store.put(KEY, &id, &key.record)?;
        self.keys.insert(id, Arc::new(key));
        Ok(())
    }

    /// Changes a key's record, but not its policy.
    ///
    /// # Errors
    /// When the store can't be written.
    pub fn change_key(
        &mut self,
        store: &mut Store,
        id: &str,
        change: impl FnOnce(&mut KeyRecord),
    ) -> Result<(), StoreError> {
        let Some(key) = self.keys.get_mut(id) else { return Ok(()) };
        let mut record = key.record.clone();
        change(&mut record);
        store.put(KEY, id, &record)?;
        Arc::make_mut(key).record = record;
        Ok(())
    }

    /// Replaces the key policy; `policy` is `text`, parsed.
    ///
    /// # Errors
    /// When the store can't be written.
    pub fn set_policy(
        &mut self,
        store: &mut Store,
        id: &str,
        text: String,
        policy: NamedPolicy,
    ) -> Result<(), StoreError> {
        self.change_key(store, id, |record| record.policy = text)?;
        if let Some(key) = self.keys.get_mut(id) {
            Arc::make_mut(key).policy = policy;
        }
        Ok(())
    }

    /// Gives a key a new material that encrypts from now on; the earlier ones still decrypt.
    ///
    /// # Errors
    /// When the store can't be written.
    pub fn add_material(&mut self, store: &mut Store, id: &str, material: Material) -> Result<(), StoreError> {
        let Some(key) = self.keys.get_mut(id) else { return Ok(()) };
        put_material(store, id, &material)?;
        Arc::make_mut(key).materials.push(material);
        Ok(())
    }

    /// Adds or replaces a grant.
    ///
    /// # Errors
    /// When the store can't be written.
    pub fn put_grant(&mut self, store: &mut Store, id: &str, grant: Grant) -> Result<(), StoreError> {
        let Some(key) = self.keys.get_mut(id) else { return Ok(()) };
        store.put(GRANT, &grant.grant_id, &grant)?;
        let grants = &mut Arc::make_mut(key).grants;
        match grants.iter_mut().find(|known| known.grant_id == grant.grant_id) {
            Some(known) => *known = grant,
            None => grants.push(grant),
        }
        Ok(())
    }

    /// Removes a grant.
    ///
    /// # Errors
    /// When the store can't be written.
    pub fn remove_grant(&mut self, store: &mut Store, id: &str, grant_id: &str) -> Result<(), StoreError> {
        let Some(key) = self.keys.get_mut(id) else { return Ok(()) };
        store.delete(GRANT, grant_id)?;
        Arc::make_mut(key).grants.retain(|grant| grant.grant_id != grant_id);
        Ok(())
    }

    /// Adds or replaces an alias.
    ///
    /// # Errors
    /// When the store can't be written.
    pub fn put_alias(&mut self, store: &mut Store, alias: Alias) -> Result<(), StoreError> {
        store.put(ALIAS, &alias.name, &alias)?;
        self.aliases.insert(alias.name.clone(), Arc::new(alias));
        Ok(())
    }

    /// Removes an alias.
    ///
    /// # Errors
    /// When the store can't be written.
    pub fn remove_alias(&mut self, store: &mut Store, name: &str) -> Result<(), StoreError> {
        store.delete(ALIAS, name)?;
        self.aliases.remove(name);
        Ok(())
    }

    /// Replaces a deleted user's ARN by its unique id in key policies and grants, so that a new user of the same name
    /// inherits nothing (KMS guide).
    ///
    /// # Errors
    /// When the store can't be written.
    pub fn principal_deleted(&mut self, store: &mut Store, arn: &str, unique_id: &str) -> Result<(), StoreError> {
        let keys: Vec<Arc<Key>> = self.keys.values().cloned().collect();
        for key in keys.iter().filter(|key| key.policy.document.principals().contains(&arn)) {
            let text = PolicyDocument::rename_principal(&key.record.policy, arn, unique_id);
            // A text that would no longer parse would lock the key for good.
            if let Ok(policy) = named_policy(&key.record.arn, &text) {
                self.set_policy(store, &key.id(), text, policy)?;
            }
        }
        let rename = |name: &mut String| {
            if name == arn {
                unique_id.clone_into(name);
            }
        };
        for key in &keys {
            for known in &key.grants {
                let mut grant = known.clone();
                rename(&mut grant.grantee_principal);
                grant.retiring_principal.iter_mut().for_each(rename);
                if grant != *known {
                    self.put_grant(store, &key.id(), grant)?;
                }
            }
        }
        Ok(())
    }

    /// The keys for which something falls due by `now`, in epoch seconds: their deletion, or their next material by
    /// automatic rotation.
    pub fn due(&self, now: f64) -> Vec<Arc<Key>> {
        let rotates = |key: &Key| key.record.state == KeyState::Enabled && rotation_due(key, now).is_some();
        self.keys.values().filter(|key| deletion_due(key, now) || rotates(key)).cloned().collect()
    }

    /// Does what has fallen due for `key`: deletes it for good, with everything that hangs on it, or gives it its next
    /// material.
    ///
    /// # Errors
    /// When the store can't be written.
    pub fn catch_up(
        &mut self,
        store: &mut Store,
        entropy: &mut Entropy,
        key: &Key,
        now: f64,
    ) -> Result<(), StoreError> {
        match rotation_due(key, now) {
            _ if deletion_due(key, now) => self.delete_key(store, key),
            Some(plan) => self.rotate_automatically(store, entropy, &key.id(), plan, now),
            None => Ok(()),
        }
    }

    fn delete_key(&mut self, store: &mut Store, key: &Key) -> Result<(), StoreError> {
        let id = key.id();
        let aliases = self.aliases.values().filter(|alias| alias.key_id == id).map(|alias| alias.name.clone());
        for name in aliases.collect::<Vec<_>>() {
            self.remove_alias(store, &name)?;
        }
        for grant in &key.grants {
            store.delete(GRANT, &grant.grant_id)?;
        }
        for material in &key.materials {
            store.delete(MATERIAL, &material_id(&id, material))?;
        }
        store.delete(KEY, &id)?;
        self.keys.remove(&id);
        Ok(())
    }

    /// Adds one material, however many periods the clock has jumped over: the others would never have been used.
    fn rotate_automatically(
        &mut self,
        store: &mut Store,
        entropy: &mut Entropy,
        id: &str,
        plan: Rotation,
        now: f64,
    ) -> Result<(), StoreError> {
        let period = f64::from(plan.period_days) * DAY;
        let missed = ((now - plan.next) / period).floor();
        let last_due = plan.next + missed * period;
        self.add_material(store, id, new_material(entropy, 32, last_due, MaterialOrigin::Automatic))?;
        self.change_key(store, id, |record| {
            record.rotation = Some(Rotation { next: last_due + period, ..plan });
        })
    }
}

fn deletion_due(key: &Key, now: f64) -> bool {
    key.record.deletion_date.is_some_and(|date| date <= now)
}

fn rotation_due(key: &Key, now: f64) -> Option<Rotation> {
    key.record.rotation.filter(|plan| plan.next <= now)
}

/// A new key material of `length` random bytes; `created` in epoch seconds.
pub fn new_material(entropy: &mut Entropy, length: usize, created: f64, origin: MaterialOrigin) -> Material {
    Material { id: entropy.bytes(), key: Secret::generate(entropy, length), created, origin }
}

fn material_id(key_id: &str, material: &Material) -> String {
    format!("{key_id}/{}", hex(&material.id))
}

fn put_material(store: &mut Store, key_id: &str, material: &Material) -> Result<(), StoreError> {
    let stored = StoredMaterial::seal(store, key_id, material)?;
    store.put(MATERIAL, &material_id(key_id, material), &stored)
}
