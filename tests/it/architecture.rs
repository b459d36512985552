//! The shape of the sources: layers, cycles of imports, and sizes. Tests in the sources may do what they like.
//!
//! While a limit isn't kept everywhere yet, an exception stands beside it, and a test fails once it isn't needed.

mod imports;
mod layers;
mod sizes;
mod sources;

use std::collections::BTreeMap;

use imports::{Modules, cycles};
use sources::of_the_crate;

/// So many files may import each other in a circle.
const CYCLE: usize = 5;

/// Folders with larger cycles, and how many files the largest has. It may only shrink.
const CYCLES: &[(&str, usize)] = &[];

/// The files of all cycles that are too large, by their top folders.
fn large_cycles(cycles: Vec<Vec<String>>) -> BTreeMap<String, Vec<Vec<String>>> {
    let mut found: BTreeMap<String, Vec<Vec<String>>> = BTreeMap::new();
    for cycle in cycles.into_iter().filter(|cycle| cycle.len() > CYCLE) {
        let folder = cycle[0].split(['/', '.']).next().unwrap_or_default().to_owned();
        found.entry(folder).or_default().push(cycle);
    }
    found
}

#[test]
fn no_cycle_of_imports_is_large() {
    let large = large_cycles(cycles(&Modules::new(&of_the_crate()).graph()));
    let mut wrong = Vec::new();
    for (folder, cycles) in &large {
        let allowed = CYCLES.iter().find(|(name, _)| name == folder).map_or(CYCLE, |(_, size)| *size);
        let wrong_here = cycles.iter().filter(|cycle| cycle.len() > allowed);
        wrong.extend(wrong_here.map(|cycle| format!("{folder}: {} files: {}", cycle.len(), cycle.join(" "))));
    }
    assert!(wrong.is_empty(), "over {CYCLE} files import each other in a circle:\n{}", wrong.join("\n"));
    for (folder, _) in CYCLES {
        assert!(large.contains_key(*folder), "{folder} has no large cycle any more: take it out of the exceptions");
    }
}

#[test]
fn a_large_cycle_is_found() {
    let cycle = |count: usize| (0..count).map(|at| format!("lab/{at}.rs")).collect::<Vec<_>>();
    assert!(large_cycles(vec![cycle(5), cycle(2)]).is_empty());
    let found = large_cycles(vec![cycle(6), cycle(5)]);
    assert_eq!(found["lab"], [cycle(6)]);
}
