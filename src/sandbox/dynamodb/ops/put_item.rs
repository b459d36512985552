//! PutItem: writes a whole item, replacing the one with its key.

use serde_json::json;

use super::super::capacity::write_units;
use super::super::items::Items;
use super::super::unlock::unlock;
use super::super::value::{item_size, item_to_json};
use super::item_request::{ItemRequest, check_size};
use crate::sandbox::operation::{Context, Fault, Members, Output, Request};

/// `PutItem`
pub struct PutItem(ItemRequest);

impl Request for PutItem {
    fn parse(members: &Members<'_>) -> Result<Self, Fault> {
        ItemRequest::parse_write(members, "Item", &["ALL_OLD", "NONE"]).map(Self)
    }

    fn run(self, cx: &mut Context<'_>) -> Result<Output, Fault> {
        let request = self.0.authorize(cx, "dynamodb:PutItem")?;
        let mut placeholders = request.expressions.placeholders(&["ConditionExpression"], &[])?;
        let conditional = request.conditional(&mut placeholders)?;
        placeholders.finish()?;
        let table = request.table(cx)?;
        let item = request.given;
        let key = table.schema.key_of_item(&item)?;
        check_size(&item)?;

        let keys = unlock(cx, &table)?;
        let row = keys.row_key(&key);
        let items = Items::of(cx.account.store.connection(), &table.name);
        let old = items.read(&keys, &row)?;
        conditional.check(old.as_ref())?;
        items.write(&mut cx.entropy, &keys, &row, &item)?;

        let mut output = json!({});
        let bytes = item_size(&item).max(old.as_ref().map_or(0, item_size));
        if let (Some("ALL_OLD"), Some(old)) = (request.returns, &old) {
            output["Attributes"] = item_to_json(old);
        }
        request.capacity.add(&mut output, &table.name, write_units(bytes));
        Ok(output.into())
    }
}
