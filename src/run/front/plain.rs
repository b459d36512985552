//! The lab as a dialogue in lines, `--plain`: for screen readers, dumb terminals and pipes. A line that is typed
//! becomes intents; `ui::plain` has the texts.

use std::collections::{BTreeMap, VecDeque};
use std::io::{self, BufRead, Read, Write};
use std::time::Duration;

use futures_util::{Stream, stream};
use tokio::sync::mpsc::{UnboundedReceiver, channel};
use tokio::time::Instant;

use crate::lab::{
    Call, Copied, Effect, Event, Exchange, Identity, Intent, Overlay, Page, Permit, Report, Stage, State,
};
use crate::run::driver::{self, Arrival, Ended, Front};
use crate::run::effects::EffectHandler;
use crate::run::inputs::{Came, Inputs, Wanted};
use crate::ui::{self, plain};

/// The longest line that is read as one. Nothing that means something here is longer.
const LONGEST: u64 = 1_000;

/// How long it is quiet while calls are under way before a word is said.
const QUIET: Duration = Duration::from_secs(5);

/// The lines of `from`, read by a thread of its own, which waits until a line is wanted: whatever has been typed or
/// piped ahead stays where it is.
///
/// # Errors
/// When there can be no thread.
pub fn input(from: impl Read + Send + 'static) -> io::Result<impl Stream<Item = io::Result<String>> + Unpin> {
    let (sender, mut receiver) = channel(1);
    std::thread::Builder::new().name("kmslab-input".to_owned()).spawn(move || {
        let mut from = io::BufReader::new(from);
        loop {
            let mut line = Vec::new();
            let read = from.by_ref().take(LONGEST).read_until(b'\n', &mut line);
            let line = match read {
                Ok(0) => return,
                Ok(_) => Ok(String::from_utf8_lossy(&line).into_owned()),
                Err(error) => Err(error),
            };
            let failed = line.is_err();
            if sender.blocking_send(line).is_err() || failed {
                return;
            }
        }
    })?;
    Ok(stream::poll_fn(move |context| receiver.poll_recv(context)))
}

/// Runs the lab with a person who writes `input` and reads `out`, until that person leaves, the input ends, or a
/// signal's number comes from `stop`. `state` is up to date whatever ends it.
///
/// # Errors
/// If the input can't be read, or `out` can't be written.
pub async fn run<W: Write>(
    state: &mut State,
    effects: &EffectHandler,
    events: UnboundedReceiver<Event>,
    input: impl Stream<Item = io::Result<String>> + Unpin,
    out: &mut Out<W>,
    stop: impl Stream<Item = u8> + Unpin,
) -> io::Result<Ended> {
    let mut talk = Talk {
        out,
        shown: None,
        overlay: None,
        is_draft: false,
        hints: 0,
        message: None,
        told: BTreeMap::new(),
        wanted: VecDeque::new(),
        is_asked: false,
        is_inquiring: false,
        has_news: false,
        last_word: Instant::now(),
    };
    talk.line(plain::GREETING)?;
    talk.heading(state)?;
    driver::run(state, Some(effects), &mut talk, Inputs::new(events, input, stop)).await
}

/// Where the lines go.
pub struct Out<W> {
    /// What takes their bytes.
    pub to: W,
    /// Whether it shows only ASCII.
    pub ascii: bool,
}

struct Talk<'a, W> {
    out: &'a mut Out<W>,
    /// The stage of the last heading.
    shown: Option<Stage>,
    /// What lay over it when something was written last.
    overlay: Option<Overlay>,
    /// Whether the held batch was written.
    is_draft: bool,
    /// The number of that stage's hints that were written.
    hints: usize,
    message: Option<String>,
    /// The last sentence about each call: of a call that is repeated until something changes, only changes are written.
    told: BTreeMap<(&'static str, &'static str), String>,
    /// The intents of the last line that are still to come.
    wanted: VecDeque<Intent>,
    /// Whether the prompt is the last thing that was written.
    is_asked: bool,
    /// Whether a page or a recorded response is looked for.
    is_inquiring: bool,
    /// Whether an event may have changed something that isn't written yet.
    has_news: bool,
    last_word: Instant,
}

impl<W: Write> Front for Talk<'_, W> {
    type Input = String;

    async fn show(&mut self, state: &State) -> io::Result<()> {
        // After something new, the question is asked again.
        if std::mem::take(&mut self.has_news) && !self.is_inquiring && self.news(state)? {
            self.is_asked = false;
        }
        Ok(())
    }

    async fn next(&mut self, state: &State, inputs: &mut Inputs<'_, String>) -> io::Result<Arrival> {
        if let Some(intent) = self.wanted.pop_front() {
            return Ok(Arrival::Event(Event::Intent(intent)));
        }
        // Lines are read only when something is asked: an answer typed ahead must meet its own question.
        let is_busy = state.is_running() || self.is_inquiring;
        if !is_busy && !std::mem::replace(&mut self.is_asked, true) {
            self.line(plain::prompt(state))?;
        }
        let wanted = Wanted { input: !is_busy, ticks: true, ..Wanted::default() };
        Ok(match inputs.next(state, wanted).await {
            Came::Signal(signal) => Arrival::Signal(signal),
            Came::Event(event) => Arrival::Event(event),
            // Nobody can be asked any more; what is left behind is reported at the end, as always.
            Came::Input(None) => Arrival::End(Ended::Finished),
            Came::Input(Some(line)) => {
                self.is_asked = false;
                self.wanted = self.answer(line?.trim(), state)?.into();
                Arrival::Redraw
            }
            Came::Tick => {
                if self.last_word.elapsed() >= QUIET {
                    self.last_word = Instant::now();
                    self.line(plain::waiting(state))?;
                }
                Arrival::Event(Event::Tick)
            }
            Came::Urgent | Came::Due | Came::Second => Arrival::Redraw,
        })
    }

    fn keeps_events(&self) -> bool {
        true
    }

    fn happened(&mut self, state: &State, event: Event) -> io::Result<()> {
        if event != Event::Tick {
            self.last_word = Instant::now();
        }
        self.is_inquiring &= !matches!(event, Event::Inspected { .. } | Event::ResponsesLoaded { .. });
        self.has_news = true;
        self.heading(state)
    }

    fn asked(&mut self, effect: &Effect) {
        self.is_inquiring |= matches!(effect, Effect::Inspect { .. } | Effect::LoadResponses { .. });
    }

    fn report(&mut self, state: &State, report: &Report) -> io::Result<()> {
        match report {
            Report::Started(_) => {
                self.told.clear();
                Ok(())
            }
            Report::Call(exchange) => self.call(exchange),
            Report::Stage(stage, check) => self.lines(plain::ended(state, *stage, check)),
        }
    }
}

impl<W: Write> Talk<'_, W> {
    fn line(&mut self, text: impl AsRef<str>) -> io::Result<()> {
        let text = ui::clean(text.as_ref());
        let text = if self.out.ascii { ui::spelt(&text) } else { text };
        writeln!(self.out.to, "{text}")?;
        self.out.to.flush()
    }

    fn lines(&mut self, lines: Vec<String>) -> io::Result<()> {
        lines.into_iter().try_for_each(|line| self.line(line))
    }

    /// Tells of the shown stage, where it is another one.
    fn heading(&mut self, state: &State) -> io::Result<()> {
        if self.shown == Some(state.view().shown) {
            return Ok(());
        }
        self.shown = Some(state.view().shown);
        self.hints = state.hints().len();
        self.told.clear();
        self.lines(plain::stage(state))
    }

    fn call(&mut self, exchange: &Exchange) -> io::Result<()> {
        let sentence = plain::call(exchange);
        let of = (exchange.identity.name(), exchange.operation.name());
        let known = self.told.insert(of, sentence.clone());
        if exchange.attempt > 1 && known.as_ref() == Some(&sentence) { Ok(()) } else { self.line(sentence) }
    }

    /// Tells what else has changed, and says whether anything has.
    fn news(&mut self, state: &State) -> io::Result<bool> {
        let mut is_new = false;
        let hints = state.hints().len();
        if hints > self.hints {
            self.lines(plain::hint(state).into_iter().collect())?;
            is_new = true;
        }
        self.hints = hints;
        let before = std::mem::replace(&mut self.overlay, state.view().overlay);
        let opened = match (before, state.view().overlay) {
            (before, now) if before == now => Vec::new(),
            (_, Some(Overlay::Page { page: Page::Debrief, .. })) => plain::debrief(state),
            (_, Some(Overlay::Page { page: page @ (Page::Why | Page::AtRest | Page::Trail), .. })) => {
                plain::page(state, page)
            }
            (_, Some(Overlay::Quit)) => plain::leaving(state),
            (_, Some(Overlay::Consent { wrong: true, .. })) => vec![plain::WRONG_DIGITS.to_owned()],
            (Some(Overlay::Consent { .. }), Some(Overlay::Consent { .. })) => Vec::new(),
            (_, Some(Overlay::Consent { .. })) => plain::consent(state),
            _ => Vec::new(),
        };
        is_new |= !opened.is_empty();
        self.lines(opened)?;
        let is_draft = state.held().is_some();
        if is_draft && !self.is_draft {
            self.lines(plain::draft(state))?;
            is_new = true;
        }
        self.is_draft = is_draft;
        let message = state.view().message.clone().or_else(|| state.offer());
        if message != self.message {
            if let Some(message) = &message {
                self.line(plain::remark(message))?;
                is_new = true;
            }
            self.message = message;
        }
        Ok(is_new)
    }

    /// Returns what `line` asks for. Prints the replies that need no event.
    fn answer(&mut self, line: &str, state: &State) -> io::Result<Vec<Intent>> {
        let command = line.to_lowercase();
        let page = state.view().page().is_some().then_some(Intent::Close);
        let intents = match state.view().overlay {
            Some(Overlay::Consent { .. }) => consent(&command),
            Some(Overlay::Quit) => match command.as_str() {
                "c" => Some(vec![Intent::CleanUpAndQuit]),
                "q" => Some(vec![Intent::Quit]),
                "s" | "stay" | "no" => Some(vec![Intent::Close]),
                _ => None,
            },
            _ => match intent(&command, state) {
                // A page that was told lies over the stage still.
                Some(intents) => Some(page.into_iter().chain(intents).collect()),
                None => return self.tell(&command, state).map(|()| Vec::new()),
            },
        };
        match intents {
            Some(intents) => Ok(intents),
            None => self.means_nothing(&command).map(|()| Vec::new()),
        }
    }

    fn means_nothing(&mut self, command: &str) -> io::Result<()> {
        match command {
            "" => self.line("Please answer first."),
            other => self.line(format!("{other:?} does nothing here. Type ? for the commands.")),
        }
    }

    /// Tells what was asked for.
    fn tell(&mut self, command: &str, state: &State) -> io::Result<()> {
        match command {
            "?" | "help" => self.lines(plain::help(state)),
            "i" => self.lines(plain::lesson(state)),
            "o" if state.comparison().is_some() => self.lines(plain::comparison(state)),
            "o" => self.line("Nothing to compare in this stage."),
            "l" | "stages" => self.lines(plain::stages(state)),
            "y" => {
                let line = state.to_copy(Copied::Command).unwrap_or_else(|| "There is no call to copy yet.".to_owned());
                self.line(line)
            }
            "v" => self.lines(plain::responses(state, false)),
            "v all" => self.lines(plain::responses(state, true)),
            "again" => {
                self.shown = None;
                self.heading(state)
            }
            "" if state.waits_for_answer() => self.line("Answer first, or type s to skip."),
            other => self.means_nothing(other),
        }
    }
}

/// Consent is four digits and nothing else.
fn consent(command: &str) -> Option<Vec<Intent>> {
    let digits: Option<Vec<u8>> =
        command.chars().map(|c| c.to_digit(10).and_then(|digit| u8::try_from(digit).ok())).collect();
    match digits {
        Some(digits) if digits.len() == 4 => Some(digits.into_iter().map(Intent::TypeDigit).collect()),
        _ if matches!(command, "no" | "n" | "q") => Some(vec![Intent::Close]),
        _ => None,
    }
}

/// What a line asks for, if that is allowed now.
const COMMANDS: [(&[&str], Intent); 15] = [
    (&["1", "a"], Intent::Choose(0)),
    (&["2", "b"], Intent::Choose(1)),
    (&["3", "c"], Intent::Choose(2)),
    (&["4", "d"], Intent::Choose(3)),
    (&[""], Intent::Advance),
    (&["s", "skip"], Intent::Skip),
    (&["h", "hint"], Intent::Hint),
    (&["r"], Intent::Retry),
    (&["f"], Intent::ToggleReplay),
    (&["n"], Intent::ShowNext),
    (&["p"], Intent::ShowPrevious),
    (&["no"], Intent::Close),
    (&["e"], Intent::TogglePage(Page::AtRest)),
    (&["t"], Intent::TogglePage(Page::Trail)),
    (&["q", "quit"], Intent::Quit),
];

/// Returns what `command` does; `None` where it only asks for a text, or has no meaning now.
fn intent(command: &str, state: &State) -> Option<Vec<Intent>> {
    if matches!(command, "w" | "w admin" | "w test-user") {
        return why(command, state);
    }
    let (_, intent) = COMMANDS.into_iter().find(|(words, _)| words.contains(&command))?;
    (state.permit_behind_page(intent) == Permit::Yes).then(|| vec![intent])
}

/// Why a call was decided as it was: of the identity that is named, else of the one that was denied.
fn why(command: &str, state: &State) -> Option<Vec<Intent>> {
    let is_denied = |identity: &Identity| {
        let calls = state.calls(*identity);
        let shown = state.selected(*identity).and_then(|at| calls.get(at));
        matches!(shown, Some(Call::Answered(exchange)) if exchange.verdict.key() == "denied")
    };
    let wanted = match command.strip_prefix("w ") {
        Some(name) => Identity::BOTH.into_iter().find(|identity| identity.name() == name),
        None => Identity::BOTH.into_iter().find(is_denied),
    };
    let other = wanted.is_some_and(|identity| identity != state.view().focus()).then_some(Intent::FocusOther);
    Some(other.into_iter().chain([Intent::TogglePage(Page::Why)]).collect())
}
