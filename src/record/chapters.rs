//! The chapters of a recording: each stage when it is first shown, and each verdict when it first stands there.

use crate::lab::{Stage, State, Status};

/// Which chapters have begun.
#[derive(Debug, Clone, Default)]
pub struct Chapters {
    shown: [bool; Stage::ALL.len()],
    ended: [bool; Stage::ALL.len()],
}

impl Chapters {
    /// The chapter that begins with the picture of `state`, if one does: `6 view_denied`, `6 DENIED`.
    pub fn begun(&mut self, state: &State) -> Option<String> {
        let stage = state.view.shown;
        let number = stage.number();
        if !std::mem::replace(&mut self.shown[stage.index()], true) {
            return Some(format!("{number} {}", stage.key()));
        }
        let is_new = matches!(state.shown().status, Status::Done(_)) && !self.ended[stage.index()];
        is_new.then(|| {
            self.ended[stage.index()] = true;
            format!("{number} {}", word(state, stage))
        })
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
