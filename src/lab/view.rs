//! What the person looks at, and how. Part of the state, so that a picture follows from the state alone.

use serde::{Deserialize, Serialize};

use super::feature::consent::Digits;
use super::feature::search::{Search, SearchAction};
use super::model::experiment::Experiment;
use super::model::keymap::Keymap;
use super::model::operation::Identity;
use super::model::stage::Stage;

/// The ways of showing an answer, in the order that `v` goes through them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ViewMode {
    /// The answer's members, DynamoDB's types unwrapped.
    #[default]
    Summary,
    /// The answer's body as pretty JSON.
    Json,
    /// Request and response as they went over the wire.
    Http,
    /// The same call as an `aws` command line.
    Cli,
}

impl ViewMode {
    /// All of them, in order.
    pub const ALL: [ViewMode; 4] = [ViewMode::Summary, ViewMode::Json, ViewMode::Http, ViewMode::Cli];

    /// A word for the pane's title.
    pub const fn name(self) -> &'static str {
        match self {
            ViewMode::Summary => "summary",
            ViewMode::Json => "JSON",
            ViewMode::Http => "HTTP",
            ViewMode::Cli => "CLI",
        }
    }

    fn next(self) -> ViewMode {
        let at = ViewMode::ALL.iter().position(|mode| *mode == self).unwrap_or(0);
        ViewMode::ALL[(at + 1) % ViewMode::ALL.len()]
    }
}

/// A text to read that lies over the panes. All of them open, scroll and close alike.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Page {
    /// The list of keys.
    Help,
    /// Why the selected call was decided as it was.
    Why,
    /// How the table lies in the database.
    AtRest,
    /// What KMS was asked.
    Trail,
    /// The shown stage's lesson: question and answers, what is often got wrong, sources.
    Lesson,
    /// The choices of the shown stage, side by side.
    Comparison,
    /// The back of the card: your answers, the claims, and how to export them.
    Debrief,
    /// What other clients did, and what the lab says about it.
    Noticed,
}

/// Something that lies over the panes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Overlay {
    /// A text to read.
    Page {
        /// Which.
        page: Page,
        /// The first line shown.
        scroll: u16,
    },
    /// The list of stages.
    Stages {
        /// The row that Enter takes.
        cursor: Stage,
    },
    /// The list of experiments.
    Experiments {
        /// The row that Enter takes.
        cursor: Experiment,
    },
    /// "Something would be left behind."
    Quit,
    /// "Here is where you were."
    Resume,
    /// "This creates things in your account."
    Consent {
        /// The stage that begins then.
        stage: Stage,
        /// The digits so far.
        typed: Digits,
        /// Whether four others have just been typed.
        wrong: bool,
    },
    /// Hands up for each answer.
    Tally,
    /// "Begin again?"
    StartOver,
    /// The debrief and the card to keep.
    Debrief,
}

/// What stage 7 shows instead of the panes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Desk {
    /// The three ways.
    Choice,
    /// The editor.
    Editor,
    /// The names that can be inserted, with the cursor on this one.
    Names(usize),
    /// What was sent, and what became of it.
    Outcome,
}

/// What is looked at.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct View {
    /// The stage.
    pub shown: Stage,
    /// The experiment that is looked at instead.
    pub experiment: Option<Experiment>,
    /// Whether the drills are looked at instead.
    pub drill: bool,
    /// What stage 7 shows instead of the panes.
    pub desk: Option<Desk>,
    /// How answers are shown.
    pub mode: ViewMode,
    /// Whether the focused pane has the whole width.
    pub zoom: bool,
    /// What lies over it.
    pub overlay: Option<Overlay>,
    /// Whether nothing of all that is to be seen, on purpose: whatever opens meanwhile is seen when this is over.
    pub blank: bool,
    /// Whether the card before the first stage is shown.
    pub opening: bool,
    /// The person's own keys.
    pub keys: Keymap,
    /// Whether the two paths and verdicts have the whole screen.
    pub billboard: bool,
    /// Whether somebody has asked why, since this stage or experiment is shown.
    pub why_was_read: bool,
    /// The rung of the ladder under the cursor; `None` is the one that the page chooses.
    pub rung: Option<usize>,
    /// A line for the person, until the next key.
    pub message: Option<String>,
    search: Option<(Searched, Search)>,
    /// Whether the open page lies over the debrief.
    over_debrief: bool,
    focus_right: bool,
    /// The stage whose goal was next when the person moved the focus.
    pub(super) focus_moved_in: Option<Stage>,
    panes: [Pane; 2],
}

/// What can be searched.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Searched {
    Page(Page),
    Stages,
    Experiments,
    /// A pane's call in one of the views.
    Pane(Identity, Option<usize>, ViewMode),
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Pane {
    scroll: u16,
    selected: Option<usize>,
}

impl View {
    /// The pane that keys go to.
    pub fn focus(&self) -> Identity {
        if self.focus_right { Identity::TestUser } else { Identity::Admin }
    }

    /// The first line shown of a pane's text.
    pub fn scroll(&self, identity: Identity) -> u16 {
        self.panes[identity as usize].scroll
    }

    /// The call a person selected in a pane.
    pub fn selected(&self, identity: Identity) -> Option<usize> {
        self.panes[identity as usize].selected
    }

    /// Whether the leaving dialog is open.
    pub fn is_asking_to_quit(&self) -> bool {
        self.overlay == Some(Overlay::Quit)
    }

    /// Whether anything lies over the panes.
    pub fn overlay_is_open(&self) -> bool {
        self.overlay.is_some()
    }

    /// A stage that nobody has seen yet begins in words: what it shows is its verdict, and a person who looked at one
    /// answer's HTTP has not asked for that of all later ones. Among stages that have been seen the view stays, so that
    /// the same of two can be compared.
    pub(super) fn begin(&mut self) {
        self.mode = ViewMode::default();
    }

    pub(super) fn show(&mut self, stage: Stage) {
        self.shown = stage;
        self.experiment = None;
        self.drill = false;
        self.desk = None;
        self.panes = Default::default();
        self.message = None;
        self.why_was_read = false;
    }

    pub(super) fn show_experiment(&mut self, which: Experiment) {
        self.show(self.shown);
        self.overlay = None;
        self.experiment = Some(which);
    }

    pub(super) fn show_drill(&mut self) {
        self.show(self.shown);
        self.overlay = None;
        self.drill = true;
        self.zoom = false;
        self.focus_on(Identity::TestUser);
    }

    pub(super) fn open_experiments(&mut self, last: Option<Experiment>) {
        self.overlay = Some(Overlay::Experiments { cursor: last.unwrap_or(Experiment::ALL[0]) });
    }

    /// Opens the list of experiments, or goes back to the stage: from an experiment, or from the list.
    pub(super) fn toggle_experiments(&mut self, last: Option<Experiment>) {
        if self.overlay.is_none() && self.experiment.is_none() {
            return self.open_experiments(last);
        }
        if self.overlay.is_some() {
            self.close();
        }
        if self.experiment.is_some() {
            self.show(self.shown);
        }
    }

    pub(super) fn select(&mut self, identity: Identity, call: usize) {
        self.panes[identity as usize] = Pane { scroll: 0, selected: Some(call) };
    }

    pub(super) fn scroll_to(&mut self, line: u16) {
        match &mut self.overlay {
            Some(Overlay::Page { scroll, .. }) => *scroll = line,
            Some(_) => {}
            None => self.panes[self.focus() as usize].scroll = line,
        }
    }

    pub(super) fn focus_other(&mut self) {
        match &mut self.overlay {
            Some(Overlay::Page { page: Page::Debrief, .. }) => return self.close(),
            Some(Overlay::Page { scroll, .. }) => {
                *scroll = 0;
                self.rung = None;
            }
            _ => {}
        }
        self.focus_right = !self.focus_right;
    }

    pub(super) fn focus_on(&mut self, identity: Identity) {
        self.focus_right = identity == Identity::TestUser;
    }

    pub(super) fn toggle_billboard(&mut self) {
        // Over a page or a list it would not be seen.
        let is_covered = self.overlay.take().is_some();
        self.billboard = is_covered || !self.billboard;
    }

    pub(super) fn toggle_zoom(&mut self) {
        self.zoom = !self.zoom;
        self.unscroll();
    }

    pub(super) fn cycle_mode(&mut self) {
        self.mode = self.mode.next();
        self.unscroll();
    }

    /// Lines break elsewhere now, so a scroll position means nothing any more.
    fn unscroll(&mut self) {
        self.panes.iter_mut().for_each(|pane| pane.scroll = 0);
    }

    /// The page that is open.
    pub fn page(&self) -> Option<Page> {
        match self.overlay {
            Some(Overlay::Page { page, .. }) => Some(page),
            _ => None,
        }
    }

    fn searched(&self) -> Option<Searched> {
        match self.overlay {
            Some(Overlay::Page { page, .. }) => Some(Searched::Page(page)),
            Some(Overlay::Stages { .. }) => Some(Searched::Stages),
            Some(Overlay::Experiments { .. }) => Some(Searched::Experiments),
            Some(_) => None,
            None => {
                let shows_panes = self.desk.is_none() && !self.opening && !self.drill && !self.billboard;
                let pane = self.panes[self.focus() as usize];
                shows_panes.then(|| Searched::Pane(self.focus(), pane.selected, self.mode))
            }
        }
    }

    /// The search in what is open.
    pub fn search(&self) -> Option<&Search> {
        self.search.as_ref().filter(|(of, _)| self.searched() == Some(*of)).map(|(_, search)| search)
    }

    /// The search in the pane of `identity`.
    pub fn search_in(&self, identity: Identity) -> Option<&Search> {
        self.search().filter(|_| self.overlay.is_none() && self.focus() == identity)
    }

    /// Whether a person types what to search for.
    pub fn is_typing_query(&self) -> bool {
        self.search().is_some_and(Search::is_typing)
    }

    /// Begins, changes or ends a search in what is open; `row` is that of the cursor in a list.
    pub(super) fn find(&mut self, action: SearchAction, row: Option<usize>) {
        if action == SearchAction::Open {
            let scroll = match self.overlay {
                Some(Overlay::Page { scroll, .. }) => scroll,
                None => self.scroll(self.focus()),
                _ => row.and_then(|row| u16::try_from(row).ok()).unwrap_or(0),
            };
            self.search = self.searched().map(|of| (of, Search::new(scroll)));
            return;
        }
        if let Some((_, search)) = &mut self.search {
            search.apply(action);
        }
        if let SearchAction::Go { scroll, .. } = action {
            self.scroll_to(scroll);
        }
    }

    /// Ends a search that is typed, or that is kept in a pane. Says whether there was one.
    pub(super) fn drop_query(&mut self) -> bool {
        let drops = self.is_typing_query() || (self.overlay.is_none() && self.search().is_some());
        if drops {
            self.search = None;
        }
        drops
    }

    /// Forgets a search in what isn't open any more.
    pub(super) fn forget_search(&mut self) {
        if self.search().is_none() {
            self.search = None;
        }
    }

    pub(super) fn toggle_page(&mut self, page: Page) {
        // The newest stands last in the trail.
        let scroll = if page == Page::Trail { u16::MAX } else { 0 };
        self.rung = None;
        self.why_was_read |= page == Page::Why;
        if self.page() == Some(page) {
            return self.close();
        }
        self.over_debrief |= self.overlay == Some(Overlay::Debrief);
        self.overlay = Some(Overlay::Page { page, scroll });
    }

    pub(super) fn toggle_stages(&mut self) {
        self.overlay = match self.overlay {
            Some(Overlay::Stages { .. }) => None,
            _ => Some(Overlay::Stages { cursor: self.shown }),
        };
    }

    pub(super) fn ask_to_quit(&mut self) {
        self.blank = false;
        self.overlay = Some(Overlay::Quit);
    }

    /// Closes the overlay. Behind the answers is the card.
    pub(super) fn close(&mut self) {
        let is_over = std::mem::take(&mut self.over_debrief) && self.page().is_some();
        self.overlay = (is_over || self.page() == Some(Page::Debrief)).then_some(Overlay::Debrief);
        self.message = None;
    }

    pub(super) fn move_cursor(&mut self, rows: i8, last: Stage) {
        match &mut self.overlay {
            Some(Overlay::Stages { cursor }) => *cursor = Stage::ALL[moved(cursor.index(), rows, last.index())],
            Some(Overlay::Experiments { cursor }) => {
                *cursor = Experiment::ALL[moved(cursor.index(), rows, Experiment::ALL.len() - 1)];
            }
            _ => {}
        }
    }
}

/// The row that is `rows` further down, at most `last`.
pub(super) fn moved(row: usize, rows: i8, last: usize) -> usize {
    row.saturating_add_signed(rows.into()).min(last)
}
