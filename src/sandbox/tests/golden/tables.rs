//! The calls about tables and items.

use http::Method;
use serde_json::{Value, json};

use super::Recorder;
use super::script::NO_KEY;

impl Recorder {
    pub(super) fn tables(&mut self, key: &str) -> String {
        let table = |name: &str, more: Value| {
            let mut input = json!({
                "TableName": name,
                "AttributeDefinitions": [{ "AttributeName": "id", "AttributeType": "S" }, { "AttributeName": "at", "AttributeType": "N" }],
                "KeySchema": [{ "AttributeName": "id", "KeyType": "HASH" }, { "AttributeName": "at", "KeyType": "RANGE" }],
                "BillingMode": "PAY_PER_REQUEST",
            });
            for (name, value) in more.as_object().unwrap() {
                input[name] = value.clone();
            }
            input
        };
        for (name, wrong) in [
            ("t", json!({})),
            ("a b", json!({})),
            ("golden", json!({ "TableName": null })),
            ("golden", json!({ "TableName": 7 })),
            ("golden", json!({ "KeySchema": null, "BillingMode": "FREE", "SSESpecification": { "SSEType": "X" } })),
            ("golden", json!({ "KeySchema": [] })),
            ("golden", json!({ "KeySchema": [{ "AttributeName": "id" }, { "KeyType": "SORT" }] })),
            ("golden", json!({ "KeySchema": [{ "AttributeName": "id", "KeyType": "RANGE" }] })),
            ("golden", json!({ "KeySchema": [{ "AttributeName": "no", "KeyType": "HASH" }] })),
            ("golden", json!({ "KeySchema": [{ "AttributeName": "id", "KeyType": "HASH" }] })),
            ("golden", json!({ "BillingMode": "PROVISIONED" })),
            ("golden", json!({ "ProvisionedThroughput": { "ReadCapacityUnits": 0 } })),
            ("golden", json!({ "ProvisionedThroughput": { "ReadCapacityUnits": 1, "WriteCapacityUnits": 1 } })),
            ("golden", json!({ "SSESpecification": { "Enabled": true, "KMSMasterKeyId": "k" } })),
            ("golden", json!({ "SSESpecification": { "Enabled": true, "SSEType": "KMS", "KMSMasterKeyId": NO_KEY } })),
            ("golden", json!({ "Tags": [{ "Key": "a" }] })),
            ("golden", json!({ "StreamSpecification": { "StreamEnabled": true } })),
            ("golden", json!({ "GlobalSecondaryIndexes": [{}] })),
            ("golden", json!({ "TableClass": "STANDARD_INFREQUENT_ACCESS" })),
        ] {
            self.dynamodb("admin", "CreateTable", table(name, wrong));
        }
        let sse = json!({ "Enabled": true, "SSEType": "KMS", "KMSMasterKeyId": "alias/main" });
        let encrypted = json!({ "SSESpecification": sse, "Tags": [{ "Key": "a", "Value": "b" }] });
        self.dynamodb("carol", "CreateTable", table("golden", encrypted.clone()));
        self.dynamodb("alice", "CreateTable", table("golden", encrypted.clone()));
        self.dynamodb("admin", "CreateTable", table("golden", encrypted.clone()));
        self.dynamodb("admin", "CreateTable", table("golden", encrypted));
        self.dynamodb(
            "admin",
            "CreateTable",
            table(
                "plain",
                json!({ "BillingMode": "PROVISIONED",
            "ProvisionedThroughput": { "ReadCapacityUnits": 1, "WriteCapacityUnits": 1 } }),
            ),
        );
        self.dynamodb("admin", "CreateTable", table("managed", json!({ "SSESpecification": { "Enabled": true } })));
        for name in ["golden", "plain", "managed", "none", ""] {
            self.dynamodb("admin", "DescribeTable", json!({ "TableName": name }));
        }
        self.dynamodb(
            "admin",
            "DescribeTable",
            json!({ "TableName": "arn:aws:dynamodb:us-east-1:999999999999:table/golden" }),
        );
        self.dynamodb("admin", "DescribeTable", json!({ "TableName": "arn:nonsense" }));
        self.dynamodb("carol", "DescribeTable", json!({ "TableName": "golden" }));
        self.dynamodb("admin", "ListTables", json!({ "Limit": 1 }));
        self.dynamodb("admin", "ListTables", json!({ "Limit": 0 }));
        self.dynamodb("admin", "ListTables", json!({ "ExclusiveStartTableName": "golden" }));
        self.dynamodb("admin", "DescribeTimeToLive", json!({ "TableName": "golden" }));
        self.dynamodb("admin", "DescribeContinuousBackups", json!({ "TableName": "golden" }));
        let arn = "arn:aws:dynamodb:us-east-1:111122223333:table/golden";
        self.dynamodb("admin", "TagResource", json!({ "ResourceArn": arn, "Tags": [{ "Key": "c", "Value": "d" }] }));
        self.dynamodb("admin", "TagResource", json!({ "ResourceArn": "golden", "Tags": [] }));
        self.dynamodb("admin", "TagResource", json!({ "ResourceArn": arn }));
        self.dynamodb(
            "admin",
            "TagResource",
            json!({ "ResourceArn": arn, "Tags": [{ "Key": "aws:x", "Value": "d" }] }),
        );
        self.dynamodb("admin", "UntagResource", json!({ "ResourceArn": arn, "TagKeys": [] }));
        self.dynamodb("admin", "UntagResource", json!({ "ResourceArn": arn, "TagKeys": ["c"] }));
        self.dynamodb("admin", "ListTagsOfResource", json!({ "ResourceArn": arn }));
        self.dynamodb("admin", "ListTagsOfResource", json!({ "ResourceArn": format!("{arn}2") }));
        for input in [
            json!({ "TableName": "plain" }),
            json!({ "TableName": "plain", "BillingMode": "FREE" }),
            json!({ "TableName": "plain", "ProvisionedThroughput": { "ReadCapacityUnits": 1, "WriteCapacityUnits": 1 } }),
            json!({ "TableName": "plain", "ProvisionedThroughput": { "ReadCapacityUnits": 2, "WriteCapacityUnits": 1 } }),
            json!({ "TableName": "plain", "BillingMode": "PAY_PER_REQUEST", "DeletionProtectionEnabled": true }),
            json!({ "TableName": "plain", "BillingMode": "PROVISIONED" }),
            json!({ "TableName": "plain", "SSESpecification": { "Enabled": true, "SSEType": "KMS", "KMSMasterKeyId": key } }),
            json!({ "TableName": "plain", "SSESpecification": { "Enabled": true, "SSEType": "KMS", "KMSMasterKeyId": key } }),
            json!({ "TableName": "plain", "SSESpecification": { "Enabled": false } }),
            json!({ "TableName": "plain", "SSESpecification": { "Enabled": true } }),
            json!({ "TableName": "plain", "SSESpecification": { "Enabled": false } }),
            json!({ "TableName": "plain", "SSESpecification": { "Enabled": true } }),
            json!({ "TableName": "plain", "ReplicaUpdates": [{}] }),
            json!({ "TableName": "none", "BillingMode": "PAY_PER_REQUEST" }),
        ] {
            self.dynamodb("admin", "UpdateTable", input);
        }
        self.dynamodb("admin", "DeleteTable", json!({ "TableName": "plain" }));
        self.dynamodb("admin", "UpdateTable", json!({ "TableName": "plain", "DeletionProtectionEnabled": false }));
        self.dynamodb("bob", "DeleteTable", json!({ "TableName": "plain" }));
        "golden".to_owned()
    }

    pub(super) fn items(&mut self, table: &str) {
        for (id, at) in [("a", 1), ("a", 2), ("a", 3), ("b", 1)] {
            let item = json!({ "id": { "S": id }, "at": { "N": at.to_string() }, "n": { "N": "5" }, "l": { "L": [{ "S": "x" }] } });
            self.dynamodb(
                "admin",
                "PutItem",
                json!({ "TableName": table, "Item": item, "ReturnConsumedCapacity": "TOTAL" }),
            );
        }
        for wrong in [
            json!({ "TableName": table }),
            json!({ "Item": {} }),
            json!({ "TableName": table, "Item": {} }),
            json!({ "TableName": table, "Item": { "id": { "S": "" }, "at": { "N": "1" } } }),
            json!({ "TableName": table, "Item": { "id": { "S": 7 }, "at": { "N": "1" } } }),
            json!({ "TableName": table, "Item": { "id": { "X": "a" } } }),
            json!({ "TableName": table, "Item": { "id": { "S": "a" }, "at": { "N": "x" } } }),
            json!({ "TableName": table, "Item": { "id": { "S": "a" }, "at": { "N": "1" } }, "ReturnValues": "ALL_NEW", "ReturnConsumedCapacity": "X" }),
            json!({ "TableName": table, "Item": { "id": { "S": "a" }, "at": { "N": "1" } }, "Expected": { "n": { "Exists": true } } }),
            json!({ "TableName": table, "Item": { "id": { "S": "a" }, "at": { "N": "1" } }, "ConditionExpression": "attribute_not_exists(id)" }),
            json!({ "TableName": table, "Item": { "id": { "S": "a" }, "at": { "N": "1" } }, "ConditionExpression": "attribute_not_exists(id)", "ReturnValuesOnConditionCheckFailure": "ALL_OLD" }),
            json!({ "TableName": table, "Item": { "id": { "S": "a" }, "at": { "N": "1" } }, "ConditionExpression": "size(" }),
            json!({ "TableName": table, "Item": { "id": { "S": "a" }, "at": { "N": "1" } }, "ExpressionAttributeNames": { "#a": "b" } }),
            json!({ "TableName": "none", "Item": { "id": { "S": "a" }, "at": { "N": "1" } } }),
        ] {
            self.dynamodb("admin", "PutItem", wrong);
        }
        let key = json!({ "id": { "S": "a" }, "at": { "N": "1" } });
        self.dynamodb("admin", "PutItem", json!({ "TableName": table, "Item": key, "ReturnValues": "ALL_OLD" }));
        for input in [
            json!({ "TableName": table, "Key": key, "UpdateExpression": "SET n = :n", "ExpressionAttributeValues": { ":n": { "N": "7" } }, "ReturnValues": "ALL_NEW" }),
            json!({ "TableName": table, "Key": key, "UpdateExpression": "SET n = n + :n", "ExpressionAttributeValues": { ":n": { "N": "1" } }, "ReturnValues": "UPDATED_OLD", "ReturnConsumedCapacity": "INDEXES" }),
            json!({ "TableName": table, "Key": key, "UpdateExpression": "SET id = :n", "ExpressionAttributeValues": { ":n": { "N": "1" } } }),
            json!({ "TableName": table, "Key": key, "UpdateExpression": "FLY" }),
            json!({ "TableName": table, "Key": key, "UpdateExpression": "SET n = :x" }),
            json!({ "TableName": table, "Key": key, "UpdateExpression": "REMOVE n", "ConditionExpression": "n = :n", "ExpressionAttributeValues": { ":n": { "N": "1" } } }),
            json!({ "TableName": table, "Key": { "id": { "S": "a" } } }),
            json!({ "TableName": table }),
            json!({ "TableName": table, "Key": key, "ReturnValues": "SOME" }),
        ] {
            self.dynamodb("admin", "UpdateItem", input);
        }
        for input in [
            json!({ "TableName": table, "Key": key, "ConditionExpression": "attribute_not_exists(id)" }),
            json!({ "TableName": table, "Key": key, "ReturnValues": "ALL_OLD" }),
            json!({ "TableName": table, "Key": key, "ReturnValues": "ALL_OLD", "ReturnConsumedCapacity": "TOTAL" }),
            json!({ "TableName": table, "Key": [] }),
        ] {
            self.dynamodb("admin", "DeleteItem", input);
        }
    }

    pub(super) fn reads(&mut self, table: &str) {
        let key = json!({ "id": { "S": "a" }, "at": { "N": "2" } });
        for input in [
            json!({ "TableName": table, "Key": key }),
            json!({ "TableName": table, "Key": key, "ProjectionExpression": "l[0], #n", "ExpressionAttributeNames": { "#n": "n" }, "ConsistentRead": true, "ReturnConsumedCapacity": "TOTAL" }),
            json!({ "TableName": table, "Key": { "id": { "S": "zz" }, "at": { "N": "2" } } }),
            json!({ "TableName": table, "Key": key, "ProjectionExpression": "size" }),
            json!({ "TableName": table, "Key": key, "ConsistentRead": "yes" }),
            json!({ "TableName": table, "Key": key, "AttributesToGet": ["n"] }),
            json!({ "TableName": "none", "Key": key }),
        ] {
            self.dynamodb("admin", "GetItem", input);
        }
        let values = json!({ ":i": { "S": "a" }, ":f": { "N": "3" } });
        for input in [
            json!({ "TableName": table, "KeyConditionExpression": "id = :i AND at < :f", "ExpressionAttributeValues": values, "ScanIndexForward": false }),
            json!({ "TableName": table, "KeyConditionExpression": "id = :i", "FilterExpression": "n < :f", "ExpressionAttributeValues": values, "Limit": 1 }),
            json!({ "TableName": table, "KeyConditionExpression": "id = :i", "FilterExpression": "at < :f", "ExpressionAttributeValues": values }),
            json!({ "TableName": table, "KeyConditionExpression": "id = :i", "ExpressionAttributeValues": { ":i": { "S": "a" } }, "ExclusiveStartKey": { "id": { "S": "b" }, "at": { "N": "1" } } }),
            json!({ "TableName": table, "KeyConditionExpression": "id = :i AND at = :f", "ExpressionAttributeValues": values, "Select": "COUNT" }),
            json!({ "TableName": table }),
            json!({ "TableName": table, "KeyConditionExpression": "at = :f", "ExpressionAttributeValues": values }),
            json!({ "TableName": table, "KeyConditionExpression": "id = :i", "ExpressionAttributeValues": { ":i": { "S": "a" } }, "IndexName": "index" }),
            json!({ "TableName": table, "Select": "SPECIFIC_ATTRIBUTES", "Limit": 0 }),
        ] {
            self.dynamodb("admin", "Query", input);
        }
        for input in [
            json!({ "TableName": table, "ReturnConsumedCapacity": "TOTAL" }),
            json!({ "TableName": table, "Limit": 2 }),
            json!({ "TableName": table, "Segment": 0, "TotalSegments": 2, "Select": "COUNT" }),
            json!({ "TableName": table, "Segment": 1 }),
            json!({ "TableName": table, "Segment": 2, "TotalSegments": 2 }),
            json!({ "TableName": table, "FilterExpression": "n > :n", "ExpressionAttributeValues": { ":n": { "N": "9" } } }),
            json!({ "TableName": table, "ExclusiveStartKey": { "id": { "S": "a" } } }),
            json!({ "TableName": table, "Limit": 0, "Select": "SOME" }),
            json!({ "TableName": table, "Limit": "x" }),
            json!({ "TableName": "none" }),
        ] {
            self.dynamodb("admin", "Scan", input);
        }
        self.page(Method::GET, "/_kmslab/at-rest?table=golden");
    }

    pub(super) fn batches(&mut self, table: &str) {
        let key = |id: &str, at: &str| json!({ "id": { "S": id }, "at": { "N": at } });
        for requests in [
            json!({}),
            json!({ table: { "Keys": [] } }),
            json!({ table: { "Keys": [key("a", "2"), key("a", "2")] } }),
            json!({ table: { "Keys": [{ "id": { "S": "a" } }] } }),
            json!({ table: {} }),
            json!({ "none": { "Keys": [key("a", "2")] } }),
            json!({ table: { "Keys": [key("a", "2"), key("a", "9")], "ProjectionExpression": "n", "ConsistentRead": true }, "managed": { "Keys": [key("a", "1")] } }),
        ] {
            self.dynamodb(
                "admin",
                "BatchGetItem",
                json!({ "RequestItems": requests, "ReturnConsumedCapacity": "TOTAL" }),
            );
        }
        self.dynamodb("admin", "BatchGetItem", json!({ "RequestItems": [] }));
        for requests in [
            json!({}),
            json!({ table: [] }),
            json!({ table: {} }),
            json!({ table: [{}] }),
            json!({ table: [{ "PutRequest": { "Item": key("c", "1") } }, { "DeleteRequest": { "Key": key("c", "1") } }] }),
            json!({ table: [{ "PutRequest": { "Item": key("c", "1") } }, { "DeleteRequest": { "Key": key("b", "1") } }], "managed": [{ "PutRequest": { "Item": key("m", "1") } }] }),
        ] {
            self.dynamodb(
                "admin",
                "BatchWriteItem",
                json!({ "RequestItems": requests, "ReturnConsumedCapacity": "TOTAL" }),
            );
        }
        self.dynamodb("admin", "BatchWriteItem", json!({}));
    }
}
