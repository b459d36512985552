//! The lab's operations as SDK calls.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::{
    AttributeDefinition, AttributeValue, BillingMode, KeySchemaElement, KeyType, ScalarAttributeType, SseSpecification,
    SseType,
};
use aws_sdk_iam::types::{ContextEntry, ContextKeyTypeEnum};
use aws_smithy_runtime_api::client::interceptors::context::InterceptorContext;
use aws_smithy_runtime_api::client::retries::classifiers::{ClassifyRetry, RetryAction};
use aws_smithy_types::Blob;
use serde_json::{Map, Value};
use zeroize::Zeroizing;
use {aws_sdk_dynamodb as dynamodb, aws_sdk_iam as iam, aws_sdk_kms as kms};

use super::failure;
use super::service_clients::{Keys, ServiceClients};
use super::settings::{self, Fault};
use super::tap::Tap;
use crate::lab::operation::Context;
use crate::lab::{CallError, Operation, TableKey, Tags};
use crate::policy::GrantConstraints;

/// As many keys as KMS lists at once (ListKeys, `Limit`).
const LISTED_KEYS: i32 = 1_000;

/// Sends a fluent builder's call through the tap, which reads the response off the wire.
macro_rules! tapped {
    ($builder:expr, $tap:expr) => {
        $builder.customize().interceptor($tap).send().await.map(drop).map_err(|error| failure::describe(&error))
    };
}

/// Sends a call that creates something; returns the SDK's output.
macro_rules! created {
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

/// Sends a call that creates something, as `tapped!` does.
macro_rules! create {
    ($service:ident, $builder:expr, $tap:expr) => {
        created!($service, $builder, $tap).map(drop)
    };
}

pub(super) use tapped;

/// Forbids a retry of a call that may have created something: its response was lost or can't be read, or the service or a
/// gateway before it failed (5xx; a gateway may send 503 for calls that were carried out). A retry would create a second
/// key, or report that the table exists. A throttled or refused call (4xx) has created nothing.
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

/// Sends `operation`. Returns a new access key, since no [`crate::lab::Answer`] has its secret.
///
/// # Errors
/// If the call can't be built, or there is no usable response.
pub(super) async fn send(clients: &ServiceClients, operation: &Operation, tap: Tap) -> Result<Option<Keys>, CallError> {
    use Operation as O;
    let (sts, kms, iam, dynamodb) = (|| clients.sts(), || clients.kms(), || clients.iam(), || clients.dynamodb());
    #[rustfmt::skip]
    let sent = match operation {
        O::GetCallerIdentity => tapped!(sts().get_caller_identity(), tap),
        O::CreateKey { description, tags } =>
            create!(kms, kms().create_key().description(description).set_tags(kms_tags(tags)?), tap),
        O::CreateAlias { alias, key } => create!(kms, kms().create_alias().alias_name(alias).target_key_id(key), tap),
        O::ListKeys => tapped!(kms().list_keys().limit(LISTED_KEYS), tap),
        O::DescribeKey { key } => tapped!(kms().describe_key().key_id(key), tap),
        O::GetKeyPolicy { key } => tapped!(kms().get_key_policy().key_id(key).policy_name("default"), tap),
        O::PutKeyPolicy { key, policy } =>
            tapped!(kms().put_key_policy().key_id(key).policy_name("default").policy(policy), tap),
        O::DisableKey { key } => tapped!(kms().disable_key().key_id(key), tap),
        O::EnableKey { key } => tapped!(kms().enable_key().key_id(key), tap),
        // Not retried: a second one would rotate again.
        O::RotateKeyOnDemand { key } => create!(kms, kms().rotate_key_on_demand().key_id(key), tap),
        O::CancelKeyDeletion { key } => tapped!(kms().cancel_key_deletion().key_id(key), tap),
        O::CreateGrant { key, grantee, operations, constraints, name } =>
            create!(kms, create_grant(clients, key, grantee, operations, constraints).set_name(given(name)), tap),
        O::ListGrants { key } => tapped!(kms().list_grants().key_id(key), tap),
        O::RevokeGrant { key, grant_id } => tapped!(kms().revoke_grant().key_id(key).grant_id(grant_id), tap),
        O::Encrypt { key, plaintext, context } =>
            tapped!(kms().encrypt().key_id(key).plaintext(blob(plaintext)?).set_encryption_context(pairs(context)), tap),
        O::Decrypt { ciphertext, context } =>
            tapped!(kms().decrypt().ciphertext_blob(blob(ciphertext)?).set_encryption_context(pairs(context)), tap),
        O::DeleteAlias { alias } => tapped!(kms().delete_alias().alias_name(alias), tap),
        O::ScheduleKeyDeletion { key, days } =>
            tapped!(kms().schedule_key_deletion().key_id(key).pending_window_in_days((*days).into()), tap),
        O::CreateTable { table, key, tags } => create!(dynamodb, create_table(clients, table, key, tags)?, tap),
        O::DescribeTable { table } => tapped!(dynamodb().describe_table().table_name(table), tap),
        O::PutItem { table, item } => tapped!(dynamodb().put_item().table_name(table).set_item(attributes(item)?), tap),
        O::Scan { table } => tapped!(dynamodb().scan().table_name(table), tap),
        O::DeleteTable { table } => tapped!(dynamodb().delete_table().table_name(table), tap),
        O::GetRole { role } => tapped!(iam().get_role().role_name(role), tap),
        O::SimulatePrincipalPolicy { principal, actions, resource, tags } =>
            tapped!(simulate(clients, principal, actions, resource, tags), tap),
        O::CreateUser { user, tags } =>
            create!(iam, iam().create_user().user_name(user).set_tags(iam_tags(tags)?), tap),
        O::AttachUserPolicy { user, policy_arn } =>
            tapped!(iam().attach_user_policy().user_name(user).policy_arn(policy_arn), tap),
        O::DetachUserPolicy { user, policy_arn } =>
            tapped!(iam().detach_user_policy().user_name(user).policy_arn(policy_arn), tap),
        O::PutUserPolicy { user, name, policy } =>
            tapped!(iam().put_user_policy().user_name(user).policy_name(name).policy_document(policy), tap),
        O::DeleteUserPolicy { user, name } =>
            tapped!(iam().delete_user_policy().user_name(user).policy_name(name), tap),
        O::ListUserPolicies { user } => tapped!(iam().list_user_policies().user_name(user), tap),
        O::GetUserPolicy { user, name } => tapped!(iam().get_user_policy().user_name(user).policy_name(name), tap),
        O::ListAttachedUserPolicies { user } =>
            tapped!(iam().list_attached_user_policies().user_name(user), tap),
        O::CreateAccessKey { user } => return create_access_key(clients, user, tap).await,
        O::ListAccessKeys { user } => tapped!(iam().list_access_keys().user_name(user), tap),
        O::DeleteAccessKey { user, access_key_id } =>
            tapped!(iam().delete_access_key().user_name(user).access_key_id(access_key_id), tap),
        O::DeleteUser { user } => tapped!(iam().delete_user().user_name(user), tap),
    };
    sent.map(|()| None)
}

async fn create_access_key(clients: &ServiceClients, user: &str, tap: Tap) -> Result<Option<Keys>, CallError> {
    let output = created!(iam, clients.iam().create_access_key().user_name(user), tap)?;
    let fault = output.access_key.as_ref().and_then(|key| {
        let secret = settings::fault_of("secret access key", &key.secret_access_key);
        settings::fault_of("access key id", &key.access_key_id).or(secret)
    });
    if let Some(Fault { says, .. }) = fault {
        return Err(CallError { message: says, remedy: failure::NOT_AWS.to_owned() });
    }
    Ok(output
        .access_key
        .map(|key| Keys { access_key_id: key.access_key_id, secret_access_key: Zeroizing::new(key.secret_access_key) }))
}

fn create_grant(
    clients: &ServiceClients,
    key: &str,
    grantee: &str,
    operations: &[String],
    constraints: &Option<GrantConstraints>,
) -> kms::operation::create_grant::builders::CreateGrantFluentBuilder {
    let operations = operations.iter().map(|name| kms::types::GrantOperation::from(name.as_str())).collect();
    let constraints = constraints.as_ref().map(|constraints| {
        let pairs = constraints.pairs().clone().into_iter().collect();
        let sdk = kms::types::GrantConstraints::builder();
        match constraints {
            GrantConstraints::EncryptionContextEquals(_) => sdk.set_encryption_context_equals(Some(pairs)).build(),
            GrantConstraints::EncryptionContextSubset(_) => sdk.set_encryption_context_subset(Some(pairs)).build(),
        }
    });
    let call = clients.kms().create_grant().key_id(key).grantee_principal(grantee);
    call.set_operations(Some(operations)).set_constraints(constraints)
}

/// A name that may be left out; an empty one is none.
fn given(name: &str) -> Option<String> {
    Some(name.to_owned()).filter(|name| !name.is_empty())
}

fn simulate(
    clients: &ServiceClients,
    principal: &str,
    actions: &[String],
    resource: &str,
    tags: &Tags,
) -> iam::operation::simulate_principal_policy::builders::SimulatePrincipalPolicyFluentBuilder {
    let call = clients.iam().simulate_principal_policy().policy_source_arn(principal).resource_arns(resource);
    call.set_action_names(Some(actions.to_vec())).set_context_entries(Some(tag_entries(tags)))
}

/// Defines the tags of one service.
macro_rules! tags {
    ($name:ident, $tag:ty, $key:ident, $value:ident) => {
        fn $name(tags: &Tags) -> Result<Option<Vec<$tag>>, CallError> {
            let tags = tags.pairs().map(|(key, value)| <$tag>::builder().$key(key).$value(value).build());
            tags.collect::<Result<_, _>>().map(Some).map_err(|error| malformed(&error))
        }
    };
}

tags!(kms_tags, kms::types::Tag, tag_key, tag_value);
tags!(iam_tags, iam::types::Tag, key, value);
tags!(table_tags, dynamodb::types::Tag, key, value);

/// The tags, as context entries of a simulation.
fn tag_entries(tags: &Tags) -> Vec<ContextEntry> {
    let entry = |key: String, kind: ContextKeyTypeEnum, values: Vec<String>| {
        let entry = ContextEntry::builder().context_key_name(key).context_key_type(kind);
        entry.set_context_key_values(Some(values)).build()
    };
    let tag = |(key, value): (&str, &str)| {
        entry(format!("aws:RequestTag/{key}"), ContextKeyTypeEnum::String, vec![value.to_owned()])
    };
    let keys = tags.keys().into_iter().map(str::to_owned).collect();
    let keys = entry("aws:TagKeys".to_owned(), ContextKeyTypeEnum::StringList, keys);
    tags.pairs().map(tag).chain([keys]).collect()
}

/// A table with the string partition key `id`, paid by request, encrypted under `key`.
fn create_table(
    clients: &ServiceClients,
    table: &str,
    key: &TableKey,
    tags: &Tags,
) -> Result<dynamodb::operation::create_table::builders::CreateTableFluentBuilder, CallError> {
    let attribute = AttributeDefinition::builder().attribute_name("id").attribute_type(ScalarAttributeType::S).build();
    let partition_key = KeySchemaElement::builder().attribute_name("id").key_type(KeyType::Hash).build();
    let kms = || SseSpecification::builder().enabled(true).sse_type(SseType::Kms);
    let encryption = match key {
        TableKey::AwsOwned => None,
        TableKey::AwsManaged => Some(kms().build()),
        TableKey::Customer(key) => Some(kms().kms_master_key_id(key).build()),
    };
    Ok(clients
        .dynamodb()
        .create_table()
        .table_name(table)
        .attribute_definitions(attribute.map_err(|error| malformed(&error))?)
        .key_schema(partition_key.map_err(|error| malformed(&error))?)
        .billing_mode(BillingMode::PayPerRequest)
        .set_sse_specification(encryption)
        .set_tags(table_tags(tags)?))
}

/// Bytes that are kept as base64.
fn blob(base64: &str) -> Result<Blob, CallError> {
    aws_smithy_types::base64::decode(base64).map(Blob::new).map_err(|error| malformed(&error))
}

fn pairs(context: &Context) -> Option<HashMap<String, String>> {
    (!context.is_empty()).then(|| context.iter().cloned().collect())
}

fn malformed(error: &dyn std::error::Error) -> CallError {
    CallError::fault(failure::chain(error))
}

/// DynamoDB JSON as the SDK's attributes of an item.
fn attributes(item: &Map<String, Value>) -> Result<Option<HashMap<String, AttributeValue>>, CallError> {
    item.iter().map(|(name, value)| Ok((name.clone(), attribute_value(value)?))).collect::<Result<_, _>>().map(Some)
}

/// DynamoDB JSON (`{"S": "text"}`) as the SDK's value.
fn attribute_value(value: &Value) -> Result<AttributeValue, CallError> {
    let wrong = || CallError {
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
        ("M", Value::Object(members)) => AttributeValue::M(attributes(members)?.unwrap_or_default()),
        _ => return Err(wrong()),
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_sample_items_are_attribute_values() {
        for item in crate::lab::stages::items() {
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
