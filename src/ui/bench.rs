//! The list of experiments.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};
use ratatui::widgets::{Paragraph, Widget};

use crate::lab::{Experiment, State, Status};

use super::dialog::{list_way_out, open, rows_of};
use super::text::{spans_width, width};
use super::theme::Theme;

/// What stands in the header: which of how many.
pub fn number(which: Experiment) -> String {
    format!("x {}/{}", which.index() + 1, Experiment::ALL.len())
}

/// A sign and a word for how far an experiment is.
fn progress(state: &State, which: Experiment, theme: &Theme) -> (&'static str, &'static str, Style) {
    match &state.bench.record(which).status {
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
    let lines: Vec<Line<'static>> = Experiment::ALL
        .into_iter()
        .map(|which| {
            let (sign, word, looks) = progress(state, which, theme);
            let gap = " ".repeat(longest - width(title(which)));
            let (number, name) = (format!(" {:>2}  ", which.index() + 1), format!("{}{gap}  ", title(which)));
            let state = format!("{sign} {word:<8} ");
            let [first, second, third] =
                if which == cursor { [theme.focus; 3] } else { [theme.dim, theme.base, looks] };
            Line::from(vec![Span::styled(number, first), Span::styled(name, second), Span::styled(state, third)])
        })
        .collect();
    let columns = lines.iter().map(|line| spans_width(&line.spans)).max().unwrap_or(0);
    let columns = u16::try_from(columns).unwrap_or(u16::MAX);
    let place = open("break it", &list_way_out(state), columns, rows_of(&lines), theme, area, buffer);
    // Where rows are few, those around the cursor.
    let rows = usize::from(place.height);
    let first = cursor.index().saturating_sub(rows / 2).min(lines.len().saturating_sub(rows));
    Paragraph::new(lines.into_iter().skip(first).collect::<Vec<_>>()).render(place, buffer);
}
