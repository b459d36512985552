//! The SDK's clients of one identity, and what they are made of.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use aws_config::SdkConfig;
use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_smithy_runtime_api::client::http::{HttpConnector, HttpConnectorFuture, SharedHttpClient};
use zeroize::Zeroizing;

use super::guard;
use super::layer::layered;

/// Keys as the sandbox gives them to its admin, and IAM to a new user.
#[derive(Clone)]
pub(super) struct Keys {
    pub(super) access_key_id: String,
    pub(super) secret_access_key: Zeroizing<String>,
}

/// The service clients of one identity, each made when it is first used.
pub(super) struct ServiceClients {
    pub(super) config: SdkConfig,
    /// The keys that the lab itself was given; none where a profile has them.
    pub(super) keys: Option<Keys>,
    sts: OnceLock<aws_sdk_sts::Client>,
    kms: OnceLock<aws_sdk_kms::Client>,
    dynamodb: OnceLock<aws_sdk_dynamodb::Client>,
    iam: OnceLock<aws_sdk_iam::Client>,
}

impl ServiceClients {
    pub(super) fn new(config: SdkConfig) -> Arc<ServiceClients> {
        ServiceClients::with_keys(config, None)
    }

    pub(super) fn with_keys(config: SdkConfig, keys: Option<Keys>) -> Arc<ServiceClients> {
        Arc::new(ServiceClients {
            config,
            keys,
            sts: OnceLock::new(),
            kms: OnceLock::new(),
            dynamodb: OnceLock::new(),
            iam: OnceLock::new(),
        })
    }

    pub(super) fn sts(&self) -> &aws_sdk_sts::Client {
        self.sts.get_or_init(|| aws_sdk_sts::Client::new(&self.config))
    }

    pub(super) fn kms(&self) -> &aws_sdk_kms::Client {
        self.kms.get_or_init(|| aws_sdk_kms::Client::new(&self.config))
    }

    pub(super) fn dynamodb(&self) -> &aws_sdk_dynamodb::Client {
        self.dynamodb.get_or_init(|| aws_sdk_dynamodb::Client::new(&self.config))
    }

    pub(super) fn iam(&self) -> &aws_sdk_iam::Client {
        self.iam.get_or_init(|| aws_sdk_iam::Client::new(&self.config))
    }
}

/// The ids of the requests that were answered: by them a lab knows its own calls among those that a server reports.
#[derive(Debug, Clone, Default)]
pub(super) struct RequestIds(Arc<Mutex<HashSet<String>>>);

impl RequestIds {
    /// `config`, whose HTTP client notes the ids.
    pub(super) fn noting(&self, config: SdkConfig) -> SdkConfig {
        let Some(client) = config.http_client() else { return config };
        let ids = self.clone();
        let noting = layered(client, move |connector, request| {
            let (answered, ids) = (connector.call(request), ids.clone());
            HttpConnectorFuture::new(async move {
                let response = answered.await?;
                ids.all().extend(response.headers().get("x-amzn-requestid").map(str::to_owned));
                Ok(response)
            })
        });
        config.into_builder().http_client(noting).build()
    }

    fn all(&self) -> MutexGuard<'_, HashSet<String>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether a request with this id was answered.
    pub(super) fn has(&self, id: &str) -> bool {
        self.all().contains(id)
    }
}

/// The credentials that `keys` are.
pub(super) fn static_credentials(keys: &Keys) -> SharedCredentialsProvider {
    // Credentials zeroize their secret when the last copy is dropped.
    SharedCredentialsProvider::new(Credentials::new(
        &keys.access_key_id,
        keys.secret_access_key.as_str(),
        None,
        None,
        "kmslab",
    ))
}

/// A client without TLS: it is built in a fraction of the time, and loopback needs none.
pub(super) fn plain_http_client() -> SharedHttpClient {
    guard::guarded(aws_smithy_http_client::Builder::new().build_http())
}
