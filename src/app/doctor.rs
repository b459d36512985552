//! `kmslab doctor`, and its report to send.

use std::io::{self, IsTerminal, Write};
use std::path::Path;

use color_eyre::eyre::{Report, WrapErr};
use tokio::runtime::Runtime;

use super::setup::{Lab, bare_lab};
use crate::aws::ConfigError;
use crate::cli::{Environment, Exit, Options, UsageError, out, tell};
use crate::disk;
use crate::lab::doctor::Terminal;
use crate::run::config::Config;
use crate::run::doctor::{self, Outcome};
use crate::run::{debug, report as to_send};
use crate::ui::terminal;
use crate::ui::theme::ColorLevel;

/// Checks the backend for a lab with these options. Creates nothing.
///
/// # Errors
/// When the sandbox can't start, or the lines can't be written.
pub fn doctor(runtime: &Runtime, options: &Options, environment: &Environment) -> Result<Exit, Report> {
    checked(runtime, options, environment, options.mask, &mut out()).map(exit)
}

/// The same, with all else that helps with a bug: shown first, then written into the new file `path`.
///
/// # Errors
/// When the file exists or can't be written, and as for [`doctor()`].
pub fn report(runtime: &Runtime, options: &Options, environment: &Environment, path: &Path) -> Result<Exit, Report> {
    let taken = || UsageError::new(format!("{} exists: name a new file, --report FILE", path.display()));
    // Before the checks, which may take their time. What comes in between is noticed below.
    if path.symlink_metadata().is_ok() {
        return Err(taken().into());
    }
    let mut checks = Vec::new();
    // Masked below, together with all else: one thing has one name.
    let outcome = checked(runtime, options, environment, false, &mut checks)?;
    let last = environment.state.as_deref().and_then(to_send::last_log);
    let parts = to_send::Parts {
        terminal: &seen(environment),
        options,
        checks: &String::from_utf8_lossy(&checks),
        log: debug::path().or(last.as_deref()),
    };
    let text = to_send::text(&parts, |name| std::env::var_os(name));
    let mut out = out();
    out.write_all(text.as_bytes()).and_then(|()| out.flush()).wrap_err("the report could not be shown")?;
    let written = disk::create_private(path).and_then(|mut file| file.write_all(text.as_bytes()));
    match written {
        Ok(()) => tell(format_args!("this is in {}: look through it before you send it", path.display())),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => return Err(taken().into()),
        Err(error) => return Err(UsageError::new(format!("{} can't be written: {error}", path.display())).into()),
    }
    Ok(exit(outcome))
}

fn seen(environment: &Environment) -> Terminal {
    Terminal {
        is_terminal: io::stdin().is_terminal() && io::stdout().is_terminal(),
        is_dumb: environment.dumb,
        size: terminal::size().ok().map(|size| (size.width, size.height)),
        colors: match environment.color_level() {
            ColorLevel::None => None,
            ColorLevel::Ansi16 => Some("16 colors"),
            ColorLevel::True => Some("24-bit colors"),
        },
    }
}

fn checked(
    runtime: &Runtime,
    options: &Options,
    environment: &Environment,
    mask: bool,
    out: &mut impl Write,
) -> Result<Outcome, Report> {
    let (clients, _sandbox) = match bare_lab(runtime, options, environment, 0) {
        Ok(Lab { clients, _sandbox, .. }) => (Ok(clients), _sandbox),
        // That no credentials are found is a finding like others; that the sandbox can't start is not.
        Err(error) => (Err(error.downcast::<ConfigError>()?), None),
    };
    let wanted = doctor::Wanted { aws: options.is_aws(), given_user: options.user_profile.is_some(), mask };
    let config = Config::load(options, environment);
    let outcome = runtime.block_on(doctor::run(&seen(environment), config, clients.as_ref(), &wanted, out));
    outcome.wrap_err("the lines could not be written")
}

fn exit(outcome: Outcome) -> Exit {
    match outcome {
        Outcome::Fine => Exit::Met,
        Outcome::ToFix => Exit::Usage,
        Outcome::Unreachable => Exit::Backend,
    }
}
