//! What IAM refuses in a new identity policy although it could be evaluated.
//!
//! The sentences are AWS's own, as moto's tests of policy documents know them from AWS. A document that is stored
//! already is only parsed: it counts as it is.

use super::document::{PolicyDocument, PolicyKind, Statement};
use super::error::{IAM_PATHS, PolicyError, PolicyErrorKind as Kind};
use super::pattern::Pattern;
use super::principal::PARTITIONS;

impl PolicyDocument {
    /// Reads an identity policy that is about to be stored.
    ///
    /// # Errors
    /// [`PolicyError`] for everything that AWS rejects as `MalformedPolicyDocument`, even if [`PolicyDocument::parse`]
    /// accepts it.
    pub fn parse_new_identity(text: &str) -> Result<Self, PolicyError> {
        let document = Self::parse(PolicyKind::Identity, text)?;
        // AWS reports a wrong resource first, whatever its place.
        for check in [check_resources, check_actions] {
            for (index, statement) in document.statements.iter().enumerate() {
                check(statement).map_err(|kind| kind.in_statement(index, statement.sid.as_deref()))?;
            }
        }
        Ok(document)
    }
}

/// The actions that a trust policy can be about (IAM guide).
const TRUST_ACTIONS: [&str; 6] = [
    "sts:AssumeRole",
    "sts:AssumeRoleWithSAML",
    "sts:AssumeRoleWithWebIdentity",
    "sts:SetContext",
    "sts:SetSourceIdentity",
    "sts:TagSession",
];

impl PolicyDocument {
    /// Reads a trust policy that is about to be stored. Whether its principals exist is the caller's to check.
    ///
    /// # Errors
    /// [`PolicyError`] in the words that AWS has for trust policies alone, else those of [`PolicyDocument::parse`].
    pub fn parse_new_trust(text: &str) -> Result<Self, PolicyError> {
        let value: serde_json::Value =
            serde_json::from_str(text).map_err(|error| PolicyError::from(Kind::InvalidJson(error.to_string())))?;
        let statements = match value.get("Statement") {
            Some(serde_json::Value::Array(all)) => all.as_slice(),
            Some(one) => std::slice::from_ref(one),
            None => &[],
        };
        for (index, statement) in statements.iter().enumerate() {
            let sid = statement.get("Sid").and_then(serde_json::Value::as_str);
            check_trust(statement).map_err(|kind| kind.in_statement(index, sid))?;
        }
        let document = Self::parse(PolicyKind::Trust, text)?;
        for (index, statement) in document.statements.iter().enumerate() {
            let mut actions = statement.actions.entries().iter().map(Pattern::text);
            let is_known = |text: &str| TRUST_ACTIONS.iter().any(|known| known.eq_ignore_ascii_case(text));
            let is_wild = |text: &str| text.contains(['*', '?']) && text.to_ascii_lowercase().starts_with("sts:");
            if let Some(wrong) = actions.find(|text| !is_known(text) && !is_wild(text)) {
                let kind = Kind::NotAssumeRole(format!("{wrong:?}"));
                return Err(kind.in_statement(index, statement.sid.as_deref()));
            }
        }
        Ok(document)
    }
}

fn check_trust(statement: &serde_json::Value) -> Result<(), Kind> {
    if statement.get("NotPrincipal").is_some() {
        return Err(Kind::NotPrincipal);
    }
    match statement.get("Principal") {
        None => return Err(Kind::MissingPrincipal),
        Some(serde_json::Value::Object(types)) if types.is_empty() => return Err(Kind::EmptyPrincipal),
        Some(_) => {}
    }
    if statement.get("Action").or_else(|| statement.get("NotAction")).is_none() {
        return Err(Kind::MissingAction);
    }
    Ok(())
}

fn check_resources(statement: &Statement) -> Result<(), Kind> {
    statement.resources.entries().iter().map(Pattern::text).filter(|text| *text != "*").try_for_each(check_resource)
}

fn check_resource(text: &str) -> Result<(), Kind> {
    let fields: Vec<&str> = text.splitn(6, ':').collect();
    let field = |n: usize| fields.get(n).copied().unwrap_or_default();
    let (partition, service, region, path) = (field(1), field(2), field(3), field(5));
    if partition != "*" && !PARTITIONS.contains(&partition) {
        return Err(Kind::InvalidPartition { partition: partition.to_owned(), resource: completed(&fields) });
    }
    let is_iam_path = || path.starts_with('*') || IAM_PATHS.split(", ").any(|start| path.starts_with(start));
    let wrong = if fields.len() < 3 || service.contains(['*', '?']) {
        Kind::InvalidResourceVendor
    } else if service.is_empty() || (fields.len() < 6 && text.contains("::")) {
        Kind::Legacy
    } else if service == "iam" && !region.is_empty() {
        Kind::IamRegion
    } else if service == "s3" && !region.is_empty() && !path.starts_with("accesspoint/") {
        Kind::S3Region
    } else if service == "iam" && fields.len() == 6 && !is_iam_path() {
        Kind::IamPath
    } else {
        return Ok(());
    };
    Err(wrong(text.to_owned()))
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

fn check_actions(statement: &Statement) -> Result<(), Kind> {
    match statement.actions.entries().iter().map(Pattern::text).find(|text| text.matches(':').count() > 1) {
        None => Ok(()),
        Some(text) => Err(Kind::SeveralColons(format!("{text:?}"))),
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
    #[case("kms:*", "arn:aws::us-east-1:111122223333:key/a", "The policy failed legacy parsing")]
    #[case("s3:*", "arn:aws:s3::bucket", "The policy failed legacy parsing")]
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
        assert_eq!((error.kind.to_string(), error.statement), (sentence.to_owned(), Some((0, None))));
    }

    #[test]
    fn iam_paths_are_known() {
        let error = parse("iam:*", "arn:aws:iam::111122223333:root").unwrap_err();
        assert!(
            error
                .to_string()
                .starts_with("IAM resource path must either be \"*\" or start with user/, federated-user/")
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
