//! How a cell looks in a picture. The writers of all picture formats ask here.

use ratatui::buffer::Cell;
use ratatui::style::Modifier;

use super::film::{Film, Row};
use super::palette::{Palette, Rgb, blend};
use crate::lab::glyphs::glyph_width;

/// The strength of dim text, as terminals show it: two thirds.
const DIM: u8 = 170;

/// The style of a cell, with all modifiers applied.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct CellStyle {
    pub foreground: Rgb,
    pub background: Rgb,
    pub bold: bool,
    pub italic: bool,
    pub underlined: bool,
}

impl CellStyle {
    pub fn new(cell: &Cell, palette: &Palette) -> CellStyle {
        let modifier = cell.modifier;
        let mut foreground = palette.rgb(cell.fg, palette.foreground);
        let mut background = palette.rgb(cell.bg, palette.background);
        if modifier.contains(Modifier::REVERSED) {
            std::mem::swap(&mut foreground, &mut background);
        }
        if modifier.contains(Modifier::DIM) {
            foreground = blend(foreground, background, DIM);
        }
        if modifier.contains(Modifier::HIDDEN) {
            foreground = background;
        }
        CellStyle {
            foreground,
            background,
            bold: modifier.contains(Modifier::BOLD),
            italic: modifier.contains(Modifier::ITALIC),
            underlined: modifier.contains(Modifier::UNDERLINED),
        }
    }
}

/// Iterates over the visible cells of a row: column, width in columns, cell. Cells behind a wide character are skipped.
pub(super) fn cells(row: &[Cell]) -> impl Iterator<Item = (u16, u16, &Cell)> {
    let right = u16::try_from(row.len()).unwrap_or(u16::MAX);
    let mut x = 0;
    std::iter::from_fn(move || {
        let cell = row.get(usize::from(x)).filter(|_| x < right)?;
        let columns = u16::try_from(glyph_width(cell.symbol())).unwrap_or(1).clamp(1, right - x);
        x += columns;
        Some((x - columns, columns, cell))
    })
}

/// Returns the color around a picture, that of its last cell: a theme may paint its own background.
pub(super) fn background(rows: &[Row], palette: &Palette) -> Rgb {
    let last = rows.last().and_then(|row| row.last());
    last.map_or(palette.background, |cell| CellStyle::new(cell, palette).background)
}

/// Returns the color around the pictures of a film.
pub(super) fn film_background(film: &Film) -> Rgb {
    film.pictures.first().map_or(film.palette.background, |first| background(&first.rows, &film.palette))
}
