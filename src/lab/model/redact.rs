//! Secrets are taken out, and foreign text is made harmless, before anything else of the program sees it.

use serde_json::Value;

use super::glyphs::{is_hidden, is_joiner};

/// What stands where a secret stood.
pub const REDACTED: &str = "[redacted]";

/// Members whose value is a secret: secret keys, session tokens, plaintext (of data keys and of `Decrypt`).
const SECRET_MEMBERS: [&str; 6] =
    ["SecretAccessKey", "SessionToken", "Plaintext", "PrivateKeyPlaintext", "Password", "GrantToken"];

/// Whether the value of a member of this name is a secret.
pub fn is_secret_member(name: &str) -> bool {
    SECRET_MEMBERS.iter().any(|secret| name.eq_ignore_ascii_case(secret))
}

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
                if is_secret_member(name) && !member.is_null() {
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

/// The text of a body that is neither JSON nor a form, without its secrets: XML without the content of secret elements
/// (`<SecretAccessKey>…</SecretAccessKey>`); anything else, such as an answer that was cut off, up to the first secret.
pub fn redact_text(text: &str) -> String {
    let Ok(document) = roxmltree::Document::parse(text) else {
        // ASCII letters only change case: positions stay.
        let lower = text.to_ascii_lowercase();
        let first =
            SECRET_MEMBERS.iter().filter_map(|name| Some(lower.find(&name.to_ascii_lowercase())? + name.len())).min();
        return first.map_or(text.to_owned(), |end| format!("{}{REDACTED}", &text[..end]));
    };
    let mut redacted = String::with_capacity(text.len());
    let mut copied = 0;
    for node in document.descendants().filter(|node| is_secret_member(node.tag_name().name())) {
        let content = node.first_child().zip(node.last_child());
        let Some((first, last)) = content.filter(|(first, _)| first.range().start >= copied) else { continue };
        redacted.push_str(&text[copied..first.range().start]);
        redacted.push_str(REDACTED);
        copied = last.range().end;
    }
    redacted.push_str(&text[copied..]);
    redacted
}

/// What stands before a secret in a header, a query or a file of credentials, where `=` or `:` follows.
const SECRET_LABELS: [&str; 9] = [
    "authorization",
    "cookie",
    "credential",
    "password",
    "secret_access_key",
    "secret-access-key",
    "signature",
    "token",
    "secret",
];

/// The length of a signature in hexadecimal digits, and of any longer one.
const SIGNATURE: usize = 64;

/// One line of a log or a message for somebody else: it ends before its first secret that has a name, and what looks
/// like a secret without one is replaced. Rather too much than too little goes.
pub fn redact_line(line: &str) -> String {
    let line = redact_text(line);
    // ASCII letters only change case: positions stay.
    let lower = line.to_ascii_lowercase();
    let is_named = |end: usize| {
        let rest = lower[end..].trim_start_matches(['"', '\'', '\\', ' ']);
        rest.starts_with(['=', ':']) || rest.starts_with("%3d")
    };
    let ends = SECRET_LABELS.iter().flat_map(|label| lower.match_indices(label).map(|(at, _)| at + label.len()));
    let line = match ends.filter(|end| is_named(*end)).min() {
        Some(end) => format!("{}{REDACTED}", &line[..end]),
        None => line,
    };
    let line = without_secrets(&line, REDACTED).unwrap_or(line);
    without_signatures(&line)
}

fn without_signatures(line: &str) -> String {
    let mut out = String::with_capacity(line.len());
    let mut rest = line;
    while let Some(start) = rest.find(|c: char| c.is_ascii_hexdigit()) {
        let length = rest[start..].find(|c: char| !c.is_ascii_hexdigit()).unwrap_or(rest.len() - start);
        let word = &rest[start..start + length];
        out.push_str(&rest[..start]);
        out.push_str(if length >= SIGNATURE { REDACTED } else { word });
        rest = &rest[start + length..];
    }
    out + rest
}

/// The length of an IAM user's secret access key.
const SECRET_KEY: usize = 40;

/// Session tokens are longer; the longest id that a policy or a grant names has 64 characters.
const SESSION_TOKEN: usize = 100;

/// Replaces with `blank` what looks like a secret access key or a session token; `None` where nothing does.
pub fn without_secrets(text: &str, blank: &str) -> Option<String> {
    let is_part = |c: char| c.is_ascii_alphanumeric() || matches!(c, '/' | '+' | '=');
    let mut out = String::with_capacity(text.len());
    let (mut is_found, mut rest) = (false, text);
    while let Some(start) = rest.find(is_part) {
        let end = rest[start..].find(|c| !is_part(c)).map_or(rest.len(), |length| start + length);
        let word = &rest[start..end];
        let is_found_here = is_secret(word);
        is_found |= is_found_here;
        out.push_str(&rest[..start]);
        out.push_str(if is_found_here { blank } else { word });
        rest = &rest[end..];
    }
    is_found.then(|| out + rest)
}

/// Whether a word is as long as a secret and as random. Hexadecimal ids have no capitals, names no digits between.
fn is_secret(word: &str) -> bool {
    let has = |is: fn(char) -> bool| word.chars().any(is);
    let is_mixed = has(|c| c.is_ascii_uppercase()) && has(|c| c.is_ascii_lowercase()) && has(|c| c.is_ascii_digit());
    is_mixed && (word.len() == SECRET_KEY || word.len() >= SESSION_TOKEN)
}

fn is_harmful(c: char) -> bool {
    // C0 and C1 controls drive the terminal (escape sequences among them); others hide, or reorder what is read. Joiners
    // have a meaning in emoji and some scripts: what draws the text decides.
    match c {
        ' '..='~' | '\n' => false,
        c => c.is_control() || (is_hidden(c) && !is_joiner(c)),
    }
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
    fn secrets_in_a_text_become_blanks() {
        let key = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY";
        let token = format!("FwoGZXIvYXdzEBYaD{}", "x9Y/".repeat(60));
        for secret in [key, token.as_str()] {
            let text = format!("{{\"a\": \"{secret}\"}}\n");
            assert_eq!(without_secrets(&text, "__").as_deref(), Some("{\"a\": \"__\"}\n"));
            assert_eq!(without_secrets(secret, "__").as_deref(), Some("__"));
        }
        for harmless in [
            "arn:aws:kms:us-east-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab",
            "arn:aws:iam::111122223333:user/team/Kmslab1",
            "AKIAIOSFODNN7EXAMPLE",
            "kms:GenerateDataKeyPairWithoutPlaintext1",
            &"0123456789abcdef".repeat(4),
        ] {
            assert_eq!(without_secrets(harmless, "__"), None, "{harmless}");
        }
    }

    #[test]
    fn a_line_ends_before_a_secret_with_a_name() {
        for (line, left) in [
            ("x-amz-security-token: abc", "x-amz-security-token[redacted]"),
            ("?X-Amz-Signature=abc&a=b", "?X-Amz-Signature[redacted]"),
            ("{\\\"Cookie\\\": 1}", "{\\\"Cookie[redacted]"),
            ("SignatureDoesNotMatch: the signature is wrong", "SignatureDoesNotMatch: the signature is wrong"),
            (
                "kms:GetPublicKey on 1234abcd-12ab-34cd-56ef-1234567890ab",
                "kms:GetPublicKey on 1234abcd-12ab-34cd-56ef-1234567890ab",
            ),
        ] {
            assert_eq!(redact_line(line), left);
        }
        assert_eq!(redact_line(&format!("é {}.", "0a".repeat(32))), "é [redacted].");
    }

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
    fn only_secret_elements_are_removed() {
        assert_eq!(
            redact_text(
                "<a><SecretAccessKey>s3cret</SecretAccessKey><b>x</b><n:plaintext xmlns:n='u' \n>o<i>t</i>her</n:plaintext ></a>\n"
            ),
            "<a><SecretAccessKey>[redacted]</SecretAccessKey><b>x</b><n:plaintext xmlns:n='u' \n>[redacted]</n:plaintext ></a>\n"
        );
        assert_eq!(redact_text("<a><SecretAccessKey/>é</a>"), "<a><SecretAccessKey/>é</a>");
    }

    #[test]
    fn what_is_cut_off_ends_before_its_first_secret() {
        assert_eq!(redact_text("<a><b>x</b><SecretAccessKey>s3cret</Sec"), "<a><b>x</b><SecretAccessKey[redacted]");
        assert_eq!(redact_text(r#"{"é": 1, "secretaccesskey": "s3cr"#), r#"{"é": 1, "secretaccesskey[redacted]"#);
        assert_eq!(redact_text("<h1>502</h1"), "<h1>502</h1");
    }

    #[test]
    fn headers_with_credentials_are_known_however_they_are_written() {
        let secret = ["Authorization", "x-amz-security-token", "COOKIE", "Set-Cookie", "proxy-authorization"];
        assert!(secret.iter().all(|name| is_secret_header(name)));
        assert!(!["host", "x-amz-date", "x-amzn-requestid"].iter().any(|name| is_secret_header(name)));
    }

    #[test]
    fn escape_sequences_are_shown_and_not_sent() {
        let mut value = json!({"na\u{1b}[31mme": "a\u{1b}]0;title\u{7}b\u{9b}c\td\r\ne\u{202e}f\u{2067}g\u{200f}"});
        redact(&mut value);
        assert_eq!(
            value,
            json!({"na\\u{1b}[31mme": "a\\u{1b}]0;title\\u{7}b\\u{9b}c    d\ne\\u{202e}f\\u{2067}g\\u{200f}"})
        );
    }
}
