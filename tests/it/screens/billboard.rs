//! The billboard, and what a clicker does on it.

use kmslab::lab::{Event, Intent, PresenterAction, Stage, State};
use kmslab::ui::{ColorLevel, Theme, ThemeName, render};
use ratatui::layout::Size;

use super::presenting::voted;
use super::{SIZES, album, assert_album, dark};
use crate::support::lab::{Session, every_state, text_dump};

fn on(mut session: Session) -> Session {
    session.intent(Intent::Present(PresenterAction::Billboard));
    session
}

#[test]
fn billboard() {
    let before = on(Session::sandbox().before(Stage::ViewDenied));
    let mut sent = on(Session::sandbox().before(Stage::ViewDenied));
    sent.intent(Intent::Advance);
    let denied = on(Session::sandbox().after(Stage::ViewDenied));
    let again = on(Session::sandbox().after(Stage::ViewAgain));
    let who = on(Session::sandbox().after(Stage::Who));
    let mut pictures: Vec<(String, &State, Size)> = Vec::new();
    for (name, session) in [("before", &before), ("sent", &sent), ("denied", &denied), ("again", &again), ("who", &who)]
    {
        pictures.push((name.to_owned(), &session.state, SIZES[1]));
    }
    pictures.extend([SIZES[0], SIZES[2]].map(|size| ("denied".to_owned(), &denied.state, size)));
    assert_album("billboard", album(pictures));
}

/// The bars stand under the verdicts, and nowhere before them: a room follows the tallest bar.
#[test]
fn votes_stand_under_the_verdicts() {
    let voted = || on(voted(Stage::ViewDenied, [12, 3, 0, 17]));
    let before = voted();
    let mut after = voted();
    after.intent(Intent::Advance).answer_all();
    let mut pictures: Vec<(String, &State, Size)> = vec![("before".to_owned(), &before.state, SIZES[1])];
    pictures.extend([SIZES[0], SIZES[1], SIZES[2]].map(|size| ("after".to_owned(), &after.state, size)));
    for (name, state, size) in &pictures {
        let text = text_dump(&render(state, &Theme::choose(ThemeName::Dark, ColorLevel::Ansi16), *size));
        assert_eq!(text.contains("of 32 right"), name == "after", "{name}, {size}: {text}");
    }
    assert_album("billboard_votes", album(pictures));
}

#[test]
fn without_unicode_it_has_letters() {
    let session = on(Session::sandbox().after(Stage::ViewDenied));
    let theme = Theme::choose(ThemeName::Dark, ColorLevel::Ansi16).in_ascii();
    let text = text_dump(&render(&session.state, &theme, SIZES[1]));
    assert!(text.is_ascii(), "{text}");
    for word in ["DynamoDB [OK]", "KMS [NO]", "[NO] DENIED", "[NO] kms:Decrypt", "[OK] 3 items"] {
        assert!(text.contains(word), "{word}: {text}");
    }
}

#[test]
fn a_clicker_goes_through_the_lab_on_it() {
    let mut session = on(Session::sandbox());
    while !session.state.is_finished() {
        session.event(Event::Intent(Intent::Present(PresenterAction::Next)));
        session.answer_all();
        let text = text_dump(&render(&session.state, &dark(), SIZES[1]));
        assert!(text.contains(session.state.text(session.state.view().shown).title), "{text}");
        assert!(session.state.view().billboard);
    }
    assert_eq!(session.state.met(), Stage::ALL.len());
}

#[test]
fn every_state_has_a_billboard() {
    // Each tenth is enough: the billboard shows little of a state.
    for (name, state) in every_state().iter().step_by(10) {
        let mut state = state.clone();
        state.update(Event::Intent(Intent::Present(PresenterAction::Billboard)));
        for size in SIZES {
            let text = text_dump(&render(&state, &dark(), size));
            assert!(text.lines().any(|line| !line.is_empty()), "{name}");
        }
    }
}
