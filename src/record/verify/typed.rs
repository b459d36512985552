//! What was typed. Key by key, a secret is in no single event.

use std::time::Duration;

use super::patterns::Patterns;
use super::sequences::without_sequences;

/// A character that was typed: which, in which line of the file, and when.
type Key = (char, usize, Option<Duration>);

/// All keys, as they came and as they stand after backspaces.
#[derive(Debug, Default)]
pub(super) struct Typed {
    keys: Vec<Key>,
    edited: Vec<Key>,
}

impl Typed {
    pub fn press(&mut self, data: &str, line: usize, at: Option<Duration>) {
        for c in without_sequences(data).chars() {
            self.keys.push((c, line, at));
            if matches!(c, '\u{7f}' | '\u{8}') {
                self.edited.pop();
            } else {
                self.edited.push((c, line, at));
            }
        }
    }

    /// What is in it: what it is, its text, and where and when it was complete.
    pub fn finds(&self, patterns: &Patterns) -> Vec<(&'static str, String, usize, Option<Duration>)> {
        let mut finds = Vec::new();
        for keys in [&self.keys, &self.edited] {
            let text: String = keys.iter().map(|(c, ..)| *c).collect();
            for (what, place) in patterns.of(&text) {
                let last = text[..place.end].chars().count().saturating_sub(1);
                if let Some((_, line, at)) = keys.get(last) {
                    finds.push((what, text[place].to_owned(), *line, *at));
                }
            }
        }
        finds
    }
}
