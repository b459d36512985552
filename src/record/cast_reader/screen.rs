//! What a terminal shows of an asciicast's output, as cells of ours.

use std::panic::{AssertUnwindSafe, catch_unwind};

use ratatui::buffer::{Buffer, Cell};
use ratatui::layout::{Position, Rect, Size};
use ratatui::style::{Color, Modifier};

use crate::lab::glyphs::{glyph_width, shown};

/// A terminal whose pictures have a fixed size.
pub(super) struct Screen {
    terminal: vt100::Parser,
    pictures: Size,
}

impl Screen {
    /// Makes a terminal of `size`; its pictures have the size `pictures`.
    pub fn new(size: Size, pictures: Size) -> Screen {
        Screen { terminal: vt100::Parser::new(size.height, size.width, 0), pictures }
    }

    /// Shows output. Returns whether that was possible: the emulator panics where a row that is no longer there wraps.
    pub fn write(&mut self, data: &str) -> bool {
        catch_unwind(AssertUnwindSafe(|| self.terminal.process(data.as_bytes()))).is_ok()
    }

    /// Changes the terminal's size. Returns whether that was possible.
    pub fn resize(&mut self, size: Size) -> bool {
        catch_unwind(AssertUnwindSafe(|| self.terminal.screen_mut().set_size(size.height, size.width))).is_ok()
    }

    /// Returns what it shows, with the cursor.
    pub fn draw(&self) -> Buffer {
        let mut buffer = Buffer::empty(Rect::from((Position::ORIGIN, self.pictures)));
        let screen = self.terminal.screen();
        let (rows, columns) = screen.size();
        for (x, y) in (0..rows).flat_map(|y| (0..columns).map(move |x| (x, y))) {
            if let (Some(from), Some(to)) = (screen.cell(y, x), buffer.cell_mut((x, y))) {
                copy(from, to);
            }
        }
        let (y, x) = screen.cursor_position();
        if let Some(cell) = buffer.cell_mut((x, y)).filter(|_| !screen.hide_cursor()) {
            cell.modifier.toggle(Modifier::REVERSED);
        }
        buffer
    }
}

fn copy(from: &vt100::Cell, to: &mut Cell) {
    to.set_symbol(&symbol(from));
    (to.fg, to.bg) = (color(from.fgcolor()), color(from.bgcolor()));
    for (has, modifier) in [
        (from.bold(), Modifier::BOLD),
        (from.dim(), Modifier::DIM),
        (from.italic(), Modifier::ITALIC),
        (from.underline(), Modifier::UNDERLINED),
        (from.inverse(), Modifier::REVERSED),
    ] {
        to.modifier.set(modifier, has);
    }
}

/// Returns the character of a cell, if it is safe to draw and as wide as the terminal takes it to be.
fn symbol(cell: &vt100::Cell) -> String {
    let columns = if cell.is_wide() { 2 } else { 1 };
    let fits = |text: &str| glyph_width(text) == columns;
    let content = shown(cell.contents());
    let alone: String = content.chars().take(1).collect();
    match () {
        () if content.is_empty() || cell.is_wide_continuation() => " ".to_owned(),
        () if fits(&content) => content.into_owned(),
        // Without what joins it.
        () if fits(&alone) => alone,
        () => "?".repeat(columns),
    }
}

fn color(color: vt100::Color) -> Color {
    match color {
        vt100::Color::Default => Color::Reset,
        vt100::Color::Idx(index) => Color::Indexed(index),
        vt100::Color::Rgb(red, green, blue) => Color::Rgb(red, green, blue),
    }
}
