//! Stages 4, 6 and 8: the same Scan as admin, as both before the grant, and as both after it.

use crate::lab::model::exchange::Verdict;
use crate::lab::model::operation::{Identity, Operation};
use crate::lab::model::until::Until;

use super::def::{Calls, Kind, Missing, Planned, Scans, Sources, StageDef, Step};
use super::evidence::{Evidence, Observed, describe};

const ADMIN_SCANS: &[Step] =
    &[Step::new(&[Planned::admin("dynamodb:Scan")], |sources| scan(sources, &[Identity::Admin]))];

const BOTH_SCAN: Step = Step::new(&[Planned::admin("dynamodb:Scan"), Planned::test_user("dynamodb:Scan")], |sources| {
    scan(sources, &Identity::BOTH)
})
.tolerant();

const SCANS_BEFORE: &[Step] = &[BOTH_SCAN.until(Until::UserKnown)];

const SCANS_AFTER: &[Step] = &[BOTH_SCAN.until(Until::NothingDenied)];

pub(super) const VIEW_ADMIN: StageDef = StageDef {
    key: "view_admin",
    kind: Kind::Reads,
    starts_over: true,
    scans: Scans::Admin,
    steps: ADMIN_SCANS,
    verify: ADMIN_SCANS,
    notice: ADMIN_SCANS,
    highlight: [&["Scan"]; 2],
    expect: |evidence| evidence.complete_scan(Identity::Admin),
    forget: |_, _| {},
};

pub(super) const VIEW_DENIED: StageDef = StageDef {
    key: "view_denied",
    kind: Kind::Reads,
    starts_over: true,
    scans: Scans::TestUserDenied,
    steps: SCANS_BEFORE,
    verify: SCANS_BEFORE,
    notice: SCANS_BEFORE,
    highlight: [&["Scan"]; 2],
    expect: expect_denied,
    forget: |_, _| {},
};

pub(super) const VIEW_AGAIN: StageDef = StageDef {
    key: "view_again",
    kind: Kind::Reads,
    starts_over: true,
    scans: Scans::BothAllowed,
    steps: SCANS_AFTER,
    verify: SCANS_AFTER,
    notice: SCANS_AFTER,
    highlight: [&["Scan"]; 2],
    expect: expect_allowed,
    forget: |_, _| {},
};

fn scan(sources: &Sources<'_>, identities: &[Identity]) -> Calls {
    // A table that only may exist has never been described.
    if !sources.facts.made.table || sources.facts.table.is_none() {
        return Err(Missing::Table);
    }
    let scan = Operation::Scan { table: sources.names.table.clone() };
    Ok(identities.iter().map(|identity| (*identity, scan.clone())).collect())
}

fn expect_denied(evidence: &Evidence<'_>) -> Observed {
    let admin = evidence.complete_scan(Identity::Admin);
    let user = evidence.newest(Identity::TestUser, "Scan").ok_or("test-user sent no Scan")?;
    let is_denied = match &user.verdict {
        // The wording of 2020–22 names no action; that it is KMS who refuses, it says (issue threads).
        Verdict::Denied(denied) => match denied.action.as_deref() {
            Some(action) => action == "kms:Decrypt",
            None => denied.message.starts_with("KMS key access denied"),
        },
        _ => false,
    };
    let explanation = match (user.is_allowed(), evidence.given_user) {
        (false, _) => "",
        (true, true) => {
            ": expected DENIED, got ALLOWED. Either test-user may use the key, or this server does not enforce KMS"
        }
        (true, false) => {
            ": expected DENIED, got ALLOWED. The lab let test-user use no key, so this server does not enforce KMS"
        }
    };
    match (admin, is_denied) {
        (Ok(admin), true) => Ok(format!("{admin}, {}", describe(user))),
        (Ok(admin) | Err(admin), _) => Err(format!("{admin}, {}{explanation}", describe(user))),
    }
}

fn expect_allowed(evidence: &Evidence<'_>) -> Observed {
    match Identity::BOTH.map(|identity| evidence.complete_scan(identity)) {
        [Ok(_), Ok(_)] => {
            Ok(format!("admin and test-user ALLOWED, the same {} items", evidence.found(Identity::Admin)))
        }
        [Ok(admin) | Err(admin), Ok(user) | Err(user)] => Err(format!("{admin}, {user}")),
    }
}
