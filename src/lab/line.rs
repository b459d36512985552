//! The line that the second screen is sent.

use serde::{Deserialize, Serialize};

use super::feature::presenting::pace::Timing;
use super::remote::KeyAnswer;
use super::snapshot::{Closing, PresenterSnapshot};

/// The version of the line's form. It changes when an older `kmslab notes` could not read it.
pub const VERSION: u32 = 1;

/// Why something else that answers can't be followed.
pub const NO_LAB: &str = "What answers there is no kmslab.";

/// Why a line can't be shown.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LineError {
    /// It is of another program.
    #[error("{NO_LAB}")]
    NoLab,
    /// It is of another version.
    #[error("The lab speaks version {0}, this `kmslab notes` version {VERSION}: use the same kmslab for both.")]
    OtherVersion(u32),
    /// It lacks something.
    #[error("What the lab says can't be read: {0}")]
    Unreadable(String),
}

/// One line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Line {
    /// [`VERSION`].
    pub version: u32,
    /// The lab's process.
    pub process: u32,
    /// When it was true, in milliseconds of Unix time: a client that connects later gets the newest line.
    pub at: u64,
    /// How the talk stood then.
    pub timing: Timing,
    /// What the lab shows.
    pub lab: PresenterSnapshot,
    /// The address of the teacher's page, a secret; `None` without an audience.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub teacher: Option<String>,
    /// What a presenter can end with, once the lab was left in the usual way. No line follows that one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub closed: Option<Closing>,
    /// What became of the newest key that came from the notes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<KeyAnswer>,
}

/// What every version has.
#[derive(Deserialize)]
struct Version {
    version: u32,
}

impl Line {
    /// Reads a line.
    ///
    /// # Errors
    /// If it is no line, or of another version.
    pub fn parse(text: &str) -> Result<Line, LineError> {
        match serde_json::from_str::<Version>(text) {
            Ok(Version { version: VERSION }) => {
                serde_json::from_str(text).map_err(|error| LineError::Unreadable(error.to_string()))
            }
            Ok(Version { version }) => Err(LineError::OtherVersion(version)),
            Err(_) => Err(LineError::NoLab),
        }
    }

    /// How the talk stands at `now`, in milliseconds of Unix time.
    pub fn timing_at(&self, now: u64) -> Timing {
        self.timing.later(now.saturating_sub(self.at) / 1_000)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lab::remote::KeyOutcome;
    use crate::lab::{Backend, BackendKind, Names, State};

    fn line() -> Line {
        let backend =
            Backend { kind: BackendKind::Sandbox, region: "us-east-1".into(), endpoint: None, given_user: false };
        let state = State::new(backend, Names::new("t1"));
        Line {
            version: VERSION,
            process: 7,
            at: 10_000,
            timing: Timing::of(&state),
            teacher: None,
            closed: None,
            lab: PresenterSnapshot::of(&state),
            key: Some(KeyAnswer { number: 7, outcome: KeyOutcome::NotNow }),
        }
    }

    #[test]
    fn a_line_comes_back_as_it_was() {
        let text = serde_json::to_string(&line()).unwrap();
        assert_eq!(Line::parse(&text), Ok(line()));
        assert!(!text.contains('\n'));
    }

    #[test]
    fn another_version_and_another_program_are_told_apart() {
        let newer = r#"{"version":2,"anything":"else"}"#;
        assert_eq!(Line::parse(newer), Err(LineError::OtherVersion(2)));
        assert_eq!(Line::parse("HTTP/1.1 400"), Err(LineError::NoLab));
        assert!(matches!(Line::parse(r#"{"version":1}"#), Err(LineError::Unreadable(_))));
    }

    #[test]
    fn time_goes_on_after_the_line_and_never_back() {
        let timing = line().timing;
        assert_eq!(line().timing_at(12_999), timing.later(2));
        assert_eq!(line().timing_at(9_000), timing);
    }
}
