//! Managed policies and their versions: `CreatePolicy`, `GetPolicy`, `ListPolicies`, `DeletePolicy`, `CreatePolicyVersion`,
//! `GetPolicyVersion`, `ListPolicyVersions`, `SetDefaultPolicyVersion`, `DeletePolicyVersion`.

use std::sync::Arc;

use super::holder::no_such_entity;
use super::holder_policies::no_managed_policy;
use super::holder_tags::{tag_facts, write_tag};
use super::managed;
use super::members::{self, Page};
use super::policy::{Known, Policy, Version};
use super::user::{InlinePolicy, size};
use crate::policy::ConditionContext;
use crate::sandbox::authorize::Resource;
use crate::sandbox::operation::{Context, Fault, Later, Members, Output, Request};
use crate::sandbox::xml::{self, Xml};

/// AWS's quota (IAM guide).
const MAX_POLICIES: usize = 1500;
/// AWS's quota for a managed policy, in characters without white space (IAM guide).
const MAX_SIZE: usize = 6144;
/// AWS's quota (IAM guide).
const MAX_VERSIONS: usize = 5;

impl Context<'_> {
    /// The managed policy with this ARN, if the caller is allowed `action` on it.
    fn managed_policy(&mut self, action: &str, arn: &str) -> Result<Known, Fault> {
        self.authorize(action, Resource::Arn(arn), &ConditionContext::default())?;
        let found = self.account.state.iam.managed(arn);
        found.ok_or_else(|| no_managed_policy(arn, format!("Policy {arn} was not found.")))
    }

    /// The customer managed policy with this ARN, if the caller is allowed `action` on it. Nobody changes AWS's.
    fn customer_policy(&mut self, action: &str, arn: &str) -> Result<Policy, Fault> {
        match self.managed_policy(action, arn)? {
            Known::Customer(policy) => Ok(Arc::unwrap_or_clone(policy)),
            // The code is AWS's, the sentence is not proven.
            Known::Aws(_) => Err(Fault::service(400, "InvalidInput", format!("Policy {arn} is managed by AWS."))),
        }
    }

    fn save_policy(&mut self, policy: Policy) -> Result<Output, Fault> {
        let (iam, store) = self.account.iam_mut();
        iam.save_policy(store, policy)?;
        Ok(Xml::new().into())
    }
}

fn parse_document(text: String) -> Result<InlinePolicy, Fault> {
    let policy =
        InlinePolicy::new(text).map_err(|error| Fault::service(400, "MalformedPolicyDocument", error.to_string()))?;
    if size(&policy.text) > MAX_SIZE {
        return Err(Fault::service(409, "LimitExceeded", format!("Cannot exceed quota for PolicySize: {MAX_SIZE}")));
    }
    Ok(policy)
}

fn no_such_version(arn: &str, version: &str) -> Fault {
    no_such_entity(format!("Policy {arn} version {version} does not exist or is not attachable."))
}

/// `CreatePolicy`
pub struct CreatePolicy {
    name: String,
    path: String,
    text: String,
    description: Option<String>,
    tags: Vec<(String, String)>,
}

impl Request for CreatePolicy {
    fn parse(members: &Members<'_>) -> Result<Self, Fault> {
        Ok(Self {
            name: members::policy_name(members)?,
            path: members::path(members, "Path")?,
            text: members.str("PolicyDocument", 1..=131_072)?.to_owned(),
            description: members.optional_str("Description", 0..=1000)?.map(str::to_owned),
            tags: members::tags(members)?,
        })
    }

    fn run(self, cx: &mut Context<'_>) -> Result<Output, Fault> {
        let Self { name, path, text, description, tags } = self;
        let arn = format!("arn:aws:iam::{}:policy{path}{name}", cx.account.id);
        cx.authorize("iam:CreatePolicy", Resource::Arn(&arn), &tag_facts(&tags))?;
        let policy = parse_document(text)?;
        let iam = &cx.account.state.iam;
        if iam.customer_policies().any(|known| known.name.eq_ignore_ascii_case(&name)) {
            let message = format!("A policy called {name} already exists. Duplicate names are not allowed.");
            return Err(Fault::service(409, "EntityAlreadyExists", message));
        }
        if iam.customer_policies().count() >= MAX_POLICIES {
            let message = format!("Cannot exceed quota for PoliciesPerAccount: {MAX_POLICIES}");
            return Err(Fault::service(409, "LimitExceeded", message));
        }
        let now = cx.account.state.clock.timestamp();
        let policy = Policy {
            name,
            path,
            id: format!("ANPA{}", cx.entropy.alphanumeric_upper(17)),
            arn,
            created: now.clone(),
            updated: now.clone(),
            description,
            tags,
            versions: vec![Version { number: 1, created: now, policy }],
            default: 1,
            next: 2,
        };
        let mut out = Xml::new();
        xml::nest(&mut out, "Policy", |out| write_policy(out, &Known::Customer(Arc::new(policy.clone())), 0, false));
        cx.save_policy(policy)?;
        Ok(out.into())
    }
}

/// `GetPolicy`
pub struct GetPolicy(String);

impl Request for GetPolicy {
    fn parse(members: &Members<'_>) -> Result<Self, Fault> {
        members::policy_arn(members).map(Self)
    }

    fn run(self, cx: &mut Context<'_>) -> Result<Output, Fault> {
        let policy = cx.managed_policy("iam:GetPolicy", &self.0)?;
        let attachments = cx.account.state.iam.attachments(policy.arn());
        let mut out = Xml::new();
        xml::nest(&mut out, "Policy", |out| write_policy(out, &policy, attachments, true));
        Ok(out.into())
    }
}

/// `ListPolicies`
pub struct ListPolicies {
    scope: Option<&'static str>,
    only_attached: bool,
    prefix: String,
    page: Later<Page>,
}

impl Request for ListPolicies {
    fn parse(members: &Members<'_>) -> Result<Self, Fault> {
        Ok(Self {
            scope: members.choice("Scope", &["All", "AWS", "Local"])?,
            only_attached: members.choice("OnlyAttached", &["true", "false"])? == Some("true"),
            prefix: members::path(members, "PathPrefix")?,
            page: Page::parse(members),
        })
    }

    fn run(self, cx: &mut Context<'_>) -> Result<Output, Fault> {
        let resource = format!("arn:aws:iam::{}:policy{}", cx.account.id, self.prefix);
        cx.authorize("iam:ListPolicies", Resource::Arn(&resource), &ConditionContext::default())?;
        let iam = &cx.account.state.iam;
        let own = iam.customer_policies().map(|policy| Known::Customer(Arc::clone(policy)));
        let scope = self.scope.unwrap_or("All");
        let all = own.filter(|_| scope != "AWS").chain(managed::all().map(Known::Aws).filter(|_| scope != "Local"));
        let listed = all
            .filter(|policy| policy.path().starts_with(&self.prefix))
            .map(|policy| (iam.attachments(policy.arn()), policy))
            .filter(|(attachments, _)| !self.only_attached || *attachments > 0);
        let mut out = Xml::new();
        let write =
            |out: &mut Xml, (attachments, policy): (usize, Known)| write_policy(out, &policy, attachments, false);
        self.page?.write(&mut out, "Policies", listed, |(_, policy)| policy.arn(), write);
        Ok(out.into())
    }
}

/// `DeletePolicy`
pub struct DeletePolicy(String);

impl Request for DeletePolicy {
    fn parse(members: &Members<'_>) -> Result<Self, Fault> {
        members::policy_arn(members).map(Self)
    }

    fn run(self, cx: &mut Context<'_>) -> Result<Output, Fault> {
        let policy = cx.customer_policy("iam:DeletePolicy", &self.0)?;
        let conflict = |message: &str| Err(Fault::service(409, "DeleteConflict", message));
        if cx.account.state.iam.attachments(&policy.arn) > 0 {
            return conflict("Cannot delete a policy attached to entities.");
        }
        if policy.versions.len() > 1 {
            return conflict(
                "This policy has more than one version. Before you delete a policy, you must delete the policy's \
                 versions. The default version is deleted with the policy.",
            );
        }
        let (iam, store) = cx.account.iam_mut();
        iam.remove_policy(store, &policy)?;
        Ok(Xml::new().into())
    }
}

/// `CreatePolicyVersion`
pub struct CreatePolicyVersion {
    arn: String,
    text: String,
    is_default: bool,
}

impl Request for CreatePolicyVersion {
    fn parse(members: &Members<'_>) -> Result<Self, Fault> {
        Ok(Self {
            arn: members::policy_arn(members)?,
            text: members.str("PolicyDocument", 1..=131_072)?.to_owned(),
            is_default: members.choice("SetAsDefault", &["true", "false"])? == Some("true"),
        })
    }

    fn run(self, cx: &mut Context<'_>) -> Result<Output, Fault> {
        let mut policy = cx.customer_policy("iam:CreatePolicyVersion", &self.arn)?;
        let document = parse_document(self.text)?;
        if policy.versions.len() >= MAX_VERSIONS {
            let message = format!(
                "A managed policy can have up to {MAX_VERSIONS} versions. Before you create a new version, you must \
                 delete an existing version."
            );
            return Err(Fault::service(409, "LimitExceeded", message));
        }
        let now = cx.account.state.clock.timestamp();
        let version = Version { number: policy.next, created: now.clone(), policy: document };
        if self.is_default {
            policy.default = version.number;
        }
        let mut out = Xml::new();
        xml::nest(&mut out, "PolicyVersion", |out| write_version(out, &version, policy.default));
        policy.next += 1;
        policy.updated = now;
        policy.versions.push(version);
        cx.save_policy(policy)?;
        Ok(out.into())
    }
}

/// `GetPolicyVersion`
pub struct GetPolicyVersion {
    arn: String,
    version: String,
}

impl Request for GetPolicyVersion {
    fn parse(members: &Members<'_>) -> Result<Self, Fault> {
        let version = members.str("VersionId", 0..=usize::MAX)?.to_owned();
        Ok(Self { arn: members::policy_arn(members)?, version })
    }

    fn run(self, cx: &mut Context<'_>) -> Result<Output, Fault> {
        let policy = cx.managed_policy("iam:GetPolicyVersion", &self.arn)?;
        let absent = || no_such_version(&self.arn, &self.version);
        let mut out = Xml::new();
        match &policy {
            Known::Customer(policy) => {
                let version = policy.version(&self.version).ok_or_else(absent)?;
                xml::nest(&mut out, "PolicyVersion", |out| {
                    xml::leaf(out, "Document", &xml::url_encode(&version.policy.text));
                    write_version(out, version, policy.default);
                });
            }
            // Earlier versions of AWS's policies are not kept here.
            Known::Aws(policy) if self.version != policy.version => return Err(absent()),
            Known::Aws(policy) => xml::nest(&mut out, "PolicyVersion", |out| {
                xml::leaf(out, "Document", &xml::url_encode(policy.text));
                xml::leaf(out, "VersionId", policy.version);
                xml::leaf(out, "IsDefaultVersion", "true");
                xml::leaf(out, "CreateDate", policy.updated);
            }),
        }
        Ok(out.into())
    }
}

/// `ListPolicyVersions`
pub struct ListPolicyVersions {
    arn: String,
    page: Later<Page>,
}

impl Request for ListPolicyVersions {
    fn parse(members: &Members<'_>) -> Result<Self, Fault> {
        Ok(Self { arn: members::policy_arn(members)?, page: Page::parse(members) })
    }

    fn run(self, cx: &mut Context<'_>) -> Result<Output, Fault> {
        // Of AWS's policies one version is kept; its number, whether it is the default, and since when.
        let versions: Vec<(String, bool, String)> = match cx.managed_policy("iam:ListPolicyVersions", &self.arn)? {
            Known::Aws(policy) => vec![(policy.version.to_owned(), true, policy.updated.to_owned())],
            Known::Customer(policy) => {
                let newest_first = policy.versions.iter().rev();
                newest_first.map(|one| (one.id(), one.number == policy.default, one.created.clone())).collect()
            }
        };
        let mut out = Xml::new();
        let write = |out: &mut Xml, (id, is_default, created): &(String, bool, String)| {
            xml::leaf(out, "VersionId", id);
            xml::leaf(out, "IsDefaultVersion", if *is_default { "true" } else { "false" });
            xml::leaf(out, "CreateDate", created);
        };
        self.page?.write(&mut out, "Versions", &versions, |(id, ..)| id, write);
        Ok(out.into())
    }
}

/// `SetDefaultPolicyVersion`
pub struct SetDefaultPolicyVersion {
    arn: String,
    version: String,
}

impl Request for SetDefaultPolicyVersion {
    fn parse(members: &Members<'_>) -> Result<Self, Fault> {
        let version = members.str("VersionId", 1..=64)?.to_owned();
        Ok(Self { arn: members::policy_arn(members)?, version })
    }

    fn run(self, cx: &mut Context<'_>) -> Result<Output, Fault> {
        let mut policy = cx.customer_policy("iam:SetDefaultPolicyVersion", &self.arn)?;
        let version = policy.version(&self.version).ok_or_else(|| no_such_version(&self.arn, &self.version))?;
        policy.default = version.number;
        policy.updated = cx.account.state.clock.timestamp();
        cx.save_policy(policy)
    }
}

/// `DeletePolicyVersion`
pub struct DeletePolicyVersion {
    arn: String,
    version: String,
}

impl Request for DeletePolicyVersion {
    fn parse(members: &Members<'_>) -> Result<Self, Fault> {
        let version = members.str("VersionId", 1..=64)?.to_owned();
        Ok(Self { arn: members::policy_arn(members)?, version })
    }

    fn run(self, cx: &mut Context<'_>) -> Result<Output, Fault> {
        let mut policy = cx.customer_policy("iam:DeletePolicyVersion", &self.arn)?;
        let version = policy.version(&self.version).ok_or_else(|| no_such_version(&self.arn, &self.version))?;
        if version.number == policy.default {
            let message = "Cannot delete the default version of a policy.";
            return Err(Fault::service(409, "DeleteConflict", message));
        }
        let number = version.number;
        policy.versions.retain(|version| version.number != number);
        cx.save_policy(policy)
    }
}

/// The members of a managed policy. A list shows no description and no tags (IAM guide).
fn write_policy(out: &mut Xml, policy: &Known, attachments: usize, whole: bool) {
    let (id, version, description, created, updated, tags) = match policy {
        Known::Aws(one) => (one.id, one.version.to_owned(), Some(one.description), one.created, one.updated, &[][..]),
        Known::Customer(one) => {
            let version = format!("v{}", one.default);
            (Some(&*one.id), version, one.description.as_deref(), &*one.created, &*one.updated, &*one.tags)
        }
    };
    xml::leaf(out, "PolicyName", policy.name());
    if let Some(id) = id {
        xml::leaf(out, "PolicyId", id);
    }
    xml::leaf(out, "Arn", policy.arn());
    xml::leaf(out, "Path", policy.path());
    xml::leaf(out, "DefaultVersionId", &version);
    xml::leaf(out, "AttachmentCount", &attachments.to_string());
    xml::leaf(out, "PermissionsBoundaryUsageCount", "0");
    xml::leaf(out, "IsAttachable", "true");
    if let Some(description) = description.filter(|_| whole) {
        xml::leaf(out, "Description", description);
    }
    xml::leaf(out, "CreateDate", created);
    xml::leaf(out, "UpdateDate", updated);
    if whole && !tags.is_empty() {
        xml::list(out, "Tags", tags, write_tag);
    }
}

fn write_version(out: &mut Xml, version: &Version, default: u32) {
    xml::leaf(out, "VersionId", &version.id());
    xml::leaf(out, "IsDefaultVersion", if version.number == default { "true" } else { "false" });
    xml::leaf(out, "CreateDate", &version.created);
}
