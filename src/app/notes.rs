//! `kmslab notes`.

use std::io::{self, IsTerminal};

use color_eyre::eyre::{Report, WrapErr};
use tokio::runtime::Runtime;

use super::Exit;
use crate::cli::{Environment, Options, Usage};
use crate::run::notes::{Place, follow};
use crate::run::{self, Ended, signal};
use crate::ui::terminal::Screen;
use crate::ui::theme::Theme;

/// Shows the presenter's notes of a lab that runs in another terminal.
///
/// # Errors
/// When there is no terminal, or it fails.
pub fn run(runtime: &Runtime, options: &Options, environment: &Environment) -> Result<Exit, Report> {
    if !io::stdout().is_terminal() || environment.dumb {
        return Err(Usage("`kmslab notes` is a screen: it needs a terminal on stdout".to_owned()).into());
    }
    let place = Place { socket: options.socket.clone(), folders: environment.labs.clone() };
    let theme = Theme::choose(options.theme.unwrap_or_default(), environment.color_level());
    let theme = if options.is_ascii(environment) { theme.in_ascii() } else { theme };
    let _in_runtime = runtime.enter();
    let stop = signal::stop();
    let mut screen = Screen::enter().wrap_err("the terminal can't be used for the notes")?;
    let ended = runtime.block_on(async {
        let input = run::input()?;
        screen.measure()?;
        follow::run(place, input, &mut screen, &theme, stop).await
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
