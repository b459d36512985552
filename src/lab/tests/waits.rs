//! Waits for AWS: each goes on while it can help, lasts as long as it says, and is shown.

use rstest::rstest;
use serde_json::{Value, json};

use super::fake::*;
use crate::lab::wait::{ELSEWHERE, NEW_TAG, ON_AWS};
use crate::lab::*;

fn on(kind: BackendKind) -> Lab {
    let mut lab = Lab::new(Backend { kind, ..backend() }, Cloud::default());
    lab.state.set_accepted_account(Some(ACCOUNT.to_owned()));
    lab
}

/// What DynamoDB says of a key that KMS does not know yet (observed on AWS).
fn unknown_key() -> Value {
    let message = format!(
        "KMS validation error: com.amazonaws.services.kms.model.NotFoundException: Key '{KEY_ARN}' does not exist \
         (Service: AWSKMS; Status Code: 400; Error Code: NotFoundException; Request ID: 0; Proxy: null)"
    );
    json!({"__type": "com.amazon.coral.validate#ValidationException", "message": message})
}

fn denied_deletion() -> Value {
    let message = format!(
        "User: arn:aws:iam::{ACCOUNT}:user/kmslab-admin is not authorized to perform: kms:ScheduleKeyDeletion on \
         resource: {KEY_ARN} because no identity-based policy allows the kms:ScheduleKeyDeletion action"
    );
    json!({"__type": "AccessDeniedException", "Message": message})
}

fn conflict() -> Value {
    json!({"Error": {"Code": "DeleteConflict", "Message": "Cannot delete entity, must detach all policies first."}})
}

fn throttled() -> Value {
    json!({"__type": "ThrottlingException", "message": "Rate exceeded"})
}

#[rstest]
#[case::a_new_key(Stage::CreateTable, "CreateTable", 400, unknown_key(), "DynamoDB to see the new key")]
#[case::a_new_tag(Stage::CleanUp, "ScheduleKeyDeletion", 400, denied_deletion(), "the key's new tag to take effect")]
#[case::a_free_user(
    Stage::CleanUp,
    "DeleteUser",
    409,
    conflict(),
    "IAM to see that the user's key and policy are gone"
)]
#[case::throttling(Stage::CreateKey, "CreateKey", 400, throttled(), "the service to accept more requests")]
#[case::throttled_reading(Stage::ViewDenied, "Scan", 400, throttled(), "the service to accept more requests")]
fn slow_aws_changes_are_waited_for(
    #[case] stage: Stage,
    #[case] call: &'static str,
    #[case] status: u16,
    #[case] body: Value,
    #[case] what: &str,
) {
    let mut lab = on(BackendKind::Aws);
    lab.run_to(stage.previous().unwrap());
    lab.cloud.faults = vec![(call, status, body.clone()); 3];
    lab.run_to(stage);
    assert!(lab.observed(stage).0, "{:?}", lab.observed(stage));
    assert!(lab.waited_ms.starts_with(&[100, 200]), "{:?}", lab.waited_ms);

    // For as long as it says, to the millisecond: pauses, and what the calls themselves took.
    let mut lab = on(BackendKind::Aws);
    lab.state = lab.state.with_wait(Some(7));
    lab.run_to(stage.previous().unwrap());
    lab.cloud.faults = vec![(call, status, body); 1_000];
    let mut shown = Vec::new();
    lab.press(Intent::Advance);
    lab.press(Intent::Advance);
    shown.extend(lab.messages.iter().filter(|message| message.contains(what)).cloned());
    assert!(shown[0].starts_with(&format!("waiting for {what}: 0 s of 7 s")), "{shown:?}");
    assert!(shown.last().unwrap().contains(" 6 s of 7 s"), "{shown:?}");
    let (met, observed) = lab.observed(stage);
    assert!(!met, "{observed}");
    let pauses: u64 = lab.waited_ms.iter().sum();
    assert!((6_900..=7_000).contains(&pauses), "{pauses}");
}

#[rstest]
#[case(BackendKind::Aws, None, ON_AWS)]
#[case(BackendKind::Aws, Some(20), 20)]
#[case(BackendKind::Endpoint, None, ELSEWHERE)]
#[case(BackendKind::Sandbox, Some(600), 600)]
fn a_wait_is_measured_in_seconds(#[case] kind: BackendKind, #[case] wait: Option<u32>, #[case] seconds: u32) {
    let mut lab = on(kind);
    lab.state = lab.state.with_wait(wait);
    lab.run_to(Stage::CreateKey);
    lab.cloud.creating = u32::MAX;
    lab.run_to(Stage::CreateTable);
    let waited: u64 = lab.waited_ms.iter().sum();
    assert!(waited.abs_diff(u64::from(seconds) * 1_000) < 500, "{waited}");
    let (met, observed) = lab.observed(Stage::CreateTable);
    assert!(!met && observed.starts_with("gave up waiting for the table to become ACTIVE after "), "{observed}");
}

#[test]
fn a_call_that_takes_long_is_part_of_the_wait() {
    let mut lab = on(BackendKind::Aws);
    lab.state = lab.state.with_wait(Some(20));
    lab.run_to(Stage::CreateKey);
    lab.cloud.creating = u32::MAX;
    lab.cloud.takes_us = 9_000_000;
    lab.run_to(Stage::CreateTable);
    assert_eq!(lab.waited_ms.len(), 2, "{:?}", lab.waited_ms);
}

#[test]
fn a_new_tag_gets_five_minutes_and_an_old_one_none() {
    let wait = |age: u64| {
        let mut lab = on(BackendKind::Aws);
        lab.at = 1_000_000;
        lab.run_to(Stage::ViewAgain);
        lab.at += age;
        lab.cloud.faults = vec![("ScheduleKeyDeletion", 400, denied_deletion()); 1_000];
        lab.run_to(Stage::CleanUp);
        assert!(lab.observed(Stage::CleanUp).1.contains("DENIED on kms:ScheduleKeyDeletion"));
        lab.waited_ms.iter().sum::<u64>()
    };
    assert!(wait(10).abs_diff(u64::from(NEW_TAG) * 1_000) < 500);
    assert_eq!(wait(u64::from(NEW_TAG)), 0, "authorization knows the tags of an older key");
}

#[test]
fn what_may_have_been_done_is_not_done_again_after_a_503() {
    let mut lab = on(BackendKind::Aws);
    lab.run_to(Stage::Who);
    lab.cloud.faults = vec![("CreateKey", 503, json!({"__type": "SlowDown", "message": "Please slow down"})); 3];
    lab.run_to(Stage::CreateKey);
    assert_eq!(lab.sent.iter().filter(|call| call.ends_with("CreateKey")).count(), 1);
}

#[test]
fn the_sandbox_has_nothing_to_wait_for() {
    let mut lab = sandbox();
    lab.run_to(Stage::CreateKey);
    lab.cloud.faults = vec![("CreateTable", 400, unknown_key())];
    lab.run_to(Stage::CreateTable);
    assert!(!lab.observed(Stage::CreateTable).0);
    assert_eq!(lab.waited_ms, Vec::<u64>::new());
}
