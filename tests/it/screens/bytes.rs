//! What is written to the terminal: exactly the picture, nothing in vain, no colors where none are wanted.

use std::io::{self, Write};

use kmslab::lab::{Event, Intent, Lesson, Page, Stage, State};
use kmslab::ui::terminal::Screen;
use kmslab::ui::{ColorLevel, KeyCast, Theme, ThemeName, render, view};
use ratatui::buffer::Buffer;
use ratatui::layout::Size;
use ratatui::style::{Color, Modifier};
use rstest::rstest;

use crate::support::lab::Session;

fn draw<W: Write>(screen: &mut Screen<W>, state: &State, theme: &Theme) -> io::Result<bool> {
    screen.paint(|frame| view(state, theme, &KeyCast::default(), frame))
}

const SIZE: Size = Size { width: 80, height: 24 };

fn denied() -> State {
    Session::sandbox().after(Stage::ViewDenied).state
}

pub fn assert_shows(parser: &vt100::Parser, picture: &Buffer) {
    let screen = parser.screen();
    for position in picture.area.positions() {
        let expected = &picture[position];
        let cell = screen.cell(position.y, position.x).unwrap();
        let content = if cell.has_contents() { cell.contents() } else { " " };
        assert_eq!(content, expected.symbol(), "at {position}");
        for (name, found, modifier) in [
            ("bold", cell.bold(), Modifier::BOLD),
            ("dim", cell.dim(), Modifier::DIM),
            ("underlined", cell.underline(), Modifier::UNDERLINED),
            ("reversed", cell.inverse(), Modifier::REVERSED),
        ] {
            assert_eq!(found, expected.modifier.contains(modifier), "{name} at {position}");
        }
        for (found, expected) in [(cell.fgcolor(), expected.fg), (cell.bgcolor(), expected.bg)] {
            let found = match found {
                vt100::Color::Default => Color::Reset,
                vt100::Color::Rgb(red, green, blue) => Color::Rgb(red, green, blue),
                vt100::Color::Idx(index) => ANSI[usize::from(index)],
            };
            assert_eq!(found, expected, "at {position}");
        }
    }
}

const ANSI: [Color; 16] = [
    Color::Black,
    Color::Red,
    Color::Green,
    Color::Yellow,
    Color::Blue,
    Color::Magenta,
    Color::Cyan,
    Color::Gray,
    Color::DarkGray,
    Color::LightRed,
    Color::LightGreen,
    Color::LightYellow,
    Color::LightBlue,
    Color::LightMagenta,
    Color::LightCyan,
    Color::White,
];

#[rstest]
fn a_terminal_shows_exactly_the_picture(
    #[values(ColorLevel::None, ColorLevel::Ansi16, ColorLevel::True)] level: ColorLevel,
    #[values(ThemeName::Dark, ThemeName::Light, ThemeName::HighContrast)] name: ThemeName,
) {
    let theme = Theme::choose(name, level);
    let mut screen = Screen::over(Vec::new(), SIZE);
    let mut parser = vt100::Parser::new(SIZE.height, SIZE.width, 0);
    let mut state = denied();
    let mut written = 0;
    for intent in
        [Intent::TogglePage(Page::Help), Intent::Close, Intent::CycleView, Intent::ToggleZoom, Intent::ShowPrevious]
    {
        state.update(Event::Intent(intent));
        assert!(draw(&mut screen, &state, &theme).unwrap());
        let frame = &screen.writer()[written..];
        assert!(frame.starts_with(b"\x1b[?2026h") && frame.ends_with(b"\x1b[?2026l"), "one frame is one update");
        parser.process(frame);
        written = screen.writer().len();
        assert_shows(&parser, &render(&state, &theme, SIZE));
    }
}

#[test]
fn what_has_not_changed_is_not_written() {
    let theme = Theme::choose(ThemeName::Dark, ColorLevel::True);
    let mut screen = Screen::over(Vec::new(), SIZE);
    let mut state = denied();
    assert!(draw(&mut screen, &state, &theme).unwrap());
    let written = screen.writer().len();
    assert!(!draw(&mut screen, &state, &theme).unwrap());
    // A tick that shows nothing new, too.
    state.update(Event::Tick);
    assert!(!draw(&mut screen, &state, &theme).unwrap());
    assert_eq!(screen.writer().len(), written);
    // A change of one word costs little.
    state.update(Event::Intent(Intent::FocusOther));
    assert!(draw(&mut screen, &state, &theme).unwrap());
    let cost = screen.writer().len() - written;
    assert!(cost < 1_500, "{cost} bytes for the other pane's title");
}

/// What the terminal is asked to copy comes back whole, and has no escape sequence of its own on the way.
#[test]
fn copying_is_one_sequence() {
    use base64::Engine as _;
    let mut screen = Screen::over(Vec::new(), SIZE);
    let text = "aws it's \u{1b}]52;c;eA==\u{7} é\n  'two'";
    screen.copy(text).unwrap();
    let written = String::from_utf8(screen.writer().clone()).unwrap();
    let encoded = written.strip_prefix("\u{1b}]52;c;").and_then(|rest| rest.strip_suffix('\u{7}')).unwrap();
    assert!(!encoded.contains(char::is_control));
    let decoded = base64::prelude::BASE64_STANDARD.decode(encoded).unwrap();
    assert_eq!(String::from_utf8(decoded).unwrap(), text);
}

/// Counts writes: a frame in pieces flickers.
#[derive(Default)]
struct Counting(usize);

impl Write for Counting {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0 += 1;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn a_frame_is_one_write() {
    let mut screen = Screen::over(Counting::default(), Size::new(200, 50));
    draw(&mut screen, &denied(), &Theme::choose(ThemeName::Dark, ColorLevel::True)).unwrap();
    assert_eq!(screen.writer().0, 1);
}

#[test]
fn a_terminal_that_is_gone_is_an_error() {
    struct Gone;
    impl Write for Gone {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            Err(io::ErrorKind::BrokenPipe.into())
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    let mut screen = Screen::over(Gone, SIZE);
    let error = draw(&mut screen, &denied(), &Theme::choose(ThemeName::Dark, ColorLevel::None)).unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::BrokenPipe);
}

#[test]
fn a_new_size_is_drawn_whole() {
    let theme = Theme::choose(ThemeName::Dark, ColorLevel::Ansi16);
    let mut screen = Screen::over(Vec::new(), SIZE);
    let state = denied();
    draw(&mut screen, &state, &theme).unwrap();
    let mut parser = vt100::Parser::new(SIZE.height, SIZE.width, 0);
    parser.process(screen.writer());
    for size in [Size::new(100, 28), Size::new(61, 19), Size::new(30, 4), Size::new(80, 24)] {
        let written = screen.writer().len();
        screen.resized(size);
        parser.screen_mut().set_size(size.height, size.width);
        assert!(draw(&mut screen, &state, &theme).unwrap());
        parser.process(&screen.writer()[written..]);
        assert_shows(&parser, &render(&state, &theme, size));
    }
}

#[test]
fn without_color_the_focus_stays_visible() {
    let theme = Theme::choose(ThemeName::Dark, ColorLevel::None);
    let mut screen = Screen::over(Vec::new(), SIZE);
    draw(&mut screen, &denied(), &theme).unwrap();
    let text = String::from_utf8(screen.writer().clone()).unwrap();
    let mut reversed = false;
    for sequence in text.split("\x1b[").skip(1) {
        let Some((parameters, _)) = sequence.split_once('m') else { continue };
        if !parameters.chars().all(|c| c.is_ascii_digit() || c == ';') {
            continue; // ends with another letter
        }
        assert!(!parameters.trim_matches(';').is_empty(), "a bare reset switches off bold and reversed");
        for parameter in parameters.split(';') {
            // 39, 49 and 59 are the terminal's own; 0 ends a frame.
            let known = ["0", "1", "2", "4", "7", "22", "24", "27", "39", "49", "59"];
            assert!(known.contains(&parameter), "CSI {parameters}m is a color");
            reversed |= parameter == "7";
        }
    }
    assert!(reversed);
}

/// Where a terminal knows links, an address on the screen is one: around its cells, and gone with them.
#[test]
fn addresses_of_sources_are_links() {
    let size = Size::new(160, 60);
    let theme = Theme::choose(ThemeName::Dark, ColorLevel::Ansi16);
    let mut session = Session::sandbox();
    session.intent(Intent::TogglePage(Page::Lesson));
    let page = render(&session.state, &theme, size);
    let rows: Vec<String> =
        page.content.chunks(160).map(|row| row.iter().map(|cell| cell.symbol()).collect()).collect();
    let lesson = Lesson::english();
    let urls: Vec<String> = lesson.urls().filter(|url| rows.iter().any(|row| row.contains(url.as_str()))).collect();
    assert!(!urls.is_empty(), "{rows:?}");
    for links in [true, false] {
        let mut screen = Screen::over(Vec::new(), size);
        if links {
            screen.use_links(lesson.urls());
        }
        let mut parser = vt100::Parser::new(size.height, size.width, 0);
        let mut state = session.state.clone();
        draw(&mut screen, &state, &theme).unwrap();
        parser.process(screen.writer());
        assert_shows(&parser, &page);
        let first = String::from_utf8(screen.writer().clone()).unwrap();
        assert!(urls.iter().all(|url| first.contains(&format!(";{url}\x1b\\")) == links), "{links}: {urls:?}");
        assert_eq!(first.matches("\x1b]8;id=").count(), first.matches("\x1b]8;;\x1b\\").count());
        // What was a link and is none any more is written again.
        state.update(Event::Intent(Intent::Close));
        draw(&mut screen, &state, &theme).unwrap();
        parser.process(&screen.writer()[first.len()..]);
        assert_shows(&parser, &render(&state, &theme, size));
        assert!(!String::from_utf8_lossy(&screen.writer()[first.len()..]).contains("\x1b]8;id="));
    }
}
