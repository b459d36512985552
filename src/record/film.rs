//! A recording in memory: pictures with their times and chapters, the input of all writers.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use ratatui::buffer::{Buffer, Cell};
use ratatui::layout::Size;

use super::palette::Palette;

/// A row of a screen.
pub type Row = Arc<[Cell]>;

/// One picture of a film.
#[derive(Debug, Clone, PartialEq)]
pub struct Picture {
    /// When it appears, from the beginning of the film.
    pub at: Duration,
    /// The screen, as [`Rows`] returns it.
    pub rows: Vec<Row>,
    /// The chapter that begins with it, as [`super::chapters`] names it.
    pub chapter: Option<String>,
    /// The stage it shows, by its key; empty for the title and the end card.
    pub stage: &'static str,
}

/// A recording: pictures in the order of time.
#[derive(Debug, Clone, PartialEq)]
pub struct Film {
    /// A title for headers and alternative texts.
    pub title: String,
    /// Columns and rows of every picture.
    pub size: Size,
    /// The terminal's own colors.
    pub palette: Palette,
    /// The pictures.
    pub pictures: Vec<Picture>,
    /// When it ends; the last picture stays until then.
    pub end: Duration,
}

impl Film {
    /// Makes a film of one of its pictures, with another title.
    #[must_use]
    pub fn still(&self, title: String, picture: &Picture) -> Film {
        let Film { size, palette, .. } = *self;
        Film { title, size, palette, pictures: vec![picture.clone()], end: picture.at }
    }
}

/// All rows of a film. Its pictures share them: most rows don't change, and a session may have thousands of pictures.
#[derive(Debug, Default)]
pub struct Rows {
    known: HashSet<Row>,
    newest: Vec<Row>,
    /// The cells of all known rows.
    cells: usize,
}

impl Rows {
    /// Returns the rows of `buffer`.
    pub fn of(&mut self, buffer: &Buffer) -> Vec<Row> {
        let columns = usize::from(buffer.area.width).max(1);
        let rows = buffer.content.chunks(columns).enumerate().map(|(y, row)| {
            // Comparing is cheaper than a lookup.
            let same = self.newest.get(y).filter(|newest| newest[..] == *row).or_else(|| self.known.get(row));
            same.cloned().unwrap_or_else(|| {
                let new = Row::from(row);
                self.known.insert(new.clone());
                self.cells += row.len();
                new
            })
        });
        self.newest = rows.collect();
        self.newest.clone()
    }

    /// Returns how many cells it keeps.
    pub(super) fn cells(&self) -> usize {
        self.cells
    }
}

#[cfg(test)]
mod tests {
    use ratatui::layout::Rect;
    use ratatui::style::Style;

    use super::*;

    #[test]
    fn a_long_session_keeps_each_row_once() {
        let mut rows = Rows::default();
        let mut buffer = Buffer::empty(Rect::new(0, 0, 100, 28));
        let pictures: Vec<Vec<Row>> = (0..3_600)
            .map(|second| {
                buffer.set_string(0, 0, format!("{:02}:{:02}", second / 60, second % 60), Style::new());
                buffer.set_string(0, 3, ["◐", "◓", "◑", "◒"][second % 4], Style::new());
                rows.of(&buffer)
            })
            .collect();
        // The row that never changes, those of the clock, and those of the waiting sign.
        assert_eq!(rows.known.len(), 1 + 3_600 + 4);
        assert!(pictures.iter().all(|picture| picture.len() == 28 && Arc::ptr_eq(&picture[1], &pictures[0][9])));
        assert_eq!(pictures[61][0].iter().take(5).map(Cell::symbol).collect::<String>(), "01:01");
    }
}
