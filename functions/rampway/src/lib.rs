//! The command's parts, for the command and for the tests.

pub mod serve;
pub mod setting;
pub mod template;
