//! Every operation of the sandbox, once.

use super::aws_names;
use super::dynamodb::ops as ddb;
use super::error::Fault;
use super::iam;
use super::kms;
use super::operation::Operation;
use super::service::Service::{self, DynamoDb, Iam, Kms, Sts};
use super::sts;

/// The operations, sorted by service and name.
static OPERATIONS: &[Operation] = &[
    Operation::read::<ddb::batch_get_item::BatchGetItem>(
        DynamoDb,
        "BatchGetItem",
        &["dynamodb:BatchGetItem", "kms:Decrypt"],
    ),
    Operation::write::<ddb::batch_write_item::BatchWriteItem>(
        DynamoDb,
        "BatchWriteItem",
        &["dynamodb:BatchWriteItem", "kms:Decrypt"],
    ),
    Operation::write::<ddb::create_table::CreateTable>(
        DynamoDb,
        "CreateTable",
        &[
            "dynamodb:CreateTable",
            "dynamodb:TagResource",
            "kms:DescribeKey",
            "kms:CreateGrant",
            "kms:Decrypt",
            "kms:GenerateDataKey",
            "kms:RetireGrant",
        ],
    ),
    Operation::write::<ddb::delete_item::DeleteItem>(DynamoDb, "DeleteItem", &["dynamodb:DeleteItem", "kms:Decrypt"]),
    Operation::write::<ddb::delete_table::DeleteTable>(
        DynamoDb,
        "DeleteTable",
        &["dynamodb:DeleteTable", "kms:RetireGrant"],
    ),
    Operation::read::<ddb::describe_table::DescribeContinuousBackups>(
        DynamoDb,
        "DescribeContinuousBackups",
        &["dynamodb:DescribeContinuousBackups"],
    ),
    Operation::read::<ddb::describe_table::DescribeTable>(DynamoDb, "DescribeTable", &["dynamodb:DescribeTable"]),
    Operation::read::<ddb::describe_table::DescribeTimeToLive>(
        DynamoDb,
        "DescribeTimeToLive",
        &["dynamodb:DescribeTimeToLive"],
    ),
    Operation::read::<ddb::get_item::GetItem>(DynamoDb, "GetItem", &["dynamodb:GetItem", "kms:Decrypt"]),
    Operation::read::<ddb::list_tables::ListTables>(DynamoDb, "ListTables", &["dynamodb:ListTables"]),
    Operation::read::<ddb::tags::ListTagsOfResource>(DynamoDb, "ListTagsOfResource", &["dynamodb:ListTagsOfResource"]),
    Operation::write::<ddb::put_item::PutItem>(DynamoDb, "PutItem", &["dynamodb:PutItem", "kms:Decrypt"]),
    Operation::read::<ddb::query::Query>(DynamoDb, "Query", &["dynamodb:Query", "kms:Decrypt"]),
    Operation::read::<ddb::scan::Scan>(DynamoDb, "Scan", &["dynamodb:Scan", "kms:Decrypt"]),
    Operation::write::<ddb::tags::TagResource>(DynamoDb, "TagResource", &["dynamodb:TagResource"]),
    Operation::write::<ddb::tags::UntagResource>(DynamoDb, "UntagResource", &["dynamodb:UntagResource"]),
    Operation::write::<ddb::update_item::UpdateItem>(DynamoDb, "UpdateItem", &["dynamodb:UpdateItem", "kms:Decrypt"]),
    Operation::write::<ddb::update_table::UpdateTable>(
        DynamoDb,
        "UpdateTable",
        &[
            "dynamodb:UpdateTable",
            "kms:DescribeKey",
            "kms:CreateGrant",
            "kms:Decrypt",
            "kms:GenerateDataKey",
            "kms:RetireGrant",
        ],
    ),
    Operation::write::<iam::user_policies::AttachUserPolicy>(Iam, "AttachUserPolicy", &["iam:AttachUserPolicy"]),
    Operation::write::<iam::access_keys::CreateAccessKey>(Iam, "CreateAccessKey", &["iam:CreateAccessKey"]),
    Operation::write::<iam::users::CreateUser>(Iam, "CreateUser", &["iam:CreateUser"]),
    Operation::write::<iam::access_keys::DeleteAccessKey>(Iam, "DeleteAccessKey", &["iam:DeleteAccessKey"]),
    Operation::write::<iam::users::DeleteUser>(Iam, "DeleteUser", &["iam:DeleteUser"]),
    Operation::write::<iam::user_policies::DeleteUserPolicy>(Iam, "DeleteUserPolicy", &["iam:DeleteUserPolicy"]),
    Operation::write::<iam::user_policies::DetachUserPolicy>(Iam, "DetachUserPolicy", &["iam:DetachUserPolicy"]),
    Operation::read::<iam::user_policies::GetPolicy>(Iam, "GetPolicy", &["iam:GetPolicy"]),
    Operation::read::<iam::user_policies::GetPolicyVersion>(Iam, "GetPolicyVersion", &["iam:GetPolicyVersion"]),
    Operation::read::<iam::users::GetUser>(Iam, "GetUser", &["iam:GetUser"]),
    Operation::read::<iam::user_policies::GetUserPolicy>(Iam, "GetUserPolicy", &["iam:GetUserPolicy"]),
    Operation::read::<iam::access_keys::ListAccessKeys>(Iam, "ListAccessKeys", &["iam:ListAccessKeys"]),
    Operation::read::<iam::user_policies::ListAttachedUserPolicies>(
        Iam,
        "ListAttachedUserPolicies",
        &["iam:ListAttachedUserPolicies"],
    ),
    Operation::read::<iam::user_policies::ListUserPolicies>(Iam, "ListUserPolicies", &["iam:ListUserPolicies"]),
    Operation::read::<iam::users::ListUserTags>(Iam, "ListUserTags", &["iam:ListUserTags"]),
    Operation::read::<iam::users::ListUsers>(Iam, "ListUsers", &["iam:ListUsers"]),
    Operation::write::<iam::user_policies::PutUserPolicy>(Iam, "PutUserPolicy", &["iam:PutUserPolicy"]),
    Operation::read::<iam::simulate::SimulatePrincipalPolicy>(
        Iam,
        "SimulatePrincipalPolicy",
        &["iam:SimulatePrincipalPolicy"],
    ),
    Operation::write::<iam::users::TagUser>(Iam, "TagUser", &["iam:TagUser"]),
    Operation::write::<iam::users::UntagUser>(Iam, "UntagUser", &["iam:UntagUser"]),
    Operation::write::<iam::access_keys::UpdateAccessKey>(Iam, "UpdateAccessKey", &["iam:UpdateAccessKey"]),
    Operation::write::<kms::deletion::CancelKeyDeletion>(Kms, "CancelKeyDeletion", &["kms:CancelKeyDeletion"]),
    Operation::write::<kms::aliases::CreateAlias>(Kms, "CreateAlias", &["kms:CreateAlias"]),
    Operation::write::<kms::grants::CreateGrant>(Kms, "CreateGrant", &["kms:CreateGrant"]),
    Operation::write::<kms::keys::CreateKey>(Kms, "CreateKey", &["kms:CreateKey", "kms:TagResource"]),
    Operation::read::<kms::cryptography::Decrypt>(Kms, "Decrypt", &["kms:Decrypt"]),
    Operation::write::<kms::aliases::DeleteAlias>(Kms, "DeleteAlias", &["kms:DeleteAlias"]),
    Operation::read::<kms::keys::DescribeKey>(Kms, "DescribeKey", &["kms:DescribeKey"]),
    Operation::write::<kms::keys::DisableKey>(Kms, "DisableKey", &["kms:DisableKey"]),
    Operation::write::<kms::rotation::DisableKeyRotation>(Kms, "DisableKeyRotation", &["kms:DisableKeyRotation"]),
    Operation::write::<kms::keys::EnableKey>(Kms, "EnableKey", &["kms:EnableKey"]),
    Operation::write::<kms::rotation::EnableKeyRotation>(Kms, "EnableKeyRotation", &["kms:EnableKeyRotation"]),
    Operation::read::<kms::cryptography::Encrypt>(Kms, "Encrypt", &["kms:Encrypt"]),
    Operation::read::<kms::cryptography::GenerateDataKey>(Kms, "GenerateDataKey", &["kms:GenerateDataKey"]),
    Operation::read::<kms::cryptography::GenerateDataKeyWithoutPlaintext>(
        Kms,
        "GenerateDataKeyWithoutPlaintext",
        &["kms:GenerateDataKeyWithoutPlaintext"],
    ),
    Operation::read::<kms::policies::GetKeyPolicy>(Kms, "GetKeyPolicy", &["kms:GetKeyPolicy"]),
    Operation::read::<kms::rotation::GetKeyRotationStatus>(Kms, "GetKeyRotationStatus", &["kms:GetKeyRotationStatus"]),
    Operation::read::<kms::aliases::ListAliases>(Kms, "ListAliases", &["kms:ListAliases"]),
    Operation::read::<kms::grants::ListGrants>(Kms, "ListGrants", &["kms:ListGrants"]),
    Operation::read::<kms::policies::ListKeyPolicies>(Kms, "ListKeyPolicies", &["kms:ListKeyPolicies"]),
    Operation::read::<kms::rotation::ListKeyRotations>(Kms, "ListKeyRotations", &["kms:ListKeyRotations"]),
    Operation::read::<kms::keys::ListKeys>(Kms, "ListKeys", &["kms:ListKeys"]),
    Operation::read::<kms::tags::ListResourceTags>(Kms, "ListResourceTags", &["kms:ListResourceTags"]),
    Operation::read::<kms::grants::ListRetirableGrants>(Kms, "ListRetirableGrants", &["kms:ListRetirableGrants"]),
    Operation::write::<kms::policies::PutKeyPolicy>(Kms, "PutKeyPolicy", &["kms:PutKeyPolicy"]),
    Operation::read::<kms::cryptography::ReEncrypt>(Kms, "ReEncrypt", &["kms:ReEncryptFrom", "kms:ReEncryptTo"]),
    Operation::write::<kms::grants::RetireGrant>(Kms, "RetireGrant", &["kms:RetireGrant"]),
    Operation::write::<kms::grants::RevokeGrant>(Kms, "RevokeGrant", &["kms:RevokeGrant"]),
    Operation::write::<kms::rotation::RotateKeyOnDemand>(Kms, "RotateKeyOnDemand", &["kms:RotateKeyOnDemand"]),
    Operation::write::<kms::deletion::ScheduleKeyDeletion>(Kms, "ScheduleKeyDeletion", &["kms:ScheduleKeyDeletion"]),
    Operation::write::<kms::tags::TagResource>(Kms, "TagResource", &["kms:TagResource"]),
    Operation::write::<kms::tags::UntagResource>(Kms, "UntagResource", &["kms:UntagResource"]),
    Operation::write::<kms::aliases::UpdateAlias>(Kms, "UpdateAlias", &["kms:UpdateAlias"]),
    Operation::write::<kms::keys::UpdateKeyDescription>(Kms, "UpdateKeyDescription", &["kms:UpdateKeyDescription"]),
    Operation::read::<sts::GetCallerIdentity>(Sts, "GetCallerIdentity", &[]),
];

/// The operation of a service with this name.
///
/// # Errors
/// An error for an operation that AWS doesn't have either, and another one for an operation that only the sandbox lacks.
pub fn find(service: Service, name: &str) -> Result<&'static Operation, Fault> {
    match OPERATIONS.binary_search_by_key(&(service, name), |operation| (operation.service, operation.name)) {
        Ok(index) => Ok(&OPERATIONS[index]),
        Err(_) if aws_names::has_operation(service, name) => Err(Fault::NotImplemented { name: name.to_owned() }),
        Err(_) => Err(Fault::UnknownOperation { status: 400, name: name.to_owned() }),
    }
}

/// The names of the operations of a service.
#[cfg(test)]
pub fn names(service: Service) -> impl Iterator<Item = &'static str> {
    OPERATIONS.iter().filter(move |operation| operation.service == service).map(|operation| operation.name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sandbox::operation::Kind;

    /// How operations were told apart before they had a table.
    fn is_change(operation: &str) -> bool {
        const READS: [&str; 14] = [
            "Get",
            "List",
            "Describe",
            "Scan",
            "Query",
            "BatchGet",
            "TransactGet",
            "Simulate",
            "Encrypt",
            "Decrypt",
            "ReEncrypt",
            "Generate",
            "Verify",
            "Sign",
        ];
        !READS.iter().any(|read| operation.starts_with(read))
    }

    #[test]
    fn rows_are_sorted_and_known_to_aws() {
        assert!(OPERATIONS.is_sorted_by_key(|operation| (operation.service, operation.name)));
        for operation in OPERATIONS {
            assert!(aws_names::has_operation(operation.service, operation.name), "{}", operation.name);
        }
    }

    #[test]
    fn kinds_agree_with_the_name_prefixes_of_old() {
        for operation in OPERATIONS {
            let kind = if is_change(operation.name) { Kind::Write } else { Kind::Read };
            assert_eq!(operation.kind, kind, "{}", operation.name);
        }
    }

    #[test]
    fn every_row_has_a_call_in_the_golden_transcript() {
        let transcript = include_str!("tests/golden.txt");
        for operation in OPERATIONS {
            let call = format!(" {}:{} ", operation.service.signing_name(), operation.name);
            assert!(transcript.contains(&call), "{call}");
        }
    }
}
