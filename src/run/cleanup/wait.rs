//! How a clean-up waits: with pauses that grow, until there is no time left.

use std::time::Duration;

use tokio::time::Instant;

/// A wait for a change to take effect.
pub(super) struct Wait {
    pauses: u32,
    ends: Instant,
}

impl Wait {
    pub(super) fn new(patience: Duration) -> Wait {
        Wait { pauses: 0, ends: Instant::now() + patience }
    }

    /// Whether there has been no pause yet.
    pub(super) fn is_first(&self) -> bool {
        self.pauses == 0
    }

    /// Makes a pause, doubling from 50 ms up to 3 s. Whether there was time left for one.
    pub(super) async fn goes_on(&mut self) -> bool {
        let now = Instant::now();
        if now >= self.ends {
            return false;
        }
        let pause = Duration::from_millis((50 << self.pauses.min(6)).min(3_000));
        tokio::time::sleep(pause.min(self.ends - now)).await;
        self.pauses += 1;
        true
    }
}
