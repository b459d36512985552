//! Pseudonyms for what is shown. The kernel has everything as it arrived.

mod escapes;
pub mod masker;

use std::sync::Arc;

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use self::masker::Masker;
use crate::lab::model::batch::Batch;
use crate::lab::model::draft::{Draft, Edit};
use crate::lab::model::exchange::Exchange;
use crate::lab::model::facts::{Facts, Names};
use crate::lab::model::inspection::{AtRest, Known};
use crate::lab::model::masked::Masked;
use crate::lab::model::outcome::{Check, Outcome};

/// The masked side of a session; empty where nothing is masked.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Masking {
    on: Option<Pseudonyms>,
}

#[derive(Debug, Clone, PartialEq)]
struct Pseudonyms {
    masker: Masker,
    names: Names,
    facts: Facts,
    /// A person's newest edit, as it is shown.
    edit: Option<Edit>,
}

impl Masking {
    /// Masks everything of the run with these names from here on.
    pub(in crate::lab) fn begin(names: &Names, is_sandbox: bool) -> Masking {
        let mut masker = Masker::new(&names.run).of_sandbox(is_sandbox);
        let names = Names::new(&masker.text(&names.run));
        Masking { on: Some(Pseudonyms { masker, names, facts: Facts::default(), edit: None }) }
    }

    pub(in crate::lab) fn is_on(&self) -> bool {
        self.on.is_some()
    }

    /// The names as they are shown.
    pub(in crate::lab) fn names<'a>(&'a self, raw: &'a Names) -> &'a Names {
        self.on.as_ref().map_or(raw, |on| &on.names)
    }

    /// The facts as they are shown.
    pub(in crate::lab) fn facts<'a>(&'a self, raw: &'a Facts) -> &'a Facts {
        self.on.as_ref().map_or(raw, |on| &on.facts)
    }

    pub(in crate::lab) fn masker(&self) -> Option<Masker> {
        self.on.as_ref().map(|on| on.masker.clone())
    }

    /// Masks all facts at once, whenever they have changed: they are learned once, as they arrived.
    pub(in crate::lab) fn facts_changed(&mut self, raw: &Facts) {
        let Some(on) = &mut self.on else { return };
        let masked = serde_json::to_value(raw).map(|mut facts| {
            on.masker.value(&mut facts);
            facts
        });
        // Both ways always work: these are plain data.
        let facts: Facts = masked.and_then(serde_json::from_value).unwrap_or_default();
        // Names of members are not masked with the values.
        let roles = facts.roles.into_iter().map(|(name, arn)| (on.masker.text(&name), arn)).collect();
        on.facts = Facts { roles, ..facts };
    }

    /// Masks the run's names again, after the person has chosen some.
    pub(in crate::lab) fn names_changed(&mut self, raw: &Names) {
        let Some(on) = &mut self.on else { return };
        let shown = Names::new(&on.names.run);
        let own = Names::new(&raw.run);
        let mut mask = |raw: &str, own: String, shown: String| if raw == own { shown } else { on.masker.named(raw) };
        on.names = Names {
            alias: mask(&raw.alias, own.alias, shown.alias),
            table: mask(&raw.table, own.table, shown.table),
            user: mask(&raw.user, own.user, shown.user),
            ..on.names.clone()
        };
    }

    /// Masks names of the run `run`, too.
    pub(in crate::lab) fn add_run(&mut self, run: &str) {
        if let Some(on) = &mut self.on {
            on.masker.add_run(run);
        }
    }

    pub(in crate::lab) fn text(&mut self, text: String) -> String {
        match &mut self.on {
            Some(on) => on.masker.text(&text),
            None => text,
        }
    }

    /// A text that was written from what is shown, with the real names.
    pub(in crate::lab) fn unmasked(&self, text: &str) -> String {
        self.on.as_ref().map_or_else(|| text.to_owned(), |on| on.masker.original(text))
    }

    /// An edit as it is shown: what a person types or pastes is masked before anything shows or records it.
    pub(in crate::lab) fn edit(&mut self, draft: &Draft, edit: &Edit) -> Edit {
        let Some(on) = &mut self.on else { return edit.clone() };
        let mut raw = draft.with_text(&on.masker.original(draft.text()));
        raw.apply(edit);
        let raw = raw.with_text(&on.masker.original(raw.text()));
        let edit = draft.edit_to(&on.masker.draft(raw.text(), raw.at()), raw.cursor());
        on.edit = Some(edit.clone());
        edit
    }

    /// The newest edit as it is shown, where it may not be shown as it was made.
    pub(in crate::lab) fn newest_edit(&self) -> Option<&Edit> {
        self.on.as_ref()?.edit.as_ref()
    }

    /// Masks every text in `value`; `None` where that can't be done.
    pub(in crate::lab) fn value<T: Serialize + DeserializeOwned>(&mut self, value: T) -> Option<T> {
        let Some(on) = &mut self.on else { return Some(value) };
        let mut json: Value = serde_json::to_value(&value).ok()?;
        on.masker.value(&mut json);
        serde_json::from_value(json).ok()
    }

    pub(in crate::lab) fn batch(&mut self, batch: Batch) -> Masked<Batch> {
        let mut shown = batch.clone();
        if let Some(on) = &mut self.on {
            shown.calls.iter_mut().for_each(|(_, operation)| *operation = on.masker.operation(operation));
        }
        Masked::new(batch, shown)
    }

    /// The call as it is shown; the same allocation where nothing is masked.
    pub(in crate::lab) fn exchange(&mut self, raw: &Arc<Exchange>) -> Arc<Exchange> {
        self.on.as_mut().map_or_else(|| raw.clone(), |on| Arc::new(on.masker.exchange(raw)))
    }

    /// What a page shows of a finding; `None` where it can't be masked.
    pub(in crate::lab) fn known(&mut self, known: Known) -> Option<Known> {
        Some(match known {
            Known::Decisions { all, unread } => {
                let (all, unread) = self.value((all, unread))?;
                Known::Decisions { all, unread }
            }
            Known::Documents(documents) => Known::Documents(self.value(documents)?),
            Known::Trail(events) => Known::Trail(self.value(events)?),
            // The bytes of items and keys name nobody, and where the file lies is the person's own machine.
            Known::AtRest(at_rest) => {
                let names = (at_rest.table, at_rest.key_arn, at_rest.encryption_context);
                let (table, key_arn, encryption_context) = self.value(names)?;
                Known::AtRest(Box::new(AtRest { table, key_arn, encryption_context, ..*at_rest }))
            }
            Known::NotTold => Known::NotTold,
            Known::Failed(reason) => Known::Failed(self.text(reason)),
        })
    }

    /// An outcome with its shown form.
    pub(in crate::lab) fn outcome(&mut self, check: Check) -> Outcome {
        let observed = self.text(check.observed.clone());
        Masked::new(check.clone(), Check { observed, ..check })
    }
}
