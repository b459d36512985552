//! Policies of users, attached and inline.

use super::managed;
use super::members::{self, Page};
use super::policy::Known;
use super::user::{InlinePolicy, inline_size, size};
use super::users::no_such_entity;
use crate::policy::ConditionContext;
use crate::sandbox::authorize::facts;
use crate::sandbox::aws_names;
use crate::sandbox::operation::{Context, Fault, Later, Members, Output, Request};
use crate::sandbox::xml::{self, Xml};

/// AWS's quota of managed policies for a user or role (IAM guide).
pub(super) const MAX_ATTACHED: usize = 10;
/// AWS's limit for all inline policies of a user together, in characters without white space (IAM guide).
const MAX_INLINE_SIZE: usize = 2048;

/// `AttachUserPolicy`
pub struct AttachUserPolicy {
    user: String,
    arn: String,
}

impl Request for AttachUserPolicy {
    fn parse(members: &Members<'_>) -> Result<Self, Fault> {
        Ok(Self { user: members::user_name(members)?, arn: members::policy_arn(members)? })
    }

    fn run(self, cx: &mut Context<'_>) -> Result<Output, Fault> {
        let arn = self.arn;
        let mut user = cx.user("iam:AttachUserPolicy", &self.user, &facts([("iam:PolicyARN", &arn)]))?;
        if cx.account.state.iam.managed(&arn).is_none() {
            return Err(no_managed_policy(&arn, format!("Policy {arn} does not exist or is not attachable.")));
        }
        // Attaching twice is no error (IAM guide).
        if user.attached.contains(&arn) {
            return Ok(Xml::new().into());
        }
        if user.attached.len() >= MAX_ATTACHED {
            let message = format!("Cannot exceed quota for PoliciesPerUser: {MAX_ATTACHED}");
            return Err(Fault::service(409, "LimitExceeded", message));
        }
        user.attached.push(arn);
        cx.save_user(user)
    }
}

/// `DetachUserPolicy`
pub struct DetachUserPolicy {
    user: String,
    arn: String,
}

impl Request for DetachUserPolicy {
    fn parse(members: &Members<'_>) -> Result<Self, Fault> {
        Ok(Self { user: members::user_name(members)?, arn: members::policy_arn(members)? })
    }

    fn run(self, cx: &mut Context<'_>) -> Result<Output, Fault> {
        let arn = self.arn;
        let mut user = cx.user("iam:DetachUserPolicy", &self.user, &facts([("iam:PolicyARN", &arn)]))?;
        let at = user.attached.iter().position(|attached| *attached == arn);
        let at = at.ok_or_else(|| no_such_entity(format!("Policy {arn} was not found.")))?;
        user.attached.remove(at);
        cx.save_user(user)
    }
}

/// `ListAttachedUserPolicies`
pub struct ListAttachedUserPolicies {
    user: String,
    prefix: String,
    page: Later<Page>,
}

impl Request for ListAttachedUserPolicies {
    fn parse(members: &Members<'_>) -> Result<Self, Fault> {
        Ok(Self {
            user: members::user_name(members)?,
            prefix: members::path(members, "PathPrefix")?,
            page: Page::parse(members),
        })
    }

    fn run(self, cx: &mut Context<'_>) -> Result<Output, Fault> {
        let user = cx.user("iam:ListAttachedUserPolicies", &self.user, &ConditionContext::default())?;
        let attached = user.attached.iter().filter_map(|arn| cx.account.state.iam.managed(arn));
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

/// `PutUserPolicy`
pub struct PutUserPolicy {
    user: String,
    name: String,
    text: String,
}

impl Request for PutUserPolicy {
    fn parse(members: &Members<'_>) -> Result<Self, Fault> {
        Ok(Self {
            user: members::user_name(members)?,
            name: members::policy_name(members)?,
            text: members.str("PolicyDocument", 1..=131_072)?.to_owned(),
        })
    }

    fn run(self, cx: &mut Context<'_>) -> Result<Output, Fault> {
        let mut user = cx.user("iam:PutUserPolicy", &self.user, &ConditionContext::default())?;
        let policy = InlinePolicy::new(self.text)
            .map_err(|error| Fault::service(400, "MalformedPolicyDocument", error.to_string()))?;
        let replaced = user.inline.get(&self.name).map_or(0, |old| size(&old.text));
        if inline_size(&user.inline) - replaced + size(&policy.text) > MAX_INLINE_SIZE {
            let message = format!("Maximum policy size of {MAX_INLINE_SIZE} bytes exceeded for user {}", user.name);
            return Err(Fault::service(409, "LimitExceeded", message));
        }
        user.inline.insert(self.name, policy);
        cx.save_user(user)
    }
}

/// `GetUserPolicy`
pub struct GetUserPolicy {
    user: String,
    name: String,
}

impl Request for GetUserPolicy {
    fn parse(members: &Members<'_>) -> Result<Self, Fault> {
        Ok(Self { user: members::user_name(members)?, name: members::policy_name(members)? })
    }

    fn run(self, cx: &mut Context<'_>) -> Result<Output, Fault> {
        let user = cx.user("iam:GetUserPolicy", &self.user, &ConditionContext::default())?;
        let policy = user.inline.get(&self.name).ok_or_else(|| no_such_policy(&self.name))?;
        let mut out = Xml::new();
        xml::leaf(&mut out, "UserName", &self.user);
        xml::leaf(&mut out, "PolicyName", &self.name);
        xml::leaf(&mut out, "PolicyDocument", &xml::url_encode(&policy.text));
        Ok(out.into())
    }
}

/// `DeleteUserPolicy`
pub struct DeleteUserPolicy {
    user: String,
    name: String,
}

impl Request for DeleteUserPolicy {
    fn parse(members: &Members<'_>) -> Result<Self, Fault> {
        Ok(Self { user: members::user_name(members)?, name: members::policy_name(members)? })
    }

    fn run(self, cx: &mut Context<'_>) -> Result<Output, Fault> {
        let mut user = cx.user("iam:DeleteUserPolicy", &self.user, &ConditionContext::default())?;
        user.inline.remove(&self.name).ok_or_else(|| no_such_policy(&self.name))?;
        cx.save_user(user)
    }
}

/// `ListUserPolicies`
pub struct ListUserPolicies {
    user: String,
    page: Later<Page>,
}

impl Request for ListUserPolicies {
    fn parse(members: &Members<'_>) -> Result<Self, Fault> {
        Ok(Self { user: members::user_name(members)?, page: Page::parse(members) })
    }

    fn run(self, cx: &mut Context<'_>) -> Result<Output, Fault> {
        let user = cx.user("iam:ListUserPolicies", &self.user, &ConditionContext::default())?;
        let mut out = Xml::new();
        let names = user.inline.keys();
        self.page?.write(&mut out, "PolicyNames", names, |name| name, |out, name| out.push_str(name));
        Ok(out.into())
    }
}

/// A managed policy that the sandbox doesn't have. If AWS has it, the message says so instead of AWS's `message`.
pub(super) fn no_managed_policy(arn: &str, message: String) -> Fault {
    if !aws_names::has_managed_policy(arn) {
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
