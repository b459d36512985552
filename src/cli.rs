//! Arguments and environment, decided once.

use std::ffi::OsString;
use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

use ratatui::layout::Size;

use crate::lab::{Stage, Way};
use crate::run::headless::Format;
use crate::run::play::Pace;
use crate::ui::theme::{ColorLevel, ThemeName};

/// The port of `kmslab serve`.
const SERVE_ADDRESS: &str = "127.0.0.1:4599";

/// The region where neither option nor variable says one, on the sandbox.
pub const SANDBOX_REGION: &str = "us-east-1";

/// A lab for AWS KMS: the same call as two identities, side by side.
///
/// Without a command it opens the interactive lab on the embedded sandbox, which needs no AWS account. Without a
/// terminal it does what `kmslab run` does.
#[derive(Debug, Parser)]
#[command(name = "kmslab", version, max_term_width = 100)]
pub struct Cli {
    /// What to do; without one, the interactive lab.
    #[command(subcommand)]
    pub command: Option<Command>,
    /// Options that apply everywhere.
    #[command(flatten)]
    pub options: Options,
    /// Options of recordings.
    #[command(flatten)]
    pub recording: RecordingOptions,
}

impl Cli {
    /// Whether pseudonyms are shown: also in what is recorded, unless that is to be seen as it is.
    pub fn masks(&self) -> bool {
        let records = self.recording.record.is_some() || matches!(self.command, Some(Command::Record { .. }));
        self.options.mask || (records && !self.options.no_mask)
    }
}

/// What to do.
#[derive(Debug, Clone, Subcommand)]
pub enum Command {
    /// Go through the whole lab without interaction, as lines
    Run {
        /// Lines for people, or one JSON object a line
        #[arg(long, value_enum, default_value_t = FormatArg::Text)]
        format: FormatArg,
    },
    /// Check terminal, profiles, identities, region and permissions; creates nothing
    Doctor,
    /// Run the sandbox alone, for any AWS client
    Serve {
        /// Address and port to listen on
        #[arg(long, value_name = "ADDRESS", default_value = SERVE_ADDRESS)]
        listen: SocketAddr,
    },
    /// Follow a lab that runs in another terminal: notes, the next stage, likely questions, the time
    Notes,
    /// Play the lab by itself and record it, without a terminal
    Record {
        /// Its ending says what it becomes: .cast, .kmslab, .svg, .png, .gif, .txt, .html or .mp4
        #[arg(value_name = "FILE", required_unless_present = "all")]
        file: Option<PathBuf>,
        /// A still of this stage alone: .svg or .png
        #[arg(long, value_name = "STAGE", value_parser = stage)]
        stage: Option<Stage>,
        /// A still of each stage, into this folder
        #[arg(long, value_name = "DIR", conflicts_with_all = ["file", "stage", "teaser"])]
        all: Option<PathBuf>,
        /// What the stills of --all are
        #[arg(long, value_name = "ENDING", default_value = "svg", value_parser = ["svg", "png"])]
        stills: String,
        /// Only from the admin's reading to both identities', in some 45 seconds
        #[arg(long)]
        teaser: bool,
    },
    /// Show a recorded session (.kmslab) again, at any size, in any theme and language; calls nothing
    Replay {
        /// What --record or `kmslab record` wrote
        #[arg(value_name = "FILE")]
        file: PathBuf,
    },
    /// Look in a recording for account numbers, keys, e-mail addresses and host names
    VerifyCast {
        /// Any recording but pictures (.gif, .png, .mp4); - is the standard input
        #[arg(value_name = "FILE")]
        file: PathBuf,
    },
    /// Print what completes kmslab's arguments in a shell
    Completions {
        /// bash, elvish, fish, powershell or zsh
        #[arg(value_name = "SHELL", value_enum)]
        shell: clap_complete::Shell,
    },
    /// Check the lesson files
    Lesson {
        /// What to do with them
        #[command(subcommand)]
        command: LessonCommand,
    },
    /// Write the last session up (.md, .html), or the whole lab as a script for the AWS CLI (.sh)
    Export {
        /// The file; its ending says what it becomes. Masked, unless --no-mask is given
        file: PathBuf,
    },
    /// Forget the kept session: progress, answers and timings of the interactive lab
    Reset,
    /// Remove what earlier runs left at an endpoint: where their journals say, or at --endpoint-url
    Cleanup {
        /// Only list it
        #[arg(long)]
        dry_run: bool,
        /// Only what this run made; its id ends the names of its things [default: all runs']
        #[arg(long, value_name = "ID", value_parser = run_id)]
        run: Option<String>,
    },
}

/// What to do with the lesson files.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Subcommand)]
pub enum LessonCommand {
    /// Name what is wrong with them, by file, stage and line: the embedded ones, or those of --lesson
    Check,
}

/// The formats of `kmslab run`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum FormatArg {
    /// Lines for people
    Text,
    /// One JSON object a line
    Jsonl,
}

impl From<FormatArg> for Format {
    fn from(format: FormatArg) -> Format {
        match format {
            FormatArg::Text => Format::Text,
            FormatArg::Jsonl => Format::Jsonl,
        }
    }
}

/// Options that apply everywhere.
#[derive(Debug, Clone, Default, Args)]
pub struct Options {
    /// Where the calls go (--endpoint-url chooses another server) [default: sandbox]
    #[arg(long, global = true, value_enum)]
    pub backend: Option<BackendArg>,
    /// An AWS-compatible server instead of the sandbox, http://host:port
    #[arg(long, global = true, value_name = "URL", conflicts_with_all = ["backend", "seed", "data"])]
    pub endpoint_url: Option<String>,
    /// The admin's profile in ~/.aws, with --endpoint-url or --backend aws [default: the SDK's chain]
    #[arg(long, global = true, value_name = "NAME")]
    pub admin_profile: Option<String>,
    /// test-user's profile in ~/.aws, likewise [default: the lab makes a user]
    #[arg(long, global = true, value_name = "NAME")]
    pub user_profile: Option<String>,
    /// The region [default: on the sandbox us-east-1, else the SDK's chain]
    #[arg(long, global = true, value_name = "REGION", value_parser = region)]
    pub region: Option<String>,
    /// AWS: create things in this account without asking; needed by `kmslab run --backend aws`
    #[arg(long, global = true, value_name = "ACCOUNT", value_parser = account)]
    pub yes_account: Option<String>,
    /// Show pseudonyms instead of account numbers, names, key ids and request ids
    #[arg(long, global = true, overrides_with = "no_mask")]
    pub mask: bool,
    /// Show them as they are; the default
    #[arg(long, global = true, overrides_with = "mask")]
    pub no_mask: bool,
    /// Sandbox: ids, clock and randomness repeat exactly
    #[arg(long, global = true, value_name = "N")]
    pub seed: Option<u64>,
    /// Sandbox: keep its data in this folder [default: a temporary folder, removed at exit]
    #[arg(long, global = true, value_name = "DIR")]
    pub data: Option<PathBuf>,
    /// The lesson's language: en, de, or one that --lesson has [default: the locale's, else en]
    #[arg(long, global = true, value_name = "LANG", value_parser = language)]
    pub lang: Option<String>,
    /// Lesson files of one's own instead of the embedded ones: a folder with en/who.toml and so on
    #[arg(long, global = true, value_name = "DIR")]
    pub lesson: Option<PathBuf>,
    /// Begin afresh, without asking whether to go on where the last session ended
    #[arg(long, global = true)]
    pub fresh: bool,
    /// Do not ask a question before each stage
    #[arg(long, global = true, overrides_with = "questions")]
    pub no_questions: bool,
    /// The socket that `kmslab notes` follows the lab by, for both of them [default: one by the lab's process id]
    #[arg(long, global = true, value_name = "PATH")]
    pub socket: Option<PathBuf>,
    /// Ask one; the default
    #[arg(long, global = true, overrides_with = "no_questions")]
    pub questions: bool,
    /// The interactive lab as lines of text, for screen readers and pipes [default: with TERM=dumb]
    #[arg(long, global = true)]
    pub plain: bool,
    /// Only ASCII signs; accents are left out [default: where the locale is not UTF-8]
    #[arg(long, global = true, overrides_with = "no_ascii")]
    pub ascii: bool,
    /// All signs, whatever the locale
    #[arg(long, global = true, overrides_with = "ascii")]
    pub no_ascii: bool,
    /// Colours of the interactive lab: dark, light or high-contrast [default: dark]
    #[arg(long, global = true, value_name = "NAME")]
    pub theme: Option<ThemeName>,
    /// Own keys and defaults [default: kmslab/config.toml in XDG_CONFIG_HOME, or in ~/.config]
    #[arg(long, global = true, value_name = "FILE")]
    pub config: Option<PathBuf>,
}

/// Options of recordings: of the interactive lab, `record` and `replay`.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Recording and playing")]
pub struct RecordingOptions {
    /// Record into this file, as its ending says; ids become pseudonyms, unless --no-mask
    #[arg(long, global = true, value_name = "FILE")]
    pub record: Option<PathBuf>,
    /// Replace a file that exists
    #[arg(long, global = true)]
    pub force: bool,
    /// The version of .cast files: 2 is for older programs
    #[arg(long, global = true, value_name = "N", default_value_t = 3, value_parser = clap::value_parser!(u8).range(2..=3))]
    pub cast_version: u8,
    /// Play the interactive lab by itself; a key takes over
    #[arg(long, global = true)]
    pub play: bool,
    /// How long things stay: talk (a prediction waits for a key), read or fast
    #[arg(long, global = true, value_name = "PACE", value_enum, default_value_t = PaceArg::Read)]
    pub pace: PaceArg,
    /// Show the last key, and write keys into .cast files
    #[arg(long, global = true)]
    pub keys: bool,
    /// Show a caption above the footer
    #[arg(long, global = true)]
    pub captions: bool,
    /// Large text: one pane at a time; recorded at 80x24
    #[arg(long, global = true)]
    pub big: bool,
    /// How many pixels .png, .gif and .mp4 are wide; they are 16:9
    #[arg(long, global = true, value_name = "PIXELS", default_value_t = 1920)]
    pub width: u32,
    /// Columns and rows of a recording: 80x24, 100x28, 120x34 or others [default: the terminal's, else 100x28]
    #[arg(long, global = true, value_name = "SIZE", value_parser = size)]
    pub size: Option<Size>,
}

/// How long things stay.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum PaceArg {
    /// For somebody who speaks
    Talk,
    /// For somebody who reads
    #[default]
    Read,
    /// For somebody who knows it
    Fast,
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

/// Columns and rows: at least what shows a pane, at most what somebody can see.
fn size(text: &str) -> Result<Size, String> {
    let parsed = text
        .split_once(['x', '×'])
        .and_then(|(columns, rows)| Some(Size { width: columns.parse().ok()?, height: rows.parse().ok()? }));
    let fits = |size: &Size| (60..=400).contains(&size.width) && (18..=200).contains(&size.height);
    parsed.filter(fits).ok_or_else(|| "a size looks like 100x28, from 60x18 to 400x200".to_owned())
}

/// A stage by its name.
fn stage(text: &str) -> Result<Stage, String> {
    let names = || Stage::ALL.map(Stage::key).join(", ");
    Stage::ALL.into_iter().find(|stage| stage.key() == text).ok_or_else(|| format!("the stages are: {}", names()))
}

/// Where the calls go.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum BackendArg {
    /// The server inside this process
    Sandbox,
    /// AWS itself: things are created in your account
    Aws,
}

/// An account's number.
fn account(text: &str) -> Result<String, String> {
    let fits = text.len() == 12 && text.bytes().all(|byte| byte.is_ascii_digit());
    if fits { Ok(text.to_owned()) } else { Err("an account's number has twelve digits".to_owned()) }
}

impl Options {
    /// Whether only ASCII signs are shown.
    pub fn is_ascii(&self, environment: &Environment) -> bool {
        self.ascii || (environment.ascii && !self.no_ascii)
    }

    /// Whether the calls go to AWS itself.
    pub fn is_aws(&self) -> bool {
        self.backend == Some(BackendArg::Aws)
    }

    /// Options that mean nothing together, in words. (clap knows no "requires one of these values".)
    ///
    /// # Errors
    /// A sentence that names them.
    pub fn check(&self) -> Result<(), String> {
        let is_sandbox = self.endpoint_url.is_none() && !self.is_aws();
        if is_sandbox && (self.admin_profile.is_some() || self.user_profile.is_some()) {
            return Err("--admin-profile and --user-profile need --endpoint-url or --backend aws".to_owned());
        }
        // An endpoint may be an address of AWS itself.
        if self.yes_account.is_some() && is_sandbox {
            return Err("--yes-account needs --backend aws".to_owned());
        }
        if self.is_aws() && (self.seed.is_some() || self.data.is_some()) {
            return Err("--seed and --data belong to the sandbox, not to --backend aws".to_owned());
        }
        Ok(())
    }
}

/// A region's name goes into ARNs and host names.
fn region(text: &str) -> Result<String, String> {
    let fits = !text.is_empty()
        && text.len() <= 32
        && text.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-');
    if fits { Ok(text.to_owned()) } else { Err("a region looks like us-east-1".to_owned()) }
}

/// A run's id goes into names.
fn run_id(text: &str) -> Result<String, String> {
    let fits = !text.is_empty() && text.len() <= 32 && text.bytes().all(|byte| byte.is_ascii_alphanumeric());
    if fits { Ok(text.to_owned()) } else { Err("a run's id looks like 1a2b3c4d".to_owned()) }
}

/// A language is a folder of the lesson.
pub fn language(text: &str) -> Result<String, String> {
    let fits = (2..=16).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
    if fits { Ok(text.to_ascii_lowercase()) } else { Err("a language looks like en or de".to_owned()) }
}

/// The language of a locale like `de_DE.UTF-8`; none of `C` and `POSIX`.
fn locale_language(locale: &str) -> Option<String> {
    let language = locale.split(['_', '.', '@']).next().unwrap_or_default().to_ascii_lowercase();
    (language.len() == 2 && language.bytes().all(|byte| byte.is_ascii_lowercase())).then_some(language)
}

/// Whether a locale names another character set than UTF-8: only ASCII is certain then. `C`, `POSIX` and names without
/// a character set do, too: they mean an older one. Where no locale is set, as on many servers and in containers, this
/// is not asked: the terminal in front of them knows UTF-8 nevertheless, nearly always.
fn is_ascii(locale: &str) -> bool {
    let locale = locale.to_ascii_lowercase();
    !locale.is_empty() && !locale.contains("utf-8") && !locale.contains("utf8")
}

/// How a terminal copies. The Linux console has no clipboard and shows a sequence that it does not know; GNU screen
/// (`STY`) passes none on.
fn clipboard(term: &str, tmux: bool, screen: bool) -> Way {
    match term {
        "" | "dumb" | "linux" => Way::Nowhere,
        _ if screen => Way::Nowhere,
        _ if tmux => Way::Tmux,
        _ => Way::Terminal,
    }
}

/// As terminfo names them: `xterm-mono`, `screen-m`, `vt220`.
fn is_monochrome(term: &str) -> bool {
    term == "dumb" || term.ends_with("-mono") || term.ends_with("-m") || term.starts_with("vt")
}

/// The lab's own folder below the one that the variable `name` names, else below `usual` at home. A relative path
/// counts as none (XDG base directory specification).
fn own_folder(variable: &impl Fn(&str) -> Option<OsString>, name: &str, usual: &str) -> Option<PathBuf> {
    let folder = |name: &str| variable(name).map(PathBuf::from).filter(|folder| folder.is_absolute());
    Some(folder(name).or_else(|| Some(folder("HOME")?.join(usual)))?.join("kmslab"))
}

/// Likewise, a relative XDG_RUNTIME_DIR.
fn runtime_folder(variable: &impl Fn(&str) -> Option<OsString>) -> Option<PathBuf> {
    let folder = variable("XDG_RUNTIME_DIR").map(PathBuf::from).filter(|folder| folder.is_absolute());
    Some(folder?.join("kmslab"))
}

/// What the environment says about terminal and folders; read once, passed on.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Environment {
    /// `NO_COLOR` is set and not empty.
    pub no_color: bool,
    /// `COLORTERM` promises 24-bit colours.
    pub true_color: bool,
    /// `TERM` names a terminal without colours.
    pub monochrome: bool,
    /// `TERM` is `dumb`: it can't be drawn on.
    pub dumb: bool,
    /// The locale's character set is not UTF-8.
    pub ascii: bool,
    /// How the terminal copies, as far as it tells.
    pub clipboard: Way,
    /// The language of the locale, `de`.
    pub language: Option<String>,
    /// Where a person's own keys and defaults are, if there are any: below `XDG_CONFIG_HOME`, else below `~/.config`.
    pub config: Option<PathBuf>,
    /// Where journals are: below `XDG_STATE_HOME`, else below `~/.local/state`; `None` where no home is known.
    pub journals: Option<PathBuf>,
    /// The folder of both, and of the kept session.
    pub state: Option<PathBuf>,
    /// Where the answers of stages that were met are kept, likewise.
    pub verified: Option<PathBuf>,
    /// Where the sockets of labs may be: below `XDG_RUNTIME_DIR`, else in the state folder.
    pub labs: Vec<PathBuf>,
}

impl Environment {
    /// Reads it through `variable`, which is `std::env::var_os` outside of tests.
    pub fn read(variable: impl Fn(&str) -> Option<OsString>) -> Environment {
        let text = |name: &str| variable(name).and_then(|value| value.into_string().ok()).unwrap_or_default();
        // POSIX: the first of these that is set and not empty decides.
        let locale = |category| ["LC_ALL", category, "LANG"].into_iter().map(text).find(|value| !value.is_empty());
        let state = own_folder(&variable, "XDG_STATE_HOME", ".local/state");
        Environment {
            no_color: variable("NO_COLOR").is_some_and(|value| !value.is_empty()),
            true_color: matches!(text("COLORTERM").as_str(), "truecolor" | "24bit"),
            monochrome: is_monochrome(&text("TERM")),
            dumb: text("TERM") == "dumb",
            clipboard: clipboard(&text("TERM"), !text("TMUX").is_empty(), !text("STY").is_empty()),
            ascii: locale("LC_CTYPE").is_some_and(|locale| is_ascii(&locale)),
            language: locale("LC_MESSAGES").and_then(|locale| locale_language(&locale)),
            config: own_folder(&variable, "XDG_CONFIG_HOME", ".config").map(|folder| folder.join("config.toml")),
            journals: state.as_ref().map(|state| state.join("runs")),
            state: state.clone(),
            verified: state.as_ref().map(|state| state.join("verified")),
            labs: runtime_folder(&variable).into_iter().chain(state.map(|state| state.join("labs"))).collect(),
        }
    }

    /// The colours that may be used.
    pub fn color_level(&self) -> ColorLevel {
        match (self.no_color || self.monochrome, self.true_color) {
            (true, _) => ColorLevel::None,
            (false, true) => ColorLevel::True,
            (false, false) => ColorLevel::Ansi16,
        }
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case(&[("XDG_STATE_HOME", "/state"), ("HOME", "/home/me")], Some("/state/kmslab/runs"))]
    #[case(&[("HOME", "/home/me")], Some("/home/me/.local/state/kmslab/runs"))]
    #[case::relative(&[("XDG_STATE_HOME", "state"), ("HOME", "/home/me")], Some("/home/me/.local/state/kmslab/runs"))]
    #[case::empty(&[("XDG_STATE_HOME", ""), ("HOME", "/home/me")], Some("/home/me/.local/state/kmslab/runs"))]
    #[case::nowhere(&[], None)]
    #[cfg(unix)]
    fn journals_are_in_the_state_folder(#[case] set: &[(&str, &str)], #[case] folder: Option<&str>) {
        let variable = |name: &str| set.iter().find(|(set, _)| *set == name).map(|(_, value)| OsString::from(value));
        assert_eq!(Environment::read(variable).journals, folder.map(PathBuf::from));
    }

    #[rstest]
    #[case(&[("XDG_RUNTIME_DIR", "/run/me"), ("XDG_STATE_HOME", "/state")], &["/run/me/kmslab", "/state/kmslab/labs"])]
    #[case(&[("XDG_RUNTIME_DIR", "run"), ("HOME", "/home/me")], &["/home/me/.local/state/kmslab/labs"])]
    #[case(&[], &[])]
    #[cfg(unix)]
    fn sockets_are_in_the_runtime_folder_or_the_state_folder(#[case] set: &[(&str, &str)], #[case] folders: &[&str]) {
        let variable = |name: &str| set.iter().find(|(set, _)| *set == name).map(|(_, value)| OsString::from(value));
        let folders: Vec<PathBuf> = folders.iter().map(PathBuf::from).collect();
        assert_eq!(Environment::read(variable).labs, folders);
    }

    #[rstest]
    #[case(&[("LANG", "de_DE.UTF-8")], Some("de"))]
    #[case(&[("LANG", "de_DE.UTF-8"), ("LC_ALL", "")], Some("de"))]
    #[case(&[("LANG", "de_DE.UTF-8"), ("LC_MESSAGES", "en_GB")], Some("en"))]
    #[case(&[("LANG", "de_DE.UTF-8"), ("LC_ALL", "C.UTF-8")], None)]
    #[case(&[("LANG", "de")], Some("de"))]
    #[case(&[], None)]
    fn the_locale_has_a_language(#[case] set: &[(&str, &str)], #[case] language: Option<&str>) {
        let variable = |name: &str| set.iter().find(|(set, _)| *set == name).map(|(_, value)| OsString::from(value));
        assert_eq!(Environment::read(variable).language.as_deref(), language);
    }

    #[rstest]
    #[case(&[], false)]
    #[case(&[("LANG", "")], false)]
    #[case(&[("LANG", "C")], true)]
    #[case(&[("LC_ALL", "POSIX"), ("LANG", "en_US.UTF-8")], true)]
    #[case(&[("LANG", "C.UTF-8")], false)]
    #[case(&[("LANG", "de_DE.utf8")], false)]
    #[case(&[("LANG", "de_DE")], true)]
    #[case(&[("LANG", "de_DE.ISO-8859-1")], true)]
    #[case(&[("LC_CTYPE", "en_US.UTF-8"), ("LANG", "C")], false)]
    #[case(&[("LC_MESSAGES", "C"), ("LANG", "en_US.UTF-8")], false)]
    fn the_locale_has_a_character_set(#[case] set: &[(&str, &str)], #[case] ascii: bool) {
        let variable = |name: &str| set.iter().find(|(set, _)| *set == name).map(|(_, value)| OsString::from(value));
        assert_eq!(Environment::read(variable).ascii, ascii);
    }

    #[rstest]
    #[case(&[], ColorLevel::Ansi16)]
    #[case(&[("COLORTERM", "truecolor")], ColorLevel::True)]
    #[case(&[("COLORTERM", "truecolor"), ("NO_COLOR", "1")], ColorLevel::None)]
    #[case(&[("NO_COLOR", "")], ColorLevel::Ansi16)]
    #[case(&[("TERM", "xterm-256color")], ColorLevel::Ansi16)]
    #[case(&[("TERM", "dumb")], ColorLevel::None)]
    #[case(&[("TERM", "xterm-mono")], ColorLevel::None)]
    #[case(&[("TERM", "vt220")], ColorLevel::None)]
    fn colours_are_as_the_environment_says(#[case] variables: &[(&str, &str)], #[case] level: ColorLevel) {
        let variable = |name: &str| variables.iter().find(|(known, _)| *known == name).map(|(_, value)| value.into());
        assert_eq!(Environment::read(variable).color_level(), level);
    }

    #[rstest]
    #[case(&[("TERM", "xterm-256color")], Way::Terminal)]
    #[case(&[("TERM", "tmux-256color"), ("TMUX", "/tmp/tmux-1000/default,1,0")], Way::Tmux)]
    #[case(&[("TERM", "screen"), ("STY", "1.pts-0.host")], Way::Nowhere)]
    #[case(&[("TERM", "linux")], Way::Nowhere)]
    #[case(&[("TERM", "linux"), ("TMUX", "x")], Way::Nowhere)]
    #[case(&[], Way::Nowhere)]
    fn a_clipboard_is_where_the_terminal_may_have_one(#[case] variables: &[(&str, &str)], #[case] way: Way) {
        let variable = |name: &str| variables.iter().find(|(known, _)| *known == name).map(|(_, value)| value.into());
        assert_eq!(Environment::read(variable).clipboard, way);
    }
}
