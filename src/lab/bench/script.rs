//! What each experiment sends, in which order, and what takes a change back.

use super::policies;
use super::{BenchTable, Change, Experiment};
use crate::lab::facts::Names;
use crate::lab::model::batch::Batch;
use crate::lab::model::key_policy::KeyPolicyError;
use crate::lab::model::until::Until;
use crate::lab::operation::{Context, Identity, Operation};
use crate::lab::stages::items;
use crate::lab::test_user::{UserPolicy, table_policy};

/// The name of the inline policy that experiments put on test-user.
pub const POLICY_NAME: &str = "kmslab-bench";

/// The name of the grant that an experiment creates.
pub const GRANT_NAME: &str = "kmslab-bench";

/// The days until a key is deleted: the fewest that KMS takes.
const DELETION_DAYS: u8 = 7;

/// A short text, "kmslab" in base64.
const TEXT: &str = "a21zbGFi";

/// What a grant lets test-user do: what a key user may do with the key itself.
const GRANTED: [&str; 6] = ["Decrypt", "DescribeKey", "Encrypt", "GenerateDataKey", "ReEncryptFrom", "ReEncryptTo"];

/// What the calls are made from.
#[derive(Debug, Clone)]
pub struct Ground<'a> {
    /// The run's names.
    pub names: &'a Names,
    /// The region.
    pub region: &'a str,
    /// The key's id.
    pub key: &'a str,
    /// The key's ARN.
    pub key_arn: &'a str,
    /// The key policy as the lab left it.
    pub policy: &'a str,
    /// The admin's principal, by ARN.
    pub admin: String,
    /// test-user's principal, by ARN.
    pub user: String,
    /// The policy that the lab has given test-user.
    pub user_policy: UserPolicy,
    /// The ARN of a table of the lab's account, but for its name.
    pub tables: String,
    /// What Encrypt gave.
    pub ciphertext: &'a str,
    /// Whether changes may take a while to be seen everywhere: everywhere but on the sandbox.
    pub eventually_consistent: bool,
}

/// A part of an experiment.
#[derive(Debug, Clone, PartialEq)]
pub enum Step {
    /// These calls.
    Send(Batch),
    /// Nothing, until DynamoDB has no table key in memory any more.
    Idle,
}

fn send<const N: usize>(calls: [(Identity, Operation); N]) -> Step {
    Step::Send(Batch { calls: calls.into(), until: Until::Answered, tolerant: false })
}

/// A call that may be refused: that is what the experiment is about.
fn try_out<const N: usize>(calls: [(Identity, Operation); N]) -> Step {
    Step::Send(Batch { calls: calls.into(), until: Until::Answered, tolerant: true })
}

fn admin(operation: Operation) -> Step {
    send([(Identity::Admin, operation)])
}

fn waiting(operation: Operation, until: Until) -> Batch {
    Batch { calls: vec![(Identity::Admin, operation)], until, tolerant: true }
}

impl Ground<'_> {
    fn key(&self) -> String {
        self.key.to_owned()
    }

    fn put_policy(&self, policy: Result<String, KeyPolicyError>) -> Result<Step, KeyPolicyError> {
        Ok(admin(Operation::PutKeyPolicy { key: self.key(), policy: policy? }))
    }

    /// test-user's statements leave the key policy.
    fn without_user(&self) -> Result<Step, KeyPolicyError> {
        self.put_policy(policies::without(self.policy, &self.user))
    }

    fn put_user_policy(&self, policy: String) -> Step {
        let (user, name) = (self.names.user.clone(), POLICY_NAME.to_owned());
        admin(Operation::PutUserPolicy { user, name, policy })
    }

    fn allow_in_iam(&self) -> Step {
        self.put_user_policy(policies::of_user(self.key_arn))
    }

    fn scan(&self) -> Operation {
        Operation::Scan { table: self.names.table.clone() }
    }

    fn both_scan(&self) -> Step {
        try_out(Identity::BOTH.map(|identity| (identity, self.scan())))
    }

    fn user_scans(&self) -> Step {
        try_out([(Identity::TestUser, self.scan())])
    }

    /// A call of test-user that the lab has allowed: where the last experiment has just been undone, that may not be
    /// seen everywhere yet.
    fn still_allowed(&self, operation: Operation) -> Step {
        let until = if self.eventually_consistent { Until::NothingDenied } else { Until::Answered };
        Step::Send(Batch { calls: vec![(Identity::TestUser, operation)], until, tolerant: false })
    }

    /// A new table with the sample items, read by test-user, who has no key.
    fn on_table(&self, table: BenchTable) -> Result<Vec<Step>, KeyPolicyError> {
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

    fn grant(&self) -> Step {
        admin(Operation::CreateGrant {
            key: self.key(),
            grantee: self.user.clone(),
            operations: GRANTED.map(str::to_owned).to_vec(),
            name: GRANT_NAME.to_owned(),
        })
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
pub fn steps(which: Experiment, ground: &Ground<'_>) -> Result<Vec<Step>, KeyPolicyError> {
    use Operation as O;
    let (policy, user) = (ground.policy, &ground.user);
    Ok(match which {
        Experiment::DisableKey => vec![admin(O::DisableKey { key: ground.key() }), Step::Idle, ground.both_scan()],
        Experiment::ExplicitDeny => {
            vec![ground.put_policy(policies::denying(policy, user))?, Step::Idle, ground.both_scan()]
        }
        Experiment::IamAllow => {
            vec![ground.allow_in_iam(), ground.without_user()?, Step::Idle, ground.user_scans()]
        }
        Experiment::NoRootStatement => vec![
            ground.allow_in_iam(),
            ground.put_policy(policies::not_left_to_iam(policy, user, &ground.admin))?,
            Step::Idle,
            ground.both_scan(),
        ],
        Experiment::KeyWithoutDynamodb => ground.without_dynamodb(),
        Experiment::AwsOwnedKey => ground.on_table(BenchTable::AwsOwned)?,
        Experiment::AwsManagedKey => ground.on_table(BenchTable::AwsManaged)?,
        Experiment::RevokeCache => vec![
            ground.still_allowed(ground.scan()),
            ground.without_user()?,
            ground.user_scans(),
            Step::Idle,
            ground.user_scans(),
        ],
        Experiment::KeyAdmin => {
            vec![ground.put_policy(policies::administered(policy, user))?, Step::Idle, ground.user_scans()]
        }
        Experiment::ViaServiceOnly => vec![
            ground.user_encrypts(Context::new()),
            ground.put_policy(policies::through_dynamodb(policy, user, ground.region))?,
            Step::Idle,
            ground.user_scans(),
            try_out(ground.user_decrypts(Context::new())),
        ],
        Experiment::KmsGrant => vec![ground.without_user()?, ground.grant(), Step::Idle, ground.user_scans()],
        Experiment::WrongContext => vec![
            ground.user_encrypts(context("lab")),
            send(ground.user_decrypts(context("lab"))),
            try_out(ground.user_decrypts(context("party"))),
        ],
        Experiment::Rotate => vec![admin(O::RotateKeyOnDemand { key: ground.key() }), Step::Idle, ground.both_scan()],
        Experiment::ScheduleDeletion => vec![
            admin(O::ScheduleKeyDeletion { key: ground.key(), days: DELETION_DAYS }),
            Step::Idle,
            ground.both_scan(),
            admin(O::CancelKeyDeletion { key: ground.key() }),
            admin(O::DescribeKey { key: ground.key() }),
            ground.both_scan(),
        ],
    })
}

/// What takes `change` back.
pub fn undo(change: &Change, ground: &Ground<'_>) -> Batch {
    use Operation as O;
    let key = || ground.key();
    let user = || ground.names.user.clone();
    let once = |operation| waiting(operation, Until::Answered);
    match change {
        Change::KeyPolicy => once(O::PutKeyPolicy { key: key(), policy: ground.policy.to_owned() }),
        Change::Disabled => once(O::EnableKey { key: key() }),
        Change::Deletion => once(O::CancelKeyDeletion { key: key() }),
        Change::Detached => once(ground.user_policy.clone().put(user())),
        Change::Inline => once(O::DeleteUserPolicy { user: user(), name: POLICY_NAME.to_owned() }),
        Change::Grant(Some(id)) => once(O::RevokeGrant { key: key(), grant_id: id.clone() }),
        Change::Grant(None) => once(O::ListGrants { key: key() }),
        Change::Table(table) => waiting(O::DeleteTable { table: table.name(ground.names) }, Until::TableDeletable),
        Change::Going(table) => waiting(O::DescribeTable { table: table.name(ground.names) }, Until::TableGone),
    }
}

/// The calls of `which`, before anything is known: what the screen shows until Enter is pressed.
pub fn outline(which: Experiment, user_policy: UserPolicy) -> Vec<(Identity, String)> {
    let names = Names::new("");
    let ground = Ground {
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
    let calls = steps(which, &ground).unwrap_or_default().into_iter().flat_map(|step| match step {
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
