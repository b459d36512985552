//! The path of a read, drawn.

use ratatui::style::{Modifier, Style};
use ratatui::text::{Line, Span};

use crate::lab::lesson::interface::Interface;
use crate::lab::path::{CALLER, Path, Piece, Role};
use crate::lab::{Exchange, State};

use super::text::wrap_plain;
use super::theme::Theme;

/// The path in one line of at most `columns` columns.
pub fn line(path: &Path, words: Interface<'_>, theme: &Theme, columns: usize) -> Line<'static> {
    spans(path.line(words, columns, CALLER, theme.is_ascii()), theme).into()
}

/// The same of what was earlier: without color, so that it does not look like a verdict of now.
pub fn earlier(path: &Path, words: Interface<'_>, theme: &Theme, columns: usize) -> Line<'static> {
    let pieces = path.line(words, columns, CALLER, theme.is_ascii()).into_iter();
    let span = |piece: Piece| match piece.role {
        Role::Yes | Role::No | Role::Failed => Span::styled(piece.text, Style::new().add_modifier(Modifier::BOLD)),
        _ => Span::styled(piece.text, theme.dim),
    };
    pieces.map(span).collect::<Vec<_>>().into()
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

/// The path of an answered Scan and what explains a mark of it, with a blank line behind; nothing of another call.
pub fn block(state: &State, exchange: &Exchange, theme: &Theme, columns: usize) -> Vec<Line<'static>> {
    let Some(path) = state.path_of(exchange) else { return Vec::new() };
    let words = state.interface();
    let mut lines = vec![line(&path, words, theme, columns)];
    if let Some(note) = path.note {
        let text = format!("{} {}", note.mark().sign(theme.is_ascii()), note.text(words));
        lines.extend(wrap_plain(&text, theme.dim, columns));
    }
    lines.push(Line::default());
    lines
}
