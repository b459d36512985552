//! Credentials, region and certificates as the AWS files and variables give them, and what to do where they don't.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};
use std::time::SystemTime;

use aws_config::profile::{self, ProfileFileCredentialsProvider, ProfileSet};
use aws_config::provider_config::ProviderConfig;
use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_credential_types::Credentials;
use aws_credential_types::provider::error::CredentialsError;
use aws_credential_types::provider::{ProvideCredentials, SharedCredentialsProvider, future};
use aws_smithy_runtime_api::client::http::SharedHttpClient;
use aws_types::os_shim_internal::{Env, Fs};

use super::settings::{self, Fault};
use super::{ConfigError, failure, plain_http_client, tls};
use crate::lab::Identity;

/// What to load.
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

/// The settings of a profile, with those it refers to.
type Profiles = BTreeMap<String, BTreeMap<&'static str, String>>;

/// The settings that say how a profile comes by its credentials.
const SETTINGS: [&str; 10] = [
    "aws_access_key_id",
    "aws_session_token",
    "credential_process",
    "login_session",
    "mfa_serial",
    "role_arn",
    "source_profile",
    "sso_session",
    "sso_start_url",
    "web_identity_token_file",
];

/// The configuration of one identity. Its credentials have been asked for once, so that a wrong profile is an error before
/// anything is drawn or created.
///
/// # Errors
/// When there are no credentials, no region, or the certificates can't be read.
pub(super) async fn load(wanted: Wanted<'_>) -> Result<SdkConfig, ConfigError> {
    settings::readable_files()?;
    let files = profile::load(
        &Fs::real(),
        &Env::real(),
        &Default::default(),
        wanted.profile.map(str::to_owned).map(Into::into),
    )
    .await
    .map_err(|error| ConfigError::Files { reason: failure::chain(&error) })?;
    check_keys(&files, wanted)?;
    let https = match ca_bundle(&files) {
        Some(file) => tls::client_with(file)?,
        None => tls::usual_client(),
    };
    let mut loader = aws_config::defaults(BehaviorVersion::latest())
        .http_client(https.clone())
        .retry_config(settings::retries(&files)?);
    if let Some(url) = wanted.url {
        loader = loader.endpoint_url(url);
    }
    if let Some(profile) = wanted.profile {
        loader = loader.profile_name(profile);
    }
    if let Some(region) = wanted.region {
        loader = loader.region(Region::new(region.to_owned()));
    }
    let config = loader.load().await;
    let mut builder = config.to_builder();
    if config.endpoint_url().is_some_and(is_loopback) {
        // Neither TLS nor a proxy is for this machine itself.
        builder = builder.http_client(plain_http_client());
    }
    if let Some(profile) = wanted.profile {
        builder = builder.credentials_provider(named(profile, config.region().cloned(), https));
    }
    let config = builder.build();
    let then = config.credentials_provider();
    let credentials = match &then {
        Some(provider) => credentials(provider).await,
        None => Err("no provider is configured".to_owned()),
    };
    let (Ok(credentials), Some(then)) = (&credentials, then) else {
        return Err(refusal(credentials.err().unwrap_or_default(), wanted, &files));
    };
    if let Some(fault) = settings::fault(credentials) {
        return Err(unusable(wanted, fault));
    }
    if config.region().is_none() {
        return Err(ConfigError::Region);
    }
    let first = Mutex::new(Some(credentials.clone()));
    let provider = SharedCredentialsProvider::new(Primed { first, then });
    Ok(config.into_builder().credentials_provider(provider).build())
}

/// Checks the keys in the files and variables, before the SDK signs a role's or a login's request with them.
fn check_keys(files: &ProfileSet, wanted: Wanted<'_>) -> Result<(), ConfigError> {
    const KEYS: [(&str, &str); 3] = [
        ("aws_access_key_id", "AWS_ACCESS_KEY_ID"),
        ("aws_secret_access_key", "AWS_SECRET_ACCESS_KEY"),
        ("aws_session_token", "AWS_SESSION_TOKEN"),
    ];
    let mut next = Some(wanted.profile.unwrap_or(files.selected_profile()));
    let mut seen = Vec::new();
    let mut environment = wanted.profile.is_none();
    while let Some(profile) = next.filter(|profile| !seen.contains(profile)).and_then(|name| files.get_profile(name)) {
        let fault = KEYS.iter().find_map(|(key, _)| settings::fault_of(key, profile.get(key)?));
        if let Some(Fault { says, remedy }) = fault {
            let says = format!("profile {}: {says}", profile.name());
            return Err(unusable(wanted, Fault { says, remedy }));
        }
        environment |= profile.get("credential_source").is_some();
        seen.push(profile.name());
        next = profile.get("source_profile");
    }
    let of_variable = |(_, name): &(&str, &str)| settings::fault_of(name, &std::env::var(name).ok()?);
    match KEYS.iter().filter(|_| environment).find_map(of_variable) {
        Some(fault) => Err(unusable(wanted, fault)),
        None => Ok(()),
    }
}

/// The error of credentials that no request can carry.
fn unusable(wanted: Wanted<'_>, fault: Fault) -> ConfigError {
    ConfigError::Credentials {
        identity: wanted.identity.name(),
        origin: origin(wanted),
        reason: fault.says,
        remedy: fault.remedy,
    }
}

fn origin(wanted: Wanted<'_>) -> String {
    match wanted.profile {
        Some(profile) => format!("profile {profile}"),
        None => "the environment and the default profile".to_owned(),
    }
}

/// Gives the credentials that were asked for at the start, once, and then what its provider gives: a
/// `credential_process` may want somebody to touch a key, and is not to want it twice.
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

/// The credentials of one profile. As with `aws --profile`: the SDK's default chain would put the environment before it.
fn named(profile: &str, region: Option<Region>, https: SharedHttpClient) -> SharedCredentialsProvider {
    let configuration = ProviderConfig::without_region()
        .with_region(region)
        .with_behavior_version(Some(BehaviorVersion::latest()))
        .with_http_client(https);
    let provider = ProfileFileCredentialsProvider::builder().configure(&configuration).profile_name(profile).build();
    SharedCredentialsProvider::new(provider)
}

/// The file of certificates to trust: the variable counts before the profile, as with the AWS CLI.
fn ca_bundle(files: &ProfileSet) -> Option<PathBuf> {
    let variable = std::env::var_os("AWS_CA_BUNDLE").map(PathBuf::from);
    let file = variable.or_else(|| files.get("ca_bundle").map(PathBuf::from))?;
    (!file.as_os_str().is_empty()).then_some(file)
}

/// Whether a URL is plain HTTP to this machine.
fn is_loopback(url: &str) -> bool {
    let Ok(uri) = url.parse::<http::Uri>() else { return false };
    let host = uri.host().unwrap_or_default().trim_matches(['[', ']']);
    let local = host.eq_ignore_ascii_case("localhost")
        || host.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback());
    local && uri.scheme_str() == Some("http")
}

/// The credentials, or why there are none.
async fn credentials(provider: &SharedCredentialsProvider) -> Result<Credentials, String> {
    let credentials = provider.provide_credentials().await.map_err(|error| failure::chain(&error))?;
    match credentials.expiry() {
        Some(expiry) if expiry <= SystemTime::now() => Err("the credentials have expired".to_owned()),
        _ => Ok(credentials),
    }
}

/// The error that says why `wanted` has no credentials.
fn refusal(reason: String, wanted: Wanted<'_>, files: &ProfileSet) -> ConfigError {
    let profiles: Profiles = files.profiles().map(|name| (name.to_owned(), settings(files, name))).collect();
    let profile = match wanted.profile {
        Some(profile) => Some(profile),
        // The chain has looked at this one, too.
        None => Some(files.selected_profile()).filter(|selected| profiles.contains_key(*selected)),
    };
    let Advice { says, remedy } = match profile {
        Some(profile) => advise(profile, &profiles, &reason),
        // The chain's last hope is the metadata of an EC2 instance; that this is none is not what is wrong.
        None => Advice {
            says: if reason.contains("IMDS") { "there are none".to_owned() } else { reason },
            remedy: "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or give --admin-profile".to_owned(),
        },
    };
    ConfigError::Credentials { identity: wanted.identity.name(), origin: origin(wanted), reason: says, remedy }
}

fn settings(files: &ProfileSet, name: &str) -> BTreeMap<&'static str, String> {
    let Some(profile) = files.get_profile(name) else { return BTreeMap::new() };
    SETTINGS.iter().filter_map(|key| Some((*key, profile.get(key)?.to_owned()))).collect()
}

/// What is wrong, and what to do about it.
#[derive(Debug, PartialEq)]
struct Advice {
    says: String,
    remedy: String,
}

/// What to say of a profile that gave no credentials, by its settings and by what the SDK said.
fn advise(name: &str, profiles: &Profiles, reason: &str) -> Advice {
    let advice = |says: String, remedy: String| Advice { says, remedy };
    let Some(profile) = profiles.get(name) else {
        let known = profiles.keys().map(String::as_str).collect::<Vec<_>>().join(", ");
        return match known.as_str() {
            "" => advice(
                "there is no such profile, and no other".to_owned(),
                format!("make it with: aws configure --profile {name}"),
            ),
            known => advice(
                format!("there is no such profile; there are: {known}"),
                format!("take one of these, or make it with: aws configure --profile {name}"),
            ),
        };
    };
    let has = |key: &str| profile.contains_key(key);
    let expired = {
        let reason = reason.to_ascii_lowercase();
        reason.contains("expired") || reason.contains("unauthorizedexception")
    };
    let hand_over = || {
        format!(
            "let the AWS CLI hand them over: eval \"$(aws configure export-credentials --profile {name} --format env)\""
        )
    };
    if has("sso_session") || has("sso_start_url") {
        let login = format!("log in with: aws sso login --profile {name}");
        return if expired {
            advice("its login has expired".to_owned(), login)
        } else if reason.contains("cached SSO token") || reason.contains("sso/cache") {
            advice("nobody has logged in".to_owned(), login)
        } else if reason.contains("sso") && reason.contains("was not found") {
            advice(reason.to_owned(), format!("set it up with: aws configure sso --profile {name}"))
        } else {
            advice(reason.to_owned(), login)
        };
    }
    if has("login_session") {
        let says = "it is one of `aws login`, whose session only the AWS CLI can use".to_owned();
        return advice(says, hand_over());
    }
    if has("role_arn") {
        if let Some(source) = profile.get("source_profile").filter(|source| source.as_str() != name) {
            let of_source = profiles.get(source);
            let is_login = of_source.is_none_or(|settings| !has_keys(settings));
            // The role can't be asked for before its source works.
            if is_login && !reason.contains("AccessDenied") {
                let Advice { says, remedy } = advise(source, profiles, reason);
                return advice(format!("its source_profile {source}: {says}"), remedy);
            }
        }
        if has("mfa_serial") {
            let says = "its role asks for an MFA code, which only the AWS CLI can take".to_owned();
            return advice(says, hand_over());
        }
        let role = &profile["role_arn"];
        let says = format!("the role {role} could not be taken on: {reason}");
        return if expired {
            advice(says, "get new keys for its source_profile: their session has ended".to_owned())
        } else {
            let remedy = "its source needs sts:AssumeRole on it, and the role's trust policy must name that source";
            advice(says, remedy.to_owned())
        };
    }
    if has("credential_process") {
        return if expired {
            advice(
                "the credentials that its credential_process gave have expired".to_owned(),
                "renew what that program hands out (it may need a login of its own)".to_owned(),
            )
        } else {
            let remedy = "run the program in credential_process yourself: it must print JSON with \"Version\": 1";
            advice(format!("its credential_process failed: {reason}"), remedy.to_owned())
        };
    }
    if !has_keys(profile) {
        let says = "it has neither keys nor a login, a role or a credential_process".to_owned();
        return advice(says, format!("give it keys with: aws configure --profile {name}"));
    }
    let remedy = "look at ~/.aws/config and ~/.aws/credentials, or try: aws sts get-caller-identity --profile";
    advice(reason.to_owned(), format!("{remedy} {name}"))
}

fn has_keys(profile: &BTreeMap<&'static str, String>) -> bool {
    profile.contains_key("aws_access_key_id")
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    fn profiles() -> Profiles {
        let of = |settings: &[(&'static str, &str)]| {
            settings.iter().map(|(key, value)| (*key, (*value).to_owned())).collect()
        };
        [
            ("keys", of(&[("aws_access_key_id", "AKIA")])),
            ("sso", of(&[("sso_session", "corp")])),
            ("old-sso", of(&[("sso_start_url", "https://corp.example/start")])),
            ("role", of(&[("role_arn", "arn:aws:iam::111122223333:role/lab"), ("source_profile", "keys")])),
            ("role-of-sso", of(&[("role_arn", "arn:aws:iam::111122223333:role/lab"), ("source_profile", "sso")])),
            ("role-of-nobody", of(&[("role_arn", "arn:aws:iam::111122223333:role/lab"), ("source_profile", "gone")])),
            (
                "role-of-itself",
                of(&[("role_arn", "arn:aws:iam::111122223333:role/lab"), ("source_profile", "role-of-itself")]),
            ),
            (
                "mfa",
                of(&[
                    ("role_arn", "arn:aws:iam::111122223333:role/lab"),
                    ("source_profile", "keys"),
                    ("mfa_serial", "arn"),
                ]),
            ),
            ("process", of(&[("credential_process", "hand-out")])),
            ("login", of(&[("login_session", "arn")])),
            ("empty", of(&[])),
        ]
        .map(|(name, settings)| (name.to_owned(), settings))
        .into()
    }

    #[rstest]
    #[case(
        "sso",
        "failed to load the cached SSO token: failed to open",
        "nobody has logged in",
        "aws sso login --profile sso"
    )]
    #[case(
        "sso",
        "the SSO token has expired and cannot be refreshed",
        "login has expired",
        "aws sso login --profile sso"
    )]
    #[case(
        "old-sso",
        "UnauthorizedException: Session token not found",
        "login has expired",
        "aws sso login --profile old-sso"
    )]
    #[case(
        "sso",
        "sso-session named `corp` (referenced by profile `sso`) was not found",
        "`corp`",
        "aws configure sso --profile sso"
    )]
    #[case("sso", "connection refused", "connection refused", "aws sso login --profile sso")]
    #[case("role", "AccessDenied: not authorized to perform: sts:AssumeRole", "role/lab could not", "trust policy")]
    #[case("role", "ExpiredToken", "role/lab could not", "session has ended")]
    #[case(
        "role-of-sso",
        "failed to load the cached SSO token",
        "source_profile sso: nobody has",
        "aws sso login --profile sso"
    )]
    #[case(
        "role-of-nobody",
        "profile `gone` was not defined",
        "source_profile gone: there is no such profile",
        "aws configure --profile gone"
    )]
    #[case("role-of-itself", "no keys", "role/lab could not", "trust policy")]
    #[case("mfa", "AccessDenied", "MFA code", "export-credentials --profile mfa")]
    #[case("process", "status 3", "credential_process failed: status 3", "\"Version\": 1")]
    #[case("process", "the credentials have expired", "have expired", "renew")]
    #[case("login", "feature", "aws login", "export-credentials --profile login")]
    #[case("empty", "none", "neither keys nor", "aws configure --profile empty")]
    #[case("keys", "odd", "odd", "get-caller-identity --profile keys")]
    #[case("nobody", "none", "there are: empty, keys", "aws configure --profile nobody")]
    fn each_kind_of_profile_has_its_sentence(
        #[case] name: &str,
        #[case] reason: &str,
        #[case] says: &str,
        #[case] remedy: &str,
    ) {
        let advice = advise(name, &profiles(), reason);
        assert!(advice.says.contains(says) && advice.remedy.contains(remedy), "{advice:?}");
    }

    #[test]
    fn without_any_profile_none_is_listed() {
        let advice = advise("lab", &Profiles::new(), "");
        assert_eq!(advice.says, "there is no such profile, and no other");
    }

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
}
