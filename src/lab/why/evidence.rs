//! What was read to answer why: the table, its key, and everything that decides about the caller.

use crate::policy::{Grant, PolicySource};

/// What to read.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Query {
    /// The caller, by ARN.
    pub principal: String,
    /// A table, by name or ARN.
    pub table: Option<String>,
    /// A key, by ARN, where no table says which one it is.
    pub key: Option<String>,
    /// What the table is asked for: `dynamodb:Scan`.
    pub table_action: Option<String>,
    /// What the key is asked for: `kms:Decrypt`.
    pub key_action: Option<String>,
}

/// Everything that was read. Nothing of it says more than a response did.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Evidence {
    /// The account of the credentials that read.
    pub account: Option<String>,
    /// The region that was asked.
    pub region: String,
    /// The table.
    pub table: Found<Table>,
    /// The key of the table, or the one that was named.
    pub key: Found<Key>,
    /// The caller.
    pub principal: Found<Who>,
    /// The key's policy.
    pub key_policy: Option<String>,
    /// The key's grants.
    pub grants: Vec<Grant>,
    /// The caller's policies, each with its text: attached, inline, and those of its groups.
    pub identity: Vec<(PolicySource, String)>,
    /// The caller's permissions boundary.
    pub boundary: Option<(PolicySource, String)>,
    /// Actions, and whether the organization allows them, as a simulation says.
    pub organization: Vec<(String, bool)>,
    /// What could not be read.
    pub unread: Vec<Unread>,
    /// The names of groups, and of policies that could not be read.
    pub names: Vec<String>,
    /// How many requests were sent. All of them only read.
    pub calls: usize,
}

/// Something that was looked for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Found<T> {
    /// Nobody looked.
    #[default]
    NotAsked,
    /// It is there.
    Is(T),
    /// It does not exist.
    Missing,
    /// It could not be read.
    Unread,
}

impl<T> Found<T> {
    /// What was found.
    pub fn get(&self) -> Option<&T> {
        match self {
            Found::Is(found) => Some(found),
            Found::NotAsked | Found::Missing | Found::Unread => None,
        }
    }
}

/// A table, as DescribeTable describes it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Table {
    /// `orders`
    pub name: String,
    /// The ARN.
    pub arn: String,
    /// `ACTIVE`
    pub status: String,
    /// The ARN of its KMS key; `None` where DynamoDB owns the key.
    pub key: Option<String>,
    /// Whether the table has a policy of its own; `None` where that is not known.
    pub has_policy: Option<bool>,
}

/// A key, as DescribeKey describes it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Key {
    /// The ARN.
    pub arn: String,
    /// `Enabled`
    pub state: String,
    /// Whether AWS manages it for the account: `alias/aws/dynamodb`.
    pub is_aws_managed: bool,
}

/// A user or role.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Who {
    /// The ARN, with its path.
    pub arn: String,
    /// `AIDA…` or `AROA…`
    pub unique_id: String,
    /// Its tags.
    pub tags: Vec<(String, String)>,
}

/// What may stand in something that could not be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// The table itself.
    Table,
    /// The key itself.
    Key,
    /// The table's own policy: it may allow and deny.
    TablePolicy,
    /// The key policy: it may allow, deny and delegate.
    KeyPolicy,
    /// Grants: they can only allow.
    Grants,
    /// A policy of the caller: it may allow and deny.
    Identity,
    /// The caller's permissions boundary: it limits.
    Boundary,
    /// The policies of the organization: they limit.
    Organization,
    /// It can't change the verdict.
    Nothing,
}

/// Something that could not be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unread {
    /// What it is.
    pub part: Part,
    /// The sentence that names it, and says why.
    pub says: String,
}
