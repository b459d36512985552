//! Records the lab without a terminal, in a time of its own: nobody waits where a picture only stays. What a call takes
//! is what it really took; with a seed it is a fixed time, so that a recording repeats.

use std::io;
use std::time::Duration;

use crossterm::event::KeyCode;
use futures_util::{Stream, StreamExt};
use ratatui::buffer::Buffer;
use ratatui::layout::Size;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc2822;
use tokio::sync::mpsc::UnboundedReceiver;
use tokio::time::Instant;

use super::live::{area, bytes, key};
use super::play::{Cue, Director};
use super::world::{Rest, World};
use super::{Ended, TICK};
use crate::lab::{CallId, Effect, Event, Intent, Operation, State, TimerId, Wire};
use crate::record::Recorder;
use crate::ui::{self, Lane, Theme, card};

/// A thing that the world has been asked for.
struct Asked {
    what: What,
    /// In the recording's time.
    sent: Duration,
    since: Instant,
    /// How long it takes with a seed.
    fixed: Duration,
    /// When it has arrived, and what.
    arrived: Option<(Duration, Event)>,
}

#[derive(PartialEq)]
enum What {
    Call(CallId),
    Timer(TimerId),
    Finding(u64),
    /// Arrived without being waited for.
    Other,
}

/// Where the lab is recorded.
pub struct Studio<'a> {
    /// Performs effects.
    pub world: &'a World,
    /// What becomes of them.
    pub events: UnboundedReceiver<Event>,
    /// Who presses the keys.
    pub director: Director,
    /// Takes it in.
    pub recorder: Recorder,
    /// The colours.
    pub theme: Theme,
    /// The last key, and captions.
    pub lane: Lane,
    /// Whether keys are recorded, too.
    pub keys: bool,
    /// The time at which a recording with a seed begins, in seconds since 1970.
    pub seeded: Option<u64>,
    /// Whether a title and an end are recorded.
    pub cards: bool,
}

/// What was recorded.
pub struct Filmed {
    /// Has all of it.
    pub recorder: Recorder,
    /// How long it is.
    pub length: Duration,
    /// How the play ended.
    pub ended: Ended,
    /// Why it ended too early: it can't be written any more, or the play can't go on.
    pub failure: Option<io::Error>,
}

impl<'a> Studio<'a> {
    /// Plays the lab to its end, or until a signal's number comes from `stop`.
    pub async fn film(self, state: &mut State, mut stop: impl Stream<Item = u8> + Unpin) -> Filmed {
        let now = || u64::try_from(OffsetDateTime::now_utc().unix_timestamp()).unwrap_or(0);
        let mut take = Take {
            begun: self.seeded.unwrap_or_else(now),
            studio: self,
            asked: Vec::new(),
            clock: Duration::ZERO,
            hidden: Duration::ZERO,
            failure: None,
        };
        if take.studio.cards {
            let title = card::title(state, &take.studio.theme, take.size());
            take.card(&title);
            take.clock += take.studio.director.title();
        }
        let mut stopped = None;
        let mut is_leaving = false;
        let ended = loop {
            take.see(state);
            // Whatever ends it early, nothing is to be left behind.
            if (stopped.is_some() || take.failure.is_some()) && !is_leaving {
                if state.leftovers().is_empty() {
                    break Ended::Finished;
                }
                is_leaving = true;
                take.take(state, Event::Intent(Intent::CleanUpAndQuit));
            }
            if take.asked.iter().any(|asked| asked.arrived.is_none()) {
                tokio::select! {
                    biased;
                    Some(signal) = stop.next() => {
                        if stopped.replace(signal).is_some() {
                            break Ended::Finished;
                        }
                    }
                    Some(event) = take.studio.events.recv() => take.arrive(event),
                }
                continue;
            }
            let has_ended = match take.earliest() {
                Some((at, event)) => take.deliver(state, at, event),
                None if is_leaving => true,
                None => match take.studio.director.cue(state, &take.studio.lane, take.clock) {
                    Cue::Press(at, code) => take.press(state, at, code),
                    Cue::End(at) => {
                        take.advance(state, at);
                        true
                    }
                    Cue::Wait | Cue::Person | Cue::Stuck if state.is_asking_for_consent() => break Ended::Refused,
                    Cue::Wait | Cue::Person | Cue::Stuck => {
                        take.failure = Some(io::Error::other("the play can't go on: nothing comes, and no key helps"));
                        false
                    }
                },
            };
            if has_ended {
                break Ended::Finished;
            }
        };
        let ended = stopped.map_or(ended, Ended::Signal);
        if take.studio.cards && ended == Ended::Finished && take.failure.is_none() {
            let end = card::end(state, &take.studio.theme, take.size());
            take.card(&end);
            take.clock += take.studio.director.end();
        }
        Filmed { length: take.at(), recorder: take.studio.recorder, ended, failure: take.failure }
    }
}

/// A play under way.
struct Take<'a> {
    studio: Studio<'a>,
    asked: Vec<Asked>,
    /// In seconds since 1970.
    begun: u64,
    clock: Duration,
    /// How much of the clock has gone by without being recorded.
    hidden: Duration,
    /// Why it can't be recorded any more; the recorder takes nothing in after that.
    failure: Option<io::Error>,
}

impl Take<'_> {
    fn size(&self) -> Size {
        self.studio.recorder.size()
    }

    /// Now, in the recording's time.
    fn at(&self) -> Duration {
        self.clock.saturating_sub(self.hidden)
    }

    /// The first failure is the one to tell.
    fn note(&mut self, recorded: io::Result<()>) {
        self.failure = self.failure.take().or(recorded.err());
    }

    fn card(&mut self, card: &Buffer) {
        let recorded = self.studio.recorder.see(self.at(), None, card);
        self.note(recorded);
    }

    fn see(&mut self, state: &State) {
        if self.studio.director.is_on(state) {
            let picture = ui::render_with(state, &self.studio.theme, &self.studio.lane, self.size());
            let recorded = self.studio.recorder.see(self.at(), Some(state), &picture);
            self.note(recorded);
        }
    }

    /// Sets the clock to `at`; where nothing is shown, the recording does not notice.
    fn advance(&mut self, state: &State, at: Duration) {
        let at = at.max(self.clock);
        if !self.studio.director.is_on(state) {
            self.hidden += at - self.clock;
        }
        self.clock = at;
    }

    fn press(&mut self, state: &mut State, at: Duration, code: KeyCode) -> bool {
        self.advance(state, at);
        let area = area(self.size());
        let key = key(code);
        self.studio.lane.press(ui::keys::named(key, state, area));
        if let Some(typed) = bytes(key).filter(|_| self.studio.keys && self.studio.director.is_on(state)) {
            let recorded = self.studio.recorder.input(self.at(), &typed);
            self.note(recorded);
        }
        let intent = ui::keys::intent(key, state, area);
        self.studio.director.pressed(state, code, self.clock);
        intent.is_some_and(|intent| self.take(state, Event::Intent(intent)))
    }

    /// Delivers what has arrived at `at`, after the waiting signs until then.
    fn deliver(&mut self, state: &mut State, at: Duration, event: Event) -> bool {
        while state.is_running() && self.clock + TICK < at {
            self.advance(state, self.clock + TICK);
            if self.take(state, Event::Tick) {
                return true;
            }
            self.see(state);
        }
        self.advance(state, at);
        self.take(state, event)
    }

    /// Takes `event` in; says whether the lab has ended.
    fn take(&mut self, state: &mut State, event: Event) -> bool {
        let copy = self.studio.recorder.is_log().then(|| event.clone());
        let effects = state.update(event);
        if let Some(logged) = copy.and_then(|event| state.logged(&event)) {
            let recorded = self.studio.recorder.happened(self.at(), logged);
            self.note(recorded);
        }
        let mut has_ended = false;
        for effect in effects {
            let asked = match &effect {
                Effect::Call { id, operation, .. } => Some((What::Call(*id), plausible(operation, *id))),
                Effect::Advance { timer, .. } => Some((What::Timer(*timer), Duration::from_millis(1))),
                Effect::After { timer, millis } => Some((What::Timer(*timer), Duration::from_millis(*millis))),
                Effect::Inspect { serial, .. } => Some((What::Finding(*serial), Duration::from_millis(2))),
                _ => None,
            };
            if let Some((what, fixed)) = asked {
                self.asked.push(Asked { what, sent: self.clock, since: Instant::now(), fixed, arrived: None });
            }
            has_ended |= matches!(self.studio.world.perform(effect), Rest::Exit | Rest::StartOver);
        }
        has_ended
    }

    fn arrive(&mut self, event: Event) {
        let what = match &event {
            Event::CallFinished { id, .. } => What::Call(*id),
            Event::TimerFired(timer) | Event::Advanced { timer, .. } => What::Timer(*timer),
            Event::Inspected { serial, .. } => What::Finding(*serial),
            _ => What::Other,
        };
        let now = self.clock;
        let is_seeded = self.studio.seeded.is_some();
        match self.asked.iter_mut().find(|asked| asked.what == what) {
            Some(asked) => {
                let takes = if is_seeded { asked.fixed } else { asked.since.elapsed() };
                let at = asked.sent + takes;
                asked.arrived = Some((at, event));
                if let Some((_, Event::CallFinished { answer, .. })) = &mut asked.arrived {
                    // The screen tells how long ago something was: as long as in the film.
                    answer.at = self.begun + at.as_secs();
                    if is_seeded {
                        answer.duration_us = u64::try_from(takes.as_micros()).unwrap_or(u64::MAX);
                        steady(&mut answer.wire, answer.at);
                    }
                }
            }
            None => self.asked.push(Asked {
                what,
                sent: now,
                since: Instant::now(),
                fixed: Duration::ZERO,
                arrived: Some((now, event)),
            }),
        }
    }

    /// What arrives next.
    fn earliest(&mut self) -> Option<(Duration, Event)> {
        let times = self.asked.iter().enumerate().filter_map(|(index, asked)| Some((asked.arrived.as_ref()?.0, index)));
        let (_, index) = times.min()?;
        self.asked.remove(index).arrived
    }
}

/// How long a call takes in a recording that repeats: about what it takes on the sandbox.
fn plausible(operation: &Operation, id: CallId) -> Duration {
    let micros = match operation.name() {
        "CreateTable" => 3_100,
        "CreateKey" | "CreateUser" => 2_400,
        "Scan" => 1_700,
        _ => 1_200,
    };
    Duration::from_micros(micros + id.0 * 137 % 500)
}

/// Takes out of messages what no seed makes repeat: the port, times other than the film's, and the client's own ids.
fn steady(wire: &mut Wire, at: u64) {
    let at = i64::try_from(at).ok().and_then(|at| OffsetDateTime::from_unix_timestamp(at).ok());
    let at = at.unwrap_or(OffsetDateTime::UNIX_EPOCH);
    let date = at.format(&Rfc2822).unwrap_or_default().replace("+0000", "GMT");
    let (year, month, day) = at.to_calendar_date();
    let (hour, minute, second) = at.to_hms();
    let amz_date = format!("{year:04}{:02}{day:02}T{hour:02}{minute:02}{second:02}Z", u8::from(month));
    let headers = [
        ("host:", "127.0.0.1:4599"),
        ("date:", date.as_str()),
        ("x-amz-date:", amz_date.as_str()),
        ("amz-sdk-invocation-id:", "00000000-0000-4000-8000-000000000000"),
        ("amz-sdk-request:", "attempt=1; max=3"),
        ("user-agent:", "aws-sdk-rust"),
        ("x-amz-user-agent:", "aws-sdk-rust"),
        ("authorization:", "AWS4-HMAC-SHA256 [redacted]"),
    ];
    for message in [&mut wire.request, &mut wire.response] {
        let lines = message.split_inclusive('\n').map(|line| {
            let lower = line.to_ascii_lowercase();
            match headers.iter().find(|(name, _)| lower.starts_with(name)) {
                Some((name, value)) => {
                    let end = if line.ends_with("\r\n") { "\r\n" } else { "\n" };
                    format!("{} {value}{end}", &line[..name.len()])
                }
                None => line.to_owned(),
            }
        });
        *message = lines.collect();
    }
}
