//! The signature of a request in the form that SDKs send: the path `/`, no query, and each signed header once, with no
//! space that signing would take away. It saves what the library does for every other form.
//!
//! The steps are those of AWS's documentation: "Create a signed AWS API request" in the IAM User Guide.

use aws_lc_rs::{digest, hmac};
use data_encoding::HEXLOWER;
use zeroize::Zeroizing;

use super::{ALGORITHM, Authorization};
use crate::sandbox::request::Request;

/// The signature that `secret` makes; `None` for a request of another form.
pub(super) fn sign(authorization: &Authorization<'_>, request: &Request, body: &[u8], secret: &str) -> Option<String> {
    let canonical = canonical(authorization, request, body)?;
    let date_time = request.header("x-amz-date")?;
    let Authorization { date, region, service, terminator, .. } = authorization;
    let mut to_sign = String::with_capacity(192);
    for part in [ALGORITHM, "\n", date_time, "\n", date, "/", region, "/", service, "/", terminator, "\n"] {
        to_sign.push_str(part);
    }
    HEXLOWER.encode_append(digest::digest(&digest::SHA256, canonical.as_bytes()).as_ref(), &mut to_sign);
    let mut first = Zeroizing::new(Vec::with_capacity(4 + secret.len()));
    first.extend_from_slice(b"AWS4");
    first.extend_from_slice(secret.as_bytes());
    let mut signature = tag(&first, date);
    for part in [region, service, terminator, to_sign.as_str()] {
        signature = tag(signature.as_ref(), part);
    }
    Some(HEXLOWER.encode(signature.as_ref()))
}

/// The canonical request.
fn canonical(authorization: &Authorization<'_>, request: &Request, body: &[u8]) -> Option<String> {
    if request.uri.path() != "/" || request.uri.query().is_some() {
        return None;
    }
    let mut text = String::with_capacity(512);
    text.push_str(request.method.as_str());
    text.push_str("\n/\n\n");
    let (mut before, mut has_host) = ("", false);
    for name in authorization.signed_headers.split(';') {
        if name <= before || name.bytes().any(|byte| byte.is_ascii_uppercase()) {
            return None;
        }
        (before, has_host) = (name, has_host || name == "host");
        let mut values = request.headers.get_all(name).iter();
        let value = values.next()?.to_str().ok().filter(|value| is_plain(value))?;
        if values.next().is_some() {
            return None;
        }
        for part in [name, ":", value, "\n"] {
            text.push_str(part);
        }
    }
    text.push('\n');
    text.push_str(authorization.signed_headers);
    text.push('\n');
    HEXLOWER.encode_append(digest::digest(&digest::SHA256, body).as_ref(), &mut text);
    has_host.then_some(text)
}

/// Whether signing leaves this value as it is: it trims values and makes one space of several.
fn is_plain(value: &str) -> bool {
    let ends = [value.bytes().next(), value.bytes().next_back()];
    let is_space = |byte: u8| byte.is_ascii_whitespace();
    !ends.into_iter().flatten().any(is_space) && !value.contains("  ") && !value.contains('\t')
}

fn tag(key: &[u8], message: &str) -> hmac::Tag {
    hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key), message.as_bytes())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use time::macros::datetime;

    use super::super::tests::request;
    use super::*;

    const SECRET: &str = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";

    proptest! {
        /// Whatever the plain way signs, the library signs alike.
        #[test]
        fn the_library_makes_the_same_signature(
            agent in "[ -~]{0,12}",
            target in "[A-Za-z_.0-9 ]{0,12}",
            body in prop::collection::vec(any::<u8>(), 0..64),
            names in prop::sample::select(vec![
                "host;user-agent;x-amz-date;x-amz-target", "host;x-amz-date", "x-amz-date;x-amz-target", "x-amz-date;host",
                "Host;x-amz-date", "host;host;x-amz-date", "host;missing", "",
            ]),
        ) {
            let authorization = format!(
                "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20261010/us-east-1/dynamodb/aws4_request, SignedHeaders={names}, \
                 Signature=00"
            );
            let headers = [
                ("host", "localhost:8000"), ("user-agent", agent.trim()), ("x-amz-date", "20261010T120000Z"),
                ("x-amz-target", target.trim()), ("authorization", &authorization),
            ];
            let request = request(http::Method::POST, &headers, b"");
            if let Ok(authorization) = Authorization::of(&request)
                && let Some(ours) = sign(&authorization, &request, &body, SECRET)
            {
                let signed_at = datetime!(2026-10-10 12:00:00 UTC);
                prop_assert_eq!(Some(ours), authorization.sign_again(&request, &body, SECRET, signed_at));
            }
        }
    }

    #[test]
    fn what_an_sdk_sends_is_plain() {
        let authorization = "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20261010/us-east-1/dynamodb/aws4_request, \
            SignedHeaders=content-type;host;x-amz-date;x-amz-target, Signature=00";
        let headers = [
            ("content-type", "application/x-amz-json-1.0"),
            ("host", "localhost:8000"),
            ("x-amz-date", "20261010T120000Z"),
            ("x-amz-target", "DynamoDB_20120810.GetItem"),
            ("authorization", authorization),
        ];
        let mut request = request(http::Method::POST, &headers, b"{}");
        let is_plain = |request: &Request| sign(&Authorization::of(request).unwrap(), request, b"{}", SECRET).is_some();
        assert!(is_plain(&request));
        request.headers.append("host", "another".parse().unwrap());
        assert!(!is_plain(&request), "of two headers the library makes one");
        request.headers.insert("host", "local  host".parse().unwrap());
        assert!(!is_plain(&request), "spaces are the library's");
        request.headers.insert("host", "localhost".parse().unwrap());
        assert!(is_plain(&request));
        request.uri = "/?a=b".parse().unwrap();
        assert!(!is_plain(&request));
    }
}
