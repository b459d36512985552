//! What each stage sends, in which order, with what is known so far.

use serde_json::{Map, Value};

use super::exchange::{Exchange, Verdict, error_message, is_not_found};
use super::facts::{Facts, Names};
use super::key_policy;
use super::operation::{Identity, Operation, TableKey};
use super::stage::Stage;

/// The items that `create_table` puts: DynamoDB JSON.
const ITEMS: &str = include_str!("../../assets/items.json");

/// The managed policy of test-user: all of DynamoDB and, of KMS, not Decrypt (managed policy reference).
pub const TEST_USER_POLICY: &str = "AmazonDynamoDBFullAccess";

/// Days until a key is deleted: the shortest that KMS takes.
const DELETION_DAYS: u8 = 7;

/// The sample items.
pub fn items() -> Vec<Map<String, Value>> {
    // The asset is part of the program and a test parses it.
    serde_json::from_str(ITEMS).unwrap_or_default()
}

/// Calls that are sent at the same time.
#[derive(Debug, Clone, PartialEq)]
pub struct Batch {
    /// Who calls what.
    pub calls: Vec<(Identity, Operation)>,
    /// When the batch is over.
    pub until: Until,
    /// Whether the stage goes on whatever the answers are; otherwise anything but ALLOWED ends it.
    pub tolerant: bool,
}

/// When a batch is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Until {
    /// As soon as it is answered.
    Answered,
    /// When DescribeTable says ACTIVE.
    TableActive,
    /// When the table is not in the way of its own deletion any more: one that is being created can't be deleted yet.
    TableDeletable,
    /// When DescribeTable does not find the table any more.
    TableGone,
    /// When a new access key is known to the service (IAM is eventually consistent).
    CredentialsKnown,
    /// When what has just been made is found: KMS and IAM are eventually consistent.
    Found,
    /// When a new user's policy and access key are known to DynamoDB: until then it refuses the Scan by itself, and KMS
    /// is not asked.
    UserKnown,
    /// When KMS knows the principals of a new key policy: a new user is not known everywhere at once.
    PrincipalsKnown,
    /// When GetKeyPolicy gives the policy that was put.
    PolicySeen,
    /// When nothing is denied any more (key policies are eventually consistent).
    NothingDenied,
    /// When nothing is allowed any more (IAM is eventually consistent).
    NothingAllowed,
}

impl Until {
    /// Whether `answers`, the batch's newest, fulfil it.
    pub fn is_met(self, answers: &[&Exchange]) -> bool {
        let status = |exchange: &Exchange| {
            exchange.body().and_then(|body| body.pointer("/Table/TableStatus")?.as_str().map(str::to_owned))
        };
        match self {
            Until::Answered => true,
            Until::TableActive => answers.iter().all(|exchange| status(exchange).as_deref() == Some("ACTIVE")),
            Until::TableDeletable => !answers.iter().any(|e| e.error_code() == Some("ResourceInUseException")),
            Until::TableGone => {
                answers.iter().all(|exchange| exchange.error_code() == Some("ResourceNotFoundException"))
            }
            Until::CredentialsKnown => answers.iter().all(|exchange| exchange.is_allowed()),
            Until::Found => !answers.iter().any(|e| is_not_found_yet(e)),
            Until::UserKnown => !answers.iter().any(|e| is_unknown_user(e)),
            Until::PrincipalsKnown => !answers.iter().any(|e| names_unknown_principal(e)),
            Until::PolicySeen => answers.iter().all(|e| key_policy::has_key_user(&policy_of(e))),
            Until::NothingDenied => {
                !answers.iter().any(|e| matches!(e.verdict, Verdict::Denied(_)) || is_unknown_user(e))
            }
            Until::NothingAllowed => !answers.iter().any(|exchange| exchange.is_allowed()),
        }
    }

    /// Whether asking again can change anything after these answers.
    pub fn may_change(self, answers: &[&Exchange]) -> bool {
        match self {
            Until::Answered => false,
            Until::TableActive => {
                answers.iter().all(|exchange| exchange.is_allowed())
                    || answers.iter().any(|e| e.error_code() == Some("ResourceNotFoundException"))
            }
            Until::TableDeletable => true,
            Until::TableGone => answers.iter().all(|exchange| exchange.is_allowed()),
            Until::CredentialsKnown => answers
                .iter()
                .all(|e| e.is_allowed() || e.error_code().is_some_and(super::exchange::is_credential_error)),
            Until::PolicySeen => answers.iter().all(|exchange| exchange.is_allowed()),
            Until::Found | Until::UserKnown | Until::PrincipalsKnown | Until::NothingDenied | Until::NothingAllowed => {
                true
            }
        }
    }

    /// What is being waited for, for the message line.
    pub const fn describe(self) -> &'static str {
        match self {
            Until::Answered => "the answer",
            Until::TableActive => "the table to become ACTIVE",
            Until::TableDeletable => "the table to be free to be deleted",
            Until::TableGone => "the table to be gone",
            Until::CredentialsKnown => "the new access key to be known everywhere",
            Until::Found => "what was just made to be known everywhere",
            Until::UserKnown => "the new user's policy and key to be known to DynamoDB",
            Until::PrincipalsKnown => "the new user to be known to KMS",
            Until::PolicySeen => "the new key policy to be read back",
            Until::NothingDenied => "the new key policy to be seen everywhere",
            Until::NothingAllowed => "the missing policy to be missed everywhere",
        }
    }
}

/// Whether PutKeyPolicy refuses the document for a principal: one that is new may only not be known to KMS yet (KMS's
/// documentation of PutKeyPolicy: "you might need to enforce a delay before including the new principal").
fn names_unknown_principal(exchange: &Exchange) -> bool {
    exchange.error_code() == Some("MalformedPolicyDocumentException")
        && exchange.body().and_then(error_message).is_some_and(|text| text.to_ascii_lowercase().contains("principal"))
}

/// Whether an error says that a thing is not there which the lab has just made. Of what IAM does not find, only the user
/// is new; a managed policy is there or isn't.
fn is_not_found_yet(exchange: &Exchange) -> bool {
    let names_it = || exchange.body().and_then(error_message).is_some_and(|m| m.contains(exchange.operation.subject()));
    match exchange.error_code() {
        Some("NotFoundException") => true,
        Some(code) if is_not_found(code) => names_it(),
        _ => false,
    }
}

/// Whether test-user's call was refused because its access key, or the policy that lets it use DynamoDB, is not known
/// there yet.
fn is_unknown_user(exchange: &Exchange) -> bool {
    let is_denied_table = match &exchange.verdict {
        Verdict::Denied(denied) => denied.action.as_deref().is_some_and(|action| action.starts_with("dynamodb:")),
        _ => false,
    };
    let is_unknown_key = matches!(exchange.error_code(), Some("UnrecognizedClientException" | "InvalidClientTokenId"));
    exchange.identity == Identity::TestUser && (is_denied_table || is_unknown_key)
}

fn policy_of(exchange: &Exchange) -> String {
    exchange.body().and_then(|body| body.get("Policy")?.as_str()).unwrap_or_default().to_owned()
}

/// What comes next in a stage.
#[derive(Debug, Clone, PartialEq)]
pub enum Next {
    /// Send this.
    Send(Batch),
    /// The stage has sent everything.
    End,
    /// It can't go on, since an earlier stage did not give what it needs.
    Blocked(String),
}

/// What a stage's calls are made from.
#[derive(Debug, Clone, Copy)]
pub struct Sources<'a> {
    /// The run's names.
    pub names: &'a Names,
    /// What is known.
    pub facts: &'a Facts,
    /// Whether test-user is a given profile, or to be made.
    pub given_user: bool,
    /// Whether changes may take a while to be seen everywhere: everywhere but on the sandbox.
    pub eventually_consistent: bool,
}

/// The names of the calls of a stage, before anything is known: what the screen shows until Enter is pressed.
pub fn outline(stage: Stage, given_user: bool) -> Vec<(Identity, &'static str)> {
    use Identity::{Admin, TestUser};
    match stage {
        Stage::Who if given_user => vec![(Admin, "sts:GetCallerIdentity"), (TestUser, "sts:GetCallerIdentity")],
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
            (Admin, "iam:AttachUserPolicy"),
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
            (Admin, "iam:DetachUserPolicy"),
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
pub fn highlight(stage: Stage, identity: Identity) -> &'static str {
    match stage {
        Stage::CreateUser if identity == Identity::Admin => "AttachUserPolicy",
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
        Stage::Who => who(sources),
        Stage::CreateKey => return create_key(index, sources),
        Stage::CreateTable => return create_table(index, sources),
        Stage::ViewAdmin => vec![batch([(Identity::Admin, scan(sources))])],
        Stage::CreateUser => return create_user(index, sources),
        Stage::ViewDenied => {
            let mut both = tolerant(Identity::BOTH.map(|identity| (identity, scan(sources))));
            // A user that was there before is known.
            if sources.eventually_consistent && !sources.given_user {
                both.until = Until::UserKnown;
            }
            vec![both]
        }
        Stage::Grant => return grant(index, sources),
        Stage::ViewAgain => {
            let mut both = tolerant(Identity::BOTH.map(|identity| (identity, scan(sources))));
            if sources.eventually_consistent {
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

fn who(sources: Sources<'_>) -> Vec<Batch> {
    let mut calls = vec![(Identity::Admin, Operation::GetCallerIdentity)];
    if sources.given_user {
        calls.push((Identity::TestUser, Operation::GetCallerIdentity));
    }
    vec![Batch { calls, until: Until::Answered, tolerant: true }]
}

/// Sends `operation` as admin.
fn admin(operation: Operation) -> Next {
    Next::Send(batch([(Identity::Admin, operation)]))
}

/// As [`admin`], about something that has just been made.
fn found(sources: Sources<'_>, operation: Operation) -> Next {
    let until = if sources.eventually_consistent { Until::Found } else { Until::Answered };
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
                admin(Operation::CreateTable { table, key, tags: sources.names.tags() })
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
        0 if sources.given_user => Next::Send(check),
        _ if sources.given_user => Next::End,
        0 => admin(Operation::CreateUser { user, tags: sources.names.tags() }),
        1 => found(sources, Operation::AttachUserPolicy { user, policy_arn: sources.facts.test_user_policy() }),
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
        Stage::CreateUser if !sources.given_user => access_key(index, sources),
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
    let Some(user) = &sources.facts.test_user else {
        return Next::Blocked("there is no test-user: create_user did not succeed".to_owned());
    };
    match index {
        0 => admin(Operation::GetKeyPolicy { key }),
        1 => match &sources.facts.policy_before {
            Some(before) => match key_policy::with_key_user(before, &user.arn) {
                Ok(policy) => {
                    let put = batch([(Identity::Admin, Operation::PutKeyPolicy { key, policy })]);
                    // A user that was there before is known.
                    let is_new = sources.eventually_consistent && !sources.given_user;
                    Next::Send(if is_new { Batch { until: Until::PrincipalsKnown, ..put } } else { put })
                }
                Err(reason) => Next::Blocked(reason),
            },
            None => Next::Blocked("GetKeyPolicy's answer has no policy".to_owned()),
        },
        2 => {
            let get = batch([(Identity::Admin, Operation::GetKeyPolicy { key })]);
            Next::Send(if sources.eventually_consistent { Batch { until: Until::PolicySeen, ..get } } else { get })
        }
        _ => Next::End,
    }
}

/// Removes what was made and nothing else, the table before the key; each step whatever became of the others.
fn clean_up(index: usize, sources: Sources<'_>) -> Next {
    use Operation as O;
    let Sources { names, facts, .. } = sources;
    let made = &facts.made;
    let (user, table) = (|| names.user.clone(), || names.table.clone());
    let key = facts.key_id().map(str::to_owned);
    let access_keys = made.access_key.iter().chain(&made.stray_access_keys).cloned();
    let described = facts.looked_at.iter().flat_map(|(_, keys)| keys).cloned();
    // By its id, as everywhere: moto does not find a key by its ARN here.
    let keys = made.key.as_ref().and(key.clone()).into_iter().chain(made.stray_keys.iter().cloned());
    // All steps are always there, so that an index means the same before and after a thing is gone; one whose thing was
    // never made is passed over by the caller (an empty batch).
    let steps: [(Vec<Operation>, Until); 11] = [
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
        (Vec::from_iter(made.maybe_access_key.then(|| O::ListAccessKeys { user: user() })), Until::Answered),
        (
            access_keys.map(|access_key_id| O::DeleteAccessKey { user: user(), access_key_id }).collect(),
            Until::Answered,
        ),
        (Vec::from_iter(made.user.then(|| O::DeleteUser { user: user() })), Until::Answered),
        (Vec::from_iter(made.alias.then(|| O::DeleteAlias { alias: names.alias.clone() })), Until::Answered),
        // A key whose CreateKey got no answer is known by its description alone.
        (Vec::from_iter(made.maybe_key.as_ref().map(|_| O::ListKeys)), Until::Answered),
        (described.map(|key| O::DescribeKey { key }).collect(), Until::Answered),
        (keys.map(|key| O::ScheduleKeyDeletion { key, days: DELETION_DAYS }).collect(), Until::Answered),
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
