//! Keys that are not symmetric encryption keys, and random bytes.

use rstest::rstest;
use serde_json::{Value, json};

use super::lab::*;
use crate::sandbox::config::Config;
use crate::sandbox::service::Service;
use crate::sandbox::tests;

#[test]
fn random_bytes_repeat_with_a_seed() {
    let draw = |count: usize| bytes(&Lab::new().ok("GenerateRandom", json!({ "NumberOfBytes": count }))["Plaintext"]);
    assert_eq!((draw(1024).len(), draw(1).len()), (1024, 1));
    assert_eq!(draw(32), draw(32));
    let mut lab = Lab::new();
    let mut again = || lab.ok("GenerateRandom", json!({ "NumberOfBytes": 32 }));
    assert_ne!(again(), again());
}

#[rstest]
#[case(json!({}), "ValidationException", "NumberOfBytes is required.")]
#[case(json!({ "NumberOfBytes": 0 }), "ValidationException", "1 validation error detected: Value '0' at 'numberOfBytes' failed to satisfy constraint: Member must have value greater than or equal to 1")]
#[case(json!({ "NumberOfBytes": 1025 }), "ValidationException", "1 validation error detected: Value '1025' at 'numberOfBytes' failed to satisfy constraint: Member must have value less than or equal to 1024")]
#[case(json!({ "NumberOfBytes": 1, "CustomKeyStoreId": "cks-1" }), "UnsupportedOperationException", "The sandbox does not support CustomKeyStoreId.")]
fn random_bytes_that_are_refused(#[case] input: Value, #[case] code: &str, #[case] message: &str) {
    assert_eq!(Lab::new().fails("GenerateRandom", input), error(code, message));
}

#[test]
fn random_bytes_need_a_permission() {
    let mut lab = Lab::new();
    let alice = lab.user("alice", None);
    let (code, message) = lab.fails_as(&alice, "GenerateRandom", json!({ "NumberOfBytes": 1 }));
    assert_eq!(code, "AccessDeniedException");
    assert!(message.ends_with("because no identity-based policy allows the kms:GenerateRandom action"), "{message}");
}

#[rstest]
#[case("HMAC_224", "HMAC_SHA_224", 28)]
#[case("HMAC_256", "HMAC_SHA_256", 32)]
#[case("HMAC_384", "HMAC_SHA_384", 48)]
#[case("HMAC_512", "HMAC_SHA_512", 64)]
fn a_code_is_made_and_verified(#[case] spec: &str, #[case] algorithm: &str, #[case] length: usize) {
    let mut lab = Lab::new();
    let made = lab.ok("CreateKey", json!({ "KeySpec": spec, "KeyUsage": "GENERATE_VERIFY_MAC" }));
    let metadata = &made["KeyMetadata"];
    assert_eq!((&metadata["KeySpec"], &metadata["MacAlgorithms"]), (&json!(spec), &json!([algorithm])));
    assert_eq!(metadata["KeyUsage"], "GENERATE_VERIFY_MAC");
    assert!(metadata.get("CurrentKeyMaterialId").is_none() && metadata.get("EncryptionAlgorithms").is_none());
    let id = text(&metadata["KeyId"]);
    let secret = lab.engine.account.state.kms.key(&id).unwrap().current().key.clone();
    assert_eq!(secret.expose().len(), length);
    let mut input = json!({ "KeyId": id, "Message": b64(b"text"), "MacAlgorithm": algorithm });
    let mac = lab.ok("GenerateMac", input.clone());
    assert_eq!((bytes(&mac["Mac"]).len(), &mac["KeyId"]), (length, &json!(arn(&id))));
    input["Mac"] = mac["Mac"].clone();
    let verified = lab.ok("VerifyMac", input.clone());
    assert_eq!(verified, json!({ "KeyId": arn(&id), "MacValid": true, "MacAlgorithm": algorithm }));
    input["Message"] = json!(b64(b"another"));
    assert_eq!(lab.fails("VerifyMac", input), error("KMSInvalidMacException", ""));
}

#[test]
fn codes_need_a_permission() {
    let mut lab = Lab::new();
    let alice = lab.user("alice", Some(allow(&["kms:VerifyMac"])));
    let deny = key_policy(&[for_user("Deny", "alice", &["kms:VerifyMac"])]);
    let mut asked = json!({ "Message": "AA==", "MacAlgorithm": "HMAC_SHA_256", "Mac": "AA==" });
    asked["KeyId"] = json!(lab.key_of("HMAC_256", "GENERATE_VERIFY_MAC"));
    assert_eq!(lab.fails_as(&alice, "GenerateMac", asked.clone()).0, "AccessDeniedException");
    assert_eq!(lab.fails_as(&alice, "VerifyMac", asked.clone()).0, "KMSInvalidMacException");
    lab.ok("PutKeyPolicy", json!({ "KeyId": asked["KeyId"], "Policy": deny }));
    let (code, message) = lab.fails_as(&alice, "VerifyMac", asked);
    assert_eq!(code, "AccessDeniedException");
    assert!(message.ends_with("with an explicit deny in a resource-based policy"), "{message}");
}

/// As LocalStack's tests recorded it on AWS.
#[test]
fn a_key_of_the_wrong_kind_is_refused() {
    let mut lab = Lab::new();
    let (plain, mac) = (lab.key(), lab.key_of("HMAC_224", "GENERATE_VERIFY_MAC"));
    let refused = |id: &str, usage: &str, operation: &str| {
        let message = format!("{} key usage is {usage} which is not valid for {operation}.", arn(id));
        error("InvalidKeyUsageException", message)
    };
    let message = json!({ "KeyId": plain, "Message": "AA==", "MacAlgorithm": "HMAC_SHA_256" });
    assert_eq!(lab.fails("GenerateMac", message), refused(&plain, "ENCRYPT_DECRYPT", "GenerateMac"));
    let message = json!({ "KeyId": mac, "Message": "AA==", "MacAlgorithm": "HMAC_SHA_256" });
    let incompatible = "Algorithm HMAC_SHA_256 is incompatible with key spec HMAC_224.";
    assert_eq!(lab.fails("GenerateMac", message), error("InvalidKeyUsageException", incompatible));
    let input = json!({ "KeyId": mac, "Plaintext": "AA==" });
    assert_eq!(lab.fails("Encrypt", input), refused(&mac, "GENERATE_VERIFY_MAC", "Encrypt"));
    let input = json!({ "KeyId": mac, "KeySpec": "AES_256" });
    assert_eq!(lab.fails("GenerateDataKey", input), refused(&mac, "GENERATE_VERIFY_MAC", "GenerateDataKey"));
    let blob = lab.encrypt(&plain, b"x", json!({}));
    let found = lab.fails("Decrypt", json!({ "KeyId": mac, "CiphertextBlob": blob }));
    assert_eq!(found.0, "IncorrectKeyException");
    for operation in ["EnableKeyRotation", "DisableKeyRotation", "GetKeyRotationStatus", "RotateKeyOnDemand"] {
        let found = lab.fails(operation, json!({ "KeyId": mac }));
        assert_eq!(found, error("UnsupportedOperationException", ""), "{operation}");
    }
}

#[rstest]
#[case(json!({ "KeySpec": "HMAC_256" }), "You must specify a KeyUsage value for all KMS keys except for symmetric encryption keys.")]
#[case(json!({ "KeySpec": "HMAC_256", "KeyUsage": "SIGN_VERIFY" }), "KeyUsage SIGN_VERIFY is not compatible with KeySpec HMAC_256")]
#[case(json!({ "KeyUsage": "GENERATE_VERIFY_MAC" }), "KeyUsage GENERATE_VERIFY_MAC is not compatible with KeySpec SYMMETRIC_DEFAULT")]
fn kinds_that_do_not_exist(#[case] input: Value, #[case] message: &str) {
    assert_eq!(Lab::new().fails("CreateKey", input), error("ValidationException", message));
}

#[test]
fn grants_fit_the_kind_of_key() {
    let mut lab = Lab::new();
    let id = lab.key_of("HMAC_256", "GENERATE_VERIFY_MAC");
    let alice = lab.user("alice", None);
    let mut input = json!({ "KeyId": id, "GranteePrincipal": alice.principal.arn, "Operations": ["Decrypt"] });
    assert_eq!(lab.fails("CreateGrant", input.clone()).0, "ValidationException");
    input["Operations"] = json!(["GenerateMac"]);
    lab.ok("CreateGrant", input.clone());
    let asked = json!({ "KeyId": id, "Message": "AA==", "MacAlgorithm": "HMAC_SHA_256" });
    assert!(lab.call(&alice, "GenerateMac", asked).is_ok());
    input["Constraints"] = json!({ "EncryptionContextSubset": { "a": "b" } });
    let message = "EncryptionContext is supported only when creating a grant for a symmetric encryption KMS key.";
    assert_eq!(lab.fails("CreateGrant", input), error("ValidationException", message));
}

/// As observed on AWS.
#[test]
fn no_table_is_encrypted_with_another_kind() {
    let mut lab = Lab::new();
    let id = lab.key_of("HMAC_256", "GENERATE_VERIFY_MAC");
    let admin = lab.admin.clone();
    let create = json!({
        "TableName": "items",
        "AttributeDefinitions": [{ "AttributeName": "id", "AttributeType": "S" }],
        "KeySchema": [{ "AttributeName": "id", "KeyType": "HASH" }],
        "BillingMode": "PAY_PER_REQUEST",
        "SSESpecification": { "Enabled": true, "SSEType": "KMS", "KMSMasterKeyId": id },
    });
    let failed = tests::dynamodb(&mut lab.engine, &admin, "CreateTable", &create).unwrap_err();
    assert_eq!(
        (failed.status(Service::DynamoDb), failed.code(Service::DynamoDb)),
        (500, "InternalServerError"),
        "{failed:?}"
    );
    let message = failed.message(Service::DynamoDb).unwrap();
    let start = "KMS internal error: com.amazonaws.services.kms.model.AWSKMSException: EncryptionContext is supported \
                 only when creating a grant for a symmetric encryption KMS key. (Service: AWSKMS; Status Code: 400; \
                 Error Code: ValidationException; Request ID: ";
    assert!(message.starts_with(start), "{message}");
    let tables = tests::dynamodb(&mut lab.engine, &admin, "ListTables", &json!({})).unwrap();
    assert_eq!(tables["TableNames"], json!([]));
}

#[test]
fn describing_an_aws_alias_makes_its_key() {
    let mut lab = Lab::new();
    let alice = lab.user("alice", None);
    assert_eq!(lab.ok("ListAliases", json!({}))["Aliases"], json!([]));
    assert_eq!(lab.fails_as(&alice, "DescribeKey", json!({ "KeyId": "alias/aws/s3" })).0, "AccessDeniedException");
    assert_eq!(lab.ok("ListKeys", json!({}))["Keys"], json!([]), "what is denied makes no key");
    assert_eq!(lab.fails("Encrypt", json!({ "KeyId": "alias/aws/s3", "Plaintext": "AA==" })).0, "NotFoundException");
    assert_eq!(lab.fails("DescribeKey", json!({ "KeyId": "alias/aws/none" })).0, "NotFoundException");
    let made = lab.ok("DescribeKey", json!({ "KeyId": "alias/aws/s3" }))["KeyMetadata"].clone();
    assert_eq!((&made["KeyManager"], &made["Enabled"]), (&json!("AWS"), &json!(true)));
    let again = lab.ok("DescribeKey", json!({ "KeyId": alias_arn("alias/aws/s3") }))["KeyMetadata"].clone();
    assert_eq!(again, made);
    assert_eq!(lab.ok("ListAliases", json!({}))["Aliases"][0]["AliasName"], "alias/aws/s3");
    assert_eq!(
        lab.fails("Encrypt", json!({ "KeyId": "alias/aws/s3", "Plaintext": "AA==" })).0,
        "AccessDeniedException"
    );
}

/// A store from before there were other kinds.
#[test]
fn a_key_without_a_spec_is_symmetric() {
    let mut lab = Lab::new();
    let id = lab.key();
    let mut stored = serde_json::to_value(&lab.engine.account.state.kms.key(&id).unwrap().record).unwrap();
    assert_eq!((stored["spec"].take(), stored["usage"].take()), (json!("SYMMETRIC_DEFAULT"), json!("ENCRYPT_DECRYPT")));
    stored.as_object_mut().unwrap().retain(|_, value| !value.is_null());
    let record: crate::sandbox::kms::model::KeyRecord = serde_json::from_value(stored).unwrap();
    assert_eq!((record.spec.name(), record.usage.name()), ("SYMMETRIC_DEFAULT", "ENCRYPT_DECRYPT"));
}

#[test]
fn kinds_are_there_after_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let config = Config { data: Some(folder.path().to_owned()), ..Config::default() };
    let mut lab = Lab::open(&config);
    let id = lab.key_of("HMAC_512", "GENERATE_VERIFY_MAC");
    let input = json!({ "KeyId": id, "Message": "AA==", "MacAlgorithm": "HMAC_SHA_512" });
    let mac = lab.ok("GenerateMac", input.clone());
    drop(lab);
    assert_eq!(Lab::open(&config).ok("GenerateMac", input), mac);
}

#[test]
fn a_dry_run_changes_and_shows_nothing() {
    let mut lab = Lab::new();
    let (plain, mac) = (lab.key(), lab.key_of("HMAC_256", "GENERATE_VERIFY_MAC"));
    let blob = lab.encrypt(&plain, b"x", json!({}));
    let grantee = lab.admin.principal.arn.clone();
    let grant =
        lab.ok("CreateGrant", json!({ "KeyId": plain, "GranteePrincipal": grantee, "Operations": ["Decrypt"] }));
    let message = "The request would have succeeded, but the DryRun option is set.";
    for (operation, mut input) in [
        ("Encrypt", json!({ "KeyId": plain, "Plaintext": "AA==" })),
        ("Decrypt", json!({ "CiphertextBlob": blob })),
        ("ReEncrypt", json!({ "CiphertextBlob": blob, "DestinationKeyId": plain })),
        ("GenerateDataKey", json!({ "KeyId": plain, "KeySpec": "AES_256" })),
        ("GenerateDataKeyWithoutPlaintext", json!({ "KeyId": plain, "KeySpec": "AES_256" })),
        ("GenerateMac", json!({ "KeyId": mac, "Message": "AA==", "MacAlgorithm": "HMAC_SHA_256" })),
        ("VerifyMac", json!({ "KeyId": mac, "Message": "AA==", "MacAlgorithm": "HMAC_SHA_256", "Mac": "AA==" })),
        ("CreateGrant", json!({ "KeyId": plain, "GranteePrincipal": grantee, "Operations": ["Encrypt"] })),
        ("RetireGrant", json!({ "KeyId": arn(&plain), "GrantId": grant["GrantId"] })),
        ("RevokeGrant", json!({ "KeyId": plain, "GrantId": grant["GrantId"] })),
    ] {
        input["DryRun"] = json!(true);
        assert_eq!(lab.fails(operation, input), error("DryRunOperationException", message), "{operation}");
    }
    assert_eq!(lab.ok("ListGrants", json!({ "KeyId": plain }))["Grants"].as_array().unwrap().len(), 1);
}
