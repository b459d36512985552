//! The table as it is stored, without any key.

use serde_json::{Map, Value};

use crate::lab::kernel::Kernel;
use crate::lab::model::command_line::shell_quote;
use crate::lab::model::exchange::Verdict;
pub use crate::lab::model::inspection::{AtRest, Length, Stored};
use crate::lab::model::operation::{Identity, Operation};
use crate::lab::model::stage::Stage;

/// The statement that shows the same rows in the database; the tag is the end of the ciphertext there.
pub const SQL: &str = "SELECT table_name, hex(nonce), hex(ciphertext) FROM dynamodb_items";

/// A line for a shell with which a person can look themselves.
pub fn command(at_rest: &AtRest) -> String {
    format!("sqlite3 -readonly {} {}", shell_quote(&at_rest.database), shell_quote(SQL))
}

/// What `identity` sees of the table.
#[derive(Debug, Clone, PartialEq)]
pub enum Seen<'a> {
    /// The items of the newest Scan.
    Items(Vec<&'a Map<String, Value>>),
    /// The newest Scan was denied.
    Denied,
    /// The newest Scan failed.
    Failed,
    /// Nobody has looked yet.
    Nothing,
}

/// What the newest Scan of `identity` gave.
pub(in crate::lab) fn seen(kernel: &Kernel, identity: Identity) -> Seen<'_> {
    let all = Stage::ALL.iter().flat_map(|stage| kernel.stage(*stage).exchanges());
    let mut scans = all.filter(|e| e.identity == identity && matches!(e.operation, Operation::Scan { .. }));
    let Some(newest) = scans.next_back() else { return Seen::Nothing };
    match &newest.verdict {
        Verdict::Denied(_) => Seen::Denied,
        Verdict::Failed(_) => Seen::Failed,
        Verdict::Allowed => {
            let items = newest.body().and_then(|body| body.get("Items")?.as_array()).map(Vec::as_slice);
            Seen::Items(items.unwrap_or_default().iter().filter_map(Value::as_object).collect())
        }
    }
}
