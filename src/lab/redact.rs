//! Secrets are taken out, and foreign text is made harmless, before anything else of the program sees it.

use serde_json::Value;

/// What stands where a secret stood.
pub const REDACTED: &str = "[redacted]";

/// Members whose value is a secret: secret keys, session tokens, plaintext (of data keys and of `Decrypt`).
const SECRET_MEMBERS: [&str; 6] =
    ["SecretAccessKey", "SessionToken", "Plaintext", "PrivateKeyPlaintext", "Password", "GrantToken"];

/// HTTP headers whose value is a secret or a signature.
pub fn is_secret_header(name: &str) -> bool {
    ["authorization", "x-amz-security-token", "cookie", "set-cookie", "proxy-authorization"]
        .iter()
        .any(|secret| name.eq_ignore_ascii_case(secret))
}

/// Replaces the values of secret members anywhere in `value` and cleans every string with [`clean`].
pub fn redact(value: &mut Value) {
    match value {
        Value::Object(members) => {
            for (name, member) in members.iter_mut() {
                if SECRET_MEMBERS.iter().any(|secret| name.eq_ignore_ascii_case(secret)) && !member.is_null() {
                    *member = Value::String(REDACTED.to_owned());
                } else {
                    redact(member);
                }
            }
            // A member name may come from a table, too.
            if members.keys().any(|name| needs_cleaning(name)) {
                *members = std::mem::take(members).into_iter().map(|(name, member)| (clean(&name), member)).collect();
            }
        }
        Value::Array(elements) => elements.iter_mut().for_each(redact),
        Value::String(text) if needs_cleaning(text) => *text = clean(text),
        _ => {}
    }
}

/// Replaces the content of secret elements in XML text (`<SecretAccessKey>…</SecretAccessKey>`).
pub fn redact_xml(xml: &str) -> String {
    let mut text = xml.to_owned();
    for name in SECRET_MEMBERS {
        let (open, close) = (format!("<{name}>"), format!("</{name}>"));
        let mut from = 0;
        while let Some(start) = text[from..].find(&open).map(|at| from + at + open.len()) {
            // An element that never ends is cut off whole.
            let end = text[start..].find(&close).map_or(text.len(), |at| start + at);
            text.replace_range(start..end, REDACTED);
            from = start + REDACTED.len();
        }
    }
    text
}

fn is_harmful(c: char) -> bool {
    // C0 and C1 controls drive the terminal (escape sequences among them); bidirectional controls reorder what is read.
    (c.is_control() && c != '\n')
        || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{200e}' | '\u{200f}')
}

fn needs_cleaning(text: &str) -> bool {
    text.chars().any(is_harmful)
}

/// Makes text of a table or a server harmless to a terminal: tabs become spaces, carriage returns go, every other
/// control character is shown as `\u{…}`.
pub fn clean(text: &str) -> String {
    let mut cleaned = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\t' => cleaned.push_str("    "),
            '\r' => {}
            c if is_harmful(c) => cleaned.push_str(&format!("\\u{{{:x}}}", c as u32)),
            c => cleaned.push(c),
        }
    }
    cleaned
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn secret_members_go_at_any_depth_and_others_stay() {
        let mut value = json!({
            "AccessKey": {"AccessKeyId": "AKIAEXAMPLE", "SecretAccessKey": "wJalr"},
            "list": [{"Plaintext": "AAAA"}, {"plaintext": "BBBB"}],
            "CiphertextBlob": "CCCC",
        });
        redact(&mut value);
        assert_eq!(
            value,
            json!({
                "AccessKey": {"AccessKeyId": "AKIAEXAMPLE", "SecretAccessKey": REDACTED},
                "list": [{"Plaintext": REDACTED}, {"plaintext": REDACTED}],
                "CiphertextBlob": "CCCC",
            })
        );
    }

    #[test]
    fn secret_elements_go_even_when_the_xml_is_cut_off() {
        assert_eq!(
            redact_xml("<a><SecretAccessKey>s3cret</SecretAccessKey><b>x</b><SecretAccessKey>other"),
            "<a><SecretAccessKey>[redacted]</SecretAccessKey><b>x</b><SecretAccessKey>[redacted]"
        );
    }

    #[test]
    fn escape_sequences_are_shown_and_not_sent() {
        let mut value = json!({"na\u{1b}[31mme": "a\u{1b}]0;title\u{7}b\u{9b}c\td\r\ne\u{202e}f"});
        redact(&mut value);
        assert_eq!(value, json!({"na\\u{1b}[31mme": "a\\u{1b}]0;title\\u{7}b\\u{9b}c    d\ne\\u{202e}f"}));
    }
}
