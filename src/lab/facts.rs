//! What the lab has learnt from the answers: names and states that later calls and checks need.

use serde_json::Value;

use super::exchange::Exchange;
use super::operation::{Identity, Operation, Tags};
use super::stage::Stage;

/// The resources of one run. Every name carries the prefix and the run's id, so that two runs never meet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Names {
    /// The run's id.
    pub run: String,
    /// The key's alias, with `alias/`.
    pub alias: String,
    /// The table.
    pub table: String,
    /// The IAM user that the lab makes.
    pub user: String,
    /// When the run began, RFC 3339 in UTC to the second. It comes from outside: the lesson has no clock.
    pub created: Option<String>,
}

impl Names {
    /// The names of the run `run` (lower-case letters and digits).
    pub fn new(run: &str) -> Names {
        Names {
            run: run.to_owned(),
            alias: format!("alias/kmslab-key-{run}"),
            table: format!("kmslab-table-{run}"),
            user: format!("kmslab-user-{run}"),
            created: None,
        }
    }

    /// The same names, of a run that began at `created` (RFC 3339).
    pub fn created(self, created: String) -> Names {
        Names { created: Some(created), ..self }
    }

    /// The description of the run's key: a key has no name of its own.
    pub fn key_description(&self) -> String {
        format!("kmslab {}", self.run)
    }

    /// The tags of what this run makes.
    pub fn tags(&self) -> Tags {
        Tags { run: self.run.clone(), created: self.created.clone() }
    }
}

/// A principal, as STS names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    /// `arn:aws:iam::111122223333:user/alice`
    pub arn: String,
    /// Twelve digits.
    pub account: String,
}

/// Facts, each taken from an answer and from nowhere else.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Facts {
    /// Who signs the admin's calls.
    pub admin: Option<Caller>,
    /// Who signs test-user's calls.
    pub test_user: Option<Caller>,
    /// `KeyMetadata` of the newest answer that had it.
    pub key: Option<Value>,
    /// The key policy as it was when the grant stage began.
    pub policy_before: Option<String>,
    /// The key policy that GetKeyPolicy gave last.
    pub policy: Option<String>,
    /// `Table` or `TableDescription` of the newest answer.
    pub table: Option<Value>,
    /// Whether this run's CreateTable has succeeded, whatever became of the table.
    pub table_was_made: bool,
    /// What exists because of this run, and is not known to be gone.
    pub made: Made,
}

/// What this run has made and not removed yet.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Made {
    /// The key, by ARN, until its deletion is scheduled.
    pub key: Option<String>,
    /// The key's alias.
    pub alias: bool,
    /// The table.
    pub table: bool,
    /// The IAM user.
    pub user: bool,
    /// The policy on that user.
    pub policy_attached: Option<String>,
    /// That user's access key id.
    pub access_key: Option<String>,
}

impl Made {
    /// Whether nothing is left.
    pub fn is_empty(&self) -> bool {
        *self == Made::default()
    }

    /// What is left, for a person.
    pub fn list(&self, names: &Names) -> Vec<String> {
        let mut left = Vec::new();
        left.extend(self.table.then(|| format!("table {}", names.table)));
        left.extend(self.access_key.as_ref().map(|id| format!("access key {id} of {}", names.user)));
        left.extend(self.user.then(|| format!("IAM user {}", names.user)));
        left.extend(self.alias.then(|| names.alias.clone()));
        left.extend(self.key.as_ref().map(|arn| format!("KMS key {arn}")));
        left
    }
}

impl Facts {
    /// The key's ARN.
    pub fn key_arn(&self) -> Option<&str> {
        self.key.as_ref()?.get("Arn")?.as_str()
    }

    /// The key's id.
    pub fn key_id(&self) -> Option<&str> {
        self.key.as_ref()?.get("KeyId")?.as_str()
    }

    /// `TableStatus` of the newest answer about the table.
    pub fn table_status(&self) -> Option<&str> {
        self.table.as_ref()?.get("TableStatus")?.as_str()
    }

    /// Takes in what `exchange` tells. Errors tell something too: what clean-up does not find is gone. (Elsewhere it
    /// may only not be seen yet: DescribeTable is eventually consistent.)
    pub fn learn(&mut self, exchange: &Exchange) {
        use Operation as O;
        let Some(body) = exchange.body() else { return };
        if !exchange.is_allowed() {
            if exchange.is_wanted_absence() {
                self.forget(&exchange.operation);
            }
            return;
        }
        let text = |path: &str| body.pointer(path).and_then(Value::as_str).map(str::to_owned);
        match &exchange.operation {
            O::GetCallerIdentity => {
                let caller = text("/Arn").zip(text("/Account")).map(|(arn, account)| Caller { arn, account });
                match exchange.identity {
                    Identity::Admin => self.admin = caller,
                    Identity::TestUser => self.test_user = caller,
                }
            }
            O::CreateKey { .. } => {
                self.key = body.get("KeyMetadata").cloned();
                self.made.key = text("/KeyMetadata/Arn");
            }
            O::DescribeKey { .. } => {
                self.key = body.get("KeyMetadata").cloned();
                if text("/KeyMetadata/KeyState").as_deref() == Some("PendingDeletion") {
                    self.made.key = None;
                }
            }
            O::CreateAlias { .. } => self.made.alias = true,
            O::GetKeyPolicy { .. } => {
                self.policy = text("/Policy");
                if exchange.stage == Stage::Grant && self.policy_before.is_none() {
                    self.policy_before.clone_from(&self.policy);
                }
            }
            O::CreateTable { .. } => {
                self.table = body.get("TableDescription").cloned();
                self.made.table = true;
                self.table_was_made = true;
            }
            O::DescribeTable { .. } => self.table = body.get("Table").cloned(),
            O::CreateUser { .. } => self.made.user = true,
            O::AttachUserPolicy { policy_arn, .. } => self.made.policy_attached = Some(policy_arn.clone()),
            O::CreateAccessKey { .. } => self.made.access_key = text("/AccessKey/AccessKeyId"),
            O::DeleteTable { .. }
            | O::DeleteAlias { .. }
            | O::ScheduleKeyDeletion { .. }
            | O::DetachUserPolicy { .. }
            | O::DeleteAccessKey { .. }
            | O::DeleteUser { .. } => self.forget(&exchange.operation),
            O::PutKeyPolicy { .. } | O::PutItem { .. } | O::Scan { .. } => {}
        }
    }

    /// Notes that what `operation` is about is gone, or was never there.
    fn forget(&mut self, operation: &Operation) {
        use Operation as O;
        match operation {
            // A table that is being deleted is still found for a while; it is gone when DescribeTable says so. It
            // costs nothing any more from here on, though.
            O::DeleteTable { .. } | O::DescribeTable { .. } => {
                self.made.table = false;
                self.table = None;
            }
            O::DeleteAlias { .. } => self.made.alias = false,
            O::ScheduleKeyDeletion { .. } => self.made.key = None,
            O::DetachUserPolicy { .. } => self.made.policy_attached = None,
            O::DeleteAccessKey { .. } => self.made.access_key = None,
            O::DeleteUser { .. } => self.made.user = false,
            _ => {}
        }
    }
}
