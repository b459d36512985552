//! Tables as requests name them.

use std::sync::Arc;

use super::table::Table;
use crate::sandbox::account::Account;
use crate::sandbox::error::Fault;
use crate::sandbox::validate::{Members, violation};

/// A table's name or ARN.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TableName {
    /// The name.
    pub name: String,
    arn: Option<String>,
}

impl TableName {
    /// Reads `TableName`.
    ///
    /// # Errors
    /// `ValidationException` for an ARN or a length that no table has.
    pub fn parse(members: &Members<'_>) -> Result<Self, Fault> {
        if members.text("TableName")?.is_none() {
            members.missing("TableName");
        }
        Ok(Self::optional(members)?.unwrap_or(Self { name: String::new(), arn: None }))
    }

    /// Reads a `TableName` that may be missing.
    ///
    /// # Errors
    /// As [`TableName::parse`].
    pub fn optional(members: &Members<'_>) -> Result<Option<Self>, Fault> {
        let Some(text) = members.text("TableName")? else { return Ok(None) };
        if !text.starts_with("arn:")
            && let Some(rule) = broken_rule(text)
        {
            members.violation("TableName", text, rule);
        }
        Self::from_text(text).map(Some)
    }

    /// A name or ARN from elsewhere in a request.
    ///
    /// # Errors
    /// `ValidationException`
    pub fn from_text(text: &str) -> Result<Self, Fault> {
        let name = match text.strip_prefix("arn:") {
            None => text,
            Some(_) => match text.split_once(":table/") {
                Some((start, name)) if start.starts_with("arn:aws:dynamodb:") && start.split(':').count() == 5 => name,
                _ => return Err(Fault::invalid(format!("Invalid table ARN: {text}"))),
            },
        };
        if let Some(rule) = broken_rule(name) {
            return Err(Fault::Violations(vec![violation(&format!("'{text}'"), "tableName", rule)]));
        }
        Ok(Self { name: name.to_owned(), arn: text.starts_with("arn:").then(|| text.to_owned()) })
    }

    /// The ARN, which is what policies name.
    pub fn arn(&self, account: &Account) -> String {
        self.arn.clone().unwrap_or_else(|| self.local_arn(account))
    }

    /// Whether the table can exist here: an ARN of another account or region names nothing in the sandbox.
    pub fn is_local(&self, account: &Account) -> bool {
        self.arn.as_ref().is_none_or(|arn| *arn == self.local_arn(account))
    }

    /// The table.
    pub fn find(&self, account: &Account) -> Option<Arc<Table>> {
        account.state.dynamodb.tables.get(&self.name).filter(|_| self.is_local(account)).cloned()
    }

    /// The table, for an item operation. An archived one counts as missing: AWS's reference names this error for a table
    /// that isn't ACTIVE.
    ///
    /// # Errors
    /// `ResourceNotFoundException`
    pub fn table(&self, account: &Account) -> Result<Arc<Table>, Fault> {
        self.find(account)
            .filter(|table| table.archived_at.is_none())
            .ok_or_else(|| Fault::service(400, "ResourceNotFoundException", "Requested resource not found"))
    }

    /// The table, for an operation on the table itself, which names it in the error.
    ///
    /// # Errors
    /// `ResourceNotFoundException`
    pub fn named_table(&self, account: &Account) -> Result<Arc<Table>, Fault> {
        self.find(account).ok_or_else(|| {
            let message = format!("Requested resource not found: Table: {} not found", self.name);
            Fault::service(400, "ResourceNotFoundException", message)
        })
    }

    fn local_arn(&self, account: &Account) -> String {
        format!("arn:aws:dynamodb:{}:{}:table/{}", account.region, account.id, self.name)
    }
}

/// The constraint that `name` breaks. The texts for lengths are those that nubo-db's conformance suite has observed.
pub fn broken_rule(name: &str) -> Option<&'static str> {
    if name.is_empty() {
        Some("Member must have length greater than or equal to 1")
    } else if !name.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'.' | b'-')) {
        Some("Member must satisfy regular expression pattern: [a-zA-Z0-9_.-]+")
    } else if name.len() < 3 {
        Some("Member must have length greater than or equal to 3")
    } else if name.len() > 255 {
        Some("Member must have length less than or equal to 255")
    } else {
        None
    }
}
