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

    let path = lab.engine.host.store.path().to_owned();
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
    let connection = lab.engine.host.store.connection();
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
    let connection = lab.engine.host.store.connection();
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
    lab.engine.host.store.connection().execute(swap, []).unwrap();
    let (code, message) = lab.fails("Scan", json!({"TableName": "music"}));
    assert_eq!(code, "InternalFailure");
    assert!(message.contains("could not decrypt"), "{message}");
}
