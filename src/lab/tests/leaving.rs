//! Leaving while something is under way.

use serde_json::json;

use super::fake::*;
use crate::lab::*;

#[test]
fn leaving_the_sandbox_needs_no_question() {
    let mut lab = sandbox();
    lab.run_to(Stage::CreateTable);
    lab.press(Intent::Quit);
    assert!(lab.exited);
}

#[test]
fn leaving_an_endpoint_can_clean_up_first() {
    let mut lab = Lab::new(endpoint(false), Cloud::default());
    lab.run_to(Stage::CreateTable);
    lab.press(Intent::Quit);
    assert!(!lab.exited && lab.state.view().is_asking_to_quit());
    assert_eq!(lab.state.leftovers().len(), 3, "{:?}", lab.state.leftovers());
    lab.press(Intent::CleanUpAndQuit);
    assert!(lab.exited);
    assert_eq!(lab.state.leftovers(), Vec::<String>::new());
}

#[test]
fn leaving_twice_leaves_it_behind() {
    let mut lab = Lab::new(endpoint(false), Cloud::default());
    lab.run_to(Stage::CreateKey);
    lab.press(Intent::Quit);
    lab.press(Intent::Quit);
    assert!(lab.exited);
    assert!(!lab.state.leftovers().is_empty());
}

#[test]
fn leaving_during_calls_cleans_up_after_them() {
    let mut lab = Lab::new(endpoint(false), Cloud::default());
    lab.run_to(Stage::CreateKey);
    lab.press(Intent::Advance);
    let under_way = lab.state.update(Event::Intent(Intent::Advance));
    assert!(lab.state.is_running());
    lab.press(Intent::Quit);
    lab.press(Intent::CleanUpAndQuit);
    assert!(!lab.exited, "the calls have not ended");
    lab.perform(under_way);
    assert!(lab.exited);
    assert_eq!(lab.state.leftovers(), Vec::<String>::new());
}

/// The calls among `effects`.
fn calls(effects: Vec<Effect>) -> Vec<(CallId, Identity, Operation)> {
    let call = |effect| match effect {
        Effect::Call { id, identity, operation } => Some((id, identity, operation)),
        _ => None,
    };
    effects.into_iter().filter_map(call).collect()
}

#[test]
fn what_is_just_being_created_is_a_leftover_too() {
    let mut lab = Lab::new(endpoint(false), Cloud::default());
    lab.run_to(Stage::Who);
    lab.press(Intent::Advance);
    let under_way = lab.state.update(Event::Intent(Intent::Advance));
    assert_eq!(lab.state.leftovers(), ["KMS key, being created"]);
    lab.press(Intent::Quit);
    assert!(!lab.exited, "it asks");
    lab.press(Intent::CleanUpAndQuit);
    lab.perform(under_way);
    assert!(lab.exited);
    assert_eq!(lab.state.leftovers(), Vec::<String>::new());
    assert!(lab.sent.contains(&"admin kms:ScheduleKeyDeletion".to_owned()));
}

#[test]
fn leaving_creates_nothing_more() {
    let mut lab = Lab::new(endpoint(false), Cloud::default());
    lab.run_to(Stage::ViewAdmin);
    lab.press(Intent::Advance);
    let under_way = lab.state.update(Event::Intent(Intent::Advance));
    lab.press(Intent::CleanUpAndQuit);
    lab.sent.clear();
    lab.perform(under_way);
    assert!(lab.exited);
    assert!(lab.sent.contains(&"admin iam:CreateUser".to_owned()), "it was under way");
    assert!(!lab.sent.contains(&"admin iam:CreateAccessKey".to_owned()), "{:?}", lab.sent);
    assert_eq!(lab.state.leftovers(), Vec::<String>::new());
}

/// Sends the shown stage, up to its first pause.
fn until_a_pause(lab: &mut Lab) -> TimerId {
    let mut calls = calls(lab.state.update(Event::Intent(Intent::Advance)));
    loop {
        let (id, identity, operation) = calls.remove(0);
        let answer = lab.cloud.call(identity, &operation);
        let effects = lab.state.update(Event::CallFinished { id, answer });
        match effects.last() {
            Some(Effect::After { timer, .. }) => return *timer,
            _ => calls = self::calls(effects),
        }
    }
}

#[test]
fn leaving_does_not_wait_for_the_pause_between_two_attempts() {
    let mut lab = Lab::new(endpoint(false), Cloud { creating: 3, ..Cloud::default() });
    lab.run_to(Stage::CreateKey);
    lab.press(Intent::Advance);
    let timer = until_a_pause(&mut lab);
    lab.press(Intent::CleanUpAndQuit);
    assert!(lab.exited);
    assert_eq!(lab.state.update(Event::TimerFired(timer)), [], "the timer means nothing any more");
}

#[test]
fn leaving_while_clean_up_pauses_waits_for_its_end() {
    let mut lab = Lab::new(endpoint(false), Cloud::default());
    lab.run_to(Stage::ViewAgain);
    lab.press(Intent::Advance);
    let busy = json!({"__type": "com.amazonaws.dynamodb.v20120810#ResourceInUseException", "message": "creating"});
    lab.cloud.faults.push(("DeleteTable", 400, busy));
    let timer = until_a_pause(&mut lab);
    lab.press(Intent::CleanUpAndQuit);
    assert!(!lab.exited && lab.state.check(Stage::CleanUp).is_none());
    let effects = lab.state.update(Event::TimerFired(timer));
    lab.perform(effects);
    assert!(lab.exited && lab.observed(Stage::CleanUp).0);
    assert_eq!(lab.state.leftovers(), Vec::<String>::new());
}
