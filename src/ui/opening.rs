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

/// Columns that the picture needs.
const PICTURE: usize = 86;

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
    let picture = if columns >= PICTURE { picture(text, theme) } else { short.clone() };
    let joined = |parts: &[&Vec<Line<'static>>], gap: usize| {
        let gap = vec![Line::default(); gap];
        parts.iter().map(|part| (*part).clone()).collect::<Vec<_>>().join(&gap[..])
    };
    // What is left out first can be looked up: the terms, then what the panes are.
    let choices = [
        joined(&[&story, &picture, &terms, &panes, &time], 2),
        joined(&[&story, &picture, &terms, &panes, &time], 1),
        joined(&[&story, &short, &terms, &panes, &time], 1),
        joined(&[&story, &short, &terms, &panes, &time], 0),
        joined(&[&story, &short, &panes, &time], 1),
    ];
    let mut lines = choices.iter().find(|lines| lines.len() <= rows).or(choices.last()).cloned().unwrap_or_default();
    lines.truncate(rows);
    lines
}

/// Both callers and the two locks, in a row.
fn picture(text: &Opening, theme: &Theme) -> Vec<Line<'static>> {
    const BOX: usize = 16;
    let (rule, strong, base, dim) = (theme.rule, theme.strong, theme.base, theme.dim);
    let top = |name: &str| {
        let rest = BOX.saturating_sub(width(name) + 3);
        [
            Span::styled("┌─ ", rule),
            Span::styled(name.to_owned(), strong),
            Span::styled(format!(" {}┐", "─".repeat(rest)), rule),
        ]
    };
    let inside =
        |name: &str| [Span::styled("│", rule), Span::styled(format!("{name:^BOX$}"), base), Span::styled("│", rule)];
    let bottom = || Span::styled(format!("└{}┘", "─".repeat(BOX)), rule);
    let gap = |columns: usize| Span::raw(" ".repeat(columns));
    let arrow = || Span::styled(" ─────▸ ", rule);
    let row = |parts: Vec<Vec<Span<'static>>>| Line::from(parts.concat());
    vec![
        row(vec![vec![gap(23)], top(&text.lock_1).to_vec(), vec![gap(8)], top(&text.lock_2).to_vec()]),
        row(vec![
            vec![gap(4), Span::styled("admin ─────┐", base), gap(7)],
            inside(&text.table).to_vec(),
            vec![gap(8)],
            inside(&text.key).to_vec(),
        ]),
        row(vec![
            vec![gap(15), Span::styled("├─────▸ ", rule)],
            inside("").to_vec(),
            vec![arrow()],
            inside("").to_vec(),
            vec![arrow(), Span::styled(text.goal.clone(), strong)],
        ]),
        row(vec![
            vec![gap(4), Span::styled("test-user ─┘", base), gap(7)],
            inside("DynamoDB").to_vec(),
            vec![gap(8)],
            inside("KMS").to_vec(),
        ]),
        row(vec![vec![gap(23), bottom(), gap(8), bottom()]]),
        row(vec![vec![
            gap(23),
            Span::styled(format!("{:^18}", text.table_asks), dim),
            gap(8),
            Span::styled(format!("{:^18}", text.key_asks), dim),
        ]]),
    ]
}
