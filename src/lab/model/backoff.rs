//! Exponential backoff.

/// Returns how many milliseconds to wait after `earlier` waits: `first` doubles up to `most`.
pub const fn backoff(first: u64, earlier: u32, most: u64) -> u64 {
    // Sixteen doublings are more than any caller's limit allows.
    let millis = first << if earlier < 16 { earlier } else { 16 };
    if millis < most { millis } else { most }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wait_doubles_up_to_its_limit() {
        let waits: Vec<u64> = (0..8).map(|earlier| backoff(100, earlier, 3_000)).collect();
        assert_eq!(waits, [100, 200, 400, 800, 1_600, 3_000, 3_000, 3_000]);
        assert_eq!(backoff(125, u32::MAX, 8_000), 8_000);
    }
}
