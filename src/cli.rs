//! What kmslab agrees with the outside: arguments and environment, decided once, and the exit status.

mod blank;
mod environment;
pub mod help;
mod output;

use std::fmt::Display;
use std::io::{self, Write};
use std::net::{Ipv4Addr, SocketAddr, ToSocketAddrs};
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::{Args, Parser, Subcommand, ValueEnum};

use ratatui::layout::Size;

use crate::lab::{Stage, glyphs};
use crate::ui::theme::ThemeChoice;

pub use blank::unset_blank_settings;
pub use environment::Environment;
pub use output::{READER_GONE, is_reader_gone, out};

/// The port of `kmslab serve`.
pub const SERVE_ADDRESS: &str = "127.0.0.1:4599";

/// The region where neither option nor variable says one, on the sandbox.
pub const SANDBOX_REGION: &str = "us-east-1";

/// A lab for AWS KMS: the same call as two identities, side by side.
///
/// Without a command it opens the interactive lab; without a terminal it does what `kmslab run` does.
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
        /// text: lines for people; jsonl: one JSON object a line
        #[arg(long, value_enum, default_value_t = FormatArg::Text)]
        format: FormatArg,
    },
    /// Check terminal, identities and permissions; creates nothing
    Doctor,
    /// Play the lab by itself and record it, without a terminal
    Record {
        /// Its ending says what it becomes: .cast, .kmslab, .svg, .png, .gif, .txt, .html or .mp4
        #[arg(value_name = "FILE", required_unless_present = "all")]
        file: Option<PathBuf>,
        /// A still of this stage alone: .svg, .png or .txt
        #[arg(long, value_name = "STAGE", value_parser = stage)]
        stage: Option<Stage>,
        /// A still of each stage, into this folder
        #[arg(long, value_name = "DIR", conflicts_with_all = ["file", "stage", "teaser"])]
        all: Option<PathBuf>,
        /// What the stills of --all are
        #[arg(long, value_name = "ENDING", default_value = "svg", value_parser = ["svg", "png", "txt"])]
        stills: String,
        /// Only from the admin's reading to both identities', in some 45 seconds (70 with --captions)
        #[arg(long, conflicts_with = "stage")]
        teaser: bool,
    },
    /// Show a recorded session (.kmslab) again; calls nothing
    Replay {
        /// What --record or `kmslab record` wrote
        #[arg(value_name = "FILE")]
        file: PathBuf,
    },
    /// Write the last session up, or the lab as a script for the AWS CLI
    Export {
        /// Its ending says what it becomes: .md, .html, or .sh for the script. Masked, unless --no-mask
        file: PathBuf,
    },
    /// Show a presenter's notes for the lab in another terminal
    Notes,
    /// Run the sandbox alone, for any AWS client
    Serve {
        /// Address and port to listen on
        #[arg(long, value_name = "ADDRESS", default_value = SERVE_ADDRESS, value_parser = listen)]
        listen: SocketAddr,
    },
    /// Remove what this machine's runs left on AWS or another server
    Cleanup {
        /// Only list it
        #[arg(long)]
        dry_run: bool,
        /// Only this run, by the id at the end of its names [default: every run in this machine's journals]
        #[arg(long, value_name = "ID", value_parser = run_id)]
        run: Option<String>,
        /// Everyone's runs in the account and region; lists them and asks first
        #[arg(long, conflicts_with = "run")]
        all: bool,
        /// Only runs that began longer ago than this: 30m, 2h, 7d
        #[arg(long, value_name = "AGE", value_parser = age, conflicts_with = "run")]
        older_than: Option<Duration>,
    },
    /// Forget the kept session: progress, answers and timings
    Reset,
    /// Look in a recording for account numbers, keys, e-mail, hosts
    VerifyCast {
        /// Any recording but pictures (.gif, .png, .mp4); - is the standard input
        #[arg(value_name = "FILE")]
        file: PathBuf,
        /// Texts that may be published, one a line; lines that begin with # are comments
        #[arg(long, value_name = "FILE")]
        allow: Option<PathBuf>,
    },
    /// Check the lesson files
    Lesson {
        /// What to do with them
        #[command(subcommand)]
        command: LessonCommand,
    },
    /// Print what completes arguments in a shell
    Completions {
        /// bash, elvish, fish, powershell or zsh
        #[arg(value_name = "SHELL", value_enum)]
        shell: clap_complete::Shell,
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

/// Options that apply everywhere.
#[derive(Debug, Clone, Default, Args)]
pub struct Options {
    /// sandbox, or aws: your account [default: sandbox]
    #[arg(long, global = true, value_enum)]
    pub backend: Option<BackendArg>,
    /// Another AWS-compatible server, http://host:port
    #[arg(long, global = true, value_name = "URL", conflicts_with_all = ["backend", "seed", "data"])]
    pub endpoint_url: Option<String>,
    /// The admin's in ~/.aws [default: the SDK's chain]
    #[arg(long, global = true, value_name = "NAME")]
    pub admin_profile: Option<String>,
    /// test-user's in ~/.aws [default: the lab makes a user]
    #[arg(long, global = true, value_name = "NAME")]
    pub user_profile: Option<String>,
    /// The region [default: on the sandbox us-east-1, else the SDK's chain]
    #[arg(long, global = true, value_name = "REGION", value_parser = region)]
    pub region: Option<String>,
    /// AWS: create things in this account without asking; needed by `kmslab run --backend aws`
    #[arg(long, global = true, value_name = "ACCOUNT", value_parser = account)]
    pub yes_account: Option<String>,
    /// How long to wait for a change to take effect: 90, 90s or 3m [default: 3m on AWS, else 45s]
    #[arg(long, global = true, value_name = "TIME", value_parser = wait)]
    pub wait: Option<u32>,
    /// Show pseudonyms instead of account numbers, names and ids
    #[arg(long, global = true, overrides_with = "no_mask")]
    pub mask: bool,
    /// Show account numbers, names and ids, also where pseudonyms are the default
    #[arg(long, global = true, overrides_with = "mask")]
    pub no_mask: bool,
    /// Sandbox: ids, clock and randomness repeat exactly
    #[arg(long, global = true, value_name = "N")]
    pub seed: Option<u64>,
    /// Sandbox: keep its data in this folder [default: a temporary folder, removed at exit]
    #[arg(long, global = true, value_name = "DIR")]
    pub data: Option<PathBuf>,
    /// en, de, or one that --lesson has [default: the locale's]
    #[arg(long, global = true, value_name = "LANG", value_parser = language)]
    pub lang: Option<String>,
    /// Lesson files of one's own instead of the embedded ones: a folder with en/who.toml and so on
    #[arg(long, global = true, value_name = "DIR")]
    pub lesson: Option<PathBuf>,
    /// Begin anew, and don't ask whether to go on where you were
    #[arg(long, global = true)]
    pub fresh: bool,
    /// Ask no question before each stage
    #[arg(long, global = true, overrides_with = "questions")]
    pub no_questions: bool,
    /// Ask one; the default
    #[arg(long, global = true, overrides_with = "no_questions")]
    pub questions: bool,
    /// The socket that `kmslab notes` follows the lab by, for both of them [default: one by the lab's process id]
    #[arg(long, global = true, value_name = "PATH")]
    pub socket: Option<PathBuf>,
    /// Lines of text instead of a screen, for screen readers
    #[arg(long, global = true)]
    pub plain: bool,
    /// Only ASCII signs; accents are left out [default: where the locale is not UTF-8]
    #[arg(long, global = true, overrides_with = "no_ascii")]
    pub ascii: bool,
    /// All signs, whatever the locale
    #[arg(long, global = true, overrides_with = "ascii")]
    pub no_ascii: bool,
    /// auto (by the terminal's background), dark, light or high-contrast [default: auto; recordings: dark]
    #[arg(long, global = true, value_name = "NAME")]
    pub theme: Option<ThemeChoice>,
    /// Own keys and defaults [default: kmslab/config.toml in XDG_CONFIG_HOME, or in ~/.config]
    #[arg(long, global = true, value_name = "FILE")]
    pub config: Option<PathBuf>,
}

/// Options of recordings: of the interactive lab, `record` and `replay`.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Recording and playing")]
pub struct RecordingOptions {
    /// Record into this file: .cast, .gif, .svg, .kmslab, …
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
    /// How many pixels .png, .gif and .mp4 are wide, to the next even number up to 7680
    #[arg(long, global = true, value_name = "PIXELS", default_value_t = 1920)]
    pub width: u32,
    /// How many they are high, likewise [default: 16:9]
    #[arg(long, global = true, value_name = "PIXELS")]
    pub height: Option<u32>,
    /// A font for characters that the program's own lacks (.ttf, .otf, .ttc), for .png, .gif and .mp4; may be repeated
    #[arg(long, global = true, value_name = "FILE")]
    pub font: Vec<PathBuf>,
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

/// Columns and rows: at least what shows a pane, at most what somebody can see.
fn size(text: &str) -> Result<Size, String> {
    let parsed = text
        .split_once(['x', '×'])
        .and_then(|(columns, rows)| Some(Size { width: columns.parse().ok()?, height: rows.parse().ok()? }));
    let fits = |size: &Size| (60..=400).contains(&size.width) && (18..=200).contains(&size.height);
    parsed.filter(fits).ok_or_else(|| "a size looks like 100x28, from 60x18 to 400x200".to_owned())
}

/// An address with its port.
fn listen(text: &str) -> Result<SocketAddr, String> {
    let usage = || format!("an address and a port look like {SERVE_ADDRESS}; port 0 is any free one");
    if let Ok(address) = text.parse() {
        return Ok(address);
    }
    let (host, port) = text.rsplit_once(':').ok_or_else(usage)?;
    let port: u16 = port.parse().map_err(|_| usage())?;
    if host.eq_ignore_ascii_case("localhost") {
        return Ok((Ipv4Addr::LOCALHOST, port).into());
    }
    let addresses: Vec<SocketAddr> = (host, port).to_socket_addrs().map_err(|_| usage())?.collect();
    addresses.iter().find(|address| address.is_ipv4()).or(addresses.first()).copied().ok_or_else(usage)
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
    pub fn check(&self, command: Option<&Command>) -> Result<(), String> {
        let is_sandbox = self.endpoint_url.is_none() && !self.is_aws();
        if is_sandbox && (self.admin_profile.is_some() || self.user_profile.is_some()) {
            return Err("--admin-profile and --user-profile need --endpoint-url or --backend aws".to_owned());
        }
        // An endpoint may be an address of AWS itself, and a clean-up goes where journals say.
        let cleans_up = matches!(command, Some(Command::Cleanup { .. }));
        if self.yes_account.is_some() && is_sandbox && !cleans_up {
            return Err("--yes-account needs --backend aws".to_owned());
        }
        if self.is_aws() && (self.seed.is_some() || self.data.is_some()) {
            return Err("--seed and --data belong to the sandbox, not to --backend aws".to_owned());
        }
        Ok(())
    }
}

/// A time to wait, in seconds: `90`, `90s` or `3m`.
fn wait(text: &str) -> Result<u32, String> {
    let (number, unit) = match text.strip_suffix('m') {
        Some(minutes) => (minutes, 60),
        None => (text.strip_suffix('s').unwrap_or(text), 1),
    };
    let seconds = number.parse::<u32>().ok().and_then(|number| number.checked_mul(unit));
    seconds
        .filter(|seconds| (1..=3_600).contains(seconds))
        .ok_or_else(|| "a time looks like 90, 90s or 3m: from one second to one hour".to_owned())
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

/// A time span as a person writes it.
fn age(text: &str) -> Result<Duration, String> {
    let wrong = || "an age looks like 30m, 2h or 7d".to_owned();
    let unit = text.chars().last().ok_or_else(wrong)?;
    let seconds = match unit {
        'm' => 60,
        'h' => 3_600,
        'd' => 86_400,
        _ => return Err(wrong()),
    };
    // At most a century: longer ones are typing errors.
    let number =
        text[..text.len() - 1].parse::<u32>().ok().filter(|number| u64::from(*number) * seconds < 3_200_000_000);
    number.map(|number| Duration::from_secs(u64::from(number) * seconds)).ok_or_else(wrong)
}

/// A language is a folder of the lesson.
pub fn language(text: &str) -> Result<String, String> {
    let fits = (2..=16).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
    if fits { Ok(text.to_ascii_lowercase()) } else { Err("a language looks like en or de".to_owned()) }
}

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

impl Exit {
    /// Its number.
    pub fn status(self) -> u8 {
        match self {
            Exit::Met => 0,
            Exit::NotMet => 1,
            Exit::Usage => 2,
            Exit::Survivors => 3,
            Exit::Backend => 4,
            Exit::Signal(number) => 128 + number,
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> ExitCode {
        ExitCode::from(exit.status())
    }
}

/// Wrong usage or configuration: what, and what to do. It ends the program with [`Exit::Usage`].
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct Usage(pub String);

/// A line for a person, on stderr. Unlike `eprintln!`, it does not panic where stderr is closed.
pub fn tell(line: impl Display) {
    let _ = writeln!(io::stderr(), "kmslab: {}", printable(&line.to_string()));
}

/// `text` with its lines as a terminal may show them. Names of files, lesson files and texts of servers hold what they
/// like: nothing of it is a command to the terminal.
pub fn printable(text: &str) -> String {
    let lines: Vec<_> = text.split('\n').map(glyphs::shown).collect();
    lines.join("\n")
}
