//! The lab as two roles of the sandbox, which the profiles take on one after the other.

use kmslab::sandbox::{Config, Sandbox};
use serde_json::{Value, json};

use super::{Home, static_keys};
use crate::support::bare::bare;
use crate::support::things::client;

const KEYS_ARN: &str = "arn:aws:iam::111122223333:user/kmslab-admin";
const ADMIN_ARN: &str = "arn:aws:iam::111122223333:role/lab-admin";

/// A role that `trusted` may take on, with an AWS managed policy.
async fn make_role(iam: &aws_sdk_iam::Client, name: &str, trusted: &str, policy: &str) {
    let statement = json!({ "Effect": "Allow", "Principal": { "AWS": trusted }, "Action": "sts:AssumeRole" });
    let trust = json!({ "Version": "2012-10-17", "Statement": [statement] }).to_string();
    iam.create_role().role_name(name).assume_role_policy_document(trust).send().await.unwrap();
    let arn = format!("arn:aws:iam::aws:policy/{policy}");
    iam.attach_role_policy().role_name(name).policy_arn(arn).send().await.unwrap();
}

#[test]
fn the_lab_runs_as_two_roles_of_a_chain() {
    let sandbox = Sandbox::start(Config::default()).unwrap();
    let iam = client!(aws_sdk_iam, sandbox);
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
        make_role(&iam, "lab-admin", KEYS_ARN, "AdministratorAccess").await;
        make_role(&iam, "lab-user", ADMIN_ARN, "AmazonDynamoDBFullAccess").await;
    });
    let home = Home::new(&format!(
        "[profile keys]\n{}[profile admin]\nregion = us-east-1\nrole_arn = {ADMIN_ARN}\nsource_profile = keys\n\
         [profile user]\nregion = us-east-1\nrole_arn = arn:aws:iam::111122223333:role/lab-user\n\
         source_profile = admin\n",
        static_keys(&sandbox)
    ));
    let mut command = bare(home.path());
    command.env("AWS_ENDPOINT_URL_STS", sandbox.url()).env("AWS_MAX_ATTEMPTS", "1");
    command.args(["run", "--format", "jsonl", "--endpoint-url", sandbox.url()]);
    let output = command.args(["--admin-profile", "admin", "--user-profile", "user"]).output().unwrap();
    let (printed, told) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert_eq!(output.status.code(), Some(0), "{printed}{told}");
    let last: Value = serde_json::from_str(printed.lines().last().unwrap()).unwrap();
    assert_eq!(last["met"], 9, "{printed}{told}");
    // Both roles were at work, and no credentials were printed.
    for role in ["assumed-role/lab-admin/", "assumed-role/lab-user/"] {
        assert!(printed.contains(role), "{role} is not in {printed}");
    }
    assert!(!printed.contains("IQoJb3JpZ2lu"), "{printed}");
}
