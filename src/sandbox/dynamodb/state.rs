//! The state of DynamoDB: the tables, and the key that DynamoDB owns.

use std::collections::BTreeMap;
use std::sync::Arc;

use zeroize::Zeroizing;

use super::items::{self, Items};
use super::table::Table;
use crate::sandbox::crypto::Key256;
use crate::sandbox::entropy::Entropy;
use crate::sandbox::kms::state::Kms;
use crate::sandbox::store::{Store, StoreError};

/// The store's kind for tables.
const TABLE: &str = "dynamodb-table";
/// The store's kind for the key DynamoDB owns.
const SERVICE_KEY: &str = "dynamodb-service-key";

/// The tables, and the key that DynamoDB owns.
#[derive(Debug, Clone)]
pub struct DynamoDb {
    /// By name.
    pub tables: BTreeMap<String, Arc<Table>>,
    /// The key behind tables without a KMS key.
    pub service_key: Arc<Key256>,
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
            Some(key) => Arc::new(key),
            None => {
                let key = Key256::generate(entropy);
                store.put(SERVICE_KEY, "1", key.expose())?;
                Arc::new(key)
            }
        };
        let tables = store.load::<Table>(TABLE)?.into_iter();
        let tables = tables.map(|table| (table.name.clone(), Arc::new(table))).collect();
        Ok(Self { tables, service_key })
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

    /// Removes a table with its items.
    ///
    /// # Errors
    /// When the database can't be written.
    pub fn remove_table(&mut self, store: &mut Store, table: &Table) -> Result<(), StoreError> {
        Items::of(store.connection(), &table.name).clear()?;
        store.delete(TABLE, &table.name)?;
        self.tables.remove(&table.name);
        Ok(())
    }

    /// The tables that have lost their KMS key or got it back, or were without it for too long, as they are now.
    pub fn noticed(&self, kms: &Kms, now: f64) -> Vec<Table> {
        self.tables.values().filter_map(|table| table.noticed(kms, now)).collect()
    }
}
