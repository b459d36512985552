//! What a person can look into: why a call was decided as it was ([`ladder`]), what KMS was asked ([`trail`]), and how
//! the table is stored ([`at_rest`]).
//!
//! The router asks when such a page opens, and brings what the world finds out. Nothing of the lab waits for it.

pub mod at_rest;
pub mod documents;
pub mod forecast;
pub mod ladder;
pub mod near_miss;
pub mod spoken;
pub mod trail;

use self::documents::{Documents, decide_again, request_id};
use self::ladder::{Decided, Ladder, Lock};
use crate::lab::kernel::Kernel;
use crate::lab::kernel::event::{Command, DomainEvent};
use crate::lab::kernel::run::Run;
use crate::lab::model::exchange::{CallId, Exchange, Verdict};
pub use crate::lab::model::inspection::{Finding, Inquiry, Known, Place, Traced};
use crate::lab::model::operation::Operation;
/// The evaluator's own word on whether an element `Action` covers an action.
pub use crate::policy::covers_action;

/// What keeps an experiment's calls from being decided again.
const UNDONE: &str = "the experiment has been undone, and so have the policies that decided this";

/// A call for which DynamoDB needs a table key. It is known longer than its response, which a later one replaces.
#[derive(Debug, Clone, PartialEq)]
pub struct Use {
    call: CallId,
    /// Its request id as it came.
    sent: String,
    /// The same as it is shown.
    request_id: String,
    /// The table's name as it came.
    table: String,
    /// `Scan`
    pub operation: &'static str,
    /// Where it was made.
    pub place: Place,
    asked: Traced,
}

/// Why a call was decided as it was.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Explained {
    /// A ladder for each lock, in the order of decision.
    pub ladders: Vec<Ladder>,
    /// The id of the earlier request by which the last lock was opened, if KMS was not asked this time.
    pub earlier: Option<String>,
}

impl Explained {
    /// Whether a ladder is shown in one line: its lock is open, and another ladder is what the call is about.
    pub fn is_brief(&self, ladder: usize) -> bool {
        ladder != self.subject() && self.ladders.get(ladder).is_some_and(|ladder| ladder.allowed)
    }

    /// The ladder that the call is about: the last one. Tags that are set along are about something else, unless they
    /// are refused.
    fn subject(&self) -> usize {
        let goes_along = |ladder: &Ladder| ladder.allowed && ladder.action.ends_with(":TagResource");
        let last = self.ladders.len().saturating_sub(1);
        self.ladders.iter().rposition(|ladder| !goes_along(ladder)).unwrap_or(last)
    }

    /// The rungs that a cursor can stop at: ladder and rung, counted from 0.
    pub fn stops(&self) -> Vec<(usize, usize)> {
        let rungs = self.ladders.iter().enumerate().flat_map(|(at, ladder)| {
            let is_brief = self.is_brief(at);
            let shown = ladder.rungs.iter().enumerate().filter(move |(_, rung)| !is_brief || rung.decides);
            shown.map(move |(rung, _)| (at, rung))
        });
        rungs.collect()
    }

    /// The stop to begin with: in the ladder that the call is about, the first rung that could have allowed it, or that
    /// decided it.
    pub fn first_stop(&self) -> usize {
        let at = self.subject();
        let Some(ladder) = self.ladders.get(at) else { return 0 };
        let enough = ladder.enough().first().map(|number| number - 1);
        let rung = enough.or_else(|| ladder.rungs.iter().position(|rung| rung.decides)).unwrap_or(0);
        self.stops().iter().position(|stop| *stop == (at, rung)).unwrap_or(0)
    }
}

/// What was asked last, and what is known of it.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Insight {
    uses: Vec<Use>,
    serial: u64,
    inquiry: Option<Inquiry>,
    known: Option<Known>,
}

impl Insight {
    /// What is known of what the open page is about; `None` while it is being found out.
    pub(in crate::lab) fn known(&self) -> Option<&Known> {
        self.known.as_ref()
    }

    /// Whether this is the newest question.
    pub(in crate::lab) fn awaits(&self, serial: u64) -> bool {
        self.serial == serial
    }

    /// The call with this request id, as it is shown, if a table key was needed for it.
    pub(in crate::lab) fn use_of_request(&self, id: &str) -> Option<&Use> {
        self.uses.iter().find(|one| one.request_id == id)
    }

    /// The ladders of `exchange`. Where KMS was not asked, the last one is that of the call before it.
    pub(in crate::lab) fn explain(&self, exchange: &Exchange, all: &[Decided]) -> Explained {
        let id = request_id(exchange);
        let ladders = ladder::ladders(all, id);
        let needs_key = matches!(exchange.operation, Operation::Scan { .. } | Operation::PutItem { .. });
        let has_key = ladders.iter().any(|ladder| ladder.lock == Lock::Key);
        if !needs_key || !exchange.is_allowed() || has_key {
            return Explained { ladders, earlier: None };
        }
        let earlier = ladder::earlier_decrypt(all, id, |earlier| self.use_same_table(earlier, id));
        let ladders = ladders.into_iter().chain(earlier.map(Ladder::of)).collect();
        Explained { ladders, earlier: earlier.map(|earlier| earlier.request_id.clone()) }
    }

    /// Whether the calls with these request ids, as they are shown, needed the same table's key.
    pub(in crate::lab) fn use_same_table(&self, one: &str, other: &str) -> bool {
        let table = |id| self.use_of_request(id).map(|one| &one.table);
        table(one).is_some() && table(one) == table(other)
    }

    /// Notes the calls that need a table key. Where there may be a trail, asks for what the response of a Scan leaves open.
    pub(in crate::lab) fn on(&mut self, event: &DomainEvent, kernel: &Kernel, has_trail: bool) -> Vec<Command> {
        let DomainEvent::CallAnswered(_, call) = event else { return Vec::new() };
        let exchange = call.raw();
        let is_scan = matches!(exchange.operation, Operation::Scan { .. });
        let is_open = !matches!(&exchange.verdict, Verdict::Denied(denied) if denied.action.is_some());
        let sent = request_id(exchange).to_owned();
        let traces = has_trail && is_scan && is_open && !sent.is_empty();
        if let Operation::Scan { table } | Operation::PutItem { table, .. } = &exchange.operation {
            self.uses.push(Use {
                call: exchange.id,
                sent: sent.clone(),
                request_id: request_id(call).to_owned(),
                table: table.clone(),
                operation: exchange.operation.name(),
                place: place_of(exchange, kernel),
                asked: if traces { Traced::Looking } else { Traced::NotTold },
            });
        }
        traces.then(|| Command::Trace(vec![sent])).into_iter().collect()
    }

    /// Takes what the trail says.
    pub(in crate::lab) fn traced(&mut self, asked: &[(String, Traced)]) {
        for one in self.uses.iter_mut().filter(|one| one.asked == Traced::Looking) {
            if let Some((_, asked)) = asked.iter().find(|(id, _)| *id == one.sent) {
                one.asked = *asked;
            }
        }
    }

    /// The same with the ids of the requests as they are shown.
    pub(in crate::lab) fn as_shown(&self, asked: &[(String, Traced)]) -> Vec<(String, Traced)> {
        let shown = |id: &String| Some(self.uses.iter().find(|one| one.sent == *id)?.request_id.clone());
        asked.iter().filter_map(|(id, asked)| Some((shown(id)?, *asked))).collect()
    }

    /// What the trail says of an exchange, as it is shown.
    pub(in crate::lab) fn asked(&self, exchange: &Exchange) -> Traced {
        let is_it = |one: &&Use| one.call == exchange.id && one.request_id == request_id(exchange);
        self.uses.iter().rev().find(is_it).map(|one| one.asked).unwrap_or_default()
    }

    /// Notes a new question and returns its number.
    pub(in crate::lab) fn ask(&mut self, inquiry: &Inquiry) -> u64 {
        self.serial += 1;
        // What is known of the same stays in view until there is something newer.
        if self.inquiry.as_ref() != Some(inquiry) {
            self.known = None;
            self.inquiry = Some(inquiry.clone());
        }
        self.serial
    }

    /// Takes what the page shows from here on.
    pub(in crate::lab) fn show(&mut self, known: Known) {
        self.known = Some(known);
    }

    /// What a finding says about what was asked, not masked.
    pub(in crate::lab) fn read(&self, finding: Finding, kernel: &Kernel, region: &str) -> Known {
        match finding {
            Finding::Decisions(all) => {
                let own = all.into_iter().filter(|decided| self.is_own(&decided.request_id, kernel)).collect();
                Known::Decisions { all: own, unread: None }
            }
            Finding::Documents(documents) if matches!(self.inquiry, Some(Inquiry::Documents { .. })) => {
                Known::Documents(documents)
            }
            Finding::Documents(documents) => {
                let (all, unread) = self.decided_again(&documents, kernel, region);
                Known::Decisions { all, unread: Some(unread) }
            }
            Finding::Trail(events) => Known::Trail(events),
            Finding::AtRest(at_rest) => Known::AtRest(at_rest),
            Finding::NotTold => Known::NotTold,
            Finding::Shown(known) => *known,
            Finding::Failed(reason) => Known::Failed(reason),
        }
    }

    /// Whether a request of this id was the lab's.
    fn is_own(&self, id: &str, kernel: &Kernel) -> bool {
        sent(kernel).any(|exchange| request_id(exchange) == id) || self.uses.iter().any(|one| one.sent == id)
    }

    /// The decisions of the call that is asked about, and what keeps them from being complete.
    fn decided_again(&self, documents: &Documents, kernel: &Kernel, region: &str) -> (Vec<Decided>, Vec<String>) {
        let Some(Inquiry::Why { call, .. }) = &self.inquiry else { return Default::default() };
        if kernel.sender(*call).is_some() {
            return (Vec::new(), vec![UNDONE.to_owned()]);
        }
        let exchange = sent(kernel).find(|exchange| exchange.id == *call);
        let decided = exchange.and_then(|exchange| {
            let caller = kernel.facts().caller(exchange.identity)?;
            Some(decide_again(exchange, caller, kernel.facts(), region, documents))
        });
        decided.unwrap_or_default()
    }
}

/// Where a call was made.
pub(in crate::lab) fn place_of(exchange: &Exchange, kernel: &Kernel) -> Place {
    kernel.sender(exchange.id).map_or(Place::Stage(exchange.stage), Place::Experiment)
}

/// All calls as they came.
fn sent(kernel: &Kernel) -> impl Iterator<Item = &Exchange> {
    kernel.runs().flat_map(Run::raw)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn explained(ladders: &[(&str, bool)]) -> Explained {
        let ladder = |(action, allowed): &(&str, bool)| Ladder {
            lock: Lock::Other,
            principal: String::new(),
            action: (*action).to_owned(),
            resource: "*".to_owned(),
            rungs: Vec::new(),
            allowed: *allowed,
            verdict: String::new(),
        };
        Explained { ladders: ladders.iter().map(ladder).collect(), earlier: None }
    }

    /// Tags that are set along are one line, unless they are why the call was refused.
    #[test]
    fn the_ladder_that_the_call_is_about_is_whole() {
        for (ladders, brief) in [
            (&[("dynamodb:Scan", true), ("kms:Decrypt", true)][..], &[true, false][..]),
            (&[("dynamodb:Scan", true), ("kms:Decrypt", false)], &[true, false]),
            (&[("kms:CreateKey", true), ("kms:TagResource", true)], &[false, true]),
            (&[("kms:CreateKey", true), ("kms:TagResource", false)], &[true, false]),
            (&[("kms:CreateKey", false), ("kms:TagResource", true)], &[false, true]),
            (&[("kms:TagResource", true)], &[false]),
        ] {
            let explained = explained(ladders);
            let found: Vec<bool> = (0..ladders.len()).map(|at| explained.is_brief(at)).collect();
            assert_eq!(found, brief, "{ladders:?}");
        }
        assert_eq!(Explained::default().first_stop(), 0);
    }
}
