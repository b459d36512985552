//! The order of drills and answers. It follows from the seed.

use super::catalog;
use super::fix::Fix;
use crate::lab::model::drill::{Drill, Plan, Rung};
use crate::lab::stages::Sources;

/// The rungs in the order of the answers.
pub const RUNGS: [Rung; 4] = [Rung::Deny, Rung::KeyPolicy, Rung::IamPolicy, Rung::Grant];

/// The rungs to choose from. Few drills are about the key's state, and the error says so: it takes the grant's place.
pub fn rungs(right: Rung) -> [Rung; 4] {
    match right {
        Rung::KeyState => [Rung::Deny, Rung::KeyPolicy, Rung::IamPolicy, Rung::KeyState],
        _ => RUNGS,
    }
}

/// A number that looks random (splitmix64).
fn mixed(seed: u64) -> u64 {
    let mut z = seed.wrapping_add(0x9E37_79B9_7F4A_7C15);
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

fn shuffled<T>(mut all: Vec<T>, seed: u64) -> Vec<T> {
    for at in (1..all.len()).rev() {
        let other = mixed(seed.wrapping_add(at as u64)) % (at as u64 + 1);
        all.swap(at, usize::try_from(other).unwrap_or(0));
    }
    all
}

/// The drills of a session, in order.
pub fn order(plan: Plan, sources: &Sources<'_>) -> Vec<Drill> {
    let given_user = sources.backend.given_user;
    let possible = |drill: &Drill| catalog::is_possible(*drill, sources) && has_choice(*drill, given_user);
    if let Some(only) = plan.only {
        return vec![only].into_iter().filter(possible).collect();
    }
    let all = Drill::ALL.into_iter().filter(possible).collect();
    shuffled(all, plan.seed).into_iter().take(plan.count).collect()
}

/// Whether there is something to choose from. With a given user some fixes are missing: the lab changes none of its
/// policies.
fn has_choice(drill: Drill, given_user: bool) -> bool {
    let fixes = Fix::of(drill, given_user);
    let right = fixes.iter().filter(|(_, right)| *right).count();
    // A key that is disabled takes an EnableKey; another way needs an IAM policy.
    let least = if given_user && catalog::of(drill).rung == Rung::KeyState { 1 } else { 2 };
    right >= least && fixes.len() > right
}

/// Two of the rungs that are fine; fewer if more than one would be right.
pub fn fine(drill: Drill, seed: u64) -> Vec<Rung> {
    let def = catalog::of(drill);
    let fine = rungs(def.rung).into_iter().filter(|rung| !def.accepts(*rung)).collect();
    shuffled(fine, seed.wrapping_add(drill.index() as u64)).into_iter().take(2).collect()
}

/// The fixes of a drill as they are listed.
pub fn fixes(drill: Drill, given_user: bool, seed: u64) -> Vec<(Fix, bool)> {
    shuffled(Fix::of(drill, given_user), seed.wrapping_mul(31).wrapping_add(drill.index() as u64))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lab::model::backend::Backend;
    use crate::lab::model::backend::BackendKind;
    use crate::lab::model::drill::Level;
    use crate::lab::model::facts::{Facts, Names};

    fn orders(seed: u64, count: usize, given_user: bool) -> Vec<Drill> {
        let backend = Backend { kind: BackendKind::Sandbox, region: "r".to_owned(), endpoint: None, given_user };
        let (names, facts) = (Names::new("r"), Facts::default());
        let sources = Sources { names: &names, facts: &facts, backend: &backend };
        order(Plan { seed, count, only: None, level: Level::One }, &sources)
    }

    #[test]
    fn the_seed_decides_the_order_and_no_drill_comes_twice() {
        let all = orders(1, usize::MAX, false);
        assert_eq!(all.len(), Drill::ALL.len());
        let mut sorted = all.clone();
        sorted.sort();
        assert_eq!(sorted, Drill::ALL);
        assert_eq!(all, orders(1, usize::MAX, false));
        assert_ne!(all, orders(2, usize::MAX, false));
        assert_eq!(orders(1, 5, false), all[..5]);
        let given = orders(1, usize::MAX, true);
        assert!(given.len() > 5 && given.iter().all(|drill| !catalog::of(*drill).needs_own_user));
    }

    #[test]
    fn each_drill_has_two_right_fixes_and_a_wrong_one() {
        for drill in Drill::ALL {
            for given_user in [false, true] {
                let fixes = fixes(drill, given_user, 3);
                assert!(given_user || has_choice(drill, given_user), "{drill:?}: {fixes:?}");
                assert!(fixes.iter().enumerate().all(|(at, one)| !fixes[..at].contains(one)), "{drill:?}");
            }
            let (def, fine) = (catalog::of(drill), fine(drill, 3));
            assert_eq!(fine.len(), if def.nothing_allows { 1 } else { 2 }, "{drill:?}");
            assert!(fine.iter().all(|rung| !def.accepts(*rung)) && rungs(def.rung).contains(&def.rung), "{drill:?}");
        }
    }
}
