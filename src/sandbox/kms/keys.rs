//! `CreateKey`, `DescribeKey`, `ListKeys`, `EnableKey`, `DisableKey`, `UpdateKeyDescription`.

use serde_json::json;

use super::error::KmsError;
use super::grants::Options;
use super::key_id::KeyId;
use super::model::{
    Alias, Key, KeyManager, KeyRecord, KeyState, Material, MaterialOrigin, Rotation, SYMMETRIC_DEFAULT, Tag,
};
use super::page::Page;
use super::spec::{KeySpec, KeyUsage};
use super::state::DAY;
use super::{asymmetric, policies, state, tags};
use crate::policy::ConditionContext;
use crate::sandbox::authorize::{Resource, facts};
use crate::sandbox::operation::{Context, Fault, Members, Output, Request};

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
const KEY_USAGES: [&str; 4] = ["SIGN_VERIFY", "ENCRYPT_DECRYPT", "GENERATE_VERIFY_MAC", "KEY_AGREEMENT"];
const ORIGINS: [&str; 4] = ["AWS_KMS", "EXTERNAL", "AWS_CLOUDHSM", "EXTERNAL_KEY_STORE"];
const MAX_DESCRIPTION: usize = 8192;

/// Refuses a member that asks for something the sandbox does not do, rather than ignoring it.
///
/// # Errors
/// `UnsupportedOperationException`
pub fn refuse_unsupported(members: &Members<'_>, name: &str) -> Result<(), KmsError> {
    if members.has(name) {
        return Err(KmsError::Unsupported(format!("The sandbox does not support {name}.")));
    }
    Ok(())
}

/// `CreateKey`
pub struct CreateKey {
    spec: &'static str,
    /// Only symmetric keys have a default.
    usage: Option<&'static str>,
    origin: &'static str,
    multi_region: bool,
    description: String,
    policy: Option<String>,
    bypass_lockout_check: bool,
    tags: Vec<Tag>,
}

impl Request for CreateKey {
    fn parse(members: &Members<'_>) -> Result<Self, Fault> {
        refuse_unsupported(members, "CustomKeyStoreId")?;
        refuse_unsupported(members, "XksKeyId")?;
        let spec = members.choice("KeySpec", &KEY_SPECS)?;
        let old_spec = members.choice("CustomerMasterKeySpec", &KEY_SPECS)?;
        let usage = members.choice("KeyUsage", &KEY_USAGES)?;
        let origin = members.choice("Origin", &ORIGINS)?.unwrap_or("AWS_KMS");
        let multi_region = members.flag("MultiRegion")?.unwrap_or(false);
        let description = members.optional_str("Description", 0..=MAX_DESCRIPTION)?.unwrap_or_default().to_owned();
        let policy = members.optional_str("Policy", 1..=131_072)?.map(str::to_owned);
        let bypass_lockout_check = members.flag("BypassPolicyLockoutSafetyCheck")?.unwrap_or(false);
        let tags = tags::parse(members)?;
        if spec.is_some() && old_spec.is_some() {
            return Err(Fault::invalid(
                "You cannot specify KeySpec and CustomerMasterKeySpec in the same request. CustomerMasterKeySpec is \
                 deprecated.",
            ));
        }
        let spec = spec.or(old_spec).unwrap_or(SYMMETRIC_DEFAULT);
        Ok(Self { spec, usage, origin, multi_region, description, policy, bypass_lockout_check, tags })
    }

    fn run(self, cx: &mut Context<'_>) -> Result<Output, Fault> {
        self.authorize(cx)?;
        let (spec, usage) = self.check_kind()?;
        tags::check(&self.tags)?;
        let id = cx.entropy.uuid();
        let arn = cx.home().key_arn(&id.to_string());
        let policy = self.key_policy(cx, &arn)?;
        let created = cx.account.state.clock.epoch_seconds();
        let record = KeyRecord {
            id,
            arn,
            account: cx.account.id.clone(),
            description: self.description,
            created,
            state: KeyState::Enabled,
            deletion_date: None,
            manager: KeyManager::Customer,
            policy,
            tags: self.tags,
            rotation: None,
            spec,
            usage,
        };
        let key = new_key(cx, record)?;
        let metadata = key.metadata();
        let (kms, store) = cx.account.kms_mut();
        kms.add_key(store, key)?;
        Ok(json!({ "KeyMetadata": metadata }).into())
    }
}

impl CreateKey {
    fn authorize(&self, cx: &mut Context<'_>) -> Result<(), KmsError> {
        let mut asked = facts([
            ("kms:KeySpec", self.spec),
            ("kms:CustomerMasterKeySpec", self.spec),
            ("kms:KeyUsage", self.usage.unwrap_or("ENCRYPT_DECRYPT")),
            ("kms:KeyOrigin", self.origin),
            ("kms:MultiRegion", &self.multi_region.to_string()),
            ("kms:BypassPolicyLockoutSafetyCheck", &self.bypass_lockout_check.to_string()),
        ]);
        let of_tags = tags::request_facts(&self.tags);
        cx.authorize("kms:CreateKey", Resource::Arn("*"), asked.merge(&of_tags))?;
        if !self.tags.is_empty() {
            cx.authorize("kms:TagResource", Resource::Arn("*"), &of_tags)?;
        }
        Ok(())
    }

    /// The kind of key asked for. Refuses, in clear words, every kind that the sandbox does not have. The sentences about
    /// usages were recorded on AWS by LocalStack's tests.
    fn check_kind(&self) -> Result<(KeySpec, KeyUsage), KmsError> {
        let spec = KeySpec::find(self.spec)
            .ok_or_else(|| KmsError::Unsupported(format!("The sandbox creates no keys of the spec {}.", self.spec)))?;
        let named = match self.usage {
            Some(name) => name,
            None if spec == KeySpec::Symmetric => KeyUsage::Encrypt.name(),
            None => {
                let message =
                    "You must specify a KeyUsage value for all KMS keys except for symmetric encryption keys.";
                return Err(KmsError::Invalid(message.to_owned()));
            }
        };
        let usage = KeyUsage::find(named).filter(|usage| spec.allows(*usage)).ok_or_else(|| {
            KmsError::Invalid(format!("KeyUsage {named} is not compatible with KeySpec {}", self.spec))
        })?;
        if self.origin != "AWS_KMS" {
            return Err(KmsError::Unsupported(format!(
                "The sandbox makes key material itself; it has no origin {}.",
                self.origin
            )));
        }
        if self.multi_region {
            let message = "The sandbox has one Region, so it has no multi-Region keys.";
            return Err(KmsError::Unsupported(message.to_owned()));
        }
        Ok((spec, usage))
    }

    /// The text of the new key's policy, checked.
    fn key_policy(&self, cx: &Context<'_>, arn: &str) -> Result<String, KmsError> {
        let Some(text) = &self.policy else { return Ok(policies::default_policy(&cx.account.id)) };
        let policy = policies::accept(cx, arn, text)?;
        if !self.bypass_lockout_check {
            policies::check_lockout(cx, arn, &policy)?;
        }
        Ok(text.clone())
    }
}

/// A key with its first material.
///
/// # Errors
/// `MalformedPolicyDocumentException`
pub fn new_key(cx: &mut Context<'_>, record: KeyRecord) -> Result<Key, KmsError> {
    let material = first_material(cx, &record)?;
    Key::new(record, vec![material], Vec::new()).map_err(|error| KmsError::MalformedPolicy(error.to_string()))
}

fn first_material(cx: &mut Context<'_>, record: &KeyRecord) -> Result<Material, KmsError> {
    if let Some(length) = record.spec.secret_length() {
        return Ok(state::new_material(&mut cx.entropy, length, record.created, MaterialOrigin::First));
    }
    let key = asymmetric::generate(record.spec, &mut cx.entropy)?;
    Ok(Material { id: cx.entropy.bytes(), key, created: record.created, origin: MaterialOrigin::First })
}

/// The ARN of the key behind `alias/aws/<service>`, which is created the first time it is needed.
///
/// # Errors
/// When the store can't be written.
pub fn aws_managed_key(cx: &mut Context<'_>, service: &str) -> Result<String, KmsError> {
    let alias = format!("alias/aws/{service}");
    if let Some(key) = cx.account.state.kms.alias(&alias).and_then(|alias| cx.account.state.kms.key(&alias.key_id)) {
        return Ok(key.record.arn.clone());
    }
    let id = cx.entropy.uuid();
    let arn = cx.home().key_arn(&id.to_string());
    let now = cx.account.state.clock.epoch_seconds();
    let record = KeyRecord {
        id,
        arn: arn.clone(),
        account: cx.account.id.clone(),
        description: format!("Default key that protects my {service} data when no other key is defined"),
        created: now,
        state: KeyState::Enabled,
        deletion_date: None,
        manager: KeyManager::Aws,
        policy: policies::aws_managed_policy(&cx.account.id, &cx.account.region, service),
        tags: Vec::new(),
        rotation: Some(Rotation { period_days: 365, next: now + 365.0 * DAY }),
        spec: KeySpec::Symmetric,
        usage: KeyUsage::Encrypt,
    };
    let key = new_key(cx, record)?;
    let alias = Alias { name: alias, key_id: key.id(), created: now, updated: now };
    let (kms, store) = cx.account.kms_mut();
    kms.add_key(store, key)?;
    let (kms, store) = cx.account.kms_mut();
    kms.put_alias(store, alias)?;
    Ok(arn)
}

/// The services that have an AWS managed key on AWS (AWS services' guides). KMS makes such a key when DescribeKey names
/// its alias for the first time (API reference).
const MANAGED: [&str; 9] = ["dynamodb", "ebs", "lambda", "rds", "s3", "secretsmanager", "sns", "sqs", "ssm"];

/// The service whose alias a key id names, by name or ARN.
fn managed_service(cx: &Context<'_>, id: &KeyId) -> Option<&'static str> {
    let arns = cx.home().alias_arn("alias/aws/");
    let service = id.text().strip_prefix("alias/aws/").or_else(|| id.text().strip_prefix(&arns))?;
    MANAGED.into_iter().find(|known| *known == service)
}

/// `DescribeKey`
pub struct DescribeKey {
    key: KeyId,
    options: Options,
}

impl Request for DescribeKey {
    fn parse(members: &Members<'_>) -> Result<Self, Fault> {
        Ok(Self { key: KeyId::parse(members, "KeyId")?, options: Options::parse(members)? })
    }

    fn run(self, cx: &mut Context<'_>) -> Result<Output, Fault> {
        self.options.check_tokens(cx)?;
        if let Some(service) = managed_service(cx, &self.key) {
            // If the caller may not describe it, the key is taken back with the request.
            aws_managed_key(cx, service)?;
        }
        let key = cx.key(&self.key, "kms:DescribeKey")?;
        Ok(json!({ "KeyMetadata": key.metadata() }).into())
    }
}

/// `ListKeys`
pub struct ListKeys(Page);

impl Request for ListKeys {
    fn parse(members: &Members<'_>) -> Result<Self, Fault> {
        Page::parse(members, 1..=1000, 100).map(Self)
    }

    fn run(self, cx: &mut Context<'_>) -> Result<Output, Fault> {
        cx.authorize("kms:ListKeys", Resource::Arn("*"), &ConditionContext::default())?;
        let keys = cx.account.state.kms.keys();
        Ok(self
            .0
            .output("Keys", keys.map(|key| (key.id(), json!({ "KeyId": key.id(), "KeyArn": key.record.arn }))))
            .into())
    }
}

/// `EnableKey`
pub struct EnableKey(KeyId);

impl Request for EnableKey {
    fn parse(members: &Members<'_>) -> Result<Self, Fault> {
        KeyId::parse_key_only(members, "KeyId").map(Self)
    }

    fn run(self, cx: &mut Context<'_>) -> Result<Output, Fault> {
        switch(cx, &self.0, "kms:EnableKey", KeyState::Enabled)
    }
}

/// `DisableKey`
pub struct DisableKey(KeyId);

impl Request for DisableKey {
    fn parse(members: &Members<'_>) -> Result<Self, Fault> {
        KeyId::parse_key_only(members, "KeyId").map(Self)
    }

    fn run(self, cx: &mut Context<'_>) -> Result<Output, Fault> {
        switch(cx, &self.0, "kms:DisableKey", KeyState::Disabled)
    }
}

fn switch(cx: &mut Context<'_>, id: &KeyId, action: &str, state: KeyState) -> Result<Output, Fault> {
    let key = cx.key(id, action)?;
    key.check_changeable()?;
    Ok(cx.change_key(&key, |record| record.state = state)?)
}

/// `UpdateKeyDescription`
pub struct UpdateKeyDescription {
    key: KeyId,
    description: String,
}

impl Request for UpdateKeyDescription {
    fn parse(members: &Members<'_>) -> Result<Self, Fault> {
        Ok(Self {
            key: KeyId::parse_key_only(members, "KeyId")?,
            description: members.str("Description", 0..=MAX_DESCRIPTION)?.to_owned(),
        })
    }

    fn run(self, cx: &mut Context<'_>) -> Result<Output, Fault> {
        let key = cx.key(&self.key, "kms:UpdateKeyDescription")?;
        key.check_changeable()?;
        Ok(cx.change_key(&key, |record| record.description = self.description)?)
    }
}
