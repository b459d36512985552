//! `KeyId` members: the four forms that name a key, and looking one up.

use std::sync::Arc;

use serde_json::json;

use super::ciphertext::EncryptionContext;
use super::error::KmsError;
use super::model::{Key, KeyRecord};
use crate::policy::ConditionContext;
use crate::sandbox::authorize::Resource;
use crate::sandbox::context::Context;
use crate::sandbox::error::{Denial, Fault};
use crate::sandbox::operation::Output;
use crate::sandbox::store::StoreError;
use crate::sandbox::validate::Members;

/// A `KeyId` member, or one like it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyId {
    text: String,
    forms: KeyIdForms,
}

/// The forms of a key id that an operation takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum KeyIdForms {
    /// Key id, key ARN, alias name, alias ARN.
    Any,
    /// Key id or key ARN.
    KeyOnly,
}

/// What a key id names, before anybody has looked whether it exists.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Name {
    /// A key of this account and Region, by its id.
    Key(String),
    /// An alias of this account and Region, with its `alias/` prefix.
    Alias(String),
    /// A key or alias of another account, by its ARN: never visible here, whatever the policies say.
    Foreign(String),
}

/// A key that was looked up.
enum KeyLookup {
    Found { key: Arc<Key>, alias: Option<String> },
    Absent { arn: String, foreign: bool },
}

/// The account and region that ARNs are compared with.
#[derive(Debug, Clone, Copy)]
pub struct Home<'a> {
    /// Twelve digits.
    pub account: &'a str,
    /// `us-east-1`
    pub region: &'a str,
}

impl KeyId {
    /// Any form of key id.
    pub fn any(text: &str) -> Self {
        Self { text: text.to_owned(), forms: KeyIdForms::Any }
    }

    /// Reads a member that takes any form.
    ///
    /// # Errors
    /// `SerializationException`.
    pub fn parse(members: &Members<'_>, name: &str) -> Result<Self, Fault> {
        members.str(name, 1..=2048).map(Self::any)
    }

    /// Reads a member that may be missing and takes any form.
    ///
    /// # Errors
    /// `SerializationException`.
    pub fn optional(members: &Members<'_>, name: &str) -> Result<Option<Self>, Fault> {
        Ok(members.optional_str(name, 1..=2048)?.map(Self::any))
    }

    /// Reads a member that takes no alias.
    ///
    /// # Errors
    /// `SerializationException`.
    pub fn parse_key_only(members: &Members<'_>, name: &str) -> Result<Self, Fault> {
        Ok(Self { forms: KeyIdForms::KeyOnly, ..Self::parse(members, name)? })
    }

    /// The text as given.
    pub fn text(&self) -> &str {
        &self.text
    }
}

impl Home<'_> {
    /// The ARN of a key of this account and Region.
    pub fn key_arn(&self, key_id: &str) -> String {
        format!("arn:aws:kms:{}:{}:key/{key_id}", self.region, self.account)
    }

    /// The ARN of an alias; `name` has the `alias/` prefix.
    pub fn alias_arn(&self, name: &str) -> String {
        format!("arn:aws:kms:{}:{}:{name}", self.region, self.account)
    }

    /// Reads a key id. The sentences are those of AWS's `NotFoundException` (issue threads).
    fn parse(&self, text: &str) -> Result<Name, KmsError> {
        if let Some(rest) = text.strip_prefix("arn:") {
            return self.parse_arn(text, rest);
        }
        if text.starts_with("alias/") {
            return Ok(Name::Alias(text.to_owned()));
        }
        if is_key_id(text) { Ok(Name::Key(text.to_owned())) } else { Err(invalid_key_id(text)) }
    }

    fn parse_arn(&self, text: &str, rest: &str) -> Result<Name, KmsError> {
        let mut parts = rest.splitn(5, ':');
        let (Some("aws"), Some("kms"), Some(region), Some(account), Some(resource)) =
            (parts.next(), parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return Err(KmsError::NotFound("Invalid arn".to_owned()));
        };
        if region != self.region {
            return Err(KmsError::NotFound(format!("Invalid arn {region}")));
        }
        let named = match resource.strip_prefix("key/") {
            Some(id) if is_key_id(id) => Name::Key(id.to_owned()),
            Some(id) => return Err(invalid_key_id(id)),
            None if resource.starts_with("alias/") => Name::Alias(resource.to_owned()),
            None => return Err(KmsError::NotFound("Invalid arn".to_owned())),
        };
        Ok(if account == self.account { named } else { Name::Foreign(text.to_owned()) })
    }
}

fn invalid_key_id(text: &str) -> KmsError {
    KmsError::NotFound(format!("Invalid keyId '{text}'"))
}

/// A uuid, or a multi-Region key's `mrk-` id (the sandbox has none, so it is well-formed and never found).
fn is_key_id(text: &str) -> bool {
    let hex = |s: &str| s.bytes().all(|b| b.is_ascii_hexdigit());
    if let Some(id) = text.strip_prefix("mrk-") {
        return id.len() == 32 && hex(id);
    }
    let groups: Vec<&str> = text.split('-').collect();
    groups.iter().map(|g| g.len()).eq([8, 4, 4, 4, 12]) && groups.iter().all(|g| hex(g))
}

impl Context<'_> {
    /// The account and region.
    pub fn home(&self) -> Home<'_> {
        Home { account: &self.account.id, region: &self.account.region }
    }

    /// The key that `id` names, if the caller is allowed `action` on it.
    ///
    /// # Errors
    /// As [`Context::key_for`].
    pub fn key(&mut self, id: &KeyId, action: &str) -> Result<Arc<Key>, KmsError> {
        self.key_with(id, action, &ConditionContext::default())
    }

    /// The same, with condition keys of the request.
    ///
    /// # Errors
    /// As [`Context::key_for`].
    pub fn key_with(&mut self, id: &KeyId, action: &str, facts: &ConditionContext) -> Result<Arc<Key>, KmsError> {
        self.key_for(id, action, None, facts).map(|(key, _)| key)
    }

    /// The same, for an action that takes an encryption context. With the key comes the id of the grant that allows the
    /// action, if no policy does.
    ///
    /// # Errors
    /// In AWS's order: an alias that doesn't exist is `NotFoundException` for everybody. A key that doesn't exist is
    /// `NotFoundException` only for callers whose identity policies allow the action. Others are denied without learning
    /// whether it exists.
    pub fn key_for(
        &mut self,
        id: &KeyId,
        action: &str,
        encryption_context: Option<&EncryptionContext>,
        facts: &ConditionContext,
    ) -> Result<(Arc<Key>, Option<String>), KmsError> {
        match self.look_up(id)? {
            KeyLookup::Found { key, alias } => {
                let resource = Resource::Key { key: &key, alias: alias.as_deref(), encryption_context };
                let allowed = self.authorize(action, resource, facts)?;
                Ok((key, allowed.grant))
            }
            KeyLookup::Absent { arn, foreign } => {
                let resource = Resource::AbsentKey { arn: &arn, foreign, encryption_context };
                match self.authorize(action, resource, facts) {
                    Ok(_) => Err(KmsError::no_such_key(&arn)),
                    Err(_) => Err(self.absent(action, "this resource")),
                }
            }
        }
    }

    /// The key that a ciphertext names, if the caller is allowed `action` on it.
    ///
    /// # Errors
    /// `AccessDeniedException`, also for a key that is gone: AWS doesn't tell the two apart (issue threads).
    pub fn key_of_ciphertext(
        &mut self,
        key_id: &str,
        action: &str,
        encryption_context: &EncryptionContext,
        facts: &ConditionContext,
    ) -> Result<Arc<Key>, KmsError> {
        match self.account.state.kms.key(key_id) {
            Some(key) => {
                let resource = Resource::Key { key: &key, alias: None, encryption_context: Some(encryption_context) };
                self.authorize(action, resource, facts)?;
                Ok(key)
            }
            None => {
                let arn = self.home().key_arn(key_id);
                let resource =
                    Resource::AbsentKey { arn: &arn, foreign: false, encryption_context: Some(encryption_context) };
                let _ = self.authorize(action, resource, facts);
                Err(self.absent(action, "the resource associated with this ciphertext"))
            }
        }
    }

    /// The key that `text` names, without checking permission.
    ///
    /// # Errors
    /// `NotFoundException`.
    pub fn existing_key(&self, text: &str) -> Result<Arc<Key>, KmsError> {
        match self.look_up(&KeyId::any(text))? {
            KeyLookup::Found { key, .. } => Ok(key),
            KeyLookup::Absent { arn, .. } => Err(KmsError::no_such_key(&arn)),
        }
    }

    /// Changes a key's record, for an operation without output.
    ///
    /// # Errors
    /// When the store can't be written.
    pub fn change_key(&mut self, key: &Key, change: impl FnOnce(&mut KeyRecord)) -> Result<Output, KmsError> {
        let (kms, store) = self.account.kms_mut();
        kms.change_key(store, &key.id(), change)?;
        Ok(json!({}).into())
    }

    /// Does what has fallen due in KMS by the clock: deletions and automatic rotations. To be called before KMS works.
    ///
    /// # Errors
    /// When the store can't be written.
    pub fn catch_up(&mut self) -> Result<(), StoreError> {
        let now = self.account.state.clock.epoch_seconds();
        for key in self.account.state.kms.due(now) {
            let (kms, store) = self.account.kms_mut();
            kms.catch_up(store, &mut self.entropy, &key, now)?;
        }
        Ok(())
    }

    fn look_up(&self, id: &KeyId) -> Result<KeyLookup, KmsError> {
        let (home, kms) = (self.home(), &self.account.state.kms);
        let (key_id, alias) = match home.parse(&id.text)? {
            Name::Foreign(arn) => return Ok(KeyLookup::Absent { arn, foreign: true }),
            Name::Key(id) => (id, None),
            Name::Alias(_) if id.forms == KeyIdForms::KeyOnly => return Err(invalid_key_id(&id.text)),
            Name::Alias(name) => match kms.alias(&name) {
                Some(alias) => (alias.key_id.clone(), Some(name)),
                None => return Err(KmsError::no_such_alias(&home.alias_arn(&name))),
            },
        };
        Ok(match kms.key(&key_id) {
            Some(key) => KeyLookup::Found { key, alias },
            None => KeyLookup::Absent { arn: home.key_arn(&key_id), foreign: false },
        })
    }

    /// AWS's denial for a key that the caller may not know of.
    fn absent(&self, action: &str, resource: &str) -> KmsError {
        KmsError::Denied(Denial(format!(
            "User: {} is not authorized to perform: {action} on {resource} because the resource does not exist in this \
             Region, no resource-based policies allow access, or a resource-based policy explicitly denies access",
            self.caller.principal.arn
        )))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    const ID: &str = "1234abcd-12ab-34cd-56ef-1234567890ab";
    const HOME: Home = Home { account: "111122223333", region: "us-east-1" };

    #[rstest]
    #[case::id(ID, Ok(Name::Key(ID.into())))]
    #[case::arn(&HOME.key_arn(ID), Ok(Name::Key(ID.into())))]
    #[case::alias("alias/a/b", Ok(Name::Alias("alias/a/b".into())))]
    #[case::alias_arn("arn:aws:kms:us-east-1:111122223333:alias/a", Ok(Name::Alias("alias/a".into())))]
    #[case::multi_region("mrk-1234abcd12ab34cd56ef1234567890ab", Ok(Name::Key("mrk-1234abcd12ab34cd56ef1234567890ab".into())))]
    #[case::other_region("arn:aws:kms:us-west-1:111122223333:key/x", Err("Invalid arn us-west-1"))]
    #[case::other_service("arn:aws:iam::111122223333:user/a", Err("Invalid arn"))]
    #[case::short("arn:aws:kms", Err("Invalid arn"))]
    #[case::neither("arn:aws:kms:us-east-1:111122223333:table/a", Err("Invalid arn"))]
    #[case::word("my-key", Err("Invalid keyId 'my-key'"))]
    #[case::almost("1234abcd-12ab-34cd-56ef-1234567890ag", Err("Invalid keyId '1234abcd-12ab-34cd-56ef-1234567890ag'"))]
    fn names(#[case] text: &str, #[case] expected: Result<Name, &str>) {
        assert_eq!(HOME.parse(text), expected.map_err(|sentence| KmsError::NotFound(sentence.to_owned())));
    }

    #[test]
    fn another_account_is_foreign() {
        let arn = HOME.key_arn(ID).replace("1111", "9999");
        assert_eq!(HOME.parse(&arn), Ok(Name::Foreign(arn)));
    }
}
