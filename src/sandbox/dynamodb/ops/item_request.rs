//! What the operations on one item share: their members, and the way to the item.

use std::sync::Arc;

use serde_json::{Value, json};

use super::super::capacity::Report;
use super::super::expression::placeholders::Placeholders;
use super::super::legacy;
use super::super::members::{Expressions, add_leading_keys, facts, wants_metrics};
use super::super::table::Table;
use super::super::table_name::TableName;
use super::super::value::{Item, item_from_json};
use super::write::{Change, Conditional};
use crate::policy::ConditionContext;
use crate::sandbox::authorize::Resource;
use crate::sandbox::operation::{Context, Fault, Later, Members};

/// The members of an operation on one item.
pub struct ItemRequest {
    table: TableName,
    /// `Item` or `Key`.
    member: &'static str,
    returns: Later<Option<&'static str>>,
    capacity: Later<Report>,
    metrics: bool,
    on_failure: Later<Option<&'static str>>,
    /// The expressions.
    pub expressions: Expressions,
    legacy: Later<()>,
    facts: ConditionContext,
}

/// A request that the caller is allowed to make.
pub struct Permitted {
    table: TableName,
    /// The `Item` or `Key`.
    pub given: Item,
    /// `ReturnValues`
    pub returns: Option<&'static str>,
    /// `ReturnConsumedCapacity`
    pub capacity: Report,
    /// Whether `ReturnItemCollectionMetrics` asks for sizes.
    metrics: bool,
    /// Whether `ReturnValuesOnConditionCheckFailure` asks for the old item.
    return_old_on_failure: bool,
    /// The expressions.
    pub expressions: Expressions,
}

impl ItemRequest {
    /// Reads the members of a GetItem.
    ///
    /// # Errors
    /// Those of [`TableName::parse`].
    pub fn parse_read(members: &Members<'_>) -> Result<Self, Fault> {
        let table = TableName::parse(members);
        members.required_value("Key");
        let (expressions, legacy) = Expressions::parse_with_legacy(members, legacy::GET);
        Ok(Self {
            member: "Key",
            returns: Ok(None),
            capacity: Report::parse(members),
            metrics: false,
            on_failure: Ok(None),
            expressions,
            legacy,
            facts: facts(members),
            table: table?,
        })
    }

    /// Reads the members of a write. `member` is `Item` or `Key`, `returns` are the values of `ReturnValues`, and `legacy`
    /// are the operation's parameters from before expressions.
    ///
    /// # Errors
    /// Those of [`TableName::parse`].
    pub fn parse_write(
        members: &Members<'_>,
        member: &'static str,
        returns: &[&'static str],
        legacy: &[&str],
    ) -> Result<Self, Fault> {
        let table = TableName::parse(members);
        members.required_value(member);
        let returns = members.choice("ReturnValues", returns);
        let capacity = Report::parse(members);
        let metrics = wants_metrics(members);
        let (expressions, legacy) = Expressions::parse_with_legacy(members, legacy);
        Ok(Self {
            on_failure: members.choice("ReturnValuesOnConditionCheckFailure", &["ALL_OLD", "NONE"]),
            expressions,
            legacy,
            facts: facts(members),
            table: table?,
            member,
            returns,
            capacity,
            metrics,
        })
    }

    /// Checks the caller's permission, and then the rest of the members.
    ///
    /// # Errors
    /// `AccessDeniedException`, `ValidationException`, `SerializationException`.
    pub fn authorize(mut self, cx: &mut Context<'_>, action: &str) -> Result<Permitted, Fault> {
        let given = cx.params.member(self.member).unwrap_or(&Value::Null);
        add_leading_keys(&mut self.facts, self.table.find(cx.account).as_deref(), [given]);
        let arn = self.table.arn(cx.account);
        cx.authorize(action, Resource::Table(&arn), &self.facts)?;
        self.legacy?;
        Ok(Permitted {
            table: self.table,
            given: item_from_json(given)?,
            metrics: self.metrics,
            returns: self.returns?,
            capacity: self.capacity?,
            return_old_on_failure: self.on_failure? == Some("ALL_OLD"),
            expressions: self.expressions,
        })
    }
}

impl Permitted {
    /// Adds to the output of a write what the request asks to know about its cost.
    pub fn report(&self, output: &mut Value, change: &Change) {
        self.capacity.add(output, &change.table.name, change.units());
        if self.metrics && change.table.indexes.iter().any(|index| !index.is_global()) {
            // A collection has at most 10 GB; the sandbox's have less than one.
            output["ItemCollectionMetrics"] = json!({
                "ItemCollectionKey": { &change.table.schema.hash.name: change.key.hash.to_json() },
                "SizeEstimateRangeGB": [0.0, 1.0],
            });
        }
    }

    /// The table.
    ///
    /// # Errors
    /// `ResourceNotFoundException`
    pub fn table(&self, cx: &Context<'_>) -> Result<Arc<Table>, Fault> {
        self.table.table(cx.account)
    }

    /// The condition of a write.
    ///
    /// # Errors
    /// `ValidationException`, `SerializationException`.
    pub fn conditional(&self, placeholders: &mut Placeholders) -> Result<Conditional, Fault> {
        let condition = self.expressions.condition("ConditionExpression", placeholders)?;
        Ok(Conditional { condition, return_old: self.return_old_on_failure })
    }
}
