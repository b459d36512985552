//! Document paths: `a.b[2].c` after placeholders have been put in.

use std::fmt;

use super::super::value::{AttributeValue, Item};

/// One step of a path. List elements are ordered by their index.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Step {
    /// A map's (or the item's) member.
    Name(String),
    /// A list's element.
    Index(usize),
}

/// A document path; the first step is always a name. Ordered step by step, so that of two paths into one list the one
/// to the later element is the greater, whatever comes below.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Path {
    /// The top-level attribute.
    pub attribute: String,
    /// The steps below it.
    pub steps: Vec<Step>,
}

impl Path {
    /// The value at this path.
    pub fn get<'a>(&self, item: &'a Item) -> Option<&'a AttributeValue> {
        self.steps.iter().try_fold(item.get(&self.attribute)?, |value, step| match (value, step) {
            (AttributeValue::Map(map), Step::Name(name)) => map.get(name),
            (AttributeValue::List(list), Step::Index(index)) => list.get(*index),
            _ => None,
        })
    }

    /// Whether one of the two lies on the other, so that changing or projecting both makes no sense.
    pub fn overlaps(&self, other: &Self) -> bool {
        self.attribute == other.attribute && self.steps.iter().zip(&other.steps).all(|(a, b)| a == b)
    }

    /// Whether the two want the same place to be a map and a list.
    pub fn conflicts(&self, other: &Self) -> bool {
        self.attribute == other.attribute
            && self
                .steps
                .iter()
                .zip(&other.steps)
                .find(|(a, b)| a != b)
                .is_some_and(|(a, b)| matches!(a, Step::Name(_)) != matches!(b, Step::Name(_)))
    }

    /// The whole item's member when the path has no further steps.
    pub fn is_top_level(&self) -> bool {
        self.steps.is_empty()
    }
}

/// As AWS prints a path in an error message: `[a, b, [2]]`.
impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "[{}", self.attribute)?;
        for step in &self.steps {
            match step {
                Step::Name(name) => write!(f, ", {name}")?,
                Step::Index(index) => write!(f, ", [{index}]")?,
            }
        }
        f.write_str("]")
    }
}
