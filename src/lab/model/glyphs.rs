//! Text as a terminal shows it: its glyphs, their columns, and what must never reach a terminal.
//!
//! A glyph is a grapheme cluster: what a reader takes for one character, and what ratatui puts into one cell. All text is
//! measured and cut by glyphs, so that `é`, a flag or 👩‍🚀 stays whole and no column is counted that is not drawn.

use std::borrow::Cow;

use unicode_segmentation::UnicodeSegmentation;
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

/// Carries a mark that has no letter of its own.
const CARRIER: char = '\u{25cc}';

/// Stands for what can't be shown.
const REPLACEMENT: char = '\u{fffd}';

const JOINER: char = '\u{200d}';
const NON_JOINER: char = '\u{200c}';

/// The glyphs of `text`.
pub fn glyphs(text: &str) -> impl DoubleEndedIterator<Item = &str> {
    text.graphemes(true)
}

/// Columns of one glyph, as ratatui counts them: it draws no control character.
pub fn glyph_width(glyph: &str) -> usize {
    if glyph.contains(char::is_control) {
        return 0;
    }
    // Marks that belong to the letter before them, but that terminals draw in a cell of their own.
    glyph.width() + glyph.chars().filter(|c| matches!(c, '\u{ff9e}' | '\u{ff9f}')).count()
}

/// Columns of `text`. Not the width of the whole string: a few letters count less beside others, and are drawn apart.
pub fn width(text: &str) -> usize {
    match text.is_ascii() {
        true => text.bytes().filter(|byte| !byte.is_ascii_control()).count(),
        false => glyphs(text).map(glyph_width).sum(),
    }
}

/// Whether a character shows nothing, or changes where others stand: with it a text can look like another. Joiners and
/// emoji's selectors and tags are among them.
pub fn is_hidden(c: char) -> bool {
    matches!(c,
        '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' | '\u{180b}'..='\u{180f}'
        | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{feff}'
        | '\u{ffa0}' | '\u{fff9}'..='\u{fffb}' | '\u{1bca0}'..='\u{1bca3}' | '\u{1d173}'..='\u{1d17a}'
        | '\u{fe00}'..='\u{fe0f}' | '\u{e0000}'..='\u{e0fff}')
}

/// Whether a character may be hidden in a glyph where it has a meaning; see [`shown`].
pub fn is_joiner(c: char) -> bool {
    matches!(c, NON_JOINER | JOINER | '\u{fe0e}' | '\u{fe0f}' | '\u{e0020}'..='\u{e007f}')
}

/// `text` as one line in which nothing is a command to a terminal and nothing is hidden. What a server sends may hold
/// anything: a control character becomes its picture, whatever is invisible or reorders its neighbors becomes U+FFFD,
/// and a mark without a letter gets a carrier, or it would not be drawn.
///
/// Joiners and selectors stay only inside an emoji or a letter that needs them, and only where a terminal that draws the
/// parts one by one does not need more columns than are counted for a narrow glyph: after a wide one ratatui moves the
/// cursor, so that the next one stands in its place in any case.
pub fn shown(text: &str) -> Cow<'_, str> {
    if text.bytes().all(|byte| (b' '..=b'~').contains(&byte)) {
        return Cow::Borrowed(text);
    }
    let mut shown = String::with_capacity(text.len());
    glyphs(text).for_each(|glyph| show(glyph, &mut shown));
    Cow::Owned(shown)
}

fn show(glyph: &str, shown: &mut String) {
    if is_fit(glyph) {
        return carry(glyph, shown);
    }
    let visible: String = glyph.chars().map(visible).collect();
    glyphs(&visible).for_each(|glyph| carry(glyph, shown));
}

/// Adds a glyph in which nothing is hidden, in a form that is drawn.
fn carry(glyph: &str, shown: &mut String) {
    if glyph.chars().next().is_some_and(leans) {
        shown.push(CARRIER);
    } else if glyph_width(glyph) == 0 {
        return shown.push(REPLACEMENT);
    }
    shown.push_str(glyph);
}

/// Whether a character joins a letter before it. Alone it would join whatever stands there.
fn leans(c: char) -> bool {
    let mut bytes = [b'a'; 5];
    let length = 1 + c.encode_utf8(&mut bytes[1..]).len();
    std::str::from_utf8(&bytes[..length]).is_ok_and(|text| glyphs(text).count() == 1)
}

/// Whether whatever is hidden in a glyph belongs there, and every terminal has room for it.
fn is_fit(glyph: &str) -> bool {
    let mut before = None;
    let mut rest = glyph.chars();
    while let Some(c) = rest.next() {
        if c.is_control() || (is_hidden(c) && !is_in_place(c, before, glyph, rest.as_str())) {
            return false;
        }
        before = Some(c);
    }
    // Where a terminal takes more columns than were counted for a narrow glyph, all that follows would move.
    let apart: usize = glyph.chars().map(|c| c.width().unwrap_or(0)).sum();
    glyph_width(glyph) > 1 || apart < 2
}

/// Whether the hidden character `c` has a meaning between `before` and `after` in `glyph`.
fn is_in_place(c: char, before: Option<char>, glyph: &str, after: &str) -> bool {
    let Some(before) = before else { return false };
    match c {
        // Scripts whose letters join, or do not where this stands: from Arabic to those of India.
        JOINER | NON_JOINER if matches!(before, '\u{620}'..='\u{dff}') => true,
        // Segmentation joins two pictures only where Unicode does.
        JOINER => width(after) > 0,
        '\u{fe0e}' | '\u{fe0f}' => !is_hidden(before),
        // England's flag and others: a black flag, and tags with their end.
        '\u{e0020}'..='\u{e007f}' => glyph.starts_with('\u{1f3f4}') && glyph.ends_with('\u{e007f}'),
        _ => false,
    }
}

/// `c` where it stands for itself alone.
fn visible(c: char) -> char {
    match c {
        '\t' => ' ',
        '\0'..='\u{1f}' => char::from_u32(0x2400 + u32::from(c)).unwrap_or(REPLACEMENT),
        '\u{7f}' => '\u{2421}',
        c if c.is_control() || is_hidden(c) => REPLACEMENT,
        c => c,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use ratatui::buffer::CellWidth;
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case::letters("Grüße, 表 and e\u{301}")]
    #[case::emoji("❤️ 👩‍🚀 👍🏽 🇩🇪 🏴󠁧󠁢󠁥󠁮󠁧󠁿 1️⃣ ⚙️ 👁️‍🗨️")]
    #[case::persian("می‌خواهم")]
    #[case::indian("क्षि र्‍य")]
    #[case::kana("ｶﾞ")]
    fn meaningful_text_stays(#[case] text: &str) {
        assert_eq!(shown(text), text);
    }

    #[rstest]
    #[case::arabic_mark("a\u{61c}b", "a\u{fffd}b")]
    #[case::no_width_space("a\u{200b}b", "a\u{fffd}b")]
    #[case::joiner("a\u{200d}b", "a\u{fffd}b")]
    #[case::joiner_at_the_end("👩\u{200d}", "👩\u{fffd}")]
    #[case::byte_order_mark("\u{feff}a", "\u{fffd}a")]
    #[case::soft_hyphen("a\u{ad}b", "a\u{fffd}b")]
    #[case::turned("a\u{202e}b\u{2066}", "a\u{fffd}b\u{fffd}")]
    #[case::tags("a\u{e0041}\u{e0042}", "a\u{fffd}\u{fffd}")]
    #[case::selectors("a\u{e0100}\u{fe00}", "a\u{fffd}\u{fffd}")]
    #[case::many_selectors("❤\u{fe0f}\u{fe0f}", "❤\u{fffd}\u{fffd}")]
    #[case::narrow_by_selector("⌚\u{fe0e}", "⌚\u{fffd}")]
    #[case::mark_alone("\u{301}a", "\u{25cc}\u{301}a")]
    #[case::vowel_alone("\u{1161}", "\u{fffd}")]
    #[case::controls("a\x1b[31m\tc\r\nd\u{9b}\u{7f}", "a␛[31m c␍␊d\u{fffd}␡")]
    fn what_hides_or_moves_something_is_replaced(#[case] text: &str, #[case] expected: &str) {
        assert_eq!(shown(text), expected);
    }

    proptest! {
        #[test]
        fn shown_text_is_drawn_as_it_is_measured(text in PIECES) {
            let shown = shown(&text).into_owned();
            prop_assert!(!shown.contains(char::is_control));
            for glyph in glyphs(&shown) {
                prop_assert_eq!(glyph_width(glyph), usize::from(glyph.cell_width()), "{:?} of {:?}", glyph, &shown);
                prop_assert!(glyph_width(glyph) > 0, "{glyph:?} of {shown:?} is not drawn");
            }
            prop_assert_eq!(super::shown(&shown), shown.as_str());
        }
    }

    /// Letters, marks, wide and invisible ones, and all that emoji are made of.
    const PIECES: &str = "[ a:表é\u{301}\u{200b}\u{61c}\u{202e}\u{feff}\u{ad}❤☺⌚\u{fe0e}\u{fe0f}\u{200c}\u{200d}👩🚀👍🏽🇩🇪🏴\u{e0067}\u{e007f}\u{fe00}\u{e0100}ｶﾞᄀ\u{1161}क\u{94d}षیa\u{600}لاＡ\n\t\u{1b}]{0,40}";
}
