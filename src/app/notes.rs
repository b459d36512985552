//! `kmslab notes`.

use std::io::{self, IsTerminal};

use color_eyre::eyre::{Report, WrapErr};
use tokio::runtime::Runtime;

use super::setup::looks;
use crate::cli::{Environment, Exit, Options, UsageError};
use crate::run::input::input;
use crate::run::notes::{Place, follow};
use crate::run::{Ended, signal};
use crate::sandbox;
use crate::ui::terminal::Screen;

/// Shows the presenter's notes of a lab that runs in another terminal.
///
/// # Errors
/// When there is no terminal, or it fails.
pub fn run(runtime: &Runtime, options: &Options, environment: &Environment) -> Result<Exit, Report> {
    if !io::stdout().is_terminal() || environment.dumb {
        return Err(UsageError::new("`kmslab notes` is a screen: it needs a terminal on stdout").into());
    }
    let place = Place { socket: options.socket.clone(), folders: environment.labs.clone() };
    let looks = looks(options, environment);
    let _in_runtime = runtime.enter();
    let stop = signal::stop(sandbox::abandon);
    let mut screen = Screen::enter().wrap_err("the terminal can't be used for the notes")?;
    let ended = runtime.block_on(async {
        let input = input(&mut screen)?;
        follow::run(place, input, &mut screen, looks, stop).await
    });
    let left = screen.leave();
    Ok(match ended.wrap_err("the terminal failed")? {
        Ended::Signal(number) => Exit::Signal(number),
        Ended::InputClosed => Exit::Signal(signal::HANGUP),
        _ => {
            left.wrap_err("the terminal could not be restored; `reset` does it")?;
            Exit::Met
        }
    })
}
