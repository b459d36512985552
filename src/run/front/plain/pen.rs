//! Writes a statement or a grant of stage 7, line by line.

use crate::lab::{Event, Mode, State};
use crate::ui::plain::own_way;

/// Ends a text.
const END: &str = ".";

/// How far the text is.
#[derive(Debug, Default)]
enum Stroke {
    /// Nothing is written.
    #[default]
    Up,
    /// These lines so far.
    Writing(Vec<String>),
    /// The text is in the draft; its forecast is still to be told.
    Written,
    /// That was told.
    Told,
}

/// Collects lines for the draft.
#[derive(Debug, Default)]
pub(super) struct Pen {
    stroke: Stroke,
    /// The attempts whose outcome was told.
    told: u32,
}

impl Pen {
    /// Whether the next line belongs to the text.
    pub(super) fn is_writing(&self) -> bool {
        matches!(self.stroke, Stroke::Writing(_))
    }

    /// Begins the text once more.
    pub(super) fn lift(&mut self) {
        self.stroke = Stroke::Up;
    }

    /// Takes a line. The end of the text is an edit, unless nothing was written.
    pub(super) fn take(&mut self, line: &str, state: &State) -> Option<Event> {
        let Stroke::Writing(lines) = &mut self.stroke else { return None };
        if line.trim() != END {
            lines.push(line.to_owned());
            return None;
        }
        let text = lines.join("\n");
        self.stroke = Stroke::Written;
        let draft = state.draft().filter(|_| !text.is_empty())?;
        Some(Event::Edited(draft.edit_to(&text, (0, 0))))
    }

    /// What is new: the template, the forecast of a text that has just been written, or an attempt's outcome.
    pub(super) fn news(&mut self, state: &State) -> Vec<String> {
        if state.is_drilling() || state.is_running() {
            return Vec::new();
        }
        match (state.mode(), &self.stroke) {
            (Mode::Writing, Stroke::Up) => {
                self.stroke = Stroke::Writing(Vec::new());
                own_way::template(state)
            }
            (Mode::Writing, Stroke::Written) => {
                self.stroke = Stroke::Told;
                own_way::forecast(state)
            }
            (Mode::Writing, _) => Vec::new(),
            (Mode::Tried, _) if self.told != state.attempts().count() => {
                (self.stroke, self.told) = (Stroke::Up, state.attempts().count());
                own_way::outcome(state)
            }
            _ => {
                self.stroke = Stroke::Up;
                Vec::new()
            }
        }
    }
}
