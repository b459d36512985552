//! The terminal's bytes, and the signals that tell of it.
//!
//! Not crossterm's reader: it gets one event for new input, reads 1,024 bytes, and waits for more while the rest lies
//! there. `poll` tells of input for as long as there is any.

use std::fs::{File, OpenOptions};
use std::io::{self, IsTerminal, PipeReader, PipeWriter, Read, Write};
use std::os::fd::{AsFd, OwnedFd};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::task::Poll;
use std::time::{Duration, Instant};

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use futures_util::{Stream, stream};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use rustix::process::{self, Signal};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::mpsc::error::TrySendError;
use tokio::sync::mpsc::{Sender, channel};

use super::Input;
use super::decode::{Decoder, Item};
use crate::ui::terminal::size;

/// Nobody types this many keys ahead. More at once is text that was pasted where the terminal marks no pastes, or noise.
const AHEAD: usize = 512;

/// After a pause like this such a text has ended.
const QUIET: Duration = Duration::from_millis(30);

/// What arrives from the terminal, and what signals say of it.
pub fn terminal() -> io::Result<impl Stream<Item = io::Result<Input>> + Unpin> {
    let terminal = open()?;
    let kind = |signal: Signal| SignalKind::from_raw(signal.as_raw());
    let mut resized = signal(SignalKind::window_change())?;
    let mut continued = signal(kind(Signal::CONT))?;
    let mut suspended = signal(kind(Signal::TSTP))?;
    let (sender, mut receiver) = channel(AHEAD);
    let valve = Valve::open()?;
    let name = "kmslab-input".to_owned();
    std::thread::Builder::new().name(name).spawn(move || read(&terminal, &sender, Some(&valve)))?;
    Ok(stream::poll_fn(move |context| {
        if suspended.poll_recv(context).is_ready() {
            return Poll::Ready(Some(Ok(Input::Suspend)));
        }
        if continued.poll_recv(context).is_ready() {
            return Poll::Ready(Some(Ok(Input::Continued)));
        }
        if resized.poll_recv(context).is_ready() {
            return Poll::Ready(Some(size().map(Input::Resize)));
        }
        receiver.poll_recv(context)
    }))
}

/// The terminal: standard input or, if that isn't one, the terminal this process belongs to.
fn open() -> io::Result<OwnedFd> {
    let stdin = io::stdin();
    if stdin.is_terminal() {
        return stdin.as_fd().try_clone_to_owned();
    }
    OpenOptions::new().read(true).open("/dev/tty").map(|tty: File| tty.into())
}

/// Stops the reading thread while another program has the terminal.
struct Valve {
    shared: Arc<Shut>,
    /// Wakes the thread, which waits for input.
    woken: PipeReader,
}

struct Shut {
    state: Mutex<State>,
    changed: Condvar,
    wake: PipeWriter,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Open,
    /// The thread is to stop.
    Closing,
    /// It has.
    Closed,
}

/// The valve of this process's terminal.
static VALVE: Mutex<Option<Arc<Shut>>> = Mutex::new(None);

impl Valve {
    fn open() -> io::Result<Valve> {
        let (woken, wake) = io::pipe()?;
        let shared = Arc::new(Shut { state: Mutex::new(State::Open), changed: Condvar::new(), wake });
        *VALVE.lock().unwrap_or_else(PoisonError::into_inner) = Some(shared.clone());
        Ok(Valve { shared, woken })
    }

    /// Waits while the valve is closed.
    fn pass(&self) {
        let Ok(mut state) = self.shared.state.lock() else { return };
        if *state != State::Open {
            let mut byte = [0];
            let _ = (&self.woken).read(&mut byte);
            *state = State::Closed;
            self.shared.changed.notify_all();
            while *state != State::Open {
                let Ok(next) = self.shared.changed.wait(state) else { return };
                state = next;
            }
        }
    }
}

/// Reads nothing of the terminal from here on, until [`release`]: another program has it.
pub fn hold() {
    let Some(shut) = VALVE.lock().unwrap_or_else(PoisonError::into_inner).clone() else { return };
    let Ok(mut state) = shut.state.lock() else { return };
    *state = State::Closing;
    let _ = (&shut.wake).write_all(&[0]);
    // The thread may have ended with the terminal.
    let is_closing = |state: &mut State| *state == State::Closing;
    let _ = shut.changed.wait_timeout_while(state, Duration::from_secs(1), is_closing);
}

/// Reads the terminal again.
pub fn release() {
    let Some(shut) = VALVE.lock().unwrap_or_else(PoisonError::into_inner).clone() else { return };
    let Ok(mut state) = shut.state.lock() else { return };
    *state = State::Open;
    shut.changed.notify_all();
}

/// Reads until the terminal is gone or nobody wants to know any more.
fn read(terminal: &OwnedFd, to: &Sender<io::Result<Input>>, valve: Option<&Valve>) {
    let mut decoder = Decoder::new(Instant::now());
    let mut bytes = [0; 4_096];
    let mut items = Vec::new();
    let mut gate = Gate { to, flood: None };
    loop {
        let patience = if gate.flood.is_some() { Some(QUIET) } else { decoder.patience(Instant::now()) };
        if let Some(valve) = valve {
            valve.pass();
        }
        let read = match wait(terminal, valve.map(|valve| &valve.woken), patience) {
            Ok(true) => rustix::io::read(terminal, &mut bytes),
            Ok(false) => {
                decoder.pass(Instant::now(), &mut items);
                if !gate.is_quiet() {
                    return;
                }
                Err(Errno::AGAIN)
            }
            Err(error) => Err(error),
        };
        match read {
            Ok(0) | Err(Errno::IO) => return,
            Ok(count) => decoder.feed(Instant::now(), &bytes[..count], &mut items),
            Err(Errno::AGAIN | Errno::INTR) => {}
            Err(error) => {
                let _ = to.blocking_send(Err(error.into()));
                return;
            }
        }
        for item in items.drain(..) {
            let input = match item {
                Item::Key(key) => Input::Key(key),
                Item::Mouse(mouse) => Input::Mouse(mouse),
                Item::Paste(text) => Input::Paste(text),
                Item::Background { light } => Input::Background { light },
            };
            if !gate.pass(input) {
                return;
            }
        }
    }
}

/// Lets input through as fast as it is answered, and drops a flood: what comes after it must not wait for minutes.
struct Gate<'a> {
    to: &'a Sender<io::Result<Input>>,
    /// In a flood its newest key, where that is not one that goes on: somebody may have pressed it.
    flood: Option<Option<Input>>,
}

impl Gate<'_> {
    /// Queues one input. Returns whether the receiver is still there.
    fn pass(&mut self, input: Input) -> bool {
        let mut input = input;
        if self.flood.is_none() {
            input = match self.to.try_send(Ok(input)) {
                Ok(()) => return true,
                // A wheel turns faster than anybody reads.
                Err(TrySendError::Full(Ok(Input::Mouse(_)))) => return true,
                Err(TrySendError::Full(Ok(input))) => input,
                Err(_) => return false,
            };
        }
        let key = input.key();
        if key.is_some_and(|key| key.modifiers == KeyModifiers::CONTROL && key.code == KeyCode::Char('c')) {
            return self.to.blocking_send(Ok(input)).is_ok();
        }
        let goes_on = |key: KeyEvent| [KeyCode::Enter, KeyCode::Char(' ')].contains(&key.code);
        self.flood = Some(key.filter(|key| !goes_on(*key)).map(Input::Key));
        true
    }

    /// Queues the end of input. Returns whether the receiver is still there.
    fn is_quiet(&mut self) -> bool {
        let Some(newest) = self.flood.take() else { return true };
        [Some(Input::Paste(String::new())), newest]
            .into_iter()
            .flatten()
            .all(|input| self.to.blocking_send(Ok(input)).is_ok())
    }
}

/// Waits for input and returns whether there is any. The end of the input counts as input; a wake-up doesn't.
fn wait(terminal: &OwnedFd, woken: Option<&PipeReader>, patience: Option<Duration>) -> Result<bool, Errno> {
    let mut polled = vec![PollFd::new(terminal, PollFlags::IN)];
    polled.extend(woken.map(|woken| PollFd::new(woken, PollFlags::IN)));
    // Rounded up: a wait that ends a moment too early would be followed by another of no length, again and again.
    let patience = patience.map(|patience| patience + Duration::from_millis(1));
    let patience = patience.map(Timespec::try_from).transpose().map_err(|_| Errno::INVAL)?;
    poll(&mut polled, patience.as_ref())?;
    let is_woken = polled.get(1).is_some_and(|woken| !woken.revents().is_empty());
    Ok(!polled[0].revents().is_empty() && !is_woken)
}

/// Stops this process until somebody lets it go on.
pub fn stop() {
    // Where that is not allowed it just goes on.
    let _ = process::kill_process(process::getpid(), Signal::STOP);
}

/// Stops the job that this process belongs to, where a shell with job control waits for it: such a shell gives each job
/// a process group of its own.
pub fn stop_job() {
    if process::getsid(None).is_ok_and(|session| session != process::getpgrp()) {
        let _ = process::kill_current_process_group(Signal::STOP);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(c: char, modifiers: KeyModifiers) -> Input {
        Input::Key(KeyEvent::new(KeyCode::Char(c), modifiers))
    }

    fn arrived(receiver: &mut tokio::sync::mpsc::Receiver<io::Result<Input>>) -> Vec<Input> {
        std::iter::from_fn(|| receiver.try_recv().ok()).map(Result::unwrap).collect()
    }

    #[test]
    fn a_flood_is_dropped_but_for_what_somebody_may_have_pressed() {
        let (sender, mut receiver) = channel(4);
        let mut gate = Gate { to: &sender, flood: None };
        let [j, q] = ['j', 'q'].map(|c| key(c, KeyModifiers::NONE));
        for input in vec![j.clone(); 100].into_iter().chain([q.clone()]) {
            assert!(gate.pass(input));
        }
        assert_eq!(arrived(&mut receiver), vec![j.clone(); 4]);
        assert!(gate.is_quiet() && gate.is_quiet());
        assert_eq!(arrived(&mut receiver), [Input::Paste(String::new()), q]);
        // It is over.
        assert!(gate.pass(j.clone()));
        assert_eq!(arrived(&mut receiver), [j]);
    }

    #[test]
    fn the_end_of_a_paste_is_no_key_and_ctrl_c_is_kept() {
        let (sender, mut receiver) = channel(4);
        let mut gate = Gate { to: &sender, flood: None };
        let (j, interrupt) = (key('j', KeyModifiers::NONE), key('c', KeyModifiers::CONTROL));
        for _ in 0..9 {
            assert!(gate.pass(j.clone()));
        }
        assert_eq!(arrived(&mut receiver).len(), 4);
        assert!(gate.pass(interrupt.clone()));
        assert!(gate.pass(Input::Key(KeyCode::Enter.into())));
        assert!(gate.is_quiet());
        assert_eq!(arrived(&mut receiver), [interrupt, Input::Paste(String::new())]);
        drop(receiver);
        assert!(!gate.pass(j));
    }
}
