//! What stands in the rows of a terminal: enough of one to read a recording that draws a text in pieces.

use std::ops::Range;

use unicode_width::UnicodeWidthChar;

use super::sequences::{Sequence, sequence};

/// The widest and highest screen that is followed.
const MOST: usize = 1_000;

/// The longest sequence that is waited for.
const LONGEST: usize = 1 << 16;

/// The rows of a screen.
#[derive(Debug)]
pub(super) struct Rows {
    rows: Vec<Row>,
    columns: usize,
    /// The cursor: column and row. Behind the last column the next character wraps.
    at: (usize, usize),
    saved: (usize, usize),
    /// Lines that have scrolled out since the last time.
    gone: Vec<Line>,
    /// The beginning of a sequence whose end has not come yet.
    rest: String,
}

#[derive(Debug, Clone)]
struct Row {
    /// The second place of a wide character has [`COVERED`].
    cells: Vec<char>,
    /// Since it was read.
    is_changed: bool,
    /// Whether the terminal put what followed into the next row.
    wraps: bool,
}

const COVERED: char = '\0';

impl Row {
    fn empty(columns: usize) -> Row {
        Row { cells: vec![' '; columns], is_changed: false, wraps: false }
    }

    fn erase(&mut self, range: Range<usize>) {
        self.wraps &= range.end < self.cells.len();
        let range = range.start.min(self.cells.len())..range.end.min(self.cells.len());
        self.cells[range].fill(' ');
    }

    /// Whether what stands in `next` may belong to the same word: the terminal wrapped it, or a program did that draws
    /// its rows itself and filled this one.
    fn goes_on_in(&self, next: &Row) -> bool {
        let is_filled = |cell: Option<&char>| cell.is_some_and(|c| !c.is_whitespace());
        self.wraps || (is_filled(self.cells.last()) && is_filled(next.cells.first()))
    }
}

/// What reads as one line: rows that belong together.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Line {
    pub text: String,
    /// The parts that are new.
    pub changed: Vec<Range<usize>>,
    /// Where in it the cursor is.
    pub cursor: Option<usize>,
}

impl Rows {
    /// An empty screen.
    pub fn new(columns: usize, rows: usize) -> Rows {
        let (columns, rows) = (columns.clamp(1, MOST), rows.clamp(1, MOST));
        Rows {
            rows: vec![Row::empty(columns); rows],
            columns,
            at: (0, 0),
            saved: (0, 0),
            gone: Vec::new(),
            rest: String::new(),
        }
    }

    /// Draws what a program wrote, and gives the lines that it has changed.
    pub fn write(&mut self, text: &str) -> Vec<Line> {
        let text = std::mem::take(&mut self.rest) + text;
        let mut rest = text.as_str();
        while let Some(c) = rest.chars().next() {
            rest = &rest[c.len_utf8()..];
            if c != '\u{1b}' {
                self.put(c);
                continue;
            }
            match sequence(rest) {
                Some((found, length)) => {
                    self.obey(&found);
                    rest = &rest[length..];
                }
                None if rest.len() < LONGEST => {
                    self.rest = format!("\u{1b}{rest}");
                    break;
                }
                None => {}
            }
        }
        let mut lines = std::mem::take(&mut self.gone);
        let mut first = 0;
        while first < self.rows.len() {
            let end = self.end_of_line(first);
            if self.rows[first..end].iter().any(|row| row.is_changed) {
                lines.push(self.line(first..end));
            }
            first = end;
        }
        self.rows.iter_mut().for_each(|row| row.is_changed = false);
        lines
    }

    /// All that stands there.
    pub fn text(&self) -> String {
        let mut text = String::new();
        let mut first = 0;
        while first < self.rows.len() {
            let end = self.end_of_line(first);
            text.push_str(&self.line(first..end).text);
            text.push('\n');
            first = end;
        }
        text
    }

    fn end_of_line(&self, first: usize) -> usize {
        let goes_on = |row: &usize| self.rows.get(row + 1).is_some_and(|next| self.rows[*row].goes_on_in(next));
        1 + (first..).find(|row| !goes_on(row)).unwrap_or(first)
    }

    fn line(&self, rows: Range<usize>) -> Line {
        let mut line = Line::default();
        for (y, row) in rows.clone().zip(&self.rows[rows]) {
            let start = line.text.len();
            for (x, c) in row.cells.iter().enumerate() {
                if self.at == (x, y) {
                    line.cursor = Some(line.text.len());
                }
                line.text.extend(Some(*c).filter(|c| *c != COVERED));
            }
            if self.at == (self.columns, y) {
                line.cursor = Some(line.text.len());
            }
            if row.is_changed {
                line.changed.push(start..line.text.len());
            }
        }
        line
    }

    fn put(&mut self, c: char) {
        match c {
            '\r' => self.at.0 = 0,
            '\n' => self.down(),
            '\u{8}' => self.at.0 = self.column().saturating_sub(1),
            '\t' => self.at.0 = ((self.column() / 8 + 1) * 8).min(self.columns - 1),
            c => {
                let width = c.width().unwrap_or(0).min(self.columns);
                if width == 0 {
                    return;
                }
                if self.at.0 + width > self.columns {
                    self.rows[self.at.1].wraps = true;
                    self.at.0 = 0;
                    self.down();
                }
                let row = &mut self.rows[self.at.1];
                row.cells[self.at.0..self.at.0 + width].fill(COVERED);
                row.cells[self.at.0] = c;
                row.is_changed = true;
                self.at.0 += width;
            }
        }
    }

    /// The column the cursor is in; one that waits behind the last is still in it.
    fn column(&self) -> usize {
        self.at.0.min(self.columns - 1)
    }

    fn down(&mut self) {
        if self.at.1 + 1 < self.rows.len() {
            self.at.1 += 1;
            return;
        }
        if self.rows[0].is_changed {
            let line = self.line(0..self.end_of_line(0));
            self.gone.push(line);
        }
        self.rows.rotate_left(1);
        self.rows[self.at.1] = Row::empty(self.columns);
    }

    fn obey(&mut self, found: &Sequence<'_>) {
        match found {
            Sequence::Control("?1049" | "?1047" | "?47", 'h' | 'l') => self.clear(0..self.rows.len()),
            Sequence::Control(parameters, letter) => {
                let numbers: Vec<usize> = parameters.split(';').map(|part| part.parse().unwrap_or(0)).collect();
                self.control(&numbers, *letter);
            }
            Sequence::Short('7') => self.saved = self.at,
            Sequence::Short('8') => self.at = self.saved,
            Sequence::Short('D') => self.down(),
            Sequence::Short('E') => {
                self.at.0 = 0;
                self.down();
            }
            Sequence::Short('M') if self.at.1 == 0 => self.insert_rows(0, 1),
            Sequence::Short('M') => self.at.1 -= 1,
            Sequence::Short('c') => *self = Rows::new(self.columns, self.rows.len()),
            Sequence::Short(_) | Sequence::Text(..) => {}
        }
    }

    fn control(&mut self, numbers: &[usize], letter: char) {
        let first = numbers.first().copied().unwrap_or(0);
        let count = first.max(1);
        let (x, y) = (self.column(), self.at.1);
        let (right, bottom) = (self.columns - 1, self.rows.len() - 1);
        match letter {
            'A' => self.at = (x, y.saturating_sub(count)),
            'B' | 'e' => self.at = (x, (y.saturating_add(count)).min(bottom)),
            'C' | 'a' => self.at.0 = (x.saturating_add(count)).min(right),
            'D' => self.at.0 = x.saturating_sub(count),
            'E' => self.at = (0, (y.saturating_add(count)).min(bottom)),
            'F' => self.at = (0, y.saturating_sub(count)),
            'G' | '`' => self.at.0 = (count - 1).min(right),
            'd' => self.at.1 = (count - 1).min(bottom),
            'H' | 'f' => {
                let column = numbers.get(1).copied().unwrap_or(1).max(1);
                self.at = ((column - 1).min(right), (count - 1).min(bottom));
            }
            'J' => match first {
                0 => {
                    self.rows[y].erase(x..self.columns);
                    self.clear(y + 1..self.rows.len());
                }
                1 => {
                    self.rows[y].erase(0..x + 1);
                    self.clear(0..y);
                }
                _ => self.clear(0..self.rows.len()),
            },
            'K' => {
                let range = [x..self.columns, 0..x + 1, 0..self.columns];
                self.rows[y].erase(range[first.min(2)].clone());
            }
            'X' => self.rows[y].erase(x..x.saturating_add(count)),
            'P' | '@' => self.shift(x, y, count, letter == 'P'),
            'L' => self.insert_rows(y, count),
            'M' => self.remove_rows(y, count),
            'S' => self.remove_rows(0, count),
            'T' => self.insert_rows(0, count),
            'r' => self.at = (0, 0),
            's' => self.saved = self.at,
            'u' => self.at = self.saved,
            _ => {}
        }
    }

    fn clear(&mut self, rows: Range<usize>) {
        for row in &mut self.rows[rows] {
            row.erase(0..self.columns);
        }
    }

    /// Removes `count` cells at a place, or makes room for them; the rest of the row moves.
    fn shift(&mut self, x: usize, y: usize, count: usize, removes: bool) {
        let row = &mut self.rows[y];
        let count = count.min(self.columns - x);
        if removes {
            row.cells[x..].rotate_left(count);
            row.erase(self.columns - count..self.columns);
        } else {
            row.cells[x..].rotate_right(count);
            row.erase(x..x + count);
        }
        row.is_changed = true;
    }

    fn insert_rows(&mut self, at: usize, count: usize) {
        let count = count.min(self.rows.len() - at);
        self.rows[at..].rotate_right(count);
        self.clear(at..at + count);
    }

    fn remove_rows(&mut self, at: usize, count: usize) {
        let count = count.min(self.rows.len() - at);
        self.rows[at..].rotate_left(count);
        self.clear(self.rows.len() - count..self.rows.len());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn drawn(rows: &mut Rows, text: &str) -> Vec<String> {
        rows.write(text).into_iter().map(|line| line.text).collect()
    }

    fn whole(columns: usize, rows: usize, text: &str) -> String {
        let mut rows = Rows::new(columns, rows);
        rows.write(text);
        rows.text()
    }

    #[test]
    fn a_text_that_is_drawn_in_pieces_stands_in_its_row() {
        let mut rows = Rows::new(20, 3);
        assert_eq!(drawn(&mut rows, "\u{1b}[2J\u{1b}[2;3Hac"), ["  ac                "]);
        assert_eq!(drawn(&mut rows, "\u{1b}[2;4Hb\u{1b}[31"), ["  ab                "]);
        assert_eq!(drawn(&mut rows, "mc\u{1b}]0;title\u{7}\u{1b}(B\u{1b}]8;;x\u{1b}\\d"), ["  abcd              "]);
        assert_eq!(rows.write("\r\n1\r\n2").len(), 2);
        assert_eq!(drawn(&mut rows, "\u{1b}[10;99Hx"), ["2                  x"]);
        assert_eq!(whole(9, 1, "abcd\u{8}\u{8}x\tz"), "abxd    z\n");
        assert_eq!(whole(6, 3, "abc\u{1b}[2B\u{1b}[2Dd\u{1b}[1A\u{1b}[1Ce"), "abc   \n   e  \n d    \n");
        assert_eq!(whole(6, 3, "x\u{1b}[2da\u{1b}[5Gb\u{1b}[3G\u{1b}[K"), "x     \n a    \n      \n");
        assert_eq!(whole(4, 2, "ab\r\ncd\u{1b}[2J\u{1b}[1;3He"), "  e \n    \n");
    }

    #[test]
    fn what_is_edited_in_its_row_moves() {
        assert_eq!(whole(6, 1, "abcdef\r\u{1b}[C\u{1b}[2P"), "adef  \n");
        assert_eq!(whole(6, 1, "abcd\r\u{1b}[C\u{1b}[@x"), "axbcd \n");
        assert_eq!(whole(4, 3, "1\r\n2\r\n3\u{1b}[2;1H\u{1b}[L\u{1b}[1;1H\u{1b}[J"), "    \n    \n    \n");
        assert_eq!(whole(4, 2, "1\r\n2\u{1b}[H\u{1b}M0"), "0   \n1   \n");
    }

    #[test]
    fn rows_that_belong_together_are_one_line() {
        // The terminal wrapped it, as bash does with a blank; and a program that draws each row itself.
        assert_eq!(drawn(&mut Rows::new(4, 3), "abcdef"), ["abcdef  "]);
        assert_eq!(drawn(&mut Rows::new(4, 3), "abcd \ref"), ["abcdef  "]);
        assert_eq!(drawn(&mut Rows::new(4, 3), "\u{1b}[1;1Habcd\u{1b}[2;1Hef"), ["abcdef  "]);
        assert_eq!(drawn(&mut Rows::new(4, 3), "abc\r\nef"), ["abc ", "ef  "]);
        assert_eq!(drawn(&mut Rows::new(4, 3), "ab表c表"), ["ab表c表 "]);
        // At the bottom, where the first row scrolls out.
        let mut rows = Rows::new(4, 2);
        assert_eq!(drawn(&mut rows, "1\r\nab"), ["1   ", "ab  "]);
        assert_eq!(drawn(&mut rows, "cdef"), ["abcdef  "]);
        assert_eq!(drawn(&mut rows, "\r\n3\r\n4"), ["3   ", "4   "]);
    }

    #[test]
    fn new_parts_and_the_cursor_are_known() {
        let mut rows = Rows::new(4, 3);
        rows.write("abcde");
        let lines = rows.write("f");
        assert_eq!(
            lines,
            [Line { text: "abcdef  ".into(), changed: std::iter::once(4..8).collect(), cursor: Some(6) }]
        );
    }
}
