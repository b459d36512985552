//! Options of films and recordings.

use std::ffi::OsString;
use std::io::{self, BufWriter, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use super::cast::Version;
use super::font::AddedFonts;
use super::palette::Palette;

/// The size of pictures in pixels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pixels {
    /// Pixels from left to right.
    pub width: u32,
    /// Pixels from top to bottom.
    pub height: u32,
}

impl Pixels {
    /// Makes a size; 16:9 without a height.
    pub fn new(width: u32, height: Option<u32>) -> Pixels {
        Pixels { width, height: height.unwrap_or(width.saturating_mul(9) / 16) }
    }
}

/// Other colors for a film, for readers whose pages are light.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OtherColors {
    /// The terminal's own.
    pub palette: Palette,
    /// Those that the film names, each with the one that takes its place.
    pub named: Vec<[(u8, u8, u8); 2]>,
}

/// How a film becomes a file.
#[derive(Debug, Clone)]
pub struct FilmOptions {
    /// The size of pictures that are made of pixels.
    pub pixels: Pixels,
    /// Fonts for characters that the built-in one lacks, in pictures that are made of pixels.
    pub fonts: AddedFonts,
    /// The language of what the pictures show, as HTML names it.
    pub lang: String,
    /// Whether images and videos show a window with a margin around it.
    pub frame: bool,
    /// How often images play; 0 is forever.
    pub loops: u16,
    /// What an SVG shows on light pages, if that differs.
    pub light: Option<OtherColors>,
    /// The version of asciicasts.
    pub cast_version: Version,
    /// The program that makes videos.
    pub ffmpeg: OsString,
}

impl Default for FilmOptions {
    fn default() -> FilmOptions {
        FilmOptions {
            pixels: Pixels::new(1920, None),
            fonts: AddedFonts::default(),
            lang: "en".into(),
            frame: false,
            loops: 0,
            light: None,
            cast_version: Version::default(),
            ffmpeg: "ffmpeg".into(),
        }
    }
}

/// Cancels the writing of a film, which may take long.
#[derive(Debug, Clone, Default)]
pub struct Cancel(Arc<AtomicBool>);

impl Cancel {
    /// Cancels it.
    pub fn cancel(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    /// Whether it is cancelled.
    pub(super) fn is_cancelled(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }

    /// Buffers writes to `out`, which fail once they are cancelled.
    pub(super) fn guard<W: Write>(&self, out: W) -> BufWriter<Guarded<W>> {
        BufWriter::new(Guarded { out, cancel: self.clone() })
    }
}

/// A writer that fails once a [`Cancel`] is set.
pub(super) struct Guarded<W> {
    out: W,
    cancel: Cancel,
}

impl<W: Write> Write for Guarded<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.cancel.is_cancelled() {
            // Not `Interrupted`: `write_all` would try again.
            return Err(io::Error::other("stopped"));
        }
        self.out.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}
