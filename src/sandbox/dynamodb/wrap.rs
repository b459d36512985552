//! How DynamoDB passes on what KMS answered: AWS's sentences.

use crate::sandbox::entropy::Entropy;
use crate::sandbox::error::Fault;
use crate::sandbox::kms::FailedCall;
use crate::sandbox::service::Service;

/// Wraps an error of KMS in DynamoDB's words (observed on AWS, issue threads). It quotes the request id of the call to
/// KMS, by which you find the call in the trail. Errors of the sandbox itself (5xx) pass through as they are.
pub fn kms_error(FailedCall { error, request_id }: FailedCall) -> Fault {
    if let Fault::Internal(_) = error {
        return error;
    }
    let kms_code = error.code(Service::Kms);
    let (code, kind, class) = match kms_code {
        "AccessDeniedException" => ("AccessDeniedException", "access denied", "AWSKMSException"),
        "DisabledException" => ("ValidationException", "disabled", "DisabledException"),
        other => ("ValidationException", "", other),
    };
    let opening = if kind.is_empty() { "KMS validation error".to_owned() } else { format!("KMS key {kind} error") };
    let message = error.message(Service::Kms).unwrap_or("null".into());
    Fault::service(
        400,
        code,
        format!(
            "{opening}: com.amazonaws.services.kms.model.{class}: {message} (Service: AWSKMS; Status Code: {}; Error \
             Code: {kms_code}; Request ID: {request_id}; Proxy: null)",
            error.status(Service::Kms)
        ),
    )
}

/// What DynamoDB answers for an HMAC or an asymmetric key (observed on AWS): CreateGrant refuses the encryption context.
pub fn not_symmetric(entropy: &mut Entropy) -> Fault {
    Fault::service(
        500,
        "InternalServerError",
        format!(
            "KMS internal error: com.amazonaws.services.kms.model.AWSKMSException: EncryptionContext is supported only \
             when creating a grant for a symmetric encryption KMS key. (Service: AWSKMS; Status Code: 400; Error Code: \
             ValidationException; Request ID: {}; Proxy: null)",
            entropy.uuid()
        ),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    const ARN: &str = "arn:aws:kms:us-east-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab";

    #[rstest]
    #[case("AccessDeniedException", format!("User: u is not authorized to perform: kms:Decrypt on resource: {ARN} because no identity-based policy allows the kms:Decrypt action"), "AccessDeniedException", "KMS key access denied error: com.amazonaws.services.kms.model.AWSKMSException: ")]
    #[case("DisabledException", format!("{ARN} is disabled."), "ValidationException", "KMS key disabled error: com.amazonaws.services.kms.model.DisabledException: ")]
    #[case("KMSInvalidStateException", format!("{ARN} is pending deletion."), "ValidationException", "KMS validation error: com.amazonaws.services.kms.model.KMSInvalidStateException: ")]
    #[case("NotFoundException", format!("Key '{ARN}' does not exist"), "ValidationException", "KMS validation error: com.amazonaws.services.kms.model.NotFoundException: ")]
    fn wraps_as_observed(
        #[case] code: &'static str,
        #[case] inner: String,
        #[case] outer: &str,
        #[case] opening: &str,
    ) {
        let error = Fault::service(400, code, inner.clone());
        let wrapped = kms_error(FailedCall { error, request_id: "11111111-2222-4333-8444-555555555555".to_owned() });
        assert_eq!((wrapped.status(Service::DynamoDb), wrapped.code(Service::DynamoDb)), (400, outer));
        let want = format!(
            "{opening}{inner} (Service: AWSKMS; Status Code: 400; Error Code: {code}; Request ID: \
             11111111-2222-4333-8444-555555555555; Proxy: null)"
        );
        assert_eq!(wrapped.message(Service::DynamoDb), Some(want.into()));
    }

    #[test]
    fn an_hmac_or_rsa_key_is_an_internal_error() {
        let error = not_symmetric(&mut Entropy::from_seed([1; 32]));
        assert_eq!((error.status(Service::DynamoDb), error.code(Service::DynamoDb)), (500, "InternalServerError"));
        let message = error.message(Service::DynamoDb).unwrap();
        let opening = "KMS internal error: com.amazonaws.services.kms.model.AWSKMSException: EncryptionContext is \
                       supported only when creating a grant for a symmetric encryption KMS key. (Service: AWSKMS; Status \
                       Code: 400; Error Code: ValidationException; Request ID: ";
        assert!(message.starts_with(opening) && message.ends_with("; Proxy: null)"), "{message}");
    }

    #[test]
    fn passes_on_the_sandboxs_own_failures() {
        let fault = Fault::Internal("disk full".to_owned());
        let failed = FailedCall { error: fault.clone(), request_id: "11111111".to_owned() };
        assert_eq!(kms_error(failed), fault, "and no request id of KMS beside it");
    }
}
