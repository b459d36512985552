//! Control sequences of terminals: what they are, and what they carry that no screen shows.

/// What follows an escape.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Sequence<'a> {
    /// `[`, parameters and a letter.
    Control(&'a str, char),
    /// A text for the terminal itself: a title, a link, the clipboard. The character says which kind.
    Text(char, &'a str),
    /// Anything shorter.
    Short(char),
}

/// The sequence at the beginning of `text`, which follows an escape, and its length; `None` where its end is missing.
pub(super) fn sequence(text: &str) -> Option<(Sequence<'_>, usize)> {
    let first = text.chars().next()?;
    let body = &text[first.len_utf8()..];
    Some(match first {
        '[' => {
            let end = body.find(|c: char| ('@'..='~').contains(&c))?;
            let letter = body[end..].chars().next()?;
            (Sequence::Control(&body[..end], letter), 1 + end + letter.len_utf8())
        }
        ']' | 'P' | 'X' | '^' | '_' | 'k' => {
            let end = body.find(['\u{7}', '\u{1b}', '\u{9c}'])?;
            // An escape begins the end `ESC \`, a sequence of its own.
            let terminator = body[end..].chars().next().filter(|c| *c != '\u{1b}').map_or(0, char::len_utf8);
            (Sequence::Text(first, &body[..end]), 1 + end + terminator)
        }
        // A character set, for example: one more character belongs to it.
        ' '..='/' => (Sequence::Short(first), 1 + body.chars().next()?.len_utf8()),
        _ => (Sequence::Short(first), first.len_utf8()),
    })
}

/// `text` as it stands on the screen: colors cut no word. Where the cursor jumps, something else begins.
pub(super) fn without_sequences(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('\u{1b}') {
        plain.push_str(&rest[..at]);
        let Some((found, length)) = sequence(&rest[at + 1..]) else { return plain };
        if !matches!(found, Sequence::Control(_, 'm') | Sequence::Text(..) | Sequence::Short('(' | ')' | '\\')) {
            plain.push('\n');
        }
        rest = &rest[at + 1 + length..];
    }
    plain + rest
}

/// The texts in `text` that a terminal keeps for itself, each with its kind. One without an end goes on to the end.
pub(super) fn carried(text: &str) -> Vec<(char, &str)> {
    let mut carried = Vec::new();
    let mut rest = text;
    while let Some(at) = rest.find('\u{1b}') {
        rest = &rest[at + 1..];
        match sequence(rest) {
            Some((found, length)) => {
                if let Sequence::Text(kind, body) = found {
                    carried.push((kind, body));
                }
                rest = &rest[length..];
            }
            None => {
                carried.extend(rest.strip_prefix(']').map(|body| (']', body)));
                break;
            }
        }
    }
    carried
}

/// What a carried text is, where nobody should publish it whatever it says.
pub(super) fn private(kind: char, body: &str) -> Option<&'static str> {
    let (code, content) = body.split_once(';').unwrap_or((body, ""));
    match (kind, code) {
        ('k', _) => Some("a window's title in a control sequence"),
        (']', _) if content.is_empty() => None,
        (']', "0" | "1" | "2") => Some("a window's title in a control sequence"),
        (']', "7" | "9" | "633" | "777" | "1337") => Some("what a shell tells a terminal, in a control sequence"),
        (']', "52") => Some("what was copied, in a control sequence"),
        _ => None,
    }
}

/// The target of a link.
pub(super) fn link(kind: char, body: &str) -> Option<&str> {
    let mut parts = body.splitn(3, ';');
    let is_link = kind == ']' && parts.next() == Some("8");
    parts.nth(1).filter(|target| is_link && !target.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sequences_are_no_text() {
        let text =
            "a\u{1b}[1mb\u{1b}(B\u{1b}[mc\u{1b}]8;;https://x.example\u{1b}\\d\u{1b}]8;;\u{7}e\u{1b}[2;1Hf\u{1b}]0;g";
        assert_eq!(without_sequences(text), "abcde\nf");
        assert_eq!(carried(text), [(']', "8;;https://x.example"), (']', "8;;"), (']', "0;g")]);
        assert_eq!(link(']', "8;id=1;https://x.example/;y"), Some("https://x.example/;y"));
        assert_eq!(link(']', "8;;"), None);
    }
}
