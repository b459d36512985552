//! UpdateItem: changes some attributes of an item, or creates it.

use serde_json::json;

use super::super::expression::projection::Projection;
use super::super::expression::update::Update;
use super::super::legacy;
use super::super::unlock::unlock;
use super::super::value::{Item, item_to_json};
use super::item_request::ItemRequest;
use super::write::{Action, Write};
use crate::sandbox::operation::{Context, Fault, Members, Output, Request};

const RETURN_VALUES: [&str; 5] = ["ALL_NEW", "UPDATED_OLD", "ALL_OLD", "NONE", "UPDATED_NEW"];

/// `UpdateItem`
pub struct UpdateItem(ItemRequest);

impl Request for UpdateItem {
    fn parse(members: &Members<'_>) -> Result<Self, Fault> {
        ItemRequest::parse_write(members, "Key", &RETURN_VALUES, legacy::UPDATE).map(Self)
    }

    fn run(self, cx: &mut Context<'_>) -> Result<Output, Fault> {
        let mut request = self.0.authorize(cx, "dynamodb:UpdateItem")?;
        let mut placeholders = request.expressions.placeholders(&["UpdateExpression", "ConditionExpression"], &[])?;
        let text = request.expressions.text("UpdateExpression")?;
        let update = text.map(|text| Update::parse(text, &mut placeholders)).transpose()?;
        let conditional = request.conditional(&mut placeholders)?;
        placeholders.finish()?;
        let table = request.table(cx)?;
        let updated = Projection::of(update.as_ref().map(Update::paths).unwrap_or_default());
        let write = Write::new(table.clone(), std::mem::take(&mut request.given), Action::Update(update), conditional)?;

        let keys = unlock(cx, &table)?;
        let change = write.prepare(cx, &keys)?;
        change.store(cx, &keys)?;

        let mut output = json!({});
        let attributes = returned(request.returns, &updated, change.old.as_ref(), change.new.as_ref());
        if !attributes.is_empty() {
            output["Attributes"] = item_to_json(&attributes);
        }
        request.report(&mut output, &change);
        Ok(output.into())
    }
}

/// What `ReturnValues` asks for.
fn returned(returns: Option<&str>, updated: &Projection, old: Option<&Item>, new: Option<&Item>) -> Item {
    match returns {
        Some("ALL_OLD") => old.cloned(),
        Some("ALL_NEW") => new.cloned(),
        Some("UPDATED_OLD") => old.map(|old| updated.apply(old)),
        Some("UPDATED_NEW") => new.map(|new| updated.apply(new)),
        _ => None,
    }
    .unwrap_or_default()
}
