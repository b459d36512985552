//! Calls that are sent together, and what comes after them.

use super::operation::{Identity, Operation};
use super::until::Until;

/// Calls that are sent at the same time.
#[derive(Debug, Clone, PartialEq)]
pub struct Batch {
    /// Who calls what.
    pub calls: Vec<(Identity, Operation)>,
    /// When the batch is over.
    pub until: Until,
    /// Whether the stage goes on whatever the answers are; otherwise anything but ALLOWED ends it.
    pub tolerant: bool,
}

/// What comes next in a stage.
#[derive(Debug, Clone, PartialEq)]
pub enum Next {
    /// Send this.
    Send(Batch),
    /// Wait until DynamoDB has no table key in memory any more.
    Wait,
    /// The stage has sent everything.
    End,
    /// It can't go on, since an earlier stage did not give what it needs.
    Blocked(String),
}
