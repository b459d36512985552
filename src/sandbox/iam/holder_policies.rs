//! Policies of users and roles, attached and inline.

use std::marker::PhantomData;

use super::holder::{Holder, no_such_entity};
use super::managed;
use super::members::{self, Page};
use super::policy::Known;
use super::user::{InlinePolicy, inline_size, size};
use crate::policy::ConditionContext;
use crate::sandbox::authorize::facts;
use crate::sandbox::aws_names;
use crate::sandbox::operation::{Context, Fault, Later, Members, Output, Request};
use crate::sandbox::xml::{self, Xml};

/// AWS's quota of managed policies for a user or role (IAM guide).
const MAX_ATTACHED: usize = 10;

/// A managed policy of a user or role, as a request names both.
struct Attachment<H> {
    holder: String,
    arn: String,
    kind: PhantomData<H>,
}

impl<H: Holder> Attachment<H> {
    fn parse(members: &Members<'_>) -> Result<Self, Fault> {
        Ok(Self { holder: H::parse_name(members)?, arn: members::policy_arn(members)?, kind: PhantomData })
    }

    /// The user or role, if the caller is allowed to `Attach` or `Detach`.
    fn authorize(&self, cx: &mut Context<'_>, verb: &str) -> Result<H, Fault> {
        let action = format!("iam:{verb}{}Policy", H::KIND);
        cx.holder(&action, &self.holder, &facts([("iam:PolicyARN", &self.arn)]))
    }
}

/// `AttachUserPolicy`, `AttachRolePolicy`
pub struct AttachPolicy<H>(Attachment<H>);

impl<H: Holder> Request for AttachPolicy<H> {
    fn parse(members: &Members<'_>) -> Result<Self, Fault> {
        Attachment::parse(members).map(Self)
    }

    fn run(self, cx: &mut Context<'_>) -> Result<Output, Fault> {
        let mut holder = self.0.authorize(cx, "Attach")?;
        let arn = self.0.arn;
        if cx.account.state.iam.managed(&arn).is_none() {
            return Err(no_managed_policy(&arn, format!("Policy {arn} does not exist or is not attachable.")));
        }
        let attached = holder.held().attached;
        // Attaching twice is no error (IAM guide).
        if attached.contains(&arn) {
            return Ok(Xml::new().into());
        }
        if attached.len() >= MAX_ATTACHED {
            let message = format!("Cannot exceed quota for PoliciesPer{}: {MAX_ATTACHED}", H::KIND);
            return Err(Fault::service(409, "LimitExceeded", message));
        }
        attached.push(arn);
        cx.save(holder)
    }
}

/// `DetachUserPolicy`, `DetachRolePolicy`
pub struct DetachPolicy<H>(Attachment<H>);

impl<H: Holder> Request for DetachPolicy<H> {
    fn parse(members: &Members<'_>) -> Result<Self, Fault> {
        Attachment::parse(members).map(Self)
    }

    fn run(self, cx: &mut Context<'_>) -> Result<Output, Fault> {
        let mut holder = self.0.authorize(cx, "Detach")?;
        let arn = self.0.arn;
        let attached = holder.held().attached;
        let at = attached.iter().position(|attached| *attached == arn);
        let at = at.ok_or_else(|| no_such_entity(format!("Policy {arn} was not found.")))?;
        attached.remove(at);
        cx.save(holder)
    }
}

/// `ListAttachedUserPolicies`, `ListAttachedRolePolicies`
pub struct ListAttachedPolicies<H> {
    holder: String,
    prefix: String,
    page: Later<Page>,
    kind: PhantomData<H>,
}

impl<H: Holder> Request for ListAttachedPolicies<H> {
    fn parse(members: &Members<'_>) -> Result<Self, Fault> {
        Ok(Self {
            holder: H::parse_name(members)?,
            prefix: members::path(members, "PathPrefix")?,
            page: Page::parse(members),
            kind: PhantomData,
        })
    }

    fn run(self, cx: &mut Context<'_>) -> Result<Output, Fault> {
        let action = format!("iam:ListAttached{}Policies", H::KIND);
        let mut holder: H = cx.holder(&action, &self.holder, &ConditionContext::default())?;
        let attached = holder.held().attached.iter().filter_map(|arn| cx.account.state.iam.managed(arn));
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

/// An inline policy of a user or role, as a request names both.
struct Inline<H> {
    holder: String,
    name: String,
    kind: PhantomData<H>,
}

impl<H: Holder> Inline<H> {
    fn parse(members: &Members<'_>) -> Result<Self, Fault> {
        Ok(Self { holder: H::parse_name(members)?, name: members::policy_name(members)?, kind: PhantomData })
    }

    /// The user or role, if the caller is allowed to `Put`, `Get` or `Delete`.
    fn authorize(&self, cx: &mut Context<'_>, verb: &str) -> Result<H, Fault> {
        cx.holder(&format!("iam:{verb}{}Policy", H::KIND), &self.holder, &ConditionContext::default())
    }

    fn missing(&self) -> Fault {
        no_such_entity(format!("The {} policy with name {} cannot be found.", H::CALLED, self.name))
    }
}

/// `PutUserPolicy`, `PutRolePolicy`
pub struct PutPolicy<H> {
    inline: Inline<H>,
    text: String,
}

impl<H: Holder> Request for PutPolicy<H> {
    fn parse(members: &Members<'_>) -> Result<Self, Fault> {
        let inline = Inline::parse(members)?;
        Ok(Self { inline, text: members.str("PolicyDocument", 1..=131_072)?.to_owned() })
    }

    fn run(self, cx: &mut Context<'_>) -> Result<Output, Fault> {
        let mut holder = self.inline.authorize(cx, "Put")?;
        let policy = InlinePolicy::new(self.text)
            .map_err(|error| Fault::service(400, "MalformedPolicyDocument", error.to_string()))?;
        let inline = holder.held().inline;
        let replaced = inline.get(&self.inline.name).map_or(0, |old| size(&old.text));
        if inline_size(inline) - replaced + size(&policy.text) > H::MAX_INLINE_SIZE {
            let (limit, called) = (H::MAX_INLINE_SIZE, H::CALLED);
            let message = format!("Maximum policy size of {limit} bytes exceeded for {called} {}", holder.name());
            return Err(Fault::service(409, "LimitExceeded", message));
        }
        inline.insert(self.inline.name, policy);
        cx.save(holder)
    }
}

/// `GetUserPolicy`, `GetRolePolicy`
pub struct GetPolicy<H>(Inline<H>);

impl<H: Holder> Request for GetPolicy<H> {
    fn parse(members: &Members<'_>) -> Result<Self, Fault> {
        Inline::parse(members).map(Self)
    }

    fn run(self, cx: &mut Context<'_>) -> Result<Output, Fault> {
        let mut holder = self.0.authorize(cx, "Get")?;
        let policy = holder.held().inline.get(&self.0.name).ok_or_else(|| self.0.missing())?;
        let mut out = Xml::new();
        xml::leaf(&mut out, &format!("{}Name", H::KIND), &self.0.holder);
        xml::leaf(&mut out, "PolicyName", &self.0.name);
        xml::leaf(&mut out, "PolicyDocument", &xml::url_encode(&policy.text));
        Ok(out.into())
    }
}

/// `DeleteUserPolicy`, `DeleteRolePolicy`
pub struct DeletePolicy<H>(Inline<H>);

impl<H: Holder> Request for DeletePolicy<H> {
    fn parse(members: &Members<'_>) -> Result<Self, Fault> {
        Inline::parse(members).map(Self)
    }

    fn run(self, cx: &mut Context<'_>) -> Result<Output, Fault> {
        let mut holder = self.0.authorize(cx, "Delete")?;
        holder.held().inline.remove(&self.0.name).ok_or_else(|| self.0.missing())?;
        cx.save(holder)
    }
}

/// `ListUserPolicies`, `ListRolePolicies`
pub struct ListPolicies<H> {
    holder: String,
    page: Later<Page>,
    kind: PhantomData<H>,
}

impl<H: Holder> Request for ListPolicies<H> {
    fn parse(members: &Members<'_>) -> Result<Self, Fault> {
        Ok(Self { holder: H::parse_name(members)?, page: Page::parse(members), kind: PhantomData })
    }

    fn run(self, cx: &mut Context<'_>) -> Result<Output, Fault> {
        let action = format!("iam:List{}Policies", H::KIND);
        let mut holder: H = cx.holder(&action, &self.holder, &ConditionContext::default())?;
        let mut out = Xml::new();
        let names = holder.held().inline.keys();
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
