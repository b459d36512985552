//! The chapters of a recording: one for each stage and experiment when it first appears, and one for each verdict. Their
//! names are in the lesson's language: players show them, and people paste them.

use std::time::Duration;

use crate::lab::presenting::pace::minutes;
use crate::lab::stages::Scans;
use crate::lab::{Experiment, Stage, State, Status};

/// The chapters that have begun: those of stages, then those of experiments.
#[derive(Debug, Clone, Default)]
pub struct Chapters {
    shown: [bool; STAGES + Experiment::ALL.len()],
    ended: [bool; STAGES + Experiment::ALL.len()],
}

const STAGES: usize = Stage::ALL.len();

impl Chapters {
    /// Returns the chapter that begins with the picture of `state`, if any: `6 The same Scan, twice`,
    /// `6 The same Scan, twice: DENIED`.
    pub fn begun(&mut self, state: &State) -> Option<String> {
        let stage = state.view().shown;
        let (index, title, number) = match state.view().experiment {
            Some(which) => {
                let number = format!("bench {}", which.index() + 1);
                (STAGES + which.index(), state.experiment(which).title.as_str(), number)
            }
            None => (stage.index(), state.text(stage).title, stage.number().to_string()),
        };
        if !std::mem::replace(&mut self.shown[index], true) {
            return Some(format!("{number} {title}"));
        }
        let Status::Done(check) = &state.shown().status else { return None };
        if std::mem::replace(&mut self.ended[index], true) {
            return None;
        }
        let words = state.lesson().words();
        let verdict = match state.view().experiment {
            Some(_) if check.met => &words.met,
            Some(_) => &words.not_met,
            None => word(state, stage),
        };
        // A question ends with its own mark.
        let colon = if title.ends_with(|c: char| c.is_ascii_punctuation()) { "" } else { ":" };
        Some(format!("{number} {title}{colon} {verdict}"))
    }
}

/// Formats a time as minutes and seconds: `1:23`.
pub fn clock(at: Duration) -> String {
    minutes(at.as_secs())
}

/// Whether a chapter of this name is a denial: the word is the same in every language.
pub fn is_denial(label: &str) -> bool {
    label.strip_suffix(DENIED).is_some_and(|title| title.ends_with(' '))
}

const DENIED: &str = "DENIED";

/// What a stage came to, in a word: what one has come to see where that is a verdict.
fn word(state: &State, stage: Stage) -> &str {
    let words = state.lesson().words();
    let is_met = state.check(stage).is_some_and(|check| check.met);
    let is_denied = state.record(stage).exchanges().any(|exchange| exchange.verdict.key() == "denied");
    match (is_met, stage) {
        (false, _) => &words.not_met,
        (true, _) if is_denied => DENIED,
        (true, stage) if stage.def().scans != Scans::Nobody => "ALLOWED",
        (true, _) => &words.met,
    }
}
