//! `--debug FILE`, and what `--version` says.

use std::fs::{self, Permissions};
use std::io::Write;
use std::os::unix::fs::PermissionsExt;

use super::*;

fn debugged(arguments: &[&str]) -> (Output, String) {
    let tmp = tempfile::tempdir().unwrap();
    let file = tmp.path().join("debug.log");
    // Continued, and closed to others.
    fs::write(&file, "before\n").unwrap();
    fs::set_permissions(&file, Permissions::from_mode(0o644)).unwrap();
    let output = output(tmp.path(), &[arguments, &["--debug", file.to_str().unwrap()]].concat());
    assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    (output, fs::read_to_string(&file).unwrap())
}

#[test]
fn a_denied_scan_can_be_followed() {
    let (output, log) = debugged(&["run", "--seed", "1"]);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    let mut rest = log.strip_prefix("before\n").unwrap();
    for step in [
        "app kmslab version=",
        "run::driver event what=Intent(Advance)",
        "stage=\"view_denied\"",
        "test-user dynamodb:Scan",
        "sandbox::log decision request_id=",
        "action=\"kms:Decrypt\"",
        "ImplicitDeny",
        "sandbox::log call caller=",
        "call refused id=",
        "AccessDeniedException",
        "event what=CallFinished ",
        "Report: test-user Scan denied",
        "Report: view_denied",
        "took ",
        "app ended exit=Met",
    ] {
        let at = rest.find(step).unwrap_or_else(|| panic!("{step} is not in:\n{rest}"));
        rest = &rest[at..];
    }
}

#[test]
fn a_debug_log_holds_no_secrets_and_masks() {
    let (plain, log) = debugged(&["run", "--seed", "1", "--format", "jsonl"]);
    assert_eq!(plain.status.code(), Some(0));
    for secret in ["Signature=", "AWS4-HMAC", "SessionToken\":\"", "aws_sigv4", "aws_config", "hyper"] {
        assert!(!log.contains(secret), "{secret}\n{log}");
    }
    assert!(log.contains("CreateAccessKey") && log.contains("111122223333"), "{log}");
    let (_, masked) = debugged(&["run", "--seed", "1", "--mask"]);
    // The run of this seed, and its administrator.
    for name in ["3c6ef372", "kmslab-admin"] {
        assert!(log.contains(name) && !masked.contains(name), "{name}\n{masked}");
    }
}

/// The run of the seed 1.
const RUN: &str = "3c6ef372";

/// Every id and name of a run, as its responses name them.
fn ids(run: &Output) -> BTreeSet<String> {
    let mut ids = BTreeSet::new();
    let names =
        ["KeyId", "Account", "AWSAccountId", "UserId", "UserName", "AccessKeyId", "TableName", "TableId", "Arn"];
    let mut found = vec![Value::Array(lines(run))];
    while let Some(value) = found.pop() {
        match value {
            Value::Array(values) => found.extend(values),
            Value::Object(members) => {
                for (name, member) in members {
                    match member {
                        Value::String(id) if names.contains(&name.as_str()) => {
                            ids.extend(id.rsplit([':', '/']).next().map(str::to_owned));
                        }
                        member => found.push(member),
                    }
                }
            }
            _ => {}
        }
    }
    ids
}

/// A masked lab, in every form that a command writes: none has an id of the run.
#[test]
fn no_file_of_a_masked_lab_names_anybody() {
    let tmp = tempfile::tempdir().unwrap();
    let run = output(tmp.path(), &["run", "--seed", "1", "--format", "jsonl"]);
    let mut ids = ids(&run);
    ids.insert(RUN.to_owned());
    // The sandbox's admin is called like that everywhere.
    ids.retain(|id| id.len() >= 8 && id != "kmslab-admin");
    assert!(ids.len() > 6 && ids.contains("111122223333"), "{ids:?}");
    let file = |name: &str| tmp.path().join(name).to_str().unwrap().to_owned();
    let masked = output(tmp.path(), &["run", "--seed", "1", "--format", "jsonl", "--mask", "--debug", &file("1.log")]);
    fs::write(file("1.jsonl"), &masked.stdout).unwrap();
    for (name, log) in [
        ("lab.cast", "2.log"),
        ("lab.kmslab", "3.log"),
        ("lab.html", "4.log"),
        ("lab.svg", "5.log"),
        ("lab.txt", "6.log"),
    ] {
        let recorded =
            output(tmp.path(), &["record", &file(name), "--seed", "1", "--pace", "fast", "--debug", &file(log)]);
        assert!(recorded.status.success(), "{}", text(&recorded.stderr));
    }
    let mut plain = kmslab(tmp.path());
    plain.args(["--plain", "--seed", "1", "--mask", "--debug", &file("7.log")]).stdin(Stdio::piped());
    let mut plain = plain.stdout(Stdio::piped()).spawn().unwrap();
    plain.stdin.take().unwrap().write_all("s\n\n\n".repeat(9).as_bytes()).unwrap();
    fs::write(file("plain.txt"), plain.wait_with_output().unwrap().stdout).unwrap();
    for name in ["page.html", "page.md", "page.json", "page.sh"] {
        let exported = output(tmp.path(), &["export", &file(name)]);
        assert!(exported.status.success(), "{}", text(&exported.stderr));
    }
    let entries = fs::read_dir(tmp.path()).unwrap().map(Result::unwrap).filter(|it| it.file_type().unwrap().is_file());
    let names: Vec<String> = entries.map(|entry| entry.file_name().into_string().unwrap()).collect();
    assert!(names.len() >= 18, "{names:?}");
    for name in names.iter().map(String::as_str) {
        let written = text(&fs::read(file(name)).unwrap());
        assert!(written.len() > 500, "{name}: {written}");
        // A result says which run it is of.
        let is_meant = |id: &str| name == "page.json" && id == RUN;
        let found: Vec<&String> =
            ids.iter().filter(|id| written.contains(id.as_str()) && !is_meant(id.as_str())).collect();
        let lines = written.lines().filter(|line| found.iter().any(|id| line.contains(id.as_str())));
        assert_eq!(found, Vec::<&String>::new(), "{name}: {:?}", lines.take(3).collect::<Vec<_>>());
        if name.ends_with(".log") || name == "1.jsonl" {
            let accounts =
                written.split(':').filter(|word| word.len() == 12 && word.bytes().all(|it| it.is_ascii_digit()));
            assert_eq!(accounts.collect::<BTreeSet<_>>().len(), 1, "{name}: one account has one pseudonym");
        }
    }
}

/// The sandbox prints its administrator's secret key; its log must not.
#[test]
fn the_sandbox_logs_calls_but_not_its_secret() {
    let tmp = tempfile::tempdir().unwrap();
    let file = tmp.path().join("debug.log");
    let arguments = ["serve", "--listen", "127.0.0.1:0", "--debug", file.to_str().unwrap()];
    let mut serve = kmslab(tmp.path()).args(arguments).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    let exports: Vec<String> =
        BufReader::new(serve.stdout.take().unwrap()).lines().take(5).map(Result::unwrap).collect();
    let of = |name: &str| {
        let line = exports.iter().find(|line| line.contains(name)).unwrap();
        line.split_once('=').unwrap().1.to_owned()
    };
    let (url, secret) = (of("AWS_ENDPOINT_URL"), of("AWS_SECRET_ACCESS_KEY"));
    let mut run = kmslab(tmp.path());
    run.env("AWS_ACCESS_KEY_ID", of("AWS_ACCESS_KEY_ID")).env("AWS_SECRET_ACCESS_KEY", &secret);
    let ran = run.args(["run", "--region", "us-east-1", "--endpoint-url", &url]).output().unwrap();
    serve.kill().unwrap();
    serve.wait().unwrap();
    let log = fs::read_to_string(&file).unwrap();
    assert_eq!(ran.status.code(), Some(0), "{}", text(&ran.stderr));
    assert!(log.contains("sandbox::log call") && log.contains("CreateAccessKey"), "{log}");
    assert!(!log.contains(&secret), "{log}");
}

#[test]
fn a_debug_log_that_cannot_be_written_is_a_mistake() {
    let tmp = tempfile::tempdir().unwrap();
    let output = output(tmp.path(), &["run", "--debug", tmp.path().to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(2));
    assert!(text(&output.stderr).contains("can't be written"), "{}", text(&output.stderr));
}

#[test]
fn the_version_names_the_commit_if_it_is_known() {
    let tmp = tempfile::tempdir().unwrap();
    let said = text(&output(tmp.path(), &["--version"]).stdout);
    let version = said.trim_end().strip_prefix("kmslab ").unwrap();
    let rest = version.strip_prefix(env!("CARGO_PKG_VERSION")).unwrap();
    let commit = rest.strip_prefix(" (").and_then(|rest| rest.strip_suffix(')'));
    let is_commit = |commit: &str| commit.len() == 12 && commit.chars().all(|c| c.is_ascii_hexdigit());
    assert!(rest.is_empty() || commit.is_some_and(is_commit), "{said}");
}
