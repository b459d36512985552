//! Tables and keys of other kinds, and what an admin may not read.

use kmslab::aws::Clients;
use kmslab::lab::why::{Case, Named};
use kmslab::run::why::judge;
use proptest::prelude::{Just, any, prop};
use proptest::prop_oneof;
use proptest::test_runner::{Config, TestRunner};
use rstest::rstest;
use serde_json::{Value, json};

use super::{ACCOUNT, REGION, TABLE, World, create_table, statement};
use crate::support::program::{program, text};
use crate::support::things::{block_on, client};

#[rstest]
#[case::owned_by_dynamodb(None, "DynamoDB owns the key")]
#[case::managed_by_aws(Some(""), "lock 2, the key     ✔")]
fn other_keys_need_no_permission(#[case] key: Option<&str>, #[case] says: &str) {
    let world = World::new();
    block_on(create_table(&world.sandbox, "others", key));
    assert_eq!(world.scan("others").0, "allowed");
    let output = world.why(&["--table", "others", "--as", &world.user_arn()]);
    let lines = text(&output.stdout);
    assert_eq!(output.status.code(), Some(0), "{lines}");
    assert!(lines.starts_with("ALLOWED  dynamodb:Scan on others, as user/app\n") && lines.contains(says), "{lines}");
}

#[rstest]
#[case("nowhere", "user/app", "no_table", "There is no table nowhere in us-east-1 of account 111122223333")]
#[case(TABLE, "user/nobody", "no_caller", "There is no user nobody")]
fn what_does_not_exist_fails(#[case] table: &str, #[case] who: &str, #[case] failure: &str, #[case] says: &str) {
    let world = World::new();
    let who = format!("arn:aws:iam::{ACCOUNT}:{who}");
    let lines = world.why(&["--table", table, "--as", &who]);
    assert_eq!(lines.status.code(), Some(1));
    assert!(text(&lines.stdout).contains(says), "{}", text(&lines.stdout));
    let report = world.why(&["--table", table, "--as", &who, "--format", "json"]);
    let report: Value = serde_json::from_slice(&report.stdout).unwrap();
    assert_eq!((&report["verdict"], &report["failure"]), (&json!("failed"), &json!(failure)));
}

#[test]
fn the_root_user_needs_the_key_policy_alone() {
    let world = World::new();
    let root = format!("arn:aws:iam::{ACCOUNT}:root");
    let status = |world: &World| world.why(&["--table", TABLE, "--as", &root]).status.code();
    assert_eq!(status(&world), Some(0), "the default key policy names it");
    world.key_policy(false, &[]);
    assert_eq!(status(&world), Some(1), "now nothing names it");
}

/// Someone who may do everything but `denied`; gives access key and secret.
fn limited(world: &World, denied: &str) -> (String, String) {
    let policy =
        json!({"Version": "2012-10-17", "Statement": [statement("Allow", "*", "*"), statement("Deny", denied, "*")]});
    block_on(async {
        let iam = client!(aws_sdk_iam, world.sandbox);
        iam.create_user().user_name("ops").send().await.unwrap();
        let put = iam.put_user_policy().user_name("ops").policy_name("p").policy_document(policy.to_string());
        put.send().await.unwrap();
        let key = iam.create_access_key().user_name("ops").send().await.unwrap().access_key.unwrap();
        (key.access_key_id, key.secret_access_key)
    })
}

fn as_limited(world: &World, denied: &str) -> Value {
    let (id, secret) = limited(world, denied);
    let arn = world.user_arn();
    let output = program(world.home.path(), &id, &secret)
        .args(["why", "--region", REGION, "--endpoint-url", world.sandbox.url()])
        .args(["--table", TABLE, "--as", &arn, "--format", "json"])
        .output()
        .unwrap();
    serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{}", text(&output.stderr)))
}

/// What the verdict is where one call is denied: for a user without the key, for one whom IAM allows, for one whom the key
/// policy denies.
#[rstest]
#[case::none("s3:ListBuckets", ["denied", "allowed", "denied"])]
#[case::policies("iam:ListUserPolicies", ["unknown", "unknown", "denied"])]
#[case::a_policy("iam:GetUserPolicy", ["unknown", "unknown", "denied"])]
#[case::key_policy("kms:GetKeyPolicy", ["unknown", "unknown", "unknown"])]
#[case::grants("kms:ListGrants", ["unknown", "allowed", "denied"])]
#[case::key("kms:DescribeKey", ["denied", "unknown", "denied"])]
#[case::table("dynamodb:DescribeTable", ["unknown", "unknown", "unknown"])]
#[case::organization("iam:SimulatePrincipalPolicy", ["denied", "unknown", "denied"])]
#[case::user("iam:GetUser", ["denied", "unknown", "denied"])]
fn what_is_not_read_counts_if_it_could_matter(#[case] denied: &str, #[case] expected: [&str; 3]) {
    let worlds: [fn(&World); 3] = [
        |_| (),
        |world| world.user_policy("keys", &statement("Allow", "kms:Decrypt", &world.key_arn)),
        |world| {
            let deny = json!({"Effect": "Deny", "Principal": {"AWS": world.user_arn()}, "Action": "kms:Decrypt", "Resource": "*"});
            world.key_policy(true, &[deny]);
        },
    ];
    for (make, expected) in worlds.iter().zip(expected) {
        let world = World::new();
        make(&world);
        let report = as_limited(&world, denied);
        assert_eq!(report["verdict"], expected, "{denied}: {report:#}");
        let not_read: Vec<&Value> = report["not_read"].as_array().unwrap().iter().collect();
        let is_named = not_read.iter().any(|one| one["says"].as_str().unwrap().contains(denied));
        assert_eq!(is_named, !denied.starts_with("s3:"), "{report:#}");
    }
}

/// Policies of every sort, and the verdict of a real Scan: the same, or unknown where a condition can't be known.
#[test]
fn the_verdict_is_that_of_the_scan() {
    let world = World::new();
    let admin = world.sandbox.admin();
    let clients = Clients::for_sandbox(world.sandbox.url(), REGION, &admin.access_key_id, &admin.secret_access_key);
    let named = Named { table: Some(TABLE.to_owned()), principal: Some(world.user_arn()), ..Named::default() };
    let case = Case::new(named).unwrap();
    let user = world.user_arn();
    let principals = prop_oneof![
        Just(json!("*")),
        Just(json!({"AWS": user})),
        Just(json!({"AWS": format!("arn:aws:iam::{ACCOUNT}:root")})),
        Just(json!({"AWS": format!("arn:aws:iam::{ACCOUNT}:user/kmslab-admin")})),
    ];
    let conditions = prop_oneof![
        4 => Just(Value::Null),
        2 => Just(json!({"StringEquals": {"kms:ViaService": format!("dynamodb.{REGION}.amazonaws.com")}})),
        1 => Just(json!({"StringEquals": {"kms:ViaService": "dynamodb.eu-west-1.amazonaws.com"}})),
        1 => Just(json!({"StringEquals": {"kms:EncryptionContext:aws:dynamodb:tableName": "others"}})),
        1 => Just(json!({"StringLike": {"kms:EncryptionContext:aws:dynamodb:tableName": "ord*"}})),
        1 => Just(json!({"Bool": {"kms:GrantIsForAWSResource": "true"}})),
        1 => Just(json!({"StringEquals": {"aws:PrincipalTag/team": "a"}})),
        1 => Just(json!({"IpAddress": {"aws:SourceIp": "10.0.0.0/8"}})),
        1 => Just(json!({"StringNotEquals": {"aws:SourceVpce": "vpce-1"}})),
    ];
    let effect = prop_oneof![3 => Just("Allow"), 1 => Just("Deny")];
    let of_key = (
        effect.clone(),
        principals,
        prop_oneof![Just("kms:Decrypt"), Just("kms:Dec*"), Just("kms:Encrypt")],
        conditions.clone(),
    );
    let resources = prop_oneof![
        2 => Just("*".to_owned()),
        2 => Just(world.key_arn.clone()),
        1 => Just(format!("arn:aws:kms:{REGION}:{ACCOUNT}:alias/orders")),
        1 => Just(format!("arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/ord*")),
    ];
    let of_user = (effect, prop_oneof![Just("kms:Decrypt"), Just("dynamodb:Scan"), Just("*")], resources, conditions);
    let policies = (any::<bool>(), prop::collection::vec(of_key, 0..3), prop::collection::vec(of_user, 1..4));
    TestRunner::new(Config { cases: 150, failure_persistence: None, ..Config::default() })
        .run(&policies, |(with_root, of_key, of_user)| {
            let with = |mut statement: Value, condition: &Value| {
                if !condition.is_null() {
                    statement["Condition"] = condition.clone();
                }
                statement
            };
            let of_key: Vec<Value> = of_key
                .iter()
                .map(|(effect, principal, action, condition)| {
                    with(
                        json!({"Effect": effect, "Principal": principal, "Action": action, "Resource": "*"}),
                        condition,
                    )
                })
                .collect();
            let of_user: Vec<Value> = of_user
                .iter()
                .map(|(effect, action, resource, condition)| with(statement(effect, action, resource), condition))
                .collect();
            world.key_policy(with_root, &of_key);
            world.user_policy("data", &json!(of_user));
            let (real, message) = world.scan(TABLE);
            let report = block_on(judge(case.clone(), &clients)).unwrap();
            let said = report.verdict.key();
            let can_be_unknown = [&of_key, &of_user].iter().any(|all| json!(all).to_string().contains("aws:Source"));
            assert!(
                said == real || (said == "unknown" && can_be_unknown),
                "{said}, and the Scan is {real}: {message}\n{of_key:#?}\n{of_user:#?}"
            );
            Ok(())
        })
        .unwrap();
}

/// Nothing that the account has named is in a masked report, nor in its debug log.
#[rstest]
#[case::text(&[])]
#[case::json(&["--format", "json"])]
fn a_masked_report_names_nobody(#[case] more: &[&str]) {
    let world = World::new();
    world.user_policy("billing-export", &statement("Deny", "dynamodb:DeleteTable", "*"));
    // One that may read no inline policy, so that the report names it as unread.
    let (id, secret) = limited(&world, "iam:GetUserPolicy");
    let log = world.home.path().join("debug.log");
    let arn = world.user_arn();
    let url = world.sandbox.url();
    let arguments = ["why", "--region", REGION, "--endpoint-url", url, "--table", TABLE, "--as", &arn, "--mask"];
    let output = program(world.home.path(), &id, &secret)
        .args(arguments)
        .args(["--debug", log.to_str().unwrap()])
        .args(more)
        .output()
        .unwrap();
    let said = text(&output.stdout) + &text(&output.stderr) + &std::fs::read_to_string(&log).unwrap();
    assert!(said.contains("could not be read") && said.contains("kms:Decrypt"), "{said}");
    for name in [TABLE, "user/app", "user app", "billing-export", ACCOUNT, &world.key] {
        assert!(!said.contains(name), "{name}: {said}");
    }
    let plain = program(world.home.path(), &id, &secret).args(&arguments[..9]).args(more).output().unwrap();
    let plain = text(&plain.stdout);
    assert!(plain.contains("billing-export") && plain.contains(TABLE), "{plain}");
    assert_eq!(output.status.code(), Some(4));
}
