//! The doctor's questions as SDK calls. None of them changes anything.

use aws_sdk_iam::types::{ContextEntry, ContextKeyTypeEnum};

use super::failure;
use super::ops::tapped;
use super::service_clients::ServiceClients;
use super::tap::Tap;
use crate::lab::CallError;
use crate::lab::doctor::{Question, TABLE};

/// Sends `question`; the tap reads the response off the wire.
///
/// # Errors
/// If there is no usable response.
pub(super) async fn send(clients: &ServiceClients, question: &Question, tap: Tap) -> Result<(), CallError> {
    match question {
        Question::Identity => tapped!(clients.sts().get_caller_identity(), tap),
        Question::Simulate { principal, actions, resource, context } => {
            let call = clients.iam().simulate_principal_policy().policy_source_arn(principal);
            let entries = context.iter().map(|(key, values)| {
                let entry = ContextEntry::builder().context_key_name(*key).context_key_type(kind(key, values));
                entry.set_context_key_values(Some(values.clone())).build()
            });
            let call = entries.fold(call, |call, entry| call.context_entries(entry));
            let call = actions.iter().fold(call, |call, action| call.action_names(*action));
            tapped!(call.resource_arns(resource), tap)
        }
        Question::Role { name } => tapped!(clients.iam().get_role().role_name(name), tap),
        Question::ListKeys => tapped!(clients.kms().list_keys().limit(1), tap),
        Question::ListTables => tapped!(clients.dynamodb().list_tables().limit(1), tap),
        Question::ListUsers => tapped!(clients.iam().list_users().max_items(1), tap),
        Question::DescribeTable => tapped!(clients.dynamodb().describe_table().table_name(TABLE), tap),
    }
}

/// The type of a condition key's values.
fn kind(key: &str, values: &[String]) -> ContextKeyTypeEnum {
    match key {
        "aws:CurrentTime" => ContextKeyTypeEnum::Date,
        "aws:TagKeys" | "aws:CalledVia" => ContextKeyTypeEnum::StringList,
        _ if values.len() != 1 => ContextKeyTypeEnum::StringList,
        _ if values[0] == "true" || values[0] == "false" => ContextKeyTypeEnum::Boolean,
        _ => ContextKeyTypeEnum::String,
    }
}
