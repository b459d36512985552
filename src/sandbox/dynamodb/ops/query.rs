//! Query: reads one partition, or a range of it, ordered by the sort key.
//!
//! The database only knows hashes, so the partition is decrypted to be ordered; with the whole key given, one item is.

use std::cmp::Ordering;

use serde_json::{Value, json};

use super::super::expression::condition::Comparator;
use super::super::expression::key_condition::{KeyCondition, SortCondition};
use super::super::expression::placeholders::Placeholders;
use super::super::index::Index;
use super::super::items::Items;
use super::super::key::{Key, KeyAttribute, KeySchema};
use super::super::legacy;
use super::super::members::{Expressions, add_leading_keys, facts};
use super::super::table::Table;
use super::super::table_keys::TableKeys;
use super::super::table_name::TableName;
use super::super::unlock::unlock;
use super::super::value::{AttributeValue, Item, item_from_json};
use super::entries::{Entry, Place, entries};
use super::page::{Page, PageRequest, Shape, SortedItem, parse_query_limit, parse_select, sort, sort_key};
use crate::policy::ConditionContext;
use crate::sandbox::authorize::Resource;
use crate::sandbox::operation::{Context, Fault, Later, Members, Output, Request};

/// AWS's sentence about a start that the conditions rule out.
const OUTSIDE: &str = "The provided starting key is outside query boundaries based on provided conditions";

/// `Query`
pub struct Query {
    table: TableName,
    page: PageRequest,
    forward: Later<Option<bool>>,
    facts: ConditionContext,
}

impl Request for Query {
    fn parse(members: &Members<'_>) -> Result<Self, Fault> {
        let table = TableName::parse(members);
        let select = parse_select(members);
        let limit = parse_query_limit(members);
        Ok(Self {
            page: PageRequest::parse(members, limit, select, legacy::QUERY),
            forward: members.flag("ScanIndexForward"),
            facts: facts(members),
            table: table?,
        })
    }

    fn run(mut self, cx: &mut Context<'_>) -> Result<Output, Fault> {
        let known = self.table.find(cx.account);
        let leading = known.as_deref().and_then(|table| leading_key(&self.page, table));
        add_leading_keys(&mut self.facts, known.as_deref(), &leading);
        let arn = self.page.arn(&self.table, cx.account);
        cx.authorize("dynamodb:Query", Resource::Table(&arn), &self.facts)?;
        let mut placeholders = placeholders(&self.page.expressions)?;
        let text = self.page.expressions.text("KeyConditionExpression").map(|text| text.map(str::to_owned));
        let start = self.page.start.take();
        let shape = Shape::new(self.page, &mut placeholders)?;
        let forward = self.forward?.unwrap_or(true);
        let text = text?.ok_or_else(|| {
            Fault::invalid(
                "Either the KeyConditions or KeyConditionExpression parameter must be specified in the request.",
            )
        })?;
        let table = self.table.table(cx.account)?;
        let index = shape.index_of(&table)?;
        let schema = index.map_or(&table.schema, |index| &index.schema);
        let condition = KeyCondition::parse(&text, &mut placeholders, schema)?;
        placeholders.finish()?;
        check_filter(&shape, schema)?;
        if let Some(index) = index {
            return query_index(cx, (&table, index), &shape, (&condition, forward), start);
        }
        let start = start.map(|key| start_key(&table, &condition, &item_from_json(&key)?)).transpose()?;

        let keys = unlock(cx, &table)?;
        let items = Items::of(cx.account.store.connection(), &table.name);
        let mut found = find(&items, &table, &keys, &condition)?;
        if !forward {
            found.reverse();
        }
        let mut page = Page::new(&shape, &table);
        for (sort, item) in found {
            if !is_passed(start.as_ref(), sort.as_ref(), forward) && !page.take(&item) {
                break;
            }
        }
        Ok(page.finish().into())
    }
}

/// Whether an item was on an earlier page.
fn is_passed(start: Option<&Key>, sort: Option<&AttributeValue>, forward: bool) -> bool {
    let Some(start) = start else { return false };
    let Some(sort) = sort else { return true };
    let order = start.range.as_ref().and_then(|range| sort.compare(range));
    order.is_some_and(|order| order == Ordering::Equal || order.is_lt() == forward)
}

/// Queries an index.
fn query_index(
    cx: &mut Context<'_>,
    (table, index): (&Table, &Index),
    shape: &Shape,
    (condition, forward): (&KeyCondition, bool),
    start: Option<Value>,
) -> Result<Output, Fault> {
    let start = start.map(|key| item_from_json(&key)).transpose()?;
    let is_inside = |item: &Item| {
        let value = |attribute: &KeyAttribute| item.get(&attribute.name);
        value(&index.schema.hash) == Some(&condition.partition)
            && condition
                .sort
                .as_ref()
                .is_none_or(|sort| index.schema.range.as_ref().and_then(value).is_some_and(|value| sort.holds(value)))
    };
    let keys = unlock(cx, table)?;
    let place = |start: Item| {
        let place = Place::of_start(table, index, &keys, &start)?;
        if is_inside(&start) { Ok(place) } else { Err(Fault::invalid(OUTSIDE)) }
    };
    let start = start.map(place).transpose()?;
    let items = Items::of(cx.account.store.connection(), &table.name);
    let mut found = entries(&items, index, &keys, is_inside)?;
    if !forward {
        found.reverse();
    }
    let mut page = Page::of_index(shape, table, index);
    for Entry { place, item } in found {
        let is_wanted = start.as_ref().is_none_or(|start| place.is_after(start, forward));
        if is_wanted && !page.take(&shape.seen(table, index, item)) {
            break;
        }
    }
    Ok(page.finish().into())
}

/// Refuses a filter on key attributes.
fn check_filter(shape: &Shape, schema: &KeySchema) -> Result<(), Fault> {
    let key_names: Vec<&str> = schema.attributes().map(|attribute| attribute.name.as_str()).collect();
    match shape.filter.as_ref().and_then(|filter| filter.mentions(&key_names)) {
        None => Ok(()),
        Some(name) => Err(Fault::invalid(format!(
            "Filter Expression can only contain non-primary key attributes: Primary key attribute: {name}"
        ))),
    }
}

fn placeholders(expressions: &Expressions) -> Result<Placeholders, Fault> {
    expressions.placeholders(&["FilterExpression", "KeyConditionExpression"], &["ProjectionExpression"])
}

/// The partition that a well-formed Query asks for, for policies about `dynamodb:LeadingKeys`.
fn leading_key(page: &PageRequest, table: &Table) -> Option<Value> {
    let (expressions, index) = (&page.expressions, page.index.as_ref().ok()?);
    let schema = match index {
        Some(name) => &table.index(name).ok()?.schema,
        None => &table.schema,
    };
    let text = expressions.text("KeyConditionExpression").ok()??;
    let condition = KeyCondition::parse(text, &mut placeholders(expressions).ok()?, schema).ok()?;
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
        return Err(Fault::invalid(OUTSIDE));
    }
    Ok(key)
}

/// The items that satisfy the key condition, with their sort keys, in ascending order.
fn find(
    items: &Items<'_>,
    table: &Table,
    keys: &TableKeys,
    condition: &KeyCondition,
) -> Result<Vec<SortedItem>, Fault> {
    let one = |range: Option<AttributeValue>| {
        let key = Key { hash: condition.partition.clone(), range };
        Ok(items.read(keys, &keys.row_key(&key))?.map(|item| (key.range, item)).into_iter().collect())
    };
    if table.schema.range.is_none() {
        return one(None);
    }
    if let Some(SortCondition::Compare(Comparator::Equal, value)) = &condition.sort {
        return one(Some(value.clone()));
    }
    let mut found = Vec::new();
    for stored in items.partition(&keys.partition(&condition.partition))? {
        let item = keys.open_item(&stored.row, stored.sealed.nonce, &stored.sealed.sealed)?;
        if let Some(sort) = sort_key(table, &item)
            && condition.sort.as_ref().is_none_or(|condition| condition.holds(&sort))
        {
            found.push((Some(sort), item));
        }
    }
    sort(&mut found);
    Ok(found)
}
