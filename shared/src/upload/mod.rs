//! Uploads by browsers to a bucket whose secret key they do not have: the signatures that one
//! upload may get.
//!
//! The client builds each request to S3 itself, without the secret key, and requests its signature.
//! It sends the string to sign together with the request in canonical form ([`sign_request`],
//! [`canonical`]). The request is signed ([`signature`]) only if it is one of six operations
//! ([`operation`]) on the object of the client's own upload ([`session`], [`policy`]). Each refusal
//! has a code ([`refusal`]), and so has every other failure ([`code`]). Paths without other
//! protection carry a tag ([`mod@tag`]).

pub mod canonical;
pub mod code;
pub mod operation;
pub mod policy;
pub mod refusal;
pub mod session;
pub mod sign_request;
pub mod signature;
pub mod tag;

pub use canonical::CanonicalRequest;
pub use code::Code;
pub use operation::Operation;
pub use policy::{Policy, REGION};
pub use refusal::Refusal;
pub use session::{State, UploadSession, VideoId};
pub use sign_request::SignRequest;
