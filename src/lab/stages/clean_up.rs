//! Stage 9: nothing billable stays.

use serde_json::Value;

use crate::lab::model::facts::Facts;
use crate::lab::model::mechanism::ATTEMPT;
use crate::lab::model::operation::Operation as O;
use crate::lab::model::test_user;
use crate::lab::model::until::Until;

use super::def::{Calls, Kind, Planned, Runs, Scans, Sources, StageDef, Step, as_admin};
use super::evidence::{Evidence, Observed, describe};

/// Days until a key is deleted: the shortest that KMS takes.
const DELETION_DAYS: u8 = 7;

/// Removes what was made and nothing else, the table before the key; each step whatever became of the others.
const STEPS: &[Step] = &[
    removing(&[Planned::admin("dynamodb:DeleteTable")], |s| {
        as_admin(s.facts.made.table.then(|| O::DeleteTable { table: s.names.table.clone() }))
    })
    .until(Until::TableDeletable),
    // Runs a table that is being deleted can be waited for: its description is known until it is gone.
    removing(&[Planned::admin("dynamodb:DescribeTable")], |s| {
        let is_going = s.facts.table_was_made && !s.facts.made.table;
        as_admin(is_going.then(|| O::DescribeTable { table: s.names.table.clone() }))
    })
    .until(Until::TableGone),
    removing(&[Planned::admin("iam:DetachUserPolicy").only(Runs::ManagedPolicy)], |s| {
        let arn = s.facts.made.policy_attached.clone();
        let arns = arn.into_iter().chain(s.facts.made.added.attached.iter().cloned());
        as_admin(arns.map(|policy_arn| O::DetachUserPolicy { user: s.names.user.clone(), policy_arn }))
    }),
    removing(&[Planned::admin("iam:DeleteUserPolicy").only(Runs::InlinePolicy)], |s| {
        let made = &s.facts.made;
        let names = [made.inline_policy.then_some(test_user::POLICY), made.attempt_policy.then_some(ATTEMPT)];
        let names = names.into_iter().flatten().map(str::to_owned).chain(made.added.inline.iter().cloned());
        as_admin(names.map(|name| O::DeleteUserPolicy { user: s.names.user.clone(), name }))
    }),
    // A grant whose response was lost is known by its name alone.
    removing(&[], |s| {
        let key = s.facts.key_id().filter(|_| s.facts.made.attempt_grant.as_deref() == Some(""));
        as_admin(key.map(|key| O::ListGrants { key: key.to_owned() }))
    }),
    removing(&[], |s| {
        let grant = s.facts.made.attempt_grant.clone().filter(|id| !id.is_empty()).zip(s.facts.key_id());
        as_admin(grant.map(|(grant_id, key)| O::RevokeGrant { key: key.to_owned(), grant_id }))
    }),
    removing(&[], |s| {
        as_admin(s.facts.made.maybe_access_key.then(|| O::ListAccessKeys { user: s.names.user.clone() }))
    }),
    removing(&[Planned::admin("iam:DeleteAccessKey").only(Runs::OwnUser)], |s| {
        let keys = s.facts.made.access_key.iter().chain(&s.facts.made.stray_access_keys).cloned();
        as_admin(keys.map(|access_key_id| O::DeleteAccessKey { user: s.names.user.clone(), access_key_id }))
    }),
    removing(&[Planned::admin("iam:DeleteUser").only(Runs::OwnUser)], |s| {
        as_admin(s.facts.made.user.then(|| O::DeleteUser { user: s.names.user.clone() }))
    })
    .until(Until::UserFree),
    removing(&[Planned::admin("kms:DeleteAlias")], |s| {
        as_admin(s.facts.made.alias.then(|| O::DeleteAlias { alias: s.names.alias.clone() }))
    }),
    // A key whose CreateKey got no response is known by its description alone.
    removing(&[], |s| as_admin(s.facts.made.maybe_key.as_ref().map(|_| O::ListKeys))),
    removing(&[], |s| {
        let described = s.facts.looked_at.iter().flat_map(|(_, keys)| keys).cloned();
        as_admin(described.map(|key| O::DescribeKey { key }))
    }),
    // A policy that allows this only for keys with the lab's tag takes effect once KMS sees the tag.
    removing(&[Planned::admin("kms:ScheduleKeyDeletion")], |s| {
        // By its id, as everywhere: moto does not find a key by its ARN here.
        let key = s.facts.made.key.as_ref().and(s.facts.key_id()).map(str::to_owned);
        let keys = key.into_iter().chain(s.facts.made.stray_keys.iter().cloned());
        as_admin(keys.map(|key| O::ScheduleKeyDeletion { key, days: DELETION_DAYS }))
    })
    .until(Until::TagKnown(0)),
    removing(&[Planned::admin("kms:DescribeKey")], |s| {
        as_admin(s.facts.key_id().map(|key| O::DescribeKey { key: key.to_owned() }))
    }),
];

const fn removing(outline: &'static [Planned], calls: fn(&Sources<'_>) -> Calls) -> Step {
    Step::new(outline, calls).tolerant()
}

pub(super) const CLEAN_UP: StageDef = StageDef {
    key: "clean_up",
    kind: Kind::Removes,
    // What is gone is skipped.
    starts_over: true,
    scans: Scans::Nobody,
    steps: STEPS,
    verify: &[],
    notice: STEPS,
    highlight: [&["DescribeKey"]; 2],
    expect,
    forget: |_, _| {},
};

fn expect(evidence: &Evidence<'_>) -> Observed {
    let Evidence { exchanges, facts, .. } = *evidence;
    let failed: Vec<String> = exchanges
        .iter()
        .filter(|exchange| !exchange.is_allowed() && !exchange.is_wanted_absence())
        // Of others' keys nothing is wanted. A deletion that is scheduled twice, after a lost response, is fine.
        .filter(|exchange| !facts.is_looked_at(&exchange.operation))
        .filter(|exchange| exchange.operation.name() != "ScheduleKeyDeletion" || !facts.made.is_empty())
        .map(|exchange| describe(exchange))
        .collect();
    if !facts.made.is_empty() || !failed.is_empty() {
        let left = if facts.made.is_empty() { "nothing known is left" } else { "something is left" };
        return Err(match failed.is_empty() {
            true => "something may be left: not all keys could be looked at".to_owned(),
            false => format!("{left}; {}", failed.join("; ")),
        });
    }
    if facts.table_was_made && facts.table.is_some() {
        return Err("the table is still being deleted".to_owned());
    }
    let deleted = deleted(evidence);
    let Some(key) = &facts.key else {
        // A key whose CreateKey got no response has been found.
        let found = exchanges.iter().any(|e| e.operation.name() == "ScheduleKeyDeletion" && e.is_allowed());
        let key = if found { "the deletion of the key is scheduled" } else { "no key had been made" };
        return Ok(format!("{deleted}{key}{}", left_alone(facts)));
    };
    match key.get("KeyState").and_then(Value::as_str) {
        Some("PendingDeletion") => Ok(format!("{deleted}key PendingDeletion{}", left_alone(facts))),
        state => Err(format!("{deleted}but the key's state is {}", state.unwrap_or("unknown"))),
    }
}

/// What the person has made beside the lab's own things: nobody else may remove it.
fn left_alone(facts: &Facts) -> String {
    match facts.made.added.others.as_slice() {
        [] => String::new(),
        others => format!("; yours, left alone: {}", others.join(", ")),
    }
}

/// `table, user deleted, `; empty where nothing was deleted.
fn deleted(evidence: &Evidence<'_>) -> String {
    let deleted = evidence.exchanges.iter().filter(|exchange| exchange.is_allowed());
    let deleted = deleted.filter_map(|exchange| match exchange.operation.name() {
        "DeleteTable" => Some("table"),
        "DeleteAccessKey" => Some("access key"),
        "DeleteUser" => Some("user"),
        "DeleteAlias" => Some("alias"),
        _ => None,
    });
    match deleted.collect::<Vec<_>>().as_slice() {
        [] => String::new(),
        deleted => format!("{} deleted, ", deleted.join(", ")),
    }
}
