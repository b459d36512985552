//! The mouse: the wheel scrolls, clicks choose. It can do nothing that no key can.

use crossterm::event::{KeyModifiers, MouseButton, MouseEvent, MouseEventKind};
use kmslab::lab::{Identity, Intent, Overlay, Page, PresenterAction, Stage, State};
use kmslab::ui::{mouse, render};
use ratatui::layout::Rect;
use rstest::rstest;

use super::dark;
use crate::support::lab::{Session, every_state, text_dump};

const AREA: Rect = Rect::new(0, 0, 100, 28);

fn event(kind: MouseEventKind, column: u16, row: u16) -> MouseEvent {
    MouseEvent { kind, column, row, modifiers: KeyModifiers::NONE }
}

/// Where `text` stands on the screen.
fn place(state: &State, text: &str) -> (u16, u16) {
    let screen = text_dump(&render(state, &dark(), AREA.as_size()));
    let found = screen.lines().enumerate().find_map(|(row, line)| {
        let at = line.find(text)?;
        Some((line[..at].chars().count(), row))
    });
    let (column, row) = found.unwrap_or_else(|| panic!("{text} is not on\n{screen}"));
    (u16::try_from(column).unwrap(), u16::try_from(row).unwrap())
}

fn click(state: &State, text: &str) -> Option<Intent> {
    let (column, row) = place(state, text);
    mouse::intent(event(MouseEventKind::Down(MouseButton::Left), column, row), state, AREA)
}

#[test]
fn a_click_chooses_an_answer() {
    let state = Session::sandbox().state;
    for (place, (letter, _)) in state.open_question().unwrap().answers.iter().enumerate() {
        let clicked = click(&state, &format!(" {letter}  "));
        assert_eq!(clicked, Some(Intent::Choose(u8::try_from(place).unwrap())), "{letter}");
    }
    assert_eq!(click(&state, "Who will STS"), None);
}

#[rstest]
#[case("? keys", Some(Intent::TogglePage(Page::Help)))]
#[case("q quit", Some(Intent::AskToQuit))]
fn a_click_on_the_footer_presses_its_key(#[case] text: &str, #[case] intent: Option<Intent>) {
    assert_eq!(click(&Session::sandbox().state, text), intent);
}

#[rstest]
#[case(MouseEventKind::Down(MouseButton::Left))]
#[case(MouseEventKind::ScrollDown)]
fn the_focus_follows_the_mouse(#[case] kind: MouseEventKind) {
    let mut session = Session::sandbox().after(Stage::ViewDenied);
    assert_eq!(session.state.view().focus(), Identity::TestUser);
    assert_eq!(mouse::intent(event(kind, 5, 20), &session.state, AREA), Some(Intent::FocusOther));
    session.intent(Intent::FocusOther);
    assert_eq!(mouse::intent(event(kind, 95, 20), &session.state, AREA), Some(Intent::FocusOther));
}

#[test]
fn the_wheel_scrolls_a_page_and_ends_at_its_ends() {
    let mut session = Session::sandbox();
    session.intent(Intent::TogglePage(Page::Help));
    let wheel = |state: &State, kind| mouse::intent(event(kind, 50, 10), state, AREA);
    assert_eq!(wheel(&session.state, MouseEventKind::ScrollUp), None);
    assert_eq!(wheel(&session.state, MouseEventKind::ScrollDown), Some(Intent::ScrollTo(3)));
    for _ in 0..100 {
        let Some(intent) = wheel(&session.state, MouseEventKind::ScrollDown) else { break };
        session.intent(intent);
    }
    assert_eq!(wheel(&session.state, MouseEventKind::ScrollDown), None, "it has an end");
    assert!(matches!(wheel(&session.state, MouseEventKind::ScrollUp), Some(Intent::ScrollTo(_))));
}

#[test]
fn a_second_click_takes_a_row_of_a_list() {
    let mut session = Session::sandbox();
    session.intent(Intent::ToggleStages);
    let title = session.state.text(Stage::CreateTable).title.to_owned();
    let first = click(&session.state, &title).unwrap();
    assert_eq!(first, Intent::MoveCursor(2));
    session.intent(first);
    assert_eq!(session.state.view().overlay, Some(Overlay::Stages { cursor: Stage::CreateTable }));
    assert_eq!(click(&session.state, &title), Some(Intent::Advance));
}

#[test]
fn a_blanked_screen_takes_no_click() {
    let mut session = Session::sandbox();
    session.intent(Intent::Present(PresenterAction::Blank));
    for row in 0..28 {
        let left = MouseEventKind::Down(MouseButton::Left);
        assert_eq!(mouse::intent(event(left, 10, row), &session.state, AREA), None);
    }
}

/// Wherever it points, in whatever state: what it asks for is allowed, and consent is never given by a click.
#[test]
fn no_click_does_what_is_not_allowed() {
    for (name, state) in every_state().iter().step_by(5) {
        let kinds = [MouseEventKind::Down(MouseButton::Left), MouseEventKind::ScrollDown, MouseEventKind::ScrollUp];
        for (at, kind) in kinds.into_iter().cycle().take(60).enumerate() {
            let at = u16::try_from(at).unwrap();
            let place = event(kind, at * 7 % 100, at % 30);
            let Some(intent) = mouse::intent(place, state, AREA) else { continue };
            assert_eq!(state.permit(intent), kmslab::lab::Permit::Yes, "{intent:?}: {name}");
            assert!(!matches!(intent, Intent::TypeDigit(_)), "{name}");
        }
    }
}
