//! `UpdateExpression`: SET, REMOVE, ADD and DELETE.

use super::lexer::Token;
use super::parser::{Parser, Sentence, invalid, parse, wrong_count, wrong_type};
use super::path::{Path, Step};
use super::placeholders::Placeholders;
use super::projection::check_overlaps;
use crate::sandbox::dynamodb::number::Number;
use crate::sandbox::dynamodb::value::{AttributeValue, Item};
use crate::sandbox::error::Fault;

const MEMBER: &str = "UpdateExpression";

/// A parsed update; no two of its paths overlap.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Update {
    set: Vec<(Path, Source)>,
    remove: Vec<Path>,
    add: Vec<(Path, AttributeValue)>,
    delete: Vec<(Path, AttributeValue)>,
}

/// What a SET action assigns.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Source {
    Value(AttributeValue),
    Path(Path),
    IfNotExists(Path, Box<Source>),
    ListAppend(Box<Source>, Box<Source>),
    Plus(Box<Source>, Box<Source>),
    Minus(Box<Source>, Box<Source>),
}

impl Update {
    /// Parses an `UpdateExpression`.
    ///
    /// # Errors
    /// `ValidationException`
    pub fn parse(text: &str, placeholders: &mut Placeholders) -> Result<Self, Fault> {
        let update = parse(MEMBER, text, placeholders, sections)?;
        check_overlaps(&update.paths()).map_err(|fault| invalid(MEMBER, &fault))?;
        Ok(update)
    }

    /// Every path the update changes.
    pub fn paths(&self) -> Vec<Path> {
        let pairs = self.add.iter().chain(&self.delete).map(|(path, _)| path);
        self.set.iter().map(|(path, _)| path).chain(&self.remove).chain(pairs).cloned().collect()
    }

    /// The updated item. Every action reads the item as it was before.
    ///
    /// # Errors
    /// `ValidationException`
    pub fn apply(&self, old: &Item) -> Result<Item, Fault> {
        let mut changes: Vec<(&Path, AttributeValue)> = Vec::new();
        for (path, source) in &self.set {
            changes.push((path, source.value(old)?));
        }
        for (path, operand) in &self.add {
            let value = match (path.get(old), operand) {
                (None, operand) => operand.clone(),
                (Some(AttributeValue::Number(a)), AttributeValue::Number(b)) => sum(*a, *b, Number::plus)?,
                (Some(AttributeValue::StringSet(a)), AttributeValue::StringSet(b)) => {
                    AttributeValue::StringSet(union(a, b))
                }
                (Some(AttributeValue::NumberSet(a)), AttributeValue::NumberSet(b)) => {
                    AttributeValue::NumberSet(union(a, b))
                }
                (Some(AttributeValue::BinarySet(a)), AttributeValue::BinarySet(b)) => {
                    AttributeValue::BinarySet(union(a, b))
                }
                _ => return Err(wrong_data_type()),
            };
            changes.push((path, value));
        }
        let mut removals: Vec<&Path> = self.remove.iter().collect();
        for (path, operand) in &self.delete {
            let left = match (path.get(old), operand) {
                (None, _) => continue,
                (Some(AttributeValue::StringSet(a)), AttributeValue::StringSet(b)) => {
                    difference(a, b).map(AttributeValue::StringSet)
                }
                (Some(AttributeValue::NumberSet(a)), AttributeValue::NumberSet(b)) => {
                    difference(a, b).map(AttributeValue::NumberSet)
                }
                (Some(AttributeValue::BinarySet(a)), AttributeValue::BinarySet(b)) => {
                    difference(a, b).map(AttributeValue::BinarySet)
                }
                _ => return Err(wrong_data_type()),
            };
            match left {
                Some(left) => changes.push((path, left)),
                None => removals.push(path),
            }
        }
        let mut item = old.clone();
        // Elements past the end of a list are appended in the order of their indexes, not of the expression.
        changes.sort_by_key(|(path, _)| *path);
        for (path, value) in changes {
            assign(&mut item, path, value)?;
        }
        // What lies in or below the later elements of a list goes first, so that the indexes of the others stay true.
        removals.sort_by(|a, b| b.cmp(a));
        for path in removals {
            remove(&mut item, path)?;
        }
        Ok(item)
    }
}

fn sum(
    a: Number,
    b: Number,
    operation: impl Fn(Number, Number) -> Result<Number, crate::sandbox::dynamodb::number::NumberError>,
) -> Result<AttributeValue, Fault> {
    operation(a, b).map(AttributeValue::Number).map_err(|error| Fault::invalid(error.to_string()))
}

fn union<T: Ord + Clone>(a: &[T], b: &[T]) -> Vec<T> {
    let mut all: Vec<T> = a.iter().chain(b).cloned().collect();
    all.sort_unstable();
    all.dedup();
    all
}

/// `None` when nothing is left: a set may not be empty.
fn difference<T: Ord + Clone>(a: &[T], b: &[T]) -> Option<Vec<T>> {
    let left: Vec<T> = a.iter().filter(|member| !b.contains(member)).cloned().collect();
    (!left.is_empty()).then_some(left)
}

fn wrong_data_type() -> Fault {
    Fault::invalid("An operand in the update expression has an incorrect data type")
}

fn wrong_path() -> Fault {
    Fault::invalid("The document path provided in the update expression is invalid for update")
}

/// The map or list that holds the path's last step, `None` for a top-level attribute.
fn parent<'a>(item: &'a mut Item, path: &Path) -> Result<Option<&'a mut AttributeValue>, Fault> {
    let Some((_, way)) = path.steps.split_last() else { return Ok(None) };
    let mut value = item.get_mut(&path.attribute).ok_or_else(wrong_path)?;
    for step in way {
        value = match (value, step) {
            (AttributeValue::Map(map), Step::Name(name)) => map.get_mut(name),
            (AttributeValue::List(list), Step::Index(index)) => list.get_mut(*index),
            _ => None,
        }
        .ok_or_else(wrong_path)?;
    }
    Ok(Some(value))
}

fn assign(item: &mut Item, path: &Path, value: AttributeValue) -> Result<(), Fault> {
    let Some(parent) = parent(item, path)? else {
        item.insert(path.attribute.clone(), value);
        return Ok(());
    };
    match (parent, path.steps.last()) {
        (AttributeValue::Map(map), Some(Step::Name(name))) => {
            map.insert(name.clone(), value);
        }
        (AttributeValue::List(list), Some(Step::Index(index))) => match list.get_mut(*index) {
            Some(place) => *place = value,
            // Past the end means at the end.
            None => list.push(value),
        },
        _ => return Err(wrong_path()),
    }
    Ok(())
}

fn remove(item: &mut Item, path: &Path) -> Result<(), Fault> {
    let Some(parent) = parent(item, path)? else {
        item.remove(&path.attribute);
        return Ok(());
    };
    match (parent, path.steps.last()) {
        (AttributeValue::Map(map), Some(Step::Name(name))) => {
            map.remove(name);
        }
        (AttributeValue::List(list), Some(Step::Index(index))) => {
            if *index < list.len() {
                list.remove(*index);
            }
        }
        _ => return Err(wrong_path()),
    }
    Ok(())
}

impl Source {
    fn value(&self, item: &Item) -> Result<AttributeValue, Fault> {
        let arithmetic =
            |a: &Source, b: &Source, operation: fn(Number, Number) -> _| match (a.value(item)?, b.value(item)?) {
                (AttributeValue::Number(a), AttributeValue::Number(b)) => sum(a, b, operation),
                _ => Err(wrong_data_type()),
            };
        match self {
            Self::Value(value) => Ok(value.clone()),
            Self::Path(path) => path.get(item).cloned().ok_or_else(|| {
                Fault::invalid("The provided expression refers to an attribute that does not exist in the item")
            }),
            Self::IfNotExists(path, otherwise) => match path.get(item) {
                Some(value) => Ok(value.clone()),
                None => otherwise.value(item),
            },
            Self::ListAppend(a, b) => match (a.value(item)?, b.value(item)?) {
                (AttributeValue::List(mut a), AttributeValue::List(b)) => {
                    a.extend(b);
                    Ok(AttributeValue::List(a))
                }
                _ => Err(wrong_data_type()),
            },
            Self::Plus(a, b) => arithmetic(a, b, Number::plus),
            Self::Minus(a, b) => arithmetic(a, b, Number::minus),
        }
    }
}

fn sections(p: &mut Parser<'_>) -> Result<Update, Sentence> {
    let mut update = Update { set: Vec::new(), remove: Vec::new(), add: Vec::new(), delete: Vec::new() };
    let mut seen: Vec<&str> = Vec::new();
    loop {
        let Some(section) = ["SET", "REMOVE", "ADD", "DELETE"].into_iter().find(|section| p.at_keyword(section)) else {
            return if p.peek() == Token::End { Ok(update) } else { Err(p.syntax_error()) };
        };
        if seen.contains(&section) {
            return Err(format!("The \"{section}\" section can only be used once in an update expression;"));
        }
        seen.push(section);
        p.advance();
        loop {
            p.count_operator()?;
            let path = p.path()?;
            match section {
                "SET" => {
                    p.expect("=")?;
                    update.set.push((path, source(p)?));
                }
                "REMOVE" => update.remove.push(path),
                _ => {
                    let value = p.accept_value()?.ok_or_else(|| p.syntax_error())?;
                    let fits = matches!(
                        value,
                        AttributeValue::StringSet(_) | AttributeValue::NumberSet(_) | AttributeValue::BinarySet(_)
                    ) || section == "ADD" && matches!(value, AttributeValue::Number(_));
                    if !fits {
                        return Err(format!(
                            "Incorrect operand type for operator or function; operator: {section}, operand type: {}",
                            long_type(&value)
                        ));
                    }
                    if section == "ADD" { &mut update.add } else { &mut update.delete }.push((path, value));
                }
            }
            if !p.accept(",") {
                break;
            }
        }
    }
}

/// ADD and DELETE spell types out in their errors.
fn long_type(value: &AttributeValue) -> &'static str {
    match value.type_name() {
        "S" => "STRING",
        "N" => "NUMBER",
        "B" => "BINARY",
        "BOOL" => "BOOLEAN",
        "M" => "MAP",
        "L" => "LIST",
        other => other,
    }
}

fn source(p: &mut Parser<'_>) -> Result<Source, Sentence> {
    let first = term(p)?;
    for (symbol, build) in [("+", Source::Plus as fn(_, _) -> _), ("-", Source::Minus as fn(_, _) -> _)] {
        if p.accept(symbol) {
            p.count_operator()?;
            let second = term(p)?;
            for side in [&first, &second] {
                if let Source::Value(value) = side
                    && !matches!(value, AttributeValue::Number(_))
                {
                    return Err(wrong_type(symbol, value.type_name()));
                }
            }
            return Ok(build(Box::new(first), Box::new(second)));
        }
    }
    Ok(first)
}

fn term(p: &mut Parser<'_>) -> Result<Source, Sentence> {
    if let Some(value) = p.accept_value()? {
        return Ok(Source::Value(value));
    }
    if p.accept("(") {
        let inner = p.nested(source)?;
        p.expect(")")?;
        return Ok(inner);
    }
    let Some(name) = p.at_function() else { return Ok(Source::Path(p.path()?)) };
    if !matches!(name, "if_not_exists" | "list_append") {
        return Err(match name {
            "attribute_exists" | "attribute_not_exists" | "attribute_type" | "begins_with" | "contains" | "size" => {
                format!("The function is not allowed in an update expression; function: {name}")
            }
            _ => format!("Invalid function name; function: {name}"),
        });
    }
    p.count_operator()?;
    p.advance();
    let mut arguments = p.nested(|p| p.list(term))?;
    let count = arguments.len();
    let (Some(second), Some(first), 2) = (arguments.pop(), arguments.pop(), count) else {
        return Err(wrong_count(name, count));
    };
    if name == "if_not_exists" {
        let Source::Path(path) = first else {
            return Err(format!("Operator or function requires a document path; operator or function: {name}"));
        };
        return Ok(Source::IfNotExists(path, Box::new(second)));
    }
    for side in [&first, &second] {
        if let Source::Value(value) = side
            && !matches!(value, AttributeValue::List(_))
        {
            return Err(wrong_type(name, value.type_name()));
        }
    }
    Ok(Source::ListAppend(Box::new(first), Box::new(second)))
}
