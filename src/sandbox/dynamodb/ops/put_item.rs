//! PutItem: writes a whole item, replacing the one with its key.

use serde_json::{Value, json};

use super::super::capacity::{Report, write_units};
use super::super::items::Items;
use super::super::members::{Expressions, add_leading_keys, check_metrics, facts, refuse_legacy};
use super::super::table_name::TableName;
use super::super::unlock::unlock;
use super::super::value::{item_from_json, item_size, item_to_json};
use super::conditional::{Conditional, check_size, parse_on_failure, parse_return_old};
use crate::policy::ConditionContext;
use crate::sandbox::authorize::Resource;
use crate::sandbox::context::Context;
use crate::sandbox::error::Fault;
use crate::sandbox::operation::Request;
use crate::sandbox::validate::{Later, Members};

/// `PutItem`
pub struct PutItem {
    table: TableName,
    item: Value,
    return_old: Later<bool>,
    capacity: Later<Report>,
    on_failure: Later<bool>,
    expressions: Expressions,
    legacy: Later<()>,
    facts: ConditionContext,
}

impl Request for PutItem {
    type Output = Value;

    fn parse(members: &Members<'_>) -> Result<Self, Fault> {
        let table = TableName::parse(members);
        let item = members.required_value("Item").clone();
        let return_old = parse_return_old(members);
        let capacity = Report::parse(members);
        check_metrics(members);
        Ok(Self {
            on_failure: parse_on_failure(members),
            expressions: Expressions::parse(members),
            legacy: refuse_legacy(members),
            facts: facts(members),
            table: table?,
            item,
            return_old,
            capacity,
        })
    }

    fn run(mut self, cx: &mut Context<'_>) -> Result<Value, Fault> {
        add_leading_keys(&mut self.facts, self.table.find(cx.account).as_deref(), [&self.item]);
        let arn = self.table.arn(cx.account);
        cx.authorize("dynamodb:PutItem", Resource::Table(&arn), &self.facts)?;
        self.legacy?;
        let item = item_from_json(&self.item)?;
        let (return_old, capacity) = (self.return_old?, self.capacity?);
        let mut placeholders = self.expressions.placeholders(&["ConditionExpression"], &[])?;
        let conditional = Conditional::new(&self.expressions, &mut placeholders, self.on_failure)?;
        placeholders.finish()?;
        let table = self.table.table(cx.account)?;
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
        if let (true, Some(old)) = (return_old, &old) {
            output["Attributes"] = item_to_json(old);
        }
        capacity.add(&mut output, &table.name, write_units(bytes));
        Ok(output)
    }
}
