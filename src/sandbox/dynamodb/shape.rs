//! The rules that a request's members obey whatever they are about: required, length, range, fixed sets of values.
//!
//! AWS checks them first and reports every violation at once, each with the whole path of its member
//! (`keySchema.1.member.attributeName`). `shapes.rs` holds the rules of each operation.

use serde_json::Value;

use super::request::lower_first;
use crate::sandbox::error::Fault;

/// The most violations that one error lists. A request can have as many as it has bytes.
const MOST: usize = 10;

/// What a value has to be. A value of the wrong JSON type isn't judged here: reading it fails.
#[derive(Debug, Clone, Copy)]
pub enum Shape {
    /// It has rules of its own, or none.
    Any,
    /// A table's name or ARN.
    TableName,
    /// A string of this length in bytes.
    Text(usize, usize),
    /// One of these.
    OneOf(&'static [&'static str]),
    /// A whole number from the first to the second.
    Number(i64, i64),
    /// A list of this length.
    List(usize, usize, &'static Shape),
    /// A map with at least this many entries.
    Map(usize, &'static Shape),
    /// A structure with these members.
    Structure(&'static [Member]),
}

/// A member of a structure.
#[derive(Debug, Clone, Copy)]
pub struct Member {
    name: &'static str,
    required: bool,
    shape: Shape,
}

/// A member that has to be there.
pub const fn needs(name: &'static str, shape: Shape) -> Member {
    Member { name, required: true, shape }
}

/// A member that may be missing.
pub const fn may(name: &'static str, shape: Shape) -> Member {
    Member { name, required: false, shape }
}

/// Checks a request against the members of its operation.
///
/// # Errors
/// `ValidationException` that lists all violations.
pub fn check(members: &[Member], input: &Value) -> Result<(), Fault> {
    let mut found = Vec::new();
    structure(members, input, "", &mut found);
    if found.is_empty() { Ok(()) } else { Err(Fault::Violations(found)) }
}

/// `Value … at '…' failed to satisfy constraint: …`
pub fn violation(value: &str, path: &str, rule: &str) -> String {
    format!("Value {value} at '{path}' failed to satisfy constraint: {rule}")
}

fn structure(members: &[Member], input: &Value, at: &str, found: &mut Vec<String>) {
    for Member { name, required, shape } in members {
        let path = if at.is_empty() { lower_first(name) } else { format!("{at}.{}", lower_first(name)) };
        match input.get(*name).filter(|value| !value.is_null()) {
            Some(value) => judge(shape, value, &path, found),
            None if *required => add(found, violation("null", &path, "Member must not be null")),
            None => {}
        }
    }
}

fn add(found: &mut Vec<String>, violation: String) {
    if found.len() < MOST {
        found.push(violation);
    }
}

/// Shapes nest no deeper than they are written down, so this ends.
fn judge(shape: &Shape, value: &Value, path: &str, found: &mut Vec<String>) {
    let mut fail = |rule: String| {
        let shown = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        add(found, violation(&format!("'{shown}'"), path, &rule));
    };
    let mut length = |length: usize, least: usize, most: usize| {
        if length < least {
            fail(format!("Member must have length greater than or equal to {least}"));
        } else if length > most {
            fail(format!("Member must have length less than or equal to {most}"));
        }
    };
    match (shape, value) {
        (Shape::TableName, Value::String(name)) if !name.starts_with("arn:") => {
            if name.is_empty() {
                fail("Member must have length greater than or equal to 1".to_owned());
            } else if !name.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'.' | b'-')) {
                fail("Member must satisfy regular expression pattern: [a-zA-Z0-9_.-]+".to_owned());
            }
        }
        (Shape::Text(least, most), Value::String(text)) => length(text.len(), *least, *most),
        (Shape::OneOf(allowed), Value::String(text)) if !allowed.contains(&text.as_str()) => {
            fail(format!("Member must satisfy enum value set: [{}]", allowed.join(", ")));
        }
        (Shape::Number(least, most), Value::Number(number)) => match number.as_i64() {
            Some(number) if number < *least => {
                fail(format!("Member must have value greater than or equal to {least}"));
            }
            Some(number) if number > *most => fail(format!("Member must have value less than or equal to {most}")),
            _ => {}
        },
        (Shape::List(least, most, of), Value::Array(values)) => {
            length(values.len(), *least, *most);
            for (index, value) in values.iter().enumerate() {
                if found.len() >= MOST {
                    break;
                }
                judge(of, value, &format!("{path}.{}.member", index + 1), found);
            }
        }
        (Shape::Map(least, of), Value::Object(entries)) => {
            length(entries.len(), *least, usize::MAX);
            for (key, value) in entries {
                if found.len() >= MOST {
                    break;
                }
                judge(of, value, &format!("{path}.{key}.member"), found);
            }
        }
        (Shape::Structure(members), Value::Object(_)) => structure(members, value, path, found),
        _ => {}
    }
}
