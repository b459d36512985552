//! `y` and `Y` in a real terminal: what it is asked to copy, and what the copied command line does.

use std::process::{Command, Output};

use aws_sdk_iam::config::{BehaviorVersion, Credentials, Region};
use base64::Engine as _;
use kmslab::sandbox::{Config, Sandbox};

use super::Terminal;
use crate::support::settings::without_settings;

/// What the terminal was asked to copy so far.
fn copied(terminal: &Terminal) -> Vec<String> {
    let bytes = String::from_utf8_lossy(&terminal.bytes).into_owned();
    let encoded = bytes.split("\x1b]52;c;").skip(1).map(|rest| rest.split('\x07').next().unwrap());
    let decode = |text: &str| base64::prelude::BASE64_STANDARD.decode(text).unwrap();
    encoded.map(|text| String::from_utf8(decode(text)).unwrap()).collect()
}

/// What was written after the screen was left.
fn afterwards(terminal: &Terminal) -> String {
    let bytes = String::from_utf8_lossy(&terminal.bytes).replace("\r\n", "\n");
    // The cursor comes back last.
    bytes.rsplit("\x1b[?1049l\x1b[?25h").next().unwrap().to_owned()
}

/// A user who may use DynamoDB and not the key, as a profile beside the admin's.
fn credentials_file(sandbox: &Sandbox) -> String {
    let admin = sandbox.admin();
    let profile = |name: &str, id: &str, secret: &str| {
        format!("[{name}]\naws_access_key_id = {id}\naws_secret_access_key = {secret}\n")
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let users = runtime.block_on(async {
        let secret = admin.secret_access_key.as_str();
        let config = aws_sdk_iam::Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new(sandbox.region().to_owned()))
            .endpoint_url(sandbox.url())
            .credentials_provider(Credentials::new(&admin.access_key_id, secret, None, None, "test"))
            .http_client(aws_smithy_http_client::Builder::new().build_http())
            .build();
        let iam = aws_sdk_iam::Client::from_conf(config);
        iam.create_user().user_name("reader").send().await.unwrap();
        let policy = "arn:aws:iam::aws:policy/AmazonDynamoDBFullAccess";
        iam.attach_user_policy().user_name("reader").policy_arn(policy).send().await.unwrap();
        let made = iam.create_access_key().user_name("reader").send().await.unwrap();
        let keys = made.access_key().unwrap();
        profile("test-user", keys.access_key_id(), keys.secret_access_key())
    });
    profile("admin", &admin.access_key_id, admin.secret_access_key.as_str()) + &users
}

fn aws_cli_is_there() -> bool {
    let there = Command::new("aws").arg("--version").output().is_ok_and(|output| output.status.success());
    let needed = std::env::var_os("KMSLAB_NEEDS_CLIENTS").is_some();
    assert!(there || !needed, "`aws` does not work here, and KMSLAB_NEEDS_CLIENTS is set");
    if !there {
        eprintln!("not run: `aws` does not work here");
    }
    there
}

#[test]
fn the_copied_command_line_gets_the_same_verdict() {
    let sandbox = Sandbox::start(Config::default()).unwrap();
    let home = tempfile::tempdir().unwrap();
    let file = home.path().join("credentials");
    std::fs::write(&file, credentials_file(&sandbox)).unwrap();
    let (file, home) = (file.to_str().unwrap(), home.path().to_str().unwrap());
    let environment = [("AWS_SHARED_CREDENTIALS_FILE", file), ("XDG_STATE_HOME", home)];
    let region = sandbox.region();
    let options = ["--endpoint-url", sandbox.url(), "--region", region];
    let profiles = ["--admin-profile", "admin", "--user-profile", "test-user"];
    let mut terminal = Terminal::start(80, 24, &environment, &[options, profiles].concat());
    terminal.do_stages(5);
    terminal.wait_for(&["6/9"]);
    terminal.press("b\r");
    terminal.wait_for(&["✔ ALLOWED", "✘ DENIED", "✔ As expected"]);
    terminal.press("y");
    terminal.wait_for(&["copied: aws dynamodb scan --table-name kmslab-table-"]);
    terminal.press("Y");
    terminal.wait_for(&["copied: the response of dynamodb:Scan"]);
    terminal.press("\ty");
    terminal.wait_for(&["copied: aws dynamodb scan --table-name kmslab-table-"]);
    terminal.press("Y");
    terminal.wait_for(&["copied: the response of dynamodb:Scan"]);

    let copied = copied(&terminal);
    // A given user alone has a call in stage 5, so keys go to its pane first.
    let [as_user, refusal, as_admin, items] = copied.as_slice() else { panic!("{copied:?}") };
    let table = as_user.split(' ').nth(4).unwrap();
    let line = |profile: &str| {
        let url = sandbox.url();
        format!("aws dynamodb scan --table-name {table} --profile {profile} --region {region} --endpoint-url {url}")
    };
    assert_eq!((as_admin, as_user), (&line("admin"), &line("test-user")));
    let json = |text: &str| serde_json::from_str::<serde_json::Value>(text).unwrap();
    assert_eq!(json(items)["Count"], 3);
    assert!(json(refusal)["message"].as_str().unwrap().contains("kms:Decrypt"), "{refusal}");
    if aws_cli_is_there() {
        let run = |line: &str| -> Output {
            let mut shell = Command::new("sh");
            let shell = without_settings(shell.args(["-c", line]));
            shell.env("AWS_SHARED_CREDENTIALS_FILE", file).env("HOME", home).output().unwrap()
        };
        let allowed = run(as_admin);
        assert_eq!(json(&String::from_utf8_lossy(&allowed.stdout))["Count"], 3, "{allowed:?}");
        let denied = run(as_user);
        let told = String::from_utf8_lossy(&denied.stderr).into_owned();
        assert!(!denied.status.success() && told.contains("AccessDenied") && told.contains("kms:Decrypt"), "{told}");
    }

    terminal.press("qq");
    terminal.exit();
    let printed = afterwards(&terminal);
    assert!(printed.contains("kmslab: copied in this session, in case the clipboard has none of it:"), "{printed}");
    assert!(copied.iter().all(|text| printed.contains(text)), "{printed}");
}

#[test]
fn a_secret_key_is_copied_redacted() {
    for (term, has_clipboard) in [("xterm-256color", true), ("linux", false)] {
        let mut terminal = Terminal::start(80, 24, &[("TERM", term)], &[]);
        terminal.do_stages(5);
        terminal.wait_for(&["6/9"]);
        terminal.press("p");
        terminal.wait_for(&["5/9", "AttachUserPolicy"]);
        terminal.press("]Y");
        terminal.wait_for(&["the response of iam:Create"]);
        let handed = copied(&terminal);
        assert_eq!(handed.len(), usize::from(has_clipboard));
        terminal.leave_mid_lab();
        terminal.exit();
        let printed = afterwards(&terminal);
        for text in handed.iter().chain([&printed]) {
            assert!(text.contains("\"SecretAccessKey\": \"[redacted]\""), "{text}");
        }
        assert!(!printed.contains('\x1b'), "{printed}");
    }
}

#[test]
fn nothing_is_printed_where_nothing_was_copied() {
    let mut terminal = Terminal::start(80, 24, &[], &[]);
    terminal.do_stages(1);
    terminal.leave_mid_lab();
    terminal.exit();
    assert_eq!(copied(&terminal), Vec::<String>::new());
    assert!(!afterwards(&terminal).contains("copied"));
}
