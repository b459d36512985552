//! The experiments, by the real clients against the real sandbox: what each experiment claims comes, and afterwards
//! everything is as it was.

use std::sync::Arc;
use std::time::Duration;

use kmslab::aws::{Clients, Timing};
use kmslab::lab::experiments::Change;
use kmslab::lab::{
    Backend, BackendKind, Check, Effect, Event, Experiment, Identity, Intent, Names, Operation, Page, Stage, State,
    Status,
};
use kmslab::run::cleanup::{Consent, Outcome, Scope, Target, Work, clean};
use kmslab::run::effects::EffectHandler;
use kmslab::run::journal::{self, Journal, Journals};
use kmslab::sandbox::{Config, Sandbox};
use kmslab::ui::{ColorLevel, Theme, ThemeName, render};
use proptest::prelude::*;
use ratatui::layout::Size;
use rstest::rstest;
use serde_json::Value;
use tokio::runtime::Runtime;
use tokio::sync::mpsc::UnboundedReceiver;

use crate::support::drive::press;
use crate::support::proxy::{Canned, Fault, Plan, Proxy};
use crate::support::things::{block_on, things};

/// A lab after its last reading, on a server.
struct Lab {
    runtime: Runtime,
    state: State,
    world: EffectHandler,
    events: UnboundedReceiver<Event>,
    /// Past anything that stands before the sandbox.
    sandbox_clients: Clients,
    /// Every timer that was set.
    waited: Vec<u64>,
    exited: bool,
    /// The lab dies where its first change would be undone.
    dies: bool,
    journals: tempfile::TempDir,
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
        let backend =
            Backend { kind, region: sandbox.region().to_owned(), endpoint: Some(url.to_owned()), given_user: false };
        let (world, events) = EffectHandler::new(clients(sandbox, url));
        let journals = tempfile::tempdir().unwrap();
        // Old enough that what is not listed is not there.
        let names = Names::new("bench1").created("2026-01-01T00:00:00Z".to_owned());
        let journal = Journal::new(Some(journals.path().to_owned()), journal::head(&names, &backend, None));
        let mut lab = Lab {
            runtime: tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap(),
            state: State::new(backend, names),
            world: world.with_journal((kind != BackendKind::Sandbox).then(|| Arc::new(journal))),
            events,
            sandbox_clients: clients(sandbox, sandbox.url()),
            waited: Vec::new(),
            exited: false,
            dies: false,
            journals,
        };
        while lab.state.check(Stage::ViewAgain).is_none() {
            lab.press(Intent::Advance);
        }
        assert_eq!((lab.state.met(), lab.state.ended()), (8, 8));
        lab
    }

    /// Takes `intent` in and waits until nothing is under way any more.
    fn press(&mut self, intent: Intent) {
        let Lab { runtime, state, world, events, waited, exited, dies, .. } = self;
        runtime.block_on(press(intent, state, world, events, |state, effect| {
            match effect {
                Effect::After { millis, .. } => waited.push(*millis),
                Effect::Exit => *exited = true,
                _ => {}
            }
            !(*dies && state.experiments().is_undoing())
        }));
    }

    /// Shows `which`.
    fn show(&mut self, which: Experiment) {
        if self.state.view().experiment.is_some() {
            self.press(Intent::ToggleExperiments);
        }
        self.press(Intent::ToggleExperiments);
        self.press(Intent::MoveCursor(i8::MIN));
        self.press(Intent::MoveCursor(which.index().try_into().unwrap()));
        self.press(Intent::Advance);
        assert_eq!(self.state.view().experiment, Some(which));
    }

    /// Tries `which`, or tries it again.
    fn try_out(&mut self, which: Experiment) -> Check {
        self.show(which);
        let is_new = self.state.trial(which).status == Status::Todo;
        self.press(if is_new { Intent::Advance } else { Intent::Retry });
        self.verdict(which)
    }

    fn verdict(&self, which: Experiment) -> Check {
        match &self.state.trial(which).status {
            Status::Done(check) => check.shown().clone(),
            other => panic!("{which:?} is {other:?}"),
        }
    }

    /// Opens `page` of `identity`'s pane, as it is drawn when what it shows has been found out.
    fn open(&mut self, identity: Identity, page: Page) -> String {
        if self.state.view().focus() != identity {
            self.press(Intent::FocusOther);
        }
        self.press(Intent::TogglePage(page));
        // The trail of earlier Scans may come first.
        loop {
            let found = self.runtime.block_on(self.events.recv()).unwrap();
            let is_awaited = matches!(found, Event::Inspected { .. });
            self.state.update(found);
            if is_awaited {
                break;
            }
        }
        let picture = render(&self.state, &Theme::choose(ThemeName::Dark, ColorLevel::None), Size::new(160, 70));
        let text = picture.content.chunks(160).map(|row| row.iter().map(|cell| cell.symbol()).collect::<String>());
        text.map(|row| row.trim_matches([' ', '│']).to_owned()).collect::<Vec<_>>().join("\n")
    }

    fn ask(&self, identity: Identity, operation: &Operation) -> (u16, Value) {
        let answer = self.runtime.block_on(self.sandbox_clients.call(identity, operation));
        answer.response.map(|response| (response.status, response.body)).unwrap()
    }

    fn snapshot(&mut self, sandbox: &Sandbox) -> Snapshot {
        let key = self.state.shown_facts().key_id().unwrap().to_owned();
        let names = self.state.names().clone();
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
        if self.state.view().experiment.is_some() || self.state.view().overlay.is_some() {
            self.press(Intent::ToggleExperiments);
        }
        assert_eq!((self.state.view().experiment, self.state.view().overlay), (None, None));
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
#[case(Experiment::DisableKey, "admin and test-user FAILED: DisabledException")]
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
#[case(Experiment::Rotate, "admin and test-user ALLOWED")]
#[case(Experiment::ScheduleDeletion, "admin and test-user FAILED: DisabledException")]
fn what_the_right_answer_claims_comes_and_is_undone(#[case] which: Experiment, #[case] observed: &str) {
    let sandbox = sandbox();
    let mut lab = Lab::new(&sandbox, sandbox.url(), BackendKind::Sandbox);
    let before = lab.snapshot(&sandbox);
    assert_eq!((before.key_state.as_str(), before.user_reads), ("Enabled", true));
    for round in 0..2 {
        let check = lab.try_out(which);
        assert_eq!(check, Check { met: true, observed: observed.to_owned() }, "round {round}");
        assert_eq!(lab.state.experiments().changes(), []);
        assert_eq!(lab.snapshot(&sandbox), before, "round {round}");
    }
    // Under a second: nothing is waited for.
    assert_eq!(lab.waited, Vec::<u64>::new());
    assert_eq!(lab.state.shown_facts().key.as_ref().unwrap()["KeyState"], "Enabled");
}

/// What ends an experiment is not what it is about; and nobody has to wonder where five minutes went.
#[test]
fn the_change_is_selected_and_not_its_undoing() {
    use Experiment as E;
    let sandbox = sandbox();
    let mut lab = Lab::new(&sandbox, sandbox.url(), BackendKind::Sandbox);
    let theme = Theme::choose(ThemeName::Dark, ColorLevel::None);
    for which in Experiment::ALL {
        lab.try_out(which);
        let picture = render(&lab.state, &theme, Size::new(100, 40));
        let rows: Vec<String> =
            picture.content().chunks(100).map(|row| row.iter().map(|cell| cell.symbol()).collect()).collect();
        let text = rows.join("\n");
        let change = match which {
            E::IamAllow => "PutUserPolicy",
            E::KeyWithoutDynamodb => "DetachUserPolicy",
            E::AwsOwnedKey | E::AwsManagedKey => "CreateTable",
            E::RevokeCache | E::KeyAdmin | E::ViaServiceOnly => "PutKeyPolicy",
            E::KmsGrant => "CreateGrant",
            _ => "Scan",
        };
        for identity in Identity::BOTH {
            let calls = lab.state.calls(identity);
            let Some(selected) = lab.state.selected(identity) else { continue };
            assert!(!lab.state.is_undo(&calls[selected]), "{which:?}: {text}");
            if identity == Identity::Admin {
                assert_eq!(calls[selected].operation().name(), change, "{which:?}");
            }
            if identity == lab.state.view().focus() {
                let small = render(&lab.state, &theme, Size::new(80, 24));
                let footer: String = small.content()[80 * 23..].iter().map(|cell| cell.symbol()).collect();
                assert_eq!(footer.contains(" call  "), calls.len() > 1, "{which:?}: {footer}");
                assert!(footer.contains("w why") && footer.contains("i lesson"), "{footer}");
            }
        }
        // The request says what a change changes.
        match which {
            E::KeyAdmin => assert!(text.contains("+ "), "{text}"),
            E::KeyWithoutDynamodb => assert!(text.contains("PolicyArn: "), "{text}"),
            _ => {}
        }
        let idles = !matches!(which, E::KeyWithoutDynamodb | E::AwsOwnedKey | E::AwsManagedKey | E::WrongContext);
        assert_eq!(text.contains("sandbox clock: +5 min 1 s"), idles, "{which:?}: {text}");
        if which == E::RevokeCache {
            let calls = lab.state.calls(Identity::TestUser);
            let later: Vec<bool> = calls.iter().map(|call| lab.state.is_later(call)).collect();
            assert_eq!(later, [false, false, true]);
            assert!(text.contains("+5 min") && text.contains("✘ DENIED   after 5 min"), "{text}");
        }
    }
    assert_eq!(lab.state.experiments_met(), 14);
}

#[test]
fn the_pages_name_experiment_and_cached_table_key() {
    let sandbox = sandbox();
    let mut lab = Lab::new(&sandbox, sandbox.url(), BackendKind::Sandbox);
    lab.try_out(Experiment::AwsOwnedKey);
    let why = lab.open(Identity::TestUser, Page::Why);
    assert!(why.contains("There is only one lock: the table uses an AWS owned key"), "{why}");
    assert!(why.contains("the lock, the table") && !why.contains("had the table key"), "{why}");
    lab.press(Intent::Close);

    lab.try_out(Experiment::AwsManagedKey);
    lab.press(Intent::FocusOther);
    let trail = lab.open(Identity::TestUser, Page::Trail);
    let number = Experiment::AwsManagedKey.index() + 1;
    assert!(
        trail.contains(&format!("for Scan,\u{a0}experiment\u{a0}{number}").replace("for ", "for\u{a0}")),
        "{trail}"
    );
    assert!(trail.contains("kms:PutKeyPolicy  ✔\u{a0}ALLOWED  experiment 6"), "{trail}");
    assert!(!trail.contains("another client"), "{trail}");
    lab.press(Intent::Close);

    // Stage 8 scans on a new connection each time, so KMS is asked again.
    lab.try_out(Experiment::WrongContext);
    lab.press(Intent::ToggleExperiments);
    lab.press(Intent::Retry);
    let why = lab.open(Identity::TestUser, Page::Why);
    assert!(why.contains("lock 2, the key") && why.contains("asked by DynamoDB on"), "{why}");
}

#[test]
fn an_unopened_lab_tries_no_experiment() {
    let sandbox = sandbox();
    let mut lab = Lab::new(&sandbox, sandbox.url(), BackendKind::Sandbox);
    lab.press(Intent::ShowNext);
    lab.press(Intent::ToggleExperiments);
    assert!(lab.state.view().overlay.is_some(), "before clean-up it opens");
    lab.press(Intent::Close);
    lab.press(Intent::Advance);
    assert_eq!(lab.state.met(), 9);
    lab.press(Intent::ToggleExperiments);
    assert!(lab.state.view().overlay.is_none(), "after clean-up there is nothing to break");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 6, failure_persistence: None, ..ProptestConfig::default() })]
    #[test]
    fn in_any_order_and_again_everything_is_as_it_was(
        order in proptest::collection::vec(0..Experiment::ALL.len(), 1..8),
    ) {
        let sandbox = sandbox();
        let mut lab = Lab::new(&sandbox, sandbox.url(), BackendKind::Sandbox);
        let before = lab.snapshot(&sandbox);
        for which in order.iter().flat_map(|which| [*which, *which]) {
            let which = Experiment::ALL[which];
            prop_assert!(lab.try_out(which).met, "{:?} after {:?}", which, order);
        }
        prop_assert_eq!(lab.snapshot(&sandbox), before);
        prop_assert_eq!(&lab.waited, &Vec::<u64>::new());
        // What was tried keeps clean-up from nothing.
        lab.press(Intent::ToggleExperiments);
        lab.press(Intent::ShowNext);
        lab.press(Intent::Advance);
        prop_assert_eq!(lab.state.met(), 9);
    }
}

const INTERNAL: Canned = Canned(500, "InternalFailure", "InternalFailure", "The request failed inside.");

/// Of each kind of change one experiment, and the call that takes it back.
const UNDONE_BY: [(Experiment, &str); 7] = [
    (Experiment::DisableKey, "EnableKey"),
    (Experiment::ExplicitDeny, "PutKeyPolicy"),
    (Experiment::IamAllow, "DeleteUserPolicy"),
    (Experiment::KeyWithoutDynamodb, "PutUserPolicy"),
    (Experiment::AwsOwnedKey, "DeleteTable"),
    (Experiment::KmsGrant, "RevokeGrant"),
    (Experiment::ScheduleDeletion, "EnableKey"),
];

impl Lab {
    /// Tries `which` on a server on which `call` fails so often, beginning with its first one that undoes.
    fn try_and_fail(&mut self, proxy: &mut Proxy, which: Experiment, call: &'static str, times: usize) {
        self.show(which);
        // Of the policies the first is the experiment's own.
        self.dies = true;
        self.press(Intent::Advance);
        self.dies = false;
        proxy.set(Some(Plan { fault: Fault::Error(INTERNAL), operation: call, as_admin: true, times }));
        self.restart_undo();
    }

    /// Sends again what was about to be sent when the lab was stopped.
    fn restart_undo(&mut self) {
        let calls: Vec<_> =
            self.state.shown().pending.iter().map(|pending| (pending.id, pending.operation.shown().clone())).collect();
        for (id, operation) in calls {
            let effect = Effect::Call { id, identity: Identity::Admin, operation };
            self.runtime.block_on(async { self.world.perform(effect) });
        }
        self.press(Intent::FocusOther);
    }
}

#[rstest]
fn what_could_not_be_undone_is_told_and_undone_again(#[values(0, 1, 2, 3, 4, 5, 6)] at: usize) {
    let (which, call) = UNDONE_BY[at];
    let mut proxy = Proxy::new();
    let url = proxy.url();
    let mut lab = Lab::new(&proxy.sandbox, &url, BackendKind::Endpoint);
    let before = lab.snapshot(&proxy.sandbox);
    lab.try_and_fail(&mut proxy, which, call, 1);
    assert!(lab.verdict(which).met, "the verdict stands");
    assert_ne!(lab.state.experiments().changes(), [], "{call}");
    let message = lab.state.view().message.clone().unwrap();
    assert!(message.starts_with("u: undo again · not undone: "), "{message}");
    proxy.set(None);
    lab.press(Intent::Undo);
    assert_eq!(lab.state.experiments().changes(), [], "{call}");
    assert_eq!(lab.snapshot(&proxy.sandbox), before);
    assert!(lab.verdict(which).met);
}

#[rstest]
fn clean_up_undoes_first_and_what_still_fails_is_no_obstacle(
    #[values(0, 1, 2, 3, 4, 5, 6)] at: usize,
    #[values(false, true)] again: bool,
) {
    let (which, call) = UNDONE_BY[at];
    let mut proxy = Proxy::new();
    let url = proxy.url();
    let mut lab = Lab::new(&proxy.sandbox, &url, BackendKind::Endpoint);
    let foreign = things(&proxy.sandbox).users.len() - 1;
    lab.try_and_fail(&mut proxy, which, call, if again { 2 } else { 1 });
    assert_ne!(lab.state.experiments().changes(), [], "{call}");
    lab.press(Intent::Quit);
    lab.press(Intent::CleanUpAndQuit);
    assert!(lab.exited);
    let check = lab.state.check(Stage::CleanUp).unwrap().clone();
    // A user that has a policy can't be deleted, and a table that is there costs money: this clean-up is not met.
    let in_the_way = again && matches!(which, Experiment::IamAllow | Experiment::AwsOwnedKey);
    assert_eq!(check.met, !in_the_way, "{check:?}");
    let left = things(&proxy.sandbox);
    assert_eq!(
        left.count() - left.users.len(),
        usize::from(in_the_way && which == Experiment::AwsOwnedKey),
        "{left:?}"
    );
    assert_eq!(left.users.len() - foreign, usize::from(in_the_way && which == Experiment::IamAllow), "{left:?}");
    if in_the_way {
        assert_ne!(lab.state.leftovers(), Vec::<String>::new());
        proxy.set(None);
        lab.press(Intent::Retry);
        assert!(lab.state.check(Stage::CleanUp).unwrap().met);
    }
    assert_eq!(lab.state.leftovers(), Vec::<String>::new());
    assert_eq!(things(&proxy.sandbox).count(), foreign);
}

#[rstest]
fn a_lab_that_dies_before_it_undoes_is_cleaned_up(
    #[values(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13)] at: usize,
    #[values(false, true)] by_journal: bool,
) {
    let which = Experiment::ALL[at];
    let sandbox = sandbox();
    let foreign = things(&sandbox);
    let mut lab = Lab::new(&sandbox, sandbox.url(), BackendKind::Endpoint);
    lab.show(which);
    lab.dies = true;
    lab.press(Intent::Advance);
    let undoes_nothing = matches!(which, Experiment::WrongContext | Experiment::Rotate);
    assert_eq!(lab.state.experiments().changes().is_empty(), undoes_nothing, "{which:?}");
    let Lab { journals, world, events, .. } = lab;
    drop((world, events));
    let clients = clients(&sandbox, sandbox.url());
    let endpoint = Some(sandbox.url().to_owned());
    let target = Target { endpoint, region: sandbox.region().to_owned(), admin_profile: None };
    let folder = by_journal.then_some(journals.path());
    let left = folder.map(|folder| Journals::read(folder).unwrap().left).unwrap_or_default();
    assert_eq!(left.len(), usize::from(by_journal));
    let nobody = |_: &str| Ok(None);
    let everyones = Consent { accepted: Some("111122223333"), ask: &nobody };
    let scope = if by_journal { Scope::Own } else { Scope::All(&everyones) };
    let work = Work { clients: &clients, target: &target, folder, scope, older_than: None, dry_run: false };
    let mut out = Vec::new();
    let outcome = block_on(clean(&work, left, &mut None, &mut out)).0;
    assert_eq!(outcome, Outcome::Clean, "{}", String::from_utf8(out).unwrap());
    // AWS's own key of DynamoDB stays: it belongs to the account.
    let now = things(&sandbox);
    let is_aws = |alias: &&String| !alias.starts_with("alias/aws/");
    assert_eq!((now.tables, now.users), (foreign.tables, foreign.users));
    assert_eq!(now.aliases.iter().filter(is_aws).count(), 0);
    assert_eq!(now.keys.len(), now.aliases.len(), "only the keys of AWS's aliases");
}

#[test]
fn what_was_made_though_no_answer_says_so_is_found_and_undone() {
    let mut proxy = Proxy::new();
    let url = proxy.url();
    let mut lab = Lab::new(&proxy.sandbox, &url, BackendKind::Endpoint);
    let before = lab.snapshot(&proxy.sandbox);
    let page = "<html><body>Gateway</body></html>";
    let (busy, redirected) = (Fault::Gateway(503, page), Fault::Gateway(404, page));
    let cases = [
        (Experiment::KmsGrant, "CreateGrant", Fault::ErrorAfterwards(INTERNAL)),
        (Experiment::KmsGrant, "CreateGrant", busy),
        (Experiment::KmsGrant, "CreateGrant", Fault::Gateway(200, "{}")),
        (Experiment::IamAllow, "PutUserPolicy", busy),
        (Experiment::IamAllow, "PutUserPolicy", redirected),
        (Experiment::AwsOwnedKey, "CreateTable", redirected),
        (Experiment::AwsOwnedKey, "CreateTable", Fault::Gateway(200, "")),
    ];
    for (which, operation, fault) in cases {
        let context = format!("{operation}, {fault:?}");
        proxy.set(Some(Plan { fault, operation, as_admin: true, times: 1 }));
        let check = lab.try_out(which);
        assert!(!check.met && check.observed.contains(&format!("{operation} FAILED")), "{context}: {check:?}");
        assert_eq!(lab.state.experiments().changes(), [], "{context}");
        assert_eq!(lab.snapshot(&proxy.sandbox), before, "{context}");
    }
}

#[test]
fn what_is_refused_at_the_set_up_is_told_and_nothing_is_undone() {
    let mut proxy = Proxy::new();
    let url = proxy.url();
    let mut lab = Lab::new(&proxy.sandbox, &url, BackendKind::Endpoint);
    let refused =
        Canned(400, "AccessDeniedException", "AccessDenied", "User: a is not authorized to perform: kms:DisableKey");
    proxy.set(Some(Plan { fault: Fault::Error(refused), operation: "DisableKey", as_admin: true, times: 9 }));
    let check = lab.try_out(Experiment::DisableKey);
    assert_eq!(check, Check { met: false, observed: "admin DENIED on kms:DisableKey".to_owned() });
    assert_eq!(lab.state.shown().exchanges().len(), 1, "no more calls than that");
    assert_eq!(lab.state.experiments().changes(), Vec::<Change>::new());
}

/// Verdict, explanation and lesson are on 80×24 before anybody scrolls, whatever was answered, in both languages; and
/// no plain text is anywhere.
#[rstest]
fn every_verdict_fits_80_by_24(#[values(false, true)] right: bool, #[values("en", "de")] language: &str) {
    let sandbox = sandbox();
    let mut lab = Lab::new(&sandbox, sandbox.url(), BackendKind::Sandbox);
    let lesson = kmslab::lab::Lesson::parse(&kmslab::lab::lesson::Files::embedded(), language).unwrap();
    lab.state = lab.state.clone().with_lesson(Arc::new(lesson)).with_quiz(kmslab::lab::Quiz::new(3));
    let words = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
    for which in Experiment::ALL {
        lab.show(which);
        let asked = lab.state.experiment_question(which).unwrap();
        let place = asked.answers.iter().rposition(|(_, reply)| reply.right == right).unwrap();
        lab.press(Intent::Choose(place.try_into().unwrap()));
        lab.press(Intent::Advance);
        let check = lab.verdict(which);
        assert!(check.met, "{check:?}");
        let theme = Theme::choose(ThemeName::Dark, ColorLevel::None);
        let picture = render(&lab.state, &theme, Size::new(80, 24));
        // Above the panes: beside each other they share lines.
        let rows = (0..24).map(|y| (0..80).map(|x| picture[(x, y)].symbol()).collect::<String>());
        let rows: Vec<String> = rows.take_while(|row| !row.starts_with(['━', '─'])).collect();
        let screen = words(&rows.join(" "));
        let text = lab.state.experiment(which);
        let (_, reply) = lab.state.experiment_question(which).unwrap().reply().unwrap();
        let observed = lab.state.interface().sentence(&check.observed);
        for part in [&observed, &reply.explanation, &text.lesson] {
            assert!(screen.contains(&words(part)), "{language} {which:?}: {part} is not on\n{}", rows.join("\n"));
        }
        for exchange in lab.state.shown().exchanges() {
            let told = format!("{:?}", exchange.answer);
            assert!(!told.contains("a21zbGFi"), "{told}");
        }
    }
}
