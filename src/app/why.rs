//! `kmslab why`.

use std::io::{self, IsTerminal};

use color_eyre::eyre::{Report as Failure, WrapErr};
use tokio::runtime::Runtime;

use super::setup::teller;
use crate::aws::{Clients, ConfigError, EndpointOptions};
use crate::cli::{Environment, Exit, Options, UsageError, out};
use crate::disk;
use crate::lab::Identity;
use crate::lab::why::{Case, Named, Report, Verdict};
use crate::run::pseudonyms;
use crate::run::why::{self, Looks};

/// The longest text of an error, in bytes.
const LONGEST: u64 = 256 * 1024;

/// What `kmslab why` was asked for.
pub struct Wanted {
    /// The table, the caller and the action.
    pub named: Named,
    /// The words of an error text; a single `-` is the standard input.
    pub words: Vec<String>,
    /// Call nothing.
    pub offline: bool,
    /// One JSON document instead of lines.
    pub json: bool,
}

/// Explains why a caller may or may not read a table. Only reads.
///
/// # Errors
/// If the question is incomplete, the credentials can't be used, or the lines can't be written.
pub fn run(runtime: &Runtime, options: &Options, environment: &Environment, wanted: Wanted) -> Result<Exit, Failure> {
    let Wanted { named, words, offline, json } = wanted;
    let text = match words.as_slice() {
        [] => None,
        [one] if one == "-" => Some(standard_input()?),
        words => Some(words.join(" ")),
    };
    let lab = of_lab(options);
    let case = Case::new(in_lab(Named { text, ..named }, &lab)).map_err(UsageError::new)?;
    pseudonyms::add_names(case.names());
    check_region(options, &case)?;
    if offline && case.logged.is_none() {
        return Err(UsageError::new("--offline explains the text of an error: give one").into());
    }
    let report = if offline {
        Report::of_text(case, Some("--offline".to_owned()))
    } else {
        match runtime.block_on(read(options, &case, !lab.is_empty())) {
            Ok(report) => report,
            // The text itself says something.
            Err(Unread::NoCredentials(error)) if case.logged.is_some() => {
                Report::of_text(case, Some(error.cause_and_fix().0))
            }
            Err(Unread::NoCredentials(error)) => return Err(error.into()),
            Err(Unread::Unusable(error)) if case.logged.is_some() => Report::of_text(case, Some(error.to_string())),
            Err(Unread::Unusable(error)) => {
                crate::cli::tell(error);
                return Ok(Exit::Backend);
            }
        }
    };
    let looks = Looks { json, ascii: options.is_ascii(environment), mask: options.mask };
    why::write(&report, looks, &mut out()).wrap_err("the lines could not be written")?;
    Ok(match report.verdict {
        Verdict::Allowed => Exit::Met,
        Verdict::Denied | Verdict::Failed => Exit::NotMet,
        Verdict::Unknown => Exit::Backend,
    })
}

/// Why nothing could be read.
enum Unread {
    NoCredentials(ConfigError),
    Unusable(crate::aws::inventory::Unusable),
}

/// The names of the lab in whose shell this runs; empty elsewhere, and where the options say where to ask.
fn of_lab(options: &Options) -> Vec<(String, String)> {
    #[cfg(unix)]
    if options.admin_profile.is_none() && options.endpoint_url.is_none() && !options.is_aws() {
        return crate::run::shell::own();
    }
    let _ = options;
    Vec::new()
}

/// Fills in what a lab's shell knows: without the text of an error it is about the lab's own table and user; a text about
/// the lab's key is about its table.
fn in_lab(named: Named, lab: &[(String, String)]) -> Named {
    let known = |name: &str| lab.iter().find(|(known, value)| known == name && !value.is_empty());
    let value = |name| known(name).map(|(_, value)| value.clone());
    let is_about_lab = match (&named.text, value("KMSLAB_KEY_ID")) {
        (None, _) => true,
        (Some(text), key) => key.is_some_and(|key| text.contains(&key)),
    };
    if !is_about_lab {
        return named;
    }
    let principal = named.principal.or_else(|| value("KMSLAB_USER_ARN").filter(|_| named.text.is_none()));
    Named { table: named.table.or_else(|| value("KMSLAB_TABLE")), principal, ..named }
}

async fn read(options: &Options, case: &Case, in_lab: bool) -> Result<Report, Unread> {
    // The person in a lab's shell may be test-user by default, who can't read what decides.
    let of_lab = in_lab.then(|| Identity::Admin.profile().to_owned());
    let endpoint = EndpointOptions {
        url: options.endpoint_url.clone(),
        admin_profile: options.admin_profile.clone().or(of_lab),
        user_profile: None,
        region: options.region.clone().or_else(|| case.region().map(str::to_owned)),
        // In a lab's shell these reads are not the learner's.
        app: Some("kmslab-why"),
    };
    let clients = Clients::for_endpoint_telling(&endpoint, teller).await.map_err(Unread::NoCredentials)?;
    why::judge(case.clone(), &clients).await.map_err(Unread::Unusable)
}

/// The region of an ARN is where the table or key is.
fn check_region(options: &Options, case: &Case) -> Result<(), UsageError> {
    match (options.region.as_deref(), case.region()) {
        (Some(given), Some(named)) if given != named => {
            Err(UsageError::new(format!("--region is {given}, and the ARN is of {named}: leave --region out")))
        }
        _ => Ok(()),
    }
}

fn standard_input() -> Result<String, Failure> {
    let input = io::stdin();
    if input.is_terminal() {
        crate::cli::tell("paste the error, then press Ctrl-D");
    }
    let bytes = disk::read_all(input.lock(), LONGEST)
        .map_err(|error| UsageError::new(format!("the text of the error can't be read: {error}")))?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}
