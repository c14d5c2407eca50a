//! Uploads with the local DynamoDB, S3 and Brightcove, and with injected faults.

#![expect(clippy::unwrap_used, reason = "a failed test panics")]

mod api_response;
mod callers;
mod create;
mod fixture;
mod ingest;
mod intents;
mod log;
mod reaper;
mod sign;
mod vectors;
