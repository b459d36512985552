//! Users and their tags.

use super::user::User;
use super::{Answer, Call, end_list, input, new_user};
use crate::policy::ConditionContext;
use crate::sandbox::Xml;
use crate::sandbox::error::Fault;
use crate::sandbox::xml;

/// AWS's quota (IAM guide).
const MAX_USERS: usize = 5000;

impl Call<'_> {
    pub(super) fn create_user(&mut self) -> Answer {
        let name = input::user_name(self.input)?;
        let path = input::path(self.input, "Path")?;
        let tags = input::tags(self.input)?;
        if self.input.get("PermissionsBoundary").is_some() {
            // Making the user without it would give more than was asked for.
            return Err(Fault::service(400, "InvalidInput", "The sandbox has no permissions boundaries."));
        }
        let arn = self.iam.user_arn(path, name);
        self.allow("iam:CreateUser", &arn, &tag_conditions(&tags))?;
        if self.iam.users.contains_key(&name.to_ascii_lowercase()) {
            return Err(Fault::service(409, "EntityAlreadyExists", format!("User with name {name} already exists.")));
        }
        if self.iam.users.len() >= MAX_USERS {
            let message = format!("Cannot exceed quota for UsersPerAccount: {MAX_USERS}");
            return Err(Fault::service(409, "LimitExceeded", message));
        }
        let user = new_user(self.host, name, path, tags);
        let mut out = Xml::new();
        xml::nest(&mut out, "User", |out| self.write_user(out, &user, true));
        self.iam.save(self.host, user)?;
        Ok(out)
    }

    pub(super) fn get_user(&mut self) -> Answer {
        let name = self.named_user()?;
        let user = self.allowed_user("iam:GetUser", &name, &ConditionContext::default())?;
        let mut out = Xml::new();
        xml::nest(&mut out, "User", |out| self.write_user(out, &user, true));
        Ok(out)
    }

    pub(super) fn delete_user(&mut self) -> Answer {
        let name = input::user_name(self.input)?;
        let user = self.allowed_user("iam:DeleteUser", name, &ConditionContext::default())?;
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
        let principal = user.principal(&self.iam.account);
        self.kms.principal_deleted(self.host, &principal.arn, &principal.unique_id)?;
        self.iam.remove(self.host, &user)?;
        Ok(Xml::new())
    }

    pub(super) fn list_users(&mut self) -> Answer {
        let prefix = input::path(self.input, "PathPrefix")?;
        let resource = self.iam.user_arn(prefix, "");
        self.allow("iam:ListUsers", &resource, &ConditionContext::default())?;
        let users = self.iam.users.iter().filter(|(_, user)| user.path.starts_with(prefix));
        let page = input::page(self.input, users, |(key, _)| key)?;
        let mut out = Xml::new();
        // A list shows no tags (IAM guide).
        xml::list(&mut out, "Users", page.items, |out, (_, user)| self.write_user(out, user, false));
        end_list(&mut out, page.next.as_deref());
        Ok(out)
    }

    pub(super) fn tag_user(&mut self) -> Answer {
        let name = input::user_name(self.input)?;
        let tags = input::tags(self.input)?;
        let mut user = self.allowed_user("iam:TagUser", name, &tag_conditions(&tags))?;
        for (key, value) in tags {
            match user.tags.iter_mut().find(|(known, _)| known.eq_ignore_ascii_case(&key)) {
                Some(tag) => *tag = (key, value),
                None => user.tags.push((key, value)),
            }
        }
        if user.tags.len() > input::MAX_TAGS {
            return Err(input::too_many_tags());
        }
        self.iam.save(self.host, user)?;
        Ok(Xml::new())
    }

    pub(super) fn untag_user(&mut self) -> Answer {
        let name = input::user_name(self.input)?;
        let keys: Vec<&str> = self.input.members("TagKeys").collect();
        let mut context = ConditionContext::default();
        for key in &keys {
            context.add("aws:TagKeys", *key);
        }
        let mut user = self.allowed_user("iam:UntagUser", name, &context)?;
        user.tags.retain(|(known, _)| !keys.iter().any(|key| key.eq_ignore_ascii_case(known)));
        self.iam.save(self.host, user)?;
        Ok(Xml::new())
    }

    pub(super) fn list_user_tags(&mut self) -> Answer {
        let name = input::user_name(self.input)?;
        let user = self.allowed_user("iam:ListUserTags", name, &ConditionContext::default())?;
        let page = input::page(self.input, &user.tags, |(key, _)| key)?;
        let mut out = Xml::new();
        xml::list(&mut out, "Tags", page.items, write_tag);
        end_list(&mut out, page.next.as_deref());
        Ok(out)
    }

    fn write_user(&self, out: &mut Xml, user: &User, with_tags: bool) {
        xml::leaf(out, "Path", &user.path);
        xml::leaf(out, "UserName", &user.name);
        xml::leaf(out, "UserId", &user.id);
        xml::leaf(out, "Arn", &self.iam.user_arn(&user.path, &user.name));
        xml::leaf(out, "CreateDate", &user.created);
        if with_tags && !user.tags.is_empty() {
            xml::list(out, "Tags", &user.tags, write_tag);
        }
    }
}

fn write_tag(out: &mut Xml, (key, value): &(String, String)) {
    xml::leaf(out, "Key", key);
    xml::leaf(out, "Value", value);
}

fn tag_conditions(tags: &[(String, String)]) -> ConditionContext {
    let mut context = ConditionContext::default();
    for (key, value) in tags {
        context.set(&format!("aws:RequestTag/{key}"), value).add("aws:TagKeys", key);
    }
    context
}
