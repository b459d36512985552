//! The lab's side: each client gets the newest line, then each newer one. The lab waits for nobody: a slow
//! reader misses lines, never the newest. A client of the same user may press keys, too.

use std::sync::Arc;

use tokio::sync::{mpsc, watch};
use tokio::time::Instant;

use super::{Place, now};
use crate::lab::line::{Line, VERSION};
use crate::lab::remote::{KeyAnswer, RemoteKey};
use crate::lab::{Closing, PresenterSnapshot, State, Timing};

/// How many may follow a lab at the same time.
#[cfg(unix)]
const READERS: usize = 8;

/// How many keys may wait for the lab.
const KEYS: usize = 16;

/// A key from the notes' window, and when it came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pressed {
    /// The key.
    pub key: RemoteKey,
    /// A lab that is busy with something else must not act on it late.
    pub at: Instant,
}

/// Tells what the lab shows.
#[derive(Debug)]
pub struct NotesServer {
    /// The address of the teacher's page, for those who follow.
    teacher: Option<String>,
    latest: watch::Sender<Arc<str>>,
    told: Option<(PresenterSnapshot, Option<KeyAnswer>)>,
    answer: Option<KeyAnswer>,
    keys: mpsc::Sender<Pressed>,
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
    /// Makes one that doesn't listen yet, and the keys that it will receive. Those who follow get the address of the
    /// teacher's page.
    pub fn new(teacher: Option<String>) -> (NotesServer, mpsc::Receiver<Pressed>) {
        let (keys, pressed) = mpsc::channel(KEYS);
        let server = NotesServer {
            teacher,
            latest: watch::Sender::default(),
            told: None,
            answer: None,
            keys,
            tried: false,
            #[cfg(unix)]
            open: None,
        };
        (server, pressed)
    }

    /// Notes what became of a key; the next line tells it.
    pub fn answer(&mut self, answer: KeyAnswer) {
        self.answer = Some(answer);
    }

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
        let listening = tokio::spawn(unix::accept(listener, self.latest.subscribe(), self.keys.clone())).abort_handle();
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
        let telling = (PresenterSnapshot::of(state), self.answer);
        if self.told.as_ref() == Some(&telling) {
            return;
        }
        self.send(self.line(state, None)).await;
        self.told = Some(telling);
    }

    /// Says that the lab was left in the usual way: those who follow know that it hasn't crashed.
    pub async fn close(&mut self, state: &State) {
        let line = self.line(state, Some(Closing::of(state)));
        self.send(line).await;
    }

    fn line(&self, state: &State, closed: Option<Closing>) -> Line {
        Line {
            version: VERSION,
            process: std::process::id(),
            at: now(),
            timing: Timing::of(state),
            // The page ends with the lab.
            teacher: self.teacher.clone().filter(|_| closed.is_none()),
            closed,
            lab: PresenterSnapshot::of(state),
            key: self.answer,
        }
    }

    async fn send(&self, line: Line) {
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

    use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
    use tokio::net::unix::OwnedReadHalf;
    use tokio::net::{UnixListener, UnixStream};
    use tokio::sync::{mpsc, watch};
    use tokio::task::JoinSet;
    use tokio::time::Instant;

    use super::Pressed;

    /// No line with a key is longer.
    const LONGEST: u64 = 100;

    /// Serves clients of the same user, until it is dropped.
    pub async fn accept(listener: UnixListener, latest: watch::Receiver<Arc<str>>, keys: mpsc::Sender<Pressed>) {
        let own = rustix::process::geteuid().as_raw();
        let mut readers = JoinSet::new();
        loop {
            tokio::select! {
                accepted = listener.accept(), if readers.len() < super::READERS => match accepted {
                    // The folder keeps others out, and so does this.
                    Ok((stream, _)) => if stream.peer_cred().is_ok_and(|peer| peer.uid() == own) {
                        readers.spawn(serve(stream, latest.clone(), keys.clone()));
                    },
                    // No more files, say. It passes.
                    Err(_) => tokio::time::sleep(Duration::from_secs(1)).await,
                },
                Some(_) = readers.join_next() => {}
            }
        }
    }

    /// Writes the newest line, and each newer one, until the reader goes. Passes its keys on.
    async fn serve(stream: UnixStream, mut latest: watch::Receiver<Arc<str>>, keys: mpsc::Sender<Pressed>) {
        let (read, mut write) = stream.into_split();
        let listening = listen(read, keys);
        tokio::pin!(listening);
        loop {
            let line = latest.borrow_and_update().clone();
            if write.write_all(line.as_bytes()).await.is_err() {
                return;
            }
            tokio::select! {
                changed = latest.changed() => if changed.is_err() { return },
                () = &mut listening => return,
            }
        }
    }

    /// Passes keys on until the other end closes, or says something else.
    async fn listen(read: OwnedReadHalf, keys: mpsc::Sender<Pressed>) {
        let mut read = BufReader::new(read).take(LONGEST);
        let mut line = Vec::new();
        while read.read_until(b'\n', &mut line).await.is_ok() && line.ends_with(b"\n") {
            let Ok(key) = serde_json::from_slice(&line) else { return };
            // Where too many wait, it is lost; nobody wants it later.
            let _ = keys.try_send(Pressed { key, at: Instant::now() });
            line.clear();
            read.set_limit(LONGEST);
        }
    }
}
