//! Going on where a kept session ended.
//!
//! First the lab looks, with calls that change nothing, whether what was made is still there, and asks. Then it
//! verifies each stage that was met by calls of that stage. What ends with the program, the sandbox without a folder of
//! its own, is made again instead: the stages before it run again, and the answers to their questions stay.

use serde_json::Value;

use crate::lab::feature::replay::stamp;
use crate::lab::kernel::event::Command;
use crate::lab::model::exchange::{Answer, Verdict, is_not_found};
use crate::lab::model::facts::Names;
use crate::lab::model::key_policy;
use crate::lab::model::operation::Operation;
use crate::lab::model::stage::Stage;
use crate::lab::saving::SavedSession;

/// A kept session, and whether what it made is still there.
#[derive(Debug, Clone, PartialEq)]
pub struct Offer {
    kept: Box<SavedSession>,
    /// What was found, in words.
    found: Vec<String>,
    looked: Looked,
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

/// Whether a saved session is offered, and how far the lab is with resuming it.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Resuming {
    offer: Option<Offer>,
    catch_up: Option<CatchUp>,
    /// The stage whose verification got no answer, with the reason.
    stalled: Option<(Stage, String)>,
}

impl Resuming {
    /// Offers to go on with `kept`. Returns the calls that look what is left of it.
    pub(in crate::lab) fn offer(&mut self, kept: SavedSession) -> Vec<Command> {
        self.offer = Some(Offer { kept: Box::new(kept), found: Vec::new(), looked: Looked::default() });
        self.look()
    }

    /// What is offered, while the question is open.
    pub(in crate::lab) fn offered(&self) -> Option<&Offer> {
        self.offer.as_ref()
    }

    /// Ends the question. Returns the session that was offered.
    pub(in crate::lab) fn take_offer(&mut self) -> Option<SavedSession> {
        self.offer.take().map(|offer| *offer.kept)
    }

    /// The stage whose verification got no answer, with the reason.
    pub(in crate::lab) fn stalled(&self) -> Option<(Stage, &str)> {
        self.stalled.as_ref().map(|(stage, reason)| (*stage, reason.as_str()))
    }

    /// Ends catching up at `stage`, whose verification got no answer.
    pub(in crate::lab) fn stall(&mut self, stage: Stage, reason: String) {
        self.catch_up = None;
        self.stalled = Some((stage, reason));
    }

    /// Returns the stage to verify once more.
    pub(in crate::lab) fn take_stalled(&mut self) -> Option<Stage> {
        self.stalled.take().map(|(stage, _)| stage)
    }

    /// Whether Enter goes on, or looks again.
    pub(in crate::lab) fn can_go_on(&self) -> bool {
        let is_known = |offer: &Offer| matches!(offer.looked, Looked::Done | Looked::Unknown(_));
        self.stalled.is_some() || self.offer.as_ref().is_some_and(is_known)
    }

    /// How the lab comes to where the saved session ended.
    pub(in crate::lab) fn catch_up(&self) -> Option<CatchUp> {
        self.catch_up
    }

    /// Begins to catch up this way.
    pub(in crate::lab) fn begin(&mut self, catch_up: CatchUp) {
        self.catch_up = Some(catch_up);
    }

    /// Ends catching up. Returns how it was done.
    pub(in crate::lab) fn end(&mut self) -> Option<CatchUp> {
        self.catch_up.take()
    }

    /// Whether a saved session is offered, verified or run again. The lab is not where that session ended.
    pub(in crate::lab) fn is_open(&self) -> bool {
        self.asks() || self.catch_up.is_some()
    }

    /// Whether the question is to be answered.
    pub(in crate::lab) fn asks(&self) -> bool {
        self.offer.is_some() || self.stalled.is_some()
    }

    /// Whether the lab has less than the saved session, which must not be replaced then.
    pub(in crate::lab) fn has_less(&self) -> bool {
        self.offer.is_some() || matches!(self.catch_up, Some(CatchUp::Redo(_)))
    }

    /// Looks, without changing anything, what is left.
    pub(in crate::lab) fn look(&mut self) -> Vec<Command> {
        let Some(offer) = &mut self.offer else { return Vec::new() };
        offer.found.clear();
        if offer.runs_again() {
            offer.looked = Looked::Done;
            return Vec::new();
        }
        offer.looked = Looked::Looking;
        vec![Command::Probe(vec![Operation::GetCallerIdentity])]
    }

    /// Takes an answer about what is left; `is_last` when no other is awaited.
    pub(in crate::lab) fn probed(&mut self, operation: &Operation, answer: &Answer, is_last: bool) -> Vec<Command> {
        let Some(offer) = &mut self.offer else { return Vec::new() };
        let mut next = Vec::new();
        if let Err(none) = &answer.response {
            offer.looked = Looked::Unknown(none.message.clone());
        } else if *operation == Operation::GetCallerIdentity {
            next = offer.identified(answer);
        } else {
            offer.found.extend(offer.tell(operation, answer));
        }
        if !next.is_empty() {
            return vec![Command::Probe(next)];
        }
        if is_last && offer.looked == Looked::Looking {
            offer.looked = Looked::Done;
            offer.found.sort();
        }
        Vec::new()
    }
}

impl Offer {
    /// What to ask after the account is known: whatever the session is known to have made.
    fn identified(&mut self, answer: &Answer) -> Vec<Operation> {
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
    fn tell(&self, operation: &Operation, answer: &Answer) -> Option<String> {
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
                let word = if is_granted() { "names test-user" } else { "doesn't name test-user yet" };
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
        Verdict::Allowed => "the response names no account".to_owned(),
    }
}
