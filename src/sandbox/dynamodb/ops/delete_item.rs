//! DeleteItem: removes the item with a key, if there is one.

use serde_json::{Value, json};

use super::super::capacity::{Report, write_units};
use super::super::items::Items;
use super::super::members::{Expressions, add_leading_keys, check_metrics, facts, refuse_legacy};
use super::super::table_name::TableName;
use super::super::unlock::unlock;
use super::super::value::{item_from_json, item_size, item_to_json};
use super::conditional::{Conditional, parse_on_failure, parse_return_old};
use crate::policy::ConditionContext;
use crate::sandbox::authorize::Resource;
use crate::sandbox::context::Context;
use crate::sandbox::error::Fault;
use crate::sandbox::operation::Request;
use crate::sandbox::validate::{Later, Members};

/// `DeleteItem`
pub struct DeleteItem {
    table: TableName,
    key: Value,
    return_old: Later<bool>,
    capacity: Later<Report>,
    on_failure: Later<bool>,
    expressions: Expressions,
    legacy: Later<()>,
    facts: ConditionContext,
}

impl Request for DeleteItem {
    type Output = Value;

    fn parse(members: &Members<'_>) -> Result<Self, Fault> {
        let table = TableName::parse(members);
        let key = members.required_value("Key").clone();
        let return_old = parse_return_old(members);
        let capacity = Report::parse(members);
        check_metrics(members);
        Ok(Self {
            on_failure: parse_on_failure(members),
            expressions: Expressions::parse(members),
            legacy: refuse_legacy(members),
            facts: facts(members),
            table: table?,
            key,
            return_old,
            capacity,
        })
    }

    fn run(mut self, cx: &mut Context<'_>) -> Result<Value, Fault> {
        add_leading_keys(&mut self.facts, self.table.find(cx.account).as_deref(), [&self.key]);
        let arn = self.table.arn(cx.account);
        cx.authorize("dynamodb:DeleteItem", Resource::Table(&arn), &self.facts)?;
        self.legacy?;
        let given = item_from_json(&self.key)?;
        let (return_old, capacity) = (self.return_old?, self.capacity?);
        let mut placeholders = self.expressions.placeholders(&["ConditionExpression"], &[])?;
        let conditional = Conditional::new(&self.expressions, &mut placeholders, self.on_failure)?;
        placeholders.finish()?;
        let table = self.table.table(cx.account)?;
        let key = table.schema.key_from(&given)?;

        let keys = unlock(cx, &table)?;
        let row = keys.row_key(&key);
        let items = Items::of(cx.account.store.connection(), &table.name);
        let old = items.read(&keys, &row)?;
        conditional.check(old.as_ref())?;
        items.delete(&row)?;

        let mut output = json!({});
        if let (true, Some(old)) = (return_old, &old) {
            output["Attributes"] = item_to_json(old);
        }
        capacity.add(&mut output, &table.name, write_units(old.as_ref().map_or(0, item_size)));
        Ok(output)
    }
}
