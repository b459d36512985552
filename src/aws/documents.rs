//! The documents by which AWS decides, as far as the admin may read them. Only reading calls.

use std::collections::{BTreeMap, HashMap};
use std::fmt;

use aws_sdk_iam::types::AttachedPolicy;
use aws_sdk_kms::types::{GrantConstraints as SdkConstraints, GrantListEntry};

use super::clients::Clients;
use super::inventory::{Failed, pages, send};
use crate::lab::insight::documents::Documents;
use crate::lab::why::{Part, Unread, Who};
use crate::policy::{Grant, GrantConstraints, PolicySource};

impl Clients {
    /// Reads the policy and the grants of `key` and the policies of `caller`, both ARNs. Notes what could not be read.
    pub async fn documents(&self, caller: Option<&str>, key: Option<&str>) -> Documents {
        let (of_key, of_caller) = tokio::join!(self.read_key(key), async {
            match owner_of(caller) {
                Ok(Some(owner)) => self.read_owner(&owner).await,
                Ok(None) => Read::default(),
                Err(unread) => Read { unread: vec![unread], ..Read::default() },
            }
        });
        // Where the server has no such thing, nothing is missing.
        let unread = of_key.unread.into_iter().chain(of_caller.unread);
        let unread = unread.filter(|unread| unread.part != Part::Nothing).map(|unread| unread.says).collect();
        let unique_id = of_caller.who.map(|who| who.unique_id);
        Documents {
            key_policy: of_key.key_policy,
            grants: of_key.grants,
            identity: of_caller.identity,
            unique_id,
            unread,
        }
    }

    /// Reads the policy and the grants of a key.
    pub(super) async fn read_key(&self, key: Option<&str>) -> Read {
        let mut read = Read::default();
        let Some(key) = key else { return read };
        let client = self.admin.kms();
        match send!("kms:GetKeyPolicy", client.get_key_policy().key_id(key).policy_name("default")) {
            Ok(output) => read.key_policy = output.policy,
            Err(failed) => read.unread.push(unread(Part::KeyPolicy, "the key policy", &failed)),
        }
        let grants = pages!("kms:ListGrants", client.list_grants().key_id(key), |page| page.grants.unwrap_or_default());
        match grants {
            Ok(grants) => read.grants = grants.into_iter().map(grant).collect(),
            Err(failed) => read.unread.push(unread(Part::Grants, "the grants of the key", &failed)),
        }
        read
    }

    /// Reads a user or role, and its policies.
    pub(super) async fn read_owner(&self, owner: &Owner<'_>) -> Read {
        let mut read = Read::default();
        self.describe(owner, &mut read).await;
        if read.is_missing {
            return read;
        }
        let client = self.admin.iam();
        let whose = owner.to_string();
        let attached = match owner {
            Owner::User(name) => self.attached_policies(name).await,
            Owner::Role(name) => {
                let call = client.list_attached_role_policies().role_name(*name);
                pages!("iam:ListAttachedRolePolicies", call, |page| policy_arns(page.attached_policies))
            }
        };
        self.read_managed(attached, &whose, &mut read).await;
        let inline = match owner {
            Owner::User(name) => self.inline_policies(name).await,
            Owner::Role(name) => {
                pages!("iam:ListRolePolicies", client.list_role_policies().role_name(*name), |page| page.policy_names)
            }
        };
        for policy in listed(inline, &format!("the inline policies of {whose}"), &mut read) {
            let text = match owner {
                Owner::User(name) => {
                    let call = client.get_user_policy().user_name(*name).policy_name(&policy);
                    send!("iam:GetUserPolicy", call).map(|output| output.policy_document)
                }
                Owner::Role(name) => {
                    let call = client.get_role_policy().role_name(*name).policy_name(&policy);
                    send!("iam:GetRolePolicy", call).map(|output| output.policy_document)
                }
            };
            keep(PolicySource::Inline { user: owner.of_policy(), name: policy }, text, &mut read);
        }
        if let Owner::User(name) = owner {
            let groups = pages!("iam:ListGroupsForUser", client.list_groups_for_user().user_name(*name), |page| page
                .groups
                .into_iter()
                .map(|group| group.group_name));
            for group in listed(groups, &format!("the groups of {whose}"), &mut read) {
                self.read_group(&group, &mut read).await;
            }
        }
        read
    }

    /// Reads who the caller is. A policy may name it by its unique id, and a boundary limits its policies.
    async fn describe(&self, owner: &Owner<'_>, read: &mut Read) {
        let client = self.admin.iam();
        let described = match owner {
            Owner::User(name) => send!("iam:GetUser", client.get_user().user_name(*name))
                .map(|output| output.user.map(|user| (user.arn, user.user_id, user.tags, user.permissions_boundary))),
            Owner::Role(name) => send!("iam:GetRole", client.get_role().role_name(*name))
                .map(|output| output.role.map(|role| (role.arn, role.role_id, role.tags, role.permissions_boundary))),
        };
        match described {
            Ok(Some((arn, unique_id, tags, boundary))) => {
                let tags = tags.unwrap_or_default().into_iter().map(|tag| (tag.key, tag.value)).collect();
                read.who = Some(Who { arn, unique_id, tags });
                if let Some(arn) = boundary.and_then(|boundary| boundary.permissions_boundary_arn) {
                    let (source, text) = self.managed(arn).await;
                    match text {
                        Ok(text) => read.boundary = Some((source, decoded(&text))),
                        Err(failed) => {
                            let what = format!("the permissions boundary of {owner}");
                            read.unread.push(unread(Part::Boundary, &what, &failed));
                        }
                    }
                }
            }
            Ok(None) => read.unread.push(Unread {
                part: Part::Boundary,
                says: format!("{owner} could not be read: the server does not describe it"),
            }),
            Err(failed) if failed.is_absence() => read.is_missing = true,
            Err(failed) => {
                let what = format!("the permissions boundary of {owner}");
                read.unread.push(unread(Part::Boundary, &what, &failed));
            }
        }
    }

    async fn read_group(&self, group: &str, read: &mut Read) {
        let client = self.admin.iam();
        let whose = format!("group {group}");
        read.names.push(group.to_owned());
        let call = client.list_attached_group_policies().group_name(group);
        let attached = pages!("iam:ListAttachedGroupPolicies", call, |page| policy_arns(page.attached_policies));
        self.read_managed(attached, &whose, read).await;
        let inline =
            pages!("iam:ListGroupPolicies", client.list_group_policies().group_name(group), |page| page.policy_names);
        for policy in listed(inline, &format!("the inline policies of {whose}"), read) {
            let call = client.get_group_policy().group_name(group).policy_name(&policy);
            let text = send!("iam:GetGroupPolicy", call).map(|output| output.policy_document);
            keep(PolicySource::Inline { user: whose.clone(), name: policy }, text, read);
        }
    }

    /// Reads the default versions of the managed policies that were listed as attached to somebody.
    async fn read_managed(&self, attached: Result<Vec<String>, Failed>, whose: &str, read: &mut Read) {
        for arn in listed(attached, &format!("the policies attached to {whose}"), read) {
            let (source, text) = self.managed(arn).await;
            keep(source, text, read);
        }
    }

    /// The default version of a managed policy, as IAM sends it.
    async fn managed(&self, arn: String) -> (PolicySource, Result<String, Failed>) {
        let client = self.admin.iam();
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
        (PolicySource::Managed { name, arn }, text)
    }
}

/// What was read of a key or a caller.
#[derive(Debug, Default)]
pub(super) struct Read {
    pub(super) key_policy: Option<String>,
    pub(super) grants: Vec<Grant>,
    pub(super) identity: Vec<(PolicySource, String)>,
    pub(super) boundary: Option<(PolicySource, String)>,
    pub(super) who: Option<Who>,
    /// There is no such user or role.
    pub(super) is_missing: bool,
    pub(super) unread: Vec<Unread>,
    /// The names of groups, and of policies that could not be read.
    pub(super) names: Vec<String>,
}

/// Who has policies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Owner<'a> {
    /// A user, by name.
    User(&'a str),
    /// A role, by name.
    Role(&'a str),
}

impl Owner<'_> {
    /// What an inline policy's source names.
    fn of_policy(&self) -> String {
        match self {
            Owner::User(name) => (*name).to_owned(),
            Owner::Role(_) => self.to_string(),
        }
    }
}

impl fmt::Display for Owner<'_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Owner::User(name) => write!(out, "user {name}"),
            Owner::Role(name) => write!(out, "role {name}"),
        }
    }
}

fn policy_arns(attached: Option<Vec<AttachedPolicy>>) -> impl Iterator<Item = String> {
    attached.unwrap_or_default().into_iter().filter_map(|policy| policy.policy_arn)
}

/// The items of a list, or none where it could not be read, which is noted.
fn listed(list: Result<Vec<String>, Failed>, what: &str, read: &mut Read) -> Vec<String> {
    list.unwrap_or_else(|failed| {
        read.unread.push(unread(Part::Identity, what, &failed));
        Vec::new()
    })
}

/// Returns whose policies decide about a caller; `None` for the root user, which has no policies.
///
/// # Errors
/// What can't be read, in a sentence.
pub(super) fn owner_of(caller: Option<&str>) -> Result<Option<Owner<'_>>, Unread> {
    let unread = |says: String| Err(Unread { part: Part::Identity, says });
    let Some(who) = caller.and_then(|arn| arn.splitn(6, ':').nth(5)) else {
        return unread("who made this call is not known".to_owned());
    };
    let last = who.rsplit('/').next();
    match (who.split('/').next(), last) {
        (Some("root"), _) => Ok(None),
        (Some("user"), Some(name)) => Ok(Some(Owner::User(name))),
        (Some("role"), Some(name)) => Ok(Some(Owner::Role(name))),
        (Some("assumed-role"), _) => Ok(who.split('/').nth(1).map(Owner::Role)),
        _ => unread(format!("the policies of {who} are not read here: it is neither a user nor a role")),
    }
}

/// Adds a policy's text, or notes that it could not be read.
fn keep(source: PolicySource, text: Result<String, Failed>, read: &mut Read) {
    match text {
        Ok(text) => read.identity.push((source, decoded(&text))),
        Err(failed) => {
            read.unread.push(unread(Part::Identity, &source.to_string(), &failed));
            read.names.extend(source.own_name().map(str::to_owned));
        }
    }
}

/// A policy's text, which IAM sends percent-encoded (RFC 3986).
fn decoded(text: &str) -> String {
    let pair = format!("policy={text}");
    form_urlencoded::parse(pair.as_bytes()).next().map(|(_, text)| text.into_owned()).unwrap_or_default()
}

/// Returns what could not be read, and why. A server that does not know the call has nothing of the kind.
pub(super) fn unread(part: Part, what: &str, failed: &Failed) -> Unread {
    // Without a response, the advice is shown elsewhere.
    let reason = failed.code.as_deref().unwrap_or_else(|| failed.message.split(" (").next().unwrap_or_default());
    let part = if failed.is_unknown_call() { Part::Nothing } else { part };
    Unread { part, says: format!("{what} could not be read: {reason} ({})", failed.call) }
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
