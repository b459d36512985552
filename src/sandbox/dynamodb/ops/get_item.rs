//! GetItem: reads the item with a key.

use serde_json::{Value, json};

use super::super::capacity::{Report, read_units};
use super::super::items::Items;
use super::super::members::{Expressions, add_leading_keys, facts, refuse_legacy};
use super::super::table_name::TableName;
use super::super::unlock::unlock;
use super::super::value::{item_from_json, item_size, item_to_json};
use crate::policy::ConditionContext;
use crate::sandbox::authorize::Resource;
use crate::sandbox::context::Context;
use crate::sandbox::error::Fault;
use crate::sandbox::operation::Request;
use crate::sandbox::validate::{Later, Members};

/// `GetItem`
pub struct GetItem {
    table: TableName,
    key: Value,
    capacity: Later<Report>,
    consistent: Later<Option<bool>>,
    expressions: Expressions,
    legacy: Later<()>,
    facts: ConditionContext,
}

impl Request for GetItem {
    type Output = Value;

    fn parse(members: &Members<'_>) -> Result<Self, Fault> {
        let table = TableName::parse(members);
        Ok(Self {
            key: members.required_value("Key").clone(),
            capacity: Report::parse(members),
            consistent: members.flag("ConsistentRead"),
            expressions: Expressions::parse(members),
            legacy: refuse_legacy(members),
            facts: facts(members),
            table: table?,
        })
    }

    fn run(mut self, cx: &mut Context<'_>) -> Result<Value, Fault> {
        add_leading_keys(&mut self.facts, self.table.find(cx.account).as_deref(), [&self.key]);
        let arn = self.table.arn(cx.account);
        cx.authorize("dynamodb:GetItem", Resource::Table(&arn), &self.facts)?;
        self.legacy?;
        let given = item_from_json(&self.key)?;
        let (capacity, consistent) = (self.capacity?, self.consistent?.unwrap_or(false));
        let mut placeholders = self.expressions.placeholders(&[], &["ProjectionExpression"])?;
        let projection = self.expressions.projection(&mut placeholders)?;
        placeholders.finish()?;
        let table = self.table.table(cx.account)?;
        let key = table.schema.key_from(&given)?;

        let keys = unlock(cx, &table)?;
        let found = Items::of(cx.account.store.connection(), &table.name).read(&keys, &keys.row_key(&key))?;

        let mut output = json!({});
        capacity.add(&mut output, &table.name, read_units(found.as_ref().map_or(0, item_size), consistent));
        if let Some(item) = found {
            let item = match projection {
                Some(projection) => projection.apply(&item),
                None => item,
            };
            output["Item"] = item_to_json(&item);
        }
        Ok(output)
    }
}
