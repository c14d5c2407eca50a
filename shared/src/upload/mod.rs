//! Uploads by browsers to a bucket that they have no secret for: what one upload may have signed, and nothing else.
//!
//! The client builds each request to S3 itself, without the secret key, and asks for its signature. It sends the request in canonical form
//! ([`canonical`]) beside the string to sign ([`sign_request`]); the request must be one of six ([`operation`]), on the one object of its own upload
//! ([`session`]), before it is signed ([`policy`], [`signature`]). Each refusal has a code ([`refusal`]), as has every other failure
//! ([`code`]). What has no other protection is found at addresses that nobody guesses ([`mod@tag`]).

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
pub use policy::Policy;
pub use refusal::Refusal;
pub use session::{State, UploadSession, VideoId};
pub use sign_request::SignRequest;

/// The region of the vendor's bucket, wherever its account is.
pub const REGION: &str = "us-east-1";
