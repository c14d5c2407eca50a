//! The log: JSON lines on standard error, which Lambda sends to CloudWatch.

use tracing_subscriber::{
    filter::{LevelFilter, Targets},
    layer::SubscriberExt,
    util::SubscriberInitExt,
};

use crate::setting::Environment;

/// Installs the subscriber at the environment's log level.
pub(super) fn init(environment: &Environment) {
    let level = environment.log_level().parse().unwrap_or(LevelFilter::INFO);
    // Below INFO, dependencies log whole events: headers, bodies, and so secrets.
    let targets = Targets::new().with_target("cloud", level).with_default(level.min(LevelFilter::INFO));
    let format = tracing_subscriber::fmt().json().without_time().with_max_level(level).with_ansi(false).with_writer(std::io::stderr);
    // A second call, in a test, changes nothing.
    let _ = format.finish().with(targets).try_init();
}
