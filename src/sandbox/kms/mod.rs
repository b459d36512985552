//! KMS. (Skeleton: replaced by its owner.)

use std::collections::BTreeMap;

use serde_json::Value;

use super::crypto::Key256;
use super::engine::{Engine, Host, RequestContext};
use super::error::{ApiError, Protocol};
use super::iam::Iam;
use super::store::StoreError;
use crate::policy::Principal;

/// Keys, aliases and grants.
#[derive(Debug)]
pub struct Kms {}

/// A service calling KMS on a principal's behalf.
#[derive(Debug, Clone, Copy)]
pub struct OnBehalf<'a> {
    /// The request that makes the service call.
    pub ctx: &'a RequestContext,
    /// The caller, or the service itself.
    pub principal: &'a Principal,
    /// `dynamodb.us-east-1.amazonaws.com`
    pub via_service: &'a str,
    /// `dynamodb.amazonaws.com`
    pub invoked_by: &'a str,
}

/// The pairs that a ciphertext is bound to.
pub type EncryptionContext = BTreeMap<String, String>;

/// A data key, plain and encrypted.
#[derive(Debug)]
pub struct DataKey {
    /// The KMS key.
    pub key_arn: String,
    /// The key itself.
    pub plaintext: Key256,
    /// The key encrypted.
    pub ciphertext: Vec<u8>,
}

/// `KeyState`
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyState {
    /// Usable.
    Enabled,
    /// Switched off.
    Disabled,
    /// Scheduled for deletion.
    PendingDeletion,
}

/// What DescribeKey tells a service.
#[derive(Debug, Clone)]
pub struct KeyFacts {
    /// ARN.
    pub arn: String,
    /// uuid.
    pub key_id: String,
    /// State.
    pub state: KeyState,
    /// `CUSTOMER` or `AWS`.
    pub manager: String,
    /// `SYMMETRIC_DEFAULT`
    pub spec: String,
}

fn missing() -> ApiError {
    ApiError::unknown_operation(Protocol::Json11, "", "")
}

impl Kms {
    /// Loads the keys.
    pub fn open(_host: &mut Host) -> Result<Kms, StoreError> {
        Ok(Kms {})
    }

    /// GenerateDataKey.
    pub fn generate_data_key(
        &mut self,
        _host: &mut Host,
        _iam: &Iam,
        _on: &OnBehalf,
        _key: &str,
        _context: &EncryptionContext,
    ) -> Result<DataKey, ApiError> {
        Err(missing())
    }

    /// Decrypt.
    pub fn decrypt(
        &mut self,
        _host: &mut Host,
        _iam: &Iam,
        _on: &OnBehalf,
        _ciphertext: &[u8],
        _context: &EncryptionContext,
    ) -> Result<Key256, ApiError> {
        Err(missing())
    }

    /// DescribeKey.
    pub fn describe_key(
        &mut self,
        _host: &mut Host,
        _iam: &Iam,
        _on: &OnBehalf,
        _key: &str,
    ) -> Result<KeyFacts, ApiError> {
        Err(missing())
    }

    /// CreateGrant; the grant's id.
    #[expect(clippy::too_many_arguments, reason = "skeleton of the agreed signature")]
    pub fn create_grant(
        &mut self,
        _host: &mut Host,
        _iam: &Iam,
        _on: &OnBehalf,
        _key: &str,
        _grantee: &str,
        _operations: &[&str],
        _context: &EncryptionContext,
    ) -> Result<String, ApiError> {
        Err(missing())
    }

    /// RetireGrant.
    pub fn retire_grant(
        &mut self,
        _host: &mut Host,
        _iam: &Iam,
        _on: &OnBehalf,
        _key_arn: &str,
        _grant_id: &str,
    ) -> Result<(), ApiError> {
        Err(missing())
    }

    /// `alias/aws/<service>`, made on first use; its ARN.
    pub fn aws_managed_key(&mut self, _host: &mut Host, _service: &str) -> Result<String, ApiError> {
        Err(missing())
    }

    /// A key's state, without authorisation.
    pub fn key_state(&self, _arn: &str) -> Option<KeyState> {
        None
    }

    /// A user was deleted: key policies show its unique id from now on.
    pub fn principal_deleted(&mut self, _host: &mut Host, _arn: &str, _unique_id: &str) -> Result<(), StoreError> {
        Ok(())
    }
}

/// One call.
pub fn call(_engine: &mut Engine, _ctx: &RequestContext, operation: &str, _input: &Value) -> Result<Value, ApiError> {
    Err(ApiError::unknown_operation(Protocol::Json11, operation, ""))
}
