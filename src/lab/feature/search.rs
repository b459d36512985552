//! Search in a page or a list. What it finds depends on how the text wraps, which only the screen knows; the screen says
//! where to go.

use serde::{Deserialize, Serialize};

/// The most characters of a query.
const LONGEST: usize = 40;

/// What a person does to search.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SearchAction {
    /// Begins a search.
    Open,
    /// Adds this character.
    Type(char),
    /// Erases the last character.
    Erase,
    /// Ends typing.
    Keep,
    /// Ends typing, and goes to a match of a page.
    Go {
        /// Its line, counted from 0.
        line: u16,
        /// The first line that the page shows then.
        scroll: u16,
    },
}

/// A search.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Search {
    query: String,
    from: u16,
    line: Option<u16>,
    is_kept: bool,
}

impl Search {
    /// A search that begins at this line or row.
    pub(in crate::lab) fn new(from: u16) -> Search {
        Search { from, ..Search::default() }
    }

    /// What is searched for.
    pub fn query(&self) -> &str {
        &self.query
    }

    /// The line or row at which it began.
    pub fn from(&self) -> u16 {
        self.from
    }

    /// The line of the match that was gone to.
    pub fn line(&self) -> Option<u16> {
        self.line
    }

    /// Whether characters are added to the query.
    pub fn is_typing(&self) -> bool {
        !self.is_kept
    }

    /// Whether `c` can be added.
    pub(in crate::lab) fn takes(&self, c: char) -> bool {
        !c.is_control() && self.query.chars().count() < LONGEST
    }

    /// Changes the search as a person says.
    pub(in crate::lab) fn apply(&mut self, action: SearchAction) {
        match action {
            SearchAction::Open => {}
            SearchAction::Type(c) => self.query.push(c),
            SearchAction::Erase => drop(self.query.pop()),
            SearchAction::Keep => self.is_kept = true,
            SearchAction::Go { line, .. } => (self.line, self.is_kept) = (Some(line), true),
        }
    }
}
