//! Search in pages and lists.

use std::sync::Arc;

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use kmslab::lab::lesson::Files;
use kmslab::lab::{Event, Intent, Lesson, Mode, Overlay, Page, Stage, State};
use kmslab::ui::{keys, render};
use ratatui::layout::{Rect, Size};
use rstest::rstest;

use super::dark;
use crate::support::lab::{Session, every_state, text_dump};

const AREA: Rect = Rect::new(0, 0, 80, 24);

/// Presses keys as a person does: a word is typed, the others are named.
fn press(state: &mut State, pressed: &[&str]) {
    for name in pressed {
        let codes = match *name {
            "enter" => vec![KeyCode::Enter],
            "esc" => vec![KeyCode::Esc],
            "backspace" => vec![KeyCode::Backspace],
            word => word.chars().map(KeyCode::Char).collect(),
        };
        for code in codes {
            let intent = keys::intent(KeyEvent::new(code, KeyModifiers::NONE), state, AREA);
            intent.into_iter().for_each(|intent| drop(state.update(Event::Intent(intent))));
        }
    }
}

fn screen(state: &State) -> String {
    text_dump(&render(state, &dark(), AREA.as_size()))
}

fn help() -> State {
    let mut session = Session::sandbox();
    session.intent(Intent::TogglePage(Page::Help));
    session.state
}

#[test]
fn a_page_goes_to_what_is_typed() {
    let mut state = help();
    assert!(!screen(&state).contains("not permitted"), "it is further down");
    press(&mut state, &["/", "NOT PERMITTED"]);
    let typing = screen(&state);
    assert!(typing.contains("/NOT PERMITTED_ · 1 of 1 · enter keeps it · esc discards it"), "{typing}");
    assert!(typing.contains("DENIED"), "{typing}");
    press(&mut state, &["enter"]);
    assert!(screen(&state).contains("/NOT PERMITTED · 1 of 1 · n/N · esc closes"), "{}", screen(&state));
    press(&mut state, &["esc"]);
    assert!(!state.view().overlay_is_open());
    press(&mut state, &["?"]);
    assert_eq!(state.view().search(), None, "a page opens without a search");
}

#[test]
fn n_goes_through_all_matches_and_round() {
    let mut state = help();
    press(&mut state, &["/", "the lab"]);
    let count = |state: &State| {
        let screen = screen(state);
        let at = screen.find("/the lab").unwrap();
        screen[at..].split(" · ").nth(1).unwrap().to_owned()
    };
    press(&mut state, &["enter"]);
    let first = count(&state);
    let all: usize = first.split(' ').next_back().unwrap().parse().unwrap();
    assert!(all > 1, "{first}");
    let mut seen = vec![first.clone()];
    for _ in 1..all {
        press(&mut state, &["n"]);
        seen.push(count(&state));
    }
    seen.dedup();
    assert_eq!(seen.len(), all);
    press(&mut state, &["n"]);
    assert_eq!(count(&state), first);
    press(&mut state, &["N"]);
    assert_eq!(count(&state), *seen.last().unwrap());
}

#[test]
fn esc_drops_a_query_and_nothing_else() {
    let mut state = help();
    let before = screen(&state);
    press(&mut state, &["/", "quit nobody", "esc"]);
    assert_eq!(screen(&state), before);
    assert_eq!(state.mode(), Mode::Page);
    press(&mut state, &["/", "zzz"]);
    assert!(screen(&state).contains("/zzz_ · no match"), "{}", screen(&state));
    press(&mut state, &["backspace", "backspace", "backspace"]);
    assert!(screen(&state).contains("/_ · enter keeps it"), "{}", screen(&state));
}

/// Letters that are keys elsewhere belong to the query: `q` leaves nothing, `.` blanks nothing.
#[test]
fn every_letter_belongs_to_the_query() {
    let mut state = help();
    press(&mut state, &["/", "q.B?/nN x"]);
    assert_eq!(state.view().search().map(|search| search.query()), Some("q.B?/nN x"));
    let ctrl_c = KeyEvent::new(KeyCode::Char('c'), KeyModifiers::CONTROL);
    assert_eq!(keys::intent(ctrl_c, &state, AREA), Some(Intent::Quit));
    press(&mut state, &["a".repeat(100).as_str()]);
    assert_eq!(state.view().search().map(|search| search.query().chars().count()), Some(40));
}

#[test]
fn a_list_moves_to_what_is_typed() {
    let mut session = Session::sandbox();
    session.intent(Intent::ToggleStages);
    let mut state = session.state;
    let at = |state: &State| match state.view().overlay {
        Some(Overlay::Stages { cursor }) => Some(cursor),
        _ => None,
    };
    press(&mut state, &["/", "scan"]);
    assert_eq!(at(&state), Some(Stage::ViewDenied));
    press(&mut state, &["enter", "n"]);
    assert_eq!(at(&state), Some(Stage::ViewAgain));
    press(&mut state, &["n"]);
    assert_eq!(at(&state), Some(Stage::ViewDenied), "round");
    press(&mut state, &["/", "nobody"]);
    assert_eq!(at(&state), Some(Stage::ViewDenied), "where it began");
    press(&mut state, &["esc", "esc"]);
    assert!(!state.view().overlay_is_open());
}

#[rstest]
#[case("schlüssel")]
#[case("schluessel")]
#[case("SCHLÜSSEL")]
fn german_is_found_however_it_is_typed(#[case] query: &str) {
    let mut session = Session::sandbox();
    session.state = session.state.with_lesson(Arc::new(Lesson::parse(&Files::embedded(), "de").unwrap()));
    session.intent(Intent::ToggleStages);
    let mut state = session.state;
    press(&mut state, &["/", query]);
    assert!(!state.found_rows().is_empty(), "{}", screen(&state));
    press(&mut state, &["enter"]);
    assert!(screen(&state).contains(" von "), "{}", screen(&state));
}

/// A pane's response is searched like a page.
#[test]
fn a_response_is_searched_in_its_pane() {
    let mut state = Session::sandbox().after(Stage::ViewAdmin).state;
    press(&mut state, &["v"]);
    let before = screen(&state);
    press(&mut state, &["/", "TableName"]);
    let typing = screen(&state);
    assert!(typing.contains("/TableName_ · 1 of "), "{typing}");
    press(&mut state, &["q", "backspace", "enter"]);
    assert_eq!(state.mode(), Mode::Found);
    let first = state.view().search().and_then(|search| search.line());
    assert!(first.is_some() && screen(&state).contains("/TableName · 1 of "), "{}", screen(&state));
    let shown = state.view().shown;
    press(&mut state, &["esc", "g", "/", "S", "enter", "n"]);
    assert!(screen(&state).contains("/S · 2 of "), "{}", screen(&state));
    press(&mut state, &["N"]);
    assert!(screen(&state).contains("/S · 1 of "), "{}", screen(&state));
    assert_eq!(state.view().shown, shown, "n goes to a match, not to a stage");
    press(&mut state, &["esc"]);
    assert_eq!((state.mode(), state.view().search()), (Mode::Done, None));
    press(&mut state, &["g"]);
    assert_eq!(screen(&state), before);
    // Another pane is another text.
    press(&mut state, &["/", "S", "enter"]);
    state.update(Event::Intent(Intent::FocusOther));
    assert_eq!(state.mode(), Mode::Found, "tab is no key while a search is kept");
}

/// Whatever is searched on whatever screen, the current match is visible.
#[test]
fn a_match_is_on_the_screen() {
    for (name, state) in every_state().iter().filter(|(_, state)| state.mode() == Mode::Page) {
        for size in [Size::new(80, 24), Size::new(60, 18)] {
            let mut state = state.clone();
            for code in "/key".chars().map(KeyCode::Char).chain([KeyCode::Enter]) {
                let intent =
                    keys::intent(KeyEvent::new(code, KeyModifiers::NONE), &state, Rect::from(((0, 0).into(), size)));
                intent.into_iter().for_each(|intent| drop(state.update(Event::Intent(intent))));
            }
            let shown = text_dump(&render(&state, &dark(), size));
            let is_found = state.view().search().is_some_and(|search| search.line().is_some());
            assert!(!is_found || shown.to_lowercase().contains("key"), "{name}\n{shown}");
        }
    }
}

#[test]
fn a_scrollbar_shows_where_a_long_page_is() {
    let mut state = help();
    let thumb = |state: &State| -> Vec<usize> {
        let shown = screen(state);
        let rows = shown.lines().enumerate().filter(|(_, line)| line.contains('█'));
        rows.map(|(row, _)| row).collect()
    };
    let top = thumb(&state);
    press(&mut state, &["G"]);
    let bottom = thumb(&state);
    assert!(!top.is_empty() && top.len() == bottom.len(), "{top:?} {bottom:?}");
    assert!(top[0] < bottom[0], "{top:?} {bottom:?}");
    let ascii = text_dump(&render(&state, &dark().in_ascii(), AREA.as_size()));
    assert!(ascii.is_ascii() && ascii.contains('#'), "{ascii}");
    let mut short = Session::sandbox();
    short.intent(Intent::ToggleStages);
    assert_eq!(thumb(&short.state), Vec::<usize>::new());
}
