//! What a class and its presenter see: votes, the time, a blank screen, the stage list ahead, the second screen.

use std::sync::Arc;

use crossterm::event::KeyCode;
use kmslab::lab::lesson::{Files, Lesson};
use kmslab::lab::line::{Line, VERSION};
use kmslab::lab::remote::{KeyAnswer, KeyOutcome};
use kmslab::lab::snapshot::{Closing, Progress};
use kmslab::lab::{
    Event, Experiment, Intent, Overlay, PresenterAction, PresenterSnapshot, Stage, State, Status, Timing,
};
use kmslab::ui::key_cast::{KeyCast, Playing};
use kmslab::ui::keys::Wanted;
use kmslab::ui::notes::{self, Notes};
use kmslab::ui::{ColorLevel, Theme, ThemeName, keys, render, render_with};
use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect, Size};

use super::album::{Album, album, assert_album, assert_picture, sized};
use super::{SIZES, dark};
use crate::support::lab::{Session, every_state, styled_dump, text_dump};

/// `a 12 b 3`
fn vote(session: &mut Session, votes: [u16; 4]) {
    session.intent(Intent::Present(PresenterAction::Tally));
    for (place, votes) in (0..).zip(votes) {
        session.intent(Intent::Present(PresenterAction::Letter(place)));
        for digit in votes.to_string().bytes() {
            session.intent(Intent::Present(PresenterAction::Digit(digit - b'0')));
        }
    }
}

/// A session before `stage`, with these hands counted for its question.
pub fn voted(stage: Stage, votes: [u16; 4]) -> Session {
    let mut session = Session::sandbox().before(stage);
    vote(&mut session, votes);
    session.intent(Intent::Present(PresenterAction::TakeHands));
    session
}

#[test]
fn votes_stand_beside_the_answers() {
    let mut typing = Session::sandbox().before(Stage::ViewDenied);
    vote(&mut typing, [12, 3, 0, 17]);
    let before = voted(Stage::ViewDenied, [12, 3, 0, 17]);
    let mut after = voted(Stage::ViewDenied, [12, 3, 0, 17]);
    after.intent(Intent::Advance).answer_all();
    let mut seen = voted(Stage::ViewDenied, [12, 3, 0, 17]);
    seen.intent(Intent::Advance).answer_all().intent(Intent::Present(PresenterAction::Tally));
    let mut debrief = voted(Stage::CleanUp, [999, 3, 0, 17]);
    debrief.intent(Intent::Advance).answer_all().intent(Intent::Advance);
    let small = Size::new(60, 18);
    assert_album(
        "votes",
        album([
            ("typing".to_owned(), &typing.state, SIZES[0]),
            ("typing, small".to_owned(), &typing.state, small),
            ("before".to_owned(), &before.state, SIZES[0]),
            ("before, small".to_owned(), &before.state, small),
            ("after".to_owned(), &after.state, SIZES[0]),
            ("after, small".to_owned(), &after.state, small),
            ("after, large".to_owned(), &after.state, SIZES[2]),
            ("looked at again".to_owned(), &seen.state, SIZES[0]),
            ("debrief".to_owned(), &debrief.state, SIZES[0]),
        ]),
    );
}

#[test]
fn the_time_stands_on_the_message_line_whatever_else_is_said() {
    let timed = |seconds: u64| {
        let mut session = Session::sandbox();
        session.event(Event::Clock(60));
        session.intent(Intent::Advance).answer_all().intent(Intent::Advance);
        session.intent(Intent::Present(PresenterAction::Timer));
        session.event(Event::Clock(seconds));
        session
    };
    let mut saying = timed(470);
    saying.event(Event::Say("a line that is so long that it has no room beside the time, not even the short".into()));
    let screens = [("in time", timed(65).state), ("behind", timed(470).state), ("with a message", saying.state)];
    for (name, state) in &screens {
        let text = text_dump(&render(state, &dark(), SIZES[0]));
        let message = text.lines().nth(22).unwrap();
        let drift = if *name == "in time" { "on time" } else { "+4:50 behind" };
        assert!(message.contains(drift), "{name}: {message}");
    }
    assert_album(
        "timer",
        screens
            .iter()
            .map(|(name, state)| {
                let texts = [SIZES[0], SIZES[2]].map(|size| {
                    let text = text_dump(&render(state, &dark(), size));
                    text.lines().rev().nth(1).unwrap().to_owned() + "\n"
                });
                ((*name).to_owned(), texts.concat())
            })
            .collect(),
    );
}

#[test]
fn the_time_at_the_end_has_its_labels_at_any_width() {
    let mut session = Session::sandbox().after(Stage::CleanUp);
    session.intent(Intent::Present(PresenterAction::Timer));
    session.event(Event::Clock(130));
    let lines = [(60, 18), (80, 24), (100, 30), (160, 45)].map(|(columns, rows)| {
        let text = text_dump(&render(&session.state, &dark(), Size::new(columns, rows)));
        let line = text.lines().rev().nth(1).unwrap().to_owned();
        for part in ["9 of 9 stages met", "stage 9/9 02:10", "ahead"] {
            assert!(line.contains(part), "{columns}: {part} is not in {line}");
        }
        line + "\n"
    });
    assert_picture("timer_at_the_end", &lines.concat());
}

/// Of the dialog's keys those that nobody knows.
#[test]
fn what_is_typed_and_is_no_vote_is_told() {
    let area = Rect::from((Position::ORIGIN, SIZES[0]));
    let mut session = Session::sandbox().before(Stage::ViewDenied);
    session.intent(Intent::Present(PresenterAction::Tally));
    let mut screens = Vec::new();
    for (typed, told) in [
        ("b3 e 4", "Ignored: e, which is not an answer, and what follows it."),
        ("c 100000", "Ignored: c has more than 999."),
        ("d 9 9", "Ignored: an answer's letter must come before its number."),
    ] {
        for c in typed.chars() {
            let intent = keys::intent(KeyCode::Char(c).into(), &session.state, area);
            if let Some(intent) = intent {
                session.intent(intent);
            }
        }
        let text = text_dump(&render(&session.state, &dark(), SIZES[0]));
        assert!(text.contains(told), "{typed}: {text}");
        screens.push((typed.to_owned(), session.state.clone()));
    }
    let hands = session.state.entry().hands;
    assert_eq!([0, 1, 2, 3].map(|place| hands.get(place)), [None, Some(3), None, Some(9)]);
    session.intent(Intent::Present(PresenterAction::TakeHands));
    screens.push(("enter".to_owned(), session.state.clone()));
    assert_album("votes_not_taken", album(screens.iter().map(|(name, state)| (name.clone(), state, SIZES[0]))));
}

#[test]
fn a_clicker_leads_through_the_list_of_experiments() {
    let area = Rect::from((Position::ORIGIN, SIZES[0]));
    let mut session = Session::sandbox().after(Stage::ViewAgain);
    session.intent(Intent::ToggleExperiments);
    let press = |session: &mut Session, code: KeyCode| {
        let intent = keys::intent(code.into(), &session.state, area);
        session.intent(intent.unwrap());
    };
    press(&mut session, KeyCode::PageUp);
    assert_eq!(
        (session.state.view().overlay, session.state.view().experiment),
        (None, None),
        "untried: back to the stage"
    );
    session.intent(Intent::ToggleExperiments);
    press(&mut session, KeyCode::PageDown);
    assert_eq!(session.state.view().experiment, Some(Experiment::ALL[0]));
    session.intent(Intent::Skip).intent(Intent::Advance).answer_all();
    session.intent(Intent::Close);
    press(&mut session, KeyCode::PageUp);
    assert_eq!((session.state.view().overlay, session.state.view().experiment), (None, Some(Experiment::ALL[0])));
    session.intent(Intent::Close);
    press(&mut session, KeyCode::PageDown);
    assert_eq!(
        (session.state.view().overlay, session.state.view().experiment),
        (None, None),
        "tried: on with the stage"
    );
}

/// A clicker's start button sends F5 and Esc in turn.
#[test]
fn a_clickers_third_button_leads_to_the_experiments() {
    let area = Rect::from((Position::ORIGIN, SIZES[0]));
    let mut session = Session::sandbox().after(Stage::ViewDenied);
    let intent = |session: &Session, code: KeyCode| keys::intent(code.into(), &session.state, area);
    assert_eq!(intent(&session, KeyCode::F(5)), None, "a habit from slides causes no complaint");
    session = Session::sandbox().after(Stage::ViewAgain);
    let press = |session: &mut Session, code: KeyCode| {
        let intent = intent(session, code).unwrap_or_else(|| panic!("{code} does nothing"));
        session.intent(intent).answer_all();
    };
    press(&mut session, KeyCode::F(5));
    press(&mut session, KeyCode::Esc);
    assert_eq!(session.state.view().overlay, None);
    press(&mut session, KeyCode::F(5));
    // Take it, say that a question is open, pass over it.
    (0..3).for_each(|_| press(&mut session, KeyCode::PageDown));
    let first = Experiment::ALL[0];
    assert_eq!(session.state.view().experiment, Some(first));
    assert!(matches!(session.state.trial(first).status, Status::Done(_)));
    press(&mut session, KeyCode::F(5));
    assert_eq!((session.state.view().overlay, session.state.view().experiment), (None, None), "back at the stage");
    press(&mut session, KeyCode::PageDown);
    assert_eq!(session.state.view().shown, Stage::CleanUp, "the two buttons pass it by");
}

#[test]
fn a_paused_play_says_what_it_waits_for() {
    let state = Session::sandbox().before(Stage::ViewDenied).state;
    let mut shown = Album::new();
    for (columns, rows) in [(60, 18), (80, 24)] {
        for playing in [Playing::On, Playing::Waits, Playing::Ended] {
            let key_cast = KeyCast { playing: Some(playing), ..KeyCast::default() };
            let size = Size::new(columns, rows);
            let text = text_dump(&render_with(&state, &dark(), &key_cast, size));
            let lines: Vec<&str> = text.lines().collect();
            let message = lines[lines.len() - 2];
            assert_eq!(lines[0].contains(" PLAY "), playing != Playing::Ended, "{text}");
            assert_eq!(
                (message.contains("playing: ") && message.contains("PgDn")),
                playing == Playing::Waits,
                "{text}"
            );
            assert_eq!(message.contains("playback has ended"), playing == Playing::Ended, "{text}");
            shown.push((format!("{playing:?} {columns}"), format!("{}\n{message}\n", lines[0])));
            assert_eq!(render_with(&state, &dark(), &key_cast.recorded(), size), render(&state, &dark(), size));
        }
    }
    assert_album("play", shown);

    let mut state = state;
    state.update(Event::Intent(Intent::AskToQuit));
    let key_cast = KeyCast { playing: Some(Playing::Ended), ..KeyCast::default() };
    let text = text_dump(&render_with(&state, &dark(), &key_cast, Size::new(80, 24)));
    assert!(text.contains("press q again to leave") && !text.contains("playback has ended"), "{text}");
}

#[test]
fn a_blank_screen_shows_nothing_but_the_way_back() {
    let mut session = Session::sandbox().after(Stage::ViewDenied);
    session.intent(Intent::Present(PresenterAction::Blank));
    for (width, height) in [(80, 24), (200, 50), (34, 5)] {
        let picture = render(&session.state, &dark(), Size::new(width, height));
        assert_eq!(text_dump(&picture).trim(), "b / . shows the lab again");
    }
    assert_picture("blank", &styled_dump(&render(&session.state, &dark(), SIZES[0])));
}

#[test]
fn a_later_stage_can_be_chosen_and_restarting_asks() {
    let mut ahead = Session::sandbox().after(Stage::CreateKey);
    ahead.intent(Intent::ToggleStages).intent(Intent::MoveCursor(4));
    let mut again = Session::sandbox().after(Stage::CreateUser);
    again.intent(Intent::Present(PresenterAction::AskToStartOver));
    let mut aws = Session::aws().after(Stage::CreateUser);
    aws.intent(Intent::Present(PresenterAction::AskToStartOver));
    let mut on_the_way = Session::sandbox().after(Stage::CreateKey);
    on_the_way.event(Event::Intent(Intent::ToggleStages));
    on_the_way.event(Event::Intent(Intent::MoveCursor(4)));
    on_the_way.event(Event::Intent(Intent::Advance));
    assert_album(
        "ahead_and_again",
        album([
            ("ahead".to_owned(), &ahead.state, SIZES[0]),
            ("on the way".to_owned(), &on_the_way.state, SIZES[0]),
            ("begin again, sandbox".to_owned(), &again.state, SIZES[0]),
            ("begin again, AWS".to_owned(), &aws.state, SIZES[0]),
            ("begin again, AWS, small".to_owned(), &aws.state, Size::new(60, 18)),
        ]),
    );
}

fn told(state: &State) -> Line {
    Line {
        version: VERSION,
        process: 4711,
        at: 1_000_000,
        timing: Timing::of(state),
        closed: None,
        teacher: None,
        lab: PresenterSnapshot::of(state),
        key: None,
    }
}

#[test]
fn the_notes_show_the_address_of_the_teachers_page() {
    let address = "http://192.168.1.23:4180/23456789ABCDEFGHJKLMNPQRST";
    let told = Line { teacher: Some(address.to_owned()), ..told(&Session::sandbox().state) };
    let mut notes = Notes::default();
    notes.hear(told, 0);
    let shown = text_dump(&picture(&notes, Size::new(100, 90)));
    assert!(shown.contains(address) && shown.contains("████ ▄▄▄▄▄ █"), "{shown}");
    notes.lost = Some(0);
    let shown = text_dump(&picture(&notes, Size::new(100, 90)));
    assert!(!shown.contains(address), "it ends with the lab: {shown}");
}

fn picture(notes: &Notes, size: Size) -> Buffer {
    let area = Rect::from((Position::ORIGIN, size));
    let mut buffer = Buffer::empty(area);
    notes::draw(notes, &dark(), area, &mut buffer);
    buffer
}

#[test]
fn the_second_screen_has_all_that_a_presenter_needs() {
    let mut before = voted(Stage::ViewDenied, [12, 3, 0, 17]);
    before.event(Event::Clock(700));
    let mut after = Session::sandbox().after(Stage::ViewDenied);
    after.event(Event::Clock(1_900));
    let mut back = Session::sandbox().after(Stage::ViewDenied);
    back.intent(Intent::ShowPrevious).intent(Intent::Present(PresenterAction::Blank));
    let hearing = |state: &State, others: usize| {
        let mut notes = Notes { now: 1_005_000, ..Notes::default() };
        notes.hear(told(state), others);
        notes
    };
    let mut scrolled = hearing(&before.state, 0);
    scrolled.scroll = u16::MAX;
    let mut nobody = Notes { looked_in: vec!["/run/user/1000/kmslab".into()], ..Notes::default() };
    let waiting = nobody.clone();
    nobody.lose(Some("the lab speaks version 2".into()));
    let small = Size::new(60, 18);
    let mut dead = hearing(&after.state, 0);
    dead.sends("PgDn".into());
    dead.lose(Some("The lab that runs here does not answer.".into()));
    dead.now += 42_000;
    let mut closed = hearing(&after.state, 0);
    closed.hear(Line { closed: Some(Closing::of(&after.state)), ..told(&after.state) }, 0);
    for _ in 0..3 {
        closed.lose(None);
    }
    closed.now += 42_000;
    let mut refused = hearing(&before.state, 0);
    let number = refused.sends("X".into()).unwrap();
    refused.hear(Line { key: Some(KeyAnswer { number, outcome: KeyOutcome::OnlyInLab }), ..told(&before.state) }, 0);
    let screens = [
        ("the lab died", dead, SIZES[0]),
        ("the lab was left", closed, SIZES[0]),
        ("a key that is refused", refused, SIZES[0]),
        ("before", hearing(&before.state, 0), SIZES[0]),
        ("after, of two labs", hearing(&after.state, 1), SIZES[0]),
        ("looking back, blank", hearing(&back.state, 0), SIZES[0]),
        ("small, at its end", scrolled.clone(), small),
        ("smaller", scrolled, Size::new(30, 6)),
        ("large", hearing(&after.state, 0), SIZES[2]),
        ("no lab", waiting, SIZES[0]),
        ("another version", nobody, SIZES[0]),
    ];
    // The time goes on by itself: five seconds after the line.
    let text = text_dump(&picture(&screens[2].1, SIZES[0]));
    assert!(text.contains("stage 6/9 11:45 of 04:00 (2:15 ahead)"), "{text}");
    assert_album(
        "notes",
        screens.iter().map(|(name, notes, size)| (sized(name, *size), styled_dump(&picture(notes, *size)))).collect(),
    );
}

/// What a class sees with a German lesson, and what its presenter does.
#[test]
fn a_german_lesson_has_german_words_around_it() {
    let lesson = Arc::new(Lesson::parse(&Files::embedded(), "de").unwrap());
    let german = |session: Session| session.state.with_lesson(lesson.clone());
    let mut typing = Session::sandbox().before(Stage::ViewDenied);
    vote(&mut typing, [12, 3, 0, 17]);
    let mut sending = Session::sandbox().before(Stage::ViewDenied);
    sending.event(Event::Intent(Intent::Skip));
    sending.event(Event::Intent(Intent::Advance));
    let mut after = voted(Stage::ViewDenied, [12, 3, 0, 17]);
    after.intent(Intent::Advance).answer_all();
    let mut timed = Session::sandbox().after(Stage::ViewAgain);
    timed.intent(Intent::Present(PresenterAction::Timer));
    timed.event(Event::Clock(4_000));
    let before = german(Session::sandbox().before(Stage::ViewDenied));
    // What is said is said in the language that is spoken then.
    let mut clicked = german(Session::sandbox());
    clicked.update(Event::Intent(Intent::Present(PresenterAction::Next)));
    let mut on_the_way = german(Session::sandbox());
    for intent in [Intent::ToggleStages, Intent::MoveCursor(5), Intent::Advance] {
        on_the_way.update(Event::Intent(intent));
    }
    let (middle, small) = (Size::new(100, 28), Size::new(60, 18));
    let screens = [
        ("before", before.clone(), middle),
        ("before, small", before, small),
        ("voting", german(typing), SIZES[0]),
        ("under way", german(sending), SIZES[0]),
        ("after", german(after), middle),
        ("key policy", german(Session::reviewing()), SIZES[0]),
        ("again, with the time", german(timed), SIZES[0]),
        ("a clicker at a question", clicked, SIZES[0]),
        ("on the way", on_the_way, SIZES[0]),
        ("the end", german(Session::sandbox().after(Stage::CleanUp)), SIZES[0]),
    ];
    let mut album = Album::new();
    for (name, state, size) in &screens {
        album.push((sized(name, *size), text_dump(&render(state, &dark(), *size))));
    }
    for ((name, state, _), size) in [&screens[0], &screens[4], &screens[5]].into_iter().zip([SIZES[0], small, SIZES[0]])
    {
        let mut notes = Notes { now: 1_005_000, ..Notes::default() };
        // As it comes out of the socket.
        notes.hear(Line::parse(&serde_json::to_string(&told(state)).unwrap()).unwrap(), 1);
        let text = text_dump(&picture(&notes, size));
        album.push((sized(&format!("notes: {name}"), size), text));
    }
    assert_album("german", album);
}

/// Whoever has another key for enter reads that one, in an older lab's notes enter.
#[test]
fn notes_name_the_key_that_the_person_has() {
    let mut state = Session::sandbox().state;
    state.update(Event::Intent(Intent::Skip));
    let wish =
        Wanted { action: "advance".to_owned(), line: 0, keys: vec![("%".to_owned(), 0), ("enter".to_owned(), 0)] };
    let noted = |line: &str| {
        let mut notes = Notes { now: 1_005_000, ..Notes::default() };
        notes.hear(Line::parse(line).unwrap(), 1);
        text_dump(&picture(&notes, SIZES[0]))
    };
    let line = |state: &State| serde_json::to_string(&told(state)).unwrap();
    let usual = noted(&line(&state));
    assert!(usual.contains("● enter: ask STS"), "{usual}");
    state.set_keys(keys::remap(&[wish]).unwrap());
    let own = line(&state);
    assert!(noted(&own).contains("● %: ask STS"), "{}", noted(&own));
    let older = own.replacen("\"key\":\"%\",", "", 1);
    assert_ne!(older, own);
    assert_eq!(noted(&older), usual);
}

#[test]
fn a_short_gap_does_not_empty_the_second_screen() {
    let mut notes = Notes::default();
    notes.hear(told(&Session::sandbox().state), 0);
    notes.lose(None);
    notes.lose(None);
    assert!(notes.line.is_some());
    notes.lose(None);
    assert!(notes.line.is_some(), "a lab that is gone leaves its last page");
}

/// `b` is an answer while a question is open; `.` and `B` are not.
#[test]
fn b_answers_before_it_blanks() {
    let area = Rect::new(0, 0, 80, 24);
    let press = |code, state: &State| keys::intent(crossterm::event::KeyEvent::from(code), state, area);
    let open = Session::sandbox().state;
    let ended = Session::sandbox().after(Stage::Who).state;
    let blank = Some(Intent::Present(PresenterAction::Blank));
    assert_eq!(press(KeyCode::Char('b'), &open), Some(Intent::Choose(1)));
    for (code, state) in [('b', &ended), ('.', &open), ('.', &ended)] {
        assert_eq!(press(KeyCode::Char(code), state), blank, "{code}");
    }
    let mut blanked = open.clone();
    blanked.update(Event::Intent(Intent::Present(PresenterAction::Blank)));
    for code in [KeyCode::Enter, KeyCode::Char('a'), KeyCode::PageDown, KeyCode::F(5)] {
        assert_eq!(press(code, &blanked), None, "{code:?}");
    }
    for code in [KeyCode::PageDown, KeyCode::Right] {
        assert_eq!(press(code, &open), Some(Intent::Present(PresenterAction::Next)));
    }
    assert_eq!(press(KeyCode::F(5), &open), None, "nothing harmful");
    // A page turns.
    let mut page = ended;
    page.update(Event::Intent(Intent::TogglePage(kmslab::lab::Page::Help)));
    assert!(matches!(press(KeyCode::PageDown, &page), Some(Intent::ScrollTo(1..))));
}

/// Whatever is open: a dialog may show what a class is not to see, an account, say.
#[test]
fn every_screen_can_be_blanked_and_nothing_works_behind_it() {
    let area = Rect::new(0, 0, 80, 24);
    let press = |code, state: &State| keys::intent(crossterm::event::KeyEvent::from(code), state, area);
    let blank = Some(Intent::Present(PresenterAction::Blank));
    let ways_back = [KeyCode::Char('b'), KeyCode::Char('.'), KeyCode::Esc];
    let named = [KeyCode::Enter, KeyCode::Tab, KeyCode::Backspace, KeyCode::PageDown, KeyCode::PageUp, KeyCode::Down];
    let others = || (' '..='~').map(KeyCode::Char).chain(named);
    for (name, state) in every_state().iter().filter(|(_, state)| !state.is_blank()) {
        assert_eq!(press(KeyCode::Char('.'), state), blank, "{name}");
        let mut blanked = state.clone();
        blanked.update(Event::Intent(Intent::Present(PresenterAction::Blank)));
        assert_eq!(text_dump(&render(&blanked, &dark(), SIZES[0])).trim(), "b / . shows the lab again", "{name}");
        for code in others().filter(|code| !ways_back.contains(code) && *code != KeyCode::Char('q')) {
            assert_eq!(press(code, &blanked), None, "{name}: {code:?}");
        }
        for code in ways_back {
            let mut back = blanked.clone();
            back.update(Event::Intent(press(code, &blanked).unwrap()));
            assert_eq!(back, *state, "{name}: {code:?}");
        }
    }
}

/// In the stage list a number chooses a stage, and only one that can be chosen.
#[test]
fn the_stage_list_takes_numbers() {
    let area = Rect::new(0, 0, 80, 24);
    let press = |c: char, state: &State| keys::intent(KeyCode::Char(c).into(), state, area);
    let mut list = Session::sandbox().after(Stage::CreateKey);
    list.intent(Intent::ToggleStages);
    assert_eq!(press('2', &list.state), None, "it is there");
    assert_eq!(press('0', &list.state), None);
    for number in ['7', '1', '9'] {
        list.intent(press(number, &list.state).unwrap());
        let row = usize::from(number as u8 - b'1');
        assert_eq!(list.state.view().overlay, Some(Overlay::Stages { cursor: Stage::ALL[row] }));
    }
    let mut running = Session::sandbox().after(Stage::Who);
    running.event(Event::Intent(Intent::Advance));
    running.event(Event::Intent(Intent::Skip));
    running.event(Event::Intent(Intent::Advance));
    running.event(Event::Intent(Intent::ToggleStages));
    assert_eq!((press('1', &running.state), press('3', &running.state)), (Some(Intent::MoveCursor(-1)), None));
}

/// Without colors the chosen answer's row and the right one are still told apart.
#[test]
fn votes_need_no_color() {
    let mut after = voted(Stage::ViewDenied, [12, 3, 0, 17]);
    after.intent(Intent::Advance).answer_all();
    let theme = Theme::choose(ThemeName::Dark, ColorLevel::None);
    let text = text_dump(&render(&after.state, &theme, SIZES[0]));
    let line = text.lines().find(|line| line.contains("RIGHT")).unwrap();
    assert!(text.contains("class") && text.contains("17") && text.matches('█').count() > 6, "{text}");
    assert!(line.contains("access denied"), "{line}");
}

/// The experiments are presented, too: a clicker leads through them, and the second screen tells what is tried.
#[test]
fn a_clicker_tries_an_experiment_and_notes_follow() {
    let mut session = Session::sandbox().at_the_experiments(Experiment::ExplicitDeny);
    let title = session.state.experiment(Experiment::ExplicitDeny).title.clone();
    let told_title = |session: &Session| PresenterSnapshot::of(&session.state).title;
    assert_eq!(told_title(&session), title);
    let after = PresenterSnapshot::of(&session.state).next.unwrap();
    assert_eq!((after.number, after.minutes), (Experiment::ExplicitDeny.index() + 2, 0), "the next experiment");
    assert!(PresenterSnapshot::of(&session.state).question.is_some_and(|question| question.open));
    assert!(!session.state.can_tally(), "a class votes on the stages");
    session.event(Event::Intent(Intent::Present(PresenterAction::Next)));
    assert_eq!(session.waiting, []);
    session.event(Event::Intent(Intent::Present(PresenterAction::Next)));
    assert_eq!(PresenterSnapshot::of(&session.state).progress, Progress::Running);
    assert!(!session.state.can_start_over());
    session.answer_all();
    assert_eq!(PresenterSnapshot::of(&session.state).progress, Progress::Met);
    session.event(Event::Intent(Intent::Present(PresenterAction::Next)));
    assert_ne!(told_title(&session), title);
}
