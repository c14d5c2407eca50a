//! Decisions, and why. One module each; nothing here is code.

pub mod aes_siv;
pub mod kernels;
pub mod key_rotation;
pub mod no_traits;
pub mod one_template;
pub mod sealed_room;
pub mod uploads;
pub mod usage;
