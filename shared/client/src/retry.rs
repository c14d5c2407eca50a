//! When to retry a request, and how long to wait before.

use std::time::Duration;

use crate::error::{AttemptError, Error};

/// How often a request is sent, and the delays between the attempts.
#[derive(Clone, Copy, Debug)]
pub(crate) struct RetryPolicy {
    /// The maximum number of attempts against a server that has responded before.
    pub(crate) max_attempts: u32,
    /// The maximum number of attempts against an address that has never responded: it is probably
    /// wrong.
    pub(crate) max_attempts_unreached: u32,
    /// The delay after the first attempt. It doubles with each further attempt.
    pub(crate) initial_backoff: Duration,
    /// The upper bound of the doubled delay.
    pub(crate) max_backoff: Duration,
    /// The upper bound of a `Retry-After` header.
    pub(crate) max_retry_after: Duration,
}

impl Default for RetryPolicy {
    fn default() -> Self {
        Self {
            max_attempts: 10,
            max_attempts_unreached: 3,
            initial_backoff: Duration::from_millis(250),
            max_backoff: Duration::from_secs(30),
            max_retry_after: Duration::from_mins(1),
        }
    }
}

/// The attempts of one request.
#[derive(Debug)]
pub(crate) struct Attempts {
    policy: RetryPolicy,
    made: u32,
}

impl Attempts {
    pub(crate) const fn new(policy: RetryPolicy) -> Self {
        Self { policy, made: 0 }
    }

    /// Waits before the next attempt, or returns the error if there is none. `reached` says whether
    /// the server at `url` has ever responded.
    pub(crate) async fn back_off(&mut self, error: AttemptError, url: &str, reached: bool) -> Result<(), Error> {
        self.made += 1;
        let max = if reached { self.policy.max_attempts } else { self.policy.max_attempts_unreached };
        if !error.is_retryable() || self.made >= max {
            return Err(error.into_error(url, self.made));
        }
        tokio::time::sleep(self.policy.delay(self.made, error.retry_after(), fastrand::f64())).await;
        Ok(())
    }
}

impl RetryPolicy {
    /// Returns the delay after the attempt number `made`, from 1. `random` is from 0 to 1.
    ///
    /// Between a half and the whole of the exponential backoff is waited, so that clients that
    /// failed together do not retry together. A bounded `Retry-After` is a lower limit.
    fn delay(&self, made: u32, retry_after: Option<Duration>, random: f64) -> Duration {
        let backoff = self.initial_backoff.saturating_mul(2_u32.saturating_pow(made - 1)).min(self.max_backoff);
        let jittered = backoff.mul_f64(0.5 + random / 2.0);
        retry_after.map_or(jittered, |wait| jittered.max(wait.min(self.max_retry_after)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_backoff_doubles_up_to_a_limit_and_is_jittered() {
        let policy = RetryPolicy::default();
        assert_eq!(policy.delay(1, None, 1.0), Duration::from_millis(250));
        assert_eq!(policy.delay(1, None, 0.0), Duration::from_millis(125));
        assert_eq!(policy.delay(3, None, 1.0), Duration::from_secs(1));
        assert_eq!(policy.delay(60, None, 1.0), Duration::from_secs(30));
    }

    #[test]
    fn retry_after_is_a_lower_limit_within_bounds() {
        let policy = RetryPolicy::default();
        assert_eq!(policy.delay(1, Some(Duration::from_secs(7)), 0.0), Duration::from_secs(7));
        assert_eq!(policy.delay(1, Some(Duration::from_hours(24)), 0.0), Duration::from_mins(1));
        assert_eq!(policy.delay(1, Some(Duration::ZERO), 1.0), Duration::from_millis(250));
    }
}
