//! Query: reads one partition, or a range of it, ordered by the sort key.
//!
//! The index only knows hashes, so the partition is decrypted to be ordered; with the whole key given, one item is.

use serde_json::{Value, json};

use super::super::expression::{Comparator, KeyCondition, Placeholders, SortCondition};
use super::super::hierarchy::TableKeys;
use super::super::items::Items;
use super::super::key::Key;
use super::super::request::{self, TableRef};
use super::super::table::Table;
use super::super::value::{AttributeValue, Item, item_from_json};
use super::super::{authorise, read, unlock};
use super::facts;
use super::page::{Page, Shape, SortedItem, sort, sort_key};
use crate::sandbox::engine::{Engine, Host, RequestContext};
use crate::sandbox::error::Fault;

pub fn run(engine: &mut Engine, ctx: &RequestContext, input: &Value) -> Result<Value, Fault> {
    let target = TableRef::of(&engine.host, input)?;
    let known = engine.dynamodb.find(&target);
    let leading = known.as_deref().and_then(|table| leading_key(input, table));
    authorise(engine, ctx, "Query", &target.arn, &facts::of(input, known.as_deref(), leading.as_ref()))?;
    let mut placeholders = read_placeholders(input)?;
    let shape = Shape::of(input, &mut placeholders)?;
    let forward = request::flag(input, "ScanIndexForward")?.unwrap_or(true);
    let text = request::text(input, "KeyConditionExpression")?.ok_or_else(|| {
        Fault::invalid("Either the KeyConditions or KeyConditionExpression parameter must be specified in the request.")
    })?;
    let table = engine.dynamodb.table(&target)?;
    let condition = KeyCondition::parse(text, &mut placeholders, &table.schema)?;
    placeholders.finish()?;
    let key_names: Vec<&str> = table.schema.attributes().map(|attribute| attribute.name.as_str()).collect();
    if let Some(name) = shape.filter.as_ref().and_then(|filter| filter.mentions(&key_names)) {
        return Err(Fault::invalid(format!(
            "Filter Expression can only contain non-primary key attributes: Primary key attribute: {name}"
        )));
    }
    let start = match request::member(input, "ExclusiveStartKey") {
        Some(key) => Some(start_key(&table, &condition, &item_from_json(key)?)?),
        None => None,
    };

    let keys = unlock(engine, ctx, &table)?;
    let mut found = find(&engine.host, &table, &keys, &condition)?;
    if !forward {
        found.reverse();
    }
    let mut page = Page::new(&shape, &table);
    for (sort, item) in &found {
        let passed = match (&start, sort) {
            (Some(start), Some(sort)) => start
                .range
                .as_ref()
                .and_then(|range| sort.compare(range))
                .is_some_and(|order| if forward { order.is_le() } else { order.is_ge() }),
            (Some(_), None) => true,
            (None, _) => false,
        };
        if !passed && !page.take(item)? {
            break;
        }
    }
    Ok(page.finish())
}

fn read_placeholders(input: &Value) -> Result<Placeholders, Fault> {
    Placeholders::read(input, &["FilterExpression", "KeyConditionExpression"], &["ProjectionExpression"])
}

/// The partition that a well-formed Query asks for, for policies about `dynamodb:LeadingKeys`.
fn leading_key(input: &Value, table: &Table) -> Option<Value> {
    let text = request::text(input, "KeyConditionExpression").ok()??;
    let mut placeholders = read_placeholders(input).ok()?;
    let condition = KeyCondition::parse(text, &mut placeholders, &table.schema).ok()?;
    Some(json!({ &table.schema.hash.name: condition.partition.to_json() }))
}

fn start_key(table: &Table, condition: &KeyCondition, given: &Item) -> Result<Key, Fault> {
    let key = table.schema.start_key_from(given)?;
    let inside = key.hash == condition.partition
        && match (&condition.sort, &key.range) {
            (Some(sort), Some(range)) => sort.holds(range),
            _ => true,
        };
    if !inside {
        return Err(Fault::invalid(
            "The provided starting key is outside query boundaries based on provided conditions",
        ));
    }
    Ok(key)
}

/// The items that satisfy the key condition, with their sort keys, in ascending order.
fn find(host: &Host, table: &Table, keys: &TableKeys, condition: &KeyCondition) -> Result<Vec<SortedItem>, Fault> {
    let one = |range: Option<AttributeValue>| {
        let key = Key { hash: condition.partition.clone(), range };
        Ok(read(host, table, keys, &keys.place(&key))?.map(|item| (key.range, item)).into_iter().collect())
    };
    if table.schema.range.is_none() {
        return one(None);
    }
    if let Some(SortCondition::Compare(Comparator::Equal, value)) = &condition.sort {
        return one(Some(value.clone()));
    }
    let mut found = Vec::new();
    let items = Items::of(host.store.connection(), &table.name);
    for stored in items.partition(&keys.partition(&condition.partition))? {
        let item = keys.open_item(&stored.place, stored.sealed.nonce, &stored.sealed.sealed)?;
        if let Some(sort) = sort_key(table, &item)
            && condition.sort.as_ref().is_none_or(|condition| condition.holds(&sort))
        {
            found.push((Some(sort), item));
        }
    }
    sort(&mut found);
    Ok(found)
}
