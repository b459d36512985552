//! Text in terminal columns: cutting off, wrapping. What is counted and cut are glyphs; see [`glyphs`].
//!
//! Wrapping is done here and not by a widget, since scrolling needs the number of lines before anything is drawn.

use std::borrow::Cow;

use ratatui::buffer::Buffer;
use ratatui::style::Style;
use ratatui::text::{Line, Span};

pub use crate::lab::glyphs::width;
use crate::lab::glyphs::{glyph_width, glyphs, shown};

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
    for glyph in glyphs(text) {
        used += glyph_width(glyph);
        if used + 1 > columns {
            break;
        }
        kept.push_str(glyph);
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
    let mut used = front;
    let fits = |glyph: &&str| {
        used += glyph_width(glyph);
        used <= columns
    };
    let length: usize = glyphs(text).rev().take_while(fits).map(str::len).sum();
    truncate(text, front) + &text[text.len() - length..]
}

/// `text` as one line in which nothing is a command to a terminal, and nothing is hidden.
pub fn clean(text: &str) -> String {
    text.split('\n').map(shown).collect::<Vec<_>>().join(" ")
}

/// All text of a drawn screen, a line for each row.
pub fn contents(buffer: &Buffer) -> String {
    let columns = usize::from(buffer.area.width).max(1);
    let rows = buffer.content.chunks(columns).map(|row| row.iter().map(ratatui::buffer::Cell::symbol).collect());
    rows.collect::<Vec<String>>().join("\n")
}

/// The last look at a drawn screen: whatever got into a cell without [`cut`] or [`wrap`] hides nothing, either.
pub fn guard(buffer: &mut Buffer) {
    // A character alone that is hidden takes no column, so ratatui has not drawn it.
    for cell in buffer.content.iter_mut().filter(|cell| cell.symbol().chars().nth(1).is_some()) {
        if let Cow::Owned(text) = shown(cell.symbol())
            && text != cell.symbol()
        {
            cell.set_symbol(glyphs(&text).next().unwrap_or(" "));
        }
    }
}

/// Spans as one line of at most `columns` columns.
pub fn cut(mut spans: Vec<Span<'static>>, columns: usize) -> Line<'static> {
    for span in &mut spans {
        if let Cow::Owned(text) = shown(&span.content) {
            span.content = text.into();
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

/// `text` after `label`, each in its style. What does not fit goes on after `hang` spaces.
pub fn labeled(
    (label, label_style): (impl Into<Cow<'static, str>>, Style),
    (text, style): (impl Into<Cow<'static, str>>, Style),
    columns: usize,
    hang: usize,
) -> Vec<Line<'static>> {
    wrap(vec![Span::styled(label, label_style)], vec![Span::styled(text, style)], columns, hang)
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
    // A glyph is of one span: its style begins and ends there.
    let texts: Vec<Vec<Cow<'_, str>>> =
        content.iter().map(|span| span.content.split('\n').map(shown).collect()).collect();
    let mut paragraph = Vec::new();
    for (span, lines) in content.iter().zip(&texts) {
        for (index, line) in lines.iter().enumerate() {
            if index > 0 {
                wrapper.paragraph(&std::mem::take(&mut paragraph));
                wrapper.break_line();
            }
            let glyphs = glyphs(line);
            paragraph.extend(glyphs.map(|text| Glyph { text, width: glyph_width(text), style: span.style }));
        }
    }
    wrapper.paragraph(&paragraph);
    wrapper.finish()
}

#[derive(Clone, Copy)]
struct Glyph<'a> {
    text: &'a str,
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
    fn paragraph(&mut self, glyphs: &[Glyph<'_>]) {
        let mut rest = glyphs;
        while !rest.is_empty() {
            let spaces = rest.iter().take_while(|glyph| glyph.text == " ").count();
            let word = rest[spaces..].iter().take_while(|glyph| glyph.text != " ").count();
            let (gap, after) = rest.split_at(spaces);
            let (word, after) = after.split_at(word);
            self.word(gap, word);
            rest = after;
        }
    }

    fn word(&mut self, gap: &[Glyph<'_>], word: &[Glyph<'_>]) {
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
            for part in word.split_inclusive(|glyph| matches!(glyph.text, ":" | "/" | "." | "," | "=" | "&" | ";")) {
                self.part(gap, part);
                gap = &[];
            }
        }
    }

    fn part(&mut self, gap: &[Glyph<'_>], part: &[Glyph<'_>]) {
        let length = columns_of(part);
        if self.used + gap.len() + length <= self.columns {
            self.push(gap);
            self.push(part);
            return;
        }
        if !self.fresh || length <= self.columns - self.hang {
            self.break_line();
        }
        for glyph in part {
            if self.used + glyph.width > self.columns {
                self.break_line();
            }
            if self.used + glyph.width > self.columns {
                // It has room only without the indentation.
                self.line.clear();
                self.used = 0;
            }
            let cut = Glyph { text: "…", width: 1, ..*glyph };
            self.push(&[if glyph.width <= self.columns { *glyph } else { cut }]);
        }
    }

    fn push(&mut self, glyphs: &[Glyph<'_>]) {
        for glyph in glyphs {
            match self.line.last_mut() {
                Some(span) if !self.fresh && span.style == glyph.style => span.content.to_mut().push_str(glyph.text),
                _ => self.line.push(Span::styled(glyph.text.to_owned(), glyph.style)),
            }
            self.used += glyph.width;
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

fn columns_of(glyphs: &[Glyph<'_>]) -> usize {
    glyphs.iter().map(|glyph| glyph.width).sum()
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
    #[case("e\u{301}e\u{301}e\u{301}", 3, "e\u{301}e\u{301}e\u{301}")]
    #[case("e\u{301}e\u{301}e\u{301}", 2, "e\u{301}…")]
    #[case("👩‍🚀👩‍🚀", 4, "👩‍🚀👩‍🚀")]
    #[case("👩‍🚀👩‍🚀", 3, "👩‍🚀…")]
    #[case("🇩🇪🇫🇷🇩🇪", 5, "🇩🇪🇫🇷…")]
    #[case("❤️❤️", 3, "❤️…")]
    fn what_is_cut_off_shows(#[case] text: &str, #[case] columns: usize, #[case] expected: &str) {
        assert_eq!(truncate(text, columns), expected);
    }

    #[rstest]
    #[case("/run/user/1000/lab.sock", 30, "/run/user/1000/lab.sock")]
    #[case("/run/user/1000/lab.sock", 15, "/run…0/lab.sock")]
    #[case("/表表表表/x", 9, "/…表表/x")]
    #[case("/run/x", 2, "/x")]
    #[case("/run/user/e\u{301}e\u{301}👩‍🚀", 9, "/r…r/e\u{301}e\u{301}👩‍🚀")]
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
    fn no_cell_hides_anything() {
        let mut buffer = Buffer::empty(ratatui::layout::Rect::new(0, 0, 12, 1));
        buffer.set_string(0, 0, "a\u{200d}b\u{200b}e\u{301}👩‍🚀", Style::new());
        guard(&mut buffer);
        let drawn: String = buffer.content.iter().map(|cell| cell.symbol()).collect();
        assert_eq!(drawn.trim_end(), "abe\u{301}👩‍🚀");
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

    /// Letters and marks, wide, narrow and invisible ones, emoji and flags of several characters.
    const PIECES: &str = "[ a-z:/.表é\u{301}\u{200b}\u{61c}❤⌚\u{fe0e}\u{fe0f}\u{200c}\u{200d}👩🚀👍🏽🇩🇪🏴\u{e0067}\u{e007f}ｶﾞᄀ\u{1161}क\u{94d}षیلاＡ-]{0,60}";

    /// What ratatui draws of `line`, and how many columns that takes.
    fn drawn(line: &str) -> (String, usize) {
        let mut buffer = Buffer::empty(ratatui::layout::Rect::new(0, 0, 400, 1));
        let (end, _) = buffer.set_stringn(0, 0, line, 400, Style::new());
        let mut x = 0;
        let mut text = String::new();
        while x < end {
            let symbol = buffer[(x, 0)].symbol();
            text.push_str(symbol);
            x += u16::try_from(width(symbol)).unwrap();
        }
        (text, usize::from(end))
    }

    proptest! {
        #[test]
        fn no_line_is_too_wide_and_nothing_is_lost(text in PIECES, columns in 4usize..60, hang in 0usize..8) {
            let lines = wrapped(&text, columns, hang);
            for line in &lines {
                prop_assert!(width(line) <= columns, "{line:?} is wider than {columns}");
                prop_assert_eq!(drawn(line), (line.clone(), width(line)));
            }
            let squeeze = |text: &str| text.chars().filter(|c| *c != ' ').collect::<String>();
            prop_assert_eq!(squeeze(&lines.concat()), squeeze(&shown(&text)));
        }

        #[test]
        fn what_is_cut_fits_and_has_whole_glyphs(text in PIECES, columns in 0usize..40) {
            let text = clean(&text);
            for (cut, ends) in [(truncate(&text, columns), 1), (shortened(&text, columns), 2)] {
                prop_assert!(width(&cut) <= columns, "{cut:?} is wider than {columns}");
                let parts: Vec<&str> = cut.split('…').collect();
                prop_assert!(parts.len() <= 2 && (text.starts_with(parts[0]) || ends == 2 && parts.len() == 1), "{cut:?}");
                prop_assert!(ends == 1 || text.ends_with(parts[parts.len() - 1]), "{cut:?}");
                prop_assert!(parts.iter().all(|part| glyphs(part).all(|glyph| glyphs(&text).any(|whole| whole == glyph))));
            }
            let line = cut(vec![Span::raw(text.clone())], columns).to_string();
            prop_assert_eq!(drawn(&line), (line.clone(), width(&line)));
            prop_assert!(width(&line) <= columns);
        }
    }
}
