//! `CreateAccessKey`, `ListAccessKeys`, `UpdateAccessKey`, `DeleteAccessKey`.

use super::holder::no_such_entity;
use super::members::{self, Page};
use super::state::{MAX_KEYS, new_key};
use super::user::{AccessKey, User};
use crate::policy::ConditionContext;
use crate::sandbox::operation::{Context, Fault, Later, Members, Output, Request};
use crate::sandbox::xml::{self, Xml};

/// `CreateAccessKey`
pub struct CreateAccessKey(Option<String>);

impl Request for CreateAccessKey {
    fn parse(members: &Members<'_>) -> Result<Self, Fault> {
        members::optional_user_name(members).map(Self)
    }

    fn run(self, cx: &mut Context<'_>) -> Result<Output, Fault> {
        let name = cx.named_user(self.0)?;
        let mut user: User = cx.holder("iam:CreateAccessKey", &name, &ConditionContext::default())?;
        if user.keys.len() >= MAX_KEYS {
            let message = format!("Cannot exceed quota for AccessKeysPerUser: {MAX_KEYS}");
            return Err(Fault::service(409, "LimitExceeded", message));
        }
        let key = new_key(&mut cx.entropy, &cx.account.state.clock.timestamp());
        let mut out = Xml::new();
        xml::nest(&mut out, "AccessKey", |out| {
            write_key(out, &name, &key);
            // The only time the secret is shown.
            xml::leaf(out, "SecretAccessKey", key.secret.expose());
        });
        user.keys.push(key);
        cx.save(user)?;
        Ok(out.into())
    }
}

/// `ListAccessKeys`
pub struct ListAccessKeys {
    user: Option<String>,
    page: Later<Page>,
}

impl Request for ListAccessKeys {
    fn parse(members: &Members<'_>) -> Result<Self, Fault> {
        Ok(Self { user: members::optional_user_name(members)?, page: Page::parse(members) })
    }

    fn run(self, cx: &mut Context<'_>) -> Result<Output, Fault> {
        let name = cx.named_user(self.user)?;
        let user: User = cx.holder("iam:ListAccessKeys", &name, &ConditionContext::default())?;
        let mut out = Xml::new();
        xml::leaf(&mut out, "UserName", &name);
        let write = |out: &mut Xml, key: &AccessKey| write_key(out, &name, key);
        self.page?.write(&mut out, "AccessKeyMetadata", &user.keys, |key| &key.id, write);
        Ok(out.into())
    }
}

/// `UpdateAccessKey`
pub struct UpdateAccessKey {
    id: String,
    active: bool,
    user: Option<String>,
}

impl Request for UpdateAccessKey {
    fn parse(members: &Members<'_>) -> Result<Self, Fault> {
        Ok(Self {
            id: members::access_key_id(members)?,
            active: members.required_choice("Status", &["Active", "Inactive"])? == "Active",
            user: members::optional_user_name(members)?,
        })
    }

    fn run(self, cx: &mut Context<'_>) -> Result<Output, Fault> {
        let name = cx.named_user(self.user)?;
        let mut user: User = cx.holder("iam:UpdateAccessKey", &name, &ConditionContext::default())?;
        let key = user.keys.iter_mut().find(|key| key.id == self.id).ok_or_else(|| no_such_key(&self.id))?;
        key.active = self.active;
        cx.save(user)
    }
}

/// `DeleteAccessKey`
pub struct DeleteAccessKey {
    id: String,
    user: Option<String>,
}

impl Request for DeleteAccessKey {
    fn parse(members: &Members<'_>) -> Result<Self, Fault> {
        Ok(Self { id: members::access_key_id(members)?, user: members::optional_user_name(members)? })
    }

    fn run(self, cx: &mut Context<'_>) -> Result<Output, Fault> {
        let name = cx.named_user(self.user)?;
        let mut user: User = cx.holder("iam:DeleteAccessKey", &name, &ConditionContext::default())?;
        let at = user.keys.iter().position(|key| key.id == self.id).ok_or_else(|| no_such_key(&self.id))?;
        user.keys.remove(at);
        cx.save(user)
    }
}

fn no_such_key(id: &str) -> Fault {
    no_such_entity(format!("The Access Key with id {id} cannot be found."))
}

fn write_key(out: &mut Xml, user: &str, key: &AccessKey) {
    xml::leaf(out, "UserName", user);
    xml::leaf(out, "AccessKeyId", &key.id);
    xml::leaf(out, "Status", key.status());
    xml::leaf(out, "CreateDate", &key.created);
}
