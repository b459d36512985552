//! Reads the members of a request and reports what is wrong with them as AWS does.
//!
//! A member of the wrong JSON type ends the reading (`SerializationException`). A broken constraint is recorded, and
//! reading goes on with a placeholder that nobody gets to see: the error lists all violations, each with the path of its
//! member (`keySchema.1.member.attributeName`).

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fmt;
use std::ops::RangeInclusive;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value};
use zeroize::Zeroizing;

use super::error::Fault;
use super::form::Form;
use super::service::{Protocol, Service};

/// The most violations that one error lists. A request can have as many as it has bytes.
const MOST_VIOLATIONS: usize = 10;
const NOT_NULL: &str = "Member must not be null";

/// A member that is reported only after the caller's permission was checked.
pub type Later<T> = Result<T, Fault>;

/// The parameters of a request.
#[derive(Debug)]
pub enum Params {
    /// The members of a JSON protocol.
    Json(Map<String, Value>),
    /// The flat parameters of the query protocol.
    Query(Form),
}

/// The members of a request, or of a structure in it.
#[derive(Debug, Clone)]
pub struct Members<'a> {
    service: Service,
    source: Source<'a>,
    /// The path of this structure, with a dot at its end; empty for the request.
    path: String,
    violations: &'a RefCell<Vec<String>>,
}

#[derive(Debug, Clone)]
enum Source<'a> {
    /// `None`: something else stands where the structure belongs.
    Json(Option<&'a Map<String, Value>>),
    Query {
        form: &'a Form,
        /// What the parameters of this structure begin with.
        prefix: String,
    },
}

impl Params {
    /// The parameters of a call: `body` in the JSON protocols, `form` in the query protocol. No body at all means no
    /// members.
    ///
    /// # Errors
    /// `SerializationException` when the body is not a JSON object.
    pub fn read(service: Service, body: &[u8], form: Form) -> Result<Self, Fault> {
        if service.protocol() == Protocol::Query {
            return Ok(Self::Query(form));
        }
        if body.is_empty() {
            return Ok(Self::Json(Map::new()));
        }
        // serde_json stops at 128 levels, so deep nesting can't exhaust the stack.
        match serde_json::from_slice(body) {
            Ok(Value::Object(members)) => Ok(Self::Json(members)),
            Ok(_) => Err(Fault::Serialization(Some("Start of structure or map found where not expected.".to_owned()))),
            Err(_) => Err(Fault::Serialization(None)),
        }
    }

    /// A member of a JSON request, whatever its type.
    pub fn member(&self, name: &str) -> Option<&Value> {
        match self {
            Self::Json(members) => members.get(name),
            Self::Query(_) => None,
        }
    }
}

/// Reads a request with `parse`.
///
/// # Errors
/// `SerializationException`, else all violations, else the error of `parse`.
pub fn read<T>(
    service: Service,
    params: &Params,
    parse: impl FnOnce(&Members<'_>) -> Result<T, Fault>,
) -> Result<T, Fault> {
    let violations = RefCell::default();
    let source = match params {
        Params::Json(members) => Source::Json(Some(members)),
        Params::Query(form) => Source::Query { form, prefix: String::new() },
    };
    let parsed = parse(&Members { service, source, path: String::new(), violations: &violations });
    match (parsed, violations.into_inner()) {
        (Err(fault @ Fault::Serialization(_)), _) => Err(fault),
        (parsed, violations) if violations.is_empty() => parsed,
        (_, violations) => Err(Fault::Violations(violations)),
    }
}

impl<'a> Members<'a> {
    /// A member of a JSON request; `null` counts as absent, which AWS doesn't tell apart.
    pub fn value(&self, name: &str) -> Option<&'a Value> {
        match self.source {
            Source::Json(members) => members?.get(name).filter(|value| !value.is_null()),
            Source::Query { .. } => None,
        }
    }

    /// A JSON member of any type that has to be there.
    pub fn required_value(&self, name: &str) -> &'a Value {
        self.value(name).unwrap_or_else(|| {
            self.missing(name);
            &Value::Null
        })
    }

    /// A string of any length.
    ///
    /// # Errors
    /// `SerializationException`.
    pub fn text(&self, name: &str) -> Result<Option<&'a str>, Fault> {
        match &self.source {
            Source::Query { form, prefix } => Ok(form.get(&format!("{prefix}{name}"))),
            Source::Json(_) => match self.value(name) {
                None => Ok(None),
                Some(Value::String(text)) => Ok(Some(text)),
                Some(other) => Err(self.mismatch(name, other, "String")),
            },
        }
    }

    /// A string whose length is in a range.
    ///
    /// # Errors
    /// `SerializationException`.
    pub fn optional_str(&self, name: &str, length: RangeInclusive<usize>) -> Result<Option<&'a str>, Fault> {
        let text = self.text(name)?;
        if let Some(text) = text {
            // DynamoDB counts bytes.
            let count = if self.service == Service::DynamoDb { text.len() } else { text.chars().count() };
            self.check_length(name, text, count, &length);
        }
        Ok(text)
    }

    /// A string that has to be there.
    ///
    /// # Errors
    /// `SerializationException`.
    pub fn str(&self, name: &str, length: RangeInclusive<usize>) -> Result<&'a str, Fault> {
        let text = self.optional_str(name, length)?;
        if text.is_none() {
            self.missing(name);
        }
        Ok(text.unwrap_or_default())
    }

    /// One of a set of strings.
    ///
    /// # Errors
    /// `SerializationException`.
    pub fn choice(&self, name: &str, allowed: &[&'static str]) -> Result<Option<&'static str>, Fault> {
        let Some(text) = self.text(name)? else { return Ok(None) };
        let known = allowed.iter().find(|known| **known == text).copied();
        if known.is_none() {
            self.violation(name, text, enumeration(allowed));
        }
        Ok(known)
    }

    /// One of a set of strings, which has to be there.
    ///
    /// # Errors
    /// `SerializationException`.
    pub fn required_choice(&self, name: &str, allowed: &[&'static str]) -> Result<&'static str, Fault> {
        if self.text(name)?.is_none() {
            self.missing(name);
        }
        Ok(self.choice(name, allowed)?.unwrap_or_default())
    }

    /// A whole number in a range.
    ///
    /// # Errors
    /// `SerializationException`.
    pub fn integer(&self, name: &str, range: RangeInclusive<i64>) -> Result<Option<i64>, Fault> {
        let number = if let Source::Query { .. } = &self.source {
            let Some(text) = self.text(name)? else { return Ok(None) };
            // The code is AWS's, the sentence is not proven.
            text.parse().map_err(|_| Fault::service(400, "MalformedInput", format!("{name} {text:?} is no number")))?
        } else {
            let Some(value) = self.value(name) else { return Ok(None) };
            value.as_i64().ok_or_else(|| self.mismatch(name, value, "Integer"))?
        };
        if number < *range.start() {
            self.violation(name, number, format!("Member must have value greater than or equal to {}", range.start()));
        } else if number > *range.end() {
            self.violation(name, number, format!("Member must have value less than or equal to {}", range.end()));
        }
        Ok(Some(number))
    }

    /// A time, in seconds since 1970.
    ///
    /// # Errors
    /// `SerializationException`.
    pub fn timestamp(&self, name: &str) -> Result<Option<f64>, Fault> {
        let Some(value) = self.value(name) else { return Ok(None) };
        value.as_f64().map(Some).ok_or_else(|| self.mismatch(name, value, "Timestamp"))
    }

    /// A Boolean.
    ///
    /// # Errors
    /// `SerializationException`.
    pub fn flag(&self, name: &str) -> Result<Option<bool>, Fault> {
        let Some(value) = self.value(name) else { return Ok(None) };
        value.as_bool().map(Some).ok_or_else(|| self.mismatch(name, value, "Boolean"))
    }

    /// Bytes in base64 that have to be there. A violation never shows them: they may be a secret.
    ///
    /// # Errors
    /// `SerializationException`.
    pub fn blob(&self, name: &str, length: RangeInclusive<usize>) -> Result<Zeroizing<Vec<u8>>, Fault> {
        let Some(value) = self.value(name) else {
            self.missing(name);
            return Ok(Zeroizing::default());
        };
        let text = value.as_str().ok_or_else(|| self.mismatch(name, value, "Blob"))?;
        let bytes = STANDARD.decode(text).map(Zeroizing::new);
        let bytes = bytes.map_err(|_| Fault::Serialization(Some(format!("{name} is not valid base64"))))?;
        if let Some(rule) = length_rule(bytes.len(), &length) {
            self.add(format!("Value at '{}' failed to satisfy constraint: {rule}", self.at(name)));
        }
        Ok(bytes)
    }

    /// A map of strings to strings; absent is empty.
    ///
    /// # Errors
    /// `SerializationException`.
    pub fn pairs(&self, name: &str) -> Result<Option<BTreeMap<String, String>>, Fault> {
        let Some(value) = self.value(name) else { return Ok(None) };
        let map = value.as_object().ok_or_else(|| self.mismatch(name, value, "Map"))?;
        let pair = |(key, value): (&String, &Value)| match value.as_str() {
            Some(text) => Ok((key.clone(), text.to_owned())),
            None => Err(self.mismatch(name, value, "String")),
        };
        map.iter().map(pair).collect::<Result<_, _>>().map(Some)
    }

    /// A structure in this one.
    ///
    /// # Errors
    /// `SerializationException`.
    pub fn structure(&self, name: &str) -> Result<Option<Members<'a>>, Fault> {
        let Some(value) = self.value(name) else { return Ok(None) };
        let members = value.as_object().ok_or_else(|| self.mismatch(name, value, "Structure"))?;
        Ok(Some(self.below(self.at(name), Source::Json(Some(members)))))
    }

    /// A JSON list.
    ///
    /// # Errors
    /// `SerializationException`.
    pub fn list(&self, name: &str) -> Result<Option<&'a [Value]>, Fault> {
        let Some(value) = self.value(name) else { return Ok(None) };
        value.as_array().map(|list| Some(list.as_slice())).ok_or_else(|| self.mismatch(name, value, "List"))
    }

    /// A JSON list whose length is in a range and that has to be there.
    ///
    /// # Errors
    /// `SerializationException`.
    pub fn required_list(&self, name: &str, length: RangeInclusive<usize>) -> Result<&'a [Value], Fault> {
        let list = self.list(name)?;
        match list {
            None => self.missing(name),
            Some(list) => self.check_length(name, self.required_value(name), list.len(), &length),
        }
        Ok(list.unwrap_or_default())
    }

    /// The structures in a list; absent is empty. In the query protocol the list ends with the first structure that has
    /// no member `key`.
    ///
    /// # Errors
    /// `SerializationException`.
    pub fn structures(&self, name: &str, key: &str) -> Result<Vec<Members<'a>>, Fault> {
        let at = |n: usize| format!("{}.{n}.member", self.at(name));
        if let Source::Query { form, prefix } = &self.source {
            let prefix = |n: usize| format!("{prefix}{name}.member.{n}.");
            let given = (1..).take_while(|n| form.get(&format!("{}{key}", prefix(*n))).is_some());
            return Ok(given.map(|n| self.below(at(n), Source::Query { form, prefix: prefix(n) })).collect());
        }
        let list = self.list(name)?.unwrap_or_default();
        let structure = |(index, value): (usize, &'a Value)| match value.as_object() {
            None => Err(self.mismatch(name, value, "Structure")),
            members => Ok(self.below(at(index + 1), Source::Json(members))),
        };
        list.iter().enumerate().map(structure).collect()
    }

    /// The entries of a map that has to be there, each with its members and its value.
    ///
    /// # Errors
    /// `SerializationException`.
    pub fn entries(&self, name: &str) -> Result<Vec<(&'a str, Members<'a>, &'a Value)>, Fault> {
        let not_a_map = || Fault::Serialization(Some(format!("{name} must be a map")));
        let value = self.value(name);
        let map = value.map(|value| value.as_object().ok_or_else(not_a_map)).transpose()?;
        if value.is_none() {
            self.missing(name);
        }
        let entry = |(key, value): (&'a String, &'a Value)| {
            let members = self.below(format!("{}.{key}.member", self.at(name)), Source::Json(value.as_object()));
            (key.as_str(), members, value)
        };
        Ok(map.into_iter().flatten().map(entry).collect())
    }

    /// The structures in a list that is the value of a map's entry, for the members that [`Members::entries`] gave with it.
    /// What is no structure has no members.
    pub fn elements(&self, value: &'a Value) -> Vec<Members<'a>> {
        let list = value.as_array().into_iter().flatten().enumerate();
        list.map(|(index, value)| {
            self.below(format!("{}{}.member", self.path, index + 1), Source::Json(value.as_object()))
        })
        .collect()
    }

    /// The strings of a list; absent is empty.
    ///
    /// # Errors
    /// `SerializationException`.
    pub fn texts(&self, name: &str) -> Result<Vec<&'a str>, Fault> {
        if let Source::Query { form, prefix } = &self.source {
            let numbered = |n: usize| form.get(&format!("{prefix}{name}.member.{n}"));
            return Ok((1..).map_while(numbered).collect());
        }
        let text = |item: &'a Value| item.as_str().ok_or_else(|| self.mismatch(name, item, "String"));
        self.list(name)?.unwrap_or_default().iter().map(text).collect()
    }

    /// Whether a member is there: a single value, a list or a structure.
    pub fn has(&self, name: &str) -> bool {
        match &self.source {
            Source::Json(_) => self.value(name).is_some(),
            Source::Query { form, .. } => form.has(name),
        }
    }

    /// Records that a member has to be there.
    pub fn missing(&self, name: &str) {
        self.add(format!("Value null at '{}' failed to satisfy constraint: {NOT_NULL}", self.at(name)));
    }

    /// Records a broken constraint.
    pub fn violation(&self, name: &str, value: impl fmt::Display, rule: impl fmt::Display) {
        self.add(violation(&format!("'{value}'"), &self.at(name), rule));
    }

    /// Adds a violation that shows no value, and names the member as the request does.
    pub fn unshown_violation(&self, name: &str, rule: &str) {
        self.add(format!("Value at '{}{name}' failed to satisfy constraint: {rule}", self.path));
    }

    fn add(&self, violation: String) {
        let mut violations = self.violations.borrow_mut();
        if violations.len() < MOST_VIOLATIONS {
            violations.push(violation);
        }
    }

    /// Checks a number of characters, bytes or entries.
    pub fn check_length(&self, name: &str, value: impl fmt::Display, count: usize, length: &RangeInclusive<usize>) {
        if let Some(rule) = length_rule(count, length) {
            self.violation(name, value, rule);
        }
    }

    fn below(&self, at: String, source: Source<'a>) -> Members<'a> {
        Members { service: self.service, source, path: format!("{at}."), violations: self.violations }
    }

    /// The path of a member. It spells names as in Java: `KeyId` is `keyId`.
    fn at(&self, name: &str) -> String {
        let mut letters = name.chars();
        let first = letters.next().map(|first| first.to_ascii_lowercase());
        self.path.chars().chain(first).chain(letters).collect()
    }

    /// `SerializationException` for a value of the wrong JSON type, in the words of the service.
    fn mismatch(&self, name: &str, value: &Value, wanted: &str) -> Fault {
        if self.service == Service::DynamoDb {
            return Fault::Serialization(Some(format!("{name} can not be converted to {wanted}")));
        }
        let found = match value {
            Value::Null => "NULL_VALUE",
            Value::Bool(true) => "TRUE_VALUE",
            Value::Bool(false) => "FALSE_VALUE",
            Value::Number(_) => "NUMBER_VALUE",
            Value::String(_) => "STRING_VALUE",
            Value::Array(_) => "Start of list",
            Value::Object(_) => "Start of structure or map",
        };
        let article = if wanted == "Integer" { "an" } else { "a" };
        Fault::Serialization(Some(format!("{found} can not be converted to {article} {wanted}")))
    }
}

/// `Value … at '…' failed to satisfy constraint: …`
pub fn violation(value: &str, at: &str, rule: impl fmt::Display) -> String {
    format!("Value {value} at '{at}' failed to satisfy constraint: {rule}")
}

/// `Member must satisfy enum value set: [A, B]`
pub fn enumeration(allowed: &[&str]) -> String {
    format!("Member must satisfy enum value set: [{}]", allowed.join(", "))
}

fn length_rule(count: usize, length: &RangeInclusive<usize>) -> Option<String> {
    if count < *length.start() {
        Some(format!("Member must have length greater than or equal to {}", length.start()))
    } else if count > *length.end() {
        Some(format!("Member must have length less than or equal to {}", length.end()))
    } else {
        None
    }
}

#[cfg(test)]
mod tests;
