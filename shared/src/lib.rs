#![doc = include_str!("manual/rustdoc_links.md")]
#![doc = include_str!("../../README.md")]

#[macro_use]
mod codes;

pub mod crypto;
pub mod encoding;
pub mod fault;
pub mod identity;
pub mod keys;
pub mod manual;
pub mod secret;
pub mod upload;
