//! The screens before a stage's calls: the opening card, the questions, and what they don't give away.

use std::sync::Arc;

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use kmslab::lab::lesson::Files;
use kmslab::lab::{Intent, Lesson, Page, PresenterAction, Stage, State};
use kmslab::ui::render;
use ratatui::layout::{Rect, Size};

use super::album::{album, assert_album};
use super::{SIZES, dark};
use crate::support::lab::{Session, text_dump};

/// Tokens with a letter or a digit, everywhere on the screen.
fn words(text: &str) -> usize {
    text.split_whitespace().filter(|word| word.chars().any(char::is_alphanumeric)).count()
}

fn in_language(state: State, language: &str) -> State {
    state.with_lesson(Arc::new(Lesson::parse(&Files::embedded(), language).unwrap()))
}

fn card(session: Session) -> State {
    let mut state = session.state;
    state.open_with_card();
    state
}

/// German may have a quarter more, as in the lint.
#[test]
fn a_question_screen_has_at_most_75_words() {
    for (language, most) in [("en", 75), ("de", 94)] {
        for stage in Stage::ALL {
            let mut session = Session::sandbox().before(stage);
            session.state = in_language(session.state, language);
            let text = text_dump(&render(&session.state, &dark(), SIZES[1]));
            assert!(words(&text) <= most, "{} words, {language}:\n{text}", words(&text));
            let objective = session.state.text(stage).objective;
            assert!(!text.contains(objective), "the objective is in `l`:\n{text}");
            session.predict(true);
            let text = text_dump(&render(&session.state, &dark(), SIZES[1]));
            assert!(words(&text) <= most + 5, "{} words, {language}:\n{text}", words(&text));
        }
    }
}

/// Nothing before the denied Scan says what test-user lacks.
#[test]
fn nothing_gives_the_denied_scan_away() {
    let told = |text: &str, what: &str| {
        for word in ["kms:Decrypt", "DENIED", "ABGEWIESEN", "may not use the key", "Let test-user use"] {
            assert!(!text.contains(word), "{word} is on the {what}:\n{text}");
        }
    };
    for language in ["en", "de"] {
        for stage in Stage::ALL.into_iter().filter(|stage| *stage < Stage::ViewDenied) {
            let mut before = Session::sandbox().before(stage);
            before.state = in_language(before.state, language);
            let mut after = Session::sandbox().before(stage);
            after.state = in_language(after.state, language);
            after.predict(false).intent(Intent::Advance).answer_all();
            for session in [&mut before, &mut after] {
                session.intent(Intent::Hint).intent(Intent::Hint);
                told(&text_dump(&render(&session.state, &dark(), SIZES[2])), "screen");
                for page in [Page::Lesson, Page::Comparison] {
                    session.intent(Intent::TogglePage(page));
                    told(&text_dump(&render(&session.state, &dark(), SIZES[2])), "page");
                    session.intent(Intent::Close);
                }
                session.intent(Intent::ToggleStages);
                told(&text_dump(&render(&session.state, &dark(), SIZES[2])), "list");
                session.intent(Intent::Close);
            }
            if stage == Stage::CreateUser {
                for _ in 0..2 {
                    after.intent(Intent::TogglePage(Page::Why));
                    told(&text_dump(&render(&after.state, &dark(), SIZES[2])), "page why");
                    after.intent(Intent::Close).intent(Intent::FocusOther);
                }
            }
        }
    }
    let mut known = Session::sandbox().after(Stage::ViewDenied);
    known.intent(Intent::ToggleStages);
    let text = text_dump(&render(&known.state, &dark(), SIZES[1]));
    assert!(text.contains("Let test-user use the key"), "{text}");
}

#[test]
fn a_new_keys_policy_stands_beside_the_call() {
    let after = Session::sandbox().after(Stage::CreateKey);
    let text = text_dump(&render(&after.state, &dark(), SIZES[1]));
    for word in ["─ key policy ─", "kms:CreateKey", "Sid: Enable IAM User", ":root"] {
        assert!(text.contains(word), "{word} is not on the screen:\n{text}");
    }
}

#[test]
fn the_opening_card_fits_every_size() {
    let english = card(Session::sandbox());
    let german = in_language(card(Session::sandbox()), "de");
    let aws = card(Session::aws());
    let small = [Size::new(60, 18), Size::new(80, 20)];
    let screens = SIZES.iter().chain(&small).map(|size| ("card".to_owned(), &english, *size));
    let more = [("German", &german, SIZES[0]), ("German", &german, SIZES[1]), ("AWS", &aws, SIZES[1])];
    let more = more.map(|(name, state, size)| (name.to_owned(), state, size));
    assert_album("opening", album(screens.chain(more)));
    for (state, size) in SIZES.iter().map(|size| (&english, *size)).chain([(&german, SIZES[0]), (&aws, SIZES[0])]) {
        let text = text_dump(&render(state, &dark(), size));
        let last = if state.backend().region.is_empty() { "" } else { "20 " };
        assert!(text.contains("STS") && text.contains(last) && !text.contains("kms:"), "{text}");
    }
    let ascii = text_dump(&render(&english, &dark().in_ascii(), SIZES[1]));
    assert!(ascii.is_ascii(), "{ascii}");
}

#[test]
fn enter_and_a_clicker_leave_the_card_and_q_the_lab() {
    let press = |state: &State, code| {
        let key = KeyEvent::new(code, KeyModifiers::NONE);
        kmslab::ui::keys::intent(key, state, Rect::new(0, 0, 80, 24))
    };
    let mut session = Session::sandbox();
    session.state.open_with_card();
    for code in [KeyCode::Enter, KeyCode::Char(' ')] {
        assert_eq!(press(&session.state, code), Some(Intent::Advance));
    }
    for code in [KeyCode::PageDown, KeyCode::Right] {
        assert_eq!(press(&session.state, code), Some(Intent::Present(PresenterAction::Next)));
    }
    for code in [KeyCode::Char('a'), KeyCode::Char('h'), KeyCode::Char('s'), KeyCode::Esc, KeyCode::Tab] {
        assert_eq!(press(&session.state, code), None, "{code:?}");
    }
    for intent in [Intent::Advance, Intent::Present(PresenterAction::Next)] {
        let mut state = session.state.clone();
        assert_eq!(state.update(kmslab::lab::Event::Intent(intent)), []);
        assert!(!state.view().opening && state.waits_for_answer());
    }
    let mut state = session.state.clone();
    state.update(kmslab::lab::Event::Intent(Intent::TogglePage(Page::Help)));
    assert_eq!(state.view().page(), Some(Page::Help));
    state.update(kmslab::lab::Event::Intent(Intent::Close));
    assert!(state.view().opening, "behind the help is the card");
    let left = state.update(kmslab::lab::Event::Intent(Intent::AskToQuit));
    assert_eq!(left, [kmslab::lab::Effect::Exit]);
}
