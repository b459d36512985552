//! Takes in pictures and events with their times, and makes of them what the file's ending says.

use std::fmt;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use ratatui::buffer::Buffer;
use ratatui::layout::Size;

use super::cast::{Cast, Head, IDLE_LIMIT, Version};
use super::chapters::{Chapters, is_denial};
use super::file::Kept;
use super::{AddedFonts, Film, FilmOptions, Palette, Picture, Rows, can_be_written};
use crate::lab::State;
use crate::lab::log::{Entry, Head as LogHead, Logged};
use crate::lab::presenting::pace::minutes;

/// Pictures that come closer together become one: nobody sees more than 30 in a second.
const GAP: Duration = Duration::from_millis(33);

/// What a recording becomes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// asciicast, written while it is recorded.
    Cast,
    /// The event log, likewise.
    Log,
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
            Some("kmslab") => Ok(Kind::Log),
            Some("svg" | "png" | "gif" | "txt" | "html" | "mp4") => Ok(Kind::Film),
            _ => Err(format!(
                "{}: the ending says what it becomes: .cast, .kmslab, .svg, .png, .gif, .txt, .html or .mp4",
                path.display()
            )),
        }
    }
}

/// What is recorded into, and how it looks there.
#[derive(Debug, Clone)]
pub struct Output {
    /// The file.
    pub path: PathBuf,
    /// Whether it may take the place of another.
    pub force: bool,
    /// Of asciicast.
    pub version: Version,
    /// The size of all pictures.
    pub size: Size,
    /// How many pixels they are wide, where they become pixels.
    pub width: u32,
    /// How high, where that is not 16:9.
    pub height: Option<u32>,
    /// For characters that the program's own font lacks, likewise.
    pub fonts: AddedFonts,
    /// Their colours.
    pub palette: Palette,
    /// When it begins, in seconds since 1970.
    pub timestamp: u64,
    /// Whether pauses are meant; see [`Head`].
    pub keeps_pauses: bool,
    /// Whether a film is kept beside its file, too, as long as it is only in memory.
    pub spare: bool,
}

impl Output {
    fn head(&self) -> Head {
        let Output { version, size, palette, timestamp, keeps_pauses, .. } = *self;
        Head { version, size, palette, timestamp, keeps_pauses }
    }
}

/// Records into a file.
#[derive(Debug)]
pub struct Recorder {
    output: Output,
    sink: Sink,
    chapters: Chapters,
    list: Vec<(Duration, String)>,
    /// What was shown last.
    newest: Option<Buffer>,
    /// It is not written yet: it may still become one with the next.
    held: Option<Held>,
    /// When the last picture was written.
    written: Option<Duration>,
    played: Played,
    /// A film's pictures as they come.
    spare: Option<Spare>,
}

/// What is left of a film whose program was killed.
#[derive(Debug)]
struct Spare {
    path: PathBuf,
    /// `None` once it could not be written: the film itself goes on.
    cast: Option<Cast<Kept>>,
}

impl Spare {
    /// A file beside that of `output`, under a name that nothing has: what is left of an earlier film stays. `None`
    /// where there can be none; the film goes on without.
    fn begin(output: &Output) -> Option<Spare> {
        let name = output.path.file_name().unwrap_or_default();
        let path = (1..100).map(|number| {
            let mut name = name.to_owned();
            name.push(if number == 1 { ".partial.cast".to_owned() } else { format!(".partial-{number}.cast") });
            output.path.with_file_name(name)
        });
        let path = path.into_iter().find(|path| !path.exists())?;
        let file = Kept::create(&path, false).ok()?;
        Some(Spare { cast: Cast::new(file, &output.head()).ok(), path })
    }

    fn picture(&mut self, at: Duration, buffer: &Buffer, chapter: Option<&str>) {
        if let Some(cast) = &mut self.cast {
            let written =
                cast.picture(at, buffer).and_then(|()| chapter.map_or(Ok(()), |label| cast.marker(at, label)));
            if written.is_err() {
                self.cast = None;
            }
        }
    }
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
    Cast(Cast<Kept>),
    Log(Kept),
    Film(Rows, Vec<Picture>),
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
    /// How long a player takes for it.
    pub length: Duration,
    /// The chapters, with the times at which a player shows them.
    pub chapters: Vec<(Duration, String)>,
    /// As they were in its [`Output`].
    pub fonts: AddedFonts,
    /// What is kept of a film until it is written: whoever writes it removes this.
    pub spare: Option<PathBuf>,
    /// Bytes of a file that is complete; otherwise the film that has to be written yet.
    pub result: Result<u64, Box<Film>>,
}

impl Recorder {
    /// Begins a recording of a session that begins with `state`.
    ///
    /// # Errors
    /// Why it can't begin, in words for a person.
    pub fn begin(output: Output, state: &State) -> Result<Recorder, String> {
        let trouble = |error: io::Error| {
            if !output.force {
                // It was made here, and has nothing in it.
                let _ = std::fs::remove_file(&output.path);
            }
            format!("{} can't be written: {error}", output.path.display())
        };
        let sink = match Kind::of(&output.path)? {
            Kind::Cast => {
                let file = Kept::create(&output.path, output.force)?;
                Sink::Cast(Cast::new(file, &output.head()).map_err(trouble)?)
            }
            Kind::Log => {
                let mut file = Kept::create(&output.path, output.force)?;
                line(&mut file, &LogHead::new(state, output.timestamp)).map_err(trouble)?;
                Sink::Log(file)
            }
            Kind::Film => {
                let Output { force, width, height, .. } = output;
                let options = FilmOptions { force, width, height, ..FilmOptions::default() };
                can_be_written(output.size, &output.path, &options).map_err(|error| error.to_string())?;
                Sink::Film(Rows::default(), Vec::new())
            }
        };
        // A log has the times as they were.
        let limit = (!output.keeps_pauses && !matches!(sink, Sink::Log(_))).then_some(IDLE_LIMIT);
        Ok(Recorder {
            output,
            sink,
            chapters: Chapters::default(),
            list: Vec::new(),
            newest: None,
            held: None,
            written: None,
            played: Played { limit, last: Duration::ZERO, skipped: Duration::ZERO },
            spare: None,
        })
    }

    /// The size of its pictures.
    pub fn size(&self) -> Size {
        self.output.size
    }

    /// The file.
    pub fn path(&self) -> &Path {
        &self.output.path
    }

    /// Whether it takes events, and no pictures.
    pub fn is_log(&self) -> bool {
        matches!(self.sink, Sink::Log(_))
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
        let is_chapter = chapter.is_some();
        let is_due = |written: Option<Duration>| is_chapter || written.is_none_or(|written| at >= written + GAP);
        if is_due(self.written) {
            self.write_held()?;
        }
        match &mut self.newest {
            Some(newest) => newest.clone_from(buffer),
            newest => *newest = Some(buffer.clone()),
        }
        self.held = Some(Held { at, chapter, stage: state.map_or("", |state| state.view.shown.key()) });
        if is_due(self.written) { self.write_held() } else { Ok(()) }
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
        let (Some(Held { at, chapter, stage }), Some(buffer)) = (self.held.take(), &self.newest) else { return Ok(()) };
        self.written = Some(at);
        let played = self.played.at(at);
        let written = match &mut self.sink {
            Sink::Cast(cast) => {
                let marker = |cast: &mut Cast<Kept>| chapter.as_ref().map_or(Ok(()), |label| cast.marker(at, label));
                cast.picture(at, buffer).and_then(|()| marker(cast))
            }
            Sink::Film(rows, pictures) => {
                // Not before there is something to keep: a lab that can't begin leaves nothing.
                if pictures.is_empty() && self.output.spare {
                    self.spare = Spare::begin(&self.output);
                }
                if let Some(spare) = &mut self.spare {
                    spare.picture(at, buffer, chapter.as_deref());
                }
                pictures.push(Picture { at: played, rows: rows.of(buffer), chapter: chapter.clone(), stage });
                Ok(())
            }
            Sink::Log(_) => Ok(()),
            Sink::Ended => return Ok(()),
        };
        self.attempt(|_| written)?;
        self.list.extend(chapter.map(|label| (played, label)));
        Ok(())
    }

    /// Takes in what a person typed; where it is a film, nobody asks.
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

    /// Takes in what has happened.
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

    /// After the first failure nothing is written any more.
    fn attempt(&mut self, write: impl FnOnce(&mut Recorder) -> io::Result<()>) -> io::Result<()> {
        let written = write(self);
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
        let length = self.played.at(at);
        let Output { path, size, palette, fonts, .. } = self.output;
        let result = match self.sink {
            Sink::Cast(cast) => Ok(cast.finish(at)?.bytes()),
            Sink::Log(file) => Ok(file.bytes()),
            Sink::Film(_, pictures) => Err(Box::new(Film { title, size, palette, pictures, end: length })),
            Sink::Ended => Ok(std::fs::metadata(&path)?.len()),
        };
        Ok(Recorded {
            path,
            size,
            length,
            chapters: self.list,
            fonts,
            spare: self.spare.map(|spare| spare.path),
            result,
        })
    }
}

/// The time at which a player shows what is recorded: it shortens pauses that are not meant.
#[derive(Debug)]
struct Played {
    /// The longest pause.
    limit: Option<Duration>,
    last: Duration,
    skipped: Duration,
}

impl Played {
    /// When what comes next, at `at`, is shown.
    fn at(&mut self, at: Duration) -> Duration {
        let pause = at.saturating_sub(self.last);
        self.last = self.last.max(at);
        self.skipped += pause.saturating_sub(self.limit.unwrap_or(pause));
        self.last - self.skipped
    }
}

fn line(file: &mut Kept, value: &impl serde::Serialize) -> io::Result<()> {
    let mut text = serde_json::to_string(value)?;
    text.push('\n');
    file.write_all(text.as_bytes())?;
    file.flush()
}

impl Recorded {
    /// The picture to show before it plays: the denial or, without one, the last chapter.
    pub fn poster(&self) -> Option<&(Duration, String)> {
        self.chapters.iter().find(|(_, label)| is_denial(label)).or(self.chapters.last())
    }
}

/// Length, poster time and chapters, as a person or a player is told.
impl fmt::Display for Recorded {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Size { width, height } = self.size;
        // A still has no length, and nothing in it can be looked for.
        let is_still = self.path.extension().is_some_and(|ending| ending.eq_ignore_ascii_case("png"));
        write!(out, "recorded {}: {width}×{height}", self.path.display())?;
        if !is_still {
            write!(out, ", {}", clock(self.length))?;
        }
        if let Ok(bytes) = self.result {
            write!(out, ", {} kB", bytes.div_ceil(1_000))?;
        }
        if is_still {
            return Ok(());
        }
        for (at, label) in &self.chapters {
            write!(out, "\n  {}  {label}", clock(*at))?;
        }
        if let Some((at, label)) = self.poster() {
            // At a tenth of a second that has come when the picture has.
            let tenths = at.as_millis() / 100 + 1;
            let time = format!("{}:{:02}.{}", tenths / 600, tenths / 10 % 60, tenths % 10);
            write!(out, "\n  show {time} before it plays: npt:{time} ({label})")?;
        }
        Ok(())
    }
}

/// `1:23`
pub fn clock(at: Duration) -> String {
    minutes(at.as_secs())
}

#[cfg(test)]
mod tests {
    use ratatui::layout::Rect;
    use ratatui::style::Style;
    use rstest::rstest;

    use super::*;
    use crate::lab::{Backend, BackendKind, Names, Stage};

    fn output(path: &Path, keeps_pauses: bool) -> Output {
        Output {
            path: path.to_owned(),
            force: false,
            version: Version::Three,
            size: Size { width: 20, height: 2 },
            width: 640,
            height: None,
            fonts: AddedFonts::default(),
            palette: Palette::DARK,
            timestamp: 0,
            keeps_pauses,
            spare: false,
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
    fn recorded(name: &str, keeps_pauses: bool, stages: &[u64], end: u64) -> (Vec<u8>, Recorded) {
        let folder = tempfile::tempdir().unwrap();
        let mut state = state();
        let mut recorder = Recorder::begin(output(&folder.path().join(name), keeps_pauses), &state).unwrap();
        for (number, second) in stages.iter().enumerate() {
            state.view.shown = Stage::ALL[number];
            recorder.see(Duration::from_secs(*second), Some(&state), &picture(&number.to_string())).unwrap();
        }
        let recorded = recorder.finish(Duration::from_secs(end), "t".into()).unwrap();
        (std::fs::read(&recorded.path).unwrap_or_default(), recorded)
    }

    #[rstest]
    #[case::of_a_person(false, &[0, 2_500, 3_500], 6_000)]
    #[case::that_are_meant(true, &[0, 60_000, 61_000], 300_000)]
    fn a_film_has_the_pauses_that_a_player_shows(#[case] keeps: bool, #[case] at: &[u64], #[case] end: u64) {
        let (_, recorded) = recorded("a.gif", keeps, &[0, 60, 61], 300);
        let film = recorded.result.unwrap_err();
        assert_eq!(film.pictures.iter().map(|picture| picture.at.as_millis() as u64).collect::<Vec<_>>(), at);
        assert_eq!((film.end, recorded.length), (Duration::from_millis(end), film.end));
        assert_eq!(recorded.chapters.iter().map(|(at, _)| at.as_millis() as u64).collect::<Vec<_>>(), at);
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
    fn what_is_left_of_a_film_stays_and_a_film_without_a_picture_leaves_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let names = || {
            let names =
                std::fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
            names.collect::<std::collections::BTreeSet<_>>()
        };
        let begin = || {
            let output = Output { force: true, spare: true, ..output(&folder.path().join("a.gif"), true) };
            Recorder::begin(output, &state()).unwrap()
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
    fn pictures_that_come_close_together_become_one_and_the_last_is_seen_in_time() {
        let folder = tempfile::tempdir().unwrap();
        let shown = |recorder: &mut Recorder, millis: u64, text: &str| {
            let at = Duration::from_millis(millis);
            recorder.see(at, None, &picture(text)).unwrap();
            recorder.flush(at).unwrap();
        };
        let mut recorder = Recorder::begin(output(&folder.path().join("a.gif"), true), &state()).unwrap();
        for (millis, text) in [(0, "a"), (10, "b"), (20, "c"), (30, "d"), (40, "e"), (50, "f"), (60, "e")] {
            shown(&mut recorder, millis, text);
        }
        assert_eq!(recorder.due(), Some(Duration::from_millis(30 + 33)), "it is not forgotten");
        recorder.flush(Duration::from_millis(80)).unwrap();
        assert_eq!(recorder.due(), None);
        let film = recorder.finish(Duration::from_secs(1), "t".into()).unwrap().result.unwrap_err();
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
        let (path, size) = (PathBuf::from("a.cast"), Size { width: 100, height: 28 });
        let (length, fonts) = (Duration::from_secs(200), AddedFonts::default());
        let recorded = Recorded { path, size, length, chapters, fonts, spare: None, result: Ok(1_500) };
        let lines = recorded.to_string();
        assert!(lines.starts_with("recorded a.cast: 100×28, 3:20, 2 kB\n"), "{lines}");
        let shown = format!("\n  show {told} before it plays: npt:{told} (6 The same Scan, twice: DENIED)");
        assert!(lines.ends_with(&shown), "{lines}");
        // Of a still there is nothing more to say.
        let still = Recorded { path: PathBuf::from("a.PNG"), ..recorded };
        assert_eq!(still.to_string(), "recorded a.PNG: 100×28, 2 kB");
    }
}
