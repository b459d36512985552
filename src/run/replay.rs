//! Shows a recorded session again. Its events are fed to a fresh state; what that asks of the world is not done: there
//! is no world here, and no network.

use std::io::{self, Write};
use std::path::Path;
use std::time::Duration;

use crossterm::event::{KeyCode, KeyModifiers};
use futures_util::{Stream, StreamExt};
use ratatui::buffer::Buffer;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use tokio::time::Instant;

use super::Ended;
use super::input::{Input, at_hand, attend};
use super::looks::Looks;
use crate::disk;
use crate::lab::log::{Entry, Head, Logged, VERSION};
use crate::lab::{State, redact};
use crate::record::chapters::Chapters;
use crate::record::{Recorder, Recording, clock};
use crate::ui::terminal::Screen;
use crate::ui::{self, Lane, Theme, card};

/// Nobody watches a longer pause.
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// How many times as fast.
const SPEEDS: [f64; 6] = [0.5, 1.0, 1.5, 2.0, 4.0, 8.0];

/// After so many entries the state is remembered: to go back, no more of them are taken in again.
const STRIDE: usize = 256;

/// A log that was read.
#[derive(Debug, Clone, PartialEq)]
pub struct Log {
    /// What it began with.
    pub head: Head,
    /// What happened.
    pub entries: Vec<Entry>,
    /// The line of which only a part was written, counted from 1: the program was killed there, or the disk was full.
    pub cut_off: Option<usize>,
}

/// Reads the log in the file at `path`.
///
/// # Errors
/// What is wrong with it, and in which line.
pub fn read(path: &Path) -> Result<Log, String> {
    let text =
        disk::read(path, disk::RECORDING).map_err(|error| format!("{} can't be read: {error}", path.display()))?;
    parse(&text).map_err(|problem| format!("{}:{problem}", path.display()))
}

/// Reads a log: `line: what is wrong` where something is.
///
/// # Errors
/// As [`read`].
pub fn parse(text: &[u8]) -> Result<Log, String> {
    let mut lines = text.split_inclusive(|byte| *byte == b'\n');
    let head = head(lines.next().unwrap_or_default()).map_err(|problem| format!("1: {problem}"))?;
    let mut log = Log { head, entries: Vec::new(), cut_off: None };
    for (at, line) in lines.enumerate().filter(|(_, line)| !line.trim_ascii().is_empty()) {
        let number = at + 2;
        let entry: Entry = match from_line(line) {
            Ok(entry) => entry,
            Err(_) if !line.ends_with(b"\n") => {
                log.cut_off = Some(number);
                break;
            }
            Err(error) => return Err(format!("{number}: this is no event of a session: {error}")),
        };
        if log.entries.last().is_some_and(|before| before.at > entry.at) {
            return Err(format!("{number}: it happened before the line above"));
        }
        log.entries.push(entry);
    }
    Ok(log)
}

fn head(line: &[u8]) -> Result<Head, String> {
    #[derive(Deserialize)]
    struct Version {
        kmslab_session: u32,
    }
    let header: Value = serde_json::from_slice(line).unwrap_or_default();
    match Version::deserialize(&header) {
        Err(_) if header["version"].is_u64() => {
            Err("this is no recorded session, but a cast: `asciinema play` shows it".to_owned())
        }
        Err(_) => Err("this is no recorded session: `kmslab --record FILE.kmslab` makes one".to_owned()),
        Ok(Version { kmslab_session }) if kmslab_session != VERSION => {
            Err(format!("it is of version {kmslab_session}; this kmslab reads version {VERSION}"))
        }
        Ok(_) => from_line(line).map_err(|error| format!("its head can't be read: {error}")),
    }
}

fn from_line<T: DeserializeOwned>(line: &[u8]) -> serde_json::Result<T> {
    let mut value: Value = serde_json::from_slice(line)?;
    // As an answer from a server: somebody may have written into the file.
    redact::redact(&mut value);
    serde_json::from_value(value)
}

/// A session that is shown again.
pub struct Playback {
    entries: Vec<Entry>,
    /// When each entry is shown: pauses are shortened.
    times: Vec<Duration>,
    /// How many entries have been taken in where a chapter begins.
    chapters: Vec<usize>,
    /// The state after every [`STRIDE`] entries, from the beginning on.
    remembered: Vec<State>,
    state: State,
    /// How many entries have been taken in.
    taken: usize,
    now: Duration,
    speed: usize,
    paused: bool,
}

impl Playback {
    /// Plays `log`, which begins with `beginning`.
    ///
    /// # Errors
    /// `line: what is wrong` where an entry does not follow from the ones before.
    pub fn new(log: Log, beginning: State) -> Result<Playback, String> {
        let mut times = Vec::with_capacity(log.entries.len());
        let (mut now, mut before) = (Duration::ZERO, 0);
        for entry in &log.entries {
            now += Duration::from_millis(entry.at - before).min(LONGEST_PAUSE);
            before = entry.at;
            times.push(now);
        }
        let mut playback = Playback {
            entries: log.entries,
            times,
            chapters: Vec::new(),
            remembered: Vec::new(),
            state: beginning,
            taken: 0,
            now: Duration::ZERO,
            speed: 1,
            paused: false,
        };
        let mut chapters = Chapters::default();
        let mut begins = Vec::new();
        loop {
            begins.extend(chapters.begun(&playback.state).map(|_| playback.taken));
            if playback.taken.is_multiple_of(STRIDE) {
                playback.remembered.push(playback.state.clone());
            }
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
        let nearest = taken / STRIDE;
        if (taken < self.taken || self.taken < nearest * STRIDE)
            && let Some(state) = self.remembered.get(nearest)
        {
            self.state = state.clone();
            self.taken = nearest * STRIDE;
        }
        // All of it has been taken in once, without a problem.
        while self.taken < taken && self.take().is_ok_and(|taken| taken) {}
        self.now = self.taken.checked_sub(1).map_or(Duration::ZERO, |last| self.times[last]);
    }

    /// The next place, or the one before, that shows something new.
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
    pub fn press(&mut self, key: KeyCode) -> bool {
        match key {
            KeyCode::Char('q') => return true,
            KeyCode::Char(' ') => {
                // At the end it begins again.
                if self.is_at_the_end() {
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
            KeyCode::Home => self.go_to(0),
            KeyCode::End => self.go_to(self.entries.len()),
            KeyCode::Char('+' | '=') => self.speed = (self.speed + 1).min(SPEEDS.len() - 1),
            KeyCode::Char('-') => self.speed = self.speed.saturating_sub(1),
            _ => {}
        }
        false
    }

    fn is_at_the_end(&self) -> bool {
        self.taken == self.entries.len()
    }

    /// The keys that do something now: what is needed most first, and the way out last.
    fn keys(&self) -> Vec<(&'static str, &'static str)> {
        let (can_back, can_go_on) = (self.taken > 0, !self.is_at_the_end());
        let (can_slow, can_speed) = (self.speed > 0, self.speed + 1 < SPEEDS.len());
        let either = |one: bool, other: bool, names: [&'static str; 3]| match (one, other) {
            (true, true) => Some(names[0]),
            (true, false) => Some(names[1]),
            (false, true) => Some(names[2]),
            (false, false) => None,
        };
        let rows = [
            (
                either(can_back, can_go_on, ["space"; 3]),
                match (self.paused, can_go_on) {
                    (_, false) => "again",
                    (true, _) => "play",
                    (false, _) => "pause",
                },
            ),
            (either(can_back, can_go_on, ["n/p", "p", "n"]), "chapter"),
            (either(can_back, can_go_on, [",/.", ",", "."]), "step"),
            (either(can_slow, can_speed, ["+/-", "-", "+"]), "speed"),
            (either(can_back, can_go_on, ["home/end", "home", "end"]), "ends"),
            (Some("q"), "quit"),
        ];
        rows.into_iter().filter_map(|(key, label)| Some((key?, label))).collect()
    }

    /// Draws the row that says what this is.
    fn bar(&self, theme: &Theme, keys: &[(&str, &str)], buffer: &mut Buffer) {
        let sign = match (self.is_at_the_end(), self.paused) {
            (true, _) => "■",
            (_, true) => "‖",
            _ => "▸",
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
    pub async fn show<W: Write, I: Into<Input>>(
        &mut self,
        screen: &mut Screen<W>,
        mut looks: Looks,
        lane: &Lane,
        mut input: impl Stream<Item = io::Result<I>> + Unpin,
        mut stop: impl Stream<Item = u8> + Unpin,
    ) -> io::Result<Ended> {
        const SECOND: Duration = Duration::from_secs(1);
        loop {
            let theme = looks.theme;
            screen.paint(|frame| {
                ui::view(&self.state, &theme, lane, frame);
                self.bar(&theme, &self.keys(), frame.buffer_mut());
            })?;
            looks.ask(screen)?;
            let since = Instant::now();
            let is_playing = !self.paused && !self.is_at_the_end();
            let next = self.times.get(self.taken).map_or(Duration::ZERO, |next| next.saturating_sub(self.now));
            let pause = next.div_f64(SPEEDS[self.speed]);
            tokio::select! {
                biased;
                Some(signal) = stop.next() => return Ok(Ended::Signal(signal)),
                // Before the input, which may never pause. The time that is shown goes on between two entries, too.
                () = tokio::time::sleep(pause.min(SECOND)), if is_playing => {
                    if pause <= SECOND {
                        self.take().map_err(io::Error::other)?;
                    } else {
                        self.now += SECOND.mul_f64(SPEEDS[self.speed]);
                    }
                }
                first = input.next() => {
                    if is_playing {
                        self.now += since.elapsed().mul_f64(SPEEDS[self.speed]).min(next);
                    }
                    let Some(mut next) = first else { return Ok(Ended::InputClosed) };
                    for _ in 0..super::AT_ONCE {
                        if self.understand(next?.into(), screen, &mut looks)? {
                            return Ok(Ended::Finished);
                        }
                        let Some(another) = at_hand(&mut input) else { break };
                        next = another;
                    }
                },
            }
        }
    }

    /// Does what an input says; says whether that is the end.
    fn understand<W: Write>(&mut self, input: Input, screen: &mut Screen<W>, looks: &mut Looks) -> io::Result<bool> {
        let Some(input) = attend(input, screen)? else { return Ok(false) };
        if let Input::Background { light } = input {
            looks.told(light);
        }
        let Some(key) = input.key().filter(|_| input.is_key_press()) else { return Ok(false) };
        let is_interrupt = key.modifiers.contains(KeyModifiers::CONTROL) && key.code == KeyCode::Char('c');
        Ok(is_interrupt || self.press(key.code))
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
    ) -> io::Result<Recording> {
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

#[cfg(test)]
mod tests {
    use ratatui::layout::Size;

    use super::*;
    use crate::lab::{Backend, BackendKind, Intent, Names};

    /// Keys that change the picture, one every `millis`.
    fn log(count: u64, millis: u64) -> Log {
        let backend =
            Backend { kind: BackendKind::Sandbox, region: "us-east-1".into(), endpoint: None, given_user: false };
        let head = Head::new(&State::new(backend, Names::new("t1")), 0);
        let what = |at: u64| match at % 5 {
            0 => Logged::Intent(Intent::CycleView),
            1 => Logged::Tick(1),
            2 => Logged::Intent(Intent::FocusOther),
            3 => Logged::Intent(Intent::ToggleZoom),
            _ => Logged::Clock(at),
        };
        let entries = (0..count).map(|at| Entry { at: (at + 1) * millis, what: what(at) }).collect();
        Log { head, entries, cut_off: None }
    }

    fn playback(log: Log) -> Playback {
        let beginning = log.head.state(0);
        Playback::new(log, beginning).unwrap()
    }

    #[test]
    fn from_anywhere_one_comes_anywhere() {
        const COUNT: usize = 3 * STRIDE + 40;
        let log = log(COUNT as u64, 10);
        let mut state = log.head.state(0);
        let mut states = vec![state.clone()];
        for entry in &log.entries {
            state.take_logged(entry.what.clone()).unwrap();
            states.push(state.clone());
        }
        let mut playback = playback(log);
        assert_eq!(playback.remembered.len(), 4);
        let near = [0, 1, STRIDE - 1, STRIDE, STRIDE + 1, 2 * STRIDE, COUNT - 1, COUNT];
        let places = near.iter().flat_map(|from| near.iter().map(move |to| (*from, *to)));
        for (from, to) in places.chain((0..200).map(|at| (at * 37 % COUNT, at * 101 % COUNT))) {
            playback.go_to(from);
            playback.go_to(to);
            assert_eq!((playback.taken, playback.state == states[to]), (to, true), "{from} {to}");
            assert_eq!(playback.now, Duration::from_millis(10 * to as u64));
        }
    }

    #[test]
    fn keys_that_do_nothing_are_not_told() {
        let told = |playback: &Playback| {
            let keys: Vec<String> = playback.keys().iter().map(|(key, label)| format!("{key} {label}")).collect();
            keys.join(" · ")
        };
        let mut playback = playback(log(20, 10));
        assert_eq!(told(&playback), "space pause · n chapter · . step · +/- speed · end ends · q quit");
        playback.press(KeyCode::Char('.'));
        for _ in 0..9 {
            playback.press(KeyCode::Char('+'));
        }
        assert_eq!(told(&playback), "space play · n/p chapter · ,/. step · - speed · home/end ends · q quit");
        playback.press(KeyCode::End);
        for _ in 0..9 {
            playback.press(KeyCode::Char('-'));
        }
        assert_eq!(told(&playback), "space again · p chapter · , step · + speed · home ends · q quit");
        playback.press(KeyCode::Char(' '));
        assert_eq!((playback.taken, playback.paused), (0, false));
        playback.press(KeyCode::Char(' '));
        assert!(playback.paused);
        playback.press(KeyCode::PageDown);
        assert_eq!((playback.taken, playback.press(KeyCode::Char('q'))), (20, true));
        playback.press(KeyCode::PageUp);
        assert_eq!(playback.taken, 0);
        playback.press(KeyCode::Char(' '));
        assert!(!playback.paused);
    }

    /// Steps go by what shows something new, and not by the waiting sign.
    #[test]
    fn steps_pass_over_ticks_and_seconds() {
        let mut playback = playback(log(10, 10));
        let mut places = |key: char| -> Vec<usize> {
            let steps = (0..8).map(|_| {
                playback.press(KeyCode::Char(key));
                playback.taken
            });
            steps.collect()
        };
        assert_eq!(places('.'), [1, 3, 4, 6, 8, 9, 10, 10]);
        assert_eq!(places(','), [9, 8, 6, 4, 3, 1, 0, 0]);
    }

    #[test]
    fn long_pauses_are_short() {
        let playback = playback(log(3, 7_000));
        assert_eq!((playback.length(), log(3, 7_000).entries[2].at), (Duration::from_secs(15), 21_000));
    }

    /// Whoever drags the corner of the window does not hold the film up.
    #[test]
    fn it_goes_on_while_the_size_changes() {
        let input = futures_util::stream::unfold(0_u16, |count| async move {
            tokio::time::sleep(Duration::from_millis(20)).await;
            let input = match count {
                0..40 => Input::Resize(Size { width: 80 + count % 2, height: 24 }),
                _ => Input::Key(KeyCode::Char('q').into()),
            };
            Some((Ok(input), count + 1))
        });
        let mut playback = playback(log(3, 100));
        let mut screen = Screen::over(io::sink(), Size::new(80, 24));
        let theme = Theme::choose(ui::ThemeName::Dark, ui::ColorLevel::True);
        let stop = futures_util::stream::pending();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        let ended = runtime.block_on(playback.show(&mut screen, theme.into(), &Lane::default(), Box::pin(input), stop));
        assert_eq!((ended.unwrap(), playback.taken), (Ended::Finished, 3));
    }
}
