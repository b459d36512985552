//! The calls of a stage or of an experiment, and their outcome.

use super::event::{Retry, RunId, TimerId};
use crate::lab::model::batch::Batch;
use crate::lab::model::exchange::{CallId, Exchange};
use crate::lab::model::masked::{Answered, Masked};
use crate::lab::model::operation::{Identity, Operation};
use crate::lab::model::outcome::{Check, Outcome};
use crate::lab::model::stage::Stage;
use crate::lab::model::until::Until;

/// How far a run is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Status {
    /// Not begun.
    #[default]
    Todo,
    /// Calls are in progress, or a timer runs until the next attempt.
    Running,
    /// Ended.
    Done(Outcome),
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

/// Why a run sends calls.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(in crate::lab) enum Purpose {
    /// To do its work.
    #[default]
    Act,
    /// To see that the work still stands: calls and outcome stay until there are new ones.
    Verify,
    /// To see whether another client has reached the stage's goal.
    Notice,
    /// To undo an experiment: what isn't found is gone, as wanted.
    Undo,
}

/// A call that was sent and has no response yet.
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

/// The calls of a stage or of an experiment, and their outcome.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Run {
    /// How far it is.
    pub status: Status,
    /// Calls without a response yet.
    pub pending: Vec<Pending>,
    /// Answered calls, in order; of a repeated call only the newest.
    pub(in crate::lab) calls: Vec<Answered>,
    pub(in crate::lab) purpose: Purpose,
    /// The outcome that a stage had before its verification began.
    pub(in crate::lab) before: Option<Outcome>,
    /// Whether the stage ended before it began, since nobody had consented: its outcome is not saved.
    pub(in crate::lab) is_withheld: bool,
    /// A batch that waits for a person's yes.
    pub(in crate::lab) held: Option<Masked<Batch>>,
    /// The batch in progress, or the one that ended the run.
    pub(in crate::lab) batch: usize,
    /// How often this batch has been sent.
    pub(in crate::lab) attempt: u32,
    /// Index in `calls` of this batch's first.
    pub(in crate::lab) batch_start: usize,
    /// When the batch is over, and whether any response will do.
    pub(super) until: Option<(Until, bool)>,
    /// Milliseconds that went by while the batch was sent again and again: pauses, and the calls themselves.
    pub(super) waited: u64,
    /// The pause until the next attempt.
    pub(super) retry: Option<Retry>,
    /// What the newest batch has waited for in vain.
    pub(super) gave_up: Option<String>,
    /// The tick at which the batch was sent.
    pub(super) sent_at: u64,
}

impl Run {
    /// The answered calls as they are shown, in order; of a repeated call only the newest.
    pub fn exchanges(&self) -> impl DoubleEndedIterator<Item = &Exchange> + ExactSizeIterator {
        self.calls.iter().map(|call| &***call)
    }

    /// The answered calls as they arrived.
    pub(in crate::lab) fn raw(&self) -> Vec<&Exchange> {
        self.calls.iter().map(|call| &**call.raw()).collect()
    }

    /// The answered calls of the newest batch.
    pub(in crate::lab) fn newest(&self) -> &[Answered] {
        &self.calls[self.batch_start.min(self.calls.len())..]
    }

    /// The outcome that is saved: while a stage is verified, the one before.
    pub(in crate::lab) fn saved_outcome(&self) -> Option<&Check> {
        match &self.status {
            Status::Done(outcome) => Some(outcome.raw()).filter(|_| !self.is_withheld),
            _ => self.before.as_ref().map(Masked::raw),
        }
    }

    /// What is awaited and how long at most, in milliseconds, once the wait has lasted for `millis`.
    pub(in crate::lab) fn long_wait(&self, millis: u64) -> Option<(&'static str, u64)> {
        self.retry.filter(|_| self.waited >= millis).map(|retry| (retry.what, retry.limit))
    }

    /// What the newest batch has waited for in vain, and how long.
    pub(in crate::lab) fn gave_up(&self) -> Option<&str> {
        self.gave_up.as_deref()
    }

    /// The stage that a call counts to, of a run with this id. What an experiment does not find while it undoes is gone,
    /// as in clean-up.
    pub(super) fn counts_to(&self, id: RunId) -> Stage {
        match id {
            RunId::Stage(stage) => stage,
            RunId::Experiment(_) | RunId::Drill if self.purpose == Purpose::Undo => Stage::CleanUp,
            RunId::Experiment(_) | RunId::Drill => Stage::ViewAgain,
            RunId::Attempt if self.purpose == Purpose::Undo => Stage::CleanUp,
            RunId::Attempt => Stage::Grant,
        }
    }

    /// Whether another client has reached the stage's goal, which the lab has checked.
    pub(in crate::lab) fn is_noticed(&self) -> bool {
        self.purpose == Purpose::Notice && matches!(self.status, Status::Done(_))
    }

    /// Sends the batch in progress as if it had not been sent.
    pub(super) fn resend(&mut self) {
        self.status = Status::Running;
        self.purpose = Purpose::Act;
        self.attempt = 0;
        self.waited = 0;
        self.gave_up = None;
        self.calls.truncate(self.batch_start);
    }

    /// Keeps calls and outcome until there are new ones.
    pub(super) fn verify(&mut self) {
        let Run { status, calls, .. } = std::mem::take(self);
        self.before = match status {
            Status::Done(outcome) => Some(outcome),
            _ => None,
        };
        (self.status, self.purpose) = (Status::Running, Purpose::Verify);
        (self.batch_start, self.calls) = (calls.len(), calls);
    }

    /// Begins afresh, to see whether another client has reached the goal.
    pub(super) fn notice(&mut self) {
        *self = Run { status: Status::Running, purpose: Purpose::Notice, ..Run::default() };
    }

    /// The next batch is a new one, whatever became of this one.
    pub(super) fn drop_batch(&mut self) {
        self.retry = None;
        self.attempt = 0;
        self.waited = 0;
    }

    pub(super) fn end_batch(&mut self) {
        self.batch += 1;
        self.attempt = 0;
        self.waited = 0;
    }

    pub(super) fn sent(&mut self, batch: &Batch, ticks: u64) {
        self.sent_at = ticks;
        self.attempt += 1;
        self.until = Some((batch.until, batch.tolerant));
        self.gave_up = None;
        if self.attempt == 1 {
            self.batch_start = self.calls.len();
        }
    }

    pub(super) fn take_pending(&mut self, id: CallId) -> Option<Pending> {
        let at = self.pending.iter().position(|pending| pending.id == id)?;
        Some(self.pending.remove(at))
    }

    /// Adds an answered call. Of a repeated call only the newest stays.
    pub(super) fn push(&mut self, call: Answered) {
        let batch = &mut self.calls[self.batch_start..];
        match batch.iter_mut().find(|older| older.raw().is_same_call(call.raw())) {
            Some(older) => *older = call,
            None => self.calls.push(call),
        }
    }

    /// Calls are answered in any order; panes, checks and lines have them in the order of sending.
    pub(super) fn sort_batch(&mut self) {
        self.calls[self.batch_start..].sort_by_key(|call| call.id);
    }

    /// Of a call that was sent again to verify a stage only the newest stays in view.
    pub(super) fn drop_older(&mut self) {
        let start = self.batch_start.min(self.calls.len());
        let (older, newer) = self.calls.split_at(start);
        let again = newer.iter().filter_map(|new| older.iter().rposition(|old| old.raw().is_same_call(new.raw())));
        let mut again: Vec<usize> = again.collect();
        again.sort_unstable();
        again.dedup();
        for at in again.into_iter().rev() {
            self.calls.remove(at);
            self.batch_start = self.batch_start.saturating_sub(1);
        }
    }

    /// Nothing answered the verification: calls and outcome are as before it.
    pub(super) fn put_back(&mut self) {
        self.calls.truncate(self.batch_start);
        if let Some(before) = self.before.take() {
            self.status = Status::Done(before);
        }
    }

    /// How long the newest batch has been without a response, in ticks.
    pub(super) fn overdue(&self, ticks: u64) -> Option<u64> {
        (!self.pending.is_empty()).then_some(ticks - self.sent_at)
    }

    pub(super) fn timer(&self) -> Option<TimerId> {
        self.retry.map(|retry| retry.timer)
    }
}
