//! Access keys.

use super::user::AccessKey;
use super::{Answer, Call, end_list, input, new_key, no_such_entity};
use crate::policy::ConditionContext;
use crate::sandbox::Xml;
use crate::sandbox::error::Fault;
use crate::sandbox::xml;

/// AWS's quota (IAM guide).
pub(super) const MAX_KEYS: usize = 2;

impl Call<'_> {
    pub(super) fn create_access_key(&mut self) -> Answer {
        let name = self.named_user()?;
        let mut user = self.allowed_user("iam:CreateAccessKey", &name, &ConditionContext::default())?;
        if user.keys.len() >= MAX_KEYS {
            let message = format!("Cannot exceed quota for AccessKeysPerUser: {MAX_KEYS}");
            return Err(Fault::service(409, "LimitExceeded", message));
        }
        let key = new_key(self.host);
        let mut out = Xml::new();
        xml::nest(&mut out, "AccessKey", |out| {
            write_key(out, &name, &key);
            // The only time the secret is shown.
            xml::leaf(out, "SecretAccessKey", key.secret.expose());
        });
        user.keys.push(key);
        self.iam.save(self.host, user)?;
        Ok(out)
    }

    pub(super) fn list_access_keys(&mut self) -> Answer {
        let name = self.named_user()?;
        let user = self.allowed_user("iam:ListAccessKeys", &name, &ConditionContext::default())?;
        let page = input::page(self.input, &user.keys, |key| &key.id)?;
        let mut out = Xml::new();
        xml::leaf(&mut out, "UserName", &name);
        xml::list(&mut out, "AccessKeyMetadata", page.items, |out, key| write_key(out, &name, key));
        end_list(&mut out, page.next.as_deref());
        Ok(out)
    }

    pub(super) fn update_access_key(&mut self) -> Answer {
        let id = input::access_key_id(self.input)?;
        let active = input::status(self.input)?;
        let name = self.named_user()?;
        let mut user = self.allowed_user("iam:UpdateAccessKey", &name, &ConditionContext::default())?;
        let key = user.keys.iter_mut().find(|key| key.id == id).ok_or_else(|| no_such_key(id))?;
        key.active = active;
        self.iam.save(self.host, user)?;
        Ok(Xml::new())
    }

    pub(super) fn delete_access_key(&mut self) -> Answer {
        let id = input::access_key_id(self.input)?;
        let name = self.named_user()?;
        let mut user = self.allowed_user("iam:DeleteAccessKey", &name, &ConditionContext::default())?;
        let at = user.keys.iter().position(|key| key.id == id).ok_or_else(|| no_such_key(id))?;
        user.keys.remove(at);
        self.iam.save(self.host, user)?;
        Ok(Xml::new())
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
