//! Stage 7: the key policy names the user.

use crate::lab::model::key_policy::{key_user_statements, with_key_user};
use crate::lab::model::operation::{Identity, Operation};
use crate::lab::model::policy_diff::PolicyDiff;
use crate::lab::model::statement::Statement;
use crate::lab::model::until::Until;

use super::def::{Calls, Kind, Missing, Planned, Scans, Sources, StageDef, Step, as_admin};
use super::evidence::{Evidence, Observed, describe};

const GET_POLICY: Step = Step::new(&[Planned::admin("kms:GetKeyPolicy")], |sources| {
    let (key, _) = key_and_user(sources)?;
    as_admin([Operation::GetKeyPolicy { key }])
});

pub(super) const GRANT: StageDef = StageDef {
    key: "grant",
    kind: Kind::Creates,
    // A key user that is there already isn't added twice.
    starts_over: true,
    scans: Scans::Nobody,
    steps: &[
        GET_POLICY,
        Step::new(&[Planned::admin("kms:PutKeyPolicy")], put_policy).until(Until::PrincipalsKnown),
        GET_POLICY.until(Until::PolicySeen),
    ],
    verify: &[Step::new(&[], verify).tolerant()],
    notice: &[
        GET_POLICY.tolerant(),
        Step::new(&[], |sources| {
            let scan = Operation::Scan { table: sources.names.table.clone() };
            Ok(Identity::BOTH.map(|identity| (identity, scan.clone())).to_vec())
        })
        .tolerant(),
    ],
    highlight: [&["GetKeyPolicy"]; 2],
    expect,
    forget: |facts, _| {
        (facts.policy_before, facts.way) = (None, None);
        facts.made.added.lent.clear();
    },
};

fn key_and_user(sources: &Sources<'_>) -> Result<(String, String), Missing> {
    let key = sources.key(Missing::Key)?;
    let user = sources.facts.principal(Identity::TestUser).ok_or(Missing::TestUser)?;
    Ok((key, user))
}

fn put_policy(sources: &Sources<'_>) -> Calls {
    let (key, user) = key_and_user(sources)?;
    let before = sources.facts.policy_before.as_ref().ok_or(Missing::Policy)?;
    let policy = with_key_user(before, &user)?;
    as_admin([Operation::PutKeyPolicy { key, policy }])
}

/// The usual way stands where the key policy has the statements. What a learner has written stands where test-user can
/// read.
fn verify(sources: &Sources<'_>) -> Calls {
    match &sources.facts.way {
        None => as_admin([Operation::GetKeyPolicy { key: sources.key(Missing::KnownKey)? }]),
        Some(_) => Ok(vec![(Identity::TestUser, Operation::Scan { table: sources.names.table.clone() })]),
    }
}

fn expect(evidence: &Evidence<'_>) -> Observed {
    let facts = evidence.facts;
    if let Some(way) = &facts.way {
        return evidence
            .complete_scan(Identity::TestUser)
            .map(|scan| format!("by your own {}, {scan}", way.mechanism.name()));
    }
    // What another client has changed is judged by what it leads to, whichever way it took.
    if let Some(scan) = evidence.newest(Identity::TestUser, "Scan") {
        return evidence.complete_scan(Identity::TestUser).map_err(|_| describe(scan));
    }
    let before = facts.policy_before.as_deref().ok_or("the policy before the change was not read")?;
    let after = facts.policy.as_deref().ok_or("the policy after the change was not read")?;
    let user = facts.principal(Identity::TestUser).ok_or("test-user's principal is not known")?;
    let diff = PolicyDiff::between(before, after);
    let wanted: Vec<Statement> = key_user_statements(&user).iter().map(Statement::read).collect();
    let as_wanted = diff.added.len() == wanted.len() && wanted.iter().all(|statement| diff.added.contains(statement));
    let only_added = diff.removed.is_empty() && diff.changed.is_empty();
    if !as_wanted && only_added && diff.added.is_empty() {
        return Err("the policy is as it was before".to_owned());
    }
    let mut observed = format!("added {}, removed {}", list(&diff.added), list(&diff.removed));
    if !diff.changed.is_empty() {
        let changed: Vec<Statement> = diff.changed.into_iter().map(|changed| changed.after).collect();
        observed.push_str(&format!(", changed {}", list(&changed)));
    }
    if as_wanted && only_added { Ok(observed) } else { Err(observed) }
}

fn list(statements: &[Statement]) -> String {
    let name = |statement: &Statement| match &statement.sid {
        Some(sid) => format!("\"{sid}\""),
        None => statement.name().to_owned(),
    };
    match statements {
        [] => "nothing".to_owned(),
        some => some.iter().map(name).collect::<Vec<_>>().join(" and "),
    }
}
