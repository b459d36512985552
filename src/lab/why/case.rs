//! What was asked: by options, by the text of a logged error, or by both.

use super::evidence::Query;
use super::logged::{Fault, Logged, is_arn, is_principal};
use super::short;

/// The options of `kmslab why`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Named {
    /// `--table`
    pub table: Option<String>,
    /// `--as`
    pub principal: Option<String>,
    /// `--action`
    pub action: Option<String>,
    /// The text of an error.
    pub text: Option<String>,
    /// `--all-permissions`
    pub all_permissions: bool,
}

/// What is to be explained.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Case {
    /// The caller's ARN; empty where the text names nobody.
    pub principal: String,
    /// The table, by name or ARN.
    pub table: Option<String>,
    /// What of the table is read, if it is an index: `/index/by-date`.
    pub index: Option<String>,
    /// The key, by ARN, as the text names it.
    pub key: Option<String>,
    /// What the table is asked for.
    pub table_action: Option<String>,
    /// What the key is asked for.
    pub key_action: Option<String>,
    /// Whether DynamoDB asks KMS for the caller.
    pub by_dynamodb: bool,
    /// The error that was logged.
    pub logged: Option<Logged>,
    /// Whether fixes have the six permissions of DynamoDB's guide.
    pub all_permissions: bool,
}

/// The actions for which DynamoDB needs the table's key, as it does for all that read or write items.
const ON_ITEMS: [&str; 13] = [
    "BatchGetItem",
    "BatchWriteItem",
    "ConditionCheckItem",
    "DeleteItem",
    "GetItem",
    "PartiQLDelete",
    "PartiQLInsert",
    "PartiQLSelect",
    "PartiQLUpdate",
    "PutItem",
    "Query",
    "Scan",
    "UpdateItem",
];

/// What a question looks like.
const EXAMPLE: &str = "kmslab why --table orders --as arn:aws:iam::111122223333:role/app";

/// Why a question can't be asked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CaseError {
    /// The text is no error of DynamoDB's or KMS's.
    #[error(
        "kmslab doesn't know this error: it explains denials, disabled keys, keys pending deletion, and keys and tables \
         that don't exist\n  give the whole message, in quotes"
    )]
    UnknownText,
    /// An option is missing, and no text names its value.
    #[error("{0} is missing\n  {EXAMPLE}\n  or give the text of an error")]
    Missing(&'static str),
    /// `--as` is no ARN with an account.
    #[error("--as takes the ARN of a user, role or session: arn:aws:iam::111122223333:role/app")]
    NoPrincipal,
    /// `--action` doesn't read a table's items or use a key.
    #[error("--action takes an action on a table's items, such as dynamodb:GetItem, or one of KMS\n  {}", ON_ITEMS.join(", "))]
    UnknownAction,
}

impl Case {
    /// Puts the options together.
    ///
    /// # Errors
    /// If an option is missing or wrong, or the text can't be read.
    pub fn new(named: Named) -> Result<Case, CaseError> {
        let logged = match named.text.as_deref().map(str::trim).filter(|text| !text.is_empty()) {
            Some(text) => Some(Logged::parse(text).ok_or(CaseError::UnknownText)?),
            None => None,
        };
        let of_text = |read: fn(&Logged) -> Option<&str>| logged.as_ref().and_then(read).map(str::to_owned);
        let principal = match named.principal {
            Some(principal) if principal.is_empty() => return Err(CaseError::NoPrincipal),
            named => named.or_else(|| of_text(Logged::principal)).unwrap_or_default(),
        };
        if !principal.is_empty() && !is_principal(&principal) {
            return Err(CaseError::NoPrincipal);
        }
        let table = named.table.or_else(|| of_text(Logged::table));
        // An index has permissions of its own.
        let at = table.as_deref().and_then(|table| table.find("/index/"));
        let (table, index) = match (table, at) {
            (Some(table), Some(at)) => (Some(table[..at].to_owned()), Some(table[at..].to_owned())),
            (table, _) => (table, of_text(Logged::index)),
        };
        if logged.is_none() {
            for (missing, option) in [(table.is_none(), "--table"), (principal.is_empty(), "--as")] {
                if missing {
                    return Err(CaseError::Missing(option));
                }
            }
        }
        let (table_action, key_action) = actions(named.action.as_deref(), logged.as_ref(), table.is_some())?;
        let by_dynamodb = table.is_some() || logged.as_ref().is_some_and(|logged| logged.by_dynamodb);
        Ok(Case {
            principal,
            table,
            index,
            key: of_text(Logged::key),
            table_action,
            key_action,
            by_dynamodb,
            all_permissions: named.all_permissions,
            logged,
        })
    }

    /// The region that the ARNs name; `None` where none does.
    pub fn region(&self) -> Option<&str> {
        let arns = self.table.iter().chain(&self.key).filter(|arn| arn.starts_with("arn:"));
        arns.filter_map(|arn| arn.split(':').nth(3)).find(|region| !region.is_empty())
    }

    /// The names of the caller and the table.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        let arns = [Some(self.principal.as_str()), self.table.as_deref()];
        arns.into_iter().flatten().flat_map(names_in)
    }

    /// What to read; `None` where the text names too little to read anything.
    pub fn query(&self) -> Option<Query> {
        let names_something = self.table.is_some() || self.key.is_some();
        (!self.principal.is_empty() && names_something).then(|| Query {
            principal: self.principal.clone(),
            table: self.table.clone(),
            key: self.key.clone(),
            table_action: self.table_action.clone(),
            key_action: self.key_action.clone(),
        })
    }

    /// Whether the text says that the table is not the one that refused.
    pub fn is_about_key(&self) -> bool {
        let fault = self.logged.as_ref().map(|logged| &logged.fault);
        match fault {
            Some(Fault::Denied { action, .. }) => action.as_deref().is_none_or(|action| action.starts_with("kms:")),
            Some(Fault::Disabled { .. } | Fault::PendingDeletion { .. } | Fault::KeyMissing { .. }) => true,
            Some(Fault::TableMissing { .. }) | None => false,
        }
    }
}

/// The names in an ARN, or the one name that it is.
pub(super) fn names_in(arn: &str) -> impl Iterator<Item = &str> {
    let (resource, kinds) = if is_arn(arn) { (short(arn), 1) } else { (arn, 0) };
    resource.split('/').skip(kinds).filter(|name| !name.is_empty())
}

/// What the table and the key are asked for.
fn actions(
    named: Option<&str>,
    logged: Option<&Logged>,
    has_table: bool,
) -> Result<(Option<String>, Option<String>), CaseError> {
    let of_text = logged.and_then(Logged::action);
    let operation = logged.and_then(|logged| logged.operation.as_deref());
    let of_key = of_text.filter(|action| action.starts_with("kms:")).unwrap_or("kms:Decrypt").to_owned();
    let of_table = match (named, of_text, operation) {
        (Some(named), _, _) => named.trim(),
        (None, Some(action), _) if action.starts_with("dynamodb:") => action,
        (None, _, Some(operation)) if has_table && ON_ITEMS.contains(&operation) => operation,
        _ => "Scan",
    };
    if let Some(action) = of_table.strip_prefix("kms:") {
        return Ok((None, Some(format!("kms:{action}"))));
    }
    let name = of_table.strip_prefix("dynamodb:").unwrap_or(of_table);
    let known = ON_ITEMS.into_iter().find(|known| known.eq_ignore_ascii_case(name));
    match known {
        Some(name) => Ok((has_table.then(|| format!("dynamodb:{name}")), Some(of_key))),
        // An action of a text was asked for, whatever it is: the table alone decides about it.
        None if named.is_none() => Ok((has_table.then(|| format!("dynamodb:{name}")), None)),
        None => Err(CaseError::UnknownAction),
    }
}
