//! `kmslab record`.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use color_eyre::eyre::{Report, WrapErr};
use ratatui::layout::Size;
use tokio::runtime::Runtime;

use super::ending::{PanicReport, exit_status, settle};
use super::interactive::learner;
use super::recording::{self, recorder_options, theme, title, written};
use super::report::{describe, print};
use super::setup::Lab;
use crate::cli::{Environment, Exit, Options, RecordingOptions, UsageError, tell};
use crate::lab::{Backend, Event, Intent, Stage, State};
use crate::record::{
    Cancel, Film, FilmOptions, Finished, Recorder, Recording, Target, can_be_written, missing_glyphs, write,
};
use crate::run::autoplay::{Autoplay, Pace};
use crate::run::effects::EffectHandler;
use crate::run::front::film::{Filmed, OfflineRecorder};
use crate::run::{Ended, signal};
use crate::sandbox;
use crate::ui::theme::ColorLevel;

/// The start time of seeded recordings: that of the sandbox's seeded clock, in Unix seconds.
const SEEDED_START: u64 = 1_767_225_600;

/// The arguments of `kmslab record`.
pub struct Wanted {
    /// The file.
    pub file: Option<PathBuf>,
    /// A still of this stage.
    pub stage: Option<Stage>,
    /// Stills of all stages, in this folder.
    pub all: Option<PathBuf>,
    /// The extension of those stills.
    pub stills: String,
    /// A part of the lab.
    pub teaser: bool,
    /// A learner's own attempt at stage 7.
    pub attempt: bool,
}

/// What is written.
struct Output {
    /// The file to record into; for stills the first of them.
    target: Target,
    /// A picture of each of these stages, instead of a recording.
    stills: Vec<(Stage, Target)>,
}

impl Output {
    fn new(wanted: &Wanted, overwrite: bool) -> Result<Output, UsageError> {
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

    fn autoplay(&self, wanted: &Wanted, pace: Pace) -> Autoplay {
        match self.stills[..] {
            [] if wanted.attempt => Autoplay::new(Pace::Read).attempting(),
            [] if wanted.teaser => Autoplay::new(Pace::Fast).only(Stage::ViewAdmin, Stage::ViewAgain),
            [] => Autoplay::new(pace),
            [(stage, _)] => Autoplay::new(Pace::Fast).only(stage, stage),
            _ => Autoplay::new(Pace::Fast),
        }
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
    wanted: &Wanted,
) -> Result<Exit, Report> {
    let output = Output::new(wanted, recording.force)?;
    let Lab { state, clients, journal, shelf, _sandbox } = learner(runtime, options, environment, 0)?;
    let mut state = set_up(state, options, recording, wanted);
    let _announcement = PanicReport::new(&state, journal.as_ref());
    let size = recording::size(recording);
    let recorder = recorder_options(recording, output.target.clone(), options, size, &state)?;
    output.check(wanted.all.as_deref(), size, &recorder.film)?;
    let recorder = Recorder::begin(recorder, &state).map_err(UsageError::new)?;
    let (effects, events) = EffectHandler::new(clients);
    let effects = effects.with_journal(journal.clone()).with_shelf(shelf);
    let studio = OfflineRecorder {
        world: &effects,
        events,
        autoplay: output.autoplay(wanted, recording.pace.into()),
        recorder,
        theme: theme(options, environment, ColorLevel::True),
        key_cast: recording::key_cast(recording),
        keys: recording.keys,
        seeded: options.seed.map(|_| SEEDED_START),
        cards: output.stills.is_empty() && !wanted.attempt,
    };
    let _in_runtime = runtime.enter();
    let mut stop = signal::stop(sandbox::abandon);
    let Filmed { recorder, length, ended, failure } = runtime.block_on(studio.film(&mut state, &mut stop));
    let survivors = settle(&state, journal.as_deref());
    let recorded = recorder.finish(length, title(&state)).wrap_err("the end of the recording can't be written");
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
    if ended == Ended::Refused
        && let Some(refusal) = state.refusal()
    {
        tell(refusal);
    }
    Ok(exit_status(&state, survivors, ended))
}

/// Returns the state that the recording begins with.
fn set_up(state: State, options: &Options, recording: &RecordingOptions, wanted: &Wanted) -> State {
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
