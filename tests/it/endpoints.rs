//! `kmslab run` on servers that are not as they should be, and ended while it runs on one.

mod hostile;

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Output};

use rstest::rstest;

use crate::support::door::{Door, When};
use crate::support::fake::Fake;
use crate::support::program::{program, text};

/// `kmslab run` on `url` with these keys, and with nothing else in the environment.
fn run(tmp: &Path, url: &str, id: &str, secret: &str) -> Command {
    let mut command = program(tmp, id, secret);
    command.env("AWS_MAX_ATTEMPTS", "1").args(["run", "--region", "us-east-1", "--endpoint-url", url]);
    command
}

/// A server that answers every request with these bytes and hangs up.
fn answering(bytes: &'static [u8]) -> String {
    Fake::new(|_| bytes.to_vec()).url()
}

#[rstest]
#[case::a_web_page(
    b"HTTP/1.1 404 Not Found\r\nContent-Type: text/html\r\nContent-Length: 13\r\n\r\n<p>Hello.</p>",
    "is not AWS's"
)]
#[case::a_friendly_web_page(
    b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 13\r\n\r\n<p>Hello.</p>",
    "is not AWS's"
)]
#[case::a_proxy(b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n", "is not AWS's")]
#[case::elsewhere(b"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n", "is not AWS's")]
#[case::empty_json(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}", "is not AWS's")]
#[case::cut_off_json(b"HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\n{\"Arn\":\"", "is not AWS's")]
#[case::half_an_answer(b"HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n<GetCallerIdentityResp", "was cut off")]
#[case::no_http(b"\x00\xff\x1b[31mSSH-2.0\r\n\r\n", "the endpoint's address is right")]
#[case::nothing(b"", "the endpoint's address is right")]
fn what_is_no_aws_server_ends_with_4_after_one_call(#[case] answer: &'static [u8], #[case] says: &str) {
    let tmp = tempfile::tempdir().unwrap();
    let output = run(tmp.path(), &answering(answer), "AKIAEXAMPLE", "secret").output().unwrap();
    let printed = text(&output.stdout);
    assert_eq!(output.status.code(), Some(4), "{printed}{}", text(&output.stderr));
    assert!(printed.contains(says), "{printed}");
    assert_eq!(printed.matches("FAILED  ").count(), 1, "{printed}");
    assert!(!printed.contains('\u{1b}'), "{printed}");
    assert_eq!(text(&output.stderr), "");
}

/// `kmslab run` on the sandbox behind `door`.
fn start(door: &Door) -> Child {
    let admin = door.sandbox.admin();
    run(door.tmp.path(), &door.url, &admin.access_key_id, &admin.secret_access_key).spawn().unwrap()
}

fn signal(child: &Child, signal: &str) {
    let pid = child.id().to_string();
    assert!(Command::new("kill").args([signal, &pid]).status().unwrap().success());
}

fn end(child: Child) -> (Option<i32>, String, String) {
    let Output { status, stdout, stderr } = child.wait_with_output().unwrap();
    (status.code(), text(&stdout), text(&stderr))
}

#[rstest]
#[case::the_key("TrentService.CreateKey", "-INT", 130)]
#[case::the_table("DynamoDB_20120810.CreateTable", "-TERM", 143)]
#[case::the_user("Action=CreateUser", "-HUP", 129)]
fn stopped_while_something_is_created_it_is_removed_again(
    #[case] stops: &'static str,
    #[case] with: &str,
    #[case] code: i32,
) {
    let door = Door::new(stops, When::Before);
    let mut child = start(&door);
    door.wait_for_the_request();
    signal(&child, with);
    let mut printed = BufReader::new(child.stdout.take().unwrap()).lines().map(Result::unwrap);
    assert!(printed.any(|line| line.contains("stopped: cleaning up first")));
    door.open.send(true).unwrap();
    let rest: Vec<String> = printed.collect();
    let (status, _, stderr) = end(child);
    assert_eq!((status, stderr.as_str()), (Some(code), ""), "{rest:#?}");
    assert!(rest.iter().any(|line| line.contains("kms:ScheduleKeyDeletion     ALLOWED")), "{rest:#?}");
    assert!(rest.iter().any(|line| line.contains("key PendingDeletion")), "{rest:#?}");
}

#[test]
fn stopped_before_anything_is_created_it_ends_at_once() {
    let door = Door::new("Action=GetCallerIdentity", When::Before);
    let child = start(&door);
    door.wait_for_the_request();
    signal(&child, "-INT");
    assert_eq!(end(child).0, Some(130));
}

#[test]
fn a_second_signal_ends_it_at_once_and_what_stays_is_told() {
    let door = Door::new("TrentService.CreateAlias", When::Before);
    let mut child = start(&door);
    door.wait_for_the_request();
    signal(&child, "-INT");
    let mut printed = BufReader::new(child.stdout.take().unwrap()).lines().map(Result::unwrap);
    assert!(printed.any(|line| line.contains("stopped: cleaning up first")));
    signal(&child, "-INT");
    let (status, _, stderr) = end(child);
    assert_eq!(status, Some(3), "{stderr}");
    assert!(stderr.contains("KMS key arn:aws:kms:us-east-1:"), "{stderr}");
    assert!(stderr.contains("alias/kmslab-key-") && stderr.contains(", being created"), "{stderr}");
}

#[test]
fn a_reader_that_leaves_does_not_hide_what_stays() {
    let door = Door::new("TrentService.CreateAlias", When::Before);
    let mut child = start(&door);
    door.wait_for_the_request();
    drop(child.stdout.take());
    // The server is gone, too, so cleaning up can't succeed.
    let Door { sandbox, open, tmp: _home, .. } = door;
    drop((sandbox, open));
    let (status, _, stderr) = end(child);
    assert_eq!(status, Some(3), "{stderr}");
    assert!(stderr.contains("KMS key arn:aws:kms:us-east-1:"), "{stderr}");
}

#[test]
fn a_named_profile_comes_before_the_environment() {
    let door = Door::new("nothing stops here", When::Before);
    let admin = door.sandbox.admin();
    let folder = door.tmp.path().join(".aws");
    std::fs::create_dir(&folder).unwrap();
    let profile = format!(
        "[lab]\naws_access_key_id = {}\naws_secret_access_key = {}\n",
        admin.access_key_id,
        admin.secret_access_key.as_str()
    );
    std::fs::write(folder.join("credentials"), profile).unwrap();
    let with_environment = |arguments: &[&str]| {
        run(door.tmp.path(), &door.url, "AKIASOMEBODYELSE", "another secret").args(arguments).output().unwrap()
    };
    assert_eq!(with_environment(&[]).status.code(), Some(4));
    let output = with_environment(&["--admin-profile", "lab"]);
    assert_eq!(output.status.code(), Some(0), "{}{}", text(&output.stdout), text(&output.stderr));

    let output = with_environment(&["--admin-profile", "lab", "--user-profile", "nobody"]);
    assert_eq!(output.status.code(), Some(2), "{}", text(&output.stdout));
    assert!(text(&output.stderr).contains("test-user: no credentials from profile nobody"), "{}", text(&output.stderr));
}
