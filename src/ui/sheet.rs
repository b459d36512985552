//! A text that is written line by line, in given columns. Each page adds its own methods.

use ratatui::style::Style;
use ratatui::text::{Line, Span};

use super::text::{wrap, wrap_plain};
use super::theme::Theme;

pub(super) struct Sheet<'t> {
    pub(super) theme: &'t Theme,
    pub(super) columns: usize,
    pub(super) lines: Vec<Line<'static>>,
}

impl Sheet<'_> {
    pub(super) fn new(theme: &Theme, columns: usize) -> Sheet<'_> {
        Sheet { theme, columns, lines: Vec::new() }
    }

    pub(super) fn blank(&mut self) {
        self.lines.push(Line::default());
    }

    pub(super) fn text(&mut self, text: &str, style: Style) {
        self.lines.extend(wrap_plain(text, style, self.columns));
    }

    /// `content` after `lead`; what does not fit goes on after `hang` spaces.
    pub(super) fn put(&mut self, lead: Vec<Span<'static>>, content: Vec<Span<'static>>, hang: usize) {
        self.lines.extend(wrap(lead, content, self.columns, hang));
    }
}
