//! Links on the terminal (OSC 8): which cells of a picture show the address of a source. They are written around the
//! cells and never measured; a picture knows nothing of them.
//!
//! <https://gist.github.com/egmontkob/eb114294efbcd5adb1944c9f3cb5feda> describes the sequence.

use std::collections::BTreeMap;

use ratatui::buffer::{Buffer, Cell};

/// Where an address begins, and the shortest part of one that is looked for in a row.
const SCHEME: &str = "https://";

/// The longest address that terminals must take (VTE and iTerm2).
const LONGEST: usize = 2_083;

/// The most rows that one address is broken into.
const ROWS: u16 = 4;

/// Ends a link.
pub(super) const END: &[u8] = b"\x1b]8;;\x1b\\";

/// Addresses that may become links.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Links(Vec<String>);

/// The address of each cell that is part of one, by row and column.
pub(super) type Linked = BTreeMap<(u16, u16), usize>;

impl Links {
    /// Those of `urls` that no terminal can misread: https and visible ASCII.
    pub(super) fn new(urls: impl IntoIterator<Item = String>) -> Links {
        let is_safe = |url: &String| {
            url.starts_with(SCHEME) && url.len() <= LONGEST && url.bytes().all(|byte| byte.is_ascii_graphic())
        };
        let mut urls: Vec<String> = urls.into_iter().filter(is_safe).collect();
        // Of two that begin alike the longer one is looked for first.
        urls.sort_by_key(|url| std::cmp::Reverse(url.len()));
        urls.dedup();
        Links(urls)
    }

    /// Begins the link `number`. Its parts on several rows have one id, so that the terminal marks them together.
    pub(super) fn begin(&self, number: usize) -> Vec<u8> {
        let url = self.0.get(number).map_or("", String::as_str);
        format!("\x1b]8;id=kmslab{number};{url}\x1b\\").into_bytes()
    }

    /// Finds the addresses on a picture. One that is cut off counts for nothing.
    pub(super) fn find(&self, picture: &Buffer) -> Linked {
        let mut linked = Linked::new();
        if self.0.is_empty() {
            return linked;
        }
        let area = picture.area;
        for y in area.top()..area.bottom() {
            for x in area.left()..area.right() {
                if !is_text(picture, x, y, SCHEME.as_bytes()) || linked.contains_key(&(y, x)) {
                    continue;
                }
                let found =
                    self.0.iter().enumerate().find_map(|(number, url)| Some((number, cells(picture, x, y, url)?)));
                if let Some((number, cells)) = found {
                    linked.extend(cells.into_iter().map(|cell| (cell, number)));
                }
            }
        }
        linked
    }
}

/// Whether these bytes stand at this place, one a cell.
fn is_text(picture: &Buffer, x: u16, y: u16, text: &[u8]) -> bool {
    common(picture, x, y, text) == text.len()
}

/// How many of these bytes stand at this place.
fn common(picture: &Buffer, x: u16, y: u16, text: &[u8]) -> usize {
    let cells = (x..picture.area.right()).map(|x| picture.cell((x, y)).map_or("", Cell::symbol));
    cells.zip(text).take_while(|(symbol, byte)| symbol.as_bytes() == [**byte]).count()
}

/// The cells that show the whole of `url`, which begins here and may go on in the rows below, at any indentation.
fn cells(picture: &Buffer, x: u16, y: u16, url: &str) -> Option<Vec<(u16, u16)>> {
    let (mut rest, mut cells) = (url.as_bytes(), Vec::new());
    let mut from = x;
    for row in (y..picture.area.bottom()).take(ROWS.into()) {
        let count = common(picture, from, row, rest);
        let columns = (from..).take(count);
        cells.extend(columns.map(|column| (row, column)));
        rest = rest.get(count..)?;
        let end = from.saturating_add(u16::try_from(count).ok()?);
        if rest.is_empty() {
            // A longer address is another one.
            let next = picture.cell((end, row)).map_or(" ", Cell::symbol);
            return (end >= picture.area.right() || !goes_on(next)).then_some(cells);
        }
        // It is broken only where nothing else follows in this row but the frame.
        let is_broken =
            (end..picture.area.right()).all(|x| picture.cell((x, row)).is_none_or(|it| !goes_on(it.symbol())));
        if count == 0 || !is_broken {
            return None;
        }
        from = (picture.area.left()..=x).find(|x| common(picture, *x, row + 1, rest) > 0)?;
    }
    None
}

/// Whether a symbol may be part of an address.
fn goes_on(symbol: &str) -> bool {
    symbol.bytes().all(|byte| byte.is_ascii_graphic()) && !matches!(symbol, "," | "." | ")" | "\"" | "'")
}

#[cfg(test)]
mod tests {
    use ratatui::layout::Rect;
    use rstest::rstest;

    use super::*;

    const URL: &str = "https://docs.aws.amazon.com/kms/latest/developerguide/grants.html";

    fn picture(rows: &[&str]) -> Buffer {
        let columns = rows.iter().map(|row| row.chars().count()).max().unwrap_or(0);
        let area = Rect::new(0, 0, u16::try_from(columns).unwrap(), u16::try_from(rows.len()).unwrap());
        let mut picture = Buffer::empty(area);
        for (y, row) in (0..).zip(rows) {
            picture.set_string(0, y, row, ratatui::style::Style::new());
        }
        picture
    }

    fn text(picture: &Buffer, linked: &Linked) -> String {
        linked.keys().map(|(y, x)| picture.cell((*x, *y)).unwrap().symbol()).collect()
    }

    #[rstest]
    #[case::whole(&["│ Grants, https://docs.aws.amazon.com/kms/latest/developerguide/grants.html  │"], true)]
    #[case::broken(&["│ Grants, https://docs.aws.amazon.com/kms/ │", "│ latest/developerguide/grants.html        │"], true)]
    #[case::cut(&["│ Grants, https://docs.aws.amazon.com/kms/ │", "│ Sources                                  │"], false)]
    #[case::longer(&["│ https://docs.aws.amazon.com/kms/latest/developerguide/grants.html2 │"], false)]
    #[case::with_a_stop(&["see https://docs.aws.amazon.com/kms/latest/developerguide/grants.html."], true)]
    #[case::other(&["https://example.com/kms/latest/developerguide/grants.html"], false)]
    fn an_address_is_linked_as_a_whole(#[case] rows: &[&str], #[case] is_linked: bool) {
        let picture = picture(rows);
        let linked = Links::new([URL.to_owned()]).find(&picture);
        assert_eq!(text(&picture, &linked), if is_linked { URL } else { "" });
    }

    #[test]
    fn what_is_no_safe_address_is_no_link() {
        let unsafe_ones = ["https://a/\x1b]8;;", "http://a/b", "javascript:alert(1)", "https://a/ b", "https://ä/"];
        let links = Links::new(unsafe_ones.map(str::to_owned).into_iter().chain([URL.to_owned(), URL.to_owned()]));
        assert_eq!(links, Links(vec![URL.to_owned()]));
        assert_eq!(links.begin(0), format!("\x1b]8;id=kmslab0;{URL}\x1b\\").into_bytes());
        assert_eq!(Links::default().find(&picture(&[URL])), Linked::new());
    }
}
