//! The arguments of `kmslab record` and `kmslab script`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::values;
use crate::lab::{Experiment, Stage};

/// The arguments of `kmslab record`.
#[derive(Debug, Clone, Args)]
pub struct RecordArgs {
    /// The extension decides the format: .cast, .gif, .mp4, .webm, .webp, .svg, .html, .txt, .png or .kmslab
    #[arg(value_name = "FILE", required_unless_present = "all")]
    pub file: Option<PathBuf>,
    /// A still of this stage alone: .svg, .png or .txt
    #[arg(long, value_name = "STAGE", value_parser = values::stage)]
    pub stage: Option<Stage>,
    /// A still of each stage, into this folder
    #[arg(long, value_name = "DIR", conflicts_with_all = ["file", "stage", "teaser", "attempt"])]
    pub all: Option<PathBuf>,
    /// The format of the stills of --all
    #[arg(long, value_name = "ENDING", default_value = "svg", value_parser = ["svg", "png", "txt"])]
    pub stills: String,
    /// Only the core, from admin's read to both users' reads: 45 seconds at most
    #[arg(long, conflicts_with = "stage")]
    pub teaser: bool,
    /// Only a learner's own attempt at stage 7: first denied, then allowed (about 30 s)
    #[arg(long, conflicts_with_all = ["stage", "teaser"])]
    pub attempt: bool,
    /// Follow the script in this file
    #[arg(long, value_name = "FILE", conflicts_with_all = ["stage", "all", "teaser", "attempt", "as_seen"])]
    pub script: Option<PathBuf>,
    /// Only this experiment, by its id
    #[arg(
        long, value_name = "NAME", value_parser = values::experiment,
        conflicts_with_all = ["stage", "all", "teaser", "attempt", "as_seen", "script"]
    )]
    pub experiment: Option<Experiment>,
    /// Record the learner's screen, with its keys
    #[arg(long)]
    pub as_seen: bool,
    /// Leave the captions out of the picture; .vtt and .srt files have them anyway
    #[arg(long, conflicts_with = "as_seen")]
    pub no_captions: bool,
    /// The title on the first card
    #[arg(long, value_name = "TEXT", value_parser = values::name, conflicts_with_all = ["as_seen", "attempt", "stage", "all"])]
    pub title: Option<String>,
    /// The address on the last card
    #[arg(long, value_name = "TEXT", value_parser = values::name, conflicts_with_all = ["as_seen", "attempt", "stage", "all"])]
    pub url: Option<String>,
    /// How many times as fast, from 0.25 to 4
    #[arg(long, value_name = "TIMES", default_value = "1", value_parser = values::speed)]
    pub speed: u32,
}

impl RecordArgs {
    /// Whether the learner's screen is recorded.
    pub fn is_as_seen(&self) -> bool {
        self.as_seen || self.attempt
    }
}

/// What to do with a script.
#[derive(Debug, Clone, Subcommand)]
pub enum ScriptCommand {
    /// Find what is wrong in it: line, column, and the nearest right word
    Check {
        /// The script
        #[arg(value_name = "FILE")]
        file: PathBuf,
    },
}
