//! The system clock.

use std::time::{SystemTime, UNIX_EPOCH};

/// An hour, in seconds.
pub const SECONDS_PER_HOUR: u64 = 60 * 60;
/// A day, in seconds.
pub const SECONDS_PER_DAY: u64 = 24 * SECONDS_PER_HOUR;

/// The time, in seconds since 1970.
#[must_use]
pub fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |time| time.as_secs())
}
