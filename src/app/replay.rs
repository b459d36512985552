//! `kmslab replay`.

use std::io::{self, IsTerminal};
use std::path::Path;
use std::sync::Arc;

use color_eyre::eyre::{Report, WrapErr};
use time::OffsetDateTime;
use tokio::runtime::Runtime;

use super::recording::{self, recorder_options, theme, title, written};
use super::setup::looks;
use crate::cli::{Environment, Exit, Options, RecordingOptions, UsageError, tell};
use crate::lab::lesson::Lesson;
use crate::lab::{Event, Intent};
use crate::record::{Format, Recorder, Target};
use crate::run::event_log::{Log, read};
use crate::run::front::playback::Playback;
use crate::run::{self, Ended, lesson, signal};
use crate::sandbox;
use crate::ui::terminal::Screen;
use crate::ui::theme::ColorLevel;

/// Loads the lesson in the wanted language, else in that of the log.
fn load_lesson(log: &Log, options: &Options, environment: &Environment) -> Result<Arc<Lesson>, Report> {
    let in_language =
        |lang: &str| lesson::load(&Options { lang: Some(lang.to_owned()), ..options.clone() }, environment);
    match &options.lang {
        Some(_) => lesson::load(options, environment),
        // The log's language may have come from lesson files that are not here.
        None => in_language(&log.head.lesson).or_else(|_| in_language("en")),
    }
}

/// Records a replay.
fn record(
    runtime: &Runtime,
    options: &Options,
    recording: &RecordingOptions,
    environment: &Environment,
    playback: &mut Playback,
    target: Target,
) -> Result<Exit, Report> {
    let path = target.path.clone();
    let beginning = playback.beginning();
    let recorder = recorder_options(recording, target, options, recording::size(recording), &beginning)?;
    let recorder = Recorder::begin(recorder, &beginning).map_err(UsageError::new)?;
    let theme = theme(options, environment, ColorLevel::True);
    let key_cast = recording::key_cast(recording);
    let recorded = runtime.block_on(playback.record(recorder, &theme, &key_cast, title(&beginning)));
    let recorded = recorded.wrap_err_with(|| format!("{} is not complete", path.display()))?;
    let _in_runtime = runtime.enter();
    let written = runtime.block_on(written(recorded, signal::stop(sandbox::abandon)));
    Ok(written.report()?.unwrap_or(Exit::Met))
}

/// Shows a recorded session again, or records that.
///
/// # Errors
/// If the session can't be read, shown or recorded.
pub fn replay(
    runtime: &Runtime,
    options: &Options,
    recording: &RecordingOptions,
    environment: &Environment,
    file: &Path,
) -> Result<Exit, Report> {
    let log = read(file).map_err(UsageError::new)?;
    if let Some(line) = log.cut_off {
        tell(format_args!("{}:{line}: the session was cut off here; what came before is shown", file.display()));
    }
    let lesson = load_lesson(&log, options, environment)?;
    let now = u64::try_from(OffsetDateTime::now_utc().unix_timestamp()).unwrap_or(0);
    let urls: Vec<String> = lesson.urls().collect();
    let mut beginning = log.head.state(now).with_lesson(lesson);
    if options.mask && !log.head.masked {
        beginning.mask();
    }
    if recording.big && !beginning.view().zoom {
        beginning.update(Event::Intent(Intent::ToggleZoom));
    }
    let mut playback =
        Playback::new(log, beginning).map_err(|problem| UsageError::new(format!("{}:{problem}", file.display())))?;
    if let Some(path) = &recording.record {
        let target = Target::new(path, recording.force).map_err(UsageError::new)?;
        if target.format == Format::Log {
            return Err(UsageError::new(format!("{} would be what {} is", path.display(), file.display())).into());
        }
        return record(runtime, options, recording, environment, &mut playback, target);
    }
    if !(io::stdin().is_terminal() && io::stdout().is_terminal()) {
        return Err(UsageError::new("a replay needs a terminal; `kmslab replay FILE --record OUT` needs none").into());
    }
    let looks = looks(options, environment);
    let _in_runtime = runtime.enter();
    let stop = signal::stop(sandbox::abandon);
    let mut screen = Screen::enter().wrap_err("the terminal can't be used")?;
    if environment.shows_links() {
        screen.use_links(urls);
    }
    let ended = runtime.block_on(async {
        let input = run::input::input(&mut screen)?;
        playback.show(&mut screen, looks, &recording::key_cast(recording), input, stop).await
    });
    let left = screen.leave();
    match ended.wrap_err("the terminal failed")? {
        Ended::Signal(number) => Ok(Exit::Signal(number)),
        Ended::InputClosed => Ok(Exit::Signal(signal::HANGUP)),
        Ended::Finished | Ended::Refused | Ended::StartOver => {
            left.wrap_err("the terminal could not be restored; `reset` does it")?;
            Ok(Exit::Met)
        }
    }
}
