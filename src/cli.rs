//! What kmslab agrees with the outside: arguments and environment, decided once, and the exit status.

mod blank;
mod environment;
mod exit;
pub mod help;
mod output;
mod record;
mod values;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Parser, Subcommand, ValueEnum};
use ratatui::layout::Size;

use crate::lab::Identity;
use crate::lab::class::Join;
use crate::ui::theme::ThemeChoice;

pub use blank::unset_blank_settings;
pub use environment::Environment;
pub use exit::{Exit, READER_GONE, UsageError};
pub use output::{is_reader_gone, out, printable, tell};
pub use record::{RecordArgs, ScriptCommand};
pub use values::{AUDIENCE_ADDRESS, CLASS_ADDRESS, Drills, SERVE_ADDRESS, language};

/// The version, and the commit if it is known: `0.1.0 (0123456789ab)`.
pub const VERSION: &str = env!("KMSLAB_VERSION");

/// The region where neither option nor variable says one, on the sandbox.
pub const SANDBOX_REGION: &str = "us-east-1";

/// A lab for AWS KMS: the same call as two identities, side by side.
///
/// Without a command it opens the interactive lab; without a terminal it does what `kmslab run` does.
#[derive(Debug, Parser)]
#[command(name = "kmslab", version = VERSION, max_term_width = 100)]
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
    /// Options of the interactive lab alone.
    #[command(flatten)]
    pub class: ClassOptions,
}

/// Options of the interactive lab in a class.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "In a class")]
pub struct ClassOptions {
    /// Join your teacher's class, and send it your progress: KMS-7KQ2@192.168.1.23
    #[arg(long, value_name = "CODE@HOST", requires = "learner")]
    pub join: Option<Join>,
    /// Your name in the class or course
    #[arg(long = "name", id = "learner", value_name = "NAME", value_parser = values::name)]
    pub name: Option<String>,
    /// Send your progress to your course's learning record store, as xAPI; KMSLAB_XAPI_AUTH=user:password signs in
    #[arg(long, value_name = "URL", requires = "learner")]
    pub xapi: Option<String>,
}

impl Cli {
    /// Whether pseudonyms are shown: also in what is recorded, unless that is to be seen as it is.
    pub fn masks(&self) -> bool {
        let records = self.recording.record.is_some() || matches!(self.command, Some(Command::Record(_)));
        // A report is for somebody else: always.
        let reports = matches!(self.command, Some(Command::Doctor { report: Some(_) }));
        self.options.mask || reports || (records && !self.options.no_mask)
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
    /// Diagnose and fix faults with real calls; each is undone
    Drill {
        /// How many drills, or the id of one [default: all, shuffled; --seed repeats the order]
        #[arg(value_name = "N", value_parser = values::drills)]
        which: Option<Drills>,
        /// How much help: 1 rules out two rungs and lists fixes, 2 lists fixes, 3 lists nothing
        #[arg(long, value_name = "LEVEL", default_value_t = 1, value_parser = values::level)]
        level: u8,
    },
    /// Check terminal, identities and permissions; creates nothing
    Doctor {
        /// Show all that helps with a bug, masked, and write it into this new file to send [default: kmslab-report.txt]
        #[arg(long, value_name = "FILE", num_args = 0..=1, default_missing_value = "kmslab-report.txt")]
        report: Option<PathBuf>,
    },
    /// Play the lab by itself and record it, without a terminal
    Record(RecordArgs),
    /// Check a script for `kmslab record --script`
    #[command(override_usage = "kmslab script check <FILE>")]
    Script {
        /// What to do with it
        #[command(subcommand)]
        command: ScriptCommand,
    },
    /// Convert a .cast, of this or another program, to another format
    Convert {
        /// An asciicast 2 or 3; - reads stdin
        #[arg(value_name = "FROM")]
        from: PathBuf,
        /// The extension decides the format: .gif, .mp4, .webm, .webp, .svg, .html, .txt, .png or .cast
        #[arg(value_name = "TO")]
        to: PathBuf,
    },
    /// Show a recorded session (.kmslab) again; sends no calls
    Replay {
        /// A file that --record or `kmslab record` wrote
        #[arg(value_name = "FILE")]
        file: PathBuf,
    },
    /// Write up the last session, your result, or an AWS CLI script
    Export {
        /// The extension decides the format: .md, .html, .json (your result), .sh (script). Masked, unless --no-mask
        file: PathBuf,
        /// Your name in a .json result
        #[arg(long, value_name = "NAME", value_parser = values::name)]
        name: Option<String>,
    },
    /// Show a class at work; or its result.json files as a table or CSV
    Class {
        /// The folder with the learners' results [default: none, a class that learners join now]
        #[arg(value_name = "DIR")]
        folder: Option<PathBuf>,
        /// Write the table as CSV to a new file; - is stdout
        #[arg(long, value_name = "FILE", requires = "folder")]
        csv: Option<PathBuf>,
        /// Where learners reach the class
        #[arg(long, value_name = "ADDRESS:PORT", default_value = CLASS_ADDRESS, conflicts_with = "folder")]
        listen: SocketAddr,
    },
    /// Print the card to keep: from "access denied" to the fix
    Card,
    /// Show a presenter's notes for the lab in another terminal
    Notes,
    /// Open a shell for a lab that runs in another terminal
    Shell {
        /// The profile that the AWS CLI uses by default [default: who the next goal needs]
        #[arg(long = "as", value_name = "WHO", value_enum)]
        who: Option<WhoArg>,
    },
    /// Print settings for your own shell, for a running lab
    Env {
        /// sh, fish or powershell [default: by SHELL]
        #[arg(long, value_name = "SHELL", value_enum)]
        shell: Option<ShellArg>,
        /// The profile that the AWS CLI uses by default
        #[arg(long = "as", value_name = "WHO", value_enum, default_value_t = WhoArg::Admin)]
        who: WhoArg,
    },
    /// Show commands for the running lab's stage
    #[command(hide = true)]
    Hint,
    /// Run the sandbox alone, for any AWS client
    Serve {
        /// Address and port to listen on
        #[arg(long, value_name = "ADDRESS", default_value = SERVE_ADDRESS, value_parser = values::listen)]
        listen: SocketAddr,
    },
    /// Remove what this machine's runs left on AWS or another server
    Cleanup {
        /// Only list it
        #[arg(long)]
        dry_run: bool,
        /// Only this run, by the id at the end of its names [default: every run in this machine's journals]
        #[arg(long, value_name = "ID", value_parser = values::run_id)]
        run: Option<String>,
        /// Everyone's runs in the account and region; lists them and asks first
        #[arg(long, conflicts_with = "run")]
        all: bool,
        /// Only runs that began longer ago than this: 30m, 2h, 7d
        #[arg(long, value_name = "AGE", value_parser = values::age, conflicts_with = "run")]
        older_than: Option<Duration>,
    },
    /// Explain why a caller can or can't read a table; only reads
    Why {
        /// A logged error, DynamoDB's or KMS's; - reads stdin
        #[arg(value_name = "TEXT")]
        text: Vec<String>,
        /// The table, by name or ARN
        #[arg(long, value_name = "TABLE")]
        table: Option<String>,
        /// The caller: the ARN of a user, a role or a role's session
        #[arg(long = "as", value_name = "ARN")]
        principal: Option<String>,
        /// The action to explain [default: dynamodb:Scan]
        #[arg(long, value_name = "ACTION")]
        action: Option<String>,
        /// Print fixes with all six KMS permissions of DynamoDB's guide
        #[arg(long)]
        all_permissions: bool,
        /// Send no calls; explain the text alone
        #[arg(long)]
        offline: bool,
        /// text: lines for people; json: one document
        #[arg(long, value_enum, default_value_t = ReportFormat::Text)]
        format: ReportFormat,
    },
    /// Forget the saved session: progress, answers and times
    Reset,
    /// Look in a recording for account numbers, keys, e-mail, hosts
    VerifyCast {
        /// Any text recording; - reads stdin
        #[arg(value_name = "FILE")]
        file: PathBuf,
        /// Texts that may be published, one a line; lines that begin with # are comments
        #[arg(long, value_name = "FILE")]
        allow: Option<PathBuf>,
    },
    /// Check the lesson files
    Lesson {
        /// What to do with the files
        #[command(subcommand)]
        command: LessonCommand,
    },
    /// Print a shell completion script
    Completions {
        /// The shell
        #[arg(value_name = "bash|elvish|fish|powershell|zsh", value_enum, hide_possible_values = true)]
        shell: clap_complete::Shell,
    },
    /// Print the manual page, for packages
    #[command(hide = true)]
    Man {
        /// Of this command [default: of the program]
        #[arg(value_name = "COMMAND")]
        command: Option<String>,
    },
}

/// Whose profile.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum WhoArg {
    /// kmslab-admin
    Admin,
    /// kmslab-test-user
    TestUser,
}

impl From<WhoArg> for Identity {
    fn from(who: WhoArg) -> Identity {
        match who {
            WhoArg::Admin => Identity::Admin,
            WhoArg::TestUser => Identity::TestUser,
        }
    }
}

/// A shell's language.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ShellArg {
    /// bash, zsh, dash and others
    Sh,
    /// fish
    Fish,
    /// PowerShell
    Powershell,
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

/// The formats of `kmslab why`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ReportFormat {
    /// Lines for people
    Text,
    /// One JSON document
    Json,
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
    /// Admin's profile in ~/.aws [default: the SDK's chain]
    #[arg(long, global = true, value_name = "NAME")]
    pub admin_profile: Option<String>,
    /// test-user's profile in ~/.aws [default: the lab creates a user]
    #[arg(long, global = true, value_name = "NAME")]
    pub user_profile: Option<String>,
    /// The region [default: on the sandbox us-east-1, else the SDK's chain]
    #[arg(long, global = true, value_name = "REGION", value_parser = values::region)]
    pub region: Option<String>,
    /// AWS: create things in this account without asking; needed by `kmslab run --backend aws`
    #[arg(long, global = true, value_name = "ACCOUNT", value_parser = values::account)]
    pub yes_account: Option<String>,
    /// How long to wait for a change to take effect: 90, 90s or 3m [default: 3m on AWS, else 45s]
    #[arg(long, global = true, value_name = "TIME", value_parser = values::wait)]
    pub wait: Option<u32>,
    /// Show pseudonyms instead of account numbers, names and ids
    #[arg(long, global = true, overrides_with = "no_mask")]
    pub mask: bool,
    /// Show account numbers, names and ids, even where pseudonyms are the default
    #[arg(long, global = true, overrides_with = "mask")]
    pub no_mask: bool,
    /// Sandbox: make ids, clock and randomness reproducible
    #[arg(long, global = true, value_name = "N", value_parser = values::seed)]
    pub seed: Option<u64>,
    /// Sandbox: keep its data in this folder [default: a temporary folder, removed at exit]
    #[arg(long, global = true, value_name = "DIR")]
    pub data: Option<PathBuf>,
    /// The language: en, de or one of --lesson [default: the locale's]
    #[arg(long, global = true, value_name = "LANG", value_parser = values::language)]
    pub lang: Option<String>,
    /// Use your own lesson files: a folder with en/who.toml and so on
    #[arg(long, global = true, value_name = "DIR")]
    pub lesson: Option<PathBuf>,
    /// Start over without offering to resume
    #[arg(long, global = true)]
    pub fresh: bool,
    /// Don't ask before the stages, and show no opening card
    #[arg(long, global = true, overrides_with = "questions")]
    pub no_questions: bool,
    /// Ask a question before each stage; the default
    #[arg(long, global = true, overrides_with = "no_questions")]
    pub questions: bool,
    /// Socket between the lab and `kmslab notes` [default: one by the lab's process id]
    #[arg(long, global = true, value_name = "PATH")]
    pub socket: Option<PathBuf>,
    /// Lines of text instead of a screen, for screen readers
    #[arg(long, global = true)]
    pub plain: bool,
    /// Use only ASCII; drops accents [default: if the locale is not UTF-8]
    #[arg(long, global = true, overrides_with = "no_ascii")]
    pub ascii: bool,
    /// Use all characters, whatever the locale
    #[arg(long, global = true, overrides_with = "ascii")]
    pub no_ascii: bool,
    /// Ring the terminal's bell when a long wait ends
    #[arg(long, global = true)]
    pub bell: bool,
    /// Use the mouse: the wheel scrolls, a click chooses; hold shift to select text
    #[arg(long, global = true)]
    pub mouse: bool,
    /// Let phones on your network vote; =ADDRESS listens elsewhere [default: 0.0.0.0:4180]
    #[arg(
        long,
        global = true,
        value_name = "ADDRESS",
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = AUDIENCE_ADDRESS,
        value_parser = values::audience
    )]
    pub audience: Option<SocketAddr>,
    /// auto (by the terminal's background), dark, light or high-contrast [default: auto; recordings: dark]
    #[arg(long, global = true, value_name = "NAME")]
    pub theme: Option<ThemeChoice>,
    /// Your own keys and defaults [default: kmslab/config.toml in XDG_CONFIG_HOME, or in ~/.config]
    #[arg(long, global = true, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Write what the lab does to this file, without secrets, to send with a report
    #[arg(long, global = true, value_name = "FILE")]
    pub debug: Option<PathBuf>,
}

/// Options of recordings: of the interactive lab, `record` and `replay`.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Recording and playing")]
pub struct RecordingOptions {
    /// Record into this file: .cast, .gif, .svg, .kmslab, …
    #[arg(long, global = true, value_name = "FILE")]
    pub record: Option<PathBuf>,
    /// Replace an existing file
    #[arg(long, global = true)]
    pub force: bool,
    /// The version of .cast files: every player reads 2, newer ones also 3
    #[arg(long, global = true, value_name = "N", default_value_t = 2, value_parser = clap::value_parser!(u8).range(2..=3))]
    pub cast_version: u8,
    /// Images and videos: a window with a margin around it
    #[arg(long, global = true)]
    pub frame: bool,
    /// How often .gif, .webp and .svg play; 0 is forever
    #[arg(long = "loop", global = true, value_name = "N", default_value_t = 0, value_parser = clap::value_parser!(u16).range(0..=1000))]
    pub loops: u16,
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
    /// Width of images and videos in pixels, rounded up to even; 7680 at most
    #[arg(long, global = true, value_name = "PIXELS", default_value_t = 1920)]
    pub width: u32,
    /// Height in pixels, likewise [default: 16:9]
    #[arg(long, global = true, value_name = "PIXELS")]
    pub height: Option<u32>,
    /// A font for characters that the program's own lacks (.ttf, .otf, .ttc), for images and videos; may be repeated
    #[arg(long, global = true, value_name = "FILE")]
    pub font: Vec<PathBuf>,
    /// Columns and rows of a recording: 80x24, 100x28, 120x34 or others [default: the terminal's, else 100x28]
    #[arg(long, global = true, value_name = "SIZE", value_parser = values::size)]
    pub size: Option<Size>,
}

/// How long things stay.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum PaceArg {
    /// For someone who is talking
    Talk,
    /// For someone who is reading
    #[default]
    Read,
    /// For someone who knows the lab
    Fast,
}

/// Where the calls go.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum BackendArg {
    /// The server inside this process
    Sandbox,
    /// AWS itself: things are created in your account
    Aws,
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
    pub fn check(&self, command: Option<&Command>) -> Result<(), UsageError> {
        let is_sandbox = self.endpoint_url.is_none() && !self.is_aws();
        if let Some(Command::Why { .. }) = command {
            return self.check_why();
        }
        if is_sandbox && (self.admin_profile.is_some() || self.user_profile.is_some()) {
            return Err(UsageError::new("--admin-profile and --user-profile need --endpoint-url or --backend aws"));
        }
        // An endpoint may be an address of AWS itself, and a clean-up goes where journals say.
        let cleans_up = matches!(command, Some(Command::Cleanup { .. }));
        if matches!(command, Some(Command::Drill { .. })) && self.is_aws() {
            return Err(UsageError::new(
                "no drills on AWS: DynamoDB keeps a table key for five minutes, so each fix would take that long to \
                 show\n  without --backend aws they run on the sandbox, and change nothing of yours",
            ));
        }
        if self.yes_account.is_some() && is_sandbox && !cleans_up {
            return Err(UsageError::new("--yes-account needs --backend aws"));
        }
        if self.is_aws() && (self.seed.is_some() || self.data.is_some()) {
            return Err(UsageError::new("--seed and --data belong to the sandbox, not to --backend aws"));
        }
        Ok(())
    }

    /// `kmslab why` reads what exists: on AWS, unless another server is named.
    fn check_why(&self) -> Result<(), UsageError> {
        if self.backend == Some(BackendArg::Sandbox) {
            return Err(UsageError::new(
                "`kmslab why` reads what exists: AWS, or the server of --endpoint-url
  start a sandbox with `kmslab serve`",
            ));
        }
        Ok(())
    }
}
