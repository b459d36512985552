//! Keys with a public half: what they sign, encrypt and refuse.

use std::path::Path;
use std::process::Command;

use rstest::rstest;
use serde_json::{Value, json};

use super::lab::*;
use crate::sandbox::config::Config;

fn sign(lab: &mut Lab, input: &Value) -> Value {
    lab.ok("Sign", input.clone())["Signature"].clone()
}

#[rstest]
#[case("ECC_NIST_P256", &["ECDSA_SHA_256"])]
#[case("ECC_NIST_P384", &["ECDSA_SHA_384"])]
#[case("ECC_NIST_P521", &["ECDSA_SHA_512"])]
#[case("RSA_2048", &["RSASSA_PKCS1_V1_5_SHA_256", "RSASSA_PKCS1_V1_5_SHA_384", "RSASSA_PKCS1_V1_5_SHA_512", "RSASSA_PSS_SHA_256", "RSASSA_PSS_SHA_384", "RSASSA_PSS_SHA_512"])]
fn signatures_are_made_and_verified(#[case] spec: &str, #[case] algorithms: &[&str]) {
    let mut lab = Lab::new();
    let made = lab.ok("CreateKey", json!({ "KeySpec": spec, "KeyUsage": "SIGN_VERIFY" }));
    let metadata = &made["KeyMetadata"];
    assert_eq!((&metadata["KeySpec"], &metadata["SigningAlgorithms"]), (&json!(spec), &json!(algorithms)));
    assert!(metadata.get("CurrentKeyMaterialId").is_none() && metadata.get("EncryptionAlgorithms").is_none());
    let id = text(&metadata["KeyId"]);
    for algorithm in algorithms {
        let raw = json!({ "KeyId": id, "Message": b64(b"text"), "SigningAlgorithm": algorithm });
        let signature = sign(&mut lab, &raw);
        let mut check = raw.clone();
        check["Signature"] = signature.clone();
        let valid = json!({ "KeyId": arn(&id), "SignatureValid": true, "SigningAlgorithm": algorithm });
        assert_eq!(lab.ok("Verify", check.clone()), valid);
        // The same signature for the digest of the message.
        let hash = match &algorithm[algorithm.len() - 3..] {
            "256" => &aws_lc_rs::digest::SHA256,
            "384" => &aws_lc_rs::digest::SHA384,
            _ => &aws_lc_rs::digest::SHA512,
        };
        check["Message"] = json!(b64(aws_lc_rs::digest::digest(hash, b"text").as_ref()));
        check["MessageType"] = json!("DIGEST");
        assert_eq!(lab.ok("Verify", check.clone()), valid);
        let mut digest = check.clone();
        digest.as_object_mut().unwrap().remove("Signature");
        check["Signature"] = sign(&mut lab, &digest);
        lab.ok("Verify", check.clone());
        check["Message"] = json!(b64(b"text"));
        let message = format!("Digest is invalid length for algorithm {algorithm}.");
        assert_eq!(lab.fails("Verify", check.clone()), error("ValidationException", message));
        check["MessageType"] = json!("RAW");
        check["Message"] = json!(b64(b"another"));
        assert_eq!(lab.fails("Verify", check), error("KMSInvalidSignatureException", ""));
    }
}

#[rstest]
#[case("RSA_2048", "RSAES_OAEP_SHA_1", 214)]
#[case("RSA_2048", "RSAES_OAEP_SHA_256", 190)]
#[case("RSA_3072", "RSAES_OAEP_SHA_256", 318)]
fn rsa_encrypts_and_decrypts(#[case] spec: &str, #[case] algorithm: &str, #[case] most: usize) {
    let mut lab = Lab::new();
    let id = lab.key_of(spec, "ENCRYPT_DECRYPT");
    let mut input = json!({ "KeyId": id, "Plaintext": b64(&vec![7; most]), "EncryptionAlgorithm": algorithm });
    let made = lab.ok("Encrypt", input.clone());
    assert_eq!((&made["KeyId"], &made["EncryptionAlgorithm"]), (&json!(arn(&id)), &json!(algorithm)));
    input["Plaintext"] = json!(b64(&vec![7; most + 1]));
    let long = format!("Algorithm {algorithm} and key spec {spec} cannot encrypt data larger than {most} bytes.");
    assert_eq!(lab.fails("Encrypt", input), error("ValidationException", long));
    let mut asked = json!({ "KeyId": id, "CiphertextBlob": made["CiphertextBlob"], "EncryptionAlgorithm": algorithm });
    let opened = lab.ok("Decrypt", asked.clone());
    assert_eq!(bytes(&opened["Plaintext"]), vec![7; most]);
    assert!(opened.get("KeyMaterialId").is_none());
    asked["CiphertextBlob"] = json!(b64(b"no ciphertext"));
    assert_eq!(lab.fails("Decrypt", asked.clone()), error("InvalidCiphertextException", ""));
    asked.as_object_mut().unwrap().remove("EncryptionAlgorithm");
    let message = format!("Algorithm SYMMETRIC_DEFAULT is incompatible with key spec {spec}.");
    assert_eq!(lab.fails("Decrypt", asked), error("InvalidKeyUsageException", message));
    // From one kind to the other.
    let plain = lab.key();
    let moved = json!({ "CiphertextBlob": made["CiphertextBlob"], "SourceKeyId": id, "SourceEncryptionAlgorithm": algorithm, "DestinationKeyId": plain });
    let moved = lab.ok("ReEncrypt", moved);
    assert!(moved.get("SourceKeyMaterialId").is_none() && moved.get("DestinationKeyMaterialId").is_some());
    let opened = lab.ok("Decrypt", json!({ "CiphertextBlob": moved["CiphertextBlob"] }));
    assert_eq!(bytes(&opened["Plaintext"]), vec![7; most]);
}

#[test]
fn elliptic_keys_follow_from_the_seed() {
    let public = || {
        let mut lab = Lab::new();
        let id = lab.key_of("ECC_NIST_P521", "SIGN_VERIFY");
        lab.ok("GetPublicKey", json!({ "KeyId": id }))
    };
    let one = public();
    assert_eq!(one, public());
    assert_eq!((&one["KeyUsage"], &one["SigningAlgorithms"]), (&json!("SIGN_VERIFY"), &json!(["ECDSA_SHA_512"])));
}

#[rstest]
#[case("RSA_2048")]
#[case("ECC_NIST_P256")]
#[case("ECC_NIST_P384")]
fn a_data_key_pair_comes_sealed(#[case] spec: &str) {
    let mut lab = Lab::new();
    let id = lab.key();
    let input = json!({ "KeyId": id, "KeyPairSpec": spec, "EncryptionContext": { "a": "b" } });
    let made = lab.ok("GenerateDataKeyPair", input.clone());
    assert_eq!((&made["KeyId"], &made["KeyPairSpec"]), (&json!(arn(&id)), &json!(spec)));
    let sealed = json!({ "CiphertextBlob": made["PrivateKeyCiphertextBlob"], "EncryptionContext": { "a": "b" } });
    assert_eq!(lab.ok("Decrypt", sealed)["Plaintext"], made["PrivateKeyPlaintext"]);
    let other = lab.fails("Decrypt", json!({ "CiphertextBlob": made["PrivateKeyCiphertextBlob"] }));
    assert_eq!(other, error("InvalidCiphertextException", ""));
    let without = lab.ok("GenerateDataKeyPairWithoutPlaintext", input);
    assert!(without.get("PrivateKeyPlaintext").is_none() && without["PublicKey"] != made["PublicKey"]);
}

#[test]
fn private_keys_are_there_after_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let config = Config { data: Some(folder.path().to_owned()), ..Config::default() };
    let mut lab = Lab::open(&config);
    let id = lab.key_of("RSA_2048", "SIGN_VERIFY");
    let mut input = json!({ "KeyId": id, "Message": "AA==", "SigningAlgorithm": "RSASSA_PSS_SHA_256" });
    input["Signature"] = sign(&mut lab, &input);
    let private = lab.engine.account.state.kms.key(&id).unwrap().current().key.clone();
    drop(lab);
    for file in std::fs::read_dir(folder.path()).unwrap() {
        let path = file.unwrap().path();
        let Ok(stored) = std::fs::read(&path) else { continue };
        // The end of the modulus and the private exponent.
        let part = &private.expose()[400..432];
        assert!(!stored.windows(part.len()).any(|window| window == part), "{}", path.display());
    }
    Lab::open(&config).ok("Verify", input);
}

#[test]
fn what_asymmetric_keys_cannot_do() {
    let mut lab = Lab::new();
    let (sign, rsa) = (lab.key_of("ECC_NIST_P256", "SIGN_VERIFY"), lab.key_of("RSA_2048", "ENCRYPT_DECRYPT"));
    let plain = lab.key();
    let refused = |id: &str, usage: &str, operation: &str| {
        let message = format!("{} key usage is {usage} which is not valid for {operation}.", arn(id));
        error("InvalidKeyUsageException", message)
    };
    let input = json!({ "KeyId": sign, "Plaintext": "AA==" });
    assert_eq!(lab.fails("Encrypt", input), refused(&sign, "SIGN_VERIFY", "Encrypt"));
    let input = json!({ "KeyId": rsa, "Message": "AA==", "SigningAlgorithm": "RSASSA_PSS_SHA_256" });
    assert_eq!(lab.fails("Sign", input), refused(&rsa, "ENCRYPT_DECRYPT", "Sign"));
    let input = json!({ "KeyId": plain, "Message": "AA==", "SigningAlgorithm": "ECDSA_SHA_256", "Signature": "AA==" });
    assert_eq!(lab.fails("Verify", input), refused(&plain, "ENCRYPT_DECRYPT", "Verify"));
    let input = json!({ "KeyId": sign, "Message": "AA==", "SigningAlgorithm": "ECDSA_SHA_384" });
    let message = "Algorithm ECDSA_SHA_384 is incompatible with key spec ECC_NIST_P256.";
    assert_eq!(lab.fails("Sign", input), error("InvalidKeyUsageException", message));
    let input = json!({ "KeyId": rsa, "KeySpec": "AES_256" });
    assert_eq!(lab.fails("GenerateDataKey", input).0, "InvalidKeyUsageException");
    assert_eq!(lab.fails("GetPublicKey", json!({ "KeyId": plain })).0, "UnsupportedOperationException");
    assert_eq!(lab.fails("EnableKeyRotation", json!({ "KeyId": rsa })).0, "UnsupportedOperationException");
    let input = json!({ "KeySpec": "ECC_NIST_P256", "KeyUsage": "ENCRYPT_DECRYPT" });
    let message = "KeyUsage ENCRYPT_DECRYPT is not compatible with KeySpec ECC_NIST_P256";
    assert_eq!(lab.fails("CreateKey", input), error("ValidationException", message));
    let input = json!({ "KeyId": rsa, "Plaintext": "AA==", "EncryptionAlgorithm": "RSAES_OAEP_SHA_256", "EncryptionContext": { "a": "b" } });
    assert_eq!(lab.fails("Encrypt", input).0, "ValidationException");
    let input = json!({ "KeyId": plain, "KeyPairSpec": "SM2" });
    assert_eq!(lab.fails("GenerateDataKeyPair", input).0, "UnsupportedOperationException");
    lab.ok("DisableKey", json!({ "KeyId": sign }));
    assert_eq!(lab.fails("GetPublicKey", json!({ "KeyId": sign })).0, "DisabledException");
}

#[test]
fn signing_needs_a_permission() {
    let mut lab = Lab::new();
    let alice = lab.user("alice", Some(allow(&["kms:GetPublicKey", "kms:Sign"])));
    let id = lab.key_of("ECC_NIST_P256", "SIGN_VERIFY");
    let input = json!({ "KeyId": id, "Message": "AA==", "SigningAlgorithm": "ECDSA_SHA_256", "Signature": "AA==" });
    assert!(lab.call(&alice, "GetPublicKey", json!({ "KeyId": id })).is_ok());
    assert!(lab.call(&alice, "Sign", input.clone()).is_ok());
    assert_eq!(lab.fails_as(&alice, "Verify", input.clone()).0, "AccessDeniedException");
    let deny = key_policy(&[for_user("Deny", "alice", &["kms:Sign"])]);
    lab.ok("PutKeyPolicy", json!({ "KeyId": id, "Policy": deny }));
    let (code, message) = lab.fails_as(&alice, "Sign", input);
    assert_eq!(code, "AccessDeniedException");
    assert!(message.ends_with("with an explicit deny in a resource-based policy"), "{message}");
}

#[test]
fn dry_runs_of_key_pairs_show_nothing() {
    let mut lab = Lab::new();
    let (plain, sign) = (lab.key(), lab.key_of("ECC_NIST_P256", "SIGN_VERIFY"));
    let alice = lab.user("alice", None);
    let message = "The request would have succeeded, but the DryRun option is set.";
    for (operation, mut input) in [
        ("GenerateDataKeyPair", json!({ "KeyId": plain, "KeyPairSpec": "RSA_4096" })),
        ("GenerateDataKeyPairWithoutPlaintext", json!({ "KeyId": plain, "KeyPairSpec": "RSA_4096" })),
        ("Sign", json!({ "KeyId": sign, "Message": "AA==", "SigningAlgorithm": "ECDSA_SHA_256" })),
        (
            "Verify",
            json!({ "KeyId": sign, "Message": "AA==", "SigningAlgorithm": "ECDSA_SHA_256", "Signature": "AA==" }),
        ),
    ] {
        input["DryRun"] = json!(true);
        assert_eq!(lab.fails(operation, input.clone()), error("DryRunOperationException", message), "{operation}");
        assert_eq!(lab.fails_as(&alice, operation, input).0, "AccessDeniedException", "{operation}");
    }
}

fn openssl(folder: &Path, arguments: &[&str]) -> bool {
    Command::new("openssl").args(arguments).current_dir(folder).output().unwrap().status.success()
}

#[test]
fn openssl_understands_it() {
    if Command::new("openssl").arg("version").output().is_err() {
        eprintln!("no openssl: nothing compared");
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    let write = |name: &str, bytes: &[u8]| std::fs::write(at.join(name), bytes).unwrap();
    let mut lab = Lab::new();
    let id = lab.key_of("RSA_2048", "ENCRYPT_DECRYPT");
    write("rsa.der", &bytes(&lab.ok("GetPublicKey", json!({ "KeyId": id }))["PublicKey"]));
    write("text", b"text");
    for (algorithm, hash) in [("RSAES_OAEP_SHA_1", "sha1"), ("RSAES_OAEP_SHA_256", "sha256")] {
        let (oaep, mgf) = (format!("rsa_oaep_md:{hash}"), format!("rsa_mgf1_md:{hash}"));
        let encrypt = ["pkeyutl", "-encrypt", "-pubin", "-inkey", "rsa.der", "-keyform", "DER", "-in", "text"];
        let padding = ["-out", "sealed", "-pkeyopt", "rsa_padding_mode:oaep", "-pkeyopt", &oaep, "-pkeyopt", &mgf];
        assert!(openssl(at, &[&encrypt[..], &padding].concat()), "{algorithm}");
        let blob = b64(&std::fs::read(at.join("sealed")).unwrap());
        let input = json!({ "KeyId": id, "CiphertextBlob": blob, "EncryptionAlgorithm": algorithm });
        assert_eq!(bytes(&lab.ok("Decrypt", input)["Plaintext"]), b"text");
    }
    for (spec, algorithm, hash) in
        [("ECC_NIST_P256", "ECDSA_SHA_256", "-sha256"), ("RSA_2048", "RSASSA_PKCS1_V1_5_SHA_384", "-sha384")]
    {
        let id = lab.key_of(spec, "SIGN_VERIFY");
        write("public.der", &bytes(&lab.ok("GetPublicKey", json!({ "KeyId": id }))["PublicKey"]));
        let input = json!({ "KeyId": id, "Message": b64(b"text"), "SigningAlgorithm": algorithm });
        write("signature", &bytes(&sign(&mut lab, &input)));
        assert!(openssl(at, &["pkey", "-pubin", "-inform", "DER", "-in", "public.der", "-out", "public.pem"]));
        assert!(openssl(at, &["dgst", hash, "-verify", "public.pem", "-signature", "signature", "text"]), "{spec}");
    }
    let plain = lab.key();
    let pair = lab.ok("GenerateDataKeyPair", json!({ "KeyId": plain, "KeyPairSpec": "ECC_NIST_P384" }));
    write("private.der", &bytes(&pair["PrivateKeyPlaintext"]));
    assert!(openssl(
        at,
        &["pkey", "-inform", "DER", "-in", "private.der", "-pubout", "-outform", "DER", "-out", "p.der"]
    ));
    assert_eq!(std::fs::read(at.join("p.der")).unwrap(), bytes(&pair["PublicKey"]));
}
