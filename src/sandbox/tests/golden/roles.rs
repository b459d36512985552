//! Calls about roles.

use serde_json::json;

use super::{Recorder, policy};
use crate::sandbox::service::Service;

const ROLE: (&str, &str) = ("RoleName", "app");
const DYNAMODB_FULL: &str = "arn:aws:iam::aws:policy/AmazonDynamoDBFullAccess";

/// A trust policy with one statement.
fn trust(principal: &str) -> String {
    policy(json!({ "Effect": "Allow", "Principal": { "AWS": principal }, "Action": "sts:AssumeRole" }))
}

impl Recorder {
    pub(super) fn roles(&mut self) {
        let root = trust("arn:aws:iam::111122223333:root");
        let document = ("AssumeRolePolicyDocument", root.as_str());
        for parameters in [
            &[][..],
            &[("RoleName", "a b"), document],
            &[ROLE],
            &[ROLE, ("AssumeRolePolicyDocument", "{")],
            &[ROLE, ("AssumeRolePolicyDocument", &trust("arn:aws:iam::111122223333:user/nobody"))],
            &[ROLE, document, ("MaxSessionDuration", "3599")],
            &[ROLE, document, ("PermissionsBoundary", DYNAMODB_FULL)],
        ] {
            self.iam("admin", "CreateRole", parameters);
        }
        self.iam("carol", "CreateRole", &[ROLE, document]);
        let tags = [("Tags.member.1.Key", "team"), ("Tags.member.1.Value", "blue")];
        self.iam(
            "admin",
            "CreateRole",
            &[&[ROLE, document, ("Path", "/a/"), ("Description", "d")][..], &tags].concat(),
        );
        self.iam("admin", "CreateRole", &[("RoleName", "App"), document]);
        self.iam("admin", "UpdateRole", &[ROLE, ("MaxSessionDuration", "7200")]);
        self.iam("admin", "UpdateAssumeRolePolicy", &[ROLE, ("PolicyDocument", &trust("111122223333"))]);
        self.iam("admin", "TagRole", &[&[ROLE][..], &tags].concat());
        self.iam("admin", "ListRoleTags", &[ROLE]);
        self.iam("admin", "UntagRole", &[ROLE, ("TagKeys.member.1", "team")]);
        self.iam("admin", "GetRole", &[ROLE]);
        self.iam("admin", "GetRole", &[("RoleName", "none")]);
        self.iam("carol", "GetRole", &[ROLE]);
        self.iam("admin", "ListRoles", &[]);
        self.iam("admin", "ListInstanceProfilesForRole", &[ROLE]);
        let text = policy(json!({ "Effect": "Allow", "Action": "kms:List*", "Resource": "*" }));
        self.iam("admin", "PutRolePolicy", &[ROLE, ("PolicyName", "list"), ("PolicyDocument", &text)]);
        self.iam("admin", "GetRolePolicy", &[ROLE, ("PolicyName", "list")]);
        self.iam("admin", "GetRolePolicy", &[ROLE, ("PolicyName", "none")]);
        self.iam("admin", "ListRolePolicies", &[ROLE]);
        self.iam("admin", "AttachRolePolicy", &[ROLE, ("PolicyArn", DYNAMODB_FULL)]);
        self.iam("admin", "ListAttachedRolePolicies", &[ROLE]);
        self.iam("admin", "DeleteRole", &[ROLE]);
        self.iam("admin", "DetachRolePolicy", &[ROLE, ("PolicyArn", DYNAMODB_FULL)]);
        self.iam("admin", "DeleteRole", &[ROLE]);
        self.iam("admin", "DeleteRolePolicy", &[ROLE, ("PolicyName", "list")]);
        self.iam("admin", "DeleteRole", &[ROLE]);
    }

    pub(super) fn sessions(&mut self) {
        let document = ("AssumeRolePolicyDocument", &*trust("arn:aws:iam::111122223333:root"));
        self.iam("admin", "CreateRole", &[ROLE, document]);
        let role = ("RoleArn", "arn:aws:iam::111122223333:role/app");
        let session = ("RoleSessionName", "one");
        let text = policy(json!({ "Effect": "Allow", "Action": "kms:List*", "Resource": "*" }));
        for parameters in [
            &[][..],
            &[role, ("RoleSessionName", "a b"), ("DurationSeconds", "899"), ("ExternalId", "?")],
            &[role, session, ("DurationSeconds", "43200")],
            &[role, session, ("Policy", "{")],
            &[role, session, ("SerialNumber", "arn:aws:iam::111122223333:mfa/a"), ("TokenCode", "123456")],
            &[("RoleArn", "arn:aws:iam::111122223333:role/none"), session],
            &[role, session, ("Tags.member.1.Key", "team"), ("Tags.member.1.Value", "red"), ("Policy", &text)],
        ] {
            self.query("admin", Service::Sts, "AssumeRole", parameters);
        }
        self.query("carol", Service::Sts, "AssumeRole", &[role, session]);
        self.query("carol", Service::Sts, "GetSessionToken", &[]);
        self.query("carol", Service::Sts, "GetSessionToken", &[("DurationSeconds", "129601")]);
    }

    pub(super) fn managed_policies(&mut self) {
        let arn = ("PolicyArn", "arn:aws:iam::111122223333:policy/own");
        let name = ("PolicyName", "own");
        let text = policy(json!({ "Effect": "Allow", "Action": "kms:List*", "Resource": "*" }));
        let document = ("PolicyDocument", text.as_str());
        self.iam("admin", "CreatePolicy", &[]);
        self.iam("admin", "CreatePolicy", &[name, ("PolicyDocument", "{")]);
        self.iam("carol", "CreatePolicy", &[name, document]);
        self.iam("admin", "CreatePolicy", &[name, document, ("Description", "d")]);
        self.iam("admin", "CreatePolicy", &[name, document]);
        self.iam("admin", "CreatePolicyVersion", &[arn, document, ("SetAsDefault", "true")]);
        self.iam("admin", "CreatePolicyVersion", &[("PolicyArn", DYNAMODB_FULL), document]);
        self.iam("admin", "ListPolicyVersions", &[arn]);
        self.iam("admin", "GetPolicyVersion", &[arn, ("VersionId", "v2")]);
        self.iam("admin", "SetDefaultPolicyVersion", &[arn, ("VersionId", "v1")]);
        self.iam("admin", "SetDefaultPolicyVersion", &[arn, ("VersionId", "v9")]);
        self.iam("admin", "AttachRolePolicy", &[ROLE, arn]);
        self.iam("admin", "ListAttachedRolePolicies", &[ROLE]);
        self.iam("admin", "ListPolicies", &[("Scope", "Local")]);
        self.iam("admin", "ListPolicies", &[("OnlyAttached", "true")]);
        self.iam("admin", "GetPolicy", &[arn]);
        self.iam("admin", "DeletePolicy", &[arn]);
        self.iam("admin", "DetachRolePolicy", &[ROLE, arn]);
        self.iam("admin", "DeletePolicy", &[arn]);
        self.iam("admin", "DeletePolicyVersion", &[arn, ("VersionId", "v1")]);
        self.iam("admin", "DeletePolicyVersion", &[arn, ("VersionId", "v2")]);
        self.iam("admin", "DeletePolicy", &[arn]);
        self.iam("admin", "GetPolicy", &[arn]);
    }
}
