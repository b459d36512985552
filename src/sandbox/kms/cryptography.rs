//! `Encrypt`, `Decrypt`, `GenerateDataKey`, `GenerateDataKeyWithoutPlaintext`, `ReEncrypt`.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use zeroize::Zeroizing;

use super::authorise::{Ask, Env, Naming, Options};
use super::ciphertext::{self, Blob, EncryptionContext, MaterialId};
use super::input::Members;
use super::model::{Key, SYMMETRIC_DEFAULT, hex};
use super::{Kms, errors};
use crate::sandbox::engine::Host;
use crate::sandbox::error::Fault;

/// `Encrypt` takes at most 4 KiB; more is what data keys are for.
const MAX_PLAINTEXT: usize = 4096;
const MAX_CIPHERTEXT: usize = 6144;
const ALGORITHMS: [&str; 4] = [SYMMETRIC_DEFAULT, "RSAES_OAEP_SHA_1", "RSAES_OAEP_SHA_256", "SM2PKE"];

/// A blob that was opened.
pub struct Opened {
    pub key_arn: String,
    pub plaintext: Zeroizing<Vec<u8>>,
    pub material: MaterialId,
}

impl Key {
    /// Encrypts under the current material.
    pub(super) fn encrypt(&self, host: &mut Host, context: &EncryptionContext, plaintext: &[u8]) -> Vec<u8> {
        let material = self.current();
        ciphertext::seal(self.record.id, &material.id, &material.key, host.entropy.bytes(), context, plaintext)
    }

    /// Opens a blob of this key, made before or after a rotation.
    ///
    /// # Errors
    /// `InvalidCiphertextException`.
    pub(super) fn decrypt(&self, blob: &Blob, context: &EncryptionContext) -> Result<Opened, Fault> {
        let id = blob.material();
        let material = self.materials.iter().find(|material| material.id == id);
        let plaintext = material.and_then(|material| blob.open(&material.key, context));
        let plaintext = plaintext.ok_or_else(errors::invalid_ciphertext)?;
        Ok(Opened { key_arn: self.record.arn.clone(), plaintext, material: id })
    }
}

impl Kms {
    /// The key a permitted id names.
    pub(super) fn key(&self, id: &str) -> Result<&Key, Fault> {
        self.keys.get(id).ok_or_else(|| errors::not_found(format!("Key '{id}' does not exist")))
    }

    /// Finds, authorises and checks the key for an operation that uses its material.
    pub(super) fn usable(&self, env: &mut Env, key: &str, ask: &Ask) -> Result<&Key, Fault> {
        let id = self.permitted(env, key, Naming::Any, ask)?;
        let key = self.key(&id)?;
        key.check_usable()?;
        Ok(key)
    }

    /// `Decrypt`, up to the answer. The key is the one the caller names, else the one the blob names.
    pub(super) fn open_blob(
        &self,
        env: &mut Env,
        blob: &[u8],
        named: Option<&str>,
        action: &'static str,
        context: &EncryptionContext,
        facts: &[(&str, String)],
    ) -> Result<(&Key, Opened), Fault> {
        let blob = Blob::parse(blob).ok_or_else(errors::invalid_ciphertext)?;
        let ask =
            facts.iter().fold(Ask::to(action).context(context), |ask, (key, value)| ask.fact(key, value.as_str()));
        let id = match named {
            Some(named) => self.permitted(env, named, Naming::Any, &ask)?,
            None => self.permitted_for_ciphertext(env, &blob.key_id(), ask)?,
        };
        let key = self.key(&id)?;
        key.check_usable()?;
        if blob.key_id() != id {
            return Err(errors::incorrect_key());
        }
        Ok((key, key.decrypt(&blob, context)?))
    }

    /// `kms:ReEncryptOnSameKey`
    fn same_key(&self, env: &Env, blob: &[u8], destination: &str) -> bool {
        let source = Blob::parse(blob).map(|blob| blob.key_id());
        source.is_some() && source == self.existing(env, destination).ok()
    }
}

fn algorithm(members: &mut Members, name: &str) -> Result<bool, Fault> {
    Ok(members.choice(name, &ALGORITHMS)?.is_none_or(|name| name == SYMMETRIC_DEFAULT))
}

fn check_algorithm(symmetric: bool, key: &Key) -> Result<(), Fault> {
    if symmetric {
        return Ok(());
    }
    Err(errors::invalid_key_usage(format!(
        "{} key spec is {SYMMETRIC_DEFAULT}, which only supports the {SYMMETRIC_DEFAULT} encryption algorithm.",
        key.record.arn
    )))
}

pub fn encrypt(kms: &mut Kms, env: &mut Env, input: &Value) -> Result<Value, Fault> {
    let mut members = Members::of(input)?;
    let key = members.key_id()?;
    let plaintext = members.blob("Plaintext", 1..=MAX_PLAINTEXT)?;
    let symmetric = algorithm(&mut members, "EncryptionAlgorithm")?;
    let context = members.pairs("EncryptionContext")?;
    let options = Options::read(&mut members)?;
    members.finish()?;
    kms.check_grant_tokens(&options)?;
    let ask = Ask::to("kms:Encrypt").context(&context).fact("kms:EncryptionAlgorithm", SYMMETRIC_DEFAULT);
    let key = kms.usable(env, key, &ask)?;
    check_algorithm(symmetric, key)?;
    options.proceed()?;
    Ok(json!({
        "CiphertextBlob": STANDARD.encode(key.encrypt(env.host, &context, &plaintext)),
        "KeyId": key.record.arn,
        "EncryptionAlgorithm": SYMMETRIC_DEFAULT,
    }))
}

pub fn decrypt(kms: &mut Kms, env: &mut Env, input: &Value) -> Result<Value, Fault> {
    let mut members = Members::of(input)?;
    members.unsupported("Recipient")?;
    let blob = members.blob("CiphertextBlob", 1..=MAX_CIPHERTEXT)?;
    let named = members.text("KeyId", 1..=2048)?;
    let symmetric = algorithm(&mut members, "EncryptionAlgorithm")?;
    let context = members.pairs("EncryptionContext")?;
    let options = Options::read(&mut members)?;
    members.finish()?;
    kms.check_grant_tokens(&options)?;
    let facts = [("kms:EncryptionAlgorithm", SYMMETRIC_DEFAULT.to_owned())];
    let (key, opened) = kms.open_blob(env, &blob, named, "kms:Decrypt", &context, &facts)?;
    check_algorithm(symmetric, key)?;
    options.proceed()?;
    Ok(json!({
        "KeyId": opened.key_arn,
        "Plaintext": STANDARD.encode(&opened.plaintext),
        "EncryptionAlgorithm": SYMMETRIC_DEFAULT,
        "KeyMaterialId": hex(&opened.material),
    }))
}

pub fn generate_data_key(kms: &mut Kms, env: &mut Env, input: &Value) -> Result<Value, Fault> {
    Members::of(input)?.unsupported("Recipient")?;
    let (mut answer, plaintext) = new_data_key(kms, env, input, "kms:GenerateDataKey")?;
    answer["Plaintext"] = json!(STANDARD.encode(&plaintext));
    Ok(answer)
}

pub fn generate_data_key_without_plaintext(kms: &mut Kms, env: &mut Env, input: &Value) -> Result<Value, Fault> {
    new_data_key(kms, env, input, "kms:GenerateDataKeyWithoutPlaintext").map(|(answer, _)| answer)
}

fn new_data_key(
    kms: &mut Kms,
    env: &mut Env,
    input: &Value,
    action: &'static str,
) -> Result<(Value, Zeroizing<Vec<u8>>), Fault> {
    let mut members = Members::of(input)?;
    let key = members.key_id()?;
    let spec = members.choice("KeySpec", &["AES_256", "AES_128"])?;
    let bytes = members.integer("NumberOfBytes", 1..=1024)?;
    let context = members.pairs("EncryptionContext")?;
    let options = Options::read(&mut members)?;
    members.finish()?;
    let length = match (spec, bytes) {
        (Some("AES_128"), None) => 16,
        (Some(_), None) => 32,
        (None, Some(bytes)) => usize::try_from(bytes).unwrap_or_default(), // 1..=1024 by now
        _ => return Err(Fault::invalid("Please specify either number of bytes or key spec.")),
    };
    kms.check_grant_tokens(&options)?;
    let ask = Ask::to(action).context(&context).fact("kms:EncryptionAlgorithm", SYMMETRIC_DEFAULT);
    let key = kms.usable(env, key, &ask)?;
    options.proceed()?;
    let mut plaintext = Zeroizing::new(vec![0; length]);
    env.host.entropy.fill(&mut plaintext);
    let answer = json!({
        "CiphertextBlob": STANDARD.encode(key.encrypt(env.host, &context, &plaintext)),
        "KeyId": key.record.arn,
        "KeyMaterialId": hex(&key.current().id),
    });
    Ok((answer, plaintext))
}

pub fn re_encrypt(kms: &mut Kms, env: &mut Env, input: &Value) -> Result<Value, Fault> {
    let mut members = Members::of(input)?;
    let blob = members.blob("CiphertextBlob", 1..=MAX_CIPHERTEXT)?;
    let source = members.text("SourceKeyId", 1..=2048)?;
    let destination = members.needed_text("DestinationKeyId", 1..=2048)?;
    let source_symmetric = algorithm(&mut members, "SourceEncryptionAlgorithm")?;
    let destination_symmetric = algorithm(&mut members, "DestinationEncryptionAlgorithm")?;
    let source_context = members.pairs("SourceEncryptionContext")?;
    let destination_context = members.pairs("DestinationEncryptionContext")?;
    let options = Options::read(&mut members)?;
    members.finish()?;
    kms.check_grant_tokens(&options)?;
    let same = kms.same_key(env, &blob, destination).to_string();
    let facts = [("kms:EncryptionAlgorithm", SYMMETRIC_DEFAULT.to_owned()), ("kms:ReEncryptOnSameKey", same.clone())];
    let (source, opened) = kms.open_blob(env, &blob, source, "kms:ReEncryptFrom", &source_context, &facts)?;
    check_algorithm(source_symmetric, source)?;
    let ask = Ask::to("kms:ReEncryptTo")
        .context(&destination_context)
        .fact("kms:EncryptionAlgorithm", SYMMETRIC_DEFAULT)
        .fact("kms:ReEncryptOnSameKey", same);
    let destination = kms.usable(env, destination, &ask)?;
    check_algorithm(destination_symmetric, destination)?;
    options.proceed()?;
    Ok(json!({
        "CiphertextBlob": STANDARD.encode(destination.encrypt(env.host, &destination_context, &opened.plaintext)),
        "SourceKeyId": opened.key_arn,
        "KeyId": destination.record.arn,
        "SourceEncryptionAlgorithm": SYMMETRIC_DEFAULT,
        "DestinationEncryptionAlgorithm": SYMMETRIC_DEFAULT,
        "SourceKeyMaterialId": hex(&opened.material),
        "DestinationKeyMaterialId": hex(&destination.current().id),
    }))
}
