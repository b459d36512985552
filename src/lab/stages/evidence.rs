//! What a stage's expectation is judged by.

use serde_json::Value;

use crate::lab::model::exchange::{Exchange, Verdict};
use crate::lab::model::facts::{Caller, Facts};
use crate::lab::model::operation::Identity;

use super::items::items;

/// The responses of a stage, and what is known.
#[derive(Debug, Clone, Copy)]
pub struct Evidence<'a> {
    /// The stage's calls; of a repeated call only the newest.
    pub exchanges: &'a [&'a Exchange],
    /// What is known.
    pub facts: &'a Facts,
    /// Whether test-user is a given profile.
    pub given_user: bool,
}

/// What was observed: `Ok` where the expectation is met, `Err` where it isn't.
pub type Observed = Result<String, String>;

impl<'a> Evidence<'a> {
    /// The newest call of `identity` to `operation`.
    pub(super) fn newest(&self, identity: Identity, operation: &str) -> Option<&'a Exchange> {
        self.exchanges.iter().rev().find(|e| e.identity == identity && e.operation.name() == operation).copied()
    }

    /// The Scan of `identity`: met with all sample items.
    pub fn complete_scan(&self, identity: Identity) -> Observed {
        let scan = self.newest(identity, "Scan").ok_or_else(|| format!("{} sent no Scan", identity.name()))?;
        if !scan.is_allowed() {
            return Err(describe(scan));
        }
        let put: Vec<Value> = items().into_iter().map(Value::Object).collect();
        let found = scan.body().and_then(|body| body.get("Items")?.as_array()).map(Vec::as_slice).unwrap_or_default();
        let noun = if found.len() == 1 { "item" } else { "items" };
        let observed = format!("{} ({} {noun})", describe(scan), found.len());
        // A learner who put other items knows them.
        let are_theirs = self.facts.own_items && !found.is_empty();
        if are_theirs || sorted(found) == sorted(&put) {
            Ok(observed)
        } else {
            Err(format!("{observed}, not the ones that were put"))
        }
    }

    /// How many items the newest Scan of `identity` found.
    pub(super) fn found(&self, identity: Identity) -> usize {
        let scan = self.newest(identity, "Scan").filter(|scan| scan.is_allowed());
        let items = scan.and_then(|scan| scan.body()?.get("Items")?.as_array());
        items.map_or(0, Vec::len)
    }

    /// Whether admin and test-user are two principals of one account, and test-user isn't the root user.
    pub(super) fn two_principals(&self, admin: &Caller) -> Observed {
        let user = &self.facts.test_user;
        let user = user.as_ref().ok_or("GetCallerIdentity's answer for test-user names no principal")?;
        // Two sessions of one role are one principal: its policies decide about both.
        if user.principal() == admin.principal() {
            return Err(format!("both profiles are {}: give test-user a profile of its own", user.principal()));
        }
        if user.account != admin.account {
            return Err(format!("two accounts, {} and {}: both profiles must be of one", admin.account, user.account));
        }
        if user.is_root() {
            return Err(format!("test-user is the account root, {}: use an IAM user", user.arn));
        }
        // The end of an ARN, `user/alice`, is what differs within an account.
        let name = user.arn.rsplit(':').next().unwrap_or(&user.arn);
        Ok(format!("test-user is {name}, of the same account {}", user.account))
    }
}

/// The result of a call, in words.
pub fn describe(exchange: &Exchange) -> String {
    let name = exchange.identity.name();
    match &exchange.verdict {
        Verdict::Allowed => format!("{name} ALLOWED"),
        Verdict::Denied(denied) => match &denied.action {
            Some(action) => format!("{name} DENIED on {action}"),
            None => format!("{name} DENIED: {}", denied.message),
        },
        Verdict::Failed(failure) => {
            let code = failure.code.as_ref().map(|code| format!("{code}: ")).unwrap_or_default();
            format!("{name} {} FAILED: {code}{}", exchange.operation.name(), failure.message)
        }
    }
}

/// Items in an order that doesn't depend on the server's.
fn sorted(items: &[Value]) -> Vec<String> {
    let mut items: Vec<String> = items.iter().map(canonical).collect();
    items.sort();
    items
}

/// JSON with members in order of their names.
fn canonical(value: &Value) -> String {
    match value {
        Value::Object(members) => {
            let mut members: Vec<_> = members.iter().map(|(name, member)| (name, canonical(member))).collect();
            members.sort();
            format!("{members:?}")
        }
        other => other.to_string(),
    }
}
