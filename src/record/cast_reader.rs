//! Reads asciicasts 2 and 3, ours and those of other programs, into a film.
//!
//! A file may come from anywhere: its size, its length and what it draws are limited, and every cell is sanitized.

mod screen;

use std::time::Duration;

use ratatui::layout::Size;
use serde_json::Value;

use super::film::{Film, Picture, Rows};
use super::palette::{Palette, Rgb};
use super::recorder::GAP;
use crate::lab::glyphs::shown;
use screen::Screen;

/// Pauses longer than this are shortened, unless the file says otherwise. agg does the same.
const IDLE_LIMIT: Duration = Duration::from_secs(5);

/// The longest film.
const LONGEST: Duration = Duration::from_secs(24 * 60 * 60);

/// The largest terminal: also the largest of a recording.
const LARGEST: Size = Size { width: 400, height: 200 };

/// The most rows of all pictures together, counted again for each picture.
const MOST_ROWS: usize = 4_000_000;

/// The most cells in rows that differ from each other.
const MOST_CELLS: usize = 6_000_000;

/// The most characters of a title or a chapter's name.
const LONGEST_NAME: usize = 200;

/// A marker so soon after a picture belongs to it.
const BELONGS: Duration = Duration::from_millis(50);

/// Why a file can't be read as an asciicast.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {reason}")]
pub struct CastError {
    /// Counted from 1.
    pub line: usize,
    /// A sentence without a period.
    pub reason: String,
}

/// Reads `file` into a film. `name` is its title if it has none, and `palette` its colors.
///
/// # Errors
/// If it is no asciicast 2 or 3, or is larger than a film can be.
pub fn read(file: &[u8], name: &str, palette: Palette) -> Result<Film, CastError> {
    let fail = |line: usize, reason: &str| CastError { line, reason: reason.to_owned() };
    let text = std::str::from_utf8(file).map_err(|error| {
        let line = file[..error.valid_up_to()].iter().filter(|byte| **byte == b'\n').count() + 1;
        fail(line, "it is not UTF-8 text")
    })?;
    let mut lines = text.trim_start_matches('\u{feff}').split('\n').enumerate();
    let head = lines.next().map_or("", |(_, line)| line);
    let head = Head::parse(head)?;
    let mut events = Vec::new();
    let mut clock = Clock::new(&head);
    let last = text.matches('\n').count();
    for (at, line) in lines {
        let line = line.trim();
        // Version 3 has comments.
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        match Event::parse(line, &mut clock) {
            Ok(event) => events.push(event),
            // What was recording has been killed.
            Err(_) if at == last => break,
            Err(reason) => return Err(fail(at + 1, reason)),
        }
    }
    let end = clock.shown;
    Player::new(head, palette, name, &events).play(events, end).map_err(|reason| fail(1, reason))
}

/// What the first line says.
struct Head {
    is_three: bool,
    size: Size,
    palette: Option<Palette>,
    title: Option<String>,
    idle_limit: Duration,
}

impl Head {
    fn parse(line: &str) -> Result<Head, CastError> {
        let none = || of_header("it is no asciicast: its first line is no header");
        let value: Value = serde_json::from_str(line.trim()).map_err(|_| none())?;
        let is_three = match value["version"].as_u64() {
            Some(2) => false,
            Some(3) => true,
            Some(version) => {
                return Err(of_header(format!("it is an asciicast {version}; versions 2 and 3 can be read")));
            }
            None => return Err(none()),
        };
        let (term, names) = if is_three { (&value["term"], ["cols", "rows"]) } else { (&value, ["width", "height"]) };
        let [columns, rows] = names.map(|name| term[name].as_u64());
        let (Some(columns), Some(rows)) = (columns, rows) else {
            return Err(of_header("its header has no size"));
        };
        let limit = value["idle_time_limit"].as_f64().filter(|limit| *limit > 0.0);
        Ok(Head {
            is_three,
            size: size(columns, rows)?,
            palette: palette(&term["theme"]),
            title: value["title"].as_str().filter(|title| !title.is_empty()).map(name_of),
            idle_limit: limit.and_then(|limit| Duration::try_from_secs_f64(limit).ok()).unwrap_or(IDLE_LIMIT),
        })
    }
}

/// What is wrong with the first line.
fn of_header(reason: impl Into<String>) -> CastError {
    CastError { line: 1, reason: reason.into() }
}

/// Returns the size of a terminal, if it can be drawn.
fn size(columns: u64, rows: u64) -> Result<Size, CastError> {
    let Size { width, height } = LARGEST;
    let within = |value: u64, least: u16, most: u16| u16::try_from(value).ok().filter(|v| (least..=most).contains(v));
    // A wide character takes two columns, and the emulator can't scroll a single row.
    match (within(columns, 2, width), within(rows, 2, height)) {
        (Some(width), Some(height)) => Ok(Size { width, height }),
        _ => {
            let reason = format!("its terminal is {columns}×{rows}; from 2×2 to {width}×{height} can be drawn");
            Err(of_header(reason))
        }
    }
}

/// Returns the colors of a header. A palette of 8 colors stands for the bright ones, too.
fn palette(theme: &Value) -> Option<Palette> {
    let parts: Vec<Rgb> = theme["palette"].as_str()?.split(':').take(17).map(color).collect::<Option<_>>()?;
    let doubled = if parts.len() == 8 { [&parts[..], &parts[..]].concat() } else { parts };
    let [foreground, background] = ["fg", "bg"].map(|name| theme[name].as_str().and_then(color));
    Some(Palette { background: background?, foreground: foreground?, ansi: doubled.try_into().ok()? })
}

/// Parses `#rrggbb`.
fn color(text: &str) -> Option<Rgb> {
    let digits = text.strip_prefix('#').filter(|digits| digits.len() == 6 && digits.is_ascii())?;
    let [_, red, green, blue] = u32::from_str_radix(digits, 16).ok()?.to_be_bytes();
    Some((red, green, blue))
}

/// Returns a title or a chapter's name that is safe to show.
fn name_of(text: &str) -> String {
    shown(&text.chars().take(LONGEST_NAME).collect::<String>()).trim().to_owned()
}

/// Maps the times of a file to those of its film, which shortens pauses.
struct Clock {
    is_three: bool,
    limit: Duration,
    file: Duration,
    shown: Duration,
}

impl Clock {
    fn new(head: &Head) -> Clock {
        Clock { is_three: head.is_three, limit: head.idle_limit, file: Duration::ZERO, shown: Duration::ZERO }
    }

    /// Returns when the film shows an event with this time. Times that go back count as none.
    fn at(&mut self, time: f64) -> Result<Duration, &'static str> {
        let time = Duration::try_from_secs_f64(time).map_err(|_| "its time is no time")?;
        let pause = if self.is_three { time } else { time.saturating_sub(self.file) };
        self.file = self.file.saturating_add(pause);
        self.shown = self.shown.saturating_add(pause.min(self.limit));
        if self.shown > LONGEST { Err("the recording is longer than a day") } else { Ok(self.shown) }
    }
}

/// What the film needs of an event.
struct Event {
    at: Duration,
    what: What,
}

enum What {
    Output(String),
    Marker(String),
    Resize(Size),
    /// Only its time counts.
    Nothing,
}

impl Event {
    fn parse(line: &str, clock: &mut Clock) -> Result<Event, &'static str> {
        const NONE: &str = "it is no event: a time, a code and a text";
        let (time, code, data): (f64, String, Value) = serde_json::from_str(line).map_err(|_| NONE)?;
        let at = clock.at(time)?;
        let what = match (code.as_str(), data) {
            ("o", Value::String(data)) => What::Output(data),
            ("m", Value::String(label)) => What::Marker(name_of(&label)),
            ("r", Value::String(data)) => What::Resize(resized(&data)?),
            // Readers skip what they don't know.
            _ => What::Nothing,
        };
        Ok(Event { at, what })
    }
}

fn resized(data: &str) -> Result<Size, &'static str> {
    let parsed = data.split_once('x').and_then(|(columns, rows)| size(columns.parse().ok()?, rows.parse().ok()?).ok());
    parsed.ok_or("its terminal gets a size that can't be drawn")
}

/// Plays events into a film.
struct Player {
    screen: Screen,
    /// When the screen began to differ from the newest picture.
    changed: Option<Duration>,
    rows: Rows,
    film: Film,
}

impl Player {
    fn new(head: Head, palette: Palette, name: &str, events: &[Event]) -> Player {
        // Of a terminal that changes its size, the film shows as much as it ever had.
        let sizes =
            events.iter().filter_map(|event| if let What::Resize(size) = event.what { Some(size) } else { None });
        let size = sizes.fold(head.size, |a, b| Size { width: a.width.max(b.width), height: a.height.max(b.height) });
        let title = head.title.unwrap_or_else(|| name_of(name));
        let palette = head.palette.unwrap_or(palette);
        let film = Film { title, size, palette, pictures: Vec::new(), end: Duration::ZERO };
        Player { screen: Screen::new(head.size, size), changed: None, rows: Rows::default(), film }
    }

    fn play(mut self, events: Vec<Event>, end: Duration) -> Result<Film, &'static str> {
        for Event { at, what } in events {
            // Changes that follow each other fast become one picture.
            if self.changed.is_some_and(|changed| at >= changed + GAP) {
                self.picture()?;
            }
            let is_drawn = match what {
                What::Output(data) => self.screen.write(&data),
                What::Resize(size) => self.screen.resize(size),
                What::Marker(label) => {
                    self.picture()?;
                    self.mark(at, label);
                    continue;
                }
                What::Nothing => continue,
            };
            if !is_drawn {
                return Err("it draws what can't be shown");
            }
            self.changed.get_or_insert(at);
        }
        self.picture()?;
        if self.film.pictures.is_empty() {
            return Err("it shows nothing");
        }
        self.film.end = end;
        Ok(self.film)
    }

    /// Adds a picture of the screen, if it has changed.
    fn picture(&mut self) -> Result<(), &'static str> {
        let Some(at) = self.changed.take() else { return Ok(()) };
        let rows = self.rows.of(&self.screen.draw());
        let pictures = &mut self.film.pictures;
        if pictures.last().is_some_and(|last| last.rows == rows) {
            return Ok(());
        }
        let is_too_large = self.rows.cells() > MOST_CELLS || (pictures.len() + 1) * rows.len() > MOST_ROWS;
        if is_too_large {
            return Err("it shows more than a film can hold; cut it into parts");
        }
        pictures.push(Picture { at, rows, chapter: None, stage: "" });
        Ok(())
    }

    /// Begins a chapter with what is shown at `at`.
    fn mark(&mut self, at: Duration, label: String) {
        let Some(last) = self.film.pictures.last_mut() else { return };
        if last.chapter.is_none() && at <= last.at + BELONGS {
            last.chapter = Some(label);
        } else {
            let marked = Picture { at, chapter: Some(label), ..last.clone() };
            self.film.pictures.push(marked);
        }
    }
}

#[cfg(test)]
mod tests;
