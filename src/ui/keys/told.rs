//! What is told of the keys: footer, help, and texts that mention one.

use ratatui::layout::Rect;

use crate::lab::{Keymap, State, Status, ViewMode};

use super::{Context, KEYS, NEVER, Row};
use crate::ui::Class;

/// A part of the footer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hint {
    /// The keys that work, `n/p`.
    pub keys: String,
    /// What they do.
    pub label: String,
    rank: u8,
}

impl Hint {
    /// A key that does something.
    pub(super) fn new(keys: String, label: String, rank: u8) -> Hint {
        Hint { keys, label, rank }
    }
}

/// The keys that work now.
pub fn hints(state: &State, area: Rect) -> Vec<Hint> {
    let context = Context::new(state, area);
    KEYS.iter()
        .filter(|row| row.rank != NEVER)
        .filter_map(|row| {
            let working: Vec<String> = row
                .bindings
                .iter()
                .filter(|binding| context.works(binding))
                .filter_map(|binding| binding.keys(&state.view.keys).into_iter().next())
                .collect();
            let keys = working.join("/");
            let label = state.interface().word((row.label)(context)).to_owned();
            (!keys.is_empty()).then(|| Hint { keys, label, rank: rank(row, context) })
        })
        .collect()
}

/// How soon the footer drops a row now.
fn rank(row: &Row, context: Context<'_>) -> u8 {
    let name = row.bindings.first().map_or("", |binding| binding.name);
    let alone = context.zoomed() || Class::of(context.area) == Class::Single;
    let status = &context.state.shown().status;
    match (name, context.bench()) {
        // Whoever sees HTTP, or one pane of two, must find back.
        ("view", _) if context.state.view.mode != ViewMode::default() => 2,
        ("lesson", _) if context.explains_elsewhere() => 2,
        ("other_pane", _) if alone && *status != Status::Todo => 3,
        ("retry", _) if matches!(status, Status::Done(check) if !check.met) => 2,
        // Which call changed what is what an experiment is about; esc leads out of it, too.
        ("previous_call", Some(_)) => 3,
        ("bench", Some(_)) => 6,
        _ => row.rank,
    }
}

/// As many of the keys that work now as fit into `columns`, the least important dropped first.
pub fn footer(state: &State, area: Rect, columns: usize, columns_of: impl Fn(&Hint) -> usize) -> Vec<Hint> {
    let mut hints = hints(state, area);
    while hints.iter().map(&columns_of).sum::<usize>() > columns {
        let Some(least) = hints.iter().enumerate().max_by_key(|(_, hint)| hint.rank).map(|(index, _)| index) else {
            break;
        };
        hints.remove(least);
    }
    hints
}

/// The help: all keys of a row, and its sentence.
pub fn help(keymap: &Keymap) -> impl Iterator<Item = (String, &'static str)> {
    KEYS.iter().filter(|row| !row.help.is_empty()).map(|row| {
        let mut names: Vec<String> = Vec::new();
        for name in row.bindings.iter().flat_map(|binding| binding.keys(keymap)) {
            if !names.contains(&name) {
                names.push(name);
            }
        }
        (names.join(" "), row.help)
    })
}

/// What a row is for: the headings of the help.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Group {
    /// A stage, its question, and what explains it.
    Learn,
    /// The answers, and how they are shown.
    Look,
    /// In front of a class.
    Teach,
    /// Going somewhere, help and the way out.
    Go,
}

/// The help under its headings.
pub fn grouped(keymap: &Keymap) -> Vec<(&'static str, Vec<(String, &'static str)>)> {
    let told: Vec<_> = KEYS.iter().filter(|row| !row.help.is_empty()).zip(help(keymap)).collect();
    let of = |group| told.iter().filter(move |(row, _)| row.group == group).map(|(_, told)| told.clone()).collect();
    let headings = [("learn", Group::Learn), ("look", Group::Look), ("teach", Group::Teach), ("go", Group::Go)];
    headings.into_iter().map(|(heading, group)| (heading, of(group))).collect()
}

/// All keys of the action `name`, each once.
pub fn all(name: &str, keymap: &Keymap) -> Vec<String> {
    let mut keys = Vec::new();
    for key in KEYS.iter().flat_map(|row| row.bindings).filter(|it| it.name == name).flat_map(|it| it.keys(keymap)) {
        if !keys.contains(&key) {
            keys.push(key);
        }
    }
    keys
}

/// The first key of the action `name`, for a text that mentions it.
pub fn first(name: &str, keymap: &Keymap) -> String {
    let mut named = KEYS.iter().flat_map(|row| row.bindings).filter(|binding| binding.name == name);
    named.next().and_then(|binding| binding.keys(keymap).into_iter().next()).unwrap_or_default()
}

/// The keys that choose one of `count` answers, `a–c`.
pub fn answers(keymap: &Keymap, count: usize) -> String {
    let names = ["answer_1", "answer_2", "answer_3", "answer_4"].map(|name| first(name, keymap));
    let names = names.get(..count).unwrap_or(&names);
    match names {
        [first, .., last] if *names == ["a", "b", "c", "d"][..names.len()] => format!("{first}–{last}"),
        _ => names.join("/"),
    }
}
