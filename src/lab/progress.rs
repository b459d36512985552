//! How far a session is, and whether it may go back.

use super::exchange::{Exchange, is_credential_error};
use super::kernel::run::Status;
use super::model::outcome::Check;
use super::operation::Operation;
use super::stage::Stage;
use super::state::State;

impl State {
    /// The last stage that can be shown: the current one or, when that has ended, the one after it.
    pub fn reachable(&self) -> Stage {
        self.kernel.reachable()
    }

    /// The stage after the shown one, if it can be shown.
    pub fn next_shown(&self) -> Option<Stage> {
        self.view.shown.next().filter(|next| *next <= self.reachable())
    }

    /// Whether all stages have ended.
    pub fn is_finished(&self) -> bool {
        Stage::ALL.iter().all(|stage| matches!(self.record(*stage).status, Status::Done(_)))
    }

    /// How many stages have met their expectation.
    pub fn met(&self) -> usize {
        Stage::ALL.iter().filter(|stage| self.check(**stage).is_some_and(|check| check.met)).count()
    }

    /// How many stages have ended.
    pub fn ended(&self) -> usize {
        Stage::ALL.iter().filter(|stage| self.check(**stage).is_some()).count()
    }

    /// The outcome of a stage that has ended.
    pub fn check(&self, stage: Stage) -> Option<&Check> {
        self.kernel.check(stage)
    }

    /// Whether the shown stage's calls may be sent again now: not once a later stage has sent something, since that
    /// built on them.
    pub fn can_retry(&self) -> bool {
        if self.view.bench.is_some() {
            return matches!(self.shown().status, Status::Done(_)) && !self.kernel.is_interrupted();
        }
        let stage = self.view.shown;
        let record = self.record(stage);
        let later = Stage::ALL.iter().filter(|later| **later > stage).map(|later| self.record(*later));
        let mut later = later.filter(|record| !record.calls.is_empty() || !record.pending.is_empty());
        match &record.status {
            Status::Done(_) if later.next().is_some() => false,
            Status::Done(_) if stage.is_read_only() => true,
            // Where every call succeeded and the outcome is another than expected, there is no call to go on from.
            Status::Done(check) => !check.met && (stage.can_start_over() || record.attempt > 0),
            _ => false,
        }
    }

    /// Where `operation` goes; `None` is AWS itself.
    pub fn endpoint_of(&self, operation: &Operation) -> Option<&str> {
        match self.services.iter().find(|place| place.service == operation.service()) {
            Some(place) => place.endpoint.as_deref(),
            None => self.backend.endpoint.as_deref(),
        }
    }

    /// Whether the backend refused the credentials or could not be reached at all, in the first stage: nothing else
    /// can work.
    pub fn backend_is_unusable(&self) -> Option<&Exchange> {
        let record = self.record(Stage::Who);
        // The stage's other calls only look ahead.
        record.exchanges().filter(|exchange| exchange.operation == Operation::GetCallerIdentity).find(|exchange| {
            match &exchange.answer.response {
                Err(_) => true,
                Ok(response) if response.status < 300 => false,
                // An error without a code is not AWS's: a web server or a proxy has answered.
                Ok(response) => response.status >= 500 || exchange.error_code().is_none_or(is_credential_error),
            }
        })
    }
}
