//! The entries of an index, computed from the table's items, and the place where a page of them begins.

use std::cmp::Ordering;

use super::super::index::Index;
use super::super::items::Items;
use super::super::table::Table;
use super::super::table_keys::{RowKey, TableKeys};
use super::super::value::{AttributeValue, Item};
use crate::sandbox::error::Fault;

/// An item as an index has it.
pub struct Entry {
    /// Where it is.
    pub place: Place,
    /// The whole item.
    pub item: Item,
}

/// The place of an entry: entries are in the order of their partition's hash, their sort key, and their item's row.
pub struct Place {
    /// The hash of the partition key's value in the index.
    pub partition: [u8; 32],
    sort: Option<AttributeValue>,
    row: RowKey,
}

impl Place {
    fn compare(&self, other: &Place) -> Ordering {
        let sort = || match (&self.sort, &other.sort) {
            (Some(ours), Some(theirs)) => ours.compare(theirs).unwrap_or(Ordering::Equal),
            _ => Ordering::Equal,
        };
        let row = |place: &Place| (place.row.partition, place.row.item);
        self.partition.cmp(&other.partition).then_with(sort).then_with(|| row(self).cmp(&row(other)))
    }

    /// Whether an entry here comes after one at `start`, in the order that is read.
    pub fn is_after(&self, start: &Place, forward: bool) -> bool {
        let order = self.compare(start);
        if forward { order.is_gt() } else { order.is_lt() }
    }

    /// The place that an `ExclusiveStartKey` names: exactly the key in the index and the table's.
    ///
    /// # Errors
    /// `ValidationException`
    pub fn of_start(table: &Table, index: &Index, keys: &TableKeys, given: &Item) -> Result<Place, Fault> {
        let is_key = |name: &String| index.schema.contains(name) || table.schema.contains(name);
        if !given.keys().all(is_key) {
            return Err(Fault::invalid("The provided starting key is invalid"));
        }
        let own = |schema: &super::super::key::KeySchema| {
            let part = given.iter().filter(|(name, _)| schema.contains(name));
            schema.start_key_from(&part.map(|(name, value)| (name.clone(), value.clone())).collect())
        };
        let (in_index, in_table) = (own(&index.schema)?, own(&table.schema)?);
        let row = keys.row_key(&in_table);
        Ok(Place { partition: keys.partition(&in_index.hash), sort: in_index.range, row })
    }
}

/// All entries of an index, in order. `wanted` chooses by the item.
///
/// # Errors
/// When the database fails or was tampered with.
pub fn entries(
    items: &Items<'_>,
    index: &Index,
    keys: &TableKeys,
    wanted: impl Fn(&Item) -> bool,
) -> Result<Vec<Entry>, Fault> {
    let mut entries = Vec::new();
    items.scan(&[], None, |stored| {
        let item = keys.open_item(&stored.row, stored.sealed.nonce, &stored.sealed.sealed)?;
        if index.has(&item) && wanted(&item) {
            let sort = index.schema.range.as_ref().and_then(|range| item.get(&range.name)).cloned();
            if let Some(hash) = item.get(&index.schema.hash.name) {
                let place = Place { partition: keys.partition(hash), sort, row: stored.row };
                entries.push(Entry { place, item });
            }
        }
        Ok::<_, Fault>(true)
    })?;
    entries.sort_by(|one, other| one.place.compare(&other.place));
    Ok(entries)
}
