//! The decision, its trace, and both in words.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::decide::Call;
use super::document::Effect;

/// Where a policy came from.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum PolicySource {
    /// The key's own policy: the resource-based one.
    KeyPolicy {
        /// The key.
        key_arn: String,
    },
    /// An AWS managed policy attached to the user.
    Managed {
        /// For example `AmazonDynamoDBFullAccess`.
        name: String,
        /// `arn:aws:iam::aws:policy/…`
        arn: String,
    },
    /// A policy embedded in a user.
    Inline {
        /// The user's name.
        user: String,
        /// The policy's name.
        name: String,
    },
    /// A KMS grant.
    Grant {
        /// 64 hexadecimal digits.
        grant_id: String,
    },
}

impl PolicySource {
    /// Whether it belongs to the resource and not to the caller.
    pub fn is_resource_based(&self) -> bool {
        matches!(self, Self::KeyPolicy { .. })
    }
}

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

/// What was decided, and everything that was looked at on the way.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Decision {
    /// The verdict.
    pub outcome: Outcome,
    /// Every statement and grant, in the order they were looked at: the key policy, the caller's policies, the grants.
    pub trace: Vec<Examined>,
}

/// The verdict.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "verdict", rename_all = "snake_case")]
pub enum Outcome {
    /// The call may go on.
    Allowed {
        /// Whose allow it was.
        by: PolicySource,
        /// The statement's name.
        sid: Option<String>,
        /// Whether the identity policy counted because the key policy hands the decision to the account's IAM.
        via_account: bool,
    },
    /// A statement forbids it.
    ExplicitDeny {
        /// Whose deny it was.
        by: PolicySource,
        /// The statement's name.
        sid: Option<String>,
    },
    /// Nothing allows it.
    ImplicitDeny {
        /// The policy type AWS names in its message.
        missing: Missing,
    },
}

/// The policy type that lacks an allow. AWS names one, even where several lack it (IAM guide).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Missing {
    /// The caller's policies.
    IdentityPolicy,
    /// The resource's policy.
    ResourcePolicy,
}

/// One statement (or grant) looked at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Examined {
    /// Where it stands.
    pub source: PolicySource,
    /// Its place in the document, counted from 0; for a grant its place in the key's list.
    pub statement: usize,
    /// Its name; for a grant the grant's name.
    pub sid: Option<String>,
    /// What it would do.
    pub effect: Effect,
    /// Whether it does.
    pub result: Examination,
    /// The very statement, as its document has it; a grant as ListGrants describes it.
    #[serde(with = "shared")]
    pub json: Arc<Value>,
}

/// A shared value is written as the value itself: serde's own way would need a feature that all of its users pay for.
mod shared {
    use super::{Arc, Value};
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    pub fn serialize<S: Serializer>(value: &Arc<Value>, serializer: S) -> Result<S::Ok, S::Error> {
        value.as_ref().serialize(serializer)
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Arc<Value>, D::Error> {
        Value::deserialize(deserializer).map(Arc::new)
    }
}

/// Whether a statement concerns the call.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Examination {
    /// In every part.
    Matched,
    /// The key policy names the caller's account: IAM may decide.
    DelegatesToAccount,
    /// Not, and each part in which it doesn't.
    NotMatched(Vec<Mismatch>),
}

/// A part of a statement or grant that doesn't fit the call. Displays as one sentence.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "part", rename_all = "snake_case")]
pub enum Mismatch {
    /// It is about somebody else.
    Principal {
        /// The names in the statement.
        wanted: Vec<String>,
        /// `NotPrincipal`
        negated: bool,
        /// Who asked.
        caller: String,
    },
    /// It is about another action.
    Action {
        /// The patterns in the statement.
        wanted: Vec<String>,
        /// `NotAction`
        negated: bool,
        /// What was asked for.
        asked: String,
    },
    /// It is about another resource.
    Resource {
        /// The patterns in the statement.
        wanted: Vec<String>,
        /// `NotResource`
        negated: bool,
        /// What was asked for.
        asked: String,
    },
    /// A condition doesn't hold.
    Condition {
        /// For example `StringEquals`.
        operator: String,
        /// For example `kms:ViaService`.
        key: String,
        /// The values in the statement.
        wanted: Vec<String>,
        /// The values of the request; none when it doesn't carry the key.
        found: Vec<String>,
    },
    /// The grant doesn't cover the operation.
    GrantOperation {
        /// What it covers.
        granted: Vec<String>,
        /// What was asked for.
        asked: String,
    },
    /// The encryption context doesn't fulfil the grant's constraint.
    GrantContext {
        /// `EncryptionContextEquals` or `EncryptionContextSubset`
        constraint: String,
        /// The pairs in the grant.
        wanted: BTreeMap<String, String>,
        /// The pairs of the call.
        found: BTreeMap<String, String>,
    },
    /// The grant was given to somebody else.
    Grantee {
        /// Whom it was given to.
        wanted: String,
        /// Who asked.
        caller: String,
    },
}

impl fmt::Display for Mismatch {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Principal { wanted, negated: false, caller } => {
                write!(out, "It is about {}, and the caller is {caller}.", list(wanted, "or"))
            }
            Self::Principal { wanted, negated: true, caller } => {
                write!(out, "It is about everybody but {}, and the caller is {caller}.", list(wanted, "and"))
            }
            Self::Action { wanted, negated: false, asked } => {
                write!(out, "It is about {}, and the call is {asked}.", list(wanted, "or"))
            }
            Self::Action { wanted, negated: true, asked } => {
                write!(out, "It is about every action but {}, and the call is {asked}.", list(wanted, "and"))
            }
            Self::Resource { wanted, negated: false, asked } => {
                write!(out, "It is about {}, and the call concerns {asked}.", list(wanted, "or"))
            }
            Self::Resource { wanted, negated: true, asked } => {
                write!(out, "It is about every resource but {}, and the call concerns {asked}.", list(wanted, "and"))
            }
            Self::Condition { operator, key, wanted, found } => {
                let wanted = list(wanted, "or");
                if found.is_empty() {
                    write!(
                        out,
                        "Its condition {operator} wants {key} to fit {wanted}, and the request carries no {key}."
                    )
                } else {
                    let found = list(found, "and");
                    write!(out, "Its condition {operator} wants {key} to fit {wanted}, and the request says {found}.")
                }
            }
            Self::GrantOperation { granted, asked } => {
                write!(out, "It covers {}, and the call is {asked}.", list(granted, "and"))
            }
            Self::GrantContext { constraint, wanted, found } => write!(
                out,
                "Its constraint {constraint} wants the encryption context {}, and the call has {}.",
                pairs(wanted),
                pairs(found)
            ),
            Self::Grantee { wanted, caller } => {
                write!(out, "It was given to {wanted}, and the caller is {caller}.")
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

impl Mismatch {
    /// About how many bytes it takes to keep.
    fn size(&self) -> usize {
        fn of<'a>(texts: impl IntoIterator<Item = &'a String>) -> usize {
            texts.into_iter().map(|text| size_of::<String>() + text.len()).sum()
        }
        let texts = match self {
            Self::Principal { wanted, caller: one, .. }
            | Self::Action { wanted, asked: one, .. }
            | Self::Resource { wanted, asked: one, .. }
            | Self::GrantOperation { granted: wanted, asked: one } => of(wanted) + one.len(),
            Self::Condition { operator, key, wanted, found } => of([operator, key]) + of(wanted) + of(found),
            Self::GrantContext { wanted, found, .. } => {
                of(wanted.keys().chain(wanted.values())) + of(found.keys().chain(found.values()))
            }
            Self::Grantee { wanted, caller } => of([wanted, caller]),
        };
        size_of::<Self>() + texts
    }
}

/// About how many bytes a value takes. Decisions share a statement, but the last one to quote it keeps it.
fn weight(value: &Value) -> usize {
    let inner = match value {
        Value::String(text) => text.len(),
        Value::Array(elements) => elements.iter().map(weight).sum(),
        Value::Object(members) => members.iter().map(|(name, member)| name.len() + weight(member)).sum(),
        Value::Null | Value::Bool(_) | Value::Number(_) => 0,
    };
    size_of::<Value>() + inner
}

impl Examined {
    fn size(&self) -> usize {
        let parts = match &self.result {
            Examination::NotMatched(parts) => parts.iter().map(Mismatch::size).sum(),
            Examination::Matched | Examination::DelegatesToAccount => 0,
        };
        // A source is an ARN or two names.
        size_of::<Self>() + 100 + parts + weight(&self.json)
    }
}

impl Decision {
    /// About how many bytes it takes to keep: a trace quotes the policies it went through.
    pub(crate) fn size(&self) -> usize {
        self.trace.iter().map(Examined::size).sum()
    }

    /// Whether the call may go on.
    pub fn is_allowed(&self) -> bool {
        matches!(self.outcome, Outcome::Allowed { .. })
    }

    /// AWS's denial message (IAM guide, observed on AWS); `None` when allowed.
    pub fn message(&self, call: &Call<'_>) -> Option<String> {
        let reason = match &self.outcome {
            Outcome::Allowed { .. } => return None,
            Outcome::ExplicitDeny { by, .. } if by.is_resource_based() => {
                "with an explicit deny in a resource-based policy".to_owned()
            }
            Outcome::ExplicitDeny { .. } => "with an explicit deny in an identity-based policy".to_owned(),
            Outcome::ImplicitDeny { missing: Missing::IdentityPolicy } => {
                format!("because no identity-based policy allows the {} action", call.action)
            }
            Outcome::ImplicitDeny { missing: Missing::ResourcePolicy } => {
                format!("because no resource-based policy allows the {} action", call.action)
            }
        };
        // To a caller of another account AWS doesn't say what the resource's policy says, nor whether it exists.
        let resource_based = match &self.outcome {
            Outcome::ExplicitDeny { by, .. } => by.is_resource_based(),
            Outcome::ImplicitDeny { missing } => *missing == Missing::ResourcePolicy,
            Outcome::Allowed { .. } => false,
        };
        let owner = call.resource.split(':').nth(4).unwrap_or_default();
        if resource_based && !call.principal.is_service() && !owner.is_empty() && owner != call.principal.account {
            return Some(call.absent_message());
        }
        Some(format!(
            "User: {} is not authorized to perform: {} on resource: {} {reason}",
            call.principal.arn, call.action, call.resource
        ))
    }
}

impl Call<'_> {
    /// AWS's message for a key that isn't there or is another account's (IAM guide).
    fn absent_message(&self) -> String {
        format!(
            "User: {} is not authorized to perform: {} on this resource because the resource does not exist in this \
             Region, no resource-based policies allow access, or a resource-based policy explicitly denies access",
            self.principal.arn, self.action
        )
    }
}
