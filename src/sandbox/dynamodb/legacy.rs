//! The parameters from before expressions: `AttributesToGet`, `KeyConditions`, `QueryFilter`, `ScanFilter`,
//! `ConditionalOperator`, `Expected` and `AttributeUpdates`. They become expressions here and are unknown elsewhere.
//!
//! One difference stays: AttributeUpdates that only delete attributes of an item that doesn't exist make the item, as an
//! UpdateExpression does. On AWS nothing happens.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use super::value::AttributeValue;
use crate::sandbox::error::Fault;
use crate::sandbox::validate::Members;

/// Those of GetItem and of a table in BatchGetItem.
pub const GET: &[&str] = &["AttributesToGet"];
/// Those of PutItem and DeleteItem.
pub const WRITE: &[&str] = &["Expected", "ConditionalOperator"];
/// Those of UpdateItem.
pub const UPDATE: &[&str] = &["AttributeUpdates", "Expected", "ConditionalOperator"];
/// Those of Query.
pub const QUERY: &[&str] = &["AttributesToGet", "QueryFilter", "ConditionalOperator", "KeyConditions"];
/// Those of Scan.
pub const SCAN: &[&str] = &["AttributesToGet", "ScanFilter", "ConditionalOperator"];

/// Expressions, in the order in which errors list them.
const EXPRESSIONS: [&str; 5] =
    ["UpdateExpression", "ConditionExpression", "ProjectionExpression", "FilterExpression", "KeyConditionExpression"];

/// The operators, in the order in which errors list them.
const OPERATORS: [&str; 13] = [
    "IN",
    "NULL",
    "BETWEEN",
    "LT",
    "NOT_CONTAINS",
    "EQ",
    "GT",
    "NOT_NULL",
    "NE",
    "LE",
    "BEGINS_WITH",
    "GE",
    "CONTAINS",
];

/// Adds the expressions that the legacy parameters among `names` mean. `expressions` are those of the request.
///
/// # Errors
/// `ValidationException` for parameters that don't go together, `SerializationException`.
pub fn translate(members: &Members<'_>, names: &[&str], expressions: &mut Map<String, Value>) -> Result<(), Fault> {
    let given: Vec<&str> = names.iter().copied().filter(|name| members.has(name)).collect();
    if given.is_empty() {
        return Ok(());
    }
    let mut translation = Translation::new(expressions);
    // All of it is read first, for its violations.
    let results = [
        translation.projection(members, names),
        translation.update(members, names),
        translation.conditions(members, names),
        translation.keys(members, names),
    ];
    check_mixture(members, &given)?;
    results.into_iter().collect::<Result<(), Fault>>()?;
    let has_expression = EXPRESSIONS.iter().any(|name| members.has(name));
    if has_expression || !["ExpressionAttributeNames", "ExpressionAttributeValues"].iter().any(|name| members.has(name))
    {
        translation.add_to(expressions);
    }
    Ok(())
}

/// Refuses legacy parameters beside expressions. KeyConditions alone go together with other expressions.
fn check_mixture(members: &Members<'_>, given: &[&str]) -> Result<(), Fault> {
    let expressions: Vec<&str> = EXPRESSIONS.into_iter().filter(|name| members.has(name)).collect();
    let has_key_expression = expressions.contains(&"KeyConditionExpression");
    let others: Vec<&str> =
        given.iter().copied().filter(|name| *name != "KeyConditions" || has_key_expression).collect();
    if expressions.is_empty() || others.is_empty() {
        return Ok(());
    }
    Err(mixed(&others, &expressions))
}

/// AWS's error for both kinds of parameters in one request (issue threads).
pub fn mixed(legacy: &[&str], expressions: &[&str]) -> Fault {
    Fault::invalid(format!(
        "Can not use both expression and non-expression parameters in the same request: Non-expression parameters: {{{}}} \
         Expression parameters: {{{}}}",
        legacy.join(", "),
        expressions.join(", ")
    ))
}

/// Expressions in the making, with placeholders that the request doesn't have.
struct Translation {
    texts: Vec<(&'static str, String)>,
    names: Map<String, Value>,
    values: Map<String, Value>,
}

impl Translation {
    fn new(expressions: &Map<String, Value>) -> Self {
        let given = |name| expressions.get(name).and_then(Value::as_object).cloned().unwrap_or_default();
        Self { texts: Vec::new(), names: given("ExpressionAttributeNames"), values: given("ExpressionAttributeValues") }
    }

    fn add_to(self, expressions: &mut Map<String, Value>) {
        if self.texts.is_empty() {
            return;
        }
        expressions.extend(self.texts.into_iter().map(|(member, text)| (member.to_owned(), Value::from(text))));
        for (member, map) in [("ExpressionAttributeNames", self.names), ("ExpressionAttributeValues", self.values)] {
            if !map.is_empty() {
                expressions.insert(member.to_owned(), Value::Object(map));
            }
        }
    }

    fn name(&mut self, attribute: &str) -> String {
        add(&mut self.names, '#', Value::from(attribute))
    }

    fn value(&mut self, value: &Value) -> String {
        add(&mut self.values, ':', value.clone())
    }

    /// `AttributesToGet`
    fn projection(&mut self, members: &Members<'_>, names: &[&str]) -> Result<(), Fault> {
        const MEMBER: &str = "AttributesToGet";
        if !names.contains(&MEMBER) || !members.has(MEMBER) {
            return Ok(());
        }
        let attributes = members.texts(MEMBER)?;
        members.check_length(MEMBER, "[]", attributes.len(), &(1..=usize::MAX));
        let mut seen = BTreeSet::new();
        if let Some(twice) = attributes.iter().find(|attribute| !seen.insert(**attribute)) {
            return Err(invalid(format_args!("Duplicate value in attribute name: {twice}")));
        }
        let paths: Vec<String> = attributes.iter().map(|attribute| self.name(attribute)).collect();
        self.texts.push(("ProjectionExpression", paths.join(", ")));
        Ok(())
    }

    /// `AttributeUpdates`
    fn update(&mut self, members: &Members<'_>, names: &[&str]) -> Result<(), Fault> {
        let mut sections = Sections::default();
        let entries = entries(members, "AttributeUpdates", names)?;
        // Every entry is read, for its violations.
        let results: Vec<_> =
            entries.iter().map(|(name, update)| self.update_of(name, update, &mut sections)).collect();
        results.into_iter().collect::<Result<(), Fault>>()?;
        let sections =
            [("SET", sections.set), ("REMOVE", sections.remove), ("ADD", sections.add), ("DELETE", sections.delete)];
        let given = sections.iter().filter(|(_, actions)| !actions.is_empty());
        let text: Vec<String> = given.map(|(section, actions)| format!("{section} {}", actions.join(", "))).collect();
        if !text.is_empty() {
            self.texts.push(("UpdateExpression", text.join(" ")));
        }
        Ok(())
    }

    /// One entry of `AttributeUpdates`.
    fn update_of(&mut self, attribute: &str, update: &Members<'_>, sections: &mut Sections) -> Result<(), Fault> {
        let action = update.choice("Action", &["ADD", "PUT", "DELETE"])?.unwrap_or("PUT");
        let value = update.value("Value");
        let kind = value.map(AttributeValue::from_json).transpose()?.map(|value| value.type_name());
        let is_set = matches!(kind, Some("SS" | "NS" | "BS"));
        let name = self.name(attribute);
        match (action, value) {
            ("DELETE", None) => sections.remove.push(name),
            (_, None) => {
                return Err(invalid(format_args!(
                    "Only DELETE action is allowed when no attribute value is specified"
                )));
            }
            ("ADD", Some(value)) if is_set || kind == Some("N") => {
                sections.add.push(format!("{name} {}", self.value(value)));
            }
            ("DELETE", Some(value)) if is_set => sections.delete.push(format!("{name} {}", self.value(value))),
            ("PUT", Some(value)) => sections.set.push(format!("{name} = {}", self.value(value))),
            (action, Some(_)) => {
                let kind = kind.unwrap_or_default();
                return Err(invalid(format_args!("{action} action is not supported for the type {kind}")));
            }
        }
        Ok(())
    }

    /// `Expected`, `QueryFilter` or `ScanFilter`, with `ConditionalOperator`.
    fn conditions(&mut self, members: &Members<'_>, names: &[&str]) -> Result<(), Fault> {
        if !names.contains(&"ConditionalOperator") {
            return Ok(());
        }
        let operator = members.choice("ConditionalOperator", &["OR", "AND"])?;
        let mut texts = Vec::new();
        for (attribute, condition) in entries(members, "Expected", names)? {
            texts.push(self.expected(attribute, &condition));
        }
        for member in ["QueryFilter", "ScanFilter"] {
            for (attribute, condition) in entries(members, member, names)? {
                texts.push(self.condition(attribute, &condition).map(|(text, _)| text));
            }
        }
        let texts: Vec<String> = texts.into_iter().collect::<Result<_, Fault>>()?;
        match (operator, texts.len()) {
            (Some(_), 0) => {
                return Err(Fault::invalid("ConditionalOperator cannot be used without Filter or Expected"));
            }
            (Some(_), 1) => {
                return Err(Fault::invalid(
                    "ConditionalOperator can only be used when Filter or Expected has two or more elements",
                ));
            }
            (_, 0) => return Ok(()),
            _ => {}
        }
        let member = if names.contains(&"Expected") { "ConditionExpression" } else { "FilterExpression" };
        self.texts.push((member, texts.join(if operator == Some("OR") { " OR " } else { " AND " })));
        Ok(())
    }

    /// `KeyConditions`
    fn keys(&mut self, members: &Members<'_>, names: &[&str]) -> Result<(), Fault> {
        if !names.contains(&"KeyConditions") || !members.has("KeyConditions") {
            return Ok(());
        }
        let mut texts = Vec::new();
        for (attribute, condition) in entries(members, "KeyConditions", names)? {
            texts.push(self.condition(attribute, &condition));
        }
        let texts: Vec<(String, &str)> = texts.into_iter().collect::<Result<_, Fault>>()?;
        let is_indexable =
            |operator| matches!(operator, "EQ" | "LE" | "LT" | "GE" | "GT" | "BEGINS_WITH" | "BETWEEN" | "");
        if !texts.iter().all(|(_, operator)| is_indexable(*operator)) {
            return Err(Fault::invalid("Attempted conditional constraint is not an indexable operation"));
        }
        let texts: Vec<String> = texts.into_iter().map(|(text, _)| text).collect();
        if !(1..=2).contains(&texts.len()) {
            return Err(Fault::invalid("Conditions can be of length 1 or 2 only"));
        }
        self.texts.push(("KeyConditionExpression", texts.join(" AND ")));
        Ok(())
    }

    /// One entry of a filter or of KeyConditions, and its operator.
    fn condition(&mut self, attribute: &str, members: &Members<'_>) -> Result<(String, &'static str), Fault> {
        let operator = members.required_choice("ComparisonOperator", &OPERATORS)?;
        let values = members.list("AttributeValueList")?.unwrap_or_default();
        if operator.is_empty() {
            // A violation says so.
            return Ok((String::new(), operator));
        }
        Ok((self.comparison(attribute, operator, values)?, operator))
    }

    /// One entry of `Expected`.
    fn expected(&mut self, attribute: &str, members: &Members<'_>) -> Result<String, Fault> {
        let operator = members.choice("ComparisonOperator", &OPERATORS)?;
        let (value, exists) = (members.value("Value"), members.flag("Exists")?);
        let list = members.list("AttributeValueList")?;
        let refuse = |what: String| Err(invalid(format_args!("{what} for Attribute: {attribute}")));
        match (operator, value, list, exists) {
            (_, Some(_), Some(_), _) => refuse("Value and AttributeValueList cannot be used together".to_owned()),
            (Some(_), _, _, Some(_)) => refuse("Exists and ComparisonOperator cannot be used together".to_owned()),
            (Some(operator), None, None, None) if !matches!(operator, "NULL" | "NOT_NULL") => {
                refuse(format!("Value or AttributeValueList must be used with ComparisonOperator: {operator}"))
            }
            (Some(operator), value, list, None) => {
                let values = list.or(value.map(std::slice::from_ref)).unwrap_or_default();
                self.comparison(attribute, operator, values)
            }
            (None, None, Some(_), _) => {
                refuse("AttributeValueList can only be used with a ComparisonOperator".to_owned())
            }
            (None, Some(_), None, Some(false)) => refuse("Value cannot be used when Exists is false".to_owned()),
            (None, None, None, Some(false)) => self.comparison(attribute, "NULL", &[]),
            (None, Some(value), None, _) => self.comparison(attribute, "EQ", std::slice::from_ref(value)),
            (None, None, None, exists) => {
                let exists = if exists.is_some() { "true" } else { "null" };
                refuse(format!("Value must be provided when Exists is {exists}"))
            }
        }
    }

    /// The condition that an operator means.
    fn comparison(&mut self, attribute: &str, operator: &str, values: &[Value]) -> Result<String, Fault> {
        check_values(operator, values)?;
        let name = self.name(attribute);
        let values: Vec<String> = values.iter().map(|value| self.value(value)).collect();
        let list = values.join(", ");
        Ok(match operator {
            "NULL" => format!("attribute_not_exists({name})"),
            "NOT_NULL" => format!("attribute_exists({name})"),
            "CONTAINS" => format!("contains({name}, {list})"),
            "NOT_CONTAINS" => format!("NOT contains({name}, {list})"),
            "BEGINS_WITH" => format!("begins_with({name}, {list})"),
            "BETWEEN" => format!("{name} BETWEEN {}", values.join(" AND ")),
            "IN" => format!("{name} IN ({list})"),
            "NE" => format!("{name} <> {list}"),
            "LT" => format!("{name} < {list}"),
            "LE" => format!("{name} <= {list}"),
            "GT" => format!("{name} > {list}"),
            "GE" => format!("{name} >= {list}"),
            _ => format!("{name} = {list}"),
        })
    }
}

/// The sections of an UpdateExpression.
#[derive(Default)]
struct Sections {
    set: Vec<String>,
    remove: Vec<String>,
    add: Vec<String>,
    delete: Vec<String>,
}

/// Adds a placeholder that is not there yet.
fn add(map: &mut Map<String, Value>, sign: char, value: Value) -> String {
    let mut number = map.len();
    while map.contains_key(&format!("{sign}{number}")) {
        number += 1;
    }
    let placeholder = format!("{sign}{number}");
    map.insert(placeholder.clone(), value);
    placeholder
}

/// The entries of an optional map, if the operation has it.
fn entries<'a>(members: &Members<'a>, member: &str, names: &[&str]) -> Result<Vec<(&'a str, Members<'a>)>, Fault> {
    let is_empty = members.value(member).and_then(Value::as_object).is_some_and(Map::is_empty);
    if !names.contains(&member) || !members.has(member) || is_empty {
        return Ok(Vec::new());
    }
    Ok(members.entries(member)?.into_iter().map(|(name, entry, _)| (name, entry)).collect())
}

/// Checks the number and the types of an operator's values.
fn check_values(operator: &str, values: &[Value]) -> Result<(), Fault> {
    let counts = match operator {
        "NULL" | "NOT_NULL" => 0..=0,
        "BETWEEN" => 2..=2,
        "IN" => 1..=usize::MAX,
        _ => 1..=1,
    };
    if !counts.contains(&values.len()) {
        return Err(invalid(format_args!("Invalid number of argument(s) for the {operator} ComparisonOperator")));
    }
    let values = values.iter().map(AttributeValue::from_json).collect::<Result<Vec<_>, _>>()?;
    let fits = |kind: &str| match operator {
        "EQ" | "NE" => true,
        "BEGINS_WITH" => matches!(kind, "S" | "B"),
        "CONTAINS" | "NOT_CONTAINS" => !matches!(kind, "SS" | "NS" | "BS" | "L" | "M"),
        _ => matches!(kind, "S" | "N" | "B"),
    };
    if let Some(kind) = values.iter().map(AttributeValue::type_name).find(|kind| !fits(kind)) {
        let message = format_args!("ComparisonOperator {operator} is not valid for {kind} AttributeValue type");
        return Err(invalid(message));
    }
    if values.windows(2).any(|pair| pair[0].type_name() != pair[1].type_name()) {
        return Err(invalid(format_args!("AttributeValues inside AttributeValueList must all be of the same type")));
    }
    if let ("BETWEEN", [low, high]) = (operator, &values[..])
        && low.compare(high).is_some_and(|order| order.is_gt())
    {
        return Err(Fault::invalid(
            "The BETWEEN condition was provided a range where the lower bound is greater than the upper bound",
        ));
    }
    Ok(())
}

fn invalid(message: std::fmt::Arguments<'_>) -> Fault {
    Fault::invalid(format!("One or more parameter values were invalid: {message}"))
}
