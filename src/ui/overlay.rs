//! What lies over the panes: a page to read, the stages, the question before leaving. Each says how to get out of it.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};
use ratatui::widgets::{Paragraph, Widget};

use crate::lab::{Overlay, Stage, State, Status};

use super::dialog::{FRAME_COLUMNS, SHOWS, list_way_out, open, rows_of};
use super::keys::hints::hints;
use super::keys::names;
use super::text::{cut, spans_width, width, wrap, wrap_plain};
use super::theme::Theme;
use super::{bench, consent, page, resume, tally};

/// Draws the overlay that is open, if any.
pub fn draw(state: &State, theme: &Theme, area: Rect, buffer: &mut Buffer) {
    match state.view.overlay {
        Some(Overlay::Page { page, scroll }) => page::draw(state, page, scroll, theme, area, buffer),
        Some(Overlay::Stages { cursor }) => stages(state, cursor, theme, area, buffer),
        Some(Overlay::Resume) => resume::draw(state, theme, area, buffer),
        Some(Overlay::Bench { cursor }) => bench::list(state, cursor, theme, area, buffer),
        Some(Overlay::Quit) => leaving(state, theme, area, buffer),
        Some(Overlay::Consent { typed, wrong, .. }) => consent::draw(state, typed, wrong, theme, area, buffer),
        Some(Overlay::Tally) => tally::dialog(state, theme, area, buffer),
        Some(Overlay::StartOver) => starting_over(state, theme, area, buffer),
        None => {}
    }
}

/// A sign and a word for how far a stage is.
pub fn progress(state: &State, stage: Stage, theme: &Theme) -> (&'static str, &'static str, Style) {
    match &state.record(stage).status {
        Status::Done(check) if check.met => ("✔", "MET", theme.allowed.text),
        Status::Done(_) => ("✘", "NOT MET", theme.failed.text),
        Status::Running if !state.is_running() => ("●", "your yes", theme.strong),
        Status::Running => ("…", "running", theme.strong),
        Status::Todo if stage <= state.reachable() => ("●", "next", theme.strong),
        Status::Todo => ("○", "later", theme.dim),
    }
}

fn stages(state: &State, cursor: Stage, theme: &Theme, area: Rect, buffer: &mut Buffer) {
    let title_width = Stage::ALL.iter().map(|stage| width(state.text(*stage).title)).max().unwrap_or(0);
    let lines: Vec<Line<'static>> = Stage::ALL
        .into_iter()
        .map(|stage| {
            let (sign, word, looks) = progress(state, stage, theme);
            let row = format!(" {}  {:<title_width$}  {sign} {word:<8}", stage.number(), state.text(stage).title);
            if stage == cursor {
                return Line::from(Span::styled(row, theme.focus));
            }
            let text = if stage <= state.reachable() { theme.base } else { theme.dim };
            Line::from(vec![
                Span::styled(format!(" {}  ", stage.number()), theme.dim),
                Span::styled(format!("{:<title_width$}  ", state.text(stage).title), text),
                Span::styled(format!("{sign} {word:<8}"), looks),
            ])
        })
        .collect();
    let columns = lines.iter().map(|line| spans_width(&line.spans)).max().unwrap_or(0);
    let columns = u16::try_from(columns).unwrap_or(u16::MAX);
    let way_out = match cursor > state.reachable() {
        true => list_way_out(state).replace(SHOWS, "sets it up"),
        false => list_way_out(state),
    };
    let place = open("stages", &way_out, columns, rows_of(&lines), theme, area, buffer);
    Paragraph::new(lines).render(place, buffer);
}

/// Nothing but the way back.
pub fn blank(state: &State, theme: &Theme, area: Rect, buffer: &mut Buffer) {
    let row = Rect { y: area.bottom().saturating_sub(1), height: 1, ..area }.intersection(area);
    // Whichever was pressed: a clicker has no `b`.
    let blank: Vec<String> = names::all("blank", &state.view.keys).into_iter().take(2).collect();
    let text = state.interface().fill("{} shows the lab again", &[&blank.join(" / ")]);
    Line::from(Span::styled(text, theme.dim)).centered().render(row, buffer);
}

fn starting_over(state: &State, theme: &Theme, area: Rect, buffer: &mut Buffer) {
    let keymap = &state.view.keys;
    let columns = area.width.saturating_sub(FRAME_COLUMNS + 2).min(64);
    let left = state.leftovers();
    let text = match left.is_empty() {
        true => "Stage 1 again, as a new run: answers, votes and the time are forgotten.",
        false => "First everything that this run has made is removed; then it is stage 1 again, as a new run.",
    };
    let mut lines = wrap_plain(text, theme.strong, columns.into());
    for left in left {
        lines.extend(wrap(
            vec![Span::styled("• ", theme.dim)],
            vec![Span::styled(left, theme.base)],
            columns.into(),
            2,
        ));
    }
    lines.push(Line::default());
    // The choice is the last to go when there is little room.
    let room = usize::from(area.height.saturating_sub(3));
    lines.truncate(room);
    let choice = vec![
        Span::styled(format!(" {} ", names::first("start_over_yes", keymap)), theme.focus),
        Span::styled("  begin again", theme.base),
    ];
    lines.push(Line::from(choice));
    let way_out = format!("{} stays", names::first("back", keymap));
    let place = open("begin again?", &way_out, columns, rows_of(&lines), theme, area, buffer);
    Paragraph::new(lines).render(place, buffer);
}

fn leaving(state: &State, theme: &Theme, area: Rect, buffer: &mut Buffer) {
    let columns = area.width.saturating_sub(FRAME_COLUMNS + 2).min(72);
    let mut lines = wrap_plain(
        "If you leave now, this stays until `kmslab cleanup`, and may cost money:",
        theme.strong,
        columns.into(),
    );
    lines.push(Line::default());
    for left in state.leftovers() {
        let lead = vec![Span::styled("• ", theme.dim)];
        lines.extend(wrap(lead, vec![Span::styled(left, theme.base)], columns.into(), 2));
    }
    lines.push(Line::default());
    if state.is_running() {
        lines.extend(wrap_plain("Calls are under way; cleaning up begins after them.", theme.dim, columns.into()));
        lines.push(Line::default());
    }
    let hints = hints(state, area);
    // The choices are the last to go when there is little room.
    let room = usize::from(area.height.saturating_sub(2)).saturating_sub(hints.len());
    if lines.len() > room && room > 0 {
        lines.truncate(room - 1);
        lines.push(Line::from(Span::styled("  …", theme.dim)));
    }
    lines.extend(hints.into_iter().map(|hint| {
        let spans = vec![
            Span::styled(format!(" {:^3} ", hint.keys), theme.focus),
            Span::styled(format!("  {}", hint.label), theme.base),
        ];
        cut(spans, columns.into())
    }));
    let place = open(
        "leave?",
        &format!("{} stays", names::first("back", &state.view.keys)),
        columns,
        rows_of(&lines),
        theme,
        area,
        buffer,
    );
    Paragraph::new(lines).render(place, buffer);
}
