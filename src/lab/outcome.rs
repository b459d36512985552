//! A stage's calls and outcome.

use super::exchange::{CallId, Exchange};
use super::flow::TimerId;
use super::model::masked::{Answered, Masked};
pub use super::model::outcome::{Check, Outcome};
use super::model::until::Until;
use super::operation::{Identity, Operation};

/// How far a stage is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Status {
    /// Not begun.
    #[default]
    Todo,
    /// Calls are under way, or a timer runs until the next attempt.
    Running,
    /// Ended.
    Done(Outcome),
}

/// A call that has been sent and not answered.
#[derive(Debug, Clone, PartialEq)]
pub struct Pending {
    /// Which.
    pub id: CallId,
    /// Who signed it.
    pub identity: Identity,
    /// What was called.
    pub operation: Masked<Operation>,
    /// 1 for the first try.
    pub attempt: u32,
}

/// A stage's calls and outcome.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Record {
    /// How far it is.
    pub status: Status,
    /// The outcome that a stage had before its verification began.
    pub(super) before: Option<Outcome>,
    /// Whether the stage ended before it began, since nobody had consented: its outcome is not saved.
    pub(super) is_withheld: bool,
    /// Answered calls, in order; of a repeated call only the newest.
    pub(super) calls: Vec<Answered>,
    /// Calls without a response yet.
    pub pending: Vec<Pending>,
    /// The batch that is under way, or that ended the stage.
    pub(super) batch: usize,
    /// How often this batch has been sent.
    pub(super) attempt: u32,
    /// Milliseconds that went by while it was sent again and again: pauses, and the calls themselves.
    pub(super) waited: u64,
    /// What it waits for while the timer runs.
    pub(super) waits_for: Option<&'static str>,
    /// When this batch is over, and whether any answer will do.
    pub(super) until: Option<(Until, bool)>,
    /// Index in `exchanges` of this batch's first answer.
    pub(super) batch_start: usize,
    /// The timer until the next attempt.
    pub(super) timer: Option<TimerId>,
    /// [`super::State::ticks`] when this batch was sent.
    pub(super) sent_at: u64,
}

impl Record {
    /// The next batch is a new one, whatever became of this one.
    pub(super) fn drop_batch(&mut self) {
        self.timer = None;
        self.attempt = 0;
        self.waited = 0;
    }

    /// This batch is over.
    pub(super) fn end_batch(&mut self) {
        self.batch += 1;
        self.attempt = 0;
        self.waited = 0;
    }

    /// Keeps calls and outcome until there are new ones.
    pub(super) fn verify(&mut self) {
        let old = std::mem::take(self);
        let before = match old.status {
            Status::Done(outcome) => Some(outcome),
            _ => None,
        };
        *self = Record {
            status: Status::Running,
            before,
            batch_start: old.calls.len(),
            calls: old.calls,
            ..Record::default()
        };
    }

    /// This batch is to be sent as if it had not been.
    pub(super) fn resend(&mut self) {
        self.status = Status::Running;
        self.attempt = 0;
        self.waited = 0;
        self.calls.truncate(self.batch_start);
    }

    /// Adds an answered call. Of a repeated call only the newest stays.
    pub(super) fn push(&mut self, call: Answered) {
        let batch = &mut self.calls[self.batch_start..];
        let is_repeated = |older: &&mut Answered| older.raw().is_same_call(call.raw());
        match batch.iter_mut().find(is_repeated) {
            Some(older) => *older = call,
            None => self.calls.push(call),
        }
    }

    /// This batch's answered calls: they come in any order; panes, checks and lines have them in the order of sending.
    pub(super) fn sort_batch(&mut self) -> &[Answered] {
        self.calls[self.batch_start..].sort_by_key(|call| call.id);
        self.batch()
    }

    /// This batch's answered calls.
    pub(super) fn batch(&self) -> &[Answered] {
        &self.calls[self.batch_start.min(self.calls.len())..]
    }

    /// The answered calls as they are shown, in order; of a repeated call only the newest.
    pub fn exchanges(&self) -> impl DoubleEndedIterator<Item = &Exchange> + ExactSizeIterator {
        self.calls.iter().map(|call| &***call)
    }

    /// The answered calls as they arrived.
    pub(super) fn raw(&self) -> Vec<&Exchange> {
        self.calls.iter().map(|call| &**call.raw()).collect()
    }

    /// The outcome that is saved: while a stage is verified, the one before.
    pub(super) fn saved_outcome(&self) -> Option<&Check> {
        match &self.status {
            Status::Done(outcome) => Some(outcome.raw()).filter(|_| !self.is_withheld),
            _ => self.before.as_ref().map(Masked::raw),
        }
    }
}

impl Status {
    /// The outcome, as it is shown.
    pub fn check(&self) -> Option<&Check> {
        match self {
            Status::Done(outcome) => Some(outcome),
            _ => None,
        }
    }

    /// Whether it ended otherwise than expected.
    pub fn is_unmet(&self) -> bool {
        self.check().is_some_and(|check| !check.met)
    }
}
