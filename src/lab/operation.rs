//! The API calls of the lab as data, and each as the `aws` command line that makes the same call.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

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

    /// The name in JSONL, pane titles and `--profile` of copied command lines.
    pub const fn name(self) -> &'static str {
        match self {
            Identity::Admin => "admin",
            Identity::TestUser => "test-user",
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

    /// `--tags` with the services' own names for a tag's two members.
    fn cli(&self, key: &str, value: &str) -> Vec<String> {
        let words = self.pairs().map(|(name, content)| shell_quote(&format!("{key}={name},{value}={content}")));
        std::iter::once("--tags".to_owned()).chain(words).collect()
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
    CreateKey { description: String, tags: Tags },
    CreateAlias { alias: String, key: String },
    ListKeys,
    DescribeKey { key: String },
    DisableKey { key: String },
    EnableKey { key: String },
    RotateKeyOnDemand { key: String },
    CancelKeyDeletion { key: String },
    CreateGrant { key: String, grantee: String, operations: Vec<String>, name: String },
    ListGrants { key: String },
    RevokeGrant { key: String, grant_id: String },
    Encrypt { key: String, plaintext: String, context: Context },
    Decrypt { ciphertext: String, context: Context },
    GetKeyPolicy { key: String },
    PutKeyPolicy { key: String, policy: String },
    DeleteAlias { alias: String },
    ScheduleKeyDeletion { key: String, days: u8 },
    CreateTable { table: String, key: TableKey, tags: Tags },
    DescribeTable { table: String },
    PutItem { table: String, item: Map<String, Value> },
    Scan { table: String },
    DeleteTable { table: String },
    CreateUser { user: String, tags: Tags },
    AttachUserPolicy { user: String, policy_arn: String },
    CreateAccessKey { user: String },
    ListAccessKeys { user: String },
    DetachUserPolicy { user: String, policy_arn: String },
    PutUserPolicy { user: String, name: String, policy: String },
    DeleteUserPolicy { user: String, name: String },
    DeleteAccessKey { user: String, access_key_id: String },
    DeleteUser { user: String },
}

impl Operation {
    /// The service that answers it.
    pub const fn service(&self) -> Service {
        use Operation as O;
        match self {
            O::GetCallerIdentity => Service::Sts,
            O::CreateKey { .. }
            | O::CreateAlias { .. }
            | O::ListKeys
            | O::DescribeKey { .. }
            | O::GetKeyPolicy { .. }
            | O::PutKeyPolicy { .. }
            | O::DeleteAlias { .. }
            | O::DisableKey { .. }
            | O::EnableKey { .. }
            | O::RotateKeyOnDemand { .. }
            | O::CancelKeyDeletion { .. }
            | O::CreateGrant { .. }
            | O::ListGrants { .. }
            | O::RevokeGrant { .. }
            | O::Encrypt { .. }
            | O::Decrypt { .. }
            | O::ScheduleKeyDeletion { .. } => Service::Kms,
            O::CreateTable { .. }
            | O::DescribeTable { .. }
            | O::PutItem { .. }
            | O::Scan { .. }
            | O::DeleteTable { .. } => Service::DynamoDb,
            O::CreateUser { .. }
            | O::AttachUserPolicy { .. }
            | O::CreateAccessKey { .. }
            | O::ListAccessKeys { .. }
            | O::DetachUserPolicy { .. }
            | O::PutUserPolicy { .. }
            | O::DeleteUserPolicy { .. }
            | O::DeleteAccessKey { .. }
            | O::DeleteUser { .. } => Service::Iam,
        }
    }

    /// AWS's operation name.
    pub const fn name(&self) -> &'static str {
        use Operation as O;
        match self {
            O::GetCallerIdentity => "GetCallerIdentity",
            O::CreateKey { .. } => "CreateKey",
            O::CreateAlias { .. } => "CreateAlias",
            O::ListKeys => "ListKeys",
            O::DescribeKey { .. } => "DescribeKey",
            O::DisableKey { .. } => "DisableKey",
            O::EnableKey { .. } => "EnableKey",
            O::RotateKeyOnDemand { .. } => "RotateKeyOnDemand",
            O::CancelKeyDeletion { .. } => "CancelKeyDeletion",
            O::CreateGrant { .. } => "CreateGrant",
            O::ListGrants { .. } => "ListGrants",
            O::RevokeGrant { .. } => "RevokeGrant",
            O::Encrypt { .. } => "Encrypt",
            O::Decrypt { .. } => "Decrypt",
            O::GetKeyPolicy { .. } => "GetKeyPolicy",
            O::PutKeyPolicy { .. } => "PutKeyPolicy",
            O::DeleteAlias { .. } => "DeleteAlias",
            O::ScheduleKeyDeletion { .. } => "ScheduleKeyDeletion",
            O::CreateTable { .. } => "CreateTable",
            O::DescribeTable { .. } => "DescribeTable",
            O::PutItem { .. } => "PutItem",
            O::Scan { .. } => "Scan",
            O::DeleteTable { .. } => "DeleteTable",
            O::CreateUser { .. } => "CreateUser",
            O::AttachUserPolicy { .. } => "AttachUserPolicy",
            O::CreateAccessKey { .. } => "CreateAccessKey",
            O::ListAccessKeys { .. } => "ListAccessKeys",
            O::DetachUserPolicy { .. } => "DetachUserPolicy",
            O::PutUserPolicy { .. } => "PutUserPolicy",
            O::DeleteUserPolicy { .. } => "DeleteUserPolicy",
            O::DeleteAccessKey { .. } => "DeleteAccessKey",
            O::DeleteUser { .. } => "DeleteUser",
        }
    }

    /// The action as policies write it, `kms:DescribeKey`.
    pub fn action(&self) -> String {
        format!("{}:{}", self.service().prefix(), self.name())
    }

    /// What it is about, for the request line: a table, a key, a user; empty where there is nothing to name.
    pub fn subject(&self) -> &str {
        use Operation as O;
        match self {
            // A ciphertext says nothing to a reader.
            O::GetCallerIdentity | O::CreateKey { .. } | O::ListKeys | O::Decrypt { .. } => "",
            O::CreateAlias { alias, .. } | O::DeleteAlias { alias } => alias,
            O::DescribeKey { key }
            | O::GetKeyPolicy { key }
            | O::PutKeyPolicy { key, .. }
            | O::DisableKey { key }
            | O::EnableKey { key }
            | O::RotateKeyOnDemand { key }
            | O::CancelKeyDeletion { key }
            | O::CreateGrant { key, .. }
            | O::ListGrants { key }
            | O::RevokeGrant { key, .. }
            | O::Encrypt { key, .. }
            | O::ScheduleKeyDeletion { key, .. } => key,
            O::CreateTable { table, .. }
            | O::DescribeTable { table }
            | O::PutItem { table, .. }
            | O::Scan { table }
            | O::DeleteTable { table } => table,
            O::CreateUser { user, .. }
            | O::AttachUserPolicy { user, .. }
            | O::CreateAccessKey { user }
            | O::ListAccessKeys { user }
            | O::DetachUserPolicy { user, .. }
            | O::PutUserPolicy { user, .. }
            | O::DeleteUserPolicy { user, .. }
            | O::DeleteAccessKey { user, .. }
            | O::DeleteUser { user } => user,
        }
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

    /// The `aws` command line that makes the same call, without endpoint, region and profile: see [`cli_line`].
    fn cli_arguments(&self) -> Vec<String> {
        use Operation as O;
        let text = |option: &str, value: &str| vec![option.to_owned(), shell_quote(value)];
        let mut line: Vec<String> = Vec::new();
        let command = match self {
            O::GetCallerIdentity => "get-caller-identity",
            O::CreateKey { description, tags } => {
                line.extend(text("--description", description));
                line.extend(tags.cli("TagKey", "TagValue"));
                "create-key"
            }
            O::CreateAlias { alias, key } => {
                line.extend(text("--alias-name", alias));
                line.extend(text("--target-key-id", key));
                "create-alias"
            }
            O::ListKeys => "list-keys",
            O::DescribeKey { key } => {
                line.extend(text("--key-id", key));
                "describe-key"
            }
            O::GetKeyPolicy { key } => {
                line.extend(text("--key-id", key));
                line.extend(text("--policy-name", "default"));
                "get-key-policy"
            }
            O::PutKeyPolicy { key, policy } => {
                line.extend(text("--key-id", key));
                line.extend(text("--policy-name", "default"));
                line.extend(text("--policy", policy));
                "put-key-policy"
            }
            O::DeleteAlias { alias } => {
                line.extend(text("--alias-name", alias));
                "delete-alias"
            }
            O::ScheduleKeyDeletion { key, days } => {
                line.extend(text("--key-id", key));
                line.extend(text("--pending-window-in-days", &days.to_string()));
                "schedule-key-deletion"
            }
            O::DisableKey { key } => {
                line.extend(text("--key-id", key));
                "disable-key"
            }
            O::EnableKey { key } => {
                line.extend(text("--key-id", key));
                "enable-key"
            }
            O::RotateKeyOnDemand { key } => {
                line.extend(text("--key-id", key));
                "rotate-key-on-demand"
            }
            O::CancelKeyDeletion { key } => {
                line.extend(text("--key-id", key));
                "cancel-key-deletion"
            }
            O::CreateGrant { key, grantee, operations, name } => {
                line.extend(text("--key-id", key));
                line.extend(text("--grantee-principal", grantee));
                line.push("--operations".to_owned());
                line.extend(operations.iter().map(|operation| shell_quote(operation)));
                line.extend(text("--name", name));
                "create-grant"
            }
            O::ListGrants { key } => {
                line.extend(text("--key-id", key));
                "list-grants"
            }
            O::RevokeGrant { key, grant_id } => {
                line.extend(text("--key-id", key));
                line.extend(text("--grant-id", grant_id));
                "revoke-grant"
            }
            O::Encrypt { key, plaintext, context } => {
                line.extend(text("--key-id", key));
                line.extend(text("--plaintext", plaintext));
                line.extend(context_option(context));
                "encrypt"
            }
            O::Decrypt { ciphertext, context } => {
                line.extend(text("--ciphertext-blob", ciphertext));
                line.extend(context_option(context));
                "decrypt"
            }
            O::CreateTable { table, key, tags } => {
                line.extend(text("--table-name", table));
                line.extend(text("--attribute-definitions", "AttributeName=id,AttributeType=S"));
                line.extend(text("--key-schema", "AttributeName=id,KeyType=HASH"));
                line.extend(text("--billing-mode", "PAY_PER_REQUEST"));
                match key {
                    TableKey::AwsOwned => {}
                    TableKey::AwsManaged => line.extend(text("--sse-specification", "Enabled=true,SSEType=KMS")),
                    TableKey::Customer(key) => {
                        let specification = format!("Enabled=true,SSEType=KMS,KMSMasterKeyId={key}");
                        line.extend(text("--sse-specification", &specification));
                    }
                }
                line.extend(tags.cli("Key", "Value"));
                "create-table"
            }
            O::DescribeTable { table } => {
                line.extend(text("--table-name", table));
                "describe-table"
            }
            O::PutItem { table, item } => {
                line.extend(text("--table-name", table));
                line.extend(text("--item", &Value::Object(item.clone()).to_string()));
                "put-item"
            }
            O::Scan { table } => {
                line.extend(text("--table-name", table));
                "scan"
            }
            O::DeleteTable { table } => {
                line.extend(text("--table-name", table));
                "delete-table"
            }
            O::CreateUser { user, tags } => {
                line.extend(text("--user-name", user));
                line.extend(tags.cli("Key", "Value"));
                "create-user"
            }
            O::AttachUserPolicy { user, policy_arn } => {
                line.extend(text("--user-name", user));
                line.extend(text("--policy-arn", policy_arn));
                "attach-user-policy"
            }
            O::CreateAccessKey { user } => {
                line.extend(text("--user-name", user));
                "create-access-key"
            }
            O::ListAccessKeys { user } => {
                line.extend(text("--user-name", user));
                "list-access-keys"
            }
            O::DetachUserPolicy { user, policy_arn } => {
                line.extend(text("--user-name", user));
                line.extend(text("--policy-arn", policy_arn));
                "detach-user-policy"
            }
            O::PutUserPolicy { user, name, policy } => {
                line.extend(text("--user-name", user));
                line.extend(text("--policy-name", name));
                line.extend(text("--policy-document", policy));
                "put-user-policy"
            }
            O::DeleteUserPolicy { user, name } => {
                line.extend(text("--user-name", user));
                line.extend(text("--policy-name", name));
                "delete-user-policy"
            }
            O::DeleteAccessKey { user, access_key_id } => {
                line.extend(text("--user-name", user));
                line.extend(text("--access-key-id", access_key_id));
                "delete-access-key"
            }
            O::DeleteUser { user } => {
                line.extend(text("--user-name", user));
                "delete-user"
            }
        };
        line.insert(0, command.to_owned());
        line
    }
}

/// The call's part of an `aws` command line that names neither profile nor region; values are quoted.
pub fn cli_command(operation: &Operation) -> String {
    format!("{} {}", operation.service().prefix(), operation.cli_arguments().join(" "))
}

/// `--encryption-context` with its pairs; nothing where there are none.
fn context_option(context: &Context) -> Vec<String> {
    if context.is_empty() {
        return Vec::new();
    }
    let pairs: Vec<String> = context.iter().map(|(name, value)| format!("{name}={value}")).collect();
    vec!["--encryption-context".to_owned(), shell_quote(&pairs.join(","))]
}

/// The call as one `aws` command line for `identity`, with `--endpoint-url` where the backend is not AWS itself.
///
/// It can be pasted into a shell; values are quoted.
pub fn cli_line(operation: &Operation, identity: Identity, region: &str, endpoint: Option<&str>) -> String {
    let mut line = vec!["aws".to_owned(), cli_command(operation)];
    line.extend(["--profile".to_owned(), identity.name().to_owned(), "--region".to_owned(), shell_quote(region)]);
    if let Some(endpoint) = endpoint {
        line.extend(["--endpoint-url".to_owned(), shell_quote(endpoint)]);
    }
    line.join(" ")
}

/// Quotes `word` for a POSIX shell unless it needs no quotes.
pub fn shell_quote(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./:=,@%+".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', r"'\''"))
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("kmslab-table-1", "kmslab-table-1")]
    #[case("", "''")]
    #[case("two words", "'two words'")]
    #[case("it's", r"'it'\''s'")]
    #[case("$(reboot)", "'$(reboot)'")]
    fn words_are_quoted_for_the_shell(#[case] word: &str, #[case] quoted: &str) {
        assert_eq!(shell_quote(word), quoted);
    }

    #[test]
    fn a_command_line_names_profile_region_and_endpoint() {
        let scan = Operation::Scan { table: "t".into() };
        assert_eq!(
            cli_line(&scan, Identity::TestUser, "eu-west-1", Some("http://127.0.0.1:4599")),
            "aws dynamodb scan --table-name t --profile test-user --region eu-west-1 --endpoint-url http://127.0.0.1:4599"
        );
        assert!(!cli_line(&scan, Identity::Admin, "eu-west-1", None).contains("endpoint"));
    }
}
