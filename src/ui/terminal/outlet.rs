//! What writes to the terminal: a thread of its own. A terminal may stop reading, and a write then takes for ever; the
//! lab must notice signals nevertheless.

use std::fs::File;
use std::io::{self, Write};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Sender, channel};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// More than this doesn't wait for a terminal that takes nothing: it is dropped.
const MOST: usize = 1 << 20;

/// Between two looks at a terminal that does not take what is written.
const LOOK: Duration = Duration::from_millis(20);

/// Held while something is written to the terminal.
static OUTPUT: Mutex<()> = Mutex::new(());

/// Takes what is written and returns at once. Clones write to the same terminal.
#[derive(Clone)]
pub struct Outlet {
    buffer: Vec<u8>,
    to: Sender<Vec<u8>>,
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    waiting: Mutex<Waiting>,
    changed: Condvar,
}

#[derive(Default)]
struct Waiting {
    /// How many bytes the terminal has not taken.
    bytes: usize,
    failed: Option<io::ErrorKind>,
    /// Whether somebody has asked in vain whether it is ready.
    asked: bool,
    when_ready: Option<Box<dyn Fn() + Send>>,
}

impl Outlet {
    /// Writes to the standard output while `is_open` says so.
    ///
    /// # Errors
    /// If there is no standard output, or the thread can't start.
    pub fn new(is_open: &'static AtomicBool) -> io::Result<Outlet> {
        let mut stdout = stdout()?;
        let (to, frames) = channel::<Vec<u8>>();
        let shared = Arc::new(Shared::default());
        let theirs = shared.clone();
        std::thread::Builder::new().name("kmslab-screen".to_owned()).spawn(move || {
            for frame in frames {
                let output = lock(&OUTPUT);
                let written = if is_open.load(Ordering::SeqCst) { stdout.write_all(&frame) } else { Ok(()) };
                drop(output);
                theirs.wrote(frame.len(), written);
            }
        })?;
        Ok(Outlet { buffer: Vec::new(), to, shared })
    }

    /// Whether the terminal has taken all that was written.
    pub fn is_ready(&self) -> bool {
        let mut waiting = lock(&self.shared.waiting);
        waiting.asked |= waiting.bytes > 0;
        waiting.bytes == 0
    }

    /// Calls `tell` when that becomes so after somebody has asked in vain.
    pub fn when_ready(&self, tell: Box<dyn Fn() + Send>) {
        lock(&self.shared.waiting).when_ready = Some(tell);
    }

    /// Waits for it until `enough` says of the time that it was enough.
    pub fn drain(&self, enough: impl Fn(Duration) -> bool) {
        let began = Instant::now();
        let mut waiting = lock(&self.shared.waiting);
        while waiting.bytes > 0 && !enough(began.elapsed()) {
            let waited = self.shared.changed.wait_timeout(waiting, LOOK);
            waiting = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
    }
}

impl Shared {
    fn wrote(&self, count: usize, written: io::Result<()>) {
        let mut waiting = lock(&self.waiting);
        waiting.bytes = waiting.bytes.saturating_sub(count);
        if let Err(error) = written {
            waiting.failed = Some(error.kind());
        }
        self.changed.notify_all();
        if waiting.bytes == 0
            && std::mem::take(&mut waiting.asked)
            && let Some(tell) = &waiting.when_ready
        {
            tell();
        }
    }
}

impl Write for Outlet {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.buffer.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        let bytes = std::mem::take(&mut self.buffer);
        let mut waiting = lock(&self.shared.waiting);
        if let Some(kind) = waiting.failed {
            return Err(kind.into());
        }
        if bytes.is_empty() || waiting.bytes > MOST {
            return Ok(());
        }
        waiting.bytes += bytes.len();
        drop(waiting);
        self.to.send(bytes).map_err(|_| io::ErrorKind::BrokenPipe.into())
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The standard output without Rust's lock around it: who holds that can't be passed by.
#[cfg(unix)]
fn stdout() -> io::Result<File> {
    use std::os::fd::AsFd;
    Ok(File::from(io::stdout().as_fd().try_clone_to_owned()?))
}

#[cfg(windows)]
fn stdout() -> io::Result<File> {
    use std::os::windows::io::AsHandle;
    Ok(File::from(io::stdout().as_handle().try_clone_to_owned()?))
}

/// Waits until nothing is written to the terminal, and keeps it so; `None` where that takes too long.
pub fn lock_output(patience: Duration) -> Option<MutexGuard<'static, ()>> {
    let began = Instant::now();
    loop {
        match OUTPUT.try_lock() {
            Ok(guard) => return Some(guard),
            Err(std::sync::TryLockError::Poisoned(poisoned)) => return Some(poisoned.into_inner()),
            Err(std::sync::TryLockError::WouldBlock) if began.elapsed() >= patience => return None,
            Err(std::sync::TryLockError::WouldBlock) => std::thread::sleep(LOOK),
        }
    }
}

/// Whether standard output or standard error is a terminal that takes nothing now.
#[cfg(unix)]
pub fn is_stuck() -> bool {
    use std::io::IsTerminal;
    use std::os::fd::{AsFd, BorrowedFd};

    use rustix::event::{PollFd, PollFlags, Timespec, poll};

    let is_full = |fd: BorrowedFd<'_>| {
        let mut polled = [PollFd::from_borrowed_fd(fd, PollFlags::OUT)];
        fd.is_terminal() && poll(&mut polled, Some(&Timespec::default())).is_ok_and(|ready| ready == 0)
    };
    is_full(io::stdout().as_fd()) || is_full(io::stderr().as_fd())
}

/// Drops what the terminal has not taken, which lets a write that waits for it go on.
#[cfg(unix)]
pub fn discard_output() {
    use std::os::fd::AsFd;
    let _ = rustix::termios::tcflush(io::stdout().as_fd(), rustix::termios::QueueSelector::OFlush);
}

/// That can't be known.
#[cfg(not(unix))]
pub fn is_stuck() -> bool {
    false
}

/// That can't be done.
#[cfg(not(unix))]
pub fn discard_output() {}

/// Does `write`, and doesn't wait for it longer than that.
///
/// # Errors
/// Its own, or that it takes too long.
pub fn in_time(patience: Duration, write: impl FnOnce() -> io::Result<()> + Send + 'static) -> io::Result<()> {
    let (done, outcome) = channel();
    std::thread::Builder::new().spawn(move || {
        let _ = done.send(write());
    })?;
    outcome.recv_timeout(patience).unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()))
}
