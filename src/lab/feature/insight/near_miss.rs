//! The statement that comes closest: the right principal and action, and a wrong resource or condition.

use crate::policy::{Decision, Effect, MatchResult, Mismatch, PolicySource, StatementTrace};

/// A statement or grant that would allow the call but for its resource or its conditions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NearMiss {
    /// Where it stands.
    pub source: PolicySource,
    /// Its place there, counted from 0.
    pub statement: usize,
    /// What keeps it from matching, in a sentence part.
    pub says: String,
}

/// How many resources or values a sentence names.
const NAMED: usize = 2;

/// Finds the near miss of a refusal. IAM policies count only where IAM has a say: `by_iam`.
pub fn near_miss(decision: &Decision, action: &str, by_iam: bool) -> Option<NearMiss> {
    let near = decision.trace.iter().filter_map(|examined| {
        let counts = by_iam || examined.source.is_resource_based() || is_grant(&examined.source);
        let parts = mismatches(examined).filter(|_| counts && examined.effect == Effect::Allow)?;
        Some((parts, examined))
    });
    let (parts, examined) = near.min_by_key(|(parts, examined)| (parts.len(), order(&examined.source)))?;
    let says = parts.iter().map(|part| sentence(&examined.source, action, part)).next()?;
    Some(NearMiss { source: examined.source.clone(), statement: examined.statement, says })
}

/// The parts that don't match, if none of them is the principal or the action.
fn mismatches(examined: &StatementTrace) -> Option<&[Mismatch]> {
    let MatchResult::NotMatched(parts) = &examined.result else { return None };
    let is_near = |part: &Mismatch| {
        matches!(part, Mismatch::Resource { .. } | Mismatch::Condition { .. } | Mismatch::GrantContext { .. })
    };
    parts.iter().all(is_near).then_some(parts)
}

fn is_grant(source: &PolicySource) -> bool {
    matches!(source, PolicySource::Grant { .. })
}

/// Policies before grants: they are easier to correct.
fn order(source: &PolicySource) -> usize {
    match source {
        PolicySource::Inline { .. }
        | PolicySource::Managed { .. }
        | PolicySource::Boundary { .. }
        | PolicySource::Session { .. } => 0,
        PolicySource::KeyPolicy { .. } | PolicySource::Trust { .. } => 1,
        PolicySource::Grant { .. } => 2,
    }
}

/// A policy's own name.
pub fn name(source: &PolicySource) -> String {
    match source {
        PolicySource::Managed { name, .. } | PolicySource::Inline { name, .. } => name.clone(),
        PolicySource::KeyPolicy { .. }
        | PolicySource::Trust { .. }
        | PolicySource::Boundary { .. }
        | PolicySource::Session { .. } => source.to_string(),
        PolicySource::Grant { grant_id } => format!("grant {}…", grant_id.get(..8).unwrap_or(grant_id)),
    }
}

fn sentence(source: &PolicySource, action: &str, part: &Mismatch) -> String {
    let name = name(source);
    match part {
        Mismatch::Resource { wanted, negated: false, asked } => {
            let what = if asked.contains(":table/") { "this table" } else { "this key" };
            format!("{name} allows {action} on {}, not on {what}", several(&places(wanted, asked)))
        }
        Mismatch::Resource { .. } => format!("{name} allows {action} on every resource except this one"),
        Mismatch::Condition { operator, key, wanted, found } => {
            let has = if found.is_empty() { "has none".to_owned() } else { format!("has {}", several(found)) };
            format!("{name} allows it if {key} matches {} ({operator}); the call {has}", several(wanted))
        }
        Mismatch::GrantContext { wanted, found, .. } => {
            let pairs = |pairs: &std::collections::BTreeMap<String, String>| {
                let pairs: Vec<String> = pairs.iter().map(|(name, value)| format!("{name}={value}")).collect();
                several(&pairs)
            };
            let differing = wanted.iter().filter(|(name, value)| found.get(*name) != Some(value));
            let differing = differing.map(|(name, value)| (name.clone(), value.clone())).collect();
            format!("{name} requires {} in the encryption context", pairs(&differing))
        }
        other => other.to_string(),
    }
}

/// Resources in short: what they are, and only what differs of region and account.
fn places(wanted: &[String], asked: &str) -> Vec<String> {
    let parts = |arn: &str| arn.splitn(6, ':').map(str::to_owned).collect::<Vec<_>>();
    let of_asked = parts(asked);
    let short = |arn: &String| match (&parts(arn)[..], &of_asked[..]) {
        (
            [_, partition, service, region, account, what],
            [_, its_partition, its_service, its_region, its_account, _],
        ) if partition == its_partition && service == its_service => {
            let mut place = what.clone();
            if account != its_account {
                place.push_str(&format!(" of account {account}"));
            }
            if region != its_region {
                place.push_str(&format!(" in {region}"));
            }
            place
        }
        _ => arn.clone(),
    };
    wanted.iter().map(short).collect()
}

fn several(items: &[String]) -> String {
    match items {
        [] => "nothing".to_owned(),
        items if items.len() <= NAMED => items.join(" or "),
        items => format!("{} and {} more", items[..NAMED].join(", "), items.len() - NAMED),
    }
}
