//! IAM: users, their access keys and their policies.
//!
//! ```text
//! call ─▶ Call { input } ─▶ read and check (input) ─▶ allow ─▶ users / keys / policies ─▶ Iam::save ─▶ Xml
//! ```
//! A call is checked in AWS's order: parameters, permission, existence. Everything is written to the store before the
//! copy in memory changes, so that a refused write leaves both as they were.

mod input;
mod keys;
mod managed;
mod policies;
mod simulate;
mod user;
mod users;

use std::collections::{BTreeMap, HashMap};

use zeroize::Zeroizing;

use self::user::{AccessKey, Secret, User};
use super::Xml;
use super::engine::{Engine, Host, RequestContext};
use super::error::{Denial, Fault};
use super::form::Form;
use super::kms::Kms;
use super::service::Service;
use super::store::StoreError;
use super::trail::DecisionRecord;
use super::xml;
use crate::policy::{self, ConditionContext, NamedPolicy, Principal};

const ADMIN: &str = "kmslab-admin";
const ADMINISTRATOR_ACCESS: &str = "arn:aws:iam::aws:policy/AdministratorAccess";
const STORED_AS: &str = "user";

/// Users, access keys and policies.
#[derive(Debug)]
pub struct Iam {
    account: String,
    /// By name in lower case: two names that differ in case only are the same name (IAM guide).
    users: BTreeMap<String, User>,
    /// Whose access key it is: the name in lower case.
    owners: HashMap<String, String>,
    admin: (String, Secret),
}

impl Iam {
    /// Loads the users. Makes sure that `kmslab-admin` is there with `AdministratorAccess` and an active access key:
    /// whoever holds the folder can always get in.
    ///
    /// # Errors
    /// When the store can't be read or written, or holds a policy that can't be read.
    pub fn open(host: &mut Host) -> Result<Self, StoreError> {
        let mut iam = Self {
            account: host.account.clone(),
            users: BTreeMap::new(),
            owners: HashMap::new(),
            admin: (String::new(), Secret::from(String::new())),
        };
        iam.reload(host)?;
        iam.ensure_admin(host)?;
        Ok(iam)
    }

    /// Reads the users again, after a request that had written something was undone.
    ///
    /// # Errors
    /// As [`Iam::open`].
    pub fn reload(&mut self, host: &Host) -> Result<(), StoreError> {
        let users = host.store.load::<User>(STORED_AS)?;
        self.users.clear();
        self.owners.clear();
        for user in users {
            self.remember(user);
        }
        Ok(())
    }

    fn ensure_admin(&mut self, host: &mut Host) -> Result<(), StoreError> {
        let mut admin = self.user(ADMIN).cloned().unwrap_or_else(|| new_user(host, ADMIN, "/", Vec::new()));
        let mut changed = self.user(ADMIN).is_none();
        if !admin.attached.iter().any(|arn| arn == ADMINISTRATOR_ACCESS) {
            admin.attached.push(ADMINISTRATOR_ACCESS.to_owned());
            changed = true;
        }
        let key = match admin.keys.iter().find(|key| key.active) {
            Some(key) => key.clone(),
            None => {
                let key = new_key(host);
                // A user has two keys at most, and those that are left are switched off.
                admin.keys.truncate(keys::MAX_KEYS - 1);
                admin.keys.push(key.clone());
                changed = true;
                key
            }
        };
        if changed {
            self.save(host, admin)?;
        }
        self.admin = (key.id, key.secret);
        Ok(())
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

    /// Whom a policy's `"AWS"` principal means: a user by ARN or unique id, or the root user by ARN or account id. `None`
    /// when there is nobody of that name, or when it belongs to another account.
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

    /// Decides an action where only identity policies count, and keeps the decision for the lesson. `extra` is what the
    /// conditions can see beside the request's own keys.
    ///
    /// # Errors
    /// AWS's denial message.
    pub fn authorize(
        &self,
        host: &mut Host,
        ctx: &RequestContext,
        action: &str,
        resource: &str,
        extra: &ConditionContext,
    ) -> Result<(), String> {
        let mut context = ctx.conditions(host, resource);
        context.merge(extra);
        let call = policy::AccessRequest { principal: &ctx.principal, action, resource, context: &context };
        let decision = policy::decide(&call, &self.policies_of(&ctx.principal));
        let message = decision.message(&call);
        host.decisions.push(DecisionRecord {
            request_id: ctx.answer_id.clone(),
            principal: ctx.principal.arn.clone(),
            action: action.to_owned(),
            resource: resource.to_owned(),
            decision,
        });
        message.map_or(Ok(()), Err)
    }

    fn user(&self, name: &str) -> Option<&User> {
        self.users.get(&name.to_ascii_lowercase()).filter(|user| user.name == name)
    }

    /// The user behind a principal; not one of the same name that came later.
    fn user_of(&self, principal: &Principal) -> Option<&User> {
        let user = self.user(principal.user_name.as_deref()?)?;
        (user.id == principal.unique_id).then_some(user)
    }

    fn user_arn(&self, path: &str, name: &str) -> String {
        Principal::user_at(&self.account, path, name, "").arn
    }

    /// Writes a user down and then takes it over.
    fn save(&mut self, host: &mut Host, user: User) -> Result<(), StoreError> {
        host.store.put(STORED_AS, &user.id, &user)?;
        self.remember(user);
        Ok(())
    }

    fn remember(&mut self, user: User) {
        let name = user.name.to_ascii_lowercase();
        let keys: Vec<String> = user.keys.iter().map(|key| key.id.clone()).collect();
        if let Some(before) = self.users.insert(name.clone(), user) {
            self.forget_keys(&before);
        }
        self.owners.extend(keys.into_iter().map(|key| (key, name.clone())));
    }

    fn remove(&mut self, host: &mut Host, user: &User) -> Result<(), StoreError> {
        host.store.delete(STORED_AS, &user.id)?;
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

fn new_user(host: &mut Host, name: &str, path: &str, tags: Vec<(String, String)>) -> User {
    User {
        name: name.to_owned(),
        path: path.to_owned(),
        id: format!("AIDA{}", host.entropy.alphanumeric_upper(17)),
        created: host.timestamp(),
        tags,
        keys: Vec::new(),
        attached: Vec::new(),
        inline: BTreeMap::new(),
    }
}

fn new_key(host: &mut Host) -> AccessKey {
    AccessKey {
        id: format!("AKIA{}", host.entropy.alphanumeric_upper(16)),
        secret: Secret::from(host.entropy.secret(40)),
        active: true,
        created: host.timestamp(),
    }
}

/// A call under way.
struct Call<'a> {
    iam: &'a mut Iam,
    host: &'a mut Host,
    kms: &'a mut Kms,
    ctx: &'a RequestContext,
    input: &'a Form,
}

type Answer = Result<Xml, Fault>;

impl Call<'_> {
    /// The user a call is about: `UserName`, or else the caller.
    fn named_user(&self) -> Result<String, Fault> {
        match (input::optional_user_name(self.input)?, &self.ctx.principal.user_name) {
            (Some(name), _) => Ok(name.to_owned()),
            (None, Some(caller)) => Ok(caller.clone()),
            (None, None) => Err(input::invalid("Must specify userName when calling with non-User credentials")),
        }
    }

    fn allow(&mut self, action: &str, resource: &str, extra: &ConditionContext) -> Result<(), Fault> {
        self.iam
            .authorize(self.host, self.ctx, action, resource, extra)
            .map_err(|message| Fault::Denied(Denial(message)))
    }

    /// Asks permission for an action on a user and then looks it up: who may not ask doesn't learn who exists.
    fn allowed_user(&mut self, action: &str, name: &str, extra: &ConditionContext) -> Result<User, Fault> {
        let mut context = extra.clone();
        let user = self.iam.user(name).cloned();
        let path = user.as_ref().map_or("/", |user| &user.path);
        let arn = self.iam.user_arn(path, name);
        for (key, value) in user.iter().flat_map(|user| &user.tags) {
            context.set(&format!("aws:ResourceTag/{key}"), value).set(&format!("iam:ResourceTag/{key}"), value);
        }
        self.allow(action, &arn, &context)?;
        user.ok_or_else(|| no_such_entity(format!("The user with name {name} cannot be found.")))
    }
}

/// 404 `NoSuchEntity`
fn no_such_entity(message: String) -> Fault {
    Fault::service(404, "NoSuchEntity", message)
}

/// Ends a list: whether there is more, and where it begins.
fn end_list(out: &mut Xml, next: Option<&str>) {
    xml::leaf(out, "IsTruncated", if next.is_some() { "true" } else { "false" });
    if let Some(marker) = next {
        xml::leaf(out, "Marker", marker);
    }
}

/// One call.
///
/// # Errors
/// AWS's error for it.
pub fn call(engine: &mut Engine, ctx: &RequestContext, action: &str, input: &Form) -> Result<Xml, Fault> {
    let mut call = Call { iam: &mut engine.iam, host: &mut engine.host, kms: &mut engine.kms, ctx, input };
    match action {
        "CreateUser" => call.create_user(),
        "GetUser" => call.get_user(),
        "DeleteUser" => call.delete_user(),
        "ListUsers" => call.list_users(),
        "TagUser" => call.tag_user(),
        "UntagUser" => call.untag_user(),
        "ListUserTags" => call.list_user_tags(),
        "CreateAccessKey" => call.create_access_key(),
        "ListAccessKeys" => call.list_access_keys(),
        "UpdateAccessKey" => call.update_access_key(),
        "DeleteAccessKey" => call.delete_access_key(),
        "AttachUserPolicy" => call.attach_user_policy(),
        "DetachUserPolicy" => call.detach_user_policy(),
        "ListAttachedUserPolicies" => call.list_attached_user_policies(),
        "PutUserPolicy" => call.put_user_policy(),
        "GetUserPolicy" => call.get_user_policy(),
        "DeleteUserPolicy" => call.delete_user_policy(),
        "ListUserPolicies" => call.list_user_policies(),
        "GetPolicy" => call.get_policy(),
        "SimulatePrincipalPolicy" => call.simulate_principal_policy(),
        "GetPolicyVersion" => call.get_policy_version(),
        _ => Err(super::catalog::unknown(Service::Iam, action)),
    }
}

#[cfg(test)]
mod tests;
