//! Blank AWS variables count as unset, as with the AWS CLI. The SDK takes `AWS_REGION=` for a region without a name, and
//! so on for each of its variables.

use std::env;
use std::ffi::{OsStr, OsString};
use std::io;
use std::process::Command;

/// The AWS CLI's own: blank, it means that there is no pager.
const MEANT: &str = "AWS_PAGER";

/// Starts the program again without the AWS variables that are blank, if there are any: a process can't safely change
/// its own environment. On Unix the process stays the same.
///
/// # Errors
/// If the program can't be started again.
pub fn unset_blank_settings() -> io::Result<()> {
    let blank: Vec<OsString> = blank(env::vars_os()).collect();
    if blank.is_empty() {
        return Ok(());
    }
    let mut arguments = env::args_os();
    let name = arguments.next();
    let mut command = Command::new(env::current_exe()?);
    command.args(arguments);
    for name in &blank {
        command.env_remove(name);
    }
    start(command, name.as_deref())
}

fn blank(variables: impl Iterator<Item = (OsString, OsString)>) -> impl Iterator<Item = OsString> {
    let is_setting = |name: &OsStr| name.to_str().is_some_and(|name| name.starts_with("AWS_") && name != MEANT);
    variables
        .filter(move |(name, value)| is_setting(name) && value.to_str().is_some_and(|value| value.trim().is_empty()))
        .map(|(name, _)| name)
}

#[cfg(unix)]
fn start(mut command: Command, name: Option<&OsStr>) -> io::Result<()> {
    use std::os::unix::process::CommandExt;
    if let Some(name) = name {
        command.arg0(name);
    }
    // It returns only if it fails.
    Err(command.exec())
}

#[cfg(not(unix))]
fn start(mut command: Command, _name: Option<&OsStr>) -> io::Result<()> {
    std::process::exit(command.status()?.code().unwrap_or(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_blank_settings_of_aws_are_unset() {
        let variables = [
            ("AWS_REGION", ""),
            ("AWS_PROFILE", "  "),
            ("AWS_DEFAULT_REGION", "us-east-1"),
            ("AWS_PAGER", ""),
            ("NO_COLOR", ""),
        ];
        let variables = variables.into_iter().map(|(name, value)| (name.into(), value.into()));
        assert_eq!(blank(variables).collect::<Vec<_>>(), ["AWS_REGION", "AWS_PROFILE"]);
    }
}
