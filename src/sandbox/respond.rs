//! Responses in the shape of each protocol.

use aws_lc_rs::digest;
use bytes::Bytes;
use data_encoding::BASE32HEX_NOPAD;
use http::{HeaderValue, StatusCode, header};
use serde_json::Value;
use uuid::Uuid;

use super::error::{Fault, render};
use super::operation::Output;
use super::service::{Protocol, Service};

/// A response, ready to be sent.
pub type Response = http::Response<Bytes>;

/// The request id as clients of `service` see it: a UUID, or for DynamoDB 52 characters.
pub fn public_request_id(service: Service, request_id: Uuid) -> String {
    match service {
        Service::DynamoDb => BASE32HEX_NOPAD.encode(digest::digest(&digest::SHA256, request_id.as_bytes()).as_ref()),
        _ => request_id.to_string(),
    }
}

/// The response to a call that succeeded.
pub fn success(service: Service, operation: &str, id: &str, output: Output) -> Response {
    let body = match output {
        Output::Json(Value::Null) => String::new(),
        Output::Json(value) => value.to_string(),
        Output::Xml(result) => {
            let namespace = service.namespace();
            let result = match result.as_str() {
                "" => String::new(),
                inside => format!("<{operation}Result>{inside}</{operation}Result>"),
            };
            format!(
                "<{operation}Response xmlns=\"{namespace}\">{result}<ResponseMetadata><RequestId>{id}</RequestId>\
                 </ResponseMetadata></{operation}Response>"
            )
        }
    };
    respond(service, 200, id, body)
}

/// The response to a failed call.
pub fn failure(service: Service, id: &str, fault: &Fault) -> Response {
    let (status, body) = render(service, id, fault);
    respond(service, status, id, body)
}

/// A page of the sandbox's own.
pub fn page(status: u16, content_type: &'static str, body: impl Into<Bytes>) -> Response {
    let mut response = Response::new(body.into());
    *response.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
    response
}

fn respond(service: Service, status: u16, id: &str, body: String) -> Response {
    let content_type = match service.protocol() {
        Protocol::Json10 => "application/x-amz-json-1.0",
        Protocol::Json11 => "application/x-amz-json-1.1",
        Protocol::Query => "text/xml",
    };
    let checksum = (service == Service::DynamoDb).then(|| crc32fast::hash(body.as_bytes()));
    let mut response = page(status, content_type, body);
    let headers = response.headers_mut();
    if let Ok(id) = HeaderValue::from_str(id) {
        headers.insert("x-amzn-requestid", id);
    }
    if let Some(checksum) = checksum {
        headers.insert("x-amz-crc32", HeaderValue::from(checksum));
    }
    response
}

#[cfg(test)]
mod tests;
