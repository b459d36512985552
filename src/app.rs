//! Assembles the parts for each command.

mod card;
mod class;
mod classroom;
mod cleanup;
mod convert;
mod doctor;
mod ending;
mod interactive;
mod machine;
mod man;
mod notes;
mod record;
mod recording;
mod replay;
mod report;
mod serve;
mod setup;
#[cfg(unix)]
mod shell;
mod verify_cast;
mod why;

use std::io::{self, IsTerminal, Write};

use color_eyre::eyre::{Report, WrapErr};
use tokio::runtime::Runtime;

use crate::cli::{
    Cli, Command, Environment, FormatArg, LessonCommand, Options, PaceArg, RecordingOptions, ReportFormat,
    ScriptCommand, UsageError, VERSION, help, out,
};
pub use crate::cli::{Exit, tell};
use crate::lab::Pace;
use crate::lab::why::Named;
use crate::run::config::Config;
use crate::run::effects::EffectHandler;
use crate::run::front::headless::{self, Format};
use crate::run::session_file as kept;
use crate::run::writes::LAST_WRITES;
use crate::run::{debug, lesson, pseudonyms, report as to_send, signal};
use crate::sandbox;
pub use ending::PanicReport;
use ending::{exit_status, settle};
use interactive::Purpose;
pub use report::{describe, exit_of};
use setup::{Lab, lab};

/// Runs the command.
///
/// # Errors
/// If it can't begin, or the terminal fails. [`exit_of`] returns the exit status.
pub fn run(mut cli: Cli, environment: &Environment) -> Result<Exit, Report> {
    cli.options.mask = cli.masks();
    if cli.options.mask {
        pseudonyms::begin();
    }
    machine::check()?;
    // One thread is enough for the lab; the sandbox has its own.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().wrap_err("no async runtime")?;
    cli.options.check(cli.command.as_ref())?;
    classroom::check(&cli.class, cli.command.is_some())?;
    recording::check(cli.command.as_ref(), &cli.recording)?;
    start_debug_log(&cli, environment)?;
    // Only commands that start a lab read the config file.
    let config = match cli.command {
        None
        | Some(
            Command::Run { .. } | Command::Drill { .. } | Command::Notes | Command::Record(_) | Command::Replay { .. },
        ) => Config::load(&cli.options, environment)?,
        _ => Config::default(),
    };
    let cli = Cli { options: config.behind(&cli.options), ..cli };
    let ended = command(&runtime, cli, environment, &config);
    match &ended {
        Ok(exit) => tracing::debug!(?exit, "ended"),
        Err(error) => tracing::debug!("failed: {}", describe(error)),
    }
    // Background writes get a moment; a hanging disk must not block the exit.
    runtime.shutdown_timeout(LAST_WRITES);
    ended
}

/// Starts the debug log of a command that calls something, or draws the lab.
fn start_debug_log(cli: &Cli, environment: &Environment) -> Result<(), UsageError> {
    use Command as C;
    let is_logged = matches!(
        cli.command,
        None | Some(
            C::Run { .. }
                | C::Drill { .. }
                | C::Doctor { .. }
                | C::Record { .. }
                | C::Replay { .. }
                | C::Serve { .. }
                | C::Cleanup { .. }
                | C::Why { .. }
        )
    );
    let Some(path) = cli.options.debug.as_deref().filter(|_| is_logged) else { return Ok(()) };
    let unwritable = |error| UsageError::new(format!("{} can't be written: {error}", path.display()));
    debug::start(path).map_err(unwritable)?;
    if let Some(state) = &environment.state {
        // Where no state can be kept, a report is made without this log.
        let _ = to_send::remember(state, path);
    }
    let (system, machine, command) = (std::env::consts::OS, std::env::consts::ARCH, format!("{:?}", cli.command));
    // What it is about names people and things.
    let command = if cli.options.mask { command.split(" {").next().unwrap_or_default() } else { &command };
    tracing::debug!(version = VERSION, system, machine, command, "kmslab");
    Ok(())
}

fn command(runtime: &Runtime, cli: Cli, environment: &Environment, config: &Config) -> Result<Exit, Report> {
    let recording = &cli.recording;
    match cli.command {
        None => {
            let purpose = Purpose::Learn(classroom::join(&cli.class, environment)?);
            learn(runtime, &cli.options, recording, environment, config, &purpose)
        }
        Some(Command::Drill { which, level }) => {
            let purpose = interactive::drills(which, level, &cli.options);
            drill(runtime, &cli.options, recording, environment, config, &purpose)
        }
        Some(Command::Run { format }) => lines(runtime, &cli.options, environment, format.into()),
        Some(Command::Notes) => notes::run(runtime, &cli.options, environment),
        #[cfg(unix)]
        Some(Command::Shell { who }) => shell::open(environment, who.map(Into::into)),
        #[cfg(unix)]
        Some(Command::Env { shell, who }) => shell::env(environment, shell, who.into()),
        #[cfg(unix)]
        Some(Command::Hint) => shell::hint(environment),
        #[cfg(not(unix))]
        Some(Command::Shell { .. } | Command::Env { .. } | Command::Hint) => {
            Err(UsageError::new("shells need a Unix system").into())
        }
        Some(Command::Doctor { report: None }) => doctor::doctor(runtime, &cli.options, environment),
        Some(Command::Doctor { report: Some(file) }) => doctor::report(runtime, &cli.options, environment, &file),
        Some(Command::Lesson { command: LessonCommand::Check }) => lesson::check(cli.options.lesson.as_deref()),
        Some(Command::Convert { from, to }) => convert::convert(runtime, &from, &to, &cli.options, recording),
        Some(Command::Record(wanted)) => record::record(runtime, &cli.options, recording, environment, &wanted),
        Some(Command::Script { command: ScriptCommand::Check { file } }) => record::check(&file),
        Some(Command::Replay { file }) => replay::replay(runtime, &cli.options, recording, environment, &file),
        Some(Command::VerifyCast { file, allow }) => verify_cast::verify(&file, allow.as_deref()),
        Some(Command::Completions { shell }) => completions(shell),
        Some(Command::Man { command }) => man::man(command.as_deref()),
        Some(Command::Why { text, table, principal, action, all_permissions, offline, format }) => {
            let named = Named { table, principal, action, text: None, all_permissions };
            let wanted = why::Wanted { named, words: text, offline, json: format == ReportFormat::Json };
            why::run(runtime, &cli.options, environment, wanted)
        }
        Some(Command::Export { file, name }) => {
            let wanted = crate::export::Wanted { file: &file, force: cli.recording.force, name: name.as_deref() };
            crate::export::export(&wanted, &cli.options, environment)
        }
        Some(Command::Class { folder: Some(folder), csv, .. }) => class::table(&folder, csv.as_deref()),
        Some(Command::Class { folder: None, listen, .. }) => classroom::run(runtime, &cli.options, environment, listen),
        Some(Command::Card) => card::card(&cli.options, environment),
        Some(Command::Reset) => kept::reset(environment),
        Some(Command::Serve { .. }) if cli.options.endpoint_url.is_some() || cli.options.is_aws() => {
            Err(UsageError::new("`kmslab serve` is the sandbox itself: it takes no other server").into())
        }
        Some(Command::Serve { listen }) => serve::run(runtime, &cli.options, listen),
        Some(Command::Cleanup { dry_run, run, all, older_than }) => {
            let folder = environment.journals.as_deref();
            let wanted = cleanup::Wanted { dry_run, run: run.as_deref(), all, older_than };
            cleanup::run(runtime, &cli.options, folder, &wanted)
        }
    }
}

/// Runs the lab on a screen, in lines or without questions: as the terminal allows.
fn learn(
    runtime: &Runtime,
    options: &Options,
    recording: &RecordingOptions,
    environment: &Environment,
    config: &Config,
    purpose: &Purpose,
) -> Result<Exit, Report> {
    match () {
        () if recording.record.is_some() && (options.plain || environment.dumb || !io::stdout().is_terminal()) => {
            Err(UsageError::new(
                "--record belongs to the interactive lab on a screen; `kmslab record FILE` needs no terminal",
            )
            .into())
        }
        () if options.plain => interactive::plain(runtime, options, environment, purpose),
        () if !io::stdout().is_terminal() => {
            tell("no terminal on stdout, so this is `kmslab run`");
            lines(runtime, options, environment, Format::Text)
        }
        () if environment.dumb && io::stdin().is_terminal() => {
            tell("TERM=dumb shows no screen, so this is `kmslab --plain`");
            interactive::plain(runtime, options, environment, purpose)
        }
        () if environment.dumb => {
            tell("TERM=dumb shows no screen and there is nobody to ask, so this is `kmslab run`");
            lines(runtime, options, environment, Format::Text)
        }
        () => interactive::interactive(runtime, options, recording, environment, config, purpose),
    }
}

/// Runs drills on a screen or in lines.
fn drill(
    runtime: &Runtime,
    options: &Options,
    recording: &RecordingOptions,
    environment: &Environment,
    config: &Config,
    purpose: &Purpose,
) -> Result<Exit, Report> {
    if options.plain || (environment.dumb && io::stdin().is_terminal()) {
        return interactive::plain(runtime, options, environment, purpose);
    }
    if environment.dumb || !io::stdout().is_terminal() {
        let text = "`kmslab drill` asks questions: it needs a terminal, or --plain for lines";
        return Err(UsageError::new(text).into());
    }
    interactive::interactive(runtime, options, recording, environment, config, purpose)
}

impl From<FormatArg> for Format {
    fn from(format: FormatArg) -> Format {
        match format {
            FormatArg::Text => Format::Text,
            FormatArg::Jsonl => Format::Jsonl,
        }
    }
}

impl From<PaceArg> for Pace {
    fn from(pace: PaceArg) -> Pace {
        match pace {
            PaceArg::Talk => Pace::Talk,
            PaceArg::Read => Pace::Read,
            PaceArg::Fast => Pace::Fast,
        }
    }
}

/// Prints the completion script for `shell`.
fn completions(shell: clap_complete::Shell) -> Result<Exit, Report> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut help::completing(), "kmslab", &mut script);
    let mut out = out();
    out.write_all(&script).and_then(|()| out.flush()).wrap_err("the completions could not be printed")?;
    Ok(Exit::Met)
}

fn lines(runtime: &Runtime, options: &Options, environment: &Environment, format: Format) -> Result<Exit, Report> {
    let Lab { state, clients, journal, shelf, _sandbox } = lab(runtime, options, environment, 0)?;
    let _announcement = PanicReport::new(&state, journal.as_ref());
    let (effects, events) = EffectHandler::new(clients);
    let effects = effects.with_journal(journal.clone()).with_shelf(shelf);
    let mut out = out();
    let _in_runtime = runtime.enter();
    let stop = signal::stop(sandbox::abandon);
    let (state, ended) = runtime.block_on(headless::run(state, effects, events, format, &mut out, stop));
    let survivors = settle(&state, journal.as_deref());
    if let Some(not_cached) = state.not_cached() {
        tell(not_cached);
    }
    if let Some(refusal) = state.refusal() {
        tell(refusal);
    }
    match ended {
        Ok(ended) => Ok(exit_status(&state, survivors, ended)),
        Err(_) if survivors => Ok(Exit::Survivors),
        Err(error) => Err(Report::new(error).wrap_err("the lines could not be written")),
    }
}
