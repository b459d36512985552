//! `ExpressionAttributeNames` and `ExpressionAttributeValues`: what is given, and what the expressions used.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};

use super::super::value::AttributeValue;
use crate::sandbox::error::Fault;
use crate::sandbox::service::Service;

/// The placeholders of one request.
#[derive(Debug, Default)]
pub struct Placeholders {
    names: BTreeMap<String, String>,
    values: BTreeMap<String, AttributeValue>,
    used_names: BTreeSet<String>,
    used_values: BTreeSet<String>,
}

fn is_placeholder(key: &str, sign: char) -> bool {
    key.strip_prefix(sign)
        .is_some_and(|rest| !rest.is_empty() && rest.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_'))
}

impl Placeholders {
    /// Reads both maps of a request. `with_values` names the expressions of this operation that may use values (they
    /// appear in AWS's message when values come without any of them), `without_values` those that use names only.
    ///
    /// # Errors
    /// `ValidationException`, `SerializationException`.
    pub fn parse(input: &Map<String, Value>, with_values: &[&str], without_values: &[&str]) -> Result<Self, Fault> {
        let given = |member: &&str| input.get(*member).is_some_and(|value| !value.is_null());
        let mut placeholders = Self::default();
        if let Some(names) = input.get("ExpressionAttributeNames").filter(|value| !value.is_null()) {
            let names = names.as_object().ok_or_else(|| not_a_map("ExpressionAttributeNames"))?;
            if !with_values.iter().chain(without_values).any(&given) {
                return Err(Fault::invalid("ExpressionAttributeNames can only be specified when using expressions"));
            }
            if names.is_empty() {
                return Err(Fault::invalid("ExpressionAttributeNames must not be empty"));
            }
            for (key, name) in names {
                if !is_placeholder(key, '#') {
                    return Err(Fault::invalid(format!(
                        "ExpressionAttributeNames contains invalid key: Syntax error; key: \"{key}\""
                    )));
                }
                let name = name.as_str().ok_or_else(|| not_a_map("ExpressionAttributeNames"))?;
                placeholders.names.insert(key.clone(), name.to_owned());
            }
        }
        if let Some(values) = input.get("ExpressionAttributeValues").filter(|value| !value.is_null()) {
            let values = values.as_object().ok_or_else(|| not_a_map("ExpressionAttributeValues"))?;
            if !with_values.iter().any(&given) {
                let missing = match with_values {
                    [] => String::new(),
                    [one] => format!(": {one} is null"),
                    many => format!(": {} are null", many.join(" and ")),
                };
                return Err(Fault::invalid(format!(
                    "ExpressionAttributeValues can only be specified when using expressions{missing}"
                )));
            }
            if values.is_empty() {
                return Err(Fault::invalid("ExpressionAttributeValues must not be empty"));
            }
            for (key, value) in values {
                if !is_placeholder(key, ':') {
                    return Err(Fault::invalid(format!(
                        "ExpressionAttributeValues contains invalid key: Syntax error; key: \"{key}\""
                    )));
                }
                let value =
                    AttributeValue::from_json(value).map_err(|fault| match fault.message(Service::DynamoDb) {
                        Some(message) if fault.code(Service::DynamoDb) == "ValidationException" => Fault::invalid(
                            format!("ExpressionAttributeValues contains invalid value: {message} for key {key}"),
                        ),
                        _ => fault,
                    })?;
                placeholders.values.insert(key.clone(), value);
            }
        }
        Ok(placeholders)
    }

    /// The name behind `#placeholder`, which counts as used from now on. `Err` is AWS's sentence.
    pub(super) fn name(&mut self, placeholder: &str) -> Result<String, String> {
        let name = self.names.get(placeholder).cloned().ok_or_else(|| {
            format!(
                "An expression attribute name used in the document path is not defined; attribute name: {placeholder}"
            )
        })?;
        self.used_names.insert(placeholder.to_owned());
        Ok(name)
    }

    /// The value behind `:placeholder`, which counts as used from now on. `Err` is AWS's sentence.
    pub(super) fn value(&mut self, placeholder: &str) -> Result<AttributeValue, String> {
        let value = self.values.get(placeholder).cloned().ok_or_else(|| {
            format!("An expression attribute value used in expression is not defined; attribute value: {placeholder}")
        })?;
        self.used_values.insert(placeholder.to_owned());
        Ok(value)
    }

    /// After the last expression: nothing given may be left unused.
    ///
    /// # Errors
    /// `ValidationException`
    pub fn finish(&self) -> Result<(), Fault> {
        let unused = |given: Vec<&String>, used: &BTreeSet<String>| {
            given.into_iter().filter(|key| !used.contains(*key)).map(String::as_str).collect::<Vec<_>>().join(", ")
        };
        for (member, unused) in [
            ("Names", unused(self.names.keys().collect(), &self.used_names)),
            ("Values", unused(self.values.keys().collect(), &self.used_values)),
        ] {
            if !unused.is_empty() {
                return Err(Fault::Violations(vec![format!(
                    "Value provided in ExpressionAttribute{member} unused in expressions: keys: {{{unused}}}"
                )]));
            }
        }
        Ok(())
    }
}

fn not_a_map(member: &str) -> Fault {
    Fault::Serialization(Some(format!("{member} must be a map")))
}
