//! Who asks, and how a policy names them.

use serde::{Deserialize, Serialize};

/// The kinds of principal the lab meets.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Principal {
    /// `arn:aws:iam::111122223333:user/alice`; for a service its name.
    pub arn: String,
    /// The twelve digits; empty for a service.
    pub account: String,
    /// `AIDA…` for a user, the account id for the root user.
    pub unique_id: String,
    /// `aws:username`, for a user.
    pub user_name: Option<String>,
    /// `aws:PrincipalTag/…`, for a user or a role session.
    pub tags: Vec<(String, String)>,
    /// The role of a role session. A policy may name either.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role: Option<RoleName>,
    /// `aws:TokenIssueTime`: when the caller's temporary credentials were issued, `2026-01-01T00:00:00Z`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token_issued: Option<String>,
}

/// How policies name a role.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RoleName {
    /// `arn:aws:iam::111122223333:role/app`
    pub arn: String,
    /// `AROA…`
    pub unique_id: String,
}

impl Principal {
    /// An IAM user with the path `/`.
    pub fn user(account: &str, name: &str, unique_id: &str) -> Self {
        Self::user_at(account, "/", name, unique_id)
    }

    /// An IAM user; `path` begins and ends with `/`.
    pub fn user_at(account: &str, path: &str, name: &str, unique_id: &str) -> Self {
        Self {
            arn: format!("arn:aws:iam::{account}:user{path}{name}"),
            account: account.to_owned(),
            unique_id: unique_id.to_owned(),
            user_name: Some(name.to_owned()),
            tags: Vec::new(),
            role: None,
            token_issued: None,
        }
    }

    /// The root user of an account.
    pub fn root(account: &str) -> Self {
        Self {
            arn: format!("arn:aws:iam::{account}:root"),
            account: account.to_owned(),
            unique_id: account.to_owned(),
            user_name: None,
            tags: Vec::new(),
            role: None,
            token_issued: None,
        }
    }

    /// A session of a role: `arn:aws:sts::111122223333:assumed-role/app/session`. The role's path is not in it (IAM guide).
    pub fn role_session(account: &str, role: RoleName, session: &str) -> Self {
        let name = role.arn.rsplit('/').next().unwrap_or_default();
        Self {
            arn: format!("arn:aws:sts::{account}:assumed-role/{name}/{session}"),
            account: account.to_owned(),
            unique_id: format!("{}:{session}", role.unique_id),
            user_name: None,
            tags: Vec::new(),
            role: Some(role),
            token_issued: None,
        }
    }

    /// Whether a policy's `"AWS"` element or a grant that says `name` means this principal: by its ARN or unique id, and
    /// a role session also by those of its role.
    pub fn is_named(&self, name: &str) -> bool {
        name == self.arn
            || name == self.unique_id
            || self.role.as_ref().is_some_and(|role| name == role.arn || name == role.unique_id)
    }

    /// An AWS service acting for itself, for example `dynamodb.amazonaws.com`.
    pub fn service(name: &str) -> Self {
        let (arn, unique_id) = (name.to_owned(), name.to_owned());
        Self {
            arn,
            account: String::new(),
            unique_id,
            user_name: None,
            tags: Vec::new(),
            role: None,
            token_issued: None,
        }
    }

    /// Whether this is an AWS service and not somebody of an account.
    pub fn is_service(&self) -> bool {
        self.account.is_empty()
    }

    /// Whether this is the root user of its account.
    pub fn is_root(&self) -> bool {
        root_account(&self.arn).is_some()
    }
}

/// One entry of a `Principal` element.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PrincipalName {
    /// `"*"` or `{"AWS": "*"}`: everybody.
    Everyone,
    /// An account, written as its id or as its root ARN.
    Account {
        /// The twelve digits.
        account: String,
        /// As the document has it.
        text: String,
    },
    /// One user, role or session, by ARN or by unique id.
    Aws(String),
    /// An AWS service.
    Service(String),
    /// A federated or canonical user: nobody of the lab is one.
    Other(String),
}

/// How the principals of a statement match a caller.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum PrincipalMatch {
    /// Not at all.
    None,
    /// It names the caller's account.
    Account,
    /// It names the caller, or everybody.
    Direct,
}

impl PrincipalName {
    /// Reads an entry under `"AWS"`. `None` when it can't name anybody: a wildcard inside an ARN, a misspelt ARN.
    pub(super) fn parse_aws(text: &str) -> Option<Self> {
        if text == "*" {
            return Some(Self::Everyone);
        }
        if let Some(account) = account_id(text).or_else(|| root_account(text)) {
            return Some(Self::Account { account: account.to_owned(), text: text.to_owned() });
        }
        (is_unique_id(text) || is_principal_arn(text)).then(|| Self::Aws(text.to_owned()))
    }

    /// The entry as the document has it.
    pub fn text(&self) -> &str {
        match self {
            Self::Everyone => "*",
            Self::Account { text, .. } | Self::Aws(text) | Self::Service(text) | Self::Other(text) => text,
        }
    }

    pub(super) fn matches(&self, caller: &Principal) -> PrincipalMatch {
        match self {
            Self::Everyone => PrincipalMatch::Direct,
            Self::Account { account, .. } if caller.account == *account => {
                if caller.is_root() {
                    PrincipalMatch::Direct
                } else {
                    PrincipalMatch::Account
                }
            }
            Self::Aws(name) if !caller.is_service() && caller.is_named(name) => PrincipalMatch::Direct,
            Self::Service(name) if caller.is_service() && same_service(name, &caller.arn) => PrincipalMatch::Direct,
            Self::Account { .. } | Self::Aws(_) | Self::Service(_) | Self::Other(_) => PrincipalMatch::None,
        }
    }
}

/// Returns the name of a service without its region: `dynamodb.amazonaws.com` for `dynamodb.us-east-1.amazonaws.com`.
pub(super) fn global_service(name: &str) -> String {
    let end = name.find(".amazonaws.com").unwrap_or(name.len());
    let service = name[..end].split('.').next().unwrap_or_default();
    format!("{service}{}", &name[end..])
}

/// Whether two service principals are the same service: `dynamodb.us-east-1.amazonaws.com` is the regional spelling of
/// `dynamodb.amazonaws.com`. Two regional names must name the same region.
pub(super) fn same_service(one: &str, other: &str) -> bool {
    fn parts(name: &str) -> Option<(&str, Option<&str>)> {
        let name = name.strip_suffix(".amazonaws.com").or_else(|| name.strip_suffix(".amazonaws.com.cn"))?;
        Some(name.split_once('.').map_or((name, None), |(service, region)| (service, Some(region))))
    }
    one == other
        || match (parts(one), parts(other)) {
            (Some((a, a_region)), Some((b, b_region))) => a == b && (a_region.is_none() || b_region.is_none()),
            _ => false,
        }
}

/// The partitions of AWS, each a separate set of regions with its own accounts (botocore 1.44.8, `partitions.json`).
pub(super) const PARTITIONS: [&str; 8] =
    ["aws", "aws-cn", "aws-eusc", "aws-iso", "aws-iso-b", "aws-iso-e", "aws-iso-f", "aws-us-gov"];

/// Splits an ARN into its partition and the rest: `aws-cn` and `iam::111122223333:root`. `None` for an unknown partition.
pub(super) fn partition_of(arn: &str) -> Option<(&str, &str)> {
    arn.strip_prefix("arn:")?.split_once(':').filter(|(partition, _)| PARTITIONS.contains(partition))
}

/// The account of a root ARN, in any partition.
pub(super) fn root_account(arn: &str) -> Option<&str> {
    partition_of(arn)?.1.strip_prefix("iam::")?.strip_suffix(":root").and_then(account_id)
}

/// The account in an ARN of any kind. `None` when the ARN has none, as an S3 bucket's or an AWS managed policy's.
pub fn account_of(arn: &str) -> Option<&str> {
    arn.strip_prefix("arn:")?.split(':').nth(3).and_then(account_id)
}

fn account_id(text: &str) -> Option<&str> {
    (text.len() == 12 && text.bytes().all(|byte| byte.is_ascii_digit())).then_some(text)
}

fn is_unique_id(text: &str) -> bool {
    let tail = ["AIDA", "AROA"].iter().find_map(|prefix| text.strip_prefix(prefix));
    tail.is_some_and(|tail| tail.len() >= 12 && tail.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit()))
}

fn is_principal_arn(text: &str) -> bool {
    let fields: Vec<&str> = text.splitn(6, ':').collect();
    let [arn, partition, service, region, account, resource] = fields[..] else { return false };
    let kinds: &[&str] = match service {
        "iam" => &["user/", "role/"],
        "sts" => &["assumed-role/", "federated-user/"],
        _ => return false,
    };
    arn == "arn"
        && PARTITIONS.contains(&partition)
        && region.is_empty()
        && account_id(account).is_some()
        && !resource.contains(['*', '?'])
        && kinds.iter().any(|kind| resource.strip_prefix(kind).is_some_and(|name| !name.is_empty()))
}
