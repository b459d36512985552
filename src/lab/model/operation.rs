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
    GetRole { role: String },
    SimulatePrincipalPolicy { principal: String, actions: Vec<String>, resource: String, tags: Tags },
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
            O::GetRole { .. }
            | O::SimulatePrincipalPolicy { .. }
            | O::CreateUser { .. }
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
            O::GetRole { .. } => "GetRole",
            O::SimulatePrincipalPolicy { .. } => "SimulatePrincipalPolicy",
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
            O::GetRole { role } => role,
            O::SimulatePrincipalPolicy { resource, .. } => resource,
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
}

/// An `aws` command line in the making; values are quoted.
struct CommandLine(String);

impl CommandLine {
    fn word(mut self, word: &str) -> CommandLine {
        self.0.extend([" ", &shell_quote(word)]);
        self
    }

    fn option(self, name: &str, value: &str) -> CommandLine {
        self.word(name).word(value)
    }

    /// `--tags` with the services' own names for a tag's two members.
    fn tags(self, tags: &Tags, key: &str, value: &str) -> CommandLine {
        let tags = tags.pairs().map(|(name, content)| format!("{key}={name},{value}={content}"));
        tags.fold(self.word("--tags"), |line, tag| line.word(&tag))
    }

    /// `--encryption-context` with its pairs; nothing where there are none.
    fn context(self, context: &Context) -> CommandLine {
        let pairs: Vec<String> = context.iter().map(|(name, value)| format!("{name}={value}")).collect();
        if pairs.is_empty() { self } else { self.option("--encryption-context", &pairs.join(",")) }
    }
}

/// An operation's name as the AWS CLI writes it: `CreateKey` is `create-key`.
fn kebab(name: &str) -> String {
    let dashed = name
        .char_indices()
        .flat_map(|(at, c)| (at > 0 && c.is_ascii_uppercase()).then_some('-').into_iter().chain([c]));
    dashed.map(|c| c.to_ascii_lowercase()).collect()
}

/// The call's part of an `aws` command line that names neither profile, region nor endpoint; values are quoted.
pub fn cli_command(operation: &Operation) -> String {
    use Operation as O;
    let line = CommandLine(format!("{} {}", operation.service().prefix(), kebab(operation.name())));
    let of_key = |line: CommandLine, key: &str| line.option("--key-id", key);
    let of_table = |line: CommandLine, table: &str| line.option("--table-name", table);
    let of_user = |line: CommandLine, user: &str| line.option("--user-name", user);
    let line = match operation {
        O::GetCallerIdentity | O::ListKeys => line,
        O::CreateKey { description, tags } => {
            line.option("--description", description).tags(tags, "TagKey", "TagValue")
        }
        O::CreateAlias { alias, key } => line.option("--alias-name", alias).option("--target-key-id", key),
        O::DeleteAlias { alias } => line.option("--alias-name", alias),
        O::DescribeKey { key }
        | O::DisableKey { key }
        | O::EnableKey { key }
        | O::RotateKeyOnDemand { key }
        | O::CancelKeyDeletion { key }
        | O::ListGrants { key } => of_key(line, key),
        O::GetKeyPolicy { key } => of_key(line, key).option("--policy-name", "default"),
        O::PutKeyPolicy { key, policy } => {
            of_key(line, key).option("--policy-name", "default").option("--policy", policy)
        }
        O::ScheduleKeyDeletion { key, days } => of_key(line, key).option("--pending-window-in-days", &days.to_string()),
        O::CreateGrant { key, grantee, operations, name } => {
            let line = of_key(line, key).option("--grantee-principal", grantee).word("--operations");
            operations.iter().fold(line, |line, operation| line.word(operation)).option("--name", name)
        }
        O::RevokeGrant { key, grant_id } => of_key(line, key).option("--grant-id", grant_id),
        O::Encrypt { key, plaintext, context } => of_key(line, key).option("--plaintext", plaintext).context(context),
        O::Decrypt { ciphertext, context } => line.option("--ciphertext-blob", ciphertext).context(context),
        O::CreateTable { table, key, tags } => {
            let encryption = match key {
                TableKey::AwsOwned => None,
                TableKey::AwsManaged => Some("Enabled=true,SSEType=KMS".to_owned()),
                TableKey::Customer(key) => Some(format!("Enabled=true,SSEType=KMS,KMSMasterKeyId={key}")),
            };
            let line = of_table(line, table)
                .option("--attribute-definitions", "AttributeName=id,AttributeType=S")
                .option("--key-schema", "AttributeName=id,KeyType=HASH")
                .option("--billing-mode", "PAY_PER_REQUEST");
            let line = encryption.iter().fold(line, |line, sse| line.option("--sse-specification", sse));
            line.tags(tags, "Key", "Value")
        }
        O::DescribeTable { table } | O::Scan { table } | O::DeleteTable { table } => of_table(line, table),
        O::PutItem { table, item } => of_table(line, table).option("--item", &Value::Object(item.clone()).to_string()),
        O::GetRole { role } => line.option("--role-name", role),
        O::SimulatePrincipalPolicy { principal, actions, resource, tags } => {
            let line = line.option("--policy-source-arn", principal).word("--action-names");
            let line = actions.iter().fold(line, |line, action| line.word(action));
            let entry = |key: &str, values: &str, kind: &str| {
                format!("ContextKeyName={key},ContextKeyValues={values},ContextKeyType={kind}")
            };
            let entries = tags.pairs().map(|(key, value)| entry(&format!("aws:RequestTag/{key}"), value, "string"));
            let line = line.option("--resource-arns", resource).word("--context-entries");
            let line = entries.fold(line, |line, entry| line.word(&entry));
            line.word(&entry("aws:TagKeys", &tags.keys().join(","), "stringList"))
        }
        O::CreateUser { user, tags } => of_user(line, user).tags(tags, "Key", "Value"),
        O::AttachUserPolicy { user, policy_arn } | O::DetachUserPolicy { user, policy_arn } => {
            of_user(line, user).option("--policy-arn", policy_arn)
        }
        O::CreateAccessKey { user } | O::ListAccessKeys { user } | O::DeleteUser { user } => of_user(line, user),
        O::PutUserPolicy { user, name, policy } => {
            of_user(line, user).option("--policy-name", name).option("--policy-document", policy)
        }
        O::DeleteUserPolicy { user, name } => of_user(line, user).option("--policy-name", name),
        O::DeleteAccessKey { user, access_key_id } => of_user(line, user).option("--access-key-id", access_key_id),
    };
    line.0
}

/// The call as one `aws` command line for `profile`, with `--endpoint-url` where the backend is not AWS itself.
///
/// It can be pasted into a shell; values are quoted.
pub fn cli_line(operation: &Operation, profile: &str, region: &str, endpoint: Option<&str>) -> String {
    let mut line = vec!["aws".to_owned(), cli_command(operation)];
    line.extend(["--profile".to_owned(), shell_quote(profile), "--region".to_owned(), shell_quote(region)]);
    if let Some(endpoint) = endpoint {
        line.extend(["--endpoint-url".to_owned(), shell_quote(endpoint)]);
    }
    line.join(" ")
}

/// Quotes `word` for a POSIX shell unless it needs no quotes.
pub fn shell_quote(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./:=,@%+".contains(c);
    // zsh looks for a command where a word begins with `=`.
    if !word.is_empty() && !word.starts_with('=') && word.chars().all(plain) {
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
    #[case("=ls", "'=ls'")]
    #[case("$(reboot)", "'$(reboot)'")]
    fn words_are_quoted_for_the_shell(#[case] word: &str, #[case] quoted: &str) {
        assert_eq!(shell_quote(word), quoted);
    }

    #[test]
    fn every_operation_has_its_command_line() {
        use Operation as O;
        let s = str::to_owned;
        let tags = || Tags { run: s("r1"), created: None };
        let context = || vec![(s("a"), s("b c")), (s("d"), s("e"))];
        let item = || Map::from_iter([(s("id"), serde_json::json!({"S": "1"}))]);
        let table = |key| O::CreateTable { table: s("t"), key, tags: tags() };
        let all = [
            (O::GetCallerIdentity, "sts get-caller-identity"),
            (
                O::CreateKey { description: s("a lab"), tags: tags() },
                "kms create-key --description 'a lab' --tags TagKey=kmslab:run,TagValue=r1",
            ),
            (
                O::CreateAlias { alias: s("alias/a"), key: s("k") },
                "kms create-alias --alias-name alias/a --target-key-id k",
            ),
            (O::ListKeys, "kms list-keys"),
            (O::DescribeKey { key: s("k") }, "kms describe-key --key-id k"),
            (O::DisableKey { key: s("k") }, "kms disable-key --key-id k"),
            (O::EnableKey { key: s("k") }, "kms enable-key --key-id k"),
            (O::RotateKeyOnDemand { key: s("k") }, "kms rotate-key-on-demand --key-id k"),
            (O::CancelKeyDeletion { key: s("k") }, "kms cancel-key-deletion --key-id k"),
            (
                O::CreateGrant {
                    key: s("k"),
                    grantee: s("arn"),
                    operations: vec![s("Decrypt"), s("Encrypt")],
                    name: s("g"),
                },
                "kms create-grant --key-id k --grantee-principal arn --operations Decrypt Encrypt --name g",
            ),
            (O::ListGrants { key: s("k") }, "kms list-grants --key-id k"),
            (O::RevokeGrant { key: s("k"), grant_id: s("1") }, "kms revoke-grant --key-id k --grant-id 1"),
            (
                O::Encrypt { key: s("k"), plaintext: s("cA=="), context: context() },
                "kms encrypt --key-id k --plaintext cA== --encryption-context 'a=b c,d=e'",
            ),
            (O::Decrypt { ciphertext: s("Yw=="), context: Vec::new() }, "kms decrypt --ciphertext-blob Yw=="),
            (O::GetKeyPolicy { key: s("k") }, "kms get-key-policy --key-id k --policy-name default"),
            (
                O::PutKeyPolicy { key: s("k"), policy: s("{}") },
                "kms put-key-policy --key-id k --policy-name default --policy '{}'",
            ),
            (O::DeleteAlias { alias: s("alias/a") }, "kms delete-alias --alias-name alias/a"),
            (
                O::ScheduleKeyDeletion { key: s("k"), days: 7 },
                "kms schedule-key-deletion --key-id k --pending-window-in-days 7",
            ),
            (
                table(TableKey::AwsOwned),
                "dynamodb create-table --table-name t --attribute-definitions AttributeName=id,AttributeType=S \
                 --key-schema AttributeName=id,KeyType=HASH --billing-mode PAY_PER_REQUEST \
                 --tags Key=kmslab:run,Value=r1",
            ),
            (
                table(TableKey::AwsManaged),
                "dynamodb create-table --table-name t --attribute-definitions AttributeName=id,AttributeType=S \
                 --key-schema AttributeName=id,KeyType=HASH --billing-mode PAY_PER_REQUEST --sse-specification \
                 Enabled=true,SSEType=KMS --tags Key=kmslab:run,Value=r1",
            ),
            (
                table(TableKey::Customer(s("arn:k"))),
                "dynamodb create-table --table-name t --attribute-definitions AttributeName=id,AttributeType=S \
                 --key-schema AttributeName=id,KeyType=HASH --billing-mode PAY_PER_REQUEST \
                 --sse-specification Enabled=true,SSEType=KMS,KMSMasterKeyId=arn:k \
                 --tags Key=kmslab:run,Value=r1",
            ),
            (O::DescribeTable { table: s("t") }, "dynamodb describe-table --table-name t"),
            (
                O::PutItem { table: s("t"), item: item() },
                "dynamodb put-item --table-name t --item '{\"id\":{\"S\":\"1\"}}'",
            ),
            (O::Scan { table: s("t") }, "dynamodb scan --table-name t"),
            (O::DeleteTable { table: s("t") }, "dynamodb delete-table --table-name t"),
            (O::GetRole { role: s("r") }, "iam get-role --role-name r"),
            (
                O::SimulatePrincipalPolicy {
                    principal: s("arn:a"),
                    actions: vec![s("iam:CreateUser"), s("iam:TagUser")],
                    resource: s("arn:u"),
                    tags: tags(),
                },
                "iam simulate-principal-policy --policy-source-arn arn:a --action-names iam:CreateUser iam:TagUser \
                 --resource-arns arn:u --context-entries \
                 ContextKeyName=aws:RequestTag/kmslab:run,ContextKeyValues=r1,ContextKeyType=string \
                 ContextKeyName=aws:TagKeys,ContextKeyValues=kmslab:run,ContextKeyType=stringList",
            ),
            (
                O::CreateUser { user: s("u"), tags: tags() },
                "iam create-user --user-name u --tags Key=kmslab:run,Value=r1",
            ),
            (
                O::AttachUserPolicy { user: s("u"), policy_arn: s("arn:p") },
                "iam attach-user-policy --user-name u --policy-arn arn:p",
            ),
            (O::CreateAccessKey { user: s("u") }, "iam create-access-key --user-name u"),
            (O::ListAccessKeys { user: s("u") }, "iam list-access-keys --user-name u"),
            (
                O::DetachUserPolicy { user: s("u"), policy_arn: s("arn:p") },
                "iam detach-user-policy --user-name u --policy-arn arn:p",
            ),
            (
                O::PutUserPolicy { user: s("u"), name: s("p"), policy: s("{}") },
                "iam put-user-policy --user-name u --policy-name p --policy-document '{}'",
            ),
            (
                O::DeleteUserPolicy { user: s("u"), name: s("p") },
                "iam delete-user-policy --user-name u --policy-name p",
            ),
            (
                O::DeleteAccessKey { user: s("u"), access_key_id: s("AKIA1") },
                "iam delete-access-key --user-name u --access-key-id AKIA1",
            ),
            (O::DeleteUser { user: s("u") }, "iam delete-user --user-name u"),
        ];
        for (operation, line) in all {
            assert_eq!(cli_command(&operation), line);
        }
    }

    #[test]
    fn a_command_line_names_profile_region_and_endpoint() {
        let scan = Operation::Scan { table: "t".into() };
        assert_eq!(
            cli_line(&scan, "kmslab-test-user", "eu-west-1", Some("http://127.0.0.1:4599")),
            "aws dynamodb scan --table-name t --profile kmslab-test-user --region eu-west-1 --endpoint-url http://127.0.0.1:4599"
        );
        let plain = cli_line(&scan, "my profile", "eu-west-1", None);
        assert!(!plain.contains("endpoint") && plain.contains(" --profile 'my profile' "), "{plain}");
    }
}
