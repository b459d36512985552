//! What policies may ask about a request: `dynamodb:LeadingKeys`, `dynamodb:Select` and the like.

use serde_json::Value;

use super::super::request::{member, text};
use crate::policy::ConditionContext;
use crate::sandbox::dynamodb::table::Table;

/// The conditions of a request. `keys` are the maps that hold a partition key (an `Item` or a `Key`); partition key
/// values are only known once the table's schema is.
pub fn of<'a>(input: &Value, table: Option<&Table>, keys: impl IntoIterator<Item = &'a Value>) -> ConditionContext {
    let mut facts = ConditionContext::default();
    for name in ["Select", "ReturnValues", "ReturnConsumedCapacity"] {
        if let Ok(Some(value)) = text(input, name) {
            facts.set(&format!("dynamodb:{name}"), value);
        }
    }
    if let Some(table) = table {
        for key in keys {
            let value = member(key, &table.schema.hash.name).and_then(|value| value.get(table.schema.hash.kind.name()));
            if let Some(value) = value.and_then(Value::as_str) {
                facts.add("dynamodb:LeadingKeys", value);
            }
        }
    }
    facts
}
