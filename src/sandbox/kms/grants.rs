//! `CreateGrant`, `ListGrants`, `ListRetirableGrants`, `RevokeGrant`, `RetireGrant`.

use serde_json::{Value, json};

use super::authorise::{Ask, Env, Naming, Options, Permission, permitted_by_identity};
use super::ciphertext::EncryptionContext;
use super::input::{Members, enumeration, string_map};
use super::model::{Key, hex};
use super::page::Page;
use super::{Kms, errors};
use crate::policy::{Grant, GrantConstraints, Principal};
use crate::sandbox::engine::Host;
use crate::sandbox::error::Fault;
use crate::sandbox::store::StoreError;

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

/// What `CreateGrant` asks for.
pub struct NewGrant {
    pub grantee: String,
    pub retiring: Option<String>,
    pub operations: Vec<String>,
    pub constraints: Option<GrantConstraints>,
    pub name: Option<String>,
}

impl NewGrant {
    fn is_the_same_as(&self, grant: &Grant) -> bool {
        self.name.is_some()
            && self.name == grant.name
            && self.grantee == grant.grantee_principal
            && self.retiring == grant.retiring_principal
            && self.operations == grant.operations
            && self.constraints == grant.constraints
    }

    /// Who may create grants only by a grant can't hand on more than that grant has (KMS guide).
    fn check_within(&self, parent: &Grant, key_arn: &str, caller: &str) -> Result<(), Fault> {
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
        Err(errors::access_denied(format!(
            "User: {caller} is not authorized to perform: kms:CreateGrant on resource: {key_arn} because the grant that \
             allows it does not include what the new grant gives"
        )))
    }
}

/// A service principal, `dynamodb.us-east-1.amazonaws.com`.
fn is_service(name: &str) -> bool {
    name.ends_with(".amazonaws.com") && !name.contains(['/', ':', '*'])
}

fn check_principal(env: &Env, arn: &str) -> Result<(), Fault> {
    let root = format!("arn:aws:iam::{}:root", env.host.account);
    if arn == root || is_service(arn) || env.iam.find_principal(arn).is_some() {
        Ok(())
    } else {
        Err(errors::invalid_arn(format!("ARN does not refer to a valid principal: {arn}")))
    }
}

fn read_constraints(members: &Members) -> Result<Option<GrantConstraints>, Fault> {
    let Some(given) = members.structure("Constraints")? else { return Ok(None) };
    let part = |name: &str| given.get(name).filter(|value| !value.is_null()).map(string_map).transpose();
    match (part("EncryptionContextEquals")?, part("EncryptionContextSubset")?) {
        (Some(_), Some(_)) => Err(Fault::invalid(
            "A grant can be constrained by EncryptionContextEquals or by EncryptionContextSubset, not by both.",
        )),
        (Some(pairs), None) => Ok(Some(GrantConstraints::EncryptionContextEquals(pairs))),
        (None, Some(pairs)) => Ok(Some(GrantConstraints::EncryptionContextSubset(pairs))),
        (None, None) => Ok(None),
    }
}

fn read_operations(members: &mut Members) -> Result<Vec<String>, Fault> {
    members.needed_list("Operations")?;
    let mut operations = Vec::new();
    for operation in members.texts("Operations")? {
        if !OPERATIONS.contains(&operation) {
            let constraint = format!("Member must satisfy constraint: [{}]", enumeration(&OPERATIONS));
            members.violation(&format!("[{operation}]"), "Operations", &constraint);
        }
        if !operations.iter().any(|known| known == operation) {
            operations.push(operation.to_owned());
        }
    }
    Ok(operations)
}

pub fn create_grant(kms: &mut Kms, env: &mut Env, input: &Value) -> Result<Value, Fault> {
    let mut members = Members::of(input)?;
    let key = members.key_id()?;
    let grantee = members.needed_text("GranteePrincipal", 1..=256)?;
    let retiring = members.text("RetiringPrincipal", 1..=256)?;
    let operations = read_operations(&mut members)?;
    let constraints = read_constraints(&members)?;
    let name = members.text("Name", 1..=256)?;
    let options = Options::read(&mut members)?;
    members.finish()?;
    kms.check_grant_tokens(&options)?;
    let new = NewGrant {
        grantee: grantee.to_owned(),
        retiring: retiring.map(str::to_owned),
        operations,
        constraints,
        name: name.map(str::to_owned),
    };
    let grant = kms.grant(env, key, Naming::KeyOnly, new, &options)?;
    Ok(json!({ "GrantToken": grant.grant_token, "GrantId": grant.grant_id }))
}

impl Kms {
    /// Authorises and makes a grant. With a name, asking for the same grant again gives the same one (KMS guide).
    pub(super) fn grant(
        &mut self,
        env: &mut Env,
        key: &str,
        naming: Naming,
        new: NewGrant,
        options: &Options,
    ) -> Result<Grant, Fault> {
        let none = EncryptionContext::new();
        let context = new.constraints.as_ref().map_or(&none, GrantConstraints::pairs);
        let mut ask = Ask::to("kms:CreateGrant")
            .context(context)
            .fact("kms:GranteePrincipal", new.grantee.as_str())
            .fact("kms:GrantIsForAWSResource", env.caller.via.is_some().to_string())
            .facts("kms:GrantOperations", new.operations.iter().cloned());
        if let Some(retiring) = &new.retiring {
            ask = ask.fact("kms:RetiringPrincipal", retiring.as_str());
        }
        if let Some(constraints) = &new.constraints {
            ask = ask.fact("kms:GrantConstraintType", constraints.name());
        }
        let Permission { id, grant } = self.permission(env, key, naming, &ask)?;
        let key = self.key(&id)?;
        if let Some(parent) = key.grants.iter().find(|parent| grant.as_ref() == Some(&parent.grant_id)) {
            new.check_within(parent, &key.record.arn, &env.caller.principal.arn)?;
        }
        key.check_usable()?;
        if let Some(operation) = new.operations.iter().find(|o| NOT_SYMMETRIC.contains(&o.as_str())) {
            let message =
                format!("Grant operation {operation} is not valid for a {} key.", super::model::SYMMETRIC_DEFAULT);
            return Err(Fault::invalid(message));
        }
        check_principal(env, &new.grantee)?;
        new.retiring.as_ref().map_or(Ok(()), |retiring| check_principal(env, retiring))?;
        if let Some(known) = key.grants.iter().find(|grant| new.is_the_same_as(grant)) {
            return Ok(known.clone());
        }
        options.proceed()?;
        let grant = Grant {
            grant_id: hex(&env.host.entropy.bytes::<32>()),
            grant_token: hex(&env.host.entropy.bytes::<96>()),
            key_id: key.record.arn.clone(),
            grantee_principal: new.grantee,
            retiring_principal: new.retiring,
            issuing_account: format!("arn:aws:iam::{}:root", env.host.account),
            name: new.name,
            operations: new.operations,
            constraints: new.constraints,
            creation_date: env.host.clock.epoch_seconds(),
        };
        self.put_grant(env.host, &id, grant.clone())?;
        Ok(grant)
    }

    /// Authorises and retires a grant: its retiring principal may, its grantee if it was granted `RetireGrant`, and
    /// whoever policies allow. An explicit deny forbids it to all of them (KMS guide).
    pub(super) fn retire(
        &mut self,
        env: &mut Env,
        key_id: &str,
        grant_id: &str,
        options: &Options,
    ) -> Result<(), Fault> {
        let grant = self.key(key_id)?.grants.iter().find(|grant| grant.grant_id == grant_id);
        let grant = grant.cloned().ok_or_else(|| no_such_grant(grant_id))?;
        self.permitted_to_retire(env, key_id, &grant)?;
        options.proceed()?;
        self.remove_grant(env.host, key_id, grant_id)?;
        Ok(())
    }

    pub(super) fn rename_in_grants(&mut self, host: &mut Host, arn: &str, unique_id: &str) -> Result<(), StoreError> {
        let named = |grant: &&Grant| grant.grantee_principal == arn || grant.retiring_principal.as_deref() == Some(arn);
        let of_key = |(id, key): (&String, &Key)| {
            key.grants.iter().filter(named).map(|grant| (id.clone(), grant.clone())).collect::<Vec<_>>()
        };
        let grants: Vec<(String, Grant)> = self.keys.iter().flat_map(of_key).collect();
        for (id, mut grant) in grants {
            let rename = |name: &mut String| {
                if name == arn {
                    unique_id.clone_into(name);
                }
            };
            rename(&mut grant.grantee_principal);
            grant.retiring_principal.iter_mut().for_each(rename);
            self.put_grant(host, &id, grant)?;
        }
        Ok(())
    }
}

fn no_such_grant(grant_id: &str) -> Fault {
    errors::not_found(format!("Grant ID {grant_id} not found"))
}

/// Whether a grant's principal is this one. A service is the same in its global and its regional spelling.
pub fn names(granted: &str, principal: &Principal) -> bool {
    if granted == principal.arn || granted == principal.unique_id {
        return true;
    }
    let service = |name: &str| name.split('.').next().unwrap_or_default().to_owned();
    principal.is_service() && is_service(granted) && service(granted) == service(&principal.arn)
}

pub fn list_grants(kms: &mut Kms, env: &mut Env, input: &Value) -> Result<Value, Fault> {
    let mut members = Members::of(input)?;
    let key = members.key_id()?;
    let grant_id = members.text("GrantId", 1..=128)?;
    let grantee = members.text("GranteePrincipal", 1..=256)?;
    let page = Page::read(&mut members, 1..=100, 50)?;
    members.finish()?;
    let id = kms.permitted(env, key, Naming::KeyOnly, &Ask::to("kms:ListGrants"))?;
    let wanted = |grant: &&Grant| {
        grant_id.is_none_or(|id| grant.grant_id == id) && grantee.is_none_or(|arn| grant.grantee_principal == arn)
    };
    Ok(page.answer("Grants", kms.key(&id)?.grants.iter().filter(wanted).map(entry)))
}

pub fn list_retirable_grants(kms: &mut Kms, env: &mut Env, input: &Value) -> Result<Value, Fault> {
    let mut members = Members::of(input)?;
    let retiring = members.needed_text("RetiringPrincipal", 1..=256)?;
    let page = Page::read(&mut members, 1..=100, 50)?;
    members.finish()?;
    permitted_by_identity(env, "*", &Ask::to("kms:ListRetirableGrants"))?;
    let grants = kms.keys.values().flat_map(|key| &key.grants);
    let wanted = |grant: &&Grant| grant.retiring_principal.as_deref() == Some(retiring);
    Ok(page.answer("Grants", grants.filter(wanted).map(entry)))
}

/// An item of `ListGrants`.
fn entry(grant: &Grant) -> (String, Value) {
    (grant.grant_id.clone(), grant.described())
}

pub fn revoke_grant(kms: &mut Kms, env: &mut Env, input: &Value) -> Result<Value, Fault> {
    let mut members = Members::of(input)?;
    let key = members.key_id()?;
    let grant_id = members.needed_text("GrantId", 1..=128)?;
    let options = Options::read(&mut members)?;
    members.finish()?;
    let for_service = kms.grant_is_for_service(env, key, grant_id);
    let ask = Ask::to("kms:RevokeGrant").fact("kms:GrantIsForAWSResource", for_service.to_string());
    let id = kms.permitted(env, key, Naming::KeyOnly, &ask)?;
    if !kms.key(&id)?.grants.iter().any(|grant| grant.grant_id == grant_id) {
        return Err(no_such_grant(grant_id));
    }
    options.proceed()?;
    kms.remove_grant(env.host, &id, grant_id)?;
    Ok(json!({}))
}

pub fn retire_grant(kms: &mut Kms, env: &mut Env, input: &Value) -> Result<Value, Fault> {
    let mut members = Members::of(input)?;
    let token = members.text("GrantToken", 1..=8192)?;
    let key = members.text("KeyId", 1..=2048)?;
    let grant_id = members.text("GrantId", 1..=128)?;
    let options = Options::read(&mut members)?;
    members.finish()?;
    let (key_id, grant_id) = match (token, key, grant_id) {
        (Some(token), None, None) => kms.grant_of_token(token)?,
        (None, Some(key), Some(grant_id)) => (kms.existing(env, key)?, grant_id.to_owned()),
        _ => {
            return Err(Fault::invalid(
                "Please specify either a grant token, or a key ID and a grant ID, to name the grant.",
            ));
        }
    };
    kms.retire(env, &key_id, &grant_id, &options)?;
    Ok(json!({}))
}

impl Kms {
    fn grant_of_token(&self, token: &str) -> Result<(String, String), Fault> {
        let of_key = |(id, key): (&String, &Key)| {
            let grant = key.grants.iter().find(|grant| grant.grant_token == token)?;
            Some((id.clone(), grant.grant_id.clone()))
        };
        let found = self.keys.iter().find_map(of_key);
        found.ok_or_else(|| Fault::service(400, "InvalidGrantTokenException", "The grant token is not valid."))
    }

    fn grant_is_for_service(&self, env: &Env, key: &str, grant_id: &str) -> bool {
        let Ok(id) = self.existing(env, key) else { return false };
        let of_key = self.keys.get(&id).map(|key| key.grants.as_slice()).unwrap_or_default();
        of_key.iter().any(|grant| grant.grant_id == grant_id && is_service(&grant.grantee_principal))
    }
}
