//! A stage's calls and outcome.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::exchange::{CallId, Exchange};
use super::flow::TimerId;
use super::model::until::Until;
use super::operation::{Identity, Operation};
use super::stages::Observed;

/// Whether a stage's expectation was met, and what was seen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Check {
    /// Whether it was met.
    pub met: bool,
    /// What really came back, in words.
    pub observed: String,
}

impl From<Observed> for Check {
    fn from(observed: Observed) -> Check {
        let met = observed.is_ok();
        Check { met, observed: observed.unwrap_or_else(|unmet| unmet) }
    }
}

/// How far a stage is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Status {
    /// Not begun.
    #[default]
    Todo,
    /// Calls are under way, or a timer runs until the next attempt.
    Running,
    /// Ended.
    Done(Check),
}

/// A call that has been sent and not answered.
#[derive(Debug, Clone, PartialEq)]
pub struct Pending {
    /// Which.
    pub id: CallId,
    /// Who signed it.
    pub identity: Identity,
    /// What was called, as it is shown.
    pub operation: Operation,
    /// 1 for the first try.
    pub attempt: u32,
    /// What was really called.
    pub(super) sent: Operation,
}

/// A stage's calls and outcome.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Record {
    /// How far it is.
    pub status: Status,
    /// Calls that have been answered, in order; of a repeated call only the newest.
    pub exchanges: Vec<Arc<Exchange>>,
    /// The same as they came, where `exchanges` are masked: to decide with.
    pub(super) unmasked: Vec<Arc<Exchange>>,
    /// Calls that have not.
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

    /// This batch is to be sent as if it had not been.
    pub(super) fn resend(&mut self) {
        self.status = Status::Running;
        self.attempt = 0;
        self.waited = 0;
        self.exchanges.truncate(self.batch_start);
        self.unmasked.truncate(self.batch_start);
    }

    /// Takes in an answer, and as what it is shown. Of a repeated call only the newest stays.
    pub(super) fn answered(&mut self, exchange: Arc<Exchange>, shown: Arc<Exchange>) {
        let is_repeated = |e: &Arc<Exchange>| e.identity == exchange.identity && e.operation == exchange.operation;
        match self.unmasked[self.batch_start..].iter().position(is_repeated) {
            Some(older) => {
                self.exchanges[self.batch_start + older] = shown;
                self.unmasked[self.batch_start + older] = exchange;
            }
            None => {
                self.exchanges.push(shown);
                self.unmasked.push(exchange);
            }
        }
    }

    /// This batch's answers: they come in any order; panes, checks and lines have them in the order of sending.
    pub(super) fn in_order_of_sending(&mut self) -> Vec<Arc<Exchange>> {
        self.exchanges[self.batch_start..].sort_by_key(|exchange| exchange.id);
        self.unmasked[self.batch_start..].sort_by_key(|exchange| exchange.id);
        self.exchanges[self.batch_start..].to_vec()
    }
}
