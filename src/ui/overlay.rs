//! The overlays: pages, lists and dialogs over the panes. Each says how to get out of it.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};
use ratatui::widgets::Widget;

use crate::lab::{Overlay, Stage, State, Status};

use super::dialog::{self, FRAME_COLUMNS, list_way_out};
use super::keys::hints::hints;
use super::keys::names;
use super::text::{labeled, width, wrap_plain};
use super::theme::Theme;
use super::{consent, experiments, hands, page, resume};

/// Draws the overlay that is open, if any.
pub fn draw(state: &State, theme: &Theme, area: Rect, buffer: &mut Buffer) {
    match state.view().overlay {
        Some(Overlay::Page { page, scroll }) => page::draw(state, page, scroll, theme, area, buffer),
        Some(Overlay::Stages { cursor }) => stages(state, cursor, theme, area, buffer),
        Some(Overlay::Resume) => resume::draw(state, theme, area, buffer),
        Some(Overlay::Experiments { cursor }) => experiments::list(state, cursor, theme, area, buffer),
        Some(Overlay::Quit) => leaving(state, theme, area, buffer),
        Some(Overlay::Consent { typed, wrong, .. }) => consent::draw(state, typed, wrong, theme, area, buffer),
        Some(Overlay::Tally) => hands::dialog(state, theme, area, buffer),
        Some(Overlay::StartOver) => starting_over(state, theme, area, buffer),
        // It is drawn instead of the panes.
        Some(Overlay::Debrief) | None => {}
    }
}

/// A sign and a word for a stage's status.
pub fn progress(state: &State, stage: Stage, theme: &Theme) -> (&'static str, &'static str, Style) {
    match &state.record(stage).status {
        Status::Done(check) if check.met => ("✔", "MET", theme.allowed.text),
        Status::Done(_) => ("✘", "NOT MET", theme.failed.text),
        Status::Running if !state.is_running() => ("●", "your OK", theme.strong),
        Status::Running => ("…", "running", theme.strong),
        Status::Todo if stage <= state.reachable() => ("●", "next", theme.strong),
        Status::Todo => ("○", "later", theme.dim),
    }
}

fn stages(state: &State, cursor: Stage, theme: &Theme, area: Rect, buffer: &mut Buffer) {
    let words = state.interface();
    let title_width = Stage::ALL.iter().map(|stage| width(state.listed_title(*stage))).max().unwrap_or(0);
    let lines = Stage::ALL.map(|stage| {
        let (sign, word, looks) = progress(state, stage, theme);
        let word = match &state.record(stage).status {
            Status::Done(check) if check.met => &state.lesson().words().met,
            Status::Done(_) => &state.lesson().words().not_met,
            _ => words.word(word),
        };
        let title = format!("{:<title_width$}  ", state.listed_title(stage));
        let text = if stage <= state.reachable() { theme.base } else { theme.dim };
        let parts = [format!(" {}  ", stage.number()), title, format!("{sign} {word:<8}")];
        dialog::row(parts, [theme.dim, text, looks], stage == cursor, theme)
    });
    let takes = if cursor > state.reachable() { "{} sets it up" } else { "{} shows it" };
    let way_out = list_way_out(state, takes);
    dialog::list(state, (words.say("stages"), &way_out), &lines, cursor.index(), theme, area, buffer);
}

/// Draws a blanked screen: only the way back.
pub fn blank(state: &State, theme: &Theme, area: Rect, buffer: &mut Buffer) {
    let row = Rect { y: area.bottom().saturating_sub(1), height: 1, ..area }.intersection(area);
    // Whichever was pressed: a clicker has no `b`.
    let blank: Vec<String> = names::all("blank", &state.view().keys).into_iter().take(2).collect();
    let text = state.interface().fill("{} shows the lab again", &[&blank.join(" / ")]);
    Line::from(Span::styled(text, theme.dim)).centered().render(row, buffer);
}

fn starting_over(state: &State, theme: &Theme, area: Rect, buffer: &mut Buffer) {
    let keymap = &state.view().keys;
    let columns = area.width.saturating_sub(FRAME_COLUMNS + 2).min(64);
    let left = state.leftovers();
    let text = match left.is_empty() {
        true => "You start over with stage 1, as a new run. Answers, votes and times are forgotten.",
        false => "First the lab removes everything that this run made. Then you start over with stage 1, as a new run.",
    };
    let words = state.interface();
    let mut lines = wrap_plain(words.say(text), theme.strong, columns.into());
    lines.extend(
        left.iter().flat_map(|left| labeled(("• ", theme.dim), (words.sentence(left), theme.base), columns.into(), 2)),
    );
    lines.push(Line::default());
    // The choice is the last to go when there is little room.
    let room = usize::from(area.height.saturating_sub(3));
    lines.truncate(room);
    let choice = vec![
        Span::styled(format!(" {} ", names::first("start_over_yes", keymap)), theme.focus),
        Span::styled(format!("  {}", words.say("start over")), theme.base),
    ];
    lines.push(Line::from(choice));
    let way_out = words.fill("{} stays", &[&names::first("back", keymap)]);
    dialog::draw(words.say("start over?"), &way_out, columns, lines, theme, area, buffer);
}

fn leaving(state: &State, theme: &Theme, area: Rect, buffer: &mut Buffer) {
    let columns = area.width.saturating_sub(FRAME_COLUMNS + 2).min(72);
    let words = state.interface();
    let text = words.say("If you leave now, this stays until `kmslab cleanup`, and may cost money:");
    let mut lines = wrap_plain(text, theme.strong, columns.into());
    lines.push(Line::default());
    lines.extend(
        state
            .leftovers()
            .iter()
            .flat_map(|left| labeled(("• ", theme.dim), (words.sentence(left), theme.base), columns.into(), 2)),
    );
    lines.push(Line::default());
    if state.is_running() {
        lines.extend(wrap_plain(
            words.say("Calls are in progress; clean-up starts after them."),
            theme.dim,
            columns.into(),
        ));
        lines.push(Line::default());
    }
    let hints = hints(state, area);
    // The choices are the last to go when there is little room.
    let room = usize::from(area.height.saturating_sub(2)).saturating_sub(hints.len());
    if lines.len() > room && room > 0 {
        lines.truncate(room - 1);
        lines.push(Line::from(Span::styled("  …", theme.dim)));
    }
    lines.extend(dialog::choices(hints, 3, columns, theme));
    let way_out = words.fill("{} stays", &[&names::first("back", &state.view().keys)]);
    dialog::draw(words.say("leave?"), &way_out, columns, lines, theme, area, buffer);
}
