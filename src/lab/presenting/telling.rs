//! What a presenter's second screen is told. Texts of the lesson, and what the lab's own screen shows, as it shows it:
//! masked where that is masked.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::lab::lesson::Likely;
use crate::lab::outcome::Status;
use crate::lab::state::State;

/// How far a stage is, in a word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Progress {
    /// Not begun.
    Todo,
    /// Calls are under way.
    Running,
    /// Something waits for the person's yes.
    Waiting,
    /// Ended as expected.
    Met,
    /// Ended otherwise.
    NotMet,
}

/// An answer to the stage's question.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AnswerTold {
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
pub struct QuestionTold {
    /// The question.
    pub text: String,
    /// Its answers in the order they are shown.
    pub answers: Vec<AnswerTold>,
    /// Whether it waits for an answer.
    pub open: bool,
}

/// The stage after the shown one, or the experiment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NextTold {
    /// Counted from 1.
    pub number: usize,
    /// Its title.
    pub title: String,
    /// Minutes that the lesson gives it; 0 for an experiment, which the plan does not have.
    pub minutes: u8,
}

/// Everything that the second screen shows but the time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Telling {
    /// `sandbox`, `endpoint` or `aws`.
    pub backend: String,
    /// The shown stage, counted from 1.
    pub number: usize,
    /// How many there are.
    pub of: usize,
    /// The stage that the lab is at, counted from 1: another one where the presenter looks back.
    pub current: usize,
    /// Its title.
    pub title: String,
    /// What enter does there.
    pub action: String,
    /// The key that does it.
    #[serde(default = "enter")]
    pub key: String,
    /// How far it is.
    pub progress: Progress,
    /// What must come back; empty for an experiment, whose right answer says it.
    pub expected: String,
    /// What came back.
    pub observed: Option<String>,
    /// What to look at.
    pub look: String,
    /// What to say and to watch for.
    pub notes: Vec<String>,
    /// What the audience may ask.
    pub audience: Vec<Likely>,
    /// The question, where questions are asked.
    pub question: Option<QuestionTold>,
    /// What comes after it.
    pub next: Option<NextTold>,
    /// Whether the lab's screen is blank.
    pub blank: bool,
    /// Whether what it shows was recorded earlier.
    pub replay: bool,
    /// How many stages were met.
    pub met: usize,
    /// The words of the lesson's language, by their English, that the second screen says, too.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub words: BTreeMap<String, String>,
}

/// What does it for most people.
fn enter() -> String {
    "enter".to_owned()
}

/// The labels that the second screen has in common with the lesson's texts, in English.
pub const LOOK_AT: &str = "look at";
/// See [`LOOK_AT`].
pub const EXPECTED: &str = "expected";
/// See [`LOOK_AT`].
pub const MET: &str = "MET";
/// See [`LOOK_AT`].
pub const NOT_MET: &str = "NOT MET";

impl State {
    /// English needs none.
    fn words_told(&self) -> BTreeMap<String, String> {
        let words = self.lesson.words();
        let labels =
            [(LOOK_AT, &words.look_at), (EXPECTED, &words.expected), (MET, &words.met), (NOT_MET, &words.not_met)];
        let labels = labels.into_iter().filter(|(english, text)| english != text);
        let labels = labels.map(|(english, text)| (english.to_owned(), text.clone()));
        let interface = self.lesson.frame.interface.iter().map(|(english, text)| (english.clone(), text.clone()));
        labels.chain(interface).collect()
    }

    /// What the second screen is told now.
    pub fn telling(&self) -> Telling {
        let stage = self.view.shown;
        let (text, lesson) = (self.text(stage), self.lesson.stage(stage));
        let record = self.shown();
        let bench = self.view.bench.map(|which| self.experiment(which));
        let waits = self.draft().is_some() || self.is_asking_for_consent();
        let progress = match &record.status {
            _ if waits => Progress::Waiting,
            Status::Todo => Progress::Todo,
            Status::Running => Progress::Running,
            Status::Done(check) if check.met => Progress::Met,
            Status::Done(_) => Progress::NotMet,
        };
        let hands = self.hands(stage).filter(|_| bench.is_none()).unwrap_or_default();
        let question = self.shown_question().map(|asked| QuestionTold {
            text: asked.question.text.clone(),
            open: asked.is_open(),
            answers: asked
                .answers
                .iter()
                .enumerate()
                .map(|(place, (letter, reply))| AnswerTold {
                    letter: *letter,
                    text: reply.text.clone(),
                    right: reply.right,
                    chosen: asked.chosen == Some(place),
                    hands: hands.get(place),
                })
                .collect(),
        });
        let next = match self.view.bench.and_then(|which| which.next()) {
            Some(next) => {
                Some(NextTold { number: next.index() + 1, title: self.experiment(next).title.clone(), minutes: 0 })
            }
            None => stage.next().map(|next| NextTold {
                number: next.number(),
                title: self.text(next).title.to_owned(),
                minutes: self.lesson.stage(next).minutes,
            }),
        };
        Telling {
            backend: self.backend.kind.key().to_owned(),
            number: stage.number(),
            of: crate::lab::Stage::ALL.len(),
            current: self.current.number(),
            title: bench.map_or(text.title, |bench| &bench.title).to_owned(),
            action: bench.map_or(text.action, |_| self.interface().say("try it")).to_owned(),
            key: self.view.keys.first("advance", &enter()).to_owned(),
            progress,
            expected: match bench {
                Some(_) => String::new(),
                None => text.expected.to_owned(),
            },
            observed: record.status.check().map(|check| check.observed.clone()),
            look: bench.map_or(text.look, |bench| bench.lesson.trim()).to_owned(),
            notes: bench.map_or_else(|| lesson.presenter.notes.clone(), |bench| vec![bench.setup.trim().to_owned()]),
            audience: if bench.is_some() { Vec::new() } else { lesson.presenter.audience.clone() },
            question,
            next,
            blank: self.is_blank(),
            replay: self.is_replay(),
            met: self.met(),
            words: self.words_told(),
        }
    }
}
