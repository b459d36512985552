//! Calls of other clients.

use rstest::rstest;
use serde_json::{Map, Value, json};

use super::fake::{KEY_ARN, KEY_ID, Lab, names, sandbox};
use crate::lab::debrief::Item;
use crate::lab::model::noticed::NoticedCall;
use crate::lab::noticing::LedTo;
use crate::lab::noticing::goal::Step;
use crate::lab::*;

const ADMIN: &str = "arn:aws:iam::111122223333:user/admin";

fn call(service: &str, operation: &str, parameters: Value) -> NoticedCall {
    let parameters: Map<String, Value> = serde_json::from_value(parameters).unwrap();
    NoticedCall {
        service: service.to_owned(),
        operation: operation.to_owned(),
        principal: ADMIN.to_owned(),
        parameters,
        ..NoticedCall::default()
    }
}

fn create_key() -> NoticedCall {
    let Value::Object(result) = json!({"KeyId": KEY_ID, "Arn": KEY_ARN}) else { panic!("an object") };
    NoticedCall { result, ..call("kms", "CreateKey", json!({})) }
}

/// Reports calls, and answers what the lab asks then.
fn noticed(lab: &mut Lab, calls: impl IntoIterator<Item = NoticedCall>) {
    let effects = lab.state.update(Event::Noticed(calls.into_iter().collect()));
    lab.perform(effects);
}

fn led_to(lab: &Lab) -> Option<&LedTo> {
    lab.state.noticing().note().map(|note| &note.led_to)
}

fn lab_after(stage: Stage) -> Lab {
    let mut lab = sandbox();
    lab.run_to(stage);
    lab
}

#[test]
fn a_stage_is_done_once_its_goal_is_verified() {
    let mut lab = lab_after(Stage::Who);
    noticed(&mut lab, [create_key()]);
    assert_eq!(led_to(&lab), Some(&LedTo::Reached(Stage::CreateKey)));
    let asked: Vec<&str> = lab.state.record(Stage::CreateKey).exchanges().map(|call| call.operation.name()).collect();
    assert_eq!(asked, ["DescribeKey", "GetKeyPolicy"], "with calls of the lab's own");
    assert!(lab.state.record(Stage::CreateKey).status.check().unwrap().met);
    assert_eq!(lab.state.view().shown, Stage::CreateKey);
}

#[test]
fn names_may_be_the_learners_own() {
    let mut lab = lab_after(Stage::Who);
    let alias = json!({"AliasName": "alias/mine", "TargetKeyId": KEY_ID});
    noticed(&mut lab, [create_key(), call("kms", "CreateAlias", alias)]);
    noticed(&mut lab, [call("dynamodb", "CreateTable", json!({"TableName": "records"}))]);
    assert_eq!(led_to(&lab), Some(&LedTo::Step(Stage::CreateTable, Step::Items)));
    let own = names();
    assert_eq!(lab.state.names().alias, "alias/mine");
    assert_eq!((lab.state.names().table.as_str(), &lab.state.names().user), ("records", &own.user));
}

#[rstest]
#[case::a_failure("MalformedPolicyDocumentException")]
#[case::a_denial("AccessDeniedException")]
fn a_rejected_call_changes_nothing(#[case] code: &str) {
    let mut lab = lab_after(Stage::ViewDenied);
    let put = call("kms", "PutKeyPolicy", json!({"KeyId": KEY_ID, "Policy": "{}"}));
    let before = lab.state.shown_facts().clone();
    noticed(&mut lab, [NoticedCall { error_code: Some(code.to_owned()), ..put }]);
    assert_eq!(led_to(&lab), Some(&LedTo::Rejected(Stage::Grant)));
    let text = "You ran PutKeyPolicy, but KMS rejected it. Nothing has changed.";
    assert_eq!(lab.state.view().message.as_deref(), Some(text));
    assert_eq!(*lab.state.shown_facts(), before);
    assert_eq!(lab.state.record(Stage::Grant).status, Status::Todo);
}

#[test]
fn a_call_that_misses_the_goal_leaves_the_stage_to_do() {
    let mut lab = lab_after(Stage::ViewDenied);
    let policy =
        json!({"Statement": {"Effect": "Allow", "Action": "kms:Decrypt", "Resource": "arn:aws:dynamodb:r:1:table/t"}});
    let user = lab.state.names().user.clone();
    let put = json!({"UserName": user, "PolicyName": "p", "PolicyDocument": policy.to_string()});
    noticed(&mut lab, [call("iam", "PutUserPolicy", put)]);
    assert!(matches!(led_to(&lab), Some(LedTo::Missed(Stage::Grant, _))), "{:?}", led_to(&lab));
    let message = lab.state.view().message.clone().unwrap();
    assert!(message.contains("still refused: it allows kms:Decrypt on table/t, and the call is on key/"), "{message}");
    assert_eq!(lab.state.record(Stage::Grant).status, Status::Todo);
    assert_eq!(lab.state.shown_facts().made.added.inline, ["p"], "clean-up removes it");
    // The usual way is still open.
    lab.run_to(Stage::Grant);
    assert!(lab.state.record(Stage::Grant).status.check().unwrap().met);
}

#[test]
fn a_deleted_access_key_is_made_again() {
    let mut lab = lab_after(Stage::ViewDenied);
    let (user, id) = (lab.state.names().user.clone(), lab.state.shown_facts().made.access_key.clone());
    noticed(&mut lab, [call("iam", "DeleteAccessKey", json!({"UserName": user, "AccessKeyId": id}))]);
    assert_eq!(led_to(&lab), Some(&LedTo::NewAccessKey));
    assert!(lab.state.shown_facts().made.access_key.is_some());
    assert_eq!(lab.state.current(), Stage::ViewDenied, "the lab is where it was");
}

#[test]
fn calls_wait_for_the_labs_own() {
    let mut lab = lab_after(Stage::Who);
    lab.press(Intent::Advance);
    let effects = lab.state.update(Event::Intent(Intent::Advance));
    assert!(lab.state.is_running());
    let theirs = vec![call("dynamodb", "CreateTable", json!({"TableName": "records"}))];
    assert_eq!(lab.state.update(Event::Noticed(theirs)), []);
    assert_eq!(lab.state.noticing().calls().len(), 0);
    lab.perform(effects);
    assert_eq!(lab.state.noticing().calls().len(), 1);
}

#[test]
fn foreign_resources_are_reported_and_left_alone() {
    let mut lab = lab_after(Stage::CreateTable);
    noticed(&mut lab, [call("dynamodb", "CreateTable", json!({"TableName": "other"}))]);
    let facts = lab.state.shown_facts();
    assert_eq!(facts.made.added.others, ["table other"]);
    assert_eq!(lab.state.names().table, names().table);
}

#[test]
fn on_a_shared_server_others_calls_are_ignored() {
    let mut lab = Lab::new(super::fake::endpoint(false), super::fake::Cloud::default());
    lab.run_to(Stage::Who);
    noticed(&mut lab, [create_key(), call("dynamodb", "CreateTable", json!({"TableName": "kmslab-table-other"}))]);
    assert_eq!(lab.state.noticing().note(), None);
    assert!(!lab.state.shown_facts().made.table && lab.state.shown_facts().made.key.is_none());
}

/// Stage 2 is done with another client, so nobody has answered its question.
#[test]
fn the_debrief_asks_what_no_stage_has_asked() {
    let mut lab = sandbox();
    lab.state = lab.state.clone().with_quiz(Quiz::new(3));
    for stage in Stage::ALL {
        if stage == Stage::CreateKey {
            noticed(&mut lab, [create_key()]);
            continue;
        }
        while lab.state.view().shown != stage || lab.state.open_question().is_none() {
            lab.press(Intent::Advance);
        }
        let answers = lab.state.open_question().unwrap().answers;
        let right = answers.iter().position(|(_, reply)| reply.right).unwrap();
        lab.press(Intent::Choose(right.try_into().unwrap()));
        lab.run_to(stage);
    }
    lab.press(Intent::Advance);
    let asked = lab.state.debrief_question().unwrap();
    assert_eq!((asked.item, asked.was_asked, asked.said), (Item::Question(Stage::CreateKey), false, None));
    let question = &lab.state.lesson().stage(Stage::CreateKey).question;
    let right = &question.answers[question.right().unwrap()].text;
    let place = asked.answers.iter().position(|(_, text)| text == right).unwrap();
    assert_eq!(lab.state.corrected(), 0);
    lab.press(Intent::Choose(place.try_into().unwrap()));
    assert_eq!((lab.state.corrected(), lab.state.score().unwrap().right), (1, 8), "what was said first stays");
    lab.press(Intent::Advance);
    assert_eq!(lab.state.debrief_question().unwrap().item, Item::Extra(0), "then the one about taking access away");
}
