//! What the conditional writes share: the condition, and the answer when it does not hold.

use serde_json::Value;

use super::super::expression::{Condition, Placeholders};
use super::super::request::{choice, text};
use super::super::value::{Item, item_to_json};
use crate::sandbox::error::ApiError;

/// A write's `ConditionExpression`.
pub struct Conditional {
    condition: Option<Condition>,
    return_old: bool,
}

impl Conditional {
    /// Reads the members of the request.
    pub fn of(input: &Value, placeholders: &mut Placeholders) -> Result<Self, ApiError> {
        let condition = text(input, "ConditionExpression")?
            .map(|text| Condition::parse("ConditionExpression", text, placeholders))
            .transpose()?;
        let on_failure = choice(input, "ReturnValuesOnConditionCheckFailure", &["ALL_OLD", "NONE"], "NONE")?;
        Ok(Self { condition, return_old: on_failure == "ALL_OLD" })
    }

    /// Checks the condition against the item as it is; one that doesn't exist has no attributes.
    pub fn check(&self, old: Option<&Item>) -> Result<(), ApiError> {
        let nothing = Item::new();
        match &self.condition {
            Some(condition) if !condition.holds(old.unwrap_or(&nothing)) => {
                let mut error = ApiError::new(400, "ConditionalCheckFailedException", "The conditional request failed");
                if let (true, Some(old)) = (self.return_old, old) {
                    error.extra.insert("Item".to_owned(), item_to_json(old));
                }
                Err(error)
            }
            _ => Ok(()),
        }
    }
}

/// The values an item may not exceed.
pub fn check_size(item: &Item) -> Result<(), ApiError> {
    if super::super::value::item_size(item) > super::super::value::MAX_ITEM_BYTES {
        return Err(ApiError::validation("Item size has exceeded the maximum allowed size"));
    }
    Ok(())
}
