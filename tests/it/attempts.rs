//! Attempts of stage 7, by the real clients against the real sandbox: the forecast is the server's verdict, what is
//! written is sent, and everything that an attempt adds is removed again.

mod again;
mod seen;

use std::cell::RefCell;
use std::sync::Arc;
use std::time::Duration;

use kmslab::aws::{Clients, Timing};
use kmslab::lab::attempts::Came;
use kmslab::lab::drills::Task;
use kmslab::lab::insight::forecast::{Forecast, Rung, Sign};
use kmslab::lab::log::{Entry, Head, Logged};
use kmslab::lab::model::mechanism::Mechanism;
use kmslab::lab::view::Desk;
use kmslab::lab::{
    Backend, BackendKind, DrillAction, Event, Experiment, Identity, Intent, Mode, Names, Operation, Permit, Stage,
    State, Status,
};
use kmslab::run::cleanup::{Consent, Outcome, Scope, Target, Work, clean};
use kmslab::run::effects::EffectHandler;
use kmslab::run::journal::{self, Journal};
use kmslab::sandbox::{Config, Sandbox};
use proptest::prelude::*;
use proptest::sample::select;
use proptest::test_runner::{Config as Cases, TestRunner};
use rstest::rstest;
use serde_json::{Value, json};
use tokio::runtime::Runtime;
use tokio::sync::mpsc::UnboundedReceiver;

use crate::support::drive::{happen, press};
use crate::support::things::{block_on, things};

/// A lab at stage 7, on a server.
struct Lab {
    runtime: Runtime,
    state: State,
    world: EffectHandler,
    events: UnboundedReceiver<Event>,
    clients: Clients,
    journals: tempfile::TempDir,
}

fn sandbox() -> Sandbox {
    Sandbox::start(Config { seed: Some(7), ..Config::default() }).unwrap()
}

fn clients(sandbox: &Sandbox) -> Clients {
    let admin = sandbox.admin();
    let timing = Timing { attempts: Some(1), attempt: Duration::from_secs(30), ..Timing::default() };
    Clients::with_keys(sandbox.url(), sandbox.region(), &admin.access_key_id, &admin.secret_access_key, timing)
}

impl Lab {
    fn begun(sandbox: &Sandbox, kind: BackendKind, run: &str) -> Lab {
        let endpoint = Some(sandbox.url().to_owned());
        let backend = Backend { kind, region: sandbox.region().to_owned(), endpoint, given_user: false };
        let (world, events) = EffectHandler::new(clients(sandbox));
        let journals = tempfile::tempdir().unwrap();
        let names = Names::new(run).created("2026-01-01T00:00:00Z".to_owned());
        let journal = Journal::new(Some(journals.path().to_owned()), journal::head(&names, &backend, None));
        Lab {
            runtime: tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap(),
            state: State::new(backend, names).with_ways(),
            world: world.with_journal((kind != BackendKind::Sandbox).then(|| Arc::new(journal))),
            events,
            clients: clients(sandbox),
            journals,
        }
    }

    fn new(sandbox: &Sandbox, kind: BackendKind) -> Lab {
        let mut lab = Lab::begun(sandbox, kind, "ways1");
        while lab.state.mode() != Mode::Choosing {
            lab.press(Intent::Advance);
        }
        assert_eq!((lab.state.met(), lab.state.view().shown), (6, Stage::Grant));
        lab
    }

    fn press(&mut self, intent: Intent) {
        let Lab { runtime, state, world, events, .. } = self;
        runtime.block_on(press(intent, state, world, events, |_, _| true));
    }

    fn happen(&mut self, event: Event) {
        let Lab { runtime, state, world, events, .. } = self;
        runtime.block_on(happen(event, state, world, events, |_, _| true));
    }

    /// Takes what arrives until this holds.
    fn wait_until(&mut self, holds: impl Fn(&State) -> bool) {
        while !holds(&self.state) {
            let event = self.runtime.block_on(self.events.recv()).unwrap();
            self.happen(event);
        }
    }

    /// Opens the editor of a way, waits for what the forecast needs, and writes `text`.
    fn write(&mut self, mechanism: Mechanism, text: &str) -> Forecast {
        self.press(Intent::ChooseWay(mechanism));
        assert_eq!(self.state.mode(), Mode::Writing);
        self.write_here(text)
    }

    /// Writes `text` into the open editor.
    fn write_here(&mut self, text: &str) -> Forecast {
        self.wait_until(|state| state.attempts().before().is_some());
        let edit = self.state.attempts().draft().unwrap().edit_to(text, (0, 0));
        self.state.update(Event::Edited(edit));
        self.state.forecast().unwrap()
    }

    fn send(&mut self) -> Option<Came> {
        self.press(Intent::Send);
        self.state.attempts().came()
    }

    /// Waits for what decides after an attempt, and returns the rungs that moved.
    fn moved(&mut self) -> Vec<Rung> {
        while self.state.attempts().now().is_none() {
            let event = self.runtime.block_on(self.events.recv()).unwrap();
            self.state.update(event);
        }
        self.state.rungs().into_iter().filter(|rung| rung.before.is_some()).collect()
    }

    /// The rest of the lab, with everything removed at its end.
    fn finish(&mut self, sandbox: &Sandbox) {
        let mut left = 20;
        while self.state.check(Stage::CleanUp).is_none() && left > 0 {
            self.press(Intent::Advance);
            left -= 1;
        }
        assert_eq!(self.state.met(), 9, "{:?}", self.state.check(Stage::CleanUp));
        let (now, state) = (things(sandbox), &self.state);
        assert_eq!((now.tables.len(), now.users.iter().filter(|name| **name == state.names().user).count()), (0, 0));
    }

    fn ask(&self, operation: &Operation) -> Value {
        let answer = self.runtime.block_on(self.clients.call(Identity::Admin, operation));
        answer.response.map(|response| response.body).unwrap()
    }

    fn key(&self) -> String {
        self.state.shown_facts().key_id().unwrap().to_owned()
    }

    fn policy(&self) -> String {
        self.ask(&Operation::GetKeyPolicy { key: self.key() })["Policy"].as_str().unwrap().to_owned()
    }

    fn grants(&self) -> Vec<Value> {
        let grants = self.ask(&Operation::ListGrants { key: self.key() })["Grants"].as_array().unwrap().clone();
        grants.into_iter().filter(|grant| grant["Name"] == "kmslab-attempt").collect()
    }

    /// Which ways stand on the server.
    fn stands(&self) -> [bool; 3] {
        [
            self.policy().contains("LetTestUserRead"),
            self.inline().iter().any(|name| name == "kmslab-attempt"),
            !self.grants().is_empty(),
        ]
    }

    fn inline(&self) -> Vec<String> {
        let found = self.runtime.block_on(self.clients.inventory(&Default::default())).unwrap();
        found.users.iter().find(|user| user.name == self.state.names().user).unwrap().inline_policies.clone()
    }
}

fn arn(state: &State, label: &str) -> String {
    let facts = state.shown_facts();
    match label {
        "user" => facts.principal(Identity::TestUser).unwrap(),
        "admin" => facts.principal(Identity::Admin).unwrap(),
        "root" => format!("arn:aws:iam::{}:root", facts.admin.as_ref().unwrap().account),
        "account" => facts.admin.as_ref().unwrap().account.clone(),
        "key" => facts.key_arn().unwrap().to_owned(),
        "alias" => facts.key_arn().unwrap().rsplit_once(':').unwrap().0.to_owned() + ":" + &state.names().alias,
        "table" => facts.table_arn(&state.names().table, &state.backend().region),
        "table's name" => state.names().table.clone(),
        other => other.to_owned(),
    }
}

/// What is drawn for a statement or a grant: labels, which [`arn`] fills in.
#[derive(Debug, Clone)]
struct Drawn {
    mechanism: Mechanism,
    effect: &'static str,
    principal: &'static str,
    not_principal: bool,
    actions: Vec<&'static str>,
    not_action: bool,
    resource: &'static str,
    not_resource: bool,
    condition: Option<(&'static str, &'static str, &'static str)>,
    constraint: Option<(&'static str, &'static str, &'static str)>,
}

fn drawn() -> impl Strategy<Value = Drawn> {
    let actions = [
        "kms:Decrypt",
        "kms:Encrypt",
        "kms:*",
        "kms:D*",
        "kms:decrypt",
        "dynamodb:Scan",
        "*",
        "dynamodb:*",
        "kms:________",
    ];
    let operators = ["StringEquals", "StringNotEquals", "StringLike", "StringEqualsIfExists", "Null"];
    let keys = [
        "kms:ViaService",
        "kms:CallerAccount",
        "kms:EncryptionContext:aws:dynamodb:tableName",
        "aws:username",
        "aws:PrincipalArn",
    ];
    let values = [
        "dynamodb.us-east-1.amazonaws.com",
        "dynamodb.us-west-2.amazonaws.com",
        "dynamodb.*",
        "table's name",
        "account",
        "true",
        "user",
    ];
    let condition = (select(operators.to_vec()), select(keys.to_vec()), select(values.to_vec()));
    let pairs = ["aws:dynamodb:tableName", "aws:dynamodb:subscriberId", "color"];
    let constraint = (
        select(vec!["EncryptionContextSubset", "EncryptionContextEquals"]),
        select(pairs.to_vec()),
        select(vec!["table's name", "account", "other", "table"]),
    );
    let who =
        ["user", "user", "user", "admin", "root", "account", "*", "table", "key", "________", "dynamodb.amazonaws.com"];
    let head = (select(Mechanism::ALL.to_vec()), select(vec!["Allow", "Allow", "Allow", "Deny"]), select(who.to_vec()));
    let body = (
        proptest::collection::vec(select(actions.to_vec()), 1..3),
        select(vec!["*", "*", "key", "key", "alias", "table", "________", "arn:aws:kms:*:*:key/*"]),
        proptest::option::weighted(0.3, condition),
        proptest::option::weighted(0.6, constraint),
    );
    let negated = (any::<u8>(), any::<u8>(), any::<u8>());
    (head, body, negated).prop_map(
        |((mechanism, effect, principal), (actions, resource, condition, constraint), not)| {
            let rarely = |byte: u8| byte < 12;
            Drawn {
                mechanism,
                effect,
                principal,
                not_principal: rarely(not.0),
                actions,
                not_action: rarely(not.1),
                resource,
                not_resource: rarely(not.2),
                condition,
                constraint,
            }
        },
    )
}

impl Drawn {
    fn text(&self, state: &State) -> String {
        let fill = |label: &str| arn(state, label);
        if self.mechanism == Mechanism::Grant {
            let operations: Vec<&str> =
                self.actions.iter().map(|action| action.split_once(':').map_or(*action, |(_, name)| name)).collect();
            let mut grant = json!({"GranteePrincipal": fill(self.principal), "Operations": operations});
            if let Some((name, key, value)) = self.constraint {
                grant["Constraints"] = json!({name: {key: fill(value)}});
            }
            return grant.to_string();
        }
        let member = |not: bool, name: &str| if not { format!("Not{name}") } else { name.to_owned() };
        let mut statement = json!({"Sid": "Generated", "Effect": self.effect});
        if self.mechanism == Mechanism::KeyPolicy {
            statement[member(self.not_principal, "Principal")] = match self.principal {
                service if service.ends_with(".com") => json!({"Service": service}),
                other => json!({"AWS": fill(other)}),
            };
        }
        statement[member(self.not_action, "Action")] = json!(self.actions);
        statement[member(self.not_resource, "Resource")] = json!(fill(self.resource));
        if let Some((operator, key, value)) = self.condition {
            statement["Condition"] = json!({operator: {key: fill(value)}});
        }
        statement.to_string()
    }
}

/// The marks of the real Scan: DynamoDB's and KMS's.
fn verdict(state: &State) -> (Sign, Sign) {
    let scan = state.shown().exchanges().rev().find(|exchange| exchange.identity == Identity::TestUser);
    let denied = match &scan.expect("a Scan").verdict {
        kmslab::lab::Verdict::Allowed => return (Sign::Yes, Sign::Yes),
        kmslab::lab::Verdict::Denied(denied) => denied,
        other => panic!("{other:?}"),
    };
    match denied.action.as_deref() {
        Some("dynamodb:Scan") => (Sign::No, Sign::NotAsked),
        Some("kms:Decrypt") => (Sign::Yes, Sign::No),
        other => panic!("{other:?}"),
    }
}

#[test]
fn the_forecast_is_the_servers_verdict() {
    let sandbox = sandbox();
    let lab = RefCell::new(Lab::new(&sandbox, BackendKind::Sandbox));
    let base = lab.borrow().state.clone();
    let policy = lab.borrow().policy();
    let counts = RefCell::new([0_u32; 4]);
    let mut runner = TestRunner::new(Cases { cases: 400, failure_persistence: None, ..Cases::default() });
    let ran = runner.run(&drawn(), |drawn| {
        let lab = &mut *lab.borrow_mut();
        lab.state = base.clone();
        let text = drawn.text(&lab.state);
        let forecast = lab.write(drawn.mechanism, &text);
        let came = lab.send();
        let marks = (forecast.table, forecast.key);
        let mut counts = counts.borrow_mut();
        let checked = match came {
            // Nothing has changed: test-user is refused by KMS, as before.
            Some(Came::Rejected) => {
                counts[0] += 1;
                matches!(marks, (Sign::Yes, Sign::No | Sign::Unknown))
                    && (forecast.reason.contains("reject") || text.contains("____") || forecast.key == Sign::Unknown)
            }
            Some(_) if forecast.key == Sign::Unknown || forecast.table == Sign::Unknown => {
                counts[1] += 1;
                true
            }
            Some(came) => {
                counts[if came == Came::Allowed { 2 } else { 3 }] += 1;
                marks == verdict(&lab.state)
                    && forecast.allows() == (came == Came::Allowed)
                    && !forecast.reason.contains("reject")
            }
            None => false,
        };
        // As it was before.
        let (key, user) = (lab.key(), lab.state.names().user.clone());
        lab.ask(&Operation::PutKeyPolicy { key: key.clone(), policy: policy.clone() });
        lab.ask(&Operation::DeleteUserPolicy { user, name: "kmslab-attempt".into() });
        for grant in lab.grants() {
            let grant_id = grant["GrantId"].as_str().unwrap().to_owned();
            lab.ask(&Operation::RevokeGrant { key: key.clone(), grant_id });
        }
        prop_assert!(checked, "{forecast:?} {came:?} {text}");
        Ok(())
    });
    ran.unwrap();
    let counts = counts.into_inner();
    // Not vacuous: all of it has happened, and little was not known.
    assert!(counts[0] > 10 && counts[2] > 20 && counts[3] > 60 && counts[1] < 60, "{counts:?}");
}

fn right(mechanism: Mechanism, state: &State) -> String {
    let (user, key, table) = (arn(state, "user"), arn(state, "key"), state.names().table.clone());
    match mechanism {
        Mechanism::KeyPolicy => json!({"Sid": "LetTestUserRead", "Effect": "Allow", "Principal": {"AWS": user},
            "Action": "kms:Decrypt", "Resource": "*"}),
        Mechanism::IamPolicy => {
            json!({"Sid": "LetTestUserRead", "Effect": "Allow", "Action": "kms:Decrypt", "Resource": key})
        }
        Mechanism::Grant => json!({"GranteePrincipal": user, "Operations": ["Decrypt"],
            "Constraints": {"EncryptionContextSubset": {"aws:dynamodb:tableName": table}}}),
    }
    .to_string()
}

fn wrong(mechanism: Mechanism, state: &State) -> String {
    right(mechanism, state).replace("Decrypt", "Encrypt")
}

#[rstest]
fn each_way_lets_test_user_read_and_is_removed(
    #[values(Mechanism::KeyPolicy, Mechanism::IamPolicy, Mechanism::Grant)] mechanism: Mechanism,
    #[values(BackendKind::Sandbox, BackendKind::Endpoint)] kind: BackendKind,
) {
    let sandbox = sandbox();
    let mut lab = Lab::new(&sandbox, kind);
    let text = right(mechanism, &lab.state);
    assert!(lab.write(mechanism, &text).allows());
    assert_eq!(lab.send(), Some(Came::Allowed));
    assert!(lab.state.check(Stage::Grant).unwrap().met);
    assert_eq!((lab.state.view().desk, lab.state.own_way()), (Some(Desk::Outcome), Some(mechanism)));
    assert_eq!(lab.policy().contains("LetTestUserRead"), mechanism == Mechanism::KeyPolicy);
    assert_eq!(lab.grants().len(), usize::from(mechanism == Mechanism::Grant));
    lab.finish(&sandbox);
}

#[rstest]
fn a_wrong_attempt_is_sent_replaced_and_undone(
    #[values(Mechanism::KeyPolicy, Mechanism::IamPolicy, Mechanism::Grant)] first: Mechanism,
    #[values(Mechanism::KeyPolicy, Mechanism::IamPolicy, Mechanism::Grant)] second: Mechanism,
) {
    let sandbox = sandbox();
    let mut lab = Lab::new(&sandbox, BackendKind::Sandbox);
    let before = (lab.policy(), lab.inline());
    let text = wrong(first, &lab.state);
    assert_eq!((lab.write(first, &text).key, lab.send()), (Sign::No, Some(Came::Refused)));
    assert!(lab.state.check(Stage::Grant).is_none());
    assert_eq!(lab.state.attempts().standing(), Some(first));
    let moved = lab.moved();
    assert!(moved.len() == 1 && moved[0].now.contains("Encrypt"), "{moved:?}");
    // Another one takes its place.
    let text = wrong(second, &lab.state);
    lab.write(second, &text);
    assert_eq!(lab.send(), Some(Came::Refused));
    assert_eq!(lab.stands(), Mechanism::ALL.map(|mechanism| mechanism == second));
    lab.press(Intent::Undo);
    assert_eq!(lab.state.attempts().standing(), None);
    assert_eq!((lab.policy(), lab.inline(), lab.grants().len()), (before.0, before.1, 0));
    // What was written is still there.
    assert_eq!(lab.state.mode(), Mode::Choosing);
    lab.press(Intent::ChooseWay(second));
    assert_eq!(lab.state.attempts().draft().unwrap().text(), text);
}

#[test]
fn the_usual_way_follows_a_wrong_attempt() {
    let sandbox = sandbox();
    let mut lab = Lab::new(&sandbox, BackendKind::Sandbox);
    let text = wrong(Mechanism::IamPolicy, &lab.state);
    lab.write(Mechanism::IamPolicy, &text);
    assert_eq!(lab.send(), Some(Came::Refused));
    lab.press(Intent::Close);
    lab.press(Intent::Advance);
    assert!(lab.state.check(Stage::Grant).unwrap().met, "{:?}", lab.state.check(Stage::Grant));
    assert_eq!((lab.inline().len(), lab.state.own_way()), (0, None));
    lab.finish(&sandbox);
}

/// A lab whose learner has let test-user read, and has read again.
fn after_stage_8(sandbox: &Sandbox, mechanism: Mechanism) -> Lab {
    let mut lab = Lab::new(sandbox, BackendKind::Sandbox);
    let text = right(mechanism, &lab.state);
    lab.write(mechanism, &text);
    assert_eq!(lab.send(), Some(Came::Allowed));
    lab.press(Intent::Advance);
    lab.press(Intent::Advance);
    lab
}

#[rstest]
fn experiments_begin_where_the_usual_way_ends(
    #[values(Mechanism::KeyPolicy, Mechanism::IamPolicy, Mechanism::Grant)] mechanism: Mechanism,
) {
    let sandbox = sandbox();
    let mut lab = after_stage_8(&sandbox, mechanism);
    assert!(lab.state.check(Stage::ViewAgain).unwrap().met);
    for which in Experiment::ALL {
        lab.press(Intent::ToggleExperiments);
        lab.press(Intent::MoveCursor(i8::MIN));
        lab.press(Intent::MoveCursor(which.index().try_into().unwrap()));
        lab.press(Intent::Advance);
        lab.press(Intent::Advance);
        let Status::Done(check) = &lab.state.trial(which).status else { panic!("{which:?}") };
        assert!(check.shown().met, "{which:?}: {check:?}");
        assert!(lab.state.view().message.as_deref().is_some_and(|text| text.contains("replace your")), "{which:?}");
        assert_eq!((lab.state.attempts().standing(), lab.state.attempts().replaced()), (None, Some(mechanism)));
        lab.press(Intent::ToggleExperiments);
        assert!(lab.state.view().message.as_deref().is_some_and(|text| text.ends_with("stands again")), "{which:?}");
        assert_eq!((lab.state.attempts().standing(), lab.state.attempts().replaced()), (Some(mechanism), None));
        assert_eq!(lab.stands(), Mechanism::ALL.map(|other| other == mechanism), "{which:?}");
    }
    assert!(!lab.policy().contains("Allow use of the key"));
    lab.finish(&sandbox);
}

#[rstest]
fn drills_begin_where_the_usual_way_ends(
    #[values(Mechanism::KeyPolicy, Mechanism::IamPolicy, Mechanism::Grant)] mechanism: Mechanism,
) {
    let sandbox = sandbox();
    let mut lab = after_stage_8(&sandbox, mechanism);
    let drill = Intent::Drill(DrillAction::Open);
    assert_eq!(lab.state.permit(drill), Permit::Yes);
    lab.press(drill);
    let it = lab.state.drills().current().unwrap();
    assert_eq!((it.task(), it.trouble()), (Task::Lock, None));
    assert_eq!(lab.state.attempts().standing(), None, "the console's statements stand instead");
    lab.press(Intent::Close);
    assert!(lab.state.is_drilling(), "the first press asks");
    lab.press(Intent::Close);
    assert_eq!((lab.state.is_drilling(), lab.state.experiments().changes()), (false, &[][..]));
    assert_eq!(lab.stands(), Mechanism::ALL.map(|other| other == mechanism), "it is put back");
    assert!(!lab.policy().contains("\"Allow use of the key\""));
    lab.finish(&sandbox);
}

#[rstest]
fn a_lab_that_dies_with_an_attempt_is_cleaned_up(
    #[values(Mechanism::KeyPolicy, Mechanism::IamPolicy, Mechanism::Grant)] mechanism: Mechanism,
    #[values(false, true)] is_right: bool,
) {
    let sandbox = sandbox();
    let foreign = things(&sandbox);
    let mut lab = Lab::new(&sandbox, BackendKind::Endpoint);
    let text = if is_right { right(mechanism, &lab.state) } else { wrong(mechanism, &lab.state) };
    lab.write(mechanism, &text);
    assert!(lab.send().is_some());
    let Lab { journals, world, events, .. } = lab;
    drop((world, events));
    let clients = clients(&sandbox);
    let endpoint = Some(sandbox.url().to_owned());
    let target = Target { endpoint, region: sandbox.region().to_owned(), admin_profile: None };
    let left = journal::Journals::read(journals.path()).unwrap().left;
    assert_eq!(left.len(), 1);
    let nobody = |_: &str| Ok(None);
    let _everyones = Consent { accepted: Some("111122223333"), ask: &nobody };
    let folder = Some(journals.path());
    let work = Work { clients: &clients, target: &target, folder, scope: Scope::Own, older_than: None, dry_run: false };
    let mut out = Vec::new();
    let outcome = block_on(clean(&work, left, &mut None, &mut out)).0;
    assert_eq!(outcome, Outcome::Clean, "{}", String::from_utf8(out).unwrap());
    let now = things(&sandbox);
    assert_eq!((now.tables, now.users), (foreign.tables, foreign.users));
}

#[test]
fn a_given_user_gets_no_policy_from_the_lab() {
    let sandbox = sandbox();
    let lab = Lab::new(&sandbox, BackendKind::Sandbox);
    let backend = Backend { given_user: true, ..lab.state.backend().clone() };
    let given = State::new(backend, lab.state.names().clone()).with_ways();
    for mechanism in [Mechanism::IamPolicy, Mechanism::Grant] {
        assert_eq!(lab.state.permit(Intent::ChooseWay(mechanism)), Permit::Yes);
    }
    assert_ne!(given.permit(Intent::ChooseWay(Mechanism::IamPolicy)), Permit::Yes);
}

/// A session with a wrong and a right attempt, event by event.
#[rstest]
fn a_log_shows_the_same_editor_again(#[values(false, true)] masked: bool) {
    let sandbox = sandbox();
    let lab = Lab::new(&sandbox, BackendKind::Sandbox);
    let backend = lab.state.backend().clone();
    let mut live = State::new(backend, lab.state.names().clone()).with_ways();
    if masked {
        live.mask();
    }
    let user = lab.state.names().user.clone();
    lab.ask(&Operation::DeleteUser { user });
    // Another run on the same server.
    live.set_names(Names::new("ways2"));
    let mut again = Head::new(&live, 0).state(0);
    let (world, mut events) = EffectHandler::new(clients(&sandbox));
    let mut happen = |event: Event, live: &mut State, again: &mut State| {
        let mut waiting = vec![event];
        loop {
            while let Some(event) = waiting.pop() {
                let effects = live.update(event.clone());
                if let Some(what) = Logged::of(live, &event) {
                    let text = serde_json::to_string(&Entry { at: 0, what }).unwrap();
                    serde_json::from_str::<Entry>(&text).unwrap().what.replay_on(again).unwrap();
                }
                for effect in effects {
                    match effect {
                        kmslab::lab::Effect::After { timer, .. } => waiting.push(Event::TimerFired(timer)),
                        effect => world.perform(effect),
                    }
                }
            }
            let is_reading = live.view().desk.is_some() && live.attempts().now().is_none();
            if !(live.is_running() || is_reading && live.mode() == Mode::Writing) {
                return;
            }
            waiting.push(lab.runtime.block_on(events.recv()).unwrap());
        }
    };
    while live.mode() != Mode::Choosing {
        let _guard = lab.runtime.enter();
        happen(Event::Intent(Intent::Advance), &mut live, &mut again);
    }
    let _guard = lab.runtime.enter();
    for text in [wrong(Mechanism::IamPolicy, &live), right(Mechanism::IamPolicy, &live)] {
        happen(Event::Intent(Intent::ChooseWay(Mechanism::IamPolicy)), &mut live, &mut again);
        let edit = live.attempts().draft().unwrap().edit_to(&text, (0, 3));
        happen(Event::Edited(edit), &mut live, &mut again);
        assert_eq!(again.forecast(), live.forecast());
        happen(Event::Intent(Intent::Send), &mut live, &mut again);
        assert_eq!((again.view(), again.attempts().sent()), (live.view(), live.attempts().sent()));
    }
    assert!(live.check(Stage::Grant).is_some_and(|check| check.met), "{:?}", live.attempts().came());
    assert_eq!(again.check(Stage::Grant), live.check(Stage::Grant));
}
