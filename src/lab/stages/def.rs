//! The parts of a stage's definition.

use crate::lab::model::backend::Backend;
use crate::lab::model::batch::Batch;
use crate::lab::model::facts::{Facts, Names};
use crate::lab::model::key_policy::KeyPolicyError;
use crate::lab::model::operation::{Identity, Operation};
use crate::lab::model::until::Until;

use super::evidence::{Evidence, Observed};

/// Everything about a stage but its place in the lesson and its texts.
pub struct StageDef {
    /// The name in JSONL and on the command line.
    pub key: &'static str,
    /// What the stage does to the account.
    pub kind: Kind,
    /// Whether all calls may be sent again after the stage failed. Otherwise it continues with the batch that failed.
    pub starts_over: bool,
    /// Who scans the table, and with which expected result.
    pub scans: Scans,
    /// The batches, in order. An index into them is saved in session files.
    pub steps: &'static [Step],
    /// The batches that show whether the stage, once met, still stands.
    pub verify: &'static [Step],
    /// The batches that show whether another client has reached the stage's goal.
    pub notice: &'static [Step],
    /// By identity: the call that its pane shows when the stage has ended.
    pub highlight: [&'static [&'static str]; 2],
    /// Judges the responses.
    pub expect: fn(&Evidence<'_>) -> Observed,
    /// Drops the facts that the stage established on this backend.
    pub forget: fn(&mut Facts, &Backend),
}

/// What a stage does to the account.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Nothing: a finished stage may run again at any time.
    Reads,
    /// Creates or changes resources, so AWS itself needs the person's consent first.
    Creates,
    /// Removes what the lab made.
    Removes,
}

/// Who scans the table in a stage, and with which expected result.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scans {
    /// Nobody.
    Nobody,
    /// Admin alone.
    Admin,
    /// Both; test-user is denied.
    TestUserDenied,
    /// Both; both are allowed.
    BothAllowed,
}

impl Scans {
    /// Whether the stage compares both identities.
    pub const fn compares(self) -> bool {
        matches!(self, Scans::TestUserDenied | Scans::BothAllowed)
    }
}

/// Runs for which a step or a line of the outline exists. Constant during a run, so that a step's index is, too.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Runs {
    /// Every run.
    All,
    /// Runs that create test-user.
    OwnUser,
    /// Runs with a profile for test-user.
    GivenUser,
    /// Runs that ask IAM first whether admin can create test-user.
    Simulating,
    /// Runs that create test-user with the managed policy for DynamoDB.
    ManagedPolicy,
    /// Runs that create test-user with an inline policy.
    InlinePolicy,
}

impl Runs {
    /// Whether a run on `backend` is one of these.
    pub fn include(self, backend: &Backend) -> bool {
        match self {
            Runs::All => true,
            Runs::OwnUser => !backend.given_user,
            Runs::GivenUser => backend.given_user,
            Runs::Simulating => backend.simulates(),
            Runs::ManagedPolicy => !backend.given_user && backend.has_managed_policy(),
            Runs::InlinePolicy => !backend.given_user && !backend.has_managed_policy(),
        }
    }
}

/// A line of the outline: who calls what.
pub struct Planned {
    /// Who signs the call.
    pub identity: Identity,
    /// `kms:CreateKey`
    pub action: &'static str,
    /// The runs that have the line.
    pub runs: Runs,
}

impl Planned {
    pub(super) const fn admin(action: &'static str) -> Planned {
        Planned { identity: Identity::Admin, action, runs: Runs::All }
    }

    pub(super) const fn test_user(action: &'static str) -> Planned {
        Planned { identity: Identity::TestUser, action, runs: Runs::All }
    }

    pub(super) const fn only(self, runs: Runs) -> Planned {
        Planned { runs, ..self }
    }
}

/// One batch of a stage.
pub struct Step {
    /// What the screen shows before the facts are known.
    pub outline: &'static [Planned],
    /// Builds the calls. A batch without calls is skipped.
    pub calls: fn(&Sources<'_>) -> Calls,
    /// When the batch is over, where changes take a while.
    pub until: Until,
    /// Whether the stage continues whatever the responses are.
    pub is_tolerant: bool,
    /// The runs that have the step.
    pub runs: Runs,
}

impl Step {
    pub(super) const fn new(outline: &'static [Planned], calls: fn(&Sources<'_>) -> Calls) -> Step {
        Step { outline, calls, until: Until::Answered, is_tolerant: false, runs: Runs::All }
    }

    pub(super) const fn until(self, until: Until) -> Step {
        Step { until, ..self }
    }

    pub(super) const fn only(self, runs: Runs) -> Step {
        Step { runs, ..self }
    }

    pub(super) const fn tolerant(self) -> Step {
        Step { is_tolerant: true, ..self }
    }

    /// The batch that the step sends now.
    ///
    /// # Errors
    /// What an earlier stage did not provide.
    pub fn batch(&self, sources: &Sources<'_>) -> Result<Batch, Missing> {
        let calls = (self.calls)(sources)?;
        Ok(Batch { calls, until: sources.wait(self.until), tolerant: self.is_tolerant })
    }
}

/// What a step builds its calls from.
#[derive(Debug, Clone, Copy)]
pub struct Sources<'a> {
    /// The run's names.
    pub names: &'a Names,
    /// What is known.
    pub facts: &'a Facts,
    /// Where the calls go, and whether test-user is a given profile.
    pub backend: &'a Backend,
}

impl Sources<'_> {
    /// What a step that declares `until` waits for in this run.
    fn wait(&self, until: Until) -> Until {
        match until {
            Until::TableActive | Until::TableDeletable | Until::TableGone => until,
            // A user that was there before is known.
            Until::CredentialsKnown | Until::UserKnown | Until::PrincipalsKnown if self.backend.given_user => {
                Until::Answered
            }
            Until::CredentialsKnown => until,
            _ if !self.backend.is_eventually_consistent() => Until::Answered,
            Until::TagKnown(_) => Until::TagKnown(self.facts.key_tagged_at),
            until => until,
        }
    }

    /// The key's id.
    pub(super) fn key(&self, missing: Missing) -> Result<String, Missing> {
        self.facts.key_id().map(str::to_owned).ok_or(missing)
    }
}

/// A step's calls, or what an earlier stage did not provide.
pub type Calls = Result<Vec<(Identity, Operation)>, Missing>;

/// Calls that admin sends together.
pub(super) fn as_admin(operations: impl IntoIterator<Item = Operation>) -> Calls {
    Ok(operations.into_iter().map(|operation| (Identity::Admin, operation)).collect())
}

/// Why a stage can't build its calls.
#[derive(Debug, thiserror::Error)]
pub enum Missing {
    /// CreateKey's response is odd.
    #[error("CreateKey's answer has no key id")]
    KeyId,
    /// There is no key.
    #[error("there is no key: create_key did not succeed")]
    Key,
    /// A resumed session has no key.
    #[error("the key is not known")]
    KnownKey,
    /// There is no table.
    #[error("there is no table: create_table did not succeed")]
    Table,
    /// There is no test-user.
    #[error("there is no test-user: create_user did not succeed")]
    TestUser,
    /// GetKeyPolicy's response is odd.
    #[error("GetKeyPolicy's answer has no policy")]
    Policy,
    /// The key policy can't be extended.
    #[error(transparent)]
    KeyPolicy(#[from] KeyPolicyError),
}
