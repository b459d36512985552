//! What a learner did in a shell: screens 8b and 8c.

use std::sync::Arc;

use kmslab::lab::lesson::Files;
use kmslab::lab::model::noticed::NoticedCall;
use kmslab::lab::{Event, Intent, Lesson, Page, Stage};
use serde_json::{Map, Value, json};

use super::SIZES;
use super::album::{album, assert_album};
use crate::support::lab::{ACCOUNT, Session, key_arn};

fn call(serial: u64, who: &str, action: (&str, &str), parameters: Value) -> NoticedCall {
    let parameters: Map<String, Value> = serde_json::from_value(parameters).unwrap();
    NoticedCall {
        serial,
        at: 1_767_276_131 + 29 * serial,
        service: action.0.to_owned(),
        operation: action.1.to_owned(),
        principal: format!("arn:aws:iam::{ACCOUNT}:user/{who}"),
        parameters,
        ..NoticedCall::default()
    }
}

/// A shell in which these calls are made, and which has ended.
fn shell(mut session: Session, calls: Vec<NoticedCall>) -> Session {
    session.intent(Intent::OpenShell);
    session.event(Event::Noticed(calls));
    session.answer_all();
    session.event(Event::ShellClosed);
    assert_eq!(session.state.view().page(), Some(Page::Noticed));
    session
}

/// A PutKeyPolicy without the statement that lets admin change the policy, after six reads.
fn rejected() -> Session {
    let key = json!({"KeyId": key_arn()});
    let mut calls: Vec<NoticedCall> =
        (1..=6).map(|serial| call(serial, "kmslab-admin", ("kms", "GetKeyPolicy"), key.clone())).collect();
    let policy = json!({"Statement": [{"Sid": "LetTestUserRead", "Effect": "Allow"}]}).to_string();
    calls.push(NoticedCall {
        error_code: Some("MalformedPolicyDocumentException".to_owned()),
        error_message: Some("The new key policy will not allow you to update the key policy in the future.".to_owned()),
        ..call(7, "kmslab-admin", ("kms", "PutKeyPolicy"), json!({"KeyId": key_arn(), "Policy": policy}))
    });
    shell(Session::sandbox().before(Stage::Grant), calls)
}

#[test]
fn a_rejected_call_is_explained() {
    let session = rejected();
    assert_album("noticed", album(SIZES.map(|size| ("rejected".to_owned(), &session.state, size))));
    let german = Arc::new(Lesson::parse(&Files::embedded(), "de").unwrap());
    let state = rejected().state.with_lesson(german);
    assert_album("noticed", album([("rejected in german".to_owned(), &state, SIZES[1])]));
}

#[test]
fn the_call_that_reached_the_goal_is_named() {
    let who = call(1, "kmslab-admin", ("sts", "GetCallerIdentity"), json!({}));
    let session = shell(Session::sandbox(), vec![who]);
    assert_album("noticed", album(SIZES.map(|size| ("reached".to_owned(), &session.state, size))));
}
