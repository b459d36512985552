//! What the lab has cost so far on AWS: the key, by the hour. Pure: the time comes with each answer.

use serde_json::Value;

use super::backend::BackendKind;
use super::state::State;

/// Hours of a month, as AWS counts where it pro-rates.
const HOURS_A_MONTH: f64 = 730.0;

/// What a customer managed key has cost, in USD: 1 USD a month, pro-rated by the hour (KMS price list). The time is in
/// seconds; a clock that is behind AWS's makes no negative cost.
pub fn key_cost(seconds: f64) -> f64 {
    seconds.max(0.0) / 3_600.0 / HOURS_A_MONTH
}

/// `key 0.5 h, 0.0007 USD`
fn key_line(seconds: f64) -> String {
    format!("key {:.1} h, {:.4} USD", seconds.max(0.0) / 3_600.0, key_cost(seconds))
}

impl State {
    /// What the key has cost by the newest answer, where it costs something; a key whose deletion is scheduled costs
    /// nothing more. `None` where nothing costs anything, or nothing has been made.
    pub fn cost_line(&self) -> Option<String> {
        self.cost_line_at(0)
    }

    /// The same at `now` (unix time, seconds), which may be later than the newest answer: a key costs while nobody calls.
    pub fn cost_line_at(&self, now: i64) -> Option<String> {
        if self.backend.kind != BackendKind::Aws {
            return None;
        }
        let created = self.kernel.facts().key.as_ref()?.get("CreationDate").and_then(Value::as_f64)?;
        let until = self.kernel.key_ended_at().unwrap_or(self.now().max(u64::try_from(now).unwrap_or(0)));
        // Unix times are exact in an f64 for the next 285 million years.
        Some(key_line(until as f64 - created))
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case(-5.0, "key 0.0 h, 0.0000 USD")]
    #[case(0.0, "key 0.0 h, 0.0000 USD")]
    #[case(1_800.0, "key 0.5 h, 0.0007 USD")]
    #[case(3_600.0, "key 1.0 h, 0.0014 USD")]
    #[case(86_400.0, "key 24.0 h, 0.0329 USD")]
    #[case(730.0 * 3_600.0, "key 730.0 h, 1.0000 USD")]
    fn a_month_is_one_dollar(#[case] seconds: f64, #[case] line: &str) {
        assert_eq!(key_line(seconds), line);
    }
}
