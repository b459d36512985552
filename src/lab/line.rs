//! The line that the second screen is sent.

use serde::{Deserialize, Serialize};

use super::feature::presenting::pace::Timing;
use super::snapshot::PresenterSnapshot;

/// The version of the line's form. It changes when an older `kmslab notes` could not read it.
pub const VERSION: u32 = 1;

/// Why something else that answers can't be followed.
pub const NO_LAB: &str = "What answers there is no kmslab.";

/// One line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Line {
    /// [`VERSION`].
    pub version: u32,
    /// The lab's process.
    pub process: u32,
    /// When it was true, in milliseconds of Unix time: whoever connects later gets the newest line there is.
    pub at: u64,
    /// How the talk stood then.
    pub timing: Timing,
    /// What the lab shows.
    pub lab: PresenterSnapshot,
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
    /// A sentence, where it is none or of another version.
    pub fn parse(text: &str) -> Result<Line, String> {
        match serde_json::from_str::<Version>(text) {
            Ok(Version { version: VERSION }) => {
                serde_json::from_str(text).map_err(|error| format!("What the lab says can't be read: {error}"))
            }
            Ok(Version { version }) => Err(format!(
                "The lab speaks version {version}, this `kmslab notes` version {VERSION}: use the same kmslab for both."
            )),
            Err(_) => Err(NO_LAB.to_owned()),
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
            lab: PresenterSnapshot::of(&state),
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
        assert!(Line::parse(newer).unwrap_err().contains("speaks version 2"));
        assert_eq!(Line::parse("HTTP/1.1 400").unwrap_err(), NO_LAB);
        assert!(Line::parse(r#"{"version":1}"#).unwrap_err().contains("can't be read"));
    }

    #[test]
    fn time_goes_on_after_the_line_and_never_back() {
        let timing = line().timing;
        assert_eq!(line().timing_at(12_999), timing.later(2));
        assert_eq!(line().timing_at(9_000), timing);
    }
}
