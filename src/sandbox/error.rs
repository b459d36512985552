//! Errors as AWS gives them, before they take the shape of a protocol.

use std::borrow::Cow;
use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use serde_json::{Map, Value};

use super::catalog;
use super::entropy::NoRandomness;
use super::request::Service;
use super::store::StoreError;

/// Which layer of AWS speaks: it shows in DynamoDB's `__type` prefix and in the spelling of the message member.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// The service itself: `com.amazonaws.dynamodb.v20120810#…`, `message`.
    Service,
    /// The layer in front of all services (authentication, authorisation, parsing): `com.amazon.coral.service#…`,
    /// `Message`.
    FrontLayer,
}

/// How a service speaks on the wire.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Protocol {
    /// awsJson 1.0: DynamoDB.
    Json10,
    /// awsJson 1.1: KMS.
    Json11,
    /// awsQuery, XML answers: IAM and STS.
    Query,
}

/// A refusal that the client is to see.
#[derive(Debug, Clone, PartialEq)]
pub struct ApiError {
    /// The HTTP status.
    pub status: u16,
    /// The error code, `ValidationException` for example.
    pub code: Cow<'static, str>,
    /// The message; some errors of KMS have none.
    pub message: Option<String>,
    /// Who speaks.
    pub origin: Origin,
    /// Further members of the JSON body (`CancellationReasons`, `Item`). Boxed, because nearly every function returns a
    /// `Result` with this error and nearly every error has none.
    pub extra: Box<Map<String, Value>>,
}

impl ApiError {
    /// An error of a service.
    pub fn new(status: u16, code: impl Into<Cow<'static, str>>, message: impl Into<String>) -> Self {
        Self { message: Some(message.into()), ..Self::bare(status, code) }
    }

    /// An error of a service that has no message.
    pub fn bare(status: u16, code: impl Into<Cow<'static, str>>) -> Self {
        Self { status, code: code.into(), message: None, origin: Origin::Service, extra: Box::default() }
    }

    /// The same error, spoken by the layer in front of the services.
    #[must_use]
    pub fn from_front_layer(mut self) -> Self {
        self.origin = Origin::FrontLayer;
        self
    }

    /// 400 `ValidationException`. DynamoDB's own validation answers with the front layer's prefix.
    pub fn validation(message: impl Into<String>) -> Self {
        Self::new(400, "ValidationException", message)
    }

    /// The caller may not do this: 400 `AccessDeniedException` in the JSON protocols, 403 `AccessDenied` in the query
    /// protocol.
    pub fn access_denied(protocol: Protocol, message: impl Into<String>) -> Self {
        match protocol {
            Protocol::Json10 | Protocol::Json11 => Self::new(400, "AccessDeniedException", message).from_front_layer(),
            Protocol::Query => Self::new(403, "AccessDenied", message),
        }
    }

    /// The service has no operation of that name: `UnknownOperationException`, or `InvalidAction` in the query protocol.
    /// An operation that AWS has and the sandbox lacks has the same code, with a message that says so.
    pub fn unknown_operation(service: Service, operation: &str) -> Self {
        let missing = catalog::has_operation(service, operation)
            .then(|| format!("The sandbox does not implement {}:{operation}.", service.signing_name()));
        match service.protocol() {
            Protocol::Json10 | Protocol::Json11 => {
                Self { message: missing, ..Self::bare(400, "UnknownOperationException") }.from_front_layer()
            }
            Protocol::Query => Self::new(
                400,
                "InvalidAction",
                missing.unwrap_or_else(|| Self::no_such_action(operation, service.version())),
            ),
        }
    }

    /// The query protocol's message for an action, or a version of the interface, that doesn't exist.
    pub fn no_such_action(operation: &str, version: &str) -> String {
        format!("Could not find operation {operation} for version {version}")
    }

    /// The body is not what the protocol asks for: 400 `SerializationException`.
    pub fn serialization(message: Option<String>) -> Self {
        Self { message, ..Self::bare(400, "SerializationException").from_front_layer() }
    }

    /// The sandbox itself failed: 500.
    pub fn internal() -> Self {
        Self::new(500, "InternalFailure", "The request processing has failed because of an unknown error.")
            .from_front_layer()
    }
}

impl From<StoreError> for ApiError {
    /// Says what SQLite said: AWS would not, but here the client is the one who has to free the disk.
    fn from(error: StoreError) -> Self {
        Self { message: Some(format!("The sandbox could not use its database: {error}")), ..Self::internal() }
    }
}

/// Why the sandbox did not start: what, where, and what to do.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The address can't be listened on.
    #[error("the sandbox can't listen on {address}: {source}. {}", other_address(source))]
    Listen {
        /// The address asked for.
        address: SocketAddr,
        /// What the system said.
        source: io::Error,
    },
    /// A file or folder can't be made, read or written.
    #[error("the sandbox can't use {}: {source}. Check that the folder exists and is yours to write", path.display())]
    Folder {
        /// The file or folder.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// Another process has the data.
    #[error("{} is in use by another kmslab. Stop that one, or choose another folder with --data", path.display())]
    InUse {
        /// The folder or database.
        path: PathBuf,
    },
    /// The file is no database of ours.
    #[error("{} is not a kmslab database. Choose another folder with --data, or move the file away", path.display())]
    Foreign {
        /// The file.
        path: PathBuf,
    },
    /// SQLite can't use the database.
    #[error(
        "the database {} can't be opened: {source}. Restore it from a copy, or choose another folder with --data",
        path.display()
    )]
    Broken {
        /// The file.
        path: PathBuf,
        /// What SQLite said.
        source: rusqlite::Error,
    },
    /// The database opened, but what it holds is not what was written.
    #[error(
        "the database {} is damaged: {what}. Restore the folder {} from a copy, or start with an empty folder: \
         --data DIR",
        path.display(), folder(path)
    )]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        what: String,
    },
    /// Another version of kmslab wrote the database.
    #[error(
        "the database {} has layout {found}, this kmslab knows layout {known}. Use the kmslab that wrote it, or choose \
         another folder with --data",
        path.display()
    )]
    OtherVersion {
        /// The file.
        path: PathBuf,
        /// The layout found.
        found: i64,
        /// The layout this program writes.
        known: i64,
    },
    /// There is a database, but not the key that seals it.
    #[error(
        "the root key {} is missing and the database beside it can't be read without it. Put the file back, or start \
         with an empty folder",
        path.display()
    )]
    RootKeyMissing {
        /// Where the key should be.
        path: PathBuf,
    },
    /// The key is not the database's.
    #[error(
        "the root key {} does not belong to the database beside it. Put the right file back, or start with an empty \
         folder",
        path.display()
    )]
    RootKeyWrong {
        /// The key file.
        path: PathBuf,
    },
    /// The operating system has no randomness to give.
    #[error("{0}. Try again in a moment")]
    Randomness(#[from] NoRandomness),
    /// The server's thread or runtime could not be made.
    #[error("the sandbox's server could not start: {0}")]
    Thread(io::Error),
}

impl StartError {
    /// What a failure of the database at `path` means when the sandbox starts.
    pub(super) fn of_store(path: &Path, error: StoreError) -> Self {
        match error {
            StoreError::Randomness(source) => Self::Randomness(source),
            StoreError::Database(source) if !is_corruption(&source) => Self::Broken { path: path.to_owned(), source },
            StoreError::Damaged(what) => Self::Damaged { path: path.to_owned(), what },
            other => Self::Damaged { path: path.to_owned(), what: other.to_string() },
        }
    }
}

/// Whether SQLite complains about the file's content, and not about the disk or its rights.
fn is_corruption(error: &rusqlite::Error) -> bool {
    error.sqlite_error_code().is_none_or(|code| code == rusqlite::ErrorCode::DatabaseCorrupt)
}

fn folder(path: &Path) -> std::path::Display<'_> {
    path.parent().unwrap_or(path).display()
}

/// What to do where an address can't be listened on.
fn other_address(error: &io::Error) -> &'static str {
    match error.kind() {
        io::ErrorKind::AddrNotAvailable => "Choose an address of this machine, such as 127.0.0.1",
        io::ErrorKind::PermissionDenied => "Choose a port from 1024 on, or port 0 for any free one",
        _ => "Choose another port, or port 0 for any free one",
    }
}
