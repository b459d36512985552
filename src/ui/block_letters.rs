//! Letters drawn as blocks, for the back row: pixels, two of them in a cell.

use super::signs::spelt;

/// The pixels of a text, row by row.
pub struct Pixels {
    rows: Vec<Vec<bool>>,
}

/// Letters of three to seven columns and five rows.
const SMALL: &[(char, [&str; 5])] = &[
    ('A', [".#.", "#.#", "###", "#.#", "#.#"]),
    ('B', ["##.", "#.#", "##.", "#.#", "##."]),
    ('D', ["##.", "#.#", "#.#", "#.#", "##."]),
    ('E', ["###", "#..", "##.", "#..", "###"]),
    ('I', ["###", ".#.", ".#.", ".#.", "###"]),
    ('K', ["#.#", "#.#", "##.", "#.#", "#.#"]),
    ('M', ["#...#", "##.##", "#.#.#", "#...#", "#...#"]),
    ('N', ["#..#", "##.#", "#.##", "#..#", "#..#"]),
    ('O', ["###", "#.#", "#.#", "#.#", "###"]),
    ('R', ["##.", "#.#", "##.", "#.#", "#.#"]),
    ('S', ["###", "#..", "###", "..#", "###"]),
    ('T', ["###", ".#.", ".#.", ".#.", ".#."]),
    ('U', ["#.#", "#.#", "#.#", "#.#", "###"]),
    ('Y', ["#.#", "#.#", ".#.", ".#.", ".#."]),
    ('-', ["...", "...", "###", "...", "..."]),
    (' ', [".", ".", ".", ".", "."]),
    ('✔', ["......#", ".....#.", "#...#..", ".#.#...", "..#...."]),
    ('✘', ["#...#", ".#.#.", "..#..", ".#.#.", "#...#"]),
    ('!', ["#", "#", "#", ".", "#"]),
    ('?', ["###", "..#", ".##", "...", ".#."]),
    ('○', [".###.", "#...#", "#...#", "#...#", ".###."]),
    ('◐', [".###.", "###.#", "###.#", "###.#", ".###."]),
];

/// Letters of five columns and seven rows.
const LARGE: &[(char, [&str; 7])] = &[
    ('A', [".###.", "#...#", "#...#", "#####", "#...#", "#...#", "#...#"]),
    ('D', ["####.", "#...#", "#...#", "#...#", "#...#", "#...#", "####."]),
    ('E', ["#####", "#....", "#....", "####.", "#....", "#....", "#####"]),
    ('F', ["#####", "#....", "#....", "####.", "#....", "#....", "#...."]),
    ('G', [".####", "#....", "#....", "#.###", "#...#", "#...#", ".####"]),
    ('I', ["#####", "..#..", "..#..", "..#..", "..#..", "..#..", "#####"]),
    ('L', ["#....", "#....", "#....", "#....", "#....", "#....", "#####"]),
    ('N', ["#...#", "##..#", "##..#", "#.#.#", "#..##", "#..##", "#...#"]),
    ('O', [".###.", "#...#", "#...#", "#...#", "#...#", "#...#", ".###."]),
    ('T', ["#####", "..#..", "..#..", "..#..", "..#..", "..#..", "..#.."]),
    ('W', ["#...#", "#...#", "#...#", "#.#.#", "#.#.#", "##.##", "#...#"]),
];

/// Letters of up to eight columns and five rows, in whole cells: those of a film, which a thumbnail still shows.
#[rustfmt::skip]
const WIDE: &[(char, [&str; 5])] = &[
    ('A', [" #### ", "##  ##", "######", "##  ##", "##  ##"]),
    ('B', ["##### ", "##  ##", "##### ", "##  ##", "##### "]),
    ('C', [" #####", "##    ", "##    ", "##    ", " #####"]),
    ('D', ["##### ", "##  ##", "##  ##", "##  ##", "##### "]),
    ('E', ["#####", "##   ", "#### ", "##   ", "#####"]),
    ('F', ["#####", "##   ", "#### ", "##   ", "##   "]),
    ('G', [" #####", "##    ", "## ###", "##  ##", " #####"]),
    ('H', ["##  ##", "##  ##", "######", "##  ##", "##  ##"]),
    ('I', ["##", "##", "##", "##", "##"]),
    ('J', ["   ##", "   ##", "   ##", "## ##", " ### "]),
    ('K', ["##  ##", "## ## ", "####  ", "## ## ", "##  ##"]),
    ('L', ["##   ", "##   ", "##   ", "##   ", "#####"]),
    ('M', ["##    ##", "###  ###", "## ## ##", "##    ##", "##    ##"]),
    ('N', ["##   ##", "###  ##", "## # ##", "##  ###", "##   ##"]),
    ('O', [" #### ", "##  ##", "##  ##", "##  ##", " #### "]),
    ('P', ["##### ", "##  ##", "##### ", "##    ", "##    "]),
    ('Q', [" #### ", "##  ##", "##  ##", "## ###", " #####"]),
    ('R', ["##### ", "##  ##", "##### ", "## ## ", "##  ##"]),
    ('S', [" #####", "##    ", " #### ", "    ##", "##### "]),
    ('T', ["######", "  ##  ", "  ##  ", "  ##  ", "  ##  "]),
    ('U', ["##  ##", "##  ##", "##  ##", "##  ##", " #### "]),
    ('V', ["##  ##", "##  ##", "##  ##", " #### ", "  ##  "]),
    ('W', ["##    ##", "## ## ##", "## ## ##", "########", " ##  ## "]),
    ('X', ["##  ##", " #### ", "  ##  ", " #### ", "##  ##"]),
    ('Y', ["##  ##", " #### ", "  ##  ", "  ##  ", "  ##  "]),
    ('Z', ["######", "   ## ", "  ##  ", " ##   ", "######"]),
    ('0', [" #### ", "##  ##", "##  ##", "##  ##", " #### "]),
    ('1', [" ## ", "### ", " ## ", " ## ", "####"]),
    ('2', ["##### ", "    ##", " #### ", "##    ", "######"]),
    ('3', ["##### ", "    ##", " #### ", "    ##", "##### "]),
    ('4', ["##  ##", "##  ##", "######", "    ##", "    ##"]),
    ('5', ["######", "##    ", "##### ", "    ##", "##### "]),
    ('6', [" #####", "##    ", "##### ", "##  ##", " #### "]),
    ('7', ["######", "    ##", "   ## ", "  ##  ", "  ##  "]),
    ('8', [" #### ", "##  ##", " #### ", "##  ##", " #### "]),
    ('9', [" #### ", "##  ##", " #####", "    ##", "##### "]),
    ('?', ["##### ", "    ##", "  ### ", "      ", "  ##  "]),
    ('!', ["##", "##", "##", "  ", "##"]),
    ('-', ["    ", "    ", "####", "    ", "    "]),
    (' ', ["   ", "   ", "   ", "   ", "   "]),
];

/// The lines of `text` in the letters of a film, `scale` times as large; `None` if one of them is not known. `Ü` is
/// drawn as `UE`.
pub fn wide(text: &str, scale: usize) -> Option<Vec<String>> {
    let text = spelt(&text.to_uppercase());
    let mut rows = vec![String::new(); 5];
    for c in text.chars() {
        let (_, glyph) = WIDE.iter().find(|(known, _)| *known == c)?;
        for (row, line) in rows.iter_mut().zip(glyph) {
            if !row.is_empty() {
                row.push_str(&" ".repeat(scale));
            }
            row.extend(line.chars().flat_map(|c| std::iter::repeat_n(if c == '#' { '█' } else { c }, scale)));
        }
    }
    Some(rows.iter().flat_map(|row| std::iter::repeat_n(row.clone(), scale)).collect())
}

impl Pixels {
    /// `text` in small capital letters; `None` if one of them is not known.
    pub fn small(text: &str) -> Option<Pixels> {
        Pixels::new(text, SMALL)
    }

    /// The same in large letters.
    pub fn large(text: &str) -> Option<Pixels> {
        Pixels::new(text, LARGE)
    }

    fn new<const ROWS: usize>(text: &str, letters: &[(char, [&str; ROWS])]) -> Option<Pixels> {
        let mut rows = vec![Vec::new(); ROWS];
        for c in text.chars() {
            let (_, glyph) = letters.iter().find(|(known, _)| *known == c.to_ascii_uppercase())?;
            for (row, line) in rows.iter_mut().zip(glyph) {
                if !row.is_empty() {
                    row.push(false);
                }
                row.extend(line.chars().map(|pixel| pixel == '#'));
            }
        }
        Some(Pixels { rows })
    }

    /// The columns of the text, `scale` times as large.
    pub fn columns(&self, scale: usize) -> usize {
        self.rows.first().map_or(0, Vec::len) * scale
    }

    /// The lines of the text, `scale` times as large; of letters that are not lit yet, a shadow.
    pub fn lines(&self, scale: usize, is_lit: bool) -> Vec<String> {
        let height = self.rows.len() * scale;
        let is_set = |x: usize, y: usize| {
            self.rows.get(y / scale).and_then(|row| row.get(x / scale)).is_some_and(|pixel| *pixel && y < height)
        };
        let cell = |x, row: usize| match (is_set(x, 2 * row), is_set(x, 2 * row + 1)) {
            (false, false) => ' ',
            _ if !is_lit => '░',
            (true, true) => '█',
            (true, false) => '▀',
            (false, true) => '▄',
        };
        (0..height.div_ceil(2)).map(|row| (0..self.columns(scale)).map(|x| cell(x, row)).collect()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_is_two_pixels_to_a_cell() {
        let denied = Pixels::small("Kms").unwrap().lines(1, true);
        assert_eq!(denied, ["█ █ █▄ ▄█ █▀▀", "█▀▄ █ ▀ █ ▀▀█", "▀ ▀ ▀   ▀ ▀▀▀"]);
    }

    #[test]
    fn what_is_not_lit_is_a_shadow() {
        assert_eq!(Pixels::small("-").unwrap().lines(1, false), ["   ", "░░░", "   "]);
    }

    #[test]
    fn a_films_letters_are_whole_cells() {
        let word = wide("Tür", 1).unwrap();
        assert_eq!((word.len(), word[0].as_str()), (5, "██████ ██  ██ █████ █████ "));
        assert_eq!(wide("?", 2).unwrap().len(), 10);
        assert!(wide("я", 1).is_none());
    }

    #[test]
    fn letters_grow() {
        let one = Pixels::large("ALLOWED").unwrap();
        let two = one.lines(2, true);
        assert_eq!((two.len(), one.columns(2)), (7, 2 * one.columns(1)));
        assert!(two.iter().all(|line| line.chars().count() == one.columns(2)));
    }

    #[test]
    fn every_name_and_verdict_has_letters() {
        for text in ["admin", "test-user", "DynamoDB", "KMS", "✔", "✘", "!", "?", "○", "◐"] {
            assert!(Pixels::small(text).is_some(), "{text}");
        }
        for text in ["ALLOWED", "DENIED", "FAILED", "WAITING", "GONE"] {
            assert!(Pixels::large(text).is_some(), "{text}");
        }
        assert!(Pixels::small("é").is_none());
    }
}
