//! What somebody who steals the files sees.

use rstest::rstest;
use serde_json::{Value, json};

use super::lab::{Lab, customer};
use crate::sandbox::Config;

/// Texts that may appear nowhere on disk: values, attribute names, key values.
const SECRETS: [&str; 8] = [
    "id-of-the-first-item",
    "Amber-lamp-in-plain-text",
    "attributeNamed9",
    "deep-inside-a-list",
    "memberNamed7",
    "314159265358979",
    "set-member-zeta",
    "ADMINISTRATORS-NOTE",
];

fn contains(haystack: &[u8], needle: &[u8]) -> bool {
    haystack.windows(needle.len()).any(|window| window == needle)
}

#[rstest]
#[case::aws_owned("owned")]
#[case::aws_managed("managed")]
#[case::customer("customer")]
fn the_files_hold_no_plain_text(#[case] choice: &str, #[values(false, true)] kept: bool) {
    let folder = tempfile::tempdir().unwrap();
    let data = kept.then(|| folder.path().join("data"));
    let mut lab = Lab::open(&Config { data, ..Config::default() });
    let sse = match choice {
        "owned" => Value::Null,
        "managed" => json!({"Enabled": true, "SSEType": "KMS"}),
        _ => customer(&lab.key()),
    };
    lab.ok(
        "CreateTable",
        json!({
            "TableName": "table-name-in-clear",
            "AttributeDefinitions": [{"AttributeName": "attributeNamed9", "AttributeType": "S"}],
            "KeySchema": [{"AttributeName": "attributeNamed9", "KeyType": "HASH"}],
            "BillingMode": "PAY_PER_REQUEST",
            "SSESpecification": sse,
            "Tags": [{"Key": "note", "Value": "ADMINISTRATORS-NOTE"}],
        }),
    );
    let item = json!({
        "attributeNamed9": {"S": "id-of-the-first-item"},
        "label": {"S": "Amber-lamp-in-plain-text"},
        "number": {"N": "314159265358979"},
        "tags": {"SS": ["set-member-zeta"]},
        "list": {"L": [{"M": {"memberNamed7": {"S": "deep-inside-a-list"}}}]},
    });
    lab.ok("PutItem", json!({"TableName": "table-name-in-clear", "Item": item}));
    // Written over and removed, too: old pages keep what was there.
    lab.ok("PutItem", json!({"TableName": "table-name-in-clear", "Item": item}));
    lab.ok("Scan", json!({"TableName": "table-name-in-clear"}));
    let key = json!({"attributeNamed9": {"S": "id-of-the-first-item"}});
    lab.ok("DeleteItem", json!({"TableName": "table-name-in-clear", "Key": key}));
    lab.ok("PutItem", json!({"TableName": "table-name-in-clear", "Item": item}));

    let path = lab.engine.account.store.path().to_owned();
    let mut found_name = false;
    for ending in ["", "-wal", "-shm"] {
        let mut file = path.clone().into_os_string();
        file.push(ending);
        let Ok(bytes) = std::fs::read(&file) else { continue };
        found_name |= contains(&bytes, b"table-name-in-clear");
        for secret in SECRETS {
            assert!(!contains(&bytes, secret.as_bytes()), "{secret} in {}", file.display());
        }
    }
    assert!(found_name, "the test looked at the right files");
    let connection = lab.engine.account.store.connection();
    let rows: i64 = connection.query_row("SELECT count(*) FROM dynamodb_items", [], |row| row.get(0)).unwrap();
    assert_eq!(rows, 1);
}

#[test]
fn equal_keys_of_two_tables_do_not_look_equal() {
    let mut lab = Lab::new();
    for name in ["one", "two"] {
        lab.table(name, Value::Null);
        lab.ok("PutItem", json!({"TableName": name, "Item": {"id": {"S": "same"}}}));
    }
    let connection = lab.engine.account.store.connection();
    let count = "SELECT count(DISTINCT partition) + count(DISTINCT item) FROM dynamodb_items";
    assert_eq!(connection.query_row(count, [], |row| row.get::<_, i64>(0)).unwrap(), 4);
}

#[test]
fn an_item_moved_or_changed_on_disk_is_noticed() {
    let mut lab = Lab::new();
    lab.table("music", Value::Null);
    for id in ["a", "b"] {
        lab.ok("PutItem", json!({"TableName": "music", "Item": {"id": {"S": id}}}));
    }
    let swap = "UPDATE dynamodb_items SET (nonce, ciphertext) =
        (SELECT nonce, ciphertext FROM dynamodb_items AS other WHERE other.item <> dynamodb_items.item)";
    lab.engine.account.store.connection().execute(swap, []).unwrap();
    let (code, message) = lab.fails("Scan", json!({"TableName": "music"}));
    assert_eq!(code, "InternalFailure");
    assert!(message.contains("could not decrypt"), "{message}");
}

/// A kept sandbox with one table of each kind of key, changed from outside while it is closed.
fn reopened_after(change: &str) -> Result<Lab, String> {
    let folder = tempfile::tempdir().unwrap();
    let config = Config { data: Some(folder.path().join("data")), ..Config::default() };
    let mut lab = Lab::open(&config);
    let key = lab.key();
    for (name, sse) in [("own", Value::Null), ("customer", customer(&key))] {
        lab.table(name, sse);
        for id in ["a", "b"] {
            lab.ok("PutItem", json!({"TableName": name, "Item": {"id": {"S": id}}}));
        }
    }
    // Its state is no reason not to check.
    lab.kms("DisableKey", json!({"KeyId": key}));
    lab.engine.account.store.connection().execute_batch(change).unwrap();
    drop(lab);
    if let Err(error) = crate::sandbox::engine::Engine::open(&config) {
        return Err(error.to_string().replace(folder.path().to_str().unwrap(), "DIR"));
    }
    Ok(Lab::open(&config))
}

/// `cargo test --release --lib -- --ignored --nocapture costs`
#[test]
#[ignore = "measures"]
fn what_the_check_at_the_start_costs() {
    let folder = tempfile::tempdir().unwrap();
    let config = Config { data: Some(folder.path().join("data")), ..Config::default() };
    let mut lab = Lab::open(&config);
    lab.table("music", Value::Null);
    for id in 0..20_000 {
        let item = json!({"id": {"S": id.to_string()}, "text": {"S": "x".repeat(400)}});
        lab.ok("PutItem", json!({"TableName": "music", "Item": item}));
    }
    drop(lab);
    for _ in 0..3 {
        let start = std::time::Instant::now();
        let lab = Lab::open(&config);
        let opened = start.elapsed();
        lab.engine
            .account
            .state
            .dynamodb
            .check_items(&lab.engine.account.store, crate::sandbox::tests::ACCOUNT, &lab.engine.account.state.kms)
            .unwrap();
        println!("20,000 items: opened in {opened:?}, of which {:?} for the items", start.elapsed() - opened);
    }
}

#[rstest]
#[case::item(
    "UPDATE dynamodb_items SET ciphertext = zeroblob(length(ciphertext)) WHERE table_name = 'own'",
    "an item of table own can't be decrypted"
)]
#[case::item_under_a_disabled_key(
    "UPDATE dynamodb_items SET nonce = zeroblob(12) WHERE table_name = 'customer'",
    "an item of table customer can't be decrypted"
)]
#[case::place(
    "UPDATE dynamodb_items SET partition = zeroblob(32) WHERE table_name = 'own'",
    "an item of table own is not where its key belongs"
)]
#[case::table_name(
    "UPDATE dynamodb_items SET table_name = 'owm' WHERE table_name = 'own'",
    "it has items of a table \"owm\" that does not exist"
)]
#[case::document(
    "UPDATE documents SET value = zeroblob(60) WHERE seq = 3",
    "row 3 of its table documents can't be decrypted"
)]
#[case::document_nobody_would_find(
    "UPDATE documents SET kind = zeroblob(32) WHERE seq = 2",
    "row 2 of its table documents can't be decrypted"
)]
fn changed_files_are_noticed_at_the_start(#[case] change: &str, #[case] what: &str) {
    let error = reopened_after(change).map(|_| ()).unwrap_err();
    assert_eq!(
        error,
        format!(
            "the database DIR/data/kmslab.db is damaged: {what}. Restore the folder DIR/data from a copy, or start with \
             an empty folder: --data DIR"
        )
    );
}

#[test]
fn what_is_whole_is_opened() {
    let mut lab = reopened_after("").unwrap();
    assert_eq!(lab.ok("Scan", json!({"TableName": "own"}))["Count"], 2);
}
