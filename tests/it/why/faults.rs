//! Every fault that the experiments produce, and more: the verdict is that of the real Scan.

use serde_json::{Value, json};

use super::{ACCOUNT, REGION, TABLE, World, statement};
use crate::support::things::{block_on, client};

/// What is wrong, or not, for the user.
type Fault = fn(&World);

/// What `why` must say.
#[derive(Debug, Clone, Copy)]
enum Said {
    Allows,
    /// This lock, at this rung.
    Refuses(&'static str, &'static str),
    Fails(&'static str),
}

const ALLOW: &str = "Allow";

/// A fault's name, what makes it, and what `why` must say. Add a row for another one.
#[rustfmt::skip]
const FAULTS: &[(&str, Fault, Said)] = &[
    ("no permission for the key", |_| (), Said::Refuses("key", "iam_policies")),
    ("allowed by IAM", |w| w.user_policy("keys", &statement(ALLOW, "kms:Decrypt", &w.key_arn)), Said::Allows),
    ("allowed by the key policy", |w| w.key_policy(true, &[key_user(w, ALLOW)]), Said::Allows),
    ("denied by the key policy", |w| w.key_policy(true, &[key_user(w, ALLOW), key_user(w, "Deny")]),
        Said::Refuses("key", "explicit_deny")),
    ("denied by IAM", |w| {
        w.key_policy(true, &[key_user(w, ALLOW)]);
        w.user_policy("no", &statement("Deny", "kms:*", "*"));
    }, Said::Refuses("key", "explicit_deny")),
    ("the key policy leaves nothing to IAM", |w| {
        w.user_policy("keys", &statement(ALLOW, "kms:Decrypt", &w.key_arn));
        w.key_policy(false, &[]);
    }, Said::Refuses("key", "key_policy")),
    ("no permission for the table", |w| w.without_user_policy("data"), Said::Refuses("table", "iam_policies")),
    ("the key without the table", |w| {
        w.key_policy(true, &[key_user(w, ALLOW)]);
        w.without_user_policy("data");
    }, Said::Refuses("table", "iam_policies")),
    ("the table is denied", |w| w.user_policy("no", &statement("Deny", "dynamodb:Scan", "*")),
        Said::Refuses("table", "explicit_deny")),
    ("another table", |w| w.user_policy("data", &statement(ALLOW, "dynamodb:*", &table_arn("others"))),
        Said::Refuses("table", "iam_policies")),
    ("an alias instead of the key", |w| {
        let alias = format!("arn:aws:kms:{REGION}:{ACCOUNT}:alias/orders");
        w.user_policy("app-keys", &statement(ALLOW, "kms:Decrypt", &alias));
    }, Said::Refuses("key", "iam_policies")),
    ("a key of another account", |w| {
        w.user_policy("keys", &statement(ALLOW, "kms:Decrypt", &w.key_arn.replace(ACCOUNT, "444455556666")));
    }, Said::Refuses("key", "iam_policies")),
    ("through DynamoDB of another region",
        |w| w.key_policy(true, &[condition(w, "kms:ViaService", "dynamodb.eu-west-1.amazonaws.com")]),
        Said::Refuses("key", "key_policy")),
    ("through DynamoDB",
        |w| w.key_policy(true, &[condition(w, "kms:ViaService", &format!("dynamodb.{REGION}.amazonaws.com"))]),
        Said::Allows),
    ("the encryption context of another table",
        |w| w.key_policy(true, &[condition(w, "kms:EncryptionContext:aws:dynamodb:tableName", "others")]),
        Said::Refuses("key", "key_policy")),
    ("the encryption context of this table",
        |w| w.key_policy(true, &[condition(w, "kms:EncryptionContext:aws:dynamodb:tableName", TABLE)]), Said::Allows),
    ("a Deny for all but the admin", |w| {
        let all_but = [format!("arn:aws:iam::{ACCOUNT}:user/kmslab-admin"), format!("arn:aws:iam::{ACCOUNT}:root")];
        let deny = json!({"Effect": "Deny", "Action": "kms:Decrypt", "Resource": "*", "NotPrincipal": {"AWS": all_but}});
        w.key_policy(true, &[key_user(w, ALLOW), deny]);
    }, Said::Refuses("key", "explicit_deny")),
    ("the user may administer the key", |w| w.key_policy(true, &[key_admin(w)]), Said::Refuses("key", "key_policy")),
    ("a grant", |w| grant(w, &w.user_arn(), "Decrypt", None), Said::Allows),
    ("a grant for something else", |w| grant(w, &w.user_arn(), "Encrypt", None), Said::Refuses("key", "grants")),
    ("a grant for somebody else",
        |w| grant(w, &format!("arn:aws:iam::{ACCOUNT}:user/kmslab-admin"), "Decrypt", None),
        Said::Refuses("key", "iam_policies")),
    ("a grant for another table", |w| grant(w, &w.user_arn(), "Decrypt", Some("others")), Said::Refuses("key", "grants")),
    ("a grant for this table", |w| grant(w, &w.user_arn(), "Decrypt", Some(TABLE)), Said::Allows),
    ("a statement for the id of a deleted user", names_nobody, Said::Refuses("key", "key_policy")),
    ("no permission, and the key is disabled", disable, Said::Refuses("key", "iam_policies")),
    ("the key is pending deletion", |w| {
        w.key_policy(true, &[key_user(w, ALLOW)]);
        delete_key(w);
    }, Said::Fails("key_pending_deletion")),
    ("allowed, and the key is disabled", |w| {
        w.key_policy(true, &[key_user(w, ALLOW)]);
        disable(w);
    }, Said::Fails("key_disabled")),
    ("the table is refused, and the key is disabled", |w| {
        w.without_user_policy("data");
        disable(w);
    }, Said::Refuses("table", "iam_policies")),
];

fn table_arn(name: &str) -> String {
    format!("arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/{name}")
}

fn key_user(world: &World, effect: &str) -> Value {
    json!({"Sid": "app", "Effect": effect, "Principal": {"AWS": world.user_arn()}, "Action": "kms:Decrypt", "Resource": "*"})
}

fn key_admin(world: &World) -> Value {
    json!({"Effect": ALLOW, "Principal": {"AWS": world.user_arn()}, "Action": ["kms:Put*", "kms:Get*"], "Resource": "*"})
}

fn condition(world: &World, key: &str, value: &str) -> Value {
    let mut statement = key_user(world, ALLOW);
    statement["Condition"] = json!({"StringEquals": {key: value}});
    statement
}

/// Names a user who is then deleted: the key policy shows its id.
fn names_nobody(world: &World) {
    block_on(async {
        client!(aws_sdk_iam, world.sandbox).create_user().user_name("gone").send().await.unwrap();
    });
    let mut statement = key_user(world, ALLOW);
    statement["Principal"]["AWS"] = json!(format!("arn:aws:iam::{ACCOUNT}:user/gone"));
    world.key_policy(true, &[statement]);
    block_on(async {
        client!(aws_sdk_iam, world.sandbox).delete_user().user_name("gone").send().await.unwrap();
        let kms = client!(aws_sdk_kms, world.sandbox);
        let policy = kms.get_key_policy().key_id(&world.key).send().await.unwrap().policy.unwrap();
        assert!(policy.contains("\"AIDA"), "{policy}");
    });
}

fn grant(world: &World, grantee: &str, operation: &str, table: Option<&str>) {
    let constraint = table.map(|table| {
        let pairs = aws_sdk_kms::types::GrantConstraints::builder();
        pairs.encryption_context_subset("aws:dynamodb:tableName", table).build()
    });
    block_on(async {
        let kms = client!(aws_sdk_kms, world.sandbox);
        let grant = kms.create_grant().key_id(&world.key).grantee_principal(grantee).operations(operation.into());
        grant.set_constraints(constraint).send().await.unwrap();
    });
}

fn disable(world: &World) {
    block_on(async {
        client!(aws_sdk_kms, world.sandbox).disable_key().key_id(&world.key).send().await.unwrap();
    });
}

fn delete_key(world: &World) {
    block_on(async {
        let kms = client!(aws_sdk_kms, world.sandbox);
        kms.schedule_key_deletion().key_id(&world.key).pending_window_in_days(7).send().await.unwrap();
    });
}

#[test]
fn each_fault_has_the_verdict_of_its_scan() {
    for (name, make, said) in FAULTS {
        let world = World::new();
        make(&world);
        let (real, message) = world.scan(TABLE);
        let report = world.judged(TABLE);
        assert_eq!(report["verdict"], real, "{name}: {message}\n{report:#}");
        let (refused, failure) = match said {
            Said::Allows => (Value::Null, Value::Null),
            Said::Refuses(lock, rung) => (json!({"lock": lock, "rung": rung}), report["failure"].clone()),
            Said::Fails(failure) => (report["refused"].clone(), json!(failure)),
        };
        assert_eq!((&report["refused"], &report["failure"]), (&refused, &failure), "{name}: {report:#}");
        // The lock that refuses says what AWS says.
        if let (Said::Refuses(lock, _), "denied") = (said, real) {
            let locks = report["locks"].as_array().unwrap();
            let says = locks.iter().find(|one| one["lock"] == *lock).unwrap()["message"].as_str().unwrap();
            assert!(message.contains(says), "{name}: {message}\n{says}");
        }
    }
}

/// Applies a fix as it is written.
fn apply(world: &World, fix: &Value) {
    match fix["way"].as_str().unwrap() {
        "iam_policy" => world.user_policy("fix", &fix["statement"]),
        "key_policy" => block_on(async {
            let kms = client!(aws_sdk_kms, world.sandbox);
            let policy = kms.get_key_policy().key_id(&world.key).send().await.unwrap().policy.unwrap();
            let mut policy: Value = serde_json::from_str(&policy).unwrap();
            policy["Statement"].as_array_mut().unwrap().push(fix["statement"].clone());
            // The id of a deleted user can't be stored again.
            policy["Statement"].as_array_mut().unwrap().retain(|one| !one.to_string().contains("\"AIDA"));
            kms.put_key_policy().key_id(&world.key).policy(policy.to_string()).send().await.unwrap();
        }),
        "grant" => {
            let command = fix["command"].as_str().unwrap();
            assert!(command.contains("--operations Decrypt --constraints "), "{command}");
            assert!(command.contains(&world.key) && command.contains(&world.user_arn()), "{command}");
            grant(world, &world.user_arn(), "Decrypt", Some(TABLE));
        }
        other => panic!("{other}"),
    }
}

#[test]
fn each_fix_lets_the_scan_through() {
    let mut tried = 0;
    for (name, make, said) in FAULTS {
        let world = World::new();
        make(&world);
        let report = world.judged(TABLE);
        let fixes = report["fixes"].as_array().unwrap();
        // A Deny must be changed, and a disabled key enabled.
        if !matches!(said, Said::Refuses(_, rung) if *rung != "explicit_deny") || !report["failure"].is_null() {
            continue;
        }
        let of_table = fixes.iter().find(|fix| fix["lock"] == "table");
        let of_key: Vec<&Value> = fixes.iter().filter(|fix| fix["lock"] == "key").collect();
        assert!(of_table.is_some() || of_key.len() >= 2, "{name}: {report:#}");
        for at in 0..of_key.len().max(1) {
            let world = World::new();
            make(&world);
            let report = world.judged(TABLE);
            let fixes = report["fixes"].as_array().unwrap();
            let of_key = fixes.iter().filter(|fix| fix["lock"] == "key").nth(at);
            // Each is an inline policy of its own name.
            if let Some(fix) = fixes.iter().find(|fix| fix["lock"] == "table") {
                world.user_policy("table-fix", &fix["statement"]);
            }
            of_key.into_iter().for_each(|fix| apply(&world, fix));
            let (real, message) = world.scan(TABLE);
            assert_eq!(real, "allowed", "{name}: {of_key:#?}\n{message}");
            assert_eq!(world.judged(TABLE)["verdict"], "allowed", "{name}");
            tried += 1;
        }
    }
    assert!(tried >= 30, "{tried}");
}

#[test]
fn lines_of_each_fault_fit_a_page() {
    for (name, make, _) in FAULTS {
        let world = World::new();
        make(&world);
        let report = world.report(TABLE);
        assert_eq!(world.judged(TABLE), report, "{name}: the program says what the library says");
        let lines = world.lines(&[]);
        println!("=== {name}\n{lines}");
        assert!(lines.lines().all(|line| line.contains('"') || line.chars().count() <= 96), "{name}\n{lines}");
        assert!(lines.lines().count() <= 36, "{name}: {}\n{lines}", lines.lines().count());
        assert!(lines.contains("read-only calls, nothing changed. Exit status "), "{name}: {lines}");
        let ascii = world.lines(&["--ascii"]);
        assert!(ascii.is_ascii(), "{name}: {ascii}");
    }
}
