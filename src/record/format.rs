//! File formats of recordings, and the file that a recording is written to.

use std::path::{Path, PathBuf};

use super::error::RecordError;

/// What a recording is written as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// An asciicast, written during the recording.
    Cast,
    /// A log of events, written during the recording.
    Log,
    /// A vector image, animated if the film has more than one picture.
    Svg,
    /// A still image.
    Png,
    /// An animated image.
    Gif,
    /// A transcript.
    Txt,
    /// A page with a player.
    Html,
    /// A video for every player.
    Mp4,
    /// A smaller video for browsers.
    Webm,
    /// An animated image that is smaller than a GIF.
    Webp,
}

impl Format {
    const EXTENSIONS: [(&str, Format); 10] = [
        ("cast", Format::Cast),
        ("kmslab", Format::Log),
        ("svg", Format::Svg),
        ("png", Format::Png),
        ("gif", Format::Gif),
        ("txt", Format::Txt),
        ("html", Format::Html),
        ("mp4", Format::Mp4),
        ("webm", Format::Webm),
        ("webp", Format::Webp),
    ];

    /// Returns the format that the extension of `path` stands for.
    ///
    /// # Errors
    /// [`RecordError::UnknownFormat`] if it has no known extension.
    pub fn of(path: &Path) -> Result<Format, RecordError> {
        let extension = path.extension().unwrap_or_default();
        let known = Format::EXTENSIONS.iter().find(|(name, _)| extension.eq_ignore_ascii_case(name));
        known.map(|(_, format)| *format).ok_or_else(|| RecordError::UnknownFormat(path.to_owned()))
    }

    /// Whether files of this format are made of pixels, drawn with fonts.
    pub fn is_pixels(self) -> bool {
        matches!(self, Format::Png | Format::Gif) || self.needs_ffmpeg()
    }

    /// Whether ffmpeg writes files of this format.
    pub(super) fn needs_ffmpeg(self) -> bool {
        matches!(self, Format::Mp4 | Format::Webm | Format::Webp)
    }

    /// Whether a single picture can be written in this format.
    pub fn is_still(self) -> bool {
        matches!(self, Format::Svg | Format::Png | Format::Txt)
    }
}

/// The file that a recording is written to.
#[derive(Debug, Clone)]
pub struct Target {
    /// The file.
    pub path: PathBuf,
    /// Its format.
    pub format: Format,
    /// Whether it may replace an existing file.
    pub overwrite: bool,
}

impl Target {
    /// Makes a target from a path, whose extension decides the format.
    ///
    /// # Errors
    /// [`RecordError::UnknownFormat`] if the extension is unknown.
    pub fn new(path: impl Into<PathBuf>, overwrite: bool) -> Result<Target, RecordError> {
        let path = path.into();
        Ok(Target { format: Format::of(&path)?, path, overwrite })
    }

    /// Returns the error for a file that can't be written for this reason.
    pub(super) fn io(&self, source: std::io::Error) -> RecordError {
        RecordError::Io { path: self.path.clone(), source }
    }
}
