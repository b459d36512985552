//! `SSESpecification`: which key a table is to be encrypted under.

use serde_json::Value;

use super::request::{choice, flag, member, structure, text};
use crate::sandbox::error::ApiError;

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

fn invalid(message: &str) -> ApiError {
    ApiError::validation(format!("One or more parameter values were invalid: {message}"))
}

impl Wanted {
    /// Reads `SSESpecification`; `None` when the request has none.
    pub fn of(input: &Value) -> Result<Option<Self>, ApiError> {
        let Some(specification) = structure(input, "SSESpecification")? else { return Ok(None) };
        let enabled = flag(specification, "Enabled")?;
        let kind = match member(specification, "SSEType") {
            Some(_) => Some(choice(specification, "SSEType", &["AES256", "KMS"], "KMS")?),
            None => None,
        };
        let key = text(specification, "KMSMasterKeyId")?;
        if key.is_some() && kind.is_none() {
            return Err(invalid("SSEType KMS is required if KMSMasterKeyId is specified"));
        }
        if kind == Some("AES256") {
            return Err(invalid("SSEType AES256 is not supported"));
        }
        if enabled != Some(true) {
            // Asking for a key and for no encryption under it can't be meant.
            return if key.is_some() || kind.is_some() {
                Err(invalid("SSEType and KMSMasterKeyId can only be specified if Enabled is true"))
            } else {
                Ok(Some(Self::AwsOwned))
            };
        }
        Ok(Some(match key {
            Some("") => return Err(invalid("KMSMasterKeyId must not be empty")),
            None => Self::AwsManaged,
            Some(key) if key == AWS_MANAGED_ALIAS || key.ends_with(&format!(":{AWS_MANAGED_ALIAS}")) => {
                Self::AwsManaged
            }
            Some(key) => Self::Customer(key.to_owned()),
        }))
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
    #[case(json!({"SSESpecification": {"Enabled": true, "SSEType": "KMS", "KMSMasterKeyId": "alias/aws/dynamodb"}}), Some(Wanted::AwsManaged))]
    #[case(json!({"SSESpecification": {"Enabled": true, "SSEType": "KMS", "KMSMasterKeyId": "alias/mine"}}), Some(Wanted::Customer("alias/mine".into())))]
    fn reads(#[case] input: Value, #[case] want: Option<Wanted>) {
        assert_eq!(Wanted::of(&input), Ok(want));
    }

    #[rstest]
    #[case(json!({"Enabled": true, "KMSMasterKeyId": "k"}), "One or more parameter values were invalid: SSEType KMS is required if KMSMasterKeyId is specified")]
    #[case(json!({"Enabled": true, "SSEType": "AES256"}), "One or more parameter values were invalid: SSEType AES256 is not supported")]
    #[case(json!({"Enabled": true, "SSEType": "X"}), "1 validation error detected: Value 'X' at 'sSEType' failed to satisfy constraint: Member must satisfy enum value set: [AES256, KMS]")]
    #[case(json!({"Enabled": false, "SSEType": "KMS"}), "One or more parameter values were invalid: SSEType and KMSMasterKeyId can only be specified if Enabled is true")]
    fn refuses(#[case] specification: Value, #[case] want: &str) {
        let error = Wanted::of(&json!({ "SSESpecification": specification })).unwrap_err();
        assert_eq!(error.message.as_deref(), Some(want));
    }
}
