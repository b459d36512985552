//! The box of a dialog or a page: its frame, its title, and the way out of it.

use ratatui::buffer::Buffer;
use ratatui::layout::{Constraint, Rect};
use ratatui::style::Style;
use ratatui::text::{Line, Span};
use ratatui::widgets::{Block, Clear, Padding, Paragraph, Widget};

use crate::lab::State;

use super::keys::names;
use super::keys::row::KeyHint;
use super::search;
use super::text::{cut, spans_width};
use super::theme::Theme;

/// Columns of a box besides its text.
pub const FRAME_COLUMNS: u16 = 6;

/// Rows of a box besides its text, where there is room for its padding.
const FRAME_ROWS: u16 = 4;

/// Draws an empty box for `rows` lines of `columns` columns and returns the place of the text.
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
    if place.bottom() == area.bottom() {
        // Beside the box, the rest of the footer would be read as part of it.
        let row = Rect { y: place.bottom().saturating_sub(1), height: place.height.min(1), ..area };
        Clear.render(row, buffer);
        buffer.set_style(row, theme.base);
    }
    let block = Block::bordered()
        .border_style(theme.rule_focus)
        .title(Line::from(Span::styled(format!(" {title} "), theme.focus)))
        .title_bottom(Line::from(Span::styled(format!(" {way_out} "), theme.strong)).right_aligned())
        .padding(Padding::new(2, 2, padding, padding));
    let inner = block.inner(place);
    block.render(place, buffer);
    inner
}

/// Draws a box with `lines`.
pub fn draw(
    title: &str,
    way_out: &str,
    columns: u16,
    lines: Vec<Line<'static>>,
    theme: &Theme,
    area: Rect,
    buffer: &mut Buffer,
) {
    let place = open(title, way_out, columns, rows_of(&lines), theme, area, buffer);
    Paragraph::new(lines).render(place, buffer);
}

/// Draws a box with the rows of a list; where rows are few, those around the cursor.
pub fn list(
    state: &State,
    (title, way_out): (&str, &str),
    lines: &[Line<'static>],
    cursor: usize,
    theme: &Theme,
    area: Rect,
    buffer: &mut Buffer,
) {
    let columns = lines.iter().map(|line| spans_width(&line.spans)).max().unwrap_or(0);
    let room = columns + usize::from(FRAME_COLUMNS) - 4;
    let columns = u16::try_from(columns).unwrap_or(u16::MAX);
    let found = state.found_rows();
    let at = found.iter().position(|row| *row == cursor).map_or(0, |at| at + 1);
    let way_out = search::way_out(state, way_out.to_owned(), (at, found.len()), room);
    let place = open(title, &way_out, columns, rows_of(lines), theme, area, buffer);
    let rows = usize::from(place.height);
    let first = cursor.saturating_sub(rows / 2).min(lines.len().saturating_sub(rows));
    let query = state.view().search().map_or("", |search| search.query());
    let highlighted = |(row, line): (usize, &Line<'static>)| match row == cursor {
        true => line.clone(),
        false => search::highlight(line, query, theme.hint),
    };
    let lines: Vec<Line<'static>> = lines.iter().enumerate().skip(first).map(highlighted).collect();
    Paragraph::new(lines).render(place, buffer);
}

/// A row of a list: number, title and status in these styles, unless the cursor is on it.
pub fn row(parts: [String; 3], styles: [Style; 3], is_cursor: bool, theme: &Theme) -> Line<'static> {
    let styles = if is_cursor { [theme.focus; 3] } else { styles };
    Line::from_iter(parts.into_iter().zip(styles).map(|(text, style)| Span::styled(text, style)))
}

/// The choices of a dialog: each key and what it does.
pub fn choices(hints: Vec<KeyHint>, key_columns: usize, columns: u16, theme: &Theme) -> Vec<Line<'static>> {
    let choice = |hint: KeyHint| {
        let key = Span::styled(format!(" {:^key_columns$} ", hint.keys), theme.focus);
        cut(vec![key, Span::styled(format!("  {}", hint.label), theme.base)], columns.into())
    };
    hints.into_iter().map(choice).collect()
}

/// The number of lines.
pub fn rows_of(lines: &[Line<'_>]) -> u16 {
    u16::try_from(lines.len()).unwrap_or(u16::MAX)
}

/// The bottom line of a list: its keys. `takes` is what enter does with a row.
pub fn list_way_out(state: &State, takes: &'static str) -> String {
    let (keymap, words) = (&state.view().keys, state.interface());
    let takes = words.fill(takes, &[&names::first("advance", keymap)]);
    format!("{takes} · {}", words.fill("{} closes", &[&names::first("back", keymap)]))
}
