//! `kmslab shell`, `kmslab env` and `kmslab hint`: for a lab that runs in another terminal.

use std::io::Write;
use std::path::PathBuf;

use color_eyre::eyre::{Report, WrapErr};

use crate::cli::{Environment, Exit, ShellArg, UsageError, out};
use crate::disk;
use crate::lab::Identity;
use crate::run::shell::{self, Variables, folder::HINT};

const NO_LAB: &str = "no lab is running here: start `kmslab` in another terminal first";

fn lab(environment: &Environment) -> Result<PathBuf, UsageError> {
    shell::find(&environment.labs).ok_or_else(|| UsageError::new(NO_LAB))
}

/// Opens a shell and waits for its end. Without `who` the goal of the stage that is next decides whose it is.
///
/// # Errors
/// When no lab is running, or the shell can't be started.
pub fn open(environment: &Environment, who: Option<Identity>) -> Result<Exit, Report> {
    let folder = lab(environment)?;
    let who = who.unwrap_or_else(|| shell::default_identity(&folder));
    shell::ask(&folder).wrap_err("the lab can't be reached")?;
    let mut out = out();
    let shown = out.write_all(shell::welcome(&folder, who).as_bytes()).and_then(|()| out.flush());
    shown.wrap_err("the first lines could not be printed")?;
    let mut command = shell::command(&folder, who).wrap_err("the shell can't be set up")?;
    let program = command.get_program().display().to_string();
    command.status().wrap_err_with(|| format!("{program} can't be started"))?;
    Ok(Exit::Met)
}

/// Prints what sets a shell up.
///
/// # Errors
/// When no lab is running, or nothing can be printed.
pub fn env(environment: &Environment, language: Option<ShellArg>, who: Identity) -> Result<Exit, Report> {
    let folder = lab(environment)?;
    shell::ask(&folder).wrap_err("the lab can't be reached")?;
    let variables = Variables::read(&folder, Some(who)).wrap_err("the lab's names can't be read")?;
    let is_fish = || std::env::var("SHELL").is_ok_and(|shell| shell.ends_with("/fish"));
    let language = language.unwrap_or_else(|| if is_fish() { ShellArg::Fish } else { ShellArg::Sh });
    let unset = variables.unset.iter().map(|name| match language {
        ShellArg::Sh => format!("unset {name}\n"),
        ShellArg::Fish => format!("set -e {name}\n"),
        ShellArg::Powershell => format!("Remove-Item Env:{name}\n"),
    });
    let set = variables.set.iter().map(|(name, value)| match language {
        ShellArg::Sh => format!("export {name}='{}'\n", value.replace('\'', r"'\''")),
        ShellArg::Fish => format!("set -gx {name} '{}'\n", value.replace('\\', r"\\").replace('\'', r"\'")),
        ShellArg::Powershell => format!("$Env:{name} = '{}'\n", value.replace('\'', "''")),
    });
    let text: String = unset.chain(set).collect();
    print(&text)
}

/// Prints the commands of the stage that is next.
///
/// # Errors
/// When no lab is running, or nothing can be printed.
pub fn hint(environment: &Environment) -> Result<Exit, Report> {
    let text = disk::read_text(&lab(environment)?.join(HINT), disk::STATE).wrap_err("the lab can't be reached")?;
    print(&text)
}

fn print(text: &str) -> Result<Exit, Report> {
    let mut out = out();
    out.write_all(text.as_bytes()).and_then(|()| out.flush()).wrap_err("nothing could be printed")?;
    Ok(Exit::Met)
}
