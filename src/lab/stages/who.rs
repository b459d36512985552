//! Stage 1: who signs the requests.

use crate::lab::model::backend::BackendKind;
use crate::lab::model::operation::{Identity, Operation};
use crate::lab::model::test_user;

use super::def::{Kind, Planned, Runs, Scans, StageDef, Step, as_admin};
use super::evidence::{Evidence, Observed, describe};

/// Who both are; which roles they are sessions of; and, on AWS, whether admin can create test-user: the key that is
/// created first costs money.
const STEPS: &[Step] = &[
    Step::new(
        &[Planned::admin("sts:GetCallerIdentity"), Planned::test_user("sts:GetCallerIdentity").only(Runs::GivenUser)],
        |sources| {
            let callers = if sources.backend.given_user { &Identity::BOTH[..] } else { &[Identity::Admin] };
            Ok(callers.iter().map(|identity| (*identity, Operation::GetCallerIdentity)).collect())
        },
    )
    .tolerant(),
    Step::new(&[], |sources| {
        let roles = match sources.backend.kind {
            BackendKind::Sandbox => Vec::new(),
            BackendKind::Endpoint | BackendKind::Aws => sources.facts.role_names(),
        };
        as_admin(roles.into_iter().map(|role| Operation::GetRole { role }))
    })
    .tolerant(),
    Step::new(&[Planned::admin("iam:SimulatePrincipalPolicy").only(Runs::Simulating)], |sources| {
        let simulates = sources.backend.simulates();
        as_admin(simulates.then(|| sources.facts.simulation(sources.names)).flatten())
    })
    .tolerant(),
];

pub(super) const WHO: StageDef = StageDef {
    key: "who",
    kind: Kind::Reads,
    starts_over: true,
    scans: Scans::Nobody,
    steps: STEPS,
    verify: STEPS,
    notice: STEPS,
    highlight: [&["GetCallerIdentity"]; 2],
    expect,
    forget: |_, _| {},
};

fn expect(evidence: &Evidence<'_>) -> Observed {
    // The stage's other calls only look ahead.
    let mut asked = evidence.exchanges.iter().filter(|exchange| exchange.operation == Operation::GetCallerIdentity);
    if let Some(failed) = asked.find(|exchange| !exchange.is_allowed()) {
        return Err(describe(failed));
    }
    let admin = evidence.facts.admin.as_ref().ok_or("GetCallerIdentity's answer names no principal")?;
    if admin.is_root() {
        return Err(format!("admin is the account root, {}: use an IAM principal", admin.arn));
    }
    if evidence.given_user {
        return evidence.two_principals(admin);
    }
    let simulated = evidence.newest(Identity::Admin, "SimulatePrincipalPolicy");
    match simulated.and_then(test_user::why_not_created) {
        Some(why_not) => Err(why_not),
        None => Ok(format!("admin is {}", admin.arn)),
    }
}
