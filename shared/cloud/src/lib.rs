//! Everything of Rampway that uses the network: API Gateway and Lambda, DynamoDB with envelope
//! encryption, S3, the outbound HTTP client, and the handlers of each noun.
//!
//! The wire is the port: this code uses the AWS SDK, and reaches AWS or a local engine by its
//! endpoint URL alone.

pub mod clock;
pub mod gateway;
pub mod http;
pub mod identity;
pub mod object;
pub mod setting;
pub mod upload;
pub mod vault;
