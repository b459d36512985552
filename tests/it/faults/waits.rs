//! What takes a while on AWS, by a server that refuses it for a while.

use kmslab::lab::{Backend, BackendKind, Intent, Stage};
use kmslab::run::cleanup::Outcome;
use rstest::rstest;

use super::{Dead, Lab, timing};
use crate::support::proxy::{Canned, Fault, Plan};

const UNKNOWN_KEY: Canned = Canned(
    400,
    "ValidationException",
    "ValidationError",
    "KMS validation error: com.amazonaws.services.kms.model.NotFoundException: Key 'arn:k' does not exist (Service: \
     AWSKMS; Status Code: 400; Error Code: NotFoundException; Request ID: 0; Proxy: null)",
);
const NO_TAG: Canned = Canned(
    400,
    "AccessDeniedException",
    "AccessDenied",
    "User: arn:aws:iam::111122223333:user/kmslab-admin is not authorized to perform: kms:ScheduleKeyDeletion on \
     resource: arn:k because no identity-based policy allows the kms:ScheduleKeyDeletion action",
);
const CONFLICT: Canned = Canned(409, "DeleteConflict", "DeleteConflict", "must delete policies first.");
const THROTTLED: Canned = Canned(400, "ThrottlingException", "Throttling", "Rate exceeded");

fn aws() -> Lab {
    let mut lab = Lab::new(timing(None, 1));
    lab.state.set_backend(Backend { kind: BackendKind::Aws, ..lab.state.backend().clone() });
    lab.state.set_accepted_account(Some("111122223333".to_owned()));
    lab
}

#[rstest]
#[case::a_new_key(Stage::CreateTable, "CreateTable", UNKNOWN_KEY)]
#[case::a_new_tag(Stage::CleanUp, "ScheduleKeyDeletion", NO_TAG)]
#[case::a_free_user(Stage::CleanUp, "DeleteUser", CONFLICT)]
#[case::throttled_creating(Stage::CreateKey, "CreateKey", THROTTLED)]
#[case::throttled_removing(Stage::CleanUp, "DeleteAlias", THROTTLED)]
fn the_lab_waits_and_leaves_nothing(#[case] stage: Stage, #[case] operation: &'static str, #[case] canned: Canned) {
    let mut lab = aws();
    lab.run_to(stage.previous().unwrap());
    lab.proxy.set(Some(Plan { fault: Fault::Error(canned), operation, as_admin: true, times: 4 }));
    lab.run_to(stage);
    assert_eq!(lab.proxy.struck(), 4);
    assert!(lab.observed(stage).0, "{:?}", lab.observed(stage));
    lab.run_to(Stage::CleanUp);
    assert_eq!(lab.state.met(), 9);
    lab.assert_nothing_is_left(operation);
}

#[rstest]
#[case::a_new_tag("ScheduleKeyDeletion", NO_TAG, "until the key's new tag takes effect")]
#[case::a_free_user("DeleteUser", CONFLICT, "until IAM sees that the user has nothing left")]
#[case::throttled("DeleteAlias", THROTTLED, "")]
fn clean_up_waits(#[case] operation: &'static str, #[case] canned: Canned, #[case] told: &str) {
    let mut lab = aws();
    lab.run_to(Stage::ViewDenied);
    let mut dead: Dead = lab.die();
    dead.proxy.set(Some(Plan { fault: Fault::Error(canned), operation, as_admin: true, times: 2 }));
    let (outcome, printed) = dead.clean_up(true, false);
    assert_eq!(dead.proxy.struck(), 2);
    assert_eq!(outcome, Outcome::Clean, "{printed}");
    assert!(printed.contains(told), "{printed}");
    super::assert_nothing_is_left(&dead.proxy, &dead.names, operation);
}

#[test]
fn a_wait_ends_when_it_has_lasted_as_long_as_it_may() {
    let mut lab = aws();
    lab.state = lab.state.with_wait(Some(2));
    lab.run_to(Stage::CreateKey);
    let fault = Fault::Error(UNKNOWN_KEY);
    lab.proxy.set(Some(Plan { fault, operation: "CreateTable", as_admin: true, times: usize::MAX }));
    lab.run_to(Stage::CreateTable);
    let (met, observed) = lab.observed(Stage::CreateTable);
    assert!(!met && observed.starts_with("gave up waiting for DynamoDB to see the new key after 2 s"), "{observed}");
    lab.proxy.set(None);
    lab.press(Intent::Retry);
    assert!(lab.observed(Stage::CreateTable).0, "{:?}", lab.observed(Stage::CreateTable));
}
