//! Key schemas, and keys taken out of items and requests.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::value::{AttributeValue, Item};
use crate::sandbox::error::Fault;

/// The longest partition key value, in bytes.
const MAX_HASH_BYTES: usize = 2048;
/// The longest sort key value, in bytes.
const MAX_RANGE_BYTES: usize = 1024;

/// The types a key attribute can have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum KeyType {
    /// `S`
    #[serde(rename = "S")]
    String,
    /// `N`
    #[serde(rename = "N")]
    Number,
    /// `B`
    #[serde(rename = "B")]
    Binary,
}

impl KeyType {
    /// `S`, `N` or `B`.
    pub fn name(self) -> &'static str {
        match self {
            Self::String => "S",
            Self::Number => "N",
            Self::Binary => "B",
        }
    }

    /// The inverse of [`KeyType::name`].
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::String, Self::Number, Self::Binary].into_iter().find(|kind| kind.name() == name)
    }
}

/// One attribute of a key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeyAttribute {
    /// The attribute's name.
    pub name: String,
    /// Its type.
    pub kind: KeyType,
}

/// A table's primary key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeySchema {
    /// The partition key.
    pub hash: KeyAttribute,
    /// The sort key.
    pub range: Option<KeyAttribute>,
}

/// The key of one item.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Key {
    /// The partition key's value.
    pub hash: AttributeValue,
    /// The sort key's value.
    pub range: Option<AttributeValue>,
}

impl KeySchema {
    /// The key's attributes, partition key first.
    pub fn attributes(&self) -> impl Iterator<Item = &KeyAttribute> {
        std::iter::once(&self.hash).chain(&self.range)
    }

    /// Whether `name` is part of the key.
    pub fn contains(&self, name: &str) -> bool {
        self.attributes().any(|attribute| attribute.name == name)
    }

    /// `KeySchema` on the wire.
    pub fn to_json(&self) -> Value {
        let kinds = ["HASH", "RANGE"];
        let elements = self.attributes().zip(kinds);
        elements.map(|(attribute, kind)| json!({ "AttributeName": attribute.name, "KeyType": kind })).collect()
    }

    /// The key inside a whole item, for PutItem.
    ///
    /// # Errors
    /// `ValidationException`
    pub fn key_of_item(&self, item: &Item) -> Result<Key, Fault> {
        let value = |attribute: &KeyAttribute| {
            let value = item
                .get(&attribute.name)
                .ok_or_else(|| invalid(format_args!("Missing the key {} in the item", attribute.name)))?;
            if value.type_name() != attribute.kind.name() {
                return Err(invalid(format_args!(
                    "Type mismatch for key {} expected: {} actual: {}",
                    attribute.name,
                    attribute.kind.name(),
                    value.type_name()
                )));
            }
            Ok(value.clone())
        };
        let key = Key { hash: value(&self.hash)?, range: self.range.as_ref().map(value).transpose()? };
        self.check_sizes(&key)?;
        Ok(key)
    }

    /// A `Key` member: exactly the key's attributes, with the right types.
    ///
    /// # Errors
    /// `ValidationException`
    pub fn key_from(&self, given: &Item) -> Result<Key, Fault> {
        let key =
            self.key_like(given).ok_or_else(|| Fault::invalid("The provided key element does not match the schema"))?;
        self.check_sizes(&key)?;
        Ok(key)
    }

    /// An `ExclusiveStartKey` member.
    ///
    /// # Errors
    /// `ValidationException`
    pub fn start_key_from(&self, given: &Item) -> Result<Key, Fault> {
        let key = self.key_like(given).ok_or_else(|| {
            Fault::invalid("The provided starting key is invalid: The provided key element does not match the schema")
        })?;
        self.check_sizes(&key)?;
        Ok(key)
    }

    fn key_like(&self, given: &Item) -> Option<Key> {
        if given.len() != self.attributes().count() {
            return None;
        }
        let value = |attribute: &KeyAttribute| {
            given.get(&attribute.name).filter(|value| value.type_name() == attribute.kind.name()).cloned()
        };
        let range = match &self.range {
            Some(range) => Some(value(range)?),
            None => None,
        };
        Some(Key { hash: value(&self.hash)?, range })
    }

    fn check_sizes(&self, key: &Key) -> Result<(), Fault> {
        let values = [
            (Some(&self.hash), Some(&key.hash), MAX_HASH_BYTES, "hashkey"),
            (self.range.as_ref(), key.range.as_ref(), MAX_RANGE_BYTES, "rangekey"),
        ];
        for (attribute, value, limit, called) in values {
            let (Some(attribute), Some(value)) = (attribute, value) else { continue };
            if value.size() == 0 {
                let kind = if attribute.kind == KeyType::String { "string" } else { "binary" };
                return Err(invalid(format_args!(
                    "One or more parameter values are not valid. The AttributeValue for a key attribute cannot \
                     contain an empty {kind} value. Key: {}",
                    attribute.name
                )));
            }
            if value.size() > limit {
                return Err(invalid(format_args!(
                    "Size of {called} has exceeded the maximum size limit of {limit} bytes"
                )));
            }
        }
        Ok(())
    }
}

impl Key {
    /// The key as an item of its own, for `LastEvaluatedKey`.
    pub fn to_item(&self, schema: &KeySchema) -> Item {
        let values = std::iter::once(&self.hash).chain(&self.range);
        schema.attributes().map(|attribute| attribute.name.clone()).zip(values.cloned()).collect()
    }
}

fn invalid(message: std::fmt::Arguments<'_>) -> Fault {
    let message = message.to_string();
    // AWS gives the empty-key sentence without the usual opening.
    if message.starts_with("One or more") {
        return Fault::invalid(message);
    }
    Fault::invalid(format!("One or more parameter values were invalid: {message}"))
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::super::value::item_from_json;
    use super::*;

    fn schema() -> KeySchema {
        KeySchema {
            hash: KeyAttribute { name: "id".into(), kind: KeyType::String },
            range: Some(KeyAttribute { name: "at".into(), kind: KeyType::Number }),
        }
    }

    #[rstest]
    #[case(json!({"id": {"S": "a"}}), "One or more parameter values were invalid: Missing the key at in the item")]
    #[case(json!({"id": {"N": "1"}, "at": {"N": "1"}}), "One or more parameter values were invalid: Type mismatch for key id expected: S actual: N")]
    #[case(json!({"id": {"S": ""}, "at": {"N": "1"}}), "One or more parameter values are not valid. The AttributeValue for a key attribute cannot contain an empty string value. Key: id")]
    #[case(json!({"id": {"S": "x".repeat(2049)}, "at": {"N": "1"}}), "One or more parameter values were invalid: Size of hashkey has exceeded the maximum size limit of 2048 bytes")]
    fn refuses_an_item_without_a_proper_key(#[case] item: Value, #[case] want: &str) {
        let error = schema().key_of_item(&item_from_json(&item).unwrap()).unwrap_err();
        assert_eq!(error.message(crate::sandbox::service::Service::DynamoDb).as_deref(), Some(want));
    }

    #[rstest]
    #[case(json!({"id": {"S": "a"}}))]
    #[case(json!({"id": {"S": "a"}, "at": {"S": "1"}}))]
    #[case(json!({"id": {"S": "a"}, "at": {"N": "1"}, "more": {"N": "1"}}))]
    fn refuses_a_key_of_another_schema(#[case] key: Value) {
        let error = schema().key_from(&item_from_json(&key).unwrap()).unwrap_err();
        assert_eq!(
            error.message(crate::sandbox::service::Service::DynamoDb).as_deref(),
            Some("The provided key element does not match the schema")
        );
    }
}
