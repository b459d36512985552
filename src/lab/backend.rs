//! Where the calls go.

/// Where the calls go.
#[derive(Debug, Clone, PartialEq, Eq)]
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

/// The kinds of backend.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
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
