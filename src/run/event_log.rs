//! Reads a recorded session: an event log.

use std::io;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::disk;
use crate::lab::log::{Entry, Head, ReplayError, VERSION};
use crate::lab::redact;

/// A log that was read.
#[derive(Debug, Clone, PartialEq)]
pub struct Log {
    /// What it began with.
    pub head: Head,
    /// What happened.
    pub entries: Vec<Entry>,
    /// The line of which only a part was written, counted from 1: the program was killed there, or the disk was full.
    pub cut_off: Option<usize>,
}

/// Why a log can't be read.
#[derive(Debug, thiserror::Error)]
pub enum LogError {
    /// The file can't be read.
    #[error("{} can't be read: {error}", path.display())]
    Unreadable {
        /// Where it is.
        path: PathBuf,
        /// Why not.
        error: io::Error,
    },
    /// A line is wrong.
    #[error("{}:{error}", path.display())]
    Wrong {
        /// Where the log is.
        path: PathBuf,
        /// The line, and what is wrong with it.
        error: LineError,
    },
}

/// A line of a log that can't be replayed.
#[derive(Debug, thiserror::Error)]
#[error("{line}: {problem}")]
pub struct LineError {
    /// The line, counted from 1.
    pub line: usize,
    /// What is wrong with it.
    pub problem: Problem,
}

/// What is wrong with a line of a log.
#[derive(Debug, thiserror::Error)]
pub enum Problem {
    /// The first line is a cast's.
    #[error("this is no recorded session, but a cast: `asciinema play` shows it")]
    Cast,
    /// The first line is not a log's.
    #[error("this is no recorded session: `kmslab --record FILE.kmslab` makes one")]
    NoSession,
    /// Another version of kmslab wrote it.
    #[error("it is of version {0}; this kmslab reads version {VERSION}")]
    OtherVersion(u32),
    /// The first line lacks something.
    #[error("its head can't be read: {0}")]
    Head(serde_json::Error),
    /// The line is not an event.
    #[error("this is no event of a session: {0}")]
    NoEvent(serde_json::Error),
    /// The event is older than the one before it.
    #[error("it happened before the line above")]
    OutOfOrder,
    /// The event doesn't follow from those before it.
    #[error(transparent)]
    Unfounded(ReplayError),
}

/// Reads the log in the file at `path`.
///
/// # Errors
/// If the file can't be read or a line of it is wrong.
pub fn read(path: &Path) -> Result<Log, LogError> {
    let unreadable = |error| LogError::Unreadable { path: path.to_owned(), error };
    let text = disk::read(path, disk::RECORDING).map_err(unreadable)?;
    parse(&text).map_err(|error| LogError::Wrong { path: path.to_owned(), error })
}

/// Reads a log.
///
/// # Errors
/// If a line is wrong.
pub fn parse(text: &[u8]) -> Result<Log, LineError> {
    let mut lines = text.split_inclusive(|byte| *byte == b'\n');
    let head = head(lines.next().unwrap_or_default()).map_err(|problem| LineError { line: 1, problem })?;
    let mut log = Log { head, entries: Vec::new(), cut_off: None };
    for (at, line) in lines.enumerate().filter(|(_, line)| !line.trim_ascii().is_empty()) {
        let number = at + 2;
        let entry: Entry = match from_line(line) {
            Ok(entry) => entry,
            Err(_) if !line.ends_with(b"\n") => {
                log.cut_off = Some(number);
                break;
            }
            Err(error) => return Err(LineError { line: number, problem: Problem::NoEvent(error) }),
        };
        if log.entries.last().is_some_and(|before| before.at > entry.at) {
            return Err(LineError { line: number, problem: Problem::OutOfOrder });
        }
        log.entries.push(entry);
    }
    Ok(log)
}

fn head(line: &[u8]) -> Result<Head, Problem> {
    #[derive(Deserialize)]
    struct Version {
        kmslab_session: u32,
    }
    let header: Value = serde_json::from_slice(line).unwrap_or_default();
    match Version::deserialize(&header) {
        Err(_) if header["version"].is_u64() => Err(Problem::Cast),
        Err(_) => Err(Problem::NoSession),
        Ok(Version { kmslab_session }) if kmslab_session != VERSION => Err(Problem::OtherVersion(kmslab_session)),
        Ok(_) => from_line(line).map_err(Problem::Head),
    }
}

fn from_line<T: DeserializeOwned>(line: &[u8]) -> serde_json::Result<T> {
    let mut value: Value = serde_json::from_slice(line)?;
    // As an answer from a server: somebody may have written into the file.
    redact::redact(&mut value);
    serde_json::from_value(value)
}
