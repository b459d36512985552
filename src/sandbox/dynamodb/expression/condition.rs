//! Conditions: `ConditionExpression`, `FilterExpression` and the grammar of `KeyConditionExpression`.

use super::lexer::Token;
use super::parser::{Parser, Sentence, parse, wrong_count, wrong_type};
use super::path::Path;
use super::placeholders::Placeholders;
use crate::sandbox::dynamodb::value::AttributeValue;
use crate::sandbox::error::Fault;

/// A comparator.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Comparator {
    /// `=`
    Equal,
    /// `<>`
    NotEqual,
    /// `<`
    Less,
    /// `<=`
    LessOrEqual,
    /// `>`
    Greater,
    /// `>=`
    GreaterOrEqual,
}

impl Comparator {
    fn from_symbol(symbol: &str) -> Option<Self> {
        Some(match symbol {
            "=" => Self::Equal,
            "<>" => Self::NotEqual,
            "<" => Self::Less,
            "<=" => Self::LessOrEqual,
            ">" => Self::Greater,
            ">=" => Self::GreaterOrEqual,
            _ => return None,
        })
    }

    fn orders(self) -> bool {
        !matches!(self, Self::Equal | Self::NotEqual)
    }
}

/// What a comparison or function looks at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Operand {
    /// A document path.
    Path(Path),
    /// A placeholder's value.
    Value(AttributeValue),
    /// `size(path)`
    Size(Path),
}

impl Operand {
    fn known_type(&self) -> Option<&'static str> {
        match self {
            Self::Path(_) => None,
            Self::Value(value) => Some(value.type_name()),
            Self::Size(_) => Some("N"),
        }
    }

    fn must_be(&self, operator: &str, allowed: &[&str]) -> Result<(), Sentence> {
        match self.known_type() {
            Some(found) if !allowed.contains(&found) => Err(wrong_type(operator, found)),
            _ => Ok(()),
        }
    }
}

/// A parsed condition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Condition {
    /// All of them.
    And(Vec<Condition>),
    /// Any of them.
    Or(Vec<Condition>),
    /// Not this.
    Not(Box<Condition>),
    /// `a = b`
    Compare(Comparator, Operand, Operand),
    /// `a BETWEEN low AND high`
    Between(Operand, Operand, Operand),
    /// `a IN (b, …)`
    In(Operand, Vec<Operand>),
    /// `attribute_exists(path)`
    Exists(Path),
    /// `attribute_not_exists(path)`
    NotExists(Path),
    /// `attribute_type(path, :type)`
    HasType(Path, String),
    /// `begins_with(a, b)`
    BeginsWith(Operand, Operand),
    /// `contains(a, b)`
    Contains(Operand, Operand),
}

impl Condition {
    /// Parses the expression of the request member `member`.
    ///
    /// # Errors
    /// `ValidationException`
    pub fn parse(member: &str, text: &str, placeholders: &mut Placeholders) -> Result<Self, Fault> {
        parse(member, text, placeholders, |parser| Rules { group: None }.or(parser))
    }

    /// Whether any path of the condition starts at one of `attributes`.
    pub fn mentions(&self, attributes: &[&str]) -> Option<String> {
        let path = |path: &Path| attributes.contains(&path.attribute.as_str()).then(|| path.attribute.clone());
        let operand = |operand: &Operand| match operand {
            Operand::Path(p) | Operand::Size(p) => path(p),
            Operand::Value(_) => None,
        };
        match self {
            Self::And(parts) | Self::Or(parts) => parts.iter().find_map(|part| part.mentions(attributes)),
            Self::Not(part) => part.mentions(attributes),
            Self::Compare(_, a, b) | Self::BeginsWith(a, b) | Self::Contains(a, b) => operand(a).or_else(|| operand(b)),
            Self::Between(a, b, c) => operand(a).or_else(|| operand(b)).or_else(|| operand(c)),
            Self::In(a, list) => operand(a).or_else(|| list.iter().find_map(operand)),
            Self::Exists(p) | Self::NotExists(p) | Self::HasType(p, _) => path(p),
        }
    }
}

/// The grammar; remembers the last parenthesised group to notice `((…))`.
struct Rules {
    group: Option<(usize, usize)>,
}

impl Rules {
    fn or(&mut self, p: &mut Parser<'_>) -> Result<Condition, Sentence> {
        let mut parts = vec![self.and(p)?];
        while p.accept_keyword("OR") {
            p.count_operator()?;
            parts.push(self.and(p)?);
        }
        Ok(if parts.len() == 1 { parts.remove(0) } else { Condition::Or(parts) })
    }

    fn and(&mut self, p: &mut Parser<'_>) -> Result<Condition, Sentence> {
        let mut parts = vec![self.not(p)?];
        while p.accept_keyword("AND") {
            p.count_operator()?;
            parts.push(self.not(p)?);
        }
        Ok(if parts.len() == 1 { parts.remove(0) } else { Condition::And(parts) })
    }

    fn not(&mut self, p: &mut Parser<'_>) -> Result<Condition, Sentence> {
        if p.accept_keyword("NOT") {
            p.count_operator()?;
            return p.nested(|p| self.not(p)).map(|inner| Condition::Not(Box::new(inner)));
        }
        let start = p.position();
        if !p.at_parenthesised_operand() && p.accept("(") {
            let inner = p.nested(|p| self.or(p))?;
            let end = p.position();
            p.expect(")")?;
            if self.group == Some((start + 1, end.wrapping_sub(1))) {
                return Err("The expression has redundant parentheses;".into());
            }
            self.group = Some((start, end));
            return Ok(inner);
        }
        p.count_operator()?;
        match p.at_function() {
            Some("size") | None => comparison(p),
            Some(name) => function(p, name),
        }
    }
}

fn function(p: &mut Parser<'_>, name: &str) -> Result<Condition, Sentence> {
    if !matches!(name, "attribute_exists" | "attribute_not_exists" | "attribute_type" | "begins_with" | "contains") {
        return Err(match name {
            "if_not_exists" | "list_append" => {
                format!("The function is not allowed to be used this way in an expression; function: {name}")
            }
            _ if matches!(name.to_ascii_uppercase().as_str(), "AND" | "OR" | "IN" | "BETWEEN") => p.syntax_error(),
            _ => format!("Invalid function name; function: {name}"),
        });
    }
    p.advance();
    let mut operands = p.list(operand)?;
    let count = operands.len();
    let wanted = if matches!(name, "attribute_exists" | "attribute_not_exists") { 1 } else { 2 };
    if count != wanted {
        return Err(wrong_count(name, count));
    }
    let second = if wanted == 2 { operands.pop() } else { None };
    let first = operands.pop().ok_or_else(|| wrong_count(name, 0))?;
    let path_of = |operand: Operand| match operand {
        Operand::Path(path) => Ok(path),
        _ => Err(format!("Operator or function requires a document path; operator or function: {name}")),
    };
    let Some(second) = second else {
        let path = path_of(first)?;
        return Ok(if name == "attribute_exists" { Condition::Exists(path) } else { Condition::NotExists(path) });
    };
    if name == "attribute_type" {
        let path = path_of(first)?;
        return match second {
            Operand::Value(AttributeValue::String(wanted)) => {
                const TYPES: [&str; 10] = ["B", "NULL", "SS", "BOOL", "L", "BS", "N", "NS", "S", "M"];
                if !TYPES.contains(&wanted.as_str()) {
                    return Err(format!(
                        "Invalid attribute type name found; type: {wanted}, valid types: {{{}}}",
                        TYPES.join(",")
                    ));
                }
                Ok(Condition::HasType(path, wanted))
            }
            Operand::Value(other) => Err(wrong_type(name, other.type_name())),
            _ => Err(format!(
                "Operator or function requires an expression attribute value; operator or function: {name}"
            )),
        };
    }
    distinct(name, &first, std::slice::from_ref(&second))?;
    if name == "begins_with" {
        first.must_be(name, &["S", "B"])?;
        second.must_be(name, &["S", "B"])?;
        return Ok(Condition::BeginsWith(first, second));
    }
    first.must_be(name, &["S", "SS", "NS", "BS", "L", "B"])?;
    Ok(Condition::Contains(first, second))
}

fn comparison(p: &mut Parser<'_>) -> Result<Condition, Sentence> {
    let first = operand(p)?;
    const ORDERED: &[&str] = &["S", "N", "B"];
    if p.accept_keyword("BETWEEN") {
        let low = operand(p)?;
        if !p.accept_keyword("AND") {
            return Err(p.syntax_error());
        }
        let high = operand(p)?;
        for side in [&first, &low, &high] {
            side.must_be("BETWEEN", ORDERED)?;
        }
        if let (Operand::Value(low), Operand::Value(high)) = (&low, &high) {
            let bounds = |rule: &str| {
                format!(
                    "The BETWEEN operator requires {rule}; lower bound operand: AttributeValue: {}, upper bound \
                     operand: AttributeValue: {}",
                    low.describe(),
                    high.describe()
                )
            };
            match low.compare(high) {
                None => return Err(bounds("same data type for lower and upper bounds")),
                Some(std::cmp::Ordering::Greater) => {
                    return Err(bounds("upper bound to be greater than or equal to lower bound"));
                }
                Some(_) => {}
            }
        }
        return Ok(Condition::Between(first, low, high));
    }
    if p.accept_keyword("IN") {
        let list = p.list(operand)?;
        if list.len() > 100 {
            return Err(wrong_count("IN", list.len() + 1));
        }
        distinct("IN", &first, &list)?;
        return Ok(Condition::In(first, list));
    }
    let Token::Symbol(symbol) = p.peek() else { return Err(p.syntax_error()) };
    let comparator = Comparator::from_symbol(symbol).ok_or_else(|| p.syntax_error())?;
    p.advance();
    let second = operand(p)?;
    distinct(symbol, &first, std::slice::from_ref(&second))?;
    if comparator.orders() {
        first.must_be(symbol, ORDERED)?;
        second.must_be(symbol, ORDERED)?;
    }
    Ok(Condition::Compare(comparator, first, second))
}

fn distinct(operator: &str, first: &Operand, rest: &[Operand]) -> Result<(), Sentence> {
    match first {
        Operand::Path(path) if rest.contains(first) => Err(format!(
            "The first operand must be distinct from the remaining operands for this operator or function; operator: \
             {operator}, first operand: {path}"
        )),
        _ => Ok(()),
    }
}

fn operand(p: &mut Parser<'_>) -> Result<Operand, Sentence> {
    if p.accept("(") {
        let is_redundant = p.peek() == Token::Symbol("(");
        let inner = p.nested(operand)?;
        p.expect(")")?;
        return if is_redundant { Err("The expression has redundant parentheses;".into()) } else { Ok(inner) };
    }
    if let Some(value) = p.accept_value()? {
        return Ok(Operand::Value(value));
    }
    match p.at_function() {
        Some("size") => {
            p.count_operator()?;
            p.advance();
            let mut arguments = p.nested(|p| p.list(operand))?;
            match (arguments.len(), arguments.pop()) {
                (1, Some(Operand::Path(path))) => Ok(Operand::Size(path)),
                (1, Some(other)) => match other.known_type() {
                    Some(found) if found == "N" || found == "BOOL" || found == "NULL" => Err(wrong_type("size", found)),
                    _ => Err("Operator or function requires a document path; operator or function: size".into()),
                },
                (count, _) => Err(wrong_count("size", count)),
            }
        }
        Some(name) if name.starts_with("attribute_") || name == "begins_with" || name == "contains" => {
            Err(format!("The function is not allowed to be used this way in an expression; function: {name}"))
        }
        _ => Ok(Operand::Path(p.path()?)),
    }
}
