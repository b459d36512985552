//! Why a recording can't be made or written.

use std::io;
use std::path::PathBuf;

/// Why a recording can't be made or written. Displays a sentence for the user.
#[derive(Debug, thiserror::Error)]
pub enum RecordError {
    /// The extension stands for no format.
    #[error(
        "{}: the extension decides the format: .cast, .kmslab, .svg, .png, .gif, .txt, .html, .mp4, .webm or .webp",
        .0.display()
    )]
    UnknownFormat(PathBuf),
    /// A log of events, which no film has.
    #[error("{}: a .kmslab holds a session's events, and a film has only its pictures", .0.display())]
    NotAFilm(PathBuf),
    /// The file exists.
    #[error("{} exists: --force replaces it", .0.display())]
    Exists(PathBuf),
    /// The writing was cancelled.
    #[error("{} was not written: stopped", .0.display())]
    Cancelled(PathBuf),
    /// The film has no pictures.
    #[error("nothing was recorded, so there is nothing to write")]
    Empty,
    /// ffmpeg is missing.
    #[error("{} needs ffmpeg, which is not on PATH: install it, or write a .gif", .0.display())]
    NoFfmpeg(PathBuf),
    /// The folder is missing, or is a file; the reason as a sentence.
    #[error("{0}")]
    NoFolder(String),
    /// The film was written to another place instead.
    #[error("{error}; what was recorded is {}", place.display())]
    Rescued {
        /// Why it is not where it should be.
        error: Box<RecordError>,
        /// The file.
        place: PathBuf,
    },
    /// The film was not written, but its pictures are kept.
    #[error("{error}; what was shown is kept: {}", partial.display())]
    Kept {
        /// Why it was not written.
        error: Box<RecordError>,
        /// The partial cast.
        partial: PathBuf,
    },
    /// A font that the user added can't be used.
    #[error("--font {}: {reason}", path.display())]
    Font {
        /// The file.
        path: PathBuf,
        /// Why.
        reason: String,
    },
    /// The disk or the folder fails, or there are too few pixels.
    #[error("{} can't be written: {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
}
