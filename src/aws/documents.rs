//! The documents by which AWS decides, as far as the admin may read them. Only reading calls.

use std::collections::{BTreeMap, HashMap};

use aws_sdk_kms::types::{GrantConstraints as SdkConstraints, GrantListEntry};

use super::clients::Clients;
use super::inventory::{Failed, pages, send};
use crate::lab::insight::documents::Documents;
use crate::policy::{Grant, GrantConstraints, PolicySource};

impl Clients {
    /// Reads the policy and the grants of `key` and the policies of `caller`, both ARNs. Notes what could not be read.
    pub async fn documents(&self, caller: Option<&str>, key: Option<&str>) -> Documents {
        let (of_key, of_caller) = tokio::join!(self.documents_of_key(key), self.documents_of_caller(caller));
        let unread = of_key.unread.into_iter().chain(of_caller.unread).collect();
        Documents { identity: of_caller.identity, unique_id: of_caller.unique_id, unread, ..of_key }
    }

    async fn documents_of_key(&self, key: Option<&str>) -> Documents {
        let mut documents = Documents::default();
        let Some(key) = key else { return documents };
        let client = self.admin.kms();
        match send!("kms:GetKeyPolicy", client.get_key_policy().key_id(key).policy_name("default")) {
            Ok(output) => documents.key_policy = output.policy,
            Err(failed) => documents.unread.push(unread("the key policy", &failed)),
        }
        let grants = pages!("kms:ListGrants", client.list_grants().key_id(key), |page| page.grants.unwrap_or_default());
        match grants {
            Ok(grants) => documents.grants = grants.into_iter().map(grant).collect(),
            Err(failed) => documents.unread.push(unread("the grants of the key", &failed)),
        }
        documents
    }

    async fn documents_of_caller(&self, caller: Option<&str>) -> Documents {
        let mut documents = Documents::default();
        let Some(name) = user_of(caller, &mut documents) else { return documents };
        let client = self.admin.iam();
        // A policy may name a user by this id.
        if let Ok(output) = send!("iam:GetUser", client.get_user().user_name(name)) {
            documents.unique_id = output.user.map(|user| user.user_id);
        }
        self.read_managed(self.attached_policies(name).await, &format!("user {name}"), &mut documents).await;
        match self.inline_policies(name).await {
            Ok(policies) => {
                for policy in policies {
                    let call = client.get_user_policy().user_name(name).policy_name(&policy);
                    let text = send!("iam:GetUserPolicy", call).map(|output| output.policy_document);
                    keep(PolicySource::Inline { user: name.to_owned(), name: policy }, text, &mut documents);
                }
            }
            Err(failed) => documents.unread.push(unread(&format!("the inline policies of user {name}"), &failed)),
        }
        let groups = pages!("iam:ListGroupsForUser", client.list_groups_for_user().user_name(name), |page| page
            .groups
            .into_iter()
            .map(|group| group.group_name));
        match groups {
            Ok(groups) => {
                for group in groups {
                    self.read_group(&group, &mut documents).await;
                }
            }
            Err(failed) => documents.unread.push(unread(&format!("the groups of user {name}"), &failed)),
        }
        documents
    }

    async fn read_group(&self, group: &str, documents: &mut Documents) {
        let client = self.admin.iam();
        let attached =
            pages!("iam:ListAttachedGroupPolicies", client.list_attached_group_policies().group_name(group), |page| {
                page.attached_policies.unwrap_or_default().into_iter().filter_map(|policy| policy.policy_arn)
            });
        self.read_managed(attached, &format!("group {group}"), documents).await;
        let inline =
            pages!("iam:ListGroupPolicies", client.list_group_policies().group_name(group), |page| page.policy_names);
        match inline {
            Ok(policies) => {
                for policy in policies {
                    let call = client.get_group_policy().group_name(group).policy_name(&policy);
                    let text = send!("iam:GetGroupPolicy", call).map(|output| output.policy_document);
                    keep(PolicySource::Inline { user: format!("group {group}"), name: policy }, text, documents);
                }
            }
            Err(failed) => documents.unread.push(unread(&format!("the inline policies of group {group}"), &failed)),
        }
    }

    /// Reads the default versions of the managed policies that were listed as attached to somebody.
    async fn read_managed(&self, listed: Result<Vec<String>, Failed>, whose: &str, documents: &mut Documents) {
        let client = self.admin.iam();
        let arns = listed.unwrap_or_else(|failed| {
            documents.unread.push(unread(&format!("the policies attached to {whose}"), &failed));
            Vec::new()
        });
        for arn in arns {
            let version = send!("iam:GetPolicy", client.get_policy().policy_arn(&arn))
                .map(|output| output.policy.and_then(|policy| policy.default_version_id).unwrap_or_default());
            let text = match version {
                Ok(version) => {
                    let call = client.get_policy_version().policy_arn(&arn).version_id(version);
                    let text = send!("iam:GetPolicyVersion", call);
                    text.map(|output| output.policy_version.and_then(|version| version.document).unwrap_or_default())
                }
                Err(failed) => Err(failed),
            };
            let name = arn.rsplit('/').next().unwrap_or(&arn).to_owned();
            keep(PolicySource::Managed { name, arn }, text, documents);
        }
    }
}

/// Returns the name of a user; `None` for the root user, which has no policies, and for others, whose are noted as unread.
fn user_of<'a>(caller: Option<&'a str>, documents: &mut Documents) -> Option<&'a str> {
    let unread = match caller.and_then(|arn| arn.rsplit_once(':')) {
        Some((_, "root")) => return None,
        Some((_, who)) if who.starts_with("user/") => return who.rsplit('/').next(),
        Some((_, who)) => format!("the policies of {who} are not read here: it is not a user"),
        None => "who made this call is not known".to_owned(),
    };
    documents.unread.push(unread);
    None
}

/// Adds a policy's text, which IAM sends percent-encoded (RFC 3986), or notes that it could not be read.
fn keep(source: PolicySource, text: Result<String, Failed>, documents: &mut Documents) {
    match text {
        Ok(text) => {
            let pair = format!("policy={text}");
            let text = form_urlencoded::parse(pair.as_bytes()).next().map(|(_, text)| text.into_owned());
            documents.identity.push((source, text.unwrap_or_default()));
        }
        Err(failed) => documents.unread.push(unread(&source.to_string(), &failed)),
    }
}

/// Returns a sentence that says what could not be read, and why.
fn unread(what: &str, failed: &Failed) -> String {
    // Without a response, the advice is shown elsewhere.
    let reason = failed.code.as_deref().unwrap_or_else(|| failed.message.split(" (").next().unwrap_or_default());
    format!("{what} could not be read: {reason} ({})", failed.call)
}

fn grant(entry: GrantListEntry) -> Grant {
    Grant {
        grant_id: entry.grant_id.unwrap_or_default(),
        grant_token: String::new(),
        key_id: entry.key_id.unwrap_or_default(),
        grantee_principal: entry.grantee_principal.unwrap_or_default(),
        retiring_principal: entry.retiring_principal,
        issuing_account: entry.issuing_account.unwrap_or_default(),
        name: entry.name.filter(|name| !name.is_empty()),
        operations: entry.operations.unwrap_or_default().iter().map(|name| name.as_str().to_owned()).collect(),
        constraints: entry.constraints.and_then(constraints),
        creation_date: entry.creation_date.map(|date| date.as_secs_f64()).unwrap_or_default(),
    }
}

fn constraints(sdk: SdkConstraints) -> Option<GrantConstraints> {
    let pairs = |map: HashMap<String, String>| map.into_iter().collect::<BTreeMap<_, _>>();
    match (sdk.encryption_context_equals, sdk.encryption_context_subset) {
        (Some(equals), _) => Some(GrantConstraints::EncryptionContextEquals(pairs(equals))),
        (None, Some(subset)) => Some(GrantConstraints::EncryptionContextSubset(pairs(subset))),
        (None, None) => None,
    }
}
