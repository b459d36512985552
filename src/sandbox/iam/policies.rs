//! Policies of users, attached and inline, and the managed policies themselves.

use super::managed::{self, Managed};
use super::user::{InlinePolicy, size};
use super::{Answer, Call, end_list, input, no_such_entity};
use crate::policy::ConditionContext;
use crate::sandbox::Xml;
use crate::sandbox::catalog;
use crate::sandbox::error::Fault;
use crate::sandbox::xml;

/// AWS's quota of managed policies for a user (IAM guide).
const MAX_ATTACHED: usize = 10;
/// AWS's limit for all inline policies of a user together, in characters without white space (IAM guide).
const MAX_INLINE_SIZE: usize = 2048;

impl Call<'_> {
    pub(super) fn attach_user_policy(&mut self) -> Answer {
        let name = input::user_name(self.input)?;
        let arn = input::policy_arn(self.input)?;
        let mut user = self.allowed_user("iam:AttachUserPolicy", name, &policy_condition(arn))?;
        if managed::find(arn).is_none() {
            return Err(no_managed_policy(arn, format!("Policy {arn} does not exist or is not attachable.")));
        }
        // Attaching twice is no error (IAM guide).
        if !user.attached.iter().any(|attached| attached == arn) {
            if user.attached.len() >= MAX_ATTACHED {
                let message = format!("Cannot exceed quota for PoliciesPerUser: {MAX_ATTACHED}");
                return Err(Fault::service(409, "LimitExceeded", message));
            }
            user.attached.push(arn.to_owned());
            self.iam.save(self.host, user)?;
        }
        Ok(Xml::new())
    }

    pub(super) fn detach_user_policy(&mut self) -> Answer {
        let name = input::user_name(self.input)?;
        let arn = input::policy_arn(self.input)?;
        let mut user = self.allowed_user("iam:DetachUserPolicy", name, &policy_condition(arn))?;
        let at = user.attached.iter().position(|attached| attached == arn);
        let at = at.ok_or_else(|| no_such_entity(format!("Policy {arn} was not found.")))?;
        user.attached.remove(at);
        self.iam.save(self.host, user)?;
        Ok(Xml::new())
    }

    pub(super) fn list_attached_user_policies(&mut self) -> Answer {
        let name = input::user_name(self.input)?;
        let prefix = input::path(self.input, "PathPrefix")?;
        let user = self.allowed_user("iam:ListAttachedUserPolicies", name, &ConditionContext::default())?;
        // All managed policies of the sandbox have the path `/`.
        let attached = user.attached.iter().filter(|_| prefix == "/").filter_map(|arn| managed::find(arn));
        let page = input::page(self.input, attached, |policy| policy.arn)?;
        let mut out = Xml::new();
        xml::list(&mut out, "AttachedPolicies", page.items, |out, policy| {
            xml::leaf(out, "PolicyName", policy.name);
            xml::leaf(out, "PolicyArn", policy.arn);
        });
        end_list(&mut out, page.next.as_deref());
        Ok(out)
    }

    pub(super) fn put_user_policy(&mut self) -> Answer {
        let name = input::user_name(self.input)?;
        let policy_name = input::policy_name(self.input)?;
        let text = input::policy_document(self.input)?;
        let mut user = self.allowed_user("iam:PutUserPolicy", name, &ConditionContext::default())?;
        let policy = InlinePolicy::new(text.to_owned())
            .map_err(|error| Fault::service(400, "MalformedPolicyDocument", error.to_string()))?;
        let replaced = user.inline.get(policy_name).map_or(0, |old| size(&old.text));
        if user.inline_size() - replaced + size(text) > MAX_INLINE_SIZE {
            let message = format!("Maximum policy size of {MAX_INLINE_SIZE} bytes exceeded for user {name}");
            return Err(Fault::service(409, "LimitExceeded", message));
        }
        user.inline.insert(policy_name.to_owned(), policy);
        self.iam.save(self.host, user)?;
        Ok(Xml::new())
    }

    pub(super) fn get_user_policy(&mut self) -> Answer {
        let name = input::user_name(self.input)?;
        let policy_name = input::policy_name(self.input)?;
        let user = self.allowed_user("iam:GetUserPolicy", name, &ConditionContext::default())?;
        let policy = user.inline.get(policy_name).ok_or_else(|| no_such_policy(policy_name))?;
        let mut out = Xml::new();
        xml::leaf(&mut out, "UserName", name);
        xml::leaf(&mut out, "PolicyName", policy_name);
        xml::leaf(&mut out, "PolicyDocument", &xml::url_encode(&policy.text));
        Ok(out)
    }

    pub(super) fn delete_user_policy(&mut self) -> Answer {
        let name = input::user_name(self.input)?;
        let policy_name = input::policy_name(self.input)?;
        let mut user = self.allowed_user("iam:DeleteUserPolicy", name, &ConditionContext::default())?;
        user.inline.remove(policy_name).ok_or_else(|| no_such_policy(policy_name))?;
        self.iam.save(self.host, user)?;
        Ok(Xml::new())
    }

    pub(super) fn list_user_policies(&mut self) -> Answer {
        let name = input::user_name(self.input)?;
        let user = self.allowed_user("iam:ListUserPolicies", name, &ConditionContext::default())?;
        let page = input::page(self.input, user.inline.keys(), |name| name)?;
        let mut out = Xml::new();
        xml::list(&mut out, "PolicyNames", page.items, |out, name| out.push_str(name));
        end_list(&mut out, page.next.as_deref());
        Ok(out)
    }

    pub(super) fn get_policy(&mut self) -> Answer {
        let policy = self.allowed_policy("iam:GetPolicy")?;
        let attachments = self.iam.users.values().filter(|user| user.attached.iter().any(|arn| arn == policy.arn));
        let attachments = attachments.count().to_string();
        let mut out = Xml::new();
        xml::nest(&mut out, "Policy", |out| {
            xml::leaf(out, "PolicyName", policy.name);
            if let Some(id) = policy.id {
                xml::leaf(out, "PolicyId", id);
            }
            xml::leaf(out, "Arn", policy.arn);
            xml::leaf(out, "Path", "/");
            xml::leaf(out, "DefaultVersionId", policy.version);
            xml::leaf(out, "AttachmentCount", &attachments);
            xml::leaf(out, "PermissionsBoundaryUsageCount", "0");
            xml::leaf(out, "IsAttachable", "true");
            xml::leaf(out, "Description", policy.description);
            xml::leaf(out, "CreateDate", policy.created);
            xml::leaf(out, "UpdateDate", policy.updated);
        });
        Ok(out)
    }

    pub(super) fn get_policy_version(&mut self) -> Answer {
        let version = input::required(self.input, "VersionId")?;
        let policy = self.allowed_policy("iam:GetPolicyVersion")?;
        if version != policy.version {
            // Earlier versions of the managed policies are not kept here.
            let message = format!("Policy {} version {version} does not exist or is not attachable.", policy.arn);
            return Err(no_such_entity(message));
        }
        let mut out = Xml::new();
        xml::nest(&mut out, "PolicyVersion", |out| {
            xml::leaf(out, "Document", &xml::url_encode(policy.text));
            xml::leaf(out, "VersionId", policy.version);
            xml::leaf(out, "IsDefaultVersion", "true");
            xml::leaf(out, "CreateDate", policy.updated);
        });
        Ok(out)
    }

    fn allowed_policy(&mut self, action: &str) -> Result<&'static Managed, Fault> {
        let arn = input::policy_arn(self.input)?;
        self.allow(action, arn, &ConditionContext::default())?;
        managed::find(arn).ok_or_else(|| no_managed_policy(arn, format!("Policy {arn} was not found.")))
    }
}

/// A managed policy that the sandbox doesn't have. Where AWS has it, the message says so instead of AWS's `message`.
fn no_managed_policy(arn: &str, message: String) -> Fault {
    if !catalog::has_managed_policy(arn) {
        return no_such_entity(message);
    }
    let known: Vec<&str> = managed::names().collect();
    no_such_entity(format!(
        "The sandbox does not have the AWS managed policy {arn}. It has {}. Put what you need into an inline policy.",
        known.join(", ")
    ))
}

fn no_such_policy(name: &str) -> Fault {
    no_such_entity(format!("The user policy with name {name} cannot be found."))
}

fn policy_condition(arn: &str) -> ConditionContext {
    let mut context = ConditionContext::default();
    context.set("iam:PolicyARN", arn);
    context
}
