//! A decision and its trace, as data.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::Value;

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
    /// A role's trust policy: who may assume it.
    Trust {
        /// The role.
        role_arn: String,
    },
    /// The permissions boundary of a user or role.
    Boundary {
        /// The managed policy.
        arn: String,
    },
    /// A policy that came with the request for temporary credentials.
    Session {
        /// Its place among the session's policies, counted from 0.
        index: usize,
    },
    /// A KMS grant.
    Grant {
        /// 64 hexadecimal digits.
        grant_id: String,
    },
}

impl PolicySource {
    /// The name that the account gave it; `None` for a policy of AWS's.
    pub fn own_name(&self) -> Option<&str> {
        match self {
            Self::Inline { name, .. } => Some(name),
            Self::Managed { name, arn } if !arn.contains(":iam::aws:") => Some(name),
            Self::Managed { .. }
            | Self::KeyPolicy { .. }
            | Self::Trust { .. }
            | Self::Boundary { .. }
            | Self::Session { .. }
            | Self::Grant { .. } => None,
        }
    }

    /// Whether it belongs to the resource and not to the caller.
    pub fn is_resource_based(&self) -> bool {
        matches!(self, Self::KeyPolicy { .. } | Self::Trust { .. })
    }
}

/// What was decided, and every statement that was evaluated for it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Decision {
    /// The verdict.
    pub outcome: Outcome,
    /// Every statement and grant, in the order they were looked at: the key policy, the caller's policies, the grants,
    /// what limits the caller.
    pub trace: Vec<StatementTrace>,
}

/// The verdict.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "verdict", rename_all = "snake_case")]
pub enum Outcome {
    /// The call is allowed.
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
    /// The role's trust policy.
    TrustPolicy,
    /// The caller's permissions boundary.
    PermissionsBoundary,
    /// The policies of the caller's session.
    SessionPolicy,
}

/// How one statement or grant was evaluated.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StatementTrace {
    /// Where it stands.
    pub source: PolicySource,
    /// Its place in the document, counted from 0; for a grant its place in the key's list.
    pub statement: usize,
    /// Its name; for a grant the grant's name.
    pub sid: Option<String>,
    /// Allow or deny.
    pub effect: Effect,
    /// Whether it matched.
    pub result: MatchResult,
    /// The very statement, as its document has it; a grant as ListGrants describes it.
    #[serde(with = "shared")]
    pub json: Arc<Value>,
}

/// Serializes a shared value as the value itself: serde's own way needs a feature that all its users pay for.
mod shared {
    use std::sync::Arc;

    use serde::{Deserialize, Deserializer, Serialize, Serializer};
    use serde_json::Value;

    pub fn serialize<S: Serializer>(value: &Arc<Value>, serializer: S) -> Result<S::Ok, S::Error> {
        value.as_ref().serialize(serializer)
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Arc<Value>, D::Error> {
        Value::deserialize(deserializer).map(Arc::new)
    }
}

/// Whether a statement or grant matches a request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MatchResult {
    /// Every part matches.
    Matched,
    /// The key policy names the caller's account: IAM may decide.
    DelegatesToAccount,
    /// These parts don't match.
    NotMatched(Vec<Mismatch>),
}

/// A part of a statement or grant that doesn't match the request. Displays as one sentence.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "part", rename_all = "snake_case")]
pub enum Mismatch {
    /// Another principal.
    Principal {
        /// The names in the statement.
        wanted: Vec<String>,
        /// `NotPrincipal`
        negated: bool,
        /// Who asked.
        caller: String,
    },
    /// Another action.
    Action {
        /// The patterns in the statement.
        wanted: Vec<String>,
        /// `NotAction`
        negated: bool,
        /// What was asked for.
        asked: String,
    },
    /// Another resource.
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

impl Mismatch {
    /// Estimates its size in bytes.
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

/// Estimates the size of a value in bytes. Decisions share a statement; the last one to quote it keeps it alive.
fn weight(value: &Value) -> usize {
    let inner = match value {
        Value::String(text) => text.len(),
        Value::Array(elements) => elements.iter().map(weight).sum(),
        Value::Object(members) => members.iter().map(|(name, member)| name.len() + weight(member)).sum(),
        Value::Null | Value::Bool(_) | Value::Number(_) => 0,
    };
    size_of::<Value>() + inner
}

impl StatementTrace {
    fn size(&self) -> usize {
        let parts = match &self.result {
            MatchResult::NotMatched(parts) => parts.iter().map(Mismatch::size).sum(),
            MatchResult::Matched | MatchResult::DelegatesToAccount => 0,
        };
        // A source is an ARN or two names.
        size_of::<Self>() + 100 + parts + weight(&self.json)
    }
}

impl Decision {
    /// Estimates its size in bytes: a trace quotes the evaluated policies.
    pub(crate) fn size(&self) -> usize {
        self.trace.iter().map(StatementTrace::size).sum()
    }

    /// Whether the call is allowed.
    pub fn is_allowed(&self) -> bool {
        matches!(self.outcome, Outcome::Allowed { .. })
    }
}
