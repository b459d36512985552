//! Every stage with faults put in on purpose, by the real clients against the real sandbox.
#![expect(clippy::unwrap_used, reason = "helpers of tests fail where they stand, like the tests themselves")]

#[path = "common/message.rs"]
mod message;
#[path = "common/proxy.rs"]
mod proxy;

use std::time::Duration;

use kmslab::aws::{Clients, Timing};
use kmslab::lab::{
    Backend, BackendKind, Effect, Event, Exchange, Identity, Intent, Names, Operation, Stage, State, Verdict,
};
use kmslab::run::world::World;
use proxy::{Canned, Fault, Plan, Proxy};
use rstest::rstest;
use tokio::runtime::Runtime;
use tokio::sync::mpsc::UnboundedReceiver;

/// The lab on the broken server. Pauses between attempts are not slept.
struct Lab {
    proxy: Proxy,
    runtime: Runtime,
    state: State,
    world: World,
    events: UnboundedReceiver<Event>,
    /// Every answered call.
    answered: Vec<Exchange>,
    exited: bool,
}

/// Waits as in the product, except that an answer that never comes is given up soon and pauses are short.
fn timing(fault: Option<Fault>, attempts: u32) -> Timing {
    let attempt = Duration::from_millis(if fault == Some(Fault::Stall) { 500 } else { 30_000 });
    Timing { attempts: Some(attempts), first_pause: Some(Duration::from_millis(1)), attempt, ..Timing::default() }
}

impl Lab {
    fn new(timing: Timing) -> Lab {
        let proxy = Proxy::new();
        let admin = proxy.sandbox.admin();
        let clients =
            Clients::with_keys(&proxy.url(), "us-east-1", &admin.access_key_id, &admin.secret_access_key, timing);
        let backend = Backend {
            kind: BackendKind::Endpoint,
            region: "us-east-1".into(),
            endpoint: Some(proxy.url()),
            given_user: false,
        };
        let (world, events) = World::new(clients);
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let state = State::new(backend, Names::new("faulty"));
        Lab { proxy, runtime, state, world, events, answered: Vec::new(), exited: false }
    }

    /// Takes `intent` in and waits until nothing is under way any more.
    fn press(&mut self, intent: Intent) {
        self.runtime.block_on(async {
            let mut waiting = vec![Event::Intent(intent)];
            loop {
                while let Some(event) = waiting.pop() {
                    for effect in self.state.update(event) {
                        match effect {
                            Effect::After { timer, .. } => waiting.push(Event::TimerFired(timer)),
                            Effect::Exit => self.exited = true,
                            Effect::Report(kmslab::lab::Report::Call(call)) => self.answered.push((*call).clone()),
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

    fn run_to(&mut self, stage: Stage) {
        while self.state.check(stage).is_none() {
            self.press(Intent::Advance);
        }
    }

    fn break_call(&mut self, fault: Fault, (stage, operation): (Stage, &'static str), times: usize) {
        let as_admin = !matches!(
            (stage, operation),
            (Stage::CreateUser, "GetCallerIdentity") | (Stage::ViewDenied | Stage::ViewAgain, "Scan")
        );
        self.proxy.set(Some(Plan { fault, operation, as_admin, times }));
    }

    fn observed(&self, stage: Stage) -> (bool, &str) {
        let check = self.state.check(stage).unwrap();
        (check.met, &check.observed)
    }

    /// Asks the sandbox itself, past the proxy.
    fn assert_nothing_is_left(&self, context: &str) {
        assert_eq!(self.state.leftovers(), Vec::<String>::new(), "{context}");
        let (admin, names) = (self.proxy.sandbox.admin(), &self.state.names);
        let url = self.proxy.sandbox.url();
        let clients = Clients::for_sandbox(url, "us-east-1", &admin.access_key_id, &admin.secret_access_key);
        let ask = |operation| self.runtime.block_on(clients.call(Identity::Admin, &operation)).response.unwrap();
        let gone = [
            Operation::DescribeTable { table: names.table.clone() },
            Operation::ListAccessKeys { user: names.user.clone() },
            Operation::DescribeKey { key: names.alias.clone() },
        ];
        for operation in gone {
            let answer = ask(operation.clone());
            assert!(matches!(answer.status, 400 | 404), "{context}: {operation:?} is left: {answer:?}");
        }
        for key in ask(Operation::ListKeys).body["Keys"].as_array().unwrap() {
            let key = ask(Operation::DescribeKey { key: key["KeyId"].as_str().unwrap().to_owned() });
            assert_eq!(key.body["KeyMetadata"]["KeyState"], "PendingDeletion", "{context}: {key:?}");
        }
    }
}

/// Of each stage the calls that are broken one after the other: in run number n the n-th of each stage, if it has one.
const CALLS: [(Stage, &[&str]); 9] = [
    (Stage::Who, &["GetCallerIdentity"]),
    (Stage::CreateKey, &["CreateKey", "CreateAlias", "DescribeKey", "GetKeyPolicy"]),
    (Stage::CreateTable, &["CreateTable", "DescribeTable", "PutItem"]),
    (Stage::ViewAdmin, &["Scan"]),
    (Stage::CreateUser, &["CreateUser", "AttachUserPolicy", "CreateAccessKey", "GetCallerIdentity"]),
    (Stage::ViewDenied, &["Scan"]),
    (Stage::Grant, &["GetKeyPolicy", "PutKeyPolicy"]),
    (Stage::ViewAgain, &["Scan"]),
    (
        Stage::CleanUp,
        &["DeleteTable", "ScheduleKeyDeletion", "DeleteAlias", "DeleteUser", "DeleteAccessKey", "DetachUserPolicy"],
    ),
];

const INTERNAL: Canned = Canned(500, "InternalFailure", "InternalFailure", "The request failed inside.");
const SLOW_DOWN: Canned = Canned(503, "SlowDown", "SlowDown", "Please reduce your request rate.");
const THROTTLED: Canned = Canned(400, "ThrottlingException", "Throttling", "Rate exceeded");
const EXPIRED: Canned = Canned(400, "ExpiredTokenException", "ExpiredToken", "The security token is expired");
const SKEWED: Canned = Canned(
    403,
    "InvalidSignatureException",
    "SignatureDoesNotMatch",
    "Signature expired: 20260101T000000Z is now earlier than 20260101T001500Z (20260101T002000Z - 5 min.)",
);
const ELSEWHERE: Canned =
    Canned(403, "InvalidSignatureException", "SignatureDoesNotMatch", "Credential should be scoped to a valid region.");

#[rstest]
#[case::refused(Fault::Refused, "onnect", "check that the server runs")]
#[case::reset(Fault::ResetMidBody, "", "cut off")]
#[case::stall(Fault::Stall, "", "did not answer in time")]
#[case::truncated(Fault::Truncated, "", "cut off")]
#[case::internal(Fault::Error(INTERNAL), "inside", "is in trouble")]
#[case::internal_afterwards(Fault::ErrorAfterwards(INTERNAL), "inside", "is in trouble")]
#[case::slow_down(Fault::Error(SLOW_DOWN), "reduce", "wait a moment")]
#[case::throttled(Fault::Error(THROTTLED), "Rate exceeded", "wait a moment")]
#[case::expired(Fault::Error(EXPIRED), "expired", "sign in again")]
#[case::skewed(Fault::Error(SKEWED), "earlier than", "set this machine's clock")]
#[case::elsewhere(Fault::Error(ELSEWHERE), "valid region", "--region")]
fn every_stage_names_cause_and_remedy_goes_on_when_it_is_sent_again_and_leaves_nothing(
    #[case] fault: Fault,
    #[case] cause: &str,
    #[case] remedy: &str,
) {
    for run in 0..CALLS.iter().map(|(_, calls)| calls.len()).max().unwrap() {
        let mut lab = Lab::new(timing(Some(fault), 1));
        for (stage, calls) in CALLS {
            let Some(call) = calls.get(run) else {
                lab.run_to(stage);
                assert!(lab.observed(stage).0, "{:?}", lab.observed(stage));
                continue;
            };
            let context = format!("{} {call}, {fault:?}", stage.key());
            if lab.state.view.shown < stage {
                lab.press(Intent::Advance);
            }
            lab.break_call(fault, (stage, call), usize::MAX);
            lab.press(Intent::Advance);
            assert!(fault == Fault::Refused || lab.proxy.struck() > 0, "{context}: not struck");
            let (met, observed) = lab.observed(stage);
            // What clean-up did although its answer was lost is well, too, as far as that can be seen afterwards.
            assert!(!met || stage == Stage::CleanUp, "{context}: {observed}");
            let failed = lab.answered.iter().rev().find_map(|e| match &e.verdict {
                Verdict::Failed(f) if e.stage == stage && (fault == Fault::Refused || e.operation.name() == *call) => {
                    Some(f)
                }
                _ => None,
            });
            let failed = failed.unwrap_or_else(|| panic!("{context}: nothing failed: {observed}"));
            assert!(failed.message.contains(cause), "{context}: {failed:?}");
            assert!(failed.remedy.as_ref().is_some_and(|text| text.contains(remedy)), "{context}: {failed:?}");
            lab.proxy.set(None);
            if !lab.observed(stage).0 {
                assert!(lab.state.can_retry(), "{context}");
                lab.press(Intent::Retry);
            }
            assert!(lab.observed(stage).0, "{context}, again: {:?}", lab.observed(stage));
        }
        assert_eq!(lab.state.met(), 9);
        lab.assert_nothing_is_left(&format!("run {run}, {fault:?}"));
    }
}

#[rstest]
fn leaving_after_a_creation_that_failed_leaves_nothing(
    #[values(
        Fault::Refused,
        Fault::ResetMidBody,
        Fault::Truncated,
        Fault::Stall,
        Fault::Error(INTERNAL),
        Fault::ErrorAfterwards(INTERNAL),
        Fault::Error(EXPIRED)
    )]
    fault: Fault,
) {
    let creating = [
        (Stage::CreateKey, "CreateKey"),
        (Stage::CreateKey, "CreateAlias"),
        (Stage::CreateTable, "CreateTable"),
        (Stage::CreateUser, "CreateUser"),
        (Stage::CreateUser, "AttachUserPolicy"),
        (Stage::CreateUser, "CreateAccessKey"),
    ];
    for (stage, call) in creating {
        let mut lab = Lab::new(timing(Some(fault), 3));
        if let Some(before) = stage.previous() {
            lab.run_to(before);
        }
        lab.press(Intent::Advance);
        lab.break_call(fault, (stage, call), usize::MAX);
        lab.press(Intent::Advance);
        let context = format!("{call}, {fault:?}");
        assert!(!lab.observed(stage).0, "{context}");
        let is_lost = !matches!(fault, Fault::Refused | Fault::Error(EXPIRED));
        if is_lost && call != "AttachUserPolicy" {
            assert_eq!(lab.proxy.struck(), 1, "{context}: what may have been created is not created again");
            assert!(!lab.state.leftovers().is_empty(), "{context}: it may be there");
        }
        lab.proxy.set(None);
        lab.press(Intent::CleanUpAndQuit);
        assert!(lab.exited || lab.state.leftovers().is_empty(), "{context}");
        lab.assert_nothing_is_left(&context);
    }
}

#[rstest]
#[case::internal(Fault::Error(INTERNAL))]
#[case::slow_down(Fault::Error(SLOW_DOWN))]
#[case::throttled(Fault::Error(THROTTLED))]
#[case::reset(Fault::ResetMidBody)]
#[case::truncated(Fault::Truncated)]
fn the_sdk_tries_again_and_says_how_often(#[case] fault: Fault) {
    let mut lab = Lab::new(timing(None, 3));
    for (stage, call) in [(Stage::Who, "GetCallerIdentity"), (Stage::CreateKey, "GetKeyPolicy")] {
        if let Some(before) = stage.previous() {
            lab.run_to(before);
            lab.press(Intent::Advance);
        }
        lab.break_call(fault, (stage, call), 2);
        lab.run_to(stage);
        let exchange = lab.answered.iter().rfind(|e| e.operation.name() == call).unwrap();
        let (expected, met) = match fault {
            // An answer that came whole and makes no sense is not asked for again.
            Fault::Truncated => (1, false),
            _ => (3, true),
        };
        assert_eq!((exchange.answer.tries, lab.observed(stage).0), (expected, met), "{call}: {exchange:?}");
        lab.proxy.set(None);
    }
}

#[test]
fn what_no_sdk_knows_disturbs_nothing() {
    for (stage, calls) in CALLS {
        let mut lab = Lab::new(timing(None, 1));
        for call in calls.iter().take(2) {
            lab.break_call(Fault::UnknownFields, (stage, call), usize::MAX);
        }
        lab.run_to(Stage::CleanUp);
        assert!(lab.proxy.struck() > 0, "{}", stage.key());
        assert_eq!(lab.state.met(), 9, "{}", stage.key());
    }
}

#[test]
fn what_is_not_known_everywhere_yet_is_waited_for() {
    const UNKNOWN: Canned =
        Canned(403, "UnrecognizedClientException", "InvalidClientTokenId", "The security token is invalid");
    const PRINCIPAL: Canned = Canned(
        400,
        "MalformedPolicyDocumentException",
        "MalformedPolicyDocument",
        "Policy contains a statement with one or more invalid principals.",
    );
    let mut lab = Lab::new(timing(None, 1));
    for (stage, call, fault) in [
        (Stage::CreateUser, "GetCallerIdentity", Fault::Error(UNKNOWN)),
        (Stage::Grant, "PutKeyPolicy", Fault::Error(PRINCIPAL)),
        (Stage::ViewAgain, "Scan", Fault::AsBefore),
    ] {
        lab.run_to(stage.previous().unwrap());
        lab.press(Intent::Advance);
        lab.break_call(fault, (stage, call), 12);
        lab.run_to(stage);
        assert!(lab.observed(stage).0, "{:?}", lab.observed(stage));
        assert_eq!(lab.proxy.struck(), 12);
        let last = lab.answered.iter().rfind(|e| e.stage == stage && e.attempt == 13);
        assert!(last.is_some_and(Exchange::is_allowed), "{last:?}");
    }
    // Longer than the lab waits: a clear choice, and waiting again.
    for (stage, call, fault, what) in [
        (Stage::CreateUser, "GetCallerIdentity", Fault::Error(UNKNOWN), "the new access key to be known everywhere"),
        (Stage::Grant, "PutKeyPolicy", Fault::Error(PRINCIPAL), "the new user to be known to KMS"),
        (Stage::ViewAgain, "Scan", Fault::AsBefore, "the new key policy to be seen everywhere"),
    ] {
        let mut lab = Lab::new(timing(None, 1));
        lab.run_to(stage.previous().unwrap());
        lab.press(Intent::Advance);
        lab.break_call(fault, (stage, call), 20);
        lab.press(Intent::Advance);
        let (met, observed) = lab.observed(stage);
        assert!(!met && observed.starts_with(&format!("gave up waiting for {what} after 20 attempts: ")), "{observed}");
        let message = lab.state.view.message.clone().unwrap();
        assert!(message.contains("r: wait again · Enter: go on"), "{message}");
        lab.press(Intent::Retry);
        assert!(lab.observed(stage).0, "{:?}", lab.observed(stage));
        lab.run_to(Stage::CleanUp);
        assert_eq!(lab.state.met(), 9);
        lab.assert_nothing_is_left(what);
    }
}
