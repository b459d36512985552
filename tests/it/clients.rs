//! The sandbox by clients that are not ours: the AWS CLI and boto3 walk through it.
//!
//! They need `python3` with `boto3`, and `aws`, on the path. Without them these tests say so and pass, unless
//! `KMSLAB_NEEDS_CLIENTS` is set, as it is in `.ci/run`, which installs them.

use std::path::{Path, PathBuf};
use std::process::Command;

use kmslab::sandbox::{Config, Sandbox};

use crate::support::settings::without_settings;
use crate::support::things::things;

fn is_there(program: &str, arguments: &[&str]) -> bool {
    let there = Command::new(program).args(arguments).output().is_ok_and(|output| output.status.success());
    assert!(
        there || std::env::var_os("KMSLAB_NEEDS_CLIENTS").is_none(),
        "`{program} {}` does not work here, and KMSLAB_NEEDS_CLIENTS is set",
        arguments.join(" ")
    );
    if !there {
        eprintln!("skipped: `{program} {}` does not work here", arguments.join(" "));
    }
    there
}

fn walk(program: &str, script: &str) {
    let sandbox = Sandbox::start(Config::default()).unwrap();
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/clients").join(script);
    let (succeeded, printed) = run(program, &script, &sandbox);
    assert!(succeeded && printed.ends_with("ok\n"), "{printed}");
}

/// Runs a script as the sandbox's admin, who says yes: whether it succeeded, and what it has printed.
fn run(program: &str, script: &Path, sandbox: &Sandbox) -> (bool, String) {
    run_with(program, script, sandbox, &[("KMSLAB_YES_ACCOUNT", "111122223333")])
}

fn run_with(program: &str, script: &Path, sandbox: &Sandbox, variables: &[(&str, &str)]) -> (bool, String) {
    let home = tempfile::tempdir().unwrap();
    let mut command = Command::new(program);
    let output = without_settings(&mut command)
        .arg(script)
        .env("HOME", home.path()) // no profiles of the person who runs the tests
        .env("AWS_ENDPOINT_URL", sandbox.url())
        .env("AWS_DEFAULT_REGION", sandbox.region())
        .env("AWS_ACCESS_KEY_ID", &sandbox.admin().access_key_id)
        .env("AWS_SECRET_ACCESS_KEY", sandbox.admin().secret_access_key.as_str())
        .envs(variables.iter().copied())
        .output()
        .unwrap();
    let printed = [output.stderr, output.stdout].map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
    (output.status.success(), printed.concat())
}

/// `kmslab export run.sh` in a folder of its own.
fn exported(folder: &Path) -> PathBuf {
    let file = folder.join("run.sh");
    let mut kmslab = Command::new(env!("CARGO_BIN_EXE_kmslab"));
    let output = kmslab.env_clear().env("HOME", folder).arg("export").arg(&file).output().unwrap();
    assert!(output.status.success(), "{output:?}");
    file
}

#[test]
fn the_exported_script_goes_through_the_lab_and_leaves_nothing() {
    if !is_there("aws", &["--version"]) {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let sandbox = Sandbox::start(Config::default()).unwrap();
    let before = things(&sandbox);
    let (succeeded, printed) = run("bash", &exported(folder.path()), &sandbox);
    assert!(succeeded, "{printed}");
    for told in ["test-user: DENIED on kms:Decrypt, as expected", "test-user: ALLOWED, 3 items", "PendingDeletion"] {
        assert!(printed.contains(told), "{told}: {printed}");
    }
    assert!(!printed.contains("FAILED") && !printed.contains("LEFT BEHIND"), "{printed}");
    assert_eq!(things(&sandbox), before, "{} things before", before.count());
}

#[test]
fn an_exported_script_creates_nothing_without_consent() {
    if !is_there("aws", &["--version"]) {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let sandbox = Sandbox::start(Config::default()).unwrap();
    let script = exported(folder.path());
    for (yes, why) in [
        (&[][..], "nothing was created: no terminal to ask on; to agree: --yes-account 111122223333"),
        (
            &[("KMSLAB_YES_ACCOUNT", "999988887777")],
            "--yes-account is 999988887777, and the admin's account is 111122223333",
        ),
    ] {
        let (succeeded, printed) = run_with("bash", &script, &sandbox, yes);
        assert!(!succeeded && printed.contains(why), "{printed}");
        assert!(printed.contains("account    111122223333, region us-east-1, at http://127.0.0.1:"), "{printed}");
        assert!(printed.contains("dynamodb:* on that table, nothing else"), "{printed}");
    }
    let calls: Vec<String> = sandbox.decisions().into_iter().map(|decided| decided.action).collect();
    assert_eq!(calls, Vec::<String>::new());
}

/// A test-user that may use the key from the beginning: the script says so, fails, and cleans up.
#[test]
fn an_exported_script_that_fails_cleans_up() {
    if !is_there("aws", &["--version"]) {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let sandbox = Sandbox::start(Config::default()).unwrap();
    let before = things(&sandbox);
    let script = exported(folder.path());
    let text = std::fs::read_to_string(&script).unwrap();
    let policy = text.find(r#"{"Version""#).map(|at| &text[at..at + text[at..].find("}]}").unwrap() + 3]).unwrap();
    let all = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}"#;
    std::fs::write(&script, text.replace(policy, all)).unwrap();
    let (succeeded, printed) = run("bash", &script, &sandbox);
    assert!(!succeeded && printed.contains("FAILED: ALLOWED, and should be denied on kms:Decrypt"), "{printed}");
    assert_eq!(things(&sandbox), before, "{} things before", before.count());
}

#[test]
fn boto3_walks_through_the_sandbox() {
    if is_there("python3", &["-c", "import boto3"]) {
        walk("python3", "boto3_walk.py");
    }
}

#[test]
fn the_aws_cli_walks_through_the_lesson() {
    if is_there("aws", &["--version"]) {
        walk("bash", "aws_cli_walk.sh");
    }
}
