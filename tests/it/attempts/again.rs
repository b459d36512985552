//! Own ways that the lab didn't see being taken: before it died, or with another client.

use kmslab::lab::attempts::Came;
use kmslab::lab::model::attempt;
use kmslab::lab::model::mechanism::Mechanism;
use kmslab::lab::model::noticed::NoticedCall;
use kmslab::lab::{BackendKind, Event, Intent, Mode, Operation, Page, Place, Stage, State};
use kmslab::sandbox::{Config, Sandbox};
use rstest::rstest;
use serde_json::json;

use super::{Lab, arn, right, sandbox, wrong};

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
    let (key, user, policy) = (lab.key(), lab.state.names().user.clone(), lab.policy());
    let target = attempt::Target { key: &key, user: &user, policy: Some(&policy) };
    let operation = attempt::operation(mechanism, &right(mechanism, &lab.state), &target).unwrap();
    lab.ask(&operation);
    let parameters = match &operation {
        Operation::PutKeyPolicy { policy, .. } => json!({"KeyId": key, "Policy": policy}),
        Operation::PutUserPolicy { name, policy, .. } => {
            json!({"UserName": user, "PolicyName": name, "PolicyDocument": policy})
        }
        Operation::CreateGrant { grantee, operations, constraints, name, .. } => {
            let constraints = constraints.as_ref().unwrap();
            json!({"KeyId": key, "GranteePrincipal": grantee, "Operations": operations, "Name": name,
                "Constraints": {constraints.name(): constraints.pairs()}})
        }
        other => panic!("{other:?}"),
    };
    let call = NoticedCall {
        service: operation.service().prefix().to_owned(),
        operation: mechanism.call().to_owned(),
        principal: arn(&lab.state, "admin"),
        parameters: serde_json::from_value(parameters).unwrap(),
        ..NoticedCall::default()
    };
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
