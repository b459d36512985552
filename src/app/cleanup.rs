//! `kmslab cleanup`.

use std::collections::BTreeSet;
use std::io::{self, BufRead, IsTerminal, Read, Write};
use std::path::Path;
use std::time::Duration;

use color_eyre::eyre::{Report, WrapErr};
use tokio::runtime::Runtime;

use super::report::describe;
use super::setup::teller;
use crate::aws::{Clients, EndpointOptions};
use crate::cli::{Exit, Options, UsageError, is_reader_gone, out, tell};
use crate::lab::backend::in_words;
use crate::lab::mask::{self, Masker};
use crate::lab::{redact, wait};
use crate::run::cleanup::{Consent, Outcome, Scope, Target, Work, clean};
use crate::run::journal::{Journals, Left};

/// What `kmslab cleanup` was asked for.
pub struct Wanted<'a> {
    /// Only list it.
    pub dry_run: bool,
    /// Only what this run made.
    pub run: Option<&'a str>,
    /// Everyone's runs.
    pub all: bool,
    /// Only runs that began longer ago than this.
    pub older_than: Option<Duration>,
}

/// What finds the runs of other machines.
const ALL: &str = "for everyone's runs: `kmslab cleanup --all`, with --backend aws or --endpoint-url";

const NO_PLACE: &str =
    "--all needs a place: no journal of this machine names one\n  give --backend aws or --endpoint-url URL";

/// Cleans up at the endpoint that was given or, without one, wherever a journal says that something was created.
///
/// # Errors
/// If the journals can't be read, the place that was given can't be used, or the lines can't be written though nothing
/// else went wrong.
pub fn run(runtime: &Runtime, options: &Options, folder: Option<&Path>, wanted: &Wanted<'_>) -> Result<Exit, Report> {
    let mut journals = read(folder, wanted.run)?;
    let mut masker = options.mask.then(Masker::default);
    introduce(&journals, &mut masker);
    let places = places(options, &journals);
    if places.is_empty() && wanted.all {
        return Err(UsageError::new(NO_PLACE).into());
    }
    let consent = Consent { accepted: options.yes_account.as_deref(), ask: &ask };
    let scope = match wanted.run {
        Some(run) => Scope::Run(run),
        None if wanted.all => Scope::All(&consent),
        None => Scope::Own,
    };
    let mut outcome = if journals.unreadable.is_empty() { Outcome::Clean } else { Outcome::Survivors };
    let mut out = out();
    // A line that can't be written stops nothing: the work goes on, and its outcome counts.
    let mut written = Ok(());
    if places.is_empty() {
        let none = if wanted.run.is_some() { "of that run" } else { "of a run that left something" };
        written = writeln!(out, "this machine has no journal {none}: nothing to remove\n{ALL}");
    }
    for place in places {
        let (clients, target) = match connect(runtime, &place, options) {
            Ok(connected) => connected,
            Err(error) if place.is_given => return Err(error),
            // Other places may be reachable.
            Err(error) => {
                let line =
                    format!("{}: {}", place.endpoint.as_deref().unwrap_or("AWS"), crate::aws::chain(error.as_ref()));
                tell(mask::written(&mut masker, &line));
                outcome = outcome.max(Outcome::Unreachable);
                continue;
            }
        };
        let here: Vec<Left> = journals.left.extract_if(.., |left| place.includes(left, &target)).collect();
        if here.is_empty() && matches!(scope, Scope::Own) {
            let at = format!("{} in {}", target.endpoint.as_deref().unwrap_or("AWS"), target.region);
            let line = format!("no journal of this machine names a run at {at}: nothing to remove\n{ALL}");
            written = written.and(writeln!(out, "{}", redact::clean(&mask::written(&mut masker, &line))));
            continue;
        }
        let (dry_run, older_than) = (wanted.dry_run, wanted.older_than);
        let work = Work { clients: &clients, target: &target, folder, scope, older_than, dry_run };
        let (ended, told) = runtime.block_on(clean(&work, here, &mut masker, &mut out));
        (outcome, written) = (outcome.max(ended), written.and(told));
    }
    exit(outcome, written.wrap_err("the lines could not be written"))
}

/// Decides the exit status. Lines that could not be written matter only if all else went well.
fn exit(outcome: Outcome, written: Result<(), Report>) -> Result<Exit, Report> {
    let exit = match outcome {
        Outcome::Clean => Exit::Met,
        Outcome::Survivors => Exit::Survivors,
        Outcome::Refused => Exit::Usage,
        Outcome::Unreachable => Exit::Backend,
    };
    match written {
        Err(error) if exit == Exit::Met => return Err(error),
        Err(error) => {
            if !is_reader_gone(error.as_ref()) {
                tell(describe(&error));
            }
            if exit == Exit::Survivors {
                tell("something is left; `kmslab cleanup --dry-run` with the same options lists it");
            }
        }
        Ok(()) => {}
    }
    Ok(exit)
}

/// All journals, or those of the run `only`.
fn read(folder: Option<&Path>, only: Option<&str>) -> Result<Journals, Report> {
    let mut journals = match folder {
        Some(folder) => Journals::read(folder)
            .wrap_err_with(|| UsageError::new(format!("the journals in {} can't be read", folder.display())))?,
        None => Journals::default(),
    };
    if let Some(run) = only {
        journals.left.retain(|left| left.head.run == run);
        journals.living.retain(|living| living == run);
    }
    Ok(journals)
}

/// Tells of the journals that are not worked on, and teaches the masker all their runs.
fn introduce(journals: &Journals, masker: &mut Option<Masker>) {
    if let Some(masker) = masker {
        let unreadable = journals.unreadable.iter().filter_map(|(path, _)| path.file_stem()?.to_str());
        let known = journals.living.iter().map(String::as_str).chain(unreadable);
        known.chain(journals.left.iter().map(|left| left.head.run.as_str())).for_each(|run| masker.add_run(run));
    }
    for (path, reason) in &journals.unreadable {
        let line = format!("{} is no journal and is left alone: {reason}", path.display());
        tell(mask::written(masker, &line));
    }
    for run in &journals.living {
        let run = mask::written(masker, run);
        tell(format_args!("the lab of run {run} is at work right now: it cleans up itself"));
    }
}

/// Where to look.
struct Place {
    endpoint: Option<String>,
    region: Option<String>,
    admin_profile: Option<String>,
    /// By the options; else a journal tells of it.
    is_given: bool,
}

impl Place {
    /// Whether what a journal names is here, where calls go to `target`.
    fn includes(&self, left: &Left, target: &Target) -> bool {
        let head = Target::from(&left.head);
        let same_profile = self.is_given || head.admin_profile == target.admin_profile;
        head.endpoint == target.endpoint && head.region == target.region && same_profile
    }
}

/// The place that was given, else the journals'.
fn places(options: &Options, journals: &Journals) -> Vec<Place> {
    if options.endpoint_url.is_some() || options.is_aws() {
        return vec![Place {
            endpoint: options.endpoint_url.clone(),
            region: options.region.clone(),
            admin_profile: options.admin_profile.clone(),
            is_given: true,
        }];
    }
    let targets = journals.left.iter().map(|left| Target::from(&left.head));
    let here = targets.filter(|target| options.region.as_ref().is_none_or(|region| *region == target.region));
    let targets: BTreeSet<Target> = here.collect();
    let told = targets.into_iter().map(|Target { endpoint, region, admin_profile }| Place {
        endpoint,
        region: Some(region),
        admin_profile,
        is_given: false,
    });
    told.collect()
}

/// The most that is read of an answer, in bytes.
const LONGEST: u64 = 256;

/// Shows `question` and reads a line; `None` where nobody is at the keyboard.
fn ask(question: &str) -> io::Result<Option<String>> {
    if !io::stdin().is_terminal() {
        return Ok(None);
    }
    let mut err = io::stderr();
    write!(err, "{question}")?;
    err.flush()?;
    let mut line = String::new();
    io::stdin().lock().take(LONGEST).read_line(&mut line)?;
    Ok(Some(line))
}

/// Clients for `place`, and where their calls go. Without an endpoint that is AWS; where the place was given, another
/// one that variables or the profile name will do as well.
fn connect(runtime: &Runtime, place: &Place, options: &Options) -> Result<(Clients, Target), Report> {
    let endpoint = EndpointOptions {
        url: place.endpoint.clone(),
        admin_profile: place.admin_profile.clone(),
        user_profile: None,
        region: place.region.clone(),
        app: None,
    };
    let clients = runtime.block_on(Clients::for_endpoint_telling(&endpoint, teller))?;
    match clients.endpoint().filter(|_| place.endpoint.is_none()) {
        Some(_) if place.is_given && !clients.services().is_empty() => {
            let places = in_words(clients.services());
            tell(format_args!("AWS_ENDPOINT_URL_… or the profile leads {places}: this looks there"));
        }
        Some(other) if place.is_given => {
            tell(format_args!("AWS_ENDPOINT_URL or the profile leads to {other}: this looks there, not at AWS"));
        }
        // A journal tells of AWS itself. What is not found elsewhere may be there all the same.
        Some(_) if !clients.services().is_empty() => {
            let places = in_words(clients.services());
            return Err(Report::msg(format!(
                "AWS_ENDPOINT_URL_… or the profile leads {places}; `kmslab cleanup --backend aws` looks there"
            )));
        }
        Some(other) => {
            return Err(Report::msg(format!(
                "AWS_ENDPOINT_URL or the profile leads to {other}; without it this cleans up on AWS"
            )));
        }
        None => {}
    }
    // With --backend aws, where the lab with the same options and variables has been.
    let (endpoint, region) = (clients.one_place().map(str::to_owned), clients.region().to_owned());
    let elsewhere = endpoint.as_ref().map(|_| wait::ELSEWHERE);
    let target = Target { endpoint, region, admin_profile: place.admin_profile.clone() };
    Ok((clients.with_wait(options.wait.or(elsewhere)), target))
}
