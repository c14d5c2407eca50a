//! What the suite promises: a module a noun, and the house they live in.

#![expect(clippy::unwrap_used, reason = "a promise that is not kept panics")]

mod answer;
mod events;
mod house;
mod identity;
mod upload;
