//! The key cast, for recordings and for an audience: the key that was pressed last, and a caption. It shares the message
//! line above the footer. A message goes before a caption.

use ratatui::text::Span;

use crate::lab::{State, Status};

use super::keys::names;
use super::keys::row::KeyHint;
use super::text::{truncate, width};
use super::theme::Theme;

/// The longest caption, in columns.
const LONGEST: usize = 70;

/// The state of autoplay.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Playing {
    /// It plays.
    On,
    /// It waits for a person's answer.
    Waits,
    /// It has ended, with the last key that was pressed or by itself.
    Ended,
}

/// What the key cast shows.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct KeyCast {
    /// Whether keys are shown.
    pub keys: bool,
    /// Whether captions are shown.
    pub captions: bool,
    /// The key that was pressed last, and what it did.
    pub pressed: Option<KeyHint>,
    /// Whether the lab plays itself: nobody should take it for hung.
    pub playing: Option<Playing>,
}

impl KeyCast {
    /// Notes that a key was pressed.
    pub fn press(&mut self, pressed: Option<KeyHint>) {
        if self.keys {
            self.pressed = pressed;
        }
    }

    /// The key, `⏎ send it`.
    pub(super) fn key(&self, theme: &Theme) -> Vec<Span<'static>> {
        let Some(pressed) = self.pressed.as_ref().filter(|_| self.keys) else { return Vec::new() };
        let key = if pressed.keys == "enter" { "⏎" } else { &pressed.keys };
        vec![Span::styled(format!(" {key} "), theme.focus), Span::styled(format!(" {}  ", pressed.label), theme.base)]
    }

    /// The same without what only the person at the keyboard needs.
    #[must_use]
    pub fn recorded(&self) -> KeyCast {
        KeyCast { playing: None, ..self.clone() }
    }

    /// Whether the lab plays itself.
    pub(super) fn is_playing(&self) -> bool {
        matches!(self.playing, Some(Playing::On | Playing::Waits))
    }

    /// Says that autoplay has ended.
    pub(super) fn ended(&self, state: &State) -> Option<String> {
        let text = state.interface().say("playback has ended: the lab is yours");
        (self.playing == Some(Playing::Ended)).then(|| text.to_owned())
    }

    /// Says what autoplay waits for, in at most `columns` columns.
    pub(super) fn waits(&self, state: &State, columns: usize) -> Option<String> {
        let [enter, next] = ["advance", "clicker_next"].map(|name| names::first(name, &state.view().keys));
        let fill = |text| state.interface().fill(text, &[&enter, &next]);
        (self.playing == Some(Playing::Waits)).then(|| {
            let text = fill("playing: waiting for your answer · {} plays it · {} skips");
            if width(&text) <= columns { text } else { fill("playing: your answer, {} or {} continues") }
        })
    }

    /// The caption in at most `columns` columns, where captions are shown.
    pub fn caption(&self, state: &State, columns: usize) -> Option<String> {
        self.captions.then(|| caption(state, columns.min(LONGEST)))?
    }
}

/// The shown stage's subject in one line.
fn caption(state: &State, columns: usize) -> Option<String> {
    if let Some(which) = state.view().experiment {
        let text = state.experiment(which);
        let choices = match &state.shown().status {
            Status::Todo => vec![text.setup.trim().to_owned(), text.title.clone()],
            Status::Running => return None,
            Status::Done(check) => vec![text.lesson.trim().to_owned(), check.observed.clone(), text.title.clone()],
        };
        return fitting(&choices, columns);
    }
    let text = state.text(state.view().shown);
    let choices = match &state.shown().status {
        Status::Todo => vec![text.objective.to_owned(), text.title.to_owned()],
        Status::Running if state.held().is_some() => vec![text.look.to_owned(), text.objective.to_owned()],
        Status::Running => return None,
        Status::Done(check) => vec![text.look.to_owned(), check.observed.clone(), text.expected.to_owned()],
    };
    fitting(&choices, columns)
}

/// The first of `choices` that fits, else the last one, cut.
fn fitting(choices: &[String], columns: usize) -> Option<String> {
    let fitting = choices.iter().find(|choice| width(choice) <= columns);
    fitting.cloned().or_else(|| choices.last().map(|last| truncate(last, columns)))
}
