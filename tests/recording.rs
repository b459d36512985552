//! `kmslab record`, `replay` and `verify-cast` from outside: what they write, and what they refuse.
#![expect(clippy::unwrap_used, reason = "helpers of tests fail where they stand, like the tests themselves")]

#[path = "common/asciicast.rs"]
mod asciicast;
#[path = "recording/format.rs"]
mod format;
#[path = "recording/replay.rs"]
mod replay;

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use rstest::rstest;

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

    fn run(&self, arguments: &[&str]) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_kmslab"));
        command.env_clear().current_dir(self.0.path()).stdin(Stdio::null());
        command.env("HOME", self.0.path()).env("TMPDIR", self.0.path()).env("AWS_EC2_METADATA_DISABLED", "true");
        command.args(arguments).output().unwrap()
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
#[case("a.cast", &["--cast-version", "2", "--size", "80x24", "--theme", "light", "--keys", "--captions"])]
#[case("a.kmslab", &[])]
fn with_a_seed_it_repeats(#[case] name: &str, #[case] more: &[&str]) {
    let folder = Folder::new();
    let arguments = [&["record", name, "--force", "--seed", "7"], more].concat();
    let [one, other] = [(), ()].map(|()| {
        folder.ok(&arguments);
        let recorded = text(&folder.read(name));
        // The one thing that differs.
        let (head, rest) = recorded.split_once('\n').unwrap();
        let mut head: serde_json::Value = serde_json::from_str(head).unwrap();
        assert!(head["timestamp"].as_u64().unwrap() > 1_767_225_600);
        head["timestamp"] = 0.into();
        (head, rest.to_owned())
    });
    assert!(one == other, "{}", one.1.lines().zip(other.1.lines()).find(|(a, b)| a != b).map_or("", |(a, _)| a));
}

#[test]
fn the_whole_lab_is_a_film_with_chapters() {
    let folder = Folder::new();
    let told = folder.ok(&["record", "lab.cast"]);
    assert!(told.starts_with("recorded lab.cast: 100×28, 1:"), "{told}");
    assert!(told.contains("poster npt:0:") && told.contains("(6 DENIED)"), "{told}");
    let bytes = folder.read("lab.cast");
    let pictures = pictures(&bytes);
    let length = pictures.last().unwrap().0;
    assert!((90.0..120.0).contains(&length), "{length}");
    let markers: Vec<&(f64, char, String, String)> = pictures.iter().filter(|event| event.1 == 'm').collect();
    let labels: Vec<&str> = markers.iter().map(|event| event.2.as_str()).collect();
    assert_eq!(labels.len(), 18, "{labels:?}");
    assert_eq!(labels[10..16], ["6 view_denied", "6 DENIED", "7 grant", "7 MET", "8 view_again", "8 ALLOWED"]);
    for (_, _, label, screen) in &markers {
        // A player that stops here shows the chapter's picture.
        let stage = &label[..1];
        assert!(screen.contains(&format!("{stage}/9")), "{label}:\n{screen}");
        assert_eq!(screen.contains("✔ MET"), label.chars().nth(2).unwrap().is_ascii_uppercase(), "{label}:\n{screen}");
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
    let at = events.iter().position(|event| event.2 == "6 DENIED").unwrap();
    let mut terminal = vt100::Parser::new(24, 80, 0);
    terminal.process(events[at + 1].2.as_bytes());
    let screen = terminal.screen();
    assert!(screen.contents().contains("✘ DENIED") && screen.contents().contains("6/9"), "{}", screen.contents());
    assert!(screen.hide_cursor());
}

#[test]
fn keys_and_captions_are_shown_and_recorded_when_asked_for() {
    let folder = Folder::new();
    folder.ok(&["record", "lab.cast", "--keys", "--captions", "--big", "--pace", "fast"]);
    let pictures = pictures(&folder.read("lab.cast"));
    let typed: String = pictures.iter().filter(|event| event.1 == 'i').map(|event| event.2.as_str()).collect();
    assert!(typed.starts_with(['a', 'b', 'c', 'd']) && typed.contains("\t") && typed.ends_with("\r\r"), "{typed:?}");
    assert!(pictures.iter().any(|picture| picture.3.contains("⏎  scan as both")));
    assert!(pictures.iter().any(|picture| picture.3.contains("Send one Scan as admin and as test-user, at the same")));
    // One pane at a time.
    let denied = pictures.iter().find(|picture| picture.2 == "6 DENIED").unwrap();
    assert!(!denied.3.contains('┭') && denied.3.contains("✘ DENIED   HTTP 400"), "{}", denied.3);
    assert!(pictures.iter().any(|picture| picture.3.contains("action    kms:Decrypt")));
}

#[test]
fn a_teaser_is_short_and_shows_both_readings() {
    let folder = Folder::new();
    let told = folder.ok(&["record", "teaser.cast", "--teaser"]);
    let pictures = pictures(&folder.read("teaser.cast"));
    assert!((30.0..50.0).contains(&pictures.last().unwrap().0), "{told}");
    let first = pictures.iter().find(|event| event.1 == 'm').unwrap();
    assert_eq!(first.2, "4 view_admin");
    assert!(told.contains("6 DENIED") && told.trim_end().ends_with("8 ALLOWED"), "{told}");
}

#[test]
fn stills_of_one_stage_and_of_all() {
    let folder = Folder::new();
    folder.ok(&["record", "denied.svg", "--stage", "view_denied", "--size", "80x24"]);
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

#[test]
fn what_can_not_be_written_is_told_before_anything_begins() {
    let folder = Folder::new();
    std::fs::write(folder.path("mine.cast"), "mine").unwrap();
    folder.refuses(&["record", "mine.cast"], "mine.cast exists: --force replaces it");
    assert_eq!(folder.read("mine.cast"), b"mine");
    folder.refuses(&["record", "none/lab.cast"], "none/lab.cast can't be written");
    folder.refuses(&["record", "none/lab.gif"], "none/lab.gif can't be written");
    folder.refuses(&["record", "lab.mov"], "the ending says what it becomes");
    folder.refuses(&["record", "lab.cast", "--stage", "grant"], "a still is");
    folder.refuses(&["record", "lab.svg", "--stage", "nowhere"], "the stages are");
    folder.refuses(&["record"], "FILE");
    folder.refuses(&["run", "--record", "lab.cast"], "--record goes with the interactive lab");
    folder.refuses(&["--record", "lab.cast"], "on a screen");
    assert_eq!(folder.names(), ["mine.cast"]);
}

#[cfg(unix)]
#[test]
fn a_full_disk_is_told() {
    let folder = Folder::new();
    std::os::unix::fs::symlink("/dev/full", folder.path("full.cast")).unwrap();
    folder.refuses(&["record", "full.cast", "--force"], "full.cast can't be written");
    // After some lines: what is there is whole.
    let program = env!("CARGO_BIN_EXE_kmslab");
    let limited = Command::new("sh")
        .args(["-c", &format!("trap '' XFSZ; ulimit -f 2000; exec {program} record lab.cast --size 400x200")])
        .current_dir(folder.0.path())
        .env("TMPDIR", "/tmp")
        .output()
        .unwrap();
    assert_eq!(limited.status.code(), Some(1), "{}", text(&limited.stderr));
    assert!(text(&limited.stderr).contains("lab.cast is not complete"), "{}", text(&limited.stderr));
    let (_, events) = asciicast::read(&folder.read("lab.cast")).unwrap();
    assert!(events.len() > 3, "{}", events.len());
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

/// A program that is on this machine, for the formats that others read.
fn installed(name: &str) -> Option<PathBuf> {
    std::env::split_paths(&std::env::var_os("PATH")?).map(|folder| folder.join(name)).find(|path| path.exists())
}

fn reads(program: &Path, arguments: &[&str], folder: &Folder) {
    let output = Command::new(program).args(arguments).current_dir(folder.0.path()).output().unwrap();
    assert!(output.status.success(), "{} {arguments:?}: {}", program.display(), text(&output.stderr));
}

#[test]
fn other_programs_read_it() {
    let folder = Folder::new();
    folder.ok(&["record", "two.cast", "--cast-version", "2", "--teaser"]);
    folder.ok(&["record", "three.cast", "--pace", "fast"]);
    if let Some(asciinema) = installed("asciinema") {
        let version = text(&Command::new(&asciinema).arg("--version").output().unwrap().stdout);
        // Debian's 2.2 reads version 2 alone.
        if version.contains(" 3.") {
            reads(&asciinema, &["convert", "three.cast", "three.txt"], &folder);
            reads(&asciinema, &["convert", "three.cast", "again.cast"], &folder);
        } else {
            reads(&asciinema, &["cat", "two.cast"], &folder);
        }
    }
    if let Some(svg_term) = installed("svg-term") {
        reads(&svg_term, &["--in", "two.cast", "--out", "two.svg"], &folder);
        assert!(folder.read("two.svg").len() > 10_000);
    }
    if let Some(agg) = installed("agg") {
        reads(&agg, &["three.cast", "three.gif"], &folder);
    }
}
