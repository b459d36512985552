//! The driver: the only place that awaits.
//!
//! [`interactive`] is the way from a key press to the screen: a key becomes an intent (`ui::keys`), the intent changes
//! the state and asks for effects (`lab`), the [`World`] performs them, and what becomes of them arrives as an event
//! like any other.

pub mod cleanup;
pub mod config;
pub mod doctor;
pub mod headless;
pub mod inspect;
pub mod journal;
pub mod lesson;
pub mod plain;
pub mod session;
pub mod signal;
pub mod verified;
pub mod world;

use std::io::{self, Write};
use std::time::Duration;

use crossterm::event::Event as Input;
use futures_util::{Stream, StreamExt, stream};
use ratatui::layout::{Position, Rect, Size};
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};
use tokio::time::Instant;

use crate::lab::{Event, State};
use crate::ui;
use crate::ui::terminal::Screen;
use crate::ui::theme::Theme;
use world::{Rest, World};

/// Between two pictures of the waiting sign: four a second is enough to see that something is under way, and little
/// in a recording.
const TICK: Duration = Duration::from_millis(250);

/// How a lab ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    /// All is done, or the person left.
    Finished,
    /// There is no more input: the terminal is gone.
    InputClosed,
    /// Nobody has said yes to creating things; nothing was created.
    Refused,
    /// This signal asked for it.
    Signal(u8),
}

/// What the terminal sends from now on, read by a thread of its own.
///
/// Not crossterm's `EventStream`: when the terminal disappears, crossterm reads the end of its input over and over and
/// does not return. This thread may do so until the process ends; the loop must not, for it has to end the process.
///
/// # Errors
/// When there is no terminal to read from, or there can be no thread.
pub fn input() -> io::Result<impl Stream<Item = io::Result<Input>> + Unpin> {
    // crossterm hears of resizes from its first call on; the thread's would come later.
    crossterm::event::poll(Duration::ZERO)?;
    let (sender, mut receiver) = unbounded_channel();
    std::thread::Builder::new().name("kmslab-input".to_owned()).spawn(move || {
        loop {
            let input = crossterm::event::read();
            let failed = input.is_err();
            if sender.send(input).is_err() || failed {
                return;
            }
        }
    })?;
    Ok(stream::poll_fn(move |context| receiver.poll_recv(context)))
}

/// Runs the lab on `screen` until the person leaves, the input ends, or a signal's number comes from
/// `stop`. `state` is true whatever ends it: what has been created is known even where the terminal fails.
///
/// # Errors
/// When the terminal can't be read or written.
pub async fn interactive<W: Write>(
    state: &mut State,
    world: &World,
    mut events: UnboundedReceiver<Event>,
    mut input: impl Stream<Item = io::Result<Input>> + Unpin,
    screen: &mut Screen<W>,
    theme: &Theme,
    mut stop: impl Stream<Item = u8> + Unpin,
) -> io::Result<Ended> {
    let mut next_tick = Instant::now() + TICK;
    loop {
        // All that has happened by now is taken in before it is drawn, once.
        screen.draw(state, theme)?;
        let mut arrived = tokio::select! {
            biased;
            Some(signal) = stop.next() => return Ok(Ended::Signal(signal)),
            event = events.recv() => event,
            event = input.next() => match event {
                None => return Ok(Ended::InputClosed),
                Some(input) => translate(input?, state, screen),
            },
            () = tokio::time::sleep_until(next_tick), if state.is_running() => Some(Event::Tick),
        };
        while let Some(event) = arrived {
            if event == Event::Tick || !state.is_running() {
                next_tick = Instant::now() + TICK;
            }
            for effect in state.update(event) {
                match world.perform(effect) {
                    Rest::Exit => return Ok(Ended::Finished),
                    Rest::Copy(text) => screen.copy(&text)?,
                    // The screen is drawn from the state; it needs no reports.
                    Rest::Nothing | Rest::Report(_) => {}
                }
            }
            arrived = events.try_recv().ok();
        }
    }
}

/// What an input means now. A resize changes no state, only the picture.
fn translate<W: Write>(input: Input, state: &State, screen: &mut Screen<W>) -> Option<Event> {
    match input {
        Input::Key(key) => {
            let area = Rect::from((Position::ORIGIN, screen.size()));
            ui::keys::intent(key, state, area).map(Event::Intent)
        }
        Input::Resize(width, height) => {
            screen.resized(Size { width, height });
            None
        }
        _ => None,
    }
}
