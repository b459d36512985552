//! What a request brings along for the conditions of a policy to look at.

use std::collections::BTreeMap;

use super::principal::{Principal, global_service};

/// Condition keys and their values. Keys are case-insensitive (IAM guide) and kept in lower case; a key may have several
/// values.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ConditionContext(BTreeMap<String, Vec<String>>);

impl ConditionContext {
    /// The global condition keys that every signed request carries and that depend on its caller, its resource's account
    /// and the way it takes: `via` is the service that calls on the caller's behalf (IAM guide, "AWS global condition
    /// context keys"). The server adds time, region, address and user agent.
    ///
    /// The transport counts as TLS, because on AWS it is.
    pub fn of_request(principal: &Principal, resource_account: &str, via: Option<&str>) -> Self {
        let mut context = Self::default();
        context.set("aws:SecureTransport", "true").set("aws:ResourceAccount", resource_account);
        context.set("aws:PrincipalIsAWSService", principal.is_service().to_string());
        if principal.is_service() {
            let global = global_service(&principal.arn);
            context.set("aws:PrincipalServiceName", &global).set("aws:PrincipalServiceNamesList", &global);
            if global != principal.arn {
                context.add("aws:PrincipalServiceNamesList", &principal.arn);
            }
        } else {
            context.describe_caller(principal);
        }
        // A service that acts for itself is no call on anyone's behalf.
        let via = via.filter(|_| !principal.is_service());
        context.set("aws:ViaAWSService", via.is_some().to_string());
        if let Some(service) = via {
            for key in ["aws:CalledVia", "aws:CalledViaFirst", "aws:CalledViaLast"] {
                context.set(key, service);
            }
            // The service signs with temporary credentials, which say that a user's access key had no MFA.
            if principal.user_name.is_some() {
                context.set("aws:MultiFactorAuthPresent", "false");
            }
        }
        context
    }

    fn describe_caller(&mut self, principal: &Principal) {
        // For a session it is the role's (IAM guide).
        let arn = principal.role.as_ref().map_or(&principal.arn, |role| &role.arn);
        self.set("aws:PrincipalArn", arn).set("aws:PrincipalAccount", &principal.account);
        if let Some(issued) = &principal.token_issued {
            // Nobody has a second factor here, and temporary credentials say so (IAM guide).
            self.set("aws:TokenIssueTime", issued).set("aws:MultiFactorAuthPresent", "false");
        }
        let kind = if principal.is_root() {
            "Account"
        } else if principal.arn.contains(":assumed-role/") {
            "AssumedRole"
        } else {
            "User"
        };
        self.set("aws:PrincipalType", kind);
        if !principal.unique_id.is_empty() {
            self.set("aws:userid", &principal.unique_id);
        }
        if let Some(name) = &principal.user_name {
            self.set("aws:username", name);
        }
        for (key, value) in &principal.tags {
            self.set(&format!("aws:PrincipalTag/{key}"), value);
        }
    }

    /// Gives `key` exactly one value, whatever it had before.
    pub fn set(&mut self, key: &str, value: impl Into<String>) -> &mut Self {
        self.0.insert(key.to_lowercase(), vec![value.into()]);
        self
    }

    /// Adds one more value to `key`.
    pub fn add(&mut self, key: &str, value: impl Into<String>) -> &mut Self {
        self.0.entry(key.to_lowercase()).or_default().push(value.into());
        self
    }

    /// Takes `key` away, as if the request didn't carry it.
    pub fn remove(&mut self, key: &str) -> &mut Self {
        self.0.remove(&key.to_lowercase());
        self
    }

    /// The values of `key`, or `None` when the request doesn't carry it.
    pub fn get(&self, key: &str) -> Option<&[String]> {
        // Keys compiled into a policy are lower case already: no allocation on the usual path.
        if key.bytes().any(|byte| byte.is_ascii_uppercase()) || !key.is_ascii() {
            self.0.get(&key.to_lowercase()).map(Vec::as_slice)
        } else {
            self.0.get(key).map(Vec::as_slice)
        }
    }

    /// Every key with its values, in the order of the keys.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &[String])> {
        self.0.iter().map(|(key, values)| (key.as_str(), values.as_slice()))
    }

    /// Takes over every key of `other`; where both have one, `other`'s values count.
    pub fn merge(&mut self, other: &Self) -> &mut Self {
        self.0.extend(other.0.iter().map(|(key, values)| (key.clone(), values.clone())));
        self
    }
}
