//! asciicast, versions 2 and 3: a recording of what the screen shows, written while it happens.
//!
//! It records pictures, not the bytes sent to a terminal: no title, clipboard or shell output gets in. Each event is one
//! line, written at once, so the file is valid whenever the program ends. Sources: the specifications at
//! docs.asciinema.org/manual/asciicast, and the behavior of players.

use std::io::{self, Write};
use std::time::Duration;

use ratatui::backend::{Backend, CrosstermBackend};
use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect, Size};
use serde_json::{Value, json};

use super::film::Film;
use super::palette::{Palette, Rgb};

/// Players shorten longer pauses to this.
pub const IDLE_LIMIT: Duration = Duration::from_millis(2_500);

/// How long a marker follows its picture: a player that stops at a marker stops before it.
const AFTER_PICTURE: Duration = Duration::from_millis(1);

/// The longest time between two events if pauses must last.
const ALIVE: Duration = Duration::from_secs(2);

/// An invisible output.
const NOTHING: &str = "\u{1b}[0m";

/// Clears the screen and hides the cursor.
const CLEAR: &[u8] = b"\x1b[0m\x1b[2J\x1b[H\x1b[?25l";

/// Begin and end of a synchronized update: terminals that know them show the picture at once.
const TOGETHER: [&[u8]; 2] = [b"\x1b[?2026h", b"\x1b[?2026l"];

/// The versions of the format.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Version {
    /// Times count from the beginning. Every program reads this version.
    #[default]
    Two,
    /// Times count from the previous event. asciinema reads it since its version 3.
    Three,
}

/// The header of a recording.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Header {
    /// The format's version.
    pub version: Version,
    /// Columns and rows of all pictures.
    pub size: Size,
    /// The colors.
    pub palette: Palette,
    /// When it began, in Unix seconds; 0 if that isn't known.
    pub timestamp: u64,
    /// Whether players must keep the pauses: those of autoplay are intended, a user's may be shortened.
    pub keeps_pauses: bool,
}

impl Header {
    /// Returns the header's line: only what a player needs, without title, command, environment or host.
    fn line(&self) -> Value {
        let (columns, rows) = (self.size.width, self.size.height);
        let mut line = match self.version {
            Version::Two => json!({"version": 2, "width": columns, "height": rows, "theme": theme(&self.palette)}),
            Version::Three => {
                json!({"version": 3, "term": {"cols": columns, "rows": rows, "theme": theme(&self.palette)}})
            }
        };
        line["idle_time_limit"] = IDLE_LIMIT.as_secs_f64().into();
        if self.timestamp > 0 {
            line["timestamp"] = self.timestamp.into();
        }
        line
    }
}

fn theme(palette: &Palette) -> Value {
    let hex = |(red, green, blue): Rgb| format!("#{red:02x}{green:02x}{blue:02x}");
    let colors: Vec<String> = palette.ansi.into_iter().map(hex).collect();
    json!({"fg": hex(palette.foreground), "bg": hex(palette.background), "palette": colors.join(":")})
}

/// Writes `film` as a recording in this version of the format.
///
/// # Errors
/// If it can't be written.
pub(super) fn film(film: &Film, version: Version, out: impl Write) -> io::Result<()> {
    let Film { size, palette, .. } = *film;
    let mut cast = Cast::new(out, &Header { version, size, palette, timestamp: 0, keeps_pauses: true })?;
    for picture in &film.pictures {
        let content = picture.rows.iter().flat_map(|row| row.iter().cloned()).collect();
        let buffer = Buffer { area: Rect::from((Position::ORIGIN, size)), content };
        cast.picture_with_marker(picture.at, &buffer, picture.chapter.as_deref())?;
    }
    cast.finish(film.end).map(drop)
}

/// Writes a recording.
#[derive(Debug)]
pub struct Cast<W> {
    out: W,
    version: Version,
    keeps_pauses: bool,
    shown: Option<Buffer>,
    /// The rounded time of the newest event, so that rounding errors don't add up.
    written: Duration,
}

impl<W: Write> Cast<W> {
    /// Begins a recording with its header.
    ///
    /// # Errors
    /// If it can't be written.
    pub fn new(out: W, head: &Header) -> io::Result<Cast<W>> {
        // Colors are a matter of the pictures; see `ui::terminal`.
        crossterm::style::force_color_output(true);
        let mut cast =
            Cast { out, version: head.version, keeps_pauses: head.keeps_pauses, shown: None, written: Duration::ZERO };
        cast.line(&head.line())?;
        Ok(cast)
    }

    /// Shows `picture` from `at` on; only changes are written.
    ///
    /// # Errors
    /// If it can't be written.
    pub fn picture(&mut self, at: Duration, picture: &Buffer) -> io::Result<()> {
        let bytes = match &self.shown {
            None => whole(picture)?,
            Some(shown) if shown == picture => return Ok(()),
            Some(shown) => changed(shown, picture)?,
        };
        self.shown = Some(picture.clone());
        self.output(at, &bytes)
    }

    /// Shows `picture` from `at` on and, if it begins a chapter, marks it.
    ///
    /// # Errors
    /// If it can't be written.
    pub fn picture_with_marker(&mut self, at: Duration, picture: &Buffer, chapter: Option<&str>) -> io::Result<()> {
        self.picture(at, picture)?;
        chapter.map_or(Ok(()), |label| self.marker(at, label))
    }

    /// Begins a chapter with the current picture. Draws it again completely: the file may be cut here.
    ///
    /// # Errors
    /// If it can't be written.
    pub fn marker(&mut self, at: Duration, label: &str) -> io::Result<()> {
        self.event(at + AFTER_PICTURE, 'm', label)?;
        match self.shown.take() {
            Some(shown) => {
                let bytes = whole(&shown)?;
                self.shown = Some(shown);
                self.output(at + AFTER_PICTURE, &bytes)
            }
            None => Ok(()),
        }
    }

    /// Records typed text.
    ///
    /// # Errors
    /// If it can't be written.
    pub fn input(&mut self, at: Duration, typed: &str) -> io::Result<()> {
        self.event(at, 'i', typed)
    }

    /// Ends the recording at `at`; the last picture stays until then.
    ///
    /// # Errors
    /// If it can't be written.
    pub fn finish(mut self, at: Duration) -> io::Result<W> {
        if at > self.written {
            // Only the time of this event matters.
            self.event(at, 'o', NOTHING)?;
        }
        Ok(self.out)
    }

    fn output(&mut self, at: Duration, bytes: &[u8]) -> io::Result<()> {
        let bytes = [TOGETHER[0], bytes, TOGETHER[1]].concat();
        // It consists of strings, so nothing is lost.
        self.event(at, 'o', &String::from_utf8_lossy(&bytes))
    }

    fn event(&mut self, at: Duration, code: char, data: &str) -> io::Result<()> {
        while self.keeps_pauses && at > self.written + ALIVE {
            self.put(self.written + ALIVE, 'o', NOTHING)?;
        }
        self.put(at, code, data)
    }

    fn put(&mut self, at: Duration, code: char, data: &str) -> io::Result<()> {
        let (time, written) = match self.version {
            Version::Two => {
                let at = Duration::from_micros(micros(at)).max(self.written);
                (format!("{}.{:06}", at.as_secs(), at.subsec_micros()), at)
            }
            Version::Three => {
                let at = Duration::from_millis((micros(at) + 500) / 1_000);
                let interval = at.saturating_sub(self.written);
                (format!("{}.{:03}", interval.as_secs(), interval.subsec_millis()), self.written + interval)
            }
        };
        // Not escaped: some players accept only the literal code.
        self.write(&format!("[{time}, \"{code}\", {}]\n", Value::from(data)))?;
        self.written = written;
        Ok(())
    }

    fn line(&mut self, value: &Value) -> io::Result<()> {
        self.write(&format!("{value}\n"))
    }

    fn write(&mut self, line: &str) -> io::Result<()> {
        self.out.write_all(line.as_bytes())?;
        self.out.flush()
    }
}

fn micros(at: Duration) -> u64 {
    u64::try_from(at.as_micros()).unwrap_or(u64::MAX)
}

/// Draws the whole `picture`.
fn whole(picture: &Buffer) -> io::Result<Vec<u8>> {
    let mut bytes = CLEAR.to_vec();
    draw(&mut bytes, &Buffer::empty(picture.area), picture)?;
    Ok(bytes)
}

/// Draws the changes from `shown` to `picture`.
fn changed(shown: &Buffer, picture: &Buffer) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    draw(&mut bytes, shown, picture)?;
    Ok(bytes)
}

fn draw(bytes: &mut Vec<u8>, shown: &Buffer, picture: &Buffer) -> io::Result<()> {
    CrosstermBackend::new(bytes).draw(shown.diff(picture).into_iter())
}

#[cfg(test)]
mod tests {
    use ratatui::style::Style;

    use super::*;

    fn picture(text: &str) -> Buffer {
        let mut buffer = Buffer::empty(Rect::new(0, 0, 20, 2));
        buffer.set_string(0, 0, text, Style::new().bold());
        buffer
    }

    fn head(version: Version) -> Header {
        let size = Size { width: 20, height: 2 };
        Header { version, size, palette: Palette::DARK, timestamp: 1_767_225_600, keeps_pauses: false }
    }

    fn lines(bytes: Vec<u8>) -> Vec<Value> {
        let text = String::from_utf8(bytes).unwrap();
        assert!(text.ends_with('\n'));
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    #[test]
    fn the_header_has_size_and_theme_and_nothing_of_the_machine() {
        for version in [Version::Two, Version::Three] {
            let lines = lines(Cast::new(Vec::new(), &head(version)).unwrap().finish(Duration::ZERO).unwrap());
            let term = if version == Version::Two { &lines[0] } else { &lines[0]["term"] };
            assert_eq!(term["theme"]["bg"], "#101418");
            assert_eq!(term["theme"]["palette"].as_str().unwrap().split(':').count(), 16);
            assert!(lines[0]["timestamp"].is_u64());
            for name in ["env", "title", "command", "tags"] {
                assert!(lines[0].get(name).is_none(), "{name}");
            }
        }
    }

    #[test]
    fn rounded_times_do_not_drift() {
        let mut cast = Cast::new(Vec::new(), &head(Version::Three)).unwrap();
        let third = Duration::from_micros(1_333_333);
        for step in 0..30_u32 {
            cast.picture(third * step, &picture(&step.to_string())).unwrap();
        }
        let lines = lines(cast.finish(third * 30).unwrap());
        let times: Vec<f64> = lines[1..].iter().map(|line| line[0].as_f64().unwrap()).collect();
        assert_eq!(times[..4], [0.0, 1.333, 1.334, 1.333]);
        assert!((times.iter().sum::<f64>() - 40.0).abs() < 0.001, "{times:?}");
    }

    #[test]
    fn a_pause_that_is_meant_lasts_in_every_player() {
        let head = Header { keeps_pauses: true, ..head(Version::Three) };
        let mut cast = Cast::new(Vec::new(), &head).unwrap();
        cast.picture(Duration::ZERO, &picture("a")).unwrap();
        cast.picture(Duration::from_secs(5), &picture("b")).unwrap();
        let lines = lines(cast.finish(Duration::from_secs(9)).unwrap());
        let times: Vec<f64> = lines[1..].iter().map(|line| line[0].as_f64().unwrap()).collect();
        assert_eq!(times, [0.0, 2.0, 2.0, 1.0, 2.0, 2.0]);
    }

    #[test]
    fn a_time_that_goes_back_counts_as_none() {
        for version in [Version::Two, Version::Three] {
            let mut cast = Cast::new(Vec::new(), &head(version)).unwrap();
            cast.picture(Duration::from_secs(2), &picture("a")).unwrap();
            cast.picture(Duration::from_secs(1), &picture("b")).unwrap();
            let lines = lines(cast.finish(Duration::ZERO).unwrap());
            assert_eq!(lines[2][0], if version == Version::Two { json!(2.0) } else { json!(0.0) });
        }
    }

    #[test]
    fn a_marker_stands_between_its_picture_and_a_whole_redraw() {
        let mut cast = Cast::new(Vec::new(), &head(Version::Two)).unwrap();
        cast.picture(Duration::ZERO, &picture("one")).unwrap();
        cast.picture(Duration::from_secs(1), &picture("two")).unwrap();
        cast.marker(Duration::from_secs(1), "2 create_key").unwrap();
        let lines = lines(cast.finish(Duration::from_secs(4)).unwrap());
        let codes: Vec<&str> = lines[1..].iter().map(|line| line[1].as_str().unwrap()).collect();
        assert_eq!(codes, ["o", "o", "m", "o", "o"]);
        assert_eq!((&lines[3][0], &lines[3][2]), (&json!(1.001), &json!("2 create_key")));
        for whole in [&lines[1], &lines[4]] {
            assert!(whole[2].as_str().unwrap().contains("\u{1b}[2J\u{1b}[H\u{1b}[?25l"));
        }
        assert!(lines[4][2].as_str().unwrap().contains("two"));
        assert_eq!(lines[5][0], json!(4.0));
    }

    #[test]
    fn a_terminal_shows_the_same_pictures() {
        let pictures = ["表 wide ✔", "wide 表 ✘ x", "", "│ ─ ┭"].map(picture);
        let mut cast = Cast::new(Vec::new(), &head(Version::Three)).unwrap();
        for (at, picture) in pictures.iter().enumerate() {
            cast.picture(Duration::from_secs(at as u64), picture).unwrap();
        }
        let lines = lines(cast.finish(Duration::ZERO).unwrap());
        let mut terminal = vt100::Parser::new(2, 20, 0);
        for (line, picture) in lines[1..].iter().zip(&pictures) {
            terminal.process(line[2].as_str().unwrap().as_bytes());
            let row = (0..20).filter_map(|x| picture.cell((x, 0))).map(|cell| cell.symbol()).collect::<String>();
            // The second cell of a wide character is empty on the screen and a blank in the buffer.
            let tidy = |text: &str| text.replace(' ', "");
            assert_eq!(tidy(&terminal.screen().contents()), tidy(&row));
        }
    }
}
