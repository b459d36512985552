//! Stage 5: a user who may use DynamoDB and not the key.

use crate::lab::model::operation::{Identity, Operation};
use crate::lab::model::until::Until;

use super::def::{Kind, Planned, Runs, Scans, StageDef, Step, as_admin};
use super::evidence::{Evidence, Observed};

/// The index of the first step that is about the access key.
pub const ACCESS_KEY: usize = 2;

/// Keys whose secret is lost: those of an earlier life of this lab, or of a response that never came.
const LIST_KEYS: Step = Step::new(&[], |sources| {
    let made = &sources.facts.made;
    let is_lost = made.access_key.is_some() || made.maybe_access_key;
    as_admin(is_lost.then(|| Operation::ListAccessKeys { user: sources.names.user.clone() }))
})
.only(Runs::OwnUser);

const DELETE_KEYS: Step = Step::new(&[], |sources| {
    let made = &sources.facts.made;
    let keys = made.access_key.iter().chain(&made.stray_access_keys).cloned();
    let user = &sources.names.user;
    as_admin(keys.map(|access_key_id| Operation::DeleteAccessKey { user: user.clone(), access_key_id }))
})
.tolerant()
.only(Runs::OwnUser);

const CREATE_ACCESS_KEY: Step = Step::new(&[Planned::admin("iam:CreateAccessKey")], |sources| {
    as_admin([Operation::CreateAccessKey { user: sources.names.user.clone() }])
})
.until(Until::Found)
.only(Runs::OwnUser);

const WHO_IS_USER: Step = Step::new(&[Planned::test_user("sts:GetCallerIdentity")], |_| {
    Ok(vec![(Identity::TestUser, Operation::GetCallerIdentity)])
})
.until(Until::CredentialsKnown);

pub(super) const CREATE_USER: StageDef = StageDef {
    key: "create_user",
    kind: Kind::Creates,
    starts_over: false,
    scans: Scans::Nobody,
    steps: &[
        Step::new(&[Planned::admin("iam:CreateUser")], |sources| {
            as_admin([Operation::CreateUser { user: sources.names.user.clone(), tags: sources.names.tags() }])
        })
        .only(Runs::OwnUser),
        Step::new(
            &[
                Planned::admin("iam:AttachUserPolicy").only(Runs::ManagedPolicy),
                Planned::admin("iam:PutUserPolicy").only(Runs::InlinePolicy),
            ],
            |sources| {
                let policy = sources.facts.user_policy(sources.names, sources.backend);
                as_admin([policy.put(sources.names.user.clone())])
            },
        )
        .until(Until::Found)
        .only(Runs::OwnUser),
        LIST_KEYS,
        DELETE_KEYS,
        CREATE_ACCESS_KEY,
        WHO_IS_USER,
    ],
    verify: &[LIST_KEYS, DELETE_KEYS, CREATE_ACCESS_KEY, WHO_IS_USER],
    notice: &[CREATE_ACCESS_KEY, WHO_IS_USER],
    // Of test-user, who it is; of admin, what test-user may do.
    highlight: [&["AttachUserPolicy", "PutUserPolicy"], &["GetCallerIdentity"]],
    expect,
    forget: |facts, backend| {
        if !backend.given_user {
            facts.test_user = None;
        }
    },
};

fn expect(evidence: &Evidence<'_>) -> Observed {
    let facts = evidence.facts;
    let admin = facts.admin.as_ref().ok_or("admin's principal is not known: the stage who did not succeed")?;
    let principals = evidence.two_principals(admin)?;
    if evidence.given_user {
        // The next stage shows what its policies allow; the profile's owner may not let us read them.
        return Ok(principals);
    }
    match &facts.made.policy_attached {
        Some(arn) => Ok(format!("{principals}, with {}", arn.rsplit('/').next().unwrap_or(arn))),
        None if facts.made.inline_policy => Ok(format!("{principals}, with dynamodb:* on the lab's table alone")),
        None => match facts.made.added.inline.first() {
            Some(policy) => Ok(format!("{principals}, with the inline policy {policy}")),
            None => Err(format!("{principals}, but no policy is attached")),
        },
    }
}
