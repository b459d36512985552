//! Credentials, region and certificates as the AWS files and variables give them.

use std::collections::BTreeMap;
use std::error::Error;
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};
use std::time::SystemTime;

use aws_config::environment::EnvironmentVariableCredentialsProvider;
use aws_config::meta::credentials::CredentialsProviderChain;
use aws_config::profile::{self, ProfileFileCredentialsProvider, ProfileSet};
use aws_config::provider_config::ProviderConfig;
use aws_config::{BehaviorVersion, ConfigLoader, Region, SdkConfig};
use aws_credential_types::Credentials;
use aws_credential_types::provider::error::CredentialsError;
use aws_credential_types::provider::{ProvideCredentials, SharedCredentialsProvider, future};
use aws_runtime::env_config::file::EnvConfigFiles;
use aws_smithy_runtime_api::client::http::SharedHttpClient;
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_types::os_shim_internal::{Env, Fs};

use super::advice::{Advice, Case};
use super::error::{ConfigError, one_line};
use super::files::{Files, name_for_sdk};
use super::process::{Process, Waiting};
use super::service_clients::plain_http_client;
use super::settings::{self, Fault};
use super::{failure, tls};
use crate::lab::Identity;

/// The profile to load.
#[derive(Debug, Clone, Copy)]
pub(super) struct Wanted<'a> {
    /// For whom; it is named in errors.
    pub identity: Identity,
    /// The profile; `None` is the SDK's default chain.
    pub profile: Option<&'a str>,
    /// The region; `None` is the SDK's chain: the variables, then the profile.
    pub region: Option<&'a str>,
    /// The endpoint of all services; `None` leaves it to `AWS_ENDPOINT_URL*`, the profile's `endpoint_url` and AWS.
    pub url: Option<&'a str>,
}

/// The profile that is used, and who asked for it.
struct Selected {
    name: String,
    /// `AWS_PROFILE` did.
    by_variable: bool,
}

/// The configuration of one identity. Its credentials have been requested once, so that a wrong profile is an error
/// before anything is drawn or created.
///
/// # Errors
/// If there are no credentials or no region, or if a file can't be read.
pub(super) async fn load(wanted: Wanted<'_>, waiting: &Waiting) -> Result<SdkConfig, ConfigError> {
    settings::readable_token()?;
    let on_disk = Files::read(|name| std::env::var_os(name))?;
    let selected = select(wanted);
    let processes = processes(&on_disk);
    let for_sdk = on_disk.for_sdk(&processes);
    let name = name_for_sdk(&selected.name);
    let files = profile::load(&Fs::real(), &Env::real(), &for_sdk, Some(name.into())).await.map_err(|error| {
        ConfigError::Files { reason: one_line(&failure::chain(&error)), fix: "correct that line".to_owned() }
    })?;
    check_keys(&on_disk, wanted, &selected)?;
    let https = match ca_bundle(&files) {
        Some(file) => tls::client_with(file)?,
        None => tls::usual_client(),
    };
    let loader = loader(wanted, &selected, for_sdk.clone());
    let loader = loader.http_client(https.clone()).retry_config(settings::retries(&files)?);
    let config = loader.load().await;
    check_region(&config, wanted, &on_disk, &selected)?;
    let mut builder = config.to_builder();
    if config.endpoint_url().is_some_and(is_loopback) {
        // Neither TLS nor a proxy is for this machine itself.
        builder = builder.http_client(plain_http_client());
    }
    let of_profile = || {
        let builder = provider(&selected.name, &config, https.clone()).profile_files(for_sdk.clone());
        processes.iter().fold(builder, |builder, (name, source)| {
            let command = on_disk.profile(name).and_then(|profile| profile.get("credential_process"));
            let process = Process::new(name, command.map_or("", String::as_str), waiting.clone());
            builder.with_custom_provider(source.clone(), process)
        })
    };
    // As with `aws --profile`: the SDK's default chain would put the environment before a named profile.
    if wanted.profile.is_some() {
        builder = builder.credentials_provider(SharedCredentialsProvider::new(of_profile().build()));
    } else if !processes.is_empty() {
        let environment = EnvironmentVariableCredentialsProvider::new();
        let chain =
            CredentialsProviderChain::first_try("Environment", environment).or_else("Profile", of_profile().build());
        let rest = config.credentials_provider();
        let chain = rest.into_iter().fold(chain, |chain, rest| chain.or_else("Default", rest));
        builder = builder.credentials_provider(SharedCredentialsProvider::new(chain));
    }
    primed(builder.build(), wanted, &selected, &on_disk).await
}

/// `config`, whose credentials have been requested once.
async fn primed(
    config: SdkConfig,
    wanted: Wanted<'_>,
    selected: &Selected,
    on_disk: &Files,
) -> Result<SdkConfig, ConfigError> {
    let then = config.credentials_provider();
    let credentials = match &then {
        Some(provider) => credentials(provider).await,
        None => Err(Refused { reason: "no provider is configured".to_owned(), is_unreachable: false }),
    };
    let (credentials, then) = match (credentials, then) {
        (Ok(credentials), Some(then)) => (credentials, then),
        (refused, _) => return Err(refusal(refused.err().unwrap_or_default(), wanted, selected, on_disk)),
    };
    if let Some(fault) = settings::fault(&credentials) {
        return Err(unusable(wanted, selected, fault));
    }
    if config.region().is_none() {
        return Err(ConfigError::Region);
    }
    let first = Mutex::new(Some(credentials));
    let provider = SharedCredentialsProvider::new(Primed { first, then });
    Ok(config.into_builder().credentials_provider(provider).build())
}

/// The profile that `wanted` means.
fn select(wanted: Wanted<'_>) -> Selected {
    let variable = || std::env::var("AWS_PROFILE").ok().filter(|name| !name.trim().is_empty());
    match (wanted.profile, variable()) {
        (Some(name), _) => Selected { name: name.to_owned(), by_variable: false },
        (None, Some(name)) => Selected { name, by_variable: true },
        (None, None) => Selected { name: "default".to_owned(), by_variable: false },
    }
}

fn loader(wanted: Wanted<'_>, selected: &Selected, files: EnvConfigFiles) -> ConfigLoader {
    let mut loader = aws_config::defaults(BehaviorVersion::latest());
    loader = loader.profile_files(files).profile_name(name_for_sdk(&selected.name));
    if let Some(url) = wanted.url {
        loader = loader.endpoint_url(url);
    }
    if let Some(region) = wanted.region {
        loader = loader.region(Region::new(region.to_owned()));
    }
    loader
}

/// The profiles whose credentials come from a program, each with the name of its source for the SDK. As in the SDK, all
/// other ways count before that one.
fn processes(files: &Files) -> BTreeMap<String, String> {
    let others = ["credential_source", "web_identity_token_file", "login_session"];
    let is_from_process = |name: &&str| {
        files.profile(name).is_some_and(|profile| {
            let is_other = |key: &String| others.contains(&key.as_str()) || key.starts_with("sso_");
            profile.contains_key("credential_process") && !profile.keys().any(is_other)
        })
    };
    let names = files.names().filter(is_from_process).enumerate();
    names.map(|(at, name)| (name.to_owned(), format!("kmslab-process-{at}"))).collect()
}

/// A region becomes part of a host's name, and is signed: a wrong one fails where nobody looks for it.
fn check_region(config: &SdkConfig, wanted: Wanted<'_>, files: &Files, selected: &Selected) -> Result<(), ConfigError> {
    let Some(region) = config.region().map(Region::as_ref).filter(|region| !is_region(region)) else { return Ok(()) };
    let is_from = |variable: &&str| std::env::var(variable).is_ok_and(|value| value == region);
    let variable = ["AWS_REGION", "AWS_DEFAULT_REGION"].into_iter().find(is_from);
    let is_own = files.profile(&selected.name).is_some_and(|profile| profile.contains_key("region"));
    let origin = match (wanted.region, variable) {
        (Some(_), _) => "--region".to_owned(),
        (None, Some(variable)) => variable.to_owned(),
        (None, None) if is_own => format!("the region of profile {}", selected.name),
        (None, None) => format!("the region of a source_profile of {}", selected.name),
    };
    Err(ConfigError::BadRegion { origin, region: region.to_owned() })
}

/// Returns whether `text` may be a region: small letters, digits and hyphens.
fn is_region(text: &str) -> bool {
    let fits = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    !text.is_empty() && text.len() <= 32 && text.bytes().all(fits)
}

/// Checks the keys in the files and variables, before the SDK signs a role's or a login's request with them.
fn check_keys(files: &Files, wanted: Wanted<'_>, selected: &Selected) -> Result<(), ConfigError> {
    const KEYS: [(&str, &str); 3] = [
        ("aws_access_key_id", "AWS_ACCESS_KEY_ID"),
        ("aws_secret_access_key", "AWS_SECRET_ACCESS_KEY"),
        ("aws_session_token", "AWS_SESSION_TOKEN"),
    ];
    let mut next = Some(selected.name.as_str());
    let mut seen = Vec::new();
    let mut environment = wanted.profile.is_none();
    while let Some(name) = next.filter(|name| !seen.contains(name)) {
        let Some(profile) = files.profile(name) else { break };
        let fault = KEYS.iter().find_map(|(key, _)| settings::fault_of(key, profile.get(*key)?));
        if let Some(Fault { says, remedy }) = fault {
            let says = format!("profile {name}: {says}");
            return Err(unusable(wanted, selected, Fault { says, remedy }));
        }
        environment |= profile.contains_key("credential_source");
        seen.push(name);
        next = profile.get("source_profile").map(String::as_str);
    }
    let of_variable = |(_, name): &(&str, &str)| settings::fault_of(name, &std::env::var(name).ok()?);
    match KEYS.iter().filter(|_| environment).find_map(of_variable) {
        Some(fault) => Err(unusable(wanted, selected, fault)),
        None => Ok(()),
    }
}

/// The error of credentials that no request can carry.
fn unusable(wanted: Wanted<'_>, selected: &Selected, fault: Fault) -> ConfigError {
    ConfigError::Credentials {
        identity: wanted.identity.name(),
        origin: origin(wanted, selected),
        reason: fault.says,
        remedy: fault.remedy,
        is_unreachable: false,
    }
}

/// Names the places where credentials were looked for.
fn origin(wanted: Wanted<'_>, selected: &Selected) -> String {
    match (wanted.profile, selected.by_variable) {
        (Some(profile), _) => format!("profile {profile}"),
        (None, true) => format!("the environment and profile {}", selected.name),
        (None, false) => "the environment and the default profile".to_owned(),
    }
}

/// Gives the credentials that were requested at the start, once, and then what its provider gives: a
/// `credential_process` may ask you to touch a security key, and should not ask twice.
#[derive(Debug)]
struct Primed {
    first: Mutex<Option<Credentials>>,
    then: SharedCredentialsProvider,
}

impl ProvideCredentials for Primed {
    fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
    where
        Self: 'a,
    {
        match self.first.lock().unwrap_or_else(PoisonError::into_inner).take() {
            Some(credentials) => future::ProvideCredentials::ready(Ok(credentials)),
            // New ones, an hour later: the SDK would panic at them like at the first.
            None => future::ProvideCredentials::new(async {
                let credentials = self.then.provide_credentials().await?;
                match settings::fault(&credentials) {
                    Some(fault) => Err(CredentialsError::provider_error(fault.says)),
                    None => Ok(credentials),
                }
            }),
        }
    }
}

/// Names the source of one profile's credentials.
fn provider(profile: &str, config: &SdkConfig, https: SharedHttpClient) -> profile::credentials::Builder {
    let mut configuration = ProviderConfig::without_region()
        .with_region(config.region().cloned())
        .with_behavior_version(Some(BehaviorVersion::latest()))
        .with_http_client(https);
    if let Some(retries) = config.retry_config() {
        configuration = configuration.with_retry_config(retries.clone());
    }
    ProfileFileCredentialsProvider::builder().configure(&configuration).profile_name(name_for_sdk(profile))
}

/// The file of certificates to trust: the variable counts before the profile, as with the AWS CLI.
fn ca_bundle(files: &ProfileSet) -> Option<PathBuf> {
    let variable = std::env::var_os("AWS_CA_BUNDLE").map(PathBuf::from);
    let file = variable.or_else(|| files.get("ca_bundle").map(PathBuf::from))?;
    (!file.as_os_str().is_empty()).then_some(file)
}

/// Returns whether a URL is plain HTTP to this machine.
pub(super) fn is_loopback(url: &str) -> bool {
    let Ok(uri) = url.parse::<http::Uri>() else { return false };
    let host = uri.host().unwrap_or_default().trim_matches(['[', ']']);
    let local = host.eq_ignore_ascii_case("localhost")
        || host.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback());
    local && uri.scheme_str() == Some("http")
}

/// Why there are no credentials.
#[derive(Debug, Default)]
struct Refused {
    reason: String,
    /// No server answered.
    is_unreachable: bool,
}

/// The credentials, or why there are none.
async fn credentials(provider: &SharedCredentialsProvider) -> Result<Credentials, Refused> {
    let credentials = provider.provide_credentials().await.map_err(|error| {
        let is_unreachable = is_unreachable(&error);
        let reason = failure::chain(&error);
        Refused { reason: one_line(&failure::plain(&reason)), is_unreachable }
    })?;
    match credentials.expiry() {
        Some(expiry) if expiry <= SystemTime::now() => {
            Err(Refused { reason: "the credentials have expired".to_owned(), is_unreachable: false })
        }
        _ => Ok(credentials),
    }
}

/// Returns whether a request got no response.
fn is_unreachable(error: &(dyn Error + 'static)) -> bool {
    let causes = std::iter::successors(Some(error), |error| (*error).source());
    causes.into_iter().any(|cause| cause.is::<ConnectorError>() || cause.to_string() == "request has timed out")
}

/// The error that says why `wanted` has no credentials.
fn refusal(refused: Refused, wanted: Wanted<'_>, selected: &Selected, files: &Files) -> ConfigError {
    let Refused { reason, is_unreachable } = refused;
    // The chain's last hope is the metadata of an EC2 instance; its absence is not what is wrong.
    let is_metadata = reason.contains("IMDS");
    let is_unreachable = is_unreachable && !is_metadata && files.profile(&selected.name).is_some();
    let is_named = wanted.profile.is_some() || selected.by_variable;
    let Advice { says, fix } = if is_named || files.profile(&selected.name).is_some() {
        let variables = ["AWS_REGION", "AWS_DEFAULT_REGION"].into_iter().any(|name| std::env::var_os(name).is_some());
        let region = files.profile(&selected.name).and_then(|profile| profile.get("region")).map(String::as_str);
        let case = Case {
            files,
            name: &selected.name,
            identity: wanted.identity,
            by_variable: selected.by_variable,
            reason: &reason,
            is_unreachable,
            region: region.filter(|_| wanted.region.is_none() && !variables),
        };
        case.advise()
    } else {
        let reason = if is_metadata { "there are none".to_owned() } else { reason };
        let says = files.unreadable().map_or(reason, str::to_owned);
        Advice { says, fix: "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or give --admin-profile".to_owned() }
    };
    let origin = origin(wanted, selected);
    let identity = wanted.identity.name();
    ConfigError::Credentials { identity, origin, reason: says, remedy: fix, is_unreachable }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("http://127.0.0.1:4599", true)]
    #[case("http://[::1]:4599", true)]
    #[case("http://LocalHost", true)]
    #[case("https://127.0.0.1:4599", false)]
    #[case("http://moto.corp:5000", false)]
    #[case("http://localhost.evil.example", false)]
    fn loopback_is_this_machine_in_plain_text(#[case] url: &str, #[case] is: bool) {
        assert_eq!(is_loopback(url), is);
    }

    #[rstest]
    #[case("us-east-1", true)]
    #[case("us-gov-west-1", true)]
    #[case("mars-north-7", true)]
    #[case("", false)]
    #[case(" us-east-1", false)]
    #[case("us-east-1 ", false)]
    #[case("\"us-east-1\"", false)]
    #[case("us-east-1\n", false)]
    #[case("US-EAST-1", false)]
    #[case("us_east_1", false)]
    fn a_region_has_no_quotes_and_no_spaces(#[case] text: &str, #[case] is: bool) {
        assert_eq!(is_region(text), is);
    }
}
