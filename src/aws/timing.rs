//! How long the clients wait, and how often they try.

use std::time::Duration;

use aws_config::SdkConfig;
use aws_smithy_types::retry::RetryConfig;
use aws_smithy_types::timeout::TimeoutConfig;

use crate::lab::wait;

/// The time limits and the number of tries of the clients. Without them the SDK would wait forever for a
/// server that accepts a request and never responds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timing {
    /// Until a connection stands.
    pub connect: Duration,
    /// For one try, from sending to the last byte of the answer.
    pub attempt: Duration,
    /// For a call with all its tries and the pauses between them.
    pub call: Duration,
    /// The number of tries of the SDK; `None` is what profile and environment say, else 3, with jittered pauses that
    /// double (the SDK's standard retry mode). What creates something is tried again only where an error came back.
    pub attempts: Option<u32>,
    /// The longest first pause before a further try; `None` is the SDK's 1 s.
    pub first_pause: Option<Duration>,
    /// The time that `kmslab cleanup` waits for a change to take effect. (The lab counts for itself.)
    pub change: Duration,
}

impl Default for Timing {
    fn default() -> Timing {
        Timing {
            connect: Duration::from_secs(5),
            // The lab's calls are small. Thirty people watch: nobody waits half a minute for a lost one.
            attempt: Duration::from_secs(10),
            call: Duration::from_secs(40),
            attempts: None,
            first_pause: None,
            change: Duration::from_secs(wait::ON_AWS as u64),
        }
    }
}

impl Timing {
    /// `config` with these times.
    pub(super) fn apply(&self, config: SdkConfig) -> SdkConfig {
        let timeouts =
            TimeoutConfig::builder().connect_timeout(self.connect).operation_attempt_timeout(self.attempt).build();
        let mut retries = config.retry_config().cloned().unwrap_or_else(RetryConfig::standard);
        if let Some(attempts) = self.attempts {
            retries = retries.with_max_attempts(attempts);
        }
        if let Some(pause) = self.first_pause {
            retries = retries.with_initial_backoff(pause);
        }
        config.into_builder().timeout_config(timeouts).retry_config(retries).build()
    }
}
