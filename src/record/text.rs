//! A film as text, in the order in which it is read: a heading and the last picture of each chapter.

use std::ops::Range;
use std::time::Duration;

use super::looks::{arms, block, cells};
use super::recorder::clock;
use super::{Film, Picture, Row};

/// Two panes stand side by side where a line goes down over so many rows.
const PANES: usize = 4;

/// A part of a film: from its first picture to the one before the next chapter.
pub(super) struct Chapter<'a> {
    pub name: &'a str,
    pub at: Duration,
    /// What stays of it.
    pub last: &'a Picture,
}

/// The chapters; what comes before the first has the film's title, and so has a film without any.
pub(super) fn chapters(film: &Film) -> Vec<Chapter<'_>> {
    let mut chapters: Vec<Chapter<'_>> = Vec::new();
    for picture in &film.pictures {
        match (&picture.chapter, chapters.last_mut()) {
            (None, Some(chapter)) => chapter.last = picture,
            (name, _) => {
                let name = name.as_deref().unwrap_or(&film.title);
                chapters.push(Chapter { name, at: picture.at, last: picture });
            }
        }
    }
    chapters
}

/// The whole film.
pub(super) fn transcript(film: &Film) -> String {
    let mut text = format!("{}\n{}\n", plain(&film.title), clock(film.end));
    for chapter in chapters(film) {
        let heading = format!("{}  {}", clock(chapter.at), plain(chapter.name));
        text.push_str(&format!("\n{heading}\n{}\n", "=".repeat(heading.chars().count())));
        for line in reading(&chapter.last.rows) {
            text.push_str(&line);
            text.push('\n');
        }
    }
    text
}

/// The lines of a picture as they are read: of two panes first the left one, then the right one; no lines that only
/// part something, and no more than one blank line in a row.
pub(super) fn reading(rows: &[Row]) -> Vec<String> {
    let mut parts = vec![(rows, 0..u16::MAX)];
    if let Some((x, across)) = divider(rows) {
        let (above, beside, below) = (&rows[..across.start], &rows[across.clone()], &rows[across.end..]);
        parts = vec![(above, 0..u16::MAX), (beside, 0..x), (beside, x + 1..u16::MAX), (below, 0..u16::MAX)];
    }
    let mut lines: Vec<String> = Vec::new();
    for (rows, columns) in parts {
        for row in rows {
            let shown = cells(row).filter(|(x, ..)| columns.contains(x));
            let line = plain(&shown.map(|(_, _, cell)| spoken(cell.symbol())).collect::<String>());
            if !line.trim().is_empty() || lines.last().is_some_and(|last| !last.is_empty()) {
                lines.push(line.trim_end().to_owned());
            }
        }
        if lines.last().is_some_and(|last| !last.is_empty()) {
            lines.push(String::new());
        }
    }
    lines.pop();
    lines
}

/// Lines and blocks say nothing when they are read aloud.
fn spoken(symbol: &str) -> &str {
    let is_drawn = symbol.chars().next().is_some_and(|c| arms(c).is_some() || block(c).is_some());
    if is_drawn { " " } else { symbol }
}

/// What no file of text should have is left out.
fn plain(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).collect()
}

/// The longest line that goes down: its column, and the rows.
fn divider(rows: &[Row]) -> Option<(u16, Range<usize>)> {
    let goes_down = |x: u16, row: &Row| {
        let symbol = row.get(usize::from(x)).and_then(|cell| cell.symbol().chars().next());
        symbol.and_then(arms).is_some_and(|[up, _, down, _]| up > 0 || down > 0)
    };
    let columns = rows.first().map_or(0, |row| row.len());
    let mut best: Option<(u16, Range<usize>)> = None;
    for x in 0..u16::try_from(columns).unwrap_or(u16::MAX) {
        let mut start = 0;
        for (y, row) in rows.iter().enumerate() {
            if !goes_down(x, row) {
                start = y + 1;
            } else if best.as_ref().is_none_or(|(_, rows)| rows.len() < y + 1 - start) {
                best = Some((x, start..y + 1));
            }
        }
    }
    best.filter(|(_, rows)| rows.len() >= PANES)
}
