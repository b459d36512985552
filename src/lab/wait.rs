//! How long the lab waits.
//!
//! The lab has no clock. It adds up the pauses that it asked for and the time that the calls took, both of which arrive
//! as data.

use super::model::backend::BackendKind;
pub use super::model::until::{NEW_TAG, Until, is_throttled, is_throttling};

/// How long a wait lasts on AWS, in seconds, unless `--wait` says otherwise.
pub const ON_AWS: u32 = 180;

/// How long it lasts on other servers, which keep one copy of everything.
pub const ELSEWHERE: u32 = 45;

/// What a throttled call waits for.
pub(in crate::lab) const LESS_TRAFFIC: &str = "the service to accept more requests";

/// How long the lab waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::lab) struct Patience {
    pub kind: BackendKind,
    /// Seconds that a person asked for.
    pub seconds: Option<u32>,
}

impl Patience {
    /// The longest wait for `until`, in milliseconds.
    pub fn millis(self, until: Until) -> u64 {
        let usual = match (self.kind, until) {
            (BackendKind::Aws, Until::TagKnown(_)) => NEW_TAG,
            (BackendKind::Aws, _) => ON_AWS,
            (BackendKind::Sandbox | BackendKind::Endpoint, _) => ELSEWHERE,
        };
        u64::from(self.seconds.unwrap_or(usual)) * 1_000
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
