//! The calls of an attempt, and those that undo one.

use crate::lab::model::adoption::Opening;
use crate::lab::model::attempt::{self, Target, Unsendable};
use crate::lab::model::batch::Batch;
use crate::lab::model::facts::Facts;
use crate::lab::model::key_policy::{KeyPolicyError, with_key_user};
use crate::lab::model::mechanism::{ATTEMPT, Mechanism};
use crate::lab::model::operation::{Identity, Operation};
use crate::lab::model::until::Until;
use crate::lab::stages::Sources;

/// A part of an attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// Reads the key policy that the statement is added to.
    ReadPolicy,
    /// Sends what is written.
    Put,
    /// Puts the console's statements for a key user into the key policy.
    PutConsole,
    /// Reads the key policy that is stored now.
    ReadBack,
    /// Scans the table as both.
    Scan,
    /// Puts the earlier key policy back.
    TakePolicyBack,
    /// Does the same to take the console's statements away.
    TakeConsole,
    /// Deletes test-user's inline policy.
    TakeUserPolicy,
    /// Looks for the grant, where no response has named it.
    FindGrant,
    /// Revokes the grant.
    TakeGrant,
    /// Takes back what another client has added.
    CloseOpenings,
    /// Puts that there again.
    PutOpenings,
}

/// The steps of an attempt by `mechanism`, while `standing` stands. One that replaces the earlier attempt need not undo it.
pub fn send(mechanism: Mechanism, standing: Option<Mechanism>) -> Vec<Step> {
    let undo = match standing {
        Some(standing) if standing != mechanism || standing == Mechanism::Grant => undo(standing),
        _ => Vec::new(),
    };
    let is_read = standing == Some(Mechanism::KeyPolicy);
    let put: &[Step] = match mechanism {
        Mechanism::KeyPolicy if is_read => &[Step::Put, Step::ReadBack],
        Mechanism::KeyPolicy => &[Step::ReadPolicy, Step::Put, Step::ReadBack],
        Mechanism::IamPolicy | Mechanism::Grant => &[Step::Put],
    };
    undo.into_iter().chain(put.iter().copied()).chain([Step::Scan]).collect()
}

/// The steps that undo `standing`.
pub fn undo(standing: Mechanism) -> Vec<Step> {
    match standing {
        Mechanism::KeyPolicy => vec![Step::TakePolicyBack, Step::ReadBack],
        Mechanism::IamPolicy => vec![Step::TakeUserPolicy],
        Mechanism::Grant => vec![Step::FindGrant, Step::TakeGrant],
    }
}

/// The steps that put the console's statements in place of `standing`, or of what other clients have done. Meanwhile both
/// stand: test-user's permission has no gap. None where the usual way was taken.
pub fn use_console(standing: Option<Mechanism>, facts: &Facts) -> Vec<Step> {
    let has_openings = !facts.made.added.openings.is_empty();
    let put = [Step::PutConsole, Step::ReadBack];
    let mut steps = match standing {
        Some(Mechanism::KeyPolicy) => put.to_vec(),
        Some(other) => [&[Step::ReadPolicy], &put[..], &undo(other)].concat(),
        None if facts.names_user() => Vec::new(),
        None if has_openings || facts.policy_before.is_none() => [&[Step::ReadPolicy], &put[..]].concat(),
        // A key policy of the person's own, which lets test-user in without its name.
        None => put.to_vec(),
    };
    steps.extend(has_openings.then_some(Step::CloseOpenings));
    steps
}

/// The steps that put the learner's own way in place of the console's statements again: what she sent by `mechanism`, and
/// what another client had added.
pub fn put_back(mechanism: Option<Mechanism>, facts: &Facts) -> Vec<Step> {
    let lent = &facts.made.added.lent;
    let is_key_policy = |opening: &Opening| opening.mechanism() == Mechanism::KeyPolicy;
    let replaces_policy = mechanism == Some(Mechanism::KeyPolicy) || lent.iter().any(is_key_policy);
    let mut steps = Vec::new();
    steps.extend(mechanism.map(|_| Step::Put));
    steps.extend((!lent.is_empty()).then_some(Step::PutOpenings));
    // Without an earlier key policy the console's statements were there before.
    steps.extend((!replaces_policy && facts.policy_before.is_some()).then_some(Step::TakeConsole));
    steps.push(Step::ReadBack);
    steps
}

/// Why a step can't be sent.
#[derive(Debug, thiserror::Error)]
pub enum StepError {
    /// Something that the step is about is not known.
    #[error("{0}")]
    Unknown(&'static str),
    /// The learner's text is no request.
    #[error(transparent)]
    Unsendable(#[from] Unsendable),
    /// The key policy can't be added to.
    #[error(transparent)]
    KeyPolicy(#[from] KeyPolicyError),
}

/// The calls of a step; `text` is what is written, and `expects` says whether it should allow the Scan.
///
/// # Errors
/// Why it can't be sent.
pub fn batch(
    step: Step,
    mechanism: Mechanism,
    text: &str,
    expects: bool,
    sources: &Sources<'_>,
) -> Result<Batch, StepError> {
    use Operation as O;
    let facts = sources.facts;
    let key = || facts.key_id().map(str::to_owned).ok_or(StepError::Unknown("there is no key"));
    let user = || sources.names.user.clone();
    let before = || facts.policy_before.as_deref().ok_or(StepError::Unknown("the key policy was not read"));
    let admin = |operation| vec![(Identity::Admin, operation)];
    let is_late = sources.backend.is_eventually_consistent();
    let late = |until| if is_late { until } else { Until::Answered };
    let (calls, until, tolerant) = match step {
        Step::ReadPolicy => (admin(O::GetKeyPolicy { key: key()? }), Until::Answered, false),
        Step::ReadBack => (admin(O::GetKeyPolicy { key: key()? }), Until::Answered, true),
        Step::Put => {
            let target = Target { key: &key()?, user: &user(), policy: facts.policy_before.as_deref() };
            let operation = attempt::operation(mechanism, text, &target)?;
            // A principal that is not known may only be new.
            let is_named = facts.principal(Identity::TestUser).is_some_and(|arn| text.contains(&arn));
            let until = if is_named { late(Until::PrincipalsKnown) } else { Until::Answered };
            (admin(operation), until, false)
        }
        Step::PutConsole => {
            let user = facts.principal(Identity::TestUser).ok_or(StepError::Unknown("there is no test-user"))?;
            let policy = with_key_user(before()?, &user)?;
            (admin(O::PutKeyPolicy { key: key()?, policy }), Until::Answered, false)
        }
        Step::Scan => {
            let scan = O::Scan { table: sources.names.table.clone() };
            let until = if expects { Until::NothingDenied } else { Until::UserKnown };
            // Both: what lets one read may refuse the other.
            (Identity::BOTH.map(|identity| (identity, scan.clone())).to_vec(), late(until), true)
        }
        Step::TakePolicyBack | Step::TakeConsole => {
            let policy = before()?.to_owned();
            (admin(O::PutKeyPolicy { key: key()?, policy }), Until::Answered, true)
        }
        Step::TakeUserPolicy => (admin(delete_attempt(user())), Until::Answered, true),
        Step::CloseOpenings => (close_openings(facts, &user(), &key()?), Until::Answered, true),
        Step::PutOpenings => (put_openings(facts, &user(), &key()?)?, Until::Answered, false),
        Step::FindGrant => {
            let is_unknown = facts.made.attempt_grant.as_deref() == Some("");
            let calls = if is_unknown { admin(O::ListGrants { key: key()? }) } else { Vec::new() };
            (calls, Until::Answered, true)
        }
        Step::TakeGrant => {
            let id = facts.made.attempt_grant.clone().filter(|id| !id.is_empty());
            let key = key()?;
            let calls = id.map(|grant_id| admin(O::RevokeGrant { key, grant_id }));
            (calls.unwrap_or_default(), Until::Answered, true)
        }
    };
    Ok(Batch { calls, until, tolerant })
}

/// The call that deletes the inline policy of an attempt.
fn delete_attempt(user: String) -> Operation {
    Operation::DeleteUserPolicy { user, name: ATTEMPT.to_owned() }
}

/// The calls that take back what other clients have added.
fn close_openings(facts: &Facts, user: &str, key: &str) -> Vec<(Identity, Operation)> {
    let calls = facts.made.added.openings.iter().filter_map(|opening| opening.take_back(user, key));
    calls.map(|operation| (Identity::Admin, operation)).collect()
}

/// The calls that put it there again.
fn put_openings(facts: &Facts, user: &str, key: &str) -> Result<Vec<(Identity, Operation)>, StepError> {
    let call = |opening: &Opening| {
        let operation =
            opening.put_again(user, key).ok_or(StepError::Unknown("the grant's parameters are not known"))?;
        Ok((Identity::Admin, operation))
    };
    facts.made.added.lent.iter().map(call).collect()
}
