//! The signs of the screen, and their replacements where only ASCII can be shown.
//!
//! A sign that stands alone in its cell is replaced there after everything has been drawn, by [`of_char`]: so nothing
//! moves, and no part of the screen has to think of it. The verdicts' signs, which must be understood at once, are
//! longer in ASCII and come from the theme ([`Signs`]).

use ratatui::buffer::Buffer;

/// The verdicts' signs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Signs {
    /// ALLOWED, and GONE where that was wanted.
    pub allowed: &'static str,
    /// DENIED.
    pub denied: &'static str,
    /// FAILED.
    pub failed: &'static str,
    /// WAITING.
    pub waiting: &'static str,
    /// Recorded earlier, not live.
    pub replay: &'static str,
}

impl Signs {
    /// As the lab shows them.
    pub const UNICODE: Signs = Signs { allowed: "✔", denied: "✘", failed: "!", waiting: "…", replay: "⟳" };

    /// In ASCII.
    pub const ASCII: Signs = Signs { allowed: "[OK]", denied: "[NO]", failed: "[!!]", waiting: "[..]", replay: "[RE]" };
}

/// The replacement of `c` in ASCII, in as many columns, if it has one. Besides the screen's own signs this knows
/// the letters and marks of the lesson's languages: `ü` is better read as `u` than not at all. Whatever else services
/// send stays as it is.
fn of_char(c: char) -> Option<char> {
    Some(match c {
        // The heavy line says where keys go.
        '━' => '=',
        '─' | '·' | '‐'..='―' | '−' => '-',
        '│' | '┃' | '◐' | '‖' => '|',
        '┌'..='╋' | '╭'..='╰' => '+',
        '◓' => '/',
        '◑' => '-',
        '◒' => '\\',
        '▸' | '▶' | '→' | '›' | '»' => '>',
        '◀' | '←' | '⏎' | '‹' | '«' => '<',
        '▀'..='▓' => '#',
        '↑' | '▲' => '^',
        '↓' | '▼' => 'v',
        '•' | '■' => '*',
        '…' => '~',
        '×' | '✘' => 'x',
        '✔' => '+',
        '●' => 'o',
        '○' => '.',
        '⟳' => '@',
        '‘' | '’' | '‚' => '\'',
        '“' | '”' | '„' => '"',
        '\u{a0}' | '\u{202f}' => ' ',
        'À'..='Å' => 'A',
        'Ç' => 'C',
        'È'..='Ë' => 'E',
        'Ì'..='Ï' => 'I',
        'Ñ' => 'N',
        'Ò'..='Ö' | 'Ø' => 'O',
        'Ù'..='Ü' => 'U',
        'ß' => 's',
        'à'..='å' => 'a',
        'ç' => 'c',
        'è'..='ë' => 'e',
        'ì'..='ï' => 'i',
        'ñ' => 'n',
        'ò'..='ö' | 'ø' => 'o',
        'ù'..='ü' => 'u',
        '¿' | '\u{fffd}' | '\u{25cc}' => '?',
        '¡' => '!',
        // The pictures that stand for control characters.
        '\u{2400}'..='\u{2421}' => '^',
        _ => return None,
    })
}

/// Replaces every sign of a drawn screen that has an ASCII form.
pub fn translate(buffer: &mut Buffer) {
    for cell in &mut buffer.content {
        if cell.symbol().is_ascii() {
            continue;
        }
        // Marks over a letter go with it.
        let first = cell.symbol().chars().next();
        let plain = first.and_then(|c| if c.is_ascii() { Some(c) } else { of_char(c) });
        if let Some(plain) = plain {
            cell.set_char(plain);
        }
    }
}

/// A text in which every sign and letter with an ASCII form has it; here, where nothing has to stay in its column, some
/// are spelt out.
pub fn spelt(text: &str) -> String {
    let mut spelt = String::with_capacity(text.len());
    let mut rest = text.chars().peekable();
    while let Some(c) = rest.next() {
        match c {
            'ä' | 'ö' | 'ü' => spelt.extend(of_char(c).into_iter().chain(['e'])),
            // In a word of capitals all letters are.
            'Ä' | 'Ö' | 'Ü' => {
                let e = if rest.peek().is_some_and(|next| next.is_lowercase()) { 'e' } else { 'E' };
                spelt.extend(of_char(c).into_iter().chain([e]));
            }
            'ß' => spelt.push_str("ss"),
            '…' => spelt.push_str("..."),
            c if c.is_ascii() => spelt.push(c),
            c => spelt.push(of_char(c).unwrap_or(c)),
        }
    }
    spelt
}

#[cfg(test)]
mod tests {
    use ratatui::layout::Rect;
    use rstest::rstest;

    use super::*;

    #[test]
    fn what_is_translated_stays_in_its_cell() {
        let mut buffer = Buffer::empty(Rect::new(0, 0, 24, 1));
        buffer.set_string(0, 0, "│ ✔ für e\u{301}in 表 ┌─┐▸…", ratatui::style::Style::new());
        translate(&mut buffer);
        let shown: String = buffer.content.iter().map(ratatui::buffer::Cell::symbol).collect();
        assert_eq!(shown.trim_end(), "| + fur ein 表  +-+>~");
    }

    #[rstest]
    #[case("Größe, 15.360 Bit … „so“ – a→b", "Groesse, 15.360 Bit ... \"so\" - a>b")]
    #[case("ERFÜLLT, Übung", "ERFUELLT, Uebung")]
    #[case("表 stays", "表 stays")]
    fn a_text_is_spelt_out(#[case] text: &str, #[case] ascii: &str) {
        assert_eq!(spelt(text), ascii);
    }

    /// What the program itself shows, wherever that stands: a sign that is added later is found here.
    #[test]
    fn every_sign_of_the_program_has_an_ascii_form() {
        let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
        let mut folders: Vec<_> = ["src/ui", "src/lab", "src/run", "assets/lesson"].map(|name| root.join(name)).into();
        let mut seen = 0;
        while let Some(folder) = folders.pop() {
            for path in std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
                if path.is_dir() {
                    folders.push(path);
                    continue;
                }
                let is_test = path.to_string_lossy().contains("/tests");
                let text = std::fs::read_to_string(&path).unwrap_or_default();
                let text = text.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default();
                for line in text.lines().filter(|line| !is_test && !line.trim_start().starts_with("//")) {
                    for c in line.chars().filter(|c| !c.is_ascii()) {
                        seen += 1;
                        assert!(of_char(c).is_some(), "{c} of {} has no ASCII form: {line}", path.display());
                    }
                }
            }
        }
        assert!(seen > 100, "{seen}");
    }

    #[test]
    fn the_verdicts_signs_differ() {
        let Signs { allowed, denied, failed, waiting, replay } = Signs::ASCII;
        let signs = [allowed, denied, failed, waiting, replay];
        for (at, sign) in signs.iter().enumerate() {
            assert!(sign.is_ascii() && !signs[..at].contains(sign));
        }
    }
}
