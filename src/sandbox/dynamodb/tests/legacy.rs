//! The parameters from before expressions.

use rstest::rstest;
use serde_json::{Value, json};

use super::lab::Lab;

/// A table with a sort key, and items `a`/1 to `a`/3 with more attributes.
fn lab() -> Lab {
    let mut lab = Lab::new();
    lab.ok(
        "CreateTable",
        json!({
            "TableName": "music",
            "AttributeDefinitions": [
                {"AttributeName": "id", "AttributeType": "S"}, {"AttributeName": "at", "AttributeType": "N"},
            ],
            "KeySchema": [
                {"AttributeName": "id", "KeyType": "HASH"}, {"AttributeName": "at", "KeyType": "RANGE"},
            ],
            "BillingMode": "PAY_PER_REQUEST",
        }),
    );
    for (at, name) in [("1", "Amber"), ("2", "Blue"), ("3", "Blau")] {
        let item = json!({"id": {"S": "a"}, "at": {"N": at}, "name": {"S": name}, "tags": {"SS": ["x", at]}, "a.b": {"N": at}});
        lab.ok("PutItem", json!({"TableName": "music", "Item": item}));
    }
    lab
}

fn key(at: &str) -> Value {
    json!({"id": {"S": "a"}, "at": {"N": at}})
}

fn condition(operator: &str, values: Value) -> Value {
    json!({"ComparisonOperator": operator, "AttributeValueList": values})
}

/// The request on the table, with more members.
fn on(more: Value) -> Value {
    let mut input = json!({"TableName": "music"});
    input.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    input
}

#[rstest]
#[case(condition("EQ", json!([{"S": "Blue"}])), 1)]
#[case(condition("NE", json!([{"S": "Blue"}])), 2)]
#[case(condition("LT", json!([{"S": "Blue"}])), 2)]
#[case(condition("LE", json!([{"S": "Blue"}])), 3)]
#[case(condition("GT", json!([{"S": "Blau"}])), 1)]
#[case(condition("GE", json!([{"S": "Blau"}])), 2)]
#[case(condition("IN", json!([{"S": "Blau"}, {"S": "Amber"}])), 2)]
#[case(condition("BETWEEN", json!([{"S": "B"}, {"S": "Blb"}])), 1)]
#[case(condition("BEGINS_WITH", json!([{"S": "Bl"}])), 2)]
#[case(condition("CONTAINS", json!([{"S": "m"}])), 1)]
#[case(condition("NOT_CONTAINS", json!([{"S": "m"}])), 2)]
#[case(json!({"ComparisonOperator": "NULL"}), 0)]
#[case(json!({"ComparisonOperator": "NOT_NULL"}), 3)]
fn filters(#[case] filter: Value, #[case] count: usize) {
    let mut lab = lab();
    assert_eq!(lab.ok("Scan", on(json!({"ScanFilter": {"name": filter}})))["Count"], count);
    let keys = json!({"id": condition("EQ", json!([{"S": "a"}]))});
    let query = json!({"KeyConditions": keys, "QueryFilter": {"name": filter}});
    assert_eq!(lab.ok("Query", on(query))["Count"], count);
}

#[test]
fn a_conditional_operator_joins_filters() {
    let mut lab = lab();
    let filter = json!({"name": condition("EQ", json!([{"S": "Blue"}])), "a.b": condition("EQ", json!([{"N": "1"}]))});
    assert_eq!(lab.ok("Scan", on(json!({"ScanFilter": filter})))["Count"], 0);
    assert_eq!(lab.ok("Scan", on(json!({"ScanFilter": filter, "ConditionalOperator": "OR"})))["Count"], 2);
}

#[test]
fn attributes_are_chosen_by_their_whole_names() {
    let mut lab = lab();
    let chosen = json!({"a.b": {"N": "1"}, "name": {"S": "Amber"}});
    let attributes = json!(["name", "a.b", "none"]);
    let got = lab.ok("GetItem", on(json!({"Key": key("1"), "AttributesToGet": attributes})));
    assert_eq!(got["Item"], chosen);
    let batch = json!({"RequestItems": {"music": {"Keys": [key("1")], "AttributesToGet": attributes}}});
    assert_eq!(lab.ok("BatchGetItem", batch)["Responses"]["music"][0], chosen);
    let scan = on(json!({"AttributesToGet": attributes, "Select": "SPECIFIC_ATTRIBUTES", "Limit": 1}));
    assert_eq!(lab.ok("Scan", scan)["Items"], json!([chosen]));
}

#[rstest]
#[case(json!({}), 3)]
#[case(json!({"at": condition("GT", json!([{"N": "1"}]))}), 2)]
#[case(json!({"at": condition("BETWEEN", json!([{"N": "2"}, {"N": "2"}]))}), 1)]
fn key_conditions(#[case] sort: Value, #[case] count: usize) {
    let mut lab = lab();
    let mut keys = json!({"id": condition("EQ", json!([{"S": "a"}]))});
    keys.as_object_mut().unwrap().extend(sort.as_object().unwrap().clone());
    assert_eq!(lab.ok("Query", on(json!({"KeyConditions": keys})))["Count"], count);
    // They alone go with expressions. Placeholders of the request stay its own.
    let both = json!({"KeyConditions": keys, "FilterExpression": "#0 = :0", "ProjectionExpression": "#0",
        "ExpressionAttributeNames": {"#0": "name"}, "ExpressionAttributeValues": {":0": {"S": "Blue"}}});
    let answer = lab.ok("Query", on(both));
    assert_eq!((&answer["ScannedCount"], &answer["Items"]), (&json!(count), &json!([{"name": {"S": "Blue"}}])));
}

#[test]
fn attribute_updates_put_add_and_delete() {
    let mut lab = lab();
    let updates = json!({
        "name": {"Value": {"S": "Red"}},
        "count": {"Action": "ADD", "Value": {"N": "2"}},
        "tags": {"Action": "DELETE", "Value": {"SS": ["x"]}},
        "a.b": {"Action": "DELETE"},
    });
    let update = on(json!({"Key": key("1"), "AttributeUpdates": updates, "ReturnValues": "ALL_NEW"}));
    let want =
        json!({"id": {"S": "a"}, "at": {"N": "1"}, "name": {"S": "Red"}, "count": {"N": "2"}, "tags": {"SS": ["1"]}});
    assert_eq!(lab.ok("UpdateItem", update)["Attributes"], want);
}

#[rstest]
#[case(json!({"name": {"Value": {"S": "Amber"}}}), true)]
#[case(json!({"name": {"Value": {"S": "Blue"}, "Exists": true}}), false)]
#[case(json!({"name": {"Exists": false}}), false)]
#[case(json!({"none": {"Exists": false}}), true)]
#[case(json!({"name": {"ComparisonOperator": "BEGINS_WITH", "Value": {"S": "Am"}}}), true)]
#[case(json!({"name": {"ComparisonOperator": "IN", "AttributeValueList": [{"S": "Blue"}]}}), false)]
#[case(json!({"name": {"ComparisonOperator": "NOT_NULL"}}), true)]
fn expectations_hold_or_not(#[case] expected: Value, #[case] holds: bool) {
    let mut lab = lab();
    let item = json!({"id": {"S": "a"}, "at": {"N": "1"}});
    for (operation, mut request) in [
        ("UpdateItem", json!({"Key": key("1"), "AttributeUpdates": {"x": {"Value": {"N": "1"}}}})),
        ("PutItem", json!({"Item": item})),
        ("DeleteItem", json!({"Key": key("1")})),
    ] {
        if operation == "DeleteItem" {
            lab.ok("PutItem", on(json!({"Item": {"id": {"S": "a"}, "at": {"N": "1"}, "name": {"S": "Amber"}}})));
        }
        request["Expected"] = expected.clone();
        match holds {
            true => drop(lab.ok(operation, on(request))),
            false => assert_eq!(lab.fails(operation, on(request)).0, "ConditionalCheckFailedException", "{operation}"),
        }
    }
}

const MIXED: &str =
    "Can not use both expression and non-expression parameters in the same request: Non-expression parameters: ";

#[rstest]
#[case("GetItem", json!({"Key": key("1"), "AttributesToGet": ["a"], "ProjectionExpression": "a"}), "{AttributesToGet} Expression parameters: {ProjectionExpression}")]
#[case("PutItem", json!({"Item": key("1"), "Expected": {}, "ConditionExpression": "a = b"}), "{Expected} Expression parameters: {ConditionExpression}")]
#[case("UpdateItem", json!({"Key": key("1"), "AttributeUpdates": {"a": {"Action": "DELETE"}}, "ConditionExpression": "a = b"}), "{AttributeUpdates} Expression parameters: {ConditionExpression}")]
#[case("Query", json!({"QueryFilter": {}, "KeyConditionExpression": "id = :a"}), "{QueryFilter} Expression parameters: {KeyConditionExpression}")]
#[case("Query", json!({"KeyConditions": {}, "AttributesToGet": ["a"], "KeyConditionExpression": "id = :a", "FilterExpression": "a = b"}), "{AttributesToGet, KeyConditions} Expression parameters: {FilterExpression, KeyConditionExpression}")]
#[case("Scan", json!({"ScanFilter": {"a": {"ComparisonOperator": "NULL"}}, "ConditionalOperator": "AND", "FilterExpression": "a = b"}), "{ScanFilter, ConditionalOperator} Expression parameters: {FilterExpression}")]
fn both_kinds_do_not_mix(#[case] operation: &str, #[case] input: Value, #[case] want: &str) {
    assert_eq!(lab().fails(operation, on(input)), ("ValidationException".to_owned(), format!("{MIXED}{want}")));
}

#[test]
fn both_kinds_do_not_mix_in_one_batch() {
    let mut lab = lab();
    lab.table("films", Value::Null);
    let request = json!({"RequestItems": {
        "music": {"Keys": [key("1")], "AttributesToGet": ["a"]},
        "films": {"Keys": [{"id": {"S": "b"}}], "ProjectionExpression": "a"},
    }});
    let want = format!("{MIXED}{{AttributesToGet}} Expression parameters: {{ProjectionExpression}}");
    assert_eq!(lab.fails("BatchGetItem", request).1, want);
}

const INVALID: &str = "One or more parameter values were invalid: ";

#[rstest]
#[case("GetItem", json!({"Key": key("1"), "AttributesToGet": ["a", "a"]}), format!("{INVALID}Duplicate value in attribute name: a"))]
#[case("GetItem", json!({"Key": key("1"), "AttributesToGet": []}), "1 validation error detected: Value '[]' at 'attributesToGet' failed to satisfy constraint: Member must have length greater than or equal to 1".to_owned())]
#[case("GetItem", json!({"Key": key("1"), "AttributesToGet": ["a"], "ExpressionAttributeNames": {"#a": "a"}}), "ExpressionAttributeNames can only be specified when using expressions".to_owned())]
#[case("Scan", json!({"ScanFilter": {"a": {}, "b": {"ComparisonOperator": "IS"}}}), "2 validation errors detected: Value null at 'scanFilter.a.member.comparisonOperator' failed to satisfy constraint: Member must not be null; Value 'IS' at 'scanFilter.b.member.comparisonOperator' failed to satisfy constraint: Member must satisfy enum value set: [IN, NULL, BETWEEN, LT, NOT_CONTAINS, EQ, GT, NOT_NULL, NE, LE, BEGINS_WITH, GE, CONTAINS]".to_owned())]
#[case("Scan", json!({"ScanFilter": {"a": condition("EQ", json!([]))}}), format!("{INVALID}Invalid number of argument(s) for the EQ ComparisonOperator"))]
#[case("Scan", json!({"ScanFilter": {"a": condition("LT", json!([{"SS": ["a"]}]))}}), format!("{INVALID}ComparisonOperator LT is not valid for SS AttributeValue type"))]
#[case("Scan", json!({"ScanFilter": {"a": condition("BETWEEN", json!([{"N": "2"}, {"N": "1"}]))}}), "The BETWEEN condition was provided a range where the lower bound is greater than the upper bound".to_owned())]
#[case("Scan", json!({"ConditionalOperator": "OR"}), "ConditionalOperator cannot be used without Filter or Expected".to_owned())]
#[case("Scan", json!({"ConditionalOperator": "OR", "ScanFilter": {"a": {"ComparisonOperator": "NULL"}}}), "ConditionalOperator can only be used when Filter or Expected has two or more elements".to_owned())]
#[case("Query", json!({"KeyConditions": {}}), "Conditions can be of length 1 or 2 only".to_owned())]
#[case("Query", json!({"KeyConditions": {"id": condition("NE", json!([{"S": "a"}]))}}), "Attempted conditional constraint is not an indexable operation".to_owned())]
#[case("Query", json!({"KeyConditions": {"at": condition("EQ", json!([{"N": "1"}]))}}), "Query condition missed key schema element: id".to_owned())]
#[case("PutItem", json!({"Item": key("1"), "Expected": {"a": {}}}), format!("{INVALID}Value must be provided when Exists is null for Attribute: a"))]
#[case("PutItem", json!({"Item": key("1"), "Expected": {"a": {"Exists": false, "Value": {"S": "a"}}}}), format!("{INVALID}Value cannot be used when Exists is false for Attribute: a"))]
#[case("PutItem", json!({"Item": key("1"), "Expected": {"a": {"Exists": true, "ComparisonOperator": "NULL"}}}), format!("{INVALID}Exists and ComparisonOperator cannot be used together for Attribute: a"))]
#[case("UpdateItem", json!({"Key": key("1"), "AttributeUpdates": {"a": {"Action": "ADD", "Value": {"S": "a"}}}}), format!("{INVALID}ADD action is not supported for the type S"))]
#[case("UpdateItem", json!({"Key": key("1"), "AttributeUpdates": {"a": {"Action": "PUT"}}}), format!("{INVALID}Only DELETE action is allowed when no attribute value is specified"))]
#[case("UpdateItem", json!({"Key": key("1"), "AttributeUpdates": {"id": {"Value": {"S": "a"}}}}), format!("{INVALID}Cannot update attribute id. This attribute is part of the key"))]
fn refuses(#[case] operation: &str, #[case] input: Value, #[case] want: String) {
    assert_eq!(lab().fails(operation, on(input)), ("ValidationException".to_owned(), want));
}

#[test]
fn policies_see_the_partition_of_key_conditions() {
    let mut lab = lab();
    let policy = json!({"Version": "2012-10-17", "Statement": [{
        "Effect": "Allow", "Action": "dynamodb:Query", "Resource": "*",
        "Condition": {"ForAllValues:StringEquals": {"dynamodb:LeadingKeys": ["b"]}},
    }]});
    let user = lab.user_with("alice", &policy);
    let query = |id: &str| on(json!({"KeyConditions": {"id": condition("EQ", json!([{"S": id}]))}}));
    assert!(lab.call(&user, "Query", &query("b")).is_ok());
    assert_eq!(lab.fails_as(&user, "Query", query("a")).0, "AccessDeniedException");
}
