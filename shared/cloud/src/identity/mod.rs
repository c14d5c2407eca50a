//! Identity's deeds: the authority's side, the customer's side, its usage report, and the administration of both.

pub mod admin;
pub mod authority;
pub mod customer;
pub mod direct;
pub mod endpoint;
pub mod usage;

mod clients;
mod domains;
mod error;
mod keyring;
mod permits;

pub use clients::Credentials;
pub use error::Error;

use shared::identity::{Code, rpc};

use crate::gateway::{Failure, Reply, Request};

/// One route: the method it answers to, its path, and what it does.
async fn only<T: Into<Reply>>(method: &str, request: &Request, deed: impl Future<Output = Result<T, Failure>>) -> Result<Reply, Failure> {
    if request.method != *method {
        return Err(Failure::method(method, Code::E006.code()));
    }
    deed.await.map(Into::into)
}

/// No such route: the template sends nothing else, so this is for a template that does.
fn absent(request: &Request) -> Failure {
    Failure::new(shared::fault::Fault::Absent, Code::E006.code(), format_args!("there is no {}", request.path))
}

/// The client's id and secret of a body.
fn credentials(body: &rpc::Body<'_>) -> Result<clients::Credentials, rpc::Error> {
    Ok(clients::Credentials {
        client_id: body.client_id.clone().ok_or(rpc::Error::Missing("client_id"))?,
        secret: body.client_secret.clone().ok_or(rpc::Error::Missing("client_secret"))?,
    })
}
