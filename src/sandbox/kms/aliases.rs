//! `CreateAlias`, `DeleteAlias`, `UpdateAlias`, `ListAliases`.
//!
//! Each changing call needs permission twice: on the alias, from an identity policy, and on the key (KMS guide).

use serde_json::{Value, json};

use super::authorise::{Ask, Env, Naming, permitted_by_identity};
use super::input::Members;
use super::model::Alias;
use super::page::Page;
use super::{Kms, errors};
use crate::sandbox::error::Fault;

/// Names that begin like this belong to AWS.
const RESERVED: &str = "alias/aws/";
const PATTERN: &str = "^[a-zA-Z0-9:/_-]+$";

fn read_name<'a>(members: &mut Members<'a>) -> Result<&'a str, Fault> {
    let name = members.needed_text("AliasName", 1..=256)?;
    let plain = |c: char| c.is_ascii_alphanumeric() || ":/_-".contains(c);
    if !name.is_empty() && !name.chars().all(plain) {
        let constraint = format!("Member must satisfy regular expression pattern: {PATTERN}");
        members.violation(name, "AliasName", &constraint);
    }
    Ok(name)
}

fn check_name(name: &str) -> Result<(), Fault> {
    let Some(rest) = name.strip_prefix("alias/") else {
        // Recorded on AWS by LocalStack's tests.
        return Err(Fault::invalid(
            "Alias must start with the prefix \"alias/\". Please see \
             https://docs.aws.amazon.com/kms/latest/developerguide/kms-alias.html",
        ));
    };
    if rest.is_empty() {
        return Err(Fault::invalid("Invalid identifier"));
    }
    if name.starts_with(RESERVED) {
        return Err(Fault::bare(400, "NotAuthorizedException"));
    }
    if rest.contains(':') {
        let message = format!("{name} contains invalid characters for an alias");
        return Err(Fault::service(400, "InvalidAliasNameException", message));
    }
    Ok(())
}

fn check_target(target: &str) -> Result<(), Fault> {
    if target.contains("alias/") {
        return Err(Fault::invalid("Aliases must refer to keys. Not aliases"));
    }
    Ok(())
}

pub fn create_alias(kms: &mut Kms, env: &mut Env, input: &Value) -> Result<Value, Fault> {
    let mut members = Members::of(input)?;
    let name = read_name(&mut members)?;
    let target = members.needed_text("TargetKeyId", 1..=2048)?;
    members.finish()?;
    check_name(name)?;
    check_target(target)?;
    let arn = env.home().alias_arn(name);
    permitted_by_identity(env, &arn, &Ask::to("kms:CreateAlias"))?;
    let ask = Ask::to("kms:CreateAlias").fact("kms:RequestAlias", name);
    let key_id = kms.permitted(env, target, Naming::KeyOnly, &ask)?;
    kms.key(&key_id)?.check_changeable()?;
    if kms.aliases.contains_key(name) {
        let message = format!("An alias with the name {arn} already exists");
        return Err(Fault::service(400, "AlreadyExistsException", message));
    }
    let now = env.host.clock.epoch_seconds();
    kms.put_alias(env.host, Alias { name: name.to_owned(), key_id, created: now, updated: now })?;
    Ok(json!({}))
}

pub fn delete_alias(kms: &mut Kms, env: &mut Env, input: &Value) -> Result<Value, Fault> {
    let mut members = Members::of(input)?;
    let name = read_name(&mut members)?;
    members.finish()?;
    check_name(name)?;
    let arn = env.home().alias_arn(name);
    permitted_by_identity(env, &arn, &Ask::to("kms:DeleteAlias"))?;
    let key_id = kms.target_of(name).ok_or_else(|| errors::no_such_alias(&arn))?;
    kms.permitted(env, &key_id, Naming::KeyOnly, &Ask::to("kms:DeleteAlias").fact("kms:RequestAlias", name))?;
    kms.remove_alias(env.host, name)?;
    Ok(json!({}))
}

pub fn update_alias(kms: &mut Kms, env: &mut Env, input: &Value) -> Result<Value, Fault> {
    let mut members = Members::of(input)?;
    let name = read_name(&mut members)?;
    let target = members.needed_text("TargetKeyId", 1..=2048)?;
    members.finish()?;
    check_name(name)?;
    check_target(target)?;
    let arn = env.home().alias_arn(name);
    permitted_by_identity(env, &arn, &Ask::to("kms:UpdateAlias"))?;
    let old = kms.aliases.get(name).cloned().ok_or_else(|| errors::no_such_alias(&arn))?;
    let ask = Ask::to("kms:UpdateAlias").fact("kms:RequestAlias", name);
    kms.permitted(env, &old.key_id, Naming::KeyOnly, &ask)?;
    let key_id = kms.permitted(env, target, Naming::KeyOnly, &ask)?;
    // The key the alias leaves may be pending deletion; the one it goes to may not (KMS guide).
    kms.key(&key_id)?.check_changeable()?;
    let updated = env.host.clock.epoch_seconds();
    kms.put_alias(env.host, Alias { key_id, updated, ..old })?;
    Ok(json!({}))
}

pub fn list_aliases(kms: &mut Kms, env: &mut Env, input: &Value) -> Result<Value, Fault> {
    let mut members = Members::of(input)?;
    let of_key = members.text("KeyId", 1..=2048)?;
    let page = Page::read(&mut members, 1..=100, 50)?;
    members.finish()?;
    permitted_by_identity(env, "*", &Ask::to("kms:ListAliases"))?;
    let of_key = of_key.map(|key| kms.existing(env, key)).transpose()?;
    let home = env.home();
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
    let wanted = |alias: &&Alias| of_key.as_ref().is_none_or(|id| alias.key_id == *id);
    Ok(page.answer("Aliases", kms.aliases.values().filter(wanted).map(entry)))
}

impl Kms {
    fn target_of(&self, alias: &str) -> Option<String> {
        self.aliases.get(alias).map(|alias| alias.key_id.clone())
    }
}
