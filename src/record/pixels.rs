//! PNG and GIF: the pictures of a film as pixels, in the film's own colors.

use std::borrow::Cow;
use std::io::{self, Write};
use std::time::Duration;

use super::color_table::{ColorTable, TRANSPARENT};
use super::film::{Film, Picture, Row};
use super::frame::FrameColors;
use super::options::FilmOptions;
use super::raster::{Grid, Painter};
use super::style::film_background;

/// How long the last picture stays at least, in hundredths of a second: a GIF restarts without a pause.
const LAST: u64 = 300;

/// The shortest time of a picture, in hundredths of a second: players show shorter ones much longer.
const SHORTEST: u64 = 2;

/// Writes one picture of `film` as PNG. Returns the characters that no font has.
///
/// # Errors
/// If it can't be written, or a cell would be too small to read.
pub(super) fn png(film: &Film, picture: &Picture, options: &FilmOptions, out: impl Write) -> io::Result<Vec<char>> {
    let film = film.still(String::new(), picture);
    let mut stage = Stage::new(&film, options)?;
    let colors = stage.colors(&film);
    let mut painter = stage.painter(&film, &colors, options)?;
    painter.paint(&picture.rows, &[], &mut stage.canvas);
    let mut encoder = png::Encoder::new(out, stage.grid.width as u32, stage.grid.height as u32);
    encoder.set_color(png::ColorType::Indexed);
    encoder.set_depth(png::BitDepth::Eight);
    encoder.set_palette(colors.bytes());
    let mut writer = encoder.write_header()?;
    writer.write_image_data(&stage.canvas)?;
    writer.finish()?;
    Ok(painter.missing_glyphs())
}

/// Writes `film` as a GIF. Returns the characters that no font has.
///
/// # Errors
/// If it can't be written, or a cell would be too small to read.
pub(super) fn gif(film: &Film, options: &FilmOptions, out: impl Write) -> io::Result<Vec<char>> {
    let mut stage = Stage::new(film, options)?;
    let colors = stage.colors(film);
    let mut painter = stage.painter(film, &colors, options)?;
    let (width, height) = (stage.grid.width, stage.grid.height);
    let mut encoder = gif::Encoder::new(out, width as u16, height as u16, &colors.bytes()).map_err(plain)?;
    match options.loops {
        0 => encoder.set_repeat(gif::Repeat::Infinite).map_err(plain)?,
        // Without a word about it, a GIF plays once.
        1 => {}
        times => encoder.set_repeat(gif::Repeat::Finite(times - 1)).map_err(plain)?,
    }
    let mut shown: &[Row] = &[];
    let mut before: Vec<u8> = Vec::new();
    for (picture, hundredths) in timed(film) {
        before.clone_from(&stage.canvas);
        painter.paint(&picture.rows, shown, &mut stage.canvas);
        let change = match shown {
            [] => Change { left: 0, top: 0, width, height, pixels: stage.canvas.clone() },
            _ => Change::between(&before, &stage.canvas, width),
        };
        shown = &picture.rows;
        let mut frame = gif::Frame {
            left: change.left as u16,
            top: change.top as u16,
            width: change.width as u16,
            height: change.height as u16,
            transparent: Some(TRANSPARENT),
            dispose: gif::DisposalMethod::Keep,
            buffer: Cow::Owned(change.pixels),
            ..gif::Frame::default()
        };
        let mut left = hundredths;
        loop {
            frame.delay = u16::try_from(left).unwrap_or(u16::MAX);
            left -= u64::from(frame.delay);
            encoder.write_frame(&frame).map_err(plain)?;
            if left == 0 {
                break;
            }
            // The picture stays longer than one frame can: add frames that change nothing.
            frame = gif::Frame { width: 1, height: 1, buffer: Cow::Owned(vec![TRANSPARENT]), ..frame };
        }
    }
    encoder.into_inner().map_err(plain)?.flush()?;
    Ok(painter.missing_glyphs())
}

/// Unwraps an error of the disk.
fn plain(error: gif::EncodingError) -> io::Error {
    match error {
        gif::EncodingError::Io(error) => error,
        other => io::Error::other(other),
    }
}

/// Returns the visible pictures and how many hundredths of a second each stays. They add up to the film's length: what
/// rounding takes from one picture, the next one gets.
fn timed(film: &Film) -> Vec<(&Picture, u64)> {
    let hundredths = |at: Duration| u64::try_from((at.as_micros() + 5_000) / 10_000).unwrap_or(u64::MAX);
    let mut starts: Vec<(&Picture, u64)> = Vec::new();
    for picture in &film.pictures {
        let start = hundredths(picture.at);
        match starts.last_mut() {
            Some((last, _)) if last.rows == picture.rows => {}
            Some((last, since)) if start < *since + SHORTEST => *last = picture,
            _ => starts.push((picture, if starts.is_empty() { 0 } else { start })),
        }
    }
    let last = starts.last().map_or(0, |(_, start)| *start);
    let ends = starts.iter().skip(1).map(|(_, start)| *start).chain([hundredths(film.end).max(last + LAST)]);
    let ends: Vec<u64> = ends.collect();
    starts.into_iter().zip(ends).map(|((picture, start), end)| (picture, end - start)).collect()
}

/// A canvas and how cells lie on it.
struct Stage {
    grid: Grid,
    canvas: Vec<u8>,
}

impl Stage {
    fn new(film: &Film, options: &FilmOptions) -> io::Result<Stage> {
        let grid = Grid::new(film.size, options.pixels, options.frame)?;
        Ok(Stage { grid, canvas: vec![0; grid.width * grid.height] })
    }

    fn colors(&self, film: &Film) -> ColorTable {
        let frame = self.grid.frame.map(|_| FrameColors::of(film).pairs());
        ColorTable::of(film, frame.into_iter().flatten())
    }

    fn painter<'a>(
        &mut self,
        film: &'a Film,
        colors: &'a ColorTable,
        options: &FilmOptions,
    ) -> io::Result<Painter<'a>> {
        match self.grid.frame {
            Some(frame) => frame.paint(&mut self.canvas, self.grid.width, colors, FrameColors::of(film)),
            None => self.canvas.fill(colors.index(film_background(film))),
        }
        let painter = Painter::new(self.grid, colors, &film.palette, &options.fonts);
        painter.ok_or_else(|| io::Error::other("the font can't be read"))
    }
}

/// The smallest rectangle outside which nothing changes.
struct Change {
    left: usize,
    top: usize,
    width: usize,
    height: usize,
    pixels: Vec<u8>,
}

impl Change {
    fn between(before: &[u8], after: &[u8], width: usize) -> Change {
        let lines = || before.chunks_exact(width).zip(after.chunks_exact(width));
        let differs = |(old, new): (&[u8], &[u8])| old != new;
        let top = lines().position(differs).unwrap_or(0);
        let bottom = lines().rposition(differs).unwrap_or(0);
        let (mut left, mut right) = (width - 1, 0);
        for (old, new) in lines().take(bottom + 1).skip(top).filter(|lines| differs(*lines)) {
            let pixels = || old.iter().zip(new);
            left = left.min(pixels().position(|(old, new)| old != new).unwrap_or(left));
            right = right.max(pixels().rposition(|(old, new)| old != new).unwrap_or(right));
        }
        // Nothing differs: one pixel that stays as it is.
        let left = left.min(right);
        let pixels = lines().take(bottom + 1).skip(top).flat_map(|(old, new)| {
            let pixels = old.iter().zip(new).take(right + 1).skip(left);
            pixels.map(|(old, new)| if old == new { TRANSPARENT } else { *new })
        });
        let pixels = pixels.collect();
        Change { left, top, width: right + 1 - left, height: bottom + 1 - top, pixels }
    }
}
