//! Reads the members of a request, and says what is wrong with them as AWS does.
//!
//! A member of the wrong JSON type ends the reading at once (`SerializationException`); members that break a
//! constraint are collected, so that one `ValidationException` names them all.

use std::ops::RangeInclusive;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value};
use zeroize::Zeroizing;

use super::ciphertext::EncryptionContext;
use crate::sandbox::error::Fault;

/// The members of one request. Call [`Members::finish`] before using what was read.
#[derive(Debug)]
pub struct Members<'a> {
    members: &'a Map<String, Value>,
    violations: Vec<String>,
}

impl<'a> Members<'a> {
    /// # Errors
    /// `SerializationException` when the input is not an object.
    pub fn of(input: &'a Value) -> Result<Self, Fault> {
        let members = input.as_object().ok_or_else(|| mismatch(input, "a Structure"))?;
        Ok(Self { members, violations: Vec::new() })
    }

    /// # Errors
    /// `ValidationException` with every broken constraint.
    pub fn finish(self) -> Result<(), Fault> {
        if self.violations.is_empty() { Ok(()) } else { Err(Fault::Violations(self.violations)) }
    }

    /// The member, unless it is absent or `null`, which AWS does not tell apart.
    fn get(&self, name: &str) -> Option<&'a Value> {
        self.members.get(name).filter(|value| !value.is_null())
    }

    /// Records a broken constraint.
    pub fn violation(&mut self, value: &str, name: &str, constraint: &str) {
        let at = lower_first(name);
        self.violations.push(format!("Value '{value}' at '{at}' failed to satisfy constraint: {constraint}"));
    }

    fn missing(&mut self, name: &str) {
        let at = lower_first(name);
        self.violations.push(format!("Value null at '{at}' failed to satisfy constraint: Member must not be null"));
    }

    fn check_length(&mut self, value: &str, name: &str, length: &RangeInclusive<usize>) {
        let count = value.chars().count();
        if count < *length.start() {
            let constraint = format!("Member must have length greater than or equal to {}", length.start());
            self.violation(value, name, &constraint);
        } else if count > *length.end() {
            let constraint = format!("Member must have length less than or equal to {}", length.end());
            self.violation(value, name, &constraint);
        }
    }

    /// A string of so many characters.
    pub fn text(&mut self, name: &str, length: RangeInclusive<usize>) -> Result<Option<&'a str>, Fault> {
        let Some(value) = self.get(name) else { return Ok(None) };
        let text = value.as_str().ok_or_else(|| mismatch(value, "a String"))?;
        self.check_length(text, name, &length);
        Ok(Some(text))
    }

    /// A string that has to be there; empty (and a violation) when it is not.
    pub fn needed_text(&mut self, name: &str, length: RangeInclusive<usize>) -> Result<&'a str, Fault> {
        let text = self.text(name, length)?;
        if text.is_none() {
            self.missing(name);
        }
        Ok(text.unwrap_or_default())
    }

    /// The `KeyId` member of most operations.
    pub fn key_id(&mut self) -> Result<&'a str, Fault> {
        self.needed_text("KeyId", 1..=2048)
    }

    /// One of a set of strings.
    pub fn choice(&mut self, name: &str, allowed: &[&str]) -> Result<Option<&'a str>, Fault> {
        let text = self.text(name, 0..=usize::MAX)?;
        if let Some(text) = text.filter(|text| !allowed.contains(text)) {
            self.violation(text, name, &enumeration(allowed));
        }
        Ok(text)
    }

    /// A whole number in a range.
    pub fn integer(&mut self, name: &str, range: RangeInclusive<i64>) -> Result<Option<i64>, Fault> {
        let Some(value) = self.get(name) else { return Ok(None) };
        let number = value.as_i64().ok_or_else(|| mismatch(value, "an Integer"))?;
        if number < *range.start() {
            let constraint = format!("Member must have value greater than or equal to {}", range.start());
            self.violation(&number.to_string(), name, &constraint);
        } else if number > *range.end() {
            let constraint = format!("Member must have value less than or equal to {}", range.end());
            self.violation(&number.to_string(), name, &constraint);
        }
        Ok(Some(number))
    }

    /// A Boolean; absent is false.
    pub fn flag(&self, name: &str) -> Result<bool, Fault> {
        let Some(value) = self.get(name) else { return Ok(false) };
        value.as_bool().ok_or_else(|| mismatch(value, "a Boolean"))
    }

    /// Bytes in base64, which have to be there. A violation never shows them: they may be a secret.
    pub fn blob(&mut self, name: &str, length: RangeInclusive<usize>) -> Result<Zeroizing<Vec<u8>>, Fault> {
        let Some(value) = self.get(name) else {
            self.missing(name);
            return Ok(Zeroizing::default());
        };
        let text = value.as_str().ok_or_else(|| mismatch(value, "a Blob"))?;
        let bytes = STANDARD
            .decode(text)
            .map(Zeroizing::new)
            .map_err(|_| Fault::Serialization(Some(format!("{name} is not valid base64"))))?;
        let bound = if bytes.len() < *length.start() {
            format!("greater than or equal to {}", length.start())
        } else if bytes.len() > *length.end() {
            format!("less than or equal to {}", length.end())
        } else {
            return Ok(bytes);
        };
        let at = lower_first(name);
        self.violations.push(format!("Value at '{at}' failed to satisfy constraint: Member must have length {bound}"));
        Ok(bytes)
    }

    /// A map of strings to strings; absent is empty.
    pub fn pairs(&self, name: &str) -> Result<EncryptionContext, Fault> {
        let Some(value) = self.get(name) else { return Ok(EncryptionContext::new()) };
        string_map(value)
    }

    /// A structure inside the request.
    pub fn structure(&self, name: &str) -> Result<Option<&'a Map<String, Value>>, Fault> {
        let Some(value) = self.get(name) else { return Ok(None) };
        value.as_object().map(Some).ok_or_else(|| mismatch(value, "a Structure"))
    }

    /// A list; absent is empty.
    pub fn list(&self, name: &str) -> Result<&'a [Value], Fault> {
        let Some(value) = self.get(name) else { return Ok(&[]) };
        value.as_array().map(Vec::as_slice).ok_or_else(|| mismatch(value, "a List"))
    }

    /// A list that has to be there.
    pub fn needed_list(&mut self, name: &str) -> Result<&'a [Value], Fault> {
        if self.get(name).is_none() {
            self.missing(name);
        }
        self.list(name)
    }

    /// A list of strings; absent is empty.
    pub fn texts(&self, name: &str) -> Result<Vec<&'a str>, Fault> {
        self.list(name)?.iter().map(|item| item.as_str().ok_or_else(|| mismatch(item, "a String"))).collect()
    }

    /// Refuses a member that asks for something the sandbox does not do, rather than ignoring it.
    pub fn unsupported(&self, name: &str) -> Result<(), Fault> {
        match self.get(name) {
            None => Ok(()),
            Some(_) => Err(super::errors::unsupported(format!("The sandbox does not support {name}."))),
        }
    }
}

/// A map of strings to strings.
pub fn string_map(value: &Value) -> Result<EncryptionContext, Fault> {
    let map = value.as_object().ok_or_else(|| mismatch(value, "a Map"))?;
    map.iter()
        .map(|(key, value)| match value.as_str() {
            Some(text) => Ok((key.clone(), text.to_owned())),
            None => Err(mismatch(value, "a String")),
        })
        .collect()
}

/// `Member must satisfy enum value set: [A, B]`
pub fn enumeration(allowed: &[&str]) -> String {
    format!("Member must satisfy enum value set: [{}]", allowed.join(", "))
}

/// `SerializationException` for a value of the wrong JSON type.
pub fn mismatch(value: &Value, wanted: &str) -> Fault {
    let found = match value {
        Value::Null => "NULL_VALUE",
        Value::Bool(true) => "TRUE_VALUE",
        Value::Bool(false) => "FALSE_VALUE",
        Value::Number(_) => "NUMBER_VALUE",
        Value::String(_) => "STRING_VALUE",
        Value::Array(_) => "Start of list",
        Value::Object(_) => "Start of structure or map",
    };
    Fault::Serialization(Some(format!("{found} can not be converted to {wanted}")))
}

/// Constraint messages spell members as in Java: `KeyId` is `keyId`.
fn lower_first(name: &str) -> String {
    let mut chars = name.chars();
    chars.next().map(|first| first.to_ascii_lowercase()).into_iter().chain(chars).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sandbox::service::Service;
    use rstest::rstest;
    use serde_json::json;

    fn message(read: impl FnOnce(&mut Members) -> Result<(), Fault>, input: Value) -> String {
        let mut members = Members::of(&input).unwrap();
        let error = read(&mut members).and_then(|()| members.finish()).unwrap_err();
        format!("{}: {}", error.code(Service::Kms), error.message(Service::Kms).unwrap_or_default())
    }

    #[rstest]
    #[case::null(json!({}), "ValidationException: 1 validation error detected: Value null at 'keyId' failed to satisfy constraint: Member must not be null")]
    #[case::empty(json!({"KeyId": ""}), "ValidationException: 1 validation error detected: Value '' at 'keyId' failed to satisfy constraint: Member must have length greater than or equal to 1")]
    #[case::number(json!({"KeyId": 1}), "SerializationException: NUMBER_VALUE can not be converted to a String")]
    fn key_id(#[case] input: Value, #[case] expected: &str) {
        assert_eq!(message(|m| m.key_id().map(drop), input), expected);
    }

    #[test]
    fn several_violations_come_together() {
        let read = |m: &mut Members| {
            m.key_id()?;
            m.choice("KeySpec", &["AES_256", "AES_128"])?;
            m.integer("Limit", 1..=10)?;
            m.blob("Plaintext", 1..=2)?;
            Ok(())
        };
        let input = json!({"KeySpec": "DES", "Limit": 11, "Plaintext": "AAAA"});
        assert_eq!(
            message(read, input),
            "ValidationException: 4 validation errors detected: \
             Value null at 'keyId' failed to satisfy constraint: Member must not be null; \
             Value 'DES' at 'keySpec' failed to satisfy constraint: Member must satisfy enum value set: [AES_256, AES_128]; \
             Value '11' at 'limit' failed to satisfy constraint: Member must have value less than or equal to 10; \
             Value at 'plaintext' failed to satisfy constraint: Member must have length less than or equal to 2"
        );
    }

    #[rstest]
    #[case(json!({"EncryptionContext": []}))]
    #[case(json!({"EncryptionContext": {"a": 1}}))]
    #[case(json!({"EncryptionContext": {"a": null}}))]
    #[case(json!({"EncryptionContext": "a"}))]
    fn wrong_pairs(#[case] input: Value) {
        let error = Members::of(&input).unwrap().pairs("EncryptionContext").unwrap_err();
        assert_eq!(error.code(Service::Kms), "SerializationException");
    }
}
