//! What goes with the interactive lab besides lab and terminal: colors, the key display, autoplay and a recording.

use std::time::Duration;

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use tokio::time::Instant;

use super::audience::Audience;
use super::autoplay::{Autoplay, Cue};
use super::input::Input;
use super::looks::Looks;
use crate::lab::log::Logged;
use crate::lab::{Event, State};
use crate::record::{Recorder, Recording, clock};
use crate::ui::key_cast::Playing;
use crate::ui::{self, KeyCast, Theme};

/// How the lab is shown.
pub struct Presentation {
    /// In which colors.
    pub looks: Looks,
    /// The last key, and captions.
    pub key_cast: KeyCast,
    /// Who presses the keys, where that is not a person alone.
    pub autoplay: Option<Autoplay>,
    /// Whether the terminal's bell rings when a long wait ends.
    pub rings: bool,
    /// The phones of an audience.
    pub audience: Option<Audience>,
    /// What is recorded.
    pub recording: Option<LiveRecording>,
    /// When it began.
    pub begun: Instant,
    /// Whether the play has ended, and no key was pressed since.
    ended: bool,
}

impl Presentation {
    /// The lab in these colors, and nothing else.
    pub fn new(looks: impl Into<Looks>) -> Presentation {
        let looks = looks.into();
        Presentation {
            looks,
            key_cast: KeyCast::default(),
            autoplay: None,
            rings: false,
            audience: None,
            recording: None,
            begun: Instant::now(),
            ended: false,
        }
    }

    /// Takes in that a new run begins: a log has one run, pictures have all of them.
    pub fn new_run(&mut self) {
        self.autoplay = None;
        let now = self.now();
        if let Some(recording) = self.recording.as_mut().filter(|recording| recording.is_log()) {
            recording.last = now;
            recording.stop("the log ends here: a new run begins".to_owned());
        }
    }

    /// How long it has been going on.
    pub fn now(&self) -> Duration {
        self.begun.elapsed()
    }

    /// What comes next where nothing happens before. What it tells of trouble it tells once.
    pub(super) fn upcoming(&mut self, state: &State) -> Due {
        let (now, begun) = (self.now(), self.begun);
        let cue = self.autoplay.as_mut().map(|autoplay| autoplay.cue(state, now));
        let ends = matches!(cue, Some(Cue::End(_) | Cue::Stuck));
        if ends {
            self.autoplay = None;
            self.ended = true;
        }
        Due {
            key: if let Some(Cue::Press(at, code)) = cue { Some((begun + at, code)) } else { None },
            write: self.recording.as_ref().and_then(LiveRecording::due).map(|at| begun + at),
            trouble: self.recording.as_mut().and_then(LiveRecording::trouble),
            ended: ends,
        }
    }

    /// Notes that a person has pressed a key, which takes over from the autoplay unless that allows for it.
    pub(super) fn taken_over(&mut self) {
        self.ended = self.autoplay.take_if(|autoplay| !autoplay.takes_keys()).is_some();
    }

    /// What the key cast says about a play.
    pub(super) fn playing(&self, state: &State) -> Option<Playing> {
        match &self.autoplay {
            Some(autoplay) if autoplay.answer(state).is_some() => Some(Playing::Waits),
            Some(_) => Some(Playing::On),
            None => self.ended.then_some(Playing::Ended),
        }
    }

    /// The key that the autoplay presses in place of a person's `input`, who only wants it to go on.
    pub(super) fn stands_in(&self, input: &Input, state: &State) -> Option<KeyCode> {
        let Input::Key(key) = *input else { return None };
        let goes_on = input.is_key_press() && ui::keys::is("advance", key, &state.view().keys);
        self.autoplay.as_ref().filter(|_| goes_on)?.answer(state)
    }

    /// Notes that the autoplay has pressed a key while `state` was shown.
    pub(super) fn played(&mut self, state: &State, code: KeyCode) {
        let now = self.now();
        if let Some(autoplay) = &mut self.autoplay {
            autoplay.pressed(state, code, now);
        }
    }

    /// Whether events are recorded.
    pub(super) fn is_logged(&self) -> bool {
        self.recording.as_ref().is_some_and(LiveRecording::is_log)
    }

    /// Records that `event` has happened to `state`, where events are recorded.
    pub(super) fn log(&mut self, state: &State, event: &Event) {
        let now = self.now();
        if let Some(recording) = self.recording.as_mut().filter(|recording| recording.is_log()) {
            recording.happened(now, state, event);
        }
    }
}

/// What comes by itself.
pub(super) struct Due {
    /// A key that the autoplay presses then.
    pub(super) key: Option<(Instant, KeyCode)>,
    /// When the recording writes what it holds.
    pub(super) write: Option<Instant>,
    /// What the person must be told now.
    pub(super) trouble: Option<String>,
    /// Whether the play has just ended, which the picture does not show yet.
    pub(super) ended: bool,
}

/// A recording of the lab as it happens. Where it can't be written any more the lab goes on without it.
pub struct LiveRecording {
    recorder: Recorder,
    /// Its colors, where they are not those of the screen.
    theme: Option<Theme>,
    /// Whether keys are recorded, too.
    keys: bool,
    /// What the person must be told, once each.
    trouble: Option<String>,
    /// Why it ended early.
    failure: Option<String>,
    has_other_size: bool,
    last: Duration,
    /// The second that was logged last.
    second: u64,
}

impl LiveRecording {
    /// Records with `recorder`; keys, too, where `keys` says so.
    pub fn new(recorder: Recorder, keys: bool) -> LiveRecording {
        LiveRecording {
            recorder,
            theme: None,
            keys,
            trouble: None,
            failure: None,
            has_other_size: false,
            last: Duration::ZERO,
            second: 0,
        }
    }

    /// In these colors, whatever the screen's are: a recording doesn't depend on the terminal that it is made in.
    #[must_use]
    pub fn in_theme(self, theme: Theme) -> LiveRecording {
        LiveRecording { theme: Some(theme), ..self }
    }

    /// Takes in what the screen shows: `shown` is its picture. Where the terminal has another size by now, the picture is
    /// drawn again at the size of the recording.
    pub fn see(&mut self, at: Duration, state: &State, theme: &Theme, key_cast: &KeyCast, shown: &Buffer) {
        if self.failure.is_some() {
            return;
        }
        self.last = at;
        let size = self.recorder.size();
        let own = self.theme.as_ref().unwrap_or(theme);
        let is_whole = shown.area.as_size() == size && key_cast.playing.is_none() && own == theme;
        let written = if is_whole || self.recorder.is_log() {
            self.recorder.see(at, Some(state), shown)
        } else {
            if shown.area.as_size() != size && !self.has_other_size {
                self.has_other_size = true;
                self.trouble = Some(format!("the recording stays at {}×{}", size.width, size.height));
            }
            self.recorder.see(at, Some(state), &ui::render_with(state, own, &key_cast.recorded(), size))
        };
        self.note(written);
    }

    /// Takes in that `event` has happened to `state`.
    pub fn happened(&mut self, at: Duration, state: &State, event: &Event) {
        if let Event::Clock(second) = event
            && std::mem::replace(&mut self.second, *second) == *second
        {
            return;
        }
        if let Some(logged) = Logged::of(state, event) {
            let written = self.recorder.happened(at, logged);
            self.note(written);
        }
    }

    /// Whether it wants to know what happens.
    pub fn is_log(&self) -> bool {
        self.recorder.is_log() && self.failure.is_none()
    }

    /// Takes in that a key was pressed while `state` was shown. What is typed in a dialog is nobody's business.
    pub fn typed(&mut self, at: Duration, state: &State, key: KeyEvent) {
        if self.keys && !state.is_asking_for_consent() && !state.view().is_asking_to_quit() {
            let written = bytes(key).map_or(Ok(()), |typed| self.recorder.input(at, &typed));
            self.note(written);
        }
    }

    /// When it wants to write what it holds.
    pub fn due(&self) -> Option<Duration> {
        self.recorder.due()
    }

    /// What the person must be told now.
    pub fn trouble(&mut self) -> Option<String> {
        self.trouble.take()
    }

    fn note(&mut self, written: std::io::Result<()>) {
        if let Err(error) = written
            && self.failure.is_none()
        {
            self.stop(format!("the recording ended at {}: {error}; what was recorded is kept", clock(self.last)));
        }
    }

    fn stop(&mut self, why: String) {
        self.trouble = Some(why.clone());
        self.failure = Some(why);
    }

    /// Why it ended early, if it did.
    pub fn failure(&self) -> Option<&str> {
        self.failure.as_deref()
    }

    /// Ends it.
    ///
    /// # Errors
    /// When its end can't be written.
    pub fn finish(self, at: Duration, title: String) -> std::io::Result<Recording> {
        let at = if self.failure.is_some() { self.last } else { at };
        self.recorder.finish(at, title)
    }
}

/// What a terminal sends for `key`, as players read it.
pub(super) fn bytes(key: KeyEvent) -> Option<String> {
    Some(match key.code {
        KeyCode::Char(c) if key.modifiers.contains(KeyModifiers::CONTROL) => {
            let c = u8::try_from(c.to_ascii_lowercase()).ok().filter(u8::is_ascii_lowercase)?;
            char::from(c - b'a' + 1).to_string()
        }
        KeyCode::Char(c) => c.to_string(),
        KeyCode::Enter => "\r".to_owned(),
        KeyCode::Tab => "\t".to_owned(),
        KeyCode::BackTab => "\u{1b}[Z".to_owned(),
        KeyCode::Esc => "\u{1b}".to_owned(),
        KeyCode::Backspace => "\u{7f}".to_owned(),
        KeyCode::Up => "\u{1b}[A".to_owned(),
        KeyCode::Down => "\u{1b}[B".to_owned(),
        KeyCode::Right => "\u{1b}[C".to_owned(),
        KeyCode::Left => "\u{1b}[D".to_owned(),
        _ => return None,
    })
}

/// The key of an autoplay. A control character is ctrl and its letter, as terminals send them.
pub(super) fn key(code: KeyCode) -> KeyEvent {
    match code {
        KeyCode::Char(c @ '\u{1}'..='\u{1a}') => {
            let letter = char::from_u32(u32::from(c) + 0x60).unwrap_or(c);
            KeyEvent::new(KeyCode::Char(letter), KeyModifiers::CONTROL)
        }
        code => KeyEvent::new(code, KeyModifiers::NONE),
    }
}

/// The whole screen of this size.
pub(super) fn area(buffer: ratatui::layout::Size) -> Rect {
    Rect::from((ratatui::layout::Position::ORIGIN, buffer))
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use ratatui::layout::Size;

    use super::*;
    use crate::lab::Pace;
    use crate::lab::consent::Digits;
    use crate::lab::{Backend, BackendKind, Names, Overlay, Stage};
    use crate::record::cast::{Header, Version};
    use crate::record::{FilmOptions, Palette, RecorderOptions, Target};
    use crate::ui::{ColorLevel, ThemeName};

    fn state() -> State {
        let backend =
            Backend { kind: BackendKind::Sandbox, region: "us-east-1".into(), endpoint: None, given_user: false };
        State::new(backend, Names::new("t1"))
    }

    fn live(path: &Path) -> LiveRecording {
        let header = Header {
            version: Version::Three,
            size: Size::new(80, 24),
            palette: Palette::DARK,
            timestamp: 0,
            keeps_pauses: false,
        };
        let target = Target::new(path, false).unwrap();
        let options = RecorderOptions { target, header, film: FilmOptions::default(), partial: false };
        LiveRecording::new(Recorder::begin(options, &state()).unwrap(), true)
    }

    #[test]
    fn what_is_typed_in_a_dialog_is_in_no_recording() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("lab.cast");
        let mut live = live(&path);
        let mut state = state();
        let overlays = [
            Some(Overlay::Consent { stage: Stage::CreateKey, typed: Digits::default(), wrong: false }),
            Some(Overlay::Quit),
            None,
        ];
        for (overlay, typed) in overlays.into_iter().zip(['7', '8', '9']) {
            state.view_mut().overlay = overlay;
            live.typed(Duration::ZERO, &state, key(KeyCode::Char(typed)));
        }
        live.finish(Duration::ZERO, String::new()).unwrap();
        let text = std::fs::read_to_string(path).unwrap();
        let typed: Vec<&str> = text.lines().filter(|line| line.contains("\"i\"")).collect();
        assert!(matches!(typed.as_slice(), [one] if one.contains("\"9\"")), "{text}");
    }

    /// Each event could advance the clock; once a second is enough.
    #[test]
    fn a_second_is_logged_once() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("lab.kmslab");
        let mut live = live(&path);
        for second in [0, 1, 1, 1, 2] {
            live.happened(Duration::from_secs(second), &state(), &Event::Clock(second));
        }
        live.finish(Duration::ZERO, String::new()).unwrap();
        let text = std::fs::read_to_string(path).unwrap();
        assert_eq!(text.lines().skip(1).collect::<Vec<_>>(), [r#"{"at":1000,"clock":1}"#, r#"{"at":2000,"clock":2}"#]);
    }

    #[test]
    fn a_log_ends_where_a_new_run_begins_and_pictures_go_on() {
        for (name, is_log) in [("lab.kmslab", true), ("lab.cast", false)] {
            let folder = tempfile::tempdir().unwrap();
            let mut manner = Presentation::new(Theme::choose(ThemeName::Dark, ColorLevel::True));
            manner.recording = Some(live(&folder.path().join(name)));
            assert_eq!(manner.is_logged(), is_log);
            manner.new_run();
            assert!(!manner.is_logged());
            let told = manner.upcoming(&state()).trouble;
            assert_eq!(told.as_deref(), is_log.then_some("the log ends here: a new run begins"));
            assert_eq!(manner.upcoming(&state()).trouble, None, "once");
            // What ended early is as long as it was then.
            let hour = Duration::from_secs(3_600);
            let recorded = manner.recording.unwrap().finish(hour, String::new()).unwrap();
            assert!(!is_log || recorded.length < hour, "{:?}", recorded.length);
        }
    }

    #[test]
    fn only_a_running_play_ends_when_a_person_takes_over() {
        let mut manner = Presentation::new(Theme::choose(ThemeName::Dark, ColorLevel::True));
        manner.taken_over();
        assert!(manner.playing(&state()).is_none());
        manner.autoplay = Some(Autoplay::new(Pace::Fast));
        assert!(matches!(manner.playing(&state()), Some(Playing::On | Playing::Waits)));
        manner.taken_over();
        assert!(matches!(manner.playing(&state()), Some(Playing::Ended)));
    }
}
