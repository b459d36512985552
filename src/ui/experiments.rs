//! The list of experiments.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;

use crate::lab::{Experiment, State, Status};

use super::dialog;
use super::text::width;
use super::theme::Theme;

/// The number in the header, `x 3/14`.
pub fn number(which: Experiment) -> String {
    format!("x {}/{}", which.index() + 1, Experiment::ALL.len())
}

/// A sign for an experiment's status, and a word or the teaser.
fn progress(state: &State, which: Experiment, theme: &Theme) -> (&'static str, String, Style) {
    let word = |word: &str| state.interface().sentence(word);
    match &state.trial(which).status {
        Status::Done(check) if check.met => ("✔", word("tried"), theme.allowed.text),
        Status::Done(_) => ("✘", word("NOT MET"), theme.failed.text),
        Status::Running => ("…", word("running"), theme.strong),
        Status::Todo if state.is_out_of_reach(which) => ("○", word("not here"), theme.dim),
        Status::Todo => ("○", state.experiment(which).teaser.clone().unwrap_or_default(), theme.dim),
    }
}

/// Draws the list.
pub fn list(state: &State, cursor: Experiment, theme: &Theme, area: Rect, buffer: &mut Buffer) {
    let title = |which| state.experiment(which).title.as_str();
    let longest = Experiment::ALL.iter().map(|which| width(title(*which))).max().unwrap_or(0);
    let statuses = Experiment::ALL.map(|which| progress(state, which, theme));
    let widest = statuses.iter().map(|(_, word, _)| width(word)).max().unwrap_or(0);
    let lines = Experiment::ALL.map(|which| {
        let (sign, word, looks) = &statuses[which.index()];
        let after = " ".repeat(widest - width(word));
        let gap = " ".repeat(longest - width(title(which)));
        let number = format!(" {:>2}  ", which.index() + 1);
        let parts = [number, format!("{}{gap}  ", title(which)), format!("{sign} {word}{after} ")];
        dialog::row(parts, [theme.dim, theme.base, *looks], which == cursor, theme)
    });
    let (title, way_out) = (state.interface().say("break it"), dialog::list_way_out(state, "{} shows it"));
    dialog::list(state, (title, &way_out), &lines, cursor.index(), theme, area, buffer);
}
