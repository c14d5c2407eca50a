//! When to ask again, and how long to wait before.

use std::time::Duration;

use super::error::{Error, Failure};

/// How patient a client is.
#[derive(Clone, Copy, Debug)]
pub(super) struct Retry {
    /// How often a server that has answered before is asked.
    pub(super) attempts: u32,
    /// How often an address is asked that nobody has answered at: most likely it is wrong.
    pub(super) first_attempts: u32,
    /// The first pause; each following one is twice as long.
    pub(super) pause: Duration,
    /// The longest pause of our own.
    pub(super) longest_pause: Duration,
    /// The longest pause that the server may ask for.
    pub(super) longest_wait: Duration,
}

impl Default for Retry {
    fn default() -> Self {
        Self {
            attempts: 10,
            first_attempts: 3,
            pause: Duration::from_millis(250),
            longest_pause: Duration::from_secs(30),
            longest_wait: Duration::from_mins(1),
        }
    }
}

/// The attempts at one request.
#[derive(Debug)]
pub(super) struct Attempts {
    retry: Retry,
    made: u32,
}

impl Attempts {
    pub(super) const fn new(retry: Retry) -> Self {
        Self { retry, made: 0 }
    }

    /// Waits before the next attempt, or gives up; `reached` says whether anybody has ever answered at `url`.
    pub(super) async fn pause(&mut self, failure: Failure, url: &str, reached: bool) -> Result<(), Error> {
        self.made += 1;
        let most = if reached { self.retry.attempts } else { self.retry.first_attempts };
        if !failure.may_pass() || self.made >= most {
            return Err(failure.into_error(url, self.made));
        }
        tokio::time::sleep(self.retry.delay(self.made, failure.wait(), fastrand::f64())).await;
        Ok(())
    }
}

impl Retry {
    /// The pause after the `made`th attempt: at least half of the doubled pause, so that clients that failed together
    /// do not come back together; never less than the server asks for, within bounds.
    fn delay(&self, made: u32, wait: Option<Duration>, chance: f64) -> Duration {
        let doubled = self.pause.saturating_mul(2_u32.saturating_pow(made - 1)).min(self.longest_pause);
        let jittered = doubled.mul_f64(0.5 + chance / 2.0);
        wait.map_or(jittered, |wait| jittered.max(wait.min(self.longest_wait)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_up_to_a_bound_and_differ() {
        let retry = Retry::default();
        assert_eq!(retry.delay(1, None, 1.0), Duration::from_millis(250));
        assert_eq!(retry.delay(1, None, 0.0), Duration::from_millis(125));
        assert_eq!(retry.delay(3, None, 1.0), Duration::from_secs(1));
        assert_eq!(retry.delay(60, None, 1.0), Duration::from_secs(30));
    }

    #[test]
    fn the_server_may_ask_for_a_longer_pause_within_bounds() {
        let retry = Retry::default();
        assert_eq!(retry.delay(1, Some(Duration::from_secs(7)), 0.0), Duration::from_secs(7));
        assert_eq!(retry.delay(1, Some(Duration::from_hours(24)), 0.0), Duration::from_mins(1));
        assert_eq!(retry.delay(1, Some(Duration::ZERO), 1.0), Duration::from_millis(250));
    }
}
