//! The shape of the sources: layers, cycles of imports, and sizes. Tests in the sources may do what they like.
//!
//! Where a layer isn't kept yet, an exception stands beside it, and a test fails once it isn't needed.

mod imports;
mod layers;
mod sizes;
mod sources;

use imports::{Modules, cycles};
use sources::of_the_crate;

/// The most files that may import each other in a circle.
const CYCLE: usize = 5;

/// The cycles that are too large, each as its files.
fn large_cycles(cycles: Vec<Vec<String>>) -> Vec<String> {
    cycles.into_iter().filter(|cycle| cycle.len() > CYCLE).map(|cycle| cycle.join(" ")).collect()
}

#[test]
fn no_cycle_of_imports_is_large() {
    let large = large_cycles(cycles(&Modules::new(&of_the_crate()).graph()));
    assert!(large.is_empty(), "over {CYCLE} files import each other in a circle:\n{}", large.join("\n"));
}

#[test]
fn a_large_cycle_is_found() {
    let cycle = |count: usize| (0..count).map(|at| format!("{at}.rs")).collect::<Vec<_>>();
    assert!(large_cycles(vec![cycle(5), cycle(2)]).is_empty());
    assert_eq!(large_cycles(vec![cycle(6), cycle(5)]), ["0.rs 1.rs 2.rs 3.rs 4.rs 5.rs"]);
}
