//! The interactive lab, on a screen or in lines.

use std::io::{self, Write};
use std::net::SocketAddr;
use std::sync::Arc;

use color_eyre::eyre::{Report, WrapErr};
use tokio::runtime::Runtime;
use tokio::sync::mpsc::UnboundedReceiver;

use super::ending::{PanicReport, exit_status, settle};
use super::recording;
use super::report::describe;
use super::setup::{Lab, lab, looks, random_number};
use crate::aws::Clients;
use crate::cli::{
    AUDIENCE_ADDRESS, Drills, Environment, Exit, Options, RecordingOptions, UsageError, is_reader_gone, out, tell,
};
use crate::export;
use crate::lab::{BackendKind, Drill, Effect, Event, Lesson, Level, Plan, Quiz, State};
use crate::run::answer_cache::AnswerCache;
use crate::run::audience::Audience;
use crate::run::class::reporter::Reporter;
use crate::run::config::Config;
use crate::run::effects::EffectHandler;
use crate::run::front::{plain, screen};
use crate::run::journal::Journal;
use crate::run::notes::Place;
#[cfg(unix)]
use crate::run::shell::contents::OwnProfiles;
use crate::run::{self, Ended, signal};
use crate::sandbox;
use crate::ui;
use crate::ui::terminal::{Outlet, Screen};

/// Builds this process's n-th lab for a learner: with questions, and a review before PutKeyPolicy.
///
/// # Errors
/// If the lab can't begin.
pub(super) fn learner(
    runtime: &Runtime,
    options: &Options,
    environment: &Environment,
    earlier: u64,
) -> Result<Lab, Report> {
    let mut lab = lab(runtime, options, environment, earlier)?;
    if !options.no_questions {
        let seed = options.seed.map(|seed| seed.wrapping_add(earlier));
        lab.state = lab.state.with_quiz(Quiz::new(seed.unwrap_or_else(random_number)));
    }
    lab.state = lab.state.with_review();
    Ok(lab)
}

/// What a person has come for.
#[derive(Debug, Clone)]
pub(super) enum Purpose {
    /// The lab, which may belong to a class.
    Learn(Option<Arc<Reporter>>),
    /// Drills: the stages before them run by themselves.
    Drill(Plan),
}

impl Purpose {
    /// Builds this process's n-th lab.
    fn lab(
        &self,
        runtime: &Runtime,
        options: &Options,
        environment: &Environment,
        earlier: u64,
    ) -> Result<Lab, Report> {
        let plan = match self {
            Purpose::Drill(plan) => *plan,
            Purpose::Learn(class) => {
                let mut lab = learner(runtime, options, environment, earlier)?;
                if let Some(class) = class {
                    // One letter is one answer on every screen of the class.
                    if let Some(seed) = class.seed() {
                        lab.state.join_class();
                        if lab.state.quiz().asks() {
                            lab.state = lab.state.with_quiz(Quiz::new(seed));
                        }
                    }
                }
                return Ok(lab);
            }
        };
        let mut lab = lab(runtime, options, environment, earlier)?;
        if lab.state.backend().kind == BackendKind::Aws {
            return Err(UsageError::new("no drills on AWS: each fix would take five minutes to show").into());
        }
        lab.state = lab.state.with_drills(plan);
        Ok(lab)
    }
}

impl Purpose {
    /// The class that the lab belongs to.
    fn class(&self) -> Option<&Arc<Reporter>> {
        match self {
            Purpose::Learn(class) => class.as_ref(),
            Purpose::Drill(_) => None,
        }
    }
}

/// Returns the drills that the command line asks for.
pub(super) fn drills(which: Option<Drills>, level: u8, options: &Options) -> Purpose {
    let (count, only) = match which {
        None => (Drill::ALL.len(), None),
        Some(Drills::Count(count)) => (count, None),
        Some(Drills::Only(drill)) => (1, Some(drill)),
    };
    let seed = options.seed.unwrap_or_else(random_number);
    Purpose::Drill(Plan { seed, count, only, level: Level::try_from(level).unwrap_or_default() })
}

/// Runs the interactive lab on a screen.
///
/// # Errors
/// If it can't begin, or the terminal fails.
pub(super) fn interactive(
    runtime: &Runtime,
    options: &Options,
    recording: &RecordingOptions,
    environment: &Environment,
    config: &Config,
    purpose: &Purpose,
) -> Result<Exit, Report> {
    let options = &from_the_beginning(options, recording);
    let Lab { mut state, clients, mut journal, shelf, mut _sandbox } = purpose.lab(runtime, options, environment, 0)?;
    state = set_up(on_screen(state, recording).with_clipboard(environment.clipboard), recording, config);
    let mut _announcement = PanicReport::new(&state, journal.as_ref()); // dropped after the screen
    // If the recording can't begin, nothing else does.
    let mut manner = recording::manner(recording, looks(options, environment), options, environment, &mut state)?;
    manner.audience = audience(&mut state, options)?;
    let _in_runtime = runtime.enter();
    let (mut effects, mut events, mut first) =
        begin(&mut state, clients, &journal, shelf, options, environment, purpose);
    // Handled before the terminal changes: no signal may end the program and leave the terminal changed.
    let mut stop = signal::stop(sandbox::abandon);
    let mut screen = enter(options, environment, state.lesson())?;
    let (mut input, mut earlier) = (None, 0);
    let ended = loop {
        let ended = runtime.block_on(async {
            let input = match &mut input {
                Some(input) => input,
                none => none.insert(run::input::input(&mut screen)?),
            };
            first.drain(..).for_each(|effect| effects.perform(effect));
            manner.audience.iter().for_each(|audience| audience.report_to(effects.events()));
            screen::interactive(&mut state, &effects, events, input, &mut screen, &mut manner, &mut stop).await
        });
        let Ok(Ended::StartOver) = ended else { break ended.wrap_err("the terminal failed") };
        // That run has left nothing. The sandbox goes with all its contents.
        journal.iter().for_each(|journal| journal.remove());
        _sandbox = None;
        // It holds the lock of the saved session, which the next lab needs.
        drop(effects);
        earlier += 1;
        let next = match purpose.lab(runtime, options, environment, earlier) {
            Ok(next) => next,
            Err(error) => break Err(error),
        };
        (journal, _sandbox) = (next.journal, next._sandbox);
        state = next.state.succeeding(&state);
        manner.new_run();
        let afresh = Options { fresh: true, ..options.clone() };
        (effects, events, first) = begin(&mut state, next.clients, &journal, next.shelf, &afresh, environment, purpose);
        _announcement = PanicReport::new(&state, journal.as_ref());
    };
    // Before anything is printed, an error too.
    let left = screen.leave();
    leave(purpose, &state, options, environment);
    recording::finish(runtime, manner, &state, &mut stop);
    let exit = told_at_the_end(&state, journal.as_deref(), ended, "kmslab", options.is_ascii(environment))?;
    if exit.1 == Some(Ended::Finished) {
        left.wrap_err("the terminal could not be restored; `reset` does it")?;
    }
    Ok(exit.0)
}

/// The same options; a play begins at the beginning, and so does a log: it has no answers of an earlier session.
fn from_the_beginning(options: &Options, recording: &RecordingOptions) -> Options {
    let begins_afresh = recording.play || recording::is_log(recording);
    Options { fresh: options.fresh || begins_afresh, ..options.clone() }
}

/// Opens the server for an audience's phones, if one is wanted.
///
/// # Errors
/// If its address can't be used.
fn audience(state: &mut State, options: &Options) -> Result<Option<Audience>, Report> {
    let Some(listen) = options.audience else { return Ok(None) };
    let any = SocketAddr::new(listen.ip(), 0);
    let opened = match Audience::open(listen, state) {
        // Another lab has it. Nobody remembers a port.
        Err(error) if error.kind() == io::ErrorKind::AddrInUse && listen.to_string() == AUDIENCE_ADDRESS => {
            Audience::open(any, state)
        }
        opened => opened,
    };
    let audience = opened.map_err(|error| {
        UsageError::new(format!("phones can't join at {listen}: {error}\n  give another with --audience=ADDRESS:PORT"))
    })?;
    state.invite(audience.invitation().address.clone());
    Ok(Some(audience))
}

/// Takes over the terminal, with its mouse if a person wants that, and with links if it knows them.
///
/// # Errors
/// If it can't be used.
fn enter(options: &Options, environment: &Environment, lesson: &Lesson) -> Result<Screen<Outlet>, Report> {
    let mut screen = Screen::enter()
        .wrap_err("the terminal can't be used for the interactive lab; try `kmslab --plain` or `kmslab run`")?;
    if options.mouse {
        screen.use_mouse().wrap_err("the terminal failed")?;
    }
    if environment.shows_links() {
        screen.use_links(lesson.urls());
    }
    Ok(screen)
}

/// Gives the person's own keys, and shows the opening card first; a play shows the stages alone.
fn set_up(mut state: State, recording: &RecordingOptions, config: &Config) -> State {
    state.set_keys(config.keys.clone());
    if state.quiz().asks() && !recording.play && config.opening != Some(false) {
        state.open_with_card();
    }
    state
}

/// The state of a lab on a screen: stage 7 is a choice. An autoplay takes the usual way, and presses no key for a choice.
fn on_screen(state: State, recording: &RecordingOptions) -> State {
    if recording.play { state } else { state.with_ways() }
}

/// Begins a session: its effect handler with the events, and the first effects.
fn begin(
    state: &mut State,
    clients: Clients,
    journal: &Option<Arc<Journal>>,
    shelf: Option<AnswerCache>,
    options: &Options,
    environment: &Environment,
    purpose: &Purpose,
) -> (EffectHandler, UnboundedReceiver<Event>, Vec<Effect>) {
    let (hold, first) = match state.drills().is_preparing() {
        // Drills are no session to go on with, and leave the one that is kept alone.
        true => (None, state.begin_drills()),
        false => run::session_file::begin(state, options, environment),
    };
    let (effects, events) = EffectHandler::new(clients);
    let place = Place { socket: options.socket.clone(), folders: environment.labs.clone() };
    let effects = effects.with_journal(journal.clone()).with_shelf(shelf).with_session(hold).with_notes(Some(place));
    let (lesson, masks) = (state.lesson().clone(), !options.no_mask);
    let effects = effects.with_exporter(Arc::new(move |saved| export::beside(saved, &lesson, masks)));
    #[cfg(unix)]
    let effects = with_shell(effects, state, options, environment);
    let class = purpose.class();
    class.iter().for_each(|class| class.report_to(effects.events()));
    let effects = effects.with_class(class.cloned());
    (effects, events, first)
}

/// Lets shells act in the lab.
#[cfg(unix)]
fn with_shell(effects: EffectHandler, state: &State, options: &Options, environment: &Environment) -> EffectHandler {
    let own = OwnProfiles { admin: options.admin_profile.clone(), test_user: options.user_profile.clone() };
    let is_local = state.backend().host().is_some_and(|host| host.starts_with("127.") || host.starts_with("localhost"));
    let own = (state.backend().kind != BackendKind::Sandbox).then_some(own);
    effects.with_shell(&environment.labs, own, state.backend().kind == BackendKind::Endpoint && is_local)
}

/// Runs the interactive lab in lines, without a screen.
///
/// # Errors
/// If it can't begin, or input or output fails.
pub(super) fn plain(
    runtime: &Runtime,
    options: &Options,
    environment: &Environment,
    purpose: &Purpose,
) -> Result<Exit, Report> {
    let Lab { state, clients, journal, shelf, _sandbox } = purpose.lab(runtime, options, environment, 0)?;
    let mut state = state.with_ways_on_request();
    let _announcement = PanicReport::new(&state, journal.as_ref());
    let _in_runtime = runtime.enter();
    let (effects, events, first) = begin(&mut state, clients, &journal, shelf, options, environment, purpose);
    let stop = signal::stop(sandbox::abandon);
    let ended = runtime.block_on(async {
        first.into_iter().for_each(|effect| effects.perform(effect));
        let input = plain::input(io::stdin())?;
        let mut out = plain::Out { to: out(), ascii: options.is_ascii(environment) };
        plain::run(&mut state, &effects, events, input, &mut out, stop).await
    });
    let ended = ended.wrap_err("input or output failed");
    leave(purpose, &state, options, environment);
    told_at_the_end(&state, journal.as_deref(), ended, "kmslab --plain", options.is_ascii(environment))
        .map(|(exit, _)| exit)
}

/// Tells the class that the lab was left, and keeps how drills came out.
fn leave(purpose: &Purpose, state: &State, options: &Options, environment: &Environment) {
    purpose.class().iter().for_each(|class| class.leave(state));
    keep_drills(state, options, environment);
}

/// Keeps how the drills of `kmslab drill` came out, for `kmslab export`.
fn keep_drills(state: &State, options: &Options, environment: &Environment) {
    if let Err(error) =
        state.drills().is_alone().then(|| run::session_file::add_drills(state, options, environment)).transpose()
    {
        tell(format_args!("the results of the drills can't be kept: {}", describe(&error)));
    }
}

/// Reports the result of an interactive lab and what it has left, and decides the exit status. The terminal may be gone.
fn told_at_the_end(
    state: &State,
    journal: Option<&Journal>,
    ended: Result<Ended, Report>,
    again: &str,
    is_ascii: bool,
) -> Result<(Exit, Option<Ended>), Report> {
    let summary = match state.drills().is_alone() {
        true => state.drills().summary(state.interface()),
        false => format!("{}{}", state.summary_in(state.interface()), whats_next(state, again)),
    };
    let summary = if is_ascii { ui::spelt(&summary) } else { summary };
    let _ = writeln!(io::stdout(), "kmslab: {summary}");
    let _ = print_copied(state, &mut io::stdout().lock());
    let survivors = settle(state, journal);
    match ended {
        Err(error) if survivors => {
            if !is_reader_gone(error.as_ref()) {
                tell(describe(&error));
            }
            Ok((Exit::Survivors, None))
        }
        ended => ended.map(|ended| (exit_status(state, survivors, ended), Some(ended))),
    }
}

/// Returns what can be done with a saved session; `again` is the command that resumes it.
fn whats_next(state: &State, again: &str) -> String {
    let words = state.interface();
    match state.saved() {
        Some(kept) if kept.is_finished() => words.fill("; `{}` writes it up", &[&"kmslab export lab.html"]),
        Some(kept) if kept.ended() == 0 => String::new(),
        Some(kept) if kept.place.is_fleeting() => {
            words.fill("; `{}` resumes here, `{} --fresh` starts over", &[&again, &again])
        }
        Some(_) => words.fill("; `{}` with the same options resumes here; --fresh starts over", &[&again]),
        None => String::new(),
    }
}

/// Prints the copied texts again: no terminal tells whether it has a clipboard.
fn print_copied(state: &State, out: &mut impl Write) -> io::Result<()> {
    if state.copied().is_empty() {
        return Ok(());
    }
    writeln!(out, "kmslab: copied in this session, in case the clipboard has none of it:")?;
    for text in state.copied() {
        writeln!(out, "\n{text}")?;
    }
    out.flush()
}
