//! The `aws` command line that makes the same call as an operation.

use serde_json::{Value, json};

use super::operation::{Operation, Parameter, TableKey, Tags};
use crate::policy::GrantConstraints;

/// Returns the call's part of an `aws` command line, without profile, region and endpoint. Values are quoted.
pub fn cli_command(operation: &Operation) -> String {
    let mut words = vec![operation.service().prefix().to_owned(), kebab(operation.name())];
    for (option, parameter) in operation.clone().parameters() {
        let values = values(parameter);
        if !values.is_empty() {
            words.push(option.to_owned());
            words.extend(values.iter().map(|value| shell_quote(value)));
        }
    }
    words.join(" ")
}

/// An operation's name as the AWS CLI writes it: `CreateKey` is `create-key`.
fn kebab(name: &str) -> String {
    let dashed = name
        .char_indices()
        .flat_map(|(at, c)| (at > 0 && c.is_ascii_uppercase()).then_some('-').into_iter().chain([c]));
    dashed.map(|c| c.to_ascii_lowercase()).collect()
}

/// Returns the words of an option's value; none where the option is left out.
fn values(parameter: Parameter<'_>) -> Vec<String> {
    match parameter {
        Parameter::Text(text) => vec![text.clone()],
        Parameter::Plain(text) | Parameter::Fixed(text) => vec![text.to_owned()],
        Parameter::Number(number) => vec![number.to_string()],
        Parameter::Words(words) => words.to_vec(),
        Parameter::Tags(tags, [key, value]) => {
            tags.pairs().map(|(name, content)| format!("{key}={name},{value}={content}")).collect()
        }
        Parameter::TagConditions(tags) => tag_conditions(tags),
        Parameter::Context(context) => {
            let pairs: Vec<String> = context.iter().map(|(name, value)| format!("{name}={value}")).collect();
            if pairs.is_empty() { pairs } else { vec![pairs.join(",")] }
        }
        Parameter::Constraints(constraints) => {
            let json = |given: &GrantConstraints| json!({ given.name(): given.pairs() }).to_string();
            constraints.as_ref().map(json).into_iter().collect()
        }
        Parameter::TableKey(TableKey::AwsOwned) => Vec::new(),
        Parameter::TableKey(TableKey::AwsManaged) => vec!["Enabled=true,SSEType=KMS".to_owned()],
        Parameter::TableKey(TableKey::Customer(key)) => vec![format!("Enabled=true,SSEType=KMS,KMSMasterKeyId={key}")],
        Parameter::Item(item) => vec![Value::Object(item.clone()).to_string()],
    }
}

/// Returns the tags as context entries of a simulation.
fn tag_conditions(tags: &Tags) -> Vec<String> {
    let entry = |key: &str, values: &str, kind: &str| {
        format!("ContextKeyName={key},ContextKeyValues={values},ContextKeyType={kind}")
    };
    let entries = tags.pairs().map(|(key, value)| entry(&format!("aws:RequestTag/{key}"), value, "string"));
    entries.chain([entry("aws:TagKeys", &tags.keys().join(","), "stringList")]).collect()
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

    use super::super::operation::Operation;
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
        let item = || serde_json::Map::from_iter([(s("id"), serde_json::json!({"S": "1"}))]);
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
                    constraints: Some(GrantConstraints::EncryptionContextSubset([(s("a"), s("b"))].into())),
                    name: s("g"),
                },
                "kms create-grant --key-id k --grantee-principal arn --operations Decrypt Encrypt \
                 --constraints '{\"EncryptionContextSubset\":{\"a\":\"b\"}}' --name g",
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
            (O::ListUserPolicies { user: s("u") }, "iam list-user-policies --user-name u"),
            (O::GetUserPolicy { user: s("u"), name: s("p") }, "iam get-user-policy --user-name u --policy-name p"),
            (O::ListAttachedUserPolicies { user: s("u") }, "iam list-attached-user-policies --user-name u"),
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
