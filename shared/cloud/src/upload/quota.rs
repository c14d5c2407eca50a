//! What a principal may do in an hour and in a day.

use shared::encoding::hex;

use super::{
    Error,
    store::{Change, Store},
};
use crate::vault::{n, optional_number};

const HOUR: u64 = 60 * 60;
const DAY: u64 = 24 * HOUR;

/// What a principal is called in the table.
pub(super) fn hash(mode: &str, principal: &str) -> String {
    hex(&shared::crypto::sha256(format!("{mode}\n{principal}").as_bytes()))
}

/// Counts one upload in its hour.
pub(super) async fn begin(store: &Store, principal: &str, per_hour: u64, now: u64) -> Result<(), Error> {
    if per_hour == 0 {
        return Ok(());
    }
    let name = format!("quota#{principal}#hour-{}", now / HOUR);
    let change =
        Change::default().add("used", 1).set("ttl", n(now + 2 * HOUR)).when("attribute_not_exists(#used) OR #used < :given", n(per_hour));
    if store.update(&name, change).await? { Ok(()) } else { Err(Error::Throttled(HOUR - now % HOUR)) }
}

/// Whether there is something left of the day's bytes.
pub(super) async fn check_bytes(store: &Store, principal: &str, per_day: u64, now: u64) -> Result<(), Error> {
    let item = store.get(&day(principal, now)).await?;
    let used = item.map(|item| optional_number(&item, "used")).transpose()?.flatten().unwrap_or_default();
    if used < per_day { Ok(()) } else { Err(Error::Throttled(DAY - now % DAY)) }
}

/// Counts bytes in their day, if it has room for them.
pub(super) async fn add_bytes(store: &Store, principal: &str, bytes: u64, per_day: u64, now: u64) -> Result<(), Error> {
    let throttled = Error::Throttled(DAY - now % DAY);
    // What is not counted yet is 0.
    let Some(room) = per_day.checked_sub(bytes) else { return Err(throttled) };
    let change =
        Change::default().add("used", bytes).set("ttl", n(now + 2 * DAY)).when("attribute_not_exists(#used) OR #used <= :given", n(room));
    if store.update(&day(principal, now), change).await? { Ok(()) } else { Err(throttled) }
}

fn day(principal: &str, now: u64) -> String {
    format!("quota#{principal}#day-{}", now / DAY)
}
