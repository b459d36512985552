//! Takes secrets out of what a server sends. A server may quote the request in an error, in a header, or escaped in a
//! document inside a document.

use std::collections::HashSet;

use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use serde_json::Value;
use zeroize::{Zeroize, Zeroizing};

use crate::lab::redact::{self, REDACTED};

/// This many characters of a secret in a row count as the secret, so that a quote that is cut off or wrapped hides
/// it, too. A shorter secret counts as a whole.
const RUN: usize = 16;

/// A secret shorter than this is not searched for: it would be found in ordinary words.
const SHORTEST: usize = 8;

/// The number of layers of escapes that are undone: JSON in XML in a URL needs three.
const LAYERS: usize = 8;

/// Members of requests that are secret beside those of [`redact::is_secret_member`]: what logins send.
const LOGIN_MEMBERS: [&str; 6] =
    ["accessToken", "refreshToken", "clientSecret", "WebIdentityToken", "SAMLAssertion", "TokenCode"];

/// The secrets of one call, to be taken out of its response.
#[derive(Default)]
pub(super) struct Secrets {
    /// In lower case: a signature is the same in capitals.
    runs: HashSet<Vec<u8>>,
    /// The lengths of those runs.
    lengths: Vec<usize>,
}

/// One character of the text with its escapes undone, and where it stands in the text.
#[derive(Clone, Copy)]
struct Unit {
    byte: u8,
    from: usize,
    to: usize,
}

impl Secrets {
    /// The secrets that `request` sends: the signature, tokens, and secret members of its body.
    pub(super) fn sent_with(request: &HttpRequest) -> Secrets {
        let mut secrets = Secrets::default();
        for (name, value) in request.headers().iter() {
            if redact::is_secret_header(name) || name.eq_ignore_ascii_case("x-amz-sso_bearer_token") {
                secrets.add_header(value);
            }
        }
        secrets.add_body(request.body().bytes().unwrap_or_default());
        secrets
    }

    /// The secrets that a response brings: a new secret key, plaintext.
    pub(super) fn received(body: &[u8]) -> Secrets {
        let mut secrets = Secrets::default();
        secrets.add_body(body);
        secrets
    }

    /// The secret part of a header: of SigV4 it is the signature, of `Bearer` and `Basic` what follows.
    fn add_header(&mut self, value: &str) {
        match value.split_once("Signature=") {
            Some((_, signature)) => self.add(signature.split([',', ' ']).next().unwrap_or_default()),
            None => {
                self.add(value);
                self.add(value.split_once(' ').map_or("", |(_, token)| token));
            }
        }
    }

    fn add_body(&mut self, body: &[u8]) {
        if let Ok(value) = serde_json::from_slice::<Value>(body) {
            self.add_members(&value);
        } else if let Some(document) = std::str::from_utf8(body).ok().and_then(|it| roxmltree::Document::parse(it).ok())
        {
            let secret = document.descendants().filter(|node| is_secret_member(node.tag_name().name()));
            secret.flat_map(|node| node.descendants()).filter_map(|node| node.text()).for_each(|text| self.add(text));
        } else {
            let members = form_urlencoded::parse(body).filter(|(name, _)| is_secret_member(name));
            members.for_each(|(_, value)| self.add(&value));
        }
    }

    /// The depth is that of a document that serde_json has read: 128 at most.
    fn add_members(&mut self, value: &Value) {
        match value {
            Value::Object(members) => {
                for (name, member) in members {
                    match member {
                        Value::String(text) if is_secret_member(name) => {
                            self.add(text);
                            let decoded = aws_smithy_types::base64::decode(text).ok();
                            let decoded = decoded.map(Zeroizing::new);
                            self.add(decoded.as_ref().and_then(|it| std::str::from_utf8(it).ok()).unwrap_or_default());
                        }
                        member => self.add_members(member),
                    }
                }
            }
            Value::Array(elements) => elements.iter().for_each(|element| self.add_members(element)),
            _ => {}
        }
    }

    fn add(&mut self, secret: &str) {
        let secret = secret.trim().as_bytes();
        if secret.len() < SHORTEST || secret == REDACTED.as_bytes() {
            return;
        }
        let length = secret.len().min(RUN);
        if !self.lengths.contains(&length) {
            self.lengths.push(length);
        }
        self.runs.extend(secret.windows(length).map(<[u8]>::to_ascii_lowercase));
    }

    /// `text` without the secrets; `None` where it has none.
    pub(super) fn scrub(&self, text: &[u8]) -> Option<Vec<u8>> {
        if self.runs.is_empty() {
            return None;
        }
        let mut found = Vec::new();
        let mut layer = Some(
            text.iter()
                .enumerate()
                .map(|(at, byte)| Unit { byte: byte.to_ascii_lowercase(), from: at, to: at + 1 })
                .collect::<Vec<_>>(),
        );
        for _ in 0..=LAYERS {
            let Some(units) = layer else { break };
            self.find(&units, &mut found);
            layer = unescaped(&units);
        }
        (!found.is_empty()).then(|| without(text, found))
    }

    /// As [`Secrets::scrub`], for text that is shown.
    pub(super) fn scrub_text(&self, text: &str) -> String {
        let scrubbed = self.scrub(text.as_bytes());
        scrubbed.map_or_else(|| text.to_owned(), |bytes| String::from_utf8_lossy(&bytes).into_owned())
    }

    /// Adds the places in the text where a run of a secret stands.
    fn find(&self, units: &[Unit], found: &mut Vec<(usize, usize)>) {
        let bytes: Vec<u8> = units.iter().map(|unit| unit.byte).collect();
        for &length in &self.lengths {
            for (at, run) in bytes.windows(length).enumerate() {
                if self.runs.contains(run) {
                    found.push((units[at].from, units[at + length - 1].to));
                }
            }
        }
    }
}

impl Drop for Secrets {
    fn drop(&mut self) {
        self.runs.drain().for_each(|mut run| run.zeroize());
    }
}

fn is_secret_member(name: &str) -> bool {
    redact::is_secret_member(name) || LOGIN_MEMBERS.iter().any(|secret| name.eq_ignore_ascii_case(secret))
}

/// `text` with [`REDACTED`] in these places, which may overlap.
fn without(text: &[u8], mut places: Vec<(usize, usize)>) -> Vec<u8> {
    places.sort_unstable();
    let mut scrubbed = Vec::with_capacity(text.len());
    let mut copied = 0;
    let mut places = places.into_iter().peekable();
    while let Some((from, mut to)) = places.next() {
        while let Some((_, further)) = places.next_if(|(next, _)| *next <= to) {
            to = to.max(further);
        }
        scrubbed.extend_from_slice(&text[copied..from]);
        scrubbed.extend_from_slice(REDACTED.as_bytes());
        copied = to;
    }
    scrubbed.extend_from_slice(&text[copied..]);
    scrubbed
}

/// The text with one layer of escapes undone, of JSON, XML and URLs at once; `None` where there are none.
fn unescaped(units: &[Unit]) -> Option<Vec<Unit>> {
    let mut plain = Vec::with_capacity(units.len());
    let mut at = 0;
    while at < units.len() {
        match escape(&units[at..]) {
            Some((byte, length)) => {
                plain.push(Unit {
                    byte: byte.to_ascii_lowercase(),
                    from: units[at].from,
                    to: units[at + length - 1].to,
                });
                at += length;
            }
            None => {
                plain.push(units[at]);
                at += 1;
            }
        }
    }
    (plain.len() < units.len()).then_some(plain)
}

/// The ASCII character that an escape at the beginning of `units` stands for, and the escape's length.
fn escape(units: &[Unit]) -> Option<(u8, usize)> {
    let number = |from: usize, digits: usize| {
        let digits: Vec<u8> = units.get(from..from + digits)?.iter().map(|unit| unit.byte).collect();
        u8::from_str_radix(std::str::from_utf8(&digits).ok()?, 16).ok()
    };
    match (units.first()?.byte, units.get(1)?.byte) {
        (b'%', _) => Some((number(1, 2)?, 3)),
        (b'\\', b'u') => (number(2, 2)? == 0).then(|| number(4, 2))?.map(|byte| (byte, 6)),
        (b'\\', byte @ (b'/' | b'"' | b'\\')) => Some((byte, 2)),
        (b'&', _) => {
            // The longest is `&quot;`, or a number with zeros before it.
            let end = units.iter().take(12).position(|unit| unit.byte == b';')?;
            let name: Vec<u8> = units[1..end].iter().map(|unit| unit.byte).collect();
            Some((entity(std::str::from_utf8(&name).ok()?)?, end + 1))
        }
        _ => None,
    }
}

/// The ASCII character of an XML entity's name, in lower case.
fn entity(name: &str) -> Option<u8> {
    if let Some(number) = name.strip_prefix('#') {
        return match number.strip_prefix('x') {
            Some(digits) => u8::from_str_radix(digits, 16).ok(),
            None => number.parse().ok(),
        };
    }
    match name {
        "amp" => Some(b'&'),
        "lt" => Some(b'<'),
        "gt" => Some(b'>'),
        "quot" => Some(b'"'),
        "apos" => Some(b'\''),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    const TOKEN: &str = "IQoJb3JpZ2luX2VjEJ//+wEaCXVzLWVhc3QtMSJHMEUCIQDkmslab/Token+Example==";
    const SIGNATURE: &str = "0f1e2d3c4b5a69788796a5b4c3d2e1f00f1e2d3c4b5a69788796a5b4c3d2e1f0";

    fn secrets() -> Secrets {
        let mut request = HttpRequest::new(r#"{"Plaintext":"dG9wIHNlY3JldCBub3Rl","KeyId":"k"}"#.into());
        request.headers_mut().insert(
            "authorization",
            format!("AWS4-HMAC-SHA256 Credential=AKIA/x/aws4_request, SignedHeaders=host, Signature={SIGNATURE}"),
        );
        request.headers_mut().insert("x-amz-security-token", TOKEN);
        Secrets::sent_with(&request)
    }

    fn every(text: &str, escape: impl Fn(u8) -> String) -> String {
        text.bytes().map(escape).collect()
    }

    fn url(text: &str) -> String {
        form_urlencoded::byte_serialize(text.as_bytes()).collect()
    }

    #[rstest]
    #[case::raw(TOKEN.to_owned())]
    #[case::signature(SIGNATURE.to_owned())]
    #[case::capitals(SIGNATURE.to_uppercase())]
    #[case::json(TOKEN.replace('/', r"\/"))]
    #[case::json_numbers(every(TOKEN, |byte| format!("\\u{:04X}", byte)))]
    #[case::json_in_json(TOKEN.replace('/', r"\\\/"))]
    #[case::xml(TOKEN.replace('/', "&#47;").replace('+', "&#x2B;").replace('=', "&#061;"))]
    #[case::xml_numbers(every(TOKEN, |byte| format!("&#x{byte:x};")))]
    #[case::url(url(TOKEN))]
    #[case::url_in_url(url(&url(TOKEN)))]
    #[case::url_small(url(TOKEN).replace("%2F", "%2f"))]
    #[case::xml_in_url_in_json(url(&TOKEN.replace('+', "&#43;")).replace('%', r"\u0025"))]
    #[case::plaintext("dG9wIHNlY3JldCBub3Rl".to_owned())]
    #[case::decoded_plaintext("top secret note".to_owned())]
    fn a_secret_goes_in_every_encoding(#[case] quoted: String) {
        let text = format!("before {quoted} after");
        let scrubbed = secrets().scrub_text(&text);
        assert_eq!(scrubbed, "before [redacted] after");
    }

    #[test]
    fn parts_of_a_secret_go_too() {
        let wrapped = format!("{}\n{}", &TOKEN[..30], &TOKEN[30..]);
        assert_eq!(secrets().scrub_text(&wrapped), "[redacted]\n[redacted]");
        assert_eq!(secrets().scrub_text(&format!("{}…", &SIGNATURE[..20])), "[redacted]…");
    }

    #[test]
    fn all_else_stays() {
        let secrets = secrets();
        for text in
            ["", "arn:aws:kms:us-east-1:111122223333:key/1 %41%zz &amp; &nope; \\u00", "Signature=short", "100 %", "&#"]
        {
            assert_eq!(secrets.scrub(text.as_bytes()), None, "{text}");
        }
        assert!(Secrets::received(br#"{"SecretAccessKey":"short","Plaintext":null}"#).scrub(b"short null").is_none());
    }

    #[rstest]
    #[case::json(r#"{"AccessKey":{"SecretAccessKey":"wJalrXUtnFEMI/K7MDENG"}}"#)]
    #[case::xml("<a><SecretAccessKey>wJalrXUtnFEMI/K7MDENG</SecretAccessKey></a>")]
    #[case::form("UserName=u&SecretAccessKey=wJalrXUtnFEMI%2FK7MDENG")]
    fn a_new_secret_is_known_by_its_member(#[case] body: &str) {
        let secrets = Secrets::received(body.as_bytes());
        assert_eq!(secrets.scrub_text("x-echo: wJalrXUtnFEMI%2FK7MDENG!"), "x-echo: [redacted]!");
        assert!(!secrets.scrub_text(body).contains("wJalr"));
    }
}
