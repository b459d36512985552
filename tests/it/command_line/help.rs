//! What `--help` and the completions show: as much as fits a page, and of each command what has an effect there.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Output;

use rstest::rstest;

use super::{Served, kmslab, text, without_durations};

const COMMANDS: [&str; 18] = [
    "run",
    "drill",
    "doctor",
    "record",
    "script",
    "replay",
    "export",
    "class",
    "notes",
    "shell",
    "env",
    "serve",
    "cleanup",
    "why",
    "reset",
    "verify-cast",
    "lesson",
    "completions",
];

/// Options that can't stand with each other, or alone, and values for them: groups that can. Other tests cover `--record`
/// and `--play`.
const GROUPS: [&[&str]; 4] = [
    &[
        "--mask",
        "--lang=de",
        "--lesson=/nowhere",
        "--fresh",
        "--no-questions",
        "--plain",
        "--bell",
        "--mouse",
        "--audience=127.0.0.1:0",
        "--ascii",
        "--theme=light",
        "--config=/nowhere.toml",
        "--socket=/nowhere.sock",
        "--debug=/dev/null/debug.log",
        "--force",
        "--cast-version=3",
        "--pace=talk",
        "--keys",
        "--captions",
        "--big",
        "--width=640",
        "--height=480",
        "--font=/nowhere.ttf",
        "--size=80x24",
        "--loop=2",
        "--frame",
    ],
    &["--no-mask", "--questions", "--no-ascii", "--region=eu-central-1", "--wait=30"],
    &["--seed=7", "--data=/dev/null/lab"],
    &["--backend=aws", "--admin-profile=nobody", "--user-profile=nobody", "--yes-account=111122223333"],
];

fn helped(arguments: &[&str]) -> String {
    let tmp = tempfile::tempdir().unwrap();
    let output = kmslab(tmp.path()).args(arguments).env("COLUMNS", "80").output().unwrap();
    assert_eq!((output.status.code(), text(&output.stderr).as_str()), (Some(0), ""), "{arguments:?}");
    text(&output.stdout)
}

/// The options that a help has, `--seed`.
fn options(help: &str) -> BTreeSet<String> {
    let names = help.lines().filter_map(|line| line.get(6..).filter(|rest| rest.starts_with("--")));
    names.map(|rest| rest.split([' ', ',', '[']).next().unwrap().to_owned()).collect()
}

/// The options that the help of `command` has.
fn shown(command: &str) -> BTreeSet<String> {
    options(&helped(&[command, "--help"]))
}

fn name(option: &str) -> &str {
    option.split('=').next().unwrap()
}

#[test]
fn the_short_help_is_a_page_and_the_long_one_complete() {
    let (brief, all) = (helped(&["-h"]), helped(&["--help"]));
    assert!(brief.lines().count() <= 50, "{}:\n{brief}", brief.lines().count());
    assert!(brief.lines().chain(all.lines()).all(|line| line.chars().count() <= 80), "{brief}\n{all}");
    for part in ["Where the calls go:", "Examples:\n  kmslab ", "kmslab --backend aws ", "`kmslab COMMAND --help`"] {
        assert!(brief.contains(part) && all.contains(part), "{part}: {brief}");
    }
    for command in COMMANDS {
        assert!(brief.contains(&format!("\n  {command} ")), "{command}");
    }
    let groups = GROUPS.iter().flat_map(|group| group.iter()).map(|option| name(option).to_owned());
    let known: BTreeSet<String> = groups
        .chain(
            ["--endpoint-url", "--join", "--name", "--record", "--xapi", "--play", "--help", "--version"]
                .map(str::to_owned),
        )
        .collect();
    assert_eq!(options(&all), known, "every option is in the groups above");
    assert!(options(&brief).is_subset(&known) && options(&brief).len() < known.len());
}

#[rstest]
#[case("verify-cast", &["--allow", "--help"])]
#[case("reset", &["--help"])]
#[case("completions", &["--help"])]
#[case("why", &["--action", "--admin-profile", "--all-permissions", "--as", "--ascii", "--backend", "--debug",
    "--endpoint-url", "--format", "--help", "--mask", "--no-ascii", "--no-mask", "--offline", "--region", "--table"])]
#[case("class", &["--csv", "--help", "--listen"])]
#[case("lesson", &["--help", "--lesson"])]
#[case("shell", &["--as", "--help"])]
#[case("env", &["--as", "--help", "--shell"])]
#[case("notes", &["--ascii", "--config", "--help", "--no-ascii", "--socket", "--theme"])]
fn a_command_shows_what_it_uses(#[case] command: &str, #[case] options: &[&str]) {
    assert_eq!(shown(command), options.iter().map(|option| (*option).to_owned()).collect());
    assert_eq!(helped(&[command, "-h"]), helped(&["help", command]));
    // What is not shown parses all the same.
    assert_eq!(helped(&[command, "--seed", "1", "--help"]), helped(&[command, "--help"]));
}

#[test]
fn what_stands_below_a_command_shows_the_same() {
    assert_eq!(options(&helped(&["lesson", "check", "--help"])), shown("lesson"));
}

/// fish has one line for each option of each command.
#[test]
fn completions_offer_what_the_help_shows() {
    let tmp = tempfile::tempdir().unwrap();
    let output = kmslab(tmp.path()).args(["completions", "fish"]).output().unwrap();
    let script = text(&output.stdout);
    for command in COMMANDS {
        let using = format!("__fish_kmslab_using_subcommand {command}");
        // Those of `lesson check` have the other's name, too.
        let lines =
            script.lines().filter(|line| line.contains(&using) && !line.contains("and __fish_seen_subcommand_from"));
        let offered: BTreeSet<String> =
            lines.filter_map(|line| Some(format!("--{}", line.split(" -l ").nth(1)?.split(' ').next()?))).collect();
        assert_eq!(offered, shown(command), "{command}");
    }
    let top = "complete -c kmslab -n \"__fish_kmslab_needs_command\" ";
    let top = script.lines().filter(|line| line.starts_with(top) && line.contains(" -l "));
    assert_eq!(top.count(), options(&helped(&["--help"])).len());
}

/// What a command comes to: its status, its lines and what it writes, without what is another each time.
fn comes_to(folder: &Path, arguments: &[&str], more: &[&str]) -> (Option<i32>, String, String, Option<String>) {
    let output: Output = kmslab(folder).current_dir(folder).args(arguments).args(more).output().unwrap();
    let written = arguments.iter().find(|word| word.starts_with("out."));
    let written = written.and_then(|file| std::fs::read(folder.join(file)).ok()).map(|bytes| {
        let written = text(&bytes);
        match written.split_once("\"timestamp\":") {
            Some((before, after)) => format!("{before}{}", after.trim_start_matches(|c: char| c.is_ascii_digit())),
            None => written,
        }
    });
    (output.status.code(), without_durations(&output), text(&output.stderr), written)
}

/// A folder with the session that `arguments` are about.
fn folder(arguments: &[&str]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for file in arguments.iter().filter(|word| word.starts_with("session.")) {
        let record = ["record", file, "--pace", "fast", "--seed", "7", "--no-mask"];
        assert_eq!(comes_to(folder.path(), &record, &[]).0, Some(0));
    }
    folder
}

const DENIED: &str = "User: arn:aws:iam::111122223333:user/app is not authorized to perform: kms:Decrypt on resource: \
                      arn:aws:kms:us-east-1:111122223333:key/1234";
const RUN: &[&str] = &["run", "--format", "jsonl", "--seed", "7"];
const RECORD: &[&str] = &["record", "out.cast", "--seed", "7", "--pace", "fast", "--force"];
/// The screen with keys.
const AS_SEEN: &[&str] = &["record", "out.cast", "--as-seen", "--seed", "7", "--pace", "fast", "--force"];
const REPLAY: &[&str] = &["replay", "session.kmslab", "--record", "out.cast", "--force"];
const EXPORT: &[&str] = &["export", "out.sh", "--force"];

#[rstest]
#[case::run(RUN)]
#[case::doctor(&["doctor"])]
#[case::record(RECORD)]
#[case::replay(REPLAY)]
#[case::export(EXPORT)]
#[case::notes(&["notes"])]
#[case::cleanup(&["cleanup", "--dry-run"])]
#[case::reset(&["reset"])]
#[case::verify_cast(&["verify-cast", "session.cast"])]
#[case::lesson(&["lesson", "check"])]
#[case::completions(&["completions", "bash"])]
#[case::why(&["why", "--offline", DENIED])]
fn what_is_not_shown_has_no_effect(#[case] arguments: &[&str]) {
    let folder = folder(arguments);
    let shown = shown(arguments[0]);
    let bare = comes_to(folder.path(), arguments, &[]);
    for group in GROUPS {
        let hidden: Vec<&str> = group.iter().copied().filter(|option| !shown.contains(name(option))).collect();
        let with = comes_to(folder.path(), arguments, &hidden);
        // What can't stand without another one is refused as everywhere.
        let is_refused = with.0 == Some(2) && with.2.contains("--backend aws");
        assert!(with == bare || is_refused && shown.contains("--backend"), "{hidden:?}: {with:?}\n{bare:?}");
    }
}

#[test]
fn what_serve_does_not_show_has_no_effect() {
    let tmp = tempfile::tempdir().unwrap();
    let shown = shown("serve");
    let served = |more: &[&str]| {
        let served = Served::start(tmp.path(), &[&["--seed", "7"], more].concat());
        served.exports.clone().into_iter().filter(|(name, _)| name != "AWS_ENDPOINT_URL").collect::<Vec<_>>()
    };
    let bare = served(&[]);
    for group in &GROUPS[..2] {
        let hidden: Vec<&str> = group.iter().copied().filter(|option| !shown.contains(name(option))).collect();
        assert_eq!(served(&hidden), bare, "{hidden:?}");
    }
    assert_ne!(served(&["--region", "eu-central-1"]), bare);
    assert_ne!(served(&["--seed", "8"]), bare);
}

/// An option that is wrong where it is used: then the command says so.
#[rstest]
#[case(&["--lesson=/nowhere"], "/nowhere")]
#[case(&["--config=/nowhere.toml"], "/nowhere.toml can't be read")]
#[case(&["--lang=xx"], "there is no lesson in xx")]
#[case(&["--data=/dev/null/lab"], "/dev/null/lab")]
#[case(&["--region=eu-central-1", "--endpoint-url=http://127.0.0.1:9"], "no credentials")]
#[case(&["--endpoint-url=http://127.0.0.1:9", "--region=us-east-1"], "no credentials")]
#[case(&["--backend=aws", "--region=us-east-1"], "no credentials")]
#[case(&["--admin-profile=nobody", "--backend=aws", "--region=us-east-1"], "profile nobody")]
fn what_is_shown_is_used(#[case] more: &[&str], #[case] says: &str) {
    let folder = folder(if more.len() == 1 { REPLAY } else { &[] });
    let bases: [(&str, &[&str]); 10] = [
        ("run", &["run"]),
        ("doctor", &["doctor"]),
        ("record", &["record", "out.cast", "--pace=fast", "--force"]),
        ("replay", REPLAY),
        ("export", EXPORT),
        ("notes", &["notes"]),
        ("serve", &["serve", "--listen=127.0.0.1:0"]),
        ("cleanup", &["cleanup", "--dry-run"]),
        ("lesson", &["lesson", "check"]),
        ("why", &["why", "--table=t", "--as=arn:aws:iam::111122223333:user/u"]),
    ];
    let mut used = 0;
    for (command, arguments) in bases {
        let shown = shown(command);
        // On a served sandbox a region is no mistake.
        if more.iter().all(|option| shown.contains(name(option))) {
            let (status, out, told, _) = comes_to(folder.path(), arguments, more);
            assert!((out + &told).contains(says) && status != Some(0), "{command} {more:?}: {told}");
            used += 1;
        }
    }
    assert!(used > 0);
}

/// Options that make a difference to what is recorded.
#[rstest]
#[case::record(AS_SEEN, &["--no-questions", "--keys"])]
#[case::replay(REPLAY, &[])]
fn what_is_shown_of_pictures_is_used(#[case] arguments: &[&str], #[case] more: &[&str]) {
    let folder = folder(arguments);
    let shown = shown(arguments[0]);
    let bare = comes_to(folder.path(), arguments, &[]);
    let options = [
        "--theme=light",
        "--ascii",
        "--no-mask",
        "--captions",
        "--big",
        "--size=80x24",
        "--cast-version=3",
        "--lang=de",
    ];
    for option in options.iter().chain(more) {
        let with = comes_to(folder.path(), arguments, &[option]);
        assert_eq!((bare.0, with.0), (Some(0), Some(0)), "{}", with.2);
        assert!(shown.contains(name(option)) && bare.3 != with.3, "{option}");
    }
}
