//! The lab's side: each client gets the newest line, then each newer one. The lab waits for nobody: a slow
//! reader misses lines, never the newest.

use std::sync::Arc;

use tokio::sync::watch;

use super::{Place, now};
use crate::lab::line::{Line, VERSION};
use crate::lab::{PresenterSnapshot, State, Timing};

/// How many may follow a lab at the same time.
#[cfg(unix)]
const READERS: usize = 8;

/// Tells what the lab shows.
#[derive(Debug, Default)]
pub struct NotesServer {
    latest: watch::Sender<Arc<str>>,
    told: Option<PresenterSnapshot>,
    tried: bool,
    #[cfg(unix)]
    open: Option<Open>,
}

#[cfg(unix)]
#[derive(Debug)]
struct Open {
    _socket: super::socket::Socket,
    listening: tokio::task::AbortHandle,
}

#[cfg(unix)]
impl Drop for Open {
    fn drop(&mut self) {
        self.listening.abort();
    }
}

impl NotesServer {
    /// Begins to listen, once; from the second call on it does nothing.
    ///
    /// # Errors
    /// When there can be no socket. The lab is as good without.
    #[cfg(unix)]
    pub fn listen(&mut self, place: &Place) -> std::io::Result<()> {
        if std::mem::replace(&mut self.tried, true) {
            return Ok(());
        }
        let (listener, _socket) = super::socket::listen(place)?;
        let listening = tokio::spawn(unix::accept(listener, self.latest.subscribe())).abort_handle();
        self.open = Some(Open { _socket, listening });
        Ok(())
    }

    /// There are no such sockets here.
    ///
    /// # Errors
    /// The first time.
    #[cfg(not(unix))]
    pub fn listen(&mut self, _: &Place) -> std::io::Result<()> {
        if std::mem::replace(&mut self.tried, true) { Ok(()) } else { Err(std::io::ErrorKind::Unsupported.into()) }
    }

    /// Sends what `state` shows now, if that is new. When this returns, it is written to every client that reads.
    pub async fn tell(&mut self, state: &State) {
        let telling = PresenterSnapshot::of(state);
        if self.told.as_ref() == Some(&telling) {
            return;
        }
        let line = Line {
            version: VERSION,
            process: std::process::id(),
            at: now(),
            timing: Timing::of(state),
            lab: telling.clone(),
        };
        self.told = Some(telling);
        let Ok(text) = serde_json::to_string(&line) else { return };
        self.latest.send_replace(Arc::from(text + "\n"));
        // One of the receivers listens for new clients.
        if self.latest.receiver_count() > 1 {
            // The tasks that write run before the lab goes on and draws.
            tokio::task::yield_now().await;
        }
    }
}

#[cfg(unix)]
mod unix {
    use std::sync::Arc;
    use std::time::Duration;

    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::{UnixListener, UnixStream};
    use tokio::sync::watch;
    use tokio::task::JoinSet;

    /// Serves clients until it is dropped.
    pub async fn accept(listener: UnixListener, latest: watch::Receiver<Arc<str>>) {
        let mut readers = JoinSet::new();
        loop {
            tokio::select! {
                accepted = listener.accept(), if readers.len() < super::READERS => match accepted {
                    Ok((stream, _)) => {
                        readers.spawn(serve(stream, latest.clone()));
                    }
                    // No more files, say. It passes.
                    Err(_) => tokio::time::sleep(Duration::from_secs(1)).await,
                },
                Some(_) = readers.join_next() => {}
            }
        }
    }

    /// Writes the newest line, and each newer one, until the reader goes.
    async fn serve(stream: UnixStream, mut latest: watch::Receiver<Arc<str>>) {
        let (mut read, mut write) = stream.into_split();
        let mut nothing = [0];
        loop {
            let line = latest.borrow_and_update().clone();
            if write.write_all(line.as_bytes()).await.is_err() {
                return;
            }
            tokio::select! {
                changed = latest.changed() => if changed.is_err() { return },
                // The end; or it speaks, which is not for readers.
                _ = read.read(&mut nothing) => return,
            }
        }
    }
}
