//! KMS grants: permissions given beside the policies (KMS guide).

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::principal::{Principal, PrincipalName, root_account, same_service};

/// One grant on one key.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Grant {
    /// 64 hexadecimal digits.
    pub grant_id: String,
    /// What makes the grant usable before KMS knows it everywhere.
    pub grant_token: String,
    /// The key's id or ARN.
    pub key_id: String,
    /// Who may use it: an ARN, a unique id, or a service.
    pub grantee_principal: String,
    /// Who may retire it.
    pub retiring_principal: Option<String>,
    /// The account that made it.
    pub issuing_account: String,
    /// The name given at creation.
    pub name: Option<String>,
    /// `Decrypt`, `GenerateDataKey`, …: without the `kms:`.
    pub operations: Vec<String>,
    /// What the encryption context must be.
    pub constraints: Option<GrantConstraints>,
    /// Seconds since the epoch.
    pub creation_date: f64,
}

/// What the encryption context of a call must be for a grant to count.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum GrantConstraints {
    /// Exactly these pairs.
    EncryptionContextEquals(BTreeMap<String, String>),
    /// At least these pairs.
    EncryptionContextSubset(BTreeMap<String, String>),
}

impl GrantConstraints {
    /// Whether an encryption context fulfils it. Names and values are case-sensitive.
    pub(super) fn admits(&self, context: &BTreeMap<String, String>) -> bool {
        match self {
            Self::EncryptionContextEquals(wanted) => wanted == context,
            Self::EncryptionContextSubset(wanted) => {
                wanted.iter().all(|(name, value)| context.get(name) == Some(value))
            }
        }
    }

    /// The member's name in the API.
    pub fn name(&self) -> &'static str {
        match self {
            Self::EncryptionContextEquals(_) => "EncryptionContextEquals",
            Self::EncryptionContextSubset(_) => "EncryptionContextSubset",
        }
    }

    /// The wanted pairs, to change them.
    pub fn pairs_mut(&mut self) -> &mut BTreeMap<String, String> {
        match self {
            Self::EncryptionContextEquals(pairs) | Self::EncryptionContextSubset(pairs) => pairs,
        }
    }

    /// The wanted pairs.
    pub fn pairs(&self) -> &BTreeMap<String, String> {
        match self {
            Self::EncryptionContextEquals(pairs) | Self::EncryptionContextSubset(pairs) => pairs,
        }
    }
}

impl Grant {
    /// As ListGrants describes it. The token is not in it: it is known only to who made the grant.
    pub fn described(&self) -> Value {
        let mut item = json!({
            "KeyId": self.key_id,
            "GrantId": self.grant_id,
            "Name": self.name.as_deref().unwrap_or_default(),
            "CreationDate": self.creation_date,
            "GranteePrincipal": self.grantee_principal,
            "IssuingAccount": self.issuing_account,
            "Operations": self.operations,
        });
        if let Some(retiring) = &self.retiring_principal {
            item["RetiringPrincipal"] = json!(retiring);
        }
        if let Some(constraints) = &self.constraints {
            item["Constraints"] = json!(BTreeMap::from([(constraints.name(), constraints.pairs())]));
        }
        item
    }

    /// Whether it was given to `principal` directly.
    pub(super) fn is_grantee(&self, principal: &Principal) -> bool {
        if principal.is_service() {
            return same_service(&self.grantee_principal, &principal.arn);
        }
        matches!(PrincipalName::parse_aws(&self.grantee_principal), Some(PrincipalName::Aws(name))
            if principal.is_named(&name))
            || self.grantee_principal == principal.arn
    }

    /// Whether it was given to the account of `principal`, which leaves the decision to IAM.
    pub(super) fn is_for_account_of(&self, principal: &Principal) -> bool {
        let account = root_account(&self.grantee_principal);
        account.is_some_and(|account| account == principal.account && !principal.is_root())
    }
}
