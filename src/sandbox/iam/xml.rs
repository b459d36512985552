//! Writing the inside of an answer of the query protocol.

use crate::sandbox::answer::escape;

/// `<name>text</name>`, the text escaped.
pub(super) fn leaf(out: &mut String, name: &str, text: &str) {
    nest(out, name, |out| out.push_str(&escape(text)));
}

/// `<name>…</name>`
pub(super) fn nest(out: &mut String, name: &str, inside: impl FnOnce(&mut String)) {
    out.push('<');
    out.push_str(name);
    out.push('>');
    inside(out);
    out.push_str("</");
    out.push_str(name);
    out.push('>');
}

/// `<name><member>…</member>…</name>`
pub(super) fn list<T>(out: &mut String, name: &str, items: impl IntoIterator<Item = T>, each: impl Fn(&mut String, T)) {
    nest(out, name, |out| {
        for item in items {
            nest(out, "member", |out| each(out, item));
        }
    });
}

/// Percent-encodes as RFC 3986 says, which is how IAM hands out policy documents.
pub(super) fn url_encode(text: &str) -> String {
    const HEX: &[u8; 16] = b"0123456789ABCDEF";
    let mut out = String::with_capacity(text.len() * 2);
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            out.push('%');
            out.push(char::from(HEX[usize::from(byte >> 4)]));
            out.push(char::from(HEX[usize::from(byte & 15)]));
        }
    }
    out
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
