//! A request as it came in, and which service and operation it is for.

use std::net::IpAddr;

use bytes::Bytes;
use http::{HeaderMap, Method, Uri, header};

use super::context::ConnectionId;
use super::error::Fault;
use super::form::Form;
use super::service::{Protocol, Service};

/// The largest body taken, in bytes. DynamoDB's own limit is 16 MiB.
pub const BODY_LIMIT: usize = 16 * 1024 * 1024;

/// A request with its body read.
#[derive(Debug)]
pub struct Request {
    /// `POST`
    pub method: Method,
    /// Path and query.
    pub uri: Uri,
    /// The headers.
    pub headers: HeaderMap,
    /// The body, when it was not too large.
    pub body: Body,
    /// Who sent it.
    pub peer: IpAddr,
    /// Which connection it came over.
    pub connection: ConnectionId,
}

/// What came of reading a body.
#[derive(Debug)]
pub enum Body {
    /// All of it.
    Whole(Bytes),
    /// More than [`BODY_LIMIT`] bytes; thrown away.
    TooLarge,
}

impl Request {
    /// A header as text; `None` when missing or not visible ASCII.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// The whole body; empty when it was too large.
    pub fn bytes(&self) -> &[u8] {
        match &self.body {
            Body::Whole(bytes) => bytes,
            Body::TooLarge => &[],
        }
    }
}

/// What a request asks for.
#[derive(Debug, PartialEq)]
pub enum Route {
    /// One of the sandbox's own pages; the path after `/_kmslab/`.
    Control(String),
    /// Somebody looks with a browser.
    Welcome,
    /// Not an AWS request, and no page either.
    NoSuchPage,
    /// An AWS call.
    Call {
        /// The service.
        service: Service,
        /// The operation; the service says whether it exists.
        operation: String,
        /// The parameters, in the query protocol.
        form: Form,
    },
    /// An AWS call that is refused before anybody asks who made it.
    Refused {
        /// The service it seems to be for, which decides how the error looks.
        service: Service,
        /// The refusal.
        error: Fault,
    },
}

/// Reads off a request what it asks for.
pub fn route(request: &Request) -> Route {
    let path = request.uri.path();
    if let Some(page) = path.strip_prefix("/_kmslab/") {
        return Route::Control(page.to_owned());
    }
    if request.headers.contains_key("x-amz-target") {
        return target(request);
    }
    let reads = request.method == Method::GET || request.method == Method::HEAD;
    let query = request.uri.query().unwrap_or_default();
    let asks_aws =
        request.headers.contains_key(header::AUTHORIZATION) || query.contains("Action=") || query.contains("X-Amz-");
    match (path, reads, asks_aws) {
        (_, true, false) if path == "/" => Route::Welcome,
        ("/", ..) => form(request, if reads { query.as_bytes() } else { request.bytes() }),
        (_, _, true) => unknown(request, 404),
        _ => Route::NoSuchPage,
    }
}

/// The operations of DynamoDB Streams, which the sandbox lacks. Their actions and signatures have DynamoDB's name.
const STREAMS: [&str; 4] = ["DescribeStream", "GetRecords", "GetShardIterator", "ListStreams"];

/// The JSON protocols name the operation in a header.
fn target(request: &Request) -> Route {
    let target = request.header("x-amz-target").unwrap_or_default();
    if let Some(("DynamoDBStreams_20120810", operation)) = target.split_once('.')
        && STREAMS.contains(&operation)
    {
        let error = Fault::NotImplemented { name: operation.to_owned() };
        return Route::Refused { service: Service::DynamoDb, error };
    }
    let Some((service, operation)) = target.rsplit_once('.').and_then(|(prefix, operation)| {
        let service = Service::ALL.into_iter().find(|service| service.target_prefix() == Some(prefix))?;
        (!operation.is_empty()).then_some((service, operation))
    }) else {
        return unknown(request, 400);
    };
    if request.uri.path() != "/" || request.method != Method::POST {
        return Route::Refused { service, error: Fault::UnknownOperation { status: 404, name: String::new() } };
    }
    if matches!(request.body, Body::TooLarge) {
        return Route::Refused { service, error: Fault::TooLarge(BODY_LIMIT) };
    }
    Route::Call { service, operation: operation.to_owned(), form: Form::default() }
}

/// The query protocol names it in the form.
fn form(request: &Request, text: &[u8]) -> Route {
    let guessed = guess(request);
    if matches!(request.body, Body::TooLarge) {
        return Route::Refused { service: guessed, error: Fault::TooLarge(BODY_LIMIT) };
    }
    if guessed.protocol() != Protocol::Query {
        // Signed for a service of the JSON protocols, which need a target.
        return unknown(request, 400);
    }
    if request.method != Method::POST && request.method != Method::GET {
        let message = format!("The method {} is not allowed here, use POST", request.method);
        return Route::Refused { service: guessed, error: Fault::service(405, "MethodNotAllowed", message) };
    }
    let Some(form) = Form::parse(text) else {
        let error = Fault::service(400, "MalformedInput", "The request's parameters are not UTF-8");
        return Route::Refused { service: guessed, error };
    };
    let Some(action) = form.get("Action").map(str::to_owned) else {
        let message = "The request is missing an action or a required parameter.";
        return Route::Refused { service: guessed, error: Fault::service(400, "MissingAction", message) };
    };
    let version = form.get("Version").unwrap_or_default();
    let Some(service) = [Service::Iam, Service::Sts].into_iter().find(|service| service.version() == version) else {
        let error = Fault::service(400, "InvalidAction", Fault::no_such_action(&action, version));
        return Route::Refused { service: guessed, error };
    };
    Route::Call { service, operation: action, form }
}

/// The service an `Authorization` header is signed for, if it can be read at all.
pub(super) fn signing_name(header: &str) -> Option<&str> {
    let (_, credential) = header.split_once("Credential=")?;
    credential.split([',', ' ']).next()?.split('/').nth(3)
}

fn unknown(request: &Request, status: u16) -> Route {
    let service = guess(request);
    let error = Fault::UnknownOperation { status, name: String::new() };
    Route::Refused { service, error }
}

/// The service a request seems to be for when it does not say so: by its signature, else by its content type.
fn guess(request: &Request) -> Service {
    let signed_for = request.header("authorization").and_then(signing_name);
    let by_signature = Service::ALL.into_iter().find(|service| Some(service.signing_name()) == signed_for);
    by_signature.unwrap_or_else(|| match request.header("content-type").unwrap_or_default() {
        json if json.starts_with("application/x-amz-json-1.0") => Service::DynamoDb,
        json if json.starts_with("application/x-amz-json") => Service::Kms,
        _ if request.headers.contains_key("x-amz-target") => Service::DynamoDb,
        _ => Service::Sts,
    })
}
