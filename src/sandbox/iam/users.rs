//! `CreateUser`, `GetUser`, `DeleteUser`, `ListUsers`, `TagUser`, `UntagUser`, `ListUserTags`.

use super::members::{self, Page, invalid};
use super::state::new_user;
use super::user::User;
use crate::policy::ConditionContext;
use crate::sandbox::authorize::Resource;
use crate::sandbox::operation::{Context, Fault, Later, Members, Output, Request};
use crate::sandbox::xml::{self, Xml};

/// AWS's quota (IAM guide).
const MAX_USERS: usize = 5000;

/// 404 `NoSuchEntity`
pub fn no_such_entity(message: String) -> Fault {
    Fault::service(404, "NoSuchEntity", message)
}

impl Context<'_> {
    /// The user of this name; without a name, the caller.
    pub(super) fn named_user(&self, name: Option<String>) -> Result<String, Fault> {
        name.or_else(|| self.caller.principal.user_name.clone())
            .ok_or_else(|| invalid("Must specify userName when calling with non-User credentials"))
    }

    /// The user of this name, if the caller is allowed `action` on it. Callers who aren't don't learn whether it exists.
    pub(super) fn user(&mut self, action: &str, name: &str, facts: &ConditionContext) -> Result<User, Fault> {
        let mut facts = facts.clone();
        let user = self.account.state.iam.user(name).cloned();
        let path = user.as_ref().map_or("/", |user| &user.path);
        let arn = self.account.state.iam.user_arn(path, name);
        for (key, value) in user.iter().flat_map(|user| &user.tags) {
            facts.set(&format!("aws:ResourceTag/{key}"), value).set(&format!("iam:ResourceTag/{key}"), value);
        }
        self.authorize(action, Resource::Arn(&arn), &facts)?;
        user.ok_or_else(|| no_such_entity(format!("The user with name {name} cannot be found.")))
    }

    /// Stores a changed user, for an operation without output.
    pub(super) fn save_user(&mut self, user: User) -> Result<Output, Fault> {
        let (iam, store) = self.account.iam_mut();
        iam.save(store, user)?;
        Ok(Xml::new().into())
    }
}

/// `CreateUser`
pub struct CreateUser {
    name: String,
    path: String,
    tags: Vec<(String, String)>,
}

impl Request for CreateUser {
    fn parse(members: &Members<'_>) -> Result<Self, Fault> {
        let name = members::user_name(members)?;
        let path = members::path(members, "Path")?;
        let tags = members::tags(members)?;
        if members.text("PermissionsBoundary")?.is_some() {
            // Creating the user without it would give more than was asked for.
            return Err(Fault::service(400, "InvalidInput", "The sandbox has no permissions boundaries."));
        }
        Ok(Self { name, path, tags })
    }

    fn run(self, cx: &mut Context<'_>) -> Result<Output, Fault> {
        let Self { name, path, tags } = self;
        let arn = cx.account.state.iam.user_arn(&path, &name);
        cx.authorize("iam:CreateUser", Resource::Arn(&arn), &tag_facts(&tags))?;
        let iam = &cx.account.state.iam;
        if iam.users().any(|(known, _)| known.eq_ignore_ascii_case(&name)) {
            return Err(Fault::service(409, "EntityAlreadyExists", format!("User with name {name} already exists.")));
        }
        if iam.users().count() >= MAX_USERS {
            let message = format!("Cannot exceed quota for UsersPerAccount: {MAX_USERS}");
            return Err(Fault::service(409, "LimitExceeded", message));
        }
        let user = new_user(&mut cx.entropy, &cx.account.state.clock.timestamp(), &name, &path, tags);
        let out = describe(cx, &user);
        cx.save_user(user)?;
        Ok(out.into())
    }
}

/// `GetUser`
pub struct GetUser(Option<String>);

impl Request for GetUser {
    fn parse(members: &Members<'_>) -> Result<Self, Fault> {
        members::optional_user_name(members).map(Self)
    }

    fn run(self, cx: &mut Context<'_>) -> Result<Output, Fault> {
        let name = cx.named_user(self.0)?;
        let user = cx.user("iam:GetUser", &name, &ConditionContext::default())?;
        Ok(describe(cx, &user).into())
    }
}

/// `DeleteUser`
pub struct DeleteUser(String);

impl Request for DeleteUser {
    fn parse(members: &Members<'_>) -> Result<Self, Fault> {
        members::user_name(members).map(Self)
    }

    fn run(self, cx: &mut Context<'_>) -> Result<Output, Fault> {
        let user = cx.user("iam:DeleteUser", &self.0, &ConditionContext::default())?;
        let first = if !user.keys.is_empty() {
            Some("delete access keys")
        } else if !user.attached.is_empty() {
            Some("detach all policies")
        } else if !user.inline.is_empty() {
            Some("delete policies")
        } else {
            None
        };
        if let Some(first) = first {
            let message = format!("Cannot delete entity, must {first} first.");
            return Err(Fault::service(409, "DeleteConflict", message));
        }
        let principal = user.principal(&cx.account.id);
        let (kms, store) = cx.account.kms_mut();
        kms.principal_deleted(store, &principal.arn, &principal.unique_id)?;
        let (iam, store) = cx.account.iam_mut();
        iam.principal_deleted(store, &principal.arn, &principal.unique_id)?;
        iam.remove(store, &user)?;
        Ok(Xml::new().into())
    }
}

/// `ListUsers`
pub struct ListUsers {
    prefix: String,
    page: Later<Page>,
}

impl Request for ListUsers {
    fn parse(members: &Members<'_>) -> Result<Self, Fault> {
        Ok(Self { prefix: members::path(members, "PathPrefix")?, page: Page::parse(members) })
    }

    fn run(self, cx: &mut Context<'_>) -> Result<Output, Fault> {
        let resource = cx.account.state.iam.user_arn(&self.prefix, "");
        cx.authorize("iam:ListUsers", Resource::Arn(&resource), &ConditionContext::default())?;
        let users = cx.account.state.iam.users().filter(|(_, user)| user.path.starts_with(&self.prefix));
        let mut out = Xml::new();
        // A list shows no tags (IAM guide).
        self.page?.write(&mut out, "Users", users, |(key, _)| key, |out, (_, user)| write_user(cx, out, user));
        Ok(out.into())
    }
}

/// `TagUser`
pub struct TagUser {
    name: String,
    tags: Vec<(String, String)>,
}

impl Request for TagUser {
    fn parse(members: &Members<'_>) -> Result<Self, Fault> {
        Ok(Self { name: members::user_name(members)?, tags: members::tags(members)? })
    }

    fn run(self, cx: &mut Context<'_>) -> Result<Output, Fault> {
        let mut user = cx.user("iam:TagUser", &self.name, &tag_facts(&self.tags))?;
        members::add_tags(&mut user.tags, self.tags)?;
        cx.save_user(user)
    }
}

/// `UntagUser`
pub struct UntagUser {
    name: String,
    keys: Vec<String>,
}

impl Request for UntagUser {
    fn parse(members: &Members<'_>) -> Result<Self, Fault> {
        let keys = members.texts("TagKeys")?.into_iter().map(str::to_owned).collect();
        Ok(Self { name: members::user_name(members)?, keys })
    }

    fn run(self, cx: &mut Context<'_>) -> Result<Output, Fault> {
        let mut facts = ConditionContext::default();
        for key in &self.keys {
            facts.add("aws:TagKeys", key);
        }
        let mut user = cx.user("iam:UntagUser", &self.name, &facts)?;
        user.tags.retain(|(known, _)| !self.keys.iter().any(|key| key.eq_ignore_ascii_case(known)));
        cx.save_user(user)
    }
}

/// `ListUserTags`
pub struct ListUserTags {
    name: String,
    page: Later<Page>,
}

impl Request for ListUserTags {
    fn parse(members: &Members<'_>) -> Result<Self, Fault> {
        Ok(Self { name: members::user_name(members)?, page: Page::parse(members) })
    }

    fn run(self, cx: &mut Context<'_>) -> Result<Output, Fault> {
        let user = cx.user("iam:ListUserTags", &self.name, &ConditionContext::default())?;
        let mut out = Xml::new();
        self.page?.write(&mut out, "Tags", &user.tags, |(key, _)| key, write_tag);
        Ok(out.into())
    }
}

/// `<User>` with its tags.
fn describe(cx: &Context<'_>, user: &User) -> Xml {
    let mut out = Xml::new();
    xml::nest(&mut out, "User", |out| {
        write_user(cx, out, user);
        if !user.tags.is_empty() {
            xml::list(out, "Tags", &user.tags, write_tag);
        }
    });
    out
}

fn write_user(cx: &Context<'_>, out: &mut Xml, user: &User) {
    xml::leaf(out, "Path", &user.path);
    xml::leaf(out, "UserName", &user.name);
    xml::leaf(out, "UserId", &user.id);
    xml::leaf(out, "Arn", &cx.account.state.iam.user_arn(&user.path, &user.name));
    xml::leaf(out, "CreateDate", &user.created);
}

pub(super) fn write_tag(out: &mut Xml, (key, value): &(String, String)) {
    xml::leaf(out, "Key", key);
    xml::leaf(out, "Value", value);
}

pub(super) fn tag_facts(tags: &[(String, String)]) -> ConditionContext {
    let mut facts = ConditionContext::default();
    for (key, value) in tags {
        facts.set(&format!("aws:RequestTag/{key}"), value).add("aws:TagKeys", key);
    }
    facts
}
