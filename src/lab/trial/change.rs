//! What is not as the lab left it, and must be undone.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::lab::model::certainty::{Certainty, certainty};
use crate::lab::model::exchange::{Exchange, is_not_found};
use crate::lab::model::experiment::ExtraTable;
use crate::lab::model::facts::{Made, Names};
use crate::lab::model::operation::{Operation, TableKey};
use crate::lab::model::test_user;

/// The name of the inline policy that experiments put on test-user.
pub const POLICY_NAME: &str = "kmslab-bench";

/// The name of the grant that an experiment creates.
pub const GRANT_NAME: &str = "kmslab-bench";

/// Something that is not as the lab left it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Change {
    /// The key policy.
    KeyPolicy,
    /// The key is, or will be, disabled.
    Disabled,
    /// The key's deletion is scheduled.
    Deletion,
    /// The lab's policy has been taken off test-user.
    Detached,
    /// An experiment's policy is on test-user.
    Inline,
    /// A policy of this name is on test-user that the lab hasn't put there.
    Policy(String),
    /// A user that a drill has created, by name.
    User(String),
    /// A grant; `None` while its id is not known.
    Grant(Option<String>),
    /// A table.
    Table(ExtraTable),
    /// A table that is being deleted.
    Going(ExtraTable),
}

impl Change {
    /// The changes that `operation` makes, if it succeeds.
    fn of(operation: &Operation) -> Vec<Change> {
        use Operation as O;
        match operation {
            O::PutKeyPolicy { .. } => vec![Change::KeyPolicy],
            O::DisableKey { .. } => vec![Change::Disabled],
            // A key whose deletion is cancelled is disabled (KMS guide, "Deleting keys").
            O::ScheduleKeyDeletion { .. } => vec![Change::Disabled, Change::Deletion],
            O::DetachUserPolicy { .. } => vec![Change::Detached],
            O::DeleteUserPolicy { name, .. } if name == test_user::POLICY => vec![Change::Detached],
            O::PutUserPolicy { name, .. } if name == POLICY_NAME => vec![Change::Inline],
            O::CreateUser { user, .. } => vec![Change::User(user.clone())],
            O::CreateGrant { .. } => vec![Change::Grant(None)],
            O::CreateTable { key: TableKey::AwsOwned, .. } => vec![Change::Table(ExtraTable::AwsOwned)],
            O::CreateTable { key: TableKey::AwsManaged, .. } => vec![Change::Table(ExtraTable::AwsManaged)],
            _ => Vec::new(),
        }
    }

    /// The change in words.
    pub fn describe(&self, names: &Names) -> String {
        match self {
            Change::KeyPolicy => "the changed key policy".to_owned(),
            Change::Disabled => "the disabled key".to_owned(),
            Change::Deletion => "the key's scheduled deletion".to_owned(),
            Change::Detached => format!("the missing policy of {}", names.user),
            Change::Inline => format!("policy {} on {}", POLICY_NAME, names.user),
            Change::Policy(name) => format!("policy {name} on {}", names.user),
            Change::User(name) => format!("IAM user {name}"),
            Change::Grant(_) => "a grant on the key".to_owned(),
            Change::Table(table) | Change::Going(table) => format!("table {}", table.name(names)),
        }
    }
}

/// All changes that are to be undone, the newest last.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Changes(Vec<Change>);

impl Changes {
    /// The changes, the newest last.
    pub fn all(&self) -> &[Change] {
        &self.0
    }

    /// The newest change that has not been `tried`.
    pub(in crate::lab) fn newest_but(&self, tried: &[Change]) -> Option<Change> {
        self.0.iter().rev().find(|change| !tried.contains(change)).cloned()
    }

    /// Notes what a call changes when it is sent: its response may be lost.
    pub(in crate::lab) fn note(&mut self, operation: &Operation) {
        Change::of(operation).into_iter().for_each(|change| self.add(change));
    }

    /// Adds a change, unless it is known.
    pub(in crate::lab) fn add(&mut self, change: Change) {
        if !self.0.contains(&change) {
            self.0.push(change);
        }
    }

    /// Learns from a response what is changed and what is undone. While `undoing`, PutKeyPolicy puts the lab's policy
    /// back.
    pub(in crate::lab) fn learn(&mut self, exchange: &Exchange, undoing: bool) {
        let gone = exchange.error_code().is_some_and(is_not_found);
        if exchange.is_allowed() || gone {
            self.learn_undone(&exchange.operation, gone, undoing);
            if !gone {
                self.learn_grants(exchange);
            }
            return;
        }
        let operation = &exchange.operation;
        match operation {
            // It is not pending: somebody else has canceled it, or an earlier try of this call.
            Operation::CancelKeyDeletion { .. } if exchange.error_code() == Some("KMSInvalidStateException") => {
                self.undone(&Change::Deletion);
            }
            // A call that was refused at the first try has changed nothing.
            _ if !undoing
                && certainty(operation, &exchange.answer) == Certainty::NotDone
                && exchange.answer.tries <= 1 =>
            {
                Change::of(operation).iter().for_each(|change| self.undone(change));
            }
            _ => {}
        }
    }

    fn undone(&mut self, undone: &Change) {
        self.0.retain(|change| change != undone);
    }

    /// Learns what a call has undone that succeeded, or found nothing (`gone`).
    fn learn_undone(&mut self, operation: &Operation, gone: bool, undoing: bool) {
        use Operation as O;
        match operation {
            O::RevokeGrant { grant_id, .. } => self.undone(&Change::Grant(Some(grant_id.clone()))),
            O::DeleteUserPolicy { name, .. } if name == POLICY_NAME => self.undone(&Change::Inline),
            O::DeleteUserPolicy { name, .. } => self.undone(&Change::Policy(name.clone())),
            O::DeleteUser { user } => self.undone(&Change::User(user.clone())),
            O::DeleteTable { .. } => {
                for change in &mut self.0 {
                    if let Change::Table(table) = change {
                        *change = Change::Going(*table);
                    }
                }
            }
            O::DescribeTable { .. } if gone && undoing => {
                self.0.retain(|change| !matches!(change, Change::Going(_)));
            }
            _ if gone => {}
            O::PutKeyPolicy { .. } if undoing => self.undone(&Change::KeyPolicy),
            O::EnableKey { .. } => self.undone(&Change::Disabled),
            O::CancelKeyDeletion { .. } => self.undone(&Change::Deletion),
            O::AttachUserPolicy { .. } => self.undone(&Change::Detached),
            O::PutUserPolicy { name, .. } if name == test_user::POLICY => self.undone(&Change::Detached),
            _ => {}
        }
    }

    /// Learns the ids of grants.
    fn learn_grants(&mut self, exchange: &Exchange) {
        let text = |value: &Value, name: &str| value.get(name).and_then(Value::as_str).map(str::to_owned);
        let body = exchange.body().unwrap_or(&Value::Null);
        let grants: Vec<Change> = match exchange.operation {
            Operation::CreateGrant { .. } => vec![Change::Grant(text(body, "GrantId"))],
            Operation::ListGrants { .. } => {
                let grants = body.get("Grants").and_then(Value::as_array).into_iter().flatten();
                let ours = grants.filter(|grant| text(grant, "Name").as_deref() == Some(GRANT_NAME));
                ours.filter_map(|grant| text(grant, "GrantId")).map(|id| Change::Grant(Some(id))).collect()
            }
            _ => return,
        };
        self.undone(&Change::Grant(None));
        self.0.extend(grants);
    }

    /// Forgets changes to what clean-up has removed.
    pub(in crate::lab) fn forget_removed(&mut self, made: &Made) {
        self.0.retain(|change| match change {
            Change::KeyPolicy | Change::Disabled | Change::Deletion | Change::Grant(_) => made.key.is_some(),
            Change::Detached | Change::Inline | Change::Policy(_) => made.user,
            Change::User(_) | Change::Table(_) | Change::Going(_) => true,
        });
    }
}
