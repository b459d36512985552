//! What lies over the panes: a page to read, the stages, the question before leaving. Each says how to get out of it.

use ratatui::buffer::Buffer;
use ratatui::layout::{Constraint, Rect};
use ratatui::style::Style;
use ratatui::text::{Line, Span};
use ratatui::widgets::{Block, Clear, Padding, Paragraph, Widget};

use crate::lab::backend::in_words;
use crate::lab::consent::{self, Digits};
use crate::lab::{Overlay, Stage, State, Status};

use super::{bench, keys, page, resume, tally};

use super::text::{cut, spans_width, width, wrap, wrap_plain};
use super::theme::Theme;

/// Columns that a box takes besides its text.
pub const FRAME_COLUMNS: u16 = 6;

/// Rows that a box takes besides its text, where there is room for its padding.
const FRAME_ROWS: u16 = 4;

/// Draws the overlay that is open, if any.
pub fn draw(state: &State, theme: &Theme, area: Rect, buffer: &mut Buffer) {
    match state.view.overlay {
        Some(Overlay::Page { page, scroll }) => page::draw(state, page, scroll, theme, area, buffer),
        Some(Overlay::Stages { cursor }) => stages(state, cursor, theme, area, buffer),
        Some(Overlay::Resume) => resume::draw(state, theme, area, buffer),
        Some(Overlay::Bench { cursor }) => bench::list(state, cursor, theme, area, buffer),
        Some(Overlay::Quit) => leaving(state, theme, area, buffer),
        Some(Overlay::Consent { typed, wrong, .. }) => asking(state, typed, wrong, theme, area, buffer),
        Some(Overlay::Tally) => tally::dialog(state, theme, area, buffer),
        Some(Overlay::StartOver) => starting_over(state, theme, area, buffer),
        None => {}
    }
}

/// Draws an empty box for `rows` lines of `columns` columns and gives the place of the text.
pub fn open(
    title: &str,
    way_out: &str,
    columns: u16,
    rows: u16,
    theme: &Theme,
    area: Rect,
    buffer: &mut Buffer,
) -> Rect {
    // The empty rows inside the frame go first when there is little room.
    let padding = u16::from(rows + FRAME_ROWS <= area.height);
    let columns = columns.saturating_add(FRAME_COLUMNS).min(area.width);
    let rows = rows.saturating_add(2 + 2 * padding).min(area.height);
    let place = area.centered(Constraint::Length(columns), Constraint::Length(rows));
    Clear.render(place, buffer);
    buffer.set_style(place, theme.base);
    let block = Block::bordered()
        .border_style(theme.rule_focus)
        .title(Line::from(Span::styled(format!(" {title} "), theme.focus)))
        .title_bottom(Line::from(Span::styled(format!(" {way_out} "), theme.strong)).right_aligned())
        .padding(Padding::new(2, 2, padding, padding));
    let inner = block.inner(place);
    block.render(place, buffer);
    inner
}

pub fn rows_of(lines: &[Line<'_>]) -> u16 {
    u16::try_from(lines.len()).unwrap_or(u16::MAX)
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
    let blank: Vec<String> = keys::all("blank", &state.view.keys).into_iter().take(2).collect();
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
        Span::styled(format!(" {} ", keys::first("start_over_yes", keymap)), theme.focus),
        Span::styled("  begin again", theme.base),
    ];
    lines.push(Line::from(choice));
    let way_out = format!("{} stays", keys::first("back", keymap));
    let place = open("begin again?", &way_out, columns, rows_of(&lines), theme, area, buffer);
    Paragraph::new(lines).render(place, buffer);
}

/// What enter does to a row of a list.
const SHOWS: &str = "shows it";

/// What the keys do in a list.
pub fn list_way_out(state: &State) -> String {
    let keymap = &state.view.keys;
    format!("{} {SHOWS} · {} closes", keys::first("advance", keymap), keys::first("back", keymap))
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
    let hints = keys::hints(state, area);
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
        &format!("{} stays", keys::first("back", &state.view.keys)),
        columns,
        rows_of(&lines),
        theme,
        area,
        buffer,
    );
    Paragraph::new(lines).render(place, buffer);
}

/// Columns of the consent dialog's text.
fn consent_columns(area: Rect) -> u16 {
    area.width.saturating_sub(FRAME_COLUMNS).min(86)
}

/// Columns of its labels.
const CONSENT_LABEL: usize = 11;

fn consent_lines(state: &State, typed: Digits, wrong: bool, theme: &Theme, columns: u16) -> Vec<Line<'static>> {
    let columns = usize::from(columns);
    let row = |label: &str, text: String| {
        let lead = vec![Span::styled(format!("{label:<CONSENT_LABEL$}"), theme.dim)];
        wrap(lead, vec![Span::styled(text, theme.base)], columns, CONSENT_LABEL)
    };
    let account = state.shown_facts().admin.as_ref().map(|admin| admin.account.clone()).unwrap_or_default();
    let mut lines = wrap_plain("From here on the lab creates things in your account.", theme.strong, columns);
    lines.extend(row("account", format!("{account}, region {}", state.backend.region)));
    if !state.services.is_empty() {
        lines.extend(row("calls go", in_words(&state.services)));
    }
    lines.extend(row("admin", state.shown_facts().admin.as_ref().map(|admin| admin.arn.clone()).unwrap_or_default()));
    let made = || "a user that the lab makes".to_owned();
    lines.extend(row("test-user", state.shown_facts().test_user.as_ref().map_or_else(made, |user| user.arn.clone())));
    lines.push(Line::default());
    for (at, (what, name)) in state.will_make().into_iter().enumerate() {
        lines.extend(row(if at == 0 { "makes" } else { "" }, format!("{what} {name}")));
    }
    for (at, cost) in consent::COSTS.into_iter().enumerate() {
        lines.extend(row(if at == 0 { "costs" } else { "" }, cost.to_owned()));
    }
    for (at, more) in consent::BENCH.into_iter().enumerate() {
        lines.extend(row(if at == 0 { "bench" } else { "" }, more.to_owned()));
    }
    lines.extend(row("removal", consent::REMOVAL.to_owned()));
    lines.push(Line::default());
    match &state.accepted_account {
        Some(_) if state.is_masked() => {
            lines.extend(wrap_plain("--yes-account is another one.", theme.failed.text, columns));
        }
        Some(accepted) => {
            lines.extend(wrap_plain(&format!("--yes-account is another one: {accepted}"), theme.failed.text, columns));
        }
        None => {}
    }
    // Whoever may say yes knows the number; the screen does not show it now.
    let of = if state.is_masked() { "the real account" } else { "the account" };
    let typed = if state.is_masked() { typed.hidden() } else { typed.shown() };
    let mut question = vec![
        Span::styled(format!("Type the last four digits of {of} to say yes:  "), theme.strong),
        Span::styled(format!(" {typed} "), theme.focus),
    ];
    if wrong {
        question.push(Span::styled("  not those", theme.failed.text));
    }
    lines.extend(wrap(Vec::new(), question, columns, 0));
    lines
}

/// Whether the whole question can be read: nobody consents to what is cut off.
pub fn consent_fits(state: &State, area: Rect) -> bool {
    let lines = consent_lines(state, Digits::default(), true, &Theme::plain(), consent_columns(area));
    rows_of(&lines) + 2 <= area.height && super::Class::of(area) != super::Class::TooSmall
}

fn asking(state: &State, typed: Digits, wrong: bool, theme: &Theme, area: Rect, buffer: &mut Buffer) {
    let columns = consent_columns(area);
    let lines = consent_lines(state, typed, wrong, theme, columns);
    let back = keys::first("back", &state.view.keys);
    let way_out = if consent_fits(state, area) {
        format!("{back} says no")
    } else {
        format!("enlarge the window to answer · {back} says no")
    };
    let place = open("your account", &way_out, columns, rows_of(&lines), theme, area, buffer);
    Paragraph::new(lines).render(place, buffer);
}
