//! Attribute values: the ten types, their JSON form, validation and sizes.

use std::cmp::Ordering;
use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde_json::{Map, Value, json};

use super::number::Number;
use crate::sandbox::error::Fault;

/// The largest item, names and values together, in bytes (400 KB).
pub const MAX_ITEM_BYTES: usize = 400 * 1024;
/// How deep maps and lists may nest.
const MAX_DEPTH: usize = 32;

/// An item: attribute names and their values.
pub type Item = BTreeMap<String, AttributeValue>;

/// One attribute's value. Sets are kept sorted and without duplicates, so equality is set equality.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AttributeValue {
    /// `S`
    String(String),
    /// `N`
    Number(Number),
    /// `B`
    Binary(Vec<u8>),
    /// `BOOL`
    Bool(bool),
    /// `NULL`
    Null,
    /// `M`
    Map(Item),
    /// `L`
    List(Vec<AttributeValue>),
    /// `SS`
    StringSet(Vec<String>),
    /// `NS`
    NumberSet(Vec<Number>),
    /// `BS`
    BinarySet(Vec<Vec<u8>>),
}

/// The JSON value does not fit the wire type at all.
fn serialization(found: &Value, wanted: &str) -> Fault {
    let found = match found {
        Value::Null => "NULL_VALUE",
        Value::Bool(true) => "TRUE_VALUE",
        Value::Bool(false) => "FALSE_VALUE",
        Value::Number(_) => "NUMBER_VALUE",
        Value::String(_) => "STRING_VALUE",
        Value::Array(_) => "START_ARRAY",
        Value::Object(_) => "START_OBJECT",
    };
    let message = if found.starts_with("START") {
        format!("Unexpected token {found}: cannot be converted to {wanted}")
    } else {
        format!("{found} cannot be converted to {wanted}")
    };
    Fault::service(400, "SerializationException", message)
}

fn invalid(message: impl std::fmt::Display) -> Fault {
    Fault::invalid(format!("One or more parameter values were invalid: {message}"))
}

fn text(value: &Value) -> Result<&str, Fault> {
    value.as_str().ok_or_else(|| serialization(value, "String"))
}

fn number(value: &Value) -> Result<Number, Fault> {
    Number::parse(text(value)?).map_err(|error| Fault::invalid(error.to_string()))
}

fn bytes(value: &Value) -> Result<Vec<u8>, Fault> {
    let encoded = value.as_str().ok_or_else(|| serialization(value, "Blob"))?;
    BASE64.decode(encoded).map_err(|_| {
        Fault::service(
            400,
            "SerializationException",
            format!("'{encoded}' can not be converted to a Blob: Invalid Base64"),
        )
    })
}

fn set<T: Ord>(
    value: &Value,
    empty: &str,
    member: impl Fn(&Value) -> Result<T, Fault>,
    show: impl Fn(&T) -> String,
) -> Result<Vec<T>, Fault> {
    let Value::Array(values) = value else { return Err(serialization(value, "List")) };
    if values.is_empty() {
        // The opening is new since August 2026 (issue threads).
        return Err(Fault::Violations(vec![format!("One or more parameter values were invalid: {empty}")]));
    }
    let given = values.iter().map(member).collect::<Result<Vec<T>, _>>()?;
    let shown = || given.iter().map(&show).collect::<Vec<_>>().join(", ");
    let mut sorted: Vec<&T> = given.iter().collect();
    sorted.sort_unstable();
    if sorted.windows(2).any(|pair| pair[0] == pair[1]) {
        return Err(invalid(format_args!("Input collection [{}] contains duplicates.", shown())));
    }
    let mut members = given;
    members.sort_unstable();
    Ok(members)
}

impl AttributeValue {
    /// Reads `{"S": "…"}` and the like.
    ///
    /// # Errors
    /// `ValidationException` for a value that breaks a rule, `SerializationException` for JSON of the wrong type.
    pub fn from_json(json: &Value) -> Result<Self, Fault> {
        Self::from_json_at(json, 0)
    }

    fn from_json_at(json: &Value, depth: usize) -> Result<Self, Fault> {
        if depth > MAX_DEPTH {
            return Err(Fault::invalid(
                "Nesting Levels have exceeded supported limits: Attributes in the item have nested levels beyond \
                 supported limit",
            ));
        }
        let Value::Object(object) = json else { return Err(serialization(json, "AttributeValue")) };
        // SDKs of some languages send unset members as null.
        let mut members = object.iter().filter(|(_, value)| !value.is_null());
        let Some((tag, value)) = members.next() else {
            return Err(Fault::invalid(
                "Supplied AttributeValue is empty, must contain exactly one of the supported datatypes",
            ));
        };
        if members.next().is_some() {
            return Err(Fault::invalid(
                "Supplied AttributeValue has more than one datatypes set, must contain exactly one of the supported \
                 datatypes",
            ));
        }
        Ok(match tag.as_str() {
            "S" => Self::String(text(value)?.to_owned()),
            "N" => Self::Number(number(value)?),
            "B" => Self::Binary(bytes(value)?),
            "BOOL" => Self::Bool(value.as_bool().ok_or_else(|| serialization(value, "Boolean"))?),
            "NULL" => match value {
                Value::Bool(true) => Self::Null,
                Value::Bool(false) => return Err(invalid("Null attribute value types must have the value of true")),
                _ => return Err(serialization(value, "Boolean")),
            },
            "M" => Self::Map(item_at(value, depth + 1)?),
            "L" => {
                let Value::Array(values) = value else { return Err(serialization(value, "List")) };
                Self::List(values.iter().map(|v| Self::from_json_at(v, depth + 1)).collect::<Result<_, _>>()?)
            }
            "SS" => Self::StringSet(set(
                value,
                "An string set  may not be empty",
                |v| text(v).map(str::to_owned),
                Clone::clone,
            )?),
            "NS" => Self::NumberSet(set(value, "An number set  may not be empty", number, Number::to_string)?),
            "BS" => Self::BinarySet(set(value, "Binary sets should not be empty", bytes, |b| BASE64.encode(b))?),
            _ => {
                return Err(Fault::invalid(
                    "Supplied AttributeValue is empty, must contain exactly one of the supported datatypes",
                ));
            }
        })
    }

    /// The wire form.
    pub fn to_json(&self) -> Value {
        match self {
            Self::String(text) => json!({ "S": text }),
            Self::Number(number) => json!({ "N": number.to_string() }),
            Self::Binary(bytes) => json!({ "B": BASE64.encode(bytes) }),
            Self::Bool(flag) => json!({ "BOOL": flag }),
            Self::Null => json!({ "NULL": true }),
            Self::Map(item) => json!({ "M": item_to_json(item) }),
            Self::List(values) => json!({ "L": values.iter().map(Self::to_json).collect::<Vec<_>>() }),
            Self::StringSet(values) => json!({ "SS": values }),
            Self::NumberSet(values) => json!({ "NS": values.iter().map(Number::to_string).collect::<Vec<_>>() }),
            Self::BinarySet(values) => json!({ "BS": values.iter().map(|b| BASE64.encode(b)).collect::<Vec<_>>() }),
        }
    }

    /// The type's name on the wire: `S`, `N`, …
    pub fn type_name(&self) -> &'static str {
        match self {
            Self::String(_) => "S",
            Self::Number(_) => "N",
            Self::Binary(_) => "B",
            Self::Bool(_) => "BOOL",
            Self::Null => "NULL",
            Self::Map(_) => "M",
            Self::List(_) => "L",
            Self::StringSet(_) => "SS",
            Self::NumberSet(_) => "NS",
            Self::BinarySet(_) => "BS",
        }
    }

    /// Order within S (by UTF-8 bytes), N (numeric) or B (unsigned bytes); `None` across types and for the rest.
    pub fn compare(&self, other: &Self) -> Option<Ordering> {
        match (self, other) {
            (Self::String(a), Self::String(b)) => Some(a.as_bytes().cmp(b.as_bytes())),
            (Self::Number(a), Self::Number(b)) => Some(a.cmp(b)),
            (Self::Binary(a), Self::Binary(b)) => Some(a.cmp(b)),
            _ => None,
        }
    }

    /// Size in bytes as DynamoDB counts it towards the item limit and capacity units.
    pub fn size(&self) -> usize {
        match self {
            Self::String(text) => text.len(),
            Self::Number(number) => number.size(),
            Self::Binary(bytes) => bytes.len(),
            Self::Bool(_) | Self::Null => 1,
            Self::Map(item) => 3 + item_size(item) + item.len(),
            Self::List(values) => 3 + values.iter().map(|v| v.size() + 1).sum::<usize>(),
            Self::StringSet(values) => values.iter().map(String::len).sum(),
            Self::NumberSet(values) => values.iter().map(|n| n.size()).sum(),
            Self::BinarySet(values) => values.iter().map(Vec::len).sum(),
        }
    }

    /// As AWS prints a value inside an error message: `{S:text}`.
    pub fn describe(&self) -> String {
        let shown = match self {
            Self::String(text) => text.clone(),
            Self::Number(number) => number.to_string(),
            Self::Binary(bytes) => format!("java.nio.HeapByteBuffer[pos=0 lim={0} cap={0}]", bytes.len()),
            other => other.to_json().to_string(),
        };
        format!("{{{}:{shown}}}", self.type_name())
    }
}

/// Reads a JSON object of attributes: an `Item`, a `Key` or an `M`.
///
/// # Errors
/// `ValidationException`, `SerializationException`.
pub fn item_from_json(json: &Value) -> Result<Item, Fault> {
    item_at(json, 0)
}

fn item_at(json: &Value, depth: usize) -> Result<Item, Fault> {
    let Value::Object(object) = json else { return Err(serialization(json, "Map")) };
    let mut item = Item::new();
    for (name, value) in object {
        if name.is_empty() {
            return Err(invalid("Empty attribute name"));
        }
        if name.len() > 65_535 {
            return Err(invalid("Attribute name is too large, must be less than 65536 bytes"));
        }
        item.insert(name.clone(), AttributeValue::from_json_at(value, depth)?);
    }
    Ok(item)
}

/// The wire form of an item.
pub fn item_to_json(item: &Item) -> Value {
    Value::Object(item.iter().map(|(name, value)| (name.clone(), value.to_json())).collect::<Map<_, _>>())
}

/// Names and values together, in bytes.
pub fn item_size(item: &Item) -> usize {
    item.iter().map(|(name, value)| name.len() + value.size()).sum()
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use proptest::prelude::*;
    use rstest::rstest;

    /// Arbitrary attribute values of every type, nested up to three deep.
    fn any_value() -> impl Strategy<Value = AttributeValue> {
        let number = || (any::<i64>(), -20i32..20).prop_map(|(n, e)| Number::parse(&format!("{n}e{e}")).unwrap());
        fn sorted<T: Ord>(set: std::collections::BTreeSet<T>) -> Vec<T> {
            set.into_iter().collect()
        }
        let leaf = prop_oneof![
            ".{0,12}".prop_map(AttributeValue::String),
            number().prop_map(AttributeValue::Number),
            proptest::collection::vec(any::<u8>(), 0..12).prop_map(AttributeValue::Binary),
            any::<bool>().prop_map(AttributeValue::Bool),
            Just(AttributeValue::Null),
            proptest::collection::btree_set(".{0,6}", 1..4).prop_map(sorted).prop_map(AttributeValue::StringSet),
            proptest::collection::vec(number(), 1..4).prop_map(|mut numbers| {
                numbers.sort_unstable();
                numbers.dedup();
                AttributeValue::NumberSet(numbers)
            }),
            proptest::collection::btree_set(proptest::collection::vec(any::<u8>(), 0..6), 1..4)
                .prop_map(sorted)
                .prop_map(AttributeValue::BinarySet),
        ];
        leaf.prop_recursive(3, 24, 5, |inner| {
            prop_oneof![
                proptest::collection::vec(inner.clone(), 0..4).prop_map(AttributeValue::List),
                proptest::collection::btree_map(".{1,6}", inner, 0..4).prop_map(AttributeValue::Map),
            ]
        })
    }

    /// Arbitrary items without a key.
    pub fn any_item() -> impl Strategy<Value = Item> {
        proptest::collection::btree_map("[a-zA-Z_é.-]{1,10}", any_value(), 0..6)
    }

    proptest! {
        #[test]
        fn json_round_trip(item in any_item()) {
            prop_assert_eq!(item_from_json(&item_to_json(&item)).unwrap(), item);
        }
    }

    #[rstest]
    #[case(json!({}), "Supplied AttributeValue is empty, must contain exactly one of the supported datatypes")]
    #[case(json!({"S": "a", "N": "1"}), "Supplied AttributeValue has more than one datatypes set, must contain exactly one of the supported datatypes")]
    #[case(json!({"N": "x"}), "The parameter cannot be converted to a numeric value: x")]
    #[case(json!({"NULL": false}), "One or more parameter values were invalid: Null attribute value types must have the value of true")]
    #[case(json!({"SS": []}), "1 validation error detected: One or more parameter values were invalid: An string set  may not be empty")]
    #[case(json!({"SS": ["b", "a", "b"]}), "One or more parameter values were invalid: Input collection [b, a, b] contains duplicates.")]
    #[case(json!({"NS": ["1", "1.0"]}), "One or more parameter values were invalid: Input collection [1, 1] contains duplicates.")]
    #[case(json!({"S": 5}), "NUMBER_VALUE cannot be converted to String")]
    #[case(json!({"B": "*"}), "'*' can not be converted to a Blob: Invalid Base64")]
    fn refuses(#[case] json: Value, #[case] want: &str) {
        assert_eq!(
            AttributeValue::from_json(&json)
                .unwrap_err()
                .message(crate::sandbox::service::Service::DynamoDb)
                .as_deref(),
            Some(want)
        );
    }

    #[test]
    fn refuses_deep_nesting() {
        let mut value = json!({"S": "x"});
        for _ in 0..40 {
            value = json!({"L": [value]});
        }
        assert!(AttributeValue::from_json(&value).is_err());
    }

    #[rstest]
    #[case(json!({"S": "é"}), 2)]
    #[case(json!({"N": "123"}), 3)]
    #[case(json!({"N": "-1"}), 3)]
    #[case(json!({"BOOL": true}), 1)]
    #[case(json!({"L": [{"S": "ab"}]}), 6)]
    #[case(json!({"M": {"k": {"S": "ab"}}}), 7)]
    #[case(json!({"SS": ["ab", "c"]}), 3)]
    fn sizes(#[case] json: Value, #[case] want: usize) {
        assert_eq!(AttributeValue::from_json(&json).unwrap().size(), want);
    }
}
