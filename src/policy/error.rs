//! Why a policy document is refused.

use std::fmt;

/// Why a document was refused. Displays AWS's sentence and then, in parentheses, the statement and the detail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PolicyError {
    /// What is wrong.
    pub kind: PolicyErrorKind,
    /// The statement, counted from 0, and its Sid.
    pub statement: Option<(usize, Option<String>)>,
}

/// What is wrong with a document. Displays AWS's sentence alone.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[expect(missing_docs, reason = "each variant has AWS's sentence")]
pub enum PolicyErrorKind {
    #[error("Syntax errors in policy.")]
    Syntax(String),
    #[error("The policy failed legacy parsing")]
    Legacy(String),
    #[error("Policy document must be version 2012-10-17 or greater.")]
    OldVersion,
    #[error("Statement IDs (SID) in a single policy must be unique.")]
    DuplicateSid,
    #[error(
        "Statement IDs (SID) must be alpha-numeric. Check that your input satisfies the regular expression [0-9A-Za-z]*"
    )]
    MalformedSid,
    #[error("Policy statement must contain actions.")]
    NoActions,
    #[error("Policy statement must contain resources.")]
    NoResources,
    #[error("Policy statement must contain principals.")]
    NoPrincipals,
    #[error("Policy document should not specify a principal.")]
    UnexpectedPrincipal,
    #[error("Policy contains a statement with one or more invalid principals.")]
    InvalidPrincipal(String),
    #[error("Vendor {0} is not valid")]
    InvalidVendor(String),
    #[error("Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc.")]
    NoVendor(String),
    #[error("Actions/Condition can contain only one colon.")]
    SeveralColons(String),
    #[error("Resource {0} must be in ARN format or \"*\".")]
    NotAnArn(String),
    #[error("Partition \"{partition}\" is not valid for resource \"{resource}\".")]
    InvalidPartition { partition: String, resource: String },
    #[error("Resource vendor must be fully qualified and cannot contain regexes.")]
    InvalidResourceVendor(String),
    #[error("IAM resource {0} cannot contain region information.")]
    IamRegion(String),
    #[error("Resource {0} can not contain region information.")]
    S3Region(String),
    #[error("This policy contains invalid Json")]
    InvalidJson(String),
    #[error("Has prohibited field {0}")]
    ProhibitedField(&'static str),
    #[error("Missing required field Principal")]
    MissingPrincipal,
    #[error("Missing required field Principal cannot be empty!")]
    EmptyPrincipal,
    #[error("AssumeRole policy must not contain NotPrincipal field.")]
    NotPrincipal,
    #[error("Missing required field Action")]
    MissingAction,
    #[error("AssumeRole policy may only specify STS AssumeRole actions.")]
    NotAssumeRole(String),
    #[error("IAM resource path must either be \"*\" or start with {IAM_PATHS}.")]
    IamPath(String),
}

/// What the last part of an IAM ARN may begin with.
pub(super) const IAM_PATHS: &str = "user/, federated-user/, role/, group/, instance-profile/, mfa/, \
    server-certificate/, policy/, sms-mfa/, saml-provider/, oidc-provider/, report/, access-report/";

impl PolicyErrorKind {
    /// Makes an error about the statement with this index and Sid.
    pub(super) fn in_statement(self, index: usize, sid: Option<&str>) -> PolicyError {
        PolicyError { kind: self, statement: Some((index, sid.map(str::to_owned))) }
    }

    /// What AWS's sentence doesn't say.
    fn detail(&self) -> Option<&str> {
        match self {
            Self::Syntax(detail)
            | Self::Legacy(detail)
            | Self::InvalidPrincipal(detail)
            | Self::NoVendor(detail)
            | Self::SeveralColons(detail)
            | Self::InvalidResourceVendor(detail)
            | Self::InvalidJson(detail)
            | Self::NotAssumeRole(detail)
            | Self::IamPath(detail) => Some(detail),
            _ => None,
        }
    }
}

impl From<PolicyErrorKind> for PolicyError {
    fn from(kind: PolicyErrorKind) -> PolicyError {
        PolicyError { kind, statement: None }
    }
}

impl fmt::Display for PolicyError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.kind.fmt(out)?;
        let place = self.statement.as_ref().map(|(index, sid)| match sid {
            Some(sid) => format!("statement {} {sid:?}", index + 1),
            None => format!("statement {}", index + 1),
        });
        let parts: Vec<&str> = place.as_deref().into_iter().chain(self.kind.detail()).collect();
        if parts.is_empty() { Ok(()) } else { write!(out, " ({})", parts.join(": ")) }
    }
}

impl std::error::Error for PolicyError {}
