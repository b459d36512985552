//! The creator of a table must be allowed to use its key.

use rstest::rstest;
use serde_json::{Value, json};

use super::lab::{Lab, create, customer};

/// The key policy that CDK wrote before its feature flag (aws-cdk issue 18616), with more actions of the account's.
fn policy(more: &[&str]) -> String {
    let text = include_str!("../../testdata/cdk18616-legacy-key-policy.json");
    let mut policy: Value = serde_json::from_str(text).unwrap();
    policy["Statement"][0]["Action"].as_array_mut().unwrap().extend(more.iter().map(|action| json!(action)));
    policy.to_string()
}

pub fn key(lab: &mut Lab, more: &[&str]) -> String {
    let metadata = lab.kms("CreateKey", json!({ "Policy": policy(more) }))["KeyMetadata"].clone();
    metadata["Arn"].as_str().unwrap().to_owned()
}

#[test]
fn a_key_that_its_creator_cannot_use_makes_no_table() {
    let mut lab = Lab::new();
    let key = key(&mut lab, &[]);
    let (code, message) = lab.fails("CreateTable", create("music", customer(&key)));
    assert_eq!(code, "AccessDeniedException");
    let opening = "KMS key access denied error: com.amazonaws.services.kms.model.AWSKMSException: User: ";
    assert!(message.starts_with(opening), "{message}");
    assert_eq!(lab.ok("ListTables", json!({}))["TableNames"], json!([]));
    assert_eq!(lab.kms("ListGrants", json!({ "KeyId": key }))["Grants"], json!([]));
}

#[rstest]
#[case("kms:Encrypt")]
#[case("kms:Decrypt")]
fn either_permission_is_enough_to_create(#[case] action: &str) {
    let mut lab = Lab::new();
    let key = key(&mut lab, &[action]);
    lab.ok("CreateTable", create("music", customer(&key)));
}
