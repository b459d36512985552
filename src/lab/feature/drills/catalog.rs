//! Each drill, declared once: the fault, where it is, and which fixes are right.

use serde_json::{Value, json};

use super::fix::Fix;
use crate::lab::model::drill::{Drill, Lock, Rung};
use crate::lab::model::key_policy::KeyPolicyError;
use crate::lab::model::operation::{Identity, Operation};
use crate::lab::stages::Sources;
use crate::lab::trial::policies;
use crate::lab::trial::setup::{DELETION_DAYS, Setup, Step, admin, try_out};

/// What is declared of a drill. Its texts are in the lesson, under its id.
pub struct Def {
    /// The lock that refuses.
    pub lock: Lock,
    /// The rung that refuses. `kmslab why` names the same one.
    pub rung: Rung,
    /// Whether nothing was written for test-user at all. Then every rung that can allow lacks an allow, and AWS's message
    /// names only [`Def::rung`].
    pub nothing_allows: bool,
    /// Makes the fault, with real calls.
    pub fault: fn(&Setup<'_>) -> Result<Vec<Step>, KeyPolicyError>,
    /// The fixes to choose from. At least two are right, at least one is plausible and wrong.
    pub fixes: [(Fix, bool); 4],
    /// Whether the fault changes test-user's own policies, which the lab does to none but a user of its own making.
    pub needs_own_user: bool,
}

/// A grant that covers no Decrypt.
const NO_DECRYPT: [&str; 3] = ["DescribeKey", "Encrypt", "GenerateDataKey"];

/// A region in which the lab's table isn't.
fn other_region(setup: &Setup<'_>) -> &'static str {
    if setup.region == "eu-west-1" { "us-west-2" } else { "eu-west-1" }
}

/// The condition on DynamoDB in a region.
pub(super) fn via(service: &str, region: &str) -> Value {
    json!({"StringEquals": {"kms:ViaService": format!("{service}.{region}.amazonaws.com")}})
}

/// An IAM statement that allows the use of a key.
pub(super) fn iam_allow(resource: &str, condition: Option<Value>) -> Value {
    let mut allow = json!({"Effect": "Allow", "Action": "kms:Decrypt", "Resource": resource});
    if let Some(condition) = condition {
        allow["Condition"] = condition;
    }
    allow
}

/// An IAM policy with one statement.
pub(super) fn policy_of(statement: &Value) -> String {
    json!({"Version": "2012-10-17", "Statement": [statement]}).to_string()
}

/// The account that owns `arn`.
fn account_of(arn: &str) -> &str {
    arn.split(':').nth(4).unwrap_or_default()
}

/// `arn` with the first digit of its account changed: no account of ours.
fn of_another_account(arn: &str) -> String {
    let account = account_of(arn);
    let other = match account.strip_prefix('9') {
        Some(rest) => format!("8{rest}"),
        None => format!("9{}", account.get(1..).unwrap_or_default()),
    };
    arn.replacen(account, &other, 1)
}

/// The ARN of an alias beside the key with this ARN.
pub(super) fn alias_arn(key_arn: &str, alias: &str) -> String {
    let place = key_arn.rsplit_once(":key/").map_or(key_arn, |(place, _)| place);
    format!("{place}:{alias}")
}

/// The name of the user that a drill creates and deletes.
fn old_user(setup: &Setup<'_>) -> String {
    format!("{}-old", setup.names.user)
}

/// The key policy with another statement for test-user in place of the lab's.
fn instead(setup: &Setup<'_>, actions: &[&str], condition: Option<Value>) -> Result<Step, KeyPolicyError> {
    setup.put_policy(policies::only_for(setup.policy, &setup.user, actions, condition))
}

/// The key policy no longer names test-user; its own policy has this statement.
fn in_iam(setup: &Setup<'_>, statement: &Value) -> Result<Vec<Step>, KeyPolicyError> {
    Ok(vec![setup.put_user_policy(policy_of(statement)), setup.without_user()?])
}

/// The grant of which a drill's fault consists.
pub(super) fn faulty_grant(drill: Drill, setup: &Setup<'_>) -> Step {
    match drill {
        Drill::GrantOther => setup.grant_to(&setup.admin, &["Decrypt", "DescribeKey"]),
        _ => setup.grant_to(&setup.user, &NO_DECRYPT),
    }
}

/// The condition in the key policy of a drill.
pub(super) fn faulty_condition(drill: Drill, setup: &Setup<'_>) -> Value {
    match drill {
        Drill::ViaOtherService => via("s3", setup.region),
        Drill::ViaOtherRegion => via("dynamodb", other_region(setup)),
        Drill::WrongContextKey => json!({"StringEquals": {"kms:EncryptionContext:table": setup.names.table}}),
        _ => context_of(&format!("{}-archive", setup.names.table)),
    }
}

/// The condition on the table that an encryption context names.
pub(super) fn context_of(table: &str) -> Value {
    json!({"StringEquals": {"kms:EncryptionContext:aws:dynamodb:tableName": table}})
}

fn delete_old_user(setup: &Setup<'_>) -> Result<Vec<Step>, KeyPolicyError> {
    let name = old_user(setup);
    let arn = format!("{}-old", setup.user);
    Ok(vec![
        admin(Operation::CreateUser { user: name.clone(), tags: setup.names.tags() }),
        setup.put_policy(policies::only_for(setup.policy, &setup.user, &policies::USE, None).map(|policy| {
            // KMS shows the id of a user that is deleted while a policy names it.
            policy.replace(&format!("\"{}\"", setup.user), &format!("\"{arn}\""))
        }))?,
        admin(Operation::DeleteUser { user: name }),
    ])
}

/// Removes test-user's permission while DynamoDB still has its table key, and shows that it goes on reading.
fn revoke(setup: &Setup<'_>) -> Result<Vec<Step>, KeyPolicyError> {
    let scan = || try_out([(Identity::TestUser, setup.scan())]);
    Ok(vec![scan(), setup.without_user()?, scan()])
}

const fn def(
    lock: Lock,
    rung: Rung,
    fault: fn(&Setup<'_>) -> Result<Vec<Step>, KeyPolicyError>,
    fixes: [(Fix, bool); 4],
) -> Def {
    Def { lock, rung, nothing_allows: false, fault, fixes, needs_own_user: false }
}

/// A key that nothing lets test-user use: each of the three ways would do.
const fn closed(fault: fn(&Setup<'_>) -> Result<Vec<Step>, KeyPolicyError>, fixes: [(Fix, bool); 4]) -> Def {
    Def { nothing_allows: true, ..def(Lock::Key, Rung::IamPolicy, fault, fixes) }
}

impl Def {
    /// Whether it is right to name `rung`.
    pub fn accepts(&self, rung: Rung) -> bool {
        let can_allow = matches!(rung, Rung::KeyPolicy | Rung::IamPolicy | Rung::Grant);
        rung == self.rung || (self.nothing_allows && can_allow)
    }

    const fn on_own_user(self) -> Def {
        Def { needs_own_user: true, ..self }
    }
}

/// The declaration of `drill`.
pub fn of(drill: Drill) -> Def {
    use Fix as F;
    use Lock::{Key, Table};
    match drill {
        Drill::DisabledKey => def(
            Key,
            Rung::KeyState,
            |setup| Ok(vec![admin(Operation::DisableKey { key: setup.key() })]),
            [(F::EnableKey, true), (F::LetUserEnable, true), (F::AllowInIam, false), (F::NameInKeyPolicy, false)],
        ),
        Drill::PendingDeletion => def(
            Key,
            Rung::KeyState,
            |setup| Ok(vec![admin(Operation::ScheduleKeyDeletion { key: setup.key(), days: DELETION_DAYS })]),
            [(F::CancelAndEnable, true), (F::LetUserCancel, true), (F::CancelDeletion, false), (F::EnableKey, false)],
        ),
        Drill::ExplicitDeny => def(
            Key,
            Rung::Deny,
            |setup| Ok(vec![setup.put_policy(policies::denying(setup.policy, &setup.user))?]),
            [(F::TakeDenyOut, true), (F::NarrowDeny, true), (F::AllowInIam, false), (F::Grant, false)],
        ),
        Drill::NotPrincipal => def(
            Key,
            Rung::Deny,
            |setup| Ok(vec![setup.put_policy(policies::denying_others(setup.policy, &setup.others()))?]),
            [(F::TakeDenyOut, true), (F::ExceptUser, true), (F::AllowInIam, false), (F::Grant, false)],
        ),
        Drill::TableDeny => def(
            Table,
            Rung::Deny,
            |setup| Ok(vec![setup.put_user_policy(policy_of(&Fix::deny_of(&["dynamodb:Query", "dynamodb:Scan"])))]),
            [
                (F::DeleteIamPolicy, true),
                (F::DenyWritesOnly, true),
                (F::GiveDynamodb, false),
                (F::NameInKeyPolicy, false),
            ],
        )
        .on_own_user(),
        Drill::NoDynamodb => def(
            Table,
            Rung::IamPolicy,
            |setup| Ok(vec![admin(setup.user_policy.clone().remove(setup.names.user.clone()))]),
            [(F::GiveDynamodb, true), (F::AllowScan, true), (F::NameInKeyPolicy, false), (F::Grant, false)],
        )
        .on_own_user(),
        Drill::TableArn | Drill::AwsManagedKey | Drill::WrongAccount | Drill::AliasArn | Drill::ViaOtherRegion => {
            of_iam_policy(drill)
        }
        Drill::NothingAllows | Drill::RevokedCache | Drill::GrantOther => of_no_permission(drill),
        Drill::GrantOperations => def(
            Key,
            Rung::Grant,
            |setup| Ok(vec![faulty_grant(Drill::GrantOperations, setup), setup.without_user()?]),
            [(F::Grant, true), (F::NameInKeyPolicy, true), (F::SameGrant, false), (F::GiveDynamodb, false)],
        ),
        _ => of_key_policy(drill),
    }
}

/// Faults in which nothing is written for test-user.
fn of_no_permission(drill: Drill) -> Def {
    use Fix as F;
    match drill {
        Drill::NothingAllows => closed(
            |setup| Ok(vec![setup.without_user()?]),
            [(F::NameInKeyPolicy, true), (F::AllowInIam, true), (F::Grant, true), (F::GiveDynamodb, false)],
        ),
        Drill::RevokedCache => closed(
            revoke,
            [(F::NameInKeyPolicy, true), (F::Grant, true), (F::AllowScan, false), (F::DescribeInIam, false)],
        ),
        _ => closed(
            |setup| Ok(vec![faulty_grant(Drill::GrantOther, setup), setup.without_user()?]),
            [(F::Grant, true), (F::NameInKeyPolicy, true), (F::SameGrant, false), (F::GiveDynamodb, false)],
        ),
    }
}

/// Faults in a policy of test-user.
fn of_iam_policy(drill: Drill) -> Def {
    use Fix as F;
    let iam = |fault, fixes| def(Lock::Key, Rung::IamPolicy, fault, fixes).on_own_user();
    match drill {
        Drill::TableArn => iam(
            |setup| in_iam(setup, &iam_allow(&format!("{}{}", setup.tables, setup.names.table), None)),
            [(F::UseKeyArn, true), (F::NameInKeyPolicy, true), (F::Grant, true), (F::GiveDynamodb, false)],
        ),
        Drill::AwsManagedKey => iam(
            |setup| in_iam(setup, &iam_allow(&alias_arn(setup.key_arn, "alias/aws/dynamodb"), None)),
            [(F::UseKeyArn, true), (F::Grant, true), (F::AllowAliases, false), (F::GiveDynamodb, false)],
        ),
        Drill::WrongAccount => iam(
            |setup| in_iam(setup, &iam_allow(&of_another_account(setup.key_arn), None)),
            [(F::UseKeyArn, true), (F::NameInKeyPolicy, true), (F::AllowAliases, false), (F::GiveDynamodb, false)],
        ),
        Drill::AliasArn => iam(
            |setup| in_iam(setup, &iam_allow(&alias_arn(setup.key_arn, &setup.names.alias), None)),
            [(F::GiveDynamodb, false), (F::UseKeyArn, true), (F::NameInKeyPolicy, true), (F::AllowAliases, false)],
        ),
        _ => iam(
            |setup| {
                let condition = faulty_condition(Drill::ViaOtherRegion, setup);
                in_iam(setup, &iam_allow(setup.key_arn, Some(condition)))
            },
            [(F::UseOwnRegion, true), (F::DropIamCondition, true), (F::MoreInIam, false), (F::GiveDynamodb, false)],
        ),
    }
}

/// Faults in the key policy.
fn of_key_policy(drill: Drill) -> Def {
    use Fix as F;
    let key = |fault, fixes| def(Lock::Key, Rung::KeyPolicy, fault, fixes);
    match drill {
        Drill::NoRootStatement => key(
            |setup| {
                let policy = policies::not_left_to_iam(setup.policy, &setup.user, &setup.admin);
                Ok(vec![setup.allow_in_iam(), setup.put_policy(policy)?])
            },
            [(F::AddToKeyPolicy, true), (F::LetIamDecide, true), (F::EverythingInIam, false), (F::GiveDynamodb, false)],
        )
        .on_own_user(),
        Drill::KeyAdmin => key(
            |setup| Ok(vec![setup.put_policy(policies::administered(setup.policy, &setup.user))?]),
            [(F::NameInKeyPolicy, true), (F::AllowInIam, true), (F::DescribeInIam, false), (F::GiveDynamodb, false)],
        ),
        Drill::ViaOtherService => key(
            |setup| {
                let condition = faulty_condition(Drill::ViaOtherService, setup);
                Ok(vec![instead(setup, &policies::USE, Some(condition))?])
            },
            [(F::UseDynamodb, true), (F::DropCondition, true), (F::MoreActions, false), (F::GiveDynamodb, false)],
        ),
        Drill::WrongContextKey => key(
            |setup| {
                let condition = faulty_condition(Drill::WrongContextKey, setup);
                Ok(vec![instead(setup, &policies::USE, Some(condition))?])
            },
            [(F::UseOwnContext, true), (F::DropCondition, true), (F::MoreActions, false), (F::GiveDynamodb, false)],
        ),
        Drill::EncryptOnly => key(
            |setup| {
                let rotate = try_out([(Identity::Admin, Operation::RotateKeyOnDemand { key: setup.key() })]);
                Ok(vec![rotate, instead(setup, &["kms:Encrypt", "kms:ReEncrypt*", "kms:DescribeKey"], None)?])
            },
            [(F::NameInKeyPolicy, true), (F::AllowInIam, true), (F::RotateAgain, false), (F::GiveDynamodb, false)],
        ),
        Drill::OldUserId => key(
            delete_old_user,
            [(F::NameInKeyPolicy, true), (F::Grant, true), (F::GiveDynamodb, false), (F::DescribeInIam, false)],
        ),
        _ => key(
            |setup| {
                let condition = faulty_condition(Drill::OtherTable, setup);
                Ok(vec![instead(setup, &policies::USE, Some(condition))?])
            },
            [(F::UseOwnContext, true), (F::DropCondition, true), (F::MoreActions, false), (F::AllowScan, false)],
        ),
    }
}

/// Whether a lab that was given test-user can set `drill` up.
pub fn is_possible(drill: Drill, sources: &Sources<'_>) -> bool {
    !sources.backend.given_user || !of(drill).needs_own_user
}
