//! Decisions in words: AWS's denial messages, and why a statement doesn't match.

use std::collections::BTreeMap;
use std::fmt;

use super::request::AccessRequest;
use super::trace::{Decision, Mismatch, Missing, Outcome, PolicySource};

impl fmt::Display for PolicySource {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::KeyPolicy { .. } => out.write_str("the key policy"),
            Self::Managed { name, .. } => write!(out, "the managed policy {name}"),
            Self::Inline { user, name } => write!(out, "{user}'s inline policy {name}"),
            Self::Trust { .. } => out.write_str("the role's trust policy"),
            Self::Boundary { .. } => out.write_str("the permissions boundary"),
            Self::Session { .. } => out.write_str("the session policy"),
            Self::Grant { grant_id } => write!(out, "the grant {grant_id}"),
        }
    }
}

impl fmt::Display for Mismatch {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Principal { wanted, negated: false, caller } => {
                write!(out, "It applies to {}, but the caller is {caller}.", list(wanted, "or"))
            }
            Self::Principal { wanted, negated: true, caller } => {
                write!(out, "It applies to everyone except {}, but the caller is {caller}.", list(wanted, "and"))
            }
            Self::Action { wanted, negated: false, asked } => {
                write!(out, "It applies to {}, but the call is {asked}.", list(wanted, "or"))
            }
            Self::Action { wanted, negated: true, asked } => {
                write!(out, "It applies to every action except {}, but the call is {asked}.", list(wanted, "and"))
            }
            Self::Resource { wanted, negated: false, asked } => {
                write!(out, "It applies to {}, but the call is on {asked}.", list(wanted, "or"))
            }
            Self::Resource { wanted, negated: true, asked } => {
                write!(out, "It applies to every resource except {}, but the call is on {asked}.", list(wanted, "and"))
            }
            Self::Condition { operator, key, wanted, found } => {
                let wanted = list(wanted, "or");
                if found.is_empty() {
                    write!(
                        out,
                        "Its condition {operator} requires {key} to match {wanted}, but the request has no {key}."
                    )
                } else {
                    let found = list(found, "and");
                    write!(
                        out,
                        "Its condition {operator} requires {key} to match {wanted}, but the request has {found}."
                    )
                }
            }
            Self::GrantOperation { granted, asked } => {
                write!(out, "It allows {}, but the call is {asked}.", list(granted, "and"))
            }
            Self::GrantContext { constraint, wanted, found } => write!(
                out,
                "Its constraint {constraint} requires the encryption context {}, but the call has {}.",
                pairs(wanted),
                pairs(found)
            ),
            Self::Grantee { wanted, caller } => {
                write!(out, "It is for {wanted}, but the caller is {caller}.")
            }
        }
    }
}

/// `a`, `a or b`, `a, b or c`.
fn list(items: &[String], last: &str) -> String {
    match items {
        [] => "nothing".to_owned(),
        [one] => one.clone(),
        [start @ .., end] => format!("{} {last} {end}", start.join(", ")),
    }
}

fn pairs(context: &BTreeMap<String, String>) -> String {
    if context.is_empty() {
        return "no pairs".to_owned();
    }
    let pairs: Vec<String> = context.iter().map(|(name, value)| format!("{name}={value}")).collect();
    format!("{{{}}}", pairs.join(", "))
}

impl Decision {
    /// Returns AWS's denial message (IAM guide, observed on AWS); `None` if the call is allowed.
    pub fn message(&self, request: &AccessRequest<'_>) -> Option<String> {
        let AccessRequest { principal, action, resource, .. } = *request;
        let allows_none = |kind: &str| format!("because no {kind} allows the {action} action");
        let (by_resource, reason) = match &self.outcome {
            Outcome::Allowed { .. } => return None,
            // Of a trust policy AWS says neither whose it is nor whether the role exists.
            Outcome::ExplicitDeny { by: PolicySource::Trust { .. }, .. } => {
                return Some(request.without_resource("with an explicit deny in the role trust policy"));
            }
            Outcome::ImplicitDeny { missing: Missing::TrustPolicy } => {
                return Some(request.without_resource(&allows_none("role trust policy")));
            }
            Outcome::ExplicitDeny { by, .. } => {
                let kind = match by {
                    PolicySource::KeyPolicy { .. } => "resource-based policy",
                    PolicySource::Boundary { .. } => "permissions boundary",
                    PolicySource::Session { .. } => "session policy",
                    _ => "identity-based policy",
                };
                let article = if kind.starts_with('i') { "an" } else { "a" };
                (by.is_resource_based(), format!("with an explicit deny in {article} {kind}"))
            }
            Outcome::ImplicitDeny { missing: Missing::IdentityPolicy } => (false, allows_none("identity-based policy")),
            Outcome::ImplicitDeny { missing: Missing::ResourcePolicy } => (true, allows_none("resource-based policy")),
            Outcome::ImplicitDeny { missing: Missing::PermissionsBoundary } => {
                (false, allows_none("permissions boundary"))
            }
            Outcome::ImplicitDeny { missing: Missing::SessionPolicy } => (false, allows_none("session policy")),
        };
        // To a caller of another account AWS doesn't say what the resource's policy says, nor whether it exists.
        let owner = resource.split(':').nth(4).unwrap_or_default();
        if by_resource && !principal.is_service() && !owner.is_empty() && owner != principal.account {
            return Some(request.absent_message());
        }
        Some(format!("User: {} is not authorized to perform: {action} on resource: {resource} {reason}", principal.arn))
    }
}

impl AccessRequest<'_> {
    /// Returns AWS's message for a denied `sts:AssumeRole` (IAM guide, "Troubleshoot access denied error messages").
    fn without_resource(&self, reason: &str) -> String {
        format!("User: {} is not authorized to perform: {} {reason}", self.principal.arn, self.action)
    }

    /// Returns AWS's message for a key that doesn't exist or belongs to another account (IAM guide).
    fn absent_message(&self) -> String {
        format!(
            "User: {} is not authorized to perform: {} on this resource because the resource does not exist in this \
             Region, no resource-based policies allow access, or a resource-based policy explicitly denies access",
            self.principal.arn, self.action
        )
    }
}
