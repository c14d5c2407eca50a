//! Lambda functions behind API Gateway (REST API, version 1 events) or a schedule: a [`Request`] or
//! an [`Event`] comes in, a [`Response`] or an [`ApiError`] goes out.

mod api;
mod authorizer;
mod log;
mod request;
mod response;

pub use api::{AllowedOrigin, Api, Cors, ErrorKey, LambdaResponse};
pub use authorizer::{AuthorizerDecision, AuthorizerRequest, authorize};
pub use request::{AuthorizerContext, Event, Request};
pub use response::{ApiError, Error, Response};
