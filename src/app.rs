//! Assembles the parts for each command, and decides the exit status.

mod cleanup;
mod interactive;
mod machine;
mod notes;
mod record;
mod recording;
mod replay;
mod serve;
mod verify_cast;

use std::io::{self, IsTerminal, Write};
use std::net::SocketAddr;
use std::sync::Arc;

use color_eyre::eyre::{Report, WrapErr};
use time::OffsetDateTime;
use tokio::runtime::Runtime;

use crate::aws::{Clients, ConfigError, EndpointOptions, Tell};
use crate::cli::{
    Cli, Command, Environment, FormatArg, LessonCommand, Options, PaceArg, READER_GONE, SANDBOX_REGION, UsageError,
    VERSION, help, is_reader_gone, out, printable,
};
pub use crate::cli::{Exit, tell};
use crate::lab::doctor::{Finding, Terminal, region};
use crate::lab::mask::{self, Masker};
use crate::lab::{Backend, BackendKind, Identity, Names, Profiles, Stage, State};
use crate::run::answer_cache::AnswerCache;
use crate::run::autoplay::Pace;
use crate::run::config::Config;
use crate::run::debug;
use crate::run::doctor;
use crate::run::effects::EffectHandler;
use crate::run::front::headless::{self, Format};
use crate::run::journal::{self, Journal};
use crate::run::lesson;
use crate::run::looks::Looks;
use crate::run::session_file as kept;
use crate::run::writes::LAST_WRITES;
use crate::run::{Ended, signal};
use crate::sandbox::{self, Sandbox, StartError};
use crate::ui::terminal;
use crate::ui::theme::{ColorLevel, Theme, ThemeChoice, ThemeName};

/// Describes an error: its message and those of its causes, each once; masked on request.
pub fn describe(error: &Report, mask: bool) -> String {
    mask::written(&mut mask.then(Masker::default), &crate::aws::chain(error.as_ref()))
}

/// Returns the exit status of an error.
pub fn exit_of(error: &Report) -> Exit {
    if is_reader_gone(error.as_ref()) {
        return READER_GONE;
    }
    // The user's or the machine's setup is wrong; any other error counts as an expectation not met.
    if error.downcast_ref::<ConfigError>().is_some_and(ConfigError::is_unreachable) {
        return Exit::Backend;
    }
    if error.is::<StartError>() || error.is::<ConfigError>() || error.is::<UsageError>() {
        Exit::Usage
    } else {
        Exit::NotMet
    }
}

/// Prints lines on stdout.
fn print(text: &str) -> Result<(), Report> {
    let mut out = out();
    writeln!(out, "{}", printable(text)).and_then(|()| out.flush()).wrap_err("the lines could not be written")
}

/// Runs the command.
///
/// # Errors
/// If it can't begin, or the terminal fails. [`exit_of`] returns the exit status.
pub fn run(mut cli: Cli, environment: &Environment) -> Result<Exit, Report> {
    cli.options.mask = cli.masks();
    machine::check()?;
    // One thread is enough for the lab; the sandbox has its own.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().wrap_err("no async runtime")?;
    cli.options.check(cli.command.as_ref())?;
    recording::check(cli.command.as_ref(), &cli.recording)?;
    start_debug_log(&cli)?;
    // Only commands that start a lab read the config file.
    let config = match cli.command {
        None | Some(Command::Run { .. } | Command::Notes | Command::Record { .. } | Command::Replay { .. }) => {
            Config::load(&cli.options, environment)?
        }
        _ => Config::default(),
    };
    let cli = Cli { options: config.behind(&cli.options), ..cli };
    let mask = cli.options.mask;
    let ended = command(&runtime, cli, environment, &config);
    match &ended {
        Ok(exit) => tracing::debug!(?exit, "ended"),
        Err(error) => tracing::debug!("failed: {}", describe(error, mask)),
    }
    // Background writes get a moment; a hanging disk must not block the exit.
    runtime.shutdown_timeout(LAST_WRITES);
    ended
}

/// Starts the debug log of a command that calls something, or draws the lab.
fn start_debug_log(cli: &Cli) -> Result<(), UsageError> {
    use Command as C;
    let is_logged = matches!(
        cli.command,
        None | Some(
            C::Run { .. } | C::Doctor | C::Record { .. } | C::Replay { .. } | C::Serve { .. } | C::Cleanup { .. }
        )
    );
    let Some(path) = cli.options.debug.as_deref().filter(|_| is_logged) else { return Ok(()) };
    let unwritable = |error| UsageError::new(format!("{} can't be written: {error}", path.display()));
    debug::start(path, cli.options.mask).map_err(unwritable)?;
    let (system, machine, command) = (std::env::consts::OS, std::env::consts::ARCH, &cli.command);
    tracing::debug!(version = VERSION, system, machine, ?command, "kmslab");
    Ok(())
}

fn command(runtime: &Runtime, cli: Cli, environment: &Environment, config: &Config) -> Result<Exit, Report> {
    let recording = &cli.recording;
    match cli.command {
        None if recording.record.is_some()
            && (cli.options.plain || environment.dumb || !io::stdout().is_terminal()) =>
        {
            Err(UsageError::new(
                "--record belongs to the interactive lab on a screen; `kmslab record FILE` needs no terminal",
            )
            .into())
        }
        None if cli.options.plain => interactive::plain(runtime, &cli.options, environment),
        None if !io::stdout().is_terminal() => {
            tell("no terminal on stdout, so this is `kmslab run`");
            lines(runtime, &cli.options, environment, Format::Text)
        }
        None if environment.dumb && io::stdin().is_terminal() => {
            tell("TERM=dumb shows no screen, so this is `kmslab --plain`");
            interactive::plain(runtime, &cli.options, environment)
        }
        None if environment.dumb => {
            tell("TERM=dumb shows no screen and there is nobody to ask, so this is `kmslab run`");
            lines(runtime, &cli.options, environment, Format::Text)
        }
        None => interactive::interactive(runtime, &cli.options, recording, environment, config),
        Some(Command::Run { format }) => lines(runtime, &cli.options, environment, format.into()),
        Some(Command::Notes) => notes::run(runtime, &cli.options, environment),
        Some(Command::Doctor) => doctor(runtime, &cli.options, environment),
        Some(Command::Lesson { command: LessonCommand::Check }) => lesson::check(cli.options.lesson.as_deref()),
        Some(Command::Record { file, stage, all, stills, teaser }) => {
            let wanted = record::Wanted { file, stage, all, stills, teaser };
            record::record(runtime, &cli.options, recording, environment, &wanted)
        }
        Some(Command::Replay { file }) => replay::replay(runtime, &cli.options, recording, environment, &file),
        Some(Command::VerifyCast { file, allow }) => verify_cast::verify(&file, allow.as_deref()),
        Some(Command::Completions { shell }) => completions(shell),
        Some(Command::Export { file }) => crate::export::export(&file, cli.recording.force, &cli.options, environment),
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

/// A lab and what must live as long as it.
struct Lab {
    state: State,
    clients: Clients,
    /// Of a run that is not on the sandbox inside this process.
    journal: Option<Arc<Journal>>,
    /// Likewise.
    shelf: Option<AnswerCache>,
    /// Stops and removes its temporary folder when dropped.
    _sandbox: Option<Sandbox>,
}

/// Returns a function that shows the output of a `credential_process`, masked on request.
fn teller(mask: bool) -> Tell {
    match mask {
        true => |line| tell(mask::written(&mut Some(Masker::default()), line)),
        false => |line| tell(line),
    }
}

/// Builds this process's n-th lab; each gets its own run id, even with a seed.
fn bare_lab(runtime: &Runtime, options: &Options, environment: &Environment, earlier: u64) -> Result<Lab, Report> {
    let seed = options.seed.map(|seed| seed.wrapping_add(earlier));
    let names = Names::new(&run_id(seed)).created(now(seed));
    debug::add_run(&names.run);
    if options.endpoint_url.is_some() || options.is_aws() {
        // A later lab begins while the screen is drawn on.
        let tell = if earlier == 0 { teller(options.mask) } else { |_: &str| () };
        let endpoint = EndpointOptions {
            url: options.endpoint_url.clone(),
            admin_profile: options.admin_profile.clone(),
            user_profile: options.user_profile.clone(),
            region: options.region.clone(),
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
fn lab(runtime: &Runtime, options: &Options, environment: &Environment, earlier: u64) -> Result<Lab, Report> {
    let mut lab = bare_lab(runtime, options, environment, earlier)?;
    check_regions(&lab.clients, options)?;
    if options.mask {
        lab.state.mask();
    }
    lab.state = lab.state.with_lesson(lesson::load(options, environment)?);
    Ok(lab)
}

/// Returns the colors of a screen, from the options and the terminal's background.
fn looks(options: &Options, environment: &Environment) -> Looks {
    let level = environment.color_level();
    let themed = |name| {
        let theme = Theme::choose(name, level);
        if options.is_ascii(environment) { theme.in_ascii() } else { theme }
    };
    let [dark, light] = [ThemeName::Dark, ThemeName::Light].map(themed);
    let told = if environment.light == Some(true) { light } else { dark };
    match options.theme.unwrap_or_default() {
        ThemeChoice::Named(name) => themed(name).into(),
        ThemeChoice::Auto if environment.tells_background && level != ColorLevel::None => {
            Looks::either(told, dark, light)
        }
        ThemeChoice::Auto => told.into(),
    }
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

fn sandbox_config(options: &Options, listen: SocketAddr) -> sandbox::Config {
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

fn random_number() -> u64 {
    let mut bytes = [0; 8];
    // Not AWS-LC's: its first random number takes some 60 ms. Where the system has none, the sandbox and TLS say so.
    let _ = getrandom::fill(&mut bytes);
    u64::from_ne_bytes(bytes)
}

/// Reports what is left and how to remove it; removes the journal if nothing is. Returns whether something is left, or
/// may be.
fn settle(state: &State, journal: Option<&Journal>) -> bool {
    if let Some(cost) = state.cost_line_at(OffsetDateTime::now_utc().unix_timestamp()) {
        tell(format_args!("so far: {cost} (1 USD a month until its deletion is scheduled)"));
    }
    let place = state.backend().endpoint.as_deref().unwrap_or("AWS");
    let left = state.leftovers();
    // Of these calls the outcome is not known. A clean-up that is met has looked for what they may have made.
    let looked = state.check(Stage::CleanUp).is_some_and(|check| check.met);
    let uncertain = journal.filter(|_| !looked).map(Journal::uncertain).unwrap_or_default();
    for left in &left {
        tell(format_args!("left behind at {place}: {left}"));
    }
    for call in &uncertain {
        let call = mask::written(&mut state.masker(), call);
        tell(format_args!("perhaps left behind at {place}: what {call} created; its response doesn't say"));
    }
    let survivors = !left.is_empty() || !uncertain.is_empty();
    match journal {
        Some(_) if survivors => tell("`kmslab cleanup` removes it"),
        Some(journal) => journal.remove(),
        None => {}
    }
    survivors
}

/// Reports what a lab has begun to create if it ends without a state: in a panic, or when the terminal can't be written.
pub struct PanicReport {
    journal: Option<Arc<Journal>>,
    place: String,
    masker: Option<Masker>,
}

impl PanicReport {
    /// For a lab that begins with `state`. Dropping it in a panic prints the report.
    pub fn new(state: &State, journal: Option<&Arc<Journal>>) -> PanicReport {
        let place = state.backend().endpoint.clone().unwrap_or_else(|| "AWS".to_owned());
        PanicReport { journal: journal.cloned(), place, masker: state.masker() }
    }

    fn tell(&mut self) {
        let begun = self.journal.as_ref().map(|journal| journal.begun()).unwrap_or_default();
        for call in &begun {
            let call = mask::written(&mut self.masker, call);
            tell(format_args!("perhaps left behind at {}: what {call} created", self.place));
        }
        if !begun.is_empty() {
            tell("`kmslab cleanup` removes it");
        }
    }
}

impl Drop for PanicReport {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.tell();
        }
    }
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
    if let Some(not_kept) = state.not_kept() {
        tell(not_kept);
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

/// Checks the backend for a lab with these options. Creates nothing.
fn doctor(runtime: &Runtime, options: &Options, environment: &Environment) -> Result<Exit, Report> {
    let terminal = Terminal {
        is_terminal: io::stdin().is_terminal() && io::stdout().is_terminal(),
        is_dumb: environment.dumb,
        size: terminal::size().ok().map(|size| (size.width, size.height)),
        colours: match environment.color_level() {
            ColorLevel::None => None,
            ColorLevel::Ansi16 => Some("16 colours"),
            ColorLevel::True => Some("24-bit colours"),
        },
    };
    let (clients, _sandbox) = match bare_lab(runtime, options, environment, 0) {
        Ok(Lab { clients, _sandbox, .. }) => (Ok(clients), _sandbox),
        // That no credentials are found is a finding like others; that the sandbox can't start is not.
        Err(error) => (Err(error.downcast::<ConfigError>()?), None),
    };
    let mut out = out();
    let wanted =
        doctor::Wanted { aws: options.is_aws(), given_user: options.user_profile.is_some(), mask: options.mask };
    let config = Config::load(options, environment).map_err(|error| error.to_string());
    let outcome = runtime.block_on(doctor::run(&terminal, config, clients.as_ref(), &wanted, &mut out));
    Ok(match outcome.wrap_err("the lines could not be written")? {
        doctor::Outcome::Fine => Exit::Met,
        doctor::Outcome::ToFix => Exit::Usage,
        doctor::Outcome::Unreachable => Exit::Backend,
    })
}

fn exit_status(state: &State, survivors: bool, ended: Ended) -> Exit {
    match ended {
        _ if survivors => Exit::Survivors,
        Ended::Refused => Exit::Usage,
        Ended::Signal(number) => Exit::Signal(number),
        Ended::InputClosed => Exit::Signal(signal::HANGUP),
        _ if state.backend_is_unusable().is_some() => Exit::Backend,
        _ if state.met() < state.ended() => Exit::NotMet,
        Ended::Finished | Ended::StartOver => Exit::Met,
    }
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
