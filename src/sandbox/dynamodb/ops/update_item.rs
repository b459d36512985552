//! UpdateItem: changes some attributes of an item, or creates it.

use serde_json::json;

use super::super::capacity::write_units;
use super::super::expression::projection::Projection;
use super::super::expression::update::Update;
use super::super::items::Items;
use super::super::key::KeySchema;
use super::super::unlock::unlock;
use super::super::value::{Item, item_size, item_to_json};
use super::item_request::{ItemRequest, check_size};
use crate::sandbox::operation::{Context, Fault, Members, Output, Request};

const RETURN_VALUES: [&str; 5] = ["ALL_NEW", "UPDATED_OLD", "ALL_OLD", "NONE", "UPDATED_NEW"];

/// `UpdateItem`
pub struct UpdateItem(ItemRequest);

impl Request for UpdateItem {
    fn parse(members: &Members<'_>) -> Result<Self, Fault> {
        ItemRequest::parse_write(members, "Key", &RETURN_VALUES).map(Self)
    }

    fn run(self, cx: &mut Context<'_>) -> Result<Output, Fault> {
        let request = self.0.authorize(cx, "dynamodb:UpdateItem")?;
        let mut placeholders = request.expressions.placeholders(&["UpdateExpression", "ConditionExpression"], &[])?;
        let text = request.expressions.text("UpdateExpression")?;
        let update = text.map(|text| Update::parse(text, &mut placeholders)).transpose()?;
        let conditional = request.conditional(&mut placeholders)?;
        placeholders.finish()?;
        let table = request.table(cx)?;
        let key = table.schema.key_from(&request.given)?;
        check_paths(update.as_ref(), &table.schema)?;

        let keys = unlock(cx, &table)?;
        let row = keys.row_key(&key);
        let items = Items::of(cx.account.store.connection(), &table.name);
        let old = items.read(&keys, &row)?;
        conditional.check(old.as_ref())?;
        let before = old.clone().unwrap_or_else(|| key.to_item(&table.schema));
        let new = match &update {
            Some(update) => update.apply(&before)?,
            None => before,
        };
        check_size(&new)?;
        items.write(&mut cx.entropy, &keys, &row, &new)?;

        let old = old.unwrap_or_default();
        let mut output = json!({});
        let attributes = returned(request.returns, update.as_ref(), &old, &new);
        if !attributes.is_empty() {
            output["Attributes"] = item_to_json(&attributes);
        }
        request.capacity.add(&mut output, &table.name, write_units(item_size(&new).max(item_size(&old))));
        Ok(output.into())
    }
}

/// Refuses an update of a key attribute.
fn check_paths(update: Option<&Update>, schema: &KeySchema) -> Result<(), Fault> {
    let paths = update.map(Update::paths).unwrap_or_default();
    match paths.iter().find(|path| schema.contains(&path.attribute)) {
        None => Ok(()),
        Some(path) => Err(Fault::invalid(format!(
            "One or more parameter values were invalid: Cannot update attribute {}. This attribute is part of the key",
            path.attribute
        ))),
    }
}

/// What `ReturnValues` asks for.
fn returned(returns: Option<&str>, update: Option<&Update>, old: &Item, new: &Item) -> Item {
    let updated = || Projection::of(update.map(Update::paths).unwrap_or_default());
    match returns {
        Some("ALL_OLD") => old.clone(),
        Some("ALL_NEW") => new.clone(),
        Some("UPDATED_OLD") => updated().apply(old),
        Some("UPDATED_NEW") => updated().apply(new),
        _ => Item::new(),
    }
}
