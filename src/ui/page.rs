//! The pages: texts over the panes, which scroll.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};
use ratatui::widgets::{Paragraph, Scrollbar, ScrollbarOrientation, ScrollbarState, StatefulWidget, Widget};

use crate::lab::{Page, State};

use super::dialog::{FRAME_COLUMNS, open, rows_of};
use super::keys::names;
use super::search::{self, Found};
use super::size::Extent;
use super::text::{self, width};
use super::theme::Theme;
use super::{at_rest, lesson, noticed, trail, why};

/// A page's title and the most columns of its text.
fn frame(state: &State, page: Page) -> (String, u16) {
    match page {
        Page::Why => (state.interface().say("why?").to_owned(), 110),
        Page::AtRest => (state.interface().say("at rest").to_owned(), 150),
        Page::Trail => (state.interface().say("what KMS was asked").to_owned(), 130),
        Page::Help => (state.interface().say("keys").to_owned(), 74),
        Page::Lesson => match state.view().experiment {
            Some(which) => (state.experiment(which).title.clone(), 74),
            None => (state.text(state.view().shown).title.to_owned(), 74),
        },
        Page::Comparison => (state.text(state.view().shown).title.to_owned(), 120),
        Page::Debrief => (state.interface().say("your answers").to_owned(), 74),
        Page::Noticed => (state.interface().say("what you did").to_owned(), 100),
    }
}

fn lines(state: &State, page: Page, theme: &Theme, columns: u16) -> Vec<Line<'static>> {
    let columns = usize::from(columns);
    match page {
        Page::Help => help(state, theme, columns),
        Page::Why => why::lines(state, theme, columns),
        Page::AtRest => at_rest::lines(state, theme, columns),
        Page::Trail => trail::lines(state, theme, columns),
        Page::Lesson => match state.view().experiment {
            Some(which) => lesson::experiment(state, which, theme, columns),
            None => lesson::stage(state, theme, columns),
        },
        Page::Comparison => lesson::comparison(state, theme, columns),
        Page::Debrief => lesson::debrief(state, theme, columns),
        Page::Noticed => noticed::lines(state, theme, columns),
    }
}

/// The page without its frame, for plain mode: a line is a thought there, however long it is.
pub fn text(state: &State, page: Page) -> Vec<String> {
    // Beside each other, bytes and items would be one line.
    let columns = if page == Page::AtRest { at_rest::WIDE - 1 } else { usize::from(u16::MAX) };
    let columns = u16::try_from(columns).unwrap_or(u16::MAX);
    lines(state, page, &Theme::plain(), columns).iter().map(Line::to_string).collect()
}

fn columns_of(state: &State, page: Page, area: Rect) -> u16 {
    area.width.saturating_sub(FRAME_COLUMNS).min(frame(state, page).1)
}

/// The extent of `page`.
pub fn extent(state: &State, page: Page, area: Rect) -> Extent {
    extent_of(&lines(state, page, &Theme::plain(), columns_of(state, page, area)), area)
}

fn extent_of(lines: &[Line<'_>], area: Rect) -> Extent {
    let lines = rows_of(lines);
    Extent { lines, height: lines.min(area.height.saturating_sub(2)) }
}

/// Where a search is in `page`, whose first visible line is `scroll`; `None` if nobody searches.
pub fn found(state: &State, page: Page, scroll: u16, area: Rect) -> Option<Found> {
    let search = state.view().search()?;
    let lines = lines(state, page, &Theme::plain(), columns_of(state, page, area));
    Some(Found::new(search, &lines, extent_of(&lines, area), scroll))
}

/// Draws `page` from line `scroll` on.
pub fn draw(state: &State, page: Page, scroll: u16, theme: &Theme, area: Rect, buffer: &mut Buffer) {
    let columns = columns_of(state, page, area);
    let mut lines = lines(state, page, theme, columns);
    let extent = extent_of(&lines, area);
    let found = state.view().search().map(|search| (search, Found::new(search, &lines, extent, scroll)));
    let scroll = found.as_ref().map_or(scroll, |(_, found)| found.scroll).min(extent.last_scroll());
    let below = extent.last_scroll() - scroll;
    let back = names::first("back", &state.view().keys);
    let words = state.interface();
    let closes = words.fill("{} closes", &[&back]);
    let way_out = match (scroll, below) {
        (0, 0) => closes,
        (_, 0) => format!("▲ {} · {closes}", words.fill("{} above", &[&scroll])),
        (_, below) => {
            let more = words.fill("{} more", &[&below]);
            format!("▼ {more}: {} · {closes}", turns(state))
        }
    };
    let room = usize::from(columns + FRAME_COLUMNS).saturating_sub(4);
    let way_out = match &found {
        Some((_, found)) => search::way_out(state, way_out, found.count(), room),
        None => way_out,
    };
    if let Some((search, found)) = &found {
        lines = found.highlighted(lines, search.query(), theme);
    }
    let place = open(&frame(state, page).0, &way_out, columns, extent.height, theme, area, buffer);
    let shown: Vec<Line<'static>> = lines.into_iter().skip(scroll.into()).take(place.height.into()).collect();
    Paragraph::new(shown).render(place, buffer);
    scrollbar(extent, scroll, theme, place, buffer);
}

/// Draws where in a page that scrolls the visible lines are: on the right side of the frame around `place`.
fn scrollbar(extent: Extent, scroll: u16, theme: &Theme, place: Rect, buffer: &mut Buffer) {
    let last = usize::from(extent.last_scroll());
    let frame = Rect { x: place.right() + FRAME_COLUMNS / 2 - 1, width: 1, ..place }.intersection(buffer.area);
    if last == 0 || frame.is_empty() {
        return;
    }
    let mut at = ScrollbarState::new(last + 1).position(scroll.into()).viewport_content_length(extent.height.into());
    Scrollbar::new(ScrollbarOrientation::VerticalRight)
        .begin_symbol(None)
        .end_symbol(None)
        .track_symbol(Some("│"))
        .thumb_symbol("█")
        .style(theme.rule_focus)
        .render(frame, buffer, &mut at);
}

/// The key that shows more of a page: where a line is a rung's, the space bar.
fn turns(state: &State) -> String {
    let keymap = &state.view().keys;
    match state.rung() {
        Some(_) => names::all("page_down", keymap).pop().unwrap_or_default(),
        None => names::first("down", keymap),
    }
}

/// The keys and the signs.
fn help(state: &State, theme: &Theme, columns: usize) -> Vec<Line<'static>> {
    let groups = names::grouped(&state.view().keys);
    let rows = groups.iter().flat_map(|(_, rows)| rows);
    let keys_width = rows.map(|(keys, _)| width(keys)).max().unwrap_or(0);
    let labeled = |label: &str, style: Style, text: &str| {
        let label = format!("{label:<keys_width$}  ");
        text::labeled((label, style), (text.to_owned(), theme.base), columns, keys_width + 2)
    };
    let say = |text: &str| state.interface().sentence(text);
    let mut lines = Vec::new();
    for (heading, rows) in &groups {
        lines.push(Line::from(Span::styled(say(heading), theme.dim)));
        lines.extend(rows.iter().flat_map(|(keys, help)| labeled(keys, theme.hint, &say(help))));
        lines.push(Line::default());
    }
    lines.push(Line::from(Span::styled(say("signs"), theme.dim)));
    let signs = &theme.signs;
    let words = state.lesson().words();
    for (sign, word, looks, text) in [
        (signs.allowed, "ALLOWED", theme.allowed, "the service did it"),
        (signs.denied, "DENIED", theme.denied, "not permitted; often expected here"),
        (signs.allowed, "GONE", theme.allowed, "not found, as expected after a deletion"),
        (signs.failed, "FAILED", theme.failed, "anything else: bad input, not found, no response"),
        (signs.waiting, "WAITING", theme.waiting, "sent, no response yet"),
        ("○", "NOT SENT", theme.waiting, "needs your OK first"),
        ("✔", &words.met, theme.allowed, "a stage: as expected"),
        ("✘", &words.not_met, theme.failed, "a stage: not as expected, and it says why"),
    ] {
        lines.extend(labeled(&format!("{sign} {word}"), looks.text, &say(text)));
    }
    lines
}
