//! Who may: key policies, identity policies, and the wording of refusals.

use rstest::rstest;
use serde_json::{Value, json};

use super::lab::*;
use crate::sandbox::service::Service;

fn denied(user: &str, action: &str, resource: &str, reason: &str) -> (String, String) {
    let message = format!(
        "User: arn:aws:iam::{ACCOUNT}:user/{user} is not authorized to perform: {action} on resource: {resource}{reason}"
    );
    error("AccessDeniedException", message)
}

/// Key policy statement for alice, identity policy of alice, the refusal's reason (none: allowed).
#[rstest]
#[case::nothing(None, None, Some(" because no identity-based policy allows the kms:Decrypt action"))]
#[case::identity(None, Some(allow(&["kms:Decrypt"])), None)]
#[case::identity_of_another_action(None, Some(allow(&["kms:Encrypt"])), Some(" because no identity-based policy allows the kms:Decrypt action"))]
#[case::key_policy(Some(for_user("Allow", "alice", &["kms:Decrypt"])), None, None)]
#[case::key_policy_denies(Some(for_user("Deny", "alice", &["kms:Decrypt"])), Some(allow(&["kms:*"])), Some(" with an explicit deny in a resource-based policy"))]
#[case::identity_denies(
    Some(for_user("Allow", "alice", &["kms:*"])),
    Some(json!({ "Version": "2012-10-17", "Statement": [{ "Effect": "Deny", "Action": "kms:Decrypt", "Resource": "*" }] })),
    Some(" with an explicit deny in an identity-based policy")
)]
fn decrypt_as_alice(#[case] statement: Option<Value>, #[case] identity: Option<Value>, #[case] reason: Option<&str>) {
    let mut lab = Lab::new();
    let alice = lab.user("alice", identity);
    let id = lab.key_with(statement.as_slice());
    let blob = lab.encrypt(&id, b"plain", json!({}));
    let input = json!({ "CiphertextBlob": blob });
    match reason {
        None => assert_eq!(bytes(&lab.call(&alice, "Decrypt", input).unwrap()["Plaintext"]), b"plain"),
        Some(reason) => {
            let found = lab.fails_as(&alice, "Decrypt", input);
            assert_eq!(found, denied("alice", "kms:Decrypt", &arn(&id), reason));
        }
    }
    let record = lab.engine.account.decisions.all().pop().unwrap();
    assert_eq!((record.action.as_str(), record.resource), ("kms:Decrypt", arn(&id)));
    assert_eq!((record.principal, record.request_id), (alice.principal.arn.clone(), "ANSWER".to_owned()));
    assert_eq!(record.decision.is_allowed(), reason.is_none());
}

#[test]
fn without_the_root_statement_iam_does_not_count() {
    let mut lab = Lab::new();
    let alice = lab.user("alice", Some(allow(&["kms:*"])));
    let policy = json!({ "Version": "2012-10-17", "Statement": [for_user("Allow", "kmslab-admin", &["kms:*"])] });
    let id = text(&lab.ok("CreateKey", json!({ "Policy": policy.to_string() }))["KeyMetadata"]["KeyId"]);
    let found = lab.fails_as(&alice, "DescribeKey", json!({ "KeyId": id }));
    let reason = " because no resource-based policy allows the kms:DescribeKey action";
    assert_eq!(found, denied("alice", "kms:DescribeKey", &arn(&id), reason));
}

#[rstest]
#[case("CreateKey", "kms:CreateKey")]
#[case("ListKeys", "kms:ListKeys")]
#[case("ListAliases", "kms:ListAliases")]
fn operations_without_a_key_need_an_identity_policy(#[case] operation: &str, #[case] action: &str) {
    let mut lab = Lab::new();
    let alice = lab.user("alice", None);
    let found = lab.fails_as(&alice, operation, json!({}));
    let reason = format!(" because no identity-based policy allows the {action} action");
    assert_eq!(found, denied("alice", action, "*", &reason));
    let bob = lab.user("bob", Some(allow(&[action])));
    lab.call(&bob, operation, json!({})).unwrap();
}

#[test]
fn a_missing_key_is_told_only_to_those_who_might_ask() {
    let mut lab = Lab::new();
    let alice = lab.user("alice", None);
    let bob = lab.user("bob", Some(allow(&["kms:DescribeKey"])));
    let foreign = arn(NO_KEY).replace(ACCOUNT, "999988887777");
    let hidden = |user: &str| {
        error(
            "AccessDeniedException",
            format!(
                "User: arn:aws:iam::{ACCOUNT}:user/{user} is not authorized to perform: kms:DescribeKey on this resource \
                 because the resource does not exist in this Region, no resource-based policies allow access, or a \
                 resource-based policy explicitly denies access"
            ),
        )
    };
    let missing = error("NotFoundException", format!("Key '{}' does not exist", arn(NO_KEY)));
    for (who, key, expected) in [
        (&alice, NO_KEY, hidden("alice")),
        (&bob, NO_KEY, missing),
        (&alice, foreign.as_str(), hidden("alice")),
        (&bob, foreign.as_str(), hidden("bob")),
    ] {
        assert_eq!(lab.fails_as(who, "DescribeKey", json!({ "KeyId": key })), expected);
        assert!(!lab.engine.account.decisions.all().is_empty());
    }
}

#[test]
fn the_refusal_comes_before_the_state() {
    let mut lab = Lab::new();
    let alice = lab.user("alice", None);
    let id = lab.key();
    lab.ok("DisableKey", json!({ "KeyId": id }));
    let (code, _) = lab.fails_as(&alice, "Encrypt", json!({ "KeyId": id, "Plaintext": "AA==" }));
    assert_eq!(code, "AccessDeniedException");
}

#[rstest]
#[case::tagged(json!([{ "TagKey": "team", "TagValue": "red" }]), true)]
#[case::tagged_otherwise(json!([{ "TagKey": "team", "TagValue": "blue" }]), false)]
#[case::untagged(json!([]), false)]
fn a_policy_can_demand_a_tag_of_a_new_key(#[case] tags: Value, #[case] allowed: bool) {
    let mut lab = Lab::new();
    let alice = lab.user(
        "alice",
        Some(json!({ "Version": "2012-10-17", "Statement": [
            { "Effect": "Allow", "Action": "kms:TagResource", "Resource": "*" },
            {
                "Effect": "Allow",
                "Action": "kms:CreateKey",
                "Resource": "*",
                "Condition": { "StringEquals": { "aws:RequestTag/team": "red" } },
            },
        ] })),
    );
    match lab.call(&alice, "CreateKey", json!({ "Tags": tags })) {
        Ok(_) => assert!(allowed),
        Err(error) => {
            assert_eq!(error.code(Service::Kms), "AccessDeniedException");
            assert!(!allowed && error.message(Service::Kms).as_deref().unwrap().contains("kms:CreateKey"), "{error:?}");
        }
    }
}

#[rstest]
#[case::both(&["kms:CreateAlias"], &["kms:CreateAlias"], None)]
#[case::key_only(&[], &["kms:CreateAlias"], Some("alias"))]
#[case::alias_only(&["kms:CreateAlias"], &[], Some("key"))]
fn an_alias_needs_permission_on_alias_and_key(
    #[case] on_alias: &[&str],
    #[case] on_key: &[&str],
    #[case] refused: Option<&str>,
) {
    let mut lab = Lab::new();
    let alice = lab.user(
        "alice",
        Some(json!({ "Version": "2012-10-17", "Statement": [{
            "Effect": "Allow",
            "Action": if on_alias.is_empty() { &["kms:ListKeys"] } else { on_alias },
            "Resource": "arn:aws:kms:*:*:alias/*",
        }] })),
    );
    let action = if on_key.is_empty() { &["kms:ListKeys"] } else { on_key };
    let id = lab.key_with(&[for_user("Allow", "alice", action)]);
    let input = json!({ "AliasName": "alias/lab", "TargetKeyId": id });
    let resource = match refused {
        None => return drop(lab.call(&alice, "CreateAlias", input).unwrap()),
        Some("alias") => alias_arn("alias/lab"),
        Some(_) => arn(&id),
    };
    let (code, message) = lab.fails_as(&alice, "CreateAlias", input);
    assert!(code == "AccessDeniedException" && message.contains(&format!("on resource: {resource} ")), "{message}");
}

/// A condition in the key policy, whether it lets alice encrypt with the context `{team: red}` through `alias/lab`.
#[rstest]
#[case::pair(json!({ "StringEquals": { "kms:EncryptionContext:team": "red" } }), true)]
#[case::other_pair(json!({ "StringEquals": { "kms:EncryptionContext:team": "blue" } }), false)]
#[case::keys(json!({ "ForAllValues:StringEquals": { "kms:EncryptionContextKeys": ["team"] } }), true)]
#[case::other_keys(json!({ "ForAnyValue:StringEquals": { "kms:EncryptionContextKeys": ["owner"] } }), false)]
#[case::alias(json!({ "StringEquals": { "kms:RequestAlias": "alias/lab" } }), true)]
#[case::aliases(json!({ "ForAnyValue:StringEquals": { "kms:ResourceAliases": "alias/lab" } }), true)]
#[case::account(json!({ "StringEquals": { "kms:CallerAccount": ACCOUNT } }), true)]
#[case::spec(json!({ "StringEquals": { "kms:KeySpec": "SYMMETRIC_DEFAULT", "kms:KeyUsage": "ENCRYPT_DECRYPT" } }), true)]
#[case::via(json!({ "StringEquals": { "kms:ViaService": "dynamodb.us-east-1.amazonaws.com" } }), false)]
#[case::not_via(json!({ "Null": { "kms:ViaService": "true" } }), true)]
#[case::user(json!({ "StringEquals": { "aws:username": "alice" } }), true)]
#[case::tag(json!({ "StringEquals": { "aws:ResourceTag/stage": "lab" } }), true)]
fn conditions_see_the_request(#[case] condition: Value, #[case] allowed: bool) {
    let mut lab = Lab::new();
    let alice = lab.user("alice", None);
    let mut statement = for_user("Allow", "alice", &["kms:Encrypt"]);
    statement["Condition"] = condition;
    let id = lab.key_with(&[statement]);
    lab.ok("CreateAlias", json!({ "AliasName": "alias/lab", "TargetKeyId": id }));
    lab.ok("TagResource", json!({ "KeyId": id, "Tags": [{ "TagKey": "stage", "TagValue": "lab" }] }));
    let input = json!({ "KeyId": "alias/lab", "Plaintext": "AA==", "EncryptionContext": { "team": "red" } });
    assert_eq!(lab.call(&alice, "Encrypt", input).is_ok(), allowed);
}

#[rstest]
#[case::from(&["kms:ReEncryptTo"], "kms:ReEncryptFrom")]
#[case::to(&["kms:ReEncryptFrom"], "kms:ReEncryptTo")]
#[case::decrypt_and_encrypt(&["kms:Decrypt", "kms:Encrypt"], "kms:ReEncryptFrom")]
fn re_encrypt_needs_both_its_actions(#[case] allowed: &[&str], #[case] refused: &str) {
    let mut lab = Lab::new();
    let alice = lab.user("alice", Some(allow(allowed)));
    let id = lab.key();
    let blob = lab.encrypt(&id, b"plain", json!({}));
    let found = lab.fails_as(&alice, "ReEncrypt", json!({ "CiphertextBlob": blob, "DestinationKeyId": id }));
    let reason = format!(" because no identity-based policy allows the {refused} action");
    assert_eq!(found, denied("alice", refused, &arn(&id), &reason));
    let bob = lab.user("bob", Some(allow(&["kms:ReEncrypt*"])));
    lab.call(&bob, "ReEncrypt", json!({ "CiphertextBlob": blob, "DestinationKeyId": id })).unwrap();
}

#[test]
fn a_namesake_of_a_deleted_user_inherits_nothing() {
    let mut lab = Lab::new();
    let alice = lab.user("alice", None);
    let id = lab.key_with(&[for_user("Allow", "alice", &["kms:DescribeKey"])]);
    let arn = alice.principal.arn.clone();
    let grant = json!({ "KeyId": id, "GranteePrincipal": arn, "RetiringPrincipal": arn, "Operations": ["Encrypt"] });
    lab.ok("CreateGrant", grant);
    lab.call(&alice, "DescribeKey", json!({ "KeyId": id })).unwrap();
    let unique_id = alice.principal.unique_id.clone();
    let admin = lab.admin.clone();
    crate::sandbox::tests::iam(&mut lab.engine, &admin, "DeleteUser", &[("UserName", "alice")]).unwrap();
    let policy = text(&lab.ok("GetKeyPolicy", json!({ "KeyId": id }))["Policy"]);
    assert!(policy.contains(&unique_id) && !policy.contains(&arn), "{policy}");
    let grants = lab.ok("ListGrants", json!({ "KeyId": id }));
    assert_eq!(grants["Grants"][0]["GranteePrincipal"], unique_id);
    assert_eq!(grants["Grants"][0]["RetiringPrincipal"], unique_id);
    let namesake = lab.user("alice", None);
    assert_eq!(lab.fails_as(&namesake, "DescribeKey", json!({ "KeyId": id })).0, "AccessDeniedException");
    let input = json!({ "KeyId": id, "Plaintext": "AA==" });
    assert_eq!(lab.fails_as(&namesake, "Encrypt", input).0, "AccessDeniedException");
    // As on AWS, the document as it is shown now can't be put back: it names nobody that exists.
    let found = lab.fails("PutKeyPolicy", json!({ "KeyId": id, "Policy": policy }));
    assert_eq!(found.0, "MalformedPolicyDocumentException");
}
