//! The answers as the AWS SDK reads them, over HTTP.

use aws_sdk_iam::config::{BehaviorVersion, Credentials, Region};
use aws_sdk_iam::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_iam::types::{StatusType, Tag};

use super::*;
use crate::sandbox::Sandbox;

fn credentials(id: &str, secret: &str) -> Credentials {
    Credentials::new(id, secret, None, None, "test")
}

fn iam(sandbox: &Sandbox, credentials: Credentials) -> aws_sdk_iam::Client {
    let config = aws_sdk_iam::Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new("us-east-1"))
        .endpoint_url(sandbox.url())
        .credentials_provider(credentials)
        .http_client(aws_smithy_http_client::Builder::new().build_http());
    aws_sdk_iam::Client::from_conf(config.build())
}

fn sts(sandbox: &Sandbox, credentials: Credentials) -> aws_sdk_sts::Client {
    let config = aws_sdk_sts::Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new("us-east-1"))
        .endpoint_url(sandbox.url())
        .credentials_provider(credentials)
        .http_client(aws_smithy_http_client::Builder::new().build_http());
    aws_sdk_sts::Client::from_conf(config.build())
}

fn code<E: ProvideErrorMetadata, R>(error: &SdkError<E, R>) -> &str {
    error.code().unwrap_or("no code")
}

#[tokio::test]
async fn the_labs_calls() {
    let sandbox = Sandbox::start(Config::default()).unwrap();
    let admin = credentials(&sandbox.admin().access_key_id, &sandbox.admin().secret_access_key);
    let me = sts(&sandbox, admin.clone()).get_caller_identity().send().await.unwrap();
    assert_eq!(me.arn(), Some("arn:aws:iam::111122223333:user/kmslab-admin"));
    assert_eq!(me.account(), Some(sandbox.account()));

    let iam_admin = iam(&sandbox, admin);
    let tag = Tag::builder().key("run").value("a & b").build().unwrap();
    let made = iam_admin.create_user().user_name("alice").tags(tag.clone()).send().await.unwrap();
    let user = made.user().unwrap();
    assert_eq!((user.user_name(), user.tags()), ("alice", &[tag][..]));
    let again = iam_admin.create_user().user_name("alice").send().await.unwrap_err();
    assert_eq!(code(&again), "EntityAlreadyExists");
    assert!(again.as_service_error().unwrap().is_entity_already_exists_exception());

    iam_admin.attach_user_policy().user_name("alice").policy_arn(DYNAMODB_FULL).send().await.unwrap();
    let attached = iam_admin.list_attached_user_policies().user_name("alice").send().await.unwrap();
    assert_eq!(attached.attached_policies()[0].policy_name(), Some("AmazonDynamoDBFullAccess"));
    assert!(!attached.is_truncated());
    let version = iam_admin.get_policy_version().policy_arn(DYNAMODB_FULL).version_id("v15").send().await.unwrap();
    assert!(version.policy_version().unwrap().document().unwrap().contains("dynamodb%3A%2A"));

    let key = iam_admin.create_access_key().user_name("alice").send().await.unwrap();
    let key = key.access_key().unwrap();
    assert_eq!(key.status(), &StatusType::Active);
    let alice = credentials(key.access_key_id(), key.secret_access_key());
    let me = sts(&sandbox, alice.clone()).get_caller_identity().send().await.unwrap();
    assert_eq!(me.user_id(), Some(user.user_id()));
    let refused = iam(&sandbox, alice.clone()).list_users().send().await.unwrap_err();
    assert_eq!(code(&refused), "AccessDenied");
    assert_eq!(refused.raw_response().unwrap().status().as_u16(), 403);
    assert_eq!(
        refused.message(),
        Some(
            "User: arn:aws:iam::111122223333:user/alice is not authorized to perform: iam:ListUsers on resource: \
             arn:aws:iam::111122223333:user/ because no identity-based policy allows the iam:ListUsers action"
        )
    );

    let conflict = iam_admin.delete_user().user_name("alice").send().await.unwrap_err();
    assert!(conflict.as_service_error().unwrap().is_delete_conflict_exception());
    let keys = iam_admin.list_access_keys().user_name("alice").send().await.unwrap();
    assert_eq!(keys.access_key_metadata()[0].access_key_id(), Some(key.access_key_id()));
    iam_admin.delete_access_key().user_name("alice").access_key_id(key.access_key_id()).send().await.unwrap();
    let unknown = sts(&sandbox, alice).get_caller_identity().send().await.unwrap_err();
    assert_eq!(code(&unknown), "InvalidClientTokenId");
    iam_admin.detach_user_policy().user_name("alice").policy_arn(DYNAMODB_FULL).send().await.unwrap();
    iam_admin.delete_user().user_name("alice").send().await.unwrap();
    let gone = iam_admin.get_user().user_name("alice").send().await.unwrap_err();
    assert!(gone.as_service_error().unwrap().is_no_such_entity_exception());
    assert_eq!(gone.message(), Some("The user with name alice cannot be found."));
    let users = iam_admin.list_users().send().await.unwrap();
    assert_eq!(users.users().iter().map(|user| user.user_name()).collect::<Vec<_>>(), ["kmslab-admin"]);
}
