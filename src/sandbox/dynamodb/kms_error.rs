//! KMS's errors as DynamoDB passes them on: AWS's sentences.

use crate::sandbox::error::Fault;
use crate::sandbox::kms::error::KmsError;
use crate::sandbox::kms::forwarded::KmsCallFailed;

impl From<KmsCallFailed> for Fault {
    /// Wraps an error of KMS in DynamoDB's words (observed on AWS, issue threads). They quote the request id of the call to
    /// KMS, by which you find the call in the trail. Failures of the sandbox itself pass through as they are.
    fn from(KmsCallFailed { error, request_id }: KmsCallFailed) -> Self {
        let (status, code, opening, class) = match &error {
            KmsError::Internal(message) => return Self::Internal(message.clone()),
            KmsError::Denied(_) => {
                (400, "AccessDeniedException", "KMS key access denied error", Some("AWSKMSException"))
            }
            KmsError::Disabled(_) => (400, "ValidationException", "KMS key disabled error", None),
            // A key that is not for symmetric encryption.
            KmsError::GrantContext => (500, "InternalServerError", "KMS internal error", Some("AWSKMSException")),
            _ => (400, "ValidationException", "KMS validation error", None),
        };
        let (kms_status, kms_code, message) = error.parts();
        let class = class.unwrap_or(kms_code);
        let message = message.unwrap_or("null".to_owned());
        Self::service(
            status,
            code,
            format!(
                "{opening}: com.amazonaws.services.kms.model.{class}: {message} (Service: AWSKMS; Status Code: {kms_status}; \
                 Error Code: {kms_code}; Request ID: {request_id}; Proxy: null)"
            ),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sandbox::error::Denial;
    use crate::sandbox::service::Service;
    use rstest::rstest;

    const ARN: &str = "arn:aws:kms:us-east-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab";

    #[rstest]
    #[case(KmsError::Denied(Denial(format!("User: u is not authorized to perform: kms:Decrypt on resource: {ARN} because no identity-based policy allows the kms:Decrypt action"))), "AccessDeniedException", "KMS key access denied error: com.amazonaws.services.kms.model.AWSKMSException: ")]
    #[case(KmsError::Disabled(ARN.to_owned()), "ValidationException", "KMS key disabled error: com.amazonaws.services.kms.model.DisabledException: ")]
    #[case(KmsError::PendingDeletion(ARN.to_owned()), "ValidationException", "KMS validation error: com.amazonaws.services.kms.model.KMSInvalidStateException: ")]
    #[case(
        KmsError::no_such_key(ARN),
        "ValidationException",
        "KMS validation error: com.amazonaws.services.kms.model.NotFoundException: "
    )]
    fn wraps_as_observed(#[case] error: KmsError, #[case] outer: &str, #[case] opening: &str) {
        let (_, code, inner) = error.clone().parts();
        let request_id = "11111111-2222-4333-8444-555555555555".to_owned();
        let wrapped = Fault::from(KmsCallFailed { error, request_id });
        assert_eq!((wrapped.status(Service::DynamoDb), wrapped.code(Service::DynamoDb)), (400, outer));
        let want = format!(
            "{opening}{} (Service: AWSKMS; Status Code: 400; Error Code: {code}; Request ID: \
             11111111-2222-4333-8444-555555555555; Proxy: null)",
            inner.unwrap()
        );
        assert_eq!(wrapped.message(Service::DynamoDb), Some(want.into()));
    }

    #[test]
    fn passes_on_the_sandboxs_own_failures() {
        let error = KmsError::Internal("disk full".to_owned());
        let failed = KmsCallFailed { error, request_id: "11111111".to_owned() };
        assert_eq!(Fault::from(failed), Fault::Internal("disk full".to_owned()), "and no request id of KMS beside it");
    }
}
