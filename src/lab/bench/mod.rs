//! The break-it bench: after the lab's last reading one thing at a time is changed, tried and put back, for real.
//!
//! [`Experiment`] names them, [`script`] has what each sends, [`check`] what its right answer claims, [`play`] runs
//! them. What must be undone is not written down for each experiment: [`Bench`] notes every change when the call that
//! makes it is sent, and takes them back one by one, the newest first. So whatever failed, and wherever, nothing is
//! forgotten.
//!
//! The bench tells [`super::Facts`] nothing: when it has ended, everything is as it was.

pub mod check;
pub mod play;
pub mod policies;
pub mod script;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::certainty::{Certainty, certainty};
use super::exchange::{CallId, Exchange, Verdict, is_not_found};
use super::facts::Names;
use super::kernel::event::TimerId;
pub use super::model::experiment::{BenchTable, Experiment};
use super::model::outcome::Outcome;
use super::operation::{Operation, TableKey};
use super::quiz::Choice;
use super::test_user;

/// Something that is another way than the lab left it.
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
    /// A policy of the bench is on test-user.
    Inline,
    /// A grant; `None` while its id is not known.
    Grant(Option<String>),
    /// A table.
    Table(BenchTable),
    /// A table that is being deleted.
    Going(BenchTable),
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
            O::PutUserPolicy { name, .. } if name == script::POLICY_NAME => vec![Change::Inline],
            O::CreateGrant { .. } => vec![Change::Grant(None)],
            O::CreateTable { key: TableKey::AwsOwned, .. } => vec![Change::Table(BenchTable::AwsOwned)],
            O::CreateTable { key: TableKey::AwsManaged, .. } => vec![Change::Table(BenchTable::AwsManaged)],
            _ => Vec::new(),
        }
    }

    /// What it is, for a person.
    pub fn describe(&self, names: &Names) -> String {
        match self {
            Change::KeyPolicy => "the changed key policy".to_owned(),
            Change::Disabled => "the disabled key".to_owned(),
            Change::Deletion => "the key's scheduled deletion".to_owned(),
            Change::Detached => format!("the missing policy of {}", names.user),
            Change::Inline => format!("policy {} on {}", script::POLICY_NAME, names.user),
            Change::Grant(_) => "a grant on the key".to_owned(),
            Change::Table(table) | Change::Going(table) => format!("table {}", table.name(names)),
        }
    }
}

/// The experiment that is under way.
#[derive(Debug, Clone, PartialEq)]
struct Run {
    which: Experiment,
    /// The verdict, when there is one: what follows is undoing.
    verdict: Option<Outcome>,
    /// What has been tried to undo.
    tried: Vec<Change>,
    /// A ciphertext that has been made.
    ciphertext: Option<String>,
    pause: Option<Pause>,
    /// Whether the server's clock was moved.
    clock_moved: bool,
    /// Whether the next calls are the first after a pause that was long enough.
    is_later: bool,
    /// What begins when everything is undone, or can't be.
    then: Then,
}

/// What comes after an experiment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Then {
    Stay,
    CleanUp,
    Start(Experiment),
    /// The stages are verified: a kept session goes on.
    Verify,
}

/// Until the table keys that DynamoDB has in memory have been idle for long enough.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Pause {
    timer: TimerId,
    /// Seconds that are left; `None` where the server's clock is moved instead.
    left: Option<u16>,
}

/// What is kept of the bench: what must be undone, and the answers.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Kept {
    changes: Vec<Change>,
    policy: Option<String>,
    choices: [Option<Choice>; Experiment::ALL.len()],
}

/// Everything the bench knows.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Bench {
    choices: [Option<Choice>; Experiment::ALL.len()],
    /// The first call that undoes, for each experiment that had something to undo.
    undone_from: [Option<CallId>; Experiment::ALL.len()],
    /// The calls that were sent when the pause was over, for each experiment that had one.
    later: [Vec<CallId>; Experiment::ALL.len()],
    run: Option<Run>,
    /// What is to be undone, the newest last.
    changes: Vec<Change>,
    /// The key policy as the lab left it.
    policy: Option<String>,
    /// The experiment that was tried last.
    last: Option<Experiment>,
}

impl Kept {
    /// What was said to an experiment's question.
    pub fn choice(&self, which: Experiment) -> Option<Choice> {
        self.choices[which.index()]
    }
}

impl Bench {
    /// What is kept of it.
    pub(super) fn kept(&self) -> Kept {
        Kept { changes: self.changes.clone(), policy: self.policy.clone(), choices: self.choices }
    }

    /// A bench that goes on; where what it changed is gone, with the answers alone.
    pub(super) fn resumed(kept: &Kept, is_gone: bool) -> Bench {
        let Kept { changes, policy, choices } = kept.clone();
        match is_gone {
            true => Bench { choices, ..Bench::default() },
            false => Bench { changes, policy, choices, ..Bench::default() },
        }
    }

    /// What was said to its question.
    pub fn choice(&self, which: Experiment) -> Option<Choice> {
        self.choices[which.index()]
    }

    /// Whether one is in progress, or being undone.
    pub fn is_running(&self) -> bool {
        self.run.is_some()
    }

    /// Whether what is under way is the undoing.
    pub fn is_undoing(&self) -> bool {
        self.run.as_ref().is_some_and(|run| run.verdict.is_some())
    }

    /// Whether it waits for DynamoDB to forget the table keys; with the seconds that are left, where it counts.
    pub fn pause(&self) -> Option<Option<u16>> {
        self.run.as_ref()?.pause.map(|pause| pause.left)
    }

    /// What is not as it was before.
    pub fn changes(&self) -> &[Change] {
        &self.changes
    }

    /// Whether this call of an experiment undoes something.
    pub fn undoes(&self, which: Experiment, call: CallId) -> bool {
        self.undone_from[which.index()].is_some_and(|first| call >= first)
    }

    /// Whether this call of an experiment was the first after its pause.
    pub fn is_later(&self, which: Experiment, call: CallId) -> bool {
        self.later[which.index()].contains(&call)
    }

    /// Notes what a call that is being sent changes: its answer may be lost.
    fn note(&mut self, operation: &Operation) {
        for change in Change::of(operation) {
            if !self.changes.contains(&change) {
                self.changes.push(change);
            }
        }
    }

    /// Learns from a response what is changed and what is undone. `undoing` tells a key policy that was put back from one
    /// that was changed.
    fn learn(&mut self, exchange: &Exchange, undoing: bool) {
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
            // It is not pending: somebody was faster, or an earlier try has done it.
            Operation::CancelKeyDeletion { .. } if exchange.error_code() == Some("KMSInvalidStateException") => {
                self.undone(&Change::Deletion);
            }
            // What was refused at the first try has changed nothing.
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
        self.changes.retain(|change| change != undone);
    }

    /// Learns from a successful call, or from one that found nothing (`gone`).
    fn learn_undone(&mut self, operation: &Operation, gone: bool, undoing: bool) {
        use Operation as O;
        match operation {
            O::RevokeGrant { grant_id, .. } => self.undone(&Change::Grant(Some(grant_id.clone()))),
            O::DeleteUserPolicy { name, .. } if name == script::POLICY_NAME => self.undone(&Change::Inline),
            O::DeleteTable { .. } => {
                for change in &mut self.changes {
                    if let Change::Table(table) = change {
                        *change = Change::Going(*table);
                    }
                }
            }
            O::DescribeTable { .. } if gone && undoing => {
                self.changes.retain(|change| !matches!(change, Change::Going(_)));
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
                let ours = grants.filter(|grant| text(grant, "Name").as_deref() == Some(script::GRANT_NAME));
                ours.filter_map(|grant| text(grant, "GrantId")).map(|id| Change::Grant(Some(id))).collect()
            }
            _ => return,
        };
        self.undone(&Change::Grant(None));
        self.changes.extend(grants);
    }

    /// Forgets the changes of what clean-up has removed as a whole.
    pub(super) fn removed(&mut self, made: &super::facts::Made) {
        self.changes.retain(|change| match change {
            Change::KeyPolicy | Change::Disabled | Change::Deletion | Change::Grant(_) => made.key.is_some(),
            Change::Detached | Change::Inline => made.user,
            Change::Table(_) | Change::Going(_) => true,
        });
    }
}

/// Whether a call was refused by KMS in DynamoDB's mouth, or by KMS itself.
fn denied_on_key(exchange: &Exchange) -> bool {
    match &exchange.verdict {
        // The wording of 2020–22 names no action; that it is KMS who refuses, it says (issue threads).
        Verdict::Denied(denied) => match denied.action.as_deref() {
            Some(action) => action == "kms:Decrypt",
            None => denied.message.starts_with("KMS key access denied"),
        },
        _ => false,
    }
}
