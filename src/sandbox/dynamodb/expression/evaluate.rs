//! Evaluates conditions against an item.

use std::borrow::Cow;
use std::cmp::Ordering;

use super::condition::{Comparator, Condition, Operand};
use crate::sandbox::dynamodb::number::Number;
use crate::sandbox::dynamodb::value::{AttributeValue, Item};

impl Operand {
    fn value<'a>(&'a self, item: &'a Item) -> Option<Cow<'a, AttributeValue>> {
        match self {
            Self::Path(path) => path.get(item).map(Cow::Borrowed),
            Self::Value(value) => Some(Cow::Borrowed(value)),
            Self::Size(path) => {
                let count = match path.get(item)? {
                    AttributeValue::String(text) => text.chars().count(),
                    AttributeValue::Binary(bytes) => bytes.len(),
                    AttributeValue::Map(map) => map.len(),
                    AttributeValue::List(list) => list.len(),
                    AttributeValue::StringSet(set) => set.len(),
                    AttributeValue::NumberSet(set) => set.len(),
                    AttributeValue::BinarySet(set) => set.len(),
                    AttributeValue::Number(_) | AttributeValue::Bool(_) | AttributeValue::Null => return None,
                };
                Some(Cow::Owned(AttributeValue::Number(Number::from_count(count))))
            }
        }
    }
}

impl Condition {
    /// Whether the item (empty for one that doesn't exist) satisfies the condition. A comparison with a missing
    /// attribute, or between types, is false, except `<>`, which is then true.
    pub fn holds(&self, item: &Item) -> bool {
        match self {
            Self::And(parts) => parts.iter().all(|part| part.holds(item)),
            Self::Or(parts) => parts.iter().any(|part| part.holds(item)),
            Self::Not(part) => !part.holds(item),
            Self::Compare(comparator, a, b) => {
                let (a, b) = (a.value(item), b.value(item));
                match comparator {
                    Comparator::Equal => a.is_some() && a == b,
                    Comparator::NotEqual => a.is_none() || a != b,
                    _ => a.zip(b).and_then(|(a, b)| a.compare(&b)).is_some_and(|order| comparator.accepts(order)),
                }
            }
            Self::Between(value, low, high) => {
                let Some(value) = value.value(item) else { return false };
                let compare = |bound: &Operand| bound.value(item).and_then(|bound| value.compare(&bound));
                compare(low).is_some_and(Ordering::is_ge) && compare(high).is_some_and(Ordering::is_le)
            }
            Self::In(value, list) => {
                let value = value.value(item);
                value.is_some() && list.iter().any(|candidate| candidate.value(item) == value)
            }
            Self::Exists(path) => path.get(item).is_some(),
            Self::NotExists(path) => path.get(item).is_none(),
            Self::HasType(path, wanted) => path.get(item).is_some_and(|value| value.type_name() == wanted),
            Self::BeginsWith(a, b) => match (a.value(item).as_deref(), b.value(item).as_deref()) {
                (Some(AttributeValue::String(a)), Some(AttributeValue::String(b))) => a.starts_with(b.as_str()),
                (Some(AttributeValue::Binary(a)), Some(AttributeValue::Binary(b))) => a.starts_with(b),
                _ => false,
            },
            Self::Contains(a, b) => match (a.value(item).as_deref(), b.value(item).as_deref()) {
                (Some(whole), Some(part)) => contains(whole, part),
                _ => false,
            },
        }
    }
}

impl Comparator {
    /// Whether two values in this order satisfy the comparator.
    pub fn accepts(self, order: Ordering) -> bool {
        match self {
            Self::Equal => order.is_eq(),
            Self::NotEqual => order.is_ne(),
            Self::Less => order.is_lt(),
            Self::LessOrEqual => order.is_le(),
            Self::Greater => order.is_gt(),
            Self::GreaterOrEqual => order.is_ge(),
        }
    }
}

fn contains(whole: &AttributeValue, part: &AttributeValue) -> bool {
    match (whole, part) {
        (AttributeValue::String(whole), AttributeValue::String(part)) => whole.contains(part.as_str()),
        (AttributeValue::Binary(whole), AttributeValue::Binary(part)) => {
            part.is_empty() || whole.windows(part.len()).any(|window| window == part)
        }
        (AttributeValue::StringSet(set), AttributeValue::String(part)) => set.contains(part),
        (AttributeValue::NumberSet(set), AttributeValue::Number(part)) => set.contains(part),
        (AttributeValue::BinarySet(set), AttributeValue::Binary(part)) => set.contains(part),
        (AttributeValue::List(list), part) => list.contains(part),
        _ => false,
    }
}
