//! The authority's API: `POST /token/init`, `POST /token/request`, and the ID API.

mod id_api;
mod initialiser;
mod issuer;
mod oauth;

pub use id_api::IdApi;
pub use initialiser::Initialiser;
pub use issuer::Issuer;
