//! The sandbox seen from the AWS SDK: signatures, protocols and errors as the real client takes them.

use aws_sdk_sts::config::Credentials;
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use kmslab::sandbox::{Config, Sandbox};

use crate::support::things::client;

#[tokio::test]
async fn the_sdk_is_served_in_any_region() {
    for region in ["us-east-1", "eu-central-1"] {
        let sandbox = Sandbox::start(Config { region: region.to_owned(), ..Config::default() }).unwrap();
        let sts = client!(aws_sdk_sts, sandbox);
        let identity = sts.get_caller_identity().send().await.unwrap();
        assert_eq!(identity.account(), Some(sandbox.account()));
        assert!(identity.arn().unwrap().ends_with(":user/kmslab-admin"));
        assert_eq!(aws_sdk_sts::operation::RequestId::request_id(&identity).unwrap().len(), 36);
    }
}

#[tokio::test]
async fn the_sdk_reads_each_services_authentication_error() {
    let sandbox = Sandbox::start(Config::default()).unwrap();
    let stranger = Credentials::new("AKIAAAAAAAAAAAAAAAAA", "secret", None, None, "test");
    let text = "The security token included in the request is invalid.";
    macro_rules! assert_stranger {
        ($service:ident, $operation:ident, $code:expr) => {
            let error = client!($service, sandbox, stranger.clone()).$operation().send().await.unwrap_err();
            assert!(matches!(error, SdkError::ServiceError(_)), "{error:?}");
            assert_eq!((error.code(), error.message()), (Some($code), Some(text)));
        };
    }
    assert_stranger!(aws_sdk_sts, get_caller_identity, "InvalidClientTokenId");
    assert_stranger!(aws_sdk_iam, list_users, "InvalidClientTokenId");
    assert_stranger!(aws_sdk_kms, list_keys, "UnrecognizedClientException");
    assert_stranger!(aws_sdk_dynamodb, list_tables, "UnrecognizedClientException");
}
