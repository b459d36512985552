//! DeleteItem: removes the item with a key, if there is one.

use serde_json::json;

use super::super::legacy;
use super::super::unlock::unlock;
use super::super::value::item_to_json;
use super::item_request::ItemRequest;
use super::write::{Action, Write};
use crate::sandbox::operation::{Context, Fault, Members, Output, Request};

/// `DeleteItem`
pub struct DeleteItem(ItemRequest);

impl Request for DeleteItem {
    fn parse(members: &Members<'_>) -> Result<Self, Fault> {
        ItemRequest::parse_write(members, "Key", &["ALL_OLD", "NONE"], legacy::WRITE).map(Self)
    }

    fn run(self, cx: &mut Context<'_>) -> Result<Output, Fault> {
        let mut request = self.0.authorize(cx, "dynamodb:DeleteItem")?;
        let mut placeholders = request.expressions.placeholders(&["ConditionExpression"], &[])?;
        let conditional = request.conditional(&mut placeholders)?;
        placeholders.finish()?;
        let table = request.table(cx)?;
        let write = Write::new(table.clone(), std::mem::take(&mut request.given), Action::Delete, conditional)?;

        let keys = unlock(cx, &table)?;
        let change = write.prepare(cx, &keys)?;
        change.store(cx, &keys)?;

        let mut output = json!({});
        if let (Some("ALL_OLD"), Some(old)) = (request.returns, &change.old) {
            output["Attributes"] = item_to_json(old);
        }
        request.report(&mut output, &change);
        Ok(output.into())
    }
}
