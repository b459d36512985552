//! BatchWriteItem: up to 25 puts and deletes, over one or more tables.

use std::collections::BTreeSet;
use std::sync::Arc;

use serde_json::{Value, json};

use super::super::capacity::{Report, write_units};
use super::super::codec::encode_key;
use super::super::items::Items;
use super::super::key::Key;
use super::super::request::{self, TableRef, member};
use super::super::table::Table;
use super::super::value::{Item, item_from_json, item_size};
use super::super::{authorise, read, unlock, write};
use super::conditional::check_size;
use super::facts;
use crate::sandbox::engine::{Engine, RequestContext};
use crate::sandbox::error::Fault;

/// The most writes in one request.
const MAX_WRITES: usize = 25;

/// A write: an item to put, or nothing to delete.
struct Write {
    key: Key,
    item: Option<Item>,
}

pub fn run(engine: &mut Engine, ctx: &RequestContext, input: &Value) -> Result<Value, Fault> {
    let requests = super::batch_get_item::request_items(input)?;
    let mut targets = Vec::new();
    for (name, writes) in requests {
        let target = TableRef::parse(&engine.host, name)?;
        let writes = writes
            .as_array()
            .ok_or_else(|| Fault::Serialization(Some("RequestItems must hold lists of write requests".to_owned())))?;
        let keys = writes.iter().filter_map(|write| {
            let put = member(write, "PutRequest").and_then(|put| member(put, "Item"));
            put.or_else(|| member(write, "DeleteRequest").and_then(|delete| member(delete, "Key")))
        });
        let facts = facts::of(input, engine.dynamodb.find(&target).as_deref(), keys);
        authorise(engine, ctx, "BatchWriteItem", &target.arn, &facts)?;
        targets.push((target, writes));
    }
    let report = Report::of(input)?;
    if targets.iter().map(|(_, writes)| writes.len()).sum::<usize>() > MAX_WRITES {
        return Err(Fault::invalid("Too many items requested for the BatchWriteItem call"));
    }

    // Everything is checked before anything is written.
    let mut batches: Vec<(Arc<Table>, Vec<Write>)> = Vec::new();
    for (target, writes) in targets {
        if writes.is_empty() {
            return Err(request::constraint(
                "'[]'",
                &format!("requestItems.{}.member", target.name),
                "Member must have length less than or equal to 25, Member must have length greater than or equal to 1",
            ));
        }
        let table = engine.dynamodb.table(&target)?;
        let writes = writes.iter().map(|write| read_write(&table, write)).collect::<Result<Vec<_>, _>>()?;
        batches.push((table, writes));
    }
    let mut seen = BTreeSet::new();
    for (table, writes) in &batches {
        for Write { key, .. } in writes {
            let range = key.range.as_ref().map(|range| encode_key(range).to_vec());
            if !seen.insert((&table.name, encode_key(&key.hash).to_vec(), range)) {
                return Err(Fault::invalid("Provided list of item keys contains duplicates"));
            }
        }
    }
    let mut unlocked = Vec::new();
    for (table, writes) in batches {
        let keys = unlock(engine, ctx, &table)?;
        unlocked.push((table, keys, writes));
    }

    let mut consumed = Vec::new();
    for (table, keys, writes) in unlocked {
        let mut units = 0.0;
        for Write { key, item } in writes {
            let place = keys.place(&key);
            let old = read(&engine.host, &table, &keys, &place)?.as_ref().map_or(0, item_size);
            units += write_units(item.as_ref().map_or(0, item_size).max(old));
            match item {
                Some(item) => write(&mut engine.host, &table, &keys, &place, &item)?,
                None => Items::of(engine.host.store.connection(), &table.name).delete(&place)?,
            }
        }
        consumed.extend(report.entry(&table.name, units));
    }
    let mut output = json!({ "UnprocessedItems": {} });
    if !consumed.is_empty() {
        output["ConsumedCapacity"] = Value::Array(consumed);
    }
    Ok(output)
}

fn read_write(table: &Table, write: &Value) -> Result<Write, Fault> {
    match (member(write, "PutRequest"), member(write, "DeleteRequest")) {
        (Some(put), None) => {
            let item = request::attributes(put, "Item")?;
            check_size(&item)?;
            Ok(Write { key: table.schema.key_of_item(&item)?, item: Some(item) })
        }
        (None, Some(delete)) => {
            let key =
                member(delete, "Key").ok_or_else(|| request::constraint("null", "key", "Member must not be null"))?;
            Ok(Write { key: table.schema.key_from(&item_from_json(key)?)?, item: None })
        }
        _ => Err(Fault::invalid("A write request must have exactly one of PutRequest and DeleteRequest")),
    }
}
