//! Takes in pictures and events with their times, and makes of them what the file's ending says.

use std::fmt;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use ratatui::buffer::Buffer;
use ratatui::layout::Size;

use super::cast::{Cast, Head, Version};
use super::chapters::Chapters;
use super::file::Kept;
use super::{Film, Palette, Picture};
use crate::lab::State;
use crate::lab::log::{Entry, Head as SessionHead, Logged};

/// Pictures that come closer together become one: nobody sees more than 30 in a second.
const GAP: Duration = Duration::from_millis(33);

/// What a recording becomes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// asciicast, written while it is recorded.
    Cast,
    /// The event log, likewise.
    Session,
    /// Anything else: made of all pictures at the end.
    Film,
}

impl Kind {
    /// By the ending of `path`.
    ///
    /// # Errors
    /// A sentence that names the endings there are.
    pub fn of(path: &Path) -> Result<Kind, String> {
        let ending = path.extension().map(|ending| ending.to_string_lossy().to_ascii_lowercase());
        match ending.as_deref() {
            Some("cast") => Ok(Kind::Cast),
            Some("kmslab") => Ok(Kind::Session),
            Some("svg" | "png" | "gif" | "txt" | "html" | "mp4") => Ok(Kind::Film),
            _ => Err(format!(
                "{}: the ending says what it becomes: .cast, .kmslab, .svg, .png, .gif, .txt, .html or .mp4",
                path.display()
            )),
        }
    }
}

/// How to record.
#[derive(Debug, Clone)]
pub struct Manner {
    /// The file.
    pub path: PathBuf,
    /// Whether it may take the place of another.
    pub force: bool,
    /// Of asciicast.
    pub version: Version,
    /// The size of all pictures.
    pub size: Size,
    /// Their colours.
    pub palette: Palette,
    /// When it begins, in seconds since 1970.
    pub timestamp: u64,
    /// Whether pauses are meant; see [`Head`].
    pub keeps_pauses: bool,
}

/// Records into a file.
#[derive(Debug)]
pub struct Recorder {
    manner: Manner,
    sink: Sink,
    chapters: Chapters,
    list: Vec<(Duration, String)>,
    /// What was shown last, written or held.
    newest: Option<Buffer>,
    /// A picture that may still become one with the next.
    held: Option<Picture>,
    /// When the last picture was written.
    written: Option<Duration>,
}

#[derive(Debug)]
enum Sink {
    Cast(Cast<Kept>),
    Session(Kept),
    Film(Vec<Picture>),
    /// Writing has failed.
    Ended,
}

/// What was recorded.
#[derive(Debug)]
pub struct Recorded {
    /// Where it is.
    pub path: PathBuf,
    /// Columns and rows.
    pub size: Size,
    /// How long it is.
    pub length: Duration,
    /// The chapters, with their times.
    pub chapters: Vec<(Duration, String)>,
    /// Bytes of a file that is complete; otherwise the film that has to be written yet.
    pub result: Result<u64, Box<Film>>,
}

impl Recorder {
    /// Begins a recording of a session that begins with `state`.
    ///
    /// # Errors
    /// Why it can't begin, in words for a person.
    pub fn begin(manner: Manner, state: &State) -> Result<Recorder, String> {
        let trouble = |error: io::Error| format!("{} can't be written: {error}", manner.path.display());
        let sink = match Kind::of(&manner.path)? {
            Kind::Cast => {
                let file = Kept::create(&manner.path, manner.force)?;
                let Manner { version, size, palette, timestamp, keeps_pauses, .. } = manner;
                Sink::Cast(Cast::new(file, &Head { version, size, palette, timestamp, keeps_pauses }).map_err(trouble)?)
            }
            Kind::Session => {
                let mut file = Kept::create(&manner.path, manner.force)?;
                line(&mut file, &SessionHead::new(state, manner.timestamp)).map_err(trouble)?;
                Sink::Session(file)
            }
            Kind::Film => {
                can_be_made(&manner.path, manner.force)?;
                Sink::Film(Vec::new())
            }
        };
        Ok(Recorder {
            manner,
            sink,
            chapters: Chapters::default(),
            list: Vec::new(),
            newest: None,
            held: None,
            written: None,
        })
    }

    /// The size of its pictures.
    pub fn size(&self) -> Size {
        self.manner.size
    }

    /// The file.
    pub fn path(&self) -> &Path {
        &self.manner.path
    }

    /// Whether it takes events, and no pictures.
    pub fn is_log(&self) -> bool {
        matches!(self.sink, Sink::Session(_))
    }

    /// Takes in what is shown from `at` on: a picture of `state` or, without one, of none.
    ///
    /// # Errors
    /// When it can't be written; what was recorded before is kept, and nothing more is taken in.
    pub fn see(&mut self, at: Duration, state: Option<&State>, buffer: &Buffer) -> io::Result<()> {
        let chapter = state.and_then(|state| self.chapters.begun(state));
        if self.is_log() {
            self.list.extend(chapter.map(|label| (at, label)));
            return Ok(());
        }
        if chapter.is_none() && self.newest.as_ref() == Some(buffer) {
            return self.flush(at);
        }
        let is_apart = |recorder: &Recorder| recorder.written.is_none_or(|written| at >= written + GAP);
        if chapter.is_some() || is_apart(self) {
            self.write_held()?;
        }
        self.newest = Some(buffer.clone());
        let stage = state.map_or("", |state| state.view.shown.key());
        self.held = Some(Picture { at, buffer: buffer.clone(), chapter, stage });
        let is_chapter = self.held.as_ref().is_some_and(|held| held.chapter.is_some());
        if is_chapter || is_apart(self) { self.write_held() } else { Ok(()) }
    }

    /// When the picture that is held is to be written, if one is.
    pub fn due(&self) -> Option<Duration> {
        self.held.as_ref().and(self.written).map(|written| written + GAP)
    }

    /// Writes it when that time has come.
    ///
    /// # Errors
    /// As [`Recorder::see`].
    pub fn flush(&mut self, now: Duration) -> io::Result<()> {
        if self.due().is_some_and(|due| due <= now) { self.write_held() } else { Ok(()) }
    }

    fn write_held(&mut self) -> io::Result<()> {
        let Some(picture) = self.held.take() else { return Ok(()) };
        self.written = Some(picture.at);
        let chapter = picture.chapter.clone().map(|label| (picture.at, label));
        self.attempt(|sink| match sink {
            Sink::Cast(cast) => {
                cast.picture(picture.at, &picture.buffer)?;
                picture.chapter.as_deref().map_or(Ok(()), |label| cast.marker(picture.at, label))
            }
            Sink::Film(pictures) => {
                pictures.push(picture);
                Ok(())
            }
            Sink::Session(_) | Sink::Ended => Ok(()),
        })?;
        if !matches!(self.sink, Sink::Ended) {
            self.list.extend(chapter);
        }
        Ok(())
    }

    /// Takes in what a person typed; where it is a film, nobody asks.
    ///
    /// # Errors
    /// As [`Recorder::see`].
    pub fn input(&mut self, at: Duration, typed: &str) -> io::Result<()> {
        self.attempt(|sink| if let Sink::Cast(cast) = sink { cast.input(at, typed) } else { Ok(()) })
    }

    /// Takes in what has happened.
    ///
    /// # Errors
    /// As [`Recorder::see`].
    pub fn happened(&mut self, at: Duration, what: Logged) -> io::Result<()> {
        let entry = Entry { at: u64::try_from(at.as_millis()).unwrap_or(u64::MAX), what };
        self.attempt(|sink| if let Sink::Session(file) = sink { line(file, &entry) } else { Ok(()) })
    }

    /// After the first failure nothing is written any more.
    fn attempt(&mut self, write: impl FnOnce(&mut Sink) -> io::Result<()>) -> io::Result<()> {
        let written = write(&mut self.sink);
        // A film is in memory: it does not fail.
        if written.is_err() {
            self.sink = Sink::Ended;
        }
        written
    }

    /// Ends the recording at `at`.
    ///
    /// # Errors
    /// When its end can't be written; what was recorded is kept.
    pub fn finish(mut self, at: Duration, title: String) -> io::Result<Recorded> {
        self.write_held()?;
        let Manner { path, size, palette, .. } = self.manner;
        let result = match self.sink {
            Sink::Cast(cast) => Ok(cast.finish(at)?.bytes()),
            Sink::Session(file) => Ok(file.bytes()),
            Sink::Film(pictures) => Err(Box::new(Film { title, size, palette, pictures, end: at })),
            Sink::Ended => Ok(std::fs::metadata(&path)?.len()),
        };
        Ok(Recorded { path, size, length: at, chapters: self.list, result })
    }
}

fn line(file: &mut Kept, value: &impl serde::Serialize) -> io::Result<()> {
    let mut text = serde_json::to_string(value)?;
    text.push('\n');
    file.write_all(text.as_bytes())?;
    file.flush()
}

/// Whether a film can be written to `path` at the end; nobody wants to hear that after the lab.
fn can_be_made(path: &Path, force: bool) -> Result<(), String> {
    if path.exists() && !force {
        return Err(format!("{} exists: --force replaces it", path.display()));
    }
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    tempfile::Builder::new()
        .prefix(".kmslab-")
        .tempfile_in(folder)
        .map(drop)
        .map_err(|error| format!("{} can't be written: {error}", path.display()))
}

impl Recorded {
    /// The picture to show before it plays: the denial or, without one, the last chapter.
    pub fn poster(&self) -> Option<&(Duration, String)> {
        self.chapters.iter().find(|(_, label)| label.ends_with(" DENIED")).or(self.chapters.last())
    }
}

/// Length, poster time and chapters, as a person or a player is told.
impl fmt::Display for Recorded {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Size { width, height } = self.size;
        write!(out, "recorded {}: {width}×{height}, {}", self.path.display(), clock(self.length))?;
        if let Ok(bytes) = self.result {
            write!(out, ", {} kB", bytes.div_ceil(1_000))?;
        }
        if let Some((at, label)) = self.poster() {
            let seconds = at.as_secs_f64() + 0.1;
            write!(out, "\n  poster npt:{}:{:04.1} ({label})", at.as_secs() / 60, seconds % 60.0)?;
        }
        for (at, label) in &self.chapters {
            write!(out, "\n  {}  {label}", clock(*at))?;
        }
        Ok(())
    }
}

/// `1:23`
pub fn clock(at: Duration) -> String {
    format!("{}:{:02}", at.as_secs() / 60, at.as_secs() % 60)
}
