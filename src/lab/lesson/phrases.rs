//! Words by their ids.

use std::collections::BTreeMap;

use serde::Deserialize;

/// Words of a language by their ids.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
pub struct Phrases(BTreeMap<String, String>);

impl Phrases {
    /// The word with this id; empty if it is missing.
    pub fn word(&self, id: &str) -> &str {
        self.0.get(id).map_or("", String::as_str)
    }

    /// The same with `values` in place of each `{}`.
    pub fn fill(&self, id: &str, values: &[&dyn std::fmt::Display]) -> String {
        let mut parts = self.word(id).split("{}");
        let first = parts.next().unwrap_or_default().to_owned();
        values.iter().zip(parts).fold(first, |text, (value, part)| format!("{text}{value}{part}"))
    }

    /// The ids.
    pub fn ids(&self) -> Vec<&str> {
        self.0.keys().map(String::as_str).collect()
    }
}
