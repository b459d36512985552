//! IAM. (Skeleton: replaced by its owner.)

use zeroize::Zeroizing;

use super::Xml;
use super::engine::{Engine, Host, RequestContext};
use super::error::{ApiError, Protocol};
use super::form::Form;
use super::store::StoreError;
use crate::policy::{ConditionContext, NamedPolicy, Principal};

/// Users, access keys and policies.
#[derive(Debug)]
pub struct Iam {
    admin: Principal,
    access_key_id: String,
    secret: Zeroizing<String>,
}

impl Iam {
    /// Loads the users; makes `kmslab-admin` when the store is new.
    pub fn open(host: &mut Host) -> Result<Iam, StoreError> {
        let access_key_id = format!("AKIA{}", host.entropy.alphanumeric_upper(16));
        let admin = Principal {
            arn: format!("arn:aws:iam::{}:user/kmslab-admin", host.account),
            account: host.account.clone(),
            unique_id: format!("AIDA{}", host.entropy.alphanumeric_upper(17)),
            user_name: Some("kmslab-admin".into()),
        };
        Ok(Iam { admin, access_key_id, secret: Zeroizing::new(host.entropy.secret(40)) })
    }

    /// The administrator's access key id and secret.
    pub fn admin(&self) -> (String, Zeroizing<String>) {
        (self.access_key_id.clone(), self.secret.clone())
    }

    /// The principal and secret of an active access key.
    pub fn secret_of(&self, access_key_id: &str) -> Option<(Principal, Zeroizing<String>)> {
        (access_key_id == self.access_key_id).then(|| (self.admin.clone(), self.secret.clone()))
    }

    /// The identity policies of a principal.
    pub fn policies_of(&self, _principal: &Principal) -> Vec<NamedPolicy> {
        Vec::new()
    }

    /// A user or the account root by its ARN.
    pub fn find_principal(&self, arn: &str) -> Option<Principal> {
        (arn == self.admin.arn).then(|| self.admin.clone())
    }

    /// Whether the caller may; the denial's message when not.
    pub fn authorize(
        &self,
        _host: &mut Host,
        _ctx: &RequestContext,
        _action: &str,
        _resource: &str,
        _extra: &ConditionContext,
    ) -> Result<(), String> {
        Ok(())
    }
}

/// One call.
pub fn call(_engine: &mut Engine, _ctx: &RequestContext, action: &str, _input: &Form) -> Result<Xml, ApiError> {
    Err(ApiError::unknown_operation(Protocol::Query, action, "2010-05-08"))
}
