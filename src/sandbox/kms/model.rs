//! The records of KMS: keys with their materials, policy and grants, and aliases.

use std::fmt;
use std::sync::Arc;

use data_encoding::HEXLOWER;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use uuid::Uuid;

use super::ciphertext::MaterialId;
use super::error::KmsError;
use super::spec::{KeySpec, KeyUsage};
use crate::policy::{Grant, NamedPolicy, PolicyDocument, PolicyError, PolicyKind, PolicySource};
use crate::sandbox::crypto::{Key256, Secret};

/// The spec of symmetric keys, and their algorithm.
pub const SYMMETRIC_DEFAULT: &str = "SYMMETRIC_DEFAULT";

/// The state of a key (KMS guide).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum KeyState {
    /// It can be used.
    Enabled,
    /// An administrator turned it off; metadata and policy can still be changed.
    Disabled,
    /// It will be gone on its deletion date, and is unusable until then.
    PendingDeletion,
}

impl fmt::Display for KeyState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Enabled => "Enabled",
            Self::Disabled => "Disabled",
            Self::PendingDeletion => "PendingDeletion",
        })
    }
}

/// Who administers a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum KeyManager {
    /// The customer.
    Customer,
    /// An AWS service, for the customer (`alias/aws/…`).
    Aws,
}

impl fmt::Display for KeyManager {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Customer => "CUSTOMER",
            Self::Aws => "AWS",
        })
    }
}

/// A tag of a key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tag {
    /// 1–128 characters.
    pub key: String,
    /// At most 256 characters.
    pub value: String,
}

/// Automatic rotation.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Rotation {
    /// 90–2560.
    pub period_days: u32,
    /// Epoch seconds.
    pub next: f64,
}

/// The origin of a key material.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum MaterialOrigin {
    /// With the key.
    First,
    /// By automatic rotation.
    Automatic,
    /// By `RotateKeyOnDemand`.
    OnDemand,
}

/// One key material. A key has one more with each rotation; the last one encrypts, all of them decrypt.
#[derive(Debug, Clone)]
pub struct Material {
    /// Its id.
    pub id: MaterialId,
    /// The secret; of an asymmetric key, the private key as PKCS #8.
    pub key: Secret,
    /// Epoch seconds.
    pub created: f64,
    /// Why it was made.
    pub origin: MaterialOrigin,
}

impl Material {
    /// The secret of a symmetric key.
    pub fn symmetric(&self) -> Option<Key256> {
        Key256::from_bytes(self.key.expose())
    }
}

/// A key's description, as it is stored.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct KeyRecord {
    /// A uuid.
    #[serde(with = "uuid_text")]
    pub id: Uuid,
    /// The full ARN.
    pub arn: String,
    /// Twelve digits.
    pub account: String,
    /// At most 8192 characters.
    pub description: String,
    /// Epoch seconds.
    pub created: f64,
    /// Its state.
    pub state: KeyState,
    /// Epoch seconds; only while pending deletion.
    pub deletion_date: Option<f64>,
    /// Who administers it.
    pub manager: KeyManager,
    /// The key policy's text, as it was put.
    pub policy: String,
    /// In the order they were set.
    pub tags: Vec<Tag>,
    /// When automatic rotation is on.
    pub rotation: Option<Rotation>,
    /// Its spec; stores had only symmetric keys at first.
    #[serde(default)]
    pub spec: KeySpec,
    /// What it is for.
    #[serde(default)]
    pub usage: KeyUsage,
}

/// A key as it is used: its record, with the parts that are expensive to read made ready.
#[derive(Debug, Clone)]
pub struct Key {
    /// What is stored.
    pub record: KeyRecord,
    /// Never empty.
    pub materials: Vec<Material>,
    /// The record's policy, parsed.
    pub policy: NamedPolicy,
    /// Oldest first.
    pub grants: Vec<Grant>,
}

impl Key {
    /// A key with its policy parsed.
    ///
    /// # Errors
    /// When the policy is not a valid key policy.
    pub fn new(record: KeyRecord, materials: Vec<Material>, grants: Vec<Grant>) -> Result<Self, PolicyError> {
        let policy = named_policy(&record.arn, &record.policy)?;
        Ok(Self { record, materials, policy, grants })
    }

    /// The id, as requests and responses spell it.
    pub fn id(&self) -> String {
        self.record.id.to_string()
    }

    /// The material that encrypts.
    pub fn current(&self) -> &Material {
        self.materials.last().expect("a key is created with one material and never loses one")
    }

    /// Whether the key can encrypt, decrypt and be granted.
    ///
    /// # Errors
    /// `DisabledException` or `KMSInvalidStateException`.
    pub fn check_usable(&self) -> Result<(), KmsError> {
        match self.record.state {
            KeyState::Enabled => Ok(()),
            KeyState::Disabled => Err(KmsError::Disabled(self.record.arn.clone())),
            KeyState::PendingDeletion => Err(KmsError::PendingDeletion(self.record.arn.clone())),
        }
    }

    /// Whether the key is for what `operation` does.
    ///
    /// # Errors
    /// `InvalidKeyUsageException`, in the words that LocalStack's tests recorded on AWS.
    pub fn check_usage(&self, usage: KeyUsage, operation: &str) -> Result<(), KmsError> {
        if self.record.usage == usage {
            return Ok(());
        }
        let (arn, has) = (&self.record.arn, self.record.usage.name());
        Err(KmsError::InvalidKeyUsage(format!("{arn} key usage is {has} which is not valid for {operation}.")))
    }

    /// Whether the key can make data keys.
    ///
    /// # Errors
    /// `InvalidKeyUsageException`; the sentence for RSA keys is not proven.
    pub fn check_symmetric(&self, operation: &str) -> Result<(), KmsError> {
        self.check_usage(KeyUsage::Encrypt, operation)?;
        if self.record.spec == KeySpec::Symmetric {
            return Ok(());
        }
        Err(KmsError::InvalidKeyUsage("You cannot generate a data key with an asymmetric CMK".to_owned()))
    }

    /// Whether the key can get new material.
    ///
    /// # Errors
    /// `UnsupportedOperationException` without a sentence (recorded on AWS by LocalStack's tests).
    pub fn check_rotates(&self) -> Result<(), KmsError> {
        if self.record.spec == KeySpec::Symmetric { Ok(()) } else { Err(KmsError::Unsupported(String::new())) }
    }

    /// Whether the key's properties can be changed: a disabled key's can.
    ///
    /// # Errors
    /// `KMSInvalidStateException`.
    pub fn check_changeable(&self) -> Result<(), KmsError> {
        match self.record.state {
            KeyState::Enabled | KeyState::Disabled => Ok(()),
            KeyState::PendingDeletion => Err(KmsError::PendingDeletion(self.record.arn.clone())),
        }
    }

    /// `KeyMetadata` of `CreateKey` and `DescribeKey`.
    pub fn metadata(&self) -> Value {
        let record = &self.record;
        let mut metadata = json!({
            "AWSAccountId": record.account,
            "KeyId": self.id(),
            "Arn": record.arn,
            "CreationDate": record.created,
            "Enabled": record.state == KeyState::Enabled,
            "Description": record.description,
            "KeyUsage": record.usage.name(),
            "KeyState": record.state.to_string(),
            "Origin": "AWS_KMS",
            "KeyManager": record.manager.to_string(),
            "CustomerMasterKeySpec": record.spec.name(),
            "KeySpec": record.spec.name(),
        });
        metadata[record.usage.algorithms_member()] = json!(record.spec.algorithms(record.usage));
        metadata["MultiRegion"] = json!(false);
        if record.spec == KeySpec::Symmetric {
            metadata["CurrentKeyMaterialId"] = json!(hex(&self.current().id));
        }
        if let Some(date) = record.deletion_date {
            metadata["DeletionDate"] = json!(date);
        }
        metadata
    }
}

/// An alias.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Alias {
    /// With its `alias/` prefix.
    pub name: String,
    /// The key's id.
    pub key_id: String,
    /// Epoch seconds.
    pub created: f64,
    /// Epoch seconds.
    pub updated: f64,
}

/// A key policy, ready for the evaluator.
///
/// # Errors
/// When the text is no valid key policy.
pub fn named_policy(key_arn: &str, text: &str) -> Result<NamedPolicy, PolicyError> {
    let document = PolicyDocument::parse(PolicyKind::Key, text)?;
    let source = PolicySource::KeyPolicy { key_arn: key_arn.to_owned() };
    Ok(NamedPolicy { source, document: Arc::new(document) })
}

/// Lower-case hexadecimal digits.
pub fn hex(bytes: &[u8]) -> String {
    HEXLOWER.encode(bytes)
}

/// A uuid as its usual text.
mod uuid_text {
    use serde::{Deserialize, Deserializer, Serializer, de::Error};
    use uuid::Uuid;

    pub fn serialize<S: Serializer>(id: &Uuid, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(id)
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Uuid, D::Error> {
        let text = String::deserialize(deserializer)?;
        Uuid::parse_str(&text).map_err(D::Error::custom)
    }
}
