//! `KeyConditionExpression`: one partition, and optionally a range of sort keys in it.

use super::condition::{Comparator, Condition, Operand};
use super::parser::invalid;
use super::path::Path;
use super::placeholders::Placeholders;
use crate::sandbox::dynamodb::key::KeySchema;
use crate::sandbox::dynamodb::value::AttributeValue;
use crate::sandbox::error::Fault;

const MEMBER: &str = "KeyConditionExpression";

/// Which items a Query reads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyCondition {
    /// The partition key's value.
    pub partition: AttributeValue,
    /// The condition on the sort key.
    pub sort: Option<SortCondition>,
}

/// A condition on the sort key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SortCondition {
    /// `=`, `<`, `<=`, `>`, `>=`
    Compare(Comparator, AttributeValue),
    /// `BETWEEN`, both ends included.
    Between(AttributeValue, AttributeValue),
    /// `begins_with`
    BeginsWith(AttributeValue),
}

impl SortCondition {
    /// Whether a sort key of the schema's type satisfies the condition.
    pub fn holds(&self, key: &AttributeValue) -> bool {
        match self {
            Self::Compare(comparator, bound) => key.compare(bound).is_some_and(|order| comparator.accepts(order)),
            Self::Between(low, high) => {
                key.compare(low).is_some_and(|order| order.is_ge())
                    && key.compare(high).is_some_and(|order| order.is_le())
            }
            Self::BeginsWith(prefix) => match (key, prefix) {
                (AttributeValue::String(key), AttributeValue::String(prefix)) => key.starts_with(prefix.as_str()),
                (AttributeValue::Binary(key), AttributeValue::Binary(prefix)) => key.starts_with(prefix),
                _ => false,
            },
        }
    }
}

impl KeyCondition {
    /// Parses a `KeyConditionExpression` and fits it to the table's key. The attributes and types are checked here.
    ///
    /// # Errors
    /// `ValidationException`
    pub fn parse(text: &str, placeholders: &mut Placeholders, schema: &KeySchema) -> Result<Self, Fault> {
        let parts = match Condition::parse(MEMBER, text, placeholders)? {
            Condition::And(parts) => parts,
            one => vec![one],
        };
        let mut partition = None;
        let mut sort = None;
        for part in parts {
            let (name, condition) = simple(part).map_err(|fault| invalid(MEMBER, &fault))?;
            let place = if name == schema.hash.name {
                &mut partition
            } else if schema.range.as_ref().is_some_and(|range| range.name == name) {
                &mut sort
            } else {
                // Neither key of the table: what is missing is what AWS names.
                let missing = match (&partition, &schema.range) {
                    (Some(_), Some(range)) => &range.name,
                    (Some(_), None) => return Err(Fault::invalid("Query key condition not supported")),
                    (None, _) => &schema.hash.name,
                };
                return Err(missed(missing));
            };
            if place.is_some() {
                return Err(invalid(MEMBER, "KeyConditionExpressions must only contain one condition per key"));
            }
            *place = Some(condition);
        }
        let partition = match partition.ok_or_else(|| missed(&schema.hash.name))? {
            SortCondition::Compare(Comparator::Equal, value) => value,
            _ => return Err(Fault::invalid("Query key condition not supported")),
        };
        let check = |value: &AttributeValue, kind: &str| {
            if value.type_name() == kind {
                Ok(())
            } else {
                Err(Fault::invalid(
                    "One or more parameter values were invalid: Condition parameter type does not match schema type",
                ))
            }
        };
        check(&partition, schema.hash.kind.name())?;
        if let (Some(sort), Some(range)) = (&sort, &schema.range) {
            match sort {
                SortCondition::Compare(_, value) | SortCondition::BeginsWith(value) => check(value, range.kind.name())?,
                SortCondition::Between(low, high) => {
                    check(low, range.kind.name())?;
                    check(high, range.kind.name())?;
                }
            }
        }
        Ok(Self { partition, sort })
    }
}

fn missed(name: &str) -> Fault {
    Fault::invalid(format!("Query condition missed key schema element: {name}"))
}

/// One attribute and what is asked of it.
fn simple(condition: Condition) -> Result<(String, SortCondition), String> {
    let operator = |name: &str| Err(format!("Invalid operator used in KeyConditionExpression: {name}"));
    match condition {
        Condition::Compare(Comparator::NotEqual, ..) => operator("<>"),
        Condition::Compare(comparator, Operand::Path(path), Operand::Value(value)) => {
            Ok((attribute(path)?, SortCondition::Compare(comparator, value)))
        }
        Condition::Between(Operand::Path(path), Operand::Value(low), Operand::Value(high)) => {
            Ok((attribute(path)?, SortCondition::Between(low, high)))
        }
        Condition::BeginsWith(Operand::Path(path), Operand::Value(prefix)) => {
            Ok((attribute(path)?, SortCondition::BeginsWith(prefix)))
        }
        Condition::Compare(_, Operand::Path(_), Operand::Path(_)) => {
            Err("Invalid condition in KeyConditionExpression: Multiple attribute names used in one condition".into())
        }
        Condition::Or(_) => operator("OR"),
        Condition::Not(_) => operator("NOT"),
        Condition::In(..) => operator("IN"),
        Condition::Exists(_) => operator("attribute_exists"),
        Condition::NotExists(_) => operator("attribute_not_exists"),
        Condition::HasType(..) => operator("attribute_type"),
        Condition::Contains(..) => operator("contains"),
        Condition::And(_) | Condition::Compare(..) | Condition::Between(..) | Condition::BeginsWith(..) => {
            Err("KeyConditionExpressions must compare a key attribute with a value".into())
        }
    }
}

fn attribute(path: Path) -> Result<String, String> {
    if path.is_top_level() {
        Ok(path.attribute)
    } else {
        Err("KeyConditionExpressions cannot have conditions on nested attributes".into())
    }
}
