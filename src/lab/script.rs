//! What each stage sends, in which order, with what is known so far.

use serde_json::{Map, Value};

use super::backend::{Backend, BackendKind};
use super::facts::{Facts, Names};
use super::key_policy;
pub use super::model::batch::{Batch, Next};
pub use super::model::until::Until;
use super::operation::{Identity, Operation, TableKey};
use super::stage::Stage;
use super::test_user;

/// The items that `create_table` puts: DynamoDB JSON.
const ITEMS: &str = include_str!("../../assets/items.json");

/// Days until a key is deleted: the shortest that KMS takes.
const DELETION_DAYS: u8 = 7;

/// The sample items.
pub fn items() -> Vec<Map<String, Value>> {
    // The asset is part of the program and a test parses it.
    serde_json::from_str(ITEMS).unwrap_or_default()
}

/// What a stage's calls are made from.
#[derive(Debug, Clone, Copy)]
pub struct Sources<'a> {
    /// The run's names.
    pub names: &'a Names,
    /// What is known.
    pub facts: &'a Facts,
    /// Where the calls go, and whether test-user is a given profile.
    pub backend: &'a Backend,
}

/// The names of the calls of a stage, before anything is known: what the screen shows until Enter is pressed.
pub fn outline(stage: Stage, backend: &Backend) -> Vec<(Identity, &'static str)> {
    use Identity::{Admin, TestUser};
    let given_user = backend.given_user;
    let (attach, detach) = match backend.has_managed_policy() {
        true => ("iam:AttachUserPolicy", "iam:DetachUserPolicy"),
        false => ("iam:PutUserPolicy", "iam:DeleteUserPolicy"),
    };
    match stage {
        Stage::Who if given_user => vec![(Admin, "sts:GetCallerIdentity"), (TestUser, "sts:GetCallerIdentity")],
        Stage::Who if backend.simulates() => {
            vec![(Admin, "sts:GetCallerIdentity"), (Admin, "iam:SimulatePrincipalPolicy")]
        }
        Stage::Who => vec![(Admin, "sts:GetCallerIdentity")],
        Stage::CreateKey => vec![
            (Admin, "kms:CreateKey"),
            (Admin, "kms:CreateAlias"),
            (Admin, "kms:DescribeKey"),
            (Admin, "kms:GetKeyPolicy"),
        ],
        Stage::CreateTable => {
            vec![(Admin, "dynamodb:CreateTable"), (Admin, "dynamodb:DescribeTable"), (Admin, "dynamodb:PutItem ×3")]
        }
        Stage::ViewAdmin => vec![(Admin, "dynamodb:Scan")],
        Stage::CreateUser if given_user => vec![(TestUser, "sts:GetCallerIdentity")],
        Stage::CreateUser => vec![
            (Admin, "iam:CreateUser"),
            (Admin, attach),
            (Admin, "iam:CreateAccessKey"),
            (TestUser, "sts:GetCallerIdentity"),
        ],
        Stage::ViewDenied | Stage::ViewAgain => vec![(Admin, "dynamodb:Scan"), (TestUser, "dynamodb:Scan")],
        Stage::Grant => {
            vec![(Admin, "kms:GetKeyPolicy"), (Admin, "kms:PutKeyPolicy"), (Admin, "kms:GetKeyPolicy")]
        }
        Stage::CleanUp if given_user => vec![
            (Admin, "dynamodb:DeleteTable"),
            (Admin, "dynamodb:DescribeTable"),
            (Admin, "kms:DeleteAlias"),
            (Admin, "kms:ScheduleKeyDeletion"),
            (Admin, "kms:DescribeKey"),
        ],
        Stage::CleanUp => vec![
            (Admin, "dynamodb:DeleteTable"),
            (Admin, "dynamodb:DescribeTable"),
            (Admin, detach),
            (Admin, "iam:DeleteAccessKey"),
            (Admin, "iam:DeleteUser"),
            (Admin, "kms:DeleteAlias"),
            (Admin, "kms:ScheduleKeyDeletion"),
            (Admin, "kms:DescribeKey"),
        ],
    }
}

/// The call whose answer a stage is about (of test-user, in `create_user`, who it is; of admin, what it may do); it is
/// shown first when the stage is done.
pub fn highlight(stage: Stage, identity: Identity, backend: &Backend) -> &'static str {
    match stage {
        Stage::CreateUser if identity == Identity::Admin && backend.has_managed_policy() => "AttachUserPolicy",
        Stage::CreateUser if identity == Identity::Admin => "PutUserPolicy",
        Stage::Who | Stage::CreateUser => "GetCallerIdentity",
        Stage::CreateKey => "DescribeKey",
        Stage::CreateTable => "DescribeTable",
        Stage::ViewAdmin | Stage::ViewDenied | Stage::ViewAgain => "Scan",
        Stage::Grant => "GetKeyPolicy",
        Stage::CleanUp => "DescribeKey",
    }
}

/// The batch number `index` of `stage`.
pub fn next(stage: Stage, index: usize, sources: Sources<'_>) -> Next {
    let batches = match stage {
        Stage::Who => return who(index, sources),
        Stage::CreateKey => return create_key(index, sources),
        Stage::CreateTable => return create_table(index, sources),
        Stage::ViewAdmin => vec![batch([(Identity::Admin, scan(sources))])],
        Stage::CreateUser => return create_user(index, sources),
        Stage::ViewDenied => {
            let mut both = tolerant(Identity::BOTH.map(|identity| (identity, scan(sources))));
            // A user that was there before is known.
            if sources.backend.is_eventually_consistent() && !sources.backend.given_user {
                both.until = Until::UserKnown;
            }
            vec![both]
        }
        Stage::Grant => return grant(index, sources),
        Stage::ViewAgain => {
            let mut both = tolerant(Identity::BOTH.map(|identity| (identity, scan(sources))));
            if sources.backend.is_eventually_consistent() {
                both.until = Until::NothingDenied;
            }
            vec![both]
        }
        Stage::CleanUp => return clean_up(index, sources),
    };
    // One that may only perhaps be there has never been described.
    let has_table = sources.facts.made.table && sources.facts.table.is_some();
    if matches!(stage, Stage::ViewAdmin | Stage::ViewDenied | Stage::ViewAgain) && !has_table {
        return Next::Blocked("there is no table: create_table did not succeed".to_owned());
    }
    batches.into_iter().nth(index).map_or(Next::End, Next::Send)
}

fn batch<const N: usize>(calls: [(Identity, Operation); N]) -> Batch {
    Batch { calls: calls.into(), until: Until::Answered, tolerant: false }
}

fn tolerant<const N: usize>(calls: [(Identity, Operation); N]) -> Batch {
    Batch { tolerant: true, ..batch(calls) }
}

fn scan(sources: Sources<'_>) -> Operation {
    Operation::Scan { table: sources.names.table.clone() }
}

/// Who both are; which roles they are sessions of; and, on AWS, whether admin can create test-user: the key that is
/// created first costs money.
fn who(index: usize, sources: Sources<'_>) -> Next {
    let Sources { names, facts, backend } = sources;
    let as_admin = |operation| (Identity::Admin, operation);
    let calls = match index {
        0 if backend.given_user => Identity::BOTH.map(|identity| (identity, Operation::GetCallerIdentity)).into(),
        0 => vec![as_admin(Operation::GetCallerIdentity)],
        1 if backend.kind == BackendKind::Sandbox => Vec::new(),
        1 => facts.role_names().into_iter().map(|role| as_admin(Operation::GetRole { role })).collect(),
        2 if backend.simulates() => facts.simulation(names).map(as_admin).into_iter().collect(),
        2 => Vec::new(),
        _ => return Next::End,
    };
    Next::Send(Batch { calls, until: Until::Answered, tolerant: true })
}

/// Sends `operation` as admin.
fn admin(operation: Operation) -> Next {
    Next::Send(batch([(Identity::Admin, operation)]))
}

/// As [`admin`], about something that has just been made.
fn found(sources: Sources<'_>, operation: Operation) -> Next {
    let until = if sources.backend.is_eventually_consistent() { Until::Found } else { Until::Answered };
    Next::Send(Batch { until, ..batch([(Identity::Admin, operation)]) })
}

fn create_key(index: usize, sources: Sources<'_>) -> Next {
    if index == 0 {
        let names = sources.names;
        return admin(Operation::CreateKey { description: names.key_description(), tags: names.tags() });
    }
    let Some(key) = sources.facts.key_id().map(str::to_owned) else {
        return Next::Blocked("CreateKey's answer has no key id".to_owned());
    };
    match index {
        1 => found(sources, Operation::CreateAlias { alias: sources.names.alias.clone(), key }),
        2 => found(sources, Operation::DescribeKey { key }),
        3 => found(sources, Operation::GetKeyPolicy { key }),
        _ => Next::End,
    }
}

fn create_table(index: usize, sources: Sources<'_>) -> Next {
    let table = sources.names.table.clone();
    match index {
        0 => match sources.facts.key_arn() {
            Some(key) => {
                let key = TableKey::Customer(key.to_owned());
                let create =
                    batch([(Identity::Admin, Operation::CreateTable { table, key, tags: sources.names.tags() })]);
                // DynamoDB asks another part of KMS than the one that made the key.
                let is_late = sources.backend.is_eventually_consistent();
                Next::Send(if is_late { Batch { until: Until::KeyKnown, ..create } } else { create })
            }
            None => Next::Blocked("there is no key: create_key did not succeed".to_owned()),
        },
        1 => Next::Send(Batch {
            until: Until::TableActive,
            ..batch([(Identity::Admin, Operation::DescribeTable { table })])
        }),
        _ => match items().into_iter().nth(index - 2) {
            Some(item) => admin(Operation::PutItem { table, item }),
            None => Next::End,
        },
    }
}

fn create_user(index: usize, sources: Sources<'_>) -> Next {
    let check = batch([(Identity::TestUser, Operation::GetCallerIdentity)]);
    let user = sources.names.user.clone();
    match index {
        0 if sources.backend.given_user => Next::Send(check),
        _ if sources.backend.given_user => Next::End,
        0 => admin(Operation::CreateUser { user, tags: sources.names.tags() }),
        1 => found(sources, sources.facts.user_policy(sources.names, sources.backend).put(user)),
        _ => access_key(index - ACCESS_KEY, sources),
    }
}

/// The batch of `create_user` from which on it is about the access key.
pub const ACCESS_KEY: usize = 2;

/// A new access key, in place of those whose secret is lost: of an earlier life of this lab, or in an answer that never
/// came.
fn access_key(index: usize, sources: Sources<'_>) -> Next {
    let made = &sources.facts.made;
    let user = || sources.names.user.clone();
    let is_lost = made.access_key.is_some() || made.maybe_access_key;
    let as_admin = |operations: Vec<Operation>, tolerant: bool| {
        let calls = operations.into_iter().map(|operation| (Identity::Admin, operation)).collect();
        Next::Send(Batch { calls, until: Until::Answered, tolerant })
    };
    match index {
        0 => as_admin(is_lost.then(|| Operation::ListAccessKeys { user: user() }).into_iter().collect(), false),
        1 => {
            let keys = made.access_key.iter().chain(&made.stray_access_keys).cloned();
            let delete = |access_key_id| Operation::DeleteAccessKey { user: user(), access_key_id };
            as_admin(keys.map(delete).collect(), true)
        }
        2 => found(sources, Operation::CreateAccessKey { user: user() }),
        3 => {
            let check = batch([(Identity::TestUser, Operation::GetCallerIdentity)]);
            Next::Send(Batch { until: Until::CredentialsKnown, ..check })
        }
        _ => Next::End,
    }
}

/// The batch number `index` of those that show whether a stage, which was met in an earlier life of this lab, still
/// stands. `granted` says that the key policy has been changed since, or may have been.
pub fn verify(stage: Stage, index: usize, sources: Sources<'_>, granted: bool) -> Next {
    let about_key = |operations: fn(String) -> Vec<Operation>| match sources.facts.key_id() {
        Some(key) => operations(key.to_owned()).into_iter().nth(index).map_or(Next::End, admin),
        None => Next::Blocked("the key is not known".to_owned()),
    };
    match stage {
        Stage::CreateKey => {
            about_key(|key| vec![Operation::DescribeKey { key: key.clone() }, Operation::GetKeyPolicy { key }])
        }
        Stage::CreateTable if index == 0 => admin(Operation::DescribeTable { table: sources.names.table.clone() }),
        Stage::CreateUser if !sources.backend.given_user => access_key(index, sources),
        Stage::Grant => about_key(|key| vec![Operation::GetKeyPolicy { key }]),
        // It can't be denied again what has been allowed since.
        Stage::ViewDenied if granted => Next::End,
        Stage::Who | Stage::ViewAdmin | Stage::CreateUser | Stage::ViewDenied | Stage::ViewAgain => {
            next(stage, index, sources)
        }
        Stage::CreateTable | Stage::CleanUp => Next::End,
    }
}

fn grant(index: usize, sources: Sources<'_>) -> Next {
    let Some(key) = sources.facts.key_id().map(str::to_owned) else {
        return Next::Blocked("there is no key: create_key did not succeed".to_owned());
    };
    let Some(user) = sources.facts.principal(Identity::TestUser) else {
        return Next::Blocked("there is no test-user: create_user did not succeed".to_owned());
    };
    match index {
        0 => admin(Operation::GetKeyPolicy { key }),
        1 => match &sources.facts.policy_before {
            Some(before) => match key_policy::with_key_user(before, &user) {
                Ok(policy) => {
                    let put = batch([(Identity::Admin, Operation::PutKeyPolicy { key, policy })]);
                    // A user that was there before is known.
                    let is_new = sources.backend.is_eventually_consistent() && !sources.backend.given_user;
                    Next::Send(if is_new { Batch { until: Until::PrincipalsKnown, ..put } } else { put })
                }
                Err(reason) => Next::Blocked(reason),
            },
            None => Next::Blocked("GetKeyPolicy's answer has no policy".to_owned()),
        },
        2 => {
            let get = batch([(Identity::Admin, Operation::GetKeyPolicy { key })]);
            Next::Send(if sources.backend.is_eventually_consistent() {
                Batch { until: Until::PolicySeen, ..get }
            } else {
                get
            })
        }
        _ => Next::End,
    }
}

/// Removes what was made and nothing else, the table before the key; each step whatever became of the others.
fn clean_up(index: usize, sources: Sources<'_>) -> Next {
    use Operation as O;
    let Sources { names, facts, backend } = sources;
    let made = &facts.made;
    let late = |until| if backend.is_eventually_consistent() { until } else { Until::Answered };
    let (user, table) = (|| names.user.clone(), || names.table.clone());
    let key = facts.key_id().map(str::to_owned);
    let access_keys = made.access_key.iter().chain(&made.stray_access_keys).cloned();
    let described = facts.looked_at.iter().flat_map(|(_, keys)| keys).cloned();
    // By its id, as everywhere: moto does not find a key by its ARN here.
    let keys = made.key.as_ref().and(key.clone()).into_iter().chain(made.stray_keys.iter().cloned());
    // All steps are always there, so that an index means the same before and after a thing is gone; one whose thing was
    // never made is passed over by the caller (an empty batch).
    let steps: [(Vec<Operation>, Until); 12] = [
        (Vec::from_iter(made.table.then(|| O::DeleteTable { table: table() })), Until::TableDeletable),
        // Only a table that is being deleted can be waited for: its description is known until it is gone.
        (
            Vec::from_iter((facts.table_was_made && !made.table).then(|| O::DescribeTable { table: table() })),
            Until::TableGone,
        ),
        (
            Vec::from_iter(
                made.policy_attached.clone().map(|policy_arn| O::DetachUserPolicy { user: user(), policy_arn }),
            ),
            Until::Answered,
        ),
        (
            Vec::from_iter(
                made.inline_policy.then(|| O::DeleteUserPolicy { user: user(), name: test_user::POLICY.to_owned() }),
            ),
            Until::Answered,
        ),
        (Vec::from_iter(made.maybe_access_key.then(|| O::ListAccessKeys { user: user() })), Until::Answered),
        (
            access_keys.map(|access_key_id| O::DeleteAccessKey { user: user(), access_key_id }).collect(),
            Until::Answered,
        ),
        (Vec::from_iter(made.user.then(|| O::DeleteUser { user: user() })), late(Until::UserFree)),
        (Vec::from_iter(made.alias.then(|| O::DeleteAlias { alias: names.alias.clone() })), Until::Answered),
        // A key whose CreateKey got no answer is known by its description alone.
        (Vec::from_iter(made.maybe_key.as_ref().map(|_| O::ListKeys)), Until::Answered),
        (described.map(|key| O::DescribeKey { key }).collect(), Until::Answered),
        // A policy that allows this only for keys with the lab's tag takes effect once KMS sees the tag.
        (
            keys.map(|key| O::ScheduleKeyDeletion { key, days: DELETION_DAYS }).collect(),
            late(Until::TagKnown(facts.key_tagged_at)),
        ),
        (Vec::from_iter(key.map(|key| O::DescribeKey { key })), Until::Answered),
    ];
    steps.into_iter().nth(index).map_or(Next::End, |(operations, until)| {
        let calls = operations.into_iter().map(|operation| (Identity::Admin, operation)).collect();
        Next::Send(Batch { calls, until, tolerant: true })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sample_items_are_three_with_different_keys() {
        let items = items();
        assert_eq!(items.len(), 3);
        let ids: std::collections::BTreeSet<_> = items.iter().map(|item| item["id"]["S"].as_str().unwrap()).collect();
        assert_eq!(ids.len(), 3);
    }
}
