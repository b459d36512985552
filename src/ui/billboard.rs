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
use crate::lab::{Call, Denied, Identity, State, Status, Verdict};

use super::block_letters::Pixels;
use super::text::{cut, width};
use super::theme::Theme;
use super::verdict::verdict;
use super::{hands, path};

/// From this many rows on, letters are blocks; with the header and the footer that is a screen of 90×26.
const ROWS: u16 = 23;
const COLUMNS: u16 = 44;

/// The fewest rows of the columns above votes: a name, a verdict of blocks, what arrived and the path.
const ABOVE_VOTES: u16 = 11;

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
    /// The path in one line.
    Path(Box<Path>),
    Blank,
}

/// Draws the billboard on `area`: the columns and, under a verdict that a class has voted on, its votes.
pub fn draw(state: &State, theme: &Theme, area: Rect, buffer: &mut Buffer) {
    let votes = votes(state, theme, area);
    let rows = u16::try_from(votes.len()).unwrap_or(u16::MAX);
    let (above, below) = (area.height.saturating_sub(rows), area.height.min(rows));
    columns_of(state, theme, Rect { height: above, ..area }, !votes.is_empty(), buffer);
    Paragraph::new(votes).render(Rect { y: area.y + above, height: below, ..area }, buffer);
}

/// A rule, the question, the share of right votes and the bars. Nothing before the verdict, and nothing where it would
/// take the columns' room.
fn votes(state: &State, theme: &Theme, area: Rect) -> Vec<Line<'static>> {
    let stage = state.view().shown;
    let columns = usize::from(area.width).saturating_sub(2 * MARGIN);
    let voted = state.hands(stage).zip(state.question(stage)).zip(hands::rows(state, stage, columns, theme));
    let Some(((count, asked), rows)) = voted.filter(|_| matches!(state.shown().status, Status::Done(_))) else {
        return Vec::new();
    };
    let room = area.height.saturating_sub(ABOVE_VOTES).into();
    // With blank lines between the answers if there is room: they are read from the back row.
    let gap = usize::from(rows.len() * 2 + 4 <= room);
    if rows.len() + 3 > room {
        return Vec::new();
    }
    let share = hands::share(count, &asked, state.interface());
    let asks =
        cut(vec![Span::styled(asked.question.text.clone(), theme.strong)], columns.saturating_sub(width(&share) + 2));
    let rest = columns.saturating_sub(asks.width() + width(&share));
    let line = |spans: Vec<Span<'static>>| {
        Line::from_iter(std::iter::once(Span::raw(" ".repeat(MARGIN))).chain(cut(spans, columns)))
    };
    let head = asks.spans.into_iter().chain([Span::raw(" ".repeat(rest)), Span::styled(share, theme.strong)]);
    let mut lines = vec![Line::styled("─".repeat(area.width.into()), theme.rule), line(head.collect())];
    for row in rows {
        lines.extend(std::iter::repeat_n(Line::default(), gap));
        lines.push(line(row));
    }
    lines.push(Line::default());
    lines
}

/// Draws a column for each caller.
fn columns_of(state: &State, theme: &Theme, area: Rect, has_votes: bool, buffer: &mut Buffer) {
    let half = area.width / 2;
    let left = Rect { width: half, ..area };
    let right = Rect { x: area.x + half, width: area.width - half, ..area };
    let columns = [(Identity::Admin, left), (Identity::TestUser, right)];
    let parts = Identity::BOTH.map(|identity| match has_votes {
        true => verdict_parts(state, identity, theme),
        false => parts(state, identity, theme),
    });
    // Both columns have the same scale, or neither is blocks.
    let room = Rect { width: half.saturating_sub(1), ..area };
    let rows = if has_votes { ABOVE_VOTES } else { ROWS };
    let scale = parts.iter().map(|parts| scale_of(parts, theme, room, rows)).min().unwrap_or(0);
    for ((identity, area), parts) in columns.into_iter().zip(parts) {
        let lines: Vec<Line<'static>> =
            parts.iter().flat_map(|part| lines(state, part, scale, theme, usize::from(area.width))).collect();
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

/// The parts of a column above votes: the verdict, and the path in one line.
fn verdict_parts(state: &State, identity: Identity, theme: &Theme) -> Vec<Part> {
    let mut parts = vec![Part::Blank, Part::Text(identity.name().to_owned(), theme.strong), Part::Blank];
    let path = path(state, identity);
    if let Some(call) = state.selected_call(identity) {
        let (sign, word, looks) = verdict(&call, theme);
        let arrived = format!("{sign} {}", result(state, &call, path.as_ref()));
        parts.extend([Part::Verdict(sign, word, looks.text), Part::Blank, Part::Text(arrived, looks.text)]);
    }
    parts.extend(path.map(|path| Part::Path(Box::new(path))));
    parts
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
fn scale_of(parts: &[Part], theme: &Theme, room: Rect, rows: u16) -> usize {
    // Blocks of # are no letters.
    if theme.is_ascii() || room.height < rows || room.width < COLUMNS {
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
        Part::Text(..) | Part::Path(_) | Part::Blank => 1,
    }
}

fn columns(part: &Part, scale: usize) -> usize {
    let of = |pixels: Option<Pixels>| pixels.map_or(0, |pixels| pixels.columns(scale));
    MARGIN
        + match part {
            Part::Node(name, None) => of(Pixels::small(name)),
            Part::Node(name, Some(_)) => of(Pixels::small(name)) + scale + 2 + of(Pixels::small("✔")),
            Part::Verdict(_, word, _) => of(Pixels::large(word)),
            Part::Way { .. } | Part::Text(..) | Part::Path(_) | Part::Blank => 0,
        }
}

/// The lines of a part; in plain letters where `scale` is 0.
fn lines(state: &State, part: &Part, scale: usize, theme: &Theme, room: usize) -> Vec<Line<'static>> {
    let margin = || Span::raw(" ".repeat(MARGIN));
    let line = |spans: Vec<Span<'static>>| cut(std::iter::once(margin()).chain(spans).collect(), room);
    match part {
        Part::Blank => vec![Line::default()],
        Part::Text(text, style) => vec![line(vec![Span::styled(text.clone(), *style)])],
        Part::Path(path) => {
            vec![line(path::line(path, state.interface(), theme, room.saturating_sub(MARGIN)).spans)]
        }
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
