//! The keys of the customer's usage table.

/// The index of items that are not reported yet. It is sparse: reported items lack its key.
pub(super) const PENDING_INDEX: &str = "pending";
/// The key of every item in the index.
pub(super) const PENDING: &str = "1";

/// The partition key of a client's minute.
pub(super) fn partition_key(client_id: &str, minute: u64) -> String {
    format!("{client_id}#{minute}")
}

/// The client and the minute of a partition key.
pub(super) fn parse_partition_key(bucket: &str) -> Option<(&str, u64)> {
    let (client, minute) = bucket.rsplit_once('#')?;
    Some((client, minute.parse().ok()?))
}
