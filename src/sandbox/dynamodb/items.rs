//! The encrypted items in SQLite.
//!
//! ```sql
//! SELECT table_name, hex(partition), hex(ciphertext) FROM dynamodb_items
//! ```
//! shows all that can be learnt without the keys: which table, and how many items of which size.

use rusqlite::{Connection, OptionalExtension, Row, params};

use super::table::Sealed;
use super::table_keys::{RowKey, TableKeys};
use super::value::Item;
use crate::sandbox::entropy::Entropy;
use crate::sandbox::error::Fault;
use crate::sandbox::store::StoreError;

const SCHEMA: &str = "
    CREATE TABLE IF NOT EXISTS dynamodb_items (
        table_name TEXT NOT NULL,
        partition  BLOB NOT NULL,
        item       BLOB NOT NULL,
        nonce      BLOB NOT NULL,
        ciphertext BLOB NOT NULL,
        PRIMARY KEY (table_name, partition, item)
    ) WITHOUT ROWID";

/// The items of one table.
#[derive(Debug, Clone, Copy)]
pub struct Items<'a> {
    connection: &'a Connection,
    table: &'a str,
}

/// A stored item.
#[derive(Debug)]
pub struct Stored {
    /// Where it is.
    pub row: RowKey,
    /// Its bytes.
    pub sealed: Sealed,
}

/// Makes the table for items, when missing.
///
/// # Errors
/// When the database can't be read or written.
pub fn create_schema(connection: &Connection) -> Result<(), StoreError> {
    connection.execute_batch(SCHEMA)?;
    Ok(())
}

fn stored(row: &Row<'_>) -> rusqlite::Result<Stored> {
    Ok(Stored {
        row: RowKey { partition: row.get(0)?, item: row.get(1)? },
        sealed: Sealed { nonce: row.get(2)?, sealed: row.get(3)? },
    })
}

impl<'a> Items<'a> {
    /// The items of the table with this name.
    pub fn of(connection: &'a Connection, table: &'a str) -> Self {
        Self { connection, table }
    }

    /// The names of all tables that have items.
    ///
    /// # Errors
    /// When the database can't be read or written.
    pub fn tables(connection: &Connection) -> Result<Vec<String>, StoreError> {
        let mut statement = connection.prepare("SELECT DISTINCT table_name FROM dynamodb_items")?;
        let names = statement.query_map([], |row| row.get(0))?;
        Ok(names.collect::<Result<_, _>>()?)
    }

    /// Reads and decrypts one item.
    ///
    /// # Errors
    /// 500 when the database fails or was tampered with.
    pub fn read(&self, keys: &TableKeys, row: &RowKey) -> Result<Option<Item>, Fault> {
        self.get(row)?.map(|stored| keys.open_item(row, stored.nonce, &stored.sealed)).transpose()
    }

    /// Encrypts and writes one item.
    ///
    /// # Errors
    /// When the database can't be written.
    pub fn write(&self, entropy: &mut Entropy, keys: &TableKeys, row: &RowKey, item: &Item) -> Result<(), StoreError> {
        self.put(row, &keys.seal_item(entropy, row, item))
    }

    /// One item's bytes.
    ///
    /// # Errors
    /// When the database can't be read or written.
    pub fn get(&self, row: &RowKey) -> Result<Option<Sealed>, StoreError> {
        let mut statement = self.connection.prepare_cached(
            "SELECT nonce, ciphertext FROM dynamodb_items WHERE table_name = ?1 AND partition = ?2 AND item = ?3",
        )?;
        let found = statement.query_row(params![self.table, row.partition, row.item], |row| {
            Ok(Sealed { nonce: row.get(0)?, sealed: row.get(1)? })
        });
        Ok(found.optional()?)
    }

    /// Writes or replaces one item.
    ///
    /// # Errors
    /// When the database can't be read or written.
    pub fn put(&self, row: &RowKey, sealed: &Sealed) -> Result<(), StoreError> {
        self.connection
            .prepare_cached(
                "INSERT OR REPLACE INTO dynamodb_items (table_name, partition, item, nonce, ciphertext)
                 VALUES (?1, ?2, ?3, ?4, ?5)",
            )?
            .execute(params![self.table, row.partition, row.item, sealed.nonce, sealed.sealed])?;
        Ok(())
    }

    /// Removes one item.
    ///
    /// # Errors
    /// When the database can't be read or written.
    pub fn delete(&self, row: &RowKey) -> Result<(), StoreError> {
        self.connection
            .prepare_cached("DELETE FROM dynamodb_items WHERE table_name = ?1 AND partition = ?2 AND item = ?3")?
            .execute(params![self.table, row.partition, row.item])?;
        Ok(())
    }

    /// Removes all items.
    ///
    /// # Errors
    /// When the database can't be read or written.
    pub fn clear(&self) -> Result<(), StoreError> {
        self.connection
            .prepare_cached("DELETE FROM dynamodb_items WHERE table_name = ?1")?
            .execute(params![self.table])?;
        Ok(())
    }

    /// How many items there are, and how many bytes of them.
    ///
    /// # Errors
    /// When the database can't be read or written.
    pub fn statistics(&self) -> Result<(u64, u64), StoreError> {
        let mut statement = self.connection.prepare_cached(
            "SELECT count(*), coalesce(sum(length(ciphertext) - 16), 0) FROM dynamodb_items WHERE table_name = ?1",
        )?;
        let (count, bytes) =
            statement.query_row(params![self.table], |row| Ok((row.get::<_, i64>(0)?, row.get::<_, i64>(1)?)))?;
        Ok((count.unsigned_abs(), bytes.unsigned_abs()))
    }

    /// Calls `each` with the items of a part of the table, in the order of their hashes, until it returns `false`.
    /// `from` is the first partition's hash, or the start of it, `to` the first one after the part (`None`: up to the
    /// end).
    ///
    /// # Errors
    /// Those of `each`, and when the database can't be read.
    pub fn scan<E: From<StoreError>>(
        &self,
        from: &[u8],
        to: Option<&[u8]>,
        mut each: impl FnMut(Stored) -> Result<bool, E>,
    ) -> Result<(), E> {
        let mut statement = self
            .connection
            .prepare_cached(
                "SELECT partition, item, nonce, ciphertext FROM dynamodb_items
                 WHERE table_name = ?1 AND (partition, item) > (?2, ?3)
                 ORDER BY partition, item",
            )
            .map_err(StoreError::from)?;
        // An empty item hash is below every real one.
        let mut rows = statement.query(params![self.table, from, &[][..] as &[u8]]).map_err(StoreError::from)?;
        while let Some(row) = rows.next().map_err(StoreError::from)? {
            let stored = stored(row).map_err(StoreError::from)?;
            if to.is_some_and(|to| stored.row.partition.as_slice() >= to) || !each(stored)? {
                break;
            }
        }
        Ok(())
    }

    /// All items of one partition.
    ///
    /// # Errors
    /// When the database can't be read or written.
    pub fn partition(&self, partition: &[u8; 32]) -> Result<Vec<Stored>, StoreError> {
        let mut statement = self.connection.prepare_cached(
            "SELECT partition, item, nonce, ciphertext FROM dynamodb_items WHERE table_name = ?1 AND partition = ?2",
        )?;
        let rows = statement.query_map(params![self.table, partition], stored)?;
        Ok(rows.collect::<Result<_, _>>()?)
    }
}
