//! The keys that are allowed now, for the footer, the dialogs and the key cast.

use crossterm::event::KeyEvent;
use ratatui::layout::Rect;

use crate::lab::{Mode, Permit, Reason, State, Status, ViewMode};
use crate::ui::size::Class;

use super::chord::Chord;
use super::fit::Fit;
use super::names;
use super::row::{KeyHint, NEVER, Row};
use super::table::{KEYS, explains_elsewhere};

/// The rows of the footer under a question. The help has the others.
const FOR_QUESTION: [&str; 9] = ["advance", "answer_1", "hint", "shell", "bench", "undo", "help", "back", "quit"];

/// The keys that work now.
pub fn hints(state: &State, area: Rect) -> Vec<KeyHint> {
    let fit = Fit::new(state, area);
    let hint = |row: &Row| {
        let working = row.bindings.iter().filter(|binding| fit.works(binding) == Permit::Yes);
        let keys: Vec<String> = working.filter_map(|binding| binding.keys(fit.keymap).into_iter().next()).collect();
        let label = state.interface().word(row.label.text(state, area)).to_owned();
        let name = row.bindings.first().map_or("", |binding| binding.name);
        let keys = match (name, keys.is_empty()) {
            (_, true) => return None,
            ("answer_1", _) => names::answers(fit.keymap, keys.len()),
            _ => keys.join("/"),
        };
        let is_for_question = FOR_QUESTION.contains(&name);
        Some(KeyHint { keys, label, is_for_question, rank: rank(row, state, area) })
    };
    KEYS.iter().filter(|row| row.rank != NEVER).filter_map(hint).collect()
}

/// How soon the footer drops a row now.
fn rank(row: &Row, state: &State, area: Rect) -> u8 {
    let name = row.bindings.first().map_or("", |binding| binding.name);
    let is_alone = Class::of(area) == Class::Single || state.view().zoom && Class::of(area) == Class::Full;
    let is_experiment = state.view().experiment.is_some() && state.view().overlay.is_none();
    let status = &state.shown().status;
    match name {
        // Anyone who sees HTTP, or one pane of two, must find back.
        "view" if state.view().mode != ViewMode::default() => 2,
        "lesson" if explains_elsewhere(state, area) => 2,
        "other_pane" if is_alone && *status != Status::Todo => 3,
        "retry" if matches!(status, Status::Done(check) if !check.met) => 2,
        // An experiment is about which call changed what; esc leads out of it, too.
        "previous_call" if is_experiment => 3,
        "bench" if is_experiment => 6,
        _ => row.rank,
    }
}

/// As many of the keys that work now as fit into `columns`, the least important dropped first.
pub fn footer(state: &State, area: Rect, columns: usize, columns_of: impl Fn(&KeyHint) -> usize) -> Vec<KeyHint> {
    let mut hints = hints(state, area);
    if state.mode() == Mode::Todo && state.view().experiment.is_none() {
        hints.retain(|hint| hint.is_for_question);
    }
    while hints.iter().map(&columns_of).sum::<usize>() > columns {
        let Some(least) = hints.iter().enumerate().max_by_key(|(_, hint)| hint.rank).map(|(index, _)| index) else {
            break;
        };
        hints.remove(least);
    }
    hints
}

/// The name of the key that `event` is of, and what it does now; `None` where it does nothing, or where something is
/// typed that others must not see.
pub fn named(event: KeyEvent, fit: &Fit<'_>) -> Option<KeyHint> {
    let state = fit.state;
    let (row, _, permit) = fit.bound(event).filter(|_| !state.is_asking_for_consent())?;
    let label = match permit {
        // What to do first is said for the row's own sake.
        Permit::Because(reason) if reason != Reason::PolicyHeld => "not now",
        _ => row.label.text(state, fit.area),
    };
    let label = state.interface().word(label).to_owned();
    Some(KeyHint { keys: Chord::of(event)?.name(), label, is_for_question: false, rank: row.rank })
}
