//! The driver: the only place that awaits.
//!
//! [`interactive`] is the way from a key press to the screen: a key becomes an intent (`ui::keys`), the intent
//! changes the state and asks for effects (`lab`), the [`World`] performs them, and what becomes of them arrives as
//! an event like any other. The loop itself waits for no call and no disk. It decides nothing of the lesson, which is
//! `lab`'s, and draws nothing, which is `ui`'s.
//!
//! Other loops over the same state: [`headless`] (lines), [`plain`] (a dialogue), [`studio`] (a recording without a
//! terminal), [`replay`] (a recorded one). On the disk: [`journal`] (what is about to be created), [`session`] (to go
//! on with), [`verified`] (answers to show again).

pub mod cleanup;
pub mod config;
pub mod doctor;
pub mod headless;
pub mod input;
pub mod inspect;
pub mod journal;
pub mod lesson;
pub mod live;
pub mod looks;
pub mod notes;
pub mod plain;
pub mod play;
pub mod replay;
pub mod session;
pub mod signal;
pub mod studio;
pub mod verified;
pub mod world;
pub mod writes;

use std::io::{self, Write};
use std::time::Duration;

use crossterm::event::KeyCode;
use futures_util::{Stream, StreamExt};
use tokio::sync::mpsc::UnboundedReceiver;
use tokio::time::Instant;

use crate::lab::{Effect, Event, State};
use crate::ui;
use crate::ui::terminal::Screen;
use input::{Input, at_hand, attend};
use live::{Manner, Upcoming, area, key};
use notes::teller::Teller;
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

/// So much input at most is answered before the next picture.
const AT_ONCE: usize = 4_096;

/// The message after a paste.
const PASTED: &str = "pasted text is ignored here: press the keys that the last line shows";

/// Runs the lab on `screen` until the person leaves, the input ends, or a signal's number comes from
/// `stop`. `state` is true whatever ends it: what has been created is known even where the terminal fails.
///
/// # Errors
/// When the terminal can't be read or written.
pub async fn interactive<W: Write, I: Into<Input>>(
    state: &mut State,
    world: &World,
    mut events: UnboundedReceiver<Event>,
    mut input: impl Stream<Item = io::Result<I>> + Unpin,
    screen: &mut Screen<W>,
    manner: &mut Manner,
    mut stop: impl Stream<Item = u8> + Unpin,
) -> io::Result<Ended> {
    let began = Instant::now();
    let mut next_tick = began + TICK;
    let mut teller = Teller::default();
    loop {
        // All that has happened by now is taken in before it is drawn, once.
        teller.tell(state).await;
        draw(screen, state, manner)?;
        // The first picture waits for nothing.
        if let Some(place) = world.place()
            && let Err(error) = teller.listen(place)
            && let Some(path) = &place.socket
        {
            let columns = usize::from(screen.size().width);
            state.update(Event::Say(not_followed(&path.display().to_string(), &error, columns)));
            continue;
        }
        manner.looks.ask(screen)?;
        let next_second = began + Duration::from_secs(began.elapsed().as_secs() + 1);
        let Upcoming { key, write, trouble, ended } = manner.upcoming(state);
        let mut arrived = tokio::select! {
            biased;
            Some(signal) = stop.next() => return Ok(Ended::Signal(signal)),
            event = async { trouble.map(Event::Say) }, if trouble.is_some() => event,
            () = std::future::ready(()), if ended => None,
            event = events.recv() => event,
            event = input.next() => match event {
                None => return Ok(Ended::InputClosed),
                Some(input) => understand(input?.into(), state, screen, manner)?,
            },
            Some(code) = in_time(key) => play(code, state, screen, manner),
            () = tokio::time::sleep_until(write.unwrap_or(began)), if write.is_some() => None,
            () = tokio::time::sleep_until(next_tick), if state.is_running() => Some(Event::Tick),
            () = tokio::time::sleep_until(next_second), if state.shows_timer() => None,
        };
        // What has passed was spent on what was there before.
        take_in(Event::Clock(began.elapsed().as_secs()), state, manner);
        for _ in 0..AT_ONCE {
            while let Some(event) = arrived {
                if event == Event::Tick || !state.is_running() {
                    next_tick = Instant::now() + TICK;
                }
                for effect in take_in(event, state, manner) {
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
            // The end of the input comes again.
            let Some(input) = at_hand(&mut input) else { break };
            arrived = understand(input?.into(), state, screen, manner)?;
        }
    }
}

/// Why `kmslab notes` finds nothing at `path`, in so many columns: the path is cut, not the reason.
fn not_followed(path: &str, error: &io::Error, columns: usize) -> String {
    let (before, after) = ("`kmslab notes` can't follow: ", format!(": {}", ui::clean(&error.to_string())));
    // A space before it and one after it.
    let room = columns.saturating_sub(before.len() + after.chars().count() + 2).max(12);
    format!("{before}{}{after}", ui::shortened(&ui::clean(path), room))
}

/// A key, when its time has come; where there is none, nothing at once.
async fn in_time(key: Option<(Instant, KeyCode)>) -> Option<KeyCode> {
    let (at, code) = key?;
    tokio::time::sleep_until(at).await;
    Some(code)
}

/// Takes in what has happened; where events are recorded, as they are shown, this one is.
fn take_in(event: Event, state: &mut State, manner: &mut Manner) -> Vec<Effect> {
    let copy = manner.is_logged().then(|| event.clone());
    let effects = state.update(event);
    if let Some(event) = copy {
        manner.log(state, &event);
    }
    effects
}

/// Draws the state; what is drawn is recorded, too.
fn draw<W: Write>(screen: &mut Screen<W>, state: &State, manner: &mut Manner) -> io::Result<()> {
    let now = manner.now();
    manner.lane.playing = manner.playing(state);
    let Manner { looks, lane, recording, .. } = manner;
    let theme = &looks.theme;
    screen.paint_seen(
        |frame| ui::view(state, theme, lane, frame),
        |shown| {
            if let Some(recording) = recording {
                recording.see(now, state, theme, lane, shown);
            }
        },
    )?;
    Ok(())
}

/// What a key means that the director presses: it knows the usual keys, whatever this person's are.
fn play<W: Write>(code: KeyCode, state: &State, screen: &mut Screen<W>, manner: &mut Manner) -> Option<Event> {
    let mut usual = state.clone();
    usual.view.keys = Default::default();
    let event = translate(Input::Key(key(code)), &usual, screen, manner);
    manner.played(state, code);
    event
}

/// What an input means now.
fn understand<W: Write>(
    input: Input,
    state: &State,
    screen: &mut Screen<W>,
    manner: &mut Manner,
) -> io::Result<Option<Event>> {
    let Some(input) = attend(input, screen)? else { return Ok(None) };
    if let Some(code) = manner.stands_in(input, state) {
        return Ok(play(code, state, screen, manner));
    }
    if input.is_key_press() {
        manner.taken_over();
    }
    Ok(match input {
        Input::Paste => Some(Event::Say(PASTED.to_owned())),
        Input::Background { light } => {
            manner.looks.told(light);
            None
        }
        input => translate(input, state, screen, manner),
    })
}

/// What a key means now.
fn translate<W: Write>(input: Input, state: &State, screen: &mut Screen<W>, manner: &mut Manner) -> Option<Event> {
    let Input::Key(key) = input else { return None };
    let area = area(screen.size());
    manner.lane.press(ui::keys::named(key, state, area));
    let now = manner.now();
    if let Some(recording) = &mut manner.recording {
        recording.typed(now, state, key);
    }
    ui::keys::intent(key, state, area).map(Event::Intent)
}
