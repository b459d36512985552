//! The files of a set, and how one is read.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;

use serde::de::DeserializeOwned;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::embedded;
use crate::lab::model::stage::Stage;

/// The language that every other one falls back to.
pub const FALLBACK: &str = "en";

/// The texts of a set, by path: `en/who.toml`, `sources.toml`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Files(BTreeMap<String, Cow<'static, str>>);

impl Files {
    /// The set in the program.
    pub fn embedded() -> Files {
        Files(embedded::FILES.iter().map(|(path, text)| ((*path).to_owned(), Cow::Borrowed(*text))).collect())
    }

    /// A set of one's own.
    pub fn new(files: impl IntoIterator<Item = (String, String)>) -> Files {
        Files(files.into_iter().map(|(path, text)| (path, Cow::Owned(text))).collect())
    }

    /// This set, with the texts that it lacks from `other`.
    pub fn or(mut self, other: Files) -> Files {
        for (path, text) in other.0 {
            self.0.entry(path).or_insert(text);
        }
        self
    }

    /// The languages of which there is any file.
    pub fn languages(&self) -> Vec<&str> {
        let mut languages: Vec<&str> = self.0.keys().filter_map(|path| Some(path.split_once('/')?.0)).collect();
        languages.dedup();
        languages
    }

    /// Whether there is a file of this language.
    pub fn has_language(&self, language: &str) -> bool {
        self.languages().contains(&language)
    }

    pub(super) fn get(&self, path: &str) -> Option<&str> {
        self.0.get(path).map(AsRef::as_ref)
    }

    pub(super) fn paths(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }
}

/// Something wrong with a lesson file.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub struct Problem {
    /// Its path in the set.
    pub file: String,
    /// Counted from 1; 0 where there is no line to point at.
    pub line: usize,
    /// The stage it is about, by its key, if it is about one.
    pub stage: Option<String>,
    /// What is wrong.
    pub message: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}:{}: ", self.file, self.line)?;
        if let Some(stage) = &self.stage {
            write!(out, "{stage}: ")?;
        }
        out.write_str(&self.message)
    }
}

/// Reads one file of the set: its text, and what it says.
pub(super) fn read<T: DeserializeOwned>(
    files: &Files,
    path: String,
    stage: Option<Stage>,
) -> Result<(&str, T), Problem> {
    let stage = stage.map(|stage| stage.key().to_owned());
    let Some(text) = files.get(&path) else {
        return Err(Problem { file: path, line: 0, stage, message: "there is no such file".to_owned() });
    };
    if let Some((line, c)) = control_character(text) {
        let message = format!("a text has the control character {:#04x}", u32::from(c));
        return Err(Problem { file: path, line, stage, message });
    }
    match toml::from_str(&numbered(text)) {
        Ok(value) => Ok((text, value)),
        Err(error) => {
            let line = error.span().map_or(0, |span| line_of(text, span.start));
            // Where TOML itself is wrong the message has lines of its own.
            let message = error.message().lines().collect::<Vec<_>>().join("; ");
            Err(Problem { file: path, line, stage, message })
        }
    }
}

/// `text` with the number of each stage that it refers to, `{grant}`, by the stage's key.
fn numbered(text: &str) -> Cow<'_, str> {
    Stage::ALL.into_iter().fold(Cow::Borrowed(text), |text, stage| {
        let name = format!("{{{}}}", stage.key());
        if text.contains(&name) { Cow::Owned(text.replace(&name, &stage.number().to_string())) } else { text }
    })
}

/// The line, counted from 1, of the byte at `offset`.
pub(super) fn line_of(text: &str, offset: usize) -> usize {
    text.as_bytes().iter().take(offset).filter(|byte| **byte == b'\n').count() + 1
}

/// A control character in `text`, a TOML file, if a string of it has one that is no line break: what is drawn must not
/// steer the terminal.
fn control_character(text: &str) -> Option<(usize, char)> {
    // TOML has control characters as escapes only, but for the tab. No file of ours has either, and every start reads
    // them: not worth a parser, and a line's number for each text.
    let harmless = |escape: Option<&u8>| matches!(escape, Some(b'\n' | b'\r' | b'"'));
    if !text.contains('\t') && text.match_indices('\\').all(|(at, _)| harmless(text.as_bytes().get(at + 1))) {
        return None;
    }
    let table = DeTable::parse(text).ok()?;
    leaves(text, table.get_ref())
        .into_iter()
        .find_map(|leaf| leaf.text.chars().find(|c| c.is_control() && *c != '\n').map(|c| (leaf.line, c)))
}

/// A text of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Leaf {
    /// Where it stands: `question.answers[1].explanation`.
    pub(super) path: String,
    /// Its line, counted from 1.
    pub(super) line: usize,
    pub(super) text: String,
}

impl Leaf {
    /// The path without its numbers: `question.answers[].explanation`.
    pub(super) fn place(&self) -> String {
        self.path.chars().filter(|c| !c.is_ascii_digit()).collect()
    }
}

/// All texts of a table.
pub(super) fn leaves(text: &str, table: &DeTable<'_>) -> Vec<Leaf> {
    let mut leaves = Vec::new();
    for (key, value) in table {
        gather(text, key.get_ref().to_string(), value, &mut leaves);
    }
    leaves
}

fn gather(text: &str, path: String, value: &Spanned<DeValue<'_>>, into: &mut Vec<Leaf>) {
    match value.get_ref() {
        DeValue::String(string) => {
            into.push(Leaf { path, line: line_of(text, value.span().start), text: string.to_string() });
        }
        DeValue::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                gather(text, format!("{path}[{index}]"), item, into);
            }
        }
        DeValue::Table(table) => {
            for (key, value) in table {
                gather(text, format!("{path}.{}", key.get_ref()), value, into);
            }
        }
        _ => {}
    }
}
