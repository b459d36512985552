//! Pseudonyms for everything that this process writes besides what the lab shows: the debug log and messages.
//!
//! They are the lab's own where it has some, so that one thing has one name everywhere.

use std::cell::Cell;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::lab::mask::{self, Masker};

/// Masks what is written, if wanted.
static MASKER: Mutex<Option<Masker>> = Mutex::new(None);

thread_local! {
    static IS_MASKING: Cell<bool> = const { Cell::new(false) };
}

/// Marks that this thread uses the masker. If it panics there, the panic's own line must not wait for a lock that its
/// thread holds: it is left out.
pub(super) struct Masking;

impl Masking {
    pub(super) fn begin() -> Option<Masking> {
        (!IS_MASKING.replace(true)).then(|| Masking)
    }

    /// The text as it is written: masked where that is wanted.
    pub(super) fn written(&self, text: &str) -> String {
        mask::written(&mut masker(), text)
    }
}

impl Drop for Masking {
    fn drop(&mut self) {
        IS_MASKING.set(false);
    }
}

fn masker() -> MutexGuard<'static, Option<Masker>> {
    MASKER.lock().unwrap_or_else(PoisonError::into_inner)
}

fn with(change: impl FnOnce(&mut Masker)) {
    let Some(_masking) = Masking::begin() else { return };
    if let Some(masker) = &mut *masker() {
        change(masker);
    }
}

/// Masks everything from now on.
pub fn begin() {
    let Some(_masking) = Masking::begin() else { return };
    masker().get_or_insert_with(Masker::aside);
}

/// Masks the names of the run `run` from now on, if anything is masked.
pub fn add_run(run: &str) {
    with(|masker| masker.add_run(run));
}

/// Masks these names from now on, if anything is masked.
pub fn add_names<'a>(names: impl IntoIterator<Item = &'a str>) {
    with(|masker| names.into_iter().for_each(|name| masker.add_name(name)));
}

/// Takes over the pseudonyms of a lab, `None` where it is not masked.
pub fn learn(lab: Option<&Masker>) {
    with(|masker| lab.into_iter().for_each(|lab| masker.learn(lab)));
}

/// The text as it is written: masked where that is wanted.
pub fn written(text: &str) -> String {
    Masking::begin().map_or_else(String::new, |masking| masking.written(text))
}
