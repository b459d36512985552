//! The lab as a dialogue in lines, `--plain`: for screen readers, dumb terminals and pipes. A line that is typed
//! becomes intents; `ui::plain` has the texts.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::io::{self, BufRead, IsTerminal, Read, Write};
use std::time::Duration;

use futures_util::{Stream, stream};
use tokio::sync::mpsc::{UnboundedReceiver, channel};
use tokio::time::Instant;

use self::command::Asked;
use self::pen::Pen;
use crate::lab::resume::Looked;
use crate::lab::{CallId, Effect, Event, Exchange, Experiment, Overlay, Page, Report, Stage, State, Status};
use crate::run::driver::{self, Arrival, Ended, Front};
use crate::run::effects::EffectHandler;
use crate::run::inputs::{Came, Inputs, Wanted};
#[cfg(unix)]
use crate::run::shell::terminal;
use crate::ui::{self, plain};

mod command;
mod pen;

/// The longest line that is read as one. Nothing that means something here is longer.
const LONGEST: u64 = 1_000;

/// How many characters of a line are repeated that means nothing.
const ECHO: usize = 40;

/// How long it is quiet while calls are under way before a word is said.
const QUIET: Duration = Duration::from_secs(5);

/// The lines of `from`, read by a thread of its own, which waits until a line is wanted: whatever has been typed or
/// piped ahead stays where it is.
///
/// # Errors
/// When there can be no thread.
pub fn input(from: impl Read + Send + 'static) -> io::Result<impl Stream<Item = io::Result<String>> + Unpin> {
    let (sender, mut receiver) = channel(1);
    let (ask, asked) = std::sync::mpsc::channel();
    std::thread::Builder::new().name("kmslab-input".to_owned()).spawn(move || {
        let mut from = io::BufReader::new(from);
        // Without a question nothing is read: a shell may have the terminal.
        while asked.recv().is_ok() {
            let mut line = Vec::new();
            let line = match read_line(&mut from, &mut line) {
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
    let mut is_asked = false;
    Ok(stream::poll_fn(move |context| {
        if !std::mem::replace(&mut is_asked, true) {
            // Where the thread has ended, so has the input.
            let _ = ask.send(());
        }
        receiver.poll_recv(context).map(|line| {
            is_asked = false;
            line
        })
    }))
}

/// Reads a line. Of one that is longer than [`LONGEST`] only so much is kept that it shows.
fn read_line(from: &mut impl BufRead, line: &mut Vec<u8>) -> io::Result<usize> {
    let read = from.by_ref().take(LONGEST + 1).read_until(b'\n', line)?;
    if is_too_long(line.len()) && !line.ends_with(b"\n") {
        from.skip_until(b'\n')?;
    }
    Ok(read)
}

fn is_too_long(bytes: usize) -> bool {
    bytes as u64 > LONGEST
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
        #[cfg(unix)]
        shells: Shells { effects, open: None, stopped: None },
        shown: None,
        overlay: None,
        resume: None,
        drill: Vec::new(),
        is_draft: false,
        hints: 0,
        message: None,
        reports: VecDeque::new(),
        tracing: 0,
        is_catching_up: false,
        debrief: None,
        told: BTreeMap::new(),
        written: BTreeSet::new(),
        is_judged: false,
        is_paused: false,
        is_whole: false,
        wanted: VecDeque::new(),
        pen: Pen::default(),
        is_asked: false,
        inquiries: 0,
        has_news: false,
        last_word: Instant::now(),
    };
    talk.line(state.interface().say(plain::GREETING))?;
    if state.quiz().asks() && !state.is_asking_to_resume() {
        talk.lines(ui::opening::text(state))?;
    }
    talk.news(state)?;
    driver::run(state, Some(effects), &mut talk, Inputs::new(events, input, stop)).await
}

/// Where the lines go.
pub struct Out<W> {
    /// What takes their bytes.
    pub to: W,
    /// Whether it shows only ASCII.
    pub ascii: bool,
}

/// The shell that has the terminal, or had it.
#[cfg(unix)]
struct Shells<'a> {
    effects: &'a EffectHandler,
    open: Option<terminal::Open>,
    stopped: Option<terminal::Open>,
}

#[cfg(unix)]
impl Shells<'_> {
    /// Opens a shell, or goes on with the one that is stopped.
    fn open(&mut self, state: &State) -> io::Result<()> {
        self.open = Some(match self.stopped.take() {
            Some(mut stopped) => stopped.go_on().map(|()| stopped)?,
            None => self.effects.open_shell(state)?,
        });
        Ok(())
    }

    /// Takes the terminal back.
    fn close(&mut self) {
        match self.open.take() {
            Some(mut shell) if shell.is_stopped() => {
                shell.leave_stopped();
                self.stopped = Some(shell);
            }
            Some(shell) => shell.ended(),
            // Somebody has ended a stopped one from elsewhere.
            None => self.stopped.take().into_iter().for_each(terminal::Open::ended),
        }
    }
}

struct Talk<'a, W> {
    out: &'a mut Out<W>,
    #[cfg(unix)]
    shells: Shells<'a>,
    /// The stage and the experiment of the last heading.
    shown: Option<(Stage, Option<Experiment>)>,
    /// What lay over it when something was written last.
    overlay: Option<Overlay>,
    /// The question whether to resume, as it was written.
    resume: Option<Vec<String>>,
    /// What was written of the drill at work.
    drill: Vec<String>,
    /// Whether the held batch was written.
    is_draft: bool,
    /// The number of that stage's hints that were written.
    hints: usize,
    message: Option<String>,
    /// What is still to be written. A Scan's path is known once the trail has answered.
    reports: VecDeque<Report>,
    /// How many questions to the trail have no answer.
    tracing: usize,
    /// Whether the lab verified or repeated stages of a saved session when something was written last.
    is_catching_up: bool,
    /// The debrief's question that was written last, and whether with its answer.
    debrief: Option<(usize, bool)>,
    /// The last sentence about each call: of a call that is repeated until something changes, only changes are written.
    told: BTreeMap<(&'static str, &'static str), Vec<String>>,
    /// The calls of the shown experiment that were written.
    written: BTreeSet<CallId>,
    /// Whether its outcome was written.
    is_judged: bool,
    /// Whether its pause was written.
    is_paused: bool,
    /// Whether the open page is written with everything on it.
    is_whole: bool,
    /// What the last line asks for and is still to come.
    wanted: VecDeque<Event>,
    /// The statement or grant that is being written.
    pen: Pen,
    /// Whether the prompt is the last thing that was written.
    is_asked: bool,
    /// How many pages and recorded responses are looked for.
    inquiries: usize,
    /// Whether an event may have changed something that isn't written yet.
    has_news: bool,
    last_word: Instant,
}

impl<W: Write> Front for Talk<'_, W> {
    type Input = String;

    async fn show(&mut self, state: &State) -> io::Result<()> {
        if self.has_shell() {
            return Ok(());
        }
        // After something new, the question is asked again.
        if std::mem::take(&mut self.has_news) && self.inquiries == 0 && self.news(state)? {
            self.is_asked = false;
        }
        Ok(())
    }

    async fn next(&mut self, state: &State, inputs: &mut Inputs<'_, String>) -> io::Result<Arrival> {
        if let Some(event) = self.wanted.pop_front() {
            return Ok(Arrival::Event(event));
        }
        // Lines are read only when something is asked: an answer typed ahead must meet its own question.
        let is_looking = state.resume_offer().is_some_and(|offer| *offer.looked() == Looked::Looking);
        let is_busy = self.has_shell()
            || (state.is_running() && !is_paused(state))
            || self.inquiries > 0
            || self.tracing > 0
            || is_looking;
        if !is_busy && !std::mem::replace(&mut self.is_asked, true) && !self.pen.is_writing() {
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
                self.wanted = self.answer(line?.trim_end(), state)?.into();
                Arrival::Redraw
            }
            Came::Tick => {
                if is_busy && !self.has_shell() && self.last_word.elapsed() >= QUIET {
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

    fn happened(&mut self, _: &State, event: Event) -> io::Result<()> {
        if event != Event::Tick {
            self.last_word = Instant::now();
        }
        #[cfg(unix)]
        if event == Event::ShellClosed {
            self.shells.close();
        }
        let answers = matches!(event, Event::Inspected { .. } | Event::ResponsesLoaded { .. } | Event::Say(_));
        self.inquiries = self.inquiries.saturating_sub(answers.into());
        self.tracing -= usize::from(self.tracing > 0 && matches!(event, Event::Traced(_)));
        self.has_news = true;
        Ok(())
    }

    fn asked(&mut self, effect: &Effect) {
        let asks = matches!(effect, Effect::Inspect { .. } | Effect::LoadResponses { .. } | Effect::Export(_));
        self.inquiries += usize::from(asks);
        self.tracing += usize::from(matches!(effect, Effect::Trace(_)));
    }

    fn report(&mut self, _: &State, report: &Report) -> io::Result<()> {
        self.reports.push_back(report.clone());
        Ok(())
    }

    #[cfg(unix)]
    fn open_shell(&mut self, state: &State) -> io::Result<Option<Event>> {
        let Err(error) = self.shells.open(state) else { return Ok(None) };
        self.line(format!("No shell here: {error}."))?;
        Ok(Some(Event::ShellClosed))
    }
}

/// Whether an experiment counts down: a person may end that.
fn is_paused(state: &State) -> bool {
    matches!(state.experiments().pause(), Some(Some(_)))
}

impl<W: Write> Talk<'_, W> {
    /// Whether a shell has the terminal.
    fn has_shell(&self) -> bool {
        #[cfg(unix)]
        return self.shells.open.is_some();
        #[cfg(not(unix))]
        return false;
    }

    fn line(&mut self, text: impl AsRef<str>) -> io::Result<()> {
        let text = ui::clean(text.as_ref());
        let text = if self.out.ascii { ui::spelt(&text) } else { text };
        writeln!(self.out.to, "{text}")?;
        self.out.to.flush()
    }

    fn lines(&mut self, lines: Vec<String>) -> io::Result<()> {
        lines.into_iter().try_for_each(|line| self.line(line))
    }

    /// Tells of the shown stage or experiment, where it is another one. Says whether it is.
    fn heading(&mut self, state: &State) -> io::Result<bool> {
        let shown = (state.view().shown, state.view().experiment);
        let is_on_the_way = state.is_catching_up() || state.is_asking_to_resume();
        if is_on_the_way || state.is_drilling() || self.shown == Some(shown) {
            return Ok(false);
        }
        self.shown = Some(shown);
        self.hints = state.hints().len();
        self.told.clear();
        self.written.clear();
        (self.is_judged, self.is_paused) = (false, false);
        self.lines(match shown {
            (_, Some(which)) => plain::experiment(state, which),
            (_, None) => plain::stage(state),
        })?;
        Ok(true)
    }

    /// Writes the reports that have come. Of a saved session's stages, which are verified or repeated, only the outcomes.
    fn reports(&mut self, state: &State) -> io::Result<()> {
        let is_catching_up = state.is_catching_up();
        let is_brief = std::mem::replace(&mut self.is_catching_up, is_catching_up) || is_catching_up;
        while let Some(report) = self.reports.pop_front() {
            match report {
                _ if state.is_drilling() => {}
                Report::Started(_) | Report::Call(_) if is_brief => {}
                Report::Started(stage) => {
                    self.told.clear();
                    // Of a stage on the way to another one.
                    if self.shown != Some((stage, None)) {
                        self.shown = Some((stage, None));
                        self.lines(vec![String::new(), plain::heading(state, stage)])?;
                    }
                }
                Report::Call(exchange) => self.call(state, &exchange)?,
                Report::Stage(stage, check) if is_brief => {
                    let observed = plain::observed(state, &check);
                    self.line(state.interface().fill("Stage {}. {}", &[&stage.number(), &observed]))?;
                }
                Report::Stage(stage, check) => self.lines(plain::ended(state, stage, &check))?,
            }
        }
        Ok(())
    }

    fn call(&mut self, state: &State, exchange: &Exchange) -> io::Result<()> {
        let sentences = plain::call(state, exchange);
        let of = (exchange.identity.name(), exchange.operation.name());
        let known = self.told.insert(of, sentences.clone());
        if exchange.attempt > 1 && known.as_ref() == Some(&sentences) { Ok(()) } else { self.lines(sentences) }
    }

    /// Tells what has become of the shown experiment, and says whether anything has.
    fn experiment(&mut self, state: &State) -> io::Result<bool> {
        let Some(which) = state.view().experiment else { return Ok(false) };
        let run = state.trial(which);
        let mut is_new = false;
        if run.pending.is_empty() {
            for (id, lines) in plain::experiment_calls(state) {
                if self.written.insert(id) {
                    self.lines(lines)?;
                    is_new = true;
                }
            }
        }
        if is_paused(state) && !std::mem::replace(&mut self.is_paused, is_paused(state)) {
            let text = "Now five minutes pass, until DynamoDB has no table key in memory.";
            self.line(state.interface().say(text))?;
            is_new = true;
        }
        match &run.status {
            Status::Done(check) if !std::mem::replace(&mut self.is_judged, true) => {
                self.lines(plain::tried(state, which, check))?;
                is_new = true;
            }
            Status::Done(_) => {}
            Status::Todo | Status::Running => self.is_judged = false,
        }
        Ok(is_new)
    }

    /// Tells what is new in the drill at work, and says whether anything is.
    fn drill(&mut self, state: &State) -> io::Result<bool> {
        if !state.is_drilling() || state.is_running() && !self.drill.is_empty() {
            return Ok(false);
        }
        let lines = plain::drill::lines(state);
        let before = std::mem::replace(&mut self.drill, lines.clone());
        let new: Vec<String> = lines.into_iter().filter(|line| !before.contains(line)).collect();
        let is_new = !new.is_empty();
        self.lines(new)?;
        Ok(is_new)
    }

    /// Tells what has changed, and says whether anything has.
    fn news(&mut self, state: &State) -> io::Result<bool> {
        if self.tracing > 0 {
            return Ok(false);
        }
        self.reports(state)?;
        let mut is_new = self.heading(state)?;
        is_new |= self.experiment(state)?;
        is_new |= self.drill(state)?;
        let written = self.pen.news(state);
        is_new |= !written.is_empty();
        self.lines(written)?;
        let hints = state.hints().len();
        if hints > self.hints {
            self.lines(plain::hint(state).into_iter().collect())?;
            is_new = true;
        }
        self.hints = hints;
        let resume = plain::resume(state);
        if let Some(lines) = resume.clone().filter(|_| resume != self.resume) {
            self.lines(lines)?;
            is_new = true;
        }
        self.resume = resume;
        let opened = self.opened(state);
        is_new |= !opened.is_empty();
        self.lines(opened)?;
        let debrief = state.view().overlay == Some(Overlay::Debrief);
        let debrief = debrief.then(|| (state.debrief().position(), state.debrief().is_open()));
        if debrief.is_some() && debrief != self.debrief {
            self.lines(plain::debrief(state))?;
            is_new = true;
        }
        self.debrief = debrief.or(self.debrief);
        let is_draft = state.held().is_some();
        if is_draft && !self.is_draft {
            self.lines(plain::draft(state))?;
            is_new = true;
        }
        self.is_draft = is_draft;
        let message = state.view().message.clone().or_else(|| state.offer());
        // What counts down has been said once.
        if message != self.message && !is_paused(state) {
            if let Some(message) = &message {
                self.line(plain::remark(message))?;
                is_new = true;
            }
            self.message = message;
        }
        Ok(is_new)
    }

    /// What has opened over the stage.
    fn opened(&mut self, state: &State) -> Vec<String> {
        let before = std::mem::replace(&mut self.overlay, state.view().overlay);
        match (before, state.view().overlay) {
            (before, now) if before == now => Vec::new(),
            (_, Some(Overlay::Page { page: Page::Debrief, .. })) => plain::page(state, Page::Debrief),
            (_, Some(Overlay::Page { page: Page::Why, .. })) if std::mem::take(&mut self.is_whole) => {
                plain::page(state, Page::Why)
            }
            (_, Some(Overlay::Page { page: Page::Why, .. })) => plain::why(state),
            (_, Some(Overlay::Page { page: page @ (Page::AtRest | Page::Trail | Page::Noticed), .. })) => {
                plain::page(state, page)
            }
            (_, Some(Overlay::Quit)) => plain::leaving(state),
            // The cursor is the screen's.
            (Some(Overlay::Experiments { .. }), Some(Overlay::Experiments { .. })) => Vec::new(),
            (_, Some(Overlay::Experiments { .. })) => plain::experiments(state),
            (_, Some(Overlay::Consent { wrong: true, .. })) => {
                vec![state.interface().say(plain::WRONG_DIGITS).to_owned()]
            }
            (Some(Overlay::Consent { .. }), Some(Overlay::Consent { .. })) => Vec::new(),
            (_, Some(Overlay::Consent { .. })) => plain::consent(state),
            _ => Vec::new(),
        }
    }

    /// Returns what `line` asks for. Prints the replies that need no event.
    fn answer(&mut self, line: &str, state: &State) -> io::Result<Vec<Event>> {
        let words = state.interface();
        if is_too_long(line.len()) {
            let text = "That line has more than {} characters. Nothing was done. Type ? for the commands.";
            self.line(words.fill(text, &[&LONGEST]))?;
            return Ok(Vec::new());
        }
        if self.pen.is_writing() {
            let edit = self.pen.take(line, state);
            // What is new after an edit is known once it is applied.
            self.has_news |= edit.is_none();
            return Ok(edit.into_iter().collect());
        }
        let line = line.trim();
        let command = line.to_lowercase();
        if let ("shell" | "!", true) = (command.as_str(), io::stdin().is_terminal()) {
            return Ok(command::shell(state).into_iter().map(Event::Intent).collect());
        }
        match command::asked(&command, state) {
            Asked::Do(intents) => {
                self.is_whole = matches!(command.as_str(), "why all" | "w all");
                return Ok(intents.into_iter().map(Event::Intent).collect());
            }
            Asked::Tell(lines) => self.lines(lines)?,
            Asked::Write => {
                self.pen.lift();
                self.has_news = true;
            }
            Asked::WholePage => self.lines(plain::page(state, Page::Why))?,
            Asked::Again => {
                self.shown = None;
                self.drill.clear();
                self.news(state)?;
            }
            Asked::Nothing => match command.as_str() {
                "" => self.line(words.say("Please answer first."))?,
                other => {
                    let other: String = other.chars().take(ECHO).collect();
                    let other = format!("{other:?}");
                    self.line(words.fill("{} does nothing here. Type ? for the commands.", &[&other]))?;
                }
            },
        }
        Ok(Vec::new())
    }
}
