//! Cells as pixels: each cell's shape as a mask of coverage, at a size that fills the whole picture.
//!
//! Lines and blocks are drawn from edge to edge of their cell: glyphs of them leave gaps.

use std::collections::HashMap;
use std::io;
use std::ops::Range;

use ratatui::buffer::Cell;
use ratatui::layout::Size;

use super::Row;
use super::font::{AddedFonts, Fonts};
use super::inks::Inks;
use super::looks::{Arms, Palette, cells, looks};

/// More is not seen on any screen, and a GIF can't be much wider.
const WIDEST: u32 = 7680;

/// Nothing can be read that is smaller.
const SMALLEST: (u32, u32) = (4, 8);

/// Where cells are on a canvas; around them is the theme's background.
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
}

impl Grid {
    /// For pictures of `size` on a canvas so many pixels wide and high.
    ///
    /// # Errors
    /// Where a cell would be too small to be read, or the picture larger than any screen.
    pub fn new(size: Size, (width, height): (u32, u32)) -> io::Result<Grid> {
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
        let (most_wide, most_high) = (width / columns, height / rows);
        // A cell is about twice as high as wide, as in terminals; what is left over goes around the picture.
        let cell = (most_wide.min(most_high * 10 / 18), most_high.min(most_wide * 22 / 10));
        if cell.0 < SMALLEST.0 || cell.1 < SMALLEST.1 {
            return refused(format!("{columns}×{rows} characters are too many for {width} pixels"));
        }
        let pixels = |value: u32| value as usize;
        Ok(Grid {
            width: pixels(width),
            height: pixels(height),
            cell: (pixels(cell.0), pixels(cell.1)),
            origin: (pixels((width - cell.0 * columns) / 2), pixels((height - cell.1 * rows) / 2)),
        })
    }
}

/// Draws pictures on a canvas of indexed colours.
pub(super) struct Painter<'a> {
    grid: Grid,
    inks: &'a Inks,
    palette: &'a Palette,
    fonts: Fonts,
    masks: HashMap<Shape, Vec<u8>>,
    /// The characters that no font has, in the order of their appearance.
    boxes: Vec<char>,
}

/// What a mask is drawn of.
#[derive(PartialEq, Eq, Hash)]
pub(super) struct Shape {
    pub symbol: String,
    pub columns: u16,
    pub bold: bool,
    pub underlined: bool,
}

impl<'a> Painter<'a> {
    pub fn new(grid: Grid, inks: &'a Inks, palette: &'a Palette, added: &AddedFonts) -> Option<Painter<'a>> {
        let fonts = Fonts::new(grid.cell, added.clone())?;
        Some(Painter { grid, inks, palette, fonts, masks: HashMap::new(), boxes: Vec::new() })
    }

    /// The characters of what was painted that no font has: they are boxes.
    pub fn boxes(self) -> Vec<char> {
        self.boxes
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
            let looks = looks(cell, self.palette);
            let ramp = self.inks.ramp(looks.ink, looks.paper);
            let shape =
                Shape { symbol: cell.symbol().to_owned(), columns, bold: looks.bold, underlined: looks.underlined };
            let (fonts, boxes) = (&self.fonts, &mut self.boxes);
            let mask = self.masks.entry(shape).or_insert_with_key(|shape| fonts.mask(shape, boxes));
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

/// How much ink each pixel of a cell, or of two, has.
pub(super) struct Mask {
    pub width: usize,
    pub height: usize,
    pub pixels: Vec<u8>,
}

impl Mask {
    /// Inks a pixel, unless it is outside or has more ink already.
    pub fn ink(&mut self, x: i64, y: i64, coverage: u8) {
        let (Ok(x), Ok(y)) = (usize::try_from(x), usize::try_from(y)) else { return };
        if x < self.width
            && let Some(pixel) = self.pixels.get_mut(y * self.width + x)
        {
            *pixel = coverage.max(*pixel);
        }
    }

    /// Inks from the left and the top to the right and the bottom.
    pub fn fill(&mut self, [left, top, right, bottom]: [usize; 4], coverage: u8) {
        for line in self.pixels.chunks_exact_mut(self.width).take(bottom).skip(top) {
            line.iter_mut().take(right).skip(left).for_each(|pixel| *pixel = coverage.max(*pixel));
        }
    }

    pub fn block(&mut self, part: [u8; 4], strength: u8) {
        let [left, top, right, bottom] = part.map(usize::from);
        let (width, height) = (self.width, self.height);
        self.fill([left * width / 8, top * height / 8, right * width / 8, bottom * height / 8], strength);
    }

    pub fn lines(&mut self, [up, right, down, left]: Arms, stroke: usize) {
        let thick = |weight: u8| stroke * usize::from(weight);
        // Both weights are about the same middle.
        let across = |extent: usize, weight: u8| {
            let start = (extent - thick(weight)) / 2;
            (start, start + thick(weight))
        };
        let (width, height) = (self.width, self.height);
        let (upright, level) = (up.max(down), left.max(right));
        let (join_left, join_right) = across(width, upright);
        let (join_top, join_bottom) = across(height, level);
        let (middle_x, middle_y) = (width / 2, height / 2);
        // An arm reaches to where the other direction's line ends, or to the middle where there is none.
        let (to_right, to_left) = if upright > 0 { (join_right, join_left) } else { (middle_x, middle_x) };
        let (to_bottom, to_top) = if level > 0 { (join_bottom, join_top) } else { (middle_y, middle_y) };
        let rows = |weight: u8| across(height, weight);
        let columns = |weight: u8| across(width, weight);
        for (weight, rectangle) in [
            (left, [0, rows(left).0, to_right, rows(left).1]),
            (right, [to_left, rows(right).0, width, rows(right).1]),
            (up, [columns(up).0, 0, columns(up).1, to_bottom]),
            (down, [columns(down).0, to_top, columns(down).1, height]),
        ] {
            if weight > 0 {
                self.fill(rectangle, 255);
            }
        }
    }

    /// A box as high as a capital letter, from one column to another, for what no font has.
    pub fn frame(&mut self, columns: Range<usize>, stroke: usize, bottom: usize, height: usize) {
        let (left, right) = (columns.start + stroke, columns.end.saturating_sub(stroke));
        let top = bottom.saturating_sub(height);
        for rectangle in [
            [left, top, right, top + stroke],
            [left, bottom.saturating_sub(stroke), right, bottom],
            [left, top, left + stroke, bottom],
            [right.saturating_sub(stroke), top, right, bottom],
        ] {
            self.fill(rectangle, 255);
        }
    }
}
