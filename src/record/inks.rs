//! The colours of a film, at most 255, and the steps of each ink on each paper that smooth edges need.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::looks::{Rgb, blend, cells, ground, looks};
use super::{Film, Row};

/// The index that says: what was there before stays.
pub(super) const TRANSPARENT: u8 = 255;

/// Steps of a ramp at most: more is not seen.
const STEPS: usize = 14;

/// How finely coverage is told apart.
const LEVELS: usize = 32;

/// The colours of all pictures of a film.
pub(super) struct Inks {
    /// The indexed colours; [`TRANSPARENT`] is not among them.
    pub colors: Vec<Rgb>,
    ramps: HashMap<(Rgb, Rgb), Ramp>,
}

/// From a paper to an ink on it.
#[derive(Clone, Copy)]
pub(super) struct Ramp([u8; LEVELS]);

impl Ramp {
    /// The colour's index where the ink covers so much: 255 is all.
    pub fn index(&self, coverage: u8) -> u8 {
        self.0[usize::from(coverage) * LEVELS / 256]
    }
}

impl Inks {
    /// The colours of `film`.
    pub fn of(film: &Film) -> Inks {
        // By how many cells have them: where there are too many, the rare ones become the nearest.
        let mut pairs: BTreeMap<(Rgb, Rgb), usize> = BTreeMap::new();
        let mut shown: &[Row] = &[];
        for picture in &film.pictures {
            // What stays as it is has been counted.
            let new = picture.rows.iter().enumerate().filter(|(y, row)| shown.get(*y) != Some(row));
            for (_, _, cell) in new.flat_map(|(_, row)| cells(row)) {
                let looks = looks(cell, &film.palette);
                // What shows no ink needs none.
                let ink = if cell.symbol() == " " && !looks.underlined { looks.paper } else { looks.ink };
                *pairs.entry((ink, looks.paper)).or_default() += 1;
            }
            let paper = ground(&picture.rows, &film.palette);
            *pairs.entry((paper, paper)).or_default() += 1;
            shown = &picture.rows;
        }
        let mut counts: BTreeMap<Rgb, usize> = BTreeMap::new();
        for ((ink, paper), count) in &pairs {
            *counts.entry(*ink).or_default() += count;
            *counts.entry(*paper).or_default() += count;
        }
        let mut colors: Vec<Rgb> = counts.keys().copied().collect();
        colors.sort_by_key(|color| Reverse(counts.get(color).copied()));
        colors.truncate(TRANSPARENT.into());
        let ramps = pairs.keys().filter(|(ink, paper)| ink != paper).count().max(1);
        let steps = ((usize::from(TRANSPARENT) - colors.len()) / ramps).min(STEPS);
        let mut known: BTreeSet<Rgb> = colors.iter().copied().collect();
        for ((ink, paper), step) in pairs.keys().flat_map(|pair| (1..=steps).map(move |step| (pair, step))) {
            let color = blend(*ink, *paper, u8::try_from(255 * step / (steps + 1)).unwrap_or(u8::MAX));
            if known.insert(color) {
                colors.push(color);
            }
        }
        let ramp = |ink: Rgb, paper: Rgb| {
            let level = |level: usize| u8::try_from(level * 255 / (LEVELS - 1)).unwrap_or(u8::MAX);
            Ramp(std::array::from_fn(|place| nearest(&colors, blend(ink, paper, level(place)))))
        };
        let ramps = pairs.into_keys().map(|(ink, paper)| ((ink, paper), ramp(ink, paper))).collect();
        Inks { ramps, colors }
    }

    /// The steps from `paper` to `ink`; of a pair that is not of this film, `paper` alone.
    pub fn ramp(&self, ink: Rgb, paper: Rgb) -> Ramp {
        let known = self.ramps.get(&(ink, paper)).copied();
        known.unwrap_or_else(|| Ramp([self.index(paper); LEVELS]))
    }

    /// The index of the colour that is nearest to `color`.
    pub fn index(&self, color: Rgb) -> u8 {
        nearest(&self.colors, color)
    }

    /// Red, green, blue of one after the other.
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
