//! `CreateUser`, `GetUser`, `DeleteUser`, `ListUsers`.

use super::holder_tags::{tag_facts, write_tag};
use super::members::{self, Page, invalid};
use super::state::new_user;
use super::user::User;
use crate::policy::ConditionContext;
use crate::sandbox::authorize::Resource;
use crate::sandbox::operation::{Context, Fault, Later, Members, Output, Request};
use crate::sandbox::xml::{self, Xml};

/// AWS's quota (IAM guide).
const MAX_USERS: usize = 5000;

impl Context<'_> {
    /// The user of this name; without a name, the caller.
    pub(super) fn named_user(&self, name: Option<String>) -> Result<String, Fault> {
        name.or_else(|| self.caller.principal.user_name.clone())
            .ok_or_else(|| invalid("Must specify userName when calling with non-User credentials"))
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
        cx.save(user)?;
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
        let user: User = cx.holder("iam:GetUser", &name, &ConditionContext::default())?;
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
        let user: User = cx.holder("iam:DeleteUser", &self.0, &ConditionContext::default())?;
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
