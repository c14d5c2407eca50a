//! The transcoder's endpoint, called through the SageMaker runtime.

mod csv;
mod json;
mod outcome;
mod runtime;

pub use csv::InvokeError;
pub use json::ids_that_fit;
pub use outcome::EndpointOutput;
pub use runtime::Endpoint;
