//! Reading the members of a request, with AWS's sentences for what is missing or malformed.

use serde_json::Value;

use super::shape::violation;
use super::value::{Item, item_from_json};
use crate::sandbox::engine::Host;
use crate::sandbox::error::Fault;

/// A table as a request names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TableRef {
    /// The table's name.
    pub name: String,
    /// Its ARN, which is what policies name.
    pub arn: String,
    /// Whether it can exist here: an ARN of another account or region names nothing in the sandbox.
    pub local: bool,
}

impl TableRef {
    /// Reads a table name or table ARN.
    pub fn parse(host: &Host, text: &str) -> Result<Self, Fault> {
        let arn_of = |name: &str| format!("arn:aws:dynamodb:{}:{}:table/{name}", host.region, host.account);
        let broken = |rule: String| constraint(&format!("'{text}'"), "tableName", &rule);
        let name = match text.strip_prefix("arn:") {
            None => text,
            Some(_) => match text.split_once(":table/") {
                Some((start, name)) if start.starts_with("arn:aws:dynamodb:") && start.split(':').count() == 5 => name,
                _ => return Err(Fault::invalid(format!("Invalid table ARN: {text}"))),
            },
        };
        if name.is_empty() {
            return Err(broken("Member must have length greater than or equal to 1".into()));
        }
        if !name.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'.' | b'-')) {
            return Err(broken("Member must satisfy regular expression pattern: [a-zA-Z0-9_.-]+".into()));
        }
        if !(3..=255).contains(&name.len()) {
            return Err(Fault::invalid("TableName must be at least 3 characters long and at most 255 characters long"));
        }
        let own = arn_of(name);
        let arn = if text.starts_with("arn:") { text.to_owned() } else { own.clone() };
        Ok(Self { name: name.to_owned(), local: arn == own, arn })
    }

    /// The request's `TableName`.
    pub fn of(host: &Host, input: &Value) -> Result<Self, Fault> {
        let text =
            text(input, "TableName")?.ok_or_else(|| constraint("null", "tableName", "Member must not be null"))?;
        Self::parse(host, text)
    }
}

/// `1 validation error detected: Value … at '…' failed to satisfy constraint: …`
pub fn constraint(value: &str, member: &str, rule: &str) -> Fault {
    Fault::Violations(vec![violation(value, member, rule)])
}

/// A member; null counts as absent.
pub fn member<'a>(input: &'a Value, name: &str) -> Option<&'a Value> {
    input.get(name).filter(|value| !value.is_null())
}

fn mistyped(name: &str, wanted: &str) -> Fault {
    Fault::Serialization(Some(format!("{name} can not be converted to {wanted}")))
}

/// An optional string member.
pub fn text<'a>(input: &'a Value, name: &str) -> Result<Option<&'a str>, Fault> {
    member(input, name).map(|value| value.as_str().ok_or_else(|| mistyped(name, "String"))).transpose()
}

/// An optional boolean member.
pub fn flag(input: &Value, name: &str) -> Result<Option<bool>, Fault> {
    member(input, name).map(|value| value.as_bool().ok_or_else(|| mistyped(name, "Boolean"))).transpose()
}

/// An optional whole number member. The operation's shape has checked its range.
pub fn count(input: &Value, name: &str) -> Result<Option<u64>, Fault> {
    let as_count = |value: &Value| value.as_u64().ok_or_else(|| mistyped(name, "Integer"));
    member(input, name).map(as_count).transpose()
}

/// An optional structure member.
pub fn structure<'a>(input: &'a Value, name: &str) -> Result<Option<&'a Value>, Fault> {
    let as_structure = |value: &'a Value| if value.is_object() { Ok(value) } else { Err(mistyped(name, "Structure")) };
    member(input, name).map(as_structure).transpose()
}

/// An optional list member.
pub fn list<'a>(input: &'a Value, name: &str) -> Result<Option<&'a [Value]>, Fault> {
    let as_list = |value: &'a Value| value.as_array().map(Vec::as_slice).ok_or_else(|| mistyped(name, "List"));
    member(input, name).map(as_list).transpose()
}

/// An optional member out of a fixed set; `default` when absent.
pub fn choice(
    input: &Value,
    name: &str,
    allowed: &[&'static str],
    default: &'static str,
) -> Result<&'static str, Fault> {
    let Some(given) = text(input, name)? else { return Ok(default) };
    allowed.iter().find(|choice| **choice == given).copied().ok_or_else(|| {
        let rule = format!("Member must satisfy enum value set: [{}]", allowed.join(", "));
        constraint(&format!("'{given}'"), &lower_first(name), &rule)
    })
}

/// A required map of attributes: `Item` or `Key`.
pub fn attributes(input: &Value, name: &str) -> Result<Item, Fault> {
    match member(input, name) {
        Some(value) => item_from_json(value),
        None => Err(constraint("null", &lower_first(name), "Member must not be null")),
    }
}

/// Refuses members that real DynamoDB has and the sandbox does not, rather than ignoring them.
pub fn refuse_unsupported(input: &Value, names: &[&str]) -> Result<(), Fault> {
    let empty = |value: &Value| value.as_array().is_some_and(Vec::is_empty);
    match names.iter().find(|name| member(input, name).is_some_and(|value| !empty(value))) {
        Some(name) => Err(Fault::invalid(format!("The kmslab sandbox does not support {name}"))),
        None => Ok(()),
    }
}

/// Refuses the request members from before expressions.
pub fn refuse_legacy(input: &Value) -> Result<(), Fault> {
    const LEGACY: [&str; 7] = [
        "Expected",
        "ConditionalOperator",
        "AttributeUpdates",
        "AttributesToGet",
        "KeyConditions",
        "QueryFilter",
        "ScanFilter",
    ];
    match LEGACY.iter().find(|name| member(input, name).is_some()) {
        Some(name) => Err(Fault::invalid(format!(
            "The kmslab sandbox does not support the legacy parameter {name}; use an expression instead"
        ))),
        None => Ok(()),
    }
}

/// A member's name as AWS's errors spell it: `sSESpecification`.
pub fn lower_first(name: &str) -> String {
    let mut characters = name.chars();
    characters.next().map(|first| first.to_ascii_lowercase()).into_iter().chain(characters).collect()
}
