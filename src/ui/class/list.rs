//! The list of learners.

use ratatui::buffer::Buffer;
use ratatui::style::Style;
use ratatui::text::{Line, Span};

use super::super::text::{cut, truncate, width};
use super::{View, words};
use crate::lab::class::need::{Row, Sort};
use crate::lab::class::report::Doing;
use crate::lab::presenting::pace::minutes;
use crate::lab::stage::Stage;

/// From this width on there are stages as signs and the time in the stage.
const WIDE: usize = 110;

/// From this width on there are answers, drills and time.
const FULL: usize = 80;

/// From this width on there is what a learner is doing.
const NARROW: usize = 60;

/// The most columns of a name, and where the reasons need the room.
const NAME: usize = 14;
const SHORT_NAME: usize = 10;

/// The longest bar of a stage.
const BAR: usize = 10;

impl View<'_> {
    /// Draws the list.
    pub(super) fn list(&self, buffer: &mut Buffer) {
        let dashboard = self.dashboard;
        let left = match self.columns() >= WIDE {
            true => format!("{} · {}", dashboard.code, dashboard.address),
            false => dashboard.code.clone(),
        };
        self.header(&left, &self.troubles(), buffer);
        let mut lines = vec![self.at_stages(), self.heads()];
        let place = dashboard.place(self.rows);
        // Header, the two lines above, the message and the footer.
        let room = usize::from(self.area.height).saturating_sub(6).max(1);
        let above = (place + 1).saturating_sub(room);
        let shown = self.rows.iter().enumerate().skip(above).take(room);
        lines.extend(shown.map(|(at, row)| self.line(row, at == place)));
        lines.push(self.below(above + room));
        self.body(1, lines, buffer);
        let keys = [
            ("enter", "details"),
            ("v", "helped"),
            ("A", "join code"),
            ("E", "export"),
            ("h/s/n/t", self.sorted()),
            ("?", "help"),
            ("q", "close"),
        ];
        self.footer(&keys, buffer);
    }

    /// `28 learners · 1 lost · 1 asks for help`
    pub(super) fn troubles(&self) -> String {
        let (lost, asking) = self.roster.troubles(self.dashboard.now);
        let learners = self.rows.len();
        if learners == 0 {
            return "no learners yet".to_owned();
        }
        let mut parts = vec![format!("{learners} {}", if learners == 1 { "learner" } else { "learners" })];
        match lost {
            0 => {}
            lost if 2 * lost > learners && learners > 1 => {
                parts = vec![format!("! {lost} of {learners} lost: check this machine's network")];
            }
            lost => parts.push(format!("{lost} lost")),
        }
        match asking {
            0 => {}
            1 => parts.push("1 asks for help".to_owned()),
            asking => parts.push(format!("{asking} ask for help")),
        }
        parts.join(" · ")
    }

    fn sorted(&self) -> &'static str {
        match self.dashboard.sort {
            Sort::Help => "sort: help",
            Sort::Stage => "sort: stage",
            Sort::Name => "sort: name",
            Sort::Time => "sort: time",
        }
    }

    /// How many are at each stage: may the class go on?
    fn at_stages(&self) -> Line<'static> {
        let counts = self.roster.at_stages();
        let most = counts.into_iter().max().unwrap_or(0).max(1);
        let mut spans = vec![Span::styled(" at stage ", self.theme.dim)];
        for (stage, count) in Stage::ALL.into_iter().zip(counts) {
            let looks = if count == 0 { self.theme.dim } else { self.theme.strong };
            if self.columns() < WIDE {
                spans.push(Span::styled(format!(" {}:{count} ", stage.number()), looks));
                continue;
            }
            let longest = BAR.min(self.columns().saturating_sub(70) / Stage::ALL.len());
            let bar = (count * longest).div_ceil(most);
            spans.push(Span::styled(format!("  {} ", stage.number()), self.theme.dim));
            spans.push(Span::styled(if bar == 0 { String::new() } else { format!("{} ", "█".repeat(bar)) }, looks));
            spans.push(Span::styled(count.to_string(), looks));
        }
        cut(spans, self.columns())
    }

    /// The columns of the names.
    fn name_columns(&self) -> usize {
        let most = if self.columns() < WIDE { SHORT_NAME } else { NAME };
        self.rows.iter().map(|row| width(&row.learner.name)).max().unwrap_or(0).clamp(7, most)
    }

    /// The cells of a line that this width has, each with its columns.
    fn cells(&self, text: impl Fn(&str) -> String) -> Vec<(String, usize)> {
        let all: &[(&str, usize, usize)] = &[
            ("stages", 9, WIDE),
            ("at", 3, 0),
            ("verdict", 10, NARROW),
            ("last", 4, FULL),
            ("right", 5, FULL),
            ("drills", 6, FULL),
            ("time", 7, FULL),
            ("in stage", 8, WIDE),
        ];
        let shown = all.iter().filter(|(_, _, from)| self.columns() >= *from);
        shown.map(|(name, columns, _)| (text(name), *columns)).collect()
    }

    fn padded(&self, name: &str, cells: Vec<(String, usize)>) -> String {
        let columns = self.name_columns();
        let pad = |text: &str, columns: usize| {
            let text = truncate(text, columns);
            format!("{text}{}", " ".repeat(columns.saturating_sub(width(&text))))
        };
        let cells: Vec<String> = cells.iter().map(|(text, columns)| pad(text, *columns)).collect();
        format!("{} {}", pad(name, columns), cells.join(" "))
    }

    fn heads(&self) -> Line<'static> {
        let text = self.padded("learner", self.cells(str::to_owned));
        cut(vec![Span::styled(format!("   {text}  who needs help first"), self.theme.dim)], self.columns())
    }

    fn line(&self, row: &Row<'_>, is_cursor: bool) -> Line<'static> {
        let (learner, report, now) = (row.learner, &row.learner.report, self.dashboard.now);
        let (right, answered) = report.answers();
        let cells = self.cells(|name| match name {
            "stages" => self.signs(row),
            "at" => format!("{}/{}", report.at.number(), Stage::ALL.len()),
            "verdict" => words::doing(report.doing).to_owned(),
            "last" => words::answer(report.last_answer()),
            "right" => format!("{right}/{answered}"),
            "drills" => words::drills(report.drills),
            "time" => format!("{:>3} min", report.seconds / 60),
            _ if row.need.is_some() => format!("{:>8}", minutes(learner.in_stage(now))),
            _ => String::new(),
        });
        let mark = if is_cursor { " ▸ " } else { "   " };
        let looks = self.looks(row, is_cursor);
        let is_short = self.columns() < WIDE;
        let need = row.need.map(|need| words::need(need, learner, now, is_short)).unwrap_or_default();
        let need = if learner.is_helped(now) { "helped a moment ago".to_owned() } else { need };
        let spans = vec![
            Span::styled(mark, self.theme.focus),
            Span::styled(self.padded(&learner.name, cells), looks),
            Span::styled(format!("  {need}"), if row.need.is_some() { self.theme.strong } else { self.theme.dim }),
        ];
        cut(spans, self.columns())
    }

    fn looks(&self, row: &Row<'_>, is_cursor: bool) -> Style {
        let is_gone = row.learner.is_lost(self.dashboard.now) || row.learner.report.doing == Doing::Left;
        match () {
            () if is_cursor => self.theme.strong,
            () if is_gone => self.theme.dim,
            () => self.theme.base,
        }
    }

    /// `✔✔✔●○○○○○`
    fn signs(&self, row: &Row<'_>) -> String {
        let report = &row.learner.report;
        let sign = |(at, stage): (usize, &crate::lab::class::report::StageReport)| match stage.met {
            Some(true) => '✔',
            Some(false) => '!',
            None if at == report.at.index() => '●',
            None => '○',
        };
        report.stages.iter().enumerate().map(sign).collect()
    }

    /// `▼ 10 more, none of them needs help`
    fn below(&self, shown: usize) -> Line<'static> {
        let rest = self.rows.get(shown..).unwrap_or_default();
        if rest.is_empty() {
            return Line::default();
        }
        let help = match rest.iter().filter(|row| row.need.is_some()).count() {
            0 => "none of them needs help".to_owned(),
            1 => "1 of them needs help".to_owned(),
            count => format!("{count} of them need help"),
        };
        Line::from(Span::styled(format!("   ▼ {} more, {help}", rest.len()), self.theme.dim))
    }
}
