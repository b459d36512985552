//! The drills' texts, `drills.toml`.

use serde::Deserialize;

use super::files::{FALLBACK, Files, Problem, read};
use super::phrases::Phrases;
use crate::lab::model::drill::Drill;

/// The drills' texts in one language.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Drills {
    words: Phrases,
    remarks: Phrases,
    fixes: Phrases,
    drills: Vec<DrillText>,
}

/// What a drill tells.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DrillText {
    id: String,
    /// The complaint, in a colleague's words.
    pub ticket: String,
    /// What the drill teaches.
    pub teaches: String,
    /// The second helps more than the first.
    pub hints: [String; 2],
    /// Ids of its sources.
    pub sources: Vec<String>,
}

impl Drills {
    /// Reads the drills of `language`; English where that language has none.
    ///
    /// # Errors
    /// A file can't be read, or a drill is missing.
    pub(super) fn parse(files: &Files, path: String) -> Result<Drills, Problem> {
        let mut drills: Drills = match files.get(&path) {
            Some(_) => read(files, path.clone(), None)?.1,
            // Lesson files of one's own may be older than the drills.
            None => read(&Files::embedded(), format!("{FALLBACK}/drills.toml"), None)?.1,
        };
        if let Some(message) = drills.problems().into_iter().next() {
            return Err(Problem { file: path, line: 0, stage: None, message });
        }
        drills.drills.sort_by_key(|text| Drill::of(&text.id).map(Drill::index));
        Ok(drills)
    }

    /// What is wrong with the ids.
    pub(super) fn problems(&self) -> Vec<String> {
        let is_told = |drill: &&Drill| self.drills.iter().filter(|text| text.id == drill.id()).count() == 1;
        let missing = Drill::ALL.iter().filter(|drill| !is_told(drill));
        let missing = missing.map(|drill| format!("the drill {} is missing, or is there twice", drill.id()));
        let unknown = self.drills.iter().filter(|text| Drill::of(&text.id).is_none());
        missing.chain(unknown.map(|text| format!("there is no drill {}", text.id))).collect()
    }

    /// The ids of words, remarks and fixes.
    pub fn ids(&self) -> [Vec<&str>; 3] {
        [&self.words, &self.remarks, &self.fixes].map(Phrases::ids)
    }

    /// The text of a drill.
    pub fn text(&self, drill: Drill) -> Option<&DrillText> {
        self.drills.get(drill.index())
    }

    /// The word with this id; empty where it is missing.
    pub fn word(&self, id: &str) -> &str {
        self.words.word(id)
    }

    /// The same with `values` in place of each `{}`.
    pub fn fill(&self, id: &str, values: &[&dyn std::fmt::Display]) -> String {
        self.words.fill(id, values)
    }

    /// The remark with this id.
    pub fn remark(&self, id: &str) -> &str {
        self.remarks.word(id)
    }

    /// The fix with this id.
    pub fn fix(&self, id: &str) -> &str {
        self.fixes.word(id)
    }
}
