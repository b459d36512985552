//! What an audience's phones show: the open question, then the answer, the verdicts and the paths. While a question is
//! open, nothing in it tells the right answer or the votes.

use serde::Serialize;

use super::kernel::run::Status;
use super::model::exchange::{Exchange, Verdict};
use super::model::operation::Identity;
use super::model::stage::Stage;
use super::path::{End, Mark, Path};
use super::session::state::State;

/// What phones show.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Poll {
    /// The shown stage, counted from 1.
    pub number: usize,
    /// How many stages there are.
    pub of: usize,
    /// The part below the header.
    #[serde(flatten)]
    pub view: PollView,
}

/// The part below the header.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "view", rename_all = "snake_case")]
pub enum PollView {
    /// No question, or a blank screen.
    Wait,
    /// A question. Once its calls are sent, it is closed.
    Ask {
        /// Names the question in a vote.
        stage: Stage,
        /// The question.
        question: String,
        /// Its answers, in the order shown.
        answers: Vec<String>,
        /// Whether it takes votes.
        open: bool,
    },
    /// A question with its answer, after the verdict.
    Reveal {
        /// See [`PollView::Ask`].
        stage: Stage,
        /// The question.
        question: String,
        /// Its answers, in the order shown.
        answers: Vec<String>,
        /// The place of the right one, counted from 0.
        right: usize,
        /// Hands and phones for each answer.
        votes: Vec<u16>,
        /// The stage's outcome.
        outcome: String,
        /// The last call of each identity.
        calls: Vec<PollCall>,
    },
}

/// A call, and how it ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PollCall {
    /// `admin` or `test-user`.
    pub who: &'static str,
    /// `allowed`, `denied` or `failed`.
    pub verdict: &'static str,
    /// The action that was denied.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub denied: Option<String>,
    /// The services on a Scan's path, and whether each let it pass; `None` where nobody knows, or nobody asked.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub path: Vec<(&'static str, Option<bool>)>,
    /// How many items arrived at the end of that path.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub items: Option<usize>,
}

impl Poll {
    /// The poll of what `state` shows now.
    pub fn of(state: &State) -> Poll {
        let stage = state.view().shown;
        Poll { number: stage.number(), of: Stage::ALL.len(), view: PollView::of(state, stage) }
    }

    /// The question that takes votes, and how many answers it has.
    pub fn open(&self) -> Option<(Stage, usize)> {
        match &self.view {
            PollView::Ask { stage, answers, open: true, .. } => Some((*stage, answers.len())),
            _ => None,
        }
    }
}

impl PollView {
    fn of(state: &State, stage: Stage) -> PollView {
        let is_elsewhere = state.is_blank() || state.view().opening || state.is_drilling();
        let asked = state.question(stage).filter(|_| !is_elsewhere && state.view().experiment.is_none());
        let Some(asked) = asked.filter(|_| stage <= state.reachable()) else { return PollView::Wait };
        let question = asked.question.text.clone();
        let answers: Vec<String> = asked.answers.iter().map(|(_, reply)| reply.text.clone()).collect();
        let record = state.record(stage);
        let Status::Done(check) = &record.status else {
            return PollView::Ask { stage, question, answers, open: state.voting() == Some(stage) };
        };
        let hands = state.hands(stage).unwrap_or_default();
        PollView::Reveal {
            stage,
            question,
            right: asked.answers.iter().position(|(_, reply)| reply.right).unwrap_or(0),
            votes: (0..answers.len()).map(|place| hands.get(place).unwrap_or(0)).collect(),
            answers,
            outcome: check.observed.clone(),
            calls: Identity::BOTH
                .into_iter()
                .filter_map(|identity| record.exchanges().rfind(|exchange| exchange.identity == identity))
                .map(|exchange| PollCall::of(exchange, state.path_of(exchange)))
                .collect(),
        }
    }
}

impl PollCall {
    fn of(exchange: &Exchange, path: Option<Path>) -> PollCall {
        let denied = match &exchange.verdict {
            Verdict::Denied(denied) => denied.action.clone(),
            _ => None,
        };
        let items = match path.as_ref().map(|path| path.end) {
            Some(End::Items(count)) => count,
            Some(End::Nothing) => Some(0),
            _ => None,
        };
        let passed = |mark: Mark| match mark {
            Mark::Yes => Some(true),
            Mark::No | Mark::Failed => Some(false),
            Mark::NotAsked | Mark::Waiting | Mark::Unknown | Mark::Unsent => None,
        };
        let path = path.map(|path| vec![("DynamoDB", passed(path.table)), ("KMS", passed(path.key))]);
        PollCall {
            who: exchange.identity.name(),
            verdict: exchange.verdict.key(),
            denied,
            path: path.unwrap_or_default(),
            items,
        }
    }
}
