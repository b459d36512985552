//! Several people in one account: a clean-up removes one's own runs, and others' only after a list and a yes.

use std::fs;

use super::*;
use crate::support::program::program;

/// A person of the same account whose home is elsewhere.
fn at_another_home(door: &Door, home: &Path, arguments: &[&str]) -> Command {
    let admin = door.sandbox.admin();
    let mut command = program(home, &admin.access_key_id, &admin.secret_access_key);
    command.args(arguments);
    command
}

fn said(mut command: Command) -> (Option<i32>, String) {
    let Output { status, stdout, stderr } = command.output().unwrap();
    (status.code(), text(&stdout) + &text(&stderr))
}

/// The run's id, by its user.
fn run_of(things: &Things) -> String {
    things.users.iter().find_map(|user| user.strip_prefix("kmslab-user-")).unwrap().to_owned()
}

#[test]
fn a_clean_up_after_a_crash_leaves_other_peoples_labs_alone() {
    let door = Door::new("Action=CreateAccessKey", When::Before);
    let before = things(&door.sandbox);
    door.kill_a_lab();
    let mine = run_of(&things(&door.sandbox).without(&before));
    // Somebody else's lab is at work in the same account.
    let crashed = things(&door.sandbox);
    let home = tempfile::tempdir().unwrap();
    door.closed.store(true, Ordering::SeqCst);
    let lab = at_another_home(&door, home.path(), &["run", "--region", "us-east-1", "--endpoint-url", &door.url]);
    let lab = { lab }.spawn().unwrap();
    door.wait_for_the_request();
    let theirs = things(&door.sandbox).without(&crashed);
    assert_eq!(theirs.count(), 4);

    for arguments in [vec![], door.here(&[])] {
        let (status, printed) = door.clean_up(&arguments);
        assert_eq!(status, Some(0), "{printed}");
        assert!(!printed.contains(&run_of(&theirs)), "{printed}");
        assert_eq!(things(&door.sandbox).without(&before), theirs, "{printed}");
    }
    assert!(!things(&door.sandbox).users.iter().any(|user| user.ends_with(&mine)));
    door.open.send(true).unwrap();
    let output = lab.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stdout));
    assert_eq!(things(&door.sandbox), before);
}

#[test]
fn everyones_runs_are_listed_and_removed_only_after_a_yes() {
    let door = Door::new("Action=CreateAccessKey", When::Before);
    let before = things(&door.sandbox);
    door.kill_a_lab();
    let crashed = things(&door.sandbox);
    let run = run_of(&things(&door.sandbox).without(&before));
    let home = tempfile::tempdir().unwrap();
    let clean_up =
        |more: &[&str]| said(at_another_home(&door, home.path(), &[&["cleanup"], &door.here(more)[..]].concat()));
    let row = format!("  {run:<12} 0 min        table, user, alias, key    0.0000 USD");
    // (arguments, exit status, what is said)
    let refused: [(&[&str], i32, &str); 5] = [
        (&[], 0, "`kmslab cleanup --all`"),
        (&["--all"], 2, "refused: there is no terminal to ask on; nothing was removed"),
        (
            &["--all", "--yes-account", "444455556666"],
            2,
            "--yes-account is 444455556666, and this is account 111122223333",
        ),
        (&["--all", "--dry-run"], 3, "a dry run: nothing has been removed"),
        (&["--all", "--older-than", "1h", "--yes-account", "111122223333"], 0, "no older run is left"),
    ];
    for (arguments, expected, says) in refused {
        let (status, printed) = clean_up(arguments);
        assert_eq!((status, printed.contains(says)), (Some(expected), true), "{arguments:?}: {printed}");
        let is_listed = !arguments.is_empty() && !arguments.contains(&"1h");
        assert_eq!(printed.lines().any(|line| line == row), is_listed, "{arguments:?}: {printed}");
        assert_eq!(things(&door.sandbox), crashed, "{arguments:?}: {printed}");
    }
    let (status, printed) = clean_up(&["--all", "--older-than", "0m", "--yes-account", "111122223333"]);
    assert_eq!(status, Some(0), "{printed}");
    assert!(printed.contains(&row) && printed.ends_with("no older run is left\n"), "{printed}");
    assert_eq!(things(&door.sandbox), before);
}

/// IAM knows no regions: a user with nothing else here is most likely of a lab at work elsewhere.
#[test]
fn a_user_of_another_machine_is_left_alone_unasked() {
    use aws_sdk_iam::types::Tag;
    let door = Door::new("TrentService.CreateKey", When::Before);
    let before = things(&door.sandbox);
    let make = |run: &str| {
        let tag = |key: &str, value: &str| Tag::builder().key(key).value(value).build().unwrap();
        let user = client!(aws_sdk_iam, door.sandbox).create_user().user_name(format!("kmslab-user-{run}"));
        let created = tag("kmslab:created", "2020-01-01T00:00:00Z");
        block_on(user.tags(tag("kmslab:run", run)).tags(created).send()).unwrap();
    };
    make("beef1234");
    make("cafe1234");
    let home = tempfile::tempdir().unwrap();
    let clean_up =
        |more: &[&str]| said(at_another_home(&door, home.path(), &[&["cleanup"], &door.here(more)[..]].concat()));
    let (status, printed) = clean_up(&["--all", "--yes-account", "111122223333"]);
    assert_eq!(status, Some(0), "{printed}");
    assert!(printed.contains("left alone   run beef1234: only its user is here"), "{printed}");
    assert_eq!(things(&door.sandbox).users.len(), before.users.len() + 2, "{printed}");
    let (status, printed) = clean_up(&["--run", "beef1234"]);
    assert_eq!((status, things(&door.sandbox).users.len()), (Some(0), before.users.len() + 1), "{printed}");
    let (status, printed) = clean_up(&["--all", "--older-than", "7d", "--yes-account", "111122223333"]);
    assert!(printed.contains("user                       nothing  (its lab may be at work in another"), "{printed}");
    assert_eq!((status, things(&door.sandbox)), (Some(0), before), "{printed}");
}

#[rstest]
#[case::right("3333\n", Some(0))]
#[case::the_whole_number(" 111122223333 ", Some(0))]
#[case::wrong("1111\n", None)]
#[case::just_enter("\n", None)]
#[case::nothing("", None)]
fn a_person_types_the_end_of_the_accounts_number(#[case] typed: &str, #[case] removed: Option<usize>) {
    use kmslab::aws::Clients;
    use kmslab::run::cleanup::{Consent, Scope, Target, Work, clean};
    let door = Door::new("TrentService.CreateAlias", When::Before);
    door.kill_a_lab();
    let admin = door.sandbox.admin();
    let clients = Clients::for_sandbox(door.sandbox.url(), "us-east-1", &admin.access_key_id, &admin.secret_access_key);
    let target = Target { endpoint: None, region: "us-east-1".into(), admin_profile: None };
    let ask = |question: &str| {
        assert_eq!(question, "Type the last four digits of account 111122223333 to remove them all: ");
        Ok(Some(typed.to_owned()))
    };
    let scope = Scope::All(&Consent { accepted: None, ask: &ask });
    let work = Work { clients: &clients, target: &target, folder: None, scope, older_than: None, dry_run: false };
    let mut out = Vec::new();
    let (_, written) = block_on(clean(&work, Vec::new(), &mut None, &mut out));
    written.unwrap();
    assert_eq!(things(&door.sandbox).keys.len(), removed.unwrap_or(1), "{}", text(&out));
    assert_eq!(text(&out).contains("nothing was removed"), removed.is_none(), "{}", text(&out));
}

#[test]
fn a_key_whose_deletion_is_scheduled_is_done_whoevers_it_seems() {
    let door = Door::new("TrentService.CreateAlias", When::Before);
    door.kill_a_lab();
    let key = things(&door.sandbox).keys.pop().unwrap();
    block_on(async {
        let kms = client!(aws_sdk_kms, door.sandbox);
        kms.untag_resource().key_id(&key).tag_keys("kmslab:run").send().await.unwrap();
        kms.schedule_key_deletion().key_id(&key).pending_window_in_days(30).send().await.unwrap();
    });
    let (status, printed) = door.clean_up(&["--dry-run"]);
    assert_eq!(status, Some(0), "{printed}");
    assert!(!printed.contains("left: ") && !printed.contains("not touched"), "{printed}");
    let (status, printed) = door.clean_up(&[]);
    assert_eq!(status, Some(0), "{printed}");
    assert!(printed.contains("done before  key arn:aws:kms:us-east-1:"), "{printed}");
    assert_eq!(fs::read_dir(door.journals()).unwrap().count(), 0);
}

/// A journal from elsewhere, made to drive the terminal that shows it.
#[test]
fn what_a_journal_says_never_drives_the_terminal() {
    let door = Door::new("nothing stops here", When::Before);
    fs::create_dir_all(door.journals()).unwrap();
    let journal = include_str!("../../fixtures/journal-with-escape.jsonl");
    // Each value of its first line by itself, and in a file whose name has one, too.
    let head = |field: &str, value: &str| {
        let mut head = serde_json::json!({"run": "4f2a", "started": "s", "backend": "endpoint", "region": "us-east-1",
            "endpoint": "http://127.0.0.1:9", "admin_profile": null});
        head[field] = value.into();
        head.to_string()
    };
    let escape = "\u{1b}]52;c;QQ==\u{7}";
    for (name, text) in [("all", journal.to_owned()), ("\u{1b}]0;x\u{7}", "no journal".to_owned())]
        .into_iter()
        .chain(["run", "region", "endpoint", "admin_profile", "account"].map(|field| (field, head(field, escape))))
    {
        fs::write(door.journals().join(format!("{name}.jsonl")), text).unwrap();
    }
    for arguments in [&["--dry-run"][..], &[]] {
        let (status, printed) = door.clean_up(arguments);
        assert_eq!(status, Some(3), "{printed}");
        assert!(!printed.contains(|c: char| c.is_control() && c != '\n'), "{printed:?}");
        assert!(printed.contains(r#"its endpoint is "\u{1b}]52;c;QQ==\u{7}", which no lab writes"#), "{printed}");
        assert_eq!(fs::read_dir(door.journals()).unwrap().count(), 7, "they stay");
    }
}
