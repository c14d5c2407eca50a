//! SageMaker: transcoder processes stand in for instances, are restarted when they exit, and serve
//! behind a runtime endpoint.

mod fleet;
mod instance;
mod runtime;

pub use self::instance::Instance;
pub(crate) use self::{
    fleet::{Fleet, FleetSpec, Supervision},
    runtime::router,
};
