//! The title and end cards of a recording.

use ratatui::buffer::Buffer;
use ratatui::layout::{Constraint, Rect, Size};
use ratatui::text::{Line, Span};
use ratatui::widgets::{Paragraph, Widget};

use crate::lab::{BackendKind, State};

use super::lesson;
use super::text::{width, wrap_plain};
use super::theme::Theme;

/// The widest text of a card.
const WIDEST: u16 = 76;

/// Draws the title card: what the recording shows, and where it was made.
pub fn title(state: &State, theme: &Theme, size: Size) -> Buffer {
    let place = match state.backend().kind {
        BackendKind::Sandbox => "on the sandbox inside kmslab: no AWS account needed".to_owned(),
        BackendKind::Endpoint => "on an AWS-compatible server".to_owned(),
        BackendKind::Aws => format!("on AWS, {}", state.backend().region),
    };
    let pseudonyms = if state.has_pseudonyms() { "account, ids and names are pseudonyms" } else { "" };
    let about = &state.lesson().frame.export;
    card(theme, size, |columns| {
        let mut lines = vec![Line::from(Span::styled(" kmslab ", theme.focus)), Line::default()];
        lines.extend(wrap_plain(&about.title, theme.strong, columns));
        lines.push(Line::default());
        lines.extend(wrap_plain(&about.about, theme.base, columns));
        lines.push(Line::default());
        lines.extend(
            [place.as_str(), pseudonyms]
                .into_iter()
                .filter(|text| !text.is_empty())
                .flat_map(|text| wrap_plain(text, theme.dim, columns)),
        );
        lines
    })
}

/// Draws the end card: the score, the takeaways, and how to run the lab.
pub fn end(state: &State, theme: &Theme, size: Size) -> Buffer {
    let summary = format!("{}{}", state.summary_in(state.interface()), super::score::after_summary(state));
    let room = usize::from(size.height.saturating_sub(7));
    card(theme, size, |columns| {
        let mut lines = wrap_plain(&summary, theme.strong, columns);
        lines.push(Line::default());
        for claim in &state.lesson().frame.debrief {
            let more = lesson::card(state, claim, theme, columns);
            // A claim without its explanation, or half of one, says the wrong thing.
            if lines.len() + more.len() > room {
                break;
            }
            lines.extend(more);
        }
        lines.push(Line::default());
        lines.push(Line::from(vec![
            Span::styled("Do it yourself:  ", theme.dim),
            Span::styled(" kmslab ", theme.focus),
        ]));
        lines
    })
}

/// Draws lines in the middle of the screen.
fn card(theme: &Theme, size: Size, lines: impl Fn(usize) -> Vec<Line<'static>>) -> Buffer {
    let area = Rect::new(0, 0, size.width, size.height);
    let mut buffer = Buffer::empty(area);
    buffer.set_style(area, theme.base);
    let lines = lines(size.width.saturating_sub(4).min(WIDEST).into());
    let text = |line: &Line<'_>| line.spans.iter().map(|span| width(&span.content)).sum::<usize>();
    let columns = u16::try_from(lines.iter().map(text).max().unwrap_or(0)).unwrap_or(u16::MAX);
    let rows = u16::try_from(lines.len()).unwrap_or(u16::MAX);
    let place = area.centered(Constraint::Length(columns), Constraint::Length(rows));
    Paragraph::new(lines).render(place, &mut buffer);
    super::theme::keep_bold_dark(&mut buffer);
    if theme.is_ascii() {
        super::signs::translate(&mut buffer);
    }
    buffer
}

/// The narrowest screen on which that row has the time of the recording. On narrower ones only the header has it.
const TIMED: u16 = 80;

/// Draws the last row of a session that is played back: REPLAY, the position, and as many keys as fit.
pub fn replay_bar(theme: &Theme, when: &str, state: &str, keys: &[(&str, &str)], buffer: &mut Buffer) {
    let area = buffer.area;
    let row = Rect { y: area.bottom().saturating_sub(1), height: 1, ..area }.intersection(area);
    let place = if row.width < TIMED { format!(" {state}") } else { format!(" {when}  {state}") };
    let mut spans =
        vec![Span::styled(super::verdict::replay(theme), theme.replay()), Span::styled(place, theme.strong)];
    let taken = |keys: &[(&str, &str)]| keys.iter().map(|(key, label)| 4 + width(key) + width(label)).sum::<usize>();
    let room = usize::from(row.width).saturating_sub(spans.iter().map(|span| width(&span.content)).sum());
    let mut keys = keys.to_vec();
    // The last one is how to leave.
    while taken(&keys) > room && keys.len() > 1 {
        keys.remove(keys.len() - 2);
    }
    for (key, label) in keys {
        spans.push(Span::styled(format!("   {key}"), theme.hint));
        spans.push(Span::styled(format!(" {label}"), theme.dim));
    }
    ratatui::widgets::Clear.render(row, buffer);
    buffer.set_style(row, theme.base);
    super::text::cut(spans, row.width.into()).render(row, buffer);
    super::theme::keep_bold_dark(buffer);
    if theme.is_ascii() {
        super::signs::translate(buffer);
    }
}
