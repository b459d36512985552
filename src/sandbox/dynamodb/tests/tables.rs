use rstest::rstest;
use serde_json::{Value, json};

use super::lab::{ACCOUNT, Lab, create, customer};
use crate::sandbox::Config;

#[test]
fn a_table_is_creating_and_then_active() {
    let mut lab = Lab::new();
    let made = lab.table("music", Value::Null)["TableDescription"].clone();
    assert_eq!(made["TableStatus"], "CREATING");
    assert_eq!(made["TableArn"], format!("arn:aws:dynamodb:us-east-1:{ACCOUNT}:table/music"));
    assert_eq!(made["BillingModeSummary"]["BillingMode"], "PAY_PER_REQUEST");
    assert!(made.get("SSEDescription").is_none());
    let table = lab.ok("DescribeTable", json!({"TableName": "music"}))["Table"].clone();
    assert_eq!((&table["TableStatus"], &table["ItemCount"]), (&json!("ACTIVE"), &json!(0)));
    lab.ok("PutItem", json!({"TableName": "music", "Item": {"id": {"S": "a"}}}));
    let by_arn = lab.ok("DescribeTable", json!({"TableName": table["TableArn"]}));
    assert_eq!(by_arn["Table"]["ItemCount"], 1);
    assert_eq!(
        lab.fails("CreateTable", create("music", Value::Null)),
        ("ResourceInUseException".into(), "Table already exists: music".into())
    );
}

#[rstest]
#[case(json!({"TableName": "t"}), "1 validation error detected: Value 't' at 'tableName' failed to satisfy constraint: Member must have length greater than or equal to 3")]
#[case(json!({"TableName": "a b c"}), "1 validation error detected: Value 'a b c' at 'tableName' failed to satisfy constraint: Member must satisfy regular expression pattern: [a-zA-Z0-9_.-]+")]
#[case(json!({"KeySchema": [{"AttributeName": "x", "KeyType": "HASH"}]}), "One or more parameter values were invalid: Some index key attributes are not defined in AttributeDefinitions. Keys: [x], AttributeDefinitions: [id]")]
#[case(json!({"KeySchema": [{"AttributeName": "id", "KeyType": "RANGE"}]}), "Invalid KeySchema: The first KeySchemaElement is not a HASH key type")]
#[case(json!({"KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}, {"AttributeName": "id", "KeyType": "RANGE"}]}), "Invalid KeySchema: Some index key attribute have no definition")]
#[case(json!({"AttributeDefinitions": [{"AttributeName": "id", "AttributeType": "S"}, {"AttributeName": "y", "AttributeType": "S"}]}), "One or more parameter values were invalid: Number of attributes in KeySchema does not exactly match number of attributes defined in AttributeDefinitions")]
#[case(json!({"BillingMode": "PROVISIONED"}), "One or more parameter values were invalid: ReadCapacityUnits and WriteCapacityUnits must both be specified when BillingMode is PROVISIONED")]
#[case(json!({"StreamSpecification": {"StreamEnabled": true}}), "The kmslab sandbox does not support StreamSpecification")]
#[case(json!({"SSESpecification": {"Enabled": true, "KMSMasterKeyId": "alias/x"}}), "One or more parameter values were invalid: SSEType KMS is required if KMSMasterKeyId is specified")]
#[case(json!({"AttributeDefinitions": [{"AttributeName": "id", "AttributeType": "S"}, {"AttributeName": "y", "AttributeType": "M"}]}), "1 validation error detected: Value 'M' at 'attributeDefinitions.2.member.attributeType' failed to satisfy constraint: Member must satisfy enum value set: [B, N, S]")]
fn refuses_to_create(#[case] changes: Value, #[case] want: &str) {
    let mut lab = Lab::new();
    let mut input = create("music", Value::Null);
    for (name, value) in changes.as_object().unwrap() {
        input[name] = value.clone();
    }
    assert_eq!(lab.fails("CreateTable", input), ("ValidationException".into(), want.into()));
    assert_eq!(lab.ok("ListTables", json!({})), json!({"TableNames": []}));
}

/// What facts on AWS's answers say about a request with several faults, and about members of members.
#[rstest]
#[case::billing_mode("CreateTable", json!({"BillingMode": ""}), "1 validation error detected: Value '' at 'billingMode' failed to satisfy constraint: Member must satisfy enum value set: [PROVISIONED, PAY_PER_REQUEST]")]
#[case::key_schema("CreateTable", json!({"KeySchema": []}), "1 validation error detected: Value '[]' at 'keySchema' failed to satisfy constraint: Member must have length greater than or equal to 1")]
#[case::no_key_schema("CreateTable", json!({"KeySchema": null}), "1 validation error detected: Value null at 'keySchema' failed to satisfy constraint: Member must not be null")]
#[case::key_type("CreateTable", json!({"KeySchema": [{"AttributeName": "id", "KeyType": "X"}]}), "1 validation error detected: Value 'X' at 'keySchema.1.member.keyType' failed to satisfy constraint: Member must satisfy enum value set: [HASH, RANGE]")]
#[case::empty_key_id("CreateTable", json!({"SSESpecification": {"Enabled": true, "SSEType": "KMS", "KMSMasterKeyId": ""}}), "1 validation error detected: Value '' at 'sSESpecification.kMSMasterKeyId' failed to satisfy constraint: Member must have length greater than or equal to 1")]
#[case::sse_type("CreateTable", json!({"SSESpecification": {"SSEType": "X"}}), "1 validation error detected: Value 'X' at 'sSESpecification.sSEType' failed to satisfy constraint: Member must satisfy enum value set: [AES256, KMS]")]
#[case::throughput("CreateTable", json!({"ProvisionedThroughput": {"ReadCapacityUnits": 0}}), "2 validation errors detected: Value '0' at 'provisionedThroughput.readCapacityUnits' failed to satisfy constraint: Member must have value greater than or equal to 1; Value null at 'provisionedThroughput.writeCapacityUnits' failed to satisfy constraint: Member must not be null")]
#[case::several("CreateTable", json!({"KeySchema": [{"KeyType": "HASH"}], "BillingMode": "FREE", "SSESpecification": {"SSEType": "X"}}), "3 validation errors detected: Value null at 'keySchema.1.member.attributeName' failed to satisfy constraint: Member must not be null; Value 'FREE' at 'billingMode' failed to satisfy constraint: Member must satisfy enum value set: [PROVISIONED, PAY_PER_REQUEST]; Value 'X' at 'sSESpecification.sSEType' failed to satisfy constraint: Member must satisfy enum value set: [AES256, KMS]")]
#[case::no_tag("CreateTable", json!({"Tags": [{}]}), "The Tag Key provided is invalid, Key: null")]
#[case::no_tag_value("CreateTable", json!({"Tags": [{"Key": "a"}]}), "The Tag Value provided is invalid, Value: null")]
#[case::no_tag_keys("UntagResource", json!({"ResourceArn": "arn:aws:dynamodb:us-east-1:111122223333:table/known", "TagKeys": []}), "Atleast one Tag Key needs to be provided as Input.")]
#[case::limit("ListTables", json!({"Limit": 0}), "1 validation error detected: Value '0' at 'limit' failed to satisfy constraint: Member must have value greater than or equal to 1")]
#[case::two_nulls("PutItem", json!({"TableName": null}), "2 validation errors detected: Value null at 'tableName' failed to satisfy constraint: Member must not be null; Value null at 'item' failed to satisfy constraint: Member must not be null")]
#[case::nested_tag("TagResource", json!({"ResourceArn": "arn:aws:dynamodb:us-east-1:111122223333:table/known", "Tags": [{"Key": "a", "Value": "b"}, {"Key": "", "Value": "b"}]}), "1 validation error detected: Value '' at 'tags.2.member.key' failed to satisfy constraint: Member must have length greater than or equal to 1")]
fn every_violation_is_reported_with_its_path(#[case] operation: &str, #[case] changes: Value, #[case] want: &str) {
    let mut lab = Lab::new();
    lab.table("known", Value::Null);
    let mut input = if operation == "CreateTable" { create("music", Value::Null) } else { json!({}) };
    for (name, value) in changes.as_object().unwrap() {
        input[name] = value.clone();
    }
    assert_eq!(lab.fails(operation, input), ("ValidationException".into(), want.into()));
}

#[test]
fn an_error_has_an_end_however_many_violations_there_are() {
    let many: Vec<Value> = (0..5000).map(|_| json!({"AttributeName": "a", "AttributeType": "X"})).collect();
    let mut input = create("music", Value::Null);
    input["AttributeDefinitions"] = many.into();
    let (_, message) = Lab::new().fails("CreateTable", input);
    assert!(message.starts_with("10 validation errors detected: ") && message.len() < 3000, "{}", message.len());
}

#[rstest]
#[case("Scan", json!({}))]
#[case("GetItem", json!({"Key": {"id": {"S": "a"}}}))]
#[case("DescribeTable", json!({}))]
#[case("DeleteTable", json!({}))]
#[case("UpdateTable", json!({"DeletionProtectionEnabled": true}))]
fn another_accounts_table_is_denied(#[case] operation: &str, #[case] mut input: Value) {
    let arn = "arn:aws:dynamodb:us-east-1:444455556666:table/music";
    input["TableName"] = json!(arn);
    let want = format!(
        "User: arn:aws:iam::{ACCOUNT}:user/kmslab-admin is not authorized to perform: dynamodb:{operation} on resource: \
         {arn} because no resource-based policy allows the dynamodb:{operation} action"
    );
    assert_eq!(Lab::new().fails(operation, input), ("AccessDeniedException".to_owned(), want));
}

/// Above all `SSESpecification`: what can't be read must not pass for "no encryption under a KMS key was asked for".
#[rstest]
fn a_structure_that_is_none_makes_no_table(
    #[values("SSESpecification", "ProvisionedThroughput", "StreamSpecification")] member: &str,
    #[values(json!("KMS"), json!(true), json!([]))] given: Value,
) {
    let mut lab = Lab::new();
    let mut input = create("music", Value::Null);
    input[member] = given;
    let message = format!("{member} can not be converted to Structure");
    assert_eq!(lab.fails("CreateTable", input), ("SerializationException".to_owned(), message));
    assert_eq!(lab.ok("ListTables", json!({})), json!({"TableNames": []}));
}

#[test]
fn lists_in_pages() {
    let mut lab = Lab::new();
    for name in ["delta", "alpha", "charlie", "bravo"] {
        lab.table(name, Value::Null);
    }
    let first = lab.ok("ListTables", json!({"Limit": 3}));
    assert_eq!(first, json!({"TableNames": ["alpha", "bravo", "charlie"], "LastEvaluatedTableName": "charlie"}));
    let rest = lab.ok("ListTables", json!({"Limit": 3, "ExclusiveStartTableName": "charlie"}));
    assert_eq!(rest, json!({"TableNames": ["delta"]}));
}

#[test]
fn every_operation_knows_a_missing_table() {
    let mut lab = Lab::new();
    let named =
        ("ResourceNotFoundException".to_owned(), "Requested resource not found: Table: nope not found".to_owned());
    for operation in ["DescribeTable", "DeleteTable", "DescribeTimeToLive", "DescribeContinuousBackups"] {
        assert_eq!(lab.fails(operation, json!({"TableName": "nope"})), named);
    }
    let bare = ("ResourceNotFoundException".to_owned(), "Requested resource not found".to_owned());
    let key = json!({"TableName": "nope", "Key": {"id": {"S": "a"}}});
    assert_eq!(lab.fails("GetItem", key.clone()), bare);
    assert_eq!(lab.fails("DeleteItem", key.clone()), bare);
    assert_eq!(lab.fails("UpdateItem", key), bare);
    assert_eq!(lab.fails("PutItem", json!({"TableName": "nope", "Item": {"id": {"S": "a"}}})), bare);
    assert_eq!(lab.fails("Scan", json!({"TableName": "nope"})), bare);
    // The name of another region's table is not the name of ours.
    lab.table("music", Value::Null);
    let arn = format!("arn:aws:dynamodb:eu-west-1:{ACCOUNT}:table/music");
    assert_eq!(lab.fails("Scan", json!({"TableName": arn})), bare);
}

#[test]
fn without_permission_nobody_learns_what_exists() {
    let mut lab = Lab::new();
    lab.table("music", Value::Null);
    let user = lab.user("nobody", &["kms:*"]);
    for name in ["music", "nope"] {
        let (code, message) = lab.fails_as(&user, "Scan", json!({"TableName": name}));
        assert_eq!(code, "AccessDeniedException");
        assert_eq!(
            message,
            format!(
                "User: arn:aws:iam::{ACCOUNT}:user/nobody is not authorized to perform: dynamodb:Scan on resource: \
                 arn:aws:dynamodb:us-east-1:{ACCOUNT}:table/{name} because no identity-based policy allows the \
                 dynamodb:Scan action"
            )
        );
    }
}

#[test]
fn deletion_protection_holds_until_it_is_taken_off() {
    let mut lab = Lab::new();
    let mut input = create("music", Value::Null);
    input["DeletionProtectionEnabled"] = json!(true);
    lab.ok("CreateTable", input);
    let (code, message) = lab.fails("DeleteTable", json!({"TableName": "music"}));
    assert_eq!(code, "ValidationException");
    assert!(message.contains("protected against deletion"), "{message}");
    lab.ok("UpdateTable", json!({"TableName": "music", "DeletionProtectionEnabled": false}));
    let gone = lab.ok("DeleteTable", json!({"TableName": "music"}));
    assert_eq!(gone["TableDescription"]["TableStatus"], "DELETING");
    assert_eq!(lab.ok("ListTables", json!({})), json!({"TableNames": []}));
}

#[test]
fn a_new_table_of_an_old_name_is_empty() {
    let mut lab = Lab::new();
    lab.table("music", Value::Null);
    lab.ok("PutItem", json!({"TableName": "music", "Item": {"id": {"S": "a"}}}));
    lab.ok("DeleteTable", json!({"TableName": "music"}));
    lab.table("music", Value::Null);
    assert_eq!(lab.ok("Scan", json!({"TableName": "music"}))["Count"], 0);
}

#[test]
fn tags() {
    let mut lab = Lab::new();
    let mut input = create("music", Value::Null);
    input["Tags"] = json!([{"Key": "lab", "Value": "1"}]);
    let arn = lab.ok("CreateTable", input)["TableDescription"]["TableArn"].clone();
    lab.ok(
        "TagResource",
        json!({"ResourceArn": arn, "Tags": [{"Key": "run", "Value": "x"}, {"Key": "lab", "Value": "2"}]}),
    );
    assert_eq!(
        lab.ok("ListTagsOfResource", json!({"ResourceArn": arn})),
        json!({"Tags": [{"Key": "lab", "Value": "2"}, {"Key": "run", "Value": "x"}]})
    );
    lab.ok("UntagResource", json!({"ResourceArn": arn, "TagKeys": ["lab", "other"]}));
    assert_eq!(
        lab.ok("ListTagsOfResource", json!({"ResourceArn": arn})),
        json!({"Tags": [{"Key": "run", "Value": "x"}]})
    );
}

#[test]
fn billing_changes() {
    let mut lab = Lab::new();
    lab.table("music", Value::Null);
    let throughput = json!({"ReadCapacityUnits": 5, "WriteCapacityUnits": 2});
    let change = json!({"TableName": "music", "BillingMode": "PROVISIONED", "ProvisionedThroughput": throughput});
    lab.ok("UpdateTable", change);
    let table = lab.ok("DescribeTable", json!({"TableName": "music"}))["Table"].clone();
    assert_eq!(table["ProvisionedThroughput"]["ReadCapacityUnits"], 5);
    assert!(table.get("BillingModeSummary").is_none());
    let (_, message) = lab.fails("UpdateTable", json!({"TableName": "music", "ProvisionedThroughput": throughput}));
    assert!(message.starts_with("The provisioned throughput for the table will not change."), "{message}");
    lab.wait(60);
    let now = lab.engine.account.state.clock.epoch_seconds();
    lab.ok("UpdateTable", json!({"TableName": "music", "BillingMode": "PAY_PER_REQUEST"}));
    let table = lab.ok("DescribeTable", json!({"TableName": "music"}))["Table"].clone();
    assert_eq!(table["BillingModeSummary"]["LastUpdateToPayPerRequestDateTime"], now);
}

#[test]
fn tables_items_and_keys_survive_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let config = Config { data: Some(folder.path().join("data")), ..Config::default() };
    let mut lab = Lab::open(&config);
    let key = lab.key();
    for (name, sse) in [("own", Value::Null), ("customer", customer(&key)), ("managed", json!({"Enabled": true}))] {
        lab.table(name, sse);
        lab.ok("PutItem", json!({"TableName": name, "Item": {"id": {"S": "a"}, "n": {"N": "1"}}}));
    }
    drop(lab);
    let mut lab = Lab::open(&config);
    for name in ["own", "customer", "managed"] {
        assert_eq!(lab.ok("Scan", json!({"TableName": name}))["Items"], json!([{"id": {"S": "a"}, "n": {"N": "1"}}]));
    }
}

#[test]
fn refuses_what_it_does_not_know() {
    let mut lab = Lab::new();
    for operation in [
        "BatchExecuteStatement",
        "CreateGlobalTable",
        "DescribeKinesisStreamingDestination",
        "ExecuteStatement",
        "ExecuteTransaction",
        "ExportTableToPointInTime",
        "ImportTable",
    ] {
        let missing = format!("The sandbox does not implement dynamodb:{operation}.");
        assert_eq!(lab.fails(operation, json!({})), ("UnknownOperationException".to_owned(), missing));
    }
    assert_eq!(lab.fails("TransactWriteItem", json!({})).0, "UnknownOperationException");
}
