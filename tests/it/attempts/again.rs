//! Own ways that the lab didn't see being taken: before it died, or with another client.

use kmslab::lab::attempts::Came;
use kmslab::lab::insight::Known;
use kmslab::lab::insight::trail::Cause;
use kmslab::lab::model::attempt;
use kmslab::lab::model::mechanism::Mechanism;
use kmslab::lab::model::noticed::NoticedCall;
use kmslab::lab::{BackendKind, Event, Experiment, Intent, Mode, Operation, Page, Place, Stage, State};
use kmslab::sandbox::{Config, Sandbox};
use kmslab::ui::render;
use ratatui::layout::Size;
use rstest::rstest;
use serde_json::json;

use super::{Lab, arn, right, sandbox, wrong};
use crate::screens::dark;
use crate::support::lab::text_dump;

#[rstest]
fn a_sent_statement_is_offered_again(
    #[values(Mechanism::KeyPolicy, Mechanism::IamPolicy, Mechanism::Grant)] mechanism: Mechanism,
    #[values(false, true)] is_right: bool,
    #[values(false, true)] has_data: bool,
) {
    let sandbox = sandbox();
    let mut lab = Lab::new(&sandbox, BackendKind::Sandbox);
    let place = Place { data: has_data.then(|| "data".into()), ..Place::new(lab.state.backend()) };
    lab.state.save_at(place.clone());
    let statement = if is_right { right } else { wrong };
    let text = statement(mechanism, &lab.state);
    lab.write(mechanism, &text);
    assert!(lab.send().is_some());
    // It dies. Without a folder the sandbox dies with it.
    let saved = lab.state.saved().unwrap();
    let other = Sandbox::start(Config { seed: Some(8), ..Config::default() }).unwrap();
    let server = if has_data { &sandbox } else { &other };
    let mut lab = Lab::begun(server, BackendKind::Sandbox, "ways2");
    lab.state.save_at(place);
    let effects = lab.state.offer_to_resume(saved);
    lab.runtime.block_on(async { effects.into_iter().for_each(|effect| lab.world.perform(effect)) });
    lab.wait_until(State::can_resume);
    lab.press(Intent::Advance);
    if has_data && is_right {
        assert_eq!((lab.state.met(), lab.state.own_way()), (7, Some(mechanism)), "it stands");
    } else {
        assert_eq!((lab.state.met(), lab.state.mode()), (6, Mode::Writing), "{:?}", lab.state.view().message);
        assert_eq!((lab.state.attempts().chosen(), lab.stands()), (Some(mechanism), [false; 3]));
        // It mentions what is there now.
        assert_eq!(lab.state.draft().unwrap().text(), statement(mechanism, &lab.state));
        let text = right(mechanism, &lab.state);
        lab.write_here(&text);
        assert_eq!(lab.send(), Some(Came::Allowed));
    }
    lab.finish(server);
}

#[rstest]
fn another_clients_way_is_the_same_fact(
    #[values(Mechanism::KeyPolicy, Mechanism::IamPolicy, Mechanism::Grant)] mechanism: Mechanism,
) {
    let sandbox = sandbox();
    let mut lab = Lab::new(&sandbox, BackendKind::Sandbox);
    lab.wait_until(|state| state.attempts().before().is_some());
    let policy = lab.policy();
    let operation = own_call(&lab, mechanism, &policy);
    let call = made_elsewhere(&lab, &operation);
    lab.happen(Event::Noticed(vec![call]));
    assert!(lab.state.check(Stage::Grant).is_some_and(|check| check.met), "{:?}", lab.state.view().message);
    let way = lab.state.shown_facts().way.clone().unwrap();
    assert_eq!((way.mechanism, way.call), (mechanism, Some(operation)));
    // What it opens is known as after an attempt.
    lab.press(Intent::TogglePage(Page::Noticed));
    lab.wait_until(|state| state.attempts().now().is_some());
    assert_eq!(lab.state.extent().map(|extent| extent.mechanism), Some(mechanism));
    assert_eq!(lab.state.rungs().iter().filter(|rung| rung.before.is_some()).count(), 1);
    lab.press(Intent::Close);
    lab.finish(&sandbox);
}

/// The right call of a way, as a learner would make it.
fn own_call(lab: &Lab, mechanism: Mechanism, policy: &str) -> Operation {
    let (key, user) = (lab.key(), lab.state.names().user.clone());
    let target = attempt::Target { key: &key, user: &user, policy: Some(policy) };
    attempt::operation(mechanism, &right(mechanism, &lab.state), &target).unwrap()
}

/// Makes a call with another client, and says what the backend reports of it.
fn made_elsewhere(lab: &Lab, operation: &Operation) -> NoticedCall {
    let (key, user) = (lab.key(), lab.state.names().user.clone());
    let result = lab.ask(operation);
    let parameters = match operation {
        Operation::PutKeyPolicy { policy, .. } => json!({"KeyId": key, "Policy": policy}),
        Operation::PutUserPolicy { name, policy, .. } => {
            json!({"UserName": user, "PolicyName": name, "PolicyDocument": policy})
        }
        Operation::CreateGrant { grantee, operations, constraints, name, .. } => {
            let mut parameters = json!({"KeyId": key, "GranteePrincipal": grantee, "Operations": operations});
            if !name.is_empty() {
                parameters["Name"] = json!(name);
            }
            if let Some(constraints) = constraints {
                parameters["Constraints"] = json!({constraints.name(): constraints.pairs()});
            }
            parameters
        }
        other => panic!("{other:?}"),
    };
    NoticedCall {
        service: operation.service().prefix().to_owned(),
        operation: operation.name().to_owned(),
        principal: arn(&lab.state, "admin"),
        parameters: serde_json::from_value(parameters).unwrap(),
        result: result.as_object().cloned().unwrap_or_default(),
        ..NoticedCall::default()
    }
}

/// What a learner adds in a shell. None of it has the lab's own names.
#[derive(Debug, Clone, Copy, PartialEq)]
enum InShell {
    Grant,
    InlinePolicy,
    /// A key policy that lets the whole account in, without naming anybody.
    AnyonesPolicy,
}

impl InShell {
    fn operation(self, lab: &Lab) -> Operation {
        let (key, user) = (lab.key(), lab.state.names().user.clone());
        let decrypt = |principal: Option<&str>| {
            let mut statement = json!({"Sid": "Mine", "Effect": "Allow", "Action": "kms:Decrypt", "Resource": "*"});
            principal.into_iter().for_each(|principal| statement["Principal"] = json!({"AWS": principal}));
            statement
        };
        match self {
            InShell::Grant => Operation::CreateGrant {
                key,
                grantee: arn(&lab.state, "user"),
                operations: vec!["Decrypt".to_owned()],
                constraints: None,
                name: String::new(),
            },
            InShell::InlinePolicy => Operation::PutUserPolicy {
                user,
                name: "mine".to_owned(),
                policy: json!({"Version": "2012-10-17", "Statement": [decrypt(None)]}).to_string(),
            },
            InShell::AnyonesPolicy => {
                let mut policy: serde_json::Value = serde_json::from_str(&lab.policy()).unwrap();
                policy["Statement"].as_array_mut().unwrap().push(decrypt(Some("*")));
                Operation::PutKeyPolicy { key, policy: policy.to_string() }
            }
        }
    }

    /// Whether it stands, and whether the console's statements do.
    fn stands(self, lab: &Lab) -> (bool, bool) {
        let user = arn(&lab.state, "user");
        let stands = match self {
            InShell::Grant => {
                let all = lab.ask(&Operation::ListGrants { key: lab.key() });
                all["Grants"].as_array().unwrap().iter().any(|grant| grant["GranteePrincipal"] == user.as_str())
            }
            InShell::InlinePolicy => lab.inline().contains(&"mine".to_owned()),
            InShell::AnyonesPolicy => lab.policy().contains("\"Mine\""),
        };
        (stands, lab.policy().contains("Allow use of the key"))
    }
}

#[rstest]
fn what_a_shell_has_added_is_put_back(
    #[values(InShell::Grant, InShell::InlinePolicy, InShell::AnyonesPolicy)] added: InShell,
    #[values(false, true)] after_a_rejection: bool,
) {
    let sandbox = sandbox();
    let mut lab = Lab::new(&sandbox, BackendKind::Sandbox);
    if after_a_rejection {
        lab.write(Mechanism::IamPolicy, r#"{"Sid": "Mine", "Effect": "Allow", "Action": "___", "Resource": "___"}"#);
        assert_eq!(lab.send(), Some(Came::Rejected));
        lab.press(Intent::Close);
    }
    lab.wait_until(|state| state.attempts().before().is_some());
    let call = made_elsewhere(&lab, &added.operation(&lab));
    lab.happen(Event::Noticed(vec![call]));
    lab.press(Intent::Advance);
    lab.press(Intent::Advance);
    assert!(lab.state.check(Stage::ViewAgain).is_some_and(|check| check.met), "{:?}", lab.state.view().message);
    // Twice: what was put back is the learner's own again.
    for which in [Experiment::ExplicitDeny, Experiment::KmsGrant] {
        lab.press(Intent::ToggleExperiments);
        lab.press(Intent::MoveCursor(i8::MIN));
        lab.press(Intent::MoveCursor(which.index().try_into().unwrap()));
        lab.press(Intent::Advance);
        lab.press(Intent::Advance);
        let message = lab.state.view().message.clone().unwrap_or_default();
        assert!(message.contains("the console's statements replace your"), "{which:?}: {message}");
        assert_eq!(added.stands(&lab), (false, true), "{which:?}");
        lab.press(Intent::ToggleExperiments);
        let message = lab.state.view().message.clone().unwrap_or_default();
        assert!(message.ends_with("stands again"), "{which:?}: {message}");
        assert_eq!(added.stands(&lab), (true, false), "{which:?}");
    }
    lab.finish(&sandbox);
}

#[test]
fn the_trail_leaves_out_what_the_lab_reads_aside() {
    let sandbox = sandbox();
    let mut lab = Lab::new(&sandbox, BackendKind::Sandbox);
    let text = right(Mechanism::KeyPolicy, &lab.state);
    // The forecast reads what decides.
    lab.write(Mechanism::KeyPolicy, &text);
    assert_eq!(lab.send(), Some(Came::Allowed));
    lab.ask(&Operation::ListGrants { key: lab.key() });
    lab.press(Intent::TogglePage(Page::Trail));
    lab.wait_until(|state| matches!(state.known(), Some(Known::Trail(_))));
    let Some(Known::Trail(events)) = lab.state.known() else { panic!("no trail") };
    let entries = lab.state.trail(events);
    let others: Vec<&str> =
        entries.iter().filter(|it| it.cause == Cause::Another).map(|it| it.operation.as_str()).collect();
    assert_eq!(others, ["ListGrants"], "a client of the person's");
    assert!(entries.iter().any(|it| it.by_dynamodb && it.operation == "Decrypt"), "{entries:?}");
    lab.press(Intent::Close);
    lab.finish(&sandbox);
}

#[test]
fn stage_7_is_explained_though_the_scan_follows_at_once() {
    let sandbox = sandbox();
    let mut lab = Lab::new(&sandbox, BackendKind::Sandbox);
    lab.wait_until(|state| state.attempts().before().is_some());
    lab.press(Intent::OpenShell);
    let grant = made_elsewhere(&lab, &InShell::Grant.operation(&lab));
    let scan = NoticedCall {
        service: "dynamodb".to_owned(),
        operation: "Scan".to_owned(),
        principal: arn(&lab.state, "user"),
        parameters: serde_json::from_value(json!({"TableName": lab.state.names().table})).unwrap(),
        serial: 2,
        ..NoticedCall::default()
    };
    lab.happen(Event::Noticed(vec![grant, scan]));
    lab.happen(Event::ShellClosed);
    lab.wait_until(|state| state.attempts().now().is_some());
    assert_eq!((lab.state.met(), lab.state.view().shown), (8, Stage::Grant));
    let screen = text_dump(&render(&lab.state, &dark(), Size::new(100, 40)));
    let texts = ["Stage 7 is done.", "Stage 8 is done.", "rung that moved", "8 ✔"];
    let places: Vec<Option<usize>> = texts.iter().map(|text| screen.find(text)).collect();
    assert!(places.iter().all(Option::is_some) && places.is_sorted(), "{screen}");
    lab.press(Intent::Close);
    assert_eq!((lab.state.view().page(), lab.state.view().shown), (None, Stage::Grant));
    lab.press(Intent::Advance);
    assert_eq!(lab.state.view().shown, Stage::ViewAgain);
    lab.finish(&sandbox);
}
