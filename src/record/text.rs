//! A film as text, in the order in which it is read: a heading and the last picture of each chapter.

use std::time::Duration;

use ratatui::buffer::Buffer;

use super::looks::{arms, block, cells};
use super::recorder::clock;
use super::{Film, Picture};

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
        for line in reading(&chapter.last.buffer) {
            text.push_str(&line);
            text.push('\n');
        }
    }
    text
}

/// The lines of a picture as they are read: of two panes first the left one, then the right one; no lines that only
/// part something, and no more than one blank line in a row.
pub(super) fn reading(buffer: &Buffer) -> Vec<String> {
    let area = buffer.area;
    let mut parts = vec![(area.top()..area.bottom(), area.left()..area.right())];
    if let Some((x, rows)) = divider(buffer) {
        parts = vec![
            (area.top()..rows.start, area.left()..area.right()),
            (rows.clone(), area.left()..x),
            (rows.clone(), x + 1..area.right()),
            (rows.end..area.bottom(), area.left()..area.right()),
        ];
    }
    let mut lines: Vec<String> = Vec::new();
    for (rows, columns) in parts {
        for y in rows {
            let shown = cells(buffer, y).filter(|(x, ..)| columns.contains(x));
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

/// The longest line that goes down.
fn divider(buffer: &Buffer) -> Option<(u16, std::ops::Range<u16>)> {
    let area = buffer.area;
    let goes_down = |x: u16, y: u16| {
        let symbol = buffer.cell((x, y)).and_then(|cell| cell.symbol().chars().next());
        symbol.and_then(arms).is_some_and(|[up, _, down, _]| up > 0 || down > 0)
    };
    let mut best: Option<(u16, std::ops::Range<u16>)> = None;
    for x in area.left()..area.right() {
        let mut start = area.top();
        for y in area.top()..area.bottom() {
            if !goes_down(x, y) {
                start = y + 1;
            } else if best.as_ref().is_none_or(|(_, rows)| rows.len() < usize::from(y + 1 - start)) {
                best = Some((x, start..y + 1));
            }
        }
    }
    best.filter(|(_, rows)| rows.len() >= PANES)
}
