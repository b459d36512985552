//! The drills, by the real clients against the real sandbox: each fault shows as the drill says, each right fix lets both
//! read, each wrong one doesn't, and afterwards everything is as it was.

mod own;
mod why;

use std::sync::Arc;
use std::time::Duration;

use kmslab::aws::{Clients, Timing};
use kmslab::lab::drills::{Fix, Remark, Task, Undone, catalog, lock_of};
use kmslab::lab::log::{Head, Logged};
use kmslab::lab::{
    Backend, BackendKind, Drill, DrillAction, Effect, Event, Exchange, Identity, Intent, Lesson, Level, Lock, Look,
    Names, Operation, Page, Permit, Plan, Rung, State, Verdict,
};
use kmslab::run::cleanup::{Outcome, Scope, Target, Work, clean};
use kmslab::run::effects::EffectHandler;
use kmslab::run::journal::{self, Journal, Journals};
use kmslab::sandbox::{Config, Sandbox};
use kmslab::ui::{ColorLevel, Theme, ThemeName, render};
use ratatui::layout::Size;
use rstest::rstest;
use serde_json::Value;
use tokio::runtime::Runtime;
use tokio::sync::mpsc::UnboundedReceiver;

use crate::support::proxy::{Canned, Fault, Plan as ProxyPlan, Proxy};
use crate::support::things::{block_on, things};

/// A lab in its drills, on a server.
struct Lab {
    runtime: Runtime,
    state: State,
    world: EffectHandler,
    events: UnboundedReceiver<Event>,
    /// Past anything that stands before the sandbox.
    clients: Clients,
    /// What a recording would have.
    head: Head,
    log: Vec<Logged>,
    exited: bool,
    /// Questions to the server whose answers the screen shows and the run doesn't wait for.
    asked: usize,
    journals: tempfile::TempDir,
}

/// Everything that a drill may change.
#[derive(Debug, Clone, PartialEq)]
struct Snapshot {
    policy: String,
    key_state: String,
    grants: Vec<Value>,
    users: Vec<(String, Vec<String>, Vec<String>)>,
}

fn clients(sandbox: &Sandbox, url: &str) -> Clients {
    let admin = sandbox.admin();
    let timing = Timing { attempts: Some(1), attempt: Duration::from_secs(30), ..Timing::default() };
    Clients::with_keys(url, sandbox.region(), &admin.access_key_id, &admin.secret_access_key, timing)
}

fn plan(only: Option<Drill>, level: Level) -> Plan {
    Plan { seed: 5, count: usize::MAX, only, level }
}

fn sandbox() -> Sandbox {
    Sandbox::start(Config { seed: Some(7), ..Config::default() }).unwrap()
}

impl Lab {
    /// A lab that begins with `plan`.
    fn new(sandbox: &Sandbox, plan: Plan) -> Lab {
        Lab::at(sandbox, sandbox.url(), BackendKind::Sandbox, plan)
    }

    fn at(sandbox: &Sandbox, url: &str, kind: BackendKind, plan: Plan) -> Lab {
        let backend =
            Backend { kind, region: sandbox.region().to_owned(), endpoint: Some(url.to_owned()), given_user: false };
        let (world, events) = EffectHandler::new(clients(sandbox, url));
        let names = Names::new("drill1").created("2026-01-01T00:00:00Z".to_owned());
        let journals = tempfile::tempdir().unwrap();
        let journal = Journal::new(Some(journals.path().to_owned()), journal::head(&names, &backend, None));
        let state = State::new(backend, names).with_drills(plan);
        let mut lab = Lab {
            runtime: tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap(),
            head: Head::new(&state, 0),
            state,
            world: world.with_journal((kind != BackendKind::Sandbox).then(|| Arc::new(journal))),
            events,
            clients: clients(sandbox, sandbox.url()),
            log: Vec::new(),
            exited: false,
            asked: 0,
            journals,
        };
        let first = lab.state.begin_drills();
        lab.perform(first);
        lab.settle();
        lab
    }

    /// Performs effects; pauses are not slept.
    fn perform(&mut self, effects: Vec<Effect>) {
        for effect in effects {
            match effect {
                Effect::Exit => self.exited = true,
                Effect::After { timer, .. } => self.take(Event::TimerFired(timer)),
                effect => {
                    self.asked += usize::from(matches!(effect, Effect::Inspect { .. } | Effect::Trace(_)));
                    self.runtime.block_on(async { self.world.perform(effect) });
                }
            }
        }
    }

    fn take(&mut self, event: Event) {
        self.asked -= usize::from(matches!(event, Event::Inspected { .. } | Event::Traced(_)));
        let effects = self.state.update(event.clone());
        self.log.extend(Logged::of(&self.state, &event));
        self.perform(effects);
    }

    /// Waits until nothing is under way any more.
    fn settle(&mut self) {
        while (self.state.is_running() || self.asked > 0) && !self.exited {
            let event = self.runtime.block_on(self.events.recv()).unwrap();
            self.take(event);
        }
        while let Ok(event) = self.events.try_recv() {
            self.take(event);
        }
    }

    fn press(&mut self, intent: Intent) {
        self.take(Event::Intent(intent));
        self.settle();
    }

    fn drill(&mut self, action: DrillAction) {
        assert_eq!(self.state.permit(Intent::Drill(action)), Permit::Yes, "{action:?}");
        self.press(Intent::Drill(action));
    }

    fn answer(&mut self, place: usize) {
        self.drill(DrillAction::Answer(place.try_into().unwrap()));
    }

    fn task(&self) -> Task {
        self.state.drills().current().unwrap().task()
    }

    fn scan(&self, identity: Identity) -> Exchange {
        let mut scans = self.state.shown().exchanges().rev();
        scans.find(|e| e.identity == identity && e.operation.name() == "Scan").cloned().unwrap()
    }

    fn ask(&self, operation: &Operation) -> Value {
        let answer = self.runtime.block_on(self.clients.call(Identity::Admin, operation));
        answer.response.map(|response| response.body).unwrap()
    }

    fn snapshot(&self) -> Snapshot {
        let key = self.state.shown_facts().key_id().unwrap().to_owned();
        let found = self.runtime.block_on(self.clients.inventory(&Default::default())).unwrap();
        let users = found.users.into_iter().map(|user| (user.name, user.attached_policies, user.inline_policies));
        Snapshot {
            policy: self.ask(&Operation::GetKeyPolicy { key: key.clone() })["Policy"].as_str().unwrap().to_owned(),
            key_state: self.ask(&Operation::DescribeKey { key: key.clone() })["KeyMetadata"]["KeyState"].to_string(),
            grants: self.ask(&Operation::ListGrants { key })["Grants"].as_array().unwrap().clone(),
            users: users.collect(),
        }
    }

    fn lock(&self) -> usize {
        let right = catalog::of(self.state.drills().current().unwrap().drill()).lock;
        Lock::ALL.iter().position(|lock| *lock == right).unwrap()
    }

    fn rung(&self) -> usize {
        let right = catalog::of(self.state.drills().current().unwrap().drill()).rung;
        self.state.drills().rungs().iter().position(|rung| *rung == right).unwrap()
    }

    /// Names lock and rung.
    fn diagnose(&mut self) {
        self.answer(self.lock());
        assert_eq!(self.task(), Task::Rung);
        self.answer(self.rung());
        assert_eq!(self.task(), Task::Fix);
    }

    /// What a recording shows.
    fn replayed(&self) -> State {
        let head: Head = serde_json::from_str(&serde_json::to_string(&self.head).unwrap()).unwrap();
        let mut again = head.state(0);
        for entry in &self.log {
            let entry: Logged = serde_json::from_str(&serde_json::to_string(entry).unwrap()).unwrap();
            entry.replay_on(&mut again).unwrap();
        }
        again
    }

    fn apply(&mut self, fix: Fix) {
        let fixes = self.state.drills().fixes(false);
        self.answer(fixes.iter().position(|(other, _)| *other == fix).unwrap());
    }
}

#[rstest]
fn each_fault_shows_and_each_fix_does_what_it_should(#[values(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10)] at: usize) {
    for drill in [Drill::ALL[at], Drill::ALL[at + 11]] {
        let sandbox = sandbox();
        let mut lab = Lab::new(&sandbox, plan(Some(drill), Level::Two));
        let def = catalog::of(drill);
        let fixes = lab.state.drills().fixes(false);
        let mut before: Option<Snapshot> = None;
        let right: Vec<Fix> = fixes.iter().filter(|(_, right)| *right).map(|(fix, _)| *fix).collect();
        let wrong: Vec<Fix> = fixes.iter().filter(|(_, right)| !*right).map(|(fix, _)| *fix).collect();
        assert!(right.len() >= 2 && !wrong.is_empty(), "{drill:?}");
        for (round, fix) in right.iter().enumerate() {
            let it = lab.state.drills().current().unwrap();
            assert_eq!((it.task(), it.trouble()), (Task::Lock, None), "{drill:?}");
            let (admin, user) = (lab.scan(Identity::Admin), lab.scan(Identity::TestUser));
            assert!(!user.is_allowed() && lock_of(&user) == Some(def.lock), "{drill:?}: {user:?}");
            assert_eq!(admin.is_allowed(), def.rung != Rung::KeyState, "{drill:?}: {admin:?}");
            let says_deny = format!("{:?}", user.verdict).contains("explicit deny");
            assert_eq!(says_deny, def.rung == Rung::Deny, "{drill:?}: {user:?}");
            lab.diagnose();
            // Each wrong fix on its own ground, before the first right one.
            if let Some(wrong) = wrong.get(round) {
                lab.apply(*wrong);
                assert!(!lab.scan(Identity::TestUser).is_allowed(), "{drill:?}: {wrong:?} is no fix");
                assert_eq!(lab.task(), Task::Fix, "{drill:?}: {wrong:?}");
            }
            lab.apply(*fix);
            for identity in Identity::BOTH {
                let scan = lab.scan(identity);
                assert!(scan.is_allowed(), "{drill:?}: {fix:?} lets nobody read: {scan:?}");
            }
            let it = lab.state.drills().current().unwrap();
            assert_eq!((it.task(), it.undone()), (Task::Solved, &Undone::Yes), "{drill:?}, {fix:?}");
            assert_eq!(lab.state.experiments().changes(), []);
            let now = lab.snapshot();
            assert_eq!(now, *before.get_or_insert(now.clone()), "{drill:?}, {fix:?}");
            lab.press(Intent::Retry);
        }
        // The fault is in place again. Leaving undoes it.
        assert_ne!(lab.snapshot(), before.clone().unwrap(), "{drill:?}");
        lab.press(Intent::Close);
        assert!(!lab.exited && lab.state.view().message.as_deref() == Some("press esc again to stop the drills"));
        lab.press(Intent::Close);
        assert!(lab.exited, "{drill:?}");
        assert_eq!(lab.snapshot(), before.unwrap(), "{drill:?}");
    }
}

/// The screen as text.
fn screen(state: &State, width: u16, height: u16, ascii: bool) -> String {
    let theme = Theme::choose(ThemeName::Dark, ColorLevel::None);
    let theme = if ascii { theme.in_ascii() } else { theme };
    let picture = render(state, &theme, Size::new(width, height));
    let rows = picture.content().chunks(width.into());
    let rows = rows.map(|row| row.iter().map(|cell| cell.symbol()).collect::<String>().trim_end().to_owned());
    rows.collect::<Vec<_>>().join("\n")
}

const SIZES: [(u16, u16); 3] = [(80, 24), (100, 28), (200, 50)];

fn german() -> Arc<Lesson> {
    Arc::new(Lesson::parse(&kmslab::lab::lesson::Files::embedded(), "de").unwrap())
}

/// The symptom, a look with a hint, and the end, as they are drawn.
fn compare(lab: &Lab, name: &str) {
    for (width, height) in SIZES {
        insta::assert_snapshot!(format!("{name}-{width}x{height}"), screen(&lab.state, width, height, false));
    }
    let german = lab.state.clone().with_lesson(german());
    insta::assert_snapshot!(format!("{name}-de-80x24"), screen(&german, 80, 24, false));
    insta::assert_snapshot!(format!("{name}-ascii-100x28"), screen(&lab.state, 100, 28, true));
}

#[test]
fn the_screens_show_symptom_look_and_solution() {
    let sandbox = sandbox();
    let mut lab = Lab::new(&sandbox, plan(Some(Drill::AliasArn), Level::Two));
    compare(&lab, "symptom");
    lab.diagnose();
    lab.press(Intent::Hint);
    lab.drill(DrillAction::Look(Look::IamPolicies));
    compare(&lab, "look");
    lab.apply(Fix::AllowAliases);
    compare(&lab, "wrong");
    lab.apply(Fix::UseKeyArn);
    compare(&lab, "solved");
    lab.press(Intent::Advance);
    compare(&lab, "over");
}

/// Nothing of a drill is cut off at 80×24, in either language: not an error, an answer or what it teaches.
#[rstest]
fn every_drill_fits_80_by_24(#[values("en", "de")] language: &str) {
    let lesson = Arc::new(Lesson::parse(&kmslab::lab::lesson::Files::embedded(), language).unwrap());
    let words = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
    for drill in Drill::ALL {
        let sandbox = sandbox();
        let mut lab = Lab::new(&sandbox, plan(Some(drill), Level::Two));
        lab.state = lab.state.clone().with_lesson(lesson.clone());
        let text = lesson.drills.text(drill).unwrap();
        let seen = |lab: &Lab| words(&screen(&lab.state, 80, 24, false));
        assert!(seen(&lab).contains(&words(&text.ticket)), "{drill:?}:\n{}", screen(&lab.state, 80, 24, false));
        lab.diagnose();
        lab.press(Intent::Hint);
        lab.press(Intent::Hint);
        let fixes = lab.state.drills().fixes(false);
        let shown = seen(&lab);
        for text in fixes.iter().map(|(fix, _)| lesson.drills.fix(fix.id())).chain([text.hints[1].as_str()]) {
            assert!(shown.contains(&words(text)), "{drill:?}, {text}:\n{}", screen(&lab.state, 80, 24, false));
        }
        lab.apply(fixes.iter().find(|(_, right)| *right).unwrap().0);
        let shown = seen(&lab);
        for text in [&text.teaches, lesson.drills.word("undone")] {
            assert!(shown.contains(&words(text)), "{drill:?}, {text}:\n{}", screen(&lab.state, 80, 24, false));
        }
    }
}

/// The learner can read AWS's whole error where she is asked about it.
#[rstest]
fn the_whole_error_is_on_the_screen(
    #[values("en", "de")] language: &str,
    #[values((80, 24), (60, 18))] size: (u16, u16),
) {
    let lesson = Arc::new(Lesson::parse(&kmslab::lab::lesson::Files::embedded(), language).unwrap());
    for drill in Drill::ALL {
        let sandbox = sandbox();
        let mut lab = Lab::new(&sandbox, plan(Some(drill), Level::Two));
        lab.state = lab.state.clone().with_lesson(lesson.clone());
        let message = match &lab.state.drill_scan(Identity::TestUser).unwrap().verdict {
            Verdict::Denied(denied) => denied.message.clone(),
            Verdict::Failed(failure) => failure.message.clone(),
            Verdict::Allowed => panic!("{drill:?} is refused"),
        };
        let sentence = message.split(" (Service: ").next().unwrap();
        let end = sentence.rsplit(' ').next().unwrap();
        let shown = screen(&lab.state, size.0, size.1, false);
        // Under the paths, above the questions.
        let pane: String =
            shown.lines().skip_while(|line| !line.contains("KMS ?")).skip(1).collect::<Vec<_>>().join("\n");
        let pane = pane.split("────").next().unwrap();
        assert!(pane.contains(end) && !pane.contains("… \n"), "{drill:?}, {end}:\n{shown}");
    }
}

#[test]
fn looks_are_free_and_help_and_mistakes_cost() {
    let sandbox = sandbox();
    let mut lab = Lab::new(&sandbox, plan(Some(Drill::KeyAdmin), Level::One));
    let points = |lab: &Lab| lab.state.drills().points();
    for look in Look::ALL {
        lab.drill(DrillAction::Look(look));
        assert_eq!(lab.state.drills().current().unwrap().look(), Some(look));
        lab.drill(DrillAction::Look(look));
        assert_eq!(lab.state.drills().current().unwrap().look(), None, "the same key looks away");
    }
    lab.drill(DrillAction::Look(Look::KeyPolicy));
    lab.press(Intent::Close);
    let it = lab.state.drills().current().unwrap();
    assert_eq!((it.look(), it.task()), (None, Task::Lock), "esc looks away, too");
    assert_eq!(points(&lab), 0);
    let fine = lab.state.drills().fine();
    assert!(fine.len() == 2 && !fine.contains(&Rung::KeyPolicy), "{fine:?}");
    lab.drill(DrillAction::Level);
    assert_eq!((lab.state.drills().level(), lab.state.drills().fine()), (Level::Two, vec![]));

    lab.answer(0);
    assert_eq!((points(&lab), lab.task()), (-1, Task::Lock));
    lab.answer(0);
    assert_eq!(points(&lab), -1, "the same wrong answer costs nothing the second time");
    assert_eq!(lab.state.drills().current().unwrap().remark(), Some(Remark::NamesKms));
    assert_eq!(lab.state.permit(Intent::Drill(DrillAction::Level)), Permit::No, "the first answer was given");
    lab.answer(lab.lock());
    let rungs = lab.state.drills().rungs();
    lab.answer(rungs.iter().position(|rung| *rung == Rung::IamPolicy).unwrap());
    assert_eq!(lab.state.drills().current().unwrap().remark(), Some(Remark::OnePolicyType), "that is taught");
    lab.answer(lab.rung());
    lab.press(Intent::Hint);
    lab.press(Intent::Hint);
    assert_eq!((points(&lab), lab.state.permit(Intent::Hint)), (-4, Permit::No));
    for _ in 0..2 {
        lab.press(Intent::TogglePage(Page::Why));
        lab.press(Intent::TogglePage(Page::Why));
    }
    assert_eq!(points(&lab), -5, "w costs a point, once");
    lab.take(Event::Clock(41));
    lab.apply(Fix::GiveDynamodb);
    lab.apply(Fix::NameInKeyPolicy);
    assert_eq!(points(&lab), -5, "nothing was right at once");
    let result = lab.state.drills().results()[0];
    assert_eq!((result.drill, result.solved, result.points), (Drill::KeyAdmin, true, -5));
    assert_eq!((result.level, result.hints, result.seconds), (Level::Two, 3, 41));
    assert_eq!(lab.state.drills().streak(), 0);
    lab.press(Intent::Retry);
    lab.diagnose();
    lab.apply(Fix::AllowInIam);
    assert_eq!((points(&lab), lab.state.drills().streak()), (-2, 1));
}

/// Whatever pane was looked at last: `w` is about the Scan that is refused.
#[test]
fn why_explains_test_users_scan_even_after_a_look() {
    let sandbox = sandbox();
    let mut lab = Lab::new(&sandbox, plan(Some(Drill::ExplicitDeny), Level::Two));
    lab.drill(DrillAction::Look(Look::KeyPolicy));
    assert!(screen(&lab.state, 100, 28, false).contains("w why −1"), "it says before that it costs");
    lab.press(Intent::TogglePage(Page::Why));
    assert_eq!(lab.state.focused_exchange().unwrap().identity, Identity::TestUser);
    assert!(screen(&lab.state, 100, 28, false).contains("DENIED"));
    assert_eq!(lab.state.permit(Intent::FocusOther), Permit::No);
    lab.press(Intent::TogglePage(Page::Why));
    let shown = screen(&lab.state, 100, 28, false);
    assert!(shown.contains("w why") && !shown.contains("w why −1") && shown.contains("1  key policy"), "{shown}");
}

/// Where nothing allows, each rung that could allow is right to name. AWS's message names one of them.
#[test]
fn any_rung_is_right_where_nothing_allows() {
    let drills = Drill::ALL.into_iter().filter(|drill| catalog::of(*drill).nothing_allows);
    let drills: Vec<Drill> = drills.collect();
    assert_eq!(drills, [Drill::NothingAllows, Drill::RevokedCache, Drill::GrantOther]);
    for drill in drills {
        let sandbox = sandbox();
        let mut lab = Lab::new(&sandbox, plan(Some(drill), Level::One));
        let message = format!("{:?}", lab.scan(Identity::TestUser).verdict);
        assert!(message.contains("no identity-based policy allows"), "{message}");
        for right in [Rung::KeyPolicy, Rung::IamPolicy, Rung::Grant] {
            lab.answer(lab.lock());
            let rungs = lab.state.drills().rungs();
            lab.answer(rungs.iter().position(|rung| *rung == Rung::Deny).unwrap());
            assert_eq!(lab.task(), Task::Rung);
            lab.answer(rungs.iter().position(|rung| *rung == right).unwrap());
            let it = lab.state.drills().current().unwrap();
            assert_eq!((it.task(), it.named_rung(), it.remark()), (Task::Fix, right, Some(Remark::AnyWouldDo)));
            lab.apply(Fix::NameInKeyPolicy);
            lab.press(Intent::Retry);
        }
    }
}

/// At level 3 the learner uses another client. What that client did is found by reading, and undone.
#[test]
fn a_learners_own_changes_are_found_and_undone() {
    let sandbox = sandbox();
    let mut lab = Lab::new(&sandbox, plan(Some(Drill::NothingAllows), Level::Three));
    lab.diagnose();
    assert_eq!(lab.state.drills().fixes(false), []);
    lab.press(Intent::Advance);
    assert_eq!(lab.state.drills().current().unwrap().remark(), Some(Remark::StillRefused));
    let (key, user) = (lab.state.shown_facts().key_arn().unwrap().to_owned(), lab.state.names().user.clone());
    let grantee = lab.state.shown_facts().caller(Identity::TestUser).unwrap().arn.clone();
    let policy = format!(
        r#"{{"Version": "2012-10-17", "Statement": [{{"Effect": "Allow", "Action": "kms:*", "Resource": "{key}"}}]}}"#
    );
    lab.ask(&Operation::PutUserPolicy { user: user.clone(), name: "mine".into(), policy });
    lab.ask(&Operation::CreateGrant {
        key,
        grantee,
        operations: vec!["Decrypt".into()],
        constraints: None,
        name: "mine".into(),
    });
    lab.press(Intent::Advance);
    let it = lab.state.drills().current().unwrap();
    assert_eq!((it.task(), it.undone()), (Task::Solved, &Undone::Yes));
    let Snapshot { grants, users, .. } = lab.snapshot();
    let (_, _, inline) = users.iter().find(|(name, ..)| *name == user).unwrap();
    assert_eq!(inline, &Vec::<String>::new());
    assert!(grants.iter().all(|grant| grant["Name"] != "mine"), "{grants:?}");
}

#[test]
fn a_failed_undo_is_reported_and_can_be_retried() {
    let mut proxy = Proxy::new();
    let url = proxy.url();
    let wanted = plan(Some(Drill::AliasArn), Level::Two);
    let mut lab = Lab::at(&proxy.sandbox, &url, BackendKind::Endpoint, wanted);
    lab.diagnose();
    let failed = Canned(500, "InternalFailure", "InternalFailure", "The request failed inside.");
    proxy.set(Some(ProxyPlan { fault: Fault::Error(failed), operation: "DeleteUserPolicy", as_admin: true, times: 9 }));
    lab.apply(Fix::UseKeyArn);
    let it = lab.state.drills().current().unwrap();
    let Undone::Failed(left) = it.undone().clone() else { panic!("{:?}", it.undone()) };
    assert_eq!(left, ["policy kmslab-bench on kmslab-user-drill1"]);
    assert_eq!(lab.state.permit(Intent::Advance), Permit::No, "the next drill needs a clean ground");
    assert!(screen(&lab.state, 80, 24, false).contains("u tries again"));
    proxy.set(None);
    lab.press(Intent::Undo);
    assert_eq!(lab.state.drills().current().unwrap().undone(), &Undone::Yes);
    assert_eq!(lab.state.permit(Intent::Advance), Permit::Yes);
    lab.press(Intent::Close);
    assert!(!lab.exited && lab.state.view().is_asking_to_quit(), "on a server something stays");
}

/// kill -9 in the middle of a drill: what it has changed is in the journal, or goes with what is.
#[rstest]
fn a_lab_that_dies_in_a_drill_is_cleaned_up(
    #[values(Drill::AliasArn, Drill::OldUserId, Drill::GrantOther, Drill::PendingDeletion, Drill::NotPrincipal)]
    drill: Drill,
) {
    let sandbox = sandbox();
    let foreign = things(&sandbox);
    let lab = Lab::at(&sandbox, sandbox.url(), BackendKind::Endpoint, plan(Some(drill), Level::Two));
    assert_eq!(lab.task(), Task::Lock);
    let Lab { journals, world, events, .. } = lab;
    drop((world, events));
    let left = Journals::read(journals.path()).unwrap().left;
    assert_eq!(left.len(), 1);
    let clients = clients(&sandbox, sandbox.url());
    let endpoint = Some(sandbox.url().to_owned());
    let target = Target { endpoint, region: sandbox.region().to_owned(), admin_profile: None };
    let folder = Some(journals.path());
    let work = Work { clients: &clients, target: &target, folder, scope: Scope::Own, older_than: None, dry_run: false };
    let mut out = Vec::new();
    let outcome = block_on(clean(&work, left, &mut None, &mut out)).0;
    assert_eq!(outcome, Outcome::Clean, "{}", String::from_utf8(out).unwrap());
    let now = things(&sandbox);
    assert_eq!((now.tables, now.users, now.keys), (foreign.tables, foreign.users, foreign.keys));
}

#[test]
fn a_recorded_drill_replays_exactly() {
    let sandbox = sandbox();
    let mut lab = Lab::new(&sandbox, plan(None, Level::One));
    lab.take(Event::Clock(7));
    lab.diagnose();
    lab.drill(DrillAction::Look(Look::KeyPolicy));
    let wrong = lab.state.drills().fixes(false).iter().find(|(_, right)| !right).unwrap().0;
    lab.apply(wrong);
    let right = lab.state.drills().fixes(false).iter().find(|(_, right)| *right).unwrap().0;
    lab.apply(right);
    lab.press(Intent::Advance);
    let again = lab.replayed();
    assert_eq!(again.drills(), lab.state.drills());
    assert_eq!(again.drills().number().0, 2);
    for (width, height) in SIZES {
        assert_eq!(
            screen(&again, width, height, false).lines().skip(1).collect::<Vec<_>>(),
            screen(&lab.state, width, height, false).lines().skip(1).collect::<Vec<_>>()
        );
    }
}
