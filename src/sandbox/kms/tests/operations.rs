//! Every operation's success, and its errors by tables.

use rstest::rstest;
use serde_json::{Value, json};

use super::lab::*;
use crate::sandbox::config::Config;
use crate::sandbox::service::Service;

#[test]
fn a_new_key_has_documented_metadata_and_policy() {
    let mut lab = Lab::new();
    let now = lab.engine.account.state.clock.epoch_seconds();
    let metadata = lab.ok("CreateKey", json!({ "Description": "for the lab" }))["KeyMetadata"].clone();
    let id = text(&metadata["KeyId"]);
    assert_eq!(
        metadata,
        json!({
            "AWSAccountId": ACCOUNT,
            "KeyId": id,
            "Arn": arn(&id),
            "CreationDate": now,
            "Enabled": true,
            "Description": "for the lab",
            "KeyUsage": "ENCRYPT_DECRYPT",
            "KeyState": "Enabled",
            "Origin": "AWS_KMS",
            "KeyManager": "CUSTOMER",
            "CustomerMasterKeySpec": "SYMMETRIC_DEFAULT",
            "KeySpec": "SYMMETRIC_DEFAULT",
            "EncryptionAlgorithms": ["SYMMETRIC_DEFAULT"],
            "MultiRegion": false,
            "CurrentKeyMaterialId": metadata["CurrentKeyMaterialId"],
        })
    );
    assert_eq!(text(&metadata["CurrentKeyMaterialId"]).len(), 64);
    let answer = lab.ok("GetKeyPolicy", json!({ "KeyId": id, "PolicyName": "default" }));
    let policy: Value = serde_json::from_str(answer["Policy"].as_str().unwrap()).unwrap();
    assert_eq!(
        policy,
        json!({
            "Version": "2012-10-17",
            "Id": "key-default-1",
            "Statement": [{
                "Sid": "Enable IAM User Permissions",
                "Effect": "Allow",
                "Principal": { "AWS": "arn:aws:iam::111122223333:root" },
                "Action": "kms:*",
                "Resource": "*",
            }],
        })
    );
    assert_eq!(lab.ok("DescribeKey", json!({ "KeyId": id }))["KeyMetadata"], metadata);
    assert_eq!(
        lab.ok("ListKeyPolicies", json!({ "KeyId": id })),
        json!({ "Truncated": false, "PolicyNames": ["default"] })
    );
}

#[rstest]
#[case::spec(json!({ "KeySpec": "SM2", "KeyUsage": "SIGN_VERIFY" }), "UnsupportedOperationException", "no keys of the spec SM2")]
#[case::old_spec(json!({ "CustomerMasterKeySpec": "ECC_SECG_P256K1" }), "UnsupportedOperationException", "no keys of the spec ECC_SECG_P256K1")]
#[case::no_spec(json!({ "KeySpec": "DES" }), "ValidationException", "1 validation error detected: Value 'DES' at 'keySpec' failed to satisfy constraint: Member must satisfy enum value set: [")]
#[case::both(json!({ "KeySpec": "SYMMETRIC_DEFAULT", "CustomerMasterKeySpec": "SYMMETRIC_DEFAULT" }), "ValidationException", "You cannot specify KeySpec and CustomerMasterKeySpec")]
#[case::usage(json!({ "KeyUsage": "SIGN_VERIFY" }), "ValidationException", "KeyUsage SIGN_VERIFY is not compatible with KeySpec SYMMETRIC_DEFAULT")]
#[case::origin(json!({ "Origin": "EXTERNAL" }), "UnsupportedOperationException", "EXTERNAL")]
#[case::multi_region(json!({ "MultiRegion": true }), "UnsupportedOperationException", "one Region")]
#[case::key_store(json!({ "CustomKeyStoreId": "cks-1" }), "UnsupportedOperationException", "CustomKeyStoreId")]
#[case::description(json!({ "Description": "x".repeat(8193) }), "ValidationException", "less than or equal to 8192")]
#[case::not_json(json!({ "Policy": "{" }), "MalformedPolicyDocumentException", "")]
#[case::stranger(json!({ "Policy": key_policy(&[for_user("Allow", "nobody", &["kms:*"])]) }), "MalformedPolicyDocumentException", "Policy contains a statement with one or more invalid principals.")]
#[case::long_policy(json!({ "Policy": " ".repeat(32 * 1024 + 1) }), "LimitExceededException", "32768")]
#[case::lockout(json!({ "Policy": r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"111122223333"},"Action":"kms:Encrypt","Resource":"*"}]}"# }), "MalformedPolicyDocumentException", "The new key policy will not allow you to update the key policy in the future.")]
#[case::tag(json!({ "Tags": [{ "TagKey": "aws:a", "TagValue": "" }] }), "TagException", "Tags beginning with aws: are reserved")]
#[case::tag_twice(json!({ "Tags": [{ "TagKey": "a", "TagValue": "" }, { "TagKey": "a", "TagValue": "1" }] }), "TagException", "Duplicate tag keys")]
#[case::tag_value(json!({ "Tags": [{ "TagKey": "a" }] }), "ValidationException", "at 'tags.1.member.tagValue'")]
#[case::type_of_description(json!({ "Description": 1 }), "SerializationException", "NUMBER_VALUE")]
#[case::not_an_object(json!([]), "SerializationException", "Start of structure or map")]
fn keys_that_cannot_be_created(#[case] input: Value, #[case] code: &str, #[case] part: &str) {
    let mut lab = Lab::new();
    let (found, message) = lab.fails("CreateKey", input);
    assert!(found == code && message.contains(part), "{found}: {message}");
    assert_eq!(lab.ok("ListKeys", json!({}))["Keys"], json!([]));
}

#[test]
fn the_lockout_check_can_be_bypassed() {
    let mut lab = Lab::new();
    let locked = r#"{"Statement":[{"Effect":"Allow","Principal":{"AWS":"*"},"Action":"kms:Encrypt","Resource":"*"}]}"#;
    let input = json!({ "Policy": locked, "BypassPolicyLockoutSafetyCheck": true });
    let id = text(&lab.ok("CreateKey", input)["KeyMetadata"]["KeyId"]);
    assert_eq!(lab.fails("DescribeKey", json!({ "KeyId": id })).0, "AccessDeniedException");
}

#[test]
fn keys_are_listed_by_pages() {
    let mut lab = Lab::new();
    let mut ids: Vec<String> = (0..5).map(|_| lab.key()).collect();
    ids.sort();
    let mut found = Vec::new();
    let mut input = json!({ "Limit": 2 });
    loop {
        let page = lab.ok("ListKeys", input.clone());
        let keys = page["Keys"].as_array().unwrap();
        assert!(keys.iter().all(|key| key["KeyArn"] == arn(key["KeyId"].as_str().unwrap())));
        found.extend(keys.iter().map(|key| text(&key["KeyId"])));
        match page.get("NextMarker") {
            Some(marker) => input["Marker"] = marker.clone(),
            None => break assert_eq!(page["Truncated"], false),
        }
    }
    assert_eq!(found, ids);
    assert_eq!(lab.fails("ListKeys", json!({ "Marker": "?" })), error("InvalidMarkerException", ""));
    assert_eq!(lab.fails("ListKeys", json!({ "Limit": 0 })).0, "ValidationException");
}

#[test]
fn an_alias_is_made_moved_listed_and_removed() {
    let mut lab = Lab::new();
    let (one, two) = (lab.key(), lab.key());
    assert_eq!(lab.ok("CreateAlias", json!({ "AliasName": "alias/lab", "TargetKeyId": one })), json!({}));
    assert_eq!(lab.ok("DescribeKey", json!({ "KeyId": "alias/lab" }))["KeyMetadata"]["KeyId"], one);
    lab.ok("UpdateAlias", json!({ "AliasName": "alias/lab", "TargetKeyId": arn(&two) }));
    assert_eq!(lab.ok("DescribeKey", json!({ "KeyId": alias_arn("alias/lab") }))["KeyMetadata"]["KeyId"], two);
    let all = lab.ok("ListAliases", json!({}));
    let alias = &all["Aliases"][0];
    assert_eq!((alias["AliasName"].as_str(), alias["TargetKeyId"].as_str()), (Some("alias/lab"), Some(two.as_str())));
    assert_eq!(alias["AliasArn"], alias_arn("alias/lab"));
    assert_eq!(lab.ok("ListAliases", json!({ "KeyId": one }))["Aliases"], json!([]));
    assert_eq!(lab.ok("ListAliases", json!({ "KeyId": two }))["Aliases"], all["Aliases"]);
    lab.ok("DeleteAlias", json!({ "AliasName": "alias/lab" }));
    let missing = error("NotFoundException", format!("Alias {} is not found.", alias_arn("alias/lab")));
    assert_eq!(lab.fails("DescribeKey", json!({ "KeyId": "alias/lab" })), missing);
    assert_eq!(lab.fails("DeleteAlias", json!({ "AliasName": "alias/lab" })), missing);
    assert_eq!(lab.fails("UpdateAlias", json!({ "AliasName": "alias/lab", "TargetKeyId": one })), missing);
}

#[rstest]
#[case::no_prefix(
    "lab",
    "ValidationException",
    "Alias must start with the prefix \"alias/\". Please see https://docs.aws.amazon.com/kms/latest/developerguide/kms-alias.html"
)]
#[case::bare("alias/", "ValidationException", "Invalid identifier")]
#[case::reserved("alias/aws/dynamodb", "NotAuthorizedException", "")]
#[case::colon("alias/a:b", "InvalidAliasNameException", "alias/a:b contains invalid characters for an alias")]
#[case::space(
    "alias/a b",
    "ValidationException",
    "1 validation error detected: Value 'alias/a b' at 'aliasName' failed to satisfy constraint: Member must satisfy regular expression pattern: ^[a-zA-Z0-9:/_-]+$"
)]
#[case::taken(
    "alias/taken",
    "AlreadyExistsException",
    "An alias with the name arn:aws:kms:us-east-1:111122223333:alias/taken already exists"
)]
fn alias_names_that_are_refused(#[case] name: &str, #[case] code: &str, #[case] message: &str) {
    let mut lab = Lab::new();
    let id = lab.key();
    lab.ok("CreateAlias", json!({ "AliasName": "alias/taken", "TargetKeyId": id }));
    let found = lab.fails("CreateAlias", json!({ "AliasName": name, "TargetKeyId": id }));
    assert_eq!(found, error(code, message));
}

#[test]
fn an_alias_cannot_point_to_an_alias() {
    let mut lab = Lab::new();
    let found = lab.fails("CreateAlias", json!({ "AliasName": "alias/a", "TargetKeyId": "alias/b" }));
    assert_eq!(found, error("ValidationException", "Aliases must refer to keys. Not aliases"));
}

#[rstest]
#[case::id(NO_KEY, "Key 'arn:aws:kms:us-east-1:111122223333:key/00000000-0000-4000-8000-000000000000' does not exist")]
#[case::arn(
    "arn:aws:kms:us-east-1:111122223333:key/00000000-0000-4000-8000-000000000000",
    "Key 'arn:aws:kms:us-east-1:111122223333:key/00000000-0000-4000-8000-000000000000' does not exist"
)]
#[case::word("word", "Invalid keyId 'word'")]
#[case::region("arn:aws:kms:eu-west-1:111122223333:key/00000000-0000-4000-8000-000000000000", "Invalid arn eu-west-1")]
#[case::alias("alias/none", "Alias arn:aws:kms:us-east-1:111122223333:alias/none is not found.")]
fn keys_that_are_not_there(#[case] key: &str, #[case] message: &str) {
    let mut lab = Lab::new();
    assert_eq!(lab.fails("DescribeKey", json!({ "KeyId": key })), error("NotFoundException", message));
}

#[rstest]
#[case("GetKeyPolicy")]
#[case("EnableKey")]
#[case("ListGrants")]
#[case("ScheduleKeyDeletion")]
#[case("ListResourceTags")]
fn operations_that_take_no_alias(#[case] operation: &str) {
    let mut lab = Lab::new();
    let id = lab.key();
    lab.ok("CreateAlias", json!({ "AliasName": "alias/a", "TargetKeyId": id }));
    let found = lab.fails(operation, json!({ "KeyId": "alias/a" }));
    assert_eq!(found, error("NotFoundException", "Invalid keyId 'alias/a'"));
}

#[test]
fn put_key_policy_replaces_the_document() {
    let mut lab = Lab::new();
    let id = lab.key();
    lab.user("alice", None);
    let policy = key_policy(&[for_user("Allow", "alice", &["kms:Decrypt"])]);
    assert_eq!(lab.ok("PutKeyPolicy", json!({ "KeyId": id, "PolicyName": "default", "Policy": policy })), json!({}));
    assert_eq!(lab.ok("GetKeyPolicy", json!({ "KeyId": id })), json!({ "Policy": policy, "PolicyName": "default" }));
}

#[rstest]
#[case::name(json!({ "PolicyName": "other", "Policy": key_policy(&[]) }), "NotFoundException", "No such policy exists")]
#[case::none(json!({}), "ValidationException", "1 validation error detected: Value null at 'policy' failed to satisfy constraint: Member must not be null")]
#[case::stranger(json!({ "Policy": key_policy(&[for_user("Allow", "bob", &["kms:*"])]) }), "MalformedPolicyDocumentException", "Policy contains a statement with one or more invalid principals.")]
#[case::gone(json!({ "Policy": key_policy(&[json!({ "Effect": "Allow", "Principal": { "AWS": "AIDAIOSFODNN7EXAMPLE7" }, "Action": "kms:*", "Resource": "*" })]) }), "MalformedPolicyDocumentException", "Policy contains a statement with one or more invalid principals.")]
#[case::lockout(json!({ "Policy": key_policy(&[for_user("Deny", "kmslab-admin", &["kms:Put*"])]) }), "MalformedPolicyDocumentException", "The new key policy will not allow you to update the key policy in the future.")]
fn policies_that_cannot_be_put(#[case] mut input: Value, #[case] code: &str, #[case] message: &str) {
    let mut lab = Lab::new();
    let id = lab.key();
    let before = lab.ok("GetKeyPolicy", json!({ "KeyId": id }));
    input["KeyId"] = json!(id);
    assert_eq!(lab.fails("PutKeyPolicy", input), error(code, message));
    assert_eq!(lab.ok("GetKeyPolicy", json!({ "KeyId": id })), before);
}

#[test]
fn tags_are_set_replaced_and_removed() {
    let mut lab = Lab::new();
    let input = json!({ "Tags": [{ "TagKey": "a", "TagValue": "1" }, { "TagKey": "b", "TagValue": "" }] });
    let id = text(&lab.ok("CreateKey", input)["KeyMetadata"]["KeyId"]);
    lab.ok(
        "TagResource",
        json!({ "KeyId": id, "Tags": [{ "TagKey": "a", "TagValue": "2" }, { "TagKey": "c", "TagValue": "3" }] }),
    );
    lab.ok("UntagResource", json!({ "KeyId": id, "TagKeys": ["b", "not there"] }));
    assert_eq!(
        lab.ok("ListResourceTags", json!({ "KeyId": id })),
        json!({ "Truncated": false, "Tags": [{ "TagKey": "a", "TagValue": "2" }, { "TagKey": "c", "TagValue": "3" }] })
    );
    let many: Vec<Value> = (0..49).map(|n| json!({ "TagKey": format!("t{n}"), "TagValue": "" })).collect();
    let too_many = error("TagException", "Too many tags");
    assert_eq!(lab.fails("TagResource", json!({ "KeyId": id, "Tags": many })), too_many);
    assert_eq!(lab.fails("TagResource", json!({ "KeyId": id })).0, "ValidationException");
}

#[test]
fn the_description_can_be_changed() {
    let mut lab = Lab::new();
    let id = lab.key();
    lab.ok("UpdateKeyDescription", json!({ "KeyId": id, "Description": "new" }));
    assert_eq!(lab.ok("DescribeKey", json!({ "KeyId": id }))["KeyMetadata"]["Description"], "new");
}

#[test]
fn an_unknown_operation_is_refused() {
    let mut lab = Lab::new();
    assert_eq!(lab.fails("Sing", json!({})), error("UnknownOperationException", ""));
    let import = "The sandbox does not implement kms:ImportKeyMaterial.";
    assert_eq!(lab.fails("ImportKeyMaterial", json!({})), error("UnknownOperationException", import));
}

/// The lists of operations and of tests must not drift apart: each operation answers, if only with a refusal.
#[test]
fn every_operation_survives_senseless_input() {
    let mut lab = Lab::new();
    let id = lab.key();
    let senseless = [
        json!({}),
        json!(null),
        json!([]),
        json!("x"),
        json!({ "KeyId": {} }),
        json!({ "KeyId": id, "Limit": 1e9, "Tags": [1], "TagKeys": [1], "Operations": [1], "Plaintext": "*" }),
        json!({ "KeyId": id, "Constraints": { "EncryptionContextEquals": [] }, "CiphertextBlob": "AA==" }),
        json!({ "KeyId": id, "GranteePrincipal": "\u{0}", "Operations": ["Decrypt", "Fly"], "Policy": "[]" }),
    ];
    for operation in crate::sandbox::catalog::names(Service::Kms) {
        for input in &senseless {
            let admin = lab.admin.clone();
            let _ = lab.call(&admin, operation, input.clone());
        }
    }
}

#[test]
fn everything_is_there_after_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let config = Config { data: Some(folder.path().to_owned()), ..Config::default() };
    let mut lab = Lab::open(&config);
    let id = lab.key_with(&[json!({ "Effect": "Deny", "Principal": "*", "Action": "kms:EnableKey", "Resource": "*" })]);
    let gone = lab.key();
    lab.ok("CreateAlias", json!({ "AliasName": "alias/lab", "TargetKeyId": id }));
    lab.ok("TagResource", json!({ "KeyId": id, "Tags": [{ "TagKey": "a", "TagValue": "1" }] }));
    lab.ok("EnableKeyRotation", json!({ "KeyId": id }));
    let admin = lab.admin.principal.arn.clone();
    lab.ok("CreateGrant", json!({ "KeyId": id, "GranteePrincipal": admin, "Operations": ["Decrypt"] }));
    let before = lab.encrypt(&id, b"before", json!({ "a": "b" }));
    lab.ok("RotateKeyOnDemand", json!({ "KeyId": id }));
    let after = lab.encrypt(&id, b"after", json!({}));
    lab.ok("ScheduleKeyDeletion", json!({ "KeyId": gone }));
    let state = |lab: &mut Lab| {
        ["DescribeKey", "GetKeyPolicy", "ListGrants", "ListResourceTags", "GetKeyRotationStatus", "ListKeyRotations"]
            .map(|operation| lab.ok(operation, json!({ "KeyId": id })))
    };
    let (was, aliases) = (state(&mut lab), lab.ok("ListAliases", json!({})));
    drop(lab);

    let mut lab = Lab::open(&config);
    assert_eq!(state(&mut lab), was);
    assert_eq!(lab.ok("ListAliases", json!({})), aliases);
    assert_eq!(lab.ok("DescribeKey", json!({ "KeyId": gone }))["KeyMetadata"]["KeyState"], "PendingDeletion");
    let opened = lab.ok("Decrypt", json!({ "CiphertextBlob": before, "EncryptionContext": { "a": "b" } }));
    assert_eq!(bytes(&opened["Plaintext"]), b"before");
    let opened = lab.ok("Decrypt", json!({ "CiphertextBlob": after }));
    assert_eq!(bytes(&opened["Plaintext"]), b"after");
    assert_eq!(lab.fails("EnableKey", json!({ "KeyId": id })).0, "AccessDeniedException");
}

#[test]
fn nothing_secret_is_printed() {
    let mut lab = Lab::new();
    let id = lab.key();
    let material = lab.engine.account.state.kms.key(&id).unwrap().current().key.clone();
    let printed = format!("{:?}", lab.engine.account.state.kms);
    assert!(printed.contains("[redacted]"));
    assert!(!printed.contains(&format!("{:?}", material.expose())));
}
