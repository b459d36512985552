//! What experiments and drills build their calls from, and the calls that undo a change.

use super::change::{Change, GRANT_NAME, POLICY_NAME};
use super::policies;
use crate::lab::model::batch::Batch;
use crate::lab::model::facts::Names;
use crate::lab::model::key_policy::KeyPolicyError;
use crate::lab::model::operation::{Identity, Operation};
use crate::lab::model::test_user::UserPolicy;
use crate::lab::model::until::Until;
use crate::lab::stages::Sources;

/// What a grant lets test-user do: what a key user may do with the key itself.
const GRANTED: [&str; 6] = ["Decrypt", "DescribeKey", "Encrypt", "GenerateDataKey", "ReEncryptFrom", "ReEncryptTo"];

/// The days until a key is deleted: the fewest that KMS takes.
pub(in crate::lab) const DELETION_DAYS: u8 = 7;

/// What the calls are made from.
#[derive(Debug, Clone)]
pub struct Setup<'a> {
    /// The run's names.
    pub names: &'a Names,
    /// The region.
    pub region: &'a str,
    /// The key's id.
    pub key: &'a str,
    /// The key's ARN.
    pub key_arn: &'a str,
    /// The key policy as the lab left it.
    pub policy: &'a str,
    /// The admin's principal, by ARN.
    pub admin: String,
    /// test-user's principal, by ARN.
    pub user: String,
    /// The policy that the lab has given test-user.
    pub user_policy: UserPolicy,
    /// The ARN of a table of the lab's account, but for its name.
    pub tables: String,
    /// What Encrypt gave.
    pub ciphertext: &'a str,
    /// Whether changes may take a while to be seen everywhere: everywhere but on the sandbox.
    pub eventually_consistent: bool,
}

/// A part of an experiment.
#[derive(Debug, Clone, PartialEq)]
pub enum Step {
    /// These calls.
    Send(Batch),
    /// Nothing, until DynamoDB has no table key in memory any more.
    Idle,
}

pub(in crate::lab) fn send<const N: usize>(calls: [(Identity, Operation); N]) -> Step {
    Step::Send(Batch { calls: calls.into(), until: Until::Answered, tolerant: false })
}

/// A call that may be refused: that is what the experiment is about.
pub(in crate::lab) fn try_out<const N: usize>(calls: [(Identity, Operation); N]) -> Step {
    Step::Send(Batch { calls: calls.into(), until: Until::Answered, tolerant: true })
}

pub(in crate::lab) fn admin(operation: Operation) -> Step {
    send([(Identity::Admin, operation)])
}

pub(in crate::lab) fn waiting(operation: Operation, until: Until) -> Batch {
    Batch { calls: vec![(Identity::Admin, operation)], until, tolerant: true }
}

impl<'a> Setup<'a> {
    /// What is known by now. To undo, not all of it need be there any more.
    pub fn new(sources: &Sources<'a>, policy: Option<&'a str>, ciphertext: Option<&'a str>) -> Setup<'a> {
        let Sources { names, facts, backend } = *sources;
        Setup {
            names,
            region: &backend.region,
            key: facts.key_id().unwrap_or_default(),
            key_arn: facts.key_arn().unwrap_or_default(),
            policy: policy.unwrap_or_default(),
            admin: facts.principal(Identity::Admin).unwrap_or_default(),
            user: facts.principal(Identity::TestUser).unwrap_or_default(),
            user_policy: user_policy(sources),
            tables: facts.table_arn("", &backend.region),
            ciphertext: ciphertext.unwrap_or_default(),
            eventually_consistent: backend.is_eventually_consistent(),
        }
    }
}

/// The policy that the lab has given test-user. A given user's own is not for the lab to change: it counts as AWS's.
pub fn user_policy(sources: &Sources<'_>) -> UserPolicy {
    match sources.backend.given_user {
        true => UserPolicy::Managed(String::new()),
        false => sources.facts.user_policy(sources.names, sources.backend),
    }
}

impl Setup<'_> {
    pub(in crate::lab) fn key(&self) -> String {
        self.key.to_owned()
    }

    pub(in crate::lab) fn put_policy(&self, policy: Result<String, KeyPolicyError>) -> Result<Step, KeyPolicyError> {
        Ok(admin(Operation::PutKeyPolicy { key: self.key(), policy: policy? }))
    }

    /// test-user's statements leave the key policy.
    pub(in crate::lab) fn without_user(&self) -> Result<Step, KeyPolicyError> {
        self.put_policy(policies::without(self.policy, &self.user))
    }

    pub(in crate::lab) fn put_user_policy(&self, policy: String) -> Step {
        let (user, name) = (self.names.user.clone(), POLICY_NAME.to_owned());
        admin(Operation::PutUserPolicy { user, name, policy })
    }

    pub(in crate::lab) fn allow_in_iam(&self) -> Step {
        self.put_user_policy(policies::of_user(self.key_arn))
    }

    /// Everybody whom a Deny must spare so that the key stays manageable: admin and the account.
    pub(in crate::lab) fn others(&self) -> Vec<String> {
        vec![self.admin.clone(), policies::root_of(&self.admin)]
    }

    pub(in crate::lab) fn scan(&self) -> Operation {
        Operation::Scan { table: self.names.table.clone() }
    }

    pub(in crate::lab) fn both_scan(&self) -> Step {
        try_out(Identity::BOTH.map(|identity| (identity, self.scan())))
    }

    pub(in crate::lab) fn user_scans(&self) -> Step {
        try_out([(Identity::TestUser, self.scan())])
    }

    /// A grant for test-user with everything that a key user may do.
    pub(in crate::lab) fn grant(&self) -> Step {
        self.grant_to(&self.user, &GRANTED)
    }

    pub(in crate::lab) fn grant_to(&self, grantee: &str, operations: &[&str]) -> Step {
        admin(Operation::CreateGrant {
            key: self.key(),
            grantee: grantee.to_owned(),
            operations: operations.iter().map(|operation| (*operation).to_owned()).collect(),
            constraints: None,
            name: GRANT_NAME.to_owned(),
        })
    }
}

/// What takes `change` back.
pub fn undo(change: &Change, setup: &Setup<'_>) -> Batch {
    use Operation as O;
    let key = || setup.key();
    let user = || setup.names.user.clone();
    let once = |operation| waiting(operation, Until::Answered);
    match change {
        Change::KeyPolicy => once(O::PutKeyPolicy { key: key(), policy: setup.policy.to_owned() }),
        Change::Disabled => once(O::EnableKey { key: key() }),
        Change::Deletion => once(O::CancelKeyDeletion { key: key() }),
        Change::Detached => once(setup.user_policy.clone().put(user())),
        Change::Inline => once(O::DeleteUserPolicy { user: user(), name: POLICY_NAME.to_owned() }),
        Change::Policy(name) => once(O::DeleteUserPolicy { user: user(), name: name.clone() }),
        Change::User(name) => once(O::DeleteUser { user: name.clone() }),
        Change::Grant(Some(id)) => once(O::RevokeGrant { key: key(), grant_id: id.clone() }),
        Change::Grant(None) => once(O::ListGrants { key: key() }),
        Change::Table(table) => waiting(O::DeleteTable { table: table.name(setup.names) }, Until::TableDeletable),
        Change::Going(table) => waiting(O::DescribeTable { table: table.name(setup.names) }, Until::TableGone),
    }
}
