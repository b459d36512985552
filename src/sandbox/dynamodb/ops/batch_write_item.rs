//! BatchWriteItem: up to 25 puts and deletes, over one or more tables.

use std::collections::BTreeSet;
use std::sync::Arc;

use serde_json::{Value, json};

use super::super::capacity::Report;
use super::super::members::{add_leading_keys, facts, wants_metrics};
use super::super::table::Table;
use super::super::table_keys::TableKeys;
use super::super::table_name::TableName;
use super::super::unlock::unlock;
use super::super::value::item_from_json;
use super::batch_get_item::encoded;
use super::write::{Action, Conditional, Write};
use crate::policy::ConditionContext;
use crate::sandbox::authorize::Resource;
use crate::sandbox::operation::{Context, Fault, Later, Members, Output, Request};
use crate::sandbox::validate::violation;

/// The most writes in one request.
const MAX_WRITES: usize = 25;

/// The constraint on the number of writes to a table, as nubo-db's conformance suite has observed it.
const COUNT_RULE: &str = "Map value must satisfy constraint: [Member must have length less than or equal to 25, Member must \
                          have length greater than or equal to 1]";

/// `BatchWriteItem`
pub struct BatchWriteItem {
    tables: Vec<TableName>,
    capacity: Later<Report>,
    facts: ConditionContext,
}

/// The writes to one table.
struct Batch {
    table: Arc<Table>,
    writes: Vec<Write>,
}

impl Request for BatchWriteItem {
    fn parse(members: &Members<'_>) -> Result<Self, Fault> {
        let entries = members.entries("RequestItems");
        let capacity = Report::parse(members);
        // The sandbox has no metrics of batches and transactions.
        let _ = wants_metrics(members);
        if entries.as_ref().is_ok_and(Vec::is_empty) {
            return Err(Fault::invalid("The requestItems parameter is required for BatchWriteItem"));
        }
        let read = |(name, shape, writes): (&str, Members<'_>, &Value)| {
            let not_a_list = || Fault::Serialization(Some("RequestItems must hold lists of write requests".to_owned()));
            let count = writes.as_array().map_or(0, Vec::len);
            if count > MAX_WRITES {
                // AWS prints Java objects in place of the writes.
                members.violation("RequestItems", format_args!("{{{name}=[{count} writes]}}"), COUNT_RULE);
            }
            let checked: Result<Vec<()>, Fault> = shape.elements(writes).iter().map(check_members).collect();
            let table = TableName::from_text(name)?;
            checked?;
            writes.as_array().ok_or_else(not_a_list).map(|_| table)
        };
        Ok(Self {
            tables: entries?.into_iter().map(read).collect::<Result<_, Fault>>()?,
            capacity,
            facts: facts(members),
        })
    }

    fn run(self, cx: &mut Context<'_>) -> Result<Output, Fault> {
        let tables: Vec<(&TableName, &[Value])> = self.tables.iter().zip(writes(cx)).collect();
        for (table, writes) in &tables {
            self.authorize(cx, table, writes)?;
        }
        let capacity = self.capacity?;
        if tables.iter().map(|(_, writes)| writes.len()).sum::<usize>() > MAX_WRITES {
            return Err(Fault::invalid("Too many items requested for the BatchWriteItem call"));
        }
        // Everything is checked before anything is written.
        let batches = tables.into_iter().map(|(table, writes)| Batch::check(cx, table, writes));
        let batches = batches.collect::<Result<Vec<_>, _>>()?;
        check_duplicates(&batches)?;
        let mut unlocked = Vec::new();
        for batch in batches {
            unlocked.push((unlock(cx, &batch.table)?, batch));
        }
        let mut consumed = Vec::new();
        for (keys, batch) in unlocked {
            let name = batch.table.name.clone();
            consumed.extend(capacity.entry(&name, batch.write(cx, &keys)?));
        }
        let mut output = json!({ "UnprocessedItems": {} });
        if !consumed.is_empty() {
            output["ConsumedCapacity"] = Value::Array(consumed);
        }
        Ok(output.into())
    }
}

impl BatchWriteItem {
    fn authorize(&self, cx: &mut Context<'_>, table: &TableName, writes: &[Value]) -> Result<(), Fault> {
        let keys = writes.iter().filter_map(|write| {
            let put = write.get("PutRequest").and_then(|put| put.get("Item"));
            put.or_else(|| write.get("DeleteRequest").and_then(|delete| delete.get("Key")))
        });
        let mut facts = self.facts.clone();
        add_leading_keys(&mut facts, table.find(cx.account).as_deref(), keys);
        let arn = table.arn(cx.account);
        cx.authorize("dynamodb:BatchWriteItem", Resource::Table(&arn), &facts)?;
        Ok(())
    }
}

/// The write requests for each table, in the order of the request.
fn writes<'a>(cx: &Context<'a>) -> impl Iterator<Item = &'a [Value]> + use<'a> {
    let tables = cx.params.member("RequestItems").and_then(Value::as_object);
    tables.into_iter().flatten().map(|(_, writes)| writes.as_array().map_or(&[][..], Vec::as_slice))
}

impl Batch {
    fn check(cx: &Context<'_>, name: &TableName, writes: &[Value]) -> Result<Self, Fault> {
        if writes.is_empty() {
            let rule =
                "Member must have length less than or equal to 25, Member must have length greater than or equal to 1";
            let at = format!("requestItems.{}.member", name.name);
            return Err(Fault::Violations(vec![violation("'[]'", &at, rule)]));
        }
        let table = name.table(cx.account)?;
        let writes = writes.iter().map(|write| parse(&table, write)).collect::<Result<_, _>>()?;
        Ok(Self { table, writes })
    }

    /// Does the writes; the capacity units they take.
    fn write(self, cx: &mut Context<'_>, keys: &TableKeys) -> Result<f64, Fault> {
        let mut units = 0.0;
        for write in self.writes {
            let change = write.prepare(cx, keys)?;
            change.store(cx, keys)?;
            units += change.units();
        }
        Ok(units)
    }
}

fn check_duplicates(batches: &[Batch]) -> Result<(), Fault> {
    let mut seen = BTreeSet::new();
    for Batch { table, writes } in batches {
        if !writes.iter().all(|write| seen.insert((&table.name, encoded(&write.key)))) {
            return Err(Fault::invalid("Provided list of item keys contains duplicates"));
        }
    }
    Ok(())
}

/// Checks that a write request has what its kind of write needs.
fn check_members(write: &Members<'_>) -> Result<(), Fault> {
    for (kind, needed) in [("PutRequest", "Item"), ("DeleteRequest", "Key")] {
        if let Some(request) = write.structure(kind)?
            && !request.has(needed)
        {
            request.missing(needed);
        }
    }
    Ok(())
}

/// One write request.
fn parse(table: &Arc<Table>, write: &Value) -> Result<Write, Fault> {
    let (given, action) = match (member(write, "PutRequest"), member(write, "DeleteRequest")) {
        (Some(put), None) => (member(put, "Item"), Action::Put),
        (None, Some(delete)) => (member(delete, "Key"), Action::Delete),
        _ => return Err(Fault::invalid("A write request must have exactly one of PutRequest and DeleteRequest")),
    };
    let given = item_from_json(given.unwrap_or(&Value::Null))?;
    Write::new(Arc::clone(table), given, action, Conditional::default())
}

fn member<'v>(value: &'v Value, name: &str) -> Option<&'v Value> {
    value.get(name).filter(|value| !value.is_null())
}
