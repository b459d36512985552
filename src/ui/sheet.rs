//! A text that is written line by line, in given columns. Each page adds its own methods.

use ratatui::style::Style;
use ratatui::text::{Line, Span};

use super::text::{wrap, wrap_plain};
use super::theme::Theme;
use crate::lab::lesson::interface::Interface;

pub(super) struct Sheet<'t> {
    pub(super) theme: &'t Theme,
    pub(super) words: Interface<'t>,
    pub(super) columns: usize,
    pub(super) lines: Vec<Line<'static>>,
}

impl Sheet<'_> {
    pub(super) fn new<'t>(theme: &'t Theme, words: Interface<'t>, columns: usize) -> Sheet<'t> {
        Sheet { theme, words, columns, lines: Vec::new() }
    }

    pub(super) fn blank(&mut self) {
        self.lines.push(Line::default());
    }

    /// A text of the lab, in the lesson's language.
    pub(super) fn text(&mut self, text: &str, style: Style) {
        self.quote(&self.words.sentence(text), style);
    }

    /// A text that stays as it is: a service's.
    pub(super) fn quote(&mut self, text: &str, style: Style) {
        self.lines.extend(wrap_plain(text, style, self.columns));
    }

    /// `content` after `lead`; what does not fit goes on after `hang` spaces.
    pub(super) fn put(&mut self, lead: Vec<Span<'static>>, content: Vec<Span<'static>>, hang: usize) {
        self.lines.extend(wrap(lead, content, self.columns, hang));
    }
}
