//! A running sandbox.

use std::fmt;
use std::net::{Ipv4Addr, Ipv6Addr, TcpListener};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use zeroize::Zeroizing;

use super::config::Config;
use super::engine::{self, Engine, Shared};
use super::http::Server;
use super::log::{DecisionRecord, TrailEvent};
use super::start_error::StartError;

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
        let (access_key_id, secret_access_key) = engine.account.state.iam.admin();
        let (account, region) = (engine.account.id.clone(), engine.account.region.clone());
        let database = engine.account.store.path().to_owned();
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

    /// Recent API calls, oldest first.
    pub fn trail(&self) -> Vec<TrailEvent> {
        engine::lock(&self.engine).account.trail.all()
    }

    /// Recent policy decisions, oldest first.
    pub fn decisions(&self) -> Vec<DecisionRecord> {
        engine::lock(&self.engine).account.decisions.all()
    }

    /// Moves the sandbox's clock forward.
    pub fn advance(&self, by: Duration) {
        // With kept data the clock is written down too. Should that fail, the next changing request writes it.
        let _ = engine::lock(&self.engine).advance(by);
    }

    /// Ends when the server has ended, which is a defect while the sandbox lives.
    pub fn ended(&self) -> impl Future<Output = ()> + use<> {
        self.server.ended()
    }

    /// The database file.
    pub fn database(&self) -> &Path {
        &self.database
    }
}
