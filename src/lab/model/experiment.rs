//! The experiments: their order and names, and the tables that they make.

use serde::{Deserialize, Serialize};

use super::facts::Names;
use super::operation::TableKey;

/// The questions of experiments have numbers after those of the stages.
const FIRST_QUESTION: u64 = 100;

/// The experiments, in the order of the list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[expect(missing_docs, reason = "the lesson describes each under its id")]
pub enum Experiment {
    DisableKey,
    ExplicitDeny,
    IamAllow,
    NoRootStatement,
    KeyWithoutDynamodb,
    AwsOwnedKey,
    AwsManagedKey,
    RevokeCache,
    KeyAdmin,
    ViaServiceOnly,
    KmsGrant,
    WrongContext,
    Rotate,
    ScheduleDeletion,
}

impl Experiment {
    /// All of them, in the order of the list.
    pub const ALL: [Experiment; 14] = [
        Experiment::DisableKey,
        Experiment::ExplicitDeny,
        Experiment::IamAllow,
        Experiment::NoRootStatement,
        Experiment::KeyWithoutDynamodb,
        Experiment::AwsOwnedKey,
        Experiment::AwsManagedKey,
        Experiment::RevokeCache,
        Experiment::KeyAdmin,
        Experiment::ViaServiceOnly,
        Experiment::KmsGrant,
        Experiment::WrongContext,
        Experiment::Rotate,
        Experiment::ScheduleDeletion,
    ];

    /// The id in the lesson files.
    pub const fn id(self) -> &'static str {
        match self {
            Experiment::DisableKey => "disable_key",
            Experiment::ExplicitDeny => "explicit_deny",
            Experiment::IamAllow => "iam_allow",
            Experiment::NoRootStatement => "no_root_statement",
            Experiment::KeyWithoutDynamodb => "key_without_dynamodb",
            Experiment::AwsOwnedKey => "aws_owned_key",
            Experiment::AwsManagedKey => "aws_managed_key",
            Experiment::RevokeCache => "revoke_cache",
            Experiment::KeyAdmin => "key_admin",
            Experiment::ViaServiceOnly => "via_service_only",
            Experiment::KmsGrant => "kms_grant",
            Experiment::WrongContext => "wrong_context",
            Experiment::Rotate => "rotate",
            Experiment::ScheduleDeletion => "schedule_deletion",
        }
    }

    /// Its place in the list, counted from 0.
    pub const fn index(self) -> usize {
        self as usize
    }

    /// The number of its question for [`Quiz::shuffled`](crate::lab::Quiz::shuffled): no stage's.
    pub const fn question_number(self) -> u64 {
        FIRST_QUESTION + self as u64
    }

    /// The next one.
    pub fn next(self) -> Option<Experiment> {
        Experiment::ALL.get(self.index() + 1).copied()
    }

    /// The one before.
    pub fn previous(self) -> Option<Experiment> {
        Experiment::ALL.get(self.index().checked_sub(1)?).copied()
    }

    /// Whether it changes test-user's own policies, which the lab does to none but a user of its own making.
    pub const fn needs_own_user(self) -> bool {
        matches!(self, Experiment::IamAllow | Experiment::NoRootStatement | Experiment::KeyWithoutDynamodb)
    }
}

/// A table that only an experiment makes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum ExtraTable {
    /// On an AWS owned key.
    AwsOwned,
    /// On the AWS managed key.
    AwsManaged,
}

impl ExtraTable {
    /// Both.
    pub const ALL: [ExtraTable; 2] = [ExtraTable::AwsOwned, ExtraTable::AwsManaged];

    /// What it is created with.
    pub const fn key(self) -> TableKey {
        match self {
            ExtraTable::AwsOwned => TableKey::AwsOwned,
            ExtraTable::AwsManaged => TableKey::AwsManaged,
        }
    }

    /// The name that it has in the run of `names`.
    pub fn name(self, names: &Names) -> String {
        match self {
            ExtraTable::AwsOwned => format!("kmslab-table-aws-owned-{}", names.run),
            ExtraTable::AwsManaged => format!("kmslab-table-aws-managed-{}", names.run),
        }
    }
}
