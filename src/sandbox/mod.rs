//! An AWS-compatible server inside the process: KMS, DynamoDB, IAM and STS on loopback.

pub mod clock;
pub mod crypto;
pub mod dynamodb;
pub mod engine;
pub mod entropy;
pub mod error;
pub mod form;
pub mod iam;
pub mod kms;
pub mod store;
pub mod sts;
pub mod trail;

use std::fmt;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;

use zeroize::Zeroizing;

pub use engine::{Engine, Host, RequestContext};
pub use error::{ApiError, Origin, Protocol, StartError};
pub use form::Form;

/// The inside of `<{Action}Result>` in an answer of the query protocol.
pub type Xml = String;

/// What to start.
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

/// The administrator's access key.
#[derive(Clone, PartialEq, Eq)]
pub struct AdminCredentials {
    /// `AKIA…`
    pub access_key_id: String,
    /// Forty characters. Wiped when dropped.
    pub secret_access_key: Zeroizing<String>,
}

impl fmt::Debug for AdminCredentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AdminCredentials")
            .field("access_key_id", &self.access_key_id)
            .field("secret_access_key", &"[redacted]")
            .finish()
    }
}
