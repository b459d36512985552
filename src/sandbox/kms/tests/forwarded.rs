//! DynamoDB calling for its caller, and the trail of it.

use std::collections::BTreeMap;

use rstest::rstest;
use serde_json::{Value, json};

use super::lab::*;
use crate::sandbox::context::Caller;
use crate::sandbox::kms::ciphertext::EncryptionContext;
use crate::sandbox::kms::error::KmsError;
use crate::sandbox::kms::forwarded::{self, Acting, DataKey, KmsCallFailed};
use crate::sandbox::kms::keys;
use crate::sandbox::kms::model::KeyState;
use crate::sandbox::tests::context;

const VIA: &str = "dynamodb.us-east-1.amazonaws.com";
const GRANTED: &[&str] = &["Encrypt", "Decrypt", "GenerateDataKey", "DescribeKey", "RetireGrant"];

fn code(error: KmsError) -> &'static str {
    error.parts().1
}

fn table() -> EncryptionContext {
    BTreeMap::from([
        ("aws:dynamodb:tableName".to_owned(), "lab".to_owned()),
        ("aws:dynamodb:subscriberId".to_owned(), ACCOUNT.to_owned()),
    ])
}

/// What CreateTable does: a grant as the user, then the table key as the service.
fn create_table(lab: &mut Lab, who: &Caller, key: &str) -> Result<(DataKey, String), KmsCallFailed> {
    let cx = &mut context(&mut lab.engine, who);
    forwarded::describe_key(cx, key)?;
    let grant = forwarded::create_grant(cx, key, GRANTED, &table())?;
    let data_key = forwarded::generate_data_key(cx, Acting::AsItself, key, &table())?;
    Ok((data_key, grant))
}

fn open(lab: &mut Lab, who: &Caller, blob: &[u8], context: &EncryptionContext) -> Result<[u8; 32], KmsCallFailed> {
    forwarded::decrypt(&mut crate::sandbox::tests::context(&mut lab.engine, who), blob, context)
        .map(|key| *key.expose())
}

/// What DynamoDB asked.
fn trail(lab: &Lab) -> Vec<Value> {
    let events = lab.engine.account.trail.all();
    let asked = events.iter().filter(|event| event.user_identity.invoked_by.is_some());
    asked.map(|event| serde_json::to_value(event).unwrap()).collect()
}

#[rstest]
#[case("id")]
#[case("arn")]
#[case("alias")]
#[case("alias arn")]
fn a_table_is_created_and_opened(#[case] how: &str) {
    let mut lab = Lab::new();
    let id = lab.key();
    lab.ok("CreateAlias", json!({ "AliasName": "alias/lab", "TargetKeyId": id }));
    let name = match how {
        "id" => id.clone(),
        "arn" => arn(&id),
        "alias" => "alias/lab".to_owned(),
        _ => alias_arn("alias/lab"),
    };
    let admin = lab.admin.clone();
    let (key, grant) = create_table(&mut lab, &admin, &name).unwrap();
    assert_eq!(key.key_arn, arn(&id));
    assert_eq!(open(&mut lab, &admin, &key.ciphertext, &table()).unwrap(), *key.plaintext.expose());
    let events = trail(&lab);
    let names: Vec<&str> = events.iter().map(|event| event["eventName"].as_str().unwrap()).collect();
    assert_eq!(names, ["DescribeKey", "CreateGrant", "GenerateDataKey", "Decrypt"]);
    assert!(events.iter().all(|event| event["verdict"] == "allowed" && event["resources"][0]["ARN"] == arn(&id)));
    assert_eq!(events[2]["userIdentity"], json!({ "type": "AWSService", "invokedBy": "dynamodb.amazonaws.com" }));
    let grants = lab.ok("ListGrants", json!({ "KeyId": id }));
    assert_eq!(grants["Grants"][0]["GranteePrincipal"], VIA);
    assert_eq!(grants["Grants"][0]["Constraints"], json!({ "EncryptionContextSubset": table() }));

    forwarded::retire_grant(&mut context(&mut lab.engine, &admin), &arn(&id), &grant).unwrap();
    assert_eq!(lab.ok("ListGrants", json!({ "KeyId": id }))["Grants"], json!([]));
}

#[test]
fn a_read_is_decided_by_the_readers_permissions() {
    let mut lab = Lab::new();
    let admin = lab.admin.clone();
    let alice = lab.user("alice", Some(allow(&["dynamodb:*"])));
    let id = lab.key();
    let (key, _) = create_table(&mut lab, &admin, &id).unwrap();

    let refusal = open(&mut lab, &alice, &key.ciphertext, &table()).unwrap_err();
    let message = format!(
        "User: {} is not authorized to perform: kms:Decrypt on resource: {} because no identity-based policy allows the \
         kms:Decrypt action",
        alice.principal.arn,
        arn(&id)
    );
    assert_eq!(
        (code(refusal.error.clone()), refusal.error.clone().parts().2.as_deref()),
        ("AccessDeniedException", Some(message.as_str()))
    );
    let event = trail(&lab).pop().unwrap();
    assert_eq!(
        event,
        json!({
            "eventTime": event["eventTime"],
            "eventSource": "kms.amazonaws.com",
            "eventName": "Decrypt",
            "userIdentity": {
                "type": "IAMUser",
                "principalId": alice.principal.unique_id,
                "arn": alice.principal.arn,
                "accountId": ACCOUNT,
                "userName": "alice",
                "invokedBy": "dynamodb.amazonaws.com",
            },
            "awsRegion": REGION,
            "sourceIPAddress": "dynamodb.amazonaws.com",
            "userAgent": "dynamodb.amazonaws.com",
            "requestParameters": { "encryptionContext": table(), "encryptionAlgorithm": "SYMMETRIC_DEFAULT" },
            "resources": [{ "ARN": arn(&id), "type": "AWS::KMS::Key", "accountId": ACCOUNT }],
            "errorCode": "AccessDeniedException",
            "errorMessage": message,
            "eventID": event["eventID"],
            "requestID": refusal.request_id,
            "causedBy": "ANSWER",
            "verdict": "denied",
        })
    );
    let record = lab.engine.account.decisions.all().pop().unwrap();
    assert!(!record.decision.is_allowed() && record.principal == alice.principal.arn);

    let policy = key_policy(&[for_user("Allow", "alice", &["kms:Decrypt"])]);
    lab.ok("PutKeyPolicy", json!({ "KeyId": id, "Policy": policy }));
    assert_eq!(open(&mut lab, &alice, &key.ciphertext, &table()).unwrap(), *key.plaintext.expose());
}

#[rstest]
#[case::via(json!({ "StringEquals": { "kms:ViaService": VIA } }), true)]
#[case::other_service(json!({ "StringEquals": { "kms:ViaService": "s3.us-east-1.amazonaws.com" } }), false)]
#[case::account(json!({ "StringEquals": { "kms:CallerAccount": ACCOUNT } }), true)]
#[case::table(json!({ "StringEquals": { "kms:EncryptionContext:aws:dynamodb:tableName": "lab" } }), true)]
#[case::other_table(json!({ "StringEquals": { "kms:EncryptionContext:aws:dynamodb:tableName": "x" } }), false)]
#[case::via_aws(json!({ "Bool": { "aws:ViaAWSService": "true" } }), true)]
#[case::tls(json!({ "Bool": { "aws:SecureTransport": "true" } }), true)]
#[case::called_via(json!({ "ForAnyValue:StringEquals": { "aws:CalledVia": "dynamodb.amazonaws.com" } }), true)]
#[case::called_first(json!({ "StringEquals": { "aws:CalledViaFirst": "dynamodb.amazonaws.com" } }), true)]
#[case::called_last(json!({ "StringEquals": { "aws:CalledViaLast": "dynamodb.amazonaws.com" } }), true)]
#[case::no_service(json!({ "Bool": { "aws:PrincipalIsAWSService": "false" } }), true)]
#[case::owner(json!({ "StringEquals": { "aws:ResourceAccount": ACCOUNT } }), true)]
#[case::agent(json!({ "StringEquals": { "aws:UserAgent": "dynamodb.amazonaws.com" } }), true)]
#[case::caller(json!({ "StringLike": { "aws:PrincipalArn": "*:user/alice" } }), true)]
#[case::region(json!({ "StringEquals": { "aws:RequestedRegion": REGION } }), true)]
#[case::address(json!({ "IpAddress": { "aws:SourceIp": "127.0.0.1/32" } }), false)]
fn conditions_see_the_service(#[case] condition: Value, #[case] allowed: bool) {
    let mut lab = Lab::new();
    let admin = lab.admin.clone();
    let alice = lab.user("alice", None);
    let mut statement = for_user("Allow", "alice", &["kms:Decrypt"]);
    statement["Condition"] = condition;
    let id = lab.key_with(&[statement]);
    let (key, _) = create_table(&mut lab, &admin, &id).unwrap();
    assert_eq!(open(&mut lab, &alice, &key.ciphertext, &table()).is_ok(), allowed);
}

/// DynamoDB acts for itself when it makes the table key: a service, called by nobody's credentials.
#[rstest]
#[case(json!({ "Bool": { "aws:PrincipalIsAWSService": "true" } }), true)]
#[case(json!({ "Null": { "aws:PrincipalArn": "false" } }), false)]
#[case(json!({ "Bool": { "aws:ViaAWSService": "true" } }), false)]
#[case(json!({ "StringEquals": { "aws:PrincipalServiceName": "dynamodb.amazonaws.com" } }), true)]
#[case(json!({ "StringEquals": { "aws:PrincipalServiceName": VIA } }), false)]
#[case(json!({ "ForAnyValue:StringEquals": { "aws:PrincipalServiceNamesList": VIA } }), true)]
#[case(json!({ "ForAnyValue:StringEquals": { "aws:PrincipalServiceNamesList": "dynamodb.amazonaws.com" } }), true)]
#[case(json!({ "Null": { "aws:CalledVia": "false" } }), false)]
fn conditions_see_a_service_that_acts_for_itself(#[case] condition: Value, #[case] denied: bool) {
    let mut lab = Lab::new();
    let admin = lab.admin.clone();
    let deny = json!({
        "Effect": "Deny", "Principal": "*", "Action": "kms:GenerateDataKey", "Resource": "*", "Condition": condition,
    });
    let id = lab.key_with(&[deny]);
    assert_eq!(create_table(&mut lab, &admin, &id).is_err(), denied);
}

/// The console's key-user statements are enough to create a table, as the grant is for a service.
#[test]
fn a_key_user_can_create_a_table() {
    let mut lab = Lab::new();
    let alice = lab.user("alice", None);
    let id = lab.key();
    assert_eq!(code(create_table(&mut lab, &alice, &id).unwrap_err().error), "AccessDeniedException");
    let usage = ["kms:Encrypt", "kms:Decrypt", "kms:ReEncrypt*", "kms:GenerateDataKey*", "kms:DescribeKey"];
    let mut attach = for_user("Allow", "alice", &["kms:CreateGrant", "kms:ListGrants", "kms:RevokeGrant"]);
    attach["Condition"] = json!({ "Bool": { "kms:GrantIsForAWSResource": "true" } });
    let policy = key_policy(&[for_user("Allow", "alice", &usage), attach]);
    lab.ok("PutKeyPolicy", json!({ "KeyId": id, "Policy": policy }));
    create_table(&mut lab, &alice, &id).unwrap();
}

#[test]
fn the_service_needs_a_grant_for_this_table() {
    let mut lab = Lab::new();
    let admin = lab.admin.clone();
    let (id, other) = (lab.key(), lab.key());
    create_table(&mut lab, &admin, &id).unwrap();
    let mut another_table = table();
    another_table.insert("aws:dynamodb:tableName".to_owned(), "other".to_owned());
    for (key, context) in [(&other, table()), (&id, another_table)] {
        let cx = &mut crate::sandbox::tests::context(&mut lab.engine, &admin);
        let refusal = forwarded::generate_data_key(cx, Acting::AsItself, key, &context).unwrap_err();
        assert_eq!(code(refusal.error), "AccessDeniedException");
    }
}

#[rstest]
#[case("DisableKey", "DisabledException", "is disabled.")]
#[case("ScheduleKeyDeletion", "KMSInvalidStateException", "is pending deletion.")]
fn a_key_that_is_off_fails_with_its_state(#[case] change: &str, #[case] code: &str, #[case] text: &str) {
    let mut lab = Lab::new();
    let admin = lab.admin.clone();
    let id = lab.key();
    let (key, _) = create_table(&mut lab, &admin, &id).unwrap();
    assert_eq!(lab.engine.account.state.kms.key_state(&arn(&id)), Some(KeyState::Enabled));
    lab.ok(change, json!({ "KeyId": id }));
    let failure = open(&mut lab, &admin, &key.ciphertext, &table()).unwrap_err();
    assert_eq!(
        (failure.error.clone().parts().1, failure.error.clone().parts().2.unwrap()),
        (code, format!("{} {text}", arn(&id)))
    );
    let event = trail(&lab).pop().unwrap();
    assert_eq!((&event["verdict"], &event["errorCode"]), (&json!("failed"), &json!(code)));
    assert_ne!(lab.engine.account.state.kms.key_state(&arn(&id)), Some(KeyState::Enabled));
}

#[test]
fn a_missing_alias_is_on_the_trail_too() {
    let mut lab = Lab::new();
    let admin = lab.admin.clone();
    let failure = create_table(&mut lab, &admin, "alias/none").unwrap_err();
    assert_eq!(failure.error.clone().parts().2.unwrap(), format!("Alias {} is not found.", alias_arn("alias/none")));
    let event = trail(&lab).pop().unwrap();
    assert_eq!((&event["verdict"], &event["resources"]), (&json!("failed"), &json!([])));
}

#[test]
fn a_changed_table_key_or_context_fails() {
    let mut lab = Lab::new();
    let admin = lab.admin.clone();
    let id = lab.key();
    let (key, _) = create_table(&mut lab, &admin, &id).unwrap();
    assert_eq!(
        open(&mut lab, &admin, &key.ciphertext, &BTreeMap::new()).unwrap_err().error.parts().1,
        "InvalidCiphertextException"
    );
    let mut changed = key.ciphertext.clone();
    *changed.last_mut().unwrap() ^= 1;
    assert_eq!(code(open(&mut lab, &admin, &changed, &table()).unwrap_err().error), "InvalidCiphertextException");
    assert_eq!(code(open(&mut lab, &admin, b"", &table()).unwrap_err().error), "InvalidCiphertextException");
}

#[test]
fn the_aws_managed_key_works_only_through_the_service() {
    let mut lab = Lab::new();
    let alice = lab.user("alice", None);
    let key_arn = {
        let cx = &mut context(&mut lab.engine, &alice);
        let first = keys::aws_managed_key(cx, "dynamodb").unwrap();
        assert_eq!(keys::aws_managed_key(cx, "dynamodb").unwrap(), first);
        first
    };
    let (key, _) = create_table(&mut lab, &alice, &key_arn).unwrap();
    assert_eq!(open(&mut lab, &alice, &key.ciphertext, &table()).unwrap(), *key.plaintext.expose());

    let metadata = lab.ok("DescribeKey", json!({ "KeyId": "alias/aws/dynamodb" }))["KeyMetadata"].clone();
    assert_eq!((&metadata["Arn"], &metadata["KeyManager"]), (&json!(key_arn), &json!("AWS")));
    let blob = b64(&key.ciphertext);
    let direct = json!({ "CiphertextBlob": blob, "EncryptionContext": table() });
    assert_eq!(lab.fails_as(&alice, "Decrypt", direct.clone()).0, "AccessDeniedException");
    assert_eq!(lab.fails("Decrypt", direct).0, "AccessDeniedException");
    for operation in ["ScheduleKeyDeletion", "DisableKey", "EnableKeyRotation"] {
        assert_eq!(lab.fails(operation, json!({ "KeyId": key_arn })).0, "AccessDeniedException", "{operation}");
    }
    assert_eq!(lab.ok("GetKeyRotationStatus", json!({ "KeyId": key_arn }))["KeyRotationEnabled"], true);
}

/// A caller's own calls are on the trail, without what they carry.
#[test]
fn own_calls_are_on_the_trail_and_tell_no_secret() {
    let mut lab = Lab::new();
    let id = lab.key();
    let context = json!({ "purpose": "test" });
    let plaintext = "c2VjcmV0";
    let input = json!({ "KeyId": id, "Plaintext": plaintext, "EncryptionContext": context });
    let blob = lab.ok("Encrypt", input)["CiphertextBlob"].clone();
    lab.ok("Decrypt", json!({ "CiphertextBlob": blob, "EncryptionContext": context }));
    let events = lab.engine.account.trail.all();
    let own: Vec<Value> = events.iter().map(|event| serde_json::to_value(event).unwrap()).collect();
    let names: Vec<&str> = own.iter().map(|event| event["eventName"].as_str().unwrap()).collect();
    assert_eq!(names, ["CreateKey", "Encrypt", "Decrypt"]);
    assert_eq!(own[0]["resources"][0]["ARN"], arn(&id));
    assert_eq!(own[1]["requestParameters"], json!({ "keyId": id, "encryptionContext": context }));
    assert!(own.iter().all(|event| event["userIdentity"].get("invokedBy").is_none() && event["verdict"] == "allowed"));
    assert!(!serde_json::to_string(&own).unwrap().contains(plaintext));
}

#[test]
fn whatever_is_sent_the_trail_stays_small() {
    let mut lab = Lab::new();
    let long = "x".repeat(100_000);
    lab.fails("Encrypt", json!({ "KeyId": long, "Plaintext": "", "EncryptionContext": { "a": long } }));
    let event = serde_json::to_string(lab.engine.account.trail.all().last().unwrap()).unwrap();
    assert!(event.contains("Encrypt") && event.len() < 8_000, "{} bytes", event.len());
}
