//! What a person can look into: why a call was decided as it was ([`ladder`]), what KMS was asked ([`trail`]), and how
//! the table lies in the database ([`at_rest`]).
//!
//! Opening such a page gives [`Effect::Inspect`]; what the world finds out comes back as [`Event::Inspected`]
//! (`State::inspected`). Nothing of the lab waits for it.
//!
//! [`Event::Inspected`]: super::flow::Event::Inspected

pub mod at_rest;
pub mod documents;
pub mod ladder;
pub mod trail;

use super::calls::Call;
use super::exchange::Exchange;
use super::facts::Caller;
use super::flow::Effect;
use super::kernel::run::Run;
pub use super::model::inspection::{Finding, Inquiry, Known, Place};
use super::operation::{Identity, Operation};
use super::state::State;
use super::view::Page;
/// The evaluator's own word on whether an element `Action` covers an action.
pub use crate::policy::covers_action;
use at_rest::AtRest;
use documents::{Documents, decide_again, request_id};
use ladder::Decided;

/// What keeps an experiment's calls from being decided again.
const UNDONE: &str = "the experiment is undone, and with it the policies by which this was decided";

/// A call for which DynamoDB needs a table key. It is known longer than its answer, which a later one takes the place of.
#[derive(Debug, Clone, PartialEq)]
pub struct Use {
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
}

/// What was asked last, and what is known of it.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Insight {
    uses: Vec<Use>,
    serial: u64,
    inquiry: Option<Inquiry>,
    known: Option<Known>,
}

impl State {
    /// What is known since the world answered this question; `None` where it has not, or another was asked since.
    pub(super) fn known_since(&self, serial: u64) -> Option<&Known> {
        self.known().filter(|_| self.insight.serial == serial)
    }

    /// What is known of what the open page is about; `None` while it is being found out.
    pub fn known(&self) -> Option<&Known> {
        self.insight.known.as_ref()
    }

    /// The selected call of the focused pane, once it is answered.
    pub fn focused_exchange(&self) -> Option<&Exchange> {
        let identity = self.view.focus();
        match self.calls(identity).get(self.selected(identity)?) {
            Some(Call::Answered(exchange)) => Some(exchange),
            _ => None,
        }
    }

    /// The call with this request id, as it is shown, if a table key was needed for it.
    pub fn use_of_request(&self, id: &str) -> Option<&Use> {
        self.insight.uses.iter().find(|one| one.request_id == id)
    }

    /// Whether the calls with these request ids, as they are shown, needed the same table's key.
    pub fn use_same_table(&self, one: &str, other: &str) -> bool {
        let table = |id| self.use_of_request(id).map(|one| &one.table);
        table(one).is_some() && table(one) == table(other)
    }

    pub(super) fn note_use(&mut self, exchange: &Exchange, shown: &str) {
        if let Operation::Scan { table } | Operation::PutItem { table, .. } = &exchange.operation {
            self.insight.uses.push(Use {
                sent: request_id(exchange).to_owned(),
                request_id: shown.to_owned(),
                table: table.clone(),
                operation: exchange.operation.name(),
                place: self.place_of(exchange),
            });
        }
    }

    /// Where a call was made.
    pub fn place_of(&self, exchange: &Exchange) -> Place {
        self.kernel.sender(exchange.id).map_or(Place::Stage(exchange.stage), Place::Experiment)
    }

    /// Who signs as `identity`, as it is shown.
    pub fn shown_caller(&self, identity: Identity) -> Option<&Caller> {
        self.shown_facts().caller(identity)
    }

    fn caller_of(&self, identity: Identity) -> Option<&Caller> {
        self.kernel.facts().caller(identity)
    }

    /// Asks for what the open page needs; nothing where it needs nothing.
    pub(super) fn inspect(&mut self) -> Vec<Effect> {
        let inquiry = match self.view.page() {
            // A recorded answer was decided elsewhere.
            Some(Page::Why) if !self.is_replay() => {
                let Some(exchange) = self.focused_exchange() else { return Vec::new() };
                let (call, identity) = (exchange.id, exchange.identity);
                let caller = self.caller_of(identity).map(|caller| caller.arn.clone());
                Inquiry::Why { call, caller, key: self.kernel.facts().key_arn().map(str::to_owned) }
            }
            Some(Page::Trail) => Inquiry::Trail,
            Some(Page::AtRest) if self.kernel.facts().made.table => Inquiry::AtRest { table: self.names.table.clone() },
            _ => return Vec::new(),
        };
        let insight = &mut self.insight;
        insight.serial += 1;
        // What is known of the same stays in view until there is something newer.
        if insight.inquiry.as_ref() != Some(&inquiry) {
            insight.known = None;
            insight.inquiry = Some(inquiry.clone());
        }
        vec![Effect::Inspect { serial: insight.serial, inquiry }]
    }

    /// Takes in what the world has found out; what is not the newest answer is dropped.
    pub(super) fn inspected(&mut self, serial: u64, finding: Finding) {
        if serial != self.insight.serial {
            return;
        }
        let known = self.taken_in(finding).unwrap_or_else(|| Known::Failed("it could not be masked".to_owned()));
        self.insight.known = Some(known);
    }

    /// A finding as it is shown; `None` where it can't be masked.
    fn taken_in(&mut self, finding: Finding) -> Option<Known> {
        Some(match finding {
            Finding::Decisions(all) => {
                let own: Vec<Decided> = all.into_iter().filter(|decided| self.is_own(&decided.request_id)).collect();
                Known::Decisions { all: self.masking.value(own)?, unread: None }
            }
            Finding::Documents(documents) => {
                let decided = self.decided_again(&documents);
                let (all, unread) = self.masking.value(decided)?;
                Known::Decisions { all, unread: Some(unread) }
            }
            Finding::Trail(events) => Known::Trail(self.masking.value(events)?),
            // The bytes of items and keys name nobody, and where the file lies is the person's own machine.
            Finding::AtRest(at_rest) => {
                let names = (at_rest.table, at_rest.key_arn, at_rest.encryption_context);
                let (table, key_arn, encryption_context) = self.masking.value(names)?;
                Known::AtRest(Box::new(AtRest { table, key_arn, encryption_context, ..*at_rest }))
            }
            Finding::NotTold => Known::NotTold,
            // It may have been another session that was not masked.
            Finding::Shown(known) => match *known {
                Known::AtRest(at_rest) => self.taken_in(Finding::AtRest(at_rest))?,
                known => self.masking.value(known)?,
            },
            Finding::Failed(reason) => Known::Failed(self.masking.text(reason)),
        })
    }

    /// Whether a request of this id was the lab's.
    fn is_own(&self, id: &str) -> bool {
        self.sent().any(|exchange| request_id(exchange) == id) || self.insight.uses.iter().any(|one| one.sent == id)
    }

    /// The decisions of the call that is asked about, and what keeps them from being complete.
    fn decided_again(&self, documents: &Documents) -> (Vec<Decided>, Vec<String>) {
        let Some(Inquiry::Why { call, .. }) = &self.insight.inquiry else { return Default::default() };
        if self.kernel.sender(*call).is_some() {
            return (Vec::new(), vec![UNDONE.to_owned()]);
        }
        let exchange = self.sent().find(|exchange| exchange.id == *call);
        let decided = exchange.and_then(|exchange| {
            let caller = self.caller_of(exchange.identity)?;
            Some(decide_again(exchange, caller, self.kernel.facts(), &self.backend.region, documents))
        });
        decided.unwrap_or_default()
    }

    /// All calls as they came.
    fn sent(&self) -> impl Iterator<Item = &Exchange> {
        self.runs().flat_map(Run::raw)
    }

    pub(super) fn runs(&self) -> impl Iterator<Item = &Run> {
        self.kernel.runs()
    }
}
