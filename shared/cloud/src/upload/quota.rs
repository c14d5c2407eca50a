//! The quotas of a principal: uploads per hour, bytes per day.

use shared::{crypto::sha256, encoding::hex};

use super::{
    error::Error,
    store::{Change, Store},
};
use crate::{
    clock::{SECONDS_PER_DAY, SECONDS_PER_HOUR},
    vault::{n, optional_number},
};

/// The hash of a principal's identity, which the table stores.
pub(super) fn principal_hash(mode: &str, principal: &str) -> String {
    hex(&sha256(format!("{mode}\n{principal}").as_bytes()))
}

/// Counts one upload in the current hour.
pub(super) async fn count_upload(store: &Store, principal: &str, per_hour: u64, now: u64) -> Result<(), Error> {
    if per_hour == 0 {
        return Ok(());
    }
    let name = format!("quota#{principal}#hour-{}", now / SECONDS_PER_HOUR);
    let change = Change::default()
        .add("used", 1)
        .set("ttl", n(now + 2 * SECONDS_PER_HOUR))
        .when("attribute_not_exists(#used) OR #used < :given", n(per_hour));
    if store.update(&name, change).await? { Ok(()) } else { Err(Error::Throttled(SECONDS_PER_HOUR - now % SECONDS_PER_HOUR)) }
}

/// Checks that some of the day's bytes are left.
pub(super) async fn check_bytes(store: &Store, principal: &str, per_day: u64, now: u64) -> Result<(), Error> {
    let item = store.get(&day_item(principal, now)).await?;
    let used = item.map(|item| optional_number(&item, "used")).transpose()?.flatten().unwrap_or_default();
    if used < per_day { Ok(()) } else { Err(throttled_today(now)) }
}

/// Counts bytes in the current day, if the quota allows them.
pub(super) async fn count_bytes(store: &Store, principal: &str, bytes: u64, per_day: u64, now: u64) -> Result<(), Error> {
    let Some(max_used) = per_day.checked_sub(bytes) else { return Err(throttled_today(now)) };
    let change = Change::default()
        .add("used", bytes)
        .set("ttl", n(now + 2 * SECONDS_PER_DAY))
        .when("attribute_not_exists(#used) OR #used <= :given", n(max_used));
    if store.update(&day_item(principal, now), change).await? { Ok(()) } else { Err(throttled_today(now)) }
}

const fn throttled_today(now: u64) -> Error {
    Error::Throttled(SECONDS_PER_DAY - now % SECONDS_PER_DAY)
}

fn day_item(principal: &str, now: u64) -> String {
    format!("quota#{principal}#day-{}", now / SECONDS_PER_DAY)
}
