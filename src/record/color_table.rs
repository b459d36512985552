//! The colors of a film, at most 255: those of its cells, and the steps between foreground and background that smooth
//! edges need.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::film::{Film, Row};
use super::palette::{Rgb, blend};
use super::style::{CellStyle, background, cells};

/// The index of pixels that keep their color.
pub(super) const TRANSPARENT: u8 = 255;

/// The largest number of steps of a ramp: more are invisible.
const STEPS: usize = 14;

/// How many levels of coverage are distinguished.
const LEVELS: usize = 32;

/// The colors of all pictures of a film.
pub(super) struct ColorTable {
    /// The indexed colors; [`TRANSPARENT`] is not among them.
    pub colors: Vec<Rgb>,
    ramps: HashMap<(Rgb, Rgb), Ramp>,
}

/// The steps from a background to a foreground, as color indexes.
#[derive(Clone, Copy)]
pub(super) struct Ramp([u8; LEVELS]);

impl Ramp {
    /// Returns the index of the color for a coverage: 255 is the foreground alone.
    pub fn index(&self, coverage: u8) -> u8 {
        self.0[usize::from(coverage) * LEVELS / 256]
    }
}

impl ColorTable {
    /// Collects the colors of `film`, and these pairs of a foreground and a background.
    pub fn of(film: &Film, more: impl IntoIterator<Item = (Rgb, Rgb)>) -> ColorTable {
        // Counted by cell: if there are too many, rare colors are replaced by the nearest.
        let mut pairs: BTreeMap<(Rgb, Rgb), usize> = BTreeMap::new();
        let mut shown: &[Row] = &[];
        for picture in &film.pictures {
            // Unchanged rows have been counted.
            let new = picture.rows.iter().enumerate().filter(|(y, row)| shown.get(*y) != Some(row));
            for (_, _, cell) in new.flat_map(|(_, row)| cells(row)) {
                let style = CellStyle::new(cell, &film.palette);
                let is_blank = cell.symbol() == " " && !style.underlined;
                let foreground = if is_blank { style.background } else { style.foreground };
                *pairs.entry((foreground, style.background)).or_default() += 1;
            }
            let around = background(&picture.rows, &film.palette);
            *pairs.entry((around, around)).or_default() += 1;
            shown = &picture.rows;
        }
        for pair in more {
            // Few cells have them, and they are large.
            *pairs.entry(pair).or_default() += 10_000;
        }
        ColorTable::counted(pairs)
    }

    /// Collects the colors of these pairs.
    #[cfg(test)]
    pub fn with(pairs: impl IntoIterator<Item = (Rgb, Rgb)>) -> ColorTable {
        ColorTable::counted(pairs.into_iter().map(|pair| (pair, 1)).collect())
    }

    fn counted(pairs: BTreeMap<(Rgb, Rgb), usize>) -> ColorTable {
        let mut counts: BTreeMap<Rgb, usize> = BTreeMap::new();
        for ((foreground, background), count) in &pairs {
            *counts.entry(*foreground).or_default() += count;
            *counts.entry(*background).or_default() += count;
        }
        let mut colors: Vec<Rgb> = counts.keys().copied().collect();
        colors.sort_by_key(|color| Reverse(counts.get(color).copied()));
        colors.truncate(TRANSPARENT.into());
        let ramps = pairs.keys().filter(|(foreground, background)| foreground != background).count().max(1);
        let steps = ((usize::from(TRANSPARENT) - colors.len()) / ramps).min(STEPS);
        let mut known: BTreeSet<Rgb> = colors.iter().copied().collect();
        for ((foreground, background), step) in pairs.keys().flat_map(|pair| (1..=steps).map(move |step| (pair, step)))
        {
            let strength = u8::try_from(255 * step / (steps + 1)).unwrap_or(u8::MAX);
            let color = blend(*foreground, *background, strength);
            if known.insert(color) {
                colors.push(color);
            }
        }
        let ramp = |(foreground, background): (Rgb, Rgb)| {
            let strength = |level: usize| u8::try_from(level * 255 / (LEVELS - 1)).unwrap_or(u8::MAX);
            Ramp(std::array::from_fn(|level| nearest(&colors, blend(foreground, background, strength(level)))))
        };
        let ramps = pairs.into_keys().map(|pair| (pair, ramp(pair))).collect();
        ColorTable { ramps, colors }
    }

    /// Returns the steps between two colors of this film; for others, the background alone.
    pub fn ramp(&self, foreground: Rgb, background: Rgb) -> Ramp {
        let known = self.ramps.get(&(foreground, background)).copied();
        known.unwrap_or_else(|| Ramp([self.index(background); LEVELS]))
    }

    /// Returns the index of the color that is nearest to `color`.
    pub fn index(&self, color: Rgb) -> u8 {
        nearest(&self.colors, color)
    }

    /// Returns red, green and blue of each color, one after the other.
    pub fn bytes(&self) -> Vec<u8> {
        self.colors.iter().flat_map(|(red, green, blue)| [*red, *green, *blue]).collect()
    }
}

fn nearest(colors: &[Rgb], wanted: Rgb) -> u8 {
    let distance = |color: &Rgb| {
        let part = |a: u8, b: u8| u32::from(a.abs_diff(b)).pow(2);
        part(color.0, wanted.0) + part(color.1, wanted.1) + part(color.2, wanted.2)
    };
    let found = colors.iter().enumerate().min_by_key(|(_, color)| distance(color)).map_or(0, |(index, _)| index);
    u8::try_from(found).unwrap_or_default()
}
