//! The only place that knows the AWS SDK: clients for two identities, the lab's operations as SDK calls, and the tap
//! that sees both HTTP messages.

mod body;
mod failure;
pub mod inventory;
mod ops;
mod tap;

use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use aws_config::profile::ProfileFileCredentialsProvider;
use aws_config::provider_config::ProviderConfig;
use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_credential_types::Credentials;
use aws_credential_types::provider::{ProvideCredentials, SharedCredentialsProvider};
use aws_smithy_async::rt::sleep::{SharedAsyncSleep, TokioSleep};
use aws_smithy_runtime_api::client::http::SharedHttpClient;
use aws_smithy_types::retry::RetryConfig;

use crate::lab::{Answer, Identity, NoResponse, Operation, redact};
pub(crate) use failure::chain;
use tap::Tap;

/// Why the clients could not be made. Nothing has been sent.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The profile is unknown or gives no credentials.
    #[error("{identity}: no credentials from {origin}: {reason}\n  {remedy}")]
    Credentials {
        /// `admin` or `test-user`.
        identity: &'static str,
        /// Where they were looked for.
        origin: String,
        /// What the SDK said.
        reason: String,
        /// What to do.
        remedy: String,
    },
    /// Options that mean nothing together.
    #[error("{0}")]
    Options(String),
    /// No region was given anywhere.
    #[error("no region: give --region, set AWS_REGION or put one into the profile")]
    Region,
    /// The endpoint is no URL.
    #[error("--endpoint-url {url}: {reason}; it looks like http://127.0.0.1:4599")]
    Endpoint {
        /// What was given.
        url: String,
        /// What is wrong with it.
        reason: String,
    },
}

/// Keys as the sandbox gives them to its admin, and IAM to a new user.
struct Keys {
    access_key_id: String,
    secret_access_key: zeroize::Zeroizing<String>,
}

/// The service clients of one identity, each made when it is first used.
struct Session {
    config: SdkConfig,
    sts: OnceLock<aws_sdk_sts::Client>,
    kms: OnceLock<aws_sdk_kms::Client>,
    dynamodb: OnceLock<aws_sdk_dynamodb::Client>,
    iam: OnceLock<aws_sdk_iam::Client>,
}

impl Session {
    fn new(config: SdkConfig) -> Arc<Session> {
        Arc::new(Session {
            config,
            sts: OnceLock::new(),
            kms: OnceLock::new(),
            dynamodb: OnceLock::new(),
            iam: OnceLock::new(),
        })
    }

    fn sts(&self) -> &aws_sdk_sts::Client {
        self.sts.get_or_init(|| aws_sdk_sts::Client::new(&self.config))
    }

    fn kms(&self) -> &aws_sdk_kms::Client {
        self.kms.get_or_init(|| aws_sdk_kms::Client::new(&self.config))
    }

    fn dynamodb(&self) -> &aws_sdk_dynamodb::Client {
        self.dynamodb.get_or_init(|| aws_sdk_dynamodb::Client::new(&self.config))
    }

    fn iam(&self) -> &aws_sdk_iam::Client {
        self.iam.get_or_init(|| aws_sdk_iam::Client::new(&self.config))
    }
}

/// How long a call may take, with all its tries. The SDK itself would wait for ever for a server that takes a request and
/// never answers. A single try has no limit: what creates something is not sent again because its answer is late.
const PATIENCE: Duration = Duration::from_secs(30);

/// Which profiles and endpoint to use.
#[derive(Debug, Clone, Default)]
pub struct EndpointOptions {
    /// The endpoint of all four services; `None` is AWS itself, or what the environment or the profile says.
    pub url: Option<String>,
    /// The admin's profile; `None` is the SDK's default chain.
    pub admin_profile: Option<String>,
    /// test-user's profile; `None` lets the lab make the user.
    pub user_profile: Option<String>,
    /// The region; `None` is the SDK's default chain.
    pub region: Option<String>,
}

/// Both identities' clients.
pub struct Clients {
    admin: Arc<Session>,
    /// Given by a profile, or set when CreateAccessKey has answered.
    test_user: Mutex<Option<Arc<Session>>>,
    region: String,
    patience: Duration,
}

impl Clients {
    /// Clients for a server on loopback, whose admin's keys are known. Reads no file and no variable.
    pub fn for_sandbox(url: &str, region: &str, access_key_id: &str, secret_access_key: &str) -> Clients {
        let config = SdkConfig::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new(region.to_owned()))
            .endpoint_url(url)
            .http_client(plain_http_client())
            .retry_config(RetryConfig::standard())
            .sleep_impl(SharedAsyncSleep::new(TokioSleep::new()))
            .credentials_provider(static_credentials(&Keys {
                access_key_id: access_key_id.to_owned(),
                secret_access_key: zeroize::Zeroizing::new(secret_access_key.to_owned()),
            }))
            .build();
        Clients {
            admin: Session::new(config),
            test_user: Mutex::new(None),
            region: region.to_owned(),
            patience: PATIENCE,
        }
    }

    /// Clients for any AWS-compatible endpoint, with credentials from profiles and the environment.
    ///
    /// # Errors
    /// When a profile gives no credentials, no region is known, or the URL is none. Nothing has been sent to the
    /// endpoint.
    pub async fn for_endpoint(options: &EndpointOptions) -> Result<Clients, ConfigError> {
        if let Some(url) = &options.url {
            check_url(url)?;
        }
        let admin = load(options, Identity::Admin, options.admin_profile.as_deref()).await?;
        let test_user = match options.user_profile.as_deref() {
            Some(profile) => Some(Session::new(load(options, Identity::TestUser, Some(profile)).await?)),
            None => None,
        };
        let region = admin.region().ok_or(ConfigError::Region)?.to_string();
        Ok(Clients { admin: Session::new(admin), test_user: Mutex::new(test_user), region, patience: PATIENCE })
    }

    /// The region that requests are signed for.
    pub fn region(&self) -> &str {
        &self.region
    }

    /// Where the admin's calls go instead of AWS; `AWS_ENDPOINT_URL` and a profile may say so, too.
    pub fn endpoint(&self) -> Option<&str> {
        self.admin.config.endpoint_url()
    }

    /// Sends `operation` signed by `identity` and waits for the end. Secrets are taken out of the answer; the secret
    /// of a new access key goes into test-user's clients and nowhere else.
    pub async fn call(&self, identity: Identity, operation: &Operation) -> Answer {
        self.call_once_or_more(identity, operation).await.0
    }

    /// [`Clients::call`], and whether the call may have been carried out more than once: the SDK sends it again when an
    /// answer is lost, and services create a second key then.
    pub async fn call_once_or_more(&self, identity: Identity, operation: &Operation) -> (Answer, bool) {
        let Some(session) = self.session(identity) else {
            let answer = Answer {
                request: serde_json::Value::Null,
                response: Err(NoResponse {
                    message: "there are no credentials for test-user yet".to_owned(),
                    remedy: "run the stage create_user first, or give --user-profile".to_owned(),
                }),
                wire: Default::default(),
                duration_us: 0,
                at: 0,
            };
            return (answer, false);
        };
        let tap = Tap::default();
        let sent = Instant::now();
        let sending = tokio::time::timeout(self.patience, ops::send(&session, operation, tap.clone()));
        let result = sending.await.unwrap_or_else(|_| Err(failure::no_answer(self.patience)));
        let duration_us = sent.elapsed().as_micros().try_into().unwrap_or(u64::MAX);
        let failure = match result {
            Ok(keys) => {
                if let Some(keys) = keys {
                    self.set_test_user(&keys);
                }
                None
            }
            Err(failure) => Some(failure),
        };
        let lost = tap.lost_a_try();
        (tap.into_answer(failure, duration_us), lost)
    }

    fn session(&self, identity: Identity) -> Option<Arc<Session>> {
        match identity {
            Identity::Admin => Some(self.admin.clone()),
            Identity::TestUser => self.test_user.lock().unwrap_or_else(PoisonError::into_inner).clone(),
        }
    }

    fn set_test_user(&self, keys: &Keys) {
        let config = self.admin.config.to_builder().credentials_provider(static_credentials(keys)).build();
        *self.test_user.lock().unwrap_or_else(PoisonError::into_inner) = Some(Session::new(config));
    }
}

fn static_credentials(keys: &Keys) -> SharedCredentialsProvider {
    // Credentials zeroise their secret when the last copy goes.
    SharedCredentialsProvider::new(Credentials::new(
        &keys.access_key_id,
        keys.secret_access_key.as_str(),
        None,
        None,
        "kmslab",
    ))
}

/// A client without TLS: it is built in a fraction of the time, and loopback needs none.
fn plain_http_client() -> SharedHttpClient {
    aws_smithy_http_client::Builder::new().build_http()
}

fn check_url(url: &str) -> Result<(), ConfigError> {
    let refuse = |reason: &str| Err(ConfigError::Endpoint { url: url.to_owned(), reason: reason.to_owned() });
    match url.parse::<http::Uri>() {
        Err(error) => refuse(&format!("not a URL ({error})")),
        Ok(uri) => match (uri.scheme_str(), uri.authority()) {
            (_, Some(authority)) if authority.as_str().contains('@') => {
                let host = authority.as_str().rsplit('@').next().unwrap_or_default();
                let url = format!("{}://{}@{host}", uri.scheme_str().unwrap_or_default(), redact::REDACTED);
                let reason = "credentials come from a profile or the environment, not from the address".to_owned();
                Err(ConfigError::Endpoint { url, reason })
            }
            // A port that is none has been read as part of the host.
            (Some("http" | "https"), Some(authority))
                if authority.port().is_none() && authority.as_str() != authority.host() =>
            {
                refuse("the port is no number up to 65535")
            }
            (Some("http" | "https"), Some(_)) => Ok(()),
            _ => refuse("it needs http:// or https:// and a host"),
        },
    }
}

async fn load(options: &EndpointOptions, identity: Identity, profile: Option<&str>) -> Result<SdkConfig, ConfigError> {
    let mut loader = aws_config::defaults(BehaviorVersion::latest());
    if let Some(url) = &options.url {
        loader = loader.endpoint_url(url);
    }
    if let Some(profile) = profile {
        loader = loader.profile_name(profile);
    }
    if let Some(region) = &options.region {
        loader = loader.region(Region::new(region.clone()));
    }
    let config = loader.load().await;
    let mut builder = config.to_builder();
    if options.url.as_ref().is_some_and(|url| url.starts_with("http://")) {
        builder = builder.http_client(plain_http_client());
    }
    if let Some(profile) = profile {
        // As with `aws --profile`: the SDK's default chain would put the environment before the profile.
        let configuration = ProviderConfig::without_region()
            .with_region(config.region().cloned())
            .with_behavior_version(Some(BehaviorVersion::latest()));
        let provider =
            ProfileFileCredentialsProvider::builder().configure(&configuration).profile_name(profile).build();
        builder = builder.credentials_provider(SharedCredentialsProvider::new(provider));
    }
    let config = builder.build();
    check_credentials(&config, identity, profile).await?;
    if config.region().is_none() {
        return Err(ConfigError::Region);
    }
    Ok(config)
}

/// Asks the provider once, so that a wrong profile is an error before anything is drawn or created.
async fn check_credentials(config: &SdkConfig, identity: Identity, profile: Option<&str>) -> Result<(), ConfigError> {
    let reason = match config.credentials_provider() {
        Some(provider) => match provider.provide_credentials().await {
            Ok(_) => return Ok(()),
            Err(error) => chain(&error),
        },
        None => "no provider is configured".to_owned(),
    };
    let (origin, remedy) = match profile {
        Some(profile) => (
            format!("profile {profile}"),
            format!(
                "look at ~/.aws/config and ~/.aws/credentials, or try: aws sts get-caller-identity --profile {profile}"
            ),
        ),
        None => (
            "the environment and the default profile".to_owned(),
            "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or give --admin-profile".to_owned(),
        ),
    };
    Err(ConfigError::Credentials { identity: identity.name(), origin, reason, remedy })
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;

    use super::*;

    #[test]
    fn a_server_that_never_answers_is_given_up() {
        let silent = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", silent.local_addr().unwrap());
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let clients = Clients::for_sandbox(&url, "us-east-1", "AKIAEXAMPLE", "secret");
        assert_eq!(clients.patience, PATIENCE);
        let clients = Clients { patience: Duration::from_millis(50), ..clients };
        let answer = runtime.block_on(clients.call(Identity::Admin, &Operation::GetCallerIdentity));
        let none = answer.response.unwrap_err();
        assert!(none.message.contains("no answer"), "{none:?}");
        assert!(answer.wire.request.contains("GetCallerIdentity"), "what was sent is shown");
    }
}
