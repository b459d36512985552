//! Other programs read what is recorded.
//!
//! `.ci/run` installs them: asciinema 2.4 and 2.2 (Debian's) and agg from PyPI, svg-term and asciinema's player from npm. Where one is not
//! installed its test says so and passes, unless `KMSLAB_NEEDS_CLIENTS` is set, as it is there. asciinema 3 is run where
//! it is installed.

use std::path::{Path, PathBuf};
use std::process::Command;

use super::{Folder, is_verdict, pictures, text};

/// Programs, and packages of npm, that are only for tests.
const CLIENTS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/target/clients");

pub(super) fn program(name: &str) -> Option<PathBuf> {
    std::env::split_paths(&std::env::var_os("PATH")?).map(|folder| folder.join(name)).find(|path| path.exists())
}

/// The same path, if something is there.
pub(super) fn installed(what: &str, path: Option<PathBuf>) -> Option<PathBuf> {
    let there = path.filter(|path| path.exists());
    let is_needed = std::env::var_os("KMSLAB_NEEDS_CLIENTS").is_some();
    assert!(there.is_some() || !is_needed, "{what} is not installed: see .ci/run");
    if there.is_none() {
        eprintln!("skipped: {what} is not installed");
    }
    there
}

/// A package that npm has installed.
fn package(place: &str) -> Option<PathBuf> {
    Some(Path::new(CLIENTS).join("npm/node_modules").join(place))
}

/// Runs a reader, which must succeed, and gives what it prints.
pub(super) fn reads(program: &Path, arguments: &[&str], folder: &Folder) -> String {
    let mut command = Command::new(program);
    // asciinema wants UTF-8, and not every machine has the language that its person has set.
    command.args(arguments).env("LC_ALL", "C.UTF-8").current_dir(folder.0.path());
    let output = command.output().unwrap();
    assert!(output.status.success(), "{} {arguments:?}: {}", program.display(), text(&output.stderr));
    text(&output.stdout)
}

#[test]
fn asciinema_reads_it() {
    let Some(asciinema) = installed("asciinema", program("asciinema")) else { return };
    let folder = Folder::new();
    let version = reads(&asciinema, &["--version"], &folder);
    if version.contains(" 3.") {
        folder.ok(&["record", "three.cast", "--as-seen", "--cast-version", "3", "--pace", "fast", "--keys"]);
        reads(&asciinema, &["convert", "three.cast", "again.cast"], &folder);
        assert_eq!(text(&folder.read("three.cast")), text(&folder.read("again.cast")));
    } else {
        folder.ok(&["record", "two.cast", "--teaser", "--as-seen", "--keys"]);
        let shown = reads(&asciinema, &["cat", "two.cast"], &folder);
        assert!(shown.contains("kms:Decrypt"), "{} bytes", shown.len());
    }
}

/// Its `cat` wants a terminal, `play` does not.
#[test]
fn debians_asciinema_plays_it() {
    let place = Path::new(CLIENTS).join("debian/bin/asciinema");
    let Some(asciinema) = installed("asciinema 2.2", Some(place)) else { return };
    let folder = Folder::new();
    assert_eq!(reads(&asciinema, &["--version"], &folder), "asciinema 2.2.0\n");
    folder.ok(&["record", "two.cast", "--as-seen", "--keys"]);
    let shown = reads(&asciinema, &["play", "-s", "1000", "-i", "0.001", "two.cast"], &folder);
    // Ends with all that the file shows.
    let mut terminal = vt100::Parser::new(28, 100, 0);
    terminal.process(shown.as_bytes());
    let last = pictures(&folder.read("two.cast")).pop().unwrap().3;
    assert!(last.contains("stages met") && terminal.screen().contents() == last, "{}", terminal.screen().contents());
}

#[test]
fn agg_makes_a_gif_of_it() {
    let Some(agg) = installed("agg", program("agg")) else { return };
    let folder = Folder::new();
    folder.ok(&["record", "two.cast", "--teaser"]);
    let font = concat!(env!("CARGO_MANIFEST_DIR"), "/assets/font");
    // The release on PyPI is one from before version 3 of the format.
    reads(&agg, &["--font-dir", font, "--font-family", "JetBrains Mono", "two.cast", "two.gif"], &folder);
    let gif = folder.read("two.gif");
    assert!(gif.starts_with(b"GIF89a") && gif.len() > 100_000, "{} bytes", gif.len());
}

#[test]
fn svg_term_makes_a_picture_of_it() {
    let Some(svg_term) = installed("svg-term", package(".bin/svg-term")) else { return };
    let folder = Folder::new();
    folder.ok(&["record", "two.cast", "--teaser"]);
    reads(&svg_term, &["--in", "two.cast", "--out", "two.svg"], &folder);
    let svg = text(&folder.read("two.svg"));
    assert!(svg.contains("kms:Decrypt") && svg.contains("The same Scan, twice"), "{} bytes", svg.len());
}

#[test]
fn asciinemas_player_stops_at_a_chapters_first_frame() {
    let Some(player) = installed("asciinema-player", package("asciinema-player/dist")) else { return };
    let folder = Folder::new();
    let told = folder.ok(&["record", "two.cast", "--as-seen"]);
    let file = folder.path("two.cast");
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/recording/player.mjs");
    let node = program("node").unwrap();
    let played = reads(&node, &[script, player.to_str().unwrap(), file.to_str().unwrap()], &folder);
    let played: serde_json::Value = serde_json::from_str(&played).unwrap();
    let markers = played["markers"].as_array().unwrap();
    assert_eq!(markers.len(), 18, "{markers:?}");
    let mut terminal = vt100::Parser::new(28, 100, 0);
    let mut named = 0;
    for marker in markers {
        let (seconds, label) = (marker[0].as_f64().unwrap(), marker[1].as_str().unwrap());
        terminal.process(marker[2].as_str().unwrap().as_bytes());
        let screen = terminal.screen().contents();
        assert!(screen.contains(&format!("{}/9", &label[..1])), "{label}:\n{screen}");
        assert_eq!(screen.contains("✔ As expected"), is_verdict(label), "{label}:\n{screen}");
        // Where we say it is, for those that we name.
        let time = format!("{}:{:02}", seconds as u64 / 60, seconds as u64 % 60);
        named += usize::from(told.contains(&format!("\n{time} {}", label[2..].trim_end_matches(" MET"))));
    }
    assert!(named >= 5, "{named} of:\n{told}");
}
