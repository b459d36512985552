//! What an experiment's verdict is where something else comes than the right answer claims.

use rstest::rstest;

use super::fake::{Cloud, Lab, backend};
use crate::lab::experiments::verdict::check;
use crate::lab::{Exchange, Experiment, Identity, Operation, Stage};

/// The Scans of both, with test-user denied on the key or allowed.
fn scans(stage: Stage) -> Vec<Exchange> {
    let mut lab = Lab::new(backend(), Cloud::default());
    lab.run_to(stage);
    lab.state.record(stage).exchanges().cloned().collect()
}

fn user(stage: Stage) -> Exchange {
    scans(stage).into_iter().find(|exchange| exchange.identity == Identity::TestUser).unwrap()
}

/// The same answer to a Decrypt.
fn decrypt(exchange: Exchange) -> Exchange {
    let operation = Operation::Decrypt { ciphertext: String::new(), context: Vec::new() };
    Exchange { operation, ..exchange }
}

fn is_met(which: Experiment, exchanges: &[Exchange]) -> bool {
    check(which, &exchanges.iter().collect::<Vec<_>>()).met
}

#[rstest]
#[case(Experiment::DisableKey, false, false)]
#[case(Experiment::ExplicitDeny, false, false)]
#[case(Experiment::IamAllow, true, false)]
#[case(Experiment::NoRootStatement, false, true)]
#[case(Experiment::KeyWithoutDynamodb, false, false)]
#[case(Experiment::AwsOwnedKey, true, false)]
#[case(Experiment::AwsManagedKey, true, false)]
#[case(Experiment::KeyAdmin, false, true)]
#[case(Experiment::KmsGrant, true, false)]
#[case(Experiment::Rotate, true, false)]
#[case(Experiment::ScheduleDeletion, false, false)]
fn a_scan_decides(#[case] which: Experiment, #[case] if_allowed: bool, #[case] if_denied: bool) {
    assert_eq!(is_met(which, &scans(Stage::ViewAgain)), if_allowed);
    // Denied on kms:Decrypt, for want of an allow.
    assert_eq!(is_met(which, &scans(Stage::ViewDenied)), if_denied);
    assert!(!is_met(which, &[]));
}

#[test]
fn several_calls_decide() {
    let (allowed, denied) = (|| user(Stage::ViewAgain), || user(Stage::ViewDenied));
    let revoked = |at_once, later| is_met(Experiment::RevokeCache, &[allowed(), at_once, later]);
    assert!(revoked(allowed(), denied()));
    assert!(!revoked(allowed(), allowed()) && !revoked(denied(), denied()));
    let through = |direct| is_met(Experiment::ViaServiceOnly, &[allowed(), decrypt(direct)]);
    assert!(through(denied()) && !through(allowed()));
    let context = |wrong| is_met(Experiment::WrongContext, &[decrypt(allowed()), decrypt(wrong)]);
    assert!(!context(allowed()) && !context(denied()));
}
