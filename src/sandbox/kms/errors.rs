//! KMS's own errors, all HTTP 400 but where noted.

use crate::sandbox::error::{Denial, Fault};

/// No such key or alias.
pub fn not_found(message: impl Into<String>) -> Fault {
    Fault::service(400, "NotFoundException", message)
}

/// `Key '<arn>' does not exist` (observed on AWS)
pub fn no_such_key(arn: &str) -> Fault {
    not_found(format!("Key '{arn}' does not exist"))
}

/// `Alias <arn> is not found.` (observed on AWS)
pub fn no_such_alias(arn: &str) -> Fault {
    not_found(format!("Alias {arn} is not found."))
}

/// The caller may not do this.
pub fn access_denied(message: impl Into<String>) -> Fault {
    Fault::Denied(Denial(message.into()))
}

/// `<arn> is disabled.` (observed on AWS)
pub fn disabled(arn: &str) -> Fault {
    Fault::service(400, "DisabledException", format!("{arn} is disabled."))
}

/// `<arn> is pending deletion.` (observed on AWS)
pub fn pending_deletion(arn: &str) -> Fault {
    Fault::service(400, "KMSInvalidStateException", format!("{arn} is pending deletion."))
}

/// `<arn> is not pending deletion.`
pub fn not_pending_deletion(arn: &str) -> Fault {
    Fault::service(400, "KMSInvalidStateException", format!("{arn} is not pending deletion."))
}

/// A blob that was not made by this key with this context: KMS says no more than that, and so do we.
pub fn invalid_ciphertext() -> Fault {
    Fault::bare(400, "InvalidCiphertextException")
}

/// `KeyId` names another key than the blob.
pub fn incorrect_key() -> Fault {
    Fault::service(
        400,
        "IncorrectKeyException",
        "The key ID in the request does not identify a CMK that can perform this operation.",
    )
}

/// The key is of the wrong kind for the algorithm asked for.
pub fn invalid_key_usage(message: impl Into<String>) -> Fault {
    Fault::service(400, "InvalidKeyUsageException", message)
}

/// A policy that can't be accepted.
pub fn malformed_policy(message: impl Into<String>) -> Fault {
    Fault::service(400, "MalformedPolicyDocumentException", message)
}

/// A quota.
pub fn limit_exceeded(message: impl Into<String>) -> Fault {
    Fault::service(400, "LimitExceededException", message)
}

/// A tag that can't be accepted.
pub fn tag(message: impl Into<String>) -> Fault {
    Fault::service(400, "TagException", message)
}

/// Something that KMS, or this sandbox, does not do.
pub fn unsupported(message: impl Into<String>) -> Fault {
    Fault::service(400, "UnsupportedOperationException", message)
}

/// An ARN that names nobody.
pub fn invalid_arn(message: impl Into<String>) -> Fault {
    Fault::service(400, "InvalidArnException", message)
}

/// `DryRun` was set and all checks passed; HTTP 412.
pub fn dry_run() -> Fault {
    Fault::service(412, "DryRunOperationException", "The request would have succeeded, but the DryRun option is set.")
}
