//! The state of IAM: users with their access keys and policies, and roles.
//!
//! Everything is written to the store before the copy in memory changes, so that a refused write leaves both as they
//! were.

use std::collections::BTreeMap;
use std::sync::Arc;

use aws_lc_rs::constant_time;
use zeroize::Zeroizing;

use super::managed;
use super::policy::{Known, Policy};
use super::role::{Role, TrustPolicy};
use super::session::{Bearer, Session};
use super::user::{AccessKey, InlinePolicy, Secret, User};
use crate::policy::{NamedPolicy, PolicyDocument, Principal};
use crate::sandbox::clock::Clock;
use crate::sandbox::entropy::Entropy;
use crate::sandbox::error::Unauthenticated;
use crate::sandbox::store::{Store, StoreError};

/// AWS's quota of access keys for a user (IAM guide).
pub const MAX_KEYS: usize = 2;
pub(super) const ADMIN: &str = "kmslab-admin";
pub(super) const ADMINISTRATOR_ACCESS: &str = "arn:aws:iam::aws:policy/AdministratorAccess";
/// The most temporary credentials at a time. AWS throttles instead.
const MAX_SESSIONS: usize = 10_000;
const STORED_AS: &str = "user";
const ROLES_STORED_AS: &str = "role";
const SESSIONS_STORED_AS: &str = "session";
const POLICIES_STORED_AS: &str = "policy";

/// Users, access keys and policies.
#[derive(Debug, Clone)]
pub struct Iam {
    account: String,
    /// By name in lower case: two names that differ in case only are the same name (IAM guide).
    users: BTreeMap<String, Arc<User>>,
    /// Whose access key it is: the name in lower case.
    owners: BTreeMap<String, String>,
    /// By name in lower case.
    roles: BTreeMap<String, Arc<Role>>,
    /// Customer managed policies by ARN.
    policies: BTreeMap<String, Arc<Policy>>,
    /// Temporary credentials by access key id.
    sessions: BTreeMap<String, Arc<Session>>,
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
            roles: BTreeMap::new(),
            policies: BTreeMap::new(),
            sessions: BTreeMap::new(),
            admin: (String::new(), Secret::from(String::new())),
        };
        store.load::<User>(STORED_AS)?.into_iter().for_each(|user| iam.remember(user));
        for role in store.load::<Role>(ROLES_STORED_AS)? {
            iam.roles.insert(role.name.to_ascii_lowercase(), Arc::new(role));
        }
        for policy in store.load::<Policy>(POLICIES_STORED_AS)? {
            iam.policies.insert(policy.arn.clone(), Arc::new(policy));
        }
        for session in store.load::<Session>(SESSIONS_STORED_AS)? {
            iam.sessions.insert(session.id.clone(), Arc::new(session));
        }
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

    /// The principal and the secret of temporary credentials, at `now` in Unix seconds.
    ///
    /// # Errors
    /// [`Unauthenticated::UnknownKey`] when nobody issued the token with this access key id, or its user or role is gone;
    /// [`Unauthenticated::Expired`].
    pub fn secret_of_session(
        &self,
        access_key_id: &str,
        token: &[u8],
        now: i64,
    ) -> Result<(Principal, Zeroizing<String>), Unauthenticated> {
        let session = self.session(access_key_id).ok_or(Unauthenticated::UnknownKey)?;
        constant_time::verify_slices_are_equal(session.token.expose().as_bytes(), token)
            .map_err(|_| Unauthenticated::UnknownKey)?;
        let principal = self.principal_of(session).ok_or(Unauthenticated::UnknownKey)?;
        if session.is_expired(now) {
            return Err(Unauthenticated::Expired);
        }
        Ok((principal, session.secret.expose().clone()))
    }

    /// The principal of temporary credentials; `None` when its user or role is gone.
    fn principal_of(&self, session: &Session) -> Option<Principal> {
        let account = &self.account;
        let principal = match &session.bearer {
            Bearer::User { name, id } => self.user(name).filter(|user| user.id == *id)?.principal(account),
            Bearer::Role { name, id, session, tags, .. } => {
                self.role(name).filter(|role| role.id == *id)?.session(account, session, tags)
            }
        };
        Some(Principal { token_issued: Some(session.issued.clone()), ..principal })
    }

    /// The identity policies of a principal: none for a service, for root, and for a user that is gone.
    pub fn policies_of(&self, principal: &Principal) -> Vec<NamedPolicy> {
        let managed = |arn: &str| self.managed(arn)?.named();
        match self.role_of(principal) {
            Some(role) => role.policies(managed),
            None => self.user_of(principal).map(|user| user.policies(managed)).unwrap_or_default(),
        }
    }

    /// The inline policies of a user or role, by name; `None` for anybody else.
    pub fn inline_of(&self, principal: &Principal) -> Option<&BTreeMap<String, InlinePolicy>> {
        let of_user = || self.user_of(principal).map(|user| &user.inline);
        self.role_of(principal).map(|role| &role.inline).or_else(of_user)
    }

    /// The principal that a policy's `"AWS"` element names: a user or role by ARN or unique id, a role's session by ARN, or
    /// the root user by ARN or account id. `None` if it names nobody in this account.
    pub fn find_principal(&self, arn: &str) -> Option<Principal> {
        let root = Principal::root(&self.account);
        if arn == root.arn || arn == self.account {
            return Some(root);
        }
        if let Some(name) = arn.strip_prefix(&format!("arn:aws:iam::{}:user/", self.account)) {
            let user = self.user(name.rsplit('/').next()?)?;
            return Some(user.principal(&self.account)).filter(|principal| principal.arn == arn);
        }
        if let Some(name) = arn.strip_prefix(&format!("arn:aws:iam::{}:role/", self.account)) {
            let role = self.role(name.rsplit('/').next()?)?;
            return Some(role.principal(&self.account)).filter(|principal| principal.arn == arn);
        }
        if let Some(session) = arn.strip_prefix(&format!("arn:aws:sts::{}:assumed-role/", self.account)) {
            let (role, session) = session.split_once('/')?;
            return Some(self.role(role)?.session(&self.account, session, &[]));
        }
        let user = self.users.values().find(|user| user.id == arn).map(|user| user.principal(&self.account));
        let role = || self.roles.values().find(|role| role.id == arn).map(|role| role.principal(&self.account));
        user.or_else(role)
    }

    /// The managed policy with this ARN: AWS's or a customer's.
    pub fn managed(&self, arn: &str) -> Option<Known> {
        let customer = || self.policies.get(arn).map(|policy| Known::Customer(Arc::clone(policy)));
        managed::find(arn).map(Known::Aws).or_else(customer)
    }

    /// All customer managed policies, by ARN.
    pub fn customer_policies(&self) -> impl Iterator<Item = &Arc<Policy>> {
        self.policies.values()
    }

    /// How many users and roles a managed policy is attached to.
    pub fn attachments(&self, arn: &str) -> usize {
        let is_attached = |arns: &[String]| arns.iter().any(|known| known == arn);
        let of_users = self.users.values().filter(|user| is_attached(&user.attached)).count();
        of_users + self.roles.values().filter(|role| is_attached(&role.attached)).count()
    }

    /// Adds or replaces a customer managed policy.
    ///
    /// # Errors
    /// When the store can't be written.
    pub fn save_policy(&mut self, store: &mut Store, policy: Policy) -> Result<(), StoreError> {
        store.put(POLICIES_STORED_AS, &policy.id, &policy)?;
        self.policies.insert(policy.arn.clone(), Arc::new(policy));
        Ok(())
    }

    /// Removes a customer managed policy.
    ///
    /// # Errors
    /// When the store can't be written.
    pub fn remove_policy(&mut self, store: &mut Store, policy: &Policy) -> Result<(), StoreError> {
        store.delete(POLICIES_STORED_AS, &policy.id)?;
        self.policies.remove(&policy.arn);
        Ok(())
    }

    /// All roles, by name in lower case.
    pub fn roles(&self) -> impl Iterator<Item = (&String, &Role)> {
        self.roles.iter().map(|(name, role)| (name, &**role))
    }

    /// The role of this name.
    pub fn role(&self, name: &str) -> Option<&Role> {
        self.roles.get(&name.to_ascii_lowercase()).map(|role| &**role).filter(|role| role.name == name)
    }

    /// The role with this ARN.
    pub fn role_at(&self, arn: &str) -> Option<&Role> {
        self.role(arn.rsplit('/').next()?).filter(|role| role.arn(&self.account) == arn)
    }

    /// The role behind a principal; not one of the same name that came later.
    pub fn role_of(&self, principal: &Principal) -> Option<&Role> {
        let named = principal.role.as_ref()?;
        self.role_at(&named.arn).filter(|role| role.id == named.unique_id)
    }

    /// Adds or replaces a role.
    ///
    /// # Errors
    /// When the store can't be written.
    pub fn save_role(&mut self, store: &mut Store, role: Role) -> Result<(), StoreError> {
        store.put(ROLES_STORED_AS, &role.id, &role)?;
        self.roles.insert(role.name.to_ascii_lowercase(), Arc::new(role));
        Ok(())
    }

    /// Removes a role.
    ///
    /// # Errors
    /// When the store can't be written.
    pub fn remove_role(&mut self, store: &mut Store, role: &Role) -> Result<(), StoreError> {
        store.delete(ROLES_STORED_AS, &role.id)?;
        self.roles.remove(&role.name.to_ascii_lowercase());
        Ok(())
    }

    /// Temporary credentials by their access key id, expired ones included.
    pub fn session(&self, access_key_id: &str) -> Option<&Session> {
        self.sessions.get(access_key_id).map(|session| &**session)
    }

    /// Adds temporary credentials, and forgets those that expired long before `now`, in Unix seconds. Whether there was
    /// room for them.
    ///
    /// # Errors
    /// When the store can't be written.
    pub fn add_session(&mut self, store: &mut Store, session: Session, now: i64) -> Result<bool, StoreError> {
        let forgotten = self.sessions.values().filter(|session| session.is_forgotten(now));
        for id in forgotten.map(|session| session.id.clone()).collect::<Vec<_>>() {
            store.delete(SESSIONS_STORED_AS, &id)?;
            self.sessions.remove(&id);
        }
        if self.sessions.len() >= MAX_SESSIONS {
            return Ok(false);
        }
        store.put(SESSIONS_STORED_AS, &session.id, &session)?;
        self.sessions.insert(session.id.clone(), Arc::new(session));
        Ok(true)
    }

    /// Replaces a deleted principal's ARN by its unique id in trust policies, so that a new one of the same name inherits
    /// nothing (IAM guide).
    ///
    /// # Errors
    /// When the store can't be written.
    pub fn principal_deleted(&mut self, store: &mut Store, arn: &str, unique_id: &str) -> Result<(), StoreError> {
        let trusting = self.roles.values().filter(|role| role.trust.document.principals().contains(&arn));
        let trusting: Vec<Role> = trusting.map(|role| Role::clone(role)).collect();
        for mut role in trusting {
            let text = PolicyDocument::rename_principal(&role.trust.text, arn, unique_id);
            if let Ok(trust) = TrustPolicy::try_from(text) {
                role.trust = trust;
                self.save_role(store, role)?;
            }
        }
        Ok(())
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
