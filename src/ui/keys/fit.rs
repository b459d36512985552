//! What depends on the terminal's size: whether there is room for an action, and how far it scrolls.

use std::cell::OnceCell;

use crossterm::event::{KeyCode, KeyEvent, KeyEventKind, KeyModifiers};
use ratatui::layout::Rect;

use crate::lab::quiz::LETTERS;
use crate::lab::{Intent, Keymap, Mode, Modes, Overlay, Permit, PresenterAction, SearchAction, State, Status};
use crate::ui::consent;
use crate::ui::layout;
use crate::ui::size::{Class, Extent};

use super::chord::{Chord, control};
use super::row::{Action, Binding, Find, Press, Row, Scroll};
use super::table::KEYS;

/// The state on a screen of one size.
#[derive(Debug, Clone)]
pub struct Fit<'a> {
    pub(super) state: &'a State,
    pub(super) keymap: &'a Keymap,
    pub(super) area: Rect,
    /// What scrolls now, and its first line: worked out once, since it takes wrapping a text.
    scrolled: OnceCell<Option<(Extent, u16)>>,
}

/// The intent of `event` now, if it has one. Only presses count; a key that is held down only scrolls.
pub fn intent(event: KeyEvent, state: &State, area: Rect) -> Option<Intent> {
    Fit::new(state, area).pressed(event)
}

impl<'a> Fit<'a> {
    /// The state as it is shown on `area`, with the person's own keys.
    pub fn new(state: &'a State, area: Rect) -> Fit<'a> {
        Fit { state, keymap: &state.view().keys, area, scrolled: OnceCell::new() }
    }

    /// The same screen with the keys of `keymap`.
    #[must_use]
    pub fn with_keys(self, keymap: &'a Keymap) -> Fit<'a> {
        Fit { keymap, ..self }
    }

    /// The intent of `event` now, if it has one.
    pub fn pressed(&self, event: KeyEvent) -> Option<Intent> {
        match self.bound(event) {
            // No stray finger presses these two.
            Some((_, Intent::AskToQuit, _))
                if Chord::of(event) == Some(control('c')) && self.state.mode() != Mode::Writing =>
            {
                Some(Intent::Quit)
            }
            Some((_, intent, _)) => Some(intent),
            None => self.typed(event),
        }
    }

    /// What `event` is bound to: the first binding that is allowed, else the first that says why not.
    pub(super) fn bound(&self, event: KeyEvent) -> Option<(&'static Row, Intent, Permit)> {
        let pressed = Chord::of(event)?;
        // In the editor and in a query letters type.
        if matches!(self.state.mode(), Mode::Writing | Mode::Search) && pressed.typed().is_some() {
            return None;
        }
        let mut refused = None;
        for (row, binding) in KEYS.iter().flat_map(|row| row.bindings.iter().map(move |binding| (row, binding))) {
            let counts = match event.kind {
                KeyEventKind::Press => true,
                KeyEventKind::Repeat => binding.press == Press::Repeats,
                KeyEventKind::Release => false,
            };
            if !counts || !binding.has(pressed, self.keymap) {
                continue;
            }
            let Some(intent) = self.intent_of(binding, Some(pressed)) else { continue };
            match self.state.permit(intent) {
                Permit::Yes => return Some((row, intent, Permit::Yes)),
                Permit::Because(_) if binding.press == Press::Silent => {}
                permit @ Permit::Because(_) => refused = refused.or(Some((row, intent, permit))),
                Permit::No => {}
            }
        }
        refused
    }

    /// In the dialog for votes and in a query every character counts, even one that no row of the table has.
    fn typed(&self, event: KeyEvent) -> Option<Intent> {
        let KeyCode::Char(c) = event.code else { return None };
        let is_search = self.state.mode() == Mode::Search;
        let takes_letters = is_search || self.state.mode() == Mode::Blank;
        if takes_letters && event.kind == KeyEventKind::Press && Chord::of(event) == Some(control('c')) {
            return Some(Intent::Quit);
        }
        let is_plain = !event.modifiers.intersects(KeyModifiers::CONTROL | KeyModifiers::ALT);
        let intent = match is_search {
            true => Intent::Search(SearchAction::Type(c)),
            false => Intent::Present(PresenterAction::Other(c)),
        };
        let is_typed = is_plain && event.kind == KeyEventKind::Press && self.state.permit(intent) == Permit::Yes;
        is_typed.then_some(intent)
    }

    /// Whether `binding` is allowed now and has room.
    pub fn works(&self, binding: &Binding) -> Permit {
        self.intent(binding).map_or(Permit::No, |intent| self.state.permit(intent))
    }

    /// The intent of `binding` on this screen; `None` where it has no meaning or no room, or types a character.
    pub fn intent(&self, binding: &Binding) -> Option<Intent> {
        self.intent_of(binding, None)
    }

    fn intent_of(&self, binding: &Binding, pressed: Option<Chord>) -> Option<Intent> {
        let mode = self.state.mode();
        if !binding.modes().has(mode) || !self.has_room(binding, mode) {
            return None;
        }
        let class = Class::of(self.area);
        let is_zoomed = self.state.view().zoom && class == Class::Full;
        Some(match binding.action {
            // Where there is no room to say that it takes a second press, it takes none.
            Action::Do(Intent::AskToQuit) if class == Class::TooSmall => Intent::Quit,
            Action::Do(Intent::ToggleZoom) if class != Class::Full => return None,
            // Out of the zoom first.
            Action::Do(Intent::Close) if is_zoomed && Modes::PANES.has(mode) => return None,
            Action::Do(Intent::EraseDigit) if !consent::fits(self.state, self.area) => return None,
            Action::Do(intent) => intent,
            Action::Find(find) => self.find(find)?,
            Action::Unzoom => is_zoomed.then_some(Intent::ToggleZoom)?,
            // There a line is a rung's.
            Action::Scroll(Scroll::Lines(-1 | 1)) if self.state.rung().is_some() => return None,
            Action::Scroll(scroll) => Intent::ScrollTo(self.target(scroll)?),
            Action::Type => self.typing(mode, pressed?.typed()?)?,
            Action::ClickNext => {
                if self.is_at_untried()? {
                    Intent::Advance
                } else {
                    Intent::Close
                }
            }
            Action::ClickBack => {
                if self.is_at_untried()? {
                    Intent::Close
                } else {
                    Intent::Advance
                }
            }
        })
    }

    /// On a screen that is too small, what works in every mode does, as do a dialog's keys and its way out.
    fn has_room(&self, binding: &Binding, mode: Mode) -> bool {
        Class::of(self.area) != Class::TooSmall
            // A query takes letters.
            || binding.modes().or(Mode::Search).or(Mode::Blank) == Modes::ALL
            || match mode {
                Mode::Leaving | Mode::Resuming | Mode::Votes | Mode::Blank | Mode::Opening => true,
                Mode::Page
                | Mode::List
                | Mode::Search
                | Mode::Consent
                | Mode::StartingOver
                | Mode::Debrief
                | Mode::Choosing
                | Mode::Writing
                | Mode::Naming
                | Mode::Tried
                | Mode::Found => binding.action == Action::Do(Intent::Close),
                Mode::Todo | Mode::Running | Mode::Done | Mode::Drill => false,
            }
    }

    /// The first line after scrolling; `None` where nothing is left in that direction.
    fn target(&self, scroll: Scroll) -> Option<u16> {
        let (extent, first) = (*self.scrolled.get_or_init(|| layout::scrolled(self.state, self.area)))?;
        let lines = match scroll {
            Scroll::Lines(lines) => lines,
            Scroll::Halves(times) => times * i32::from(extent.height / 2).max(1),
        };
        let target = i32::from(first).saturating_add(lines).clamp(0, i32::from(extent.last_scroll()));
        u16::try_from(target).ok().filter(|target| *target != first)
    }

    /// Goes to what a search finds on this screen.
    fn find(&self, find: Find) -> Option<Intent> {
        match (layout::found(self.state, self.area), find) {
            (Some(found), Find::Keep) => Some(found.keep()),
            (Some(found), Find::Next) => found.go(true),
            (Some(found), Find::Previous) => found.go(false),
            (None, Find::Keep) => Some(Intent::Search(SearchAction::Keep)),
            (None, find) => self.state.to_found_row(find == Find::Next).map(Intent::MoveCursor),
        }
    }

    /// What typing `c` does in a dialog or in the stage list.
    fn typing(&self, mode: Mode, c: char) -> Option<Intent> {
        let digit = c.to_digit(10).and_then(|digit| u8::try_from(digit).ok());
        match (mode, digit) {
            // Nobody consents to what is cut off.
            (Mode::Consent, Some(digit)) => consent::fits(self.state, self.area).then_some(Intent::TypeDigit(digit)),
            (Mode::List, Some(number)) => {
                let (at, last) = self.state.cursor()?;
                let row = usize::from(number).checked_sub(1).filter(|row| *row <= last)?;
                (row != at).then_some(Intent::MoveCursor(i8::try_from(row).ok()? - i8::try_from(at).ok()?))
            }
            (Mode::Votes, Some(digit)) => Some(Intent::Present(PresenterAction::Digit(digit))),
            (Mode::Votes, None) => {
                let place = LETTERS.iter().position(|letter| *letter == c)?;
                Some(Intent::Present(PresenterAction::Letter(u8::try_from(place).ok()?)))
            }
            _ => None,
        }
    }

    /// Whether the experiment under the cursor is untried; `None` outside of the list of experiments.
    fn is_at_untried(&self) -> Option<bool> {
        match self.state.view().overlay {
            Some(Overlay::Experiments { cursor }) => Some(self.state.trial(cursor).status == Status::Todo),
            _ => None,
        }
    }
}
