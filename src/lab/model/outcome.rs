//! Whether a stage or an experiment came out as expected.

use serde::{Deserialize, Serialize};

use super::masked::Masked;

/// Whether an expectation was met, and what was observed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Check {
    /// Whether it was met.
    pub met: bool,
    /// The observation, in words.
    pub observed: String,
}

impl Check {
    /// A check that was not met.
    pub(in crate::lab) fn unmet(observed: impl Into<String>) -> Check {
        Check { met: false, observed: observed.into() }
    }
}

impl From<Result<String, String>> for Check {
    fn from(observed: Result<String, String>) -> Check {
        let met = observed.is_ok();
        Check { met, observed: observed.unwrap_or_else(|unmet| unmet) }
    }
}

/// A check, raw and as it is shown.
pub type Outcome = Masked<Check>;
