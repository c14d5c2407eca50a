//! Usage: counted once per response, reported once per minute, in spite of failures in between.
//!
//! - The counter runs before a response is sent, in a transaction with a client request token, so
//!   that a retry of the SDK counts once.
//! - Each process counts in items of its own (a *shard*), so processes do not contend for an item.
//! - The reporter sends, for each client, minute and direction, the sum over all shards; the
//!   receiver keeps the largest. So a repeated report, or one with a late count, is correct.
//! - An item is marked as reported on condition that its count is the one that was sent. After that
//!   it is not counted in.

mod bucket;
mod counter;
mod receiver;
mod reporter;

pub use counter::UsageCounter;
pub use receiver::{UsageReceiver, UsageRecord};
pub use reporter::UsageReporter;
