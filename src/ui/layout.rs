//! The layout. View and keys share one plan, so that both know how far a pane scrolls.

use ratatui::layout::Rect;

use crate::lab::{Call, Identity, Overlay, State, Status, ViewMode};

use super::search::Found;
use super::size::{Class, Extent};
use super::theme::Theme;
use super::{answer, brief, drill, page};

/// The parts of a screen that is not too small.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    /// Name, stage, badges.
    pub header: Rect,
    /// What the stage does, and its outcome.
    pub brief: Rect,
    /// The panes that are shown, left to right.
    pub panes: Vec<PanePlan>,
    /// The message line.
    pub message: Rect,
    /// The keys.
    pub footer: Rect,
}

/// The parts of a pane.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PanePlan {
    /// Whose.
    pub identity: Identity,
    /// Everything, from the title to the bottom line.
    pub area: Rect,
    /// Whether the other pane stands at its right.
    pub divided: bool,
    /// The list of calls; empty where there is nothing to choose.
    pub list: Rect,
    /// The verdict; unless it is a summary, with the request and its id.
    pub head: Rect,
    /// The part that scrolls.
    pub body: Rect,
}

impl Plan {
    /// The plan for `state` on `area`, which must not be [`Class::TooSmall`].
    pub fn new(state: &State, area: Rect) -> Plan {
        let full = Class::of(area) == Class::Full;
        let row = |y: u16, height: u16| Rect { y, height, ..area }.intersection(area);
        // A key policy that waits to be read has all the rows of a small screen.
        let gap = u16::from(full && (area.height >= 28 || state.held().is_none()));
        let header = row(area.y, 1);
        let brief_height = brief::height(state, area.width, brief::Budget::of(area));
        let brief = row(header.bottom() + gap, brief_height);
        let footer = row(area.bottom().saturating_sub(1), 1);
        let message = row(footer.y.saturating_sub(1), 1);
        // The line under a question is empty until calls are sent.
        let is_asking = state.view().experiment.is_none() && !matches!(state.shown().status, Status::Done(_));
        let top = brief.bottom() + if is_asking && state.held().is_none() { 0 } else { gap };
        let panes = row(top, message.y.saturating_sub(top));
        let left = left_width(state, area.width);
        let shown = if full && !state.view().zoom { Identity::BOTH.to_vec() } else { vec![state.view().focus()] };
        let divided = shown.len() == 2;
        let panes = shown
            .into_iter()
            .map(|identity| {
                let area = match (divided, identity) {
                    (false, _) => panes,
                    (true, Identity::Admin) => Rect { width: left, ..panes },
                    (true, Identity::TestUser) => Rect { x: panes.x + left, width: panes.width - left, ..panes },
                };
                PanePlan::new(state, identity, area, divided && identity == Identity::Admin)
            })
            .collect();
        Plan { header, brief, panes, message, footer }
    }

    /// The plan of the pane that keys go to.
    pub fn focused(&self, state: &State) -> Option<&PanePlan> {
        self.panes.iter().find(|pane| pane.identity == state.view().focus())
    }
}

/// Columns of the left pane: half of them, but less for an identity that has no call in this stage.
fn left_width(state: &State, columns: u16) -> u16 {
    let outline = state.outline();
    let is_busy = |identity| !state.calls(identity).is_empty() || outline.iter().any(|(who, _)| *who == identity);
    match Identity::BOTH.map(is_busy) {
        [true, false] => columns - columns / 3,
        [false, true] => columns / 3,
        _ => columns / 2,
    }
}

impl PanePlan {
    fn new(state: &State, identity: Identity, area: Rect, divided: bool) -> PanePlan {
        // A command line that goes on inside a word must begin at the margin, or a shell reads two words.
        let margin = u16::from(!(state.view().zoom && state.view().mode == ViewMode::Cli));
        let inner = Rect {
            x: area.x + margin.min(area.width),
            y: area.y.saturating_add(1),
            width: area.width.saturating_sub(margin + 1),
            height: area.height.saturating_sub(2),
        }
        .intersection(area);
        let calls = u16::try_from(state.calls(identity).len()).unwrap_or(u16::MAX);
        // The list takes half of what the head and the first lines of the answer leave; where that is too little, it
        // shows the rows around the selected call, or gives way: the title says which call this is.
        let half = inner.height.saturating_sub(9) / 2;
        // What waits to be looked at has all the rows.
        let is_draft = matches!(state.selected_call(identity), Some(Call::Held(_)));
        let rows = if calls > 1 && inner.height >= 13 && !is_draft { calls.min(half.max(2)) } else { 0 };
        let is_summary = state.view().mode == ViewMode::Summary && !is_draft;
        // Air around the verdict, where rows are not few.
        let is_airy = inner.height >= 9;
        let top = u16::from(is_airy && rows == 0 && (is_summary || calls == 0));
        let list = Rect { height: rows, ..inner };
        let head_height = match (calls, inner.height) {
            (0, _) => 0,
            _ if is_summary => 1,
            (_, 9..) if !is_draft => 3,
            (_, height) => height.min(2),
        };
        let head_top = inner.y + top + rows + u16::from(rows > 0);
        let head = Rect { y: head_top, height: head_height, ..inner }.intersection(inner);
        // Where rows are few, the items and a denial's reason need this one more.
        let gap = u16::from(match head.height {
            1 if is_summary => is_airy,
            3 => inner.height >= 12,
            _ => is_draft && is_airy,
        });
        let body_top = head_top + head_height + gap;
        let body = Rect { y: body_top, height: inner.bottom().saturating_sub(body_top), ..inner }.intersection(inner);
        PanePlan { identity, area, divided, list, head, body }
    }

    /// Where a search is in the pane's lines; `None` if nobody searches in this pane.
    pub fn found(&self, state: &State) -> Option<Found> {
        let search = state.view().search_in(self.identity)?;
        let lines = answer::lines(state, self.identity, &Theme::plain(), self.body.as_size());
        Some(Found::new(search, &lines, self.extent(state), state.view().scroll(self.identity)))
    }

    /// How much the pane scrolls.
    pub fn extent(&self, state: &State) -> Extent {
        let lines = answer::lines(state, self.identity, &Theme::plain(), self.body.as_size()).len();
        Extent { lines: u16::try_from(lines).unwrap_or(u16::MAX), height: self.body.height }
    }
}

/// Whether an open page has more lines below.
pub fn has_more(state: &State, area: Rect) -> bool {
    let is_page = matches!(state.view().overlay, Some(Overlay::Page { .. }));
    scrolled(state, area).is_some_and(|(extent, first)| is_page && first < extent.last_scroll())
}

/// Where a search is in the open page or in the focused pane; `None` where nobody searches there.
pub fn found(state: &State, area: Rect) -> Option<Found> {
    match state.view().overlay {
        Some(Overlay::Page { page, scroll }) => page::found(state, page, scroll, area),
        Some(_) => None,
        None => Plan::new(state, area).focused(state)?.found(state),
    }
}

/// The extent of what the keys scroll now, and its first line.
pub fn scrolled(state: &State, area: Rect) -> Option<(Extent, u16)> {
    if Class::of(area) == Class::TooSmall
        || state.is_blank()
        || (state.view().opening && !state.view().overlay_is_open())
    {
        return None;
    }
    let (extent, first) = match state.view().overlay {
        Some(Overlay::Page { page, scroll }) => (page::extent(state, page, area), scroll),
        Some(_) => return None,
        None if state.is_drilling() => return drill::scrolled(state, area),
        None => {
            let plan = Plan::new(state, area);
            let pane = plan.focused(state)?;
            (pane.extent(state), state.view().scroll(pane.identity))
        }
    };
    Some((extent, first.min(extent.last_scroll())))
}
