//! The open connections: what each one is doing, how long it may take, and which one goes when there are too many.
//!
//! A connection is *idle* between two requests. Half a request head doesn't change that: it costs a client nothing to
//! send. It is *busy* from a whole head to the last byte of the response. When a new connection needs room, the one that
//! has been idle for the longest goes, so a request in progress is never dropped for a connection that does nothing.

use std::collections::HashMap;
use std::io::{self, IoSlice};
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, ready};
use std::time::{Duration, Instant};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::sync::Notify;
use tokio::time::timeout;

use crate::sandbox::context::ConnectionId;
use crate::sandbox::engine::{Shared, lock};

/// What connections may take.
#[derive(Debug, Clone, Copy)]
pub(super) struct Limits {
    /// How many are open at once.
    pub connections: usize,
    /// How long one may be idle. Longer than the 90 seconds after which the AWS SDK drops it, so that the two don't race.
    pub idle: Duration,
    /// How long a request's head may take, from its first byte.
    pub head: Duration,
    /// How long a request's body may take.
    pub body: Duration,
    /// How long a busy one may go without a byte in either direction: the client doesn't send, or doesn't read.
    pub stall: Duration,
    /// After that long without a byte a busy one may be closed to make room, if none is idle.
    pub patience: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: 256,
            idle: Duration::from_secs(120),
            head: Duration::from_secs(10),
            body: Duration::from_secs(30),
            stall: Duration::from_secs(60),
            patience: Duration::from_secs(5),
        }
    }
}

/// How often a crowd looks for room when nobody leaves.
const LOOK_AGAIN: Duration = Duration::from_millis(100);

/// All open connections of a server.
#[derive(Debug)]
pub(super) struct Crowd {
    limits: Limits,
    lines: Mutex<HashMap<ConnectionId, Arc<Line>>>,
    left: Notify,
    next: AtomicU64,
}

/// A connection's place among the others. Dropping it makes room.
#[derive(Debug)]
pub(super) struct Seat {
    crowd: Arc<Crowd>,
    engine: Shared,
    line: Arc<Line>,
}

/// One connection.
#[derive(Debug)]
pub(super) struct Line {
    id: ConnectionId,
    limits: Limits,
    state: Mutex<State>,
    /// Its deadline has moved forward, or it is asked to leave.
    changed: Notify,
}

#[derive(Debug)]
struct State {
    doing: Doing,
    asked_to_leave: bool,
}

#[derive(Debug, Clone, Copy)]
enum Doing {
    /// Between requests.
    Idle {
        /// Since the connection was opened, or the last response was sent.
        since: Instant,
        /// When the first byte of the next request came.
        head: Option<Instant>,
    },
    /// A request is in progress.
    Busy {
        /// When the last byte came or went.
        progress: Instant,
        /// Whether the response is known and only has to be sent.
        answered: bool,
    },
}

fn held<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Crowd {
    pub fn new(limits: Limits) -> Self {
        Self { limits, lines: Mutex::default(), left: Notify::new(), next: AtomicU64::new(1) }
    }

    /// Waits until one more connection may be open. Asks connections that do nothing to leave.
    pub async fn make_room(&self) {
        while held(&self.lines).len() >= self.limits.connections {
            if let Some(line) = self.dispensable() {
                line.ask_to_leave();
            }
            let _ = timeout(LOOK_AGAIN, self.left.notified()).await;
        }
    }

    /// The connection that has been idle for the longest; else the one that has been stuck for the longest.
    fn dispensable(&self) -> Option<Arc<Line>> {
        let lines = held(&self.lines);
        lines
            .values()
            .filter_map(|line| Some((line.rank()?, line)))
            .min_by_key(|(rank, _)| *rank)
            .map(|(_, l)| l.clone())
    }

    /// Takes up a new connection.
    pub fn enter(self: &Arc<Self>, engine: Shared) -> Seat {
        let doing = Doing::Idle { since: Instant::now(), head: None };
        let line = Arc::new(Line {
            id: self.next.fetch_add(1, Ordering::Relaxed),
            limits: self.limits,
            state: Mutex::new(State { doing, asked_to_leave: false }),
            changed: Notify::new(),
        });
        held(&self.lines).insert(line.id, Arc::clone(&line));
        Seat { crowd: Arc::clone(self), engine, line }
    }
}

impl Seat {
    pub fn line(&self) -> &Arc<Line> {
        &self.line
    }

    pub fn engine(&self) -> &Shared {
        &self.engine
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        held(&self.crowd.lines).remove(&self.line.id);
        self.crowd.left.notify_one();
        lock(&self.engine).disconnected(self.line.id);
    }
}

impl Line {
    pub fn id(&self) -> ConnectionId {
        self.id
    }

    pub fn limits(&self) -> &Limits {
        &self.limits
    }

    /// Waits until the deadline has moved forward or the connection is asked to leave.
    pub async fn changed(&self) {
        self.changed.notified().await;
    }

    /// When what the connection is doing has taken too long.
    pub fn deadline(&self) -> Instant {
        match held(&self.state).doing {
            Doing::Idle { since, head: None } => since + self.limits.idle,
            Doing::Idle { head: Some(head), .. } => head + self.limits.head,
            Doing::Busy { progress, .. } => progress + self.limits.stall,
        }
    }

    pub fn is_overdue(&self) -> bool {
        self.deadline() <= Instant::now()
    }

    pub fn is_asked_to_leave(&self) -> bool {
        held(&self.state).asked_to_leave
    }

    /// Whether nothing is lost when the connection closes now.
    pub fn may_leave(&self) -> bool {
        match held(&self.state).doing {
            Doing::Idle { .. } => true,
            Doing::Busy { progress, .. } => progress.elapsed() >= self.limits.patience,
        }
    }

    /// The lower, the sooner it has to leave; `None`: not now. Idle ones come before those that are stuck.
    fn rank(&self) -> Option<(bool, Instant)> {
        let state = held(&self.state);
        match state.doing {
            _ if state.asked_to_leave => None,
            Doing::Idle { since, .. } => Some((false, since)),
            Doing::Busy { progress, .. } => (progress.elapsed() >= self.limits.patience).then_some((true, progress)),
        }
    }

    pub fn ask_to_leave(&self) {
        held(&self.state).asked_to_leave = true;
        self.changed.notify_one();
    }

    /// Marks a request as in progress once its head has arrived, until the returned value is dropped and the response is
    /// sent.
    pub fn work(&self) -> Work<'_> {
        held(&self.state).doing = Doing::Busy { progress: Instant::now(), answered: false };
        Work(self)
    }

    fn received(&self) {
        match &mut held(&self.state).doing {
            Doing::Idle { head: head @ None, .. } => {
                *head = Some(Instant::now());
                self.changed.notify_one();
            }
            // Sending it byte by byte gains no time.
            Doing::Idle { .. } => {}
            Doing::Busy { progress, .. } => *progress = Instant::now(),
        }
    }

    fn sent(&self) {
        if let Doing::Busy { progress, .. } = &mut held(&self.state).doing {
            *progress = Instant::now();
        }
    }

    fn flushed(&self) {
        let doing = &mut held(&self.state).doing;
        if let Doing::Busy { answered: true, .. } = doing {
            *doing = Doing::Idle { since: Instant::now(), head: None };
        }
    }
}

/// A request in progress.
pub(super) struct Work<'a>(&'a Line);

impl Drop for Work<'_> {
    fn drop(&mut self) {
        held(&self.0.state).doing = Doing::Busy { progress: Instant::now(), answered: true };
    }
}

/// A stream that reports its traffic to its line.
pub(super) struct Watched<S> {
    stream: S,
    line: Arc<Line>,
}

impl<S> Watched<S> {
    pub fn new(stream: S, line: Arc<Line>) -> Self {
        Self { stream, line }
    }

    fn sent(&self, written: io::Result<usize>) -> Poll<io::Result<usize>> {
        if matches!(written, Ok(1..)) {
            self.line.sent();
        }
        Poll::Ready(written)
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Watched<S> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let read = ready!(Pin::new(&mut self.stream).poll_read(cx, buffer));
        if buffer.filled().len() > before {
            self.line.received();
        }
        Poll::Ready(read)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Watched<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let written = ready!(Pin::new(&mut self.stream).poll_write(cx, bytes));
        self.sent(written)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        parts: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = ready!(Pin::new(&mut self.stream).poll_write_vectored(cx, parts));
        self.sent(written)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let flushed = ready!(Pin::new(&mut self.stream).poll_flush(cx));
        self.line.flushed();
        Poll::Ready(flushed)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
