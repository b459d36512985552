//! `GenerateMac`, `VerifyMac`.

use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;
use zeroize::Zeroizing;

use super::error::KmsError;
use super::grants::Options;
use super::key_id::KeyId;
use super::model::Key;
use super::spec::{KeySpec, KeyUsage};
use crate::sandbox::authorize::facts;
use crate::sandbox::operation::{Context, Fault, Members, Output, Request};

const ALGORITHMS: [&str; 4] = ["HMAC_SHA_384", "HMAC_SHA_256", "HMAC_SHA_224", "HMAC_SHA_512"];

/// What both operations ask for.
struct MacRequest {
    key: KeyId,
    message: Zeroizing<Vec<u8>>,
    algorithm: &'static str,
    options: Options,
}

impl MacRequest {
    fn parse(members: &Members<'_>) -> Result<Self, Fault> {
        Ok(Self {
            key: KeyId::parse(members, "KeyId")?,
            message: members.blob("Message", 1..=4096)?,
            algorithm: members.required_choice("MacAlgorithm", &ALGORITHMS)?,
            options: Options::parse(members)?,
        })
    }

    /// The key's ARN, and its secret made ready for the algorithm.
    fn key(&self, cx: &mut Context<'_>, operation: &str) -> Result<(String, hmac::Key), KmsError> {
        self.options.check_tokens(cx)?;
        let asked = facts([("kms:MacAlgorithm", self.algorithm)]);
        let key = cx.key_with(&self.key, &format!("kms:{operation}"), &asked)?;
        key.check_usable()?;
        key.check_usage(KeyUsage::Mac, operation)?;
        key.record.spec.check_algorithm(KeyUsage::Mac, self.algorithm)?;
        Ok((key.record.arn.clone(), hmac_key(&key)))
    }
}

fn hmac_key(key: &Key) -> hmac::Key {
    let algorithm = match key.record.spec {
        KeySpec::Hmac224 => hmac::HMAC_SHA224,
        KeySpec::Hmac384 => hmac::HMAC_SHA384,
        KeySpec::Hmac512 => hmac::HMAC_SHA512,
        _ => hmac::HMAC_SHA256,
    };
    hmac::Key::new(algorithm, key.current().key.expose())
}

/// `GenerateMac`
pub struct GenerateMac(MacRequest);

impl Request for GenerateMac {
    fn parse(members: &Members<'_>) -> Result<Self, Fault> {
        MacRequest::parse(members).map(Self)
    }

    fn run(self, cx: &mut Context<'_>) -> Result<Output, Fault> {
        let (arn, key) = self.0.key(cx, "GenerateMac")?;
        self.0.options.proceed()?;
        let mac = hmac::sign(&key, &self.0.message);
        Ok(json!({ "Mac": STANDARD.encode(mac.as_ref()), "MacAlgorithm": self.0.algorithm, "KeyId": arn }).into())
    }
}

/// `VerifyMac`
pub struct VerifyMac {
    request: MacRequest,
    mac: Zeroizing<Vec<u8>>,
}

impl Request for VerifyMac {
    fn parse(members: &Members<'_>) -> Result<Self, Fault> {
        Ok(Self { request: MacRequest::parse(members)?, mac: members.blob("Mac", 1..=6144)? })
    }

    fn run(self, cx: &mut Context<'_>) -> Result<Output, Fault> {
        let (arn, key) = self.request.key(cx, "VerifyMac")?;
        // A dry run looks at permissions and keys only.
        self.request.options.proceed()?;
        hmac::verify(&key, &self.request.message, &self.mac).map_err(|_| KmsError::InvalidMac)?;
        Ok(json!({ "KeyId": arn, "MacValid": true, "MacAlgorithm": self.request.algorithm }).into())
    }
}
