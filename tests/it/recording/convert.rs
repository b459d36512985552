//! `kmslab convert`: what was recorded becomes another format, as if it had been recorded so.

use rstest::rstest;

use super::{DENIED, Folder, pictures, text};

#[rstest]
#[case("2")]
#[case("3")]
fn a_converted_recording_is_the_one_that_would_have_been_made(#[case] version: &str) {
    let folder = Folder::new();
    folder.ok(&["record", "lab.cast", "--seed", "7", "--teaser", "--cast-version", version]);
    for name in ["lab.gif", "lab.svg", "lab.png"] {
        let converted = format!("converted-{name}");
        folder.ok(&["record", name, "--seed", "7", "--teaser", "--width", "640"]);
        let told = folder.ok(&["convert", "lab.cast", &converted, "--width", "640"]);
        assert!(told.starts_with(&format!("recorded {converted}: 100×28, ")), "{told}");
        if version == "2" && name != "lab.svg" {
            // The title of a film is not in a cast, and version 3 has only milliseconds.
            assert!(folder.read(name) == folder.read(&converted), "{name}");
        }
    }
    let html = folder.ok(&["convert", "lab.cast", "lab.html", "--lang", "en"]);
    assert!(html.contains("(6 The same Scan, twice: DENIED)"), "{html}");
    let page = text(&folder.read("lab.html"));
    assert!(page.contains("<html lang=\"en\"") && page.contains(DENIED) && page.contains("<title>lab</title>"));
    folder.ok(&["convert", "lab.cast", "lab.txt"]);
    let transcript = text(&folder.read("lab.txt"));
    assert!(transcript.starts_with("lab\n0:") && transcript.contains("kms:Decrypt"), "{transcript}");
}

#[test]
fn a_cast_becomes_a_cast_of_the_other_version() {
    let folder = Folder::new();
    folder.ok(&["record", "three.cast", "--teaser", "--cast-version", "3", "--size", "80x24", "--theme", "light"]);
    folder.ok(&["convert", "three.cast", "two.cast"]);
    // What a player shows where it stops, and at the end. Frames that follow each other fast are merged.
    let seen = |name: &str| {
        let shown = pictures(&folder.read(name));
        let last = shown.last().map(|(.., screen)| (String::new(), screen.clone()));
        let stops = shown.into_iter().filter(|(_, code, ..)| *code == 'm').map(|(_, _, label, screen)| (label, screen));
        stops.chain(last).collect::<Vec<_>>()
    };
    assert!(text(&folder.read("two.cast")).starts_with("{\"version\":2,\"width\":80,"));
    assert!(text(&folder.read("two.cast")).contains("\"bg\":\"#ffffff\""));
    assert_eq!(seen("two.cast"), seen("three.cast"));
    assert_eq!(folder.ok(&["verify-cast", "two.cast"]), "two.cast: nothing found\n");
}

#[test]
fn what_can_not_be_converted_is_told() {
    let folder = Folder::new();
    std::fs::write(folder.path("text.cast"), "no cast\n").unwrap();
    std::fs::write(folder.path("mine.gif"), "mine").unwrap();
    std::fs::write(
        folder.path("small.cast"),
        "{\"version\":2,\"width\":20,\"height\":2}\n[0, \"o\", \"a\"]\n[1, \"o\", \"b\"]\n",
    )
    .unwrap();
    folder.refuses(&["convert", "text.cast", "new.gif"], "text.cast: line 1: it is no asciicast");
    folder.refuses(&["convert", "none.cast", "new.gif"], "none.cast: it can't be read");
    folder.refuses(&["convert", "lab.kmslab", "new.gif"], "kmslab replay");
    folder.refuses(&["convert", "small.cast", "new.kmslab"], "only its pictures");
    folder.refuses(&["convert", "small.cast", "new.mov"], "the extension decides the format");
    folder.refuses(&["convert", "small.cast", "mine.gif"], "mine.gif exists: --force replaces it");
    folder.refuses(&["convert", "small.cast", "new.svg", "--font", "a.ttf"], "--font is for images and videos");
    assert_eq!(folder.names(), ["mine.gif", "small.cast", "text.cast"]);
    assert!(folder.ok(&["convert", "small.cast", "mine.gif", "--force"]).starts_with("recorded mine.gif: 20×2, 0:01"));
}
