//! What stands in the rows of a terminal: enough of one to read a recording that draws a text in pieces.

/// The widest and highest screen that is followed.
const MOST: usize = 1_000;

/// The rows of a screen. Wide characters take one place here: what is looked for has none.
#[derive(Debug)]
pub struct Rows {
    rows: Vec<Vec<char>>,
    columns: usize,
    at: (usize, usize),
    /// Rows that have changed since they were read.
    changed: Vec<bool>,
    /// The beginning of a sequence whose end has not come yet.
    rest: String,
}

impl Rows {
    /// An empty screen.
    pub fn new(columns: usize, rows: usize) -> Rows {
        let (columns, rows) = (columns.clamp(1, MOST), rows.clamp(1, MOST));
        Rows {
            rows: vec![vec![' '; columns]; rows],
            columns,
            at: (0, 0),
            changed: vec![false; rows],
            rest: String::new(),
        }
    }

    /// Takes in what a program wrote, and gives the rows that it has changed.
    pub fn write(&mut self, text: &str) -> Vec<String> {
        let text = std::mem::take(&mut self.rest) + text;
        let mut rest = text.as_str();
        while let Some(c) = rest.chars().next() {
            if c == '\u{1b}' {
                let Some(length) = self.sequence(&rest[1..]) else {
                    rest.clone_into(&mut self.rest);
                    break;
                };
                rest = &rest[1 + length..];
                continue;
            }
            self.put(c);
            rest = &rest[c.len_utf8()..];
        }
        let rows = self.rows.iter().zip(&mut self.changed);
        let changed = rows.filter_map(|(row, changed)| std::mem::take(changed).then_some(row));
        changed.map(|row| row.iter().collect()).collect()
    }

    fn put(&mut self, c: char) {
        match c {
            '\r' => self.at.0 = 0,
            '\n' => self.down(),
            '\u{8}' => self.at.0 = self.at.0.saturating_sub(1),
            '\t' => self.at.0 = ((self.at.0 / 8 + 1) * 8).min(self.columns - 1),
            c if c.is_control() => {}
            c => {
                if self.at.0 >= self.columns {
                    self.at.0 = 0;
                    self.down();
                }
                self.rows[self.at.1][self.at.0] = c;
                self.changed[self.at.1] = true;
                self.at.0 += 1;
            }
        }
    }

    fn down(&mut self) {
        if self.at.1 + 1 < self.rows.len() {
            self.at.1 += 1;
        } else {
            // What scrolls out has been read, or is read now.
            self.rows.rotate_left(1);
            self.changed.rotate_left(1);
            self.rows[self.at.1].fill(' ');
        }
    }

    /// Does what the sequence after an escape says, and gives its length; `None` where it is not whole.
    fn sequence(&mut self, text: &str) -> Option<usize> {
        let first = text.chars().next()?;
        if first == ']' {
            let end = text.find(['\u{7}', '\u{1b}'])?;
            return Some(end + 1);
        }
        if first != '[' {
            return Some(first.len_utf8());
        }
        let body = &text[1..];
        let end = body.find(|c: char| ('@'..='~').contains(&c))?;
        let parameters: Vec<usize> = body[..end].split(';').map(|part| part.parse().unwrap_or(0)).collect();
        let count = parameters.first().copied().unwrap_or(0).max(1);
        let (columns, rows) = (self.columns - 1, self.rows.len() - 1);
        match &body[end..=end] {
            "A" => self.at.1 = self.at.1.saturating_sub(count),
            "B" => self.at.1 = (self.at.1 + count).min(rows),
            "C" => self.at.0 = (self.at.0 + count).min(columns),
            "D" => self.at.0 = self.at.0.saturating_sub(count),
            "G" => self.at.0 = (count - 1).min(columns),
            "d" => self.at.1 = (count - 1).min(rows),
            "H" | "f" => {
                let column = parameters.get(1).copied().unwrap_or(1).max(1);
                self.at = ((column - 1).min(columns), (count - 1).min(rows));
            }
            "J" => self.rows.iter_mut().for_each(|row| row.fill(' ')),
            "K" => {
                let (x, y) = self.at;
                self.rows[y].iter_mut().skip(x).for_each(|c| *c = ' ');
            }
            _ => {}
        }
        Some(1 + end + 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_that_is_drawn_in_pieces_stands_in_its_row() {
        let mut rows = Rows::new(20, 3);
        assert_eq!(rows.write("\u{1b}[2J\u{1b}[2;3Hac"), ["  ac                "]);
        assert_eq!(rows.write("\u{1b}[2;4Hb\u{1b}[1mc\u{1b}[0"), ["  abc               "]);
        assert_eq!(rows.write("m\u{1b}]0;title\u{7}d"), ["  abcd              "]);
        assert_eq!(rows.write("\r\n1\r\n2").len(), 2);
        assert_eq!(rows.write("\u{1b}[10;99Hx"), ["2                  x"]);
        assert_eq!(Rows::new(4, 2).write("abcdef"), ["abcd", "ef  "]);
        assert_eq!(Rows::new(9, 1).write("abcd\u{8}\u{8}x\tz"), ["abxd    z"]);
        assert_eq!(
            Rows::new(9, 3).write("abc\u{1b}[2B\u{1b}[2Dd\u{1b}[1A\u{1b}[1Ce"),
            ["abc      ", "   e     ", " d       "]
        );
        assert_eq!(Rows::new(9, 3).write("\u{1b}[2da\u{1b}[5Gb\u{1b}[3G\u{1b}[K"), ["a        "]);
        let mut cleared = Rows::new(4, 2);
        cleared.write("ab\r\ncd");
        assert_eq!(cleared.write("\u{1b}[2J\u{1b}[1;3He"), ["  e "]);
    }
}
