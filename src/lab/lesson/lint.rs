//! `kmslab lesson check`: what is wrong with a set of lesson files, with file, stage and line.

use std::collections::BTreeSet;

use toml::de::DeTable;

use super::files::{FALLBACK, Files, Leaf, Problem, leaves, line_of, read};
use super::question::Reply;
use super::{Drills, FilmText, Frame, Source, StageText, interface, not_told};
use crate::lab::model::experiment;
use crate::lab::model::stage::Stage;

/// The most that may stand at a place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Budget {
    /// The place: a text's path in its file, without the numbers of its lists.
    pub place: &'static str,
    /// Words in English; another language may have a quarter more.
    pub words: usize,
    /// Columns on the screen, in every language.
    pub columns: usize,
}

const fn budget(place: &'static str, words: usize, columns: usize) -> Budget {
    Budget { place, words, columns }
}

/// No limit of its own: the words are the limit.
const WRAPPED: usize = usize::MAX;

/// What fits the screen at 80×24, and what a person reads without skipping.
pub const BUDGETS: &[Budget] = &[
    budget("title", 5, 30),
    budget("objective", 14, 78),
    budget("intro", 30, WRAPPED),
    budget("more[]", 70, WRAPPED),
    budget("teaser", 5, 30),
    budget("look", 14, 68),
    budget("expected", 14, 68),
    budget("action", 3, 24),
    budget("hints[]", 30, WRAPPED),
    budget("question.text", 20, WRAPPED),
    budget("question.answers[].text", 6, 44),
    budget("question.answers[].feedback", 14, WRAPPED),
    budget("question.answers[].explanation", 35, WRAPPED),
    budget("misconception.claim", 15, WRAPPED),
    budget("misconception.correction", 45, WRAPPED),
    budget("comparison.title", 8, 60),
    budget("comparison.columns[]", 4, 24),
    budget("comparison.rows[].label", 5, 20),
    budget("comparison.rows[].cells[]", 12, 60),
    budget("presenter.notes[]", 40, WRAPPED),
    budget("presenter.audience[].question", 20, WRAPPED),
    budget("presenter.audience[].answer", 40, WRAPPED),
    budget("given_user.title", 5, 30),
    budget("given_user.objective", 14, 78),
    budget("given_user.intro", 30, WRAPPED),
    budget("given_user.look", 14, 68),
    budget("given_user.expected", 14, 68),
    budget("given_user.action", 3, 24),
    budget("inline_policy.objective", 14, 78),
    budget("inline_policy.intro", 30, WRAPPED),
    budget("questions[].text", 20, WRAPPED),
    budget("questions[].answers[].text", 8, 60),
    budget("questions[].answers[].explanation", 35, WRAPPED),
    budget("own_way.key_policy.intro", 30, WRAPPED),
    budget("own_way.key_policy.look", 14, 68),
    budget("own_way.key_policy.expected", 14, 68),
    budget("own_way.iam_policy.intro", 30, WRAPPED),
    budget("own_way.iam_policy.look", 14, 68),
    budget("own_way.iam_policy.expected", 14, 68),
    budget("own_way.grant.intro", 30, WRAPPED),
    budget("own_way.grant.look", 14, 68),
    budget("own_way.grant.expected", 14, 68),
    budget("debrief[].claim", 20, WRAPPED),
    budget("debrief[].explanation", 35, WRAPPED),
    budget("experiments[].title", 5, 34),
    budget("experiments[].teaser", 8, 34),
    budget("experiments[].setup", 20, WRAPPED),
    budget("experiments[].question", 20, WRAPPED),
    budget("experiments[].answers[].text", 8, 60),
    budget("experiments[].answers[].explanation", 35, WRAPPED),
    budget("experiments[].lesson", 35, WRAPPED),
    budget("drills[].ticket", 20, WRAPPED),
    budget("drills[].teaches", 25, WRAPPED),
    budget("drills[].hints[]", 15, WRAPPED),
];

/// The most words of a sentence, in every language.
const SENTENCE: usize = 26;

/// The most words that a file's sentences may have on average.
const AVERAGE: usize = 16;

/// What no text before the denied Scan says of test-user: it would give away who is refused, and by which lock.
const GIVEAWAYS: [&str; 4] = ["kms:", "Decrypt", "KMS", "DENIED"];

/// The first hint is short; the claim and its correction are read together.
const FIRST_HINT: usize = 15;
const MISCONCEPTION: usize = 45;

/// The files of no stage.
const NO_STAGE: [&str; 3] = ["lesson", "drills", "film"];

/// Everything that is wrong with `files`; nothing when all is well.
pub fn check(files: &Files) -> Vec<Problem> {
    let mut found = Vec::new();
    let sources = match read::<std::collections::BTreeMap<String, Source>>(files, "sources.toml".to_owned(), None) {
        Ok((_, sources)) => sources,
        Err(problem) => return vec![problem],
    };
    let mut used = BTreeSet::new();
    for language in files.languages() {
        let mut linter = Linter { language, known: &|id| sources.contains_key(id), used: &mut used, found: &mut found };
        for name in NO_STAGE.into_iter().chain(Stage::ALL.map(Stage::key)) {
            linter.file(files, name);
        }
        let unknown =
            files.paths().filter(|path| path.strip_prefix(language).is_some_and(|rest| rest.starts_with('/')));
        for path in unknown {
            let name = path.rsplit('/').next().unwrap_or(path).trim_end_matches(".toml");
            if !NO_STAGE.contains(&name) && !Stage::ALL.iter().any(|stage| stage.key() == name) {
                found.push(at(path, 0, None, format!("there is no stage {name}")));
            }
        }
    }
    let text = files.get("sources.toml").unwrap_or_default();
    for (id, source) in &sources {
        let line = line_of(text, text.find(&format!("[{id}]")).unwrap_or(0));
        if !source.url.starts_with("https://") {
            found.push(at("sources.toml", line, None, format!("the address of {id} does not begin with https://")));
        }
        if !used.contains(id) {
            found.push(at("sources.toml", line, None, format!("nothing relies on {id}")));
        }
    }
    found
}

fn at(file: &str, line: usize, stage: Option<&str>, message: String) -> Problem {
    Problem { file: file.to_owned(), line, stage: stage.map(str::to_owned), message }
}

struct Linter<'a> {
    language: &'a str,
    /// Whether there is a source of this id.
    known: &'a dyn Fn(&str) -> bool,
    used: &'a mut BTreeSet<String>,
    found: &'a mut Vec<Problem>,
}

impl Linter<'_> {
    fn file(&mut self, files: &Files, name: &str) {
        let path = format!("{}/{name}.toml", self.language);
        let stage = (!NO_STAGE.contains(&name)).then_some(name);
        let Some(text) = files.get(&path) else {
            let message = if self.language == FALLBACK { "there is no such file" } else { "not translated" };
            self.found.push(at(&path, 0, stage, message.to_owned()));
            return;
        };
        let leaves = match DeTable::parse(text) {
            Ok(table) => leaves(text, table.get_ref()),
            // `read` tells the same error.
            Err(_) => Vec::new(),
        };
        for leaf in &leaves {
            for message in self.leaf(leaf) {
                self.found.push(at(&path, leaf.line, stage, message));
            }
        }
        self.found.extend(long_sentences(&leaves).map(|message| at(&path, 0, stage, message)));
        let by_path = |wanted: &str| leaves.iter().find(|leaf| leaf.path == wanted).map_or(0, |leaf| leaf.line);
        let messages = match stage {
            Some(name) => read(files, path.clone(), None).map(|(_, text): (_, StageText)| {
                let spoilers = spoilers(name, &leaves);
                [stage_problems(&text), spoilers, gives_answer_away(&text)].concat()
            }),
            None if name == "drills" => read(files, path.clone(), None).map(|(_, drills): (_, Drills)| {
                let problems = drills.problems().into_iter();
                problems.map(|message| (String::new(), message)).collect()
            }),
            None if name == "film" => read(files, path.clone(), None).map(|(_, film): (_, FilmText)| {
                film.problems().into_iter().map(|message| (String::new(), message)).collect()
            }),
            None => read(files, path.clone(), None).map(|(_, frame): (_, Frame)| frame_problems(self.language, &frame)),
        };
        match messages {
            Ok(messages) => {
                self.found
                    .extend(messages.into_iter().map(|(place, message)| at(&path, by_path(&place), stage, message)));
            }
            Err(problem) => self.found.push(Problem { stage: stage.map(str::to_owned), ..problem }),
        }
    }

    fn leaf(&mut self, leaf: &Leaf) -> Vec<String> {
        let mut messages = Vec::new();
        let (path, text) = (&leaf.path, leaf.text.trim());
        if text.is_empty() {
            messages.push(format!("{path} is empty"));
        }
        let place = leaf.place();
        if place.ends_with("sources[]") {
            if (self.known)(text) {
                self.used.insert(text.to_owned());
            } else {
                messages.push(format!("{path}: sources.toml has no {text}"));
            }
        }
        if let Some(budget) = BUDGETS.iter().find(|budget| budget.place == place) {
            let most = if path == "hints[0]" { FIRST_HINT } else { budget.words };
            let most = if self.language == FALLBACK { most } else { most + most.div_ceil(4) };
            let words = words(text);
            if words > most {
                messages.push(format!("{path} has {words} words; {most} at most"));
            }
            if let Some(longest) = sentences(text).max().filter(|longest| *longest > SENTENCE) {
                messages.push(format!("{path} has a sentence of {longest} words; {SENTENCE} at most"));
            }
            let columns = crate::lab::model::glyphs::width(text);
            if columns > budget.columns {
                messages.push(format!("{path} is {columns} columns wide; {} at most", budget.columns));
            }
        }
        messages
    }
}

/// Words as a reader counts them.
fn words(text: &str) -> usize {
    text.split_whitespace().filter(|word| word.chars().any(char::is_alphanumeric)).count()
}

/// The number of words of each sentence.
fn sentences(text: &str) -> impl Iterator<Item = usize> {
    let ends = |word: &str| word.trim_end_matches(['"', ')', '”']).ends_with(['.', '?', '!']);
    let mut lengths = Vec::new();
    let mut length = 0;
    for word in text.split_whitespace() {
        length += words(word);
        if ends(word) {
            lengths.push(std::mem::take(&mut length));
        }
    }
    lengths.push(length);
    lengths.into_iter().filter(|length| *length > 0)
}

/// Says so if the sentences of a file are too long on average. A text of a few words is no sentence.
fn long_sentences(leaves: &[Leaf]) -> impl Iterator<Item = String> {
    let prose = leaves.iter().filter(|leaf| BUDGETS.iter().any(|budget| budget.place == leaf.place()));
    let lengths: Vec<usize> = prose
        .filter(|leaf| leaf.text.trim_end().ends_with(['.', '?']))
        .flat_map(|leaf| sentences(&leaf.text))
        .collect();
    let (sum, count) = (lengths.iter().sum::<usize>(), lengths.len());
    (sum > AVERAGE * count)
        .then(|| format!("a sentence has {} words on average; {AVERAGE} at most", sum.div_ceil(count.max(1))))
        .into_iter()
}

/// Texts that say before the denied Scan what test-user lacks. The teacher's notes may.
fn spoilers(name: &str, leaves: &[Leaf]) -> Vec<(String, String)> {
    let is_before = Stage::ALL.iter().any(|stage| *stage < Stage::ViewDenied && stage.key() == name);
    let shown = leaves.iter().filter(|leaf| is_before && !leaf.path.starts_with("presenter."));
    shown
        .filter(|leaf| leaf.text.contains("kms:Decrypt") || says_of_user(&leaf.text))
        .map(|leaf| (leaf.path.clone(), format!("{} says too early what test-user lacks", leaf.path)))
        .collect()
}

fn says_of_user(text: &str) -> bool {
    text.contains("test-user") && GIVEAWAYS.iter().any(|giveaway| text.contains(giveaway))
}

/// The texts before a question that contain its answer: two words of it, by their first letters.
fn gives_answer_away(text: &StageText) -> Vec<(String, String)> {
    const STEM: usize = 5;
    let stems = |text: &str| -> BTreeSet<String> {
        let words = text.split(|c: char| !c.is_alphanumeric()).filter(|word| word.chars().count() >= STEM);
        words.map(|word| word.to_lowercase().chars().take(STEM).collect()).collect()
    };
    let right = text.question.answers.iter().find(|answer| answer.right).map(|answer| stems(&answer.text));
    let right = right.unwrap_or_default();
    let mut texts = vec![("objective", &text.objective), ("intro", &text.intro)];
    texts.extend(text.given_user.iter().map(|given| ("given_user.objective", &given.objective)));
    let tells = |text: &str| stems(text).intersection(&right).count() > 1;
    texts
        .into_iter()
        .filter(|(_, text)| tells(text))
        .map(|(place, _)| (place.to_owned(), format!("{place} contains the answer to the question")))
        .collect()
}

/// Problems that no single text shows, each with the place to report.
fn stage_problems(text: &StageText) -> Vec<(String, String)> {
    let mut problems = question_problems(&text.question.answers, "question");
    for (index, answer) in text.question.answers.iter().enumerate() {
        if answer.sources.is_empty() {
            problems.push((format!("question.answers[{index}].text"), "the answer has no sources".to_owned()));
        }
    }
    if text.sources.is_empty() {
        problems.push(("intro".to_owned(), "the intro has no sources".to_owned()));
    }
    if text.misconception.sources.is_empty() {
        problems.push(("misconception.claim".to_owned(), "the misconception has no sources".to_owned()));
    }
    let read_together = words(&text.misconception.claim) + words(&text.misconception.correction);
    // Another language's quarter is checked text by text.
    if read_together > MISCONCEPTION + MISCONCEPTION.div_ceil(4) {
        let message = format!("claim and correction have {read_together} words; {MISCONCEPTION} at most in English");
        problems.push(("misconception.claim".to_owned(), message));
    }
    if !(1..=15).contains(&text.minutes) {
        problems.push(("title".to_owned(), format!("{} minutes; from 1 to 15", text.minutes)));
    }
    if let Some(comparison) = &text.comparison {
        if comparison.chosen >= comparison.columns.len() {
            problems.push(("comparison.title".to_owned(), "the chosen column is none of them".to_owned()));
        }
        if comparison.sources.is_empty() {
            problems.push(("comparison.title".to_owned(), "the comparison has no sources".to_owned()));
        }
        for (index, row) in comparison.rows.iter().enumerate() {
            if row.cells.len() != comparison.columns.len() {
                let message = format!("{} cells for {} columns", row.cells.len(), comparison.columns.len());
                problems.push((format!("comparison.rows[{index}].label"), message));
            }
        }
    }
    problems
}

fn question_problems(answers: &[Reply], place: &str) -> Vec<(String, String)> {
    let mut problems = Vec::new();
    let first = format!("{place}.answers[0].text");
    if !(2..=4).contains(&answers.len()) {
        problems.push((first.clone(), format!("{} answers; from 2 to 4", answers.len())));
    }
    let right = answers.iter().filter(|answer| answer.right).count();
    if right != 1 {
        problems.push((first, format!("{right} answers are right; it must be one")));
    }
    for (index, answer) in answers.iter().enumerate() {
        if answers[..index].iter().any(|other| other.explanation == answer.explanation) {
            let message = "the explanation is that of another answer".to_owned();
            problems.push((format!("{place}.answers[{index}].explanation"), message));
        }
    }
    problems
}

fn frame_problems(language: &str, frame: &Frame) -> Vec<(String, String)> {
    let mut problems = interface::problems(language, frame);
    for (index, question) in frame.questions.iter().enumerate() {
        problems.extend(question_problems(&question.answers, &format!("questions[{index}]")));
    }
    for (index, card) in frame.debrief.iter().enumerate() {
        if card.sources.is_empty() {
            problems.push((format!("debrief[{index}].claim"), "the claim has no sources".to_owned()));
        }
    }
    for (index, experiment) in frame.experiments.iter().enumerate() {
        problems.extend(question_problems(&experiment.question.answers, &format!("experiments[{index}]")));
        if experiment.sources.is_empty() {
            problems.push((format!("experiments[{index}].title"), "the experiment has no sources".to_owned()));
        }
        if frame.experiments[..index].iter().any(|other| other.id == experiment.id) {
            problems.push((format!("experiments[{index}].id"), format!("{} is there twice", experiment.id)));
        }
        if !experiment::Experiment::ALL.iter().any(|which| which.id() == experiment.id) {
            problems.push((format!("experiments[{index}].id"), format!("there is no experiment {}", experiment.id)));
        }
    }
    for which in experiment::Experiment::ALL {
        if !frame.experiments.iter().any(|experiment| experiment.id == which.id()) {
            problems.push((String::new(), not_told(which.id())));
        }
    }
    problems
}
