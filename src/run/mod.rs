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
pub mod live;
pub mod notes;
pub mod plain;
pub mod play;
pub mod replay;
pub mod session;
pub mod signal;
pub mod studio;
pub mod verified;
pub mod world;

use std::io::{self, Write};
use std::time::Duration;

use crossterm::event::Event as Input;
use futures_util::{Stream, StreamExt, stream};
use ratatui::layout::Size;
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};
use tokio::time::Instant;

use crate::lab::{Event, State};
use crate::ui;
use crate::ui::terminal::Screen;
use live::{Manner, area, key};
use notes::teller::Teller;
use play::Cue;
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
    /// The person wants to begin again, and nothing is left behind.
    StartOver,
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
    manner: &mut Manner,
    mut stop: impl Stream<Item = u8> + Unpin,
) -> io::Result<Ended> {
    let mut next_tick = Instant::now() + TICK;
    let began = Instant::now();
    let mut teller = Teller::default();
    loop {
        // All that has happened by now is taken in before it is drawn, once.
        teller.tell(state).await;
        draw(screen, state, manner)?;
        // The first picture waits for nothing.
        if let Some(place) = world.place()
            && let Err(error) = teller.listen(place)
            && place.socket.is_some()
        {
            state.update(Event::Say(format!("`kmslab notes` can't follow this lab: {error}")));
            continue;
        }
        let next_second = began + Duration::from_secs(began.elapsed().as_secs() + 1);
        let now = manner.now();
        let director = manner.director.as_mut();
        let cue = director.map_or(Cue::Person, |director| director.cue(state, &manner.lane, now));
        if let Cue::End(_) | Cue::Stuck = cue {
            manner.director = None;
        }
        let played = if let Cue::Press(at, code) = cue { Some((at, code)) } else { None };
        let due = manner.recording.as_ref().and_then(|recording| recording.due());
        let at = |time: Option<Duration>| manner.begun + time.unwrap_or_default();
        let (played_at, due_at) = (at(played.map(|(at, _)| at)), at(due));
        let trouble = manner.recording.as_mut().and_then(|recording| recording.trouble());
        let mut arrived = tokio::select! {
            biased;
            Some(signal) = stop.next() => return Ok(Ended::Signal(signal)),
            event = async { trouble.map(Event::Say) }, if trouble.is_some() => event,
            event = events.recv() => event,
            event = input.next() => match event {
                None => return Ok(Ended::InputClosed),
                Some(input) => {
                    let input = input?;
                    // Who presses a key takes over.
                    if input.is_key_press() && !manner.director.as_ref().is_some_and(|director| director.takes_keys()) {
                        manner.director = None;
                    }
                    translate(input, state, screen, manner)
                }
            },
            () = tokio::time::sleep_until(played_at), if played.is_some() => played.and_then(|(_, code)| {
                // A director knows the usual keys, whatever this person's are.
                let mut usual = state.clone();
                usual.view.keys = Default::default();
                let event = translate(Input::Key(key(code)), &usual, screen, manner);
                let now = manner.now();
                if let Some(director) = &mut manner.director {
                    director.pressed(state, code, now);
                }
                event
            }),
            () = tokio::time::sleep_until(due_at), if due.is_some() => None,
            () = tokio::time::sleep_until(next_tick), if state.is_running() => Some(Event::Tick),
            () = tokio::time::sleep_until(next_second), if state.shows_timer() => None,
        };
        // What has passed was spent on what was there before.
        let clock = Event::Clock(began.elapsed().as_secs());
        log(manner, state, &clock);
        state.update(clock);
        while let Some(event) = arrived {
            if event == Event::Tick || !state.is_running() {
                next_tick = Instant::now() + TICK;
            }
            let copy = manner.recording.as_ref().is_some_and(|recording| recording.is_log()).then(|| event.clone());
            let effects = state.update(event);
            if let Some(event) = copy {
                log(manner, state, &event);
            }
            for effect in effects {
                match world.perform(effect) {
                    Rest::Exit => return Ok(Ended::Finished),
                    Rest::StartOver => return Ok(Ended::StartOver),
                    Rest::Copy(text) => screen.copy(&text)?,
                    // The screen is drawn from the state; it needs no reports.
                    Rest::Nothing | Rest::Report(_) => {}
                }
            }
            arrived = events.try_recv().ok();
        }
    }
}

/// Logs what has happened, where events are recorded.
fn log(manner: &mut Manner, state: &State, event: &Event) {
    let now = manner.now();
    if let Some(recording) = manner.recording.as_mut().filter(|recording| recording.is_log()) {
        recording.happened(now, state, event);
    }
}

/// Draws the state; what is drawn is recorded, too.
fn draw<W: Write>(screen: &mut Screen<W>, state: &State, manner: &mut Manner) -> io::Result<()> {
    let now = manner.now();
    let Manner { theme, lane, recording, .. } = manner;
    screen.paint_seen(
        |frame| ui::view_with(state, theme, lane, frame),
        |shown| {
            if let Some(recording) = recording {
                recording.see(now, state, theme, lane, shown);
            }
        },
    )?;
    Ok(())
}

/// What an input means now. A resize changes no state, only the picture.
fn translate<W: Write>(input: Input, state: &State, screen: &mut Screen<W>, manner: &mut Manner) -> Option<Event> {
    match input {
        Input::Key(key) => {
            let area = area(screen.size());
            manner.lane.press(ui::keys::named(key, state, area));
            let now = manner.now();
            if let Some(recording) = &mut manner.recording {
                recording.typed(now, state, key);
            }
            ui::keys::intent(key, state, area).map(Event::Intent)
        }
        Input::Resize(width, height) => {
            screen.resized(Size { width, height });
            None
        }
        _ => None,
    }
}
