//! AWS Key Management Service: keys that never leave, and who may use them.
//!
//! * `model`, `persist`: what is kept, and how it is kept sealed;
//! * `reference`, `input`, `errors`: how a request names a key, and what is wrong with it in AWS's words;
//! * `authorise`: the one place that asks the policy evaluator;
//! * `keys`, `aliases`, `policies`, `cryptography`, `grants`, `deletion`, `rotation`, `tags`: the operations;
//! * `ciphertext`: the blob format;
//! * `on_behalf`: what DynamoDB calls, as its caller.
//!
//! Every operation goes the same way: read and validate the members, find the key, authorise, check the key's state, do
//! it, store it. Nothing in memory changes before the store has taken the change.

mod aliases;
mod authorise;
mod ciphertext;
mod cryptography;
mod deletion;
mod errors;
mod grants;
mod input;
mod keys;
mod model;
mod on_behalf;
mod page;
mod persist;
mod policies;
mod reference;
mod rotation;
mod tags;

use std::collections::BTreeMap;

use serde_json::Value;

use self::authorise::{Caller, Env};
use self::model::{Alias, Key};
use super::engine::{Engine, RequestContext};
use super::error::Fault;
use super::service::Service;

pub use self::ciphertext::EncryptionContext;
pub use self::model::{KeyManager, KeyState, hex};
pub use self::on_behalf::{DataKey, FailedCall, KeyFacts, OnBehalf};

/// Keys, aliases and grants.
#[derive(Debug, Default)]
pub struct Kms {
    /// By key id.
    keys: BTreeMap<String, Key>,
    /// By name, with the `alias/` prefix.
    aliases: BTreeMap<String, Alias>,
}

type Operation = fn(&mut Kms, &mut Env, &Value) -> Result<Value, Fault>;

const OPERATIONS: &[(&str, Operation)] = &[
    ("CancelKeyDeletion", deletion::cancel_key_deletion),
    ("CreateAlias", aliases::create_alias),
    ("CreateGrant", grants::create_grant),
    ("CreateKey", keys::create_key),
    ("Decrypt", cryptography::decrypt),
    ("DeleteAlias", aliases::delete_alias),
    ("DescribeKey", keys::describe_key),
    ("DisableKey", keys::disable_key),
    ("DisableKeyRotation", rotation::disable_key_rotation),
    ("EnableKey", keys::enable_key),
    ("EnableKeyRotation", rotation::enable_key_rotation),
    ("Encrypt", cryptography::encrypt),
    ("GenerateDataKey", cryptography::generate_data_key),
    ("GenerateDataKeyWithoutPlaintext", cryptography::generate_data_key_without_plaintext),
    ("GetKeyPolicy", policies::get_key_policy),
    ("GetKeyRotationStatus", rotation::get_key_rotation_status),
    ("ListAliases", aliases::list_aliases),
    ("ListGrants", grants::list_grants),
    ("ListKeyPolicies", policies::list_key_policies),
    ("ListKeyRotations", rotation::list_key_rotations),
    ("ListKeys", keys::list_keys),
    ("ListResourceTags", tags::list_resource_tags),
    ("ListRetirableGrants", grants::list_retirable_grants),
    ("PutKeyPolicy", policies::put_key_policy),
    ("ReEncrypt", cryptography::re_encrypt),
    ("RetireGrant", grants::retire_grant),
    ("RevokeGrant", grants::revoke_grant),
    ("RotateKeyOnDemand", rotation::rotate_key_on_demand),
    ("ScheduleKeyDeletion", deletion::schedule_key_deletion),
    ("TagResource", tags::tag_resource),
    ("UntagResource", tags::untag_resource),
    ("UpdateAlias", aliases::update_alias),
    ("UpdateKeyDescription", keys::update_key_description),
];

/// One call of the API. Operations without an answer give an empty object.
///
/// # Errors
/// KMS's own; `UnknownOperationException`.
pub fn call(engine: &mut Engine, ctx: &RequestContext, operation: &str, input: &Value) -> Result<Value, Fault> {
    let Some((name, run)) = OPERATIONS.iter().find(|(name, _)| *name == operation) else {
        return Err(super::catalog::unknown(Service::Kms, operation));
    };
    let Engine { host, iam, kms, .. } = engine;
    kms.catch_up(host)?;
    let caller = Caller { ctx, principal: &ctx.principal, via: None };
    kms.observe_direct(&mut Env { host, iam, caller }, name, input, |kms, env| run(kms, env, input))
}

#[cfg(test)]
mod tests;
