//! The members of each operation's request and their rules, as in AWS's service model. Members without rules are not
//! listed.

use super::shape::Shape::{Any, List, Map, Number, OneOf, Structure, TableName, Text};
use super::shape::{Member, Shape, may, needs};

const MOST: i64 = i64::MAX;
const NAME: Shape = Text(1, 255);

const TABLE: Member = needs("TableName", TableName);
const CAPACITY: Member = may("ReturnConsumedCapacity", OneOf(&["INDEXES", "TOTAL", "NONE"]));
const METRICS: Member = may("ReturnItemCollectionMetrics", OneOf(&["SIZE", "NONE"]));
const ON_FAILURE: Member = may("ReturnValuesOnConditionCheckFailure", OneOf(&["ALL_OLD", "NONE"]));
const OLD_VALUES: Member = may("ReturnValues", OneOf(&["ALL_OLD", "NONE"]));
const LIMIT: Member = may("Limit", Number(1, MOST));
const SELECT: Member =
    may("Select", OneOf(&["SPECIFIC_ATTRIBUTES", "COUNT", "ALL_ATTRIBUTES", "ALL_PROJECTED_ATTRIBUTES"]));
const BILLING_MODE: Member = may("BillingMode", OneOf(&["PROVISIONED", "PAY_PER_REQUEST"]));
const THROUGHPUT: Member = may(
    "ProvisionedThroughput",
    Structure(&[needs("ReadCapacityUnits", Number(1, MOST)), needs("WriteCapacityUnits", Number(1, MOST))]),
);
const SSE: Member = may(
    "SSESpecification",
    Structure(&[may("SSEType", OneOf(&["AES256", "KMS"])), may("KMSMasterKeyId", Text(1, 2048))]),
);
/// A tag's missing key or value has an error of its own.
const TAG: Shape = Structure(&[may("Key", Text(1, 128)), may("Value", Text(0, 256))]);
const TAGS: Shape = List(0, 200, &TAG);
const RESOURCE: Member = needs("ResourceArn", Text(1, 1283));
const ATTRIBUTE: Shape = Structure(&[needs("AttributeName", NAME), needs("AttributeType", OneOf(&["B", "N", "S"]))]);
const KEY_ELEMENT: Shape = Structure(&[needs("AttributeName", NAME), needs("KeyType", OneOf(&["HASH", "RANGE"]))]);

const KEYS: Shape = Structure(&[needs("Keys", Any)]);

/// The members of `operation`.
pub fn of(operation: &str) -> &'static [Member] {
    match operation {
        "BatchGetItem" => const { &[needs("RequestItems", Map(1, &KEYS)), CAPACITY] },
        "BatchWriteItem" => const { &[needs("RequestItems", Map(1, &Any)), CAPACITY, METRICS] },
        "CreateTable" => {
            const {
                &[
                    may("AttributeDefinitions", List(0, usize::MAX, &ATTRIBUTE)),
                    // A missing name has an error of its own.
                    may("TableName", TableName),
                    needs("KeySchema", List(1, 2, &KEY_ELEMENT)),
                    BILLING_MODE,
                    THROUGHPUT,
                    SSE,
                    may("Tags", TAGS),
                    may("TableClass", OneOf(&["STANDARD", "STANDARD_INFREQUENT_ACCESS"])),
                ]
            }
        }
        "DeleteItem" => const { &[TABLE, needs("Key", Any), OLD_VALUES, CAPACITY, METRICS, ON_FAILURE] },
        "DeleteTable" | "DescribeContinuousBackups" | "DescribeTable" | "DescribeTimeToLive" => const { &[TABLE] },
        "GetItem" => const { &[TABLE, needs("Key", Any), CAPACITY] },
        "ListTables" => const { &[may("ExclusiveStartTableName", TableName), may("Limit", Number(1, 100))] },
        "ListTagsOfResource" => const { &[RESOURCE] },
        "PutItem" => const { &[TABLE, needs("Item", Any), OLD_VALUES, CAPACITY, METRICS, ON_FAILURE] },
        "Query" => const { &[TABLE, SELECT, LIMIT, CAPACITY] },
        "Scan" => {
            const {
                &[
                    TABLE,
                    LIMIT,
                    SELECT,
                    CAPACITY,
                    may("TotalSegments", Number(1, 1_000_000)),
                    may("Segment", Number(0, 999_999)),
                ]
            }
        }
        "TagResource" => const { &[RESOURCE, needs("Tags", TAGS)] },
        "UntagResource" => const { &[RESOURCE, needs("TagKeys", List(0, 200, &Text(1, 128)))] },
        "UpdateItem" => {
            const {
                &[
                    TABLE,
                    needs("Key", Any),
                    may("ReturnValues", OneOf(&["ALL_NEW", "UPDATED_OLD", "ALL_OLD", "NONE", "UPDATED_NEW"])),
                    CAPACITY,
                    METRICS,
                    ON_FAILURE,
                ]
            }
        }
        "UpdateTable" => {
            const { &[may("AttributeDefinitions", List(0, usize::MAX, &ATTRIBUTE)), TABLE, BILLING_MODE, THROUGHPUT, SSE] }
        }
        _ => const { &[] },
    }
}
