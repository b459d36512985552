//! `kmslab record`.

use std::collections::HashSet;
use std::io::Write;
use std::path::{Path, PathBuf};

use color_eyre::eyre::{Report, WrapErr};
use ratatui::layout::Size;
use tokio::runtime::Runtime;

use super::ending::{PanicReport, exit_status, settle};
use super::interactive::learner;
use super::recording::{self, recorder_options, theme, title, written};
use super::report::{describe, print};
use super::setup::Lab;
use crate::cli::{Environment, Exit, Options, RecordArgs, RecordingOptions, UsageError, tell};
use crate::disk;
use crate::lab::{Backend, Event, Intent, Pace, Stage, State};
use crate::record::{
    Cancel, Caption, Film, FilmOptions, Finished, Format, Recorder, Recording, Target, can_be_written, captions,
    missing_glyphs, write,
};
use crate::run::autoplay::Autoplay;
use crate::run::director::Director;
use crate::run::effects::EffectHandler;
use crate::run::front::film::{Filmed, OfflineRecorder, Play, Tempo};
use crate::run::route::{self, Route};
use crate::run::{Ended, signal};
use crate::sandbox;
use crate::ui::theme::ColorLevel;

/// The start time of seeded recordings: that of the sandbox's seeded clock, in Unix seconds.
const SEEDED_START: u64 = 1_767_225_600;

/// The largest script.
const SCRIPT: u64 = 64 * 1024;

/// What is written.
struct Output {
    /// The file to record into; for stills the first of them.
    target: Target,
    /// A picture of each of these stages, instead of a recording.
    stills: Vec<(Stage, Target)>,
}

impl Output {
    fn new(wanted: &RecordArgs, overwrite: bool) -> Result<Output, UsageError> {
        let paths = match (&wanted.all, &wanted.file, wanted.stage) {
            (Some(folder), ..) => {
                let name = |stage: Stage| format!("{}_{}.{}", stage.number(), stage.key(), wanted.stills);
                Stage::ALL.map(|stage| (stage, folder.join(name(stage)))).to_vec()
            }
            (None, Some(file), Some(stage)) => vec![(stage, file.clone())],
            (None, Some(file), None) => {
                let target = Target::new(file, overwrite).map_err(UsageError::new)?;
                return Ok(Output { target, stills: Vec::new() });
            }
            (None, None, _) => return Err(UsageError::new("a file to record into is needed")),
        };
        let still = |(stage, path): (Stage, PathBuf)| match Target::new(&path, overwrite) {
            Ok(target) if target.format.is_still() => Ok((stage, target)),
            _ => {
                let path = path.display();
                Err(UsageError::new(format!("{path}: --stage and --all make stills, which are .svg, .png or .txt")))
            }
        };
        let stills = paths.into_iter().map(still).collect::<Result<Vec<_>, _>>()?;
        Ok(Output { target: stills[0].1.clone(), stills })
    }

    /// Whether everything can be written after the lab; creates the folder of stills.
    fn check(&self, folder: Option<&Path>, size: Size, film: &FilmOptions) -> Result<(), UsageError> {
        if let Some(folder) = folder {
            std::fs::create_dir_all(folder)
                .map_err(|error| UsageError::new(format!("{} can't be made: {error}", folder.display())))?;
        }
        self.stills.iter().try_for_each(|(_, target)| can_be_written(size, target, film)).map_err(UsageError::new)
    }

    /// Returns what is filmed.
    fn play(&self, wanted: &RecordArgs, pace: Pace) -> Result<Play, UsageError> {
        if wanted.is_as_seen() || self.target.format == Format::Log {
            return Ok(Play::Learner(match self.stills[..] {
                [] if wanted.attempt => Autoplay::new(pace).attempting(),
                [] if wanted.teaser => Autoplay::new(pace).only(Stage::ViewAdmin, Stage::ViewAgain),
                [] => Autoplay::new(pace),
                [(stage, _)] => Autoplay::new(pace).only(stage, stage),
                _ => Autoplay::new(pace),
            }));
        }
        let stills: Vec<Stage> = self.stills.iter().map(|(stage, _)| *stage).collect();
        let mut route = match (&wanted.script, wanted.experiment) {
            (Some(script), _) => read_script(script)?,
            (None, Some(which)) => Route::experiment(which),
            (None, None) if !stills.is_empty() => Route::stages(&stills),
            (None, None) if wanted.teaser => Route::teaser(),
            (None, None) => Route::whole(),
        };
        route.title = wanted.title.clone().or(route.title);
        route.url = wanted.url.clone().or(route.url);
        Ok(Play::Film { director: Box::new(Director::new(route)), captions: !wanted.no_captions })
    }

    /// The files with the captions: beside a film, none beside stills and a page's picture.
    fn captions(&self, play: &Play) -> Vec<PathBuf> {
        let is_film = matches!(play, Play::Film { .. }) && !self.target.format.is_still() && self.stills.is_empty();
        let extensions: &[&str] = if is_film { &["vtt", "srt"] } else { &[] };
        extensions.iter().map(|extension| self.target.path.with_extension(extension)).collect()
    }
}

/// Reads a script.
fn read_script(path: &Path) -> Result<Route, UsageError> {
    let name = path.display().to_string();
    let text =
        disk::read_text(path, SCRIPT).map_err(|error| UsageError::new(format!("{name} can't be read: {error}")))?;
    route::read(&text, &name).map_err(UsageError::new)
}

/// Checks a script.
///
/// # Errors
/// What is wrong in it.
pub fn check(path: &Path) -> Result<Exit, Report> {
    let route = read_script(path)?;
    print(&format!("{}: {} screens", path.display(), route.screens())).map(|()| Exit::Met)
}

/// Checks options that only the learner's screen has.
fn check_options(wanted: &RecordArgs, recording: &RecordingOptions) -> Result<(), UsageError> {
    let is_log = wanted.file.as_deref().is_some_and(|path| matches!(Format::of(path), Ok(Format::Log)));
    let option = [(recording.keys, "--keys"), (recording.big, "--big")];
    match option.into_iter().find(|(is_given, _)| *is_given) {
        Some((_, option)) if !wanted.is_as_seen() && !is_log => Err(UsageError::new(format!(
            "{option} goes with --as-seen: a film shows no keys, and its letters are large"
        ))),
        _ => Ok(()),
    }
}

/// Plays the lab by itself and records it.
///
/// # Errors
/// If the lab can't begin, or the recording is not complete.
pub fn record(
    runtime: &Runtime,
    options: &Options,
    recording: &RecordingOptions,
    environment: &Environment,
    wanted: &RecordArgs,
) -> Result<Exit, Report> {
    check_options(wanted, recording)?;
    let output = Output::new(wanted, recording.force)?;
    let pace = recording.pace.into();
    let play = output.play(wanted, pace)?;
    let captions = output.captions(&play);
    let Lab { state, clients, journal, shelf, _sandbox } = learner(runtime, options, environment, 0)?;
    let mut state = set_up(state, options, recording, wanted);
    let _announcement = PanicReport::new(&state, journal.as_ref());
    let recorder = begin(&output, wanted, recording, options, &state)?;
    let (effects, events) = EffectHandler::new(clients);
    let effects = effects.with_journal(journal.clone()).with_shelf(shelf);
    let studio = OfflineRecorder {
        world: &effects,
        events,
        cards: output.stills.is_empty() && !wanted.attempt && matches!(play, Play::Learner(_)),
        play,
        tempo: Tempo { pace, percent: wanted.speed },
        recorder,
        theme: theme(options, environment, ColorLevel::True),
        key_cast: recording::key_cast(recording),
        keys: recording.keys,
        seeded: options.seed.map(|_| SEEDED_START),
    };
    let _in_runtime = runtime.enter();
    let mut stop = signal::stop(sandbox::abandon);
    let Filmed { captions: said, recorder, length, ended, failure } =
        runtime.block_on(studio.film(&mut state, &mut stop));
    let survivors = settle(&state, journal.as_deref());
    let recorded = recorder
        .finish(length, wanted.title.clone().unwrap_or_else(|| title(&state)))
        .wrap_err("the end of the recording can't be written");
    // An incomplete recording is kept, an incomplete set of stills is not.
    let is_complete = failure.is_none() && !matches!(ended, Ended::Signal(_));
    let written = recorded.and_then(|recorded| match &output.stills[..] {
        [] => runtime.block_on(written(recorded, stop)).report(),
        stills if is_complete => write_stills(recorded, &state, stills),
        _ => Ok(None),
    });
    if let Some(failure) = failure {
        written.err().into_iter().for_each(|error| tell(describe(&error)));
        return Err(failure).wrap_err_with(|| format!("{} is not complete", output.target.path.display()));
    }
    if let Some(exit) = written? {
        return Ok(exit);
    }
    write_captions(&captions, &said, recording.force)?;
    if ended == Ended::Refused
        && let Some(refusal) = state.refusal()
    {
        tell(refusal);
    }
    Ok(exit_status(&state, survivors, ended))
}

/// Begins the recording, if everything can be written after the lab.
fn begin(
    output: &Output,
    wanted: &RecordArgs,
    recording: &RecordingOptions,
    options: &Options,
    state: &State,
) -> Result<Recorder, UsageError> {
    let size = recording::size(recording);
    let recorder = recorder_options(recording, output.target.clone(), options, size, state)?;
    output.check(wanted.all.as_deref(), size, &recorder.film)?;
    Recorder::begin(recorder, state).map_err(UsageError::new)
}

/// Returns the state that the recording begins with.
fn set_up(state: State, options: &Options, recording: &RecordingOptions, wanted: &RecordArgs) -> State {
    let mut state = if wanted.attempt { state.with_ways() } else { state };
    if options.seed.is_some() {
        // The real port is different each time.
        state.set_backend(Backend { endpoint: Some("http://127.0.0.1:4599".to_owned()), ..state.backend().clone() });
    }
    if recording.big {
        state.update(Event::Intent(Intent::ToggleZoom));
    }
    state
}

/// Writes what the film says beside it. A file that is there already may be somebody's own: it stays, unless the film may
/// replace files.
fn write_captions(paths: &[PathBuf], said: &[Caption], overwrite: bool) -> Result<(), Report> {
    for (path, text) in paths.iter().zip([captions::vtt(said), captions::srt(said)]) {
        if path.exists() && !overwrite {
            tell(format_args!("{} exists and stays as it is: --force replaces it", path.display()));
            continue;
        }
        let written = disk::beside(path).and_then(|mut file| {
            file.write_all(text.as_bytes())?;
            disk::keep(file, path, true)
        });
        written.wrap_err_with(|| format!("{} can't be written", path.display()))?;
    }
    Ok(())
}

fn write_stills(recorded: Recording, state: &State, stills: &[(Stage, Target)]) -> Result<Option<Exit>, Report> {
    let Finished::Film { film, options, .. } = recorded.finished else { return Ok(None) };
    let Size { width, height } = film.size;
    let (mut lines, mut missing) = (Vec::new(), Vec::new());
    for (stage, target) in stills {
        let path = target.path.display();
        let still = still(&film, *stage, state)
            .ok_or_else(|| Report::msg(format!("{path}: the lab did not come to {}", stage.key())))?;
        let saved = write(&still, target, &options, &Cancel::default())?;
        lines.push(format!("recorded {path}: {width}×{height}, {} kB", saved.bytes.div_ceil(1_000)));
        missing.extend(saved.missing_glyphs);
    }
    let mut known = HashSet::new();
    missing.retain(|c| known.insert(*c));
    missing_glyphs(&missing).into_iter().for_each(tell);
    print(&lines.join("\n")).map(|()| None)
}

/// Returns the picture of a stage's verdict or, if it has none, its last.
fn still(film: &Film, stage: Stage, state: &State) -> Option<Film> {
    let of_stage = || film.pictures.iter().filter(|picture| picture.stage == stage.key());
    let verdict = of_stage().rfind(|picture| picture.chapter.is_some());
    let picture = verdict.or_else(|| of_stage().next_back())?;
    Some(film.still(format!("kmslab: {}", state.text(stage).title), picture))
}
