//! Scan: reads the whole table, or one segment of it, page by page.
//!
//! Partitions come in the order of their hashes, and a partition's items in the order of their sort keys, as in DynamoDB.
//! The database only knows hashes, so a partition is decrypted to be ordered.

use serde_json::Value;

use super::super::index::Index;
use super::super::items::Items;
use super::super::legacy;
use super::super::members::facts;
use super::super::table::Table;
use super::super::table_name::TableName;
use super::super::unlock::unlock;
use super::super::value::{AttributeValue, item_from_json};
use super::entries::{Entry, Place, entries};
use super::page::{Page, PageRequest, Shape, SortedItem, parse_limit, parse_select, sort, sort_key};
use crate::policy::ConditionContext;
use crate::sandbox::authorize::Resource;
use crate::sandbox::operation::{Context, Fault, Later, Members, Output, Request};

/// `Scan`
pub struct Scan {
    table: TableName,
    page: PageRequest,
    segment: Later<Segment>,
    facts: ConditionContext,
}

impl Request for Scan {
    fn parse(members: &Members<'_>) -> Result<Self, Fault> {
        let table = TableName::parse(members);
        let limit = parse_limit(members);
        let select = parse_select(members);
        let page = PageRequest::parse(members, limit, select, legacy::SCAN);
        let total = members.integer("TotalSegments", 1..=1_000_000);
        let number = members.integer("Segment", 0..=999_999);
        let segment = number.and_then(|number| Segment::new(number, total?));
        Ok(Self { table: table?, page, segment, facts: facts(members) })
    }

    fn run(mut self, cx: &mut Context<'_>) -> Result<Output, Fault> {
        let arn = self.page.arn(&self.table, cx.account);
        cx.authorize("dynamodb:Scan", Resource::Table(&arn), &self.facts)?;
        let expressions = &self.page.expressions;
        let mut placeholders = expressions.placeholders(&["FilterExpression"], &["ProjectionExpression"])?;
        let start = self.page.start.take();
        let shape = Shape::new(self.page, &mut placeholders)?;
        placeholders.finish()?;
        let segment = self.segment?;
        let table = self.table.table(cx.account)?;
        if let Some(index) = shape.index_of(&table)? {
            return scan_index(cx, (&table, index), &shape, &segment, start);
        }
        let start = start.map(|key| table.schema.start_key_from(&item_from_json(&key)?)).transpose()?;

        let keys = unlock(cx, &table)?;
        let start = start.map(|key| (keys.partition(&key.hash), key.range));
        segment.check_start(start.as_ref().map(|(partition, _)| partition))?;
        let mut page = Page::new(&shape, &table);
        let items = Items::of(cx.account.store.connection(), &table.name);
        let (from, to) = segment.bounds();
        let from = start.as_ref().map_or(&from[..], |(partition, _)| &partition[..]);
        let mut partition = Partition::default();
        let mut wants_more = true;
        items.scan(from, to.as_ref().map(<[u8; 4]>::as_slice), |stored| {
            if stored.row.partition != partition.hash {
                wants_more = partition.move_to(start.as_ref(), &mut page)?;
                partition.hash = stored.row.partition;
            }
            let item = keys.open_item(&stored.row, stored.sealed.nonce, &stored.sealed.sealed)?;
            partition.items.push((sort_key(&table, &item), item));
            Ok::<_, Fault>(wants_more)
        })?;
        if wants_more {
            partition.move_to(start.as_ref(), &mut page)?;
        }
        Ok(page.finish().into())
    }
}

/// Scans an index: its partitions in the order of their hashes, as in a table.
fn scan_index(
    cx: &mut Context<'_>,
    (table, index): (&Table, &Index),
    shape: &Shape,
    segment: &Segment,
    start: Option<Value>,
) -> Result<Output, Fault> {
    let keys = unlock(cx, table)?;
    let start = start.map(|key| Place::of_start(table, index, &keys, &item_from_json(&key)?)).transpose()?;
    segment.check_start(start.as_ref().map(|start| &start.partition))?;
    let items = Items::of(cx.account.store.connection(), &table.name);
    let mut page = Page::of_index(shape, table, index);
    for Entry { place, item } in entries(&items, index, &keys, |_| true)? {
        let is_wanted =
            segment.contains(&place.partition) && start.as_ref().is_none_or(|start| place.is_after(start, true));
        if is_wanted && !page.take(&shape.seen(table, index, item)) {
            break;
        }
    }
    Ok(page.finish().into())
}

/// The items of the partition that is being read.
#[derive(Default)]
struct Partition {
    hash: [u8; 32],
    items: Vec<SortedItem>,
}

impl Partition {
    /// Moves the items that come after `start` to the page, in order. Returns whether the page has room for more.
    fn move_to(
        &mut self,
        start: Option<&([u8; 32], Option<AttributeValue>)>,
        page: &mut Page<'_>,
    ) -> Result<bool, Fault> {
        sort(&mut self.items);
        let start = start.filter(|(partition, _)| *partition == self.hash);
        for (key, item) in self.items.drain(..) {
            let is_after = match (start, &key) {
                (Some((_, Some(start))), Some(key)) => key.compare(start).is_some_and(std::cmp::Ordering::is_gt),
                // Without a sort key a partition has one item.
                (Some(_), _) => false,
                (None, _) => true,
            };
            if is_after && !page.take(&item) {
                return Ok(false);
            }
        }
        Ok(true)
    }
}

/// One of `total` equal parts of the hash space.
struct Segment {
    number: u64,
    total: u64,
}

impl Segment {
    fn new(number: Option<i64>, total: Option<i64>) -> Result<Self, Fault> {
        match (number, total) {
            (None, None) => Ok(Self { number: 0, total: 1 }),
            (Some(_), None) => Err(Fault::invalid(
                "The TotalSegments parameter is required but was not present in the request when Segment parameter is \
                 present",
            )),
            (None, Some(_)) => Err(Fault::invalid(
                "The Segment parameter is required but was not present in the request when parameter TotalSegments is \
                 present",
            )),
            (Some(number), Some(total)) if number >= total => Err(Fault::invalid(format!(
                "The Segment parameter is zero-based and must be less than parameter TotalSegments: Segment: {number} is \
                 not less than TotalSegments: {total}"
            ))),
            (Some(number), Some(total)) => Ok(Self { number: number.unsigned_abs(), total: total.unsigned_abs() }),
        }
    }

    /// The first four bytes of the first hash in the segment, and of the first one after it.
    fn bounds(&self) -> ([u8; 4], Option<[u8; 4]>) {
        let edge = |number: u64| u32::try_from((number << 32).div_ceil(self.total)).ok().map(u32::to_be_bytes);
        (edge(self.number).unwrap_or([0xff; 4]), edge(self.number + 1))
    }

    /// Refuses a starting key of another segment.
    fn check_start(&self, partition: Option<&[u8; 32]>) -> Result<(), Fault> {
        if partition.is_none_or(|partition| self.contains(partition)) {
            return Ok(());
        }
        Err(Fault::invalid(format!(
            "The provided starting key is invalid: Invalid ExclusiveStartKey. Please use ExclusiveStartKey with correct \
             Segment. TotalSegments: {} Segment: {}",
            self.total, self.number
        )))
    }

    fn contains(&self, partition: &[u8; 32]) -> bool {
        let (from, to) = self.bounds();
        partition[..4] >= from[..] && to.is_none_or(|to| partition[..4] < to[..])
    }
}
