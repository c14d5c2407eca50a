//! What Rampway promises: one module for each noun, and `house` for the repository itself.

#![expect(clippy::unwrap_used, reason = "a broken promise panics")]

mod events;
mod house;
mod identity;
mod local_cloud;
mod openapi;
mod response;
mod upload;
