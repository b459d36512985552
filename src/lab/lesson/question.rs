//! A question with its answers, as the files have it.

use serde::Deserialize;

/// A question with its answers.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Question {
    /// The question.
    pub text: String,
    /// Two to four; one is right.
    pub answers: Vec<Reply>,
}

impl Question {
    /// The index of the right answer.
    pub fn right(&self) -> Option<usize> {
        self.answers.iter().position(|answer| answer.right)
    }
}

/// One of the answers to choose from.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Reply {
    /// The answer.
    pub text: String,
    /// What follows "Not quite:" on the screen.
    pub feedback: Option<String>,
    /// The same at length, on the lesson's page and in a write-up.
    pub explanation: String,
    /// Whether it is the right one.
    #[serde(default)]
    pub right: bool,
    /// Ids of the explanation's sources.
    #[serde(default)]
    pub sources: Vec<String>,
}
