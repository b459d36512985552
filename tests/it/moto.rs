//! The lab on another server: moto, which keeps keys and tables and asks no key about a Scan.
//!
//! It needs `moto_server` on the path. Without it this test says so and passes, unless `KMSLAB_NEEDS_CLIENTS` is set, as
//! it is in `.ci/run`, which installs it.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use kmslab::aws::Clients;
use kmslab::lab::{Identity, Operation};
use serde_json::Value;

use crate::support::program::{program, text};
use crate::support::settings::without_settings;

/// A running moto; it ends when this is dropped.
pub struct Moto {
    child: Child,
    pub url: String,
}

impl Moto {
    /// `None` where it can't be started and need not be.
    pub fn start(home: &Path) -> Option<Moto> {
        let child = without_settings(&mut Command::new("moto_server"))
            .args(["-H", "127.0.0.1", "-p", "0"])
            // Without it moto knows no managed policy.
            .env("MOTO_IAM_LOAD_MANAGED_POLICIES", "true")
            .env("HOME", home)
            .env("PYTHONUNBUFFERED", "1")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn();
        let is_needed = std::env::var_os("KMSLAB_NEEDS_CLIENTS").is_some();
        let mut said = Vec::new();
        if let Ok(mut child) = child {
            let mut lines = BufReader::new(child.stderr.take().unwrap()).lines().map_while(Result::ok);
            for line in lines.by_ref() {
                // As werkzeug, its web server, says it; by then it is listening.
                if let Some((_, url)) = line.split_once("Running on ") {
                    let url = url.trim().split('\u{1b}').next().unwrap().to_owned();
                    // A pipe that is full would stop it.
                    std::thread::spawn(move || lines.for_each(drop));
                    return Some(Moto { child, url });
                }
                said.push(line);
            }
            child.wait().unwrap();
        }
        assert!(!is_needed, "moto_server does not start here, and KMSLAB_NEEDS_CLIENTS is set: {said:#?}");
        eprintln!("skipped: moto_server does not start here: {said:#?}");
        None
    }
}

impl Drop for Moto {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn on_moto_only_the_stage_that_kms_decides_is_unmet() {
    let home = tempfile::tempdir().unwrap();
    let Some(moto) = Moto::start(home.path()) else { return };
    let output = program(home.path(), "testing", "testing")
        .args(["run", "--format", "jsonl", "--region", "us-east-1", "--endpoint-url", &moto.url])
        .output()
        .unwrap();
    let printed = text(&output.stdout);
    let errors = text(&output.stderr);
    let lines: Vec<Value> = printed.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let stages: Vec<&Value> = lines.iter().filter(|line| line["event"] == "stage").collect();
    let told = |stage: &&Value| {
        let text = |name: &str| stage[name].as_str().unwrap().to_owned();
        (text("stage"), text("observed"), stage["met"] == true)
    };
    let stages: Vec<(String, String, bool)> = stages.iter().map(told).collect();
    assert_eq!(output.status.code(), Some(1), "{stages:#?}{errors}");
    assert_eq!(errors, "", "nothing is left behind");
    let unmet: Vec<_> = stages.iter().filter(|(_, _, met)| !met).collect();
    let [(stage, observed, _)] = unmet[..] else { panic!("not one stage: {unmet:#?}") };
    assert_eq!(stage, "view_denied");
    assert_eq!(
        observed,
        "admin ALLOWED (3 items), test-user ALLOWED: expected DENIED, got ALLOWED. The lab let test-user use no key, \
         so this server does not enforce KMS"
    );
    let summary = lines.last().unwrap();
    assert_eq!((&summary["stages"], &summary["met"]), (&Value::from(9), &Value::from(8)), "{stages:#?}");
    assert_eq!(stages.last().unwrap().1, "table, access key, user, alias deleted, key PendingDeletion");

    // What moto itself says is left.
    let created = |operation: &str| {
        let line = lines.iter().find(|line| line["operation"] == operation).unwrap();
        line["request"].clone()
    };
    let name = |request: Value, member: &str| request[member].as_str().unwrap().to_owned();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let clients = Clients::for_sandbox(&moto.url, "us-east-1", "testing", "testing");
    let ask = |operation| runtime.block_on(clients.call(Identity::Admin, &operation)).response.unwrap();
    for operation in [
        Operation::DescribeTable { table: name(created("CreateTable"), "TableName") },
        Operation::ListAccessKeys { user: name(created("CreateUser"), "UserName") },
        Operation::DescribeKey { key: name(created("CreateAlias"), "AliasName") },
    ] {
        let answer = ask(operation.clone());
        assert!(matches!(answer.status, 400 | 404), "{operation:?} is left: {answer:?}");
    }
    let keys = ask(Operation::ListKeys).body["Keys"].as_array().unwrap().clone();
    for key in keys {
        let key = ask(Operation::DescribeKey { key: key["KeyId"].as_str().unwrap().to_owned() });
        let metadata = &key.body["KeyMetadata"];
        assert!(metadata["KeyState"] == "PendingDeletion" || metadata["KeyManager"] == "AWS", "{key:?}");
    }
}
