//! The debrief and the card to keep.

use std::sync::Arc;

use kmslab::lab::lesson::Files;
use kmslab::lab::{Intent, Lesson, Page, Stage, State};
use kmslab::ui::{ColorLevel, Theme, ThemeName, render};
use ratatui::layout::Size;

use super::album::{album, assert_album, assert_picture};
use super::{SIZES, dark};
use crate::support::lab::{Session, text_dump};

/// A finished lab whose third and sixth question were answered wrongly, at its debrief.
fn debriefing() -> Session {
    let mut session = Session::sandbox();
    for stage in Stage::ALL {
        session = session.before(stage);
        session.predict(!matches!(stage, Stage::CreateTable | Stage::ViewDenied));
        session.intent(Intent::Advance).answer_all();
    }
    session.intent(Intent::Advance);
    session
}

/// The same after these steps.
fn after(steps: &dyn Fn(&mut Session)) -> Session {
    let mut session = debriefing();
    steps(&mut session);
    session
}

/// The place of the right or of a wrong answer.
fn place(state: &State, right: bool) -> u8 {
    let question = state.debrief().question(state.lesson()).unwrap();
    let asked = state.debrief_question().unwrap();
    let answer = question.answers.iter().find(|answer| answer.right == right).unwrap();
    asked.answers.iter().position(|(_, text)| *text == answer.text).and_then(|at| u8::try_from(at).ok()).unwrap()
}

fn choose(session: &mut Session, right: bool) {
    let place = place(&session.state, right);
    session.intent(Intent::Choose(place));
}

#[test]
fn the_debrief_asks_again_and_ends_with_the_card() {
    let asked = debriefing();
    let wrong = after(&|session| choose(session, false));
    let sources = after(&|session| {
        choose(session, false);
        session.intent(Intent::TogglePage(Page::Lesson));
    });
    let claimed = |session: &mut Session| {
        choose(session, false);
        session.intent(Intent::Advance);
        choose(session, true);
        session.intent(Intent::Advance);
        choose(session, true);
        session.intent(Intent::Advance).intent(Intent::Judge(false));
    };
    let revocation = after(&|session| {
        choose(session, true);
        session.intent(Intent::Advance);
        choose(session, true);
        session.intent(Intent::Advance);
    });
    let claim = after(&claimed);
    let card = after(&|session| {
        claimed(session);
        session.intent(Intent::Close);
    });
    let answers = after(&|session| {
        claimed(session);
        session.intent(Intent::Close).intent(Intent::TogglePage(Page::Debrief));
    });
    let screens = [("asked", &asked), ("wrong", &wrong), ("claim", &claim), ("card", &card)];
    let mut screens: Vec<_> = screens
        .into_iter()
        .flat_map(|(name, session)| SIZES.map(|size| (name.to_owned(), &session.state, size)))
        .collect();
    screens.push(("sources".to_owned(), &sources.state, SIZES[0]));
    screens.push(("revocation".to_owned(), &revocation.state, SIZES[1]));
    screens.push(("answers".to_owned(), &answers.state, SIZES[1]));
    assert_album("debrief", album(screens));
}

#[test]
fn a_question_comes_back_until_it_was_asked_twice() {
    let mut session = debriefing();
    let mut asked = Vec::new();
    while let Some(entry) = session.state.debrief().current().copied() {
        asked.push((entry.item, entry.again));
        assert!(session.state.debrief_question().is_some());
        match session.state.debrief().question(session.state.lesson()).is_some() {
            true => choose(&mut session, false),
            false => drop(session.intent(Intent::Judge(true))),
        }
        session.intent(Intent::Advance);
    }
    let again = asked.iter().filter(|(_, again)| *again).count();
    // Two questions that were missed, the one about taking access away, and the claims that are not true.
    let false_claims = session.state.lesson().frame.debrief.iter().filter(|claim| !claim.is_true).count();
    assert_eq!((asked.len(), again), (7 + again, 3 + false_claims));
}

#[test]
fn the_card_is_whole_in_german_and_in_ascii() {
    let german = Arc::new(Lesson::parse(&Files::embedded(), "de").unwrap());
    let mut session = debriefing();
    session.intent(Intent::Close);
    let ascii = Theme::choose(ThemeName::Dark, ColorLevel::Ansi16).in_ascii();
    let text = text_dump(&render(&session.state, &ascii, SIZES[0]));
    assert!(text.is_ascii() && text.contains("without use."), "{text}");
    let state = session.state.clone().with_lesson(german);
    for size in SIZES {
        let text = text_dump(&render(&state, &dark(), size));
        assert!(text.contains("ohne Zugriff wieder."), "{text}");
    }
    assert_picture("debrief_german_card", &text_dump(&render(&state, &dark(), SIZES[1])));
}

#[test]
fn a_question_has_no_more_than_100_words() {
    let words = |text: &str| text.split_whitespace().filter(|word| word.chars().any(char::is_alphanumeric)).count();
    let mut session = debriefing();
    while session.state.debrief().current().is_some() {
        let text = text_dump(&render(&session.state, &dark(), Size::new(100, 28)));
        assert!(words(&text) <= 100, "{} words:\n{text}", words(&text));
        session.intent(Intent::Skip).intent(Intent::Advance);
    }
}
