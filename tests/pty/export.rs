//! The whole lab with answers, and what is taken home from it.

use std::path::Path;
use std::process::Command;

use kmslab::lab::{Lesson, Stage};

use super::Terminal;

/// A lab of `stages` stages; at its end the debrief, if it has one.
fn lab(home: &Path, stages: usize, mask: &[&str]) {
    let environment = [("XDG_STATE_HOME", home.to_str().unwrap())];
    let mut terminal = Terminal::start(80, 24, &environment, &[mask, &["--seed", "7"]].concat());
    terminal.do_stages(stages);
    if stages == 9 {
        terminal.wait_for(&["End of the lab: 9 of 9 stages met"]);
        terminal.press("\r");
        terminal.wait_for(&["kmslab   debrief"]);
        terminal.press("\x1b");
        terminal.wait_for(&["the card to keep", "WHICH LOCK", "9 of 9 stages met"]);
        terminal.press("\x1b");
        // The header, too: the debrief is drawn from the top, so the line at the bottom may still be the one from
        // before it, and a `q` that comes in one read with the `esc` would be another key.
        terminal.wait_for(&["kmslab   9/9", "End of the lab: 9 of 9 stages met"]);
        terminal.press("q");
    } else {
        terminal.leave_mid_lab();
    }
    assert_eq!(terminal.ends(), 0);
}

/// `kmslab export`: its exit status, and what it says.
fn export(home: &Path, arguments: &[&str]) -> (Option<i32>, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_kmslab"));
    command.env_clear().env("XDG_STATE_HOME", home).env("HOME", home).current_dir(home).arg("export").args(arguments);
    let output = command.output().unwrap();
    assert!(output.stdout.is_empty());
    (output.status.code(), String::from_utf8(output.stderr).unwrap())
}

fn read(home: &Path, file: &str) -> String {
    std::fs::read_to_string(home.join(file)).unwrap()
}

/// The accounts, keys and requests that were seen.
fn ids(home: &Path) -> Vec<String> {
    let session: serde_json::Value = serde_json::from_str(&read(home, "kmslab/session.json")).unwrap();
    let text = |path: &str| session.pointer(path).and_then(|value| value.as_str()).unwrap().to_owned();
    let first = "/stages/0/exchanges/0/answer/response/Ok/request_id";
    vec![text("/facts/admin/account"), text("/facts/key/KeyId"), text("/run"), text(first)]
}

#[test]
fn the_whole_lab_with_answers_ends_with_the_export() {
    let home = tempfile::tempdir().unwrap();
    let home = home.path();
    lab(home, 9, &[]);

    assert_eq!(export(home, &["lab.html"]), (Some(0), "kmslab: wrote lab.html\n".to_owned()));
    let html = read(home, "lab.html");
    let document = roxmltree::Document::parse(html.strip_prefix("<!DOCTYPE html>\n").unwrap()).unwrap();
    assert_eq!(document.root_element().attribute("lang"), Some("en"));
    let lesson = Lesson::english();
    let headings: Vec<(u8, String)> = document
        .descendants()
        .filter(|node| matches!(node.tag_name().name(), "h1" | "h2" | "h3" | "h4" | "h5" | "h6"))
        .map(|node| (node.tag_name().name().as_bytes()[1] - b'0', node.text().unwrap().to_owned()))
        .collect();
    assert_eq!(headings[0].0, 1);
    assert!(headings.windows(2).all(|pair| pair[1].0 <= pair[0].0 + 1), "no level is left out: {headings:?}");
    let stages: Vec<String> = headings.iter().filter(|(level, _)| *level == 2).map(|(_, text)| text.clone()).collect();
    let mut titles: Vec<String> =
        Stage::ALL.map(|stage| format!("{}. {}", stage.number(), lesson.stage(stage).title)).into();
    titles.push(lesson.words().debrief.clone());
    assert_eq!(stages, titles);
    for table in document.descendants().filter(|node| node.has_tag_name("table")) {
        let has = |name: &str| table.descendants().any(|node| node.has_tag_name(name));
        assert!(has("caption") && has("thead"));
        let columns = table.descendants().filter(|node| node.attribute("scope") == Some("col")).count();
        for row in table.descendants().filter(|node| node.has_tag_name("tbody")).flat_map(|body| body.children()) {
            let cells = row.children().filter(|node| node.is_element()).count();
            assert!(cells == columns || cells == 0);
        }
    }
    let loads = |name: &str| document.descendants().any(|node| node.has_tag_name(name));
    assert!(!["script", "link", "img", "iframe"].into_iter().any(loads), "one file, and nothing runs");

    assert_eq!(export(home, &["lab.md"]).0, Some(0));
    let markdown = read(home, "lab.md");
    let mentions = |text: &str, what: &str| text.contains(what);
    for stage in Stage::ALL {
        let text = lesson.stage(stage);
        let claim = text.misconception.claim.replace('_', "\\_");
        assert!(mentions(&markdown, claim.trim()), "{claim}");
    }
    assert!(mentions(&markdown, "DENIED: kms:Decrypt on arn:aws:kms:us-east-1:444455556666:key/"));
    assert!(mentions(&markdown, "aws dynamodb scan --table-name kmslab-table-"));
    assert!(mentions(&markdown, "answered right") && mentions(&markdown, "**You said: a."));
    assert!(mentions(&markdown, r#""SecretAccessKey": "[redacted]""#));

    // Pseudonyms, unless one wants none.
    let ids = ids(home);
    assert_eq!(export(home, &["open.md", "--no-mask"]).0, Some(0));
    let open = read(home, "open.md");
    for id in &ids {
        assert!(!markdown.contains(id.as_str()) && !html.contains(id.as_str()), "{id}");
    }

    assert!(ids[..3].iter().all(|id| open.contains(id.as_str())), "{ids:?}");

    assert!(mentions(&markdown, &lesson.frame.card.title) && mentions(&markdown, "WHICH LOCK"));

    // A result says how it went, and nothing about account or key.
    assert_eq!(export(home, &["result.json", "--name", "Ada"]).0, Some(0));
    let text = read(home, "result.json");
    let result: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!((&result["schema"], &result["name"], &result["stages_met"]), (&1.into(), &"Ada".into(), &9.into()));
    assert_eq!((&result["self_reported"], result["run"].as_str()), (&true.into(), Some(ids[2].as_str())));
    let stages = result["stages"].as_array().unwrap();
    assert!(stages.iter().map(|stage| stage["stage"].as_str().unwrap()).eq(Stage::ALL.map(Stage::key)));
    assert!(stages.iter().all(|stage| stage["met"] == true && stage["answer"] != "none"), "{text}");
    assert!(ids[..2].iter().chain(&ids[3..]).all(|id| !text.contains(id.as_str())), "{text}");
    assert_eq!(export(home, &["lab2.md", "--name", "Ada"]).0, Some(2));

    // Nothing is replaced without a word; other endings are none.
    let (status, told) = export(home, &["lab.md"]);
    assert_eq!(status, Some(2));
    assert!(told.contains("lab.md is there already; --force replaces it"), "{told}");
    assert_eq!(export(home, &["lab.md", "--force", "--lang", "de"]).0, Some(0));
    assert!(read(home, "lab.md").contains("# Daten mit AWS KMS verschlüsseln"));
    let (status, told) = export(home, &["lab.pdf"]);
    assert_eq!(status, Some(2));
    assert!(told.contains("the extension must be .md, .html, .json or .sh"), "{told}");
}

#[test]
fn a_lab_that_is_not_finished_says_so() {
    let home = tempfile::tempdir().unwrap();
    let home = home.path();
    let (status, told) = export(home, &["lab.md"]);
    assert_eq!(status, Some(2));
    assert!(told.contains("there is nothing to write up yet"), "{told}");
    lab(home, 2, &["--mask"]);
    let (status, told) = export(home, &["lab.md"]);
    assert_eq!(status, Some(0));
    assert!(told.contains("2 of 9 stages have been done; the others are not in it"), "{told}");
    let text = read(home, "lab.md");
    assert!(text.contains("2 of 9 stages done") && !text.contains("## 3."), "{text}");
    // A script needs no session.
    assert_eq!(export(home, &["run.sh"]).0, Some(0));
}

#[test]
fn the_card_writes_the_lab_up_into_this_folder() {
    let home = tempfile::tempdir().unwrap();
    let environment = [("XDG_STATE_HOME", home.path().to_str().unwrap())];
    let mut terminal = Terminal::start(80, 24, &environment, &["--seed", "7"]);
    terminal.do_stages(9);
    terminal.wait_for(&["End of the lab: 9 of 9 stages met"]);
    terminal.press("\r");
    terminal.wait_for(&["kmslab   debrief"]);
    terminal.press("\x1b");
    terminal.wait_for(&["the card to keep", "WHICH LOCK"]);
    terminal.press("E");
    terminal.wait_for(&["written in this folder"]);
    let folder = terminal.tmp.path().to_owned();
    let names = || -> Vec<String> {
        let names = std::fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
        let mut names: Vec<String> = names.filter(|name| name.ends_with(".html") || name.ends_with(".json")).collect();
        names.sort();
        names
    };
    let first = names();
    assert!(first.len() == 2 && first[0].ends_with(".html") && first[1].ends_with(".json"), "{first:?}");
    // Written again, it replaces nothing.
    terminal.press("E");
    terminal.wait_for(&["-2.html"]);
    assert_eq!(names().len(), 4);
    terminal.press("\x1b");
    terminal.wait_for(&["kmslab   9/9"]);
    terminal.press("q");
    assert_eq!(terminal.ends(), 0);
}
