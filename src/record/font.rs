//! The fonts of pictures. The built-in font makes pictures the same everywhere; users may add others for characters that
//! it lacks.

use std::ops::Range;
use std::path::PathBuf;

use ab_glyph::{Font, FontArc, FontRef, Glyph, OutlinedGlyph, PxScale, point};
use unicode_width::UnicodeWidthChar;

use super::error::RecordError;
use super::glyph::{Mask, Shape};
use super::shapes::{arms, block, is_sign};
use crate::disk;

/// The advance, ascent and descent of the font's letters, in units of its size.
const ADVANCE: f32 = 0.6;
const ASCENT: f32 = 0.95;
const DESCENT: f32 = 0.27;

/// The middle of a capital letter.
const MIDDLE: f32 = 0.365;

/// The part of a cell's width that a sign fills.
pub(super) const SIGN: f32 = 0.84;

/// Joins pictures to one.
const JOINER: char = '\u{200d}';

/// Fonts for characters that the built-in one lacks, tried one after the other.
#[derive(Debug, Clone, Default)]
pub struct AddedFonts(Vec<FontArc>);

impl AddedFonts {
    /// Reads TrueType and OpenType files; of a collection its first font.
    ///
    /// # Errors
    /// [`RecordError::Font`] for the first one that can't be used.
    pub fn read(paths: &[PathBuf]) -> Result<AddedFonts, RecordError> {
        let read = |path: &PathBuf| {
            let refused = |reason: String| RecordError::Font { path: path.clone(), reason };
            let bytes =
                disk::read(path, disk::RECORDING).map_err(|error| refused(format!("it can't be read: {error}")))?;
            let font = FontArc::try_from_vec(bytes)
                .map_err(|_| refused("it is no font of a known kind (.ttf, .otf or .ttc)".to_owned()))?;
            let has_outlines = font.codepoint_ids().any(|(glyph, _)| font.outline(glyph).is_some());
            match has_outlines && font.units_per_em().is_some() {
                true => Ok(font),
                false => Err(refused("it has no outlines; a font of colored pictures can't be drawn".to_owned())),
            }
        };
        paths.iter().map(read).collect::<Result<_, _>>().map(AddedFonts)
    }
}

/// The fonts at the size of a picture.
pub(super) struct Fonts {
    regular: FontRef<'static>,
    bold: FontRef<'static>,
    signs: FontRef<'static>,
    added: AddedFonts,
    /// The font's size and the row letters stand on, in pixels.
    size: f32,
    baseline: f32,
    cell: (usize, usize),
}

impl Fonts {
    /// Loads the fonts for cells of this many pixels.
    pub fn new(cell: (usize, usize), added: AddedFonts) -> Option<Fonts> {
        let read = |bytes: &'static [u8]| FontRef::try_from_slice(bytes).ok();
        let (width, height) = (cell.0 as f32, cell.1 as f32);
        let size = (width / ADVANCE).min(height / (ASCENT + DESCENT));
        Some(Fonts {
            regular: read(include_bytes!("../../assets/font/JetBrainsMono-Regular.ttf"))?,
            bold: read(include_bytes!("../../assets/font/JetBrainsMono-Bold.ttf"))?,
            signs: read(include_bytes!("../../assets/font/Signs.ttf"))?,
            added,
            size,
            baseline: ((height - size * (ASCENT + DESCENT)) / 2.0 + size * ASCENT).round(),
            cell,
        })
    }

    /// Draws a cell, or the two of a wide character. A character that no font has becomes a box and is added to
    /// `missing`.
    pub fn mask(&self, shape: &Shape, missing: &mut Vec<char>) -> Vec<u8> {
        let (width, height) = (self.cell.0 * usize::from(shape.columns), self.cell.1);
        let mut mask = Mask { width, height, pixels: vec![0; width * height] };
        for (c, place) in placed(&shape.symbol, width) {
            match (arms(c), block(c)) {
                (Some(arms), _) => mask.lines(arms, self.stroke()),
                (None, Some((part, strength))) => mask.block(part, strength),
                (None, None) if c.is_whitespace() => {}
                (None, None) if self.letter(&mut mask, &place, c, shape.bold) => {}
                // What only changes the character before it is left out, what stands for itself is not.
                (None, None) if !is_base(c) => {}
                (None, None) => {
                    mask.frame(place, self.stroke(), self.baseline as usize, (self.size * 2.0 * MIDDLE) as usize);
                    if !missing.contains(&c) {
                        missing.push(c);
                    }
                }
            }
        }
        if shape.underlined {
            let top = (self.baseline + self.size * 0.12) as usize;
            mask.fill([0, top, width, top + self.stroke()], 255);
        }
        mask.pixels
    }

    /// Returns the width of a light line.
    fn stroke(&self) -> usize {
        (self.cell.0 / 9).max(1)
    }

    /// Draws a character into its columns of pixels; returns whether a font has it.
    fn letter(&self, mask: &mut Mask, place: &Range<usize>, c: char, bold: bool) -> bool {
        let text = if bold { &self.bold } else { &self.regular };
        let wide = place.len() as f32;
        let own = [text, &self.signs].into_iter().find(|font| font.glyph_id(c).0 != 0);
        let found = match own {
            Some(font) => self.own(font, c, wide),
            None => self.added.0.iter().find_map(|font| self.fitted(font, c, (wide, mask.height as f32))),
        };
        if let Some((glyph, left, top)) = &found {
            glyph.draw(|x, y, coverage| {
                let (x, y) = (place.start as i64 + *left as i64 + i64::from(x), *top as i64 + i64::from(y));
                mask.ink(x, y, (coverage * 255.0).round() as u8);
            });
        }
        own.is_some() || found.is_some()
    }

    /// A glyph in the middle of so many pixels: as high above the line as others of its size, and where it is smaller,
    /// about the middle of capital letters.
    fn outline(&self, font: &impl Font, c: char, size: f32, wide: f32) -> Option<OutlinedGlyph> {
        let scale = PxScale::from(size * font.height_unscaled() / font.units_per_em()?);
        let advance = size * font.h_advance_unscaled(font.glyph_id(c)) / font.units_per_em()?;
        // Accents have no advance: they reach back over the letter before.
        let over = if advance > 0.0 { -advance } else { size * ADVANCE };
        let left = ((wide + over) / 2.0).max(0.0);
        let baseline = self.baseline - (self.size - size) * MIDDLE;
        let glyph: Glyph = font.glyph_id(c).with_scale_and_position(scale, point(left, baseline.round()));
        font.outline_glyph(glyph)
    }

    /// A glyph of the program's own fonts, and where it is inked from.
    fn own(&self, font: &FontRef<'static>, c: char, wide: f32) -> Option<(OutlinedGlyph, f32, f32)> {
        let mut glyph = self.outline(font, c, self.size, wide)?;
        // Signs may be wider than a cell. Those that stand side by side keep a distance.
        let is_sign = is_sign(c);
        let room = if is_sign { wide * SIGN } else { wide + 1.0 };
        let inked = glyph.px_bounds().width();
        if inked > room
            && let Some(smaller) = self.outline(font, c, self.size * room.min(wide) / inked, wide)
        {
            glyph = smaller;
        }
        let bounds = glyph.px_bounds();
        let left = match is_sign || bounds.min.x < 0.0 || bounds.max.x > wide {
            true => (wide - bounds.width()) / 2.0,
            false => bounds.min.x,
        };
        Some((glyph, left.round(), bounds.min.y))
    }

    /// The same of a font that was made for no cells: smaller where it does not fit, and nothing of it outside.
    fn fitted(&self, font: &FontArc, c: char, (wide, high): (f32, f32)) -> Option<(OutlinedGlyph, f32, f32)> {
        if font.glyph_id(c).0 == 0 {
            return None;
        }
        let mut glyph = self.outline(font, c, self.size, wide)?;
        let bounds = glyph.px_bounds();
        // Its bounds are whole pixels: both edges may take up to one more.
        let fits = |room: f32, inked: f32| if inked > room { (room - 2.0).max(1.0) / inked } else { 1.0 };
        let factor = fits(wide, bounds.width()).min(fits(high, bounds.height()));
        if factor < 1.0 {
            glyph = self.outline(font, c, self.size * factor, wide)?;
        }
        let bounds = glyph.px_bounds();
        let within = |start: f32, inked: f32, room: f32| start.min(room - inked).max(0.0);
        let (left, top) = (within(bounds.min.x, bounds.width(), wide), within(bounds.min.y, bounds.height(), high));
        Some((glyph, left, top))
    }
}

/// Whether a character stands for itself and does not change the one before.
fn is_base(c: char) -> bool {
    c.width().unwrap_or(0) > 0
}

/// The characters of a cell that are drawn, each with its columns of pixels: several that stand for themselves, the two
/// of a flag say, share the width. Nothing here joins pictures to one or colors them: the first stands for all.
fn placed(symbol: &str, width: usize) -> Vec<(char, Range<usize>)> {
    let mut before = None;
    let mut chars: Vec<char> = Vec::new();
    for c in symbol.chars() {
        let is_picture = is_sign(c) || c >= '\u{1f000}';
        let is_tone = ('\u{1f3fb}'..='\u{1f3ff}').contains(&c);
        if !(is_picture && before == Some(JOINER) || is_tone && before.is_some()) {
            chars.push(c);
        }
        before = Some(c);
    }
    let share = width / chars.iter().filter(|c| is_base(**c)).count().max(1);
    let mut bases = 0;
    let places = chars.into_iter().map(|c| {
        bases += usize::from(is_base(c));
        let start = share * bases.saturating_sub(1);
        (c, start..start + share)
    });
    places.collect()
}
