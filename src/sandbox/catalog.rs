//! Every operation of the sandbox, once.

use super::aws_names;
use super::cloudtrail;
use super::dynamodb::ops as ddb;
use super::error::Fault;
use super::iam;
use super::iam::role::Role;
use super::iam::user::User;
use super::kms;
use super::operation::Operation;
use super::service::Service::{self, CloudTrail, DynamoDb, Iam, Kms, Sts};
use super::sts;

/// The operations, sorted by service and name.
static OPERATIONS: &[Operation] = &[
    Operation::read::<cloudtrail::LookupEvents>(CloudTrail, "LookupEvents", &[]),
    Operation::read::<ddb::batch_get_item::BatchGetItem>(DynamoDb, "BatchGetItem", &["kms:Decrypt"]),
    Operation::write::<ddb::batch_write_item::BatchWriteItem>(DynamoDb, "BatchWriteItem", &["kms:Decrypt"]),
    Operation::write::<ddb::create_table::CreateTable>(
        DynamoDb,
        "CreateTable",
        &[
            "dynamodb:TagResource",
            "kms:DescribeKey",
            "kms:CreateGrant",
            "kms:Decrypt",
            "kms:GenerateDataKey",
            "kms:RetireGrant",
        ],
    ),
    Operation::write::<ddb::delete_item::DeleteItem>(DynamoDb, "DeleteItem", &["kms:Decrypt"]),
    Operation::write::<ddb::delete_table::DeleteTable>(DynamoDb, "DeleteTable", &["kms:RetireGrant"]),
    Operation::read::<ddb::continuous_backups::DescribeContinuousBackups>(DynamoDb, "DescribeContinuousBackups", &[]),
    Operation::read::<ddb::limits::DescribeEndpoints>(DynamoDb, "DescribeEndpoints", &[]),
    Operation::read::<ddb::limits::DescribeLimits>(DynamoDb, "DescribeLimits", &[]),
    Operation::read::<ddb::describe_table::DescribeTable>(DynamoDb, "DescribeTable", &[]),
    Operation::read::<ddb::time_to_live::DescribeTimeToLive>(DynamoDb, "DescribeTimeToLive", &[]),
    Operation::read::<ddb::get_item::GetItem>(DynamoDb, "GetItem", &["kms:Decrypt"]),
    Operation::read::<ddb::list_tables::ListTables>(DynamoDb, "ListTables", &[]),
    Operation::read::<ddb::tags::ListTagsOfResource>(DynamoDb, "ListTagsOfResource", &[]),
    Operation::write::<ddb::put_item::PutItem>(DynamoDb, "PutItem", &["kms:Decrypt"]),
    Operation::read::<ddb::query::Query>(DynamoDb, "Query", &["kms:Decrypt"]),
    Operation::read::<ddb::scan::Scan>(DynamoDb, "Scan", &["kms:Decrypt"]),
    Operation::write::<ddb::tags::TagResource>(DynamoDb, "TagResource", &[]),
    Operation::read::<ddb::transact_get_items::TransactGetItems>(
        DynamoDb,
        "TransactGetItems",
        &["dynamodb:GetItem", "kms:Decrypt"],
    ),
    Operation::write::<ddb::transact_write_items::TransactWriteItems>(
        DynamoDb,
        "TransactWriteItems",
        &[
            "dynamodb:ConditionCheckItem",
            "dynamodb:DeleteItem",
            "dynamodb:PutItem",
            "dynamodb:UpdateItem",
            "kms:Decrypt",
        ],
    ),
    Operation::write::<ddb::tags::UntagResource>(DynamoDb, "UntagResource", &[]),
    Operation::write::<ddb::continuous_backups::UpdateContinuousBackups>(DynamoDb, "UpdateContinuousBackups", &[]),
    Operation::write::<ddb::update_item::UpdateItem>(DynamoDb, "UpdateItem", &["kms:Decrypt"]),
    Operation::write::<ddb::update_table::UpdateTable>(
        DynamoDb,
        "UpdateTable",
        &["kms:DescribeKey", "kms:CreateGrant", "kms:Decrypt", "kms:GenerateDataKey", "kms:RetireGrant"],
    ),
    Operation::write::<ddb::time_to_live::UpdateTimeToLive>(DynamoDb, "UpdateTimeToLive", &[]),
    Operation::write::<iam::holder_policies::AttachPolicy<Role>>(Iam, "AttachRolePolicy", &[]),
    Operation::write::<iam::holder_policies::AttachPolicy<User>>(Iam, "AttachUserPolicy", &[]),
    Operation::write::<iam::access_keys::CreateAccessKey>(Iam, "CreateAccessKey", &[]),
    Operation::write::<iam::policies::CreatePolicy>(Iam, "CreatePolicy", &[]),
    Operation::write::<iam::policies::CreatePolicyVersion>(Iam, "CreatePolicyVersion", &[]),
    Operation::write::<iam::roles::CreateRole>(Iam, "CreateRole", &[]),
    Operation::write::<iam::users::CreateUser>(Iam, "CreateUser", &[]),
    Operation::write::<iam::access_keys::DeleteAccessKey>(Iam, "DeleteAccessKey", &[]),
    Operation::write::<iam::policies::DeletePolicy>(Iam, "DeletePolicy", &[]),
    Operation::write::<iam::policies::DeletePolicyVersion>(Iam, "DeletePolicyVersion", &[]),
    Operation::write::<iam::roles::DeleteRole>(Iam, "DeleteRole", &[]),
    Operation::write::<iam::holder_policies::DeletePolicy<Role>>(Iam, "DeleteRolePolicy", &[]),
    Operation::write::<iam::users::DeleteUser>(Iam, "DeleteUser", &[]),
    Operation::write::<iam::holder_policies::DeletePolicy<User>>(Iam, "DeleteUserPolicy", &[]),
    Operation::write::<iam::holder_policies::DetachPolicy<Role>>(Iam, "DetachRolePolicy", &[]),
    Operation::write::<iam::holder_policies::DetachPolicy<User>>(Iam, "DetachUserPolicy", &[]),
    Operation::read::<iam::policies::GetPolicy>(Iam, "GetPolicy", &[]),
    Operation::read::<iam::policies::GetPolicyVersion>(Iam, "GetPolicyVersion", &[]),
    Operation::read::<iam::roles::GetRole>(Iam, "GetRole", &[]),
    Operation::read::<iam::holder_policies::GetPolicy<Role>>(Iam, "GetRolePolicy", &[]),
    Operation::read::<iam::users::GetUser>(Iam, "GetUser", &[]),
    Operation::read::<iam::holder_policies::GetPolicy<User>>(Iam, "GetUserPolicy", &[]),
    Operation::read::<iam::access_keys::ListAccessKeys>(Iam, "ListAccessKeys", &[]),
    Operation::read::<iam::holder_policies::ListAttachedPolicies<Role>>(Iam, "ListAttachedRolePolicies", &[]),
    Operation::read::<iam::holder_policies::ListAttachedPolicies<User>>(Iam, "ListAttachedUserPolicies", &[]),
    Operation::read::<iam::roles::ListInstanceProfilesForRole>(Iam, "ListInstanceProfilesForRole", &[]),
    Operation::read::<iam::policies::ListPolicies>(Iam, "ListPolicies", &[]),
    Operation::read::<iam::policies::ListPolicyVersions>(Iam, "ListPolicyVersions", &[]),
    Operation::read::<iam::holder_policies::ListPolicies<Role>>(Iam, "ListRolePolicies", &[]),
    Operation::read::<iam::holder_tags::ListTags<Role>>(Iam, "ListRoleTags", &[]),
    Operation::read::<iam::roles::ListRoles>(Iam, "ListRoles", &[]),
    Operation::read::<iam::holder_policies::ListPolicies<User>>(Iam, "ListUserPolicies", &[]),
    Operation::read::<iam::holder_tags::ListTags<User>>(Iam, "ListUserTags", &[]),
    Operation::read::<iam::users::ListUsers>(Iam, "ListUsers", &[]),
    Operation::write::<iam::holder_policies::PutPolicy<Role>>(Iam, "PutRolePolicy", &[]),
    Operation::write::<iam::holder_policies::PutPolicy<User>>(Iam, "PutUserPolicy", &[]),
    Operation::write::<iam::policies::SetDefaultPolicyVersion>(Iam, "SetDefaultPolicyVersion", &[]),
    Operation::read::<iam::simulate::SimulatePrincipalPolicy>(Iam, "SimulatePrincipalPolicy", &[]),
    Operation::write::<iam::holder_tags::Tag<Role>>(Iam, "TagRole", &[]),
    Operation::write::<iam::holder_tags::Tag<User>>(Iam, "TagUser", &[]),
    Operation::write::<iam::holder_tags::Untag<Role>>(Iam, "UntagRole", &[]),
    Operation::write::<iam::holder_tags::Untag<User>>(Iam, "UntagUser", &[]),
    Operation::write::<iam::access_keys::UpdateAccessKey>(Iam, "UpdateAccessKey", &[]),
    Operation::write::<iam::roles::UpdateAssumeRolePolicy>(Iam, "UpdateAssumeRolePolicy", &[]),
    Operation::write::<iam::roles::UpdateRole>(Iam, "UpdateRole", &[]),
    Operation::write::<kms::deletion::CancelKeyDeletion>(Kms, "CancelKeyDeletion", &[]),
    Operation::write::<kms::aliases::CreateAlias>(Kms, "CreateAlias", &[]),
    Operation::write::<kms::grants::CreateGrant>(Kms, "CreateGrant", &[]),
    Operation::write::<kms::keys::CreateKey>(Kms, "CreateKey", &["kms:TagResource"]),
    Operation::read::<kms::cryptography::Decrypt>(Kms, "Decrypt", &[]),
    Operation::write::<kms::aliases::DeleteAlias>(Kms, "DeleteAlias", &[]),
    Operation::read::<kms::keys::DescribeKey>(Kms, "DescribeKey", &[]),
    Operation::write::<kms::keys::DisableKey>(Kms, "DisableKey", &[]),
    Operation::write::<kms::rotation::DisableKeyRotation>(Kms, "DisableKeyRotation", &[]),
    Operation::write::<kms::keys::EnableKey>(Kms, "EnableKey", &[]),
    Operation::write::<kms::rotation::EnableKeyRotation>(Kms, "EnableKeyRotation", &[]),
    Operation::read::<kms::cryptography::Encrypt>(Kms, "Encrypt", &[]),
    Operation::read::<kms::cryptography::GenerateDataKey>(Kms, "GenerateDataKey", &[]),
    Operation::read::<kms::key_pairs::GenerateDataKeyPair>(Kms, "GenerateDataKeyPair", &[]),
    Operation::read::<kms::key_pairs::GenerateDataKeyPairWithoutPlaintext>(
        Kms,
        "GenerateDataKeyPairWithoutPlaintext",
        &[],
    ),
    Operation::read::<kms::cryptography::GenerateDataKeyWithoutPlaintext>(Kms, "GenerateDataKeyWithoutPlaintext", &[]),
    Operation::read::<kms::mac::GenerateMac>(Kms, "GenerateMac", &[]),
    Operation::read::<kms::random::GenerateRandom>(Kms, "GenerateRandom", &[]),
    Operation::read::<kms::policies::GetKeyPolicy>(Kms, "GetKeyPolicy", &[]),
    Operation::read::<kms::rotation::GetKeyRotationStatus>(Kms, "GetKeyRotationStatus", &[]),
    Operation::read::<kms::signing::GetPublicKey>(Kms, "GetPublicKey", &[]),
    Operation::read::<kms::aliases::ListAliases>(Kms, "ListAliases", &[]),
    Operation::read::<kms::grants::ListGrants>(Kms, "ListGrants", &[]),
    Operation::read::<kms::policies::ListKeyPolicies>(Kms, "ListKeyPolicies", &[]),
    Operation::read::<kms::rotation::ListKeyRotations>(Kms, "ListKeyRotations", &[]),
    Operation::read::<kms::keys::ListKeys>(Kms, "ListKeys", &[]),
    Operation::read::<kms::tags::ListResourceTags>(Kms, "ListResourceTags", &[]),
    Operation::read::<kms::grants::ListRetirableGrants>(Kms, "ListRetirableGrants", &[]),
    Operation::write::<kms::policies::PutKeyPolicy>(Kms, "PutKeyPolicy", &[]),
    Operation::read::<kms::cryptography::ReEncrypt>(Kms, "ReEncrypt", &["kms:ReEncryptFrom", "kms:ReEncryptTo"]),
    Operation::write::<kms::grants::RetireGrant>(Kms, "RetireGrant", &[]),
    Operation::write::<kms::grants::RevokeGrant>(Kms, "RevokeGrant", &[]),
    Operation::write::<kms::rotation::RotateKeyOnDemand>(Kms, "RotateKeyOnDemand", &[]),
    Operation::write::<kms::deletion::ScheduleKeyDeletion>(Kms, "ScheduleKeyDeletion", &[]),
    Operation::read::<kms::signing::Sign>(Kms, "Sign", &[]),
    Operation::write::<kms::tags::TagResource>(Kms, "TagResource", &[]),
    Operation::write::<kms::tags::UntagResource>(Kms, "UntagResource", &[]),
    Operation::write::<kms::aliases::UpdateAlias>(Kms, "UpdateAlias", &[]),
    Operation::write::<kms::keys::UpdateKeyDescription>(Kms, "UpdateKeyDescription", &[]),
    Operation::read::<kms::signing::Verify>(Kms, "Verify", &[]),
    Operation::read::<kms::mac::VerifyMac>(Kms, "VerifyMac", &[]),
    Operation::write::<sts::assume_role::AssumeRole>(Sts, "AssumeRole", &["sts:TagSession"]),
    Operation::read::<sts::GetCallerIdentity>(Sts, "GetCallerIdentity", &[]),
    Operation::read::<sts::session_token::GetSessionToken>(Sts, "GetSessionToken", &[]),
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
        const READS: [&str; 15] = [
            "Get",
            "List",
            "Lookup",
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
