//! The state of IAM: users with their access keys and policies.
//!
//! Everything is written to the store before the copy in memory changes, so that a refused write leaves both as they
//! were.

use std::collections::BTreeMap;
use std::sync::Arc;

use zeroize::Zeroizing;

use super::user::{AccessKey, Secret, User};
use crate::policy::{NamedPolicy, Principal};
use crate::sandbox::clock::Clock;
use crate::sandbox::entropy::Entropy;
use crate::sandbox::store::{Store, StoreError};

/// AWS's quota of access keys for a user (IAM guide).
pub const MAX_KEYS: usize = 2;
pub(super) const ADMIN: &str = "kmslab-admin";
pub(super) const ADMINISTRATOR_ACCESS: &str = "arn:aws:iam::aws:policy/AdministratorAccess";
const STORED_AS: &str = "user";

/// Users, access keys and policies.
#[derive(Debug, Clone)]
pub struct Iam {
    account: String,
    /// By name in lower case: two names that differ in case only are the same name (IAM guide).
    users: BTreeMap<String, Arc<User>>,
    /// Whose access key it is: the name in lower case.
    owners: BTreeMap<String, String>,
    admin: (String, Secret),
}

impl Iam {
    /// Loads the users. Makes sure that `kmslab-admin` exists with `AdministratorAccess` and an active access key: the
    /// owner of the folder can always get in.
    ///
    /// # Errors
    /// When the store can't be read or written, or holds a policy that can't be read.
    pub fn open(store: &mut Store, account: &str, clock: &Clock, entropy: &mut Entropy) -> Result<Self, StoreError> {
        let mut iam = Self {
            account: account.to_owned(),
            users: BTreeMap::new(),
            owners: BTreeMap::new(),
            admin: (String::new(), Secret::from(String::new())),
        };
        store.load::<User>(STORED_AS)?.into_iter().for_each(|user| iam.remember(user));
        iam.ensure_admin(store, &clock.timestamp(), entropy)?;
        Ok(iam)
    }

    fn ensure_admin(&mut self, store: &mut Store, now: &str, entropy: &mut Entropy) -> Result<(), StoreError> {
        let mut admin = self.user(ADMIN).cloned().unwrap_or_else(|| new_user(entropy, now, ADMIN, "/", Vec::new()));
        let mut changed = self.user(ADMIN).is_none();
        if !admin.attached.iter().any(|arn| arn == ADMINISTRATOR_ACCESS) {
            admin.attached.push(ADMINISTRATOR_ACCESS.to_owned());
            changed = true;
        }
        let key = match admin.keys.iter().find(|key| key.active) {
            Some(key) => key.clone(),
            None => {
                let key = new_key(entropy, now);
                // A user has two keys at most, and those that are left are switched off.
                admin.keys.truncate(MAX_KEYS - 1);
                admin.keys.push(key.clone());
                changed = true;
                key
            }
        };
        if changed {
            self.save(store, admin)?;
        }
        self.admin = (key.id, key.secret);
        Ok(())
    }

    /// All users, by name in lower case.
    pub fn users(&self) -> impl Iterator<Item = (&String, &User)> {
        self.users.iter().map(|(name, user)| (name, &**user))
    }

    /// The access key id and secret of `kmslab-admin`, as they were at the start.
    pub fn admin(&self) -> (String, Zeroizing<String>) {
        (self.admin.0.clone(), self.admin.1.expose().clone())
    }

    /// The owner and the secret of an access key; `None` when it is unknown or switched off.
    pub fn secret_of(&self, access_key_id: &str) -> Option<(Principal, Zeroizing<String>)> {
        let user = self.users.get(self.owners.get(access_key_id)?)?;
        let key = user.keys.iter().find(|key| key.id == access_key_id && key.active)?;
        Some((user.principal(&self.account), key.secret.expose().clone()))
    }

    /// The identity policies of a principal: none for a service, for root, and for a user that is gone.
    pub fn policies_of(&self, principal: &Principal) -> Vec<NamedPolicy> {
        self.user_of(principal).map(User::policies).unwrap_or_default()
    }

    /// The principal that a policy's `"AWS"` element names: a user by ARN or unique id, or the root user by ARN or account id. `None`
    /// if it names nobody in this account.
    pub fn find_principal(&self, arn: &str) -> Option<Principal> {
        let root = Principal::root(&self.account);
        if arn == root.arn || arn == self.account {
            return Some(root);
        }
        if let Some(name) = arn.strip_prefix(&format!("arn:aws:iam::{}:user/", self.account)) {
            let user = self.user(name.rsplit('/').next()?)?;
            return Some(user.principal(&self.account)).filter(|principal| principal.arn == arn);
        }
        self.users.values().find(|user| user.id == arn).map(|user| user.principal(&self.account))
    }

    /// The user of this name.
    pub fn user(&self, name: &str) -> Option<&User> {
        self.users.get(&name.to_ascii_lowercase()).map(|user| &**user).filter(|user| user.name == name)
    }

    /// The user behind a principal; not one of the same name that came later.
    pub fn user_of(&self, principal: &Principal) -> Option<&User> {
        let user = self.user(principal.user_name.as_deref()?)?;
        (user.id == principal.unique_id).then_some(user)
    }

    /// The ARN of a user.
    pub fn user_arn(&self, path: &str, name: &str) -> String {
        Principal::user_at(&self.account, path, name, "").arn
    }

    /// Adds or replaces a user.
    ///
    /// # Errors
    /// When the store can't be written.
    pub fn save(&mut self, store: &mut Store, user: User) -> Result<(), StoreError> {
        store.put(STORED_AS, &user.id, &user)?;
        self.remember(user);
        Ok(())
    }

    fn remember(&mut self, user: User) {
        let name = user.name.to_ascii_lowercase();
        let keys: Vec<String> = user.keys.iter().map(|key| key.id.clone()).collect();
        if let Some(before) = self.users.insert(name.clone(), Arc::new(user)) {
            self.forget_keys(&before);
        }
        self.owners.extend(keys.into_iter().map(|key| (key, name.clone())));
    }

    /// Removes a user.
    ///
    /// # Errors
    /// When the store can't be written.
    pub fn remove(&mut self, store: &mut Store, user: &User) -> Result<(), StoreError> {
        store.delete(STORED_AS, &user.id)?;
        self.users.remove(&user.name.to_ascii_lowercase());
        self.forget_keys(user);
        Ok(())
    }

    fn forget_keys(&mut self, user: &User) {
        for key in &user.keys {
            self.owners.remove(&key.id);
        }
    }
}

/// A new user without permissions.
pub fn new_user(entropy: &mut Entropy, now: &str, name: &str, path: &str, tags: Vec<(String, String)>) -> User {
    User {
        name: name.to_owned(),
        path: path.to_owned(),
        id: format!("AIDA{}", entropy.alphanumeric_upper(17)),
        created: now.to_owned(),
        tags,
        keys: Vec::new(),
        attached: Vec::new(),
        inline: BTreeMap::new(),
    }
}

/// A new access key.
pub fn new_key(entropy: &mut Entropy, now: &str) -> AccessKey {
    AccessKey {
        id: format!("AKIA{}", entropy.alphanumeric_upper(16)),
        secret: Secret::from(entropy.secret(40)),
        active: true,
        created: now.to_owned(),
    }
}
