//! What the files of a lab's private folder say.

use std::path::Path;

use super::folder::{CONFIG, CREDENTIALS, DEFAULT, HINT, VARIABLES, welcome};
use crate::aws::Clients;
use crate::lab::session::shell;
use crate::lab::{BackendKind, Identity, Service, State};

/// The files that need no secret.
pub fn open(state: &State, folder: &Path) -> Vec<(&'static str, String)> {
    let [admin, test_user] = Identity::BOTH.map(|who| (welcome(who), lines(&shell::welcome(state, who))));
    vec![
        (CONFIG, config(state)),
        (VARIABLES, variables(state, folder)),
        admin,
        test_user,
        (DEFAULT, shell::default_identity(state).profile().to_owned()),
        (HINT, lines(&shell::hint(state))),
    ]
}

fn lines(lines: &[String]) -> String {
    lines.iter().map(|line| format!("{line}\n")).collect()
}

/// The credentials of both profiles, as far as there are any: the lab's own or, where the lab uses those, `own`. On the
/// sandbox nothing may refer to the person's profiles.
pub fn credentials(clients: &Clients, own: Option<&OwnProfiles>) -> (&'static str, String) {
    let section = |identity: Identity| match clients.lab_keys(identity) {
        Some((id, secret)) => {
            let (id, secret) = (one_line(&id), one_line(&secret));
            format!("[{}]\naws_access_key_id = {id}\naws_secret_access_key = {secret}\n", identity.profile())
        }
        None => own.map(|own| own.section(identity)).unwrap_or_default(),
    };
    (CREDENTIALS, Identity::BOTH.map(section).concat())
}

/// Credentials come from a server: a line break must not begin another setting.
fn one_line(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).collect()
}

fn config(state: &State) -> String {
    let region = &state.backend().region;
    let endpoint = one_endpoint(state).map(|url| format!("endpoint_url = {url}\n")).unwrap_or_default();
    let profile = |identity: Identity| {
        format!("[profile {}]\nregion = {region}\noutput = json\n{endpoint}\n", identity.profile())
    };
    Identity::BOTH.map(profile).concat()
}

/// The one place where all calls go; `None` is AWS itself, or several places.
fn one_endpoint(state: &State) -> Option<&str> {
    state.backend().endpoint.as_deref().filter(|_| state.services().is_empty())
}

/// Names and values, one a line.
fn variables(state: &State, folder: &Path) -> String {
    let file = |name: &str| folder.join(name).display().to_string();
    let region = state.backend().region.clone();
    let mut all = vec![
        ("AWS_CONFIG_FILE".to_owned(), file(CONFIG)),
        ("AWS_SHARED_CREDENTIALS_FILE".to_owned(), file(CREDENTIALS)),
        ("AWS_REGION".to_owned(), region.clone()),
        ("AWS_DEFAULT_REGION".to_owned(), region),
        ("AWS_PAGER".to_owned(), String::new()),
    ];
    if state.backend().kind != BackendKind::Aws {
        // Nothing may ask the machine that this runs on for credentials of AWS.
        all.push(("AWS_EC2_METADATA_DISABLED".to_owned(), "true".to_owned()));
    }
    all.extend(one_endpoint(state).map(|url| ("AWS_ENDPOINT_URL".to_owned(), url.to_owned())));
    all.extend(state.services().iter().filter_map(|place| {
        let name = match place.service {
            Service::Sts => "AWS_ENDPOINT_URL_STS",
            Service::Kms => "AWS_ENDPOINT_URL_KMS",
            Service::DynamoDb => "AWS_ENDPOINT_URL_DYNAMODB",
            Service::Iam => "AWS_ENDPOINT_URL_IAM",
        };
        Some((name.to_owned(), place.endpoint.clone()?))
    }));
    all.push(("KMSLAB_HOME".to_owned(), folder.display().to_string()));
    all.extend(shell::variables(state).into_iter().map(|(name, value)| (name.to_owned(), value)));
    all.iter().map(|(name, value)| format!("{name}={}\n", one_line(value))).collect()
}

/// The person's own profiles, where the lab uses them: the shell's profiles refer to them.
#[derive(Debug, Clone, Default)]
pub struct OwnProfiles {
    /// The admin's; `None` is the SDK's default chain.
    pub admin: Option<String>,
    /// test-user's; `None` where the lab makes the user.
    pub test_user: Option<String>,
}

impl OwnProfiles {
    fn section(&self, identity: Identity) -> String {
        let variable = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
        let profile = match identity {
            Identity::Admin => self.admin.clone(),
            // There is no such user yet.
            Identity::TestUser if self.test_user.is_none() => return String::new(),
            Identity::TestUser => self.test_user.clone(),
        };
        let name = identity.profile();
        let keys = variable("AWS_ACCESS_KEY_ID").zip(variable("AWS_SECRET_ACCESS_KEY"));
        if let (None, Some((id, secret))) = (&profile, keys) {
            // They are in the lab's environment, and nowhere else.
            let token =
                variable("AWS_SESSION_TOKEN").map(|token| format!("aws_session_token = {}\n", one_line(&token)));
            let token = token.unwrap_or_default();
            let (id, secret) = (one_line(&id), one_line(&secret));
            return format!("[{name}]\naws_access_key_id = {id}\naws_secret_access_key = {secret}\n{token}");
        }
        let profile = profile.or_else(|| variable("AWS_PROFILE")).unwrap_or_else(|| "default".to_owned());
        let files = ["AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"].map(|name| match variable(name) {
            Some(path) => format!("{name}={}", quoted(&path)),
            None => format!("-u {name}"),
        });
        let [set, unset]: [Vec<&String>; 2] =
            [false, true].map(|unset| files.iter().filter(|file| file.starts_with("-u") == unset).collect());
        let files = unset.into_iter().chain(set).map(String::as_str).collect::<Vec<_>>().join(" ");
        let process = "aws configure export-credentials --format process --profile";
        format!("[{name}]\ncredential_process = env {files} {process} {}\n", quoted(&one_line(&profile)))
    }
}

/// A word of a `credential_process`, which is split like a command line.
fn quoted(word: &str) -> String {
    shlex::try_quote(&one_line(word)).map(std::borrow::Cow::into_owned).unwrap_or_default()
}
