//! The driver: the only loop that updates the state and interprets effects.
//!
//! A [`Front`] shows the state and chooses the next event: from a terminal, from lines, from an autoplay on a virtual
//! clock, or from an event log. The driver does the rest for all of them: it updates the state, performs effects,
//! ends at a signal, and cleans up first where the front wants that.

use std::io;

use super::effects::EffectHandler;
use super::inputs::Inputs;
use super::pseudonyms;
use crate::lab::log::Logged;
use crate::lab::{Effect, Event, Intent, Report, Stage, State};

/// How a lab ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    /// Everything is done, or the person left.
    Finished,
    /// The input has ended: the terminal is gone.
    InputClosed,
    /// Nobody confirmed that the lab may create things; nothing was created.
    Refused,
    /// The person wants to start over, and nothing is left behind.
    StartOver,
    /// This signal ended it.
    Signal(u8),
}

/// What a front hands to the driver.
pub(super) enum Arrival {
    /// An event.
    Event(Event),
    /// An entry of an event log. Its effects were performed when it was recorded.
    Logged(Box<Logged>),
    /// Another moment of a recorded session.
    Seek(Box<State>),
    /// Nothing for the state, but a new frame for the person.
    Redraw,
    /// A signal's number.
    Signal(u8),
    /// The end.
    End(Ended),
}

/// A way to show a lab and to control it. The driver calls it from one task.
pub(super) trait Front {
    /// What a person sends.
    type Input;

    /// Whether a signal or a failure ends the lab only after a clean-up. A second signal ends it at once.
    const CLEANS_UP: bool = false;

    /// Draws or writes what is new: called once for everything that has arrived.
    ///
    /// # Errors
    /// If the output fails, which ends the lab.
    async fn show(&mut self, state: &State) -> io::Result<()>;

    /// Waits for whatever comes next.
    ///
    /// # Errors
    /// If the input or the output fails, which ends the lab.
    async fn next(&mut self, state: &State, inputs: &mut Inputs<'_, Self::Input>) -> io::Result<Arrival>;

    /// Returns an event that has already arrived and belongs to the same frame.
    ///
    /// # Errors
    /// If the input or the output fails.
    fn at_hand(&mut self, _: &State, _: &mut Inputs<'_, Self::Input>) -> io::Result<Option<Event>> {
        Ok(None)
    }

    /// Whether [`Front::happened`] needs a copy of each event.
    fn keeps_events(&self) -> bool {
        false
    }

    /// Notes an event after the state's update, and before its effects.
    ///
    /// # Errors
    /// If the output fails.
    fn happened(&mut self, _: &State, _: Event) -> io::Result<()> {
        Ok(())
    }

    /// Notes that `effect` is about to be performed.
    fn asked(&mut self, _: &Effect) {}

    /// Writes a line of the lab.
    ///
    /// # Errors
    /// If the output fails.
    fn report(&mut self, _: &State, _: &Report) -> io::Result<()> {
        Ok(())
    }

    /// Copies `text` to the clipboard.
    ///
    /// # Errors
    /// If the output fails.
    fn copy(&mut self, _: &str) -> io::Result<()> {
        Ok(())
    }

    /// Opens a shell in the front's terminal. Returns an event where that is not possible.
    ///
    /// # Errors
    /// If the terminal fails.
    fn open_shell(&mut self, _: &State) -> io::Result<Option<Event>> {
        Ok(Some(Event::ShellClosed))
    }

    /// Opens the person's editor in the front's terminal. Returns an event where that is not possible.
    ///
    /// # Errors
    /// If the terminal fails.
    fn open_editor(&mut self, _: &State) -> io::Result<Option<Event>> {
        Ok(None)
    }

    /// Whether the front has failed so that the lab in `state` must end.
    fn has_failed(&self, _: &State) -> bool {
        false
    }

    /// Notes that the lab cleans up and then ends.
    fn leaving(&mut self) {}
}

/// Runs the lab in `state` until the front, a signal or the lab itself ends it. A replay has no `handler`: nothing is
/// performed.
///
/// # Errors
/// If the front fails. `state` is up to date even then.
pub(super) async fn run<F: Front>(
    state: &mut State,
    handler: Option<&EffectHandler>,
    front: &mut F,
    mut inputs: Inputs<'_, F::Input>,
) -> io::Result<Ended> {
    let mut stop = Stop::default();
    front.show(state).await?;
    // After the first frame, which waits for nothing.
    refresh(handler, state);
    handler.into_iter().for_each(|handler| handler.report(state));
    loop {
        let arrival = match stop.leave(state, front) {
            Some(arrival) => arrival,
            None => front.next(state, &mut inputs).await?,
        };
        let mut event = match arrival {
            Arrival::Event(event) => Some(event),
            Arrival::Redraw => None,
            Arrival::Logged(entry) => {
                entry.replay_on(state).map_err(io::Error::other)?;
                None
            }
            Arrival::Seek(moment) => {
                *state = *moment;
                None
            }
            Arrival::Signal(signal) if !F::CLEANS_UP || stop.signal.is_some() => return Ok(stop.ended_by(signal)),
            Arrival::Signal(signal) => {
                stop.signal = Some(signal);
                None
            }
            Arrival::End(ended) => return Ok(stop.signal.map_or(ended, Ended::Signal)),
        };
        while let Some(next) = event {
            if let Some(ended) = handle(state, handler, front, next)? {
                return Ok(stop.signal.map_or(ended, Ended::Signal));
            }
            event = front.at_hand(state, &mut inputs)?;
        }
        front.show(state).await?;
    }
}

/// Tells shells beside the lab what is known now.
fn refresh(handler: Option<&EffectHandler>, state: &State) {
    #[cfg(unix)]
    handler.into_iter().for_each(|handler| handler.refresh(state));
    #[cfg(not(unix))]
    let _ = (handler, state);
}

/// Updates the state with one event and interprets the effects. Returns how the lab ended, if it did.
fn handle<F: Front>(
    state: &mut State,
    handler: Option<&EffectHandler>,
    front: &mut F,
    event: Event,
) -> io::Result<Option<Ended>> {
    let _span = tracing::debug_span!("event", what = %named(&event)).entered();
    let copy = front.keeps_events().then(|| event.clone());
    let effects = state.update(event);
    pseudonyms::learn(state.masker().as_ref());
    #[cfg(unix)]
    handler.into_iter().for_each(|handler| handler.watch(state));
    if let Some(event) = copy {
        front.happened(state, event)?;
    }
    tracing::debug!(
        stage = state.view().shown.key(),
        running = state.is_running(),
        overlay = ?state.view().overlay,
        says = ?state.view().message,
        "state"
    );
    let mut refused = None;
    let has_news = effects.iter().any(|effect| matches!(effect, Effect::Report(_)));
    for effect in effects {
        tracing::debug!("effect {}", asked(&effect));
        front.asked(&effect);
        match effect {
            Effect::Exit => return Ok(Some(Ended::Finished)),
            Effect::StartOver => return Ok(Some(Ended::StartOver)),
            Effect::Report(report) => front.report(state, &report)?,
            Effect::Copy(text) => front.copy(&text)?,
            Effect::OpenShell if handler.is_some() => refused = front.open_shell(state)?,
            Effect::Edit(_) if handler.is_some() => refused = front.open_editor(state)?,
            effect => {
                if let Some(handler) = handler {
                    handler.perform(effect);
                }
            }
        }
    }
    if has_news {
        refresh(handler, state);
    }
    handler.into_iter().for_each(|handler| handler.report(state));
    match refused {
        Some(event) => handle(state, handler, front, event),
        None => Ok(None),
    }
}

/// Names an event in the debug log; of what a person types it says nothing, and of a response no more than its call.
fn named(event: &Event) -> String {
    match event {
        Event::Intent(Intent::TypeDigit(_)) => "TypeDigit".to_owned(),
        Event::CallFinished { id, .. } => format!("CallFinished {}", id.0),
        Event::Inspected { serial, .. } => format!("Inspected {serial}"),
        Event::Traced(asked) => format!("Traced {}", asked.len()),
        Event::ResponsesLoaded { stage, found } => {
            format!("ResponsesLoaded {}: {}", stage.key(), matches!(found, Ok(Some(_))))
        }
        event => format!("{event:?}"),
    }
}

/// Names an effect in the debug log.
fn asked(effect: &Effect) -> String {
    match effect {
        Effect::Call { id, identity, operation } => {
            format!("Call {} {} {}:{}", id.0, identity.name(), operation.service().prefix(), operation.name())
        }
        Effect::Report(Report::Started(stage)) => format!("Report: {} started", stage.key()),
        Effect::Report(Report::Call(exchange)) => {
            format!("Report: {} {} {}", exchange.identity.name(), exchange.operation.name(), exchange.verdict.key())
        }
        Effect::Report(Report::Stage(stage, check)) => format!("Report: {} {check:?}", stage.key()),
        Effect::Trace(requests) => format!("Trace {}", requests.len()),
        Effect::CacheResponses(_) => "CacheResponses".to_owned(),
        Effect::Save(_) => "Save".to_owned(),
        Effect::Copy(_) => "Copy".to_owned(),
        Effect::Export(_) => "Export".to_owned(),
        effect => format!("{effect:?}"),
    }
}

/// How a lab ends early under a front that cleans up.
#[derive(Debug, Default)]
struct Stop {
    /// The first signal.
    signal: Option<u8>,
    /// Whether the lab was told to clean up and quit.
    is_leaving: bool,
}

impl Stop {
    fn ended_by(&self, signal: u8) -> Ended {
        Ended::Signal(self.signal.unwrap_or(signal))
    }

    /// After a signal or a failure: ends the lab if nothing is left behind, else cleans up first, once.
    fn leave<F: Front>(&mut self, state: &State, front: &mut F) -> Option<Arrival> {
        if !F::CLEANS_UP || (self.signal.is_none() && !front.has_failed(state)) {
            return None;
        }
        if state.leftovers().is_empty() {
            // A clean-up under way goes to its end and reports it.
            let is_cleaning_up = state.current() == Stage::CleanUp && state.is_running();
            return (!is_cleaning_up).then_some(Arrival::End(Ended::Finished));
        }
        if std::mem::replace(&mut self.is_leaving, true) {
            return None;
        }
        front.leaving();
        Some(Arrival::Event(Event::Intent(Intent::CleanUpAndQuit)))
    }
}
