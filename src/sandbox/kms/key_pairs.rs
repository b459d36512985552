//! `GenerateDataKeyPair`, `GenerateDataKeyPairWithoutPlaintext`.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::asymmetric;
use super::ciphertext::EncryptionContext;
use super::cryptography::usable_key;
use super::error::KmsError;
use super::grants::Options;
use super::key_id::KeyId;
use super::keys::refuse_unsupported;
use super::model::{SYMMETRIC_DEFAULT, hex};
use super::spec::KeySpec;
use crate::sandbox::authorize::facts;
use crate::sandbox::crypto::Secret;
use crate::sandbox::operation::{Context, Fault, Members, Output, Request};

const SPECS: [&str; 9] = [
    "RSA_2048",
    "RSA_3072",
    "RSA_4096",
    "ECC_NIST_P256",
    "ECC_NIST_P384",
    "ECC_NIST_P521",
    "ECC_SECG_P256K1",
    "SM2",
    "ECC_NIST_EDWARDS25519",
];

/// What both operations ask for.
struct NewPair {
    key: KeyId,
    spec: &'static str,
    context: EncryptionContext,
    options: Options,
}

impl NewPair {
    fn parse(members: &Members<'_>) -> Result<Self, Fault> {
        Ok(Self {
            key: KeyId::parse(members, "KeyId")?,
            spec: members.required_choice("KeyPairSpec", &SPECS)?,
            context: members.pairs("EncryptionContext")?.unwrap_or_default(),
            options: Options::parse(members)?,
        })
    }

    /// The response without the private key, and the private key.
    fn run(self, cx: &mut Context<'_>, operation: &str) -> Result<(Value, Secret), KmsError> {
        self.options.check_tokens(cx)?;
        let asked = facts([("kms:DataKeyPairSpec", self.spec), ("kms:EncryptionAlgorithm", SYMMETRIC_DEFAULT)]);
        let key = usable_key(cx, &self.key, &format!("kms:{operation}"), &self.context, &asked)?;
        key.check_symmetric(operation)?;
        let missing = || KmsError::Unsupported(format!("The sandbox creates no key pairs of the spec {}.", self.spec));
        let spec = KeySpec::find(self.spec).ok_or_else(missing)?;
        self.options.proceed()?;
        let private = asymmetric::generate(spec, &mut cx.entropy)?;
        let sealed = key.encrypt(&mut cx.entropy, &self.context, private.expose())?;
        let output = json!({
            "PrivateKeyCiphertextBlob": STANDARD.encode(sealed),
            "PublicKey": STANDARD.encode(asymmetric::public_key(spec, &private)?),
            "KeyId": key.record.arn,
            "KeyPairSpec": self.spec,
            "KeyMaterialId": hex(&key.current().id),
        });
        Ok((output, private))
    }
}

/// `GenerateDataKeyPair`
pub struct GenerateDataKeyPair(NewPair);

impl Request for GenerateDataKeyPair {
    fn parse(members: &Members<'_>) -> Result<Self, Fault> {
        refuse_unsupported(members, "Recipient")?;
        NewPair::parse(members).map(Self)
    }

    fn run(self, cx: &mut Context<'_>) -> Result<Output, Fault> {
        let (mut output, private) = self.0.run(cx, "GenerateDataKeyPair")?;
        output["PrivateKeyPlaintext"] = json!(STANDARD.encode(private.expose()));
        Ok(output.into())
    }
}

/// `GenerateDataKeyPairWithoutPlaintext`
pub struct GenerateDataKeyPairWithoutPlaintext(NewPair);

impl Request for GenerateDataKeyPairWithoutPlaintext {
    fn parse(members: &Members<'_>) -> Result<Self, Fault> {
        NewPair::parse(members).map(Self)
    }

    fn run(self, cx: &mut Context<'_>) -> Result<Output, Fault> {
        Ok(self.0.run(cx, "GenerateDataKeyPairWithoutPlaintext")?.0.into())
    }
}
