//! Secondary indexes.

use proptest::prelude::*;
use rstest::rstest;
use serde_json::{Value, json};

use super::lab::{ACCOUNT, Lab, customer};
use crate::sandbox::Config;

fn definitions(names: &[(&str, &str)]) -> Value {
    names.iter().map(|(name, kind)| json!({"AttributeName": name, "AttributeType": kind})).collect()
}

fn schema(names: &[&str]) -> Value {
    let kinds = ["HASH", "RANGE"];
    names.iter().zip(kinds).map(|(name, kind)| json!({"AttributeName": name, "KeyType": kind})).collect()
}

fn index(name: &str, keys: &[&str], projection: Value) -> Value {
    json!({"IndexName": name, "KeySchema": schema(keys), "Projection": projection})
}

/// A table of visits: by patient, by day (global, all), by doctor and day (global, keys), by patient and day (local).
fn visits(sse: Value) -> Value {
    let mut input = json!({
        "TableName": "visits",
        "BillingMode": "PAY_PER_REQUEST",
        "AttributeDefinitions": definitions(&[("patient", "S"), ("at", "N"), ("day", "S"), ("doctor", "S")]),
        "KeySchema": schema(&["patient", "at"]),
        "GlobalSecondaryIndexes": [
            index("by-day", &["day"], json!({"ProjectionType": "ALL"})),
            index("by-doctor", &["doctor", "day"], json!({"ProjectionType": "KEYS_ONLY"})),
        ],
        "LocalSecondaryIndexes": [
            index("days", &["patient", "day"], json!({"ProjectionType": "INCLUDE", "NonKeyAttributes": ["note"]})),
        ],
    });
    if !sse.is_null() {
        input["SSESpecification"] = sse;
    }
    input
}

fn visit(patient: &str, at: u32, day: &str, doctor: &str) -> Value {
    json!({"patient": {"S": patient}, "at": {"N": at.to_string()}, "day": {"S": day}, "doctor": {"S": doctor},
        "note": {"S": "hay fever"}, "fee": {"N": "10"}})
}

fn lab() -> (Lab, String) {
    let mut lab = Lab::open(&Config { seed: Some(7), ..Config::default() });
    let key = lab.key();
    lab.ok("CreateTable", visits(customer(&key)));
    for (patient, at, day, doctor) in
        [("ada", 1, "mon", "x"), ("ada", 2, "mon", "y"), ("ben", 1, "mon", "x"), ("ben", 2, "tue", "x")]
    {
        lab.ok("PutItem", json!({"TableName": "visits", "Item": visit(patient, at, day, doctor)}));
    }
    // It has no day, so it is in no index.
    lab.ok("PutItem", json!({"TableName": "visits", "Item": {"patient": {"S": "eve"}, "at": {"N": "1"}}}));
    (lab, key)
}

fn query(index: &str, name: &str, value: &str) -> Value {
    json!({"TableName": "visits", "IndexName": index, "KeyConditionExpression": "#k = :v",
        "ExpressionAttributeNames": {"#k": name}, "ExpressionAttributeValues": {":v": {"S": value}}})
}

fn with(mut input: Value, more: Value) -> Value {
    for (name, value) in more.as_object().unwrap() {
        input[name] = value.clone();
    }
    input
}

#[test]
fn a_table_describes_its_indexes() {
    let (mut lab, _) = lab();
    let table = lab.ok("DescribeTable", json!({"TableName": "visits"}))["Table"].clone();
    let global = &table["GlobalSecondaryIndexes"][1];
    assert_eq!(global["IndexName"], "by-doctor");
    assert_eq!(global["IndexStatus"], "ACTIVE");
    assert_eq!(global["Projection"], json!({"ProjectionType": "KEYS_ONLY"}));
    assert_eq!(global["KeySchema"], schema(&["doctor", "day"]));
    assert_eq!(global["IndexArn"], format!("arn:aws:dynamodb:us-east-1:{ACCOUNT}:table/visits/index/by-doctor"));
    let local = &table["LocalSecondaryIndexes"][0];
    assert_eq!(local["Projection"], json!({"ProjectionType": "INCLUDE", "NonKeyAttributes": ["note"]}));
    assert_eq!(local.get("IndexStatus"), None);
    assert_eq!(table["AttributeDefinitions"].as_array().unwrap().len(), 4, "each attribute once");
}

#[rstest]
#[case::all("by-day", "day", "mon", 3, &["at", "day", "doctor", "fee", "note", "patient"])]
#[case::keys("by-doctor", "doctor", "x", 3, &["at", "day", "doctor", "patient"])]
#[case::some("days", "patient", "ada", 2, &["at", "day", "note", "patient"])]
fn a_query_sees_what_is_projected(
    #[case] index: &str,
    #[case] name: &str,
    #[case] value: &str,
    #[case] count: usize,
    #[case] members: &[&str],
) {
    let (mut lab, _) = lab();
    let found = lab.ok("Query", query(index, name, value));
    assert_eq!(found["Count"], count);
    let mut names: Vec<&str> = found["Items"][0].as_object().unwrap().keys().map(String::as_str).collect();
    names.sort_unstable();
    assert_eq!(names, members);
}

#[test]
fn a_local_index_fetches_what_it_lacks() {
    let (mut lab, _) = lab();
    let input = |more| with(query("days", "patient", "ada"), more);
    let all = lab.ok("Query", input(json!({"Select": "ALL_ATTRIBUTES"})));
    assert_eq!(all["Items"][0]["fee"], json!({"N": "10"}));
    let one = lab.ok("Query", input(json!({"ProjectionExpression": "fee", "ConsistentRead": true})));
    assert_eq!(one["Items"][0], json!({"fee": {"N": "10"}}));
}

#[test]
fn a_scan_has_only_items_with_the_indexs_key() {
    let (mut lab, _) = lab();
    assert_eq!(lab.ok("Scan", json!({"TableName": "visits"}))["Count"], 5);
    assert_eq!(lab.ok("Scan", json!({"TableName": "visits", "IndexName": "by-day"}))["Count"], 4);
    lab.ok(
        "UpdateItem",
        json!({"TableName": "visits", "Key": {"patient": {"S": "ada"}, "at": {"N": "1"}},
        "UpdateExpression": "REMOVE #d", "ExpressionAttributeNames": {"#d": "day"}}),
    );
    assert_eq!(lab.ok("Scan", json!({"TableName": "visits", "IndexName": "by-day"}))["Count"], 3);
    let capacity =
        lab.ok("Scan", json!({"TableName": "visits", "IndexName": "by-day", "ReturnConsumedCapacity": "INDEXES"}));
    assert_eq!(capacity["ConsumedCapacity"]["GlobalSecondaryIndexes"], json!({"by-day": {"CapacityUnits": 0.5}}));
}

#[rstest]
#[case::unknown(json!({"IndexName": "none"}), "The table does not have the specified index: none")]
#[case::consistent(json!({"ConsistentRead": true}), "Consistent reads are not supported on global secondary indexes")]
#[case::all_of_keys(json!({"IndexName": "by-doctor", "ExpressionAttributeNames": {"#k": "doctor"}, "Select": "ALL_ATTRIBUTES"}),
    "One or more parameter values were invalid: Select type ALL_ATTRIBUTES is not supported for global secondary index by-doctor because its projection type is not ALL")]
#[case::key_of_the_table(json!({"ExpressionAttributeNames": {"#k": "patient"}}), "Query condition missed key schema element: day")]
#[case::filter_on_its_key(json!({"FilterExpression": "#k = :v"}),
    "Filter Expression can only contain non-primary key attributes: Primary key attribute: day")]
fn a_query_is_refused(#[case] more: Value, #[case] want: &str) {
    let (mut lab, _) = lab();
    assert_eq!(
        lab.fails("Query", with(query("by-day", "day", "mon"), more)),
        ("ValidationException".into(), want.into())
    );
}

#[rstest]
#[case::type_of_a_put("PutItem", json!({"Item": {"patient": {"S": "a"}, "at": {"N": "1"}, "day": {"N": "1"}}}),
    "One or more parameter values were invalid: Type mismatch for Index Key day Expected: S Actual: N IndexName: days")]
#[case::type_of_an_update("UpdateItem", json!({"Key": {"patient": {"S": "a"}, "at": {"N": "1"}}, "UpdateExpression": "SET #d = :d",
    "ExpressionAttributeNames": {"#d": "doctor"}, "ExpressionAttributeValues": {":d": {"N": "1"}}}),
    "One or more parameter values were invalid: Type mismatch for Index Key doctor Expected: S Actual: N IndexName: by-doctor")]
#[case::empty("PutItem", json!({"Item": {"patient": {"S": "a"}, "at": {"N": "1"}, "day": {"S": ""}}}),
    "One or more parameter values are not valid. A value specified for a secondary index key is not supported. The AttributeValue for a key attribute cannot contain an empty string value. IndexName: days, IndexKey: day")]
fn an_item_must_fit_into_every_index(#[case] operation: &str, #[case] input: Value, #[case] want: &str) {
    let (mut lab, _) = lab();
    let input = with(input, json!({"TableName": "visits"}));
    assert_eq!(lab.fails(operation, input), ("ValidationException".into(), want.into()));
}

#[rstest]
#[case::no_range(json!({"KeySchema": schema(&["patient"])}),
    "Table KeySchema does not have a range key, which is required when specifying a LocalSecondaryIndex")]
#[case::other_hash(json!({"LocalSecondaryIndexes": [index("days", &["doctor", "day"], json!({"ProjectionType": "ALL"}))]}),
    "Index KeySchema does not have the same leading hash key as table KeySchema for index: days. index hash key: doctor, table hash key: patient")]
#[case::twice(json!({"GlobalSecondaryIndexes": [index("days", &["day"], json!({"ProjectionType": "ALL"}))]}), "Duplicate index name: days")]
#[case::unused(json!({"LocalSecondaryIndexes": [], "GlobalSecondaryIndexes": [index("by-day", &["day"], json!({"ProjectionType": "ALL"}))]}),
    "Some AttributeDefinitions are not used. AttributeDefinitions: [patient, at, day, doctor], keys used: [at, day, patient]")]
#[case::nothing_included(json!({"GlobalSecondaryIndexes": [index("by-day", &["day"], json!({"ProjectionType": "INCLUDE"}))]}),
    "ProjectionType is INCLUDE, but NonKeyAttributes is not specified")]
fn a_table_is_refused(#[case] changes: Value, #[case] want: &str) {
    let mut lab = Lab::new();
    let want = format!("One or more parameter values were invalid: {want}");
    assert_eq!(lab.fails("CreateTable", with(visits(Value::Null), changes)), ("ValidationException".into(), want));
}

#[test]
fn indexes_are_made_and_deleted_one_at_a_time() {
    let (mut lab, _) = lab();
    let update = |updates: Value| {
        json!({"TableName": "visits", "AttributeDefinitions": definitions(&[("patient", "S"), ("at", "N"), ("day", "S"), ("doctor", "S")]),
            "GlobalSecondaryIndexUpdates": updates})
    };
    let create = json!({"Create": index("doctors", &["doctor"], json!({"ProjectionType": "ALL"}))});
    let status = |table: &Value, name: &str| {
        let all = table["GlobalSecondaryIndexes"].as_array().unwrap();
        all.iter().find(|index| index["IndexName"] == name).map(|index| index["IndexStatus"].clone())
    };
    let made = lab.ok("UpdateTable", update(json!([create])))["TableDescription"].clone();
    assert_eq!(status(&made, "doctors"), Some(json!("CREATING")));
    assert_eq!(lab.ok("Query", query("doctors", "doctor", "x"))["Count"], 3);
    assert_eq!(
        lab.fails("UpdateTable", update(json!([create]))),
        ("ValidationException".into(), "Attempting to create an index which already exists".into())
    );
    let two = json!([{"Delete": {"IndexName": "doctors"}}, {"Delete": {"IndexName": "by-day"}}]);
    assert_eq!(lab.fails("UpdateTable", update(two)).0, "LimitExceededException");
    let delete = json!([{"Delete": {"IndexName": "doctors"}}]);
    let deleted = lab.ok("UpdateTable", update(delete.clone()))["TableDescription"].clone();
    assert_eq!(status(&deleted, "doctors"), Some(json!("DELETING")));
    assert_eq!(lab.fails("UpdateTable", update(delete)).0, "ResourceNotFoundException");
    let described = lab.ok("DescribeTable", json!({"TableName": "visits"}))["Table"].clone();
    assert_eq!(status(&described, "doctors"), None);
}

#[test]
fn iam_decides_about_the_index_and_kms_about_the_key() {
    let (mut lab, _) = lab();
    let statement = |resource: &str, actions: Value| json!({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": actions, "Resource": resource}]});
    let arn = format!("arn:aws:dynamodb:us-east-1:{ACCOUNT}:table/visits");
    let table_only = lab.user_with("table-only", &statement(&arn, json!("dynamodb:Query")));
    let (code, message) = lab.fails_as(&table_only, "Query", query("by-day", "day", "mon"));
    assert_eq!(code, "AccessDeniedException");
    assert!(message.contains(&format!("on resource: {arn}/index/by-day")), "{message}");
    let index = lab.user_with("index", &statement(&format!("{arn}/index/*"), json!("dynamodb:Query")));
    let (code, message) = lab.fails_as(&index, "Query", query("by-day", "day", "mon"));
    assert_eq!(code, "AccessDeniedException");
    assert!(message.contains("kms:Decrypt"), "an index is read under its table's key: {message}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    /// The pages of an index together are all of its items, each once and in order.
    #[test]
    fn pages_miss_and_repeat_nothing(
        days in prop::collection::vec(0..3_u8, 1..12),
        limit in 1..5_usize,
        forward in any::<bool>(),
        scans in any::<bool>(),
    ) {
        let mut lab = Lab::new();
        lab.ok("CreateTable", visits(Value::Null));
        for (at, day) in (1..).zip(&days) {
            let patient = if at % 2 == 0 { "ada" } else { "ben" };
            lab.ok("PutItem", json!({"TableName": "visits", "Item": visit(patient, at, &format!("day-{day}"), "x")}));
        }
        let input = match scans {
            true => json!({"TableName": "visits", "IndexName": "by-doctor"}),
            false => with(query("by-doctor", "doctor", "x"), json!({"ScanIndexForward": forward})),
        };
        let operation = if scans { "Scan" } else { "Query" };
        let whole = lab.ok(operation, input.clone())["Items"].as_array().unwrap().clone();
        prop_assert_eq!(whole.len(), days.len());
        let (mut pages, mut start) = (Vec::new(), Value::Null);
        for _ in 0..=days.len() {
            let mut input = with(input.clone(), json!({"Limit": limit}));
            if !start.is_null() {
                input["ExclusiveStartKey"] = start;
            }
            let page = lab.ok(operation, input);
            pages.extend(page["Items"].as_array().unwrap().clone());
            start = page["LastEvaluatedKey"].clone();
            if start.is_null() {
                break;
            }
        }
        prop_assert!(start.is_null());
        prop_assert_eq!(pages, whole);
    }
}
