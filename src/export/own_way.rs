//! What exports say of a way of the learner's own in stage 7. The session's facts have it; this is the one place where
//! exports read it.

use crate::lab::lesson::Text;
use crate::lab::mask::{self, Masker};
use crate::lab::model::mechanism::{ATTEMPT, Mechanism};
use crate::lab::model::mentioned::Mentioned;
use crate::lab::{Lesson, Names, Operation, OwnWay, SavedSession, Stage};

/// The learner's own way in a saved session; `None` where it is the usual one, or stage 7 hasn't been done.
#[derive(Debug, Clone, Copy)]
pub struct Own<'a>(Option<&'a OwnWay>);

impl<'a> Own<'a> {
    /// The way in `saved`.
    pub fn of(saved: &'a SavedSession) -> Own<'a> {
        Own(saved.facts.way.as_ref())
    }

    /// What lets test-user use the key.
    pub fn mechanism(self) -> Option<Mechanism> {
        self.0.map(|way| way.mechanism)
    }

    /// Whether stage 7's question was part of it: it is about PutKeyPolicy.
    pub fn asks_about_key_policy(self) -> bool {
        self.mechanism().is_none_or(|mechanism| mechanism == Mechanism::KeyPolicy)
    }

    /// The texts of a stage.
    pub fn text(self, lesson: &Lesson, stage: Stage, given_user: bool) -> Text<'_> {
        lesson.text_of_way(stage, given_user, self.mechanism())
    }

    /// The call's name, and what was sent.
    pub fn sent(self, masker: &mut Option<Masker>) -> Option<(&'static str, String)> {
        let way = self.0?;
        Some((way.call.as_ref()?.name(), mask::written(masker, &way.document()?)))
    }

    /// The call for a script, with marks in place of what only a run knows.
    pub fn call(self, saved: &SavedSession, masker: &mut Option<Masker>) -> Option<Operation> {
        use Operation as O;
        let names = Names::new("__RUN__");
        let mut text = |text: &str| mask::written(masker, &with_marks(text, saved));
        let user = names.user.clone();
        Some(match self.0?.call.as_ref()? {
            O::PutKeyPolicy { policy, .. } => {
                O::PutKeyPolicy { key: "__KEY__".to_owned(), policy: text(&flat(policy)) }
            }
            O::PutUserPolicy { policy, .. } => {
                O::PutUserPolicy { user, name: ATTEMPT.to_owned(), policy: text(&flat(policy)) }
            }
            O::AttachUserPolicy { policy_arn, .. } => O::AttachUserPolicy { user, policy_arn: text(policy_arn) },
            O::CreateGrant { grantee, operations, constraints, .. } => {
                let mut constraints = constraints.clone();
                let pairs = constraints.iter_mut().flat_map(|constraints| constraints.pairs_mut().values_mut());
                pairs.for_each(|value| *value = text(value));
                O::CreateGrant {
                    key: "__KEY__".to_owned(),
                    grantee: text(grantee),
                    operations: operations.clone(),
                    constraints,
                    name: ATTEMPT.to_owned(),
                }
            }
            _ => return None,
        })
    }
}

/// A document on one line. What is no JSON stays as it is.
fn flat(document: &str) -> String {
    serde_json::from_str(document).map_or_else(|_| document.to_owned(), |json: serde_json::Value| json.to_string())
}

/// `text` with marks in place of the session's ids and names.
fn with_marks(text: &str, saved: &SavedSession) -> String {
    let (names, marked) = (Names::new(&saved.run).adopting(&saved.facts.adopted), Names::new("__RUN__"));
    let marks = Mentioned::new([
        "__USER_ARN__",
        "__ADMIN_ARN__",
        "__KEY_ARN__",
        "__KEY__",
        "__ACCOUNT__",
        "__REGION__",
        &marked.table,
        &marked.user,
        &marked.alias,
    ]);
    Mentioned::of(&saved.facts, &names, &saved.place.region).replaced(text, &marks)
}
