//! A table as it lies in the database: what can be seen there without any key, and nothing else.

use serde_json::{Value, json};

use super::items::Items;
use super::table::Encryption;
use crate::sandbox::account::Account;
use crate::sandbox::kms::model::hex;
use crate::sandbox::store::StoreError;

/// As many items are shown.
const MOST_ITEMS: usize = 10;
/// As many bytes of each.
const MOST_BYTES: usize = 64;
/// The tag at the end of a ciphertext (AES-GCM).
const TAG: usize = 16;

/// The encrypted keys and the first items of a table; `None` when there is no such table.
///
/// The items come in the order of their hashes. In a table without a sort key Scan gives them in the same order; which
/// is which can't be seen.
///
/// # Errors
/// When the database can't be read.
pub fn describe(account: &Account, name: &str) -> Result<Option<Value>, StoreError> {
    let Some(table) = account.state.dynamodb.tables.get(name) else { return Ok(None) };
    let (key_arn, table_key) = match &table.encryption {
        Encryption::Kms { key_arn, table_key, .. } => (Some(key_arn), table_key),
        Encryption::AwsOwned { table_key } => (None, &table_key.sealed),
    };
    let items = Items::of(account.store.connection(), name);
    let mut records = Vec::new();
    items.scan::<StoreError>(&[], None, |stored| {
        let (ciphertext, tag) = stored.sealed.sealed.split_at(stored.sealed.sealed.len().saturating_sub(TAG));
        records.push(json!({
            "nonce": hex(&stored.sealed.nonce),
            "ciphertext": hex(&ciphertext[..ciphertext.len().min(MOST_BYTES)]),
            "bytes": ciphertext.len(),
            "tag": hex(tag),
        }));
        Ok(records.len() < MOST_ITEMS)
    })?;
    Ok(Some(json!({
        "database": account.store.path(),
        "table": name,
        "keyArn": key_arn,
        // KMS alone asks for one.
        "encryptionContext": key_arn.map(|_| json!({
            "aws:dynamodb:tableName": name,
            "aws:dynamodb:subscriberId": account.id,
        })),
        "tableKey": { "bytes": table_key.len() },
        "dataKey": { "bytes": table.data_key.sealed.len().saturating_sub(TAG) },
        "items": items.statistics()?.0,
        "records": records,
    })))
}
