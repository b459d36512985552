use proptest::prelude::*;
use rstest::rstest;
use serde_json::{Value, json};

use super::super::value::item_to_json;
use super::super::value::tests::any_item;
use super::lab::{ACCOUNT, Lab};
use crate::sandbox::error::Fault;

fn lab() -> Lab {
    let mut lab = Lab::new();
    lab.table("music", Value::Null);
    lab
}

fn key(id: &str) -> Value {
    json!({"id": {"S": id}})
}

fn on(id: &str, more: Value) -> Value {
    let mut input = json!({"TableName": "music", "Key": key(id)});
    input.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    input
}

fn put(item: Value, more: Value) -> Value {
    let mut input = json!({"TableName": "music", "Item": item});
    input.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    input
}

#[test]
fn put_replaces_the_whole_item() {
    let mut lab = lab();
    assert_eq!(
        lab.ok("PutItem", put(json!({"id": {"S": "a"}, "x": {"N": "1"}}), json!({"ReturnValues": "ALL_OLD"}))),
        json!({})
    );
    let old = lab.ok("PutItem", put(json!({"id": {"S": "a"}, "y": {"N": "2"}}), json!({"ReturnValues": "ALL_OLD"})));
    assert_eq!(old["Attributes"], json!({"id": {"S": "a"}, "x": {"N": "1"}}));
    assert_eq!(lab.ok("GetItem", on("a", json!({})))["Item"], json!({"id": {"S": "a"}, "y": {"N": "2"}}));
    assert_eq!(lab.ok("GetItem", on("b", json!({}))), json!({}));
}

#[test]
fn conditions_guard_every_write() {
    let mut lab = lab();
    let only_new = json!({"ConditionExpression": "attribute_not_exists(id)"});
    lab.ok("PutItem", put(json!({"id": {"S": "a"}, "x": {"N": "1"}}), only_new.clone()));
    let failed = ("ConditionalCheckFailedException".to_owned(), "The conditional request failed".to_owned());
    assert_eq!(lab.fails("PutItem", put(key("a"), only_new)), failed);
    let is_two = json!({"ConditionExpression": "#x = :two", "ExpressionAttributeNames": {"#x": "x"}, "ExpressionAttributeValues": {":two": {"N": "2"}}});
    assert_eq!(lab.fails("DeleteItem", on("a", is_two.clone())), failed);
    assert_eq!(lab.fails("UpdateItem", on("a", is_two.clone())), failed);
    let mut input = on("a", is_two);
    input["ReturnValuesOnConditionCheckFailure"] = json!("ALL_OLD");
    let admin = lab.admin.clone();
    let error = lab.call(&admin, "DeleteItem", &input).unwrap_err();
    let Fault::Service { extra: Some(extra), .. } = error else { panic!("{error:?}") };
    assert_eq!(extra["Item"], json!({"id": {"S": "a"}, "x": {"N": "1"}}));
    assert_eq!(lab.ok("GetItem", on("a", json!({})))["Item"]["x"], json!({"N": "1"}));
}

#[test]
fn delete_answers_the_old_item_and_is_idempotent() {
    let mut lab = lab();
    lab.ok("PutItem", put(key("a"), json!({})));
    let old = json!({"ReturnValues": "ALL_OLD"});
    assert_eq!(lab.ok("DeleteItem", on("a", old.clone())), json!({"Attributes": key("a")}));
    assert_eq!(lab.ok("DeleteItem", on("a", old)), json!({}));
}

#[rstest]
#[case("NONE", json!({}))]
#[case("ALL_OLD", json!({"Attributes": {"id": {"S": "a"}, "n": {"N": "1"}, "s": {"S": "x"}}}))]
#[case("ALL_NEW", json!({"Attributes": {"id": {"S": "a"}, "n": {"N": "3"}, "s": {"S": "x"}}}))]
#[case("UPDATED_OLD", json!({"Attributes": {"n": {"N": "1"}}}))]
#[case("UPDATED_NEW", json!({"Attributes": {"n": {"N": "3"}}}))]
fn update_returns(#[case] returns: &str, #[case] want: Value) {
    let mut lab = lab();
    lab.ok("PutItem", put(json!({"id": {"S": "a"}, "n": {"N": "1"}, "s": {"S": "x"}}), json!({})));
    let update = json!({"UpdateExpression": "SET n = n + :d", "ExpressionAttributeValues": {":d": {"N": "2"}}, "ReturnValues": returns});
    assert_eq!(lab.ok("UpdateItem", on("a", update)), want);
    assert_eq!(lab.ok("GetItem", on("a", json!({})))["Item"]["n"], json!({"N": "3"}));
}

#[test]
fn update_makes_a_missing_item_but_never_changes_a_key() {
    let mut lab = lab();
    let add = json!({"UpdateExpression": "ADD visits :one", "ExpressionAttributeValues": {":one": {"N": "1"}}});
    lab.ok("UpdateItem", on("new", add));
    assert_eq!(lab.ok("GetItem", on("new", json!({})))["Item"], json!({"id": {"S": "new"}, "visits": {"N": "1"}}));
    let (_, message) = lab.fails("UpdateItem", on("new", json!({"UpdateExpression": "REMOVE id"})));
    assert_eq!(
        message,
        "One or more parameter values were invalid: Cannot update attribute id. This attribute is part of the key"
    );
}

#[rstest]
#[case("GetItem", json!({"TableName": "music", "Key": {"id": {"N": "1"}}}), "The provided key element does not match the schema")]
#[case("GetItem", json!({"TableName": "music", "Key": {"x": {"S": "1"}}}), "The provided key element does not match the schema")]
#[case("GetItem", json!({"TableName": "music"}), "1 validation error detected: Value null at 'key' failed to satisfy constraint: Member must not be null")]
#[case("PutItem", json!({"TableName": "music", "Item": {"x": {"S": "1"}}}), "One or more parameter values were invalid: Missing the key id in the item")]
#[case("PutItem", json!({"TableName": "music", "Item": {"id": {"S": "a"}, "x": {"S": "y".repeat(409_600)}}}), "Item size has exceeded the maximum allowed size")]
#[case("PutItem", json!({"TableName": "music", "Item": {"id": {"S": "a"}}, "ReturnValues": "ALL_NEW"}), "1 validation error detected: Value 'ALL_NEW' at 'returnValues' failed to satisfy constraint: Member must satisfy enum value set: [ALL_OLD, NONE]")]
#[case("PutItem", json!({"TableName": "music", "Item": {"id": {"S": "a"}}, "ExpressionAttributeValues": {":a": {"S": "a"}}}), "ExpressionAttributeValues can only be specified when using expressions: ConditionExpression is null")]
#[case("Scan", json!({"TableName": "music", "Limit": 0}), "1 validation error detected: Value '0' at 'limit' failed to satisfy constraint: Member must have value greater than or equal to 1")]
#[case("Scan", json!({"TableName": "music", "Segment": 1}), "The TotalSegments parameter is required but was not present in the request when Segment parameter is present")]
#[case("Scan", json!({"TableName": "music", "IndexName": "by-x"}), "The table does not have the specified index: by-x")]
#[case("Scan", json!({"TableName": "music", "Select": "COUNT", "ProjectionExpression": "x"}), "Cannot specify the ProjectionExpression when choosing to get only the Count")]
#[case("Scan", json!({"TableName": "music", "FilterExpression": "a = :a", "ExpressionAttributeValues": {":a": {"S": "a"}, ":b": {"S": "b"}}}), "1 validation error detected: Value provided in ExpressionAttributeValues unused in expressions: keys: {:b}")]
#[case("Query", json!({"TableName": "music"}), "Either the KeyConditions or KeyConditionExpression parameter must be specified in the request.")]
#[case("Query", json!({"TableName": "music", "KeyConditionExpression": "id = :a", "FilterExpression": "id = :a", "ExpressionAttributeValues": {":a": {"S": "a"}}}), "Filter Expression can only contain non-primary key attributes: Primary key attribute: id")]
#[case("BatchWriteItem", json!({"RequestItems": {}}), "The requestItems parameter is required for BatchWriteItem")]
#[case("BatchGetItem", json!({"RequestItems": {}}), "The requestItems parameter is required for BatchGetItem")]
#[case("BatchGetItem", json!({"RequestItems": {"music": {"Keys": vec![json!({"id": {"S": "a"}}); 101]}}}), "1 validation error detected: Value at 'RequestItems.music.member.Keys' failed to satisfy constraint: Member must have length less than or equal to 100")]
#[case("Query", json!({"TableName": "music", "Limit": 0}), "1 validation error detected: Value at 'Limit' failed to satisfy constraint: Member must have value greater than or equal to 1")]
#[case("BatchWriteItem", json!({"RequestItems": {"music": [{"PutRequest": {"Item": {"id": {"S": "a"}}}}, {"DeleteRequest": {"Key": {"id": {"S": "a"}}}}]}}), "Provided list of item keys contains duplicates")]
#[case("BatchGetItem", json!({"RequestItems": {"music": {"Keys": [{"id": {"S": "a"}}, {"id": {"S": "a"}}]}}}), "Provided list of item keys contains duplicates")]
fn refuses(#[case] operation: &str, #[case] input: Value, #[case] want: &str) {
    assert_eq!(lab().fails(operation, input), ("ValidationException".into(), want.into()));
}

#[test]
fn batches_write_and_read() {
    let mut lab = lab();
    let puts: Vec<Value> = (0..25).map(|n| json!({"PutRequest": {"Item": key(&n.to_string())}})).collect();
    let answer = lab.ok("BatchWriteItem", json!({"RequestItems": {"music": puts}, "ReturnConsumedCapacity": "TOTAL"}));
    assert_eq!(answer["UnprocessedItems"], json!({}));
    assert_eq!(answer["ConsumedCapacity"], json!([{"TableName": "music", "CapacityUnits": 25.0}]));
    lab.ok("BatchWriteItem", json!({"RequestItems": {"music": [{"DeleteRequest": {"Key": key("3")}}, {"PutRequest": {"Item": key("new")}}]}}));
    let read = lab.ok("BatchGetItem", json!({"RequestItems": {"music": {"Keys": [key("3"), key("4"), key("new")]}}}));
    assert_eq!(read, json!({"Responses": {"music": [key("4"), key("new")]}, "UnprocessedKeys": {}}));
    let mut many = puts.clone();
    many.push(json!({"PutRequest": {"Item": key("x")}}));
    let (_, message) = lab.fails("BatchWriteItem", json!({"RequestItems": {"music": many}}));
    let rule = "Map value must satisfy constraint: [Member must have length less than or equal to 25, Member must have length \
                greater than or equal to 1]";
    let shown = "Value '{music=[26 writes]}' at 'requestItems'";
    assert_eq!(message, format!("1 validation error detected: {shown} failed to satisfy constraint: {rule}"));
}

#[test]
fn a_refused_batch_writes_nothing() {
    let mut lab = lab();
    let batch = json!({"RequestItems": {"music": [{"PutRequest": {"Item": key("a")}}, {"PutRequest": {"Item": {"x": {"S": "no key"}}}}]}});
    lab.fails("BatchWriteItem", batch);
    assert_eq!(lab.ok("Scan", json!({"TableName": "music"}))["Count"], 0);
}

#[test]
fn capacity_is_counted() {
    let mut lab = lab();
    let item = json!({"id": {"S": "a"}, "x": {"S": "y".repeat(5000)}});
    let written = lab.ok("PutItem", put(item, json!({"ReturnConsumedCapacity": "TOTAL"})));
    assert_eq!(written["ConsumedCapacity"], json!({"TableName": "music", "CapacityUnits": 5.0}));
    let read = lab.ok("GetItem", on("a", json!({"ReturnConsumedCapacity": "INDEXES", "ConsistentRead": true})));
    assert_eq!(read["ConsumedCapacity"]["Table"]["CapacityUnits"], 2.0);
    let scanned = lab.ok("Scan", json!({"TableName": "music", "ReturnConsumedCapacity": "TOTAL"}));
    assert_eq!(scanned["ConsumedCapacity"]["CapacityUnits"], 1.0);
}

#[test]
fn a_policy_can_be_about_partition_keys() {
    let mut lab = lab();
    let user = lab.user_with(
        "alice",
        &json!({
            "Version": "2012-10-17",
            "Statement": [{
                "Effect": "Allow",
                "Action": "dynamodb:*",
                "Resource": format!("arn:aws:dynamodb:us-east-1:{ACCOUNT}:table/music"),
                "Condition": {"ForAllValues:StringEquals": {"dynamodb:LeadingKeys": ["${aws:username}"]}},
            }],
        }),
    );
    lab.call(&user, "PutItem", &put(key("alice"), json!({}))).unwrap();
    assert_eq!(lab.fails_as(&user, "PutItem", put(key("bob"), json!({}))).0, "AccessDeniedException");
    let query = |id: &str| json!({"TableName": "music", "KeyConditionExpression": "id = :i", "ExpressionAttributeValues": {":i": {"S": id}}});
    assert_eq!(lab.call(&user, "Query", &query("alice")).unwrap()["Count"], 1);
    assert_eq!(lab.fails_as(&user, "Query", query("bob")).0, "AccessDeniedException");
    let batch = json!({"RequestItems": {"music": [{"PutRequest": {"Item": key("alice")}}, {"PutRequest": {"Item": key("bob")}}]}});
    assert_eq!(lab.fails_as(&user, "BatchWriteItem", batch).0, "AccessDeniedException");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]
    #[test]
    fn what_is_put_is_got(items in proptest::collection::vec(any_item(), 1..8)) {
        let mut lab = lab();
        for (n, item) in items.iter().enumerate() {
            let mut item = item_to_json(item);
            item["id"] = json!({"S": format!("{n}")});
            lab.ok("PutItem", put(item.clone(), json!({})));
            prop_assert_eq!(&lab.ok("GetItem", on(&n.to_string(), json!({})))["Item"], &item);
        }
        prop_assert_eq!(&lab.ok("Scan", json!({"TableName": "music"}))["Count"], &json!(items.len()));
    }
}
