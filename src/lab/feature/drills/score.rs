//! The points of a drill, and what is said about a wrong answer.

use super::Task;
use super::catalog::Def;
use crate::lab::model::drill::{Lock, Rung};

/// The points of a drill.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Score {
    /// The hints that were shown.
    pub hints: u8,
    /// Whether `w` was opened.
    pub saw_why: bool,
    /// Wrong answers for the lock.
    pub wrong_locks: u8,
    /// Wrong answers for the rung.
    pub wrong_rungs: u8,
    /// Fixes that were applied and didn't help.
    pub wrong_fixes: u8,
    /// The points for lock, rung and fix, once it is solved.
    pub gained: Option<[i32; 3]>,
}

impl Score {
    /// Everything together.
    pub fn total(&self) -> i32 {
        let lost = [self.hints, u8::from(self.saw_why), self.wrong_locks, self.wrong_rungs];
        let gained: i32 = self.gained.iter().flatten().sum();
        gained - lost.into_iter().map(i32::from).sum::<i32>()
    }

    /// Whether every answer was right at once.
    pub fn is_without_mistake(&self) -> bool {
        self.wrong_locks == 0 && self.wrong_rungs == 0 && self.wrong_fixes == 0
    }

    /// Whether nothing was looked up that costs a point.
    pub fn is_without_help(&self) -> bool {
        self.hints == 0 && !self.saw_why
    }

    pub(super) fn wrong_lock(&mut self, right: Lock, rung: Rung) -> Remark {
        self.wrong_locks = self.wrong_locks.saturating_add(1);
        match (right, rung) {
            (Lock::Table, _) => Remark::NamesDynamodb,
            (Lock::Key, Rung::KeyState) => Remark::NamesKeyState,
            (Lock::Key, _) => Remark::NamesKms,
        }
    }

    pub(super) fn wrong_rung(&mut self, chosen: Rung, def: &Def) -> Remark {
        self.wrong_rungs = self.wrong_rungs.saturating_add(1);
        match (chosen, def.rung, def.lock) {
            (_, Rung::Deny, _) => Remark::IsDeny,
            (_, Rung::KeyState, _) => Remark::IsKeyState,
            (Rung::Deny, ..) => Remark::NoDeny,
            (Rung::KeyPolicy | Rung::Grant, _, Lock::Table) => Remark::KeyNotAsked,
            (Rung::KeyPolicy, ..) => Remark::KeyPolicyFine,
            (Rung::IamPolicy, Rung::Grant, _) => Remark::GrantMeant,
            (Rung::IamPolicy, ..) => Remark::OnePolicyType,
            (Rung::Grant | Rung::KeyState, ..) => Remark::NoGrant,
        }
    }

    pub(super) fn wrong_fix(&mut self) -> Remark {
        self.wrong_fixes = self.wrong_fixes.saturating_add(1);
        Remark::FixRefused
    }

    /// Takes the points of a drill that is solved: one each for lock, rung and fix that were right at once. What is
    /// solved in a shell or editor before lock and rung are named gets none for them.
    pub(super) fn solved(&mut self, by_list: bool, task: Task) {
        let one = |is_right: bool| i32::from(is_right);
        // Without a list there is no wrong choice.
        let fix = one(!by_list || self.wrong_fixes == 0);
        let lock = one(self.wrong_locks == 0 && task != Task::Lock);
        let rung = one(self.wrong_rungs == 0 && task == Task::Fix);
        self.gained = Some([lock, rung, fix]);
    }
}

/// What is said about an answer. The words are in the lesson, under its id.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Remark {
    /// The error names an action of DynamoDB.
    NamesDynamodb,
    /// The error names an action of KMS.
    NamesKms,
    /// The error names the key's state.
    NamesKeyState,
    /// The error says that it is an explicit deny.
    IsDeny,
    /// The error says that the key can't be used.
    IsKeyState,
    /// The error names no explicit deny.
    NoDeny,
    /// DynamoDB refused: nobody asked for the key.
    KeyNotAsked,
    /// The key policy leaves the decision to IAM.
    KeyPolicyFine,
    /// Nobody meant to allow it in IAM: a grant was meant to.
    GrantMeant,
    /// Nobody meant to allow it in IAM: AWS names one policy type.
    OnePolicyType,
    /// No grant was meant to allow it.
    NoGrant,
    /// The fix was applied, and the Scan is still refused.
    FixRefused,
    /// Both have scanned, and one is still refused.
    StillRefused,
}

impl Remark {
    /// All of them.
    pub const ALL: [Remark; 13] = [
        Remark::NamesDynamodb,
        Remark::NamesKms,
        Remark::NamesKeyState,
        Remark::IsDeny,
        Remark::IsKeyState,
        Remark::NoDeny,
        Remark::KeyNotAsked,
        Remark::KeyPolicyFine,
        Remark::GrantMeant,
        Remark::OnePolicyType,
        Remark::NoGrant,
        Remark::FixRefused,
        Remark::StillRefused,
    ];

    /// Whether the answer has cost a point.
    pub const fn costs(self) -> bool {
        !matches!(self, Remark::FixRefused | Remark::StillRefused)
    }

    /// The id in the lesson files.
    pub const fn id(self) -> &'static str {
        match self {
            Remark::NamesDynamodb => "names_dynamodb",
            Remark::NamesKms => "names_kms",
            Remark::NamesKeyState => "names_key_state",
            Remark::IsDeny => "is_deny",
            Remark::IsKeyState => "is_key_state",
            Remark::NoDeny => "no_deny",
            Remark::KeyNotAsked => "key_not_asked",
            Remark::KeyPolicyFine => "key_policy_fine",
            Remark::GrantMeant => "grant_meant",
            Remark::OnePolicyType => "one_policy_type",
            Remark::NoGrant => "no_grant",
            Remark::FixRefused => "fix_refused",
            Remark::StillRefused => "still_refused",
        }
    }
}
