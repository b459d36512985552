//! The table that `cargo bench` prints: each row has our figure, a peer or limit from the same run, and the ratio.

use std::fmt;
use std::time::Duration;

/// Several measurements of one thing.
pub struct Figure {
    sorted: Vec<f64>,
    unit: Unit,
}

#[derive(Clone, Copy)]
enum Unit {
    Milliseconds,
    Megabytes,
}

impl Figure {
    /// Durations.
    pub fn times(times: &[Duration]) -> Figure {
        Figure::new(times.iter().map(|time| time.as_secs_f64() * 1e3).collect(), Unit::Milliseconds)
    }

    /// Sizes in KB.
    pub fn sizes(sizes: &[u64]) -> Figure {
        Figure::new(sizes.iter().map(|kb| *kb as f64 / 1024.0).collect(), Unit::Megabytes)
    }

    fn new(mut sorted: Vec<f64>, unit: Unit) -> Figure {
        assert!(!sorted.is_empty(), "a figure without a measurement");
        sorted.sort_by(f64::total_cmp);
        Figure { sorted, unit }
    }

    fn median(&self) -> f64 {
        self.sorted[self.sorted.len() / 2]
    }
}

impl fmt::Display for Figure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let unit = match self.unit {
            Unit::Milliseconds => "ms",
            Unit::Megabytes => "MB",
        };
        write!(f, "{:.2} {unit}", self.median())
    }
}

/// Prints the head of the table.
pub fn head() {
    println!("{:<52} {:>10}  {:<28} {:>10} {:>7}  aim", "median of", "kmslab", "beside", "", "ratio");
}

/// Prints one row: `ours` beside `theirs`.
pub fn row(what: &str, ours: &Figure, peer: &str, theirs: &Figure, aim: Option<f64>) {
    let aim = aim.map(|aim| format!("{aim:.1}")).unwrap_or_default();
    let ratio = ours.median() / theirs.median();
    println!("{what:<52} {:>10}  {peer:<28} {:>10} {ratio:>7.2}  {aim}", ours.to_string(), theirs.to_string());
}

/// Prints one row: `ours` beside a limit in milliseconds or megabytes.
pub fn limited(what: &str, ours: &Figure, limit: f64) {
    let limit = Figure::new(vec![limit], ours.unit);
    row(what, ours, "limit", &limit, Some(1.0));
}

/// Says why a row has no peer.
pub fn missing(what: &str, why: &str) {
    println!("{what:<52} not measured: {why}");
}
