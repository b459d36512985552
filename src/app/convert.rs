//! `kmslab convert`.

use std::io;
use std::path::Path;

use color_eyre::eyre::Report;
use tokio::runtime::Runtime;

use super::recording::{film_options, palette, written};
use crate::cli::{Exit, Options, RecordingOptions, UsageError};
use crate::disk;
use crate::record::{Finished, Format, Recording, Target, can_be_written, read};
use crate::run::signal;
use crate::sandbox;

/// The language of what a cast shows, which no cast names.
const UNKNOWN: &str = "und";

/// Converts the asciicast `from` (`-` is the standard input) to the format of `to`.
///
/// # Errors
/// If `from` can't be read, or `to` can't be written.
pub fn convert(
    runtime: &Runtime,
    from: &Path,
    to: &Path,
    options: &Options,
    recording: &RecordingOptions,
) -> Result<Exit, Report> {
    let unusable = |path: &Path, reason: String| UsageError::new(format!("{}: {reason}", path.display()));
    if matches!(Format::of(from), Ok(Format::Log)) {
        let reason = "it holds events; `kmslab replay FILE --record OTHER` makes pictures of them";
        return Err(unusable(from, reason.to_owned()).into());
    }
    let target = Target::new(to, recording.force).map_err(UsageError::new)?;
    if target.format == Format::Log {
        let reason = "a .kmslab holds a session's events, and a .cast only its pictures";
        return Err(unusable(to, reason.to_owned()).into());
    }
    let is_stdin = from == Path::new("-");
    let bytes = if is_stdin { disk::read_all(io::stdin(), disk::RECORDING) } else { disk::read(from, disk::RECORDING) };
    let bytes = bytes.map_err(|error| unusable(from, format!("it can't be read: {error}")))?;
    let name = from.file_stem().filter(|_| !is_stdin).unwrap_or_default().to_string_lossy();
    let film = read(&bytes, &name, palette(options)).map_err(|error| unusable(from, error.to_string()))?;
    drop(bytes);
    let film_options = film_options(recording, &target, options.lang.as_deref().unwrap_or(UNKNOWN), options)?;
    can_be_written(film.size, &target, &film_options).map_err(UsageError::new)?;
    let chapters = film.pictures.iter().filter_map(|picture| Some((picture.at, picture.chapter.clone()?)));
    let recording = Recording {
        target,
        size: film.size,
        length: film.end,
        chapters: chapters.collect(),
        title: film.title.clone(),
        finished: Finished::Film { film: Box::new(film), options: Box::new(film_options), partial: None },
    };
    let _in_runtime = runtime.enter();
    let stop = signal::stop(sandbox::abandon);
    Ok(runtime.block_on(written(recording, stop)).report()?.unwrap_or(Exit::Met))
}
