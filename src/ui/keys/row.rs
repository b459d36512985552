//! A row of the key table: keys, what they ask for, and what footer and help say about them.

use ratatui::layout::Rect;

use crate::lab::{Intent, Keymap, Mode, Modes, State};

use super::chord::Chord;

/// What a key asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// This intent.
    Do(Intent),
    /// To scroll. Only the screen knows how far.
    Scroll(Scroll),
    /// To type the key's character: a digit, an answer's letter, or the number of a stage in the list.
    Type,
    /// To go to what a search finds. Only the screen knows where that is.
    Find(Find),
    /// To show both panes again.
    Unzoom,
    /// A clicker's next button in the list of experiments: the experiment while there is one to try, else the stage.
    ClickNext,
    /// A clicker's back button there: the other of the two.
    ClickBack,
}

/// Where to go in what a search finds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Find {
    /// To what is found so far: the query is typed.
    Keep,
    /// To the next match.
    Next,
    /// To the previous match.
    Previous,
}

/// How far to scroll, downward where positive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scroll {
    /// By lines.
    Lines(i32),
    /// By half of what is visible, this many times.
    Halves(i32),
}

/// What of a key counts, and whether it says why it does nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Press {
    /// A press; a refused one says why.
    Once,
    /// A press, and again while the key is held down.
    Repeats,
    /// A press; a refused one does nothing. A clicker sends it unasked.
    Silent,
}

/// Some keys and what they ask for.
#[derive(Debug)]
pub struct Binding {
    /// The action's name in a key map. Bindings with one name have the same keys; one without a name keeps its own.
    pub name: &'static str,
    /// The keys; the footer shows the first.
    pub chords: &'static [Chord],
    /// What they ask for.
    pub action: Action,
    /// The modes in which they do. The action may have fewer.
    pub within: Modes,
    /// What counts as a press.
    pub press: Press,
}

/// A word or two for the footer.
pub enum Label {
    /// Always the same.
    Is(&'static str),
    /// This one, on a screen of this size.
    Of(fn(&State, Rect) -> &str),
}

/// Keys that belong together.
pub struct Row {
    /// The keys.
    pub bindings: &'static [Binding],
    /// What the footer says.
    pub label: Label,
    /// A sentence for the help; empty where it needs none.
    pub help: &'static str,
    /// Its heading in the help.
    pub group: Group,
    /// The footer drops the rows with the highest ranks first.
    pub rank: u8,
}

/// A part of the footer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyHint {
    /// The keys that work, `n/p`.
    pub keys: String,
    /// What they do.
    pub label: String,
    /// Whether it comes first, since there is something to read.
    pub is_next: bool,
    pub(super) rank: u8,
}

/// The rank of a row that the footer never shows.
pub const NEVER: u8 = u8::MAX;

/// A heading of the help.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Group {
    /// A stage, its question, and what explains it.
    Learn,
    /// The answers, and how they are shown.
    Look,
    /// In front of a class.
    Teach,
    /// Navigation, help and the way out.
    Go,
}

impl Action {
    /// The modes in which it can mean anything.
    const fn modes(self) -> Modes {
        match self {
            Action::Do(intent) => intent.modes(),
            Action::Scroll(_) => Intent::ScrollTo(0).modes(),
            Action::Find(Find::Keep) => Modes::of(Mode::Search),
            Action::Find(_) => Modes::of(Mode::Page).or(Mode::List).or(Mode::Found),
            Action::Unzoom => Intent::ToggleZoom.modes(),
            Action::ClickNext | Action::ClickBack => Modes::of(Mode::List),
            Action::Type => Modes::of(Mode::Consent).or(Mode::List).or(Mode::Votes).or(Mode::Writing),
        }
    }
}

impl Binding {
    /// The modes in which it can work. Two bindings that share one need different keys.
    pub const fn modes(&self) -> Modes {
        self.within.and(self.action.modes())
    }

    /// The names of its keys, which may be a person's own.
    pub fn keys(&self, keymap: &Keymap) -> Vec<String> {
        match keymap.keys(self.name) {
            Some(own) => own.to_vec(),
            None => self.chords.iter().map(|chord| chord.name()).collect(),
        }
    }

    /// Whether `pressed` is one of its keys.
    pub fn has(&self, pressed: Chord, keymap: &Keymap) -> bool {
        match keymap.keys(self.name) {
            Some(own) => own.contains(&pressed.name()),
            None => self.chords.contains(&pressed),
        }
    }
}

impl Label {
    /// The text.
    pub fn text<'a>(&self, state: &'a State, area: Rect) -> &'a str {
        match self {
            Label::Is(text) => text,
            Label::Of(of) => of(state, area),
        }
    }
}
