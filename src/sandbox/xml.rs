//! Writes XML: the responses of the query protocol.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

/// `<name>text</name>`, the text escaped.
pub fn leaf(out: &mut String, name: &str, text: &str) {
    nest(out, name, |out| out.push_str(&escape(text)));
}

/// `<name>…</name>`
pub fn nest(out: &mut String, name: &str, inside: impl FnOnce(&mut String)) {
    out.push('<');
    out.push_str(name);
    out.push('>');
    inside(out);
    out.push_str("</");
    out.push_str(name);
    out.push('>');
}

/// `<name><member>…</member>…</name>`
pub fn list<T>(out: &mut String, name: &str, items: impl IntoIterator<Item = T>, each: impl Fn(&mut String, T)) {
    nest(out, name, |out| {
        for item in items {
            nest(out, "member", |out| each(out, item));
        }
    });
}

/// The inside of `<{Action}Result>` in a response of the query protocol.
pub type Xml = String;

/// Characters that RFC 3986 calls unreserved.
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');

/// Percent-encodes a policy document, as IAM returns it.
pub fn url_encode(text: &str) -> String {
    utf8_percent_encode(text, RESERVED).to_string()
}

/// Text for XML. Characters that XML 1.0 has no way to write become U+FFFD.
pub fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '&' => escaped.push_str("&amp;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&apos;"),
            // A literal CR would be read back as LF.
            '\r' => escaped.push_str("&#13;"),
            '\t' | '\n' => escaped.push(character),
            '\0'..='\u{1f}' | '\u{fffe}' | '\u{ffff}' => escaped.push('\u{fffd}'),
            _ => escaped.push(character),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn elements_are_escaped_and_closed() {
        let mut out = String::new();
        nest(&mut out, "Tags", |out| leaf(out, "Key", "a<b>&\"c\""));
        list(&mut out, "Names", ["x", "y"], |out, name| out.push_str(name));
        assert_eq!(
            out,
            "<Tags><Key>a&lt;b&gt;&amp;&quot;c&quot;</Key></Tags><Names><member>x</member><member>y</member></Names>"
        );
    }

    #[test]
    fn documents_are_percent_encoded() {
        assert_eq!(url_encode("{\"a\": \"ü~*\"}"), "%7B%22a%22%3A%20%22%C3%BC~%2A%22%7D");
    }
}
