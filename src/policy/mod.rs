//! Policy evaluation: who may do what, **and why**.
//!
//! Pure: documents and a call in, a [`Decision`] with its trace out. The sandbox enforces with it; the lab explains
//! with it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// The kinds of principal the lab meets.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Principal {
    /// `arn:aws:iam::111122223333:user/alice`
    pub arn: String,
    /// The twelve digits.
    pub account: String,
    /// `AIDA…` for a user.
    pub unique_id: String,
    /// `aws:username`, for a user.
    pub user_name: Option<String>,
}

/// Condition keys and their values, keys in lower case (condition keys are case-insensitive).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ConditionContext(BTreeMap<String, Vec<String>>);

impl ConditionContext {
    /// Sets a key to one value.
    pub fn set(&mut self, key: &str, value: impl Into<String>) -> &mut Self {
        self.0.insert(key.to_ascii_lowercase(), vec![value.into()]);
        self
    }
}

/// A verdict. (The policy helper's branch replaces this file.)
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Decision {}

/// A policy and where it came from. (The policy helper's branch replaces this file.)
#[derive(Debug, Clone)]
pub struct NamedPolicy {}
