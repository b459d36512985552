//! PutItem: writes a whole item, replacing the one with its key.

use serde_json::json;

use super::super::legacy;
use super::super::unlock::unlock;
use super::super::value::item_to_json;
use super::item_request::ItemRequest;
use super::write::{Action, Write};
use crate::sandbox::operation::{Context, Fault, Members, Output, Request};

/// `PutItem`
pub struct PutItem(ItemRequest);

impl Request for PutItem {
    fn parse(members: &Members<'_>) -> Result<Self, Fault> {
        ItemRequest::parse_write(members, "Item", &["ALL_OLD", "NONE"], legacy::WRITE).map(Self)
    }

    fn run(self, cx: &mut Context<'_>) -> Result<Output, Fault> {
        let mut request = self.0.authorize(cx, "dynamodb:PutItem")?;
        let mut placeholders = request.expressions.placeholders(&["ConditionExpression"], &[])?;
        let conditional = request.conditional(&mut placeholders)?;
        placeholders.finish()?;
        let table = request.table(cx)?;
        let write = Write::new(table.clone(), std::mem::take(&mut request.given), Action::Put, conditional)?;

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
