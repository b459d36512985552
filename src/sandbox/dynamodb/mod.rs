//! DynamoDB: tables whose items exist only encrypted, under keys that only KMS can open, for whom KMS allows it.
//!
//! [`hierarchy`] is the part the lesson is about. Around it: [`value`] and [`codec`] for items, [`expression`] for
//! conditions, [`items`] for what is on disk, and one file per operation in `operations`.

pub mod at_rest;
mod availability;
pub mod capacity;
pub mod codec;
pub mod expression;
pub mod hierarchy;
mod integrity;
pub mod items;
pub mod key;
pub mod number;
mod operations;
pub mod request;
pub mod shape;
mod shapes;
pub mod sse;
pub mod table;
pub mod value;
pub mod wrap;

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::Value;
use zeroize::Zeroizing;

use self::hierarchy::{Cache, Keyring, Place, TableKeys};
use self::items::Items;
use self::request::TableRef;
use self::table::Table;
use self::value::Item;
use super::crypto::Key256;
use super::engine::{Engine, Host, RequestContext};
use super::error::{Denial, Fault};
use super::request::ConnectionId;
use super::store::StoreError;
use crate::policy::ConditionContext;

/// The store's kind for tables.
const TABLE: &str = "dynamodb-table";
/// The store's kind for the key DynamoDB owns.
const SERVICE_KEY: &str = "dynamodb-service-key";

/// The tables, the key that DynamoDB owns, and the plaintext table keys in memory.
#[derive(Debug)]
pub struct DynamoDb {
    tables: BTreeMap<String, Arc<Table>>,
    service_key: Key256,
    cache: Cache,
}

impl DynamoDb {
    /// Loads the tables; makes the service key when the store is new.
    pub fn open(host: &mut Host) -> Result<DynamoDb, StoreError> {
        items::create_schema(host.store.connection())?;
        let kept: Option<Zeroizing<[u8; 32]>> = host.store.load::<[u8; 32]>(SERVICE_KEY)?.pop().map(Zeroizing::new);
        let service_key = match kept.and_then(|bytes| Key256::from_bytes(&bytes[..])) {
            Some(key) => key,
            None => {
                let key = Key256::generate(&mut host.entropy);
                host.store.put(SERVICE_KEY, "1", key.expose())?;
                key
            }
        };
        let tables = host.store.load::<Table>(TABLE)?;
        let tables = tables.into_iter().map(|table| (table.name.clone(), Arc::new(table))).collect();
        Ok(DynamoDb { tables, service_key, cache: Cache::default() })
    }

    /// Reads the tables again, after a request was undone. The table keys in memory stay: somebody else's refused request
    /// must not make KMS be asked again.
    ///
    /// # Errors
    /// When the database can't be read.
    pub fn reload(&mut self, host: &mut Host) -> Result<(), StoreError> {
        let cache = std::mem::take(&mut self.cache);
        *self = DynamoDb { cache, ..DynamoDb::open(host)? };
        Ok(())
    }

    /// Forgets the table keys of a connection that has closed.
    pub fn disconnected(&mut self, connection: ConnectionId) {
        self.cache.disconnected(connection);
    }

    fn find(&self, table: &TableRef) -> Option<Arc<Table>> {
        if table.local { self.tables.get(&table.name).cloned() } else { None }
    }

    /// The table, for an item operation. One that is archived counts as missing: AWS's reference names this error for a
    /// table that isn't ACTIVE.
    fn table(&self, table: &TableRef) -> Result<Arc<Table>, Fault> {
        self.find(table)
            .filter(|table| table.archived_at.is_none())
            .ok_or_else(|| Fault::service(400, "ResourceNotFoundException", "Requested resource not found"))
    }

    /// The table, for an operation on the table itself, which names it in the error.
    fn named_table(&self, table: &TableRef) -> Result<Arc<Table>, Fault> {
        self.find(table).ok_or_else(|| {
            Fault::service(
                400,
                "ResourceNotFoundException",
                format!("Requested resource not found: Table: {} not found", table.name),
            )
        })
    }

    /// Keeps a new or changed table.
    fn keep(&mut self, host: &mut Host, table: Table) -> Result<Arc<Table>, Fault> {
        host.store.put(TABLE, &table.name, &table)?;
        let table = Arc::new(table);
        self.tables.insert(table.name.clone(), table.clone());
        Ok(table)
    }
}

/// One call: validates, asks IAM, and does it.
///
/// # Errors
/// DynamoDB's own, those of KMS wrapped in DynamoDB's words, and 500 when the database fails.
pub fn call(engine: &mut Engine, ctx: &RequestContext, operation: &str, input: &Value) -> Result<Value, Fault> {
    let now = engine.host.clock.now();
    engine.dynamodb.cache.expire(now);
    engine.dynamodb.notice_keys(&mut engine.host, &engine.kms)?;
    operations::run(engine, ctx, operation, input)
}

/// Asks IAM whether the caller may do `dynamodb:<operation>`.
fn authorise(
    engine: &mut Engine,
    ctx: &RequestContext,
    operation: &str,
    resource: &str,
    facts: &ConditionContext,
) -> Result<(), Fault> {
    let action = format!("dynamodb:{operation}");
    let denied = |message| Fault::Denied(Denial(message));
    engine.iam.authorize(&mut engine.host, ctx, &action, resource, facts).map_err(denied)?;
    // Another account's table needs that account's consent, in a resource-based policy. The sandbox has one account.
    match resource.split(':').nth(4) {
        Some(account) if account != engine.host.account => Err(denied(format!(
            "User: {} is not authorized to perform: {action} on resource: {resource} because no resource-based policy \
             allows the {action} action",
            ctx.principal.arn
        ))),
        _ => Ok(()),
    }
}

/// The way to KMS and the cache, for this request's caller.
fn keyring<'a>(engine: &'a mut Engine, ctx: &'a RequestContext) -> (Keyring<'a>, &'a mut Cache) {
    let Engine { host, iam, kms, dynamodb, .. } = engine;
    let DynamoDb { service_key, cache, .. } = dynamodb;
    (Keyring { host, iam, kms, service_key, ctx }, cache)
}

/// The table's keys, for this request's caller. Reading and writing both need them.
fn unlock(engine: &mut Engine, ctx: &RequestContext, table: &Table) -> Result<TableKeys, Fault> {
    let (mut keyring, cache) = keyring(engine, ctx);
    keyring.unlock(cache, table)
}

/// Reads and decrypts one item.
fn read(host: &Host, table: &Table, keys: &TableKeys, place: &Place) -> Result<Option<Item>, Fault> {
    match Items::of(host.store.connection(), &table.name).get(place)? {
        Some(stored) => keys.open_item(place, stored.nonce, &stored.sealed).map(Some),
        None => Ok(None),
    }
}

/// Encrypts and writes one item.
fn write(host: &mut Host, table: &Table, keys: &TableKeys, place: &Place, item: &Item) -> Result<(), Fault> {
    let sealed = keys.seal_item(&mut host.entropy, place, item);
    Items::of(host.store.connection(), &table.name).put(place, &sealed)?;
    Ok(())
}

#[cfg(test)]
mod tests;
