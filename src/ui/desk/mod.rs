//! Stage 7 as a choice: the three ways, the editor, and what became of an attempt.
//!
//! To show a draft elsewhere, as a drill does, call `editor::draft` with the rows that it may take; [`Typist`] turns keys
//! into edits of any draft.

mod choice;
mod editor;
mod outcome;
mod typist;

pub use choice::ROWS;
pub use outcome::said;
pub use typist::Typist;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};
use ratatui::widgets::{Paragraph, Widget};

use crate::lab::insight::forecast::Sign;
use crate::lab::lesson::interface::Interface;
use crate::lab::path::{Mark, Path};
use crate::lab::view::Desk;
use crate::lab::{Identity, State};

use super::path;
use super::text::{cut, spans_width, width};
use super::theme::Theme;

/// The most columns of a path.
const PATH: usize = 60;

/// Draws what stage 7 shows instead of the panes.
pub fn draw(state: &State, desk: Desk, theme: &Theme, area: Rect, buffer: &mut Buffer) {
    let lines = match desk {
        Desk::Choice => choice::lines(state, theme, area),
        Desk::Editor | Desk::Names(_) => editor::lines(state, theme, area),
        Desk::Outcome => outcome::lines(state, theme, area),
    };
    Paragraph::new(lines).render(area, buffer);
}

/// A line across the screen with a title at its left and a note at its right.
fn rule(title: &str, note: &str, is_focused: bool, theme: &Theme, columns: u16) -> Line<'static> {
    let (sign, line, looks) = match is_focused {
        true => ("━", theme.rule_focus, theme.focus),
        false => ("─", theme.rule, theme.base),
    };
    let note = if note.is_empty() { String::new() } else { format!(" {note} ") };
    let used = width(title) + width(&note) + 4;
    let gap = usize::from(columns).saturating_sub(used);
    cut(
        vec![
            Span::styled(format!("{sign} "), line),
            Span::styled(title.to_owned(), looks),
            Span::styled(format!(" {}", sign.repeat(gap)), line),
            Span::styled(note, theme.dim),
            Span::styled(sign, line),
        ],
        columns.into(),
    )
}

/// Spans with a text at a column, or behind them.
fn at(mut spans: Vec<Span<'static>>, column: usize, text: impl Into<String>, style: Style) -> Vec<Span<'static>> {
    let gap = column.saturating_sub(spans_width(&spans)).max(1);
    spans.push(Span::raw(" ".repeat(gap)));
    spans.push(Span::styled(text.into(), style));
    spans
}

/// The path of test-user's Scan with these marks, which nothing proves yet.
fn expected(table: Sign, key: Sign, words: Interface<'_>, theme: &Theme) -> Vec<Span<'static>> {
    let mark = |sign: Sign| match sign {
        Sign::Yes => Mark::Yes,
        Sign::No => Mark::No,
        Sign::Unknown => Mark::Unknown,
        Sign::NotAsked => Mark::NotAsked,
    };
    path::line(&Path::new(Identity::TestUser.name(), mark(table), mark(key)), words, theme, PATH).spans
}
