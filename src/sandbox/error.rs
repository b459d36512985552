//! Errors of AWS calls, free of any protocol, and the one place that gives them a protocol's shape.
//!
//! The variant says which layer of AWS speaks. [`Fault::Service`] and [`Fault::Violations`] are the service's own errors.
//! All others come from the layer in front of the services. In DynamoDB it shows: the front layer's types begin with
//! `com.amazon.coral.service#`, and it spells the message `Message`.

use std::borrow::Cow;

use serde_json::{Map, Value};

use super::service::{Protocol, Service};
use super::store::StoreError;
use super::xml::escape;

/// A refusal by a policy: AWS's complete sentence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Denial(pub String);

/// Why the sender of a request is not known. Each reason has its own code in either protocol.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Unauthenticated {
    /// No `Authorization` header.
    Missing,
    /// The header is there, but parts of it are missing or malformed.
    Incomplete(String),
    /// No active access key of that id (an inactive one looks the same), or a session token that nobody issued.
    UnknownKey,
    /// Temporary credentials that have expired.
    Expired,
    /// The signature is not the right one, or not for this place and time.
    Invalid(String),
}

/// Why a call failed.
#[derive(Debug, Clone, PartialEq)]
pub enum Fault {
    /// Constraints that the request breaks, at least one.
    Violations(Vec<String>),
    /// The body is not what the protocol asks for: `SerializationException`.
    Serialization(Option<String>),
    /// A policy doesn't allow the call.
    Denied(Denial),
    /// The sender is not known.
    Unauthenticated(Unauthenticated),
    /// AWS has no operation of this name.
    UnknownOperation {
        /// 400, or 404 for a path that has no operations.
        status: u16,
        /// The operation's name.
        name: String,
    },
    /// AWS has the operation and the sandbox doesn't.
    NotImplemented {
        /// The operation's name.
        name: String,
    },
    /// The request's body is larger than this many bytes.
    TooLarge(usize),
    /// An error of the service's own model.
    Service {
        /// The HTTP status.
        status: u16,
        /// The error code.
        code: &'static str,
        /// The message; some errors of KMS have none.
        message: Option<String>,
        /// Further members of the JSON body (`CancellationReasons`, `Item`). Boxed, because nearly every function returns
        /// a `Result` with this error and nearly no error has any.
        extra: Option<Box<Map<String, Value>>>,
    },
    /// The sandbox itself failed.
    Internal(String),
}

impl Fault {
    /// An error of a service.
    pub fn service(status: u16, code: &'static str, message: impl Into<String>) -> Self {
        Self::Service { status, code, message: Some(message.into()), extra: None }
    }

    /// 400 `ValidationException` of DynamoDB and KMS.
    pub fn invalid(message: impl Into<String>) -> Self {
        Self::service(400, "ValidationException", message)
    }

    /// The error code in the protocol of `service`.
    pub fn code(&self, service: Service) -> &'static str {
        let query = service.protocol() == Protocol::Query;
        let (json_code, query_code) = match self {
            Self::Violations(_) => ("ValidationException", "ValidationError"),
            Self::Serialization(_) => ("SerializationException", "SerializationException"),
            Self::Denied(_) => ("AccessDeniedException", "AccessDenied"),
            Self::Unauthenticated(Unauthenticated::Missing) => {
                ("MissingAuthenticationTokenException", "MissingAuthenticationToken")
            }
            Self::Unauthenticated(Unauthenticated::Incomplete(_)) => {
                ("IncompleteSignatureException", "IncompleteSignature")
            }
            Self::Unauthenticated(Unauthenticated::UnknownKey) => {
                ("UnrecognizedClientException", "InvalidClientTokenId")
            }
            Self::Unauthenticated(Unauthenticated::Expired) => ("ExpiredTokenException", "ExpiredToken"),
            Self::Unauthenticated(Unauthenticated::Invalid(_)) => {
                ("InvalidSignatureException", "SignatureDoesNotMatch")
            }
            Self::UnknownOperation { .. } | Self::NotImplemented { .. } => {
                ("UnknownOperationException", "InvalidAction")
            }
            Self::TooLarge(_) => ("RequestEntityTooLarge", "RequestEntityTooLarge"),
            Self::Service { code, .. } => (*code, *code),
            Self::Internal(_) => ("InternalFailure", "InternalFailure"),
        };
        if query { query_code } else { json_code }
    }

    /// The HTTP status in the protocol of `service`.
    pub fn status(&self, service: Service) -> u16 {
        let query = service.protocol() == Protocol::Query;
        match self {
            Self::Unauthenticated(Unauthenticated::Incomplete(_)) => 400,
            Self::Denied(_) | Self::Unauthenticated(_) if query => 403,
            Self::UnknownOperation { status, .. } | Self::Service { status, .. } => *status,
            Self::TooLarge(_) => 413,
            Self::Internal(_) => 500,
            _ => 400,
        }
    }

    /// The message in the protocol of `service`.
    pub fn message(&self, service: Service) -> Option<Cow<'_, str>> {
        Some(match self {
            Self::Violations(all) => {
                let plural = if all.len() == 1 { "" } else { "s" };
                format!("{} validation error{plural} detected: {}", all.len(), all.join("; ")).into()
            }
            Self::Serialization(message) => message.as_deref()?.into(),
            Self::Denied(Denial(message)) | Self::Internal(message) => message.into(),
            Self::Unauthenticated(reason) => reason.message().into(),
            Self::UnknownOperation { name, .. } if service.protocol() == Protocol::Query => {
                Self::no_such_action(name, service.version()).into()
            }
            Self::UnknownOperation { .. } => return None,
            Self::NotImplemented { name } => {
                format!("The sandbox does not implement {}:{name}.", service.signing_name()).into()
            }
            Self::TooLarge(limit) => format!("Request size exceeds the limit of {limit} bytes").into(),
            Self::Service { message, .. } => message.as_deref()?.into(),
        })
    }

    /// The query protocol's message for an action, or a version of the interface, that doesn't exist.
    pub fn no_such_action(operation: &str, version: &str) -> String {
        format!("Could not find operation {operation} for version {version}")
    }
}

impl Unauthenticated {
    fn message(&self) -> &str {
        match self {
            Self::Missing => "Request is missing Authentication Token",
            Self::UnknownKey => "The security token included in the request is invalid.",
            Self::Expired => "The security token included in the request is expired",
            Self::Incomplete(message) | Self::Invalid(message) => message,
        }
    }
}

impl From<Denial> for Fault {
    fn from(denial: Denial) -> Self {
        Self::Denied(denial)
    }
}

impl From<StoreError> for Fault {
    /// Quotes SQLite. AWS would not, but here the client is the one who has to free the disk.
    fn from(error: StoreError) -> Self {
        Self::Internal(format!("The sandbox could not use its database: {error}"))
    }
}

/// Errors whose model spells the message `Message` (DynamoDB API reference).
const CAPITALIZED: [&str; 2] = ["IdempotentParameterMismatchException", "TransactionCanceledException"];

/// Status and body of a failed call in the protocol of `service`.
pub fn render(service: Service, request_id: &str, fault: &Fault) -> (u16, String) {
    let status = fault.status(service);
    let body = match service.protocol() {
        Protocol::Json10 | Protocol::Json11 => render_json(service, fault),
        Protocol::Query => {
            let kind = if status < 500 { "Sender" } else { "Receiver" };
            format!(
                "<ErrorResponse xmlns=\"{}\"><Error><Type>{kind}</Type><Code>{}</Code><Message>{}</Message></Error>\
                 <RequestId>{request_id}</RequestId></ErrorResponse>",
                service.namespace(),
                escape(fault.code(service)),
                escape(&fault.message(service).unwrap_or_default()),
            )
        }
    };
    (status, body)
}

fn render_json(service: Service, fault: &Fault) -> String {
    let code = fault.code(service);
    let from_service = matches!(fault, Fault::Service { .. } | Fault::Violations(_));
    let kind = match service {
        // DynamoDB's own validation has the front layer's prefix.
        Service::DynamoDb if code == "ValidationException" => format!("com.amazon.coral.validate#{code}"),
        Service::DynamoDb if from_service => format!("com.amazonaws.dynamodb.v20120810#{code}"),
        Service::DynamoDb => format!("com.amazon.coral.service#{code}"),
        _ => code.to_owned(),
    };
    let mut body = Map::from_iter([("__type".to_owned(), Value::from(kind))]);
    if let Some(message) = fault.message(service) {
        let spelling = if from_service && !CAPITALIZED.contains(&code) { "message" } else { "Message" };
        body.insert(spelling.to_owned(), Value::from(message));
    }
    if let Fault::Service { extra: Some(extra), .. } = fault {
        body.extend(extra.iter().map(|(name, value)| (name.clone(), value.clone())));
    }
    Value::Object(body).to_string()
}
