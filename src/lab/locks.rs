//! The two locks of a read: the table, which DynamoDB checks, and the key, which KMS checks for DynamoDB.
//!
//! Told from the answers alone, so that it costs no call: a denial names its action, and DynamoDB asks KMS only for whom
//! it lets in. That a key let somebody through is told only where it is known to have kept somebody out: a server that
//! never asks KMS allows everybody, too.

use super::model::exchange::{Denied, Exchange, Verdict};
use super::model::operation::Operation;
use super::model::stage::Stage;
use super::session::state::State;

/// What came of one lock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LockState {
    /// It let the call through.
    Open,
    /// It refused.
    Shut,
    /// The call did not come so far.
    NotAsked,
}

/// The locks of a Scan.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Locks {
    /// `dynamodb:Scan` on the table.
    pub table: LockState,
    /// `kms:Decrypt` on the key.
    pub key: LockState,
}

impl Locks {
    fn of_denial(denied: &Denied) -> Option<Locks> {
        match denied.action.as_deref()?.split(':').next()? {
            "dynamodb" => Some(Locks { table: LockState::Shut, key: LockState::NotAsked }),
            "kms" => Some(Locks { table: LockState::Open, key: LockState::Shut }),
            _ => None,
        }
    }
}

/// The locks of a Scan of the shown stage or experiment; `None` where the answers don't tell.
pub fn locks(state: &State, exchange: &Exchange) -> Option<Locks> {
    if !matches!(exchange.operation, Operation::Scan { .. }) {
        return None;
    }
    match &exchange.verdict {
        Verdict::Denied(denied) => Locks::of_denial(denied),
        // An experiment may change the table's key, and DynamoDB may hold the old one in memory: `w` knows.
        Verdict::Allowed if state.view().experiment.is_none() && key_has_refused(state) => {
            Some(Locks { table: LockState::Open, key: LockState::Open })
        }
        Verdict::Allowed | Verdict::Failed(_) => None,
    }
}

/// Whether the same Scan has been refused by the key, in the shown stage or before it.
fn key_has_refused(state: &State) -> bool {
    let earlier = (state.view().shown == Stage::ViewAgain).then(|| state.record(Stage::ViewDenied).exchanges());
    state.answered().chain(earlier.into_iter().flatten()).any(|exchange| match &exchange.verdict {
        Verdict::Denied(denied) => Locks::of_denial(denied).is_some_and(|locks| locks.key == LockState::Shut),
        Verdict::Allowed | Verdict::Failed(_) => false,
    })
}
