//! The drills: their order and names, the parts of an answer, and how a drill came out.

use serde::{Deserialize, Serialize};

/// The faults that a learner diagnoses. The first fourteen are those behind the experiments.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "the lesson describes each under its id")]
pub enum Drill {
    DisabledKey,
    ExplicitDeny,
    TableArn,
    NoRootStatement,
    NoDynamodb,
    NothingAllows,
    AwsManagedKey,
    RevokedCache,
    KeyAdmin,
    ViaOtherService,
    GrantOperations,
    WrongContextKey,
    EncryptOnly,
    PendingDeletion,
    WrongAccount,
    ViaOtherRegion,
    NotPrincipal,
    AliasArn,
    OldUserId,
    OtherTable,
    TableDeny,
    GrantOther,
}

impl Drill {
    /// All of them.
    pub const ALL: [Drill; 22] = [
        Drill::DisabledKey,
        Drill::ExplicitDeny,
        Drill::TableArn,
        Drill::NoRootStatement,
        Drill::NoDynamodb,
        Drill::NothingAllows,
        Drill::AwsManagedKey,
        Drill::RevokedCache,
        Drill::KeyAdmin,
        Drill::ViaOtherService,
        Drill::GrantOperations,
        Drill::WrongContextKey,
        Drill::EncryptOnly,
        Drill::PendingDeletion,
        Drill::WrongAccount,
        Drill::ViaOtherRegion,
        Drill::NotPrincipal,
        Drill::AliasArn,
        Drill::OldUserId,
        Drill::OtherTable,
        Drill::TableDeny,
        Drill::GrantOther,
    ];

    /// The id in the lesson files, in results and on the command line.
    pub const fn id(self) -> &'static str {
        match self {
            Drill::DisabledKey => "disabled_key",
            Drill::ExplicitDeny => "explicit_deny",
            Drill::TableArn => "table_arn",
            Drill::NoRootStatement => "no_root_statement",
            Drill::NoDynamodb => "no_dynamodb",
            Drill::NothingAllows => "nothing_allows",
            Drill::AwsManagedKey => "aws_managed_key",
            Drill::RevokedCache => "revoked_cache",
            Drill::KeyAdmin => "key_admin",
            Drill::ViaOtherService => "via_other_service",
            Drill::GrantOperations => "grant_operations",
            Drill::WrongContextKey => "wrong_context_key",
            Drill::EncryptOnly => "encrypt_only",
            Drill::PendingDeletion => "pending_deletion",
            Drill::WrongAccount => "wrong_account",
            Drill::ViaOtherRegion => "via_other_region",
            Drill::NotPrincipal => "not_principal",
            Drill::AliasArn => "alias_arn",
            Drill::OldUserId => "old_user_id",
            Drill::OtherTable => "other_table",
            Drill::TableDeny => "table_deny",
            Drill::GrantOther => "grant_other",
        }
    }

    /// The drill with this id.
    pub fn of(id: &str) -> Option<Drill> {
        Drill::ALL.into_iter().find(|drill| drill.id() == id)
    }

    /// Its place in [`Drill::ALL`].
    pub const fn index(self) -> usize {
        self as usize
    }
}

/// The two locks of a read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lock {
    /// DynamoDB guards the table.
    Table,
    /// KMS guards the key.
    Key,
}

impl Lock {
    /// Both, in the order of the answers.
    pub const ALL: [Lock; 2] = [Lock::Table, Lock::Key];
}

/// The places where a fault can be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rung {
    /// A statement that denies.
    Deny,
    /// The key policy: it doesn't allow the call.
    KeyPolicy,
    /// The IAM policies: none allows the call.
    IamPolicy,
    /// A grant that doesn't cover the call.
    Grant,
    /// The state of the key.
    KeyState,
}

/// A document to look at. Looking is free.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Look {
    /// The key policy.
    KeyPolicy,
    /// test-user's policies.
    IamPolicies,
    /// The key's grants.
    Grants,
    /// The state of the key.
    KeyState,
}

impl Look {
    /// All of them, in the order of their keys.
    pub const ALL: [Look; 4] = [Look::KeyPolicy, Look::IamPolicies, Look::Grants, Look::KeyState];
}

/// How much help a drill gives.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(into = "u8", try_from = "u8")]
pub enum Level {
    /// Marks two rungs that are fine, and lists the fixes.
    #[default]
    One,
    /// Lists the fixes.
    Two,
    /// Lists nothing: the learner writes the fix.
    Three,
}

impl Level {
    /// 1, 2 or 3.
    pub const fn number(self) -> u8 {
        self as u8 + 1
    }

    /// The next level; after the last, the first.
    #[must_use]
    pub const fn next(self) -> Level {
        match self {
            Level::One => Level::Two,
            Level::Two => Level::Three,
            Level::Three => Level::One,
        }
    }
}

impl From<Level> for u8 {
    fn from(level: Level) -> u8 {
        level.number()
    }
}

/// A number that is no level's.
#[derive(Debug, thiserror::Error)]
#[error("there is no level {0}; it is 1, 2 or 3")]
pub struct UnknownLevel(u8);

impl TryFrom<u8> for Level {
    type Error = UnknownLevel;

    fn try_from(number: u8) -> Result<Level, UnknownLevel> {
        match number {
            1 => Ok(Level::One),
            2 => Ok(Level::Two),
            3 => Ok(Level::Three),
            other => Err(UnknownLevel(other)),
        }
    }
}

/// The drills of a session: which, in which order, and how hard.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Plan {
    /// The seed that shuffles drills and answers.
    pub seed: u64,
    /// How many drills; all of them if there are fewer.
    pub count: usize,
    /// The only drill.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub only: Option<Drill>,
    /// The level to begin with.
    pub level: Level,
}

/// Of `all`, from the oldest to the newest: for each drill the best result, then the latest if that is another one.
pub fn best_and_latest<'a>(all: impl Iterator<Item = &'a DrillResult> + Clone) -> Vec<DrillResult> {
    let of = |drill: Drill| {
        let results = all.clone().copied().filter(move |result| result.drill == drill);
        let best = results.clone().enumerate().max_by_key(|(_, result)| (result.solved, result.points, result.level));
        let latest = results.enumerate().last();
        best.into_iter().chain(latest.filter(|_| best.map(|(at, _)| at) != latest.map(|(at, _)| at)))
    };
    Drill::ALL.into_iter().flat_map(of).map(|(_, result)| result).collect()
}

/// How a drill came out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct DrillResult {
    /// Which.
    pub drill: Drill,
    /// The level.
    pub level: Level,
    /// The points for lock, rung and fix, less what hints and wrong answers cost.
    pub points: i32,
    /// The hints that were shown, and the views of `w`.
    pub hints: u8,
    /// How long it took, in seconds.
    pub seconds: u64,
    /// Whether both callers could read at the end.
    pub solved: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_best_result_of_each_drill_and_the_latest_are_kept() {
        let result =
            |drill, points, solved| DrillResult { drill, level: Level::One, points, hints: 0, seconds: 0, solved };
        let points = |all: &[DrillResult]| -> Vec<i32> { all.iter().map(|result| result.points).collect() };
        let (alias, table) = (Drill::AliasArn, Drill::TableArn);
        let mut all =
            vec![result(alias, 1, true), result(table, 2, true), result(alias, 3, true), result(alias, 0, true)];
        all = best_and_latest(all.iter());
        assert_eq!(points(&all), [2, 3, 0], "by drill");
        all.push(result(alias, 4, false));
        all = best_and_latest(all.iter());
        assert_eq!(points(&all), [2, 3, 4], "a drill that wasn't solved is no better");
        all.push(result(alias, 3, true));
        assert_eq!(points(&best_and_latest(all.iter())), [2, 3], "the latest is as good as the best");
    }
}
