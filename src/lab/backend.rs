//! Where the calls go.

use serde::{Deserialize, Serialize};

use super::exchange::{Exchange, is_credential_error};
use super::operation::Operation;
use super::stage::Stage;
use super::state::State;

/// Where the calls go.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Backend {
    /// Which kind.
    pub kind: BackendKind,
    /// The region that requests are signed for.
    pub region: String,
    /// The endpoint; `None` is AWS itself.
    pub endpoint: Option<String>,
    /// Whether test-user is a profile that was given; otherwise the lab makes the user and removes it.
    pub given_user: bool,
}

impl Backend {
    /// Host and port of the endpoint; `None` is AWS itself.
    pub fn host(&self) -> Option<&str> {
        let url = self.endpoint.as_deref()?;
        let host = url.split_once("://").map_or(url, |(_, rest)| rest);
        let host = host.split(['/', '?']).next().unwrap_or(host);
        // A name and a password may stand before the host.
        Some(host.rsplit('@').next().unwrap_or(host))
    }

    /// Whether a change may take a while to take effect: everywhere but on the sandbox.
    pub fn is_eventually_consistent(&self) -> bool {
        self.kind != BackendKind::Sandbox
    }

    /// Whether the lab asks IAM beforehand if admin can create test-user.
    pub fn simulates(&self) -> bool {
        self.kind == BackendKind::Aws && !self.given_user
    }

    /// Whether test-user gets the managed policy for DynamoDB. Where there may be tables of others it gets an inline
    /// policy for the lab's own table instead.
    pub fn has_managed_policy(&self) -> bool {
        self.kind == BackendKind::Sandbox
    }
}

/// The kinds of backend.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")] // as `key`
pub enum BackendKind {
    /// The server inside this process.
    Sandbox,
    /// Another AWS-compatible endpoint.
    Endpoint,
    /// AWS itself.
    Aws,
}

impl BackendKind {
    /// The name in JSONL.
    pub const fn key(self) -> &'static str {
        match self {
            BackendKind::Sandbox => "sandbox",
            BackendKind::Endpoint => "endpoint",
            BackendKind::Aws => "aws",
        }
    }
}

impl State {
    /// Whether the backend refused the credentials or could not be reached at all, in the first stage: nothing else
    /// can work.
    pub fn backend_is_unusable(&self) -> Option<&Exchange> {
        let record = self.record(Stage::Who);
        // The stage's other calls only look ahead.
        let all = record.exchanges.iter().map(AsRef::as_ref);
        all.filter(|exchange| exchange.operation == Operation::GetCallerIdentity).find(|exchange| {
            match &exchange.answer.response {
                Err(_) => true,
                Ok(response) if response.status < 300 => false,
                // An error without a code is not AWS's: a web server or a proxy has answered.
                Ok(response) => response.status >= 500 || exchange.error_code().is_none_or(is_credential_error),
            }
        })
    }
}
