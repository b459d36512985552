//! The billboard: only the two paths and verdicts, as large as the terminal allows.
//!
//! Left stays left and right stays right, as in the panes. In a stage without a Scan it shows the callers and their
//! verdicts; before the calls, only the paths that nothing has lit yet.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};
use ratatui::widgets::{Paragraph, Widget};

use crate::lab::path::{End, Mark, Path};
use crate::lab::{Call, Denied, Identity, State, Verdict};

use super::block_letters::Pixels;
use super::text::cut;
use super::theme::Theme;
use super::verdict::verdict;

/// From this many rows on, letters are blocks; with the header and the footer that is a screen of 90×26.
const ROWS: u16 = 23;
const COLUMNS: u16 = 44;

/// The margin of a column.
const MARGIN: usize = 4;

/// A part of a column.
enum Part {
    /// A name, and a mark beside it.
    Node(String, Option<Mark>),
    /// The way from one node to the next; a wall where it ends.
    Way {
        open: bool,
        lit: bool,
    },
    /// The verdict.
    Verdict(&'static str, &'static str, Style),
    /// A few words, with their style.
    Text(String, Style),
    Blank,
}

/// Draws the billboard on `area`.
pub fn draw(state: &State, theme: &Theme, area: Rect, buffer: &mut Buffer) {
    let half = area.width / 2;
    let left = Rect { width: half, ..area };
    let right = Rect { x: area.x + half, width: area.width - half, ..area };
    let columns = [(Identity::Admin, left), (Identity::TestUser, right)];
    let parts = Identity::BOTH.map(|identity| parts(state, identity, theme));
    // Both columns have the same scale, or neither is blocks.
    let room = Rect { width: half.saturating_sub(1), ..area };
    let scale = parts.iter().map(|parts| scale_of(parts, theme, room)).min().unwrap_or(0);
    for ((identity, area), parts) in columns.into_iter().zip(parts) {
        let lines: Vec<Line<'static>> =
            parts.iter().flat_map(|part| lines(part, scale, theme, usize::from(area.width))).collect();
        let area = if identity == Identity::TestUser {
            for y in area.top()..area.bottom() {
                buffer.set_stringn(area.x, y, "│", 1, theme.rule);
            }
            Rect { x: area.x + 1, width: area.width.saturating_sub(1), ..area }.intersection(area)
        } else {
            area
        };
        Paragraph::new(lines).render(area, buffer);
    }
}

/// The parts of a column, from top to bottom.
fn parts(state: &State, identity: Identity, theme: &Theme) -> Vec<Part> {
    let mut parts = vec![Part::Node(identity.name().to_owned(), None)];
    let call = state.selected_call(identity);
    let path = path(state, identity);
    if let Some(path) = &path {
        parts.push(Part::Way { open: true, lit: path.table != Mark::Unsent });
        parts.push(Part::Node("DynamoDB".to_owned(), Some(path.table)));
        let goes_on = !path.table.stops();
        parts.push(Part::Way { open: goes_on, lit: goes_on && !matches!(path.key, Mark::Unsent) });
        parts.push(Part::Node("KMS".to_owned(), Some(path.key)));
        let arrives = path.end != End::Nothing;
        let is_lit = matches!(path.end, End::Items(_)) || (!arrives && goes_on);
        parts.push(Part::Way { open: arrives || !goes_on, lit: is_lit });
    } else {
        parts.extend([Part::Blank, Part::Blank]);
    }
    match &call {
        Some(call) => {
            let (sign, word, looks) = verdict(call, theme);
            parts.push(Part::Verdict(sign, word, looks.text));
            parts.push(Part::Blank);
            parts.push(Part::Text(format!("{sign} {}", result(state, call, path.as_ref())), looks.text));
        }
        None if path.is_none() && state.is_idle(identity) => parts.push(Part::Text("○".to_owned(), theme.dim)),
        None => {}
    }
    parts
}

/// The path of the Scan that the column is about: also before it is sent.
fn path(state: &State, identity: Identity) -> Option<Path> {
    let scans = |who: Identity, action: &str| who == identity && action.starts_with("dynamodb:Scan");
    let is_planned = || state.outline().iter().any(|(who, action)| scans(*who, action));
    match state.selected_call(identity) {
        Some(_) => state.path(identity),
        None => is_planned().then(|| Path::unsent(identity.name())),
    }
}

/// What arrived, or which action was refused.
fn result(state: &State, call: &Call<'_>, path: Option<&Path>) -> String {
    let words = state.interface();
    match (call, path.map(|path| path.end)) {
        (Call::Answered(exchange), end) => match (&exchange.verdict, end) {
            (Verdict::Denied(Denied { action: Some(action), .. }), _) => action.clone(),
            (_, Some(End::Items(Some(1)))) => words.say("1 item").to_owned(),
            (_, Some(End::Items(Some(count)))) => words.fill("{} items", &[&count]),
            (_, Some(End::Nothing)) => words.say("no items").to_owned(),
            _ => exchange.operation.action(),
        },
        (call, _) => call.operation().action(),
    }
}

/// How many times as large as it is designed a column can be; 0 where blocks have no room.
fn scale_of(parts: &[Part], theme: &Theme, room: Rect) -> usize {
    // Blocks of # are no letters.
    if theme.is_ascii() || room.height < ROWS || room.width < COLUMNS {
        return 0;
    }
    let fits = |scale: &usize| {
        let lines = parts.iter().map(|part| height(part, *scale)).sum::<usize>();
        let columns = parts.iter().map(|part| columns(part, *scale)).max().unwrap_or(0);
        lines <= usize::from(room.height) && columns <= usize::from(room.width)
    };
    (1..=8).take_while(fits).last().unwrap_or(0)
}

fn height(part: &Part, scale: usize) -> usize {
    match part {
        Part::Node(..) => (5 * scale).div_ceil(2),
        Part::Way { .. } => 3,
        Part::Verdict(..) => (7 * scale).div_ceil(2),
        Part::Text(..) | Part::Blank => 1,
    }
}

fn columns(part: &Part, scale: usize) -> usize {
    let of = |pixels: Option<Pixels>| pixels.map_or(0, |pixels| pixels.columns(scale));
    MARGIN
        + match part {
            Part::Node(name, None) => of(Pixels::small(name)),
            Part::Node(name, Some(_)) => of(Pixels::small(name)) + scale + 2 + of(Pixels::small("✔")),
            Part::Verdict(_, word, _) => of(Pixels::large(word)),
            Part::Way { .. } | Part::Text(..) | Part::Blank => 0,
        }
}

/// The lines of a part; in plain letters where `scale` is 0.
fn lines(part: &Part, scale: usize, theme: &Theme, room: usize) -> Vec<Line<'static>> {
    let margin = || Span::raw(" ".repeat(MARGIN));
    let line = |spans: Vec<Span<'static>>| cut(std::iter::once(margin()).chain(spans).collect(), room);
    match part {
        Part::Blank => vec![Line::default()],
        Part::Text(text, style) => vec![line(vec![Span::styled(text.clone(), *style)])],
        Part::Way { open, lit } => way(*open, *lit, scale, theme).into_iter().map(|span| line(vec![span])).collect(),
        Part::Verdict(sign, word, style) => match Pixels::large(word).filter(|_| scale > 0) {
            Some(pixels) => {
                pixels.lines(scale, true).into_iter().map(|text| line(vec![Span::styled(text, *style)])).collect()
            }
            None => vec![line(vec![Span::styled(format!("{sign} {word}"), *style)])],
        },
        Part::Node(name, mark) => {
            let is_lit = !matches!(mark, Some(Mark::Unsent));
            let name_looks = if is_lit { theme.strong } else { theme.dim };
            let (sign, looks) =
                mark.map_or((" ", theme.dim), |mark| (mark.sign(theme.is_ascii()), of_mark(mark, theme)));
            let blocks = Pixels::small(name).zip(Pixels::small(mark.map_or(" ", |mark| mark.sign(false))));
            match blocks.filter(|_| scale > 0) {
                Some((name, sign)) => {
                    let rows = name.lines(scale, is_lit).into_iter().zip(sign.lines(scale, true));
                    let gap = " ".repeat(scale + 2);
                    rows.map(|(name, sign)| {
                        line(vec![Span::styled(name, name_looks), Span::raw(gap.clone()), Span::styled(sign, looks)])
                    })
                    .collect()
                }
                None => {
                    vec![line(vec![Span::styled(format!("{name} "), name_looks), Span::styled(sign.to_owned(), looks)])]
                }
            }
        }
    }
}

/// An arrow or a wall, in three lines beside blocks and in two beside letters.
fn way(open: bool, lit: bool, scale: usize, theme: &Theme) -> Vec<Span<'static>> {
    let looks = if lit { theme.strong } else { theme.dim };
    let (shaft, end) = match (open, lit) {
        (true, true) => ("  ┃", "  ▼"),
        (true, false) => ("  │", "  │"),
        (false, _) => ("  ┃", "━━┻━━"),
    };
    let end_looks = if open { looks } else { theme.denied.text };
    let mut spans = vec![Span::styled(shaft, if open { looks } else { theme.strong }), Span::styled(end, end_looks)];
    if scale > 0 {
        spans.insert(0, Span::raw(""));
    }
    spans
}

fn of_mark(mark: Mark, theme: &Theme) -> Style {
    match mark {
        Mark::Yes => theme.allowed.text,
        Mark::No => theme.denied.text,
        Mark::Failed => theme.failed.text,
        Mark::Waiting => theme.strong,
        Mark::NotAsked | Mark::Unknown | Mark::Unsent => theme.dim,
    }
}
