//! What the conditional writes share: the condition, and the answer when it does not hold.

use serde_json::{Map, Value};

use super::super::expression::{Condition, Placeholders};
use super::super::request::{choice, text};
use super::super::value::{Item, item_to_json};
use crate::sandbox::error::Fault;

/// A write's `ConditionExpression`.
pub struct Conditional {
    condition: Option<Condition>,
    return_old: bool,
}

impl Conditional {
    /// Reads the members of the request.
    pub fn of(input: &Value, placeholders: &mut Placeholders) -> Result<Self, Fault> {
        let condition = text(input, "ConditionExpression")?
            .map(|text| Condition::parse("ConditionExpression", text, placeholders))
            .transpose()?;
        let on_failure = choice(input, "ReturnValuesOnConditionCheckFailure", &["ALL_OLD", "NONE"], "NONE")?;
        Ok(Self { condition, return_old: on_failure == "ALL_OLD" })
    }

    /// Checks the condition against the item as it is; one that doesn't exist has no attributes.
    pub fn check(&self, old: Option<&Item>) -> Result<(), Fault> {
        let nothing = Item::new();
        match &self.condition {
            Some(condition) if !condition.holds(old.unwrap_or(&nothing)) => {
                let returned = old.filter(|_| self.return_old);
                Err(Fault::Service {
                    status: 400,
                    code: "ConditionalCheckFailedException",
                    message: Some("The conditional request failed".to_owned()),
                    extra: returned.map(|old| Box::new(Map::from_iter([("Item".to_owned(), item_to_json(old))]))),
                })
            }
            _ => Ok(()),
        }
    }
}

/// The values an item may not exceed.
pub fn check_size(item: &Item) -> Result<(), Fault> {
    if super::super::value::item_size(item) > super::super::value::MAX_ITEM_BYTES {
        return Err(Fault::invalid("Item size has exceeded the maximum allowed size"));
    }
    Ok(())
}
