//! DeleteItem: removes the item with a key, if there is one.

use serde_json::json;

use super::super::capacity::write_units;
use super::super::items::Items;
use super::super::unlock::unlock;
use super::super::value::{item_size, item_to_json};
use super::item_request::ItemRequest;
use crate::sandbox::operation::{Context, Fault, Members, Output, Request};

/// `DeleteItem`
pub struct DeleteItem(ItemRequest);

impl Request for DeleteItem {
    fn parse(members: &Members<'_>) -> Result<Self, Fault> {
        ItemRequest::parse_write(members, "Key", &["ALL_OLD", "NONE"]).map(Self)
    }

    fn run(self, cx: &mut Context<'_>) -> Result<Output, Fault> {
        let request = self.0.authorize(cx, "dynamodb:DeleteItem")?;
        let mut placeholders = request.expressions.placeholders(&["ConditionExpression"], &[])?;
        let conditional = request.conditional(&mut placeholders)?;
        placeholders.finish()?;
        let table = request.table(cx)?;
        let key = table.schema.key_from(&request.given)?;

        let keys = unlock(cx, &table)?;
        let row = keys.row_key(&key);
        let items = Items::of(cx.account.store.connection(), &table.name);
        let old = items.read(&keys, &row)?;
        conditional.check(old.as_ref())?;
        items.delete(&row)?;

        let mut output = json!({});
        if let (Some("ALL_OLD"), Some(old)) = (request.returns, &old) {
            output["Attributes"] = item_to_json(old);
        }
        request.capacity.add(&mut output, &table.name, write_units(old.as_ref().map_or(0, item_size)));
        Ok(output.into())
    }
}
