//! The keys below a table key, and the table keys in memory. Nothing here asks KMS.

use std::collections::HashMap;

use time::{Duration, OffsetDateTime};

use super::codec;
use super::key::Key;
use super::table::Sealed;
use super::value::{AttributeValue, Item};
use crate::sandbox::crypto::{Key256, hmac_sha256, open, seal};
use crate::sandbox::entropy::Entropy;
use crate::sandbox::error::Fault;
use crate::sandbox::kms::ciphertext::EncryptionContext;

/// How long an unused plaintext table key stays in memory (DynamoDB guide).
const IDLE: Duration = Duration::minutes(5);

/// The plaintext keys of one table below its table key, for the length of one request. Wiped when dropped.
#[derive(Debug)]
pub struct TableKeys {
    table_id: String,
    data_key: Key256,
    index_key: Key256,
}

/// Where an item is stored: keyed hashes of its key, which mean nothing without the table's keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RowKey {
    /// Hash of the partition key.
    pub partition: [u8; 32],
    /// Hash of the whole key.
    pub item: [u8; 32],
}

impl TableKeys {
    /// The keys below a table key; `None` when it is another table's.
    pub fn unwrap(table_id: &str, table_key: &Key256, sealed: &Sealed) -> Option<Self> {
        let plain = open(table_key, sealed.nonce, &data_key_label(table_id), &sealed.sealed)?;
        let data_key = Key256::from_bytes(&plain)?;
        let index_key = Key256::from_bytes(&hmac_sha256(&data_key, b"dynamodb item index"))?;
        Some(Self { table_id: table_id.to_owned(), data_key, index_key })
    }

    /// The hash of a partition key's value.
    pub fn partition(&self, hash: &AttributeValue) -> [u8; 32] {
        hmac_sha256(&self.index_key, &codec::encode_key(hash))
    }

    /// Where the item with this key is stored.
    pub fn row_key(&self, key: &Key) -> RowKey {
        let partition = self.partition(&key.hash);
        let mut whole = zeroize::Zeroizing::new(partition.to_vec());
        if let Some(range) = &key.range {
            whole.extend_from_slice(&codec::encode_key(range));
        }
        RowKey { partition, item: hmac_sha256(&self.index_key, &whole) }
    }

    /// Encrypts an item, bound to its table and row.
    pub fn seal_item(&self, entropy: &mut Entropy, row: &RowKey, item: &Item) -> Sealed {
        let nonce = entropy.bytes();
        let sealed = seal(&self.data_key, nonce, &self.item_label(row), &codec::encode_item(item));
        Sealed { nonce, sealed }
    }

    /// Decrypts an item.
    ///
    /// # Errors
    /// 500 when the stored bytes are not what was written here.
    pub fn open_item(&self, row: &RowKey, nonce: [u8; 12], sealed: &[u8]) -> Result<Item, Fault> {
        open(&self.data_key, nonce, &self.item_label(row), sealed)
            .and_then(|plain| codec::decode_item(&plain))
            .ok_or_else(|| tampered("an item"))
    }

    fn item_label(&self, row: &RowKey) -> Vec<u8> {
        [b"item", self.table_id.as_bytes(), &row.item].concat()
    }

    /// The data key sealed under another table key: re-keying a table leaves its items alone.
    pub fn rewrap(&self, entropy: &mut Entropy, table_key: &Key256) -> Sealed {
        seal_data_key(entropy, &self.table_id, table_key, &self.data_key)
    }
}

fn data_key_label(table_id: &str) -> Vec<u8> {
    [b"data key", table_id.as_bytes()].concat()
}

/// What the seal of a table key is bound to.
pub fn table_key_label(table_id: &str) -> Vec<u8> {
    [b"table key", table_id.as_bytes()].concat()
}

/// A new data key, sealed under `table_key`.
pub fn new_data_key(entropy: &mut Entropy, table_id: &str, table_key: &Key256) -> Sealed {
    let data_key = Key256::generate(entropy);
    seal_data_key(entropy, table_id, table_key, &data_key)
}

fn seal_data_key(entropy: &mut Entropy, table_id: &str, table_key: &Key256, data_key: &Key256) -> Sealed {
    let nonce = entropy.bytes();
    Sealed { nonce, sealed: seal(table_key, nonce, &data_key_label(table_id), data_key.expose()) }
}

/// 500: the stored bytes are not what was written here.
pub fn tampered(what: &str) -> Fault {
    Fault::Internal(format!("The sandbox could not decrypt {what} of its own: the database was changed"))
}

/// The plaintext table keys in memory.
#[derive(Debug, Default)]
pub struct TableKeyCache(HashMap<CacheKey, Cached>);

/// What a table key is cached for. AWS caches it "for each connection" (DynamoDB guide). The principal is part of the key as
/// well: two principals can sign requests on one connection, and the permission of one doesn't extend to the other.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct CacheKey {
    /// The table's id.
    pub table_id: String,
    /// The number of the connection.
    pub connection: u64,
    /// The principal's unique id.
    pub principal: String,
}

#[derive(Debug)]
struct Cached {
    table_key: Key256,
    used: OffsetDateTime,
}

impl TableKeyCache {
    /// Drops, and so wipes, what has been idle for five minutes.
    pub fn expire(&mut self, now: OffsetDateTime) {
        self.0.retain(|_, cached| now - cached.used < IDLE);
    }

    /// The table key for this table, connection and principal.
    pub fn get(&mut self, key: &CacheKey, now: OffsetDateTime) -> Option<&Key256> {
        self.expire(now);
        let cached = self.0.get_mut(key)?;
        cached.used = now;
        Some(&cached.table_key)
    }

    /// Adds a table key.
    pub fn insert(&mut self, key: CacheKey, table_key: Key256, now: OffsetDateTime) {
        self.0.insert(key, Cached { table_key, used: now });
    }

    /// Drops, and so wipes, what was cached for a connection that has closed.
    pub fn disconnected(&mut self, connection: u64) {
        self.0.retain(|key, _| key.connection != connection);
    }

    /// Drops the keys of a table that was deleted or has another table key.
    pub fn forget(&mut self, table_id: &str) {
        self.0.retain(|key, _| key.table_id != table_id);
    }

    /// The number of keys in memory.
    #[cfg(test)]
    pub fn held(&self) -> usize {
        self.0.len()
    }
}

/// A table's encryption context (DynamoDB guide).
pub fn encryption_context(account: &str, table_name: &str) -> EncryptionContext {
    EncryptionContext::from([
        ("aws:dynamodb:tableName".to_owned(), table_name.to_owned()),
        ("aws:dynamodb:subscriberId".to_owned(), account.to_owned()),
    ])
}

/// Decrypts a table key that is sealed under the key that DynamoDB owns.
pub fn own_table_key(service_key: &Key256, table_id: &str, sealed: &Sealed) -> Option<Key256> {
    let plain = open(service_key, sealed.nonce, &table_key_label(table_id), &sealed.sealed)?;
    Key256::from_bytes(&plain)
}
