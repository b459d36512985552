//! The two locks of a Scan, told from the answers.

use serde_json::json;

use super::fake::{Cloud, Lab, backend};
use crate::lab::{Call, Identity, LockState, Locks, Stage};

fn locks(lab: &Lab, identity: Identity) -> Option<Locks> {
    let calls = lab.state.calls(identity);
    let scan = calls.iter().find_map(|call| match call {
        Call::Answered(exchange) => Some(*exchange),
        _ => None,
    });
    crate::lab::locks::locks(&lab.state, scan.unwrap())
}

#[test]
fn one_lock_lets_test_user_through_and_the_other_does_not() {
    let mut lab = Lab::new(backend(), Cloud::default());
    lab.run_to(Stage::ViewAdmin);
    assert_eq!(locks(&lab, Identity::Admin), None, "nobody was refused: the key may be no lock at all");
    lab.run_to(Stage::ViewDenied);
    let open = Some(Locks { table: LockState::Open, key: LockState::Open });
    assert_eq!(locks(&lab, Identity::Admin), open);
    assert_eq!(locks(&lab, Identity::TestUser), Some(Locks { table: LockState::Open, key: LockState::Shut }));
    assert_eq!(lab.state.view().focus(), Identity::TestUser);
    lab.run_to(Stage::ViewAgain);
    assert_eq!((locks(&lab, Identity::Admin), locks(&lab, Identity::TestUser)), (open, open));
    assert_eq!(lab.state.view().focus(), Identity::TestUser, "w explains what has changed");
}

#[test]
fn where_the_table_refuses_the_key_is_not_asked() {
    let mut lab = Lab::new(backend(), Cloud::default());
    lab.run_to(Stage::CreateUser);
    let message = "User: arn:aws:iam::111122223333:user/u is not authorized to perform: dynamodb:Scan on resource: t \
                   because no identity-based policy allows the dynamodb:Scan action";
    let denied = json!({"__type": "x#AccessDeniedException", "message": message});
    lab.cloud.faults.extend([("Scan", 400, denied.clone()), ("Scan", 400, denied)]);
    lab.run_to(Stage::ViewDenied);
    let shut = Some(Locks { table: LockState::Shut, key: LockState::NotAsked });
    assert_eq!((locks(&lab, Identity::Admin), locks(&lab, Identity::TestUser)), (shut, shut));
}

#[test]
fn a_server_that_never_asks_kms_has_no_locks_to_show() {
    let mut lab = Lab::new(backend(), Cloud { enforces_kms: false, ..Cloud::default() });
    lab.run_to(Stage::ViewDenied);
    assert!(!lab.observed(Stage::ViewDenied).0);
    assert_eq!((locks(&lab, Identity::Admin), locks(&lab, Identity::TestUser)), (None, None));
}
