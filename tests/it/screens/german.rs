//! The whole lab in German: no screen has an English sentence of the lab's own.

use std::cell::LazyCell;
use std::sync::{Arc, LazyLock};

use kmslab::lab::lesson::Files;
use kmslab::lab::{Event, Experiment, Intent, Lesson, Page, Stage, State};
use kmslab::ui::render;
use ratatui::layout::Size;

use super::dark;
use super::insight::{decisions, events, open, table};
use crate::support::lab::{Session, every_state, text_dump};

/// Words of English sentences that no name in AWS has on its own.
const ENGLISH: &str = "the is are was has have and you your which that with this there its it's isn't doesn't not of for \
                       from to by but only yet nobody nothing everything anyone what who why been be can asked answer \
                       stays names allows denies again";

fn german() -> Arc<Lesson> {
    Arc::new(Lesson::parse(&Files::embedded(), "de").unwrap())
}

/// Parts of services' messages as the screen shortens and wraps them, and other texts that stay as they are.
const QUOTES: &str = "resource: …:key/1234abcd-… with /1234abcd-… with user/kmslab-user-4f2a is not authorized to \
                      …:user/kmslab-user-4f2a is because no identity-based policy allows the kms:Decrypt hex(ciphertext) \
                      FROM dynamodb_items connection refused dispatch failure:' ○ NOT SENT Allow attachment of persistent resources refused to";

/// The lesson's texts.
static LESSON: LazyLock<String> = LazyLock::new(|| format!("{:?} {QUOTES}", german()));

/// What services say, policies have and commands are: it stays as it is. So are the lesson's German texts.
fn quoted(state: &State) -> String {
    let mut quoted = LESSON.clone();
    for exchange in Stage::ALL.iter().flat_map(|stage| state.record(*stage).exchanges()) {
        quoted.push_str(&format!(" {:?} {:?} {:?}", exchange.answer, exchange.operation, exchange.verdict));
    }
    for which in Experiment::ALL {
        for exchange in state.trial(which).exchanges() {
            quoted.push_str(&format!(" {:?} {:?} {:?}", exchange.answer, exchange.operation, exchange.verdict));
        }
    }
    quoted.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The rows with English words that no quotation has beside the same word.
pub fn english<'a>(rows: impl Iterator<Item = &'a str>, state: &State) -> Vec<String> {
    let quotations = LazyCell::new(|| quoted(state));
    let mut found = Vec::new();
    for row in rows {
        let words: Vec<&str> = row.split_whitespace().collect();
        for (at, &word) in words.iter().enumerate() {
            let bare = word.trim_matches(|c: char| !c.is_alphanumeric());
            if !ENGLISH.split_whitespace().any(|english| english == bare.to_lowercase()) {
                continue;
            }
            let pairs =
                [at.checked_sub(1).map(|before| [words[before], word]), words.get(at + 1).map(|next| [word, *next])];
            if !pairs.into_iter().flatten().any(|pair| quotations.contains(&pair.join(" "))) {
                found.push(row.trim().to_owned());
            }
        }
    }
    found.dedup();
    found
}

#[track_caller]
fn assert_german(screens: impl IntoIterator<Item = (String, State)>) {
    let mut found: Vec<String> = Vec::new();
    for (name, state) in screens {
        let text = text_dump(&render(&state, &dark(), Size::new(116, 120)));
        let rows = text.lines().flat_map(|row| row.split(['│', '┃', '┌', '┐']));
        found.extend(english(rows, &state).into_iter().map(|row| format!("{row}    ({name})")));
    }
    found.sort();
    found.dedup_by_key(|row| row.split("    (").next().unwrap_or_default().to_owned());
    assert!(found.is_empty(), "{} rows are English:\n{}", found.len(), found.join("\n"));
}

fn lab() -> Session {
    let mut session = Session::named("0123abcd");
    session.state = session.state.with_lesson(german());
    session
}

#[test]
fn the_pages_are_german() {
    let mut screens = Vec::new();
    for stage in [Stage::CreateTable, Stage::ViewDenied, Stage::Grant, Stage::ViewAgain, Stage::CleanUp] {
        for other in [false, true] {
            for (page, finding) in
                [(Page::Why, decisions as fn(&Session) -> _), (Page::Trail, events), (Page::AtRest, table)]
            {
                let mut session = lab().after(stage);
                if other {
                    session.intent(Intent::FocusOther);
                }
                open(&mut session, page, finding);
                screens.push((format!("{page:?} after {}", stage.key()), session.state));
            }
        }
        for page in [Page::Help, Page::Lesson, Page::Comparison] {
            let mut session = lab().before(stage);
            session.intent(Intent::TogglePage(page));
            screens.push((format!("{page:?} before {}", stage.key()), session.state));
        }
    }
    assert_german(screens);
}

#[test]
fn the_experiments_are_german() {
    let screens =
        Experiment::ALL.into_iter().map(|which| (format!("before {which:?}"), lab().at_the_experiments(which).state));
    let tried = [Experiment::DisableKey, Experiment::ExplicitDeny].map(|which| {
        let mut session = lab().at_the_experiments(which);
        session.intent(Intent::Advance).answer_all();
        (format!("after {which:?}"), session.state)
    });
    assert_german(screens.chain(tried));
}

#[test]
fn dialogs_are_german() {
    let mut consent = Session::unasked();
    consent.state = consent.state.with_lesson(german());
    let mut consent = consent.before(Stage::CreateKey);
    consent.intent(Intent::Advance);
    let kinds = [
        "resume",
        "bench list",
        "bench tried",
        "Quit",
        "AskToStartOver",
        "ToggleStages",
        "Tally",
        "failed, aws true, []",
        "cut off",
    ];
    let is_shown = |name: &str| kinds.iter().any(|kind| name.contains(kind)) && !name.contains("CycleView");
    let states = every_state().iter().filter(|(name, _)| is_shown(name));
    let states = states.map(|(name, state)| (name.clone(), state.clone().with_lesson(german())));
    let mut leaving = Session::aws();
    leaving.state = leaving.state.with_lesson(german());
    let mut leaving = leaving.after(Stage::ViewDenied);
    leaving.event(Event::Intent(Intent::AskToQuit));
    let own = [("consent".to_owned(), consent.state), ("leaving".to_owned(), leaving.state)];
    assert_german(states.chain(own));
}
