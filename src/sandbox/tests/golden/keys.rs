//! Calls about the kinds of keys, and about the trail of all calls.

use serde_json::json;

use super::{Recorder, text_at};
use crate::sandbox::service::Service;

impl Recorder {
    /// The calls to KMS above, as CloudTrail shows them.
    pub(super) fn event_history(&mut self) {
        let decrypts = json!([{ "AttributeKey": "EventName", "AttributeValue": "Decrypt" }]);
        for input in [
            json!({ "LookupAttributes": decrypts, "MaxResults": 2 }),
            json!({ "LookupAttributes": [{ "AttributeKey": "Name", "AttributeValue": "" }], "MaxResults": 51 }),
            json!({ "StartTime": 2, "EndTime": 1 }),
            json!({ "NextToken": "x" }),
        ] {
            self.json("admin", Service::CloudTrail, "LookupEvents", &input.to_string());
        }
        self.json("carol", Service::CloudTrail, "LookupEvents", "{}");
    }

    pub(super) fn codes(&mut self) {
        self.kms("admin", "GenerateRandom", json!({ "NumberOfBytes": 16 }));
        self.kms("carol", "GenerateRandom", json!({ "NumberOfBytes": 16 }));
        let made = self.kms("admin", "CreateKey", json!({ "KeySpec": "HMAC_256", "KeyUsage": "GENERATE_VERIFY_MAC" }));
        let key = text_at(&made, "/KeyMetadata/KeyId");
        let mut input = json!({ "KeyId": key, "Message": "AAAA", "MacAlgorithm": "HMAC_SHA_256" });
        let mac = text_at(&self.kms("admin", "GenerateMac", input.clone()), "/Mac");
        self.kms("carol", "GenerateMac", input.clone());
        input["Mac"] = json!(mac);
        self.kms("admin", "VerifyMac", input.clone());
        input["Message"] = json!("AAAB");
        self.kms("admin", "VerifyMac", input.clone());
        self.kms("carol", "VerifyMac", input);
    }

    /// Nothing that works: RSA keys and signatures don't follow from the seed.
    pub(super) fn key_pairs(&mut self) {
        let made = self.kms("admin", "CreateKey", json!({ "KeySpec": "ECC_NIST_P256", "KeyUsage": "SIGN_VERIFY" }));
        let key = text_at(&made, "/KeyMetadata/KeyId");
        for who in ["admin", "carol"] {
            self.kms(who, "GetPublicKey", json!({ "KeyId": key }));
            let input = json!({ "KeyId": key, "Message": "AAAA", "SigningAlgorithm": "ECDSA_SHA_384" });
            self.kms(who, "Sign", input);
            let input =
                json!({ "KeyId": key, "Message": "AAAA", "SigningAlgorithm": "ECDSA_SHA_256", "Signature": "AAAA" });
            self.kms(who, "Verify", input);
            for operation in ["GenerateDataKeyPair", "GenerateDataKeyPairWithoutPlaintext"] {
                self.kms(who, operation, json!({ "KeyId": key, "KeyPairSpec": "ECC_NIST_P256" }));
            }
        }
    }
}
