//! `CreateAlias`, `DeleteAlias`, `UpdateAlias`, `ListAliases`.
//!
//! Each call that changes an alias needs permission twice: on the alias, from an identity policy, and on the key (KMS
//! guide).

use serde_json::json;

use super::error::KmsError;
use super::key_id::KeyId;
use super::model::Alias;
use super::page::Page;
use crate::policy::ConditionContext;
use crate::sandbox::authorize::{Resource, facts};
use crate::sandbox::operation::{Context, Fault, Members, Output, Request};

/// Names that begin like this belong to AWS.
const RESERVED: &str = "alias/aws/";
const PATTERN: &str = "^[a-zA-Z0-9:/_-]+$";

fn parse_name(members: &Members<'_>) -> Result<String, Fault> {
    let name = members.str("AliasName", 1..=256)?;
    let plain = |c: char| c.is_ascii_alphanumeric() || ":/_-".contains(c);
    if !name.chars().all(plain) {
        members.violation("AliasName", name, format_args!("Member must satisfy regular expression pattern: {PATTERN}"));
    }
    Ok(name.to_owned())
}

fn check_name(name: &str) -> Result<(), KmsError> {
    let Some(rest) = name.strip_prefix("alias/") else {
        // Recorded on AWS by LocalStack's tests.
        return Err(KmsError::Invalid(
            "Alias must start with the prefix \"alias/\". Please see \
             https://docs.aws.amazon.com/kms/latest/developerguide/kms-alias.html"
                .to_owned(),
        ));
    };
    if rest.is_empty() {
        return Err(KmsError::Invalid("Invalid identifier".to_owned()));
    }
    if name.starts_with(RESERVED) {
        return Err(KmsError::ReservedAlias);
    }
    if rest.contains(':') {
        return Err(KmsError::InvalidAliasName(format!("{name} contains invalid characters for an alias")));
    }
    Ok(())
}

/// An alias and the key it is to name.
struct AliasTarget {
    name: String,
    target: KeyId,
}

impl AliasTarget {
    fn parse(members: &Members<'_>) -> Result<Self, Fault> {
        Ok(Self { name: parse_name(members)?, target: KeyId::parse_key_only(members, "TargetKeyId")? })
    }

    /// Checks the names and the permission on the alias, and returns the alias's ARN.
    fn authorize(&self, cx: &mut Context<'_>, action: &str) -> Result<String, KmsError> {
        check_name(&self.name)?;
        if self.target.text().contains("alias/") {
            return Err(KmsError::Invalid("Aliases must refer to keys. Not aliases".to_owned()));
        }
        let arn = cx.home().alias_arn(&self.name);
        cx.authorize(action, Resource::Arn(&arn), &ConditionContext::default())?;
        Ok(arn)
    }
}

/// `CreateAlias`
pub struct CreateAlias(AliasTarget);

impl Request for CreateAlias {
    fn parse(members: &Members<'_>) -> Result<Self, Fault> {
        AliasTarget::parse(members).map(Self)
    }

    fn run(self, cx: &mut Context<'_>) -> Result<Output, Fault> {
        let arn = self.0.authorize(cx, "kms:CreateAlias")?;
        let AliasTarget { name, target } = self.0;
        let key = cx.key_with(&target, "kms:CreateAlias", &facts([("kms:RequestAlias", &name)]))?;
        key.check_changeable()?;
        if cx.account.state.kms.alias(&name).is_some() {
            return Err(KmsError::AlreadyExists(format!("An alias with the name {arn} already exists")).into());
        }
        let now = cx.account.state.clock.epoch_seconds();
        let alias = Alias { name, key_id: key.id(), created: now, updated: now };
        let (kms, store) = cx.account.kms_mut();
        kms.put_alias(store, alias)?;
        Ok(json!({}).into())
    }
}

/// `DeleteAlias`
pub struct DeleteAlias(String);

impl Request for DeleteAlias {
    fn parse(members: &Members<'_>) -> Result<Self, Fault> {
        parse_name(members).map(Self)
    }

    fn run(self, cx: &mut Context<'_>) -> Result<Output, Fault> {
        check_name(&self.0)?;
        let arn = cx.home().alias_arn(&self.0);
        cx.authorize("kms:DeleteAlias", Resource::Arn(&arn), &ConditionContext::default())?;
        let alias = cx.account.state.kms.alias(&self.0).ok_or_else(|| KmsError::no_such_alias(&arn))?;
        let key = KeyId::any(&alias.key_id);
        cx.key_with(&key, "kms:DeleteAlias", &facts([("kms:RequestAlias", &self.0)]))?;
        let (kms, store) = cx.account.kms_mut();
        kms.remove_alias(store, &self.0)?;
        Ok(json!({}).into())
    }
}

/// `UpdateAlias`
pub struct UpdateAlias(AliasTarget);

impl Request for UpdateAlias {
    fn parse(members: &Members<'_>) -> Result<Self, Fault> {
        AliasTarget::parse(members).map(Self)
    }

    fn run(self, cx: &mut Context<'_>) -> Result<Output, Fault> {
        let arn = self.0.authorize(cx, "kms:UpdateAlias")?;
        let AliasTarget { name, target } = self.0;
        let old = cx.account.state.kms.alias(&name).cloned().ok_or_else(|| KmsError::no_such_alias(&arn))?;
        let named = facts([("kms:RequestAlias", &name)]);
        cx.key_with(&KeyId::any(&old.key_id), "kms:UpdateAlias", &named)?;
        let key = cx.key_with(&target, "kms:UpdateAlias", &named)?;
        // The key the alias leaves may be pending deletion; the one it goes to may not (KMS guide).
        key.check_changeable()?;
        let updated = cx.account.state.clock.epoch_seconds();
        let (kms, store) = cx.account.kms_mut();
        kms.put_alias(store, Alias { key_id: key.id(), updated, ..old })?;
        Ok(json!({}).into())
    }
}

/// `ListAliases`
pub struct ListAliases {
    key: Option<KeyId>,
    page: Page,
}

impl Request for ListAliases {
    fn parse(members: &Members<'_>) -> Result<Self, Fault> {
        Ok(Self { key: KeyId::optional(members, "KeyId")?, page: Page::parse(members, 1..=100, 50)? })
    }

    fn run(self, cx: &mut Context<'_>) -> Result<Output, Fault> {
        cx.authorize("kms:ListAliases", Resource::Arn("*"), &ConditionContext::default())?;
        let key = self.key.map(|key| cx.existing_key(key.text())).transpose()?.map(|key| key.id());
        let wanted = |alias: &&Alias| key.as_ref().is_none_or(|id| alias.key_id == *id);
        let home = cx.home();
        let entry = |alias: &Alias| {
            let item = json!({
                "AliasName": alias.name,
                "AliasArn": home.alias_arn(&alias.name),
                "TargetKeyId": alias.key_id,
                "CreationDate": alias.created,
                "LastUpdatedDate": alias.updated,
            });
            (alias.name.clone(), item)
        };
        Ok(self.page.output("Aliases", cx.account.state.kms.aliases().filter(wanted).map(entry)).into())
    }
}
