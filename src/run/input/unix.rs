//! The terminal's bytes, and the signals that tell of it.
//!
//! Not crossterm's reader: it is told of new input once, reads 1,024 bytes of it, and waits for more while the rest lies
//! there. `poll` tells of input for as long as there is any.

use std::fs::{File, OpenOptions};
use std::io::{self, IsTerminal};
use std::os::fd::{AsFd, OwnedFd};
use std::task::Poll;
use std::time::{Duration, Instant};

use futures_util::{Stream, stream};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use rustix::process::{self, Signal};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::mpsc::{Sender, channel};

use super::Input;
use super::decode::{Decoder, Item};
use crate::ui::terminal::size;

/// So much is read ahead; the rest waits in the terminal.
const AHEAD: usize = 1_024;

/// What arrives from the terminal, and what signals say of it.
pub fn terminal() -> io::Result<impl Stream<Item = io::Result<Input>> + Unpin> {
    let terminal = open()?;
    let kind = |signal: Signal| SignalKind::from_raw(signal.as_raw());
    let mut resized = signal(SignalKind::window_change())?;
    let mut continued = signal(kind(Signal::CONT))?;
    let mut suspended = signal(kind(Signal::TSTP))?;
    let (sender, mut receiver) = channel(AHEAD);
    std::thread::Builder::new().name("kmslab-input".to_owned()).spawn(move || read(&terminal, &sender))?;
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

/// The terminal: the standard input, or where that is none, the one this process belongs to.
fn open() -> io::Result<OwnedFd> {
    let stdin = io::stdin();
    if stdin.is_terminal() {
        return stdin.as_fd().try_clone_to_owned();
    }
    OpenOptions::new().read(true).open("/dev/tty").map(|tty: File| tty.into())
}

/// Reads until the terminal is gone or nobody wants to know any more.
fn read(terminal: &OwnedFd, to: &Sender<io::Result<Input>>) {
    let mut decoder = Decoder::new(Instant::now());
    let mut bytes = [0; 4_096];
    let mut items = Vec::new();
    loop {
        let read = match wait(terminal, decoder.patience(Instant::now())) {
            Ok(true) => rustix::io::read(terminal, &mut bytes),
            Ok(false) => {
                decoder.pass(Instant::now(), &mut items);
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
                Item::Paste => Input::Paste,
                Item::Background { light } => Input::Background { light },
            };
            if to.blocking_send(Ok(input)).is_err() {
                return;
            }
        }
    }
}

/// Waits for input; says whether there is any. The end of the input is some.
fn wait(terminal: &OwnedFd, patience: Option<Duration>) -> Result<bool, Errno> {
    let mut polled = [PollFd::new(terminal, PollFlags::IN)];
    // Rounded up: a wait that ends a moment too early would be followed by another of no length, again and again.
    let patience = patience.map(|patience| patience + Duration::from_millis(1));
    let patience = patience.map(Timespec::try_from).transpose().map_err(|_| Errno::INVAL)?;
    poll(&mut polled, patience.as_ref()).map(|ready| ready > 0)
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
