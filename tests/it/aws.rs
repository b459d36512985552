//! `--backend aws` from end to end: the SDK's own host names and TLS, and a sandbox behind them that checks every signature.
//!
//! The names lead to AWS everywhere else; here `HTTPS_PROXY` leads to a proxy of this test (`support/https.rs`), whose
//! certificates an authority of this test has signed, which `AWS_CA_BUNDLE` names.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::process::Command;
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use rstest::rstest;
use serde_json::Value;

use crate::support::https::{Proxy, Stop, authority, contains, server_config};
use crate::support::program::{program, text};
use crate::support::session;
use crate::support::things::{block_on, client, things};

/// The account of the sandbox's admin.
const ACCOUNT: &str = "111122223333";

const STS: &str = "sts.us-east-1.amazonaws.com";
const KMS: &str = "kms.us-east-1.amazonaws.com";
const DYNAMODB: &str = "dynamodb.us-east-1.amazonaws.com";
const IAM: &str = "iam.amazonaws.com";
const DYNAMODB_OF_THE_ACCOUNT: &str = "111122223333.ddb.us-east-1.amazonaws.com";

struct Aws {
    proxy: Proxy,
    home: tempfile::TempDir,
}

impl Aws {
    fn new(stop: Option<Stop>) -> Aws {
        let ours = authority("ours");
        let home = tempfile::tempdir().unwrap();
        std::fs::write(home.path().join("ours.pem"), ours.pem()).unwrap();
        let names = [STS, KMS, DYNAMODB, IAM, DYNAMODB_OF_THE_ACCOUNT];
        Aws { proxy: Proxy::new(server_config(&ours, &names), stop), home }
    }

    /// It never takes the call after CreateUser, and tells when that has been sent.
    fn that_stops() -> (Aws, Receiver<()>) {
        let (sent, arrived) = channel();
        (Aws::new(Some(("Action=PutUserPolicy", sent))), arrived)
    }

    /// Runs a lab until it has made table, user, alias and key, and kills it.
    fn kill_a_lab(&self, arrived: &Receiver<()>, variables: &[(&str, &str)]) {
        let mut lab = self.kmslab(&RUN).envs(variables.iter().copied()).spawn().unwrap();
        arrived.recv_timeout(Duration::from_secs(120)).unwrap();
        lab.kill().unwrap(); // kill -9
        lab.wait().unwrap();
        assert_eq!(self.left(), 4);
    }

    fn kmslab(&self, arguments: &[&str]) -> Command {
        let admin = self.proxy.sandbox.admin();
        let mut command = program(self.home.path(), &admin.access_key_id, &admin.secret_access_key);
        command.env("HTTPS_PROXY", &self.proxy.url).env("AWS_CA_BUNDLE", self.home.path().join("ours.pem"));
        command.env("AWS_REGION", "us-east-1").args(arguments);
        command
    }

    /// Exit status, stdout and stderr.
    fn output(&self, arguments: &[&str]) -> (Option<i32>, String, String) {
        let output = self.kmslab(arguments).output().unwrap();
        (output.status.code(), text(&output.stdout), text(&output.stderr))
    }

    /// The hosts that were asked for.
    fn hosts(&self) -> BTreeSet<String> {
        let asked = self.proxy.seen.asked.lock().unwrap();
        asked
            .iter()
            .map(|line| {
                let host = line.strip_prefix("CONNECT ").and_then(|rest| rest.strip_suffix(":443 HTTP/1.1"));
                host.unwrap_or_else(|| panic!("{line}")).to_owned()
            })
            .collect()
    }

    fn left(&self) -> usize {
        // The admin is a user, too.
        let things = things(&self.proxy.sandbox);
        assert!(things.users.iter().any(|user| user == "kmslab-admin"));
        things.count() - 1
    }

    fn journals(&self) -> Vec<PathBuf> {
        let folder = std::fs::read_dir(self.home.path().join(".local/state/kmslab/runs"));
        folder.map(|entries| entries.map(|entry| entry.unwrap().path()).collect()).unwrap_or_default()
    }

    /// The calls that create or change something.
    fn changes(&self) -> Vec<String> {
        let trail = self.proxy.sandbox.trail();
        let names = trail.into_iter().map(|event| event.event_name);
        names.filter(|name| ["Create", "Put", "Attach"].iter().any(|verb| name.starts_with(verb))).collect()
    }
}

const RUN: [&str; 7] = ["run", "--backend", "aws", "--yes-account", ACCOUNT, "--format", "jsonl"];

#[rstest]
#[case::keys(None, &[STS, KMS, DYNAMODB, IAM])]
// Credentials of a role or of SSO know their account; then the SDK asks the account's own DynamoDB endpoint.
#[case::keys_that_know_their_account(Some(ACCOUNT), &[STS, KMS, DYNAMODB, DYNAMODB_OF_THE_ACCOUNT, IAM])]
fn the_whole_lab(#[case] account_id: Option<&str>, #[case] hosts: &[&str]) {
    let aws = Aws::new(None);
    let output = aws.kmslab(&RUN).envs(account_id.map(|id| ("AWS_ACCOUNT_ID", id))).output().unwrap();
    let (printed, told) = (text(&output.stdout), text(&output.stderr));
    assert_eq!(output.status.code(), Some(0), "{printed}{told}");
    let lines: Vec<Value> = printed.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let stages: Vec<&Value> = lines.iter().filter(|line| line["event"] == "stage").collect();
    assert_eq!(stages.len(), 9);
    assert!(stages.iter().all(|stage| stage["met"] == true), "{printed}");
    let summary = r#"{"event":"summary","stages":9,"met":9,"backend":"aws"}"#;
    assert_eq!(printed.lines().last(), Some(summary));
    assert!(told.starts_with("kmslab: so far: key ") && told.lines().count() == 1, "{told}");

    assert_eq!(aws.hosts(), hosts.iter().map(|host| (*host).to_owned()).collect());
    assert_eq!(aws.left(), 0);
    assert_eq!(aws.journals(), Vec::<PathBuf>::new());
    let wire = aws.proxy.seen.wire.lock().unwrap();
    for inside in ["authorization: ", "AWS4-HMAC-SHA256", "x-amz-target", "kmslab-table-"] {
        let messages = aws.proxy.seen.messages.lock().unwrap();
        assert!(messages.iter().any(|(request, _)| contains(request.as_bytes(), inside)), "{inside} was not sent");
        assert!(!contains(&wire, inside), "{inside} was sent in clear text");
    }
}

/// The messages of calls that were signed by `access_key_id`.
fn signed_by(aws: &Aws, access_key_id: &str) -> Vec<String> {
    let messages = aws.proxy.seen.messages.lock().unwrap();
    let its = format!("Credential={access_key_id}/");
    messages.iter().filter(|(request, _)| request.contains(&its)).map(|(request, _)| request.clone()).collect()
}

#[test]
fn the_whole_lab_as_a_role() {
    let aws = Aws::new(None);
    let admin = aws.proxy.sandbox.admin();
    let profiles = format!(
        "[profile base]\naws_access_key_id = {}\naws_secret_access_key = {}\n\
         [profile lab]\nrole_arn = arn:aws:iam::{ACCOUNT}:role/lab-admin\nsource_profile = base\n",
        admin.access_key_id,
        admin.secret_access_key.as_str()
    );
    std::fs::create_dir(aws.home.path().join(".aws")).unwrap();
    std::fs::write(aws.home.path().join(".aws/config"), profiles).unwrap();
    let (status, printed, told) = aws.output(&[&RUN[..], &["--admin-profile", "lab"]].concat());
    assert_eq!(status, Some(0), "{printed}{told}");
    assert!(printed.ends_with("\"met\":9,\"backend\":\"aws\"}\n"), "{printed}");
    assert_eq!(aws.left(), 0);
    // The base took on the role; the role did everything; test-user's own keys have no token.
    assert_eq!(signed_by(&aws, &admin.access_key_id).len(), 1);
    let of_the_role = signed_by(&aws, session::ID);
    assert!(of_the_role.iter().all(|request| request.contains(session::TOKEN)));
    let of_the_user = printed.lines().filter(|line| line.contains(r#""identity":"test-user""#)).count();
    let with_token = aws.proxy.seen.messages.lock().unwrap().iter().filter(|(r, _)| r.contains(session::TOKEN)).count();
    assert_eq!(aws.proxy.seen.messages.lock().unwrap().len(), 1 + with_token + of_the_user);
    for secret in [admin.secret_access_key.as_str(), session::SECRET, session::TOKEN] {
        assert!(!printed.contains(secret) && !told.contains(secret), "{printed}{told}");
    }
}

#[test]
fn doctor_finds_all_well_and_creates_nothing() {
    let aws = Aws::new(None);
    let (status, printed, told) = aws.output(&["doctor", "--backend", "aws"]);
    assert_eq!((status, told.as_str()), (Some(0), ""), "{printed}");
    for line in ["ok       clock", "admin              arn:aws:iam::111122223333:user/kmslab-admin", "0 to fix"] {
        assert!(printed.contains(line), "{line} is not in {printed}");
    }
    assert_eq!(aws.hosts(), [IAM, STS].map(str::to_owned).into());
    assert_eq!(aws.changes(), [""; 0]);
}

#[rstest]
#[case::by_tags(&["cleanup", "--backend", "aws", "--all", "--yes-account", ACCOUNT], true)]
#[case::by_journal(&["cleanup"], false)]
fn killed_in_the_middle_and_cleaned_up(#[case] arguments: &[&str], #[case] journal_is_lost: bool) {
    let (aws, arrived) = Aws::that_stops();
    aws.kill_a_lab(&arrived, &[]);
    let journals = aws.journals();
    assert_eq!(journals.len(), 1);
    if journal_is_lost {
        std::fs::remove_file(&journals[0]).unwrap();
    }

    let (status, printed, told) = aws.output(&["cleanup", "--backend", "aws", "--all", "--dry-run"]);
    assert_eq!((status, told.as_str()), (Some(3), ""), "{printed}");
    assert!(printed.contains("    https://us-east-1.console.aws.amazon.com/dynamodbv2/"), "{printed}");
    assert_eq!(aws.left(), 4);

    for _ in 0..2 {
        let (status, printed, told) = aws.output(arguments);
        assert_eq!((status, told.as_str()), (Some(0), ""), "{printed}");
    }
    assert_eq!((aws.left(), aws.journals().len()), (0, 0));
    // The SDK sends what names a table by its ARN, as reading its tags does, to the DynamoDB endpoint of the ARN's account.
    assert_eq!(aws.hosts(), [STS, KMS, DYNAMODB, DYNAMODB_OF_THE_ACCOUNT, IAM].map(str::to_owned).into());
}

#[test]
fn an_account_other_than_the_named_one_is_refused() {
    let aws = Aws::new(None);
    let (status, printed, told) = aws.output(&["run", "--backend", "aws", "--yes-account", "444455556666"]);
    assert_eq!(status, Some(2), "{printed}{told}");
    assert!(told.contains("--yes-account is 444455556666"), "{told}");
    assert_eq!((aws.changes(), aws.left()), (Vec::new(), 0));
    assert_eq!(aws.hosts(), [STS, IAM].map(str::to_owned).into(), "IAM is only asked what admin may do");
}

#[test]
fn the_environments_endpoint_counts_for_every_command() {
    let (aws, arrived) = Aws::that_stops();
    let elsewhere = format!("https://{KMS}");
    let command = |arguments: &[&str]| {
        let mut command = aws.kmslab(arguments);
        command.env("AWS_ENDPOINT_URL", &elsewhere);
        command
    };
    let doctor = text(&command(&["doctor", "--backend", "aws"]).output().unwrap().stdout);
    assert!(
        doctor.contains(&format!("warning  endpoint           AWS_ENDPOINT_URL or the profile leads to {elsewhere}"))
    );
    aws.kill_a_lab(&arrived, &[("AWS_ENDPOINT_URL", &elsewhere)]);
    let cleaned = command(&["cleanup", "--backend", "aws"]).output().unwrap();
    let (printed, told) = (text(&cleaned.stdout), text(&cleaned.stderr));
    assert_eq!(cleaned.status.code(), Some(0), "{printed}{told}");
    assert!(told.contains(&format!("leads to {elsewhere}: this looks there, not at AWS")), "{told}");
    assert!(printed.starts_with(&format!("looking at {elsewhere} in us-east-1")), "{printed}");
    assert_eq!((aws.left(), aws.journals().len()), (0, 0));
    assert_eq!(aws.hosts(), [KMS.to_owned()].into(), "nowhere else");
}

#[test]
fn an_endpoint_of_one_service_alone_is_named_too() {
    let aws = Aws::new(None);
    let elsewhere = format!("https://{KMS}");
    let output = aws.kmslab(&["doctor", "--backend", "aws"]).env("AWS_ENDPOINT_URL_KMS", &elsewhere).output().unwrap();
    let printed = text(&output.stdout);
    assert!(printed.contains(&format!("leads STS, DynamoDB and IAM to AWS; KMS to {elsewhere}")), "{printed}");
}

#[test]
fn a_journal_of_aws_is_not_followed_elsewhere() {
    let (aws, arrived) = Aws::that_stops();
    aws.kill_a_lab(&arrived, &[]);
    let output = aws.kmslab(&["cleanup"]).env("AWS_ENDPOINT_URL", aws.proxy.sandbox.url()).output().unwrap();
    assert_eq!(output.status.code(), Some(4));
    let told = text(&output.stderr);
    assert!(told.contains("AWS: AWS_ENDPOINT_URL or the profile leads to http://127.0.0.1:"), "{told}");
    assert_eq!((aws.left(), aws.journals().len()), (4, 1));
}

/// The names and ids of all that is there, and the admin's.
fn originals(aws: &Aws) -> BTreeSet<String> {
    let things = things(&aws.proxy.sandbox);
    let run = things.tables[0].strip_prefix("kmslab-table-").unwrap().to_owned();
    let names = [things.tables, things.users, things.keys, vec![run]].concat();
    let aliases = things.aliases.iter().map(|alias| alias.strip_prefix("alias/").unwrap().to_owned());
    let admin = [ACCOUNT.to_owned(), aws.proxy.sandbox.admin().access_key_id.clone()];
    names.into_iter().chain(aliases).chain(admin).collect()
}

#[test]
fn masked_doctor_and_clean_up_name_nobody_and_nothing() {
    let (aws, arrived) = Aws::that_stops();
    aws.kill_a_lab(&arrived, &[]);
    // Like the lab's, but nobody's.
    block_on(async {
        let iam = client!(aws_sdk_iam, aws.proxy.sandbox);
        iam.create_user().user_name("kmslab-user-of.charlotte").send().await.unwrap();
        let key =
            client!(aws_sdk_kms, aws.proxy.sandbox).create_key().send().await.unwrap().key_metadata.unwrap().key_id;
        let kms = client!(aws_sdk_kms, aws.proxy.sandbox);
        kms.create_alias().alias_name("alias/kmslab-key-charlotte_2").target_key_id(key).send().await.unwrap();
    });
    let originals = originals(&aws);
    assert_eq!(originals.len(), 11, "{originals:?}");
    let masked = |arguments: &[&str]| {
        let (status, printed, told) = aws.output(arguments);
        let seen = printed + &told;
        let found: Vec<&String> = originals.iter().filter(|original| seen.contains(original.as_str())).collect();
        assert_eq!(found, Vec::<&String>::new(), "{arguments:?}: {seen}");
        assert!(!seen.contains("charlotte"), "{seen}");
        (status, seen)
    };
    let (status, doctor) = masked(&["doctor", "--backend", "aws", "--mask"]);
    assert_eq!(status, Some(0), "{doctor}");
    assert!(doctor.contains("ok       admin              arn:aws:iam::"), "{doctor}");

    let (status, dry) = masked(&["cleanup", "--backend", "aws", "--all", "--dry-run", "--mask"]);
    assert_eq!(status, Some(3), "{dry}");
    // What says what a thing is stays, and one thing has one pseudonym.
    let (_, table) = dry.split_once("would remove table arn:aws:dynamodb:us-east-1:").unwrap();
    let name = table.lines().next().unwrap().split_once(":table/").unwrap().1;
    assert!(name.starts_with("kmslab-table-"), "{dry}");
    assert!(dry.contains(&format!("#table?name={name}\n")), "{dry}");
    assert!(dry.contains("not touched  user kmslab-user-"), "{dry}");
    assert!(dry.contains("not touched  alias alias/kmslab-key-"), "{dry}");

    let (status, cleaned) = masked(&["cleanup", "--mask"]);
    assert_eq!(status, Some(0), "{cleaned}");
    assert_eq!(aws.left(), 3, "what is nobody's is untouched");
}

#[test]
fn a_masked_error_before_anything_is_sent_names_nobody() {
    let aws = Aws::new(None);
    let role = "[profile lab]\nrole_arn = arn:aws:iam::444455556666:role/charlotte\n";
    std::fs::create_dir(aws.home.path().join(".aws")).unwrap();
    std::fs::write(aws.home.path().join(".aws/config"), role).unwrap();
    let run = ["run", "--backend", "aws", "--admin-profile", "lab"];
    let (status, _, told) = aws.output(&run);
    assert_eq!(status, Some(2), "{told}");
    assert!(told.contains("its role arn:aws:iam::444455556666:role/charlotte"), "{told}");
    let (_, _, told) = aws.output(&[&run[..], &["--mask"]].concat());
    assert!(told.contains("its role arn:aws:iam::"), "{told}");
    assert!(!told.contains("444455556666") && !told.contains("charlotte"), "{told}");
}

#[test]
fn a_recording_of_a_run_tells_nobody_whose_it_was() {
    let aws = Aws::new(None);
    let record = |file: &'static str, more: &[&'static str]| {
        let arguments =
            [&["record", file, "--backend", "aws", "--yes-account", ACCOUNT, "--pace", "fast"][..], more].concat();
        let mut command = aws.kmslab(&arguments);
        command.current_dir(aws.home.path()).output().unwrap()
    };
    for file in ["lab.cast", "lab.kmslab"] {
        let output = record(file, &[]);
        assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
        assert_eq!(aws.left(), 0);
        let recorded = text(&std::fs::read(aws.home.path().join(file)).unwrap());
        assert!(recorded.contains("amazonaws.com") || recorded.contains("AWS"), "it is a run on AWS");
        for real in ["kmslab-admin", aws.proxy.sandbox.admin().access_key_id.as_str()] {
            assert!(!recorded.contains(real), "{real} is in {file}");
        }
        let verified = aws.kmslab(&["verify-cast", file]).current_dir(aws.home.path()).output().unwrap();
        assert_eq!(verified.status.code(), Some(0), "{}", text(&verified.stdout));
    }
    // The consent is recorded as what it was, and nothing is asked again.
    let again = aws.kmslab(&["replay", "lab.kmslab", "--record", "again.cast"]).current_dir(aws.home.path()).output();
    let again = again.unwrap();
    assert!(text(&again.stdout).contains("Clean up"), "{}{}", text(&again.stdout), text(&again.stderr));
}

#[test]
fn a_recording_that_fails_leaves_nothing_behind() {
    let aws = Aws::new(None);
    let program = env!("CARGO_BIN_EXE_kmslab");
    let kmslab = aws.kmslab(&[]);
    let script = format!(
        "trap '' XFSZ; ulimit -f 1500; \
         exec {program} record lab.cast --as-seen --size 400x200 --backend aws --yes-account {ACCOUNT} --pace fast"
    );
    let mut command = Command::new("sh");
    command.args(["-c", &script]).env_clear().env("PATH", "/usr/bin:/bin").current_dir(aws.home.path());
    command.envs(kmslab.get_envs().filter_map(|(name, value)| Some((name, value?))));
    let output = command.output().unwrap();
    assert_eq!(output.status.code(), Some(1), "{}", text(&output.stderr));
    assert!(text(&output.stderr).contains("lab.cast is not complete"), "{}", text(&output.stderr));
    assert!(!aws.changes().is_empty(), "it had begun");
    assert_eq!(aws.left(), 0);
    assert_eq!(aws.journals(), Vec::<PathBuf>::new());
}

#[test]
fn nothing_is_recorded_into_an_account_without_a_yes() {
    let aws = Aws::new(None);
    let mut command = aws.kmslab(&["record", "lab.cast", "--backend", "aws"]);
    let output = command.current_dir(aws.home.path()).output().unwrap();
    assert_eq!(output.status.code(), Some(2), "{}", text(&output.stderr));
    assert!(text(&output.stderr).contains("refused"), "{}", text(&output.stderr));
    assert_eq!(aws.changes(), Vec::<String>::new());
}
