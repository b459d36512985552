//! Files of a film, by their endings. A file is there when it is whole: it is written beside its place and then moved.

use std::ffi::OsString;
use std::fs;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use tempfile::NamedTempFile;

use super::motion::motion;
use super::{Film, Picture, html, mp4, pixels, svg, text};
use crate::lab::Stage;

/// What a still shows when nothing else is asked for: it is the point of the lab.
const POSTER: Stage = Stage::ViewDenied;

/// How a film becomes a file.
#[derive(Debug, Clone)]
pub struct FilmOptions {
    /// How wide pictures of pixels are; they are 16:9.
    pub width: u32,
    /// Whether a file that exists may be replaced.
    pub force: bool,
    /// The stage a still shows, by its key.
    pub stage: Option<String>,
    /// The language of what the pictures show, as HTML names it.
    pub lang: String,
    /// The program that makes MP4 files.
    pub ffmpeg: OsString,
}

impl Default for FilmOptions {
    fn default() -> FilmOptions {
        FilmOptions { width: 1920, force: false, stage: None, lang: "en".into(), ffmpeg: "ffmpeg".into() }
    }
}

/// What was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Written {
    /// Where.
    pub path: PathBuf,
    /// How many bytes.
    pub bytes: u64,
    /// How long it plays; nothing for a still.
    pub length: Duration,
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
    /// No picture shows that stage.
    #[error("the recording has no picture of {0:?}: its stages are {1}")]
    NoStage(String, String),
    /// A film of nothing.
    #[error("nothing was recorded, so there is nothing to write")]
    Empty,
    /// ffmpeg is not there.
    #[error("{} needs ffmpeg, which is not on PATH: install it, or write a .gif", .0.display())]
    NoFfmpeg(PathBuf),
    /// The disk, the folder, or too few pixels.
    #[error("{} was not written: {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
}

/// Writes `film` to `path` in the format of its ending. `.png` is a still and `.svg` is one where `options` name a stage:
/// the stage's last picture or, where they name none, the denied one's. Without a stage, an SVG moves.
///
/// # Errors
/// When nothing was written; then nothing has changed at `path`.
pub fn write(film: &Film, path: &Path, options: &FilmOptions) -> Result<Written, FilmError> {
    let ending = path.extension().and_then(|ending| ending.to_str()).unwrap_or_default().to_ascii_lowercase();
    let stage = options.stage.as_deref();
    let text = |text: String| move |out: &mut dyn Write| out.write_all(text.as_bytes());
    let save = |content: &mut dyn FnMut(&mut dyn Write) -> io::Result<()>| {
        save_file(film, path, options.force, |file| {
            let mut out = BufWriter::new(file.as_file_mut());
            content(&mut out).and_then(|()| out.flush())
        })
    };
    let picture = still(film, stage)?;
    let bytes = match ending.as_str() {
        "gif" => save(&mut |out| pixels::gif(film, options.width, out))?,
        "png" => save(&mut |out| pixels::png(film, picture, options.width, out))?,
        "svg" if stage.is_some() => save(&mut text(svg_still(film, picture)))?,
        "svg" => save(&mut text(motion(film, picture)))?,
        "txt" => save(&mut text(text::transcript(film)))?,
        "html" => save(&mut text(html::html(film, picture, &options.lang)))?,
        "mp4" if !mp4::is_there(&options.ffmpeg) => return Err(FilmError::NoFfmpeg(path.to_owned())),
        "mp4" => {
            save_file(film, path, options.force, |file| mp4::mp4(film, options.width, &options.ffmpeg, file.path()))?
        }
        _ => return Err(FilmError::Ending(path.to_owned())),
    };
    let is_still = ending == "png" || ending == "svg" && stage.is_some();
    Ok(Written { path: path.to_owned(), bytes, length: if is_still { Duration::ZERO } else { film.end } })
}

/// Writes stills of all stages to `folder`, each as PNG and as SVG: `6-view_denied.png`.
///
/// # Errors
/// When one of them was not written.
pub fn write_stills(film: &Film, folder: &Path, options: &FilmOptions) -> Result<Vec<Written>, FilmError> {
    fs::create_dir_all(folder).map_err(|source| FilmError::Io { path: folder.to_owned(), source })?;
    let mut written = Vec::new();
    for stage in Stage::ALL.into_iter().filter(|stage| last_of(film, stage.key()).is_some()) {
        let options = FilmOptions { stage: Some(stage.key().to_owned()), ..options.clone() };
        for ending in ["png", "svg"] {
            let name = format!("{}-{}.{ending}", stage.number(), stage.key());
            written.push(write(film, &folder.join(name), &options)?);
        }
    }
    if written.is_empty() { Err(FilmError::Empty) } else { Ok(written) }
}

/// One picture, described by its text.
pub(super) fn svg_still(film: &Film, picture: &Picture) -> String {
    svg(&picture.buffer, &film.palette, &film.title, &text::reading(&picture.buffer).join("\n"))
}

/// The picture that stays of a stage is its last.
fn last_of<'a>(film: &'a Film, stage: &str) -> Option<&'a Picture> {
    film.pictures.iter().rev().find(|picture| picture.stage == stage)
}

fn still<'a>(film: &'a Film, stage: Option<&str>) -> Result<&'a Picture, FilmError> {
    match stage {
        Some(stage) => last_of(film, stage).ok_or_else(|| {
            let stages = Stage::ALL.into_iter().map(Stage::key).filter(|stage| last_of(film, stage).is_some());
            FilmError::NoStage(stage.to_owned(), stages.collect::<Vec<_>>().join(", "))
        }),
        None => last_of(film, POSTER.key()).or(film.pictures.last()).ok_or(FilmError::Empty),
    }
}

/// Has `content` write a file beside `path` and moves it there. Gives its size.
fn save_file(
    film: &Film,
    path: &Path,
    force: bool,
    content: impl FnOnce(&mut NamedTempFile) -> io::Result<()>,
) -> Result<u64, FilmError> {
    if film.pictures.is_empty() {
        return Err(FilmError::Empty);
    }
    if !force && path.symlink_metadata().is_ok() {
        return Err(FilmError::Exists(path.to_owned()));
    }
    let failed = |source| FilmError::Io { path: path.to_owned(), source };
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut builder = tempfile::Builder::new();
    builder.prefix(".kmslab-");
    // As any other new file, not for its owner alone as temporary files are.
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
    let mut file = builder.tempfile_in(folder).map_err(failed)?;
    content(&mut file).map_err(failed)?;
    let bytes = file.as_file().metadata().map_err(failed)?.len();
    if force {
        file.persist(path).map_err(|error| failed(error.error))?;
    } else {
        // Another program may have made it meanwhile.
        file.persist_noclobber(path).map_err(|error| match error.error.kind() {
            io::ErrorKind::AlreadyExists => FilmError::Exists(path.to_owned()),
            _ => failed(error.error),
        })?;
    }
    Ok(bytes)
}
