//! The presenter's second screen: the lab tells it what it shows ([`teller`]), over a Unix socket ([`socket`]), a line
//! of JSON for each change ([`line`]); `kmslab notes` follows ([`follow`]).

pub mod follow;
pub mod line;
#[cfg(unix)]
pub mod socket;
pub mod teller;

use std::path::PathBuf;

/// Where labs can be followed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Place {
    /// This socket and no other.
    pub socket: Option<PathBuf>,
    /// Else a socket in the first of these folders that takes one.
    pub folders: Vec<PathBuf>,
}
