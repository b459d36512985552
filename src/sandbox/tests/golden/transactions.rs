//! Calls to DynamoDB that came later, at the end of the script.

use http::Method;
use serde_json::json;

use super::Recorder;

impl Recorder {
    pub(super) fn transactions(&mut self) {
        self.dynamodb("admin", "CreateTable", json!({ "TableName": "accounts", "BillingMode": "PAY_PER_REQUEST",
            "AttributeDefinitions": [{ "AttributeName": "id", "AttributeType": "S" }], "KeySchema": [{ "AttributeName": "id", "KeyType": "HASH" }],
            "SSESpecification": { "Enabled": true, "SSEType": "KMS" } }));
        let put = |id: &str| json!({ "Put": { "TableName": "accounts", "Item": { "id": { "S": id } } } });
        let check = json!({ "ConditionCheck": { "TableName": "accounts", "Key": { "id": { "S": "c" } }, "ConditionExpression": "attribute_exists(id)" } });
        self.dynamodb("admin", "TransactWriteItems", json!({ "TransactItems": [put("a"), put("b")], "ClientRequestToken": "1", "ReturnConsumedCapacity": "TOTAL" }));
        self.dynamodb("admin", "TransactWriteItems", json!({ "TransactItems": [put("a"), put("b")], "ClientRequestToken": "1", "ReturnConsumedCapacity": "TOTAL" }));
        self.dynamodb("admin", "TransactWriteItems", json!({ "TransactItems": [put("c")], "ClientRequestToken": "1" }));
        self.dynamodb("admin", "TransactWriteItems", json!({ "TransactItems": [put("d"), check] }));
        self.dynamodb("carol", "TransactWriteItems", json!({ "TransactItems": [put("d")] }));
        let get = |id: &str| json!({ "Get": { "TableName": "accounts", "Key": { "id": { "S": id } } } });
        self.dynamodb("admin", "TransactGetItems", json!({ "TransactItems": [get("a"), get("d")] }));
        self.dynamodb("carol", "TransactGetItems", json!({ "TransactItems": [get("a")] }));
        for who in ["admin", "carol"] {
            self.dynamodb(who, "UpdateTimeToLive", json!({ "TableName": "accounts", "TimeToLiveSpecification": { "Enabled": true, "AttributeName": "t" } }));
            self.dynamodb(who, "UpdateContinuousBackups", json!({ "TableName": "accounts", "PointInTimeRecoverySpecification": { "PointInTimeRecoveryEnabled": true } }));
            self.dynamodb(who, "DescribeLimits", json!({}));
            self.dynamodb(who, "DescribeEndpoints", json!({}));
        }
        self.page(Method::POST, "/_kmslab/advance?seconds=300");
        self.dynamodb("admin", "DescribeTimeToLive", json!({ "TableName": "accounts" }));
        let equals = |value: &str| json!({ "ComparisonOperator": "EQ", "AttributeValueList": [{ "S": value }] });
        self.dynamodb("admin", "Query", json!({ "TableName": "accounts", "KeyConditions": { "id": equals("a") } }));
        self.dynamodb("admin", "UpdateItem", json!({ "TableName": "accounts", "Key": { "id": { "S": "a" } }, "AttributeUpdates": { "n": { "Action": "ADD", "Value": { "N": "1" } } }, "Expected": { "n": { "Exists": false } } }));
        self.dynamodb(
            "admin",
            "Scan",
            json!({ "TableName": "accounts", "ScanFilter": { "id": equals("a") }, "ProjectionExpression": "id" }),
        );
        self.dynamodb("carol", "Scan", json!({ "TableName": "accounts", "ScanFilter": { "id": equals("a") } }));
    }
}
