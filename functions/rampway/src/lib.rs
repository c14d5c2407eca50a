//! A cloud on your desk: reads the template that SAM deploys, and runs what it describes on this machine.

pub mod serve;
pub mod template;
