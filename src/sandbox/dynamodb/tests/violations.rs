//! Broken constraints: all of them in one error, each with its whole path.

use proptest::prelude::*;
use rstest::rstest;
use serde_json::{Value, json};

use super::lab::Lab;
use crate::sandbox::error::Fault;

/// What is wrong with a member.
fn null(at: &str) -> String {
    format!("Value null at '{at}' failed to satisfy constraint: Member must not be null")
}

fn not_in(value: &str, at: &str, allowed: &str) -> String {
    format!("Value '{value}' at '{at}' failed to satisfy constraint: Member must satisfy enum value set: [{allowed}]")
}

fn below(value: &str, at: &str, what: &str, least: u32) -> String {
    format!(
        "Value '{value}' at '{at}' failed to satisfy constraint: Member must have {what} greater than or equal to {least}"
    )
}

fn no_capacity() -> String {
    not_in("x", "returnConsumedCapacity", "INDEXES, TOTAL, NONE")
}

fn no_metrics() -> String {
    not_in("x", "returnItemCollectionMetrics", "SIZE, NONE")
}

#[rstest]
#[case("GetItem", json!({"ReturnConsumedCapacity": "x"}), vec![null("tableName"), null("key"), no_capacity()])]
#[case("PutItem", json!({"ReturnValues": "x", "ReturnConsumedCapacity": "x", "ReturnItemCollectionMetrics": "x", "ReturnValuesOnConditionCheckFailure": "x"}),
    vec![null("tableName"), null("item"), not_in("x", "returnValues", "ALL_OLD, NONE"), no_capacity(), no_metrics(), not_in("x", "returnValuesOnConditionCheckFailure", "ALL_OLD, NONE")])]
#[case("DeleteItem", json!({"TableName": "", "ConditionalOperator": "x", "Expected": {"a": {"ComparisonOperator": "NULL"}}}),
    vec![below("", "tableName", "length", 1), null("key"), not_in("x", "conditionalOperator", "OR, AND")])]
#[case("UpdateItem", json!({"AttributeUpdates": {"a": {"Action": "x"}, "b": {"Action": "y"}}}),
    vec![null("tableName"), null("key"), not_in("x", "attributeUpdates.a.member.action", "ADD, PUT, DELETE"), not_in("y", "attributeUpdates.b.member.action", "ADD, PUT, DELETE")])]
#[case("Query", json!({"Limit": 0, "Select": "x", "ReturnConsumedCapacity": "x"}),
    vec![null("tableName"), not_in("x", "select", "SPECIFIC_ATTRIBUTES, COUNT, ALL_ATTRIBUTES, ALL_PROJECTED_ATTRIBUTES"), "Value at 'Limit' failed to satisfy constraint: Member must have value greater than or equal to 1".to_owned(), no_capacity()])]
#[case("Scan", json!({"TableName": "music", "Limit": 0, "TotalSegments": 0, "Segment": -1}),
    vec![below("0", "limit", "value", 1), below("0", "totalSegments", "value", 1), below("-1", "segment", "value", 0)])]
#[case("BatchGetItem", json!({"RequestItems": {"music": {}, "films": {}}, "ReturnConsumedCapacity": "x"}),
    vec![null("requestItems.music.member.keys"), null("requestItems.films.member.keys"), no_capacity()])]
#[case("BatchWriteItem", json!({"RequestItems": {"music": [{"PutRequest": {}}, {"DeleteRequest": {}}]}, "ReturnItemCollectionMetrics": "x"}),
    vec![null("requestItems.music.member.1.member.putRequest.item"), null("requestItems.music.member.2.member.deleteRequest.key"), no_metrics()])]
#[case("TransactGetItems", json!({"TransactItems": [{"Get": {"TableName": ""}}, {}], "ReturnConsumedCapacity": "x"}),
    vec![below("", "transactItems.1.member.get.tableName", "length", 1), null("transactItems.1.member.get.key"), null("transactItems.2.member.get"), no_capacity()])]
#[case("TransactWriteItems", json!({"TransactItems": [{"Update": {"ReturnValuesOnConditionCheckFailure": "x"}}], "ClientRequestToken": ""}),
    vec![null("transactItems.1.member.update.tableName"), null("transactItems.1.member.update.key"), null("transactItems.1.member.update.updateExpression"),
        not_in("x", "transactItems.1.member.update.returnValuesOnConditionCheckFailure", "ALL_OLD, NONE"), below("", "clientRequestToken", "length", 1)])]
#[case("CreateTable", json!({"TableName": "music", "AttributeDefinitions": [{"AttributeName": "", "AttributeType": "x"}], "KeySchema": [{}], "BillingMode": "x"}),
    vec![below("", "attributeDefinitions.1.member.attributeName", "length", 1), not_in("x", "attributeDefinitions.1.member.attributeType", "B, N, S"),
        null("keySchema.1.member.attributeName"), null("keySchema.1.member.keyType"), not_in("x", "billingMode", "PROVISIONED, PAY_PER_REQUEST")])]
#[case("UpdateTable", json!({"BillingMode": "x", "ProvisionedThroughput": {}, "SSESpecification": {"SSEType": "x"}}),
    vec![null("tableName"), not_in("x", "billingMode", "PROVISIONED, PAY_PER_REQUEST"), null("provisionedThroughput.readCapacityUnits"),
        null("provisionedThroughput.writeCapacityUnits"), not_in("x", "sSESpecification.sSEType", "AES256, KMS")])]
#[case("ListTables", json!({"Limit": 101, "ExclusiveStartTableName": ""}),
    vec![below("", "exclusiveStartTableName", "length", 1), "Value '101' at 'limit' failed to satisfy constraint: Member must have value less than or equal to 100".to_owned()])]
#[case("TagResource", json!({}), vec![null("resourceArn"), null("tags")])]
#[case("UntagResource", json!({}), vec![null("resourceArn"), null("tagKeys")])]
fn all_violations_come_together(#[case] operation: &str, #[case] input: Value, #[case] mut want: Vec<String>) {
    let (code, message) = Lab::new().fails(operation, input);
    let (opening, list) = message.split_once(" detected: ").unwrap();
    let mut found: Vec<&str> = list.split("; ").collect();
    // AWS's order is not known to be any.
    found.sort_unstable();
    want.sort_unstable();
    assert_eq!(found, want);
    let errors = if want.len() == 1 { "error" } else { "errors" };
    assert_eq!(
        (code.as_str(), opening.to_owned()),
        ("ValidationException", format!("{} validation {errors}", want.len()))
    );
}

/// Requests that work, with every member that came with transactions and the legacy parameters.
fn working() -> Vec<(&'static str, Value)> {
    let key = json!({"id": {"S": "a"}});
    let value = json!({"ComparisonOperator": "EQ", "AttributeValueList": [{"S": "a"}]});
    let check = json!({"TableName": "music", "Key": {"id": {"S": "b"}}, "ConditionExpression": "attribute_not_exists(#a)",
        "ExpressionAttributeNames": {"#a": "a"}, "ReturnValuesOnConditionCheckFailure": "ALL_OLD"});
    let update = json!({"TableName": "music", "Key": {"id": {"S": "c"}}, "UpdateExpression": "ADD n :n", "ExpressionAttributeValues": {":n": {"N": "1"}}});
    vec![
        (
            "TransactWriteItems",
            json!({"ClientRequestToken": "t", "TransactItems": [
            {"Put": {"TableName": "music", "Item": key}}, {"ConditionCheck": check}, {"Update": update},
            {"Delete": {"TableName": "music", "Key": {"id": {"S": "d"}}}}]}),
        ),
        (
            "TransactGetItems",
            json!({"TransactItems": [{"Get": {"TableName": "music", "Key": key, "ProjectionExpression": "id"}}]}),
        ),
        (
            "Query",
            json!({"TableName": "music", "KeyConditions": {"id": value}, "QueryFilter": {"a": value, "b": value}, "ConditionalOperator": "OR", "AttributesToGet": ["a"]}),
        ),
        (
            "UpdateItem",
            json!({"TableName": "music", "Key": key, "AttributeUpdates": {"a": {"Action": "PUT", "Value": {"S": "a"}}}, "Expected": {"b": {"Exists": false}}}),
        ),
        (
            "UpdateTimeToLive",
            json!({"TableName": "music", "TimeToLiveSpecification": {"Enabled": true, "AttributeName": "t"}}),
        ),
        (
            "UpdateContinuousBackups",
            json!({"TableName": "music", "PointInTimeRecoverySpecification": {"PointInTimeRecoveryEnabled": true, "RecoveryPeriodInDays": 7}}),
        ),
        ("BatchWriteItem", json!({"RequestItems": {"music": [{"PutRequest": {"Item": key}}]}})),
    ]
}

/// Replaces the `at`th node of a JSON value, counted from the root.
fn replace(value: &mut Value, at: &mut usize, with: &Value) {
    if *at == 0 {
        *value = with.clone();
    }
    // Past zero it never comes back.
    *at = at.wrapping_sub(1);
    match value {
        Value::Object(members) => members.values_mut().for_each(|value| replace(value, at, with)),
        Value::Array(values) => values.iter_mut().for_each(|value| replace(value, at, with)),
        _ => {}
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(16))]
    #[test]
    fn no_member_of_any_type_breaks_the_sandbox(at in 1..40_usize, twice in 1..40_usize) {
        let mut lab = Lab::new();
        lab.table("music", Value::Null);
        let admin = lab.admin.clone();
        let others =
            [json!(null), json!(true), json!(-1), json!(1e300), json!(""), json!("#a"), json!([]), json!({}), json!([{}]), json!({"": {}})];
        for (operation, input) in working() {
            for other in &others {
                let mut changed = input.clone();
                replace(&mut changed, &mut at.clone(), other);
                replace(&mut changed, &mut twice.clone(), other);
                if changed.is_object() && let Err(fault) = lab.call(&admin, operation, &changed) {
                    prop_assert!(!matches!(fault, Fault::Internal(_)), "{operation} {changed}: {fault:?}");
                }
            }
        }
    }
}

#[test]
fn the_requests_that_are_changed_work() {
    let mut lab = Lab::new();
    lab.table("music", Value::Null);
    for (operation, input) in working() {
        lab.ok(operation, input);
    }
}
