//! Stage 2: a customer managed key.

use serde_json::Value;

use crate::lab::model::operation::Operation;
use crate::lab::model::until::Until;

use super::def::{Calls, Kind, Missing, Planned, Scans, Sources, StageDef, Step, as_admin};
use super::evidence::{Evidence, Observed};

const VERIFY: &[Step] = &[
    Step::new(&[], |sources| describe(sources, Missing::KnownKey)),
    Step::new(&[], |sources| policy(sources, Missing::KnownKey)),
];

pub(super) const CREATE_KEY: StageDef = StageDef {
    key: "create_key",
    kind: Kind::Creates,
    starts_over: false,
    scans: Scans::Nobody,
    steps: &[
        Step::new(&[Planned::admin("kms:CreateKey")], |sources| {
            let names = sources.names;
            as_admin([Operation::CreateKey { description: names.key_description(), tags: names.tags() }])
        }),
        Step::new(&[Planned::admin("kms:CreateAlias")], |sources| {
            let key = sources.key(Missing::KeyId)?;
            as_admin([Operation::CreateAlias { alias: sources.names.alias.clone(), key }])
        })
        .until(Until::Found),
        Step::new(&[Planned::admin("kms:DescribeKey")], |sources| describe(sources, Missing::KeyId))
            .until(Until::Found),
        Step::new(&[Planned::admin("kms:GetKeyPolicy")], |sources| policy(sources, Missing::KeyId)).until(Until::Found),
    ],
    verify: VERIFY,
    notice: VERIFY,
    // The question is about what it returns.
    highlight: [&["CreateKey"]; 2],
    expect,
    forget: |facts, _| facts.key = None,
};

fn describe(sources: &Sources<'_>, missing: Missing) -> Calls {
    as_admin([Operation::DescribeKey { key: sources.key(missing)? }])
}

fn policy(sources: &Sources<'_>, missing: Missing) -> Calls {
    as_admin([Operation::GetKeyPolicy { key: sources.key(missing)? }])
}

fn expect(evidence: &Evidence<'_>) -> Observed {
    let key = evidence.facts.key.as_ref().ok_or("no KeyMetadata came back")?;
    let member = |name: &str| key.get(name).and_then(Value::as_str).unwrap_or("missing");
    let (state, spec, manager) = (member("KeyState"), member("KeySpec"), member("KeyManager"));
    let observed = format!("KeyState {state}, KeySpec {spec}, KeyManager {manager}");
    let is_met = state == "Enabled" && spec == "SYMMETRIC_DEFAULT" && manager == "CUSTOMER";
    if is_met { Ok(observed) } else { Err(observed) }
}
