//! Everything as it was before a drill, read from the server, and what differs from it afterwards.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::lab::model::batch::Batch;
use crate::lab::model::exchange::Exchange;
use crate::lab::model::operation::{Identity, Operation};
use crate::lab::model::until::Until;
use crate::lab::trial::change::{Change, POLICY_NAME};
use crate::lab::trial::setup::Setup;

/// Everything that a drill may change, as it was before.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Baseline {
    /// The key policy, letter by letter.
    pub policy: Option<String>,
    key_state: Option<String>,
    grants: Option<BTreeSet<String>>,
    inline: Option<BTreeSet<String>>,
    attached: Option<BTreeSet<String>>,
}

/// The reading calls behind a baseline. A given user's policies are not the lab's to read.
pub fn reads(setup: &Setup<'_>, given_user: bool, tolerant: bool) -> Batch {
    use Operation as O;
    let (key, user) = (|| setup.key.to_owned(), || setup.names.user.clone());
    let of_key =
        [O::GetKeyPolicy { key: key() }, O::DescribeKey { key: key() }, O::ListGrants { key: key() }].into_iter();
    let of_user = [O::ListUserPolicies { user: user() }, O::ListAttachedUserPolicies { user: user() }];
    let of_user = of_user.into_iter().filter(|_| !given_user);
    let calls = of_key.chain(of_user).map(|operation| (Identity::Admin, operation)).collect();
    Batch { calls, until: Until::Answered, tolerant }
}

/// The texts at `member` of each element of `list`; the elements themselves without a member.
fn texts(body: &Value, list: &str, member: Option<&str>) -> BTreeSet<String> {
    let elements = body.get(list).and_then(Value::as_array).into_iter().flatten();
    let text = |element: &Value| match member {
        Some(member) => element.get(member)?.as_str().map(str::to_owned),
        None => element.as_str().map(str::to_owned),
    };
    elements.filter_map(text).collect()
}

/// The names of the inline policies in a response to ListUserPolicies.
pub fn names(exchange: &Exchange) -> BTreeSet<String> {
    exchange.body().map(|body| texts(body, "PolicyNames", None)).unwrap_or_default()
}

impl Baseline {
    /// Takes in a response to one of the reading calls.
    pub fn learn(&mut self, exchange: &Exchange) {
        let Some(body) = exchange.body().filter(|_| exchange.is_allowed()) else { return };
        match exchange.operation {
            Operation::GetKeyPolicy { .. } => {
                self.policy = body.get("Policy").and_then(Value::as_str).map(str::to_owned);
            }
            Operation::DescribeKey { .. } => {
                let state = body.pointer("/KeyMetadata/KeyState").and_then(Value::as_str);
                self.key_state = state.map(str::to_owned);
            }
            Operation::ListGrants { .. } => self.grants = Some(texts(body, "Grants", Some("GrantId"))),
            Operation::ListUserPolicies { .. } => self.inline = Some(texts(body, "PolicyNames", None)),
            Operation::ListAttachedUserPolicies { .. } => {
                self.attached = Some(texts(body, "AttachedPolicies", Some("PolicyArn")));
            }
            _ => {}
        }
    }

    /// Whether every reading call was answered.
    pub fn is_complete(&self, given_user: bool) -> bool {
        let of_key = self.policy.is_some() && self.key_state.is_some() && self.grants.is_some();
        of_key && (given_user || (self.inline.is_some() && self.attached.is_some()))
    }

    /// What has to be undone so that `now` becomes this; of what could not be read nothing.
    pub fn differences(&self, now: &Baseline) -> Vec<Change> {
        let mut changes = Vec::new();
        if now.policy.is_some() && now.policy != self.policy {
            changes.push(Change::KeyPolicy);
        }
        if self.key_state.as_deref() == Some("Enabled") {
            match now.key_state.as_deref() {
                Some("Disabled") => changes.push(Change::Disabled),
                Some("PendingDeletion") => changes.extend([Change::Disabled, Change::Deletion]),
                _ => {}
            }
        }
        let more = |before: &Option<BTreeSet<String>>, now: &Option<BTreeSet<String>>| -> Vec<String> {
            let (Some(before), Some(now)) = (before, now) else { return Vec::new() };
            now.difference(before).cloned().collect()
        };
        changes.extend(more(&self.grants, &now.grants).into_iter().map(|id| Change::Grant(Some(id))));
        changes.extend(more(&self.inline, &now.inline).into_iter().map(|name| match name.as_str() {
            POLICY_NAME => Change::Inline,
            _ => Change::Policy(name),
        }));
        if !more(&now.attached, &self.attached).is_empty() || !more(&now.inline, &self.inline).is_empty() {
            changes.push(Change::Detached);
        }
        changes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn baseline(policy: &str, state: &str, grants: &[&str], inline: &[&str], attached: &[&str]) -> Baseline {
        let set = |texts: &[&str]| Some(texts.iter().map(|text| (*text).to_owned()).collect());
        Baseline {
            policy: Some(policy.to_owned()),
            key_state: Some(state.to_owned()),
            grants: set(grants),
            inline: set(inline),
            attached: set(attached),
        }
    }

    #[test]
    fn differences_are_undone() {
        let before = baseline("p", "Enabled", &["table"], &["own"], &["full"]);
        assert_eq!(before.differences(&before), []);
        let now = baseline("q", "PendingDeletion", &["table", "mine"], &["own", "mine"], &[]);
        let expected = [
            Change::KeyPolicy,
            Change::Disabled,
            Change::Deletion,
            Change::Grant(Some("mine".to_owned())),
            Change::Policy("mine".to_owned()),
            Change::Detached,
        ];
        assert_eq!(before.differences(&now), expected);
        assert_eq!(before.differences(&Baseline::default()), [], "of what can't be read nothing is known");
        assert!(before.is_complete(false) && !Baseline::default().is_complete(true));
    }
}
