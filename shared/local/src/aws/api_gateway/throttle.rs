//! How many requests pass: a token bucket a method.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
    time::Instant,
};

use sam::Throttle;

/// The buckets of all methods, by their path and method.
#[derive(Debug, Default)]
pub(super) struct Buckets(Mutex<HashMap<(String, String), (f64, Instant)>>);

impl Buckets {
    /// Whether a request passes; it then takes a token.
    pub(super) fn pass(&self, limit: Throttle, path: &str, method: &str, now: Instant) -> bool {
        let mut buckets = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (tokens, filled) = buckets.entry((path.to_owned(), method.to_owned())).or_insert((limit.burst, now));
        let gained = now.saturating_duration_since(*filled).as_secs_f64() * limit.rate;
        *tokens = (*tokens + gained).min(limit.burst);
        *filled = now;
        let passes = *tokens >= 1.0;
        if passes {
            *tokens -= 1.0;
        }
        passes
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_burst_passes_and_then_the_rate() {
        let (buckets, limit, now) = (Buckets::default(), Throttle { rate: 10.0, burst: 3.0 }, Instant::now());
        let pass = |now| buckets.pass(limit, "/x", "GET", now);
        assert_eq!([pass(now), pass(now), pass(now), pass(now)], [true, true, true, false]);
        let later = now + Duration::from_millis(150);
        assert_eq!([pass(later), pass(later)], [true, false]);
        assert!(buckets.pass(limit, "/y", "GET", now));
    }
}
