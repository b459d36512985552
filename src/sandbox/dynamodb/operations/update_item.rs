//! UpdateItem: changes some attributes of an item, or makes it.

use serde_json::{Value, json};

use super::super::capacity::{Report, write_units};
use super::super::expression::{Placeholders, Projection, Update};
use super::super::request::{self, TableRef, choice};
use super::super::value::{Item, item_size, item_to_json};
use super::super::{authorise, read, unlock, write};
use super::conditional::{Conditional, check_size};
use super::facts;
use crate::sandbox::engine::{Engine, RequestContext};
use crate::sandbox::error::Fault;

pub fn run(engine: &mut Engine, ctx: &RequestContext, input: &Value) -> Result<Value, Fault> {
    let target = TableRef::of(&engine.host, input)?;
    let facts = facts::of(input, engine.dynamodb.find(&target).as_deref(), request::member(input, "Key"));
    authorise(engine, ctx, "UpdateItem", &target.arn, &facts)?;
    request::refuse_legacy(input)?;
    let given = request::attributes(input, "Key")?;
    const RETURNS: [&str; 5] = ["ALL_NEW", "UPDATED_OLD", "ALL_OLD", "NONE", "UPDATED_NEW"];
    let returns = choice(input, "ReturnValues", &RETURNS, "NONE")?;
    let report = Report::of(input)?;
    let mut placeholders = Placeholders::read(input, &["UpdateExpression", "ConditionExpression"], &[])?;
    let update =
        request::text(input, "UpdateExpression")?.map(|text| Update::parse(text, &mut placeholders)).transpose()?;
    let conditional = Conditional::of(input, &mut placeholders)?;
    placeholders.finish()?;
    let table = engine.dynamodb.table(&target)?;
    let key = table.schema.key_from(&given)?;
    let paths = update.as_ref().map(Update::paths).unwrap_or_default();
    if let Some(path) = paths.iter().find(|path| table.schema.contains(&path.attribute)) {
        return Err(Fault::invalid(format!(
            "One or more parameter values were invalid: Cannot update attribute {}. This attribute is part of the key",
            path.attribute
        )));
    }

    let keys = unlock(engine, ctx, &table)?;
    let place = keys.place(&key);
    let old = read(&engine.host, &table, &keys, &place)?;
    conditional.check(old.as_ref())?;
    let before = old.clone().unwrap_or_else(|| key.to_item(&table.schema));
    let new = match &update {
        Some(update) => update.apply(&before)?,
        None => before,
    };
    check_size(&new)?;
    write(&mut engine.host, &table, &keys, &place, &new)?;

    let nothing = Item::new();
    let old = old.as_ref().unwrap_or(&nothing);
    let attributes = match returns {
        "ALL_OLD" => old.clone(),
        "ALL_NEW" => new.clone(),
        "UPDATED_OLD" => Projection::of(paths).apply(old),
        "UPDATED_NEW" => Projection::of(paths).apply(&new),
        _ => Item::new(),
    };
    let mut output = json!({});
    if !attributes.is_empty() {
        output["Attributes"] = item_to_json(&attributes);
    }
    report.add(&mut output, &table.name, write_units(item_size(&new).max(item_size(old))));
    Ok(output)
}
