//! The three ways to allow a principal to use a KMS key.

use serde::{Deserialize, Serialize};

/// What allows a principal to use a key. Any one is enough, as long as nothing denies it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mechanism {
    /// A statement in the key's own policy.
    KeyPolicy,
    /// An inline policy of the user.
    IamPolicy,
    /// A grant on the key.
    Grant,
}

/// The name of the inline policy that an attempt gives test-user, and of the grant.
pub const ATTEMPT: &str = "kmslab-attempt";

impl Mechanism {
    /// All of them, in the order of the choice.
    pub const ALL: [Mechanism; 3] = [Mechanism::KeyPolicy, Mechanism::IamPolicy, Mechanism::Grant];

    /// Its place in the choice, counted from 0.
    pub const fn index(self) -> usize {
        self as usize
    }

    /// Its name, in the interface's English words.
    pub const fn name(self) -> &'static str {
        match self {
            Mechanism::KeyPolicy => "key policy",
            Mechanism::IamPolicy => "IAM policy",
            Mechanism::Grant => "grant",
        }
    }

    /// The call that puts it in place.
    pub const fn call(self) -> &'static str {
        match self {
            Mechanism::KeyPolicy => "PutKeyPolicy",
            Mechanism::IamPolicy => "PutUserPolicy",
            Mechanism::Grant => "CreateGrant",
        }
    }
}
