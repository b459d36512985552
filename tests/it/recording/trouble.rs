//! What can't be written: told before anything begins where that is known then, and nothing half-written after that.

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};

use rstest::rstest;

use super::{Folder, asciicast, text};

#[test]
fn an_unwritable_file_is_refused_at_the_start() {
    let folder = Folder::new();
    std::fs::write(folder.path("mine.cast"), "mine").unwrap();
    folder.refuses(&["record", "mine.cast"], "mine.cast exists: --force replaces it");
    assert_eq!(folder.read("mine.cast"), b"mine");
    let missing = "can't be written: there is no folder none; create it first";
    for name in ["lab.cast", "lab.kmslab", "lab.gif", "lab.txt"] {
        folder.refuses(&["record", &format!("none/{name}")], &format!("none/{name} {missing}"));
    }
    folder.refuses(&["record", "none/who.txt", "--stage", "who"], missing);
    folder.refuses(&["record", "mine.cast/lab.svg"], "mine.cast/lab.svg can't be written: mine.cast is not a folder");
    folder.refuses(&["record", "lab.mov"], "the extension decides the format");
    folder.refuses(&["record", "lab.cast", "--stage", "grant"], "make stills, which are .svg, .png or .txt");
    folder.refuses(&["record", "lab.svg", "--stage", "nowhere"], "the stages are");
    folder.refuses(&["record"], "FILE");
    folder.refuses(&["run", "--record", "lab.cast"], "--record goes with the interactive lab");
    folder.refuses(&["--record", "lab.cast"], "on a screen");
    std::fs::create_dir_all(folder.path("all/5_create_user.svg")).unwrap();
    folder.refuses(&["record", "all", "--force"], "the extension decides the format");
    folder.refuses(&["record", "--all", "all", "--force"], "5_create_user.svg can't be written");
    assert_eq!(std::fs::read_dir(folder.path("all")).unwrap().count(), 1);
    std::fs::create_dir(folder.path("lab.gif")).unwrap();
    std::fs::create_dir(folder.path("lab.cast")).unwrap();
    folder.refuses(&["record", "lab.gif", "--force"], "lab.gif can't be written");
    folder.refuses(&["record", "lab.cast", "--force"], "lab.cast can't be written");
    folder.refuses(&["record", "wide.gif", "--width", "7681"], "7681 pixels are more than the 7680");
    folder.refuses(&["record", "lab.svg", "--teaser", "--stage", "grant"], "cannot be used with");
    folder.refuses(&["record", "new.png", "--font", "none.ttf"], "--font none.ttf: it can't be read");
    folder.refuses(&["record", "new.png", "--font", "mine.cast"], "--font mine.cast: it is no font of a known kind");
    folder.refuses(&["record", "new.png", "--font", "all"], "--font all: it can't be read: is a directory");
    folder.refuses(&["record", "new.svg", "--font", "mine.cast"], "--font is for images and videos");
    assert_eq!(folder.names(), ["all", "lab.cast", "lab.gif", "mine.cast"]);
}

/// A character without a glyph is reported once, with the remedy.
#[test]
fn what_no_font_has_is_told_at_the_end() {
    let folder = Folder::new();
    let lesson = folder.path("lesson");
    let embedded = concat!(env!("CARGO_MANIFEST_DIR"), "/assets/lesson");
    std::fs::create_dir_all(lesson.join("en")).unwrap();
    std::fs::copy(format!("{embedded}/sources.toml"), lesson.join("sources.toml")).unwrap();
    for entry in std::fs::read_dir(format!("{embedded}/en")).unwrap() {
        let entry = entry.unwrap();
        let text = std::fs::read_to_string(entry.path()).unwrap();
        let text = text.replace("title = \"The same Scan, twice\"", "title = \"表を二回あ見る表\"");
        std::fs::write(lesson.join("en").join(entry.file_name()), text).unwrap();
    }
    let wide = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/screens/film/wide.ttf");
    let told = |more: &[&str]| {
        let output = folder.run(&[&["record", "--stage", "view_denied", "--lesson", "lesson"], more].concat());
        assert!(output.status.success(), "{}", text(&output.stderr));
        text(&output.stderr)
    };
    let all = told(&["one.png"]);
    let begin = "kmslab: no font here has 表 (U+8868), を (U+3092), 二 (U+4E8C), 回 (U+56DE), あ (U+3042) and 2 more: ";
    assert!(all.starts_with(begin) && all.contains("--font FILE") && all.lines().count() == 1, "{all}");
    let rest = told(&["two.png", "--font", wide]);
    assert!(
        rest.contains("no font here has を (U+3092), 二 (U+4E8C), 回 (U+56DE), 見 (U+898B), る (U+308B): "),
        "{rest}"
    );
    assert_eq!(told(&["three.svg"]), "");
    assert_ne!(folder.read("one.png"), folder.read("two.png"));
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
        .args(["-c", &format!("trap '' XFSZ; ulimit -f 2000; exec {program} record lab.cast --as-seen --size 400x200")])
        .current_dir(folder.0.path())
        .env("TMPDIR", "/tmp")
        .output()
        .unwrap();
    assert_eq!(limited.status.code(), Some(1), "{}", text(&limited.stderr));
    assert!(text(&limited.stderr).contains("lab.cast is not complete"), "{}", text(&limited.stderr));
    let (_, events) = asciicast::read(&folder.read("lab.cast")).unwrap();
    assert!(events.len() > 3, "{}", events.len());
}

/// Not even its first line could be written: then there is no file.
#[cfg(unix)]
#[rstest]
fn a_disk_that_is_full_from_the_beginning_gets_no_file(#[values("lab.cast", "lab.kmslab")] name: &str) {
    let folder = Folder::new();
    let program = env!("CARGO_BIN_EXE_kmslab");
    // The sandbox would need a file itself; nothing is sent to this endpoint.
    let script = format!(
        "trap '' XFSZ; ulimit -f 0; exec {program} record {name} --endpoint-url http://127.0.0.1:9 --region us-east-1"
    );
    let mut command = Command::new("sh");
    command.args(["-c", &script]).current_dir(folder.0.path()).env_clear().env("HOME", folder.0.path());
    command.env("AWS_ACCESS_KEY_ID", "test").env("AWS_SECRET_ACCESS_KEY", "test");
    let full = command.env("AWS_EC2_METADATA_DISABLED", "true").output().unwrap();
    assert_eq!(full.status.code(), Some(2), "{}", text(&full.stderr));
    assert!(text(&full.stderr).contains(&format!("{name} can't be written: ")), "{}", text(&full.stderr));
    assert_eq!(folder.names(), [""; 0]);
}

/// A film is written at its end: then it is whole, or it is not there.
#[cfg(unix)]
#[rstest]
#[case("lab.gif", "1920")]
#[case("lab.svg", "1920")]
#[case("lab.html", "1920")]
#[case("lab.png", "7680")]
fn a_full_disk_holds_no_half_a_film(#[case] name: &str, #[case] width: &str) {
    let folder = Folder::new();
    let program = env!("CARGO_BIN_EXE_kmslab");
    // 225 kB a file: more than the sandbox's database needs, and less than any of these.
    let script =
        format!("trap '' XFSZ; ulimit -f 440; exec {program} record {name} --as-seen --size 120x34 --width {width}");
    let limited = Command::new("sh").args(["-c", &script]).current_dir(folder.0.path()).output().unwrap();
    assert_eq!(limited.status.code(), Some(1), "{}", text(&limited.stderr));
    assert!(text(&limited.stderr).contains(&format!("{name} can't be written: ")), "{}", text(&limited.stderr));
    assert_eq!(folder.names(), [""; 0]);
}

#[cfg(unix)]
#[test]
fn a_film_that_takes_long_can_be_stopped() {
    let folder = Folder::new();
    let mut command = folder.command(&["record", "lab.gif", "--as-seen", "--width", "3840"]);
    let mut child = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
    let mut said = BufReader::new(child.stderr.take().unwrap()).lines();
    assert_eq!(said.next().unwrap().unwrap(), "kmslab: writing lab.gif … (ctrl-c ends that)");
    let killed = Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
    assert!(killed.success());
    assert_eq!(said.next().unwrap().unwrap(), "kmslab: lab.gif was not written: stopped");
    assert_eq!(child.wait().unwrap().code(), Some(130));
    assert_eq!(folder.names(), [""; 0]);
}
