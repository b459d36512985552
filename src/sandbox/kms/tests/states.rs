//! Which operation works in which key state (KMS guide), and the end of a key.

use rstest::rstest;
use serde_json::{Value, json};

use super::lab::*;
use crate::sandbox::service::Service;
use crate::sandbox::tests::code_and_message;

/// Does one operation on a key, with whatever it needs around it; `Ok` or the error's code and message.
fn attempt(lab: &mut Lab, id: &str, made_before: &Before, operation: &str) -> Result<(), (String, String)> {
    let admin = lab.admin.clone();
    let grantee = admin.principal.arn.clone();
    let input = match operation {
        "Encrypt" => json!({ "KeyId": id, "Plaintext": "AA==" }),
        "Decrypt" => json!({ "CiphertextBlob": made_before.blob }),
        "GenerateDataKey" | "GenerateDataKeyWithoutPlaintext" => json!({ "KeyId": id, "KeySpec": "AES_256" }),
        "ReEncrypt" => json!({ "CiphertextBlob": made_before.blob, "DestinationKeyId": made_before.other }),
        "ReEncrypt to" => json!({ "CiphertextBlob": made_before.other_blob, "DestinationKeyId": id }),
        "CreateGrant" => json!({ "KeyId": id, "GranteePrincipal": grantee, "Operations": ["Decrypt"] }),
        "RevokeGrant" | "RetireGrant" => json!({ "KeyId": id, "GrantId": made_before.grant }),
        "CreateAlias" => json!({ "AliasName": "alias/new", "TargetKeyId": id }),
        "UpdateAlias" => json!({ "AliasName": "alias/other", "TargetKeyId": id }),
        "UpdateAlias away" => json!({ "AliasName": "alias/old", "TargetKeyId": made_before.other }),
        "DeleteAlias" => json!({ "AliasName": "alias/old" }),
        "TagResource" => json!({ "KeyId": id, "Tags": [{ "TagKey": "a", "TagValue": "b" }] }),
        "UntagResource" => json!({ "KeyId": id, "TagKeys": ["a"] }),
        "PutKeyPolicy" => json!({ "KeyId": id, "Policy": key_policy(&[]) }),
        "UpdateKeyDescription" => json!({ "KeyId": id, "Description": "d" }),
        _ => json!({ "KeyId": id }),
    };
    let name = operation.split(' ').next().unwrap();
    let result = lab.call(&admin, name, input);
    result.map(drop).map_err(|error| code_and_message(Service::Kms, &error))
}

struct Before {
    blob: String,
    other: String,
    other_blob: String,
    grant: Value,
}

fn prepare(lab: &mut Lab, id: &str) -> Before {
    let other = lab.key();
    lab.ok("CreateAlias", json!({ "AliasName": "alias/old", "TargetKeyId": id }));
    lab.ok("CreateAlias", json!({ "AliasName": "alias/other", "TargetKeyId": other }));
    let grantee = lab.admin.principal.arn.clone();
    let grant = lab.ok("CreateGrant", json!({ "KeyId": id, "GranteePrincipal": grantee, "Operations": ["Encrypt"] }));
    Before {
        blob: lab.encrypt(id, b"plain", json!({})),
        other_blob: lab.encrypt(&other, b"plain", json!({})),
        other,
        grant: grant["GrantId"].clone(),
    }
}

/// `o` works, `d` is `DisabledException`, `p` is pending deletion, `n` is not pending deletion: enabled, disabled, pending.
#[rstest]
#[case("Encrypt", "odp")]
#[case("Decrypt", "odp")]
#[case("GenerateDataKey", "odp")]
#[case("GenerateDataKeyWithoutPlaintext", "odp")]
#[case("ReEncrypt", "odp")]
#[case("ReEncrypt to", "odp")]
#[case("CreateGrant", "odp")]
#[case("EnableKeyRotation", "odp")]
#[case("DisableKeyRotation", "odp")]
#[case("RotateKeyOnDemand", "odp")]
#[case("EnableKey", "oop")]
#[case("DisableKey", "oop")]
#[case("CreateAlias", "oop")]
#[case("UpdateAlias", "oop")]
#[case("UpdateAlias away", "ooo")]
#[case("DeleteAlias", "ooo")]
#[case("TagResource", "oop")]
#[case("UntagResource", "oop")]
#[case("UpdateKeyDescription", "oop")]
#[case("ScheduleKeyDeletion", "oop")]
#[case("CancelKeyDeletion", "nno")]
#[case("DescribeKey", "ooo")]
#[case("GetKeyPolicy", "ooo")]
#[case("PutKeyPolicy", "ooo")]
#[case("ListKeyPolicies", "ooo")]
#[case("ListGrants", "ooo")]
#[case("ListAliases", "ooo")]
#[case("ListResourceTags", "ooo")]
#[case("ListKeyRotations", "ooo")]
#[case("GetKeyRotationStatus", "ooo")]
#[case("RevokeGrant", "ooo")]
#[case("RetireGrant", "ooo")]
fn the_matrix_of_states(#[case] operation: &str, #[case] expected: &str) {
    let mut found = String::new();
    for change in [None, Some("DisableKey"), Some("ScheduleKeyDeletion")] {
        let mut lab = Lab::new();
        let id = lab.key();
        let before = prepare(&mut lab, &id);
        if let Some(change) = change {
            lab.ok(change, json!({ "KeyId": id }));
        }
        let arn = arn(&id);
        found.push(match attempt(&mut lab, &id, &before, operation) {
            Ok(()) => 'o',
            Err(e) if e == error("DisabledException", format!("{arn} is disabled.")) => 'd',
            Err(e) if e == error("KMSInvalidStateException", format!("{arn} is pending deletion.")) => 'p',
            Err(e) if e == error("KMSInvalidStateException", format!("{arn} is not pending deletion.")) => 'n',
            Err(e) => panic!("{operation} after {change:?}: {e:?}"),
        });
    }
    assert_eq!(found, expected, "{operation}");
}

#[test]
fn disabling_and_enabling_keeps_the_material() {
    let mut lab = Lab::new();
    let id = lab.key();
    let blob = lab.encrypt(&id, b"plain", json!({}));
    lab.ok("DisableKey", json!({ "KeyId": id }));
    let metadata = lab.ok("DescribeKey", json!({ "KeyId": id }))["KeyMetadata"].clone();
    assert_eq!((&metadata["Enabled"], &metadata["KeyState"]), (&json!(false), &json!("Disabled")));
    lab.ok("EnableKey", json!({ "KeyId": id }));
    assert_eq!(bytes(&lab.ok("Decrypt", json!({ "CiphertextBlob": blob }))["Plaintext"]), b"plain");
}

#[rstest]
#[case(json!({}), 30)]
#[case(json!({ "PendingWindowInDays": 7 }), 7)]
fn a_key_is_gone_when_its_date_has_passed(#[case] mut input: Value, #[case] days: u32) {
    let mut lab = Lab::new();
    let id = lab.key();
    let before = prepare(&mut lab, &id);
    input["KeyId"] = json!(id);
    let date = lab.engine.account.state.clock.epoch_seconds() + f64::from(days) * 86_400.0;
    assert_eq!(
        lab.ok("ScheduleKeyDeletion", input),
        json!({ "KeyId": arn(&id), "DeletionDate": date, "KeyState": "PendingDeletion", "PendingWindowInDays": days })
    );
    lab.wait(f64::from(days) - 0.001);
    assert_eq!(lab.ok("DescribeKey", json!({ "KeyId": id }))["KeyMetadata"]["DeletionDate"], date);
    lab.wait(0.001);
    let missing = error("NotFoundException", format!("Key '{}' does not exist", arn(&id)));
    assert_eq!(lab.fails("DescribeKey", json!({ "KeyId": id })), missing);
    assert_eq!(lab.fails("CancelKeyDeletion", json!({ "KeyId": id })), missing);
    let (code, message) = lab.fails("Decrypt", json!({ "CiphertextBlob": before.blob }));
    assert_eq!(code, "AccessDeniedException");
    assert!(
        message.contains("on the resource associated with this ciphertext because the resource does not exist"),
        "{message}"
    );
    assert_eq!(lab.fails("DescribeKey", json!({ "KeyId": "alias/old" })).0, "NotFoundException");
    assert_eq!(lab.ok("ListKeys", json!({}))["Keys"].as_array().unwrap().len(), 1);
    assert_eq!(lab.engine.account.state.kms.key_state(&arn(&id)), None);
    // The name is free again.
    lab.ok("CreateAlias", json!({ "AliasName": "alias/old", "TargetKeyId": before.other }));
}

#[test]
fn a_cancelled_deletion_leaves_the_key_disabled() {
    let mut lab = Lab::new();
    let id = lab.key();
    lab.ok("ScheduleKeyDeletion", json!({ "KeyId": id, "PendingWindowInDays": 7 }));
    assert_eq!(lab.ok("CancelKeyDeletion", json!({ "KeyId": id })), json!({ "KeyId": arn(&id) }));
    lab.wait(8.0);
    let metadata = lab.ok("DescribeKey", json!({ "KeyId": id }))["KeyMetadata"].clone();
    assert_eq!(metadata["KeyState"], "Disabled");
    assert!(metadata.get("DeletionDate").is_none());
}

#[rstest]
#[case(6, "greater than or equal to 7")]
#[case(31, "less than or equal to 30")]
fn the_waiting_period_has_bounds(#[case] days: i64, #[case] part: &str) {
    let mut lab = Lab::new();
    let id = lab.key();
    let found = lab.fails("ScheduleKeyDeletion", json!({ "KeyId": id, "PendingWindowInDays": days }));
    let message = format!(
        "1 validation error detected: Value '{days}' at 'pendingWindowInDays' failed to satisfy constraint: Member must have value {part}"
    );
    assert_eq!(found, error("ValidationException", message));
}
