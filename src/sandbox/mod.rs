//! An AWS-compatible server inside the process: KMS, DynamoDB, IAM and STS on loopback.
//!
//! A request's way, which is also the order to read in:
//!
//! ```text
//!  socket ─▶ http ─▶ engine::handle ─▶ request::route      which service, which operation
//!                         │            sigv4               who calls: the signature is made again and compared
//!                         │            kms | dynamodb | iam | sts ::call      authorises, then does it
//!                         │               └─▶ store        one SQLite transaction per request, sealed documents
//!                         ◀── answer                       JSON or XML, as the service's protocol wants it
//! ```
//!
//! The engine is synchronous and knows no network. `clock`, `entropy`, `crypto`, `store` and `trail` are what the services
//! share, together the [`Host`]. `catalog` names what AWS has and the sandbox may lack. `control` answers the sandbox's own pages. That AWS is slow or busy is not imitated
//! (nobody is throttled), that DynamoDB keeps a table key in memory for five minutes is.

mod catalog;
pub mod clock;
mod control;
pub mod crypto;
pub mod dynamodb;
pub mod engine;
pub mod entropy;
pub mod error;
pub mod form;
mod http;
pub mod iam;
pub mod kms;
pub mod request;
pub mod respond;
pub mod service;
pub mod sigv4;
mod start_error;
pub mod store;
pub mod sts;
#[cfg(test)]
mod tests;
pub mod trail;
mod xml;

use std::fmt;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use zeroize::Zeroizing;

pub use engine::{Engine, Host, RequestContext};
pub use error::Fault;
pub use form::Form;
pub use start_error::StartError;
pub use store::{StoreError, abandon};
pub use trail::{DecisionRecord, TrailEvent};

use self::http::{Server, Shared};

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

/// A running sandbox. Dropping it stops the server, at once even when clients keep idle connections open, and removes the
/// temporary folder.
#[derive(Debug)]
pub struct Sandbox {
    // Dropped first: the server's thread must let go of the engine before the engine closes the database.
    server: Server,
    engine: Shared,
    url: String,
    account: String,
    region: String,
    admin: AdminCredentials,
    database: PathBuf,
}

impl Sandbox {
    /// Starts a sandbox. When this returns, it is listening.
    ///
    /// # Errors
    /// When the address or the database can't be used; see [`StartError`].
    pub fn start(config: Config) -> Result<Self, StartError> {
        let failed = |source| StartError::Listen { address: config.listen, source };
        let listener = TcpListener::bind(config.listen).map_err(failed)?;
        let mut address = listener.local_addr().map_err(failed)?;
        if address.ip().is_unspecified() {
            // Every interface is listened on; the URL names one that can be connected to.
            address.set_ip(if address.is_ipv4() { Ipv4Addr::LOCALHOST.into() } else { Ipv6Addr::LOCALHOST.into() });
        }
        let engine = Engine::open(&config)?;
        let (access_key_id, secret_access_key) = engine.iam.admin();
        let (account, region) = (engine.host.account.clone(), engine.host.region.clone());
        let database = engine.host.store.path().to_owned();
        let engine = Arc::new(Mutex::new(engine));
        Ok(Self {
            server: Server::start(listener, Arc::clone(&engine))?,
            engine,
            url: format!("http://{address}"),
            account,
            region,
            admin: AdminCredentials { access_key_id, secret_access_key },
            database,
        })
    }

    /// The endpoint URL, `http://127.0.0.1:4599`.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// `us-east-1`
    pub fn region(&self) -> &str {
        &self.region
    }

    /// Twelve digits.
    pub fn account(&self) -> &str {
        &self.account
    }

    /// The access key of the user `kmslab-admin`.
    pub fn admin(&self) -> &AdminCredentials {
        &self.admin
    }

    /// The API calls of late, oldest first.
    pub fn trail(&self) -> Vec<TrailEvent> {
        http::lock(&self.engine).host.trail.all()
    }

    /// The policy decisions of late, oldest first.
    pub fn decisions(&self) -> Vec<DecisionRecord> {
        http::lock(&self.engine).host.decisions.all()
    }

    /// Moves the sandbox's clock forward.
    pub fn advance(&self, by: Duration) {
        // With kept data the clock is written down too. Should that fail, the next changing request writes it.
        let _ = http::lock(&self.engine).advance(by);
    }

    /// Ends when nobody answers at its address any more, which is a defect while the sandbox lives.
    pub fn ended(&self) -> impl Future<Output = ()> + use<> {
        self.server.ended()
    }

    /// The database file.
    pub fn database(&self) -> &Path {
        &self.database
    }
}
