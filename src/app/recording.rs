//! The commands that record, show recordings again, and look into them.

use std::collections::HashSet;
use std::io::{self, IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use color_eyre::eyre::{Report, WrapErr};
use futures_util::{Stream, StreamExt};
use ratatui::layout::Size;
use time::OffsetDateTime;
use tokio::runtime::Runtime;

use super::{
    Announcement, Exit, Lab, bare_lab, check_regions, describe, exit_status, looks, random_number, settle, tell,
};
use crate::aws::ConfigError;
use crate::cli::{Command, Environment, Options, RecordingOptions, out, printable};
use crate::disk;
use crate::lab::{Event, Intent, Quiz, Stage, State};
use crate::record::cast::Version;
use crate::record::recorder::Output;
use crate::record::recorder::clock;
use crate::record::verify::{Allowed, Found, verify as find};
use crate::record::{
    AddedFonts, Film, FilmOptions, Kind, Palette, Recorded, Recorder, Saved, can_be_written, is_pixels, write,
    write_elsewhere,
};
use crate::run::live::{Live, Manner};
use crate::run::looks::Looks;
use crate::run::play::{Director, Pace};
use crate::run::replay::{Playback, read};
use crate::run::studio::{Filmed, Studio};
use crate::run::world::World;
use crate::run::{self, Ended, lesson, signal};
use crate::sandbox;
use crate::ui::Lane;
use crate::ui::terminal::{self, Screen};
use crate::ui::theme::{ColorLevel, Theme, ThemeName};

/// What the second of a recording with a seed counts from: where the sandbox's seeded clock begins.
const SEEDED_BEGINNING: u64 = 1_767_225_600;

/// The size of a recording where nothing says one: what fills 1920×1080 best.
const SIZE: Size = Size { width: 100, height: 28 };

/// Whoever waits longer for a file is told what for.
const LONG: Duration = Duration::from_secs(1);

/// The size of a recording in large text.
const BIG: Size = Size { width: 80, height: 24 };

/// What `kmslab record` was asked for.
pub struct Wanted {
    /// The file.
    pub file: Option<PathBuf>,
    /// A still of this stage.
    pub stage: Option<Stage>,
    /// Stills of all stages, into this folder.
    pub all: Option<PathBuf>,
    /// Their ending.
    pub stills: String,
    /// A part of the lab.
    pub teaser: bool,
}

fn usage(message: impl Into<String>) -> Report {
    ConfigError::Options(message.into()).into()
}

/// Options that mean nothing with this command.
pub fn check(command: Option<&Command>, options: &RecordingOptions) -> Result<(), Report> {
    let is_replay = matches!(command, Some(Command::Replay { .. }));
    if options.record.is_some() && command.is_some() && !is_replay {
        return Err(usage("--record goes with the interactive lab and with `kmslab replay`"));
    }
    if options.play && command.is_some() {
        return Err(usage("--play goes with the interactive lab; `kmslab record` always plays it"));
    }
    Ok(())
}

/// Whether events are recorded, and no pictures.
pub fn is_log(options: &RecordingOptions) -> bool {
    options.record.as_deref().is_some_and(|path| Kind::of(path) == Ok(Kind::Log))
}

fn theme(options: &Options, environment: &Environment, level: ColorLevel) -> Theme {
    let theme = Theme::choose(options.theme.unwrap_or_default().fixed(), level);
    if options.is_ascii(environment) { theme.in_ascii() } else { theme }
}

fn palette(theme: ThemeName) -> Palette {
    match theme {
        ThemeName::Dark => Palette::DARK,
        ThemeName::Light => Palette::LIGHT,
        ThemeName::HighContrast => Palette { background: (0, 0, 0), foreground: (255, 255, 255), ..Palette::DARK },
    }
}

/// How to record into `path`.
///
/// # Errors
/// Which font of a person's can't be used.
fn output(options: &RecordingOptions, path: &Path, theme: ThemeName, size: Size) -> Result<Output, Report> {
    if !options.font.is_empty() && !is_pixels(path) {
        return Err(usage(format!("{}: --font is for .png, .gif and .mp4; others hold text", path.display())));
    }
    let version = if options.cast_version == 2 { Version::Two } else { Version::Three };
    let timestamp = u64::try_from(OffsetDateTime::now_utc().unix_timestamp()).unwrap_or(0);
    Ok(Output {
        path: path.to_owned(),
        force: options.force,
        version,
        size,
        width: options.width,
        height: options.height,
        fonts: AddedFonts::read(&options.font).map_err(usage)?,
        palette: palette(theme),
        timestamp,
        keeps_pauses: false,
        spare: false,
    })
}

fn lane(options: &RecordingOptions) -> Lane {
    Lane { keys: options.keys, captions: options.captions, ..Lane::default() }
}

/// How the interactive lab is shown, and what is recorded of it.
///
/// # Errors
/// When the recording can't begin.
pub fn manner(
    recording: &RecordingOptions,
    looks: Looks,
    options: &Options,
    environment: &Environment,
    state: &mut State,
) -> Result<Manner, Report> {
    if recording.big {
        state.update(Event::Intent(Intent::ToggleZoom));
    }
    let mut manner = Manner::new(looks);
    manner.lane = lane(recording);
    manner.director = recording.play.then(|| Director::new(recording.pace.into()).attended());
    if let Some(path) = &recording.record {
        let size = recording.size.map_or_else(terminal::size, Ok).wrap_err("the terminal does not tell its size")?;
        let output = output(recording, path, options.theme.unwrap_or_default().fixed(), size)?;
        let output = Output { keeps_pauses: recording.play, spare: true, ..output };
        let recorder = Recorder::begin(output, state).map_err(usage)?;
        let live = Live::new(recorder, recording.keys).in_theme(theme(options, environment, environment.color_level()));
        manner.recording = Some(live);
    }
    Ok(manner)
}

/// Ends what was recorded of the interactive lab, and tells what it is. Whatever goes wrong, the lab has ended well.
pub fn finish(
    runtime: &Runtime,
    mut manner: Manner,
    state: &State,
    options: &RecordingOptions,
    stop: impl Stream<Item = u8> + Unpin,
) {
    let now = manner.now();
    let Some(recording) = manner.recording.take() else { return };
    if let Some(failure) = recording.failure() {
        tell(failure);
    }
    match recording.finish(now, title(state)) {
        Ok(recorded) => match runtime.block_on(written(recorded, film_options(options, state), stop)) {
            Written::Told(told) | Written::Not(told) | Written::Stopped(told, _) => tell(told),
        },
        Err(error) => tell(format_args!("the end of the recording can't be written: {error}")),
    }
}

/// What became of a recording that was to be written, in words for a person.
enum Written {
    /// The file is there.
    Told(String),
    /// It is not.
    Not(String),
    /// This signal came.
    Stopped(String, u8),
}

/// Writes what is not written yet, until a signal's number comes from `stop`.
async fn written(
    mut recorded: Recorded,
    mut options: FilmOptions,
    mut stop: impl Stream<Item = u8> + Unpin,
) -> Written {
    let film = match recorded.result {
        Ok(_) => return Written::Told(recorded.to_string()),
        Err(film) => film,
    };
    options.fonts = std::mem::take(&mut recorded.fonts);
    let (path, stopped, spare) = (recorded.path.clone(), options.stop.clone(), recorded.spare.take());
    let mut writing = tokio::task::spawn_blocking(move || {
        let discard = || spare.as_ref().map(std::fs::remove_file);
        match (write(&film, &path, &options), &spare) {
            (Ok(saved), _) => {
                discard();
                Ok(saved)
            }
            (Err(error), spare) => Err(match (write_elsewhere(&film, &path, &options), spare) {
                (Ok(place), _) => {
                    discard();
                    format!("{error}; what was recorded is {}", place.display())
                }
                (Err(_), Some(spare)) => format!("{error}; what was shown is kept: {}", spare.display()),
                (Err(_), None) => error.to_string(),
            }),
        }
    });
    let long = tokio::time::sleep(LONG);
    tokio::pin!(long);
    let (mut ended_by, mut is_told) = (None, false);
    let result = loop {
        tokio::select! {
            biased;
            // A terminal that is gone is no reason to lose what was recorded in it.
            Some(number) = stop.next(), if ended_by.is_none() => if number != signal::HANGUP {
                ended_by = Some(number);
                stopped.set();
            },
            result = &mut writing => break result.unwrap_or_else(|error| Err(error.to_string())),
            () = &mut long, if !is_told => {
                is_told = true;
                tell(format_args!("writing {} … (ctrl-c ends that)", recorded.path.display()));
            }
        }
    };
    match (result, ended_by) {
        (Ok(Saved { bytes, boxes }), _) => {
            Saved::trouble(&boxes).into_iter().for_each(tell);
            recorded.result = Ok(bytes);
            Written::Told(recorded.to_string())
        }
        (Err(error), Some(number)) => Written::Stopped(error, number),
        (Err(error), None) => Written::Not(error),
    }
}

fn film_options(options: &RecordingOptions, state: &State) -> FilmOptions {
    let RecordingOptions { force, width, height, .. } = *options;
    FilmOptions { force, width, height, lang: state.lesson.code.clone(), ..FilmOptions::default() }
}

fn title(state: &State) -> String {
    format!("kmslab: {}, {}", state.lesson.frame.export.title, state.backend.kind.key())
}

/// Plays the lab by itself and records it.
pub fn record(
    runtime: &Runtime,
    options: &Options,
    recording: &RecordingOptions,
    environment: &Environment,
    wanted: &Wanted,
) -> Result<Exit, Report> {
    let (path, stills) = target(wanted)?;
    let size = recording.size.unwrap_or(if recording.big { BIG } else { SIZE });
    let Lab { mut state, clients, journal, shelf, _sandbox } = bare_lab(runtime, options, environment, 0)?;
    check_regions(&clients, options)?;
    if options.mask {
        state.mask();
    }
    state = state.with_lesson(lesson::load(options, environment)?).with_review();
    if !options.no_questions {
        state = state.with_quiz(Quiz::new(options.seed.unwrap_or_else(random_number)));
    }
    if options.seed.is_some() {
        // The port is another each time.
        state.backend.endpoint = Some("http://127.0.0.1:4599".to_owned());
    }
    if recording.big {
        state.update(Event::Intent(Intent::ToggleZoom));
    }
    let _announcement = Announcement::new(&state, journal.as_ref());
    let mut output = output(recording, &path, options.theme.unwrap_or_default().fixed(), size)?;
    if let Some(folder) = &wanted.all {
        std::fs::create_dir_all(folder).map_err(|e| usage(format!("{} can't be made: {e}", folder.display())))?;
    }
    for (_, path) in stills.iter().flatten() {
        can_be_written(size, path, &film_options(recording, &state)).map_err(|error| usage(error.to_string()))?;
    }
    output.keeps_pauses = true;
    let recorder = Recorder::begin(output, &state).map_err(usage)?;
    let (world, events) = World::new(clients);
    let world = world.with_journal(journal.clone()).with_shelf(shelf);
    let director = match (&stills, wanted.teaser) {
        (Some(stages), _) if stages.len() == 1 => Director::new(Pace::Fast).only(stages[0].0, stages[0].0),
        (Some(_), _) => Director::new(Pace::Fast),
        (None, true) => Director::new(Pace::Fast).only(Stage::ViewAdmin, Stage::ViewAgain),
        (None, false) => Director::new(recording.pace.into()),
    };
    let studio = Studio {
        world: &world,
        events,
        director,
        recorder,
        theme: theme(options, environment, ColorLevel::True),
        lane: lane(recording),
        keys: recording.keys,
        seeded: options.seed.map(|_| SEEDED_BEGINNING),
        cards: stills.is_none(),
    };
    let _in_runtime = runtime.enter();
    let mut stop = signal::stop(sandbox::abandon);
    let Filmed { recorder, length, ended, failure } = runtime.block_on(studio.film(&mut state, &mut stop));
    let survivors = settle(&state, journal.as_deref());
    let recorded = recorder.finish(length, title(&state)).wrap_err("the end of the recording can't be written");
    let mut film_options = film_options(recording, &state);
    // What there is of a recording is kept; a still is whole or is not.
    let is_whole = failure.is_none() && !matches!(ended, Ended::Signal(_));
    let written = recorded.and_then(|recorded| match stills {
        Some(stages) if is_whole => {
            film_options.fonts = recorded.fonts.clone();
            write_stills(recorded, &state, &stages, &film_options)
        }
        Some(_) => Ok(None),
        None => told_written(runtime.block_on(written(recorded, film_options, stop))),
    });
    let written = match failure {
        Some(failure) => {
            written.err().into_iter().for_each(|error| tell(describe(&error, options.mask)));
            Err(failure).wrap_err_with(|| format!("{} is not complete", path.display()))
        }
        None => written,
    };
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

/// A still: of which stage, and its file.
type Still = (Stage, PathBuf);

/// The file to record into, and the stills to make of it instead.
fn target(wanted: &Wanted) -> Result<(PathBuf, Option<Vec<Still>>), Report> {
    let stills = match (&wanted.all, &wanted.file, wanted.stage) {
        (Some(folder), ..) => {
            let name = |stage: Stage| format!("{}_{}.{}", stage.number(), stage.key(), wanted.stills);
            Stage::ALL.map(|stage| (stage, folder.join(name(stage)))).to_vec()
        }
        (None, Some(file), Some(stage)) => vec![(stage, file.clone())],
        (None, Some(file), None) => return Ok((file.clone(), None)),
        (None, None, _) => return Err(usage("a file to record into is needed")),
    };
    for (_, path) in &stills {
        let ending = path.extension().unwrap_or_default().to_string_lossy().to_ascii_lowercase();
        if !["svg", "png", "txt"].contains(&ending.as_str()) {
            let path = path.display();
            return Err(usage(format!("{path}: --stage and --all make stills, which are .svg, .png or .txt")));
        }
    }
    let path = stills.first().map(|(_, path)| path.clone()).unwrap_or_default();
    Ok((path, Some(stills)))
}

/// Tells what became of a recording; gives the exit status where a signal ended it.
fn told_written(written: Written) -> Result<Option<Exit>, Report> {
    match written {
        Written::Told(text) => told(&text).map(|()| None),
        Written::Not(error) => Err(Report::msg(error)),
        Written::Stopped(error, number) => {
            tell(error);
            Ok(Some(Exit::Signal(number)))
        }
    }
}

fn write_stills(
    recorded: Recorded,
    state: &State,
    stills: &[Still],
    options: &FilmOptions,
) -> Result<Option<Exit>, Report> {
    let Err(film) = recorded.result else { return Ok(None) };
    let (mut lines, mut boxes) = (Vec::new(), Vec::new());
    for (stage, path) in stills {
        let still = still(&film, *stage, state)
            .ok_or_else(|| Report::msg(format!("{}: the lab did not come to {}", path.display(), stage.key())))?;
        let saved = write(&still, path, options)?;
        lines.push(format!(
            "recorded {}: {}×{}, {} kB",
            path.display(),
            film.size.width,
            film.size.height,
            saved.bytes.div_ceil(1_000)
        ));
        boxes.extend(saved.boxes);
    }
    let mut known = HashSet::new();
    boxes.retain(|c| known.insert(*c));
    Saved::trouble(&boxes).into_iter().for_each(tell);
    told(&lines.join("\n")).map(|()| None)
}

/// The picture of a stage's verdict or, where it has none, its last.
fn still(film: &Film, stage: Stage, state: &State) -> Option<Film> {
    let of_stage = || film.pictures.iter().filter(|picture| picture.stage == stage.key());
    let verdict = of_stage().rfind(|picture| picture.chapter.is_some());
    let picture = verdict.or_else(|| of_stage().next_back())?;
    Some(film.still(format!("kmslab: {}", state.text(stage).title), picture))
}

/// What a command was asked for, on stdout.
fn told(text: &str) -> Result<(), Report> {
    let mut out = out();
    writeln!(out, "{}", printable(text)).and_then(|()| out.flush()).wrap_err("the lines could not be written")
}

/// Shows a recorded session again, or records that.
pub fn replay(
    runtime: &Runtime,
    options: &Options,
    recording: &RecordingOptions,
    environment: &Environment,
    file: &Path,
) -> Result<Exit, Report> {
    let log = read(file).map_err(usage)?;
    if let Some(line) = log.cut_off {
        tell(format_args!("{}:{line}: the session was cut off here; what came before is shown", file.display()));
    }
    let mut own = options.clone();
    own.lang = own.lang.or_else(|| Some(log.head.lesson.clone()));
    // A lesson of one's own may have been in a language that there is none of here.
    let lesson = lesson::load(&own, environment).or_else(|error| match options.lang {
        Some(_) => Err(error),
        None => lesson::load(&Options { lang: Some("en".to_owned()), ..own.clone() }, environment),
    })?;
    let now = u64::try_from(OffsetDateTime::now_utc().unix_timestamp()).unwrap_or(0);
    let mut beginning = log.head.state(now).with_lesson(lesson);
    if options.mask && !log.head.masked {
        beginning.mask();
    }
    beginning.view.zoom |= recording.big;
    let mut playback =
        Playback::new(log, beginning).map_err(|problem| usage(format!("{}:{problem}", file.display())))?;
    if let Some(path) = &recording.record {
        if Kind::of(path).map_err(usage)? == Kind::Log {
            return Err(usage(format!("{} would be what {} is", path.display(), file.display())));
        }
        let size = recording.size.unwrap_or(if recording.big { BIG } else { SIZE });
        let mut output = output(recording, path, options.theme.unwrap_or_default().fixed(), size)?;
        output.keeps_pauses = true;
        let recorder = Recorder::begin(output, playback.state()).map_err(usage)?;
        let theme = theme(options, environment, ColorLevel::True);
        let title = title(playback.state());
        let recorded = playback.record(recorder, &theme, &lane(recording), title);
        let recorded = recorded.wrap_err_with(|| format!("{} is not complete", path.display()))?;
        let options = film_options(recording, playback.state());
        let _in_runtime = runtime.enter();
        let written = runtime.block_on(written(recorded, options, signal::stop(sandbox::abandon)));
        return Ok(told_written(written)?.unwrap_or(Exit::Met));
    }
    if !(io::stdin().is_terminal() && io::stdout().is_terminal()) {
        return Err(usage("a replay needs a terminal; `kmslab replay FILE --record OUT` needs none"));
    }
    let looks = looks(options, environment);
    let _in_runtime = runtime.enter();
    let stop = signal::stop(sandbox::abandon);
    let mut screen = Screen::enter().wrap_err("the terminal can't be used")?;
    let ended = runtime.block_on(async {
        let input = run::input::input(&mut screen)?;
        playback.show(&mut screen, looks, &lane(recording), input, stop).await
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

/// Looks in a recording for what should not be published, but for the texts in the file `allow`. `-` is the standard
/// input.
pub fn verify(file: &Path, allow: Option<&Path>) -> Result<Exit, Report> {
    let unreadable = |path: &Path, error: io::Error| usage(format!("{} can't be read: {error}", path.display()));
    let allowed =
        allow.map(|path| disk::read_text(path, disk::SETTINGS).map_err(|error| unreadable(path, error))).transpose()?;
    let allowed = Allowed::parse(&allowed.unwrap_or_default());
    let is_input = file == Path::new("-");
    let read = match is_input {
        true => disk::read_all(io::stdin(), disk::RECORDING),
        false => disk::read(file, disk::RECORDING),
    };
    let bytes = read.map_err(|error| unreadable(file, error))?;
    // "Nothing found" would be said of what nobody has looked at.
    if bytes.contains(&0) {
        let text = "it is no text; what stands in pictures can't be looked for";
        let advice = "record a .cast or a .kmslab of the same lab, and look into that";
        return Err(usage(format!("{}: {text}\n  {advice}", file.display())));
    }
    let lines: Vec<String> = find(&bytes, allowed)
        .into_iter()
        .map(|Found { line, column, at, what, shown }| {
            let at = at.map(|at| format!("at {}: ", clock(at))).unwrap_or_default();
            format!("{}:{line}:{column}: {at}{what}: {}…", file.display(), shown.escape_debug())
        })
        .collect();
    if lines.is_empty() {
        told(&format!("{}: nothing found", file.display()))?;
        return Ok(Exit::Met);
    }
    told(&lines.join("\n"))?;
    Ok(Exit::NotMet)
}
