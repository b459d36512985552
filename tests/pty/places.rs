//! Services at different endpoints: before you consent, you see where each one's calls go.

use kmslab::sandbox::{Config, Sandbox};

use super::Terminal;
use crate::support::program::text;

/// A sandbox, and the other name of its place.
fn two_names() -> (Sandbox, String) {
    let sandbox = Sandbox::start(Config::default()).unwrap();
    let other = sandbox.url().replace("127.0.0.1", "localhost");
    (sandbox, other)
}

#[test]
fn the_badge_the_consent_and_the_doctor_name_each_place() {
    let (sandbox, other) = two_names();
    let admin = sandbox.admin();
    let environment = [
        ("AWS_REGION", "us-east-1"),
        ("AWS_ACCESS_KEY_ID", admin.access_key_id.as_str()),
        ("AWS_SECRET_ACCESS_KEY", admin.secret_access_key.as_str()),
        ("AWS_ENDPOINT_URL", sandbox.url()),
        ("AWS_ENDPOINT_URL_KMS", &other),
        ("AWS_EC2_METADATA_DISABLED", "true"),
    ];
    let host = |url: &str| url.strip_prefix("http://").unwrap().to_owned();
    let mut terminal = Terminal::start(110, 40, &environment, &["--backend", "aws", "--no-mask", "--no-questions"]);
    let badge = format!("KMS {} · else {}", host(&other), host(sandbox.url()));
    terminal.wait_for(&["1/9", "sts:GetCallerIdentity", &badge]);
    terminal.press("\r");
    terminal.wait_for(&["✔ As expected"]);
    terminal.press("\r\r");
    let places = format!("STS, DynamoDB and IAM to {}; KMS to", sandbox.url());
    terminal.wait_for(&["Type the last four digits", "calls go", &places, &other]);
    terminal.press("\u{1b}");
    drop(terminal);

    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_kmslab"));
    command.env_clear().envs(environment).args(["doctor", "--backend", "aws"]);
    let printed = text(&command.output().unwrap().stdout);
    assert!(printed.contains(&format!("{places} {other}")), "{printed}");
}

#[test]
fn two_profiles_of_different_places_are_refused() {
    let (sandbox, other) = two_names();
    let admin = sandbox.admin();
    let home = tempfile::tempdir().unwrap();
    std::fs::create_dir(home.path().join(".aws")).unwrap();
    let keys = format!(
        "aws_access_key_id = {}\naws_secret_access_key = {}\nregion = us-east-1\nendpoint_url = {}\n",
        admin.access_key_id,
        admin.secret_access_key.as_str(),
        sandbox.url()
    );
    let config = format!(
        "[profile one]\n{keys}[profile two]\n{keys}services = own\n[services own]\nkms =\n  endpoint_url = {other}\n"
    );
    std::fs::write(home.path().join(".aws/config"), config).unwrap();
    let output = std::process::Command::new(env!("CARGO_BIN_EXE_kmslab"))
        .env_clear()
        .env("HOME", home.path())
        .args(["run", "--backend", "aws", "--admin-profile", "one", "--user-profile", "two"])
        .output()
        .unwrap();
    let told = text(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{told}{}", text(&output.stdout));
    assert!(told.contains("the two profiles lead to different places"), "{told}");
    assert!(told.contains(&format!("test-user: STS, DynamoDB and IAM to {}; KMS to {other}", sandbox.url())), "{told}");
}
