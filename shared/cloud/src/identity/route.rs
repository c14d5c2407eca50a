//! What identity's routes have in common.

use shared::{
    fault::Fault,
    identity::{Code, rpc},
};

use super::clients::Credentials;
use crate::{
    gateway::{Api, ApiError, Cors, ErrorKey, Request, Response},
    setting::Environment,
};

/// Identity's API: one web origin, and errors with the key `code`.
#[must_use]
pub fn api(environment: &Environment) -> Api {
    Api::new(ErrorKey::Code, Cors::SingleOrigin(environment.allowed_origin()))
}

/// Runs a route's handler, or answers 405 to another method.
pub(super) async fn require_method<T: Into<Response>>(
    method: &str,
    request: &Request,
    handler: impl Future<Output = Result<T, ApiError>>,
) -> Result<Response, ApiError> {
    if request.method != *method {
        return Err(ApiError::method_not_allowed(method, Code::E006.code()));
    }
    handler.await.map(Into::into)
}

/// 404 Not Found, for a route in the template that the function does not know.
pub(super) fn not_found(request: &Request) -> ApiError {
    ApiError::new(Fault::Absent, Code::E006.code(), format_args!("there is no {}", request.path))
}

/// The client's id and secret in a body.
pub(super) fn credentials(body: &rpc::Body<'_>) -> Result<Credentials, rpc::Error> {
    Ok(Credentials {
        client_id: body.client_id.clone().ok_or(rpc::Error::Missing("client_id"))?,
        secret: body.client_secret.clone().ok_or(rpc::Error::Missing("client_secret"))?,
    })
}
