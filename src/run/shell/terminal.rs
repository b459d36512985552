//! Another program in the lab's own terminal, a shell or an editor: the lab gives the terminal away and takes it back,
//! whatever became of the program.

use std::io::{self, IsTerminal, Write};
use std::os::fd::{AsFd, OwnedFd};
use std::path::Path;
use std::process::Command;

use nix::sys::signal::{SigSet, Signal as Masked};
use rustix::process::{Pid, Signal, getpgrp, kill_process};
use rustix::termios::{OptionalActions, Termios, tcgetattr, tcsetattr, tcsetpgrp};
use tokio::process::Child;

use super::{command, welcome};
use crate::run::signal;

/// A program that has the terminal. Dropping it hangs up and takes the terminal back.
#[derive(Debug)]
pub struct Open {
    terminal: OwnedFd,
    modes: Termios,
    process: Option<Pid>,
}

/// Opens the person's shell for the lab in `folder`. The terminal must be as the person's shell left it.
///
/// # Errors
/// When there is no terminal, or the shell can't be started.
pub fn open(folder: &Path) -> io::Result<(Open, Child)> {
    start(command(folder, None)?, &welcome(folder))
}

/// Opens the person's editor, `$VISUAL`, `$EDITOR` or `vi`, with `file`.
///
/// # Errors
/// When there is no terminal, or the editor can't be started.
pub fn edit(file: &Path) -> io::Result<(Open, Child)> {
    let named = |name| std::env::var(name).ok().filter(|editor| !editor.trim().is_empty());
    let editor = named("VISUAL").or_else(|| named("EDITOR")).unwrap_or_else(|| "vi".to_owned());
    // The variable may hold arguments, too: the shell splits them, as git's does.
    let mut command = Command::new("/bin/sh");
    command.arg("-c").arg(format!("{editor} \"$1\"")).arg("sh").arg(file);
    start(command, "")
}

/// Gives the terminal to `command`, after a text.
fn start(command: Command, text: &str) -> io::Result<(Open, Child)> {
    let stdin = io::stdin();
    if !stdin.is_terminal() {
        return Err(io::Error::other("standard input is no terminal"));
    }
    let terminal = stdin.as_fd().try_clone_to_owned()?;
    let modes = tcgetattr(&terminal)?;
    let mut out = io::stdout();
    out.write_all(text.as_bytes())?;
    out.flush()?;
    let mut command = tokio::process::Command::from(command);
    signal::leave_to_shell(true);
    let child = command.spawn().inspect_err(|_| signal::leave_to_shell(false))?;
    let process = child.id().and_then(|id| i32::try_from(id).ok()).and_then(Pid::from_raw);
    Ok((Open { terminal, modes, process }, child))
}

impl Open {
    /// Notes that the program has ended.
    pub fn ended(mut self) {
        self.process = None;
    }

    /// Makes this process the terminal's foreground again, in the modes of before: a shell that was killed restored
    /// nothing. A process in the background is stopped for that, unless it blocks the signal.
    fn take_back(&self) -> io::Result<()> {
        let mut blocked = SigSet::empty();
        blocked.add(Masked::SIGTTOU);
        blocked.thread_block().map_err(io::Error::from)?;
        let taken = tcsetpgrp(&self.terminal, getpgrp());
        let set = tcsetattr(&self.terminal, OptionalActions::Drain, &self.modes);
        blocked.thread_unblock().map_err(io::Error::from)?;
        Ok(taken.and(set)?)
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        if let Some(process) = self.process {
            // It may be stopped.
            let _ = kill_process(process, Signal::HUP);
            let _ = kill_process(process, Signal::CONT);
        }
        signal::leave_to_shell(false);
        // There is nobody left to tell.
        let _ = self.take_back();
    }
}
