//! The options of a sandbox.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;

/// The options of a sandbox.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Config {
    /// Where to listen; port 0 takes any free port.
    pub listen: SocketAddr,
    /// A folder that keeps the data; `None` uses a temporary one.
    pub data: Option<PathBuf>,
    /// Makes identifiers, clock and randomness repeat exactly.
    pub seed: Option<u64>,
    /// The region the sandbox is in.
    pub region: String,
}

impl Default for Config {
    fn default() -> Self {
        Self { listen: (Ipv4Addr::LOCALHOST, 0).into(), data: None, seed: None, region: "us-east-1".to_owned() }
    }
}
