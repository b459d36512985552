//! `SSESpecification`: which key a table is to be encrypted under.

use crate::sandbox::error::Fault;
use crate::sandbox::validate::Members;

/// The key that a request asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SseRequest {
    /// The AWS owned key.
    AwsOwned,
    /// The AWS managed key, `alias/aws/dynamodb`.
    AwsManaged,
    /// A customer managed key, by id, ARN, alias name or alias ARN.
    Customer(String),
}

/// The alias of the AWS managed key.
const AWS_MANAGED_ALIAS: &str = "alias/aws/dynamodb";

fn invalid(message: &str) -> Fault {
    Fault::invalid(format!("One or more parameter values were invalid: {message}"))
}

impl SseRequest {
    /// Reads `SSESpecification`; `None` when the request has none.
    ///
    /// # Errors
    /// `ValidationException`, `SerializationException`.
    pub fn parse(members: &Members<'_>) -> Result<Option<Self>, Fault> {
        let Some(specification) = members.structure("SSESpecification")? else { return Ok(None) };
        let enabled = specification.flag("Enabled");
        let kind = specification.choice("SSEType", &["AES256", "KMS"]);
        let key = specification.optional_str("KMSMasterKeyId", 1..=2048);
        let (enabled, kind, key) = (enabled?, kind?, key?);
        if enabled == Some(false) {
            return match (kind, key) {
                (Some(_), _) => Err(invalid("SSEType can not be specified if Enabled is false")),
                (None, Some(_)) => Err(invalid("KMSMasterKeyId can not be specified if Enabled is false")),
                (None, None) => Ok(Some(Self::AwsOwned)),
            };
        }
        match (kind, key) {
            (Some("AES256"), _) => Err(invalid("SSEType AES256 is not supported")),
            (None, Some(_)) => Err(invalid("SSEType KMS is required if KMSMasterKeyId is specified")),
            // SSEType KMS turns KMS on by itself (observed on AWS).
            (None, None) if enabled.is_none() => Ok(Some(Self::AwsOwned)),
            (_, None) => Ok(Some(Self::AwsManaged)),
            (_, Some(key)) if key == AWS_MANAGED_ALIAS || key.ends_with(&format!(":{AWS_MANAGED_ALIAS}")) => {
                Ok(Some(Self::AwsManaged))
            }
            (_, Some(key)) => Ok(Some(Self::Customer(key.to_owned()))),
        }
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;
    use serde_json::{Value, json};

    use super::*;
    use crate::sandbox::service::Service;
    use crate::sandbox::validate::{Params, read};

    fn parse(input: Value) -> Result<Option<SseRequest>, Fault> {
        let Value::Object(members) = input else { unreachable!() };
        read(Service::DynamoDb, &Params::Json(members), SseRequest::parse)
    }

    #[rstest]
    #[case(json!({}), None)]
    #[case(json!({"SSESpecification": {}}), Some(SseRequest::AwsOwned))]
    #[case(json!({"SSESpecification": {"Enabled": false}}), Some(SseRequest::AwsOwned))]
    #[case(json!({"SSESpecification": {"Enabled": true}}), Some(SseRequest::AwsManaged))]
    #[case(json!({"SSESpecification": {"Enabled": true, "SSEType": "KMS"}}), Some(SseRequest::AwsManaged))]
    #[case(json!({"SSESpecification": {"SSEType": "KMS"}}), Some(SseRequest::AwsManaged))]
    #[case(json!({"SSESpecification": {"SSEType": "KMS", "KMSMasterKeyId": "k"}}), Some(SseRequest::Customer("k".into())))]
    #[case(json!({"SSESpecification": {"Enabled": true, "SSEType": "KMS", "KMSMasterKeyId": "alias/aws/dynamodb"}}), Some(SseRequest::AwsManaged))]
    #[case(json!({"SSESpecification": {"Enabled": true, "SSEType": "KMS", "KMSMasterKeyId": "alias/mine"}}), Some(SseRequest::Customer("alias/mine".into())))]
    fn reads(#[case] input: Value, #[case] want: Option<SseRequest>) {
        assert_eq!(parse(input), Ok(want));
    }

    #[rstest]
    #[case(json!({"Enabled": true, "KMSMasterKeyId": "k"}), "One or more parameter values were invalid: SSEType KMS is required if KMSMasterKeyId is specified")]
    #[case(json!({"Enabled": true, "SSEType": "AES256"}), "One or more parameter values were invalid: SSEType AES256 is not supported")]
    #[case(json!({"KMSMasterKeyId": "k"}), "One or more parameter values were invalid: SSEType KMS is required if KMSMasterKeyId is specified")]
    #[case(json!({"Enabled": false, "SSEType": "KMS"}), "One or more parameter values were invalid: SSEType can not be specified if Enabled is false")]
    #[case(json!({"Enabled": false, "KMSMasterKeyId": "k"}), "One or more parameter values were invalid: KMSMasterKeyId can not be specified if Enabled is false")]
    fn refuses(#[case] specification: Value, #[case] want: &str) {
        let error = parse(json!({ "SSESpecification": specification })).unwrap_err();
        assert_eq!(error.message(Service::DynamoDb).as_deref(), Some(want));
    }
}
