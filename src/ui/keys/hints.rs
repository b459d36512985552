//! The keys that are allowed now, for the footer, the dialogs and the key cast.

use crossterm::event::KeyEvent;
use ratatui::layout::Rect;

use crate::lab::{Mode, Modes, Permit, Reason, State, Status, ViewMode};
use crate::ui::size::Class;

use super::chord::Chord;
use super::fit::Fit;
use super::labels::explains_elsewhere;
use super::names;
use super::row::{Binding, KeyHint, NEVER, Row};
use super::table::KEYS;

/// The rows of the footer under a question. The help has the others.
const FOR_QUESTION: [&str; 9] = ["advance", "answer_1", "hint", "shell", "bench", "undo", "help", "back", "quit"];

/// The keys that work now.
pub fn hints(state: &State, area: Rect) -> Vec<KeyHint> {
    hints_of(state, area, |_| true)
}

/// Those of the rows whose first binding `shows` takes.
fn hints_of(state: &State, area: Rect, shows: impl Fn(&str) -> bool) -> Vec<KeyHint> {
    let fit = Fit::new(state, area);
    let unread = state.has_unread_denial();
    let hint = |row: &Row| {
        let working = || row.bindings.iter().filter(|binding| fit.works(binding) == Permit::Yes);
        // In the editor letters type.
        let counts = |name: &String| state.mode() != Mode::Writing || name.chars().count() > 1;
        let first = |binding: &Binding| binding.keys(fit.keymap).into_iter().find(counts);
        let keys: Vec<String> = working().filter_map(first).collect();
        // A claim's letters are others.
        let has_letters = working().any(|binding| binding.name == "answer_1");
        let label = state.interface().word(row.label.text(state, area)).to_owned();
        let name = name_of(row);
        let keys = match (name, keys.is_empty()) {
            (_, true) => return None,
            // The way back is in the help.
            ("next_blank", _) => keys.into_iter().next()?,
            ("answer_1", _) if has_letters => names::answers(fit.keymap, keys.len()),
            _ => keys.join("/"),
        };
        let is_next = unread && name == "why";
        Some(KeyHint { keys, label, rank: rank(row, state, area), is_next })
    };
    let rows = KEYS.iter().filter(|row| row.rank != NEVER && shows(name_of(row)));
    let mut hints: Vec<KeyHint> = rows.filter_map(hint).collect();
    // What is to be read comes first.
    hints.sort_by_key(|hint| !hint.is_next);
    hints
}

fn name_of(row: &Row) -> &'static str {
    row.bindings.first().map_or("", |binding| binding.name)
}

/// Whether the footer of a stage that has ended shows a row: what leads on, and out of what is unusual. The help has
/// the others.
fn leads_on(name: &str, state: &State, area: Rect) -> bool {
    let status = &state.shown().status;
    let is_met = matches!(status, Status::Done(check) if check.met);
    let is_alone = Class::of(area) == Class::Single || state.view().zoom && Class::of(area) == Class::Full;
    match name {
        "why" | "help" | "quit" | "back" | "undo" | "replay" | "billboard" => {
            name != "billboard" || state.view().billboard
        }
        // The choices under the last Scan name them.
        "advance" | "bench" | "drills" => !(is_met && area.height >= 24 && state.offers_choices()),
        "retry" => !is_met,
        "view" => state.view().mode != ViewMode::default(),
        "lesson" => explains_elsewhere(state, area),
        "other_pane" => is_alone,
        _ => false,
    }
}

/// How soon the footer drops a row now.
fn rank(row: &Row, state: &State, area: Rect) -> u8 {
    let name = name_of(row);
    let is_alone = Class::of(area) == Class::Single || state.view().zoom && Class::of(area) == Class::Full;
    let is_experiment = state.view().experiment.is_some() && state.view().overlay.is_none();
    let status = &state.shown().status;
    match name {
        "billboard" if state.view().billboard => 1,
        // Letters type there, so the way out must be named.
        "back" if state.mode() == Mode::Writing => 1,
        // Esc leads out; nobody can guess how a name is inserted.
        "quit" if state.mode() == Mode::Writing => 3,
        // Anyone who sees HTTP, or one pane of two, must find back.
        "view" if state.view().mode != ViewMode::default() => 2,
        "lesson" if explains_elsewhere(state, area) => 2,
        "other_pane" if is_alone && *status != Status::Todo => 3,
        "retry" if matches!(status, Status::Done(check) if !check.met) => 2,
        // An experiment is about which call changed what; esc leads out of it, too.
        "previous_call" if is_experiment => 3,
        "bench" if is_experiment => 6,
        // The fourth way: what is written there says nothing of it.
        "shell" if state.mode() == Mode::Choosing => 4,
        // Few responses need a search.
        "search" if Modes::PANES.has(state.mode()) => 13,
        _ => row.rank,
    }
}

/// As many of the keys that work now as fit into `columns`, the least important dropped first.
pub fn footer(state: &State, area: Rect, columns: usize, columns_of: impl Fn(&KeyHint) -> usize) -> Vec<KeyHint> {
    let is_plain = state.view().overlay.is_none() && state.view().experiment.is_none();
    let shows = |name: &str| match state.mode() {
        Mode::Todo if is_plain => FOR_QUESTION.contains(&name) || (name == "billboard" && state.view().billboard),
        Mode::Done if is_plain => leads_on(name, state, area),
        // After an attempt the help has it.
        Mode::Tried => name != "shell",
        _ => true,
    };
    let mut hints = hints_of(state, area, shows);
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
    Some(KeyHint { keys: Chord::of(event)?.name(), label, rank: row.rank, is_next: false })
}
