//! The paths of the stages' Scans, from the evidence that there is.

use rstest::rstest;
use serde_json::json;

use super::fake::{Cloud, Lab, backend, endpoint};
use crate::lab::lesson::interface::Interface;
use crate::lab::{Backend, BackendKind, Event, Identity, Intent, Path, Stage};

fn words(path: Option<Path>) -> String {
    path.map(|path| path.words(Interface::ENGLISH)).unwrap_or_default()
}

fn paths(lab: &Lab) -> [String; 2] {
    Identity::BOTH.map(|identity| words(lab.state.path(identity)))
}

const THROUGH: &str = "DynamoDB yes, KMS yes, 3 items";
const STOPPED: &str = "DynamoDB yes, KMS no, no items";

#[test]
fn kms_stops_test_user_and_later_lets_it_through() {
    let mut lab = Lab::new(backend(), Cloud::default());
    lab.run_to(Stage::CreateUser);
    assert_eq!(paths(&lab), ["", ""], "a call that reads nothing has no path");
    lab.run_to(Stage::ViewDenied);
    assert_eq!(paths(&lab), [THROUGH, STOPPED]);
    assert_eq!(lab.state.view.focus(), Identity::TestUser);
    lab.run_to(Stage::ViewAgain);
    assert_eq!(paths(&lab), [THROUGH, THROUGH]);
    assert_eq!(lab.state.view.focus(), Identity::TestUser, "w explains what has changed");
}

#[test]
fn a_denial_at_the_table_means_that_kms_was_not_asked() {
    let mut lab = Lab::new(backend(), Cloud::default());
    lab.run_to(Stage::CreateUser);
    let message = "User: arn:aws:iam::111122223333:user/u is not authorized to perform: dynamodb:Scan on resource: t \
                   because no identity-based policy allows the dynamodb:Scan action";
    let denied = json!({"__type": "x#AccessDeniedException", "message": message});
    lab.cloud.faults.extend([("Scan", 400, denied.clone()), ("Scan", 400, denied)]);
    lab.run_to(Stage::ViewDenied);
    assert_eq!(paths(&lab), ["DynamoDB no, KMS not asked, no items"; 2]);
}

#[rstest]
#[case::a_server_that_asks_no_kms(backend(), "DynamoDB yes, KMS not asked: DynamoDB still had the table key, 3 items")]
#[case::a_sandbox_elsewhere(endpoint(false), "DynamoDB yes, KMS not asked: DynamoDB still had the table key, 3 items")]
fn the_trail_shows_whether_kms_was_asked(#[case] backend: Backend, #[case] said: &str) {
    let mut lab = Lab::new(backend, Cloud { enforces_kms: false, ..Cloud::default() });
    lab.run_to(Stage::ViewDenied);
    assert!(!lab.observed(Stage::ViewDenied).0);
    assert_eq!(paths(&lab), [said; 2]);
}

#[test]
fn on_aws_an_allowed_call_does_not_prove_that_kms_was_asked() {
    let aws = Backend { kind: BackendKind::Aws, endpoint: None, ..backend() };
    let mut lab = Lab::new(aws, Cloud::default());
    lab.state.set_accepted_account(Some(super::fake::ACCOUNT.to_owned()));
    lab.run_to(Stage::ViewDenied);
    assert_eq!(paths(&lab), ["DynamoDB yes, KMS unknown, 3 items", STOPPED]);
}

#[test]
fn nodes_light_up_one_after_another() {
    let mut lab = Lab::new(backend(), Cloud::default());
    lab.run_to(Stage::CreateUser);
    lab.press(Intent::Advance);
    let effects = lab.state.update(Event::Intent(Intent::Advance));
    assert!(effects.contains(&crate::lab::Effect::Reconnect), "{effects:?}");
    assert_eq!(paths(&lab), ["waiting for DynamoDB", "waiting for DynamoDB"]);
    let mut traces = Vec::new();
    for effect in effects {
        if let crate::lab::Effect::Call { id, identity, operation } = effect {
            let answer = lab.cloud.call(identity, &operation);
            traces.extend(lab.state.update(Event::CallFinished { id, answer }));
        }
    }
    assert_eq!(paths(&lab), ["DynamoDB yes, waiting for KMS, 3 items", STOPPED]);
    lab.perform(traces);
    assert_eq!(paths(&lab), [THROUGH, STOPPED]);
}

#[test]
fn recorded_responses_say_nothing_of_kms() {
    let mut lab = Lab::new(backend(), Cloud::default());
    lab.run_to(Stage::ViewDenied);
    let exchange = lab.state.record(Stage::ViewDenied).exchanges().next().cloned().unwrap();
    let mut other = Lab::new(backend(), Cloud::default());
    other.run_to(Stage::Who);
    assert_eq!(words(other.state.path_of(&exchange)), "DynamoDB yes, KMS unknown, 3 items");
}
