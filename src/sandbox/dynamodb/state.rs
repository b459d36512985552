//! The state of DynamoDB: the tables, the key that DynamoDB owns, and the plaintext table keys in memory.

use std::collections::BTreeMap;
use std::sync::Arc;

use zeroize::Zeroizing;

use super::items::{self, Items};
use super::table::Table;
use super::table_keys::TableKeyCache;
use crate::sandbox::clock::Clock;
use crate::sandbox::crypto::Key256;
use crate::sandbox::entropy::Entropy;
use crate::sandbox::kms::state::Kms;
use crate::sandbox::store::{Store, StoreError};

/// The store's kind for tables.
const TABLE: &str = "dynamodb-table";
/// The store's kind for the key DynamoDB owns.
const SERVICE_KEY: &str = "dynamodb-service-key";

/// The tables, the key that DynamoDB owns, and the plaintext table keys in memory.
#[derive(Debug)]
pub struct DynamoDb {
    /// By name.
    pub tables: BTreeMap<String, Arc<Table>>,
    /// The key behind tables without a KMS key.
    pub service_key: Key256,
    /// The table keys in memory.
    pub cache: TableKeyCache,
}

impl DynamoDb {
    /// Loads the tables. A new store gets a service key.
    ///
    /// # Errors
    /// When the database can't be read or written.
    pub fn open(store: &mut Store, entropy: &mut Entropy) -> Result<Self, StoreError> {
        items::create_schema(store.connection())?;
        let kept: Option<Zeroizing<[u8; 32]>> = store.load::<[u8; 32]>(SERVICE_KEY)?.pop().map(Zeroizing::new);
        let service_key = match kept.and_then(|bytes| Key256::from_bytes(&bytes[..])) {
            Some(key) => key,
            None => {
                let key = Key256::generate(entropy);
                store.put(SERVICE_KEY, "1", key.expose())?;
                key
            }
        };
        Ok(Self { tables: load_tables(store)?, service_key, cache: TableKeyCache::default() })
    }

    /// Reads the tables again, after a request was undone. The table keys in memory stay: a failed request of one principal
    /// must not make DynamoDB ask KMS again for the others.
    ///
    /// # Errors
    /// When the database can't be read.
    pub fn reload(&mut self, store: &Store) -> Result<(), StoreError> {
        self.tables = load_tables(store)?;
        Ok(())
    }

    /// Adds or replaces a table.
    ///
    /// # Errors
    /// When the database can't be written.
    pub fn put_table(&mut self, store: &mut Store, table: Table) -> Result<Arc<Table>, StoreError> {
        store.put(TABLE, &table.name, &table)?;
        let table = Arc::new(table);
        self.tables.insert(table.name.clone(), Arc::clone(&table));
        Ok(table)
    }

    /// Removes a table with its items and keys in memory.
    ///
    /// # Errors
    /// When the database can't be written.
    pub fn remove_table(&mut self, store: &mut Store, table: &Table) -> Result<(), StoreError> {
        Items::of(store.connection(), &table.name).clear()?;
        store.delete(TABLE, &table.name)?;
        self.tables.remove(&table.name);
        self.cache.forget(&table.id);
        Ok(())
    }

    /// Notices which tables have lost their KMS key or got it back, and archives those that were without it for too long.
    /// To be called before and after anything that may change a key, and before time passes.
    ///
    /// # Errors
    /// When the store can't be written.
    pub fn notice_keys(&mut self, store: &mut Store, clock: &Clock, kms: &Kms) -> Result<(), StoreError> {
        let now = clock.epoch_seconds();
        let changed: Vec<Table> = self.tables.values().filter_map(|table| table.noticed(kms, now)).collect();
        changed.into_iter().try_for_each(|table| self.put_table(store, table).map(drop))
    }
}

fn load_tables(store: &Store) -> Result<BTreeMap<String, Arc<Table>>, StoreError> {
    let tables = store.load::<Table>(TABLE)?.into_iter();
    Ok(tables.map(|table| (table.name.clone(), Arc::new(table))).collect())
}
