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

/// A sign and a word for an experiment's status.
fn progress(state: &State, which: Experiment, theme: &Theme) -> (&'static str, &'static str, Style) {
    match &state.trial(which).status {
        Status::Done(check) if check.met => ("✔", "tried", theme.allowed.text),
        Status::Done(_) => ("✘", "NOT MET", theme.failed.text),
        Status::Running => ("…", "running", theme.strong),
        Status::Todo if state.is_out_of_reach(which) => ("○", "not here", theme.dim),
        Status::Todo => ("○", "", theme.dim),
    }
}

/// Draws the list.
pub fn list(state: &State, cursor: Experiment, theme: &Theme, area: Rect, buffer: &mut Buffer) {
    let title = |which| state.experiment(which).title.as_str();
    let longest = Experiment::ALL.iter().map(|which| width(title(*which))).max().unwrap_or(0);
    let lines = Experiment::ALL.map(|which| {
        let (sign, word, looks) = progress(state, which, theme);
        let gap = " ".repeat(longest - width(title(which)));
        let number = format!(" {:>2}  ", which.index() + 1);
        let parts =
            [number, format!("{}{gap}  ", title(which)), format!("{sign} {:<8} ", state.interface().sentence(word))];
        dialog::row(parts, [theme.dim, theme.base, looks], which == cursor, theme)
    });
    let (title, way_out) = (state.interface().say("break it"), dialog::list_way_out(state, "{} shows it"));
    dialog::list(state, (title, &way_out), &lines, cursor.index(), theme, area, buffer);
}
