//! The statements of a policy document, read for comparison.

use serde_json::Value;

use crate::policy::account_of;

/// The members of a statement in the order they are shown.
const ORDER: [&str; 8] =
    ["Effect", "Principal", "NotPrincipal", "Action", "NotAction", "Resource", "NotResource", "Condition"];

/// The statements of a policy document; a single statement may stand without a list.
pub fn statements(policy: &Value) -> Vec<&Value> {
    match policy.get("Statement") {
        Some(Value::Array(statements)) => statements.iter().collect(),
        Some(statement) => vec![statement],
        None => Vec::new(),
    }
}

/// The entries of a member in their order, each once.
#[derive(Debug, Clone, Default)]
pub(super) struct Entries(pub(super) Vec<Entry>);

/// An entry: what is compared, and as it is written.
#[derive(Debug, Clone)]
pub(super) struct Entry {
    pub(super) compared: String,
    pub(super) written: String,
}

impl Entries {
    fn add(&mut self, compared: String, written: String) {
        if !self.has(&compared) {
            self.0.push(Entry { compared, written });
        }
    }

    pub(super) fn has(&self, compared: &str) -> bool {
        self.0.iter().any(|entry| entry.compared == compared)
    }

    fn written(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|entry| entry.written.as_str())
    }
}

impl PartialEq for Entries {
    fn eq(&self, other: &Entries) -> bool {
        self.0.len() == other.0.len() && self.0.iter().all(|entry| other.has(&entry.compared))
    }
}

/// A statement, read for comparison. Two are equal when they have the same name and say the same.
#[derive(Debug, Clone, PartialEq)]
pub struct Statement {
    /// Its name.
    pub sid: Option<String>,
    pub(super) members: Vec<(String, Entries)>,
}

impl Statement {
    /// Reads a statement of a policy document.
    pub fn read(value: &Value) -> Statement {
        let Some(object) = value.as_object() else {
            return Statement { sid: None, members: vec![(String::new(), entries("", value))] };
        };
        let sid = object.get("Sid").and_then(Value::as_str).filter(|sid| !sid.is_empty()).map(str::to_owned);
        let others = object.iter().filter(|(name, _)| *name != "Sid");
        let mut members: Vec<(String, Entries)> =
            others.map(|(name, value)| (name.clone(), entries(name, value))).collect();
        let rank = |name: &str| ORDER.iter().position(|known| *known == name).unwrap_or(ORDER.len());
        members.sort_by(|(a, _), (b, _)| (rank(a), a).cmp(&(rank(b), b)));
        Statement { sid, members }
    }

    /// How it is named: by its Sid, where it has one.
    pub fn name(&self) -> &str {
        self.sid.as_deref().unwrap_or("a statement without Sid")
    }

    /// Its members with their entries as written, in the order they are shown.
    pub fn members(&self) -> impl Iterator<Item = (&str, Vec<&str>)> {
        self.members.iter().map(|(name, entries)| (name.as_str(), entries.written().collect()))
    }

    pub(super) fn entries(&self, member: &str) -> Option<&Entries> {
        self.members.iter().find(|(name, _)| name == member).map(|(_, entries)| entries)
    }
}

/// The entries of a member of a statement.
fn entries(member: &str, value: &Value) -> Entries {
    let mut found = Entries::default();
    match (member, value) {
        ("Principal" | "NotPrincipal", Value::Object(kinds)) => {
            for (kind, names) in kinds {
                for name in texts(names) {
                    match kind.as_str() {
                        "AWS" => found.add(principal(&name), name),
                        _ => found.add(format!("{kind} {name}"), format!("{kind} {name}")),
                    };
                }
            }
        }
        ("Condition", Value::Object(operators)) => {
            for (operator, keys) in operators {
                for (key, values) in keys.as_object().into_iter().flatten() {
                    let mut values = texts(values);
                    values.sort();
                    values.dedup();
                    let values = values.join(" or ");
                    // Names of operators and keys are case-insensitive, values need not be (IAM guide).
                    let compared = format!("{} {} {values}", operator.to_lowercase(), key.to_lowercase());
                    found.add(compared, format!("{operator} {key} = {values}"));
                }
            }
        }
        // Action names are case-insensitive (IAM guide).
        ("Action" | "NotAction", value) => {
            texts(value).into_iter().for_each(|text| found.add(text.to_lowercase(), text));
        }
        (_, value) => texts(value).into_iter().for_each(|text| found.add(text.clone(), text)),
    }
    found
}

/// An account may be written as its id or as its root's ARN (IAM guide).
fn principal(name: &str) -> String {
    let is_account = name.len() == 12 && name.bytes().all(|byte| byte.is_ascii_digit());
    let account = if is_account { Some(name) } else { name.strip_suffix(":root").and_then(account_of) };
    account.map_or_else(|| name.to_owned(), |account| format!("arn:aws:iam::{account}:root"))
}

/// A value or a list of values; a list of one is the same as its value.
pub fn texts(value: &Value) -> Vec<String> {
    match value {
        Value::Array(elements) => elements.iter().flat_map(texts).collect(),
        Value::String(text) => vec![text.clone()],
        other => vec![other.to_string()],
    }
}
