//! `CreateGrant`, `ListGrants`, `ListRetirableGrants`, `RevokeGrant`, `RetireGrant`.

use std::sync::Arc;

use serde_json::{Value, json};

use super::ciphertext::EncryptionContext;
use super::error::KmsError;
use super::key_id::KeyId;
use super::model::{Key, hex};
use super::page::Page;
use super::spec::{KeySpec, KeyUsage};
use crate::policy::{ConditionContext, Grant, GrantConstraints};
use crate::sandbox::authorize::{Resource, facts, is_service};
use crate::sandbox::error::Denial;
use crate::sandbox::operation::{Context, Fault, Members, Output, Request};
use crate::sandbox::validate::enumeration;

const OPERATIONS: [&str; 17] = [
    "Decrypt",
    "Encrypt",
    "GenerateDataKey",
    "GenerateDataKeyWithoutPlaintext",
    "ReEncryptFrom",
    "ReEncryptTo",
    "Sign",
    "Verify",
    "GetPublicKey",
    "CreateGrant",
    "RetireGrant",
    "DescribeKey",
    "GenerateDataKeyPair",
    "GenerateDataKeyPairWithoutPlaintext",
    "GenerateMac",
    "VerifyMac",
    "DeriveSharedSecret",
];

/// Operations that a symmetric encryption key does not have.
const NOT_SYMMETRIC: [&str; 6] = ["Sign", "Verify", "GetPublicKey", "GenerateMac", "VerifyMac", "DeriveSharedSecret"];

/// Operations that every key has.
const OF_ANY_KEY: [&str; 3] = ["CreateGrant", "RetireGrant", "DescribeKey"];

/// `GrantTokens` and `DryRun`, which several operations take.
#[derive(Debug, Default)]
pub struct Options {
    grant_tokens: Vec<String>,
    dry_run: bool,
}

impl Options {
    /// Reads both members.
    ///
    /// # Errors
    /// `SerializationException`
    pub fn parse(members: &Members<'_>) -> Result<Self, Fault> {
        let tokens = members.texts("GrantTokens")?;
        members.check_length("GrantTokens", Value::from(tokens.clone()), tokens.len(), &(0..=10));
        let grant_tokens = tokens.into_iter().map(str::to_owned).collect();
        Ok(Self { grant_tokens, dry_run: members.flag("DryRun")?.unwrap_or(false) })
    }

    /// Checks that every token was issued. Grants are usable at once here, so tokens add nothing.
    ///
    /// # Errors
    /// `InvalidGrantTokenException`
    pub fn check_tokens(&self, cx: &Context<'_>) -> Result<(), KmsError> {
        let issued =
            |token: &String| cx.account.state.kms.keys().flat_map(|key| &key.grants).any(|g| g.grant_token == *token);
        if self.grant_tokens.iter().all(issued) { Ok(()) } else { Err(KmsError::InvalidGrantToken) }
    }

    /// Ends a dry run: the last step before the operation does anything.
    ///
    /// # Errors
    /// `DryRunOperationException`
    pub fn proceed(&self) -> Result<(), KmsError> {
        if self.dry_run { Err(KmsError::DryRun) } else { Ok(()) }
    }
}

/// A grant that is to be created.
pub struct NewGrant {
    /// The principal that may use it.
    pub grantee: String,
    /// The principal that may retire it.
    pub retiring: Option<String>,
    /// `Decrypt`, `GenerateDataKey`, …
    pub operations: Vec<String>,
    /// What the encryption context must be.
    pub constraints: Option<GrantConstraints>,
    /// Its name.
    pub name: Option<String>,
}

impl NewGrant {
    fn is_same_as(&self, grant: &Grant) -> bool {
        self.name.is_some()
            && self.name == grant.name
            && self.grantee == grant.grantee_principal
            && self.retiring == grant.retiring_principal
            && self.operations == grant.operations
            && self.constraints == grant.constraints
    }

    /// Checks that a caller who may create grants only by the grant `parent` passes on no more than that grant has (KMS
    /// guide).
    fn check_within(&self, parent: &Grant, key_arn: &str, caller: &str) -> Result<(), KmsError> {
        let operations = self.operations.iter().all(|operation| parent.operations.contains(operation));
        let constraints = match (&parent.constraints, &self.constraints) {
            (None, _) => true,
            (Some(GrantConstraints::EncryptionContextEquals(wanted)), own) => {
                *own == Some(GrantConstraints::EncryptionContextEquals(wanted.clone()))
            }
            // That the new grant's pairs include the parent's was decided with the call itself.
            (Some(GrantConstraints::EncryptionContextSubset(_)), own) => own.is_some(),
        };
        if operations && constraints {
            return Ok(());
        }
        Err(KmsError::Denied(Denial(format!(
            "User: {caller} is not authorized to perform: kms:CreateGrant on resource: {key_arn} because the grant that \
             allows it does not include what the new grant gives"
        ))))
    }

    /// Checks that the key can do what is granted, and has an encryption context if one is demanded.
    fn check_kind(&self, key: &Key) -> Result<(), KmsError> {
        let (spec, usage) = (key.record.spec, key.record.usage);
        if self.constraints.is_some() && spec != KeySpec::Symmetric {
            return Err(KmsError::GrantContext);
        }
        let fits = |operation: &str| match (spec, usage) {
            (KeySpec::Symmetric, _) => !NOT_SYMMETRIC.contains(&operation),
            _ if OF_ANY_KEY.contains(&operation) => true,
            (_, KeyUsage::Encrypt) => {
                ["Encrypt", "Decrypt", "ReEncryptFrom", "ReEncryptTo", "GetPublicKey"].contains(&operation)
            }
            (_, KeyUsage::Sign) => ["Sign", "Verify", "GetPublicKey"].contains(&operation),
            (_, KeyUsage::Mac) => ["GenerateMac", "VerifyMac"].contains(&operation),
        };
        match self.operations.iter().find(|operation| !fits(operation)) {
            None => Ok(()),
            Some(operation) => {
                Err(KmsError::Invalid(format!("Grant operation {operation} is not valid for a {} key.", spec.name())))
            }
        }
    }

    fn check_principals(&self, cx: &Context<'_>) -> Result<(), KmsError> {
        let root = format!("arn:aws:iam::{}:root", cx.account.id);
        let exists = |arn: &str| arn == root || is_service(arn) || cx.account.state.iam.find_principal(arn).is_some();
        match std::iter::once(&self.grantee).chain(&self.retiring).find(|arn| !exists(arn)) {
            None => Ok(()),
            Some(arn) => Err(KmsError::InvalidArn(format!("ARN does not refer to a valid principal: {arn}"))),
        }
    }

    fn facts(&self, cx: &Context<'_>) -> ConditionContext {
        let mut asked = facts([
            ("kms:GranteePrincipal", &self.grantee),
            ("kms:GrantIsForAWSResource", &cx.caller.via.is_some().to_string()),
        ]);
        for operation in &self.operations {
            asked.add("kms:GrantOperations", operation);
        }
        if let Some(retiring) = &self.retiring {
            asked.set("kms:RetiringPrincipal", retiring);
        }
        if let Some(constraints) = &self.constraints {
            asked.set("kms:GrantConstraintType", constraints.name());
        }
        asked
    }

    /// Creates the grant. With a name, asking for the same grant again returns the one that exists (KMS guide).
    ///
    /// # Errors
    /// As the operation's.
    pub fn create(self, cx: &mut Context<'_>, id: &KeyId, options: &Options) -> Result<Grant, KmsError> {
        let none = EncryptionContext::new();
        let context = self.constraints.as_ref().map_or(&none, GrantConstraints::pairs);
        let facts = self.facts(cx);
        let (key, by_grant) = cx.key_for(id, "kms:CreateGrant", Some(context), &facts)?;
        if let Some(parent) = key.grants.iter().find(|parent| by_grant.as_ref() == Some(&parent.grant_id)) {
            self.check_within(parent, &key.record.arn, &cx.caller.principal.arn)?;
        }
        key.check_usable()?;
        self.check_kind(&key)?;
        self.check_principals(cx)?;
        if let Some(known) = key.grants.iter().find(|grant| self.is_same_as(grant)) {
            return Ok(known.clone());
        }
        options.proceed()?;
        let grant = Grant {
            grant_id: hex(&cx.entropy.bytes::<32>()),
            grant_token: hex(&cx.entropy.bytes::<96>()),
            key_id: key.record.arn.clone(),
            grantee_principal: self.grantee,
            retiring_principal: self.retiring,
            issuing_account: format!("arn:aws:iam::{}:root", cx.account.id),
            name: self.name,
            operations: self.operations,
            constraints: self.constraints,
            creation_date: cx.account.state.clock.epoch_seconds(),
        };
        let (kms, store) = cx.account.kms_mut();
        kms.put_grant(store, &key.id(), grant.clone())?;
        Ok(grant)
    }
}

fn parse_constraints(members: &Members<'_>) -> Result<Option<GrantConstraints>, Fault> {
    let Some(given) = members.structure("Constraints")? else { return Ok(None) };
    match (given.pairs("EncryptionContextEquals")?, given.pairs("EncryptionContextSubset")?) {
        (Some(_), Some(_)) => Err(Fault::invalid(
            "A grant can be constrained by EncryptionContextEquals or by EncryptionContextSubset, not by both.",
        )),
        (Some(pairs), None) => Ok(Some(GrantConstraints::EncryptionContextEquals(pairs))),
        (None, Some(pairs)) => Ok(Some(GrantConstraints::EncryptionContextSubset(pairs))),
        (None, None) => Ok(None),
    }
}

fn parse_operations(members: &Members<'_>) -> Result<Vec<String>, Fault> {
    members.required_list("Operations", 0..=usize::MAX)?;
    let mut operations: Vec<String> = Vec::new();
    for operation in members.texts("Operations")? {
        if !OPERATIONS.contains(&operation) {
            let rule = format!("Member must satisfy constraint: [{}]", enumeration(&OPERATIONS));
            members.violation("Operations", format_args!("[{operation}]"), rule);
        } else if !operations.iter().any(|known| known == operation) {
            operations.push(operation.to_owned());
        }
    }
    Ok(operations)
}

/// `CreateGrant`
pub struct CreateGrant {
    key: KeyId,
    new: NewGrant,
    options: Options,
}

impl Request for CreateGrant {
    fn parse(members: &Members<'_>) -> Result<Self, Fault> {
        let key = KeyId::parse_key_only(members, "KeyId")?;
        let new = NewGrant {
            grantee: members.str("GranteePrincipal", 1..=256)?.to_owned(),
            retiring: members.optional_str("RetiringPrincipal", 1..=256)?.map(str::to_owned),
            operations: parse_operations(members)?,
            constraints: parse_constraints(members)?,
            name: members.optional_str("Name", 1..=256)?.map(str::to_owned),
        };
        Ok(Self { key, new, options: Options::parse(members)? })
    }

    fn run(self, cx: &mut Context<'_>) -> Result<Output, Fault> {
        self.options.check_tokens(cx)?;
        let grant = self.new.create(cx, &self.key, &self.options)?;
        Ok(json!({ "GrantToken": grant.grant_token, "GrantId": grant.grant_id }).into())
    }
}

/// Retires a grant of a key, if the caller may.
///
/// # Errors
/// `NotFoundException`, `AccessDeniedException`, `DryRunOperationException`.
pub fn retire(cx: &mut Context<'_>, key: &Key, grant_id: &str, options: &Options) -> Result<(), KmsError> {
    let grant = key.grants.iter().find(|grant| grant.grant_id == grant_id).ok_or_else(|| no_such_grant(grant_id))?;
    cx.authorize("kms:RetireGrant", Resource::Grant { key, grant }, &ConditionContext::default())?;
    options.proceed()?;
    let (kms, store) = cx.account.kms_mut();
    Ok(kms.remove_grant(store, &key.id(), grant_id)?)
}

fn no_such_grant(grant_id: &str) -> KmsError {
    KmsError::NotFound(format!("Grant ID {grant_id} not found"))
}

/// An item of a list of grants.
fn entry(grant: &Grant) -> (String, Value) {
    (grant.grant_id.clone(), grant.described())
}

/// `ListGrants`
pub struct ListGrants {
    key: KeyId,
    grant_id: Option<String>,
    grantee: Option<String>,
    page: Page,
}

impl Request for ListGrants {
    fn parse(members: &Members<'_>) -> Result<Self, Fault> {
        Ok(Self {
            key: KeyId::parse_key_only(members, "KeyId")?,
            grant_id: members.optional_str("GrantId", 1..=128)?.map(str::to_owned),
            grantee: members.optional_str("GranteePrincipal", 1..=256)?.map(str::to_owned),
            page: Page::parse(members, 1..=100, 50)?,
        })
    }

    fn run(self, cx: &mut Context<'_>) -> Result<Output, Fault> {
        let key = cx.key(&self.key, "kms:ListGrants")?;
        let wanted = |grant: &&Grant| {
            self.grant_id.as_ref().is_none_or(|id| grant.grant_id == *id)
                && self.grantee.as_ref().is_none_or(|arn| grant.grantee_principal == *arn)
        };
        Ok(self.page.output("Grants", key.grants.iter().filter(wanted).map(entry)).into())
    }
}

/// `ListRetirableGrants`
pub struct ListRetirableGrants {
    retiring: String,
    page: Page,
}

impl Request for ListRetirableGrants {
    fn parse(members: &Members<'_>) -> Result<Self, Fault> {
        let retiring = members.str("RetiringPrincipal", 1..=256)?.to_owned();
        Ok(Self { retiring, page: Page::parse(members, 1..=100, 50)? })
    }

    fn run(self, cx: &mut Context<'_>) -> Result<Output, Fault> {
        cx.authorize("kms:ListRetirableGrants", Resource::Arn("*"), &ConditionContext::default())?;
        let grants = cx.account.state.kms.keys().flat_map(|key| &key.grants);
        let wanted = |grant: &&Grant| grant.retiring_principal.as_ref() == Some(&self.retiring);
        Ok(self.page.output("Grants", grants.filter(wanted).map(entry)).into())
    }
}

/// `RevokeGrant`
pub struct RevokeGrant {
    key: KeyId,
    grant_id: String,
    options: Options,
}

impl Request for RevokeGrant {
    fn parse(members: &Members<'_>) -> Result<Self, Fault> {
        Ok(Self {
            key: KeyId::parse_key_only(members, "KeyId")?,
            grant_id: members.str("GrantId", 1..=128)?.to_owned(),
            options: Options::parse(members)?,
        })
    }

    fn run(self, cx: &mut Context<'_>) -> Result<Output, Fault> {
        let is_this = |grant: &Grant| grant.grant_id == self.grant_id;
        let for_service = cx
            .existing_key(self.key.text())
            .is_ok_and(|key| key.grants.iter().any(|grant| is_this(grant) && is_service(&grant.grantee_principal)));
        let asked = facts([("kms:GrantIsForAWSResource", &for_service.to_string())]);
        let key = cx.key_with(&self.key, "kms:RevokeGrant", &asked)?;
        if !key.grants.iter().any(is_this) {
            return Err(no_such_grant(&self.grant_id).into());
        }
        self.options.proceed()?;
        let (kms, store) = cx.account.kms_mut();
        kms.remove_grant(store, &key.id(), &self.grant_id)?;
        Ok(json!({}).into())
    }
}

/// `RetireGrant`
pub struct RetireGrant {
    grant: GrantName,
    options: Options,
}

/// What names a grant that is to be retired.
enum GrantName {
    Token(String),
    Id { key: KeyId, grant_id: String },
}

impl Request for RetireGrant {
    fn parse(members: &Members<'_>) -> Result<Self, Fault> {
        let token = members.optional_str("GrantToken", 1..=8192)?;
        let key = KeyId::optional(members, "KeyId")?;
        let grant_id = members.optional_str("GrantId", 1..=128)?;
        let options = Options::parse(members)?;
        let grant = match (token, key, grant_id) {
            (Some(token), None, None) => GrantName::Token(token.to_owned()),
            (None, Some(key), Some(grant_id)) => GrantName::Id { key, grant_id: grant_id.to_owned() },
            _ => {
                return Err(Fault::invalid(
                    "Please specify either a grant token, or a key ID and a grant ID, to name the grant.",
                ));
            }
        };
        Ok(Self { grant, options })
    }

    fn run(self, cx: &mut Context<'_>) -> Result<Output, Fault> {
        let (key, grant_id) = match self.grant {
            GrantName::Token(token) => grant_of_token(cx, &token)?,
            GrantName::Id { key, grant_id } => (cx.existing_key(key.text())?, grant_id),
        };
        retire(cx, &key, &grant_id, &self.options)?;
        Ok(json!({}).into())
    }
}

fn grant_of_token(cx: &Context<'_>, token: &str) -> Result<(Arc<Key>, String), KmsError> {
    let of_key = |key: &Arc<Key>| {
        let grant = key.grants.iter().find(|grant| grant.grant_token == token)?;
        Some((Arc::clone(key), grant.grant_id.clone()))
    };
    cx.account.state.kms.keys().find_map(of_key).ok_or(KmsError::InvalidGrantToken)
}
