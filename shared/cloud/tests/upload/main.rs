//! Uploads with a local DynamoDB engine, and a stand-in for Brightcove with injected faults.

#![expect(clippy::unwrap_used, reason = "a failed test panics")]

mod brightcove;
mod callers;
mod create;
mod fixture;
mod ingest;
mod intents;
mod log;
mod reaper;
mod sign;
mod vectors;
