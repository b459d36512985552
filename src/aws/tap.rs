//! The tap: an interceptor that copies both HTTP messages of a call, without its secrets.

use std::sync::{Arc, Mutex, PoisonError};

use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::interceptors::Intercept;
use aws_smithy_runtime_api::client::interceptors::context::{
    AfterDeserializationInterceptorContextRef, BeforeTransmitInterceptorContextRef,
};
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_runtime_api::http::Headers;
use aws_smithy_types::config_bag::ConfigBag;
use serde_json::Value;

use super::scrub::Secrets;
use super::{body, failure};
use crate::lab::redact::{self, REDACTED};
use crate::lab::{Answer, CallError, Response, Wire};

/// Sees what one call sends and gets, and counts the tries; of a call that the SDK retries, the last try is kept.
#[derive(Debug, Clone, Default)]
pub(super) struct Tap(Arc<Mutex<Seen>>);

#[derive(Debug, Default)]
struct Seen {
    request: Value,
    response: Option<Response>,
    wire: Wire,
    tries: u32,
}

impl Tap {
    /// The answer made of what was seen. `failure` is the SDK's error; it counts only where no response was read.
    pub(super) fn into_answer(self, failure: Option<CallError>, duration_us: u64) -> Answer {
        let mut seen = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let Seen { request, response, wire, tries, .. } = std::mem::take(&mut *seen);
        let response = match (response, failure) {
            // A success that the SDK could not read is no success.
            (Some(Response { status: ..300, .. }), Some(failure)) => Err(failure),
            // Of a cut-off XML document, and where it expects nothing, the SDK reads what is there.
            (Some(Response { status: ..300, body: Value::String(_), .. }), None) => Err(failure::no_document()),
            (Some(response), _) => Ok(response),
            (None, Some(failure)) => Err(failure),
            (None, None) => Err(CallError {
                message: "the call ended without a response".to_owned(),
                remedy: "try again".to_owned(),
            }),
        };
        Answer { request, response, wire, duration_us, at: 0, tries }
    }
}

impl Intercept for Tap {
    fn name(&self) -> &'static str {
        "kmslab::Tap"
    }

    fn read_before_transmit(
        &self,
        context: &BeforeTransmitInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let request = context.request();
        let bytes = request.body().bytes().unwrap_or_default();
        let content_type = request.headers().get("content-type").unwrap_or_default();
        let mut seen = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        // A further try: what an earlier one got is not the answer.
        *seen = Seen { tries: seen.tries + 1, ..Seen::default() };
        seen.request = body::request(content_type, bytes);
        seen.wire.request = message(
            &format!("{} {} HTTP/1.1", request.method(), path_of(request.uri())),
            request.headers(),
            &body::text(bytes),
            &Secrets::default(),
        );
        Ok(())
    }

    fn read_after_deserialization(
        &self,
        context: &AfterDeserializationInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let response = context.response();
        // The body is there once it has been read to its end; a torn answer is the SDK's error to tell.
        let Some(bytes) = response.body().bytes() else { return Ok(()) };
        // The guard has taken out what was sent. The SDK has got the new secrets by now, and nobody else may.
        let secrets = Secrets::received(bytes);
        let scrubbed = secrets.scrub(bytes);
        let bytes = scrubbed.as_deref().unwrap_or(bytes);
        let headers = response.headers();
        let (value, id_in_body) = body::response(bytes);
        let id = headers.get("x-amzn-requestid").or_else(|| headers.get("x-amz-request-id"));
        let mut seen = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        seen.response = Some(Response {
            status: response.status().as_u16(),
            request_id: id.map(|id| redact::clean(&secrets.scrub_text(id))).or(id_in_body),
            body: value,
        });
        let first_line = format!("HTTP/1.1 {}", response.status().as_u16());
        seen.wire.response = message(&first_line, headers, &body::text(bytes), &secrets);
        Ok(())
    }
}

/// The path and query of an absolute URI.
fn path_of(uri: &str) -> &str {
    uri.find("://").and_then(|at| uri[at + 3..].find('/').map(|slash| &uri[at + 3 + slash..])).unwrap_or("/")
}

/// An HTTP message as text: first line, headers sorted by name, an empty line, the body.
/// `secrets` go from its headers.
fn message(first_line: &str, headers: &Headers, body: &str, secrets: &Secrets) -> String {
    let shown = |name: &str, value: &str| match redact::is_secret_header(name) {
        true => hide(value),
        false => redact::clean(&secrets.scrub_text(value)),
    };
    let mut lines: Vec<(String, String)> =
        headers.iter().map(|(name, value)| (redact::clean(&secrets.scrub_text(name)), shown(name, value))).collect();
    lines.sort();
    let mut text = redact::clean(first_line);
    for (name, value) in lines {
        text.push_str(&format!("\n{name}: {value}"));
    }
    text.push_str("\n\n");
    text.push_str(body);
    text
}

/// A secret header's value without its secret: of SigV4's Authorization everything but the signature is instructive.
fn hide(value: &str) -> String {
    match value.split_once("Signature=") {
        Some((before, _)) => format!("{}Signature={REDACTED}", redact::clean(before)),
        None => REDACTED.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_signature_is_hidden_and_the_rest_of_the_header_stays() {
        let header =
            "AWS4-HMAC-SHA256 Credential=AKIA/20260101/us-east-1/kms/aws4_request, SignedHeaders=host, Signature=abc";
        assert_eq!(hide(header), header.replace("=abc", "=[redacted]"));
        assert_eq!(hide("Bearer abc"), REDACTED);
    }

    #[test]
    fn the_path_of_a_uri() {
        assert_eq!(path_of("http://127.0.0.1:1/a?b=c"), "/a?b=c");
        assert_eq!(path_of("http://127.0.0.1:1"), "/");
        assert_eq!(path_of("/"), "/");
    }
}
