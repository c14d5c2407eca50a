//! The client of the translation API and of the SageMaker endpoint.
//!
//! A [`Client`] keeps its tokens fresh, retries requests that may succeed later, and checks every
//! response before it is used. It reaches the transcoder in one of two ways: through the customer's
//! API with a client id and secret, or by invoking the SageMaker endpoint, which needs AWS
//! credentials as well and skips API Gateway, the proxy and half of each body.

mod api;
mod client;
mod connection;
mod endpoint;
mod error;
mod health;
mod ids;
mod lines;
mod outcomes;
mod request;
mod response;
mod retry;
mod token;

pub use self::{
    client::Client,
    connection::{Connection, ConnectionArgs, ConnectionError, Credentials},
    error::Error,
    health::{Health, KeyPacket, Variant},
    ids::{Ids, is_plain},
    outcomes::{Outcomes, Refusal},
    token::Token,
};
