//! Cuts an expression into tokens.

/// A token's kind and text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Token<'a> {
    /// A bare word: an attribute name, a keyword or a function's name.
    Word(&'a str),
    /// `#name`, with the `#`.
    NamePlaceholder(&'a str),
    /// `:value`, with the `:`.
    ValuePlaceholder(&'a str),
    /// Digits, as in `[2]`.
    Digits(&'a str),
    /// `= <> < <= > >= ( ) [ ] . , + -`
    Symbol(&'a str),
    /// The end of the text.
    End,
}

/// A token and where it starts and ends, in bytes.
#[derive(Debug, Clone, Copy)]
pub struct Spanned<'a> {
    /// The token.
    pub token: Token<'a>,
    /// First byte.
    pub start: usize,
    /// One past the last byte.
    pub end: usize,
}

fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

/// All tokens, the last being [`Token::End`]. `Err` is the span of the first character that can start no token.
pub fn tokens(text: &str) -> Result<Vec<Spanned<'_>>, (usize, usize)> {
    let bytes = text.as_bytes();
    let mut found = Vec::new();
    let mut at = 0;
    while at < bytes.len() {
        let start = at;
        let run = |from: usize| bytes[from..].iter().position(|b| !is_word(*b)).map_or(bytes.len(), |n| from + n);
        let token = match bytes[at] {
            b' ' | b'\t' | b'\r' | b'\n' => {
                at += 1;
                continue;
            }
            b'#' | b':' => {
                at = run(at + 1);
                if at == start + 1 {
                    return Err((start, at));
                }
                if bytes[start] == b'#' {
                    Token::NamePlaceholder(&text[start..at])
                } else {
                    Token::ValuePlaceholder(&text[start..at])
                }
            }
            b'a'..=b'z' | b'A'..=b'Z' => {
                at = run(at);
                Token::Word(&text[start..at])
            }
            b'0'..=b'9' => {
                at = run(at);
                if !bytes[start..at].iter().all(u8::is_ascii_digit) {
                    return Err((start, at));
                }
                Token::Digits(&text[start..at])
            }
            b'<' | b'>' => {
                at += match (bytes[at], bytes.get(at + 1)) {
                    (_, Some(b'=')) | (b'<', Some(b'>')) => 2,
                    _ => 1,
                };
                Token::Symbol(&text[start..at])
            }
            b'=' | b'(' | b')' | b'[' | b']' | b'.' | b',' | b'+' | b'-' => {
                at += 1;
                Token::Symbol(&text[start..at])
            }
            _ => {
                let length = text[start..].chars().next().map_or(1, char::len_utf8);
                return Err((start, start + length));
            }
        };
        found.push(Spanned { token, start, end: at });
    }
    found.push(Spanned { token: Token::End, start: text.len(), end: text.len() });
    Ok(found)
}
