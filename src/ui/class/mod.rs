//! The teacher's dashboard of a class: who is where, and who needs help first.

mod detail;
mod list;
mod pages;
mod words;

use crossterm::event::{KeyCode, KeyEvent, KeyEventKind, KeyModifiers};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use ratatui::widgets::Widget;

use super::signs;
use super::text::{cut, guard, spans_width};
use super::theme::{Theme, keep_bold_dark};
use crate::lab::Lesson;
use crate::lab::class::Roster;
use crate::lab::class::need::{Row, Sort, rows};

/// What lies over the list.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Page {
    /// Nothing.
    #[default]
    List,
    /// The learner under the cursor.
    Detail,
    /// How to join, in large letters.
    Join,
    /// The keys.
    Help,
}

/// What the dashboard shows, besides the roster.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Dashboard {
    /// The code of the class: `KMS-7KQ2`.
    pub code: String,
    /// Where it is reached: `192.168.1.23:4190`.
    pub address: String,
    /// How the list is sorted.
    pub sort: Sort,
    /// What lies over the list.
    pub page: Page,
    /// The learner under the cursor, by the number of the lab; `None` is the first.
    pub cursor: Option<String>,
    /// A line until the next key.
    pub message: Option<String>,
    /// Now, in seconds of Unix time.
    pub now: u64,
}

/// What a key asks of the program.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Asked {
    /// To close the class.
    Leave,
    /// To write the table as CSV.
    Export,
    /// To make a new code.
    NewCode,
    /// To mark this learner as helped, or to take that back.
    Mark(String),
    /// To remove this learner, who is gone.
    Remove(String),
}

impl Dashboard {
    /// Does what `key` means, or returns what the program must do.
    pub fn press(&mut self, key: KeyEvent, roster: &Roster, lesson: &Lesson) -> Option<Asked> {
        if key.kind == KeyEventKind::Release {
            return None;
        }
        self.message = None;
        let control = key.modifiers.contains(KeyModifiers::CONTROL);
        match key.code {
            KeyCode::Char('c') if control => return Some(Asked::Leave),
            _ if control => return None,
            KeyCode::Char('q') => return Some(Asked::Leave),
            KeyCode::Esc => self.page = Page::List,
            KeyCode::Char('?') => self.toggle(Page::Help),
            KeyCode::Char('A') => self.toggle(Page::Join),
            KeyCode::Char('N') => return Some(Asked::NewCode),
            KeyCode::Char('E') => return Some(Asked::Export),
            KeyCode::Down | KeyCode::Char('j') => self.move_by(1, roster, lesson),
            KeyCode::Up | KeyCode::Char('k') => self.move_by(-1, roster, lesson),
            KeyCode::Char('n') if self.page == Page::Detail => self.move_by(1, roster, lesson),
            KeyCode::Char('p') if self.page == Page::Detail => self.move_by(-1, roster, lesson),
            KeyCode::Char('v') => return self.chosen(roster, lesson).map(Asked::Mark),
            KeyCode::Char('D') => return self.chosen(roster, lesson).map(Asked::Remove),
            KeyCode::Enter if self.page == Page::List && !roster.learners().is_empty() => {
                self.cursor = self.chosen(roster, lesson);
                self.page = Page::Detail;
            }
            KeyCode::Enter => self.page = Page::List,
            KeyCode::Char(c) if self.page == Page::List => self.sort_by(c),
            _ => {}
        }
        None
    }

    fn toggle(&mut self, page: Page) {
        self.page = if self.page == page { Page::List } else { page };
    }

    fn sort_by(&mut self, key: char) {
        self.sort = match key {
            'h' => Sort::Help,
            's' => Sort::Stage,
            'n' => Sort::Name,
            't' => Sort::Time,
            _ => return,
        };
        self.cursor = None;
    }

    fn move_by(&mut self, by: isize, roster: &Roster, lesson: &Lesson) {
        let rows = rows(roster, self.sort, lesson, self.now);
        let at = self.place(&rows).saturating_add_signed(by).min(rows.len().saturating_sub(1));
        self.cursor = rows.get(at).map(|row| row.learner.report.lab.clone());
    }

    /// The row under the cursor.
    fn place(&self, rows: &[Row<'_>]) -> usize {
        let is_it = |row: &Row<'_>| Some(&row.learner.report.lab) == self.cursor.as_ref();
        rows.iter().position(is_it).unwrap_or(0)
    }

    fn chosen(&self, roster: &Roster, lesson: &Lesson) -> Option<String> {
        let rows = rows(roster, self.sort, lesson, self.now);
        rows.get(self.place(&rows)).map(|row| row.learner.report.lab.clone())
    }
}

/// Draws the dashboard. Stages have the titles and the plan of `lesson`.
pub fn draw(dashboard: &Dashboard, roster: &Roster, lesson: &Lesson, theme: &Theme, area: Rect, buffer: &mut Buffer) {
    buffer.set_style(area, theme.base);
    let rows = rows(roster, dashboard.sort, lesson, dashboard.now);
    let view = View { dashboard, roster, lesson, theme, rows: &rows, area };
    match dashboard.page {
        Page::Detail if !rows.is_empty() => view.detail(buffer),
        Page::Help => view.help(buffer),
        Page::Join => view.join(buffer),
        _ if rows.is_empty() => view.empty(buffer),
        _ => view.list(buffer),
    }
    guard(buffer);
    keep_bold_dark(buffer);
    if theme.is_ascii() {
        signs::translate(buffer);
    }
}

/// Everything that is drawn from.
#[derive(Clone, Copy)]
struct View<'a> {
    dashboard: &'a Dashboard,
    roster: &'a Roster,
    lesson: &'a Lesson,
    theme: &'a Theme,
    rows: &'a [Row<'a>],
    area: Rect,
}

impl View<'_> {
    fn row(&self, y: u16) -> Rect {
        Rect { y: self.area.y + y, height: 1, ..self.area }.intersection(self.area)
    }

    fn columns(&self) -> usize {
        self.area.width.into()
    }

    /// The bar at the top.
    fn header(&self, left: &str, right: &str, buffer: &mut Buffer) {
        let (area, theme) = (self.row(0), self.theme);
        buffer.set_style(area, theme.bar);
        let right = vec![Span::styled(format!("{right} "), theme.bar.patch(theme.strong))];
        let left =
            vec![Span::styled(" class   ", theme.bar.patch(theme.dim)), Span::styled(left.to_owned(), theme.title)];
        let room = self.columns().saturating_sub(spans_width(&right) + 1);
        Line::from(right).right_aligned().render(area, buffer);
        cut(left, room).render(area, buffer);
    }

    /// The keys at the bottom, and the message above them. Where not all fit, the last two stay: help and the way out.
    fn footer(&self, keys: &[(&str, &str)], buffer: &mut Buffer) {
        let bottom = self.area.height.saturating_sub(1);
        let gap = if self.columns() < 100 { "  " } else { "   " };
        let mut keys = keys.to_vec();
        let all = |keys: &[(&str, &str)]| {
            let mut spans = vec![Span::raw(" ")];
            for (place, (key, text)) in keys.iter().enumerate() {
                let before = if place == 0 { "" } else { gap };
                spans.push(Span::styled(format!("{before}{key}"), self.theme.hint));
                spans.push(Span::styled(format!(" {text}"), self.theme.dim));
            }
            spans
        };
        while keys.len() > 2 && spans_width(&all(&keys)) > self.columns() {
            keys.remove(keys.len() - 3);
        }
        let spans = all(&keys);
        cut(spans, self.columns()).render(self.row(bottom), buffer);
        let message = self.dashboard.message.clone().unwrap_or_default();
        let above = self.row(bottom.saturating_sub(1));
        cut(vec![Span::styled(format!(" {message}"), self.theme.strong)], self.columns()).render(above, buffer);
    }

    /// Draws `lines` between the header and the message.
    fn body(&self, top: u16, lines: Vec<Line<'static>>, buffer: &mut Buffer) {
        let height = usize::from(self.area.height.saturating_sub(top + 2));
        for (y, line) in (top..).zip(lines.into_iter().take(height)) {
            line.render(self.row(y), buffer);
        }
    }
}
