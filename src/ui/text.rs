//! Text in terminal columns: widths, cutting off, wrapping.
//!
//! Wrapping is done here and not by a widget, since scrolling needs the number of lines before anything is drawn.

use ratatui::style::Style;
use ratatui::text::{Line, Span};
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

/// Columns that `text` takes.
pub fn width(text: &str) -> usize {
    text.width()
}

/// Columns that some spans take.
pub fn spans_width(spans: &[Span<'_>]) -> usize {
    spans.iter().map(|span| width(&span.content)).sum()
}

/// `text` in at most `columns` columns; what is cut off is shown by `…`.
pub fn truncate(text: &str, columns: usize) -> String {
    if width(text) <= columns {
        return text.to_owned();
    }
    let mut kept = String::new();
    let mut used = 0;
    for c in text.chars() {
        let of_char = c.width().unwrap_or(0);
        if used + of_char + 1 > columns {
            break;
        }
        used += of_char;
        kept.push(c);
    }
    if columns > 0 {
        kept.push('…');
    }
    kept
}

/// `text` in at most `columns` columns; what is left out of its middle is shown by `…`: of a path both ends matter.
pub fn shortened(text: &str, columns: usize) -> String {
    if width(text) <= columns {
        return text.to_owned();
    }
    // The end says more: a file's name is there.
    let front = columns / 3;
    let mut back = String::new();
    for c in text.chars().rev() {
        if width(&back) + c.width().unwrap_or(0) + front > columns {
            break;
        }
        back.insert(0, c);
    }
    truncate(text, front) + &back
}

/// `c` as it is drawn. What comes from a server may hold anything: a control character has a sign of its own instead of
/// vanishing, and a mark that turns the direction of writing, which would move its neighbours, becomes U+FFFD.
fn visible(c: char) -> char {
    match c {
        '\t' => ' ',
        '\0'..='\u{1f}' => char::from_u32(0x2400 + u32::from(c)).unwrap_or('\u{fffd}'),
        '\u{7f}' => '\u{2421}',
        '\u{80}'..='\u{9f}' | '\u{61c}' | '\u{200e}' | '\u{200f}' => '\u{fffd}',
        '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => '\u{fffd}',
        _ => c,
    }
}

/// `text` as one line in which nothing is a command to a terminal.
pub fn clean(text: &str) -> String {
    text.chars().map(|c| if c == '\n' { ' ' } else { visible(c) }).collect()
}

/// Spans as one line of at most `columns` columns.
pub fn cut(mut spans: Vec<Span<'static>>, columns: usize) -> Line<'static> {
    for span in &mut spans {
        if span.content.chars().any(|c| visible(c) != c) {
            span.content = span.content.chars().map(visible).collect();
        }
    }
    let mut line = Vec::new();
    let mut used = 0;
    let too_long = spans_width(&spans) > columns;
    for span in spans {
        let length = width(&span.content);
        if too_long && used + length >= columns {
            // At least one column is for the sign.
            let rest = truncate(&format!("{}…", span.content), columns - used);
            line.push(Span::styled(rest, span.style));
            break;
        }
        used += length;
        line.push(span);
    }
    Line::from(line)
}

/// One line of plain text wrapped to `columns`, all in one style.
pub fn wrap_plain(text: &str, style: Style, columns: usize) -> Vec<Line<'static>> {
    wrap(Vec::new(), vec![Span::styled(text.to_owned(), style)], columns, 0)
}

/// Breaks `content` into lines of at most `columns` columns.
///
/// `lead` (a label, an indentation) opens the first line and is never broken; the following lines begin with `hang`
/// spaces. Lines break at spaces. A word that does not fit on a line of its own (an ARN, a class name) breaks after
/// `:`, `/` and other marks between its parts, and inside a part only if even that does not fit.
pub fn wrap(lead: Vec<Span<'static>>, content: Vec<Span<'static>>, columns: usize, hang: usize) -> Vec<Line<'static>> {
    let columns = columns.max(1);
    let mut wrapper = Wrapper {
        columns,
        hang: hang.min(columns / 2),
        used: spans_width(&lead).min(columns),
        fresh: true,
        line: lead,
        lines: Vec::new(),
    };
    let characters: Vec<Char> = content
        .iter()
        .flat_map(|span| {
            let visible = span.content.chars().map(|c| if c == '\n' { c } else { visible(c) });
            visible.map(|c| Char { c, width: c.width().unwrap_or(0), style: span.style })
        })
        .collect();
    for (index, paragraph) in characters.split(|character| character.c == '\n').enumerate() {
        if index > 0 {
            wrapper.break_line();
        }
        wrapper.paragraph(paragraph);
    }
    wrapper.finish()
}

#[derive(Clone, Copy)]
struct Char {
    c: char,
    width: usize,
    style: Style,
}

struct Wrapper {
    columns: usize,
    hang: usize,
    used: usize,
    /// Nothing but the lead or the indentation is on the line.
    fresh: bool,
    line: Vec<Span<'static>>,
    lines: Vec<Line<'static>>,
}

impl Wrapper {
    fn paragraph(&mut self, characters: &[Char]) {
        let mut rest = characters;
        while !rest.is_empty() {
            let spaces = rest.iter().take_while(|character| character.c == ' ').count();
            let word = rest[spaces..].iter().take_while(|character| character.c != ' ').count();
            let (gap, after) = rest.split_at(spaces);
            let (word, after) = after.split_at(word);
            self.word(gap, word);
            rest = after;
        }
    }

    fn word(&mut self, gap: &[Char], word: &[Char]) {
        let length = columns_of(word);
        if self.used + gap.len() + length <= self.columns {
            self.push(gap);
            self.push(word);
        } else if length <= self.columns - self.hang {
            self.break_line();
            self.push(word);
        } else {
            // What must be broken begins on a new line when little of it would fit on this one.
            if !self.fresh && self.columns - self.used < self.columns / 2 {
                self.break_line();
            }
            let mut gap = if self.fresh { &[] } else { gap };
            for part in word.split_inclusive(|character| matches!(character.c, ':' | '/' | '.' | ',' | '=' | '&' | ';'))
            {
                self.part(gap, part);
                gap = &[];
            }
        }
    }

    fn part(&mut self, gap: &[Char], part: &[Char]) {
        let length = columns_of(part);
        if self.used + gap.len() + length <= self.columns {
            self.push(gap);
            self.push(part);
            return;
        }
        if !self.fresh || length <= self.columns - self.hang {
            self.break_line();
        }
        for character in part {
            if self.used + character.width > self.columns {
                self.break_line();
            }
            // Wider than a whole line: there is no place for it.
            if self.used + character.width <= self.columns {
                self.push(std::slice::from_ref(character));
            }
        }
    }

    fn push(&mut self, characters: &[Char]) {
        for character in characters {
            match self.line.last_mut() {
                Some(span) if !self.fresh && span.style == character.style => span.content.to_mut().push(character.c),
                _ => self.line.push(Span::styled(character.c.to_string(), character.style)),
            }
            self.used += character.width;
            self.fresh = false;
        }
    }

    fn break_line(&mut self) {
        let indentation = if self.hang > 0 { vec![Span::raw(" ".repeat(self.hang))] } else { Vec::new() };
        self.lines.push(Line::from(std::mem::replace(&mut self.line, indentation)));
        self.used = self.hang;
        self.fresh = true;
    }

    fn finish(mut self) -> Vec<Line<'static>> {
        self.lines.push(Line::from(self.line));
        self.lines
    }
}

fn columns_of(characters: &[Char]) -> usize {
    characters.iter().map(|character| character.width).sum()
}

/// `text` where it begins no sentence.
pub(super) fn uncapitalised(text: &str) -> String {
    let mut rest = text.chars();
    rest.next().map(|first| first.to_lowercase().chain(rest).collect()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rstest::rstest;

    use super::*;

    fn wrapped(text: &str, columns: usize, hang: usize) -> Vec<String> {
        wrap(Vec::new(), vec![Span::raw(text.to_owned())], columns, hang).iter().map(Line::to_string).collect()
    }

    #[rstest]
    #[case("abcdef", 6, "abcdef")]
    #[case("abcdef", 5, "abcd…")]
    #[case("abcdef", 1, "…")]
    #[case("abcdef", 0, "")]
    #[case("表表表", 4, "表…")]
    fn what_is_cut_off_shows(#[case] text: &str, #[case] columns: usize, #[case] expected: &str) {
        assert_eq!(truncate(text, columns), expected);
    }

    #[rstest]
    #[case("/run/user/1000/lab.sock", 30, "/run/user/1000/lab.sock")]
    #[case("/run/user/1000/lab.sock", 15, "/run…0/lab.sock")]
    #[case("/表表表表/x", 9, "/…表表/x")]
    #[case("/run/x", 2, "/x")]
    #[case("/run/x", 0, "")]
    fn of_a_path_the_middle_goes(#[case] path: &str, #[case] columns: usize, #[case] expected: &str) {
        assert_eq!(shortened(path, columns), expected);
    }

    #[test]
    fn an_arn_breaks_between_its_parts_and_never_inside_an_id() {
        let arn = "arn:aws:kms:us-east-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab";
        assert_eq!(
            wrapped(arn, 38, 2),
            ["arn:aws:kms:us-east-1:111122223333:", "  key/", "  1234abcd-12ab-34cd-56ef-1234567890ab"]
        );
    }

    #[test]
    fn a_word_that_fits_on_a_line_is_not_broken() {
        assert_eq!(
            wrapped("User: arn:aws:iam::111122223333:user/x is not", 34, 0),
            ["User:", "arn:aws:iam::111122223333:user/x", "is not"]
        );
    }

    #[test]
    fn nothing_from_a_server_hides_or_moves_anything() {
        let text = "a\x1b[31mb\tc\rd\u{9b}e\u{202e}f\u{301}";
        let shown = "a␛[31mb c␍d\u{fffd}e\u{fffd}f\u{301}";
        assert_eq!(wrapped(text, 40, 0), [shown]);
        assert_eq!(cut(vec![Span::raw(text)], 40).to_string(), shown);
        assert_eq!(cut(vec![Span::raw("a\nb")], 40).to_string(), "a␊b");
    }

    #[test]
    fn indentation_stays_and_lines_end_where_the_text_says() {
        assert_eq!(wrapped("  a b\n\nc", 20, 0), ["  a b", "", "c"]);
    }

    #[test]
    fn a_lead_opens_the_first_line() {
        let lines = wrap(vec![Span::raw("label  ")], vec![Span::raw("one two three")], 14, 7);
        assert_eq!(lines.iter().map(Line::to_string).collect::<Vec<_>>(), ["label  one two", "       three"]);
    }

    proptest! {
        #[test]
        fn no_line_is_too_wide_and_nothing_is_lost(text in "[ a-z:/.表é-]{0,120}", columns in 4usize..60, hang in 0usize..8) {
            let lines = wrapped(&text, columns, hang);
            for line in &lines {
                prop_assert!(width(line) <= columns, "{line:?} is wider than {columns}");
            }
            let squeeze = |text: &str| text.chars().filter(|c| *c != ' ').collect::<String>();
            prop_assert_eq!(squeeze(&lines.concat()), squeeze(&text));
        }
    }
}
