//! Another program in the lab's own terminal, a shell or an editor: the lab gives the terminal away and takes it back,
//! whatever became of the program.
//!
//! The program is a job of its own, as in a shell: what is typed, Ctrl-C and Ctrl-Z reach it alone. The lab hears of its
//! end, and of a stop.

use std::io::{self, IsTerminal, Write};
use std::os::fd::{AsFd, OwnedFd};
use std::path::Path;
use std::process::{Command, ExitStatus};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use nix::sys::signal::{SigSet, Signal as Masked};
use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, getpgrp, kill_process_group, waitid};
use rustix::termios::{OptionalActions, Termios, tcgetattr, tcgetpgrp, tcgetwinsize, tcsetattr, tcsetpgrp};
use tokio::process::Child;
use tokio::signal::unix::{self, SignalKind};

use super::{command, welcome};
use crate::lab::Identity;

/// Between two looks for a stop, where no signal tells of it.
const LOOK: Duration = Duration::from_secs(1);

/// A program that has the terminal, or has had it and is stopped. Dropping it hangs up and takes the terminal back.
#[derive(Debug)]
pub struct Open {
    terminal: OwnedFd,
    modes: Termios,
    /// The program's process, which leads a group of its own; `None` once it has ended.
    process: Option<Pid>,
    /// Whether it is stopped, and the lab has the terminal.
    is_stopped: Arc<AtomicBool>,
    /// The modes that it had when it was stopped.
    stopped_in: Option<Termios>,
}

/// Waits for what becomes of a program.
#[derive(Debug)]
pub struct Waiter {
    child: Child,
    process: Option<Pid>,
    changed: unix::Signal,
    is_stopped: Arc<AtomicBool>,
}

/// What became of a program.
#[derive(Debug)]
pub enum Came {
    /// It has ended.
    Ended(io::Result<ExitStatus>),
    /// It is stopped, until [`Open::go_on`].
    Stopped,
}

/// Opens the person's shell for the lab in `folder`, in which `who` is the default. The terminal must be as the person's
/// shell left it.
///
/// # Errors
/// When there is no terminal, or the shell can't be started.
pub fn open(folder: &Path, who: Identity) -> io::Result<(Open, Waiter)> {
    start(command(folder, who)?, &welcome(folder, who))
}

/// The columns of the terminal on standard output; `None` without a terminal.
pub fn columns() -> Option<usize> {
    let size = tcgetwinsize(io::stdout()).ok()?;
    Some(size.ws_col.into()).filter(|columns| *columns > 0)
}

/// Opens the person's editor, `$VISUAL`, `$EDITOR` or `vi`, with `file`.
///
/// # Errors
/// When there is no terminal, or the editor can't be started.
pub fn edit(file: &Path) -> io::Result<(Open, Waiter)> {
    let named = |name| std::env::var(name).ok().filter(|editor| !editor.trim().is_empty());
    let editor = named("VISUAL").or_else(|| named("EDITOR")).unwrap_or_else(|| "vi".to_owned());
    // The variable may hold arguments, too: the shell splits them, as git's does.
    let mut command = Command::new("/bin/sh");
    command.arg("-c").arg(format!("{editor} \"$1\"")).arg("sh").arg(file);
    start(command, "")
}

/// Gives the terminal to `command`, after a text.
fn start(command: Command, text: &str) -> io::Result<(Open, Waiter)> {
    let stdin = io::stdin();
    if !stdin.is_terminal() {
        return Err(io::Error::other("standard input is no terminal"));
    }
    let terminal = stdin.as_fd().try_clone_to_owned()?;
    let modes = tcgetattr(&terminal)?;
    let changed = unix::signal(SignalKind::child())?;
    let mut out = io::stdout();
    out.write_all(text.as_bytes())?;
    out.flush()?;
    let mut command = tokio::process::Command::from(command);
    // A terminal that is not this session's knows no groups.
    let has_jobs = tcgetpgrp(&terminal).is_ok();
    if has_jobs {
        command.process_group(0);
    }
    let child = command.spawn()?;
    let process = child.id().and_then(|id| i32::try_from(id).ok()).and_then(Pid::from_raw).filter(|_| has_jobs);
    let is_stopped = Arc::new(AtomicBool::new(false));
    let open = Open { terminal, modes, process, is_stopped: is_stopped.clone(), stopped_in: None };
    open.give()?;
    Ok((open, Waiter { child, process, changed, is_stopped }))
}

impl Open {
    /// Makes the program's group the terminal's foreground. It may have asked for the terminal before, and be stopped.
    fn give(&self) -> io::Result<()> {
        let Some(process) = self.process else { return Ok(()) };
        unstopped(|| Ok(tcsetpgrp(&self.terminal, process)?))?;
        // It may have ended meanwhile.
        let _ = kill_process_group(process, Signal::CONT);
        Ok(())
    }

    /// Notes that the program has ended.
    pub fn ended(mut self) {
        self.process = None;
    }

    /// Whether the program is stopped.
    pub fn is_stopped(&self) -> bool {
        self.is_stopped.load(Ordering::SeqCst)
    }

    /// Takes the terminal back from a program that is stopped.
    pub fn leave_stopped(&mut self) {
        self.stopped_in = tcgetattr(&self.terminal).ok();
        // There is nobody left to tell.
        let _ = self.take_back();
    }

    /// Gives the terminal to a stopped program again.
    ///
    /// # Errors
    /// When the terminal can't be given away.
    pub fn go_on(&mut self) -> io::Result<()> {
        if let Some(modes) = self.stopped_in.take() {
            tcsetattr(&self.terminal, OptionalActions::Drain, &modes)?;
        }
        self.is_stopped.store(false, Ordering::SeqCst);
        self.give()
    }

    /// Makes this process the terminal's foreground again, in the modes of before: a shell that was killed restored
    /// nothing.
    fn take_back(&self) -> io::Result<()> {
        unstopped(|| {
            let taken = tcsetpgrp(&self.terminal, getpgrp());
            let set = tcsetattr(&self.terminal, OptionalActions::Drain, &self.modes);
            Ok(taken.and(set)?)
        })
    }
}

/// Changes the terminal from the background. A process there is stopped for that, unless it blocks the signal.
fn unstopped(change: impl FnOnce() -> io::Result<()>) -> io::Result<()> {
    let mut blocked = SigSet::empty();
    blocked.add(Masked::SIGTTOU);
    blocked.thread_block().map_err(io::Error::from)?;
    let changed = change();
    blocked.thread_unblock().map_err(io::Error::from)?;
    changed
}

impl Drop for Open {
    fn drop(&mut self) {
        if let Some(process) = self.process {
            // It may be stopped.
            let _ = kill_process_group(process, Signal::HUP);
            let _ = kill_process_group(process, Signal::CONT);
        }
        if !self.is_stopped() {
            // There is nobody left to tell.
            let _ = self.take_back();
        }
    }
}

impl Waiter {
    /// Waits until the program ends or is stopped.
    pub async fn next(&mut self) -> Came {
        loop {
            if self.has_stopped() && !self.is_stopped.swap(true, Ordering::SeqCst) {
                return Came::Stopped;
            }
            tokio::select! {
                ended = self.child.wait() => return Came::Ended(ended),
                _ = self.changed.recv() => {}
                () = tokio::time::sleep(LOOK) => {}
            }
        }
    }

    /// Waits until the program ends. If it is stopped, it goes on at once: there is nothing to go back to.
    pub async fn ended(&mut self) -> io::Result<ExitStatus> {
        loop {
            match self.next().await {
                Came::Ended(ended) => return ended,
                Came::Stopped => {
                    self.is_stopped.store(false, Ordering::SeqCst);
                    self.go_on();
                }
            }
        }
    }

    fn go_on(&self) {
        // It may have ended meanwhile.
        let _ = self.process.map(|process| kill_process_group(process, Signal::CONT));
    }

    /// Whether the program has been stopped since the last look. One that only asked for the terminal before it had it
    /// goes on.
    fn has_stopped(&self) -> bool {
        let Some(process) = self.process else { return false };
        let options = WaitIdOptions::STOPPED | WaitIdOptions::NOHANG;
        let Ok(Some(status)) = waitid(WaitId::Pid(process), options) else { return false };
        let asked = [Signal::TTIN, Signal::TTOU].map(Signal::as_raw);
        let only_asked = status.stopping_signal().is_some_and(|signal| asked.contains(&signal));
        let has_terminal = || tcgetpgrp(io::stdin()).is_ok_and(|group| group == process);
        if only_asked && has_terminal() {
            self.go_on();
            return false;
        }
        status.stopped()
    }
}
