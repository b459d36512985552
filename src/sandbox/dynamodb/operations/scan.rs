//! Scan: reads the whole table, or one segment of it, page by page.
//!
//! Partitions come in the order of their hashes, and a partition's items in the order of their sort keys, as in DynamoDB.
//! The index only knows hashes, so a partition is decrypted to be ordered.

use serde_json::Value;

use super::super::expression::Placeholders;
use super::super::items::Items;
use super::super::request::{self, TableRef};
use super::super::value::{AttributeValue, item_from_json};
use super::super::{authorise, unlock};
use super::facts;
use super::page::{Page, Shape, SortedItem, sort, sort_key};
use crate::sandbox::engine::{Engine, RequestContext};
use crate::sandbox::error::Fault;

pub fn run(engine: &mut Engine, ctx: &RequestContext, input: &Value) -> Result<Value, Fault> {
    let target = TableRef::of(&engine.host, input)?;
    authorise(engine, ctx, "Scan", &target.arn, &facts::of(input, None, None))?;
    let mut placeholders = Placeholders::read(input, &["FilterExpression"], &["ProjectionExpression"])?;
    let shape = Shape::of(input, &mut placeholders)?;
    placeholders.finish()?;
    let segment = Segment::of(input)?;
    let table = engine.dynamodb.table(&target)?;
    let start = match request::member(input, "ExclusiveStartKey") {
        Some(key) => Some(table.schema.start_key_from(&item_from_json(key)?)?),
        None => None,
    };

    let keys = unlock(engine, ctx, &table)?;
    let start = start.map(|key| (keys.partition(&key.hash), key.range));
    if let Some((partition, _)) = &start
        && !segment.contains(partition)
    {
        return Err(Fault::invalid(format!(
            "The provided starting key is invalid: Invalid ExclusiveStartKey. Please use ExclusiveStartKey with correct \
             Segment. TotalSegments: {} Segment: {}",
            segment.total, segment.number
        )));
    }
    let mut page = Page::new(&shape, &table);
    let items = Items::of(engine.host.store.connection(), &table.name);
    let (from, to) = segment.bounds();
    let from = start.as_ref().map_or(&from[..], |(partition, _)| &partition[..]);
    let mut partition = Partition::default();
    let mut wants_more = true;
    items.scan(from, to.as_ref().map(<[u8; 4]>::as_slice), |stored| {
        if stored.place.partition != partition.hash {
            wants_more = partition.hand_over(start.as_ref(), &mut page)?;
            partition.hash = stored.place.partition;
        }
        let item = keys.open_item(&stored.place, stored.sealed.nonce, &stored.sealed.sealed)?;
        partition.items.push((sort_key(&table, &item), item));
        Ok::<_, Fault>(wants_more)
    })?;
    if wants_more {
        partition.hand_over(start.as_ref(), &mut page)?;
    }
    Ok(page.finish())
}

/// The items of the partition that is being read.
#[derive(Default)]
struct Partition {
    hash: [u8; 32],
    items: Vec<SortedItem>,
}

impl Partition {
    /// Puts the items that come after `start` on the page, in order. Whether the page takes more.
    fn hand_over(
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
            if is_after && !page.take(&item)? {
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
    fn of(input: &Value) -> Result<Self, Fault> {
        match (request::count(input, "Segment")?, request::count(input, "TotalSegments")?) {
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
            (Some(number), Some(total)) => Ok(Self { number, total }),
        }
    }

    /// The first four bytes of the first hash in the segment, and of the first one after it.
    fn bounds(&self) -> ([u8; 4], Option<[u8; 4]>) {
        let edge = |number: u64| u32::try_from((number << 32).div_ceil(self.total)).ok().map(u32::to_be_bytes);
        (edge(self.number).unwrap_or([0xff; 4]), edge(self.number + 1))
    }

    fn contains(&self, partition: &[u8; 32]) -> bool {
        let (from, to) = self.bounds();
        partition[..4] >= from[..] && to.is_none_or(|to| partition[..4] < to[..])
    }
}
