//! Before PutKeyPolicy is sent: a person sees what it changes, and nobody is locked out of the key.

use crate::lab::model::batch::Batch;
use crate::lab::model::facts::Facts;
use crate::lab::model::lockout::lock_out;
use crate::lab::model::operation::{Identity, Operation};

/// Whether a person looks at a new key policy before it is sent.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Review {
    is_on: bool,
}

/// What becomes of a batch that is ready.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::lab) enum Clearance {
    /// It is sent.
    Send,
    /// It waits for a person's yes.
    Hold,
    /// It is not sent, for this reason.
    Refuse(String),
}

impl Review {
    /// Shows a person what a key policy changes before it is sent.
    pub(in crate::lab) const ON: Review = Review { is_on: true };

    /// Examines a batch: a new key policy is sent only when it locks nobody out and, where a person is there, after a
    /// yes. `unattended` says that the person is on the way somewhere else, or has seen it.
    pub(in crate::lab) fn examine(self, batch: &Batch, facts: &Facts, unattended: bool) -> Clearance {
        let puts = |(_, operation): &(Identity, Operation)| match operation {
            Operation::PutKeyPolicy { policy, .. } => Some(policy.clone()),
            _ => None,
        };
        let Some(policy) = batch.calls.iter().find_map(puts) else { return Clearance::Send };
        let caller = facts.admin.as_ref().zip(facts.key_arn());
        match caller.and_then(|(admin, key)| lock_out(&policy, admin, key)) {
            Some(reason) => Clearance::Refuse(reason),
            None if self.is_on && !unattended => Clearance::Hold,
            None => Clearance::Send,
        }
    }
}
