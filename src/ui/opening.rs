//! The opening card: what the lab is about, before its first stage.

use std::fmt::Display;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use ratatui::widgets::{Paragraph, Widget};

use crate::lab::lesson::Opening;
use crate::lab::{BackendKind, State};

use super::text::{labeled, width, wrap_plain};
use super::theme::Theme;

/// Columns of the left margin.
const MARGIN: u16 = 2;

/// The columns of the picture's parts.
struct Measures {
    /// All of it.
    columns: usize,
    /// Before the names.
    lead: usize,
    /// The lines beside the names, at their shortest.
    stub: usize,
    /// Inside a lock's box.
    inside: usize,
    /// Between the boxes.
    gap: usize,
}

const WIDE: Measures = Measures { columns: 86, lead: 4, stub: 7, inside: 16, gap: 8 };
const NARROW: Measures = Measures { columns: 74, lead: 0, stub: 4, inside: 14, gap: 5 };

/// The longest line.
const LONGEST: usize = 96;

/// Draws the card between header and footer.
pub fn draw(state: &State, theme: &Theme, area: Rect, buffer: &mut Buffer) {
    let columns = usize::from(area.width.saturating_sub(2 * MARGIN)).min(LONGEST);
    let place = Rect { x: area.x + MARGIN, width: area.width.saturating_sub(MARGIN), ..area }.intersection(area);
    Paragraph::new(lines(state, theme, columns, area.height.into())).render(place, buffer);
}

/// The card as lines of text, for plain mode.
pub fn text(state: &State) -> Vec<String> {
    let text = &state.lesson().frame.opening;
    let terms = text.terms.iter().map(|(name, meaning)| format!("{name}: {meaning}"));
    let mut lines = vec![text.story.trim().to_owned(), in_words(text)];
    lines.extend(terms);
    lines.extend([text.panes_spoken.trim().to_owned(), time(state)]);
    lines
}

/// The picture as a sentence: each lock with its question.
fn in_words(text: &Opening) -> String {
    format!(
        "{}, {}, DynamoDB: {} {}, {}, KMS: {}",
        text.lock_1, text.table, text.table_asks, text.lock_2, text.key, text.key_asks
    )
}

/// How long it takes and what it costs, where the calls go.
fn time(state: &State) -> String {
    let text = &state.lesson().frame.opening;
    let fill = |text: &str, value: &dyn Display| text.trim().replace("{}", &value.to_string());
    match (state.backend().kind, state.backend().host()) {
        (BackendKind::Sandbox, _) => text.time.trim().to_owned(),
        (BackendKind::Endpoint, Some(host)) => fill(&text.time_elsewhere, &host),
        _ => fill(&text.time_aws, &state.backend().region),
    }
}

fn lines(state: &State, theme: &Theme, columns: usize, rows: usize) -> Vec<Line<'static>> {
    let text = &state.lesson().frame.opening;
    let plain = |text: &str| wrap_plain(text.trim(), theme.base, columns);
    let name_columns = text.terms.iter().map(|(name, _)| width(name)).max().unwrap_or(0) + 3;
    let terms: Vec<Line<'static>> = (text.terms.iter())
        .flat_map(|(name, meaning)| {
            let label = format!("{name:<name_columns$}");
            labeled((label, theme.strong), (meaning.clone(), theme.base), columns, name_columns)
        })
        .collect();
    let (story, panes, time) = (plain(&text.story), plain(&text.panes), plain(&time(state)));
    let short = wrap_plain(&in_words(text), theme.strong, columns);
    let drawn = [WIDE, NARROW].iter().find(|measures| columns >= measures.columns);
    let picture = drawn.map_or_else(|| short.clone(), |measures| picture(text, measures, theme));
    let joined = |parts: &[&[Line<'static>]], gap: usize| parts.join(&vec![Line::default(); gap][..]);
    // What is left out first can be looked up: the terms.
    let choices = [
        joined(&[&story, &picture, &terms, &panes, &time], 2),
        joined(&[&story, &picture, &terms, &panes, &time], 1),
        joined(&[&[story.clone(), picture].concat(), &terms, &[panes.clone(), time.clone()].concat()], 1),
        joined(&[&story, &short, &terms, &panes, &time], 1),
        joined(&[&story, &short, &terms, &panes, &time], 0),
        joined(&[&story, &short, &panes, &time], 1),
        joined(&[&story, &short, &panes, &time], 0),
    ];
    let mut lines = choices.iter().find(|lines| lines.len() <= rows).or(choices.last()).cloned().unwrap_or_default();
    lines.truncate(rows);
    lines
}

/// Both callers and the two locks, in a row.
fn picture(text: &Opening, measures: &Measures, theme: &Theme) -> Vec<Line<'static>> {
    const NAMES: usize = 9;
    let &Measures { lead, stub, inside, gap, .. } = measures;
    let (rule, strong, base) = (theme.rule, theme.strong, theme.base);
    let space = |columns: usize| Span::raw(" ".repeat(columns));
    let before = lead + NAMES + 2 + stub;
    let top = |name: &str| {
        let rest = "─".repeat(inside.saturating_sub(width(name) + 3));
        let name = Span::styled(name.to_owned(), strong);
        vec![Span::styled("┌─ ", rule), name, Span::styled(format!(" {rest}┐"), rule)]
    };
    let wall = |name: &str| {
        vec![Span::styled("│", rule), Span::styled(format!("{name:^inside$}"), base), Span::styled("│", rule)]
    };
    let bottom = || vec![Span::styled(format!("└{}┘", "─".repeat(inside)), rule)];
    let arrow = || vec![Span::styled(format!(" {}▸ ", "─".repeat(gap - 3)), rule)];
    let caller = |name: &str, end: &str| {
        let line = "─".repeat(NAMES + 1 - width(name));
        vec![
            space(lead),
            Span::styled(format!("{name} "), base),
            Span::styled(format!("{line}{end}"), rule),
            space(stub - 1),
        ]
    };
    // Under each box, as wide as it and the gaps at its sides.
    let asks = |asked: &str| {
        let columns = inside + 2 + gap;
        Span::styled(format!("{asked:^columns$}"), theme.dim)
    };
    let both = |start: Vec<Span<'static>>, left, middle, right| Line::from([start, left, middle, right].concat());
    let join = vec![space(lead + NAMES + 2), Span::styled(format!("├{}▸ ", "─".repeat(stub - 3)), rule)];
    let goal = [arrow(), vec![Span::styled(text.goal.clone(), strong)]].concat();
    vec![
        both(vec![space(before)], top(&text.lock_1), vec![space(gap)], top(&text.lock_2)),
        both(caller("admin", "┐"), wall(&text.table), vec![space(gap)], wall(&text.key)),
        both(join, wall(""), arrow(), [wall(""), goal].concat()),
        both(caller("test-user", "┘"), wall("DynamoDB"), vec![space(gap)], wall("KMS")),
        both(vec![space(before)], bottom(), vec![space(gap)], bottom()),
        both(vec![space(before - gap / 2)], vec![asks(&text.table_asks)], Vec::new(), vec![asks(&text.key_asks)]),
    ]
}
