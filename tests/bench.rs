//! The break-it bench, by the real clients against the real sandbox: what each experiment claims comes, and afterwards
//! everything is as it was.
#![expect(clippy::unwrap_used, reason = "helpers of tests fail where they stand, like the tests themselves")]

#[path = "common/proxy.rs"]
mod proxy;

use std::time::Duration;

use kmslab::aws::{Clients, Timing};
use kmslab::lab::bench::{BenchTable, Change};
use kmslab::lab::{
    Backend, BackendKind, Check, Effect, Event, Experiment, Identity, Intent, Names, Operation, Quiz, Stage, State,
    Status,
};
use kmslab::run::world::World;
use kmslab::sandbox::{Config, Sandbox};
use proptest::prelude::*;
use rstest::rstest;
use serde_json::Value;
use tokio::runtime::Runtime;
use tokio::sync::mpsc::UnboundedReceiver;

/// A lab after its last reading, on a server.
struct Lab {
    runtime: Runtime,
    state: State,
    world: World,
    events: UnboundedReceiver<Event>,
    /// Past anything that stands before the sandbox.
    sandbox_clients: Clients,
    /// Every timer that was set.
    waited: Vec<u64>,
    /// How often the clock was moved.
    moved: usize,
    exited: bool,
}

/// Everything that an experiment may change.
#[derive(Debug, Clone, PartialEq)]
struct Snapshot {
    policy: String,
    key_state: String,
    grants: Vec<Value>,
    attached: Vec<String>,
    inline: Vec<String>,
    tables: Vec<String>,
    user_reads: bool,
}

fn clients(sandbox: &Sandbox, url: &str) -> Clients {
    let admin = sandbox.admin();
    let timing = Timing {
        attempts: Some(1),
        first_pause: Some(Duration::from_millis(1)),
        attempt: Duration::from_secs(30),
        ..Timing::default()
    };
    Clients::with_keys(url, sandbox.region(), &admin.access_key_id, &admin.secret_access_key, timing)
}

impl Lab {
    fn new(sandbox: &Sandbox, url: &str, kind: BackendKind) -> Lab {
        let backend = Backend {
            kind,
            region: sandbox.region().to_owned(),
            endpoint: Some(url.to_owned()),
            given_user: false,
        };
        let (world, events) = World::new(clients(sandbox, url));
        let mut lab = Lab {
            runtime: tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap(),
            state: State::new(backend, Names::new("bench1")),
            world,
            events,
            sandbox_clients: clients(sandbox, sandbox.url()),
            waited: Vec::new(),
            moved: 0,
            exited: false,
        };
        while lab.state.check(Stage::ViewAgain).is_none() {
            lab.press(Intent::Advance);
        }
        assert_eq!((lab.state.met(), lab.state.ended()), (8, 8));
        lab
    }

    /// Takes `intent` in and waits until nothing is under way any more.
    fn press(&mut self, intent: Intent) {
        self.runtime.block_on(async {
            let mut waiting = vec![Event::Intent(intent)];
            loop {
                while let Some(event) = waiting.pop() {
                    for effect in self.state.update(event) {
                        match effect {
                            Effect::After { timer, millis } => {
                                self.waited.push(millis);
                                waiting.push(Event::TimerFired(timer));
                            }
                            Effect::Exit => self.exited = true,
                            Effect::Advance { .. } => {
                                self.moved += 1;
                                drop(self.world.perform(effect));
                            }
                            effect => drop(self.world.perform(effect)),
                        }
                    }
                }
                if !self.state.is_running() {
                    return;
                }
                waiting.push(self.events.recv().await.unwrap());
            }
        });
    }

    /// Shows `which`.
    fn show(&mut self, which: Experiment) {
        if self.state.view.bench.is_some() {
            self.press(Intent::ToggleBench);
        }
        self.press(Intent::ToggleBench);
        self.press(Intent::MoveCursor(i8::MIN));
        self.press(Intent::MoveCursor(which.index().try_into().unwrap()));
        self.press(Intent::Advance);
        assert_eq!(self.state.view.bench, Some(which));
    }

    /// Tries `which`, or tries it again.
    fn try_out(&mut self, which: Experiment) -> Check {
        self.show(which);
        let is_new = self.state.bench.record(which).status == Status::Todo;
        self.press(if is_new { Intent::Advance } else { Intent::Retry });
        self.verdict(which)
    }

    fn verdict(&self, which: Experiment) -> Check {
        match &self.state.bench.record(which).status {
            Status::Done(check) => check.clone(),
            other => panic!("{which:?} is {other:?}"),
        }
    }

    fn ask(&self, identity: Identity, operation: &Operation) -> (u16, Value) {
        let answer = self.runtime.block_on(self.sandbox_clients.call(identity, operation));
        answer.response.map(|response| (response.status, response.body)).unwrap()
    }

    fn snapshot(&mut self, sandbox: &Sandbox) -> Snapshot {
        let key = self.state.facts.key_id().unwrap().to_owned();
        let names = self.state.names.clone();
        let (_, policy) = self.ask(Identity::Admin, &Operation::GetKeyPolicy { key: key.clone() });
        let (_, described) = self.ask(Identity::Admin, &Operation::DescribeKey { key: key.clone() });
        let (_, grants) = self.ask(Identity::Admin, &Operation::ListGrants { key });
        let found = self.runtime.block_on(self.sandbox_clients.inventory(&Default::default())).unwrap();
        let user = found.users.iter().find(|user| user.name == names.user).unwrap();
        // From now on nobody has a table key in memory.
        sandbox.advance(Duration::from_secs(301));
        Snapshot {
            policy: policy["Policy"].as_str().unwrap().to_owned(),
            key_state: described["KeyMetadata"]["KeyState"].as_str().unwrap().to_owned(),
            grants: grants["Grants"].as_array().unwrap().clone(),
            attached: user.attached_policies.clone(),
            inline: user.inline_policies.clone(),
            tables: found.tables.iter().map(|table| table.name.clone()).collect(),
            user_reads: self.user_reads(),
        }
    }

    /// Whether test-user's Scan is allowed: the lab's own last reading, sent again.
    fn user_reads(&mut self) -> bool {
        let before = self.state.clone();
        (self.state.view.bench, self.state.view.overlay) = (None, None);
        self.press(Intent::Retry);
        let met = self.state.check(Stage::ViewAgain).unwrap().met;
        self.state = before;
        met
    }
}

fn sandbox() -> Sandbox {
    Sandbox::start(Config { seed: Some(7), ..Config::default() }).unwrap()
}

#[rstest]
#[case(Experiment::DisableKey, "admin FAILED: DisabledException, test-user FAILED: DisabledException")]
#[case(Experiment::ExplicitDeny, "admin ALLOWED, test-user DENIED on kms:Decrypt")]
#[case(Experiment::IamAllow, "test-user ALLOWED")]
#[case(Experiment::NoRootStatement, "admin ALLOWED, test-user DENIED on kms:Decrypt")]
#[case(Experiment::KeyWithoutDynamodb, "test-user DENIED on dynamodb:Scan")]
#[case(Experiment::AwsOwnedKey, "test-user ALLOWED")]
#[case(Experiment::AwsManagedKey, "test-user ALLOWED")]
#[case(Experiment::RevokeCache, "at once test-user ALLOWED, once idle test-user DENIED on kms:Decrypt")]
#[case(Experiment::KeyAdmin, "test-user DENIED on kms:Decrypt")]
#[case(Experiment::ViaServiceOnly, "Scan: test-user ALLOWED; Decrypt: test-user DENIED on kms:Decrypt")]
#[case(Experiment::KmsGrant, "test-user ALLOWED")]
#[case(
    Experiment::WrongContext,
    "the same context: test-user ALLOWED, another one: test-user FAILED: InvalidCiphertextException"
)]
#[case(Experiment::Rotate, "admin ALLOWED, test-user ALLOWED")]
#[case(Experiment::ScheduleDeletion, "admin FAILED: DisabledException, test-user FAILED: DisabledException")]
fn what_the_right_answer_claims_comes_and_is_undone(#[case] which: Experiment, #[case] observed: &str) {
    let sandbox = sandbox();
    let mut lab = Lab::new(&sandbox, sandbox.url(), BackendKind::Sandbox);
    let before = lab.snapshot(&sandbox);
    assert_eq!((before.key_state.as_str(), before.user_reads), ("Enabled", true));
    for round in 0..2 {
        let check = lab.try_out(which);
        assert_eq!(check, Check { met: true, observed: observed.to_owned() }, "round {round}");
        assert_eq!(lab.state.bench.changes(), []);
        assert_eq!(lab.snapshot(&sandbox), before, "round {round}");
    }
    // Under a second: nothing is waited for.
    assert_eq!(lab.waited, Vec::<u64>::new());
    assert_eq!(lab.state.facts.key.as_ref().unwrap()["KeyState"], "Enabled");
}
