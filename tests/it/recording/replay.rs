//! A session is shown again: at another size, in another theme and language, and always as what it is.

use crossterm::event::KeyCode;
use kmslab::run::event_log::parse;
use kmslab::run::front::playback::{Playback, Pressed};
use kmslab::ui::{ColorLevel, Theme, ThemeName, render};
use ratatui::layout::Size;
use rstest::rstest;

use super::{Command, Folder, asciicast, pictures, text};

#[test]
fn a_session_is_shown_again_in_other_looks() {
    let folder = Folder::new();
    folder.ok(&["record", "session.kmslab", "--pace", "fast"]);
    for (columns, rows, theme, language, scan) in
        [(80, 24, "light", "de", "Derselbe Scan, zweimal"), (120, 34, "dark", "en", "The same Scan, twice")]
    {
        let size = format!("{columns}x{rows}");
        let denied = format!("6 {scan}: DENIED");
        let told = folder.ok(&[
            "replay",
            "session.kmslab",
            "--record",
            "again.cast",
            "--force",
            "--size",
            &size,
            "--theme",
            theme,
            "--lang",
            language,
        ]);
        assert!(told.contains(&denied), "{told}");
        let bytes = folder.read("again.cast");
        let pictures = pictures(&bytes);
        assert!(pictures.iter().all(|(.., screen)| screen.contains("⟳ REPLAY")), "in every picture");
        assert!(pictures.iter().any(|(.., screen)| screen.contains(scan)));
        assert!(!pictures.iter().any(|(.., screen)| screen.contains("SANDBOX")), "nothing is live");
        let denied = pictures.iter().find(|event| event.2 == denied).unwrap();
        assert!(denied.3.contains("✔ ALLOWED") && denied.3.contains("✘ DENIED"), "{}", denied.3);
        let last = &pictures.last().unwrap().3;
        assert!(last.contains("9 of 9") || last.contains("9 von 9"), "{last}");
        let (header, _) = asciicast::read(&bytes).unwrap();
        assert_eq!(header["width"], columns);
        assert_eq!(header["theme"]["bg"], if theme == "light" { "#ffffff" } else { "#101418" });
        folder.ok(&["verify-cast", "again.cast"]);
    }
}

/// Responses have the film's time, with and without a seed.
#[test]
fn answers_end_in_the_films_time() {
    let folder = Folder::new();
    for seed in [&["--seed", "3"][..], &[]] {
        folder.ok(&[&["record", "session.kmslab", "--force"], seed].concat());
        let ended: Vec<(u64, u64)> = text(&folder.read("session.kmslab"))
            .lines()
            .filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok())
            .filter_map(|entry| Some((entry["at"].as_u64()? / 1_000, entry["answer"]["answer"]["at"].as_u64()?)))
            .collect();
        assert!(ended.len() > 10, "{ended:?}");
        let first = ended[0];
        for (film, answer) in &ended {
            assert!((answer - first.1).abs_diff(film - first.0) <= 1, "{film} s: {answer} of {ended:?}");
        }
    }
}

#[test]
fn the_same_answers_give_the_same_pictures() {
    let folder = Folder::new();
    folder.ok(&["record", "live.cast", "--as-seen", "--seed", "3"]);
    folder.ok(&["record", "session.kmslab", "--seed", "3"]);
    folder.ok(&["replay", "session.kmslab", "--record", "again.cast"]);
    let at_markers = |name: &str| -> Vec<(String, String)> {
        let markers = pictures(&folder.read(name)).into_iter().filter(|event| event.1 == 'm');
        // The header's badge and the last row say what it is. The trail answers a moment after the verdict.
        let middle = |screen: &str| {
            let rows = screen.lines().skip(1).take(26).collect::<Vec<_>>().join("\n");
            rows.replace("KMS ◐ ──", "KMS ? ─▸")
        };
        markers.map(|(_, _, label, screen)| (label, middle(&screen))).collect()
    };
    let (live, again) = (at_markers("live.cast"), at_markers("again.cast"));
    assert_eq!(live.len(), 18);
    for (live, again) in live.into_iter().zip(again) {
        assert_eq!(live, again);
    }
}

#[rstest]
#[case::empty(&|_: String| String::new(), "x.kmslab:1: this is no recorded session")]
#[case::cast(&|_: String| "{\"version\":3}\n".to_owned(), "x.kmslab:1: this is no recorded session, but a cast: `asciinema")]
#[case::wrong_type(&|text: String| text.replacen("\"masked\":true", "\"masked\":1", 1), "x.kmslab:1: its head can't be read")]
#[case::newer(&|text: String| text.replacen("\"kmslab_session\":1", "\"kmslab_session\":2", 1), "x.kmslab:1: it is of version 2")]
#[case::damaged(&|text: String| text.replacen("\n{\"at\":", "\n{\"at:", 3), "x.kmslab:2: this is no event of a session")]
#[case::not_utf8(&|text: String| text.replacen("intent", "inte\u{7f}nt", 1), "x.kmslab:2: this is no event of a session")]
#[case::blank_lines(&|text: String| text.replacen('\n', "\n\n\r\n", 1) + "\n{}\n", "this is no event of a session: missing field")]
#[case::unknown_event(&|text: String| text + "{\"at\":999999,\"dance\":1}\n", "this is no event of a session")]
#[case::back_in_time(&|text: String| text + "{\"at\":0,\"intent\":\"advance\"}\n", "it happened before the line above")]
#[case::no_such_call(
    &|text: String| text.lines().filter(|line| !line.contains("\"id\":2,")).collect::<Vec<_>>().join("\n"), "was not made"
)]
fn a_broken_log_is_reported_with_its_line(#[case] change: &dyn Fn(String) -> String, #[case] says: &str) {
    let folder = Folder::new();
    folder.ok(&["record", "session.kmslab", "--pace", "fast"]);
    std::fs::write(folder.path("x.kmslab"), change(text(&folder.read("session.kmslab")))).unwrap();
    folder.refuses(&["replay", "x.kmslab", "--record", "x.cast"], says);
    assert!(!folder.path("x.cast").exists());
}

/// The program was killed in the middle of a line, or the disk was full.
#[test]
fn half_a_line_at_the_end_is_left_out() {
    let folder = Folder::new();
    folder.ok(&["record", "session.kmslab", "--pace", "fast"]);
    let whole = folder.read("session.kmslab");
    let lines = whole.split(|byte| *byte == b'\n').count() - 1;
    std::fs::write(folder.path("x.kmslab"), &whole[..whole.len() - 9]).unwrap();
    let output = folder.run(&["replay", "x.kmslab", "--record", "x.cast"]);
    let said = text(&output.stderr);
    assert!(output.status.success(), "{said}");
    assert!(said.contains(&format!("x.kmslab:{lines}: the session was cut off here")), "{said}");
    let told = folder.ok(&["replay", "session.kmslab", "--record", "y.cast"]);
    assert!(text(&output.stdout).lines().skip(1).eq(told.lines().skip(1)), "{told}");
}

/// Whoever sets up a talk may find that the session was not masked; what is recorded of it is, unless that is not wanted.
#[test]
fn what_is_recorded_of_a_session_that_was_not_masked_is() {
    let folder = Folder::new();
    folder.ok(&["record", "session.kmslab", "--no-mask", "--seed", "4"]);
    let found = |arguments: &[&str], file: &str| {
        folder.ok(&[&["replay", "session.kmslab", "--force", "--record", file], arguments].concat());
        let output = folder.run(&["verify-cast", file]);
        (output.status.code(), text(&output.stdout))
    };
    for file in ["again.cast", "again.svg", "again.html"] {
        assert_eq!(found(&[], file), (Some(0), format!("{file}: nothing found\n")));
        let (code, told) = found(&["--no-mask"], file);
        assert_eq!(code, Some(1), "{told}");
        assert!(told.contains("an access key's id: AKIA"), "{told}");
        assert_eq!(told.contains(": at 0:"), file == "again.cast", "{told}");
    }
    // The key is seen for a moment only, which is not read aloud; other names are in the text.
    folder.ok(&["replay", "session.kmslab", "--no-mask", "--record", "again.txt"]);
    folder.ok(&["replay", "session.kmslab", "--force", "--record", "masked.txt"]);
    folder.ok(&["record", "live.txt", "--as-seen", "--seed", "4"]);
    let words = |name: &str| -> Vec<String> {
        let rows = text(&folder.read(name));
        let is_id = |word: &str| word.len() == 36 || word.starts_with("AKIA") || word.starts_with("arn:");
        rows.split_whitespace().filter(|word| is_id(word)).map(str::to_owned).collect()
    };
    let (masked, live) = (words("masked.txt"), words("live.txt"));
    assert!(live.len() > 12 && masked.starts_with(&live), "the pseudonyms of the session itself: {masked:?} {live:?}");
    assert_ne!(words("again.txt"), masked);
}

/// Somebody has written into the file. Whatever it says, it is reported or shown.
#[test]
fn no_log_brings_the_program_down() {
    let folder = Folder::new();
    folder.ok(&["record", "session.kmslab", "--pace", "fast", "--seed", "2"]);
    let whole = text(&folder.read("session.kmslab"));
    let lines: Vec<&str> = whole.lines().collect();
    let mut random = 7_u64;
    let mut below = |bound: usize| {
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(random >> 33).unwrap() % bound
    };
    let (mut shown, mut refused) = (0, 0);
    for _ in 0..200 {
        let mut lines: Vec<String> = lines.iter().map(|line| (*line).to_owned()).collect();
        for _ in 0..=below(3) {
            let (one, other) = (1 + below(lines.len() - 1), 1 + below(lines.len() - 1));
            match below(6) {
                0 => drop(lines.remove(one)),
                1 => lines.swap(one, other),
                2 => lines.insert(one, lines[other].clone()),
                // A number becomes a large one, in whatever it stands.
                3 => lines[one] = lines[one].replacen(":1", ":18446744073709551615", 1 + below(3)),
                4 => lines[one] = lines[one].replace("true", "false").replace("null", "[]"),
                _ => lines[one] = lines[one].replace("\"Enabled\"", "\"\\u001b[2J\\u202e\""),
            }
        }
        // Times go on, else each of them would be told at once.
        let body: Vec<String> = lines[1..]
            .iter()
            .enumerate()
            .map(|(at, line)| {
                let rest = line.split_once(',').map_or(line.as_str(), |(_, rest)| rest);
                format!("{{\"at\":{at},{rest}")
            })
            .collect();
        let log = format!("{}\n{}\n", lines[0], body.join("\n"));
        let Ok(session) = parse(log.as_bytes()) else {
            refused += 1;
            continue;
        };
        let taken = serde_json::to_string(&session.entries).unwrap();
        assert!(!taken.contains("\\u001b") && !taken.contains('\u{202e}'), "as an answer of a server");
        let beginning = session.head.state(0);
        match Playback::new(session, beginning) {
            Ok(mut playback) => {
                shown += 1;
                let end = playback.press(KeyCode::End, &playback.beginning());
                let Pressed::Seek(end) = end else { panic!("{end:?}") };
                let theme = Theme::choose(ThemeName::Dark, ColorLevel::True);
                let picture = render(&end, &theme, Size::new(80, 24));
                let cells = picture.content.iter().map(|cell| cell.symbol());
                assert!(!cells.clone().any(|symbol| symbol.contains(['\u{1b}', '\u{202e}'])));
            }
            Err(_) => refused += 1,
        }
    }
    assert!(shown > 20 && refused > 20, "{shown} {refused}");
}

#[test]
fn what_may_be_published_is_named_in_a_file() {
    let folder = Folder::new();
    std::fs::write(folder.path("lab.txt"), "account 210987654321, by ada.k@company.de\n").unwrap();
    std::fs::write(folder.path("allow.txt"), "# the account of our talks\n210987654321\n").unwrap();
    let output = folder.run(&["verify-cast", "lab.txt", "--allow", "allow.txt"]);
    let told = "lab.txt:1:26: an e-mail address or an account on a host: ada.k@compan…\n";
    assert_eq!((output.status.code(), text(&output.stdout).as_str()), (Some(1), told));
    std::fs::write(folder.path("allow.txt"), "210987654321\nada.k@company.de\n").unwrap();
    assert_eq!(folder.ok(&["verify-cast", "lab.txt", "--allow", "allow.txt"]), "lab.txt: nothing found\n");
    folder.refuses(&["verify-cast", "lab.txt", "--allow", "none.txt"], "none.txt can't be read");
}

#[test]
fn what_is_no_log_is_told_in_a_sentence() {
    let folder = Folder::new();
    std::fs::write(folder.path("film.mp4"), [0, 1, 2, 255, 254, 10]).unwrap();
    folder.refuses(
        &["replay", "film.mp4"],
        "film.mp4:1: this is no recorded session: `kmslab --record FILE.kmslab` makes one",
    );
    folder.refuses(&["replay", "."], "can't be read");
    folder.ok(&["record", "session.kmslab", "--pace", "fast"]);
    folder.refuses(&["replay", "session.kmslab"], "a replay needs a terminal");
    folder
        .refuses(&["replay", "session.kmslab", "--record", "none/a.cast"], "there is no folder none; create it first");
    folder.refuses(&["verify-cast", "film.mp4"], "it is no text");
    folder.refuses(&["verify-cast", "nothing.cast"], "can't be read");
    std::fs::write(folder.path("empty.cast"), "").unwrap();
    assert_eq!(folder.ok(&["verify-cast", "empty.cast"]), "empty.cast: nothing found\n");
    std::fs::write(folder.path("latin.txt"), b"f\xfcr ada.k@company.de").unwrap();
    let output = folder.run(&["verify-cast", "latin.txt"]);
    assert_eq!((output.status.code(), text(&output.stdout).lines().count()), (Some(1), 1));
    let mut command = Command::new(env!("CARGO_BIN_EXE_kmslab"));
    command.args(["verify-cast", "-"]).stdin(std::fs::File::open(folder.path("latin.txt")).unwrap());
    let output = command.output().unwrap();
    assert!(text(&output.stdout).starts_with("-:1:7: an e-mail address"), "{}", text(&output.stdout));
}

#[test]
fn a_log_holds_no_secret() {
    let folder = Folder::new();
    std::fs::write(folder.path("session.kmslab"), "anyone may read it").unwrap();
    folder.ok(&["record", "session.kmslab", "--no-mask", "--force"]);
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = std::fs::metadata(folder.path("session.kmslab")).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "also where it takes the place of another");
    }
    let log = text(&folder.read("session.kmslab"));
    assert!(log.contains("CreateAccessKey") && log.contains("[redacted]"));
    for secret in ["Signature=", "aws4_request\",\"Signature"] {
        for (at, _) in log.match_indices(secret) {
            assert!(log[at + secret.len()..].starts_with("[redacted]"), "{}", &log[at..at + 60]);
        }
    }
    let found = text(&folder.run(&["verify-cast", "session.kmslab"]).stdout);
    assert!(!found.contains("secret") && !found.contains("signature") && !found.contains("token"), "{found}");
    folder.refuses(&["replay", "session.kmslab", "--record", "other.kmslab"], "would be what");
    folder.refuses(&["replay", "nothing.kmslab"], "can't be read");
}
