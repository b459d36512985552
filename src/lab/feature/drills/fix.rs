//! The fixes to choose from: what each sends.

use serde_json::{Value, json};

use super::catalog::{self, alias_arn, context_of, faulty_condition, faulty_grant, iam_allow, policy_of, via};
use crate::lab::model::drill::Drill;
use crate::lab::model::key_policy::{KeyPolicyError, with_key_user};
use crate::lab::model::operation::{Identity, Operation};
use crate::lab::trial::change::POLICY_NAME;
use crate::lab::trial::policies;
use crate::lab::trial::setup::{Setup, Step, try_out};

/// A fix. Whether it is right depends on the drill.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fix {
    /// Put the lab's key policy back, which names test-user.
    NameInKeyPolicy,
    /// Add test-user to the key policy as it is.
    AddToKeyPolicy,
    /// Allow the use of the key in an IAM policy.
    AllowInIam,
    /// Create a grant for test-user.
    Grant,
    /// Create the same grant again.
    SameGrant,
    /// Give test-user its policy for DynamoDB.
    GiveDynamodb,
    /// Allow dynamodb:Scan in an IAM policy.
    AllowScan,
    /// Allow kms:Describe* and kms:List* in an IAM policy.
    DescribeInIam,
    /// Allow kms:* on everything in an IAM policy.
    EverythingInIam,
    /// Allow every action in the faulty IAM statement.
    MoreInIam,
    /// Allow every alias in an IAM policy.
    AllowAliases,
    /// Put the key's ARN into the IAM policy.
    UseKeyArn,
    /// Put the table's region into the IAM policy's condition.
    UseOwnRegion,
    /// Leave the IAM policy's condition out.
    DropIamCondition,
    /// Delete the IAM policy.
    DeleteIamPolicy,
    /// Limit the Deny in the IAM policy to writes.
    DenyWritesOnly,
    /// Take the Deny out of the key policy.
    TakeDenyOut,
    /// Limit the Deny to calls that don't come through DynamoDB.
    NarrowDeny,
    /// Add test-user to the Deny's exceptions.
    ExceptUser,
    /// Put the account's statement back into the key policy.
    LetIamDecide,
    /// Put DynamoDB into the key policy's condition.
    UseDynamodb,
    /// Put this table's encryption context into the key policy's condition.
    UseOwnContext,
    /// Leave the key policy's condition out.
    DropCondition,
    /// Allow every action in the faulty statement of the key policy.
    MoreActions,
    /// Rotate the key.
    RotateAgain,
    /// Enable the key.
    EnableKey,
    /// Let test-user enable the key.
    LetUserEnable,
    /// Cancel the key's deletion.
    CancelDeletion,
    /// Cancel the deletion, then enable the key.
    CancelAndEnable,
    /// Let test-user do both.
    LetUserCancel,
}

impl Fix {
    /// All of them.
    pub const ALL: [Fix; 30] = [
        Fix::NameInKeyPolicy,
        Fix::AddToKeyPolicy,
        Fix::AllowInIam,
        Fix::Grant,
        Fix::SameGrant,
        Fix::GiveDynamodb,
        Fix::AllowScan,
        Fix::DescribeInIam,
        Fix::EverythingInIam,
        Fix::MoreInIam,
        Fix::AllowAliases,
        Fix::UseKeyArn,
        Fix::UseOwnRegion,
        Fix::DropIamCondition,
        Fix::DeleteIamPolicy,
        Fix::DenyWritesOnly,
        Fix::TakeDenyOut,
        Fix::NarrowDeny,
        Fix::ExceptUser,
        Fix::LetIamDecide,
        Fix::UseDynamodb,
        Fix::UseOwnContext,
        Fix::DropCondition,
        Fix::MoreActions,
        Fix::RotateAgain,
        Fix::EnableKey,
        Fix::LetUserEnable,
        Fix::CancelDeletion,
        Fix::CancelAndEnable,
        Fix::LetUserCancel,
    ];

    /// The id in the lesson files.
    pub const fn id(self) -> &'static str {
        match self {
            Fix::NameInKeyPolicy => "name_in_key_policy",
            Fix::AddToKeyPolicy => "add_to_key_policy",
            Fix::AllowInIam => "allow_in_iam",
            Fix::Grant => "grant",
            Fix::SameGrant => "same_grant",
            Fix::GiveDynamodb => "give_dynamodb",
            Fix::AllowScan => "allow_scan",
            Fix::DescribeInIam => "describe_in_iam",
            Fix::EverythingInIam => "everything_in_iam",
            Fix::MoreInIam => "more_in_iam",
            Fix::AllowAliases => "allow_aliases",
            Fix::UseKeyArn => "use_key_arn",
            Fix::UseOwnRegion => "use_own_region",
            Fix::DropIamCondition => "drop_iam_condition",
            Fix::DeleteIamPolicy => "delete_iam_policy",
            Fix::DenyWritesOnly => "deny_writes_only",
            Fix::TakeDenyOut => "take_deny_out",
            Fix::NarrowDeny => "narrow_deny",
            Fix::ExceptUser => "except_user",
            Fix::LetIamDecide => "let_iam_decide",
            Fix::UseDynamodb => "use_dynamodb",
            Fix::UseOwnContext => "use_own_context",
            Fix::DropCondition => "drop_condition",
            Fix::MoreActions => "more_actions",
            Fix::RotateAgain => "rotate_again",
            Fix::EnableKey => "enable_key",
            Fix::LetUserEnable => "let_user_enable",
            Fix::CancelDeletion => "cancel_deletion",
            Fix::CancelAndEnable => "cancel_and_enable",
            Fix::LetUserCancel => "let_user_cancel",
        }
    }

    /// Whether it changes test-user's own policies.
    const fn needs_own_user(self) -> bool {
        matches!(
            self,
            Fix::AllowInIam
                | Fix::GiveDynamodb
                | Fix::AllowScan
                | Fix::DescribeInIam
                | Fix::EverythingInIam
                | Fix::LetUserEnable
                | Fix::LetUserCancel
        )
    }

    /// The fixes of `drill` that a lab can apply to its test-user, and whether each is right.
    pub fn of(drill: Drill, given_user: bool) -> Vec<(Fix, bool)> {
        let fixes = catalog::of(drill).fixes.into_iter();
        fixes.filter(|(fix, _)| !given_user || !fix.needs_own_user()).collect()
    }

    /// An IAM statement that denies.
    pub(super) fn deny_of(actions: &[&str]) -> Value {
        json!({"Effect": "Deny", "Action": actions, "Resource": "*"})
    }

    /// What the fix sends, call by call. A call may be refused: that is for the learner to see.
    ///
    /// # Errors
    /// The key policy can't be changed.
    pub fn steps(self, drill: Drill, setup: &Setup<'_>) -> Result<Vec<Step>, KeyPolicyError> {
        if let Some(policy) = self.key_policy(drill, setup) {
            return Ok(vec![tolerant(setup.put_policy(policy)?)]);
        }
        if let Some(policy) = self.iam_policy(drill, setup) {
            let mut steps = vec![tolerant(setup.put_user_policy(policy))];
            steps.extend(self.as_user(setup));
            return Ok(steps);
        }
        Ok(self.other_calls(drill, setup))
    }

    /// The key policy that the fix puts.
    fn key_policy(self, drill: Drill, setup: &Setup<'_>) -> Option<Result<String, KeyPolicyError>> {
        let (policy, user) = (setup.policy, setup.user.as_str());
        let only = |actions: &[&str], condition| policies::only_for(policy, user, actions, condition);
        Some(match self {
            Fix::NameInKeyPolicy | Fix::TakeDenyOut => Ok(policy.to_owned()),
            Fix::AddToKeyPolicy => policies::not_left_to_iam(policy, user, &setup.admin)
                .and_then(|without_root| with_key_user(&without_root, user)),
            Fix::LetIamDecide => policies::without(policy, user),
            Fix::NarrowDeny => {
                let service = format!("dynamodb.{}.amazonaws.com", setup.region);
                policies::denying_but_through(policy, user, &service)
            }
            Fix::ExceptUser => {
                let others: Vec<String> = setup.others().into_iter().chain([user.to_owned()]).collect();
                policies::denying_others(policy, &others)
            }
            Fix::UseDynamodb => only(&policies::USE, Some(via("dynamodb", setup.region))),
            Fix::UseOwnContext => only(&policies::USE, Some(context_of(&setup.names.table))),
            Fix::DropCondition => only(&policies::USE, None),
            Fix::MoreActions => only(&["kms:*"], Some(faulty_condition(drill, setup))),
            _ => return None,
        })
    }

    /// The IAM policy that the fix puts on test-user.
    fn iam_policy(self, drill: Drill, setup: &Setup<'_>) -> Option<String> {
        let allow = |actions: &[&str], resource: &str| {
            policy_of(&json!({"Effect": "Allow", "Action": actions, "Resource": resource}))
        };
        Some(match self {
            Fix::AllowInIam | Fix::UseKeyArn | Fix::DropIamCondition => policies::of_user(setup.key_arn),
            Fix::UseOwnRegion => policy_of(&iam_allow(setup.key_arn, Some(via("dynamodb", setup.region)))),
            Fix::MoreInIam => {
                let mut statement = iam_allow(setup.key_arn, Some(faulty_condition(drill, setup)));
                statement["Action"] = json!("kms:*");
                policy_of(&statement)
            }
            Fix::AllowAliases => allow(&["kms:*"], &alias_arn(setup.key_arn, "alias/*")),
            Fix::DescribeInIam => allow(&["kms:Describe*", "kms:List*"], "*"),
            Fix::EverythingInIam => allow(&["kms:*"], "*"),
            Fix::AllowScan => allow(&["dynamodb:Scan"], &format!("{}{}", setup.tables, setup.names.table)),
            Fix::DenyWritesOnly => {
                policy_of(&Fix::deny_of(&["dynamodb:DeleteItem", "dynamodb:PutItem", "dynamodb:UpdateItem"]))
            }
            Fix::LetUserEnable => allow(&["kms:EnableKey"], setup.key_arn),
            Fix::LetUserCancel => allow(&["kms:CancelKeyDeletion", "kms:EnableKey"], setup.key_arn),
            _ => return None,
        })
    }

    /// The calls of test-user, once its policy allows them.
    fn as_user(self, setup: &Setup<'_>) -> Vec<Step> {
        let calls = match self {
            Fix::LetUserEnable => vec![Operation::EnableKey { key: setup.key() }],
            Fix::LetUserCancel => {
                vec![Operation::CancelKeyDeletion { key: setup.key() }, Operation::EnableKey { key: setup.key() }]
            }
            _ => Vec::new(),
        };
        calls.into_iter().map(|operation| try_out([(Identity::TestUser, operation)])).collect()
    }

    /// The calls of a fix that puts no policy.
    fn other_calls(self, drill: Drill, setup: &Setup<'_>) -> Vec<Step> {
        use Operation as O;
        let (key, user) = (|| setup.key(), || setup.names.user.clone());
        let calls = match self {
            Fix::Grant => return vec![tolerant(setup.grant())],
            Fix::SameGrant => return vec![tolerant(faulty_grant(drill, setup))],
            Fix::DeleteIamPolicy => vec![O::DeleteUserPolicy { user: user(), name: POLICY_NAME.to_owned() }],
            Fix::GiveDynamodb => vec![setup.user_policy.clone().put(user())],
            Fix::RotateAgain => vec![O::RotateKeyOnDemand { key: key() }],
            Fix::EnableKey => vec![O::EnableKey { key: key() }],
            Fix::CancelDeletion => vec![O::CancelKeyDeletion { key: key() }],
            Fix::CancelAndEnable => vec![O::CancelKeyDeletion { key: key() }, O::EnableKey { key: key() }],
            _ => Vec::new(),
        };
        calls.into_iter().map(|operation| try_out([(Identity::Admin, operation)])).collect()
    }
}

/// The same step, whose calls may be refused.
fn tolerant(step: Step) -> Step {
    match step {
        Step::Send(batch) => Step::Send(crate::lab::model::batch::Batch { tolerant: true, ..batch }),
        Step::Idle => Step::Idle,
    }
}
