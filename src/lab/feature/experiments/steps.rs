//! The calls of each experiment, in order.

use crate::lab::model::batch::Batch;
use crate::lab::model::experiment::{Experiment, ExtraTable};
use crate::lab::model::facts::Names;
use crate::lab::model::key_policy::KeyPolicyError;
use crate::lab::model::operation::{Context, Identity, Operation};
use crate::lab::model::test_user::{UserPolicy, table_policy};
use crate::lab::model::until::Until;
use crate::lab::stages::items;
use crate::lab::trial::policies;
use crate::lab::trial::setup::{DELETION_DAYS, admin, send, try_out, waiting};
pub use crate::lab::trial::setup::{Setup, Step, user_policy};

/// A short text, "kmslab" in base64.
const TEXT: &str = "a21zbGFi";

impl Setup<'_> {
    /// A new table with the sample items, read by test-user, who has no key.
    fn on_table(&self, table: ExtraTable) -> Result<Vec<Step>, KeyPolicyError> {
        let name = || table.name(self.names);
        let create = Operation::CreateTable { table: name(), key: table.key(), tags: self.names.tags() };
        let active = waiting(Operation::DescribeTable { table: name() }, Until::TableActive);
        let active = Step::Send(Batch { tolerant: false, ..active });
        let put = items().into_iter().map(|item| admin(Operation::PutItem { table: name(), item }));
        // A policy for the lab's own table says nothing about this one.
        let is_limited = matches!(self.user_policy, UserPolicy::Inline(_));
        let allow = is_limited.then(|| self.put_user_policy(table_policy(&format!("{}{}", self.tables, name()))));
        let is_late = is_limited && self.eventually_consistent;
        let until = if is_late { Until::UserKnown } else { Until::Answered };
        let calls = vec![(Identity::TestUser, Operation::Scan { table: name() })];
        let scan = Step::Send(Batch { calls, until, tolerant: true });
        let before = [self.without_user()?, admin(create), active];
        Ok(allow.into_iter().chain(before).chain(put).chain([scan]).collect())
    }

    /// test-user loses its policy for DynamoDB.
    fn without_dynamodb(&self) -> Vec<Step> {
        let detach = self.user_policy.clone().remove(self.names.user.clone());
        let until = if self.eventually_consistent { Until::NothingAllowed } else { Until::Answered };
        let calls = vec![(Identity::TestUser, self.scan())];
        vec![admin(detach), Step::Send(Batch { calls, until, tolerant: true })]
    }

    /// test-user encrypts while it may: the ciphertext is its own.
    fn user_encrypts(&self, context: Context) -> Step {
        self.still_allowed(Operation::Encrypt { key: self.key(), plaintext: TEXT.to_owned(), context })
    }

    fn user_decrypts(&self, context: Context) -> [(Identity, Operation); 1] {
        [(Identity::TestUser, Operation::Decrypt { ciphertext: self.ciphertext.to_owned(), context })]
    }

    /// A call of test-user that the lab has allowed: where the last experiment has just been undone, that may not be
    /// seen everywhere yet.
    fn still_allowed(&self, operation: Operation) -> Step {
        let until = if self.eventually_consistent { Until::NothingDenied } else { Until::Answered };
        Step::Send(Batch { calls: vec![(Identity::TestUser, operation)], until, tolerant: false })
    }
}

fn context(value: &str) -> Context {
    vec![("purpose".to_owned(), value.to_owned())]
}

/// Everything that `which` sends until its verdict. The steps are as many and call the same whatever is known, so that
/// a step's number means the same before and after a response.
///
/// # Errors
/// The key policy can't be changed.
pub fn steps(which: Experiment, setup: &Setup<'_>) -> Result<Vec<Step>, KeyPolicyError> {
    use Operation as O;
    let (policy, user) = (setup.policy, &setup.user);
    Ok(match which {
        Experiment::DisableKey => vec![admin(O::DisableKey { key: setup.key() }), Step::Idle, setup.both_scan()],
        Experiment::ExplicitDeny => {
            vec![setup.put_policy(policies::denying(policy, user))?, Step::Idle, setup.both_scan()]
        }
        Experiment::IamAllow => {
            vec![setup.allow_in_iam(), setup.without_user()?, Step::Idle, setup.user_scans()]
        }
        Experiment::NoRootStatement => vec![
            setup.allow_in_iam(),
            setup.put_policy(policies::not_left_to_iam(policy, user, &setup.admin))?,
            Step::Idle,
            setup.both_scan(),
        ],
        Experiment::KeyWithoutDynamodb => setup.without_dynamodb(),
        Experiment::AwsOwnedKey => setup.on_table(ExtraTable::AwsOwned)?,
        Experiment::AwsManagedKey => setup.on_table(ExtraTable::AwsManaged)?,
        Experiment::RevokeCache => vec![
            setup.still_allowed(setup.scan()),
            setup.without_user()?,
            setup.user_scans(),
            Step::Idle,
            setup.user_scans(),
        ],
        Experiment::KeyAdmin => {
            vec![setup.put_policy(policies::administered(policy, user))?, Step::Idle, setup.user_scans()]
        }
        Experiment::ViaServiceOnly => vec![
            setup.user_encrypts(Context::new()),
            setup.put_policy(policies::through_dynamodb(policy, user, setup.region))?,
            Step::Idle,
            setup.user_scans(),
            try_out(setup.user_decrypts(Context::new())),
        ],
        Experiment::KmsGrant => vec![setup.without_user()?, setup.grant(), Step::Idle, setup.user_scans()],
        Experiment::WrongContext => vec![
            setup.user_encrypts(context("lab")),
            send(setup.user_decrypts(context("lab"))),
            try_out(setup.user_decrypts(context("party"))),
        ],
        Experiment::Rotate => vec![admin(O::RotateKeyOnDemand { key: setup.key() }), Step::Idle, setup.both_scan()],
        Experiment::ScheduleDeletion => vec![
            admin(O::ScheduleKeyDeletion { key: setup.key(), days: DELETION_DAYS }),
            Step::Idle,
            setup.both_scan(),
            admin(O::CancelKeyDeletion { key: setup.key() }),
            admin(O::DescribeKey { key: setup.key() }),
            setup.both_scan(),
        ],
    })
}

/// The calls of `which`, before anything is known: what the screen shows until Enter is pressed.
pub fn outline(which: Experiment, user_policy: UserPolicy) -> Vec<(Identity, String)> {
    let names = Names::new("");
    let setup = Setup {
        names: &names,
        region: "",
        key: "",
        key_arn: "",
        policy: "{}",
        admin: String::new(),
        user: String::new(),
        user_policy,
        tables: String::new(),
        ciphertext: "",
        eventually_consistent: false,
    };
    let calls = steps(which, &setup).unwrap_or_default().into_iter().flat_map(|step| match step {
        Step::Send(batch) => batch.calls,
        Step::Idle => Vec::new(),
    });
    let mut outline: Vec<(Identity, String)> = Vec::new();
    for (identity, operation) in calls {
        let action = operation.action();
        // Items are put one by one.
        if outline.last().is_none_or(|last| *last != (identity, action.clone())) || operation.name() != "PutItem" {
            outline.push((identity, action));
        }
    }
    outline
}

/// The call of `identity` that `which` is about; it is shown first when there is a verdict. Where admin reads, too, that
/// is it; else the change.
pub const fn highlight(which: Experiment, identity: Identity, is_managed: bool) -> &'static str {
    use Experiment as E;
    match (identity, which) {
        (Identity::Admin, E::IamAllow) => "PutUserPolicy",
        (Identity::Admin, E::KeyWithoutDynamodb) if is_managed => "DetachUserPolicy",
        (Identity::Admin, E::KeyWithoutDynamodb) => "DeleteUserPolicy",
        (Identity::Admin, E::AwsOwnedKey | E::AwsManagedKey) => "CreateTable",
        (Identity::Admin, E::RevokeCache | E::KeyAdmin | E::ViaServiceOnly) => "PutKeyPolicy",
        (Identity::Admin, E::KmsGrant) => "CreateGrant",
        (Identity::TestUser, E::ViaServiceOnly | E::WrongContext) => "Decrypt",
        _ => "Scan",
    }
}
