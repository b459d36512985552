//! What a person replies to a question.

use serde::{Deserialize, Serialize};

/// A person's reply to a question.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Choice {
    /// This answer, by its index in the lesson file.
    Answer(usize),
    /// None.
    Skipped,
}
