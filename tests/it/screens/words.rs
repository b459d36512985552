//! The number of words on a screen: few enough to read while somebody speaks.

use std::sync::Arc;

use kmslab::lab::lesson::{Files, Lesson};
use kmslab::lab::{Intent, Stage};
use kmslab::ui::render;
use ratatui::layout::Size;
use rstest::rstest;

use super::dark;
use crate::support::lab::{Session, text_dump};

/// The most words on a screen of 100×28 after a stage's calls.
const VERDICT: usize = 85;

/// The same in German.
const GERMAN: usize = 90;

/// A word is what has a letter or a digit, wherever it stands.
fn words(text: &str) -> usize {
    text.split_whitespace().filter(|word| word.contains(char::is_alphanumeric)).count()
}

/// Each answer: beside a wrong one stands why, and which is right.
#[rstest]
fn a_verdict_has_at_most_85_words(
    #[values(0, 1, 2, 3, 4, 5, 6, 7, 8)] stage: usize,
    #[values(("en", VERDICT), ("de", GERMAN))] (language, most): (&str, usize),
) {
    let lesson = Arc::new(Lesson::parse(&Files::embedded(), language).unwrap());
    for answer in 0..4 {
        let mut session = Session::sandbox().before(Stage::ALL[stage]);
        if session.state.waits_for_answer() {
            session.intent(Intent::Choose(answer));
        }
        session.intent(Intent::Advance).answer_all();
        let state = session.state.with_lesson(lesson.clone());
        let text = text_dump(&render(&state, &dark(), Size::new(100, 28)));
        assert!(words(&text) <= most, "{} words:\n{text}", words(&text));
    }
}

#[test]
fn words_have_a_letter_or_a_digit() {
    assert_eq!(words("✔ ALLOWED ─▸ KMS ✘ ─┤ p-001  … 3"), 4);
}
