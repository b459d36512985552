use proptest::prelude::*;
use rstest::rstest;
use serde_json::{Value, json};

use super::condition::Condition;
use super::key_condition::{KeyCondition, SortCondition};
use super::placeholders::Placeholders;
use super::projection::Projection;
use super::update::Update;
use crate::sandbox::dynamodb::key::{KeyAttribute, KeySchema, KeyType};
use crate::sandbox::dynamodb::value::{Item, item_from_json, item_to_json};
use crate::sandbox::error::Fault;

fn item() -> Item {
    item_from_json(&json!({
        "id": {"S": "item-1"},
        "n": {"N": "10"},
        "label": {"S": "amber lamp"},
        "octets": {"B": "AQID"},
        "flag": {"BOOL": true},
        "nothing": {"NULL": true},
        "tags": {"SS": ["blue", "red"]},
        "things": {"L": [{"S": "zero"}, {"N": "1"}, {"M": {"deep": {"S": "x"}}}]},
        "doc": {"M": {"nested": {"M": {"leaf": {"N": "5"}}}, "aside": {"S": "o"}}},
    }))
    .unwrap()
}

fn parse(input: &Value) -> Result<Placeholders, Fault> {
    Placeholders::parse(input.as_object().unwrap(), &["FilterExpression"], &[])
}

fn placeholders(names: Value, values: Value) -> Placeholders {
    let mut input = json!({"FilterExpression": "x"});
    for (member, map) in [("ExpressionAttributeNames", names), ("ExpressionAttributeValues", values)] {
        if !map.is_null() {
            input[member] = map;
        }
    }
    parse(&input).unwrap()
}

fn values() -> Value {
    json!({
        ":ten": {"N": "10.0"}, ":five": {"N": "5"}, ":s": {"S": "amber"}, ":red": {"S": "red"}, ":x": {"S": "x"},
        ":true": {"BOOL": true}, ":bytes": {"B": "AQI="}, ":SS": {"S": "SS"}, ":tags": {"SS": ["red", "blue"]},
    })
}

fn message(error: Fault) -> String {
    error.message(crate::sandbox::service::Service::DynamoDb).unwrap().into_owned()
}

#[rstest]
#[case("n = :ten", true)]
#[case("n <> :ten", false)]
#[case("n > :five AND n < :ten", false)]
#[case("n >= :five and n <= :ten", true)]
#[case("absent = :ten", false)]
#[case("absent <> :ten", true)]
#[case("absent < :ten", false)]
#[case("n = :s", false)]
#[case("n BETWEEN :five AND :ten", true)]
#[case("label IN (:s, :red)", false)]
#[case("flag IN (:s, :true)", true)]
#[case("attribute_exists(doc.nested.leaf)", true)]
#[case("attribute_exists(doc.nested.nope)", false)]
#[case("attribute_not_exists(things[3])", true)]
#[case("attribute_type(tags, :SS)", true)]
#[case("begins_with(label, :s)", true)]
#[case("begins_with(octets, :bytes)", true)]
#[case("contains(tags, :red)", true)]
#[case("contains(label, :s)", true)]
#[case("things[2].deep = :x", true)]
#[case("size(label) = :ten", true)]
#[case("size(tags) < :five", true)]
#[case("size(n) < :five", false)]
#[case("tags = :tags", true)]
#[case("NOT n = :ten OR flag = :true", true)]
#[case("NOT (n = :ten OR flag = :true)", false)]
#[case("n = :five OR n = :ten AND flag = :true", true)]
#[case("(n = :five OR n = :ten) AND NOT flag = :true", false)]
#[case("doc.nested.leaf = :five", true)]
#[case(":five = doc.nested.leaf", true)]
#[case("(size(label)) = :ten", true)]
#[case("(n) = (:ten)", true)]
#[case("NOT (n) = :five AND (flag = :true)", true)]
#[case("((n) = :ten OR n = :five) AND (size((tags))) < :five", true)]
#[case("(n) BETWEEN (:five) AND (:ten)", true)]
#[case("(label) IN ((:s), :red)", false)]
#[case("begins_with((label), (:s))", true)]
fn evaluates(#[case] text: &str, #[case] want: bool) {
    let mut given = placeholders(Value::Null, values());
    assert_eq!(Condition::parse("FilterExpression", text, &mut given).unwrap().holds(&item()), want);
}

#[rstest]
#[case("", "The expression can not be empty;")]
#[case("a =", "Syntax error; token: \"<EOF>\", near: \"=\"")]
#[case("a = = :ten", "Syntax error; token: \"=\", near: \"= = :ten\"")]
#[case("status = :ten", "Attribute name is a reserved keyword; reserved keyword: status")]
#[case("a = :nope", "An expression attribute value used in expression is not defined; attribute value: :nope")]
#[case("#nope = :ten", "An expression attribute name used in the document path is not defined; attribute name: #nope")]
#[case("((a = :ten))", "The expression has redundant parentheses;")]
#[case("((a)) = :ten", "The expression has redundant parentheses;")]
#[case("(a = :ten) = :ten", "Syntax error; token: \"=\", near: \"a = :ten\"")]
#[case("Begins_With(a, :s)", "Invalid function name; function: Begins_With")]
#[case(
    "begins_with(a, :ten)",
    "Incorrect operand type for operator or function; operator or function: begins_with, operand type: N"
)]
#[case(
    "begins_with(a)",
    "Incorrect number of operands for operator or function; operator or function: begins_with, number of operands: 1"
)]
#[case("a < :true", "Incorrect operand type for operator or function; operator or function: <, operand type: BOOL")]
#[case(
    "a = a",
    "The first operand must be distinct from the remaining operands for this operator or function; operator: =, first operand: [a]"
)]
#[case(
    "a BETWEEN :ten AND :five",
    "The BETWEEN operator requires upper bound to be greater than or equal to lower bound; lower bound operand: AttributeValue: {N:10}, upper bound operand: AttributeValue: {N:5}"
)]
#[case(
    "attribute_type(a, :red)",
    "Invalid attribute type name found; type: red, valid types: {B,NULL,SS,BOOL,L,BS,N,NS,S,M}"
)]
#[case("attribute_exists(:s)", "Operator or function requires a document path; operator or function: attribute_exists")]
#[case("size(a)", "Syntax error; token: \"<EOF>\", near: \")\"")]
#[case(
    "a = attribute_exists(b)",
    "The function is not allowed to be used this way in an expression; function: attribute_exists"
)]
fn refuses_a_condition(#[case] text: &str, #[case] want: &str) {
    let mut given = placeholders(Value::Null, values());
    let error = Condition::parse("FilterExpression", text, &mut given).unwrap_err();
    assert_eq!(message(error), format!("Invalid FilterExpression: {want}"));
}

#[test]
fn counts_what_is_used() {
    let mut given = placeholders(json!({"#n": "n", "#z": "z"}), json!({":a": {"N": "1"}, ":b": {"N": "2"}}));
    Condition::parse("FilterExpression", "#n = :a", &mut given).unwrap();
    let error = given.finish().unwrap_err();
    assert_eq!(
        message(error),
        "1 validation error detected: Value provided in ExpressionAttributeNames unused in expressions: keys: {#z}"
    );
    Condition::parse("FilterExpression", "#z = :a", &mut given).unwrap();
    let error = given.finish().unwrap_err();
    assert_eq!(
        message(error),
        "1 validation error detected: Value provided in ExpressionAttributeValues unused in expressions: keys: {:b}"
    );
}

#[rstest]
#[case(json!({"ExpressionAttributeNames": {"#a": "a"}}), "ExpressionAttributeNames can only be specified when using expressions")]
#[case(json!({"ExpressionAttributeValues": {":a": {"N": "1"}}}), "ExpressionAttributeValues can only be specified when using expressions: FilterExpression is null")]
#[case(json!({"FilterExpression": "a", "ExpressionAttributeNames": {}}), "ExpressionAttributeNames must not be empty")]
#[case(json!({"FilterExpression": "a", "ExpressionAttributeNames": {"a": "a"}}), "ExpressionAttributeNames contains invalid key: Syntax error; key: \"a\"")]
#[case(json!({"FilterExpression": "a", "ExpressionAttributeValues": {":a": {"N": "x"}}}), "ExpressionAttributeValues contains invalid value: The parameter cannot be converted to a numeric value: x for key :a")]
fn refuses_placeholders(#[case] input: Value, #[case] want: &str) {
    assert_eq!(message(parse(&input).unwrap_err()), want);
}

#[rstest]
#[case("id, doc.nested.leaf, things[2]", json!({"id": {"S": "item-1"}, "doc": {"M": {"nested": {"M": {"leaf": {"N": "5"}}}}}, "things": {"L": [{"M": {"deep": {"S": "x"}}}]}}))]
#[case("things[1], things[0]", json!({"things": {"L": [{"S": "zero"}, {"N": "1"}]}}))]
#[case("nope, doc.nope, n.x", json!({}))]
fn projects(#[case] text: &str, #[case] want: Value) {
    let projection = Projection::parse(text, &mut placeholders(Value::Null, Value::Null)).unwrap();
    assert_eq!(item_to_json(&projection.apply(&item())), want);
}

#[rstest]
#[case(
    "doc, doc.nested",
    "Two document paths overlap with each other; must remove or rewrite one of these paths; path one: [doc], path two: [doc, nested]"
)]
#[case(
    "a.b, a[0]",
    "Two document paths conflict with each other; must remove or rewrite one of these paths; path one: [a, b], path two: [a, [0]]"
)]
#[case("id,", "Syntax error; token: \"<EOF>\", near: \",\"")]
fn refuses_a_projection(#[case] text: &str, #[case] want: &str) {
    let error = Projection::parse(text, &mut placeholders(Value::Null, Value::Null)).unwrap_err();
    assert_eq!(message(error), format!("Invalid ProjectionExpression: {want}"));
}

fn schema() -> KeySchema {
    KeySchema {
        hash: KeyAttribute { name: "pk".into(), kind: KeyType::String },
        range: Some(KeyAttribute { name: "sk".into(), kind: KeyType::Number }),
    }
}

#[rstest]
#[case("sk = :five", "Query condition missed key schema element: pk")]
#[case("pk = :s AND aside = :five", "Query condition missed key schema element: sk")]
#[case("pk > :s", "Query key condition not supported")]
#[case("pk = :ten", "One or more parameter values were invalid: Condition parameter type does not match schema type")]
#[case(
    "pk = :s AND sk = :s",
    "One or more parameter values were invalid: Condition parameter type does not match schema type"
)]
#[case("pk = :s OR sk = :five", "Invalid KeyConditionExpression: Invalid operator used in KeyConditionExpression: OR")]
#[case(
    "pk = :s AND sk <> :five",
    "Invalid KeyConditionExpression: Invalid operator used in KeyConditionExpression: <>"
)]
#[case(
    "pk = :s AND sk > :five AND sk < :ten",
    "Invalid KeyConditionExpression: KeyConditionExpressions must only contain one condition per key"
)]
#[case(
    "pk = :s AND sk.a = :five",
    "Invalid KeyConditionExpression: KeyConditionExpressions cannot have conditions on nested attributes"
)]
fn refuses_a_key_condition(#[case] text: &str, #[case] want: &str) {
    let mut given = placeholders(Value::Null, values());
    assert_eq!(message(KeyCondition::parse(text, &mut given, &schema()).unwrap_err()), want);
}

#[test]
fn reads_a_key_condition_in_any_order() {
    let mut given = placeholders(json!({"#p": "pk"}), values());
    let condition = KeyCondition::parse("sk BETWEEN :five AND :ten AND (#p = :s)", &mut given, &schema()).unwrap();
    assert!(matches!(condition.sort, Some(SortCondition::Between(..))));
}

#[rstest]
#[case("SET n = n + :five, extra = :x", json!({"n": {"N": "15"}, "extra": {"S": "x"}}))]
#[case("SET n = :five - n", json!({"n": {"N": "-5"}}))]
#[case("SET n = if_not_exists(nope, :five)", json!({"n": {"N": "5"}}))]
#[case("SET doc.nested.leaf = if_not_exists(doc.nested.leaf, :ten) + :five", json!({"doc": {"M": {"nested": {"M": {"leaf": {"N": "10"}}}, "aside": {"S": "o"}}}}))]
#[case("SET things = list_append(things, :l)", json!({"things": {"L": [{"S": "zero"}, {"N": "1"}, {"M": {"deep": {"S": "x"}}}, {"S": "new"}]}}))]
#[case("SET things[9] = :x REMOVE flag", json!({"things": {"L": [{"S": "zero"}, {"N": "1"}, {"M": {"deep": {"S": "x"}}}, {"S": "x"}]}, "flag": null}))]
#[case("REMOVE things[0], things[1]", json!({"things": {"L": [{"M": {"deep": {"S": "x"}}}]}}))]
#[case("REMOVE things[0], things[2].deep", json!({"things": {"L": [{"N": "1"}, {"M": {}}]}}))]
#[case("REMOVE things[2].deep, things[1], things[0]", json!({"things": {"L": [{"M": {}}]}}))]
#[case("SET things[9] = :x, things[7] = :five", json!({"things": {"L": [{"S": "zero"}, {"N": "1"}, {"M": {"deep": {"S": "x"}}}, {"N": "5"}, {"S": "x"}]}}))]
#[case("ADD n :five, tags :t", json!({"n": {"N": "15"}, "tags": {"SS": ["blue", "green", "red"]}}))]
#[case("DELETE tags :tags", json!({"tags": null}))]
#[case("DELETE tags :blue", json!({"tags": {"SS": ["red"]}}))]
#[case("SET label = id, id = label", json!({"label": {"S": "item-1"}, "id": {"S": "amber lamp"}}))]
fn updates(#[case] text: &str, #[case] changes: Value) {
    let mut values = values();
    values[":l"] = json!({"L": [{"S": "new"}]});
    values[":t"] = json!({"SS": ["green", "red"]});
    values[":blue"] = json!({"SS": ["blue", "white"]});
    let mut want = item_to_json(&item());
    for (name, value) in changes.as_object().unwrap() {
        if value.is_null() {
            want.as_object_mut().unwrap().remove(name);
        } else {
            want[name] = value.clone();
        }
    }
    let update = Update::parse(text, &mut placeholders(Value::Null, values)).unwrap();
    assert_eq!(update.apply(&item()).unwrap(), item_from_json(&want).unwrap());
}

#[rstest]
#[case(
    "SET a = :ten SET b = :ten",
    "1 validation error detected: Invalid UpdateExpression: The \"SET\" section can only be used once in an update expression;"
)]
#[case(
    "SET a = :ten, a.b = :ten",
    "1 validation error detected: Invalid UpdateExpression: Two document paths overlap with each other; must remove or rewrite one of these paths; path one: [a], path two: [a, b]"
)]
#[case(
    "SET a = :s + :ten",
    "1 validation error detected: Invalid UpdateExpression: Incorrect operand type for operator or function; operator or function: +, operand type: S"
)]
#[case(
    "ADD a :s",
    "1 validation error detected: Invalid UpdateExpression: Incorrect operand type for operator or function; operator: ADD, operand type: STRING"
)]
#[case(
    "SET a = contains(b, :s)",
    "1 validation error detected: Invalid UpdateExpression: The function is not allowed in an update expression; function: contains"
)]
#[case("SET", "1 validation error detected: Invalid UpdateExpression: Syntax error; token: \"<EOF>\", near: \"SET\"")]
#[case("SET a.b = :ten", "The document path provided in the update expression is invalid for update")]
#[case("SET a = b", "The provided expression refers to an attribute that does not exist in the item")]
#[case("SET n = label + :ten", "An operand in the update expression has an incorrect data type")]
#[case("ADD label :ten", "An operand in the update expression has an incorrect data type")]
fn refuses_an_update(#[case] text: &str, #[case] want: &str) {
    let result = Update::parse(text, &mut placeholders(Value::Null, values())).and_then(|update| update.apply(&item()));
    assert_eq!(message(result.unwrap_err()), want);
}

proptest! {
    #[test]
    fn never_panics(text in "(SET |REMOVE |)[\\PC\\s]{0,40}|[a-z#:()\\[\\].,=<>+ 0-9é-]{0,60}") {
        let mut given = placeholders(Value::Null, values());
        let _ = Condition::parse("FilterExpression", &text, &mut given);
        let _ = Update::parse(&text, &mut given);
        let _ = Projection::parse(&text, &mut given);
    }

    #[test]
    fn deep_nesting_is_refused_and_not_a_crash(depth in 1usize..2000) {
        let text = "NOT ".repeat(depth).chars().take(4000).collect::<String>() + "a = :ten";
        let mut given = placeholders(Value::Null, values());
        let _ = Condition::parse("FilterExpression", &text, &mut given);
        let _ = Condition::parse("FilterExpression", &"(".repeat(depth.min(4000)), &mut given);
    }
}
