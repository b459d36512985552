//! The check of kept items when the sandbox starts. What a flipped bit breaks is noticed then, not by a read weeks later.

use std::collections::BTreeSet;

use super::items::Items;
use super::state::DynamoDb;
use super::table::{Encryption, Table};
use super::table_keys::{TableKeys, encryption_context, own_table_key};
use crate::sandbox::kms::state::Kms;
use crate::sandbox::store::{Store, StoreError};

impl DynamoDb {
    /// Decrypts every item and checks that it is where its key belongs. Nobody is asked for permission and nothing is
    /// kept: the sandbox reads its own file. A table whose KMS key was deleted can't be checked.
    ///
    /// # Errors
    /// [`StoreError::Damaged`] says which table and what is wrong with it.
    pub fn check_items(&self, store: &Store, account: &str, kms: &Kms) -> Result<(), StoreError> {
        let known: BTreeSet<&str> = self.tables.keys().map(String::as_str).collect();
        let stored = Items::tables(store.connection())?;
        if let Some(lost) = stored.iter().find(|name| !known.contains(name.as_str())) {
            return Err(StoreError::Damaged(format!("it has items of a table {lost:?} that does not exist")));
        }
        self.tables.values().try_for_each(|table| self.check_table(store, account, kms, table))
    }

    fn check_table(&self, store: &Store, account: &str, kms: &Kms, table: &Table) -> Result<(), StoreError> {
        let damaged = |what: &str| StoreError::Damaged(format!("{what} of table {} can't be decrypted", table.name));
        let table_key = match &table.encryption {
            Encryption::AwsOwned { table_key } => own_table_key(&self.service_key, &table.id, table_key),
            Encryption::Kms { key_arn, .. } if kms.key_state(key_arn).is_none() => return Ok(()),
            Encryption::Kms { table_key, .. } => kms.open_unasked(table_key, &encryption_context(account, &table.name)),
        };
        let table_key = table_key.ok_or_else(|| damaged("the table key"))?;
        let keys = TableKeys::unwrap(&table.id, &table_key, &table.data_key).ok_or_else(|| damaged("the data key"))?;
        Items::of(store.connection(), &table.name).scan(&[], None, |stored| {
            let item = keys
                .open_item(&stored.row, stored.sealed.nonce, &stored.sealed.sealed)
                .map_err(|_| damaged("an item"))?;
            let row = table.schema.key_of_item(&item).map(|key| keys.row_key(&key));
            if row == Ok(stored.row) {
                return Ok(true);
            }
            Err(StoreError::Damaged(format!("an item of table {} is not where its key belongs", table.name)))
        })
    }
}
