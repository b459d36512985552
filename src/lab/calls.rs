//! The calls of a pane, and which of them it shows.

use super::kernel::run::Pending;
use super::model::exchange::{CallId, Exchange};
use super::model::operation::Operation;

/// A call of a pane.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Call<'a> {
    /// Answered.
    Answered(&'a Exchange),
    /// Under way.
    Waiting(&'a Pending),
    /// To be looked at before it is sent.
    Held(&'a Operation),
}

impl<'a> Call<'a> {
    /// Its id; none before it is sent.
    pub(in crate::lab) fn id(&self) -> Option<CallId> {
        match self {
            Call::Answered(exchange) => Some(exchange.id),
            Call::Waiting(pending) => Some(pending.id),
            Call::Held(_) => None,
        }
    }

    /// What is called, as it is shown.
    pub fn operation(&self) -> &'a Operation {
        match self {
            Call::Answered(exchange) => &exchange.operation,
            Call::Waiting(pending) => &pending.operation,
            Call::Held(operation) => operation,
        }
    }
}
