use rstest::rstest;
use serde_json::{Value, json};

use crate::sandbox::cloudtrail::identity;
use crate::sandbox::context::Caller;
use crate::sandbox::engine::Engine;
use crate::sandbox::error::Fault;
use crate::sandbox::log::UserIdentity;
use crate::sandbox::service::Service;
use crate::sandbox::tests::{ACCOUNT, code_and_message};
use crate::sandbox::{Config, tests};

struct Lab {
    engine: Engine,
    admin: Caller,
}

impl Lab {
    fn new() -> Self {
        let (engine, admin) = tests::open(&Config { seed: Some(7), ..Config::default() });
        Self { engine, admin }
    }

    fn kms(&mut self, operation: &str, input: Value) -> Value {
        tests::kms(&mut self.engine, &self.admin.clone(), operation, &input).unwrap()
    }

    fn look(&mut self, input: Value) -> Result<Value, Fault> {
        tests::cloudtrail(&mut self.engine, &self.admin.clone(), "LookupEvents", &input)
    }

    /// The ids of the events found, newest first, and the next token.
    fn ids(&mut self, input: Value) -> (Vec<String>, Option<String>) {
        let answer = self.look(input).unwrap();
        let ids = answer["Events"].as_array().unwrap().iter().map(|event| text(&event["EventId"])).collect();
        (ids, answer.get("NextToken").map(text))
    }

    fn named(&mut self, key: &str, value: &str) -> Vec<Value> {
        let answer = self.look(json!({ "LookupAttributes": [{ "AttributeKey": key, "AttributeValue": value }] }));
        answer.unwrap()["Events"].as_array().unwrap().clone()
    }

    fn fails(&mut self, input: Value) -> (String, String) {
        code_and_message(Service::CloudTrail, &self.look(input).unwrap_err())
    }
}

fn text(value: &Value) -> String {
    value.as_str().unwrap().to_owned()
}

/// A table with a customer managed key, and a user without permission for the key who scans it.
fn denied_scan(lab: &mut Lab) -> (String, Caller) {
    let key = text(&lab.kms("CreateKey", json!({}))["KeyMetadata"]["Arn"]);
    let create = json!({
        "TableName": "items",
        "AttributeDefinitions": [{ "AttributeName": "id", "AttributeType": "S" }],
        "KeySchema": [{ "AttributeName": "id", "KeyType": "HASH" }],
        "BillingMode": "PAY_PER_REQUEST",
        "SSESpecification": { "Enabled": true, "SSEType": "KMS", "KMSMasterKeyId": key },
    });
    let admin = lab.admin.clone();
    tests::dynamodb(&mut lab.engine, &admin, "CreateTable", &create).unwrap();
    let policy = json!({
        "Version": "2012-10-17",
        "Statement": [{ "Effect": "Allow", "Action": "dynamodb:*", "Resource": "*" }],
    });
    let alice = tests::user(&mut lab.engine, &admin, "alice", Some(&policy));
    tests::dynamodb(&mut lab.engine, &alice, "Scan", &json!({ "TableName": "items" })).unwrap_err();
    (key, alice)
}

#[test]
fn a_denied_scan_shows_its_decrypt() {
    let mut lab = Lab::new();
    let (key, alice) = denied_scan(&mut lab);
    let events = lab.named("EventName", "Decrypt");
    assert_eq!(events.len(), 1);
    let event = &events[0];
    assert_eq!((text(&event["Username"]), text(&event["ReadOnly"])), ("alice".to_owned(), "true".to_owned()));
    assert_eq!(event["Resources"], json!([{ "ResourceType": "AWS::KMS::Key", "ResourceName": key }]));
    assert_eq!((&event["EventSource"], &event["AccessKeyId"]), (&json!("kms.amazonaws.com"), &json!("AKIATEST")));
    let record: Value = serde_json::from_str(event["CloudTrailEvent"].as_str().unwrap()).unwrap();
    assert_eq!(
        record["userIdentity"],
        json!({
            "type": "IAMUser",
            "principalId": alice.principal.unique_id,
            "arn": alice.principal.arn,
            "accountId": ACCOUNT,
            "accessKeyId": "AKIATEST",
            "userName": "alice",
            "invokedBy": "dynamodb.amazonaws.com",
        })
    );
    assert_eq!(record["sourceIPAddress"], "dynamodb.amazonaws.com");
    assert_eq!(record["errorCode"], "AccessDenied");
    let message = text(&record["errorMessage"]);
    assert!(message.starts_with(&format!("User: {} is not authorized to perform: kms:Decrypt", alice.principal.arn)));
    let context = json!({ "aws:dynamodb:tableName": "items", "aws:dynamodb:subscriberId": ACCOUNT });
    assert_eq!(record["requestParameters"]["encryptionContext"], context);
    assert_eq!(record["resources"], json!([{ "ARN": key, "type": "AWS::KMS::Key", "accountId": ACCOUNT }]));
    assert_eq!((&record["responseElements"], &record["readOnly"]), (&Value::Null, &json!(true)));
    assert_eq!((&record["eventID"], &record["recipientAccountId"]), (&event["EventId"], &json!(ACCOUNT)));
}

#[test]
fn a_session_shows_whose_it_is() {
    let context = json!({ "attributes": { "creationDate": "2026-01-01T00:00:00Z", "mfaAuthenticated": "false" } });
    let who = UserIdentity {
        kind: "AssumedRole".to_owned(),
        access_key_id: Some("ASIATEST".to_owned()),
        session_context: Some(context.clone()),
        ..UserIdentity::default()
    };
    let expected = json!({ "type": "AssumedRole", "accessKeyId": "ASIATEST", "sessionContext": context });
    assert_eq!(identity(&who), expected);
}

#[test]
fn every_attribute_selects() {
    let mut lab = Lab::new();
    let (key, _) = denied_scan(&mut lab);
    let id = text(&lab.named("EventName", "CreateKey")[0]["EventId"]);
    for (attribute, value, other) in [
        ("EventId", id.as_str(), "0"),
        ("EventName", "CreateKey", "createkey"),
        ("ReadOnly", "false", "no"),
        ("Username", "kmslab-admin", "bob"),
        ("ResourceType", "AWS::KMS::Key", "AWS::S3::Bucket"),
        ("ResourceName", key.as_str(), "key"),
        ("EventSource", "kms.amazonaws.com", "s3.amazonaws.com"),
        ("AccessKeyId", "AKIATEST", "AKIAOTHER"),
    ] {
        let found = lab.named(attribute, value);
        assert!(found.iter().any(|event| event["EventId"] == id), "{attribute}");
        assert!(lab.named(attribute, other).is_empty(), "{attribute}");
    }
    assert!(lab.named("EventName", "RetireGrant").is_empty());
}

#[test]
fn pages_lose_and_repeat_no_event() {
    let mut lab = Lab::new();
    (0..7).for_each(|_| drop(lab.kms("ListKeys", json!({}))));
    let (all, none) = lab.ids(json!({}));
    assert_eq!((all.len(), none), (7, None));
    let (mut found, token) = lab.ids(json!({ "MaxResults": 3 }));
    let mut next = token;
    // Newer events don't move the pages.
    lab.kms("ListKeys", json!({}));
    while let Some(token) = next {
        let (more, then) = lab.ids(json!({ "MaxResults": 3, "NextToken": token }));
        found.extend(more);
        next = then;
    }
    assert_eq!(found, all);
    (0..60).for_each(|_| drop(lab.kms("ListKeys", json!({}))));
    assert_eq!(lab.ids(json!({})).0.len(), 50);
}

#[test]
fn times_bound_the_search() {
    let mut lab = Lab::new();
    for _ in 0..3 {
        lab.kms("CreateKey", json!({}));
    }
    let start = 1_767_225_600.0;
    assert_eq!(lab.ids(json!({})).0.len(), 3);
    assert_eq!(lab.ids(json!({ "StartTime": start + 1.0 })).0.len(), 2);
    assert_eq!(lab.ids(json!({ "EndTime": start })).0.len(), 1);
    assert_eq!(lab.ids(json!({ "StartTime": start + 1.0, "EndTime": start + 1.5 })).0.len(), 1);
    lab.engine.account.state.clock.advance(std::time::Duration::from_secs(91 * 86_400));
    assert!(lab.ids(json!({ "StartTime": 0 })).0.is_empty(), "older than 90 days");
}

#[rstest]
#[case::few(json!({ "MaxResults": 0 }), "ValidationException", "Value '0' at 'maxResults' failed to satisfy constraint: Member must have value greater than or equal to 1")]
#[case::many(json!({ "MaxResults": 51 }), "ValidationException", "Value '51' at 'maxResults' failed to satisfy constraint: Member must have value less than or equal to 50")]
#[case::key(json!({ "LookupAttributes": [{ "AttributeKey": "Verdict", "AttributeValue": "x" }] }), "ValidationException", "Value 'Verdict' at 'lookupAttributes.1.member.attributeKey' failed to satisfy constraint: Member must satisfy enum value set: [EventId, ")]
#[case::nothing(json!({ "LookupAttributes": [{}] }), "ValidationException", "2 validation errors detected: ")]
#[case::two(json!({ "LookupAttributes": [{ "AttributeKey": "EventName", "AttributeValue": "x" }, { "AttributeKey": "Username", "AttributeValue": "x" }] }), "InvalidLookupAttributesException", "")]
#[case::order(json!({ "StartTime": 2, "EndTime": 1 }), "InvalidTimeRangeException", "")]
#[case::category(json!({ "EventCategory": "data" }), "ValidationException", "'eventCategory'")]
#[case::token(json!({ "NextToken": "x" }), "InvalidNextTokenException", "")]
#[case::no_time(json!({ "StartTime": "yesterday" }), "SerializationException", "Timestamp")]
fn questions_that_are_refused(#[case] input: Value, #[case] code: &str, #[case] part: &str) {
    let (found, message) = Lab::new().fails(input);
    assert!(found == code && message.contains(part), "{found}: {message}");
}

#[test]
fn a_token_counts_for_its_question_only() {
    let mut lab = Lab::new();
    (0..3).for_each(|_| drop(lab.kms("ListKeys", json!({}))));
    let token = lab.ids(json!({ "MaxResults": 1 })).1.unwrap();
    let other = [{ json!({ "AttributeKey": "EventName", "AttributeValue": "ListKeys" }) }];
    let found = lab.fails(json!({ "LookupAttributes": other, "NextToken": token }));
    assert_eq!(found.0, "InvalidNextTokenException");
}

#[test]
fn looking_needs_a_permission() {
    let mut lab = Lab::new();
    let admin = lab.admin.clone();
    let alice = tests::user(&mut lab.engine, &admin, "alice", None);
    let denied = tests::cloudtrail(&mut lab.engine, &alice, "LookupEvents", &json!({})).unwrap_err();
    let (code, message) = code_and_message(Service::CloudTrail, &denied);
    assert_eq!(code, "AccessDeniedException");
    assert!(
        message.ends_with("because no identity-based policy allows the cloudtrail:LookupEvents action"),
        "{message}"
    );
}

#[test]
fn insights_are_empty() {
    let mut lab = Lab::new();
    lab.kms("ListKeys", json!({}));
    assert_eq!(lab.look(json!({ "EventCategory": "insight" })).unwrap(), json!({ "Events": [] }));
}

#[test]
fn events_hold_no_secret() {
    let mut lab = Lab::new();
    let id = text(&lab.kms("CreateKey", json!({}))["KeyMetadata"]["KeyId"]);
    let blob = lab.kms("Encrypt", json!({ "KeyId": id, "Plaintext": "c2VjcmV0IHRleHQ=" }))["CiphertextBlob"].clone();
    lab.kms("Decrypt", json!({ "CiphertextBlob": blob }));
    let key = lab.kms("GenerateDataKey", json!({ "KeyId": id, "KeySpec": "AES_256" }))["Plaintext"].clone();
    let arn = lab.admin.principal.arn.clone();
    let input = json!({ "KeyId": id, "GranteePrincipal": arn, "Operations": ["Decrypt"] });
    let token = lab.kms("CreateGrant", input)["GrantToken"].clone();
    let found = lab.look(json!({})).unwrap().to_string();
    for secret in ["c2VjcmV0IHRleHQ=".to_owned(), text(&key), text(&token), text(&blob)] {
        assert!(!found.contains(&secret));
    }
}
