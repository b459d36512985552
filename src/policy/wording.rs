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
        let (by_resource, reason) = match &self.outcome {
            Outcome::Allowed { .. } => return None,
            Outcome::ExplicitDeny { by, .. } if by.is_resource_based() => {
                (true, "with an explicit deny in a resource-based policy".to_owned())
            }
            Outcome::ExplicitDeny { .. } => (false, "with an explicit deny in an identity-based policy".to_owned()),
            Outcome::ImplicitDeny { missing: Missing::IdentityPolicy } => {
                (false, format!("because no identity-based policy allows the {action} action"))
            }
            Outcome::ImplicitDeny { missing: Missing::ResourcePolicy } => {
                (true, format!("because no resource-based policy allows the {action} action"))
            }
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
    /// Returns AWS's message for a key that doesn't exist or belongs to another account (IAM guide).
    fn absent_message(&self) -> String {
        format!(
            "User: {} is not authorized to perform: {} on this resource because the resource does not exist in this \
             Region, no resource-based policies allow access, or a resource-based policy explicitly denies access",
            self.principal.arn, self.action
        )
    }
}
