//! What IAM refuses in a new identity policy although it could be evaluated.
//!
//! The sentences are AWS's own, as moto's tests of policy documents know them from AWS. A document that is stored
//! already is only parsed: it counts as it is.

use super::document::{PolicyDocument, PolicyError, PolicyKind, Statement};
use super::pattern::Pattern;
use super::principal::PARTITIONS;

/// What the last part of an IAM ARN may begin with.
const IAM_PATHS: [&str; 13] = [
    "user/",
    "federated-user/",
    "role/",
    "group/",
    "instance-profile/",
    "mfa/",
    "server-certificate/",
    "policy/",
    "sms-mfa/",
    "saml-provider/",
    "oidc-provider/",
    "report/",
    "access-report/",
];
const LEGACY: &str = "The policy failed legacy parsing";

impl PolicyDocument {
    /// Reads an identity policy that is about to be stored.
    ///
    /// # Errors
    /// [`PolicyError`] for all that AWS answers with `MalformedPolicyDocument`, also where [`PolicyDocument::parse`] is
    /// content.
    pub fn parse_new_identity(text: &str) -> Result<Self, PolicyError> {
        let document = Self::parse(PolicyKind::Identity, text)?;
        // AWS finds what is wrong with a resource first, wherever it stands.
        for check in [check_resources, check_actions] {
            for (index, statement) in document.statements.iter().enumerate() {
                check(statement).map_err(|error| error.in_statement(index, statement.sid.as_deref()))?;
            }
        }
        Ok(document)
    }
}

fn check_resources(statement: &Statement) -> Result<(), PolicyError> {
    statement.resources.entries().iter().map(Pattern::text).filter(|text| *text != "*").try_for_each(check_resource)
}

fn check_resource(text: &str) -> Result<(), PolicyError> {
    let fields: Vec<&str> = text.splitn(6, ':').collect();
    let field = |n: usize| fields.get(n).copied().unwrap_or_default();
    let (partition, service, region, path) = (field(1), field(2), field(3), field(5));
    if partition != "*" && !PARTITIONS.contains(&partition) {
        return Err(PolicyError::new(format!(
            "Partition \"{partition}\" is not valid for resource \"{}\".",
            completed(&fields)
        )));
    }
    if fields.len() < 3 || service.contains(['*', '?']) {
        let sentence = "Resource vendor must be fully qualified and cannot contain regexes.";
        return Err(PolicyError::new(sentence).with_detail(text));
    }
    if service.is_empty() || (fields.len() < 6 && text.contains("::")) {
        return Err(PolicyError::new(LEGACY).with_detail(text));
    }
    if service == "iam" && !region.is_empty() {
        return Err(PolicyError::new(format!("IAM resource {text} cannot contain region information.")));
    }
    if service == "s3" && !region.is_empty() && !path.starts_with("accesspoint/") {
        return Err(PolicyError::new(format!("Resource {text} can not contain region information.")));
    }
    let is_iam_path = || path.starts_with('*') || IAM_PATHS.iter().any(|start| path.starts_with(start));
    if service == "iam" && fields.len() == 6 && !is_iam_path() {
        return Err(PolicyError::new(format!(
            "IAM resource path must either be \"*\" or start with {}.",
            IAM_PATHS.join(", ")
        ))
        .with_detail(text));
    }
    Ok(())
}

/// `arn:moon` as AWS quotes it: `arn:moon:*:*:*:*`.
fn completed(fields: &[&str]) -> String {
    let mut fields = fields.to_vec();
    if fields.get(2).is_some_and(|service| service.is_empty()) && fields.len() == 3 {
        fields.truncate(2);
    }
    fields.resize(6.max(fields.len()), "*");
    fields.join(":")
}

fn check_actions(statement: &Statement) -> Result<(), PolicyError> {
    match statement.actions.entries().iter().map(Pattern::text).find(|text| text.matches(':').count() > 1) {
        None => Ok(()),
        Some(text) => {
            Err(PolicyError::new("Actions/Condition can contain only one colon.").with_detail(format!("{text:?}")))
        }
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;
    use serde_json::json;

    use super::*;

    fn parse(action: &str, resource: &str) -> Result<PolicyDocument, PolicyError> {
        let statement = json!({ "Effect": "Allow", "Action": action, "Resource": resource });
        let text = json!({ "Version": "2012-10-17", "Statement": [statement] }).to_string();
        PolicyDocument::parse_new_identity(&text)
    }

    #[rstest]
    #[case("kms:Decrypt:x", "*", "Actions/Condition can contain only one colon.")]
    #[case("k_s:Decrypt", "*", "Vendor k_s is not valid")]
    #[case("k*:Decrypt", "*", "Vendor k* is not valid")]
    #[case("Decrypt", "*", "Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc.")]
    #[case(
        "kms:*",
        "arn:moon:kms:us-east-1:111122223333:key/a",
        "Partition \"moon\" is not valid for resource \"arn:moon:kms:us-east-1:111122223333:key/a\"."
    )]
    #[case("kms:*", "arn:AWS:kms", "Partition \"AWS\" is not valid for resource \"arn:AWS:kms:*:*:*\".")]
    #[case("kms:*", "arn:moon:", "Partition \"moon\" is not valid for resource \"arn:moon:*:*:*:*\".")]
    #[case("kms:*", "arn:aws", "Resource vendor must be fully qualified and cannot contain regexes.")]
    #[case("kms:*", "arn:aws:*", "Resource vendor must be fully qualified and cannot contain regexes.")]
    #[case("kms:*", "arn:aws:k?s:*:*:*", "Resource vendor must be fully qualified and cannot contain regexes.")]
    #[case("kms:*", "arn:aws::us-east-1:111122223333:key/a", LEGACY)]
    #[case("s3:*", "arn:aws:s3::bucket", LEGACY)]
    #[case(
        "iam:*",
        "arn:aws:iam:us-east-1:111122223333:user/a",
        "IAM resource arn:aws:iam:us-east-1:111122223333:user/a cannot contain region information."
    )]
    #[case(
        "s3:*",
        "arn:aws:s3:us-east-1::bucket",
        "Resource arn:aws:s3:us-east-1::bucket can not contain region information."
    )]
    #[case("kms:*", "key/a", "Resource key/a must be in ARN format or \"*\".")]
    fn refused(#[case] action: &str, #[case] resource: &str, #[case] sentence: &str) {
        let error = parse(action, resource).unwrap_err();
        assert_eq!((error.sentence(), error.statement()), (sentence, Some(0)));
    }

    #[test]
    fn iam_paths_are_known() {
        let error = parse("iam:*", "arn:aws:iam::111122223333:root").unwrap_err();
        assert!(
            error.sentence().starts_with("IAM resource path must either be \"*\" or start with user/, federated-user/")
        );
    }

    #[rstest]
    #[case("KMS:decrypt", "*")] // names of actions and their vendors ignore case (IAM guide)
    #[case("*:*", "*")]
    #[case("*", "arn:aws:kms:*:111122223333")]
    #[case("kms:*", "arn:*:kms:*:*:key/*")]
    #[case("kms:*", "arn:aws-us-gov:kms:*:*:key/*")]
    #[case("iam:*", "arn:aws:iam::*:user/${aws:username}")]
    #[case("iam:*", "arn:aws:iam::*:*")]
    #[case("s3:*", "arn:aws:s3:::bucket/a:b")]
    #[case("s3:*", "arn:aws:s3:us-east-1:111122223333:accesspoint/a")]
    fn accepted(#[case] action: &str, #[case] resource: &str) {
        parse(action, resource).unwrap();
    }

    #[test]
    fn what_is_stored_is_only_parsed() {
        let text = r#"{"Version":"2012-10-17","Statement":{"Effect":"Deny","Action":"kms:Decrypt:x","Resource":"*"}}"#;
        assert!(PolicyDocument::parse(PolicyKind::Identity, text).is_ok());
        assert!(PolicyDocument::parse_new_identity(text).is_err());
    }
}
