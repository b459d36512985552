//! The condition operators (IAM guide).
//!
//! Several operators and several keys of a statement are ANDed, several values of one key are ORed; the negated
//! operators are the denial of their positive sister, so several values are NORed.

use std::net::IpAddr;

use time::format_description::well_known::Rfc3339;
use time::macros::format_description;
use time::{Date, OffsetDateTime, PrimitiveDateTime};

use super::context::ConditionContext;
use super::error::PolicyErrorKind;
use super::pattern::{Pattern, Syntax};

/// One key of one operator of a `Condition` element, ready to be tested.
#[derive(Debug, Clone, PartialEq)]
pub struct Condition {
    operator: String,
    key: String,
    lookup: String,
    quantifier: Quantifier,
    if_exists: bool,
    negated: bool,
    test: Test,
    values: Vec<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Quantifier {
    /// No set operator.
    Plain,
    ForAnyValue,
    ForAllValues,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Order {
    Equal,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

impl Order {
    fn holds<T: PartialOrd>(self, found: T, wanted: T) -> bool {
        match self {
            Self::Equal => found == wanted,
            Self::Less => found < wanted,
            Self::LessOrEqual => found <= wanted,
            Self::Greater => found > wanted,
            Self::GreaterOrEqual => found >= wanted,
        }
    }
}

/// The wanted values, read once.
#[derive(Debug, Clone, PartialEq)]
enum Test {
    Text(Vec<Pattern>),
    Number(Order, Vec<f64>),
    /// Seconds since the epoch.
    Date(Order, Vec<f64>),
    Bool(Vec<bool>),
    Network(Vec<Network>),
    /// `Null`: whether the key must be absent.
    Absent(Vec<bool>),
}

/// What to compare, before the values are read.
enum Kind {
    Text { syntax: Syntax, ignore_case: bool },
    Number(Order),
    Date(Order),
    Bool,
    Network,
    Null,
}

impl Condition {
    /// Reads one key of one operator.
    ///
    /// # Errors
    /// [`PolicyErrorKind::Syntax`] with what is wrong.
    pub(super) fn parse(
        operator: &str,
        key: &str,
        values: Vec<String>,
        variables: bool,
    ) -> Result<Self, PolicyErrorKind> {
        let wrong = |detail: String| Err(PolicyErrorKind::Syntax(detail));
        let (quantifier, name) = match operator.split_once(':') {
            Some(("ForAnyValue", name)) => (Quantifier::ForAnyValue, name),
            Some(("ForAllValues", name)) => (Quantifier::ForAllValues, name),
            Some((prefix, _)) => return wrong(format!("{prefix} is no set operator")),
            None => (Quantifier::Plain, operator),
        };
        let (name, if_exists) = match name.strip_suffix("IfExists") {
            Some(name) => (name, true),
            None => (name, false),
        };
        let Some((kind, negated)) = kind_of(name) else {
            return wrong(format!("{operator} is no condition operator"));
        };
        if matches!(kind, Kind::Null) && (if_exists || quantifier != Quantifier::Plain) {
            return wrong(format!("{operator}: Null takes neither a set operator nor IfExists"));
        }
        if !key.contains(':') {
            return wrong(format!(
                "{key} is no condition key; a condition key begins with a service, for example kms:ViaService"
            ));
        }
        let test = match read_values(&kind, &values, variables) {
            Ok(test) => test,
            Err(Unreadable(value)) => return wrong(format!("{operator} can't compare {key} with {value:?}")),
        };
        Ok(Self {
            operator: operator.to_owned(),
            key: key.to_owned(),
            lookup: key.to_lowercase(),
            quantifier,
            if_exists,
            negated,
            test,
            values,
        })
    }

    /// As the document spells it, for example `ForAnyValue:StringLike`.
    pub fn operator(&self) -> &str {
        &self.operator
    }

    /// The condition key as the document spells it.
    pub fn key(&self) -> &str {
        &self.key
    }

    /// The values the document gives.
    pub fn values(&self) -> &[String] {
        &self.values
    }

    /// What the request says of the key: empty when it doesn't carry it.
    pub fn found<'a>(&self, context: &'a ConditionContext) -> &'a [String] {
        context.get(&self.lookup).unwrap_or_default()
    }

    /// Whether the request fulfils it.
    pub fn holds(&self, context: &ConditionContext) -> bool {
        let found = self.found(context);
        if let Test::Absent(wanted) = &self.test {
            return wanted.contains(&found.is_empty());
        }
        if found.is_empty() {
            return match self.quantifier {
                _ if self.if_exists => true,
                // No value at all: "all of them" holds, "one of them" doesn't, negated or not (IAM guide).
                Quantifier::ForAllValues => true,
                Quantifier::ForAnyValue => false,
                Quantifier::Plain => self.negated,
            };
        }
        let holds_for = |value: &String| self.equals(value, context) != self.negated;
        match (self.quantifier, self.negated) {
            (Quantifier::ForAnyValue, _) | (Quantifier::Plain, false) => found.iter().any(holds_for),
            (Quantifier::ForAllValues, _) | (Quantifier::Plain, true) => found.iter().all(holds_for),
        }
    }

    /// Whether one found value fits one of the wanted values, the negation left aside. A value that can't be read
    /// (no number, no date) fits none.
    fn equals(&self, found: &str, context: &ConditionContext) -> bool {
        match &self.test {
            Test::Text(wanted) => wanted.iter().any(|pattern| pattern.matches(found, context)),
            Test::Number(order, wanted) => {
                read_number(found).is_some_and(|found| wanted.iter().any(|wanted| order.holds(found, *wanted)))
            }
            Test::Date(order, wanted) => {
                read_date(found).is_some_and(|found| wanted.iter().any(|wanted| order.holds(found, *wanted)))
            }
            Test::Bool(wanted) => read_bool(found).is_some_and(|found| wanted.contains(&found)),
            Test::Network(wanted) => {
                found.parse().is_ok_and(|address| wanted.iter().any(|network| network.contains(address)))
            }
            Test::Absent(_) => false,
        }
    }
}

/// The operator without set operator and `IfExists`, and whether it is the negated form.
fn kind_of(name: &str) -> Option<(Kind, bool)> {
    const fn text(syntax: Syntax) -> Kind {
        Kind::Text { syntax, ignore_case: false }
    }
    const ANY_CASE: Kind = Kind::Text { syntax: Syntax::Literal, ignore_case: true };
    let order = |rest: &str| {
        Some(match rest {
            "Equals" => (Order::Equal, false),
            "NotEquals" => (Order::Equal, true),
            "LessThan" => (Order::Less, false),
            "LessThanEquals" => (Order::LessOrEqual, false),
            "GreaterThan" => (Order::Greater, false),
            "GreaterThanEquals" => (Order::GreaterOrEqual, false),
            _ => return None,
        })
    };
    Some(match name {
        "StringEquals" | "BinaryEquals" => (text(Syntax::Literal), false),
        "StringNotEquals" => (text(Syntax::Literal), true),
        "StringEqualsIgnoreCase" => (ANY_CASE, false),
        "StringNotEqualsIgnoreCase" => (ANY_CASE, true),
        "StringLike" => (text(Syntax::Glob), false),
        "StringNotLike" => (text(Syntax::Glob), true),
        // AWS evaluates ArnEquals and ArnLike the same way (IAM guide).
        "ArnEquals" | "ArnLike" => (text(Syntax::Arn), false),
        "ArnNotEquals" | "ArnNotLike" => (text(Syntax::Arn), true),
        "Bool" => (Kind::Bool, false),
        "IpAddress" => (Kind::Network, false),
        "NotIpAddress" => (Kind::Network, true),
        "Null" => (Kind::Null, false),
        _ => {
            if let Some(rest) = name.strip_prefix("Numeric") {
                let (order, negated) = order(rest)?;
                (Kind::Number(order), negated)
            } else {
                let (order, negated) = order(name.strip_prefix("Date")?)?;
                (Kind::Date(order), negated)
            }
        }
    })
}

/// A value that can't be read.
struct Unreadable<'a>(&'a str);

fn read_values<'a>(kind: &Kind, values: &'a [String], variables: bool) -> Result<Test, Unreadable<'a>> {
    fn each<T>(values: &[String], read: impl Fn(&str) -> Option<T>) -> Result<Vec<T>, Unreadable<'_>> {
        values.iter().map(|value| read(value).ok_or(Unreadable(value))).collect()
    }
    Ok(match kind {
        Kind::Text { syntax, ignore_case } => Test::Text(each(values, |value| {
            let pattern = Pattern::compile(value, *syntax, variables);
            Some(if *ignore_case { pattern.ignoring_case() } else { pattern })
        })?),
        Kind::Number(order) => Test::Number(*order, each(values, read_number)?),
        Kind::Date(order) => Test::Date(*order, each(values, read_date)?),
        Kind::Bool => Test::Bool(each(values, read_bool)?),
        Kind::Network => Test::Network(each(values, Network::parse)?),
        Kind::Null => Test::Absent(each(values, read_bool)?),
    })
}

fn read_bool(text: &str) -> Option<bool> {
    if text.eq_ignore_ascii_case("true") {
        Some(true)
    } else if text.eq_ignore_ascii_case("false") {
        Some(false)
    } else {
        None
    }
}

fn read_number(text: &str) -> Option<f64> {
    text.trim().parse::<f64>().ok().filter(|number| number.is_finite())
}

/// ISO 8601 as the W3C writes it, from a date alone to fractions of a second, or seconds since the epoch (IAM guide).
fn read_date(text: &str) -> Option<f64> {
    let text = text.trim();
    if let Some(seconds) = read_number(text) {
        return Some(seconds);
    }
    let moment = OffsetDateTime::parse(text, &Rfc3339).ok().or_else(|| {
        let minutes = PrimitiveDateTime::parse(text, format_description!("[year]-[month]-[day]T[hour]:[minute]Z"));
        minutes.ok().map(PrimitiveDateTime::assume_utc)
    });
    let moment = moment.or_else(|| {
        let day = Date::parse(text, format_description!("[year]-[month]-[day]")).ok()?;
        Some(day.midnight().assume_utc())
    })?;
    let seconds = moment.unix_timestamp() as f64;
    Some(seconds + f64::from(moment.nanosecond()) / 1e9)
}

/// A range of addresses in CIDR form; an address alone is a range of one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Network {
    address: IpAddr,
    bits: u32,
}

impl Network {
    fn parse(text: &str) -> Option<Self> {
        let (address, bits) = match text.split_once('/') {
            Some((address, bits)) => (address.parse().ok()?, Some(bits.parse().ok()?)),
            None => (text.parse().ok()?, None),
        };
        let most = match address {
            IpAddr::V4(_) => 32,
            IpAddr::V6(_) => 128,
        };
        let bits = bits.unwrap_or(most);
        (bits <= most).then_some(Self { address, bits })
    }

    fn contains(&self, other: IpAddr) -> bool {
        // A shift by the full width (a /0 range) leaves nothing to compare.
        match (self.address, other) {
            (IpAddr::V4(own), IpAddr::V4(other)) => {
                (own.to_bits() ^ other.to_bits()).checked_shr(32 - self.bits).unwrap_or(0) == 0
            }
            (IpAddr::V6(own), IpAddr::V6(other)) => {
                (own.to_bits() ^ other.to_bits()).checked_shr(128 - self.bits).unwrap_or(0) == 0
            }
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests;
