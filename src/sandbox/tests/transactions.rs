//! A request is kept as a whole or leaves no trace, in memory and on disk.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::time::{Duration, Instant};

use proptest::prelude::*;
use serde_json::{Value, json};

use crate::sandbox::account::State;
use crate::sandbox::catalog;
use crate::sandbox::config::Config;
use crate::sandbox::context::{Caller, Context};
use crate::sandbox::dynamodb::state::DynamoDb;
use crate::sandbox::engine::Engine;
use crate::sandbox::error::Fault;
use crate::sandbox::form::Form;
use crate::sandbox::iam::state::Iam;
use crate::sandbox::kms::state::Kms;
use crate::sandbox::service::Service;
use crate::sandbox::tests::{self, ACCOUNT};
use crate::sandbox::transaction::Transaction;
use crate::sandbox::validate::Params;

/// A policy under which nobody may encrypt or decrypt: CreateTable makes a grant for the key, and then fails.
const UNUSABLE: &str = include_str!("../testdata/cdk18616-legacy-key-policy.json");

/// Makes writes and commits fail when the table `fuse` says so: the first write once `writes` have worked, or the commit.
const FUSE: &str = "
    PRAGMA foreign_keys = ON;
    CREATE TABLE fuse (writes INTEGER NOT NULL, commits INTEGER NOT NULL);
    INSERT INTO fuse VALUES (1000, 1);
    CREATE TABLE parent (id INTEGER PRIMARY KEY);
    CREATE TABLE child (id REFERENCES parent DEFERRABLE INITIALLY DEFERRED);";

fn open(config: &Config) -> (Engine, Caller) {
    let (engine, admin) = tests::open(config);
    let connection = engine.account.store.connection();
    connection.execute_batch(FUSE).unwrap();
    for table in ["documents", "dynamodb_items", "meta"] {
        for change in ["INSERT", "UPDATE", "DELETE"] {
            let trigger = format!(
                "CREATE TRIGGER {table}_{change} BEFORE {change} ON {table} BEGIN
                     SELECT RAISE(ABORT, 'injected') FROM fuse WHERE writes = 0;
                     INSERT INTO child SELECT 1 FROM fuse WHERE commits = 0;
                     UPDATE fuse SET writes = writes - 1;
                 END"
            );
            connection.execute_batch(&trigger).unwrap();
        }
    }
    (engine, admin)
}

fn set_fuse(engine: &Engine, writes: u32, commits: bool) {
    let connection = engine.account.store.connection();
    connection.execute("UPDATE fuse SET (writes, commits) = (?1, ?2)", (writes, commits)).unwrap();
}

/// All that services have in memory.
fn in_memory(State { iam, kms, dynamodb, .. }: &State) -> String {
    format!("{iam:?}\n{kms:?}\n{dynamodb:?}")
}

/// The same, read from the database.
fn on_disk(engine: &mut Engine) -> String {
    let mut entropy = engine.next_entropy("nobody");
    let (store, clock) = (&mut engine.account.store, &engine.account.state.clock);
    let iam = Iam::open(store, ACCOUNT, clock, &mut entropy).unwrap();
    let kms = Kms::open(store).unwrap();
    let dynamodb = DynamoDb::open(store, &mut entropy).unwrap();
    format!("{iam:?}\n{kms:?}\n{dynamodb:?}")
}

/// One step of a random session. The numbers choose among few names, so that steps meet each other.
#[derive(Debug, Clone, Copy)]
enum Step {
    Iam(usize, u8),
    Kms(usize, u8),
    DynamoDb(usize, u8),
    Days(u8),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        (0..7_usize, 0..3_u8).prop_map(|(call, name)| Step::Iam(call, name)),
        (0..9_usize, 0..3_u8).prop_map(|(call, name)| Step::Kms(call, name)),
        (0..6_usize, 0..3_u8).prop_map(|(call, name)| Step::DynamoDb(call, name)),
        (1..200_u8).prop_map(Step::Days),
    ]
}

fn run(engine: &mut Engine, admin: &Caller, step: Step) -> Result<(), Fault> {
    let key = |engine: &Engine, name: u8| {
        let keys: Vec<String> = engine.account.state.kms.keys().map(|key| key.record.arn.clone()).collect();
        keys.get(usize::from(name)).cloned().unwrap_or_else(|| "alias/none".to_owned())
    };
    match step {
        Step::Days(days) => Ok(engine.advance(Duration::from_secs(u64::from(days) * 86_400))?),
        Step::Iam(call, name) => {
            let name = format!("user-{name}");
            let user = ("UserName", name.as_str());
            let managed = ("PolicyArn", "arn:aws:iam::aws:policy/ReadOnlyAccess");
            let (action, parameters): (_, &[_]) = match call {
                0 | 1 => ("CreateUser", &[user]),
                2 => ("CreateAccessKey", &[user]),
                3 => ("AttachUserPolicy", &[user, managed]),
                4 => ("DetachUserPolicy", &[user, managed]),
                5 => ("TagUser", &[user, ("Tags.member.1.Key", "k"), ("Tags.member.1.Value", "v")]),
                _ => ("DeleteUser", &[user]),
            };
            tests::iam(engine, admin, action, parameters).map(drop)
        }
        Step::Kms(call, name) => {
            let (key, alias) = (key(engine, name), format!("alias/{name}"));
            let user = format!("arn:aws:iam::{ACCOUNT}:user/user-{name}");
            let (operation, input) = match call {
                0 | 1 => ("CreateKey", json!({})),
                2 => ("CreateKey", json!({ "Policy": UNUSABLE })),
                3 => ("CreateAlias", json!({ "AliasName": alias, "TargetKeyId": key })),
                4 => ("DeleteAlias", json!({ "AliasName": alias })),
                5 => ("CreateGrant", json!({ "KeyId": key, "GranteePrincipal": user, "Operations": ["Decrypt"] })),
                6 => ("ScheduleKeyDeletion", json!({ "KeyId": key })),
                7 => ("EnableKeyRotation", json!({ "KeyId": key, "RotationPeriodInDays": 90 })),
                _ => ("RotateKeyOnDemand", json!({ "KeyId": key })),
            };
            tests::kms(engine, admin, operation, &input).map(drop)
        }
        Step::DynamoDb(call, name) => {
            let (key, table) = (key(engine, name), format!("table-{name}"));
            let sse = json!({ "Enabled": true, "SSEType": "KMS", "KMSMasterKeyId": key });
            let (operation, input) = match call {
                0 | 1 => ("CreateTable", create(&table, sse)),
                2 => ("UpdateTable", json!({ "TableName": table, "SSESpecification": sse })),
                3 => ("PutItem", json!({ "TableName": table, "Item": { "id": { "S": "a" } } })),
                4 => ("UpdateTable", json!({ "TableName": table, "SSESpecification": { "Enabled": true } })),
                _ => ("DeleteTable", json!({ "TableName": table })),
            };
            tests::dynamodb(engine, admin, operation, &input).map(drop)
        }
    }
}

fn create(name: &str, sse: Value) -> Value {
    json!({
        "TableName": name,
        "AttributeDefinitions": [{ "AttributeName": "id", "AttributeType": "S" }],
        "KeySchema": [{ "AttributeName": "id", "KeyType": "HASH" }],
        "BillingMode": "PAY_PER_REQUEST",
        "SSESpecification": sse,
    })
}

/// The calls of a random session with failures of the database in between. Returns how many worked, and how many failed
/// because of the database.
fn check(steps: &[(Step, Option<u32>, bool)]) -> (u32, u32) {
    let (mut engine, admin) = open(&Config { seed: Some(3), ..Config::default() });
    let (mut worked, mut broken) = (0, 0);
    for (step, writes, commits) in steps {
        // What DynamoDB notices before a request stays, whatever comes of the request.
        engine.account.notice_keys().unwrap();
        let (before, time) = (in_memory(&engine.account.state), engine.account.state.clock.now());
        set_fuse(&engine, writes.unwrap_or(1000), *commits);
        let result = run(&mut engine, &admin, *step);
        set_fuse(&engine, 1000, true);
        let after = in_memory(&engine.account.state);
        assert!(engine.account.store.connection().is_autocommit(), "{step:?} has left its transaction open");
        match result {
            Ok(()) => worked += 1,
            Err(fault) => {
                broken += u32::from(matches!(fault, Fault::Internal(_)));
                assert!(before == after, "{step:?} has failed with {fault:?} and left a trace in memory");
                assert_eq!(time, engine.account.state.clock.now(), "{step:?} has failed and moved the clock");
            }
        }
        assert!(after == on_disk(&mut engine), "after {step:?}, memory and database differ");
    }
    (worked, broken)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn memory_equals_the_database_whatever_fails(
        steps in prop::collection::vec((step(), prop::option::weighted(0.3, 0..5_u32), prop::bool::weighted(0.9)), 1..30),
    ) {
        check(&steps);
    }
}

/// The property above says nothing unless calls do work and do break.
#[test]
fn the_random_sessions_work_and_break() {
    let lasting = [Step::Kms(0, 0), Step::DynamoDb(0, 0), Step::Iam(0, 0), Step::Kms(7, 0), Step::DynamoDb(3, 0)];
    let working: Vec<_> = lasting.iter().map(|step| (*step, None, true)).collect();
    assert_eq!(check(&working), (5, 0));
    let writes: Vec<_> = lasting.iter().map(|step| (*step, Some(0), true)).collect();
    assert_eq!(check(&writes[..1]), (0, 1));
    let commits: Vec<_> = lasting.iter().map(|step| (*step, None, false)).collect();
    assert_eq!(check(&commits[..1]), (0, 1));
    // The second write of CreateTable, after its grant.
    assert_eq!(check(&[working[0], (lasting[1], Some(1), true)]), (1, 1));
}

fn run_within(tx: &mut Transaction<'_>, mut entropy: crate::sandbox::entropy::Entropy, who: &Caller, operation: &str) {
    let params = Params::read(Service::Kms, b"{}", Form::default()).unwrap();
    let permissions = tx.state.iam.policies_of(&who.principal).into();
    let caller = Caller { permissions, ..who.clone() };
    entropy.uuid();
    let mut cx = Context { account: tx, caller, entropy, params: &params };
    catalog::find(Service::Kms, operation).unwrap().run(&mut cx).unwrap();
}

#[test]
fn a_panic_takes_the_request_back() {
    let (mut engine, admin) = open(&Config::default());
    let before = in_memory(&engine.account.state);
    let entropy = engine.next_entropy("test");
    let panicked = catch_unwind(AssertUnwindSafe(|| {
        let mut tx = Transaction::begin(&mut engine.account).unwrap();
        run_within(&mut tx, entropy, &admin, "CreateKey");
        assert_eq!(tx.state.kms.keys().count(), 1);
        panic!("on purpose");
    }));
    assert!(panicked.is_err());
    assert_eq!(in_memory(&engine.account.state), before);
    assert_eq!(on_disk(&mut engine), before);
}

#[test]
fn a_clone_of_the_state_stays_as_it_was() {
    let (mut engine, admin) = open(&Config::default());
    tests::kms(&mut engine, &admin, "CreateKey", &json!({})).unwrap();
    let (snapshot, before) = (engine.account.state.clone(), in_memory(&engine.account.state));
    tests::kms(&mut engine, &admin, "CreateKey", &json!({})).unwrap();
    tests::iam(&mut engine, &admin, "CreateUser", &[("UserName", "alice")]).unwrap();
    assert_eq!(in_memory(&snapshot), before);
    assert_eq!((snapshot.kms.keys().count(), engine.account.state.kms.keys().count()), (1, 2));
    // DynamoDB has not changed, so nothing of it was copied.
    assert!(std::sync::Arc::ptr_eq(&snapshot.dynamodb, &engine.account.state.dynamodb));
}

/// The files of a process that is killed now.
fn killed(data: &Path, copy: &Path) -> Config {
    std::fs::create_dir(copy).unwrap();
    for entry in std::fs::read_dir(data).unwrap().flatten() {
        std::fs::copy(entry.path(), copy.join(entry.file_name())).unwrap();
    }
    Config { data: Some(copy.to_owned()), ..Config::default() }
}

#[test]
fn a_crash_finds_the_request_whole_or_not_at_all() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let (mut engine, admin) = tests::open(&Config { data: Some(data.clone()), ..Config::default() });
    tests::kms(&mut engine, &admin, "CreateKey", &json!({})).unwrap();
    let before = in_memory(&engine.account.state);
    let entropy = engine.next_entropy("test");
    let mut tx = Transaction::begin(&mut engine.account).unwrap();
    run_within(&mut tx, entropy, &admin, "CreateKey");
    let in_between = killed(&data, &folder.path().join("in-between"));
    let after = in_memory(&tx.state);
    tx.commit().unwrap();
    let committed = killed(&data, &folder.path().join("committed"));
    assert_eq!(in_memory(&tests::open(&in_between).0.account.state), before);
    assert_eq!(in_memory(&tests::open(&committed).0.account.state), after);
    assert_ne!(before, after);
}

#[test]
fn a_failed_commit_moves_no_clock_and_keeps_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let config = Config { data: Some(folder.path().join("data")), seed: Some(1), ..Config::default() };
    let (mut engine, admin) = open(&config);
    let (before, time) = (in_memory(&engine.account.state), engine.account.state.clock.now());
    set_fuse(&engine, 1000, false);
    assert!(tests::kms(&mut engine, &admin, "CreateKey", &json!({})).is_err());
    assert!(engine.advance(Duration::from_secs(60)).is_err());
    set_fuse(&engine, 1000, true);
    assert_eq!(engine.account.state.clock.now(), time);
    assert_eq!(in_memory(&engine.account.state), before);
    assert_eq!(engine.account.store.number("clock-seeded").unwrap(), 0);
    assert!(tests::kms(&mut engine, &admin, "CreateKey", &json!({})).is_ok());
    assert_eq!(engine.account.store.number("clock-seeded").unwrap(), 1);
}

#[test]
fn a_transaction_that_breaks_halfway_writes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let config = Config { data: Some(folder.path().join("data")), seed: Some(1), ..Config::default() };
    let (mut engine, admin) = open(&config);
    for table in ["music", "films"] {
        tests::dynamodb(&mut engine, &admin, "CreateTable", &create(table, json!({ "Enabled": true }))).unwrap();
    }
    let put = |table: &str, id: &str| json!({ "Put": { "TableName": table, "Item": { "id": { "S": id } } } });
    let items = [put("music", "a"), put("films", "b"), put("music", "c"), put("films", "d")];
    let request = json!({ "TransactItems": items, "ClientRequestToken": "t" });
    let rows = |engine: &Engine| {
        let connection = engine.account.store.connection();
        connection.query_row("SELECT count(*) FROM dynamodb_items", [], |row| row.get::<_, u32>(0)).unwrap()
    };
    // After none, some and all of the items, after the token, and when the commit fails.
    for (writes, commits) in [(0, true), (2, true), (4, true), (5, true), (1000, false)] {
        set_fuse(&engine, writes, commits);
        let fault = tests::dynamodb(&mut engine, &admin, "TransactWriteItems", &request).unwrap_err();
        set_fuse(&engine, 1000, true);
        assert!(matches!(fault, Fault::Internal(_)), "{fault:?}");
        assert_eq!(rows(&engine), 0, "{writes} writes");
    }
    // Nor is the token used up.
    tests::dynamodb(&mut engine, &admin, "TransactWriteItems", &request).unwrap();
    assert_eq!(rows(&engine), 4);
    drop(engine);
    assert_eq!(rows(&tests::open(&config).0), 4);
}

/// `cargo test --lib -- --ignored --nocapture what_a_write_costs`
#[test]
#[ignore = "measures"]
fn what_a_write_costs() {
    let (mut engine, admin) = tests::open(&Config::default());
    let key = tests::kms(&mut engine, &admin, "CreateKey", &json!({ "Policy": UNUSABLE })).unwrap();
    let sse = json!({ "Enabled": true, "SSEType": "KMS", "KMSMasterKeyId": key["KeyMetadata"]["Arn"] });
    tests::dynamodb(&mut engine, &admin, "CreateTable", &create("items", json!({ "Enabled": false }))).unwrap();
    for number in 0..1000 {
        let name = number.to_string();
        tests::kms(&mut engine, &admin, "CreateKey", &json!({})).unwrap();
        tests::iam(&mut engine, &admin, "CreateUser", &[("UserName", &name)]).unwrap();
        let item = json!({ "TableName": "items", "Item": { "id": { "S": name } } });
        tests::dynamodb(&mut engine, &admin, "PutItem", &item).unwrap();
    }
    for _ in 0..3 {
        let start = Instant::now();
        for _ in 0..20 {
            tests::dynamodb(&mut engine, &admin, "CreateTable", &create("new", sse.clone())).unwrap_err();
        }
        let failing = start.elapsed() / 20;
        let start = Instant::now();
        for number in 0..20 {
            let tag = [("UserName", "1"), ("Tags.member.1.Key", "k"), ("Tags.member.1.Value", &number.to_string())];
            tests::iam(&mut engine, &admin, "TagUser", &tag).unwrap();
        }
        println!(
            "1,000 keys, users and items: a failing CreateTable {failing:?}, a TagUser {:?}",
            start.elapsed() / 20
        );
    }
}
