//! GetItem: reads the item with a key.

use serde_json::{Value, json};

use super::super::capacity::{Report, read_units};
use super::super::expression::{Placeholders, Projection};
use super::super::request::{self, TableRef};
use super::super::value::{item_size, item_to_json};
use super::super::{authorise, read, unlock};
use super::facts;
use crate::sandbox::engine::{Engine, RequestContext};
use crate::sandbox::error::Fault;

pub fn run(engine: &mut Engine, ctx: &RequestContext, input: &Value) -> Result<Value, Fault> {
    let target = TableRef::of(&engine.host, input)?;
    let facts = facts::of(input, engine.dynamodb.find(&target).as_deref(), request::member(input, "Key"));
    authorise(engine, ctx, "GetItem", &target.arn, &facts)?;
    request::refuse_legacy(input)?;
    let given = request::attributes(input, "Key")?;
    let report = Report::of(input)?;
    let consistent = request::flag(input, "ConsistentRead")?.unwrap_or(false);
    let mut placeholders = Placeholders::read(input, &[], &["ProjectionExpression"])?;
    let projection = request::text(input, "ProjectionExpression")?
        .map(|text| Projection::parse(text, &mut placeholders))
        .transpose()?;
    placeholders.finish()?;
    let table = engine.dynamodb.table(&target)?;
    let key = table.schema.key_from(&given)?;

    let keys = unlock(engine, ctx, &table)?;
    let found = read(&engine.host, &table, &keys, &keys.place(&key))?;

    let mut output = json!({});
    report.add(&mut output, &table.name, read_units(found.as_ref().map_or(0, item_size), consistent));
    if let Some(item) = found {
        let item = match projection {
            Some(projection) => projection.apply(&item),
            None => item,
        };
        output["Item"] = item_to_json(&item);
    }
    Ok(output)
}
