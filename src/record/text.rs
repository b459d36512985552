//! A film as text, in the order in which it is read: of each chapter a heading, its first picture, and what the others
//! add. What is there for eyes and hands alone is left out: progress, keys, and what is seen for a moment.

use std::ops::Range;
use std::time::Duration;

use super::chapters::clock;
use super::film::{Film, Picture, Row};
use super::shapes::{arms, block};
use super::style::cells;
use crate::lab::glyphs;

/// Two panes stand side by side where a line goes down over so many rows.
const PANES: usize = 4;

/// What is shown for a shorter time nobody reads: calls under way.
const READ: Duration = Duration::from_millis(400);

/// A part of a film: from its first picture to the one before the next chapter.
pub(super) struct Chapter<'a> {
    pub name: &'a str,
    pub at: Duration,
    /// Each with the time it stays.
    pictures: Vec<(&'a Picture, Duration)>,
}

/// The chapters; the cards before the first and after the last have the film's title, and so has a film without any.
pub(super) fn chapters(film: &Film) -> Vec<Chapter<'_>> {
    let mut chapters: Vec<Chapter<'_>> = Vec::new();
    let ends = film.pictures.iter().skip(1).map(|next| next.at).chain([film.end]);
    let mut was_card = true;
    for (picture, end) in film.pictures.iter().zip(ends) {
        let shown = (picture, end.saturating_sub(picture.at));
        let is_card = picture.stage.is_empty();
        match (&picture.chapter, chapters.last_mut()) {
            (None, Some(chapter)) if was_card || !is_card => chapter.pictures.push(shown),
            (name, _) => {
                let name = name.as_deref().unwrap_or(&film.title);
                chapters.push(Chapter { name, at: picture.at, pictures: vec![shown] });
            }
        }
        was_card = is_card;
    }
    chapters
}

impl Chapter<'_> {
    /// Its text.
    pub fn lines(&self) -> Vec<String> {
        let mut lines: Vec<String> = Vec::new();
        for (index, (picture, stays)) in self.pictures.iter().enumerate() {
            if index > 0 && *stays < READ {
                continue;
            }
            let mut new = reading(picture);
            if index > 0 {
                new.retain(|line| line.is_empty() || !lines.contains(line));
                new.insert(0, String::new());
                new.dedup();
            }
            if new.iter().any(|line| !line.is_empty()) {
                let blank = lines.last().is_none_or(String::is_empty);
                lines.extend(new.into_iter().skip_while(|line| blank && line.is_empty()));
            }
        }
        while lines.last().is_some_and(String::is_empty) {
            lines.pop();
        }
        lines
    }
}

/// The whole film.
pub(super) fn transcript(film: &Film) -> String {
    let mut text = format!("{}\n{}\n", plain(&film.title), clock(film.end));
    for chapter in chapters(film) {
        let heading = format!("{}  {}", clock(chapter.at), plain(chapter.name));
        text.push_str(&format!("\n{heading}\n{}\n", "=".repeat(glyphs::width(&heading))));
        for line in chapter.lines() {
            text.push_str(&line);
            text.push('\n');
        }
    }
    text
}

/// The lines of a picture as they are read: of two panes first the left one, then the right one; no lines that only
/// part something, and no more than one blank line in a row.
pub(super) fn reading(picture: &Picture) -> Vec<String> {
    let mut rows = picture.rows.as_slice();
    if window(rows).is_some() {
        return parted(rows);
    }
    let mut lines = Vec::new();
    if let (false, [_, inner @ .., _, _, _]) = (picture.stage.is_empty(), rows) {
        // The header's progress says nothing that the heading does not; the last row has the keys. Of the two above,
        // one may have a message and one has but the name of the view.
        let [.., view, message, _] = rows else { return lines };
        let is_rule = view.iter().any(|cell| cell.symbol().starts_with(['─', '━']));
        lines = parted(std::slice::from_ref(message));
        rows = if is_rule { inner } else { &picture.rows[1..picture.rows.len() - 2] };
    }
    let mut read = parted(rows);
    if lines.iter().any(|line| !line.is_empty()) {
        read.push(String::new());
        read.append(&mut lines);
    }
    read
}

fn parted(rows: &[Row]) -> Vec<String> {
    let mut parts = vec![(rows, 0..u16::MAX)];
    if let Some((inside, columns)) = window(rows) {
        parts = vec![(inside, columns)];
    } else if let Some((x, across)) = divider(rows) {
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

/// What is inside a window that stands over the rest, its heading included; the rest is cut off by it.
fn window(rows: &[Row]) -> Option<(&[Row], Range<u16>)> {
    let is = |row: &Row, x: usize, corners: &[&str]| row.get(x).is_some_and(|cell| corners.contains(&cell.symbol()));
    rows.iter().enumerate().find_map(|(y, row)| {
        let left = (0..row.len()).find(|x| is(row, *x, &["┌", "╭"]))?;
        let right = (left + 1..row.len()).find(|x| is(row, *x, &["┐", "╮"]))?;
        let is_whole = |row: &&Row| is(row, left, &["│", "├", "┌", "╭"]);
        let height = rows[y..].iter().take_while(is_whole).count();
        let column = |x: usize| u16::try_from(x).unwrap_or(u16::MAX);
        (height > 2).then(|| (&rows[y..y + height], column(left + 1)..column(right)))
    })
}

/// Lines and blocks say nothing when they are read aloud.
fn spoken(symbol: &str) -> &str {
    let is_drawn = symbol.chars().next().is_some_and(|c| arms(c).is_some() || block(c).is_some());
    if is_drawn { " " } else { symbol }
}

/// `text` without what no file of text should have.
fn plain(text: &str) -> String {
    glyphs::shown(text).into_owned()
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
