//! What differs between two key policies in what they say: statements, principals, actions, resources, conditions. The
//! order of statements, members and list elements, and the formatting, say nothing and make no difference.

use serde_json::Value;

pub use super::statement::Statement;
use super::statement::{Entries, Entry, statements, texts};

/// What a person reads for an action; the action itself where none is known.
const IN_WORDS: [(&str, &str); 16] = [
    ("kms:*", "everything"),
    ("kms:encrypt", "encrypt"),
    ("kms:decrypt", "decrypt"),
    ("kms:reencrypt*", "re-encrypt"),
    ("kms:generatedatakey", "generate a data key"),
    ("kms:generatedatakey*", "generate data keys"),
    ("kms:describekey", "describe the key"),
    ("kms:creategrant", "create grants"),
    ("kms:listgrants", "list grants"),
    ("kms:revokegrant", "revoke grants"),
    ("kms:getkeypolicy", "read the key policy"),
    ("kms:putkeypolicy", "replace the key policy"),
    ("kms:enablekey", "enable the key"),
    ("kms:disablekey", "disable the key"),
    ("kms:schedulekeydeletion", "schedule the key's deletion"),
    ("kms:cancelkeydeletion", "cancel the key's deletion"),
];

/// An action in words.
pub fn in_words(action: &str) -> &str {
    let known = IN_WORDS.iter().find(|(name, _)| name.eq_ignore_ascii_case(action));
    known.map_or(action, |(_, words)| words)
}

/// A statement that says something else than before under the same name.
#[derive(Debug, Clone, PartialEq)]
pub struct Changed {
    /// As it was.
    pub before: Statement,
    /// As it is.
    pub after: Statement,
}

/// What has come to a member of a statement, and what has gone from it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MemberChange<'a> {
    /// `Action`
    pub member: &'a str,
    /// Only after.
    pub added: Vec<&'a str>,
    /// Only before.
    pub removed: Vec<&'a str>,
}

impl Changed {
    /// The members that differ.
    pub fn members(&self) -> Vec<MemberChange<'_>> {
        let mut names: Vec<&str> = self.after.members.iter().map(|(name, _)| name.as_str()).collect();
        let before = self.before.members.iter().map(|(name, _)| name.as_str());
        names.extend(before.filter(|name| self.after.entries(name).is_none()));
        names
            .into_iter()
            .filter_map(|member| {
                let (before, after) = (self.before.entries(member), self.after.entries(member));
                let (added, removed) = (only_in(after, before), only_in(before, after));
                let differs = !added.is_empty() || !removed.is_empty();
                differs.then_some(MemberChange { member, added, removed })
            })
            .collect()
    }
}

/// The entries of `this` that `other` has not, as written.
fn only_in<'a>(this: Option<&'a Entries>, other: Option<&Entries>) -> Vec<&'a str> {
    let is_new = |entry: &&Entry| other.is_none_or(|other| !other.has(&entry.compared));
    let this = this.into_iter().flat_map(|entries| &entries.0);
    this.filter(is_new).map(|entry| entry.written.as_str()).collect()
}

/// What differs between two policies.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct PolicyDiff {
    /// Only in the second.
    pub added: Vec<Statement>,
    /// Only in the first.
    pub removed: Vec<Statement>,
    /// In both, under the same Sid, saying something else.
    pub changed: Vec<Changed>,
    /// In both.
    pub kept: Vec<Statement>,
    /// `Version` and `Id`, where they differ: name, before, after.
    pub document: Vec<(String, Option<String>, Option<String>)>,
}

impl PolicyDiff {
    /// Compares two policy documents. What is no JSON has no statements.
    pub fn between(before: &str, after: &str) -> PolicyDiff {
        let parse = |text: &str| serde_json::from_str(text).unwrap_or(Value::Null);
        let (before, after): (Value, Value) = (parse(before), parse(after));
        let (old, new) = (read(&before), read(&after));
        let (kept, mut removed): (Vec<_>, Vec<_>) = old.into_iter().partition(|statement| new.contains(statement));
        let mut diff = PolicyDiff { document: document(&before, &after), ..PolicyDiff::default() };
        for statement in new.into_iter().filter(|statement| !kept.contains(statement)) {
            let same_name = removed.iter().position(|old| old.sid.is_some() && old.sid == statement.sid);
            match same_name.map(|at| removed.remove(at)) {
                Some(before) => diff.changed.push(Changed { before, after: statement }),
                None => diff.added.push(statement),
            }
        }
        PolicyDiff { removed, kept, ..diff }
    }

    /// Whether both say the same.
    pub fn is_empty(&self) -> bool {
        self.added.is_empty() && self.removed.is_empty() && self.changed.is_empty() && self.document.is_empty()
    }

    /// How many statements differ, in words.
    pub fn counts(&self) -> String {
        let of = |count: usize, none: &str| if count == 0 { none.to_owned() } else { count.to_string() };
        let (added, removed) = (of(self.added.len(), "no"), of(self.removed.len(), "none"));
        let statements = if self.added.len() == 1 { "statement" } else { "statements" };
        let mut text = format!("{added} {statements} added, {removed} removed");
        if !self.changed.is_empty() {
            text.push_str(&format!(", {} changed", self.changed.len()));
        }
        text
    }
}

/// The statements of a document; one that stands there twice says no more than one.
fn read(document: &Value) -> Vec<Statement> {
    let mut all: Vec<Statement> = Vec::new();
    for statement in statements(document).into_iter().map(Statement::read) {
        if !all.contains(&statement) {
            all.push(statement);
        }
    }
    all
}

fn document(before: &Value, after: &Value) -> Vec<(String, Option<String>, Option<String>)> {
    let text = |document: &Value, name: &str| document.get(name).map(|value| texts(value).join(", "));
    ["Version", "Id"]
        .into_iter()
        .map(|name| (name.to_owned(), text(before, name), text(after, name)))
        .filter(|(_, before, after)| before != after)
        .collect()
}

#[cfg(test)]
#[path = "../tests/policy_diff.rs"]
mod tests;
