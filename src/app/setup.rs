//! What a lab needs before its first call: clients, a journal, a state, and the colors of its screen.

use std::net::SocketAddr;
use std::sync::Arc;

use color_eyre::eyre::Report;
use time::OffsetDateTime;
use tokio::runtime::Runtime;

use crate::aws::{Clients, EndpointOptions, Tell};
use crate::cli::{Environment, Options, SANDBOX_REGION, UsageError, tell};
use crate::lab::doctor::{Finding, region};
use crate::lab::{Backend, BackendKind, Identity, Names, Profiles, State};
use crate::run::answer_cache::AnswerCache;
use crate::run::journal::{self, Journal};
use crate::run::looks::Looks;
use crate::run::{lesson, pseudonyms};
use crate::sandbox::{self, Sandbox};
use crate::ui::theme::{ColorLevel, Theme, ThemeChoice, ThemeName};

/// A lab and what must live as long as it.
pub(super) struct Lab {
    pub(super) state: State,
    pub(super) clients: Clients,
    /// Of a run that is not on the sandbox inside this process.
    pub(super) journal: Option<Arc<Journal>>,
    /// Likewise.
    pub(super) shelf: Option<AnswerCache>,
    /// Stops and removes its temporary folder when dropped.
    pub(super) _sandbox: Option<Sandbox>,
}

/// Shows the output of a `credential_process`, masked where everything is.
pub(super) fn teller(line: &str) {
    tell(pseudonyms::written(line));
}

/// Builds this process's n-th lab; each gets its own run id, even with a seed.
pub(super) fn bare_lab(
    runtime: &Runtime,
    options: &Options,
    environment: &Environment,
    earlier: u64,
) -> Result<Lab, Report> {
    let seed = options.seed.map(|seed| seed.wrapping_add(earlier));
    let names = Names::new(&run_id(seed)).created(now(seed));
    pseudonyms::add_run(&names.run);
    if options.endpoint_url.is_some() || options.is_aws() {
        // A later lab begins while the screen is drawn on.
        let tell: Tell = if earlier == 0 { teller } else { |_| () };
        let endpoint = EndpointOptions {
            url: options.endpoint_url.clone(),
            admin_profile: options.admin_profile.clone(),
            user_profile: options.user_profile.clone(),
            region: options.region.clone(),
            app: None,
        };
        let clients = runtime.block_on(Clients::for_endpoint_telling(&endpoint, tell))?;
        let backend = Backend {
            // AWS under an address of its own is AWS: what is created there costs money.
            kind: match options.is_aws() || clients.endpoint().is_some_and(is_amazons) {
                true => BackendKind::Aws,
                false => BackendKind::Endpoint,
            },
            region: clients.region().to_owned(),
            endpoint: clients.endpoint().map(str::to_owned),
            given_user: options.user_profile.is_some(),
        };
        let mut head = journal::head(&names, &backend, options.admin_profile.clone());
        // No single address stands for several places: a clean-up finds them as this lab did.
        head.endpoint = clients.one_place().map(str::to_owned);
        let journal = Some(Arc::new(Journal::new(environment.journals.clone(), head)));
        let shelf = Some(AnswerCache::new(environment.verified.as_deref(), &backend, options.admin_profile.as_deref()));
        let profiles = Profiles { admin: options.admin_profile.clone(), test_user: options.user_profile.clone() };
        let mut state = State::new(backend, names).with_wait(options.wait).with_profiles(profiles);
        state.set_services(clients.services().to_vec());
        state.set_accepted_account(options.yes_account.clone());
        return Ok(Lab { state, clients, journal, shelf, _sandbox: None });
    }
    let sandbox = Sandbox::start(sandbox_config(options, sandbox::Config::default().listen))?;
    let admin = sandbox.admin();
    let clients = Clients::for_sandbox(sandbox.url(), sandbox.region(), &admin.access_key_id, &admin.secret_access_key);
    let backend = Backend {
        kind: BackendKind::Sandbox,
        region: sandbox.region().to_owned(),
        endpoint: Some(sandbox.url().to_owned()),
        given_user: false,
    };
    let state = State::new(backend, names).with_wait(options.wait);
    Ok(Lab { state, clients, journal: None, shelf: None, _sandbox: Some(sandbox) })
}

/// Builds a lab as [`bare_lab`] does, masked on request, with the lesson in the user's language.
pub(super) fn lab(
    runtime: &Runtime,
    options: &Options,
    environment: &Environment,
    earlier: u64,
) -> Result<Lab, Report> {
    let mut lab = bare_lab(runtime, options, environment, earlier)?;
    check_regions(&lab.clients, options)?;
    if options.mask {
        lab.state.mask();
    }
    lab.state = lab.state.with_lesson(lesson::load(options, environment)?);
    Ok(lab)
}

/// Returns the colors of a screen, from the options and the terminal's background.
pub(super) fn looks(options: &Options, environment: &Environment) -> Looks {
    let level = environment.color_level();
    let themed = |name| {
        let theme = Theme::choose(name, level);
        if options.is_ascii(environment) { theme.in_ascii() } else { theme }
    };
    let [dark, light] = [ThemeName::Dark, ThemeName::Light].map(themed);
    let told = if environment.light == Some(true) { light } else { dark };
    let looks = match options.theme.unwrap_or_default() {
        ThemeChoice::Named(name) => themed(name).into(),
        ThemeChoice::Auto if environment.tells_background && level != ColorLevel::None => {
            Looks::either(told, dark, light)
        }
        ThemeChoice::Auto => told.into(),
    };
    looks.among(ThemeName::ALL.map(themed))
}

/// Whether an address is one of Amazon's own.
fn is_amazons(url: &str) -> bool {
    let host = url.split("://").nth(1).unwrap_or(url).split(['/', ':']).next().unwrap_or_default().to_ascii_lowercase();
    let domains = [".amazonaws.com", ".amazonaws.com.cn", ".api.aws", ".api.amazonwebservices.com.cn"];
    domains.iter().any(|domain| host.trim_end_matches('.').ends_with(domain))
}

/// A lab has one region: test-user would look for the table in another.
fn check_regions(clients: &Clients, options: &Options) -> Result<(), UsageError> {
    if options.user_profile.is_none() {
        return Ok(());
    }
    let [admin, user] = Identity::BOTH.map(|identity| clients.region_of(identity));
    match region(&admin, Some(&user)) {
        Finding { fix: Some(fix), says, .. } => Err(UsageError::new(format!("region: {says}\n  fix: {fix}"))),
        Finding { fix: None, .. } => Ok(()),
    }
}

pub(super) fn sandbox_config(options: &Options, listen: SocketAddr) -> sandbox::Config {
    sandbox::Config {
        listen,
        data: options.data.clone(),
        seed: options.seed,
        region: options.region.clone().unwrap_or_else(|| SANDBOX_REGION.to_owned()),
    }
}

/// Returns the start time of a run, RFC 3339 in UTC to the second; with a seed, that of the sandbox's clock.
fn now(seed: Option<u64>) -> String {
    if seed.is_some() {
        return "2026-01-01T00:00:00Z".to_owned();
    }
    let now = OffsetDateTime::now_utc();
    let now = now.replace_nanosecond(0).unwrap_or(now);
    now.format(&time::format_description::well_known::Rfc3339).unwrap_or_default()
}

/// Returns eight characters that distinguish runs; reproducible with a seed.
fn run_id(seed: Option<u64>) -> String {
    match seed {
        // Mixed, so that neighboring seeds look different.
        Some(seed) => format!("{:08x}", (seed.wrapping_add(1).wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 32) as u32),
        None => random_id(),
    }
}

fn random_id() -> String {
    format!("{:08x}", random_number() as u32)
}

pub(super) fn random_number() -> u64 {
    let mut bytes = [0; 8];
    // Not AWS-LC's: its first random number takes some 60 ms. Where the system has none, the sandbox and TLS say so.
    let _ = getrandom::fill(&mut bytes);
    u64::from_ne_bytes(bytes)
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("https://kms.us-east-1.amazonaws.com", true)]
    #[case("https://vpce-0a-1b.kms.eu-west-1.vpce.amazonaws.com:443/", true)]
    #[case("https://KMS.cn-north-1.amazonaws.com.cn.", true)]
    #[case("https://dynamodb.us-east-1.api.aws", true)]
    #[case("http://127.0.0.1:4599", false)]
    #[case("https://amazonaws.com.evil.example", false)]
    #[case("http://localhost.localstack.cloud:4566", false)]
    fn an_address_of_amazons_is_aws(#[case] url: &str, #[case] is: bool) {
        assert_eq!(is_amazons(url), is);
    }
}
