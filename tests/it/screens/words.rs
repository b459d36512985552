//! The number of words on a screen: few enough to read while somebody speaks.

use kmslab::lab::{Intent, Stage};
use kmslab::ui::render;
use ratatui::layout::Size;
use rstest::rstest;

use super::dark;
use crate::support::lab::{Session, text_dump};

/// The most words on a screen of 100×28 after a stage's calls.
const VERDICT: usize = 85;

/// A word is what has a letter or a digit, wherever it stands.
fn words(text: &str) -> usize {
    text.split_whitespace().filter(|word| word.contains(char::is_alphanumeric)).count()
}

fn screen(session: &Session) -> String {
    text_dump(&render(&session.state, &dark(), Size::new(100, 28)))
}

#[rstest]
fn a_verdict_has_at_most_85_words(
    #[values(0, 1, 2, 3, 4, 5, 6, 7, 8)] stage: usize,
    #[values(false, true)] right: bool,
) {
    let mut session = Session::sandbox().before(Stage::ALL[stage]);
    if session.state.waits_for_answer() {
        session.predict(right);
    }
    session.intent(Intent::Advance).answer_all();
    let text = screen(&session);
    assert!(words(&text) <= VERDICT, "{} words:\n{text}", words(&text));
}

#[test]
fn words_have_a_letter_or_a_digit() {
    assert_eq!(words("✔ ALLOWED ─▸ KMS ✘ ─┤ p-001  … 3"), 4);
}
