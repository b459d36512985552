//! What must be undone, and the key policy to put back.

use super::change::{Change, Changes};
use crate::lab::model::exchange::Exchange;
use crate::lab::model::operation::Operation;

/// What must be undone, and the key policy to put back. Experiments and drills share one: a lab has one key.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Ledger {
    pub(in crate::lab) changes: Changes,
    /// The key policy as the lab left it.
    pub(in crate::lab) policy: Option<String>,
}

impl Ledger {
    /// Whether everything is as the lab left it.
    pub fn is_empty(&self) -> bool {
        self.changes.all().is_empty()
    }

    /// Notes what a call changes when it is sent: its response may be lost.
    pub(in crate::lab) fn note(&mut self, operation: &Operation) {
        self.changes.note(operation);
    }

    /// Notes a change that somebody else has made.
    pub(in crate::lab) fn add(&mut self, change: Change) {
        self.changes.add(change);
    }

    /// Learns from a response what is changed and what is undone.
    pub(in crate::lab) fn learn(&mut self, exchange: &Exchange, undoing: bool) {
        self.changes.learn(exchange, undoing);
    }
}
