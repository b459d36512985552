//! `kmslab card`: the card to keep, printed.

use std::io::IsTerminal;

use color_eyre::eyre::Report;

use super::report::print;
use crate::cli::{Environment, Exit, Options};
use crate::run::lesson;
use crate::ui;

/// The widest card. Longer lines are hard to read.
const WIDEST: usize = 100;

/// Prints the card as wide as the terminal, at most [`WIDEST`] columns.
///
/// # Errors
/// If the lesson files are wrong or stdout can't be written.
pub fn card(options: &Options, environment: &Environment) -> Result<Exit, Report> {
    let lesson = lesson::load(options, environment)?;
    let size = std::io::stdout().is_terminal().then(crossterm::terminal::size).and_then(Result::ok);
    let columns = size.map_or(WIDEST, |(columns, _)| usize::from(columns).min(WIDEST));
    let text = lesson.frame.card.whole(columns);
    print(if options.is_ascii(environment) { ui::spelt(&text) } else { text }.trim_end())?;
    Ok(Exit::Met)
}
