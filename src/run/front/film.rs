//! A recording without a terminal, on a virtual clock: pauses cost nothing. A call takes as long as it really took;
//! with a seed it takes a fixed time, so that the recording repeats.

use std::io;
use std::time::Duration;

use crossterm::event::KeyCode;
use futures_util::Stream;
use ratatui::buffer::Buffer;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc2822;
use tokio::sync::mpsc::UnboundedReceiver;
use tokio::time::Instant;

use crate::lab::log::Logged;
use crate::lab::reading::{new_words, spoken};
use crate::lab::{CallId, Effect, Event, Mode, Operation, Pace, State, TimerId, Wire};
use crate::record::{Caption, Recorder};
use crate::run::autoplay::{Autoplay, Cue};
use crate::run::director::{Director, Move, Shown};
use crate::run::driver::{self, Arrival, Ended, Front};
use crate::run::effects::EffectHandler;
use crate::run::inputs::{Came, Inputs, TICK, Wanted};
use crate::run::presentation::{area, bytes, key};
use crate::ui::desk::Typist;
use crate::ui::film::{self as screens, Scene, Take};
use crate::ui::{self, KeyCast, Theme, card, layout};

/// Where the lab is recorded.
pub struct OfflineRecorder<'a> {
    /// Performs effects.
    pub world: &'a EffectHandler,
    /// What becomes of them.
    pub events: UnboundedReceiver<Event>,
    /// What is filmed.
    pub play: Play,
    /// How long it stays.
    pub tempo: Tempo,
    /// Takes it in.
    pub recorder: Recorder,
    /// The colors.
    pub theme: Theme,
    /// The last key, and captions.
    pub key_cast: KeyCast,
    /// Whether keys are recorded, too.
    pub keys: bool,
    /// The time at which a recording with a seed begins, in seconds since 1970.
    pub seeded: Option<u64>,
    /// Whether a title and an end are recorded.
    pub cards: bool,
}

/// What is filmed.
pub enum Play {
    /// The learner's screen.
    Learner(Autoplay),
    /// A film's own screens.
    Film {
        /// Says which.
        director: Box<Director>,
        /// Whether captions are in the picture.
        captions: bool,
    },
}

/// How long screens stay.
#[derive(Debug, Clone, Copy)]
pub struct Tempo {
    /// How fast a viewer reads.
    pub pace: Pace,
    /// How many times as fast, in percent.
    pub percent: u32,
}

impl Tempo {
    /// The cue, with its pause scaled.
    fn cue(self, cue: Cue, now: Duration) -> Cue {
        let at =
            |at: Duration| now + self.scaled(u64::try_from(at.saturating_sub(now).as_millis()).unwrap_or(u64::MAX));
        match cue {
            Cue::Press(when, key) => Cue::Press(at(when), key),
            Cue::End(when) => Cue::End(at(when)),
            other => other,
        }
    }

    fn scaled(self, millis: u64) -> Duration {
        Duration::from_millis(millis.saturating_mul(100) / u64::from(self.percent.max(1)))
    }
}

/// What was recorded.
pub struct Filmed {
    /// What each screen says, with its times.
    pub captions: Vec<Caption>,
    /// Has all of it.
    pub recorder: Recorder,
    /// How long it is.
    pub length: Duration,
    /// How the play ended.
    pub ended: Ended,
    /// Why it ended too early: it can't be written any more, or the play can't go on.
    pub failure: Option<io::Error>,
}

impl OfflineRecorder<'_> {
    /// Plays the lab to its end, or until a signal's number comes from `stop`.
    pub async fn film(self, state: &mut State, stop: impl Stream<Item = u8> + Unpin) -> Filmed {
        let OfflineRecorder { world, events, play, tempo, recorder, theme, key_cast, keys, seeded, cards } = self;
        let now = || u64::try_from(OffsetDateTime::now_utc().unix_timestamp()).unwrap_or(0);
        let mut film = Film {
            play,
            tempo,
            read: String::new(),
            captions: Vec::new(),
            typist: Typist::default(),
            recorder,
            theme,
            key_cast,
            keys,
            is_seeded: seeded.is_some(),
            begun: seeded.unwrap_or_else(now),
            asked: Vec::new(),
            clock: Duration::ZERO,
            hidden: Duration::ZERO,
            failure: None,
            is_leaving: false,
        };
        if cards {
            let title = card::title(state, &film.theme, film.recorder.size());
            film.card(&title);
        }
        let ended = driver::run(state, Some(world), &mut film, Inputs::unattended(events, stop)).await;
        let ended = ended.unwrap_or_else(|error| {
            film.note(Err(error));
            Ended::Finished
        });
        if cards && ended == Ended::Finished && film.failure.is_none() {
            let end = card::end(state, &film.theme, film.recorder.size());
            film.card(&end);
        }
        let (length, captions) = (film.at(), film.captions);
        Filmed { captions, length, recorder: film.recorder, ended, failure: film.failure }
    }
}

/// A request to the runtime, on the recording's clock.
struct Asked {
    what: What,
    /// When it was sent.
    sent: Duration,
    since: Instant,
    /// How long it takes with a seed.
    fixed: Duration,
    /// When the response arrives, and the event it arrives as.
    arrived: Option<(Duration, Event)>,
}

#[derive(PartialEq)]
enum What {
    Call(CallId),
    Timer(TimerId),
    Finding(u64),
    /// Of the first request.
    Trace(Option<String>),
    /// Arrives unasked.
    Other,
}

/// A recording under way.
struct Film {
    play: Play,
    tempo: Tempo,
    /// The text of the newest screen that was held.
    read: String,
    captions: Vec<Caption>,
    /// Writes in the editor.
    typist: Typist,
    recorder: Recorder,
    theme: Theme,
    key_cast: KeyCast,
    /// Whether keys are recorded, too.
    keys: bool,
    is_seeded: bool,
    /// When it began, in seconds since 1970.
    begun: u64,
    asked: Vec<Asked>,
    clock: Duration,
    /// How much of the clock isn't recorded.
    hidden: Duration,
    /// Why it can't be recorded any more, or can't go on. The recorder takes nothing in after that.
    failure: Option<io::Error>,
    is_leaving: bool,
}

impl Front for Film {
    type Input = ();

    const CLEANS_UP: bool = true;

    async fn show(&mut self, state: &State) -> io::Result<()> {
        if let Play::Learner(autoplay) = &mut self.play
            && autoplay.is_on(state)
        {
            let size = self.recorder.size();
            let frame = ui::render_with(state, &self.theme, &self.key_cast, size);
            autoplay.saw(ui::contents(&frame), layout::has_more(state, area(size)));
            let recorded = self.recorder.see(self.at(), Some(state), &frame);
            self.note(recorded);
        }
        Ok(())
    }

    async fn next(&mut self, state: &State, inputs: &mut Inputs<'_, ()>) -> io::Result<Arrival> {
        while self.asked.iter().any(|asked| asked.arrived.is_none()) {
            match inputs.next(state, Wanted::default()).await {
                Came::Signal(signal) => return Ok(Arrival::Signal(signal)),
                Came::Event(event) => self.arrive(event),
                _ => {}
            }
        }
        if let Some(event) = self.deliver(state) {
            return Ok(Arrival::Event(event));
        }
        if self.is_leaving {
            return Ok(Arrival::End(Ended::Finished));
        }
        Ok(match self.cue(state) {
            Cue::Press(at, code) => self.press(state, at, code),
            Cue::End(at) => {
                self.advance(state, at);
                Arrival::End(Ended::Finished)
            }
            Cue::Wait | Cue::Person | Cue::Stuck if state.is_asking_for_consent() => Arrival::End(Ended::Refused),
            Cue::Wait | Cue::Person | Cue::Stuck => {
                let stuck = || io::Error::other("the play can't go on: nothing comes, and no key helps");
                self.failure.get_or_insert_with(stuck);
                Arrival::Redraw
            }
        })
    }

    fn keeps_events(&self) -> bool {
        self.recorder.is_log()
    }

    fn happened(&mut self, state: &State, event: Event) -> io::Result<()> {
        if let Some(logged) = Logged::of(state, &event) {
            let recorded = self.recorder.happened(self.at(), logged);
            self.note(recorded);
        }
        Ok(())
    }

    fn asked(&mut self, effect: &Effect) {
        let (what, fixed) = match effect {
            Effect::Call { id, operation, .. } => (What::Call(*id), plausible(operation, *id)),
            Effect::Advance { timer, .. } => (What::Timer(*timer), Duration::from_millis(1)),
            Effect::After { timer, millis } => (What::Timer(*timer), Duration::from_millis(*millis)),
            Effect::Trace(requests) => (What::Trace(requests.first().cloned()), Duration::from_millis(2)),
            Effect::Inspect { serial, .. } => (What::Finding(*serial), Duration::from_millis(2)),
            _ => return,
        };
        self.asked.push(Asked { what, sent: self.clock, since: Instant::now(), fixed, arrived: None });
    }

    fn has_failed(&self, _: &State) -> bool {
        self.failure.is_some()
    }

    fn leaving(&mut self) {
        self.is_leaving = true;
    }
}

impl Film {
    /// Who presses the keys of the learner's screen.
    fn autoplay(&self) -> Option<&Autoplay> {
        match &self.play {
            Play::Learner(autoplay) => Some(autoplay),
            Play::Film { .. } => None,
        }
    }

    /// Now, in the recording's time.
    fn at(&self) -> Duration {
        self.clock.saturating_sub(self.hidden)
    }

    /// Keeps the first failure.
    fn note(&mut self, recorded: io::Result<()>) {
        self.failure = self.failure.take().or(recorded.err());
    }

    /// Shows a card as long as its words take.
    fn card(&mut self, card: &Buffer) {
        let text = ui::contents(card);
        let recorded = self.recorder.see(self.at(), None, card);
        self.note(recorded);
        self.clock += self.tempo.scaled(self.tempo.pace.hold(new_words(&self.read, &text)));
        self.read = text;
    }

    /// What comes next. A film's screens are shown meanwhile.
    fn cue(&mut self, state: &State) -> Cue {
        loop {
            let director = match &mut self.play {
                Play::Learner(autoplay) => return self.tempo.cue(autoplay.cue(state, self.clock), self.clock),
                Play::Film { director, .. } => director,
            };
            match director.next(state, self.clock) {
                Move::Show(shown) => self.hold(state, &shown),
                Move::Press(code) => return Cue::Press(self.clock, code),
                Move::Wait => return Cue::Wait,
                Move::End => return Cue::End(self.clock),
                Move::Stuck(why) => {
                    self.failure = self.failure.take().or(why.map(io::Error::other));
                    return Cue::Stuck;
                }
            }
        }
    }

    /// Shows a film's screen as long as its new words take; for somebody who speaks, as long as the caption takes.
    fn hold(&mut self, state: &State, shown: &Shown) {
        let Play::Film { director, captions } = &self.play else { return };
        let Tempo { pace, .. } = self.tempo;
        let route = director.route();
        let take = Take {
            scene: shown.scene,
            caption: Some(shown.caption.as_str()).filter(|caption| *captions && !caption.is_empty()),
            progress: shown.progress,
            title: route.title.as_deref(),
            url: route.url.as_deref(),
        };
        let screen = screens::render(state, &self.theme, self.recorder.size(), &take);
        let text = screen.text();
        let mut millis = pace.hold(new_words(&self.read, &text));
        if pace == Pace::Talk && !route.teaser {
            millis = millis.max(spoken(&shown.caption)) + shown.beat;
        }
        let of_lab = match shown.scene {
            Scene::Shot(shot) => shot.stage().is_some(),
            _ => true,
        };
        let from = self.at();
        let recorded = self.recorder.see(from, Some(state).filter(|_| of_lab), &screen.buffer);
        self.note(recorded);
        self.clock += self.tempo.scaled(millis);
        self.captions.push(Caption { from, to: self.at(), text: shown.caption.clone() });
        // A word in block letters is read again when it is written.
        self.read = ui::contents(&screen.buffer);
    }

    /// Sets the clock to `at`. A film's time passes while it holds a screen, and at no other time: a viewer waits for
    /// nothing. Of the learner's screen only what is shown counts.
    fn advance(&mut self, state: &State, at: Duration) {
        let at = at.max(self.clock);
        if self.autoplay().is_none_or(|autoplay| !autoplay.is_on(state)) {
            self.hidden += at - self.clock;
        }
        self.clock = at;
    }

    fn press(&mut self, state: &State, at: Duration, code: KeyCode) -> Arrival {
        self.advance(state, at);
        let keys = ui::keys::Fit::new(state, area(self.recorder.size()));
        let key = key(code);
        self.key_cast.press(ui::keys::named(key, &keys));
        let is_on = self.autoplay().is_none_or(|autoplay| autoplay.is_on(state));
        if let Some(typed) = bytes(key).filter(|_| self.keys && is_on) {
            let recorded = self.recorder.input(self.at(), &typed);
            self.note(recorded);
        }
        let intent = keys.pressed(key).map(Event::Intent);
        if let Play::Learner(autoplay) = &mut self.play {
            autoplay.pressed(state, code, self.clock);
        }
        let draft = state.attempts().draft().filter(|_| state.mode() == Mode::Writing);
        let event = intent.or_else(|| self.typist.press(key, draft?).map(Event::Edited));
        event.map_or(Arrival::Redraw, Arrival::Event)
    }

    /// Returns the next event in the recording's time: the ticks of the waiting sign come before a response.
    fn deliver(&mut self, state: &State) -> Option<Event> {
        let times = self.asked.iter().enumerate().filter_map(|(index, asked)| Some((asked.arrived.as_ref()?.0, index)));
        let (at, index) = times.min()?;
        if state.is_running() && self.clock + TICK < at {
            self.advance(state, self.clock + TICK);
            return Some(Event::Tick);
        }
        self.advance(state, at);
        self.asked.remove(index).arrived.map(|(_, event)| event)
    }

    fn arrive(&mut self, event: Event) {
        let what = match &event {
            Event::CallFinished { id, .. } => What::Call(*id),
            Event::TimerFired(timer) | Event::Advanced { timer, .. } => What::Timer(*timer),
            Event::Inspected { serial, .. } => What::Finding(*serial),
            Event::Traced(asked) => What::Trace(asked.first().map(|(request, _)| request.clone())),
            _ => What::Other,
        };
        let Some(asked) = self.asked.iter_mut().find(|asked| asked.what == what) else {
            let (sent, fixed) = (self.clock, Duration::ZERO);
            self.asked.push(Asked { what, sent, since: Instant::now(), fixed, arrived: Some((sent, event)) });
            return;
        };
        let takes = if self.is_seeded { asked.fixed } else { asked.since.elapsed() };
        let at = asked.sent + takes;
        let (_, event) = asked.arrived.insert((at, event));
        if let Event::CallFinished { answer, .. } = event {
            // The screen shows how long ago something was: as long as in the film.
            answer.at = self.begun + at.as_secs();
            if self.is_seeded {
                answer.duration_us = u64::try_from(takes.as_micros()).unwrap_or(u64::MAX);
                steady(&mut answer.wire, answer.at);
            }
        }
    }
}

/// The duration of a call in a reproducible recording: about what it takes on the sandbox.
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
