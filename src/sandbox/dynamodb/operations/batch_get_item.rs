//! BatchGetItem: up to 100 items by their keys, over one or more tables.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use super::super::capacity::{Report, read_units};
use super::super::codec::encode_key;
use super::super::expression::{Placeholders, Projection};
use super::super::request::{self, TableRef};
use super::super::value::{item_from_json, item_size, item_to_json};
use super::super::{authorise, read, unlock};
use super::facts;
use crate::sandbox::engine::{Engine, RequestContext};
use crate::sandbox::error::Fault;

/// The most keys in one request.
const MAX_KEYS: usize = 100;
/// The most that one answer holds, in bytes of items; the rest is handed back as `UnprocessedKeys`.
const MAX_BYTES: usize = 16 * 1024 * 1024;

/// A batch's `RequestItems`, which must name a table.
pub fn request_items(input: &Value) -> Result<&Map<String, Value>, Fault> {
    let requests = request::member(input, "RequestItems")
        .ok_or_else(|| request::constraint("null", "requestItems", "Member must not be null"))?;
    let requests =
        requests.as_object().ok_or_else(|| Fault::Serialization(Some("RequestItems must be a map".to_owned())))?;
    if requests.is_empty() {
        let rule = "Member must have length greater than or equal to 1";
        return Err(request::constraint("'{}'", "requestItems", rule));
    }
    Ok(requests)
}

pub fn run(engine: &mut Engine, ctx: &RequestContext, input: &Value) -> Result<Value, Fault> {
    let requests = request_items(input)?;
    let mut targets = Vec::new();
    for (name, wanted) in requests {
        let target = TableRef::parse(&engine.host, name)?;
        let keys = request::list(wanted, "Keys")?.unwrap_or_default();
        let facts = facts::of(input, engine.dynamodb.find(&target).as_deref(), keys);
        authorise(engine, ctx, "BatchGetItem", &target.arn, &facts)?;
        targets.push((name, target, wanted, keys));
    }
    let report = Report::of(input)?;
    if targets.iter().map(|(.., keys)| keys.len()).sum::<usize>() > MAX_KEYS {
        return Err(Fault::invalid("Too many items requested for the BatchGetItem call"));
    }

    let mut batches = Vec::new();
    for (name, target, wanted, given) in targets {
        if given.is_empty() {
            return Err(request::constraint(
                "'[]'",
                &format!("requestItems.{}.member.keys", target.name),
                "Member must have length less than or equal to 100, Member must have length greater than or equal to 1",
            ));
        }
        request::refuse_legacy(wanted)?;
        let consistent = request::flag(wanted, "ConsistentRead")?.unwrap_or(false);
        let mut placeholders = Placeholders::read(wanted, &[], &["ProjectionExpression"])?;
        let projection = request::text(wanted, "ProjectionExpression")?
            .map(|text| Projection::parse(text, &mut placeholders))
            .transpose()?;
        placeholders.finish()?;
        let table = engine.dynamodb.table(&target)?;
        let mut keys = Vec::new();
        let mut seen = BTreeSet::new();
        for key in given {
            let parsed = table.schema.key_from(&item_from_json(key)?)?;
            let range = parsed.range.as_ref().map(|range| encode_key(range).to_vec());
            if !seen.insert((encode_key(&parsed.hash).to_vec(), range)) {
                return Err(Fault::invalid("Provided list of item keys contains duplicates"));
            }
            keys.push((key, parsed));
        }
        batches.push((name, wanted, table, keys, projection, consistent));
    }

    let (mut responses, mut unprocessed, mut consumed) = (Map::new(), Map::new(), Vec::new());
    let mut bytes = 0;
    for (name, wanted, table, wanted_keys, projection, consistent) in batches {
        let keys = unlock(engine, ctx, &table)?;
        let (mut items, mut left, mut units) = (Vec::new(), Vec::new(), 0.0);
        for (given, key) in wanted_keys {
            let found = read(&engine.host, &table, &keys, &keys.place(&key))?;
            let size = found.as_ref().map_or(0, item_size);
            if bytes + size > MAX_BYTES {
                left.push(given.clone());
                continue;
            }
            bytes += size;
            units += read_units(size, consistent);
            if let Some(item) = found {
                items.push(match &projection {
                    Some(projection) => item_to_json(&projection.apply(&item)),
                    None => item_to_json(&item),
                });
            }
        }
        responses.insert(name.clone(), Value::Array(items));
        if !left.is_empty() {
            let mut again = wanted.clone();
            again["Keys"] = Value::Array(left);
            unprocessed.insert(name.clone(), again);
        }
        consumed.extend(report.entry(&table.name, units));
    }
    let mut output = json!({ "Responses": responses, "UnprocessedKeys": unprocessed });
    if !consumed.is_empty() {
        output["ConsumedCapacity"] = Value::Array(consumed);
    }
    Ok(output)
}
