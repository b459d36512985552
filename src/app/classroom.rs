//! `kmslab class` without a folder, and a learner who joins it.

use std::io::{self, BufRead, IsTerminal, Write};
use std::net::SocketAddr;
use std::sync::Arc;

use color_eyre::eyre::{Report, WrapErr};
use tokio::runtime::Runtime;

use super::setup::looks;
use crate::cli::{ClassOptions, Environment, Exit, Options, UsageError};
use crate::lab::class::Join;
use crate::run::class::reporter::Reporter;
use crate::run::class::store::Store;
use crate::run::class::{Class, dashboard};
use crate::run::input::input;
use crate::run::lesson;
use crate::run::{Ended, signal};
use crate::sandbox;
use crate::ui::terminal::Screen;

/// The longest answer to the question whether to join, in bytes.
const ANSWER: u64 = 100;

/// Opens a class at `listen`, and shows it until the teacher closes it.
///
/// # Errors
/// When there is no terminal, it fails, or the address can't be used.
pub fn run(
    runtime: &Runtime,
    options: &Options,
    environment: &Environment,
    listen: SocketAddr,
) -> Result<Exit, Report> {
    if !io::stdout().is_terminal() || environment.dumb {
        let text = "`kmslab class` is a screen: it needs a terminal on stdout\n  `kmslab class DIR` makes a table of \
                    result.json files without one";
        return Err(UsageError::new(text).into());
    }
    let lesson = lesson::load(options, environment)?;
    let class = Class::open(listen).map_err(|error| {
        let advice = "another class may be open; give another address with --listen ADDRESS:PORT";
        UsageError::new(format!("learners can't join at {listen}: {error}\n  {advice}"))
    })?;
    let looks = looks(options, environment);
    let _in_runtime = runtime.enter();
    let stop = signal::stop(sandbox::abandon);
    let mut screen = Screen::enter().wrap_err("the terminal can't be used for the class")?;
    let ended = runtime.block_on(async {
        let input = input(&mut screen)?;
        dashboard::run(&class, &lesson, input, &mut screen, looks, stop).await
    });
    let left = screen.leave();
    Ok(match ended.wrap_err("the terminal failed")? {
        Ended::Signal(number) => Exit::Signal(number),
        Ended::InputClosed => Exit::Signal(signal::HANGUP),
        _ => {
            left.wrap_err("the terminal could not be restored; `reset` does it")?;
            Exit::Met
        }
    })
}

/// Checks that options of a class belong together, and to the interactive lab.
///
/// # Errors
/// A sentence that names them.
pub fn check(options: &ClassOptions, has_command: bool) -> Result<(), UsageError> {
    let ClassOptions { join, name, xapi } = options;
    let reports = join.is_some() || xapi.is_some();
    match () {
        () if reports && has_command => {
            Err(UsageError::new("--join and --xapi belong to the interactive lab: they take no command"))
        }
        () if name.is_some() && !reports => Err(UsageError::new("--name belongs to --join or --xapi")),
        () => Ok(()),
    }
}

/// Joins the class and the course that the command line names, once the learner has agreed to what is sent.
///
/// # Errors
/// If the learner doesn't agree, or can't be asked.
pub fn join(options: &ClassOptions, environment: &Environment) -> Result<Option<Arc<Reporter>>, Report> {
    let ClassOptions { join, name: Some(name), xapi } = options else { return Ok(None) };
    let store = xapi.as_deref().map(|url| Store::new(url, environment.xapi_auth.value())).transpose();
    let store = store.map_err(UsageError::new)?;
    if !agrees(join.as_ref(), store.as_ref(), name).wrap_err("the question whether to join can't be asked")? {
        let text = "you haven't joined, and nothing was sent\n  without --join and --xapi the lab runs for you alone";
        return Err(UsageError::new(text).into());
    }
    let reporter = Reporter::start(join.clone(), store, name).wrap_err("the class can't be joined")?;
    Ok(Some(Arc::new(reporter)))
}

/// Says what is sent, and asks.
///
/// # Errors
/// If it can't be written or read.
fn agrees(join: Option<&Join>, store: Option<&Store>, name: &str) -> io::Result<bool> {
    let mut out = io::stdout().lock();
    if let Some(join) = join {
        writeln!(out, "Join the class {} at {}:{} as \"{name}\"?", join.code, join.host, join.port)?;
    }
    if let Some(store) = store {
        writeln!(out, "Send your progress as \"{name}\" to the learning record store at {}?", store.home())?;
    }
    let plainly = if join.is_some() { ", to your teacher unencrypted" } else { "" };
    writeln!(out, "Your lab runs on this computer. It sends your progress{plainly}:")?;
    writeln!(out, "  name, stage, verdict, answer, tries, hints, drills, time, and whether you ask for help.")?;
    writeln!(out, "It sends no items, ids, ARNs, policies or secrets.")?;
    write!(out, "Type yes to join: ")?;
    out.flush()?;
    let mut answer = String::new();
    io::Read::take(io::stdin().lock(), ANSWER).read_line(&mut answer)?;
    Ok(["y", "yes", "j", "ja"].contains(&answer.trim().to_lowercase().as_str()))
}
