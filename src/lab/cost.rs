//! What the lab has cost so far on AWS: the key, by the hour. Pure: the time comes with each answer.

use serde_json::Value;

/// Hours of a month, as AWS counts where it pro-rates.
const HOURS_A_MONTH: f64 = 730.0;

/// What a customer managed key has cost, in USD: 1 USD a month, pro-rated by the hour (KMS price list). The time is in
/// seconds; a clock that is behind AWS's makes no negative cost.
pub fn key_cost(seconds: f64) -> f64 {
    seconds.max(0.0) / 3_600.0 / HOURS_A_MONTH
}

/// What a key has cost by the response at `now`, or by `ended`, when it stopped costing anything.
pub(in crate::lab) fn line(key: &Value, ended: Option<u64>, now: u64) -> Option<String> {
    let created = key.get("CreationDate").and_then(Value::as_f64)?;
    // Unix times are exact in an f64 for the next 285 million years.
    Some(key_line(ended.unwrap_or(now) as f64 - created))
}

/// `key 0.5 h, 0.0007 USD`
fn key_line(seconds: f64) -> String {
    format!("key {:.1} h, {:.4} USD", seconds.max(0.0) / 3_600.0, key_cost(seconds))
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
