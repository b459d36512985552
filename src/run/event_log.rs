//! Reads a recorded session: an event log.

use std::path::Path;

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::disk;
use crate::lab::log::{Entry, Head, VERSION};
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

/// Reads the log in the file at `path`.
///
/// # Errors
/// What is wrong with it, and in which line.
pub fn read(path: &Path) -> Result<Log, String> {
    let text =
        disk::read(path, disk::RECORDING).map_err(|error| format!("{} can't be read: {error}", path.display()))?;
    parse(&text).map_err(|problem| format!("{}:{problem}", path.display()))
}

/// Reads a log: `line: what is wrong` where something is.
///
/// # Errors
/// As [`read`].
pub fn parse(text: &[u8]) -> Result<Log, String> {
    let mut lines = text.split_inclusive(|byte| *byte == b'\n');
    let head = head(lines.next().unwrap_or_default()).map_err(|problem| format!("1: {problem}"))?;
    let mut log = Log { head, entries: Vec::new(), cut_off: None };
    for (at, line) in lines.enumerate().filter(|(_, line)| !line.trim_ascii().is_empty()) {
        let number = at + 2;
        let entry: Entry = match from_line(line) {
            Ok(entry) => entry,
            Err(_) if !line.ends_with(b"\n") => {
                log.cut_off = Some(number);
                break;
            }
            Err(error) => return Err(format!("{number}: this is no event of a session: {error}")),
        };
        if log.entries.last().is_some_and(|before| before.at > entry.at) {
            return Err(format!("{number}: it happened before the line above"));
        }
        log.entries.push(entry);
    }
    Ok(log)
}

fn head(line: &[u8]) -> Result<Head, String> {
    #[derive(Deserialize)]
    struct Version {
        kmslab_session: u32,
    }
    let header: Value = serde_json::from_slice(line).unwrap_or_default();
    match Version::deserialize(&header) {
        Err(_) if header["version"].is_u64() => {
            Err("this is no recorded session, but a cast: `asciinema play` shows it".to_owned())
        }
        Err(_) => Err("this is no recorded session: `kmslab --record FILE.kmslab` makes one".to_owned()),
        Ok(Version { kmslab_session }) if kmslab_session != VERSION => {
            Err(format!("it is of version {kmslab_session}; this kmslab reads version {VERSION}"))
        }
        Ok(_) => from_line(line).map_err(|error| format!("its head can't be read: {error}")),
    }
}

fn from_line<T: DeserializeOwned>(line: &[u8]) -> serde_json::Result<T> {
    let mut value: Value = serde_json::from_slice(line)?;
    // As an answer from a server: somebody may have written into the file.
    redact::redact(&mut value);
    serde_json::from_value(value)
}
