//! `SSESpecification`: which key a table is to be encrypted under.

use serde_json::Value;

use super::request::{choice, flag, member, structure, text};
use crate::sandbox::error::Fault;

/// The key that a request asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Wanted {
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

impl Wanted {
    /// Reads `SSESpecification`; `None` when the request has none.
    pub fn of(input: &Value) -> Result<Option<Self>, Fault> {
        let Some(specification) = structure(input, "SSESpecification")? else { return Ok(None) };
        let enabled = flag(specification, "Enabled")?;
        let kind = match member(specification, "SSEType") {
            Some(_) => Some(choice(specification, "SSEType", &["AES256", "KMS"], "KMS")?),
            None => None,
        };
        let key = text(specification, "KMSMasterKeyId")?;
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
    use serde_json::json;

    use super::*;

    #[rstest]
    #[case(json!({}), None)]
    #[case(json!({"SSESpecification": {}}), Some(Wanted::AwsOwned))]
    #[case(json!({"SSESpecification": {"Enabled": false}}), Some(Wanted::AwsOwned))]
    #[case(json!({"SSESpecification": {"Enabled": true}}), Some(Wanted::AwsManaged))]
    #[case(json!({"SSESpecification": {"Enabled": true, "SSEType": "KMS"}}), Some(Wanted::AwsManaged))]
    #[case(json!({"SSESpecification": {"SSEType": "KMS"}}), Some(Wanted::AwsManaged))]
    #[case(json!({"SSESpecification": {"SSEType": "KMS", "KMSMasterKeyId": "k"}}), Some(Wanted::Customer("k".into())))]
    #[case(json!({"SSESpecification": {"Enabled": true, "SSEType": "KMS", "KMSMasterKeyId": "alias/aws/dynamodb"}}), Some(Wanted::AwsManaged))]
    #[case(json!({"SSESpecification": {"Enabled": true, "SSEType": "KMS", "KMSMasterKeyId": "alias/mine"}}), Some(Wanted::Customer("alias/mine".into())))]
    fn reads(#[case] input: Value, #[case] want: Option<Wanted>) {
        assert_eq!(Wanted::of(&input), Ok(want));
    }

    #[rstest]
    #[case(json!({"Enabled": true, "KMSMasterKeyId": "k"}), "One or more parameter values were invalid: SSEType KMS is required if KMSMasterKeyId is specified")]
    #[case(json!({"Enabled": true, "SSEType": "AES256"}), "One or more parameter values were invalid: SSEType AES256 is not supported")]
    #[case(json!({"KMSMasterKeyId": "k"}), "One or more parameter values were invalid: SSEType KMS is required if KMSMasterKeyId is specified")]
    #[case(json!({"Enabled": false, "SSEType": "KMS"}), "One or more parameter values were invalid: SSEType can not be specified if Enabled is false")]
    #[case(json!({"Enabled": false, "KMSMasterKeyId": "k"}), "One or more parameter values were invalid: KMSMasterKeyId can not be specified if Enabled is false")]
    fn refuses(#[case] specification: Value, #[case] want: &str) {
        let error = Wanted::of(&json!({ "SSESpecification": specification })).unwrap_err();
        assert_eq!(error.message(crate::sandbox::service::Service::DynamoDb).as_deref(), Some(want));
    }
}
