//! Lambda: functions are processes that handle one event at a time. Load starts more of them, and a
//! failed one is replaced.

mod function_spec;
mod invoke_api;
mod output;
mod pool;
mod runtime_api;
mod sandbox;
mod service;

pub(crate) use self::{function_spec::FunctionSpec, invoke_api::router, output::MAX_EVENT_BYTES, service::Lambda};
