//! The API calls of the lab as data.
//!
//! To add an operation, add a variant, its row in [`Operation::def`], its parameters in [`Operation::parameters`], and its
//! arm in `aws/ops.rs`.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::policy::GrantConstraints;

/// Whose credentials sign a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Identity {
    /// Creates and administers everything; the left pane.
    Admin,
    /// May use DynamoDB; the right pane.
    TestUser,
}

impl Identity {
    /// Both, in the order of the panes.
    pub const BOTH: [Identity; 2] = [Identity::Admin, Identity::TestUser];

    /// The name in JSONL and pane titles.
    pub const fn name(self) -> &'static str {
        match self {
            Identity::Admin => "admin",
            Identity::TestUser => "test-user",
        }
    }

    /// The profile in command lines, where the person has given none.
    pub const fn profile(self) -> &'static str {
        match self {
            Identity::Admin => "kmslab-admin",
            Identity::TestUser => "kmslab-test-user",
        }
    }

    /// The other pane's identity.
    pub const fn other(self) -> Identity {
        match self {
            Identity::Admin => Identity::TestUser,
            Identity::TestUser => Identity::Admin,
        }
    }
}

/// The services the lab calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Service {
    /// AWS Security Token Service.
    Sts,
    /// AWS Key Management Service.
    Kms,
    /// Amazon DynamoDB.
    DynamoDb,
    /// AWS Identity and Access Management.
    Iam,
}

impl Service {
    /// The service prefix of actions and of the `aws` command line.
    pub const fn prefix(self) -> &'static str {
        match self {
            Service::Sts => "sts",
            Service::Kms => "kms",
            Service::DynamoDb => "dynamodb",
            Service::Iam => "iam",
        }
    }

    /// The name that people write, which is also its id in AWS's settings.
    pub const fn name(self) -> &'static str {
        match self {
            Service::Sts => "STS",
            Service::Kms => "KMS",
            Service::DynamoDb => "DynamoDB",
            Service::Iam => "IAM",
        }
    }
}

/// The tag that says which run made a resource. `kmslab cleanup` touches nothing without it.
pub const RUN_TAG: &str = "kmslab:run";

/// The tag that says when the run began.
pub const CREATED_TAG: &str = "kmslab:created";

/// The tags of everything the lab makes that can have tags.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tags {
    /// The run's id, the value of [`RUN_TAG`].
    pub run: String,
    /// When the run began, RFC 3339 in UTC to the second: the value of [`CREATED_TAG`], where it is known.
    pub created: Option<String>,
}

impl Tags {
    /// Keys and values.
    pub fn pairs(&self) -> impl Iterator<Item = (&'static str, &str)> {
        let created = self.created.as_deref().map(|created| (CREATED_TAG, created));
        [(RUN_TAG, self.run.as_str())].into_iter().chain(created)
    }

    /// The keys alone.
    pub fn keys(&self) -> Vec<&'static str> {
        self.pairs().map(|(key, _)| key).collect()
    }
}

/// An encryption context: names and values, in the order they are sent.
pub type Context = Vec<(String, String)>;

/// Which key a new table is encrypted under.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum TableKey {
    /// An AWS owned key: what a table gets that asks for nothing.
    AwsOwned,
    /// The AWS managed key `alias/aws/dynamodb`.
    AwsManaged,
    /// A customer managed key, by ARN.
    Customer(String),
}

/// One API call with its parameters. `aws::ops` turns it into the SDK's call.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "variants and fields are AWS's own operation and member names")]
pub enum Operation {
    GetCallerIdentity,
    CreateKey {
        description: String,
        tags: Tags,
    },
    CreateAlias {
        alias: String,
        key: String,
    },
    ListKeys,
    DescribeKey {
        key: String,
    },
    DisableKey {
        key: String,
    },
    EnableKey {
        key: String,
    },
    RotateKeyOnDemand {
        key: String,
    },
    CancelKeyDeletion {
        key: String,
    },
    CreateGrant {
        key: String,
        grantee: String,
        operations: Vec<String>,
        constraints: Option<GrantConstraints>,
        name: String,
    },
    ListGrants {
        key: String,
    },
    RevokeGrant {
        key: String,
        grant_id: String,
    },
    Encrypt {
        key: String,
        plaintext: String,
        context: Context,
    },
    Decrypt {
        ciphertext: String,
        context: Context,
    },
    GetKeyPolicy {
        key: String,
    },
    PutKeyPolicy {
        key: String,
        policy: String,
    },
    DeleteAlias {
        alias: String,
    },
    ScheduleKeyDeletion {
        key: String,
        days: u8,
    },
    CreateTable {
        table: String,
        key: TableKey,
        tags: Tags,
    },
    DescribeTable {
        table: String,
    },
    PutItem {
        table: String,
        item: Map<String, Value>,
    },
    Scan {
        table: String,
    },
    DeleteTable {
        table: String,
    },
    GetRole {
        role: String,
    },
    SimulatePrincipalPolicy {
        principal: String,
        actions: Vec<String>,
        resource: String,
        tags: Tags,
    },
    CreateUser {
        user: String,
        tags: Tags,
    },
    AttachUserPolicy {
        user: String,
        policy_arn: String,
    },
    CreateAccessKey {
        user: String,
    },
    ListAccessKeys {
        user: String,
    },
    DetachUserPolicy {
        user: String,
        policy_arn: String,
    },
    PutUserPolicy {
        user: String,
        name: String,
        policy: String,
    },
    DeleteUserPolicy {
        user: String,
        name: String,
    },
    ListUserPolicies {
        user: String,
    },
    GetUserPolicy {
        user: String,
        name: String,
    },
    ListAttachedUserPolicies {
        user: String,
    },
    DeleteAccessKey {
        user: String,
        access_key_id: String,
    },
    DeleteUser {
        user: String,
    },
}

/// A key has one policy, of this name.
const DEFAULT: (&str, Parameter<'_>) = ("--policy-name", Parameter::Fixed("default"));

/// The names of a tag's members, in KMS and elsewhere.
const KMS_TAG: [&str; 2] = ["TagKey", "TagValue"];
const TAG: [&str; 2] = ["Key", "Value"];

/// What is declared of an operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OperationDef<'a> {
    /// The service that answers it.
    pub service: Service,
    /// AWS's operation name.
    pub name: &'static str,
    /// The kind of resource that IAM authorizes it on.
    pub resource: Resource,
    /// The table, key or user that the request line names, or an empty text.
    pub subject: &'a str,
}

/// A kind of resource that IAM authorizes operations on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Resource {
    /// None: the operation needs no permission.
    Nothing,
    /// `*`
    Any,
    /// A KMS key.
    Key,
    /// An alias of a KMS key, and that key.
    Alias,
    /// A table.
    Table,
    /// An IAM role.
    Role,
    /// An IAM user.
    User,
    /// The principal whose policies are simulated.
    Principal,
}

/// A parameter of an operation, by how it is masked and how the `aws` command line writes it.
pub enum Parameter<'a> {
    /// A text that may name a resource, an account or a run.
    Text(&'a mut String),
    /// A text that doesn't.
    Plain(&'a str),
    /// A constant.
    Fixed(&'static str),
    /// A number.
    Number(u8),
    /// Words that name actions.
    Words(&'a [String]),
    /// Tags, with the service's names for the two members of a tag.
    Tags(&'a mut Tags, [&'static str; 2]),
    /// Tags as condition keys of a request.
    TagConditions(&'a mut Tags),
    /// An encryption context.
    Context(&'a Context),
    /// What a grant demands of an encryption context.
    Constraints(&'a mut Option<GrantConstraints>),
    /// The key of a new table.
    TableKey(&'a mut TableKey),
    /// An item.
    Item(&'a mut Map<String, Value>),
}

impl Operation {
    /// What is declared of the operation.
    pub fn def(&self) -> OperationDef<'_> {
        use Operation as O;
        use Resource::{Alias, Any, Key, Nothing, Principal, Role, Table, User};
        use Service::{DynamoDb, Iam, Kms, Sts};
        match self {
            O::GetCallerIdentity => row(Sts, "GetCallerIdentity", Nothing, ""),
            O::CreateKey { .. } => row(Kms, "CreateKey", Any, ""),
            O::CreateAlias { alias, .. } => row(Kms, "CreateAlias", Alias, alias),
            O::ListKeys => row(Kms, "ListKeys", Any, ""),
            O::DescribeKey { key } => row(Kms, "DescribeKey", Key, key),
            O::DisableKey { key } => row(Kms, "DisableKey", Key, key),
            O::EnableKey { key } => row(Kms, "EnableKey", Key, key),
            O::RotateKeyOnDemand { key } => row(Kms, "RotateKeyOnDemand", Key, key),
            O::CancelKeyDeletion { key } => row(Kms, "CancelKeyDeletion", Key, key),
            O::CreateGrant { key, .. } => row(Kms, "CreateGrant", Key, key),
            O::ListGrants { key } => row(Kms, "ListGrants", Key, key),
            O::RevokeGrant { key, .. } => row(Kms, "RevokeGrant", Key, key),
            O::Encrypt { key, .. } => row(Kms, "Encrypt", Key, key),
            // A ciphertext says nothing to a reader.
            O::Decrypt { .. } => row(Kms, "Decrypt", Key, ""),
            O::GetKeyPolicy { key } => row(Kms, "GetKeyPolicy", Key, key),
            O::PutKeyPolicy { key, .. } => row(Kms, "PutKeyPolicy", Key, key),
            O::DeleteAlias { alias } => row(Kms, "DeleteAlias", Alias, alias),
            O::ScheduleKeyDeletion { key, .. } => row(Kms, "ScheduleKeyDeletion", Key, key),
            O::CreateTable { table, .. } => row(DynamoDb, "CreateTable", Table, table),
            O::DescribeTable { table } => row(DynamoDb, "DescribeTable", Table, table),
            O::PutItem { table, .. } => row(DynamoDb, "PutItem", Table, table),
            O::Scan { table } => row(DynamoDb, "Scan", Table, table),
            O::DeleteTable { table } => row(DynamoDb, "DeleteTable", Table, table),
            O::GetRole { role } => row(Iam, "GetRole", Role, role),
            O::SimulatePrincipalPolicy { resource, .. } => row(Iam, "SimulatePrincipalPolicy", Principal, resource),
            O::CreateUser { user, .. } => row(Iam, "CreateUser", User, user),
            O::AttachUserPolicy { user, .. } => row(Iam, "AttachUserPolicy", User, user),
            O::CreateAccessKey { user } => row(Iam, "CreateAccessKey", User, user),
            O::ListAccessKeys { user } => row(Iam, "ListAccessKeys", User, user),
            O::DetachUserPolicy { user, .. } => row(Iam, "DetachUserPolicy", User, user),
            O::PutUserPolicy { user, .. } => row(Iam, "PutUserPolicy", User, user),
            O::DeleteUserPolicy { user, .. } => row(Iam, "DeleteUserPolicy", User, user),
            O::ListUserPolicies { user } => row(Iam, "ListUserPolicies", User, user),
            O::GetUserPolicy { user, .. } => row(Iam, "GetUserPolicy", User, user),
            O::ListAttachedUserPolicies { user } => row(Iam, "ListAttachedUserPolicies", User, user),
            O::DeleteAccessKey { user, .. } => row(Iam, "DeleteAccessKey", User, user),
            O::DeleteUser { user } => row(Iam, "DeleteUser", User, user),
        }
    }

    /// The parameters in the order of the `aws` command line.
    pub fn parameters(&mut self) -> Vec<(&'static str, Parameter<'_>)> {
        use Operation as O;
        use Parameter::{Context, Fixed, Item, Number, Plain, TableKey, Tags, Text};
        match self {
            O::GetCallerIdentity | O::ListKeys => Vec::new(),
            O::CreateKey { description, tags } => {
                vec![("--description", Text(description)), ("--tags", Tags(tags, KMS_TAG))]
            }
            O::CreateAlias { alias, key } => vec![("--alias-name", Text(alias)), ("--target-key-id", Text(key))],
            O::DeleteAlias { alias } => vec![("--alias-name", Text(alias))],
            O::DescribeKey { key }
            | O::DisableKey { key }
            | O::EnableKey { key }
            | O::RotateKeyOnDemand { key }
            | O::CancelKeyDeletion { key }
            | O::ListGrants { key } => vec![key_id(key)],
            O::GetKeyPolicy { key } => vec![key_id(key), DEFAULT],
            O::PutKeyPolicy { key, policy } => vec![key_id(key), DEFAULT, ("--policy", Text(policy))],
            O::ScheduleKeyDeletion { key, days } => vec![key_id(key), ("--pending-window-in-days", Number(*days))],
            O::CreateGrant { key, grantee, operations, constraints, name } => {
                granted(key, grantee, operations, constraints, name)
            }
            O::RevokeGrant { key, grant_id } => vec![key_id(key), ("--grant-id", Text(grant_id))],
            O::Encrypt { key, plaintext, context } => {
                vec![key_id(key), ("--plaintext", Plain(plaintext)), ("--encryption-context", Context(context))]
            }
            O::Decrypt { ciphertext, context } => {
                vec![("--ciphertext-blob", Text(ciphertext)), ("--encryption-context", Context(context))]
            }
            O::CreateTable { table, key, tags } => vec![
                table_name(table),
                ("--attribute-definitions", Fixed("AttributeName=id,AttributeType=S")),
                ("--key-schema", Fixed("AttributeName=id,KeyType=HASH")),
                ("--billing-mode", Fixed("PAY_PER_REQUEST")),
                ("--sse-specification", TableKey(key)),
                ("--tags", Tags(tags, TAG)),
            ],
            O::DescribeTable { table } | O::Scan { table } | O::DeleteTable { table } => vec![table_name(table)],
            O::PutItem { table, item } => vec![table_name(table), ("--item", Item(item))],
            O::GetRole { role } => vec![("--role-name", Text(role))],
            O::SimulatePrincipalPolicy { principal, actions, resource, tags } => {
                simulated(principal, actions, resource, tags)
            }
            O::CreateUser { user, tags } => vec![user_name(user), ("--tags", Tags(tags, TAG))],
            O::CreateAccessKey { user }
            | O::ListAccessKeys { user }
            | O::ListUserPolicies { user }
            | O::ListAttachedUserPolicies { user }
            | O::DeleteUser { user } => vec![user_name(user)],
            O::AttachUserPolicy { user, policy_arn } | O::DetachUserPolicy { user, policy_arn } => {
                vec![user_name(user), ("--policy-arn", Text(policy_arn))]
            }
            O::PutUserPolicy { user, name, policy } => {
                vec![user_name(user), ("--policy-name", Plain(name)), ("--policy-document", Text(policy))]
            }
            O::DeleteUserPolicy { user, name } | O::GetUserPolicy { user, name } => named_policy(user, name),
            O::DeleteAccessKey { user, access_key_id: id } => vec![user_name(user), ("--access-key-id", Text(id))],
        }
    }

    /// The service that answers it.
    pub fn service(&self) -> Service {
        self.def().service
    }

    /// AWS's operation name.
    pub fn name(&self) -> &'static str {
        self.def().name
    }

    /// What it is about, for the request line: a table, a key, a user; empty where there is nothing to name.
    pub fn subject(&self) -> &str {
        self.def().subject
    }

    /// The action as policies write it, `kms:DescribeKey`.
    pub fn action(&self) -> String {
        format!("{}:{}", self.service().prefix(), self.name())
    }

    /// What exists, and may cost money, once this call has succeeded.
    pub fn creates(&self) -> Option<String> {
        use Operation as O;
        match self {
            O::CreateKey { .. } => Some("KMS key, being created".to_owned()),
            O::CreateAlias { alias, .. } => Some(format!("{alias}, being created")),
            O::CreateTable { table, .. } => Some(format!("table {table}, being created")),
            O::CreateUser { user, .. } => Some(format!("IAM user {user}, being created")),
            O::CreateAccessKey { user } => Some(format!("access key of {user}, being created")),
            O::CreateGrant { .. } => Some("grant on the KMS key, being created".to_owned()),
            O::PutUserPolicy { user, name, .. } => Some(format!("policy {name} on {user}, being created")),
            _ => None,
        }
    }
}

const fn row<'a>(service: Service, name: &'static str, resource: Resource, subject: &'a str) -> OperationDef<'a> {
    OperationDef { service, name, resource, subject }
}

fn key_id(key: &mut String) -> (&'static str, Parameter<'_>) {
    ("--key-id", Parameter::Text(key))
}

fn table_name(table: &mut String) -> (&'static str, Parameter<'_>) {
    ("--table-name", Parameter::Text(table))
}

fn user_name(user: &mut String) -> (&'static str, Parameter<'_>) {
    ("--user-name", Parameter::Text(user))
}

fn named_policy<'a>(user: &'a mut String, name: &'a str) -> Vec<(&'static str, Parameter<'a>)> {
    vec![user_name(user), ("--policy-name", Parameter::Plain(name))]
}

fn granted<'a>(
    key: &'a mut String,
    grantee: &'a mut String,
    operations: &'a [String],
    constraints: &'a mut Option<GrantConstraints>,
    name: &'a str,
) -> Vec<(&'static str, Parameter<'a>)> {
    let mut parameters = vec![
        key_id(key),
        ("--grantee-principal", Parameter::Text(grantee)),
        ("--operations", Parameter::Words(operations)),
        ("--constraints", Parameter::Constraints(constraints)),
    ];
    // A grant that was made in a shell may have none.
    parameters.extend((!name.is_empty()).then_some(("--name", Parameter::Plain(name))));
    parameters
}

fn simulated<'a>(
    principal: &'a mut String,
    actions: &'a [String],
    resource: &'a mut String,
    tags: &'a mut Tags,
) -> Vec<(&'static str, Parameter<'a>)> {
    vec![
        ("--policy-source-arn", Parameter::Text(principal)),
        ("--action-names", Parameter::Words(actions)),
        ("--resource-arns", Parameter::Text(resource)),
        ("--context-entries", Parameter::TagConditions(tags)),
    ]
}
