//! The shape of a cell as a mask of coverage.
//!
//! Lines and blocks are drawn from edge to edge of their cell: glyphs of them leave gaps.

use std::ops::Range;

use super::shapes::Arms;

/// What a mask is drawn of.
#[derive(PartialEq, Eq, Hash)]
pub(super) struct Shape {
    pub symbol: String,
    pub columns: u16,
    pub bold: bool,
    pub underlined: bool,
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
        // An arm reaches to where the other direction's line ends, or to the middle if that has no line.
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
