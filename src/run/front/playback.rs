//! Shows a recorded session again. Its events are fed to a fresh state; nothing is performed, and no network is used.

use std::io::{self, Write};
use std::time::Duration;

use crossterm::event::{KeyCode, KeyModifiers};
use futures_util::{Stream, StreamExt, stream};
use ratatui::buffer::Buffer;
use tokio::time::Instant;

use crate::lab::State;
use crate::lab::log::{Entry, Logged};
use crate::record::chapters::Chapters;
use crate::record::{Recorder, Recording, clock};
use crate::run::driver::{self, Arrival, Ended, Front};
use crate::run::event_log::{LineError, Log, Problem};
use crate::run::input::{Input, attend};
use crate::run::inputs::{AT_ONCE, Came, Inputs, Wanted};
use crate::run::looks::Looks;
use crate::ui::terminal::Screen;
use crate::ui::{self, KeyCast, Theme, card};

/// Nobody watches a longer pause.
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// How many times as fast.
const SPEEDS: [f64; 6] = [0.5, 1.0, 1.5, 2.0, 4.0, 8.0];

/// Entries between two saved states. Seeking back replays at most this many.
const STRIDE: usize = 256;

/// A recorded session, and the place in it that is shown.
pub struct Playback {
    entries: Vec<Entry>,
    /// When each entry is shown: pauses are shortened.
    times: Vec<Duration>,
    /// How many entries come before each chapter.
    chapters: Vec<usize>,
    /// The state after every [`STRIDE`] entries, from the beginning on.
    remembered: Vec<State>,
    /// How many entries have been shown.
    taken: usize,
    now: Duration,
    speed: usize,
    paused: bool,
}

/// What a key does to a playback.
#[derive(Debug)]
pub enum Pressed {
    /// Nothing, or nothing but how it goes on.
    Stay,
    /// Shows another moment.
    Seek(Box<State>),
    /// Ends it.
    Leave,
}

impl Playback {
    /// Plays `log`, which begins with `beginning`.
    ///
    /// # Errors
    /// If an entry does not follow from the ones before.
    pub fn new(log: Log, beginning: State) -> Result<Playback, LineError> {
        let mut times = Vec::with_capacity(log.entries.len());
        let (mut now, mut before) = (Duration::ZERO, 0);
        for entry in &log.entries {
            now += Duration::from_millis(entry.at - before).min(LONGEST_PAUSE);
            before = entry.at;
            times.push(now);
        }
        let mut state = beginning;
        let mut chapters = Chapters::default();
        let (mut begins, mut remembered) = (Vec::new(), Vec::new());
        for taken in 0..=log.entries.len() {
            begins.extend(chapters.begun(&state).map(|_| taken));
            if taken.is_multiple_of(STRIDE) {
                remembered.push(state.clone());
            }
            if let Some(entry) = log.entries.get(taken) {
                let replayed = entry.what.clone().replay_on(&mut state);
                replayed.map_err(|error| LineError { line: taken + 2, problem: Problem::Unfounded(error) })?;
            }
        }
        Ok(Playback {
            entries: log.entries,
            times,
            chapters: begins,
            remembered,
            taken: 0,
            now: Duration::ZERO,
            speed: 1,
            paused: false,
        })
    }

    /// The first state.
    pub fn beginning(&self) -> State {
        self.remembered[0].clone()
    }

    /// How long it is.
    pub fn length(&self) -> Duration {
        self.times.last().copied().unwrap_or_default()
    }

    /// Goes on to the next entry.
    fn advance(&mut self) -> Option<Logged> {
        let entry = self.entries.get(self.taken)?;
        self.now = self.times[self.taken];
        self.taken += 1;
        Some(entry.what.clone())
    }

    /// Returns the state after `taken` entries, given the one that is shown.
    fn go_to(&mut self, shown: &State, taken: usize) -> State {
        let nearest = taken / STRIDE;
        let remembered = self.remembered.get(nearest);
        let remembered = remembered.filter(|_| taken < self.taken || self.taken < nearest * STRIDE);
        let (nearest, from) = remembered.map_or((shown, self.taken), |state| (state, nearest * STRIDE));
        let mut state = nearest.clone();
        for entry in &self.entries[from..taken] {
            // All of them have been taken in once, without a problem.
            let _ = entry.what.clone().replay_on(&mut state);
        }
        self.taken = taken;
        self.now = taken.checked_sub(1).map_or(Duration::ZERO, |last| self.times[last]);
        state
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

    /// Handles a key, while `shown` is shown.
    pub fn press(&mut self, key: KeyCode, shown: &State) -> Pressed {
        let to = match key {
            KeyCode::Char('q') => return Pressed::Leave,
            // At the end it starts over.
            KeyCode::Char(' ') if self.is_at_the_end() => {
                self.paused = false;
                0
            }
            KeyCode::Char(key @ ('.' | ',')) => {
                self.paused = true;
                self.step(key == '.')
            }
            KeyCode::Char('n') | KeyCode::Right | KeyCode::PageDown => self.chapter(true),
            KeyCode::Char('p') | KeyCode::Left | KeyCode::PageUp => self.chapter(false),
            KeyCode::Home => 0,
            KeyCode::End => self.entries.len(),
            key => {
                match key {
                    KeyCode::Char(' ') => self.paused = !self.paused,
                    KeyCode::Char('+' | '=') => self.speed = (self.speed + 1).min(SPEEDS.len() - 1),
                    KeyCode::Char('-') => self.speed = self.speed.saturating_sub(1),
                    _ => {}
                }
                return Pressed::Stay;
            }
        };
        Pressed::Seek(Box::new(self.go_to(shown, to)))
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
    fn bar(&self, state: &State, theme: &Theme, keys: &[(&str, &str)], buffer: &mut Buffer) {
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
        let when = state.replay_time().unwrap_or_default();
        card::replay_bar(theme, &when, &place, keys, buffer);
    }

    /// Plays it on `screen` until the person leaves.
    ///
    /// # Errors
    /// If the terminal can't be read or written.
    pub async fn show<W: Write, I: Into<Input>>(
        &mut self,
        screen: &mut Screen<W>,
        looks: Looks,
        key_cast: &KeyCast,
        input: impl Stream<Item = io::Result<I>> + Unpin,
        stop: impl Stream<Item = u8> + Unpin,
    ) -> io::Result<Ended> {
        let input = input.map(|input| input.map(Into::into));
        let mut state = self.beginning();
        let mut front = OnScreen { playback: self, screen, looks, key_cast };
        driver::run(&mut state, None, &mut front, Inputs::without_events(input, stop)).await
    }

    /// Plays it into `recorder`, in no time.
    ///
    /// # Errors
    /// If it can't be written.
    pub async fn record(
        &mut self,
        recorder: Recorder,
        theme: &Theme,
        key_cast: &KeyCast,
        title: String,
    ) -> io::Result<Recording> {
        let mut state = self.beginning();
        let mut front = IntoRecorder { playback: self, recorder, theme, key_cast };
        let inputs = Inputs::without_events(stream::pending(), stream::pending());
        driver::run(&mut state, None, &mut front, inputs).await?;
        front.recorder.finish(front.playback.length() + LONGEST_PAUSE, title)
    }
}

/// A replay on a screen.
struct OnScreen<'a, W: Write> {
    playback: &'a mut Playback,
    screen: &'a mut Screen<W>,
    looks: Looks,
    key_cast: &'a KeyCast,
}

impl<W: Write> Front for OnScreen<'_, W> {
    type Input = Input;

    async fn show(&mut self, state: &State) -> io::Result<()> {
        let theme = self.looks.theme_after(state.themes());
        self.screen.paint(|frame| {
            ui::view(state, &theme, self.key_cast, frame);
            self.playback.bar(state, &theme, &self.playback.keys(), frame.buffer_mut());
        })?;
        self.looks.ask(self.screen)
    }

    async fn next(&mut self, state: &State, inputs: &mut Inputs<'_, Input>) -> io::Result<Arrival> {
        const SECOND: Duration = Duration::from_secs(1);
        let (since, speed) = (Instant::now(), SPEEDS[self.playback.speed]);
        let is_playing = !self.playback.paused && !self.playback.is_at_the_end();
        let next = self.playback.times.get(self.playback.taken);
        let next = next.map_or(Duration::ZERO, |next| next.saturating_sub(self.playback.now));
        let pause = next.div_f64(speed);
        // The next entry goes before the input, which may never pause.
        let urgent = is_playing.then(|| since + pause.min(SECOND));
        match inputs.next(state, Wanted { urgent, input: true, ..Wanted::default() }).await {
            Came::Signal(signal) => Ok(Arrival::Signal(signal)),
            Came::Urgent if pause <= SECOND => {
                let entry = self.playback.advance();
                Ok(entry.map_or(Arrival::Redraw, |entry| Arrival::Logged(Box::new(entry))))
            }
            // The time that is shown goes on between two entries, too.
            Came::Urgent => {
                self.playback.now += SECOND.mul_f64(speed);
                Ok(Arrival::Redraw)
            }
            Came::Input(first) => {
                if is_playing {
                    self.playback.now += since.elapsed().mul_f64(speed).min(next);
                }
                self.understand(first, state, inputs)
            }
            _ => Ok(Arrival::Redraw),
        }
    }
}

impl<W: Write> OnScreen<'_, W> {
    /// Handles all input that has arrived.
    fn understand(
        &mut self,
        first: Option<io::Result<Input>>,
        state: &State,
        inputs: &mut Inputs<'_, Input>,
    ) -> io::Result<Arrival> {
        let Some(mut next) = first else { return Ok(Arrival::End(Ended::InputClosed)) };
        let mut moved = None;
        for _ in 0..AT_ONCE {
            match self.press(next?, moved.as_deref().unwrap_or(state))? {
                Pressed::Leave => return Ok(Arrival::End(Ended::Finished)),
                Pressed::Seek(moment) => moved = Some(moment),
                Pressed::Stay => {}
            }
            let Some(another) = inputs.at_hand() else { break };
            next = another;
        }
        Ok(moved.map_or(Arrival::Redraw, Arrival::Seek))
    }

    fn press(&mut self, input: Input, shown: &State) -> io::Result<Pressed> {
        let Some(input) = attend(input, self.screen)? else { return Ok(Pressed::Stay) };
        if let Input::Background { light } = input {
            self.looks.told(light);
        }
        let Some(key) = input.key().filter(|_| input.is_key_press()) else { return Ok(Pressed::Stay) };
        let is_interrupt = key.modifiers.contains(KeyModifiers::CONTROL) && key.code == KeyCode::Char('c');
        Ok(if is_interrupt { Pressed::Leave } else { self.playback.press(key.code, shown) })
    }
}

/// A replay that is recorded.
struct IntoRecorder<'a> {
    playback: &'a mut Playback,
    recorder: Recorder,
    theme: &'a Theme,
    key_cast: &'a KeyCast,
}

impl Front for IntoRecorder<'_> {
    type Input = ();

    async fn show(&mut self, state: &State) -> io::Result<()> {
        let mut frame = ui::render_with(state, self.theme, self.key_cast, self.recorder.size());
        self.playback.bar(state, self.theme, &[], &mut frame);
        self.recorder.see(self.playback.now, Some(state), &frame)
    }

    async fn next(&mut self, _: &State, _: &mut Inputs<'_, ()>) -> io::Result<Arrival> {
        let entry = self.playback.advance();
        Ok(entry.map_or(Arrival::End(Ended::Finished), |entry| Arrival::Logged(Box::new(entry))))
    }
}

#[cfg(test)]
mod tests {
    use ratatui::layout::Size;

    use super::*;
    use crate::lab::log::Head;
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
            entry.what.clone().replay_on(&mut state).unwrap();
            states.push(state.clone());
        }
        let mut playback = playback(log);
        let mut shown = playback.beginning();
        assert_eq!(playback.remembered.len(), 4);
        let near = [0, 1, STRIDE - 1, STRIDE, STRIDE + 1, 2 * STRIDE, COUNT - 1, COUNT];
        let places = near.iter().flat_map(|from| near.iter().map(move |to| (*from, *to)));
        for (from, to) in places.chain((0..200).map(|at| (at * 37 % COUNT, at * 101 % COUNT))) {
            shown = playback.go_to(&shown, from);
            shown = playback.go_to(&shown, to);
            assert_eq!((playback.taken, shown == states[to]), (to, true), "{from} {to}");
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
        let state = playback.beginning();
        assert_eq!(told(&playback), "space pause · n chapter · . step · +/- speed · end ends · q quit");
        playback.press(KeyCode::Char('.'), &state);
        for _ in 0..9 {
            playback.press(KeyCode::Char('+'), &state);
        }
        assert_eq!(told(&playback), "space play · n/p chapter · ,/. step · - speed · home/end ends · q quit");
        playback.press(KeyCode::End, &state);
        for _ in 0..9 {
            playback.press(KeyCode::Char('-'), &state);
        }
        assert_eq!(told(&playback), "space again · p chapter · , step · + speed · home ends · q quit");
        playback.press(KeyCode::Char(' '), &state);
        assert_eq!((playback.taken, playback.paused), (0, false));
        playback.press(KeyCode::Char(' '), &state);
        assert!(playback.paused);
        playback.press(KeyCode::PageDown, &state);
        assert_eq!(playback.taken, 20);
        assert!(matches!(playback.press(KeyCode::Char('q'), &state), Pressed::Leave));
        playback.press(KeyCode::PageUp, &state);
        assert_eq!(playback.taken, 0);
        playback.press(KeyCode::Char(' '), &state);
        assert!(!playback.paused);
    }

    /// Steps go by what shows something new, and not by the waiting sign.
    #[test]
    fn steps_pass_over_ticks_and_seconds() {
        let mut playback = playback(log(10, 10));
        let state = playback.beginning();
        let mut places = |key: char| -> Vec<usize> {
            let steps = (0..8).map(|_| {
                playback.press(KeyCode::Char(key), &state);
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

    /// Dragging the corner of the window does not hold the film up.
    #[test]
    fn it_goes_on_while_the_size_changes() {
        let input = stream::unfold(0_u16, |count| async move {
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
        let stop = stream::pending();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        let ended =
            runtime.block_on(playback.show(&mut screen, theme.into(), &KeyCast::default(), Box::pin(input), stop));
        assert_eq!((ended.unwrap(), playback.taken), (Ended::Finished, 3));
    }
}
