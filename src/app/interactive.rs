//! The interactive lab, on a screen or in lines.

use std::io::{self, Write};

use color_eyre::eyre::{Report, WrapErr};
use tokio::runtime::Runtime;

use super::{Announcement, Exit, Session, check_regions, describe, exit_status, random_number, session, settle, tell};
use crate::cli::{Environment, Options};
use crate::lab::{Quiz, State};
use crate::run::config::Config;
use crate::run::journal::Journal;
use crate::run::world::World;
use crate::run::{self, Ended, lesson, signal};
use crate::ui::terminal::Screen;
use crate::ui::theme::Theme;

/// A lab for a person: masked where that is wanted, in the person's language, with questions.
fn learner(runtime: &Runtime, options: &Options, environment: &Environment) -> Result<Session, Report> {
    let mut session = session(runtime, options, environment)?;
    check_regions(&session.clients, options)?;
    if options.mask {
        session.state.mask();
    }
    session.state = session.state.with_lesson(lesson::load(options, environment)?);
    if !options.no_questions {
        session.state = session.state.with_quiz(Quiz::new(options.seed.unwrap_or_else(random_number)));
    }
    session.state = session.state.with_review();
    Ok(session)
}

/// On a screen.
pub(super) fn interactive(
    runtime: &Runtime,
    options: &Options,
    environment: &Environment,
    config: &Config,
) -> Result<Exit, Report> {
    let Session { mut state, clients, journal, shelf, _sandbox } = learner(runtime, options, environment)?;
    state.view.keys = config.keys.clone();
    // Dropped after the screen.
    let _announcement = Announcement::new(&state, journal.as_ref());
    let theme = Theme::choose(options.theme.unwrap_or_default(), environment.color_level());
    let theme = if options.is_ascii(environment) { theme.in_ascii() } else { theme };
    state = state.with_clipboard(environment.clipboard);
    let (hold, first) = run::session::begin(&mut state, options, environment);
    let (world, events) = World::new(clients);
    let world = world.with_journal(journal.clone()).with_shelf(shelf).with_session(hold);
    // Signals are listened to before the terminal is changed: none may end the program with the terminal as it is then.
    let _in_runtime = runtime.enter();
    let stop = signal::stop();
    let mut screen = Screen::enter()
        .wrap_err("the terminal can't be used for the interactive lab; try `kmslab --plain` or `kmslab run`")?;
    let ended = runtime.block_on(async {
        // Resizes are heard of from here on; one that came since the size was read must not be lost.
        let input = run::input()?;
        screen.measure()?;
        first.into_iter().for_each(|effect| drop(world.perform(effect)));
        run::interactive(&mut state, &world, events, input, &mut screen, &theme, stop).await
    });
    // Before anything is printed, an error too.
    let left = screen.leave();
    let exit = told_at_the_end(&state, journal.as_deref(), ended.wrap_err("the terminal failed"), options.mask)?;
    if exit.1 == Some(Ended::Finished) {
        left.wrap_err("the terminal could not be restored; `reset` does it")?;
    }
    Ok(exit.0)
}

/// The interactive lab without a screen.
pub(super) fn plain(runtime: &Runtime, options: &Options, environment: &Environment) -> Result<Exit, Report> {
    let Session { mut state, clients, journal, shelf, _sandbox } = learner(runtime, options, environment)?;
    let _announcement = Announcement::new(&state, journal.as_ref());
    let (world, events) = World::new(clients);
    let world = world.with_journal(journal.clone()).with_shelf(shelf);
    let _in_runtime = runtime.enter();
    let stop = signal::stop();
    let ended = runtime.block_on(async {
        let input = run::plain::input(io::stdin())?;
        let mut out = run::plain::Out { to: io::stdout().lock(), ascii: options.is_ascii(environment) };
        run::plain::run(&mut state, &world, events, input, &mut out, stop).await
    });
    let broken_pipe = ended.as_ref().is_err_and(|error| error.kind() == io::ErrorKind::BrokenPipe);
    let ended = ended.wrap_err("input or output failed");
    match told_at_the_end(&state, journal.as_deref(), ended, options.mask) {
        // Whoever read our lines has had enough of them.
        Err(_) if broken_pipe => Ok(Exit::NotMet),
        told => told.map(|(exit, _)| exit),
    }
}

/// Says what an interactive lab came to and what stays, and decides the exit status. The terminal may be gone: then
/// there is nobody to tell.
fn told_at_the_end(
    state: &State,
    journal: Option<&Journal>,
    ended: Result<Ended, Report>,
    mask: bool,
) -> Result<(Exit, Option<Ended>), Report> {
    let _ = writeln!(io::stdout(), "kmslab: {}", state.summary());
    let _ = print_copied(state, &mut io::stdout().lock());
    let survivors = settle(state, journal);
    match ended {
        Err(error) if survivors => {
            tell(describe(&error, mask));
            Ok((Exit::Survivors, None))
        }
        ended => ended.map(|ended| (exit_status(state, survivors, ended), Some(ended))),
    }
}

/// What was copied once more, for terminals without a clipboard: none tells whether it has one.
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
