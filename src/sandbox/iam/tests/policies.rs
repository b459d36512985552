//! Customer managed policies and their versions.

use super::*;

const ARN: &str = "arn:aws:iam::111122223333:policy/own";
const LIST: &str = r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"iam:ListUsers","Resource":"*"}}"#;
const NOTHING: &str =
    r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"kms:ListKeys","Resource":"*"}}"#;

fn create(engine: &mut Engine) {
    as_admin(engine, "CreatePolicy", &[("PolicyName", "own"), ("PolicyDocument", LIST)]).unwrap();
}

#[test]
fn the_default_version_of_an_attached_policy_counts() {
    let mut engine = engine();
    let alice = make_alice(&mut engine);
    let alice = as_user(&engine, &alice);
    create(&mut engine);
    let lists = |engine: &mut Engine| ask(engine, &alice, "ListUsers", &[]).is_ok();
    assert!(!lists(&mut engine));
    as_admin(&mut engine, "AttachUserPolicy", &[("UserName", "alice"), ("PolicyArn", ARN)]).unwrap();
    assert!(lists(&mut engine));
    let version = [("PolicyArn", ARN), ("PolicyDocument", NOTHING), ("SetAsDefault", "true")];
    as_admin(&mut engine, "CreatePolicyVersion", &version).unwrap();
    assert!(!lists(&mut engine));
    as_admin(&mut engine, "SetDefaultPolicyVersion", &[("PolicyArn", ARN), ("VersionId", "v1")]).unwrap();
    assert!(lists(&mut engine));
    let attached = as_admin(&mut engine, "ListAttachedUserPolicies", &[("UserName", "alice")]).unwrap();
    assert_eq!((text(&attached, "PolicyName"), text(&attached, "PolicyArn")), ("own".to_owned(), ARN.to_owned()));
}

#[test]
fn a_policy_in_use_is_not_deleted() {
    let mut engine = engine();
    make_alice(&mut engine);
    create(&mut engine);
    as_admin(&mut engine, "AttachUserPolicy", &[("UserName", "alice"), ("PolicyArn", ARN)]).unwrap();
    let delete = |engine: &mut Engine| as_admin(engine, "DeletePolicy", &[("PolicyArn", ARN)]);
    assert_eq!(error(delete(&mut engine)).2, "Cannot delete a policy attached to entities.");
    as_admin(&mut engine, "DetachUserPolicy", &[("UserName", "alice"), ("PolicyArn", ARN)]).unwrap();
    as_admin(&mut engine, "CreatePolicyVersion", &[("PolicyArn", ARN), ("PolicyDocument", NOTHING)]).unwrap();
    assert_eq!(error(delete(&mut engine)).1, "DeleteConflict");
    let version = |id: &'static str| [("PolicyArn", ARN), ("VersionId", id)];
    let refused = error(as_admin(&mut engine, "DeletePolicyVersion", &version("v1")));
    assert_eq!(refused.2, "Cannot delete the default version of a policy.");
    as_admin(&mut engine, "DeletePolicyVersion", &version("v2")).unwrap();
    delete(&mut engine).unwrap();
    assert_eq!(error(delete(&mut engine)).1, "NoSuchEntity");
}

#[test]
fn versions_are_five_at_most_and_never_used_again() {
    let mut engine = engine();
    create(&mut engine);
    let add = |engine: &mut Engine| {
        as_admin(engine, "CreatePolicyVersion", &[("PolicyArn", ARN), ("PolicyDocument", NOTHING)])
    };
    for _ in 0..4 {
        add(&mut engine).unwrap();
    }
    assert_eq!(error(add(&mut engine)).1, "LimitExceeded");
    as_admin(&mut engine, "DeletePolicyVersion", &[("PolicyArn", ARN), ("VersionId", "v5")]).unwrap();
    assert_eq!(text(&add(&mut engine).unwrap(), "VersionId"), "v6");
}

#[test]
fn nobody_changes_the_policies_of_aws() {
    let mut engine = engine();
    let arn = ("PolicyArn", DYNAMODB_FULL);
    assert_eq!(error(as_admin(&mut engine, "DeletePolicy", &[arn])).1, "InvalidInput");
    let version = [arn, ("PolicyDocument", NOTHING)];
    assert_eq!(error(as_admin(&mut engine, "CreatePolicyVersion", &version)).1, "InvalidInput");
}
