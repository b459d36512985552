//! How a lab ends: what it leaves behind, and its exit status.

use std::sync::Arc;

use time::OffsetDateTime;

use crate::cli::{Exit, tell};
use crate::lab::{Stage, State};
use crate::run::journal::Journal;
use crate::run::{Ended, pseudonyms, signal};

/// Reports what is left and how to remove it; removes the journal if nothing is. Returns whether something is left, or
/// may be.
pub(super) fn settle(state: &State, journal: Option<&Journal>) -> bool {
    if let Some(cost) = state.cost_line_at(OffsetDateTime::now_utc().unix_timestamp()) {
        tell(format_args!("so far: {cost} (1 USD a month until its deletion is scheduled)"));
    }
    let place = state.backend().endpoint.as_deref().unwrap_or("AWS");
    let left = state.leftovers();
    // Of these calls the outcome is not known. A clean-up that is met has looked for what they may have made.
    let looked = state.check(Stage::CleanUp).is_some_and(|check| check.met);
    let uncertain = journal.filter(|_| !looked).map(Journal::uncertain).unwrap_or_default();
    for left in &left {
        tell(format_args!("left behind at {place}: {left}"));
    }
    for call in &uncertain {
        let call = pseudonyms::written(call);
        tell(format_args!("perhaps left behind at {place}: what {call} created; its response doesn't say"));
    }
    let survivors = !left.is_empty() || !uncertain.is_empty();
    match journal {
        Some(_) if survivors => tell("`kmslab cleanup` removes it"),
        Some(journal) => journal.remove(),
        None => {}
    }
    survivors
}

/// Reports what a lab has begun to create if it ends without a state: in a panic, or when the terminal can't be written.
pub struct PanicReport {
    journal: Option<Arc<Journal>>,
    place: String,
}

impl PanicReport {
    /// For a lab that begins with `state`. Dropping it in a panic prints the report.
    pub fn new(state: &State, journal: Option<&Arc<Journal>>) -> PanicReport {
        let place = state.backend().endpoint.clone().unwrap_or_else(|| "AWS".to_owned());
        PanicReport { journal: journal.cloned(), place }
    }

    fn tell(&self) {
        let begun = self.journal.as_ref().map(|journal| journal.begun()).unwrap_or_default();
        for call in &begun {
            let call = pseudonyms::written(call);
            tell(format_args!("perhaps left behind at {}: what {call} created", self.place));
        }
        if !begun.is_empty() {
            tell("`kmslab cleanup` removes it");
        }
    }
}

impl Drop for PanicReport {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.tell();
        }
    }
}

/// Returns the exit status of a lab that has ended with `state`.
pub(super) fn exit_status(state: &State, survivors: bool, ended: Ended) -> Exit {
    match ended {
        _ if survivors => Exit::Survivors,
        Ended::Refused => Exit::Usage,
        Ended::Signal(number) => Exit::Signal(number),
        Ended::InputClosed => Exit::Signal(signal::HANGUP),
        _ if state.backend_is_unusable().is_some() => Exit::Backend,
        _ if state.met() < state.ended() => Exit::NotMet,
        Ended::Finished | Ended::StartOver => Exit::Met,
    }
}
