//! Recordings: their options, and how they are written.

use std::time::Duration;

use color_eyre::eyre::{Report, WrapErr};
use futures_util::{Stream, StreamExt};
use ratatui::layout::Size;
use time::OffsetDateTime;
use tokio::runtime::Runtime;

use super::report::print;
use crate::cli::{Command, Environment, Exit, Options, RecordingOptions, UsageError, tell};
use crate::lab::{Event, Intent, State};
use crate::record::cast::{Header, Version};
use crate::record::{
    AddedFonts, Cancel, FilmOptions, Finished, Format, OtherColors, Palette, Pixels, Recorder, RecorderOptions,
    Recording, Saved, Target, missing_glyphs, write_or_rescue,
};
use crate::run::autoplay::Autoplay;
use crate::run::looks::Looks;
use crate::run::presentation::{LiveRecording, Presentation};
use crate::run::signal;
use crate::ui::KeyCast;
use crate::ui::terminal;
use crate::ui::theme::{ColorLevel, Theme, ThemeChoice, ThemeName, dark_and_light};

/// The default size of a recording: it fills 1920×1080 best.
const SIZE: Size = Size { width: 100, height: 28 };

/// The size of a recording in large text.
const BIG: Size = Size { width: 80, height: 24 };

/// Progress is shown if writing takes longer than this.
const LONG: Duration = Duration::from_secs(1);

/// Checks options that have no meaning with this command.
///
/// # Errors
/// A usage error that names the option.
pub fn check(command: Option<&Command>, options: &RecordingOptions) -> Result<(), UsageError> {
    let is_replay = matches!(command, Some(Command::Replay { .. } | Command::Drill { .. }));
    if options.record.is_some() && command.is_some() && !is_replay {
        return Err(UsageError::new("--record goes with the interactive lab, `kmslab drill` and `kmslab replay`"));
    }
    if options.play && command.is_some() {
        return Err(UsageError::new("--play goes with the interactive lab; `kmslab record` always plays it"));
    }
    Ok(())
}

/// Whether events are recorded, and no pictures.
pub fn is_log(options: &RecordingOptions) -> bool {
    options.record.as_deref().is_some_and(|path| matches!(Format::of(path), Ok(Format::Log)))
}

/// Returns the size of a recording that depends on no terminal.
pub(super) fn size(options: &RecordingOptions) -> Size {
    options.size.unwrap_or(if options.big { BIG } else { SIZE })
}

/// Returns the theme of a recording.
pub(super) fn theme(options: &Options, environment: &Environment, level: ColorLevel) -> Theme {
    let theme = Theme::choose(options.theme.unwrap_or_default().fixed(), level);
    if options.is_ascii(environment) { theme.in_ascii() } else { theme }
}

/// Returns the terminal's colors in the chosen theme.
pub(super) fn palette(options: &Options) -> Palette {
    match options.theme.unwrap_or_default().fixed() {
        ThemeName::Dark => Palette::DARK,
        ThemeName::Light => Palette::LIGHT,
        ThemeName::HighContrast => Palette { background: (0, 0, 0), foreground: (255, 255, 255), ..Palette::DARK },
    }
}

/// Returns the display of keys and captions.
pub(super) fn key_cast(options: &RecordingOptions) -> KeyCast {
    KeyCast { keys: options.keys, captions: options.captions, ..KeyCast::default() }
}

/// Returns how to record into `target` a lab that begins with `state`.
///
/// # Errors
/// A usage error if a font can't be used.
pub(super) fn recorder_options(
    recording: &RecordingOptions,
    target: Target,
    options: &Options,
    size: Size,
    state: &State,
) -> Result<RecorderOptions, UsageError> {
    let film = film_options(recording, &target, &state.lesson().code, options)?;
    Ok(RecorderOptions {
        header: Header {
            version: film.cast_version,
            size,
            palette: palette(options),
            timestamp: u64::try_from(OffsetDateTime::now_utc().unix_timestamp()).unwrap_or(0),
            keeps_pauses: true,
        },
        film,
        target,
        partial: false,
    })
}

/// Returns how to write a film in this language to `target`.
///
/// # Errors
/// A usage error if a font can't be used.
pub(super) fn film_options(
    recording: &RecordingOptions,
    target: &Target,
    lang: &str,
    options: &Options,
) -> Result<FilmOptions, UsageError> {
    if recording.loops > 0 && !matches!(target.format, Format::Gif | Format::Webp | Format::Svg) {
        let path = target.path.display();
        return Err(UsageError::new(format!("{path}: --loop is for .gif, .webp and .svg")));
    }
    if recording.frame && !(target.format.is_pixels() || target.format == Format::Svg) {
        let path = target.path.display();
        return Err(UsageError::new(format!("{path}: --frame is for images and videos")));
    }
    // Who has chosen a theme wants that one everywhere.
    let adapts = matches!(options.theme.unwrap_or_default(), ThemeChoice::Auto);
    if !recording.font.is_empty() && !target.format.is_pixels() {
        let path = target.path.display();
        return Err(UsageError::new(format!("{path}: --font is for images and videos; others hold text")));
    }
    Ok(FilmOptions {
        pixels: Pixels::new(recording.width, recording.height),
        fonts: AddedFonts::read(&recording.font).map_err(UsageError::new)?,
        lang: lang.to_owned(),
        frame: recording.frame,
        loops: recording.loops,
        light: adapts.then(|| OtherColors { palette: Palette::LIGHT, named: dark_and_light() }),
        cast_version: if recording.cast_version == 3 { Version::Three } else { Version::Two },
        ..FilmOptions::default()
    })
}

/// Returns how the interactive lab is shown and recorded.
///
/// # Errors
/// If the recording can't begin.
pub fn manner(
    recording: &RecordingOptions,
    looks: Looks,
    options: &Options,
    environment: &Environment,
    state: &mut State,
) -> Result<Presentation, Report> {
    if recording.big {
        state.update(Event::Intent(Intent::ToggleZoom));
    }
    let mut manner = Presentation::new(looks);
    manner.key_cast = key_cast(recording);
    manner.rings = options.bell;
    manner.autoplay = recording.play.then(|| Autoplay::new(recording.pace.into()).attended());
    if let Some(path) = &recording.record {
        let size = recording.size.map_or_else(terminal::size, Ok).wrap_err("the terminal does not tell its size")?;
        let target = Target::new(path, recording.force).map_err(UsageError::new)?;
        let mut recorder = recorder_options(recording, target, options, size, state)?;
        recorder.header.keeps_pauses = recording.play;
        recorder.partial = true;
        let recorder = Recorder::begin(recorder, state).map_err(UsageError::new)?;
        let live = LiveRecording::new(recorder, recording.keys).in_theme(theme(
            options,
            environment,
            environment.color_level(),
        ));
        manner.recording = Some(live);
    }
    Ok(manner)
}

/// Returns the title of a recording.
pub(super) fn title(state: &State) -> String {
    format!("kmslab: {}, {}", state.lesson().frame.export.title, state.backend().kind.key())
}

/// Ends the recording of the interactive lab and reports on it. Errors are only reported: the lab itself has ended well.
pub fn finish(runtime: &Runtime, mut manner: Presentation, state: &State, stop: impl Stream<Item = u8> + Unpin) {
    let now = manner.now();
    let Some(recording) = manner.recording.take() else { return };
    if let Some(failure) = recording.failure() {
        tell(failure);
    }
    match recording.finish(now, title(state)) {
        Ok(recording) => match runtime.block_on(written(recording, stop)) {
            Written::File(text) | Written::Failed(text) | Written::Stopped(text, _) => tell(text),
        },
        Err(error) => tell(format_args!("the end of the recording can't be written: {error}")),
    }
}

/// What became of a recording that had to be written, as text for the user.
pub(super) enum Written {
    /// The file is complete.
    File(String),
    /// It could not be written.
    Failed(String),
    /// This signal stopped it.
    Stopped(String, u8),
}

impl Written {
    /// Reports it on stdout; returns the exit status if a signal has stopped the writing.
    ///
    /// # Errors
    /// If the recording or the report could not be written.
    pub(super) fn report(self) -> Result<Option<Exit>, Report> {
        match self {
            Written::File(text) => print(&text).map(|()| None),
            Written::Failed(error) => Err(Report::msg(error)),
            Written::Stopped(error, number) => {
                tell(error);
                Ok(Some(Exit::Signal(number)))
            }
        }
    }
}

/// Writes a film that is not written yet, until `stop` yields a signal.
pub(super) async fn written(recording: Recording, mut stop: impl Stream<Item = u8> + Unpin) -> Written {
    let Finished::Film { film, options, partial } = recording.finished else {
        return Written::File(recording.to_string());
    };
    let (target, cancel) = (recording.target.clone(), Cancel::default());
    let cancelled = cancel.clone();
    let mut writing =
        tokio::task::spawn_blocking(move || write_or_rescue(&film, &target, &options, partial, &cancelled));
    let long = tokio::time::sleep(LONG);
    tokio::pin!(long);
    let (mut ended_by, mut is_told) = (None, false);
    let result = loop {
        tokio::select! {
            biased;
            // If the terminal is gone, the recording is still worth writing.
            Some(number) = stop.next(), if ended_by.is_none() => if number != signal::HANGUP {
                ended_by = Some(number);
                cancel.cancel();
            },
            result = &mut writing => break result.map_err(Report::from).and_then(|saved| Ok(saved?)),
            () = &mut long, if !is_told => {
                is_told = true;
                tell(format_args!("writing {} … (ctrl-c ends that)", recording.target.path.display()));
            }
        }
    };
    match (result, ended_by) {
        (Ok(Saved { bytes, missing_glyphs: missing }), _) => {
            missing_glyphs(&missing).into_iter().for_each(tell);
            Written::File(Recording { finished: Finished::File { bytes }, ..recording }.to_string())
        }
        (Err(error), Some(number)) => Written::Stopped(error.to_string(), number),
        (Err(error), None) => Written::Failed(error.to_string()),
    }
}
