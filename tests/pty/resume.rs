//! A lab that is killed and started again goes on where it was, and leaves nothing.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use rstest::rstest;

use super::Terminal;
use crate::support::door::{Door, When};
use crate::support::things::things;

/// A lab in a terminal, with its state in the home of the door, on the sandbox behind the door or on its own.
fn start(door: &Door, outside: bool, more: &[&str]) -> Terminal {
    let state = door.tmp.path().join("state");
    let admin = door.sandbox.admin();
    let environment = [
        ("XDG_STATE_HOME", state.to_str().unwrap()),
        ("AWS_ACCESS_KEY_ID", admin.access_key_id.as_str()),
        ("AWS_SECRET_ACCESS_KEY", admin.secret_access_key.as_str()),
        ("AWS_EC2_METADATA_DISABLED", "true"),
    ];
    let place: &[&str] = if outside { &["--region", "us-east-1", "--endpoint-url", &door.url] } else { &[] };
    Terminal::start(80, 24, &environment, &[place, more].concat())
}

fn folder(door: &Door) -> PathBuf {
    door.tmp.path().join("state/kmslab")
}

fn kept(door: &Door) -> String {
    std::fs::read_to_string(folder(door).join("session.json")).unwrap()
}

/// What stands in the file for each stage that has ended.
const ENDED: &str = "\"check\":{";

/// What is on the screen is on the disk a moment later.
fn wait_until_kept(door: &Door, what: &str, times: usize) {
    let path = folder(door).join("session.json");
    let is_kept = |text: String| text.matches(what).count() == times;
    let end = Instant::now() + super::PATIENCE;
    while !std::fs::read_to_string(&path).is_ok_and(is_kept) {
        assert!(Instant::now() < end, "{what} is not kept {times} times");
        std::thread::sleep(Duration::from_millis(5));
    }
}

impl Terminal {
    fn kill(&mut self) {
        self.send("-KILL");
        self.exit();
    }

    /// Answers, sends and goes on, from stage `from` to the end of the lab.
    fn do_the_rest(&mut self, from: usize) {
        for stage in from..=9 {
            // Of a stage that was interrupted the panes show the answers that came.
            self.do_stage(stage, "a–d answer");
        }
        self.wait_for(&["End of the lab: 9 of 9 stages met"]);
    }

    fn go_on(&mut self, stage: usize) {
        self.wait_for(&[&format!("Resume at stage {stage} of 9"), "enter resume"]);
        self.press("\r");
    }
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Moment {
    Before,
    Middle,
    After,
}

/// For each stage a call in its middle, and whether the lab dies before it is done or after.
const MIDDLES: [(&str, When); 9] = [
    ("Action=GetCallerIdentity", When::Before),
    ("TrentService.CreateAlias", When::After),
    ("DynamoDB_20120810.PutItem", When::Before),
    ("DynamoDB_20120810.Scan", When::After),
    ("Action=CreateAccessKey", When::After),
    ("DynamoDB_20120810.Scan", When::Before),
    ("TrentService.PutKeyPolicy", When::After),
    ("DynamoDB_20120810.Scan", When::Before),
    ("DynamoDB_20120810.DeleteTable", When::After),
];

/// Brings a lab to `moment` of `stage` and kills it there.
fn kill_at(door: &Door, outside: bool, stage: usize, moment: Moment) {
    door.closed.store(false, Ordering::SeqCst);
    let mut terminal = start(door, outside, &[]);
    terminal.do_stages(stage - 1);
    if stage == 7 {
        terminal.take_the_usual_way();
    }
    terminal.wait_for(&[&format!("{stage}/9"), "a–d answer"]);
    match moment {
        Moment::Before => terminal.press("b"),
        Moment::Middle => {
            door.closed.store(true, Ordering::SeqCst);
            terminal.press("a\r");
            if stage == 7 {
                terminal.wait_for(&["NOT SENT"]);
                terminal.press("\r");
            }
            door.wait_for_the_request();
        }
        Moment::After => {
            terminal.press("a\r");
            if stage == 7 {
                terminal.wait_for(&["NOT SENT"]);
                terminal.press("\r");
            }
            terminal.wait_for(&["✔ As expected"]);
        }
    }
    match moment {
        Moment::Before => wait_until_kept(door, "\"Answer\"", stage),
        Moment::Middle => {}
        Moment::After => wait_until_kept(door, ENDED, stage),
    }
    terminal.kill();
    door.open.send(false).unwrap();
}

fn killed_on_a_server(stages: std::ops::RangeInclusive<usize>, moment: Moment) {
    for stage in stages {
        let (stops, when) = MIDDLES[stage - 1];
        let door = Door::new(stops, when);
        let before = things(&door.sandbox);
        kill_at(&door, true, stage, moment);
        let mut terminal = start(&door, true, &[]);
        if (stage, moment) == (9, Moment::After) {
            // Nothing is left to go on with.
            terminal.wait_for(&["1/9", "sts:GetCallerIdentity"]);
            terminal.press("q");
            assert_eq!(terminal.ends(), 0);
        } else {
            let next = if moment == Moment::After { stage + 1 } else { stage };
            terminal.go_on(next);
            terminal.do_the_rest(next);
            terminal.press("q");
            assert_eq!(terminal.ends(), 0, "{stage} {moment:?}: {}", terminal.picture());
            assert!(terminal.picture().contains("9 of 9 stages met"), "{}", terminal.picture());
        }
        assert_eq!(things(&door.sandbox), before, "killed at {stage}, {moment:?}");
        let journals = std::fs::read_dir(folder(&door).join("runs")).map_or(0, Iterator::count);
        assert_eq!(journals, usize::from((stage, moment) == (9, Moment::After)), "killed at {stage}, {moment:?}");
        for secret in door.secrets.lock().unwrap().iter() {
            assert!(!kept(&door).contains(secret.as_str()), "a secret is kept");
        }
    }
}

#[rstest]
fn killed_on_a_server_it_goes_on_and_leaves_nothing(
    #[values(1..=5, 6..=9)] stages: std::ops::RangeInclusive<usize>,
    #[values(Moment::Before, Moment::Middle, Moment::After)] moment: Moment,
) {
    killed_on_a_server(stages, moment);
}

#[rstest]
#[case::in_memory(&[])]
#[case::kept(&["--data", "data"])]
fn killed_on_the_sandbox_it_goes_on(#[case] more: &[&str]) {
    let door = Door::new("nothing stops here", When::Before);
    let data = door.tmp.path().join("data");
    let data = data.to_str().unwrap();
    let more: Vec<&str> = more.iter().map(|word| if *word == "data" { data } else { word }).collect();
    for stage in 1..=8 {
        let mut terminal = start(&door, false, &[&more[..], &["--fresh"]].concat());
        terminal.do_stages(stage);
        wait_until_kept(&door, ENDED, stage);
        terminal.kill();
        let mut terminal = start(&door, false, &more);
        terminal.wait_for(&[&format!("Resume at stage {} of 9", stage + 1), "enter resume"]);
        let told = terminal.picture().contains("The sandbox ended with the program");
        assert_eq!(told, more.is_empty(), "{}", terminal.picture());
        terminal.press("\r");
        terminal.do_the_rest(stage + 1);
        terminal.press("q");
        assert_eq!(terminal.ends(), 0);
    }
}

#[test]
fn a_stray_key_ends_no_lab() {
    let door = Door::new("nothing stops here", When::Before);
    let mut terminal = start(&door, false, &[]);
    terminal.do_stages(2);
    terminal.wait_for(&["3/9", "a–d answer"]);
    terminal.press("q");
    terminal.wait_for(&["press q again to leave; your progress is saved"]);
    terminal.press("a\r");
    terminal.wait_for(&["3/9", "✔ As expected"]);
    assert!(!terminal.picture().contains("once more"), "{}", terminal.picture());
    terminal.press("\x03");
    assert_eq!(terminal.ends(), 0);
    let told = "kmslab: 3 of 9 stages met; `kmslab` resumes here, `kmslab --fresh` starts over";
    let picture = terminal.picture();
    assert_eq!(picture.lines().filter(|line| line.starts_with("kmslab: ")).collect::<Vec<_>>(), [told], "{picture}");
}

#[test]
fn what_is_kept_is_for_its_owner_alone() {
    let door = Door::new("nothing stops here", When::Before);
    let mut terminal = start(&door, false, &[]);
    terminal.do_stages(1);
    terminal.leave_mid_lab();
    assert_eq!(terminal.ends(), 0);
    let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!((mode(&folder(&door)), mode(&folder(&door).join("session.json"))), (0o700, 0o600));
}

#[test]
fn after_starting_over_clean_up_finds_the_old_run() {
    let door = Door::new("nothing stops here", When::Before);
    let before = things(&door.sandbox);
    kill_at(&door, true, 4, Moment::Before);
    let mut terminal = start(&door, true, &[]);
    terminal.wait_for(&["found: key Enabled · policy doesn't name test-user yet · table ACTIVE", "start over"]);
    terminal.press("x");
    terminal.wait_for(&["press x again to forget this session"]);
    terminal.press("x");
    terminal.wait_for(&["1/9", "sts:GetCallerIdentity", "made stays until `kmslab cleanup`"]);
    terminal.press("q");
    assert_eq!(terminal.ends(), 0);
    // Table, key and alias.
    assert_eq!(things(&door.sandbox).count(), before.count() + 3);
    let state = door.tmp.path().join("state");
    let kmslab = |arguments: &[&str]| {
        let output = door.kmslab(arguments).env("XDG_STATE_HOME", &state).output().unwrap();
        (output.status.code(), String::from_utf8(output.stderr).unwrap())
    };
    let (status, told) = kmslab(&["reset"]);
    assert_eq!(status, Some(3), "{told}");
    assert!(told.contains("left behind: table kmslab-table-") && told.contains("`kmslab cleanup`"), "{told}");
    assert_eq!(kmslab(&["cleanup"]).0, Some(0));
    assert_eq!(things(&door.sandbox), before);
    let (status, told) = kmslab(&["reset"]);
    assert_eq!(status, Some(0), "{told}");
    assert!(told.contains("session.json: 3 of 9 stages met, begun 20"), "{told}");
    assert_eq!(kmslab(&["reset"]), (Some(0), "kmslab: no session is kept\n".to_owned()));
}

#[test]
fn a_second_lab_keeps_nothing_and_another_place_is_not_offered() {
    let door = Door::new("nothing stops here", When::Before);
    let mut first = start(&door, false, &[]);
    first.do_stages(2);
    wait_until_kept(&door, ENDED, 2);
    let mut second = start(&door, false, &[]);
    second.wait_for(&["another kmslab is at work: your progress here is not kept"]);
    second.press("q");
    assert_eq!(second.ends(), 0);
    first.kill();
    let mut other = start(&door, true, &[]);
    other.wait_for(&["1/9", "a session on the sandbox, us-east-1 is kept (2 of 9); this one replaces it"]);
    other.press("q");
    assert_eq!(other.ends(), 0);
    let mut again = start(&door, false, &[]);
    again.go_on(3);
    again.wait_for(&["3/9", "2 stages run again, with your answers"]);
    again.leave_mid_lab();
    assert_eq!(again.ends(), 0);
}

#[test]
fn without_a_terminal_nothing_is_kept() {
    let door = Door::new("nothing stops here", When::Before);
    let mut command: Command = door.kmslab(&["run"]);
    assert!(command.env("XDG_STATE_HOME", door.tmp.path().join("state")).output().unwrap().status.success());
    assert!(!folder(&door).exists());
}
