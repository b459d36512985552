//! The key hierarchy: KMS key → table key → data encryption key → items (DynamoDB guide).
//!
//! The table key is the only key that travels to KMS, and is stored only as KMS encrypted it. To use it, DynamoDB asks KMS
//! to decrypt it **as the calling principal**, with the table's encryption context. The plaintext is then cached for that
//! connection, until the connection closes or has not used it for five minutes. So a revoked permission stops working on
//! a new connection or once the cache has gone idle. A granted one works at once: a denial is never cached.

use super::sse::SseRequest;
use super::table::{Encryption, Sealed, Table};
use super::table_keys::{CacheKey, TableKeys, encryption_context, own_table_key, table_key_label, tampered};
use crate::sandbox::context::Context;
use crate::sandbox::crypto::{Key256, seal};
use crate::sandbox::error::Fault;
use crate::sandbox::kms::error::KmsError;
use crate::sandbox::kms::forwarded::{self, Acting, KmsCallFailed};
use crate::sandbox::kms::keys;

/// What a table's grant lets DynamoDB do. Real AWS's exact list is not proven; this one is what its documents suggest.
const GRANT_OPERATIONS: [&str; 8] = [
    "Encrypt",
    "Decrypt",
    "ReEncryptFrom",
    "ReEncryptTo",
    "GenerateDataKey",
    "GenerateDataKeyWithoutPlaintext",
    "RetireGrant",
    "DescribeKey",
];

/// The table's keys: under the table key in the cache, or by asking KMS as the caller. Reading and writing both need them.
///
/// # Errors
/// KMS's in DynamoDB's words; 500 when the stored keys were tampered with.
pub fn unlock(cx: &mut Context<'_>, table: &Table) -> Result<TableKeys, Fault> {
    let now = cx.account.state.clock.now();
    let unwrap = |table_key: &Key256| {
        TableKeys::unwrap(&table.id, table_key, &table.data_key).ok_or_else(|| tampered("a data key"))
    };
    let cache_key = CacheKey {
        table_id: table.id.clone(),
        connection: cx.caller.origin.connection,
        principal: cx.caller.principal.unique_id.clone(),
    };
    if let Some(table_key) = cx.account.table_keys.get(&cache_key, now) {
        if let Ok(keys) = unwrap(table_key) {
            return Ok(keys);
        }
        // Kept from a re-keying that was undone. KMS knows the table's own.
        cx.account.table_keys.forget(&table.id);
    }
    let table_key = match &table.encryption {
        Encryption::AwsOwned { table_key } => {
            own_table_key(&cx.account.state.dynamodb.service_key, &table.id, table_key)
                .ok_or_else(|| tampered("a table key"))?
        }
        Encryption::Kms { table_key, .. } => {
            let context = encryption_context(&cx.account.id, &table.name);
            forwarded::decrypt(cx, table_key, &context)?
        }
    };
    let keys = unwrap(&table_key)?;
    cx.account.table_keys.insert(cache_key, table_key, now);
    Ok(keys)
}

/// The ARN of the KMS key that a request asks for, `None` for the AWS owned key. DescribeKey, as the caller.
///
/// # Errors
/// KMS's in DynamoDB's words.
pub fn resolve_key(cx: &mut Context<'_>, request: &SseRequest) -> Result<Option<String>, Fault> {
    let key = match request {
        SseRequest::AwsOwned => return Ok(None),
        SseRequest::AwsManaged => keys::aws_managed_key(cx, "dynamodb")?,
        SseRequest::Customer(key) => {
            if let Some(service) = managed_for(key) {
                keys::aws_managed_key(cx, service)?;
            }
            key.clone()
        }
    };
    Ok(Some(forwarded::describe_key(cx, &key)?))
}

/// A new table key: under the KMS key with this ARN, or under the key DynamoDB owns. CreateGrant as the caller, then
/// GenerateDataKey as DynamoDB, by that grant (DynamoDB guide).
///
/// # Errors
/// KMS's in DynamoDB's words.
pub fn new_table_key(
    cx: &mut Context<'_>,
    table_name: &str,
    table_id: &str,
    key_arn: Option<&str>,
) -> Result<(Key256, Encryption), Fault> {
    let Some(key_arn) = key_arn else {
        let table_key = Key256::generate(&mut cx.entropy);
        let nonce = cx.entropy.bytes();
        let label = table_key_label(table_id);
        let sealed = seal(&cx.account.state.dynamodb.service_key, nonce, &label, table_key.expose());
        return Ok((table_key, Encryption::AwsOwned { table_key: Sealed { nonce, sealed } }));
    };
    let context = encryption_context(&cx.account.id, table_name);
    let grant_id = forwarded::create_grant(cx, key_arn, &GRANT_OPERATIONS, &context)?;
    let data_key = forwarded::check_creator(cx, key_arn, &context)
        .and_then(|()| forwarded::generate_data_key(cx, Acting::AsItself, key_arn, &context));
    match data_key {
        Ok(data_key) => {
            let encryption = Encryption::Kms { key_arn: data_key.key_arn, grant_id, table_key: data_key.ciphertext };
            Ok((data_key.plaintext, encryption))
        }
        Err(failed) => {
            retire_grant(cx, key_arn, &grant_id)?;
            Err(failed.into())
        }
    }
}

/// Retires the grant of a table that no longer needs its key, as DynamoDB itself. A key that is gone or can't be used any
/// more must not keep a table from being deleted, so KMS's errors only show in the trail.
///
/// # Errors
/// When the sandbox itself fails.
pub fn retire_grant(cx: &mut Context<'_>, key_arn: &str, grant_id: &str) -> Result<(), Fault> {
    match forwarded::retire_grant(cx, key_arn, grant_id) {
        Err(KmsCallFailed { error: KmsError::Internal(message), .. }) => Err(Fault::Internal(message)),
        _ => Ok(()),
    }
}

/// The service whose AWS managed key `key` names. An account has such a key once it has used the service with KMS; the
/// sandbox takes it that this one has.
fn managed_for(key: &str) -> Option<&str> {
    const SERVICES: [&str; 8] = ["ebs", "lambda", "rds", "s3", "secretsmanager", "sns", "sqs", "ssm"];
    let alias = if key.starts_with("arn:") { key.rsplit(':').next()? } else { key };
    alias.strip_prefix("alias/aws/").filter(|service| SERVICES.contains(service))
}
