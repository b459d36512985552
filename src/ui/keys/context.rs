//! What decides whether a key works now.

use ratatui::layout::Rect;

use crate::lab::{Copied, Experiment, Intent, Overlay, Page, State, Status};

use super::super::layout::{self, Class, Extent};
use super::super::overlay;
use super::{BLANKED, Binding, CONSENT, DONE, LEAVING, LIST, PAGE, Place, RESUMING, RUNNING, START, TODO, VOTES};

/// What a binding is judged by: the state, and the size of the screen.
#[derive(Debug, Clone, Copy)]
pub struct Context<'a> {
    pub(super) state: &'a State,
    pub(super) area: Rect,
    /// How far what scrolls now can be scrolled, and its first line: worked out once, since it takes wrapping a text.
    scrolled: Option<(Extent, u16)>,
}

impl<'a> Context<'a> {
    /// The state as it is shown on `area`.
    pub fn new(state: &'a State, area: Rect) -> Context<'a> {
        Context { state, area, scrolled: layout::scrolled(state, area) }
    }
}

impl Context<'_> {
    /// Where the person is.
    pub fn place(self) -> Place {
        match (self.overlay(), &self.state.shown().status) {
            _ if self.state.is_blank() => BLANKED,
            (Some(Overlay::Page { .. }), _) => PAGE,
            (Some(Overlay::Stages { .. } | Overlay::Bench { .. }), _) => LIST,
            (Some(Overlay::Consent { .. }), _) => CONSENT,
            (Some(Overlay::Quit), _) => LEAVING,
            (Some(Overlay::Resume), _) => RESUMING,
            (Some(Overlay::Tally), _) => VOTES,
            (Some(Overlay::StartOver), _) => START,
            (None, Status::Todo) => TODO,
            (None, Status::Running) => RUNNING,
            (None, Status::Done(_)) => DONE,
        }
    }

    /// Whether `binding` works now. On a blank screen only what is for that one does, whatever lies behind it.
    pub fn works(self, binding: &Binding) -> bool {
        (!self.state.is_blank() || binding.places & BLANKED != 0) && (binding.when)(self)
    }

    pub(super) fn overlay(self) -> Option<Overlay> {
        self.state.view.overlay
    }

    /// Nothing lies over the panes, and they are to be seen.
    pub(super) fn panes(self) -> bool {
        self.overlay().is_none() && Class::of(self.area) != Class::TooSmall
    }

    /// This page is open, and there is room to read it.
    pub(super) fn page(self, page: Page) -> bool {
        self.state.view.page() == Some(page) && Class::of(self.area) != Class::TooSmall
    }

    /// A page can be opened or closed.
    pub(super) fn can_toggle(self) -> bool {
        // One page leads to another: nobody has to close the first.
        self.panes() || (self.state.view.page().is_some() && Class::of(self.area) != Class::TooSmall)
    }

    /// Rows are so few that what an answer means is told on the lesson's page alone.
    pub(super) fn explains_elsewhere(self) -> bool {
        self.panes() && self.area.height < 24 && matches!(self.state.shown().status, Status::Done(_))
    }

    pub(super) fn lesson_label(self) -> &'static str {
        match self.page(Page::Lesson) {
            true => "close",
            false if self.explains_elsewhere() => "explains",
            false => "lesson",
        }
    }

    pub(super) fn stages(self) -> bool {
        matches!(self.overlay(), Some(Overlay::Stages { .. })) && Class::of(self.area) != Class::TooSmall
    }

    pub(super) fn experiments(self) -> bool {
        matches!(self.overlay(), Some(Overlay::Bench { .. })) && Class::of(self.area) != Class::TooSmall
    }

    /// The experiment whose panes are to be seen.
    pub(super) fn bench(self) -> Option<Experiment> {
        self.state.view.bench.filter(|_| self.panes())
    }

    /// The bench can be opened, or left; what is under way there is not left.
    pub(super) fn can_toggle_bench(self) -> bool {
        let stage = || self.panes() && self.state.has_bench() && !self.state.bench.is_running();
        self.experiments() || stage()
    }

    /// From an experiment one can go back; from one that waits, by ending it.
    pub(super) fn can_leave_experiment(self) -> bool {
        // Out of the zoom first.
        let zoomed = self.state.view.zoom && Class::of(self.area) == Class::Full;
        let ended = !self.state.bench.is_running() || self.state.bench.pause().is_some();
        self.bench().is_some() && ended && !zoomed
    }

    pub(super) fn can_show(self, next: bool) -> bool {
        match self.bench() {
            Some(_) if self.state.bench.is_running() => false,
            Some(which) => if next { which.next() } else { which.previous() }.is_some(),
            None if next => self.panes() && self.state.next_shown().is_some(),
            None => self.panes() && self.state.view.shown.previous().is_some(),
        }
    }

    /// The question is asked, and all of it can be read.
    pub(super) fn consenting(self) -> bool {
        self.state.is_asking_for_consent() && overlay::consent_fits(self.state, self.area)
    }

    pub(super) fn leaving(self) -> bool {
        self.overlay() == Some(Overlay::Quit)
    }

    /// Whether something can be scrolled in this direction.
    pub(super) fn can_scroll(self, down: bool) -> bool {
        self.scrolled.is_some_and(|(extent, first)| if down { first < extent.last_scroll() } else { first > 0 })
    }

    /// Scrolls by `lines`, or as far as there is something.
    pub(super) fn scroll(self, lines: i32) -> Intent {
        let (extent, first) = self.scrolled.unwrap_or((Extent { lines: 0, height: 0 }, 0));
        let target = i32::from(first).saturating_add(lines).clamp(0, i32::from(extent.last_scroll()));
        Intent::ScrollTo(u16::try_from(target).unwrap_or(0))
    }

    /// Half of what is visible.
    pub(super) fn half_page(self) -> i32 {
        self.scrolled.map_or(1, |(extent, _)| i32::from(extent.height / 2).max(1))
    }

    /// The row of the list that is open, and the last one that can be chosen.
    pub(super) fn cursor(self) -> Option<(usize, usize)> {
        match self.overlay() {
            Some(Overlay::Stages { cursor }) if self.stages() => Some((cursor.index(), self.state.jumpable().index())),
            Some(Overlay::Bench { cursor }) if self.experiments() => Some((cursor.index(), Experiment::ALL.len() - 1)),
            _ => None,
        }
    }

    pub(super) fn can_move(self, down: bool) -> bool {
        self.cursor().is_some_and(|(row, last)| if down { row < last } else { row > 0 })
    }

    /// The cursor of the stage list stands on a stage that can't be shown yet.
    pub(super) fn jumping(self) -> bool {
        self.stages() && self.cursor().is_some_and(|(row, _)| row > self.state.reachable().index())
    }

    /// The selected call of the focused pane, and how many there are.
    pub(super) fn call(self) -> Option<(usize, usize)> {
        let identity = self.state.view.focus();
        self.panes().then(|| self.state.selected(identity).map(|at| (at, self.state.calls(identity).len())))?
    }

    /// One pane has the width of two.
    pub(super) fn zoomed(self) -> bool {
        self.state.view.zoom && Class::of(self.area) == Class::Full
    }

    pub(super) fn can_copy(self, what: Copied) -> bool {
        self.panes() && self.state.to_copy(what).is_some()
    }

    pub(super) fn has_answer(self) -> bool {
        self.panes() && self.state.has_calls()
    }
}
