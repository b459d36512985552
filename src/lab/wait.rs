//! How long the lab waits, and what it says meanwhile.
//!
//! The lab has no clock. It adds up the pauses that it asked for and the time that the calls took, both of which come
//! to it as data.

use super::backend::BackendKind;
pub use super::model::until::{NEW_TAG, Until, is_throttled, is_throttling};
use super::state::State;

/// How long a wait lasts on AWS, in seconds, unless `--wait` says otherwise.
pub const ON_AWS: u32 = 180;

/// How long it lasts on other servers, which keep one copy of everything.
pub const ELSEWHERE: u32 = 45;

/// From here on a wait is worth a line where nothing is drawn, in milliseconds.
const NOTABLE: u64 = 3_000;

/// What a throttled call waits for.
pub(in crate::lab) const LESS_TRAFFIC: &str = "the service to accept more requests";

impl State {
    /// The same state, whose waits last this many seconds; `None` is the backend's default.
    #[must_use]
    pub fn with_wait(mut self, seconds: Option<u32>) -> State {
        self.wait = seconds;
        self
    }

    /// How long the lab waits for `until`, in milliseconds.
    pub(in crate::lab) fn patience(&self, until: Until) -> u64 {
        let usual = match (self.backend.kind, until) {
            (BackendKind::Aws, Until::TagKnown(_)) => NEW_TAG,
            (BackendKind::Aws, _) => ON_AWS,
            (BackendKind::Sandbox | BackendKind::Endpoint, _) => ELSEWHERE,
        };
        u64::from(self.wait.unwrap_or(usual)) * 1_000
    }

    /// The wait that is on, once it has lasted for some seconds: what for, and how long at most.
    pub fn long_wait(&self) -> Option<String> {
        let record = self.at_work();
        let (until, _) = record.until.filter(|_| record.timer.is_some() && record.waited >= NOTABLE)?;
        let what = record.waits_for?;
        Some(format!("waiting up to {} for {what}", span(self.patience(until))))
    }
}

/// Milliseconds as a person says them: `12 s`, `3 min`, `2 min 5 s`.
pub(in crate::lab) fn span(millis: u64) -> String {
    match (millis / 60_000, millis / 1_000 % 60) {
        (0, seconds) => format!("{seconds} s"),
        (minutes, 0) => format!("{minutes} min"),
        (minutes, seconds) => format!("{minutes} min {seconds} s"),
    }
}
