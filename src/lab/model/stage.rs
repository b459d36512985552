//! The nine stages: their order and names. Their texts are in [`crate::lab::lesson`].
//!
//! A stage's calls and expectation are in [`crate::lab::stages`]; `CONTRIBUTING.md` says how to add one.

use serde::{Deserialize, Serialize};

/// A stage of the lab. The names are part of the contract: JSONL and options use [`Stage::key`].
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")] // as `key`
pub enum Stage {
    /// Who signs the requests?
    #[default]
    Who,
    /// A customer managed key.
    CreateKey,
    /// A table encrypted under that key, with three items.
    CreateTable,
    /// Read it as the admin.
    ViewAdmin,
    /// A user who may use DynamoDB and not the key.
    CreateUser,
    /// The same Scan as both: one is denied.
    ViewDenied,
    /// The key policy names the user.
    Grant,
    /// The same Scan again: both are allowed.
    ViewAgain,
    /// Nothing billable stays.
    CleanUp,
}

impl Stage {
    /// All stages in lesson order.
    pub const ALL: [Stage; 9] = [
        Stage::Who,
        Stage::CreateKey,
        Stage::CreateTable,
        Stage::ViewAdmin,
        Stage::CreateUser,
        Stage::ViewDenied,
        Stage::Grant,
        Stage::ViewAgain,
        Stage::CleanUp,
    ];

    /// The first stage.
    pub const FIRST: Stage = Stage::Who;

    /// Position in the lesson, from 0.
    pub const fn index(self) -> usize {
        self as usize
    }

    /// Position in the lesson, from 1, as people count.
    pub const fn number(self) -> usize {
        self.index() + 1
    }

    /// The stage after this one.
    pub fn next(self) -> Option<Stage> {
        Stage::ALL.get(self.index() + 1).copied()
    }

    /// The stage before this one.
    pub fn previous(self) -> Option<Stage> {
        self.index().checked_sub(1).map(|index| Stage::ALL[index])
    }
}
