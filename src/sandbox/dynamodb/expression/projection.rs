//! `ProjectionExpression`: which parts of an item to return.

use super::parser::{invalid, parse};
use super::path::{Path, Step};
use super::placeholders::Placeholders;
use crate::sandbox::dynamodb::value::{AttributeValue, Item};
use crate::sandbox::error::Fault;

/// The paths to keep; no two overlap.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Projection(Vec<Path>);

impl Projection {
    /// Parses a `ProjectionExpression`.
    ///
    /// # Errors
    /// `ValidationException`
    pub fn parse(text: &str, placeholders: &mut Placeholders) -> Result<Self, Fault> {
        const MEMBER: &str = "ProjectionExpression";
        let paths = parse(MEMBER, text, placeholders, |p| {
            let mut paths = vec![p.path()?];
            while p.accept(",") {
                paths.push(p.path()?);
            }
            Ok(paths)
        })?;
        check_overlaps(&paths).map_err(|fault| invalid(MEMBER, &fault))?;
        Ok(Self(paths))
    }

    /// A projection of these paths, for the parts of an item that an update touched.
    pub fn of(paths: Vec<Path>) -> Self {
        Self(paths)
    }

    /// The item's projected parts; paths that lead nowhere are left out, list elements close up.
    pub fn apply(&self, item: &Item) -> Item {
        let mut result = Item::new();
        for path in &self.0 {
            if result.contains_key(&path.attribute) {
                continue;
            }
            let below: Vec<&[Step]> =
                self.0.iter().filter(|p| p.attribute == path.attribute).map(|p| p.steps.as_slice()).collect();
            if let Some(value) = item.get(&path.attribute).and_then(|value| project(value, &below)) {
                result.insert(path.attribute.clone(), value);
            }
        }
        result
    }
}

fn project(value: &AttributeValue, paths: &[&[Step]]) -> Option<AttributeValue> {
    if paths.iter().any(|path| path.is_empty()) {
        return Some(value.clone());
    }
    let below = |step: &Step| -> Vec<&[Step]> {
        paths.iter().filter_map(|path| path.split_first()).filter(|(head, _)| *head == step).map(|(_, t)| t).collect()
    };
    match value {
        AttributeValue::Map(map) => {
            let kept: Item = map
                .iter()
                .filter_map(|(name, value)| {
                    let below = below(&Step::Name(name.clone()));
                    if below.is_empty() { None } else { Some((name.clone(), project(value, &below)?)) }
                })
                .collect();
            (!kept.is_empty()).then_some(AttributeValue::Map(kept))
        }
        AttributeValue::List(list) => {
            let kept: Vec<AttributeValue> = list
                .iter()
                .enumerate()
                .filter_map(|(index, value)| {
                    let below = below(&Step::Index(index));
                    if below.is_empty() { None } else { project(value, &below) }
                })
                .collect();
            (!kept.is_empty()).then_some(AttributeValue::List(kept))
        }
        _ => None,
    }
}

/// AWS's sentence when two of the paths overlap or conflict.
pub(super) fn check_overlaps(paths: &[Path]) -> Result<(), String> {
    for (index, one) in paths.iter().enumerate() {
        for two in &paths[index + 1..] {
            let verb = if one.overlaps(two) {
                "overlap"
            } else if one.conflicts(two) {
                "conflict"
            } else {
                continue;
            };
            return Err(format!(
                "Two document paths {verb} with each other; must remove or rewrite one of these paths; path one: \
                 {one}, path two: {two}"
            ));
        }
    }
    Ok(())
}
