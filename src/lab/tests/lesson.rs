//! The lesson files, the lint, and the question before each stage.

use std::sync::Arc;

use rstest::rstest;

use super::fake::*;
use crate::lab::lesson::{Files, lint};
use crate::lab::*;

/// The embedded set with `from` in `path` replaced by `to`.
fn bent(path: &str, from: &str, to: &str) -> Files {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/assets/lesson/");
    let text = std::fs::read_to_string(format!("{folder}{path}")).unwrap();
    assert!(text.contains(from), "{path} has no {from:?}");
    Files::new([(path.to_owned(), text.replacen(from, to, 1))]).or(Files::embedded())
}

#[test]
fn the_embedded_lessons_are_complete() {
    let files = Files::embedded();
    assert_eq!(files.languages(), ["de", "en"]);
    assert_eq!(lint::check(&files), []);
    for language in files.languages() {
        Lesson::parse(&files, language).unwrap();
    }
}

/// Every file below assets/lesson is in the program.
#[test]
fn no_lesson_file_is_forgotten() {
    let folder = std::path::Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/assets/lesson"));
    let (mut found, mut folders) = (Vec::new(), vec![folder.to_owned()]);
    while let Some(next) = folders.pop() {
        for entry in std::fs::read_dir(next).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                let name = path.strip_prefix(folder).unwrap().to_str().unwrap().to_owned();
                found.push((name, std::fs::read_to_string(&path).unwrap()));
            }
        }
    }
    assert_eq!(Files::new(found), Files::embedded());
}

#[rstest]
#[case::missing_explanation("en/who.toml", "explanation = ", "explained = ", "en/who.toml:", "explan")]
#[case::empty_text(
    "en/grant.toml",
    "title = \"Let test-user use the key\"",
    "title = \"\"",
    "en/grant.toml:1: grant: ",
    "title is empty"
)]
#[case::too_long(
    "de/who.toml",
    "title = \"",
    "title = \"eins zwei drei vier fünf sechs sieben ",
    "de/who.toml:1: who: ",
    "words; 7 at most"
)]
#[case::too_wide(
    "en/who.toml",
    "look = \"",
    "look = \"Wiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiide ",
    "en/who.toml:",
    "68 at most"
)]
#[case::two_right(
    "en/who.toml",
    "[[question.answers]]",
    "[[question.answers]]\nright = true\ntext = \"x\"\n\
    explanation = \"y\"\nsources = [\"iam-sigv4\"]\n[[question.answers]]",
    "en/who.toml:",
    "2 answers are right"
)]
#[case::unknown_source("en/who.toml", "sources = [", "sources = [\"rumour\", ", "en/who.toml:", "has no rumour")]
#[case::broken_toml("en/who.toml", "minutes = ", "minutes = = ", "en/who.toml:10: who: ", "extra `=`")]
#[case::control_character("en/who.toml", "title = \"", "title = \"\\u001b[2J", "en/who.toml:1: who: ", "0x1b")]
#[case::tab("en/who.toml", "title = \"", "title = \"\t", "en/who.toml:1: who: ", "0x09")]
#[case::tab_escaped("en/who.toml", "title = \"", "title = \"\\t", "en/who.toml:1: who: ", "0x09")]
#[case::unknown_key("en/who.toml", "minutes = ", "hours = 1\nminutes = ", "en/who.toml:", "unknown field `hours`")]
#[case::unknown_experiment(
    "de/lesson.toml",
    "id = \"rotate\"",
    "id = \"rotated\"",
    "de/lesson.toml:",
    "there is no experiment rotated"
)]
#[case::missing_experiment(
    "de/lesson.toml",
    "id = \"rotate\"",
    "id = \"rotated\"",
    "de/lesson.toml:0: ",
    "the experiment rotate is missing"
)]
#[case::interface_word(
    "de/lesson.toml",
    "\"Nothing was sent.\" = ",
    "\"Nothing was send.\" = ",
    "de/lesson.toml:",
    "the interface does not say \"Nothing was send.\""
)]
#[case::no_interface_word(
    "de/lesson.toml",
    "\"Nothing was sent.\" = ",
    "\"Nothing was send.\" = ",
    "de/lesson.toml:0: ",
    "the interface's \"Nothing was sent.\" is not translated"
)]
#[case::interface_places("de/lesson.toml", "\"{} von {}\"", "\"{} davon\"", "de/lesson.toml:", "has not as many {} as")]
#[case::address("sources.toml", "https://", "http://", "sources.toml:", "does not begin with https://")]
fn the_lint_names_file_stage_and_line(
    #[case] path: &str,
    #[case] from: &str,
    #[case] to: &str,
    #[case] place: &str,
    #[case] message: &str,
) {
    let problems: Vec<String> = lint::check(&bent(path, from, to)).iter().map(ToString::to_string).collect();
    assert!(problems.iter().any(|p| p.starts_with(place) && p.contains(message)), "{problems:#?}");
}

#[test]
fn a_missing_experiment_text_falls_back_to_english() {
    let german = Lesson::parse(&bent("de/lesson.toml", "id = \"rotate\"", "id = \"rotated\""), "de").unwrap();
    let at = Experiment::Rotate.index();
    assert_eq!(german.frame.experiments[at], Lesson::english().frame.experiments[at]);
    assert_ne!(german.frame.experiments[at - 1], Lesson::english().frame.experiments[at - 1]);
    let none = Lesson::parse(&bent("en/lesson.toml", "id = \"rotate\"", "id = \"rotated\""), "en").unwrap_err();
    assert_eq!(none.message, "the experiment rotate is missing");
}

#[test]
fn the_lint_finds_what_is_missing_and_what_is_too_much() {
    let some = |paths: &[&str]| {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/assets/lesson/");
        Files::new(
            paths.iter().map(|path| ((*path).to_owned(), std::fs::read_to_string(format!("{folder}{path}")).unwrap())),
        )
    };
    let told = |files: &Files| lint::check(files).iter().map(ToString::to_string).collect::<Vec<_>>();
    let extra = Files::new([("en/create_bucket.toml".to_owned(), String::new())]).or(Files::embedded());
    assert_eq!(told(&extra), ["en/create_bucket.toml:0: there is no stage create_bucket"]);
    let half = told(&some(&["sources.toml", "de/who.toml"]));
    assert!(half.contains(&"de/grant.toml:0: grant: not translated".to_owned()), "{half:#?}");
    assert_eq!(told(&some(&[])), ["sources.toml:0: there is no such file"]);
}

#[test]
fn a_state_is_in_english_until_another_lesson_is_chosen() {
    let state = State::new(backend(), names());
    assert_eq!(**state.lesson(), *Lesson::english());
    let german = Lesson::parse(&Files::embedded(), "de").unwrap();
    let chosen = state.clone().with_lesson(Arc::new(german.clone()));
    assert_eq!(**chosen.lesson(), german);
    assert_ne!(chosen.lesson(), state.lesson());
}

/// What a language lacks is shown in English.
#[test]
fn english_is_the_fallback() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/assets/lesson/");
    let german = std::fs::read_to_string(format!("{folder}de/who.toml")).unwrap();
    let files = Files::new([("xx/who.toml".to_owned(), german)]).or(Files::embedded());
    let mixed = Lesson::parse(&files, "xx").unwrap();
    let (german, english) = (Lesson::parse(&files, "de").unwrap(), Lesson::english());
    assert_eq!(mixed.stage(Stage::Who), german.stage(Stage::Who));
    assert_ne!(mixed.stage(Stage::Who), english.stage(Stage::Who));
    assert_eq!(mixed.stage(Stage::Grant), english.stage(Stage::Grant));
}

fn asking() -> State {
    State::new(backend(), names()).with_quiz(Quiz::new(3))
}

#[test]
fn enter_waits_for_an_answer_or_a_skip() {
    let mut state = asking();
    assert_eq!(state.update(Event::Intent(Intent::Advance)), []);
    assert_eq!(state.record(Stage::Who).status, Status::Todo);
    assert!(state.view().message.is_some(), "it says what it waits for");
    state.update(Event::Intent(Intent::Skip));
    assert!(!state.update(Event::Intent(Intent::Advance)).is_empty());
    assert_eq!(state.score(), Some(Score { right: 0, answered: 0, skipped: 1 }));

    let mut unasked = State::new(backend(), names());
    assert!(!unasked.update(Event::Intent(Intent::Advance)).is_empty(), "without questions nothing waits");
    assert_eq!(unasked.score(), None);
}

#[test]
fn an_answer_can_be_changed_until_the_calls_are_sent() {
    let mut state = asking();
    let right = state.open_question().unwrap().answers.iter().position(|(_, reply)| reply.right).unwrap();
    let (right, wrong) = (u8::try_from(right).unwrap(), u8::try_from((right + 1) % 4).unwrap());
    state.update(Event::Intent(Intent::Choose(wrong)));
    assert_eq!(state.score(), Some(Score { right: 0, answered: 1, skipped: 0 }));
    state.update(Event::Intent(Intent::Choose(9)));
    assert_eq!(state.question(Stage::Who).unwrap().chosen, Some(usize::from(wrong)), "there is no tenth answer");
    state.update(Event::Intent(Intent::Choose(right)));
    assert_eq!(state.score(), Some(Score { right: 1, answered: 1, skipped: 0 }));
    state.update(Event::Intent(Intent::Advance));
    state.update(Event::Intent(Intent::Choose(wrong)));
    assert_eq!(state.question(Stage::Who).unwrap().chosen, Some(usize::from(right)), "it is too late");
}

#[test]
fn hints_come_one_by_one() {
    let mut state = asking();
    assert_eq!((state.hints().len(), state.has_hint()), (0, true));
    for shown in [1, 2, 2] {
        state.update(Event::Intent(Intent::Hint));
        assert_eq!(state.hints().len(), shown);
    }
    assert!(!state.has_hint());
}

/// A given user is not created: the stage says so.
#[test]
fn a_given_user_has_texts_of_its_own() {
    for language in ["en", "de"] {
        let lesson = Lesson::parse(&Files::embedded(), language).unwrap();
        let (made, given) = (lesson.text(Stage::CreateUser, false), lesson.text(Stage::CreateUser, true));
        assert_ne!(made.title, given.title);
        assert_ne!(made.objective, given.objective);
    }
}
