//! What is shown of the names and facts: themselves or, masked, what stands for them.

use std::sync::Arc;

use serde_json::Value;

use super::backend::BackendKind;
use super::exchange::Exchange;
use super::facts::{Facts, Names};
use super::mask::Masker;
use super::model::masked::Masked;
use super::model::outcome::{Check, Outcome};
use super::operation::Operation;
use super::state::State;

/// The masked side of a session.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Shown {
    masker: Masker,
    names: Names,
    /// The lab's facts, masked.
    facts: Facts,
}

impl State {
    /// From here on everything that is shown or written is masked; for a state that has sent nothing yet.
    pub fn mask(&mut self) {
        let is_sandbox = self.backend.kind == BackendKind::Sandbox;
        let mut masker = Masker::new(&self.names.run).of_sandbox(is_sandbox);
        let names = Names::new(&masker.text(&self.names.run));
        self.shown = Some(Shown { masker, names, facts: Facts::default() });
    }

    /// Whether everything that is shown is masked.
    pub fn is_masked(&self) -> bool {
        self.shown.is_some()
    }

    /// Whether ids are pseudonyms: masked here, or when the session that is shown again was recorded.
    pub fn has_pseudonyms(&self) -> bool {
        self.is_masked() || self.replays.has_pseudonyms
    }

    /// The facts, for the screen and for lines.
    pub fn shown_facts(&self) -> &Facts {
        self.shown.as_ref().map_or(&self.facts, |shown| &shown.facts)
    }

    /// The names, for the screen and for lines.
    pub fn shown_names(&self) -> &Names {
        self.shown.as_ref().map_or(&self.names, |shown| &shown.names)
    }

    /// What would be left behind if the program ended now, with what is just being created: its answer may be on the
    /// way. The sandbox leaves nothing.
    pub fn leftovers(&self) -> Vec<String> {
        match self.backend.kind {
            BackendKind::Sandbox => Vec::new(),
            BackendKind::Endpoint | BackendKind::Aws => {
                let mut left = self.shown_facts().made.list(self.shown_names());
                left.extend(self.bench_leftovers());
                // Of an experiment's calls that is said already.
                let pending = self.at_work().pending.iter().filter(|_| !self.bench.is_running());
                left.extend(pending.filter_map(|pending| pending.operation.creates()));
                left
            }
        }
    }

    /// Masks texts from elsewhere as what is shown by now is masked; `None` where nothing is.
    pub fn masker(&self) -> Option<Masker> {
        self.shown.as_ref().map(|shown| shown.masker.clone())
    }

    /// Forgets the key policy as it was: it is to be read again.
    pub(super) fn forget_policy(&mut self) {
        self.facts.policy_before = None;
        self.mask_facts();
    }

    pub(super) fn mask_operation(&mut self, operation: &Operation) -> Operation {
        self.shown.as_mut().map_or_else(|| operation.clone(), |shown| shown.masker.operation(operation))
    }

    pub(super) fn mask_value(&mut self, mut value: Value) -> Value {
        if let Some(shown) = &mut self.shown {
            shown.masker.value(&mut value);
        }
        value
    }

    /// A call of an earlier run as it is shown. It tells nothing of this one.
    pub(super) fn mask_recorded(&mut self, exchange: Exchange) -> Exchange {
        self.shown.as_mut().map_or_else(|| exchange.clone(), |shown| shown.masker.exchange(&exchange))
    }

    /// Names of the run `run` are masked, too.
    pub(super) fn mask_run(&mut self, run: &str) {
        if let Some(shown) = &mut self.shown {
            shown.masker.add_run(run);
        }
    }

    /// An outcome with its shown form.
    pub(super) fn mask_check(&mut self, check: Check) -> Outcome {
        let observed = self.mask_text(check.observed.clone());
        Masked::new(check.clone(), Check { observed, ..check })
    }

    /// Masks all facts at once. They are learned once, as they arrived.
    pub(super) fn mask_facts(&mut self) {
        let Some(shown) = &mut self.shown else { return };
        let masked = serde_json::to_value(&self.facts).map(|mut facts| {
            shown.masker.value(&mut facts);
            facts
        });
        // Both ways always work: these are plain data.
        let facts: Facts = masked.and_then(serde_json::from_value).unwrap_or_default();
        // Names of members are not masked with the values.
        let roles = facts.roles.into_iter().map(|(name, arn)| (shown.masker.text(&name), arn)).collect();
        shown.facts = Facts { roles, ..facts };
    }

    pub(super) fn mask_text(&mut self, text: String) -> String {
        match &mut self.shown {
            Some(shown) => shown.masker.text(&text),
            None => text,
        }
    }

    /// The call as it is shown.
    pub(super) fn mask_exchange(&mut self, exchange: &Arc<Exchange>) -> Arc<Exchange> {
        self.shown.as_mut().map_or_else(|| exchange.clone(), |shown| Arc::new(shown.masker.exchange(exchange)))
    }
}
