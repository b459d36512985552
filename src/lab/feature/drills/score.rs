//! The points of a drill, and what is said about a wrong answer.

use super::Task;
use super::catalog::Def;
use super::fix::Fix;
use crate::lab::model::drill::{Lock, Rung};

/// The points of a drill.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Score {
    /// The hints that were shown.
    pub hints: u8,
    /// Whether `w` was opened.
    pub saw_why: bool,
    /// Wrong answers for the lock, each once.
    pub wrong_locks: Vec<Lock>,
    /// Wrong answers for the rung, each once.
    pub wrong_rungs: Vec<Rung>,
    /// Fixes that were applied and didn't help.
    pub wrong_fixes: Vec<Fix>,
    /// The points for lock, rung and fix, once it is solved.
    pub gained: Option<[i32; 3]>,
}

impl Score {
    /// Everything together.
    pub fn total(&self) -> i32 {
        let gained: i32 = self.gained.iter().flatten().sum();
        gained - i32::from(self.hints) - i32::from(self.saw_why) - i32::from(self.wrong_answers())
    }

    /// How many wrong answers have cost a point.
    pub fn wrong_answers(&self) -> u8 {
        u8::try_from(self.wrong_locks.len() + self.wrong_rungs.len()).unwrap_or(u8::MAX)
    }

    /// Whether every answer was right at once.
    pub fn is_without_mistake(&self) -> bool {
        self.wrong_answers() == 0 && self.wrong_fixes.is_empty()
    }

    /// Whether nothing was looked up that costs a point.
    pub fn is_without_help(&self) -> bool {
        self.hints == 0 && !self.saw_why
    }

    /// Takes the points for a wrong lock. The same one costs nothing the second time.
    pub(super) fn wrong_lock(&mut self, chosen: Lock, def: &Def) -> Remark {
        if !self.wrong_locks.contains(&chosen) {
            self.wrong_locks.push(chosen);
        }
        match (def.lock, def.rung) {
            (Lock::Table, _) => Remark::NamesDynamodb,
            (Lock::Key, Rung::KeyState) => Remark::NamesKeyState,
            (Lock::Key, _) => Remark::NamesKms,
        }
    }

    /// The same for a wrong rung.
    pub(super) fn wrong_rung(&mut self, chosen: Rung, def: &Def) -> Remark {
        if !self.wrong_rungs.contains(&chosen) {
            self.wrong_rungs.push(chosen);
        }
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

    pub(super) fn wrong_fix(&mut self, fix: Fix) -> Remark {
        self.wrong_fixes.push(fix);
        Remark::FixRefused
    }

    /// Takes the points of a drill that is solved: one each for lock, rung and fix that were right at once. What is
    /// solved in a shell or editor before lock and rung are named gets none for them.
    pub(super) fn solved(&mut self, by_list: bool, task: Task) {
        let one = |is_right: bool| i32::from(is_right);
        // Without a list there is no wrong choice.
        let fix = one(!by_list || self.wrong_fixes.is_empty());
        let lock = one(self.wrong_locks.is_empty() && task != Task::Lock);
        let rung = one(self.wrong_rungs.is_empty() && task == Task::Fix);
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
    /// Nothing allows it, so each way would do: AWS names one policy type.
    AnyWouldDo,
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
    pub const ALL: [Remark; 14] = [
        Remark::NamesDynamodb,
        Remark::NamesKms,
        Remark::NamesKeyState,
        Remark::IsDeny,
        Remark::IsKeyState,
        Remark::NoDeny,
        Remark::KeyNotAsked,
        Remark::KeyPolicyFine,
        Remark::AnyWouldDo,
        Remark::GrantMeant,
        Remark::OnePolicyType,
        Remark::NoGrant,
        Remark::FixRefused,
        Remark::StillRefused,
    ];

    /// Whether the answer has cost a point.
    pub const fn costs(self) -> bool {
        !matches!(self, Remark::AnyWouldDo | Remark::FixRefused | Remark::StillRefused)
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
            Remark::AnyWouldDo => "any_would_do",
            Remark::GrantMeant => "grant_meant",
            Remark::OnePolicyType => "one_policy_type",
            Remark::NoGrant => "no_grant",
            Remark::FixRefused => "fix_refused",
            Remark::StillRefused => "still_refused",
        }
    }
}
