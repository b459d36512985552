//! The JSON policy language, read once and compiled for matching (IAM guide).

use std::collections::BTreeSet;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::condition::Condition;
use super::error::{PolicyError, PolicyErrorKind as Kind};
use super::pattern::{Pattern, Syntax};
use super::principal::PrincipalName;
use super::{rename, strict_json};

/// Where a document belongs: it decides which elements it may and must have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PolicyKind {
    /// Attached to a user: no `Principal`.
    Identity,
    /// Attached to a KMS key: needs a `Principal`.
    Key,
    /// A role's trust policy: needs a `Principal`, and has no `Resource`, because it is about its role.
    Trust,
}

/// What a matching statement does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Effect {
    /// Lets the call through, unless something denies it.
    Allow,
    /// Stops the call, whatever else allows it.
    Deny,
}

/// `Action` or `NotAction`, `Resource` or `NotResource`, `Principal` or `NotPrincipal`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Selector<T> {
    /// One of these.
    Only(Vec<T>),
    /// Anything but these.
    AllBut(Vec<T>),
}

impl<T> Selector<T> {
    /// The entries, whichever way they are meant.
    pub fn entries(&self) -> &[T] {
        match self {
            Self::Only(entries) | Self::AllBut(entries) => entries,
        }
    }

    /// Whether it is the `Not…` form.
    pub fn is_negated(&self) -> bool {
        matches!(self, Self::AllBut(_))
    }

    /// Whether it selects what `fits` says of its entries.
    pub(super) fn selects(&self, fits: impl FnMut(&T) -> bool) -> bool {
        self.entries().iter().any(fits) != self.is_negated()
    }
}

/// One statement of a policy.
#[derive(Debug, Clone, PartialEq)]
pub struct Statement {
    /// The statement's name.
    pub sid: Option<String>,
    /// Allow or deny.
    pub effect: Effect,
    /// Whom it concerns; `None` in an identity policy: its owner.
    pub principal: Option<Selector<PrincipalName>>,
    /// The actions, `*` and `?` allowed.
    pub actions: Selector<Pattern>,
    /// The resources, by ARN.
    pub resources: Selector<Pattern>,
    /// All of them must hold.
    pub conditions: Vec<Condition>,
    /// The statement as the document has it, for a trace to quote.
    pub json: Arc<Value>,
}

/// A policy, parsed.
#[derive(Debug, Clone, PartialEq)]
pub struct PolicyDocument {
    /// `2012-10-17`, or `2008-10-17`, which knows no policy variables.
    pub version: String,
    /// The document's own name.
    pub id: Option<String>,
    /// Never empty.
    pub statements: Vec<Statement>,
}

const CURRENT_VERSION: &str = "2012-10-17";
const OLD_VERSION: &str = "2008-10-17";

impl PolicyDocument {
    /// Reads a document.
    ///
    /// # Errors
    /// [`PolicyError`] for everything that AWS rejects as `MalformedPolicyDocument`: no JSON, unknown or missing elements,
    /// a principal where none is allowed, an operator or a value that can't be read.
    pub fn parse(kind: PolicyKind, text: &str) -> Result<Self, PolicyError> {
        let Value::Object(document) = strict_json::parse(text)? else {
            return Err(Kind::Syntax("a policy is a JSON object".to_owned()).into());
        };
        only_known(&document, &["Version", "Id", "Statement"])?;
        let version = match document.get("Version") {
            None => OLD_VERSION,
            Some(Value::String(version)) if version == CURRENT_VERSION || version == OLD_VERSION => version,
            Some(other) => {
                let wrong = format!("Version {other} is neither {CURRENT_VERSION} nor {OLD_VERSION}");
                return Err(Kind::Syntax(wrong).into());
            }
        };
        if kind == PolicyKind::Identity && version != CURRENT_VERSION {
            return Err(Kind::OldVersion.into());
        }
        let id = optional_string(&document, "Id")?;
        let statements: &[Value] = match document.get("Statement") {
            None => return Err(Kind::Syntax("Statement is missing".to_owned()).into()),
            Some(Value::Array(list)) if list.is_empty() => {
                return Err(Kind::Syntax("Statement is empty".to_owned()).into());
            }
            Some(Value::Array(list)) => list,
            Some(one) => std::slice::from_ref(one),
        };
        let mut sids = BTreeSet::new();
        let mut parsed = Vec::with_capacity(statements.len());
        for (index, value) in statements.iter().enumerate() {
            let sid = value.get("Sid").and_then(Value::as_str);
            let at = |kind: Kind| kind.in_statement(index, sid);
            parsed.push(parse_statement(kind, value, version == CURRENT_VERSION).map_err(at)?);
            if kind == PolicyKind::Identity
                && let Some(sid) = sid.filter(|sid| !sid.is_empty())
                && !sids.insert(sid)
            {
                return Err(at(Kind::DuplicateSid));
            }
        }
        Ok(Self { version: version.to_owned(), id, statements: parsed })
    }

    /// Every `"AWS"` principal of the document but `*`, as written, without repetition: an ARN, a unique id, or an
    /// account id. They must exist when the policy is stored (KMS guide).
    pub fn principals(&self) -> Vec<&str> {
        let mut seen = BTreeSet::new();
        let all = self.statements.iter().filter_map(|statement| statement.principal.as_ref());
        all.flat_map(Selector::entries)
            .filter(|name| matches!(name, PrincipalName::Aws(_) | PrincipalName::Account { .. }))
            .map(PrincipalName::text)
            .filter(|text| seen.insert(*text))
            .collect()
    }

    /// The text of a policy with the principal `from_arn` written as `to`, everything else untouched: a deleted user
    /// shows as its unique id (KMS guide).
    pub fn rename_principal(text: &str, from_arn: &str, to: &str) -> String {
        rename::rename_principal(text, from_arn, to)
    }
}

fn parse_statement(kind: PolicyKind, value: &Value, variables: bool) -> Result<Statement, Kind> {
    let Value::Object(members) = value else {
        return Err(Kind::Syntax("a statement is a JSON object".to_owned()));
    };
    only_known(
        members,
        &["Sid", "Effect", "Principal", "NotPrincipal", "Action", "NotAction", "Resource", "NotResource", "Condition"],
    )?;
    let sid = optional_string(members, "Sid")?.filter(|sid| !sid.is_empty());
    if let Some(sid) = &sid
        && kind == PolicyKind::Identity
        && !sid.bytes().all(|byte| byte.is_ascii_alphanumeric())
    {
        return Err(Kind::MalformedSid);
    }
    let effect = match members.get("Effect").and_then(Value::as_str) {
        Some("Allow") => Effect::Allow,
        Some("Deny") => Effect::Deny,
        Some(text) if ["allow", "deny"].contains(&text.to_ascii_lowercase().as_str()) => {
            return Err(Kind::Legacy("Effect must be Allow or Deny".to_owned()));
        }
        _ => return Err(Kind::Syntax("Effect must be Allow or Deny".to_owned())),
    };
    let principal = parse_principal(kind, members)?;
    let actions = selector(members, "Action", "NotAction")?
        .filter(|actions| !actions.entries().is_empty())
        .ok_or(Kind::NoActions)?;
    let actions = compile(actions, |text| {
        match text.split_once(':').filter(|(vendor, name)| !vendor.is_empty() && !name.is_empty()) {
            Some((vendor, _)) if vendor != "*" && !is_vendor(vendor) => Err(Kind::InvalidVendor(vendor.to_owned())),
            None if text != "*" => Err(Kind::NoVendor(format!("{text:?}"))),
            _ => Ok(Pattern::action(text)),
        }
    })?;
    if kind == PolicyKind::Trust
        && let Some(field) = ["Resource", "NotResource"].into_iter().find(|field| members.contains_key(*field))
    {
        return Err(Kind::ProhibitedField(field));
    }
    let resources = match kind {
        PolicyKind::Trust => Some(Selector::Only(vec!["*".to_owned()])),
        PolicyKind::Identity | PolicyKind::Key => selector(members, "Resource", "NotResource")?,
    };
    let resources = resources.filter(|resources| !resources.entries().is_empty()).ok_or(Kind::NoResources)?;
    let resources = compile(resources, |text| {
        if text == "*" || text.starts_with("arn:") {
            Ok(Pattern::compile(text, Syntax::Resource, variables))
        } else {
            Err(Kind::NotAnArn(text.clone()))
        }
    })?;
    let conditions = parse_conditions(members, variables)?;
    Ok(Statement { sid, effect, principal, actions, resources, conditions, json: Arc::new(value.clone()) })
}

fn parse_principal(kind: PolicyKind, members: &Map<String, Value>) -> Result<Option<Selector<PrincipalName>>, Kind> {
    let (value, negated) = match (members.get("Principal"), members.get("NotPrincipal")) {
        (None, None) if kind == PolicyKind::Identity => return Ok(None),
        (None, None) => return Err(Kind::NoPrincipals),
        _ if kind == PolicyKind::Identity => {
            return Err(Kind::UnexpectedPrincipal);
        }
        (Some(_), Some(_)) => return Err(Kind::Syntax("Principal and NotPrincipal exclude each other".to_owned())),
        (Some(value), None) => (value, false),
        (None, Some(value)) => (value, true),
    };
    let mut names = Vec::new();
    match value {
        Value::String(everyone) if everyone == "*" => names.push(PrincipalName::Everyone),
        Value::Object(types) if !types.is_empty() => {
            for (of, value) in types {
                for text in strings("Principal", value)? {
                    let name = match of.as_str() {
                        "AWS" => PrincipalName::parse_aws(&text),
                        "Service" => is_service(&text).then(|| PrincipalName::Service(text.clone())),
                        "Federated" | "CanonicalUser" => Some(PrincipalName::Other(text.clone())),
                        _ => return Err(Kind::Syntax(format!("{of:?} is no type of principal"))),
                    };
                    names.push(name.ok_or(Kind::InvalidPrincipal(text))?);
                }
            }
        }
        other => return Err(Kind::InvalidPrincipal(other.to_string())),
    }
    Ok(Some(if negated { Selector::AllBut(names) } else { Selector::Only(names) }))
}

/// `dynamodb.amazonaws.com`; in China some services are `….amazonaws.com.cn`.
fn is_service(text: &str) -> bool {
    text.ends_with(".amazonaws.com") || text.ends_with(".amazonaws.com.cn")
}

fn parse_conditions(members: &Map<String, Value>, variables: bool) -> Result<Vec<Condition>, Kind> {
    let operators = match members.get("Condition") {
        None => return Ok(Vec::new()),
        Some(Value::Object(operators)) => operators,
        Some(_) => return Err(Kind::Syntax("Condition must be an object of operators".to_owned())),
    };
    let mut conditions = Vec::new();
    for (operator, keys) in operators {
        let Value::Object(keys) = keys else {
            return Err(Kind::Syntax(format!("{operator} must be an object of condition keys")));
        };
        for (key, values) in keys {
            let values = strings(key, values)?;
            conditions.push(Condition::parse(operator, key, values, variables)?);
        }
    }
    Ok(conditions)
}

fn only_known(members: &Map<String, Value>, known: &[&str]) -> Result<(), Kind> {
    match members.keys().find(|name| !known.contains(&name.as_str())) {
        Some(name) => Err(Kind::Syntax(format!("{name:?} is no element of a policy"))),
        None => Ok(()),
    }
}

fn optional_string(members: &Map<String, Value>, name: &str) -> Result<Option<String>, Kind> {
    match members.get(name) {
        None => Ok(None),
        Some(Value::String(text)) => Ok(Some(text.clone())),
        Some(_) => Err(Kind::Syntax(format!("{name} must be a string"))),
    }
}

/// A single value or a list that isn't empty.
fn strings(name: &str, value: &Value) -> Result<Vec<String>, Kind> {
    match value {
        Value::Array(list) if list.is_empty() => Err(Kind::Syntax(format!("{name} is an empty list"))),
        other => strings_or_none(name, other),
    }
}

/// A single value or a list; numbers and booleans are taken as the text they show.
fn strings_or_none(name: &str, value: &Value) -> Result<Vec<String>, Kind> {
    let scalar = |value: &Value| match value {
        Value::String(text) => Ok(text.clone()),
        Value::Bool(_) | Value::Number(_) => Ok(value.to_string()),
        Value::Null | Value::Array(_) | Value::Object(_) => {
            Err(Kind::Syntax(format!("{name} must be a string or a list of strings")))
        }
    };
    match value {
        Value::Array(list) => list.iter().map(scalar).collect(),
        one => Ok(vec![scalar(one)?]),
    }
}

fn selector(members: &Map<String, Value>, name: &str, not_name: &str) -> Result<Option<Selector<String>>, Kind> {
    match (members.get(name), members.get(not_name)) {
        (None, None) => Ok(None),
        (Some(_), Some(_)) => Err(Kind::Syntax(format!("{name} and {not_name} exclude each other"))),
        (Some(value), None) => Ok(Some(Selector::Only(strings_or_none(name, value)?))),
        (None, Some(value)) => Ok(Some(Selector::AllBut(strings_or_none(not_name, value)?))),
    }
}

fn compile(
    texts: Selector<String>,
    one: impl FnMut(&String) -> Result<Pattern, Kind>,
) -> Result<Selector<Pattern>, Kind> {
    Ok(match texts {
        Selector::Only(texts) => Selector::Only(texts.iter().map(one).collect::<Result<_, _>>()?),
        Selector::AllBut(texts) => Selector::AllBut(texts.iter().map(one).collect::<Result<_, _>>()?),
    })
}

fn is_vendor(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-.".contains(&byte))
}
