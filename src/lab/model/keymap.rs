//! Which keys a person has given to which actions. Only names: `ui::keys` knows the actions, and what a key is.

use std::collections::BTreeMap;
use std::sync::Arc;

/// The keys of those actions that have others than the usual ones, by the names of the actions. Part of what is looked
/// at, since footer and help show it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Keymap(Arc<BTreeMap<String, Vec<String>>>);

impl Keymap {
    /// A map of these actions.
    pub fn new(actions: BTreeMap<String, Vec<String>>) -> Keymap {
        Keymap(Arc::new(actions))
    }

    /// The keys of an action; `None` where it has the usual ones.
    pub fn keys(&self, action: &str) -> Option<&[String]> {
        self.0.get(action).map(Vec::as_slice)
    }

    /// How many actions have other keys.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether all have the usual ones.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The first key of an action, for a text that mentions it; `usual` is what it is for most people.
    pub fn first<'a>(&'a self, action: &str, usual: &'a str) -> &'a str {
        self.keys(action).and_then(<[String]>::first).map_or(usual, String::as_str)
    }
}
