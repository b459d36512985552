//! The path of a read, drawn.

use ratatui::text::{Line, Span};

use crate::lab::lesson::interface::Interface;
use crate::lab::path::{CALLER, Path, Piece, Role};
use crate::lab::{Exchange, Identity, State};

use super::text::{width, wrap_plain};
use super::theme::Theme;

/// The path in one line of at most `columns` columns.
pub fn line(path: &Path, words: Interface<'_>, theme: &Theme, columns: usize) -> Line<'static> {
    spans(path.line(words, columns, CALLER, theme.is_ascii()), theme).into()
}

/// The same of what was earlier: without color, so that it does not look like a verdict of now.
pub fn earlier(path: &Path, words: Interface<'_>, theme: &Theme, columns: usize) -> Line<'static> {
    dimmed(path.line(words, columns, CALLER, theme.is_ascii()), theme).into()
}

fn dimmed(pieces: Vec<Piece>, theme: &Theme) -> Vec<Span<'static>> {
    let looks = |role| match role {
        Role::Yes | Role::No | Role::Failed => theme.strong,
        _ => theme.dim,
    };
    pieces.into_iter().map(|piece| Span::styled(piece.text, looks(piece.role))).collect()
}

/// The pieces in the colors of the theme.
pub fn spans(pieces: Vec<Piece>, theme: &Theme) -> Vec<Span<'static>> {
    let looks = |role| match role {
        Role::Base => theme.base,
        Role::Rule => theme.rule,
        Role::Yes => theme.allowed.text,
        Role::No => theme.denied.text,
        Role::Failed => theme.failed.text,
        Role::Strong => theme.strong,
        Role::Dim => theme.dim,
    };
    pieces.into_iter().map(|piece| Span::styled(piece.text, looks(piece.role))).collect()
}

/// The path of an answered Scan, the earlier one of the same Scan above it, and what explains a mark; with a blank line
/// behind. Nothing of another call.
pub fn block(state: &State, exchange: &Exchange, theme: &Theme, columns: usize) -> Vec<Line<'static>> {
    let Some(path) = state.path_of(exchange) else { return Vec::new() };
    let words = state.interface();
    let mut lines = rows(state, exchange.identity, &path, theme, columns);
    if let Some(note) = path.note {
        let text = format!("{} {}", note.mark().sign(theme.is_ascii()), note.text(words));
        lines.extend(wrap_plain(&text, theme.dim, columns));
    }
    lines.push(Line::default());
    lines
}

/// The path, below the earlier one of the same Scan if the shown stage sends it again.
pub fn rows(state: &State, identity: Identity, path: &Path, theme: &Theme, columns: usize) -> Vec<Line<'static>> {
    let words = state.interface();
    match state.path_before(identity) {
        Some(before) => before_and_now(&before, path, words, theme, columns),
        None => vec![line(path, words, theme, columns)],
    }
}

/// Both paths, one below the other; the earlier one only if it is different.
fn before_and_now(
    before: &Path,
    now: &Path,
    words: Interface<'_>,
    theme: &Theme,
    columns: usize,
) -> Vec<Line<'static>> {
    let labels = ["before", "now"].map(|label| words.say(label));
    let longest = labels.iter().map(|label| width(label)).max().unwrap_or(0);
    // The paths are worth more than the second space.
    let gap = if columns >= 42 { longest + 2 } else { longest + 1 };
    let row = |label: &str, path: &Path, is_earlier: bool| {
        let pieces = path.nodes(words, columns.saturating_sub(gap), theme.is_ascii());
        let (looks, path) = match is_earlier {
            true => (theme.dim, dimmed(pieces, theme)),
            false => (theme.strong, spans(pieces, theme)),
        };
        let lead = Span::styled(format!("{label}{}", " ".repeat(gap.saturating_sub(width(label)))), looks);
        Line::from(std::iter::once(lead).chain(path).collect::<Vec<_>>())
    };
    let is_changed = (before.table, before.key) != (now.table, now.key);
    let earlier = if is_changed { row(labels[0], before, true) } else { Line::raw(" ") };
    vec![earlier, row(labels[1], now, false)]
}
