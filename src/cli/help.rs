//! What `--help` and the completions show of each command: what it uses, and nothing else.
//!
//! Most options parse with every command, so that a person can keep them on the line while the command changes. That
//! is no reason to show them everywhere: a page and a half of what does nothing hides the one line that was looked
//! for. None of this runs on the way to a lab.

use std::ffi::OsString;
use std::io;

use clap::builder::Resettable;
use clap::error::ErrorKind;
use clap::{Arg, Command, CommandFactory, Id, Parser};

use super::{Cli, READER_GONE};

/// The commands that may need a yes.
const CONSENTING: &[&str] = &["run", "record", "cleanup"];
/// The commands that call a server.
const CALLERS: &[&str] = &["run", "doctor", "record", "cleanup", "why"];
/// The same, with the drills, which don't go to AWS.
const DIALERS: &[&str] = &["run", "drill", "doctor", "record", "cleanup", "why"];
/// The commands whose calls may need two identities.
const IDENTITIES: &[&str] = &["run", "drill", "doctor", "record"];
/// The commands that start the sandbox.
const SANDBOXES: &[&str] = &["run", "drill", "doctor", "record", "serve"];
/// The commands that can write pictures.
const PICTURES: &[&str] = &["drill", "record", "replay"];
/// The commands that can write images and videos.
const IMAGES: &[&str] = &["drill", "record", "replay", "convert"];
/// The commands whose signs may be ASCII.
const SIGNS: &[&str] = &["drill", "record", "replay", "notes", "why"];

/// An option by the name of its field, and the commands that use it. The interactive lab uses all of them.
type Applies = (&'static str, &'static [&'static str]);

/// All options that parse with every command, in the order of the help, under their headings.
const OPTIONS: &[(Option<&str>, &[Applies])] = &[
    (
        None,
        &[
            ("plain", &["drill"]),
            ("fresh", &[]),
            ("no_questions", &["record"]),
            ("questions", &["record"]),
            ("lang", &["run", "drill", "record", "replay", "export"]),
            ("theme", &["drill", "record", "replay", "convert", "notes"]),
            ("ascii", SIGNS),
            ("no_ascii", SIGNS),
            ("bell", &[]),
            ("mouse", &[]),
            ("audience", &[]),
            ("mask", &["run", "drill", "doctor", "replay", "cleanup", "why"]),
            ("no_mask", &["run", "drill", "doctor", "record", "replay", "export", "cleanup", "why"]),
            ("lesson", &["run", "drill", "record", "replay", "export", "lesson"]),
            ("config", &["run", "drill", "doctor", "record", "replay", "notes"]),
            ("socket", &["drill", "notes"]),
            ("debug", &["run", "drill", "doctor", "record", "replay", "serve", "cleanup", "why"]),
        ],
    ),
    (Some("In a class"), &[("join", &[]), ("learner", &[]), ("xapi", &[])]),
    (
        Some("Where the calls go"),
        &[
            ("backend", CALLERS),
            ("admin_profile", DIALERS),
            ("user_profile", IDENTITIES),
            ("yes_account", CONSENTING),
            ("endpoint_url", DIALERS),
            ("region", &["run", "drill", "doctor", "record", "serve", "cleanup", "why"]),
            ("wait", &["run", "drill", "record", "cleanup"]),
            ("data", SANDBOXES),
            ("seed", &["run", "drill", "record", "serve"]),
        ],
    ),
    (
        Some("Recording and playing"),
        &[
            ("record", &["drill", "replay"]),
            ("play", &[]),
            ("pace", &["record"]),
            ("captions", PICTURES),
            ("keys", &["drill", "record"]),
            ("big", PICTURES),
            ("size", PICTURES),
            ("width", IMAGES),
            ("height", IMAGES),
            ("font", IMAGES),
            ("frame", IMAGES),
            ("loops", IMAGES),
            ("force", &["drill", "record", "replay", "convert", "export"]),
            ("cast_version", IMAGES),
        ],
    ),
];

/// Commands, options, and what the options mean there, where that differs.
const OWN_WORDS: &[(&str, &str, &str)] = &[
    ("cleanup", "backend", "aws: look in your account [default: wherever this machine's journals say]"),
    ("cleanup", "endpoint_url", "Look at this server, http://host:port [default: wherever the journals say]"),
    ("cleanup", "admin_profile", "The admin's in ~/.aws [default: the journal's, else the SDK's chain]"),
    ("cleanup", "region", "The region [default: the journal's, else the SDK's chain]"),
    ("why", "backend", "aws: your account; the default"),
    ("why", "admin_profile", "The profile that reads [default: the SDK's chain]"),
    ("why", "region", "The region [default: that of the ARN, else the SDK's chain]"),
    ("convert", "theme", "dark, light or high-contrast: the colors of a file that names none [default: dark]"),
    ("cleanup", "yes_account", "With --all: remove everyone's runs in this account without asking"),
];

/// What `kmslab -h` shows: what a first week needs.
const BRIEF: &[&str] = &["plain", "lang", "mask", "backend", "admin_profile", "endpoint_url", "record", "play"];

/// Ends both.
const EXAMPLES: &str = "\
Examples:
  kmslab                               the lab on the sandbox: no account needed
  kmslab --backend aws                 on AWS: asks before it creates anything
";

/// Reads the arguments of this process; ends it where they are wrong, or ask for help.
pub fn parse() -> Cli {
    Cli::try_parse().unwrap_or_else(|error| {
        if matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand) {
            let arguments: Vec<OsString> = std::env::args_os().collect();
            let is_brief = arguments.iter().any(|argument| argument == "-h");
            // The same arguments end the same way, with other words.
            leave(helping(is_brief).try_get_matches_from(arguments).err().unwrap_or(error));
        }
        leave(error)
    })
}

/// Prints what clap has to say and ends the program.
fn leave(error: clap::Error) -> ! {
    let is_gone = error.print().is_err_and(|failed| failed.kind() == io::ErrorKind::BrokenPipe);
    let status = if is_gone && !error.use_stderr() { READER_GONE.status().into() } else { error.exit_code() };
    std::process::exit(status)
}

/// The commands as the help shows them: what does not apply still parses, hidden.
fn helping(is_brief: bool) -> Command {
    let top = Cli::command().mut_args(|arg| match heading_and_order(arg.get_id().as_str()) {
        Some(_) => shaped(arg.clone()).hide(is_brief && !BRIEF.contains(&arg.get_id().as_str())),
        None => arg,
    });
    let all = if is_brief { "All options: `kmslab --help`. Those of" } else { "What applies to" };
    let after = format!("{EXAMPLES}\n{all} a command: `kmslab COMMAND --help`.");
    top.long_about(None).after_help(after).mut_subcommands(|command| {
        let name = command.get_name().to_owned();
        let command = command.mut_args(terse);
        globals().into_iter().fold(command, |command, arg| {
            let applies = applies(&name, arg.get_id().as_str());
            let own = OWN_WORDS.iter().find(|(of, id, _)| *of == name && *id == arg.get_id().as_str());
            let arg = own.into_iter().fold(arg, |arg, (_, _, words)| arg.help(*words));
            command.arg(arg.hide(!applies))
        })
    })
}

/// The commands as the completions know them: what does not apply is not there, since no shell's script asks what is
/// hidden.
pub fn completing() -> Command {
    let top = Cli::command().mut_args(|arg| arg.global(false));
    top.mut_subcommands(|command| {
        let name = command.get_name().to_owned();
        let used = globals().into_iter().filter(|arg| applies(&name, arg.get_id().as_str()));
        // What is not there can't be in conflict either.
        let none = || Resettable::<Id>::Reset;
        command.args(used.map(|arg| arg.conflicts_with(none()).overrides_with(none())))
    })
}

/// The manual page of `command`, or of the program; `None` where there is no such command.
pub fn manual(command: Option<&str>) -> Option<clap_mangen::Man> {
    let top = completing().after_help(EXAMPLES).disable_help_subcommand(true);
    let Some(name) = command else { return Some(clap_mangen::Man::new(top)) };
    let command = top.get_subcommands().find(|command| command.get_name() == name)?.clone();
    // A page's name is a word; man joins the words of `man kmslab run` in the same way.
    let page = format!("kmslab-{name}");
    Some(clap_mangen::Man::new(command.display_name(page).bin_name(format!("kmslab {name}")).version(super::VERSION)))
}

/// The options that parse with every command, as the help shows them.
fn globals() -> Vec<Arg> {
    Cli::command().get_arguments().filter(|arg| arg.is_global_set()).cloned().map(shaped).collect()
}

/// Under its heading, in its place there.
fn shaped(arg: Arg) -> Arg {
    let Some((heading, order)) = heading_and_order(arg.get_id().as_str()) else { return arg };
    // Behind a command's own options.
    terse(arg.help_heading(heading).display_order(100 + order))
}

/// Without a list of values: they stand in its sentence.
fn terse(arg: Arg) -> Arg {
    let takes_values = arg.get_action().takes_values();
    if takes_values { arg.hide_possible_values(true) } else { arg }
}

fn heading_and_order(id: &str) -> Option<(Option<&'static str>, usize)> {
    let all = OPTIONS.iter().flat_map(|(heading, options)| options.iter().map(move |(known, _)| (*heading, *known)));
    let (order, (heading, _)) = all.enumerate().find(|(_, (_, known))| *known == id)?;
    Some((heading, order))
}

/// Whether `command` uses the option `id`.
fn applies(command: &str, id: &str) -> bool {
    let mut all = OPTIONS.iter().flat_map(|(_, options)| options.iter());
    all.any(|(known, commands)| *known == id && commands.contains(&command))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_help_table_has_every_option_once() {
        let command = Cli::command();
        let mut defined: Vec<_> = command.get_arguments().map(|arg| arg.get_id().to_string()).collect();
        let mut known: Vec<_> =
            OPTIONS.iter().flat_map(|(_, options)| *options).map(|(id, _)| (*id).to_owned()).collect();
        defined.sort();
        known.sort();
        assert_eq!(defined, known);
        let exists = |name: &str| command.find_subcommand(name).is_some();
        assert!(
            OPTIONS.iter().flat_map(|(_, options)| *options).all(|(_, commands)| commands.iter().all(|c| exists(c)))
        );
        assert!(BRIEF.iter().all(|id| known.iter().any(|known| known == id)));
    }

    #[test]
    fn both_shapes_hold_together() {
        helping(true).debug_assert();
        helping(false).debug_assert();
        completing().debug_assert();
    }
}
