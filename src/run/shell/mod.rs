//! A shell for the lab: `!` in the lab, `kmslab shell` and `kmslab env` in another terminal. All of them read the lab's
//! private folder ([`folder`]), which the lab keeps up to date ([`contents`]).

pub mod access;
pub mod contents;
pub mod folder;
pub mod rc;
pub mod terminal;

use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;

use self::folder::VARIABLES;
pub use self::folder::ask;
use crate::disk;
use crate::lab::Identity;
use crate::lab::session::shell::wrapped;

/// Where to get the AWS CLI.
const NO_AWS: &str = "No aws command here. Install the AWS CLI (https://aws.amazon.com/cli/).";

/// Variables of AWS that say nothing about who calls, and where.
const HARMLESS: [&str; 3] = ["AWS_CA_BUNDLE", "AWS_MAX_ATTEMPTS", "AWS_RETRY_MODE"];

/// What a shell's environment gets.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Variables {
    /// Names and values.
    pub set: Vec<(String, String)>,
    /// Variables of this process that must not be there: they could lead to the person's own account.
    pub unset: Vec<String>,
}

impl Variables {
    /// Reads the variables of the lab in `folder`.
    ///
    /// # Errors
    /// When they can't be read.
    pub fn read(folder: &Path, who: Option<Identity>) -> io::Result<Variables> {
        let text = disk::read_text(&folder.join(VARIABLES), disk::STATE)?;
        let pairs = text.lines().filter_map(|line| line.split_once('='));
        let mut set: Vec<(String, String)> = pairs.map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
        set.extend(who.map(|who| ("AWS_PROFILE".to_owned(), who.profile().to_owned())));
        set.extend(no_proxy(&set));
        let names = std::env::vars_os().filter_map(|(name, _)| name.into_string().ok());
        let is_kept = |name: &String| HARMLESS.contains(&name.as_str()) || set.iter().any(|(known, _)| known == name);
        let unset = names.filter(|name| name.starts_with("AWS_")).filter(|name| !is_kept(name)).collect();
        Ok(Variables { set, unset })
    }
}

/// A proxy must not get what goes to this machine.
fn no_proxy(set: &[(String, String)]) -> Vec<(String, String)> {
    let is_local = |(name, url): &(String, String)| {
        name.starts_with("AWS_ENDPOINT_URL") && (url.contains("//127.") || url.contains("//localhost"))
    };
    if !set.iter().any(is_local) {
        return Vec::new();
    }
    let earlier = |name: &str| std::env::var(name).ok().filter(|list| !list.is_empty());
    let name = |name: &str| {
        let list = earlier(name).map(|list| format!("{list},")).unwrap_or_default();
        (name.to_owned(), format!("{list}127.0.0.1,localhost"))
    };
    ["NO_PROXY", "no_proxy"].map(name).into()
}

/// The names of the lab in whose shell this process runs, up to date; empty elsewhere.
pub fn own() -> Vec<(String, String)> {
    let variable = |name| std::env::var_os(name).map(PathBuf::from);
    let (home, config) = (variable("KMSLAB_HOME"), variable("AWS_CONFIG_FILE"));
    // Someone who has pointed the AWS CLI elsewhere asks about something else.
    let home = home.filter(|home| config.is_some_and(|config| config == home.join(folder::CONFIG)));
    let variables = home.and_then(|home| Variables::read(&home, None).ok()).unwrap_or_default();
    variables.set.into_iter().filter(|(name, _)| name.starts_with("KMSLAB_")).collect()
}

/// The folder of the lab that this process belongs to, else of the newest lab.
pub fn find(folders: &[PathBuf]) -> Option<PathBuf> {
    let own = std::env::var_os("KMSLAB_HOME").map(PathBuf::from).filter(|folder| folder.join(VARIABLES).exists());
    own.or_else(|| folder::newest(folders))
}

/// Whose calls a shell of the lab in `folder` makes by default.
pub fn default_identity(folder: &Path) -> Identity {
    let profile = disk::read_text(&folder.join(folder::DEFAULT), disk::STATE).unwrap_or_default();
    Identity::BOTH.into_iter().find(|who| who.profile() == profile).unwrap_or(Identity::Admin)
}

/// The first lines of a shell: the goal, who one can be, and whether there is an `aws` command.
pub fn welcome(folder: &Path, who: Identity) -> String {
    let text = disk::read_text(&folder.join(folder::welcome(who)), disk::STATE).unwrap_or_default();
    let text = if has_aws() { text } else { format!("{text}{NO_AWS}\n\n") };
    // Elsewhere than in a terminal there is nobody whose words could be torn.
    match terminal::columns() {
        Some(columns) => wrapped(&text, columns),
        None => text,
    }
}

fn has_aws() -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).any(|folder| folder.join("aws").is_file())
}

/// The person's shell, for the lab in `folder`.
///
/// # Errors
/// When the lab's variables can't be read, or its start files not be written.
pub fn command(folder: &Path, who: Identity) -> io::Result<Command> {
    let variables = Variables::read(folder, Some(who))?;
    let shell = std::env::var_os("SHELL").filter(|shell| !shell.is_empty()).unwrap_or_else(|| "/bin/sh".into());
    let mut command = rc::command(&shell, folder)?;
    let own = folder.join("bin");
    let path = std::env::var_os("PATH").unwrap_or_default();
    let path = std::env::join_paths(std::iter::once(own).chain(std::env::split_paths(&path)));
    command.envs(path.ok().map(|path| ("PATH", path)));
    for name in &variables.unset {
        command.env_remove(name);
    }
    command.envs(variables.set);
    Ok(command)
}
