//! The chapters of a recording: each stage and experiment when it is first shown, and each verdict when it first stands
//! there.

use crate::lab::{Experiment, Stage, State, Status};

/// Which chapters have begun: the stages', then the experiments'.
#[derive(Debug, Clone, Default)]
pub struct Chapters {
    shown: [bool; STAGES + Experiment::ALL.len()],
    ended: [bool; STAGES + Experiment::ALL.len()],
}

const STAGES: usize = Stage::ALL.len();

impl Chapters {
    /// The chapter that begins with the picture of `state`, if one does: `6 view_denied`, `6 DENIED`.
    pub fn begun(&mut self, state: &State) -> Option<String> {
        let stage = state.view.shown;
        let (index, name, number) = match state.view.bench {
            Some(which) => (STAGES + which.index(), which.id(), format!("bench {}", which.index() + 1)),
            None => (stage.index(), stage.key(), stage.number().to_string()),
        };
        if !std::mem::replace(&mut self.shown[index], true) {
            return Some(format!("{number} {name}"));
        }
        let Status::Done(check) = &state.shown().status else { return None };
        if std::mem::replace(&mut self.ended[index], true) {
            return None;
        }
        let verdict = match state.view.bench {
            Some(_) if check.met => "MET",
            Some(_) => "NOT MET",
            None => word(state, stage),
        };
        Some(format!("{number} {verdict}"))
    }
}

/// What a stage came to, in a word: what one has come to see where that is a verdict.
fn word(state: &State, stage: Stage) -> &'static str {
    let is_met = state.check(stage).is_some_and(|check| check.met);
    let is_denied = state.record(stage).exchanges.iter().any(|exchange| exchange.verdict.key() == "denied");
    match (is_met, stage) {
        (false, _) => "NOT MET",
        (true, _) if is_denied => "DENIED",
        (true, Stage::ViewAdmin | Stage::ViewDenied | Stage::ViewAgain) => "ALLOWED",
        (true, _) => "MET",
    }
}
