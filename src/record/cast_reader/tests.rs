use proptest::prelude::*;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::{Color, Modifier, Style};
use rstest::rstest;

use super::*;
use crate::record::cast::{Cast, Header, Version};

const HEAD: &str = r#"{"version":2,"width":20,"height":2}"#;

fn film(text: &str) -> Film {
    read(text.as_bytes(), "name", Palette::DARK).unwrap()
}

fn fails(text: &[u8]) -> String {
    read(text, "name", Palette::DARK).unwrap_err().to_string()
}

fn shown(picture: &Picture) -> Vec<String> {
    let row = |row: &super::super::film::Row| row.iter().map(|cell| cell.symbol()).collect::<String>();
    picture.rows.iter().map(|cells| row(cells).trim_end().to_owned()).collect()
}

fn millis(film: &Film) -> Vec<u128> {
    film.pictures.iter().map(|picture| picture.at.as_millis()).collect()
}

/// What we write is read as it was: pictures, times, chapters and colors.
#[rstest]
#[case(Version::Two)]
#[case(Version::Three)]
fn our_own_recordings_come_back(#[case] version: Version) {
    let picture = |text: &str, style: Style| {
        let mut buffer = Buffer::empty(Rect::new(0, 0, 20, 2));
        buffer.set_string(0, 0, text, style);
        buffer
    };
    let pictures = [
        picture("✔ ALLOWED", Style::new().fg(Color::Rgb(1, 2, 3)).bold()),
        picture("表 wide", Style::new().bg(Color::Rgb(9, 8, 7)).underlined().italic()),
        picture("dim", Style::new().fg(Color::Indexed(9)).add_modifier(Modifier::DIM | Modifier::REVERSED)),
    ];
    let size = Size { width: 20, height: 2 };
    let head = Header { version, size, palette: Palette::LIGHT, timestamp: 0, keeps_pauses: true };
    let mut cast = Cast::new(Vec::new(), &head).unwrap();
    for (second, picture) in (0..).zip(&pictures) {
        let chapter = format!("{second} chapter");
        cast.picture_with_marker(Duration::from_secs(second * 6), picture, Some(&chapter)).unwrap();
    }
    let film = film(std::str::from_utf8(&cast.finish(Duration::from_secs(20)).unwrap()).unwrap());
    assert_eq!((film.size, film.palette, film.end), (size, Palette::LIGHT, Duration::from_secs(20)));
    assert_eq!(millis(&film), [0, 6_000, 12_000]);
    for (second, (seen, picture)) in film.pictures.iter().zip(&pictures).enumerate() {
        assert_eq!(seen.chapter.as_deref(), Some(format!("{second} chapter").as_str()));
        let cells = |cells: &[ratatui::buffer::Cell]| cells.iter().map(|cell| cell.style()).collect::<Vec<_>>();
        assert_eq!(cells(&seen.rows.concat()), cells(&picture.content));
        assert_eq!(
            shown(seen)[0].replace("表 ", "表"),
            shown(&Picture { rows: Rows::default().of(picture), ..seen.clone() })[0].replace("表 ", "表")
        );
    }
}

#[test]
fn others_recordings_are_read_as_players_show_them() {
    let film = film(concat!(
        r##"{"version":3,"term":{"cols":10,"rows":2,"theme":{"fg":"#d0d0d0","bg":"#000000","palette":"#000000:#dd3c69:#4ebf22:#ddaf3c:#26b0d7:#b954e1:#54e1b9:#d9d9d9"}},"title":"demo"}"##,
        "\n# a comment\n\n[0.1, \"o\", \"$ \"]\r\n[0.01, \"i\", \"l\"]\n[0.01, \"o\", \"ls\"]\n",
        "[60, \"o\", \"\\r\\nfile\\u001b]0;secret title\\u0007\"]\n[1, \"m\", \"2 done\"]\n[1, \"r\", \"14x3\"]\n",
        "[0.5, \"o\", \"\\u001b[3;1H\\u202eend\"]\n[1, \"zz\", 5]\n[0.5, \"x\", \"0\"]\n[0.5, \"o"
    ));
    assert_eq!((film.title.as_str(), film.size), ("demo", Size { width: 14, height: 3 }));
    assert_eq!(film.palette.ansi[1], film.palette.ansi[9], "eight colors stand for sixteen");
    // What follows fast is one picture, and a long pause is shortened.
    assert_eq!(millis(&film), [100, 5_120, 6_120, 7_620]);
    assert_eq!(shown(&film.pictures[0]), ["$ ls", "", ""]);
    assert_eq!(shown(&film.pictures[1]), ["$ ls", "file", ""]);
    assert_eq!(film.pictures[2].chapter.as_deref(), Some("2 done"));
    let last = shown(&film.pictures[3]);
    assert!(last[2].ends_with("end") && !last[2].contains('\u{202e}'), "{last:?}");
    assert_eq!(film.end, Duration::from_millis(9_120), "half a line at the end is not read");
    // The cursor, where it was not hidden.
    assert!(film.pictures[0].rows[0][4].modifier.contains(Modifier::REVERSED));
}

#[rstest]
#[case::nothing("", "line 1: it is no asciicast")]
#[case::something_else("{\"a\":1}\n", "line 1: it is no asciicast")]
#[case::version_one("{\"version\":1,\"width\":80,\"height\":24,\"stdout\":[]}", "an asciicast 1; versions 2 and 3")]
#[case::no_size("{\"version\":3,\"term\":{\"cols\":80}}\n", "no size")]
#[case::too_large("{\"version\":2,\"width\":401,\"height\":24}\n", "401×24; from 2×2 to 400×200")]
#[case::a_line_that_is_no_event(
    "{\"version\":2,\"width\":20,\"height\":2}\n[0, \"o\", \"a\"]\n[1, \"o\"]\n",
    "line 3: it is no event"
)]
#[case::negative(
    "{\"version\":3,\"term\":{\"cols\":9,\"rows\":2}}\n[-1, \"o\", \"a\"]\n",
    "line 2: its time is no time"
)]
#[case::a_size_out_of_bounds(
    "{\"version\":2,\"width\":20,\"height\":2}\n[1, \"r\", \"9999x2\"]\n",
    "line 2: its terminal"
)]
#[case::no_picture("{\"version\":2,\"width\":20,\"height\":2}\n[1, \"i\", \"a\"]\n", "it shows nothing")]
fn what_can_not_be_read_is_told_by_line(#[case] text: &str, #[case] told: &str) {
    let failed = fails(text.as_bytes());
    assert!(failed.contains(told), "{failed}");
}

#[test]
fn what_is_larger_than_a_film_is_refused() {
    assert!(fails(b"{\"version\":2,\"width\":20,\"height\":2}\n\xff\n").contains("line 2: it is not UTF-8"));
    let event = |at: usize, data: &str| format!("[{at}, \"o\", {}]\n", Value::from(data));
    let day: String = (1..20_000).map(|at| event(at * 5, "a")).collect();
    assert!(fails(format!("{HEAD}\n{day}").as_bytes()).contains("longer than a day"));
    let wide = r#"{"version":2,"width":400,"height":200}"#;
    let screen = |at: usize| (1..=200).map(|y| format!("\x1b[{y};1H{at} {y}")).collect::<String>();
    let many: String = (0..100).map(|at| event(at, &screen(at))).collect();
    assert!(fails(format!("{wide}\n{many}").as_bytes()).contains("more than a film can hold"));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    /// Whatever a file draws at whatever size: the film has cells that are safe to show.
    #[test]
    fn anything_can_be_drawn(
        events in prop::collection::vec(
            prop_oneof![
                ("\\x1b\\[[0-9;?]{0,6}[A-Za-z@`]", Just(true)),
                ("\\x1b[78DEMHc#()=>][a-z0-9]?", Just(true)),
                ("[ -~]{0,12}", Just(true)),
                ("(表|é|e\\u0301|👩‍🚀|🇩🇪|\\u202e|\\u200d|\\u0085|\\t|\\r|\\n|\\x08){0,8}", Just(true)),
                ("([2-9]|1[0-9])x([1-9])", Just(false)),
            ],
            0..40,
        ),
    ) {
        let mut text = format!("{HEAD}\n");
        for (at, (data, is_output)) in events.iter().enumerate() {
            let code = if *is_output { "o" } else { "r" };
            text.push_str(&format!("[{at}, \"{code}\", {}]\n", Value::from(data.as_str())));
        }
        if let Ok(film) = read(text.as_bytes(), "name", Palette::DARK) {
            for cell in film.pictures.iter().flat_map(|picture| picture.rows.iter().flat_map(|row| row.iter())) {
                prop_assert!((1..=2).contains(&crate::lab::glyphs::glyph_width(cell.symbol())), "{:?}", cell.symbol());
                prop_assert_eq!(crate::lab::glyphs::shown(cell.symbol()), cell.symbol());
            }
        }
    }
}
