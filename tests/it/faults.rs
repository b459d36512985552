//! Every stage with faults put in on purpose, by the real clients against the real sandbox.

#[cfg(unix)]
mod disk;
mod replay;
mod uncertain;
mod waits;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use kmslab::aws::{Clients, Timing};
use kmslab::lab::{
    Backend, BackendKind, Effect, Event, Exchange, Identity, Intent, Names, Operation, Report, Stage, State, Verdict,
};
use kmslab::run::cleanup::{Consent, Outcome, Scope, Target, Work, clean};
use kmslab::run::effects::EffectHandler;
use kmslab::run::journal::{self, Journal, Journals};
use rstest::rstest;
use tokio::runtime::Runtime;
use tokio::sync::mpsc::UnboundedReceiver;

use crate::support::drive::press;
use crate::support::proxy::{Canned, Fault, Plan, Proxy};

/// The lab on the broken server. Pauses between attempts are not slept.
struct Lab {
    proxy: Proxy,
    runtime: Runtime,
    state: State,
    world: EffectHandler,
    journals: tempfile::TempDir,
    events: UnboundedReceiver<Event>,
    /// Every answered call.
    answered: Vec<Exchange>,
    exited: bool,
    /// Milliseconds of pauses, at their shortest, after which the broken call is healed.
    heals_after: Option<u64>,
}

/// Waits as in the product, except that an answer that never comes is given up soon and pauses are short.
fn timing(fault: Option<Fault>, attempts: u32) -> Timing {
    let attempt = Duration::from_millis(if fault == Some(Fault::Stall) { 2_000 } else { 30_000 });
    Timing { attempts: Some(attempts), first_pause: Some(Duration::from_millis(1)), attempt, ..Timing::default() }
}

impl Lab {
    fn new(timing: Timing) -> Lab {
        Lab::on(Proxy::new(), timing)
    }

    fn on(proxy: Proxy, timing: Timing) -> Lab {
        let admin = proxy.sandbox.admin();
        let clients =
            Clients::with_keys(&proxy.url(), "us-east-1", &admin.access_key_id, &admin.secret_access_key, timing);
        let backend = Backend {
            kind: BackendKind::Endpoint,
            region: "us-east-1".into(),
            endpoint: Some(proxy.url()),
            given_user: false,
        };
        let journals = tempfile::tempdir().unwrap();
        // Old enough that what is not listed is not there.
        let names = Names::new("faulty").created("2026-01-01T00:00:00Z".to_owned());
        let journal = Journal::new(Some(journals.path().join("runs")), journal::head(&names, &backend, None));
        let (world, events) = EffectHandler::new(clients);
        let world = world.with_journal(Some(Arc::new(journal)));
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let state = State::new(backend, names);
        Lab { proxy, runtime, state, world, journals, events, answered: Vec::new(), exited: false, heals_after: None }
    }

    /// Takes `intent` in and waits until nothing is under way any more.
    fn press(&mut self, intent: Intent) {
        let Lab { proxy, runtime, state, world, events, answered, exited, heals_after, .. } = self;
        runtime.block_on(press(intent, state, world, events, |_, effect| {
            match effect {
                Effect::After { millis, .. } => {
                    // The world makes a pause up to a fifth shorter.
                    *heals_after = heals_after.map(|left| left.saturating_sub(millis * 4 / 5));
                    if *heals_after == Some(0) {
                        proxy.pass();
                    }
                }
                Effect::Exit => *exited = true,
                Effect::Report(Report::Call(call)) => answered.push((**call).clone()),
                _ => {}
            }
            true
        }));
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

    /// The end of a lab that is killed: what it has made stays, and so does its journal.
    fn die(self) -> Dead {
        let Lab { proxy, runtime, state, journals, .. } = self;
        drop(runtime);
        Dead { proxy, folder: journals.path().join("runs"), _journals: journals, names: state.names().clone() }
    }

    /// Asks the sandbox itself, past the proxy.
    fn assert_nothing_is_left(&self, context: &str) {
        assert_eq!(self.state.leftovers(), Vec::<String>::new(), "{context}");
        assert_nothing_is_left(&self.proxy, self.state.names(), context);
    }
}

/// A lab that was killed.
struct Dead {
    proxy: Proxy,
    folder: PathBuf,
    _journals: tempfile::TempDir,
    names: Names,
}

impl Dead {
    /// Checks that the journal is true, and that `kmslab cleanup` removes everything by it.
    fn assert_clean_up_leaves_nothing(&self, context: &str) {
        self.assert_the_journal_is_true(context);
        let (outcome, printed) = self.clean_up(true, false);
        assert_eq!(outcome, Outcome::Clean, "{context}: {printed}");
        assert_eq!(self.journal(), None, "{context}");
        assert_nothing_is_left(&self.proxy, &self.names, context);
    }

    /// `kmslab cleanup`, by the journals or by tags alone; `on_aws` has it take the server for AWS.
    fn clean_up(&self, by_journal: bool, on_aws: bool) -> (Outcome, String) {
        let admin = self.proxy.sandbox.admin();
        let (id, secret) = (&admin.access_key_id, &admin.secret_access_key);
        let clients = Clients::with_keys(&self.proxy.url(), "us-east-1", id, secret, timing(None, 1));
        let endpoint = (!on_aws).then(|| self.proxy.url());
        let target = Target { endpoint, region: "us-east-1".into(), admin_profile: None };
        let folder = by_journal.then_some(self.folder.as_path());
        let journals = folder.map(|folder| Journals::read(folder).unwrap()).unwrap_or_default();
        assert!(journals.living.is_empty() && journals.unreadable.is_empty(), "{journals:?}");
        let nobody = |_: &str| Ok(None);
        let everyones = Consent { accepted: Some("111122223333"), ask: &nobody };
        let scope = if by_journal { Scope::Own } else { Scope::All(&everyones) };
        let work = Work { clients: &clients, target: &target, folder, scope, older_than: None, dry_run: false };
        let mut out = Vec::new();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let outcome = runtime.block_on(clean(&work, journals.left, &mut None, &mut out)).0;
        (outcome, String::from_utf8(out).unwrap())
    }

    fn journal(&self) -> Option<String> {
        std::fs::read_to_string(self.folder.join("faulty.jsonl")).ok()
    }

    /// Every creating call that the server has done is in the journal, and it says of none that it was refused.
    fn assert_the_journal_is_true(&self, context: &str) {
        let journal = self.journal().unwrap_or_default();
        for decision in self.proxy.sandbox.decisions() {
            let Some((_, call)) = decision.action.split_once(':') else { continue };
            let is_journaled = CREATING.iter().any(|(_, creating)| *creating == call);
            if is_journaled && decision.decision.is_allowed() {
                assert!(journal.contains(&format!(r#"{{"intent":"{call}","#)), "{context}: {call} is not in {journal}");
                let refused = journal.lines().any(|line| {
                    line.starts_with(&format!(r#"{{"result":"{call}""#)) && line.ends_with(r#""ok":false}"#)
                });
                assert!(!refused, "{context}: {call} was done, and the journal says no: {journal}");
            }
        }
    }
}

/// Asks the sandbox itself, past the proxy.
fn assert_nothing_is_left(proxy: &Proxy, names: &Names, context: &str) {
    let admin = proxy.sandbox.admin();
    let url = proxy.sandbox.url();
    let clients = Clients::for_sandbox(url, "us-east-1", &admin.access_key_id, &admin.secret_access_key);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let ask = |operation| runtime.block_on(clients.call(Identity::Admin, &operation)).response.unwrap();
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

/// Of each stage the calls that are broken one after the other: in run number n the n-th of each stage, if it has one.
const CALLS: [(Stage, &[&str]); 9] = [
    (Stage::Who, &["GetCallerIdentity"]),
    (Stage::CreateKey, &["CreateKey", "CreateAlias", "DescribeKey", "GetKeyPolicy"]),
    (Stage::CreateTable, &["CreateTable", "DescribeTable", "PutItem"]),
    (Stage::ViewAdmin, &["Scan"]),
    (Stage::CreateUser, &["CreateUser", "PutUserPolicy", "CreateAccessKey", "GetCallerIdentity"]),
    (Stage::ViewDenied, &["Scan"]),
    (Stage::Grant, &["GetKeyPolicy", "PutKeyPolicy"]),
    (Stage::ViewAgain, &["Scan"]),
    (
        Stage::CleanUp,
        &["DeleteTable", "ScheduleKeyDeletion", "DeleteAlias", "DeleteUser", "DeleteAccessKey", "DeleteUserPolicy"],
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
fn every_failed_stage_names_a_remedy_and_can_be_retried(
    #[case] fault: Fault,
    #[case] cause: &str,
    #[case] remedy: &str,
) {
    for run in 0..CALLS.iter().map(|(_, calls)| calls.len()).max().unwrap() {
        let mut lab = Lab::new(timing(Some(fault), 1));
        // Throttling is waited for, and the fault is there to stay.
        lab.state = lab.state.with_wait(Some(1));
        for (stage, calls) in CALLS {
            let Some(call) = calls.get(run) else {
                lab.run_to(stage);
                assert!(lab.observed(stage).0, "{:?}", lab.observed(stage));
                continue;
            };
            let context = format!("{} {call}, {fault:?}", stage.key());
            if lab.state.view().shown < stage {
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

/// What creates or changes something.
const CREATING: [(Stage, &str); 7] = [
    (Stage::CreateKey, "CreateKey"),
    (Stage::CreateKey, "CreateAlias"),
    (Stage::CreateTable, "CreateTable"),
    (Stage::CreateUser, "CreateUser"),
    (Stage::CreateUser, "PutUserPolicy"),
    (Stage::CreateUser, "CreateAccessKey"),
    (Stage::Grant, "PutKeyPolicy"),
];

#[rstest]
fn a_lab_killed_at_a_fault_has_a_true_journal(
    #[values(
        Fault::Refused,
        Fault::ResetMidBody,
        Fault::Truncated,
        Fault::Stall,
        Fault::UnknownFields,
        Fault::Error(INTERNAL),
        Fault::ErrorAfterwards(INTERNAL),
        Fault::Error(SLOW_DOWN),
        Fault::Error(THROTTLED),
        Fault::Error(EXPIRED),
        Fault::Error(SKEWED),
        Fault::Error(ELSEWHERE)
    )]
    fault: Fault,
) {
    // Of what creates nothing, one call a stage; the stages that only scan leave the same.
    let others = [
        (Stage::Who, "GetCallerIdentity"),
        (Stage::CreateTable, "DescribeTable"),
        (Stage::ViewDenied, "Scan"),
        (Stage::CleanUp, "DeleteTable"),
    ];
    for (stage, call) in CREATING.into_iter().chain(others) {
        let mut lab = Lab::new(timing(Some(fault), 1));
        if let Some(before) = stage.previous() {
            lab.run_to(before);
            lab.press(Intent::Advance);
        }
        lab.break_call(fault, (stage, call), usize::MAX);
        lab.press(Intent::Advance);
        lab.proxy.set(None);
        let context = format!("{} {call}, {fault:?}", stage.key());
        let dead = lab.die();
        dead.assert_clean_up_leaves_nothing(&context);
    }
}

/// A lab that died when all was made.
fn dead() -> Dead {
    let mut lab = Lab::new(timing(None, 1));
    lab.run_to(Stage::ViewAgain);
    lab.die()
}

const DENIED: Canned = Canned(400, "AccessDeniedException", "AccessDenied", "User: u is not authorized to perform: it");
const NOT_FOUND: Canned = Canned(400, "ResourceNotFoundException", "NoSuchEntity", "Requested resource not found");

#[rstest]
#[case::denied_of_every_key("ListResourceTags", DENIED, "kms:ListResourceTags: AccessDenied")]
#[case::broken("ListResourceTags", INTERNAL, "kms:ListResourceTags: InternalFailure")]
#[case::of_a_table("ListTagsOfResource", DENIED, "dynamodb:ListTagsOfResource: AccessDenied")]
#[case::of_a_table_not_known_yet("ListTagsOfResource", NOT_FOUND, "dynamodb:ListTagsOfResource: ResourceNotFound")]
#[case::of_a_user("ListUserTags", DENIED, "iam:ListUserTags: AccessDenied")]
fn unreadable_tags_are_reported_and_not_taken_for_gone(
    #[case] operation: &'static str,
    #[case] error: Canned,
    #[case] says: &str,
    #[values(true, false)] by_journal: bool,
) {
    let mut dead = dead();
    dead.proxy.set(Some(Plan { fault: Fault::Error(error), operation, as_admin: true, times: usize::MAX }));
    let (outcome, printed) = dead.clean_up(by_journal, false);
    assert_eq!(outcome, Outcome::Survivors, "{printed}");
    assert!(printed.contains(&format!("not seen     {says}")), "{printed}");
    assert!(!printed.contains("nothing is left"), "{printed}");
    assert!(dead.journal().is_some());
    dead.proxy.set(None);
    assert_eq!(dead.clean_up(true, false).0, Outcome::Clean);
    assert_nothing_is_left(&dead.proxy, &dead.names, operation);
}

#[test]
fn a_scan_of_tags_that_is_throttled_goes_on_when_it_may() {
    let mut dead = dead();
    let fault = Fault::Error(THROTTLED);
    dead.proxy.set(Some(Plan { fault, operation: "ListResourceTags", as_admin: true, times: 3 }));
    let (outcome, printed) = dead.clean_up(false, false);
    assert_eq!((outcome, dead.proxy.struck()), (Outcome::Clean, 3), "{printed}");
    assert_nothing_is_left(&dead.proxy, &dead.names, &printed);
}

#[test]
fn another_accounts_journal_is_kept_and_reported() {
    let dead = dead();
    let path = dead.folder.join("faulty.jsonl");
    let ours = dead.journal().unwrap();
    assert!(ours.lines().next().unwrap().contains(r#""account":"111122223333""#), "{ours}");
    std::fs::write(&path, ours.replace(r#""account":"111122223333""#, r#""account":"444455556666""#)).unwrap();
    let (outcome, printed) = dead.clean_up(true, false);
    assert_eq!(outcome, Outcome::Survivors, "{printed}");
    assert!(printed.contains("run faulty made is in account 444455556666; these credentials are of 111122223333"));
    assert!(dead.journal().is_some());
}

#[rstest]
#[case::long_ago("2026-01-01T00:00:00Z", Outcome::Clean)]
#[case::just_now("9999-01-01T00:00:00Z", Outcome::Survivors)]
fn on_aws_a_new_key_that_is_not_listed_is_not_taken_for_gone(#[case] started: &str, #[case] expected: Outcome) {
    let mut lab = Lab::new(timing(Some(Fault::Error(INTERNAL)), 1));
    lab.run_to(Stage::Who);
    lab.press(Intent::Advance);
    lab.break_call(Fault::Error(INTERNAL), (Stage::CreateKey, "CreateKey"), usize::MAX);
    lab.press(Intent::Advance);
    lab.proxy.set(None);
    let dead = lab.die();
    let journal = dead.journal().unwrap().replace("2026-01-01T00:00:00Z", started);
    std::fs::write(dead.folder.join("faulty.jsonl"), journal).unwrap();
    let (outcome, printed) = dead.clean_up(true, true);
    assert_eq!(outcome, expected, "{printed}");
    assert_eq!(dead.journal().is_some(), expected == Outcome::Survivors);
    assert_eq!(printed.contains("left: perhaps a key of run faulty"), expected == Outcome::Survivors, "{printed}");
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
    for (stage, call) in CREATING.into_iter().filter(|(stage, _)| *stage != Stage::Grant) {
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
        if is_lost && call != "PutUserPolicy" {
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

const UNKNOWN: Canned =
    Canned(403, "UnrecognizedClientException", "InvalidClientTokenId", "The security token is invalid");
const PRINCIPAL: Canned = Canned(
    400,
    "MalformedPolicyDocumentException",
    "MalformedPolicyDocument",
    "Policy contains a statement with one or more invalid principals.",
);
const NO_POLICY: Canned = Canned(
    400,
    "AccessDeniedException",
    "AccessDenied",
    "User: arn:aws:iam::111122223333:user/u is not authorized to perform: dynamodb:Scan on resource: t because no \
     identity-based policy allows the dynamodb:Scan action",
);

/// What is not known everywhere at once: credentials at STS and at DynamoDB, the user's policy, the user to KMS, and the
/// key policy. Stage, call, what is answered until it is known, what the lab says that it waits for.
const SLOWLY_KNOWN: [(Stage, &str, Fault, &str); 5] = [
    (Stage::CreateUser, "GetCallerIdentity", Fault::Error(UNKNOWN), "the new access key to take effect"),
    (Stage::ViewDenied, "Scan", Fault::Error(UNKNOWN), "DynamoDB to see the new user's policy and key"),
    (Stage::ViewDenied, "Scan", Fault::Error(NO_POLICY), "DynamoDB to see the new user's policy and key"),
    (Stage::Grant, "PutKeyPolicy", Fault::Error(PRINCIPAL), "KMS to see the new user"),
    (Stage::ViewAgain, "Scan", Fault::AsBefore, "the new key policy to take effect everywhere"),
];

#[test]
fn changes_that_take_30_s_to_spread_are_waited_for() {
    for (stage, call, fault, what) in SLOWLY_KNOWN {
        let mut lab = Lab::new(timing(None, 1));
        lab.run_to(stage.previous().unwrap());
        lab.press(Intent::Advance);
        lab.break_call(fault, (stage, call), usize::MAX);
        lab.heals_after = Some(30_000);
        lab.run_to(stage);
        assert!(lab.observed(stage).0, "{what}: {:?}", lab.observed(stage));
        // 0.1, 0.2, 0.4, 0.8 and 1.6 s, then 3 s each, all a fifth shorter where chance will have it so: 30 s are over
        // after 17 pauses, so 17 requests are refused and the 18th is the first that is not.
        assert_eq!(lab.proxy.struck(), 17, "{what}");
        let last = lab.answered.iter().rfind(|e| e.stage == stage && e.operation.name() == call && e.attempt == 18);
        assert!(last.is_some(), "{what}");
        lab.run_to(Stage::CleanUp);
        assert_eq!(lab.state.met(), 9, "{what}");
        lab.assert_nothing_is_left(what);
    }
}

#[test]
fn what_stays_unknown_can_be_waited_for_again() {
    for (stage, call, fault, what) in SLOWLY_KNOWN {
        let mut lab = Lab::new(timing(None, 1));
        lab.run_to(stage.previous().unwrap());
        lab.press(Intent::Advance);
        lab.break_call(fault, (stage, call), usize::MAX);
        lab.press(Intent::Advance);
        let (met, observed) = lab.observed(stage);
        assert!(!met && observed.starts_with(&format!("gave up waiting for {what} after 4")), "{observed}");
        let message = lab.state.view().message.clone().unwrap();
        assert!(message.contains("r: wait again · Enter: go on"), "{message}");
        lab.proxy.set(None);
        lab.press(Intent::Retry);
        assert!(lab.observed(stage).0, "{:?}", lab.observed(stage));
        lab.run_to(Stage::CleanUp);
        assert_eq!(lab.state.met(), 9);
        lab.assert_nothing_is_left(what);
    }
}
