//! Films: how long their screens stay, what they show, and which way they take.

use std::fmt::Write;

use kmslab::lab::Pace;
use kmslab::lab::reading::new_words;
use rstest::rstest;

use super::{DENIED, Folder, asciicast, pictures, text};

/// A screen that stays.
struct Hold {
    seconds: f64,
    words: usize,
    screen: String,
}

/// The screens of a film as a terminal shows them, with the new words of each.
fn holds(cast: &[u8]) -> Vec<Hold> {
    let (_, events) = asciicast::read(cast).unwrap();
    let end = events.last().unwrap().0;
    let mut drawn: Vec<(f64, String)> =
        pictures(cast).into_iter().filter(|event| event.1 == 'o').map(|event| (event.0, event.3)).collect();
    // What keeps a pause changes nothing on the screen.
    drawn.dedup_by(|next, shown| next.1 == shown.1);
    let ends: Vec<f64> = drawn.iter().skip(1).map(|(at, _)| *at).chain([end]).collect();
    let shown: Vec<(f64, String)> = drawn
        .into_iter()
        .zip(ends)
        .map(|((at, screen), end)| (end - at, screen))
        .filter(|(seconds, _)| *seconds > 0.05)
        .collect();
    let before = std::iter::once("").chain(shown.iter().map(|(_, screen)| screen.as_str()));
    let words: Vec<usize> = before.zip(&shown).map(|(before, (_, screen))| new_words(before, screen)).collect();
    shown.into_iter().zip(words).map(|((seconds, screen), words)| Hold { seconds, words, screen }).collect()
}

/// One line for each: its seconds, words and words a minute.
fn table(holds: &[Hold]) -> String {
    let mut table = String::new();
    for Hold { seconds, words, screen } in holds {
        let rate = *words as f64 / seconds * 60.0;
        let caption = screen.lines().find_map(|line| line.trim().strip_prefix('▌')).unwrap_or_default();
        let _ = writeln!(table, "{seconds:6.2} s {words:4} words {rate:4.0} wpm  {caption}");
    }
    let seconds: f64 = holds.iter().map(|hold| hold.seconds).sum();
    let words: usize = holds.iter().map(|hold| hold.words).sum();
    let _ = writeln!(table, "{seconds:6.2} s {words:4} words {:4.0} wpm  in all", words as f64 / seconds * 60.0);
    table
}

#[rstest]
#[case::talk("talk", Pace::Talk, 240.0, &[])]
#[case::read("read", Pace::Read, 240.0, &[])]
#[case::fast("fast", Pace::Fast, 240.0, &[])]
#[case::german("talk", Pace::Talk, 240.0, &["--lang", "de"])]
#[case::small("talk", Pace::Talk, 240.0, &["--size", "80x24"])]
#[case::teaser("talk", Pace::Talk, 45.0, &["--teaser"])]
#[case::german_teaser("talk", Pace::Talk, 45.0, &["--teaser", "--lang", "de"])]
fn every_screen_stays_until_it_is_read(
    #[case] name: &str,
    #[case] pace: Pace,
    #[case] most: f64,
    #[case] more: &[&str],
) {
    let folder = Folder::new();
    folder.ok(&[&["record", "lab.cast", "--seed", "1", "--pace", name], more].concat());
    let holds = holds(&folder.read("lab.cast"));
    let table = table(&holds);
    println!("{name} {more:?}\n{table}");
    let is_teaser = more.contains(&"--teaser");
    assert_eq!(holds.len(), if is_teaser { 9 } else { 27 }, "{table}");
    let limit = pace.words_per_minute() as f64 * 1.005;
    for hold in &holds {
        let rate = hold.words as f64 / hold.seconds * 60.0;
        assert!(hold.seconds > 1.49 && rate <= limit, "{table}\n{}", hold.screen);
        assert!(!is_teaser || hold.words <= 40, "{table}\n{}", hold.screen);
    }
    assert!(holds.iter().map(|hold| hold.seconds).sum::<f64>() <= most, "{table}");
}

#[test]
fn a_learners_screen_stays_as_long() {
    let folder = Folder::new();
    folder.ok(&["record", "lab.cast", "--seed", "1", "--as-seen", "--pace", "fast"]);
    let holds = holds(&folder.read("lab.cast"));
    // What is shown between two keys that belong together is no hold.
    for hold in holds.iter().filter(|hold| hold.seconds > 1.0) {
        let rate = hold.words as f64 / hold.seconds * 60.0;
        assert!(rate <= 560.0, "{:.1} s, {} words\n{}", hold.seconds, hold.words, hold.screen);
    }
}

#[test]
fn speed_changes_the_holds_alone() {
    let folder = Folder::new();
    let length = |speed: &str| {
        folder.ok(&["record", "lab.cast", "--seed", "1", "--teaser", "--speed", speed, "--force"]);
        let (_, events) = asciicast::read(&folder.read("lab.cast")).unwrap();
        events.last().unwrap().0
    };
    let (one, two) = (length("1"), length("2"));
    assert!((one / two - 2.0).abs() < 0.01, "{one} {two}");
    folder.refuses(&["record", "x.cast", "--speed", "9"], "from 0.25 to 4");
}

#[test]
fn a_film_says_what_happens_and_shows_no_keys() {
    let folder = Folder::new();
    let told = folder.ok(&["record", "lab.cast", "--seed", "1"]);
    let bytes = folder.read("lab.cast");
    let pictures = pictures(&bytes);
    let screens: Vec<&str> = pictures.iter().map(|picture| picture.3.as_str()).collect();
    for footer in ["? keys", "q quit", "request id", "HTTP 400", "look at"] {
        assert!(!screens.iter().any(|screen| screen.contains(footer)), "{footer}");
    }
    assert!(screens.iter().any(|screen| screen.contains("Encrypt data with AWS KMS") && screen.contains("████")));
    let denied = pictures.iter().position(|picture| picture.2 == DENIED).unwrap();
    let denied = pictures[denied..].iter().find(|picture| picture.1 == 'o').map_or("", |picture| picture.3.as_str());
    for shown in [
        "6/9  The same Scan, twice",
        "dynamodb:Scan",
        "─▸ KMS ✘ ─┤ no items",
        "✘ DENIED on kms:Decrypt",
        "▌ Same call, same table.",
    ] {
        assert!(denied.contains(shown), "{shown}\n{denied}");
    }
    let labels: Vec<&str> = pictures.iter().filter(|event| event.1 == 'm').map(|event| event.2.as_str()).collect();
    assert_eq!(labels.len(), 18, "{labels:?}");
    let end = screens.last().unwrap();
    assert!(end.contains("✘ DENIED  ─▸  key policy changed  ─▸  ✔ ALLOWED") && !end.contains("skipped"), "{end}");
    assert!(told.contains(&format!("({DENIED})")), "{told}");
    // Players and video sites read them.
    assert_eq!(folder.names(), ["lab.cast", "lab.srt", "lab.vtt"]);
    let vtt = text(&folder.read("lab.vtt"));
    assert!(vtt.starts_with("WEBVTT\n\n00:00:00.000 --> ") && vtt.matches(" --> ").count() == 27, "{vtt}");
    assert!(text(&folder.read("lab.srt")).starts_with("1\n00:00:00,000 --> "));
    assert_eq!(folder.ok(&["verify-cast", "lab.cast"]), "lab.cast: nothing found\n");
}

#[test]
fn captions_can_stay_out_of_the_picture() {
    let folder = Folder::new();
    folder.ok(&["record", "lab.cast", "--teaser", "--no-captions", "--title", "Same Scan", "--url", "example.org/lab"]);
    let pictures = pictures(&folder.read("lab.cast"));
    assert!(!pictures.iter().any(|picture| picture.3.contains('▌')));
    assert!(pictures.last().unwrap().3.contains("example.org/lab"), "{}", pictures.last().unwrap().3);
    assert!(text(&folder.read("lab.vtt")).contains("Same call, same table."));
    std::fs::write(folder.path("lab.vtt"), "mine").unwrap();
    folder.ok(&["record", "lab.gif", "--teaser", "--width", "640"]);
    assert_eq!(text(&folder.read("lab.vtt")), "mine", "only --force replaces it");
    folder.refuses(&["record", "x.gif", "--keys"], "--keys goes with --as-seen");
}

const SCRIPT: &str = "kmslab-script 1
title \"One grant\"
stage view_denied ask
wait test-user denied 60s
key w
caption \"A caption of my own.\"
stage grant..view_again
wait test-user allowed 60s
experiment kms_grant
end --url example.org/kmslab
";

#[test]
fn a_script_leads_another_way() {
    let folder = Folder::new();
    std::fs::write(folder.path("grant.kms"), SCRIPT).unwrap();
    assert_eq!(folder.ok(&["script", "check", "grant.kms"]), "grant.kms: 17 screens\n");
    let told = folder.ok(&["record", "grant.cast", "--script", "grant.kms", "--seed", "3"]);
    let pictures = pictures(&folder.read("grant.cast"));
    let at = |shown: &str| {
        let found = pictures.iter().position(|picture| picture.3.contains(shown));
        found.unwrap_or_else(|| panic!("{shown} is never shown: {told}"))
    };
    let places = [
        at("What will test-user's Scan return?"),
        at("A caption of my own."),
        at("Now both can read."),
        at("A grant instead"),
    ];
    assert!(places.is_sorted(), "{places:?}");
    assert!(!pictures.iter().any(|picture| picture.3.contains("1/9")), "what comes before is passed over");
    assert!(pictures.last().unwrap().3.contains("example.org/kmslab"));

    let wrong = SCRIPT.replace("wait test-user denied", "wait test-user allowed");
    std::fs::write(folder.path("wrong.kms"), wrong).unwrap();
    let output = folder.run(&["record", "wrong.cast", "--script", "wrong.kms"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(text(&output.stderr).contains("line 4: test-user was denied, not allowed"), "{}", text(&output.stderr));
}

#[test]
fn a_wrong_script_is_told_before_anything_begins() {
    let folder = Folder::new();
    std::fs::write(folder.path("x.kms"), "kmslab-script 1\nstage gramt\nexperiment kms_grants\n").unwrap();
    let says = "x.kms:2:7: no stage \"gramt\"; grant?\nx.kms:3:12: no experiment \"kms_grants\"; kms_grant?";
    folder.refuses(&["script", "check", "x.kms"], says);
    folder.refuses(&["record", "lab.cast", "--script", "x.kms"], says);
    folder.refuses(&["record", "lab.cast", "--script", "none.kms"], "none.kms can't be read");
    folder.refuses(&["record", "lab.cast", "--experiment", "none"], "the experiments are: disable_key");
    assert_eq!(folder.names(), ["x.kms"]);
}

#[rstest]
#[case("rotate")]
#[case("disable_key")]
#[case("iam_allow")]
fn an_experiment_is_a_film(#[case] id: &str) {
    let folder = Folder::new();
    let told = folder.ok(&["record", "one.cast", "--experiment", id, "--seed", "1"]);
    assert_eq!(holds(&folder.read("one.cast")).len(), 4, "{told}");
    assert!(told.contains(": MET"), "{told}");
}
