//! `kmslab drill` in a terminal.

use super::Terminal;

#[test]
fn a_drill_is_diagnosed_fixed_and_undone() {
    let arguments = ["drill", "alias_arn", "--seed", "1", "--level", "2"];
    let mut terminal = Terminal::start(100, 28, &[], &arguments);
    terminal.wait_for(&["drill 1 of 1", "I was given an IAM policy", "✘ DENIED", "DynamoDB ?", "▸ lock"]);
    terminal.press("b");
    terminal.wait_for(&["✔  the key", "▸ rung", "KMS ✘"]);
    terminal.press("2");
    terminal.wait_for(&["2  IAM policies", "alias/kmslab-key-"]);
    terminal.press("c");
    terminal.wait_for(&["▸ fix    a  "]);
    let row = terminal.picture().lines().find(|line| line.contains("put the key's ARN")).unwrap().to_owned();
    terminal.press(row.trim().trim_start_matches("▸ fix").trim().get(..1).unwrap());
    terminal.wait_for(&["✔ Solved: both read.", "PutUserPolicy, sent by the lab", "✔ Undone"]);
    terminal.press("r");
    terminal.wait_for(&["✘ DENIED", "▸ lock"]);
    // In the middle of a drill: it is undone on the way out.
    terminal.press("q");
    terminal.wait_for(&["press q again to stop the drills"]);
    terminal.press("q");
    let (code, text) = terminal.ends_in_order();
    assert_eq!(code, 0, "{text}");
    assert!(text.contains("drills solved: 1 of 2, 3 points"), "{text}");
}

#[test]
fn the_lab_offers_drills_after_stage_8_and_takes_one_back() {
    let mut terminal = Terminal::start(100, 28, &[], &["--no-questions", "--seed", "1"]);
    terminal.do_stages(6);
    terminal.press("l8\r");
    terminal.wait_for(&["8/9"]);
    terminal.press("\r");
    terminal.wait_for(&["8/9", "✔ As expected", "drills: find the fault"]);
    terminal.press("d");
    terminal.wait_for(&["drill 1 of 22", "level 1", "▸ lock"]);
    terminal.press("\u{1b}");
    terminal.wait_for(&["press esc again to stop the drills"]);
    terminal.press("\u{1b}");
    terminal.wait_for(&["8/9", "✔ ALLOWED"]);
    terminal.press("qq");
    assert_eq!(terminal.ends(), 0);
}
