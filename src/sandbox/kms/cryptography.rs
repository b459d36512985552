//! `Encrypt`, `Decrypt`, `GenerateDataKey`, `GenerateDataKeyWithoutPlaintext`, `ReEncrypt`.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use zeroize::Zeroizing;

use super::asymmetric;
use super::ciphertext::{self, Blob, EncryptionContext, MaterialId};
use super::error::KmsError;
use super::grants::Options;
use super::key_id::KeyId;
use super::keys::refuse_unsupported;
use super::model::{Key, SYMMETRIC_DEFAULT, hex};
use super::spec::{KeySpec, KeyUsage};
use crate::policy::ConditionContext;
use crate::sandbox::authorize::facts;
use crate::sandbox::entropy::Entropy;
use crate::sandbox::operation::{Context, Fault, Members, Output, Request};

/// `Encrypt` takes at most 4 KiB; more is what data keys are for.
const MAX_PLAINTEXT: usize = 4096;
const MAX_CIPHERTEXT: usize = 6144;
const ALGORITHMS: [&str; 4] = [SYMMETRIC_DEFAULT, "RSAES_OAEP_SHA_1", "RSAES_OAEP_SHA_256", "SM2PKE"];

/// A blob that was decrypted.
pub struct Opened {
    /// The key that the request or the blob names.
    pub key: Arc<Key>,
    /// The plaintext.
    pub plaintext: Zeroizing<Vec<u8>>,
    /// The key material that sealed the blob.
    pub material: MaterialId,
}

impl Key {
    /// Encrypts under the current material.
    ///
    /// # Errors
    /// `InvalidKeyUsageException` for a key that is not symmetric.
    pub fn encrypt(
        &self,
        entropy: &mut Entropy,
        context: &EncryptionContext,
        plaintext: &[u8],
    ) -> Result<Vec<u8>, KmsError> {
        let material = self.current();
        self.record.spec.check_algorithm(self.record.usage, SYMMETRIC_DEFAULT)?;
        let key =
            material.symmetric().ok_or_else(|| KmsError::Internal("A symmetric key has no secret.".to_owned()))?;
        Ok(ciphertext::seal(self.record.id, &material.id, &key, entropy.bytes(), context, plaintext))
    }
}

/// The condition key of an action with the algorithm of symmetric keys.
pub fn algorithm_fact() -> ConditionContext {
    facts([("kms:EncryptionAlgorithm", SYMMETRIC_DEFAULT)])
}

/// The key for an operation that uses its material, if the caller is allowed `action` on it.
///
/// # Errors
/// As [`Context::key_for`]; `DisabledException`, `KMSInvalidStateException`.
pub fn usable_key(
    cx: &mut Context<'_>,
    id: &KeyId,
    action: &str,
    context: &EncryptionContext,
    facts: &ConditionContext,
) -> Result<Arc<Key>, KmsError> {
    let (key, _) = cx.key_for(id, action, Some(context), facts)?;
    key.check_usable()?;
    Ok(key)
}

/// Decrypts a blob with the key that the caller names, else the one that the blob names.
///
/// # Errors
/// As [`usable_key`]; `InvalidCiphertextException`, `IncorrectKeyException`.
pub fn open_blob(
    cx: &mut Context<'_>,
    blob: &[u8],
    named: Option<&KeyId>,
    action: &str,
    context: &EncryptionContext,
    facts: &ConditionContext,
) -> Result<Opened, KmsError> {
    let blob = Blob::parse(blob).ok_or(KmsError::InvalidCiphertext)?;
    let key = match named {
        Some(named) => cx.key_for(named, action, Some(context), facts)?.0,
        None => cx.key_of_ciphertext(&blob.key_id(), action, context, facts)?,
    };
    key.check_usable()?;
    if blob.key_id() != key.id() {
        return Err(KmsError::IncorrectKey);
    }
    let id = blob.material();
    let material = key.materials.iter().find(|material| material.id == id);
    let plaintext = material.and_then(|material| blob.open(&material.symmetric()?, context));
    Ok(Opened { plaintext: plaintext.ok_or(KmsError::InvalidCiphertext)?, key, material: id })
}

/// Reads an algorithm, by default that of symmetric keys.
fn parse_algorithm(members: &Members<'_>, name: &str) -> Result<&'static str, Fault> {
    Ok(members.choice(name, &ALGORITHMS)?.unwrap_or(SYMMETRIC_DEFAULT))
}

fn check_algorithm(algorithm: &str, key: &Key, operation: &str) -> Result<(), KmsError> {
    key.check_usage(KeyUsage::Encrypt, operation)?;
    if key.record.spec != KeySpec::Symmetric {
        return key.record.spec.check_algorithm(KeyUsage::Encrypt, algorithm);
    }
    if algorithm == SYMMETRIC_DEFAULT {
        return Ok(());
    }
    Err(KmsError::InvalidKeyUsage(format!(
        "{} key spec is {SYMMETRIC_DEFAULT}, which only supports the {SYMMETRIC_DEFAULT} encryption algorithm.",
        key.record.arn
    )))
}

/// RSA has no place for an encryption context. The sentence is not proven.
fn refuse_context(context: &EncryptionContext) -> Result<(), KmsError> {
    if context.is_empty() {
        return Ok(());
    }
    Err(KmsError::Invalid("EncryptionContext is not supported with an asymmetric KMS key.".to_owned()))
}

/// Encrypts with an algorithm that was checked.
fn seal(
    cx: &mut Context<'_>,
    key: &Key,
    algorithm: &str,
    context: &EncryptionContext,
    plaintext: &[u8],
) -> Result<Vec<u8>, KmsError> {
    if key.record.spec == KeySpec::Symmetric {
        return key.encrypt(&mut cx.entropy, context, plaintext);
    }
    refuse_context(context)?;
    asymmetric::encrypt(key.record.spec, algorithm, &key.current().key, plaintext)
}

/// What is to be decrypted.
struct Sealed<'a> {
    blob: &'a [u8],
    named: Option<&'a KeyId>,
    algorithm: &'a str,
    context: &'a EncryptionContext,
}

impl Sealed<'_> {
    /// Decrypts: with RSA if the caller names such a key.
    fn open(
        &self,
        cx: &mut Context<'_>,
        action: &str,
        operation: &str,
        facts: &ConditionContext,
    ) -> Result<Opened, KmsError> {
        let is_rsa = |id: &&KeyId| cx.existing_key(id.text()).is_ok_and(|key| key.record.spec.is_rsa());
        let Some(named) = self.named.filter(is_rsa) else {
            let opened = open_blob(cx, self.blob, self.named, action, self.context, facts)?;
            check_algorithm(self.algorithm, &opened.key, operation)?;
            return Ok(opened);
        };
        let key = usable_key(cx, named, action, self.context, facts)?;
        check_algorithm(self.algorithm, &key, operation)?;
        refuse_context(self.context)?;
        let plaintext = asymmetric::decrypt(self.algorithm, &key.current().key, self.blob)?;
        Ok(Opened { plaintext, material: key.current().id, key })
    }
}

/// The condition key of an action with this algorithm.
fn fact_of(algorithm: &str) -> ConditionContext {
    facts([("kms:EncryptionAlgorithm", algorithm)])
}

/// Adds the id of a key material, which only symmetric keys show.
fn add_material(output: &mut Value, member: &str, key: &Key, material: &MaterialId) {
    if key.record.spec == KeySpec::Symmetric {
        output[member] = json!(hex(material));
    }
}

/// `Encrypt`
pub struct Encrypt {
    key: KeyId,
    plaintext: Zeroizing<Vec<u8>>,
    algorithm: &'static str,
    context: EncryptionContext,
    options: Options,
}

impl Request for Encrypt {
    fn parse(members: &Members<'_>) -> Result<Self, Fault> {
        Ok(Self {
            key: KeyId::parse(members, "KeyId")?,
            plaintext: members.blob("Plaintext", 1..=MAX_PLAINTEXT)?,
            algorithm: parse_algorithm(members, "EncryptionAlgorithm")?,
            context: members.pairs("EncryptionContext")?.unwrap_or_default(),
            options: Options::parse(members)?,
        })
    }

    fn run(self, cx: &mut Context<'_>) -> Result<Output, Fault> {
        self.options.check_tokens(cx)?;
        let Self { algorithm, context, .. } = &self;
        let key = usable_key(cx, &self.key, "kms:Encrypt", context, &fact_of(algorithm))?;
        check_algorithm(algorithm, &key, "Encrypt")?;
        self.options.proceed()?;
        Ok(json!({
            "CiphertextBlob": STANDARD.encode(seal(cx, &key, algorithm, context, &self.plaintext)?),
            "KeyId": key.record.arn,
            "EncryptionAlgorithm": algorithm,
        })
        .into())
    }
}

/// `Decrypt`
pub struct Decrypt {
    blob: Zeroizing<Vec<u8>>,
    key: Option<KeyId>,
    algorithm: &'static str,
    context: EncryptionContext,
    options: Options,
}

impl Request for Decrypt {
    fn parse(members: &Members<'_>) -> Result<Self, Fault> {
        refuse_unsupported(members, "Recipient")?;
        Ok(Self {
            blob: members.blob("CiphertextBlob", 1..=MAX_CIPHERTEXT)?,
            key: KeyId::optional(members, "KeyId")?,
            algorithm: parse_algorithm(members, "EncryptionAlgorithm")?,
            context: members.pairs("EncryptionContext")?.unwrap_or_default(),
            options: Options::parse(members)?,
        })
    }

    fn run(self, cx: &mut Context<'_>) -> Result<Output, Fault> {
        self.options.check_tokens(cx)?;
        let Self { algorithm, context, .. } = &self;
        let sealed = Sealed { blob: &self.blob, named: self.key.as_ref(), algorithm, context };
        let opened = sealed.open(cx, "kms:Decrypt", "Decrypt", &fact_of(algorithm))?;
        self.options.proceed()?;
        let mut output = json!({
            "KeyId": opened.key.record.arn,
            "Plaintext": STANDARD.encode(&opened.plaintext),
            "EncryptionAlgorithm": algorithm,
        });
        add_material(&mut output, "KeyMaterialId", &opened.key, &opened.material);
        Ok(output.into())
    }
}

/// What both forms of `GenerateDataKey` ask for.
struct NewDataKey {
    key: KeyId,
    /// In bytes.
    length: usize,
    context: EncryptionContext,
    options: Options,
}

impl NewDataKey {
    fn parse(members: &Members<'_>) -> Result<Self, Fault> {
        let key = KeyId::parse(members, "KeyId")?;
        let spec = members.choice("KeySpec", &["AES_256", "AES_128"])?;
        let bytes = members.integer("NumberOfBytes", 1..=1024)?;
        let context = members.pairs("EncryptionContext")?.unwrap_or_default();
        let options = Options::parse(members)?;
        let length = match (spec, bytes) {
            (Some("AES_128"), None) => 16,
            (Some(_), None) => 32,
            (None, Some(bytes)) => usize::try_from(bytes).unwrap_or_default(), // 1..=1024
            _ => return Err(Fault::invalid("Please specify either number of bytes or key spec.")),
        };
        Ok(Self { key, length, context, options })
    }

    /// The response without the plaintext, and the plaintext.
    fn run(self, cx: &mut Context<'_>, action: &str) -> Result<(Value, Zeroizing<Vec<u8>>), KmsError> {
        self.options.check_tokens(cx)?;
        let key = usable_key(cx, &self.key, action, &self.context, &algorithm_fact())?;
        key.check_symmetric(action.trim_start_matches("kms:"))?;
        self.options.proceed()?;
        let mut plaintext = Zeroizing::new(vec![0; self.length]);
        cx.entropy.fill(&mut plaintext);
        let output = json!({
            "CiphertextBlob": STANDARD.encode(key.encrypt(&mut cx.entropy, &self.context, &plaintext)?),
            "KeyId": key.record.arn,
            "KeyMaterialId": hex(&key.current().id),
        });
        Ok((output, plaintext))
    }
}

/// `GenerateDataKey`
pub struct GenerateDataKey(NewDataKey);

impl Request for GenerateDataKey {
    fn parse(members: &Members<'_>) -> Result<Self, Fault> {
        refuse_unsupported(members, "Recipient")?;
        NewDataKey::parse(members).map(Self)
    }

    fn run(self, cx: &mut Context<'_>) -> Result<Output, Fault> {
        let (mut output, plaintext) = self.0.run(cx, "kms:GenerateDataKey")?;
        output["Plaintext"] = json!(STANDARD.encode(&plaintext));
        Ok(output.into())
    }
}

/// `GenerateDataKeyWithoutPlaintext`
pub struct GenerateDataKeyWithoutPlaintext(NewDataKey);

impl Request for GenerateDataKeyWithoutPlaintext {
    fn parse(members: &Members<'_>) -> Result<Self, Fault> {
        NewDataKey::parse(members).map(Self)
    }

    fn run(self, cx: &mut Context<'_>) -> Result<Output, Fault> {
        Ok(self.0.run(cx, "kms:GenerateDataKeyWithoutPlaintext")?.0.into())
    }
}

/// `ReEncrypt`
pub struct ReEncrypt {
    blob: Zeroizing<Vec<u8>>,
    source: Option<KeyId>,
    destination: KeyId,
    source_algorithm: &'static str,
    destination_algorithm: &'static str,
    source_context: EncryptionContext,
    destination_context: EncryptionContext,
    options: Options,
}

impl Request for ReEncrypt {
    fn parse(members: &Members<'_>) -> Result<Self, Fault> {
        Ok(Self {
            blob: members.blob("CiphertextBlob", 1..=MAX_CIPHERTEXT)?,
            source: KeyId::optional(members, "SourceKeyId")?,
            destination: KeyId::parse(members, "DestinationKeyId")?,
            source_algorithm: parse_algorithm(members, "SourceEncryptionAlgorithm")?,
            destination_algorithm: parse_algorithm(members, "DestinationEncryptionAlgorithm")?,
            source_context: members.pairs("SourceEncryptionContext")?.unwrap_or_default(),
            destination_context: members.pairs("DestinationEncryptionContext")?.unwrap_or_default(),
            options: Options::parse(members)?,
        })
    }

    fn run(self, cx: &mut Context<'_>) -> Result<Output, Fault> {
        self.options.check_tokens(cx)?;
        let named = self.source.as_ref().and_then(|id| cx.existing_key(id.text()).ok()).map(|key| key.id());
        let from = Blob::parse(&self.blob).map(|blob| blob.key_id()).or(named);
        let to = cx.existing_key(self.destination.text()).ok().map(|key| key.id());
        let same = (from.is_some() && from == to).to_string();
        let facts = |algorithm| facts([("kms:EncryptionAlgorithm", algorithm), ("kms:ReEncryptOnSameKey", &same)]);
        let (algorithm, context) = (self.source_algorithm, &self.source_context);
        let sealed = Sealed { blob: &self.blob, named: self.source.as_ref(), algorithm, context };
        let opened = sealed.open(cx, "kms:ReEncryptFrom", "ReEncrypt", &facts(algorithm))?;
        let (algorithm, context) = (self.destination_algorithm, &self.destination_context);
        let destination = usable_key(cx, &self.destination, "kms:ReEncryptTo", context, &facts(algorithm))?;
        check_algorithm(algorithm, &destination, "ReEncrypt")?;
        self.options.proceed()?;
        let mut output = json!({
            "CiphertextBlob": STANDARD.encode(seal(cx, &destination, algorithm, context, &opened.plaintext)?),
            "SourceKeyId": opened.key.record.arn,
            "KeyId": destination.record.arn,
            "SourceEncryptionAlgorithm": self.source_algorithm,
            "DestinationEncryptionAlgorithm": algorithm,
        });
        add_material(&mut output, "SourceKeyMaterialId", &opened.key, &opened.material);
        add_material(&mut output, "DestinationKeyMaterialId", &destination, &destination.current().id);
        Ok(output.into())
    }
}
