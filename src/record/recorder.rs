//! Receives pictures and events with their times, and writes them to a file or collects them in a film.

use std::fmt;
use std::io::{self, Write};
use std::time::Duration;

use ratatui::buffer::Buffer;
use ratatui::layout::Size;

use super::cast::{Cast, Header, IDLE_LIMIT};
use super::chapters::{Chapters, clock, is_denial, published};
use super::error::RecordError;
use super::film::{Film, Picture, Rows};
use super::format::{Format, Target};
use super::line_file::LineFile;
use super::options::FilmOptions;
use super::partial::PartialCast;
use super::write::can_be_written;
use crate::lab::State;
use crate::lab::log::{Entry, Head as LogHead, Logged};

/// Pictures that follow each other faster are merged: nobody sees more than 30 a second.
pub(super) const GAP: Duration = Duration::from_millis(33);

/// What to record into, and how.
#[derive(Debug, Clone)]
pub struct RecorderOptions {
    /// The file.
    pub target: Target,
    /// Size, colors, time and pauses, as an asciicast's header has them.
    pub header: Header,
    /// How a film is written.
    pub film: FilmOptions,
    /// Whether to keep a film in a [`PartialCast`] as long as it exists only in memory.
    pub partial: bool,
}

/// Records into a file or a film.
#[derive(Debug)]
pub struct Recorder {
    options: RecorderOptions,
    sink: Sink,
    chapters: Chapters,
    list: Vec<(Duration, String)>,
    /// The newest picture.
    newest: Option<Buffer>,
    /// Set while the newest picture is not written: it may still be merged with the next.
    held: Option<Held>,
    /// When the last picture was written.
    written: Option<Duration>,
    played: PlayerClock,
    partial: Option<PartialCast>,
}

/// What is known of a picture besides its cells.
#[derive(Debug)]
struct Held {
    at: Duration,
    chapter: Option<String>,
    stage: &'static str,
}

#[derive(Debug)]
enum Sink {
    Cast(Cast<LineFile>),
    Log(LineFile),
    Film(Rows, Vec<Picture>),
    /// Writing has failed.
    Failed,
}

/// A finished recording.
#[derive(Debug)]
pub struct Recording {
    /// The file.
    pub target: Target,
    /// Columns and rows.
    pub size: Size,
    /// How long a player takes for it.
    pub length: Duration,
    /// The chapters, with the times at which a player shows them.
    pub chapters: Vec<(Duration, String)>,
    /// Its title.
    pub title: String,
    /// Whether the file is written.
    pub finished: Finished,
}

/// What a recorder leaves.
#[derive(Debug)]
pub enum Finished {
    /// A complete file.
    File {
        /// Its size.
        bytes: u64,
    },
    /// A film that has yet to be written.
    Film {
        /// The film.
        film: Box<Film>,
        /// How to write it.
        options: Box<FilmOptions>,
        /// Kept until the film is written.
        partial: Option<PartialCast>,
    },
}

impl Recorder {
    /// Begins to record a session that begins with `state`.
    ///
    /// # Errors
    /// If the file can't be created, or the film could not be written at the end.
    pub fn begin(options: RecorderOptions, state: &State) -> Result<Recorder, RecordError> {
        let RecorderOptions { target, header, film, .. } = &options;
        let sink = match target.format {
            Format::Cast => Sink::Cast(create(target, |file| Cast::new(file, header))?),
            Format::Log => Sink::Log(create(target, |mut file| {
                line(&mut file, &LogHead::new(state, header.timestamp)).map(|()| file)
            })?),
            _ => {
                can_be_written(header.size, target, film)?;
                Sink::Film(Rows::default(), Vec::new())
            }
        };
        // A log keeps the real times.
        let limit = (!header.keeps_pauses && target.format != Format::Log).then_some(IDLE_LIMIT);
        Ok(Recorder {
            options,
            sink,
            chapters: Chapters::default(),
            list: Vec::new(),
            newest: None,
            held: None,
            written: None,
            played: PlayerClock { limit, last: Duration::ZERO, skipped: Duration::ZERO },
            partial: None,
        })
    }

    /// Returns the size of its pictures.
    pub fn size(&self) -> Size {
        self.options.header.size
    }

    /// Whether it records events, and no pictures.
    pub fn is_log(&self) -> bool {
        matches!(self.sink, Sink::Log(_))
    }

    /// Records a picture that is shown from `at` on: of `state` or, without one, a card.
    ///
    /// # Errors
    /// If it can't be written; earlier pictures are kept, and nothing more is recorded.
    pub fn see(&mut self, at: Duration, state: Option<&State>, buffer: &Buffer) -> io::Result<()> {
        let chapter = state.and_then(|state| self.chapters.begun(state));
        if self.is_log() {
            self.list.extend(chapter.map(|label| (at, label)));
            return Ok(());
        }
        if chapter.is_none() && self.newest.as_ref() == Some(buffer) {
            return self.flush(at);
        }
        let is_chapter = chapter.is_some();
        let is_due = |written: Option<Duration>| is_chapter || written.is_none_or(|written| at >= written + GAP);
        if is_due(self.written) {
            self.write_held()?;
        }
        match &mut self.newest {
            Some(newest) => newest.clone_from(buffer),
            newest => *newest = Some(buffer.clone()),
        }
        self.held = Some(Held { at, chapter, stage: state.map_or("", |state| state.view().shown.key()) });
        if is_due(self.written) { self.write_held() } else { Ok(()) }
    }

    /// Returns when to write the picture that is held, if there is one.
    pub fn due(&self) -> Option<Duration> {
        self.held.as_ref().and(self.written).map(|written| written + GAP)
    }

    /// Writes the picture that is held, if it is due.
    ///
    /// # Errors
    /// As [`Recorder::see`].
    pub fn flush(&mut self, now: Duration) -> io::Result<()> {
        if self.due().is_some_and(|due| due <= now) { self.write_held() } else { Ok(()) }
    }

    fn write_held(&mut self) -> io::Result<()> {
        let (Some(Held { at, chapter, stage }), Some(buffer)) = (self.held.take(), &self.newest) else { return Ok(()) };
        self.written = Some(at);
        let played = self.played.at(at);
        let written = match &mut self.sink {
            Sink::Cast(cast) => cast.picture_with_marker(at, buffer, chapter.as_deref()),
            Sink::Film(rows, pictures) => {
                // Only now: a lab that can't begin leaves no file.
                if pictures.is_empty() && self.options.partial {
                    self.partial = PartialCast::create(&self.options.target.path, &self.options.header);
                }
                if let Some(partial) = &mut self.partial {
                    partial.picture(at, buffer, chapter.as_deref());
                }
                pictures.push(Picture { at: played, rows: rows.of(buffer), chapter: chapter.clone(), stage });
                Ok(())
            }
            Sink::Log(_) => Ok(()),
            Sink::Failed => return Ok(()),
        };
        self.attempt(|_| written)?;
        self.list.extend(chapter.map(|label| (played, label)));
        Ok(())
    }

    /// Records typed text; only asciicasts have it.
    ///
    /// # Errors
    /// As [`Recorder::see`].
    pub fn input(&mut self, at: Duration, typed: &str) -> io::Result<()> {
        self.attempt(|recorder| match &mut recorder.sink {
            Sink::Cast(cast) => {
                recorder.played.at(at);
                cast.input(at, typed)
            }
            _ => Ok(()),
        })
    }

    /// Records an event; only logs have them.
    ///
    /// # Errors
    /// As [`Recorder::see`].
    pub fn happened(&mut self, at: Duration, what: Logged) -> io::Result<()> {
        let entry = Entry { at: u64::try_from(at.as_millis()).unwrap_or(u64::MAX), what };
        self.attempt(|recorder| match &mut recorder.sink {
            Sink::Log(file) => line(file, &entry),
            _ => Ok(()),
        })
    }

    /// Writes with `write`, and stops recording if that fails.
    fn attempt(&mut self, write: impl FnOnce(&mut Recorder) -> io::Result<()>) -> io::Result<()> {
        let written = write(self);
        if written.is_err() {
            self.sink = Sink::Failed;
        }
        written
    }

    /// Ends the recording at `at`.
    ///
    /// # Errors
    /// If its end can't be written; what was recorded is kept.
    pub fn finish(mut self, at: Duration, title: String) -> io::Result<Recording> {
        self.write_held()?;
        let length = self.played.at(at);
        let RecorderOptions { target, header: Header { size, palette, .. }, film: options, .. } = self.options;
        let film_title = title.clone();
        let finished = match self.sink {
            Sink::Cast(cast) => Finished::File { bytes: cast.finish(at)?.bytes() },
            Sink::Log(file) => Finished::File { bytes: file.bytes() },
            Sink::Film(_, pictures) => Finished::Film {
                film: Box::new(Film { title: film_title, size, palette, pictures, end: length }),
                options: Box::new(options),
                partial: self.partial,
            },
            Sink::Failed => Finished::File { bytes: std::fs::metadata(&target.path)?.len() },
        };
        Ok(Recording { target, size, length, chapters: self.list, title, finished })
    }
}

/// Creates the target's file and begins it with `head`. A new file that can't be begun is removed.
fn create<T>(target: &Target, head: impl FnOnce(LineFile) -> io::Result<T>) -> Result<T, RecordError> {
    head(LineFile::create(&target.path, target.overwrite)?).map_err(|error| {
        if !target.overwrite {
            let _ = std::fs::remove_file(&target.path);
        }
        target.io(error)
    })
}

/// Maps the time of a recording to the time of its player, which shortens pauses.
#[derive(Debug)]
struct PlayerClock {
    /// The longest pause.
    limit: Option<Duration>,
    last: Duration,
    skipped: Duration,
}

impl PlayerClock {
    /// Returns when a player shows what is recorded at `at`.
    fn at(&mut self, at: Duration) -> Duration {
        let pause = at.saturating_sub(self.last);
        self.last = self.last.max(at);
        self.skipped += pause.saturating_sub(self.limit.unwrap_or(pause));
        self.last - self.skipped
    }
}

fn line(file: &mut LineFile, value: &impl serde::Serialize) -> io::Result<()> {
    let mut text = serde_json::to_string(value)?;
    text.push('\n');
    file.write_all(text.as_bytes())?;
    file.flush()
}

impl Recording {
    /// Returns the chapter to show before it plays: the denial or, without one, the last.
    pub fn poster(&self) -> Option<&(Duration, String)> {
        self.chapters.iter().find(|(_, label)| is_denial(label)).or(self.chapters.last())
    }
}

/// Length, poster time and chapters, for users and for players.
impl fmt::Display for Recording {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Size { width, height } = self.size;
        // A still has neither length nor chapters.
        let is_still = self.target.format == Format::Png;
        write!(out, "recorded {}: {width}×{height}", self.target.path.display())?;
        if !is_still {
            write!(out, ", {}", clock(self.length))?;
        }
        if let Finished::File { bytes } = self.finished {
            write!(out, ", {} kB", bytes.div_ceil(1_000))?;
        }
        if is_still {
            return Ok(());
        }
        let published = published(&self.chapters, &self.title, self.length);
        if !published.is_empty() {
            write!(out, "\nchapters, as YouTube reads them in a description:")?;
        }
        published.iter().try_for_each(|(at, name)| write!(out, "\n{} {name}", clock(*at)))?;
        if let Some((at, label)) = self.poster() {
            // Rounded up: the picture is there at that time.
            let tenths = at.as_millis() / 100 + 1;
            let time = format!("{}:{:02}.{}", tenths / 600, tenths / 10 % 60, tenths % 10);
            write!(out, "\n  show {time} before it plays: npt:{time} ({label})")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use ratatui::layout::Rect;
    use ratatui::style::Style;
    use rstest::rstest;

    use super::super::cast::Version;
    use super::super::options::Pixels;
    use super::super::palette::Palette;
    use super::*;
    use crate::lab::{Backend, BackendKind, Names, Stage};

    fn options(path: &Path, keeps_pauses: bool) -> RecorderOptions {
        let size = Size { width: 20, height: 2 };
        RecorderOptions {
            target: Target::new(path, false).unwrap(),
            header: Header { version: Version::Three, size, palette: Palette::DARK, timestamp: 0, keeps_pauses },
            film: FilmOptions { pixels: Pixels::new(640, None), ..FilmOptions::default() },
            partial: false,
        }
    }

    fn film(recording: Recording) -> Film {
        match recording.finished {
            Finished::Film { film, .. } => *film,
            Finished::File { .. } => panic!("it is written"),
        }
    }

    fn state() -> State {
        let backend =
            Backend { kind: BackendKind::Sandbox, region: "us-east-1".into(), endpoint: None, given_user: false };
        State::new(backend, Names::new("t1"))
    }

    fn picture(text: &str) -> Buffer {
        let mut buffer = Buffer::empty(Rect::new(0, 0, 20, 2));
        buffer.set_string(0, 0, text, Style::new());
        buffer
    }

    /// What is recorded to a file of this name: stages after so many seconds, and its end after so many.
    fn recorded(name: &str, keeps_pauses: bool, stages: &[u64], end: u64) -> (Vec<u8>, Recording) {
        let folder = tempfile::tempdir().unwrap();
        let mut state = state();
        let mut recorder = Recorder::begin(options(&folder.path().join(name), keeps_pauses), &state).unwrap();
        for (number, second) in stages.iter().enumerate() {
            state.view_mut().shown = Stage::ALL[number];
            recorder.see(Duration::from_secs(*second), Some(&state), &picture(&number.to_string())).unwrap();
        }
        let recorded = recorder.finish(Duration::from_secs(end), "t".into()).unwrap();
        (std::fs::read(&recorded.target.path).unwrap_or_default(), recorded)
    }

    #[rstest]
    #[case::of_a_person(false, &[0, 2_500, 3_500], 6_000)]
    #[case::that_are_meant(true, &[0, 60_000, 61_000], 300_000)]
    fn a_film_has_the_pauses_that_a_player_shows(#[case] keeps: bool, #[case] at: &[u64], #[case] end: u64) {
        let (_, recorded) = recorded("a.gif", keeps, &[0, 60, 61], 300);
        assert_eq!(recorded.chapters.iter().map(|(at, _)| at.as_millis() as u64).collect::<Vec<_>>(), at);
        let length = recorded.length;
        let film = film(recorded);
        assert_eq!(film.pictures.iter().map(|picture| picture.at.as_millis() as u64).collect::<Vec<_>>(), at);
        assert_eq!((film.end, length), (Duration::from_millis(end), film.end));
    }

    #[test]
    fn the_chapters_that_are_told_are_where_players_show_them() {
        let (file, recorded) = recorded("a.cast", false, &[7, 100, 101, 200], 200);
        // What the player does: no pause is longer than the header says; see its `timeLimiter`.
        let (mut now, mut shown) = (0.0, Vec::new());
        for line in String::from_utf8(file).unwrap().lines().skip(1) {
            let event: serde_json::Value = serde_json::from_str(line).unwrap();
            now += event[0].as_f64().unwrap().min(2.5);
            shown.extend((event[1] == "m").then_some(now));
        }
        assert_eq!(shown.len(), 4);
        for ((told, _), shown) in recorded.chapters.iter().zip(shown) {
            assert!((shown - told.as_secs_f64()).abs() < 0.01, "{told:?} is shown at {shown}");
        }
    }

    #[test]
    fn a_film_without_a_frame_leaves_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let names = || {
            let names =
                std::fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
            names.collect::<std::collections::BTreeSet<_>>()
        };
        let begin = || {
            let mut options = options(&folder.path().join("a.gif"), true);
            (options.target.overwrite, options.partial) = (true, true);
            Recorder::begin(options, &state()).unwrap()
        };
        drop(begin());
        assert!(names().is_empty(), "{:?}", names());
        let killed = |text: &str| {
            let mut recorder = begin();
            recorder.see(Duration::ZERO, None, &picture(text)).unwrap();
            recorder.flush(Duration::from_secs(1)).unwrap();
        };
        killed("first");
        killed("second");
        assert_eq!(names().into_iter().collect::<Vec<_>>(), ["a.gif.partial-2.cast", "a.gif.partial.cast"]);
        let text = |name: &str| std::fs::read_to_string(folder.path().join(name)).unwrap();
        assert!(text("a.gif.partial.cast").contains("first") && text("a.gif.partial-2.cast").contains("second"));
    }

    #[test]
    fn close_frames_are_merged_and_the_last_is_kept() {
        let folder = tempfile::tempdir().unwrap();
        let shown = |recorder: &mut Recorder, millis: u64, text: &str| {
            let at = Duration::from_millis(millis);
            recorder.see(at, None, &picture(text)).unwrap();
            recorder.flush(at).unwrap();
        };
        let mut recorder = Recorder::begin(options(&folder.path().join("a.gif"), true), &state()).unwrap();
        for (millis, text) in [(0, "a"), (10, "b"), (20, "c"), (30, "d"), (40, "e"), (50, "f"), (60, "e")] {
            shown(&mut recorder, millis, text);
        }
        assert_eq!(recorder.due(), Some(Duration::from_millis(30 + 33)), "it is not forgotten");
        recorder.flush(Duration::from_millis(80)).unwrap();
        assert_eq!(recorder.due(), None);
        let film = film(recorder.finish(Duration::from_secs(1), "t".into()).unwrap());
        let seen = film.pictures.iter().map(|seen| (seen.at.as_millis(), seen.rows[0][0].symbol().to_owned()));
        assert_eq!(seen.collect::<Vec<_>>(), [(0, "a"), (30, "d"), (60, "e")].map(|(at, s)| (at, s.to_owned())));
    }

    #[rstest]
    #[case(0, "0:00.1")]
    #[case(56_428, "0:56.5")]
    #[case(59_950, "1:00.0")]
    #[case(119_990, "2:00.0")]
    fn the_poster_is_a_time_after_its_picture(#[case] millis: u64, #[case] told: &str) {
        let label = "6 The same Scan, twice: DENIED".to_owned();
        let chapters = vec![(Duration::from_millis(millis), label)];
        let (target, size) = (Target::new("a.cast", false).unwrap(), Size { width: 100, height: 28 });
        let (length, finished) = (Duration::from_secs(200), Finished::File { bytes: 1_500 });
        let recorded = Recording { target, size, length, chapters, title: "t".into(), finished };
        let lines = recorded.to_string();
        assert!(lines.starts_with("recorded a.cast: 100×28, 3:20, 2 kB\n"), "{lines}");
        let shown = format!("\n  show {told} before it plays: npt:{told} (6 The same Scan, twice: DENIED)");
        assert!(lines.ends_with(&shown), "{lines}");
        // Of a still there is nothing more to say.
        let still = Recording { target: Target::new("a.PNG", false).unwrap(), ..recorded };
        assert_eq!(still.to_string(), "recorded a.PNG: 100×28, 2 kB");
    }
}
