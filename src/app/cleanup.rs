//! `kmslab cleanup`.

use std::io::{self, Write};
use std::path::Path;

use color_eyre::eyre::{Report, WrapErr};
use tokio::runtime::Runtime;

use super::{Exit, describe, tell};
use crate::aws::{Clients, EndpointOptions};
use crate::cli::{Options, Usage};
use crate::lab::mask::{self, Masker};
use crate::run::cleanup::{Outcome, Target, Work, clean};
use crate::run::journal::{self, Journals};

/// What `kmslab cleanup` was asked for.
pub struct Wanted<'a> {
    /// Only list it.
    pub dry_run: bool,
    /// Only what this run made.
    pub run: Option<&'a str>,
}

/// Cleans up at the endpoint that was given or, without one, wherever a journal says that something was created.
///
/// # Errors
/// When the journals can't be read, the place that was named can't be used, or the lines can't be written.
pub fn run(runtime: &Runtime, options: &Options, folder: Option<&Path>, wanted: &Wanted<'_>) -> Result<Exit, Report> {
    let mut journals = match folder {
        Some(folder) => Journals::read(folder)
            .wrap_err_with(|| Usage(format!("the journals in {} can't be read", folder.display())))?,
        None => Journals::default(),
    };
    if let Some(run) = wanted.run {
        journals.left.retain(|left| left.head.run == run);
        journals.living.retain(|living| living == run);
    }
    let mut masker = options.mask.then(Masker::default);
    if let Some(masker) = &mut masker {
        let unreadable = journals.unreadable.iter().filter_map(|(path, _)| path.file_stem()?.to_str());
        let known = journals.living.iter().map(String::as_str).chain(unreadable);
        known.chain(journals.left.iter().map(|left| left.head.run.as_str())).for_each(|run| masker.add_run(run));
    }
    for (path, reason) in &journals.unreadable {
        let line = format!("{} is no journal and is left alone: {reason}", path.display());
        tell(mask::written(&mut masker, &line));
    }
    for run in &journals.living {
        let run = mask::written(&mut masker, run);
        tell(format_args!("the lab of run {run} is at work right now: it cleans up itself"));
    }
    let mut outcome = if journals.unreadable.is_empty() { Outcome::Clean } else { Outcome::Survivors };
    let is_told_where = options.endpoint_url.is_some() || options.is_aws();
    let targets = match is_told_where {
        true => vec![(options.endpoint_url.clone(), options.region.clone(), options.admin_profile.clone())],
        false => {
            let heads = journals.left.iter().map(|left| Target::from(&left.head));
            let here = heads.filter(|target| options.region.as_ref().is_none_or(|region| *region == target.region));
            let targets: std::collections::BTreeSet<Target> = here.collect();
            targets.into_iter().map(|target| (target.endpoint, Some(target.region), target.admin_profile)).collect()
        }
    };
    let mut out = io::stdout().lock();
    if targets.is_empty() {
        writeln!(
            out,
            "no journal tells of anything left; --endpoint-url URL or --backend aws looks there all the same"
        )
        .wrap_err("the lines could not be written")?;
    }
    for (endpoint, region, admin_profile) in targets {
        let connected = connect(runtime, endpoint.as_deref(), region, admin_profile.clone(), is_told_where);
        let connected = connected.map(|clients| clients.with_wait(options.wait));
        let (clients, endpoint) = match connected {
            Ok(clients) => {
                // With --backend aws, where the lab with the same options and variables has been.
                let endpoint = clients.endpoint().map(str::to_owned);
                (clients, endpoint)
            }
            Err(error) if is_told_where => return Err(error),
            // The other journals' places may be reached.
            Err(error) => {
                let line = format!("{}: {}", endpoint.as_deref().unwrap_or("AWS"), describe(&error, false));
                tell(mask::written(&mut masker, &line));
                outcome = outcome.max(Outcome::Unreachable);
                continue;
            }
        };
        let target = Target { endpoint, region: clients.region().to_owned(), admin_profile };
        let is_here = |left: &journal::Left| {
            let head = Target::from(&left.head);
            let same_profile = is_told_where || head.admin_profile == target.admin_profile;
            head.endpoint == target.endpoint && head.region == target.region && same_profile
        };
        let (here, elsewhere) = journals.left.into_iter().partition(is_here);
        journals.left = elsewhere;
        let work = Work { clients: &clients, target: &target, folder, run: wanted.run, dry_run: wanted.dry_run };
        let cleaned =
            runtime.block_on(clean(&work, here, &mut masker, &mut out)).wrap_err("the lines could not be written")?;
        outcome = outcome.max(cleaned);
    }
    Ok(match outcome {
        Outcome::Clean => Exit::Met,
        Outcome::Survivors => Exit::Survivors,
        Outcome::Unreachable => Exit::Backend,
    })
}

/// Clients for `endpoint` or, without one, for AWS; `elsewhere` says that another place will do that variables or the
/// profile name instead of AWS.
fn connect(
    runtime: &Runtime,
    endpoint: Option<&str>,
    region: Option<String>,
    admin_profile: Option<String>,
    elsewhere: bool,
) -> Result<Clients, Report> {
    let options = EndpointOptions { url: endpoint.map(str::to_owned), admin_profile, user_profile: None, region };
    let clients = runtime.block_on(Clients::for_endpoint(&options))?;
    match clients.endpoint().filter(|_| endpoint.is_none()) {
        Some(other) if elsewhere => {
            tell(format_args!("AWS_ENDPOINT_URL or the profile leads to {other}: this looks there, not at AWS"));
        }
        // A journal tells of AWS itself. What is not found elsewhere may be there all the same.
        Some(other) => {
            return Err(Report::msg(format!(
                "AWS_ENDPOINT_URL or the profile leads to {other}; without it this cleans up on AWS"
            )));
        }
        None => {}
    }
    Ok(clients)
}
