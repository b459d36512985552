//! What the mouse asks for: the wheel scrolls, and a click chooses what it points at.

use crossterm::event::{KeyEvent, MouseButton, MouseEvent, MouseEventKind};
use ratatui::layout::{Position, Rect};

use crate::lab::{Experiment, Intent, Mode, Modes, Overlay, Permit, Stage, State};

use super::keys::chord::Chord;
use super::keys::fit::Fit;
use super::layout::{self, Plan};
use super::screen;
use super::size::Class;
use super::theme::Theme;

/// Lines that a notch of the wheel scrolls.
const NOTCH: i32 = 3;

/// The intent of `event` now, if it has one that is allowed.
pub fn intent(event: MouseEvent, state: &State, area: Rect) -> Option<Intent> {
    let at = Position::new(event.column, event.row);
    if state.is_blank() || Class::of(area) == Class::TooSmall || !area.contains(at) {
        return None;
    }
    let plan = Plan::new(state, area);
    let intent = match event.kind {
        MouseEventKind::ScrollDown => wheel(1, at, state, &plan, area)?,
        MouseEventKind::ScrollUp => wheel(-1, at, state, &plan, area)?,
        MouseEventKind::Down(MouseButton::Left) => click(at, state, &plan, area)?,
        _ => return None,
    };
    (state.permit(intent) == Permit::Yes).then_some(intent)
}

/// Scrolls what the pointer is over. Over the other pane, the first notch only focuses it.
fn wheel(direction: i8, at: Position, state: &State, plan: &Plan, area: Rect) -> Option<Intent> {
    if state.cursor().is_some() {
        return Some(Intent::MoveCursor(direction));
    }
    if let Some(focus) = focus(at, state, plan) {
        return Some(focus);
    }
    let (extent, first) = layout::scrolled(state, area)?;
    let target = i32::from(first) + i32::from(direction) * NOTCH;
    let target = u16::try_from(target.clamp(0, extent.last_scroll().into())).ok()?;
    (target != first).then_some(Intent::ScrollTo(target))
}

/// Focuses the pane at this place, unless it has the focus.
fn focus(at: Position, state: &State, plan: &Plan) -> Option<Intent> {
    let pane = plan.panes.iter().find(|pane| pane.area.contains(at))?;
    let is_other = pane.identity != state.view().focus() && Modes::PANES.has(state.mode());
    is_other.then_some(Intent::FocusOther)
}

/// A key of the footer, a row of a list, an answer or a pane.
fn click(at: Position, state: &State, plan: &Plan, area: Rect) -> Option<Intent> {
    if let Some(overlay) = state.view().overlay {
        return row_of_list(overlay, at, state, area).or_else(|| key(at, state, plan, area));
    }
    if plan.brief.contains(at) {
        return answer(at, state, area);
    }
    key(at, state, plan, area).or_else(|| focus(at, state, plan))
}

fn key(at: Position, state: &State, plan: &Plan, area: Rect) -> Option<Intent> {
    if !plan.footer.contains(at) || state.mode() == Mode::Search {
        return None;
    }
    let hints = screen::footer_hints(state, plan.footer, area);
    let (_, hint) = hints.into_iter().find(|(columns, _)| columns.contains(&at.x))?;
    // Of two keys, the first.
    let names = hint.keys;
    let first = if names.starts_with('/') { "/" } else { names.split('/').next()? };
    let (code, modifiers) = Chord::parse(first).ok()?.pressed();
    Fit::new(state, area).pressed(KeyEvent::new(code, modifiers))
}

/// The text of the screen's row at this place.
fn text(at: Position, state: &State, area: Rect) -> String {
    let shown = screen::render(state, &Theme::plain(), area.as_size());
    (0..area.width).filter_map(|x| shown.cell((x, at.y))).map(|cell| cell.symbol()).collect()
}

fn answer(at: Position, state: &State, area: Rect) -> Option<Intent> {
    let asked = state.open_question()?;
    let row = text(at, state, area);
    let is_it = |(letter, _): &(char, _)| row.trim_start().starts_with(&format!("{letter}  "));
    let place = asked.answers.iter().position(is_it)?;
    u8::try_from(place).ok().map(Intent::Choose)
}

/// A click on a row moves the cursor there; on the cursor's own row it takes that.
fn row_of_list(overlay: Overlay, at: Position, state: &State, area: Rect) -> Option<Intent> {
    let titles: Vec<&str> = match overlay {
        Overlay::Stages { .. } => Stage::ALL.iter().map(|stage| state.text(*stage).title).collect(),
        Overlay::Experiments { .. } => {
            Experiment::ALL.iter().map(|which| state.experiment(*which).title.as_str()).collect()
        }
        _ => return None,
    };
    let (cursor, last) = state.cursor()?;
    let row = text(at, state, area);
    let is_it = |(at, title): &(usize, &&str)| row.contains(&format!(" {}  {title}", at + 1));
    let (clicked, _) = titles.iter().enumerate().find(is_it).filter(|(row, _)| *row <= last)?;
    if clicked == cursor {
        return Some(Intent::Advance);
    }
    Some(Intent::MoveCursor(i8::try_from(clicked).ok()? - i8::try_from(cursor).ok()?))
}
