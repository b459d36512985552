//! The lab's operations as SDK calls.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::{
    AttributeDefinition, AttributeValue, BillingMode, KeySchemaElement, KeyType, ScalarAttributeType, SseSpecification,
    SseType, Tag,
};
use aws_sdk_iam::types as iam;
use aws_sdk_kms::types as kms;
use aws_smithy_runtime_api::client::interceptors::context::InterceptorContext;
use aws_smithy_runtime_api::client::retries::classifiers::{ClassifyRetry, RetryAction};
use aws_smithy_types::Blob;
use serde_json::{Map, Value};
use zeroize::Zeroizing;

use super::settings::{self, Fault};
use super::tap::Tap;
use super::{Keys, ServiceClients, failure};
use crate::lab::operation::Context;
use crate::lab::{NoResponse, Operation, TableKey, Tags};

/// As many keys as KMS lists at once (ListKeys, `Limit`).
const LISTED_KEYS: i32 = 1_000;

/// Sends a fluent builder's call through the tap; the answer itself is read off the wire.
macro_rules! send {
    ($builder:expr, $tap:expr) => {
        $builder.customize().interceptor($tap).send().await.map_err(|error| failure::describe(&error))
    };
}

/// As `send!`, for what creates something.
macro_rules! create {
    ($service:ident, $builder:expr, $tap:expr) => {
        $builder
            .customize()
            .config_override($service::config::Builder::default().retry_classifier(OnlyAfterAnError))
            .interceptor($tap)
            .send()
            .await
            .map_err(|error| failure::describe(&error))
    };
}

/// Forbids a further try of a call that may have created something: one whose answer was lost or can't be read, or that
/// failed inside of the service or before it (5xx; a gateway says 503 of calls that were carried out, too). A second one
/// would create a second key, or say that the table exists already. What was throttled or refused (4xx) has created
/// nothing.
#[derive(Debug)]
struct OnlyAfterAnError;

impl ClassifyRetry for OnlyAfterAnError {
    fn classify_retry(&self, context: &InterceptorContext) -> RetryAction {
        match (context.output_or_error(), context.response()) {
            (Some(Err(_)), Some(response)) if matches!(response.status().as_u16(), 400..500) => {
                RetryAction::NoActionIndicated
            }
            (Some(Err(_)), _) => RetryAction::RetryForbidden,
            _ => RetryAction::NoActionIndicated,
        }
    }

    fn name(&self) -> &'static str {
        "kmslab::OnlyAfterAnError"
    }
}

/// Sends `operation`. A new access key comes back, since its secret is in no [`crate::lab::Answer`].
pub(super) async fn send(
    clients: &ServiceClients,
    operation: &Operation,
    tap: Tap,
) -> Result<Option<Keys>, NoResponse> {
    use Operation as O;
    match operation {
        O::GetCallerIdentity => send!(clients.sts().get_caller_identity(), tap).map(drop)?,
        O::CreateKey { description, tags } => {
            let tags = tags.pairs().map(|(key, value)| kms::Tag::builder().tag_key(key).tag_value(value).build());
            let tags = tags.collect::<Result<Vec<_>, _>>().map_err(|error| malformed(&error))?;
            create!(aws_sdk_kms, clients.kms().create_key().description(description).set_tags(Some(tags)), tap)
                .map(drop)?;
        }
        O::CreateAlias { alias, key } => {
            create!(aws_sdk_kms, clients.kms().create_alias().alias_name(alias).target_key_id(key), tap).map(drop)?;
        }
        O::ListKeys => send!(clients.kms().list_keys().limit(LISTED_KEYS), tap).map(drop)?,
        O::ListAccessKeys { user } => send!(clients.iam().list_access_keys().user_name(user), tap).map(drop)?,
        O::DescribeKey { key } => send!(clients.kms().describe_key().key_id(key), tap).map(drop)?,
        O::GetKeyPolicy { key } => {
            send!(clients.kms().get_key_policy().key_id(key).policy_name("default"), tap).map(drop)?;
        }
        O::PutKeyPolicy { key, policy } => {
            send!(clients.kms().put_key_policy().key_id(key).policy_name("default").policy(policy), tap).map(drop)?;
        }
        O::DisableKey { key } => send!(clients.kms().disable_key().key_id(key), tap).map(drop)?,
        O::EnableKey { key } => send!(clients.kms().enable_key().key_id(key), tap).map(drop)?,
        // Not sent twice: a second one would rotate again.
        O::RotateKeyOnDemand { key } => {
            create!(aws_sdk_kms, clients.kms().rotate_key_on_demand().key_id(key), tap).map(drop)?;
        }
        O::CancelKeyDeletion { key } => send!(clients.kms().cancel_key_deletion().key_id(key), tap).map(drop)?,
        O::CreateGrant { key, grantee, operations, name } => {
            let operations = operations.iter().map(|operation| kms::GrantOperation::from(operation.as_str())).collect();
            let call = clients.kms().create_grant().key_id(key).grantee_principal(grantee);
            create!(aws_sdk_kms, call.set_operations(Some(operations)).name(name), tap).map(drop)?;
        }
        O::ListGrants { key } => send!(clients.kms().list_grants().key_id(key), tap).map(drop)?,
        O::RevokeGrant { key, grant_id } => {
            send!(clients.kms().revoke_grant().key_id(key).grant_id(grant_id), tap).map(drop)?;
        }
        O::Encrypt { key, plaintext, context } => {
            let call = clients.kms().encrypt().key_id(key).plaintext(blob(plaintext)?);
            send!(call.set_encryption_context(pairs(context)), tap).map(drop)?;
        }
        O::Decrypt { ciphertext, context } => {
            let call = clients.kms().decrypt().ciphertext_blob(blob(ciphertext)?);
            send!(call.set_encryption_context(pairs(context)), tap).map(drop)?;
        }
        O::DeleteAlias { alias } => send!(clients.kms().delete_alias().alias_name(alias), tap).map(drop)?,
        O::ScheduleKeyDeletion { key, days } => {
            let call = clients.kms().schedule_key_deletion().key_id(key).pending_window_in_days(i32::from(*days));
            send!(call, tap).map(drop)?;
        }
        O::CreateTable { table, key, tags } => {
            create!(aws_sdk_dynamodb, create_table(clients, table, key, tags)?, tap).map(drop)?;
        }
        O::DescribeTable { table } => send!(clients.dynamodb().describe_table().table_name(table), tap).map(drop)?,
        O::PutItem { table, item } => {
            let mut call = clients.dynamodb().put_item().table_name(table);
            for (name, value) in item {
                call = call.item(name, attribute_value(value)?);
            }
            send!(call, tap).map(drop)?;
        }
        O::Scan { table } => send!(clients.dynamodb().scan().table_name(table), tap).map(drop)?,
        O::DeleteTable { table } => send!(clients.dynamodb().delete_table().table_name(table), tap).map(drop)?,
        O::GetRole { role } => send!(clients.iam().get_role().role_name(role), tap).map(drop)?,
        O::SimulatePrincipalPolicy { principal, actions, resource, tags } => {
            let call = clients.iam().simulate_principal_policy().policy_source_arn(principal).resource_arns(resource);
            let call = call.set_action_names(Some(actions.clone()));
            send!(call.set_context_entries(Some(tag_entries(tags))), tap).map(drop)?;
        }
        O::CreateUser { user, tags } => {
            let tags = tags.pairs().map(|(key, value)| iam::Tag::builder().key(key).value(value).build());
            let tags = tags.collect::<Result<Vec<_>, _>>().map_err(|error| malformed(&error))?;
            create!(aws_sdk_iam, clients.iam().create_user().user_name(user).set_tags(Some(tags)), tap).map(drop)?;
        }
        O::AttachUserPolicy { user, policy_arn } => {
            send!(clients.iam().attach_user_policy().user_name(user).policy_arn(policy_arn), tap).map(drop)?;
        }
        O::CreateAccessKey { user } => {
            let output = create!(aws_sdk_iam, clients.iam().create_access_key().user_name(user), tap)?;
            let fault = output.access_key.as_ref().and_then(|key| {
                let secret = settings::fault_of("secret access key", &key.secret_access_key);
                settings::fault_of("access key id", &key.access_key_id).or(secret)
            });
            if let Some(Fault { says, .. }) = fault {
                return Err(NoResponse { message: says, remedy: failure::NOT_AWS.to_owned() });
            }
            return Ok(output.access_key.map(|key| Keys {
                access_key_id: key.access_key_id,
                secret_access_key: Zeroizing::new(key.secret_access_key),
            }));
        }
        O::DetachUserPolicy { user, policy_arn } => {
            send!(clients.iam().detach_user_policy().user_name(user).policy_arn(policy_arn), tap).map(drop)?;
        }
        O::PutUserPolicy { user, name, policy } => {
            let call = clients.iam().put_user_policy().user_name(user).policy_name(name).policy_document(policy);
            send!(call, tap).map(drop)?;
        }
        O::DeleteUserPolicy { user, name } => {
            send!(clients.iam().delete_user_policy().user_name(user).policy_name(name), tap).map(drop)?;
        }
        O::DeleteAccessKey { user, access_key_id } => {
            let call = clients.iam().delete_access_key().user_name(user).access_key_id(access_key_id);
            send!(call, tap).map(drop)?;
        }
        O::DeleteUser { user } => send!(clients.iam().delete_user().user_name(user), tap).map(drop)?,
    }
    Ok(None)
}

/// The tags, as context entries of a simulation.
fn tag_entries(tags: &Tags) -> Vec<iam::ContextEntry> {
    let entry = |key: String, kind: iam::ContextKeyTypeEnum, values: Vec<String>| {
        let entry = iam::ContextEntry::builder().context_key_name(key).context_key_type(kind);
        entry.set_context_key_values(Some(values)).build()
    };
    let tag = |(key, value): (&str, &str)| {
        entry(format!("aws:RequestTag/{key}"), iam::ContextKeyTypeEnum::String, vec![value.to_owned()])
    };
    let keys = tags.keys().into_iter().map(str::to_owned).collect();
    let keys = entry("aws:TagKeys".to_owned(), iam::ContextKeyTypeEnum::StringList, keys);
    tags.pairs().map(tag).chain([keys]).collect()
}

/// A table with the string partition key `id`, paid by request, encrypted under `key`.
fn create_table(
    clients: &ServiceClients,
    table: &str,
    key: &TableKey,
    tags: &Tags,
) -> Result<aws_sdk_dynamodb::operation::create_table::builders::CreateTableFluentBuilder, NoResponse> {
    let attribute = AttributeDefinition::builder().attribute_name("id").attribute_type(ScalarAttributeType::S).build();
    let partition_key = KeySchemaElement::builder().attribute_name("id").key_type(KeyType::Hash).build();
    let kms = || SseSpecification::builder().enabled(true).sse_type(SseType::Kms);
    let encryption = match key {
        TableKey::AwsOwned => None,
        TableKey::AwsManaged => Some(kms().build()),
        TableKey::Customer(key) => Some(kms().kms_master_key_id(key).build()),
    };
    let tags = tags.pairs().map(|(key, value)| Tag::builder().key(key).value(value).build());
    let tags = tags.collect::<Result<Vec<_>, _>>().map_err(|error| malformed(&error))?;
    Ok(clients
        .dynamodb()
        .create_table()
        .table_name(table)
        .attribute_definitions(attribute.map_err(|error| malformed(&error))?)
        .key_schema(partition_key.map_err(|error| malformed(&error))?)
        .billing_mode(BillingMode::PayPerRequest)
        .set_sse_specification(encryption)
        .set_tags(Some(tags)))
}

/// Bytes that are kept as base64.
fn blob(base64: &str) -> Result<Blob, NoResponse> {
    aws_smithy_types::base64::decode(base64).map(Blob::new).map_err(|error| malformed(&error))
}

fn pairs(context: &Context) -> Option<HashMap<String, String>> {
    (!context.is_empty()).then(|| context.iter().cloned().collect())
}

fn malformed(error: &dyn std::error::Error) -> NoResponse {
    NoResponse { message: failure::chain(error), remedy: "this is a fault of kmslab: please report it".to_owned() }
}

/// DynamoDB JSON (`{"S": "text"}`) as the SDK's value.
fn attribute_value(value: &Value) -> Result<AttributeValue, NoResponse> {
    let wrong = || NoResponse {
        message: format!("not a DynamoDB attribute value: {value}"),
        remedy: "correct the sample items".to_owned(),
    };
    let text = |value: &Value| value.as_str().map(str::to_owned).ok_or_else(wrong);
    let members: &Map<String, Value> = value.as_object().ok_or_else(wrong)?;
    let (kind, content) = members.iter().next().filter(|_| members.len() == 1).ok_or_else(wrong)?;
    Ok(match (kind.as_str(), content) {
        ("S", content) => AttributeValue::S(text(content)?),
        ("N", content) => AttributeValue::N(text(content)?),
        ("BOOL", Value::Bool(truth)) => AttributeValue::Bool(*truth),
        ("NULL", Value::Bool(truth)) => AttributeValue::Null(*truth),
        ("SS", Value::Array(texts)) => AttributeValue::Ss(texts.iter().map(text).collect::<Result<_, _>>()?),
        ("NS", Value::Array(texts)) => AttributeValue::Ns(texts.iter().map(text).collect::<Result<_, _>>()?),
        ("L", Value::Array(values)) => AttributeValue::L(values.iter().map(attribute_value).collect::<Result<_, _>>()?),
        ("M", Value::Object(members)) => AttributeValue::M(
            members
                .iter()
                .map(|(name, value)| Ok((name.clone(), attribute_value(value)?)))
                .collect::<Result<_, NoResponse>>()?,
        ),
        _ => return Err(wrong()),
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_sample_items_are_attribute_values() {
        for item in crate::lab::script::items() {
            for value in item.values() {
                assert!(attribute_value(value).is_ok(), "{value}");
            }
        }
    }

    #[test]
    fn what_is_no_attribute_value_is_refused() {
        for value in [json!("bare"), json!({"S": 1}), json!({"S": "a", "N": "1"}), json!({"X": "?"}), json!({})] {
            assert!(attribute_value(&value).is_err(), "{value}");
        }
        assert_eq!(
            attribute_value(&json!({"M": {"a": {"L": [{"BOOL": true}]}}})).unwrap(),
            AttributeValue::M([("a".into(), AttributeValue::L(vec![AttributeValue::Bool(true)]))].into())
        );
    }
}
