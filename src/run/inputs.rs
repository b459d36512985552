//! Everything a front may wait for, in one biased `select!`.

use std::future::pending;
use std::io;
use std::time::Duration;

use futures_util::{FutureExt, Stream, StreamExt, stream};
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};
use tokio::time::{Instant, sleep_until};

use crate::lab::{Event, State};

/// The time between two frames of the waiting sign: four a second show that something is under way, and take little
/// room in a recording.
pub(super) const TICK: Duration = Duration::from_millis(250);

/// The most input that is handled before the next frame.
pub(super) const AT_ONCE: usize = 4_096;

/// The sources of events: the runtime, a person's input, and signals.
pub(super) struct Inputs<'a, T> {
    /// Of the runtime.
    pub(super) events: UnboundedReceiver<Event>,
    input: Box<dyn Stream<Item = io::Result<T>> + Unpin + 'a>,
    stop: Box<dyn Stream<Item = u8> + Unpin + 'a>,
    next_tick: Option<Instant>,
}

/// What a front waits for besides signals and events of the runtime.
#[derive(Debug, Default)]
pub(super) struct Wanted {
    /// A time that goes before events and input.
    pub(super) urgent: Option<Instant>,
    /// Input.
    pub(super) input: bool,
    /// A time that goes after them.
    pub(super) due: Option<Instant>,
    /// Ticks, while calls are under way.
    pub(super) ticks: bool,
    /// The next second of a clock that is shown.
    pub(super) second: Option<Instant>,
}

/// What came first.
pub(super) enum Came<T> {
    Signal(u8),
    Urgent,
    Event(Event),
    /// `None` is the end of the input.
    Input(Option<io::Result<T>>),
    Due,
    Tick,
    Second,
}

impl<'a, T> Inputs<'a, T> {
    /// The inputs of a lab that a person controls.
    pub(super) fn new(
        events: UnboundedReceiver<Event>,
        input: impl Stream<Item = io::Result<T>> + Unpin + 'a,
        stop: impl Stream<Item = u8> + Unpin + 'a,
    ) -> Inputs<'a, T> {
        Inputs { events, input: Box::new(input), stop: Box::new(stop), next_tick: None }
    }

    /// The inputs of a session without a runtime: nothing but input and signals.
    pub(super) fn without_events(
        input: impl Stream<Item = io::Result<T>> + Unpin + 'a,
        stop: impl Stream<Item = u8> + Unpin + 'a,
    ) -> Inputs<'a, T> {
        // The sender is gone: no event ever arrives.
        Inputs::new(unbounded_channel().1, input, stop)
    }

    /// Waits for the first of all that is wanted. Where several are ready, their order here decides.
    pub(super) async fn next(&mut self, state: &State, wanted: Wanted) -> Came<T> {
        // The first tick comes a while after the calls were sent.
        self.next_tick = state.is_running().then(|| self.next_tick.unwrap_or_else(|| Instant::now() + TICK));
        tokio::select! {
            biased;
            Some(signal) = self.stop.next() => Came::Signal(signal),
            () = at(wanted.urgent) => Came::Urgent,
            Some(event) = self.events.recv() => Came::Event(event),
            input = self.input.next(), if wanted.input => Came::Input(input),
            () = at(wanted.due) => Came::Due,
            () = at(self.next_tick), if wanted.ticks => {
                self.next_tick = Some(Instant::now() + TICK);
                Came::Tick
            }
            () = at(wanted.second) => Came::Second,
        }
    }

    /// Returns input that has already arrived: a frame is drawn after all of it.
    pub(super) fn at_hand(&mut self) -> Option<io::Result<T>> {
        at_hand(&mut self.input)
    }
}

impl<'a> Inputs<'a, ()> {
    /// The inputs of a lab that nobody controls.
    pub(super) fn unattended(
        events: UnboundedReceiver<Event>,
        stop: impl Stream<Item = u8> + Unpin + 'a,
    ) -> Inputs<'a, ()> {
        Inputs::new(events, stream::pending(), stop)
    }
}

/// Returns what `input` has ready.
pub(super) fn at_hand<I>(input: &mut (impl Stream<Item = io::Result<I>> + Unpin)) -> Option<io::Result<I>> {
    // Tokio would make it wait now and then, to be fair to other tasks.
    tokio::task::unconstrained(input.next()).now_or_never().flatten()
}

/// Ends at `time`, or never without one.
async fn at(time: Option<Instant>) {
    match time {
        // Without the timer, whose resolution is a millisecond.
        Some(time) if time <= Instant::now() => {}
        Some(time) => sleep_until(time).await,
        None => pending().await,
    }
}
