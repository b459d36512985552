//! How far a session is.

use super::exchange::{Exchange, is_credential_error};
use super::stage::Stage;
use super::state::{Check, State, Status};

impl State {
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
        match &self.record(stage).status {
            Status::Done(check) => Some(check),
            _ => None,
        }
    }

    /// Whether the backend refused the credentials or could not be reached at all, in the first stage: nothing else
    /// can work.
    pub fn backend_is_unusable(&self) -> Option<&Exchange> {
        let record = self.record(Stage::Who);
        record.exchanges.iter().map(AsRef::as_ref).find(|exchange| match &exchange.answer.response {
            Err(_) => true,
            Ok(response) if response.status < 300 => false,
            // An error without a code is not AWS's: a web server or a proxy has answered.
            Ok(response) => response.status >= 500 || exchange.error_code().is_none_or(is_credential_error),
        })
    }
}
