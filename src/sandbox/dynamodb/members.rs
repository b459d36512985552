//! Members that several operations of DynamoDB have.

use serde_json::{Map, Value};

use super::expression::condition::Condition;
use super::expression::placeholders::Placeholders;
use super::expression::projection::Projection;
use super::legacy;
use super::table::Table;
use crate::policy::ConditionContext;
use crate::sandbox::error::Fault;
use crate::sandbox::validate::{Later, Members};

const EXPRESSION_MEMBERS: [&str; 7] = [
    "ConditionExpression",
    "FilterExpression",
    "KeyConditionExpression",
    "ProjectionExpression",
    "UpdateExpression",
    "ExpressionAttributeNames",
    "ExpressionAttributeValues",
];

/// The expressions of a request. They are parsed after the caller's permission was checked.
#[derive(Debug)]
pub struct Expressions(Map<String, Value>);

impl Expressions {
    /// Reads the expressions.
    pub fn parse(members: &Members<'_>) -> Self {
        let given = |name: &str| Some((name.to_owned(), members.value(name)?.clone()));
        Self(EXPRESSION_MEMBERS.into_iter().filter_map(given).collect())
    }

    /// Reads the expressions, and those that the legacy parameters among `names` mean. What is wrong with these is
    /// reported later.
    pub fn parse_with_legacy(members: &Members<'_>, names: &[&str]) -> (Self, Later<()>) {
        let mut expressions = Self::parse(members);
        let legacy = legacy::translate(members, names, &mut expressions.0);
        (expressions, legacy)
    }

    /// The placeholders; see [`Placeholders::parse`].
    ///
    /// # Errors
    /// `ValidationException`, `SerializationException`.
    pub fn placeholders(&self, with_values: &[&str], without_values: &[&str]) -> Result<Placeholders, Fault> {
        Placeholders::parse(&self.0, with_values, without_values)
    }

    /// The text of an expression.
    ///
    /// # Errors
    /// `SerializationException`
    pub fn text(&self, name: &str) -> Result<Option<&str>, Fault> {
        let Some(value) = self.0.get(name) else { return Ok(None) };
        let mistyped = || Fault::Serialization(Some(format!("{name} can not be converted to String")));
        value.as_str().map(Some).ok_or_else(mistyped)
    }

    /// A `ConditionExpression` or `FilterExpression`.
    ///
    /// # Errors
    /// `ValidationException`, `SerializationException`.
    pub fn condition(&self, name: &str, placeholders: &mut Placeholders) -> Result<Option<Condition>, Fault> {
        self.text(name)?.map(|text| Condition::parse(name, text, placeholders)).transpose()
    }

    /// The `ProjectionExpression`.
    ///
    /// # Errors
    /// `ValidationException`, `SerializationException`.
    pub fn projection(&self, placeholders: &mut Placeholders) -> Result<Option<Projection>, Fault> {
        self.text("ProjectionExpression")?.map(|text| Projection::parse(text, placeholders)).transpose()
    }
}

/// Refuses members that real DynamoDB has and the sandbox does not, rather than ignoring them.
///
/// # Errors
/// `ValidationException`
pub fn refuse_unsupported(members: &Members<'_>, names: &[&str]) -> Result<(), Fault> {
    let given = |value: &Value| value.as_array().is_none_or(|list| !list.is_empty());
    match names.iter().find(|name| members.value(name).is_some_and(given)) {
        Some(name) => Err(Fault::invalid(format!("The kmslab sandbox does not support {name}"))),
        None => Ok(()),
    }
}

/// Reads `ReturnItemCollectionMetrics`: whether it asks for sizes. Only tables with local indexes have such metrics.
pub fn wants_metrics(members: &Members<'_>) -> bool {
    matches!(members.choice("ReturnItemCollectionMetrics", &["SIZE", "NONE"]), Ok(Some("SIZE")))
}

/// The condition keys of a request: `dynamodb:Select` and the like.
pub fn facts(members: &Members<'_>) -> ConditionContext {
    let mut facts = ConditionContext::default();
    for name in ["Select", "ReturnValues", "ReturnConsumedCapacity"] {
        if let Ok(Some(value)) = members.text(name) {
            facts.set(&format!("dynamodb:{name}"), value);
        }
    }
    facts
}

/// Adds `dynamodb:LeadingKeys`. `keys` are the maps that hold a partition key (an `Item` or a `Key`); its values are only
/// known once the table's schema is.
pub fn add_leading_keys<'a>(
    facts: &mut ConditionContext,
    table: Option<&Table>,
    keys: impl IntoIterator<Item = &'a Value>,
) {
    let Some(table) = table else { return };
    for key in keys {
        let value = key.get(&table.schema.hash.name).and_then(|value| value.get(table.schema.hash.kind.name()));
        if let Some(value) = value.and_then(Value::as_str) {
            facts.add("dynamodb:LeadingKeys", value);
        }
    }
}
