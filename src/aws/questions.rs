//! The doctor's questions as SDK calls. None of them changes anything.

use aws_sdk_iam::types::{ContextEntry, ContextKeyTypeEnum};

use super::tap::Tap;
use super::{ServiceClients, failure};
use crate::lab::NoResponse;
use crate::lab::doctor::{Question, TABLE};

macro_rules! send {
    ($builder:expr, $tap:expr) => {
        $builder.customize().interceptor($tap).send().await.map(drop).map_err(|error| failure::describe(&error))
    };
}

/// Sends `question`; the answer itself is read off the wire.
pub(super) async fn send(clients: &ServiceClients, question: &Question, tap: Tap) -> Result<(), NoResponse> {
    match question {
        Question::Identity => send!(clients.sts().get_caller_identity(), tap),
        Question::Simulate { principal, actions, resource, context } => {
            let call = clients.iam().simulate_principal_policy().policy_source_arn(principal);
            let entries = context.iter().map(|(key, values)| {
                let entry = ContextEntry::builder().context_key_name(*key).context_key_type(kind(key, values));
                entry.set_context_key_values(Some(values.clone())).build()
            });
            let call = entries.fold(call, |call, entry| call.context_entries(entry));
            let call = actions.iter().fold(call, |call, action| call.action_names(*action));
            send!(call.resource_arns(resource), tap)
        }
        Question::Role { name } => send!(clients.iam().get_role().role_name(name), tap),
        Question::ListKeys => send!(clients.kms().list_keys().limit(1), tap),
        Question::ListTables => send!(clients.dynamodb().list_tables().limit(1), tap),
        Question::ListUsers => send!(clients.iam().list_users().max_items(1), tap),
        Question::DescribeTable => send!(clients.dynamodb().describe_table().table_name(TABLE), tap),
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
