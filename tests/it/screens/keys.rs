//! The key table: every key means one thing at a time, the help names all, the footer only what works.

use crossterm::event::{KeyCode, KeyEvent, KeyEventKind, KeyModifiers};
use kmslab::lab::lesson::interface;
use kmslab::lab::{Effect, Event, Identity, Intent, Keymap, Overlay, Page, Permit, Stage, State, Status};
use kmslab::ui::keys::{self, Action, Binding, Fit, KEYS, Wanted};
use kmslab::ui::render;
use ratatui::layout::Rect;
use rstest::rstest;

use super::dark;
use crate::support::lab::{Session, every_state, text_dump};

const SIZES: [(u16, u16); 5] = [(80, 24), (100, 28), (200, 50), (60, 18), (20, 5)];

fn press(code: KeyCode) -> KeyEvent {
    KeyEvent::new(code, KeyModifiers::NONE)
}

fn intent(code: KeyCode, state: &State) -> Option<Intent> {
    keys::intent(press(code), state, Rect::new(0, 0, 80, 24))
}

/// The bindings that work on a screen of this size.
fn working(state: &State, width: u16, height: u16) -> Vec<&'static Binding> {
    let screen = Fit::new(state, Rect::new(0, 0, width, height));
    KEYS.iter().flat_map(|row| row.bindings).filter(|binding| screen.works(binding) == Permit::Yes).collect()
}

#[test]
fn no_key_means_two_things_at_once() {
    for (name, state) in every_state() {
        for (width, height) in SIZES {
            let working = working(state, width, height);
            let chords: Vec<_> = working.iter().flat_map(|binding| binding.chords).collect();
            for (index, chord) in chords.iter().enumerate() {
                assert!(!chords[..index].contains(chord), "{} means two things: {name}", chord.name());
            }
        }
    }
}

/// [`keys::remap`] relies on the modes that bindings say, and so does [`State::permit`].
#[test]
fn a_permitted_intent_has_the_mode() {
    for (name, state) in every_state() {
        for binding in KEYS.iter().flat_map(|row| row.bindings) {
            if let Action::Do(intent) = binding.action
                && state.permit(intent) != Permit::No
            {
                assert!(intent.modes().has(state.mode()), "{intent:?}: {name}");
            }
        }
    }
}

/// What isn't permitted changes nothing but the message that asked for a second press.
#[test]
fn a_refused_intent_changes_nothing() {
    // Copying a state takes its time.
    for (name, state) in every_state().iter().step_by(7) {
        let mut before = state.clone();
        before.say(None);
        for binding in KEYS.iter().flat_map(|row| row.bindings) {
            let Action::Do(intent) = binding.action else { continue };
            let permit = before.permit(intent);
            if permit != Permit::Yes {
                let mut after = before.clone();
                let effects = after.update(Event::Intent(intent));
                let said = after.view().message.clone();
                after.say(None);
                assert_eq!(said.is_some(), matches!(permit, Permit::Because(_)), "{intent:?}: {name}");
                assert!(after == before && effects.is_empty(), "{intent:?}: {name}");
            }
        }
    }
}

/// A person's own keys in dispatch, footer, help and in what else mentions them.
#[test]
fn custom_keys_work_and_are_shown() {
    let wish = |action: &str, keys: &[&str]| Wanted {
        action: action.to_owned(),
        line: 0,
        keys: keys.iter().map(|key| ((*key).to_owned(), 0)).collect(),
    };
    let wishes = [
        wish("advance", &["%", "enter"]),
        wish("answer_1", &["F5"]),
        wish("skip", &["-"]),
        wish("help", &["H"]),
        wish("back", &["delete"]),
        wish("quit", &["Q"]),
    ];
    let mut session = Session::sandbox();
    session.state.set_keys(keys::remap(&wishes).unwrap());
    let area = Rect::new(0, 0, 80, 24);
    let screen = |state: &State| text_dump(&render(state, &dark(), area.as_size()));

    let before = screen(&session.state);
    assert!(before.contains("F5/b/c/d answer"), "{before}");
    assert!(before.contains("H keys") && before.contains("Q quit"), "{before}");
    assert_eq!(intent(KeyCode::Char('a'), &session.state), None);
    assert_eq!(intent(KeyCode::Char('q'), &session.state), None);
    assert_eq!(intent(KeyCode::F(5), &session.state), Some(Intent::Choose(0)));
    let ctrl_c = KeyEvent::new(KeyCode::Char('c'), KeyModifiers::CONTROL);
    assert_eq!(keys::intent(ctrl_c, &session.state, area), Some(Intent::Quit));

    session.intent(Intent::Skip);
    let answered = screen(&session.state);
    assert!(answered.contains(" % ask STS"), "{answered}");
    assert_eq!(intent(KeyCode::Char('%'), &session.state), Some(Intent::Advance));
    assert_eq!(intent(KeyCode::Char(' '), &session.state), None);

    session.intent(Intent::TogglePage(Page::Help));
    let help = screen(&session.state);
    assert!(help.contains("% enter ") && help.contains("delete closes"), "{help}");
    assert_eq!(intent(KeyCode::Delete, &session.state), Some(Intent::Close));
}

#[test]
fn the_help_names_every_key() {
    let help: Vec<(String, &str)> = keys::help(&Keymap::default()).collect();
    // A search and the dialogs for consent, for votes and for going on tell their own keys, the stage list has its numbers,
    // and the billboard's key is named once.
    let told: Vec<_> = KEYS.iter().filter(|row| !row.help.is_empty()).collect();
    assert_eq!((help.len(), told.len()), (told.len(), KEYS.len() - 6));
    for (row, (names, sentence)) in told.into_iter().zip(&help) {
        assert!(!sentence.is_empty());
        for chord in row.bindings.iter().flat_map(|binding| binding.chords) {
            assert!(names.split(' ').any(|name| name == chord.name()), "{} is not in the help", chord.name());
        }
    }
}

#[test]
fn the_footer_shows_keys_that_work_and_how_to_leave() {
    for (name, state) in every_state() {
        for (width, height) in SIZES {
            let area = Rect::new(0, 0, width, height);
            let footer = keys::footer(state, area, width.into(), |hint| hint.keys.len() + hint.label.len() + 3);
            for hint in &footer {
                let keys = if hint.keys == "/" { vec!["/"] } else { hint.keys.split('/').collect() };
                for key in keys {
                    let code = match key {
                        "enter" => KeyCode::Enter,
                        "esc" => KeyCode::Esc,
                        "tab" => KeyCode::Tab,
                        key => KeyCode::Char(key.chars().next().unwrap()),
                    };
                    let intent = keys::intent(press(code), state, area);
                    assert!(intent.is_some(), "{key} is in the footer and does nothing: {name}");
                }
            }
            // On a blank screen stray keys do nothing.
            if width >= 60 && !state.is_blank() {
                assert!(footer.iter().any(|hint| hint.keys == "q"), "{name}: no way out in {footer:?}");
            }
        }
    }
}

/// What the footer says is an action of the lesson or a word that each language has.
#[test]
fn every_label_can_be_said_in_another_language() {
    for (name, state) in every_state() {
        let area = Rect::new(0, 0, 80, 24);
        let screen = Fit::new(state, area);
        let works = |row: &&keys::Row| row.bindings.iter().any(|it| screen.works(it) == Permit::Yes);
        for row in KEYS.iter().filter(|row| row.rank != keys::NEVER).filter(works) {
            let label = row.label.text(state, area);
            let is_action = Stage::ALL.iter().any(|stage| state.text(*stage).action == label);
            assert!(is_action || interface::ALL.contains(&label), "{label:?}: {name}");
        }
    }
}

/// What a key in the footer promises, happens: the state changes, or the world has something to do.
#[test]
fn every_key_that_works_does_something() {
    for (name, state) in every_state() {
        let screen = Fit::new(state, Rect::new(0, 0, 80, 24));
        // What is refused once more is said already.
        let mut before = state.clone();
        before.say(None);
        for binding in KEYS.iter().flat_map(|row| row.bindings) {
            if let Some(intent) = screen.intent(binding).filter(|intent| state.permit(*intent) != Permit::No) {
                let mut after = before.clone();
                let effects = after.update(Event::Intent(intent));
                let changed = after != before || !effects.is_empty();
                assert!(changed, "{} does nothing: {name}", binding.chords[0].name());
            }
        }
    }
}

#[rstest]
#[case(KeyCode::Enter)]
#[case(KeyCode::Char(' '))]
#[case(KeyCode::Char('r'))]
fn while_a_call_runs_nothing_is_started_twice(#[case] code: KeyCode) {
    let mut session = Session::sandbox().before(Stage::ViewDenied);
    session.intent(Intent::Advance);
    assert_eq!(session.state.shown().status, Status::Running);
    assert_eq!(intent(code, &session.state), None);
    let footer = keys::hints(&session.state, Rect::new(0, 0, 80, 24));
    assert!(!footer.iter().any(|hint| ["enter", "r"].contains(&hint.keys.as_str())), "{footer:?}");
}

#[test]
fn looking_back_never_sends() {
    let mut session = Session::sandbox().after(Stage::ViewDenied);
    for code in [KeyCode::Left, KeyCode::Char('p'), KeyCode::PageUp, KeyCode::PageDown, KeyCode::Char('n')] {
        let intent = intent(code, &session.state).unwrap();
        let effects = session.state.update(Event::Intent(intent));
        assert!(!effects.iter().any(|effect| matches!(effect, Effect::Call { .. })));
    }
    assert_eq!(session.state.view().shown, Stage::CreateUser);
}

#[test]
fn a_new_stage_has_the_focus_on_its_calls() {
    let mut session = Session::sandbox().after(Stage::ViewDenied);
    assert_eq!(session.state.view().focus(), Identity::TestUser, "who was denied");
    session.intent(Intent::ToggleZoom).intent(Intent::Advance);
    assert_eq!((session.state.view().shown, session.state.view().focus()), (Stage::Grant, Identity::Admin));
    session.intent(Intent::Advance).answer_all();
    session.intent(Intent::CycleView);
    assert!(intent(KeyCode::Char('j'), &session.state).is_some(), "the new policy scrolls");
    // Where both have calls the focus stays.
    session.intent(Intent::FocusOther).intent(Intent::Advance);
    assert_eq!((session.state.view().shown, session.state.view().focus()), (Stage::ViewAgain, Identity::TestUser));
}

#[test]
fn scrolling_stops_at_the_last_line() {
    let mut session = Session::sandbox().after(Stage::ViewDenied);
    // JSON is longer than the pane.
    session.intent(Intent::CycleView);
    let Some(Intent::ScrollTo(end)) = intent(KeyCode::Char('G'), &session.state) else { panic!("G does not scroll") };
    session.intent(Intent::ScrollTo(end));
    assert_eq!(session.state.view().scroll(Identity::TestUser), end);
    assert_eq!(intent(KeyCode::Char('j'), &session.state), None, "there is nothing below");
    assert_eq!(intent(KeyCode::Char('k'), &session.state), Some(Intent::ScrollTo(end - 1)));
    assert_eq!(intent(KeyCode::Char('g'), &session.state), Some(Intent::ScrollTo(0)));
    // On a larger screen everything is visible: the position means nothing there, and nothing scrolls.
    assert_eq!(keys::intent(press(KeyCode::Char('k')), &session.state, Rect::new(0, 0, 200, 90)), None);
}

#[test]
fn only_presses_count_and_only_scrolling_repeats() {
    let mut session = Session::sandbox().after(Stage::ViewDenied);
    session.intent(Intent::CycleView);
    let area = Rect::new(0, 0, 80, 24);
    let of_kind = |code, kind| KeyEvent::new_with_kind(code, KeyModifiers::NONE, kind);
    let get = |code, kind| keys::intent(of_kind(code, kind), &session.state, area);
    assert!(get(KeyCode::Char('j'), KeyEventKind::Repeat).is_some());
    assert!(get(KeyCode::Enter, KeyEventKind::Press).is_some());
    assert!(get(KeyCode::Enter, KeyEventKind::Repeat).is_none());
    assert!(get(KeyCode::Char('q'), KeyEventKind::Release).is_none());
}

#[test]
fn escape_goes_one_level_back_and_never_leaves() {
    let mut session = Session::aws().after(Stage::ViewDenied);
    assert_eq!(intent(KeyCode::Esc, &session.state), None);
    session.intent(Intent::ToggleZoom).intent(Intent::TogglePage(Page::Help));
    assert_eq!(intent(KeyCode::Esc, &session.state), Some(Intent::Close));
    session.intent(Intent::Close);
    assert_eq!(intent(KeyCode::Esc, &session.state), Some(Intent::ToggleZoom));
    session.intent(Intent::ToggleZoom).intent(Intent::Quit);
    assert_eq!(session.state.view().overlay, Some(Overlay::Quit));
    assert_eq!(intent(KeyCode::Esc, &session.state), Some(Intent::Close));
}

#[test]
fn leaving_asks_where_something_stays() {
    let mut session = Session::aws().after(Stage::ViewDenied);
    assert_eq!(intent(KeyCode::Char('c'), &session.state), None);
    let ctrl_c = KeyEvent::new(KeyCode::Char('c'), KeyModifiers::CONTROL);
    for area in [Rect::new(0, 0, 80, 24), Rect::new(0, 0, 5, 2)] {
        assert_eq!(keys::intent(ctrl_c, &session.state, area), Some(Intent::Quit));
    }
    session.intent(Intent::Quit);
    assert_eq!(intent(KeyCode::Char('c'), &session.state), Some(Intent::CleanUpAndQuit));
    assert_eq!(keys::intent(ctrl_c, &session.state, Rect::new(0, 0, 80, 24)), Some(Intent::Quit));
    assert_eq!(intent(KeyCode::Enter, &session.state), None, "a habit must not decide");
}

#[test]
fn shift_is_part_of_a_character_and_alt_is_another_key() {
    let session = Session::sandbox();
    let area = Rect::new(0, 0, 80, 24);
    let with = |code, modifiers| keys::intent(KeyEvent::new(code, modifiers), &session.state, area);
    assert_eq!(with(KeyCode::Char('?'), KeyModifiers::SHIFT), Some(Intent::TogglePage(Page::Help)));
    assert_eq!(with(KeyCode::BackTab, KeyModifiers::SHIFT), Some(Intent::FocusOther));
    assert_eq!(with(KeyCode::Char('q'), KeyModifiers::ALT), None);
}

/// A key that means something, but not now, says why; a lab that shows nothing looks as if it hung.
#[test]
fn no_key_of_the_lab_is_silent() {
    let first = "answer first, or press s to skip";
    let open = || Session::sandbox();
    let skipped = || {
        let mut session = Session::sandbox();
        session.intent(Intent::Skip);
        session
    };
    let at_the_end = || Session::sandbox().after(Stage::CleanUp);
    type Case = (fn() -> Session, KeyCode, &'static str);
    let cases: [Case; 16] = [
        (open, KeyCode::Enter, first),
        (open, KeyCode::Char(' '), first),
        (open, KeyCode::Char('n'), first),
        (open, KeyCode::Char('w'), "nothing to explain yet: answer first"),
        (skipped, KeyCode::Char('n'), "finish this stage first: enter sends its calls"),
        (skipped, KeyCode::Char('w'), "nothing to explain yet: enter sends the call"),
        (skipped, KeyCode::Char('v'), "nothing to show yet: enter sends the call"),
        (skipped, KeyCode::Char('y'), "nothing to copy yet: enter sends the call"),
        (skipped, KeyCode::Char('Y'), "nothing to copy yet: enter sends the call"),
        (skipped, KeyCode::Char('o'), "nothing to compare in this stage"),
        (skipped, KeyCode::Char('u'), "nothing to undo: everything is as the lab left it"),
        (skipped, KeyCode::Char('x'), "the experiments come after stage 8"),
        (at_the_end, KeyCode::Char('x'), "no more experiments: clean-up removed what they would break"),
        (at_the_end, KeyCode::Char('n'), "this is the last stage"),
        (at_the_end, KeyCode::Char('u'), "nothing to undo"),
        (
            || Session::sandbox().at_the_experiments(kmslab::lab::Experiment::ALL[13]),
            KeyCode::Char('n'),
            "the last experiment",
        ),
    ];
    for (session, code, said) in cases {
        let mut session = session();
        let pressed = intent(code, &session.state).unwrap_or_else(|| panic!("{code} does nothing"));
        let before = session.state.clone();
        session.event(Event::Intent(pressed));
        let text = screen(&session.state, 80, 24);
        let message = text.lines().nth(22).unwrap();
        assert!(message.contains(said), "{code}: {message}");
        // And does nothing else.
        let mut after = session.state.clone();
        after.say(before.view().message.clone());
        assert_eq!(after, before, "{code}");
    }
}

fn screen(state: &State, width: u16, height: u16) -> String {
    text_dump(&render(state, &dark(), ratatui::layout::Size::new(width, height)))
}

/// What explains comes before what only goes somewhere.
#[test]
fn the_footer_has_what_explains() {
    let footer = |state: &State, width, height| screen(state, width, height).lines().last().unwrap().to_owned();
    for stage in Stage::ALL {
        let mut session = Session::sandbox().after(stage);
        let text = footer(&session.state, 80, 24);
        for key in ["w why", "? keys", "q quit"] {
            assert!(text.contains(key), "{key} is not in the footer of {stage:?}: {text}");
        }
        // Explanations have no room on the smallest screen: they are on a page, and it says on which.
        let text = footer(&session.state, 60, 18);
        for key in ["i explains", "w why", "tab pane", "q quit"] {
            assert!(text.contains(key), "{key} is not in the footer of {stage:?}: {text}");
        }
        session.intent(Intent::CycleView);
        let text = footer(&session.state, 60, 18);
        assert!(text.contains("v view"), "the way back to the summary is not in the footer of {stage:?}: {text}");
    }
}

#[test]
fn the_help_has_headings_and_says_what_met_means() {
    let mut session = Session::sandbox();
    session.intent(Intent::TogglePage(Page::Help));
    let text = screen(&session.state, 80, 120);
    let row = |words: &str| {
        let found = text.lines().position(|line| line.trim_matches(['│', ' ', '█', '║', '▲', '▼']) == words);
        found.unwrap_or_else(|| panic!("{words:?} is not in the help:\n{text}"))
    };
    let headings = ["learn", "look", "teach", "go", "signs"].map(row);
    assert!(headings.is_sorted(), "{text}");
    assert!(text.contains("✔ ALLOWED"), "{text}");
    // Each row once, under one of them.
    let told: usize = keys::grouped(&Keymap::default()).iter().map(|(_, rows)| rows.len()).sum();
    assert_eq!(told, keys::help(&Keymap::default()).count());
}

#[test]
fn a_number_chooses_in_both_lists() {
    for (open, name) in [(Intent::ToggleStages, "stages"), (Intent::ToggleExperiments, "experiments")] {
        let mut session = Session::sandbox().after(Stage::ViewAgain);
        session.intent(open);
        let key = KeyEvent::from(KeyCode::Char('4'));
        let intent = keys::intent(key, &session.state, Rect::new(0, 0, 100, 28)).unwrap();
        session.intent(intent);
        assert_eq!(session.state.cursor().unwrap().0, 3, "{name}");
    }
}
