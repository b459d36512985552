//! The modes of the screen, and the intents that mean something in each.

use super::flow::{DrillAction, Intent, PresenterAction, SearchAction};
use crate::lab::view::Page;

/// What the person is looking at. The keys of two modes never meet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u32)]
pub enum Mode {
    /// The panes of a stage or experiment whose calls have not been sent.
    Todo = 1,
    /// The panes while calls are in progress.
    Running = 1 << 1,
    /// The panes of a stage or experiment that has ended.
    Done = 1 << 2,
    /// A page.
    Page = 1 << 3,
    /// The list of stages or experiments.
    List = 1 << 4,
    /// The consent dialog.
    Consent = 1 << 5,
    /// The leaving dialog.
    Leaving = 1 << 6,
    /// The question whether to resume a saved session.
    Resuming = 1 << 7,
    /// The dialog for a show of hands.
    Votes = 1 << 8,
    /// The question whether to start over.
    StartingOver = 1 << 9,
    /// The blanked screen.
    Blank = 1 << 10,
    /// The opening card.
    Opening = 1 << 11,
    /// The drills.
    Drill = 1 << 12,
    /// The debrief and the card to keep.
    Debrief = 1 << 13,
    /// Typing what to search for.
    Search = 1 << 14,
    /// Stage 7's three ways.
    Choosing = 1 << 15,
    /// The editor: letters type.
    Writing = 1 << 16,
    /// The editor's names.
    Naming = 1 << 17,
    /// What was sent in stage 7, and what became of it.
    Tried = 1 << 18,
    /// The panes with a search that is kept.
    Found = 1 << 19,
}

/// A set of modes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Modes(u32);

impl Modes {
    /// The panes, whatever the stage's status.
    pub const PANES: Modes = Modes::of(Mode::Todo).or(Mode::Running).or(Mode::Done);
    /// Every mode.
    pub const ALL: Modes = Modes(u32::MAX);
    /// Where stage 7 shows something instead of the panes, except its editor.
    pub const DESK: Modes = Modes::of(Mode::Choosing).or(Mode::Tried);

    /// Only this mode.
    pub const fn of(mode: Mode) -> Modes {
        Modes(mode as u32)
    }

    /// This set and `mode`.
    #[must_use]
    pub const fn or(self, mode: Mode) -> Modes {
        Modes(self.0 | mode as u32)
    }

    /// This set without `mode`.
    #[must_use]
    pub const fn without(self, mode: Mode) -> Modes {
        Modes(self.0 & !(mode as u32))
    }

    /// The modes of either set.
    #[must_use]
    pub const fn with(self, other: Modes) -> Modes {
        Modes(self.0 | other.0)
    }

    /// The modes in both sets.
    #[must_use]
    pub const fn and(self, other: Modes) -> Modes {
        Modes(self.0 & other.0)
    }

    /// Whether `mode` is one of them.
    pub const fn has(self, mode: Mode) -> bool {
        self.0 & mode as u32 != 0
    }

    /// Whether it is empty.
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }
}

impl Intent {
    /// The modes in which it can mean anything. Remapping keys finds conflicts by them.
    pub const fn modes(self) -> Modes {
        match self {
            Intent::Choose(_) | Intent::Skip => Modes::of(Mode::Todo).or(Mode::Debrief),
            Intent::Judge(_) => Modes::of(Mode::Debrief),
            Intent::Hint => Modes::of(Mode::Todo).or(Mode::Drill),
            Intent::Retry => Modes::of(Mode::Done).or(Mode::Drill),
            Intent::Drill(DrillAction::Open) => Modes::of(Mode::Done),
            Intent::Drill(_) => Modes::of(Mode::Drill),
            Intent::ToggleReplay => Modes::of(Mode::Running).or(Mode::Done),
            Intent::ShowNext | Intent::ShowPrevious => Modes::PANES.with(Modes::DESK),
            Intent::ToggleZoom | Intent::CycleView | Intent::SelectPrevious | Intent::SelectNext => Modes::PANES,
            Intent::Copy(_) | Intent::Export => Modes::PANES.or(Mode::Debrief),
            Intent::Undo => Modes::PANES.or(Mode::Drill).or(Mode::Tried),
            Intent::FocusOther => Modes::PANES.or(Mode::Page).or(Mode::Drill),
            Intent::OpenShell => Modes::PANES.with(Modes::DESK).or(Mode::Page).or(Mode::Drill),
            Intent::ScrollTo(_) => Modes::PANES.or(Mode::Page).or(Mode::Drill).or(Mode::Found),
            Intent::TogglePage(Page::Help) => {
                let shown = Modes::PANES.with(Modes::DESK).or(Mode::Page).or(Mode::Writing).or(Mode::Found);
                shown.or(Mode::Opening).or(Mode::Drill).or(Mode::Debrief)
            }
            Intent::TogglePage(Page::Lesson | Page::Debrief) => {
                Modes::PANES.with(Modes::DESK).or(Mode::Page).or(Mode::Drill).or(Mode::Debrief)
            }
            // In a drill its key writes.
            Intent::TogglePage(Page::AtRest) => Modes::PANES.with(Modes::DESK).or(Mode::Page),
            Intent::TogglePage(_) => Modes::PANES.with(Modes::DESK).or(Mode::Page).or(Mode::Drill),
            Intent::ToggleStages => Modes::PANES.with(Modes::DESK).or(Mode::List),
            Intent::ToggleExperiments => Modes::PANES.or(Mode::List),
            Intent::Advance => {
                let shown = Modes::PANES.with(Modes::DESK).or(Mode::List).or(Mode::Naming);
                shown.or(Mode::Resuming).or(Mode::Opening).or(Mode::Drill).or(Mode::Debrief)
            }
            Intent::MoveCursor(_) => Modes::of(Mode::List).or(Mode::Page).or(Mode::Naming),
            Intent::ChooseWay(_) => Modes::DESK.or(Mode::Todo),
            Intent::NextBlank(_) | Intent::InsertName | Intent::EditElsewhere | Intent::Send => {
                Modes::of(Mode::Writing)
            }
            Intent::TypeDigit(_) | Intent::EraseDigit => Modes::of(Mode::Consent),
            Intent::AskForHelp => Modes::PANES.with(Modes::DESK).or(Mode::Drill).or(Mode::Debrief),
            Intent::StartAfresh => Modes::of(Mode::Resuming),
            Intent::Close => Modes::ALL.without(Mode::Resuming).without(Mode::Opening),
            Intent::Search(SearchAction::Open) => Modes::PANES.or(Mode::Page).or(Mode::List).or(Mode::Found),
            Intent::Search(SearchAction::Go { .. }) => Modes::of(Mode::Page).or(Mode::Search).or(Mode::Found),
            Intent::Search(_) => Modes::of(Mode::Search),
            // A letter belongs to the query, and a stray one on a blank screen does nothing.
            Intent::AskToQuit => Modes::ALL.without(Mode::Search).without(Mode::Blank),
            // A signal asks for the last one, whatever is open.
            Intent::Quit | Intent::CleanUpAndQuit => Modes::ALL,
            Intent::Present(action) => action.modes(),
        }
    }
}

impl PresenterAction {
    const fn modes(self) -> Modes {
        match self {
            PresenterAction::Blank => Modes::ALL.without(Mode::Search),
            PresenterAction::Next => Modes::PANES.with(Modes::DESK).or(Mode::Opening).or(Mode::Debrief),
            PresenterAction::Timer | PresenterAction::AskToStartOver => Modes::PANES.with(Modes::DESK),
            PresenterAction::Theme => {
                let typing = Modes::of(Mode::Search).or(Mode::Writing).or(Mode::Votes);
                Modes(Modes::ALL.0 & !typing.or(Mode::Blank).0)
            }
            PresenterAction::Billboard => Modes::PANES.with(Modes::DESK).or(Mode::Page).or(Mode::List),
            PresenterAction::Tally | PresenterAction::JoinCode => Modes::PANES,
            PresenterAction::Letter(_)
            | PresenterAction::Digit(_)
            | PresenterAction::Other(_)
            | PresenterAction::Erase
            | PresenterAction::TakeHands => Modes::of(Mode::Votes),
            PresenterAction::StartOver => Modes::of(Mode::StartingOver),
        }
    }
}
