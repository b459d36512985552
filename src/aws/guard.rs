//! Stands between the SDK and the network: it reads each response within limits, and takes the secrets of its request
//! out of it, before the SDK or the lab sees it.
//!
//! It wraps the HTTP client, and not a call, so that logins and roles pass through it like the lab's own calls.

use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::http::{HttpConnector, HttpConnectorFuture, SharedHttpClient};
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_types::body::SdkBody;
use bytes::Bytes;
use http_body_util::{BodyExt, LengthLimitError, Limited, StreamBody};
use hyper::body::Frame;

use super::layer::layered;
use super::scrub::Secrets;

/// The largest response, in bytes. The largest that the lab's calls can get is a page of a Scan, 1 MB.
const LARGEST: usize = 4 * 1024 * 1024;

/// The deepest response. An item may be nested 32 levels deep, which makes some 70 levels of JSON.
pub(super) const DEEPEST: usize = 100;

/// Why a response can't be AWS's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum Unfit {
    #[error("the response is larger than {} MB", LARGEST / 1024 / 1024)]
    TooLarge,
    #[error("the response is nested more than {DEEPEST} levels deep")]
    TooDeep,
    #[error("the response is not text")]
    Binary,
}

/// `client` behind the guard.
pub(super) fn guarded(client: SharedHttpClient) -> SharedHttpClient {
    layered(client, |connector, request| {
        let secrets = Secrets::sent_with(&request);
        let answered = connector.call(request);
        HttpConnectorFuture::new(async move { checked(answered.await?, &secrets).await })
    })
}

/// The response, read to its end, without the secrets.
async fn checked(mut response: HttpResponse, secrets: &Secrets) -> Result<HttpResponse, ConnectorError> {
    // Without a kind of error: the SDK does not ask again.
    let unfit = |why: Unfit| ConnectorError::other(why.into(), None);
    scrub_headers(&mut response, secrets)?;
    let body = match Limited::new(response.take_body(), LARGEST).collect().await {
        Ok(collected) => collected.to_bytes(),
        Err(error) if error.is::<LengthLimitError>() => return Err(unfit(Unfit::TooLarge)),
        Err(torn) => {
            // The SDK tells of a torn response, and asks again where that is harmless.
            let torn = futures_util::stream::iter([Err::<Frame<Bytes>, BoxError>(torn)]);
            *response.body_mut() = SdkBody::from_body_1_x(StreamBody::new(torn));
            return Ok(response);
        }
    };
    check(&body).map_err(unfit)?;
    *response.body_mut() = match secrets.scrub(&body) {
        Some(scrubbed) => SdkBody::from(scrubbed),
        None => SdkBody::from(body),
    };
    Ok(response)
}

/// Returns whether AWS may have sent this document.
fn check(body: &[u8]) -> Result<(), Unfit> {
    // UTF-16 has zeros, too, and would hide what is looked for.
    if body.contains(&0) {
        return Err(Unfit::Binary);
    }
    let depth = match body.trim_ascii_start().first() {
        Some(b'{' | b'[') => json_depth(body),
        Some(b'<') => xml_depth(body),
        _ => 0,
    };
    if depth > DEEPEST { Err(Unfit::TooDeep) } else { Ok(()) }
}

/// Returns how deep the brackets are nested. Brackets in strings don't count.
fn json_depth(body: &[u8]) -> usize {
    let (mut depth, mut deepest) = (0_usize, 0);
    let (mut in_string, mut escaped) = (false, false);
    for byte in body {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if in_string => escaped = true,
            b'"' => in_string = !in_string,
            b'{' | b'[' if !in_string => {
                depth += 1;
                deepest = deepest.max(depth);
            }
            b'}' | b']' if !in_string => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    deepest
}

/// Returns how deep the elements are nested; 0 if it isn't XML but a web page, say, which is shown as text.
fn xml_depth(body: &[u8]) -> usize {
    let Some(text) = std::str::from_utf8(body).ok() else { return 0 };
    // Its parser has no recursion over elements.
    let Ok(document) = roxmltree::Document::parse(text) else { return 0 };
    // By node id, which counts in the document's order: a parent comes before its children.
    let mut depths: Vec<usize> = Vec::new();
    for node in document.descendants() {
        let parent = node.parent().and_then(|parent| depths.get(parent.id().get_usize()));
        depths.push(parent.copied().unwrap_or_default() + usize::from(node.is_element()));
    }
    depths.into_iter().max().unwrap_or_default()
}

/// Takes the secrets out of the headers' values; a header whose name has one goes as a whole.
fn scrub_headers(response: &mut HttpResponse, secrets: &Secrets) -> Result<(), ConnectorError> {
    let wrong = |error: aws_smithy_runtime_api::http::HttpError| ConnectorError::other(error.into(), None);
    let scrubbed: Vec<(String, Vec<(bool, String)>)> = {
        let headers = response.headers();
        let names: std::collections::BTreeSet<&str> = headers.iter_bytes().map(|(name, _)| name).collect();
        let of = |name: &str| {
            let value = |bytes: &[u8]| match secrets.scrub(bytes) {
                Some(scrubbed) => (true, String::from_utf8_lossy(&scrubbed).into_owned()),
                None => (false, String::from_utf8_lossy(bytes).into_owned()),
            };
            (name.to_owned(), headers.get_all_bytes(name).map(value).collect::<Vec<_>>())
        };
        names
            .into_iter()
            .map(of)
            .filter(|(name, values)| secrets.scrub(name.as_bytes()).is_some() || values.iter().any(|(dirty, _)| *dirty))
            .collect()
    };
    let headers = response.headers_mut();
    for (name, values) in scrubbed {
        headers.remove(&name);
        if secrets.scrub(name.as_bytes()).is_none() {
            for (_, value) in values {
                headers.try_append(name.clone(), value).map_err(wrong)?;
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case::json("[", "]")]
    #[case::members("{\"a\":", "}")]
    #[case::xml("<a>", "</a>")]
    #[case::attributes("<a b=\"/>\">", "</a>")]
    fn depth_has_a_limit(#[case] open: &str, #[case] close: &str) {
        let nested = |levels: usize| open.repeat(levels) + &close.repeat(levels);
        assert_eq!(check(nested(DEEPEST).as_bytes()), Ok(()));
        assert_eq!(check(nested(DEEPEST + 1).as_bytes()), Err(Unfit::TooDeep));
        assert_eq!(check(nested(10_000).as_bytes()), Err(Unfit::TooDeep));
    }

    #[test]
    fn brackets_in_strings_are_text() {
        let text = format!("{{\"a\":\"{}\\\"{}\"}}", "[".repeat(500), "{".repeat(500));
        assert_eq!(check(text.as_bytes()), Ok(()));
        assert_eq!(check("<br>".repeat(500).as_bytes()), Ok(()), "a web page");
        assert_eq!(check("{\u{0}\"\u{0}".as_bytes()), Err(Unfit::Binary));
    }
}
