//! The calls of a pane, and which of them it shows.

use super::bench;
use super::exchange::{CallId, Exchange, Verdict};
use super::kernel::run::{Pending, Status};
use super::operation::{Identity, Operation};
use super::state::State;

/// A call of a pane.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Call<'a> {
    /// Answered.
    Answered(&'a Exchange),
    /// Under way.
    Waiting(&'a Pending),
    /// To be looked at before it is sent.
    Held(&'a Operation),
}

impl<'a> Call<'a> {
    /// Its id; none before it is sent.
    fn id(&self) -> Option<CallId> {
        match self {
            Call::Answered(exchange) => Some(exchange.id),
            Call::Waiting(pending) => Some(pending.id),
            Call::Held(_) => None,
        }
    }

    /// What is called, as it is shown.
    pub fn operation(&self) -> &'a Operation {
        match self {
            Call::Answered(exchange) => &exchange.operation,
            Call::Waiting(pending) => &pending.operation,
            Call::Held(operation) => operation,
        }
    }
}

impl State {
    /// The calls of `identity` in the shown stage: answered ones first.
    pub fn calls(&self, identity: Identity) -> Vec<Call<'_>> {
        let record = self.shown();
        let answered = self.answered().filter(|e| e.identity == identity).map(Call::Answered);
        // Beside recorded answers a call that is under way has no place.
        let pending = if self.is_replay() { &[][..] } else { &record.pending[..] };
        let waiting = pending.iter().filter(|p| p.identity == identity).map(Call::Waiting);
        let held = self.held().filter(|(signer, _)| *signer == identity).map(|(_, operation)| Call::Held(operation));
        answered.chain(waiting).chain(held).collect()
    }

    /// Which of [`State::calls`] the pane of `identity` shows: what was selected; else, while the stage runs, the
    /// newest; else the one the stage is about.
    pub fn selected(&self, identity: Identity) -> Option<usize> {
        let calls = self.calls(identity);
        let last = calls.len().checked_sub(1)?;
        if let Some(selected) = self.view.selected(identity) {
            return Some(selected.min(last));
        }
        let is_managed = self.backend.has_managed_policy();
        let is_highlight = |name: &str| match self.view.bench {
            Some(which) => name == bench::script::highlight(which, identity, is_managed),
            None => self.view.shown.highlights(identity, name),
        };
        let is_it = |call: &Call<'_>| {
            matches!(call, Call::Answered(e) if is_highlight(e.operation.name())) && !self.is_undo(call)
        };
        let failed =
            calls.iter().rposition(|call| matches!(call, Call::Answered(e) if matches!(e.verdict, Verdict::Failed(_))));
        match self.shown().status {
            Status::Done(ref outcome) if !outcome.met && failed.is_some() && !self.is_replay() => failed,
            _ if self.is_replay() => Some(calls.iter().rposition(is_it).unwrap_or(last)),
            Status::Done(_) => {
                let made = || calls.iter().rposition(|call| !self.is_undo(call));
                calls.iter().rposition(is_it).or_else(made).or(Some(last))
            }
            _ => Some(last),
        }
    }

    /// Whether a call only takes back what an experiment has changed.
    pub fn is_undo(&self, call: &Call<'_>) -> bool {
        self.view.bench.zip(call.id()).is_some_and(|(which, id)| self.bench.undoes(which, id))
    }

    /// Whether a call was the first after five minutes without one.
    pub fn is_later(&self, call: &Call<'_>) -> bool {
        self.view.bench.zip(call.id()).is_some_and(|(which, id)| self.bench.is_later(which, id))
    }

    /// The call that the pane of `identity` shows.
    pub fn selected_call(&self, identity: Identity) -> Option<Call<'_>> {
        self.calls(identity).get(self.selected(identity)?).copied()
    }

    /// Selects the call `step` rows further in the focused pane.
    pub(super) fn select(&mut self, step: isize) {
        let identity = self.view.focus();
        let count = self.calls(identity).len();
        if let Some(selected) = self.selected(identity) {
            self.view.select(identity, selected.saturating_add_signed(step).min(count.saturating_sub(1)));
        }
    }
}
