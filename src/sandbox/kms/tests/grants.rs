//! Grants: what they allow, their constraints, and who may end them.

use rstest::rstest;
use serde_json::{Value, json};

use super::lab::*;
use crate::sandbox::context::Caller;

/// A lab with a key, alice without any permission, and a grant to her.
fn granted(operations: &[&str], more: Value) -> (Lab, String, Caller, Value) {
    let mut lab = Lab::new();
    let alice = lab.user("alice", None);
    let id = lab.key();
    let mut input = json!({ "KeyId": id, "GranteePrincipal": alice.principal.arn, "Operations": operations });
    for (name, value) in more.as_object().unwrap() {
        input[name] = value.clone();
    }
    let grant = lab.ok("CreateGrant", input);
    (lab, id, alice, grant)
}

#[test]
fn a_grant_allows_its_operations_and_no_others() {
    let (mut lab, id, alice, grant) = granted(&["Encrypt", "DescribeKey"], json!({}));
    let input = json!({ "KeyId": id, "Plaintext": "AA==", "GrantTokens": [grant["GrantToken"]] });
    let blob = lab.call(&alice, "Encrypt", input).unwrap()["CiphertextBlob"].clone();
    lab.call(&alice, "DescribeKey", json!({ "KeyId": id })).unwrap();
    assert_eq!(lab.fails_as(&alice, "Decrypt", json!({ "CiphertextBlob": blob })).0, "AccessDeniedException");
    let bob = lab.user("bob", None);
    assert_eq!(lab.fails_as(&bob, "DescribeKey", json!({ "KeyId": id })).0, "AccessDeniedException");
}

#[rstest]
#[case::equals("EncryptionContextEquals", json!({ "a": "1" }), true)]
#[case::equals_more("EncryptionContextEquals", json!({ "a": "1", "b": "2" }), false)]
#[case::equals_none("EncryptionContextEquals", json!({}), false)]
#[case::subset("EncryptionContextSubset", json!({ "a": "1" }), true)]
#[case::subset_more("EncryptionContextSubset", json!({ "a": "1", "b": "2" }), true)]
#[case::subset_other("EncryptionContextSubset", json!({ "a": "2" }), false)]
#[case::subset_none("EncryptionContextSubset", json!({}), false)]
fn constraints_look_at_the_context(#[case] constraint: &str, #[case] context: Value, #[case] allowed: bool) {
    let constraints = json!({ "Constraints": { constraint: { "a": "1" } } });
    let (mut lab, id, alice, _) = granted(&["Encrypt", "DescribeKey"], constraints.clone());
    let input = json!({ "KeyId": id, "Plaintext": "AA==", "EncryptionContext": context });
    assert_eq!(lab.call(&alice, "Encrypt", input).is_ok(), allowed);
    lab.call(&alice, "DescribeKey", json!({ "KeyId": id })).unwrap();
    assert_eq!(lab.ok("ListGrants", json!({ "KeyId": id }))["Grants"][0]["Constraints"], constraints["Constraints"]);
}

#[test]
fn list_grants_shows_everything_but_the_token() {
    let (mut lab, id, alice, grant) = granted(&["Decrypt", "Decrypt"], json!({ "Name": "n" }));
    let listed = lab.ok("ListGrants", json!({ "KeyId": id }))["Grants"].clone();
    assert_eq!(
        listed,
        json!([{
            "KeyId": arn(&id),
            "GrantId": grant["GrantId"],
            "Name": "n",
            "CreationDate": listed[0]["CreationDate"],
            "GranteePrincipal": alice.principal.arn,
            "IssuingAccount": format!("arn:aws:iam::{ACCOUNT}:root"),
            "Operations": ["Decrypt"],
        }])
    );
    let of = |lab: &mut Lab, filter: Value| {
        let mut input = json!({ "KeyId": id });
        input.as_object_mut().unwrap().extend(filter.as_object().unwrap().clone());
        lab.ok("ListGrants", input)["Grants"].as_array().unwrap().len()
    };
    assert_eq!(of(&mut lab, json!({ "GrantId": grant["GrantId"] })), 1);
    assert_eq!(of(&mut lab, json!({ "GrantId": "none" })), 0);
    assert_eq!(of(&mut lab, json!({ "GranteePrincipal": alice.principal.arn })), 1);
    let admin = lab.admin.principal.arn.clone();
    assert_eq!(of(&mut lab, json!({ "GranteePrincipal": admin })), 0);
}

#[test]
fn a_named_grant_is_made_once() {
    let (mut lab, id, alice, grant) = granted(&["Decrypt"], json!({ "Name": "n" }));
    let input = json!({ "KeyId": id, "GranteePrincipal": alice.principal.arn, "Operations": ["Decrypt"], "Name": "n" });
    assert_eq!(lab.ok("CreateGrant", input.clone())["GrantId"], grant["GrantId"]);
    let mut unnamed = input;
    unnamed.as_object_mut().unwrap().remove("Name");
    assert_ne!(lab.ok("CreateGrant", unnamed)["GrantId"], grant["GrantId"]);
}

#[rstest]
#[case::operation(json!({ "Operations": ["Fly"] }), "ValidationException", "Value '[Fly]' at 'operations'")]
#[case::operations(json!({ "Operations": null }), "ValidationException", "Value null at 'operations'")]
#[case::asymmetric(json!({ "Operations": ["Sign"] }), "ValidationException", "Sign")]
#[case::grantee(json!({ "GranteePrincipal": "arn:aws:iam::111122223333:user/none" }), "InvalidArnException", "none")]
#[case::retiring(json!({ "RetiringPrincipal": "me" }), "InvalidArnException", "me")]
#[case::both(json!({ "Constraints": { "EncryptionContextEquals": {}, "EncryptionContextSubset": {} } }), "ValidationException", "not by both")]
#[case::dry(json!({ "DryRun": true }), "DryRunOperationException", "")]
fn grants_that_cannot_be_made(#[case] wrong: Value, #[case] code: &str, #[case] part: &str) {
    let mut lab = Lab::new();
    let id = lab.key();
    let grantee = lab.admin.principal.arn.clone();
    let mut input = json!({ "KeyId": id, "GranteePrincipal": grantee, "Operations": ["Decrypt"] });
    input.as_object_mut().unwrap().extend(wrong.as_object().unwrap().clone());
    let (found, message) = lab.fails("CreateGrant", input);
    assert!(found == code && message.contains(part), "{found}: {message}");
    assert_eq!(lab.ok("ListGrants", json!({ "KeyId": id }))["Grants"], json!([]));
}

#[test]
fn revoking_ends_a_grant() {
    let (mut lab, id, alice, grant) = granted(&["DescribeKey"], json!({}));
    let input = json!({ "KeyId": id, "GrantId": grant["GrantId"] });
    assert_eq!(lab.fails_as(&alice, "RevokeGrant", input.clone()).0, "AccessDeniedException");
    lab.ok("RevokeGrant", input.clone());
    assert_eq!(lab.fails_as(&alice, "DescribeKey", json!({ "KeyId": id })).0, "AccessDeniedException");
    assert_eq!(lab.fails("RevokeGrant", input).0, "NotFoundException");
}

/// Operations granted to alice, whether alice is the retiring principal, whether she may retire.
#[rstest]
#[case::neither(&["Decrypt"], false, false)]
#[case::operation(&["RetireGrant"], false, true)]
#[case::retiring(&["Decrypt"], true, true)]
fn who_may_retire(#[case] operations: &[&str], #[case] retiring: bool, #[case] may: bool) {
    let more =
        if retiring { json!({ "RetiringPrincipal": format!("arn:aws:iam::{ACCOUNT}:user/alice") }) } else { json!({}) };
    for by_token in [true, false] {
        let (mut lab, id, alice, grant) = granted(operations, more.clone());
        let input = if by_token {
            json!({ "GrantToken": grant["GrantToken"] })
        } else {
            json!({ "KeyId": arn(&id), "GrantId": grant["GrantId"] })
        };
        assert_eq!(lab.call(&alice, "RetireGrant", input).is_ok(), may);
        let left = lab.ok("ListGrants", json!({ "KeyId": id }))["Grants"].as_array().unwrap().len();
        assert_eq!(left, usize::from(!may));
    }
}

#[test]
fn an_explicit_deny_stops_even_the_retiring_principal() {
    let mut lab = Lab::new();
    let alice = lab.user("alice", None);
    let id = lab.key_with(&[for_user("Deny", "alice", &["kms:RetireGrant"])]);
    let arn = alice.principal.arn.clone();
    let input =
        json!({ "KeyId": id, "GranteePrincipal": arn, "RetiringPrincipal": arn, "Operations": ["RetireGrant"] });
    let grant = lab.ok("CreateGrant", input);
    let found = lab.fails_as(&alice, "RetireGrant", json!({ "GrantToken": grant["GrantToken"] }));
    assert!(found.1.ends_with("with an explicit deny in a resource-based policy"), "{found:?}");
}

#[rstest]
#[case::nothing(json!({}), "ValidationException")]
#[case::half(json!({ "KeyId": NO_KEY }), "ValidationException")]
#[case::token(json!({ "GrantToken": "x" }), "InvalidGrantTokenException")]
#[case::key(json!({ "KeyId": NO_KEY, "GrantId": "x" }), "NotFoundException")]
fn grants_that_cannot_be_retired(#[case] input: Value, #[case] code: &str) {
    let mut lab = Lab::new();
    assert_eq!(lab.fails("RetireGrant", input).0, code);
}

#[test]
fn retirable_grants_are_listed_across_keys() {
    let mut lab = Lab::new();
    let retiring = lab.admin.principal.arn.clone();
    for _ in 0..2 {
        let id = lab.key();
        let input = json!({
            "KeyId": id, "GranteePrincipal": retiring, "RetiringPrincipal": retiring, "Operations": ["Decrypt"],
        });
        lab.ok("CreateGrant", input);
    }
    let listed = lab.ok("ListRetirableGrants", json!({ "RetiringPrincipal": retiring }));
    assert_eq!(listed["Grants"].as_array().unwrap().len(), 2);
}

/// What the parent grant gives, what alice tries to hand on, whether she may.
#[rstest]
#[case::same(&["CreateGrant", "Decrypt"], json!({}), &["Decrypt"], json!({}), true)]
#[case::more(&["CreateGrant", "Decrypt"], json!({}), &["Encrypt"], json!({}), false)]
#[case::not_at_all(&["Decrypt"], json!({}), &["Decrypt"], json!({}), false)]
#[case::stricter(&["CreateGrant", "Decrypt"], json!({ "EncryptionContextSubset": { "a": "1" } }), &["Decrypt"], json!({ "EncryptionContextEquals": { "a": "1", "b": "2" } }), true)]
#[case::looser(&["CreateGrant", "Decrypt"], json!({ "EncryptionContextSubset": { "a": "1" } }), &["Decrypt"], json!({}), false)]
#[case::widened(&["CreateGrant", "Decrypt"], json!({ "EncryptionContextEquals": { "a": "1" } }), &["Decrypt"], json!({ "EncryptionContextSubset": { "a": "1" } }), false)]
fn a_grantee_hands_on_no_more_than_it_has(
    #[case] has: &[&str],
    #[case] constraints: Value,
    #[case] gives: &[&str],
    #[case] new_constraints: Value,
    #[case] may: bool,
) {
    let (mut lab, id, alice, _) = granted(has, json!({ "Constraints": constraints }));
    let bob = lab.user("bob", None);
    let input = json!({
        "KeyId": id, "GranteePrincipal": bob.principal.arn, "Operations": gives, "Constraints": new_constraints,
    });
    let result = lab.call(&alice, "CreateGrant", input);
    assert_eq!(result.is_ok(), may, "{result:?}");
}

/// The console's second "key user" statement: a user may let services use the key, and nobody else.
#[test]
fn a_key_user_can_only_grant_to_services() {
    let mut lab = Lab::new();
    let alice = lab.user("alice", None);
    let mut statement = for_user("Allow", "alice", &["kms:CreateGrant", "kms:ListGrants", "kms:RevokeGrant"]);
    statement["Condition"] = json!({ "Bool": { "kms:GrantIsForAWSResource": "true" } });
    let id = lab.key_with(&[statement]);
    let input = json!({ "KeyId": id, "GranteePrincipal": alice.principal.arn, "Operations": ["Decrypt"] });
    assert_eq!(lab.fails_as(&alice, "CreateGrant", input).0, "AccessDeniedException");
}

#[test]
fn conditions_see_what_is_granted() {
    let mut lab = Lab::new();
    let alice = lab.user("alice", None);
    let mut statement = for_user("Allow", "alice", &["kms:CreateGrant"]);
    statement["Condition"] = json!({
        "ForAllValues:StringEquals": { "kms:GrantOperations": ["Encrypt", "Decrypt"] },
        "StringEquals": { "kms:GranteePrincipal": alice.principal.arn },
    });
    let id = lab.key_with(&[statement]);
    let mut input = json!({ "KeyId": id, "GranteePrincipal": alice.principal.arn, "Operations": ["Decrypt"] });
    lab.call(&alice, "CreateGrant", input.clone()).unwrap();
    input["Operations"] = json!(["Decrypt", "GenerateDataKey"]);
    assert_eq!(lab.fails_as(&alice, "CreateGrant", input).0, "AccessDeniedException");
}
