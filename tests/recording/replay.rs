//! A session is shown again: at another size, in another theme and language, and always as what it is.

use rstest::rstest;

use super::{Folder, asciicast, pictures, text};

#[test]
fn a_session_is_shown_again_in_other_looks() {
    let folder = Folder::new();
    folder.ok(&["record", "session.kmslab", "--pace", "fast"]);
    for (columns, rows, theme, language, scan) in
        [(80, 24, "light", "de", "Derselbe Scan, zweimal"), (120, 34, "dark", "en", "The same Scan, twice")]
    {
        let size = format!("{columns}x{rows}");
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
        assert!(told.contains("6 DENIED"), "{told}");
        let bytes = folder.read("again.cast");
        let pictures = pictures(&bytes);
        assert!(pictures.iter().all(|(.., screen)| screen.contains("⟳ REPLAY")), "in every picture");
        assert!(pictures.iter().any(|(.., screen)| screen.contains(scan)));
        assert!(!pictures.iter().any(|(.., screen)| screen.contains("SANDBOX")), "nothing is live");
        let denied = pictures.iter().find(|event| event.2 == "6 DENIED").unwrap();
        assert!(denied.3.contains("✔ ALLOWED") && denied.3.contains("✘ DENIED"), "{}", denied.3);
        let last = &pictures.last().unwrap().3;
        assert!(last.contains("8/9"), "{last}");
        let (header, _) = asciicast::read(&bytes).unwrap();
        assert_eq!(header["term"]["cols"], columns);
        assert_eq!(header["term"]["theme"]["bg"], if theme == "light" { "#ffffff" } else { "#101418" });
        folder.ok(&["verify-cast", "again.cast"]);
    }
}

#[test]
fn the_same_answers_give_the_same_pictures() {
    let folder = Folder::new();
    folder.ok(&["record", "live.cast", "--seed", "3"]);
    folder.ok(&["record", "session.kmslab", "--seed", "3"]);
    folder.ok(&["replay", "session.kmslab", "--record", "again.cast"]);
    let at_markers = |name: &str| -> Vec<(String, String)> {
        let markers = pictures(&folder.read(name)).into_iter().filter(|event| event.1 == 'm');
        // The header's badge and the last row say what it is.
        let middle = |screen: &str| screen.lines().skip(1).take(26).collect::<Vec<_>>().join("\n");
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
#[case::foreign(&|_: String| "{\"version\":3}\n".to_owned(), "x.kmslab:1: this is no recorded session")]
#[case::newer(&|text: String| text.replacen("\"kmslab_session\":1", "\"kmslab_session\":2", 1), "x.kmslab:1: it is of version 2")]
#[case::half_a_line(&|text: String| text[..text.len() - 9].to_owned(), "this is no event of a session")]
#[case::unknown_event(&|text: String| text + "{\"at\":999999,\"dance\":1}\n", "this is no event of a session")]
#[case::back_in_time(&|text: String| text + "{\"at\":0,\"intent\":\"advance\"}\n", "it happened before the line above")]
#[case::no_such_call(
    &|text: String| text.lines().filter(|line| !line.contains("\"id\":2,")).collect::<Vec<_>>().join("\n"), "was not made"
)]
fn a_log_that_is_broken_is_told_with_its_line(#[case] change: &dyn Fn(String) -> String, #[case] says: &str) {
    let folder = Folder::new();
    folder.ok(&["record", "session.kmslab", "--pace", "fast"]);
    std::fs::write(folder.path("x.kmslab"), change(text(&folder.read("session.kmslab")))).unwrap();
    folder.refuses(&["replay", "x.kmslab", "--record", "x.cast"], says);
    assert!(!folder.path("x.cast").exists());
}

#[test]
fn a_log_holds_no_secret() {
    let folder = Folder::new();
    folder.ok(&["record", "session.kmslab", "--no-mask"]);
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
