//! The AWS managed policies the sandbox knows (managed policy reference).

use std::sync::{Arc, LazyLock};

use crate::policy::{NamedPolicy, PolicyDocument, PolicyKind, PolicySource};

/// One AWS managed policy in its default version.
pub struct Managed {
    pub name: &'static str,
    pub arn: &'static str,
    /// `ANPA…`, where it is publicly known.
    pub id: Option<&'static str>,
    pub version: &'static str,
    pub description: &'static str,
    pub created: &'static str,
    pub updated: &'static str,
    pub text: &'static str,
    document: LazyLock<Arc<PolicyDocument>>,
}

macro_rules! document {
    ($name:literal) => {
        include_str!(concat!("../../../assets/policies/", $name, ".json"))
    };
}

static MANAGED: [Managed; 4] = [
    Managed {
        name: "AWSKeyManagementServicePowerUser",
        arn: "arn:aws:iam::aws:policy/AWSKeyManagementServicePowerUser",
        id: Some("ANPAJNPP7PPPPMJRV2SA4"),
        version: "v2",
        description: "Provides access to AWS Key Management Service (KMS).",
        created: "2015-02-06T18:40:40Z",
        updated: "2017-03-07T00:55:11Z",
        text: document!("AWSKeyManagementServicePowerUser"),
        document: LazyLock::new(|| parse(document!("AWSKeyManagementServicePowerUser"))),
    },
    Managed {
        name: "AdministratorAccess",
        arn: "arn:aws:iam::aws:policy/AdministratorAccess",
        id: Some("ANPAIWMBCKSKIEE64ZLYK"),
        version: "v1",
        description: "Provides full access to AWS services and resources.",
        created: "2015-02-06T18:39:46Z",
        updated: "2015-02-06T18:39:46Z",
        text: document!("AdministratorAccess"),
        document: LazyLock::new(|| parse(document!("AdministratorAccess"))),
    },
    Managed {
        name: "AmazonDynamoDBFullAccess",
        arn: "arn:aws:iam::aws:policy/AmazonDynamoDBFullAccess",
        id: Some("ANPAINUGF2JSOSUY76KYA"),
        version: "v15",
        description: "Provides full access to Amazon DynamoDB via the AWS Management Console.",
        created: "2015-02-06T18:40:11Z",
        updated: "2021-01-29T17:38:00Z",
        text: document!("AmazonDynamoDBFullAccess"),
        document: LazyLock::new(|| parse(document!("AmazonDynamoDBFullAccess"))),
    },
    Managed {
        name: "AmazonDynamoDBFullAccess_v2",
        arn: "arn:aws:iam::aws:policy/AmazonDynamoDBFullAccess_v2",
        id: None,
        version: "v3",
        description: "Provides full access to Amazon DynamoDB",
        created: "2025-05-22T14:52:00Z",
        updated: "2026-02-12T18:02:00Z",
        text: document!("AmazonDynamoDBFullAccess_v2"),
        document: LazyLock::new(|| parse(document!("AmazonDynamoDBFullAccess_v2"))),
    },
];

fn parse(text: &str) -> Arc<PolicyDocument> {
    Arc::new(PolicyDocument::parse(PolicyKind::Identity, text).expect("embedded, and a test parses each of them"))
}

/// The policy with this ARN.
pub fn find(arn: &str) -> Option<&'static Managed> {
    MANAGED.iter().find(|policy| policy.arn == arn)
}

/// All of them.
pub fn all() -> impl Iterator<Item = &'static Managed> {
    MANAGED.iter()
}

/// The names of all of them.
pub fn names() -> impl Iterator<Item = &'static str> {
    MANAGED.iter().map(|policy| policy.name)
}

impl Managed {
    /// Ready for evaluation; the document is parsed once and shared.
    pub fn named(&self) -> NamedPolicy {
        NamedPolicy {
            source: PolicySource::Managed { name: self.name.to_owned(), arn: self.arn.to_owned() },
            document: Arc::clone(&self.document),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::{AccessRequest, ConditionContext, Principal, decide};
    use crate::sandbox::aws_names;

    #[test]
    fn each_is_read_and_named_after_its_arn() {
        for policy in &MANAGED {
            assert_eq!(policy.arn, format!("arn:aws:iam::aws:policy/{}", policy.name));
            assert!(!policy.named().document.statements.is_empty());
            assert!(aws_names::has_managed_policy(policy.arn), "{}", policy.arn);
        }
    }

    #[test]
    fn what_they_allow() {
        let principal = Principal::user("111122223333", "alice", "AIDAALICE");
        let context = ConditionContext::default();
        let allowed = |name: &str, action: &str| {
            let call = AccessRequest { principal: &principal, action, resource: "*", context: &context };
            let policy = find(&format!("arn:aws:iam::aws:policy/{name}")).unwrap().named();
            decide(&call, &[policy]).is_allowed()
        };
        for dynamodb in ["AmazonDynamoDBFullAccess", "AmazonDynamoDBFullAccess_v2"] {
            for action in ["dynamodb:Scan", "dynamodb:CreateTable", "kms:DescribeKey", "kms:ListAliases"] {
                assert!(allowed(dynamodb, action), "{dynamodb} {action}");
            }
            for action in ["kms:Decrypt", "kms:GenerateDataKey", "kms:CreateGrant", "iam:GetUser", "iam:PassRole"] {
                assert!(!allowed(dynamodb, action), "{dynamodb} {action}");
            }
        }
        assert!(allowed("AdministratorAccess", "kms:Decrypt"));
        assert!(allowed("AWSKeyManagementServicePowerUser", "kms:CreateKey"));
        assert!(!allowed("AWSKeyManagementServicePowerUser", "kms:Decrypt"));
    }
}
