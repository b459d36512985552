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
        let is_new = !std::mem::replace(&mut self.shown[index], true);
        let Status::Done(check) = &state.shown().status else { return is_new.then(|| format!("{number} {title}")) };
        // What is first seen with its verdict has one chapter.
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
const ALLOWED: &str = "ALLOWED";

/// The fewest chapters that YouTube shows, and the shortest one.
const FEWEST: usize = 3;
const SHORTEST: Duration = Duration::from_secs(10);

/// Returns chapters to publish, in whole seconds, or none if there are too few: a stage's verdict joins its beginning, a
/// chapter that is too short joins the one before it, and the first one begins with the recording.
pub(super) fn published(list: &[(Duration, String)], title: &str, length: Duration) -> Vec<(Duration, String)> {
    let mut whole: Vec<(Duration, String)> = Vec::new();
    let mut opened = "";
    for (at, label) in list {
        let at = Duration::from_secs(at.as_secs());
        match (label.strip_prefix(opened).filter(|rest| rest.starts_with([':', ' '])), whole.last_mut()) {
            (Some(verdict), Some((_, name))) if !opened.is_empty() => {
                if verdict.ends_with(DENIED) || verdict.ends_with(ALLOWED) {
                    name.push_str(verdict);
                }
            }
            _ => {
                whole.push((at, label.trim_start_matches(|c: char| c.is_ascii_digit()).trim_start().to_owned()));
                opened = label;
            }
        }
    }
    if whole.first().is_none_or(|(at, _)| !at.is_zero()) {
        whole.insert(0, (Duration::ZERO, title.to_owned()));
    }
    let mut kept: Vec<(Duration, String)> = Vec::new();
    for chapter in whole {
        match kept[..] {
            [.., (before, _)] if chapter.0 - before >= SHORTEST => {}
            [] => {}
            // The first one stands for the beginning, however short it is.
            [_] => continue,
            _ => drop(kept.pop()),
        }
        kept.push(chapter);
    }
    if kept.last().is_some_and(|(at, _)| length.saturating_sub(*at) < SHORTEST) {
        kept.pop();
    }
    if kept.len() < FEWEST { Vec::new() } else { kept }
}

/// What a stage came to, in a word: what one has come to see where that is a verdict.
fn word(state: &State, stage: Stage) -> &str {
    let words = state.lesson().words();
    let is_met = state.check(stage).is_some_and(|check| check.met);
    let is_denied = state.record(stage).exchanges().any(|exchange| exchange.verdict.key() == "denied");
    match (is_met, stage) {
        (false, _) => &words.not_met,
        (true, _) if is_denied => DENIED,
        (true, stage) if stage.def().scans != Scans::Nobody => ALLOWED,
        (true, _) => &words.met,
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case::a_verdict_joins_its_stage(
        &[(5, "1 Who is asking?"), (8, "1 Who is asking? MET"), (16, "6 The same Scan"), (20, "6 The same Scan: DENIED"), (40, "8 Again")],
        60,
        &["0:00 lab", "0:16 The same Scan: DENIED", "0:40 Again"]
    )]
    #[case::short_ones_lose_their_mark(
        &[(12, "1 One"), (30, "2 Short"), (35, "3 Three"), (50, "4 Short, too")],
        55,
        &["0:00 lab", "0:12 One", "0:35 Three"]
    )]
    #[case::it_may_begin_with_a_chapter(&[(0, "1 One"), (10, "2 Two"), (20, "3 Three")], 30, &["0:00 One", "0:10 Two", "0:20 Three"])]
    #[case::two_are_too_few(&[(0, "1 One"), (30, "2 Two")], 60, &[])]
    #[case::none_at_all(&[], 60, &[])]
    fn published_chapters_keep_the_rules(#[case] list: &[(u64, &str)], #[case] length: u64, #[case] told: &[&str]) {
        let list: Vec<(Duration, String)> =
            list.iter().map(|(at, label)| (Duration::from_secs(*at), (*label).to_owned())).collect();
        let published = published(&list, "lab", Duration::from_secs(length));
        let published: Vec<String> = published.iter().map(|(at, name)| format!("{} {name}", clock(*at))).collect();
        assert_eq!(published, told);
    }
}
