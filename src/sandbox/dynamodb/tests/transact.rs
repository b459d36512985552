//! TransactWriteItems and TransactGetItems.

use rstest::rstest;
use serde_json::{Value, json};

use super::lab::{ACCOUNT, Lab, customer};
use crate::sandbox::Config;
use crate::sandbox::context::{Caller, Origin};
use crate::sandbox::error::{Fault, render};
use crate::sandbox::log::Verdict;
use crate::sandbox::service::Service;

const CANCELED: &str = "Transaction cancelled, please refer cancellation reasons for specific reasons";

fn key(id: &str) -> Value {
    json!({"id": {"S": id}})
}

fn put(table: &str, id: &str) -> Value {
    json!({"Put": {"TableName": table, "Item": key(id)}})
}

fn check(id: &str, condition: &str) -> Value {
    json!({"ConditionCheck": {"TableName": "music", "Key": key(id), "ConditionExpression": condition,
        "ReturnValuesOnConditionCheckFailure": "ALL_OLD"}})
}

fn write(items: Value) -> Value {
    json!({"TransactItems": items, "ReturnConsumedCapacity": "TOTAL"})
}

fn get(table: &str, id: &str) -> Value {
    json!({"Get": {"TableName": table, "Key": key(id)}})
}

/// Two tables under keys of their own, `music` with an item `a`.
fn lab() -> (Lab, [String; 2]) {
    lab_with(&Config { seed: Some(7), ..Config::default() })
}

fn lab_with(config: &Config) -> (Lab, [String; 2]) {
    let mut lab = Lab::open(config);
    let keys = [lab.key(), lab.key()];
    lab.table("music", customer(&keys[0]));
    lab.table("films", customer(&keys[1]));
    lab.ok("PutItem", json!({"TableName": "music", "Item": {"id": {"S": "a"}, "n": {"N": "1"}}}));
    (lab, keys)
}

fn count(lab: &mut Lab, table: &str) -> Value {
    lab.ok("Scan", json!({"TableName": table}))["Count"].clone()
}

/// A fault's body, as it goes to the client.
fn body(fault: &Fault) -> Value {
    serde_json::from_str(&render(Service::DynamoDb, "id", fault).1).unwrap()
}

/// The same caller on a new connection, for which no table key is in memory.
fn reconnected(who: &Caller) -> Caller {
    let connection = who.origin.connection + 1;
    Caller { origin: std::sync::Arc::new(Origin { connection, ..(*who.origin).clone() }), ..who.clone() }
}

#[test]
fn a_transaction_writes_over_two_tables() {
    let (mut lab, _) = lab();
    lab.ok("PutItem", json!({"TableName": "music", "Item": key("old")}));
    let update = json!({"Update": {"TableName": "music", "Key": key("a"), "UpdateExpression": "ADD n :n",
        "ExpressionAttributeValues": {":n": {"N": "2"}}}});
    let delete = json!({"Delete": {"TableName": "music", "Key": key("old")}});
    let items = json!([check("none", "attribute_not_exists(id)"), put("films", "b"), update, delete]);
    let mut request = write(items);
    request["ReturnItemCollectionMetrics"] = "SIZE".into();
    let answer = lab.ok("TransactWriteItems", request);
    let entry =
        |table: &str, units: f64| json!({"TableName": table, "CapacityUnits": units, "WriteCapacityUnits": units});
    assert_eq!(answer, json!({"ConsumedCapacity": [entry("music", 6.0), entry("films", 2.0)]}));
    let read = lab.ok(
        "TransactGetItems",
        json!({"TransactItems": [get("films", "b"), get("music", "old"), get("music", "a")], "ReturnConsumedCapacity": "INDEXES"}),
    );
    let units = |n: f64| json!({"CapacityUnits": n, "ReadCapacityUnits": n});
    assert_eq!(
        read,
        json!({
            "Responses": [{"Item": key("b")}, {}, {"Item": {"id": {"S": "a"}, "n": {"N": "3"}}}],
            "ConsumedCapacity": [
                {"TableName": "films", "CapacityUnits": 2.0, "Table": units(2.0), "ReadCapacityUnits": 2.0},
                {"TableName": "music", "CapacityUnits": 4.0, "Table": units(4.0), "ReadCapacityUnits": 4.0},
            ],
        })
    );
}

#[test]
fn reasons_come_in_the_order_of_the_actions() {
    let (mut lab, _) = lab();
    let update = json!({"Update": {"TableName": "music", "Key": key("b"), "UpdateExpression": "SET n = n + :n",
        "ExpressionAttributeValues": {":n": {"N": "2"}}}});
    let wrong_key = json!({"Delete": {"TableName": "music", "Key": {"x": {"S": "a"}}}});
    let items = json!([put("films", "b"), check("a", "attribute_not_exists(id)"), update, wrong_key]);
    let admin = lab.admin.clone();
    let fault = lab.call(&admin, "TransactWriteItems", &write(items)).unwrap_err();
    let missing = "The provided expression refers to an attribute that does not exist in the item";
    assert_eq!(
        body(&fault),
        json!({
            "__type": "com.amazonaws.dynamodb.v20120810#TransactionCanceledException",
            "Message": format!("{CANCELED} [None, ConditionalCheckFailed, ValidationError, ValidationError]"),
            "CancellationReasons": [
                {"Code": "None"},
                {"Code": "ConditionalCheckFailed", "Message": "The conditional request failed",
                    "Item": {"id": {"S": "a"}, "n": {"N": "1"}}},
                {"Code": "ValidationError", "Message": missing},
                {"Code": "ValidationError", "Message": "The provided key element does not match the schema"},
            ],
        })
    );
    assert_eq!(count(&mut lab, "films"), 0);
    let read =
        json!({"TransactItems": [get("music", "a"), {"Get": {"TableName": "music", "Key": {"id": {"N": "1"}}}}]});
    let (code, message) = lab.fails("TransactGetItems", read);
    assert_eq!(
        (code.as_str(), message),
        ("TransactionCanceledException", format!("{CANCELED} [None, ValidationError]"))
    );
}

#[rstest]
#[case::put("dynamodb:PutItem")]
#[case::update("dynamodb:UpdateItem")]
#[case::delete("dynamodb:DeleteItem")]
#[case::check("dynamodb:ConditionCheckItem")]
fn each_action_needs_its_own_permission(#[case] missing: &str) {
    let (mut lab, _) = lab();
    let all = ["dynamodb:PutItem", "dynamodb:UpdateItem", "dynamodb:DeleteItem", "dynamodb:ConditionCheckItem"];
    let mut actions = vec!["dynamodb:TransactWriteItems", "kms:Decrypt"];
    actions.extend(all.iter().filter(|action| **action != missing));
    let user = lab.user("alice", &actions);
    let update = json!({"Update": {"TableName": "films", "Key": key("c"), "UpdateExpression": "SET n = id"}});
    let delete = json!({"Delete": {"TableName": "music", "Key": key("a")}});
    let items = json!([put("films", "b"), update, delete, check("d", "attribute_not_exists(id)")]);
    let (code, message) = lab.fails_as(&user, "TransactWriteItems", write(items));
    assert_eq!(code, "AccessDeniedException");
    let opening =
        format!("User: arn:aws:iam::{ACCOUNT}:user/alice is not authorized to perform: {missing} on resource: ");
    assert!(message.starts_with(&opening), "{message}");
    assert_eq!((count(&mut lab, "music"), count(&mut lab, "films")), (json!(1), json!(0)));
}

#[test]
fn reads_need_get_item_on_every_table() {
    let (mut lab, _) = lab();
    let policy = |tables: &[&str]| {
        let arns: Vec<String> =
            tables.iter().map(|table| format!("arn:aws:dynamodb:us-east-1:{ACCOUNT}:table/{table}")).collect();
        json!({"Version": "2012-10-17", "Statement": [
            {"Effect": "Allow", "Action": "dynamodb:GetItem", "Resource": arns,
                "Condition": {"StringEquals": {"dynamodb:EnclosingOperation": "TransactGetItems"}}},
            {"Effect": "Allow", "Action": "kms:Decrypt", "Resource": "*"},
        ]})
    };
    let request = json!({"TransactItems": [get("music", "a"), get("films", "b")]});
    let one = lab.user_with("alice", &policy(&["music"]));
    assert_eq!(lab.fails_as(&one, "TransactGetItems", request.clone()).0, "AccessDeniedException");
    let both = lab.user_with("bob", &policy(&["music", "films"]));
    assert!(lab.call(&both, "TransactGetItems", &request).is_ok());
    let plain = json!({"TableName": "music", "Key": key("a")});
    assert_eq!(lab.fails_as(&both, "GetItem", plain).0, "AccessDeniedException", "only in a transaction");
}

#[rstest]
#[case("TransactWriteItems", json!({"TransactItems": [put("music", "x"), put("films", "y")]}))]
#[case("TransactGetItems", json!({"TransactItems": [get("music", "a"), get("films", "y")]}))]
fn two_tables_need_both_keys(#[case] operation: &str, #[case] request: Value) {
    let (mut lab, keys) = lab();
    let policy = json!({"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Action": "dynamodb:*", "Resource": "*"},
        {"Effect": "Allow", "Action": "kms:Decrypt", "Resource": keys[0]},
    ]});
    let user = lab.user_with("alice", &policy);
    let before = lab.events().len();
    let (code, message) = lab.fails_as(&user, operation, request.clone());
    assert_eq!(code, "AccessDeniedException");
    assert!(message.starts_with("KMS key access denied error: ") && message.contains(&keys[1]), "{message}");
    let decrypt = |verdict| ("Decrypt".to_owned(), "alice".to_owned(), verdict);
    assert_eq!(lab.since(before), [decrypt(Verdict::Allowed), decrypt(Verdict::Denied)]);
    assert_eq!((count(&mut lab, "music"), count(&mut lab, "films")), (json!(1), json!(0)));
    let both = lab.user("bob", &["dynamodb:*", "kms:Decrypt"]);
    assert!(lab.call(&both, operation, &request).is_ok());
}

#[test]
fn a_repeated_token_does_nothing_for_ten_minutes() {
    let (mut lab, _) = lab();
    let update = json!({"Update": {"TableName": "music", "Key": key("a"), "UpdateExpression": "ADD n :n",
        "ExpressionAttributeValues": {":n": {"N": "1"}}}});
    let mut request = write(json!([update]));
    request["ClientRequestToken"] = "t".into();
    let number = |lab: &mut Lab| lab.ok("GetItem", json!({"TableName": "music", "Key": key("a")}))["Item"]["n"].clone();
    assert_eq!(lab.ok("TransactWriteItems", request.clone())["ConsumedCapacity"][0]["WriteCapacityUnits"], 2.0);
    lab.wait(590);
    // Another order of members is the same request.
    let mut same = json!({"ClientRequestToken": "t", "ReturnConsumedCapacity": "TOTAL"});
    same["TransactItems"] = request["TransactItems"].clone();
    let again = lab.ok("TransactWriteItems", same);
    assert_eq!(
        again["ConsumedCapacity"],
        json!([{"TableName": "music", "CapacityUnits": 2.0, "ReadCapacityUnits": 2.0}])
    );
    assert_eq!(number(&mut lab), json!({"N": "2"}));
    let mut other = request.clone();
    other["TransactItems"][0]["Update"]["Key"] = key("b");
    assert_eq!(lab.fails("TransactWriteItems", other.clone()).0, "IdempotentParameterMismatchException");
    lab.wait(10);
    lab.ok("TransactWriteItems", request.clone());
    assert_eq!(number(&mut lab), json!({"N": "3"}));
    lab.wait(600);
    lab.ok("TransactWriteItems", other);
}

#[test]
fn a_repeated_token_is_no_way_around_permissions() {
    let (mut lab, keys) = lab();
    let mut request = write(json!([put("music", "x")]));
    request["ClientRequestToken"] = "t".into();
    lab.ok("TransactWriteItems", request.clone());
    let user = lab.user("alice", &["dynamodb:TransactWriteItems"]);
    assert_eq!(lab.fails_as(&user, "TransactWriteItems", request.clone()).0, "AccessDeniedException");
    lab.kms("DisableKey", json!({"KeyId": keys[0]}));
    let admin = reconnected(&lab.admin);
    let (_, message) = lab.fails_as(&admin, "TransactWriteItems", request);
    assert!(message.starts_with("KMS key disabled error"), "{message}");
}

#[test]
fn a_failed_transaction_does_not_use_its_token_up() {
    let (mut lab, _) = lab();
    let mut request = write(json!([put("films", "x"), check("b", "attribute_exists(id)")]));
    request["ClientRequestToken"] = "t".into();
    assert_eq!(lab.fails("TransactWriteItems", request.clone()).0, "TransactionCanceledException");
    lab.ok("PutItem", json!({"TableName": "music", "Item": key("b")}));
    lab.ok("TransactWriteItems", request);
    assert_eq!(count(&mut lab, "films"), 1);
}

#[test]
fn transactions_and_tokens_outlive_the_process() {
    let folder = tempfile::tempdir().unwrap();
    let config = Config { seed: Some(7), data: Some(folder.path().join("data")), ..Config::default() };
    let (mut lab, _) = lab_with(&config);
    let mut request = write(json!([put("music", "secret-id-in-a-transaction"), put("films", "y")]));
    request["ClientRequestToken"] = "token-in-plain-text".into();
    lab.ok("TransactWriteItems", request.clone());
    let canceled = json!([put("films", "z"), check("a", "attribute_not_exists(id)")]);
    lab.fails("TransactWriteItems", write(canceled));
    let path = lab.engine.account.store.path().to_owned();
    for ending in ["", "-wal"] {
        let mut file = path.clone().into_os_string();
        file.push(ending);
        let bytes = std::fs::read(&file).unwrap_or_default();
        for secret in ["secret-id-in-a-transaction", "token-in-plain-text"] {
            assert!(!bytes.windows(secret.len()).any(|window| window == secret.as_bytes()), "{secret} in {ending}");
        }
    }
    drop(lab);
    let mut lab = Lab::open(&config);
    assert_eq!((count(&mut lab, "music"), count(&mut lab, "films")), (json!(2), json!(1)));
    let again = lab.ok("TransactWriteItems", request.clone());
    assert_eq!(again["ConsumedCapacity"][0]["ReadCapacityUnits"], 2.0);
    request["TransactItems"] = json!([put("films", "other")]);
    assert_eq!(lab.fails("TransactWriteItems", request).0, "IdempotentParameterMismatchException");
}

#[rstest]
#[case("TransactWriteItems", json!({}), "1 validation error detected: Value null at 'transactItems' failed to satisfy constraint: Member must not be null")]
#[case("TransactWriteItems", json!({"TransactItems": []}), "1 validation error detected: Value '[]' at 'transactItems' failed to satisfy constraint: Member must have length greater than or equal to 1")]
#[case("TransactWriteItems", json!({"TransactItems": vec![put("music", "a"); 101]}), "1 validation error detected: Value '[101 items]' at 'transactItems' failed to satisfy constraint: Member must have length less than or equal to 100")]
#[case("TransactWriteItems", json!({"TransactItems": [{}]}), "Invalid Request: TransactWriteRequest should contain Delete or Put or Update request")]
#[case("TransactWriteItems", json!({"TransactItems": [{"Put": {"TableName": "music", "Item": key("a")}, "Delete": {"TableName": "music", "Key": key("b")}}]}), "TransactItems can only contain one of Check, Put, Update or Delete")]
#[case("TransactWriteItems", json!({"TransactItems": [put("music", "a"), check("a", "attribute_exists(id)")]}), "Transaction request cannot include multiple operations on one item")]
#[case("TransactWriteItems", json!({"TransactItems": [{"Put": {"TableName": "music"}}, {"Update": {"Key": key("a")}}]}), "3 validation errors detected: Value null at 'transactItems.1.member.put.item' failed to satisfy constraint: Member must not be null; Value null at 'transactItems.2.member.update.tableName' failed to satisfy constraint: Member must not be null; Value null at 'transactItems.2.member.update.updateExpression' failed to satisfy constraint: Member must not be null")]
#[case("TransactWriteItems", json!({"TransactItems": [{"ConditionCheck": {"TableName": "music", "Key": key("a")}}]}), "1 validation error detected: Value null at 'transactItems.1.member.conditionCheck.conditionExpression' failed to satisfy constraint: Member must not be null")]
#[case("TransactWriteItems", json!({"TransactItems": [put("music", "a")], "ClientRequestToken": "x".repeat(37)}), "1 validation error detected: Value 'xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx' at 'clientRequestToken' failed to satisfy constraint: Member must have length less than or equal to 36")]
#[case("TransactWriteItems", json!({"TransactItems": [check("a", "id =")]}), "Invalid ConditionExpression: Syntax error; token: \"<EOF>\", near: \"=\"")]
#[case("TransactGetItems", json!({"TransactItems": [{}]}), "1 validation error detected: Value null at 'transactItems.1.member.get' failed to satisfy constraint: Member must not be null")]
#[case("TransactGetItems", json!({"TransactItems": [{"Get": {"TableName": "music"}}]}), "1 validation error detected: Value null at 'transactItems.1.member.get.key' failed to satisfy constraint: Member must not be null")]
#[case("TransactGetItems", json!({"TransactItems": [get("music", "a"), get("music", "a")]}), "Transaction request cannot include multiple operations on one item")]
fn refuses(#[case] operation: &str, #[case] input: Value, #[case] want: &str) {
    assert_eq!(lab().0.fails(operation, input), ("ValidationException".into(), want.into()));
}

#[test]
fn a_transaction_has_at_most_four_megabytes() {
    let (mut lab, _) = lab();
    let item = |n: usize| json!({"Put": {"TableName": "music", "Item": {"id": {"S": n.to_string()}, "x": {"S": "y".repeat(390_000)}}}});
    let items: Vec<Value> = (0..11).map(item).collect();
    let (code, message) = lab.fails("TransactWriteItems", write(json!(items)));
    assert_eq!(code, "ValidationException");
    assert!(message.contains("exceeds 4 MB"), "{message}");
    assert_eq!(count(&mut lab, "music"), 1);
    lab.ok("TransactWriteItems", write(json!(items[..10])));
}

#[test]
fn a_missing_table_is_no_reason_but_an_error() {
    let (mut lab, _) = lab();
    let missing = ("ResourceNotFoundException".to_owned(), "Requested resource not found".to_owned());
    assert_eq!(lab.fails("TransactWriteItems", write(json!([put("music", "x"), put("none", "y")]))), missing);
    assert_eq!(lab.fails("TransactGetItems", json!({"TransactItems": [get("none", "y")]})), missing);
    assert_eq!(count(&mut lab, "music"), 1);
}
