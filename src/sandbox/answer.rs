//! Answers in the shape of each protocol.

use aws_lc_rs::digest;
use bytes::Bytes;
use http::{HeaderValue, StatusCode, header};
use serde_json::{Map, Value};
use uuid::Uuid;

use super::Xml;
use super::error::{ApiError, Origin, Protocol};
use super::request::Service;

/// An answer, ready to be sent.
pub type Response = http::Response<Bytes>;

/// What a service gave back, in the form of its protocol.
#[derive(Debug)]
pub enum Output {
    /// A JSON value; `Null` is an empty body.
    Json(Value),
    /// The inside of `<{Action}Result>`; empty leaves the element out.
    Xml(Xml),
}

/// The request id as clients of `service` see it: a uuid, or for DynamoDB 52 characters.
pub fn answer_id(service: Service, request_id: Uuid) -> String {
    if service != Service::DynamoDb {
        return request_id.to_string();
    }
    const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHIJKLMNOPQRSTUV";
    let hash = digest::digest(&digest::SHA256, request_id.as_bytes());
    let mut text = String::with_capacity(52);
    let (mut bits, mut count) = (0_u32, 0);
    for byte in hash.as_ref() {
        bits = (bits << 8 | u32::from(*byte)) & 0xfff;
        count += 8;
        while count >= 5 {
            count -= 5;
            text.push(char::from(ALPHABET[(bits >> count & 31) as usize]));
        }
    }
    // 256 bits are 51 characters and one bit.
    text.push(char::from(ALPHABET[(bits << (5 - count) & 31) as usize]));
    text
}

/// A success.
pub fn success(service: Service, operation: &str, id: &str, output: Output) -> Response {
    let body = match output {
        Output::Json(Value::Null) => String::new(),
        Output::Json(value) => value.to_string(),
        Output::Xml(result) => {
            let namespace = namespace(service);
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

/// A refusal.
pub fn failure(service: Service, id: &str, error: &ApiError) -> Response {
    let body = match service.protocol() {
        Protocol::Json10 | Protocol::Json11 => json_error(service, error),
        Protocol::Query => {
            let kind = if error.status < 500 { "Sender" } else { "Receiver" };
            format!(
                "<ErrorResponse xmlns=\"{}\"><Error><Type>{kind}</Type><Code>{}</Code><Message>{}</Message></Error>\
                 <RequestId>{id}</RequestId></ErrorResponse>",
                namespace(service),
                escape(&error.code),
                escape(error.message.as_deref().unwrap_or_default()),
            )
        }
    };
    respond(service, error.status, id, body)
}

/// A page of the sandbox's own.
pub fn page(status: u16, content_type: &'static str, body: impl Into<Bytes>) -> Response {
    let mut response = Response::new(body.into());
    *response.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
    response
}

fn json_error(service: Service, error: &ApiError) -> String {
    let code = &error.code;
    let kind = match (service, error.origin) {
        (Service::DynamoDb, _) if code == "ValidationException" => format!("com.amazon.coral.validate#{code}"),
        (Service::DynamoDb, Origin::Service) => format!("com.amazonaws.dynamodb.v20120810#{code}"),
        (Service::DynamoDb, Origin::FrontLayer) => format!("com.amazon.coral.service#{code}"),
        _ => code.to_string(),
    };
    let mut body = Map::from_iter([("__type".to_owned(), Value::from(kind))]);
    if let Some(message) = &error.message {
        let spelling = if error.origin == Origin::FrontLayer { "Message" } else { "message" };
        body.insert(spelling.to_owned(), Value::from(message.as_str()));
    }
    body.extend(error.extra.iter().map(|(name, value)| (name.clone(), value.clone())));
    Value::Object(body).to_string()
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

fn namespace(service: Service) -> String {
    format!("https://{}.amazonaws.com/doc/{}/", service.signing_name(), service.version())
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
mod tests;
