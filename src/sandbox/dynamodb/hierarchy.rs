//! The key hierarchy: KMS key → table key → data encryption key → items (DynamoDB guide).
//!
//! The table key is the only key that travels to KMS, and is kept only as KMS encrypted it. What needs it asks KMS to
//! decrypt it **as the calling principal**, with the table's encryption context. The plaintext is then cached for that
//! connection, until the connection closes or has not used it for five minutes. So a revoked permission stops working on
//! a new connection or once the cache has gone idle. A granted one works at once: a refusal is never cached.

use std::collections::HashMap;

use time::{Duration, OffsetDateTime};

use super::codec;
use super::key::Key;
use super::sse::Wanted;
use super::table::{Encryption, Sealed, Table};
use super::value::{AttributeValue, Item};
use super::wrap::{kms_error, not_symmetric};
use crate::policy::Principal;
use crate::sandbox::crypto::{Key256, hmac_sha256, open, seal};
use crate::sandbox::engine::{Host, RequestContext};
use crate::sandbox::entropy::Entropy;
use crate::sandbox::error::Fault;
use crate::sandbox::iam::Iam;
use crate::sandbox::kms::{EncryptionContext, FailedCall, Kms, OnBehalf};
use crate::sandbox::request::ConnectionId;

/// How long an unused plaintext table key stays in memory (DynamoDB guide).
const IDLE: Duration = Duration::minutes(5);
/// `invokedBy` in the trail.
const INVOKED_BY: &str = "dynamodb.amazonaws.com";
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

/// The plaintext keys of one table below its table key, for the length of one request. Wiped when dropped.
#[derive(Debug)]
pub struct TableKeys {
    table_id: String,
    data_key: Key256,
    index_key: Key256,
}

/// Where an item is kept: keyed hashes of its key, which say nothing to who hasn't the table's keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Place {
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

    /// Where the item with this key is kept.
    pub fn place(&self, key: &Key) -> Place {
        let partition = self.partition(&key.hash);
        let mut whole = zeroize::Zeroizing::new(partition.to_vec());
        if let Some(range) = &key.range {
            whole.extend_from_slice(&codec::encode_key(range));
        }
        Place { partition, item: hmac_sha256(&self.index_key, &whole) }
    }

    /// Encrypts an item, bound to its table and place.
    pub fn seal_item(&self, entropy: &mut Entropy, place: &Place, item: &Item) -> Sealed {
        let nonce = entropy.bytes();
        let sealed = seal(&self.data_key, nonce, &self.item_label(place), &codec::encode_item(item));
        Sealed { nonce, sealed }
    }

    /// Decrypts an item.
    ///
    /// # Errors
    /// 500 when the stored bytes are not what was written here.
    pub fn open_item(&self, place: &Place, nonce: [u8; 12], sealed: &[u8]) -> Result<Item, Fault> {
        open(&self.data_key, nonce, &self.item_label(place), sealed)
            .and_then(|plain| codec::decode_item(&plain))
            .ok_or_else(|| tampered("an item"))
    }

    fn item_label(&self, place: &Place) -> Vec<u8> {
        [b"item", self.table_id.as_bytes(), &place.item].concat()
    }

    /// The data key sealed under another table key: re-keying a table leaves its items alone.
    pub fn rewrap(&self, entropy: &mut Entropy, table_key: &Key256) -> Sealed {
        seal_data_key(entropy, &self.table_id, table_key, &self.data_key)
    }
}

fn data_key_label(table_id: &str) -> Vec<u8> {
    [b"data key", table_id.as_bytes()].concat()
}

fn table_key_label(table_id: &str) -> Vec<u8> {
    [b"table key", table_id.as_bytes()].concat()
}

fn seal_data_key(entropy: &mut Entropy, table_id: &str, table_key: &Key256, data_key: &Key256) -> Sealed {
    let nonce = entropy.bytes();
    Sealed { nonce, sealed: seal(table_key, nonce, &data_key_label(table_id), data_key.expose()) }
}

fn tampered(what: &str) -> Fault {
    Fault::Internal(format!("The sandbox could not decrypt {what} of its own: the database was changed"))
}

/// The plaintext table keys in memory.
#[derive(Debug, Default)]
pub struct Cache(HashMap<CacheKey, Cached>);

/// AWS caches a table key "for each connection" (DynamoDB guide). The principal is part of the key as well: two
/// principals can sign requests on one connection, and the permission of one doesn't extend to the other.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct CacheKey {
    table_id: String,
    connection: ConnectionId,
    /// The principal's unique id.
    principal: String,
}

impl CacheKey {
    fn of(table_id: &str, ctx: &RequestContext) -> Self {
        Self { table_id: table_id.to_owned(), connection: ctx.connection, principal: ctx.principal.unique_id.clone() }
    }
}

#[derive(Debug)]
struct Cached {
    table_key: Key256,
    used: OffsetDateTime,
}

impl Cache {
    /// Drops, and so wipes, what has been idle for five minutes.
    pub fn expire(&mut self, now: OffsetDateTime) {
        self.0.retain(|_, cached| now - cached.used < IDLE);
    }

    fn get(&mut self, table_id: &str, ctx: &RequestContext, now: OffsetDateTime) -> Option<&Key256> {
        self.expire(now);
        let cached = self.0.get_mut(&CacheKey::of(table_id, ctx))?;
        cached.used = now;
        Some(&cached.table_key)
    }

    fn insert(&mut self, table_id: &str, ctx: &RequestContext, table_key: Key256, now: OffsetDateTime) {
        self.0.insert(CacheKey::of(table_id, ctx), Cached { table_key, used: now });
    }

    /// Drops, and so wipes, what was cached for a connection that has closed.
    pub fn disconnected(&mut self, connection: ConnectionId) {
        self.0.retain(|key, _| key.connection != connection);
    }

    /// The table was deleted or got another key.
    pub fn forget(&mut self, table_id: &str) {
        self.0.retain(|key, _| key.table_id != table_id);
    }

    /// How many keys are held.
    #[cfg(test)]
    pub fn held(&self) -> usize {
        self.0.len()
    }
}

/// One caller's way to KMS, for one table.
pub struct Keyring<'a> {
    /// What the services share.
    pub host: &'a mut Host,
    /// Who has which identity policies.
    pub iam: &'a Iam,
    /// KMS.
    pub kms: &'a mut Kms,
    /// The key behind tables without a KMS key.
    pub service_key: &'a Key256,
    /// The request.
    pub ctx: &'a RequestContext,
}

impl Keyring<'_> {
    fn context(&self, table_name: &str) -> EncryptionContext {
        encryption_context(&self.host.account, table_name)
    }

    /// Runs one call to KMS, as the caller or as DynamoDB itself, and wraps its error.
    fn kms<T>(
        &mut self,
        as_service: bool,
        call: impl FnOnce(&mut Kms, &mut Host, &Iam, &OnBehalf<'_>) -> Result<T, FailedCall>,
    ) -> Result<T, Fault> {
        let via_service = via_service(&self.host.region);
        let service = Principal::service(&via_service);
        let principal = if as_service { &service } else { &self.ctx.principal };
        let on = OnBehalf { ctx: self.ctx, principal, via_service: &via_service, invoked_by: INVOKED_BY };
        call(self.kms, self.host, self.iam, &on).map_err(kms_error)
    }

    /// The ARN of the KMS key that a request asks for, `None` for the AWS owned key. DescribeKey, as the caller.
    pub fn resolve(&mut self, wanted: &Wanted) -> Result<Option<String>, Fault> {
        let key = match wanted {
            Wanted::AwsOwned => return Ok(None),
            Wanted::AwsManaged => self.kms.aws_managed_key(self.host, "dynamodb")?,
            Wanted::Customer(key) => {
                if let Some(service) = managed_for(key) {
                    self.kms.aws_managed_key(self.host, service)?;
                }
                key.clone()
            }
        };
        let facts = self.kms(false, |kms, host, iam, on| kms.describe_key(host, iam, on, &key))?;
        if facts.spec != "SYMMETRIC_DEFAULT" {
            return Err(not_symmetric(&mut self.host.entropy));
        }
        Ok(Some(facts.arn))
    }

    /// A new table key: under the KMS key with this ARN, or under the key DynamoDB owns. CreateGrant as the caller, then
    /// GenerateDataKey as DynamoDB, by that grant (DynamoDB guide).
    pub fn new_table_key(
        &mut self,
        table_name: &str,
        table_id: &str,
        key_arn: Option<&str>,
    ) -> Result<(Key256, Encryption), Fault> {
        let Some(key_arn) = key_arn else {
            let table_key = Key256::generate(&mut self.host.entropy);
            let nonce = self.host.entropy.bytes();
            let sealed = seal(self.service_key, nonce, &table_key_label(table_id), table_key.expose());
            return Ok((table_key, Encryption::AwsOwned { table_key: Sealed { nonce, sealed } }));
        };
        let context = self.context(table_name);
        let grantee = via_service(&self.host.region);
        let grant_id = self.kms(false, |kms, host, iam, on| {
            kms.create_grant(host, iam, on, key_arn, &grantee, &GRANT_OPERATIONS, &context)
        })?;
        let may_use = self.kms(false, |kms, host, iam, on| kms.check_creator(host, iam, on, key_arn, &context));
        let made = may_use.and_then(|()| {
            self.kms(true, |kms, host, iam, on| kms.generate_data_key(host, iam, on, key_arn, &context))
        });
        match made {
            Ok(made) => {
                let encryption = Encryption::Kms { key_arn: made.key_arn, grant_id, table_key: made.ciphertext };
                Ok((made.plaintext, encryption))
            }
            Err(error) => {
                self.retire(key_arn, &grant_id);
                Err(error)
            }
        }
    }

    /// A new data key, sealed under `table_key`.
    pub fn new_data_key(&mut self, table_id: &str, table_key: &Key256) -> Sealed {
        let data_key = Key256::generate(&mut self.host.entropy);
        seal_data_key(&mut self.host.entropy, table_id, table_key, &data_key)
    }

    /// The table's keys: under the table key in the cache, or by asking KMS as the caller.
    pub fn unlock(&mut self, cache: &mut Cache, table: &Table) -> Result<TableKeys, Fault> {
        let now = self.host.clock.now();
        let unwrap = |table_key: &Key256| {
            TableKeys::unwrap(&table.id, table_key, &table.data_key).ok_or_else(|| tampered("a data key"))
        };
        if let Some(table_key) = cache.get(&table.id, self.ctx, now) {
            if let Ok(keys) = unwrap(table_key) {
                return Ok(keys);
            }
            // Kept from a re-keying that was undone. KMS knows the table's own.
            cache.forget(&table.id);
        }
        let table_key = match &table.encryption {
            Encryption::AwsOwned { table_key } => {
                own_table_key(self.service_key, &table.id, table_key).ok_or_else(|| tampered("a table key"))?
            }
            Encryption::Kms { table_key, .. } => {
                let context = self.context(&table.name);
                self.kms(false, |kms, host, iam, on| kms.decrypt(host, iam, on, table_key, &context))?
            }
        };
        let keys = unwrap(&table_key)?;
        cache.insert(&table.id, self.ctx, table_key, now);
        Ok(keys)
    }

    /// Gives back the grant of a table that no longer needs its key, as DynamoDB itself. A key that is gone or can't be
    /// used any more must not keep a table from being deleted, so errors only show in the trail.
    pub fn retire(&mut self, key_arn: &str, grant_id: &str) {
        let _ = self.kms(true, |kms, host, iam, on| kms.retire_grant(host, iam, on, key_arn, grant_id));
    }
}

/// A table's encryption context (DynamoDB guide).
pub fn encryption_context(account: &str, table_name: &str) -> EncryptionContext {
    EncryptionContext::from([
        ("aws:dynamodb:tableName".to_owned(), table_name.to_owned()),
        ("aws:dynamodb:subscriberId".to_owned(), account.to_owned()),
    ])
}

/// A table key under the key that DynamoDB owns.
pub fn own_table_key(service_key: &Key256, table_id: &str, sealed: &Sealed) -> Option<Key256> {
    let plain = open(service_key, sealed.nonce, &table_key_label(table_id), &sealed.sealed)?;
    Key256::from_bytes(&plain)
}

/// The service whose AWS managed key `key` names. An account has such a key once it has used the service with KMS; the
/// sandbox takes it that this one has.
fn managed_for(key: &str) -> Option<&str> {
    const SERVICES: [&str; 8] = ["ebs", "lambda", "rds", "s3", "secretsmanager", "sns", "sqs", "ssm"];
    let alias = if key.starts_with("arn:") { key.rsplit(':').next()? } else { key };
    alias.strip_prefix("alias/aws/").filter(|service| SERVICES.contains(service))
}

/// `kms:ViaService`, and DynamoDB's name as a grantee.
fn via_service(region: &str) -> String {
    format!("dynamodb.{region}.amazonaws.com")
}
