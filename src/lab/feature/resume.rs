//! Going on where a kept session ended.
//!
//! First the lab looks, with calls that change nothing, whether what was made is still there, and asks. Then it
//! verifies each stage that was met by calls of that stage. What ends with the program, the sandbox without a folder of
//! its own, is made again instead: the stages before are run anew, and the answers to their questions stay.

use serde_json::Value;

use crate::lab::exchange::{Answer, Verdict, is_not_found};
use crate::lab::facts::Names;
use crate::lab::key_policy;
use crate::lab::operation::Operation;
use crate::lab::replay::stamp;
use crate::lab::saving::Kept;
use crate::lab::stage::Stage;

/// A kept session, and whether what it made is still there.
#[derive(Debug, Clone, PartialEq)]
pub struct Offer {
    pub(in crate::lab) kept: Box<Kept>,
    /// What was found, in words.
    pub(in crate::lab) found: Vec<String>,
    pub(in crate::lab) looked: Looked,
}

/// How far looking is.
#[derive(Debug, Clone, Default, PartialEq)]
pub enum Looked {
    /// Calls are under way.
    #[default]
    Looking,
    /// All is known.
    Done,
    /// It is not known, for this reason: it can be tried again.
    Unknown(String),
    /// The kept session can't go on here, for this reason.
    Never(String),
}

impl Offer {
    /// The stage to go on at.
    pub fn next_stage(&self) -> Stage {
        self.kept.next_stage()
    }

    /// When the session began, `24 Nov 10:02 UTC`.
    pub fn begun(&self, now: u64) -> Option<String> {
        Some(stamp(self.kept.begun()?, now, true))
    }

    /// How many stages were met.
    pub fn met(&self) -> usize {
        self.kept.met()
    }

    /// What was found, in words.
    pub fn found(&self) -> &[String] {
        &self.found
    }

    /// How far looking is.
    pub fn looked(&self) -> &Looked {
        &self.looked
    }

    /// Whether the stages before are run again, since what they made ended with the program.
    pub fn runs_again(&self) -> bool {
        self.kept.place.is_fleeting()
    }

    /// Whether test-user gets another access key: the secret of the old one was never on a disk.
    pub fn needs_new_access_key(&self) -> bool {
        let made = &self.kept.facts.made;
        let is_lost = made.access_key.is_some() || made.maybe_access_key;
        is_lost && !self.runs_again() && !self.kept.ending
    }
}

/// What is done to come to where the kept session ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::lab) enum CatchUp {
    /// The current stage is verified.
    Verify,
    /// Stages are run again, up to this one.
    Redo(Stage),
}

/// The resuming side of a state.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Resuming {
    pub(in crate::lab) offer: Option<Offer>,
    pub(in crate::lab) catch_up: Option<CatchUp>,
    /// The stage at whose verification nothing answered.
    pub(in crate::lab) stalled: Option<(Stage, String)>,
}

impl Offer {
    /// What to ask after the account is known: whatever the session is known to have made.
    pub(in crate::lab) fn identified(&mut self, answer: &Answer) -> Vec<Operation> {
        let body = answer.response.as_ref().map(|response| &response.body).unwrap_or(&Value::Null);
        let account = body.get("Account").and_then(Value::as_str);
        let known = self.kept.facts.admin.as_ref().map(|admin| admin.account.as_str());
        match (account, known) {
            (None, _) => {
                self.looked = Looked::Unknown(failure(answer));
                return Vec::new();
            }
            (Some(here), Some(there)) if here != there => {
                self.looked = Looked::Never("these credentials are of another account".to_owned());
                return Vec::new();
            }
            _ => {}
        }
        let facts = &self.kept.facts;
        let mut next = Vec::new();
        if let Some(key) = facts.key_id().map(str::to_owned) {
            next.extend([Operation::DescribeKey { key: key.clone() }, Operation::GetKeyPolicy { key }]);
        }
        if facts.made.table {
            next.push(Operation::DescribeTable { table: Names::new(&self.kept.run).table });
        }
        next
    }

    /// What an answer says of a thing, in words.
    pub(in crate::lab) fn tell(&self, operation: &Operation, answer: &Answer) -> Option<String> {
        let body = &answer.response.as_ref().ok()?.body;
        let text = |path: &str| body.pointer(path).and_then(Value::as_str);
        let is_granted = || text("/Policy").is_some_and(key_policy::has_key_user);
        let is_allowed = answer.verdict() == Verdict::Allowed;
        match operation {
            Operation::DescribeKey { .. } if is_allowed => {
                Some(format!("key {}", text("/KeyMetadata/KeyState").unwrap_or("of unknown state")))
            }
            Operation::DescribeKey { .. } => Some(format!("key: {}", failure(answer))),
            Operation::DescribeTable { .. } if is_allowed => {
                Some(format!("table {}", text("/Table/TableStatus").unwrap_or("of unknown state")))
            }
            Operation::DescribeTable { .. } => Some(format!("table: {}", failure(answer))),
            Operation::GetKeyPolicy { .. } if is_allowed => {
                let word = if is_granted() { "names test-user" } else { "does not name test-user yet" };
                Some(format!("policy {word}"))
            }
            _ => None,
        }
    }
}

/// An error in a few words.
fn failure(answer: &Answer) -> String {
    match answer.verdict() {
        Verdict::Failed(failure) if failure.code.as_deref().is_some_and(is_not_found) => "gone".to_owned(),
        Verdict::Failed(failure) => failure.code.unwrap_or(failure.message),
        Verdict::Denied(denied) => denied.action.map_or(denied.message, |action| format!("denied on {action}")),
        Verdict::Allowed => "the answer names no account".to_owned(),
    }
}
