//! A window around the pictures: a bar with three buttons, round corners, and a margin.

use super::color_table::ColorTable;
use super::film::Film;
use super::palette::{Rgb, blend};
use super::style::film_background;
use super::svg::{hex, number, push};

/// The buttons, from left to right.
const BUTTONS: [Rgb; 3] = [(0xff, 0x5f, 0x57), (0xfe, 0xbc, 0x2e), (0x28, 0xc8, 0x40)];

/// How much of the foreground the margin's color has, of 255.
pub(super) const TINT: u8 = 60;

/// The margin and the bar of an SVG, in pixels.
const MARGIN: f64 = 40.0;
const BAR: f64 = 32.0;

/// The colors of a frame.
#[derive(Debug, Clone, Copy)]
pub(super) struct FrameColors {
    window: Rgb,
    /// Around the window.
    pub margin: Rgb,
}

impl FrameColors {
    /// Returns those for `film`.
    pub fn of(film: &Film) -> FrameColors {
        let window = film_background(film);
        FrameColors { window, margin: blend(film.palette.foreground, window, TINT) }
    }

    /// Returns the foregrounds and backgrounds that are drawn.
    pub fn pairs(self) -> impl Iterator<Item = (Rgb, Rgb)> {
        BUTTONS.into_iter().map(move |button| (button, self.window)).chain([(self.window, self.margin)])
    }
}

/// The place of a window on a canvas, in pixels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Frame {
    margin: usize,
    bar: usize,
    size: (usize, usize),
}

impl Frame {
    /// Lays out a window on a canvas of this size.
    pub fn new(width: usize, height: usize) -> Frame {
        let shorter = width.min(height);
        let margin = shorter / 20;
        Frame { margin, bar: shorter / 24, size: (width.saturating_sub(2 * margin), height.saturating_sub(2 * margin)) }
    }

    /// Returns where pictures begin, and the room for them.
    pub fn inside(&self) -> [(usize, usize); 2] {
        let room = (self.size.0, self.size.1.saturating_sub(self.bar));
        [(self.margin, self.margin + self.bar), room]
    }

    /// Paints the window and its margin on a canvas of `width` pixels in a row.
    pub fn paint(
        &self,
        canvas: &mut [u8],
        width: usize,
        colors: &ColorTable,
        FrameColors { window, margin }: FrameColors,
    ) {
        canvas.fill(colors.index(margin));
        let (wide, high) = self.size;
        let edge = colors.ramp(window, margin);
        let radius = self.bar as f64 / 3.0;
        // How much of a pixel lies inside the round corners.
        let coverage = |x: usize, y: usize| {
            let beyond = |at: usize, length: usize| {
                let (at, length) = (at as f64 + 0.5, length as f64);
                (radius - at).max(at - (length - radius)).max(0.0)
            };
            covered(radius, beyond(x, wide), beyond(y, high))
        };
        for y in 0..high {
            let start = (self.margin + y) * width + self.margin;
            let Some(row) = canvas.get_mut(start..start + wide) else { break };
            row.iter_mut().enumerate().for_each(|(x, pixel)| *pixel = edge.index(coverage(x, y)));
        }
        for (place, button) in (1..).zip(BUTTONS) {
            let (ramp, radius) = (colors.ramp(button, window), self.bar as f64 / 5.0);
            let middle = self.bar as f64 / 2.0;
            let center = middle + self.bar as f64 * 0.6 * (f64::from(place) - 1.0) + radius;
            for (x, y) in (0..self.bar).flat_map(|y| (0..self.bar * 3).map(move |x| (x, y))) {
                let coverage = covered(radius, x as f64 + 0.5 - center, y as f64 + 0.5 - middle);
                if let Some(pixel) =
                    canvas.get_mut((self.margin + y) * width + self.margin + x).filter(|_| coverage > 0)
                {
                    *pixel = ramp.index(coverage);
                }
            }
        }
    }
}

/// Returns how much of a pixel at this distance lies inside a circle, from 0 to 255.
fn covered(radius: f64, x: f64, y: f64) -> u8 {
    // The float is clamped, so the cast loses nothing but decimals.
    ((radius - x.hypot(y) + 0.5).clamp(0.0, 1.0) * 255.0) as u8
}

/// Wraps an SVG of this size, whose background is `window`, in a frame.
pub(super) fn framed(svg: &str, film: &Film) -> String {
    let FrameColors { window, margin } = FrameColors::of(film);
    let attribute = |name: &str| {
        let rest = svg.split_once(&format!(" {name}=\""))?.1;
        rest.split_once('"')?.0.parse::<f64>().ok()
    };
    let (Some(width), Some(height)) = (attribute("width"), attribute("height")) else { return svg.to_owned() };
    let (all_wide, all_high) = (width + 2.0 * MARGIN, height + BAR + 2.0 * MARGIN);
    let mut out = String::new();
    push(
        &mut out,
        format_args!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {0} {1}\" width=\"{0}\" height=\"{1}\">\n\
             <rect width=\"100%\" height=\"100%\" fill=\"{2}\"/>\n\
             <rect x=\"{3}\" y=\"{3}\" width=\"{4}\" height=\"{5}\" rx=\"10\" fill=\"{6}\"/>\n",
            number(all_wide),
            number(all_high),
            hex(margin),
            number(MARGIN),
            number(width),
            number(height + BAR),
            hex(window),
        ),
    );
    for (place, button) in (0_u8..).zip(BUTTONS) {
        let x = number(MARGIN + 22.0 + 20.0 * f64::from(place));
        let (y, fill) = (number(MARGIN + BAR / 2.0), hex(button));
        push(&mut out, format_args!("<circle cx=\"{x}\" cy=\"{y}\" r=\"6\" fill=\"{fill}\"/>\n"));
    }
    let (x, y) = (number(MARGIN), number(MARGIN + BAR));
    out.push_str(&svg.replacen("<svg ", &format!("<svg x=\"{x}\" y=\"{y}\" "), 1));
    out.push_str("</svg>\n");
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_window_has_round_corners_and_buttons() {
        let frame = Frame::new(480, 270);
        let [(x, y), (wide, high)] = frame.inside();
        assert_eq!((x, y, wide, high), (13, 24, 454, 233));
        let colors = FrameColors { window: (0, 0, 0), margin: (90, 90, 90) };
        let table = ColorTable::with(colors.pairs());
        let mut canvas = vec![0; 480 * 270];
        frame.paint(&mut canvas, 480, &table, colors);
        let at = |x: usize, y: usize| table.colors[usize::from(canvas[y * 480 + x])];
        assert_eq!([at(0, 0), at(13, 13), at(240, 269)], [colors.margin; 3], "outside, and a corner");
        assert_eq!([at(240, 13), at(13, 130), at(240, 130)], [colors.window; 3], "inside");
        assert_eq!(at(13 + 5 + 2, 13 + 5), BUTTONS[0]);
    }
}
