//! The texts of the opening card, and of stages that differ by where test-user comes from.

use serde::Deserialize;

use super::Lesson;
use crate::lab::model::backend::Backend;

/// The texts of a stage that are others where test-user is a given profile.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GivenUser {
    /// See [`StageText::title`](super::StageText::title).
    pub title: String,
    /// See [`StageText::objective`](super::StageText::objective).
    pub objective: String,
    /// See [`StageText::intro`](super::StageText::intro); without it the stage's own.
    pub intro: Option<String>,
    /// See [`StageText::look`](super::StageText::look).
    pub look: String,
    /// See [`StageText::expected`](super::StageText::expected).
    pub expected: String,
    /// See [`StageText::action`](super::StageText::action).
    pub action: String,
}

/// The texts of a stage that differ if test-user gets an inline policy.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct InlinePolicy {
    /// See [`StageText::objective`](super::StageText::objective).
    pub objective: String,
    /// See [`StageText::intro`](super::StageText::intro).
    pub intro: String,
}

/// The texts of a stage that differ if the learner lets test-user use the key in a way of her own.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WayTexts {
    /// See [`StageText::intro`](super::StageText::intro); without it the stage's own. Likewise the others.
    pub intro: Option<String>,
    /// See [`StageText::look`](super::StageText::look).
    pub look: Option<String>,
    /// See [`StageText::expected`](super::StageText::expected).
    pub expected: Option<String>,
}

/// Where test-user comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UserKind {
    /// The lab creates it, with a policy that AWS maintains.
    Managed,
    /// The lab creates it, with a policy for the lab's table.
    Inline,
    /// It is a profile that the person gave.
    Given,
}

/// Whether it is a given profile; what a sandbox creates is the other kind.
impl From<bool> for UserKind {
    fn from(is_given: bool) -> UserKind {
        if is_given { UserKind::Given } else { UserKind::Managed }
    }
}

impl From<&Backend> for UserKind {
    fn from(backend: &Backend) -> UserKind {
        match (backend.given_user, backend.has_managed_policy()) {
            (true, _) => UserKind::Given,
            (false, true) => UserKind::Managed,
            (false, false) => UserKind::Inline,
        }
    }
}

/// The texts of the opening card.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "each is its English text in assets/lesson/en/lesson.toml")]
pub struct Opening {
    pub title: String,
    pub start: String,
    pub story: String,
    pub lock_1: String,
    pub table: String,
    pub table_asks: String,
    pub lock_2: String,
    pub key: String,
    pub key_asks: String,
    pub goal: String,
    pub panes: String,
    pub panes_spoken: String,
    pub time: String,
    pub time_aws: String,
    pub time_elsewhere: String,
    /// Each term and what it means.
    pub terms: Vec<(String, String)>,
}

/// The English card, for lesson files that have none.
pub(super) fn english_opening() -> Opening {
    Lesson::english().frame.opening.clone()
}
