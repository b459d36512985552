//! The sandbox by clients that are not ours: the AWS CLI and boto3 walk through it.
//!
//! They need `python3` with `boto3`, and `aws`, on the path. Without them these tests say so and pass, unless
//! `KMSLAB_NEEDS_CLIENTS` is set, as it is in `.ci/run`, which installs them.
#![expect(clippy::unwrap_used, reason = "helpers of tests fail where they stand, like the tests themselves")]

use std::path::Path;
use std::process::Command;

use kmslab::sandbox::{Config, Sandbox};

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
    let home = tempfile::tempdir().unwrap();
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/clients").join(script);
    let output = Command::new(program)
        .arg(script)
        .env("HOME", home.path()) // no profiles and no settings of whoever runs the tests
        .env("AWS_ENDPOINT_URL", sandbox.url())
        .env("AWS_DEFAULT_REGION", sandbox.region())
        .env("AWS_ACCESS_KEY_ID", &sandbox.admin().access_key_id)
        .env("AWS_SECRET_ACCESS_KEY", sandbox.admin().secret_access_key.as_str())
        .env_remove("AWS_PROFILE")
        .env_remove("AWS_SESSION_TOKEN")
        .output()
        .unwrap();
    let (printed, errors) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success() && printed.ends_with("ok\n"), "{printed}{errors}");
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
