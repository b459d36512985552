//! One learner: what is wrong, what to ask, and each stage.

use ratatui::buffer::Buffer;
use ratatui::text::{Line, Span};

use super::super::text::{labeled, truncate, width};
use super::{View, words};
use crate::lab::class::report::Doing;
use crate::lab::presenting::pace::minutes;
use crate::lab::stage::Stage;

/// The most columns of a stage's title.
const TITLE: usize = 36;

impl View<'_> {
    /// Draws the learner under the cursor.
    pub(super) fn detail(&self, buffer: &mut Buffer) {
        let (dashboard, now) = (self.dashboard, self.dashboard.now);
        let Some(row) = self.rows.get(dashboard.place(self.rows)) else { return };
        let (learner, report) = (row.learner, &row.learner.report);
        let is_lost = learner.is_lost(now);
        let line = match () {
            () if is_lost => format!("✘ LOST · last heard {} ago", minutes(now.saturating_sub(learner.heard))),
            () if report.doing == Doing::Left => "the lab was left".to_owned(),
            () => format!("connected · last news {} ago", minutes(now.saturating_sub(learner.moved))),
        };
        self.header(&format!("{}   ▸ {}", dashboard.code, learner.name), &line, buffer);
        let columns = self.columns().saturating_sub(2);
        let entry = |label: &str, text: String| {
            labeled((format!(" {label:<7} "), self.theme.dim), (text, self.theme.base), columns, 9)
        };
        let needs = match row.need {
            _ if learner.is_helped(now) => "marked as helped a moment ago".to_owned(),
            Some(need) => words::need(need, learner, now, false),
            None => "nothing".to_owned(),
        };
        let mut lines = vec![Line::default()];
        lines.extend(entry("needs", needs));
        lines.extend(entry("is at", self.place_of(report)));
        if let Some(need) = row.need {
            lines.extend(entry("try", words::advice(need, report.at).to_owned()));
        }
        if is_lost {
            let join = format!("kmslab --join {}@{} --name {}", dashboard.code, dashboard.address, learner.name);
            lines.extend(entry("", format!("Closed? `kmslab` resumes the lab. To join again: {join}")));
            lines.push(Line::default());
            lines.push(Line::from(Span::styled(" LAST KNOWN", self.theme.strong)));
        } else {
            lines.push(Line::default());
        }
        lines.extend(self.stages_of(report));
        let (right, answered) = report.answers();
        let sum = format!(
            " right {right} of {answered}   drills {}   {} min",
            words::drills(report.drills),
            report.seconds / 60
        );
        lines.push(Line::default());
        lines.push(Line::from(Span::styled(sum, self.theme.base)));
        let note = format!(" Self-reported by {}'s own lab: no items, ids or secrets are sent.", learner.name);
        lines.push(Line::from(Span::styled(note, self.theme.dim)));
        self.body(1, lines, buffer);
        let mut keys = vec![("n/p", "learner"), ("v", "helped")];
        if is_lost || report.doing == Doing::Left {
            keys.push(("D", "remove from the list"));
        }
        keys.extend([("esc", "back"), ("q", "close")]);
        self.footer(&keys, buffer);
    }

    fn place_of(&self, report: &crate::lab::class::Report) -> String {
        let way = report.way.filter(|_| report.at == Stage::Grant).map(|way| {
            let came = if report.refused { ", refused so far" } else { "" };
            format!(", by {}{came}", way.call())
        });
        let doing = words::doing(report.doing);
        format!("stage {}/{}, {doing}{}", report.at.number(), Stage::ALL.len(), way.unwrap_or_default())
    }

    fn stages_of(&self, report: &crate::lab::class::Report) -> Vec<Line<'static>> {
        let title_columns = self.columns().saturating_sub(50).clamp(12, TITLE);
        let title = |text: &str| {
            let text = truncate(text, title_columns);
            format!("{text}{}", " ".repeat(title_columns.saturating_sub(width(&text))))
        };
        let heads = format!("   {} verdict     answer  tries  hints   time", title("stage"));
        let mut lines = vec![Line::from(Span::styled(heads, self.theme.dim))];
        for (stage, told) in Stage::ALL.into_iter().zip(&report.stages) {
            let is_here = stage == report.at;
            let verdict = match told.met {
                Some(true) => "✔ MET",
                Some(false) => "! NOT MET",
                None if is_here => words::doing(report.doing),
                None => "○",
            };
            let name = title(&format!("{}  {}", stage.number(), self.lesson.stage(stage).title));
            let mut text = format!("{name} {verdict}{}", " ".repeat(12_usize.saturating_sub(width(verdict))));
            if told.met.is_some() || is_here {
                let answer = words::answer(told.answer);
                let answer = format!("{answer}{}", " ".repeat(6_usize.saturating_sub(width(&answer))));
                let time = minutes(told.seconds);
                text.push_str(&format!("{answer}  {:>5}  {:>5}  {time:>5}", told.tries, told.hints));
            }
            let mark = if is_here { " ▸ " } else { "   " };
            let looks = if is_here { self.theme.strong } else { self.theme.base };
            lines.push(Line::from(vec![Span::styled(mark, self.theme.focus), Span::styled(text, looks)]));
        }
        lines
    }
}
