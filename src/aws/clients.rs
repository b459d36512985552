//! Both identities' clients: how they are made, and what they send.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use aws_config::{AppName, BehaviorVersion, Region, SdkConfig};
use aws_smithy_async::rt::sleep::{SharedAsyncSleep, TokioSleep};
use aws_smithy_types::retry::RetryConfig;
use zeroize::Zeroizing;

use super::error::ConfigError;
use super::places::{check_places, check_url, places_of};
use super::process::{Tell, Waiting};
use super::service_clients::{Keys, RequestIds, ServiceClients, plain_http_client, static_credentials};
use super::tap::Tap;
use super::timing::Timing;
use super::{failure, ops, profile, questions};
use crate::lab::backend::ServicePlace;
use crate::lab::certainty::names_result;
use crate::lab::doctor::Question;
use crate::lab::{Answer, CallError, Identity, Operation};

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
    /// What the program is called in requests; `None` leaves that out.
    pub app: Option<&'static str>,
}

/// Both identities' clients.
pub struct Clients {
    pub(super) admin: Arc<ServiceClients>,
    /// The admin's clients for the lab's calls, once they have new connections.
    reconnected: Mutex<Option<Arc<ServiceClients>>>,
    /// Given by a profile, or set when CreateAccessKey has answered.
    test_user: Mutex<Option<Arc<ServiceClients>>>,
    region: String,
    /// The endpoint that replaces AWS.
    endpoint: Option<String>,
    /// The endpoint of each service.
    services: Vec<ServicePlace>,
    timing: Timing,
    /// Of every request, by any signer.
    ids: RequestIds,
}

/// The time limit for profiles to give credentials: a role and single sign-on ask the network, and a
/// `credential_process` may ask a person.
const CREDENTIALS: Duration = Duration::from_secs(60);

impl Clients {
    /// Clients for a server on loopback, whose admin's keys are known. Reads no file and no variable.
    pub fn for_sandbox(url: &str, region: &str, access_key_id: &str, secret_access_key: &str) -> Clients {
        Clients::with_keys(url, region, access_key_id, secret_access_key, Timing::default())
    }

    /// As [`Clients::for_sandbox`], with other times.
    pub fn with_keys(url: &str, region: &str, access_key_id: &str, secret_access_key: &str, timing: Timing) -> Clients {
        let keys = Keys {
            access_key_id: access_key_id.to_owned(),
            secret_access_key: Zeroizing::new(secret_access_key.to_owned()),
        };
        let config = SdkConfig::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new(region.to_owned()))
            .endpoint_url(url)
            .http_client(plain_http_client())
            .retry_config(RetryConfig::standard())
            .sleep_impl(SharedAsyncSleep::new(TokioSleep::new()))
            .credentials_provider(static_credentials(&keys))
            .build();
        let ids = RequestIds::default();
        Clients {
            admin: ServiceClients::with_keys(ids.noting(timing.apply(config)), Some(keys)),
            reconnected: Mutex::default(),
            test_user: Mutex::new(None),
            region: region.to_owned(),
            endpoint: Some(url.to_owned()),
            services: Vec::new(),
            timing,
            ids,
        }
    }

    /// Clients for any AWS-compatible endpoint, with credentials from profiles and the environment.
    ///
    /// # Errors
    /// If a profile has no credentials, no region is known, or the URL is invalid. Nothing has been sent to the
    /// endpoint.
    pub async fn for_endpoint(options: &EndpointOptions) -> Result<Clients, ConfigError> {
        Clients::for_endpoint_telling(options, |_| ()).await
    }

    /// As [`Clients::for_endpoint`]. If a profile's `credential_process` takes its time, `tell` shows what it prints.
    ///
    /// # Errors
    /// As [`Clients::for_endpoint`].
    pub async fn for_endpoint_telling(options: &EndpointOptions, tell: Tell) -> Result<Clients, ConfigError> {
        if let Some(url) = &options.url {
            check_url(url)?;
        }
        let wanted = |identity, profile| profile::Wanted {
            identity,
            profile,
            region: options.region.as_deref(),
            url: options.url.as_deref(),
        };
        let (timing, ids) = (Timing::default(), RequestIds::default());
        let app = options.app.and_then(|name| AppName::new(name).ok());
        let named = |config: SdkConfig| match &app {
            Some(app) => config.into_builder().app_name(app.clone()).build(),
            None => config,
        };
        let waiting = Waiting::new(tell);
        let load = |identity, profile| within(identity, profile::load(wanted(identity, profile), &waiting));
        let admin = load(Identity::Admin, options.admin_profile.as_deref()).await?;
        let test_user = match options.user_profile.as_deref() {
            Some(profile) => {
                let config = load(Identity::TestUser, Some(profile)).await?;
                check_places(&admin, &config)?;
                Some(ServiceClients::new(ids.noting(timing.apply(config))))
            }
            None => None,
        };
        waiting.end();
        let region = admin.region().ok_or(ConfigError::Region)?.to_string();
        let services = places_of(&admin);
        let endpoint = services.iter().find_map(|place| place.endpoint.clone());
        let admin = ServiceClients::new(ids.noting(timing.apply(named(admin))));
        let reconnected = Mutex::default();
        let test_user = Mutex::new(test_user);
        Ok(Clients { admin, reconnected, test_user, region, endpoint, services, timing, ids })
    }

    /// The same clients, with `seconds` as the longest wait for a change to take effect; `None` keeps the default.
    #[must_use]
    pub fn with_wait(mut self, seconds: Option<u32>) -> Clients {
        if let Some(seconds) = seconds {
            self.timing.change = Duration::from_secs(seconds.into());
        }
        self
    }

    /// Makes clients for the same endpoint, with another admin and no test-user.
    pub(super) fn with_admin(&self, admin: Arc<ServiceClients>) -> Clients {
        Clients {
            admin,
            test_user: Mutex::new(None),
            region: self.region.clone(),
            endpoint: self.endpoint.clone(),
            services: self.services.clone(),
            timing: self.timing,
            ids: self.ids.clone(),
            reconnected: Default::default(),
        }
    }

    /// Returns how long to wait for a change to take effect.
    pub fn patience(&self) -> Duration {
        self.timing.change
    }

    /// The region that requests are signed for.
    pub fn region(&self) -> &str {
        &self.region
    }

    /// The region of `identity`; of one that has no credentials yet it will be the admin's.
    pub fn region_of(&self, identity: Identity) -> String {
        let region = self.of(identity).and_then(|clients| clients.config.region().map(ToString::to_string));
        region.unwrap_or_else(|| self.region.clone())
    }

    /// Sends a question of `kmslab doctor`, signed by `identity`. It changes nothing.
    pub async fn ask(&self, identity: Identity, question: &Question) -> Answer {
        let Some(clients) = self.of(identity) else { return no_credentials() };
        let tap = Tap::default();
        let sent = Instant::now();
        let sending = tokio::time::timeout(self.timing.call, questions::send(&clients, question, tap.clone()));
        let result = sending.await.unwrap_or_else(|_| Err(failure::no_answer(self.timing.call)));
        tap.into_answer(result.err(), sent.elapsed().as_micros().try_into().unwrap_or(u64::MAX))
    }

    /// Returns the endpoint that replaces AWS for the admin, which `AWS_ENDPOINT_URL` and a profile may set, too. If only
    /// some services have one, it is the first of theirs.
    pub fn endpoint(&self) -> Option<&str> {
        self.endpoint.as_deref()
    }

    /// Returns the endpoint of all the admin's calls; `None` for AWS itself and if services have different endpoints.
    pub fn one_place(&self) -> Option<&str> {
        self.endpoint().filter(|_| self.services().is_empty())
    }

    /// Returns the endpoint of each service; empty if all have the same.
    pub fn services(&self) -> &[ServicePlace] {
        let is_same = |[one, other]: &[ServicePlace; 2]| one.endpoint == other.endpoint;
        if self.services.array_windows().all(is_same) { &[] } else { &self.services }
    }

    /// Sends `operation` signed by `identity` and waits for the end. Secrets are taken out of the answer; the secret
    /// of a new access key goes into test-user's clients and nowhere else.
    pub async fn call(&self, identity: Identity, operation: &Operation) -> Answer {
        let Some(clients) = self.of(identity) else { return no_credentials() };
        let tap = Tap::default();
        let sent = Instant::now();
        let sending = tokio::time::timeout(self.timing.call, ops::send(&clients, operation, tap.clone()));
        let result = sending.await.unwrap_or_else(|_| Err(failure::no_answer(self.timing.call)));
        let duration_us = sent.elapsed().as_micros().try_into().unwrap_or(u64::MAX);
        let failure = match result {
            Ok(keys) => {
                if let Some(keys) = keys {
                    self.set_test_user(&keys);
                } else if let Operation::DeleteAccessKey { .. } = operation {
                    // The key is worth nothing any more: its secret need not stay in memory.
                    *lock(&self.test_user) = None;
                }
                None
            }
            Err(failure) => Some(failure),
        };
        telling(operation, tap.into_answer(failure, duration_us))
    }

    fn of(&self, identity: Identity) -> Option<Arc<ServiceClients>> {
        match identity {
            Identity::Admin => Some(lock(&self.reconnected).clone().unwrap_or_else(|| self.admin.clone())),
            Identity::TestUser => lock(&self.test_user).clone(),
        }
    }

    /// Sends the next calls over new connections. A server on loopback only: others need TLS, and keep no trail.
    pub fn reconnect(&self) {
        if !self.admin.config.endpoint_url().is_some_and(profile::is_loopback) {
            return;
        }
        let renewed = |clients: &Arc<ServiceClients>| {
            let config = clients.config.to_builder().http_client(plain_http_client()).build();
            ServiceClients::with_keys(self.ids.noting(config), clients.keys.clone())
        };
        *lock(&self.reconnected) = Some(renewed(&self.admin));
        let mut test_user = lock(&self.test_user);
        *test_user = test_user.as_ref().map(renewed);
    }

    fn set_test_user(&self, keys: &Keys) {
        let mut config = self.admin.config.to_builder().credentials_provider(static_credentials(keys)).build();
        if self.admin.config.endpoint_url().is_some_and(profile::is_loopback) {
            // DynamoDB caches table keys for each connection. With a pool of its own, which sends one call at a time,
            // test-user always has the same one, and admin's calls never take it.
            config = self.ids.noting(config.into_builder().http_client(plain_http_client()).build());
        }
        *lock(&self.test_user) = Some(ServiceClients::with_keys(config, Some(keys.clone())));
    }

    /// Whether the request with this id was sent from here, and answered.
    pub fn has_sent(&self, request_id: &str) -> bool {
        self.ids.has(request_id)
    }

    /// The access key id and the secret that the lab itself was given: by the sandbox, or by IAM for the user that it
    /// made. None where a profile of the person has them.
    pub fn lab_keys(&self, identity: Identity) -> Option<(String, Zeroizing<String>)> {
        let keys = self.of(identity)?.keys.clone()?;
        Some((keys.access_key_id, keys.secret_access_key))
    }
}

/// Locks what no panic leaves half done.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The end of `loading`, which must come in time.
async fn within<T>(
    identity: Identity,
    loading: impl Future<Output = Result<T, ConfigError>>,
) -> Result<T, ConfigError> {
    tokio::time::timeout(CREDENTIALS, loading).await.unwrap_or_else(|_| {
        Err(ConfigError::Credentials {
            identity: identity.name(),
            origin: "its profile or the environment".to_owned(),
            reason: format!("nothing came within {} seconds", CREDENTIALS.as_secs()),
            remedy: "check the network, the proxy, and the profile's credential_process".to_owned(),
            is_unreachable: true,
        })
    })
}

/// Turns a success that doesn't name its result into a failure: a gateway answered, or the body was lost.
fn telling(operation: &Operation, answer: Answer) -> Answer {
    match &answer.response {
        Ok(response) if response.status < 300 && !names_result(operation, &response.body) => {
            Answer { response: Err(failure::no_result(operation.name())), ..answer }
        }
        _ => answer,
    }
}

/// The answer to a call that can't be signed: only test-user may be without credentials.
fn no_credentials() -> Answer {
    Answer {
        request: serde_json::Value::Null,
        response: Err(CallError {
            message: "there are no credentials for test-user yet".to_owned(),
            remedy: "run the stage create_user first, or give --user-profile".to_owned(),
        }),
        wire: Default::default(),
        duration_us: 0,
        at: 0,
        tries: 0,
    }
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;

    use super::*;

    #[test]
    fn a_new_key_that_can_sign_nothing_is_refused() {
        use std::io::{Read, Write};
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let server = std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            assert!(stream.read(&mut [0; 8192]).unwrap() > 0);
            let body = "<CreateAccessKeyResponse><CreateAccessKeyResult><AccessKey><UserName>u</UserName><AccessKeyId>\
                        AKIA&#13;X</AccessKeyId><Status>Active</Status><SecretAccessKey>geheim</SecretAccessKey>\
                        </AccessKey></CreateAccessKeyResult></CreateAccessKeyResponse>";
            let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\nConnection: close\r\n\r\n", body.len());
            stream.write_all((head + body).as_bytes()).unwrap();
        });
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let clients = Clients::with_keys(&url, "us-east-1", "AKIAEXAMPLE", "secret", Timing::default());
        let create = Operation::CreateAccessKey { user: "u".to_owned() };
        let answer = runtime.block_on(clients.call(Identity::Admin, &create));
        server.join().unwrap();
        let none = answer.response.unwrap_err();
        assert!(none.message.contains("the access key id is a carriage return"), "{none:?}");
        assert!(clients.of(Identity::TestUser).is_none(), "nobody signs with it");
    }

    #[test]
    fn a_server_that_never_answers_is_given_up() {
        let silent = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", silent.local_addr().unwrap());
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let timing = Timing { call: Duration::from_millis(50), ..Timing::default() };
        let clients = Clients::with_keys(&url, "us-east-1", "AKIAEXAMPLE", "secret", timing);
        let answer = runtime.block_on(clients.call(Identity::Admin, &Operation::GetCallerIdentity));
        let none = answer.response.unwrap_err();
        assert!(none.message.contains("no answer"), "{none:?}");
        assert!(answer.wire.request.contains("GetCallerIdentity"), "what was sent is shown");
    }
}
