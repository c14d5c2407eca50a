//! What the suite promises: a module a noun, and the house they live in.

mod events;
mod house;
mod identity;
