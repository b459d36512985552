//! A class: the teacher's server, the dashboard, and what a learner's lab sends.
//!
//! `server` keeps the roster, [`dashboard`] shows it, and [`reporter`] is the learner's side. A lab sends its whole
//! progress each time, so nothing is lost when the line is down: the newest report has everything.

pub mod dashboard;
pub mod reporter;
mod server;
pub mod store;

use std::io;
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use tokio::sync::watch;

use crate::lab::class::code::LENGTH;
use crate::lab::class::{Code, Roster};
use crate::run::network::address;
use server::Shared;

/// A class that learners can join. Dropping it ends it: the code is void.
pub struct Class {
    bound: SocketAddr,
    shared: Arc<Shared>,
    _stop: watch::Sender<()>,
}

impl Class {
    /// Opens a class at `listen` with a new code.
    ///
    /// # Errors
    /// If the address is taken, or there is no randomness or no thread.
    pub fn open(listen: SocketAddr) -> io::Result<Class> {
        let listener = TcpListener::bind(listen)?;
        listener.set_nonblocking(true)?;
        let bound = listener.local_addr()?;
        let shared = Arc::new(Shared::new(new_code()?));
        let (stop, stopped) = watch::channel(());
        server::start(listener, shared.clone(), stopped)?;
        Ok(Class { bound, shared, _stop: stop })
    }

    /// Where others reach it.
    pub fn address(&self) -> SocketAddr {
        address::reachable(self.bound)
    }

    /// All learners and how far they are.
    pub fn roster(&self) -> Roster {
        self.shared.roster().clone()
    }

    /// Waits until a report has come.
    pub async fn changed(&self) {
        self.shared.changed.notified().await;
    }

    /// The code of now.
    pub fn code(&self) -> Code {
        self.shared.code()
    }
}

/// Draws a code.
///
/// # Errors
/// If there is no randomness.
fn new_code() -> io::Result<Code> {
    let mut random = [0; LENGTH];
    getrandom::fill(&mut random).map_err(io::Error::other)?;
    Ok(Code::of(random))
}

/// Now, in seconds of Unix time.
fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}
