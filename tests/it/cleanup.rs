//! Labs that are killed in the middle, and `kmslab cleanup` after them: nothing of theirs survives, all else does.

mod everyones;

use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output};
use std::sync::atomic::Ordering;

use aws_sdk_dynamodb::types::{
    AttributeDefinition, BillingMode, KeySchemaElement, KeyType, ScalarAttributeType, Tag as TableTag,
};
use kmslab::sandbox::Sandbox;
use rstest::rstest;

use crate::support::door::{Door, When};
use crate::support::program::text;
use crate::support::things::{Things, block_on, client, things};

/// Every call of the lab that creates or changes something, as it shows in the request.
const CREATING: [(&str, &str); 7] = [
    ("CreateKey", "TrentService.CreateKey"),
    ("CreateAlias", "TrentService.CreateAlias"),
    ("CreateTable", "DynamoDB_20120810.CreateTable"),
    ("CreateUser", "Action=CreateUser"),
    ("PutUserPolicy", "Action=PutUserPolicy"),
    ("CreateAccessKey", "Action=CreateAccessKey"),
    ("PutKeyPolicy", "TrentService.PutKeyPolicy"),
];

impl Door {
    fn start_lab(&self) -> Child {
        self.kmslab(&["run", "--region", "us-east-1", "--endpoint-url", &self.url]).spawn().unwrap()
    }

    /// Runs a lab to the door, and kills it there.
    fn kill_a_lab(&self) {
        let mut lab = self.start_lab();
        self.wait_for_the_request();
        lab.kill().unwrap(); // kill -9
        lab.wait().unwrap();
        self.open.send(false).unwrap();
        assert!(!self.closed.load(Ordering::SeqCst), "it was stopped there");
    }

    fn journals(&self) -> PathBuf {
        self.tmp.path().join(".local/state/kmslab/runs")
    }

    fn clean_up(&self, arguments: &[&str]) -> (Option<i32>, String) {
        let Output { status, stdout, stderr } = self.kmslab(&["cleanup"]).args(arguments).output().unwrap();
        (status.code(), text(&stdout) + &text(&stderr))
    }

    /// At the endpoint.
    fn here<'a>(&'a self, more: &'a [&'a str]) -> Vec<&'a str> {
        [&["--region", "us-east-1", "--endpoint-url", self.url.as_str()], more].concat()
    }

    /// By tags: at the endpoint, whatever journals say.
    fn by_tags<'a>(&'a self, more: &'a [&'a str]) -> Vec<&'a str> {
        [self.here(&["--all", "--yes-account", "111122223333"]), more.to_vec()].concat()
    }
}

impl Things {
    /// What is here and not in `before`.
    fn without(self, before: &Things) -> Things {
        let rest = |all: Vec<String>, known: &[String]| all.into_iter().filter(|one| !known.contains(one)).collect();
        Things {
            tables: rest(self.tables, &before.tables),
            users: rest(self.users, &before.users),
            aliases: rest(self.aliases, &before.aliases),
            keys: rest(self.keys, &before.keys),
        }
    }
}

/// Things with names like the lab's that no lab has made.
fn make_foreign_things(sandbox: &Sandbox) -> Things {
    block_on(async {
        let dynamodb = client!(aws_sdk_dynamodb, sandbox);
        let tags = [("kmslab-table-mine", None), ("kmslab-table-theirs", Some("4f2a")), ("other", Some("4f2a"))];
        for (name, run) in tags {
            let attribute =
                AttributeDefinition::builder().attribute_name("id").attribute_type(ScalarAttributeType::S).build();
            let key = KeySchemaElement::builder().attribute_name("id").key_type(KeyType::Hash).build();
            let tag = run.map(|run| TableTag::builder().key("kmslab:run").value(run).build().unwrap());
            let table = dynamodb.create_table().table_name(name).billing_mode(BillingMode::PayPerRequest);
            let table = table.attribute_definitions(attribute.unwrap()).key_schema(key.unwrap());
            table.set_tags(tag.map(|tag| vec![tag])).send().await.unwrap();
        }
        client!(aws_sdk_iam, sandbox).create_user().user_name("kmslab-user-mine").send().await.unwrap();
        let kms = client!(aws_sdk_kms, sandbox);
        let key = kms.create_key().description("kmslab mine").send().await.unwrap().key_metadata.unwrap().key_id;
        kms.create_alias().alias_name("alias/kmslab-key-mine").target_key_id(key).send().await.unwrap();
    });
    things(sandbox)
}

/// Kills a lab at one point, cleans up twice, and gives what the kill left and what survives.
fn survivors(stops: &'static str, when: When, with_journals: bool) -> (usize, usize) {
    let door = Door::new(stops, when);
    let foreign = make_foreign_things(&door.sandbox);
    door.kill_a_lab();
    let left = things(&door.sandbox).without(&foreign).count();

    let journals: Vec<PathBuf> =
        std::fs::read_dir(door.journals()).unwrap().map(|entry| entry.unwrap().path()).collect();
    assert_eq!(journals.len(), 1, "{journals:?}");
    let journal = std::fs::read_to_string(&journals[0]).unwrap();
    let call = stops.rsplit(['.', '=']).next().unwrap();
    assert!(journal.lines().last().unwrap().starts_with(&format!(r#"{{"intent":"{call}""#)), "{journal}");
    let mut secrets = door.secrets.lock().unwrap().clone();
    secrets.push(door.sandbox.admin().secret_access_key.to_string());
    assert!(secrets.iter().all(|secret| !journal.contains(secret.as_str())), "a secret is in the journal");

    let by_tags = door.by_tags(&[]);
    let arguments: &[&str] = if with_journals { &[] } else { &by_tags };
    if !with_journals {
        std::fs::remove_file(&journals[0]).unwrap();
    }
    for _ in 0..2 {
        let (status, printed) = door.clean_up(arguments);
        assert_eq!(status, Some(0), "{call} {when:?}: {printed}");
    }
    assert_eq!(std::fs::read_dir(door.journals()).unwrap().count(), 0, "the journal has done its work");
    // Nothing that can be found by tags either.
    assert!(door.clean_up(&by_tags).1.contains("nothing is left"));
    let now = things(&door.sandbox);
    let survivors = now.without(&foreign);
    assert_eq!(things(&door.sandbox).without(&survivors), foreign, "{call} {when:?}: what is foreign is untouched");
    (left, survivors.count())
}

fn killed_everywhere(with_journals: bool) {
    let points: Vec<_> =
        CREATING.iter().flat_map(|point| [When::Before, When::After].map(|when| (point, when))).collect();
    let half = points.len() / 2;
    let work = |points: &[(&(&str, &'static str), When)]| -> Vec<(usize, usize)> {
        points.iter().map(|((_, stops), when)| survivors(stops, *when, with_journals)).collect()
    };
    let counts = std::thread::scope(|scope| {
        let first = scope.spawn(|| work(&points[..half]));
        let second = work(&points[half..]);
        [first.join().unwrap(), second].concat()
    });
    println!("killed at                  left  survivors");
    for (((name, _), when), (left, survivors)) in points.iter().zip(&counts) {
        println!("{:<26} {left:>4}  {survivors:>9}", format!("{name}, {when:?}"));
    }
    assert!(counts.iter().all(|(_, survivors)| *survivors == 0));
    // The key, its alias, the table and the user: the kills do leave something.
    assert_eq!(counts.iter().map(|(left, _)| *left).max(), Some(4));
    assert_eq!(counts[0].0, 0, "before CreateKey there is nothing");
}

#[test]
fn after_any_kill_clean_up_by_journal_leaves_nothing() {
    killed_everywhere(true);
}

#[test]
fn after_any_kill_clean_up_by_tags_leaves_nothing() {
    killed_everywhere(false);
}

#[test]
fn a_dry_run_tells_all_and_does_nothing() {
    let door = Door::new("Action=CreateAccessKey", When::Before);
    door.kill_a_lab();
    let before = things(&door.sandbox);
    let (status, printed) = door.clean_up(&["--dry-run"]);
    assert_eq!(status, Some(3), "{printed}");
    for kind in ["table", "user", "alias", "key"] {
        assert!(printed.contains(&format!("would remove {kind} arn:aws:")), "{printed}");
    }
    assert!(printed.ends_with("a dry run: nothing has been removed\n"), "{printed}");
    assert_eq!(things(&door.sandbox), before);
    assert_eq!(std::fs::read_dir(door.journals()).unwrap().count(), 1);
}

/// In an account that others use, too, one cleans up one's own.
#[test]
fn what_survives_counts_though_nothing_reads_the_lines() {
    let door = Door::new("TrentService.CreateAlias", When::Before);
    door.kill_a_lab();
    // The lines go into a pipe whose reader has gone.
    let into_nothing = |arguments: &[&str]| {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let done = door.kmslab(arguments).stdout(writer).output().unwrap();
        (done.status.code(), text(&done.stderr))
    };
    let (status, told) = into_nothing(&["cleanup", "--dry-run"]);
    assert_eq!(status, Some(3), "{told}");
    assert!(told.contains("something is left; `kmslab cleanup --dry-run`"), "{told}");
    // Nothing is left after this one, and then it is as with other programs.
    assert_eq!(into_nothing(&["cleanup"]), (Some(141), String::new()));
    assert_eq!(things(&door.sandbox).keys, [""; 0]);
}

#[test]
fn one_run_alone_is_cleaned_up() {
    let door = Door::new("Action=CreateAccessKey", When::Before);
    door.kill_a_lab();
    let first = things(&door.sandbox);
    let run = first.users.iter().find_map(|user| user.strip_prefix("kmslab-user-")).unwrap().to_owned();
    let (status, printed) = door.clean_up(&door.here(&["--run", "0badf00d", "--dry-run"]));
    assert_eq!(status, Some(0), "there is no such run: {printed}");
    std::fs::remove_dir_all(door.journals()).unwrap();
    let other = Door { tmp: tempfile::tempdir().unwrap(), ..Door::new("Action=CreateAccessKey", When::Before) };
    other.kill_a_lab();
    let theirs = things(&other.sandbox);
    let (status, printed) = other.clean_up(&other.here(&["--run", &run]));
    assert_eq!((status, things(&other.sandbox)), (Some(0), theirs), "{printed}");
    let (status, printed) = door.clean_up(&door.here(&["--run", &run]));
    assert_eq!(status, Some(0), "{printed}");
    assert_eq!(things(&door.sandbox).users, first.users.into_iter().filter(|u| !u.ends_with(&run)).collect::<Vec<_>>());
}

#[test]
fn a_living_lab_is_left_alone_and_its_journal_goes_with_it() {
    let door = Door::new("Action=CreateUser", When::Before);
    let lab = door.start_lab();
    door.wait_for_the_request();
    let before = things(&door.sandbox);
    assert_eq!((before.tables.len(), before.keys.len()), (1, 1));
    let (status, printed) = door.clean_up(&door.by_tags(&[]));
    assert_eq!(status, Some(0), "{printed}");
    assert!(printed.contains("skipped      run ") && printed.contains("is at work right now"), "{printed}");
    assert_eq!(things(&door.sandbox), before);

    door.open.send(true).unwrap();
    let output = lab.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stdout));
    assert_eq!(std::fs::read_dir(door.journals()).unwrap().count(), 0, "a lab that leaves nothing leaves no journal");
}

#[test]
fn without_a_journal_nothing_is_created() {
    let door = Door::new("nothing stops here", When::Before);
    std::fs::write(door.tmp.path().join(".local"), "no folder").unwrap();
    let before = things(&door.sandbox);
    let output = door.start_lab().wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(1), "{}", text(&output.stderr));
    let printed = text(&output.stdout);
    assert!(printed.contains("nothing was sent: the journal can't be written"), "{printed}");
    assert!(printed.contains("make ") && printed.contains("kmslab/runs writable"), "{printed}");
    assert_eq!(things(&door.sandbox), before);
}

#[test]
fn a_call_with_a_lost_response_is_looked_for_not_repeated() {
    let door = Door::new("TrentService.CreateKey", When::After);
    let lab = door.start_lab();
    door.wait_for_the_request();
    door.open.send(false).unwrap(); // the connection is cut, the key is there
    let output = lab.wait_with_output().unwrap();
    let told = text(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{told}");
    assert!(!told.contains("left behind"), "{told}");
    assert_eq!(things(&door.sandbox).keys.len(), 0);
    let made = door.sandbox.decisions().iter().filter(|decision| decision.action == "kms:CreateKey").count();
    assert_eq!(made, 1);
    assert_eq!(std::fs::read_dir(door.journals()).unwrap().count(), 0);
}

#[cfg(unix)]
#[test]
fn an_unchecked_lost_response_keeps_the_journal() {
    let door = Door::new("TrentService.CreateKey", When::After);
    let mut lab = door.start_lab();
    door.wait_for_the_request();
    let signal = |lab: &Child| {
        let pid = lab.id().to_string();
        assert!(Command::new("kill").args(["-INT", &pid]).status().unwrap().success());
    };
    // The first asks for a clean-up, the second for the end at once.
    signal(&lab);
    let printed = BufReader::new(lab.stdout.take().unwrap());
    let mut lines = BufRead::lines(printed).map(Result::unwrap);
    assert!(lines.any(|line| line.contains("stopped: cleaning up first")), "it says what it waits for");
    signal(&lab);
    let output = lab.wait_with_output().unwrap();
    let told = text(&output.stderr);
    assert_eq!(output.status.code(), Some(3), "{told}");
    assert!(told.contains("left behind at "), "{told}");
    assert!(told.ends_with("`kmslab cleanup` removes it\n"), "{told}");
    assert_eq!(things(&door.sandbox).keys.len(), 1);
    let (status, printed) = door.clean_up(&[]);
    assert_eq!(status, Some(0), "{printed}");
    assert_eq!(things(&door.sandbox).keys.len(), 0);
}

#[test]
fn a_table_that_stays_keeps_its_key() {
    let door = Door::new("Action=CreateUser", When::Before);
    door.kill_a_lab();
    let table = things(&door.sandbox).tables.pop().unwrap();
    let protect = |protect: bool| {
        block_on(async {
            let dynamodb = client!(aws_sdk_dynamodb, door.sandbox);
            let call = dynamodb.update_table().table_name(&table).deletion_protection_enabled(protect);
            call.send().await.unwrap();
        });
    };
    protect(true);
    let (status, printed) = door.clean_up(&[]);
    assert_eq!(status, Some(3), "{printed}");
    assert!(printed.contains("left: table arn:aws:dynamodb:us-east-1:"), "{printed}");
    assert!(printed.contains("left: key arn:aws:kms:us-east-1:"), "{printed}");
    let left = things(&door.sandbox);
    assert_eq!((left.tables.len(), left.keys.len(), left.aliases.len()), (1, 1, 0));
    protect(false);
    let (status, printed) = door.clean_up(&[]);
    assert_eq!((status, things(&door.sandbox).keys.len()), (Some(0), 0), "{printed}");
}

#[test]
fn what_somebody_has_put_on_the_user_goes_with_it() {
    let door = Door::new("TrentService.PutKeyPolicy", When::Before);
    door.kill_a_lab();
    let user = things(&door.sandbox).users.into_iter().find(|user| user.starts_with("kmslab-user-")).unwrap();
    block_on(async {
        let iam = client!(aws_sdk_iam, door.sandbox);
        iam.create_access_key().user_name(&user).send().await.unwrap();
        let policy = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Action":"s3:*","Resource":"*"}]}"#;
        let call = iam.put_user_policy().user_name(&user).policy_name("tried").policy_document(policy);
        call.send().await.unwrap();
    });
    let (status, printed) = door.clean_up(&[]);
    assert_eq!(status, Some(0), "{printed}");
    assert!(!things(&door.sandbox).users.contains(&user), "{printed}");
}

#[test]
fn what_a_journal_names_and_has_no_tag_is_left_and_told() {
    let door = Door::new("Action=CreateUser", When::Before);
    door.kill_a_lab();
    let table = things(&door.sandbox).tables.pop().unwrap();
    block_on(async {
        let dynamodb = client!(aws_sdk_dynamodb, door.sandbox);
        let arn = dynamodb.describe_table().table_name(&table).send().await.unwrap().table.unwrap().table_arn.unwrap();
        dynamodb.untag_resource().resource_arn(arn).tag_keys("kmslab:run").send().await.unwrap();
    });
    let (status, printed) = door.clean_up(&["--dry-run"]);
    assert_eq!(status, Some(3), "{printed}");
    assert!(printed.contains("would keep   key arn:aws:kms:us-east-1:"), "{printed}");
    assert!(!printed.contains("would remove key"), "{printed}");
    let (status, printed) = door.clean_up(&[]);
    assert_eq!(status, Some(3), "{printed}");
    assert!(printed.contains(&format!("not touched  table {table}: it has no tag kmslab:run")), "{printed}");
    assert!(printed.contains(&format!("left: table {table}\n    the journal of run ")), "{printed}");
    let left = things(&door.sandbox);
    // The key was that table's.
    assert_eq!((left.tables, left.keys.len()), (vec![table], 1), "{printed}");
    assert_eq!(std::fs::read_dir(door.journals()).unwrap().count(), 1);
}

/// Keys of a user that may do only `actions`.
fn half_admin(sandbox: &Sandbox, actions: &str) -> [(&'static str, String); 2] {
    let policy =
        format!(r#"{{"Version":"2012-10-17","Statement":[{{"Effect":"Allow","Action":[{actions}],"Resource":"*"}}]}}"#);
    let key = block_on(async {
        let iam = client!(aws_sdk_iam, sandbox);
        iam.create_user().user_name("half-admin").send().await.unwrap();
        let call = iam.put_user_policy().user_name("half-admin").policy_name("half").policy_document(policy);
        call.send().await.unwrap();
        iam.create_access_key().user_name("half-admin").send().await.unwrap().access_key.unwrap()
    });
    [("AWS_ACCESS_KEY_ID", key.access_key_id), ("AWS_SECRET_ACCESS_KEY", key.secret_access_key)]
}

#[rstest]
#[case::users(r#""dynamodb:*","kms:*""#, "iam:ListUsers", (0, 0))]
// Where the tables can't be seen, their keys stay, too.
#[case::tables(r#""iam:*","kms:*""#, "dynamodb:ListTables", (1, 1))]
fn what_may_not_be_listed_is_told_and_the_journal_stays(
    #[case] actions: &str,
    #[case] refused: &str,
    #[case] tables_and_keys: (usize, usize),
) {
    let door = Door::new("Action=PutUserPolicy", When::Before);
    door.kill_a_lab();
    let output = door.kmslab(&["cleanup"]).envs(half_admin(&door.sandbox, actions)).output().unwrap();
    let printed = text(&output.stdout);
    assert_eq!(output.status.code(), Some(3), "{printed}");
    assert!(printed.contains(&format!("not seen     {refused}: AccessDenied")), "{printed}");
    let left = things(&door.sandbox);
    assert_eq!((left.tables.len(), left.keys.len()), tables_and_keys, "{printed}");
    assert_eq!(door.clean_up(&[]).0, Some(0));
    assert_eq!(std::fs::read_dir(door.journals()).unwrap().count(), 0);
    let left = things(&door.sandbox);
    assert_eq!((left.tables.len(), left.keys.len()), (0, 0));
    assert!(!left.users.iter().any(|user| user.starts_with("kmslab-user-")));
}

#[test]
fn an_unreachable_journals_server_ends_with_4() {
    let mut door = Door::new("TrentService.CreateAlias", When::Before);
    door.kill_a_lab();
    let journal = std::fs::read_dir(door.journals()).unwrap().next().unwrap().unwrap().path();
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let nowhere = format!("http://127.0.0.1:{port}");
    let moved = std::fs::read_to_string(&journal).unwrap().replace(&door.url, &nowhere);
    std::fs::write(&journal, moved).unwrap();
    door.url = nowhere;
    let (status, printed) = door.clean_up(&[]);
    assert_eq!(status, Some(4), "{printed}");
    assert!(printed.contains("can't look: sts:GetCallerIdentity: "), "{printed}");
    assert!(Path::new(&journal).exists());
}

#[test]
fn without_journals_it_says_how_everyones_runs_are_found() {
    let door = Door::new("nothing stops here", When::Before);
    for (arguments, says) in [(vec![], "this machine has no journal"), (door.here(&[]), "no journal of this machine")] {
        let (status, printed) = door.clean_up(&arguments);
        assert_eq!(status, Some(0), "{printed}");
        assert!(printed.starts_with(says) && printed.contains("`kmslab cleanup --all`"), "{printed}");
    }
    let (status, printed) = door.clean_up(&["--all"]);
    assert_eq!(status, Some(2), "{printed}");
    assert!(printed.contains("--all needs a place"), "{printed}");
}
