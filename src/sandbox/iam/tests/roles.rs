//! Roles and their policies.

use rstest::rstest;
use serde_json::json;

use super::*;

const ROOT: &str = r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":{"AWS":"111122223333"},"Action":"sts:AssumeRole"}}"#;

fn create(engine: &mut Engine, trust: &str) -> Answer {
    as_admin(engine, "CreateRole", &[("RoleName", "app"), ("AssumeRolePolicyDocument", trust)])
}

fn trust(statement: &serde_json::Value) -> String {
    json!({ "Version": "2012-10-17", "Statement": [statement] }).to_string()
}

#[test]
fn a_role_is_made_found_and_deleted() {
    let mut engine = engine();
    let made = create(&mut engine, ROOT).unwrap();
    assert_eq!(text(&made, "Arn"), "arn:aws:iam::111122223333:role/app");
    assert!(text(&made, "RoleId").starts_with("AROA"));
    let found = as_admin(&mut engine, "GetRole", &[("RoleName", "app")]).unwrap();
    assert_eq!(text(&found, "AssumeRolePolicyDocument"), crate::sandbox::xml::url_encode(ROOT));
    assert_eq!(text(&found, "MaxSessionDuration"), "3600");
    as_admin(&mut engine, "PutRolePolicy", &[("RoleName", "app"), ("PolicyName", "p"), ("PolicyDocument", ALLOW_SELF)])
        .unwrap();
    let delete = |engine: &mut Engine| as_admin(engine, "DeleteRole", &[("RoleName", "app")]);
    let conflict = "Cannot delete entity, must delete policies first.".to_owned();
    assert_eq!(error(delete(&mut engine)), (409, "DeleteConflict".to_owned(), conflict));
    as_admin(&mut engine, "DeleteRolePolicy", &[("RoleName", "app"), ("PolicyName", "p")]).unwrap();
    delete(&mut engine).unwrap();
    let gone = "The role with name app cannot be found.".to_owned();
    assert_eq!(error(delete(&mut engine)), (404, "NoSuchEntity".to_owned(), gone));
}

#[rstest]
#[case(json!({ "Effect": "Allow", "Action": "sts:AssumeRole" }), "Missing required field Principal (statement 1)")]
#[case(json!({ "Effect": "Allow", "Principal": {}, "Action": "sts:AssumeRole" }), "Missing required field Principal cannot be empty! (statement 1)")]
#[case(json!({ "Effect": "Allow", "Principal": { "AWS": "*" } }), "Missing required field Action (statement 1)")]
#[case(json!({ "Effect": "Allow", "Principal": { "AWS": "*" }, "Action": "sts:AssumeRole", "Resource": "*" }), "Has prohibited field Resource (statement 1)")]
#[case(json!({ "Effect": "Allow", "Principal": { "AWS": "*" }, "Action": "kms:Decrypt" }), "AssumeRole policy may only specify STS AssumeRole actions. (statement 1: \"kms:Decrypt\")")]
#[case(json!({ "Effect": "Deny", "NotPrincipal": { "AWS": "*" }, "Action": "sts:AssumeRole" }), "AssumeRole policy must not contain NotPrincipal field. (statement 1)")]
#[case(json!({ "Effect": "Allow", "Principal": { "AWS": "arn:aws:iam::111122223333:user/none" }, "Action": "sts:AssumeRole" }), "Invalid principal in policy: \"AWS\":\"arn:aws:iam::111122223333:user/none\"")]
#[case(json!({ "Effect": "Allow", "Principal": { "AWS": "none" }, "Action": "sts:AssumeRole" }), "Invalid principal in policy: \"AWS\":\"none\"")]
fn trust_policies_refused(#[case] statement: serde_json::Value, #[case] message: &str) {
    let mut engine = engine();
    let expected = (400, "MalformedPolicyDocument".to_owned(), message.to_owned());
    assert_eq!(error(create(&mut engine, &trust(&statement))), expected);
    create(&mut engine, ROOT).unwrap();
    let update = [("RoleName", "app"), ("PolicyDocument", &*trust(&statement))];
    assert_eq!(error(as_admin(&mut engine, "UpdateAssumeRolePolicy", &update)), expected);
}

#[test]
fn a_trust_policy_may_name_services_and_other_accounts() {
    let mut engine = engine();
    let statement = json!({ "Effect": "Allow", "Action": ["sts:AssumeRole", "sts:TagSession"],
        "Principal": { "AWS": ["444455556666", "arn:aws:iam::444455556666:user/x"], "Service": "ec2.amazonaws.com" } });
    create(&mut engine, &trust(&statement)).unwrap();
}

#[test]
fn a_role_needs_permission_like_anything_else() {
    let mut engine = engine();
    let alice = make_alice(&mut engine);
    let alice = as_user(&engine, &alice);
    create(&mut engine, ROOT).unwrap();
    for action in ["GetRole", "DeleteRole", "ListRoleTags", "ListRolePolicies"] {
        let (status, code, message) = error(ask(&mut engine, &alice, action, &[("RoleName", "app")]));
        let expected = format!(
            "User: arn:aws:iam::111122223333:user/alice is not authorized to perform: iam:{action} on resource: \
             arn:aws:iam::111122223333:role/app because no identity-based policy allows the iam:{action} action"
        );
        assert_eq!((status, &*code, message), (403, "AccessDenied", expected));
    }
}

#[test]
fn a_deleted_principal_shows_as_its_id() {
    let mut engine = engine();
    as_admin(&mut engine, "CreateUser", &[("UserName", "bob")]).unwrap();
    let statement = json!({ "Effect": "Allow", "Principal": { "AWS": "arn:aws:iam::111122223333:user/bob" }, "Action": "sts:AssumeRole" });
    create(&mut engine, &trust(&statement)).unwrap();
    as_admin(&mut engine, "DeleteUser", &[("UserName", "bob")]).unwrap();
    let found = as_admin(&mut engine, "GetRole", &[("RoleName", "app")]).unwrap();
    assert!(text(&found, "AssumeRolePolicyDocument").contains("AIDA"));
}
