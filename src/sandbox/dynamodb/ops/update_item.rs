//! UpdateItem: changes some attributes of an item, or creates it.

use serde_json::{Value, json};

use super::super::capacity::{Report, write_units};
use super::super::expression::projection::Projection;
use super::super::expression::update::Update;
use super::super::items::Items;
use super::super::key::KeySchema;
use super::super::members::{Expressions, add_leading_keys, check_metrics, facts, refuse_legacy};
use super::super::table_name::TableName;
use super::super::unlock::unlock;
use super::super::value::{Item, item_from_json, item_size, item_to_json};
use super::conditional::{Conditional, check_size, parse_on_failure};
use crate::policy::ConditionContext;
use crate::sandbox::authorize::Resource;
use crate::sandbox::context::Context;
use crate::sandbox::error::Fault;
use crate::sandbox::operation::Request;
use crate::sandbox::validate::{Later, Members};

const RETURN_VALUES: [&str; 5] = ["ALL_NEW", "UPDATED_OLD", "ALL_OLD", "NONE", "UPDATED_NEW"];

/// `UpdateItem`
pub struct UpdateItem {
    table: TableName,
    key: Value,
    returns: Later<Option<&'static str>>,
    capacity: Later<Report>,
    on_failure: Later<bool>,
    expressions: Expressions,
    legacy: Later<()>,
    facts: ConditionContext,
}

impl Request for UpdateItem {
    type Output = Value;

    fn parse(members: &Members<'_>) -> Result<Self, Fault> {
        let table = TableName::parse(members);
        let key = members.required_value("Key").clone();
        let returns = members.choice("ReturnValues", &RETURN_VALUES);
        let capacity = Report::parse(members);
        check_metrics(members);
        Ok(Self {
            on_failure: parse_on_failure(members),
            expressions: Expressions::parse(members),
            legacy: refuse_legacy(members),
            facts: facts(members),
            table: table?,
            key,
            returns,
            capacity,
        })
    }

    fn run(mut self, cx: &mut Context<'_>) -> Result<Value, Fault> {
        add_leading_keys(&mut self.facts, self.table.find(cx.account).as_deref(), [&self.key]);
        let arn = self.table.arn(cx.account);
        cx.authorize("dynamodb:UpdateItem", Resource::Table(&arn), &self.facts)?;
        self.legacy?;
        let given = item_from_json(&self.key)?;
        let (returns, capacity) = (self.returns?, self.capacity?);
        let mut placeholders = self.expressions.placeholders(&["UpdateExpression", "ConditionExpression"], &[])?;
        let text = self.expressions.text("UpdateExpression")?;
        let update = text.map(|text| Update::parse(text, &mut placeholders)).transpose()?;
        let conditional = Conditional::new(&self.expressions, &mut placeholders, self.on_failure)?;
        placeholders.finish()?;
        let table = self.table.table(cx.account)?;
        let key = table.schema.key_from(&given)?;
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
        let attributes = returned(returns, update.as_ref(), &old, &new);
        if !attributes.is_empty() {
            output["Attributes"] = item_to_json(&attributes);
        }
        capacity.add(&mut output, &table.name, write_units(item_size(&new).max(item_size(&old))));
        Ok(output)
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
