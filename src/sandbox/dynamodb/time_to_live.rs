//! A table's time to live, as a setting.

use serde::{Deserialize, Serialize};

use crate::sandbox::error::Fault;

/// Any second change within this time is refused (API reference), in seconds.
const CHANGE_INTERVAL: f64 = 3600.0;

/// A table's time to live, once it has been changed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TimeToLive {
    /// The attribute that holds an item's time, in epoch seconds.
    pub attribute: String,
    /// Whether items are deleted.
    pub enabled: bool,
    /// When it was changed (epoch seconds).
    pub changed: f64,
}

impl TimeToLive {
    /// Another setting for a table that has `before`.
    ///
    /// # Errors
    /// `ValidationException`
    pub fn change(before: Option<&Self>, attribute: String, enabled: bool, now: f64) -> Result<Self, Fault> {
        let active = before.filter(|before| before.enabled);
        match (active, enabled) {
            (Some(active), _) if active.attribute != attribute => Err(Fault::invalid(format!(
                "TimeToLive is active on a different AttributeName: current AttributeName is {}",
                active.attribute
            ))),
            (Some(_), true) => Err(Fault::invalid("TimeToLive is already enabled")),
            (None, false) => Err(Fault::invalid("TimeToLive is already disabled")),
            _ if before.is_some_and(|before| now - before.changed < CHANGE_INTERVAL) => {
                Err(Fault::invalid("Time to live has been modified multiple times within a fixed interval"))
            }
            _ => Ok(Self { attribute, enabled, changed: now }),
        }
    }
}
