//! `kmslab record`, `replay` and `verify-cast` from outside: what they write, and what they refuse.

mod convert;
mod film;
mod format;
mod readers;
mod replay;
mod trouble;
mod video;

use std::path::PathBuf;
use std::process::{Command, Output};

use rstest::rstest;

use crate::support::asciicast;
use crate::support::bare::bare;

/// A folder in which kmslab is run.
struct Folder(tempfile::TempDir);

impl Folder {
    fn new() -> Folder {
        Folder(tempfile::tempdir().unwrap())
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn read(&self, name: &str) -> Vec<u8> {
        std::fs::read(self.path(name)).unwrap()
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = bare(self.0.path());
        command
            .current_dir(self.0.path())
            .env("USER", "somebody-7")
            .env("HOSTNAME", "machine-9")
            .env("PWD", self.0.path());
        command.args(arguments);
        command
    }

    fn run(&self, arguments: &[&str]) -> Output {
        self.command(arguments).output().unwrap()
    }

    /// Runs it, and it must go well.
    fn ok(&self, arguments: &[&str]) -> String {
        let output = self.run(arguments);
        assert!(output.status.success(), "{arguments:?}: {}", text(&output.stderr));
        text(&output.stdout)
    }

    /// Runs it, and it must refuse with exit status 2 and this.
    fn refuses(&self, arguments: &[&str], says: &str) {
        let output = self.run(arguments);
        let said = text(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {said}");
        assert!(said.contains(says), "{arguments:?}: {said}");
    }

    fn names(&self) -> Vec<String> {
        let entries = std::fs::read_dir(self.0.path()).unwrap();
        let mut names: Vec<String> = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }
}

const DENIED: &str = "6 The same Scan, twice: DENIED";

/// Whether a chapter of this name is a verdict.
fn is_verdict(label: &str) -> bool {
    [" MET", " ALLOWED", " DENIED"].iter().any(|word| label.ends_with(word))
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// What a terminal shows after each event of a recording: the time, the code, the data, and the screen.
fn pictures(bytes: &[u8]) -> Vec<(f64, char, String, String)> {
    let (header, events) = asciicast::read(bytes).unwrap();
    let term = if header["version"] == 2 { &header } else { &header["term"] };
    let size = |a: &str, b: &str| u16::try_from(term[a].as_u64().or(term[b].as_u64()).unwrap()).unwrap();
    let mut terminal = vt100::Parser::new(size("rows", "height"), size("cols", "width"), 0);
    let shown = events.into_iter().map(|(at, code, data)| {
        if code == 'o' {
            terminal.process(data.as_bytes());
        }
        (at, code, data, terminal.screen().contents())
    });
    shown.collect()
}

#[rstest]
#[case("a.cast", &[])]
#[case("a.cast", &["--cast-version", "3", "--size", "80x24", "--theme", "light", "--keys", "--captions", "--as-seen"])]
#[case("a.cast", &["--size", "60x48", "--lang", "de"])]
#[case("a.kmslab", &[])]
#[case("a.gif", &["--width", "640", "--teaser"])]
#[case("a.svg", &[])]
#[case("a.html", &["--lang", "de"])]
#[case("a.txt", &[])]
#[case("a.png", &["--theme", "high-contrast"])]
fn with_a_seed_it_repeats_and_names_nobody(#[case] name: &str, #[case] more: &[&str]) {
    let folder = Folder::new();
    let arguments = [&["record", name, "--force", "--seed", "7"], more].concat();
    let [one, other] = [(), ()].map(|()| {
        folder.ok(&arguments);
        let mut recorded = folder.read(name);
        let begin = |name: &[u8]| recorded.windows(name.len()).position(|bytes| bytes == name);
        for nobody in ["somebody-7", "machine-9", folder.0.path().to_str().unwrap()] {
            assert_eq!(begin(nobody.as_bytes()), None, "{nobody}");
        }
        if name.ends_with(".cast") || name.ends_with(".kmslab") {
            // The one thing that differs.
            let at = begin(b"\"timestamp\":").unwrap() + 12;
            let digits = recorded[at..at + 10].to_vec();
            assert!(text(&digits).parse::<u64>().unwrap() > 1_767_225_600);
            recorded[at..at + 10].fill(b'0');
        }
        recorded
    });
    let (one_text, other_text) = (text(&one), text(&other));
    let differ = one_text.lines().zip(other_text.lines()).find(|(one, other)| one != other);
    assert!(one == other, "{differ:?}");
}

#[test]
fn the_learners_screen_is_a_film_with_chapters() {
    let folder = Folder::new();
    let told = folder.ok(&["record", "lab.cast", "--as-seen"]);
    assert!(told.starts_with("recorded lab.cast: 100×28, "), "{told}");
    assert!(told.contains("before it plays: npt:") && told.ends_with("(6 The same Scan, twice: DENIED)\n"), "{told}");
    let bytes = folder.read("lab.cast");
    let pictures = pictures(&bytes);
    let markers: Vec<&(f64, char, String, String)> = pictures.iter().filter(|event| event.1 == 'm').collect();
    let labels: Vec<&str> = markers.iter().map(|event| event.2.as_str()).collect();
    assert_eq!(labels.len(), 18, "{labels:?}");
    assert_eq!(labels[..2], ["1 Who is asking?", "1 Who is asking? MET"]);
    assert_eq!(
        labels[10..16],
        [
            "6 The same Scan, twice",
            "6 The same Scan, twice: DENIED",
            "7 Let test-user use the key",
            "7 Let test-user use the key: MET",
            "8 The same Scan again",
            "8 The same Scan again: ALLOWED"
        ]
    );
    for (_, _, label, screen) in &markers {
        // A player that stops here shows the chapter's picture.
        let stage = &label[..1];
        assert!(screen.contains(&format!("{stage}/9")), "{label}:\n{screen}");
        assert_eq!(screen.contains("✔ As expected"), is_verdict(label), "{label}:\n{screen}");
    }
    assert!(pictures[1].3.contains("Encrypt data with AWS KMS"), "{}", pictures[1].3);
    assert!(pictures.last().unwrap().3.contains("9 of 9 stages met, 8/9 answered right"));
    assert!(pictures.iter().any(|picture| picture.3.contains("Not quite")), "one prediction is wrong");
    assert!(pictures.iter().any(|picture| picture.3.contains("NOT SENT")), "the key policy is looked at");
    // The denial stays for long.
    let denied = markers[11].0;
    let next = pictures.iter().find(|picture| picture.0 > denied + 0.1 && picture.2.len() > 10).unwrap();
    assert!(next.0 - denied >= 4.0, "{}", next.0 - denied);

    let all = text(&bytes);
    assert!(!all.contains("\\u001b]"), "no title, no clipboard");
    assert!(!pictures.iter().any(|picture| picture.1 == 'i'), "no keys without --keys");
    assert_eq!(folder.ok(&["verify-cast", "lab.cast"]), "lab.cast: nothing found\n");
    assert_eq!(folder.names(), ["lab.cast"], "and nothing else");
}

#[test]
fn a_chapter_can_be_cut_out() {
    let folder = Folder::new();
    folder.ok(&["record", "lab.cast", "--pace", "fast", "--size", "80x24"]);
    let (_, events) = asciicast::read(&folder.read("lab.cast")).unwrap();
    let at = events.iter().position(|event| event.2 == DENIED).unwrap();
    let mut terminal = vt100::Parser::new(24, 80, 0);
    terminal.process(events[at + 1].2.as_bytes());
    let screen = terminal.screen();
    assert!(screen.contents().contains("✘ DENIED") && screen.contents().contains("6/9"), "{}", screen.contents());
    assert!(screen.hide_cursor());
}

#[test]
fn keys_and_captions_are_shown_and_recorded_when_asked_for() {
    let folder = Folder::new();
    folder.ok(&["record", "lab.cast", "--as-seen", "--keys", "--captions", "--big", "--pace", "fast"]);
    let pictures = pictures(&folder.read("lab.cast"));
    let typed: String = pictures.iter().filter(|event| event.1 == 'i').map(|event| event.2.as_str()).collect();
    assert!(
        typed.starts_with(['a', 'b', 'c', 'd']) && typed.contains('w') && typed.ends_with("\r\r\u{1b}"),
        "{typed:?}"
    );
    assert!(!typed.contains('\t'), "the lab itself turns to test-user's pane: {typed:?}");
    assert!(pictures.iter().any(|picture| picture.3.contains("⏎  scan as both")));
    assert!(pictures.iter().any(|picture| picture.3.contains("Scan the table as admin and as test-user, at the same")));
    // One pane at a time.
    let denied = pictures.iter().find(|picture| picture.2 == DENIED).unwrap();
    assert!(!denied.3.contains('┭') && denied.3.contains("✘ DENIED "), "{}", denied.3);
    assert!(pictures.iter().any(|picture| picture.3.contains("├─ 3  IAM policies")));
}

#[test]
fn an_attempt_is_denied_and_then_allowed() {
    let folder = Folder::new();
    folder.ok(&["record", "attempt.txt", "--attempt"]);
    let text = text(&folder.read("attempt.txt"));
    let mut rest = text.as_str();
    for words in ["kms:Encrypt\"", "DENIED", "kms:Decrypt\"", "Stage 7 is done.", "ALLOWED"] {
        let at = rest.find(words).unwrap_or_else(|| panic!("{words} is not in its place\n{text}"));
        rest = &rest[at..];
    }
    folder.refuses(&["record", "attempt.svg", "--attempt", "--teaser"], "cannot be used with");
}

#[test]
fn a_teaser_is_short_and_shows_both_readings() {
    let folder = Folder::new();
    let told = folder.ok(&["record", "teaser.cast", "--teaser"]);
    let pictures = pictures(&folder.read("teaser.cast"));
    assert!((20.0..=45.0).contains(&pictures.last().unwrap().0), "{told}");
    let first = pictures.iter().find(|event| event.1 == 'm').unwrap();
    assert_eq!(first.2, "4 Read as admin: ALLOWED");
    let last = pictures.iter().rfind(|event| event.1 == 'm').unwrap();
    assert_eq!(last.2, "8 The same Scan again: ALLOWED");
    assert!(told.trim_end().ends_with("twice: DENIED)"), "{told}");
}

#[test]
fn stills_of_one_stage_and_of_all() {
    let folder = Folder::new();
    let told = folder.ok(&["record", "denied.svg", "--stage", "view_denied", "--size", "80x24"]);
    assert!(told.starts_with("recorded denied.svg: 80×24, ") && told.lines().count() == 1, "{told}");
    let svg = text(&folder.read("denied.svg"));
    let document = roxmltree::Document::parse(&svg).unwrap();
    let all = |name: &str| document.descendants().filter(|n| n.has_tag_name(name)).filter_map(|n| n.text()).collect();
    let (title, description, shown): (String, String, String) = (all("title"), all("desc"), all("text"));
    assert_eq!(title, "kmslab: The same Scan, twice");
    assert!(description.contains("✘ DENIED") && shown.contains("DENIED"), "{description}");
    folder.ok(&["record", "--all", "stills"]);
    let mut names: Vec<_> = std::fs::read_dir(folder.path("stills")).unwrap().map(|e| e.unwrap().file_name()).collect();
    names.sort();
    assert_eq!(names.len(), 9);
    assert_eq!(names[5], "6_view_denied.svg");
    folder.refuses(&["record", "--all", "stills"], "exists: --force replaces it");
    folder.ok(&["record", "--all", "stills", "--force"]);
}

#[rstest]
#[case("dark", "#101418", "#e8edf2")]
#[case("light", "#ffffff", "#101418")]
#[case("high-contrast", "#000000", "#ffffff")]
fn a_recording_has_the_colours_of_the_theme(#[case] theme: &str, #[case] paper: &str, #[case] ink: &str) {
    let folder = Folder::new();
    folder.ok(&["record", "lab.cast", "--as-seen", "--theme", theme, "--teaser"]);
    let (header, events) = asciicast::read(&folder.read("lab.cast")).unwrap();
    let colours = &header["theme"];
    assert_eq!((colours["bg"].as_str(), colours["fg"].as_str()), (Some(paper), Some(ink)));
    // What a theme paints a badge with is not in another.
    let of = |r: u8, g: u8, b: u8| events.iter().any(|event| event.2.contains(&format!(";2;{r};{g};{b}m")));
    assert_eq!([of(0x8f, 0xd3, 0xff), of(0x00, 0x4f, 0x80)], [theme == "dark", theme == "light"], "{theme}");
}

#[test]
fn a_recording_is_in_the_language_of_the_lesson() {
    let folder = Folder::new();
    folder.ok(&["record", "lab.txt", "--lang", "de", "--as-seen", "--pace", "fast"]);
    let transcript = text(&folder.read("lab.txt"));
    assert!(transcript.starts_with("kmslab: Daten mit AWS KMS verschlüsseln, sandbox\n"), "{transcript}");
    let title = transcript.split("1 Wer fragt?").next().unwrap();
    assert!(
        title.contains("zwei Identitäten")
            && transcript.contains("✔ Wie erwartet")
            && transcript.contains("2 Den KMS-Schlüssel anlegen: ERFÜLLT\n"),
        "{title}"
    );
}

#[test]
fn what_is_not_masked_is_found() {
    let folder = Folder::new();
    folder.ok(&["record", "lab.kmslab", "--no-mask", "--pace", "fast"]);
    let output = folder.run(&["verify-cast", "lab.kmslab"]);
    assert_eq!(output.status.code(), Some(1));
    let found = text(&output.stdout);
    assert!(
        found.lines().any(|line| line.starts_with("lab.kmslab:") && line.contains("an access key's id: AKIA")),
        "{found}"
    );
    folder.ok(&["record", "masked.kmslab", "--pace", "fast"]);
    folder.ok(&["verify-cast", "masked.kmslab"]);
    folder.refuses(&["verify-cast", "nothing.cast"], "can't be read");
}
