//! Labels of keys that depend on the state.

use ratatui::layout::Rect;

use crate::lab::drills::{Current, Task};
use crate::lab::view::Desk;
use crate::lab::{Overlay, Page, Stage, State, Status};
use crate::ui::size::Class;

/// What enter does.
pub(super) fn advance_label(state: &State, _: Rect) -> &str {
    let experiment = state.view().experiment;
    if state.is_drilling() && state.view().desk.is_none() {
        return match state.drills().current().map(Current::task) {
            Some(Task::Solved | Task::Impossible) => match state.drills().number() {
                (at, all) if at == all => "the result",
                _ => "next drill",
            },
            Some(_) => "send both Scans",
            None => "stop",
        };
    }
    match state.view().desk.filter(|_| state.view().overlay.is_none()) {
        Some(Desk::Choice) => return "the usual way",
        Some(Desk::Names(_)) => return "insert it",
        Some(Desk::Outcome) if state.check(Stage::Grant).is_none() => return "edit again",
        Some(_) => return "next",
        None => {}
    }
    match (state.view().overlay, &state.shown().status) {
        (Some(Overlay::Stages { cursor }), _) if cursor > state.reachable() => "set up what comes before",
        (Some(Overlay::Stages { .. }), _) => "show this stage",
        (Some(Overlay::Resume), _) => state.resume_label(),
        (Some(Overlay::Experiments { .. }), _) => "show this experiment",
        (Some(Overlay::Debrief), _) => "next",
        (_, Status::Todo) if experiment.is_some() => "try it",
        (_, Status::Running) if experiment.is_some() => "continue now",
        (_, Status::Done(_)) if experiment.is_some_and(|which| which.next().is_none()) => "list",
        (_, Status::Done(_)) if experiment.is_some() => "next",
        (_, Status::Todo) if state.view().shown == Stage::Grant && state.attempts().chosen().is_some() => "write it",
        (None, Status::Todo) if state.view().opening => &state.lesson().frame.opening.start,
        (_, Status::Todo) => state.text(state.view().shown).action,
        (_, Status::Running) => "send it",
        (_, Status::Done(_)) if state.next_shown().is_none() => "debrief",
        (_, Status::Done(_)) => "next",
    }
}

/// What esc does.
pub(super) fn back_label(state: &State, area: Rect) -> &str {
    let class = Class::of(area);
    let is_zoomed = state.view().zoom && class == Class::Full;
    match state.view().overlay {
        Some(Overlay::Quit) => "stay",
        None if state.is_drilling() && (state.view().desk.is_some() || state.drills().is_looking()) => "back",
        None if state.is_drilling() => "stop",
        Some(Overlay::Debrief) if state.debrief().current().is_some() => "to the card",
        None if is_zoomed || class == Class::TooSmall || state.view().search().is_some() => "back",
        None if state.view().desk == Some(Desk::Choice) => "back",
        None if state.view().desk.is_some() && state.check(Stage::Grant).is_some() => "back",
        // The longer word would not fit beside the editor's keys.
        None if state.view().desk == Some(Desk::Editor) && area.width < 90 => "back",
        None if matches!(state.view().desk, Some(Desk::Editor | Desk::Outcome)) => "other way",
        None if state.view().desk.is_some() => "back",
        None if state.held().is_some() => "don't send it",
        None if state.view().shown == Stage::Grant && state.attempts().is_offered() => "other way",
        None if state.view().experiment.is_none() => "stop here",
        _ => "back",
    }
}

/// `label`, or that the key closes the page that is open.
pub(super) fn close_or<'a>(state: &State, page: Page, label: &'a str) -> &'a str {
    if state.view().page() == Some(page) { "close" } else { label }
}

/// Whether only the lesson's page explains an answer: where rows are few, and everywhere why a right one is right. A lucky
/// guess teaches nothing.
pub fn explains_elsewhere(state: &State, area: Rect) -> bool {
    let shows_panes = state.view().overlay.is_none() && Class::of(area) != Class::TooSmall;
    let is_right = || {
        let asked = state.shown_question().filter(|_| state.view().experiment.is_none());
        asked.and_then(|asked| asked.reply()).is_some_and(|(_, reply)| reply.right)
    };
    shows_panes && matches!(state.shown().status, Status::Done(_)) && (area.height < 24 || is_right())
}
