//! Shows a recorded session again. Its events are fed to a fresh state; what that asks of the world is not done: there
//! is no world here, and no network.

use std::io::{self, Write};
use std::path::Path;
use std::time::Duration;

use crossterm::event::{Event as Input, KeyCode, KeyEventKind, KeyModifiers};
use futures_util::{Stream, StreamExt};
use ratatui::buffer::Buffer;
use ratatui::layout::Size;
use tokio::time::Instant;

use super::Ended;
use crate::lab::State;
use crate::lab::log::{Entry, Head, Logged, VERSION};
use crate::record::chapters::Chapters;
use crate::record::recorder::clock;
use crate::record::{Recorded, Recorder};
use crate::ui::terminal::Screen;
use crate::ui::{self, Lane, Theme, card};

/// Nobody watches a longer pause.
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// How many times as fast.
const SPEEDS: [f64; 6] = [0.5, 1.0, 1.5, 2.0, 4.0, 8.0];

/// The keys of a replay.
const KEYS: [(&str, &str); 5] =
    [("space", "pause"), (",/.", "step"), ("n/p", "chapter"), ("+/-", "speed"), ("q", "quit")];

/// A log that was read.
#[derive(Debug, Clone, PartialEq)]
pub struct Session {
    /// What it began with.
    pub head: Head,
    /// What happened.
    pub entries: Vec<Entry>,
}

/// Reads the log in the file at `path`.
///
/// # Errors
/// What is wrong with it, and in which line.
pub fn read(path: &Path) -> Result<Session, String> {
    let text = std::fs::read(path).map_err(|error| format!("{} can't be read: {error}", path.display()))?;
    let text = String::from_utf8(text).map_err(|_| format!("{}:1: this is no recorded session", path.display()))?;
    parse(&text).map_err(|problem| format!("{}:{problem}", path.display()))
}

/// Reads a log: `line: what is wrong` where something is.
///
/// # Errors
/// As [`read`].
pub fn parse(text: &str) -> Result<Session, String> {
    #[derive(serde::Deserialize)]
    struct Version {
        kmslab_session: u32,
    }
    let mut lines = text.lines();
    let first = lines.next().unwrap_or_default();
    match serde_json::from_str::<Version>(first) {
        Err(_) => return Err("1: this is no recorded session".to_owned()),
        Ok(Version { kmslab_session }) if kmslab_session != VERSION => {
            return Err(format!("1: it is of version {kmslab_session}; this kmslab reads version {VERSION}"));
        }
        Ok(_) => {}
    }
    let head = serde_json::from_str(first).map_err(|error| format!("1: its head can't be read: {error}"))?;
    let mut entries: Vec<Entry> = Vec::new();
    for (at, line) in lines.enumerate() {
        let entry: Entry = serde_json::from_str(line)
            .map_err(|error| format!("{}: this is no event of a session: {error}", at + 2))?;
        if entries.last().is_some_and(|before| before.at > entry.at) {
            return Err(format!("{}: it happened before the line above", at + 2));
        }
        entries.push(entry);
    }
    Ok(Session { head, entries })
}

/// A session that is shown again.
pub struct Playback {
    entries: Vec<Entry>,
    /// When each entry is shown: pauses are shortened.
    times: Vec<Duration>,
    /// How many entries have been taken in where a chapter begins.
    chapters: Vec<usize>,
    beginning: State,
    state: State,
    /// How many entries have been taken in.
    taken: usize,
    now: Duration,
    speed: usize,
    paused: bool,
}

impl Playback {
    /// Plays `session`, which begins with `beginning`.
    ///
    /// # Errors
    /// `line: what is wrong` where an entry does not follow from the ones before.
    pub fn new(session: Session, beginning: State) -> Result<Playback, String> {
        let mut times = Vec::with_capacity(session.entries.len());
        let (mut now, mut before) = (Duration::ZERO, 0);
        for entry in &session.entries {
            now += Duration::from_millis(entry.at - before).min(LONGEST_PAUSE);
            before = entry.at;
            times.push(now);
        }
        let mut playback = Playback {
            entries: session.entries,
            times,
            chapters: Vec::new(),
            state: beginning.clone(),
            beginning,
            taken: 0,
            now: Duration::ZERO,
            speed: 1,
            paused: false,
        };
        let mut chapters = Chapters::default();
        let mut begins = Vec::new();
        loop {
            begins.extend(chapters.begun(&playback.state).map(|_| playback.taken));
            let line = playback.taken + 2;
            match playback.take() {
                Ok(true) => {}
                Ok(false) => break,
                Err(problem) => return Err(format!("{line}: {problem}")),
            }
        }
        playback.chapters = begins;
        playback.go_to(0);
        Ok(playback)
    }

    /// What is shown.
    pub fn state(&self) -> &State {
        &self.state
    }

    /// How long it is.
    pub fn length(&self) -> Duration {
        self.times.last().copied().unwrap_or_default()
    }

    /// Takes the next entry in; says whether there was one.
    fn take(&mut self) -> Result<bool, String> {
        let Some(entry) = self.entries.get(self.taken) else { return Ok(false) };
        self.state.take_logged(entry.what.clone())?;
        self.now = self.times[self.taken];
        self.taken += 1;
        Ok(true)
    }

    /// Shows what was there after `taken` entries.
    fn go_to(&mut self, taken: usize) {
        if taken < self.taken {
            self.state = self.beginning.clone();
            self.taken = 0;
            self.now = Duration::ZERO;
        }
        // All of it has been taken in once, without a problem.
        while self.taken < taken && self.take().is_ok_and(|taken| taken) {}
    }

    /// The next place after `from`, or before it, that shows something new.
    fn step(&self, forward: bool) -> usize {
        let shows = |index: &usize| !matches!(self.entries[*index].what, Logged::Tick(_) | Logged::Clock(_));
        if forward {
            (self.taken..self.entries.len()).find(shows).map_or(self.entries.len(), |index| index + 1)
        } else {
            (0..self.taken.saturating_sub(1)).rev().find(shows).map_or(0, |index| index + 1)
        }
    }

    fn chapter(&self, forward: bool) -> usize {
        if forward {
            self.chapters.iter().copied().find(|begins| *begins > self.taken).unwrap_or(self.entries.len())
        } else {
            self.chapters.iter().copied().rev().find(|begins| *begins < self.taken).unwrap_or(0)
        }
    }

    /// Does what a key says; says whether that is the end.
    fn press(&mut self, key: KeyCode) -> bool {
        match key {
            KeyCode::Char('q') => return true,
            KeyCode::Char(' ') => {
                // At the end it begins again.
                if self.taken == self.entries.len() {
                    self.go_to(0);
                    self.paused = false;
                } else {
                    self.paused = !self.paused;
                }
            }
            KeyCode::Char(key @ ('.' | ',')) => {
                self.paused = true;
                self.go_to(self.step(key == '.'));
            }
            KeyCode::Char('n') | KeyCode::Right | KeyCode::PageDown => self.go_to(self.chapter(true)),
            KeyCode::Char('p') | KeyCode::Left | KeyCode::PageUp => self.go_to(self.chapter(false)),
            KeyCode::Char('+' | '=') => self.speed = (self.speed + 1).min(SPEEDS.len() - 1),
            KeyCode::Char('-') => self.speed = self.speed.saturating_sub(1),
            _ => {}
        }
        false
    }

    /// Draws the row that says what this is.
    fn bar(&self, theme: &Theme, keys: &[(&str, &str)], buffer: &mut Buffer) {
        let sign = if self.taken == self.entries.len() {
            "■"
        } else if self.paused {
            "‖"
        } else {
            "▸"
        };
        let speed = match SPEEDS[self.speed] {
            speed if (speed - 1.0).abs() < f64::EPSILON => String::new(),
            speed => format!(" ×{speed}"),
        };
        let place = format!("{sign} {}/{}{speed}", clock(self.now), clock(self.length()));
        let when = self.state.replay_time().unwrap_or_default();
        card::replay_bar(theme, &when, &place, keys, buffer);
    }

    /// Plays it on `screen` until the person leaves.
    ///
    /// # Errors
    /// When the terminal can't be read or written.
    pub async fn show<W: Write>(
        &mut self,
        screen: &mut Screen<W>,
        theme: &Theme,
        lane: &Lane,
        mut input: impl Stream<Item = io::Result<Input>> + Unpin,
        mut stop: impl Stream<Item = u8> + Unpin,
    ) -> io::Result<Ended> {
        const SECOND: Duration = Duration::from_secs(1);
        loop {
            screen.paint(|frame| {
                ui::view_with(&self.state, theme, lane, frame);
                self.bar(theme, &KEYS, frame.buffer_mut());
            })?;
            let since = Instant::now();
            let is_playing = !self.paused && self.taken < self.entries.len();
            let next = self.times.get(self.taken).map_or(Duration::ZERO, |next| next.saturating_sub(self.now));
            let pause = next.div_f64(SPEEDS[self.speed]);
            tokio::select! {
                biased;
                Some(signal) = stop.next() => return Ok(Ended::Signal(signal)),
                input = input.next() => match input {
                    None => return Ok(Ended::InputClosed),
                    Some(input) => match input? {
                        Input::Key(key) if key.kind == KeyEventKind::Press => {
                            if is_playing {
                                self.now += since.elapsed().mul_f64(SPEEDS[self.speed]).min(next);
                            }
                            let is_interrupt = key.modifiers.contains(KeyModifiers::CONTROL)
                                && key.code == KeyCode::Char('c');
                            if is_interrupt || self.press(key.code) {
                                return Ok(Ended::Finished);
                            }
                        }
                        Input::Resize(width, height) => screen.resized(Size { width, height }),
                        _ => {}
                    },
                },
                // The time that is shown goes on between two entries, too.
                () = tokio::time::sleep(pause.min(SECOND)), if is_playing => {
                    if pause <= SECOND {
                        self.take().map_err(io::Error::other)?;
                    } else {
                        self.now += SECOND.mul_f64(SPEEDS[self.speed]);
                    }
                }
            }
        }
    }

    /// Plays it into `recorder`, in no time.
    ///
    /// # Errors
    /// When it can't be written.
    pub fn record(
        &mut self,
        mut recorder: Recorder,
        theme: &Theme,
        lane: &Lane,
        title: String,
    ) -> io::Result<Recorded> {
        self.go_to(0);
        loop {
            let mut picture = ui::render_with(&self.state, theme, lane, recorder.size());
            self.bar(theme, &[], &mut picture);
            recorder.see(self.now, Some(&self.state), &picture)?;
            if !self.take().map_err(io::Error::other)? {
                break;
            }
        }
        recorder.finish(self.length() + LONGEST_PAUSE, title)
    }
}
