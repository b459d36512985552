//! Search in pages and lists: where the matches are on this screen, and how they look.

use ratatui::style::Style;
use ratatui::text::{Line, Span};

use crate::lab::State;
use crate::lab::flow::{Intent, SearchAction};
use crate::lab::search::Search;
use crate::lab::text_search::matches;

use super::keys::names;
use super::size::Extent;
use super::text::width;
use super::theme::Theme;

/// Where in a page's lines a search is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// The lines with a match.
    lines: Vec<u16>,
    /// The place of the current one among them.
    at: Option<usize>,
    /// The first line that the page shows.
    pub scroll: u16,
    extent: Extent,
}

impl Found {
    /// Looks in a page's lines, whose first visible line is `scroll`. While a person types, the page shows the first match
    /// from where the search began.
    pub fn new(search: &Search, lines: &[Line<'_>], extent: Extent, scroll: u16) -> Found {
        let has_match = |line: &Line<'_>| !matches(&line.to_string(), search.query()).is_empty();
        let numbered = lines.iter().enumerate().filter(|(_, line)| has_match(line));
        let lines: Vec<u16> = numbered.filter_map(|(at, _)| u16::try_from(at).ok()).collect();
        let scroll = scroll.min(extent.last_scroll());
        let mut found = Found { lines, at: None, scroll, extent };
        if search.is_typing() {
            found.scroll = search.from().min(extent.last_scroll());
            found.at = found.next_from(found.scroll);
            found.scroll = found.current().map_or(found.scroll, |line| found.showing(line));
        } else {
            found.at = found.lines.iter().position(|line| Some(*line) == search.line());
        }
        found
    }

    /// The first match from `line` on, else the first of all.
    fn next_from(&self, line: u16) -> Option<usize> {
        let next = self.lines.iter().position(|found| *found >= line);
        next.or((!self.lines.is_empty()).then_some(0))
    }

    fn current(&self) -> Option<u16> {
        self.at.and_then(|at| self.lines.get(at)).copied()
    }

    /// The first visible line that shows `line`: the same as now if that does.
    fn showing(&self, line: u16) -> u16 {
        let Extent { height, .. } = self.extent;
        if (self.scroll..self.scroll.saturating_add(height)).contains(&line) {
            return self.scroll;
        }
        line.saturating_sub(height / 3).min(self.extent.last_scroll())
    }

    /// Ends typing, at the current match.
    pub fn keep(&self) -> Intent {
        Intent::Search(match self.current() {
            Some(line) => SearchAction::Go { line, scroll: self.showing(line) },
            None => SearchAction::Keep,
        })
    }

    /// Goes to another match, and from the last one to the first; `None` if there is no other.
    pub fn go(&self, forward: bool) -> Option<Intent> {
        let count = self.lines.len();
        let at = match (self.at, forward) {
            (Some(at), true) => (at + 1) % count,
            (Some(at), false) => (at + count - 1) % count,
            (None, _) => self.next_from(self.scroll)?,
        };
        if self.at == Some(at) {
            return None;
        }
        let line = *self.lines.get(at)?;
        Some(Intent::Search(SearchAction::Go { line, scroll: self.showing(line) }))
    }

    /// The place of the current match, counted from 1, and how many lines have one.
    pub fn count(&self) -> (usize, usize) {
        (self.at.map_or(0, |at| at + 1), self.lines.len())
    }

    /// The lines with their matches in other looks.
    pub fn highlighted(&self, lines: Vec<Line<'static>>, query: &str, theme: &Theme) -> Vec<Line<'static>> {
        let mut lines = lines;
        for at in &self.lines {
            let looks = if self.current() == Some(*at) { theme.focus } else { theme.hint };
            if let Some(line) = lines.get_mut(usize::from(*at)) {
                *line = highlight(line, query, looks);
            }
        }
        lines
    }
}

/// `line` with the matches of `query` in these looks.
pub fn highlight(line: &Line<'static>, query: &str, looks: Style) -> Line<'static> {
    let found = matches(&line.to_string(), query);
    let mut spans: Vec<Span<'static>> = Vec::new();
    let mut at = 0;
    for span in &line.spans {
        let end = at + span.content.len();
        let mut from = at;
        for range in found.iter().filter(|range| range.start < end && range.end > at) {
            let (start, stop) = (range.start.max(from), range.end.min(end));
            let part = |range: std::ops::Range<usize>| span.content.get(range).unwrap_or_default().to_owned();
            spans.push(Span::styled(part(from - at..start - at), span.style));
            spans.push(Span::styled(part(start - at..stop - at), looks));
            from = stop;
        }
        spans.push(Span::styled(span.content.get(from - at..).unwrap_or_default().to_owned(), span.style));
        at = end;
    }
    spans.retain(|span| !span.content.is_empty());
    Line { spans, ..line.clone() }
}

/// The bottom line of a page or list while it is searched; `usual` otherwise. `columns` is its room.
pub fn way_out(state: &State, usual: String, (at, of): (usize, usize), columns: usize) -> String {
    let Some(search) = state.view().search() else { return usual };
    let words = state.interface();
    let key = |name| names::first(name, &state.view().keys);
    let count = match (at, of) {
        _ if search.query().is_empty() => String::new(),
        (_, 0) => format!(" · {}", words.say("no match")),
        (0, of) => format!(" · {of}"),
        (at, of) => format!(" · {}", words.fill("{} of {}", &[&at, &of])),
    };
    let query = format!("/{}", search.query());
    let keys = match search.is_typing() {
        true => words.fill("{} keeps it · {} discards it", &[&key("keep_match"), &key("back")]),
        false => {
            format!("{}/{} · {}", key("next_match"), key("previous_match"), words.fill("{} closes", &[&key("back")]))
        }
    };
    let cursor = if search.is_typing() { "_" } else { "" };
    let whole = format!("{query}{cursor}{count} · {keys}");
    if width(&whole) <= columns { whole } else { format!("{query}{cursor}{count}") }
}
