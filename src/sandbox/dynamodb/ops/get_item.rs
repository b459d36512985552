//! GetItem: reads the item with a key.

use serde_json::json;

use super::super::capacity::read_units;
use super::super::items::Items;
use super::super::unlock::unlock;
use super::super::value::{item_size, item_to_json};
use super::item_request::ItemRequest;
use crate::sandbox::operation::{Context, Fault, Later, Members, Output, Request};

/// `GetItem`
pub struct GetItem {
    item: ItemRequest,
    consistent: Later<Option<bool>>,
}

impl Request for GetItem {
    fn parse(members: &Members<'_>) -> Result<Self, Fault> {
        Ok(Self { item: ItemRequest::parse_read(members)?, consistent: members.flag("ConsistentRead") })
    }

    fn run(self, cx: &mut Context<'_>) -> Result<Output, Fault> {
        let request = self.item.authorize(cx, "dynamodb:GetItem")?;
        let consistent = self.consistent?.unwrap_or(false);
        let mut placeholders = request.expressions.placeholders(&[], &["ProjectionExpression"])?;
        let projection = request.expressions.projection(&mut placeholders)?;
        placeholders.finish()?;
        let table = request.table(cx)?;
        let key = table.schema.key_from(&request.given)?;

        let keys = unlock(cx, &table)?;
        let found = Items::of(cx.account.store.connection(), &table.name).read(&keys, &keys.row_key(&key))?;

        let mut output = json!({});
        request.capacity.add(&mut output, &table.name, read_units(found.as_ref().map_or(0, item_size), consistent));
        if let Some(item) = found {
            output["Item"] = match projection {
                Some(projection) => item_to_json(&projection.apply(&item)),
                None => item_to_json(&item),
            };
        }
        Ok(output.into())
    }
}
