//! What is recorded of the screen: exactly its pictures, in no visible time; the cards, and the key cast above the footer.

use std::time::{Duration, Instant};

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use kmslab::lab::{Event, Experiment, Intent, Page, Stage};
use kmslab::record::cast::{Cast, Header, Version};
use kmslab::record::chapters::Chapters;
use kmslab::record::{FilmOptions, Palette, Recorder, RecorderOptions, Target};
use kmslab::run::presentation::LiveRecording;
use kmslab::ui::terminal::Screen;
use kmslab::ui::{ColorLevel, KeyCast, Theme, ThemeName, card, keys, render, render_with, view};
use ratatui::layout::{Position, Rect, Size};
use rstest::rstest;

use super::album::{Album, assert_album, sized};
use super::bytes::assert_shows;
use crate::support::lab::{Session, every_state, text_dump};

const SIZE: Size = Size { width: 80, height: 24 };

#[rstest]
fn a_recording_shows_exactly_the_pictures(
    #[values(ColorLevel::Ansi16, ColorLevel::True)] level: ColorLevel,
    #[values(ThemeName::Dark, ThemeName::Light, ThemeName::HighContrast)] name: ThemeName,
) {
    let theme = Theme::choose(name, level);
    let head =
        Header { version: Version::Three, size: SIZE, palette: Palette::DARK, timestamp: 0, keeps_pauses: false };
    let mut cast = Cast::new(Vec::new(), &head).unwrap();
    let pictures: Vec<_> = every_state().iter().map(|(_, state)| render(state, &theme, SIZE)).collect();
    for (at, picture) in pictures.iter().enumerate() {
        cast.picture(Duration::from_secs(at as u64), picture).unwrap();
        cast.marker(Duration::from_secs(at as u64), "chapter").unwrap();
    }
    let text = String::from_utf8(cast.finish(Duration::ZERO).unwrap()).unwrap();
    let events: Vec<serde_json::Value> = text.lines().skip(1).map(|line| serde_json::from_str(line).unwrap()).collect();
    let mut parser = vt100::Parser::new(SIZE.height, SIZE.width, 0);
    let mut expected = pictures.iter();
    for event in &events {
        match event[1].as_str().unwrap() {
            // The picture stands before its marker, and after the redraw that follows.
            "m" => assert_shows(&parser, expected.next().unwrap()),
            _ => parser.process(event[2].as_str().unwrap().as_bytes()),
        }
    }
    assert!(expected.next().is_none());
    assert_shows(&parser, pictures.last().unwrap());
}

/// Recording costs what drawing costs, or less; nobody sees so short a time.
#[test]
fn a_recording_costs_no_visible_time() {
    const FRAMES: u32 = 200;
    let folder = tempfile::tempdir().unwrap();
    let theme = Theme::choose(ThemeName::Dark, ColorLevel::True);
    let states: Vec<_> = every_state().iter().map(|(_, state)| state).collect();
    let size = Size { width: 100, height: 28 };
    let key_cast = KeyCast::default();
    let measure = |name: Option<&str>| {
        let mut screen = Screen::over(std::io::sink(), size);
        let options = |name| RecorderOptions {
            target: Target::new(folder.path().join(name), true).unwrap(),
            header: Header { version: Version::Three, size, palette: Palette::DARK, timestamp: 0, keeps_pauses: false },
            film: FilmOptions::default(),
            partial: true,
        };
        let mut live = name.map(|name| LiveRecording::new(Recorder::begin(options(name), states[0]).unwrap(), false));
        let begun = Instant::now();
        for frame in 0..FRAMES {
            let state = states[frame as usize % states.len()];
            let at = Duration::from_millis(100) * frame;
            screen
                .paint_seen(
                    |frame| view(state, &theme, &key_cast, frame),
                    |shown| {
                        if let Some(live) = &mut live {
                            live.see(at, state, &theme, &key_cast, shown);
                        }
                    },
                )
                .unwrap();
        }
        assert!(live.is_none_or(|live| live.failure().is_none()));
        begun.elapsed() / FRAMES
    };
    measure(None);
    for name in ["lab.cast", "lab.gif", "lab.kmslab"] {
        // Once is enough: on a busy machine something else may come between.
        let is_quick = (0..20).any(|_| {
            let (without, with) = (measure(None), measure(Some(name)));
            println!("a frame takes {without:?}, recorded to {name} {with:?}");
            // No more than one frame of a film.
            with < without + Duration::from_millis(33)
        });
        assert!(is_quick, "{name}");
    }
}

#[test]
fn nobody_sees_the_digits_of_a_masked_account() {
    for masked in [false, true] {
        let mut session = Session::unasked();
        if masked {
            session.state.mask();
        }
        let mut session = session.before(Stage::CreateKey);
        session.intent(Intent::Advance);
        assert!(session.state.is_asking_for_consent());
        session.state.update(Event::Intent(Intent::TypeDigit(7)));
        let shown = text_dump(&render(&session.state, &super::dark(), SIZE));
        assert_eq!((shown.contains("7___"), shown.contains("•___")), (!masked, masked), "{shown}");
        let key = KeyEvent::new(KeyCode::Char('7'), KeyModifiers::NONE);
        let area = Rect::from((Position::ORIGIN, SIZE));
        assert_eq!(keys::named(key, &keys::Fit::new(&session.state, area)), None, "nor in the key cast");
    }
}

#[test]
fn the_lane_has_the_key_and_a_caption_and_hides_no_message() {
    let theme = super::dark();
    let key = KeyEvent::new(KeyCode::Enter, KeyModifiers::NONE);
    for (name, state) in every_state() {
        let mut key_cast = KeyCast { keys: true, captions: true, ..KeyCast::default() };
        key_cast.press(keys::named(key, &keys::Fit::new(state, Rect::from((Position::ORIGIN, SIZE)))));
        let plain = text_dump(&render(state, &theme, SIZE));
        let shown = text_dump(&render_with(state, &theme, &key_cast, SIZE));
        let row = |picture: &str| picture.lines().nth(22).unwrap_or_default().to_owned();
        for (at, (plain, shown)) in plain.lines().zip(shown.lines()).enumerate() {
            assert!(at == 22 || plain == shown, "{name}: row {at} is another one:\n{plain}\n{shown}");
        }
        // What lies over the panes may cover the message, too.
        if let Some(message) =
            state.view().message.as_ref().filter(|_| state.view().overlay.is_none() && !state.is_blank())
        {
            let begin: String = message.chars().take(20).collect();
            assert!(row(&shown).contains(&begin), "{name}: {begin} is not in {}", row(&shown));
        }
        if let Some(caption) = key_cast.caption(state, 70) {
            assert!(caption.chars().count() <= 70, "{name}: {caption}");
        }
    }
}

#[test]
fn cards() {
    let theme = super::dark();
    let state = Session::sandbox().after(Stage::CleanUp).state;
    let mut album = Album::new();
    for size in [Size::new(80, 24), Size::new(100, 28)] {
        for (name, picture) in [("title", card::title(&state, &theme, size)), ("end", card::end(&state, &theme, size))]
        {
            album.push((sized(name, size), text_dump(&picture)));
        }
    }
    assert_album("cards", album);
    // A small one shows fewer claims, and each of them whole.
    let small = text_dump(&card::end(&state, &theme, Size::new(60, 18)));
    assert!(small.contains("9 of 9 stages met") && small.contains("Do it yourself"), "{small}");
}

/// A score is nowhere else counted otherwise: that of the end card is the debrief's.
#[test]
fn the_end_card_has_the_score_of_the_debrief() {
    let theme = super::dark();
    let size = Size::new(100, 28);
    let end = |session: &Session| text_dump(&card::end(&session.state, &theme, size));
    let debrief = |session: &mut Session| {
        session.intent(Intent::TogglePage(Page::Debrief));
        text_dump(&render(&session.state, &theme, size))
    };
    let mut skipped = Session::sandbox();
    for _ in Stage::ALL {
        skipped.intent(Intent::Skip).intent(Intent::Advance).answer_all();
        skipped.intent(Intent::ShowNext);
    }
    assert!(!end(&skipped).contains("0/0"), "{}", end(&skipped));
    assert!(end(&skipped).contains("9 of 9 stages met, 9 skipped"), "{}", end(&skipped));
    assert!(debrief(&mut skipped).contains(" 9 skipped"));
    let mut answered = Session::sandbox().after(Stage::CleanUp);
    let shown = end(&answered);
    let score = shown.split_once("stages met, ").map(|(_, rest)| rest.lines().next().unwrap_or_default().trim());
    let score = score.unwrap_or_default().to_owned();
    assert!(score.contains("/9 answered right"), "{shown}");
    assert!(debrief(&mut answered).contains(&score), "{score}");
}

/// An experiment is no verdict of the stage behind it.
#[test]
fn experiments_are_chapters_of_their_own() {
    let mut session = Session::sandbox().before(Stage::CleanUp);
    let mut chapters = Chapters::default();
    assert_eq!(chapters.begun(&session.state).as_deref(), Some("9 Clean up"));
    let mut begun = Vec::new();
    for which in [Experiment::DisableKey, Experiment::ExplicitDeny] {
        session = session.at_the_experiments(which);
        begun.extend((0..2).filter_map(|_| chapters.begun(&session.state)));
        session.intent(Intent::Advance).answer_all();
        begun.extend((0..2).filter_map(|_| chapters.begun(&session.state)));
        session.intent(Intent::Close).intent(Intent::ToggleExperiments);
    }
    let named = ["bench 1 Disable the key", "bench 2 Add an explicit Deny"];
    assert_eq!(begun, named.map(|name| [name.to_owned(), format!("{name}: MET")]).concat());
    session.intent(Intent::Advance).answer_all();
    assert_eq!(chapters.begun(&session.state).as_deref(), Some("9 Clean up: MET"));
}

/// The row of a replay: what stands in it is whole, the way out always is there, and ASCII is ASCII.
#[test]
fn the_bar_of_a_replay_cuts_no_key() {
    let keys = [("space", "play"), ("n/p", "chapter"), (",/.", "step"), ("home/end", "ends"), ("q", "quit")];
    let state = Session::sandbox().state;
    for (width, height) in [(40, 10), (60, 18), (80, 24), (100, 28), (200, 50)] {
        let size = Size { width, height };
        for (theme, ascii) in [(super::dark(), false), (super::dark().in_ascii(), true)] {
            let mut buffer = render(&state, &theme, size);
            card::replay_bar(&theme, "24 Nov 2025 10:02 UTC", "‖ 1:02/12:03 ×1.5", &keys, &mut buffer);
            let text = text_dump(&buffer);
            let row = text.lines().last().unwrap();
            assert!(row.contains("REPLAY") && row.contains("1:02/12:03"), "{size}: {row}");
            assert!(!row.contains(['…', '~']), "{size}: {row}");
            assert_eq!(row.is_ascii(), ascii, "{size}: {row}");
            let shown = keys.iter().filter(|(key, label)| row.contains(&format!("   {key} {label}"))).count();
            let all = match width {
                40 => 1,
                60 | 80 => 2,
                // In ASCII the sign of a replay is wider.
                100 if ascii => 3,
                100 => 4,
                _ => 5,
            };
            assert_eq!(shown, all, "{size}: {row}");
            assert!(row.ends_with("q quit"), "{size}: {row}");
        }
    }
}
