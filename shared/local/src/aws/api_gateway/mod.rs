//! API Gateway: routes requests to functions, and generates the responses that no function gives.

mod authorizer;
mod event;
mod gateway;
mod gateway_response;
mod proxy_response;
mod routes;
mod throttle;

pub(crate) use self::gateway::{Gateway, router, stage};
