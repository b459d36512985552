//! The one way an item is written. PutItem, UpdateItem, DeleteItem, BatchWriteItem and TransactWriteItems all take it: a
//! [`Write`] is checked against the table's schema, [`Write::prepare`] compares it with the item as it is, and
//! [`Change::store`] writes the row.

use std::sync::Arc;

use serde_json::Map;

use super::super::capacity::write_units;
use super::super::expression::condition::Condition;
use super::super::expression::update::Update;
use super::super::items::Items;
use super::super::key::{Key, KeySchema};
use super::super::table::Table;
use super::super::table_keys::{RowKey, TableKeys};
use super::super::value::{Item, MAX_ITEM_BYTES, item_size, item_to_json};
use crate::sandbox::operation::{Context, Fault};

/// What a write does.
pub enum Action {
    /// Replaces the item.
    Put,
    /// Changes some of its attributes; nothing, without an expression.
    Update(Option<Update>),
    /// Removes it.
    Delete,
    /// Only checks the condition.
    Check,
}

/// A write of one item that fits the table's schema.
pub struct Write {
    /// The table.
    pub table: Arc<Table>,
    /// The item's key.
    pub key: Key,
    /// The whole item of a put, else the key again.
    given: Item,
    action: Action,
    conditional: Conditional,
}

/// What a write will do to the item as it is.
pub struct Change {
    /// The table.
    pub table: Arc<Table>,
    /// The item's key.
    pub key: Key,
    row: RowKey,
    /// Whether there is anything to write.
    writes: bool,
    /// The item before.
    pub old: Option<Item>,
    /// The item after.
    pub new: Option<Item>,
}

impl Write {
    /// Checks a write against the table's schema. `given` is the `Item` of a put, else the `Key`.
    ///
    /// # Errors
    /// `ValidationException`
    pub fn new(table: Arc<Table>, given: Item, action: Action, conditional: Conditional) -> Result<Self, Fault> {
        let key = match &action {
            Action::Put => table.schema.key_of_item(&given)?,
            _ => table.schema.key_from(&given)?,
        };
        match &action {
            Action::Put => {
                check_size(&given)?;
                table.check_index_keys(&given)?;
            }
            Action::Update(Some(update)) => check_paths(update, &table.schema)?,
            _ => {}
        }
        Ok(Self { table, key, given, action, conditional })
    }

    /// Reads the item as it is, checks the condition, and makes the item as it will be. Nothing is written yet.
    ///
    /// # Errors
    /// `ConditionalCheckFailedException`, and the `ValidationException` of an update that doesn't fit the item.
    pub fn prepare(self, cx: &Context<'_>, keys: &TableKeys) -> Result<Change, Fault> {
        let Self { table, key, given, action, conditional } = self;
        let row = keys.row_key(&key);
        let old = Items::of(cx.account.store.connection(), &table.name).read(keys, &row)?;
        conditional.check(old.as_ref())?;
        let writes = !matches!(action, Action::Check);
        let new = match action {
            Action::Put => Some(given),
            Action::Delete => None,
            Action::Check => old.clone(),
            Action::Update(update) => {
                let before = old.clone().unwrap_or(given);
                let after = update.map_or(Ok(before.clone()), |update| update.apply(&before))?;
                check_size(&after)?;
                table.check_index_keys(&after)?;
                Some(after)
            }
        };
        Ok(Change { table, key, row, writes, old, new })
    }
}

impl Change {
    /// The size of the larger of both items, in bytes: what the write is charged for.
    pub fn bytes(&self) -> usize {
        [&self.old, &self.new].into_iter().flatten().map(item_size).max().unwrap_or(0)
    }

    /// The capacity units of the write.
    pub fn units(&self) -> f64 {
        write_units(self.bytes())
    }

    /// Writes the row.
    ///
    /// # Errors
    /// When the database can't be written.
    pub fn store(&self, cx: &mut Context<'_>, keys: &TableKeys) -> Result<(), Fault> {
        if !self.writes {
            return Ok(());
        }
        let items = Items::of(cx.account.store.connection(), &self.table.name);
        match &self.new {
            Some(item) => items.write(&mut cx.entropy, keys, &self.row, item)?,
            None => items.delete(&self.row)?,
        }
        Ok(())
    }
}

/// A write's `ConditionExpression`.
#[derive(Default)]
pub struct Conditional {
    /// The condition; `None` always holds.
    pub condition: Option<Condition>,
    /// Whether the error returns the item as it is.
    pub return_old: bool,
}

impl Conditional {
    /// Checks the condition against the item as it is; one that doesn't exist has no attributes.
    ///
    /// # Errors
    /// `ConditionalCheckFailedException`
    fn check(&self, old: Option<&Item>) -> Result<(), Fault> {
        let nothing = Item::new();
        if self.condition.as_ref().is_none_or(|condition| condition.holds(old.unwrap_or(&nothing))) {
            return Ok(());
        }
        let returned = old.filter(|_| self.return_old);
        Err(Fault::Service {
            status: 400,
            code: "ConditionalCheckFailedException",
            message: Some("The conditional request failed".to_owned()),
            extra: returned.map(|old| Box::new(Map::from_iter([("Item".to_owned(), item_to_json(old))]))),
        })
    }
}

/// Checks that an item is not too large.
fn check_size(item: &Item) -> Result<(), Fault> {
    if item_size(item) > MAX_ITEM_BYTES {
        return Err(Fault::invalid("Item size has exceeded the maximum allowed size"));
    }
    Ok(())
}

/// Refuses an update of a key attribute.
fn check_paths(update: &Update, schema: &KeySchema) -> Result<(), Fault> {
    match update.paths().iter().find(|path| schema.contains(&path.attribute)) {
        None => Ok(()),
        Some(path) => Err(Fault::invalid(format!(
            "One or more parameter values were invalid: Cannot update attribute {}. This attribute is part of the key",
            path.attribute
        ))),
    }
}
