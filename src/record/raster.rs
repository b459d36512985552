//! Cells as pixels: each cell's shape as a mask of coverage, at a size that fills the whole picture.
//!
//! The font is part of the program, so a picture is the same everywhere. Lines and blocks are drawn from edge to edge
//! of their cell: glyphs of them leave gaps.

use std::collections::HashMap;
use std::io;

use ab_glyph::{Font, FontRef, Glyph, OutlinedGlyph, PxScale, point};
use ratatui::buffer::Cell;
use ratatui::layout::Size;
use unicode_width::UnicodeWidthChar;

use super::Row;
use super::inks::Inks;
use super::looks::{Arms, Palette, arms, block, cells, is_sign, looks};

/// How wide the font's letters are, and how far they reach over and under the line they stand on, in units of its size.
const ADVANCE: f32 = 0.6;
const ASCENT: f32 = 0.95;
const DESCENT: f32 = 0.27;

/// Where the middle of a capital letter is.
const MIDDLE: f32 = 0.365;

/// How much of its cell's width a sign takes.
pub(super) const SIGN: f32 = 0.84;

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
}

/// What a mask is drawn of.
#[derive(PartialEq, Eq, Hash)]
struct Shape {
    symbol: String,
    columns: u16,
    bold: bool,
    underlined: bool,
}

impl<'a> Painter<'a> {
    pub fn new(grid: Grid, inks: &'a Inks, palette: &'a Palette) -> Option<Painter<'a>> {
        Some(Painter { grid, inks, palette, fonts: Fonts::new(grid.cell)?, masks: HashMap::new() })
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
            let fonts = &self.fonts;
            let mask = self.masks.entry(shape).or_insert_with_key(|shape| fonts.mask(shape));
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

struct Fonts {
    regular: FontRef<'static>,
    bold: FontRef<'static>,
    signs: FontRef<'static>,
    /// The font's size and the row letters stand on, in pixels.
    size: f32,
    baseline: f32,
    cell: (usize, usize),
}

impl Fonts {
    fn new(cell: (usize, usize)) -> Option<Fonts> {
        let read = |bytes: &'static [u8]| FontRef::try_from_slice(bytes).ok();
        let (width, height) = (cell.0 as f32, cell.1 as f32);
        let size = (width / ADVANCE).min(height / (ASCENT + DESCENT));
        Some(Fonts {
            regular: read(include_bytes!("../../assets/font/JetBrainsMono-Regular.ttf"))?,
            bold: read(include_bytes!("../../assets/font/JetBrainsMono-Bold.ttf"))?,
            signs: read(include_bytes!("../../assets/font/Signs.ttf"))?,
            size,
            baseline: ((height - size * (ASCENT + DESCENT)) / 2.0 + size * ASCENT).round(),
            cell,
        })
    }

    fn mask(&self, shape: &Shape) -> Vec<u8> {
        let (width, height) = (self.cell.0 * usize::from(shape.columns), self.cell.1);
        let mut mask = Mask { width, height, pixels: vec![0; width * height] };
        for c in shape.symbol.chars() {
            match (arms(c), block(c)) {
                (Some(arms), _) => mask.lines(arms, self.stroke()),
                (None, Some((part, strength))) => mask.block(part, strength),
                (None, None) if c == ' ' => {}
                (None, None) => self.letter(&mut mask, c, shape.bold),
            }
        }
        if shape.underlined {
            let top = (self.baseline + self.size * 0.12) as usize;
            mask.fill([0, top, width, top + self.stroke()], 255);
        }
        mask.pixels
    }

    /// How thick a light line is.
    fn stroke(&self) -> usize {
        (self.cell.0 / 9).max(1)
    }

    fn letter(&self, mask: &mut Mask, c: char, bold: bool) {
        let text = if bold { &self.bold } else { &self.regular };
        let found = [text, &self.signs].into_iter().find(|font| font.glyph_id(c).0 != 0);
        let middle = self.baseline - self.size * MIDDLE;
        let Some(font) = found else {
            // What only changes the character before it is left out, what stands for itself is not.
            if c.width().unwrap_or(0) > 0 {
                mask.frame(self.stroke(), self.baseline as usize, (self.size * 2.0 * MIDDLE) as usize);
            }
            return;
        };
        let outline = |size: f32| -> Option<OutlinedGlyph> {
            let scale = PxScale::from(size * font.height_unscaled() / font.units_per_em()?);
            let advance = size * font.h_advance_unscaled(font.glyph_id(c)) / font.units_per_em()?;
            // Accents have no advance: they reach back over the letter before.
            let over = if advance > 0.0 { -advance } else { size * ADVANCE };
            let left = ((mask.width as f32 + over) / 2.0).max(0.0);
            // About the middle of capital letters, where what is scaled down stays.
            let baseline = middle + size * MIDDLE;
            let glyph: Glyph = font.glyph_id(c).with_scale_and_position(scale, point(left, baseline.round()));
            font.outline_glyph(glyph)
        };
        let Some(mut glyph) = outline(self.size) else { return };
        // Signs may be wider than a cell. Those that stand side by side keep a distance.
        let is_sign = is_sign(c);
        let room = if is_sign { mask.width as f32 * SIGN } else { mask.width as f32 + 1.0 };
        let wide = glyph.px_bounds().width();
        if wide > room
            && let Some(smaller) = outline(self.size * room.min(mask.width as f32) / wide)
        {
            glyph = smaller;
        }
        let bounds = glyph.px_bounds();
        let left = match is_sign || bounds.min.x < 0.0 || bounds.max.x > mask.width as f32 {
            true => (mask.width as f32 - bounds.width()) / 2.0,
            false => bounds.min.x,
        };
        glyph.draw(|x, y, coverage| {
            let (x, y) = (left.round() as i64 + i64::from(x), bounds.min.y as i64 + i64::from(y));
            mask.ink(x, y, (coverage * 255.0).round() as u8);
        });
    }
}

struct Mask {
    width: usize,
    height: usize,
    pixels: Vec<u8>,
}

impl Mask {
    /// Inks a pixel, unless it is outside or has more ink already.
    fn ink(&mut self, x: i64, y: i64, coverage: u8) {
        let (Ok(x), Ok(y)) = (usize::try_from(x), usize::try_from(y)) else { return };
        if x < self.width
            && let Some(pixel) = self.pixels.get_mut(y * self.width + x)
        {
            *pixel = coverage.max(*pixel);
        }
    }

    /// Inks from the left and the top to the right and the bottom.
    fn fill(&mut self, [left, top, right, bottom]: [usize; 4], coverage: u8) {
        for line in self.pixels.chunks_exact_mut(self.width).take(bottom).skip(top) {
            line.iter_mut().take(right).skip(left).for_each(|pixel| *pixel = coverage.max(*pixel));
        }
    }

    fn block(&mut self, part: [u8; 4], strength: u8) {
        let [left, top, right, bottom] = part.map(usize::from);
        let (width, height) = (self.width, self.height);
        self.fill([left * width / 8, top * height / 8, right * width / 8, bottom * height / 8], strength);
    }

    fn lines(&mut self, [up, right, down, left]: Arms, stroke: usize) {
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

    /// A box as high as a capital letter, for what no font has.
    fn frame(&mut self, stroke: usize, bottom: usize, height: usize) {
        let (left, right, top) = (stroke, self.width.saturating_sub(stroke), bottom.saturating_sub(height));
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
