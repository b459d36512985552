//! The lines under the header: what the stage does, what to look at, and what came of it.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use ratatui::widgets::{Paragraph, Widget};

use crate::lab::{State, Status};

use super::layout::Class;
use super::text::{cut, wrap};
use super::theme::Theme;

/// Columns of the labels, with their margin.
const LABEL: usize = 11;

/// How many lines there may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Budget {
    /// At least: so that the panes do not move when a stage ends.
    least: usize,
    /// At most, where there is a choice.
    most: usize,
}

impl Budget {
    /// The budget of a screen.
    pub fn of(area: Rect) -> Budget {
        match (Class::of(area), area.height) {
            (Class::Full, 28..) => Budget { least: 4, most: 8 },
            // One pane for want of columns leaves rows enough.
            (_, 24..) => Budget { least: 4, most: 5 },
            _ => Budget { least: 2, most: 2 },
        }
    }
}

/// Rows that the lines take.
pub fn height(state: &State, columns: u16, budget: Budget) -> u16 {
    u16::try_from(lines(state, &Theme::plain(), columns, budget).len()).unwrap_or(u16::MAX)
}

/// Draws them.
pub fn draw(state: &State, theme: &Theme, area: Rect, screen: Rect, buffer: &mut Buffer) {
    Paragraph::new(lines(state, theme, screen.width, Budget::of(screen))).render(area, buffer);
}

fn lines(state: &State, theme: &Theme, columns: u16, budget: Budget) -> Vec<Line<'static>> {
    let columns = usize::from(columns).saturating_sub(1);
    let text = state.view.shown.text();
    let objective = Part { label: None, content: vec![Span::styled(text.objective, theme.strong)] };
    let look = Part { label: Some("look at"), content: vec![Span::styled(text.look, theme.base)] };
    let (is_done, outcome) = match &state.shown().status {
        Status::Done(check) => {
            let (sign, style) =
                if check.met { ("✔ MET", theme.allowed.text) } else { ("✘ NOT MET", theme.failed.text) };
            let observed =
                vec![Span::styled(format!("{sign}  "), style), Span::styled(check.observed.clone(), theme.base)];
            let expected = vec![Span::styled(text.expected, theme.base)];
            let parts = [("expected", expected), ("observed", observed)];
            (true, parts.map(|(label, content)| Part { label: Some(label), content }).to_vec())
        }
        Status::Running => {
            let under_way = match state.shown().pending.len() {
                0 => "waiting before asking again".to_owned(),
                1 => "1 call under way".to_owned(),
                calls => format!("{calls} calls under way, sent at the same time"),
            };
            let sign = Span::styled(format!("{}  ", spinner(state.ticks)), theme.strong);
            (false, vec![Part { label: None, content: vec![sign, Span::styled(under_way, theme.base)] }])
        }
        Status::Todo => {
            let key = Span::styled(" enter ", theme.focus);
            let action = Span::styled(format!("  {}", text.action), theme.strong);
            (false, vec![Part { label: None, content: vec![key, action] }])
        }
    };
    if budget.most <= 2 {
        let parts = if is_done { outcome } else { [vec![objective], outcome].concat() };
        return parts.into_iter().map(|part| part.one_line(theme, columns)).take(budget.most).collect();
    }
    let wrapped = |parts: &[Part]| parts.iter().flat_map(|part| part.wrapped(theme, columns)).collect::<Vec<_>>();
    // When a stage has been done, what it does can be left out first, then what to look at.
    let (all, less) =
        ([vec![objective, look.clone()], outcome.clone()].concat(), [vec![look], outcome.clone()].concat());
    let choices = if is_done { vec![all, less, outcome] } else { vec![all] };
    let mut lines = Vec::new();
    for choice in choices {
        lines = wrapped(&choice);
        if lines.len() <= budget.most {
            break;
        }
    }
    if lines.len() > budget.most {
        // A long error is in the pane, too, where it scrolls.
        lines.truncate(budget.most - 1);
        lines.push(Line::from(Span::styled(format!("{:LABEL$}…", ""), theme.dim)));
    }
    lines.resize(lines.len().max(budget.least), Line::default());
    lines
}

/// A labelled text.
#[derive(Clone)]
struct Part {
    label: Option<&'static str>,
    content: Vec<Span<'static>>,
}

impl Part {
    /// The label, and the column that the text hangs from.
    fn lead(&self, theme: &Theme) -> (Vec<Span<'static>>, usize) {
        match self.label {
            Some(label) => (vec![Span::styled(format!(" {label:<width$}", width = LABEL - 1), theme.dim)], LABEL),
            None => (vec![Span::raw(" ")], 1),
        }
    }

    fn wrapped(&self, theme: &Theme, columns: usize) -> Vec<Line<'static>> {
        let (lead, hang) = self.lead(theme);
        wrap(lead, self.content.clone(), columns, hang)
    }

    fn one_line(&self, theme: &Theme, columns: usize) -> Line<'static> {
        let (mut spans, _) = self.lead(theme);
        spans.extend(self.content.clone());
        cut(spans, columns)
    }
}

/// The waiting sign after so many ticks.
pub fn spinner(ticks: u64) -> &'static str {
    const FRAMES: [&str; 4] = ["◐", "◓", "◑", "◒"];
    FRAMES[usize::try_from(ticks % 4).unwrap_or(0)]
}
