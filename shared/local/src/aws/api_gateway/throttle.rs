//! Throttling: one token bucket per method.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
    time::Instant,
};

use sam::Throttle;

/// The buckets of all methods, by path and method: their tokens, and when they were last refilled.
#[derive(Debug, Default)]
pub(super) struct TokenBuckets(Mutex<HashMap<(String, String), (f64, Instant)>>);

impl TokenBuckets {
    /// Takes a token for a request. Returns whether there was one.
    pub(super) fn try_acquire(&self, limit: Throttle, path: &str, method: &str, now: Instant) -> bool {
        let mut buckets = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (tokens, refilled) = buckets.entry((path.to_owned(), method.to_owned())).or_insert((limit.burst, now));
        let gained = now.saturating_duration_since(*refilled).as_secs_f64() * limit.rate;
        *tokens = (*tokens + gained).min(limit.burst);
        *refilled = now;
        let acquired = *tokens >= 1.0;
        if acquired {
            *tokens -= 1.0;
        }
        acquired
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn requests_pass_up_to_the_burst_and_then_at_the_rate() {
        let (buckets, limit, now) = (TokenBuckets::default(), Throttle { rate: 10.0, burst: 3.0 }, Instant::now());
        let pass = |now| buckets.try_acquire(limit, "/x", "GET", now);
        assert_eq!([pass(now), pass(now), pass(now), pass(now)], [true, true, true, false]);
        let later = now + Duration::from_millis(150);
        assert_eq!([pass(later), pass(later)], [true, false]);
        assert!(buckets.try_acquire(limit, "/y", "GET", now));
    }
}
