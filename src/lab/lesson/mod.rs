//! The lesson's texts: one TOML file a stage and language, below `assets/lesson/`, embedded in the program.
//!
//! [`Files`] holds what was read, [`Lesson::parse`] makes a lesson of one language of it, [`lint`] finds what is wrong
//! with a set. No file is opened here: The caller reads `--lesson DIR`.

pub mod audience;
mod card;
mod drills;
mod embedded;
mod experiments;
mod files;
mod film;
pub mod interface;
pub mod lint;
mod phrases;
mod question;
mod sentences;
mod spoken;
mod translation;
mod variants;

use std::collections::BTreeMap;
use std::ops::Deref;
use std::sync::{Arc, LazyLock};

use serde::{Deserialize, Serialize};

pub use drills::{DrillText, Drills};
pub use experiments::Experiment;
use files::read;
pub use files::{FALLBACK, Files, Problem};
pub use film::{FilmText, ShotText};
pub use phrases::Phrases;
pub use question::{Question, Reply};
use variants::english_opening;
pub use variants::{GivenUser, InlinePolicy, Opening, UserKind, WayTexts};

use super::model::experiment;
use super::model::mechanism::Mechanism;
use super::model::stage::Stage;
pub use card::{Card, CardLine, CardStep, Claim};

/// The texts of all stages in one language.
#[derive(Debug, Clone, PartialEq)]
pub struct Lesson {
    /// `en`, `de`.
    pub code: String,
    /// The words around them, the debrief and the experiments.
    pub frame: Frame,
    /// By their ids.
    pub sources: BTreeMap<String, Source>,
    stages: Vec<StageText>,
    /// What the drills tell.
    pub drills: Drills,
    /// What a film says.
    pub film: FilmText,
}

/// A publication that a text relies on.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Source {
    /// Its title.
    pub title: String,
    /// Where it is.
    pub url: String,
    /// What it says, in short.
    pub says: Option<String>,
}

/// What a stage tells. [`lint::BUDGETS`] has the lengths.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StageText {
    /// A few words for the header and the stage list.
    pub title: String,
    /// What this stage does.
    pub objective: String,
    /// What to know before the question.
    pub intro: String,
    /// What the lesson's page adds once the question is answered, a paragraph each.
    #[serde(default)]
    pub more: Vec<String>,
    /// The title in the list of stages as long as the stage's own would give something away.
    pub teaser: Option<String>,
    /// What to look at in the answers.
    pub look: String,
    /// What must come back for the stage to be met.
    pub expected: String,
    /// What Enter does here, two or three words.
    pub action: String,
    /// How long a class takes, in minutes.
    pub minutes: u8,
    /// Ids of the sources of `intro` and `hints`.
    pub sources: Vec<String>,
    /// The second helps more than the first.
    pub hints: [String; 2],
    /// The prediction.
    pub question: Question,
    /// What people get wrong here.
    pub misconception: Misconception,
    /// For the teacher.
    pub presenter: Presenter,
    /// Choices side by side.
    pub comparison: Option<Comparison>,
    /// Other texts where test-user is a given profile.
    pub given_user: Option<GivenUser>,
    /// Other texts where test-user's policy is the lab's own instead of one that AWS maintains.
    pub inline_policy: Option<InlinePolicy>,
    /// Other texts where the learner has taken a way of her own in stage 7.
    #[serde(default)]
    pub own_way: BTreeMap<Mechanism, WayTexts>,
}

/// What people get wrong, and what is so.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Misconception {
    /// What is often said.
    pub claim: String,
    /// What is so.
    pub correction: String,
    /// Ids of its sources.
    pub sources: Vec<String>,
}

/// For the teacher.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Presenter {
    /// What to say and to watch for.
    pub notes: Vec<String>,
    /// What a class is likely to ask.
    pub audience: Vec<Likely>,
}

/// A question from the audience.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Likely {
    /// The question.
    pub question: String,
    /// An answer.
    pub answer: String,
}

/// Choices side by side.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Comparison {
    /// What is compared.
    pub title: String,
    /// The choices.
    pub columns: Vec<String>,
    /// The lab's choice, counted from 0.
    pub chosen: usize,
    /// Ids of its sources.
    pub sources: Vec<String>,
    /// What they are compared by.
    pub rows: Vec<ComparisonRow>,
}

/// One property of all choices.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ComparisonRow {
    /// The property.
    pub label: String,
    /// One for each column.
    pub cells: Vec<String>,
}

/// A language's words around the stages.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Frame {
    /// Its own name.
    pub language: String,
    /// The words beside the lesson's texts.
    pub words: Words,
    /// The interface's words, by their English: see [`interface`].
    #[serde(default)]
    pub interface: BTreeMap<String, String>,
    /// The words of a write-up.
    #[serde(default = "english_export_words")]
    pub export: ExportWords,
    /// The card before the first stage.
    #[serde(default = "english_opening")]
    pub opening: Opening,
    /// The card to keep.
    #[serde(default = "english_card")]
    pub card: Card,
    /// Questions of the debrief that no stage asks.
    #[serde(default = "english_questions")]
    pub questions: Vec<Question>,
    /// Claims, true or false.
    pub debrief: Vec<Claim>,
    /// What can be tried after the lab's last reading.
    pub experiments: Vec<Experiment>,
}

/// The words beside the lesson's texts, as they stand on the screen.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "each is its English text in assets/lesson/en/lesson.toml")]
pub struct Words {
    pub question: String,
    pub your_answer: String,
    pub right: String,
    pub not_quite: String,
    pub skipped: String,
    pub the_answer_was: String,
    pub look_at: String,
    pub expected: String,
    pub observed: String,
    pub met: String,
    pub not_met: String,
    pub as_expected: String,
    pub not_as_expected: String,
    pub hint: String,
    pub misconception: String,
    pub correction: String,
    pub sources: String,
    pub score: String,
    pub score_skipped: String,
    #[serde(default = "english_corrected")]
    pub score_corrected: String,
    pub debrief: String,
}

/// The words of a write-up.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "each is its English text in assets/lesson/en/lesson.toml")]
pub struct ExportWords {
    pub title: String,
    pub about: String,
    pub question: String,
    pub session: String,
    pub date: String,
    pub place: String,
    pub region: String,
    pub stages_met: String,
    pub answers: String,
    pub stages: String,
    pub stage: String,
    pub title_of_stage: String,
    pub outcome: String,
    pub not_done: String,
    pub incomplete: String,
    pub masked: String,
    pub what: String,
    pub value: String,
    pub choices: String,
    pub letter: String,
    pub answer: String,
    pub mark: String,
    #[serde(rename = "bench")]
    pub experiments: String,
    pub calls: String,
    #[serde(default = "english_why")]
    pub why: String,
    #[serde(default = "english_own_way")]
    pub own_way: String,
    pub verdict: String,
    pub command: String,
    pub response: String,
    pub true_claim: String,
    pub false_claim: String,
    pub hint: String,
}

/// The English word, for lesson files of one's own that have none.
fn english_corrected() -> String {
    Lesson::english().words().score_corrected.clone()
}

/// The English heading above a ladder, likewise.
fn english_why() -> String {
    Lesson::english().frame.export.why.clone()
}

/// The English heading above what the learner sent, likewise.
fn english_own_way() -> String {
    Lesson::english().frame.export.own_way.clone()
}

/// The English ones, for lesson files of one's own that have none.
fn english_export_words() -> ExportWords {
    Lesson::english().frame.export.clone()
}

/// The English card, for your own lesson files that have none.
fn english_card() -> Card {
    Lesson::english().frame.card.clone()
}

/// The English questions, likewise.
fn english_questions() -> Vec<Question> {
    Lesson::english().frame.questions.clone()
}

/// The texts that the screen shows of a stage, with the ones of a given user in place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Text<'a> {
    /// See [`StageText::title`].
    pub title: &'a str,
    /// See [`StageText::objective`].
    pub objective: &'a str,
    /// See [`StageText::intro`].
    pub intro: &'a str,
    /// See [`StageText::look`].
    pub look: &'a str,
    /// See [`StageText::expected`].
    pub expected: &'a str,
    /// See [`StageText::action`].
    pub action: &'a str,
}

/// The lesson that a state has: English until one is chosen. What is not chosen, or never read, is not parsed.
#[derive(Debug, Clone, Default)]
pub struct Chosen(Option<Arc<Lesson>>);

impl From<Arc<Lesson>> for Chosen {
    fn from(lesson: Arc<Lesson>) -> Chosen {
        Chosen(Some(lesson))
    }
}

impl Deref for Chosen {
    type Target = Lesson;

    fn deref(&self) -> &Lesson {
        self.0.as_deref().unwrap_or_else(|| Lesson::embedded_english())
    }
}

impl PartialEq for Chosen {
    fn eq(&self, other: &Chosen) -> bool {
        **self == **other
    }
}

impl Lesson {
    /// The addresses of all sources.
    pub fn urls(&self) -> impl Iterator<Item = String> {
        self.sources.values().map(|source| source.url.clone())
    }

    /// The English lesson in the program.
    pub fn english() -> Arc<Lesson> {
        Arc::clone(Lesson::embedded_english())
    }

    #[expect(clippy::expect_used, reason = "the texts are part of the program, and a test parses them")]
    fn embedded_english() -> &'static Arc<Lesson> {
        static ENGLISH: LazyLock<Arc<Lesson>> = LazyLock::new(|| {
            Arc::new(Lesson::parse(&Files::embedded(), FALLBACK).expect("the embedded lesson is well-formed"))
        });
        &ENGLISH
    }

    /// The lesson of `language` out of `files`; what that language lacks is English.
    ///
    /// # Errors
    /// When a file is not TOML, or lacks something, or has something that no lesson has; or there is no such file, not
    /// even in English.
    pub fn parse(files: &Files, language: &str) -> Result<Lesson, Problem> {
        let (_, sources) = read(files, "sources.toml".to_owned(), None)?;
        let in_language = |name: &str, stage: Option<Stage>| {
            let own = format!("{language}/{name}.toml");
            let path = if files.get(&own).is_some() { own } else { format!("{FALLBACK}/{name}.toml") };
            (path, stage)
        };
        let (path, _) = in_language("lesson", None);
        let (_, mut frame) = read::<Frame>(files, path.clone(), None)?;
        let tells = |which: experiment::Experiment| frame.experiments.iter().any(|own| own.id == which.id());
        if !experiment::Experiment::ALL.into_iter().all(tells) {
            let (_, english) = read::<Frame>(files, format!("{FALLBACK}/lesson.toml"), None)?;
            frame.experiments.splice(0..0, english.experiments);
        }
        frame.experiments =
            in_order(frame.experiments).map_err(|message| Problem { file: path, line: 0, stage: None, message })?;
        let stages = Stage::ALL
            .into_iter()
            .map(|stage| {
                let (path, stage) = in_language(stage.key(), Some(stage));
                read(files, path, stage).map(|(_, text)| text)
            })
            .collect::<Result<Vec<StageText>, Problem>>()?;
        let drills = Drills::parse(files, in_language("drills", None).0)?;
        let film = FilmText::parse(files, in_language("film", None).0)?;
        Ok(Lesson { code: language.to_owned(), frame, sources, stages, drills, film })
    }

    /// Everything about a stage.
    pub fn stage(&self, stage: Stage) -> &StageText {
        &self.stages[stage.index()]
    }

    /// The words beside the lesson's texts.
    pub fn words(&self) -> &Words {
        &self.frame.words
    }

    /// What the screen shows of a stage.
    pub fn text(&self, stage: Stage, user: impl Into<UserKind>) -> Text<'_> {
        let text = self.stage(stage);
        let own = Text {
            title: &text.title,
            objective: &text.objective,
            intro: text.intro.trim(),
            look: &text.look,
            expected: &text.expected,
            action: &text.action,
        };
        match (user.into(), &text.given_user, &text.inline_policy) {
            (UserKind::Given, Some(given), _) => Text {
                title: &given.title,
                objective: &given.objective,
                intro: given.intro.as_deref().map_or(own.intro, str::trim),
                look: &given.look,
                expected: &given.expected,
                action: &given.action,
            },
            (UserKind::Inline, _, Some(inline)) => {
                Text { objective: &inline.objective, intro: inline.intro.trim(), ..own }
            }
            _ => own,
        }
    }

    /// The same, where `way` lets test-user use the key; `None` is the lab's usual way.
    pub fn text_of_way(&self, stage: Stage, user: impl Into<UserKind>, way: Option<Mechanism>) -> Text<'_> {
        let text = self.text(stage, user);
        let Some(own) = way.and_then(|way| self.stage(stage).own_way.get(&way)) else { return text };
        Text {
            intro: own.intro.as_deref().map_or(text.intro, str::trim),
            look: own.look.as_deref().unwrap_or(text.look),
            expected: own.expected.as_deref().unwrap_or(text.expected),
            ..text
        }
    }

    /// The card to keep, with the way that the learner took.
    pub fn card(&self, way: Option<Mechanism>) -> Card {
        self.frame.card.marking(way)
    }
}

/// The experiments by their numbers, of several the last; each must be told.
fn in_order(experiments: Vec<Experiment>) -> Result<Vec<Experiment>, String> {
    let mut told: BTreeMap<String, Experiment> = experiments.into_iter().map(|one| (one.id.clone(), one)).collect();
    let in_order = experiment::Experiment::ALL.map(|which| told.remove(which.id()).ok_or_else(|| not_told(which.id())));
    in_order.into_iter().collect()
}

fn not_told(id: &str) -> String {
    format!("the experiment {id} is missing")
}
