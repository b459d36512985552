//! Puts the parts together for each command, and decides the exit status.

use std::fmt::Display;
use std::io::{self, IsTerminal, Write};
use std::net::SocketAddr;
use std::process::ExitCode;

use color_eyre::eyre::{Report, WrapErr};
use futures_util::StreamExt;
use tokio::runtime::Runtime;

use crate::aws::{Clients, ConfigError, EndpointOptions};
use crate::cli::{Cli, Command, Environment, Options, SANDBOX_REGION};
use crate::lab::{Backend, BackendKind, Names, Stage, State};
use crate::run::headless::{self, Format};
use crate::run::world::World;
use crate::run::{self, Ended, signal};
use crate::sandbox::{self, Sandbox, StartError};
use crate::ui::terminal::Screen;
use crate::ui::theme::Theme;

/// The exit status, as the contract has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// Every stage's expectation was met; for a lab left early: of every stage that was run.
    Met,
    /// An expectation was not met.
    NotMet,
    /// Wrong usage or configuration.
    Usage,
    /// Something survived the clean-up.
    Survivors,
    /// The backend can't be reached or refuses the credentials.
    Backend,
    /// Ended by this signal.
    Signal(u8),
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> ExitCode {
        ExitCode::from(match exit {
            Exit::Met => 0,
            Exit::NotMet => 1,
            Exit::Usage => 2,
            Exit::Survivors => 3,
            Exit::Backend => 4,
            Exit::Signal(number) => 128 + number,
        })
    }
}

/// What to tell of an error: its message and its causes', each once.
pub fn describe(error: &Report) -> String {
    crate::aws::chain(error.as_ref())
}

/// The exit status of an error.
pub fn exit_of(error: &Report) -> Exit {
    // A person's or the machine's set-up is at fault; whatever else goes wrong is an expectation not met.
    if error.is::<StartError>() || error.is::<ConfigError>() { Exit::Usage } else { Exit::NotMet }
}

/// Does what the command line says.
///
/// # Errors
/// When it can't begin, or the terminal fails. [`exit_of`] gives the exit status.
pub fn run(cli: Cli, environment: &Environment) -> Result<Exit, Report> {
    // One thread is enough for the lab; the sandbox has its own.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().wrap_err("no async runtime")?;
    match cli.command {
        None if !io::stdout().is_terminal() => {
            tell("no terminal on stdout, so this is `kmslab run`");
            lines(&runtime, &cli.options, Format::Text)
        }
        None if environment.dumb => {
            tell("a terminal that is TERM=dumb shows no screen, so this is `kmslab run`");
            lines(&runtime, &cli.options, Format::Text)
        }
        None => interactive(&runtime, &cli.options, environment),
        Some(Command::Run { format }) => lines(&runtime, &cli.options, format.into()),
        Some(Command::Serve { listen }) => serve(&runtime, &cli.options, listen),
    }
}

/// What a lab needs, and what must live as long as it.
struct Session {
    state: State,
    clients: Clients,
    /// Stops and removes its temporary folder when dropped.
    _sandbox: Option<Sandbox>,
}

fn session(runtime: &Runtime, options: &Options) -> Result<Session, Report> {
    let names = Names::new(&run_id(options.seed));
    if let Some(url) = &options.endpoint_url {
        let endpoint = EndpointOptions {
            url: url.clone(),
            admin_profile: options.admin_profile.clone(),
            user_profile: options.user_profile.clone(),
            region: options.region.clone(),
        };
        let clients = runtime.block_on(Clients::for_endpoint(&endpoint))?;
        let backend = Backend {
            kind: BackendKind::Endpoint,
            region: clients.region().to_owned(),
            endpoint: Some(url.clone()),
            given_user: options.user_profile.is_some(),
        };
        return Ok(Session { state: State::new(backend, names), clients, _sandbox: None });
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
    Ok(Session { state: State::new(backend, names), clients, _sandbox: Some(sandbox) })
}

fn sandbox_config(options: &Options, listen: SocketAddr) -> sandbox::Config {
    sandbox::Config {
        listen,
        data: options.data.clone(),
        seed: options.seed,
        region: options.region.clone().unwrap_or_else(|| SANDBOX_REGION.to_owned()),
    }
}

/// Eight characters that keep two runs apart; with a seed, the same again.
fn run_id(seed: Option<u64>) -> String {
    match seed {
        // Mixed, so that neighbouring seeds look different.
        Some(seed) => format!("{:08x}", (seed.wrapping_add(1).wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 32) as u32),
        None => random_id(),
    }
}

fn random_id() -> String {
    let mut bytes = [0; 4];
    // Not AWS-LC's: its first random number takes some 60 ms. Where the system has none, the sandbox and TLS say so.
    let _ = getrandom::fill(&mut bytes);
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn interactive(runtime: &Runtime, options: &Options, environment: &Environment) -> Result<Exit, Report> {
    let Session { state, clients, _sandbox } = session(runtime, options)?;
    let theme = Theme::choose(options.theme, environment.color_level());
    let (world, events) = World::new(clients);
    // Signals are listened to before the terminal is changed: none may end the program with the terminal as it is then.
    let _in_runtime = runtime.enter();
    let stop = signal::stop();
    let mut screen =
        Screen::enter().wrap_err("the terminal can't be used for the interactive lab; try `kmslab run`")?;
    let ended = runtime.block_on(async {
        // Resizes are heard of from here on; one that came since the size was read must not be lost.
        let input = run::input()?;
        screen.measure()?;
        run::interactive(state, &world, events, input, &mut screen, &theme, stop).await
    });
    // Before anything is printed, an error too.
    let left = screen.leave();
    let (state, ended) = ended.wrap_err("the terminal failed")?;
    if ended == Ended::Finished {
        left.wrap_err("the terminal could not be restored; `reset` does it")?;
    }
    // What stays on the terminal when the screen is gone. The terminal may be gone, too: then there is nobody to tell.
    let _ = writeln!(io::stdout(), "kmslab: {} of {} stages met", state.met(), Stage::ALL.len());
    tell_leftovers(&state);
    Ok(exit_status(&state, ended))
}

fn tell_leftovers(state: &State) {
    for left in state.leftovers() {
        tell(format_args!("left behind at {}: {left}", state.backend.endpoint.as_deref().unwrap_or("AWS")));
    }
}

/// A line for a person, on stderr. Unlike `eprintln!`, it does not panic where stderr is closed.
pub fn tell(line: impl Display) {
    let _ = writeln!(io::stderr(), "kmslab: {line}");
}

fn lines(runtime: &Runtime, options: &Options, format: Format) -> Result<Exit, Report> {
    let Session { state, clients, _sandbox } = session(runtime, options)?;
    let (world, events) = World::new(clients);
    let mut out = io::stdout().lock();
    let _in_runtime = runtime.enter();
    let stop = signal::stop();
    let (state, ended) = runtime.block_on(headless::run(state, world, events, format, &mut out, stop));
    tell_leftovers(&state);
    match ended {
        Ok(ended) => Ok(exit_status(&state, ended)),
        Err(_) if !state.leftovers().is_empty() => Ok(Exit::Survivors),
        // Whoever read our lines has had enough of them, as `head` does.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(Exit::NotMet),
        Err(error) => Err(Report::new(error).wrap_err("the lines could not be written")),
    }
}

fn serve(runtime: &Runtime, options: &Options, listen: SocketAddr) -> Result<Exit, Report> {
    let _in_runtime = runtime.enter();
    let mut stop = signal::stop();
    let sandbox = Sandbox::start(sandbox_config(options, listen))?;
    let admin = sandbox.admin();
    // The AWS CLI and boto3 read the second name of the region, the SDKs the first.
    let lines = format!(
        "export AWS_ENDPOINT_URL={}\nexport AWS_REGION={region}\nexport AWS_DEFAULT_REGION={region}\n\
         export AWS_ACCESS_KEY_ID={}\nexport AWS_SECRET_ACCESS_KEY={}\n",
        sandbox.url(),
        admin.access_key_id,
        admin.secret_access_key.as_str(),
        region = sandbox.region(),
    );
    let mut out = io::stdout().lock();
    out.write_all(lines.as_bytes()).and_then(|()| out.flush()).wrap_err("the credentials could not be printed")?;
    drop(out);
    tell(format_args!("the sandbox listens at {}; its database is {}", sandbox.url(), sandbox.database().display()));
    tell("paste the lines above into another shell; Ctrl-C ends the sandbox");
    runtime.block_on(stop.next());
    Ok(Exit::Met)
}

fn exit_status(state: &State, ended: Ended) -> Exit {
    match ended {
        _ if !state.leftovers().is_empty() => Exit::Survivors,
        Ended::Signal(number) => Exit::Signal(number),
        Ended::InputClosed => Exit::Signal(signal::HANGUP),
        Ended::Finished if state.backend_is_unusable().is_some() => Exit::Backend,
        Ended::Finished if state.met() < state.ended() => Exit::NotMet,
        Ended::Finished => Exit::Met,
    }
}
