//! How to join, and the keys.

use ratatui::buffer::Buffer;
use ratatui::text::{Line, Span};

use super::super::block_letters;
use super::super::text::wrap_plain;
use super::View;

/// The keys and what they do.
const KEYS: [(&str, &str); 11] = [
    ("h s n t", "sort by need of help, stage, name or time"),
    ("j/k", "another learner"),
    ("enter", "details of the learner"),
    ("v", "mark as helped: out of the first places for five minutes"),
    ("D", "remove a learner who is lost or has left"),
    ("A", "how to join, in large letters"),
    ("N", "a new code: the old one is void, and everyone has to join again"),
    ("E", "export: write the table as CSV into the current folder"),
    ("esc", "back to the list"),
    ("?", "these keys"),
    ("q", "close the class"),
];

impl View<'_> {
    /// Nobody is there yet: how to join, and what to do if nobody appears.
    pub(super) fn empty(&self, buffer: &mut Buffer) {
        let dashboard = self.dashboard;
        self.header(&format!("{} · {}", dashboard.code, dashboard.address), "no learners yet", buffer);
        let columns = self.columns().saturating_sub(2);
        let mut lines = vec![Line::default()];
        let mut text = |text: &str, looks, indent: &str| {
            let wrapped = wrap_plain(text, looks, columns.saturating_sub(indent.len() + 1));
            lines.extend(wrapped.into_iter().map(|mut line| {
                line.spans.insert(0, Span::raw(format!(" {indent}")));
                line
            }));
            lines.push(Line::default());
        };
        let (base, strong) = (self.theme.base, self.theme.strong);
        text("On each learner's machine, on this network:", base, "");
        text(&format!("kmslab --join {}@{} --name YOUR-NAME", dashboard.code, dashboard.address), strong, "   ");
        let sent = "Each learner works in a sandbox of their own. Their labs send progress only: stage, verdict, answer, \
                    tries, hints, drills, time. No items, ids or secrets.";
        text(sent, base, "");
        let (_, port) = dashboard.address.rsplit_once(':').unwrap_or(("", "4190"));
        let local = format!("Nobody appears? Try on this machine:  kmslab --join {}@127.0.0.1:{port}", dashboard.code);
        text(&local, base, "");
        let apart = "If that works, the network keeps its devices apart, as guest networks often do. Use another one, or \
                     collect result.json files and run  kmslab class DIR";
        text(apart, base, "");
        text("The code ends with this session.", self.theme.dim, "");
        self.body(1, lines, buffer);
        self.footer(&[("A", "large letters"), ("N", "new code"), ("?", "help"), ("q", "close")], buffer);
    }

    /// The code in letters that the back row reads, and the line to type.
    pub(super) fn join(&self, buffer: &mut Buffer) {
        let dashboard = self.dashboard;
        self.header(&dashboard.code, &self.troubles(), buffer);
        let mut lines =
            vec![Line::default(), Line::from(Span::styled(" join this class", self.theme.dim)), Line::default()];
        let letters = block_letters::wide(&dashboard.code, 1)
            .filter(|rows| !self.theme.is_ascii() && rows.iter().all(|row| row.chars().count() + 2 <= self.columns()));
        match letters {
            Some(rows) => {
                lines.extend(
                    rows.into_iter().map(|row| Line::from(Span::styled(format!("  {row}"), self.theme.strong))),
                );
            }
            None => lines.push(Line::from(Span::styled(format!("  {}", dashboard.code), self.theme.strong))),
        }
        lines.extend([Line::default(), Line::default()]);
        let join = format!("kmslab --join {}@{} --name YOUR-NAME", dashboard.code, dashboard.address);
        lines.extend(wrap_plain(&join, self.theme.strong, self.columns().saturating_sub(4)).into_iter().map(
            |mut line| {
                line.spans.insert(0, Span::raw("  "));
                line
            },
        ));
        self.body(1, lines, buffer);
        self.footer(&[("esc", "back"), ("N", "new code"), ("q", "close")], buffer);
    }

    /// The keys.
    pub(super) fn help(&self, buffer: &mut Buffer) {
        self.header(&self.dashboard.code, &self.troubles(), buffer);
        let mut lines = vec![Line::default()];
        for (keys, text) in KEYS {
            lines.push(Line::from(vec![
                Span::styled(format!("  {keys:<9}"), self.theme.hint),
                Span::styled(text, self.theme.base),
            ]));
        }
        self.body(1, lines, buffer);
        self.footer(&[("esc", "back"), ("q", "close")], buffer);
    }
}
