//! `CreateKey`, `DescribeKey`, `ListKeys`, `EnableKey`, `DisableKey`, `UpdateKeyDescription`.

use serde_json::{Value, json};

use super::authorise::{Ask, Env, Naming, Options, keeps_control, permitted_by_identity};
use super::input::Members;
use super::model::{ENCRYPT_DECRYPT, Key, KeyManager, KeyRecord, KeyState, MaterialOrigin, SYMMETRIC_DEFAULT};
use super::page::Page;
use super::{Kms, errors, persist, policies, tags};
use crate::sandbox::error::Fault;

const KEY_SPECS: [&str; 17] = [
    "RSA_2048",
    "RSA_3072",
    "RSA_4096",
    "ECC_NIST_P256",
    "ECC_NIST_P384",
    "ECC_NIST_P521",
    "ECC_SECG_P256K1",
    SYMMETRIC_DEFAULT,
    "HMAC_224",
    "HMAC_256",
    "HMAC_384",
    "HMAC_512",
    "SM2",
    "ML_DSA_44",
    "ML_DSA_65",
    "ML_DSA_87",
    "ECC_NIST_EDWARDS25519",
];
const KEY_USAGES: [&str; 4] = ["SIGN_VERIFY", ENCRYPT_DECRYPT, "GENERATE_VERIFY_MAC", "KEY_AGREEMENT"];
const ORIGINS: [&str; 4] = ["AWS_KMS", "EXTERNAL", "AWS_CLOUDHSM", "EXTERNAL_KEY_STORE"];
const MAX_DESCRIPTION: usize = 8192;

/// What `CreateKey` asks for.
struct NewKey<'a> {
    description: &'a str,
    policy: Option<&'a str>,
    bypass: bool,
    tags: Vec<super::model::Tag>,
}

fn read_new_key<'a>(members: &mut Members<'a>) -> Result<NewKey<'a>, Fault> {
    let description = members.text("Description", 0..=MAX_DESCRIPTION)?.unwrap_or_default();
    let policy = members.text("Policy", 1..=131_072)?;
    let bypass = members.flag("BypassPolicyLockoutSafetyCheck")?;
    let tags = tags::read(members)?;
    Ok(NewKey { description, policy, bypass, tags })
}

/// Refuses, in clear words, every kind of key the sandbox does not have.
fn check_kind(spec: &str, usage: Option<&str>, origin: &str, multi_region: bool) -> Result<(), Fault> {
    if spec != SYMMETRIC_DEFAULT {
        return Err(errors::unsupported(format!(
            "The sandbox creates only {SYMMETRIC_DEFAULT} keys, the kind DynamoDB uses; not {spec}."
        )));
    }
    if let Some(usage) = usage.filter(|usage| *usage != ENCRYPT_DECRYPT) {
        return Err(Fault::invalid(format!("KeyUsage {usage} is not compatible with KeySpec {SYMMETRIC_DEFAULT}")));
    }
    if origin != "AWS_KMS" {
        return Err(errors::unsupported(format!("The sandbox makes key material itself; it has no origin {origin}.")));
    }
    if multi_region {
        return Err(errors::unsupported("The sandbox has one Region, so it has no multi-Region keys."));
    }
    Ok(())
}

pub fn create_key(kms: &mut Kms, env: &mut Env, input: &Value) -> Result<Value, Fault> {
    let mut members = Members::of(input)?;
    members.unsupported("CustomKeyStoreId")?;
    members.unsupported("XksKeyId")?;
    let spec = members.choice("KeySpec", &KEY_SPECS)?;
    let old_spec = members.choice("CustomerMasterKeySpec", &KEY_SPECS)?;
    let usage = members.choice("KeyUsage", &KEY_USAGES)?;
    let origin = members.choice("Origin", &ORIGINS)?.unwrap_or("AWS_KMS");
    let multi_region = members.flag("MultiRegion")?;
    let new = read_new_key(&mut members)?;
    members.finish()?;
    if spec.is_some() && old_spec.is_some() {
        return Err(Fault::invalid(
            "You cannot specify KeySpec and CustomerMasterKeySpec in the same request. CustomerMasterKeySpec is \
             deprecated.",
        ));
    }
    let spec = spec.or(old_spec).unwrap_or(SYMMETRIC_DEFAULT);

    let ask = Ask::to("kms:CreateKey")
        .fact("kms:KeySpec", spec)
        .fact("kms:CustomerMasterKeySpec", spec)
        .fact("kms:KeyUsage", usage.unwrap_or(ENCRYPT_DECRYPT))
        .fact("kms:KeyOrigin", origin)
        .fact("kms:MultiRegion", multi_region.to_string())
        .fact("kms:BypassPolicyLockoutSafetyCheck", new.bypass.to_string());
    permitted_by_identity(env, "*", &tags::request_facts(ask, &new.tags))?;
    if !new.tags.is_empty() {
        permitted_by_identity(env, "*", &tags::request_facts(Ask::to("kms:TagResource"), &new.tags))?;
    }
    check_kind(spec, usage, origin, multi_region)?;
    tags::check(&new.tags)?;

    let id = env.host.entropy.uuid();
    let arn = env.home().key_arn(&id.to_string());
    let account = env.host.account.clone();
    let policy = match new.policy {
        None => policies::default_policy(&account),
        Some(text) => {
            let policy = policies::accept(env, &arn, text)?;
            if !new.bypass && !keeps_control(env, &arn, &account, &policy) {
                return Err(policies::lockout());
            }
            text.to_owned()
        }
    };
    let created = env.host.clock.epoch_seconds();
    let record = KeyRecord {
        id,
        arn,
        account,
        description: new.description.to_owned(),
        created,
        state: KeyState::Enabled,
        deletion_date: None,
        manager: KeyManager::Customer,
        policy,
        tags: new.tags,
        rotation: None,
    };
    let material = persist::new_material(env.host, created, MaterialOrigin::First);
    let key =
        Key::new(record, vec![material], Vec::new()).map_err(|error| errors::malformed_policy(error.to_string()))?;
    let metadata = key.metadata();
    kms.add_key(env.host, key)?;
    Ok(json!({ "KeyMetadata": metadata }))
}

pub fn describe_key(kms: &mut Kms, env: &mut Env, input: &Value) -> Result<Value, Fault> {
    let mut members = Members::of(input)?;
    let key = members.key_id()?;
    let options = Options::read(&mut members)?;
    members.finish()?;
    kms.check_grant_tokens(&options)?;
    let id = kms.permitted(env, key, Naming::Any, &Ask::to("kms:DescribeKey"))?;
    Ok(json!({ "KeyMetadata": kms.key(&id)?.metadata() }))
}

pub fn list_keys(kms: &mut Kms, env: &mut Env, input: &Value) -> Result<Value, Fault> {
    let mut members = Members::of(input)?;
    let page = Page::read(&mut members, 1..=1000, 100)?;
    members.finish()?;
    permitted_by_identity(env, "*", &Ask::to("kms:ListKeys"))?;
    let entry = |key: &Key| (key.id(), json!({ "KeyId": key.id(), "KeyArn": key.record.arn }));
    Ok(page.answer("Keys", kms.keys.values().map(entry)))
}

pub fn enable_key(kms: &mut Kms, env: &mut Env, input: &Value) -> Result<Value, Fault> {
    switch(kms, env, input, "kms:EnableKey", KeyState::Enabled)
}

pub fn disable_key(kms: &mut Kms, env: &mut Env, input: &Value) -> Result<Value, Fault> {
    switch(kms, env, input, "kms:DisableKey", KeyState::Disabled)
}

fn switch(kms: &mut Kms, env: &mut Env, input: &Value, action: &'static str, state: KeyState) -> Result<Value, Fault> {
    let mut members = Members::of(input)?;
    let key = members.key_id()?;
    members.finish()?;
    let id = kms.permitted(env, key, Naming::KeyOnly, &Ask::to(action))?;
    kms.key(&id)?.check_changeable()?;
    kms.change_key(env.host, &id, |record| record.state = state)?;
    Ok(json!({}))
}

pub fn update_key_description(kms: &mut Kms, env: &mut Env, input: &Value) -> Result<Value, Fault> {
    let mut members = Members::of(input)?;
    let key = members.key_id()?;
    let description = members.needed_text("Description", 0..=MAX_DESCRIPTION)?.to_owned();
    members.finish()?;
    let id = kms.permitted(env, key, Naming::KeyOnly, &Ask::to("kms:UpdateKeyDescription"))?;
    kms.key(&id)?.check_changeable()?;
    kms.change_key(env.host, &id, |record| record.description = description)?;
    Ok(json!({}))
}
