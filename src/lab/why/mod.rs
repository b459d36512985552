//! `kmslab why`: whether a caller may read a table, which lock refuses, and what would open it. Pure; `run::why` asks.
//!
//! [`Case`] is what was asked, by options or by a logged error ([`Logged`]). [`Evidence`] is what was read. [`Report`] is
//! what follows from both; [`text`] and [`json`] write it.

pub mod case;
mod evidence;
mod fixes;
pub mod json;
mod judge;
mod logged;
mod policies;
#[cfg(test)]
mod tests;
pub mod text;

use case::names_in;
pub use case::{Case, Named};
pub use evidence::{Evidence, Found, Key, Part, Query, Table, Unread, Who};
pub use fixes::{Fix, Way};
pub use judge::{Lock, Rung};
pub use logged::{Fault, Logged, Reason, Type};

/// Names that are words of the report, and say nothing.
const OWN_WORDS: [&str; 12] =
    ["table", "key", "user", "role", "group", "policy", "admin", "allowed", "denied", "failed", "unknown", "default"];

/// What follows for the caller.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// It may read.
    Allowed,
    /// A permission is missing, or a Deny fits.
    Denied,
    /// It can't read for another reason than permission.
    Failed,
    /// What was read is not enough to say.
    Unknown,
}

impl Verdict {
    /// Its name in JSON.
    pub const fn key(self) -> &'static str {
        match self {
            Verdict::Allowed => "allowed",
            Verdict::Denied => "denied",
            Verdict::Failed => "failed",
            Verdict::Unknown => "unknown",
        }
    }

    /// The exit status: 0 allowed, 1 it can't read, 4 unknown.
    pub const fn status(self) -> u8 {
        match self {
            Verdict::Allowed => 0,
            Verdict::Denied | Verdict::Failed => 1,
            Verdict::Unknown => 4,
        }
    }
}

/// Why a call fails, whatever policies say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Failure {
    /// There is no such table.
    NoTable,
    /// The table is not ready: its status.
    TableStatus(String),
    /// There is no such user or role.
    NoCaller,
    /// There is no such key.
    NoKey,
    /// The key is disabled.
    Disabled,
    /// The key is pending deletion.
    PendingDeletion,
    /// The key can't be used: its state.
    KeyState(String),
}

impl Failure {
    /// Its name in JSON.
    pub const fn key(&self) -> &'static str {
        match self {
            Failure::NoTable => "no_table",
            Failure::TableStatus(_) => "table_status",
            Failure::NoCaller => "no_caller",
            Failure::NoKey => "no_key",
            Failure::Disabled => "key_disabled",
            Failure::PendingDeletion => "key_pending_deletion",
            Failure::KeyState(_) => "key_state",
        }
    }

    /// Whether it is the key's.
    pub const fn is_of_key(&self) -> bool {
        matches!(self, Failure::NoKey | Failure::Disabled | Failure::PendingDeletion | Failure::KeyState(_))
    }
}

/// What follows from a case and its evidence.
#[derive(Debug, Clone)]
pub struct Report {
    /// What was asked.
    pub case: Case,
    /// What was read; `None` where only the text is known.
    pub evidence: Option<Evidence>,
    /// Why nothing was read, where that was not wanted.
    pub not_read: Option<String>,
    /// The answer.
    pub verdict: Verdict,
    /// Why the call fails whatever policies say.
    pub failure: Option<Failure>,
    /// The lock of the table.
    pub table: Option<Lock>,
    /// The lock of the key.
    pub key: Option<Lock>,
    /// What would open what refuses, nearest first.
    pub fixes: Vec<Fix>,
}

impl Report {
    /// Judges a case by what was read.
    pub fn judged(case: Case, evidence: Evidence) -> Report {
        let table = judge::table(&case, &evidence);
        let mut key = judge::key(&case, &evidence);
        let failure = failure(&evidence);
        let is_state_known = evidence.key.get().is_none_or(|key| !key.state.is_empty());
        if let Some(lock) = key.as_mut().filter(|lock| lock.verdict == Verdict::Allowed && !is_state_known) {
            // It may be disabled.
            lock.verdict = Verdict::Unknown;
            lock.open =
                evidence.unread.iter().filter(|one| one.part == Part::Key).map(|one| one.says.clone()).collect();
        }
        let verdict = overall(&case, &evidence, failure.as_ref(), table.as_ref(), key.as_ref());
        let mut report =
            Report { case, evidence: None, not_read: None, verdict, failure, table, key, fixes: Vec::new() };
        report.fixes = fixes::of(&report, &evidence);
        report.evidence = Some(evidence);
        report
    }

    /// Says what the text of a logged error says, and no more. The text proves that the call did not succeed.
    pub fn of_text(case: Case, not_read: Option<String>) -> Report {
        let fault = case.logged.as_ref().map(|logged| &logged.fault);
        let (verdict, failure) = match fault {
            Some(Fault::Denied { .. }) => (Verdict::Denied, None),
            Some(Fault::Disabled { .. }) => (Verdict::Failed, Some(Failure::Disabled)),
            Some(Fault::PendingDeletion { .. }) => (Verdict::Failed, Some(Failure::PendingDeletion)),
            Some(Fault::KeyMissing { .. }) => (Verdict::Failed, Some(Failure::NoKey)),
            Some(Fault::TableMissing { .. }) => (Verdict::Failed, Some(Failure::NoTable)),
            None => (Verdict::Unknown, None),
        };
        let fixes = fixes::of_text(&case);
        Report { case, evidence: None, not_read, verdict, failure, table: None, key: None, fixes }
    }

    /// Whether DynamoDB owns the table's key, so that KMS guards nothing.
    pub fn is_owned_key(&self) -> bool {
        let evidence = self.evidence.as_ref();
        evidence.and_then(|evidence| evidence.table.get()).is_some_and(|table| table.key.is_none())
    }

    /// The names that the account has given to what this is about, besides words of the report itself.
    pub fn names(&self) -> Vec<&str> {
        let evidence = self.evidence.as_ref();
        let policies = evidence.into_iter().flat_map(|it| it.identity.iter().chain(&it.boundary));
        let policies = policies.filter_map(|(source, _)| source.own_name());
        let arn = evidence.and_then(|evidence| evidence.principal.get()).map_or("", |who| who.arn.as_str());
        let others = evidence.into_iter().flat_map(|evidence| &evidence.names).map(String::as_str);
        let names = self.case.names().chain(names_in(arn)).chain(policies).chain(others);
        names.filter(|name| !OWN_WORDS.contains(name)).collect()
    }

    /// The caller in short: `role/app`.
    pub fn caller(&self) -> String {
        short(&self.case.principal).to_owned()
    }
}

/// The last part of an ARN, without the account: `role/app`, `key/1234…`, `table/orders`.
pub(super) fn short(arn: &str) -> &str {
    if arn.starts_with("arn:") { arn.splitn(6, ':').nth(5).unwrap_or(arn) } else { arn }
}

fn failure(evidence: &Evidence) -> Option<Failure> {
    if evidence.table == Found::Missing {
        return Some(Failure::NoTable);
    }
    if judge::is_nobody(evidence) {
        return Some(Failure::NoCaller);
    }
    if evidence.key == Found::Missing {
        return Some(Failure::NoKey);
    }
    let of_key = evidence.key.get().and_then(|key| match key.state.as_str() {
        "Disabled" => Some(Failure::Disabled),
        "PendingDeletion" | "PendingReplicaDeletion" => Some(Failure::PendingDeletion),
        "Enabled" | "Updating" | "" => None,
        other => Some(Failure::KeyState(other.to_owned())),
    });
    let of_table = || {
        let status = evidence.table.get()?.status.as_str();
        let is_ready = matches!(status, "ACTIVE" | "UPDATING" | "");
        (!is_ready).then(|| Failure::TableStatus(status.to_owned()))
    };
    of_key.or_else(of_table)
}

fn overall(
    case: &Case,
    evidence: &Evidence,
    failure: Option<&Failure>,
    table: Option<&Lock>,
    key: Option<&Lock>,
) -> Verdict {
    let of_table = table.map(|lock| lock.verdict);
    // Permission comes first: who may not use a key does not learn its state.
    let of_key = key.map(|lock| lock.verdict);
    match failure {
        Some(failure) if !failure.is_of_key() => return Verdict::Failed,
        _ if [of_table, of_key].contains(&Some(Verdict::Denied)) => return Verdict::Denied,
        Some(_) => return Verdict::Failed,
        None => {}
    }
    // Where a text says that KMS was asked, DynamoDB has let the call in.
    let of_table = of_table.unwrap_or(match evidence.table {
        Found::NotAsked => Verdict::Allowed,
        _ => Verdict::Unknown,
    });
    let is_guarded = case.key_action.is_some() && evidence.table.get().is_none_or(|table| table.key.is_some());
    let of_key = match of_key {
        Some(verdict) => verdict,
        None if is_guarded => Verdict::Unknown,
        None => Verdict::Allowed,
    };
    match (of_table, of_key) {
        (Verdict::Allowed, Verdict::Allowed) => Verdict::Allowed,
        _ => Verdict::Unknown,
    }
}
