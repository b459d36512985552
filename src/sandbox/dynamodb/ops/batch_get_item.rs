//! BatchGetItem: up to 100 items by their keys, over one or more tables.

use std::collections::BTreeSet;
use std::sync::Arc;

use serde_json::{Map, Value, json};

use super::super::capacity::{Report, read_units};
use super::super::codec::encode_key;
use super::super::expression::projection::Projection;
use super::super::items::Items;
use super::super::key::Key;
use super::super::legacy;
use super::super::members::{Expressions, add_leading_keys, facts};
use super::super::table::Table;
use super::super::table_name::TableName;
use super::super::unlock::unlock;
use super::super::value::{item_from_json, item_size, item_to_json};
use crate::policy::ConditionContext;
use crate::sandbox::authorize::Resource;
use crate::sandbox::operation::{Context, Fault, Later, Members, Output, Request};
use crate::sandbox::validate::violation;

/// The most keys in one request.
const MAX_KEYS: usize = 100;
/// The most that one response holds, in bytes of items; the rest is returned as `UnprocessedKeys`.
const MAX_BYTES: usize = 16 * 1024 * 1024;

/// `BatchGetItem`
pub struct BatchGetItem {
    tables: Vec<TableRequest>,
    capacity: Later<Report>,
    facts: ConditionContext,
}

/// The keys asked for in one table.
struct TableRequest {
    /// The table as the request names it.
    given_name: String,
    table: TableName,
    keys: Vec<Value>,
    /// The whole request for this table but its keys.
    rest: Value,
    consistent: Later<Option<bool>>,
    expressions: Expressions,
    legacy: Later<()>,
    /// Whether the table has an `AttributesToGet`, and whether it has a `ProjectionExpression`.
    selects_by: (bool, bool),
}

/// A request for one table, checked.
struct Batch {
    given_name: String,
    table: Arc<Table>,
    keys: Vec<(Value, Key)>,
    rest: Value,
    consistent: bool,
    projection: Option<Projection>,
}

impl Request for BatchGetItem {
    fn parse(members: &Members<'_>) -> Result<Self, Fault> {
        let entries = members.entries("RequestItems");
        let tables = entries.and_then(|entries| {
            if entries.is_empty() {
                return Err(Fault::invalid("The requestItems parameter is required for BatchGetItem"));
            }
            let read = |(name, members, value): &(&str, Members<'_>, &Value)| TableRequest::parse(name, members, value);
            // Every table is read, for its violations.
            let tables: Vec<_> = entries.iter().map(read).collect();
            tables.into_iter().collect::<Result<Vec<_>, _>>()
        });
        let capacity = Report::parse(members);
        Ok(Self { tables: tables?, capacity, facts: facts(members) })
    }

    fn run(self, cx: &mut Context<'_>) -> Result<Output, Fault> {
        for request in &self.tables {
            let mut facts = self.facts.clone();
            add_leading_keys(&mut facts, request.table.find(cx.account).as_deref(), &request.keys);
            let arn = request.table.arn(cx.account);
            cx.authorize("dynamodb:BatchGetItem", Resource::Table(&arn), &facts)?;
        }
        let capacity = self.capacity?;
        // The two don't go together, not even in different tables (issue threads).
        if self.tables.iter().any(|table| table.selects_by.0) && self.tables.iter().any(|table| table.selects_by.1) {
            return Err(legacy::mixed(&["AttributesToGet"], &["ProjectionExpression"]));
        }
        if self.tables.iter().map(|request| request.keys.len()).sum::<usize>() > MAX_KEYS {
            return Err(Fault::invalid("Too many items requested for the BatchGetItem call"));
        }
        let batches = self.tables.into_iter().map(|request| request.check(cx)).collect::<Result<Vec<_>, _>>()?;
        let mut response = Response::default();
        for batch in batches {
            response.read(cx, batch, capacity)?;
        }
        Ok(response.output().into())
    }
}

impl TableRequest {
    fn parse(name: &str, members: &Members<'_>, value: &Value) -> Result<Self, Fault> {
        if !members.has("Keys") {
            members.missing("Keys");
        }
        if members.list("Keys")?.is_some_and(|keys| keys.len() > MAX_KEYS) {
            let at = format!("RequestItems.{name}.member.Keys");
            let rule = "Member must have length less than or equal to 100";
            // As observed by nubo-db's conformance suite: without the value, and in the spelling of the request.
            return Err(Fault::Violations(vec![format!("Value at '{at}' failed to satisfy constraint: {rule}")]));
        }
        let without_keys =
            |(name, value): (&String, &Value)| (name.clone(), if name == "Keys" { Value::Null } else { value.clone() });
        let (expressions, legacy) = Expressions::parse_with_legacy(members, legacy::GET);
        let rest = value.as_object().into_iter().flatten().map(without_keys).collect();
        Ok(Self {
            given_name: name.to_owned(),
            table: TableName::from_text(name)?,
            keys: members.list("Keys")?.unwrap_or_default().to_vec(),
            rest,
            consistent: members.flag("ConsistentRead"),
            expressions,
            legacy,
            selects_by: (members.has("AttributesToGet"), members.has("ProjectionExpression")),
        })
    }

    fn check(self, cx: &Context<'_>) -> Result<Batch, Fault> {
        if self.keys.is_empty() {
            let rule =
                "Member must have length less than or equal to 100, Member must have length greater than or equal to 1";
            let at = format!("requestItems.{}.member.keys", self.table.name);
            return Err(Fault::Violations(vec![violation("'[]'", &at, rule)]));
        }
        self.legacy?;
        let consistent = self.consistent?.unwrap_or(false);
        let mut placeholders = self.expressions.placeholders(&[], &["ProjectionExpression"])?;
        let projection = self.expressions.projection(&mut placeholders)?;
        placeholders.finish()?;
        let table = self.table.table(cx.account)?;
        let mut seen = BTreeSet::new();
        let read = |given: Value| {
            let key = table.schema.key_from(&item_from_json(&given)?)?;
            if !seen.insert(encoded(&key)) {
                return Err(Fault::invalid("Provided list of item keys contains duplicates"));
            }
            Ok((given, key))
        };
        let keys = self.keys.into_iter().map(read).collect::<Result<_, _>>()?;
        Ok(Batch { given_name: self.given_name, table, keys, rest: self.rest, consistent, projection })
    }
}

/// A key as bytes, to find duplicates.
pub fn encoded(key: &Key) -> (Vec<u8>, Option<Vec<u8>>) {
    (encode_key(&key.hash).to_vec(), key.range.as_ref().map(|range| encode_key(range).to_vec()))
}

/// The response in the making.
#[derive(Default)]
struct Response {
    items: Map<String, Value>,
    unprocessed: Map<String, Value>,
    consumed: Vec<Value>,
    /// Of all items.
    bytes: usize,
}

impl Response {
    /// Reads the items of one table.
    fn read(&mut self, cx: &mut Context<'_>, batch: Batch, capacity: Report) -> Result<(), Fault> {
        let Batch { given_name, table, keys: wanted, mut rest, consistent, projection } = batch;
        let keys = unlock(cx, &table)?;
        let rows = Items::of(cx.account.store.connection(), &table.name);
        let (mut items, mut left, mut units) = (Vec::new(), Vec::new(), 0.0);
        for (given, key) in wanted {
            let found = rows.read(&keys, &keys.row_key(&key))?;
            let size = found.as_ref().map_or(0, item_size);
            if self.bytes + size > MAX_BYTES {
                left.push(given);
                continue;
            }
            self.bytes += size;
            units += read_units(size, consistent);
            if let Some(item) = found {
                items.push(match &projection {
                    Some(projection) => item_to_json(&projection.apply(&item)),
                    None => item_to_json(&item),
                });
            }
        }
        self.items.insert(given_name.clone(), Value::Array(items));
        if !left.is_empty() {
            rest["Keys"] = Value::Array(left);
            self.unprocessed.insert(given_name, rest);
        }
        self.consumed.extend(capacity.entry(&table.name, units));
        Ok(())
    }

    fn output(self) -> Value {
        let mut output = json!({ "Responses": self.items, "UnprocessedKeys": self.unprocessed });
        if !self.consumed.is_empty() {
            output["ConsumedCapacity"] = Value::Array(self.consumed);
        }
        output
    }
}
