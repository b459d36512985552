//! Draws cells as pixels, at a size that fills the whole picture.

use std::collections::HashMap;
use std::io;

use ratatui::buffer::Cell;
use ratatui::layout::Size;

use super::color_table::ColorTable;
use super::film::Row;
use super::font::{AddedFonts, Fonts};
use super::frame::Frame;
use super::glyph::Shape;
use super::options::Pixels;
use super::palette::Palette;
use super::style::{CellStyle, cells};

/// The most pixels in either direction: no screen shows more, and a GIF can't be much wider.
const WIDEST: u32 = 7680;

/// The smallest cell that can be read.
const SMALLEST: (u32, u32) = (4, 8);

/// The place of cells on a canvas; the theme's background surrounds them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Grid {
    /// The canvas, in pixels.
    pub width: usize,
    /// Likewise.
    pub height: usize,
    /// One cell.
    pub cell: (usize, usize),
    /// Where the first cell begins.
    pub origin: (usize, usize),
    /// The window around them.
    pub frame: Option<Frame>,
}

impl Grid {
    /// Lays out pictures of `size` on a canvas of `pixels`, in a window if `framed` is set.
    ///
    /// # Errors
    /// If a cell would be too small to read, or the picture larger than any screen.
    pub fn new(size: Size, Pixels { width, height }: Pixels, framed: bool) -> io::Result<Grid> {
        let refused = |text| Err(io::Error::new(io::ErrorKind::InvalidInput, text));
        for (pixels, what) in [(width, "wide"), (height, "high")] {
            if pixels > WIDEST {
                return refused(format!("{pixels} pixels are more than the {WIDEST} that a picture may be {what}"));
            }
        }
        // Encoders of films want even numbers.
        let even = |value: u32| value + value % 2;
        let (width, height) = (even(width), even(height));
        let (columns, rows) = (u32::from(size.width).max(1), u32::from(size.height).max(1));
        let pixels = |value: u32| value as usize;
        let frame = framed.then(|| Frame::new(pixels(width), pixels(height)));
        let whole = [(0, 0), (pixels(width), pixels(height))];
        let [from, (inner_width, inner_height)] = frame.map_or(whole, |frame| frame.inside());
        // They are parts of what came as u32.
        let (inner_width, inner_height) = (inner_width as u32, inner_height as u32);
        let (most_wide, most_high) = (inner_width / columns, inner_height / rows);
        // A cell is about twice as high as wide, as in terminals; what is left over goes around the picture.
        let cell = (most_wide.min(most_high * 10 / 18), most_high.min(most_wide * 22 / 10));
        if cell.0 < SMALLEST.0 || cell.1 < SMALLEST.1 {
            return refused(format!("{columns}×{rows} characters are too many for {width} pixels"));
        }
        let left_over = |all: u32, cell: u32, count: u32| pixels((all - cell * count) / 2);
        Ok(Grid {
            width: pixels(width),
            height: pixels(height),
            cell: (pixels(cell.0), pixels(cell.1)),
            origin: (from.0 + left_over(inner_width, cell.0, columns), from.1 + left_over(inner_height, cell.1, rows)),
            frame,
        })
    }
}

/// Draws pictures on a canvas of indexed colors.
pub(super) struct Painter<'a> {
    grid: Grid,
    colors: &'a ColorTable,
    palette: &'a Palette,
    fonts: Fonts,
    masks: HashMap<Shape, Vec<u8>>,
    /// The characters that no font has, in the order of their appearance.
    missing: Vec<char>,
}

impl<'a> Painter<'a> {
    pub fn new(grid: Grid, colors: &'a ColorTable, palette: &'a Palette, added: &AddedFonts) -> Option<Painter<'a>> {
        let fonts = Fonts::new(grid.cell, added.clone())?;
        Some(Painter { grid, colors, palette, fonts, masks: HashMap::new(), missing: Vec::new() })
    }

    /// Returns the painted characters that no font has: boxes stand for them.
    pub fn missing_glyphs(self) -> Vec<char> {
        self.missing
    }

    /// Paints `rows` over a canvas that shows `before`.
    pub fn paint(&mut self, rows: &[Row], before: &[Row], canvas: &mut [u8]) {
        for (y, row) in rows.iter().enumerate().filter(|(y, row)| before.get(*y) != Some(row)) {
            self.row(row, y, canvas);
        }
    }

    fn row(&mut self, row: &[Cell], y: usize, canvas: &mut [u8]) {
        let Grid { width, cell: (cell_width, cell_height), origin, .. } = self.grid;
        let top = origin.1 + y * cell_height;
        for (x, columns, cell) in cells(row) {
            let CellStyle { foreground, background, bold, underlined, .. } = CellStyle::new(cell, self.palette);
            let ramp = self.colors.ramp(foreground, background);
            let shape = Shape { symbol: cell.symbol().to_owned(), columns, bold, underlined };
            let (fonts, missing) = (&self.fonts, &mut self.missing);
            let mask = self.masks.entry(shape).or_insert_with_key(|shape| fonts.mask(shape, missing));
            let left = origin.0 + usize::from(x) * cell_width;
            let wide = cell_width * usize::from(columns);
            for (line, coverages) in mask.chunks_exact(wide).enumerate() {
                let start = (top + line) * width + left;
                let Some(pixels) = canvas.get_mut(start..start + wide) else { break };
                for (pixel, coverage) in pixels.iter_mut().zip(coverages) {
                    *pixel = ramp.index(*coverage);
                }
            }
        }
    }
}
