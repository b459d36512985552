//! What a presenter's second screen shows: texts of the lesson, and what the lab's own screen shows, masked where that is
//! masked. And how the talk stands: the time, and the score of the class.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::feature::presenting::pace::Timing;
use super::feature::quiz::Asked;
use super::kernel::run::Status;
use super::lesson::Likely;
use super::model::stage::Stage;
use super::session::state::State;

/// The status of a stage.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Progress {
    /// Not begun.
    Todo,
    /// Calls are under way.
    Running,
    /// A held call or a dialog waits for an answer.
    Waiting,
    /// Ended as expected.
    Met,
    /// Ended otherwise.
    NotMet,
}

/// An answer to the stage's question.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AnswerView {
    /// Its letter on the lab's screen.
    pub letter: char,
    /// What it says.
    pub text: String,
    /// Whether it is the right one.
    pub right: bool,
    /// Whether the presenter has chosen it.
    pub chosen: bool,
    /// Hands that went up for it.
    pub hands: Option<u16>,
}

/// The stage's question.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct QuestionView {
    /// The question.
    pub text: String,
    /// Its answers in the order they are shown.
    pub answers: Vec<AnswerView>,
    /// Whether it waits for an answer.
    pub open: bool,
}

/// The next stage or experiment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NextView {
    /// Counted from 1.
    pub number: usize,
    /// Its title.
    pub title: String,
    /// Minutes planned for it; 0 for an experiment, which is not in the plan.
    pub minutes: u8,
}

/// Everything on the second screen but the time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PresenterSnapshot {
    /// `sandbox`, `endpoint` or `aws`.
    pub backend: String,
    /// The language of its texts, by its code.
    #[serde(default)]
    pub lang: String,
    /// The shown stage, counted from 1.
    pub number: usize,
    /// How many there are.
    pub of: usize,
    /// The stage that the lab is at, counted from 1. It differs when the presenter looks back.
    pub current: usize,
    /// Its title.
    pub title: String,
    /// What enter does there.
    pub action: String,
    /// The key that does it.
    #[serde(default = "enter")]
    pub key: String,
    /// Its status.
    pub progress: Progress,
    /// The expected outcome; empty for an experiment, whose right answer says it.
    pub expected: String,
    /// The observed outcome.
    pub observed: Option<String>,
    /// What to look at.
    pub look: String,
    /// What to say and to watch for.
    pub notes: Vec<String>,
    /// What the audience may ask.
    pub audience: Vec<Likely>,
    /// The question, where questions are asked.
    pub question: Option<QuestionView>,
    /// What comes after it.
    pub next: Option<NextView>,
    /// Whether the lab's screen is blank.
    pub blank: bool,
    /// Whether what it shows was recorded earlier.
    pub replay: bool,
    /// How many stages were met.
    pub met: usize,
    /// The words of the lesson's language that the second screen uses, too, by their English.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub words: BTreeMap<String, String>,
}

/// The usual key.
fn enter() -> String {
    "enter".to_owned()
}

/// A label that the second screen shares with the lesson's texts, in English.
pub const LOOK_AT: &str = "look at";
/// See [`LOOK_AT`].
pub const EXPECTED: &str = "expected";
/// See [`LOOK_AT`].
pub const MET: &str = "MET";
/// See [`LOOK_AT`].
pub const NOT_MET: &str = "NOT MET";

impl PresenterSnapshot {
    /// The snapshot of `state` as it is now.
    pub fn of(state: &State) -> PresenterSnapshot {
        let stage = state.view().shown;
        let (text, lesson) = (state.text(stage), state.lesson().stage(stage));
        let experiment = state.view().experiment.map(|which| state.experiment(which));
        let (title, action, look, expected) = match experiment {
            Some(experiment) => {
                (experiment.title.as_str(), state.interface().say("try it"), experiment.lesson.trim(), "")
            }
            None => (text.title, text.action, text.look, text.expected),
        };
        PresenterSnapshot {
            backend: state.backend().kind.key().to_owned(),
            lang: state.lesson().code.clone(),
            number: stage.number(),
            of: Stage::ALL.len(),
            current: state.current().number(),
            title: title.to_owned(),
            action: action.to_owned(),
            key: state.view().keys.first("advance", &enter()).to_owned(),
            progress: progress(state),
            expected: expected.to_owned(),
            observed: state.shown().status.check().map(|check| check.observed.clone()),
            look: look.to_owned(),
            notes: experiment
                .map_or_else(|| lesson.presenter.notes.clone(), |experiment| vec![experiment.setup.trim().to_owned()]),
            audience: if experiment.is_some() { Vec::new() } else { lesson.presenter.audience.clone() },
            question: state.shown_question().map(|asked| question(state, &asked)),
            next: next(state),
            blank: state.is_blank(),
            replay: state.is_replay(),
            met: state.met(),
            words: words(state),
        }
    }
}

fn progress(state: &State) -> Progress {
    match &state.shown().status {
        _ if state.held().is_some() || state.is_asking_for_consent() => Progress::Waiting,
        Status::Todo => Progress::Todo,
        Status::Running => Progress::Running,
        Status::Done(check) if check.met => Progress::Met,
        Status::Done(_) => Progress::NotMet,
    }
}

fn question(state: &State, asked: &Asked<'_>) -> QuestionView {
    let hands = state.hands(state.view().shown).filter(|_| state.view().experiment.is_none()).unwrap_or_default();
    let answers = asked.answers.iter().enumerate().map(|(place, (letter, reply))| AnswerView {
        letter: *letter,
        text: reply.text.clone(),
        right: reply.right,
        chosen: asked.chosen == Some(place),
        hands: hands.get(place),
    });
    QuestionView { text: asked.question.text.clone(), open: asked.is_open(), answers: answers.collect() }
}

fn next(state: &State) -> Option<NextView> {
    if let Some(next) = state.view().experiment.and_then(|which| which.next()) {
        let title = state.experiment(next).title.clone();
        return Some(NextView { number: next.index() + 1, title, minutes: 0 });
    }
    let next = state.view().shown.next()?;
    let title = state.text(next).title.to_owned();
    Some(NextView { number: next.number(), title, minutes: state.lesson().stage(next).minutes })
}

/// The words that differ from English.
fn words(state: &State) -> BTreeMap<String, String> {
    let words = state.lesson().words();
    let labels = [(LOOK_AT, &words.look_at), (EXPECTED, &words.expected), (MET, &words.met), (NOT_MET, &words.not_met)];
    let labels = labels.into_iter().filter(|(english, text)| english != text);
    let labels = labels.map(|(english, text)| (english.to_owned(), text.clone()));
    let interface = state.lesson().frame.interface.iter().map(|(english, text)| (english.clone(), text.clone()));
    labels.chain(interface).collect()
}

impl Timing {
    /// How the talk of `state` stands, as of the newest time that is known.
    pub fn of(state: &State) -> Timing {
        let budget = |stage: &Stage| u64::from(state.lesson().stage(*stage).minutes) * 60;
        let pace = &state.pace();
        Timing {
            stage: state.current().number(),
            stages: Stage::ALL.len(),
            spent: pace.stages[state.current().index()],
            budget: budget(&state.current()),
            total: pace.total,
            before: Stage::ALL.iter().take(state.current().index()).map(budget).sum(),
            planned: Stage::ALL.iter().map(budget).sum(),
        }
    }
}

/// What a presenter's second screen shows once the lab was left: how it went, and what to ask the class.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Closing {
    /// How many stages were met, in the lesson's language.
    pub summary: String,
    /// The debrief's claims, each with the answer and its reason.
    pub claims: Vec<Likely>,
}

impl Closing {
    /// That of a lab which is left with `state`.
    pub fn of(state: &State) -> Closing {
        let words = &state.lesson().frame.export;
        let claims = state.lesson().frame.debrief.iter().map(|claim| {
            let verdict = if claim.is_true { &words.true_claim } else { &words.false_claim };
            Likely { question: claim.claim.clone(), answer: format!("{verdict}. {}", claim.explanation.trim()) }
        });
        Closing { summary: state.summary_in(state.interface()), claims: claims.collect() }
    }
}

/// How a class has answered with its hands.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ClassScore {
    /// HandCount for right answers.
    pub right: usize,
    /// All hands.
    pub hands: usize,
    /// Questions that only the class has answered.
    pub questions: usize,
}

impl ClassScore {
    /// The score of a session; `None` where no hands were counted.
    pub fn of(state: &State) -> Option<ClassScore> {
        let mut score = ClassScore::default();
        for stage in Stage::ALL {
            let Some((hands, asked)) = state.hands(stage).zip(state.question(stage)) else { continue };
            let right = asked.answers.iter().position(|(_, reply)| reply.right);
            score.right += usize::from(right.and_then(|place| hands.get(place)).unwrap_or(0));
            score.hands += usize::from(hands.total());
            score.questions += usize::from(asked.skipped);
        }
        (score.hands > 0).then_some(score)
    }
}
