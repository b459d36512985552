//! The box of a dialog or a page: its frame, its title, and the way out of it.

use ratatui::buffer::Buffer;
use ratatui::layout::{Constraint, Rect};
use ratatui::text::{Line, Span};
use ratatui::widgets::{Block, Clear, Padding, Widget};

use crate::lab::State;

use super::keys::names;
use super::theme::Theme;

/// Columns that a box takes besides its text.
pub const FRAME_COLUMNS: u16 = 6;

/// Rows that a box takes besides its text, where there is room for its padding.
const FRAME_ROWS: u16 = 4;

/// Draws an empty box for `rows` lines of `columns` columns and gives the place of the text.
pub fn open(
    title: &str,
    way_out: &str,
    columns: u16,
    rows: u16,
    theme: &Theme,
    area: Rect,
    buffer: &mut Buffer,
) -> Rect {
    // The empty rows inside the frame go first when there is little room.
    let padding = u16::from(rows + FRAME_ROWS <= area.height);
    let columns = columns.saturating_add(FRAME_COLUMNS).min(area.width);
    let rows = rows.saturating_add(2 + 2 * padding).min(area.height);
    let place = area.centered(Constraint::Length(columns), Constraint::Length(rows));
    Clear.render(place, buffer);
    buffer.set_style(place, theme.base);
    let block = Block::bordered()
        .border_style(theme.rule_focus)
        .title(Line::from(Span::styled(format!(" {title} "), theme.focus)))
        .title_bottom(Line::from(Span::styled(format!(" {way_out} "), theme.strong)).right_aligned())
        .padding(Padding::new(2, 2, padding, padding));
    let inner = block.inner(place);
    block.render(place, buffer);
    inner
}

pub fn rows_of(lines: &[Line<'_>]) -> u16 {
    u16::try_from(lines.len()).unwrap_or(u16::MAX)
}

/// What enter does to a row of a list.
pub const SHOWS: &str = "shows it";

/// What the keys do in a list.
pub fn list_way_out(state: &State) -> String {
    let keymap = &state.view.keys;
    format!("{} {SHOWS} · {} closes", names::first("advance", keymap), names::first("back", keymap))
}
