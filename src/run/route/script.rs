//! Scripts of films: one step a line, words separated by spaces, `#` begins a comment.
//!
//! ```text
//! kmslab-script 1
//! title "Same call, two answers"
//! stage who..create_user
//! stage view_denied ask
//! wait test-user denied 10s
//! key w
//! caption "Nobody forbids it."
//! experiment kms_grant
//! end --url example.org/kmslab
//! ```

use std::fmt;

use super::{Route, Step, What};
use crate::lab::{Experiment, Identity, Shot, Stage};
use crate::ui::keys::Chord;

/// The first line.
const HEAD: &str = "kmslab-script";

/// The longest text of a title or a caption.
const LONGEST: usize = 200;

/// The most steps.
const MOST: usize = 500;

const STEPS: [&str; 7] = ["title", "stage", "wait", "key", "caption", "experiment", "end"];
const VERDICTS: [&str; 3] = ["allowed", "denied", "failed"];

/// What is wrong in a script.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wrong {
    /// The line, counted from 1.
    pub line: usize,
    /// The column, counted from 1.
    pub column: usize,
    /// What is wrong, with the nearest right word.
    pub message: String,
}

/// Everything that is wrong in a script.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub struct ScriptError {
    /// The file's name.
    pub file: String,
    /// In the order of lines.
    pub wrong: Vec<Wrong>,
}

impl fmt::Display for ScriptError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, Wrong { line, column, message }) in self.wrong.iter().enumerate() {
            let before = if index == 0 { "" } else { "\n" };
            write!(f, "{before}{}:{line}:{column}: {message}", self.file)?;
        }
        Ok(())
    }
}

/// A word of a line, and its column.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Word {
    text: String,
    column: usize,
    is_quoted: bool,
}

/// Reads a script.
///
/// # Errors
/// Everything that is wrong in it, each with its place.
pub fn read(text: &str, file: &str) -> Result<Route, ScriptError> {
    let mut reader = Reader::default();
    for (line, text) in (1..).zip(text.lines()) {
        let read = words(text).and_then(|words| reader.line(line, &words));
        if let Err((column, message)) = read {
            reader.wrong.push(Wrong { line, column, message });
        }
    }
    if !reader.has_head && reader.wrong.is_empty() {
        let message = format!("the first line must be \"{HEAD} 1\"");
        reader.wrong.push(Wrong { line: 1, column: 1, message });
    }
    let Reader { route, wrong, .. } = reader;
    if wrong.is_empty() { Ok(route) } else { Err(ScriptError { file: file.to_owned(), wrong }) }
}

type At = (usize, String);

/// Splits a line into words.
fn words(line: &str) -> Result<Vec<Word>, At> {
    let mut words = Vec::new();
    let mut rest = line.chars().enumerate().map(|(index, c)| (index + 1, c)).peekable();
    while let Some((column, c)) = rest.next() {
        match c {
            '#' => break,
            c if c.is_whitespace() => {}
            '"' => {
                let mut text = String::new();
                loop {
                    match rest.next() {
                        Some((_, '"')) => break,
                        Some((at, c)) if c.is_control() => {
                            return Err((at, "a text has no control characters".to_owned()));
                        }
                        Some((_, c)) => text.push(c),
                        None => return Err((column, "this text has no closing \"".to_owned())),
                    }
                }
                words.push(Word { text, column, is_quoted: true });
            }
            c => {
                let mut text = c.to_string();
                while let Some((_, c)) = rest.next_if(|(_, c)| !c.is_whitespace() && *c != '#') {
                    text.push(c);
                }
                words.push(Word { text, column, is_quoted: false });
            }
        }
    }
    Ok(words)
}

#[derive(Default)]
struct Reader {
    has_head: bool,
    route: Route,
    /// The newest stage.
    stage: Option<Stage>,
    has_ended: bool,
    wrong: Vec<Wrong>,
}

impl Reader {
    fn line(&mut self, line: usize, words: &[Word]) -> Result<(), At> {
        let Some((first, rest)) = words.split_first() else { return Ok(()) };
        if !self.has_head {
            // One error is enough for a file of another kind.
            self.has_head = true;
            return match (first.text.as_str(), rest) {
                (HEAD, [version]) if version.text == "1" => Ok(()),
                (HEAD, [version, ..]) => Err((version.column, "this program reads version 1".to_owned())),
                _ => Err((first.column, format!("the first line must be \"{HEAD} 1\""))),
            };
        }
        if self.has_ended {
            return Err((first.column, "nothing comes after end".to_owned()));
        }
        if self.route.steps.len() >= MOST {
            return Err((first.column, format!("a script has at most {MOST} steps")));
        }
        match first.text.as_str() {
            "title" => self.title(line, first, rest),
            "stage" => self.stages(line, first, rest),
            "wait" => self.wait(line, first, rest),
            "key" => self.key(line, first, rest),
            "caption" => self.caption(first, rest),
            "experiment" => self.experiment(line, first, rest),
            "end" => self.end(line, rest),
            other => Err((first.column, unknown("step", other, STEPS))),
        }
    }

    fn push(&mut self, line: usize, what: What) {
        self.route.steps.push(Step { what, caption: None, line });
    }

    fn title(&mut self, line: usize, first: &Word, rest: &[Word]) -> Result<(), At> {
        if !self.route.steps.is_empty() {
            return Err((first.column, "the title comes before all other steps".to_owned()));
        }
        let text = quoted(first, rest)?;
        self.route.title = Some(text);
        self.push(line, What::Card(Shot::Title));
        Ok(())
    }

    fn stages(&mut self, line: usize, first: &Word, rest: &[Word]) -> Result<(), At> {
        let (range, ask) = match rest {
            [range] => (range, false),
            [range, ask] if ask.text == "ask" => (range, true),
            [_, other, ..] => return Err((other.column, format!("{:?} is not \"ask\"", other.text))),
            [] => return Err((after(first), "which stage?".to_owned())),
        };
        let (from, to) = range.text.split_once("..").unwrap_or((&range.text, &range.text));
        let find = |text: &str, column: usize| {
            let found = Stage::ALL.into_iter().find(|stage| stage.key() == text);
            found.ok_or_else(|| (column, unknown("stage", text, Stage::ALL.map(Stage::key))))
        };
        let from = find(from, range.column)?;
        let to = find(to, range.column + range.text.chars().count() - to.chars().count())?;
        if to < from {
            return Err((range.column, format!("{} comes before {}", to.key(), from.key())));
        }
        if let Some(stage) = self.stage.filter(|stage| *stage >= from) {
            return Err((range.column, format!("stages go forward: {} has been played", stage.key())));
        }
        for stage in Stage::ALL.into_iter().filter(|stage| (from..=to).contains(stage)) {
            self.push(line, What::Stage { stage, ask });
        }
        self.stage = Some(to);
        Ok(())
    }

    fn wait(&mut self, line: usize, first: &Word, rest: &[Word]) -> Result<(), At> {
        let [who, verdict, seconds] = rest else {
            return Err((after(first), "wait looks like: wait test-user denied 10s".to_owned()));
        };
        if self.stage.is_none() {
            return Err((first.column, "there is no verdict before the first stage".to_owned()));
        }
        let names = Identity::BOTH.map(Identity::name);
        let found = Identity::BOTH.into_iter().find(|identity| identity.name() == who.text);
        let who = found.ok_or_else(|| (who.column, unknown("person", &who.text, names)))?;
        if !VERDICTS.contains(&verdict.text.as_str()) {
            return Err((verdict.column, unknown("verdict", &verdict.text, VERDICTS)));
        }
        let parsed = seconds.text.strip_suffix('s').and_then(|digits| digits.parse::<u64>().ok());
        let parsed = parsed.filter(|seconds| (1..=600).contains(seconds));
        let parsed = parsed.ok_or_else(|| (seconds.column, "a time looks like 10s, from 1s to 600s".to_owned()))?;
        self.push(line, What::Wait { who, verdict: verdict.text.clone(), seconds: parsed });
        Ok(())
    }

    fn key(&mut self, line: usize, first: &Word, rest: &[Word]) -> Result<(), At> {
        let [key] = rest else { return Err((after(first), "one key, by its name in the help".to_owned())) };
        if self.stage.is_none() {
            return Err((first.column, "there is no key to press before the first stage".to_owned()));
        }
        let chord = Chord::parse(&key.text).map_err(|error| (key.column, error.to_string()))?;
        self.push(line, What::Key(chord));
        Ok(())
    }

    fn caption(&mut self, first: &Word, rest: &[Word]) -> Result<(), At> {
        let text = quoted(first, rest)?;
        let shows = |step: &&mut Step| !matches!(step.what, What::Wait { .. });
        let Some(step) = self.route.steps.iter_mut().rev().find(shows) else {
            return Err((first.column, "a caption follows the step that it is for".to_owned()));
        };
        if step.caption.is_some() {
            return Err((first.column, "this step has a caption already".to_owned()));
        }
        step.caption = Some(text);
        Ok(())
    }

    fn experiment(&mut self, line: usize, first: &Word, rest: &[Word]) -> Result<(), At> {
        let [id] = rest else { return Err((after(first), "which experiment?".to_owned())) };
        let found = Experiment::ALL.into_iter().find(|experiment| experiment.id() == id.text);
        let which =
            found.ok_or_else(|| (id.column, unknown("experiment", &id.text, Experiment::ALL.map(Experiment::id))))?;
        if self.stage == Some(Stage::CleanUp) {
            return Err((first.column, "after clean_up there is nothing to experiment with".to_owned()));
        }
        // The bench opens after the last reading.
        self.stage = Some(Stage::ViewAgain);
        self.push(line, What::Experiment(which));
        Ok(())
    }

    fn end(&mut self, line: usize, rest: &[Word]) -> Result<(), At> {
        match rest {
            [] => {}
            [flag, url] if flag.text == "--url" => {
                self.route.url = Some(short(url)?);
            }
            [flag, ..] if flag.text == "--url" => return Err((after(flag), "which address?".to_owned())),
            [other, ..] => return Err((other.column, format!("{:?} is not \"--url\"", other.text))),
        }
        self.push(line, What::Card(Shot::End));
        self.has_ended = true;
        Ok(())
    }
}

/// The column after a word.
fn after(word: &Word) -> usize {
    word.column + word.text.chars().count() + 2 * usize::from(word.is_quoted)
}

/// The one text in quotation marks.
fn quoted(first: &Word, rest: &[Word]) -> Result<String, At> {
    match rest {
        [text] if text.is_quoted && !text.text.trim().is_empty() => short(text),
        [text] if text.is_quoted => Err((text.column, "this text is empty".to_owned())),
        [] => Err((after(first), format!("{} \"…\" needs a text", first.text))),
        [_, more, ..] if rest[0].is_quoted => Err((more.column, "nothing comes after the text".to_owned())),
        [text, ..] => Err((text.column, "a text stands in \"quotation marks\"".to_owned())),
    }
}

fn short(word: &Word) -> Result<String, At> {
    match word.text.chars().count() <= LONGEST {
        true => Ok(word.text.clone()),
        false => Err((word.column, format!("this is longer than {LONGEST} characters"))),
    }
}

/// `no stage "grand"; grant?`
fn unknown<const COUNT: usize>(kind: &str, text: &str, known: [&str; COUNT]) -> String {
    let nearest = known.into_iter().min_by_key(|known| distance(text, known));
    let near = nearest.filter(|nearest| distance(text, nearest) <= nearest.chars().count() / 2);
    let shown: String = text.chars().take(40).collect();
    match near {
        Some(near) => format!("no {kind} {shown:?}; {near}?"),
        None => format!("no {kind} {shown:?}; there are: {}", known.join(", ")),
    }
}

/// How many letters differ.
fn distance(one: &str, other: &str) -> usize {
    let other: Vec<char> = other.chars().collect();
    let mut row: Vec<usize> = (0..=other.len()).collect();
    for (index, a) in one.chars().take(2 * LONGEST).enumerate() {
        let mut diagonal = row[0];
        row[0] = index + 1;
        for (at, b) in other.iter().enumerate() {
            let cost = diagonal + usize::from(a != *b);
            diagonal = row[at + 1];
            row[at + 1] = cost.min(diagonal + 1).min(row[at] + 1);
        }
    }
    row[other.len()]
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    const SCRIPT: &str = r#"kmslab-script 1                       # the format
title "Same call, two answers"
stage who..create_user
stage view_denied ask
wait test-user denied 10s
key w
caption "Nobody forbids it. But nobody allows it either."

stage grant..view_again
experiment kms_grant
end --url example.org/kmslab
"#;

    #[test]
    fn a_script_is_a_route() {
        let route = read(SCRIPT, "grant.kms").unwrap();
        assert_eq!(route.title.as_deref(), Some("Same call, two answers"));
        assert_eq!(route.url.as_deref(), Some("example.org/kmslab"));
        let stages = route.steps.iter().filter(|step| matches!(step.what, What::Stage { .. })).count();
        assert_eq!((stages, route.steps.len()), (8, 13));
        let key = route.steps.iter().find(|step| matches!(step.what, What::Key(_))).unwrap();
        assert_eq!((key.line, key.caption.as_deref().map(str::len)), (6, Some(47)));
        assert_eq!(route.steps[9].what, What::Stage { stage: Stage::Grant, ask: false });
    }

    #[rstest]
    #[case("", "x.kms:1:1: the first line must be \"kmslab-script 1\"")]
    #[case("stage who", "x.kms:1:1: the first line must be \"kmslab-script 1\"")]
    #[case("kmslab-script 2", "x.kms:1:15: this program reads version 1")]
    #[case("kmslab-script 1\nstage gramt", "x.kms:2:7: no stage \"gramt\"; grant?")]
    #[case("kmslab-script 1\nstage who..gramt", "x.kms:2:12: no stage \"gramt\"; grant?")]
    #[case("kmslab-script 1\nstage grant\nstage who", "x.kms:3:7: stages go forward: grant has been played")]
    #[case("kmslab-script 1\nstage grant..who", "x.kms:2:7: who comes before grant")]
    #[case(
        "kmslab-script 1\n  sleep 3",
        "x.kms:2:3: no step \"sleep\"; there are: title, stage, wait, key, caption, experiment, end"
    )]
    #[case("kmslab-script 1\nexperiment kms_grants", "x.kms:2:12: no experiment \"kms_grants\"; kms_grant?")]
    #[case(
        "kmslab-script 1\nstage clean_up\nexperiment rotate",
        "x.kms:3:1: after clean_up there is nothing to experiment with"
    )]
    #[case("kmslab-script 1\ntitle same", "x.kms:2:7: a text stands in \"quotation marks\"")]
    #[case("kmslab-script 1\ntitle \"same", "x.kms:2:7: this text has no closing \"")]
    #[case("kmslab-script 1\ncaption \"a\"", "x.kms:2:1: a caption follows the step that it is for")]
    #[case("kmslab-script 1\nwait admin denied 3s", "x.kms:2:1: there is no verdict before the first stage")]
    #[case("kmslab-script 1\nstage who\nwait admin denied 3", "x.kms:3:19: a time looks like 10s, from 1s to 600s")]
    #[case("kmslab-script 1\nstage who\nwait admim denied 3s", "x.kms:3:6: no person \"admim\"; admin?")]
    #[case("kmslab-script 1\nend\nstage who", "x.kms:3:1: nothing comes after end")]
    #[case("kmslab-script 1\nstage who asks", "x.kms:2:11: \"asks\" is not \"ask\"")]
    fn an_error_names_its_place_and_the_nearest_word(#[case] script: &str, #[case] says: &str) {
        assert_eq!(read(script, "x.kms").unwrap_err().to_string(), says);
    }

    #[test]
    fn all_errors_are_found() {
        let error = read("kmslab-script 1\nstage x\nkey\nend now", "x.kms").unwrap_err();
        assert_eq!(error.wrong.len(), 3, "{error}");
        assert_eq!(error.to_string().lines().count(), 3);
    }

    proptest::proptest! {
        #[test]
        fn no_text_breaks_the_reader(text in "(kmslab-script 1\n)?(.|\n){0,200}") {
            let _ = read(&text, "x.kms");
        }
    }
}
