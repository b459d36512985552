//! The presenter's second screen: the lab tells it what it shows ([`server`]), over a Unix socket ([`socket`]), a line
//! of JSON for each change (`lab::line`); `kmslab notes` follows ([`follow`]).

pub mod follow;
pub mod server;
#[cfg(unix)]
pub mod socket;

use std::path::PathBuf;
use std::time::{SystemTime, UNIX_EPOCH};

/// Where labs can be followed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Place {
    /// This socket and no other.
    pub socket: Option<PathBuf>,
    /// Else a socket in the first of these folders that takes one.
    pub folders: Vec<PathBuf>,
}

/// Now, in milliseconds of Unix time; 0 where the clock stands before 1970.
fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
}
