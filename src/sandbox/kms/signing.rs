//! `GetPublicKey`, `Sign`, `Verify`.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;
use zeroize::Zeroizing;

use super::asymmetric;
use super::error::KmsError;
use super::grants::Options;
use super::key_id::KeyId;
use super::model::Key;
use super::spec::KeyUsage;
use crate::sandbox::authorize::facts;
use crate::sandbox::operation::{Context, Fault, Members, Output, Request};

const ALGORITHMS: [&str; 10] = [
    "RSASSA_PSS_SHA_256",
    "RSASSA_PSS_SHA_384",
    "RSASSA_PSS_SHA_512",
    "RSASSA_PKCS1_V1_5_SHA_256",
    "RSASSA_PKCS1_V1_5_SHA_384",
    "RSASSA_PKCS1_V1_5_SHA_512",
    "ECDSA_SHA_256",
    "ECDSA_SHA_384",
    "ECDSA_SHA_512",
    "SM2DSA",
];

/// `GetPublicKey`
pub struct GetPublicKey {
    key: KeyId,
    options: Options,
}

impl Request for GetPublicKey {
    fn parse(members: &Members<'_>) -> Result<Self, Fault> {
        Ok(Self { key: KeyId::parse(members, "KeyId")?, options: Options::parse(members)? })
    }

    fn run(self, cx: &mut Context<'_>) -> Result<Output, Fault> {
        self.options.check_tokens(cx)?;
        let key = cx.key(&self.key, "kms:GetPublicKey")?;
        key.check_usable()?;
        let (spec, usage) = (key.record.spec, key.record.usage);
        if !spec.is_asymmetric() {
            // The code is AWS's (API reference). That it comes without a sentence is not proven.
            return Err(KmsError::Unsupported(String::new()).into());
        }
        let public = asymmetric::public_key(spec, &key.current().key)?;
        let mut output = json!({
            "KeyId": key.record.arn,
            "PublicKey": STANDARD.encode(public),
            "CustomerMasterKeySpec": spec.name(),
            "KeySpec": spec.name(),
            "KeyUsage": usage.name(),
        });
        output[usage.algorithms_member()] = json!(spec.algorithms(usage));
        Ok(output.into())
    }
}

/// What `Sign` and `Verify` ask for.
struct SigningRequest {
    key: KeyId,
    message: Zeroizing<Vec<u8>>,
    kind: &'static str,
    algorithm: &'static str,
    options: Options,
}

impl SigningRequest {
    fn parse(members: &Members<'_>) -> Result<Self, Fault> {
        Ok(Self {
            key: KeyId::parse(members, "KeyId")?,
            message: members.blob("Message", 1..=4096)?,
            kind: members.choice("MessageType", &["RAW", "DIGEST"])?.unwrap_or("RAW"),
            algorithm: members.required_choice("SigningAlgorithm", &ALGORITHMS)?,
            options: Options::parse(members)?,
        })
    }

    /// The key, if the caller may use it and it has the algorithm, and the digest of the message.
    fn prepare(
        &self,
        cx: &mut Context<'_>,
        operation: &str,
    ) -> Result<(Arc<Key>, aws_lc_rs::digest::Digest), KmsError> {
        self.options.check_tokens(cx)?;
        let asked = facts([("kms:SigningAlgorithm", self.algorithm), ("kms:MessageType", self.kind)]);
        let key = cx.key_with(&self.key, &format!("kms:{operation}"), &asked)?;
        key.check_usable()?;
        key.check_usage(KeyUsage::Sign, operation)?;
        key.record.spec.check_algorithm(KeyUsage::Sign, self.algorithm)?;
        let digest = asymmetric::digest(self.algorithm, &self.message, self.kind == "DIGEST")?;
        Ok((key, digest))
    }
}

/// `Sign`
pub struct Sign(SigningRequest);

impl Request for Sign {
    fn parse(members: &Members<'_>) -> Result<Self, Fault> {
        SigningRequest::parse(members).map(Self)
    }

    fn run(self, cx: &mut Context<'_>) -> Result<Output, Fault> {
        let (key, digest) = self.0.prepare(cx, "Sign")?;
        self.0.options.proceed()?;
        let algorithm = self.0.algorithm;
        let signature = asymmetric::sign(key.record.spec, algorithm, &key.current().key, &digest)?;
        let signature = STANDARD.encode(signature);
        Ok(json!({ "KeyId": key.record.arn, "Signature": signature, "SigningAlgorithm": algorithm }).into())
    }
}

/// `Verify`
pub struct Verify {
    request: SigningRequest,
    signature: Zeroizing<Vec<u8>>,
}

impl Request for Verify {
    fn parse(members: &Members<'_>) -> Result<Self, Fault> {
        Ok(Self { request: SigningRequest::parse(members)?, signature: members.blob("Signature", 1..=6144)? })
    }

    fn run(self, cx: &mut Context<'_>) -> Result<Output, Fault> {
        let (key, digest) = self.request.prepare(cx, "Verify")?;
        self.request.options.proceed()?;
        let public = asymmetric::public_key(key.record.spec, &key.current().key)?;
        asymmetric::verify(self.request.algorithm, &public, &digest, &self.signature)?;
        let algorithm = self.request.algorithm;
        Ok(json!({ "KeyId": key.record.arn, "SignatureValid": true, "SigningAlgorithm": algorithm }).into())
    }
}
