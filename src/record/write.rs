//! Writes films. A file appears only when it is complete: it is written beside its place and then moved there.

use std::io::{self, Write};
use std::path::PathBuf;

use ratatui::layout::Size;
use tempfile::NamedTempFile;

use super::adapt::adapted;
use super::chapters::is_denial;
use super::error::RecordError;
use super::film::{Film, Picture};
use super::format::{Format, Target};
use super::frame::framed;
use super::motion::motion;
use super::options::{Cancel, FilmOptions};
use super::partial::PartialCast;
use super::raster::Grid;
use super::{cast, html, pixels, svg, text, video};
use crate::disk;

/// How many missing characters are named.
const NAMED: usize = 5;

/// A file that was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Saved {
    /// Its size.
    pub bytes: u64,
    /// The characters that no font has, each once: boxes are drawn for them.
    pub missing_glyphs: Vec<char>,
}

/// Returns a sentence about characters that no font has, if there are any.
pub fn missing_glyphs(missing: &[char]) -> Option<String> {
    let named: Vec<String> = missing.iter().take(NAMED).map(|c| format!("{c} (U+{:04X})", u32::from(*c))).collect();
    let more = match missing.len().saturating_sub(NAMED) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    let them = format!("{}{more}", named.join(", "));
    let advice = "--font FILE names a font that has such characters (.ttf, .otf or .ttc)";
    (!missing.is_empty()).then(|| format!("no font here has {them}: in pictures they are boxes; {advice}"))
}

/// Writes `film` to `target`. PNG is a still; SVG is one if the film has a single picture.
///
/// # Errors
/// If nothing was written; `target` is then unchanged.
pub fn write(film: &Film, target: &Target, options: &FilmOptions, cancel: &Cancel) -> Result<Saved, RecordError> {
    let poster = poster(film)?;
    let save = |content: &mut dyn FnMut(&mut dyn Write) -> io::Result<Vec<char>>| {
        save_file(target, cancel, |file| {
            let mut out = cancel.guard(file.as_file_mut());
            let missing = content(&mut out)?;
            out.flush().map(|()| missing)
        })
    };
    let save_text = |text: String| save(&mut |out| out.write_all(text.as_bytes()).map(|()| Vec::new()));
    match target.format {
        Format::Log => Err(RecordError::NotAFilm(target.path.clone())),
        Format::Cast => save(&mut |out| cast::film(film, options.cast_version, out).map(|()| Vec::new())),
        Format::Gif => save(&mut |out| pixels::gif(film, options, out)),
        Format::Png => save(&mut |out| pixels::png(film, poster, options, out)),
        Format::Svg => {
            let style = adapted(film, options);
            let drawn = match film.pictures.len() {
                1 => svg::still(film, poster, &style),
                _ => motion(film, poster, options.loops, &style),
            };
            save_text(if options.frame { framed(&drawn, film) } else { drawn })
        }
        Format::Txt => save_text(text::transcript(film)),
        Format::Html => save_text(html::html(film, poster, &options.lang)),
        Format::Mp4 | Format::Webm | Format::Webp => {
            require_ffmpeg(target, options)?;
            save_file(target, cancel, |file| video::video(film, target.format, options, cancel, file.path()))
        }
    }
}

/// Writes `film` to `target`; if that fails, into a temporary folder, or else keeps its partial cast.
///
/// # Errors
/// If the film is not at `target`; the error says where it is instead.
pub fn write_or_rescue(
    film: &Film,
    target: &Target,
    options: &FilmOptions,
    partial: Option<PartialCast>,
    cancel: &Cancel,
) -> Result<Saved, RecordError> {
    let result = match write(film, target, options, cancel).map_err(Box::new) {
        Ok(saved) => Ok(saved),
        Err(error) => Err(match (write_elsewhere(film, target, options, cancel), &partial) {
            (Ok(place), _) => RecordError::Rescued { error, place },
            (Err(_), Some(partial)) => return Err(RecordError::Kept { error, partial: partial.path().to_owned() }),
            (Err(_), None) => *error,
        }),
    };
    if let Some(partial) = partial {
        partial.discard();
    }
    result
}

/// Writes `film` into a new temporary folder, where there may be room, and returns its path.
fn write_elsewhere(
    film: &Film,
    target: &Target,
    options: &FilmOptions,
    cancel: &Cancel,
) -> Result<PathBuf, RecordError> {
    let failed = |source| RecordError::Io { path: std::env::temp_dir(), source };
    let folder = tempfile::Builder::new().prefix("kmslab-").tempdir().map_err(failed)?;
    let path = folder.path().join(target.path.file_name().unwrap_or(target.path.as_os_str()));
    write(film, &Target { path: path.clone(), ..target.clone() }, options, cancel)?;
    // The folder stays.
    let _ = folder.keep();
    Ok(path)
}

/// Checks before a recording whether its film can be written to `target` at the end.
///
/// # Errors
/// Why it can't.
pub fn can_be_written(size: Size, target: &Target, options: &FilmOptions) -> Result<(), RecordError> {
    beside(target)?;
    if target.format.is_pixels() {
        Grid::new(size, options.pixels, options.frame).map_err(|source| target.io(source))?;
    }
    if target.format.needs_ffmpeg() { require_ffmpeg(target, options) } else { Ok(()) }
}

fn require_ffmpeg(target: &Target, options: &FilmOptions) -> Result<(), RecordError> {
    let is_there = video::is_there(&options.ffmpeg);
    if is_there { Ok(()) } else { Err(RecordError::NoFfmpeg(target.path.clone())) }
}

/// Returns the picture that stands for the film: the denial or, without one, the last.
fn poster(film: &Film) -> Result<&Picture, RecordError> {
    let is_denial = |picture: &&Picture| picture.chapter.as_deref().is_some_and(is_denial);
    film.pictures.iter().find(is_denial).or(film.pictures.last()).ok_or(RecordError::Empty)
}

/// Lets `content` write a file beside the target and moves it there.
fn save_file(
    target: &Target,
    cancel: &Cancel,
    content: impl FnOnce(&mut NamedTempFile) -> io::Result<Vec<char>>,
) -> Result<Saved, RecordError> {
    let mut file = beside(target)?;
    let missing_glyphs = content(&mut file).map_err(|error| match cancel.is_cancelled() {
        true => RecordError::Cancelled(target.path.clone()),
        false => target.io(error),
    })?;
    let bytes = file.as_file().metadata().map_err(|error| target.io(error))?.len();
    // Another program may have created it meanwhile.
    disk::keep(file, &target.path, target.overwrite).map_err(|error| match error.kind() {
        io::ErrorKind::AlreadyExists => RecordError::Exists(target.path.clone()),
        _ => target.io(error),
    })?;
    Ok(Saved { bytes, missing_glyphs })
}

/// Creates a temporary file in the target's folder, readable only by its owner.
fn beside(target: &Target) -> Result<NamedTempFile, RecordError> {
    let path = &target.path;
    if !target.overwrite && path.symlink_metadata().is_ok() {
        return Err(RecordError::Exists(path.clone()));
    }
    if path.is_dir() {
        return Err(target.io(io::ErrorKind::IsADirectory.into()));
    }
    if let Some(reason) = disk::missing_folder(path) {
        return Err(RecordError::NoFolder(reason));
    }
    disk::beside(path).map_err(|error| target.io(error))
}
