//! Text as forms and IAM's responses write it: a policy document stands percent-encoded in it, or encoded twice.

/// What stands for a byte that is no letter of a name or an id.
const OTHER: char = '\u{FFFD}';

/// Changes `text` as if nothing in it were percent-encoded, and encodes again what was. `change` keeps the number of
/// characters.
pub fn through(text: &str, change: impl FnOnce(&str) -> String) -> String {
    if !text.contains('%') {
        return change(text);
    }
    let mut parts: Vec<(char, &str)> = Vec::new();
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        let (c, length) = escape(rest).unwrap_or((c, c.len_utf8()));
        let (part, after) = rest.split_at(length);
        parts.push((c, part));
        rest = after;
    }
    let plain: String = parts.iter().map(|(c, _)| *c).collect();
    let changed = change(&plain);
    if changed.chars().count() != parts.len() {
        return changed;
    }
    let encoded = parts.iter().zip(changed.chars()).map(|((before, part), now)| match part.len() {
        _ if *before == now => (*part).to_owned(),
        0..=2 => now.to_string(),
        length => {
            let (lead, hex) = part.split_at(length - 2);
            let is_lower = hex.bytes().any(|byte| byte.is_ascii_lowercase());
            let now = u32::from(now);
            if is_lower { format!("{lead}{now:02x}") } else { format!("{lead}{now:02X}") }
        }
    });
    encoded.collect()
}

/// The character that `text` begins with, percent-encoded any number of times, and how long it is.
fn escape(text: &str) -> Option<(char, usize)> {
    let hex = |at: usize| {
        let digits = text.get(at..at + 2).filter(|digits| digits.bytes().all(|byte| byte.is_ascii_hexdigit()))?;
        u8::from_str_radix(digits, 16).ok()
    };
    let is_encoded = text.starts_with('%');
    let mut at = 1;
    let mut found = None;
    while let Some(byte) = hex(at).filter(|_| is_encoded) {
        match byte {
            b'\t' | b'\n' | b'\r' | b' '..=b'~' => found = Some((char::from(byte), at + 2)),
            0x80.. => found = Some((OTHER, at + 2)),
            // No text has it: a percent sign stands before digits.
            _ => break,
        }
        if byte != b'%' {
            break;
        }
        at += 2;
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_layer_of_encoding_stays() {
        for text in ["", "100 %", "%", "%2", "a%3Ab%3ac", "%253A%25252f", "%C3%A9%c3", "%zz%", "%0011", "é%E9é"] {
            assert_eq!(through(text, str::to_owned), text);
        }
        let seen = |text: &str| {
            let mut seen = String::new();
            through(text, |plain| {
                plain.clone_into(&mut seen);
                plain.to_owned()
            });
            seen
        };
        assert_eq!(seen("a%3Ab%3ac%253A%25252f%25"), "a:b:c:/%");
        assert_eq!(seen("%11112222"), "%11112222", "no control character");
        assert_eq!(through("%6a%6A%256a", |_| "zzz".to_owned()), "%7a%7A%257a");
    }
}
