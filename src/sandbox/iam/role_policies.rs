//! Policies of roles, attached and inline.

use super::members::{self, Page};
use super::policy::Known;
use super::user::{InlinePolicy, inline_size, size};
use super::user_policies::{MAX_ATTACHED, no_managed_policy};
use super::users::no_such_entity;
use crate::policy::ConditionContext;
use crate::sandbox::authorize::facts;
use crate::sandbox::operation::{Context, Fault, Later, Members, Output, Request};
use crate::sandbox::xml::{self, Xml};

/// AWS's limit for all inline policies of a role together, in characters without white space (IAM guide).
const MAX_INLINE_SIZE: usize = 10_240;

/// `AttachRolePolicy`
pub struct AttachRolePolicy {
    role: String,
    arn: String,
}

impl Request for AttachRolePolicy {
    fn parse(members: &Members<'_>) -> Result<Self, Fault> {
        Ok(Self { role: members::role_name(members)?, arn: members::policy_arn(members)? })
    }

    fn run(self, cx: &mut Context<'_>) -> Result<Output, Fault> {
        let arn = self.arn;
        let mut role = cx.role("iam:AttachRolePolicy", &self.role, &facts([("iam:PolicyARN", &arn)]))?;
        if cx.account.state.iam.managed(&arn).is_none() {
            return Err(no_managed_policy(&arn, format!("Policy {arn} does not exist or is not attachable.")));
        }
        // Attaching twice is no error (IAM guide).
        if role.attached.contains(&arn) {
            return Ok(Xml::new().into());
        }
        if role.attached.len() >= MAX_ATTACHED {
            let message = format!("Cannot exceed quota for PoliciesPerRole: {MAX_ATTACHED}");
            return Err(Fault::service(409, "LimitExceeded", message));
        }
        role.attached.push(arn);
        cx.save_role(role)
    }
}

/// `DetachRolePolicy`
pub struct DetachRolePolicy {
    role: String,
    arn: String,
}

impl Request for DetachRolePolicy {
    fn parse(members: &Members<'_>) -> Result<Self, Fault> {
        Ok(Self { role: members::role_name(members)?, arn: members::policy_arn(members)? })
    }

    fn run(self, cx: &mut Context<'_>) -> Result<Output, Fault> {
        let arn = self.arn;
        let mut role = cx.role("iam:DetachRolePolicy", &self.role, &facts([("iam:PolicyARN", &arn)]))?;
        let at = role.attached.iter().position(|attached| *attached == arn);
        let at = at.ok_or_else(|| no_such_entity(format!("Policy {arn} was not found.")))?;
        role.attached.remove(at);
        cx.save_role(role)
    }
}

/// `ListAttachedRolePolicies`
pub struct ListAttachedRolePolicies {
    role: String,
    prefix: String,
    page: Later<Page>,
}

impl Request for ListAttachedRolePolicies {
    fn parse(members: &Members<'_>) -> Result<Self, Fault> {
        let prefix = members::path(members, "PathPrefix")?;
        Ok(Self { role: members::role_name(members)?, prefix, page: Page::parse(members) })
    }

    fn run(self, cx: &mut Context<'_>) -> Result<Output, Fault> {
        let role = cx.role("iam:ListAttachedRolePolicies", &self.role, &ConditionContext::default())?;
        let attached = role.attached.iter().filter_map(|arn| cx.account.state.iam.managed(arn));
        let attached = attached.filter(|policy| policy.path().starts_with(&self.prefix));
        let mut out = Xml::new();
        let write = |out: &mut Xml, policy: Known| {
            xml::leaf(out, "PolicyName", policy.name());
            xml::leaf(out, "PolicyArn", policy.arn());
        };
        self.page?.write(&mut out, "AttachedPolicies", attached, |policy| policy.arn(), write);
        Ok(out.into())
    }
}

/// `PutRolePolicy`
pub struct PutRolePolicy {
    role: String,
    name: String,
    text: String,
}

impl Request for PutRolePolicy {
    fn parse(members: &Members<'_>) -> Result<Self, Fault> {
        Ok(Self {
            role: members::role_name(members)?,
            name: members::policy_name(members)?,
            text: members.str("PolicyDocument", 1..=131_072)?.to_owned(),
        })
    }

    fn run(self, cx: &mut Context<'_>) -> Result<Output, Fault> {
        let mut role = cx.role("iam:PutRolePolicy", &self.role, &ConditionContext::default())?;
        let policy = InlinePolicy::new(self.text)
            .map_err(|error| Fault::service(400, "MalformedPolicyDocument", error.to_string()))?;
        let replaced = role.inline.get(&self.name).map_or(0, |old| size(&old.text));
        if inline_size(&role.inline) - replaced + size(&policy.text) > MAX_INLINE_SIZE {
            let message = format!("Maximum policy size of {MAX_INLINE_SIZE} bytes exceeded for role {}", role.name);
            return Err(Fault::service(409, "LimitExceeded", message));
        }
        role.inline.insert(self.name, policy);
        cx.save_role(role)
    }
}

/// `GetRolePolicy`
pub struct GetRolePolicy {
    role: String,
    name: String,
}

impl Request for GetRolePolicy {
    fn parse(members: &Members<'_>) -> Result<Self, Fault> {
        Ok(Self { role: members::role_name(members)?, name: members::policy_name(members)? })
    }

    fn run(self, cx: &mut Context<'_>) -> Result<Output, Fault> {
        let role = cx.role("iam:GetRolePolicy", &self.role, &ConditionContext::default())?;
        let policy = role.inline.get(&self.name).ok_or_else(|| no_such_policy(&self.name))?;
        let mut out = Xml::new();
        xml::leaf(&mut out, "RoleName", &self.role);
        xml::leaf(&mut out, "PolicyName", &self.name);
        xml::leaf(&mut out, "PolicyDocument", &xml::url_encode(&policy.text));
        Ok(out.into())
    }
}

/// `DeleteRolePolicy`
pub struct DeleteRolePolicy {
    role: String,
    name: String,
}

impl Request for DeleteRolePolicy {
    fn parse(members: &Members<'_>) -> Result<Self, Fault> {
        Ok(Self { role: members::role_name(members)?, name: members::policy_name(members)? })
    }

    fn run(self, cx: &mut Context<'_>) -> Result<Output, Fault> {
        let mut role = cx.role("iam:DeleteRolePolicy", &self.role, &ConditionContext::default())?;
        role.inline.remove(&self.name).ok_or_else(|| no_such_policy(&self.name))?;
        cx.save_role(role)
    }
}

/// `ListRolePolicies`
pub struct ListRolePolicies {
    role: String,
    page: Later<Page>,
}

impl Request for ListRolePolicies {
    fn parse(members: &Members<'_>) -> Result<Self, Fault> {
        Ok(Self { role: members::role_name(members)?, page: Page::parse(members) })
    }

    fn run(self, cx: &mut Context<'_>) -> Result<Output, Fault> {
        let role = cx.role("iam:ListRolePolicies", &self.role, &ConditionContext::default())?;
        let mut out = Xml::new();
        let names = role.inline.keys();
        self.page?.write(&mut out, "PolicyNames", names, |name| name, |out, name| out.push_str(name));
        Ok(out.into())
    }
}

fn no_such_policy(name: &str) -> Fault {
    no_such_entity(format!("The role policy with name {name} cannot be found."))
}
