//! Encrypt, Decrypt, GenerateDataKey, ReEncrypt, and rotation.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;
use rstest::rstest;
use serde_json::{Value, json};

use super::lab::*;

fn contexts() -> impl Strategy<Value = BTreeMap<String, String>> {
    proptest::collection::btree_map("[a-zA-Z:é]{1,8}", "[a-z ü]{0,8}", 0..3)
}

thread_local! {
    /// One engine for all cases of a property: opening a database per case would be most of the time.
    static LAB: RefCell<(Lab, String)> = RefCell::new({
        let mut lab = Lab::new();
        let id = lab.key();
        (lab, id)
    });
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn decrypt_gives_back_what_was_encrypted(plain in proptest::collection::vec(any::<u8>(), 1..64), context in contexts()) {
        LAB.with_borrow_mut(|(lab, id)| {
            let blob = lab.encrypt(id, &plain, json!(context));
            let answer = lab.ok("Decrypt", json!({ "CiphertextBlob": blob, "EncryptionContext": context }));
            prop_assert_eq!(bytes(&answer["Plaintext"]), plain);
            prop_assert_eq!(&answer["KeyId"], &json!(arn(id)));
            Ok(())
        })?;
    }

    #[test]
    fn a_changed_blob_never_opens(plain in proptest::collection::vec(any::<u8>(), 1..64), at: prop::sample::Index, bit in 0..8u8) {
        LAB.with_borrow_mut(|(lab, id)| {
            let mut blob = bytes(&json!(lab.encrypt(id, &plain, json!({}))));
            let at = at.index(blob.len());
            blob[at] ^= 1 << bit;
            let (code, _) = lab.fails("Decrypt", json!({ "CiphertextBlob": b64(&blob) }));
            // A changed key id names a key that isn't there.
            let wanted = if (1..17).contains(&at) { "AccessDeniedException" } else { "InvalidCiphertextException" };
            prop_assert_eq!(code, wanted);
            Ok(())
        })?;
    }

    #[test]
    fn another_context_never_opens(made in contexts(), asked in contexts()) {
        prop_assume!(made != asked);
        LAB.with_borrow_mut(|(lab, id)| {
            let blob = lab.encrypt(id, b"plain", json!(made));
            let found = lab.fails("Decrypt", json!({ "CiphertextBlob": blob, "EncryptionContext": asked }));
            prop_assert_eq!(found, error("InvalidCiphertextException", ""));
            Ok(())
        })?;
    }
}

#[test]
fn equal_plaintexts_give_different_blobs() {
    let mut lab = Lab::new();
    let id = lab.key();
    let blobs: BTreeSet<String> = (0..20).map(|_| lab.encrypt(&id, b"same", json!({}))).collect();
    assert_eq!(blobs.len(), 20);
}

#[test]
fn every_way_to_name_the_key_works() {
    let mut lab = Lab::new();
    let id = lab.key();
    lab.ok("CreateAlias", json!({ "AliasName": "alias/lab", "TargetKeyId": id }));
    for name in [id.clone(), arn(&id), "alias/lab".to_owned(), alias_arn("alias/lab")] {
        let blob = lab.encrypt(&name, b"plain", json!({}));
        let answer = lab.ok("Decrypt", json!({ "CiphertextBlob": blob, "KeyId": name }));
        assert_eq!(bytes(&answer["Plaintext"]), b"plain");
        assert_eq!(answer["KeyId"], arn(&id));
        assert_eq!(answer["EncryptionAlgorithm"], "SYMMETRIC_DEFAULT");
    }
}

#[rstest]
#[case::empty(json!({ "Plaintext": "" }), "ValidationException", "1 validation error detected: Value at 'plaintext' failed to satisfy constraint: Member must have length greater than or equal to 1")]
#[case::long(json!({ "Plaintext": b64(&[0; 4097]) }), "ValidationException", "1 validation error detected: Value at 'plaintext' failed to satisfy constraint: Member must have length less than or equal to 4096")]
#[case::absent(json!({}), "ValidationException", "1 validation error detected: Value null at 'plaintext' failed to satisfy constraint: Member must not be null")]
#[case::not_base64(json!({ "Plaintext": "*" }), "SerializationException", "Plaintext is not valid base64")]
#[case::dry(json!({ "Plaintext": "AA==", "DryRun": true }), "DryRunOperationException", "The request would have succeeded, but the DryRun option is set.")]
#[case::token(json!({ "Plaintext": "AA==", "GrantTokens": ["x"] }), "InvalidGrantTokenException", "The grant token is not valid.")]
fn plaintexts_that_are_refused(#[case] mut input: Value, #[case] code: &str, #[case] message: &str) {
    let mut lab = Lab::new();
    input["KeyId"] = json!(lab.key());
    assert_eq!(lab.fails("Encrypt", input), error(code, message));
}

#[test]
fn four_kilobytes_are_enough_for_encrypt() {
    let mut lab = Lab::new();
    let id = lab.key();
    let blob = lab.encrypt(&id, &[7; 4096], json!({}));
    assert_eq!(bytes(&lab.ok("Decrypt", json!({ "CiphertextBlob": blob }))["Plaintext"]), [7; 4096]);
}

#[test]
fn an_algorithm_of_another_kind_of_key_is_refused() {
    let mut lab = Lab::new();
    let id = lab.key();
    let input = json!({ "KeyId": id, "Plaintext": "AA==", "EncryptionAlgorithm": "RSAES_OAEP_SHA_256" });
    assert_eq!(lab.fails("Encrypt", input).0, "InvalidKeyUsageException");
}

#[test]
fn decrypt_refuses_another_key() {
    let mut lab = Lab::new();
    let (one, two) = (lab.key(), lab.key());
    let blob = lab.encrypt(&one, b"plain", json!({}));
    let found = lab.fails("Decrypt", json!({ "CiphertextBlob": blob, "KeyId": two }));
    let message = "The key ID in the request does not identify a CMK that can perform this operation.";
    assert_eq!(found, error("IncorrectKeyException", message));
    let found = lab.fails("Decrypt", json!({ "CiphertextBlob": "AAAA" }));
    assert_eq!(found, error("InvalidCiphertextException", ""));
}

#[rstest]
#[case(json!({ "KeySpec": "AES_256" }), 32)]
#[case(json!({ "KeySpec": "AES_128" }), 16)]
#[case(json!({ "NumberOfBytes": 1024 }), 1024)]
#[case(json!({ "NumberOfBytes": 1 }), 1)]
fn data_keys_decrypt_to_themselves(#[case] mut input: Value, #[case] length: usize) {
    let mut lab = Lab::new();
    let id = lab.key();
    input["KeyId"] = json!(id);
    input["EncryptionContext"] = json!({ "a": "b" });
    let key = lab.ok("GenerateDataKey", input.clone());
    assert_eq!(key["KeyId"], arn(&id));
    assert_eq!(bytes(&key["Plaintext"]).len(), length);
    let opened =
        lab.ok("Decrypt", json!({ "CiphertextBlob": key["CiphertextBlob"], "EncryptionContext": { "a": "b" } }));
    assert_eq!(opened["Plaintext"], key["Plaintext"]);
    assert_eq!(opened["KeyMaterialId"], key["KeyMaterialId"]);

    let key = lab.ok("GenerateDataKeyWithoutPlaintext", input);
    assert!(key.get("Plaintext").is_none());
    let opened =
        lab.ok("Decrypt", json!({ "CiphertextBlob": key["CiphertextBlob"], "EncryptionContext": { "a": "b" } }));
    assert_eq!(bytes(&opened["Plaintext"]).len(), length);
}

#[rstest]
#[case(json!({}), "Please specify either number of bytes or key spec.")]
#[case(json!({ "KeySpec": "AES_256", "NumberOfBytes": 32 }), "Please specify either number of bytes or key spec.")]
#[case(json!({ "KeySpec": "AES_512" }), "1 validation error detected: Value 'AES_512' at 'keySpec' failed to satisfy constraint: Member must satisfy enum value set: [AES_256, AES_128]")]
#[case(json!({ "NumberOfBytes": 1025 }), "1 validation error detected: Value '1025' at 'numberOfBytes' failed to satisfy constraint: Member must have value less than or equal to 1024")]
#[case(json!({ "NumberOfBytes": 0 }), "1 validation error detected: Value '0' at 'numberOfBytes' failed to satisfy constraint: Member must have value greater than or equal to 1")]
fn data_keys_that_cannot_be_made(#[case] mut input: Value, #[case] message: &str) {
    let mut lab = Lab::new();
    input["KeyId"] = json!(lab.key());
    assert_eq!(lab.fails("GenerateDataKey", input), error("ValidationException", message));
}

#[test]
fn re_encrypt_moves_a_plaintext_to_another_key_and_context() {
    let mut lab = Lab::new();
    let (one, two) = (lab.key(), lab.key());
    let blob = lab.encrypt(&one, b"plain", json!({ "a": "b" }));
    let input = json!({
        "CiphertextBlob": blob,
        "SourceEncryptionContext": { "a": "b" },
        "DestinationKeyId": two,
        "DestinationEncryptionContext": { "c": "d" },
    });
    let answer = lab.ok("ReEncrypt", input);
    assert_eq!((&answer["SourceKeyId"], &answer["KeyId"]), (&json!(arn(&one)), &json!(arn(&two))));
    let input = json!({ "CiphertextBlob": answer["CiphertextBlob"], "EncryptionContext": { "c": "d" } });
    let opened = lab.ok("Decrypt", input);
    assert_eq!(bytes(&opened["Plaintext"]), b"plain");
    assert_eq!(opened["KeyId"], arn(&two));
    let wrong = json!({ "CiphertextBlob": blob, "DestinationKeyId": two });
    assert_eq!(lab.fails("ReEncrypt", wrong).0, "InvalidCiphertextException");
    let wrong = json!({ "CiphertextBlob": blob, "DestinationKeyId": two, "SourceKeyId": two, "SourceEncryptionContext": { "a": "b" } });
    assert_eq!(lab.fails("ReEncrypt", wrong).0, "IncorrectKeyException");
}

#[test]
fn blobs_from_before_a_rotation_still_open() {
    let mut lab = Lab::new();
    let id = lab.key();
    let mut blobs = vec![lab.encrypt(&id, b"plain", json!({}))];
    let mut materials = BTreeSet::new();
    for _ in 0..3 {
        assert_eq!(lab.ok("RotateKeyOnDemand", json!({ "KeyId": id })), json!({ "KeyId": arn(&id) }));
        blobs.push(lab.encrypt(&id, b"plain", json!({})));
    }
    for blob in blobs {
        let opened = lab.ok("Decrypt", json!({ "CiphertextBlob": blob }));
        assert_eq!(bytes(&opened["Plaintext"]), b"plain");
        materials.insert(text(&opened["KeyMaterialId"]));
    }
    assert_eq!(materials.len(), 4);
    let rotations = lab.ok("ListKeyRotations", json!({ "KeyId": id }));
    assert_eq!(rotations["Rotations"].as_array().unwrap().len(), 3);
    assert_eq!(rotations["Rotations"][2]["KeyMaterialState"], "CURRENT");
    assert_eq!(rotations["Rotations"][2]["RotationType"], "ON_DEMAND");
    let all = lab.ok("ListKeyRotations", json!({ "KeyId": id, "IncludeKeyMaterial": "ALL_KEY_MATERIAL" }));
    assert_eq!(all["Rotations"].as_array().unwrap().len(), 4);
    for _ in 3..25 {
        lab.ok("RotateKeyOnDemand", json!({ "KeyId": id }));
    }
    assert_eq!(lab.fails("RotateKeyOnDemand", json!({ "KeyId": id })).0, "LimitExceededException");
}

#[test]
fn automatic_rotation_happens_on_the_sandbox_clock() {
    let mut lab = Lab::new();
    let id = lab.key();
    let status = lab.ok("GetKeyRotationStatus", json!({ "KeyId": id }));
    assert_eq!(status, json!({ "KeyRotationEnabled": false, "KeyId": arn(&id) }));
    let next = lab.engine.account.state.clock.epoch_seconds() + 90.0 * 86_400.0;
    lab.ok("EnableKeyRotation", json!({ "KeyId": id, "RotationPeriodInDays": 90 }));
    assert_eq!(
        lab.ok("GetKeyRotationStatus", json!({ "KeyId": id })),
        json!({ "KeyRotationEnabled": true, "KeyId": arn(&id), "RotationPeriodInDays": 90, "NextRotationDate": next })
    );
    let material =
        |lab: &mut Lab| text(&lab.ok("DescribeKey", json!({ "KeyId": id }))["KeyMetadata"]["CurrentKeyMaterialId"]);
    let blob = lab.encrypt(&id, b"plain", json!({}));
    let first = material(&mut lab);
    lab.wait(89.0);
    assert_eq!(material(&mut lab), first);
    lab.wait(1.0);
    let second = material(&mut lab);
    assert_ne!(second, first);
    assert_eq!(bytes(&lab.ok("Decrypt", json!({ "CiphertextBlob": blob }))["Plaintext"]), b"plain");
    lab.wait(365.0);
    assert_ne!(material(&mut lab), second);
    let rotations = lab.ok("ListKeyRotations", json!({ "KeyId": id }));
    assert_eq!(rotations["Rotations"][0]["RotationType"], "AUTOMATIC");
    assert_eq!(rotations["Rotations"][0]["RotationDate"], next);
    lab.ok("DisableKeyRotation", json!({ "KeyId": id }));
    let third = material(&mut lab);
    lab.wait(365.0);
    assert_eq!(material(&mut lab), third);
    let wrong = lab.fails("EnableKeyRotation", json!({ "KeyId": id, "RotationPeriodInDays": 89 }));
    assert_eq!(wrong.0, "ValidationException");
}

#[test]
fn periods_that_nobody_was_there_for_make_one_material() {
    let mut lab = Lab::new();
    let id = lab.key();
    lab.ok("EnableKeyRotation", json!({ "KeyId": id, "RotationPeriodInDays": 90 }));
    let first = lab.ok("GetKeyRotationStatus", json!({ "KeyId": id }))["NextRotationDate"].as_f64().unwrap();
    lab.wait(400.0); // due on days 90, 180, 270 and 360
    let rotations = lab.ok("ListKeyRotations", json!({ "KeyId": id }))["Rotations"].clone();
    assert_eq!(rotations.as_array().unwrap().len(), 1);
    assert_eq!(rotations[0]["RotationDate"], first + 270.0 * 86_400.0);
    let status = lab.ok("GetKeyRotationStatus", json!({ "KeyId": id }));
    assert_eq!(status["NextRotationDate"], first + 360.0 * 86_400.0);
}
