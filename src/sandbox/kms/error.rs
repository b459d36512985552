//! KMS's own errors.

use crate::sandbox::error::{Denial, Fault};
use crate::sandbox::store::StoreError;

/// Why a call to KMS failed.
#[derive(Debug, Clone, PartialEq)]
pub enum KmsError {
    /// No policy and no grant allows it, or a policy denies it.
    Denied(Denial),
    /// No such key, alias, grant or policy.
    NotFound(String),
    /// The key with this ARN is disabled.
    Disabled(String),
    /// The key with this ARN is pending deletion.
    PendingDeletion(String),
    /// The key with this ARN is not pending deletion.
    NotPendingDeletion(String),
    /// The blob was not made by this key with this context: KMS says no more than that.
    InvalidCiphertext,
    /// `KeyId` names another key than the blob.
    IncorrectKey,
    /// The code doesn't belong to the message.
    InvalidMac,
    /// The signature doesn't belong to the message.
    InvalidSignature,
    /// A grant for a key that has no encryption context is to demand one.
    GrantContext,
    /// The key is of the wrong kind for the algorithm.
    InvalidKeyUsage(String),
    /// The policy can't be accepted.
    MalformedPolicy(String),
    /// A quota is reached.
    LimitExceeded(String),
    /// The tag can't be accepted.
    Tag(String),
    /// KMS, or this sandbox, doesn't do that.
    Unsupported(String),
    /// The ARN names no principal.
    InvalidArn(String),
    /// The grant token was never issued.
    InvalidGrantToken,
    /// The marker was never issued.
    InvalidMarker,
    /// The request makes no sense: `ValidationException`.
    Invalid(String),
    /// The alias exists.
    AlreadyExists(String),
    /// The alias name has characters that no alias has.
    InvalidAliasName(String),
    /// The alias belongs to AWS.
    ReservedAlias,
    /// `DryRun` was set and all checks passed.
    DryRun,
    /// The sandbox itself failed.
    Internal(String),
}

impl KmsError {
    /// `Key '<arn>' does not exist` (observed on AWS)
    pub fn no_such_key(arn: &str) -> Self {
        Self::NotFound(format!("Key '{arn}' does not exist"))
    }

    /// `Alias <arn> is not found.` (observed on AWS)
    pub fn no_such_alias(arn: &str) -> Self {
        Self::NotFound(format!("Alias {arn} is not found."))
    }

    /// HTTP status, error code and message. The sentences about a key's state were observed on AWS.
    pub fn parts(self) -> (u16, &'static str, Option<String>) {
        let (code, message) = match self {
            Self::Denied(Denial(message)) => ("AccessDeniedException", message),
            Self::NotFound(message) => ("NotFoundException", message),
            Self::Disabled(arn) => ("DisabledException", format!("{arn} is disabled.")),
            Self::PendingDeletion(arn) => ("KMSInvalidStateException", format!("{arn} is pending deletion.")),
            Self::NotPendingDeletion(arn) => ("KMSInvalidStateException", format!("{arn} is not pending deletion.")),
            Self::InvalidCiphertext => return (400, "InvalidCiphertextException", None),
            Self::InvalidMac => return (400, "KMSInvalidMacException", None),
            Self::InvalidSignature => return (400, "KMSInvalidSignatureException", None),
            // Observed on AWS.
            Self::GrantContext => (
                "ValidationException",
                "EncryptionContext is supported only when creating a grant for a symmetric encryption KMS key."
                    .to_owned(),
            ),
            Self::InvalidMarker => return (400, "InvalidMarkerException", None),
            Self::ReservedAlias => return (400, "NotAuthorizedException", None),
            Self::IncorrectKey => (
                "IncorrectKeyException",
                "The key ID in the request does not identify a CMK that can perform this operation.".to_owned(),
            ),
            Self::InvalidKeyUsage(message) => ("InvalidKeyUsageException", message),
            Self::MalformedPolicy(message) => ("MalformedPolicyDocumentException", message),
            Self::LimitExceeded(message) => ("LimitExceededException", message),
            Self::Tag(message) => ("TagException", message),
            Self::Unsupported(message) => ("UnsupportedOperationException", message),
            Self::InvalidArn(message) => ("InvalidArnException", message),
            Self::InvalidGrantToken => ("InvalidGrantTokenException", "The grant token is not valid.".to_owned()),
            Self::Invalid(message) => ("ValidationException", message),
            Self::AlreadyExists(message) => ("AlreadyExistsException", message),
            Self::InvalidAliasName(message) => ("InvalidAliasNameException", message),
            Self::DryRun => {
                let message = "The request would have succeeded, but the DryRun option is set.";
                return (412, "DryRunOperationException", Some(message.to_owned()));
            }
            Self::Internal(message) => return (500, "InternalFailure", Some(message)),
        };
        (400, code, Some(message))
    }
}

impl From<Denial> for KmsError {
    fn from(denial: Denial) -> Self {
        Self::Denied(denial)
    }
}

impl From<StoreError> for KmsError {
    fn from(error: StoreError) -> Self {
        Self::Internal(format!("The sandbox could not use its database: {error}"))
    }
}

impl From<KmsError> for Fault {
    /// KMS's own response.
    fn from(error: KmsError) -> Self {
        match error {
            KmsError::Denied(denial) => Self::Denied(denial),
            KmsError::Internal(message) => Self::Internal(message),
            other => {
                let (status, code, message) = other.parts();
                Self::Service { status, code, message, extra: None }
            }
        }
    }
}
