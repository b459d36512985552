//! What policies and tags hang on: users and roles, which have the same operations for both.

use std::collections::BTreeMap;

use super::members;
use super::role::{Role, role_arn};
use super::state::Iam;
use super::user::{InlinePolicy, User};
use crate::policy::ConditionContext;
use crate::sandbox::authorize::Resource;
use crate::sandbox::operation::{Context, Fault, Members, Output};
use crate::sandbox::store::{Store, StoreError};
use crate::sandbox::xml::Xml;

/// 404 `NoSuchEntity`
pub fn no_such_entity(message: String) -> Fault {
    Fault::service(404, "NoSuchEntity", message)
}

/// A user or a role.
pub trait Holder: Clone {
    /// `User`, as in the names of operations and members.
    const KIND: &'static str;
    /// `user`, as in messages.
    const CALLED: &'static str;
    /// AWS's limit for all inline policies together, in characters without white space (IAM guide).
    const MAX_INLINE_SIZE: usize;

    /// Reads the name from a request.
    ///
    /// # Errors
    /// `SerializationException`
    fn parse_name(members: &Members<'_>) -> Result<String, Fault>;

    /// The one of this name.
    fn find<'a>(iam: &'a Iam, name: &str) -> Option<&'a Self>;

    /// The ARN of one with this path and name, whether it exists or not.
    fn arn(iam: &Iam, account: &str, path: &str, name: &str) -> String;

    /// Adds or replaces it.
    ///
    /// # Errors
    /// When the database can't be written.
    fn save(self, iam: &mut Iam, store: &mut Store) -> Result<(), StoreError>;

    /// Its name.
    fn name(&self) -> &str;

    /// Its path.
    fn path(&self) -> &str;

    /// What hangs on it.
    fn held(&mut self) -> Held<'_>;

    /// Its tags.
    fn tags(&self) -> &[(String, String)];
}

/// What hangs on a user or a role.
pub struct Held<'a> {
    /// In the order given.
    pub tags: &'a mut Vec<(String, String)>,
    /// The ARNs of managed policies, in the order they were attached.
    pub attached: &'a mut Vec<String>,
    /// By name.
    pub inline: &'a mut BTreeMap<String, InlinePolicy>,
}

impl Holder for User {
    const KIND: &'static str = "User";
    const CALLED: &'static str = "user";
    const MAX_INLINE_SIZE: usize = 2048;

    fn parse_name(members: &Members<'_>) -> Result<String, Fault> {
        members::user_name(members)
    }

    fn find<'a>(iam: &'a Iam, name: &str) -> Option<&'a Self> {
        iam.user(name)
    }

    fn arn(iam: &Iam, _: &str, path: &str, name: &str) -> String {
        iam.user_arn(path, name)
    }

    fn save(self, iam: &mut Iam, store: &mut Store) -> Result<(), StoreError> {
        iam.save(store, self)
    }

    fn name(&self) -> &str {
        &self.name
    }

    fn path(&self) -> &str {
        &self.path
    }

    fn held(&mut self) -> Held<'_> {
        Held { tags: &mut self.tags, attached: &mut self.attached, inline: &mut self.inline }
    }

    fn tags(&self) -> &[(String, String)] {
        &self.tags
    }
}

impl Holder for Role {
    const KIND: &'static str = "Role";
    const CALLED: &'static str = "role";
    const MAX_INLINE_SIZE: usize = 10_240;

    fn parse_name(members: &Members<'_>) -> Result<String, Fault> {
        members::role_name(members)
    }

    fn find<'a>(iam: &'a Iam, name: &str) -> Option<&'a Self> {
        iam.role(name)
    }

    fn arn(_: &Iam, account: &str, path: &str, name: &str) -> String {
        role_arn(account, path, name)
    }

    fn save(self, iam: &mut Iam, store: &mut Store) -> Result<(), StoreError> {
        iam.save_role(store, self)
    }

    fn name(&self) -> &str {
        &self.name
    }

    fn path(&self) -> &str {
        &self.path
    }

    fn held(&mut self) -> Held<'_> {
        Held { tags: &mut self.tags, attached: &mut self.attached, inline: &mut self.inline }
    }

    fn tags(&self) -> &[(String, String)] {
        &self.tags
    }
}

impl Context<'_> {
    /// The user or role of this name, if the caller is allowed `action` on it. Callers who aren't don't learn whether it
    /// exists.
    pub(super) fn holder<H: Holder>(&mut self, action: &str, name: &str, facts: &ConditionContext) -> Result<H, Fault> {
        let mut facts = facts.clone();
        let iam = &self.account.state.iam;
        let found = H::find(iam, name).cloned();
        let arn = H::arn(iam, &self.account.id, found.as_ref().map_or("/", H::path), name);
        for (key, value) in found.iter().flat_map(H::tags) {
            facts.set(&format!("aws:ResourceTag/{key}"), value).set(&format!("iam:ResourceTag/{key}"), value);
        }
        self.authorize(action, Resource::Arn(&arn), &facts)?;
        found.ok_or_else(|| no_such_entity(format!("The {} with name {name} cannot be found.", H::CALLED)))
    }

    /// Stores a changed user or role, for an operation without output.
    pub(super) fn save<H: Holder>(&mut self, holder: H) -> Result<Output, Fault> {
        let (iam, store) = self.account.iam_mut();
        holder.save(iam, store)?;
        Ok(Xml::new().into())
    }
}
