//! Files of a film, by their endings. A file is there when it is whole: it is written beside its place and then moved.

use std::ffi::OsString;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use ratatui::layout::Size;
use tempfile::NamedTempFile;

use super::chapters::is_denial;
use super::motion::motion;
use super::raster::Grid;
use super::{AddedFonts, Film, Picture, html, mp4, pixels, svg, text};
use crate::disk;

/// How a film becomes a file.
#[derive(Debug, Clone)]
pub struct FilmOptions {
    /// How wide pictures of pixels are.
    pub width: u32,
    /// How high they are; 16:9 without it.
    pub height: Option<u32>,
    /// Whether a file that exists may be replaced.
    pub force: bool,
    /// The language of what the pictures show, as HTML names it.
    pub lang: String,
    /// The program that makes MP4 files.
    pub ffmpeg: OsString,
    /// For characters that the program's own font lacks, in pictures of pixels.
    pub fonts: AddedFonts,
    /// Ends the writing.
    pub stop: Stop,
}

/// Whether somebody wants no file any more: a long film takes its time.
#[derive(Debug, Clone, Default)]
pub struct Stop(Arc<AtomicBool>);

impl Stop {
    /// Says so.
    pub fn set(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    /// Whether it was said.
    pub(super) fn is_set(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }

    /// Buffers what goes to `out`, which takes nothing any more once it was said.
    pub(super) fn guard<W: Write>(&self, out: W) -> BufWriter<Guarded<W>> {
        BufWriter::new(Guarded { out, stop: self.clone() })
    }
}

/// Fails once a [`Stop`] is set.
pub(super) struct Guarded<W> {
    out: W,
    stop: Stop,
}

impl<W: Write> Write for Guarded<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.stop.is_set() {
            // Not `Interrupted`, after which one tries again.
            return Err(io::Error::other("stopped"));
        }
        self.out.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

impl FilmOptions {
    /// Width and height of pictures of pixels.
    pub(super) fn pixels(&self) -> (u32, u32) {
        (self.width, self.height.unwrap_or(self.width.saturating_mul(9) / 16))
    }
}

impl Default for FilmOptions {
    fn default() -> FilmOptions {
        FilmOptions {
            width: 1920,
            height: None,
            force: false,
            lang: "en".into(),
            ffmpeg: "ffmpeg".into(),
            fonts: AddedFonts::default(),
            stop: Stop::default(),
        }
    }
}

/// Why no file was written.
#[derive(Debug, thiserror::Error)]
pub enum FilmError {
    /// There is a file already.
    #[error("{} exists: --force replaces it", .0.display())]
    Exists(PathBuf),
    /// What is to be written can't be told.
    #[error("{}: a film is written as .gif, .svg, .html, .txt, .mp4 or as a still .png", .0.display())]
    Ending(PathBuf),
    /// Somebody wanted it no more.
    #[error("{} was not written: stopped", .0.display())]
    Stopped(PathBuf),
    /// A film of nothing.
    #[error("nothing was recorded, so there is nothing to write")]
    Empty,
    /// ffmpeg is not there.
    #[error("{} needs ffmpeg, which is not on PATH: install it, or write a .gif", .0.display())]
    NoFfmpeg(PathBuf),
    /// Its folder is missing, or is a file; in words for a person.
    #[error("{0}")]
    NoFolder(String),
    /// The disk, the folder, or too few pixels.
    #[error("{} can't be written: {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
}

/// What to say when `path` can't be written because its folder is missing; `None` where that is not the reason.
pub fn missing_folder(path: &Path) -> Option<String> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty() && !folder.is_dir())?;
    let (path, shown) = (path.display(), folder.display());
    Some(match folder.exists() {
        true => format!("{path} can't be written: {shown} is not a folder"),
        false => format!("{path} can't be written: there is no folder {shown}; create it first"),
    })
}

/// How many characters without a picture are told.
const TOLD: usize = 5;

/// A file that was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Saved {
    /// Its size.
    pub bytes: u64,
    /// The characters in it that no font has, each once: they are boxes.
    pub boxes: Vec<char>,
}

impl Saved {
    /// What to tell a person of characters that are boxes, if there are any.
    pub fn trouble(boxes: &[char]) -> Option<String> {
        let named: Vec<String> = boxes.iter().take(TOLD).map(|c| format!("{c} (U+{:04X})", u32::from(*c))).collect();
        let more = match boxes.len().saturating_sub(TOLD) {
            0 => String::new(),
            more => format!(" and {more} more"),
        };
        let them = format!("{}{more}", named.join(", "));
        let advice = "--font FILE names a font that has such characters (.ttf, .otf or .ttc)";
        (!boxes.is_empty()).then(|| format!("no font here has {them}: in pictures they are boxes; {advice}"))
    }
}

/// Writes `film` to `path` in the format of its ending, and gives what that came to. `.png` is a still, and so
/// is `.svg` of a film that has but one picture; of another it moves.
///
/// # Errors
/// When nothing was written; then nothing has changed at `path`.
pub fn write(film: &Film, path: &Path, options: &FilmOptions) -> Result<Saved, FilmError> {
    let poster = poster(film)?;
    let text = |text: String| move |out: &mut dyn Write| out.write_all(text.as_bytes()).map(|()| Vec::new());
    let save = |content: &mut dyn FnMut(&mut dyn Write) -> io::Result<Vec<char>>| {
        save_file(path, options, |file| {
            let mut out = options.stop.guard(file.as_file_mut());
            let boxes = content(&mut out)?;
            out.flush().map(|()| boxes)
        })
    };
    match ending(path).as_str() {
        "gif" => save(&mut |out| pixels::gif(film, options, out)),
        "png" => save(&mut |out| pixels::png(film, poster, options, out)),
        "svg" if film.pictures.len() == 1 => save(&mut text(svg_still(film, poster))),
        "svg" => save(&mut text(motion(film, poster))),
        "txt" => save(&mut text(text::transcript(film))),
        "html" => save(&mut text(html::html(film, poster, &options.lang))),
        "mp4" if !mp4::is_there(&options.ffmpeg) => Err(FilmError::NoFfmpeg(path.to_owned())),
        "mp4" => save_file(path, options, |file| mp4::mp4(film, options, file.path())),
        _ => Err(FilmError::Ending(path.to_owned())),
    }
}

/// Writes `film` where there may still be room, into a new folder among the temporary ones, and gives its place.
///
/// # Errors
/// As [`write()`].
pub fn write_elsewhere(film: &Film, path: &Path, options: &FilmOptions) -> Result<PathBuf, FilmError> {
    let failed = |source| FilmError::Io { path: std::env::temp_dir(), source };
    let folder = tempfile::Builder::new().prefix("kmslab-").tempdir().map_err(failed)?;
    let place = folder.path().join(path.file_name().unwrap_or(path.as_os_str()));
    write(film, &place, options)?;
    // It stays.
    let _ = folder.keep();
    Ok(place)
}

/// Whether a file of this name is made of pixels, for which fonts may be added.
pub fn is_pixels(path: &Path) -> bool {
    ["png", "gif", "mp4"].contains(&ending(path).as_str())
}

/// Whether a film of `size` can be written to `path` at its end: nobody wants to hear that after the lab.
///
/// # Errors
/// Why it can't.
pub fn can_be_written(size: Size, path: &Path, options: &FilmOptions) -> Result<(), FilmError> {
    beside(path, options.force)?;
    if is_pixels(path) {
        Grid::new(size, options.pixels()).map_err(|source| FilmError::Io { path: path.to_owned(), source })?;
    }
    if ending(path) == "mp4" && !mp4::is_there(&options.ffmpeg) {
        return Err(FilmError::NoFfmpeg(path.to_owned()));
    }
    Ok(())
}

fn ending(path: &Path) -> String {
    path.extension().and_then(|ending| ending.to_str()).unwrap_or_default().to_ascii_lowercase()
}

/// One picture, described by its text.
pub(super) fn svg_still(film: &Film, picture: &Picture) -> String {
    svg::still(&picture.rows, film.size, &film.palette, &film.title, &text::reading(picture).join("\n"))
}

/// What a film is known by: the denial or, without one, its last picture.
fn poster(film: &Film) -> Result<&Picture, FilmError> {
    let is_denial = |picture: &&Picture| picture.chapter.as_deref().is_some_and(is_denial);
    film.pictures.iter().find(is_denial).or(film.pictures.last()).ok_or(FilmError::Empty)
}

/// Has `content` write a file beside `path` and moves it there.
fn save_file(
    path: &Path,
    options: &FilmOptions,
    content: impl FnOnce(&mut NamedTempFile) -> io::Result<Vec<char>>,
) -> Result<Saved, FilmError> {
    let failed = |source| FilmError::Io { path: path.to_owned(), source };
    let mut file = beside(path, options.force)?;
    let boxes = content(&mut file).map_err(|error| match options.stop.is_set() {
        true => FilmError::Stopped(path.to_owned()),
        false => failed(error),
    })?;
    let bytes = file.as_file().metadata().map_err(failed)?.len();
    // Another program may have made it meanwhile.
    disk::keep(file, path, options.force).map_err(|error| match error.kind() {
        io::ErrorKind::AlreadyExists => FilmError::Exists(path.to_owned()),
        _ => failed(error),
    })?;
    Ok(Saved { bytes, boxes })
}

/// A file in the folder of `path`, where a file is there only with `force`.
fn beside(path: &Path, force: bool) -> Result<NamedTempFile, FilmError> {
    if !force && path.symlink_metadata().is_ok() {
        return Err(FilmError::Exists(path.to_owned()));
    }
    let failed = |source| FilmError::Io { path: path.to_owned(), source };
    if path.is_dir() {
        return Err(failed(io::ErrorKind::IsADirectory.into()));
    }
    if let Some(reason) = missing_folder(path) {
        return Err(FilmError::NoFolder(reason));
    }
    // For its owner alone, as every recording.
    disk::beside(path).map_err(failed)
}
