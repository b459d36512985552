use rstest::rstest;

use super::state::{ADMIN, ADMINISTRATOR_ACCESS};
use crate::policy::{Outcome, PolicySource};
use crate::sandbox::config::Config;
use crate::sandbox::context::Caller;
use crate::sandbox::engine::Engine;
use crate::sandbox::error::Fault;
use crate::sandbox::service::Service;
use crate::sandbox::tests;
use crate::sandbox::xml::Xml;

type Answer = Result<Xml, Fault>;

mod policies;
mod roles;
mod sdk;
mod simulate;

fn engine() -> Engine {
    Engine::open(&Config { seed: Some(1), ..Config::default() }).unwrap()
}

fn as_user(engine: &Engine, access_key_id: &str) -> Caller {
    let (principal, _) = engine.account.state.iam.secret_of(access_key_id).unwrap();
    tests::caller(principal)
}

fn ask(engine: &mut Engine, ctx: &Caller, action: &str, parameters: &[(&str, &str)]) -> Answer {
    tests::iam(engine, ctx, action, parameters)
}

fn as_admin(engine: &mut Engine, action: &str, parameters: &[(&str, &str)]) -> Answer {
    let ctx = as_user(engine, &engine.account.state.iam.admin().0);
    ask(engine, &ctx, action, parameters)
}

/// The text of the first element of that name.
fn text(answer: &str, name: &str) -> String {
    let wrapped = format!("<r>{answer}</r>");
    let document = roxmltree::Document::parse(&wrapped).unwrap();
    let element = document.descendants().find(|node| node.has_tag_name(name));
    element.and_then(|node| node.text()).unwrap_or_default().to_owned()
}

fn error(answer: Answer) -> (u16, String, String) {
    let error = answer.unwrap_err();
    (
        error.status(Service::Iam),
        error.code(Service::Iam).to_owned(),
        error.message(Service::Iam).unwrap_or_default().into_owned(),
    )
}

/// `alice` with an access key; the key's id.
fn make_alice(engine: &mut Engine) -> String {
    as_admin(engine, "CreateUser", &[("UserName", "alice")]).unwrap();
    text(&as_admin(engine, "CreateAccessKey", &[("UserName", "alice")]).unwrap(), "AccessKeyId")
}

const DYNAMODB_FULL: &str = "arn:aws:iam::aws:policy/AmazonDynamoDBFullAccess";
const ALLOW_SELF: &str = r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"iam:*","Resource":"arn:aws:iam::*:user/${aws:username}"}}"#;
const DENY_ALL: &str = r#"{"Version":"2012-10-17","Statement":{"Effect":"Deny","Action":"*","Resource":"*"}}"#;

#[test]
fn a_new_store_has_an_administrator() {
    let engine = engine();
    let (id, secret) = engine.account.state.iam.admin();
    assert!(id.starts_with("AKIA") && id.len() == 20, "{id}");
    assert_eq!(secret.len(), 40);
    let (principal, same) = engine.account.state.iam.secret_of(&id).unwrap();
    assert_eq!(principal.arn, "arn:aws:iam::111122223333:user/kmslab-admin");
    assert!(principal.unique_id.starts_with("AIDA") && principal.unique_id.len() == 21);
    assert_eq!(same, secret);
    let policies = engine.account.state.iam.policies_of(&principal);
    let name = "AdministratorAccess".to_owned();
    let arn = ADMINISTRATOR_ACCESS.to_owned();
    assert_eq!(
        policies.iter().map(|policy| &policy.source).collect::<Vec<_>>(),
        [&PolicySource::Managed { name, arn }]
    );
}

#[test]
fn nothing_printed_holds_a_secret() {
    let engine = engine();
    let printed = format!("{:?}", engine.account.state.iam);
    assert!(printed.contains("[redacted]"));
    assert!(!printed.contains(engine.account.state.iam.admin().1.as_str()));
}

#[test]
fn a_user_from_start_to_end() {
    let mut engine = engine();
    let created = as_admin(
        &mut engine,
        "CreateUser",
        &[("UserName", "bob"), ("Path", "/lab/"), ("Tags.member.1.Key", "run"), ("Tags.member.1.Value", "<7>")],
    )
    .unwrap();
    assert_eq!(text(&created, "Arn"), "arn:aws:iam::111122223333:user/lab/bob");
    assert_eq!(text(&created, "CreateDate"), "2026-01-01T00:00:00Z");
    assert_eq!(text(&created, "Value"), "<7>");
    let user_id = text(&created, "UserId");
    assert_eq!(as_admin(&mut engine, "GetUser", &[("UserName", "bob")]).unwrap(), created);

    let key = as_admin(&mut engine, "CreateAccessKey", &[("UserName", "bob")]).unwrap();
    let key_id = text(&key, "AccessKeyId");
    let (principal, secret) = engine.account.state.iam.secret_of(&key_id).unwrap();
    assert_eq!(*secret, text(&key, "SecretAccessKey"));
    assert_eq!(
        engine.account.state.iam.find_principal("arn:aws:iam::111122223333:user/lab/bob"),
        Some(principal.clone())
    );
    assert_eq!(engine.account.state.iam.find_principal(&user_id), Some(principal.clone()));
    assert_eq!(
        engine.account.state.iam.find_principal("arn:aws:iam::111122223333:user/bob"),
        None,
        "the path is part of the ARN"
    );

    as_admin(&mut engine, "AttachUserPolicy", &[("UserName", "bob"), ("PolicyArn", DYNAMODB_FULL)]).unwrap();
    as_admin(&mut engine, "AttachUserPolicy", &[("UserName", "bob"), ("PolicyArn", DYNAMODB_FULL)]).unwrap();
    as_admin(
        &mut engine,
        "PutUserPolicy",
        &[("UserName", "bob"), ("PolicyName", "self"), ("PolicyDocument", ALLOW_SELF)],
    )
    .unwrap();
    assert_eq!(engine.account.state.iam.policies_of(&principal).len(), 2);
    let attached = as_admin(&mut engine, "ListAttachedUserPolicies", &[("UserName", "bob")]).unwrap();
    assert_eq!(text(&attached, "PolicyArn"), DYNAMODB_FULL);
    assert_eq!(text(&attached, "IsTruncated"), "false");
    let policy = as_admin(&mut engine, "GetPolicy", &[("PolicyArn", DYNAMODB_FULL)]).unwrap();
    assert_eq!(text(&policy, "AttachmentCount"), "1");

    let conflict = |engine: &mut Engine, message: &str| {
        let refused = error(as_admin(engine, "DeleteUser", &[("UserName", "bob")]));
        assert_eq!(refused, (409, "DeleteConflict".to_owned(), message.to_owned()));
    };
    conflict(&mut engine, "Cannot delete entity, must delete access keys first.");
    as_admin(&mut engine, "DeleteAccessKey", &[("UserName", "bob"), ("AccessKeyId", &key_id)]).unwrap();
    assert_eq!(engine.account.state.iam.secret_of(&key_id), None);
    conflict(&mut engine, "Cannot delete entity, must detach all policies first.");
    as_admin(&mut engine, "DetachUserPolicy", &[("UserName", "bob"), ("PolicyArn", DYNAMODB_FULL)]).unwrap();
    conflict(&mut engine, "Cannot delete entity, must delete policies first.");
    as_admin(&mut engine, "DeleteUserPolicy", &[("UserName", "bob"), ("PolicyName", "self")]).unwrap();
    assert_eq!(as_admin(&mut engine, "DeleteUser", &[("UserName", "bob")]).unwrap(), "");
    assert_eq!(engine.account.state.iam.find_principal(&user_id), None);
    assert!(engine.account.state.iam.policies_of(&principal).is_empty());
}

#[test]
fn a_user_of_the_same_name_is_somebody_else() {
    let mut engine = engine();
    as_admin(&mut engine, "CreateUser", &[("UserName", "alice")]).unwrap();
    let before = engine.account.state.iam.find_principal("arn:aws:iam::111122223333:user/alice").unwrap();
    as_admin(&mut engine, "DeleteUser", &[("UserName", "alice")]).unwrap();
    as_admin(&mut engine, "CreateUser", &[("UserName", "alice")]).unwrap();
    as_admin(&mut engine, "AttachUserPolicy", &[("UserName", "alice"), ("PolicyArn", DYNAMODB_FULL)]).unwrap();
    assert!(engine.account.state.iam.policies_of(&before).is_empty());
}

#[rstest]
#[case("GetUser", &[("UserName", "nobody")], 404, "NoSuchEntity", "The user with name nobody cannot be found.")]
#[case("DeleteUser", &[("UserName", "nobody")], 404, "NoSuchEntity", "The user with name nobody cannot be found.")]
#[case("GetUser", &[("UserName", "KMSLAB-ADMIN")], 404, "NoSuchEntity", "The user with name KMSLAB-ADMIN cannot be found.")]
#[case("CreateUser", &[("UserName", "kmslab-admin")], 409, "EntityAlreadyExists", "User with name kmslab-admin already exists.")]
#[case("CreateUser", &[("UserName", "Kmslab-Admin")], 409, "EntityAlreadyExists", "User with name Kmslab-Admin already exists.")]
#[case("CreateUser", &[], 400, "ValidationError", "1 validation error detected: Value null at 'userName' failed to satisfy constraint: Member must not be null")]
#[case("CreateUser", &[("UserName", "x"), ("PermissionsBoundary", DYNAMODB_FULL)], 400, "InvalidInput", "The sandbox has no permissions boundaries.")]
#[case("AttachUserPolicy", &[("UserName", "kmslab-admin"), ("PolicyArn", "arn:aws:iam::aws:policy/Nothing")], 404, "NoSuchEntity", "Policy arn:aws:iam::aws:policy/Nothing does not exist or is not attachable.")]
#[case("AttachUserPolicy", &[("UserName", "kmslab-admin"), ("PolicyArn", "arn:aws:iam::aws:policy/ReadOnlyAccess")], 404, "NoSuchEntity", "The sandbox does not have the AWS managed policy arn:aws:iam::aws:policy/ReadOnlyAccess. It has AWSKeyManagementServicePowerUser, AdministratorAccess, AmazonDynamoDBFullAccess, AmazonDynamoDBFullAccess_v2. Put what you need into an inline policy.")]
#[case("GetPolicy", &[("PolicyArn", "arn:aws:iam::aws:policy/job-function/ViewOnlyAccess")], 404, "NoSuchEntity", "The sandbox does not have the AWS managed policy arn:aws:iam::aws:policy/job-function/ViewOnlyAccess. It has AWSKeyManagementServicePowerUser, AdministratorAccess, AmazonDynamoDBFullAccess, AmazonDynamoDBFullAccess_v2. Put what you need into an inline policy.")]
#[case("GetPolicy", &[("PolicyArn", "arn:aws:iam::aws:policy/Nothing")], 404, "NoSuchEntity", "Policy arn:aws:iam::aws:policy/Nothing was not found.")]
#[case("PutUserPolicy", &[("UserName", "kmslab-admin"), ("PolicyName", "x"), ("PolicyDocument", r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"kms:Decrypt:x","Resource":"*"}}"#)], 400, "MalformedPolicyDocument", "Actions/Condition can contain only one colon. (statement 1: \"kms:Decrypt:x\")")]
#[case("AttachUserPolicy", &[("UserName", "kmslab-admin"), ("PolicyArn", "AmazonDynamoDBFullAccess")], 400, "InvalidInput", "ARN AmazonDynamoDBFullAccess is not valid.")]
#[case("DetachUserPolicy", &[("UserName", "kmslab-admin"), ("PolicyArn", DYNAMODB_FULL)], 404, "NoSuchEntity", "Policy arn:aws:iam::aws:policy/AmazonDynamoDBFullAccess was not found.")]
#[case("GetUserPolicy", &[("UserName", "kmslab-admin"), ("PolicyName", "x")], 404, "NoSuchEntity", "The user policy with name x cannot be found.")]
#[case("DeleteUserPolicy", &[("UserName", "kmslab-admin"), ("PolicyName", "x")], 404, "NoSuchEntity", "The user policy with name x cannot be found.")]
#[case("DeleteAccessKey", &[("AccessKeyId", "AKIAAAAAAAAAAAAAAAAA")], 404, "NoSuchEntity", "The Access Key with id AKIAAAAAAAAAAAAAAAAA cannot be found.")]
#[case("UpdateAccessKey", &[("AccessKeyId", "AKIAAAAAAAAAAAAAAAAA"), ("Status", "Off")], 400, "ValidationError", "1 validation error detected: Value 'Off' at 'status' failed to satisfy constraint: Member must satisfy enum value set: [Active, Inactive]")]
#[case("PutUserPolicy", &[("UserName", "kmslab-admin"), ("PolicyName", "x"), ("PolicyDocument", "{")], 400, "MalformedPolicyDocument", "Syntax errors in policy. (EOF while parsing an object at line 1 column 1)")]
#[case("GetPolicyVersion", &[("PolicyArn", DYNAMODB_FULL), ("VersionId", "v1")], 404, "NoSuchEntity", "Policy arn:aws:iam::aws:policy/AmazonDynamoDBFullAccess version v1 does not exist or is not attachable.")]
#[case("CreateGroup", &[], 400, "InvalidAction", "The sandbox does not implement iam:CreateGroup.")]
#[case("CreateGroop", &[], 400, "InvalidAction", "Could not find operation CreateGroop for version 2010-05-08")]
fn refusals(
    #[case] action: &str,
    #[case] parameters: &[(&str, &str)],
    #[case] status: u16,
    #[case] code: &str,
    #[case] message: &str,
) {
    let found = error(as_admin(&mut engine(), action, parameters));
    assert_eq!(found, (status, code.to_owned(), message.to_owned()));
}

#[test]
fn two_access_keys_and_no_more() {
    let mut engine = engine();
    let first = make_alice(&mut engine);
    let second = text(&as_admin(&mut engine, "CreateAccessKey", &[("UserName", "alice")]).unwrap(), "AccessKeyId");
    let refused = error(as_admin(&mut engine, "CreateAccessKey", &[("UserName", "alice")]));
    let message = "Cannot exceed quota for AccessKeysPerUser: 2".to_owned();
    assert_eq!(refused, (409, "LimitExceeded".to_owned(), message));

    as_admin(&mut engine, "UpdateAccessKey", &[("UserName", "alice"), ("AccessKeyId", &first), ("Status", "Inactive")])
        .unwrap();
    assert_eq!(engine.account.state.iam.secret_of(&first), None);
    assert!(engine.account.state.iam.secret_of(&second).is_some());
    let part = as_admin(&mut engine, "ListAccessKeys", &[("UserName", "alice"), ("MaxItems", "1")]).unwrap();
    assert_eq!((text(&part, "AccessKeyId"), text(&part, "Status")), (first, "Inactive".to_owned()));
    let marker = text(&part, "Marker");
    let rest = as_admin(&mut engine, "ListAccessKeys", &[("UserName", "alice"), ("Marker", &marker)]).unwrap();
    assert_eq!((text(&rest, "AccessKeyId"), text(&rest, "IsTruncated")), (second, "false".to_owned()));
}

#[test]
fn each_call_needs_permission_and_leaves_a_decision() {
    let mut engine = engine();
    let key = make_alice(&mut engine);
    let alice = as_user(&engine, &key);
    let refused = error(ask(&mut engine, &alice, "CreateUser", &[("UserName", "eve")]));
    assert_eq!(
        refused,
        (
            403,
            "AccessDenied".to_owned(),
            "User: arn:aws:iam::111122223333:user/alice is not authorized to perform: iam:CreateUser on resource: \
             arn:aws:iam::111122223333:user/eve because no identity-based policy allows the iam:CreateUser action"
                .to_owned()
        )
    );
    let last = engine.account.decisions.all().pop().unwrap();
    assert_eq!((last.action.as_str(), last.request_id.as_str()), ("iam:CreateUser", "ANSWER"));
    assert!(!last.decision.is_allowed());
    // Who may not ask doesn't learn who exists.
    for name in ["kmslab-admin", "nobody"] {
        assert_eq!(error(ask(&mut engine, &alice, "GetUser", &[("UserName", name)])).1, "AccessDenied");
    }
    as_admin(
        &mut engine,
        "PutUserPolicy",
        &[("UserName", "alice"), ("PolicyName", "self"), ("PolicyDocument", ALLOW_SELF)],
    )
    .unwrap();
    assert_eq!(text(&ask(&mut engine, &alice, "GetUser", &[]).unwrap(), "UserName"), "alice", "the caller");
    assert_eq!(error(ask(&mut engine, &alice, "GetUser", &[("UserName", "nobody")])).1, "AccessDenied");
    as_admin(
        &mut engine,
        "PutUserPolicy",
        &[("UserName", "alice"), ("PolicyName", "stop"), ("PolicyDocument", DENY_ALL)],
    )
    .unwrap();
    let refused = error(ask(&mut engine, &alice, "GetUser", &[]));
    assert!(refused.2.ends_with("with an explicit deny in an identity-based policy"), "{}", refused.2);
    let outcome = engine.account.decisions.all().pop().unwrap().decision.outcome;
    let by = PolicySource::Inline { user: "alice".to_owned(), name: "stop".to_owned() };
    assert_eq!(outcome, Outcome::ExplicitDeny { by, sid: None });
}

#[test]
fn conditions_see_policy_arn_and_tags() {
    let mut engine = engine();
    let key = make_alice(&mut engine);
    let alice = as_user(&engine, &key);
    let policy = format!(
        r#"{{"Version":"2012-10-17","Statement":[
            {{"Effect":"Allow","Action":"iam:AttachUserPolicy","Resource":"*","Condition":{{"ArnEquals":{{"iam:PolicyARN":"{DYNAMODB_FULL}"}}}}}},
            {{"Effect":"Allow","Action":"iam:GetUser","Resource":"*","Condition":{{"StringEquals":{{"aws:ResourceTag/team":"${{aws:PrincipalTag/team}}"}}}}}}]}}"#
    );
    as_admin(&mut engine, "PutUserPolicy", &[("UserName", "alice"), ("PolicyName", "p"), ("PolicyDocument", &policy)])
        .unwrap();
    let attach = |engine: &mut Engine, arn: &str| {
        ask(engine, &alice, "AttachUserPolicy", &[("UserName", "alice"), ("PolicyArn", arn)]).is_ok()
    };
    assert!(attach(&mut engine, DYNAMODB_FULL));
    assert!(!attach(&mut engine, ADMINISTRATOR_ACCESS));
    let sees = |engine: &mut Engine| {
        let alice = as_user(engine, &key);
        ask(engine, &alice, "GetUser", &[("UserName", "kmslab-admin")]).is_ok()
    };
    assert!(!sees(&mut engine));
    for name in ["alice", "kmslab-admin"] {
        as_admin(
            &mut engine,
            "TagUser",
            &[("UserName", name), ("Tags.member.1.Key", "team"), ("Tags.member.1.Value", "red")],
        )
        .unwrap();
    }
    assert!(sees(&mut engine));
    let tags = as_admin(&mut engine, "ListUserTags", &[("UserName", "alice")]).unwrap();
    assert_eq!((text(&tags, "Key"), text(&tags, "Value")), ("team".to_owned(), "red".to_owned()));
    as_admin(&mut engine, "UntagUser", &[("UserName", "alice"), ("TagKeys.member.1", "team")]).unwrap();
    assert!(!sees(&mut engine));
}

#[test]
fn documents_come_back_percent_encoded() {
    let mut engine = engine();
    as_admin(
        &mut engine,
        "PutUserPolicy",
        &[("UserName", "kmslab-admin"), ("PolicyName", "self"), ("PolicyDocument", ALLOW_SELF)],
    )
    .unwrap();
    let answer =
        as_admin(&mut engine, "GetUserPolicy", &[("UserName", "kmslab-admin"), ("PolicyName", "self")]).unwrap();
    let document = text(&answer, "PolicyDocument");
    assert!(document.starts_with("%7B%22Version%22%3A%222012-10-17%22"), "{document}");
    let decoded = form_urlencoded::parse(document.as_bytes()).next().unwrap().0;
    assert_eq!(decoded, ALLOW_SELF);
}

#[test]
fn inline_policies_are_limited_in_size() {
    let mut engine = engine();
    let long = |n: usize| {
        let name = "x".repeat(n);
        format!(r#"{{"Version":"2012-10-17","Statement":{{"Effect":"Allow","Action":"iam:{name}","Resource":"*"}}}}"#)
    };
    let mut put = |name: &str, text: &str| {
        as_admin(
            &mut engine,
            "PutUserPolicy",
            &[("UserName", "kmslab-admin"), ("PolicyName", name), ("PolicyDocument", text)],
        )
    };
    assert!(put("a", &long(1000)).is_ok());
    assert!(put("a", &long(1900)).is_ok(), "what is replaced doesn't count");
    assert!(put("a", &format!("{}{}", " ".repeat(4000), long(1900))).is_ok(), "white space doesn't count");
    assert_eq!(error(put("b", &long(200))).1, "LimitExceeded");
}

#[test]
fn users_are_listed_by_path_and_page() {
    let mut engine = engine();
    for (name, path) in [("Zoe", "/lab/"), ("adam", "/lab/"), ("bea", "/")] {
        as_admin(&mut engine, "CreateUser", &[("UserName", name), ("Path", path)]).unwrap();
    }
    let mut names = Vec::new();
    let mut marker = String::new();
    loop {
        let mut parameters = vec![("MaxItems", "1"), ("PathPrefix", "/lab")];
        if !marker.is_empty() {
            parameters.push(("Marker", &marker));
        }
        let part = as_admin(&mut engine, "ListUsers", &parameters).unwrap();
        names.push(text(&part, "UserName"));
        let next = text(&part, "Marker");
        if next.is_empty() {
            break;
        }
        marker = next;
    }
    assert_eq!(names, ["adam", "Zoe"]);
}

#[test]
fn everything_is_there_after_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let config = Config { data: Some(folder.path().to_owned()), seed: Some(1), ..Config::default() };
    let mut engine = Engine::open(&config).unwrap();
    let admin = engine.account.state.iam.admin();
    let key = make_alice(&mut engine);
    as_admin(
        &mut engine,
        "PutUserPolicy",
        &[("UserName", "alice"), ("PolicyName", "self"), ("PolicyDocument", ALLOW_SELF)],
    )
    .unwrap();
    let alice = engine.account.state.iam.secret_of(&key).unwrap();
    let policies = engine.account.state.iam.policies_of(&alice.0);
    drop(engine);

    let mut engine = Engine::open(&config).unwrap();
    assert_eq!(engine.account.state.iam.admin(), admin);
    assert_eq!(engine.account.state.iam.secret_of(&key), Some(alice.clone()));
    assert_eq!(engine.account.state.iam.policies_of(&alice.0), policies);
    // An administrator who locks himself out gets a new key at the next start.
    as_admin(&mut engine, "DetachUserPolicy", &[("UserName", ADMIN), ("PolicyArn", ADMINISTRATOR_ACCESS)]).unwrap();
    drop(engine);
    let mut engine = Engine::open(&config).unwrap();
    as_admin(&mut engine, "DeleteAccessKey", &[("AccessKeyId", &admin.0)]).unwrap();
    drop(engine);
    let mut engine = Engine::open(&config).unwrap();
    assert_ne!(engine.account.state.iam.admin(), admin);
    as_admin(&mut engine, "ListUsers", &[]).unwrap();
}

#[test]
fn the_caller_is_told_who_it_is_without_permission() {
    let mut engine = engine();
    let key = make_alice(&mut engine);
    as_admin(
        &mut engine,
        "PutUserPolicy",
        &[("UserName", "alice"), ("PolicyName", "stop"), ("PolicyDocument", DENY_ALL)],
    )
    .unwrap();
    let alice = as_user(&engine, &key);
    let answer = tests::query(&mut engine, &alice, Service::Sts, "GetCallerIdentity", &[]).unwrap();
    assert_eq!(text(&answer, "Arn"), "arn:aws:iam::111122223333:user/alice");
    assert_eq!(text(&answer, "UserId"), alice.principal.unique_id);
    assert_eq!(text(&answer, "Account"), "111122223333");
}
