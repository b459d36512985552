//! A class as a table: text for people, CSV for spreadsheets.

use std::cmp::Reverse;

use unicode_width::UnicodeWidthStr;

use super::report::Report;
use super::roster::Learner;
use crate::lab::model::stage::Stage;

/// The first line of the CSV.
const HEADER: &str =
    "learner,stages_met,stages,not_met,right,answered,hints,drills_solved,drills,seconds,self_reported";

/// A learner's line.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Row {
    /// The learner's name, made safe to show.
    pub name: String,
    /// Stages that were met.
    pub met: usize,
    /// Stages that ended otherwise.
    pub not_met: usize,
    /// Right answers.
    pub right: usize,
    /// Right and wrong answers.
    pub answered: usize,
    /// Hints that were shown.
    pub hints: u64,
    /// Drills that were solved.
    pub solved: usize,
    /// Drills that were tried.
    pub drills: usize,
    /// The seconds that the lab took, where they are known.
    pub seconds: Option<u64>,
}

impl Row {
    /// The line of a learner who is in the class now.
    pub fn of(learner: &Learner) -> Row {
        let report: &Report = &learner.report;
        let (right, answered) = report.answers();
        Row {
            name: learner.name.clone(),
            met: report.met(),
            not_met: report.stages.iter().filter(|stage| stage.met == Some(false)).count(),
            right,
            answered,
            hints: report.stages.iter().map(|stage| u64::from(stage.hints)).sum(),
            solved: report.drills.0.into(),
            drills: report.drills.1.into(),
            seconds: Some(report.seconds),
        }
    }
}

/// Those who need help come first: stages that were not met, then the fewest stages, wrong answers, hints.
pub fn sort(rows: &mut [Row]) {
    rows.sort_by(|a, b| {
        let need = |row: &Row| (Reverse(row.not_met), row.met, Reverse(row.answered - row.right), Reverse(row.hints));
        need(a).cmp(&need(b)).then_with(|| a.name.cmp(&b.name))
    });
}

/// The table with its heads, and what it is worth.
pub fn as_text(rows: &[Row]) -> String {
    let width = rows.iter().map(|row| row.name.width()).max().unwrap_or(0).max("learner".len());
    let line = |name: &str, cells: [String; 6]| {
        let [met, not_met, right, hints, drills, time] = cells;
        let gap = " ".repeat(width.saturating_sub(name.width()));
        format!("{name}{gap}  {met:>6}  {not_met:>7}  {right:>5}  {hints:>5}  {drills:>6}  {time:>7}\n")
    };
    let mut text = line("learner", ["stages", "not met", "right", "hints", "drills", "seconds"].map(str::to_owned));
    for row in rows {
        let drills = if row.drills == 0 { "-".to_owned() } else { format!("{}/{}", row.solved, row.drills) };
        let cells = [
            format!("{}/{}", row.met, Stage::ALL.len()),
            row.not_met.to_string(),
            format!("{}/{}", row.right, row.answered),
            row.hints.to_string(),
            drills,
            row.seconds.map_or_else(|| "-".to_owned(), |seconds| seconds.to_string()),
        ];
        text.push_str(&line(&row.name, cells));
    }
    text.push_str("\nSelf-reported by the learners' own labs: a teaching aid, not a grade.\n");
    text
}

/// The table as CSV, with one line a learner.
pub fn as_csv(rows: &[Row]) -> String {
    let mut text = format!("{HEADER}\n");
    for row in rows {
        let numbers =
            [row.met, Stage::ALL.len(), row.not_met, row.right, row.answered].map(|n| n.to_string()).join(",");
        let seconds = row.seconds.map(|seconds| seconds.to_string()).unwrap_or_default();
        let rest = format!("{},{},{},{seconds},true", row.hints, row.solved, row.drills);
        text.push_str(&format!("{},{numbers},{rest}\n", cell(&row.name)));
    }
    text
}

/// A text as a cell. Spreadsheets take one that begins with these signs for a formula, unless an apostrophe leads it.
fn cell(text: &str) -> String {
    let is_formula =
        text.trim_start().starts_with(['=', '+', '-', '@', '\u{ff1d}', '\u{ff0b}', '\u{ff0d}', '\u{ff20}']);
    format!("\"{}{}\"", if is_formula { "'" } else { "" }, text.replace('"', "\"\""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_name_is_a_formula_or_breaks_a_line() {
        for (name, expected) in [
            ("=1+1", "\"'=1+1\""),
            ("+1", "\"'+1\""),
            ("-1", "\"'-1\""),
            ("@SUM(A1)", "\"'@SUM(A1)\""),
            ("A \"B\", C", "\"A \"\"B\"\", C\""),
        ] {
            let row = Row { name: name.into(), ..Row::default() };
            let text = as_csv(&[row]);
            assert_eq!(text.lines().count(), 2, "{text}");
            assert!(text.lines().nth(1).unwrap().starts_with(expected), "{text}");
        }
    }
}
