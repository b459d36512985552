//! The experiments' texts.

use serde::Deserialize;

use super::question::{Question, Reply};

/// What is said about an experiment.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(from = "ExperimentFile")]
pub struct Experiment {
    /// Which.
    pub id: String,
    /// A few words for the list.
    pub title: String,
    /// A question that makes curious, for the list.
    pub teaser: Option<String>,
    /// What is changed, for real.
    pub setup: String,
    /// The prediction.
    pub question: Question,
    /// What it teaches.
    pub lesson: String,
    /// Ids of its sources.
    pub sources: Vec<String>,
}

/// The same as it stands in the file.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ExperimentFile {
    id: String,
    title: String,
    teaser: Option<String>,
    setup: String,
    question: String,
    answers: Vec<Reply>,
    lesson: String,
    sources: Vec<String>,
}

impl From<ExperimentFile> for Experiment {
    fn from(file: ExperimentFile) -> Experiment {
        let ExperimentFile { id, title, teaser, setup, question, answers, lesson, sources } = file;
        Experiment { id, title, teaser, setup, question: Question { text: question, answers }, lesson, sources }
    }
}
