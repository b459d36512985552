//! Calls to KMS that a service makes: DynamoDB on behalf of its caller, or for itself.
//!
//! The principal's permissions decide, with `kms:ViaService` and `kms:CallerAccount` set. Every call goes to the trail,
//! whether it succeeds or not.

use std::sync::Arc;

use serde_json::json;

use super::ciphertext::{Blob, EncryptionContext};
use super::cryptography::{algorithm_fact, open_blob, usable_key};
use super::error::KmsError;
use super::grants::{self, NewGrant, Options};
use super::key_id::KeyId;
use super::model::SYMMETRIC_DEFAULT;
use super::trail::TrailEntry;
use crate::policy::{GrantConstraints, Principal};
use crate::sandbox::authorize::{Resource, regional_name};
use crate::sandbox::context::{Caller, Context};
use crate::sandbox::crypto::Key256;
use crate::sandbox::error::Fault;

/// The service that makes all these calls.
const SERVICE: &str = "dynamodb.amazonaws.com";

/// For whom a service calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Acting {
    /// For the principal whose request it serves.
    OnBehalfOfCaller,
    /// For itself.
    AsItself,
}

/// A service's call to KMS that failed.
#[derive(Debug, Clone, PartialEq)]
pub struct KmsCallFailed {
    /// KMS's error.
    pub error: KmsError,
    /// The request id of the call, as in the trail: services quote it in their own error.
    pub request_id: String,
}

/// A data key, in plaintext and encrypted.
#[derive(Debug)]
pub struct DataKey {
    /// The KMS key.
    pub key_arn: String,
    /// The key itself: 256 bits.
    pub plaintext: Key256,
    /// The key encrypted under the KMS key.
    pub ciphertext: Vec<u8>,
}

/// Runs one call of the service and records it.
fn forwarded<T>(
    cx: &mut Context<'_>,
    acting: Acting,
    entry: TrailEntry,
    call: impl FnOnce(&mut Context<'_>) -> Result<T, KmsError>,
) -> Result<T, KmsCallFailed> {
    if let Err(error) = cx.catch_up() {
        return Err(KmsCallFailed { error: error.into(), request_id: cx.entropy.uuid().to_string() });
    }
    let service = service_caller(cx, acting);
    let caller = std::mem::replace(&mut cx.caller, service);
    // Before the call: a retired grant or a rejected key must still be findable for the record.
    let resource = entry.resource(cx);
    let result = call(cx);
    let request_id = cx.entropy.uuid().to_string();
    let fault = result.as_ref().err().map(|error| Fault::from(error.clone()));
    entry.record(cx, &request_id, resource, fault.as_ref());
    cx.caller = caller;
    result.map_err(|error| KmsCallFailed { error, request_id })
}

/// The caller as the service presents it to KMS.
fn service_caller(cx: &Context<'_>, acting: Acting) -> Caller {
    let caller = Caller { via: Some(SERVICE), ..cx.caller.clone() };
    match acting {
        Acting::OnBehalfOfCaller => caller,
        Acting::AsItself => Caller {
            principal: Arc::new(Principal::service(&regional_name(SERVICE, &cx.account.region))),
            permissions: Arc::default(),
            limits: Arc::default(),
            ..caller
        },
    }
}

/// `GenerateDataKey`, 256 bits.
///
/// # Errors
/// As the operation's.
pub fn generate_data_key(
    cx: &mut Context<'_>,
    acting: Acting,
    key: &str,
    context: &EncryptionContext,
) -> Result<DataKey, KmsCallFailed> {
    let entry = TrailEntry::new("GenerateDataKey", key)
        .with("encryptionContext", json!(context))
        .with("keyId", key)
        .with("keySpec", "AES_256");
    forwarded(cx, acting, entry, |cx| {
        let key = usable_key(cx, &KeyId::any(key), "kms:GenerateDataKey", context, &algorithm_fact())?;
        key.check_symmetric("GenerateDataKey")?;
        let plaintext = Key256::generate(&mut cx.entropy);
        let ciphertext = key.encrypt(&mut cx.entropy, context, plaintext.expose())?;
        Ok(DataKey { key_arn: key.record.arn.clone(), plaintext, ciphertext })
    })
}

/// `Decrypt` of a 256-bit data key on behalf of the caller; the blob names the KMS key.
///
/// # Errors
/// As the operation's; `InvalidCiphertextException` also when the plaintext is not a 256-bit key.
pub fn decrypt(cx: &mut Context<'_>, ciphertext: &[u8], context: &EncryptionContext) -> Result<Key256, KmsCallFailed> {
    let key = Blob::parse(ciphertext).map(|blob| blob.key_id()).unwrap_or_default();
    let entry = TrailEntry::new("Decrypt", &key)
        .with("encryptionContext", json!(context))
        .with("encryptionAlgorithm", SYMMETRIC_DEFAULT);
    forwarded(cx, Acting::OnBehalfOfCaller, entry, |cx| {
        let opened = open_blob(cx, ciphertext, None, "kms:Decrypt", context, &algorithm_fact())?;
        Key256::from_bytes(&opened.plaintext).ok_or(KmsError::InvalidCiphertext)
    })
}

/// `DescribeKey` on behalf of the caller; the key's ARN.
///
/// # Errors
/// As the operation's.
pub fn describe_key(cx: &mut Context<'_>, key: &str) -> Result<String, KmsCallFailed> {
    let entry = TrailEntry::new("DescribeKey", key).with("keyId", key);
    forwarded(cx, Acting::OnBehalfOfCaller, entry, |cx| {
        Ok(cx.key(&KeyId::any(key), "kms:DescribeKey")?.record.arn.clone())
    })
}

/// `CreateGrant` to the service on behalf of the caller; the grant's id. The service may also retire the grant, and it
/// counts for calls whose encryption context has at least the pairs of `context`.
///
/// # Errors
/// As the operation's.
pub fn create_grant(
    cx: &mut Context<'_>,
    key: &str,
    operations: &[&str],
    context: &EncryptionContext,
) -> Result<String, KmsCallFailed> {
    let grantee = regional_name(SERVICE, &cx.account.region);
    let entry = TrailEntry::new("CreateGrant", key)
        .with("keyId", key)
        .with("granteePrincipal", grantee.as_str())
        .with("retiringPrincipal", grantee.as_str())
        .with("operations", operations.to_vec())
        .with("constraints", json!({ "encryptionContextSubset": context }));
    forwarded(cx, Acting::OnBehalfOfCaller, entry, |cx| {
        let new = NewGrant {
            retiring: Some(grantee.clone()),
            grantee,
            operations: operations.iter().map(|&operation| operation.to_owned()).collect(),
            constraints: Some(GrantConstraints::EncryptionContextSubset(context.clone())),
            name: None,
        };
        Ok(new.create(cx, &KeyId::any(key), &Options::default())?.grant_id)
    })
}

/// Checks that the creator of a table may use its key. CreateTable fails for a principal that may neither encrypt nor
/// decrypt with it (aws-cdk issue 18616).
///
/// Not proven: how AWS finds out, and which action its message names. Both are decided here and nowhere else. While the
/// creator may, nothing goes to the trail, since AWS's documents list no such call.
///
/// # Errors
/// `AccessDeniedException`.
pub fn check_creator(cx: &mut Context<'_>, key_arn: &str, context: &EncryptionContext) -> Result<(), KmsCallFailed> {
    let facts = algorithm_fact();
    if let Ok(key) = cx.existing_key(key_arn) {
        let service = service_caller(cx, Acting::OnBehalfOfCaller);
        let caller = std::mem::replace(&mut cx.caller, service);
        let resource = Resource::Key { key: &key, alias: None, encryption_context: Some(context) };
        let allowed = ["kms:Encrypt", "kms:Decrypt"].iter().any(|action| cx.would_allow(action, resource, &facts));
        cx.caller = caller;
        if allowed {
            return Ok(());
        }
    }
    let entry = TrailEntry::new("Decrypt", key_arn).with("encryptionContext", json!(context)).with("keyId", key_arn);
    forwarded(cx, Acting::OnBehalfOfCaller, entry, |cx| {
        cx.key_for(&KeyId::any(key_arn), "kms:Decrypt", Some(context), &facts).map(drop)
    })
}

/// `RetireGrant` by the service itself.
///
/// # Errors
/// As the operation's.
pub fn retire_grant(cx: &mut Context<'_>, key_arn: &str, grant_id: &str) -> Result<(), KmsCallFailed> {
    let entry = TrailEntry::new("RetireGrant", key_arn).with("keyId", key_arn).with("grantId", grant_id);
    forwarded(cx, Acting::AsItself, entry, |cx| {
        let key = cx.existing_key(key_arn)?;
        grants::retire(cx, &key, grant_id, &Options::default())
    })
}
