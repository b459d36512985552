//! What a request brings along for the conditions of a policy to look at.

use std::collections::BTreeMap;

/// Condition keys and their values. Keys are case-insensitive (IAM guide) and kept in lower case; a key may have several
/// values.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ConditionContext(BTreeMap<String, Vec<String>>);

impl ConditionContext {
    /// Gives `key` exactly one value, whatever it had before.
    pub fn set(&mut self, key: &str, value: impl Into<String>) -> &mut Self {
        self.0.insert(key.to_lowercase(), vec![value.into()]);
        self
    }

    /// Adds one more value to `key`.
    pub fn add(&mut self, key: &str, value: impl Into<String>) -> &mut Self {
        self.0.entry(key.to_lowercase()).or_default().push(value.into());
        self
    }

    /// The values of `key`, or `None` when the request doesn't carry it.
    pub fn get(&self, key: &str) -> Option<&[String]> {
        // Keys compiled into a policy are lower case already: no allocation on the usual path.
        if key.bytes().any(|byte| byte.is_ascii_uppercase()) || !key.is_ascii() {
            self.0.get(&key.to_lowercase()).map(Vec::as_slice)
        } else {
            self.0.get(key).map(Vec::as_slice)
        }
    }

    /// Every key with its values, in the order of the keys.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &[String])> {
        self.0.iter().map(|(key, values)| (key.as_str(), values.as_slice()))
    }

    /// Takes over every key of `other`; where both have one, `other`'s values count.
    pub fn merge(&mut self, other: &Self) -> &mut Self {
        self.0.extend(other.0.iter().map(|(key, values)| (key.clone(), values.clone())));
        self
    }
}
