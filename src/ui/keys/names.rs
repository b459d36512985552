//! Names of keys, for help and for texts that mention one.

use crossterm::event::KeyEvent;

use crate::lab::Keymap;

use super::chord::Chord;
use super::row::{Binding, Group, Row};
use super::table::KEYS;

fn called(name: &str) -> impl Iterator<Item = &'static Binding> {
    KEYS.iter().flat_map(|row| row.bindings).filter(move |binding| binding.name == name)
}

/// Whether `event` is a key of the action `name`.
pub fn is(name: &str, event: KeyEvent, keymap: &Keymap) -> bool {
    Chord::of(event).is_some_and(|pressed| called(name).any(|binding| binding.has(pressed, keymap)))
}

/// All keys of the action `name`, each once.
pub fn all(name: &str, keymap: &Keymap) -> Vec<String> {
    each_once(called(name), keymap)
}

fn each_once<'a>(bindings: impl Iterator<Item = &'a Binding>, keymap: &Keymap) -> Vec<String> {
    let mut keys = Vec::new();
    for key in bindings.flat_map(|binding| binding.keys(keymap)) {
        if !keys.contains(&key) {
            keys.push(key);
        }
    }
    keys
}

/// The first key of the action `name`, for a text that mentions it.
pub fn first(name: &str, keymap: &Keymap) -> String {
    called(name).next().and_then(|binding| binding.keys(keymap).into_iter().next()).unwrap_or_default()
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

fn explained() -> impl Iterator<Item = &'static Row> {
    KEYS.iter().filter(|row| !row.help.is_empty())
}

fn explain(row: &Row, keymap: &Keymap) -> (String, &'static str) {
    (each_once(row.bindings.iter(), keymap).join(" "), row.help)
}

/// The help: all keys of a row, and its sentence.
pub fn help(keymap: &Keymap) -> impl Iterator<Item = (String, &'static str)> {
    explained().map(|row| explain(row, keymap))
}

/// The help under its headings.
pub fn grouped(keymap: &Keymap) -> [(&'static str, Vec<(String, &'static str)>); 4] {
    let headings = [("learn", Group::Learn), ("look", Group::Look), ("teach", Group::Teach), ("go", Group::Go)];
    headings.map(|(heading, group)| {
        let rows = explained().filter(|row| row.group == group);
        (heading, rows.map(|row| explain(row, keymap)).collect())
    })
}
