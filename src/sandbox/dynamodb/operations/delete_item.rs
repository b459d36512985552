//! DeleteItem: removes the item with a key, if there is one.

use serde_json::{Value, json};

use super::super::capacity::{Report, write_units};
use super::super::expression::Placeholders;
use super::super::items::Items;
use super::super::request::{self, TableRef, choice};
use super::super::value::{item_size, item_to_json};
use super::super::{authorise, read, unlock};
use super::conditional::Conditional;
use super::facts;
use crate::sandbox::engine::{Engine, RequestContext};
use crate::sandbox::error::Fault;

pub fn run(engine: &mut Engine, ctx: &RequestContext, input: &Value) -> Result<Value, Fault> {
    let target = TableRef::of(&engine.host, input)?;
    let facts = facts::of(input, engine.dynamodb.find(&target).as_deref(), request::member(input, "Key"));
    authorise(engine, ctx, "DeleteItem", &target.arn, &facts)?;
    request::refuse_legacy(input)?;
    let given = request::attributes(input, "Key")?;
    let return_old = choice(input, "ReturnValues", &["ALL_OLD", "NONE"], "NONE")? == "ALL_OLD";
    let report = Report::of(input)?;
    let mut placeholders = Placeholders::read(input, &["ConditionExpression"], &[])?;
    let conditional = Conditional::of(input, &mut placeholders)?;
    placeholders.finish()?;
    let table = engine.dynamodb.table(&target)?;
    let key = table.schema.key_from(&given)?;

    let keys = unlock(engine, ctx, &table)?;
    let place = keys.place(&key);
    let old = read(&engine.host, &table, &keys, &place)?;
    conditional.check(old.as_ref())?;
    Items::of(engine.host.store.connection(), &table.name).delete(&place)?;

    let mut output = json!({});
    if let (true, Some(old)) = (return_old, &old) {
        output["Attributes"] = item_to_json(old);
    }
    report.add(&mut output, &table.name, write_units(old.as_ref().map_or(0, item_size)));
    Ok(output)
}
