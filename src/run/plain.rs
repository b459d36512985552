//! The lab as a dialogue in lines, `--plain`: for screen readers, dumb terminals and pipes. The same state and the same
//! world as on the screen; a line that is typed becomes an intent, and what comes of it is told.

use std::collections::BTreeMap;
use std::io::{self, BufRead, Read, Write};
use std::time::Duration;

use futures_util::{Stream, StreamExt, stream};
use tokio::sync::mpsc::{UnboundedReceiver, channel};
use tokio::time::Instant;

use super::world::{Rest, World};
use super::{Ended, TICK};
use crate::lab::{
    Call, Copied, Effect, Event, Exchange, Identity, Intent, Overlay, Page, Report, Stage, State, Status,
};
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

/// Goes through the lab with the person who writes `input` and reads `out`, until that person leaves, the input ends,
/// or a signal's number comes from `stop`. `state` is true whatever ends it.
///
/// # Errors
/// When the input can't be read, or `out` can't be written.
pub async fn run<W: Write>(
    state: &mut State,
    world: &World,
    mut events: UnboundedReceiver<Event>,
    mut input: impl Stream<Item = io::Result<String>> + Unpin,
    out: &mut Out<W>,
    mut stop: impl Stream<Item = u8> + Unpin,
) -> io::Result<Ended> {
    let mut talk =
        Talk { out, shown: None, overlay: None, is_draft: false, hints: 0, message: None, told: BTreeMap::new() };
    talk.line("kmslab as plain text. Type ? and Enter for the commands.")?;
    talk.heading(state)?;
    let mut is_asked = false;
    // Whether something is being found out: what a page tells, or what was recorded.
    let mut is_asking = false;
    let mut next_tick = Instant::now() + TICK;
    let mut last_word = Instant::now();
    loop {
        let is_busy = state.is_running() || is_asking;
        if !is_busy && !is_asked {
            talk.prompt(state)?;
            is_asked = true;
        }
        // Lines are taken only where something is asked: an answer typed ahead must meet its own question.
        let arrived = tokio::select! {
            biased;
            Some(signal) = stop.next() => return Ok(Ended::Signal(signal)),
            event = events.recv() => event.into_iter().collect(),
            line = input.next(), if !is_busy => {
                is_asked = false;
                // Nobody is there to be asked any more; what stays is told at the end, as always.
                let Some(line) = line else { return Ok(Ended::Finished) };
                talk.answer(line?.trim(), state)?.into_iter().map(Event::Intent).collect()
            }
            () = tokio::time::sleep_until(next_tick), if state.is_running() => {
                next_tick = Instant::now() + TICK;
                if last_word.elapsed() >= QUIET {
                    last_word = Instant::now();
                    talk.waiting(state)?;
                }
                vec![Event::Tick]
            }
        };
        for event in arrived {
            if event != Event::Tick {
                last_word = Instant::now();
            }
            is_asking &= !matches!(event, Event::Inspected { .. } | Event::Recalled { .. });
            let effects = state.update(event);
            talk.heading(state)?;
            for effect in effects {
                is_asking |= matches!(effect, Effect::Inspect { .. } | Effect::Recall { .. });
                match world.perform(effect) {
                    Rest::Nothing | Rest::Copy(_) => {}
                    Rest::Report(report) => talk.report(state, &report)?,
                    Rest::Exit | Rest::StartOver => return Ok(Ended::Finished),
                }
            }
            // Where something new is said, the question is asked again after it.
            is_asked &= is_asking || !talk.news(state)?;
        }
    }
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
    /// The stage whose heading was told last.
    shown: Option<Stage>,
    /// What lay over it when something was told last.
    overlay: Option<Overlay>,
    /// Whether what waits for a yes was told.
    is_draft: bool,
    /// The hints of that stage that were told.
    hints: usize,
    message: Option<String>,
    /// What was said of a call last: of a call that is repeated until something changes, only changes are told.
    told: BTreeMap<(&'static str, &'static str), String>,
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
        if self.shown == Some(state.view.shown) {
            return Ok(());
        }
        self.shown = Some(state.view.shown);
        self.hints = state.hints().len();
        self.told.clear();
        self.lines(plain::stage(state))
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
        let before = std::mem::replace(&mut self.overlay, state.view.overlay);
        let opened = match (before, state.view.overlay) {
            (before, now) if before == now => Vec::new(),
            (_, Some(Overlay::Page { page: Page::Debrief, .. })) => plain::debrief(state),
            (_, Some(Overlay::Page { page: page @ (Page::Why | Page::AtRest | Page::Trail), .. })) => {
                plain::page(state, page)
            }
            (_, Some(Overlay::Quit)) => plain::leaving(state),
            (_, Some(Overlay::Consent { wrong: true, .. })) => vec!["Those are not its last four digits.".to_owned()],
            (Some(Overlay::Consent { .. }), Some(Overlay::Consent { .. })) => Vec::new(),
            (_, Some(Overlay::Consent { .. })) => plain::consent(state),
            _ => Vec::new(),
        };
        is_new |= !opened.is_empty();
        self.lines(opened)?;
        let is_draft = state.draft().is_some();
        if is_draft && !self.is_draft {
            self.lines(plain::draft(state))?;
            is_new = true;
        }
        self.is_draft = is_draft;
        let message = state.view.message.clone().or_else(|| state.offer());
        if message != self.message {
            if let Some(message) = &message {
                self.line(plain::remark(message))?;
                is_new = true;
            }
            self.message = message;
        }
        Ok(is_new)
    }

    fn waiting(&mut self, state: &State) -> io::Result<()> {
        match state.record(state.current).pending.len() {
            0 => self.line("Waiting before asking again."),
            1 => self.line("Still waiting for the answer to 1 call."),
            calls => self.line(format!("Still waiting for the answers to {calls} calls.")),
        }
    }

    /// Says what is asked, and what may be typed.
    fn prompt(&mut self, state: &State) -> io::Result<()> {
        match state.view.overlay {
            Some(Overlay::Consent { .. }) => {
                let of = if state.is_masked() { "the real account" } else { "the account" };
                self.line(format!("Type the last four digits of {of} to say yes, or no."))
            }
            Some(Overlay::Quit) => self.line("Type c to clean up and then leave, q to leave everything, or s to stay."),
            _ => {
                let next = next(state);
                self.line(format!("{next}, ? for help, q to quit."))
            }
        }
    }

    /// What the person wants who has typed `line`. What only has to be told is told here.
    fn answer(&mut self, line: &str, state: &State) -> io::Result<Vec<Intent>> {
        let command = line.to_lowercase();
        let page = state.view.page().is_some().then_some(Intent::Close);
        let intents = match state.view.overlay {
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
            other => self.line(format!("{other:?} means nothing here.")),
        }
    }

    /// Tells what was asked for.
    fn tell(&mut self, command: &str, state: &State) -> io::Result<()> {
        match command {
            "?" | "help" => self.lines(help(state)),
            "i" => self.lines(plain::lesson(state)),
            "o" if state.comparison().is_some() => self.lines(plain::comparison(state)),
            "o" => self.line("There are no options to compare in this stage."),
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
            "" if state.waits_for_answer() => self.line("First your answer, or s to pass over the question."),
            other => self.means_nothing(other),
        }
    }
}

/// What can be done next, as the beginning of a sentence.
fn next(state: &State) -> String {
    match &state.shown().status {
        Status::Todo => match state.open_question() {
            Some(asked) if asked.is_open() => {
                let hint = if state.has_hint() { ", h for a hint" } else { "" };
                format!("Type 1 to {}, s to skip{hint}", asked.answers.len())
            }
            asked => {
                let yours = asked.and_then(|asked| asked.chosen).map(|at| format!("Your answer is {}. ", at + 1));
                format!("{}Press Enter: {}", yours.unwrap_or_default(), state.text(state.view.shown).action)
            }
        },
        // What runs is not asked about, but for a call that waits to be looked at.
        Status::Running => "Press Enter to send it, or type no to send nothing".to_owned(),
        Status::Done(check) => {
            let onward = match state.view.shown.next() {
                Some(_) => "Press Enter for the next stage",
                None => "Press Enter for what to take home",
            };
            let again = match (state.can_retry(), check.met) {
                (true, true) => ", r to send the calls again",
                (true, false) => ", r to try again",
                (false, _) => "",
            };
            let replay = match (state.can_replay(), state.is_replay()) {
                (false, _) => "",
                (true, false) => ", f for the recorded answers",
                (true, true) => ", f for the live answers again",
            };
            format!("{onward}{again}{replay}")
        }
    }
}

/// Consent is four digits; anything else is none.
fn consent(command: &str) -> Option<Vec<Intent>> {
    let digits: Option<Vec<u8>> =
        command.chars().map(|c| c.to_digit(10).and_then(|digit| u8::try_from(digit).ok())).collect();
    match digits {
        Some(digits) if digits.len() == 4 => Some(digits.into_iter().map(Intent::TypeDigit).collect()),
        _ if matches!(command, "no" | "n" | "q") => Some(vec![Intent::Close]),
        _ => None,
    }
}

/// What a command does where nothing is asked but to go on; `None` for what is only told, and for what means nothing.
fn intent(command: &str, state: &State) -> Option<Vec<Intent>> {
    let answers = state.open_question().map_or(0, |asked| asked.answers.len());
    let place = match command {
        "1" | "a" => Some(0),
        "2" | "b" => Some(1),
        "3" | "c" => Some(2),
        "4" | "d" => Some(3),
        _ => None,
    };
    let one = |intent: Intent| Some(vec![intent]);
    match (command, place) {
        (_, Some(place)) if usize::from(place) < answers => one(Intent::Choose(place)),
        ("", _) if !state.waits_for_answer() => one(Intent::Advance),
        ("s" | "skip", _) if state.waits_for_answer() => one(Intent::Skip),
        ("h" | "hint", _) if state.has_hint() => one(Intent::Hint),
        ("r", _) if state.can_retry() => one(Intent::Retry),
        ("f", _) if state.can_replay() => one(Intent::ToggleReplay),
        ("n", _) if state.next_shown().is_some() => one(Intent::ShowNext),
        ("p", _) if state.view.shown.previous().is_some() => one(Intent::ShowPrevious),
        ("no", _) if state.draft().is_some() => one(Intent::Close),
        ("w" | "w admin" | "w test-user", _) => why(command, state),
        ("e", _) => one(Intent::TogglePage(Page::AtRest)),
        ("t", _) => one(Intent::TogglePage(Page::Trail)),
        ("q" | "quit", _) => one(Intent::Quit),
        _ => None,
    }
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
    let other = wanted.is_some_and(|identity| identity != state.view.focus()).then_some(Intent::FocusOther);
    Some(other.into_iter().chain([Intent::TogglePage(Page::Why)]).collect())
}

fn help(state: &State) -> Vec<String> {
    let mut lines = vec!["Type one of these, then Enter:".to_owned()];
    if state.quiz.asks() {
        lines.push("1 to 4: answer the question. s: pass over it. h: a hint, then another.".to_owned());
    }
    lines.extend(
        [
            "Enter alone: do this stage's action; when it is done, go to the next stage.",
            "r: send the calls again, or go on where it failed.",
            "f: the recorded answers where none came, or the live ones again.",
            "v: the responses as JSON that this stage is about. v all: those of all its calls.",
            "w: why the call was allowed or denied. w admin or w test-user: why that identity's.",
            "e: the table as it lies in the database. t: what KMS was asked. y: the call as an aws command.",
            "i: the lesson, with all answers and sources. o: the choices side by side, where there are some.",
            "n and p: the next or previous stage; nothing is sent again. l: the list of stages.",
            "The experiments that break the lab are on the screen only, without --plain.",
            "again: read this stage once more.",
            "q: leave; asks first if something would stay behind. Ctrl-C leaves at once.",
        ]
        .map(str::to_owned),
    );
    lines
}
