//! Uploads against a real engine for the table, and a Brightcove that is made to fail.

#![expect(clippy::unwrap_used, reason = "a promise that is not kept panics")]

mod brightcove;
mod callers;
mod create;
mod desk;
mod handing_over;
mod intents;
mod log;
mod reaper;
mod sign;
mod vectors;
