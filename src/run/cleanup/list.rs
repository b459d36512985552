//! What a person sees before everyone's runs are removed. Pure.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::plan::{Item, Kind, Plan};
use crate::lab::cost::key_cost;

/// When runs began, as far as that is known.
pub type Begun = BTreeMap<String, OffsetDateTime>;

/// The newest of the times that tags give a run. What is no time says nothing.
pub fn newest(values: &BTreeSet<String>) -> Option<OffsetDateTime> {
    values.iter().filter_map(|value| OffsetDateTime::parse(value, &Rfc3339).ok()).max()
}

/// Whether what began then is older than `limit`; what began nobody knows when is not.
pub fn is_older(begun: Option<OffsetDateTime>, limit: Option<Duration>, now: OffsetDateTime) -> bool {
    limit.is_none_or(|limit| begun.is_some_and(|begun| now - begun >= limit))
}

/// The runs of `plan` as a table: id, age, things, and what the keys have cost.
pub fn list(plan: &Plan, begun: &Begun, ours: &BTreeSet<&str>, now: OffsetDateTime) -> Vec<String> {
    let mut runs: BTreeMap<&str, Vec<&Item>> = BTreeMap::new();
    for item in plan.items.iter().chain(plan.kept.iter().map(|(item, _)| item)) {
        runs.entry(&item.run).or_default().push(item);
    }
    let rows = runs.iter().map(|(run, items)| {
        let age = begun.get(*run).map(|begun| now - *begun);
        let keys = items.iter().filter(|item| item.kind == Kind::Key).count();
        let cost = match age {
            _ if keys == 0 => "nothing".to_owned(),
            Some(age) => format!("{:.4} USD", keys as f64 * key_cost(age.as_seconds_f64())),
            None => "unknown".to_owned(),
        };
        // IAM knows no regions. The rest of such a run may be where this doesn't look.
        let is_user_alone = items.iter().all(|item| item.kind == Kind::User);
        let whose = match (ours.contains(run), is_user_alone) {
            (true, _) => "  (this machine's)",
            (false, true) => "  (its lab may be at work in another region)",
            (false, false) => "",
        };
        let things: Vec<&str> = items.iter().map(|item| item.kind.word()).collect();
        let age = age.map_or_else(|| "unknown".to_owned(), told);
        format!("  {run:<12} {age:<12} {:<26} {cost}{whose}", things.join(", "))
    });
    let head = format!("  {:<12} {:<12} {:<26} {}", "run", "age", "has", "key cost so far, on AWS");
    if runs.is_empty() { Vec::new() } else { std::iter::once(head).chain(rows).collect() }
}

/// `3 d 4 h`, `2 h 5 min`, `7 min`.
fn told(age: time::Duration) -> String {
    let minutes = age.whole_minutes().max(0);
    let (days, hours, minutes) = (minutes / 1_440, minutes / 60 % 24, minutes % 60);
    match (days, hours) {
        (0, 0) => format!("{minutes} min"),
        (0, hours) => format!("{hours} h {minutes} min"),
        (days, hours) => format!("{days} d {hours} h"),
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    fn at(text: &str) -> OffsetDateTime {
        OffsetDateTime::parse(text, &Rfc3339).unwrap()
    }

    fn item(kind: Kind, run: &str) -> Item {
        Item { kind, run: run.into(), name: "n".into(), arn: "arn:n".into(), steps: Vec::new() }
    }

    #[test]
    fn every_run_has_its_age_its_things_and_its_cost() {
        let items = [(Kind::Table, "4f2a"), (Kind::Key, "4f2a"), (Kind::User, "beef"), (Kind::User, "f00d")];
        let items = items.map(|(kind, run)| item(kind, run)).into();
        let plan = Plan { items, kept: vec![(item(Kind::Key, "cafe"), "reason")], ..Plan::default() };
        let begun =
            Begun::from([("4f2a".into(), at("2026-01-01T00:00:00Z")), ("beef".into(), at("2026-01-02T00:50:00Z"))]);
        let rows = list(&plan, &begun, &["beef"].into(), at("2026-01-02T00:00:00Z"));
        assert_eq!(
            rows,
            [
                "  run          age          has                        key cost so far, on AWS",
                "  4f2a         1 d 0 h      table, key                 0.0329 USD",
                "  beef         0 min        user                       nothing  (this machine's)",
                "  cafe         unknown      key                        unknown",
                "  f00d         unknown      user                       nothing  (its lab may be at work in another region)",
            ]
        );
        assert_eq!(list(&Plan::default(), &begun, &BTreeSet::new(), at("2026-01-02T00:00:00Z")), [""; 0]);
    }

    #[rstest]
    #[case::no_limit(None, None, true)]
    #[case::older(Some("2026-01-01T00:00:00Z"), Some(7_200), true)]
    #[case::just_as_old(Some("2026-01-01T22:00:00Z"), Some(7_200), true)]
    #[case::younger(Some("2026-01-01T22:00:01Z"), Some(7_200), false)]
    #[case::of_the_future(Some("9999-01-01T00:00:00Z"), Some(60), false)]
    #[case::unknown(None, Some(60), false)]
    fn only_what_is_known_to_be_old_is_old(#[case] begun: Option<&str>, #[case] limit: Option<u64>, #[case] old: bool) {
        let limit = limit.map(Duration::from_secs);
        assert_eq!(is_older(begun.map(at), limit, at("2026-01-02T00:00:00Z")), old);
    }

    #[test]
    fn the_newest_valid_time_counts() {
        let values = ["2026-01-01T00:00:00Z", "2026-01-03T00:00:00+02:00", "yesterday", ""].map(str::to_owned);
        assert_eq!(newest(&values.into()), Some(at("2026-01-02T22:00:00Z")));
        assert_eq!(newest(&BTreeSet::new()), None);
    }
}
