//! What the conditional writes share: the condition, and the error if it does not hold.

use serde_json::Map;

use super::super::expression::condition::Condition;
use super::super::expression::placeholders::Placeholders;
use super::super::members::Expressions;
use super::super::value::{Item, MAX_ITEM_BYTES, item_size, item_to_json};
use crate::sandbox::error::Fault;
use crate::sandbox::validate::{Later, Members};

/// A write's `ConditionExpression`.
#[derive(Debug)]
pub struct Conditional {
    condition: Option<Condition>,
    return_old: bool,
}

/// Whether `ReturnValuesOnConditionCheckFailure` asks for the old item.
pub fn parse_on_failure(members: &Members<'_>) -> Later<bool> {
    Ok(members.choice("ReturnValuesOnConditionCheckFailure", &["ALL_OLD", "NONE"])? == Some("ALL_OLD"))
}

/// Whether `ReturnValues` of a put or delete asks for the old item.
pub fn parse_return_old(members: &Members<'_>) -> Later<bool> {
    Ok(members.choice("ReturnValues", &["ALL_OLD", "NONE"])? == Some("ALL_OLD"))
}

impl Conditional {
    /// Parses the condition.
    ///
    /// # Errors
    /// `ValidationException`, `SerializationException`.
    pub fn new(
        expressions: &Expressions,
        placeholders: &mut Placeholders,
        return_old: Later<bool>,
    ) -> Result<Self, Fault> {
        let condition = expressions.condition("ConditionExpression", placeholders)?;
        Ok(Self { condition, return_old: return_old? })
    }

    /// Checks the condition against the item as it is; one that doesn't exist has no attributes.
    ///
    /// # Errors
    /// `ConditionalCheckFailedException`
    pub fn check(&self, old: Option<&Item>) -> Result<(), Fault> {
        let nothing = Item::new();
        if self.condition.as_ref().is_none_or(|condition| condition.holds(old.unwrap_or(&nothing))) {
            return Ok(());
        }
        let returned = old.filter(|_| self.return_old);
        Err(Fault::Service {
            status: 400,
            code: "ConditionalCheckFailedException",
            message: Some("The conditional request failed".to_owned()),
            extra: returned.map(|old| Box::new(Map::from_iter([("Item".to_owned(), item_to_json(old))]))),
        })
    }
}

/// Checks that an item is not too large.
///
/// # Errors
/// `ValidationException`
pub fn check_size(item: &Item) -> Result<(), Fault> {
    if item_size(item) > MAX_ITEM_BYTES {
        return Err(Fault::invalid("Item size has exceeded the maximum allowed size"));
    }
    Ok(())
}
